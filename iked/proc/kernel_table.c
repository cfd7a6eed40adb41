/* SPDX-License-Identifier: ISC */
/* What a configuration wants of the kernel, as sorted values. */

#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "proc/kernel.h"

#define REQID_SPAN	(1U << 20)	/* we give out the lowest free ones only */

static int
cmp_u32(uint32_t a, uint32_t b)
{
	return (a < b ? -1 : a > b);
}

static int
qcmp_kpol(const void *a, const void *b)
{
	const struct kpol *x = a, *y = b;
	int c = kpol_cmp(&x->p, &y->p);

	return (c != 0 ? c : cmp_u32(x->tunnel, y->tunnel));
}

static int
bcmp_kpol(const void *key, const void *elem)
{
	const struct kpol *e = elem;

	return (kpol_cmp(key, &e->p));
}

static int
qcmp_idx(const void *a, const void *b)
{
	const struct kidx *x = a, *y = b;

	return (cmp_u32(x->key, y->key));
}

static int
qcmp_remote(const void *a, const void *b)
{
	const struct kremote *x = a, *y = b;
	int c = addr_cmp(&x->remote, &y->remote);

	return (c != 0 ? c : cmp_u32(x->tunnel, y->tunnel));
}

/* The zero address of a family: "whichever of mine" in a tunnel template. */
static void
endpoint_or_zero(struct addr *out, const struct addr *a, const struct addr *other)
{
	*out = *a;
	if (a->fam == ADDR_NONE)
		out->fam = other->fam;
}

/*
 * The ports of an outbound policy.  Of ICMP they are one number, the type in its upper
 * octet, at whichever end (RFC 7296 3.13.1); kernels want type and code, and a code of 0
 * is any to them.
 */
void
kpol_ports(struct kern_policy *p, const struct ts *from, const struct ts *to)
{
	p->sport = from->sport == from->eport ? from->sport : 0;
	p->dport = to->sport == to->eport ? to->sport : 0;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		if (p->sport == 0)
			p->sport = p->dport;
		p->dport = p->sport & 0xff;
		p->sport >>= 8;
	}
}

void
kpol_turn(struct kern_policy *p)
{
	uint16_t port = p->sport;

	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		return;
	p->sport = p->dport;
	p->dport = port;
}

/*
 * A policy of tunnel t, pair (i, j), towards dir.  Inbound ones are the outbound
 * one's mirror.  A peer that may be anybody has no template to ask for: until its SA
 * comes the pair is discarded, because it must not leave in clear.
 */
static void
fill_policy(const struct ktable *kt, uint32_t t, size_t i, size_t j,
    enum kern_dir dir, struct kern_policy *p)
{
	const struct conf_tunnel *ct = &kt->conf->tunnels[t];
	const struct conf_peer *cp = &kt->conf->peers[ct->peer];
	const struct ts *from = &ct->from.t[i], *to = &ct->to.t[j];
	int out = dir == KERN_OUT;

	memset(p, 0, sizeof(*p));
	p->dir = dir;
	p->action = cp->remote.fam == ADDR_NONE ? KERN_DISCARD : KERN_IPSEC;
	p->src = out ? ct->fromnet[i] : ct->tonet[j];
	p->dst = out ? ct->tonet[j] : ct->fromnet[i];
	p->proto = from->proto;
	kpol_ports(p, from, to);
	if (!out)
		kpol_turn(p);
	p->prio = kern_priority(&p->src, &p->dst, p->proto,
	    (p->sport != 0) + (p->dport != 0));
	p->reqid = kt->reqid[t];
	p->transport = ct->transport;
	if (p->action == KERN_IPSEC) {
		endpoint_or_zero(out ? &p->tsrc : &p->tdst, &cp->local,
		    &cp->remote);
		*(out ? &p->tdst : &p->tsrc) = cp->remote;
	}
}

/* Room for them: not each from makes a pair with each to.  0 or -1 */
static int
make_room(struct ktable *kt)
{
	const struct conf *c = kt->conf;
	size_t i, n = 0;

	if ((kt->from = calloc((size_t)c->ntunnels + 1, sizeof(*kt->from))) == NULL)
		return (-1);
	for (i = 0; i < c->ntunnels; i++) {
		kt->from[i] = (uint32_t)n;
		n += (size_t)c->tunnels[i].from.n * c->tunnels[i].to.n * KERN_FWD;
		if (n > UINT32_MAX)
			return (-1);
	}
	kt->from[i] = (uint32_t)n;
	kt->at = calloc(n + 1, sizeof(*kt->at));
	kt->pol = calloc(n + 1, sizeof(*kt->pol));
	return (kt->at == NULL || kt->pol == NULL ? -1 : 0);
}

