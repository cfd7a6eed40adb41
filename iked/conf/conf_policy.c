/* SPDX-License-Identifier: ISC */
/* The ikev2 statement: its name and its options, in any order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

/*
 * Says when an option stands twice that may stand once.  The modes share a
 * bit, as do inet and inet6.
 */
static void
once(struct parser *p, const struct conf_word *w, const struct pos *pos)
{
	enum conf_kw	 id = w->id;
	uint64_t	 bit;

	switch (id) {
	case K_FROM:
	case K_TO:
		p->st.seen |= 1ULL << id;
		return;
	case K_IKESA:
	case K_CHILDSA:
	case K_LATER:
	case K_LATER1:
	case K_CONFIG:
	case K_REQUEST:
		return;
	default:
		break;
	}
	if (id == K_PASSIVE || id == K_ONDEMAND)
		id = K_ACTIVE;
	if (id == K_INET6)
		id = K_INET;
	if (id == K_TRANSPORT)
		id = K_TUNNEL;
	bit = 1ULL << id;
	if (id == K_PSK && p->st.has_psk && !p->st.has_old)
		return;		/* the new one, and now the old one */
	if (p->st.seen & bit)
		conf_stmt_error(p, pos, "\"%s\": this statement already has %s",
		    w->word, id == K_ACTIVE ? "a mode" : id == K_INET ?
		    "an address family" : id == K_TUNNEL ?
		    "tunnel or transport" : "this option");
	p->st.seen |= bit;
}

/*
 * An address with something at it that does not belong there.  0: it is another
 * mistake.
 */
static int
address_and(struct parser *p, const struct tok *t, const char *show,
    const char *kw, int net)
{
	const char	*from = t->s[0] == '[' ? t->s + 1 : t->s;
	char		 head[ADDR_STRLEN];
	struct addr	 a;
	size_t		 n;

	n = strcspn(from, net ? "/" : t->s[0] == '[' ? "]" : ":");
	snprintf(head, sizeof(head), "%.*s", (int)(n < sizeof(head) ? n : 0),
	    from);
	if (t->len > 1 && t->s[t->len - 1] == ';')
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a statement ends "
		    "with its line; remove the \";\"", show, kw);
	else if (addr_parse(&a, head) == -1)
		return (0);
	else if (net && from[n] == '/')
		conf_stmt_error(p, &t->pos, "%s after \"%s\": after the slash "
		    "stands a prefix length, 0 to %zu", show, kw,
		    8 * addr_len(&a));
	else if (!net && from[n] != '\0' && from[n + 1] != '\0')
		conf_stmt_error(p, &t->pos, "%s after \"%s\": the address "
		    "alone is wanted; no port is written", show, kw);
	else
		return (0);
	return (1);
}

/* A word that may not stand where an address is wanted. */
static void
bad_address(struct parser *p, const struct tok *t, const char *kw, int net)
{
	char		 show[SHOWLEN];
	const char	*s;

	conf_show(p, t, show);
	for (s = t->s; *s != '\0'; s++)
		if (!((*s >= '0' && *s <= '9') || *s == '.' || *s == '/' ||
		    *s == ':'))
			break;
	if (address_and(p, t, show, kw, net))
		return;
	if (!net && strchr(t->s, '/') != NULL)
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a single address "
		    "or any is wanted, not a network", show, kw);
	else if (net && *s != '\0' && strchr(t->s, ':') == NULL)
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a name is looked up "
		    "after peer and local alone: write the address (10.1.0.0/24) or "
		    "any", show, kw);
	else if (!net && conf_host_ok(t->s))
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a host name that stands "
		    "in quotes or comes out of a macro has a dot, so that no secret is "
		    "looked up by mistake", show, kw);
	else
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is neither %s nor "
		    "any", show, kw, net ? "a network (10.1.0.0/24, "
		    "2001:db8::/64)" : "an address, a host name");
}

/* It goes out to whoever answers for names: what might be a secret does not. */
static int
is_name(const struct parser *p, const struct tok *t)
{
	return (p->lx.hide == HIDE_NO && conf_host_ok(t->s) &&
	    ((t->kind == T_WORD && t->macro == NULL) || strchr(t->s, '.') != NULL));
}

