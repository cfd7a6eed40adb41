/* SPDX-License-Identifier: ISC */
/* netwatchd's core: what routers say of its probes; the gateway as the target. */

#include "watchworld.h"

static struct icmp_error
quote(enum icmp_error_kind kind, const struct flight *f)
{
	struct icmp_error e;

	memset(&e, 0, sizeof(e));
	e.kind = kind;
	e.whole = 1;
	e.p = f->p;
	e.src = A("10.1.0.1");
	e.dst = f->from;
	return (e);
}

static void
begin(int gateway, int pmtu)
{
	world("10.1.0.0/24");
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->gateway = (uint8_t)gateway;
	W.ka->pace = KA_ALWAYS;
	W.ka->pmtu = (uint8_t)pmtu;
	boise();
	link_iked(1);
	W.tunnel_up = 1;
	addrs("10.1.0.1", NULL);
}

/* Each probe is answered with an error from that address. */
static void
answered_from(const char *router, enum icmp_error_kind kind, int64_t ms)
{
	struct addr from = A(router);
	struct icmp_error e;
	unsigned int n;

	W.answers = 1;
	W.rtt_us = INT64_MAX / 4;	/* no echo reply ever comes */
	for (; ms > 0; ms -= 10) {
		W.nflight = 0;
		run_ms(10);
		for (n = 0; n < W.nflight; n++) {
			e = quote(kind, &W.flight[n]);
			W.in += prefix_contains(&(struct prefix){ { ADDR_V4, { 10, 2 } }, 24 },
			    &from);
			watch_error(W.w, &from, &e, W.now);
		}
	}
	W.nflight = 0;
}

ATF_TC_WITHOUT_HEAD(gateway);
ATF_TC_BODY(gateway, tc)
{
	struct watch_status st;

	begin(1, 0);
	answered_from("10.2.0.254", ICMP_EXPIRED, 600000);
	st = status();
	ATF_CHECK_EQ(WATCH_UP, st.state);
	ATF_CHECK_EQ(0, st.lost);
	ATF_CHECK(st.received > 50);
	ATF_CHECK_STREQ("", st.note);
	/* a host that answers by itself is as good */
	W.rtt_us = 1000;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
}

static const char beside[] = "the gateway answers from 198.51.100.1, which is outside of the "
    "tunnel's nets: only the way there is known to work";

static int
noted(const char *s)
{
	struct watch_status st = status();

	return (strstr(st.note, s) != NULL);
}

