/* SPDX-License-Identifier: ISC */
/*
 * Every allocation of the engines fails once, and three in a row: that exchange fails, and
 * in the end both sides have the same and the kernels nothing else.
 *
 * ld: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define PFS "childsa enc aes-128-gcm group curve25519"

static long	count, fail_at, fail_n;

static int
fails(void)
{
	if (sim_own > 0)
		return (0);
	count++;
	return (count >= fail_at && count < fail_at + fail_n);
}

#include "wrap.h"

/* Up, the Child rekeyed by either side, the IKE SA by either side. */
static void
life(struct sim *s)
{
	struct ike_sa	*ike;
	uint32_t	 at;
	int		 i;

	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 3000);
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 3000);
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 3000);
	for (i = 0; i < 2; i++) {
		for (at = 0; (ike = slab_walk(&s->n[i]->e->w.ikes, &at, NULL)) != NULL;) {
			ike->want_rekey = 1;
			touch_ike(&s->n[i]->e->w, ike);
		}
		sim_run(s, 3000);
	}
}

static int
ends_well(struct sim *s)
{
	if (!sim_is_up(s->n[0], "b"))
		(void)sim_up(s->n[0], "b");
	sim_run(s, 20000);
	return (sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a") &&
	    sim_agree(s->n[0]) && sim_agree(s->n[1]) &&
	    sim_mirror(s->n[0], s->n[1], "b", "a") &&
	    sim_count(s->n[0], SHOWK_SA) == 1 && sim_count(s->n[1], SHOWK_SA) == 1 &&
	    sim_established(s->n[0]) == 1 && sim_established(s->n[1]) == 1);
}

static void
each(long in_a_row)
{
	struct sim	*s;
	long		 at, total;

	s = sim_pair(1, "ondemand", "ondemand", PFS);
	count = 0;
	life(s);
	total = count;
	sim_free(s);
	ATF_REQUIRE(total > 50);
	for (at = 1; at <= total; at++) {
		s = sim_pair(1, "ondemand", "ondemand", PFS);
		count = 0;
		fail_at = at;
		fail_n = in_a_row;
		life(s);
		fail_n = 0;
		sim_run(s, 70000);
		ATF_CHECK_MSG(ends_well(s), "allocation %ld of %ld, %ld in a row: Children %d "
		    "and %d, kernel %d and %d", at, total, in_a_row,
		    sim_count(s->n[0], SHOWK_SA), sim_count(s->n[1], SHOWK_SA),
		    sim_kernel_count(s->n[0]), sim_kernel_count(s->n[1]));
		sim_free(s);
	}
}

/* Negative test 55. */
ATF_TC_WITHOUT_HEAD(one);
ATF_TC_BODY(one, tc)
{
	each(1);
}

/* Negative test 55. */
ATF_TC_WITHOUT_HEAD(three);
ATF_TC_BODY(three, tc)
{
	each(3);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, one);
	ATF_TP_ADD_TC(tp, three);
	return (atf_no_error());
}
