/* SPDX-License-Identifier: ISC */
/* A target's figures against a plain list of all that happened. */

#include <atf-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/stats.h"

#define MANY	200000

static uint64_t seed;

static uint32_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((uint32_t)(seed >> 16));
}

static monotime
S(double s)
{
	return ((monotime){ (int64_t)(s * 1e6) });
}

static int
cmp(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

static struct stats *
fresh(int wide)
{
	struct stats *st = stats_new(wide);

	ATF_REQUIRE(st != NULL);
	return (st);
}

/* How many replies are in that bucket. */
static unsigned int
in_bucket(const struct stats *st, unsigned int b)
{
	unsigned int i;

	for (i = 0; i < st->npairs; i++)
		if (st->data[2 * i] == b)
			return (st->data[2 * i + 1]);
	return (0);
}

/* Round trips of very different kinds. */
static uint32_t
some_rtt(unsigned int kind)
{
	switch (kind) {
	case 0:
		return (200 + rnd() % 100);		/* a LAN */
	case 1:
		return (30000 + rnd() % 5000 + (rnd() % 50 == 0 ? 300000 : 0));
	case 2:
		return (rnd() % 3000000);		/* anything */
	case 3:
		return (1U << rnd() % 23);		/* edges of buckets */
	default:
		return ((1U << (7 + rnd() % 15)) - 1);
	}
}

static void
close_to(uint32_t got, uint32_t want)
{
	uint32_t bound = want < STATS_RTT_MIN ? STATS_RTT_MIN / 2 : want / 8;

	if (want >= 1U << 22)	/* above all buckets */
		return;
	ATF_CHECK_MSG(got + bound >= want && got <= want + bound + 1,
	    "got %u instead of %u", got, want);
}

/* Fewer than 256 in all: no halving, the true percentile within the bound. */
ATF_TC_WITHOUT_HEAD(quantiles);
ATF_TC_BODY(quantiles, tc)
{
	static const unsigned int q[] = { 1, 100, 500, 900, 990, 999, 1000 };
	uint32_t list[255], n, i, k, round;
	struct stats *st;

	seed = 88172645463325252ULL;
	for (round = 0; round < 500; round++) {
		st = fresh(round % 2);
		ATF_CHECK_EQ(0, stats_quantile(st, 500, 0, 0));
		n = 1 + rnd() % 255;
		for (i = 0; i < n; i++) {
			list[i] = some_rtt(round % 5);
			stats_rtt(&st, list[i], NULL);
		}
		qsort(list, n, sizeof(list[0]), cmp);
		for (k = 0; k < sizeof(q) / sizeof(q[0]); k++)
			close_to(stats_quantile(st, q[k], list[0],
			    list[n - 1]), list[(n * q[k] + 999) / 1000 - 1]);
		free(st);
	}
}

/* The same bucket as the daemon's, found the slow way. */
static unsigned int
slow_bucket(uint32_t us)
{
	uint32_t from = STATS_RTT_MIN, step;
	unsigned int b = 1;

	if (us < from)
		return (0);
	for (step = from / 4; b < STATS_BUCKETS - 1; step *= 2)
		for (unsigned int i = 0; i < 4; i++, b++, from += step)
			if (us < from + step)
				return (b);
	return (b);
}

static double
slow_quantile(const double *w, double rank)
{
	unsigned int i;
	double sum = 0;

	for (i = 0; i < STATS_BUCKETS - 1; i++)
		if ((sum += w[i]) >= rank)
			break;
	return (i);
}

/*
 * Many replies: the reference has weights of any fineness, which are halved when the small
 * counters are.  Each rank may be off by one reply and the half of rounding.
 */
ATF_TC_WITHOUT_HEAD(halving);
ATF_TC_BODY(halving, tc)
{
	double w[STATS_BUCKETS] = { 0 }, total, sum, small;
	unsigned int kind, i, b, halved = 0;
	struct stats *st;
	uint32_t us;

	seed = 4;
	for (kind = 0; kind < 5; kind++) {
		st = fresh(0);
		memset(w, 0, sizeof(w));
		for (i = 0; i < MANY; i++) {
			us = some_rtt(kind);
			b = slow_bucket(us);
			if (in_bucket(st, b) == 255) {
				for (unsigned int j = 0; j < STATS_BUCKETS; j++)
					w[j] /= 2;
				halved++;
			}
			w[b]++;
			stats_rtt(&st, us, NULL);
			if (i % 97 != 0)
				continue;
			for (b = 0, sum = small = 0; b < STATS_BUCKETS; b++) {
				sum += w[b];
				small += in_bucket(st, b);
				ATF_REQUIRE_MSG(sum - small < 1.001 &&
				    small - sum < 1.001, "rank of bucket %u: "
				    "%f, not %f", b, small, sum);
			}
		}
		for (b = 0, total = 0; b < STATS_BUCKETS; b++)
			total += w[b];
		/* and so no percentile outside its neighbours' */
		for (i = 10; i < 1000; i += 10) {
			us = stats_quantile(st, i, 0, UINT32_MAX);
			b = slow_bucket(us);
			ATF_CHECK(b >= slow_quantile(w, total * i / 1000 - 2.5));
			ATF_CHECK(b <= slow_quantile(w, total * i / 1000 + 2.5));
		}
		free(st);
	}
	ATF_CHECK(halved > 100);
}

/* An old outlier does not stay for ever. */
ATF_TC_WITHOUT_HEAD(forgets);
ATF_TC_BODY(forgets, tc)
{
	struct stats *st = fresh(0);
	unsigned int i;

	for (i = 0; i < 255; i++)
		stats_rtt(&st, 2000000, NULL);
	for (i = 0; i < 6000; i++)
		stats_rtt(&st, 1000, NULL);
	close_to(stats_quantile(st, 990, 1000, 2000000), 1000);
	ATF_CHECK(st->npairs <= 2);
	free(st);
}

ATF_TC_WITHOUT_HEAD(jitter);
ATF_TC_BODY(jitter, tc)
{
	struct stats *st = fresh(0);
	double j = 0, d;
	uint32_t us, last = 0;
	unsigned int i, kind;

	seed = 7;
	for (i = 0; i < MANY; i++) {
		kind = i / 1000 % 5;
		us = some_rtt(kind);
		stats_rtt(&st, us, i > 0 ? &last : NULL);
		if (i > 0) {
			/* RFC 3550 6.4.1 */
			d = us > last ? us - last : last - us;
			j += (d - j) / 16;
		}
		last = us;
		ATF_REQUIRE_MSG(stats_jitter_us(st) <= j + 1.5 &&
		    stats_jitter_us(st) + 1.5 >= j, "%u, not %f",
		    stats_jitter_us(st), j);
	}
	/* the widest there can be */
	for (i = 0; i < 1000; i++) {
		last = i % 2 == 0 ? UINT32_MAX : 0;
		stats_rtt(&st, UINT32_MAX - last, &last);
	}
	ATF_CHECK(stats_jitter_us(st) > UINT32_MAX / 64);
	free(st);
}

/* Every probe there was. */
static struct {
	monotime	at;
	int		lost;
}			 all[MANY];
static size_t		 nall;

static unsigned int
slow_loss(unsigned int minutes, monotime now)
{
	unsigned int sent = 0, lost = 0;
	size_t i;

	for (i = 0; i < nall; i++)
		if (now.us / 60000000 - all[i].at.us / 60000000 <= minutes) {
			sent++;
			lost += all[i].lost == 1;
		}
	return (sent == 0 ? 0 : (lost * 1000 + sent / 2) / sent);
}

static void
same_history(const struct stats *st, monotime now)
{
	unsigned int ago, sent, lost;
	struct stats_minute m;
	size_t i;

	for (ago = 0; ago < STATS_MINUTES; ago++) {
		sent = lost = 0;
		for (i = 0; i < nall; i++)
			if (now.us / 60000000 - all[i].at.us / 60000000 ==
			    ago) {
				sent++;
				lost += all[i].lost == 1;
			}
		m = stats_history(st, ago, now);
		ATF_REQUIRE_EQ(sent, m.sent);
		ATF_REQUIRE_EQ(lost, m.lost);
	}
	ATF_CHECK_EQ(0, stats_history(st, STATS_MINUTES, now).sent);
}

/* Hours of probes, losses and replies that come late, with silent hours between.  Narrow: up
 * to 21 in a minute. */
static void
life(int wide, unsigned int least_ms)
{
	struct stats *st = fresh(wide);
	monotime now = S(5000);
	unsigned int i;
	size_t k;

	nall = 0;
	seed = 99;
	for (i = 0; i < 4000; i++) {
		now = mono_add_ms(now, least_ms + rnd() % 9500 +
		    (rnd() % 500 == 0 ? rnd() % 9000000 : 0));
		all[nall].at = now;
		all[nall].lost = rnd() % 4 == 0;
		stats_sent(&st, now);
		if (all[nall].lost)
			stats_lost(&st, now);
		else
			stats_rtt(&st, some_rtt(i % 5), NULL);
		nall++;
		/* one of the last eight after all: as late as a target's ring reaches */
		k = nall - 1 - rnd() % 8;
		if (k < nall && all[k].lost == 1) {
			all[k].lost = 0;
			stats_repair(&st, all[k].at);
			stats_rtt(&st, 1000, NULL);
		}
		if (i % 50 == 0)
			same_history(st, now);
		ATF_REQUIRE_EQ(slow_loss(1, now), stats_loss(st, STATS_1M, now));
		ATF_REQUIRE_EQ(slow_loss(15, now), stats_loss(st, STATS_15M, now));
		ATF_REQUIRE_EQ(slow_loss(59, now), stats_loss(st, STATS_1H, now));
	}
	/* Time goes by without a probe. */
	for (i = 0; i < 100; i++) {
		now = mono_add_ms(now, 60000);
		ATF_REQUIRE_EQ(slow_loss(59, now), stats_loss(st, STATS_1H, now));
		ATF_REQUIRE_EQ(slow_loss(1, now), stats_loss(st, STATS_1M, now));
	}
	ATF_CHECK_EQ(0, stats_loss(st, STATS_1H, now));
	free(st);
}

ATF_TC_WITHOUT_HEAD(losses);
ATF_TC_BODY(losses, tc)
{
	life(0, 3000);
	life(1, 300);
}

/* More in a minute than a counter holds: the ratio stays. */
static void
fast(int wide, unsigned int n, unsigned int bound)
{
	struct stats *st = fresh(wide);
	unsigned int i;

	for (i = 0; i < n; i++) {
		stats_sent(&st, S(100));
		if (i % 10 == 0)
			stats_lost(&st, S(100));
	}
	ATF_CHECK_MSG(stats_loss(st, STATS_1M, S(100)) >= 100 - bound &&
	    stats_loss(st, STATS_1M, S(100)) <= 100 + bound, "%u",
	    stats_loss(st, STATS_1M, S(100)));
	/* More replies than losses, and losses than probes, change nothing for the worse. */
	for (i = 0; i < 600; i++)
		stats_repair(&st, S(100));
	ATF_CHECK_EQ(0, stats_loss(st, STATS_1M, S(100)));
	for (i = 0; i < 600; i++)
		stats_lost(&st, S(100));
	ATF_CHECK_EQ(1000, stats_loss(st, STATS_1M, S(100)));
	/* What is older than the history is not in it. */
	stats_sent(&st, S(100000));
	stats_lost(&st, S(100));
	stats_repair(&st, S(100));
	ATF_CHECK_EQ(0, stats_loss(st, STATS_1H, S(100000)));
	ATF_CHECK_EQ(1, stats_history(st, 0, S(100000)).sent);
	ATF_CHECK_EQ(0, stats_history(st, STATS_MINUTES, S(100000)).sent);
	free(st);
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	fast(1, 600, 15);
	fast(0, 600, 15);
	fast(0, 20, 0);
}

/* A minute with more than fits into an octet: exact while it may still change. */
ATF_TC_WITHOUT_HEAD(narrow);
ATF_TC_BODY(narrow, tc)
{
	struct stats *st = fresh(0);
	struct stats_minute m;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		stats_sent(&st, S(60000));
		if (i < 17)
			stats_lost(&st, S(60000));
	}
	stats_sent(&st, S(60060));
	m = stats_history(st, 1, S(60060));
	ATF_CHECK_EQ(50, m.sent);
	ATF_CHECK_EQ(17, m.lost);
	stats_sent(&st, S(60120));
	m = stats_history(st, 2, S(60120));
	ATF_CHECK_EQ(21, m.sent);
	ATF_CHECK_EQ(7, m.lost);
	stats_repair(&st, S(60000));
	ATF_CHECK_EQ(6, stats_history(st, 2, S(60120)).lost);
	free(st);
}

