/* SPDX-License-Identifier: ISC */
/* Values of the ground floor as octets, checked on the way in. */

#include <string.h>

#include "base/field.h"

void
put_addr(struct wbuf *w, const struct addr *a)
{
	wbuf_u8(w, a->fam);
	wbuf_bytes(w, a->b, addr_len(a));
}

void
get_addr(struct rbuf *r, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->fam = rbuf_u8(r);
	switch (a->fam) {
	case ADDR_NONE:
		break;
	case ADDR_V4:
		rbuf_copy(r, a->b, 4);
		break;
	case ADDR_V6:
		rbuf_copy(r, a->b, 16);
		break;
	default:
		rbuf_fail(r);
		a->fam = ADDR_NONE;
	}
}

void
put_endpoint(struct wbuf *w, const struct endpoint *e)
{
	put_addr(w, &e->addr);
	wbuf_u16(w, e->port);
}

void
get_endpoint(struct rbuf *r, struct endpoint *e)
{
	memset(e, 0, sizeof(*e));
	get_addr(r, &e->addr);
	e->port = rbuf_u16(r);
}

void
put_prefix(struct wbuf *w, const struct prefix *p)
{
	put_addr(w, &p->addr);
	wbuf_u8(w, p->len);
}

void
get_prefix(struct rbuf *r, struct prefix *p)
{
	memset(p, 0, sizeof(*p));
	get_addr(r, &p->addr);
	p->len = rbuf_u8(r);
	if (p->len > addr_len(&p->addr) * 8)
		rbuf_fail(r);
}

void
put_ts(struct wbuf *w, const struct ts *t)
{
	wbuf_u8(w, t->proto);
	wbuf_u16(w, t->sport);
	wbuf_u16(w, t->eport);
	put_addr(w, &t->start);
	put_addr(w, &t->end);
}

void
get_ts(struct rbuf *r, struct ts *t)
{
	memset(t, 0, sizeof(*t));
	t->proto = rbuf_u8(r);
	t->sport = rbuf_u16(r);
	t->eport = rbuf_u16(r);
	get_addr(r, &t->start);
	get_addr(r, &t->end);
	if (rbuf_ok(r) && !ts_valid(t))
		rbuf_fail(r);
}

void
put_tslist(struct wbuf *w, const struct tslist *l)
{
	size_t i;

	if (l->n > TS_MAX) {
		wbuf_fail(w);
		return;
	}
	wbuf_u8(w, l->n);
	for (i = 0; i < l->n; i++)
		put_ts(w, &l->t[i]);
}

void
get_tslist(struct rbuf *r, struct tslist *l)
{
	size_t i;

	memset(l, 0, sizeof(*l));
	l->n = rbuf_u8(r);
	if (l->n > TS_MAX) {
		rbuf_fail(r);
		l->n = 0;
		return;
	}
	for (i = 0; i < l->n && rbuf_ok(r); i++)
		get_ts(r, &l->t[i]);
}

void
put_ident(struct wbuf *w, const struct ident *id)
{
	wbuf_u8(w, id->type);
	wbuf_u8(w, id->len);
	wbuf_bytes(w, id->data, id->len);
}

void
get_ident(struct rbuf *r, struct ident *id)
{
	memset(id, 0, sizeof(*id));
	id->type = rbuf_u8(r);
	id->len = rbuf_u8(r);
	rbuf_copy(r, id->data, id->len);
	if (!rbuf_ok(r))
		return;
	if (id->type == ID_NONE ? id->len != 0 : !ident_valid(id))
		rbuf_fail(r);
}

void
put_suite(struct wbuf *w, const struct suite *s)
{
	wbuf_u16(w, s->encr);
	wbuf_u16(w, s->encr_keybits);
	wbuf_u16(w, s->prf);
	wbuf_u16(w, s->integ);
	wbuf_u16(w, s->ke);
	wbuf_u16(w, s->sn);
}

void
get_suite(struct rbuf *r, struct suite *s)
{
	s->encr = rbuf_u16(r);
	s->encr_keybits = rbuf_u16(r);
	s->prf = rbuf_u16(r);
	s->integ = rbuf_u16(r);
	s->ke = rbuf_u16(r);
	s->sn = rbuf_u16(r);
}

void
put_bytes(struct wbuf *w, struct span s)
{
	if (s.len > UINT16_MAX) {
		wbuf_fail(w);
		return;
	}
	wbuf_u16(w, (uint16_t)s.len);
	wbuf_bytes(w, s.p, s.len);
}

struct span
get_bytes(struct rbuf *r, size_t max)
{
	uint16_t n = rbuf_u16(r);

	if (n > max)
		rbuf_fail(r);
	return (rbuf_span(r, n));
}

uint8_t
get_bool(struct rbuf *r)
{
	uint8_t v = rbuf_u8(r);

	if (v > 1)
		rbuf_fail(r);
	return (v == 1);
}

int
get_end(const struct rbuf *r)
{
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}
