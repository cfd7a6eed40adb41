/* SPDX-License-Identifier: ISC */
/*
 * What is done about a tunnel whose data are dead, step by step.  Pure.
 *
 * A healthy tunnel is never touched, whatever its target does.  Where only the target is
 * silent nothing tells a dead target from a dead tunnel: that evidence is weak, and moves
 * nothing.  It is said once, and the ladder waits for a witness.
 * Strong is what another witness says who has answered before: another target that
 * fell silent at the same moment, or hosts' packets that were answered through the tunnel
 * before and of which now go out some and come back none.
 */
#ifndef KEEPALIVE_LADDER_H
#define KEEPALIVE_LADDER_H

#include "base/mono.h"
#include "keepalive/verdict.h"

#include <stdint.h>

#define LADDER_MISSED	3		/* probes lost before each rung */
#define LADDER_HOLD_MS	1000		/* a rung's time to work */
#define LADDER_STABLE_MS 30000		/* failing sooner: on at the next rung */
#define LADDER_MIN_MS	2000		/* between two climbs */
#define LADDER_MAX_MS	300000

enum rung { RUNG_NONE, RUNG_REKEY, RUNG_RECREATE, RUNG_RESET, RUNG_ALARM };
const char *rung_word(enum rung);	/* iked's command; "alarm" */

struct ladder {
	uint8_t		rung;		/* the last one taken in this climb */
	uint8_t		alarmed;	/* what was said since it last passed: 1 weak, 2 all */
	uint32_t	pause_ms;	/* between climbs, the last one */
	monotime	hold_until;	/* nothing before */
	monotime	passed;		/* traffic has passed since; else MONO_NONE */
};
struct ladder_in {
	uint8_t		verdict;	/* enum verdict */
	uint8_t		ever, strong;
	uint8_t		norecover;	/* by configuration: alarm only */
	uint32_t	missed;		/* probes since the last rung, all unanswered */
	uint32_t	rtt_ms;
	uint32_t	random;
};

/* What to do now, mostly RUNG_NONE.  RUNG_ALARM, once each: nothing is
 * to be done on this evidence; all has been tried. */
enum rung ladder_step(struct ladder *, const struct ladder_in *, monotime);
/* A reply came. */
void	ladder_passed(struct ladder *, monotime);

#endif
