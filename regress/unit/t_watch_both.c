/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's core where the peer watches this side, too: its probes come by the tunnel, and
 * our answers leave by it, whatever becomes of our own probes.
 */

#include "watchworld.h"

struct others {
	int64_t		interval_ms;	/* of the peer's probes; 0: it watches nothing */
	unsigned int	targets;
	unsigned int	theirs;		/* packets a second that hosts there send here, */
	unsigned int	answered;	/* for each of which so many hundredths of one go back */
	unsigned int	ours;		/* that hosts here send, each with an answer */
	int64_t		next;		/* us */
	unsigned int	rest, halves;
};

static void
begin(enum ka_pace pace, uint32_t interval_ms, uint32_t seed)
{
	world("10.1.0.0/24");
	W.rnd = seed;
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->pace = (uint8_t)pace;
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", interval_ms);
	watch_conf_commit(W.w, W.now);
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
}

/* A hundredth of a second of it: new packets of this side's hosts are eaten as probes are. */
static void
step(struct others *o)
{
	unsigned int n;

	if (o->interval_ms != 0 && W.now.us >= o->next) {
		o->next = W.now.us + o->interval_ms * 1000 -
		    random32(NULL) % (o->interval_ms * 250 + 1);
		W.in += o->targets;
		W.out += o->targets;
	}
	o->rest += o->theirs;
	n = o->rest / 100;
	o->rest %= 100;
	W.in += n;
	o->halves += n * o->answered;
	W.out += o->halves / 100;
	o->halves %= 100;
	if (!W.eaten && o->ours != 0) {
		n = o->ours / 100 + (random32(NULL) % 100 < o->ours % 100);
		W.out += n;
		W.in += n;
	}
	run_ms(10);
}

static void
pass(struct others *o, int64_t ms)
{
	for (; ms > 0; ms -= 10)
		step(o);
}

