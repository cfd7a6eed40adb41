/* SPDX-License-Identifier: ISC */
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.16): both sides prove who they are, and the
 * first Child SA is made.  AUTH itself is computed by the keys process; here are
 * only the octets it goes over.
 *
 *	initiator: sign -> request -> reply -> verify -> SA -> Child
 *	responder: request -> verify -> SA -> sign -> Child in the kernel -> reply
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define IKES_MAX	8	/* IKE SAs of one peer, besides a new one */
#define OLD_MS		100	/* from the refused new secret to the old one */

/* prf(SK_p, ID body) of one side (2.15). */
static int
macid(struct world *w, const struct ike_core *c, int initiator, struct span body,
    uint8_t out[PRF_MAXLEN])
{
	struct span	key;

	key.p = initiator ? c->keys.pi : c->keys.pr;
	key.len = prf_len(c->suite.prf);
	return (prf(w->crypto, c->suite.prf, key, &body, 1, out));
}

static int
ask_keys(struct world *w, const struct ike_core *c, const struct init_data *d,
    enum job_kind kind, said owner, int half, int initiator, struct span idbody,
    uint8_t method, struct span auth, uint64_t *token)
{
	struct keys_req	 q;
	struct job	*j;
	uint8_t		 mac[PRF_MAXLEN];

	memset(&q, 0, sizeof(q));
	if (macid(w, c, initiator, idbody, mac) == -1 ||
	    (j = job_new(w, kind, owner, half)) == NULL)
		return (-1);
	q.token = *token = j->token;
	q.gen = w->conf->gen;
	q.peer = c->peer;
	q.op = kind == J_SIGN ? KEYS_SIGN : KEYS_VERIFY;
	q.initiator = (uint8_t)initiator;
	q.prf = c->suite.prf;
	q.method = method;
	q.old = c->initiator ? w->peers[c->peer].old : c->old;
	q.msg.p = initiator ? d->msg1 : d->msg2;
	q.msg.len = initiator ? d->len1 : d->len2;
	if (d->full) {
		q.other.p = initiator ? d->msg2 : d->msg1;
		q.other.len = initiator ? d->len2 : d->len1;
	}
	q.nonce.p = initiator ? d->nr : d->ni;
	q.nonce.len = initiator ? d->nrlen : d->nilen;
	q.macid.p = mac;
	q.macid.len = prf_len(c->suite.prf);
	q.auth = auth;
	w->fx.keys(w->fx.arg, &q);
	crypto_wipe(mac, sizeof(mac));
	return (0);
}

static int
sign(struct world *w, const struct ike_core *c, const struct init_data *d,
    said owner, int half, uint64_t *token)
{
	struct ident	id;
	struct span	body, none = { NULL, 0 };
	uint8_t		buf[4 + ID_MAXLEN];

	peer_local_id(w, c->peer, &c->local.addr, &id);
	body.p = buf;
	body.len = wire_id_body(&id, buf);
	return (ask_keys(w, c, d, J_SIGN, owner, half, c->initiator, body, AUTH_PSK,
	    none, token));
}

static int
verify(struct world *w, struct ike_half *h, const struct wire_msg *m)
{
	return (ask_keys(w, &h->c, h->init, J_VERIFY, h->id, 1, !h->c.initiator,
	    h->c.initiator ? m->idr_body : m->idi_body, m->auth_method, m->auth,
	    &h->job));
}

/* The held message again; it was well-formed when it was held. */
static int
decode_held(struct world *w, const struct held *h)
{
	return (wire_decode(h->first, h->plain, h->len, 0, w->msg, NULL) == WIRE_OK ?
	    0 : -1);
}

/* Its AUTH is of another kind than ours: not a question of secrets. */
static int
other_method(uint8_t method, char *dst, size_t len)
{
	if (method == AUTH_PSK)
		return (0);
	(void)snprintf(dst, len, "it proves itself with %s (AUTH method %u), not with a "
	    "pre-shared key: set it to one, equal to \"psk\" here",
	    method == AUTH_RSA || method == AUTH_DIGSIG || (method >= 9 && method <= 11) ?
	    "a certificate or raw key" : "something else", method);
	return (1);
}

