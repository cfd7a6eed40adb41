/* SPDX-License-Identifier: ISC */
/* DNS messages, as far as a probe needs them (RFC 1035 4.1). */

#include <string.h>

#include "keepalive/dns.h"

#define HDRLEN		12
#define F_QR		0x8000	/* an answer */
#define F_OPCODE	0x7800
#define F_TC		0x0200	/* cut to what fits */
#define F_RD		0x0100	/* please ask others */
#define CLASS_IN	1
#define POINTER		0xc0
#define LABELMAX	63
#define LABELS		128	/* no name has more */

static void
put_name(struct wbuf *w, const char *name)
{
	size_t n;

	while (*name != '\0' && strcmp(name, ".") != 0) {
		n = strcspn(name, ".");
		if (n == 0 || n > LABELMAX) {
			wbuf_fail(w);
			return;
		}
		wbuf_u8(w, (uint8_t)n);
		wbuf_bytes(w, name, n);
		name += n + (name[n] == '.');
	}
	wbuf_u8(w, 0);
}

void
dns_build(struct wbuf *w, uint16_t id, const char *name, uint16_t qtype)
{
	wbuf_u16(w, id);
	wbuf_u16(w, F_RD);
	wbuf_u16(w, 1);		/* one question and nothing else */
	wbuf_u16(w, 0);
	wbuf_u16(w, 0);
	wbuf_u16(w, 0);
	put_name(w, name);
	wbuf_u16(w, qtype);
	wbuf_u16(w, CLASS_IN);
}

static uint8_t
lower(uint8_t c)
{
	return (c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c);
}

/* The question is repeated, perhaps in other case (RFC 4343); never compressed. */
static void
same_question(struct rbuf *r, const char *name, uint16_t qtype)
{
	uint8_t q[DNS_QUERYMAX];
	struct wbuf w;
	size_t i;

	wbuf_init(&w, q, sizeof(q));
	put_name(&w, name);
	wbuf_u16(&w, qtype);
	wbuf_u16(&w, CLASS_IN);
	if (!wbuf_ok(&w))
		rbuf_fail(r);
	for (i = 0; i < w.len && rbuf_ok(r); i++)
		if (i + 4 < w.len ? lower(rbuf_u8(r)) != lower(q[i]) :
		    rbuf_u8(r) != q[i])
			rbuf_fail(r);
}

/* Labels, or labels and a pointer to what stands before. */
static void
skip_name(struct rbuf *r)
{
	size_t at;
	unsigned int i;
	uint16_t to;
	uint8_t n;

	for (i = 0; i < LABELS && rbuf_ok(r); i++) {
		at = r->off;
		n = rbuf_u8(r);
		if (n == 0)
			return;
		if ((n & POINTER) == POINTER) {
			to = (uint16_t)((n & ~POINTER) << 8 | rbuf_u8(r));
			if (to < HDRLEN || to >= at)
				rbuf_fail(r);
			return;
		}
		if (n > LABELMAX)
			rbuf_fail(r);
		rbuf_skip(r, n);
	}
	rbuf_fail(r);
}

static void
skip_record(struct rbuf *r)
{
	skip_name(r);
	rbuf_skip(r, 2 + 2 + 4);	/* type, class, TTL */
	rbuf_skip(r, rbuf_u16(r));
}

int
dns_answers(const void *pkt, size_t len, uint16_t id, const char *name,
    uint16_t qtype)
{
	struct rbuf r;
	uint32_t n;
	uint16_t flags;

	rbuf_init(&r, pkt, len);
	if (rbuf_u16(&r) != id)
		return (0);
	flags = rbuf_u16(&r);
	if ((flags & F_QR) == 0 || (flags & F_OPCODE) != 0 || rbuf_u16(&r) != 1)
		return (0);
	n = rbuf_u16(&r);
	n += rbuf_u16(&r);
	n += rbuf_u16(&r);
	same_question(&r, name, qtype);
	if (!rbuf_ok(&r))
		return (0);
	if (flags & F_TC)
		return (1);
	while (n-- > 0 && rbuf_ok(&r))
		skip_record(&r);
	return (rbuf_ok(&r) && rbuf_left(&r) == 0);
}
