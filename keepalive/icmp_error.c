/* SPDX-License-Identifier: ISC */
/* ICMP errors that quote one of our probes.  Pure. */

#include <string.h>

#include "base/buf.h"
#include "keepalive/icmp_error.h"

#define PROTO_ICMP	1
#define PROTO_ICMPV6	58
#define ECHO4_REQUEST	8	/* RFC 792 */
#define UNREACH4	3
#define UNREACH4_NEEDFRAG 4	/* code; RFC 1191 4: the MTU is in the last two octets */
#define EXPIRED4	11
#define ECHO6_REQUEST	128	/* RFC 4443 */
#define UNREACH6	1
#define TOOBIG6		2
#define EXPIRED6	3

static void
take_addr(struct rbuf *r, enum addr_family fam, struct addr *a)
{
	const uint8_t *p;

	memset(a, 0, sizeof(*a));
	a->fam = (uint8_t)fam;
	if ((p = rbuf_bytes(r, addr_len(a))) != NULL)
		memcpy(a->b, p, addr_len(a));
}

/* An IPv4 header; r is left at what follows.  -1: none, or a fragment but the first. */
static int
ip4(struct rbuf *r, struct addr *src, struct addr *dst)
{
	uint8_t vihl = rbuf_u8(r), proto;
	uint16_t frag;

	if (vihl >> 4 != 4 || (vihl & 15) < 5)
		return (-1);
	rbuf_skip(r, 5);
	frag = rbuf_u16(r);
	rbuf_skip(r, 1);
	proto = rbuf_u8(r);
	rbuf_skip(r, 2);
	take_addr(r, ADDR_V4, src);
	take_addr(r, ADDR_V4, dst);
	rbuf_skip(r, (size_t)(vihl & 15) * 4 - 20);
	return (rbuf_ok(r) && proto == PROTO_ICMP && (frag & 0x1fff) == 0 ? 0 :
	    -1);
}

/* Ours have no extension headers. */
static int
ip6(struct rbuf *r, struct addr *src, struct addr *dst)
{
	uint8_t v = rbuf_u8(r), next;

	rbuf_skip(r, 5);
	next = rbuf_u8(r);
	rbuf_skip(r, 1);
	take_addr(r, ADDR_V6, src);
	take_addr(r, ADDR_V6, dst);
	return (rbuf_ok(r) && v >> 4 == 6 && next == PROTO_ICMPV6 ? 0 : -1);
}

static int
kind4(uint8_t type, uint8_t code, uint32_t rest, struct icmp_error *e)
{
	switch (type) {
	case EXPIRED4:
		e->kind = ICMP_EXPIRED;
		return (code == 0 ? 0 : -1);	/* 1: while reassembling */
	case UNREACH4:
		e->kind = code == UNREACH4_NEEDFRAG ? ICMP_TOOBIG :
		    ICMP_UNREACHABLE;
		if (e->kind == ICMP_TOOBIG)
			e->mtu = rest & 0xffff;
		return (0);
	default:
		return (-1);
	}
}

static int
kind6(uint8_t type, uint8_t code, uint32_t rest, struct icmp_error *e)
{
	switch (type) {
	case EXPIRED6:
		e->kind = ICMP_EXPIRED;
		return (code == 0 ? 0 : -1);
	case UNREACH6:
		e->kind = ICMP_UNREACHABLE;
		return (0);
	case TOOBIG6:
		e->kind = ICMP_TOOBIG;
		e->mtu = rest;
		return (0);
	default:
		return (-1);
	}
}

int
icmp_error_parse(const void *pkt, size_t len, enum addr_family fam,
    const uint8_t key[ICMP_KEYLEN], uint16_t ident, struct icmp_error *e)
{
	struct addr from, to;
	struct rbuf r;
	uint8_t type, code;
	uint32_t rest;
	size_t left;

	memset(e, 0, sizeof(*e));
	rbuf_init(&r, pkt, len);
	if ((fam != ADDR_V4 && fam != ADDR_V6) ||
	    (fam == ADDR_V4 && ip4(&r, &from, &to) == -1))
		return (-1);
	type = rbuf_u8(&r);
	code = rbuf_u8(&r);
	rbuf_skip(&r, 2);		/* a checksum of more than we have of it */
	rest = rbuf_u32(&r);
	e->code = code;
	if (!rbuf_ok(&r) || (fam == ADDR_V4 ? kind4(type, code, rest, e) :
	    kind6(type, code, rest, e)) == -1)
		return (-1);
	if ((fam == ADDR_V4 ? ip4(&r, &e->src, &e->dst) :
	    ip6(&r, &e->src, &e->dst)) == -1)
		return (-1);
	type = rbuf_u8(&r);
	code = rbuf_u8(&r);
	e->cksum = rbuf_u16(&r);
	e->ident = rbuf_u16(&r);
	e->seq = rbuf_u16(&r);
	if (!rbuf_ok(&r) || type != (fam == ADDR_V4 ? ECHO4_REQUEST :
	    ECHO6_REQUEST) || code != 0 || e->ident != ident)
		return (-1);
	left = rbuf_left(&r);
	if (icmp_cookie_get(&r, &e->dst, key, &e->p) == 0)
		e->whole = 1;
	else if (left >= ICMP_COOKIELEN || fam == ADDR_V6)
		return (-1);		/* it would be there */
	return (0);
}

int
icmp_quotes(const struct icmp_error *e, const uint8_t key[ICMP_KEYLEN],
    uint16_t ident, const struct addr *dst, const struct probe *p)
{
	uint8_t req[ICMP_PROBELEN];
	uint16_t sum;

	if (addr_cmp(&e->dst, dst) != 0)
		return (0);
	if (e->whole)
		return (e->p.slot == p->slot && e->p.id == p->id &&
		    e->p.seq == p->seq && e->p.sent_us == p->sent_us);
	if (e->seq != (uint16_t)p->seq ||
	    icmp_build(req, key, ident, dst, p) == -1)
		return (0);
	sum = (uint16_t)(req[2] << 8 | req[3]);
	return (sum == e->cksum);
}
