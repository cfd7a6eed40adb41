/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's core under a virtual clock: a far host that answers or not, addresses
 * that come and go, iked's answers and counters.  Every probe of every
 * test is checked for its source.
 */

#include "watchworld.h"

static unsigned int
times_logged(const char *what)
{
	const char *p = W.lines;
	unsigned int n = 0;

	while ((p = strstr(p, what)) != NULL) {
		n++;
		p += strlen(what);
	}
	return (n);
}

ATF_TC_WITHOUT_HEAD(comes_up);
ATF_TC_BODY(comes_up, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	addrs("10.1.0.1", "192.0.2.1");
	/* Asked for at once; the SA needs 200 ms; until then packets vanish. */
	run_ms(1);
	ATF_CHECK_EQ(1, W.nups);
	run_ms(199);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	W.tunnel_up = W.answers = 1;
	run_ms(200);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(logged("keepalive \"boise\": up, first reply after "));
	ATF_CHECK(logged("(10.1.0.1 -> 10.2.0.1)"));
	/* What was lost before counts for nothing. */
	ATF_CHECK_EQ(0, status().lost);
	ATF_CHECK_EQ(status().sent, status().received);
	run_ms(3600 * 1000);
	ATF_CHECK_EQ(1, W.nups);
	ATF_CHECK_EQ(0, status().lost);
	ATF_CHECK_EQ(30000, status().rtt_us);
	ATF_CHECK_EQ(30000, status().rtt_avg_us);
	/* An hour at 10 s, up to a quarter early: 360 to 480. */
	ATF_CHECK(W.nprobes >= 360 && W.nprobes <= 490);
	ATF_CHECK(strstr(W.last_report, "report \"boise\" state=up "
	    "source=10.1.0.1 target=10.2.0.1 rtt_us=30000 ") ==
	    W.last_report);
	done();
}

ATF_TC_WITHOUT_HEAD(jitter);
ATF_TC_BODY(jitter, tc)
{
	int64_t gap, least = INT64_MAX, most = 0;
	unsigned int i, first;

	world("10.1.0.0/24");
	boise();
	W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(1000);
	first = W.nprobes;
	run_ms(1000 * 1000);
	ATF_REQUIRE(W.nprobes < MAXFLIGHT);
	for (i = first + 1; i < W.nprobes; i++) {
		gap = mono_diff_us(W.sent_at[i], W.sent_at[i - 1]);
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	ATF_CHECK(least >= 7500000 && least < 8500000);
	ATF_CHECK(most <= 10000000 && most > 9000000);
	done();
}

ATF_TC_WITHOUT_HEAD(goes_down);
ATF_TC_BODY(goes_down, tc)
{
	struct watch_status st;
	monotime t0;
	unsigned int i, n0;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.answers = W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, W.nups);
	W.answers = 0;
	n0 = W.nprobes;
	while (W.nprobes == n0)
		run_ms(10);
	t0 = W.last_probe;
	/* Miss, then three more a second apart, then down: never before 4. */
	while (status().state == WATCH_UP)
		run_ms(10);
	st = status();
	ATF_CHECK_EQ(4, st.lost);
	ATF_CHECK(mono_diff_us(W.now, t0) <= 7 * 1000000);
	for (i = n0 + 2; i < n0 + 4; i++)
		ATF_CHECK(mono_diff_us(W.sent_at[i], W.sent_at[i - 1]) <=
		    1000000);
	ATF_CHECK_EQ(WATCH_DOWN, st.state);
	ATF_CHECK(logged("keepalive \"boise\": down: 4 probes unanswered "
	    "(10.1.0.1 -> 10.2.0.1)"));
	run_ms(20);
	ATF_CHECK_EQ(2, W.nups);
	/* And back. */
	W.answers = 1;
	run_ms(300);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(2, times_logged("up, first reply after"));
	st = status();
	ATF_CHECK_EQ(st.sent, st.received + st.lost);
	done();
}

