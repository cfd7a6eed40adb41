/* SPDX-License-Identifier: ISC */
/*
 * CREATE_CHILD_SA for Children (RFC 7296 1.3.1, 1.3.3, 2.8, 2.25): further ones, and
 * successors with or without a new key exchange.
 *
 * Both sides may rekey the same Child at once.  Then there are two successors,
 * and the one whose exchange used the lowest of the four nonces is
 * deleted by the side that asked for it; the other side deletes the old Child (2.8.1).
 */

#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define KE_TRIES	3	/* INVALID_KE_PAYLOAD in a row */
#define FIND_MAX	64	/* Children looked at */
#define TEMP_MS		180000	/* TEMPORARY_FAILURE in a row, then the IKE SA goes */
#define TEMP_MIN	500	/* between two of them */
#define REFUSALS	4	/* of a rekey, then a new IKE SA is tried */
#define CHILD_MAX	16	/* Children of one tunnel at once */

/* Random octets decide long before NONCE_LEN. */
void
nonce_lower(struct span a, struct span b, uint8_t out[NONCE_LEN])
{
	size_t	n = a.len < b.len ? a.len : b.len;
	int	c = memcmp(a.p, b.p, n);

	if (c > 0 || (c == 0 && b.len < a.len))
		a = b;
	memset(out, 0, NONCE_LEN);
	memcpy(out, a.p, a.len < NONCE_LEN ? a.len : NONCE_LEN);
}

/* ---- initiator */

static int
send_create(struct world *w, struct ike_sa *ike, const struct child_sa *old,
    enum task task)
{
	struct nego	*n = ike->nego;
	uint8_t		 inner[MSG_MAX / 2];
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	if (old != NULL)
		wire_put_notify(&e, PROTO_ESP, 4, old->spi_in, N_REKEY_SA, NULL, 0);
	child_put_notifies(&e, n->transport);
	wire_put_sa(&e, &n->offered);
	wire_put_nonce(&e, n->ni, NONCE_LEN);
	if (n->ke != NULL)
		wire_put_ke(&e, n->group, ke_public(n->ke).p, ke_public(n->ke).len);
	wire_put_ts(&e, P_TSI, &n->tsl);
	wire_put_ts(&e, P_TSR, &n->tsr);
	if (wire_end(&e) == -1)
		return (-1);
	return (ike_request(w, ike, X_CREATE_CHILD_SA, task, e.first, inner, b.len));
}

static struct nego *
nego_new(struct world *w, struct ike_sa *ike, uint32_t tunnel)
{
	struct nego	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	nego_free(w, ike->nego);
	ike->nego = n;
	n->spi_in = child_spi_new(w);
	n->transport = tunnel_conf(w, tunnel)->transport;
	world_random(w, n->ni, NONCE_LEN);
	if (offer_esp(w, tunnel, n->spi_in, 1, &n->offered) == -1)
		return (NULL);
	n->group = offer_group(&n->offered);
	if (n->group != KE_NONE && offer_nego_ke(w, n, n->group) == -1)
		return (NULL);
	return (n);
}

static void
nego_drop(struct world *w, struct ike_sa *ike)
{
	nego_free(w, ike->nego);
	ike->nego = NULL;
}

int
create_child_start(struct world *w, struct ike_sa *ike, uint32_t tunnel)
{
	struct nego	*n;

	/* an address is asked for in IKE_AUTH only */
	if (tunnel_conf(w, tunnel)->dyn == DYN_FROM && ike->leased != tunnel + 1) {
		ike->want_delete = 1;
		tunnel_hold(w, tunnel, WHY_NO_ADDRESS,
		    "this IKE SA gave us no address: making another");
		return (-1);
	}
	if (tunnel_conf(w, tunnel)->transport && child_natted(&ike->c)) {
		tunnel_hold(w, tunnel, WHY_MODE, NO_TRANSPORT);
		return (-1);
	}
	if ((n = nego_new(w, ike, tunnel)) == NULL) {
		nego_drop(w, ike);
		tunnel_hold(w, tunnel, WHY_OFFER,
		    "cannot make an offer for the Child SA: check "
		    "its childsa transforms against what the kernel can");
		return (-1);
	}
	child_offer_ts(w, ike, tunnel, &n->tsl, &n->tsr);
	if (send_create(w, ike, NULL, TASK_CREATE) == -1) {
		nego_drop(w, ike);
		tunnel_hold(w, tunnel, WHY_MEMORY, "out of memory");
		return (-1);
	}
	ike->task_tunnel = tunnel;
	w->tunnels[tunnel].queued = ike->id;
	return (0);
}

