/* SPDX-License-Identifier: ISC */
/* Probes that know their own replies. */

#include <atf-c.h>

#include <string.h>

#include "keepalive/icmp.h"

static const uint8_t key[ICMP_KEYLEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15 };
static const struct probe sent = { .slot = 3, .id = 77, .seq = 0x12345,
    .sent_us = 1234567890123 };

/* What the far kernel makes of it: the type changes and the sum with it. */
static size_t
echo(uint8_t *pkt, const uint8_t *req, int v6)
{
	size_t off = v6 ? 0 : 24;	/* a header with an option */
	uint16_t sum;

	memset(pkt, 0, 24);
	if (!v6) {
		pkt[0] = 0x46;
		pkt[9] = 1;
	}
	memcpy(pkt + off, req, ICMP_PROBELEN);
	pkt[off] = v6 ? 129 : 0;
	if (!v6) {
		pkt[off + 2] = pkt[off + 3] = 0;
		sum = icmp_cksum(pkt + off, ICMP_PROBELEN);
		pkt[off + 2] = (uint8_t)(sum >> 8);
		pkt[off + 3] = (uint8_t)sum;
	}
	return (off + ICMP_PROBELEN);
}

ATF_TC_WITHOUT_HEAD(siphash_vectors);
ATF_TC_BODY(siphash_vectors, tc)
{
	uint8_t in[15];
	size_t i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	/* The paper's appendix A, and the first of its authors' table. */
	ATF_CHECK_EQ(0xa129ca6149be45e5ULL, siphash24(key, in, 15));
	ATF_CHECK_EQ(0x726fdb47dd0e0e31ULL, siphash24(key, in, 0));
}

ATF_TC_WITHOUT_HEAD(checksum);
ATF_TC_BODY(checksum, tc)
{
	/* RFC 1071 3: the sum of this is ddf2. */
	const uint8_t rfc[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	ATF_CHECK_EQ((uint16_t)~0xddf2, icmp_cksum(rfc, sizeof(rfc)));
	ATF_CHECK_EQ((uint16_t)~0x0100, icmp_cksum("\x01", 1));
}

static void
roundtrip(const char *dst, const char *elsewhere, int v6)
{
	enum addr_family fam = v6 ? ADDR_V6 : ADDR_V4;
	uint8_t req[ICMP_PROBELEN], pkt[128], bad[128], key2[ICMP_KEYLEN];
	struct addr a, b;
	struct probe got;
	size_t len, i, off = v6 ? 0 : 24;

	ATF_REQUIRE_EQ(0, addr_parse(&a, dst));
	ATF_REQUIRE_EQ(0, addr_parse(&b, elsewhere));
	ATF_REQUIRE_EQ(0, icmp_build(req, key, 0xbeef, &a, &sent));
	ATF_CHECK_EQ(v6 ? 128 : 8, req[0]);
	ATF_CHECK_EQ(0xbe, req[4]);
	ATF_CHECK_EQ(0x23, req[6]);
	ATF_CHECK_EQ(0x45, req[7]);
	if (!v6)
		ATF_CHECK_EQ(0, icmp_cksum(req, sizeof(req)));
	len = echo(pkt, req, v6);
	ATF_REQUIRE_EQ(0, icmp_parse(pkt, len, len, fam, &a, key, &got));
	ATF_CHECK_EQ(3, got.slot);
	ATF_CHECK_EQ(77, got.id);
	ATF_CHECK_EQ(0x12345, got.seq);
	ATF_CHECK_EQ(1234567890123, got.sent_us);
	/* From another address, with another key, of another family. */
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, fam, &b, key, &got));
	memcpy(key2, key, sizeof(key2));
	key2[15] ^= 1;
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, fam, &a, key2, &got));
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, v6 ? ADDR_V4 : ADDR_V6, &a, key,
	    &got));
	/* Our own request, seen by our own socket, is no reply. */
	memcpy(bad, pkt, len);
	memcpy(bad + off, req, sizeof(req));
	ATF_CHECK_EQ(-1, icmp_parse(bad, len, len, fam, &a, key, &got));
	/* Cut, longer, or with any octet of the payload's head changed. */
	for (i = 0; i < len; i++)
		ATF_CHECK_EQ(-1, icmp_parse(pkt, i, i, fam, &a, key, &got));
	memcpy(bad, pkt, len);
	bad[len] = 0;
	ATF_CHECK_EQ(-1, icmp_parse(bad, len + 1, len + 1, fam, &a, key, &got));
	for (i = off + 8; i < off + 40; i++) {
		memcpy(bad, pkt, len);
		bad[i] ^= 0x10;
		if (!v6) {	/* with the sum right again */
			bad[off] = 0;
			bad[off + 2] = bad[off + 3] = 0;
			uint16_t sum = icmp_cksum(bad + off, ICMP_PROBELEN);
			bad[off + 2] = (uint8_t)(sum >> 8);
			bad[off + 3] = (uint8_t)sum;
		}
		ATF_CHECK_EQ_MSG(-1, icmp_parse(bad, len, len, fam, &a, key, &got),
		    "octet %zu", i);
	}
}

