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

/* Keys that do not fit, say: the peer lives, nothing passes, a rekey heals it. */
ATF_TC_WITHOUT_HEAD(data_dead);
ATF_TC_BODY(data_dead, tc)
{
	monotime first;

	up_for(60000);
	W.answers = 0;
	W.healed_by = REKEY;
	first = W.last_probe;
	run_ms(30000);
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
	int i;

	up_for(1000);
	W.backtraffic = 1;
	run_ms(200000);
	W.backtraffic = 0;
	W.answers = 0;
	W.healed_by = RESET;
	for (i = 0; i < 300 && W.nacts[RESET] == 0; i++) {
		W.out += 3;
		run_ms(100);
	}
	run_ms(5000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_EQ(1, W.nacts[RECREATE]);
	ATF_CHECK_EQ(1, W.nacts[RESET]);
	ATF_CHECK(mono_before(W.acted[REKEY], W.acted[RECREATE]));
	ATF_CHECK(mono_before(W.acted[RECREATE], W.acted[RESET]));
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
 * A day of a tunnel that works, and of a target that flaps as it likes.  With other
 * traffic on the tunnel nothing at all is done; on an idle one, of which nothing else
 * tells, one rekey, and when that has been found to be in vain no more that day.
 */
static void
flapping_day(uint32_t seed, int idle)
{
	int64_t left = 86400LL * 1000, ms;

	up_for(60000);
	W.rnd = seed;
	W.backtraffic = !idle;
	for (; left > 0; left -= ms) {
		ms = (int64_t)(random32(NULL) % (random32(NULL) % 2 ? 400000 : 20000)) + 1;
		W.answers = !W.answers;
		run_ms(ms);
	}
	ATF_CHECK_EQ_MSG(0, W.nacts[RECREATE] + W.nacts[RESET], "seed %u", seed);
	if (idle)
		ATF_CHECK_MSG(W.nacts[REKEY] <= 5, "seed %u: %u rekeys\n%s", seed, W.nacts[REKEY], W.lines);
	else
		ATF_CHECK_EQ_MSG(0, W.nacts[REKEY], "seed %u", seed);
	done();
}

ATF_TC_WITHOUT_HEAD(day);
ATF_TC_BODY(day, tc)
{
	uint32_t seed;

	for (seed = 1; seed <= 20; seed++) {
		flapping_day(seed, 0);
		flapping_day(seed, 1);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, data_dead);
	ATF_TP_ADD_TC(tp, ladder_climbed);
	ATF_TP_ADD_TC(tp, peer_dead);
	ATF_TP_ADD_TC(tp, never_answered);
	ATF_TP_ADD_TC(tp, day);
	return (atf_no_error());
}
