/* SPDX-License-Identifier: ISC */
/*
 * Figures of one target.  There may be 100,000 of them, so they begin with about 40 octets
 * and grow to about 120 in an hour.  Pure.
 *
 * Round-trip times fall into buckets, four to each power of two from 128 us to 4.2 s, one
 * below and one above.  A percentile is the middle of its bucket, so it is off by
 * at most an eighth of the true value (64 us below 128 us, and above 4.2 s the
 * longest of all).  Only buckets with something in them are kept.  Counters have 8 bits;
 * when one is full all are halved in a way that keeps the distribution: no rank moves
 * by more than one reply.  So percentiles are about the recent past: a reply counts half
 * after some hundreds.
 *
 * Losses are counted in the minute in which the probe was sent, where a late reply takes them
 * back.  Both counts of a minute are halved above 255.  Of the minutes before the last
 * one there is one octet each, exact for up to 21 probes (see encode() in stats.c); of
 * more the loss is remembered to a 21st.  Where an interval makes that the rule
 * they are two octets (wide).
 */
#ifndef KEEPALIVE_STATS_H
#define KEEPALIVE_STATS_H

#include "base/mono.h"

#include <stddef.h>
#include <stdint.h>

#define STATS_MINUTES	60	/* remembered, the current one with them */
#define STATS_OCTAVES	15
#define STATS_BUCKETS	(STATS_OCTAVES * 4 + 2)
#define STATS_RTT_MIN	128	/* us: from here on buckets get longer */
#define STATS_WIDE_MS	4000	/* wide below that interval */

struct stats {
	uint32_t	jitter;		/* RFC 3550 A.8: sixteenths of a us */
	uint32_t	minute;		/* the current one, since the clock's start */
	struct stats_minute {
		uint8_t	sent, lost;
	}		last[2];	/* this minute and the one before */
	uint8_t		wide, begun;
	uint8_t		npairs, cappairs;
	uint8_t		nslots, capslots;
	/* cappairs of bucket and count, by bucket; capslots minutes, the latest first */
	uint8_t		data[];
};

struct stats	*stats_new(int wide);	/* NULL: no memory; free() */
size_t		 stats_octets(const struct stats *);
/* at: when the probe was sent.  Without memory for more a thing is not counted. */
void		 stats_sent(struct stats **, monotime at);
void		 stats_lost(struct stats **, monotime at);
/* A loss that was counted is taken back: the reply came after all. */
void		 stats_repair(struct stats **, monotime at);
/* before: the round-trip time before that, NULL: there was none. */
void		 stats_rtt(struct stats **, uint32_t us, const uint32_t *before);

/* The round-trip time that so many thousandths of the recent replies do not exceed, 0: no
 * reply.  min and max: of all replies, which the answer does not leave. */
uint32_t	 stats_quantile(const struct stats *, unsigned int thousandths,
		    uint32_t min, uint32_t max);
uint32_t	 stats_jitter_us(const struct stats *);

/* How often losses are told: this minute and so many before. */
#define STATS_1M	1
#define STATS_15M	15
#define STATS_1H	59
/* In thousandths of what was sent; 0: nothing was. */
unsigned int	 stats_loss(const struct stats *, unsigned int minutes,
		    monotime now);

/* One minute of the history, ago minutes before this one. */
struct stats_minute stats_history(const struct stats *, unsigned int ago,
		    monotime now);

#endif
