/* SPDX-License-Identifier: ISC */
/*
 * N(INVALID_SPI) outside of any IKE SA (RFC 7296 1.5): who has started sends it, and who
 * gets one asks, and does nothing else.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "parts.h"

#define SIDES "from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 " \
    "psk \"a secret that is long enough\"\n"

static const char conf_a[] = "ikev2 \"b\" ondemand esp " SIDES;
static const char conf_a_silent[] = "set passive\nikev2 \"b\" ondemand esp " SIDES;

static size_t
oneway(uint8_t m[MSG_MAX], uint64_t spii, uint64_t spir, uint8_t flags, uint16_t type)
{
	struct wire_hdr	h = { .spii = spii, .spir = spir, .major = 2, .exch = X_INFORMATIONAL,
			    .flags = flags };
	struct wire_enc	e;
	struct wbuf	w;

	wbuf_init(&w, m, MSG_MAX);
	wire_begin(&e, &w, &h);
	wire_put_notify(&e, 0, 0, 0, type, "\0\0\0", 4);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	return (w.len);
}

/* ---- what is sent */

struct heard {
	struct node	*from;
	int		 n, others;
	uint8_t		 last[MSG_MAX];
	size_t		 len;
	struct endpoint	 src, dst;
};

static int
heard_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct heard	*h = s->filter_arg;

	if (from != h->from) {
		h->others++;
		return (0);
	}
	h->n++;
	h->len = p->len < sizeof(h->last) ? p->len : 0;
	memcpy(h->last, p->p, h->len);
	h->src = p->src;
	h->dst = p->dst;
	return (0);
}

/* Four of them, to a peer that has no SA, either: it says nothing and keeps nothing. */
ATF_TC_WITHOUT_HEAD(leaves_nothing);
ATF_TC_BODY(leaves_nothing, tc)
{
	static const uint8_t	want[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    41, 0x20, 37, 0x08, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 12, 0, 0, 0, 11, 0, 0, 0, 0 };
	struct sim	*s;
	struct heard	 h;
	struct mark	 m;
	int		 silent;

	for (silent = 0; silent < 2; silent++) {
		s = sim_pair(30, "ondemand", "active", "");
		memset(&h, 0, sizeof(h));
		h.from = s->n[0];
		sim_cmd(s->n[1], CMD_DOWN, "a");
		sim_run(s, 30000);
		sim_kill(s->n[0]);
		sim_run(s, 1000);
		ATF_REQUIRE_EQ(s->n[1]->e->w.halves.used, 0U);
		s->filter = heard_filter;
		s->filter_arg = &h;
		mark_take(s->n[1], &m);
		m.rng = 0;
		sim_start(s->n[0], silent ? conf_a_silent : conf_a);
		sim_run(s, 60000);
		ATF_CHECK_EQ(h.n, silent ? 0 : 4);
		ATF_CHECK_EQ(h.others, 0);
		m.datagrams += (uint64_t)h.n;
		ATF_CHECK(mark_same(s->n[1], &m, (uint64_t)h.n));
		ATF_CHECK_EQ(s->n[0]->e->w.halves.used, 0U);
		if (!silent) {
			ATF_REQUIRE_EQ(h.len, sizeof(want));
			ATF_CHECK(memcmp(h.last, want, sizeof(want)) == 0);
			ATF_CHECK(h.src.port == 500 && h.dst.port == 500);
		}
		sim_free(s);
	}
}

/* The peer, about to start itself, does so as if nothing had come; once it has, no more of
 * them are sent. */
ATF_TC_WITHOUT_HEAD(connected);
ATF_TC_BODY(connected, tc)
{
	struct sim	*s = sim_pair(31, "ondemand", "ondemand", "");
	struct heard	 h;

	sim_kill(s->n[0]);
	sim_run(s, 1000);
	memset(&h, 0, sizeof(h));
	h.from = s->n[0];
	s->filter = heard_filter;
	s->filter_arg = &h;
	sim_start(s->n[0], conf_a);
	sim_run(s, 500);
	ATF_CHECK_EQ(h.n, 1);
	sim_cmd(s->n[1], CMD_UP, "a");
	sim_run(s, 15000);
	ATF_CHECK(sim_is_up(s->n[1], "a"));
	ATF_CHECK_EQ(h.n, 1 + 2);	/* and two replies */
	ATF_CHECK_EQ(h.others, 2);
	sim_free(s);
}

