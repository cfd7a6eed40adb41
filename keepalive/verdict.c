/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "keepalive/verdict.h"

#define SURE_LEAST	4	/* probes of which half have not left */
#define TOO_MANY	8	/* times our probes: what leaves are not answers only */

int
verdict_still(const struct evidence *e)
{
	if (e->out == 0 || e->out * 4 < e->probes)
		return (1);
	/* Once known it is until more leaves than what the peer has to be answered. */
	if (e->before == VERDICT_EATEN)
		return (verdict_short(e) || (e->replies == 0 && e->out < e->sure + e->in &&
		    e->out < (uint64_t)e->probes * TOO_MANY));
	return (e->sure >= SURE_LEAST && e->out <= e->in && e->out * 2 <= e->sure);
}

int
verdict_short(const struct evidence *e)
{
	return (e->out < e->sure);
}

enum verdict
verdict_judge(const struct evidence *e)
{
	if (!e->has_sa)
		return (e->before == VERDICT_PEERDEAD || (e->ever &&
		    e->life == LIFE_DEAD) ? VERDICT_PEERDEAD : VERDICT_NOTUNNEL);
	if (verdict_still(e))
		return (e->still >= 1 ? VERDICT_EATEN : (enum verdict)e->before);
	if (e->replies > 0)
		return (VERDICT_NONE);
	if (e->in > 0)
		return (VERDICT_SILENT);
	/* What never answered may not exist; and around a rekey packets may be lost. */
	if (!e->ever || e->rekeying || e->life == LIFE_UNKNOWN)
		return (VERDICT_ONEWAY);
	return (e->life == LIFE_ALIVE ? VERDICT_DATADEAD : VERDICT_PEERDEAD);
}

const char *
verdict_word(enum verdict v)
{
	switch (v) {
	case VERDICT_NONE:
		return ("UP");
	case VERDICT_NOTUNNEL:
		return ("ACQUIRING");
	case VERDICT_ONEWAY:
		return ("ONE_WAY");
	case VERDICT_SILENT:
		return ("TARGET_SILENT");
	case VERDICT_EATEN:
	case VERDICT_NOSEND:
		return ("LOCAL_MISS");
	case VERDICT_DATADEAD:
		return ("DATA_DEAD");
	case VERDICT_PEERDEAD:
		return ("PEER_DEAD");
	}
	return ("?");
}

void
verdict_text(enum verdict v, const struct evidence *e, char *dst, size_t cap)
{
	if (v == VERDICT_DATADEAD)
		(void)snprintf(dst, cap, "%llu packets left by the tunnel in %u ms and none "
		    "came, but the peer answered IKE %u ms ago",
		    (unsigned long long)e->out, e->ms, e->last_in_ms);
	else if (e->has_sa)
		(void)snprintf(dst, cap, "%llu packets left by the tunnel in %u ms and none "
		    "came, and the peer does not answer IKE", (unsigned long long)e->out,
		    e->ms);
	else
		(void)snprintf(dst, cap, "%s", "the peer does not answer IKE; iked calls it "
		    "again and again");
}
