/* SPDX-License-Identifier: ISC */
/* When a target's hooks are due: at each change between up and down, and after each test. */

#include <stdio.h>
#include <string.h>

#include "keepalive/watch_local.h"

static const char *
default_reason(const struct target *t, enum hook_kind kind)
{
	switch (kind) {
	case HOOK_UP:
		return ("replies come");
	case HOOK_DOWN:
		return (t->state == WATCH_LOCALMISS ? "probes do not reach "
		    "IPsec, or cannot be sent" : "no replies");
	case HOOK_TEST:
		break;
	}
	return (t->misses == 0 ? "answered" : "not answered");
}

/* What is known, in one word. */
static const char *
hook_verdict(const struct target *t)
{
	switch ((enum verdict)t->verdict) {
	case VERDICT_NONE:
	case VERDICT_NOTUNNEL:
		break;
	case VERDICT_ONEWAY:
	case VERDICT_DATADEAD:
		return ("data_dead");
	case VERDICT_SILENT:
		return ("target_silent");
	case VERDICT_PEERDEAD:
		return ("peer_dead");
	case VERDICT_EATEN:
	case VERDICT_NOSEND:
		return ("local_miss");
	}
	return (t->state == WATCH_UP ? "up" : t->state == WATCH_LOCALMISS ||
	    t->state == WATCH_NOSOURCE ? "local_miss" : "acquiring");
}

static void
fire(struct watch *w, const struct target *t, enum hook_kind kind)
{
	static const enum ka_str which[HOOK_KINDS] = { KA_ONUP, KA_ONDOWN,
	    KA_ONTEST };
	struct watch_figures fig;
	struct hook_event ev;
	char note[200];

	if (w->io->hook == NULL || t->conf->ka == NULL ||
	    t->conf->ka->str[which[kind]] == NULL)
		return;
	memset(&ev, 0, sizeof(ev));
	(void)snprintf(ev.name, sizeof(ev.name), "%s", t->conf->name);
	ev.kind = (uint8_t)kind;
	(void)snprintf(ev.state, sizeof(ev.state), "%s",
	    watch_state_name(t->state));
	(void)snprintf(ev.verdict, sizeof(ev.verdict), "%s",
	    hook_verdict(t));
	ev.source = t->src;
	ev.target = t->conf->target;
	ev.rtt_us = t->rtt_us;
	target_figures(w, t, &fig);
	ev.loss = fig.loss_1m;
	target_note(w, t, note, sizeof(note));
	(void)snprintf(ev.reason, sizeof(ev.reason), "%s", note[0] != '\0' ?
	    note : default_reason(t, kind));
	w->io->hook(w->io->arg, &ev);
}

/* While it is being brought up nothing has been decided. */
void
target_hook_state(struct watch *w, struct target *t)
{
	enum hook_kind kind = t->state == WATCH_UP ? HOOK_UP : HOOK_DOWN;

	if (w->backup || t->state == WATCH_ACQUIRING || t->state == 0 ||
	    t->hooked == kind + 1)
		return;
	t->hooked = (uint8_t)(kind + 1);
	fire(w, t, kind);
}

void
target_hook_test(struct watch *w, const struct target *t)
{
	fire(w, t, HOOK_TEST);
}