static void
opt_address(struct parser *p, const char *kw, struct addr *a,
    char name[CONF_HOSTLEN], struct pos *pos)
{
	struct tok	*t;
	char		 show[SHOWLEN], str[ADDR_STRLEN];

	if ((t = conf_value(p, kw)) == NULL)
		return;
	*pos = t->pos;
	if (strcmp(t->s, "any") == 0)
		return;
	if (addr_parse(a, t->s) == -1) {
		if (is_name(p, t))
			(void)strlcpy(name, t->s, CONF_HOSTLEN);
		else
			bad_address(p, t, kw, 0);
	} else if (!conf_addr_ok(a))
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is not the address "
		    "of a host%s", conf_show(p, t, show), kw,
		    addr_is_any(a) ? ": write any" : "");
	else if (a->fam == ADDR_V4 ? a->b[0] == 127 :
	    strcmp(addr_str(a, str), "::1") == 0)
		conf_warning(p->errs, &t->pos, "%s after \"%s\" is this host "
		    "itself: no packet leaves for it", conf_show(p, t, show),
		    kw);
}

struct netarg {
	struct side	*side;
	const char	*kw;
	uint32_t	 mask;
};

static int
side_find(const struct side *s, int any, const struct prefix *net, uint16_t port)
{
	uint32_t	 i;

	for (i = 0; i < s->n; i++)
		if (s->e[i].any == any && s->e[i].port == port &&
		    (any || prefix_cmp(&s->e[i].net, net) == 0))
			return ((int)i);
	return (-1);
}

/* At most one side of the tunnel is given its address. */
static void
side_dynamic(struct parser *p, const struct tok *t, const char *kw)
{
	uint8_t	 dyn = strcmp(kw, "from") == 0 ? DYN_FROM : DYN_TO;

	if (p->st.dyn != DYN_NO && p->st.dyn != dyn)
		conf_stmt_error(p, &t->pos, "from and to cannot both be dynamic: one "
		    "side gives the address, the other has a network");
	p->st.dyn = dyn;
}

/* `port' behind a network: 0 or the port. */
static uint16_t
net_port(struct parser *p)
{
	const struct conf_word	*w = conf_peek_word(p, C_SUB);
	struct tok		*t;
	char			 show[SHOWLEN];
	unsigned int		 n = 0;
	size_t			 i;

	if (w == NULL || w->id != K_PORT)
		return (0);
	p->st.portpos = conf_peek(p)->pos;
	conf_take(p);
	if ((t = conf_value(p, "port")) == NULL)
		return (0);
	for (i = 0; i < 6 && t->s[i] >= '0' && t->s[i] <= '9'; i++)
		n = n * 10 + (unsigned int)(t->s[i] - '0');
	if (i == 0 || t->s[i] != '\0' || n == 0 || n > 65535) {
		conf_stmt_error(p, &t->pos, "%s after \"port\": one number from 1 to "
		    "65535 is wanted; names of services are not looked up",
		    conf_show(p, t, show));
		return (0);
	}
	return ((uint16_t)n);
}

static void
one_proto(struct parser *p, struct tok *t, void *arg)
{
	struct stmt	*st = &p->st;
	char		 show[SHOWLEN];
	unsigned int	 i;
	int		 n;

	(void)arg;
	if ((n = conf_proto_byname(t->s)) == -1) {
		conf_stmt_error(p, &t->pos, "%s after \"proto\" is no protocol we know "
		    "by name: write tcp, udp, icmp, ipv6-icmp, gre, ..., or its number",
		    conf_show(p, t, show));
		return;
	}
	for (i = 0; i < st->nprotos; i++)
		if (st->proto[i] == n)
			return;
	if (st->nprotos == CONF_MAXPROTOS) {
		conf_stmt_error(p, &t->pos, "more than %u protocols after \"proto\"",
		    CONF_MAXPROTOS);
		return;
	}
	st->proto[st->nprotos++] = (uint8_t)n;
}

