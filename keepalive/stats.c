/* SPDX-License-Identifier: ISC */
/* Figures of one target. */

#include <stdlib.h>
#include <string.h>

#include "keepalive/stats.h"

#define PAIRS		8	/* room for buckets, at first and when more are needed */
#define SLOTS		(STATS_MINUTES - 2)
#define NARROW_MAX	21

_Static_assert(STATS_1H < STATS_MINUTES, "an hour is remembered");
_Static_assert(NARROW_MAX * (NARROW_MAX + 1) / 2 + NARROW_MAX <= UINT8_MAX,
    "one octet");

static uint32_t
minute_of(monotime t)
{
	return ((uint32_t)(t.us / 60000000));
}

static size_t
length(const struct stats *st, unsigned int pairs, unsigned int slots)
{
	return (sizeof(*st) + pairs * 2U + slots * (1U + st->wide));
}

static uint8_t *
slots_of(struct stats *st)
{
	return (st->data + st->cappairs * 2);
}

struct stats *
stats_new(int wide)
{
	struct stats s = { .wide = wide != 0 }, *st;

	if ((st = calloc(1, length(&s, PAIRS, 4))) == NULL)
		return (NULL);
	st->wide = s.wide;
	st->cappairs = PAIRS;
	st->capslots = 4;
	return (st);
}

size_t
stats_octets(const struct stats *st)
{
	return (length(st, st->cappairs, st->capslots));
}

static int
grow(struct stats **stp, uint8_t pairs, uint8_t slots)
{
	struct stats *st = *stp;
	uint8_t was = st->cappairs;

	if ((st = realloc(st, length(st, pairs, slots))) == NULL)
		return (-1);
	st->cappairs = pairs;
	st->capslots = slots;
	memmove(st->data + pairs * 2, st->data + was * 2,
	    st->nslots * (1U + st->wide));
	*stp = st;
	return (0);
}

/* All (sent, lost) with lost <= sent <= 21 in a row: (0,0) (1,0) (1,1) (2,0) ... */
static uint8_t
encode(unsigned int sent, unsigned int lost)
{
	if (sent > NARROW_MAX) {
		lost = (lost * NARROW_MAX + sent / 2) / sent;
		sent = NARROW_MAX;
	}
	return ((uint8_t)(sent * (sent + 1) / 2 + lost));
}

static struct stats_minute
decode(uint8_t code)
{
	struct stats_minute m = { 0, 0 };

	while ((m.sent + 1U) * (m.sent + 2U) / 2 <= code)
		m.sent++;
	m.lost = (uint8_t)(code - m.sent * (m.sent + 1U) / 2);
	return (m);
}

/* i minutes before the current one; all of these are remembered. */
static struct stats_minute
get(const struct stats *st, unsigned int i)
{
	const uint8_t *p = st->data + st->cappairs * 2;

	if (i < 2)
		return (st->last[i]);
	p += (i - 2) * (1U + st->wide);
	return (st->wide ? (struct stats_minute){ p[0], p[1] } : decode(*p));
}

static void
set(struct stats *st, unsigned int i, struct stats_minute m)
{
	uint8_t *p;

	if (i < 2) {
		st->last[i] = m;
		return;
	}
	p = slots_of(st) + (i - 2) * (1U + st->wide);
	if (st->wide) {
		p[0] = m.sent;
		p[1] = m.lost;
	} else
		*p = encode(m.sent, m.lost);
}

static unsigned int
remembered(const struct stats *st)
{
	return (st->begun ? 2U + st->nslots : 0);
}

/* The next minute begins, with nothing in it. */
static int
next_minute(struct stats **stp)
{
	struct stats *st = *stp;
	unsigned int width = 1U + st->wide;

	if (st->nslots == st->capslots && st->nslots < SLOTS &&
	    grow(stp, st->cappairs, st->nslots < 16 ? 16 : SLOTS) == -1)
		return (-1);
	st = *stp;
	if (st->nslots < SLOTS)
		st->nslots++;
	memmove(slots_of(st) + width, slots_of(st), (st->nslots - 1U) * width);
	set(st, 2, st->last[1]);
	st->last[1] = st->last[0];
	st->last[0] = (struct stats_minute){ 0, 0 };
	st->minute++;
	return (0);
}

/* Its place in the history, or -1: longer ago than that. */
static int
place(struct stats **stp, monotime at)
{
	uint32_t minute = minute_of(at);

	if (!(*stp)->begun || minute - (*stp)->minute - 1U < UINT32_MAX / 2) {
		if (!(*stp)->begun || minute - (*stp)->minute > STATS_MINUTES) {
			(*stp)->begun = 1;
			(*stp)->nslots = 0;
			memset((*stp)->last, 0, sizeof((*stp)->last));
			(*stp)->minute = minute;
		}
		while ((*stp)->minute != minute)
			if (next_minute(stp) == -1)
				return (-1);
	}
	if ((*stp)->minute - minute >= remembered(*stp))
		return (-1);
	return ((int)((*stp)->minute - minute));
}

