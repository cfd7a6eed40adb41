/* SPDX-License-Identifier: ISC */
/* Both sides do the same at once, over long ways and with messages lost. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"
#include "wire/wire.h"

static void
one_child(struct sim *s, const char *what, int a, int b)
{
	int	down = sim_log_count(s->n[0], "down:") + sim_log_count(s->n[1], "down:");

	ATF_CHECK_EQ_MSG(down, 0, "%s %d, %d: down", what, a, b);
	ATF_CHECK_EQ_MSG(sim_count(s->n[0], SHOWK_SA), 1, "%s %d, %d: %d Children", what, a,
	    b, sim_count(s->n[0], SHOWK_SA));
	ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%s %d, %d", what, a, b);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
}

/* Which of the two successors goes is settled by the nonces alone (2.8.1), however long
 * its DELETE takes. Negative test 46. */
ATF_TC_WITHOUT_HEAD(rekey_far);
ATF_TC_BODY(rekey_far, tc)
{
	static const int	 ms[] = { 25, 250, 500, 700, 850 };
	struct sim		*s;
	int			 i, seed;

	for (i = 0; i < 5; i++)
		for (seed = 0; seed < 8; seed++) {
			s = sim_pair(700 + (uint64_t)seed, "ondemand", "ondemand", "");
			s->delay_us = ms[i] * 1000;
			ATF_REQUIRE(sim_up(s->n[0], "b"));
			sim_run(s, 3000);
			sim_cmd(s->n[seed & 1], CMD_REKEY, seed & 1 ? "a" : "b");
			sim_run(s, seed / 2 * ms[i] / 4);
			sim_cmd(s->n[!(seed & 1)], CMD_REKEY, seed & 1 ? "b" : "a");
			sim_run(s, 40000);
			one_child(s, "one way, seed", ms[i], seed);
			sim_free(s);
		}
}

struct lose {
	int	n, exch;
	int	from;		/* -1: any */
};

static int
lose_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct lose	*l = s->filter_arg;
	struct wire_hdr	 h;

	if (l->n == 0 || wire_hdr_decode(p->p, p->len, &h) == -1 || h.exch != l->exch ||
	    (h.flags & WIRE_F_RESPONSE) || (l->from != -1 && l->from != from->idx))
		return (0);
	l->n--;
	return (1);
}

/* Negative test 46. */
ATF_TC_WITHOUT_HEAD(rekey_lost);
ATF_TC_BODY(rekey_lost, tc)
{
	struct sim	*s;
	struct lose	 l;
	int		 n, seed;

	for (n = 1; n < 5; n++)
		for (seed = 0; seed < 12; seed++) {
			s = sim_pair(800 + (uint64_t)seed, "ondemand", "ondemand", "");
			s->delay_us = 20000;
			ATF_REQUIRE(sim_up(s->n[0], "b"));
			sim_run(s, 3000);
			l = (struct lose){ n, X_INFORMATIONAL, seed % 3 - 1 };
			s->filter = lose_filter;
			s->filter_arg = &l;
			sim_cmd(s->n[0], CMD_REKEY, "b");
			sim_cmd(s->n[1], CMD_REKEY, "a");
			sim_run(s, 40000);
			one_child(s, "lost, seed", n, seed);
			sim_free(s);
		}
}

/* The replies of one side are late by seconds. */
static int
no_reply(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_hdr	h;

	return (from == s->n[0] && wire_hdr_decode(p->p, p->len, &h) == 0 &&
	    h.exch == X_CREATE_CHILD_SA && (h.flags & WIRE_F_RESPONSE) &&
	    s->filter_arg != NULL);
}

/* Negative test 46. */
ATF_TC_WITHOUT_HEAD(rekey_late);
ATF_TC_BODY(rekey_late, tc)
{
	struct sim	*s = sim_pair(9, "ondemand", "ondemand", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 3000);
	s->filter = no_reply;
	s->filter_arg = s;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 5000);
	s->filter_arg = NULL;
	sim_run(s, 100000);
	one_child(s, "late reply", 0, 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rekey_far);
	ATF_TP_ADD_TC(tp, rekey_lost);
	ATF_TP_ADD_TC(tp, rekey_late);
	return (atf_no_error());
}
