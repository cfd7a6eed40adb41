/* SPDX-License-Identifier: ISC */
/* The SK payload: vectors of the ciphers in it, round trips, forgeries. */

#include "crypto/crypto_local.h"
#include "unit/vec.h"

static struct crypto *
fresh(void)
{
	struct crypto	*c = crypto_new(NULL);

	if (c == NULL)
		atf_tc_fail("crypto_new failed");
	return (c);
}

static void
fill(uint8_t *p, size_t n, unsigned first)
{
	size_t	i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(first + 7 * i);
}

static void
set_keys(struct ike_keys *k, uint16_t encr, uint16_t bits, uint16_t integ)
{
	memset(k, 0, sizeof(*k));
	k->encr = encr;
	k->encr_keybits = bits;
	k->integ = integ;
	fill(k->ei, KEY_MAXLEN, 1);
	fill(k->er, KEY_MAXLEN, 2);
	fill(k->ai, KEY_MAXLEN, 3);
	fill(k->ar, KEY_MAXLEN, 4);
}

/*
 * One AEAD vector.  sk_open() takes the last octet for the pad length, so
 * a good vector opens to that much less or, when its last octet says
 * more than there is, not at all; sk_seal() gives the vector itself where the last octet
 * is zero.
 */
static int
aead_case(struct crypto *c, struct vec *v, int good)
{
	struct span	 key = vec_hex(v, "key"), salt = vec_hex(v, "salt");
	struct span	 aad = vec_hex(v, "aad"), plain = vec_hex(v, "plain");
	struct span	 iv = vec_hex(v, "iv"), ct = vec_hex(v, "cipher"), sealed;
	const char	*alg = vec_str(v, "alg");
	struct ike_keys	 k;
	uint8_t		*msg, *out;
	size_t		 n, clen = iv.len + ct.len, want;
	int		 openable;

	memset(&k, 0, sizeof(k));
	k.encr_keybits = (uint16_t)(key.len * 8);
	if (strcmp(alg, "ENCR_CHACHA20_POLY1305") == 0) {
		k.encr = ENCR_CHACHA20_POLY1305;
		k.encr_keybits = 0;
	} else
		k.encr = vec_int(v, "icv") == 16 ? ENCR_AES_GCM_16 :
		    vec_int(v, "icv") == 12 ? ENCR_AES_GCM_12 : ENCR_AES_GCM_8;
	memcpy(k.ei, key.p, key.len);
	memcpy(k.ei + key.len, salt.p, salt.len);
	msg = malloc(aad.len + clen);
	out = malloc(clen);
	ATF_REQUIRE(msg != NULL && out != NULL);
	memcpy(msg, aad.p, aad.len);
	memcpy(msg + aad.len, iv.p, iv.len);
	memcpy(msg + aad.len + iv.len, ct.p, ct.len);
	openable = good && plain.len > 0 &&
	    plain.p[plain.len - 1] < plain.len;
	ATF_CHECK_EQ_MSG(sk_open(c, &k, 1, msg, aad.len,
	    (struct span){ msg + aad.len, clen }, out, &n), openable ? 0 : -1,
	    "%s", vec_str(v, "id"));
	if (openable) {
		want = plain.len - 1 - plain.p[plain.len - 1];
		ATF_CHECK_EQ(n, want);
		ATF_CHECK(memcmp(out, plain.p, want) == 0);
	}
	if (openable && plain.p[plain.len - 1] == 0) {
		memset(msg + aad.len, 0xee, clen);
		ATF_REQUIRE_EQ(sk_len(&k, plain.len - 1), clen);
		ATF_REQUIRE_EQ(sk_seal(c, &k, 1, msg, aad.len,
		    (struct span){ plain.p, plain.len - 1 }, iv.p), 0);
		sealed = ct;
		VEC_EQ(v, sealed, msg + aad.len + iv.len, ct.len);
	}
	free(msg);
	free(out);
	return (openable);
}

ATF_TC_WITHOUT_HEAD(aead);
ATF_TC_BODY(aead, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	int		 n = 0, opened = 0;

	for (vec_open(&v, "vectors/aead.txt"); vec_next(&v); n++)
		opened += aead_case(c, &v, 1);
	ATF_CHECK_EQ(n, 25);
	ATF_CHECK_MSG(opened > 0, "%d", opened);
	printf("%d of %d open\n", opened, n);
	crypto_free(c);
}

ATF_TC_WITHOUT_HEAD(wycheproof_aead);
ATF_TC_BODY(wycheproof_aead, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	int		 good, n = 0, opened = 0, bad = 0;

	for (vec_open(&v, "vectors/wycheproof-aead.txt"); vec_next(&v); n++) {
		good = strcmp(vec_str(&v, "result"), "valid") == 0;
		opened += aead_case(c, &v, good);
		bad += !good;
	}
	ATF_CHECK_EQ(n, 513);
	ATF_CHECK_MSG(opened > 50 && bad > 50, "%d %d", opened, bad);
	printf("%d open, %d are forged\n", opened, bad);
	crypto_free(c);
}

