/* SPDX-License-Identifier: ISC */
/*
 * Rekeying an IKE SA, and all that can cross it (RFC 7296 2.8.2, 2.18, 2.25.2).  In the
 * end there is one IKE SA, its Child is the one that was there before, and no packet is
 * lost.  Told as in t_rekey_child.c.
 */

#include "post.h"

/* The Child has gone over; the SA is of the exchange of `who`, or -1: it is another one. */
static void
moved(struct post *p, int who, uint64_t old, uint32_t child)
{
	struct ike_sa	*a = ike_up(p->a), *b = ike_up(p->b);

	ATF_REQUIRE(a != NULL && b != NULL);
	ATF_CHECK_MSG(a->c.spii != old && a->c.spii == b->c.spii,
	    "variant %d, %d lost: not rekeyed", p->variant, p->lose);
	ATF_CHECK_EQ(a->c.spir, b->c.spir);
	if (who != -1) {
		ATF_CHECK_EQ_MSG(a->c.initiator, who == A, "variant %d, %d lost: not of %c",
		    p->variant, p->lose, "AB"[who]);
		ATF_CHECK_EQ(b->c.initiator, who == B);
	}
	ATF_REQUIRE(child_up(p->a) != NULL && child_up(p->b) != NULL);
	ATF_CHECK_EQ(child_up(p->a)->spi_in, child);
	ATF_CHECK_EQ(child_up(p->a)->ike, a->id);
	ATF_CHECK_EQ(child_up(p->b)->ike, b->id);
}

#define BEFORE(p)						\
	uint64_t	ike = ike_up((p)->a)->c.spii;		\
	uint32_t	child = child_up((p)->a)->spi_in
/* When a request is lost the other one may be through before it comes. */
#define WINNER(p)	(!PLAIN(p) && (p)->lose <= 2 ? -1 : (p)->variant < 2 ? B : A)

/* The new SA counts its messages from 0, both ways. */
SCENE(regular, 2, 0)
{
	BEFORE(p);

	do_rekey_ike(p, p->variant);
	post_run(p, 3000);
	moved(p, p->variant, ike, child);
	ATF_CHECK_EQ(ike_up(p->a)->msgid_out, 0);
	ATF_CHECK_EQ(ike_up(p->a)->msgid_in, 0);
	ATF_CHECK_EQ(ike_up(p->b)->msgid_out, 0);
	ATF_CHECK_EQ(ike_up(p->b)->msgid_in, 0);
	ATF_CHECK(post_seen(p, p->variant, M_DEL_IKE) > 0);
	ATF_CHECK_EQ(post_seen(p, !p->variant, M_DEL_IKE), 0);
	/* and it works */
	do_rekey_ike(p, !p->variant);
	post_run(p, 3000);
	if (PLAIN(p))
		ATF_CHECK_EQ(p->last_id[!p->variant], 0);
	moved(p, !p->variant, ike, child);
}

SCENE_CONF(ke_invalid, 1, 0, "ikesa group curve25519 group ecp256",
    "ikesa group curve25519 group ecp256")
{
	BEFORE(p);

	/* what worked for IKE_SA_INIT is tried first: now B wants another one */
	sim_reload(p->b, "ikev2 \"a\" ondemand esp from 10.2.0.0/24 to 10.1.0.0/24 local "
	    "198.51.100.1 peer 192.0.2.1 ikesa group curve25519 group ecp256 psk "
	    "\"a secret that is long enough\"\n");
	p->a->e->w.now = p->s->now;
	ike_up(p->a)->c.suite.ke = 19;
	do_rekey_ike(p, A);
	post_run(p, 3000);
	moved(p, A, ike, child);
}

/* B has its time to rekey while A's DELETE is on its way. */
SCENE(responder_ignore_rekey, 1, 0)
{
	BEFORE(p);

	post_late(p, A, M_DEL_IKE, 3, 400);
	do_rekey_ike(p, A);
	post_run(p, 100);
	if (ike_up(p->b)->c.spii != ike) {
		/* on the old one, if there were a way */
		ATF_CHECK(ike_get(&p->b->e->w, ike_up(p->b)->replaces) != NULL);
		ike_get(&p->b->e->w, ike_up(p->b)->replaces)->want_rekey = 1;
		touch_ike(&p->b->e->w, ike_get(&p->b->e->w, ike_up(p->b)->replaces));
		engine_tick(p->b->e, p->s->now);
	}
	post_run(p, 3000);
	ATF_CHECK_EQ(post_seen(p, B, M_REKEY_IKE), 0);
	moved(p, A, ike, child);
}

