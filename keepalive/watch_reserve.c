/* SPDX-License-Identifier: ISC */
/*
 * `backup "tunnel" preempt T': when a tunnel stays down another one is brought up, and
 * taken down when the first has been up for that time.  iked takes down for us only what it
 * has brought up for us.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define STAYS_MS	10000	/* down for so long */
#define AGAIN_MS	30000	/* asked for again, as long as it is */

static const char *
reserve_name(const struct target *t)
{
	return (t->conf->ka != NULL ? t->conf->ka->str[KA_BACKUP] : NULL);
}

void
reserve_state(struct target *t, monotime now)
{
	struct reserve *r = t->reserve;

	if (reserve_name(t) == NULL || (r == NULL && (r = t->reserve =
	    calloc(1, sizeof(*r))) == NULL))
		return;
	r->at = MONO_NEVER;
	if (t->state == WATCH_DOWN)
		r->at = mono_add_ms(now, r->on ? AGAIN_MS : STAYS_MS);
	else if (t->state == WATCH_UP && r->on)
		r->at = mono_add_ms(now, (int64_t)t->conf->ka->preempt * 1000);
}

/* iked is there again, and may know nothing of it. */
void
reserve_linked(struct target *t, monotime now)
{
	if (t->reserve != NULL && t->reserve->on && t->state == WATCH_DOWN)
		t->reserve->at = now;
}

void
reserve_free(struct watch *w, struct target *t)
{
	if (t->reserve != NULL && t->reserve->on)
		TAILQ_REMOVE(&w->reserves, t, resent);
	free(t->reserve);
	t->reserve = NULL;
}

static void
begin(struct watch *w, struct target *t)
{
	if (t->reserve->on)
		return;
	t->reserve->on = 1;
	TAILQ_INSERT_TAIL(&w->reserves, t, resent);
	log_warnx(w->io->log, "keepalive \"%s\": stays down: its backup \"%s\" is brought up",
	    t->conf->name, reserve_name(t));
	target_event(w, t, WATCH_EV_ACTION, "backup: \"%s\" is brought up",
	    reserve_name(t));
}

static void
end(struct watch *w, struct target *t)
{
	t->reserve->on = 0;
	TAILQ_REMOVE(&w->reserves, t, resent);
	log_info(w->io->log, "keepalive \"%s\": up for %u s: its backup \"%s\" is let go",
	    t->conf->name, t->conf->ka->preempt, reserve_name(t));
	target_event(w, t, WATCH_EV_ACTION, "preempt: \"%s\" is let go", reserve_name(t));
}

void
reserve_expire(struct watch *w, struct target *t, monotime now)
{
	struct reserve *r = t->reserve;

	if (r == NULL || !mono_reached(r->at, now))
		return;
	r->at = MONO_NEVER;
	if (!w->linked)
		return;
	if (t->state == WATCH_UP && r->on) {
		end(w, t);
		todo_set(w, t, TODO_RESERVE);
	} else if (t->state == WATCH_DOWN) {
		r->at = mono_add_ms(now, AGAIN_MS);
		/* it carries traffic, only the target is silent */
		if (t->verdict == VERDICT_SILENT)
			return;
		begin(w, t);
		todo_set(w, t, TODO_RESERVE);
	}
}

/* Another tunnel that is down has the same one, or it is watched and kept up anyway. */
static int
shared(const struct watch *w, const struct target *t)
{
	const struct target *o;
	uint32_t slot;

	if (watch_find(w, reserve_name(t), &slot) == 0)
		return (1);
	TAILQ_FOREACH(o, &w->reserves, resent)
		if (o != t && strcmp(reserve_name(o), reserve_name(t)) == 0)
			return (1);
	return (0);
}

int
reserve_command(const struct watch *w, const struct target *t, char *line, size_t cap)
{
	if (t->reserve == NULL || (!t->reserve->on && shared(w, t)))
		return (0);
	(void)snprintf(line, cap, "%s \"%s\"", t->reserve->on ? "up" : "down",
	    reserve_name(t));
	return (1);
}