static uint32_t
place_of(const struct conf_tunnel *ct, size_t i, size_t j, int dir)
{
	return ((uint32_t)((i * ct->to.n + j) * KERN_FWD + (size_t)dir - KERN_IN));
}

/* Nothing is forwarded from or to the host itself: transport has no KERN_FWD. */
static int
wanted(const struct conf_tunnel *ct, size_t i, size_t j, int dir)
{
	return (conf_is_pair(ct, (unsigned)i, (unsigned)j) &&
	    (dir != KERN_FWD || !ct->transport));
}

static void
fill_policies(struct ktable *kt, int dirs)
{
	const struct conf_tunnel *ct;
	size_t i, j;
	uint32_t t;
	int d;

	for (t = 0; t < kt->conf->ntunnels; t++) {
		ct = &kt->conf->tunnels[t];
		for (i = 0; i < ct->from.n; i++)
			for (j = 0; j < ct->to.n; j++)
				for (d = KERN_IN; d < KERN_IN + dirs; d++) {
					if (!wanted(ct, i, j, d))
						continue;
					fill_policy(kt, t, i, j, (enum kern_dir)d,
					    &kt->pol[kt->npol].p);
					kt->pol[kt->npol].place =
					    place_of(ct, i, j, d);
					kt->pol[kt->npol++].tunnel = t;
				}
	}
	if (kt->npol > 0)
		qsort(kt->pol, kt->npol, sizeof(*kt->pol), qcmp_kpol);
}

/* Two tunnels may not want the same trap: the first one has it.  Two pairs of one may. */
static void
drop_duplicates(struct ktable *kt)
{
	const struct kpol *k;
	size_t i, n = 0;

	for (i = 0; i < kt->npol; i++) {
		k = &kt->pol[i];
		if (n == 0 || kpol_cmp(&kt->pol[n - 1].p, &k->p) != 0)
			kt->pol[n++] = *k;
		if (kt->pol[n - 1].tunnel == k->tunnel)
			kt->at[kt->from[k->tunnel] + k->place] = (uint32_t)n;
	}
	kt->npol = n;
}

/* The pair that a tunnel is known again by; there is one (conf_families_ok()). */
static void
first_pair(const struct conf_tunnel *ct, size_t *f, size_t *o)
{
	for (*f = 0; *f < ct->from.n; ++*f)
		for (*o = 0; *o < ct->to.n; ++*o)
			if (conf_is_pair(ct, (unsigned)*f, (unsigned)*o))
				return;
	*f = *o = 0;
}

/*
 * reqids.  A policy of the very same selectors tells which one the tunnel had, in
 * this or an earlier life; SAs that carry it stay findable.  What others use (any other
 * reqid of the dump) is not given out.
 */
static void
learn_reqids(struct ktable *kt, const struct kern_caps *caps,
    const struct kseen *seen, uint8_t *used)
{
	const struct kern_policy *k;
	struct kern_policy p;
	uint32_t t, r;
	size_t i, f, o;

	for (t = 0; t < kt->conf->ntunnels; t++) {
		first_pair(&kt->conf->tunnels[t], &f, &o);
		fill_policy(kt, t, f, o, KERN_OUT, &p);
		if ((k = kseen_find(seen, &p)) == NULL || k->reqid == 0 ||
		    k->reqid > caps->reqid_max)
			continue;
		r = k->reqid;
		if (r < REQID_SPAN) {
			if (used[r / 8] & 1U << r % 8)
				continue;	/* another tunnel has it */
			used[r / 8] |= (uint8_t)(1U << r % 8);
		}
		kt->reqid[t] = r;
	}
	for (i = 0; i < seen->n; i++)
		if ((r = seen->p[i].reqid) < REQID_SPAN)
			used[r / 8] |= (uint8_t)(1U << r % 8);
}

