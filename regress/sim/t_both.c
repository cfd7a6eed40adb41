/* SPDX-License-Identifier: ISC */
/*
 * Both sides start at once, or one a little after the other, so that their messages cross in
 * every way; 10 s later there is one IKE SA and one Child.  The key exchange is a toy.
 *
 *	IKEEP_TRIES	tries at each delay (default 60)
 *
 * ld: -Wl,--wrap=ke_new -Wl,--wrap=ke_free -Wl,--wrap=ke_group -Wl,--wrap=ke_public -Wl,--wrap=ke_derive
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariant.h"
#include "sim.h"
#include "toyke.h"

#define LEFT_MS	10000

struct row {
	int	tries, down, ikes, children, crossed;
};

static int
over_one(struct sim *s, int (*count)(struct node *))
{
	int	a = count(s->n[0]), b = count(s->n[1]), n = a > b ? a : b;

	return (n > 1 ? n - 1 : 0);
}

static int
children(struct node *n)
{
	return (sim_count(n, SHOWK_SA));
}

/* One try: the second side starts after a part of the way, or before. */
static void
try(struct row *r, int ms, uint64_t seed, int traffic)
{
	struct sim	*s = sim_pair(seed, "ondemand", "ondemand", "");
	uint64_t	 rng = seed;
	int64_t		 off = ms > 0 ? (int64_t)(sim_rand(&rng) % (uint64_t)(ms * 1000 + 1)) : 0;
	int		 first = (int)(sim_rand(&rng) & 1), i;

	invariant_on(s);
	s->delay_us = ms * 1000;
	sim_cmd(s->n[first], CMD_UP, first ? "a" : "b");
	/* in us: sim_run() takes ms */
	s->now = mono_add_us(s->now, off % 1000);
	sim_run(s, off / 1000);
	sim_cmd(s->n[!first], CMD_UP, first ? "b" : "a");
	for (i = 0; i < LEFT_MS / 500; i++) {
		if (traffic)
			(void)sim_ping(s->n[0], "10.1.0.5", "10.2.0.7");
		sim_run(s, 500);
	}
	r->tries++;
	r->crossed += sim_log_count(s->n[0], "duplicate") + sim_log_count(s->n[1],
	    "duplicate") > 0;
	r->down += !sim_is_up(s->n[0], "b") || !sim_is_up(s->n[1], "a");
	r->ikes += over_one(s, sim_established);
	r->children += over_one(s, children);
	ATF_CHECK_EQ_MSG(s->wrong, 0, "seed %ju", (uintmax_t)seed);
	ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "seed %ju", (uintmax_t)seed);
	sim_free(s);
}

ATF_TC(start);
ATF_TC_HEAD(start, tc)
{
	atf_tc_set_md_var(tc, "timeout", "86400");
}
ATF_TC_BODY(start, tc)
{
	static const int	 ms[] = { 0, 20, 60 };
	const char		*env = getenv("IKEEP_TRIES");
	int			 n = env != NULL ? atoi(env) : 60, i, k;
	struct row		 r;

	sim_free(sim_new(0));
	toy_on = 1;
	printf("delay  tries  two at first  not up  IKE SAs too many  Children too many\n");
	for (i = 0; i < 3; i++) {
		memset(&r, 0, sizeof(r));
		for (k = 0; k < n; k++)
			try(&r, ms[i], (uint64_t)(1000000 * i + k + 1), k & 1);
		printf("%2d ms  %5d  %12d  %6d  %16d  %17d\n", ms[i], r.tries, r.crossed,
		    r.down, r.ikes, r.children);
		ATF_CHECK_EQ(r.down, 0);
		ATF_CHECK_EQ(r.ikes, 0);
		ATF_CHECK_EQ(r.children, 0);
		/* or it was no test of anything */
		ATF_CHECK(r.crossed > n / 8);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, start);
	return (atf_no_error());
}
