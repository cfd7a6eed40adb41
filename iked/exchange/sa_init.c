/* SPDX-License-Identifier: ISC */
/*
 * IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.7, 2.23): keys are agreed with somebody,
 * nothing is believed yet.
 */

#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define RETRY_MAX	4	/* COOKIE and INVALID_KE_PAYLOAD answers, 2.6 */
#define COOKIE_MAX	64
#define INIT_MAX	8192	/* octets; keys takes no longer ones */

/*
 * What we can, in a notify without data.  SIGNATURE_HASH_ALGORITHMS is not among them: it
 * says which hashes may be signed (RFC 7427 4), and whoever sends it has to take
 * signatures.  A peer's is of no meaning as long as AUTH is made with a shared key.
 */
static void
put_can(struct wire_enc *e, uint16_t type)
{
	wire_put_notify(e, PROTO_NONE, 0, 0, type, NULL, 0);
}

static int
has_can(const struct rx *rx, uint16_t type)
{
	return (wire_notify(rx->m, type) != NULL);
}

static int
encode_request(struct world *w, struct ike_half *h, struct wbuf *b)
{
	const struct conf_peer	*p = peer_conf(w, h->c.peer);
	struct proposals	 ps;
	struct wire_hdr		 hdr;
	struct wire_enc		 e;
	struct span		 pub = ke_public(h->ke);

	memset(&hdr, 0, sizeof(hdr));
	hdr.spii = h->c.spii;
	hdr.major = 2;
	hdr.exch = X_IKE_SA_INIT;
	hdr.flags = WIRE_F_INITIATOR;
	wire_begin(&e, b, &hdr);
	if (h->cookie != NULL)
		wire_put_notify(&e, PROTO_NONE, 0, 0, N_COOKIE, h->cookie, h->cookielen);
	if (offer_ike(w, h->c.peer, 0, &ps) == -1)
		return (-1);
	wire_put_sa(&e, &ps);
	wire_put_ke(&e, h->group, pub.p, pub.len);
	wire_put_nonce(&e, h->init->ni, h->init->nilen);
	natd_put(w, &e, &h->c, &h->c.local, &h->c.remote, p->natt);
	if ((h->c.frag_said = w->conf->fragmentation))
		put_can(&e, N_IKEV2_FRAGMENTATION_SUPPORTED);
	h->init->full_said = 1;
	put_can(&e, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH);
	return (wire_end(&e));
}

/* RealMessage1 is the one sent last, cookie and changed KE included (2.15). */
static int
send_request(struct world *w, struct ike_half *h)
{
	uint8_t		 buf[MSG_MAX], *copy;
	struct wbuf	 b;
	monotime	 giveup = h->req.giveup;
	int		 again = h->req.msg != NULL;

	wbuf_init(&b, buf, sizeof(buf));
	if (encode_request(w, h, &b) == -1 || (copy = malloc(b.len)) == NULL)
		return (-1);
	memcpy(copy, buf, b.len);
	free(h->init->msg1);
	h->init->msg1 = copy;
	h->init->len1 = (uint32_t)b.len;
	if (request_launch(w, &h->c, &h->req, 0, buf, b.len, GIVEUP_INIT) == -1)
		return (-1);
	if (again)
		h->req.giveup = giveup;
	return (0);
}

static int
half_prepare(struct world *w, struct ike_half *h, uint32_t tunnel)
{
	const struct conf_peer	*p = peer_conf(w, h->c.peer);

	h->tunnel = tunnel;
	h->c.local.addr = p->local;
	h->c.local.port = w->port;
	h->c.remote.addr = p->remote;
	h->c.remote.port = 500;
	h->group = offer_group(p->ike);
	if ((h->init = calloc(1, sizeof(*h->init))) == NULL ||
	    (h->ke = offer_ke(w, h->group)) == NULL)
		return (-1);
	h->init->nilen = NONCE_LEN;
	world_random(w, h->init->ni, NONCE_LEN);
	return (0);
}

int
own_address(const struct world *w, const struct addr *a)
{
	uint32_t	i;

	for (i = 0; i < w->naddrs; i++)
		if (addr_cmp(&w->addrs[i], a) == 0)
			return (1);
	return (w->naddrs == 0 || addr_is_any(a));
}