static void
one_net(struct parser *p, struct tok *t, void *arg)
{
	struct netarg	*na = arg;
	struct side	*s = na->side;
	struct prefix	 net, host;
	char		 str[PREFIX_STRLEN], show[SHOWLEN];
	const char	*slash;
	struct pos	 pos = t->pos;
	uint16_t	 port;
	int		 any, i;

	memset(&net, 0, sizeof(net));
	any = strcmp(t->s, "any") == 0;
	if (strcmp(t->s, "dynamic") == 0) {
		any = 2;
		side_dynamic(p, t, na->kw);
	}
	if (!any && prefix_parse(&net, t->s) == -1) {
		bad_address(p, t, na->kw, 1);
		return;
	}
	if ((slash = strchr(t->s, '/')) != NULL && !any) {
		/* prefix_parse() cleared what was set behind the prefix. */
		snprintf(str, sizeof(str), "%.*s/%zu", (int)(slash - t->s),
		    t->s, 8 * addr_len(&net.addr));
		if (prefix_parse(&host, str) == 0 &&
		    addr_cmp(&host.addr, &net.addr) != 0)
			conf_warning(p->errs, &t->pos, "%s is taken as the "
			    "network %s", conf_show(p, t, show),
			    prefix_str(&net, str));
	}
	port = net_port(p);
	if ((i = side_find(s, any, &net, port)) == -1) {
		if (s->n >= TS_MAX) {
			if (!s->toomany)
				conf_stmt_error(p, &pos, "more than %u "
				    "networks after \"%s\"", TS_MAX, na->kw);
			s->toomany = 1;
			return;
		}
		i = (int)s->n++;
		s->e[i].any = (uint8_t)any;
		s->e[i].port = port;
		s->e[i].net = net;
	}
	na->mask |= 1U << i;
}

/* Reads over ( ... ): OpenIKED's NAT before IPsec. */
static void
skip_srcnat(struct parser *p)
{
	conf_stmt_error(p, &conf_peek(p)->pos, "(srcnat) is known but not built "
	    "yet: remove the parentheses and give the peer the translated "
	    "network as from");
	while (!conf_peek_end(p) && !conf_peek_punct(p, ')'))
		conf_take(p);
	if (conf_peek_punct(p, ')'))
		conf_take(p);
}

static void
later_values(struct parser *p, unsigned int n)
{
	while (n-- > 0 && !conf_peek_end(p)) {
		if (conf_peek_punct(p, '{')) {
			while (!conf_peek_end(p) && !conf_peek_punct(p, '}'))
				conf_take(p);
			if (conf_peek_end(p))
				return;
		}
		conf_take(p);
	}
}

/* from X to Y, from X, Y to Z, from { X, Y } to Z; `to` may come first. */
static void
opt_nets(struct parser *p, const struct conf_word *w)
{
	struct stmt	*st = &p->st;
	struct side	*mine, *other;
	struct netarg	 na;
	struct pos	 pos = p->tok.pos;
	uint32_t	 i, from, to;

	mine = w->id == K_FROM ? &st->from : &st->to;
	other = w->id == K_FROM ? &st->to : &st->from;
	na.side = mine;
	na.kw = w->word;
	na.mask = 0;
	if (mine->pend != 0)
		conf_stmt_error(p, &pos, "two \"%s\" without \"%s\" between "
		    "them: networks are given as from ... to ...", w->word,
		    w->id == K_FROM ? "to" : "from");
	for (;;) {
		if (conf_list(p, w->word, one_net, &na) == -1)
			break;
		if (conf_peek_punct(p, '('))
			skip_srcnat(p);
		if (!conf_peek_punct(p, ','))
			break;
		conf_take(p);
		if (conf_peek_word(p, C_OPT) != NULL)
			break;
	}
	mine->pend = na.mask;
	if (other->pend == 0)
		return;
	from = st->from.pend;
	to = st->to.pend;
	for (i = 0; i < TS_MAX; i++)
		if (from & (1U << i))
			st->pair[i] |= to;
	st->from.pend = st->to.pend = 0;
}

static void
opt_id(struct parser *p, const char *kw, struct ident *id)
{
	struct tok	*t;
	char		 show[SHOWLEN];

	if ((t = conf_text(p, kw)) == NULL)
		return;
	if (t->s[0] == '/') {
		conf_stmt_error(p, &t->pos, "a distinguished name after \"%s\" is "
		    "known but not built yet: write a name (vpn.example.net) or "
		    "an address", kw);
		/* Unquoted, it has equal signs. */
		while (!conf_peek_end(p) && conf_peek_word(p, C_OPT) == NULL)
			conf_take(p);
	} else if (ident_parse(id, t->s) == -1 || !conf_ident_ok(id))
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is no identity: "
		    "write an address, a host name, user@domain, or one after "
		    "fqdn:, ufqdn:, ipv4:, ipv6: or keyid:",
		    conf_show(p, t, show), kw);
}