static void
auth_failed(struct world *w, const struct ike_core *c, const struct ident *id)
{
	char	ids[ID_STRLEN];

	w->tally.auth_failed++;
	peer_refused(w, c->peer, NO_INDEX, &c->remote.addr, WHY_SECRET,
	    "AUTH does not verify: the secrets differ; make \"psk\" equal on both sides "
	    "(it is %s)", ident_str(id, ids));
}

/* ---- initiator */

int
auth_sign(struct world *w, struct ike_half *h)
{
	half_state(w, h, HALF_SIGNING);
	return (sign(w, &h->c, h->init, h->id, 1, &h->job));
}

/* A Child of this tunnel can be asked for now. */
static int
can_offer(struct world *w, uint32_t tunnel)
{
	struct proposals	ps;

	return (mono_reached(w->tunnels[tunnel].hold_until, w->now) &&
	    offer_esp(w, tunnel, 0, 0, &ps) == 0);
}

/*
 * The first Child's tunnel: the one that this began for, if it can still be asked for,
 * else another of the peer that is wanted.  1, or 0: there is none.  Then the IKE SA is
 * made without a Child if the peer can (RFC 6023), and Children come by CREATE_CHILD_SA
 * when their time comes: a backed-off tunnel, or a kernel that gets its module, does
 * not wait for another handshake.
 */
static int
first_tunnel(struct world *w, struct ike_half *h)
{
	uint32_t	t;

	if (can_offer(w, h->tunnel))
		return (1);
	for (t = w->peers[h->c.peer].tunnels; t != 0; t = w->tunnels[t - 1].next_of_peer)
		if (tunnel_wanted(w, t - 1) && can_offer(w, t - 1)) {
			h->tunnel = t - 1;
			return (1);
		}
	return (0);
}

static int
offer_first_child(struct world *w, struct ike_half *h, struct wire_enc *e)
{
	struct nego	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (-1);
	nego_free(w, h->nego);
	h->nego = n;
	n->spi_in = child_spi_new(w);
	if (offer_esp(w, h->tunnel, n->spi_in, 0, &n->offered) == -1)
		return (-1);
	n->transport = tunnel_conf(w, h->tunnel)->transport;
	child_offer_ts(w, NULL, h->tunnel, &n->tsl, &n->tsr);
	if (tunnel_conf(w, h->tunnel)->dyn == DYN_FROM)
		address_ask(w, h->tunnel, e);
	child_put_notifies(e, n->transport);
	wire_put_sa(e, &n->offered);
	wire_put_ts(e, P_TSI, &n->tsl);
	wire_put_ts(e, P_TSR, &n->tsr);
	return (0);
}

static int
send_auth(struct world *w, struct ike_half *h, const struct keys_ans *ans)
{
	uint8_t		 inner[MSG_MAX / 2], buf[MSG_MAX];
	struct wire_enc	 e;
	struct wbuf	 b;
	struct ident	 id;
	size_t		 n;

	if (tunnel_conf(w, h->tunnel)->transport && child_natted(&h->c)) {
		half_fail(w, h, WHY_MODE, NO_TRANSPORT);
		return (0);
	}
	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	peer_local_id(w, h->c.peer, &h->c.local.addr, &id);
	wire_put_id(&e, P_IDI, &id);
	/* we have forgotten whatever was before: once a peer and start (2.4) */
	if (!w->peers[h->c.peer].sent_ic && w->peers[h->c.peer].ikes == 0) {
		wire_put_notify(&e, PROTO_NONE, 0, 0, N_INITIAL_CONTACT, NULL, 0);
		h->ic = 1;
	}
	peer_remote_id(w, h->c.peer, &h->c.remote.addr, &id);
	if (id.type != ID_NONE)
		wire_put_id(&e, P_IDR, &id);
	wire_put_auth(&e, ans->method, ans->auth, ans->len);
	mobike_offer(w, &h->c, &e);
	if ((first_tunnel(w, h) || !h->c.childless) && offer_first_child(w, h, &e) == -1)
		return (-1);
	if (wire_end(&e) == -1)
		return (-1);
	n = message_seal(w, &h->c, X_IKE_AUTH, 0, 1, e.first, inner, b.len, buf);
	if (n == 0 || request_launch(w, &h->c, &h->req, 1, buf, n, GIVEUP_AUTH) == -1)
		return (-1);
	half_state(w, h, HALF_AUTH_SENT);
	return (0);
}

