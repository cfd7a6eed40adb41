/* SPDX-License-Identifier: ISC */
/* The encoder: exact octets, what comes back from the decoder, and overflow. */

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

static struct wire_msg	m;
static const char	*why;

static const struct wire_hdr hdr = {
	.spii = 0x0102030405060708ULL, .spir = 0x1112131415161718ULL,
	.major = 2, .exch = X_IKE_SA_INIT, .flags = WIRE_F_INITIATOR,
	.msgid = 0x21222324
};

static struct proposal
gcm_proposal(void)
{
	struct proposal	p;

	memset(&p, 0, sizeof(p));
	p.num = 1;
	p.proto = PROTO_ESP;
	p.spilen = 4;
	p.spi = 0xc0ffee01;
	p.nxforms = 2;
	p.xf[0] = (struct xform){ .type = XF_ENCR, .id = ENCR_AES_GCM_16,
	    .keybits = 128 };
	p.xf[1] = (struct xform){ .type = XF_SN, .id = SN_ESN };
	return (p);
}

ATF_TC_WITHOUT_HEAD(octets);
ATF_TC_BODY(octets, tc)
{
	static const uint8_t	want[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
		0x18, 33, 0x20, 34, 0x08, 0x21, 0x22, 0x23, 0x24, 0, 0, 0, 94,
		41, 0, 0, 36, 0, 0, 0, 32, 1, 3, 4, 2, 0xc0, 0xff, 0xee, 1,
		3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 0, 128, 0, 0, 0, 8, 5, 0, 0, 1,
		42, 0, 0, 14, 3, 4, 0x40, 9, 0xde, 0xad, 0xbe, 0xef, 'd', 'd',
		43, 0, 0, 12, 3, 4, 0, 1, 0, 0, 0, 9,
		0, 0, 0, 4
	};
	struct proposal		p = gcm_proposal();
	struct wire_enc		e;
	struct wbuf		w;
	uint8_t			buf[256];
	uint64_t		spi = 9;

	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &hdr);
	wire_put_sa1(&e, &p);
	wire_put_notify(&e, PROTO_ESP, 4, 0xdeadbeef, N_REKEY_SA, "dd", 2);
	wire_put_delete(&e, PROTO_ESP, 4, &spi, 1);
	wire_put_vendor(&e, NULL, 0);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_CHECK_EQ(w.len, sizeof(want));
	ATF_CHECK(memcmp(buf, want, sizeof(want)) == 0);
	ATF_CHECK_EQ(e.first, P_SA);
}

/* After the marker of port 4500 the offsets are the message's own. */
ATF_TC_WITHOUT_HEAD(marker);
ATF_TC_BODY(marker, tc)
{
	struct wire_enc	e;
	struct wire_hdr	h;
	struct wbuf	w;
	uint8_t		buf[256], n[32] = { 7 };

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, 0);
	wire_begin(&e, &w, &hdr);
	wire_put_nonce(&e, n, sizeof(n));
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_REQUIRE_EQ(wire_hdr_decode(buf + 4, w.len - 4, &h), 0);
	ATF_CHECK_EQ(h.next, P_NONCE);
	ATF_CHECK_EQ(wire_decode(h.next, buf + 32, w.len - 32, 28, &m, &why),
	    WIRE_OK);
	ATF_CHECK(m.nonce.len == 32 && m.nonce.p[0] == 7);
}

ATF_TC_WITHOUT_HEAD(header_only);
ATF_TC_BODY(header_only, tc)
{
	struct wire_enc	e;
	struct wire_hdr	h;
	struct wbuf	w;
	uint8_t		buf[28];

	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &hdr);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_REQUIRE_EQ(wire_hdr_decode(buf, w.len, &h), 0);
	ATF_CHECK(h.next == P_NONE && h.spii == hdr.spii && h.spir == hdr.spir &&
	    h.major == 2 && h.minor == 0 && h.exch == hdr.exch &&
	    h.flags == hdr.flags && h.msgid == hdr.msgid && h.len == 28);
}

