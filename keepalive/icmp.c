/* SPDX-License-Identifier: ISC */
/* Echo requests that know their own. */

#include <string.h>

#include "base/buf.h"
#include "keepalive/icmp.h"

#define MAGIC		0x696b6570u	/* "ikep" */
#define IPPROTO_ICMP4	1
#define ECHO4_REQUEST	8		/* RFC 792 */
#define ECHO4_REPLY	0
#define ECHO6_REQUEST	128		/* RFC 4443 */
#define ECHO6_REPLY	129

uint16_t
icmp_cksum(const void *data, size_t len)
{
	struct rbuf r;
	uint32_t sum = 0;

	rbuf_init(&r, data, len);
	while (rbuf_left(&r) >= 2)
		sum += rbuf_u16(&r);
	if (rbuf_left(&r) == 1)
		sum += (uint32_t)rbuf_u8(&r) << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ((uint16_t)~sum);
}

static uint64_t
cookie(const uint8_t key[ICMP_KEYLEN], const struct addr *dst,
    const struct probe *p)
{
	uint8_t buf[64];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, p->slot);
	wbuf_u32(&w, p->id);
	wbuf_u32(&w, p->seq);
	wbuf_u64(&w, (uint64_t)p->sent_us);
	wbuf_u16(&w, p->size);
	wbuf_u8(&w, dst->fam);
	wbuf_bytes(&w, dst->b, addr_len(dst));
	return (siphash24(key, buf, w.len));
}

int
icmp_build(uint8_t buf[ICMP_PROBELEN], const uint8_t key[ICMP_KEYLEN],
    uint16_t ident, const struct addr *dst, const struct probe *probe)
{
	struct probe sized = *probe, *p = &sized;
	struct wbuf w;

	if (dst->fam != ADDR_V4 && dst->fam != ADDR_V6)
		return (-1);
	if (p->size < ICMP_PROBELEN)
		p->size = ICMP_PROBELEN;
	wbuf_init(&w, buf, ICMP_PROBELEN);
	wbuf_u8(&w, dst->fam == ADDR_V4 ? ECHO4_REQUEST : ECHO6_REQUEST);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, 0);		/* checksum, later */
	wbuf_u16(&w, ident);
	wbuf_u16(&w, (uint16_t)p->seq);
	wbuf_u32(&w, MAGIC);
	wbuf_u32(&w, p->slot);
	wbuf_u32(&w, p->id);
	wbuf_u32(&w, p->seq);
	wbuf_u64(&w, (uint64_t)p->sent_us);
	wbuf_u16(&w, p->size);
	wbuf_u64(&w, cookie(key, dst, p));
	wbuf_zero(&w, ICMP_PROBELEN - w.len);
	if (dst->fam == ADDR_V4)
		wbuf_patch_u16(&w, 2, icmp_cksum(buf, ICMP_PROBELEN));
	return (wbuf_ok(&w) ? 0 : -1);
}

/* Leaves r at the ICMP header.  The kernel has checked the header's sum. */
static int
skip_ip4(struct rbuf *r)
{
	uint8_t vihl = rbuf_u8(r);
	uint8_t proto;

	if (vihl >> 4 != 4 || (vihl & 15) < 5)
		return (-1);
	rbuf_skip(r, 8);
	proto = rbuf_u8(r);
	rbuf_skip(r, (size_t)(vihl & 15) * 4 - 10);
	return (rbuf_ok(r) && proto == IPPROTO_ICMP4 ? 0 : -1);
}

int
icmp_cookie_get(struct rbuf *r, const struct addr *dst,
    const uint8_t key[ICMP_KEYLEN], struct probe *p)
{
	uint64_t said;
	uint32_t magic = rbuf_u32(r);

	memset(p, 0, sizeof(*p));
	p->slot = rbuf_u32(r);
	p->id = rbuf_u32(r);
	p->seq = rbuf_u32(r);
	p->sent_us = (int64_t)rbuf_u64(r);
	p->size = rbuf_u16(r);
	said = rbuf_u64(r);
	if (rbuf_ok(r) && magic == MAGIC && said == cookie(key, dst, p))
		return (0);
	memset(p, 0, sizeof(*p));
	return (-1);
}

int
icmp_parse(const void *pkt, size_t len, size_t whole, enum addr_family fam,
    const struct addr *from, const uint8_t key[ICMP_KEYLEN], struct probe *p)
{
	struct rbuf r, all;
	uint8_t type, code;
	size_t size;

	memset(p, 0, sizeof(*p));
	rbuf_init(&r, pkt, len);
	if (from->fam != fam || (fam != ADDR_V4 && fam != ADDR_V6) ||
	    whole < len || (fam == ADDR_V4 && skip_ip4(&r) == -1))
		return (-1);
	size = rbuf_left(&r) + (whole - len);
	all = r;
	/* Of a long one only the beginning is here; the cookie covers what counts. */
	if (fam == ADDR_V4 && whole == len &&
	    icmp_cksum(rbuf_bytes(&all, size), size) != 0)
		return (-1);
	type = rbuf_u8(&r);
	code = rbuf_u8(&r);
	if (type != (fam == ADDR_V4 ? ECHO4_REPLY : ECHO6_REPLY) || code != 0)
		return (-1);
	rbuf_skip(&r, 6);	/* checksum, identifier, sequence number */
	if (icmp_cookie_get(&r, from, key, p) == -1)
		return (-1);
	if (p->size != size) {
		memset(p, 0, sizeof(*p));
		return (-1);
	}
	return (0);
}