int
rekey_child_start(struct world *w, struct ike_sa *ike, struct child_sa *c)
{
	struct nego	*n;

	c->want_rekey = 0;
	if ((n = nego_new(w, ike, c->tunnel)) == NULL) {
		nego_drop(w, ike);
		c->quiet_until = mono_add_ms(w->now, backoff_ms(w, ++c->nfail));
		return (-1);
	}
	child_get_ts(c, &n->tsl, &n->tsr);
	if (send_create(w, ike, c, TASK_REKEY_CHILD) == -1) {
		nego_drop(w, ike);
		c->quiet_until = mono_add_ms(w->now, backoff_ms(w, ++c->nfail));
		return (-1);
	}
	ike->task_child = c->id;
	ike->task_tunnel = c->tunnel;
	return (0);
}

/* A successor on this IKE SA for one of a Child on another that goes.  The peer is not told
 * which it succeeds; with the same selectors, it knows. */
int
move_child_start(struct world *w, struct ike_sa *ike, struct child_sa *c)
{
	struct nego	*n;

	if ((n = nego_new(w, ike, c->tunnel)) != NULL) {
		child_get_ts(c, &n->tsl, &n->tsr);
		if (send_create(w, ike, NULL, TASK_MOVE_CHILD) == 0) {
			ike->task_child = c->id;
			ike->task_tunnel = c->tunnel;
			return (0);
		}
	}
	nego_drop(w, ike);
	ike->merge = 0;
	return (-1);
}

/* Again with the group the peer wants, if we offered it. 1: sent */
static int
other_group(struct world *w, struct ike_sa *ike, struct child_sa *old,
    const struct wire_notify *e, enum task task)
{
	struct nego	*n = ike->nego;
	struct rbuf	 r;
	uint16_t	 group;

	rbuf_init(&r, e->data.p, e->data.len);
	group = rbuf_u16(&r);
	if (!rbuf_ok(&r) || e->data.len != 2 || n->tries++ >= KE_TRIES ||
	    group == KE_NONE || group == n->group ||
	    !offer_has_group(&n->offered, group) ||
	    offer_nego_ke(w, n, group) == -1)
		return (0);
	world_random(w, n->ni, NONCE_LEN);
	return (send_create(w, ike, old, task) == 0);
}

/* Soon enough to try some more times before the lifetime of what is rekeyed is over (2.8),
 * and not both sides at the same distance, or they meet again. */
static int64_t
in_time(const struct world *w, const struct ike_sa *ike, const struct child_sa *old, int64_t ms)
{
	int64_t	left;

	if (old == NULL || old->expire_at.us == 0)
		return (ms);
	left = mono_diff_us(old->expire_at, w->now) / (ike->c.initiator ? 8000 : 4000);
	if (left < TEMP_MIN)
		left = TEMP_MIN;
	return (ms < left ? ms : left);
}

/* Nothing else is asked meanwhile either, and so the first of its Children to end counts. */
static const struct child_sa *
first_to_end(const struct world *w, const struct ike_sa *ike)
{
	const struct child_sa	*c, *first = NULL;
	said			 id;
	int			 n = 0;

	for (id = ike->children; n < FIND_MAX && (c = child_get(w, id)) != NULL;
	    id = c->next[L_IKE], n++)
		if (c->expire_at.us != 0 && (first == NULL ||
		    mono_before(c->expire_at, first->expire_at)))
			first = c;
	return (first);
}