static void
put_all(struct wire_enc *e)
{
	static struct proposals	 ps;
	struct tslist		 l = { .n = 2 };
	struct ident		 id = { .type = ID_FQDN, .len = 3, .data = "a.b" };
	uint8_t			 b[256];
	uint64_t		 spis[64];
	size_t			 i;

	for (i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)i;
	for (i = 0; i < 64; i++)
		spis[i] = 0xfffffff0 + (i & 15);
	ps.n = PROPS_MAX;
	for (i = 0; i < PROPS_MAX; i++) {
		ps.p[i] = gcm_proposal();
		ps.p[i].num = (uint8_t)(i + 1);
	}
	ps.p[1].proto = PROTO_IKE;
	ps.p[1].spilen = 8;
	ps.p[1].spi = 0x8899aabbccddeeffULL;
	l.t[0].start.fam = l.t[0].end.fam = ADDR_V6;
	l.t[0].end.b[0] = 0xff;
	l.t[0].eport = 65535;
	l.t[1].proto = 17;
	l.t[1].sport = 65535;
	l.t[1].start.fam = l.t[1].end.fam = ADDR_V4;
	l.t[1].end.b[0] = 10;
	wire_put_sa(e, &ps);
	wire_put_ke(e, KE_X25519, b, 32);
	wire_put_nonce(e, b, 256);
	wire_put_id(e, P_IDI, &id);
	wire_put_id(e, P_IDR, &id);
	wire_put_auth(e, AUTH_PSK, b, 32);
	wire_put_ts(e, P_TSI, &l);
	wire_put_ts(e, P_TSR, &l);
	wire_put_notify(e, 0, 0, 0, N_COOKIE, b, 64);
	wire_put_notify(e, 1, 8, 0x8070605040302010ULL, N_INVALID_IKE_SPI, NULL, 0);
	wire_put_delete(e, PROTO_IKE, 0, NULL, 0);
	wire_put_delete(e, PROTO_ESP, 4, spis, 64);
	wire_put_vendor(e, b, 16);
}

ATF_TC_WITHOUT_HEAD(back);
ATF_TC_BODY(back, tc)
{
	struct wire_enc	e;
	struct wbuf	w;
	uint8_t		buf[4096];

	wbuf_init(&w, buf, sizeof(buf));
	wire_inner_begin(&e, &w);
	put_all(&e);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_CHECK_EQ(e.first, P_SA);
	ATF_REQUIRE_EQ_MSG(wire_decode(e.first, buf, w.len, 0, &m, &why), WIRE_OK,
	    "%s", why);
	ATF_CHECK(m.sa.n == PROPS_MAX && m.sa.p[15].num == 16 &&
	    m.sa.p[1].spi == 0x8899aabbccddeeffULL && m.sa.p[1].spilen == 8 &&
	    m.sa.p[0].spi == 0xc0ffee01 && m.sa.p[0].xf[0].keybits == 128);
	ATF_CHECK(m.ke_group == KE_X25519 && m.ke.len == 32 && m.ke.p[31] == 31);
	ATF_CHECK(m.nonce.len == 256 && m.nonce.p[255] == 255);
	ATF_CHECK(m.idi.type == ID_FQDN && m.idi.len == 3 &&
	    ident_equal(&m.idi, &m.idr));
	ATF_CHECK(m.auth_method == AUTH_PSK && m.auth.len == 32);
	ATF_CHECK(m.tsi.n == 2 && m.tsi.t[0].start.fam == ADDR_V6 &&
	    m.tsi.t[0].end.b[0] == 0xff && m.tsi.t[1].proto == 17 &&
	    m.tsi.t[1].sport == 65535 && m.tsi.t[1].eport == 0 &&
	    tslist_equal(&m.tsi, &m.tsr));
	ATF_CHECK(m.nnotify == 2 && m.notify[0].data.len == 64 &&
	    m.notify[1].spi == 0x8070605040302010ULL);
	ATF_CHECK(m.ndelete == 2 && m.del[1].nspis == 64 &&
	    m.del[1].spi[15] == 0xffffffff);
	ATF_CHECK_EQ(m.nvendor, 1);
}

