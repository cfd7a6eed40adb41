/* SPDX-License-Identifier: ISC */
/*
 * Child SAs, pair of networks by pair of networks: where one side has several in one
 * Child SA and the other a policy for each, that is the same.
 */

#include <stdlib.h>
#include <string.h>

#include "diff.h"

#define PAIRS_MAX	16384
#define SAID_MAX	50
#define LOOKED		64	/* Child SAs, to see whether two peers fit */

struct pair {
	const struct side_child	*c;
	const struct side_sel	*from, *to;	/* as that side has them */
	int			 met;
};

struct pairs {
	struct pair	*p;
	size_t		 n;
};

static int
fits(const struct side_sel *f, const struct side_sel *t)
{
	return (f->proto == t->proto && (f->any || t->any ||
	    f->net.addr.fam == t->net.addr.fam));
}

/* The k-th Child SA of a side's peer; NULL: no more. */
static const struct side_child *
child(const struct diff *d, int right, uint32_t peer, uint32_t k)
{
	const struct side *s = right ? d->b : d->a;
	uint32_t at = d->first[right][peer] + k;

	return (at < d->first[right][peer + 1] ? &s->children[d->order[right][at]] :
	    NULL);
}

static void
collect(struct diff *d, int right, uint32_t peer, struct pairs *ps)
{
	const struct side_child *c;
	struct pair *p;
	unsigned int i, j;
	size_t cap = 0;
	uint32_t k;
	char at[PLACE_LEN];

	ps->p = NULL;
	ps->n = 0;
	for (k = 0; (c = child(d, right, peer, k)) != NULL; k++) {
		if (ps->n + (size_t)c->nfrom * c->nto > PAIRS_MAX) {
			diff_note(d, "%s: more than %u pairs of networks: the rest is "
			    "not compared", diff_place(&c->at, at), PAIRS_MAX);
			return;
		}
		for (i = 0; i < c->nfrom; i++)
			for (j = 0; j < c->nto; j++) {
				if (!fits(&c->from[i], &c->to[j]))
					continue;
				if (ps->n == cap) {
					cap = cap == 0 ? 16 : 2 * cap;
					if ((p = reallocarray(ps->p, cap,
					    sizeof(*p))) == NULL) {
						d->nomem = 1;
						return;
					}
					ps->p = p;
				}
				p = &ps->p[ps->n++];
				p->c = c;
				p->from = &c->from[i];
				p->to = &c->to[j];
				p->met = 0;
			}
	}
}

/* The same of both sides' views; an address that is given fits every one. */
static int
same(const struct side_sel *x, const struct side_sel *y)
{
	return (x->any || y->any || (x->proto == y->proto && x->port == y->port &&
	    prefix_cmp(&x->net, &y->net) == 0));
}

static int
mirrors(const struct pair *p, const struct pair *q)
{
	return (same(p->from, q->to) && same(p->to, q->from));
}

static int
overlap(const struct prefix *x, const struct prefix *y)
{
	return (x->addr.fam == y->addr.fam && (x->len <= y->len ?
	    prefix_contains(x, &y->addr) : prefix_contains(y, &x->addr)));
}

/* How near a pair is to the mirror: 0 not at all. */
static int
nearness(const struct pair *p, const struct pair *q)
{
	int f = same(p->from, q->to), t = same(p->to, q->from);

	if (f || t)
		return (4);
	f = overlap(&p->from->net, &q->to->net);
	t = overlap(&p->to->net, &q->from->net);
	return (f + t);
}

int
diff_mirrors(const struct diff *d, uint32_t a, uint32_t b)
{
	const struct side_child *x, *y;
	uint32_t i, j;

	for (i = 0; i < LOOKED && (x = child(d, 0, a, i)) != NULL; i++) {
		if (x->nfrom == 0 || x->nto == 0)
			continue;
		for (j = 0; j < LOOKED && (y = child(d, 1, b, j)) != NULL; j++) {
			if (y->nfrom > 0 && y->nto > 0 &&
			    !x->from[0].any && !x->to[0].any &&
			    !y->from[0].any && !y->to[0].any &&
			    same(&x->from[0], &y->to[0]) &&
			    same(&x->to[0], &y->from[0]))
				return (1);
		}
	}
	return (0);
}