static void
count(struct stats **stp, monotime at, int sent, int lost)
{
	int i = place(stp, at);
	struct stats_minute m;

	if (i == -1)
		return;
	m = get(*stp, (unsigned int)i);
	if ((lost > 0 && m.lost >= m.sent) || (lost < 0 && m.lost == 0))
		return;
	if (sent && m.sent == UINT8_MAX) {
		m.sent /= 2;
		m.lost = (uint8_t)((m.lost + 1) / 2);
	}
	m.sent = (uint8_t)(m.sent + sent);
	m.lost = (uint8_t)(m.lost + lost);
	set(*stp, (unsigned int)i, m);
}

void
stats_sent(struct stats **stp, monotime at)
{
	count(stp, at, 1, 0);
}

void
stats_lost(struct stats **stp, monotime at)
{
	count(stp, at, 0, 1);
}

void
stats_repair(struct stats **stp, monotime at)
{
	count(stp, at, 0, -1);
}

static unsigned int
log2_of(uint32_t v)
{
	unsigned int n = 0;

	while (v >>= 1)
		n++;
	return (n);
}

static uint8_t
bucket_of(uint32_t us)
{
	unsigned int octave;

	if (us < STATS_RTT_MIN)
		return (0);
	octave = log2_of(us / STATS_RTT_MIN);
	if (octave >= STATS_OCTAVES)
		return (STATS_BUCKETS - 1);
	/* 128 << octave .. in quarters of that */
	return ((uint8_t)(1 + octave * 4 + (us >> (octave + 5)) % 4));
}

static uint32_t
bucket_middle(unsigned int i, uint32_t max)
{
	unsigned int octave = (i - 1) / 4, quarter = (i - 1) % 4;

	if (i == 0)
		return (STATS_RTT_MIN / 2);
	if (i == STATS_BUCKETS - 1)
		return (max);
	return (((4 + quarter) << (octave + 5)) + (1U << (octave + 4)));
}

/* Halves the sums up to each bucket, not each bucket: many ones would become zeros, or
 * stay ones for ever. */
static void
halve(struct stats *st)
{
	unsigned int i, n = 0, sum = 0, before;
	uint8_t *p = st->data;

	for (i = 0; i < st->npairs; i++) {
		before = sum / 2;
		sum += p[i * 2 + 1];
		if (sum / 2 == before)
			continue;
		p[n * 2] = p[i * 2];
		p[n * 2 + 1] = (uint8_t)(sum / 2 - before);
		n++;
	}
	st->npairs = (uint8_t)n;
}

static void
bucket_add(struct stats **stp, uint8_t b)
{
	struct stats *st = *stp;
	unsigned int i;
	uint8_t *p;

	for (i = 0; i < st->npairs && st->data[i * 2] < b; i++)
		continue;
	if (i < st->npairs && st->data[i * 2] == b &&
	    st->data[i * 2 + 1] == UINT8_MAX)
		halve(st);
	for (i = 0; i < st->npairs && st->data[i * 2] < b; i++)
		continue;
	if (i < st->npairs && st->data[i * 2] == b) {
		st->data[i * 2 + 1]++;
		return;
	}
	if (st->npairs == st->cappairs && grow(stp, st->cappairs + PAIRS,
	    st->capslots) == -1)
		return;
	st = *stp;
	p = st->data + i * 2;
	memmove(p + 2, p, (st->npairs - i) * 2);
	p[0] = b;
	p[1] = 1;
	st->npairs++;
}

void
stats_rtt(struct stats **stp, uint32_t us, const uint32_t *before)
{
	struct stats *st;
	uint32_t d;

	bucket_add(stp, bucket_of(us));
	if (before == NULL)
		return;
	st = *stp;
	d = us > *before ? us - *before : *before - us;
	if (d > UINT32_MAX / 32)
		d = UINT32_MAX / 32;
	/* RFC 3550 A.8: with sixteenths no rounding piles up */
	st->jitter = st->jitter - ((st->jitter + 8) >> 4) + d;
}

uint32_t
stats_quantile(const struct stats *st, unsigned int thousandths, uint32_t min,
    uint32_t max)
{
	unsigned int i, total = 0, rank, sum = 0;
	uint32_t us;

	for (i = 0; i < st->npairs; i++)
		total += st->data[i * 2 + 1];
	if (total == 0)
		return (0);
	rank = (total * thousandths + 999) / 1000;
	for (i = 0; i < st->npairs - 1U; i++)
		if ((sum += st->data[i * 2 + 1]) >= rank)
			break;
	us = bucket_middle(st->data[i * 2], max);
	return (us < min ? min : us > max ? max : us);
}

uint32_t
stats_jitter_us(const struct stats *st)
{
	return (st->jitter >> 4);
}

struct stats_minute
stats_history(const struct stats *st, unsigned int ago, monotime now)
{
	uint32_t current = minute_of(now), minute;
	struct stats_minute none = { 0, 0 };

	if (ago >= STATS_MINUTES || current < ago)
		return (none);
	minute = current - ago;
	/* Nothing has been noted since, or it is forgotten. */
	if (minute > st->minute || st->minute - minute >= remembered(st))
		return (none);
	return (get(st, st->minute - minute));
}

unsigned int
stats_loss(const struct stats *st, unsigned int minutes, monotime now)
{
	unsigned int i, sent = 0, lost = 0;
	struct stats_minute m;

	for (i = 0; i <= minutes; i++) {
		m = stats_history(st, i, now);
		sent += m.sent;
		lost += m.lost;
	}
	return (sent == 0 ? 0 : (lost * 1000 + sent / 2) / sent);
}
