/* SPDX-License-Identifier: ISC */
/* The heap of deadlines. */

#include <stdlib.h>
#include <string.h>

#include "sa/timer.h"

void
timers_init(struct timers *h)
{
	memset(h, 0, sizeof(*h));
}

void
timers_destroy(struct timers *h)
{
	free(h->heap);
	timers_init(h);
}

int
timers_reserve(struct timers *h, uint32_t n)
{
	struct timer	**p;
	uint32_t	  cap = h->cap;

	if (h->reserved + n > cap) {
		cap = cap == 0 ? 64 : cap * 2;
		if (cap < h->reserved + n)
			cap = h->reserved + n;
		p = reallocarray(h->heap, cap, sizeof(*p));
		if (p == NULL)
			return (-1);
		h->heap = p;
		h->cap = cap;
	}
	h->reserved += n;
	return (0);
}

void
timers_unreserve(struct timers *h, uint32_t n)
{
	h->reserved = n > h->reserved ? 0 : h->reserved - n;
}

static void
put(struct timers *h, uint32_t i, struct timer *t)
{
	h->heap[i] = t;
	t->pos = i + 1;
}

static void
sift_up(struct timers *h, uint32_t i, struct timer *t)
{
	while (i > 0 && mono_before(t->when, h->heap[(i - 1) / 2]->when)) {
		put(h, i, h->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(h, i, t);
}

static void
sift_down(struct timers *h, uint32_t i, struct timer *t)
{
	uint32_t	c;

	while ((c = 2 * i + 1) < h->n) {
		if (c + 1 < h->n &&
		    mono_before(h->heap[c + 1]->when, h->heap[c]->when))
			c++;
		if (!mono_before(h->heap[c]->when, t->when))
			break;
		put(h, i, h->heap[c]);
		i = c;
	}
	put(h, i, t);
}

void
timer_cancel(struct timers *h, struct timer *t)
{
	struct timer	*last;
	uint32_t	 i;

	if (t->pos == 0)
		return;
	i = t->pos - 1;
	t->pos = 0;
	last = h->heap[--h->n];
	if (last == t)
		return;
	if (i > 0 && mono_before(last->when, h->heap[(i - 1) / 2]->when))
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

void
timer_set(struct timers *h, struct timer *t, monotime when)
{
	timer_cancel(h, t);
	/* whoever embeds a timer has reserved its place */
	if (h->n == h->cap)
		return;
	t->when = when;
	h->n++;
	sift_up(h, h->n - 1, t);
}

monotime
timers_next(const struct timers *h)
{
	return (h->n == 0 ? MONO_NEVER : h->heap[0]->when);
}

struct timer *
timers_due(struct timers *h, monotime now)
{
	struct timer	*t;

	if (h->n == 0 || !mono_reached(h->heap[0]->when, now))
		return (NULL);
	t = h->heap[0];
	timer_cancel(h, t);
	return (t);
}
