/* SPDX-License-Identifier: ISC */
/* The timer wheel against a sorted list of the same timers. */

#include <atf-c.h>

#include <stdlib.h>
#include <string.h>

#include "keepalive/wheel.h"

#define NTIMERS	300

static struct wheel wheel;
static struct wheel_node node[NTIMERS];
/* The model: when each fires, in ticks; -1: not set. */
static int64_t model[NTIMERS];

static monotime
US(int64_t us)
{
	return ((monotime){ us });
}

static uint32_t
rnd(void)
{
	static uint64_t s = 88172645463325252ULL;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return ((uint32_t)(s >> 16));
}

static int64_t
ticks(int64_t us)
{
	return (us <= 0 ? 0 : (us - 1) / WHEEL_TICK_US + 1);
}

static void
set(unsigned int i, int64_t us)
{
	wheel_set(&wheel, &node[i], US(us));
	model[i] = ticks(us);
	/* What is late at once is due now. */
	if (model[i] < (int64_t)wheel.tick)
		model[i] = (int64_t)wheel.tick;
}

static void
start(void)
{
	unsigned int i;

	wheel_init(&wheel);
	memset(node, 0, sizeof(node));
	for (i = 0; i < NTIMERS; i++)
		model[i] = -1;
}

/* The earliest tick of the model, or -1. */
static int64_t
model_first(void)
{
	int64_t least = -1;
	unsigned int i;

	for (i = 0; i < NTIMERS; i++)
		if (model[i] != -1 && (least == -1 || model[i] < least))
			least = model[i];
	return (least);
}

/* Everything that is due at `us', and in the order of its ticks. */
static void
run_until(int64_t us)
{
	int64_t last = -1, least;
	struct wheel_node *n;
	size_t i;

	while ((n = wheel_next(&wheel, US(us))) != NULL) {
		i = (size_t)(n - node);
		ATF_REQUIRE(i < NTIMERS && model[i] != -1);
		ATF_REQUIRE_MSG(model[i] * WHEEL_TICK_US <= us,
		    "timer %zu early: tick %lld at %lld us", i,
		    (long long)model[i], (long long)us);
		ATF_REQUIRE(model[i] >= last);
		last = model[i];
		model[i] = -1;
	}
	least = model_first();
	ATF_REQUIRE_MSG(least == -1 || least > us / WHEEL_TICK_US,
	    "tick %lld not handed out at %lld us", (long long)least,
	    (long long)us);
}

/* The deadline is never late, and is NEVER for an empty wheel only. */
static void
check_deadline(void)
{
	monotime d = wheel_deadline(&wheel);
	int64_t least = model_first();

	ATF_REQUIRE_EQ(least == -1, d.us == MONO_NEVER.us);
	if (least != -1)
		ATF_REQUIRE_MSG(d.us <= least * WHEEL_TICK_US,
		    "deadline %lld, first tick %lld", (long long)d.us,
		    (long long)least);
}

ATF_TC_WITHOUT_HEAD(each_level);
ATF_TC_BODY(each_level, tc)
{
	int64_t base = 123456789012345, at, d = 1;
	unsigned int i;

	start();
	run_until(base);
	/* One in every level: at its tick, not one tick before. */
	for (i = 0; i < WHEEL_LEVELS - 1; i++, d *= WHEEL_SLOTS) {
		at = base + d * WHEEL_TICK_US;
		set(0, at);
		check_deadline();
		ATF_CHECK(wheel_next(&wheel, US(base)) == NULL);
		ATF_CHECK(wheel_next(&wheel, US((ticks(at) - 1) *
		    WHEEL_TICK_US)) == NULL);
		check_deadline();
		ATF_CHECK(wheel_next(&wheel, US(ticks(at) * WHEEL_TICK_US)) ==
		    &node[0]);
		model[0] = -1;
		ATF_CHECK_EQ(MONO_NEVER.us, wheel_deadline(&wheel).us);
		base = ticks(at) * WHEEL_TICK_US;
	}
}

ATF_TC_WITHOUT_HEAD(edges);
ATF_TC_BODY(edges, tc)
{
	start();
	ATF_CHECK_EQ(MONO_NEVER.us, wheel_deadline(&wheel).us);
	ATF_CHECK(wheel_next(&wheel, US(5000000)) == NULL);
	/* The past, now, and a part of a tick from now. */
	set(0, -7);
	set(1, 5000000);
	set(2, 5000001);
	run_until(5000000);
	ATF_CHECK_EQ(-1, model[0]);
	ATF_CHECK_EQ(-1, model[1]);
	ATF_CHECK_EQ(5001, model[2]);
	ATF_CHECK_EQ(5001000, wheel_deadline(&wheel).us);
	/* Never is nowhere, and takes away what was set. */
	wheel_set(&wheel, &node[2], MONO_NEVER);
	model[2] = -1;
	ATF_CHECK_EQ(MONO_NEVER.us, wheel_deadline(&wheel).us);
	wheel_unset(&wheel, &node[2]);
	wheel_unset(&wheel, &node[2]);
	/* Beyond all levels: kept, and no loop over what lies between. */
	set(3, INT64_MAX - 1);
	model[3] = (1LL << WHEEL_LEVELS * WHEEL_BITS) - 1;
	run_until(3600LL * 1000000 * 24 * 365 * 30);
	ATF_CHECK(model[3] != -1);
	/* Time that goes back hands out nothing and breaks nothing. */
	ATF_CHECK(wheel_next(&wheel, US(0)) == NULL);
	wheel_unset(&wheel, &node[3]);
	ATF_CHECK_EQ(MONO_NEVER.us, wheel_deadline(&wheel).us);
}

/* Random timers near and far, set, moved, taken away; time in small and large steps. */
ATF_TC(like_a_sorted_list);
ATF_TC_HEAD(like_a_sorted_list, tc)
{
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(like_a_sorted_list, tc)
{
	static const int64_t far[] = { 1, 900, 70000, 5000000, 300000000,
	    20000000000, 9000000000000 };
	unsigned int round, i, k;
	int64_t now = 777777;

	start();
	for (round = 0; round < 40000; round++) {
		i = rnd() % NTIMERS;
		switch (rnd() % 4) {
		case 0:
			wheel_unset(&wheel, &node[i]);
			model[i] = -1;
			break;
		default:
			set(i, now - 500 + (int64_t)(rnd() % 100000) *
			    far[rnd() % 7] / 100000);
		}
		check_deadline();
		if (rnd() % 3 != 0)
			continue;
		k = rnd() % 100;
		if (k < 50)
			now += rnd() % 3000;
		else if (k < 90 && wheel_deadline(&wheel).us !=
		    MONO_NEVER.us && wheel_deadline(&wheel).us > now)
			now = wheel_deadline(&wheel).us;
		else
			now += (int64_t)(rnd() % 1000) * far[rnd() % 5] / 10;
		run_until(now);
		check_deadline();
	}
}

/* A timer that sets itself again at once is handed out again in the same round. */
ATF_TC_WITHOUT_HEAD(again);
ATF_TC_BODY(again, tc)
{
	unsigned int n = 0;

	start();
	set(0, 1000);
	while (wheel_next(&wheel, US(10000)) != NULL) {
		if (++n < 5)
			wheel_set(&wheel, &node[0], US(2000));
	}
	ATF_CHECK_EQ(5, n);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, each_level);
	ATF_TP_ADD_TC(tp, edges);
	ATF_TP_ADD_TC(tp, like_a_sorted_list);
	ATF_TP_ADD_TC(tp, again);
	return (atf_no_error());
}
