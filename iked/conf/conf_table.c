/* SPDX-License-Identifier: ISC */
/* A hash table of indices: 64k statements are compared in linear time. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

/* FNV-1a; the file is written by root, so nobody chooses collisions. */
uint32_t
conf_table_hash(const void *data, size_t len, uint32_t seed)
{
	const uint8_t	*p = data;
	uint32_t	 h = 2166136261U ^ seed;

	while (len-- > 0)
		h = (h ^ *p++) * 16777619U;
	return (h);
}

int64_t
conf_table_find(const struct table *t, uint32_t hash, conf_table_same *same, void *arg)
{
	size_t	 i;

	if (t->cap == 0)
		return (-1);
	for (i = hash & (t->cap - 1); t->slot[i] != 0;
	    i = (i + 1) & (t->cap - 1))
		if (t->hash[i] == hash && same(arg, t->slot[i] - 1))
			return (t->slot[i] - 1);
	return (-1);
}

static void
place(struct table *t, uint32_t hash, uint32_t slot)
{
	size_t	 i;

	for (i = hash & (t->cap - 1); t->slot[i] != 0;
	    i = (i + 1) & (t->cap - 1))
		;
	t->slot[i] = slot;
	t->hash[i] = hash;
	t->n++;
}

static int
rehash(struct table *t)
{
	struct table	 n;
	size_t		 i;

	memset(&n, 0, sizeof(n));
	n.cap = t->cap == 0 ? 64 : t->cap * 2;
	n.slot = calloc(n.cap, sizeof(*n.slot));
	n.hash = calloc(n.cap, sizeof(*n.hash));
	if (n.slot == NULL || n.hash == NULL) {
		conf_table_free(&n);
		return (-1);
	}
	for (i = 0; i < t->cap; i++)
		if (t->slot[i] != 0)
			place(&n, t->hash[i], t->slot[i]);
	conf_table_free(t);
	*t = n;
	return (0);
}

int
conf_table_add(struct table *t, uint32_t hash, uint32_t i)
{
	if (2 * (t->n + 1) > t->cap && rehash(t) == -1)
		return (-1);
	place(t, hash, i + 1);
	return (0);
}

void
conf_table_free(struct table *t)
{
	free(t->slot);
	free(t->hash);
	memset(t, 0, sizeof(*t));
}