/* A forgets the DELETE: B does it. */
SCENE(delete_timeout, 1, 0)
{
	BEFORE(p);

	post_late(p, A, M_DEL_IKE, 100, -1);
	do_rekey_ike(p, A);
	post_run(p, 45000);
	moved(p, A, ike, child);
	ATF_CHECK(post_seen(p, B, M_DEL_IKE) > 0);
}

SCENE(collision, 4, 0)
{
	BEFORE(p);

	do_both(p, do_rekey_ike);
	post_run(p, 4000);
	moved(p, WINNER(p), ike, child);
	if (PLAIN(p)) {
		/* one the old SA, the other one its own heir */
		ATF_CHECK_EQ(post_seen(p, A, M_DEL_IKE), 1);
		ATF_CHECK_EQ(post_seen(p, B, M_DEL_IKE), 1);
	}
}

SCENE(collision_delayed_response, 4, 0)
{
	BEFORE(p);

	post_late(p, B, M_REKEY_IKE | REPLY, 3, 450);
	do_both(p, do_rekey_ike);
	post_run(p, 7000);
	moved(p, WINNER(p), ike, child);
}

/* So late that the other one has long done with it. */
SCENE(collision_far_response, 4, 0)
{
	BEFORE(p);

	post_late(p, B, M_REKEY_IKE | REPLY, 40, 8000);
	do_both(p, do_rekey_ike);
	post_run(p, 40000);
	moved(p, -1, ike, child);
}

SCENE(collision_delayed_response_delete, 4, 0)
{
	BEFORE(p);

	post_late(p, B, M_REKEY_IKE | REPLY, 3, 450);
	post_late(p, B, M_DEL_IKE, 3, 400);
	do_both(p, do_rekey_ike);
	post_run(p, 7000);
	moved(p, WINNER(p), ike, child);
}

/* B is through before it hears of A's: TEMPORARY_FAILURE, or nothing at all. */
SCENE(collision_delayed_request, 1, 0)
{
	BEFORE(p);

	post_late(p, A, M_REKEY_IKE, 40, 5000);
	do_both(p, do_rekey_ike);
	post_run(p, 9000);
	moved(p, B, ike, child);
	ATF_CHECK_EQ(post_seen(p, A, M_DEL_IKE), 0);
}

/* It comes while B is closing the old one. */
SCENE(collision_delayed_request_more, 1, 0)
{
	BEFORE(p);

	post_late(p, A, M_REKEY_IKE, 3, 200);
	post_late(p, B, M_DEL_IKE, 3, 350);
	do_both(p, do_rekey_ike);
	post_run(p, 4000);
	if (PLAIN(p))
		moved(p, B, ike, child);
}

SCENE(collision_delayed_request_and_delete, 1, 0)
{
	BEFORE(p);

	post_late(p, A, M_REKEY_IKE, 3, 200);
	post_late(p, B, M_REKEY_IKE | REPLY, 3, 400);
	post_late(p, B, M_DEL_IKE, 3, 250);
	do_both(p, do_rekey_ike);
	post_run(p, 4000);
	if (PLAIN(p))
		moved(p, B, ike, child);
}

SCENE(collision_dropped_request, 2, 0)
{
	BEFORE(p);

	post_late(p, p->variant, M_REKEY_IKE, 1, -1);
	do_rekey_ike(p, A);
	do_rekey_ike(p, B);
	post_run(p, 7000);
	if (PLAIN(p))
		moved(p, !p->variant, ike, child);
}

/* Never again: B is through and says DELETE, and A forgets its own. */
SCENE(collision_lost_request, 2, 0)
{
	BEFORE(p);

	post_late(p, p->variant, M_REKEY_IKE, 50, -1);
	do_rekey_ike(p, A);
	do_rekey_ike(p, B);
	post_run(p, 40000);
	moved(p, !p->variant, ike, child);
}

SCENE_CONF(collision_ke_invalid, 4, 0, "ikesa group curve25519 group ecp256",
    "ikesa group curve25519 group ecp256")
{
	BEFORE(p);

	/* each begins with what the other does not want first */
	ike_up(p->a)->c.suite.ke = 19;
	ike_up(p->b)->c.suite.ke = 19;
	do_both(p, do_rekey_ike);
	post_run(p, 7000);
	moved(p, -1, ike, child);
}

