/* SPDX-License-Identifier: ISC */
/* netwatchd's core: hooks, and the search for the largest packet. */

#include <atf-c.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keepalive/watch.h"

#define MAXFLIGHT	64

static struct watch	*w;
static monotime		 now;
static int		 answers;
static uint32_t		 rnd, spi;
static unsigned int	 mtu, kernel_mtu, nprobes, nbig, nups;
static char		 log_text[65536], hooks[65536], last_report[WATCH_CMDLEN];
static struct hook_event last_hook;
static struct conf_keepalive *ka;
static struct flight {
	monotime	at;
	struct addr	from;
	struct probe	p;
}			 flight[MAXFLIGHT];
static size_t		 nflight;

static int
probe(void *arg, struct conf_keepalive *k, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	char s[ADDR_STRLEN];
	unsigned int octets = (p->size < 64U ? 64U : p->size) + 20;

	(void)arg;
	(void)k;
	ATF_CHECK_STREQ("10.1.0.1", addr_str(src, s));
	nprobes++;
	if (p->slot & WATCH_PMTU_SLOT) {
		nbig++;
		ATF_CHECK(!p->nodf);
	}
	if (kernel_mtu != 0 && octets > kernel_mtu)
		return (EMSGSIZE);
	if (!answers || octets > mtu || nflight == MAXFLIGHT)
		return (0);
	flight[nflight++] = (struct flight){ mono_add_ms(now, 20), *dst, *p };
	return (0);
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	return ((rnd = rnd * 1664525u + 1013904223u) >> 8);
}

static void
emit(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(log_text);

	(void)arg;
	(void)level;
	(void)snprintf(log_text + n, sizeof(log_text) - n, "%s\n", line);
}

static void
hook(void *arg, const struct hook_event *ev)
{
	static const char *const names[] = { "up", "down", "test" };
	size_t n = strlen(hooks);

	(void)arg;
	ATF_REQUIRE(ev->kind < HOOK_KINDS);
	(void)snprintf(hooks + n, sizeof(hooks) - n, "%s %s %s: %s\n",
	    names[ev->kind], ev->name, ev->state, ev->reason);
	last_hook = *ev;
}

static const struct logger lg = { emit, NULL, 1, NULL };
static const struct watch_io io = { .probe = probe, .random = random32,
    .log = &lg, .hook = hook };

static void
conf(void)
{
	struct watch_conf wc;

	memset(&wc, 0, sizeof(wc));
	(void)strcpy(wc.name, "boise");
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
	wc.nfrom = wc.nto = 1;
	wc.interval_ms = 10000;
	wc.ka = ka;
	ATF_REQUIRE_EQ(0, addr_parse(&wc.target, "10.2.0.1"));
	watch_conf_begin(w);
	ATF_REQUIRE_EQ(0, watch_conf_add(w, &wc));
	watch_conf_commit(w, now);
}

static void
addrs(const char *a)
{
	struct addr src;

	if (a != NULL)
		ATF_REQUIRE_EQ(0, addr_parse(&src, a));
	ATF_REQUIRE_EQ(0, watch_addrs(w, &src, a != NULL, now));
}

static void
begin(void)
{
	now.us = 1000000000;
	spi = 7;
	mtu = 1438;
	answers = 1;
	ATF_REQUIRE((ka = conf_keepalive_new()) != NULL);
	ka->pace = KA_ALWAYS;	/* the counters here run by themselves */
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
}

static void
run_ms(int64_t ms)
{
	struct watch_counters c = { .has_sa = 1, .spi_out = spi };
	struct watch_cmd cmd;
	size_t i;

	for (; ms > 0; ms -= 10) {
		now = mono_add_ms(now, 10);
		c.packets_in = c.packets_out = (uint64_t)now.us;
		for (i = 0; i < nflight; i++)
			if (mono_reached(flight[i].at, now)) {
				watch_reply(w, &flight[i].from, &flight[i].p, now);
				flight[i--] = flight[--nflight];
			}
		while (watch_expire(w, now))
			continue;
		while (watch_command(w, &cmd, now)) {
			nups += cmd.kind == WATCH_CMD_UP;
			if (cmd.kind == WATCH_CMD_REPORT)
				(void)strcpy(last_report, cmd.line);
			watch_answer(w, &cmd, NULL, cmd.kind ==
			    WATCH_CMD_COUNTERS ? &c : NULL, now);
		}
	}
}

