/* SPDX-License-Identifier: ISC */
/* ike asks for SAs, kernel answers and tells what the system's IPsec says. */

#include <stddef.h>
#include <string.h>

#include "proc/msg.h"

#define ERRNO_MAX	4095	/* no system has an errno as large */

static void
put_life(struct wbuf *w, const struct kern_life *l)
{
	wbuf_u64(w, l->soft_secs);
	wbuf_u64(w, l->hard_secs);
	wbuf_u64(w, l->soft_bytes);
	wbuf_u64(w, l->hard_bytes);
	wbuf_u64(w, l->soft_packets);
	wbuf_u64(w, l->hard_packets);
}

static void
get_life(struct rbuf *r, struct kern_life *l)
{
	l->soft_secs = rbuf_u64(r);
	l->hard_secs = rbuf_u64(r);
	l->soft_bytes = rbuf_u64(r);
	l->hard_bytes = rbuf_u64(r);
	l->soft_packets = rbuf_u64(r);
	l->hard_packets = rbuf_u64(r);
}

static void
put_key(struct wbuf *w, const uint8_t *key, uint16_t len)
{
	struct span s = { key, len };

	if (len > KERN_KEYMAX)
		wbuf_fail(w);
	else
		put_bytes(w, s);
}

static uint16_t
get_key(struct rbuf *r, uint8_t *key)
{
	struct span s = get_bytes(r, KERN_KEYMAX);

	if (s.len > 0)
		memcpy(key, s.p, s.len);
	return ((uint16_t)s.len);
}

/* reqid is not sent: the kernel process knows it, and ike has no say in it. */
static void
put_sa(struct wbuf *w, const struct kern_sa *sa)
{
	wbuf_u32(w, sa->spi);
	wbuf_u8(w, sa->proto);
	wbuf_u8(w, (uint8_t)sa->dir);
	put_addr(w, &sa->src);
	put_addr(w, &sa->dst);
	wbuf_u8(w, sa->transport);
	wbuf_u16(w, sa->encr);
	wbuf_u16(w, sa->encr_keybits);
	wbuf_u16(w, sa->integ);
	put_key(w, sa->encr_key, sa->encr_keylen);
	put_key(w, sa->integ_key, sa->integ_keylen);
	wbuf_u8(w, sa->esn);
	wbuf_u32(w, sa->replay);
	wbuf_u16(w, sa->encap_sport);
	wbuf_u16(w, sa->encap_dport);
	wbuf_u8(w, sa->has_sel);
	if (sa->has_sel) {
		put_ts(w, &sa->sel_src);
		put_ts(w, &sa->sel_dst);
	}
	put_life(w, &sa->life);
}

static void
get_sa(struct rbuf *r, struct kern_sa *sa)
{
	uint8_t dir;

	sa->spi = rbuf_u32(r);
	sa->proto = rbuf_u8(r);
	dir = rbuf_u8(r);
	get_addr(r, &sa->src);
	get_addr(r, &sa->dst);
	sa->transport = get_bool(r);
	sa->encr = rbuf_u16(r);
	sa->encr_keybits = rbuf_u16(r);
	sa->integ = rbuf_u16(r);
	sa->encr_keylen = get_key(r, sa->encr_key);
	sa->integ_keylen = get_key(r, sa->integ_key);
	sa->esn = get_bool(r);
	sa->replay = rbuf_u32(r);
	sa->encap_sport = rbuf_u16(r);
	sa->encap_dport = rbuf_u16(r);
	if ((sa->has_sel = get_bool(r)) != 0) {
		get_ts(r, &sa->sel_src);
		get_ts(r, &sa->sel_dst);
	}
	get_life(r, &sa->life);
	if (dir > KERN_OUT)		/* 0: not said */
		rbuf_fail(r);
	else
		sa->dir = (enum kern_dir)dir;
}

void
msg_put_kernel_req(struct msg *m, const struct kernel_req *q)
{
	msg_start(m, M_KERNEL_REQ);
	wbuf_u64(&m->w, q->token);
	wbuf_u32(&m->w, q->gen);
	wbuf_u32(&m->w, q->tunnel);
	wbuf_u8(&m->w, (uint8_t)q->op);
	put_sa(&m->w, &q->sa);
	put_tslist(&m->w, &q->tsl);
	put_tslist(&m->w, &q->tsr);
	wbuf_u32(&m->w, q->acquire_seq);
	wbuf_u8(&m->w, q->moved);
}

