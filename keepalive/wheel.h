/* SPDX-License-Identifier: ISC */
/*
 * A hierarchical timer wheel: adding, moving and removing a timer are O(1) whatever their
 * number, which a heap of 100,000 targets with 10,000 probes a second is not.  Pure.
 *
 * Five levels of 256 slots; a slot of level 0 is a tick of a millisecond, one of level n
 * is 256^n ticks.  A timer lies at the level of the highest digit (base 256) in which
 * its tick differs from the current one, and comes down a level whenever time reaches its
 * slot.  To come down is what costs most, as it is far from all caches by then: one that is
 * set for seconds does it once.  No timer fires early, and none more than a tick late (but for who calls late).
 */
#ifndef KEEPALIVE_WHEEL_H
#define KEEPALIVE_WHEEL_H

#include <sys/queue.h>

#include "base/mono.h"

#define WHEEL_TICK_US	1000
#define WHEEL_BITS	8
#define WHEEL_SLOTS	(1 << WHEEL_BITS)
#define WHEEL_WORDS	(WHEEL_SLOTS / 64)
#define WHEEL_LEVELS	5	/* 34 years of ticks */

struct wheel_node {			/* zeroed: not in a wheel */
	LIST_ENTRY(wheel_node)	 entry;
	uint64_t		 tick : 40;	/* when it fires */
	uint64_t		 in : 4;	/* level + 1 of where it is; 0: nowhere */
	uint64_t		 slot : WHEEL_BITS;
};
LIST_HEAD(wheel_list, wheel_node);

struct wheel {
	uint64_t		 tick;	/* all before it has been handed out */
	uint64_t		 busy[WHEEL_LEVELS][WHEEL_WORDS];	/* a bit a slot */
	struct wheel_list	 slot[WHEEL_LEVELS][WHEEL_SLOTS];
	struct wheel_list	 due;
};

void	 wheel_init(struct wheel *);
/* Where it was before, if anywhere, is forgotten.  MONO_NEVER: nowhere. */
void	 wheel_set(struct wheel *, struct wheel_node *, monotime at);
void	 wheel_unset(struct wheel *, struct wheel_node *);
/* When to call wheel_next: never later than the first timer's tick, and MONO_NEVER
 * when there is none.  A call may find nothing: then it has moved timers down. */
monotime wheel_deadline(const struct wheel *);
/* A timer that is due, out of the wheel; NULL: none (any more) now. */
struct wheel_node *wheel_next(struct wheel *, monotime now);

#endif
