/* SPDX-License-Identifier: ISC */
/*
 * Is the peer there?  What brings the question forward, and that nothing anybody may
 * send tears down what lives.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define SRC "10.1.0.5"
#define DST "10.2.0.7"
#define PSK "psk \"a secret that is long enough\"\n"

static const char conf_a[] = "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 " PSK;
static const char conf_b[] = "ikev2 \"a\" ondemand esp from 10.2.0.0/24 to 10.1.0.0/24 "
    "local 198.51.100.1 peer 192.0.2.1 " PSK;

static int64_t
ms_since(const struct sim *s, monotime t)
{
	return (mono_diff_us(s->now, t) / 1000);
}

/* The peer comes back while the slow check of an idle SA is out: the old SA does not
 * wait for that one's end. */
ATF_TC_WITHOUT_HEAD(contact_while_idle);
ATF_TC_BODY(contact_while_idle, tc)
{
	struct sim	*s;
	struct node	*o;
	monotime	 t;
	int		 who, secs;

	for (who = 0; who < 2; who++)
		for (secs = 45; secs < 75; secs += 2) {
			s = sim_pair(14, "ondemand", "ondemand", "");
			o = s->n[!who];
			ATF_REQUIRE(sim_up(s->n[0], "b"));
			sim_run(s, 5000);
			sim_kill(s->n[who]);
			sim_run(s, secs * 1000);
			sim_start(s->n[who], who ? conf_b : conf_a);
			ATF_REQUIRE(sim_up(s->n[who], who ? "a" : "b"));
			t = s->now;
			while (sim_established(o) > 1 && ms_since(s, t) < 60000)
				sim_run(s, 50);
			ATF_CHECK_MSG(ms_since(s, t) <= 3100, "%d, idle for %d s: %jd ms", who,
			    secs, (intmax_t)ms_since(s, t));
			sim_free(s);
		}
}

/* Hosts begin to send while that check is out: their two and three seconds count. */
ATF_TC_WITHOUT_HEAD(traffic_while_idle);
ATF_TC_BODY(traffic_while_idle, tc)
{
	struct sim	*s;
	monotime	 t;
	int		 ms, seen = 0;

	for (ms = 40000; ms < 62000; ms += 500) {
		s = sim_pair(15, "ondemand", "passive", "");
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_run(s, 1000);
		s->n[1]->cut = 1;
		sim_run(s, ms);
		t = s->now;
		if (sim_is_up(s->n[0], "b"))
			seen++;
		while (sim_is_up(s->n[0], "b") && ms_since(s, t) < 60000)
			sim_traffic(s->n[0], SRC, DST, 100, 50);
		ATF_CHECK_MSG(ms_since(s, t) <= 7500, "idle for %d ms: %jd ms", ms,
		    (intmax_t)ms_since(s, t));
		sim_free(s);
	}
	ATF_CHECK(seen > 10);
}

/* The first IKE_SA_INIT, kept; everything else passes or not. */
struct tap {
	struct packet	p;
	uint8_t		b[2048];
	int		no_auth;
};

static int
tap_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct tap	*t = s->filter_arg;

	if (t->p.len == 0 && from == s->n[0] && p->len <= sizeof(t->b)) {
		t->p = *p;
		memcpy(t->b, p->p, p->len);
		t->p.p = t->b;
	}
	return (t->no_auth && p->len > 18 && p->p[18] == X_IKE_AUTH);
}

static struct sim *
tapped(uint64_t seed, struct tap *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "ondemand", "");

	memset(t, 0, sizeof(*t));
	s->filter = tap_filter;
	s->filter_arg = t;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	return (s);
}

/* A peer that starts anew is asked on the old SA at once, before it can prove itself. */
ATF_TC_WITHOUT_HEAD(fresh_init);
ATF_TC_BODY(fresh_init, tc)
{
	struct tap	 t;
	struct sim	*s = tapped(16, &t);

	sim_run(s, 15000);
	sim_kill(s->n[0]);
	sim_run(s, 300);
	sim_start(s->n[0], conf_a);
	t.no_auth = 1;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 3100);
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	ATF_CHECK(sim_logged(s->n[1], "a fresh IKE_SA_INIT without protection from "
	    "192.0.2.1: checking the peer"));
	sim_free(s);
}

/* Made-up ones cost a question in ten seconds, and an SA never. */
ATF_TC_WITHOUT_HEAD(fresh_init_spoofed);
ATF_TC_BODY(fresh_init_spoofed, tc)
{
	struct tap	 t;
	struct sim	*s = tapped(17, &t);
	struct node	*b = s->n[1];
	struct show_stats x, y;
	int		 i;

	s->delay_us = 900000;
	sim_run(s, 15000);
	sim_stats(b, &x);
	for (i = 0; i < 300; i++) {
		t.b[0] = (uint8_t)i;
		t.b[1] = (uint8_t)(i >> 8);
		sim_inject(s, &t.p.src, &t.p.dst, 0, t.b, t.p.len);
		sim_run(s, 100);
	}
	sim_run(s, 5000);
	sim_stats(b, &y);
	ATF_CHECK_EQ(sim_log_count(b, "down:"), 0);
	ATF_CHECK_EQ(sim_established(b), 1);
	ATF_CHECK_MSG(sim_log_count(b, "checking the peer") <= 8, "%d",
	    sim_log_count(b, "checking the peer"));
	ATF_CHECK_EQ(y.ike_down - x.ike_down, 0);
	sim_free(s);
}