/*
 * `3 hours' is two words where one is wanted: number, the word before, is shown as it
 * should be.  1: reported.
 */
static int
loose_unit(struct parser *p, const char *kw, const char *number,
    const struct pos *pos)
{
	static const char *const	 units[][2] = {
		{ "ms", "ms" }, { "s", "s" }, { "sec", "s" }, { "secs", "s" },
		{ "second", "s" }, { "seconds", "s" }, { "m", "m" },
		{ "min", "m" }, { "mins", "m" }, { "minute", "m" },
		{ "minutes", "m" }, { "h", "h" }, { "hour", "h" },
		{ "hours", "h" }, { "d", "d" }, { "day", "d" }, { "days", "d" }
	};
	struct tok			*t = conf_peek(p);
	size_t				 i;

	if (t->kind != T_WORD)
		return (0);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(t->s, units[i][0]) == 0) {
			conf_stmt_error(p, pos, "\"%.20s %s\" after \"%s\": "
			    "write %.20s%s", number, units[i][0], kw, number,
			    units[i][1]);
			conf_take(p);
			return (1);
		}
	return (0);
}

int
conf_take_time(struct parser *p, const char *kw, const char *units, uint64_t *ms,
    struct pos *pos, char show[SHOWLEN])
{
	struct tok	*t;
	char		 word[24] = "";

	if ((t = conf_value(p, kw)) == NULL)
		return (-1);
	*pos = t->pos;
	conf_show(p, t, show);
	if (conf_time_ms(t->s, ms) == -1) {
		conf_stmt_error(p, pos, "%s after \"%s\" is no time: write "
		    "seconds, or a number with %s", show, kw, units);
		return (-1);
	}
	if (t->macro == NULL && t->len < sizeof(word))
		memcpy(word, t->s, t->len + 1);
	return (word[0] != '\0' && loose_unit(p, kw, word, pos) ? -1 : 0);
}

/* Whole seconds between lo and hi.  0 or -1 when reported. */
static int
opt_time(struct parser *p, const char *kw, uint32_t *secs)
{
	char		 show[SHOWLEN];
	struct pos	 pos;
	uint64_t	 ms;

	if (conf_take_time(p, kw, "s, m, h or d", &ms, &pos, show) == -1)
		return (-1);
	if (ms == 0) {
		conf_stmt_error(p, &pos, "\"%s 0\" (no rekeying) is known but "
		    "not built: leave it out, or write a time", kw);
		return (-1);
	}
	if (ms % 1000 != 0 || ms < CONF_LIFEMIN * 1000 ||
	    ms / 1000 > CONF_LIFEMAX) {
		conf_stmt_error(p, &pos, "%s after \"%s\": between 10 seconds "
		    "and 366 days are possible", show, kw);
		return (-1);
	}
	if (ms < 120000)
		conf_warning(p->errs, &pos, "\"%s\" under 2 minutes: rekeying "
		    "never stops", kw);
	*secs = (uint32_t)(ms / 1000);
	return (0);
}

static void
opt_lifetime(struct parser *p)
{
	const struct conf_word	*w;
	struct tok		*t;
	char			 show[SHOWLEN];

	opt_time(p, "lifetime", &p->st.lifetime);
	if ((w = conf_peek_word(p, C_SUB)) == NULL || w->id != K_BYTES)
		return;
	conf_take(p);
	if ((t = conf_value(p, "bytes")) == NULL)
		return;
	if (conf_bytes(t->s, &p->st.lifebytes) == -1)
		conf_stmt_error(p, &t->pos, "%s after \"bytes\" is no number of "
		    "octets: write a number, or one with K, M, G or T",
		    conf_show(p, t, show));
	else if (p->st.lifebytes != 0 && p->st.lifebytes < 1 << 20)
		conf_warning(p->errs, &t->pos, "\"bytes\" under 1M: rekeying "
		    "never stops");
}

static void
opt_preset(struct parser *p, const struct pos *pos)
{
	const struct conf_word	*w;
	struct tok		*t;
	char			 show[SHOWLEN];

	if ((t = conf_value(p, "preset")) == NULL)
		return;
	w = conf_word_find(t->s, C_SUB);
	if (w == NULL || w->id != K_PEERKIND) {
		conf_stmt_error(p, &t->pos, "%s is no value of \"preset\": write "
		    "routeros, windows or openiked", conf_show(p, t, show));
		return;
	}
	p->st.preset = w->word;
	p->st.presetpos = *pos;
}

