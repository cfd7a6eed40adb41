/* SPDX-License-Identifier: ISC */
/* netwatchd's core with many targets: what all of them together may cost. */

#include <atf-c.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keepalive/watch.h"

#define NTARGETS	300

static struct watch	*w;
static monotime		 now;
static int		 answers;
static uint32_t		 rnd;
static unsigned int	 nprobes, nreports, ncounters, ndown;
static int		 full, queued;	/* what the sockets say to a probe */
static unsigned int	 nfull, ngate;
static struct conf_keepalive *with;	/* NULL: of before there were any */
static struct {
	struct addr	from;
	struct probe	p;
}			 waiting[4 * NTARGETS];
static size_t		 nwaiting;
static char		 last_report[WATCH_CMDLEN];

static int
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	(void)src;
	if (full) {
		nfull++;
		return (EAGAIN);
	}
	nprobes++;
	ngate += (p->slot & WATCH_GATE_SLOT) != 0;
	ATF_REQUIRE(nwaiting < sizeof(waiting) / sizeof(waiting[0]));
	waiting[nwaiting].from = *dst;
	waiting[nwaiting++].p = *p;
	return (queued ? EINPROGRESS : 0);
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	return ((rnd = rnd * 1664525u + 1013904223u) >> 8);
}

static void
quiet(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static const struct logger lg = { quiet, NULL, 1, NULL };
static const struct watch_io io = { NULL, probe, random32, &lg, NULL, NULL };

static void
many(uint32_t interval_ms)
{
	struct addr src;
	struct watch_conf wc;
	unsigned int i;

	memset(&wc, 0, sizeof(wc));
	now.us = 1000000000;
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/16"));
	wc.nfrom = wc.nto = 1;
	wc.interval_ms = interval_ms;
	wc.ka = with;
	watch_conf_begin(w);
	for (i = 0; i < NTARGETS; i++) {
		(void)snprintf(wc.name, sizeof(wc.name), "10.2.%u.%u", i / 250,
		    i % 250 + 1);
		ATF_REQUIRE_EQ(0, addr_parse(&wc.target, wc.name));
		ATF_REQUIRE_EQ(0, watch_conf_add(w, &wc));
	}
	watch_conf_commit(w, now);
	watch_link(w, 1, now);
	ATF_REQUIRE_EQ(0, addr_parse(&src, "10.1.0.1"));
	ATF_REQUIRE_EQ(0, watch_addrs(w, &src, 1, now));
}

/* A round trip is a millisecond; iked answers at once. */
static void
run_ms(int ms)
{
	struct watch_counters c = { .has_sa = 1, .spi_out = 7 };
	struct watch_cmd cmd;
	size_t i;

	while (ms-- > 0) {
		now = mono_add_ms(now, 1);
		c.packets_in = c.packets_out = (uint64_t)now.us;
		for (i = 0; answers && i < nwaiting; i++)
			watch_reply(w, &waiting[i].from, &waiting[i].p, now);
		nwaiting = 0;
		while (watch_expire(w, now))
			continue;
		for (i = 0; queued && i < nwaiting; i++)
			watch_sent(w, &waiting[i].p, queued == EINPROGRESS ? 0 :
			    queued, now);
		while (watch_command(w, &cmd, now)) {
			nreports += cmd.kind == WATCH_CMD_REPORT;
			ncounters += cmd.kind == WATCH_CMD_COUNTERS;
			if (cmd.kind == WATCH_CMD_REPORT)
				(void)strcpy(last_report, cmd.line);
			ndown += strstr(cmd.line, " state=down ") != NULL;
			watch_answer(w, &cmd, NULL, cmd.kind ==
			    WATCH_CMD_COUNTERS ? &c : NULL, now);
		}
	}
}

/* A reply a second from each target is no line a second to iked. */
ATF_TC_WITHOUT_HEAD(numbers_are_no_news);
ATF_TC_BODY(numbers_are_no_news, tc)
{
	many(1000);
	answers = 1;
	run_ms(20000);
	/* Each is said at once to be up. */
	ATF_CHECK(nreports >= NTARGETS);
	nreports = ncounters = 0;
	run_ms(20000);
	ATF_CHECK_MSG(nreports + ncounters <= 20 * 100 + 1, "%u and %u",
	    nreports, ncounters);
	/* But the rounds go on, and both get their turn. */
	ATF_CHECK_MSG(nreports + ncounters >= 20 * 90, "%u and %u", nreports,
	    ncounters);
	ATF_CHECK_MSG(nreports >= 20 * 40 && ncounters >= NTARGETS / 2,
	    "%u and %u", nreports, ncounters);
	/* A change goes ahead of them all. */
	answers = 0;
	run_ms(9000);
	ATF_CHECK(ndown >= NTARGETS);
	watch_free(w);
}

/* Each one's gateway is asked, and once more beside it; but not all of them at once. */
ATF_TC_WITHOUT_HEAD(gateways);
ATF_TC_BODY(gateways, tc)
{
	unsigned int i, was, most = 0;

	ATF_REQUIRE((with = conf_keepalive_new()) != NULL);
	with->pace = KA_ALWAYS;
	many(1000);
	answers = 1;
	for (i = 0; i < 60; i++) {
		was = ngate;
		run_ms(1000);
		most = ngate - was > most ? ngate - was : most;
	}
	ATF_CHECK_EQ_MSG(2 * NTARGETS, ngate, "%u asked", ngate);
	/* and the one beside at once */
	ATF_CHECK_MSG(most <= 2 * 101, "%u in a second", most);
	watch_free(w);
	conf_keepalive_unref(with);
}

/* Nobody starts all at once, and the last waits no longer than an interval. */
ATF_TC_WITHOUT_HEAD(splay);
ATF_TC_BODY(splay, tc)
{
	unsigned int i, was, most = 0;

	many(1000);
	answers = 1;
	for (i = 0; i < 110; i++) {
		was = nprobes;
		run_ms(10);
		most = nprobes - was > most ? nprobes - was : most;
	}
	ATF_CHECK(nprobes >= NTARGETS);
	/* 300 a second are 3 in 10 ms; the first repetitions are among them. */
	ATF_CHECK_MSG(most <= 12, "%u probes in 10 ms", most);
	watch_free(w);
}

/* A kernel that has no room for a second delays probes; it loses none. */
ATF_TC_WITHOUT_HEAD(no_room);
ATF_TC_BODY(no_room, tc)
{
	struct watch_totals tot;

	many(1000);
	answers = 1;
	run_ms(5000);
	full = 1;
	run_ms(1000);
	full = 0;
	ATF_CHECK(nfull >= NTARGETS);
	/* Tried again soon, but not in a busy loop. */
	ATF_CHECK_MSG(nfull <= NTARGETS * (1000 / 5), "%u tries", nfull);
	nprobes = 0;
	run_ms(20);
	ATF_CHECK_MSG(nprobes >= NTARGETS, "%u probes in 20 ms", nprobes);
	run_ms(5000);
	watch_totals(w, &tot);
	ATF_CHECK_EQ(NTARGETS, tot.targets);
	ATF_CHECK_EQ(NTARGETS, tot.up);
	ATF_CHECK_EQ(0, tot.lost);
	ATF_CHECK_EQ(0, tot.refused);
	ATF_CHECK_EQ(nfull, tot.delayed);
	watch_free(w);
}

/* The same results, whether they are known at once or later. */
ATF_TC_WITHOUT_HEAD(in_progress);
ATF_TC_BODY(in_progress, tc)
{
	struct watch_totals tot;
	struct watch_status st;
	uint64_t late = 0;
	size_t i;

	many(1000);
	answers = 1;
	queued = EINPROGRESS;
	run_ms(5000);
	watch_totals(w, &tot);
	ATF_CHECK_EQ(NTARGETS, tot.up);
	ATF_CHECK_EQ(nprobes, tot.probes);
	for (i = 0; i < WATCH_LATE_MS; i++)
		late += tot.lateness[i];
	ATF_CHECK_EQ(tot.probes, late);
	/* Nothing here is more than a tick and this loop's step late. */
	ATF_CHECK_EQ(late, tot.lateness[0] + tot.lateness[1]);
	answers = 0;
	queued = EHOSTUNREACH;
	run_ms(20000);
	watch_totals(w, &tot);
	ATF_CHECK_EQ(0, tot.up);
	ATF_CHECK(tot.refused >= 4 * NTARGETS);
	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	ATF_CHECK_EQ(WATCH_LOCALMISS, st.state);
	ATF_CHECK(strstr(st.note, "no route") != NULL);
	watch_free(w);
}

/* All down at once: their probes are bounded together, and each still has its turn. */
ATF_TC_WITHOUT_HEAD(all_down);
ATF_TC_BODY(all_down, tc)
{
	struct watch_totals tot;

	many(100);
	answers = 1;
	run_ms(3000);
	watch_totals(w, &tot);
	ATF_REQUIRE_EQ(NTARGETS, tot.up);
	answers = 0;
	run_ms(10000);
	watch_totals(w, &tot);
	ATF_REQUIRE_EQ(0, tot.up);
	nprobes = 0;
	run_ms(10000);
	/* One a second of each would be less; after a request there are ten. */
	ATF_CHECK_MSG(nprobes <= 10 * 1000 + 1000, "%u probes", nprobes);
	ATF_CHECK_MSG(nprobes >= 10 * NTARGETS / 2, "%u probes", nprobes);
	answers = 1;
	run_ms(3000);
	watch_totals(w, &tot);
	ATF_CHECK_EQ(NTARGETS, tot.up);
	watch_free(w);
}

static struct watch_status
first(void)
{
	struct watch_status st;

	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	return (st);
}

/* Percentiles, losses by the minute, and what of them iked hears. */
ATF_TC_WITHOUT_HEAD(figures);
ATF_TC_BODY(figures, tc)
{
	struct stats_minute m[STATS_MINUTES];
	unsigned int i, sent = 0, lost = 0;
	struct watch_status st;

	many(10000);
	/* Who has never answered has none. */
	run_ms(60000);
	ATF_CHECK_EQ(-1, watch_history(w, 0, m));
	ATF_CHECK_EQ(0, first().fig.p50_us);
	answers = 1;
	run_ms(300000);
	st = first();
	ATF_CHECK(st.fig.p50_us >= 900 && st.fig.p50_us <= 1100);
	ATF_CHECK(st.fig.p99_us >= 900 && st.fig.p99_us <= 1100);
	ATF_CHECK_EQ(0, st.fig.loss_1h);
	/* Every second second nothing comes, a minute long: each miss is asked about. */
	for (i = 0; i < 60; i++) {
		answers = (int)(i % 2);
		run_ms(1000);
	}
	answers = 1;
	run_ms(4000);
	st = first();
	ATF_CHECK_EQ(WATCH_UP, st.state);
	ATF_CHECK_MSG(st.fig.loss_1m > 100 && st.fig.loss_1m < 700, "%u",
	    st.fig.loss_1m);
	ATF_CHECK(st.fig.loss_1h < st.fig.loss_1m && st.fig.loss_1h > 0);
	ATF_REQUIRE_EQ(0, watch_history(w, 0, m));
	for (i = 0; i < STATS_MINUTES; i++) {
		sent += m[i].sent;
		lost += m[i].lost;
	}
	ATF_CHECK_EQ(sent, st.sent);
	ATF_CHECK_EQ(lost, st.lost);
	ATF_CHECK(strstr(last_report, " rtt_p99_us=") != NULL);
	ATF_CHECK(strstr(last_report, " loss_1h=") != NULL);
	/* Down for an hour and more: those losses are no longer of the last hour. */
	answers = 0;
	run_ms(3900 * 1000);
	st = first();
	ATF_CHECK_EQ(WATCH_DOWN, st.state);
	ATF_CHECK_EQ(0, st.fig.loss_1h);
	ATF_CHECK(st.fig.p50_us >= 900);
	watch_free(w);
}

/*
 * A hub's 10,000 tunnels, all lost at once: nothing answers, iked has no SA left.  After five
 * minutes the other sides are there again; a tunnel that is asked for is up 300 ms later.
 */
#define SPOKES		10000
#define UP_MS		300
#define BUCKET_RATE	50
#define BUCKET_BURST	100

static uint8_t		 spoke_up[SPOKES];
static monotime		 spoke_at[SPOKES];
static struct {
	struct addr	from;
	struct probe	p;
	monotime	at;
}			 spoke_reply[1 << 14];
static unsigned int	 rhead, rtail, ups_in_s[1200];
static int		 hub_there;

static int
spoke_probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	(void)src;
	nprobes++;
	if (!hub_there || !spoke_up[p->slot] || mono_before(now, spoke_at[p->slot]))
		return (0);
	ATF_REQUIRE(rhead - rtail < 1 << 14);
	spoke_reply[rhead & 0x3fff].from = *dst;
	spoke_reply[rhead & 0x3fff].p = *p;
	spoke_reply[rhead++ & 0x3fff].at = mono_add_ms(now, 20);
	return (0);
}

