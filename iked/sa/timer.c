/* SPDX-License-Identifier: ISC */
/*
 * The heap of deadlines.  It holds the times themselves, four below each: with hundreds of
 * thousands of timers a step down is one look at memory that is not in the cache, and
 * there are half as many steps as with two.
 */

#include <stdlib.h>
#include <string.h>

#include "sa/timer.h"

#define BELOW	4

struct deadline {
	monotime	 when;
	struct timer	*t;
};

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
	struct deadline	 *p;
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
put(struct timers *h, uint32_t i, struct deadline d)
{
	h->heap[i] = d;
	d.t->pos = i + 1;
}

static void
sift_up(struct timers *h, uint32_t i, struct deadline d)
{
	uint32_t	up;

	for (; i > 0; i = up) {
		up = (i - 1) / BELOW;
		if (!mono_before(d.when, h->heap[up].when))
			break;
		put(h, i, h->heap[up]);
	}
	put(h, i, d);
}

/* The soonest of those below i, or i itself when there is none. */
static uint32_t
soonest(const struct timers *h, uint32_t i)
{
	uint32_t	c = BELOW * i + 1, end = c + BELOW, best = c;

	if (c >= h->n)
		return (i);
	if (end > h->n)
		end = h->n;
	while (++c < end)
		if (mono_before(h->heap[c].when, h->heap[best].when))
			best = c;
	return (best);
}

static void
sift_down(struct timers *h, uint32_t i, struct deadline d)
{
	uint32_t	c;

	while ((c = soonest(h, i)) != i && mono_before(h->heap[c].when, d.when)) {
		put(h, i, h->heap[c]);
		i = c;
	}
	put(h, i, d);
}

void
timer_cancel(struct timers *h, struct timer *t)
{
	struct deadline	last;
	uint32_t	i;

	if (t->pos == 0)
		return;
	i = t->pos - 1;
	t->pos = 0;
	last = h->heap[--h->n];
	if (last.t == t)
		return;
	if (i > 0 && mono_before(last.when, h->heap[(i - 1) / BELOW].when))
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

void
timer_set(struct timers *h, struct timer *t, monotime when)
{
	struct deadline	d = { when, t };
	uint32_t	i;

	/* whoever embeds a timer has reserved its place */
	if (t->pos == 0 && h->n == h->cap)
		return;
	t->when = when;
	i = t->pos != 0 ? t->pos - 1 : h->n++;
	if (i > 0 && mono_before(when, h->heap[(i - 1) / BELOW].when))
		sift_up(h, i, d);
	else
		sift_down(h, i, d);
}

monotime
timers_next(const struct timers *h)
{
	return (h->n == 0 ? MONO_NEVER : h->heap[0].when);
}

struct timer *
timers_due(struct timers *h, monotime now)
{
	struct timer	*t;

	if (h->n == 0 || !mono_reached(h->heap[0].when, now))
		return (NULL);
	t = h->heap[0].t;
	timer_cancel(h, t);
	return (t);
}
