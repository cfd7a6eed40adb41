/* SPDX-License-Identifier: ISC */
/*
 * The way of a datagram: cheap checks, decode, find the SA, allow-list, window,
 * open, decode what was inside, and then to the exchange it belongs to.
 */

#include <string.h>

#include "engine/engine_local.h"

#define BAD_MAX	200	/* altered IKE_AUTHs on one half-open SA, then it is deaf */

static void
drop(struct world *w)
{
	w->tally.rx_dropped++;
}

static void
bad(struct world *w)
{
	w->tally.rx_bad++;
}

/* 1 the first time within a minute that this address comes with IKEv1. */
static int
v1_first(struct engine *e, const struct addr *a)
{
	uint32_t	h = 0;
	size_t		i;

	for (i = 0; i < addr_len(a); i++)
		h = h * 31 + a->b[i];
	h %= V1_SEEN;
	if (addr_cmp(&e->v1[h].addr, a) == 0 &&
	    mono_before(e->w.now, e->v1[h].until))
		return (0);
	e->v1[h].addr = *a;
	e->v1[h].until = mono_add_ms(e->w.now, 60000);
	return (1);
}

/* For what is said of its tunnels; anybody could have sent it. */
static void
v1_note(struct world *w, const struct rx *rx)
{
	uint32_t	i = peer_first_addr(w, &rx->local.addr, &rx->remote.addr), n = 0, t;
	char		a[ADDR_STRLEN];

	addr_str(&rx->remote.addr, a);
	for (; i != NO_INDEX && n++ < KINDS_MAX;
	    i = peer_next_addr(w, i, &rx->local.addr, &rx->remote.addr)) {
		w->peers[i].v1 = 1;
		if ((t = w->peers[i].tunnels) != 0 && child_of_tunnel(w, t - 1) == NULL &&
		    !w->tunnels[t - 1].down)
			tunnel_error(w, t - 1, WHY_IKEV1, "peer %s calls with IKEv1; on RouterOS "
			    "set exchange-mode=ike2", a);
	}
}

/* A later major version is told ours, a few times a second at most (2.5).  IKEv1 could not
 * read that: a person is told. */
static void
other_version(struct engine *e, struct rx *rx)
{
	struct world	*w = &e->w;
	char		 a[ADDR_STRLEN];
	uint8_t		 v = 2;

	drop(w);
	if (rx->hdr.major == 1) {
		w->tally.ikev1++;
		/* many addresses at once are made up: not a line for each */
		if (v1_first(e, &rx->remote.addr) &&
		    world_allow(w, &w->b_ikev1, 10, 1000)) {
			log_event(w->log, WHY_IKEV1,
			    "peer %s: peer speaks IKEv1; on RouterOS set "
			    "exchange-mode=ike2", addr_str(&rx->remote.addr, a));
			v1_note(w, rx);
		}
	} else if (rx->hdr.major > 2 && (rx->hdr.flags & WIRE_F_RESPONSE) == 0 &&
	    world_allow(w, &w->b_version, 5, 1000))
		notify_plain(w, rx, N_INVALID_MAJOR_VERSION, &v, 1);
}

/* Our own message, sent back to us: the SPI where the sender's stands is one of ours. */
static int
is_ours(const struct world *w, const struct rx *rx)
{
	return (slot_find(w, rx->hdr.flags & WIRE_F_INITIATOR ? rx->hdr.spii :
	    rx->hdr.spir) != NULL);
}

static enum wire_err
decode_outer(struct world *w, struct rx *rx)
{
	enum wire_err	r;

	r = wire_decode(rx->hdr.next, rx->raw + WIRE_HDRLEN, rx->len - WIRE_HDRLEN,
	    WIRE_HDRLEN, w->msg, NULL);
	rx->m = w->msg;
	return (r);
}

/* Opens SK, or the last fragment that was missing, and decodes what is inside.
 * OPEN_DONE and *r, or why not (which is counted). */
static enum opened
open_inner(struct world *w, struct ike_core *c, int half, struct rx *rx,
    enum wire_err *r)
{
	enum opened	o = message_in(w, c, half, rx);

	if (o == OPEN_DONE)
		*r = wire_decode(rx->plainfirst, rx->plain, rx->plainlen, 0, w->msg,
		    NULL);
	else if (o == OPEN_BAD) {
		w->tally.undecrypted++;
		bad(w);
	} else if (o == OPEN_DROP)
		drop(w);
	return (o);
}

static int
is_sealed(const struct rx *rx)
{
	return ((rx->m->has & (WIRE_HAS(P_SK) | WIRE_HAS(P_SKF))) != 0);
}