ATF_TC_WITHOUT_HEAD(one_loss_is_nothing);
ATF_TC_BODY(one_loss_is_nothing, tc)
{
	unsigned int i, n;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.answers = W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	for (i = 0; i < 50; i++) {
		/* Up to three in a row are lost. */
		W.answers = 0;
		n = W.nprobes;
		while (W.nprobes < n + 1 + i % 3)
			run_ms(10);
		W.answers = 1;
		run_ms(30000);
		ATF_REQUIRE_EQ(WATCH_UP, status().state);
	}
	ATF_CHECK_EQ(1, W.nups);
	ATF_CHECK_EQ(0, times_logged("down"));
	ATF_CHECK(status().lost >= 50);
	done();
}

ATF_TC_WITHOUT_HEAD(late_reply);
ATF_TC_BODY(late_reply, tc)
{
	struct stats_minute m[STATS_MINUTES];
	unsigned int i, lost = 0, sent = 0;
	struct watch_status st;
	uint32_t slot;

	world("10.1.0.0/24");
	boise();
	W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(5000);
	W.rtt_us = 2500000;	/* over the timeout, under the end */
	run_ms(120000);
	st = status();
	ATF_CHECK_EQ(WATCH_UP, st.state);
	ATF_CHECK(st.late > 5);
	/* One that is over the timeout is a loss, and one over its reply is not. */
	ATF_CHECK(st.lost <= 1);
	W.rtt_us = 30000;
	run_ms(20000);
	st = status();
	ATF_CHECK_EQ(0, st.lost);	/* lost at first, then found */
	ATF_CHECK_EQ(st.sent, st.received);
	ATF_CHECK_EQ(2500000, st.rtt_max_us);
	ATF_CHECK_EQ(0, st.fig.loss_1h);	/* in its minute, too */
	ATF_REQUIRE_EQ(0, watch_find(W.w, "boise", &slot));
	ATF_REQUIRE_EQ(0, watch_history(W.w, slot, m));
	for (i = 0; i < STATS_MINUTES; i++) {
		sent += m[i].sent;
		lost += m[i].lost;
	}
	ATF_CHECK_EQ(0, lost);
	ATF_CHECK_EQ(st.sent, sent);
	/* What never comes stays one. */
	W.answers = 0;
	run_ms(25000);
	ATF_REQUIRE_EQ(0, watch_history(W.w, slot, m));
	ATF_CHECK(m[0].lost + m[1].lost > 0);
	done();
}

ATF_TC_WITHOUT_HEAD(no_source);
ATF_TC_BODY(no_source, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.answers = W.tunnel_up = 1;
	addrs("192.0.2.1", "10.1.1.1");
	run_ms(600 * 1000);
	ATF_CHECK_EQ(0, W.nprobes);
	ATF_CHECK_EQ(0, W.nups);
	ATF_CHECK_EQ(WATCH_NOSOURCE, status().state);
	ATF_CHECK_EQ(1, times_logged("no address of this machine is inside "
	    "10.1.0.0/24; add one"));
	ATF_CHECK(strstr(W.last_report, "state=no-source source=any") != NULL);
	/* It appears. */
	addrs("192.0.2.1", "10.1.0.9");
	run_ms(200);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(addr_cmp(&W.last_src, &(struct addr){ ADDR_V4,
	    { 10, 1, 0, 9 } }) == 0);
	/* It vanishes: not one more packet. */
	addrs("192.0.2.1", NULL);
	W.nprobes = 0;
	run_ms(600 * 1000);
	ATF_CHECK_EQ(0, W.nprobes);
	ATF_CHECK_EQ(WATCH_NOSOURCE, status().state);
	/* Another inside the net serves as well. */
	addrs("10.1.0.77", NULL);
	run_ms(200);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

ATF_TC_WITHOUT_HEAD(source_changes);
ATF_TC_BODY(source_changes, tc)
{
	struct addr want = A("10.1.0.7");

	world("10.1.0.0/24");
	boise();
	W.answers = 1;
	addrs("10.1.0.7", NULL);
	run_ms(30000);
	addrs("10.1.0.2", "10.1.0.7");	/* the one in use stays */
	run_ms(30000);
	ATF_CHECK_EQ(0, addr_cmp(&want, &W.last_src));
	addrs("10.1.0.2", NULL);
	run_ms(30000);
	want = A("10.1.0.2");
	ATF_CHECK_EQ(0, addr_cmp(&want, &W.last_src));
	ATF_CHECK(logged("source 10.1.0.7 is gone, using 10.1.0.2"));
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, times_logged("up, first reply"));
	done();
}

