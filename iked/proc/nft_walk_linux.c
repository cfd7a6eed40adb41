/* SPDX-License-Identifier: ISC */
/*
 * The way of a packet through chains.  Looked for is a verdict that takes it: NAT of its
 * source, or a drop.  What is sure ends the way; what may match is remembered, and from
 * then on nothing is sure any more, if what it may do is let the packet go.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <sys/socket.h>

#include <stdio.h>
#include <string.h>

#include "proc/nft_local.h"

#define ACTION_TAKE	(-100)	/* beside NF_* and NFT_*, as is */
#define ACTION_NONE	(-101)

struct walk {
	const struct nft	*t;
	const struct nft_packet	*k;
	const struct nft_chain	*top;
	uint32_t		 hook;
	int			 nat;		/* looked for: NAT, not drops */
	int			 steps;
	int			 unsure;	/* it may have been let go before */
	enum rules_fate		 fate;
	char			*text;		/* RULES_TEXT */
};

/* An end of the way through this base chain, or not. */
enum went { ON, RETURNED, ENDED };

static enum went walk(struct walk *, const struct nft_chain *, int depth);

static const char *
family_name(uint8_t family)
{
	return (family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV4 ? "ip" :
	    family == NFPROTO_IPV6 ? "ip6" : "other");
}

static void
took(struct walk *w, const struct nft_chain *c, const struct nft_rule *r, int sure)
{
	enum rules_fate	 fate = sure && !w->unsure && w->steps > 0 ? RULES_TAKE : RULES_MAY;
	char		 which[40];

	if (fate <= w->fate)
		return;
	w->fate = fate;
	if (r != NULL)
		(void)snprintf(which, sizeof(which), "handle %llu",
		    (unsigned long long)r->handle);
	else
		(void)snprintf(which, sizeof(which), "policy drop");
	(void)snprintf(w->text, RULES_TEXT, "nftables, table %s %.*s, chain %.*s, %s",
	    family_name(c->family), (int)(c->table.len < 64 ? c->table.len : 64),
	    (const char *)c->table.p, (int)(c->name.len < 64 ? c->name.len : 64),
	    (const char *)c->name.p, which);
}

static const struct nft_chain *
chain_named(const struct walk *w, struct span name)
{
	const struct nft_chain *c;
	size_t		 i;

	while (name.len > 0 && name.p[name.len - 1] == '\0')
		name.len--;
	for (i = 0; i < w->t->nchains; i++) {
		c = &w->t->chains[i];
		if (c->family == w->top->family && c->name.len == name.len &&
		    c->table.len == w->top->table.len && name.len > 0 &&
		    memcmp(c->name.p, name.p, name.len) == 0 &&
		    memcmp(c->table.p, w->top->table.p, c->table.len) == 0)
			return (c);
	}
	return (NULL);
}

/* A call that only may happen must not make what follows surer than it is. */
static enum went
call(struct walk *w, struct span name, int sure, int depth)
{
	const struct nft_chain *c = chain_named(w, name);
	int		 before = w->unsure;
	enum went	 went;

	if (c == NULL || depth >= NFT_DEPTH) {
		w->unsure = 1;
		return (ON);
	}
	if (sure)
		return (walk(w, c, depth + 1) == ENDED ? ENDED : ON);
	w->unsure = 1;
	went = walk(w, c, depth + 1);
	w->unsure = before || went == ENDED;
	return (ON);
}

/* What a rule does that matches. */
static enum went
act(struct walk *w, const struct nft_chain *c, const struct nft_rule *r, int action,
    struct span chain, int sure, int depth)
{
	enum went	 went;

	switch (action) {
	case ACTION_NONE:
	case NFT_CONTINUE:
		return (ON);
	case NFT_JUMP:
		return (call(w, chain, sure, depth));
	case NFT_GOTO:
		went = call(w, chain, sure, depth);
		if (!sure) {
			w->unsure = 1;
			return (ON);
		}
		return (went == ENDED ? ENDED : RETURNED);
	case NFT_BREAK:
		return (ON);
	case NFT_RETURN:
		if (sure)
			return (RETURNED);
		w->unsure = 1;
		return (ON);
	case ACTION_TAKE:
		took(w, c, r, sure);
		return (sure ? ENDED : ON);
	case NF_DROP:
		if (!w->nat)
			took(w, c, r, sure);
		return (sure ? ENDED : ON);
	default:	/* accepted; or a program decides (NF_QUEUE), which lets go what it may */
		if (sure)
			return (ENDED);
		w->unsure = 1;
		return (ON);
	}
}