/* `mode aktive` or `target` misspelt: nearest of everything that might follow. */
static void
unknown_option(struct parser *p)
{
	const struct conf_word	*w;
	struct tok		*t = conf_peek(p);
	unsigned int		 ctx = C_OPT;
	int			 secret = 0;

	if (t->kind == T_WORD && conf_word_find(t->s, ~0U) == NULL &&
	    conf_word_nearest(t->s, C_OPT) == NULL)
		ctx |= C_IKESA | C_CHILDSA | C_SUB | C_KA;
	/* What follows a mistyped psk is a secret. */
	if (t->kind == T_WORD && t->macro == NULL &&
	    (w = conf_word_nearest(t->s, C_OPT)) != NULL && w->id == K_PSK)
		secret = 1;
	if (t->kind == T_WORD && strcmp(t->s, "mode") == 0)
		conf_stmt_error(p, &t->pos, "\"mode\" is not written: write just "
		    "active, passive or ondemand");
	else if (t->kind == T_STR && t->macro == NULL && !p->lx.hide)
		conf_stmt_error(p, &t->pos, "a quoted string does not belong "
		    "here: the name comes right after ikev2");
	else
		conf_unknown(p, t, ctx, "options");
	if (secret)
		p->lx.hide = HIDE_LINE;
	/* On to the next word that is an option. */
	do {
		if (conf_peek_punct(p, '{'))
			conf_skip_braces(p);
		else
			conf_take(p);
	} while (!conf_peek_end(p) && conf_peek_word(p, C_OPT) == NULL);
}

struct kwpos {
	enum conf_kw		 kw;
	const struct pos	*pos;
};

static void
proposals(struct parser *p, void *arg)
{
	struct kwpos	*kp = arg;

	conf_proposals(p, kp->kw, kp->pos);
}

static void
keepalive(struct parser *p, void *arg)
{
	struct kwpos	*kp = arg;

	conf_keepalive(p, kp->pos);
}

static void
option(struct parser *p, const struct conf_word *w, const struct pos *pos)
{
	struct stmt	*st = &p->st;
	struct kwpos	 kp = { w->id, pos };

	switch (w->id) {
	case K_ACTIVE:
		st->mode = MODE_ACTIVE;
		break;
	case K_PASSIVE:
		st->mode = MODE_PASSIVE;
		break;
	case K_ONDEMAND:
		st->mode = MODE_ONDEMAND;
		break;
	case K_QUICK:
		conf_warning(p->errs, pos, "\"quick\" has no effect: the "
		    "statement that fits best is chosen, whatever the order");
		break;
	case K_NATT:
		st->natt = 1;
		break;
	case K_TRANSPORT:
		st->transport = 1;
		break;
	case K_SINGLE:
		st->single = 1;
		break;
	case K_PROTO:
		conf_list(p, "proto", one_proto, NULL);
		break;
	case K_FULL:
		st->full = 1;
		break;
	case K_INET:
		st->fam = ADDR_V4;
		break;
	case K_INET6:
		st->fam = ADDR_V6;
		break;
	case K_FROM:
	case K_TO:
		opt_nets(p, w);
		break;
	case K_LOCAL:
		opt_address(p, "local", &st->local, st->localname,
		    &st->localpos);
		break;
	case K_PEER:
		opt_address(p, "peer", &st->remote, st->remotename,
		    &st->remotepos);
		break;
	case K_SRCID:
		opt_id(p, "srcid", &st->srcid);
		break;
	case K_DSTID:
		opt_id(p, "dstid", &st->dstid);
		break;
	case K_IKESA:
	case K_CHILDSA:
		conf_braces(p, w->word, w->id == K_IKESA ? C_IKESA : C_CHILDSA,
		    w->id == K_IKESA ? "after ikesa" : "after childsa", proposals,
		    &kp);
		break;
	case K_PRESET:
		opt_preset(p, pos);
		break;
	case K_IKELIFETIME:
		opt_time(p, "ikelifetime", &st->ikelifetime);
		break;
	case K_LIFETIME:
		opt_lifetime(p);
		break;
	case K_PSK:
		conf_psk(p, pos);
		break;
	case K_KEEPALIVE:
		conf_braces(p, w->word, C_KA, "after keepalive", keepalive, &kp);
		break;
	case K_CONFIG:
	case K_REQUEST:
		conf_cp(p, w->id);
		break;
	case K_IFACE:
		conf_iface(p);
		break;
	case K_LATER:
	case K_LATER1:
		conf_stmt_error(p, pos, "\"%s\" is known but not built yet: %s",
		    w->word, w->instead);
		later_values(p, w->id == K_LATER ? 0 : 1);
		/* what to write is said, and not that it is missing */
		if (strstr(w->instead, "psk") != NULL)
			st->seen |= 1ULL << K_PSK;
		break;
	default:	/* tunnel, esp: what we do */
		break;
	}
}

