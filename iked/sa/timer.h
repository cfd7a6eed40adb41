/* SPDX-License-Identifier: ISC */
/*
 * Deadlines in a heap: set and cancel O(log n), the next one O(1).
 * A timer is embedded in its object and names it by id, so that a timer that
 * fires late finds nothing rather than something else.
 */
#ifndef SA_TIMER_H
#define SA_TIMER_H

#include "base/mono.h"
#include "sa/slab.h"

struct timer {
	monotime	when;
	said		owner;
	uint32_t	pos;		/* place in the heap + 1; 0: not set */
	uint8_t		kind;		/* the owner's business */
};

struct timers {
	struct deadline	 *heap;
	uint32_t	  n, cap;
	uint32_t	  reserved;	/* what objects alive may need */
};

void	 timers_init(struct timers *);
void	 timers_destroy(struct timers *);
/* Room for n more timers, so that timer_set() cannot fail: 0 or -1. */
int	 timers_reserve(struct timers *, uint32_t n);
void	 timers_unreserve(struct timers *, uint32_t n);
void	 timer_set(struct timers *, struct timer *, monotime when);
void	 timer_cancel(struct timers *, struct timer *);
monotime timers_next(const struct timers *);	/* MONO_NEVER: none */
/* Takes out the first timer due by now, or gives NULL. */
struct timer *timers_due(struct timers *, monotime now);

#endif
