/* SPDX-License-Identifier: ISC */
/*
 * Messages of an SA: sealing and opening the SK payload, sending, keeping what has
 * to be sent again.
 */

#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

/*
 * The explicit IV: a counter for AEAD and CTR, whose nonces must never repeat (RFC 5282
 * 3.1, RFC 5930 2.2), random for CBC, whose IVs must not be predictable (RFC 7296 3.14).
 */
static void
make_iv(struct world *w, struct ike_core *c, uint8_t iv[16])
{
	const struct xform_info	*xi;
	struct wbuf		 b;

	memset(iv, 0, 16);
	xi = xform_info(XF_ENCR, c->suite.encr, c->suite.encr_keybits);
	if (xi != NULL && xi->blocklen > 1) {
		world_random(w, iv, 16);
		return;
	}
	wbuf_init(&b, iv, 16);
	wbuf_u64(&b, c->iv++);
}

/* One datagram into the cap octets at dst: SK, or with total SKF. */
static size_t
seal_one(struct world *w, struct ike_core *c, const struct wire_hdr *h, uint8_t first,
    uint16_t num, uint16_t total, struct span plain, uint8_t *dst, size_t cap)
{
	struct wire_enc	 e;
	struct wbuf	 b;
	uint8_t		 iv[16];
	size_t		 n = sk_len(&c->keys, plain.len);

	wbuf_init(&b, dst, cap);
	wire_begin(&e, &b, h);
	if (n == 0 || (total == 0 ? wire_put_sk(&e, first, n) :
	    wire_put_skf(&e, first, num, total, n)) == NULL || wire_end(&e) == -1)
		return (0);
	make_iv(w, c, iv);
	if (sk_seal(w->crypto, &c->keys, c->initiator, dst, b.len - n, plain, iv) == -1)
		return (0);
	return (b.len);
}

size_t
message_seal(struct world *w, struct ike_core *c, uint8_t exch, int response,
    uint32_t msgid, uint8_t first, const uint8_t *inner, size_t len,
    uint8_t dst[MSG_MAX])
{
	struct wire_hdr	 h;
	struct span	 s;
	size_t		 chunk = fragment_chunk(w, c, len), at, n, total, used = 0;

	memset(&h, 0, sizeof(h));
	h.spii = c->spii;
	h.spir = c->spir;
	h.major = 2;
	h.exch = exch;
	h.flags = (uint8_t)((c->initiator ? WIRE_F_INITIATOR : 0) |
	    (response ? WIRE_F_RESPONSE : 0));
	h.msgid = msgid;
	if (chunk >= len) {
		s.p = inner;
		s.len = len;
		return (seal_one(w, c, &h, first, 0, 0, s, dst, MSG_MAX));
	}
	if (chunk == 0 || (total = (len + chunk - 1) / chunk) > UINT16_MAX)
		return (0);
	for (at = 0; at < len; at += s.len, used += n) {
		s.p = inner + at;
		s.len = len - at < chunk ? len - at : chunk;
		if ((n = seal_one(w, c, &h, at == 0 ? first : P_NONE,
		    (uint16_t)(at / chunk + 1), (uint16_t)total, s, dst + used,
		    MSG_MAX - used)) == 0)
			return (0);
		w->tally.frags_out++;
	}
	return (used);
}

int
message_open(struct world *w, struct ike_core *c, const uint8_t *raw,
    const struct wire_msg *m, size_t *plainlen)
{
	size_t	aad = m->sk_off + (m->has & WIRE_HAS(P_SKF) ? WIRE_SKFLEN : WIRE_SKLEN);

	if ((m->has & (WIRE_HAS(P_SK) | (c->frag ? WIRE_HAS(P_SKF) : 0))) == 0)
		return (-1);
	return (sk_open(w->crypto, &c->keys, !c->initiator, raw, aad, m->sk, w->plain,
	    plainlen));
}

void
message_send(struct world *w, const struct ike_core *c, const uint8_t *p, size_t len)
{
	message_send_to(w, &c->local, &c->remote, p, len);
}

void
message_send_to(struct world *w, const struct endpoint *local,
    const struct endpoint *remote, const uint8_t *p, size_t len)
{
	size_t	n;

	for (; len > 0; p += n, len -= n) {
		n = datagram_len(p, len);
		w->tally.tx++;
		w->fx.send(w->fx.arg, local, remote, local->port == w->natt_port, p, n);
	}
}

void
message_rtt(const struct world *w, struct ike_core *c, monotime sent)
{
	int64_t	ms = mono_diff_us(w->now, sent) / 1000;

	ms = ms < 1 ? 1 : ms > GIVEUP_REQ ? GIVEUP_REQ : ms;
	if (ms < c->rtt_ms)
		ms = c->rtt_ms - (c->rtt_ms - ms + 3) / 4;
	c->rtt_ms = (uint32_t)ms;
}

int
request_launch(struct world *w, struct ike_core *c, struct outreq *r,
    uint32_t msgid, const uint8_t *p, size_t len, int64_t giveup_ms)
{
	outreq_clear(w, r);
	if ((r->msg = malloc(len)) == NULL)
		return (-1);
	memcpy(r->msg, p, len);
	r->len = (uint32_t)len;
	r->msgid = msgid;
	r->tries = 1;
	r->interval_ms = RETRY_FIRST;
	r->first = w->now;
	r->giveup = mono_add_ms(w->now, giveup_ms);
	timer_set(&w->timers, &r->timer,
	    mono_add_ms(w->now, world_jitter(w, r->interval_ms, 15)));
	if (len > 18)			/* its header: the exchange */
		w->tally.sent[exchange_kind(p[18])]++;
	message_send(w, c, p, len);
	return (0);
}

