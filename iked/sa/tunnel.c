/* SPDX-License-Identifier: ISC */
/*
 * Tunnels and peers beside their configuration: the same index leads to what is
 * written (conf) and to how it does (struct tunnel, struct peer).
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sa/world.h"

const struct conf_tunnel *
tunnel_conf(const struct world *w, uint32_t i)
{
	return (&w->conf->tunnels[i]);
}

const struct conf_peer *
peer_conf(const struct world *w, uint32_t i)
{
	return (&w->conf->peers[i]);
}

int32_t
tunnel_byname(const struct world *w, const char *name)
{
	return (w->conf == NULL ? -1 : names_find(w->conf, w->byname, name));
}

int32_t
names_find(const struct conf *conf, const uint32_t *byname, const char *name)
{
	uint32_t	lo = 0, hi = conf->ntunnels, mid;
	int		c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = strcmp(name, conf->tunnels[byname[mid]].name);
		if (c == 0)
			return ((int32_t)byname[mid]);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (-1);
}

void
tunnel_error(struct world *w, uint32_t i, enum reason why, const char *fmt, ...)
{
	va_list	 ap;
	char	 buf[200];

	va_start(ap, fmt);
	/* what is cut off is seen to be */
	if (vsnprintf(buf, sizeof(buf), fmt, ap) >= (int)sizeof(buf))
		memcpy(buf + sizeof(buf) - 4, "...", 4);
	va_end(ap);
	free(w->tunnels[i].error);
	w->tunnels[i].error = strdup(buf);
	w->tunnels[i].why = (uint8_t)why;
}

void
tunnel_clear_error(struct world *w, uint32_t i)
{
	free(w->tunnels[i].error);
	w->tunnels[i].error = NULL;
	w->tunnels[i].why = WHY_NONE;
}

int
tunnel_wanted(const struct world *w, uint32_t i)
{
	const struct tunnel	*t = &w->tunnels[i];

	return (!w->stopping && !w->flushed && !t->down && mono_before(w->now, t->wanted_until));
}

/* Only what is configured is hashed: nobody can choose it to collide. */
#define HASH_START	14695981039346656037ULL

static uint64_t
hash(uint64_t h, const void *data, size_t n)
{
	const uint8_t	*p = data;

	while (n-- > 0)
		h = (h ^ *p++) * 1099511628211ULL;
	return (h);
}

static uint32_t
bucket(const struct world *w, uint64_t h)
{
	return ((uint32_t)(h ^ h >> 32) & (w->nbyaddr - 1));
}

/* remote any stands behind all that name this address. */
static uint32_t
addr_bucket(const struct world *w, const struct addr *a)
{
	return (bucket(w, hash(HASH_START, a->b, addr_len(a))));
}

static uint32_t
id_bucket(const struct world *w, const struct addr *a, const struct ident *id)
{
	uint64_t	h = hash(hash(HASH_START, a->b, addr_len(a)), &id->type, 1);

	return (bucket(w, hash(h, id->data, id->len)));
}

static uint32_t
kind_bucket(const struct world *w, const struct conf_peer *p)
{
	uint64_t	h = hash(HASH_START, p->remote.b, addr_len(&p->remote));
	unsigned int	i, j;

	h = hash(h, p->local.b, addr_len(&p->local));
	for (i = 0; i < p->ike->n; i++)
		for (j = 0; j < p->ike->p[i].nxforms; j++)
			h = hash(h, &p->ike->p[i].xf[j].id, sizeof(p->ike->p[i].xf[j].id));
	return (bucket(w, h));
}

static uint32_t
peer_scan(const struct world *w, uint32_t i1, const struct addr *local,
    const struct addr *remote)
{
	const struct conf_peer	*p;

	for (; i1 != 0; i1 = w->peers[i1 - 1].addr_next) {
		p = peer_conf(w, i1 - 1);
		if (!addr_is_any(&p->remote) && addr_cmp(&p->remote, remote) != 0)
			continue;
		if (!addr_is_any(&p->local) && addr_cmp(&p->local, local) != 0)
			continue;
		return (i1 - 1);
	}
	return (NO_INDEX);
}

uint32_t
peer_first_addr(const struct world *w, const struct addr *local,
    const struct addr *remote)
{
	uint32_t	i;

	if (w->conf == NULL || w->nbyaddr == 0)
		return (NO_INDEX);
	i = peer_scan(w, w->byaddr[addr_bucket(w, remote)], local, remote);
	if (i != NO_INDEX)
		return (i);
	return (peer_scan(w, w->anypeers, local, remote));
}

