/* SPDX-License-Identifier: ISC */
/* netwatchd's verdicts and its ladder, alone. */

#include <atf-c.h>

#include <stdlib.h>
#include <string.h>

#include "keepalive/ladder.h"

static const struct evidence dead = { .has_sa = 1, .ever = 1, .life = LIFE_ALIVE,
    .probes = 5, .out = 5, .ms = 600, .last_in_ms = 40 };

ATF_TC_WITHOUT_HEAD(verdicts);
ATF_TC_BODY(verdicts, tc)
{
	struct evidence e = dead;
	char text[160];

	ATF_CHECK_EQ(VERDICT_DATADEAD, verdict_judge(&e));
	verdict_text(VERDICT_DATADEAD, &e, text, sizeof(text));
	ATF_CHECK_STREQ("5 packets left by the tunnel in 600 ms and none came, but the peer "
	    "answered IKE 40 ms ago", text);
	e.life = LIFE_DEAD;
	ATF_CHECK_EQ(VERDICT_PEERDEAD, verdict_judge(&e));
	e.life = LIFE_UNKNOWN;
	ATF_CHECK_EQ(VERDICT_ONEWAY, verdict_judge(&e));
	e = dead;
	e.ever = 0;
	ATF_CHECK_EQ(VERDICT_ONEWAY, verdict_judge(&e));
	e = dead;
	e.rekeying = 1;
	ATF_CHECK_EQ(VERDICT_ONEWAY, verdict_judge(&e));
	e = dead;
	e.in = 1;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	e.replies = 1;
	ATF_CHECK_EQ(VERDICT_NONE, verdict_judge(&e));
	e = dead;
	e.out = 0;
	ATF_CHECK_EQ(VERDICT_NONE, verdict_judge(&e));
	e.still = 1;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	ATF_CHECK_STREQ("LOCAL_MISS", verdict_word(VERDICT_EATEN));
	/* the peer probes us, too, now and then, and its answers go by the tunnel */
	e.out = e.in = 2;
	e.probes = 9;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	e.replies = 9;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	e.out = 9;
	ATF_CHECK_EQ(VERDICT_NONE, verdict_judge(&e));
	e = dead;
	e.has_sa = 0;
	ATF_CHECK_EQ(VERDICT_NOTUNNEL, verdict_judge(&e));
	e.before = VERDICT_PEERDEAD;
	ATF_CHECK_EQ(VERDICT_PEERDEAD, verdict_judge(&e));
}

/* What leaves may be answers to the peer's own probes. */
ATF_TC_WITHOUT_HEAD(answers);
ATF_TC_BODY(answers, tc)
{
	struct evidence e = dead;

	e.still = 1;
	e.probes = 8;
	e.out = e.in = 4;
	/* of those that have surely left none is counted: there are none */
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	e.sure = 7;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	ATF_CHECK(verdict_short(&e));
	e.sure = 8;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	/* these are no answers */
	e.in = 3;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	/* a few are no evidence */
	e.probes = e.sure = 3;
	e.out = e.in = 1;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	/* once known it is believed until probes must have left, too */
	e.before = VERDICT_EATEN;
	e.probes = e.sure = 8;
	e.in = 8;
	e.out = 15;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	e.out = 16;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	ATF_CHECK(!verdict_short(&e));
	e.in = 1000;
	e.out = 63;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
	e.out = 64;
	ATF_CHECK_EQ(VERDICT_SILENT, verdict_judge(&e));
	e.in = 8;
	e.out = 8;
	e.replies = 1;
	ATF_CHECK_EQ(VERDICT_NONE, verdict_judge(&e));
	e.out = 7;
	ATF_CHECK_EQ(VERDICT_EATEN, verdict_judge(&e));
}

static monotime
at(int64_t ms)
{
	return ((monotime){ ms * 1000 + 1000000 });
}

