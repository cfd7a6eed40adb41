/* SPDX-License-Identifier: ISC */
/* netwatchd recovers what is dead, and leaves alone what is not. */

#include "watchworld.h"

static void
up_for(int64_t ms)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(ms);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
}

/* Hosts' packets leave unanswered, some each tenth of a second. */
static void
calls_unheard(int64_t ms)
{
	for (; ms > 0; ms -= 100) {
		W.out += W.answers ? 0 : 3;
		run_ms(100);
	}
}

/* Keys that do not fit, say: the peer lives, nothing passes, a rekey heals it. */
ATF_TC_WITHOUT_HEAD(data_dead);
ATF_TC_BODY(data_dead, tc)
{
	monotime first;

	up_for(1000);
	W.backtraffic = 1;
	run_ms(200000);
	W.backtraffic = 0;
	W.answers = 0;
	W.healed_by = REKEY;
	first = W.last_probe;
	calls_unheard(30000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(W.nchecks >= 1);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_EQ(0, W.nacts[RECREATE] + W.nacts[RESET]);
	ATF_CHECK(logged("keepalive \"boise\": rekey: "));
	ATF_CHECK(logged("the peer answered IKE"));
	/* the first lost probe went out within an interval; from then on under 5 s */
	ATF_CHECK(mono_diff_us(W.acted[REKEY], first) < 15000000);
	done();
}

/* Where hosts' traffic was answered before and stops too, the ladder is climbed. */
ATF_TC_WITHOUT_HEAD(ladder_climbed);
ATF_TC_BODY(ladder_climbed, tc)
{
	up_for(1000);
	W.backtraffic = 1;
	run_ms(200000);
	W.backtraffic = 0;
	W.answers = 0;
	W.healed_by = RESET;
	calls_unheard(30000);
	run_ms(5000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_EQ(1, W.nacts[RECREATE]);
	ATF_CHECK_EQ(1, W.nacts[RESET]);
	ATF_CHECK(mono_before(W.acted[REKEY], W.acted[RECREATE]));
	ATF_CHECK(mono_before(W.acted[RECREATE], W.acted[RESET]));
	done();
}

/* It dies while nobody uses it: that is said, and when somebody does it is healed soon. */
ATF_TC_WITHOUT_HEAD(dead_and_idle);
ATF_TC_BODY(dead_and_idle, tc)
{
	monotime used;

	up_for(1000);
	W.backtraffic = 1;
	run_ms(200000);
	W.backtraffic = 0;
	run_ms(3600 * 1000);
	W.answers = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_STREQ("DATA_DEAD", status().verdict);
	ATF_CHECK_EQ(0, W.nacts[REKEY]);
	ATF_CHECK(logged("this may be the tunnel or only its target"));
	W.healed_by = REKEY;
	used = W.now;
	calls_unheard(10000);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_MSG(mono_diff_us(W.acted[REKEY], used) < 5000000, "%lld us",
	    (long long)mono_diff_us(W.acted[REKEY], used));
	done();
}

/* A peer that answers nothing is iked's: it is called, not reset. */
ATF_TC_WITHOUT_HEAD(peer_dead);
ATF_TC_BODY(peer_dead, tc)
{
	up_for(60000);
	W.answers = 0;
	W.peer_dead = 1;
	run_ms(30000);
	ATF_CHECK_STREQ("PEER_DEAD", status().verdict);
	ATF_CHECK(strstr(status().note, "does not answer IKE") != NULL);
	W.tunnel_up = 0;
	run_ms(60000);
	ATF_CHECK_STREQ("PEER_DEAD", status().verdict);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	ATF_CHECK(W.nups > 2);
	done();
}

/* What has never answered on this tunnel may not exist. */
ATF_TC_WITHOUT_HEAD(never_answered);
ATF_TC_BODY(never_answered, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	ATF_CHECK_STREQ("ONE_WAY", status().verdict);
	done();
}

/*
 * A day of a tunnel that works, and of a target that flaps as it likes: nothing is done to
 * the tunnel.  Nobody uses it; or hosts' traffic goes both ways; or one of them always sends
 * and wants no answer, besides others' traffic that comes and goes.
 */
enum use { IDLE, BOTH_WAYS, MONOLOGUE };

static unsigned int
flapping_day(uint32_t seed, enum use use)
{
	int64_t left = 86400LL * 1000, ms;
	unsigned int falls = 0, step;

	up_for(60000);
	for (step = 0; use == MONOLOGUE && step < 120; step++) {
		W.out += 2;
		run_ms(1000);
	}
	if (use != IDLE) {
		W.backtraffic = 1;
		run_ms(300000);
	}
	W.rnd = seed;
	for (; left > 0; left -= ms) {
		ms = (int64_t)(random32(NULL) % (random32(NULL) % 2 ? 400000 : 20000)) + 1;
		W.answers = !W.answers;
		W.backtraffic = use == BOTH_WAYS || (use == MONOLOGUE && random32(NULL) % 3 == 0);
		for (step = 0; step < ms / 1000; step++) {
			W.out += use == MONOLOGUE ? 2 : 0;
			run_ms(1000);
		}
		run_ms(ms % 1000);
		falls += status().state == WATCH_DOWN;
	}
	ATF_CHECK_EQ_MSG(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET],
	    "seed %u, use %u: %u rekeys", seed, use, W.nacts[REKEY]);
	done();
	return (falls);
}

ATF_TC_WITHOUT_HEAD(day);
ATF_TC_BODY(day, tc)
{
	unsigned int falls = 0;
	uint32_t seed;

	for (seed = 1; seed <= 7; seed++) {
		falls += flapping_day(seed, IDLE);
		falls += flapping_day(seed, BOTH_WAYS);
		falls += flapping_day(seed, MONOLOGUE);
	}
	/* It was called down often enough. */
	ATF_CHECK_MSG(falls > 21 * 100, "%u falls", falls);
	printf("21 simulated days of a healthy tunnel, %u falls of its target: 0 rekeys, "
	    "0 resets\n", falls);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, data_dead);
	ATF_TP_ADD_TC(tp, ladder_climbed);
	ATF_TP_ADD_TC(tp, dead_and_idle);
	ATF_TP_ADD_TC(tp, peer_dead);
	ATF_TP_ADD_TC(tp, never_answered);
	ATF_TP_ADD_TC(tp, day);
	return (atf_no_error());
}
