/* SPDX-License-Identifier: ISC */
/* `watch' entries: no selector, no tunnel, nothing that iked is asked. */

#include <atf-c.h>

#include <stdio.h>
#include <string.h>

#include "keepalive/watch.h"

static struct watch	*w;
static monotime		 now;
static int		 answers;
static unsigned int	 ncmds, nprobes, nlines;
static struct addr	 last_src, last_dst;
static struct probe	 last;
static char		 line[512];

static int
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	nprobes++;
	last_src = *src;
	last_dst = *dst;
	last = *p;
	return (0);
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	return (0);
}

static void
keep(void *arg, enum log_level level, const char *s)
{
	(void)arg;
	(void)level;
	nlines++;
	(void)snprintf(line, sizeof(line), "%s", s);
}

static const struct logger lg = { keep, NULL, 1, NULL };
static const struct watch_io io = { .probe = probe, .random = random32, .log = &lg };

static struct addr
A(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, s));
	return (a);
}

static void
run_ms(int ms)
{
	struct watch_cmd cmd;
	unsigned int n;

	while (ms-- > 0) {
		now = mono_add_ms(now, 1);
		n = nprobes;
		watch_expire(w, now);
		if (answers && nprobes != n)
			watch_reply(w, &last_dst, &last, now);
		while (watch_command(w, &cmd, now)) {
			ncmds++;
			watch_answer(w, &cmd, NULL, NULL, now);
		}
	}
}

static void
configure(const char *source)
{
	struct watch_conf wc;

	memset(&wc, 0, sizeof(wc));
	(void)snprintf(wc.name, sizeof(wc.name), "router");
	wc.interval_ms = 1000;
	wc.target = A("192.0.2.254");
	if (source != NULL)
		wc.source = A(source);
	watch_conf_begin(w);
	ATF_REQUIRE_EQ(0, watch_conf_add(w, &wc));
	watch_conf_commit(w, now);
}

static enum watch_state
state(void)
{
	struct watch_status st;

	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	return (st.state);
}

static void
start(const char *source)
{
	struct addr a = A("10.1.0.1");

	now.us = 1000000000;
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
	watch_link(w, 1, now);
	configure(source);
	ATF_REQUIRE_EQ(0, watch_addrs(w, &a, 1, now));
	run_ms(2000);
}

/* With a source that is not there nothing is sent; then from there only. */
ATF_TC_WITHOUT_HEAD(source);
ATF_TC_BODY(source, tc)
{
	struct addr a[2], want = A("192.0.2.9");

	answers = 1;
	start("192.0.2.9");
	ATF_CHECK_EQ(WATCH_NOSOURCE, state());
	ATF_CHECK_EQ(0, nprobes);
	ATF_CHECK_EQ(1, nlines);
	ATF_CHECK(strstr(line, "its source 192.0.2.9 is no address") != NULL);
	a[0] = A("10.1.0.1");
	a[1] = want;
	ATF_REQUIRE_EQ(0, watch_addrs(w, a, 2, now));
	run_ms(2000);
	ATF_CHECK_EQ(WATCH_UP, state());
	ATF_CHECK_EQ(0, addr_cmp(&last_src, &want));
	ATF_CHECK_EQ(0, ncmds);
	watch_free(w);
}

/* Down and up again, and nobody else is asked. */
ATF_TC_WITHOUT_HEAD(by_route);
ATF_TC_BODY(by_route, tc)
{
	unsigned int n;

	answers = 1;
	start(NULL);
	ATF_CHECK_EQ(WATCH_UP, state());
	ATF_CHECK_EQ(ADDR_NONE, last_src.fam);
	answers = 0;
	run_ms(30000);
	ATF_CHECK_EQ(WATCH_DOWN, state());
	/* at its interval at the fastest: there is no tunnel to be brought up */
	n = nprobes;
	run_ms(10000);
	ATF_CHECK(nprobes - n >= 5 && nprobes - n <= 14);
	answers = 1;
	run_ms(5000);
	ATF_CHECK_EQ(WATCH_UP, state());
	watch_link(w, 0, now);
	watch_link(w, 1, now);
	run_ms(5000);
	ATF_CHECK_EQ(WATCH_UP, state());
	ATF_CHECK_EQ(0, ncmds);
	watch_free(w);
}