/* From somebody who sees the SPIs. */
static void
invalid_spi(struct node *n, const char *from, const char *to)
{
	struct ike_sa	*ike;
	struct endpoint	 src = sim_ep(from, 500), dst = sim_ep(to, 500);
	struct wire_hdr	 h;
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		 buf[256];
	uint32_t	 at = 0;

	ATF_REQUIRE((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL);
	memset(&h, 0, sizeof(h));
	h.spii = ike->c.spii;
	h.spir = ike->c.spir;
	h.major = 2;
	h.exch = X_INFORMATIONAL;
	h.flags = (uint8_t)(WIRE_F_RESPONSE | (ike->c.initiator ? 0 : WIRE_F_INITIATOR));
	h.msgid = ike->msgid_out;
	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &h);
	wire_put_notify(&e, 0, 0, 0, N_INVALID_IKE_SPI, NULL, 0);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	sim_inject(n->sim, &src, &dst, 0, buf, w.len);
}

/* jump: the way was short when it was measured, and is long now. */
static void
live_peer(int one_way_ms, int jump, int traffic, int who)
{
	struct sim	*s = sim_pair(5, "ondemand", "passive", "");
	struct node	*n = s->n[who];
	int		 i;

	if (!jump)
		s->delay_us = one_way_ms * 1000;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 20000);
	s->delay_us = one_way_ms * 1000;
	for (i = 0; i < 200; i++) {
		if (i % 7 == 0)
			invalid_spi(n, who ? "192.0.2.1" : "198.51.100.1",
			    who ? "198.51.100.1" : "192.0.2.1");
		if (traffic)
			sim_traffic(s->n[0], SRC, DST, 200, 100);
		else
			sim_run(s, 200);
	}
	ATF_CHECK_EQ_MSG(sim_log_count(s->n[0], "down:") + sim_log_count(s->n[1], "down:"), 0,
	    "one way %d ms, jump %d, traffic %d, at %d", one_way_ms, jump, traffic, who);
	ATF_CHECK_EQ(sim_established(n), 1);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(hint_far);
ATF_TC_BODY(hint_far, tc)
{
	int	ms, i;

	for (ms = 100; ms <= 900; ms += 200)
		for (i = 0; i < 8; i++)
			live_peer(ms, i & 1, i >> 1 & 1, i >> 2);
}

/* Who starts again says so: the other side does not wait for silence, nor for traffic. */
ATF_TC_WITHOUT_HEAD(knock);
ATF_TC_BODY(knock, tc)
{
	struct sim	*s;
	monotime	 t;
	int		 who;

	for (who = 0; who < 2; who++) {
		s = sim_pair(18, "ondemand", "passive", "");
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_run(s, 70000);	/* not wanted any more */
		sim_kill(s->n[who]);
		sim_run(s, 300);
		sim_start(s->n[who], who ? conf_b : conf_a);
		t = s->now;
		while (sim_established(s->n[!who]) > 0 && ms_since(s, t) < 60000)
			sim_run(s, 20);
		ATF_CHECK_MSG(ms_since(s, t) <= 1000, "%d: %jd ms", who,
		    (intmax_t)ms_since(s, t));
		sim_run(s, 20000);
		ATF_CHECK_EQ(sim_established(s->n[0]) + sim_established(s->n[1]), 0);
		sim_free(s);
	}
}

/* Nobody there for minutes: a pause is over as soon as the peer says that it is back. */
ATF_TC_WITHOUT_HEAD(knock_called);
ATF_TC_BODY(knock_called, tc)
{
	struct sim	*s = sim_pair(19, "active", "passive", "");
	monotime	 t;
	int		 i;

	for (i = 0; i < 20; i++) {
		sim_run(s, 15000);
		sim_kill(s->n[1]);
		sim_run(s, 60000 + i * 1700);
		ATF_CHECK(!sim_is_up(s->n[0], "b"));
		sim_start(s->n[1], conf_b);
		t = s->now;
		while (!sim_is_up(s->n[0], "b") && ms_since(s, t) < 60000)
			sim_run(s, 20);
		ATF_CHECK_MSG(ms_since(s, t) <= 500, "%d: %jd ms", i, (intmax_t)ms_since(s, t));
	}
	sim_free(s);
}

/* IKE does not come through for a while, but packets do: that is not the end. */
static int
no_ike(struct sim *s, struct node *from, struct packet *p)
{
	(void)from;
	(void)p;
	return (*(int *)s->filter_arg);
}

