/* SPDX-License-Identifier: ISC */
/*
 * Addresses inside the tunnel (RFC 7296 3.15): `config' hands them out, `request' and
 * `iface' ask for one, and `dynamic' stands for it in from or to.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_parse.h"

static const struct {
	const char	*word;
	uint16_t	 v4, v6;	/* enum cp_attr; 0: there is none */
} attrs[] = {
	{ "address",		CP_IP4_ADDRESS,	CP_IP6_ADDRESS },
	{ "netmask",		CP_IP4_NETMASK,	0 },
	{ "name-server",	CP_IP4_DNS,	CP_IP6_DNS },
	{ "netbios-server",	CP_IP4_NBNS,	0 },
	{ "dhcp-server",	CP_IP4_DHCP,	CP_IP6_DHCP },
	{ "protected-subnet",	CP_IP4_SUBNET,	CP_IP6_SUBNET },
};
#define NATTRS	(sizeof(attrs) / sizeof(attrs[0]))

static size_t
attr_find(uint16_t type)
{
	size_t	 i;

	for (i = 0; i < NATTRS; i++)
		if (attrs[i].v4 == type || (type != 0 && attrs[i].v6 == type))
			break;
	return (i);
}

const char *
conf_cp_word(uint16_t type)
{
	size_t	 i = attr_find(type);

	return (i < NATTRS ? attrs[i].word : NULL);
}

/* A mask written as one: 255.255.255.0 */
static int
mask_parse(const char *s, struct prefix *v)
{
	struct addr	 a;
	unsigned int	 i, n = 0, m = 0;

	if (addr_parse(&a, s) == -1 || a.fam != ADDR_V4)
		return (-1);
	for (i = 0; i < 4; i++)
		m = m << 8 | a.b[i];
	while (n < 32 && (m & 1U << (31 - n)) != 0)
		n++;
	if (n < 32 && (m << n) != 0)
		return (-1);
	memset(v, 0, sizeof(*v));
	v->addr.fam = ADDR_V4;
	v->len = (uint8_t)n;
	return (0);
}

/* 0 or -1.  Hosts, except for what names a network or a pool. */
static int
value_parse(uint16_t v4, int pool, const char *s, struct prefix *v)
{
	if (v4 == CP_IP4_NETMASK)
		return (mask_parse(s, v));
	if (prefix_parse(v, s) == -1)
		return (-1);
	return (v4 == CP_IP4_SUBNET || pool || (strchr(s, '/') == NULL &&
	    conf_addr_ok(&v->addr)) ? 0 : -1);
}

static int
cp_add(struct parser *p, struct cp_list *l, const struct pos *pos, uint16_t type,
    const struct prefix *v)
{
	if (l->n == CP_MAX) {
		conf_stmt_error(p, pos, "more than %u options of this kind", CP_MAX);
		return (-1);
	}
	l->a[l->n].type = type;
	l->a[l->n].empty = v == NULL;
	if (v != NULL)
		l->a[l->n].v = *v;
	l->n++;
	return (0);
}

/* One pool a family. */
static void
give_address(struct parser *p, const struct pos *pos, const struct prefix *v)
{
	struct cp_list	*l = &p->st.give;
	uint8_t		 i;

	for (i = 0; i < l->n; i++)
		if (l->a[i].v.addr.fam == v->addr.fam &&
		    (l->a[i].type == CP_IP4_ADDRESS || l->a[i].type == CP_IP6_ADDRESS)) {
			conf_stmt_error(p, pos, "\"config address\" of one family is "
			    "given twice: write the network that holds both");
			return;
		}
	cp_add(p, l, pos, v->addr.fam == ADDR_V4 ? CP_IP4_ADDRESS : CP_IP6_ADDRESS, v);
}