static struct watch_status
status(void)
{
	struct watch_status st;

	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	return (st);
}

static void
end(void)
{
	watch_free(w);
	conf_keepalive_unref(ka);
}

/* Found once it is up, told, and looked for again when the SA is another one. */
ATF_TC_WITHOUT_HEAD(pmtu);
ATF_TC_BODY(pmtu, tc)
{
	unsigned int n;

	begin();
	ka->pmtu = 1;
	conf();
	watch_link(w, 1, now);
	addrs("10.1.0.1");
	run_ms(9000);
	ATF_CHECK_EQ(0, nbig);
	ATF_CHECK_EQ(0, status().pmtu);
	run_ms(110000);
	ATF_CHECK_EQ(1438, status().pmtu);
	ATF_CHECK_EQ(1398, status().mss);
	ATF_CHECK(strstr(log_text, "packets up to 1438 octets pass; ") != NULL);
	ATF_CHECK(strstr(log_text, "maxseg size set 1398") != NULL);
	ATF_CHECK(strstr(last_report, " pmtu=1438 mss=1398 ") != NULL);
	/* It is in no figure: large probes that got lost were no losses. */
	ATF_CHECK_EQ(0, status().lost);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(nbig > 20);
	/* Then it is quiet. */
	n = nbig;
	run_ms(1800 * 1000);
	ATF_CHECK_EQ(n, nbig);
	spi++;
	mtu = 1300;
	run_ms(300000);
	ATF_CHECK_EQ(1300, status().pmtu);
	/* The kernel knows a way with less at once. */
	spi++;
	kernel_mtu = 1200;
	run_ms(300000);
	ATF_CHECK_EQ(1200, status().pmtu);
	/* The result outlives an outage, in which nothing large is sent. */
	answers = 0;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	n = nbig;
	run_ms(7200 * 1000);
	ATF_CHECK_EQ(n, nbig);
	ATF_CHECK_EQ(1200, status().pmtu);
	kernel_mtu = 0;
	mtu = 400;
	answers = 1;
	run_ms(600000);
	ATF_CHECK_EQ(400, status().pmtu);
	ATF_CHECK(strstr(log_text, "no packet above 400 octets passes") != NULL);
	end();
}

ATF_TC_WITHOUT_HEAD(no_pmtu);
ATF_TC_BODY(no_pmtu, tc)
{
	begin();
	conf();
	addrs("10.1.0.1");
	run_ms(3 * 3600 * 1000);
	ATF_CHECK_EQ(0, nbig);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	end();
}

/* Each change between up and down is one event, whatever happens in between. */
ATF_TC_WITHOUT_HEAD(up_and_down);
ATF_TC_BODY(up_and_down, tc)
{
	begin();
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ONUP, "/etc/up"));
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ONDOWN, "/etc/down"));
	conf();
	answers = 0;
	addrs("10.1.0.1");
	run_ms(20000);
	ATF_CHECK_STREQ("", hooks);		/* still acquiring */
	run_ms(20000);
	ATF_CHECK(strncmp(hooks, "down boise down: ", 17) == 0);
	run_ms(120000);
	ATF_CHECK(strchr(hooks, '\n') == hooks + strlen(hooks) - 1);
	hooks[0] = '\0';
	answers = 1;
	run_ms(600000);
	ATF_CHECK_STREQ("up boise up: replies come\n", hooks);
	ATF_CHECK_EQ(20000 / 1000, last_hook.rtt_us / 1000);
	ATF_CHECK_STREQ("up", last_hook.verdict);
	hooks[0] = '\0';
	addrs(NULL);
	ATF_CHECK_MSG(strncmp(hooks, "down boise no-source: no address", 32) == 0,
	    "%s", hooks);
	hooks[0] = '\0';
	addrs("10.1.0.1");
	run_ms(60000);
	ATF_CHECK_STREQ("up boise up: replies come\n", hooks);
	end();
}

