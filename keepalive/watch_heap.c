/* SPDX-License-Identifier: ISC */
/* A binary heap of targets by deadline: one next deadline, however many targets. */

#include "keepalive/watch_local.h"

static int
earlier(const struct watch *w, size_t a, size_t b)
{
	return (mono_before(w->heap[a]->deadline, w->heap[b]->deadline));
}

static void
swap(struct watch *w, size_t a, size_t b)
{
	struct target *t = w->heap[a];

	w->heap[a] = w->heap[b];
	w->heap[b] = t;
	w->heap[a]->heap = a;
	w->heap[b]->heap = b;
}

static void
settle(struct watch *w, size_t i)
{
	size_t least;

	for (; i > 1 && earlier(w, i, i / 2); i /= 2)
		swap(w, i, i / 2);
	for (;;) {
		least = i;
		if (2 * i <= w->n && earlier(w, 2 * i, least))
			least = 2 * i;
		if (2 * i + 1 <= w->n && earlier(w, 2 * i + 1, least))
			least = 2 * i + 1;
		if (least == i)
			return;
		swap(w, i, least);
		i = least;
	}
}

void
heap_push(struct watch *w, struct target *t)
{
	t->heap = ++w->n;
	w->heap[w->n] = t;
	settle(w, w->n);
}

void
heap_remove(struct watch *w, struct target *t)
{
	size_t i = t->heap;

	if (i != w->n)
		swap(w, i, w->n);
	w->n--;
	if (i <= w->n)
		settle(w, i);
	t->heap = 0;
}

void
heap_moved(struct watch *w, struct target *t)
{
	settle(w, t->heap);
}