static size_t
option_name(struct parser *p, const char *kw)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	size_t		 i;

	if ((t = conf_value(p, kw)) == NULL)
		return (NATTRS);
	for (i = 0; i < NATTRS; i++)
		if (strcmp(t->s, attrs[i].word) == 0)
			return (i);
	if (strcmp(t->s, "access-server") == 0)
		conf_stmt_error(p, &t->pos, "\"access-server\" is known but not built "
		    "yet: remove it");
	else
		conf_stmt_error(p, &t->pos, "%s after \"%s\": address, netmask, "
		    "name-server, netbios-server, dhcp-server or protected-subnet is "
		    "wanted", conf_show(p, t, show), kw);
	if (!conf_peek_end(p) && conf_peek_word(p, C_OPT) == NULL)
		conf_take(p);
	return (NATTRS);
}

/* config name-server 10.1.0.1, request address any */
void
conf_cp(struct parser *p, enum conf_kw kw)
{
	const char	*word = kw == K_CONFIG ? "config" : "request";
	struct tok	*t;
	struct prefix	 v;
	char		 show[SHOWLEN];
	uint16_t	 type;
	size_t		 i;

	if ((i = option_name(p, word)) == NATTRS ||
	    (t = conf_value(p, attrs[i].word)) == NULL)
		return;
	if (kw == K_REQUEST && strcmp(t->s, "any") == 0) {
		/* of which families, the networks after to say */
		cp_add(p, &p->st.ask, &t->pos, attrs[i].v4, NULL);
		return;
	}
	if (value_parse(attrs[i].v4, kw == K_CONFIG && i == 0, t->s, &v) == -1) {
		conf_stmt_error(p, &t->pos, "%s after \"%s %s\" is not %s",
		    conf_show(p, t, show), word, attrs[i].word,
		    attrs[i].v4 == CP_IP4_NETMASK ? "a mask (255.255.255.0)" :
		    attrs[i].v4 == CP_IP4_SUBNET ? "a network" : kw == K_CONFIG &&
		    i == 0 ? "an address or a network to take addresses from" :
		    "the address of a host");
		return;
	}
	type = v.addr.fam == ADDR_V4 ? attrs[i].v4 : attrs[i].v6;
	if (type == 0)
		conf_stmt_error(p, &t->pos, "%s: there is no IPv6 \"%s\"",
		    conf_show(p, t, show), attrs[i].word);
	else if (kw == K_CONFIG && i == 0)
		give_address(p, &t->pos, &v);
	else
		cp_add(p, kw == K_CONFIG ? &p->st.give : &p->st.ask, &t->pos, type, &v);
}

void
conf_iface(struct parser *p)
{
	struct tok	*t;
	char		 show[SHOWLEN];

	if ((t = conf_value(p, "iface")) == NULL)
		return;
	if (strncmp(t->s, "sec", 3) == 0 && t->s[3] >= '0' && t->s[3] <= '9')
		conf_stmt_error(p, &t->pos, "%s after \"iface\": routing into sec(4) is "
		    "OpenBSD's: remove iface, and write the networks after from and to",
		    conf_show(p, t, show));
	else if (!conf_iface_ok(t->s) || t->s[0] == '\0')
		conf_stmt_error(p, &t->pos, "%s after \"iface\" is no name of an "
		    "interface", conf_show(p, t, show));
	else
		strlcpy(p->st.iface, t->s, sizeof(p->st.iface));
}

int
conf_iface_ok(const char *s)
{
	size_t	 i;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '/' || s[i] == '"' ||
		    s[i] == '\'' || s[i] == '\\')
			return (0);
	return (i < CONF_IFACELEN && strcmp(s, ".") != 0 && strcmp(s, "..") != 0);
}

const struct prefix *
conf_pool(const struct conf_tunnel *t, uint8_t fam)
{
	uint16_t	 type = fam == ADDR_V4 ? CP_IP4_ADDRESS : CP_IP6_ADDRESS;
	uint8_t		 i;

	for (i = 0; i < t->give.n; i++)
		if (t->give.a[i].type == type)
			return (&t->give.a[i].v);
	return (NULL);
}

