/* SPDX-License-Identifier: ISC */
/* The search for the largest packet, on paths of every kind. */

#include <atf-c.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keepalive/pmtu.h"

/* A path: what passes, what is lost, how long it takes, what the kernel knows of it. */
static struct {
	uint16_t	mtu;
	unsigned int	loss;		/* per cent of the round trips */
	int64_t		rtt_ms;
	int		silent;		/* nothing comes back */
	uint16_t	kernel;		/* above that EMSGSIZE; 0: it knows nothing */
	unsigned int	sent, big;	/* probes so far */
} path;

static struct pmtu	p;
static monotime		now;
static uint64_t		seed = 88172645463325252ULL;
static struct {
	monotime	at;
	uint32_t	seq;
	uint16_t	size;
}			flight[64];
static size_t		nflight;

static uint32_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((uint32_t)(seed >> 16));
}

static void
fresh(uint16_t mtu, unsigned int loss, enum addr_family fam)
{
	memset(&path, 0, sizeof(path));
	nflight = 0;
	path.mtu = mtu;
	path.loss = loss;
	path.rtt_ms = 30;
	now.us = 1000000;
	pmtu_init(&p, fam, now);
}

static enum pmtu_news
send_one(uint16_t size)
{
	path.sent++;
	path.big += size > p.base;
	if (path.kernel != 0 && size > path.kernel)
		return (pmtu_failed(&p, p.seq, EMSGSIZE, now, rnd()));
	if (size > path.mtu || path.silent || rnd() % 100 < path.loss)
		return (PMTU_NONE);
	ATF_REQUIRE(nflight < 64);
	flight[nflight].at = mono_add_ms(now, path.rtt_ms);
	flight[nflight].seq = p.seq;
	flight[nflight++].size = size;
	return (PMTU_NONE);
}

static enum pmtu_news
arrivals(void)
{
	enum pmtu_news news;
	size_t i;

	for (i = 0; i < nflight; i++) {
		if (!mono_reached(flight[i].at, now))
			continue;
		news = pmtu_reply(&p, flight[i].seq, flight[i].size, now, rnd());
		flight[i--] = flight[--nflight];
		if (news != PMTU_NONE)
			return (news);
	}
	return (PMTU_NONE);
}

/* On to the next news, at most so long. */
static enum pmtu_news
run_s(int s)
{
	monotime end = mono_add_ms(now, (int64_t)s * 1000);
	enum pmtu_news news;
	uint16_t size;

	while (mono_before(now, end)) {
		now = mono_add_ms(now, 10);
		if ((news = arrivals()) != PMTU_NONE)
			return (news);
		size = pmtu_step(&p, now, rnd(), &news);
		if (size != 0) {
			ATF_REQUIRE(size >= p.base && size <= PMTU_LIMIT);
			news = send_one(size);
		}
		if (news != PMTU_NONE)
			return (news);
	}
	return (PMTU_NONE);
}

ATF_TC_WITHOUT_HEAD(every_size);
ATF_TC_BODY(every_size, tc)
{
	uint16_t mtu;

	for (mtu = 84; mtu <= PMTU_LIMIT + 20; mtu++) {
		fresh(mtu, 0, ADDR_V4);
		ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
		ATF_REQUIRE_EQ(mtu > PMTU_LIMIT ? PMTU_LIMIT : mtu, p.result);
		ATF_REQUIRE_MSG(path.sent <= 80, "%u probes", path.sent);
		/* then it is quiet for most of an hour */
		ATF_REQUIRE_EQ(PMTU_NONE, run_s(2600));
		ATF_REQUIRE_MSG(path.sent <= 80, "%u probes", path.sent);
	}
	for (mtu = 104; mtu <= PMTU_LIMIT; mtu += 7) {
		fresh(mtu, 0, ADDR_V6);
		ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
		ATF_REQUIRE_EQ(mtu, p.result);
	}
}

/* Loss is not size: either the truth, or no answer. */
ATF_TC_WITHOUT_HEAD(loss);
ATF_TC_BODY(loss, tc)
{
	unsigned int i, wrong = 0, found = 0, percent;
	uint16_t mtu;

	for (percent = 5; percent <= 50; percent += 5)
		for (i = 0; i < 300; i++) {
			mtu = (uint16_t)(576 + rnd() % 925);
			fresh(mtu, percent, ADDR_V4);
			if (run_s(1200) != PMTU_FOUND)
				continue;
			found++;
			wrong += p.result != mtu;
		}
	ATF_CHECK_MSG(found > 2900, "%u", found);
	ATF_CHECK_MSG(wrong <= 15, "%u of %u", wrong, found);
}

/* The kernel knows: no waiting at all. */
ATF_TC_WITHOUT_HEAD(emsgsize);
ATF_TC_BODY(emsgsize, tc)
{
	fresh(1438, 0, ADDR_V4);
	path.kernel = 1438;
	ATF_CHECK_EQ(PMTU_FOUND, run_s(16));
	ATF_CHECK_EQ(1438, p.result);
	/* It learns while we search: after the first that a router has refused. */
	fresh(1300, 0, ADDR_V6);
	path.kernel = 1438;
	ATF_CHECK_EQ(PMTU_FOUND, run_s(60));
	ATF_CHECK_EQ(1300, p.result);
	/* Another error says nothing of sizes. */
	fresh(1400, 0, ADDR_V4);
	now = p.at;
	enum pmtu_news news;
	ATF_CHECK(pmtu_step(&p, now, 0, &news) != 0);
	ATF_CHECK_EQ(PMTU_NONE, pmtu_failed(&p, p.seq + 1, ENETUNREACH, now, 0));
	ATF_CHECK_EQ(PMTU_GAVEUP, pmtu_failed(&p, p.seq, ENETUNREACH, now, 0));
	ATF_CHECK_EQ(0, p.result);
}