/* The name, right after the keyword. */
static void
policy_name(struct parser *p)
{
	const struct conf_word	*w;
	struct tok		*t = conf_peek_raw(p);
	char			 show[SHOWLEN], name[LEX_TOKMAX + 1];
	struct pos		 pos = t->pos;

	if (t->kind == T_MACRO && strpbrk(t->macro->value, "\"'{},()") == NULL) {
		/* Options, or a name? A macro has lost its quotes. */
		strlcpy(name, t->macro->value, sizeof(name));
		name[strcspn(name, " ")] = '\0';
		if (conf_word_find(name, C_OPT) != NULL)
			return;
		if ((w = conf_word_nearest(name, C_OPT)) == NULL)
			t = conf_text(p, "ikev2");
	} else
		t = conf_peek(p);
	if (t->kind == T_WORD && conf_word_find(t->s, C_OPT) != NULL)
		return;
	if (t->kind == T_WORD || t->kind == T_MACRO) {
		conf_peek(p);
		if ((w = conf_word_nearest(t->s, C_OPT)) != NULL)
			conf_unknown(p, t, C_OPT, "options");
		else
			conf_stmt_error(p, &pos, "%s is not a keyword; if it is "
			    "the name, quote it: ikev2 \"...\"",
			    conf_show(p, t, show));
		p->st.unknown = 1;
		conf_take(p);
		return;
	}
	if (t->kind != T_STR)
		return;
	if (!conf_name_ok(t->s))
		conf_stmt_error(p, &pos, "a name has 1 to %u octets of UTF-8, no "
		    "quotes, backslashes or control characters, and no blanks "
		    "at its ends", CONF_NAMELEN - 1);
	else
		strlcpy(p->st.name, t->s, sizeof(p->st.name));
	conf_take(p);
}

/*
 * The next line begins with an option: what this statement lacks stands there.  Said
 * first, and what is lacking not at all.
 */
static void
forgotten_backslash(struct parser *p)
{
	char		 word[32];
	struct pos	 pos;

	if (conf_lex_ahead(&p->lx, &pos, word, sizeof(word)) == -1 ||
	    conf_word_find(word, C_OPT | C_KA) == NULL ||
	    conf_word_find(word, C_STMT) != NULL)
		return;
	conf_stmt_error(p, &pos, CONF_ORPHAN, word);
	p->orphan = p->st.unknown = 1;
}

static void
next_option(struct parser *p)
{
	const struct conf_word	*w = conf_peek_word(p, C_OPT);
	struct pos		 pos = conf_peek(p)->pos;

	if (w == NULL) {
		unknown_option(p);
		return;
	}
	p->lx.hide = HIDE_NO;
	conf_take(p);
	once(p, w, &pos);
	option(p, w, &pos);
}

void
conf_policy(struct parser *p)
{
	int	 block = 0;

	p->st.ikelifetime = CONF_IKELIFE;
	p->st.lifetime = CONF_LIFE;
	p->st.lifebytes = CONF_LIFEBYTES;
	policy_name(p);
	while (!p->beyond && !conf_peek_end(p))
		if (conf_peek_punct(p, '{')) {
			conf_block(p, "ikev2", next_option);
			block = 1;
		} else
			next_option(p);
	if (!block)
		forgotten_backslash(p);
	conf_merge(p);
	conf_keepalive_unref(p->st.keepalive);
	if (p->lx.hide == HIDE_LINE)
		p->lx.hide = HIDE_NO;
	explicit_bzero(&p->st, sizeof(p->st));
}
