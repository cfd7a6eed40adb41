/* SPDX-License-Identifier: ISC */
/* Whatever a raw socket gives: never accepted unless it carries our cookie. */

#include <stdlib.h>
#include <string.h>

#include "keepalive/icmp.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Not a key that a mutant could meet. */
	static const uint8_t key[ICMP_KEYLEN] = { 0x5a, 0x11, 0xc3, 9, 0x77,
	    1, 0xfe, 3, 0x42, 7, 0x99, 2, 0xab, 8, 0x10, 0x6d };
	struct addr a4 = { .fam = ADDR_V4, .b = { 10, 2, 0, 1 } };
	struct addr a6 = { .fam = ADDR_V6, .b = { 0x20, 1, 0xd, 0xb8 } };
	uint8_t reply[24 + ICMP_PROBELEN], req[ICMP_PROBELEN];
	struct probe p, q;
	uint16_t sum;

	if (icmp_parse(data, len, len, ADDR_V4, &a4, key, &p) == 0 ||
	    icmp_parse(data, len, len, ADDR_V6, &a6, key, &p) == 0)
		abort();
	/* A true reply to a probe made of the input comes back whole. */
	if (len < sizeof(p))
		return (0);
	memset(&p, 0, sizeof(p));
	memcpy(&p.slot, data, 4);
	memcpy(&p.id, data + 4, 4);
	memcpy(&p.seq, data + 8, 4);
	memcpy(&p.sent_us, data + 12, 8);
	if (icmp_build(req, key, 1, &a4, &p) == -1)
		abort();
	memset(reply, 0, sizeof(reply));
	reply[0] = 0x46;
	reply[9] = 1;
	memcpy(reply + 24, req, sizeof(req));
	reply[24] = reply[26] = reply[27] = 0;
	sum = icmp_cksum(reply + 24, ICMP_PROBELEN);
	reply[26] = (uint8_t)(sum >> 8);
	reply[27] = (uint8_t)sum;
	if (icmp_parse(reply, sizeof(reply), sizeof(reply), ADDR_V4, &a4, key, &q) == -1 ||
	    q.slot != p.slot || q.id != p.id || q.seq != p.seq ||
	    q.sent_us != p.sent_us)
		abort();
	return (0);
}