/* A refusal is a miss at once, and is told. */
ATF_TC_WITHOUT_HEAD(refusal);
ATF_TC_BODY(refusal, tc)
{
	struct watch_status st;
	unsigned int n;

	answers = 1;
	start(NULL);
	answers = 0;
	for (n = nprobes; state() == WATCH_UP && nprobes < n + 10; ) {
		unsigned int was = nprobes;

		run_ms(1);
		if (nprobes != was)
			watch_failed(w, &last, "connection refused", now);
	}
	ATF_CHECK_EQ(n + 4, nprobes);
	ATF_CHECK_EQ(WATCH_DOWN, state());
	ATF_CHECK(strstr(line, "down: 4 probes unanswered") != NULL);
	ATF_CHECK(strstr(line, ": connection refused") != NULL);
	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	ATF_CHECK_STREQ("connection refused", st.note);
	ATF_CHECK_EQ(4, st.lost);
	/* said twice, or of what was answered: nothing new */
	watch_failed(w, &last, NULL, now);
	answers = 1;
	run_ms(5000);
	ATF_CHECK_EQ(WATCH_UP, state());
	watch_failed(w, &last, "connection refused", now);
	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	ATF_CHECK_EQ(4, st.lost);
	ATF_CHECK_STREQ("", st.note);
	watch_free(w);
}

/* `from any' holds this machine's own loopback and link, from where nothing leaves. */
ATF_TC_WITHOUT_HEAD(from_any);
ATF_TC_BODY(from_any, tc)
{
	static const char *const inner[] = { "127.0.0.1", "169.254.1.1", "fe80::1", "::1" };
	struct watch_conf wc;
	struct watch_status st;
	struct addr a[5], want = A("192.168.1.1");
	unsigned int i;

	memset(&wc, 0, sizeof(wc));
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
	(void)snprintf(wc.name, sizeof(wc.name), "road");
	wc.interval_ms = 1000;
	wc.target = A("198.51.100.7");
	wc.nfrom = wc.nto = 1;
	wc.net[0].addr.fam = ADDR_V4;
	wc.net[1] = (struct prefix){ A("198.51.100.0"), 24 };
	watch_conf_begin(w);
	ATF_CHECK_EQ(0, watch_conf_add(w, &wc));
	watch_conf_commit(w, now);
	for (i = 0; i < 4; i++)
		a[i] = A(inner[i]);
	ATF_REQUIRE_EQ(0, watch_addrs(w, a, 4, now));
	ATF_CHECK_EQ(WATCH_NOSOURCE, state());
	a[4] = want;
	ATF_REQUIRE_EQ(0, watch_addrs(w, a, 5, now));
	ATF_REQUIRE_EQ(0, watch_status(w, 0, &st));
	ATF_CHECK_EQ(0, addr_cmp(&st.source, &want));
	watch_free(w);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct watch_conf wc;
	struct addr other = A("10.2.0.9");

	memset(&wc, 0, sizeof(wc));
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
	(void)snprintf(wc.name, sizeof(wc.name), "router");
	wc.interval_ms = 1000;
	watch_conf_begin(w);
	ATF_CHECK_EQ(-1, watch_conf_add(w, &wc));	/* no target */
	wc.target = A("192.0.2.254");
	wc.source = A("2001:db8::1");
	ATF_CHECK_EQ(-1, watch_conf_add(w, &wc));
	wc.source = A("192.0.2.1");
	wc.nto = 1;
	wc.net[0] = (struct prefix){ A("192.0.2.0"), 24 };
	wc.net[1] = (struct prefix){ A("10.1.0.0"), 24 };
	ATF_CHECK_EQ(-1, watch_conf_add(w, &wc));	/* half a tunnel */
	wc.nfrom = 1;
	memset(&wc.source, 0, sizeof(wc.source));
	wc.target = A("10.1.0.7");
	ATF_CHECK_EQ(0, watch_conf_add(w, &wc));
	ATF_REQUIRE_EQ(0, watch_conf_target(&wc, &other));
	/* one of several in clear */
	ATF_CHECK_EQ(-1, watch_conf_add(w, &wc));
	watch_conf_commit(w, now);
	watch_conf_clear(&wc);
	watch_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, source);
	ATF_TP_ADD_TC(tp, by_route);
	ATF_TP_ADD_TC(tp, refusal);
	ATF_TP_ADD_TC(tp, from_any);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