static void
spoke_command(const struct watch_cmd *cmd, int64_t since_ms)
{
	struct watch_counters c = { .has_sa = spoke_up[cmd->slot], .spi_out = 7,
	    .ike_up = 1, .packets_in = (uint64_t)now.us, .packets_out = (uint64_t)now.us };

	if (cmd->kind == WATCH_CMD_UP) {
		ups_in_s[since_ms / 1000]++;
		if (hub_there && !spoke_up[cmd->slot]) {
			spoke_up[cmd->slot] = 1;
			spoke_at[cmd->slot] = mono_add_ms(now, UP_MS);
		}
	}
	ATF_REQUIRE(cmd->kind != WATCH_CMD_RECOVER);
	ncounters += cmd->kind == WATCH_CMD_COUNTERS;
	watch_answer(w, cmd, cmd->kind == WATCH_CMD_COUNTERS && !c.has_sa ? "no SA" : NULL,
	    cmd->kind == WATCH_CMD_COUNTERS && c.has_sa ? &c : NULL, now);
}

/* Until all are as wanted, at most so long; the ms it took. */
static int64_t
spokes_run(int64_t most_ms, uint64_t want_up)
{
	struct watch_totals tot;
	struct watch_cmd cmd;
	int64_t ms;

	memset(ups_in_s, 0, sizeof(ups_in_s));
	for (ms = 0; ms < most_ms; ms += 5) {
		now = mono_add_ms(now, 5);
		for (; rtail != rhead && mono_reached(spoke_reply[rtail & 0x3fff].at, now); rtail++)
			watch_reply(w, &spoke_reply[rtail & 0x3fff].from,
			    &spoke_reply[rtail & 0x3fff].p, now);
		while (watch_expire(w, now))
			continue;
		while (watch_command(w, &cmd, now))
			spoke_command(&cmd, ms);
		if (ms % 100 == 0) {
			watch_totals(w, &tot);
			if (tot.up == want_up)
				break;
		}
	}
	return (ms);
}

