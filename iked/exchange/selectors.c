/* SPDX-License-Identifier: ISC */
/*
 * Which selectors are asked for, and which of the peer's are taken (RFC 7296 2.9).
 *
 * All of a tunnel's selectors go into one Child SA.  A peer that takes less (it narrows,
 * or says SINGLE_PAIR_REQUIRED) is asked for the rest pair by pair: a pair is a local and
 * a remote selector of one family and protocol.  A pair that a Child carries in
 * part counts as carried, because the peer has said that it has no more of it.
 */

#include <stdio.h>
#include <string.h>

#include "exchange/exchange.h"

static int
in_one(const struct ts *t, const struct tslist *l)
{
	uint8_t	i;

	for (i = 0; i < l->n; i++)
		if (ts_within(t, &l->t[i]))
			return (1);
	return (0);
}

int
child_covers(const struct child_sa *c, const struct ts *src, const struct ts *dst)
{
	struct tslist	l, r;

	child_get_ts(c, &l, &r);
	return (in_one(src, &l) && in_one(dst, &r));
}

/* Bits: which of ours some selector of the Child meets. */
static uint32_t
met(const struct tslist *ours, const struct ts *its, uint8_t n)
{
	struct ts	cut;
	uint32_t	bits = 0;
	uint8_t		i, k;

	for (i = 0; i < ours->n; i++)
		for (k = 0; k < n; k++)
			if (ts_intersect(&ours->t[i], &its[k], &cut)) {
				bits |= 1U << i;
				break;
			}
	return (bits);
}

/* The first pair from number `at' on that no Child carries; -1: all are carried. */
int
child_missing(const struct world *w, uint32_t tunnel, unsigned int at)
{
	const struct conf_tunnel	*t = tunnel_conf(w, tunnel);
	const struct child_sa		*c;
	uint32_t			 have[TS_MAX] = { 0 }, l, r;
	unsigned int			 n = (unsigned int)t->from.n * t->to.n, i, k;
	said				 id;

	for (id = w->tunnels[tunnel].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL]) {
		if ((c->state != CHILD_UP && c->state != CHILD_INSTALLING) ||
		    c->want_delete || c->ts == NULL)
			continue;
		l = met(&t->from, c->ts, c->ntsl);
		r = met(&t->to, c->ts + c->ntsl, c->ntsr);
		for (i = 0; i < t->from.n; i++)
			if (l >> i & 1)
				have[i] |= r;
	}
	for (k = 0; k < n; k++) {
		i = (at + k) % n;
		if (conf_is_pair(t, i / t->to.n, i % t->to.n) &&
		    (have[i / t->to.n] >> i % t->to.n & 1) == 0)
			return ((int)i);
	}
	return (-1);
}

/* The pair that the packet is of, else the first one. */
static unsigned int
pair_of(const struct conf_tunnel *t, const struct ts *src, const struct ts *dst)
{
	unsigned int	i, n = (unsigned int)t->from.n * t->to.n, first = n;

	for (i = 0; i < n; i++) {
		if (!conf_is_pair(t, i / t->to.n, i % t->to.n))
			continue;
		if (first == n)
			first = i;
		if (src != NULL && ts_within(src, &t->from.t[i / t->to.n]) &&
		    ts_within(dst, &t->to.t[i % t->to.n]))
			return (i);
	}
	return (first < n ? first : 0);
}

unsigned int
child_pair_of(const struct world *w, uint32_t tunnel, const struct ts *src,
    const struct ts *dst)
{
	return (pair_of(tunnel_conf(w, tunnel), src, dst));
}

static void
only(const struct conf_tunnel *t, unsigned int pair, struct tslist *l, struct tslist *r)
{
	l->t[0] = t->from.t[pair / t->to.n];
	r->t[0] = t->to.t[pair % t->to.n];
	l->n = r->n = 1;
}

/* What the tunnel is for; or one pair; or, when the Child there does not cover a packet,
 * that packet and the pair it is of. */
void
child_offer_ts(struct world *w, const struct ike_sa *ike, uint32_t tunnel,
    struct tslist *l, struct tslist *r)
{
	const struct conf_tunnel	*t = tunnel_conf(w, tunnel);
	const struct tunnel		*rt = &w->tunnels[tunnel];
	int				 packet = rt->has_acq && rt->acq_src.start.fam !=
	    ADDR_NONE;

	*l = t->from;
	*r = t->to;
	if (t->dyn != DYN_NO && ike != NULL && ike->leased == tunnel + 1)
		lease_ts(ike, t->dyn == DYN_FROM ? l : r);
	if (t->dyn != DYN_NO)
		return;
	if (rt->rest != 0) {
		only(t, rt->rest - 1U, l, r);
		return;
	}
	if (!t->single && !rt->single && !(rt->specific && packet))
		return;
	only(t, pair_of(t, packet ? &rt->acq_src : NULL, &rt->acq_dst), l, r);
	if (!rt->specific || !packet)
		return;
	l->t[1] = l->t[0];
	r->t[1] = r->t[0];
	l->t[0] = rt->acq_src;
	r->t[0] = rt->acq_dst;
	l->n = r->n = 2;
}

/* Selectors that no other of the other side goes with carry nothing. */
static void
prune(struct tslist *l, const struct tslist *r)
{
	unsigned int	i, k, n = 0;

	for (i = 0; i < l->n; i++) {
		for (k = 0; k < r->n; k++)
			if (l->t[i].start.fam == r->t[k].start.fam &&
			    (l->t[i].proto == 0 || r->t[k].proto == 0 ||
			    l->t[i].proto == r->t[k].proto))
				break;
		if (k < r->n)
			l->t[n++] = l->t[i];
	}
	l->n = (uint8_t)n;
}