#define SEL_LEN	80

static char *
sel_str(const struct side_sel *s, char dst[SEL_LEN])
{
	char net[PREFIX_STRLEN], *p;

	p = s->any ? strcpy(net, "dynamic") : prefix_str(&s->net, net);
	if (s->proto == 0)
		(void)snprintf(dst, SEL_LEN, "%s", p);
	else if (s->port == 0)
		(void)snprintf(dst, SEL_LEN, "%s[%u]", p, s->proto);
	else
		(void)snprintf(dst, SEL_LEN, "%s[%u/%u]", p, s->proto, s->port);
	return (dst);
}

static void
say_near(struct diff *d, const struct pair *p, const struct pair *q)
{
	char f[SEL_LEN], t[SEL_LEN], qf[SEL_LEN], qt[SEL_LEN];
	char pa[PLACE_LEN], pb[PLACE_LEN];
	const struct place *at, *bt;
	int fs = same(p->from, q->to);

	/* the line with the network that is wrong */
	at = fs ? &p->c->at_to : &p->c->at_from;
	bt = fs ? &q->c->at_from : &q->c->at_to;
	diff_say(d, "networks do not mirror: %s has %s to %s, %s has %s to %s: one of "
	    "them must be changed", diff_place(at, pa), sel_str(p->from, f),
	    sel_str(p->to, t), diff_place(bt, pb), sel_str(q->from, qf),
	    sel_str(q->to, qt));
}

static void
say_alone(struct diff *d, const struct pair *p, const struct side *other)
{
	char f[SEL_LEN], t[SEL_LEN], at[PLACE_LEN];

	diff_say(d, "%s has %s to %s, for which %s has nothing: add %s to %s there, or "
	    "remove it", diff_place(&p->c->at_from, at), sel_str(p->from, f),
	    sel_str(p->to, t), other->file, t, f);
}

static void
child_lifetimes(struct diff *d, const struct side_child *a, const struct side_child *b)
{
	char pa[PLACE_LEN], pb[PLACE_LEN], ta[TIME_LEN], tb[TIME_LEN];
	uint32_t x = a->life, y = b->life;

	if (x != 0 && y != 0 && (x > y + y / 4 || y > x + x / 4))
		diff_note(d, "lifetimes of the Child SA: %s at %s, %s at %s: not "
		    "negotiated; the shorter one renews it", diff_time(x, ta),
		    diff_place(&a->at_life, pa), diff_time(y, tb),
		    diff_place(&b->at_life, pb));
}

/* RouterOS's rules that take the packets away before IPsec sees them. */
static void
firewall(struct diff *d, const struct side_child *c)
{
	char f[SEL_LEN], t[SEL_LEN], at[PLACE_LEN], pol[PLACE_LEN];

	if (c->nat != RULE_BAD && c->fast != RULE_BAD)
		return;
	(void)sel_str(&c->from[0], f);
	(void)sel_str(&c->to[0], t);
	(void)diff_place(&c->at, pol);
	if (c->nat == RULE_BAD)
		diff_say(d, "%s translates the packets of %s before IPsec sees them: above "
		    "it, add chain=srcnat action=accept src-address=%s dst-address=%s",
		    diff_place(&c->at_nat, at), pol, f, t);
	if (c->fast == RULE_BAD)
		diff_say(d, "%s takes packets around the policy of %s: above it, accept "
		    "ipsec-policy=in,ipsec and out,ipsec in chain=forward",
		    diff_place(&c->at_fast, at), pol);
}