/* The other side is busy: later again; for minutes is a reason to start afresh (2.25). */
static void
temporary(struct world *w, struct ike_sa *ike)
{
	int64_t	ms = ike->c.initiator ? 2000 : 6000;

	if (ike->ntemp == 0)
		ike->temp_since = w->now;
	if (ike->ntemp < UINT8_MAX)
		ike->ntemp++;
	ms = in_time(w, ike, first_to_end(w, ike), ms << (ike->ntemp < 5 ? (ike->ntemp - 1) / 2 : 2));
	ike->quiet_until = mono_add_ms(w->now, world_jitter(w, ms, 50));
	if (mono_before(w->now, mono_add_ms(ike->temp_since, TEMP_MS)))
		return;
	log_event(w->log, WHY_PEER_LIMIT,
	    "tunnel \"%s\": peer says TEMPORARY_FAILURE for too long: "
	    "deleting the IKE SA", peer_name(w, ike->c.peer));
	ike->want_delete = 1;
}

/* A peer may make the Child of IKE_AUTH and no other (RFC 7296 4): where the IKE SA has
 * none, it is of no more use, and a new one brings its Child with it. */
static void
no_more(struct world *w, struct ike_sa *ike)
{
	if (ike->nchildren > 0)
		return;
	log_event(w->log, WHY_PEER_LIMIT,
	    "tunnel \"%s\": the peer makes no further Child SA on this IKE SA: "
	    "deleting it", peer_name(w, ike->c.peer));
	ike->want_delete = 1;
}

/* One sixteenth of its life is left, or no more than the two exchanges of a new IKE SA
 * take, and one of them again. */
static int
near_its_end(const struct world *w, const struct ike_sa *ike, const struct child_sa *c)
{
	int64_t	life = mono_diff_us(c->expire_at, c->born);
	int64_t	far = 3000 * (int64_t)ike->c.rtt_ms, enough = life / 16;

	if (far > enough)
		enough = far < life / 4 ? far : life / 4;
	return (c->expire_at.us != 0 && mono_diff_us(c->expire_at, w->now) < enough);
}

/*
 * On this IKE SA there is no successor to be had: a new one brings it.  The old SAs go
 * when that has come up, so nothing breaks; when it does not, they end with their
 * lifetime (2.8).
 */
static void
afresh(struct world *w, struct child_sa *old)
{
	struct tunnel	*t = &w->tunnels[old->tunnel];
	struct peer	*p = &w->peers[t->peer];
	struct ike_sa	*ike;

	if (tunnel_conf(w, old->tunnel)->mode == MODE_PASSIVE || w->conf->passive ||
	    t->down || w->stopping || half_get(w, p->half) != NULL ||
	    mono_before(w->now, p->next_try) || sa_init_start(w, old->tunnel) == -1)
		return;
	log_event(w->log, WHY_ANEW, "tunnel \"%s\": starting a new IKE SA instead",
	    tunnel_conf(w, old->tunnel)->name);
	old->quiet_until = mono_add_ms(w->now, WANTED_MS);
	if ((ike = ike_get(w, old->ike)) != NULL)
		ike->worn = 1;
}

static void
rekey_refused(struct world *w, struct ike_sa *ike, struct child_sa *old, uint16_t type,
    const char *what)
{
	const struct conf_tunnel *t = tunnel_conf(w, old->tunnel);
	char		 mine[200];
	int		 esp = type == N_NO_PROPOSAL_CHOSEN;

	mine[0] = '\0';
	if (esp)
		(void)proposals_str(t->esp, mine, sizeof(mine));
	old->quiet_until = mono_add_ms(w->now, backoff_ms(w, ++old->nfail));
	tunnel_error(w, old->tunnel, WHY_REKEY, "rekeying failed: %s%s%s%s", type != 0 ?
	    "peer says " : "", what, esp ? ": \"childsa\" differs, its group (PFS) most "
	    "likely; ours is " : "", mine);
	log_event(w->log, WHY_REKEY, "tunnel \"%s\": %s", t->name,
	    w->tunnels[old->tunnel].error != NULL ? w->tunnels[old->tunnel].error : what);
	if (type == N_NO_ADDITIONAL_SAS || old->nfail >= REFUSALS || near_its_end(w, ike, old))
		afresh(w, old);
	touch_ike(w, ike);
}

