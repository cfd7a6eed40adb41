/* SPDX-License-Identifier: ISC */
/*
 * What evidence says about a tunnel whose target does not answer.  Pure.
 *
 *	out	in	replies	IKE
 *	still	-	-	-	EATEN (LOCAL_MISS), twice in a row
 *	moves	-	some	-	NONE: traffic passes
 *	moves	moves	none	-	SILENT (TARGET_SILENT): only the target is
 *	moves	still	none	?	ONEWAY: a dead tunnel, or an idle one with a dead target
 *	moves	still	none	alive	DATADEAD, of a target that has answered once
 *	moves	still	none	dead	PEERDEAD
 *	no SA				NOTUNNEL (ACQUIRING), or PEERDEAD where it was so
 *
 * Still it is, too, where less left than we have sent and no more than came: those are the
 * answers to the peer's own probes.
 */
#ifndef KEEPALIVE_VERDICT_H
#define KEEPALIVE_VERDICT_H

#include <stddef.h>
#include <stdint.h>

enum verdict {
	VERDICT_NONE,
	VERDICT_NOTUNNEL,	/* iked has no SA for it */
	VERDICT_ONEWAY,		/* our packets go into the tunnel, nothing comes back */
	VERDICT_SILENT,		/* others' packets come back, the target's do not */
	VERDICT_EATEN,		/* probes do not reach the SA */
	VERDICT_NOSEND,		/* the kernel refuses them: senderr */
	VERDICT_DATADEAD,	/* the peer answers IKE, and no packet comes */
	VERDICT_PEERDEAD	/* the peer answers nothing */
};

enum life { LIFE_UNKNOWN, LIFE_ALIVE, LIFE_DEAD };

/* One window between two looks at the counters. */
struct evidence {
	uint8_t		has_sa;
	uint8_t		ever;		/* the target has answered on this tunnel */
	uint8_t		rekeying;
	uint8_t		still;		/* windows before it in which nothing left */
	uint8_t		life;		/* enum life: of the peer, asked in IKE */
	uint8_t		before;		/* enum verdict */
	uint32_t	probes, replies;
	uint32_t	sure;		/* probes sent before the SA was asked, and no large ones:
					 * if they have left it has counted them */
	uint64_t	out, in;	/* packets of the SAs */
	uint32_t	ms;		/* its length */
	uint32_t	last_in_ms;	/* since the peer's last IKE message */
};

int	verdict_still(const struct evidence *);
/* In this window something was sent, and less has left: healthy SAs do not have that. */
int	verdict_short(const struct evidence *);
enum verdict verdict_judge(const struct evidence *);
/* "DATA_DEAD", ...; NONE is "UP". */
const char *verdict_word(enum verdict);
/* The numbers behind DATADEAD and PEERDEAD, in words. */
void	verdict_text(enum verdict, const struct evidence *, char *, size_t);

#endif
