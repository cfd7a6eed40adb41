/* SPDX-License-Identifier: ISC */
/*
 * Questions to keys and kernel whose answers are still to come.  All get the same time, so
 * they are late in the order in which they were asked: a list, and one timer for all.
 */

#include "sa/world.h"

#define JOB_MS	10000	/* keys and kernel answer in ms; the kernel's own limit is 5 s */

struct job *
job_new(struct world *w, enum job_kind kind, said owner, int half)
{
	struct job	*j, *last;
	said		 id;

	if ((j = slab_alloc(&w->jobs, &id)) == NULL)
		return (NULL);
	j->token = id;
	j->kind = (uint8_t)kind;
	j->half = (uint8_t)half;
	j->owner = owner;
	j->by = mono_add_ms(w->now, JOB_MS);
	j->older = w->newest_job;
	if ((last = job_get(w, j->older)) != NULL)
		last->newer = id;
	else
		w->oldest_job = id;
	w->newest_job = id;
	if (w->late.pos == 0)
		timer_set(&w->timers, &w->late, j->by);
	return (j);
}

struct job *
job_get(const struct world *w, uint64_t token)
{
	return (slab_get(&w->jobs, token));
}

/* The timer stays when others have come meanwhile. */
void
job_free(struct world *w, struct job *j)
{
	struct job	*older = job_get(w, j->older), *newer = job_get(w, j->newer);

	if (older != NULL)
		older->newer = j->newer;
	else
		w->oldest_job = j->newer;
	if (newer != NULL)
		newer->older = j->older;
	else
		w->newest_job = j->older;
	if (w->newest_job == 0)
		timer_cancel(&w->timers, &w->late);
	slab_release(&w->jobs, j->token);
}

struct job *
job_late(struct world *w)
{
	struct job	*j = job_get(w, w->oldest_job);

	if (j != NULL && mono_reached(j->by, w->now))
		return (j);
	if (j != NULL)
		timer_set(&w->timers, &w->late, j->by);
	return (NULL);
}
