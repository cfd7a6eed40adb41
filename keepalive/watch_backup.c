/* SPDX-License-Identifier: ISC */
/*
 * The backup of a pair (CARP, VRRP) has the same configuration and not the addresses: what it
 * sent would be answered to the master, if at all, and what it asked iked for would
 * compete with the master's tunnels.  So it does neither, and keeps what it knows.  To become
 * the master is to start.
 */

#include "keepalive/watch_local.h"

/* What is out is neither answered nor lost. */
static void
forget_probes(struct target *t)
{
	struct slot *s;

	for (; t->tail != t->seq; t->tail++) {
		s = &t->ring[t->tail & t->ring_mask];
		if (s->state != SLOT_COUNTED)
			continue;
		s->state = SLOT_FREE;
		t->sent--;
	}
}

void
watch_backup(struct watch *w, int on, monotime now)
{
	struct target *t;
	size_t i;

	if (w->backup == (on != 0))
		return;
	w->backup = on != 0;
	log_info(w->io->log, on ? "this node is the backup: nothing is sent or "
	    "asked for" : "this node is the master: watching");
	for (i = 0; i < w->n; i++) {
		if ((t = w->all[i])->state == 0)
			continue;
		todo_clear(w, t);
		if (on) {
			forget_probes(t);
			target_reschedule(w, t, now);
		} else
			t->state = 0;
		todo_set(w, t, TODO_REPORT);
	}
	if (!on && w->have_addrs)
		watch_start_all(w, now);
}
