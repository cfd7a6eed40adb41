/* SPDX-License-Identifier: ISC */
/* A hierarchical timer wheel. */

#include <string.h>

#include "keepalive/wheel.h"

#define DIGIT(tick, level)	((tick) >> ((level) * WHEEL_BITS) & (WHEEL_SLOTS - 1))
#define TICK_MAX		((1ULL << (WHEEL_LEVELS * WHEEL_BITS)) - 1)	/* 40 bits */
#define DUE			(WHEEL_LEVELS + 1)	/* of wheel_node.in */

void
wheel_init(struct wheel *w)
{
	memset(w, 0, sizeof(*w));	/* which is what LIST_INIT does */
}

/* The tick at which it fires: the first one not before it. */
static uint64_t
tick_of(monotime at)
{
	uint64_t t;

	if (at.us <= 0)
		return (0);
	t = ((uint64_t)at.us + WHEEL_TICK_US - 1) / WHEEL_TICK_US;
	return (t > TICK_MAX ? TICK_MAX : t);
}

static void
place(struct wheel *w, struct wheel_node *n)
{
	uint64_t tick = n->tick;
	unsigned int level;

	if (tick <= w->tick) {
		n->in = DUE;
		LIST_INSERT_HEAD(&w->due, n, entry);
		return;
	}
	level = (63 - (unsigned int)__builtin_clzll(tick ^ w->tick)) /
	    WHEEL_BITS;
	n->in = (level + 1) & 0xf;
	n->slot = DIGIT(tick, level) & (WHEEL_SLOTS - 1);
	w->busy[level][n->slot / 64] |= 1ULL << n->slot % 64;
	LIST_INSERT_HEAD(&w->slot[level][n->slot], n, entry);
}

void
wheel_unset(struct wheel *w, struct wheel_node *n)
{
	unsigned int level;

	if (n->in == 0)
		return;
	LIST_REMOVE(n, entry);
	level = (unsigned int)n->in - 1;
	if (n->in != DUE && LIST_EMPTY(&w->slot[level][n->slot]))
		w->busy[level][n->slot / 64] &= ~(1ULL << n->slot % 64);
	n->in = 0;
}

void
wheel_set(struct wheel *w, struct wheel_node *n, monotime at)
{
	uint64_t tick = tick_of(at);

	if (n->in != 0 && n->tick == tick && at.us != MONO_NEVER.us)
		return;
	wheel_unset(w, n);
	n->tick = tick & TICK_MAX;
	if (at.us != MONO_NEVER.us)
		place(w, n);
}

/*
 * The tick of the first busy slot.  All slots of a level lie before all of the
 * next: theirs share with the current tick the digits that these differ in.
 */
static uint64_t
first(const struct wheel *w, unsigned int *level)
{
	unsigned int shift, i;

	for (*level = 0; *level < WHEEL_LEVELS; ++*level)
		for (i = 0; i < WHEEL_WORDS; i++) {
			if (w->busy[*level][i] == 0)
				continue;
			shift = *level * WHEEL_BITS;
			return ((w->tick >> shift >> WHEEL_BITS << WHEEL_BITS | (i * 64 +
			    (uint64_t)__builtin_ctzll(w->busy[*level][i]))) << shift);
		}
	return (UINT64_MAX);
}

monotime
wheel_deadline(const struct wheel *w)
{
	unsigned int level;
	uint64_t tick;

	if (!LIST_EMPTY(&w->due))
		return ((monotime){ (int64_t)w->tick * WHEEL_TICK_US });
	if ((tick = first(w, &level)) == UINT64_MAX)
		return (MONO_NEVER);
	return ((monotime){ (int64_t)tick * WHEEL_TICK_US });
}

/*
 * Time is at the first busy slot.  Of level 0 it is due as a whole, and nothing is yet: the
 * list gets another head, and no timer of it is looked at before its turn.
 */
static void
turn(struct wheel *w, uint64_t tick, unsigned int level)
{
	unsigned int slot = (unsigned int)DIGIT(tick, level);
	struct wheel_list *from = &w->slot[level][slot];
	struct wheel_node *n;

	w->tick = tick;
	w->busy[level][slot / 64] &= ~(1ULL << slot % 64);
	if (level == 0) {
		w->due.lh_first = LIST_FIRST(from);
		w->due.lh_first->entry.le_prev = &w->due.lh_first;
		LIST_INIT(from);
		return;
	}
	while ((n = LIST_FIRST(from)) != NULL) {
		LIST_REMOVE(n, entry);
		place(w, n);
	}
}

struct wheel_node *
wheel_next(struct wheel *w, monotime now)
{
	uint64_t tick, until = now.us <= 0 ? 0 : (uint64_t)now.us /
	    WHEEL_TICK_US;
	struct wheel_node *n;
	unsigned int level;

	if (until > TICK_MAX)
		until = TICK_MAX;
	while (LIST_EMPTY(&w->due)) {
		if ((tick = first(w, &level)) > until) {
			if (w->tick < until)
				w->tick = until;
			return (NULL);
		}
		turn(w, tick, level);
	}
	n = LIST_FIRST(&w->due);
	LIST_REMOVE(n, entry);
	n->in = 0;
	return (n);
}
