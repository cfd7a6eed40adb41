/* SPDX-License-Identifier: ISC */
/* MOBIKE (RFC 4555): addresses change, tunnels stay. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mobike.h"

/* The initiator goes to another address, in one go or with the old one still there. */
static void
simple(uint64_t seed, int keep, const char *extra)
{
	struct sim	*s = mob_pair(seed, "", extra);
	struct node	*a = s->n[0];

	sim_move(a, "203.0.113.9", keep);
	ATF_CHECK_MSG(mob_lost(a, 20) <= 2, "keep %d %s", keep, extra);
	ATF_CHECK(sim_logged(a, "moving from 192.0.2.1:4500"));
	ATF_CHECK(sim_logged(s->n[1], "the peer moved from 192.0.2.1:4500 to 203.0.113.9:4500"));
	mob_settled(s);
	/* and back */
	sim_move(a, "192.0.2.1", keep);
	ATF_CHECK(mob_lost(a, 20) <= 2);
	mob_settled(s);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(initiator);
ATF_TC_BODY(initiator, tc)
{
	simple(1, 0, "");
	simple(2, 1, "");
	simple(3, 0, "natt");
	simple(4, 1, "natt");
	simple(5, 0, "childsa enc aes-256-gcm group curve25519");
}

/* Another family, and IPv6 alone. */
ATF_TC_WITHOUT_HEAD(ipv6);
ATF_TC_BODY(ipv6, tc)
{
	struct sim	*s = mob_pair6(6);

	sim_move(s->n[0], "2001:db8:9::2", 0);
	ATF_CHECK(mob_lost(s->n[0], 20) <= 2);
	mob_settled(s);
	ATF_CHECK(sim_logged(s->n[1], "to [2001:db8:9::2]:4500"));
	sim_free(s);
}

/* A dual-stacked responder, and an initiator that comes to an IPv6 network. */
ATF_TC_WITHOUT_HEAD(family);
ATF_TC_BODY(family, tc)
{
	struct sim	*s = mob_pair(7, "", "");
	struct node	*a = s->n[0], *b = s->n[1];

	sim_addr_add(b, "2001:db8:2::1");
	sim_run(s, 1000);
	sim_move(a, "2001:db8:1::1", 0);
	/* nothing tells that the peer is not there any more but its silence */
	ATF_CHECK(mob_lost(a, 200) < 100);
	mob_settled(s);
	ATF_CHECK(sim_logged(b, "the peer moved from 192.0.2.1:4500 to [2001:db8:1::1]:4500"));
	sim_free(s);
}

/* Each message after the move is lost once; each of two in a row, too. */
static int	nth, seen, run;

static int
drop_nth(struct sim *s, struct node *from, struct packet *p)
{
	(void)s;
	(void)from;
	(void)p;
	seen++;
	return (seen > nth && seen <= nth + run);
}

ATF_TC_WITHOUT_HEAD(each_lost);
ATF_TC_BODY(each_lost, tc)
{
	struct sim	*s;
	int		 who, most = 0;

	for (run = 1; run < 3; run++)
		for (who = 0; who < 2; who++)
			for (nth = 0; nth < 14; nth++) {
				s = mob_pair(100 + (uint64_t)nth, "", "");
				seen = 0;
				s->filter = drop_nth;
				sim_move(s->n[who], who ? "198.51.100.9" : "203.0.113.9", 0);
				ATF_CHECK_MSG(mob_lost(s->n[0], 60) < 40, "%d: %d", who, nth);
				most = seen > most ? seen : most;
				mob_settled(s);
				sim_free(s);
			}
	/* all of them have been lost once */
	ATF_CHECK_MSG(most < 14 + 10, "%d", most);
	ATF_CHECK(most > 8);
}

/* A bad network; a move each few seconds. */
ATF_TC_WITHOUT_HEAD(loss);
ATF_TC_BODY(loss, tc)
{
	struct sim	*s;
	char		 to[32];
	uint64_t	 seed, before;
	int		 i;

	for (seed = 0; seed < 40; seed++) {
		s = mob_pair(1000 + seed, "", seed % 3 == 1 ? "natt" : "");
		/* a responder that is gone from where it is called must get through */
		s->loss = s->dup = seed % 2 == 1 ? 50 : 150;
		s->jitter_us = 20000;
		for (i = 0; i < 6; i++) {
			(void)snprintf(to, sizeof(to), "203.0.113.%d", 10 + i);
			if (seed % 2 == 1 && i % 2 == 1)
				(void)snprintf(to, sizeof(to), "198.51.100.%d", 10 + i);
			before = s->n[0]->got;
			sim_move(s->n[seed % 2 == 1 && i % 2 == 1], to, i % 3 == 2);
			sim_traffic(s->n[0], SRC, DST, 10000, 100);
			/* a lost ping is no wonder here; all would be */
			ATF_CHECK_MSG(s->n[0]->got > before + 5, "%ju: %d",
			    (uintmax_t)seed, i);
		}
		s->loss = s->dup = 0;
		s->jitter_us = 0;
		mob_calm(s);
		sim_free(s);
	}
}

/* While a rekey of the Child or of the IKE SA, by either side, is at each step. */
ATF_TC_WITHOUT_HEAD(rekeys);
ATF_TC_BODY(rekeys, tc)
{
	struct sim	*s;
	struct world	*w;
	struct ike_sa	*ike;
	uint32_t	 at;
	int		 ms, who, what;

	for (what = 0; what < 2; what++)
		for (who = 0; who < 2; who++)
			for (ms = 0; ms < 60; ms += 4) {
				s = mob_pair(2000 + (uint64_t)ms, "", "");
				w = &s->n[who]->e->w;
				at = 0;
				if (what == 0)
					sim_cmd(s->n[who], CMD_REKEY, who ? "a" : "b");
				else if ((ike = slab_walk(&w->ikes, &at, NULL)) != NULL) {
					ike->want_rekey = 1;
					touch_ike(w, ike);
					engine_tick(s->n[who]->e, s->now);
				}
				sim_run(s, ms);
				sim_move(s->n[0], "203.0.113.9", 0);
				ATF_CHECK_MSG(mob_lost(s->n[0], 40) < 35, "%d %d %d ms", what,
				    who, ms);
				mob_settled(s);
				sim_free(s);
			}
}

/* No address for a while, then another one; the responder does not give up either. */
ATF_TC_WITHOUT_HEAD(pause);
ATF_TC_BODY(pause, tc)
{
	struct sim	*s = mob_pair(8, "", "");
	struct node	*a = s->n[0];

	a->noroute = 1;
	sim_tell_addrs(a);
	sim_traffic(a, SRC, DST, 5000, 100);
	sim_traffic(s->n[1], DST, SRC, 15000, 100);
	ATF_CHECK(sim_logged(a, "there is no way from 192.0.2.1 to 198.51.100.1 any more"));
	a->noroute = 0;
	sim_move(a, "203.0.113.9", 0);
	ATF_CHECK(mob_lost(a, 20) <= 2);
	mob_settled(s);
	/* the same, and the address is the old one again */
	a->noroute = 1;
	sim_tell_addrs(a);
	sim_traffic(a, SRC, DST, 10000, 100);
	a->noroute = 0;
	sim_tell_addrs(a);
	ATF_CHECK_EQ(mob_lost(a, 20), 0);
	mob_settled(s);
	sim_free(s);
}

/* `local' says which address: no other is ever used. */
ATF_TC_WITHOUT_HEAD(fixed);
ATF_TC_BODY(fixed, tc)
{
	struct sim	*s = mob_pair(9, "local 192.0.2.1", "");
	struct node	*a = s->n[0];

	sim_move(a, "203.0.113.9", 0);
	ATF_CHECK_EQ(mob_lost(a, 30), 30);
	ATF_CHECK(sim_logged(a, "there is no way from 192.0.2.1"));
	ATF_CHECK_EQ(sim_log_count(s->n[1], "the peer moved"), 0);
	sim_move(a, "192.0.2.1", 0);
	ATF_CHECK_EQ(mob_lost(a, 20), 0);
	mob_settled(s);
	sim_free(s);
}

/* The responder's address changes: it asks to be called at the new one. */
ATF_TC_WITHOUT_HEAD(responder);
ATF_TC_BODY(responder, tc)
{
	struct sim	*s;
	int		 keep;

	for (keep = 0; keep < 2; keep++) {
		s = mob_pair(10, "", "");
		sim_move(s->n[1], "198.51.100.9", keep);
		ATF_CHECK_MSG(mob_lost(s->n[0], 20) <= 2, "keep %d", keep);
		mob_settled(s);
		ATF_CHECK_EQ(sim_log_count(s->n[1], "our address is 198.51.100.9 now"), !keep);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "<-> 198.51.100.9:4500"), !keep);
		sim_free(s);
	}
}

