/* SPDX-License-Identifier: ISC */
/*
 * What the decoder takes and what it refuses: framing, and every payload by
 * itself.  Bodies are kept in memory exactly as long as they are, so that
 * the address sanitizer sees a read past the end.
 */

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

static struct wire_msg	m;	/* 16 KB: not for the stack of every test */
static const char	*why;

/* A chain under construction. */
static uint8_t		raw[65536];
static struct wbuf	w;
static size_t		last;	/* the payload that is open */

static void
start(void)
{
	wbuf_init(&w, raw, sizeof(raw));
}

static void
open_payload(uint8_t next, uint8_t flags)
{
	last = w.len;
	wbuf_u8(&w, next);
	wbuf_u8(&w, flags);
	wbuf_u16(&w, 4);
}

static void
close_payload(void)
{
	wbuf_patch_u16(&w, last + 2, (uint16_t)(w.len - last));
}

static void
payload(uint8_t next, uint8_t flags, const void *p, size_t n)
{
	open_payload(next, flags);
	wbuf_bytes(&w, p, n);
	close_payload();
}

static enum wire_err
decode_raw(uint8_t first, const void *p, size_t n)
{
	uint8_t		*copy = malloc(n > 0 ? n : 1);
	enum wire_err	 rv;

	ATF_REQUIRE(copy != NULL);
	memcpy(copy, p, n);
	rv = wire_decode(first, copy, n, 28, &m, &why);
	free(copy);
	ATF_CHECK_EQ(rv == WIRE_MALFORMED, why != NULL);
	ATF_CHECK_EQ(rv == WIRE_CRITICAL, rv != WIRE_MALFORMED && m.critical != 0);
	return (rv);
}

static enum wire_err
decode(uint8_t first)
{
	ATF_REQUIRE(wbuf_ok(&w));
	return (decode_raw(first, raw, w.len));
}

/* One payload of that type and body. */
static enum wire_err
one(uint8_t type, const void *p, size_t n)
{
	start();
	payload(P_NONE, 0, p, n);
	return (decode(type));
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

/* Negative test 1. */
ATF_TC_WITHOUT_HEAD(header);
ATF_TC_BODY(header, tc)
{
	static const uint8_t	 h[28] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
		33, 0x2f, 34, 0xff, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 28
	};
	uint8_t			*p;
	struct wire_hdr		 o;
	size_t			 i;

	ATF_REQUIRE_EQ(wire_hdr_decode(h, 28, &o), 0);
	ATF_CHECK_EQ(o.spii, 0x0102030405060708ULL);
	ATF_CHECK_EQ(o.spir, 0x090a0b0c0d0e0f10ULL);
	ATF_CHECK_EQ(o.next, 33);
	ATF_CHECK_EQ(o.major, 2);
	ATF_CHECK_EQ(o.minor, 15);
	ATF_CHECK_EQ(o.exch, 34);
	ATF_CHECK_EQ(o.flags, 0xff);	/* reserved ones are the caller's to ignore */
	ATF_CHECK_EQ(o.msgid, 0xdeadbeef);
	ATF_CHECK_EQ(o.len, 28);
	/* negative test 1: every shorter datagram, each length but the right one */
	for (i = 0; i < 28; i++) {
		p = malloc(i > 0 ? i : 1);
		ATF_REQUIRE(p != NULL);
		memcpy(p, h, i);
		ATF_CHECK_EQ(wire_hdr_decode(p, i, &o), -1);
		free(p);
	}
	p = malloc(40);
	ATF_REQUIRE(p != NULL);
	memset(p, 0, 40);
	memcpy(p, h, 28);
	for (i = 28; i <= 40; i++)
		ATF_CHECK_EQ(wire_hdr_decode(p, i, &o), i == 28 ? 0 : -1);
	p[27] = 27;
	ATF_CHECK_EQ(wire_hdr_decode(p, 28, &o), -1);
	ATF_CHECK_EQ(wire_hdr_decode(p, 27, &o), -1);
	p[27] = 29;
	ATF_CHECK_EQ(wire_hdr_decode(p, 28, &o), -1);
	p[24] = 0xff;
	p[27] = 28;
	ATF_CHECK_EQ(wire_hdr_decode(p, 28, &o), -1);
	free(p);
}