static int
asked(const struct cp_list *l, const struct cp_item *a, uint16_t type)
{
	uint8_t	 i;

	for (i = 0; a->empty && i < l->n; i++)
		if (l->a[i].empty && l->a[i].type == type)
			return (1);
	return (0);
}

/* What was asked for without a value: of each family of the remote networks. */
static void
expand_ask(const struct stmt *st, struct conf_tunnel *t)
{
	const struct cp_item	*a;
	unsigned int		 i, k, fams = 0;
	uint16_t		 type;

	for (i = 0; i < t->to.n; i++)
		fams |= t->tonet[i].addr.fam == ADDR_V4 ? 1 : 2;
	for (i = 0; i < st->ask.n; i++) {
		a = &st->ask.a[i];
		for (k = 0; k < 2; k++) {
			type = k == 0 ? a->type : attrs[attr_find(a->type)].v6;
			if (!a->empty ? k == 1 : (fams & 1U << k) == 0 || type == 0)
				continue;
			if (t->ask.n == CP_MAX || asked(&t->ask, a, type))
				continue;
			t->ask.a[t->ask.n] = *a;
			t->ask.a[t->ask.n++].type = a->empty ? type : a->type;
		}
	}
}

int
conf_cp_asks(const struct cp_list *l)
{
	uint8_t	 i;

	for (i = 0; i < l->n; i++)
		if (l->a[i].type == CP_IP4_ADDRESS || l->a[i].type == CP_IP6_ADDRESS)
			return (1);
	return (0);
}

int
conf_cp_ok(const struct conf_tunnel *t)
{
	const struct cp_item	*a;
	const struct prefix	*pool;
	unsigned int		 i;

	if (t->dyn > DYN_TO || !conf_iface_ok(t->iface) ||
	    (t->iface[0] != '\0' && t->dyn != DYN_FROM))
		return (0);
	for (i = 0; i < t->give.n; i++) {
		a = &t->give.a[i];
		if (conf_cp_word(a->type) == NULL || a->empty)
			return (0);
	}
	for (i = 0; i < t->ask.n; i++)
		if (conf_cp_word(t->ask.a[i].type) == NULL)
			return (0);
	if (t->dyn == DYN_FROM)
		return (conf_cp_asks(&t->ask));
	for (i = 0; t->dyn == DYN_TO && i < t->to.n; i++)
		if ((pool = conf_pool(t, t->tonet[i].addr.fam)) == NULL ||
		    prefix_cmp(pool, &t->tonet[i]) != 0)
			return (0);
	return (1);
}

/* What the statement says of addresses must fit together.  Errors are said. */
void
conf_cp_merge(struct parser *p, struct conf_tunnel *t)
{
	struct stmt	*st = &p->st;

	t->dyn = st->dyn;
	t->give = st->give;
	strlcpy(t->iface, st->iface, sizeof(t->iface));
	expand_ask(st, t);
	if (st->dyn == DYN_FROM && !conf_cp_asks(&st->ask))
		conf_stmt_error(p, &st->pos, "\"from dynamic\" wants an address from the "
		    "peer: add request address any");
	else if (st->dyn == DYN_FROM && st->remote.fam == ADDR_NONE)
		conf_stmt_error(p, &st->pos, "\"from dynamic\" wants a peer to ask: add "
		    "peer and its address");
	else if (st->dyn != DYN_FROM && st->ask.n > 0)
		conf_stmt_error(p, &st->pos, "\"request\" goes with \"from dynamic\": "
		    "the address that is given stands there");
	else if (st->dyn != DYN_FROM && st->iface[0] != '\0')
		conf_stmt_error(p, &st->pos, "\"iface\" goes with \"from dynamic\" and "
		    "\"request address any\"");
	else if (st->dyn != DYN_TO && conf_cp_asks(&st->give))
		conf_stmt_error(p, &st->pos, "\"config address\" goes with \"to "
		    "dynamic\": the address that is given stands there");
	else if (!conf_cp_ok(t))
		conf_stmt_error(p, &st->pos, "\"dynamic\": from, to and the addresses "
		    "do not fit together");
}