static int
verdict_of(struct span data, struct span *chain)
{
	struct span	 d[NFTA_DATA_VERDICT + 1], v[NFTA_VERDICT_CHAIN + 1];

	nft_attrs(data, d, sizeof(d) / sizeof(d[0]));
	nft_attrs(d[NFTA_DATA_VERDICT], v, sizeof(v) / sizeof(v[0]));
	*chain = v[NFTA_VERDICT_CHAIN];
	if (v[NFTA_VERDICT_CODE].len != 4)
		return (ACTION_NONE);
	return ((int)nft_u32(v[NFTA_VERDICT_CODE]));
}

/* ---- sets */

static const struct nft_set *
set_named(const struct walk *w, struct span name)
{
	const struct nft_set *s;
	size_t		 i;

	while (name.len > 0 && name.p[name.len - 1] == '\0')
		name.len--;
	for (i = 0; i < w->t->nsets; i++) {
		s = &w->t->sets[i];
		if (s->family == w->top->family && s->name.len == name.len && name.len > 0 &&
		    s->table.len == w->top->table.len &&
		    memcmp(s->name.p, name.p, name.len) == 0 &&
		    memcmp(s->table.p, w->top->table.p, s->table.len) == 0)
			return (s);
	}
	return (NULL);
}

/* Of a set of intervals: the nearest bound at or below the smallest value says whether
 * that is in, unless another bound lies before the largest.  Where one ends another may
 * begin. */
static enum tri
in_intervals(struct walk *w, const struct nft_set *s, const struct nft_regs *r, uint32_t reg,
    const struct nft_elem **which)
{
	const struct nft_elem *e, *below = NULL;
	uint8_t		 min[NFT_ROOM], max[NFT_ROOM];
	uint32_t	 i;
	int		 at, d;

	for (i = s->first; i != 0; i = e->next) {
		e = &w->t->elems[i - 1];
		if (e->key.len == 0 || (at = nft_reg(reg, e->key.len)) == -1 || w->steps-- <= 0)
			return (MAYBE);
		nft_bounds(r, at, e->key.len, min, max);
		if (memcmp(e->key.p, min, e->key.len) > 0) {
			if (memcmp(e->key.p, max, e->key.len) <= 0)
				return (MAYBE);
			continue;
		}
		d = below == NULL || below->key.len != e->key.len ? 1 :
		    memcmp(e->key.p, below->key.p, e->key.len);
		if (d > 0 || (d == 0 && !(e->flags & NFT_SET_ELEM_INTERVAL_END)))
			below = e;
	}
	*which = below;
	return (below != NULL && !(below->flags & NFT_SET_ELEM_INTERVAL_END) ? YES : NO);
}

static enum tri
in_list(struct walk *w, const struct nft_set *s, const struct nft_regs *r, uint32_t reg,
    const struct nft_elem **which)
{
	const struct nft_elem *e, *all = NULL;
	enum tri	 t, best = NO;
	uint32_t	 i;
	int		 at;

	for (i = s->first; i != 0 && best != YES; i = e->next) {
		e = &w->t->elems[i - 1];
		if (w->steps-- <= 0)
			return (MAYBE);
		if (e->flags & NFT_SET_ELEM_CATCHALL) {
			all = e;
			continue;
		}
		if (e->key.len == 0 || (at = nft_reg(reg, e->key.len)) == -1)
			return (MAYBE);
		if ((t = nft_equal(r, at, e->key)) > best)
			best = t;
		if (t == YES)
			*which = e;
	}
	if (best == NO && all != NULL) {
		*which = all;
		return (YES);
	}
	return (best);
}

/* Each verdict of a map that the packet may get. */
static enum went
may_get(struct walk *w, const struct nft_chain *c, const struct nft_rule *r,
    const struct nft_set *s, int depth)
{
	const struct nft_elem *e;
	struct span	 chain;
	uint32_t	 i;
	int		 action;

	for (i = s->first; i != 0; i = e->next) {
		e = &w->t->elems[i - 1];
		if (w->steps-- <= 0)
			break;
		action = verdict_of(e->data, &chain);
		(void)act(w, c, r, action, chain, 0, depth);
	}
	return (ON);
}