/* NAT takes what is new from here: noticed at the latest after so long, and it stays so. */
static int64_t
masquerade(enum ka_pace pace, int in_clear, struct others o, uint32_t seed, int64_t most_ms)
{
	unsigned int i, flaps = 0;
	int64_t ms;
	monotime t0;

	begin(pace, 10000, seed);
	o.ours = 10;
	pass(&o, 60000 + seed * 170);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	W.eaten = 1;
	W.answers = in_clear;
	t0 = W.now;
	while (status().state != WATCH_LOCALMISS && mono_diff_us(W.now, t0) < most_ms * 1000)
		step(&o);
	ms = mono_diff_us(W.now, t0) / 1000;
	ATF_CHECK_STREQ_MSG("LOCAL_MISS", status().verdict, "every %lld ms, %u targets, clear %d, "
	    "seed %u", (long long)o.interval_ms, o.targets, in_clear, seed);
	for (i = 0; i < 600; i++) {
		pass(&o, 1000);
		flaps += status().state != WATCH_LOCALMISS;
	}
	ATF_CHECK_MSG(flaps == 0, "every %lld ms, %u targets, clear %d, seed %u: not for %u s",
	    (long long)o.interval_ms, o.targets, in_clear, seed, flaps);
	/* the exemption is there */
	W.eaten = 0;
	W.answers = 1;
	pass(&o, 10000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	done();
	return (ms);
}

static void
noticed(const char *what, enum ka_pace pace, int in_clear, struct others o, int64_t most_ms)
{
	int64_t ms, worst = 0;
	uint32_t seed;

	for (seed = 0; seed < 20; seed++) {
		ms = masquerade(pace, in_clear, o, seed, most_ms);
		worst = ms > worst ? ms : worst;
	}
	printf("%s: local miss after at most %lld ms\n", what, (long long)worst);
}

ATF_TC_WITHOUT_HEAD(eaten);
ATF_TC_BODY(eaten, tc)
{
	noticed("alone", KA_OPTIMIZED, 0, (struct others){ .targets = 0 }, 40000);
	noticed("both", KA_OPTIMIZED, 0, (struct others){ .interval_ms = 10000, .targets = 1 },
	    40000);
	noticed("both, always", KA_ALWAYS, 0,
	    (struct others){ .interval_ms = 10000, .targets = 1 }, 40000);
	noticed("the peer every 2 s", KA_OPTIMIZED, 0,
	    (struct others){ .interval_ms = 2000, .targets = 1 }, 40000);
	noticed("and two targets", KA_OPTIMIZED, 0,
	    (struct others){ .interval_ms = 2000, .targets = 2 }, 40000);
	noticed("the peer every second", KA_OPTIMIZED, 0,
	    (struct others){ .interval_ms = 1000, .targets = 1 }, 40000);
}

/* Probe and reply take another way, in clear, and the peer's take the tunnel. */
ATF_TC_WITHOUT_HEAD(in_clear);
ATF_TC_BODY(in_clear, tc)
{
	noticed("both, replies in clear", KA_OPTIMIZED, 1,
	    (struct others){ .interval_ms = 10000, .targets = 1 }, 30000);
	noticed("the peer every 2 s", KA_OPTIMIZED, 1,
	    (struct others){ .interval_ms = 2000, .targets = 1 }, 60000);
}

/* Nothing is eaten, whoever sends what: a silent target is no local miss. */
static void
healthy(enum ka_pace pace, uint32_t interval_ms, struct others o, uint32_t seed)
{
	unsigned int i;

	begin(pace, interval_ms, seed);
	pass(&o, 20000);
	for (i = 0; i < 60; i++) {
		ATF_CHECK_EQ(WATCH_UP, status().state);
		pass(&o, random32(NULL) % 40000);
		W.answers = 0;
		pass(&o, random32(NULL) % 40000);
		W.answers = 1;
		pass(&o, 15000);
	}
	ATF_CHECK_MSG(!logged("eats packets"), "every %lld ms, %u targets, theirs %u/%u, ours %u",
	    (long long)o.interval_ms, o.targets, o.theirs, o.answered, o.ours);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	done();
}
ATF_TC_WITHOUT_HEAD(none);
ATF_TC_BODY(none, tc)
{
	static const struct others o[] = {
		{ .targets = 0 },
		{ .interval_ms = 10000, .targets = 1 },
		{ .interval_ms = 1000, .targets = 4 },
		{ .interval_ms = 10000, .targets = 1, .theirs = 1 },
		/* they send much here, which is acknowledged late, or never */
		{ .interval_ms = 10000, .targets = 1, .theirs = 1000, .answered = 50 },
		{ .interval_ms = 10000, .targets = 1, .theirs = 3, .answered = 1 },
		{ .theirs = 1000 },
		/* and they are sent much */
		{ .interval_ms = 10000, .targets = 1, .theirs = 500, .answered = 200 },
		{ .interval_ms = 2000, .targets = 1, .ours = 300 },
		{ .interval_ms = 10000, .targets = 1, .ours = 7 }
	};
	size_t i;

	for (i = 0; i < sizeof(o) / sizeof(o[0]); i++) {
		healthy(KA_OPTIMIZED, 10000, o[i], (uint32_t)i);
		healthy(KA_OPTIMIZED, 1000, o[i], (uint32_t)i + 100);
		healthy(KA_ALWAYS, 2000, o[i], (uint32_t)i + 200);
	}
}

/* A day of both sides' probes, rekeys with losses, and replies that are late: nothing is said. */
ATF_TC_WITHOUT_HEAD(day);
ATF_TC_BODY(day, tc)
{
	struct others o = { .interval_ms = 10000, .targets = 1, .ours = 3 };
	unsigned int hour, falls = 0;
	uint32_t seed;

	for (seed = 1; seed <= 3; seed++) {
		begin(KA_OPTIMIZED, 10000, seed);
		for (hour = 0; hour < 24; hour++) {
			o.ours = random32(NULL) % 3 * 40;
			W.rtt_us = 1000 + random32(NULL) % 900000;
			pass(&o, 3500000);
			W.rekeying = 1;
			pass(&o, random32(NULL) % 3000);
			W.spi++;
			W.out = W.in = 0;
			pass(&o, random32(NULL) % 3000);
			W.rekeying = 0;
			falls += status().state != WATCH_UP;
		}
		ATF_CHECK_EQ(0, status().lost);
		ATF_CHECK(!logged("down:") && !logged("eats packets"));
		done();
	}
	ATF_CHECK_EQ(0, falls);
}

/* What the other side asks is no reason not to ask; hosts that talk are. */
ATF_TC_WITHOUT_HEAD(paced);
ATF_TC_BODY(paced, tc)
{
	struct others o = { .interval_ms = 2000, .targets = 2 };
	unsigned int n;

	begin(KA_OPTIMIZED, 10000, 1);
	pass(&o, 60000);
	n = W.nprobes;
	pass(&o, 3600 * 1000);
	ATF_CHECK_MSG(W.nprobes - n >= 360 && W.nprobes - n <= 490, "%u probes", W.nprobes - n);
	o.ours = 50;
	pass(&o, 60000);
	n = W.nprobes;
	pass(&o, 3600 * 1000);
	/* but for the gateway's */
	ATF_CHECK_MSG(W.nprobes - n <= 20, "%u probes", W.nprobes - n);
	done();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, eaten);
	ATF_TP_ADD_TC(tp, in_clear);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, day);
	ATF_TP_ADD_TC(tp, paced);
	return (atf_no_error());
}