int
sa_init_start(struct world *w, uint32_t tunnel)
{
	uint32_t	 peer = w->tunnels[tunnel].peer;
	struct ike_half	*h;
	struct proposals ps;
	char		 a[ADDR_STRLEN];

	if (peer_conf(w, peer)->absent != NULL) {
		tunnel_error(w, tunnel, WHY_UNRESOLVED, "%s", peer_conf(w, peer)->absent);
		return (-1);
	}
	if (addr_is_any(&peer_conf(w, peer)->remote)) {
		tunnel_error(w, tunnel, WHY_NO_PEER_ADDR,
		    "the peer's address is not configured: "
		    "waiting for it to start");
		return (-1);
	}
	if (offer_esp(w, tunnel, 0, 0, &ps) == -1) {
		offer_none(w, tunnel);
		return (-1);
	}
	if ((h = half_new(w, 1)) == NULL) {
		tunnel_error(w, tunnel, WHY_MEMORY, "out of memory");
		return (-1);
	}
	h->c.peer = peer;
	w->peers[peer].half = h->id;
	half_state(w, h, HALF_INIT_SENT);
	if (half_prepare(w, h, tunnel) == -1 || send_request(w, h) == -1) {
		tunnel_error(w, tunnel, WHY_OFFER, "cannot make an IKE_SA_INIT request: "
		    "check the ikesa transforms");
		half_free(w, h);
		return (-1);
	}
	if (!own_address(w, &h->c.local.addr))
		tunnel_error(w, tunnel, WHY_NO_WAY, "local %s is not an address of this machine",
		    addr_str(&h->c.local.addr, a));
	else if (w->tunnels[tunnel].why == WHY_NO_WAY)
		tunnel_clear_error(w, tunnel);
	return (0);
}

/* COOKIE: the same again with the cookie first (2.6). 1: sent */
static int
take_cookie(struct world *w, struct ike_half *h, const struct wire_notify *n)
{
	uint8_t	*c;

	if (n->data.len == 0 || n->data.len > COOKIE_MAX)
		return (0);
	/* the answer to a request that was sent again before the first one's came */
	if (h->cookie != NULL && h->cookielen == n->data.len &&
	    memcmp(h->cookie, n->data.p, n->data.len) == 0)
		return (1);
	if (h->nretry++ >= RETRY_MAX) {
		half_fail(w, h, WHY_COOKIE, "peer answers every IKE_SA_INIT with COOKIE or "
		    "INVALID_KE_PAYLOAD");
		return (1);
	}
	if ((c = malloc(n->data.len)) == NULL)
		return (0);
	memcpy(c, n->data.p, n->data.len);
	free(h->cookie);
	h->cookie = c;
	h->cookielen = (uint8_t)n->data.len;
	w->tally.cookies_sent++;
	if (send_request(w, h) == -1)
		half_fail(w, h, WHY_MEMORY, "out of memory");
	return (1);
}

/* INVALID_KE_PAYLOAD: another group of those we offered, never one we did not, and
 * once: who asks again wants to talk us down (2.7). */
static int
take_group(struct world *w, struct ike_half *h, const struct wire_notify *n)
{
	struct rbuf	 r;
	struct ke	*ke;
	uint16_t	 group;

	rbuf_init(&r, n->data.p, n->data.len);
	group = rbuf_u16(&r);
	if (!rbuf_ok(&r) || n->data.len != 2 || group == KE_NONE)
		return (0);
	/* it has been taken: the answer to a request that was sent again before that */
	if (group == h->group && h->regrouped)
		return (1);
	if (group == h->group || !offer_has_group(peer_conf(w, h->c.peer)->ike, group) ||
	    h->regrouped || h->nretry++ >= RETRY_MAX) {
		half_fail(w, h, WHY_GROUP, "peer wants group %s in IKE_SA_INIT, which \"ikesa\" "
		    "does not offer or was just tried: add it there",
		    xform_name(XF_KE, group, 0));
		return (1);
	}
	if ((ke = offer_ke(w, group)) == NULL)
		return (0);
	ke_free(h->ke);
	h->ke = ke;
	h->group = group;
	h->regrouped = 1;
	if (send_request(w, h) == -1)
		half_fail(w, h, WHY_MEMORY, "out of memory");
	return (1);
}

/*
 * An error nobody vouches for: anybody could have sent it.  It is noted
 * and shown, and we go on waiting a little for a better answer (2.21.1).
 */