static int
give_reqids(struct ktable *kt, uint8_t *used)
{
	uint32_t t, r = 1, max = kt->maxreqid;

	for (t = 0; t < kt->conf->ntunnels; t++) {
		if (kt->reqid[t] != 0)
			continue;
		while (r <= max && (used[r / 8] & 1U << r % 8) != 0)
			r++;
		if (r > max)
			return (-1);
		used[r / 8] |= (uint8_t)(1U << r % 8);
		kt->reqid[t] = r++;
	}
	kt->lastreqid = r - 1;
	return (0);
}

static int
set_reqids(struct ktable *kt, const struct kern_caps *caps,
    const struct kseen *seen, const char **why)
{
	uint32_t t;

	*why = "out of memory";
	if ((kt->used = calloc(1, REQID_SPAN / 8)) == NULL)
		return (-1);
	kt->maxreqid = caps->reqid_max < REQID_SPAN - 1 ? caps->reqid_max :
	    REQID_SPAN - 1;
	learn_reqids(kt, caps, seen, kt->used);
	if (give_reqids(kt, kt->used) == -1) {
		*why = "more tunnels than this kernel has request ids";
		return (-1);
	}
	for (t = 0; t < kt->conf->ntunnels; t++) {
		kt->byreqid[t].key = kt->reqid[t];
		kt->byreqid[t].tunnel = t;
	}
	if (kt->conf->ntunnels > 0)
		qsort(kt->byreqid, kt->conf->ntunnels, sizeof(*kt->byreqid),
		    qcmp_idx);
	return (0);
}

static int64_t
idx_find(const struct kidx *idx, size_t n, uint32_t key)
{
	const struct kidx *e;
	struct kidx k;

	if (n == 0 || key == 0)
		return (-1);
	k.key = key;
	k.tunnel = 0;
	e = bsearch(&k, idx, n, sizeof(*idx), qcmp_idx);
	return (e == NULL ? -1 : (int64_t)e->tunnel);
}

/* One more reqid of a tunnel, in its place. 0 or -1. */
static int
more_add(struct ktable *kt, uint32_t reqid, uint32_t tunnel)
{
	struct kidx *q;
	size_t cap, at;

	if (kt->nmore == kt->capmore) {
		cap = kt->capmore == 0 ? 16 : kt->capmore * 2;
		if ((q = reallocarray(kt->more, cap, sizeof(*q))) == NULL)
			return (-1);
		kt->more = q;
		kt->capmore = cap;
	}
	for (at = kt->nmore; at > 0 && kt->more[at - 1].key >= reqid; at--)
		if (kt->more[at - 1].key == reqid)
			return (0);
	memmove(&kt->more[at + 1], &kt->more[at],
	    (kt->nmore - at) * sizeof(*kt->more));
	kt->more[at].key = reqid;
	kt->more[at].tunnel = tunnel;
	kt->nmore++;
	return (0);
}

/* The reqids of Children of an earlier life, or of the table before: their SAs are found
 * by them. */
static int
learn_more(struct ktable *kt, const struct kseen *seen)
{
	const struct kern_policy *k;
	size_t i;

	for (i = 0; i < kt->npol && seen->n > 0; i++) {
		k = kseen_find(seen, &kt->pol[i].p);
		if (k == NULL || k->reqid == 0 || k->reqid > kt->maxreqid ||
		    idx_find(kt->byreqid, kt->conf->ntunnels, k->reqid) != -1)
			continue;
		if (more_add(kt, k->reqid, kt->pol[i].tunnel) == -1)
			return (-1);
	}
	return (0);
}

/* One that no policy or SA of this table has had; from the start again when all have. */
static uint32_t
reqid_new(struct ktable *kt)
{
	uint32_t r, n;

	for (n = 0, r = kt->lastreqid; n < kt->maxreqid; n++) {
		r = r < kt->maxreqid ? r + 1 : 1;
		if ((kt->used[r / 8] & 1U << r % 8) != 0)
			continue;
		kt->used[r / 8] |= (uint8_t)(1U << r % 8);
		return (kt->lastreqid = r);
	}
	return (0);
}

static void
index_remotes(struct ktable *kt)
{
	uint32_t t;

	for (t = 0; t < kt->conf->ntunnels; t++) {
		kt->byremote[t].remote =
		    kt->conf->peers[kt->conf->tunnels[t].peer].remote;
		kt->byremote[t].tunnel = t;
	}
	if (kt->conf->ntunnels > 0)
		qsort(kt->byremote, kt->conf->ntunnels, sizeof(*kt->byremote),
		    qcmp_remote);
}

