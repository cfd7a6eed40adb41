/* SPDX-License-Identifier: ISC */
/*
 * The largest packet that passes a tunnel: a binary search with echo requests that must not
 * be fragmented.  Pure.
 *
 * Not every probe without reply was too big.  After each one a small probe goes out, and
 * only when that is answered the miss counts; so many misses (see NEED in pmtu.c) make a
 * size too big.  When anything was lost in between it takes more of them, and in
 * the end the size above the result is tried once more.  When small probes are not
 * answered, the search ends without a result and is begun again later.  The kernel's "message
 * too long" decides at once.
 *
 * All sizes are those of the inner IP packet.  The way back is part of it as far as the
 * target, too, sets "don't fragment" in its replies.
 */
#ifndef KEEPALIVE_PMTU_H
#define KEEPALIVE_PMTU_H

#include "base/addr.h"
#include "base/mono.h"

#include <stdint.h>

#define PMTU_LIMIT	1500		/* what is looked for is not above */
#define PMTU_TIMEOUT_MS	2000
#define PMTU_AGAIN_S	3600		/* between searches */
#define PMTU_SOON_S	10		/* after a rekey, or when the path has changed */

enum pmtu_news {
	PMTU_NONE,
	PMTU_FOUND,	/* the result is another one than before */
	PMTU_SAME,	/* it is the same */
	PMTU_GAVEUP	/* too much is lost to tell; the old result stays */
};

struct pmtu {
	monotime	at;		/* next step */
	uint32_t	seq;		/* of the last probe */
	uint32_t	first;		/* the search's first */
	uint16_t	base;		/* a small probe */
	uint16_t	floor, limit;
	uint16_t	low, high;	/* low passes, high does not */
	uint16_t	size, hint;
	uint16_t	result;		/* 0: not known */
	uint8_t		searching, waiting;
	uint8_t		tries, smalls;
	uint8_t		lossy, checking, failed;
};

/* The first search begins PMTU_SOON_S after now. */
void	 pmtu_init(struct pmtu *, enum addr_family, monotime now);
/* To be called at p->at.  The size of a packet to send now, with ++p->seq in it; 0: none.
 * rnd is any number. */
uint16_t pmtu_step(struct pmtu *, monotime now, uint32_t rnd, enum pmtu_news *);
/* Sending it failed with EMSGSIZE (or another errno). */
enum pmtu_news pmtu_failed(struct pmtu *, uint32_t seq, int error, monotime now,
	    uint32_t rnd);
enum pmtu_news pmtu_reply(struct pmtu *, uint32_t seq, uint16_t size,
	    monotime now, uint32_t rnd);
/* A router has said how much passes. */
void	 pmtu_hint(struct pmtu *, uint16_t mtu);
/* The path or the SA may be another one: search soon. */
void	 pmtu_again(struct pmtu *, monotime now, uint32_t rnd);
/* The target is not up: nothing is sent until pmtu_again. */
void	 pmtu_pause(struct pmtu *);
/* TCP's segment for packets of that size (RFC 9293 3.7.1); 0: not known. */
uint16_t pmtu_mss(uint16_t mtu, enum addr_family);

#endif