/* went: what a verdict map has done. */
static enum tri
lookup(struct walk *w, const struct nft_chain *c, const struct nft_rule *r,
    const struct nft_regs *regs, struct span data, int sure, int depth, enum went *went)
{
	struct span	 a[NFTA_LOOKUP_FLAGS + 1], chain;
	const struct nft_set *s;
	const struct nft_elem *e = NULL;
	enum tri	 t = MAYBE;
	uint32_t	 reg;
	int		 action;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	reg = nft_u32(a[NFTA_LOOKUP_SREG]);
	if ((s = set_named(w, a[NFTA_LOOKUP_SET])) == NULL)
		return (MAYBE);
	if (!(s->flags & NFT_SET_INTERVAL))
		t = in_list(w, s, regs, reg, &e);
	else if (!(s->flags & NFT_SET_CONCAT))
		t = in_intervals(w, s, regs, reg, &e);
	if (a[NFTA_LOOKUP_DREG].p == NULL)
		return (nft_u32(a[NFTA_LOOKUP_FLAGS]) & NFT_LOOKUP_F_INV ? (enum tri)(YES - t) : t);
	if (nft_u32(a[NFTA_LOOKUP_DREG]) != NFT_REG_VERDICT)
		return (t == NO ? NO : MAYBE);	/* and what is loaded is not known */
	if (t == MAYBE)
		*went = may_get(w, c, r, s, depth);
	else if (t == YES && e != NULL) {
		action = verdict_of(e->data, &chain);
		*went = act(w, c, r, action, chain, sure, depth);
	}
	return (t);
}

/* ---- rules */

static int
xt_target(const struct walk *w, struct span name)
{
	static const char *const source[] = { "MASQUERADE", "SNAT", "NETMAP" };
	static const char *const on[] = { "LOG", "MARK", "CONNMARK", "TCPMSS", "NFLOG",
	    "TRACE", "CT", "CLASSIFY", "DSCP", "TTL", "HL", "SET", "CHECKSUM", "AUDIT" };
	size_t		 i;

	while (name.len > 0 && name.p[name.len - 1] == '\0')
		name.len--;
	for (i = 0; i < sizeof(source) / sizeof(source[0]); i++)
		if (nft_same(name, source[i]))
			return (w->nat ? ACTION_TAKE : ACTION_NONE);
	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		if (nft_same(name, on[i]))
			return (ACTION_NONE);
	if (nft_same(name, "REJECT"))
		return (NF_DROP);
	return (NF_ACCEPT + 1000);	/* not known: it may let go */
}

/* Expressions that decide. 1: this is one; its action. */
static int
decides(const struct walk *w, struct span name, struct span data, int *action,
    struct span *chain)
{
	struct span	 a[4];

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	chain->len = 0;
	if (nft_same(name, "immediate")) {
		if (nft_u32(a[NFTA_IMMEDIATE_DREG]) != NFT_REG_VERDICT)
			return (0);
		*action = verdict_of(a[NFTA_IMMEDIATE_DATA], chain);
	} else if (nft_same(name, "masq"))
		*action = w->nat ? ACTION_TAKE : ACTION_NONE;
	else if (nft_same(name, "nat"))
		*action = w->nat && nft_u32(a[NFTA_NAT_TYPE]) == NFT_NAT_SNAT ? ACTION_TAKE :
		    NF_ACCEPT;
	else if (nft_same(name, "reject"))
		*action = NF_DROP;
	else if (nft_same(name, "target"))
		*action = xt_target(w, a[NFTA_TARGET_NAME]);
	else if (nft_same(name, "queue") || nft_same(name, "redir"))
		*action = NF_ACCEPT;
	else
		return (0);
	return (1);
}

/* Those that neither load nor decide anything. */
static int
is_harmless(struct span name)
{
	static const char *const all[] = { "counter", "log", "notrack", "objref", "last",
	    "flow_offload", "dup" };
	size_t		 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (nft_same(name, all[i]))
			return (1);
	return (0);
}