/* A long one, of which the socket keeps the beginning only. */
ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	struct probe p = sent, got;
	uint8_t req[ICMP_PROBELEN], pkt[128];
	struct addr a;
	size_t len;

	p.size = 1400;
	ATF_REQUIRE_EQ(0, addr_parse(&a, "10.2.0.1"));
	ATF_REQUIRE_EQ(0, icmp_build(req, key, 1, &a, &p));
	len = echo(pkt, req, 0);
	ATF_REQUIRE_EQ(0, icmp_parse(pkt, len, 24 + 1400, ADDR_V4, &a, key,
	    &got));
	ATF_CHECK_EQ(1400, got.size);
	/* An answer of another length is none: the path has not carried that much. */
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, 24 + 1399, ADDR_V4, &a, key,
	    &got));
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len - 1, ADDR_V4, &a, key,
	    &got));
	/* Whole and short: as long as all are. */
	p.size = 1;
	ATF_REQUIRE_EQ(0, icmp_build(req, key, 1, &a, &p));
	len = echo(pkt, req, 0);
	ATF_REQUIRE_EQ(0, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
	ATF_CHECK_EQ(ICMP_PROBELEN, got.size);
}

ATF_TC_WITHOUT_HEAD(ipv4);
ATF_TC_BODY(ipv4, tc)
{
	uint8_t req[ICMP_PROBELEN], pkt[128];
	struct probe got;
	struct addr a;
	size_t len;

	roundtrip("10.2.0.1", "10.2.0.2", 0);
	ATF_REQUIRE_EQ(0, addr_parse(&a, "10.2.0.1"));
	ATF_REQUIRE_EQ(0, icmp_build(req, key, 1, &a, &sent));
	len = echo(pkt, req, 0);
	pkt[30] ^= 1;		/* the sum is wrong now */
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
	pkt[30] ^= 1;
	pkt[9] = 17;
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
	pkt[9] = 1;
	pkt[0] = 0x44;
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
	pkt[0] = 0x4f;
	ATF_CHECK_EQ(-1, icmp_parse(pkt, len, len, ADDR_V4, &a, key, &got));
}

ATF_TC_WITHOUT_HEAD(ipv6);
ATF_TC_BODY(ipv6, tc)
{
	roundtrip("2001:db8::1", "2001:db8::2", 1);
}

ATF_TC_WITHOUT_HEAD(no_family);
ATF_TC_BODY(no_family, tc)
{
	uint8_t req[ICMP_PROBELEN];
	struct addr none = { .fam = ADDR_NONE };

	ATF_CHECK_EQ(-1, icmp_build(req, key, 1, &none, &sent));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, siphash_vectors);
	ATF_TP_ADD_TC(tp, checksum);
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, ipv4);
	ATF_TP_ADD_TC(tp, ipv6);
	ATF_TP_ADD_TC(tp, no_family);
	return (atf_no_error());
}