/* What 100,000 of them cost: at first, and after hours. */
ATF_TC_WITHOUT_HEAD(octets);
ATF_TC_BODY(octets, tc)
{
	struct stats *st = fresh(0);
	unsigned int i;

	for (i = 0; i < 6; i++) {
		stats_sent(&st, S(10 * i));
		stats_rtt(&st, 30000 + 100 * i, NULL);
	}
	ATF_CHECK_MSG(stats_octets(st) <= 40, "%zu", stats_octets(st));
	for (i = 0; i < 6000; i++) {
		stats_sent(&st, S(10 * i));
		stats_rtt(&st, 25000 + rnd() % 20000, NULL);
	}
	ATF_CHECK_MSG(stats_octets(st) <= 96, "%zu", stats_octets(st));
	for (i = 0; i < 6000; i++)
		stats_rtt(&st, some_rtt(3 + i % 2), NULL);
	ATF_CHECK_MSG(stats_octets(st) <= 208, "%zu", stats_octets(st));
	free(st);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, quantiles);
	ATF_TP_ADD_TC(tp, halving);
	ATF_TP_ADD_TC(tp, forgets);
	ATF_TP_ADD_TC(tp, jitter);
	ATF_TP_ADD_TC(tp, losses);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, narrow);
	ATF_TP_ADD_TC(tp, octets);
	return (atf_no_error());
}
