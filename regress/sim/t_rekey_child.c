/* SPDX-License-Identifier: ISC */
/*
 * Rekeying a Child SA, and all that can cross it (RFC 7296 2.8, 2.8.1, 2.25.1).  Each
 * scene is played as it is told, and again with each of its messages lost once: see
 * post.h.  Nonces are forced, so that every winner is known.
 */

#include <string.h>

#include "post.h"
#include "sim_local.h"

#define PFS_A	"childsa enc aes-128-gcm group curve25519 group ecp256"
#define PFS_B	"childsa enc aes-128-gcm group ecp256"

/* Whose exchange made the Child that is there in the end? */
static void
made_by(struct post *p, int who)
{
	struct child_sa	*a = child_up(p->a), *b = child_up(p->b);

	ATF_REQUIRE(a != NULL && b != NULL);
	ATF_CHECK_EQ_MSG(a->initiated, who == A, "variant %d, %d lost: not of %c",
	    p->variant, p->lose, "AB"[who]);
	ATF_CHECK_EQ(b->initiated, who == B);
}

/* When a request is lost the other one may be through before it comes. */
static void
winner(struct post *p)
{
	if (PLAIN(p) || p->lose > 2)
		made_by(p, p->variant < 2 ? B : A);
}

SCENE(regular, 2, 0)
{
	do_rekey_child(p, p->variant);
	post_run(p, 3000);
	made_by(p, p->variant);
	ATF_CHECK_EQ(post_seen(p, p->variant, M_DEL_CHILD) > 0, 1);
	ATF_CHECK_EQ(post_seen(p, !p->variant, M_DEL_CHILD), 0);
}

SCENE_CONF(ke_invalid, 1, 0, PFS_A, PFS_B)
{
	do_rekey_child(p, A);
	post_run(p, 3000);
	made_by(p, A);
	if (PLAIN(p))
		ATF_CHECK_EQ(post_seen(p, A, M_REKEY_CHILD), 2);
}

/* B's own time to rekey comes while A's DELETE is on its way. */
SCENE(responder_ignore_soft_expire, 1, 0)
{
	struct child_sa	*c = child_up(p->b);

	post_late(p, A, M_DEL_CHILD, 3, 400);
	do_rekey_child(p, A);
	post_run(p, 200);
	engine_expire(p->b->e, p->s->now, c->spi_in, &c->local.addr, 0);
	post_run(p, 3000);
	/* without A's request it is B's turn */
	if (p->lose != 1) {
		ATF_CHECK_EQ(post_seen(p, B, M_REKEY_CHILD), 0);
		made_by(p, A);
	}
}

/* B's kernel ends the old SA while A's DELETE is on its way. */
SCENE(responder_handle_hard_expire, 1, 0)
{
	struct child_sa	*c = child_up(p->b);
	struct sim_sa	*k;
	uint32_t	 spi = c->spi_in;

	post_late(p, A, M_DEL_CHILD, 10, -1);
	do_rekey_child(p, A);
	post_run(p, 1200);
	k = kern_find(p->b, spi, KERN_IN);
	ATF_REQUIRE(k != NULL && (c = child_byspi(&p->b->e->w, spi)) != NULL);
	memset(k, 0, sizeof(*k));
	engine_expire(p->b->e, p->s->now, spi, &c->local.addr, 1);
	post_run(p, 2000);
	ATF_CHECK(post_seen(p, B, M_DEL_CHILD) > 0);
	made_by(p, A);
}

