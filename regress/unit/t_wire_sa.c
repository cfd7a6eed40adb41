/* SPDX-License-Identifier: ISC */
/*
 * SA and TS payloads: the nested lengths and counts (negative tests 10, 11,
 * 43), and what is only unknown and therefore kept or skipped.
 */

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

static struct wire_msg	m;
static const char	*why;

static enum wire_err
one(uint8_t type, const void *p, size_t n)
{
	uint8_t		*copy = malloc(4 + n);
	enum wire_err	 rv;

	ATF_REQUIRE(copy != NULL && n <= 65531);
	copy[0] = P_NONE;
	copy[1] = 0;
	copy[2] = (uint8_t)((4 + n) >> 8);
	copy[3] = (uint8_t)(4 + n);
	memcpy(copy + 4, p, n);
	rv = wire_decode(type, copy, 4 + n, 28, &m, &why);
	free(copy);
	return (rv);
}

#define BYTES(...)	((const uint8_t []){ __VA_ARGS__ }),			\
	sizeof((const uint8_t []){ __VA_ARGS__ })
#define OK(type, ...)							\
	ATF_CHECK_EQ_MSG(one((type), BYTES(__VA_ARGS__)), WIRE_OK, "%s", why)
#define BAD(words, type, ...) do {						\
	ATF_CHECK_EQ(one((type), BYTES(__VA_ARGS__)), WIRE_MALFORMED);		\
	ATF_CHECK_MSG(why != NULL && strstr(why, (words)) != NULL,		\
	    "not \"%s\" but \"%s\"", (words), why);				\
} while (0)

/* ESP, SPI 0x01020304, AES-GCM-16 with 256 bits, no ESN */
#define GCM		1, 0, 0, 20, 0x80, 14, 1, 0
#define NOESN		5, 0, 0, 0

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	const struct proposal	*p = &m.sa.p[0];

	OK(P_SA, 0, 0, 0, 32, 1, 3, 4, 2, 1, 2, 3, 4, 3, 0, 0, 12, GCM,
	    0, 0, 0, 8, NOESN);
	ATF_CHECK_EQ(m.sa.n, 1);
	ATF_CHECK(p->num == 1 && p->proto == PROTO_ESP && p->spilen == 4 &&
	    p->spi == 0x01020304 && p->nxforms == 2);
	ATF_CHECK(p->xf[0].type == XF_ENCR && p->xf[0].id == ENCR_AES_GCM_16 &&
	    p->xf[0].keybits == 256 && !p->xf[0].bad);
	ATF_CHECK(p->xf[1].type == XF_SN && p->xf[1].id == SN_32 &&
	    p->xf[1].keybits == 0 && !p->xf[1].bad);
	/* reserved octets do not matter */
	OK(P_SA, 0, 9, 0, 32, 1, 3, 4, 2, 1, 2, 3, 4, 3, 9, 0, 12, 1, 9, 0, 20,
	    0x80, 14, 1, 0, 0, 9, 0, 8, 5, 9, 0, 0);
	/* IKE, without SPI and (a rekey) with 8 octets */
	OK(P_SA, 0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 4, 0, 0, 31);
	ATF_CHECK_EQ(m.sa.p[0].spilen, 0);
	OK(P_SA, 0, 0, 0, 24, 1, 1, 8, 1, 1, 2, 3, 4, 5, 6, 7, 8,
	    0, 0, 0, 8, 4, 0, 0, 31);
	ATF_CHECK_EQ(m.sa.p[0].spi, 0x0102030405060708ULL);
	/* an answer has any number */
	OK(P_SA, 0, 0, 0, 16, 7, 1, 0, 1, 0, 0, 0, 8, 4, 0, 0, 31);
	ATF_CHECK_EQ(m.sa.p[0].num, 7);
}