uint32_t
peer_next_addr(const struct world *w, uint32_t i, const struct addr *local,
    const struct addr *remote)
{
	int		any = addr_is_any(&peer_conf(w, i)->remote);
	uint32_t	n;

	n = peer_scan(w, w->peers[i].addr_next, local, remote);
	if (n != NO_INDEX || any)
		return (n);
	return (peer_scan(w, w->anypeers, local, remote));
}

static uint32_t
id_scan(const struct world *w, const struct addr *local, const struct addr *remote,
    const struct ident *id)
{
	const struct conf_peer	*p;
	struct ident		 its;
	uint32_t		 i1 = w->byid[id_bucket(w, remote, id)];

	for (; i1 != 0; i1 = w->peers[i1 - 1].id_next) {
		p = peer_conf(w, i1 - 1);
		peer_remote_id(w, i1 - 1, &p->remote, &its);
		if (addr_cmp(&p->remote, remote) == 0 && ident_equal(&its, id) &&
		    (addr_is_any(&p->local) || addr_cmp(&p->local, local) == 0))
			return (i1 - 1);
	}
	return (NO_INDEX);
}

uint32_t
peer_byid(const struct world *w, const struct addr *local, const struct addr *remote,
    const struct ident *id)
{
	const struct addr	*l;
	struct addr		 any;
	uint32_t		 i;

	if (w->conf == NULL || w->nbyaddr == 0)
		return (NO_INDEX);
	memset(&any, 0, sizeof(any));
	if ((i = id_scan(w, local, remote, id)) != NO_INDEX ||
	    (i = id_scan(w, local, &any, id)) != NO_INDEX)
		return (i);
	for (i = w->anyids; i != 0; i = w->peers[i - 1].id_next) {
		l = &peer_conf(w, i - 1)->local;
		if (addr_is_any(l) || addr_cmp(l, local) == 0)
			return (i - 1);
	}
	return (NO_INDEX);
}

static void
id_of_addr(struct ident *id, const struct addr *a)
{
	memset(id, 0, sizeof(*id));
	if (addr_is_any(a))
		return;
	id->type = a->fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
	id->len = (uint8_t)addr_len(a);
	memcpy(id->data, a->b, id->len);
}

void
peer_local_id(const struct world *w, uint32_t i, const struct addr *a,
    struct ident *id)
{
	const struct conf_peer	*p = peer_conf(w, i);

	if (p->srcid.type != ID_NONE)
		*id = p->srcid;
	else
		id_of_addr(id, addr_is_any(&p->local) ? a : &p->local);
}

void
peer_remote_id(const struct world *w, uint32_t i, const struct addr *a,
    struct ident *id)
{
	const struct conf_peer	*p = peer_conf(w, i);

	if (p->dstid.type != ID_NONE)
		*id = p->dstid;
	else
		id_of_addr(id, addr_is_any(&p->remote) ? a : &p->remote);
}

int
ident_order(const struct ident *a, const struct ident *b)
{
	size_t	n = a->len < b->len ? a->len : b->len;
	int	c;

	if (a->type != b->type)
		return (a->type < b->type ? -1 : 1);
	if ((c = memcmp(a->data, b->data, n)) != 0)
		return (c);
	return (a->len == b->len ? 0 : a->len < b->len ? -1 : 1);
}

/* Merge sort of indices by name: n log n however the file is ordered. */
static void
sort_names(const struct conf *c, uint32_t *v, uint32_t *tmp, uint32_t n)
{
	uint32_t	m = n / 2, i, j, k;

	if (n < 2)
		return;
	sort_names(c, v, tmp, m);
	sort_names(c, v + m, tmp, n - m);
	memcpy(tmp, v, n * sizeof(*v));
	for (i = 0, j = m, k = 0; k < n; k++) {
		if (j == n || (i < m && strcmp(c->tunnels[tmp[i]].name,
		    c->tunnels[tmp[j]].name) <= 0))
			v[k] = tmp[i++];
		else
			v[k] = tmp[j++];
	}
}

int
runtime_new(const struct conf *c, struct peer **peers, struct tunnel **tunnels,
    uint32_t **byname)
{
	uint32_t	*tmp, i;

	*peers = calloc(c->npeers + 1, sizeof(**peers));
	*tunnels = calloc(c->ntunnels + 1, sizeof(**tunnels));
	*byname = calloc(c->ntunnels + 1, sizeof(**byname));
	tmp = calloc(c->ntunnels + 1, sizeof(*tmp));
	if (*peers == NULL || *tunnels == NULL || *byname == NULL || tmp == NULL) {
		free(*peers);
		free(*tunnels);
		free(*byname);
		free(tmp);
		return (-1);
	}
	for (i = 0; i < c->ntunnels; i++) {
		(*byname)[i] = i;
		(*tunnels)[i].peer = c->tunnels[i].peer;
		(*tunnels)[i].timer.kind = T_TUNNEL;
		(*tunnels)[i].timer.owner = (said)i + 1;
	}
	sort_names(c, *byname, tmp, c->ntunnels);
	free(tmp);
	return (0);
}