static void
round_trip(struct crypto *c, const struct ike_keys *k, size_t plen, int from_i)
{
	const size_t	aad = 32;
	size_t		n = sk_len(k, plen), got, i;
	uint8_t		*msg = malloc(aad + n), *out = malloc(n), plain[300];
	uint8_t		iv[16];

	ATF_REQUIRE(msg != NULL && out != NULL && plen <= sizeof(plain));
	fill(msg, aad, 9);
	fill(plain, plen, 11);
	fill(iv, sizeof(iv), 13);
	ATF_REQUIRE_EQ(sk_seal(c, k, from_i, msg, aad, (struct span){ plain, plen },
	    iv), 0);
	ATF_REQUIRE_EQ(sk_open(c, k, from_i, msg, aad, (struct span){ msg + aad, n },
	    out, &got), 0);
	ATF_CHECK(got == plen && memcmp(out, plain, plen) == 0);
	/* the other direction's keys */
	ATF_CHECK_EQ(sk_open(c, k, !from_i, msg, aad, (struct span){ msg + aad, n },
	    out, &got), -1);
	/* any octet changed, header included, and any octet missing at the end */
	for (i = 0; i < aad + n; i++) {
		msg[i] ^= 0x40;
		ATF_CHECK_EQ(sk_open(c, k, from_i, msg, aad,
		    (struct span){ msg + aad, n }, out, &got), -1);
		ATF_CHECK_EQ(got, 0);
		msg[i] ^= 0x40;
	}
	for (i = 0; i < n; i++)
		ATF_CHECK_EQ(sk_open(c, k, from_i, msg, aad,
		    (struct span){ msg + aad, i }, out, &got), -1);
	/* nothing the failures left behind disturbs the good one */
	ATF_CHECK_EQ(sk_open(c, k, from_i, msg, aad, (struct span){ msg + aad, n },
	    out, &got), 0);
	free(msg);
	free(out);
}

ATF_TC_WITHOUT_HEAD(every_cipher);
ATF_TC_BODY(every_cipher, tc)
{
	static const uint16_t	 integs[] = {
		INTEG_HMAC_SHA1_96, INTEG_HMAC_SHA2_256_128,
		INTEG_HMAC_SHA2_384_192, INTEG_HMAC_SHA2_512_256
	};
	static const size_t	 lens[] = { 0, 1, 14, 15, 16, 17, 31, 100, 256 };
	struct crypto		*c = fresh();
	const struct xform_info	*xi;
	struct ike_keys		 k;
	size_t			 i, j, l;
	int			 n = 0;

	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != XF_ENCR || cipher_byid(c, xi->id,
		    xi->keybits) == NULL)
			continue;
		n++;
		for (j = 0; j < (xi->aead ? 1 : 4); j++)
			for (l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
				set_keys(&k, xi->id, xi->keybits,
				    xi->aead ? INTEG_NONE : integs[j]);
				round_trip(c, &k, lens[l], (int)(l & 1));
			}
	}
	ATF_CHECK_EQ(n, NCIPHERS);
	crypto_free(c);
}

/* Sizes on the wire (3.14, RFC 5282 3). */
ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	struct ike_keys	k;

	set_keys(&k, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128);
	ATF_CHECK_EQ(sk_len(&k, 0), 16 + 16 + 16);
	ATF_CHECK_EQ(sk_len(&k, 15), 16 + 16 + 16);
	ATF_CHECK_EQ(sk_len(&k, 16), 16 + 32 + 16);
	set_keys(&k, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256);
	ATF_CHECK_EQ(sk_len(&k, 15), 16 + 16 + 32);
	set_keys(&k, ENCR_AES_CBC, 128, INTEG_HMAC_SHA1_96);
	ATF_CHECK_EQ(sk_len(&k, 15), 16 + 16 + 12);
	set_keys(&k, ENCR_AES_GCM_16, 128, INTEG_NONE);
	ATF_CHECK_EQ(sk_len(&k, 0), 8 + 1 + 16);
	ATF_CHECK_EQ(sk_len(&k, 40), 8 + 41 + 16);
	set_keys(&k, ENCR_AES_GCM_8, 128, INTEG_NONE);
	ATF_CHECK_EQ(sk_len(&k, 40), 8 + 41 + 8);
	set_keys(&k, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE);
	ATF_CHECK_EQ(sk_len(&k, 40), 8 + 41 + 16);
}