/*
 * While the secret is changed the peer may still have the old one alone: it is called with
 * that at once, and then with both in turns.
 */
static void
other_secret(struct world *w, struct ike_half *h, const char *addr)
{
	struct peer	*p = &w->peers[h->c.peer];
	int		 two = peer_conf(w, h->c.peer)->has_old;

	if (two)
		p->old = !p->old;
	half_fail(w, h, WHY_AUTH_REFUSED, "peer %s says AUTHENTICATION_FAILED: the secrets or "
	    "the identities differ; %s", addr, !two ? "make \"psk\" equal on both sides and check "
	    "srcid/dstid" : p->old ? "the next try is with the old secret" :
	    "neither of both secrets is the peer's, or check srcid/dstid");
	if (two && p->old)
		p->next_try = mono_add_ms(w->now, OLD_MS);
}

/* Errors instead of an IDr and AUTH: the peer does not want us. */
static void
auth_refused(struct world *w, struct ike_half *h, const struct wire_notify *n)
{
	char	a[ADDR_STRLEN];

	addr_str(&h->c.remote.addr, a);
	if (n == NULL)
		half_fail(w, h, WHY_PEER_ANSWER, "peer %s answers IKE_AUTH without IDr and AUTH", a);
	else if (n->type == N_AUTHENTICATION_FAILED) {
		w->tally.auth_failed++;
		other_secret(w, h, a);
	} else
		half_fail(w, h, WHY_PEER_ERROR, "peer %s says %s in IKE_AUTH", a,
		    wire_notify_name(n->type));
}

/* The peer believes the SA is there; tell it, and do not wait for an answer. */
static void
tell_refusal(struct world *w, struct ike_half *h)
{
	uint8_t		 inner[64], buf[MSG_MAX];
	struct wire_enc	 e;
	struct wbuf	 b;
	size_t		 n;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_notify(&e, PROTO_NONE, 0, 0, N_AUTHENTICATION_FAILED, NULL, 0);
	if (wire_end(&e) == -1)
		return;
	n = message_seal(w, &h->c, X_INFORMATIONAL, 0, 2, e.first, inner, b.len, buf);
	if (n > 0)
		message_send(w, &h->c, buf, n);
}

void
auth_response(struct world *w, struct ike_half *h, const struct rx *rx)
{
	const struct wire_msg	*m = rx->m;
	const uint64_t		 need = WIRE_HAS(P_IDR) | WIRE_HAS(P_AUTH);
	struct ident		 want;
	char			 a[ADDR_STRLEN], is[ID_STRLEN], ws[ID_STRLEN], why[200];

	message_rtt(w, &h->c, h->req.first);
	outreq_clear(w, &h->req);
	if ((m->has & need) != need) {
		auth_refused(w, h, wire_error(m));
		return;
	}
	peer_remote_id(w, h->c.peer, &h->c.remote.addr, &want);
	if (!ident_equal(&want, &m->idr)) {
		tell_refusal(w, h);
		half_fail(w, h, WHY_IDENTITY, "the peer's identity is %s, not %s: set its srcid or "
		    "our dstid", ident_str(&m->idr, is), ident_str(&want, ws));
		return;
	}
	if (other_method(m->auth_method, why, sizeof(why))) {
		w->tally.auth_failed++;
		tell_refusal(w, h);
		half_fail(w, h, WHY_AUTH_METHOD, "peer %s: %s", addr_str(&h->c.remote.addr, a), why);
		return;
	}
	half_state(w, h, HALF_CHECKING);
	if (held_set(&h->held, rx->plain, rx->plainlen, rx->plainfirst, 1) == -1 ||
	    verify(w, h, m) == -1)
		half_fail(w, h, WHY_MEMORY, "out of memory");
}