/* With too little room it fails and writes nothing past the end. */
ATF_TC_WITHOUT_HEAD(no_room);
ATF_TC_BODY(no_room, tc)
{
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		*buf, big[4096];
	size_t		 n, need;

	wbuf_init(&w, big, sizeof(big));
	wire_begin(&e, &w, &hdr);
	put_all(&e);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	need = w.len;
	for (n = 0; n <= need; n += n < 40 || n > need - 40 ? 1 : 13) {
		ATF_REQUIRE((buf = malloc(n > 0 ? n : 1)) != NULL);
		wbuf_init(&w, buf, n);
		wire_begin(&e, &w, &hdr);
		put_all(&e);
		ATF_CHECK_EQ(wire_end(&e), n < need ? -1 : 0);
		free(buf);
	}
}

/* An empty inner chain has first payload 0 (an empty INFORMATIONAL). */
ATF_TC_WITHOUT_HEAD(empty_inner);
ATF_TC_BODY(empty_inner, tc)
{
	struct wire_enc	e, in;
	struct wire_hdr	h;
	struct wbuf	w, wi;
	uint8_t		buf[128], ibuf[16], *room;

	wbuf_init(&wi, ibuf, sizeof(ibuf));
	wire_inner_begin(&in, &wi);
	ATF_REQUIRE_EQ(wire_end(&in), 0);
	ATF_CHECK(in.first == P_NONE && wi.len == 0);
	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &hdr);
	room = wire_put_sk(&e, in.first, 25);
	ATF_REQUIRE(room == buf + 32);
	memset(room, 0x5a, 25);
	ATF_REQUIRE_EQ(w.len, 32 + 25);
	/* the lengths are final before the content is sealed */
	ATF_REQUIRE_EQ(wire_hdr_decode(buf, w.len, &h), 0);
	ATF_CHECK_EQ(h.next, P_SK);
	ATF_CHECK_EQ(wire_decode(h.next, buf + 28, w.len - 28, 28, &m, &why),
	    WIRE_OK);
	ATF_CHECK(m.sk_first == P_NONE && m.sk.p == room && m.sk.len == 25 &&
	    m.sk_off == 28);
	/* SKF: the same behind number and total */
	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &hdr);
	room = wire_put_skf(&e, P_IDI, 2, 300, 25);
	ATF_REQUIRE(room == buf + 36);
	memset(room, 0x5a, 25);
	ATF_REQUIRE_EQ(w.len, 36 + 25);
	ATF_CHECK_EQ(memcmp(buf + 28, "\x23\0\0\x21\0\2\1\x2c", 8), 0);
	ATF_REQUIRE_EQ(wire_hdr_decode(buf, w.len, &h), 0);
	ATF_CHECK_EQ(h.next, P_SKF);
	ATF_CHECK_EQ(wire_decode(h.next, buf + 28, w.len - 28, 28, &m, &why),
	    WIRE_OK);
	ATF_CHECK(m.sk_first == P_IDI && m.sk.p == room && m.sk.len == 25 &&
	    m.sk_off == 28 && m.frag_num == 2 && m.frag_total == 300);
}

/* Inner chains may stand behind something else in their buffer. */
ATF_TC_WITHOUT_HEAD(inner_offset);
ATF_TC_BODY(inner_offset, tc)
{
	struct wire_enc	e;
	struct wbuf	w;
	uint8_t		buf[128];

	memset(buf, 0xee, sizeof(buf));
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, 0xabababab);
	wire_inner_begin(&e, &w);
	wire_put_vendor(&e, "a", 1);
	wire_put_notify(&e, 0, 0, 0, N_INITIAL_CONTACT, NULL, 0);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_CHECK(memcmp(buf, "\xab\xab\xab\xab", 4) == 0);
	ATF_CHECK_EQ(e.first, P_V);
	ATF_CHECK_EQ(wire_decode(e.first, buf + 4, w.len - 4, 0, &m, &why),
	    WIRE_OK);
	ATF_CHECK(wire_notify(&m, N_INITIAL_CONTACT) != NULL);
}

static int
ends(void (*put)(struct wire_enc *))
{
	static uint8_t	buf[200000];
	struct wire_enc	e;
	struct wbuf	w;

	wbuf_init(&w, buf, sizeof(buf));
	wire_begin(&e, &w, &hdr);
	put(&e);
	return (wire_end(&e));
}

static void
bad_spilen(struct wire_enc *e)
{
	wire_put_notify(e, 3, 5, 1, N_REKEY_SA, NULL, 0);
}