static void
mode(struct diff *d, const struct side_child *a, const struct side_child *b)
{
	char pa[PLACE_LEN], pb[PLACE_LEN];
	const struct side_child *t = a->transport ? a : b;
	const struct side *s = t == a ? d->a : d->b;

	if (a->transport != b->transport)
		diff_say(d, "%s is in transport mode%s, %s in tunnel mode: they must be the "
		    "same", diff_place(&t->at_mode, pa), s->form == FORM_ROUTEROS ?
		    " (tunnel=no, RouterOS's default)" : "",
		    diff_place(t == a ? &b->at_mode : &a->at_mode, pb));
	if (a->ah != b->ah)
		diff_say(d, "%s has AH, %s has ESP: they must be the same",
		    diff_place(a->ah ? &a->at : &b->at, pa),
		    diff_place(a->ah ? &b->at : &a->at, pb));
}

static void
children(struct diff *d, const struct side_child *a, const struct side_child *b)
{
	mode(d, a, b);
	if (!a->ah && !b->ah)
		diff_esp(d, a, b);
	child_lifetimes(d, a, b);
}

/* Each combination of two Child SAs is compared once. */
static void
meet(struct diff *d, struct pairs *x, size_t i, struct pairs *y, size_t j)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (x->p[k].c == x->p[i].c && x->p[k].met - 1 >= 0 &&
		    y->p[x->p[k].met - 1].c == y->p[j].c)
			break;
	x->p[i].met = (int)j + 1;
	y->p[j].met = (int)i + 1;
	if (k == i)
		children(d, x->p[i].c, y->p[j].c);
}

/* The pair of the other side that this one was meant for, or n. */
static size_t
nearest(const struct pair *p, const struct pairs *y)
{
	size_t j, best = y->n;
	int r, bestr = 0;

	for (j = 0; j < y->n; j++) {
		if (y->p[j].met != 0)
			continue;
		r = nearness(p, &y->p[j]);
		if (r > bestr) {
			bestr = r;
			best = j;
		}
	}
	return (best);
}

/* The only two that are left are meant for each other, however far apart. */
static int
only_left(const struct pairs *x, const struct pairs *y, size_t *j)
{
	size_t i, n = 0, m = 0;

	for (i = 0; i < x->n; i++)
		n += x->p[i].met == 0;
	for (i = 0; i < y->n; i++)
		if (y->p[i].met == 0) {
			m++;
			*j = i;
		}
	return (n == 1 && m == 1);
}

/* RouterOS uses one SA for all policies of a peer that say level=require. */
static void
shared(struct diff *d, int right, uint32_t peer)
{
	const struct side_child *c, *first = NULL;
	unsigned int n = 0;
	uint32_t i;
	char at[PLACE_LEN];

	for (i = 0; (c = child(d, right, peer, i)) != NULL; i++)
		if (c->shared && n++ == 0)
			first = c;
	if (n > 1)
		diff_note(d, "%s and %u more: policies of one peer with level=require share "
		    "an SA; write level=unique", diff_place(&first->at, at), n - 1);
}

static void
firewalls(struct diff *d, int right, uint32_t peer)
{
	const struct side_child *c;
	uint32_t i;

	for (i = 0; (c = child(d, right, peer, i)) != NULL; i++)
		firewall(d, c);
	shared(d, right, peer);
}

void
diff_children(struct diff *d, uint32_t a, uint32_t b)
{
	struct pairs x, y;
	size_t i, j;
	unsigned int said = 0;

	collect(d, 0, a, &x);
	collect(d, 1, b, &y);
	for (i = 0; i < x.n; i++)
		for (j = 0; j < y.n; j++)
			if (y.p[j].met == 0 && mirrors(&x.p[i], &y.p[j])) {
				meet(d, &x, i, &y, j);
				break;
			}
	for (i = 0; i < x.n; i++) {
		if (x.p[i].met != 0 || said++ >= SAID_MAX)
			continue;
		j = nearest(&x.p[i], &y);
		if (j < y.n || only_left(&x, &y, &j)) {
			say_near(d, &x.p[i], &y.p[j]);
			meet(d, &x, i, &y, j);
		} else
			say_alone(d, &x.p[i], d->b);
	}
	for (j = 0; j < y.n; j++)
		if (y.p[j].met == 0 && said++ < SAID_MAX)
			say_alone(d, &y.p[j], d->a);
	firewalls(d, 0, a);
	firewalls(d, 1, b);
	free(x.p);
	free(y.p);
}
