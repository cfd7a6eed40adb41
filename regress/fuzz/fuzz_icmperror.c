/* SPDX-License-Identifier: ISC */
/*
 * ICMP errors as a raw socket gives them: never taken for one about a probe of ours
 * unless they quote one.  The first octet says what of a true quote is kept.
 */

#include <stdlib.h>
#include <string.h>

#include "keepalive/icmp_error.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Not a key that a mutant could meet. */
static const uint8_t key[ICMP_KEYLEN] = { 0x11, 0xf0, 0xc3, 9, 0x77, 1, 0xfe,
    3, 0x42, 7, 0x99, 2, 0xab, 8, 0x10, 0x6d };
#define IDENT	0x4d21

/* A time exceeded about p, with that much of it; its length. */
static size_t
quote(uint8_t buf[256], const struct addr *dst, const struct probe *p,
    size_t kept)
{
	uint8_t req[ICMP_PROBELEN];

	memset(buf, 0, 256);
	buf[0] = 0x45;
	buf[9] = 1;
	buf[20] = 11;
	buf[28] = 0x46;			/* with an option */
	buf[28 + 9] = 1;
	memcpy(buf + 28 + 16, dst->b, 4);
	if (icmp_build(req, key, IDENT, dst, p) == -1)
		abort();
	memcpy(buf + 52, req, kept);
	return (52 + kept);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct addr dst = { .fam = ADDR_V4, .b = { 10, 2, 0, 1 } };
	struct icmp_error e;
	uint8_t buf[256];
	struct probe p;
	size_t kept, n;

	if (icmp_error_parse(data, len, ADDR_V4, key, IDENT, &e) == 0 &&
	    e.whole)
		abort();
	if (icmp_error_parse(data, len, ADDR_V6, key, IDENT, &e) == 0)
		abort();	/* IPv6 quotes are whole or nothing */
	if (len < 24)
		return (0);
	memset(&p, 0, sizeof(p));
	memcpy(&p.slot, data, 4);
	memcpy(&p.id, data + 4, 4);
	memcpy(&p.seq, data + 8, 4);
	memcpy(&p.sent_us, data + 12, 8);
	p.size = ICMP_PROBELEN;
	kept = data[20] % (ICMP_PROBELEN + 1);
	n = quote(buf, &dst, &p, kept);
	if (icmp_error_parse(buf, n, ADDR_V4, key, IDENT, &e) == 0) {
		if (kept < 8 || e.kind != ICMP_EXPIRED ||
		    !icmp_quotes(&e, key, IDENT, &dst, &p))
			abort();
		p.seq ^= 1;
		if (icmp_quotes(&e, key, IDENT, &dst, &p))
			abort();
	} else if (kept >= 8)
		abort();
	/* One octet of it is another one: whatever it is, it is no other probe's. */
	p.seq = 1;
	n = quote(buf, &dst, &p, ICMP_PROBELEN);
	buf[52 + 12 + data[21] % 30] ^= (uint8_t)(data[22] | 1);
	if (icmp_error_parse(buf, n, ADDR_V4, key, IDENT, &e) == 0)
		abort();
	return (0);
}