/*
 * The peer had no such Child.  When it has rekeyed it too, at the same time, and so
 * well that the old one is gone there, this is no news (2.8.1).  Otherwise it has
 * lost it, and another one is made (2.25).
 */
static void
rekey_not_found(struct world *w, struct ike_sa *ike, struct child_sa *old)
{
	uint32_t	t = old->tunnel;

	if (child_live(w, old->theirs) != NULL) {
		(void)child_hand_over(w, old);
		child_gone(w, old, WHY_NONE, NULL);
		return;
	}
	child_remove(w, old, WHY_PEER_LOST, "the peer had lost the Child SA");
	if (child_of_tunnel(w, t) == NULL && !w->tunnels[t].down && !w->stopping &&
	    ike->state == IKE_UP && !ike->want_delete)
		(void)create_child_start(w, ike, t);
}

static void
rekey_error(struct world *w, struct ike_sa *ike, struct child_sa *old, uint16_t type)
{
	if (type == N_CHILD_SA_NOT_FOUND)
		rekey_not_found(w, ike, old);
	else if (type != N_TEMPORARY_FAILURE)
		rekey_refused(w, ike, old, type, wire_notify_name(type));
	else if (child_live(w, old->theirs) == NULL) {
		/* unless it is closing it because it has rekeyed it */
		old->want_rekey = 1;
		temporary(w, ike);
		if (near_its_end(w, ike, old))
			afresh(w, old);
	}
}

static void
rekey_response(struct world *w, struct ike_sa *ike, struct child_sa *old,
    const struct wire_msg *m)
{
	const struct wire_notify	*e = wire_error(m);
	struct nego			*n = ike->nego;
	struct span			 ni = { n->ni, NONCE_LEN };
	struct child_sa			*c;
	const char			*why;

	/* not again where the peer's own rekey has gone through */
	if (e != NULL && child_live(w, old->theirs) != NULL &&
	    e->type == N_INVALID_KE_PAYLOAD)
		return;
	if (e != NULL && e->type == N_INVALID_KE_PAYLOAD &&
	    other_group(w, ike, old, e, TASK_REKEY_CHILD)) {
		ike->task_child = old->id;
		ike->task_tunnel = old->tunnel;
		return;
	}
	if (e != NULL) {
		rekey_error(w, ike, old, e->type);
		return;
	}
	ike->ntemp = 0;
	if ((c = child_accept(w, ike, m, n, old->tunnel, ni, m->nonce, old, 0,
	    &why)) == NULL) {
		rekey_refused(w, ike, old, 0, why);
		ike->orphan_spi = n->spi_in;
		return;
	}
	old->mine = c->id;
	nonce_lower(ni, m->nonce, old->low_mine);
	/* by command, while the answer was on its way */
	c->want_delete = w->tunnels[old->tunnel].down;
}

/* The Child stays where it is when that comes to nothing, and so does its IKE SA: a peer may
 * make one Child for each, and no more. */
