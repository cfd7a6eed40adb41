/* SPDX-License-Identifier: ISC */
/*
 * Rekeying the IKE SA itself (RFC 7296 1.3.2, 2.8.2, 2.18, 2.25.2).  The new SA is made
 * inside the authenticated old one and inherits its Children; who asked for it deletes
 * the old one, and that is the last request there.
 *
 * Both may ask at once.  Each answers, and so there are two heirs.  Who has both
 * answers compares the nonces: the heir made with the lowest of the four is
 * deleted by who asked for it, the other one inherits.  Until then the peer's heir
 * waits as IKE_HEIR.  It inherits without comparing when our own request has
 * failed, or when the peer shows that it has settled: by working on its heir, or by
 * deleting the old SA, which only the initiator of the surviving heir does.
 *
 * So as not to take the old SA from under an answer still on its way, the winner deletes
 * it after the peer has deleted the heir too many, or when that takes too long.
 */

#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define FORGOT_MS	30000	/* the peer should have deleted the old one */
/* The peer's rekeys of one IKE SA and its successors; each leaves one behind that may stay
 * half a minute. */
#define REKEYS_MAX	16
#define REKEYS_MS	60000

static void
inherit(struct world *w, struct ike_sa *old, struct ike_sa *ike)
{
	struct child_sa	*c;
	uint32_t	 t;

	while ((c = child_get(w, old->children)) != NULL)
		child_move(w, c, ike);
	while ((t = queue_take(w, old)) != NO_INDEX)
		queue_tunnel(w, ike, t);
	lease_move(old, ike);
	ike->orphan_spi = old->orphan_spi;
	old->orphan_spi = 0;
	/* it was to end with all it has: that has gone over */
	ike->want_delete = old->want_delete;
	old->want_delete = old->want_rekey = 0;
	ike->drop_at = MONO_NONE;
	ike_state(w, ike, IKE_UP);
	ike_state(w, old, IKE_REPLACED);
	w->tally.rekeys++;
	touch_ike(w, ike);
	touch_ike(w, old);
}

void
rekey_ike_yield(struct world *w, struct ike_sa *old)
{
	struct ike_sa	*ike = ike_get(w, old->theirs);

	if (old->state != IKE_UP || ike == NULL || ike->state != IKE_HEIR ||
	    ike->want_delete)
		return;
	inherit(w, old, ike);
	/* it may not have our reply, nor know the new one, until it is heard there */
	ike->unproven = 1;
	/* the asker deletes the old one; if it forgets, we do */
	old->drop_at = mono_add_ms(w->now, FORGOT_MS);
}

void
rekey_ike_used(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*old = ike_get(w, ike->replaces);

	if (ike->state == IKE_HEIR && old != NULL && old->theirs == ike->id)
		rekey_ike_yield(w, old);
	ike->unproven = 0;
}

void
rekey_ike_settled(struct world *w, const struct ike_sa *ike)
{
	struct ike_sa	*old = ike_get(w, ike->replaces);

	if (ike->state != IKE_HEIR || old == NULL || old->theirs != ike->id)
		return;
	old->theirs = 0;
	if (old->state != IKE_REPLACED)
		return;
	old->want_delete = 1;
	touch_ike(w, old);
}

/* We have our answer: whose heir is it? */
static void
choose(struct world *w, struct ike_sa *old, struct ike_sa *ike, struct span ni,
    struct span nr)
{
	struct ike_sa	*theirs = ike_get(w, old->theirs);
	uint8_t		 low[NONCE_LEN];

	old->mine = ike->id;
	nonce_lower(ni, nr, low);
	touch_ike(w, ike);
	if (old->state == IKE_UP && theirs == NULL) {
		inherit(w, old, ike);
		old->want_delete = 1;
	} else if (old->state != IKE_UP || memcmp(low, old->low_theirs, NONCE_LEN) < 0) {
		log_debug(w->log, "tunnel \"%s\": both rekeyed the IKE SA at once; ours "
		    "goes", peer_name(w, ike->c.peer));
		ike->want_delete = 1;
		rekey_ike_yield(w, old);
	} else {
		inherit(w, old, ike);
		/* the peer may not have compared yet */
		ike->quiet_until = mono_add_ms(w->now, 1000);
		theirs->drop_at = mono_add_ms(w->now, REDUNDANT_MS);
		touch_ike(w, theirs);
		old->drop_at = mono_add_ms(w->now, LAST_MS);
	}
}

/* Keys of the new SA from the old one's SK_d (2.18). */
static int
derive(struct world *w, const struct ike_sa *old, struct ike_sa *ike, struct ke *ke,
    struct span pub, struct span ni, struct span nr)
{
	uint8_t		secret[KE_MAXSECRET];
	size_t		n = sizeof(secret);
	struct span	s;
	int		r;

