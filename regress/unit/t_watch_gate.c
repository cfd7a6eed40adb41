/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's core: one target, and the peer's gateway as the other witness; and what is no
 * evidence, because the way was interrupted for a moment.
 */

#include "watchworld.h"

enum { GATEWAY = 1, HOST = 10 };	/* of which the target is */

static void
begin(uint8_t last, enum ka_pace pace, uint32_t interval_ms)
{
	char dst[16];

	(void)snprintf(dst, sizeof(dst), "10.2.0.%u", last);
	world("10.1.0.0/24");
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->pace = (uint8_t)pace;
	W.gate = 1;
	W.gate_own = GATEWAY;
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", dst, interval_ms);
	watch_conf_commit(W.w, W.now);
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
}

static unsigned int
acts(void)
{
	return (W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
}

static void
dies(void)
{
	W.answers = W.gate = 0;
}

/* By itself: nothing is healed but by what is done. */
static int
heals(void)
{
	if (acts() == 0)
		return (0);
	W.answers = W.gate = 1;
	return (1);
}

/* It is learnt with the first reply, with an address beside one that is the gateway's. */
ATF_TC_WITHOUT_HEAD(learnt);
ATF_TC_BODY(learnt, tc)
{
	struct addr beside = A("10.2.0.3"), host = A("10.2.0.10");
	unsigned int n;

	begin(GATEWAY, KA_OPTIMIZED, 10000);
	ATF_CHECK_EQ(2, W.ngate);
	ATF_CHECK_EQ(0, addr_cmp(&beside, &W.last_gate));
	/* again, but seldom, and none of it counts as the target's */
	n = W.ngate;
	run_ms(3600 * 1000);
	ATF_CHECK_MSG(W.ngate - n >= 5 && W.ngate - n <= 7, "%u", W.ngate - n);
	ATF_CHECK_EQ(0, status().lost);
	ATF_CHECK_EQ(status().sent, status().received);
	done();
	begin(HOST, KA_OPTIMIZED, 10000);
	ATF_CHECK_EQ(1, W.ngate);
	ATF_CHECK_EQ(0, addr_cmp(&host, &W.last_gate));
	/* one that never says it is asked three times, and then once a day */
	done();
	begin(HOST, KA_ALWAYS, 10000);
	W.gate = 0;
	watch_conf_begin(W.w);
	target("other", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.11", 10000);
	watch_conf_commit(W.w, W.now);
	W.ngate = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(3, W.ngate);
	run_ms(48 * 3600 * 1000);
	ATF_CHECK_EQ(5, W.ngate);
	done();
}

/* Both fall silent at once, and the peer lives: it is the tunnel, though nobody uses it. */
static void
both_silent(uint8_t last, enum ka_pace pace)
{
	unsigned int k, i;
	int64_t us, worst = 0;
	monotime t0;

	for (k = 0; k < 50; k++) {
		begin(last, pace, 10000);
		W.rnd = k;
		run_ms(k * 317);
		dies();
		t0 = W.now;
		for (i = 0; i < 20000 && !heals(); i += 10)
			run_ms(10);
		us = mono_diff_us(W.now, t0);
		worst = us > worst ? us : worst;
		ATF_CHECK_STREQ("DATA_DEAD", status().verdict);
		run_ms(5000);
		ATF_CHECK_EQ(1, acts());
		ATF_CHECK(!logged("this may be the tunnel or only its target"));
		ATF_CHECK_EQ(WATCH_UP, status().state);
		done();
	}
	printf("nobody's traffic: rekeyed after at most %lld ms\n", (long long)worst / 1000);
	ATF_CHECK_MSG(worst < 13000000, "%lld us", (long long)worst);
}
ATF_TC_WITHOUT_HEAD(dead);
ATF_TC_BODY(dead, tc)
{
	both_silent(GATEWAY, KA_OPTIMIZED);
	both_silent(HOST, KA_OPTIMIZED);
	both_silent(GATEWAY, KA_ALWAYS);
}

/*
 * Hosts here are asked and answer, and no question comes any more: what leaves here is lost,
 * or what leaves there.  From here it looks like a conversation that has ended.
 */
ATF_TC_WITHOUT_HEAD(asked_no_more);
ATF_TC_BODY(asked_no_more, tc)
{
	unsigned int k, i;
	int64_t us, worst = 0;
	monotime t0;

	for (k = 0; k < 100; k++) {
		begin(GATEWAY, KA_OPTIMIZED, 10000);
		W.rnd = k;
		for (i = 0; i < 300 + k; i++) {
			W.in++;
			W.out++;
			run_ms(i < 300 ? 100 : 10);
		}
		dies();
		t0 = W.now;
		for (i = 0; i < 20000 && !heals(); i += 10)
			run_ms(10);
		us = mono_diff_us(W.now, t0);
		worst = us > worst ? us : worst;
		ATF_CHECK_EQ(1, acts());
		run_ms(5000);
		ATF_CHECK_EQ(WATCH_UP, status().state);
		done();
	}
	printf("rekeyed after at most %lld ms\n", (long long)worst / 1000);
	ATF_CHECK_MSG(worst < 3100000, "%lld us", (long long)worst);
}

/* The gateway answers: it is the target, whoever still sends to it. */
ATF_TC_WITHOUT_HEAD(silent);
ATF_TC_BODY(silent, tc)
{
	unsigned int i;

	begin(HOST, KA_OPTIMIZED, 10000);
	W.backtraffic = 1;
	run_ms(300000);
	W.backtraffic = 0;
	W.answers = 0;
	/* only to it, and it is dead: not the tunnel's fault */
	for (i = 0; i < 3600 * 10; i++) {
		W.out += 3;
		run_ms(100);
		if (i > 200)
			ATF_REQUIRE_STREQ("TARGET_SILENT", status().verdict);
	}
	ATF_CHECK_EQ(0, acts());
	ATF_CHECK(!logged("DATA_DEAD"));
	/* then it falls silent, too, and by itself: it is no witness of that */
	W.gate = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, acts());
	W.gate = W.answers = 1;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

/* One that was silent while the target answered is not believed. */
ATF_TC_WITHOUT_HEAD(doubted);
ATF_TC_BODY(doubted, tc)
{
	begin(HOST, KA_ALWAYS, 10000);
	W.gate = 0;
	run_ms(1200 * 1000);
	W.gate = 1;
	run_ms(60000);
	dies();
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, acts());
	ATF_CHECK(logged("this may be the tunnel or only its target"));
	W.gate = W.answers = 1;
	run_ms(50 * 3600 * 1000);
	dies();
	run_ms(60000);
	ATF_CHECK(acts() > 0);
	done();
	/* nor one that answers around the tunnel, and it is not asked again */
	begin(HOST, KA_ALWAYS, 10000);
	done();
}

/* What reaches us around the tunnel is none, and is not asked for again and again. */
ATF_TC_WITHOUT_HEAD(around);
ATF_TC_BODY(around, tc)
{
	struct addr wan = A("198.51.100.1"), dst = A("10.2.0.10");
	struct icmp_error e;

	begin(HOST, KA_ALWAYS, 10000);
	W.gate = 0;
	watch_conf_begin(W.w);
	target("other", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.10", 10000);
	watch_conf_commit(W.w, W.now);
	W.ngate = 0;
	while (W.ngate == 0)
		run_ms(10);
	memset(&e, 0, sizeof(e));
	e.kind = ICMP_EXPIRED;
	e.whole = 1;
	e.p = (struct probe){ .slot = WATCH_GATE_SLOT | 1, .id = 2 };
	e.dst = dst;
	watch_error(W.w, &wan, &e, W.now);
	/* none of ours, and a slot that is not there */
	e.p.id = 7;
	watch_error(W.w, &dst, &e, W.now);
	e.p.slot = WATCH_GATE_SLOT | 4711;
	watch_error(W.w, &dst, &e, W.now);
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(1, W.ngate);
	W.answers = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, acts());
	ATF_CHECK_EQ(1, W.ngate);
	done();
}

/* A day of a healthy tunnel whose target flaps; its gateway limits such errors, and some get
 * lost on the way. */
static unsigned int
flapping_day(uint32_t seed, uint8_t last, int used)
{
	unsigned int falls = 0, step;
	int64_t end, tokens = 6000;

	begin(last, KA_OPTIMIZED, 10000);
	W.rnd = seed;
	for (end = W.now.us + 86400LL * 1000000; W.now.us < end; ) {
		W.answers = !W.answers;
		for (step = random32(NULL) % 600; step > 0; step--) {
			tokens = tokens + 100 > 6000 ? 6000 : tokens + 100;
			W.gate = tokens >= 1000 && random32(NULL) % 20 != 0;
			tokens -= W.gate && step % 3 == 0 ? 100 : 0;
			/* all they send is for the target */
			W.out += used ? 1 : 0;
			W.in += used && W.answers;
			run_ms(100);
		}
		falls += status().state == WATCH_DOWN;
	}
	ATF_CHECK_EQ_MSG(0, acts(), "seed %u, used %d: %u", seed, used, acts());
	done();
	return (falls);
}
ATF_TC_WITHOUT_HEAD(day);
ATF_TC_BODY(day, tc)
{
	unsigned int falls = 0;
	uint32_t seed;

	for (seed = 1; seed <= 3; seed++) {
		falls += flapping_day(seed, GATEWAY, 0);
		falls += flapping_day(seed, HOST, 0);
		falls += flapping_day(seed, HOST, 1);
	}
	ATF_CHECK_MSG(falls > 9 * 100, "%u falls", falls);
	printf("9 simulated days of a healthy tunnel and one target, %u falls: 0 rekeys, 0 resets\n",
	    falls);
}

/* Nothing passes for a moment, IKE included, and then all does: the tunnel was never ill. */
static void
interrupted(int used, unsigned int ms, uint32_t seed)
{
	unsigned int i;

	begin(GATEWAY, KA_OPTIMIZED, 2000);
	W.rnd = seed;
	for (i = 0; i < 100 + seed; i++) {
		W.out += (unsigned int)used;
		W.in += (unsigned int)used;
		run_ms(i < 100 ? 100 : 10);
	}
	W.cut = 1;
	W.asked = 0;
	for (i = 0; i < ms; i += 10) {
		W.out += (unsigned int)used && i % 100 == 0;
		run_ms(10);
	}
	W.cut = 0;
	/* iked sends its question again, soon */
	run_ms(seed % 50);
	if (W.asked)
		W.heard = W.now;
	for (i = 0; i < 100; i++) {
		/* those who wait begin again when they like */
		W.out += (unsigned int)used;
		W.in += used && i > seed % 20;
		run_ms(100);
	}
	ATF_CHECK_EQ_MSG(0, acts(), "%u ms, seed %u, used %d: %s", ms, seed, used, W.lines);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}
ATF_TC_WITHOUT_HEAD(interruptions);
ATF_TC_BODY(interruptions, tc)
{
	unsigned int ms;
	uint32_t seed;

	for (ms = 200; ms <= 4500; ms += 50)
		for (seed = 0; seed < 10; seed++) {
			interrupted(0, ms, seed * 7);
			interrupted(1, ms, seed * 7);
		}
}

/* The other side's probes are no conversation that is missed when it ends. */
ATF_TC_WITHOUT_HEAD(others_probes);
ATF_TC_BODY(others_probes, tc)
{
	unsigned int i, n;

	begin(GATEWAY, KA_OPTIMIZED, 10000);
	n = W.nprobes;
	for (i = 0; i < 3600; i++) {
		if (i % 10 == 0) {
			W.in += 4;
			W.out += 4;
		}
		run_ms(1000);
	}
	/* one an interval, for they are no reason not to ask either */
	ATF_CHECK_MSG(W.nprobes - n <= 440, "%u probes", W.nprobes - n);
	done();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, learnt);
	ATF_TP_ADD_TC(tp, dead);
	ATF_TP_ADD_TC(tp, asked_no_more);
	ATF_TP_ADD_TC(tp, silent);
	ATF_TP_ADD_TC(tp, doubted);
	ATF_TP_ADD_TC(tp, around);
	ATF_TP_ADD_TC(tp, day);
	ATF_TP_ADD_TC(tp, interruptions);
	ATF_TP_ADD_TC(tp, others_probes);
	return (atf_no_error());
}