/* B closes what A is rekeying. */
SCENE(responder_delete, 1, LOSSY)
{
	post_late(p, A, M_REKEY_CHILD, 1, 100);
	do_rekey_child(p, A);
	do_del_child(p, B);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* B does not know the Child any more: A says no DELETE, and makes another. */
SCENE(responder_lost_sa, 1, LOSSY)
{
	child_remove(&p->b->e->w, child_up(p->b), WHY_NONE, NULL);
	engine_tick(p->b->e, p->s->now);
	do_rekey_child(p, A);
	post_run(p, 3000);
	ATF_CHECK_EQ(post_seen(p, A, M_DEL_CHILD), 0);
	ATF_CHECK(post_seen(p, A, M_CREATE) > 0);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* B deletes the old one, which is A's to do. */
SCENE(responder_incorrect_delete, 2, UNSURE)
{
	struct child_sa	*old = child_up(p->b);

	if (p->variant == 1)
		post_late(p, A, M_DEL_CHILD, 3, 300);
	do_rekey_child(p, A);
	post_run(p, 30);
	if (old->theirs != 0) {
		old->want_delete = 1;
		touch_ike(&p->b->e->w, ike_up(p->b));
		engine_tick(p->b->e, p->s->now);
	}
	post_run(p, 3000);
	made_by(p, A);
}

/* The same so early that its DELETE overtakes the answer. */
SCENE(responder_early_delete, 1, LOSSY)
{
	struct child_sa	*old = child_up(p->b);

	post_late(p, B, M_REKEY_CHILD | REPLY, 3, 200);
	do_rekey_child(p, A);
	post_run(p, 20);
	if (old->theirs != 0) {
		old->want_delete = 1;
		touch_ike(&p->b->e->w, ike_up(p->b));
		engine_tick(p->b->e, p->s->now);
	}
	post_run(p, 3000);
	made_by(p, A);
}

/* The answer to the DELETE does not come for long. */
SCENE(delete_timeout, 1, 0)
{
	post_late(p, B, M_DEL_CHILD | REPLY, 4, -1);
	do_rekey_child(p, A);
	post_run(p, 20000);
	made_by(p, A);
}

SCENE(collision, 4, 0)
{
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	winner(p);
	if (PLAIN(p)) {
		ATF_CHECK_EQ(post_seen(p, A, M_DEL_CHILD), 1);
		ATF_CHECK_EQ(post_seen(p, B, M_DEL_CHILD), 1);
	}
}

SCENE_CONF(collision_pfs, 4, 0, "childsa group ecp256", "childsa group ecp256")
{
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	winner(p);
}

/* B's answer is late. */
SCENE(collision_delayed_response, 4, 0)
{
	post_late(p, B, M_REKEY_CHILD | REPLY, 3, 450);
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	if (PLAIN(p))
		winner(p);
}

/* So late that it is asked for again and again, and longer than outbound waits. */
SCENE(collision_far_response, 4, 0)
{
	post_late(p, B, M_REKEY_CHILD | REPLY, 40, 7000);
	do_both(p, do_rekey_child);
	post_run(p, 12000);
	if (PLAIN(p))
		winner(p);
}

/* And the DELETE that follows, too. */
SCENE(collision_delayed_response_delete, 4, 0)
{
	post_late(p, B, M_REKEY_CHILD | REPLY, 3, 450);
	post_late(p, B, M_DEL_CHILD, 3, 400);
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	if (PLAIN(p))
		winner(p);
}

/* A's request comes when B has done with its own: B does not notice (2.8.1). */
SCENE(collision_delayed_request, 1, 0)
{
	post_late(p, A, M_REKEY_CHILD, 40, 5000);
	do_both(p, do_rekey_child);
	post_run(p, 8000);
	made_by(p, B);
}

/* It comes while B's DELETE of the old one is under way: TEMPORARY_FAILURE. */
SCENE(collision_delayed_request_more, 1, 0)
{
	post_late(p, A, M_REKEY_CHILD, 3, 200);
	post_late(p, B, M_DEL_CHILD, 3, 350);
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	if (PLAIN(p))
		made_by(p, B);
}

/* Its answer comes after the DELETE. */
SCENE(collision_delayed_request_more_delete, 1, 0)
{
	post_late(p, A, M_REKEY_CHILD, 3, 200);
	post_late(p, B, M_REKEY_CHILD | REPLY, 3, 400);
	post_late(p, B, M_DEL_CHILD, 3, 250);
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	if (PLAIN(p))
		made_by(p, B);
}

SCENE_CONF(collision_ke_invalid, 4, 0, PFS_A,
    "childsa enc aes-128-gcm group ecp384 group ecp256")
{
	do_both(p, do_rekey_child);
	post_run(p, 4000);
}

/* A asks again when B is through. */
SCENE_CONF(collision_ke_invalid_delayed_retry, 4, 0, PFS_A, PFS_B)
{
	do_both(p, do_rekey_child);
	/* the first is under way already */
	post_late(p, A, M_REKEY_CHILD, 3, 300);
	post_run(p, 4000);
	if (PLAIN(p))
		made_by(p, B);
}

/* Both are up, and B deletes the old one whoever has to. */
SCENE(collision_responder_incorrect_delete, 4, UNSURE)
{
	struct child_sa	*old = child_up(p->b);

	do_both(p, do_rekey_child);
	post_run(p, 20);
	if (old->theirs != 0) {
		old->want_delete = 1;
		touch_ike(&p->b->e->w, ike_up(p->b));
		engine_tick(p->b->e, p->s->now);
	}
	post_run(p, 4000);
}

/* B deletes the one that was to stay. */
SCENE(collision_wrong_one_deleted, 2, LOSSY)
{
	struct child_sa	*old = child_up(p->b), *c;

	p->variant += 2;
	do_both(p, do_rekey_child);
	p->variant -= 2;
	post_run(p, 20);
	if ((c = child_get(&p->b->e->w, old->theirs)) != NULL) {
		c->want_delete = 1;
		touch_ike(&p->b->e->w, ike_up(p->b));
		engine_tick(p->b->e, p->s->now);
	}
	post_run(p, 5000);
}

/* A rekeys what B closes, crossing. */
SCENE(collision_delete, 2, LOSSY)
{
	do_rekey_child(p, p->variant);
	do_del_child(p, !p->variant);
	post_run(p, 100);
	if (PLAIN(p))
		ATF_CHECK_EQ(post_seen(p, p->variant, M_DEL_CHILD), 0);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_delete_drop_delete, 2, LOSSY)
{
	post_late(p, !p->variant, M_DEL_CHILD, 1, -1);
	do_rekey_child(p, p->variant);
	do_del_child(p, !p->variant);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_delete_drop_rekey, 2, LOSSY)
{
	post_late(p, p->variant, M_REKEY_CHILD, 1, -1);
	do_rekey_child(p, p->variant);
	do_del_child(p, !p->variant);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_delete_delayed_response, 2, LOSSY)
{
	post_late(p, !p->variant, M_REKEY_CHILD | REPLY, 3, 400);
	do_rekey_child(p, p->variant);
	do_del_child(p, !p->variant);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* Both are told to wait, and both get there. */
SCENE(collision_ike_rekey, 2, 0)
{
	uint64_t	spi = ike_up(p->a)->c.spii;
	uint32_t	in = child_up(p->a)->spi_in;

	do_rekey_child(p, p->variant);
	do_rekey_ike(p, !p->variant);
	post_run(p, 50);
	if (PLAIN(p))
		ATF_CHECK_EQ(ike_up(p->a)->c.spii, spi);
	post_run(p, 45000);
	ATF_CHECK(child_up(p->a)->spi_in != in);
	ATF_CHECK(ike_up(p->a)->c.spii != spi);
}

SCENE(collision_ike_delete, 2, LOSSY)
{
	do_rekey_child(p, p->variant);
	do_del_ike(p, !p->variant);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* The answer is under way for long: B goes on sending on the old SA until A can take what
 * comes on the new one (2.8). */
SCENE(far_response, 1, 0)
{
	post_late(p, B, M_REKEY_CHILD | REPLY, 40, 7000);
	do_rekey_child(p, A);
	post_run(p, 12000);
	made_by(p, A);
}

/* Every message comes twice: each is answered as it was, and nothing is done twice
 * (2.1). */
SCENE(retransmitted, 4, 0)
{
	p->s->dup = 1000;
	do_both(p, do_rekey_child);
	post_run(p, 4000);
	do_rekey_child(p, p->variant & 1);
	post_run(p, 4000);
	p->s->dup = 0;
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, far_response);
	ATF_TP_ADD_TC(tp, retransmitted);
	ATF_TP_ADD_TC(tp, regular);
	ATF_TP_ADD_TC(tp, ke_invalid);
	ATF_TP_ADD_TC(tp, responder_ignore_soft_expire);
	ATF_TP_ADD_TC(tp, responder_handle_hard_expire);
	ATF_TP_ADD_TC(tp, responder_delete);
	ATF_TP_ADD_TC(tp, responder_lost_sa);
	ATF_TP_ADD_TC(tp, responder_incorrect_delete);
	ATF_TP_ADD_TC(tp, responder_early_delete);
	ATF_TP_ADD_TC(tp, delete_timeout);
	ATF_TP_ADD_TC(tp, collision);
	ATF_TP_ADD_TC(tp, collision_pfs);
	ATF_TP_ADD_TC(tp, collision_delayed_response);
	ATF_TP_ADD_TC(tp, collision_far_response);
	ATF_TP_ADD_TC(tp, collision_delayed_response_delete);
	ATF_TP_ADD_TC(tp, collision_delayed_request);
	ATF_TP_ADD_TC(tp, collision_delayed_request_more);
	ATF_TP_ADD_TC(tp, collision_delayed_request_more_delete);
	ATF_TP_ADD_TC(tp, collision_ke_invalid);
	ATF_TP_ADD_TC(tp, collision_ke_invalid_delayed_retry);
	ATF_TP_ADD_TC(tp, collision_responder_incorrect_delete);
	ATF_TP_ADD_TC(tp, collision_wrong_one_deleted);
	ATF_TP_ADD_TC(tp, collision_delete);
	ATF_TP_ADD_TC(tp, collision_delete_drop_delete);
	ATF_TP_ADD_TC(tp, collision_delete_drop_rekey);
	ATF_TP_ADD_TC(tp, collision_delete_delayed_response);
	ATF_TP_ADD_TC(tp, collision_ike_rekey);
	ATF_TP_ADD_TC(tp, collision_ike_delete);
	return (atf_no_error());
}