static enum tri
other(struct walk *w, struct nft_regs *regs, struct span name, struct span data)
{
	struct span	 a[NFTA_MATCH_INFO + 1], n;
	int		 t;

	if (is_harmless(name))
		return (YES);
	if (nft_same(name, "match")) {
		nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
		n = a[NFTA_MATCH_NAME];
		while (n.len > 0 && n.p[n.len - 1] == '\0')
			n.len--;
		return (nft_xt_match(w->k, n, a[NFTA_MATCH_INFO]));
	}
	if ((t = nft_value(regs, w->k, w->hook, name, data)) != -1)
		return ((enum tri)t);
	/* a limit, a hash, what will be invented: all that is loaded may be its */
	memset(regs->known, 0, sizeof(regs->known));
	return (MAYBE);
}

/* One expression of a rule: its name and what it has. 0: there is none any more. */
static int
next_expr(struct rbuf *b, struct span *name, struct span *data)
{
	struct span	 a[NFTA_EXPR_DATA + 1];
	unsigned int	 len;

	if (rbuf_left(b) < 4)
		return (0);
	len = rbuf_h16(b);
	(void)rbuf_h16(b);
	if (len < 4)
		return (0);
	nft_attrs(rbuf_span(b, len - 4), a, sizeof(a) / sizeof(a[0]));
	if (!rbuf_ok(b))
		return (0);
	len = -len & 3;
	rbuf_skip(b, len < rbuf_left(b) ? len : rbuf_left(b));
	*name = a[NFTA_EXPR_NAME];
	while (name->len > 0 && name->p[name->len - 1] == '\0')
		name->len--;
	*data = a[NFTA_EXPR_DATA];
	return (1);
}

static enum went
one_rule(struct walk *w, const struct nft_chain *c, const struct nft_rule *r, int depth)
{
	struct nft_regs	 regs;
	struct rbuf	 b;
	struct span	 name, data, chain;
	enum tri	 t, sure = YES;
	enum went	 went = ON;
	int		 action;

	memset(&regs, 0, sizeof(regs));
	rbuf_init(&b, r->exprs.p, r->exprs.len);
	while (went == ON && next_expr(&b, &name, &data)) {
		if (w->steps-- <= 0)
			return (ON);
		if (decides(w, name, data, &action, &chain)) {
			went = act(w, c, r, action, chain, sure == YES, depth);
			continue;
		}
		if (nft_same(name, "lookup"))
			t = lookup(w, c, r, &regs, data, sure == YES, depth, &went);
		else
			t = other(w, &regs, name, data);
		if (t == NO)
			return (went);
		if (t == MAYBE)
			sure = MAYBE;
	}
	return (went);
}

static enum went
walk(struct walk *w, const struct nft_chain *c, int depth)
{
	enum went	 went = ON;
	uint32_t	 i;

	for (i = c->first; i != 0 && went == ON && w->fate != RULES_TAKE;
	    i = w->t->rules[i - 1].next)
		went = one_rule(w, c, &w->t->rules[i - 1], depth);
	return (went == ENDED ? ENDED : RETURNED);
}

/* Chains of one hook are independent: what one accepts the next may take. */
static enum rules_fate
hook_fate(const struct nft *t, uint32_t hook, const struct nft_packet *k, int nat,
    char text[RULES_TEXT])
{
	struct walk	 w = { .t = t, .k = k, .hook = hook, .nat = nat, .text = text,
	    .steps = NFT_STEPS };
	const struct nft_chain *c;
	uint8_t		 family = k->src.addr.fam == ADDR_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	size_t		 i;

	text[0] = '\0';
	for (i = 0; i < t->nchains && w.fate != RULES_TAKE; i++) {
		c = &t->chains[i];
		if (!c->base || c->dormant || c->hook != hook || !(nat ? c->nat : c->filter) ||
		    (c->family != family && c->family != NFPROTO_INET))
			continue;
		w.top = c;
		w.unsure = 0;
		if (walk(&w, c, 0) != ENDED && !nat && c->policy == NF_DROP)
			took(&w, c, NULL, 1);
	}
	if (w.steps <= 0 && w.fate == RULES_PASS) {
		(void)snprintf(text, RULES_TEXT, "nftables has more rules than are looked at");
		return (RULES_MAY);
	}
	return (w.fate);
}

enum rules_fate
nft_nat(const struct nft *t, const struct nft_packet *k, char text[RULES_TEXT])
{
	return (hook_fate(t, NF_INET_POST_ROUTING, k, 1, text));
}

enum rules_fate
nft_drop(const struct nft *t, uint32_t hook, const struct nft_packet *k,
    char text[RULES_TEXT])
{
	return (hook_fate(t, hook, k, 0, text));
}