static unsigned int
busiest(unsigned int from)
{
	unsigned int i, most = 0;

	for (i = from; i < sizeof(ups_in_s) / sizeof(ups_in_s[0]); i++)
		most = ups_in_s[i] > most ? ups_in_s[i] : most;
	return (most);
}

ATF_TC_WITHOUT_HEAD(hub_lost);
ATF_TC_BODY(hub_lost, tc)
{
	static const struct watch_io sio = { NULL, spoke_probe, random32, &lg, NULL, NULL };
	unsigned int i, lost_first, lost_then, back_first, back_then, asked;
	struct watch_conf wc;
	struct addr src;
	int64_t down_ms, back_ms;

	memset(&wc, 0, sizeof(wc));
	now.us = 1000000000;
	ATF_REQUIRE((w = watch_new(&sio)) != NULL);
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.64.0.0/10"));
	wc.nfrom = wc.nto = 1;
	wc.interval_ms = 10000;
	watch_conf_begin(w);
	for (i = 0; i < SPOKES; i++) {
		(void)snprintf(wc.name, sizeof(wc.name), "10.64.%u.%u", i / 250, i % 250 + 1);
		ATF_REQUIRE_EQ(0, addr_parse(&wc.target, wc.name));
		ATF_REQUIRE_EQ(0, watch_conf_add(w, &wc));
	}
	watch_conf_commit(w, now);
	watch_link(w, 1, now);
	ATF_REQUIRE_EQ(0, addr_parse(&src, "10.1.0.1"));
	hub_there = 1;
	memset(spoke_up, 1, sizeof(spoke_up));
	ATF_REQUIRE_EQ(0, watch_addrs(w, &src, 1, now));
	(void)spokes_run(120000, SPOKES);
	(void)spokes_run(60000, ~0ULL);

	hub_there = 0;
	memset(spoke_up, 0, sizeof(spoke_up));
	down_ms = spokes_run(60000, 0);
	lost_first = ups_in_s[0] > busiest(1) ? ups_in_s[0] : busiest(0);
	ATF_CHECK_MSG(down_ms < 20000, "%lld ms until all are down", (long long)down_ms);
	ncounters = 0;
	(void)spokes_run(300000 - down_ms, ~0ULL);
	asked = ncounters;
	lost_then = busiest(10);
	hub_there = 1;
	back_ms = spokes_run(600000, SPOKES);
	back_first = busiest(0);
	back_then = busiest(2);
	for (i = 0; i < SPOKES; i++)
		ATF_REQUIRE(spoke_up[i]);
	/* The bucket, and the tick at a second's edge. */
	ATF_CHECK_MSG(lost_first <= BUCKET_RATE + BUCKET_BURST, "%u", lost_first);
	ATF_CHECK_MSG(lost_then <= BUCKET_RATE + 1, "%u", lost_then);
	ATF_CHECK_MSG(back_first <= BUCKET_RATE + BUCKET_BURST, "%u", back_first);
	ATF_CHECK_MSG(back_then <= BUCKET_RATE + 1, "%u", back_then);
	/* At 50 a second they need 200 s; each has its turn, whatever its own back-off. */
	ATF_CHECK_MSG(back_ms <= 240000, "%lld ms", (long long)back_ms);
	printf("%u tunnels lost at once: all seen down in %.1f s; at most %u initiations in a "
	    "second then, %u in any later one, %u when the hub is back; all back in %.1f s; "
	    "%u counter questions a second while down\n", SPOKES,
	    (double)down_ms / 1000, lost_first, lost_then, back_first, (double)back_ms / 1000,
	    asked / 300);
	watch_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numbers_are_no_news);
	ATF_TP_ADD_TC(tp, gateways);
	ATF_TP_ADD_TC(tp, splay);
	ATF_TP_ADD_TC(tp, all_down);
	ATF_TP_ADD_TC(tp, hub_lost);
	ATF_TP_ADD_TC(tp, figures);
	ATF_TP_ADD_TC(tp, no_room);
	ATF_TP_ADD_TC(tp, in_progress);
	return (atf_no_error());
}