/* A router's word shortens it, a wrong one does no harm. */
ATF_TC_WITHOUT_HEAD(hints);
ATF_TC_BODY(hints, tc)
{
	unsigned int without, with;
	int wrong;

	fresh(1372, 0, ADDR_V4);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
	without = path.sent;
	for (wrong = 0; wrong < 2; wrong++) {
		fresh(1372, 0, ADDR_V4);
		while (path.big == 0)
			ATF_REQUIRE_EQ(PMTU_NONE, run_s(1));
		pmtu_hint(&p, wrong ? 1111 : 1372);
		pmtu_hint(&p, 10);
		pmtu_hint(&p, 9000);
		ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
		ATF_CHECK_EQ(1372, p.result);
		with = path.sent;
		if (!wrong)
			ATF_CHECK_MSG(with * 2 < without, "%u, %u", with, without);
	}
}

/* The path changes, in both directions; after an hour, or when it is said, that is seen. */
ATF_TC_WITHOUT_HEAD(again);
ATF_TC_BODY(again, tc)
{
	fresh(1438, 0, ADDR_V4);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
	path.sent = 0;
	ATF_REQUIRE_EQ(PMTU_SAME, run_s(3700));
	ATF_CHECK_MSG(path.sent <= 8, "%u", path.sent);
	path.mtu = 1300;
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(3700));
	ATF_CHECK_EQ(1300, p.result);
	path.mtu = 1420;
	pmtu_again(&p, now, 0);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
	ATF_CHECK_EQ(1420, p.result);
	/* Said in the middle of a search, which is begun anew. */
	pmtu_again(&p, now, 0);
	ATF_REQUIRE_EQ(PMTU_NONE, run_s(11));
	ATF_CHECK(p.searching);
	path.mtu = 1000;
	pmtu_again(&p, now, 0);
	ATF_CHECK_EQ(1420, p.result);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
	ATF_CHECK_EQ(1000, p.result);
}

/* Nothing comes back: no result, the old one stays, and the attempts become rare. */
ATF_TC_WITHOUT_HEAD(gives_up);
ATF_TC_BODY(gives_up, tc)
{
	unsigned int i, n;

	fresh(1438, 0, ADDR_V4);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(120));
	path.silent = 1;
	for (i = 0; i < 12; i++) {
		n = path.sent;
		ATF_REQUIRE_EQ(PMTU_GAVEUP, run_s(3700));
		ATF_CHECK(path.sent - n <= 12);
		ATF_CHECK_EQ(1438, p.result);
	}
	n = path.sent;
	pmtu_pause(&p);
	ATF_CHECK_EQ(PMTU_NONE, run_s(36000));
	ATF_CHECK_EQ(n, path.sent);
	path.silent = 0;
	pmtu_again(&p, now, 0);
	ATF_CHECK_EQ(PMTU_SAME, run_s(60));
}

/* Replies slower than the timeout are replies: no size is called too big for them. */
ATF_TC_WITHOUT_HEAD(slow);
ATF_TC_BODY(slow, tc)
{
	fresh(1400, 0, ADDR_V4);
	path.rtt_ms = 2500;
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(600));
	ATF_CHECK_EQ(1400, p.result);
	/* those of an earlier search are not of this one */
	fresh(1400, 0, ADDR_V4);
	ATF_REQUIRE_EQ(PMTU_FOUND, run_s(600));
	pmtu_again(&p, now, 0);
	ATF_REQUIRE_EQ(PMTU_NONE, run_s(11));
	ATF_REQUIRE(p.searching);
	ATF_CHECK_EQ(PMTU_NONE, pmtu_reply(&p, p.first - 1, 1500, now, 0));
	ATF_CHECK_EQ(PMTU_NONE, pmtu_reply(&p, p.seq + 1, 1500, now, 0));
	ATF_CHECK(p.low < 1500);
}

ATF_TC_WITHOUT_HEAD(mss);
ATF_TC_BODY(mss, tc)
{
	ATF_CHECK_EQ(1398, pmtu_mss(1438, ADDR_V4));
	ATF_CHECK_EQ(1378, pmtu_mss(1438, ADDR_V6));
	ATF_CHECK_EQ(0, pmtu_mss(0, ADDR_V4));
	ATF_CHECK_EQ(0, pmtu_mss(40, ADDR_V4));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_size);
	ATF_TP_ADD_TC(tp, loss);
	ATF_TP_ADD_TC(tp, emsgsize);
	ATF_TP_ADD_TC(tp, hints);
	ATF_TP_ADD_TC(tp, again);
	ATF_TP_ADD_TC(tp, gives_up);
	ATF_TP_ADD_TC(tp, slow);
	ATF_TP_ADD_TC(tp, mss);
	return (atf_no_error());
}