ATF_TC_WITHOUT_HEAD(rungs);
ATF_TC_BODY(rungs, tc)
{
	struct ladder_in in = { .verdict = VERDICT_DATADEAD, .ever = 1, .strong = 1,
	    .missed = 3, .random = 12345 };
	struct ladder l;
	int64_t ms, last = 0;
	int n = 0;

	memset(&l, 0, sizeof(l));
	in.missed = 2;
	ATF_CHECK_EQ(RUNG_NONE, ladder_step(&l, &in, at(0)));
	in.missed = 3;
	ATF_CHECK_EQ(RUNG_REKEY, ladder_step(&l, &in, at(0)));
	ATF_CHECK_EQ(RUNG_NONE, ladder_step(&l, &in, at(LADDER_HOLD_MS - 1)));
	ATF_CHECK_EQ(RUNG_RECREATE, ladder_step(&l, &in, at(LADDER_HOLD_MS)));
	ATF_CHECK_EQ(RUNG_RESET, ladder_step(&l, &in, at(2 * LADDER_HOLD_MS)));
	ATF_CHECK_EQ(RUNG_ALARM, ladder_step(&l, &in, at(3 * LADDER_HOLD_MS)));
	/* then in climbs, with pauses of 2 to 300 s, and no second alarm */
	for (ms = 3 * LADDER_HOLD_MS + 1; ms < 20 * 3600 * 1000LL; ms += 500) {
		in.random = (uint32_t)(ms * 2654435761U);
		switch (ladder_step(&l, &in, at(ms))) {
		case RUNG_REKEY:
			ATF_CHECK(ms - last >= LADDER_MIN_MS);
			ATF_CHECK(last == 0 || ms - last <= LADDER_MAX_MS + 5000);
			last = ms;
			n++;
			break;
		case RUNG_ALARM:
			atf_tc_fail("a second alarm");
		default:
			break;
		}
	}
	ATF_CHECK_MSG(n > 200 && n < 2000, "%d climbs in 20 hours", n);
	/* it passed, and fails again at once: on at the next rung; after a while, at the first */
	memset(&l, 0, sizeof(l));
	ATF_CHECK_EQ(RUNG_REKEY, ladder_step(&l, &in, at(0)));
	ladder_passed(&l, at(500));
	ATF_CHECK_EQ(RUNG_RECREATE, ladder_step(&l, &in, at(10000)));
	ladder_passed(&l, at(10500));
	ATF_CHECK_EQ(RUNG_REKEY, ladder_step(&l, &in, at(10500 + LADDER_STABLE_MS)));
	/* weak evidence moves nothing, and is said once; a second witness is believed at once */
	memset(&l, 0, sizeof(l));
	in.strong = 0;
	ATF_CHECK_EQ(RUNG_ALARM, ladder_step(&l, &in, at(0)));
	for (ms = 1; ms < 24 * 3600 * 1000LL; ms += 1000)
		ATF_REQUIRE_EQ(RUNG_NONE, ladder_step(&l, &in, at(ms)));
	in.strong = 1;
	ATF_CHECK_EQ(RUNG_REKEY, ladder_step(&l, &in, at(ms)));
	ATF_CHECK_EQ(RUNG_RECREATE, ladder_step(&l, &in, at(ms + LADDER_HOLD_MS)));
	ATF_CHECK_EQ(RUNG_RESET, ladder_step(&l, &in, at(ms + 2 * LADDER_HOLD_MS)));
	ATF_CHECK_EQ(RUNG_ALARM, ladder_step(&l, &in, at(ms + 3 * LADDER_HOLD_MS)));
	in.norecover = 1;
	memset(&l, 0, sizeof(l));
	ATF_CHECK_EQ(RUNG_ALARM, ladder_step(&l, &in, at(0)));
	ATF_CHECK_EQ(RUNG_NONE, ladder_step(&l, &in, at(LADDER_HOLD_MS)));
}

/* Whatever the evidence: no rung without SA counters that say so, and IKE alive. */
ATF_TC_WITHOUT_HEAD(random_evidence);
ATF_TC_BODY(random_evidence, tc)
{
	struct ladder_in in;
	struct evidence e;
	struct ladder l;
	enum rung r;
	int64_t ms = 0;
	int i, taken = 0;

	memset(&l, 0, sizeof(l));
	srandom(1);
	for (i = 0; i < 1000000; i++) {
		memset(&e, 0, sizeof(e));
		memset(&in, 0, sizeof(in));
		e.has_sa = random() % 8 != 0;
		e.ever = random() % 2;
		e.rekeying = random() % 8 == 0;
		e.still = (uint8_t)(random() % 3);
		e.life = (uint8_t)(random() % 3);
		e.before = (uint8_t)(random() % 8);
		e.probes = (uint32_t)(random() % 8);
		e.replies = random() % 3 == 0;
		e.out = (uint64_t)(random() % 4);
		e.in = random() % 2 ? 0 : e.replies + (uint64_t)(random() % 4);
		in.verdict = verdict_still(&e) ? VERDICT_NONE : (uint8_t)verdict_judge(&e);
		in.ever = e.ever;
		in.strong = random() % 2;
		in.norecover = random() % 8 == 0;
		in.missed = (uint32_t)(random() % 6);
		in.random = (uint32_t)random();
		ms += random() % 2000;
		if (e.replies > 0 && in.verdict == VERDICT_NONE)
			ladder_passed(&l, at(ms));
		r = ladder_step(&l, &in, at(ms));
		if (r == RUNG_NONE)
			continue;
		taken++;
		ATF_REQUIRE(e.has_sa && e.ever && !e.rekeying && e.out > 0 && e.in == 0 &&
		    e.replies == 0 && e.life == LIFE_ALIVE && in.missed >= LADDER_MISSED);
		ATF_REQUIRE(r == RUNG_ALARM || !in.norecover);
		ATF_REQUIRE(r == RUNG_ALARM || in.strong);
	}
	ATF_CHECK(taken > 100);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, verdicts);
	ATF_TP_ADD_TC(tp, answers);
	ATF_TP_ADD_TC(tp, rungs);
	ATF_TP_ADD_TC(tp, random_evidence);
	return (atf_no_error());
}
