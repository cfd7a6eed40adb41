/* SPDX-License-Identifier: ISC */
/*
 * Slabs.  Each object stands behind a small header with its generation, which
 * is odd while the object lives: an id is good only while generations agree.
 */

#include <stdlib.h>
#include <string.h>

#include "sa/slab.h"

struct slab_hdr {
	uint32_t	gen;	/* odd: alive */
	uint32_t	next;	/* index + 1 in the free or the dead list */
};

static size_t
stride(const struct slab *s)
{
	return (sizeof(struct slab_hdr) + ((s->size + 15) & ~(size_t)15));
}

static struct slab_hdr *
hdr(const struct slab *s, uint32_t idx)
{
	uint8_t	*p = s->chunks[idx / SLAB_CHUNK];

	return ((struct slab_hdr *)(void *)
	    (p + (size_t)(idx % SLAB_CHUNK) * stride(s)));
}

static void *
body(struct slab_hdr *h)
{
	return (h + 1);
}

void
slab_init(struct slab *s, size_t objsize)
{
	memset(s, 0, sizeof(*s));
	s->size = objsize;
}

void
slab_destroy(struct slab *s)
{
	uint32_t	i;

	for (i = 0; i < s->nchunks; i++) {
		explicit_bzero(s->chunks[i], SLAB_CHUNK * stride(s));
		free(s->chunks[i]);
	}
	free(s->chunks);
	slab_init(s, s->size);
}

static int
grow(struct slab *s)
{
	uint8_t		**n, *chunk;
	uint32_t	  i, base = s->nchunks * SLAB_CHUNK;

	/* 24 bits of index fit in an SPI (sa/spi.c) */
	if (base >= (1U << 24) - SLAB_CHUNK)
		return (-1);
	n = reallocarray(s->chunks, s->nchunks + 1, sizeof(*n));
	if (n == NULL)
		return (-1);
	s->chunks = n;
	if ((chunk = calloc(SLAB_CHUNK, stride(s))) == NULL)
		return (-1);
	s->chunks[s->nchunks++] = chunk;
	for (i = SLAB_CHUNK; i-- > 0;) {
		hdr(s, base + i)->next = s->free;
		s->free = base + i + 1;
	}
	return (0);
}

void *
slab_alloc(struct slab *s, said *id)
{
	struct slab_hdr	*h;
	uint32_t	 idx;

	if (s->free == 0 && grow(s) == -1)
		return (NULL);
	idx = s->free - 1;
	h = hdr(s, idx);
	s->free = h->next;
	h->next = 0;
	h->gen++;
	s->used++;
	*id = (uint64_t)h->gen << 32 | (idx + 1);
	return (body(h));
}

void *
slab_get(const struct slab *s, said id)
{
	struct slab_hdr	*h;
	uint32_t	 idx = (uint32_t)id;

	if (idx == 0 || idx > s->nchunks * SLAB_CHUNK)
		return (NULL);
	h = hdr(s, idx - 1);
	if ((h->gen & 1) == 0 || h->gen != (uint32_t)(id >> 32))
		return (NULL);
	return (body(h));
}

void
slab_release(struct slab *s, said id)
{
	struct slab_hdr	*h;

	if (slab_get(s, id) == NULL)
		return;
	h = hdr(s, (uint32_t)id - 1);
	h->gen++;
	h->next = s->dead;
	s->dead = (uint32_t)id;
	s->used--;
}

void
slab_flush(struct slab *s)
{
	struct slab_hdr	*h;
	uint32_t	 idx;

	while ((idx = s->dead) != 0) {
		h = hdr(s, idx - 1);
		s->dead = h->next;
		explicit_bzero(body(h), s->size);
		h->next = s->free;
		s->free = idx;
	}
}

void *
slab_walk(const struct slab *s, uint32_t *at, said *id)
{
	struct slab_hdr	*h;

	while (*at < s->nchunks * SLAB_CHUNK) {
		h = hdr(s, (*at)++);
		if ((h->gen & 1) == 0)
			continue;
		if (id != NULL)
			*id = (uint64_t)h->gen << 32 | *at;
		return (body(h));
	}
	return (NULL);
}