static void
bad_spi(struct wire_enc *e)
{
	wire_put_notify(e, 3, 4, 0x100000000ULL, N_REKEY_SA, NULL, 0);
}

static void
bad_delete(struct wire_enc *e)
{
	uint64_t	spi = 1;

	wire_put_delete(e, 1, 0, &spi, 1);
}

static void
bad_sa(struct wire_enc *e)
{
	struct proposals	ps;

	memset(&ps, 0, sizeof(ps));
	wire_put_sa(e, &ps);
}

static void
bad_sa1(struct wire_enc *e)
{
	struct proposal	p = gcm_proposal();

	p.nxforms = 0;
	wire_put_sa1(e, &p);
}

static void
bad_xforms(struct wire_enc *e)
{
	struct proposal	p = gcm_proposal();

	p.nxforms = PROP_MAXXFORMS + 1;
	wire_put_sa1(e, &p);
}

static void
bad_ts(struct wire_enc *e)
{
	struct tslist	l = { .n = 1 };

	l.t[0].start.fam = ADDR_V4;
	l.t[0].end.fam = ADDR_V6;
	wire_put_ts(e, P_TSI, &l);
}

static void
bad_length(struct wire_enc *e)
{
	static const uint8_t	b[65532] = { 0 };

	wire_put_vendor(e, b, sizeof(b));
}

static void
bad_total(struct wire_enc *e)
{
	static const uint8_t	b[40000] = { 0 };

	wire_put_vendor(e, b, sizeof(b));
	wire_put_vendor(e, b, sizeof(b));
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	ATF_CHECK_EQ(ends(put_all), 0);
	ATF_CHECK_EQ(ends(bad_spilen), -1);
	ATF_CHECK_EQ(ends(bad_spi), -1);
	ATF_CHECK_EQ(ends(bad_delete), -1);
	ATF_CHECK_EQ(ends(bad_sa), -1);
	ATF_CHECK_EQ(ends(bad_sa1), -1);
	ATF_CHECK_EQ(ends(bad_xforms), -1);
	ATF_CHECK_EQ(ends(bad_ts), -1);
	ATF_CHECK_EQ(ends(bad_length), -1);
	ATF_CHECK_EQ(ends(bad_total), -1);
}

ATF_TC_WITHOUT_HEAD(id_body);
ATF_TC_BODY(id_body, tc)
{
	struct ident	id = { .type = ID_KEY_ID, .len = 255 };
	uint8_t		b[4 + ID_MAXLEN];

	memset(id.data, 0x33, 255);
	ATF_CHECK_EQ(wire_id_body(&id, b), 259);
	ATF_CHECK(b[0] == 11 && b[1] == 0 && b[2] == 0 && b[3] == 0 &&
	    b[4] == 0x33 && b[258] == 0x33);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	uint32_t	i, named = 0;

	for (i = 0; i < 65536; i++) {
		ATF_REQUIRE(wire_notify_name((uint16_t)i) != NULL);
		named += strstr(wire_notify_name((uint16_t)i), "unknown") == NULL;
	}
	ATF_CHECK_EQ(named, 25 + 64);
	for (i = 0; i < 256; i++)
		ATF_REQUIRE(wire_exchange_name((uint8_t)i) != NULL &&
		    wire_payload_name((uint8_t)i) != NULL);
	ATF_CHECK_STREQ(wire_notify_name(24), "AUTHENTICATION_FAILED");
	ATF_CHECK_STREQ(wire_notify_name(16384), "INITIAL_CONTACT");
	ATF_CHECK_STREQ(wire_notify_name(16395), "NON_FIRST_FRAGMENTS_ALSO");
	ATF_CHECK_STREQ(wire_notify_name(16430), "IKEV2_FRAGMENTATION_SUPPORTED");
	ATF_CHECK_STREQ(wire_notify_name(2), "unknown error notify");
	ATF_CHECK_STREQ(wire_notify_name(40961), "unknown status notify");
	ATF_CHECK_STREQ(wire_exchange_name(35), "IKE_AUTH");
	ATF_CHECK_STREQ(wire_exchange_name(2), "unknown exchange");
	ATF_CHECK_STREQ(wire_payload_name(33), "SA");
	ATF_CHECK_STREQ(wire_payload_name(46), "SK");
	ATF_CHECK_STREQ(wire_payload_name(53), "SKF");
	ATF_CHECK_STREQ(wire_payload_name(49), "unknown payload");
}