/* From outside of the nets, beside the tunnel: as far as the probes enter it. */
ATF_TC_WITHOUT_HEAD(outward);
ATF_TC_BODY(outward, tc)
{
	int i;

	begin(1, 0);
	answered_from("198.51.100.1", ICMP_EXPIRED, 20000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_MSG(noted(beside), "%s", status().note);
	ATF_CHECK_STREQ("UP", status().verdict);
	answered_from("198.51.100.1", ICMP_EXPIRED, 3600000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_STREQ("UP", status().verdict);
	ATF_CHECK_EQ(0, status().lost);
	/* hosts' packets leave, and none comes: said, once */
	for (i = 0; i < 6000; i++) {
		W.out++;
		answered_from("198.51.100.1", ICMP_EXPIRED, 100);
	}
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_STREQ("ONE_WAY", status().verdict);
	ATF_CHECK(noted("hosts' packets leave by the tunnel and none comes back; "));
	ATF_CHECK(logged("\"boise\": no way back (10.1.0.1 -> 10.2.0.1): hosts' packets leave"));
	W.lines[0] = '\0';
	/* and they come */
	W.backtraffic = 1;
	answered_from("198.51.100.1", ICMP_EXPIRED, 600000);
	ATF_CHECK_STREQ("UP", status().verdict);
	W.backtraffic = 0;
	/* it falls silent: down, and nothing is done, for it has not answered by the tunnel */
	W.answers = 0;
	for (i = 0; i < 600; i++) {
		W.out += 3;
		run_ms(100);
	}
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	/* it answers by the tunnel: all is known */
	answered_from("10.2.0.254", ICMP_EXPIRED, 40000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK_STREQ("", status().note);
	/* beside it again: for that moment it is down */
	answered_from("198.51.100.1", ICMP_EXPIRED, 60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	ATF_CHECK(noted(beside));
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	done();
}

/* NAT takes the probes past the tunnel, and the provider's first router says the same of them. */
ATF_TC_WITHOUT_HEAD(past);
ATF_TC_BODY(past, tc)
{
	int i;

	begin(1, 0);
	W.eaten = 1;
	answered_from("192.0.2.254", ICMP_EXPIRED, 60000);
	ATF_CHECK_EQ(WATCH_LOCALMISS, status().state);
	/* so, too, while the peer's own probes are answered */
	for (i = 0; i < 3000; i++) {
		W.in++;
		W.out++;
		answered_from("192.0.2.254", ICMP_EXPIRED, 100);
		ATF_REQUIRE(status().state != WATCH_UP);
	}
	done();
}

/* Without an SA nothing enters a tunnel. */
ATF_TC_WITHOUT_HEAD(unlinked);
ATF_TC_BODY(unlinked, tc)
{
	begin(1, 0);
	W.tunnel_up = 0;
	answered_from("198.51.100.1", ICMP_EXPIRED, 60000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	W.tunnel_up = 1;
	answered_from("198.51.100.1", ICMP_EXPIRED, 30000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	W.tunnel_up = 0;
	answered_from("198.51.100.1", ICMP_EXPIRED, 120000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	done();
}

/* Without `gateway' an exceeded TTL is no answer, but a reason. */
ATF_TC_WITHOUT_HEAD(reasons);
ATF_TC_BODY(reasons, tc)
{
	begin(0, 0);
	answered_from("10.2.0.254", ICMP_EXPIRED, 40000);
	ATF_CHECK(status().state != WATCH_UP);
	ATF_CHECK_STREQ("10.2.0.254 says that the time to live was exceeded", status().note);
	answered_from("10.2.0.254", ICMP_UNREACHABLE, 2000);
	ATF_CHECK_STREQ("10.2.0.254 says that the target cannot be reached", status().note);
	W.rtt_us = 1000;
	run_ms(3000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	/* a loss at once, not after the timeout; and the tunnel is left alone */
	answered_from("10.2.0.254", ICMP_UNREACHABLE, 13000);
	ATF_CHECK_EQ(WATCH_DOWN, status().state);
	ATF_CHECK_EQ(4, status().lost);
	answered_from("10.2.0.254", ICMP_UNREACHABLE, 600000);
	ATF_CHECK_EQ(0, W.nacts[REKEY] + W.nacts[RECREATE] + W.nacts[RESET]);
	done();
}

/* Errors that quote none of its probes, or not enough of one. */
ATF_TC_WITHOUT_HEAD(foreign);
ATF_TC_BODY(foreign, tc)
{
	struct addr from = A("10.2.0.254");
	struct icmp_error e, bad;

	begin(1, 0);
	W.answers = 1;
	W.rtt_us = INT64_MAX / 4;
	while (W.nflight == 0)
		run_ms(10);
	e = quote(ICMP_EXPIRED, &W.flight[0]);
	W.answers = 0;
	bad = e;
	bad.whole = 0;
	watch_error(W.w, &from, &bad, W.now);
	bad = e;
	bad.p.id++;
	watch_error(W.w, &from, &bad, W.now);
	bad = e;
	bad.p.slot = 4711;
	watch_error(W.w, &from, &bad, W.now);
	bad = e;
	bad.dst = A("10.2.0.9");
	watch_error(W.w, &from, &bad, W.now);
	bad = e;
	bad.p.seq += 3;
	watch_error(W.w, &from, &bad, W.now);
	bad = e;
	bad.p.slot |= WATCH_PMTU_SLOT;
	watch_error(W.w, &from, &bad, W.now);
	ATF_CHECK_EQ(WATCH_ACQUIRING, status().state);
	watch_error(W.w, &from, &e, W.now);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	watch_error(W.w, &from, &e, W.now);
	ATF_CHECK_EQ(1, status().received);
	done();
}

/* A router that says how much passes saves the search most of its probes. */
static unsigned int
search(int says, uint16_t mtu)
{
	struct addr from = A("10.2.0.254");
	struct icmp_error e;
	unsigned int big = 0, i;
	int64_t ms;

	begin(0, 1);
	W.answers = 1;
	for (ms = 0; ms < 600000 && status().pmtu == 0; ms += 5) {
		run_ms(5);
		for (i = 0; i < W.nflight; i++) {
			if (W.flight[i].p.size + 20 <= mtu)
				continue;
			big++;
			e = quote(ICMP_TOOBIG, &W.flight[i]);
			e.mtu = mtu;
			W.flight[i--] = W.flight[--W.nflight];
			if (says)
				watch_error(W.w, &from, &e, W.now);
		}
	}
	ATF_CHECK_EQ(mtu, status().pmtu);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	done();
	return (big);
}

ATF_TC_WITHOUT_HEAD(pmtu_hint);
ATF_TC_BODY(pmtu_hint, tc)
{
	unsigned int without = search(0, 1391), with = search(1, 1391);

	ATF_CHECK_MSG(with <= 2, "%u were too big", with);
	ATF_CHECK_MSG(without >= 10, "%u were too big", without);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, gateway);
	ATF_TP_ADD_TC(tp, outward);
	ATF_TP_ADD_TC(tp, past);
	ATF_TP_ADD_TC(tp, unlinked);
	ATF_TP_ADD_TC(tp, reasons);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, pmtu_hint);
	return (atf_no_error());
}