struct ktable *
ktable_new(struct conf *c, const struct kern_caps *caps,
    const struct kseen *seen, const char **why)
{
	struct ktable *kt;
	int dirs = caps->has_fwd ? 3 : 2;

	*why = "out of memory";
	if ((kt = calloc(1, sizeof(*kt))) == NULL) {
		conf_free(c);
		return (NULL);
	}
	kt->conf = c;
	kt->reqid = calloc((size_t)c->ntunnels + 1, sizeof(*kt->reqid));
	kt->byreqid = calloc((size_t)c->ntunnels + 1, sizeof(*kt->byreqid));
	kt->byremote = calloc((size_t)c->ntunnels + 1, sizeof(*kt->byremote));
	if (kt->reqid == NULL || kt->byreqid == NULL || kt->byremote == NULL ||
	    make_room(kt) == -1 || set_reqids(kt, caps, seen, why) == -1) {
		ktable_free(kt);
		return (NULL);
	}
	index_remotes(kt);
	fill_policies(kt, dirs);
	drop_duplicates(kt);
	if (learn_more(kt, seen) == -1) {
		ktable_free(kt);
		return (NULL);
	}
	return (kt);
}

void
ktable_free(struct ktable *kt)
{
	if (kt == NULL)
		return;
	conf_free(kt->conf);
	free(kt->reqid);
	free(kt->byreqid);
	free(kt->byremote);
	free(kt->byid);
	free(kt->more);
	free(kt->used);
	free(kt->pol);
	free(kt->from);
	free(kt->at);
	free(kt);
}

int
ktable_seen(const struct ktable *kt, struct kseen *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < kt->npol; i++)
		kseen_add(s, &kt->pol[i].p);
	return (s->err ? -1 : 0);
}

struct kpol *
ktable_find(struct ktable *kt, const struct kern_policy *p)
{
	if (kt->npol == 0)
		return (NULL);
	return (bsearch(p, kt->pol, kt->npol, sizeof(*kt->pol), bcmp_kpol));
}

int64_t
ktable_byreqid(const struct ktable *kt, uint32_t reqid)
{
	int64_t t = idx_find(kt->byreqid, kt->conf->ntunnels, reqid);

	return (t != -1 ? t : idx_find(kt->more, kt->nmore, reqid));
}

int64_t
ktable_byid(const struct ktable *kt, uint32_t id)
{
	return (idx_find(kt->byid, kt->nbyid, id));
}

/* PF_KEY on Linux says in an ACQUIRE nothing but the policy's id. */
void
ktable_setids(struct ktable *kt, const struct kseen *seen)
{
	const struct kpol *k;
	struct kidx *idx;
	size_t i, n = 0;

	if ((idx = calloc(seen->n + 1, sizeof(*idx))) == NULL)
		return;
	for (i = 0; i < seen->n; i++) {
		if (seen->p[i].id == 0 ||
		    (k = ktable_find(kt, &seen->p[i])) == NULL)
			continue;
		idx[n].key = seen->p[i].id;
		idx[n++].tunnel = k->tunnel;
	}
	if (n > 0)
		qsort(idx, n, sizeof(*idx), qcmp_idx);
	free(kt->byid);
	kt->byid = idx;
	kt->nbyid = n;
}

static int
fits(const struct addr *want, const struct addr *is)
{
	return (want->fam == ADDR_NONE || addr_cmp(want, is) == 0);
}

int
ktable_endpoints(const struct ktable *kt, uint32_t t, const struct addr *local,
    const struct addr *remote)
{
	const struct conf_peer *cp;

	cp = &kt->conf->peers[kt->conf->tunnels[t].peer];
	return (fits(&cp->local, local) && fits(&cp->remote, remote));
}

/* MOBIKE: the peer is elsewhere, and we are where the tunnel says. */
int
ktable_moved(const struct ktable *kt, uint32_t t, const struct addr *local,
    const struct addr *remote)
{
	const struct conf_peer *cp;

	cp = &kt->conf->peers[kt->conf->tunnels[t].peer];
	return (fits(&cp->local, local) && !addr_is_any(remote) &&
	    addr_cmp(local, remote) != 0);
}

