/* SPDX-License-Identifier: ISC */
/*
 * Negative tests 52 to 54: inside the system.  What keys and kernel answer, and what the
 * kernel tells, may be late, twice, of another question, or of nothing; processes die.
 */

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

/* Nothing of the engine has changed by what was said to it. */
struct still {
	struct mark		m;
	struct show_tunnel	t;
};

static const char *
name_at(const struct node *n)
{
	return (n == n->sim->n[0] ? "b" : "a");
}

static void
still_take(struct node *n, struct still *s)
{
	mark_take(n, &s->m);
	(void)sim_tunnel(n, name_at(n), &s->t);
}

static int
still_same(struct node *n, const struct still *s)
{
	struct show_tunnel	t;

	return (mark_same(n, &s->m, 0) && sim_tunnel(n, name_at(n), &t) &&
	    t.state == s->t.state && t.spi_in == s->t.spi_in && strcmp(t.error, s->t.error) == 0);
}

/* Negative test 52: answers to no question, in every state of a handshake and after it. */
ATF_TC_WITHOUT_HEAD(n52_strange_answers);
ATF_TC_BODY(n52_strange_answers, tc)
{
	static const uint64_t	tokens[] = { 0, 1, 0x100000001ULL, 0xffffffffULL, UINT64_MAX };
	struct sim		*s = sim_pair(100, "ondemand", "passive", "");
	struct kernel_ans	 k;
	struct keys_ans		 a;
	struct still		 st;
	struct job		*j;
	uint32_t		 at;
	size_t			 i;
	int			 ms, r;

	sim_cmd(s->n[0], CMD_UP, "b");
	for (ms = 0; ms < 60; ms++) {
		for (r = 0; r < 2; r++) {
			still_take(s->n[r], &st);
			for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
				memset(&k, 0, sizeof(k));
				memset(&a, 0, sizeof(a));
				k.token = a.token = tokens[i];
				memset(k.what, 'x', sizeof(k.what));	/* no end */
				k.err = (int)i * 7;
				a.ok = 1;
				if (slab_get(&s->n[r]->e->w.jobs, tokens[i]) != NULL)
					continue;
				engine_kernel(s->n[r]->e, s->now, &k);
				engine_keys(s->n[r]->e, s->now, &a);
			}
			/* a question that is out, answered by the wrong one */
			at = 0;
			if ((j = slab_walk(&s->n[r]->e->w.jobs, &at, NULL)) != NULL) {
				k.token = a.token = j->token;
				a.len = sizeof(a.auth) + 1;
				if (j->kind == J_SIGN || j->kind == J_VERIFY)
					engine_kernel(s->n[r]->e, s->now, &k);
				engine_keys(s->n[r]->e, s->now, &a);
			}
			ATF_CHECK_MSG(still_same(s->n[r], &st), "at %d ms", ms);
		}
		sim_run(s, 1);
	}
	ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"));
	sim_free(s);
}

/* Negative test 52: events of SAs, tunnels and generations that are not there. */
ATF_TC_WITHOUT_HEAD(n52_strange_events);
ATF_TC_BODY(n52_strange_events, tc)
{
	struct duel		 d;
	struct engine		*e;
	struct child_sa		*c;
	struct still		 st;
	struct endpoint		 ep = sim_ep("203.0.113.8", 4500);
	struct addr		 other = ep.addr;
	struct ts		 ts;
	uint32_t		 at = 0, gen;
	int			 r;

	memset(&ts, 0, sizeof(ts));
	for (r = 0; r < 2; r++) {
		duel_start(&d, 101, "", r);
		e = d.good->e;
		at = 0;
		c = slab_walk(&e->w.childs, &at, NULL);
		ATF_REQUIRE(c != NULL);
		gen = e->w.conf->gen;
		still_take(d.good, &st);
		engine_expire(e, d.s->now, 0, &other, 1);
		engine_expire(e, d.s->now, 0x12345678, &c->local.addr, 1);
		engine_expire(e, d.s->now, c->spi_in, &other, 1);
		engine_expire(e, d.s->now, c->spi_out, &other, 1);
		engine_expire(e, d.s->now, c->spi_in, &other, 0);
		engine_mapping(e, d.s->now, 0x12345678, &ep);
		engine_mapping(e, d.s->now, c->spi_in, &ep);	/* nobody is behind a NAT */
		engine_acquire(e, d.s->now, gen, 1, NULL, NULL, 7);
		engine_acquire(e, d.s->now, gen, UINT32_MAX, &ts, &ts, 7);
		engine_acquire(e, d.s->now, gen + 1, 0, &ts, &ts, 7);
		engine_acquire(e, d.s->now, gen - 1, 0, &ts, &ts, 7);
		ATF_CHECK(still_same(d.good, &st));
		ATF_CHECK_EQ(endpoint_cmp(&c->remote, &d.ike->c.local), 0);
		/* events were lost: all is asked for, and all is as it was */
		engine_lost(e, d.s->now);
		sim_run(d.s, 3000);
		ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
		ATF_CHECK(sim_is_up(d.good, name_at(d.good)));
		ATF_CHECK(sim_agree(d.good));
		duel_free(&d);
	}
}