static void
note_error(struct world *w, struct ike_half *h, const struct wire_notify *n)
{
	char		 a[ADDR_STRLEN], mine[300];
	const char	*hint = "";
	monotime	 soon = mono_add_ms(w->now, 3000);
	int		 v1 = n->type == N_INVALID_MAJOR_VERSION || (n->type ==
	    N_NO_PROPOSAL_CHOSEN && w->peers[h->c.peer].v1);
	enum reason	 code = v1 ? WHY_IKEV1 : n->type == N_NO_PROPOSAL_CHOSEN ?
	    WHY_IKE_PROPOSAL : WHY_PEER_ERROR;

	if (mono_before(soon, h->req.giveup))
		h->req.giveup = soon;
	if (h->hint == n->type)
		return;
	h->hint = n->type;
	if (n->type == N_INVALID_MAJOR_VERSION)
		hint = ": it does not speak IKEv2; on RouterOS set exchange-mode=ike2";
	else if (v1)
		hint = ", and calls with IKEv1 itself: set it to IKEv2; on RouterOS "
		    "exchange-mode=ike2";
	else if (n->type == N_NO_PROPOSAL_CHOSEN)
		hint = ": no \"ikesa\" transform of ours suits it, or it has no "
		    "connection for our address; we offer ";
	mine[0] = '\0';
	if (code == WHY_IKE_PROPOSAL)
		(void)proposals_str(peer_conf(w, h->c.peer)->ike, mine, sizeof(mine));
	tunnel_error(w, h->tunnel, code, "peer says %s%s%s", wire_notify_name(n->type),
	    hint, mine);
	log_event(w->log, code, "tunnel \"%s\": peer %s says %s%s%s",
	    tunnel_conf(w, h->tunnel)->name, addr_str(&h->c.remote.addr, a),
	    wire_notify_name(n->type), hint, mine);
}

static int
agree(struct world *w, struct ike_half *h, struct span peer_ke, uint64_t spii,
    uint64_t spir)
{
	uint8_t		secret[KE_MAXSECRET];
	size_t		n = sizeof(secret);
	struct span	ni = { h->init->ni, h->init->nilen };
	struct span	nr = { h->init->nr, h->init->nrlen };
	struct span	s;
	int		r;

	if (ke_derive(w->crypto, h->ke, peer_ke, secret, &n) == -1)
		return (-1);
	s.p = secret;
	s.len = n;
	r = ike_keys_derive(w->crypto, &h->c.suite, s, ni, nr, spii, spir, NULL,
	    &h->c.keys);
	crypto_wipe(secret, sizeof(secret));
	return (r);
}

/* What a sane responder never sends back: our own values. */
static int
reflected(const struct ike_half *h, const struct wire_msg *m)
{
	struct span	pub = ke_public(h->ke);

	return ((m->nonce.len == h->init->nilen &&
	    memcmp(m->nonce.p, h->init->ni, m->nonce.len) == 0) ||
	    (m->ke.len == pub.len && memcmp(m->ke.p, pub.p, pub.len) == 0));
}

/* A value that is none says nothing about the peer: anybody on the way can send one,
 * and the real answer may still come (2.21.1). */
static void
bad_value(struct world *w, struct ike_half *h)
{
	static const char	text[] = "the peer's key exchange value is not acceptable";

	free(h->init->msg2);
	h->init->msg2 = NULL;
	h->c.spir = 0;
	w->tally.rx_bad++;
	if (h->hint == N_INVALID_SYNTAX)
		return;
	h->hint = N_INVALID_SYNTAX;
	tunnel_error(w, h->tunnel, WHY_PEER_ANSWER, "%s", text);
	log_event(w->log, WHY_PEER_ANSWER,
	    "tunnel \"%s\": %s: dropped", tunnel_conf(w, h->tunnel)->name,
	    text);
}

/* `fulltranscript': who takes it out of the peer's answer gets no SA; and who answers
 * in the peer's place may be followed by the peer. */
static int
refuse_partial(struct world *w, struct ike_half *h, const struct rx *rx)
{
	static const char	text[] = "the peer does not authenticate the whole of "
	    "IKE_SA_INIT, which \"fulltranscript\" wants";

	if (!peer_conf(w, h->c.peer)->full ||
	    has_can(rx, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH))
		return (0);
	w->tally.rx_bad++;
	if (h->hint != N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH)
		log_event(w->log, WHY_TRANSCRIPT,
		    "tunnel \"%s\": %s: remove the word, or have the peer "
		    "updated", tunnel_conf(w, h->tunnel)->name, text);
	h->hint = N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH;
	tunnel_error(w, h->tunnel, WHY_TRANSCRIPT, "%s", text);
	return (1);
}

