/* SPDX-License-Identifier: ISC */
/* netwatchd's core: several targets and their quorum, pace, and the grace around a rekey. */

#include "watchworld.h"

/* The first target is 10.2.0.1; others follow it. */
static void
boise_with(unsigned int more, uint8_t quorum, enum ka_pace pace)
{
	struct watch_conf wc;
	struct addr a = A("10.2.0.1");
	unsigned int i;

	world("10.1.0.0/24");
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->quorum = quorum;
	W.ka->pace = (uint8_t)pace;
	memset(&wc, 0, sizeof(wc));
	(void)snprintf(wc.name, sizeof(wc.name), "boise");
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
	wc.nfrom = wc.nto = 1;
	wc.interval_ms = 10000;
	wc.ka = W.ka;
	for (i = 0; i <= more; i++, a.b[3]++)
		ATF_REQUIRE_EQ(0, watch_conf_target(&wc, &a));
	watch_conf_begin(W.w);
	ATF_REQUIRE_EQ(0, watch_conf_add(W.w, &wc));
	watch_conf_commit(W.w, W.now);
	conf_keepalive_ref(W.ka);
	watch_conf_clear(&wc);
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
}

static unsigned int
acts(void)
{
	return (W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
}

#define BIT(octet)	(1U << (octet))

/* Up while so many answer, whichever they are; rounds are counted, not packets. */
ATF_TC_WITHOUT_HEAD(quorum);
ATF_TC_BODY(quorum, tc)
{
	struct watch_status st;

	boise_with(2, 2, KA_ALWAYS);
	W.muted = BIT(1);
	run_ms(600000);
	st = status();
	ATF_CHECK_EQ(WATCH_UP, st.state);
	ATF_CHECK_EQ(0, st.lost);
	ATF_CHECK_EQ(st.sent, st.received);
	ATF_CHECK_MSG(W.nprobes >= 3 * st.sent && W.nprobes <= 3 * st.sent + 3, "%u of %llu",
	    W.nprobes, (unsigned long long)st.sent);
	W.muted = BIT(3);
	run_ms(600000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(0, status().lost);
	/* One of three is less than two. */
	W.muted = BIT(1) | BIT(3);
	run_ms(30000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_STREQ("1 of its 3 targets answer, 2 are wanted", status().note);
	ATF_CHECK_STREQ("TARGET_SILENT", status().verdict);
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, acts());
	W.muted = BIT(2);
	run_ms(10000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	st = status();
	ATF_CHECK_EQ(st.sent, st.received + st.lost);
	done();
}

/* Another's reply is none of its, and the same one twice is no two. */
ATF_TC_WITHOUT_HEAD(quorum_foreign);
ATF_TC_BODY(quorum_foreign, tc)
{
	struct addr other = A("10.2.0.4");
	struct flight f;
	int i;

	boise_with(1, 2, KA_ALWAYS);
	W.rtt_us = 60 * 1000000;
	run_ms(200);
	ATF_REQUIRE(W.nflight >= 2);
	f = W.flight[0];
	W.answers = 0;
	watch_reply(W.w, &other, &f.p, W.now);
	for (i = 0; i < 5; i++)
		watch_reply(W.w, &f.from, &f.p, W.now);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	ATF_CHECK_EQ(0, status().received);
	ATF_CHECK_EQ(0, addr_cmp(&W.flight[1].from, &(struct addr){ ADDR_V4, { 10, 2, 0, 2 } }));
	watch_reply(W.w, &W.flight[1].from, &f.p, W.now);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, status().received);
	done();
}

/* What fails at once counts when too few are left. */
ATF_TC_WITHOUT_HEAD(quorum_failed);
ATF_TC_BODY(quorum_failed, tc)
{
	struct probe p;

	boise_with(2, 2, KA_ALWAYS);
	run_ms(60000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	W.muted = ~0U;
	W.nprobes = 0;
	W.rtt_us = 1;
	W.muted = 0;
	W.nflight = 0;
	while (W.nflight == 0)
		run_ms(1);
	p = W.flight[0].p;
	W.nflight = 0;
	watch_failed(W.w, &p, "refused", W.now);
	ATF_CHECK_EQ(0, status().lost);
	watch_failed(W.w, &p, "refused", W.now);
	ATF_CHECK_EQ(1, status().lost);
	done();
}

/* Two that have always answered fall silent at once, and the peer lives: it is the tunnel. */
ATF_TC_WITHOUT_HEAD(witness);
ATF_TC_BODY(witness, tc)
{
	monotime t0;

	boise_with(1, 1, KA_ALWAYS);
	run_ms(300000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	W.answers = 0;
	W.healed_by = RECREATE;
	t0 = W.last_probe;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_EQ(1, W.nacts[RECREATE]);
	ATF_CHECK_EQ(0, W.nacts[RESET]);
	/* an interval, and 5 s */
	ATF_CHECK_MSG(mono_diff_us(W.acted[REKEY], t0) < 15000000, "%lld us",
	    (long long)mono_diff_us(W.acted[REKEY], t0));
	done();
}

/* One that was silent before is no witness, nor is one that has been so by itself. */
ATF_TC_WITHOUT_HEAD(no_witness);
ATF_TC_BODY(no_witness, tc)
{
	boise_with(1, 1, KA_ALWAYS);
	run_ms(300000);
	W.muted = BIT(2);
	run_ms(600000);
	W.answers = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_EQ(0, acts());
	W.answers = 1;
	W.muted = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	W.answers = 0;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(0, acts());
	/* after a day of good manners it is believed */
	W.answers = 1;
	run_ms(25 * 3600 * 1000);
	W.answers = 0;
	run_ms(60000);
	ATF_CHECK(acts() > 0);
	done();
}

/* A healthy, idle tunnel, and three targets that flap at random, each as it likes. */
ATF_TC_WITHOUT_HEAD(flapping);
ATF_TC_BODY(flapping, tc)
{
	unsigned int seed, falls = 0;
	int64_t end;

	for (seed = 1; seed <= 10; seed++) {
		boise_with(2, 1, KA_ALWAYS);
		run_ms(300000);
		W.rnd = seed;
		for (end = W.now.us + 86400LL * 1000000; W.now.us < end; ) {
			W.muted ^= BIT(1 + random32(NULL) % 3);
			run_ms(random32(NULL) % 120000);
			falls += status().state == WATCH_DOWN;
		}
		ATF_CHECK_EQ_MSG(0, acts(), "seed %u: %u", seed, acts());
		done();
	}
	ATF_CHECK_MSG(falls > 10 * 20, "%u falls", falls);
	printf("10 simulated days, three targets flapping by themselves, %u falls: 0 resets\n",
	    falls);
}

/* No probes while hosts' packets pass both ways; at once when theirs are not answered. */
ATF_TC_WITHOUT_HEAD(optimized);
ATF_TC_BODY(optimized, tc)
{
	unsigned int i, n;
	monotime t0;

	boise_with(0, 1, KA_OPTIMIZED);
	run_ms(60000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	ATF_CHECK(status().sent >= 6);
	W.backtraffic = 1;
	run_ms(20000);
	n = W.nprobes;
	run_ms(3600 * 1000);
	ATF_CHECK_MSG(W.nprobes - n <= 2, "%u probes", W.nprobes - n);
	ATF_CHECK(W.ncounters > 300);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	/* asked for by a person it goes out all the same */
	n = W.nprobes;
	ATF_REQUIRE_EQ(0, watch_probe_now(W.w, 0, W.now));
	run_ms(100);
	ATF_CHECK_EQ(n + 1, W.nprobes);
	/* idle: as always */
	W.backtraffic = 0;
	run_ms(30000);
	n = W.nprobes;
	run_ms(3600 * 1000);
	ATF_CHECK_MSG(W.nprobes - n >= 360, "%u probes", W.nprobes - n);
	ATF_CHECK_EQ(0, status().lost);
	/* busy, and then dead: seen within an interval, done about within 5 s more */
	W.backtraffic = 1;
	run_ms(600000);
	W.backtraffic = W.answers = 0;
	W.healed_by = REKEY;
	t0 = W.now;
	for (i = 0; i < 300 && W.nacts[REKEY] == 0; i++) {
		W.out += 3;
		run_ms(100);
	}
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_MSG(mono_diff_us(W.now, t0) < 15000000, "%lld us",
	    (long long)mono_diff_us(W.now, t0));
	/* without iked nobody knows what passes */
	run_ms(10000);
	link_iked(0);
	n = W.nprobes;
	run_ms(3600 * 1000);
	ATF_CHECK(W.nprobes - n >= 360);
	done();
}

/*
 * A tunnel in use dies, at any moment of any interval: with one address and the default
 * interval the packets pass again within 5 s.
 */
ATF_TC_WITHOUT_HEAD(five_seconds);
ATF_TC_BODY(five_seconds, tc)
{
	int64_t us, worst = 0;
	unsigned int i, k;
	monotime t0;

	for (k = 0; k < 100; k++) {
		boise_with(0, 1, KA_OPTIMIZED);
		W.rnd = k;
		W.backtraffic = 1;
		run_ms(120000 + k * 100);
		W.backtraffic = W.answers = 0;
		W.healed_by = REKEY;
		t0 = W.now;
		for (i = 0; i < 3000 && W.nacts[REKEY] == 0; i++) {
			W.out += i % 10 == 0;
			run_ms(10);
		}
		us = mono_diff_us(W.now, t0);
		worst = us > worst ? us : worst;
		ATF_CHECK_EQ(1, acts());
		run_ms(5000);
		ATF_CHECK_EQ(WATCH_UP, status().state);
		done();
	}
	printf("rekeyed after at most %lld ms\n", (long long)worst / 1000);
	ATF_CHECK_MSG(worst < 3000000, "%lld us", (long long)worst);
}

/* With the verdict, not after it, the answer of the peer is there. */
ATF_TC_WITHOUT_HEAD(with_the_fall);
ATF_TC_BODY(with_the_fall, tc)
{
	unsigned int i, n;

	boise_with(1, 1, KA_ALWAYS);
	run_ms(60000);
	W.answers = 0;
	W.healed_by = REKEY;
	for (i = 0; i < 3000 && status().state == WATCH_UP; i++)
		run_ms(10);
	ATF_REQUIRE_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_EQ(1, W.nchecks);
	/* and a probe that is lost after that answer */
	run_ms(400);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	/* for one that is missed the peer is not asked */
	run_ms(60000);
	W.nchecks = 0;
	n = W.nprobes;
	for (W.answers = 0; W.nprobes == n;)
		run_ms(10);
	W.answers = 1;
	run_ms(60000);
	ATF_CHECK_EQ(0, W.nchecks);
	ATF_CHECK(status().lost >= 5);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

/*
 * What leaves is lost, and the peer's own probes come in: that is no conversation, and no
 * reason not to probe.
 */
ATF_TC_WITHOUT_HEAD(lopsided);
ATF_TC_BODY(lopsided, tc)
{
	unsigned int i;

	boise_with(0, 1, KA_OPTIMIZED);
	W.backtraffic = 1;
	run_ms(120000);
	W.backtraffic = W.answers = 0;
	for (i = 0; i < 600; i++) {
		W.out += 3;
		W.in += i % 5 == 0;
		run_ms(100);
	}
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_STREQ("TARGET_SILENT", status().verdict);
	ATF_CHECK_EQ(0, acts());
	done();
}

/* Not one packet: the tunnel is asked for and its SA is watched, with a source or without. */
ATF_TC_WITHOUT_HEAD(off);
ATF_TC_BODY(off, tc)
{
	boise_with(0, 1, KA_OFF);
	W.tunnel_up = 0;
	run_ms(20000);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	ATF_CHECK(W.nups >= 3);
	W.tunnel_up = 1;
	run_ms(30000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(logged("up: the tunnel has an SA (pace off: nothing is sent)"));
	W.nups = 0;
	W.out = 1000;
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(0, W.nups);
	addrs("192.0.2.1", NULL);
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	W.tunnel_up = 0;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_STREQ("the tunnel is not up", status().note);
	ATF_CHECK(W.nups >= 3);
	W.tunnel_up = 1;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(0, acts());
	ATF_CHECK_EQ(0, W.nprobes);
	ATF_CHECK_EQ(-1, watch_probe_now(W.w, 0, W.now));
	done();
}

/* Two probes around a rekey are no one's loss; a third one and more are. */
ATF_TC_WITHOUT_HEAD(rekey_grace);
ATF_TC_BODY(rekey_grace, tc)
{
	unsigned int i, n;

	boise_with(0, 1, KA_ALWAYS);
	W.ka->fall = 2;
	run_ms(60000);
	for (i = 0; i < 50; i++) {
		/* the keys change with a probe that gets lost, and the next one does, too */
		W.answers = 0;
		n = W.nprobes;
		while (W.nprobes == n)
			run_ms(1);
		if (i % 2)
			W.rekeying = 1;
		else {
			W.spi++;
			W.out = W.in = 0;
		}
		while (W.nprobes < n + 3)
			run_ms(1);
		W.answers = 1;
		run_ms(1500);
		W.rekeying = 0;
		run_ms(30000);
		ATF_REQUIRE_EQ_MSG(WATCH_UP, status().state, "rekey %u", i);
	}
	ATF_CHECK(!logged("down:"));
	ATF_CHECK(status().lost >= 50);
	W.spi++;
	W.answers = 0;
	run_ms(20000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	done();
}

/* Down for a while: the backup comes up; up again, and after the delay it is let go. */
ATF_TC_WITHOUT_HEAD(backup);
ATF_TC_BODY(backup, tc)
{
	monotime t0;
	int64_t ms;

	world("10.1.0.0/24");
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->pace = KA_ALWAYS;
	W.ka->preempt = 60;
	ATF_REQUIRE_EQ(0, conf_keepalive_str(W.ka, KA_BACKUP, "spare"));
	boise();
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(600000);
	ATF_CHECK_STREQ("", W.reserve);
	/* a short outage needs none */
	W.answers = W.tunnel_up = 0;
	while (status().state == WATCH_UP)
		run_ms(100);
	run_ms(8000);
	W.answers = W.tunnel_up = 1;
	run_ms(600000);
	ATF_CHECK_STREQ("", W.reserve);
	/* a long one does */
	W.answers = W.tunnel_up = 0;
	while (status().state == WATCH_UP)
		run_ms(100);
	run_ms(11000);
	ATF_CHECK_STREQ("up \"spare\"\n", W.reserve);
	ATF_CHECK(logged("stays down: its backup \"spare\" is brought up"));
	run_ms(60000);		/* asked for again, for it may have failed */
	ATF_CHECK(strlen(W.reserve) >= 2 * strlen("up \"spare\"\n"));
	W.reserve[0] = '\0';
	/* up, but not for long enough; then it is */
	W.answers = W.tunnel_up = 1;
	while (status().state != WATCH_UP)
		run_ms(100);
	run_ms(50000);
	W.answers = W.tunnel_up = 0;
	while (status().state == WATCH_UP)
		run_ms(100);
	W.answers = W.tunnel_up = 1;
	while (status().state != WATCH_UP)
		run_ms(100);
	t0 = W.now;
	run_ms(50000);
	ATF_CHECK_STREQ("", W.reserve);
	run_ms(20000);
	ATF_CHECK_STREQ("down \"spare\"\n", W.reserve);
	ms = mono_diff_us(W.reserved, t0) / 1000;
	ATF_CHECK_MSG(ms > 59000 && ms < 62000, "%lld ms", (long long)ms);
	/* only the target is silent: there is no need of it */
	W.reserve[0] = '\0';
	W.answers = 0;
	W.backtraffic = 1;
	run_ms(600000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_STREQ("", W.reserve);
	/* iked was restarted */
	W.backtraffic = W.tunnel_up = 0;
	run_ms(60000);
	ATF_CHECK(W.reserve[0] != '\0');
	link_iked(0);
	W.reserve[0] = '\0';
	run_ms(60000);
	ATF_CHECK_STREQ("", W.reserve);
	link_iked(1);
	run_ms(100);
	ATF_CHECK_STREQ("up \"spare\"\n", W.reserve);
	done();
}

/* Two tunnels with the same one: the first that is up again does not take it away. */
ATF_TC_WITHOUT_HEAD(backup_shared);
ATF_TC_BODY(backup_shared, tc)
{
	world("10.1.0.0/24");
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->pace = KA_ALWAYS;
	W.ka->preempt = 0;
	ATF_REQUIRE_EQ(0, conf_keepalive_str(W.ka, KA_BACKUP, "spare"));
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", 10000);
	target("reno", "10.1.0.0/24", "10.3.0.0/24", "10.3.0.2", 10000);
	watch_conf_commit(W.w, W.now);
	link_iked(1);
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	ATF_CHECK_STREQ("up \"spare\"\nup \"spare\"\n", W.reserve);
	W.reserve[0] = '\0';
	W.tunnel_up = W.answers = 1;
	W.muted = BIT(2);
	run_ms(20000);
	ATF_CHECK(strstr(W.reserve, "down") == NULL);
	W.muted = 0;
	run_ms(10000);
	ATF_CHECK(strstr(W.reserve, "down \"spare\"\n") != NULL);
	/* it is watched itself, which keeps it up: never taken down */
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", 10000);
	target("spare", "10.1.0.0/24", "10.4.0.0/24", "10.4.0.1", 10000);
	watch_conf_commit(W.w, W.now);
	W.tunnel_up = W.answers = 0;
	run_ms(60000);
	W.reserve[0] = '\0';
	W.tunnel_up = W.answers = 1;
	run_ms(60000);
	ATF_CHECK(strstr(W.reserve, "down") == NULL);
	/* removed while it is wanted */
	W.tunnel_up = W.answers = 0;
	run_ms(60000);
	watch_conf_begin(W.w);
	watch_conf_commit(W.w, W.now);
	run_ms(1000);
	done();
}

/* `from dynamic': the address that the peer has given, and no other, however many there are. */
ATF_TC_WITHOUT_HEAD(dynamic);
ATF_TC_BODY(dynamic, tc)
{
	struct watch_conf wc;

	world("10.9.0.7/32");
	memset(&wc, 0, sizeof(wc));
	(void)snprintf(wc.name, sizeof(wc.name), "hub");
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "0.0.0.0/0"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
	wc.nfrom = wc.nto = wc.dynamic = 1;
	wc.target = A("10.2.0.1");
	wc.interval_ms = 10000;
	watch_conf_begin(W.w);
	ATF_REQUIRE_EQ(0, watch_conf_add(W.w, &wc));
	watch_conf_commit(W.w, W.now);
	link_iked(1);
	W.answers = 1;
	addrs("10.1.0.1", "192.0.2.1");
	/* it is asked for, and nothing is sent from anywhere */
	run_ms(20000);
	ATF_CHECK(W.nups >= 3);
	ATF_CHECK_EQ(0, W.nprobes);
	/* up, but the address is on no interface */
	W.tunnel_up = 1;
	W.given = A("10.9.0.7");
	run_ms(20000);
	ATF_CHECK_EQ(0, W.nprobes);
	ATF_CHECK(strstr(status().note, "is on no interface") != NULL);
	addrs("10.1.0.1", "10.9.0.7");
	run_ms(3000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(W.nprobes > 0);
	/* another one is given: the old one is not used for a moment */
	addrs("10.1.0.1", NULL);
	run_ms(100);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	W.nprobes = 0;
	run_ms(20000);
	ATF_CHECK_EQ(0, W.nprobes);
	W.spi++;
	W.given = A("10.9.0.8");
	ATF_REQUIRE_EQ(0, W.noutside);
	ATF_REQUIRE_EQ(0, prefix_parse(&W.selector, "10.9.0.8/32"));
	addrs("10.1.0.1", "10.9.0.8");
	run_ms(40000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	addrs("10.9.0.7", "10.9.0.8");
	run_ms(60000);
	ATF_CHECK_EQ(0, addr_cmp(&W.given, &W.last_src));
	done();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, quorum);
	ATF_TP_ADD_TC(tp, quorum_foreign);
	ATF_TP_ADD_TC(tp, quorum_failed);
	ATF_TP_ADD_TC(tp, witness);
	ATF_TP_ADD_TC(tp, no_witness);
	ATF_TP_ADD_TC(tp, flapping);
	ATF_TP_ADD_TC(tp, optimized);
	ATF_TP_ADD_TC(tp, five_seconds);
	ATF_TP_ADD_TC(tp, with_the_fall);
	ATF_TP_ADD_TC(tp, lopsided);
	ATF_TP_ADD_TC(tp, off);
	ATF_TP_ADD_TC(tp, rekey_grace);
	ATF_TP_ADD_TC(tp, backup);
	ATF_TP_ADD_TC(tp, backup_shared);
	ATF_TP_ADD_TC(tp, dynamic);
	return (atf_no_error());
}
