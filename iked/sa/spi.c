/* SPDX-License-Identifier: ISC */
/*
 * SPIs.  An IKE SPI of ours is 24 bits of slot and 40 random ones: it is found by
 * an index and a compare, and cannot be guessed.  A Child's SPI has too few bits for
 * both, so it is all random and found through a hash; being random, it
 * needs no keyed hash.  Half-open responders are also found by what their
 * IKE_SA_INIT came with, since the initiator does not know our SPI yet.
 */

#include <stdlib.h>
#include <string.h>

#include "sa/world.h"

#define SLOT_SHIFT	40
#define SLOT_RANDOM	((1ULL << SLOT_SHIFT) - 1)
#define SLOTS_MIN	65536U	/* half-open ones have had their share of them */
#define CHILD_SPI_MIN	0x10000U

static int
slots_grow(struct world *w)
{
	struct slot	*n;
	uint32_t	 i, cap = w->nslots == 0 ? 64 : w->nslots * 2;

	if (cap > (1U << 24))
		return (-1);
	if ((n = reallocarray(w->slots, cap, sizeof(*n))) == NULL)
		return (-1);
	memset(n + w->nslots, 0, (cap - w->nslots) * sizeof(*n));
	w->slots = n;
	for (i = cap; i-- > w->nslots;) {
		n[i].next = w->freeslot;
		n[i].listed = 1;
		w->freeslot = i + 1;
	}
	w->nslots = cap;
	return (0);
}

int
slot_new(struct world *w, uint64_t *spi, uint32_t *slot)
{
	struct slot	*s;
	uint64_t	 r;

	do {
		if (w->freeslot == 0 && slots_grow(w) == -1)
			return (-1);
		*slot = w->freeslot - 1;
		s = &w->slots[*slot];
		w->freeslot = s->next;
		s->listed = 0;
	} while (s->spi != 0);	/* somebody's, by name */
	do {
		world_random(w, &r, sizeof(r));
	} while ((r & SLOT_RANDOM) == 0);
	s->spi = (uint64_t)*slot << SLOT_SHIFT | (r & SLOT_RANDOM);
	s->owner = 0;
	s->half = 0;
	s->next = 0;
	*spi = s->spi;
	return (0);
}

/* The index is bounded by what an engine with that many tunnels may have come to. */
int
slot_take(struct world *w, uint64_t spi, uint32_t *slot)
{
	uint64_t	i = spi >> SLOT_SHIFT;

	if ((spi & SLOT_RANDOM) == 0 || w->conf == NULL ||
	    i >= SLOTS_MIN + (uint64_t)w->conf->ntunnels * 4)
		return (-1);
	while (i >= w->nslots)
		if (slots_grow(w) == -1)
			return (-1);
	if (w->slots[i].spi != 0)
		return (-1);
	w->slots[i].spi = spi;
	w->slots[i].owner = 0;
	w->slots[i].half = 0;
	*slot = (uint32_t)i;
	return (0);
}

void
slot_bind(struct world *w, uint32_t slot, said owner, int half)
{
	w->slots[slot].owner = owner;
	w->slots[slot].half = (uint8_t)half;
}

void
slot_free(struct world *w, uint32_t slot)
{
	if (slot >= w->nslots || w->slots[slot].spi == 0)
		return;
	w->slots[slot].spi = 0;
	w->slots[slot].owner = 0;
	if (w->slots[slot].listed)
		return;
	w->slots[slot].listed = 1;
	w->slots[slot].next = w->freeslot;
	w->freeslot = slot + 1;
}

const struct slot *
slot_find(const struct world *w, uint64_t spi)
{
	uint64_t	i = spi >> SLOT_SHIFT;

	if (spi == 0 || i >= w->nslots || w->slots[i].spi != spi ||
	    w->slots[i].owner == 0)
		return (NULL);
	return (&w->slots[i]);
}

int
slot_reserved(const struct world *w, uint64_t spi)
{
	uint64_t	i = spi >> SLOT_SHIFT;

	return (spi != 0 && i < w->nslots && w->slots[i].spi == spi &&
	    w->slots[i].owner == 0);
}

static uint32_t
child_bucket(const struct world *w, uint32_t spi)
{
	return ((spi ^ spi >> 16) & (w->nchildhash - 1));
}

/* Keyed, since the peer chooses it. */
static uint32_t
out_bucket(const struct world *w, uint32_t spi)
{
	uint64_t	h = (w->hashkey ^ spi) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
	return ((uint32_t)(h >> 32) & (w->nchildhash - 1));
}

static void
out_add(struct world *w, struct child_sa *c)
{
	uint32_t	b = out_bucket(w, c->spi_out);

	c->out_next = w->outhash[b];
	w->outhash[b] = c->id;
}

void
child_set_out(struct world *w, struct child_sa *c, uint32_t spi_out)
{
	c->spi_out = spi_out;
	if (spi_out != 0)
		out_add(w, c);
}

struct child_sa *
child_byout_next(const struct world *w, const struct child_sa *c, uint32_t spi_out)
{
	said	id;

	if (w->nchildhash == 0)
		return (NULL);
	id = c != NULL ? c->out_next : w->outhash[out_bucket(w, spi_out)];
	for (; (c = child_get(w, id)) != NULL; id = c->out_next)
		if (c->spi_out == spi_out)
			return (child_get(w, id));
	return (NULL);
}