static void
move_response(struct world *w, struct ike_sa *ike, struct child_sa *old,
    const struct wire_msg *m)
{
	const struct wire_notify	*e = wire_error(m);
	struct nego			*n = ike->nego;
	struct span			 ni = { n->ni, NONCE_LEN };
	struct ike_sa			*from = ike_get(w, old->ike);
	struct child_sa			*c = NULL;
	const char			*why = e != NULL ? wire_notify_name(e->type) : "";

	if (e != NULL && e->type == N_INVALID_KE_PAYLOAD &&
	    other_group(w, ike, NULL, e, TASK_MOVE_CHILD)) {
		ike->task_child = old->id;
		ike->task_tunnel = old->tunnel;
		return;
	}
	if (e == NULL && (c = child_accept(w, ike, m, n, old->tunnel, ni, m->nonce, old, 0,
	    &why)) == NULL)
		ike->orphan_spi = n->spi_in;
	if (c != NULL) {
		old->mine = c->id;
		nonce_lower(ni, m->nonce, old->low_mine);
		c->want_delete = w->tunnels[old->tunnel].down;
		return;
	}
	/* not at once again */
	ike->merge = 0;
	log_debug(w->log, "tunnel \"%s\": its Child SA cannot go to the peer's other IKE SA: "
	    "%s", tunnel_conf(w, old->tunnel)->name, why);
	if (from != NULL && (e == NULL || e->type != N_TEMPORARY_FAILURE))
		from->twin = 0;
}

/*
 * The answer to a rekey whose Child is gone by now: the peer has deleted it.  Where it
 * has made a successor itself, or nobody wants the tunnel any more, ours is one
 * too many; else it is all there is.
 */
static void
rekey_late(struct world *w, struct ike_sa *ike, uint32_t i, const struct wire_msg *m)
{
	struct nego	*n = ike->nego;
	struct span	 ni = { n->ni, NONCE_LEN };
	struct child_sa	*c;
	const char	*why;
	said		 id;

	if (wire_error(m) != NULL)
		return;
	ike->orphan_spi = n->spi_in;
	if (i == NO_INDEX || w->tunnels[i].down || w->stopping || w->flushed)
		return;
	for (id = w->tunnels[i].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL])
		if (!c->want_delete && (c->state == CHILD_UP ||
		    c->state == CHILD_INSTALLING))
			return;
	if (child_accept(w, ike, m, n, i, ni, m->nonce, NULL, 0, &why) != NULL)
		ike->orphan_spi = 0;
}

/* It was asked for because of one packet: does it carry that one? */
static void
check_specific(struct world *w, uint32_t i, struct child_sa *c)
{
	struct tunnel	*t = &w->tunnels[i];
	char		 s[TS_STRLEN], d[TS_STRLEN];

	if (!t->specific || !t->has_acq || child_covers(c, &t->acq_src, &t->acq_dst))
		return;
	c->want_delete = 1;
	t->specific = 0;
	tunnel_hold(w, i, WHY_SELECTORS,
	    "the peer does not allow %s <-> %s: make its from and to mirror "
	    "ours", ts_str(&t->acq_src, s), ts_str(&t->acq_dst, d));
}

/* The pair that was asked for alone is there, or not to be had: then the others come
 * first, and it is asked for ever less often.  The tunnel is up all the same. */
static void
rest_done(struct world *w, uint32_t tunnel, int ok)
{
	struct tunnel	*t = &w->tunnels[tunnel];

	t->rest_at = t->rest;
	t->rest = 0;
	if (ok) {
		t->rest_tries = 0;
		return;
	}
	t->hold_until = MONO_NONE;
	if (t->rest_tries < 16)
		t->rest_tries++;
	t->rest_until = mono_add_ms(w->now, world_jitter(w, REST_FIRST <<
	    (t->rest_tries < 6 ? t->rest_tries : 6), 25));
}