/* What of the peer's offer is within ours.  1, or 0: nothing. */
static int
narrow(const struct wire_msg *m, const struct tslist *from, const struct tslist *to,
    struct tslist *l, struct tslist *r)
{
	if (tslist_narrow(&m->tsr, from, l) == 0 || tslist_narrow(&m->tsi, to, r) == 0)
		return (0);
	prune(l, r);
	prune(r, l);
	return (l->n > 0 && r->n > 0);
}

/* How well a tunnel suits the peer's selectors: 0 not at all, 3 exactly. */
static int
suits(const struct conf_tunnel *t, const struct wire_msg *m, struct tslist *l,
    struct tslist *r)
{
	if (!narrow(m, &t->from, &t->to, l, r))
		return (0);
	if (tslist_equal(&m->tsr, &t->from) && tslist_equal(&m->tsi, &t->to))
		return (3);
	/* the first pair may be the packet that started it, and must be in (2.9) */
	return (in_one(&m->tsr.t[0], &t->from) && in_one(&m->tsi.t[0], &t->to) ? 2 : 1);
}

/*
 * `single', and the peer asks for more than one pair: the one that its first selectors
 * are of, which is their sense (2.9).  Where they are of none, it has to choose.
 */
static uint16_t
single_pair(const struct conf_tunnel *t, const struct wire_msg *m, struct tslist *l,
    struct tslist *r, int *more)
{
	struct tslist	f, o;
	unsigned int	i, n = (unsigned int)t->from.n * t->to.n, hits = 0;
	unsigned int	any = n, first = n;

	for (i = 0; i < n; i++) {
		only(t, i, &f, &o);
		if (!conf_is_pair(t, i / t->to.n, i % t->to.n) || !narrow(m, &f, &o, l, r))
			continue;
		hits++;
		any = i;
		if (first == n && ts_within(&m->tsr.t[0], &f.t[0]) &&
		    ts_within(&m->tsi.t[0], &o.t[0]))
			first = i;
	}
	if (hits == 0)
		return (N_TS_UNACCEPTABLE);
	if (hits > 1 && first == n)
		return (N_SINGLE_PAIR_REQUIRED);
	only(t, first < n ? first : any, &f, &o);
	(void)narrow(m, &f, &o, l, r);
	*more = hits > 1;
	return (0);
}

/* The tunnel that is meant exactly, else the one with the first pair, else the
 * first that the offer touches. */
static uint32_t
pick_tunnel(const struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    struct tslist *l, struct tslist *r)
{
	struct tslist	tl, tr;
	uint32_t	i, best = NO_INDEX;
	int		s, top = 0;

	for (i = w->peers[ike->c.peer].tunnels; i != 0 && top < 3;
	    i = w->tunnels[i - 1].next_of_peer) {
		s = suits(tunnel_conf(w, i - 1), m, &tl, &tr);
		if (s <= top)
			continue;
		top = s;
		best = i - 1;
		*l = tl;
		*r = tr;
	}
	return (best);
}

uint16_t
child_refuse_ts(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, uint16_t type)
{
	const struct conf_tunnel	*t;
	char				 s[4][200];

	/* which it meant is not known: the first one of the peer is told */
	if (tunnel == NO_INDEX && w->peers[ike->c.peer].tunnels == 0)
		return (type);
	if (tunnel == NO_INDEX)
		tunnel = w->peers[ike->c.peer].tunnels - 1;
	t = tunnel_conf(w, tunnel);
	peer_refused(w, ike->c.peer, tunnel, &ike->c.remote.addr, type ==
	    N_SINGLE_PAIR_REQUIRED ? WHY_SINGLE_PAIR : WHY_SELECTORS,
	    "%s: it wants %s <-> %s; this tunnel is from %s to %s%s",
	    wire_notify_name(type), tslist_str(&m->tsi, s[0], sizeof(s[0])),
	    tslist_str(&m->tsr, s[1], sizeof(s[1])), tslist_str(&t->from, s[2],
	    sizeof(s[2])), tslist_str(&t->to, s[3], sizeof(s[3])), type ==
	    N_SINGLE_PAIR_REQUIRED ? ", one Child SA a pair (\"single\")" : "");
	return (type);
}

uint16_t
child_take_ts(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    const struct child_sa *old, uint32_t *tunnel, struct tslist *l, struct tslist *r,
    int *more)
{
	const struct conf_tunnel	*t;
	uint16_t			 err;

	*more = 0;
	/* a successor stays in the tunnel of the Child it replaces */
	*tunnel = old != NULL ? old->tunnel : pick_tunnel(w, ike, m, l, r);
	if (*tunnel == NO_INDEX)
		return (child_refuse_ts(w, ike, m, NO_INDEX, N_TS_UNACCEPTABLE));
	t = tunnel_conf(w, *tunnel);
	if (old != NULL && !narrow(m, &t->from, &t->to, l, r))
		return (child_refuse_ts(w, ike, m, *tunnel, N_TS_UNACCEPTABLE));
	if (t->single && (err = single_pair(t, m, l, r, more)) != 0)
		return (child_refuse_ts(w, ike, m, *tunnel, err));
	return (0);
}