/* A request that nobody sealed, or not all of it: such belong to no IKE SA (1.5). */
static int
maybe_oneway(const struct wire_hdr *h)
{
	return (h->exch == X_INFORMATIONAL && h->next == P_N && h->major == 2 &&
	    (h->flags & WIRE_F_RESPONSE) == 0);
}

/* The peer's word, outside of any IKE SA, that it does not know an SPI: its SPIs are zero
 * or made up.  A hint, and MUST NOT be answered, whatever is in it (1.5). */
static void
oneway(struct world *w, struct rx *rx)
{
	const struct wire_notify	*n;

	if (decode_outer(w, rx) != WIRE_OK) {
		bad(w);
		return;
	}
	drop(w);
	n = wire_error(rx->m);
	if (n != NULL && n->type == N_INVALID_SPI && !is_sealed(rx) &&
	    (rx->hdr.flags & WIRE_F_INITIATOR))
		hint_received(w, rx);
}

/* A request on an SA we do not have: so we say, seldom and unprotected (2.21.4). */
static void
unknown_spi(struct world *w, struct rx *rx)
{
	if (maybe_oneway(&rx->hdr)) {
		oneway(w, rx);
		return;
	}
	drop(w);
	if ((rx->hdr.flags & WIRE_F_RESPONSE) || rx->hdr.exch == X_IKE_SA_INIT ||
	    rx->hdr.exch == X_IKE_AUTH || is_ours(w, rx))
		return;
	/* its reply to our rekey was overtaken or lost: it will ask again */
	if (slot_reserved(w, rx->hdr.flags & WIRE_F_INITIATOR ? rx->hdr.spir :
	    rx->hdr.spii))
		return;
	if (world_allow(w, &w->b_spi, 10, 1000))
		notify_plain(w, rx, N_INVALID_IKE_SPI, NULL, 0);
}

/* Once more: the same octets, nothing is done again (2.1); but only to whom has the
 * keys, and to where it asks from (2.11). */
static void
say_again(struct world *w, struct ike_core *c, struct reply *r, const struct rx *rx)
{
	size_t	n;

	/* once for all the fragments of the request (7383 2.6.1) */
	if ((rx->m->has & WIRE_HAS(P_SKF)) && rx->m->frag_num != 1) {
		drop(w);
		return;
	}
	if (message_open(w, c, rx->raw, rx->m, &n) == -1) {
		w->tally.undecrypted++;
		bad(w);
		return;
	}
	if (r->again < FRAG_TRIES && ++r->again == FRAG_TRIES)
		fragment_smaller(w, c, &r->msg, &r->len);
	message_send_to(w, &rx->local, &rx->remote, r->msg, r->len);
}

/* ---- before AUTH */