/* ---- what is received */

/* One in a hundred milliseconds for half a minute, with SPIs of zero, with made-up ones, in
 * every variety; the way is short, or as long as one via a satellite, and longer. */
static void
flood(int side, int one_way_ms)
{
	static const uint8_t	flags[] = { WIRE_F_INITIATOR, WIRE_F_INITIATOR, 0,
	    WIRE_F_INITIATOR | WIRE_F_VERSION, WIRE_F_RESPONSE | WIRE_F_INITIATOR };
	struct duel		d;
	struct endpoint		src, dst;
	uint8_t			m[MSG_MAX];
	uint64_t		before, spi;
	int			i, log;

	duel_start(&d, 32, "", side);
	src = duel_src(&d);
	dst = duel_dst(&d);
	d.s->filter = NULL;
	d.s->delay_us = one_way_ms * 1000;
	before = d.s->datagrams;
	for (i = 0; i < 300; i++) {
		spi = i % 3 == 0 ? 0 : 0x1234567800000000ULL + (uint64_t)i;
		sim_inject(d.s, &src, &dst, d.ike->c.encap, m, oneway(m, spi, spi,
		    flags[i % 5], N_INVALID_SPI));
		sim_run(d.s, 100);
	}
	sim_run(d.s, 5000);
	log = sim_log_count(d.good, "INVALID_SPI without protection from");
	ATF_CHECK_MSG(log >= 3 && log <= 5, "%d", log);
	/* at most a check in ten seconds: with a long way, sent several times */
	before = d.s->datagrams - before;
	ATF_CHECK_MSG(one_way_ms > 100 || before <= 2 * 4, "%ju", (uintmax_t)before);
	ATF_CHECK_MSG(before <= 4 * 2 * 12, "%ju", (uintmax_t)before);
	ATF_CHECK_EQ(sim_established(d.good), 1);
	ATF_CHECK_EQ(sim_log_count(d.good, "down:"), 0);
	ATF_CHECK_EQ(d.good->e->w.halves.used, 0U);
	duel_free(&d);
}

ATF_TC_WITHOUT_HEAD(flooded);
ATF_TC_BODY(flooded, tc)
{
	int	side;

	for (side = 0; side < 2; side++) {
		flood(side, 5);
		flood(side, 300);
		flood(side, 900);
	}
}

/* From elsewhere, with another notify, as a reply, with half an SPI: nothing at all.  No
 * header with SPIi = 0 but that one is a message. */
ATF_TC_WITHOUT_HEAD(nothing_else);
ATF_TC_BODY(nothing_else, tc)
{
	static const uint16_t	types[] = { N_INVALID_IKE_SPI, N_AUTHENTICATION_FAILED,
	    N_INVALID_SYNTAX, N_INITIAL_CONTACT, N_REKEY_SA };
	static const uint8_t	exch[] = { X_IKE_SA_INIT, X_IKE_AUTH, X_CREATE_CHILD_SA, 0 };
	struct endpoint		far = sim_ep("203.0.113.5", 500), src, dst;
	struct duel		d;
	uint8_t			m[MSG_MAX];
	uint64_t		spi, nbad;
	size_t			i, n;
	int			r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 33, "", r);
		src = duel_src(&d);
		dst = duel_dst(&d);
		for (spi = 0; spi < 20; spi += 19) {
			n = oneway(m, spi, spi, WIRE_F_INITIATOR, N_INVALID_SPI);
			ATF_CHECK(is_dropped(d.good, &far, &dst, 0, m, n));
			for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
				n = oneway(m, spi, spi, WIRE_F_INITIATOR, types[i]);
				ATF_CHECK(duel_dropped(&d, m, n));
			}
			n = oneway(m, spi, spi, WIRE_F_RESPONSE | WIRE_F_INITIATOR,
			    N_INVALID_SPI);
			ATF_CHECK(duel_dropped(&d, m, n));
			n = oneway(m, spi, spi, 0, N_INVALID_SPI);
			ATF_CHECK(duel_dropped(&d, m, n));
			n = oneway(m, spi, spi, WIRE_F_INITIATOR, N_INVALID_SPI);
			m[31] = 200;	/* the notify is longer than the message */
			ATF_CHECK(duel_dropped(&d, m, n));
		}
		nbad = d.good->e->w.tally.rx_bad;
		for (i = 0; i < sizeof(exch); i++) {
			n = oneway(m, 0, 0, WIRE_F_INITIATOR, N_INVALID_SPI);
			m[18] = exch[i];
			ATF_CHECK(duel_dropped(&d, m, n));
		}
		n = oneway(m, 0, d.ike->c.spir, WIRE_F_INITIATOR, N_INVALID_SPI);
		ATF_CHECK(duel_dropped(&d, m, n));
		n = oneway(m, 0, 0, WIRE_F_INITIATOR, N_INVALID_SPI);
		m[17] = 0x30;	/* no IKEv3, either: not even told our version */
		ATF_CHECK(duel_dropped(&d, m, n));
		m[17] = 0x10;
		ATF_CHECK(duel_dropped(&d, m, n));
		ATF_CHECK_EQ(d.good->e->w.tally.rx_bad - nbad, 7);
		/* and the right one is a hint, once */
		ATF_CHECK_EQ(sim_log_count(d.good, "checking the peer"), 0);
		n = oneway(m, 0, 0, WIRE_F_INITIATOR, N_INVALID_SPI);
		sim_inject(d.s, &src, &dst, d.ike->c.encap, m, n);
		sim_run(d.s, 100);
		ATF_CHECK_EQ(sim_log_count(d.good, "checking the peer"), 1);
		duel_free(&d);
	}
}