ATF_TC_WITHOUT_HEAD(proposal_lengths);
ATF_TC_BODY(proposal_lengths, tc)
{
	ATF_CHECK_EQ(one(P_SA, "", 0), WIRE_MALFORMED);
	BAD("proposal cut", P_SA, 0, 0, 0);
	BAD("length below 8", P_SA, 0, 0, 0, 0);
	BAD("length below 8", P_SA, 0, 0, 0, 7, 1, 1, 0);
	BAD("longer than its payload", P_SA, 0, 0, 0, 17, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	BAD("longer than its payload", P_SA, 0, 0, 0xff, 0xff, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	BAD("after the last proposal", P_SA, 0, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31, 0);
	/* length leaves the last transform half outside */
	BAD("transform longer", P_SA, 0, 0, 0, 15, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	/* and one octet too much inside */
	BAD("after the last transform", P_SA, 0, 0, 0, 17, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31, 0);
	BAD("without transforms", P_SA, 0, 0, 0, 8, 1, 1, 0, 0);
}

ATF_TC_WITHOUT_HEAD(last_octets);
ATF_TC_BODY(last_octets, tc)
{
	/* of proposals: 0 or 2, and truthful */
	BAD("neither 0 nor 2", P_SA, 3, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	BAD("proposal cut", P_SA, 2, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	BAD("after the last proposal", P_SA, 0, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31, 0, 0, 0, 16, 2, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	OK(P_SA, 2, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 4, 0, 0, 31,
	    0, 0, 0, 16, 2, 1, 0, 1, 0, 0, 0, 8, 4, 0, 0, 31);
	ATF_CHECK_EQ(m.sa.n, 2);
	/* numbers ascend */
	BAD("do not ascend", P_SA, 2, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31, 0, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	BAD("do not ascend", P_SA, 0, 0, 0, 16, 0, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31);
	/* of transforms: 3 until the last of the count, then 0 */
	BAD("contradicts the count", P_SA, 0, 0, 0, 16, 1, 1, 0, 1,
	    3, 0, 0, 8, 4, 0, 0, 31);
	BAD("contradicts the count", P_SA, 0, 0, 0, 24, 1, 1, 0, 2,
	    0, 0, 0, 8, 4, 0, 0, 31, 0, 0, 0, 8, 4, 0, 0, 19);
	BAD("contradicts the count", P_SA, 0, 0, 0, 16, 1, 1, 0, 1,
	    2, 0, 0, 8, 4, 0, 0, 31);
	/* the count lies in either direction */
	BAD("fewer transforms", P_SA, 0, 0, 0, 16, 1, 1, 0, 2,
	    3, 0, 0, 8, 4, 0, 0, 31);
	BAD("after the last transform", P_SA, 0, 0, 0, 24, 1, 1, 0, 1,
	    0, 0, 0, 8, 4, 0, 0, 31, 0, 0, 0, 8, 4, 0, 0, 19);
}

ATF_TC_WITHOUT_HEAD(spi_sizes);
ATF_TC_BODY(spi_sizes, tc)
{
	uint8_t	b[64];
	int	proto, n, ok;

	for (proto = 0; proto < 6; proto++)
		for (n = 0; n <= 20; n++) {
			memset(b, 0, sizeof(b));
			b[3] = (uint8_t)(16 + n);
			b[4] = 1;
			b[5] = (uint8_t)proto;
			b[6] = (uint8_t)n;
			b[7] = 1;
			b[8 + n + 3] = 8;
			b[8 + n + 4] = 4;
			b[8 + n + 7] = 31;
			ok = proto == PROTO_IKE ? n == 0 || n == 8 :
			    proto == PROTO_AH || proto == PROTO_ESP ? n == 4 : 1;
			ATF_CHECK_EQ(one(P_SA, b, 16 + (size_t)n),
			    ok ? WIRE_OK : WIRE_MALFORMED);
			if (ok)
				ATF_CHECK_EQ(m.sa.p[0].xf[0].id, KE_X25519);
		}
	BAD("SPI longer", P_SA, 0, 0, 0, 11, 1, 3, 4, 1, 1, 2, 3);
	BAD("SPI longer", P_SA, 0, 0, 0, 12, 1, 9, 255, 1, 1, 2, 3, 4);
}

ATF_TC_WITHOUT_HEAD(attributes);
ATF_TC_BODY(attributes, tc)
{
	const struct xform	*x = &m.sa.p[0].xf[0];

	BAD("transform length below 8", P_SA, 0, 0, 0, 16, 1, 1, 0, 1,
	    0, 0, 0, 7, 4, 0, 0, 31);
	BAD("attribute cut", P_SA, 0, 0, 0, 17, 1, 1, 0, 1,
	    0, 0, 0, 9, 1, 0, 0, 12, 0x80);
	BAD("attribute cut", P_SA, 0, 0, 0, 19, 1, 1, 0, 1,
	    0, 0, 0, 11, 1, 0, 0, 12, 0x80, 14, 1);
	/* long form past the end, up to it, and unknown */
	BAD("attribute longer", P_SA, 0, 0, 0, 21, 1, 1, 0, 1,
	    0, 0, 0, 13, 1, 0, 0, 12, 0x00, 14, 0, 2, 0);
	BAD("attribute longer", P_SA, 0, 0, 0, 20, 1, 1, 0, 1,
	    0, 0, 0, 12, 1, 0, 0, 12, 0x00, 14, 0xff, 0xff);
	OK(P_SA, 0, 0, 0, 22, 1, 1, 0, 1, 0, 0, 0, 14, 1, 0, 0, 12,
	    0x00, 14, 0, 2, 1, 0);
	ATF_CHECK(x->bad);	/* a key length is short form only */
	OK(P_SA, 0, 0, 0, 20, 1, 1, 0, 1, 0, 0, 0, 12, 1, 0, 0, 12,
	    0x80, 15, 1, 0);
	ATF_CHECK(x->bad && x->keybits == 0);
	/* twice, and zero */
	OK(P_SA, 0, 0, 0, 24, 1, 1, 0, 1, 0, 0, 0, 16, 1, 0, 0, 12,
	    0x80, 14, 1, 0, 0x80, 14, 0, 128);
	ATF_CHECK(x->bad);
	OK(P_SA, 0, 0, 0, 20, 1, 1, 0, 1, 0, 0, 0, 12, 1, 0, 0, 12,
	    0x80, 14, 0, 0);
	ATF_CHECK(x->bad);
	/* only this transform suffers */
	OK(P_SA, 0, 0, 0, 32, 1, 1, 0, 2, 3, 0, 0, 12, 1, 0, 0, 12,
	    0x80, 99, 1, 0, 0, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 1, 0);
	ATF_CHECK(x[0].bad && !x[1].bad && x[1].keybits == 256);
	/* unknown type and id are kept as they are */
	OK(P_SA, 0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 77, 0, 0x12, 0x34);
	ATF_CHECK(x->type == 77 && x->id == 0x1234 && !x->bad);
}

/* Negative test 11: such a transform is there but nobody can choose it. */
ATF_TC_WITHOUT_HEAD(key_lengths);
ATF_TC_BODY(key_lengths, tc)
{
	static const struct {
		uint16_t	id, bits;
		int		attr, good;
	} t[] = {
		{ ENCR_AES_GCM_16, 256, 1, 1 }, { ENCR_AES_GCM_16, 0, 0, 0 },
		{ ENCR_AES_GCM_16, 0, 1, 0 }, { ENCR_AES_GCM_16, 64, 1, 0 },
		{ ENCR_AES_GCM_16, 65535, 1, 0 },
		{ ENCR_CHACHA20_POLY1305, 0, 0, 1 },
		{ ENCR_CHACHA20_POLY1305, 256, 1, 0 },
	};
	struct proposals	 ours = { .n = 1 };
	struct proposal		*o = &ours.p[0], chosen;
	struct suite		 s;
	size_t			 i, n;
	uint8_t			 b[64];

	o->num = 1;
	o->proto = PROTO_ESP;
	o->spilen = 4;
	o->nxforms = 3;
	o->xf[0] = (struct xform){ .type = XF_ENCR, .id = ENCR_AES_GCM_16,
	    .keybits = 256 };
	o->xf[1] = (struct xform){ .type = XF_ENCR,
	    .id = ENCR_CHACHA20_POLY1305 };
	o->xf[2] = (struct xform){ .type = XF_SN, .id = SN_32 };
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct wbuf w;

		wbuf_init(&w, b, sizeof(b));
		n = t[i].attr ? 32 : 28;
		wbuf_bytes(&w, (const uint8_t []){ 0, 0, 0, (uint8_t)n, 1, 3, 4,
		    2, 1, 2, 3, 4, 3, 0, 0, (uint8_t)(t[i].attr ? 12 : 8), 1,
		    0 }, 18);
		wbuf_u16(&w, t[i].id);
		if (t[i].attr) {
			wbuf_u16(&w, 0x800e);
			wbuf_u16(&w, t[i].bits);
		}
		wbuf_bytes(&w, (const uint8_t []){ 0, 0, 0, 8, NOESN }, 8);
		ATF_REQUIRE_EQ(w.len, n);
		ATF_REQUIRE_EQ(one(P_SA, b, n), WIRE_OK);
		ATF_CHECK_EQ_MSG(proposal_choose(&m.sa, &ours, 0, 0, &chosen, &s),
		    t[i].good ? 0 : -1, "case %zu", i);
	}
}

static size_t
many_xforms(uint8_t *b, size_t n, uint8_t count)
{
	struct wbuf	w;
	size_t		i;

	wbuf_init(&w, b, 65535);
	wbuf_u16(&w, 0);
	wbuf_u16(&w, (uint16_t)(8 + 8 * n));
	wbuf_u8(&w, 1);
	wbuf_u8(&w, 1);
	wbuf_u8(&w, 0);
	wbuf_u8(&w, count);
	for (i = 0; i < n; i++) {
		wbuf_u8(&w, i + 1 < n ? 3 : 0);
		wbuf_u8(&w, 0);
		wbuf_u16(&w, 8);
		wbuf_u32(&w, 4U << 24 | 31);
	}
	ATF_REQUIRE(wbuf_ok(&w));
	return (w.len);
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	uint8_t	*b = malloc(65535);
	size_t	 n;

	ATF_REQUIRE(b != NULL);
	for (n = 1; n <= 255; n++)
		ATF_CHECK_EQ(one(P_SA, b, many_xforms(b, n, (uint8_t)n)),
		    n <= PROP_MAXXFORMS ? WIRE_OK : WIRE_MALFORMED);
	for (n = 256; n < 8000; n += 500)
		ATF_CHECK_EQ(one(P_SA, b, many_xforms(b, n, (uint8_t)n)),
		    WIRE_MALFORMED);
	free(b);
}

/* Proposals past PROPS_MAX are read, so their faults count, but not kept. */
ATF_TC_WITHOUT_HEAD(many_proposals);
ATF_TC_BODY(many_proposals, tc)
{
	uint8_t		b[255 * 16];
	size_t		n, i;

	for (n = 1; n <= 255; n++) {
		for (i = 0; i < n; i++)
			memcpy(b + 16 * i, (const uint8_t []){
			    i + 1 < n ? 2 : 0, 0, 0, 16, (uint8_t)(i + 1), 1, 0,
			    1, 0, 0, 0, 8, 4, 0, 0, 31 }, 16);
		ATF_CHECK_EQ(one(P_SA, b, 16 * n), WIRE_OK);
		ATF_CHECK_EQ(m.sa.n, n < PROPS_MAX ? n : PROPS_MAX);
		b[16 * n - 8] = 3;
		ATF_CHECK_EQ(one(P_SA, b, 16 * n), WIRE_MALFORMED);
	}
}

#define V4(sp, ep, a, z)	7, 0, 0, 16, (sp) >> 8, (sp) & 255, (ep) >> 8, \
	(ep) & 255, 10, 0, 0, (a), 10, 0, 0, (z)

ATF_TC_WITHOUT_HEAD(ts_good);
ATF_TC_BODY(ts_good, tc)
{
	const struct ts	*t = &m.tsi.t[0];

	OK(P_TSI, 2, 9, 9, 9, V4(0, 65535, 0, 255),
	    8, 6, 0, 40, 0, 80, 0, 80,
	    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
	ATF_CHECK_EQ(m.tsi.n, 2);
	ATF_CHECK_EQ(m.tsi_skipped, 0);
	ATF_CHECK(t[0].proto == 0 && t[0].sport == 0 && t[0].eport == 65535 &&
	    t[0].start.fam == ADDR_V4 && t[0].start.b[3] == 0 &&
	    t[0].end.b[3] == 255);
	ATF_CHECK(t[1].proto == 6 && t[1].sport == 80 && t[1].eport == 80 &&
	    t[1].start.fam == ADDR_V6 && t[1].end.b[15] == 2);
	OK(P_TSR, 1, 0, 0, 0, V4(65535, 0, 0, 255));	/* OPAQUE */
	ATF_CHECK_EQ(m.tsr.n, 1);
	/* none at all is for the engine: TS_UNACCEPTABLE */
	OK(P_TSR, 0, 0, 0, 0);
	ATF_CHECK_EQ(m.tsr.n, 0);
}

ATF_TC_WITHOUT_HEAD(ts_skipped);
ATF_TC_BODY(ts_skipped, tc)
{
	/* start after end; ports likewise; FC and SECLABEL types */
	OK(P_TSI, 2, 0, 0, 0, V4(0, 65535, 255, 0), V4(0, 65535, 1, 1));
	ATF_CHECK(m.tsi.n == 1 && m.tsi_skipped == 1 &&
	    m.tsi.t[0].start.b[3] == 1);
	OK(P_TSI, 1, 0, 0, 0, V4(81, 80, 0, 255));
	ATF_CHECK(m.tsi.n == 0 && m.tsi_skipped == 1);
	OK(P_TSR, 3, 0, 0, 0, 10, 0, 0, 6, 'x', 'y', 9, 0, 0, 4,
	    V4(0, 65535, 1, 1));
	ATF_CHECK(m.tsr.n == 1 && m.tsr_skipped == 2 && m.tsi_skipped == 0);
}

ATF_TC_WITHOUT_HEAD(ts_bad);
ATF_TC_BODY(ts_bad, tc)
{
	BAD("TSi: cut", P_TSI, 0, 0, 0);
	BAD("TSr: cut", P_TSR, 0);
	BAD("TSi: fewer", P_TSI, 1, 0, 0, 0);
	BAD("TSr: fewer", P_TSR, 2, 0, 0, 0, V4(0, 65535, 0, 255));
	BAD("TSi: octets after", P_TSI, 1, 0, 0, 0, V4(0, 65535, 0, 255), 0);
	BAD("TSi: octets after", P_TSI, 0, 0, 0, 0, V4(0, 65535, 0, 255));
	BAD("selector length below 4", P_TSI, 1, 0, 0, 0, 7, 0, 0, 3);
	BAD("longer than its payload", P_TSI, 1, 0, 0, 0, 7, 0, 0, 17,
	    0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 1);
	BAD("longer than its payload", P_TSI, 1, 0, 0, 0, 99, 0, 0xff, 0xff, 0);
	/* each family has one length */
	BAD("IPv4 selector", P_TSI, 1, 0, 0, 0, 7, 0, 0, 15,
	    0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0);
	BAD("TSr: IPv4 selector", P_TSR, 1, 0, 0, 0, 7, 0, 0, 40,
	    0, 0, 255, 255, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
	BAD("IPv6 selector", P_TSI, 1, 0, 0, 0, 8, 0, 0, 16,
	    0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 1);
}

ATF_TC_WITHOUT_HEAD(ts_many);
ATF_TC_BODY(ts_many, tc)
{
	uint8_t	b[4 + 255 * 16] = { 0 };
	size_t	n, i;

	for (n = 1; n <= 255; n++) {
		b[0] = (uint8_t)n;
		for (i = 0; i < n; i++)
			memcpy(b + 4 + 16 * i, (const uint8_t []){
			    V4(0, 65535, (uint8_t)i, (uint8_t)i) }, 16);
		ATF_CHECK_EQ(one(P_TSI, b, 4 + 16 * n), WIRE_OK);
		ATF_CHECK_EQ(m.tsi.n, n < TS_MAX ? n : TS_MAX);
		ATF_CHECK_EQ(m.tsi_skipped, n - m.tsi.n);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, proposal_lengths);
	ATF_TP_ADD_TC(tp, last_octets);
	ATF_TP_ADD_TC(tp, spi_sizes);
	ATF_TP_ADD_TC(tp, attributes);
	ATF_TP_ADD_TC(tp, key_lengths);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, many_proposals);
	ATF_TP_ADD_TC(tp, ts_good);
	ATF_TP_ADD_TC(tp, ts_skipped);
	ATF_TP_ADD_TC(tp, ts_bad);
	ATF_TP_ADD_TC(tp, ts_many);
	return (atf_no_error());
}