/* Negative test 5. */
ATF_TC_WITHOUT_HEAD(framing);
ATF_TC_BODY(framing, tc)
{
	static const uint8_t	zeros[64] = { 0 };
	size_t			i;

	ATF_CHECK_EQ(decode_raw(P_NONE, zeros, 0), WIRE_OK);
	ATF_CHECK_EQ(m.has, 0);
	ATF_CHECK_EQ(decode_raw(P_NONE, zeros, 1), WIRE_MALFORMED);
	/* a payload is announced but there are not even four octets */
	for (i = 0; i < 4; i++)
		ATF_CHECK_EQ(decode_raw(P_V, zeros, i), WIRE_MALFORMED);
	/* lengths below 4, beyond the rest, all ones */
	for (i = 0; i < 4; i++)
		ATF_CHECK_EQ(decode_raw(P_V, (const uint8_t []){ 0, 0, 0,
		    (uint8_t)i }, 4), WIRE_MALFORMED);
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(0, 0, 0, 4)), WIRE_OK);
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(0, 0, 0, 5)), WIRE_MALFORMED);
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(0, 0, 0xff, 0xff)), WIRE_MALFORMED);
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(0, 0, 0, 4, 0)), WIRE_MALFORMED);
	ATF_CHECK(strstr(why, "after the last") != NULL);
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(43, 0, 0, 4)), WIRE_MALFORMED);
	/* length 0 that names itself as the next: no loop */
	ATF_CHECK_EQ(decode_raw(P_V, BYTES(43, 0, 0, 0, 43, 0, 0, 0)),
	    WIRE_MALFORMED);
	/* why may be NULL */
	ATF_CHECK_EQ(wire_decode(P_V, zeros, 3, 0, &m, NULL), WIRE_MALFORMED);
}

ATF_TC_WITHOUT_HEAD(many_payloads);
ATF_TC_BODY(many_payloads, tc)
{
	size_t	n, i;

	for (n = 1; n <= 1000; n += n < 60 ? 20 : n < 70 ? 1 : 300) {
		start();
		for (i = 1; i <= n; i++)
			payload(i < n ? P_V : P_NONE, 0, NULL, 0);
		ATF_CHECK_EQ(decode(P_V),
		    n <= WIRE_MAXPAYLOADS ? WIRE_OK : WIRE_MALFORMED);
	}
	/* unknown ones count too */
	start();
	for (i = 0; i < 65; i++)
		payload(i < 64 ? 200 : P_NONE, 0, NULL, 0);
	ATF_CHECK_EQ(decode(200), WIRE_MALFORMED);
}

/* Negative test 6. */
ATF_TC_WITHOUT_HEAD(critical);
ATF_TC_BODY(critical, tc)
{
	static const uint8_t	nonce[32] = { 0 };
	uint8_t			t;

	for (t = 1; t < 255; t++) {
		int known = (t >= 33 && t <= 48) || t == 53;

		if (known)
			continue;
		start();
		payload(P_NONCE, 0x80, "abc", 3);
		payload(P_NONE, 0, nonce, 32);
		ATF_CHECK_EQ(decode(t), WIRE_CRITICAL);
		ATF_CHECK_EQ(m.critical, t);
		ATF_CHECK(m.has & WIRE_HAS(P_NONCE));
		/* the reserved bits are ignored */
		start();
		payload(P_NONCE, 0x7f, "abc", 3);
		payload(P_NONE, 0x7f, nonce, 32);
		ATF_CHECK_EQ(decode(t), WIRE_OK);
		ATF_CHECK_EQ(m.has, WIRE_HAS(P_NONCE));
	}
	/* the first of two is told */
	start();
	payload(101, 0x80, NULL, 0);
	payload(P_NONE, 0x80, NULL, 0);
	ATF_CHECK_EQ(decode(100), WIRE_CRITICAL);
	ATF_CHECK_EQ(m.critical, 100);
	/* on a known type the bit says nothing */
	start();
	payload(P_NONE, 0x80, nonce, 32);
	ATF_CHECK_EQ(decode(P_NONCE), WIRE_OK);
	/* malformed comes before critical */
	start();
	payload(P_NONCE, 0x80, NULL, 0);
	payload(P_NONE, 0, nonce, 15);
	ATF_CHECK_EQ(decode(100), WIRE_MALFORMED);
}