/* Configuration: what goes out comes back; what does not fit is not kept. */
ATF_TC_WITHOUT_HEAD(configuration);
ATF_TC_BODY(configuration, tc)
{
	static const uint8_t	want[] = {
		0, 0, 0, 61, 2, 0, 0, 0, 0, 1, 0, 4, 10, 9, 0, 7, 0, 2, 0, 4, 255, 255,
		255, 0, 0, 3, 0, 0, 0, 13, 0, 8, 10, 1, 0, 0, 255, 255, 0, 0, 0, 8, 0, 17,
		0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 64
	};
	/* an address of 3 octets, a mask with a hole, an unknown one, the reserved bit */
	static const uint8_t	odd[] = {
		0, 0, 0, 35, 1, 0, 0, 0, 0, 1, 0, 3, 10, 9, 0, 0, 2, 0, 4, 255, 0, 255, 0,
		0x70, 1, 0, 0, 0x80, 3, 0, 4, 10, 1, 0, 53
	};
	static const char *const values[] = { "10.9.0.7/32", "0.0.0.0/24", NULL,
		"10.1.0.0/16", "2001:db8::/64" };
	static const uint16_t	types[] = { CP_IP4_ADDRESS, CP_IP4_NETMASK, CP_IP4_DNS,
		CP_IP4_SUBNET, CP_IP6_ADDRESS };
	struct cp_list		l;
	struct wire_enc		e;
	struct wbuf		w;
	uint8_t			buf[512];
	int			i;

	memset(&l, 0, sizeof(l));
	for (i = 0; i < 5; i++) {
		l.a[i].type = types[i];
		l.a[i].empty = values[i] == NULL;
		if (values[i] != NULL)
			ATF_REQUIRE_EQ(prefix_parse(&l.a[i].v, values[i]), 0);
	}
	l.a[4].v.addr.b[15] = 9;
	l.n = 5;
	wbuf_init(&w, buf, sizeof(buf));
	wire_inner_begin(&e, &w);
	wire_put_cp(&e, CP_REPLY, &l);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	ATF_REQUIRE_EQ(w.len, sizeof(want));
	ATF_CHECK(memcmp(buf, want, sizeof(want)) == 0);
	ATF_REQUIRE_EQ(wire_decode(P_CP, buf, w.len, 0, &m, &why), WIRE_OK);
	ATF_CHECK(m.cp_type == CP_REPLY && m.cp.n == 5);
	for (i = 0; i < 5; i++)
		ATF_CHECK(m.cp.a[i].type == l.a[i].type && m.cp.a[i].empty ==
		    l.a[i].empty && prefix_cmp(&m.cp.a[i].v, &l.a[i].v) == 0);
	for (i = 8; i < (int)sizeof(want); i++)	/* an attribute cut short */
		if (i != 16 && i != 24 && i != 28 && i != 40) {
			buf[3] = (uint8_t)i;
			ATF_CHECK_EQ(wire_decode(P_CP, buf, (size_t)i, 0, &m, &why),
			    i == 8 ? WIRE_OK : WIRE_MALFORMED);
		}
	ATF_REQUIRE_EQ(wire_decode(P_CP, odd, sizeof(odd), 0, &m, &why), WIRE_OK);
	ATF_CHECK(m.cp.n == 1 && m.cp.a[0].type == CP_IP4_DNS);
	/* a value of the other family is not sent */
	l.a[0].type = CP_IP6_DNS;
	wire_inner_begin(&e, &w);
	wire_put_cp(&e, CP_REPLY, &l);
	ATF_CHECK_EQ(wire_end(&e), -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, configuration);
	ATF_TP_ADD_TC(tp, octets);
	ATF_TP_ADD_TC(tp, marker);
	ATF_TP_ADD_TC(tp, header_only);
	ATF_TP_ADD_TC(tp, back);
	ATF_TP_ADD_TC(tp, no_room);
	ATF_TP_ADD_TC(tp, empty_inner);
	ATF_TP_ADD_TC(tp, inner_offset);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, id_body);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
