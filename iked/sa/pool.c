/* SPDX-License-Identifier: ISC */
/*
 * Addresses that are given to peers (RFC 7296 2.19): a pool a tunnel and family.
 *
 * Which address a peer gets follows from its identity, so it gets the same one
 * again, over our restarts, too, without anything being kept: the identity's hash is where
 * the search for a free one begins.  A pool larger than POOL_MAX is used up to there.
 */

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "sa/world.h"

#define POOL_MAX	65536

struct pool {
	struct prefix	net;
	uint32_t	first, n;	/* addresses first .. first + n - 1 of net */
	uint32_t	used;
	struct {
		uint64_t	who;
		uint32_t	refs;	/* IKE SAs that have it: a peer that came anew has two */
	}		e[];
};

static unsigned int
family(uint8_t fam)
{
	return (fam == ADDR_V4 ? 0 : 1);
}

static struct pool *
pool_new(const struct prefix *net)
{
	unsigned int	 bits = (unsigned int)addr_len(&net->addr) * 8 - net->len;
	uint32_t	 n = bits >= 16 ? POOL_MAX : 1U << bits, first = 0;
	struct pool	*p;

	/* the network itself and, in IPv4, the broadcast address are no host's */
	if (bits >= 2) {
		first = 1;
		n -= bits <= 16 ? 2 : 1;
	}
	if ((p = calloc(1, sizeof(*p) + n * sizeof(p->e[0]))) == NULL)
		return (NULL);
	p->net = *net;
	p->first = first;
	p->n = n;
	return (p);
}

static struct pool *
pool_of(struct world *w, uint32_t tunnel, uint8_t fam)
{
	struct pool		**p = &w->tunnels[tunnel].pool[family(fam)];
	const struct prefix	 *net;

	if (*p == NULL && (net = conf_pool(tunnel_conf(w, tunnel), fam)) != NULL)
		*p = pool_new(net);
	return (*p);
}

/* The number of an address in the pool, or -1. */
static int64_t
number(const struct pool *p, const struct addr *a)
{
	size_t		 i, len = addr_len(a);
	uint64_t	 d = 0;

	if (!prefix_contains(&p->net, a))
		return (-1);
	for (i = len - 4; i < len; i++)
		d = d << 8 | (a->b[i] ^ p->net.addr.b[i]);
	for (i = 0; i < len - 4; i++)
		if (a->b[i] != p->net.addr.b[i])
			return (-1);
	return (d >= p->first && d - p->first < p->n ? (int64_t)(d - p->first) : -1);
}

static uint64_t
who_is(const struct ident *id)
{
	static const uint8_t	 key[SIPHASH_KEYLEN];	/* it only spreads */
	uint8_t			 buf[1 + ID_MAXLEN];

	buf[0] = id->type;
	memcpy(buf + 1, id->data, id->len);
	return (siphash24(key, buf, 1 + (size_t)id->len));
}

/* Free, or that peer's already. */
static int
may_have(const struct pool *p, int64_t i, uint64_t who)
{
	return (i >= 0 && (p->e[i].refs == 0 || p->e[i].who == who));
}

static int64_t
pick(const struct pool *p, uint64_t who, const struct addr *wish)
{
	uint32_t	 k, at = (uint32_t)(who % p->n);
	int64_t		 i = wish->fam == p->net.addr.fam ? number(p, wish) : -1;

	if (may_have(p, i, who))
		return (i);
	for (k = 0; k < p->n; k++) {
		i = (at + k) % p->n;
		if (may_have(p, i, who))
			return (i);
	}
	return (-1);
}

int
lease_take(struct world *w, struct ike_sa *ike, uint32_t tunnel, uint8_t fam,
    const struct addr *wish)
{
	struct pool	*p = pool_of(w, tunnel, fam);
	struct addr	*a = &ike->lease[family(fam)];
	uint64_t	 who;
	int64_t		 i;

	if (ike->leased != 0 && ike->leased != tunnel + 1)
		return (-1);
	if (ike->leased != 0 && a->fam != ADDR_NONE)
		return (0);
	if (p == NULL || ike->rid == NULL)
		return (-1);
	who = who_is(ike->rid);
	if ((i = pick(p, who, wish)) == -1 ||
	    prefix_host(&p->net, p->first + (uint32_t)i, a) == -1)
		return (-1);
	p->used += p->e[i].refs++ == 0;
	p->e[i].who = who;
	ike->leased = tunnel + 1;
	return (0);
}

void
lease_end(struct world *w, struct ike_sa *ike)
{
	struct pool	*p;
	unsigned int	 f;
	int64_t		 i;

	for (f = 0; ike->leased != 0 && f < 2; f++) {
		p = w->tunnels[ike->leased - 1].pool[f];
		if (p == NULL || ike->lease[f].fam == ADDR_NONE ||
		    (i = number(p, &ike->lease[f])) == -1 || p->e[i].refs == 0)
			continue;
		p->used -= --p->e[i].refs == 0;
	}
	ike->leased = 0;
	memset(ike->lease, 0, sizeof(ike->lease));
}

void
lease_move(struct ike_sa *from, struct ike_sa *to)
{
	to->leased = from->leased;
	memcpy(to->lease, from->lease, sizeof(to->lease));
	from->leased = 0;
	memset(from->lease, 0, sizeof(from->lease));
}

void
lease_ts(const struct ike_sa *ike, struct tslist *l)
{
	struct prefix	 host;
	unsigned int	 f;

	l->n = 0;
	for (f = 0; ike->leased != 0 && f < 2; f++) {
		if (ike->lease[f].fam == ADDR_NONE)
			continue;
		host.addr = ike->lease[f];
		host.len = (uint8_t)(8 * addr_len(&host.addr));
		ts_from_prefix(&l->t[l->n++], &host, 0, 0);
	}
}

void
pools_free(struct tunnel *t)
{
	free(t->pool[0]);
	free(t->pool[1]);
	t->pool[0] = t->pool[1] = NULL;
}