static void
first_child(struct world *w, struct ike_sa *ike, struct nego *n, uint32_t tunnel)
{
	const struct wire_msg		*m = w->msg;
	const struct wire_notify	*e;
	struct span			 ni = { ike->init->ni, ike->init->nilen };
	struct span			 nr = { ike->init->nr, ike->init->nrlen };
	const char			*why;

	if ((e = wire_error(m)) != NULL && e->type == N_SINGLE_PAIR_REQUIRED &&
	    tunnel_single(w, tunnel))
		return;
	if (e != NULL)
		child_refused(w, tunnel, n, e);
	else if (child_accept(w, ike, m, n, tunnel, ni, nr, NULL, 1, &why) == NULL) {
		tunnel_hold(w, tunnel, WHY_PEER_ANSWER,
		    "the peer's answer for the Child SA is not "
		    "acceptable: %s", why);
		/* the peer has it all the same */
		ike->orphan_spi = n->spi_in;
	}
}

/*
 * INITIAL_CONTACT says the peer has no other SA with us (2.4).  It is
 * authenticated, yet what it can do is bring the check of the others forward.
 */
static void
initial_contact(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*old = NULL;

	while ((old = ike_alike(w, ike, old)) != NULL) {
		/* both started at once: that one is as new as this one */
		if (!mono_before(old->established, ike->c.begun))
			continue;
		old->doubtful = 1;
		old->hint = HINT_INIT | HINT_NOTIFY;
		old->want_check = 1;
		touch_ike(w, old);
	}
}

/* A peer that makes one IKE SA after the other keeps the newest; the first to go is the
 * oldest that it has said, or seems, to have forgotten. */
static void
thin_out(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*old = NULL, *victim = NULL;
	int		 n = 0;

	while ((old = ike_alike(w, ike, old)) != NULL) {
		if (old->want_delete)
			continue;
		ike_twins(w, old);
		ike_twins(w, ike);
		touch_ike(w, old);
		if (old->state != IKE_UP)
			continue;
		n++;
		/* the list has the newest first */
		if (victim == NULL || old->doubtful || !victim->doubtful)
			victim = old;
	}
	if (n < IKES_MAX)
		return;
	log_event(w->log, WHY_SURPLUS,
	    "tunnel \"%s\": the peer has %d IKE SAs: the oldest is deleted",
	    peer_name(w, ike->c.peer), n);
	/* a question that is out has lost its sense */
	if (victim->task == TASK_CHECK) {
		outreq_clear(w, &victim->req);
		victim->task = TASK_NONE;
		victim->check_by = MONO_NONE;
	}
	victim->want_delete = 1;
	touch_ike(w, victim);
}

/* I: the peer is who it has to be. */
static void
established(struct world *w, struct ike_half *h, const struct job *j,
    const struct keys_ans *ans)
{
	struct nego	*n = h->nego;
	uint32_t	 tunnel = h->tunnel, peer = h->c.peer;
	uint8_t		 ic = h->ic;
	struct ike_sa	*ike;

	h->nego = NULL;
	if ((ike = ike_promote(w, h, j, ans)) == NULL) {
		nego_free(w, n);
		half_fail(w, h, WHY_MEMORY, "out of memory");
		return;
	}
	w->peers[peer].sent_ic |= ic;
	w->peers[peer].tries = 0;
	if (decode_held(w, &ike->held) == 0) {
		if ((ike->rid = malloc(sizeof(*ike->rid))) != NULL)
			*ike->rid = w->msg->idr;
		ike_named(w, ike);
		mobike_agree(w, ike, w->msg);
		if (wire_notify(w->msg, N_INITIAL_CONTACT) != NULL)
			initial_contact(w, ike);
		thin_out(w, ike);
		if (n != NULL)
			first_child(w, ike, n, tunnel);
		else
			log_event(w->log, WHY_CHILDLESS,
			    "tunnel \"%s\": the IKE SA is up, without a "
			    "Child SA so far", tunnel_conf(w, tunnel)->name);
	}
	nego_free(w, n);
	init_data_free(ike->init);
	ike->init = NULL;
	held_clear(&ike->held);
	touch_ike(w, ike);
	/* others may have waited for this, too */
	touch_peer(w, peer);
}