/* Negative test 52: each of the kernel's errors at each ADD of handshake and rekey: the
 * exchange fails, and after that it goes on. */
ATF_TC_WITHOUT_HEAD(n52_errors);
ATF_TC_BODY(n52_errors, tc)
{
	struct sim	*s;
	int		 who, at;

	for (who = 0; who < 2; who++)
		for (at = 1; at <= 4; at++) {
			s = sim_pair(102, "active", "passive", "");
			s->n[who]->kern_fail_at = at;
			sim_run(s, 3000);
			sim_cmd(s->n[0], CMD_REKEY, "b");
			sim_run(s, 10000);
			ATF_CHECK_MSG(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"),
			    "%d %d", who, at);
			ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
			ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
			ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
			ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
			sim_free(s);
		}
}

/* Negative test 52: the kernel takes longer than anybody waits. */
ATF_TC_WITHOUT_HEAD(n52_late);
ATF_TC_BODY(n52_late, tc)
{
	struct sim	*s;
	int		 who;

	for (who = 0; who < 2; who++) {
		s = sim_pair(103, "active", "passive", "");
		s->n[who]->kern_slow_us = 12000000;
		sim_run(s, 14000);
		ATF_CHECK(!sim_is_up(s->n[who], name_at(s->n[who])));
		s->n[who]->kern_slow_us = 0;
		sim_run(s, 60000);
		ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"));
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		ATF_CHECK_EQ(sim_kernel_count(s->n[who]), 2);
		sim_free(s);
	}
}

/* Negative test 54: killed at each step of a handshake and of a rekey: what was half made
 * is gone, and with the next life the tunnel is there, once. */
ATF_TC_WITHOUT_HEAD(n54_killed);
ATF_TC_BODY(n54_killed, tc)
{
	static const char *const conf[] = {
		"ikev2 \"b\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer "
		    "198.51.100.1 psk \"a secret that is long enough\"\n",
		"ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 "
		    "peer 192.0.2.1 psk \"a secret that is long enough\"\n" };
	struct show_stats	 st;
	struct sim		*s;
	int			 who, ms, k;

	for (who = 0; who < 2; who++)
		for (ms = 0; ms < 90; ms += 3) {
			s = sim_pair(104, "active", "passive", "");
			if (ms >= 45) {
				sim_run(s, 2000);
				sim_cmd(s->n[0], CMD_REKEY, "b");
			}
			sim_run(s, ms % 45);
			sim_kill(s->n[who]);
			sim_run(s, 20);
			sim_start(s->n[who], conf[who]);
			/* without traffic a silent peer is asked after a minute */
			sim_run(s, 100000);
			ATF_CHECK_MSG(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"),
			    "node %d killed after %d ms", who, ms);
			for (k = 0; k < 2; k++) {
				sim_stats(s->n[k], &st);
				ATF_CHECK_EQ(st.nike, 1);
				ATF_CHECK_EQ(st.nchild, 1);
				ATF_CHECK_EQ(st.half_open, 0);
				ATF_CHECK_EQ(sim_kernel_count(s->n[k]), 2);
			}
			ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
			sim_free(s);
		}
}

/* Negative test 54: the engine lives by the time that it is given: a tick that comes a day
 * late (the machine slept) is one tick, and one that comes before its time is none. */
ATF_TC_WITHOUT_HEAD(n54_clock);
ATF_TC_BODY(n54_clock, tc)
{
	struct sim	*s = sim_pair(105, "active", "passive", "");
	monotime	 then;
	int		 i;

	sim_run(s, 2000);
	ATF_REQUIRE(sim_is_up(s->n[0], "b"));
	/* nothing is due yet */
	for (i = 0; i < 100; i++) {
		engine_tick(s->n[0]->e, s->now);
		engine_tick(s->n[1]->e, s->now);
	}
	ATF_CHECK_EQ(s->datagrams, 4);
	then = s->now;
	s->now = mono_add_ms(s->now, 86400000);
	for (i = 0; i < 2; i++)
		engine_tick(s->n[i]->e, s->now);
	sim_run(s, 60000);
	ATF_CHECK(mono_before(then, s->now));
	ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"));
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n52_strange_answers);
	ATF_TP_ADD_TC(tp, n52_strange_events);
	ATF_TP_ADD_TC(tp, n52_errors);
	ATF_TP_ADD_TC(tp, n52_late);
	ATF_TP_ADD_TC(tp, n54_killed);
	ATF_TP_ADD_TC(tp, n54_clock);
	return (atf_no_error());
}