SCENE_CONF(collision_ke_invalid_delayed_retry, 4, 0, "ikesa group curve25519 group ecp256",
    "ikesa group curve25519 group ecp256")
{
	BEFORE(p);

	ike_up(p->a)->c.suite.ke = 19;
	do_both(p, do_rekey_ike);
	post_late(p, A, M_REKEY_IKE, 3, 300);
	post_run(p, 7000);
	moved(p, -1, ike, child);
}

/* The loser uses its own heir before it knows: a Child's DELETE comes there. */
SCENE(collision_delete_child, 2, LOSSY)
{
	do_both(p, do_rekey_ike);
	post_run(p, 20 + 10 * p->variant);
	do_del_child(p, B);
	post_run(p, 7000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* B creates, rekeys or closes a Child: A has to wait (2.25.1). */
SCENE(collision_child_rekey, 2, 0)
{
	BEFORE(p);

	do_rekey_ike(p, p->variant);
	do_rekey_child(p, !p->variant);
	post_run(p, 50);
	if (PLAIN(p))
		ATF_CHECK_EQ(ike_up(p->a)->c.spii, ike);
	post_run(p, 45000);
	ATF_CHECK(ike_up(p->a)->c.spii != ike && child_up(p->a)->spi_in != child);
}

SCENE(collision_child_delete, 2, LOSSY)
{
	BEFORE(p);

	do_rekey_ike(p, p->variant);
	do_del_child(p, !p->variant);
	post_run(p, 45000);
	ATF_CHECK(ike_up(p->a)->c.spii != ike && child_up(p->a)->spi_in != child);
}

/* B closes what A rekeys (2.25.2). */
SCENE(collision_ike_delete, 2, LOSSY)
{
	do_rekey_ike(p, p->variant);
	do_del_ike(p, !p->variant);
	post_run(p, 5000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

SCENE(collision_ike_delete_drop_delete, 2, LOSSY)
{
	post_late(p, !p->variant, M_DEL_IKE, 1, -1);
	do_rekey_ike(p, p->variant);
	do_del_ike(p, !p->variant);
	post_run(p, 8000);
	ATF_CHECK(child_up(p->a) != NULL && child_up(p->b) != NULL);
}

/* A Child of a rekeyed IKE SA is rekeyed on the new one at once, before the old is gone. */
SCENE(child_after_ike, 4, 0)
{
	BEFORE(p);

	post_late(p, A, M_DEL_IKE, 3, 300);
	post_late(p, B, M_DEL_IKE, 3, 300);
	do_both(p, do_rekey_ike);
	post_run(p, 100);
	do_rekey_child(p, A);
	do_rekey_child(p, B);
	post_run(p, 12000);
	ATF_CHECK(ike_up(p->a)->c.spii != ike && child_up(p->a)->spi_in != child);
}

/* Every message comes twice: each is answered as it was, and nothing is done twice
 * (2.1). */
SCENE(retransmitted, 4, 0)
{
	p->s->dup = 1000;
	do_both(p, do_rekey_ike);
	post_run(p, 4000);
	do_rekey_ike(p, p->variant & 1);
	post_run(p, 4000);
	p->s->dup = 0;
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, retransmitted);
	ATF_TP_ADD_TC(tp, regular);
	ATF_TP_ADD_TC(tp, ke_invalid);
	ATF_TP_ADD_TC(tp, responder_ignore_rekey);
	ATF_TP_ADD_TC(tp, delete_timeout);
	ATF_TP_ADD_TC(tp, collision);
	ATF_TP_ADD_TC(tp, collision_delayed_response);
	ATF_TP_ADD_TC(tp, collision_far_response);
	ATF_TP_ADD_TC(tp, collision_delayed_response_delete);
	ATF_TP_ADD_TC(tp, collision_delayed_request);
	ATF_TP_ADD_TC(tp, collision_delayed_request_more);
	ATF_TP_ADD_TC(tp, collision_delayed_request_and_delete);
	ATF_TP_ADD_TC(tp, collision_dropped_request);
	ATF_TP_ADD_TC(tp, collision_lost_request);
	ATF_TP_ADD_TC(tp, collision_ke_invalid);
	ATF_TP_ADD_TC(tp, collision_ke_invalid_delayed_retry);
	ATF_TP_ADD_TC(tp, collision_delete_child);
	ATF_TP_ADD_TC(tp, collision_child_rekey);
	ATF_TP_ADD_TC(tp, collision_child_delete);
	ATF_TP_ADD_TC(tp, collision_ike_delete);
	ATF_TP_ADD_TC(tp, collision_ike_delete_drop_delete);
	ATF_TP_ADD_TC(tp, child_after_ike);
	return (atf_no_error());
}