ATF_TC_WITHOUT_HEAD(local_miss);
ATF_TC_BODY(local_miss, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = W.eaten = 1;	/* masquerade rewrites the source */
	addrs("10.1.0.1", NULL);
	run_ms(20000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	ATF_CHECK_EQ(1, times_logged("something on this machine (NAT, "
	    "firewall, route, or a policy that is gone) eats packets from 10.1.0.1 to 10.2.0.1 before "
	    "IPsec sees them"));
	ATF_CHECK(strstr(W.last_report, "state=local-miss") != NULL);
	run_ms(600 * 1000);
	ATF_CHECK_EQ(1, times_logged("eats packets"));
	/* The exemption is added: up as soon as counters and replies agree. */
	W.eaten = 0;
	W.answers = 1;
	run_ms(10000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

/* Probe and reply go around the tunnel, in clear: the counters do not move. */
ATF_TC_WITHOUT_HEAD(around);
ATF_TC_BODY(around, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = W.eaten = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(1000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	run_ms(150 * 1000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	ATF_CHECK_EQ(1, times_logged("eats packets from 10.1.0.1 to 10.2.0.1"));
	run_ms(600 * 1000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	ATF_CHECK_EQ(1, times_logged("eats packets"));
	W.eaten = 0;
	run_ms(10000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	/* the same, and iked goes away: nobody can say any more */
	W.eaten = 1;
	run_ms(150 * 1000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	link_iked(0);
	run_ms(2000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

/* A rekey resets the counters in the middle: that proves nothing. */
ATF_TC_WITHOUT_HEAD(rekey_is_no_miss);
ATF_TC_BODY(rekey_is_no_miss, tc)
{
	unsigned int i;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
	for (i = 0; i < 100; i++) {
		run_ms(2500);
		W.spi++;
		W.out = W.in = 0;
		W.eaten = i % 2;
	}
	ATF_CHECK(status().state != WATCH_LOCALMISS);
	done();
}

ATF_TC_WITHOUT_HEAD(one_way_and_silent);
ATF_TC_BODY(one_way_and_silent, tc)
{
	struct watch_status st;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	st = status();
	ATF_CHECK_EQ(WATCH_DOWN, st.state);
	ATF_CHECK(strstr(st.note, "probes leave by the tunnel, nothing "
	    "comes back") == st.note);
	W.backtraffic = 1;
	run_ms(120000);
	ATF_CHECK_STREQ("the tunnel carries other traffic, only the target "
	    "does not answer", status().note);
	done();
}

ATF_TC_WITHOUT_HEAD(no_tunnel);
ATF_TC_BODY(no_tunnel, tc)
{
	int64_t gap;
	unsigned int i;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	addrs("10.1.0.1", NULL);
	run_ms(29000);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	run_ms(300 * 1000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK(logged("down: no reply in 30 s (10.1.0.1 -> 10.2.0.1): the "
	    "tunnel is not up"));
	/* 1, 2, 4, 8, 16, 30, 30 ... s, each up to a quarter early */
	ATF_REQUIRE(W.nups >= 10);
	for (i = 1; i < W.nups; i++) {
		gap = mono_diff_us(W.up_at[i], W.up_at[i - 1]) / 1000;
		ATF_CHECK_MSG(gap >= (i < 6 ? 750 << (i - 1) : 22500) - 1600 &&
		    gap <= (i < 6 ? 1000 << (i - 1) : 30000),
		    "gap %u: %lld ms", i, (long long)gap);
	}
	/* About one probe a second, more after each request. */
	ATF_CHECK(W.nprobes < 329 * 2 + W.nups * 45);
	done();
}

ATF_TC_WITHOUT_HEAD(iked_refuses);
ATF_TC_BODY(iked_refuses, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.up_error = "there is no tunnel \"boise\"";
	addrs("10.1.0.1", NULL);
	run_ms(300 * 1000);
	ATF_CHECK_EQ(1, times_logged("iked: there is no tunnel"));
	ATF_CHECK_STREQ(W.up_error, status().note);
	done();
}

/* Without iked: a plain watcher that asks nobody. */
ATF_TC_WITHOUT_HEAD(plain_watcher);
ATF_TC_BODY(plain_watcher, tc)
{
	world("10.1.0.0/24");
	boise();
	addrs("10.1.0.1", NULL);
	run_ms(10000);
	ATF_CHECK(W.nprobes >= 9 && W.nprobes <= 15);
	W.answers = 1;
	run_ms(1100);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	W.answers = 0;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_EQ(0, W.nups + W.ncounters + W.nreports);
	/* iked appears: it is asked at once, and told. */
	link_iked(1);
	run_ms(10);
	ATF_CHECK_EQ(1, W.nups);
	ATF_CHECK(W.nreports >= 1);
	link_iked(0);
	run_ms(100000);
	ATF_CHECK_EQ(1, W.nups);
	done();
}

ATF_TC_WITHOUT_HEAD(no_route);
ATF_TC_BODY(no_route, tc)
{
	world("10.1.0.0/24");
	boise();
	link_iked(1);
	W.senderr = ENETUNREACH;
	addrs("10.1.0.1", NULL);
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	ATF_CHECK_EQ(1, times_logged("no route to the target"));
	W.senderr = 0;
	W.answers = W.tunnel_up = 1;
	run_ms(1500);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

/* Replies that are none: another host's, another number's, one already seen. */
ATF_TC_WITHOUT_HEAD(foreign_replies);
ATF_TC_BODY(foreign_replies, tc)
{
	struct flight f;
	struct addr other = A("10.2.0.2");
	struct probe bad;
	uint64_t received;

	world("10.1.0.0/24");
	boise();
	W.answers = 1;
	W.rtt_us = 60 * 1000000;
	addrs("10.1.0.1", NULL);
	run_ms(10);
	ATF_REQUIRE(W.nflight >= 1);
	f = W.flight[0];
	W.answers = 0;
	watch_reply(W.w, &other, &f.p, W.now);
	bad = f.p;
	bad.slot = 77777;
	watch_reply(W.w, &f.from, &bad, W.now);
	bad = f.p;
	bad.id++;
	watch_reply(W.w, &f.from, &bad, W.now);
	bad = f.p;
	bad.seq += 5;
	watch_reply(W.w, &f.from, &bad, W.now);
	bad = f.p;
	bad.seq -= 64;	/* long gone */
	watch_reply(W.w, &f.from, &bad, W.now);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	ATF_CHECK_EQ(0, status().received);
	watch_reply(W.w, &f.from, &f.p, W.now);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	received = status().received;
	watch_reply(W.w, &f.from, &f.p, W.now);
	ATF_CHECK_EQ(received, status().received);
	/* A minute later the same old replies prove nothing. */
	run_ms(59000);
	ATF_REQUIRE_EQ(WATCH_DOWN, status().state);
	run_ms(30000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	done();
}

ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct stats_minute before[STATS_MINUTES], after[STATS_MINUTES];
	struct watch_status was, st;
	uint32_t slot;
	size_t i;

	world("10.1.0.0/24");
	boise();
	W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(130000);
	/* With a probe on its way, whose reply will come after the reload. */
	W.rtt_us = 900000;
	for (i = 0; i < 200 && W.nflight == 0; i++)
		run_ms(100);
	ATF_REQUIRE_EQ(1, W.nflight);
	was = status();
	ATF_REQUIRE_EQ(WATCH_UP, was.state);
	ATF_REQUIRE(was.received > 10);
	ATF_REQUIRE_EQ(0, watch_find(W.w, "boise", &slot));
	ATF_REQUIRE_EQ(0, watch_history(W.w, slot, before));
	watch_conf_begin(W.w);
	target("reno", "10.1.0.0/24", "10.3.0.0/24", "10.3.0.1", 1000);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", 10000);
	watch_conf_commit(W.w, W.now);
	ATF_CHECK_EQ(2, watch_count(W.w));
	ATF_REQUIRE_EQ(0, watch_find(W.w, "reno", &slot));
	ATF_REQUIRE_EQ(0, watch_status_at(W.w, slot, &st));
	ATF_CHECK_EQ(WATCH_ACQUIRING, st.state);
	/* Everything that is known of the other one is as it was. */
	ATF_REQUIRE_EQ(0, watch_find(W.w, "boise", &slot));
	ATF_REQUIRE_EQ(0, watch_status_at(W.w, slot, &st));
	ATF_CHECK_EQ(0, memcmp(&was, &st, sizeof(st)));
	ATF_REQUIRE_EQ(0, watch_history(W.w, slot, after));
	ATF_CHECK_EQ(0, memcmp(before, after, sizeof(after)));
	run_ms(1000);
	ATF_REQUIRE_EQ(0, watch_status_at(W.w, slot, &st));
	ATF_CHECK_EQ(was.received + 1, st.received);
	W.rtt_us = 30000;
	run_ms(29000);
	ATF_REQUIRE_EQ(0, watch_status_at(W.w, slot, &st));
	ATF_CHECK(st.received > was.received + 2);
	ATF_CHECK_EQ(0, st.lost);
	ATF_CHECK_EQ(2, times_logged("up, first reply"));
	/* A changed target starts anew, a removed one is silent. */
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.3", 10000);
	watch_conf_commit(W.w, W.now);
	ATF_CHECK_EQ(1, watch_count(W.w));
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	run_ms(1000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(1, status().received);
	done();
}

/* What iked could not bring up it is asked for at once, and often: its file is mended. */
ATF_TC_WITHOUT_HEAD(mended_conf);
ATF_TC_BODY(mended_conf, tc)
{
	unsigned int ups;

	world("10.1.0.0/24");
	boise();
	link_iked(1);
	addrs("10.1.0.1", NULL);
	run_ms(300000);
	ups = W.nups;
	run_ms(10000);
	ATF_CHECK(W.nups <= ups + 1);
	ups = W.nups;
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", 10000);
	watch_conf_commit(W.w, W.now);
	run_ms(4000);
	ATF_CHECK_MSG(W.nups >= ups + 2, "asked %u times", W.nups - ups);
	done();
}

ATF_TC_WITHOUT_HEAD(refused_confs);
ATF_TC_BODY(refused_confs, tc)
{
	struct watch_conf wc;

	world("10.1.0.0/24");
	watch_conf_begin(W.w);
	memset(&wc, 0, sizeof(wc));
	ATF_CHECK_EQ(-1, watch_conf_add(W.w, &wc));
	(void)snprintf(wc.name, sizeof(wc.name), "x");
	wc.interval_ms = 1000;
	wc.nfrom = wc.nto = 1;
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
	wc.target = A("10.3.0.1");	/* would leave in clear */
	ATF_CHECK_EQ(-1, watch_conf_add(W.w, &wc));
	wc.target = A("10.2.0.1");
	wc.interval_ms = CONF_INTERVALMIN - 1;
	ATF_CHECK_EQ(-1, watch_conf_add(W.w, &wc));
	wc.interval_ms = 1000;
	(void)snprintf(wc.name, sizeof(wc.name), "x\" state=up");
	ATF_CHECK_EQ(-1, watch_conf_add(W.w, &wc));
	(void)snprintf(wc.name, sizeof(wc.name), "x\nflush");
	ATF_CHECK_EQ(-1, watch_conf_add(W.w, &wc));
	(void)snprintf(wc.name, sizeof(wc.name), "x");
	ATF_CHECK_EQ(0, watch_conf_add(W.w, &wc));
	watch_conf_commit(W.w, W.now);
	done();
}

/* Thousands of targets: started apart, asked for at a bounded rate. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	char name[32], to[32], dst[32];
	unsigned int i, ups, up = 0;
	struct watch_status st;

	world("10.1.0.0/24");
	watch_conf_begin(W.w);
	for (i = 0; i < 4000; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		(void)snprintf(to, sizeof(to), "10.%u.%u.0/24", 16 + i / 256,
		    i % 256);
		(void)snprintf(dst, sizeof(dst), "10.%u.%u.1", 16 + i / 256,
		    i % 256);
		target(name, "10.1.0.0/24", to, dst, 10000);
	}
	watch_conf_commit(W.w, W.now);
	link_iked(1);
	addrs("10.1.0.1", NULL);
	run_ms(100);
	ATF_CHECK(W.nups <= 110);
	for (i = 0; i < 20; i++) {
		ups = W.nups;
		W.nflight = 0;
		run_ms(1000);
		ATF_CHECK_MSG(W.nups - ups <= 155, "%u in a second",
		    W.nups - ups);
	}
	W.answers = W.tunnel_up = 1;
	for (i = 0; i < 60; i++)
		run_ms(1000);
	for (i = 0; i < 4000; i++) {
		ATF_REQUIRE_EQ(0, watch_status(W.w, i, &st));
		up += st.state == WATCH_UP;
	}
	ATF_CHECK_EQ(4000, up);
	done();
}

/* Random weather for days: never a probe from outside, sums that fit. */
ATF_TC_WITHOUT_HEAD(weather);
ATF_TC_BODY(weather, tc)
{
	struct watch_status st;
	unsigned int i, seed;
	uint32_t r;

	for (seed = 1; seed <= 10; seed++) {
		world("10.1.0.0/24");
		W.rnd = seed;
		boise();
		for (i = 0; i < 1000; i++) {
			r = random32(NULL);
			W.answers = r & 1;
			W.tunnel_up = (r & 6) != 0;
			W.eaten = (r & 24) == 24;
			W.rtt_us = (r >> 5) % 3000000;
			W.senderr = (r & 0x300) == 0 ? EPERM : 0;
			if ((r & 0xc00) == 0)
				addrs("192.0.2.1", NULL);
			else if ((r & 0xc00) == 0x400)
				addrs("10.1.0.1", "10.1.1.9");
			else if ((r & 0xc00) == 0x800)
				addrs("10.1.0.5", NULL);
			if ((r & 0x7000) == 0)
				link_iked(!W.linked);
			run_ms(random32(NULL) % 60000);
		}
		W.answers = W.tunnel_up = 1;
		W.senderr = W.eaten = 0;
		W.rtt_us = 1000;
		addrs("10.1.0.1", NULL);
		run_ms(10000);
		st = status();
		ATF_CHECK_EQ(WATCH_UP, st.state);
		ATF_CHECK_EQ(st.sent, st.received + st.lost);
		ATF_CHECK(st.received > 100);
		done();
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, comes_up);
	ATF_TP_ADD_TC(tp, jitter);
	ATF_TP_ADD_TC(tp, goes_down);
	ATF_TP_ADD_TC(tp, one_loss_is_nothing);
	ATF_TP_ADD_TC(tp, late_reply);
	ATF_TP_ADD_TC(tp, no_source);
	ATF_TP_ADD_TC(tp, source_changes);
	ATF_TP_ADD_TC(tp, local_miss);
	ATF_TP_ADD_TC(tp, around);
	ATF_TP_ADD_TC(tp, rekey_is_no_miss);
	ATF_TP_ADD_TC(tp, one_way_and_silent);
	ATF_TP_ADD_TC(tp, no_tunnel);
	ATF_TP_ADD_TC(tp, iked_refuses);
	ATF_TP_ADD_TC(tp, plain_watcher);
	ATF_TP_ADD_TC(tp, no_route);
	ATF_TP_ADD_TC(tp, foreign_replies);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, mended_conf);
	ATF_TP_ADD_TC(tp, refused_confs);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, weather);
	return (atf_no_error());
}