/* The way to one of the responder's addresses breaks: the other is tried. */
ATF_TC_WITHOUT_HEAD(path);
ATF_TC_BODY(path, tc)
{
	struct sim	*s = mob_pair(11, "", "");
	struct node	*a = s->n[0], *b = s->n[1];

	sim_addr_add(b, "198.51.100.200");
	sim_run(s, 1000);
	b->no_way = b->addr;
	ATF_CHECK(mob_lost(a, 80) < 60);
	ATF_CHECK(sim_logged(a, "to 192.0.2.1:4500 <-> 198.51.100.200:4500"));
	mob_settled(s);
	/* and back */
	b->no_way = b->more[0];
	ATF_CHECK(mob_lost(a, 200) < 180);
	mob_settled(s);
	sim_free(s);
}

/* Several Children: all of them follow. */
ATF_TC_WITHOUT_HEAD(children);
ATF_TC_BODY(children, tc)
{
	struct sim	*s = mob_many(12, 12);
	struct node	*a = s->n[0];
	char		 src[32];
	uint64_t	 got;
	int		 i;

	ATF_REQUIRE_EQ(sim_count(a, SHOWK_SA), 12);
	sim_move(a, "203.0.113.9", 0);
	sim_run(s, 3000);
	for (i = 0; i < 12; i++) {
		(void)snprintf(src, sizeof(src), "10.1.%d.5", i);
		got = a->got;
		ATF_CHECK(sim_ping(a, src, DST));
		sim_run(s, 100);
		ATF_CHECK_EQ_MSG(a->got, got + 1, "%d", i);
	}
	sim_run(s, 40000);
	ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 12);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 12);
	ATF_CHECK_EQ(sim_kernel_count(a), 24);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 24);
	ATF_CHECK(sim_agree(a) && sim_agree(s->n[1]));
	ATF_CHECK_EQ(sim_log_count(a, "down:") + sim_log_count(s->n[1], "down:"), 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, initiator);
	ATF_TP_ADD_TC(tp, ipv6);
	ATF_TP_ADD_TC(tp, family);
	ATF_TP_ADD_TC(tp, each_lost);
	ATF_TP_ADD_TC(tp, loss);
	ATF_TP_ADD_TC(tp, rekeys);
	ATF_TP_ADD_TC(tp, pause);
	ATF_TP_ADD_TC(tp, fixed);
	ATF_TP_ADD_TC(tp, responder);
	ATF_TP_ADD_TC(tp, path);
	ATF_TP_ADD_TC(tp, children);
	return (atf_no_error());
}
