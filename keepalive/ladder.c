/* SPDX-License-Identifier: ISC */

#include "keepalive/ladder.h"

const char *
rung_word(enum rung r)
{
	switch (r) {
	case RUNG_NONE:
		break;
	case RUNG_REKEY:
		return ("rekey");
	case RUNG_RECREATE:
		return ("recreate");
	case RUNG_RESET:
		return ("reset");
	case RUNG_ALARM:
		return ("alarm");
	}
	return ("none");
}

/* Decorrelated jitter: evenly between the least and three times the last. */
static uint32_t
next_pause(uint32_t last, uint32_t random)
{
	uint64_t top = last < LADDER_MIN_MS ? LADDER_MIN_MS * 3 : (uint64_t)last * 3;
	uint64_t ms = LADDER_MIN_MS + random % (top - LADDER_MIN_MS + 1);

	return (ms > LADDER_MAX_MS ? LADDER_MAX_MS : (uint32_t)ms);
}

static enum rung
alarm_once(struct ladder *l, uint8_t which)
{
	if (l->alarmed >= which)
		return (RUNG_NONE);
	l->alarmed = which;
	return (RUNG_ALARM);
}

enum rung
ladder_step(struct ladder *l, const struct ladder_in *in, monotime now)
{
	if (in->verdict != VERDICT_DATADEAD || !in->ever || in->missed < LADDER_MISSED)
		return (RUNG_NONE);
	/* Nothing is touched on a single witness's word; a second one may come at any time. */
	if (in->norecover || !in->strong)
		return (alarm_once(l, 1));
	if (l->passed.us != 0) {
		if (mono_reached(mono_add_ms(l->passed, LADDER_STABLE_MS), now)) {
			l->rung = RUNG_NONE;
			l->pause_ms = 0;
			l->hold_until = MONO_NONE;
		}
		l->passed = MONO_NONE;
	}
	if (mono_before(now, l->hold_until))
		return (RUNG_NONE);
	if (l->rung >= RUNG_RESET) {
		/* The top: another climb after a pause, each longer than the one before. */
		l->rung = RUNG_NONE;
		l->pause_ms = next_pause(l->pause_ms, in->random);
		l->hold_until = mono_add_ms(now, l->pause_ms);
		return (alarm_once(l, 2));
	}
	l->hold_until = mono_add_ms(now, LADDER_HOLD_MS + 4 * (int64_t)in->rtt_ms);
	return ((enum rung)++l->rung);
}

void
ladder_passed(struct ladder *l, monotime now)
{
	l->passed = now;
	l->alarmed = 0;
}