static void
half_auth(struct world *w, struct ike_half *h, struct rx *rx, int response)
{
	enum wire_err	r;
	enum opened	o;
	char		a[ADDR_STRLEN];

	if (rx->hdr.msgid != 1 || !is_sealed(rx)) {
		drop(w);
		return;
	}
	if (h->state == HALF_REFUSED) {
		say_again(w, &h->c, &h->resp, rx);
		return;
	}
	if (h->nbad >= BAD_MAX) {
		bad(w);
		return;
	}
	if ((o = open_inner(w, &h->c, 1, rx, &r)) != OPEN_DONE) {
		h->nbad += o == OPEN_BAD;
		return;
	}
	(response ? w->tally.answered : w->tally.received)[exchange_kind(X_IKE_AUTH)]++;
	if (r != WIRE_OK) {
		bad(w);
		if (response)
			half_fail(w, h, WHY_PEER_ANSWER, "peer %s: its IKE_AUTH reply is malformed",
			    addr_str(&rx->remote.addr, a));
		else if (r == WIRE_CRITICAL)
			auth_refuse(w, h, N_UNSUPPORTED_CRITICAL_PAYLOAD,
			    &rx->m->critical, 1);
		else
			auth_refuse(w, h, N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	if (response)
		auth_response(w, h, rx);
	else
		auth_request(w, h, rx);
}

static void
to_half(struct world *w, struct ike_half *h, struct rx *rx)
{
	int	response = (rx->hdr.flags & WIRE_F_RESPONSE) != 0;

	if (!allow_half(h, rx->hdr.exch, response) ||
	    (h->c.initiator ? rx->hdr.spii != h->c.spii : rx->hdr.spir != h->c.spir)) {
		drop(w);
		return;
	}
	if (decode_outer(w, rx) != WIRE_OK) {
		bad(w);
		return;
	}
	if (rx->hdr.exch == X_IKE_SA_INIT) {
		if (rx->hdr.msgid == 0)
			sa_init_response(w, h, rx);
		else
			drop(w);
		return;
	}
	if (rx->hdr.spii != h->c.spii || rx->hdr.spir != h->c.spir) {
		drop(w);
		return;
	}
	half_auth(w, h, rx, response);
}

/* ---- after AUTH */

/* A fresh authentic message from elsewhere: the peer's NAT gave it another
 * address or port, and answers and ESP follow (2.23).  With MOBIKE the initiator says so
 * (RFC 4555 3.8). */
static void
follow(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct child_sa	*c;
	said		 id;
	char		 a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];

	if (endpoint_cmp(&ike->c.remote, &rx->remote) == 0 || !ike->c.natt_remote ||
	    ike->c.natt_local || ike->mob.on)
		return;
	log_event(w->log, WHY_NAT_MOVED,
	    "tunnel \"%s\": the peer's NAT moved it from %s to %s",
	    peer_name(w, ike->c.peer), endpoint_str(&ike->c.remote, a),
	    endpoint_str(&rx->remote, b));
	ike->c.remote = rx->remote;
	ike->c.local = rx->local;
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		child_follow(w, c, &rx->remote);
}

/* Well protected and yet unusable: the exchange is answered, and for bad
 * syntax the SA ends (2.21.3). */
static void
refuse_request(struct world *w, struct ike_sa *ike, const struct rx *rx,
    enum wire_err r)
{
	uint8_t	type = rx->m->critical;

	bad(w);
	log_event(w->log, WHY_PEER_ANSWER, "tunnel \"%s\": the peer's %s request is %s",
	    peer_name(w, ike->c.peer), wire_exchange_name(rx->hdr.exch),
	    r == WIRE_CRITICAL ? "not supported (critical payload)" : "malformed");
	if (r == WIRE_CRITICAL)
		wire_put_notify(&ike->pend->enc, PROTO_NONE, 0, 0,
		    N_UNSUPPORTED_CRITICAL_PAYLOAD, &type, 1);
	else {
		wire_put_notify(&ike->pend->enc, PROTO_NONE, 0, 0, N_INVALID_SYNTAX,
		    NULL, 0);
		ike->pend->fatal = 1;
	}
	reply_finish(w, ike);
}

/* Fragments wait for the rest, and not for ever. */
static void
waits(struct world *w, struct ike_sa *ike, enum opened o)
{
	if (o == OPEN_WAIT)
		touch_ike(w, ike);
}

static void
ike_request_in(struct world *w, struct ike_sa *ike, struct rx *rx)
{
	enum wire_err	r;
	enum opened	o;

	if (ike->resp.msg != NULL && rx->hdr.msgid == ike->resp.msgid) {
		say_again(w, &ike->c, &ike->resp, rx);
		return;
	}
	/* ids do not wrap: what came with 0 is not to come again (2.2) */
	if (rx->hdr.msgid != ike->msgid_in || rx->hdr.msgid == UINT32_MAX ||
	    ike->pend != NULL || ike->state == IKE_FINISHING ||
	    rx->hdr.exch == X_IKE_AUTH) {
		drop(w);
		return;
	}
	if ((o = open_inner(w, &ike->c, 0, rx, &r)) != OPEN_DONE) {
		waits(w, ike, o);
		return;
	}
	w->tally.received[exchange_kind(rx->hdr.exch)]++;
	liveness_heard(w, ike, 0);
	follow(w, ike, rx);
	if (reply_begin(w, ike, rx->hdr.exch, rx->hdr.msgid) == -1)
		return;
	ike->pend->local = rx->local;
	ike->pend->remote = rx->remote;
	if (r != WIRE_OK)
		refuse_request(w, ike, rx, r);
	else if (rx->hdr.exch == X_CREATE_CHILD_SA)
		create_child_request(w, ike, rx);
	else
		informational_request(w, ike, rx);
}

static void
ike_response_in(struct world *w, struct ike_sa *ike, struct rx *rx)
{
	enum wire_err	r;
	enum opened	o;
	enum task	t = ike->task;

	if (ike->req.msg == NULL || rx->hdr.msgid != ike->req.msgid ||
	    rx->hdr.exch != (t == TASK_CREATE || t == TASK_REKEY_CHILD ||
	    t == TASK_MOVE_CHILD || t == TASK_REKEY_IKE ? X_CREATE_CHILD_SA : X_INFORMATIONAL)) {
		drop(w);
		return;
	}
	if ((o = open_inner(w, &ike->c, 0, rx, &r)) != OPEN_DONE) {
		waits(w, ike, o);
		return;
	}
	w->tally.answered[exchange_kind(rx->hdr.exch)]++;
	liveness_heard(w, ike, 1);
	message_rtt(w, &ike->c, ike->req.first);
	follow(w, ike, rx);
	if (ike->mob.on)
		mobike_path(w, ike, rx);
	outreq_clear(w, &ike->req);
	if (r != WIRE_OK) {
		bad(w);
		ike_dead(w, ike, WHY_PEER_ANSWER, "the peer's reply is malformed");
		return;
	}
	switch (t) {
	case TASK_CREATE:
	case TASK_REKEY_CHILD:
	case TASK_MOVE_CHILD:
		create_child_response(w, ike, rx);
		break;
	case TASK_REKEY_IKE:
		rekey_ike_response(w, ike, rx);
		break;
	default:
		informational_response(w, ike, rx);
		break;
	}
}

/* Not protected: a hint at most, and only from where the peer is (2.21.4). */
static void
unprotected(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_notify	*n = wire_error(rx->m);

	drop(w);
	if (n != NULL && addr_cmp(&rx->remote.addr, &ike->c.remote.addr) == 0 &&
	    (rx->hdr.flags & WIRE_F_RESPONSE))
		liveness_hint(w, ike, wire_notify_name(n->type), HINT_NOTIFY);
}

static void
to_ike(struct world *w, struct ike_sa *ike, struct rx *rx)
{
	int	response = (rx->hdr.flags & WIRE_F_RESPONSE) != 0;

	if (rx->hdr.spii != ike->c.spii || rx->hdr.spir != ike->c.spir ||
	    !allow_ike(ike, rx->hdr.exch, response)) {
		drop(w);
		return;
	}
	if (decode_outer(w, rx) != WIRE_OK) {
		bad(w);
		return;
	}
	if (!is_sealed(rx))
		unprotected(w, ike, rx);
	else if (response)
		ike_response_in(w, ike, rx);
	else
		ike_request_in(w, ike, rx);
}

static void
init_request_in(struct world *w, struct rx *rx)
{
	switch (decode_outer(w, rx)) {
	case WIRE_OK:
		sa_init_request(w, rx);
		break;
	case WIRE_CRITICAL:
		bad(w);
		if (world_allow(w, &w->b_version, 5, 1000))
			notify_plain(w, rx, N_UNSUPPORTED_CRITICAL_PAYLOAD,
			    &rx->m->critical, 1);
		break;
	default:
		bad(w);
		break;
	}
}

void
dispatch(struct engine *e, const struct endpoint *local,
    const struct endpoint *remote, int natt, const uint8_t *p, size_t len)
{
	struct world		*w = &e->w;
	const struct slot	*s;
	struct ike_half		*h;
	struct ike_sa		*ike;
	struct rx		 rx;

	w->tally.rx++;
	memset(&rx, 0, sizeof(rx));
	rx.local = *local;
	rx.remote = *remote;
	rx.natt = (uint8_t)(natt != 0);
	rx.raw = p;
	rx.len = len;
	/* with one exception SPIi is never zero (3.1) */
	if (wire_hdr_decode(p, len, &rx.hdr) == -1 || (rx.hdr.spii == 0 &&
	    (rx.hdr.spir != 0 || !maybe_oneway(&rx.hdr)))) {
		bad(w);
		return;
	}
	if (rx.hdr.major != 2) {
		other_version(e, &rx);
		return;
	}
	if (rx.hdr.exch == X_IKE_SA_INIT && (rx.hdr.flags & WIRE_F_RESPONSE) == 0) {
		/* SPIr comes with the answer; a message id is 0 there (2.2) */
		if ((rx.hdr.flags & WIRE_F_INITIATOR) == 0 || rx.hdr.spir != 0 ||
		    rx.hdr.msgid != 0 || is_ours(w, &rx))
			drop(w);
		else
			init_request_in(w, &rx);
		return;
	}
	/* the sender's role tells which of the SPIs is ours (3.1) */
	s = slot_find(w, rx.hdr.flags & WIRE_F_INITIATOR ? rx.hdr.spir : rx.hdr.spii);
	if (s == NULL)
		unknown_spi(w, &rx);
	else if (s->half && (h = half_get(w, s->owner)) != NULL &&
	    h->c.initiator == !(rx.hdr.flags & WIRE_F_INITIATOR))
		to_half(w, h, &rx);
	else if (!s->half && (ike = ike_get(w, s->owner)) != NULL &&
	    ike->c.initiator == !(rx.hdr.flags & WIRE_F_INITIATOR))
		to_ike(w, ike, &rx);
	else
		drop(w);
}