static void
create_response(struct world *w, struct ike_sa *ike, uint32_t tunnel,
    const struct wire_msg *m)
{
	const struct wire_notify	*e = wire_error(m);
	struct nego			*n = ike->nego;
	struct span			 ni = { n->ni, NONCE_LEN };
	const char			*why;
	struct child_sa			*c;
	int				 rest;

	if (e != NULL && e->type == N_INVALID_KE_PAYLOAD &&
	    other_group(w, ike, NULL, e, TASK_CREATE)) {
		ike->task_tunnel = tunnel;
		return;
	}
	if (w->tunnels[tunnel].queued == ike->id)
		w->tunnels[tunnel].queued = 0;
	rest = w->tunnels[tunnel].rest != 0;
	touch_tunnel(w, tunnel);
	if (e == NULL) {
		if ((c = child_accept(w, ike, m, n, tunnel, ni, m->nonce, NULL, 0,
		    &why)) != NULL)
			check_specific(w, tunnel, c);
		else {
			tunnel_hold(w, tunnel, WHY_PEER_ANSWER,
			    "the peer's answer for the Child SA is "
			    "not acceptable: %s", why);
			ike->orphan_spi = n->spi_in;
		}
		ike->ntemp = 0;
		if (rest)
			rest_done(w, tunnel, c != NULL);
		return;
	}
	if (e->type == N_SINGLE_PAIR_REQUIRED && tunnel_single(w, tunnel))
		return;
	if (e->type == N_TEMPORARY_FAILURE)
		temporary(w, ike);
	else if (e->type == N_NO_ADDITIONAL_SAS)
		no_more(w, ike);
	child_refused(w, tunnel, n, e);
	if (rest)
		rest_done(w, tunnel, 0);
}

void
create_child_response(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct child_sa	*old;
	struct nego	*n = ike->nego;
	enum task	 task = ike->task;
	uint32_t	 tunnel = ike->task_tunnel;

	ike->task = TASK_NONE;
	ike->task_tunnel = NO_INDEX;
	if (n == NULL)
		return;
	if (task == TASK_REKEY_CHILD && (old = child_live(w, ike->task_child)) != NULL &&
	    old->tunnel != NO_INDEX)
		rekey_response(w, ike, old, rx->m);
	else if (task == TASK_MOVE_CHILD &&
	    (old = child_live(w, ike->task_child)) != NULL && old->tunnel != NO_INDEX)
		move_response(w, ike, old, rx->m);
	else if (task == TASK_REKEY_CHILD || task == TASK_MOVE_CHILD)
		rekey_late(w, ike, tunnel, rx->m);
	else if (task == TASK_CREATE && tunnel != NO_INDEX)
		create_response(w, ike, tunnel, rx->m);
	else if (wire_error(rx->m) == NULL)
		ike->orphan_spi = n->spi_in;
	/* unless it was sent again with another group */
	if (ike->task == TASK_NONE)
		nego_drop(w, ike);
	touch_ike(w, ike);
}

/* The peer's successor of the same Child as c, or NULL. */
static struct child_sa *
sibling(const struct world *w, const struct child_sa *c)
{
	struct child_sa	*x;
	said		 id;

	for (id = c->tunnel != NO_INDEX ? w->tunnels[c->tunnel].children : 0;
	    (x = child_get(w, id)) != NULL; id = x->next[L_TUNNEL])
		if (x->replaces == c->replaces && !x->initiated &&
		    (x->state == CHILD_INSTALLING || x->state == CHILD_UP))
			return (x);
	return (NULL);
}

/* The peer will delete it; if it does not, we do.  Until then it is taken for
 * nothing but what the peer still sends there, unless the other one goes. */
static void
too_many(struct world *w, struct child_sa *c)
{
	c->redundant = 1;
	c->drop_at = mono_add_ms(w->now, REDUNDANT_MS);
}

void
rekey_child_done(struct world *w, struct child_sa *c)
{
	struct child_sa	*old = child_live(w, c->replaces), *theirs;

	w->tally.rekeys++;
	if (old == NULL) {
		/* the peer has deleted it already: so its successor is the one */
		c->want_delete = sibling(w, c) != NULL;
		return;
	}
	theirs = child_live(w, old->theirs);
	if (theirs != NULL && memcmp(old->low_mine, old->low_theirs, NONCE_LEN) < 0) {
		log_debug(w->log, "tunnel \"%s\": both rekeyed at once; ours goes",
		    tunnel_conf(w, c->tunnel)->name);
		c->want_delete = 1;
		return;
	}
	if (theirs != NULL)
		too_many(w, theirs);
	old->want_delete = 1;
	old->state = old->state == CHILD_UP ? CHILD_REKEYED : old->state;
}

/* ---- responder */

