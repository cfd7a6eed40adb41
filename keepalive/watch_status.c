/* SPDX-License-Identifier: ISC */
/* What is known of the targets, for people: states, and events as they happen. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keepalive/how.h"
#include "keepalive/watch_local.h"

const char *
watch_event_name(enum watch_event_kind k)
{
	switch (k) {
	case WATCH_EV_UP:
		return ("up");
	case WATCH_EV_DOWN:
		return ("down");
	case WATCH_EV_VERDICT:
		return ("verdict");
	case WATCH_EV_ACTION:
		return ("action");
	case WATCH_EV_SOURCE:
		return ("source");
	}
	return ("?");
}

static const char *
verdict_of(const struct target *t)
{
	if (t->state == WATCH_NOSOURCE)
		return ("NO_SOURCE");
	if (t->state != WATCH_UP && t->verdict == VERDICT_NONE)
		return ("ACQUIRING");
	return (verdict_word((enum verdict)t->verdict));
}

void
target_event(struct watch *w, const struct target *t, enum watch_event_kind k,
    const char *fmt, ...)
{
	char reason[EVENT_TEXT], evidence[EVENT_TEXT], action[16];
	struct watch_event ev;
	va_list ap;

	if (w->io->event == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	target_note(w, t, evidence, sizeof(evidence));
	(void)snprintf(action, sizeof(action), "%.*s", k == WATCH_EV_ACTION ?
	    (int)strcspn(reason, ":") : 0, reason);
	ev.kind = k;
	ev.name = t->conf->name;
	ev.state = t->state;
	ev.source = t->src;
	ev.target = t->conf->target;
	ev.reason = reason;
	ev.evidence = evidence;
	ev.verdict = verdict_of(t);
	ev.action = action;
	w->io->event(w->io->arg, &ev);
}

void
target_status(const struct watch *w, const struct target *t,
    struct watch_status *st)
{
	memset(st, 0, sizeof(*st));
	(void)snprintf(st->name, sizeof(st->name), "%s", t->conf->name);
	st->state = w->backup ? WATCH_BACKUP : t->state;
	st->source = t->src;
	st->target = t->conf->target;
	st->interval_ms = t->conf->interval_ms;
	st->since = t->since;
	st->last_reply = t->last_reply;
	st->sent = t->sent;
	st->received = t->received;
	st->lost = t->lost;
	st->late = t->late;
	st->rtt_us = t->rtt_us;
	st->rtt_min_us = t->rtt_min_us;
	st->rtt_max_us = t->rtt_max_us;
	st->rtt_sum_us = t->rtt_sum_us;
	if (t->received > 0)
		st->rtt_avg_us = (uint32_t)(t->rtt_sum_us / t->received);
	target_figures(w, t, &st->fig);
	st->pmtu = t->pmtu != NULL ? t->pmtu->result : 0;
	st->mss = pmtu_mss(st->pmtu, t->conf->target.fam);
	st->verdict = verdict_of(t);
	target_note(w, t, st->note, sizeof(st->note));
}

int
watch_next(const struct watch *w, uint32_t *slot)
{
	for (; *slot < w->nslots; (*slot)++)
		if (w->slots[*slot] != NULL && w->slots[*slot]->state != 0)
			return (0);
	return (-1);
}

int
watch_find(const struct watch *w, const char *name, uint32_t *slot)
{
	for (*slot = 0; watch_next(w, slot) == 0; (*slot)++)
		if (strcmp(w->slots[*slot]->conf->name, name) == 0)
			return (0);
	return (-1);
}

int
watch_status_at(const struct watch *w, uint32_t slot, struct watch_status *st)
{
	if (slot >= w->nslots || w->slots[slot] == NULL ||
	    w->slots[slot]->state == 0)
		return (-1);
	target_status(w, w->slots[slot], st);
	return (0);
}

int
watch_how(const struct watch *w, uint32_t slot, struct probe *p,
    struct icmp_route *room)
{
	const struct conf_keepalive *ka;

	if (slot >= w->nslots || w->slots[slot] == NULL)
		return (-1);
	ka = w->slots[slot]->conf->ka;
	how_probe(ka, p, room);
	return (ka != NULL && ka->gateway);
}

int
watch_probe_now(struct watch *w, uint32_t slot, monotime now)
{
	struct target *t;

	if (w->backup || slot >= w->nslots ||
	    (t = w->slots[slot]) == NULL || t->state == 0 || t->state == WATCH_NOSOURCE)
		return (-1);
	if (target_pace(t) == KA_OFF)
		return (-1);
	if (t->fast_left == 0)
		t->fast_left = 1;	/* whatever passes meanwhile */
	t->next_probe = now;
	target_reschedule(w, t, now);
	return (0);
}