/* To the NAT-T port with the next message (2.23), even if the NAT is only ours; with
 * MOBIKE always, for there may be one on the next way (RFC 4555 3.3). */
static void
float_port(struct world *w, struct ike_core *c, const struct rx *rx, int natd)
{
	if (addr_is_any(&c->local.addr))
		c->local.addr = rx->local.addr;
	c->local.port = rx->local.port;
	c->remote.port = rx->remote.port;
	c->encap = c->natt_local || c->natt_remote || c->natt_forced;
	if (!c->encap && (!natd || !w->conf->mobike))
		return;
	if (c->local.port == w->natt_port)
		return;
	c->local.port = w->natt_port;
	c->remote.port = 4500;
}

void
sa_init_response(struct world *w, struct ike_half *h, const struct rx *rx)
{
	const struct wire_msg		*m = rx->m;
	const struct wire_notify	*n;
	struct proposals		 ps;
	const uint64_t			 need = WIRE_HAS(P_SA) | WIRE_HAS(P_KE) |
	    WIRE_HAS(P_NONCE);

	if (addr_cmp(&rx->remote.addr, &h->c.remote.addr) != 0) {
		w->tally.rx_dropped++;
		return;
	}
	w->tally.answered[0]++;
	if ((n = wire_notify(m, N_COOKIE)) != NULL && take_cookie(w, h, n))
		return;
	if ((n = wire_notify(m, N_INVALID_KE_PAYLOAD)) != NULL && take_group(w, h, n))
		return;
	if ((m->has & need) != need || rx->hdr.spir == 0 || rx->len > INIT_MAX) {
		if ((n = wire_error(m)) != NULL)
			note_error(w, h, n);
		w->tally.rx_dropped++;
		return;
	}
	if (offer_ike(w, h->c.peer, 0, &ps) == -1 ||
	    proposal_verify(&ps, &m->sa, &h->c.suite) == -1 ||
	    m->ke_group != h->group || h->c.suite.ke != h->group ||
	    nonce_short(m->nonce, h->c.suite.prf) || reflected(h, m)) {
		log_event(w->log, WHY_PEER_ANSWER,
		    "tunnel \"%s\": IKE_SA_INIT reply does not fit "
		    "what we offered: dropped", tunnel_conf(w, h->tunnel)->name);
		w->tally.rx_bad++;
		return;
	}
	if (refuse_partial(w, h, rx) || (h->init->msg2 = malloc(rx->len)) == NULL)
		return;
	memcpy(h->init->msg2, rx->raw, rx->len);
	h->init->len2 = (uint32_t)rx->len;
	h->init->nrlen = (uint16_t)m->nonce.len;
	memcpy(h->init->nr, m->nonce.p, m->nonce.len);
	h->c.spir = rx->hdr.spir;
	if (agree(w, h, m->ke, h->c.spii, h->c.spir) == -1) {
		bad_value(w, h);
		return;
	}
	w->peers[h->c.peer].v1 = 0;
	ke_free(h->ke);
	h->ke = NULL;
	h->c.frag = h->c.frag_said && has_can(rx, N_IKEV2_FRAGMENTATION_SUPPORTED);
	h->c.childless = has_can(rx, N_CHILDLESS_IKEV2_SUPPORTED);
	h->init->full = h->init->full_said &&
	    has_can(rx, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH);
	float_port(w, &h->c, rx, natd_read(w, &h->c, rx, peer_conf(w, h->c.peer)->natt));
	if (peer_conf(w, h->c.peer)->natt && !h->c.encap)
		log_event(w->log, WHY_NAT,
		    "tunnel \"%s\": ESP is not put in UDP: the peer has no NAT "
		    "traversal", tunnel_conf(w, h->tunnel)->name);
	outreq_clear(w, &h->req);
	free(h->cookie);
	h->cookie = NULL;
	if (auth_sign(w, h) == -1)
		half_fail(w, h, WHY_MEMORY, "out of memory");
}

/* ---- responder */

