/* SPDX-License-Identifier: ISC */
/* The one bounded reader and the one bounded writer. */

#include <string.h>

#include "base/buf.h"

void
rbuf_init(struct rbuf *r, const void *p, size_t len)
{
	r->p = p;
	r->len = p == NULL ? 0 : len;
	r->off = 0;
	r->err = 0;
}

int
rbuf_ok(const struct rbuf *r)
{
	return (!r->err);
}

size_t
rbuf_left(const struct rbuf *r)
{
	return (r->err ? 0 : r->len - r->off);
}

void
rbuf_fail(struct rbuf *r)
{
	r->err = 1;
}

/*
 * Every read ends here.  The comparison subtracts on the side that cannot
 * wrap: off never exceeds len.
 */
const uint8_t *
rbuf_bytes(struct rbuf *r, size_t n)
{
	static const uint8_t nothing[1] = { 0 };
	const uint8_t *p;

	if (r->err || n > r->len - r->off) {
		r->err = 1;
		return (NULL);
	}
	/* An empty read succeeds even of an empty reader, whose p is NULL. */
	p = r->p == NULL ? nothing : r->p + r->off;
	r->off += n;
	return (p);
}

static uint64_t
rbuf_be(struct rbuf *r, size_t n)
{
	const uint8_t *p;
	uint64_t v = 0;
	size_t i;

	if ((p = rbuf_bytes(r, n)) == NULL)
		return (0);
	for (i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (v);
}

uint8_t
rbuf_u8(struct rbuf *r)
{
	return ((uint8_t)rbuf_be(r, 1));
}

uint16_t
rbuf_u16(struct rbuf *r)
{
	return ((uint16_t)rbuf_be(r, 2));
}

uint32_t
rbuf_u32(struct rbuf *r)
{
	return ((uint32_t)rbuf_be(r, 4));
}

uint64_t
rbuf_u64(struct rbuf *r)
{
	return (rbuf_be(r, 8));
}

uint16_t
rbuf_h16(struct rbuf *r)
{
	uint16_t v;

	rbuf_copy(r, &v, sizeof(v));
	return (v);
}

uint32_t
rbuf_h32(struct rbuf *r)
{
	uint32_t v;

	rbuf_copy(r, &v, sizeof(v));
	return (v);
}

uint64_t
rbuf_h64(struct rbuf *r)
{
	uint64_t v;

	rbuf_copy(r, &v, sizeof(v));
	return (v);
}

struct span
rbuf_span(struct rbuf *r, size_t n)
{
	struct span s;

	s.p = rbuf_bytes(r, n);
	s.len = s.p == NULL ? 0 : n;
	return (s);
}

void
rbuf_copy(struct rbuf *r, void *dst, size_t n)
{
	const uint8_t *p;

	if (n == 0) {
		(void)rbuf_bytes(r, 0);
		return;
	}
	if ((p = rbuf_bytes(r, n)) == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
}

void
rbuf_skip(struct rbuf *r, size_t n)
{
	(void)rbuf_bytes(r, n);
}

struct rbuf
rbuf_sub(struct rbuf *r, size_t n)
{
	struct rbuf sub;
	const uint8_t *p;

	p = rbuf_bytes(r, n);
	rbuf_init(&sub, p, n);
	sub.err = p == NULL;
	return (sub);
}

void
rbuf_str(struct rbuf *r, char *dst, size_t cap)
{
	const uint8_t *p;
	uint16_t n;

	if (cap == 0) {
		r->err = 1;
		return;
	}
	dst[0] = '\0';
	n = rbuf_u16(r);
	if (n >= cap)
		r->err = 1;
	if ((p = rbuf_bytes(r, n)) == NULL)
		return;
	if (memchr(p, '\0', n) != NULL) {
		r->err = 1;
		return;
	}
	memcpy(dst, p, n);
	dst[n] = '\0';
}

void
wbuf_init(struct wbuf *w, void *p, size_t cap)
{
	w->p = p;
	w->cap = p == NULL ? 0 : cap;
	w->len = 0;
	w->err = 0;
}

int
wbuf_ok(const struct wbuf *w)
{
	return (!w->err);
}

void
wbuf_fail(struct wbuf *w)
{
	w->err = 1;
}

/* Every append ends here; len never exceeds cap. */
uint8_t *
wbuf_room(struct wbuf *w, size_t n)
{
	uint8_t *p;

	if (w->err || w->p == NULL || n > w->cap - w->len) {
		w->err = 1;
		return (NULL);
	}
	p = w->p + w->len;
	w->len += n;
	return (p);
}

static void
put_be(uint8_t *p, uint64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void
wbuf_be(struct wbuf *w, uint64_t v, size_t n)
{
	uint8_t *p;

	if ((p = wbuf_room(w, n)) != NULL)
		put_be(p, v, n);
}

void
wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_be(w, v, 1);
}

void
wbuf_u16(struct wbuf *w, uint16_t v)
{
	wbuf_be(w, v, 2);
}

void
wbuf_u32(struct wbuf *w, uint32_t v)
{
	wbuf_be(w, v, 4);
}

void
wbuf_u64(struct wbuf *w, uint64_t v)
{
	wbuf_be(w, v, 8);
}

void
wbuf_h16(struct wbuf *w, uint16_t v)
{
	wbuf_bytes(w, &v, sizeof(v));
}

void
wbuf_h32(struct wbuf *w, uint32_t v)
{
	wbuf_bytes(w, &v, sizeof(v));
}

void
wbuf_h64(struct wbuf *w, uint64_t v)
{
	wbuf_bytes(w, &v, sizeof(v));
}

void
wbuf_bytes(struct wbuf *w, const void *src, size_t n)
{
	uint8_t *p;

	if (n == 0)
		return;
	if ((p = wbuf_room(w, n)) != NULL)
		memcpy(p, src, n);
}

void
wbuf_zero(struct wbuf *w, size_t n)
{
	uint8_t *p;

	if (n == 0)
		return;
	if ((p = wbuf_room(w, n)) != NULL)
		memset(p, 0, n);
}

void
wbuf_str(struct wbuf *w, const char *s)
{
	size_t n = strlen(s);

	if (n > UINT16_MAX) {
		w->err = 1;
		return;
	}
	wbuf_u16(w, (uint16_t)n);
	wbuf_bytes(w, s, n);
}

/* A place of n octets that has been written already, or NULL and error. */
static uint8_t *
wbuf_at(struct wbuf *w, size_t off, size_t n)
{
	if (w->err || n > w->len || off > w->len - n) {
		w->err = 1;
		return (NULL);
	}
	return (w->p + off);
}

void
wbuf_patch_u8(struct wbuf *w, size_t off, uint8_t v)
{
	uint8_t *p;

	if ((p = wbuf_at(w, off, 1)) != NULL)
		*p = v;
}

void
wbuf_patch_u16(struct wbuf *w, size_t off, uint16_t v)
{
	uint8_t *p;

	if ((p = wbuf_at(w, off, 2)) != NULL)
		put_be(p, v, 2);
}

void
wbuf_patch_u32(struct wbuf *w, size_t off, uint32_t v)
{
	uint8_t *p;

	if ((p = wbuf_at(w, off, 4)) != NULL)
		put_be(p, v, 4);
}

void
wbuf_patch_h16(struct wbuf *w, size_t off, uint16_t v)
{
	uint8_t *p;

	if ((p = wbuf_at(w, off, sizeof(v))) != NULL)
		memcpy(p, &v, sizeof(v));
}