static const struct {
	uint8_t		type;
	int		plural;
	size_t		n;
	uint8_t		body[44];
} samples[] = {
	{ P_SA, 0, 40, { 0, 0, 0, 40, 1, 1, 0, 4,
	    3, 0, 0, 8, 1, 0, 0, 28, 3, 0, 0, 8, 2, 0, 0, 5,
	    3, 0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 8, 4, 0, 0, 31 } },
	{ P_KE, 0, 36, { 0, 31, 0, 0, 1, 2, 3 } },
	{ P_IDI, 0, 8, { 1, 0, 0, 0, 192, 0, 2, 1 } },
	{ P_IDR, 0, 8, { 1, 0, 0, 0, 192, 0, 2, 2 } },
	{ P_CERT, 1, 5, { 4, 1, 2, 3, 4 } },
	{ P_CERTREQ, 1, 5, { 4, 1, 2, 3, 4 } },
	{ P_AUTH, 0, 8, { 2, 0, 0, 0, 1, 2, 3, 4 } },
	{ P_NONCE, 0, 16, { 0 } },
	{ P_N, 1, 4, { 0, 0, 0x40, 0 } },
	{ P_D, 1, 8, { 3, 4, 0, 1, 1, 2, 3, 4 } },
	{ P_V, 1, 3, { 1, 2, 3 } },
	{ P_TSI, 0, 20, { 1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255,
	    10, 0, 0, 0, 10, 0, 0, 255 } },
	{ P_TSR, 0, 20, { 1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255,
	    10, 0, 0, 0, 10, 0, 0, 255 } },
	{ P_CP, 0, 4, { 1, 0, 0, 0 } },
	{ P_EAP, 0, 4, { 1, 0, 0, 4 } },
};
#define NSAMPLES	(sizeof(samples) / sizeof(samples[0]))

/* Negative tests 7 and 8: duplicates; any order. */
ATF_TC_WITHOUT_HEAD(duplicates);
ATF_TC_BODY(duplicates, tc)
{
	size_t	i;

	for (i = 0; i < NSAMPLES; i++) {
		ATF_CHECK_EQ_MSG(one(samples[i].type, samples[i].body,
		    samples[i].n), WIRE_OK, "%s", why);
		ATF_CHECK_EQ(m.has, WIRE_HAS(samples[i].type));
		start();
		payload(P_V, 0, samples[i].body, samples[i].n);
		payload(samples[i].type, 0, "x", 1);
		payload(P_NONE, 0, samples[i].body, samples[i].n);
		ATF_CHECK_EQ_MSG(decode(samples[i].type), samples[i].plural ?
		    WIRE_OK : WIRE_MALFORMED, "%s",
		    wire_payload_name(samples[i].type));
	}
}

ATF_TC_WITHOUT_HEAD(any_order);
ATF_TC_BODY(any_order, tc)
{
	size_t		r, i, at;
	uint64_t	all = 0;

	for (i = 0; i < NSAMPLES; i++)
		all |= WIRE_HAS(samples[i].type);
	/* all rotations, forwards and backwards */
	for (r = 0; r < 2 * NSAMPLES; r++) {
		start();
		for (i = 0; i < NSAMPLES; i++) {
			at = r < NSAMPLES ? (r + i) % NSAMPLES :
			    (2 * NSAMPLES + r - i) % NSAMPLES;
			payload(i + 1 == NSAMPLES ? P_NONE : samples[
			    r < NSAMPLES ? (r + i + 1) % NSAMPLES :
			    (2 * NSAMPLES + r - i - 1) % NSAMPLES].type,
			    0, samples[at].body, samples[at].n);
		}
		ATF_CHECK_EQ(decode(samples[r % NSAMPLES].type), WIRE_OK);
		ATF_CHECK_EQ(m.has, all);
		ATF_CHECK(m.sa.n == 1 && m.ke_group == 31 && m.tsi.n == 1 &&
		    m.nnotify == 1 && m.ndelete == 1 && m.nvendor == 1);
	}
}

