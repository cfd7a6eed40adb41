/* SPDX-License-Identifier: ISC */
/* ike asks, keys answers: AUTH. */

#include <string.h>

#include "proc/msg.h"

/* An IKE_SA_INIT with all its proposals, vendor ids and cookies stays well below; ike
 * takes none that is longer.  Two of them, of which one is ours, fit into a message. */
#define KEYS_MSGMAX	8192

void
msg_put_keys_req(struct msg *m, const struct keys_req *q)
{
	msg_start(m, M_KEYS_REQ);
	wbuf_u64(&m->w, q->token);
	wbuf_u32(&m->w, q->gen);
	wbuf_u32(&m->w, q->peer);
	wbuf_u8(&m->w, (uint8_t)q->op);
	wbuf_u8(&m->w, q->initiator);
	wbuf_u16(&m->w, q->prf);
	wbuf_u8(&m->w, q->method);
	wbuf_u8(&m->w, q->old);
	put_bytes(&m->w, q->msg);
	put_bytes(&m->w, q->other);
	put_bytes(&m->w, q->nonce);
	put_bytes(&m->w, q->macid);
	put_bytes(&m->w, q->auth);
}

int
msg_get_keys_req(struct rbuf *r, struct keys_req *q)
{
	uint8_t op;

	memset(q, 0, sizeof(*q));
	q->token = rbuf_u64(r);
	q->gen = rbuf_u32(r);
	q->peer = rbuf_u32(r);
	op = rbuf_u8(r);
	q->initiator = get_bool(r);
	q->prf = rbuf_u16(r);
	q->method = rbuf_u8(r);
	q->old = get_bool(r);
	q->msg = get_bytes(r, KEYS_MSGMAX);
	q->other = get_bytes(r, KEYS_MSGMAX);
	q->nonce = get_bytes(r, 256);
	q->macid = get_bytes(r, 64);
	q->auth = get_bytes(r, 2048);
	if (op != KEYS_SIGN && op != KEYS_VERIFY)
		return (-1);
	q->op = (enum keys_op)op;
	return (get_end(r));
}

void
msg_put_keys_ans(struct msg *m, const struct keys_ans *a)
{
	struct span s = { a->auth, a->len };

	msg_start(m, M_KEYS_ANS);
	wbuf_u64(&m->w, a->token);
	wbuf_u8(&m->w, a->ok == 1);
	wbuf_u8(&m->w, a->method);
	wbuf_u8(&m->w, a->old == 1);
	if (a->len > sizeof(a->auth))
		wbuf_fail(&m->w);
	put_bytes(&m->w, s);
}

int
msg_get_keys_ans(struct rbuf *r, struct keys_ans *a)
{
	struct span s;

	memset(a, 0, sizeof(*a));
	a->token = rbuf_u64(r);
	a->ok = get_bool(r);
	a->method = rbuf_u8(r);
	a->old = get_bool(r);
	s = get_bytes(r, sizeof(a->auth));
	a->len = (uint16_t)s.len;
	if (s.len > 0)
		memcpy(a->auth, s.p, s.len);
	return (get_end(r));
}
