/* SPDX-License-Identifier: ISC */
/* ICMP errors: which quote a probe of ours, and how much they must quote. */

#include <atf-c.h>

#include <string.h>

#include "keepalive/icmp_error.h"

#define IDENT	0x4d21

static const uint8_t key[ICMP_KEYLEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15 };
static const struct probe sent = { .slot = 3, .id = 77, .seq = 0x12345,
    .size = ICMP_PROBELEN, .sent_us = 1234567890123 };

static struct addr
A(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, s));
	return (a);
}

/* An error of that type about p, as a raw socket gives it; where our ICMP begins. */
static size_t
make(uint8_t pkt[192], int v6, uint8_t type, uint8_t code, uint32_t rest,
    const struct probe *p)
{
	struct addr src = A(v6 ? "2001:db8::1" : "10.1.0.1");
	struct addr dst = A(v6 ? "2001:db8:2::1" : "10.2.0.1");
	size_t at = v6 ? 0 : 24;	/* a header with an option */

	memset(pkt, 0, 192);
	if (!v6) {
		pkt[0] = 0x46;
		pkt[9] = 1;
	}
	pkt[at] = type;
	pkt[at + 1] = code;
	pkt[at + 4] = (uint8_t)(rest >> 24);
	pkt[at + 5] = (uint8_t)(rest >> 16);
	pkt[at + 6] = (uint8_t)(rest >> 8);
	pkt[at + 7] = (uint8_t)rest;
	at += 8;
	if (v6) {
		pkt[at] = 0x60;
		pkt[at + 6] = 58;
		memcpy(pkt + at + 8, src.b, 16);
		memcpy(pkt + at + 24, dst.b, 16);
		at += 40;
	} else {
		pkt[at] = 0x45;
		pkt[at + 6] = 0x40;	/* do not fragment */
		pkt[at + 9] = 1;
		memcpy(pkt + at + 12, src.b, 4);
		memcpy(pkt + at + 16, dst.b, 4);
		at += 20;
	}
	ATF_REQUIRE_EQ(0, icmp_build(pkt + at, key, IDENT, &dst, p));
	return (at);
}

static int
parse(const uint8_t *pkt, size_t len, int v6, struct icmp_error *e)
{
	return (icmp_error_parse(pkt, len, v6 ? ADDR_V6 : ADDR_V4, key, IDENT,
	    e));
}

ATF_TC_WITHOUT_HEAD(kinds);
ATF_TC_BODY(kinds, tc)
{
	static const struct {
		int			v6;
		uint8_t			type, code;
		uint32_t		rest;
		enum icmp_error_kind	kind;	/* 0: none */
		uint32_t		mtu;
	} t[] = {
		{ 0, 11, 0, 0, ICMP_EXPIRED, 0 },
		{ 0, 11, 1, 0, 0, 0 },		/* reassembly: not on the way */
		{ 0, 3, 1, 0, ICMP_UNREACHABLE, 0 },
		{ 0, 3, 13, 0, ICMP_UNREACHABLE, 0 },
		{ 0, 3, 4, 1400, ICMP_TOOBIG, 1400 },
		{ 0, 3, 4, 0x00100578, ICMP_TOOBIG, 1400 },	/* RFC 4884's length */
		{ 0, 12, 0, 0, 0, 0 },
		{ 0, 0, 0, 0, 0, 0 },
		{ 1, 3, 0, 0, ICMP_EXPIRED, 0 },
		{ 1, 3, 1, 0, 0, 0 },
		{ 1, 1, 4, 0, ICMP_UNREACHABLE, 0 },
		{ 1, 2, 0, 1280, ICMP_TOOBIG, 1280 },
		{ 1, 11, 0, 0, 0, 0 },
		{ 1, 129, 0, 0, 0, 0 },
	};
	struct icmp_error e;
	struct addr dst;
	uint8_t pkt[192];
	size_t at, i;
	int r;

	(void)tc;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		at = make(pkt, t[i].v6, t[i].type, t[i].code, t[i].rest, &sent);
		r = parse(pkt, at + ICMP_PROBELEN, t[i].v6, &e);
		ATF_CHECK_EQ_MSG(t[i].kind == 0 ? -1 : 0, r, "%zu", i);
		if (r == -1)
			continue;
		dst = A(t[i].v6 ? "2001:db8:2::1" : "10.2.0.1");
		ATF_CHECK_EQ(t[i].kind, e.kind);
		ATF_CHECK_EQ(t[i].mtu, e.mtu);
		ATF_CHECK_EQ(1, e.whole);
		ATF_CHECK_EQ(sent.seq, e.p.seq);
		ATF_CHECK_EQ(0, addr_cmp(&dst, &e.dst));
		ATF_CHECK_EQ(1, icmp_quotes(&e, key, IDENT, &dst, &sent));
		/* not of the other family */
		ATF_CHECK_EQ(-1, parse(pkt, at + ICMP_PROBELEN, !t[i].v6, &e));
	}
}