/* ---- responder */

/* A protected refusal; the half stays a while to say it again. */
void
auth_refuse(struct world *w, struct ike_half *h, uint16_t type, const void *data, size_t len)
{
	uint8_t		 inner[64], buf[MSG_MAX];
	struct wire_enc	 e;
	struct wbuf	 b;
	size_t		 n;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_notify(&e, PROTO_NONE, 0, 0, type, data, len);
	if (wire_end(&e) == -1)
		return;
	n = message_seal(w, &h->c, X_IKE_AUTH, 1, 1, e.first, inner, b.len, buf);
	if (n == 0 || reply_set(&h->resp, buf, n, 1) == -1) {
		half_free(w, h);
		return;
	}
	half_state(w, h, HALF_REFUSED);
	held_clear(&h->held);
	message_send(w, &h->c, buf, n);
}

/* 1: this peer, with these identities, may try; else a line has been said. */
static int
known_peer(struct world *w, struct ike_half *h, const struct wire_msg *m)
{
	struct ident	 id;
	uint32_t	 p, near;
	char		 is[ID_STRLEN], ws[ID_STRLEN], me[ID_STRLEN];
	const struct addr *a = &h->c.remote.addr;

	/* by address pair first, then by the type and value of IDi; secrets are never
	 * tried in turn */
	p = peer_byid(w, &h->c.local.addr, &h->c.remote.addr, &m->idi);
	if (p == NO_INDEX) {
		near = peer_first_addr(w, &h->c.local.addr, &h->c.remote.addr);
		if (near == NO_INDEX)
			return (0);
		peer_remote_id(w, near, a, &id);
		peer_refused(w, near, NO_INDEX, a, WHY_IDENTITY, "its identity is %s, we "
		    "want %s: set its srcid or our dstid", ident_str(&m->idi, is),
		    ident_str(&id, ws));
		return (0);
	}
	peer_local_id(w, p, &h->c.local.addr, &id);
	if ((m->has & WIRE_HAS(P_IDR)) && !ident_equal(&id, &m->idr)) {
		peer_refused(w, p, NO_INDEX, a, WHY_IDENTITY, "it wants to talk to %s, we "
		    "are %s: set its dstid or our srcid", ident_str(&m->idr, is),
		    ident_conf(&id, me));
		return (0);
	}
	if (!offer_allows(peer_conf(w, p)->ike, &h->c.suite)) {
		peer_refused(w, p, NO_INDEX, a, WHY_IKE_PROPOSAL, "\"ikesa\" of tunnel "
		    "\"%s\" does not allow what was agreed: make it equal to that of tunnel "
		    "\"%s\"", peer_name(w, p), peer_name(w, peer_first_addr(w,
		    &h->c.local.addr, a)));
		return (0);
	}
	if (peer_conf(w, p)->full && !h->init->full) {
		peer_refused(w, p, NO_INDEX, a, WHY_TRANSCRIPT, "it does not authenticate "
		    "the whole of IKE_SA_INIT, which \"fulltranscript\" of tunnel \"%s\" "
		    "wants: remove the word, or have the peer updated", peer_name(w, p));
		return (0);
	}
	h->c.peer = p;
	return (1);
}