ATF_TC_WITHOUT_HEAD(data_counts);
ATF_TC_BODY(data_counts, tc)
{
	struct sim	*s = sim_pair(20, "ondemand", "passive", "");
	int		 off = 0, ms;

	s->filter = no_ike;
	s->filter_arg = &off;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 15000);
	off = 1;
	s->n[1]->cut = 1;
	for (ms = 0; s->n[0]->e->w.tally.retransmits == 0 && ms < 10000; ms += 50)
		sim_traffic(s->n[0], SRC, DST, 50, 50);
	ATF_CHECK_MSG(ms < 3500, "a check after %d ms", ms);
	s->n[1]->cut = 0;
	sim_traffic(s->n[0], SRC, DST, 8000, 50);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	off = 0;
	sim_traffic(s->n[0], SRC, DST, 5000, 50);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
	/* and for ever it does not hold */
	off = 1;
	s->n[1]->cut = 1;
	sim_traffic(s->n[0], SRC, DST, 15000, 50);
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	sim_free(s);
}

/* 64 % of the round trips are lost: nearly always up within ten seconds all the same. */
ATF_TC_WITHOUT_HEAD(loss);
ATF_TC_BODY(loss, tc)
{
	struct sim	*s;
	int		 i, late = 0, ms;

	for (i = 0; i < 300; i++) {
		s = sim_pair(1000 + (uint64_t)i, "ondemand", "passive", "");
		s->loss = 400;
		s->delay_us = 20000;
		sim_cmd(s->n[0], CMD_UP, "b");
		for (ms = 0; ms < 10000 && !sim_is_up(s->n[0], "b"); ms += 50)
			sim_run(s, 50);
		late += ms >= 10000;
		sim_free(s);
	}
	ATF_CHECK_MSG(late <= 3, "%d of 300", late);
}

/* And it stays up, with a host that asks seldom: most of its pings get no answer, and each
 * of these asks iked's question.  Ten minutes, a hundred times. */
ATF_TC_WITHOUT_HEAD(loss_holds);
ATF_TC_BODY(loss_holds, tc)
{
	struct sim	*s;
	int		 i, k, down = 0;

	for (i = 0; i < 100; i++) {
		s = sim_pair(2000 + (uint64_t)i, "ondemand", "passive", "");
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		s->loss = 400;
		s->delay_us = 20000;
		for (k = 0; k < 200; k++) {
			(void)sim_ping(s->n[0], SRC, DST);
			sim_run(s, 3000);
		}
		down += sim_log_count(s->n[0], "down:");
		sim_free(s);
	}
	ATF_CHECK_MSG(down <= 2, "down %d times", down);
}

/* The reply to the DELETE of a rekeyed Child leaves when the kernel has its successor. */
struct seen {
	monotime	del, reply;
};

static int
seen_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct seen	*x = s->filter_arg;

	if (p->len < 20 || p->p[18] != X_INFORMATIONAL)
		return (0);
	if (from == s->n[0] && x->del.us == 0)
		x->del = s->now;
	else if (from == s->n[1] && x->reply.us == 0)
		x->reply = s->now;
	return (0);
}

ATF_TC_WITHOUT_HEAD(delete_waits);
ATF_TC_BODY(delete_waits, tc)
{
	struct sim	*s = sim_pair(21, "ondemand", "passive", "");
	struct seen	 x = { MONO_NONE, MONO_NONE };

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 2000);
	s->filter = seen_filter;
	s->filter_arg = &x;
	s->n[1]->kern_slow_us = 60000;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 3000);
	ATF_REQUIRE(x.del.us != 0 && x.reply.us != 0);
	ATF_CHECK_MSG(mono_diff_us(x.reply, x.del) > 60000, "%jd us",
	    (intmax_t)mono_diff_us(x.reply, x.del));
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	sim_free(s);
}

/* By command: the keys of the IKE SA, and the Child stays as it is. */
ATF_TC_WITHOUT_HEAD(rekey_ike);
ATF_TC_BODY(rekey_ike, tc)
{
	struct sim	*s = sim_pair(22, "ondemand", "passive", "");
	struct show_tunnel t, u;
	struct show_stats st;
	const char	*why;
	int		 i;

	ATF_CHECK_EQ(engine_command(s->n[0]->e, s->now, CMD_REKEY_IKE, "b", WAKE_COMMAND, &why),
	    -1);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	for (i = 0; i < 4; i++) {
		sim_cmd(s->n[i & 1], CMD_REKEY_IKE, i & 1 ? "a" : "b");
		sim_run(s, 2000);
	}
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	ATF_CHECK(t.spi_in == u.spi_in && t.spi_out == u.spi_out);
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.rekeys, 4);
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, contact_while_idle);
	ATF_TP_ADD_TC(tp, traffic_while_idle);
	ATF_TP_ADD_TC(tp, fresh_init);
	ATF_TP_ADD_TC(tp, fresh_init_spoofed);
	ATF_TP_ADD_TC(tp, hint_far);
	ATF_TP_ADD_TC(tp, knock);
	ATF_TP_ADD_TC(tp, knock_called);
	ATF_TP_ADD_TC(tp, data_counts);
	ATF_TP_ADD_TC(tp, loss);
	ATF_TP_ADD_TC(tp, loss_holds);
	ATF_TP_ADD_TC(tp, delete_waits);
	ATF_TP_ADD_TC(tp, rekey_ike);
	return (atf_no_error());
}
