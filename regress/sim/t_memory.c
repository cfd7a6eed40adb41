/* SPDX-License-Identifier: ISC */
/*
 * Memory fails once, at each allocation of the answering side in turn: that exchange
 * fails, or its IKE SA ends; afterwards both sides agree again and nothing is left over.
 *
 * ld: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray
 */

#include <atf-c.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

static long	fail_at, seen;	/* 0: none fails */
static int	at_work;	/* between the request and the reply */

static int
fails(void)
{
	if (fail_at == 0 || sim_own || !at_work || ++seen != fail_at)
		return (0);
	errno = ENOMEM;
	return (1);
}

#include "wrap.h"

static void
check_ends(struct sim *s, const char *what, long at)
{
	struct node	*a = s->n[0], *b = s->n[1];

	ATF_CHECK_MSG(sim_is_up(a, "b") && sim_is_up(b, "a"), "%s %ld: not up", what, at);
	ATF_CHECK_MSG(sim_mirror(a, b, "b", "a"), "%s %ld", what, at);
	ATF_CHECK_MSG(sim_agree(a) && sim_agree(b), "%s %ld", what, at);
	ATF_CHECK_EQ_MSG(sim_kernel_count(a), 2, "%s %ld: %d SAs", what, at,
	    sim_kernel_count(a));
	ATF_CHECK_EQ_MSG(sim_kernel_count(b), 2, "%s %ld: %d SAs", what, at,
	    sim_kernel_count(b));
}

static int
work_filter(struct sim *s, struct node *from, struct packet *p)
{
	(void)p;
	at_work = from == s->n[0];
	return (0);
}

enum step { REKEY, REKEY_IKE, DELETE };

/* 1: it went on beyond the failure that was asked for. */
static int
one(enum step step, long at)
{
	static const char	*names[] = { "rekey", "IKE rekey", "delete" };
	struct sim		*s = sim_pair(1000 + (uint64_t)at, "active", "passive", "");
	struct node		*a = s->n[0];
	struct node		*b = s->n[1];
	struct ike_sa		*ike;
	uint64_t		 order;
	uint32_t		 i = 0;
	int			 more;

	sim_run(s, 2000);
	ATF_REQUIRE(sim_is_up(a, "b"));
	order = b->order;
	/* the next job wants memory */
	while (b->e->w.jobs.free != 0 || b->e->w.jobs.nchunks == 0)
		ATF_REQUIRE(job_new(&b->e->w, J_FORGET, 0, 0) != NULL);
	at_work = 0;
	s->filter = work_filter;
	seen = 0;
	fail_at = at;
	if (step == REKEY)
		sim_cmd(a, CMD_REKEY, "b");
	else if (step == REKEY_IKE) {
		ike = slab_walk(&a->e->w.ikes, &i, NULL);
		ATF_REQUIRE(ike != NULL);
		ike->want_rekey = 1;
		touch_ike(&a->e->w, ike);
		engine_settle(a->e);
	} else
		sim_cmd(a, CMD_DOWN, "b");
	sim_run(s, 900);
	more = seen >= at;
	fail_at = 0;
	/* it was asked twice by now, and did it once */
	ATF_CHECK_MSG(b->order - order <= 2 || sim_log_count(b, "given up") > 0,
	    "%s %ld: %ju SAs added", names[step], at, (uintmax_t)(b->order - order));
	if (step == DELETE)
		sim_cmd(a, CMD_UP, "b");
	/* what was given up is found out by the next check at the latest */
	sim_traffic(a, "10.1.0.5", "10.2.0.7", 20000, 500);
	sim_run(s, 100000);
	check_ends(s, names[step], at);
	sim_free(s);
	return (more);
}

static void
all(enum step step)
{
	long	at = 1;

	while (one(step, at) && at < 2000)
		at++;
	ATF_CHECK_MSG(at > 2 && at < 2000, "%ld allocations", at);
}

ATF_TC_WITHOUT_HEAD(rekey);
ATF_TC_BODY(rekey, tc)
{
	all(REKEY);
}

ATF_TC_WITHOUT_HEAD(rekey_ike);
ATF_TC_BODY(rekey_ike, tc)
{
	all(REKEY_IKE);
}

ATF_TC_WITHOUT_HEAD(delete);
ATF_TC_BODY(delete, tc)
{
	all(DELETE);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rekey);
	ATF_TP_ADD_TC(tp, rekey_ike);
	ATF_TP_ADD_TC(tp, delete);
	return (atf_no_error());
}