static void
answer_error(struct world *w, struct ike_sa *ike, uint16_t type, uint8_t proto,
    uint32_t spi)
{
	reply_rewind(ike->pend);
	ike->pend->fatal = type == N_INVALID_SYNTAX;
	wire_put_notify(&ike->pend->enc, proto, proto != PROTO_NONE ? 4 : 0, spi,
	    type, NULL, 0);
	reply_finish(w, ike);
}

static int
crowded(const struct world *w, const struct ike_sa *ike)
{
	uint32_t	t, n = 0;

	/* each pair of selectors may have one */
	for (t = w->peers[ike->c.peer].tunnels; t != 0 && n < 4096;
	    t = w->tunnels[t - 1].next_of_peer)
		n += (uint32_t)tunnel_conf(w, t - 1)->from.n * tunnel_conf(w, t - 1)->to.n;
	return (ike->nchildren >= n * 4 + CHILD_MAX);
}

/* What stands against working on it now, or 0 (2.25). */
static uint16_t
not_now(const struct world *w, const struct ike_sa *ike, const struct child_sa *old)
{
	if (ike->state != IKE_UP || ike->want_delete || ike->task == TASK_REKEY_IKE)
		return (N_TEMPORARY_FAILURE);
	if (old != NULL && (old->want_delete || old->state != CHILD_UP))
		return (N_TEMPORARY_FAILURE);
	if (crowded(w, ike))
		return (N_NO_ADDITIONAL_SAS);
	return (0);
}

void
create_child_request(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_msg		*m = rx->m;
	const uint64_t			 need = WIRE_HAS(P_SA) | WIRE_HAS(P_NONCE) |
	    WIRE_HAS(P_TSI) | WIRE_HAS(P_TSR);
	const struct wire_notify	*re = wire_notify(m, N_REKEY_SA);
	struct child_sa			*old = NULL, *c;
	struct span			 nr;
	uint8_t				 nonce[NONCE_LEN];
	uint16_t			 err;

	/* it has a use for this IKE SA, whatever comes of it */
	ike->alone_at = MONO_NONE;
	rekey_ike_used(w, ike);
	if (m->sa.n > 0 && m->sa.p[0].proto == PROTO_IKE) {
		rekey_ike_request(w, ike, rx);
		return;
	}
	reply_mark(ike->pend);
	if ((m->has & need) != need || nonce_short(m->nonce, ike->c.suite.prf)) {
		answer_error(w, ike, N_INVALID_SYNTAX, PROTO_NONE, 0);
		return;
	}
	/* the SPI is the one the sender receives on (1.3.3); one we do not know may be of
	 * the reply to our own request */
	if (re != NULL && re->proto == PROTO_ESP && ike->nego != NULL &&
	    child_byout(w, ike, (uint32_t)re->spi) == NULL) {
		answer_error(w, ike, N_TEMPORARY_FAILURE, PROTO_NONE, 0);
		return;
	}
	if (re != NULL && (re->proto != PROTO_ESP || re->spilen != 4 ||
	    (old = child_byout(w, ike, (uint32_t)re->spi)) == NULL)) {
		answer_error(w, ike, N_CHILD_SA_NOT_FOUND, PROTO_ESP, (uint32_t)re->spi);
		return;
	}
	if ((err = not_now(w, ike, old)) != 0) {
		answer_error(w, ike, err, PROTO_NONE, 0);
		return;
	}
	world_random(w, nonce, sizeof(nonce));
	nr.p = nonce;
	nr.len = sizeof(nonce);
	if (!child_respond(w, ike, m, m->nonce, nr, old, 0)) {
		reply_finish(w, ike);
		return;
	}
	/* perhaps one on another IKE SA that goes */
	if ((c = child_get(w, ike->pend->child)) != NULL &&
	    (old = child_get(w, c->replaces)) != NULL) {
		old->theirs = c->id;
		nonce_lower(m->nonce, nr, old->low_theirs);
		w->tally.rekeys++;
	}
}
