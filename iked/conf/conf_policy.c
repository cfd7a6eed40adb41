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
	case K_IKESA:
	case K_CHILDSA:
	case K_LATER:
	case K_LATER1:
	case K_LATER2:
		return;
	default:
		break;
	}
	if (id == K_PASSIVE || id == K_ONDEMAND)
		id = K_ACTIVE;
	if (id == K_INET6)
		id = K_INET;
	bit = 1ULL << id;
	if (p->st.seen & bit)
		conf_stmt_error(p, pos, "\"%s\": this statement already has %s",
		    w->word, id == K_ACTIVE ? "a mode" : id == K_INET ?
		    "an address family" : "this option");
	p->st.seen |= bit;
}

/* A name that may stand where an address is wanted, and cannot yet. */
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
	if (strcmp(t->s, "dynamic") == 0)
		conf_stmt_error(p, &t->pos, "\"%s dynamic\" is known but not "
		    "built yet: write the network's address", kw);
	else if (!net && strchr(t->s, '/') != NULL)
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a single address "
		    "or any is wanted, not a network", show, kw);
	else if (*s != '\0' && strchr(t->s, ':') == NULL)
		conf_stmt_error(p, &t->pos, "%s after \"%s\": names are known but "
		    "not resolved yet: write the address%s", show, kw,
		    net ? " (10.1.0.0/24) or any" : " or any");
	else
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is neither %s nor "
		    "any", show, kw, net ? "a network (10.1.0.0/24, "
		    "2001:db8::/64)" : "an address");
}

static void
opt_address(struct parser *p, const char *kw, struct addr *a, struct pos *pos)
{
	struct tok	*t;
	char		 show[SHOWLEN];

	if ((t = conf_value(p, kw)) == NULL)
		return;
	*pos = t->pos;
	if (strcmp(t->s, "any") == 0)
		return;
	if (addr_parse(a, t->s) == -1)
		bad_address(p, t, kw, 0);
	else if (!conf_addr_ok(a))
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is not the address "
		    "of a host%s", conf_show(p, t, show), kw,
		    addr_is_any(a) ? ": write any" : "");
}

struct netarg {
	struct side	*side;
	const char	*kw;
	uint32_t	 mask;
};

static int
side_find(const struct side *s, int any, const struct prefix *net)
{
	uint32_t	 i;

	for (i = 0; i < s->n; i++)
		if (s->e[i].any == any &&
		    (any || prefix_cmp(&s->e[i].net, net) == 0))
			return ((int)i);
	return (-1);
}

static void
one_net(struct parser *p, struct tok *t, void *arg)
{
	struct netarg	*na = arg;
	struct side	*s = na->side;
	struct prefix	 net, host;
	char		 str[PREFIX_STRLEN], show[SHOWLEN];
	const char	*slash;
	int		 any, i;

	memset(&net, 0, sizeof(net));
	any = strcmp(t->s, "any") == 0;
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
	if ((i = side_find(s, any, &net)) == -1) {
		if (s->n >= TS_MAX) {
			conf_stmt_error(p, &t->pos, "more than %u networks after "
			    "\"%s\"", TS_MAX, na->kw);
			return;
		}
		i = (int)s->n++;
		s->e[i].any = (uint8_t)any;
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
		if (conf_peek_word(p, C_SUB) != NULL &&
		    conf_peek_word(p, C_SUB)->id == K_PORT) {
			conf_stmt_error(p, &conf_peek(p)->pos, "\"port\" is known "
			    "but not built yet: %s",
			    conf_peek_word(p, C_SUB)->instead);
			conf_take(p);
			later_values(p, 1);
		}
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
	if (t->s[0] == '/')
		conf_stmt_error(p, &t->pos, "a distinguished name after \"%s\" is "
		    "known but not built yet: write a name (vpn.example.net) or "
		    "an address", kw);
	else if (ident_parse(id, t->s) == -1 || !conf_ident_ok(id))
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is no identity: "
		    "write an address, a host name, user@domain, or one after "
		    "fqdn:, ufqdn:, ipv4:, ipv6: or keyid:",
		    conf_show(p, t, show), kw);
}