/* Negative test 8: SK ends the chain, and says where it stands. */
ATF_TC_WITHOUT_HEAD(sk);
ATF_TC_BODY(sk, tc)
{
	start();
	payload(P_SK, 0, "v", 1);
	payload(P_IDI, 0, "0123456789", 10);
	ATF_CHECK_EQ(decode(P_V), WIRE_OK);
	ATF_CHECK_EQ(m.sk_first, P_IDI);
	ATF_CHECK_EQ(m.sk.len, 10);
	ATF_CHECK_EQ(m.sk_off, 28 + 5);
	ATF_CHECK_EQ(m.has, WIRE_HAS(P_SK) | WIRE_HAS(P_V));
	/* empty content is for sk_open() to refuse */
	ATF_CHECK_EQ(one(P_SK, "", 0), WIRE_OK);
	/* octets after it, whether or not they look like its content's type */
	start();
	payload(P_V, 0, "0123456789", 10);
	payload(P_NONE, 0, NULL, 0);
	ATF_CHECK_EQ(decode(P_SK), WIRE_MALFORMED);
	ATF_CHECK(strstr(why, "after the encrypted") != NULL);
	start();
	payload(P_NONE, 0, "0123456789", 10);
	wbuf_u8(&w, 0);
	ATF_CHECK_EQ(decode(P_SK), WIRE_MALFORMED);
	/* a fragment likewise, with its number and how many there are (7383 2.5) */
	start();
	payload(P_IDI, 0, "\0\1\0\2abcdef", 10);
	ATF_CHECK_EQ(decode(P_SKF), WIRE_OK);
	ATF_CHECK_EQ(m.has, WIRE_HAS(P_SKF));
	ATF_CHECK_EQ(m.frag_num, 1);
	ATF_CHECK_EQ(m.frag_total, 2);
	ATF_CHECK_EQ(m.sk_first, P_IDI);
	ATF_CHECK_EQ(m.sk_off, 28);
	ATF_CHECK_EQ(m.sk.len, 6);
	wbuf_u8(&w, 0);
	ATF_CHECK_EQ(decode(P_SKF), WIRE_MALFORMED);
	/* whether the numbers make sense is for who puts it together */
	ATF_CHECK_EQ(one(P_SKF, "\0\0\0\0", 4), WIRE_OK);
	ATF_CHECK_EQ(m.sk.len, 0);
	ATF_CHECK_EQ(one(P_SKF, "\0\1\0", 3), WIRE_MALFORMED);
	ATF_CHECK_STREQ(why, "SKF: cut short");
	/* both in one message: each would have to be the last */
	start();
	payload(P_SKF, 0, "0123", 4);
	payload(P_NONE, 0, "\0\1\0\1ab", 6);
	ATF_CHECK_EQ(decode(P_SK), WIRE_MALFORMED);
}

/* Negative test 17. */
ATF_TC_WITHOUT_HEAD(nonce);
ATF_TC_BODY(nonce, tc)
{
	static const uint8_t	b[300] = { 0 };
	size_t			n;

	for (n = 0; n < sizeof(b); n++) {
		ATF_CHECK_EQ(one(P_NONCE, b, n),
		    n >= 16 && n <= 256 ? WIRE_OK : WIRE_MALFORMED);
		ATF_CHECK(why == NULL || strncmp(why, "Nonce: ", 7) == 0);
	}
}

/* Negative test 14: the length belongs to the group. */
ATF_TC_WITHOUT_HEAD(ke);
ATF_TC_BODY(ke, tc)
{
	const struct xform_info	*xi;
	uint8_t			 b[1040] = { 0 };
	size_t			 i, n;
	int			 groups = 0;

	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != XF_KE || xi->publen == 0)
			continue;
		b[0] = (uint8_t)(xi->id >> 8);
		b[1] = (uint8_t)xi->id;
		b[2] = b[3] = 0xff;	/* reserved */
		for (n = xi->publen - 2U; n <= xi->publen + 2U; n++) {
			ATF_CHECK_EQ(one(P_KE, b, 4 + n),
			    n == xi->publen ? WIRE_OK : WIRE_MALFORMED);
			if (n == xi->publen)
				ATF_CHECK(m.ke_group == xi->id &&
				    m.ke.len == xi->publen);
		}
		groups++;
	}
	ATF_CHECK(groups >= 10);
	/* of a group we do not know any length but none */
	OK(P_KE, 0xff, 0xff, 0, 0, 1);
	ATF_CHECK_EQ(m.ke_group, 0xffff);
	BAD("KE: cut", P_KE, 0xff, 0xff, 0, 0);
	BAD("KE: cut", P_KE, 0, 31, 0);
	BAD("KE: cut", P_KE, 0);
}

