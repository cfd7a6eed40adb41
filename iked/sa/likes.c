/* SPDX-License-Identifier: ISC */
/* Chains of objects with the same hash, the newest first. */

#include <stdlib.h>
#include <string.h>

#include "sa/likes.h"

#define FIRST	64

static struct like *
like_of(const struct likes *l, said id)
{
	uint8_t	*p = slab_get(l->slab, id);

	return (p == NULL ? NULL : (struct like *)(void *)(p + l->off));
}

int
likes_init(struct likes *l, const struct slab *s, size_t off)
{
	l->slab = s;
	l->off = off;
	l->n = FIRST;
	l->used = 0;
	return ((l->head = calloc(FIRST, sizeof(*l->head))) == NULL ? -1 : 0);
}

void
likes_destroy(struct likes *l)
{
	free(l->head);
	memset(l, 0, sizeof(*l));
}

/* Each chain becomes two, in the order it had. */
static void
grow(struct likes *l)
{
	said		*head, *end[2], id;
	struct like	*k;
	uint32_t	 b;

	if ((head = calloc((size_t)l->n * 2, sizeof(*head))) == NULL)
		return;
	for (b = 0; b < l->n; b++) {
		end[0] = &head[b];
		end[1] = &head[b + l->n];
		for (id = l->head[b]; (k = like_of(l, id)) != NULL; id = k->next) {
			*end[(k->hash & l->n) != 0] = id;
			end[(k->hash & l->n) != 0] = &k->next;
		}
		*end[0] = *end[1] = 0;
	}
	free(l->head);
	l->head = head;
	l->n *= 2;
}

void
likes_add(struct likes *l, said id, uint32_t hash)
{
	struct like	*k = like_of(l, id);

	if (k == NULL || k->in)
		return;
	if (l->used >= l->n)
		grow(l);
	k->in = 1;
	k->hash = hash;
	k->next = l->head[hash & (l->n - 1)];
	l->head[hash & (l->n - 1)] = id;
	l->used++;
}

void
likes_del(struct likes *l, said id)
{
	struct like	*k = like_of(l, id), *x;
	said		*p;

	if (k == NULL || !k->in)
		return;
	for (p = &l->head[k->hash & (l->n - 1)]; *p != id; p = &x->next)
		if ((x = like_of(l, *p)) == NULL)
			return;
	*p = k->next;
	k->next = 0;
	k->in = 0;
	l->used--;
}

void
likes_again(struct likes *l, uint32_t (*hash)(const void *, said), const void *arg)
{
	struct like	*k;
	said		 all = 0, id, next;
	uint32_t	 b;

	for (b = 0; b < l->n; b++) {
		for (id = l->head[b]; (k = like_of(l, id)) != NULL; id = next) {
			next = k->next;
			k->next = all;
			all = id;
		}
		l->head[b] = 0;
	}
	/* the oldest of each chain comes first, and ends behind the others again */
	for (; (k = like_of(l, all)) != NULL; all = next) {
		next = k->next;
		k->hash = hash(arg, all);
		k->next = l->head[k->hash & (l->n - 1)];
		l->head[k->hash & (l->n - 1)] = all;
	}
}

static said
same(const struct likes *l, said id, uint32_t hash)
{
	const struct like	*k;

	for (; (k = like_of(l, id)) != NULL; id = k->next)
		if (k->hash == hash)
			return (id);
	return (0);
}

said
likes_first(const struct likes *l, uint32_t hash)
{
	return (same(l, l->head[hash & (l->n - 1)], hash));
}

said
likes_next(const struct likes *l, said id)
{
	const struct like	*k = like_of(l, id);

	return (k == NULL ? 0 : same(l, k->next, k->hash));
}