/* Whole seconds between lo and hi.  0 or -1 when reported. */
static int
opt_time(struct parser *p, const char *kw, uint32_t *secs)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	uint64_t	 ms;

	if ((t = conf_value(p, kw)) == NULL)
		return (-1);
	if (conf_time_ms(t->s, &ms) == -1) {
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is no time: write "
		    "seconds, or a number with s, m, h or d",
		    conf_show(p, t, show), kw);
		return (-1);
	}
	if (ms == 0) {
		conf_stmt_error(p, &t->pos, "\"%s 0\" (no rekeying) is known but "
		    "not built: leave it out, or write a time", kw);
		return (-1);
	}
	if (ms % 1000 != 0 || ms < CONF_LIFEMIN * 1000 ||
	    ms / 1000 > CONF_LIFEMAX) {
		conf_stmt_error(p, &t->pos, "%s after \"%s\": between 10 seconds "
		    "and 366 days are possible", conf_show(p, t, show), kw);
		return (-1);
	}
	if (ms < 120000)
		conf_warning(p->errs, &t->pos, "\"%s\" under 2 minutes: rekeying "
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
keepalive_interval(struct parser *p)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	uint64_t	 ms;

	if ((t = conf_value(p, "interval")) == NULL)
		return;
	if (conf_time_ms(t->s, &ms) == -1)
		conf_stmt_error(p, &t->pos, "%s after \"interval\" is no time: "
		    "write seconds, or a number with ms, s or m",
		    conf_show(p, t, show));
	else if (ms < CONF_INTERVALMIN || ms > CONF_INTERVALMAX)
		conf_stmt_error(p, &t->pos, "%s after \"interval\": between 100ms "
		    "and 24h are possible", conf_show(p, t, show));
	else
		p->st.keepalive.interval_ms = (uint32_t)ms;
}

static void
opt_keepalive(struct parser *p)
{
	const struct conf_word	*w;
	struct tok		*t;
	struct addr		*a = &p->st.keepalive.target;
	unsigned int		 seen = 0, bit;
	char			 show[SHOWLEN];

	p->st.keepalive.on = 1;
	while ((w = conf_peek_word(p, C_SUB)) != NULL &&
	    (w->id == K_TARGET || w->id == K_INTERVAL)) {
		bit = w->id == K_TARGET ? 1 : 2;
		if (seen & bit)
			conf_stmt_error(p, &conf_peek(p)->pos, "\"%s\" is given "
			    "twice", w->word);
		seen |= bit;
		conf_take(p);
		if (w->id == K_INTERVAL) {
			keepalive_interval(p);
			continue;
		}
		if ((t = conf_value(p, "target")) == NULL)
			return;
		p->st.targetpos = t->pos;
		if (addr_parse(a, t->s) == -1 || !conf_addr_ok(a))
			conf_stmt_error(p, &t->pos, "%s after \"target\" is not "
			    "the address of a host", conf_show(p, t, show));
	}
}

/* `mode aktive` or `target` misspelt: nearest of everything that might follow. */
static void
unknown_option(struct parser *p)
{
	struct tok	*t = conf_peek(p);
	unsigned int	 ctx = C_OPT;

	if (t->kind == T_WORD && conf_word_find(t->s, ~0U) == NULL &&
	    conf_word_nearest(t->s, C_OPT) == NULL)
		ctx |= C_IKESA | C_CHILDSA | C_SUB;
	if (t->kind == T_STR && t->macro == NULL && !p->lx.hide)
		conf_stmt_error(p, &t->pos, "a quoted string does not belong "
		    "here: the name comes right after ikev2");
	else
		conf_unknown(p, t, ctx, "options");
	/* On to the next word that is an option. */
	do {
		conf_take(p);
	} while (!conf_peek_end(p) && conf_peek_word(p, C_OPT) == NULL);
}

static void
option(struct parser *p, const struct conf_word *w, const struct pos *pos)
{
	struct stmt	*st = &p->st;

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
		opt_address(p, "local", &st->local, &st->localpos);
		break;
	case K_PEER:
		opt_address(p, "peer", &st->remote, &st->remotepos);
		break;
	case K_SRCID:
		opt_id(p, "srcid", &st->srcid);
		break;
	case K_DSTID:
		opt_id(p, "dstid", &st->dstid);
		break;
	case K_IKESA:
	case K_CHILDSA:
		conf_proposals(p, w->id, pos);
		break;
	case K_IKELIFETIME:
		opt_time(p, "ikelifetime", &st->ikelifetime);
		break;
	case K_LIFETIME:
		opt_lifetime(p);
		break;
	case K_PSK:
		conf_psk(p);
		break;
	case K_KEEPALIVE:
		opt_keepalive(p);
		break;
	case K_LATER:
	case K_LATER1:
	case K_LATER2:
		conf_stmt_error(p, pos, "\"%s\" is known but not built yet: %s",
		    w->word, w->instead);
		later_values(p, w->id == K_LATER ? 0 : w->id == K_LATER1 ? 1 : 2);
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

void
conf_policy(struct parser *p)
{
	const struct conf_word	*w;
	struct pos		 pos;

	p->st.ikelifetime = CONF_IKELIFE;
	p->st.lifetime = CONF_LIFE;
	p->st.lifebytes = CONF_LIFEBYTES;
	p->st.keepalive.interval_ms = CONF_INTERVAL;
	policy_name(p);
	while (!conf_peek_end(p)) {
		if ((w = conf_peek_word(p, C_OPT)) == NULL) {
			unknown_option(p);
			continue;
		}
		p->lx.hide = HIDE_NO;
		pos = conf_peek(p)->pos;
		conf_take(p);
		once(p, w, &pos);
		option(p, w, &pos);
	}
	conf_merge(p);
	if (p->lx.hide == HIDE_LINE)
		p->lx.hide = HIDE_NO;
	explicit_bzero(&p->st, sizeof(p->st));
}
