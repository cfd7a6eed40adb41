/* SPDX-License-Identifier: ISC */
/*
 * What is done about a tunnel whose data are dead, step by step.  Pure.
 *
 * A healthy tunnel is never touched, whatever its target does.  Where only the target is
 * silent on an otherwise idle tunnel, nothing tells a dead target from a dead tunnel: that
 * evidence is weak, and allows only what costs a healthy tunnel nothing, a rekey of the
 * Child, which is make before break.  If that did not help, and the target comes back by
 * itself on the same SA, the target has lied: for a day weak evidence of it moves nothing.
 * Nor does it after LADDER_WEAK such rekeys, even if each of them seems to have helped.
 * Strong is what another witness says who has answered before: another target that
 * fell silent too, or hosts' packets that were answered through the tunnel before and of
 * which now go out some and come back none.
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
#define LADDER_DOUBT_MS	5000		/* what comes back later was not our doing */
#define LADDER_FORGET_MS 86400000
#define LADDER_WEAK	4

enum rung { RUNG_NONE, RUNG_REKEY, RUNG_RECREATE, RUNG_RESET, RUNG_ALARM };
const char *rung_word(enum rung);	/* iked's command; "alarm" */

struct ladder {
	uint8_t		rung;		/* the last one taken in this climb */
	uint8_t		weak;		/* rekeys on weak evidence since it was doubted */
	uint8_t		alarmed;	/* said, since it last passed */
	uint32_t	pause_ms;	/* between climbs, the last one */
	monotime	hold_until;	/* nothing before */
	monotime	acted;		/* when the last rung was taken */
	monotime	passed;		/* traffic has passed since; else MONO_NONE */
	monotime	doubted;	/* when the target was found to lie */
};
struct ladder_in {
	uint8_t		verdict;	/* enum verdict */
	uint8_t		ever, strong;
	uint8_t		norecover;	/* by configuration: alarm only */
	uint32_t	missed;		/* probes since the last rung, all unanswered */
	uint32_t	rtt_ms;
	uint32_t	random;
};

/* What to do now, mostly RUNG_NONE.  RUNG_ALARM: all has been tried, said once. */
enum rung ladder_step(struct ladder *, const struct ladder_in *, monotime);
/* A reply came.  same_sa: on the very SA on which the last rung had been answered. */
void	ladder_passed(struct ladder *, int same_sa, monotime);

#endif