int64_t
ktable_byremote(const struct ktable *kt, const struct addr *remote, size_t *i)
{
	size_t lo = 0, hi = kt->conf->ntunnels, mid;

	if (*i == 0) {			/* the first one of that address */
		while (lo < hi) {
			mid = lo + (hi - lo) / 2;
			if (addr_cmp(&kt->byremote[mid].remote, remote) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		*i = lo;
	}
	if (*i >= kt->conf->ntunnels ||
	    addr_cmp(&kt->byremote[*i].remote, remote) != 0)
		return (-1);
	return ((int64_t)kt->byremote[(*i)++].tunnel);
}

/* Not by its selector: the table is large, and most of it is not in the cache. */
static struct kpol *
policy_at(struct ktable *kt, uint32_t t, uint32_t place)
{
	uint32_t at = kt->at[kt->from[t] + place];

	return (at == 0 ? NULL : &kt->pol[at - 1]);
}

struct kpol *
ktable_next(struct ktable *kt, uint32_t t, size_t *i)
{
	struct kpol *k = NULL;

	while (k == NULL && *i < kt->from[t + 1] - kt->from[t])
		k = policy_at(kt, t, (uint32_t)(*i)++);
	return (k);
}

/*
 * A kernel finds an outbound SA by the reqid of the packet's policy, so Children of
 * one tunnel with other selectors need other reqids, and the policies of their pairs
 * theirs.  They keep them over rekeys; the one of the tunnel stays with what no Child has
 * been made for alone.
 */
static int
meets(const struct ts *ours, const struct tslist *its)
{
	struct ts cut;
	unsigned i;

	for (i = 0; i < its->n; i++)
		if (ts_intersect(ours, &its->t[i], &cut))
			return (1);
	return (0);
}

static uint32_t
bits_of(const struct tslist *ours, const struct tslist *its)
{
	uint32_t b = 0;
	unsigned i;

	for (i = 0; i < ours->n; i++)
		if (meets(&ours->t[i], its))
			b |= 1U << i;
	return (b);
}

/* The policy of that pair, or NULL: another tunnel's. */
static struct kpol *
pair_policy(struct ktable *kt, uint32_t t, size_t i, size_t j, int dir)
{
	return (policy_at(kt, t, place_of(&kt->conf->tunnels[t], i, j, dir)));
}

/* The reqid that the pairs of the Child have and no others; 0: there is none. */
static uint32_t
common_reqid(struct ktable *kt, uint32_t t, uint32_t l, uint32_t r)
{
	const struct conf_tunnel *ct = &kt->conf->tunnels[t];
	const struct kpol *k;
	uint32_t in = 0;
	size_t i, j;

	for (i = 0; i < ct->from.n; i++)
		for (j = 0; j < ct->to.n; j++) {
			if ((l >> i & r >> j & 1) == 0 ||
			    (k = pair_policy(kt, t, i, j, KERN_OUT)) == NULL)
				continue;
			if (in != 0 && in != k->p.reqid)
				return (0);
			in = k->p.reqid;
		}
	for (i = 0; i < ct->from.n && in != 0; i++)
		for (j = 0; j < ct->to.n; j++)
			if ((l >> i & r >> j & 1) == 0 &&
			    (k = pair_policy(kt, t, i, j, KERN_OUT)) != NULL &&
			    k->p.reqid == in)
				return (0);
	return (in);
}

static void
set_reqid(struct ktable *kt, uint32_t t, uint32_t l, uint32_t r, uint32_t reqid)
{
	const struct conf_tunnel *ct = &kt->conf->tunnels[t];
	struct kpol *k;
	size_t i, j;
	int d;

	for (i = 0; i < ct->from.n; i++)
		for (j = 0; j < ct->to.n; j++)
			for (d = KERN_IN; (l >> i & r >> j & 1) != 0 && d <= KERN_FWD;
			    d++) {
				k = pair_policy(kt, t, i, j, d);
				if (k == NULL || k->p.reqid == reqid)
					continue;
				k->p.reqid = reqid;
				k->installed = 0;
			}
}

int
ktable_child(struct ktable *kt, uint32_t t, const struct tslist *l,
    const struct tslist *r, uint32_t *reqid, int *narrower)
{
	const struct conf_tunnel *ct = &kt->conf->tunnels[t];
	uint32_t lb = bits_of(&ct->from, l), rb = bits_of(&ct->to, r);
	unsigned i;

	*narrower = 0;
	for (i = 0; i < ct->from.n; i++)
		*narrower |= (lb >> i & 1) && !tslist_within(&(struct tslist){ .n = 1,
		    .t = { ct->from.t[i] } }, l);
	for (i = 0; i < ct->to.n; i++)
		*narrower |= (rb >> i & 1) && !tslist_within(&(struct tslist){ .n = 1,
		    .t = { ct->to.t[i] } }, r);
	if (lb == UINT32_MAX >> (32 - ct->from.n) && rb == UINT32_MAX >> (32 - ct->to.n))
		*reqid = kt->reqid[t];
	else if ((*reqid = common_reqid(kt, t, lb, rb)) == 0 &&
	    ((*reqid = reqid_new(kt)) == 0 || more_add(kt, *reqid, t) == -1))
		return (-1);
	set_reqid(kt, t, lb, rb, *reqid);
	return (0);
}

static int
is_any(const struct ktable *kt, uint32_t t)
{
	return (kt->conf->peers[kt->conf->tunnels[t].peer].remote.fam ==
	    ADDR_NONE);
}

/*
 * The local end of a trap.  With `any' peers it is said; else it stays what the file says, and
 * zero leaves it to the routes, which are how the SA got its address, too.
 */
static void
local_end(const struct ktable *kt, uint32_t t, const struct addr *local,
    const struct addr *remote, struct addr *out)
{
	if (is_any(kt, t))
		*out = *local;
	else {
		memset(out, 0, sizeof(*out));
		endpoint_or_zero(out,
		    &kt->conf->peers[kt->conf->tunnels[t].peer].local, remote);
	}
}

int
ktable_bind(struct ktable *kt, uint32_t t, const struct addr *local,
    const struct addr *remote)
{
	struct kern_policy *p;
	struct addr end, *l, *r;
	struct kpol *k;
	int changed = 0;
	size_t i = 0;

	local_end(kt, t, local, remote, &end);
	while ((k = ktable_next(kt, t, &i)) != NULL) {
		p = &k->p;
		l = p->dir == KERN_OUT ? &p->tsrc : &p->tdst;
		r = p->dir == KERN_OUT ? &p->tdst : &p->tsrc;
		if (p->action == KERN_IPSEC && addr_cmp(r, remote) == 0 &&
		    addr_cmp(l, &end) == 0)
			continue;
		p->action = KERN_IPSEC;
		*l = end;
		*r = *remote;
		changed = 1;
	}
	return (changed);
}

/* The same tunnel, called at the same place. */
static int
same_peer(const struct ktable *a, uint32_t t, const struct ktable *b, uint32_t u)
{
	const struct conf_tunnel *x = &a->conf->tunnels[t], *y = &b->conf->tunnels[u];
	const struct conf_peer *p = &a->conf->peers[x->peer];
	const struct conf_peer *q = &b->conf->peers[y->peer];

	return (strcmp(x->name, y->name) == 0 &&
	    addr_cmp(&p->remote, &q->remote) == 0 &&
	    (is_any(a, t) || addr_cmp(&p->local, &q->local) == 0));
}

int64_t
ktable_twin(const struct ktable *kt, const struct ktable *old, uint32_t t)
{
	const struct conf_tunnel *is, *was = &old->conf->tunnels[t];
	int32_t n = conf_tunnel_byname(kt->conf, was->name);

	if (n == -1 || !same_peer(kt, (uint32_t)n, old, t))
		return (-1);
	is = &kt->conf->tunnels[n];
	return (is->transport == was->transport && tslist_equal(&is->from, &was->from) &&
	    tslist_equal(&is->to, &was->to) ? n : -1);
}

void
ktable_inherit(struct ktable *kt, struct ktable *old)
{
	const struct kpol *o;
	struct kpol *k;
	size_t i;

	for (i = 0; i < kt->npol; i++) {
		k = &kt->pol[i];
		if ((o = ktable_find(old, &k->p)) == NULL)
			continue;
		if (same_peer(kt, k->tunnel, old, o->tunnel)) {
			k->p.action = o->p.action;
			k->p.tsrc = o->p.tsrc;
			k->p.tdst = o->p.tdst;
		}
		if (strcmp(kt->conf->tunnels[k->tunnel].name,
		    old->conf->tunnels[o->tunnel].name) == 0 &&
		    ktable_byreqid(kt, o->p.reqid) == (int64_t)k->tunnel)
			k->p.reqid = o->p.reqid;
		k->installed = o->installed && kpol_same(&o->p, &k->p);
	}
}