static void
refuse_proposals(struct world *w, const struct rx *rx, uint32_t peer)
{
	char	diff[200], theirs[300], mine[300];

	notify_plain(w, rx, N_NO_PROPOSAL_CHOSEN, NULL, 0);
	if (!world_allow(w, &w->b_bad, 10, 1000))
		return;
	peer_refused(w, peer, NO_INDEX, &rx->remote.addr, WHY_IKE_PROPOSAL,
	    "NO_PROPOSAL_CHOSEN: %s: it offers %s; our \"ikesa\" wants %s",
	    proposals_differ(&rx->m->sa, peer_conf(w, peer)->ike, diff, sizeof(diff)),
	    proposals_str(&rx->m->sa, theirs, sizeof(theirs)),
	    proposals_str(peer_conf(w, peer)->ike, mine, sizeof(mine)));
}

/* The first peer of this address whose proposals fit; the identity decides later. */
static uint32_t
choose_peer(struct world *w, const struct rx *rx, struct proposal *chosen,
    struct suite *s, uint32_t *first)
{
	UNFILLED struct proposals ps;
	uint32_t		p, n = 0;

	*first = p = peer_first_addr(w, &rx->local.addr, &rx->remote.addr);
	for (; p != NO_INDEX && n++ < KINDS_MAX;
	    p = peer_next_addr(w, p, &rx->local.addr, &rx->remote.addr))
		if (offer_ike(w, p, 0, &ps) == 0 && proposal_choose(&rx->m->sa, &ps,
		    rx->m->ke_group, 0, chosen, s) == 0)
			return (p);
	return (NO_INDEX);
}

static int
encode_response(struct world *w, struct ike_half *h, const struct proposal *chosen,
    int force, struct wbuf *b)
{
	struct wire_hdr	 hdr;
	struct wire_enc	 e;
	struct span	 pub = ke_public(h->ke);

	memset(&hdr, 0, sizeof(hdr));
	hdr.spii = h->c.spii;
	hdr.spir = h->c.spir;
	hdr.major = 2;
	hdr.exch = X_IKE_SA_INIT;
	hdr.flags = WIRE_F_RESPONSE;
	wire_begin(&e, b, &hdr);
	wire_put_sa1(&e, chosen);
	wire_put_ke(&e, h->c.suite.ke, pub.p, pub.len);
	wire_put_nonce(&e, h->init->nr, h->init->nrlen);
	natd_put(w, &e, &h->c, &h->c.local, &h->c.remote, force);
	/* only what both sides offer is used (7383 2.3) */
	if (h->c.frag)
		put_can(&e, N_IKEV2_FRAGMENTATION_SUPPORTED);
	/* but this is said also to who has not (downgrade prevention): it may have been
	 * taken out on the way, and then both messages have to differ for the two sides */
	put_can(&e, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH);
	/* the initiator may do without a Child in IKE_AUTH (6023 3) */
	put_can(&e, N_CHILDLESS_IKEV2_SUPPORTED);
	return (wire_end(&e));
}

static int
half_fill(struct world *w, struct ike_half *h, const struct rx *rx,
    const struct suite *s)
{
	struct init_data	*d;

	h->c.spii = rx->hdr.spii;
	h->c.local = rx->local;
	h->c.remote = rx->remote;
	h->c.suite = *s;
	if ((d = h->init = calloc(1, sizeof(*d))) == NULL ||
	    (d->msg1 = malloc(rx->len)) == NULL ||
	    (h->ke = offer_ke(w, s->ke)) == NULL)
		return (-1);
	memcpy(d->msg1, rx->raw, rx->len);
	d->len1 = (uint32_t)rx->len;
	d->nilen = (uint16_t)rx->m->nonce.len;
	memcpy(d->ni, rx->m->nonce.p, d->nilen);
	d->nrlen = NONCE_LEN;
	world_random(w, d->nr, NONCE_LEN);
	return (0);
}