/* What fits is sealed to no more than the room, and one octet more would be. */
ATF_TC_WITHOUT_HEAD(fit);
ATF_TC_BODY(fit, tc)
{
	static const struct { uint16_t encr, bits, integ; } s[] = {
		{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
		{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA1_96 },
		{ ENCR_AES_GCM_16, 256, INTEG_NONE },
		{ ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
	};
	struct ike_keys	k;
	size_t		i, room, n;

	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		set_keys(&k, s[i].encr, s[i].bits, s[i].integ);
		for (room = 0; room < 1300; room++) {
			n = sk_fit(&k, room);
			ATF_REQUIRE(n == 0 || sk_len(&k, n) <= room);
			ATF_REQUIRE(sk_len(&k, n + 1) > room);
		}
	}
}

/*
 * What only a peer with the keys can send: padding longer than the content,
 * padding of any octets, a whole block of it (3.14, negative test 9).
 */
ATF_TC_WITHOUT_HEAD(padding);
ATF_TC_BODY(padding, tc)
{
	struct crypto	*c = fresh();
	struct ike_keys	 k;
	uint8_t		 msg[128], iv[16], out[128], block[32], full[64];
	struct cipher	*ci;
	struct span	 mac = { msg, 0 };
	size_t		 got, n;
	int		 pad, len;

	set_keys(&k, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128);
	fill(iv, 16, 2);
	for (pad = 0; pad < 256; pad++) {
		fill(block, 32, 5);
		block[31] = (uint8_t)pad;
		fill(msg, 32, 1);
		memcpy(msg + 32, iv, 16);
		ci = cipher_byid(c, ENCR_AES_CBC, 128);
		ATF_REQUIRE(EVP_CipherInit_ex2(ci->ctx, ci->c, k.ei, iv, 1,
		    NULL) == 1);
		ATF_REQUIRE(EVP_CIPHER_CTX_set_padding(ci->ctx, 0) == 1);
		ATF_REQUIRE(EVP_CipherUpdate(ci->ctx, msg + 48, &len, block,
		    32) == 1 && len == 32);
		mac.len = 80;
		ATF_REQUIRE_EQ(hash_hmac(hash_byinteg(c, k.integ),
		    (struct span){ k.ai, 32 }, &mac, 1, full), 0);
		memcpy(msg + 80, full, 16);
		n = 16 + 32 + 16;
		ATF_CHECK_EQ_MSG(sk_open(c, &k, 1, msg, 32,
		    (struct span){ msg + 32, n }, out, &got), pad < 32 ? 0 : -1,
		    "pad %d", pad);
		ATF_CHECK_EQ(got, pad < 32 ? 31 - (size_t)pad : 0);
		if (pad < 32)
			ATF_CHECK(memcmp(out, block, got) == 0);
	}
	crypto_free(c);
}

/* Ciphertext that is no whole number of blocks, under a right ICV. */
ATF_TC_WITHOUT_HEAD(odd_blocks);
ATF_TC_BODY(odd_blocks, tc)
{
	struct crypto	*c = fresh();
	struct ike_keys	 k;
	uint8_t		 msg[128], out[128], full[64];
	struct span	 mac = { msg, 0 };
	size_t		 got, n;

	set_keys(&k, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128);
	for (n = 0; n <= 48; n++) {
		fill(msg, 128, 1);
		mac.len = 32 + 16 + n;
		ATF_REQUIRE_EQ(hash_hmac(hash_byinteg(c, k.integ),
		    (struct span){ k.ai, 32 }, &mac, 1, full), 0);
		memcpy(msg + 48 + n, full, 16);
		if (n % 16 == 0 && n > 0)
			continue;
		ATF_CHECK_EQ(sk_open(c, &k, 1, msg, 32,
		    (struct span){ msg + 32, 16 + n + 16 }, out, &got), -1);
	}
	crypto_free(c);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct crypto	*c = fresh();
	struct ike_keys	 k;
	uint8_t		 msg[256] = { 0 }, iv[16] = { 0 }, out[256];
	struct span	 plain = { iv, 16 };
	size_t		 got;

	/* ciphers IKE does not use, pairs that do not fit */
	set_keys(&k, ENCR_NULL, 0, INTEG_HMAC_SHA2_256_128);
	ATF_CHECK_EQ(sk_seal(c, &k, 1, msg, 32, plain, iv), -1);
	set_keys(&k, ENCR_AES_CBC, 128, INTEG_NONE);
	ATF_CHECK_EQ(sk_seal(c, &k, 1, msg, 32, plain, iv), -1);
	ATF_CHECK_EQ(sk_open(c, &k, 1, msg, 32, (struct span){ msg + 32, 64 }, out,
	    &got), -1);
	set_keys(&k, ENCR_AES_GCM_16, 128, INTEG_HMAC_SHA2_256_128);
	ATF_CHECK_EQ(sk_seal(c, &k, 1, msg, 32, plain, iv), -1);
	set_keys(&k, ENCR_AES_GCM_16, 0, INTEG_NONE);
	ATF_CHECK_EQ(sk_seal(c, &k, 1, msg, 32, plain, iv), -1);
	/* content that does not follow what it authenticates */
	set_keys(&k, ENCR_AES_GCM_16, 128, INTEG_NONE);
	ATF_REQUIRE_EQ(sk_seal(c, &k, 1, msg, 32, plain, iv), 0);
	memcpy(out, msg + 32, sk_len(&k, 16));
	ATF_CHECK_EQ(sk_open(c, &k, 1, msg, 32,
	    (struct span){ out, sk_len(&k, 16) }, out + 128, &got), -1);
	crypto_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, aead);
	ATF_TP_ADD_TC(tp, wycheproof_aead);
	ATF_TP_ADD_TC(tp, every_cipher);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, fit);
	ATF_TP_ADD_TC(tp, padding);
	ATF_TP_ADD_TC(tp, odd_blocks);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