/* A test is a probe that was answered, or was lost. */
ATF_TC_WITHOUT_HEAD(tests);
ATF_TC_BODY(tests, tc)
{
	unsigned int i, good = 0, bad = 0;
	char *p;

	begin();
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ONTEST, "/etc/test"));
	conf();
	addrs("10.1.0.1");
	run_ms(600000);
	answers = 0;
	run_ms(60000);
	for (p = hooks; (p = strstr(p, "test boise up: ")) != NULL; p++) {
		good += strncmp(p + 15, "answered", 8) == 0;
		bad += strncmp(p + 15, "not answered", 12) == 0;
	}
	i = (unsigned int)status().received;
	ATF_CHECK_MSG(good == i, "%u, not %u", good, i);
	ATF_CHECK_EQ(status().lost, bad);
	ATF_CHECK(strstr(hooks, "down ") == NULL);
	end();
}

/* Another node is the master: silence, and all is kept; then a start. */
ATF_TC_WITHOUT_HEAD(backup);
ATF_TC_BODY(backup, tc)
{
	unsigned int n, ups;
	uint64_t received;

	begin();
	ka->pmtu = 1;
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ONUP, "/etc/up"));
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ONDOWN, "/etc/down"));
	conf();
	watch_link(w, 1, now);
	addrs("10.1.0.1");
	run_ms(300000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	received = status().received;
	hooks[0] = '\0';
	/* In the middle of a probe's way. */
	n = nprobes;
	while (nprobes == n)
		run_ms(10);
	watch_backup(w, 1, now);
	watch_backup(w, 1, now);
	n = nprobes;
	ups = nups;
	run_ms(7200 * 1000);
	ATF_CHECK_EQ(n, nprobes);
	ATF_CHECK_EQ(ups, nups);
	ATF_CHECK_EQ(WATCH_BACKUP, status().state);
	ATF_CHECK(strstr(last_report, " state=backup ") != NULL);
	ATF_CHECK_STREQ("another node is the master: nothing is sent",
	    status().note);
	/* Its address goes and comes with the master's, and the configuration is read again. */
	addrs(NULL);
	conf();
	watch_link(w, 0, now);
	watch_link(w, 1, now);
	run_ms(60000);
	addrs("10.1.0.1");
	run_ms(60000);
	ATF_CHECK_EQ(n, nprobes);
	ATF_CHECK_EQ(ups, nups);
	ATF_CHECK_EQ(0, status().lost);
	ATF_CHECK_EQ(1438, status().pmtu);
	ATF_CHECK(status().received >= received);
	ATF_CHECK_STREQ("", hooks);
	watch_backup(w, 0, now);
	run_ms(1000);
	ATF_CHECK(nprobes > n);
	ATF_CHECK(nups > ups);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_EQ(status().sent, status().received + status().lost);
	/* As backup from the beginning. */
	end();
	begin();
	watch_backup(w, 1, now);
	conf();
	watch_link(w, 1, now);
	n = nprobes;
	ups = nups;
	addrs("10.1.0.1");
	run_ms(600000);
	ATF_CHECK_EQ(n, nprobes);
	ATF_CHECK_EQ(ups, nups);
	watch_backup(w, 0, now);
	run_ms(3000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, pmtu);
	ATF_TP_ADD_TC(tp, no_pmtu);
	ATF_TP_ADD_TC(tp, up_and_down);
	ATF_TP_ADD_TC(tp, tests);
	ATF_TP_ADD_TC(tp, backup);
	return (atf_no_error());
}