static int
respond(struct world *w, struct ike_half *h, const struct rx *rx,
    const struct proposal *chosen, int force)
{
	UNFILLED uint8_t buf[MSG_MAX];
	uint8_t		*copy;
	struct wbuf	 b;

	wbuf_init(&b, buf, sizeof(buf));
	(void)natd_read(w, &h->c, rx, force);
	h->c.frag = w->conf->fragmentation && has_can(rx, N_IKEV2_FRAGMENTATION_SUPPORTED);
	h->init->full = has_can(rx, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH);
	if (encode_response(w, h, chosen, force, &b) == -1 ||
	    agree(w, h, rx->m->ke, h->c.spii, h->c.spir) == -1 ||
	    (copy = malloc(b.len)) == NULL)
		return (-1);
	ke_free(h->ke);
	h->ke = NULL;
	memcpy(copy, buf, b.len);
	h->init->msg2 = copy;
	h->init->len2 = (uint32_t)b.len;
	h->c.encap = h->c.natt_local || h->c.natt_remote || h->c.natt_forced;
	half_state(w, h, HALF_INIT_DONE);
	timer_set(&w->timers, &h->timer, mono_add_ms(w->now, HALFOPEN_MS));
	message_send(w, &h->c, buf, b.len);
	return (0);
}

/* What is dropped without an answer, and why (log only for a person's sake). */
static int
unwelcome(struct world *w, const struct rx *rx)
{
	const uint64_t	need = WIRE_HAS(P_SA) | WIRE_HAS(P_KE) | WIRE_HAS(P_NONCE);
	char		a[ADDR_STRLEN];

	if ((rx->m->has & need) != need || rx->len > INIT_MAX || w->stopping)
		return (1);
	if (peer_first_addr(w, &rx->local.addr, &rx->remote.addr) == NO_INDEX) {
		if (world_allow(w, &w->b_bad, 10, 1000)) {
			log_event(w->log, WHY_UNKNOWN_PEER,
			    "peer %s: IKE_SA_INIT refused: no tunnel "
			    "names this address as its peer",
			    addr_str(&rx->remote.addr, a));
			notify_plain(w, rx, N_NO_PROPOSAL_CHOSEN, NULL, 0);
		}
		return (1);
	}
	return (0);
}

/* Nothing is computed and nothing kept for it: a flood, or what looks like one. */
static int
turned_away(struct world *w, const struct rx *rx)
{
	uint32_t	first = peer_first_addr(w, &rx->local.addr, &rx->remote.addr);
	char		a[ADDR_STRLEN];

	if (cookie_wanted(w, first) && !cookie_good(w, rx)) {
		w->tally.cookies_asked++;
		cookie_ask(w, rx);
		return (1);
	}
	if (half_room(w, first))
		return (0);
	if (world_allow(w, &w->b_bad, 10, 1000))
		log_event(w->log, WHY_HALF_OPEN,
		    "peer %s: too many half-open IKE SAs: IKE_SA_INIT "
		    "dropped", addr_str(&rx->remote.addr, a));
	return (1);
}

void
sa_init_request(struct world *w, const struct rx *rx)
{
	struct ike_half	*h;
	struct proposal	 chosen;
	struct suite	 s;
	uint32_t	 peer, first;
	uint8_t		 group[2];
	struct wbuf	 b;

	h = init_hash_find(w, &rx->remote, rx->hdr.spii, rx->raw, rx->len);
	if (h != NULL) {
		if (h->state == HALF_INIT_DONE && h->init->msg2 != NULL)
			message_send(w, &h->c, h->init->msg2, h->init->len2);
		return;
	}
	w->tally.received[0]++;
	if (unwelcome(w, rx) || turned_away(w, rx)) {
		w->tally.rx_dropped++;
		return;
	}
	if ((peer = choose_peer(w, rx, &chosen, &s, &first)) == NO_INDEX) {
		refuse_proposals(w, rx, first);
		return;
	}
	if (nonce_short(rx->m->nonce, s.prf)) {
		w->tally.rx_bad++;
		return;
	}
	if (s.ke != rx->m->ke_group) {
		wbuf_init(&b, group, sizeof(group));
		wbuf_u16(&b, s.ke);
		notify_plain(w, rx, N_INVALID_KE_PAYLOAD, group, sizeof(group));
		return;
	}
	hint_doubt(w, peer, rx, "a fresh IKE_SA_INIT");
	hint_call(w, peer);
	if ((h = half_new(w, 0)) == NULL)
		return;
	if (half_fill(w, h, rx, &s) == -1) {
		h->c.spii = 0;		/* not in the hash */
		half_free(w, h);
		return;
	}
	init_hash_add(w, h);
	half_count(w, h, first);
	if (respond(w, h, rx, &chosen, peer_conf(w, peer)->natt) == -1) {
		w->tally.rx_bad++;
		half_free(w, h);
	}
}