/* Eight octets of ICMP will do, for a probe that is known to be out. */
ATF_TC_WITHOUT_HEAD(little);
ATF_TC_BODY(little, tc)
{
	struct addr dst = A("10.2.0.1"), other = A("10.2.0.2");
	struct icmp_error e;
	struct probe p;
	uint8_t pkt[192];
	size_t at, n;

	(void)tc;
	at = make(pkt, 0, 11, 0, 0, &sent);
	for (n = 0; n <= ICMP_PROBELEN; n++) {
		ATF_CHECK_EQ_MSG(n < 8 ? -1 : 0, parse(pkt, at + n, 0, &e),
		    "%zu", n);
		if (n < 8)
			continue;
		ATF_CHECK_EQ_MSG(n >= 8 + ICMP_COOKIELEN, e.whole, "%zu", n);
		ATF_CHECK_EQ(1, icmp_quotes(&e, key, IDENT, &dst, &sent));
		ATF_CHECK_EQ(0, icmp_quotes(&e, key, IDENT, &other, &sent));
		p = sent;
		p.seq++;
		ATF_CHECK_EQ(0, icmp_quotes(&e, key, IDENT, &dst, &p));
		p = sent;
		p.sent_us++;
		ATF_CHECK_EQ(0, icmp_quotes(&e, key, IDENT, &dst, &p));
		p = sent;
		p.id++;
		ATF_CHECK_EQ(0, icmp_quotes(&e, key, IDENT, &dst, &p));
	}
	/* IPv6 has room for all of it. */
	at = make(pkt, 1, 3, 0, 0, &sent);
	for (n = 0; n < 8 + ICMP_COOKIELEN; n++)
		ATF_CHECK_EQ(-1, parse(pkt, at + n, 1, &e));
	ATF_CHECK_EQ(0, parse(pkt, at + n, 1, &e));
}

/* Every octet that is not as it was sent is noticed, where there is a cookie. */
ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	struct icmp_error e;
	uint8_t pkt[192];
	size_t at, i;
	int v6;

	(void)tc;
	for (v6 = 0; v6 < 2; v6++) {
		at = make(pkt, v6, v6 ? 3 : 11, 0, 0, &sent);
		for (i = 0; i < 8 + ICMP_COOKIELEN; i++) {
			if (i == 2 || i == 3 || i == 6 || i == 7)
				continue;	/* the sum, and the short number */
			pkt[at + i] ^= 0x10;
			ATF_CHECK_EQ_MSG(-1, parse(pkt, at + ICMP_PROBELEN, v6,
			    &e), "octet %zu", i);
			pkt[at + i] ^= 0x10;
		}
		/* another target, another key, another process's identifier */
		pkt[at - 1] ^= 1;
		ATF_CHECK_EQ(-1, parse(pkt, at + ICMP_PROBELEN, v6, &e));
		pkt[at - 1] ^= 1;
		ATF_CHECK_EQ(0, parse(pkt, at + ICMP_PROBELEN, v6, &e));
		ATF_CHECK_EQ(-1, icmp_error_parse(pkt, at + ICMP_PROBELEN,
		    v6 ? ADDR_V6 : ADDR_V4, key, IDENT + 1, &e));
	}
	/* A later fragment, and something that is not ICMP. */
	at = make(pkt, 0, 11, 0, 0, &sent);
	pkt[24 + 8 + 7] = 1;
	ATF_CHECK_EQ(-1, parse(pkt, at + ICMP_PROBELEN, 0, &e));
	pkt[24 + 8 + 7] = 0;
	pkt[24 + 8 + 9] = 17;
	ATF_CHECK_EQ(-1, parse(pkt, at + ICMP_PROBELEN, 0, &e));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, kinds);
	ATF_TP_ADD_TC(tp, little);
	ATF_TP_ADD_TC(tp, forged);
	return (atf_no_error());
}
