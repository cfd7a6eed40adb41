/* SPDX-License-Identifier: ISC */
/* Questions to keys and kernel whose answers are still to come. */

#include "sa/world.h"

#define JOB_MS	10000	/* keys and kernel answer in ms; the kernel's own limit is 5 s */

struct job *
job_new(struct world *w, enum job_kind kind, said owner, int half)
{
	struct job	*j;
	said		 id;

	if (timers_reserve(&w->timers, 1) == -1)
		return (NULL);
	if ((j = slab_alloc(&w->jobs, &id)) == NULL) {
		timers_unreserve(&w->timers, 1);
		return (NULL);
	}
	j->token = id;
	j->kind = (uint8_t)kind;
	j->half = (uint8_t)half;
	j->owner = owner;
	j->timer.kind = T_JOB;
	j->timer.owner = id;
	timer_set(&w->timers, &j->timer, mono_add_ms(w->now, JOB_MS));
	return (j);
}

struct job *
job_get(const struct world *w, uint64_t token)
{
	return (slab_get(&w->jobs, token));
}

void
job_free(struct world *w, struct job *j)
{
	timer_cancel(&w->timers, &j->timer);
	timers_unreserve(&w->timers, 1);
	slab_release(&w->jobs, j->token);
}