	if (ke_derive(w->crypto, ke, pub, secret, &n) == -1)
		return (-1);
	s.p = secret;
	s.len = n;
	r = ike_keys_derive(w->crypto, &ike->c.suite, s, ni, nr, ike->c.spii,
	    ike->c.spir, &old->c.keys, &ike->c.keys);
	crypto_wipe(secret, sizeof(secret));
	return (r);
}

/* ---- initiator */

static int
send_rekey(struct world *w, struct ike_sa *ike)
{
	struct nego	*n = ike->nego;
	uint8_t		 inner[MSG_MAX / 2];
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_sa(&e, &n->offered);
	wire_put_nonce(&e, n->ni, NONCE_LEN);
	wire_put_ke(&e, n->group, ke_public(n->ke).p, ke_public(n->ke).len);
	if (wire_end(&e) == -1)
		return (-1);
	return (ike_request(w, ike, X_CREATE_CHILD_SA, TASK_REKEY_IKE, e.first, inner,
	    b.len));
}

int
rekey_ike_start(struct world *w, struct ike_sa *ike)
{
	struct nego	*n;

	ike->want_rekey = 0;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (-1);
	nego_free(w, ike->nego);
	ike->nego = n;
	world_random(w, n->ni, NONCE_LEN);
	/* the group that worked is likely to work again */
	n->group = ike->c.suite.ke;
	if (slot_new(w, &n->spi, &n->slot) == -1 ||
	    offer_ike(w, ike->c.peer, n->spi, &n->offered) == -1 ||
	    (!offer_has_group(&n->offered, n->group) &&
	    (n->group = offer_group(&n->offered)) == KE_NONE) ||
	    offer_nego_ke(w, n, n->group) == -1 || send_rekey(w, ike) == -1) {
		nego_free(w, ike->nego);
		ike->nego = NULL;
		return (-1);
	}
	return (0);
}

static int
other_group(struct world *w, struct ike_sa *ike, const struct wire_notify *e)
{
	struct nego	*n = ike->nego;
	struct rbuf	 r;
	uint16_t	 group;

	rbuf_init(&r, e->data.p, e->data.len);
	group = rbuf_u16(&r);
	if (!rbuf_ok(&r) || e->data.len != 2 || n->tries++ >= 3 || group == n->group ||
	    group == KE_NONE || !offer_has_group(&n->offered, group) ||
	    offer_nego_ke(w, n, group) == -1)
		return (0);
	return (send_rekey(w, ike) == 0);
}

/* Soon enough to try some more times before the lifetime is over. */
static void
later(struct world *w, struct ike_sa *ike, const char *why)
{
	int64_t	ms = mono_diff_us(ike->expire_at, w->now) / 4000;

	if (ms > 20000)
		ms = 20000;
	if (ms < 500)
		ms = 500;
	/* each side at another distance: both at once refuse each other */
	ike->rekey_at = mono_add_ms(w->now, world_jitter(w, ike->c.initiator ? ms : 2 * ms,
	    40));
	ike->want_rekey = 0;
	log_event(w->log, WHY_REKEY,
	    "tunnel \"%s\": rekeying the IKE SA failed: %s; trying again",
	    peer_name(w, ike->c.peer), why);
}

static const char *
take_answer(struct world *w, struct ike_sa *old, const struct wire_msg *m)
{
	const uint64_t	 need = WIRE_HAS(P_SA) | WIRE_HAS(P_NONCE) | WIRE_HAS(P_KE);
	struct nego	*n = old->nego;
	struct span	 ni = { n->ni, NONCE_LEN };
	struct suite	 s;
	struct ike_sa	*ike;

	if ((m->has & need) != need)
		return ("payloads are missing");
	if (proposal_verify(&n->offered, &m->sa, &s) == -1 || s.ke != n->group ||
	    m->ke_group != n->group || m->sa.p[0].spi == 0 ||
	    nonce_short(m->nonce, s.prf))
		return ("the answer does not fit the offer");
	if ((ike = ike_successor(w, old)) == NULL)
		return ("out of memory");
	ike->c.initiator = 1;
	ike->c.slot = n->slot;
	ike->c.spii = n->spi;
	ike->c.spir = m->sa.p[0].spi;
	ike->c.suite = s;
	n->spi = 0;		/* the slot is the SA's now */
	slot_bind(w, ike->c.slot, ike->id, 0);
	if (derive(w, old, ike, n->ke, m->ke, ni, m->nonce) == -1) {
		ike_free(w, ike);
		/* who sends one has lost its way: RFC 6989 2.5 */
		old->want_delete = 1;
		return ("the key exchange value is not acceptable");
	}
	choose(w, old, ike, ni, m->nonce);
	return (NULL);
}

void
rekey_ike_response(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_notify	*e = wire_error(rx->m);
	const char			*why;

	ike->task = TASK_NONE;
	if (ike->nego == NULL)
		return;
	/* not again where the peer's own rekey has gone through */
	if (e != NULL && e->type == N_INVALID_KE_PAYLOAD && ike->theirs == 0 &&
	    other_group(w, ike, e))
		return;
	why = e != NULL ? wire_notify_name(e->type) : take_answer(w, ike, rx->m);
	if (why != NULL)
		rekey_ike_yield(w, ike);
	if (why != NULL && ike->state == IKE_UP)
		later(w, ike, why);
	nego_free(w, ike->nego);
	ike->nego = NULL;
	touch_ike(w, ike);
}

