/* SPDX-License-Identifier: ISC */
/*
 * Deletes and what crosses them (RFC 7296 1.4.1, 2.25.1), packets that a DELETE overtakes,
 * and peers that refuse a rekey for ever (2.8, 2.25).  Told as in t_rekey_child.c.
 */

#include "post.h"

/* A wants the tunnel: it comes again, once. */
SCENE(regular, 2, LOSSY)
{
	uint32_t	in = child_up(p->a)->spi_in;

	do_del_child(p, p->variant);
	post_run(p, 3000);
	ATF_REQUIRE(child_up(p->a) != NULL && child_up(p->b) != NULL);
	ATF_CHECK(child_up(p->a)->spi_in != in);
}

/* Both at once: each answers without a DELETE, and each inbound SA goes with the answer. */
SCENE(collision, 1, LOSSY)
{
	do_del_child(p, A);
	do_del_child(p, B);
	post_run(p, 10);
	if (PLAIN(p))
		ATF_CHECK_EQ(sim_kernel_count(p->a), 1);
	post_run(p, 3000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_drop, 2, LOSSY)
{
	post_late(p, p->variant, M_DEL_CHILD, 1, -1);
	do_del_child(p, A);
	do_del_child(p, B);
	post_run(p, 3000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_ike_rekey, 2, LOSSY)
{
	uint64_t	spi = ike_up(p->a)->c.spii;

	do_del_child(p, p->variant);
	do_rekey_ike(p, !p->variant);
	post_run(p, 45000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
	ATF_CHECK(ike_up(p->a) != NULL && ike_up(p->a)->c.spii != spi);
}

SCENE(collision_ike_delete, 2, LOSSY)
{
	do_del_child(p, p->variant);
	do_del_ike(p, !p->variant);
	post_run(p, 6000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(ike_regular, 2, LOSSY)
{
	do_del_ike(p, p->variant);
	post_run(p, 6000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(ike_collision, 1, LOSSY)
{
	do_del_ike(p, A);
	do_del_ike(p, B);
	post_run(p, 6000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* By command at both ends: nothing is left, whatever was lost. */
SCENE(down_both, 1, DOWN)
{
	p->quiet = 1;
	sim_cmd(p->a, CMD_DOWN, "b");
	sim_cmd(p->b, CMD_DOWN, "a");
	post_run(p, 3000);
}

/* A tunnel is taken down while its Child is being rekeyed, by either side. */
SCENE(down_while_rekeying, 4, DOWN)
{
	p->quiet = 1;
	do_rekey_child(p, p->variant & 1);
	post_run(p, p->variant & 2 ? 10 : 20);
	sim_cmd(p->a, CMD_DOWN, "b");
	sim_cmd(p->b, CMD_DOWN, "a");
	post_run(p, 3000);
}

/* The network reorders: packets on the old SA come after its DELETE, and after the answer. */
SCENE(overtaken, 2, 0)
{
	p->s->jitter_us = 150000;
	do_rekey_child(p, p->variant);
	post_run(p, 4000);
	p->s->jitter_us = 0;
	post_run(p, 1000);
}

/* NO_ADDITIONAL_SAS for a rekey: a new IKE SA brings the successor, and nothing breaks. */
SCENE(no_additional_sas, 1, UNSURE)
{
	uint64_t	spi = ike_up(p->a)->c.spii;
	uint32_t	in = child_up(p->a)->spi_in;

	p->b->e->w.stopping = 1;
	do_rekey_child(p, A);
	post_run(p, 20);
	p->b->e->w.stopping = 0;
	post_run(p, 40000);
	if (!PLAIN(p))
		return;
	ATF_CHECK(child_up(p->a)->spi_in != in);
	ATF_CHECK(ike_up(p->a)->c.spii != spi);
	ATF_CHECK(sim_logged(p->a, "starting a new IKE SA instead"));
}

/* TEMPORARY_FAILURE for ever: asked ever less often, and after minutes the IKE SA goes. */
SCENE(temporary_for_ever, 1, LOSSY | ONCE)
{
	struct ike_sa	*ike = ike_up(p->b);
	uint64_t	 spi = ike->c.spii;
	said		 id = ike->id;
	int		 i, n;

	do_rekey_child(p, A);
	for (i = 0; i < 400 && (ike = ike_get(&p->b->e->w, id)) != NULL &&
	    ike->state == IKE_UP; i++) {
		/* as if it were rekeying the IKE SA all the time */
		if (ike->req.msg == NULL)
			ike->task = TASK_REKEY_IKE;
		post_run(p, 1000);
	}
	n = post_seen(p, A, M_REKEY_CHILD);
	ATF_CHECK_MSG(i > 170 && i < 220, "after %d s", i);
	ATF_CHECK_MSG(n > 10 && n < 60, "%d requests", n);
	ATF_CHECK(sim_logged(p->a, "TEMPORARY_FAILURE for too long"));
	post_run(p, 5000);
	ATF_CHECK(ike_up(p->a) != NULL && ike_up(p->a)->c.spii != spi);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, regular);
	ATF_TP_ADD_TC(tp, collision);
	ATF_TP_ADD_TC(tp, collision_drop);
	ATF_TP_ADD_TC(tp, collision_ike_rekey);
	ATF_TP_ADD_TC(tp, collision_ike_delete);
	ATF_TP_ADD_TC(tp, ike_regular);
	ATF_TP_ADD_TC(tp, ike_collision);
	ATF_TP_ADD_TC(tp, down_both);
	ATF_TP_ADD_TC(tp, down_while_rekeying);
	ATF_TP_ADD_TC(tp, overtaken);
	ATF_TP_ADD_TC(tp, no_additional_sas);
	ATF_TP_ADD_TC(tp, temporary_for_ever);
	return (atf_no_error());
}