void
auth_request(struct world *w, struct ike_half *h, const struct rx *rx)
{
	const struct wire_msg	*m = rx->m;
	const uint64_t		 child = WIRE_HAS(P_SA) | WIRE_HAS(P_TSI) | WIRE_HAS(P_TSR);
	uint64_t		 has = m->has & child;
	char			 a[ADDR_STRLEN], why[200];

	/* the initiator may have moved to the NAT-T port, and comes from where it
	 * comes from; an open message is the first proof of that */
	h->c.local = rx->local;
	init_hash_del(w, h);
	h->c.remote = rx->remote;
	init_hash_add(w, h);
	h->c.encap = (h->c.natt_local || h->c.natt_remote || h->c.natt_forced) && rx->natt;
	/* IKE_SA_INIT was our message that it answers */
	message_rtt(w, &h->c, h->since);
	if ((m->has & WIRE_HAS(P_IDI)) == 0 || (has != 0 && has != child)) {
		auth_refuse(w, h, N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	if ((m->has & WIRE_HAS(P_AUTH)) == 0) {
		log_event(w->log, WHY_AUTH_METHOD,
		    "a peer wants EAP, which is not supported: it has to "
		    "use a pre-shared key");
		auth_refuse(w, h, N_AUTHENTICATION_FAILED, NULL, 0);
		return;
	}
	if (!mobike_no_nat(rx)) {
		log_event(w->log, WHY_NAT,
		    "peer %s: UNEXPECTED_NAT_DETECTED: it wants no "
		    "NAT on the way, and there is one", addr_str(&rx->remote.addr, a));
		auth_refuse(w, h, N_UNEXPECTED_NAT_DETECTED, NULL, 0);
		return;
	}
	if (!known_peer(w, h, m)) {
		w->tally.auth_failed++;
		auth_refuse(w, h, N_AUTHENTICATION_FAILED, NULL, 0);
		return;
	}
	if (peer_conf(w, h->c.peer)->natt && !h->c.encap)
		log_event(w->log, WHY_NAT,
		    "tunnel \"%s\": ESP is not put in UDP: the peer has no NAT "
		    "traversal, or the first tunnel with its address has no \"natt\"",
		    peer_name(w, h->c.peer));
	if (other_method(m->auth_method, why, sizeof(why))) {
		w->tally.auth_failed++;
		peer_refused(w, h->c.peer, NO_INDEX, &h->c.remote.addr, WHY_AUTH_METHOD,
		    "%s", why);
		auth_refuse(w, h, N_AUTHENTICATION_FAILED, NULL, 0);
		return;
	}
	half_state(w, h, HALF_VERIFYING);
	if (held_set(&h->held, rx->plain, rx->plainlen, rx->plainfirst, 1) == -1 ||
	    verify(w, h, m) == -1)
		half_free(w, h);
}

/* R: the initiator is who it has to be; now it is our turn to prove it. */
static void
verified(struct world *w, struct ike_half *h, const struct job *j,
    const struct keys_ans *ans)
{
	struct ike_sa	*ike;

	h->c.old = ans->old;	/* it knows this one: our AUTH is made with it, too */
	if ((ike = ike_promote(w, h, j, ans)) == NULL) {
		half_free(w, h);
		return;
	}
	if (decode_held(w, &ike->held) == -1 ||
	    (ike->rid = malloc(sizeof(*ike->rid))) == NULL) {
		ike_remove(w, ike, WHY_NONE, NULL);
		return;
	}
	*ike->rid = w->msg->idi;
	ike_named(w, ike);
	if (wire_notify(w->msg, N_INITIAL_CONTACT) != NULL)
		initial_contact(w, ike);
	thin_out(w, ike);
	if (sign(w, &ike->c, ike->init, ike->id, 0, &ike->job) == -1)
		ike_remove(w, ike, WHY_NONE, NULL);
}

void
auth_kernel_ready(struct world *w, struct ike_sa *ike)
{
	init_data_free(ike->init);
	ike->init = NULL;
	held_clear(&ike->held);
	ike_state(w, ike, IKE_UP);
	ike->established = w->now;
	reply_finish(w, ike);
	touch_peer(w, ike->c.peer);
}

/* R: what the peer had with us before our start is gone, and its next message may
 * be on it: once a peer and start (2.4). */
static int
first_contact(struct world *w, const struct ike_sa *ike)
{
	struct peer	*p = &w->peers[ike->c.peer];

	if (p->sent_ic || ike->next != 0 || ike->prev != 0)
		return (0);
	p->sent_ic = 1;
	return (1);
}

/* R: our AUTH is there. */
static void
reply_auth(struct world *w, struct ike_sa *ike, const struct keys_ans *ans)
{
	struct ident	 id;
	struct span	 ni = { ike->init->ni, ike->init->nilen };
	struct span	 nr = { ike->init->nr, ike->init->nrlen };

	if (ans->ok != 1 || decode_held(w, &ike->held) == -1 ||
	    reply_begin(w, ike, X_IKE_AUTH, 1) == -1) {
		log_fault(w->log, WHY_KEYS, "tunnel \"%s\": keys cannot compute our AUTH",
		    peer_name(w, ike->c.peer));
		ike_remove(w, ike, WHY_KEYS, "keys cannot compute our AUTH");
		return;
	}
	peer_local_id(w, ike->c.peer, &ike->c.local.addr, &id);
	wire_put_id(&ike->pend->enc, P_IDR, &id);
	if (first_contact(w, ike))
		wire_put_notify(&ike->pend->enc, PROTO_NONE, 0, 0, N_INITIAL_CONTACT,
		    NULL, 0);
	wire_put_auth(&ike->pend->enc, ans->method, ans->auth, ans->len);
	mobike_agree(w, ike, w->msg);
	if (ike->mob.on)
		mobike_offer(w, &ike->c, &ike->pend->enc);
	reply_mark(ike->pend);
	if ((w->msg->has & WIRE_HAS(P_SA)) &&
	    child_respond(w, ike, w->msg, ni, nr, NULL, 1))
		return;
	auth_kernel_ready(w, ike);
}

/* ---- both */

static void
half_answer(struct world *w, struct ike_half *h, const struct job *j,
    const struct keys_ans *ans)
{
	struct ident	id;
	char		a[ADDR_STRLEN], ids[ID_STRLEN];

	h->job = 0;
	/* a verdict has no AUTH in it, a signature is one */
	if (ans->ok == 1 && (ans->len != 0) != (j->kind == J_SIGN)) {
		if (h->c.initiator)
			half_fail(w, h, WHY_KEYS, "keys have answered another question");
		else
			half_free(w, h);
		return;
	}
	if (j->kind == J_SIGN) {
		if (h->state == HALF_SIGNING && (ans->ok != 1 ||
		    send_auth(w, h, ans) == -1))
			half_fail(w, h, WHY_KEYS, ans->ok == 1 ? "out of memory" :
			    "keys have no secret for this peer");
		return;
	}
	if (ans->ok == 1) {
		if (h->c.initiator)
			established(w, h, j, ans);
		else
			verified(w, h, j, ans);
		return;
	}
	memset(&id, 0, sizeof(id));
	if (decode_held(w, &h->held) == 0)
		id = h->c.initiator ? w->msg->idr : w->msg->idi;
	if (!h->c.initiator) {
		auth_failed(w, &h->c, &id);
		auth_refuse(w, h, N_AUTHENTICATION_FAILED, NULL, 0);
		return;
	}
	tell_refusal(w, h);
	w->tally.auth_failed++;
	half_fail(w, h, WHY_SECRET, "peer %s: AUTH does not verify: the secrets differ; "
	    "make \"psk\" equal on both sides (it is %s)", addr_str(&h->c.remote.addr, a),
	    ident_str(&id, ids));
}

void
auth_answer(struct world *w, const struct job *j, const struct keys_ans *ans)
{
	struct ike_half	*h;
	struct ike_sa	*ike;

	if (j->half) {
		if ((h = half_get(w, j->owner)) != NULL && h->job == j->token)
			half_answer(w, h, j, ans);
	} else if ((ike = ike_get(w, j->owner)) != NULL && ike->job == j->token) {
		ike->job = 0;
		reply_auth(w, ike, ans);
	}
}