static void
out_del(struct world *w, struct child_sa *c)
{
	struct child_sa	*x;
	said		*p = &w->outhash[out_bucket(w, c->spi_out)];

	for (; *p != c->id; p = &x->out_next)
		if ((x = child_get(w, *p)) == NULL)
			return;
	*p = c->out_next;
	c->out_next = 0;
}

uint32_t
child_spi_new(struct world *w)
{
	uint32_t	spi;

	do {
		world_random(w, &spi, sizeof(spi));
	} while (spi < CHILD_SPI_MIN || child_byspi(w, spi) != NULL);
	return (spi);
}

static int
child_hash_grow(struct world *w)
{
	struct child_sa	*c;
	said		*h, *o, id;
	uint32_t	 b, at, cap = w->nchildhash == 0 ? 64 : w->nchildhash * 2;

	h = calloc(cap, sizeof(*h));
	o = calloc(cap, sizeof(*o));
	if (h == NULL || o == NULL) {
		free(h);
		free(o);
		return (-1);
	}
	free(w->childhash);
	free(w->outhash);
	w->childhash = h;
	w->outhash = o;
	w->nchildhash = cap;
	for (at = 0; (c = slab_walk(&w->childs, &at, &id)) != NULL;) {
		if (c->id == 0)
			continue;	/* the one being made */
		b = child_bucket(w, c->spi_in);
		w->childnext[(uint32_t)id - 1] = h[b];
		h[b] = id;
		if (c->spi_out != 0)
			out_add(w, c);
	}
	return (0);
}

/* childnext[] is as long as the slab of Children may need it. */
static int
child_next_grow(struct world *w, uint32_t idx)
{
	said		*n;
	uint32_t	 cap = w->nchildnext == 0 ? 64 : w->nchildnext;

	while (cap <= idx)
		cap *= 2;
	if (cap == w->nchildnext)
		return (0);
	if ((n = reallocarray(w->childnext, cap, sizeof(*n))) == NULL)
		return (-1);
	memset(n + w->nchildnext, 0, (cap - w->nchildnext) * sizeof(*n));
	w->childnext = n;
	w->nchildnext = cap;
	return (0);
}

int
child_hash_add(struct world *w, struct child_sa *c)
{
	said		id = c->id;
	uint32_t	b, idx = (uint32_t)id - 1;

	if (child_next_grow(w, idx) == -1)
		return (-1);
	if (w->childs.used > w->nchildhash) {
		c->id = 0;
		if (child_hash_grow(w) == -1) {
			c->id = id;
			return (-1);
		}
		c->id = id;
	}
	b = child_bucket(w, c->spi_in);
	w->childnext[idx] = w->childhash[b];
	w->childhash[b] = id;
	return (0);
}

void
child_hash_del(struct world *w, struct child_sa *c)
{
	said	*p;

	if (w->nchildhash == 0)
		return;
	if (c->spi_out != 0)
		out_del(w, c);
	for (p = &w->childhash[child_bucket(w, c->spi_in)]; *p != 0;
	    p = &w->childnext[(uint32_t)*p - 1])
		if (*p == c->id) {
			*p = w->childnext[(uint32_t)c->id - 1];
			return;
		}
}

struct child_sa *
child_byspi(const struct world *w, uint32_t spi)
{
	struct child_sa	*c;
	said		 id;

	if (w->nchildhash == 0)
		return (NULL);
	for (id = w->childhash[child_bucket(w, spi)]; id != 0;
	    id = w->childnext[(uint32_t)id - 1])
		if ((c = child_get(w, id)) != NULL && c->spi_in == spi)
			return (c);
	return (NULL);
}

/* Keyed, since the peer chooses what goes in. */
static uint32_t
init_bucket(const struct world *w, const struct endpoint *remote, uint64_t spii)
{
	uint64_t	h = w->hashkey ^ spii;
	size_t		i;

	for (i = 0; i < addr_len(&remote->addr); i++)
		h = (h ^ remote->addr.b[i]) * 0x9e3779b97f4a7c15ULL;
	h = (h ^ remote->port) * 0x9e3779b97f4a7c15ULL;
	h ^= h >> 29;
	return ((uint32_t)(h * 0xbf58476d1ce4e5b9ULL >> 40) & (HASH_INIT - 1));
}

void
init_hash_add(struct world *w, struct ike_half *h)
{
	uint32_t	b = init_bucket(w, &h->c.remote, h->c.spii);

	h->hash_next = w->inithash[b];
	w->inithash[b] = h->id;
	w->nhalfresp++;
}

void
init_hash_del(struct world *w, struct ike_half *h)
{
	struct ike_half	*x;
	said		*p = &w->inithash[init_bucket(w, &h->c.remote, h->c.spii)];

	for (; *p != 0; p = &x->hash_next) {
		if ((x = half_get(w, *p)) == NULL)
			return;
		if (x == h) {
			*p = h->hash_next;
			w->nhalfresp--;
			return;
		}
	}
}

struct ike_half *
init_hash_find(const struct world *w, const struct endpoint *remote,
    uint64_t spii, const uint8_t *msg, size_t len)
{
	struct ike_half	*h;
	said		 id;

	for (id = w->inithash[init_bucket(w, remote, spii)]; id != 0;
	    id = h->hash_next) {
		if ((h = half_get(w, id)) == NULL)
			return (NULL);
		if (h->c.spii == spii && h->init != NULL &&
		    endpoint_cmp(&h->c.remote, remote) == 0 &&
		    h->init->len1 == len &&
		    memcmp(h->init->msg1, msg, len) == 0)
			return (h);
	}
	return (NULL);
}