/* A peer is called in vain, and somebody says in its name that it is there. */
static uint64_t
calls(int flooded)
{
	struct sim	*s = sim_pair(34, "active", "passive", "");
	struct endpoint	 src = sim_ep("198.51.100.1", 500), dst = sim_ep("192.0.2.1", 500);
	uint8_t		 m[MSG_MAX];
	size_t		 n = oneway(m, 0, 0, WIRE_F_INITIATOR, N_INVALID_SPI);
	uint64_t	 sent;
	int		 i;

	s->n[1]->cut = 1;
	sim_run(s, 60000);
	sent = s->n[0]->e->w.tally.tx;
	for (i = 0; i < 2000; i++) {
		if (flooded)
			sim_inject(s, &src, &dst, 0, m, n);
		sim_run(s, 50);
	}
	sent = s->n[0]->e->w.tally.tx - sent;
	sim_free(s);
	return (sent);
}

ATF_TC_WITHOUT_HEAD(called_in_vain);
ATF_TC_BODY(called_in_vain, tc)
{
	uint64_t	quiet = calls(0), loud = calls(1);

	ATF_CHECK_MSG(quiet > 20 && loud <= quiet + 12, "%ju, under a flood %ju",
	    (uintmax_t)quiet, (uintmax_t)loud);
}

/* A false one just after a check has passed does not take a true one its effect. */
ATF_TC_WITHOUT_HEAD(false_then_true);
ATF_TC_BODY(false_then_true, tc)
{
	struct endpoint	src, dst;
	struct duel	d;
	uint8_t		m[MSG_MAX];
	size_t		n = oneway(m, 0, 0, WIRE_F_INITIATOR, N_INVALID_SPI);
	int		i;

	duel_start(&d, 35, "", 0);
	src = duel_src(&d);
	dst = duel_dst(&d);
	d.s->filter = NULL;
	for (i = 0; i < 2; i++) {
		sim_inject(d.s, &src, &dst, d.ike->c.encap, m, n);
		sim_run(d.s, 1000);
	}
	ATF_CHECK_EQ(sim_log_count(d.good, "checking the peer"), 1);
	sim_run(d.s, 9000);
	sim_kill(d.bad);
	sim_start(d.bad, conf_a);
	sim_run(d.s, 1000);
	ATF_CHECK_EQ(sim_log_count(d.good, " INVALID_SPI without protection"), 2);
	ATF_CHECK_EQ(sim_established(d.good), 0);
	duel_free(&d);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, leaves_nothing);
	ATF_TP_ADD_TC(tp, connected);
	ATF_TP_ADD_TC(tp, flooded);
	ATF_TP_ADD_TC(tp, nothing_else);
	ATF_TP_ADD_TC(tp, called_in_vain);
	ATF_TP_ADD_TC(tp, false_then_true);
	return (atf_no_error());
}