void
request_again(struct world *w, const struct ike_core *c, struct outreq *r, uint32_t cap)
{
	monotime	next;

	w->tally.retransmits++;
	r->tries++;
	message_send(w, c, r->msg, r->len);
	r->interval_ms += r->interval_ms / 8;
	if (r->interval_ms > cap)
		r->interval_ms = cap;
	next = mono_add_ms(w->now, world_jitter(w, r->interval_ms, 15));
	timer_set(&w->timers, &r->timer, mono_before(r->giveup, next) ? r->giveup : next);
}

int
ike_request(struct world *w, struct ike_sa *ike, uint8_t exch, enum task task,
    uint8_t first, const uint8_t *inner, size_t len)
{
	uint8_t	buf[MSG_MAX];
	size_t	n;

	/* message ids never wrap: long before, the SA is rekeyed (2.2) */
	if (ike->msgid_out == UINT32_MAX)
		return (-1);
	n = message_seal(w, &ike->c, exch, 0, ike->msgid_out, first, inner, len, buf);
	if (n == 0 || request_launch(w, &ike->c, &ike->req, ike->msgid_out, buf, n,
	    task == TASK_DELETE_IKE ? GIVEUP_DELETE : GIVEUP_REQ) == -1)
		return (-1);
	ike->msgid_out++;
	ike->task = task;
	if (task == TASK_CHECK) {
		ike->req.interval_ms = RETRY_CHECK;
		timer_set(&w->timers, &ike->req.timer, mono_add_ms(w->now, RETRY_CHECK));
	}
	return (0);
}

int
reply_begin(struct world *w, struct ike_sa *ike, uint8_t exch, uint32_t msgid)
{
	struct pend	*p;
	uint8_t		*buf;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (-1);
	/* all that the reply will need, before anything is changed */
	p->out = malloc(MSG_MAX);
	if (p->out == NULL || (buf = malloc(MSG_MAX / 2)) == NULL) {
		pend_free(p);
		return (-1);
	}
	wbuf_init(&p->w, buf, MSG_MAX / 2);
	wire_inner_begin(&p->enc, &p->w);
	p->exch = exch;
	p->msgid = msgid;
	p->since = w->now;
	p->local = ike->c.local;
	p->remote = ike->c.remote;
	pend_free(ike->pend);
	ike->pend = p;
	/* a deadline for it */
	touch_ike(w, ike);
	return (0);
}

void
reply_mark(struct pend *p)
{
	p->keep = p->w.len;
	p->keep_next = p->enc.next_off;
}

void
reply_rewind(struct pend *p)
{
	p->w.len = p->keep;
	p->w.err = 0;
	p->enc.next_off = p->keep_next;
	if (p->keep == 0)
		p->enc.first = P_NONE;
}

void
reply_finish(struct world *w, struct ike_sa *ike)
{
	struct pend	*p = ike->pend;
	size_t		 n = 0;

	ike->pend = NULL;
	if (wire_end(&p->enc) == 0)
		n = message_seal(w, &ike->c, p->exch, 1, p->msgid, p->enc.first,
		    p->w.p, p->w.len, p->out);
	if (n > 0) {
		reply_take(&ike->resp, p->out, n, p->msgid);
		p->out = NULL;
		ike->msgid_in = p->msgid + 1;
		message_send_to(w, &p->local, &p->remote, ike->resp.msg, n);
	} else
		/* done, and yet it would be done again when it comes again */
		ike->fatal |= FATAL_NOREPLY;
	/* what was malformed inside a protected message ends the SA (2.21.3) */
	if (p->fatal)
		ike->fatal |= FATAL_SYNTAX;
	pend_free(p);
	touch_ike(w, ike);
}

void
notify_plain(struct world *w, const struct rx *rx, uint16_t type, const void *data,
    size_t len)
{
	struct wire_hdr	 h;
	struct wire_enc	 e;
	struct wbuf	 b;
	uint8_t		 buf[128];

	memset(&h, 0, sizeof(h));
	h.spii = rx->hdr.spii;
	h.spir = rx->hdr.spir;
	h.major = 2;
	h.exch = rx->hdr.exch;
	/* the answer carries the I bit of the other role (3.1) */
	h.flags = (uint8_t)(WIRE_F_RESPONSE |
	    (rx->hdr.flags & WIRE_F_INITIATOR ? 0 : WIRE_F_INITIATOR));
	h.msgid = rx->hdr.msgid;
	wbuf_init(&b, buf, sizeof(buf));
	wire_begin(&e, &b, &h);
	wire_put_notify(&e, PROTO_NONE, 0, 0, type, data, len);
	if (wire_end(&e) == -1)
		return;
	w->tally.tx++;
	w->fx.send(w->fx.arg, &rx->local, &rx->remote, rx->natt, buf, b.len);
}

int
nonce_short(struct span nonce, uint16_t prf)
{
	return (nonce.len < prf_len(prf) / 2);
}