/* ---- responder */

static void
answer_error(struct world *w, struct ike_sa *ike, uint16_t type, const void *p, size_t n)
{
	reply_rewind(ike->pend);
	ike->pend->fatal = type == N_INVALID_SYNTAX;
	wire_put_notify(&ike->pend->enc, PROTO_NONE, 0, 0, type, p, n);
	reply_finish(w, ike);
}

/* Closing or closed, or busy with a Child: 2.25.1, 2.25.2. */
static int
busy(const struct world *w, const struct ike_sa *ike)
{
	struct child_sa	*c;
	said		 id;

	if (ike->state != IKE_UP || ike->want_delete || w->stopping ||
	    ike->task == TASK_CREATE || ike->task == TASK_REKEY_CHILD ||
	    ike->task == TASK_MOVE_CHILD || ike->task == TASK_DELETE_CHILD || ike->task == TASK_UPDATE ||
	    ike->task == TASK_VERIFY || ike->mob.want_update ||
	    ike_get(w, ike->theirs) != NULL)
		return (1);
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->state == CHILD_INSTALLING)
			return (1);
	return (0);
}

static struct ike_sa *
respond(struct world *w, struct ike_sa *old, const struct wire_msg *m,
    struct proposal *chosen, const struct suite *s)
{
	struct pend	*p = old->pend;
	struct ike_sa	*ike;
	struct ke	*ke;
	uint8_t		 nr[NONCE_LEN];
	struct span	 nrs = { nr, sizeof(nr) };
	int		 r;

	if ((ike = ike_successor(w, old)) == NULL)
		return (NULL);
	if (slot_new(w, &ike->c.spir, &ike->c.slot) == -1) {
		ike_free(w, ike);
		return (NULL);
	}
	slot_bind(w, ike->c.slot, ike->id, 0);
	ike->c.spii = chosen->spi;
	ike->c.suite = *s;
	world_random(w, nr, sizeof(nr));
	chosen->spi = ike->c.spir;
	ke = offer_ke(w, s->ke);
	r = ke == NULL ? -1 : derive(w, old, ike, ke, m->ke, m->nonce, nrs);
	if (r == -1) {
		ke_free(ke);
		ike_free(w, ike);
		return (NULL);
	}
	nonce_lower(m->nonce, nrs, old->low_theirs);
	old->theirs = ike->id;
	wire_put_sa1(&p->enc, chosen);
	wire_put_nonce(&p->enc, nr, sizeof(nr));
	wire_put_ke(&p->enc, s->ke, ke_public(ke).p, ke_public(ke).len);
	ke_free(ke);
	return (ike);
}

void
rekey_ike_request(struct world *w, struct ike_sa *old, const struct rx *rx)
{
	const struct wire_msg	*m = rx->m;
	const uint64_t		 need = WIRE_HAS(P_SA) | WIRE_HAS(P_NONCE) |
	    WIRE_HAS(P_KE);
	struct proposals	 ours;
	struct proposal		 chosen;
	struct suite		 s;
	struct ike_sa		*ike;
	struct wbuf		 b;
	uint8_t			 group[2];

	reply_mark(old->pend);
	if ((m->has & need) != need) {
		answer_error(w, old, N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	if (busy(w, old) || !world_allow(w, &old->rekeys, REKEYS_MAX, REKEYS_MS)) {
		answer_error(w, old, N_TEMPORARY_FAILURE, NULL, 0);
		return;
	}
	if (offer_ike(w, old->c.peer, 0, &ours) == -1 ||
	    proposal_choose(&m->sa, &ours, m->ke_group, 0, &chosen, &s) == -1 ||
	    chosen.spilen != 8 || chosen.spi == 0) {
		answer_error(w, old, N_NO_PROPOSAL_CHOSEN, NULL, 0);
		return;
	}
	if (nonce_short(m->nonce, s.prf)) {
		answer_error(w, old, N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	if (s.ke != m->ke_group) {
		wbuf_init(&b, group, sizeof(group));
		wbuf_u16(&b, s.ke);
		answer_error(w, old, N_INVALID_KE_PAYLOAD, group, sizeof(group));
		return;
	}
	if ((ike = respond(w, old, m, &chosen, &s)) == NULL) {
		answer_error(w, old, N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	/* both at once: which of both inherits is seen when our answer is here */
	if (old->task != TASK_REKEY_IKE)
		rekey_ike_yield(w, old);
	else
		ike->drop_at = mono_add_ms(w->now, GIVEUP_REQ + LAST_MS);
	touch_ike(w, ike);
	reply_finish(w, old);
}