int
msg_get_kernel_req(struct rbuf *r, struct kernel_req *q)
{
	uint8_t op;

	memset(q, 0, sizeof(*q));
	q->token = rbuf_u64(r);
	q->gen = rbuf_u32(r);
	q->tunnel = rbuf_u32(r);
	op = rbuf_u8(r);
	get_sa(r, &q->sa);
	get_tslist(r, &q->tsl);
	get_tslist(r, &q->tsr);
	q->acquire_seq = rbuf_u32(r);
	q->moved = get_bool(r);
	if (op < KREQ_SA_ADD || op > KREQ_SOURCE)
		return (-1);
	q->op = (enum kernel_op)op;
	return (get_end(r));
}

void
msg_put_kernel_ans(struct msg *m, const struct kernel_ans *a)
{
	msg_start(m, M_KERNEL_ANS);
	wbuf_u64(&m->w, a->token);
	wbuf_u32(&m->w, (uint32_t)a->err);
	wbuf_str(&m->w, a->what);
	wbuf_u64(&m->w, a->bytes);
	wbuf_u64(&m->w, a->packets);
	wbuf_u64(&m->w, a->usetime);
	put_addr(&m->w, &a->src);
}

int
msg_get_kernel_ans(struct rbuf *r, struct kernel_ans *a)
{
	uint32_t err;

	memset(a, 0, sizeof(*a));
	a->token = rbuf_u64(r);
	err = rbuf_u32(r);
	rbuf_str(r, a->what, sizeof(a->what));
	a->bytes = rbuf_u64(r);
	a->packets = rbuf_u64(r);
	a->usetime = rbuf_u64(r);
	get_addr(r, &a->src);
	if (err > ERRNO_MAX)
		return (-1);
	a->err = (int)err;
	return (get_end(r));
}

static void
put_err(struct wbuf *w, int err)
{
	wbuf_u16(w, (uint16_t)err);
}

static int
get_err(struct rbuf *r)
{
	uint16_t err = rbuf_u16(r);

	if (err > ERRNO_MAX)
		rbuf_fail(r);
	return (err);
}

void
msg_put_kernel_count(struct msg *m, const struct kernel_count *q)
{
	const struct count_ask *a;

	msg_start(m, M_KERNEL_COUNT);
	wbuf_u64(&m->w, q->token);
	wbuf_u32(&m->w, q->gen);
	wbuf_u8(&m->w, q->n);
	for (a = q->a; a < q->a + q->n; a++) {
		wbuf_u32(&m->w, a->tunnel);
		wbuf_u32(&m->w, a->spi_in);
		wbuf_u32(&m->w, a->spi_out);
		put_addr(&m->w, &a->local);
		put_addr(&m->w, &a->remote);
		wbuf_u8(&m->w, a->moved);
	}
}

int
msg_get_kernel_count(struct rbuf *r, struct kernel_count *q)
{
	struct count_ask *a;

	memset(q, 0, offsetof(struct kernel_count, a));
	q->token = rbuf_u64(r);
	q->gen = rbuf_u32(r);
	if ((q->n = rbuf_u8(r)) > COUNT_MAX || q->n == 0 || q->token == 0)
		return (-1);
	for (a = q->a; a < q->a + q->n; a++) {
		memset(a, 0, sizeof(*a));
		a->tunnel = rbuf_u32(r);
		a->spi_in = rbuf_u32(r);
		a->spi_out = rbuf_u32(r);
		get_addr(r, &a->local);
		get_addr(r, &a->remote);
		a->moved = get_bool(r);
	}
	return (get_end(r));
}

static void
put_count(struct wbuf *w, const struct count *c)
{
	put_err(w, c->err);
	wbuf_u64(w, c->bytes);
	wbuf_u64(w, c->packets);
}

static void
get_count(struct rbuf *r, struct count *c)
{
	c->err = get_err(r);
	c->bytes = rbuf_u64(r);
	c->packets = rbuf_u64(r);
}

void
msg_put_kernel_counted(struct msg *m, const struct kernel_counted *a)
{
	uint8_t i;

	msg_start(m, M_KERNEL_COUNTED);
	wbuf_u64(&m->w, a->token);
	wbuf_u8(&m->w, a->n);
	for (i = 0; i < a->n; i++) {
		put_count(&m->w, &a->in[i]);
		put_count(&m->w, &a->out[i]);
	}
}

int
msg_get_kernel_counted(struct rbuf *r, struct kernel_counted *a)
{
	uint8_t i;

	a->token = rbuf_u64(r);
	if ((a->n = rbuf_u8(r)) > COUNT_MAX || a->n == 0)
		return (-1);
	for (i = 0; i < a->n; i++) {
		get_count(r, &a->in[i]);
		get_count(r, &a->out[i]);
	}
	return (get_end(r));
}