/* The first of its kind: same addresses, same offer.  kinds: hash of those so far. */
static int
first_of_kind(struct world *w, uint32_t i, uint32_t *kinds)
{
	const struct conf_peer	*q, *p = peer_conf(w, i);
	uint32_t		 k, b = kind_bucket(w, p);

	for (k = kinds[b]; k != 0; k = w->peers[k - 1].kind_next) {
		q = peer_conf(w, k - 1);
		if (addr_cmp(&q->remote, &p->remote) == 0 &&
		    addr_cmp(&q->local, &p->local) == 0 &&
		    conf_proposals_equal(q->ike, p->ike))
			return (0);
	}
	w->peers[i].kind_next = kinds[b];
	kinds[b] = i + 1;
	return (1);
}

static void
chain(uint32_t *head, uint32_t *next, uint32_t i)
{
	*next = *head;
	*head = i + 1;
}

/* Backwards, so that lists keep the order of the file. */
static void
chain_peers(struct world *w, const uint8_t *first)
{
	const struct conf_peer	*c;
	struct peer		*p;
	struct ident		 id;
	uint32_t		 i;

	w->anypeers = w->anyids = 0;
	for (i = w->conf->npeers; i-- > 0;) {
		c = peer_conf(w, i);
		p = &w->peers[i];
		if (c->absent != NULL)
			continue;
		if (first[i])
			chain(addr_is_any(&c->remote) ? &w->anypeers :
			    &w->byaddr[addr_bucket(w, &c->remote)], &p->addr_next, i);
		peer_remote_id(w, i, &c->remote, &id);
		chain(id.type == ID_NONE ? &w->anyids :
		    &w->byid[id_bucket(w, &c->remote, &id)], &p->id_next, i);
	}
}

static int
index_peers(struct world *w)
{
	uint32_t	*kinds, i, n = 16;
	uint8_t		*first;
	int		 r = -1;

	free(w->byaddr);
	free(w->byid);
	while (n < w->conf->npeers)
		n *= 2;
	w->nbyaddr = n;
	w->byaddr = calloc(n, sizeof(*w->byaddr));
	w->byid = calloc(n, sizeof(*w->byid));
	kinds = calloc(n, sizeof(*kinds));
	first = calloc(n, sizeof(*first));
	if (w->byaddr == NULL || w->byid == NULL || kinds == NULL || first == NULL)
		w->nbyaddr = 0;
	else {
		for (i = 0; i < w->conf->npeers; i++)
			first[i] = w->conf->peers[i].absent == NULL &&
			    first_of_kind(w, i, kinds);
		chain_peers(w, first);
		r = 0;
	}
	free(kinds);
	free(first);
	return (r);
}

int
runtime_index(struct world *w)
{
	struct peer	*p;
	uint32_t	 i;

	for (i = 0; i < w->conf->npeers; i++)
		w->peers[i].tunnels = 0;
	for (i = w->conf->ntunnels; i-- > 0;) {
		p = &w->peers[w->tunnels[i].peer];
		w->tunnels[i].next_of_peer = p->tunnels;
		p->tunnels = i + 1;
	}
	return (index_peers(w));
}

void
queue_tunnel(struct world *w, struct ike_sa *ike, uint32_t i)
{
	struct tunnel	*t = &w->tunnels[i];

	if (t->queued != 0)
		return;
	t->queued = ike->id;
	t->q_next = 0;
	if (ike->q_last != 0)
		w->tunnels[ike->q_last - 1].q_next = i + 1;
	else
		ike->q_first = i + 1;
	ike->q_last = i + 1;
	touch_ike(w, ike);
}

/* The taken one stays "queued" to no one: the caller says what comes of it. */
uint32_t
queue_take(struct world *w, struct ike_sa *ike)
{
	uint32_t	i = ike->q_first;

	if (i == 0)
		return (NO_INDEX);
	ike->q_first = w->tunnels[i - 1].q_next;
	if (ike->q_first == 0)
		ike->q_last = 0;
	w->tunnels[i - 1].q_next = 0;
	w->tunnels[i - 1].queued = 0;
	return (i - 1);
}