/* Negative test 38, as far as form goes. */
ATF_TC_WITHOUT_HEAD(id);
ATF_TC_BODY(id, tc)
{
	uint8_t	b[4 + 256];

	OK(P_IDI, 1, 9, 9, 9, 192, 0, 2, 1);
	ATF_CHECK(m.idi.type == ID_IPV4_ADDR && m.idi.len == 4);
	ATF_CHECK_EQ(m.idi_body.len, 8);
	OK(P_IDR, 2, 0, 0, 0, 'a', '.', 'b');
	ATF_CHECK(m.idr.type == ID_FQDN && m.idr.len == 3 &&
	    m.idr_body.len == 7);
	OK(P_IDI, 11, 0, 0, 0, 0, 255);
	OK(P_IDI, 13, 0, 0, 0);			/* ID_NULL: for others to judge */
	BAD("IDi: cut", P_IDI, 1, 0, 0);
	BAD("IDi: data", P_IDI, 1, 0, 0, 0, 192, 0, 2);
	BAD("IDr: data", P_IDR, 1, 0, 0, 0, 192, 0, 2, 1, 0);
	BAD("IDi: data", P_IDI, 5, 0, 0, 0, 1, 2, 3, 4);
	BAD("IDi: data", P_IDI, 2, 0, 0, 0);
	BAD("IDi: data", P_IDI, 2, 0, 0, 0, 'a', 0, 'b');
	BAD("IDi: data", P_IDI, 9, 0, 0, 0, 0x30, 0x80, 0, 0);
	BAD("IDi: type 0", P_IDI, 0, 0, 0, 0, 1);
	memset(b, 'a', sizeof(b));
	b[0] = ID_FQDN;
	ATF_CHECK_EQ(one(P_IDI, b, 4 + 255), WIRE_OK);
	ATF_CHECK_EQ(one(P_IDI, b, 4 + 256), WIRE_MALFORMED);
	ATF_CHECK(strstr(why, "IDi: longer") != NULL);
}

ATF_TC_WITHOUT_HEAD(auth);
ATF_TC_BODY(auth, tc)
{
	OK(P_AUTH, 2, 1, 2, 3, 0xaa, 0xbb);
	ATF_CHECK(m.auth_method == AUTH_PSK && m.auth.len == 2);
	OK(P_AUTH, 14, 0, 0, 0);	/* test 35: refused where it is verified */
	ATF_CHECK_EQ(m.auth.len, 0);
	BAD("AUTH: cut", P_AUTH, 2, 0, 0);
}

ATF_TC_WITHOUT_HEAD(notify);
ATF_TC_BODY(notify, tc)
{
	const struct wire_notify	*n;
	size_t				 i, k;

	OK(P_N, 3, 4, 0x40, 0x09, 1, 2, 3, 4, 'd');
	n = wire_notify(&m, N_REKEY_SA);
	ATF_REQUIRE(n != NULL);
	ATF_CHECK(n->proto == PROTO_ESP && n->spilen == 4 &&
	    n->spi == 0x01020304 && n->data.len == 1);
	ATF_CHECK(wire_error(&m) == NULL);
	OK(P_N, 1, 8, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8);
	n = wire_error(&m);
	ATF_REQUIRE(n != NULL);
	ATF_CHECK(n->type == N_AUTHENTICATION_FAILED &&
	    n->spi == 0x0102030405060708ULL);
	ATF_CHECK(wire_notify(&m, N_REKEY_SA) == NULL);
	/* 16383 is the last error */
	OK(P_N, 0, 0, 0x3f, 0xff);
	ATF_CHECK(wire_error(&m) != NULL);
	OK(P_N, 0, 0, 0x40, 0x00);
	ATF_CHECK(wire_error(&m) == NULL);
	BAD("Notify: cut", P_N, 0, 0, 0);
	BAD("Notify: cut", P_N, 3, 4, 0x40, 9, 1, 2, 3);
	BAD("Notify: cut", P_N, 1, 8, 0x40, 9, 1, 2, 3, 4, 5, 6, 7);
	BAD("Notify: SPI", P_N, 3, 3, 0x40, 9, 1, 2, 3);
	BAD("Notify: SPI", P_N, 3, 255, 0x40, 9, 1, 2, 3);
	/* their number is bounded */
	for (k = WIRE_MAXNOTIFIES - 1; k <= WIRE_MAXNOTIFIES + 1; k++) {
		start();
		for (i = 1; i <= k; i++)
			payload(i < k ? P_N : P_NONE, 0, "\0\0\x40\x04", 4);
		ATF_CHECK_EQ(decode(P_N), k <= WIRE_MAXNOTIFIES ? WIRE_OK :
		    WIRE_MALFORMED);
	}
}