void
msg_put_caps(struct msg *m, const struct kern_caps *c)
{
	size_t i;

	msg_start(m, M_CAPS);
	wbuf_u8(&m->w, (uint8_t)c->backend);
	wbuf_str(&m->w, c->name != NULL ? c->name : "");
	wbuf_u32(&m->w, c->reqid_max);
	wbuf_u8(&m->w, c->esn != 0);
	wbuf_u8(&m->w, c->has_fwd != 0);
	wbuf_u8(&m->w, c->acquire_has_selector != 0);
	wbuf_u32(&m->w, c->replay_max);
	wbuf_u8(&m->w, (uint8_t)c->nalgs);
	for (i = 0; i < c->nalgs; i++) {
		wbuf_u8(&m->w, c->algs[i].type);
		wbuf_u16(&m->w, c->algs[i].id);
		wbuf_u16(&m->w, c->algs[i].keybits);
	}
}

int
msg_get_caps(struct rbuf *r, struct kern_caps *c, char *name, size_t cap)
{
	uint8_t backend;
	size_t i;

	memset(c, 0, sizeof(*c));
	backend = rbuf_u8(r);
	rbuf_str(r, name, cap);
	c->name = name;
	c->reqid_max = rbuf_u32(r);
	c->esn = get_bool(r);
	c->has_fwd = get_bool(r);
	c->acquire_has_selector = get_bool(r);
	c->replay_max = rbuf_u32(r);
	c->nalgs = rbuf_u8(r);
	if (c->nalgs > sizeof(c->algs) / sizeof(c->algs[0])) {
		c->nalgs = 0;
		return (-1);
	}
	for (i = 0; i < c->nalgs; i++) {
		c->algs[i].type = rbuf_u8(r);
		c->algs[i].id = rbuf_u16(r);
		c->algs[i].keybits = rbuf_u16(r);
	}
	if (backend != KERN_XFRM && backend != KERN_PFKEY)
		return (-1);
	c->backend = (enum kern_backend)backend;
	return (get_end(r));
}

void
msg_put_acquire(struct msg *m, const struct acquire *a)
{
	msg_start(m, M_ACQUIRE);
	wbuf_u32(&m->w, a->gen);
	wbuf_u32(&m->w, a->tunnel);
	wbuf_u32(&m->w, a->seq);
	wbuf_u8(&m->w, a->has_sel);
	if (a->has_sel) {
		put_ts(&m->w, &a->src);
		put_ts(&m->w, &a->dst);
	}
}

int
msg_get_acquire(struct rbuf *r, struct acquire *a)
{
	memset(a, 0, sizeof(*a));
	a->gen = rbuf_u32(r);
	a->tunnel = rbuf_u32(r);
	a->seq = rbuf_u32(r);
	if ((a->has_sel = get_bool(r)) != 0) {
		get_ts(r, &a->src);
		get_ts(r, &a->dst);
	}
	return (get_end(r));
}

void
msg_put_expire(struct msg *m, const struct expire *e)
{
	msg_start(m, M_EXPIRE);
	wbuf_u32(&m->w, e->spi);
	put_addr(&m->w, &e->dst);
	wbuf_u8(&m->w, e->hard);
}

int
msg_get_expire(struct rbuf *r, struct expire *e)
{
	e->spi = rbuf_u32(r);
	get_addr(r, &e->dst);
	e->hard = get_bool(r);
	return (get_end(r));
}

void
msg_put_mapping(struct msg *m, const struct mapping *p)
{
	msg_start(m, M_MAPPING);
	wbuf_u32(&m->w, p->spi);
	put_endpoint(&m->w, &p->newsrc);
}

int
msg_get_mapping(struct rbuf *r, struct mapping *p)
{
	p->spi = rbuf_u32(r);
	get_endpoint(r, &p->newsrc);
	return (get_end(r));
}

void
msg_put_addrs(struct msg *m, const struct addrs *a)
{
	uint8_t i;

	msg_start(m, M_ADDRS);
	wbuf_u8(&m->w, a->n);
	for (i = 0; i < a->n; i++)
		put_addr(&m->w, &a->a[i]);
}

int
msg_get_addrs(struct rbuf *r, struct addrs *a)
{
	uint8_t i;

	memset(a, 0, sizeof(*a));
	if ((a->n = rbuf_u8(r)) > MSG_ADDRS)
		return (-1);
	for (i = 0; i < a->n; i++) {
		get_addr(r, &a->a[i]);
		if (a->a[i].fam == ADDR_NONE)
			return (-1);
	}
	return (get_end(r));
}