/* A cookie counts only in front (2.6). */
ATF_TC_WITHOUT_HEAD(cookie);
ATF_TC_BODY(cookie, tc)
{
	start();
	payload(P_V, 0, "\0\0\x40\x06secret", 10);
	payload(P_NONE, 0, NULL, 0);
	ATF_CHECK_EQ(decode(P_N), WIRE_OK);
	ATF_CHECK_EQ(m.cookie_first, 1);
	start();
	payload(P_N, 0, NULL, 0);
	payload(P_NONE, 0, "\0\0\x40\x06secret", 10);
	ATF_CHECK_EQ(decode(P_V), WIRE_OK);
	ATF_CHECK_EQ(m.cookie_first, 0);
	ATF_CHECK(wire_notify(&m, N_COOKIE) != NULL);
	start();
	payload(P_N, 0, "\0\0\x40\x04", 4);
	payload(P_NONE, 0, "\0\0\x40\x06secret", 10);
	ATF_CHECK_EQ(decode(P_N), WIRE_OK);
	ATF_CHECK_EQ(m.cookie_first, 0);
}

/* Negative test 44. */
ATF_TC_WITHOUT_HEAD(delete);
ATF_TC_BODY(delete, tc)
{
	uint8_t	b[4 + 4 * 70] = { 3, 4, 0, 0 };
	size_t	n;

	OK(P_D, 1, 0, 0, 0);
	ATF_CHECK(m.ndelete == 1 && m.del[0].proto == PROTO_IKE);
	OK(P_D, 3, 4, 0, 2, 1, 2, 3, 4, 0xff, 0, 0, 1);
	ATF_CHECK(m.del[0].nspis == 2 && m.del[0].spi[0] == 0x01020304 &&
	    m.del[0].spi[1] == 0xff000001);
	OK(P_D, 2, 4, 0, 0);
	BAD("Delete: cut", P_D, 1, 0, 0);
	BAD("Delete: SPIs for an IKE", P_D, 1, 8, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8);
	BAD("Delete: SPIs for an IKE", P_D, 1, 0, 0, 1);
	BAD("Delete: SPI size", P_D, 3, 3, 0, 1, 1, 2, 3);
	BAD("Delete: SPI size", P_D, 3, 0, 0, 0);
	BAD("Delete: SPI size", P_D, 3, 8, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8);
	BAD("Delete: unknown", P_D, 0, 4, 0, 1, 1, 2, 3, 4);
	BAD("Delete: unknown", P_D, 4, 4, 0, 1, 1, 2, 3, 4);
	BAD("Delete: SPIs do not", P_D, 3, 4, 0, 2, 1, 2, 3, 4);
	BAD("Delete: SPIs do not", P_D, 3, 4, 0, 1, 1, 2, 3, 4, 5);
	BAD("Delete: SPIs do not", P_D, 3, 4, 0, 0, 1, 2, 3, 4);
	BAD("Delete: SPIs do not", P_D, 3, 4, 0, 1, 1, 2, 3);
	BAD("Delete: too many SPIs", P_D, 3, 4, 0xff, 0xff, 1, 2, 3, 4);
	BAD("Delete: SPIs do not", P_D, 1, 0, 0, 0, 1);
	for (n = 63; n <= 65; n++) {
		b[3] = (uint8_t)n;
		ATF_CHECK_EQ(one(P_D, b, 4 + 4 * n),
		    n <= WIRE_MAXDELSPIS ? WIRE_OK : WIRE_MALFORMED);
	}
	for (n = 7; n <= 9; n++) {
		size_t i;

		start();
		for (i = 1; i <= n; i++)
			payload(i < n ? P_D : P_NONE, 0, "\1\0\0\0", 4);
		ATF_CHECK_EQ(decode(P_D),
		    n <= WIRE_MAXDELETES ? WIRE_OK : WIRE_MALFORMED);
	}
}

ATF_TC_WITHOUT_HEAD(vendor);
ATF_TC_BODY(vendor, tc)
{
	ATF_CHECK_EQ(one(P_V, "", 0), WIRE_OK);
	ATF_CHECK_EQ(m.nvendor, 1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, header);
	ATF_TP_ADD_TC(tp, framing);
	ATF_TP_ADD_TC(tp, many_payloads);
	ATF_TP_ADD_TC(tp, critical);
	ATF_TP_ADD_TC(tp, duplicates);
	ATF_TP_ADD_TC(tp, any_order);
	ATF_TP_ADD_TC(tp, sk);
	ATF_TP_ADD_TC(tp, nonce);
	ATF_TP_ADD_TC(tp, ke);
	ATF_TP_ADD_TC(tp, id);
	ATF_TP_ADD_TC(tp, auth);
	ATF_TP_ADD_TC(tp, notify);
	ATF_TP_ADD_TC(tp, cookie);
	ATF_TP_ADD_TC(tp, delete);
	ATF_TP_ADD_TC(tp, vendor);
	return (atf_no_error());
}
