/* SPDX-License-Identifier: ISC */
/*
 * Known answers of every algorithm, checked once a process before it uses
 * them.  Inputs are counting octets; the answers were computed by another
 * implementation (Python's hmac and integers; for the ciphers its
 * cryptography package) and only their ends are kept, which depend on all of it.
 */

#include <string.h>

#include "crypto/crypto_local.h"

#define KATLEN	8

static const struct {
	uint16_t	prf;
	uint8_t		end[KATLEN];	/* the beginning, here */
} prf_kat[NHASHES] = {
	{ PRF_HMAC_SHA1,
	    { 0x99, 0x0a, 0xc3, 0x63, 0x80, 0x91, 0xcf, 0x32 } },
	{ PRF_HMAC_SHA2_256,
	    { 0x6d, 0xcc, 0x4c, 0x9e, 0xae, 0xf8, 0x74, 0x37 } },
	{ PRF_HMAC_SHA2_384,
	    { 0x48, 0xfa, 0xbf, 0x93, 0x35, 0x60, 0xa4, 0x0a } },
	{ PRF_HMAC_SHA2_512,
	    { 0x9f, 0x26, 0x27, 0xd6, 0xd9, 0xde, 0x2e, 0x73 } },
};

static const struct {
	uint16_t	id, keybits;
	uint8_t		end[KATLEN];
} cipher_kat[NCIPHERS] = {
	{ ENCR_AES_GCM_16, 256,
	    { 0xed, 0x9d, 0xfc, 0x63, 0xb1, 0x1f, 0x8d, 0xba } },
	{ ENCR_AES_GCM_16, 128,
	    { 0x6a, 0xd1, 0x07, 0x52, 0x95, 0x6f, 0xdd, 0xae } },
	{ ENCR_AES_GCM_16, 192,
	    { 0x11, 0x93, 0xbd, 0xe7, 0x5f, 0x3a, 0x87, 0xc2 } },
	{ ENCR_AES_GCM_12, 128,
	    { 0x18, 0x90, 0xd3, 0xc8, 0x6a, 0xd1, 0x07, 0x52 } },
	{ ENCR_AES_GCM_12, 192,
	    { 0xb2, 0x29, 0x90, 0x9a, 0x11, 0x93, 0xbd, 0xe7 } },
	{ ENCR_AES_GCM_12, 256,
	    { 0x63, 0x56, 0xfe, 0x7c, 0xed, 0x9d, 0xfc, 0x63 } },
	{ ENCR_AES_GCM_8, 128,
	    { 0xad, 0xf3, 0x6a, 0xc8, 0x18, 0x90, 0xd3, 0xc8 } },
	{ ENCR_AES_GCM_8, 192,
	    { 0x09, 0x37, 0x08, 0x10, 0xb2, 0x29, 0x90, 0x9a } },
	{ ENCR_AES_GCM_8, 256,
	    { 0xd0, 0xcc, 0x70, 0xbb, 0x63, 0x56, 0xfe, 0x7c } },
	{ ENCR_AES_CBC, 128,
	    { 0xa3, 0xef, 0xb5, 0x4f, 0x25, 0x2f, 0xf3, 0x5b } },
	{ ENCR_AES_CBC, 192,
	    { 0xe7, 0xc8, 0x24, 0xa2, 0x1a, 0x4c, 0x98, 0x44 } },
	{ ENCR_AES_CBC, 256,
	    { 0x1d, 0x95, 0xe6, 0xa6, 0x7f, 0x3f, 0x82, 0x3c } },
	{ ENCR_AES_CTR, 128,
	    { 0x9b, 0x8a, 0xf8, 0x24, 0xb5, 0x68, 0x58, 0x38 } },
	{ ENCR_AES_CTR, 192,
	    { 0x63, 0x4b, 0x49, 0xc2, 0x88, 0xf1, 0x2d, 0xa8 } },
	{ ENCR_AES_CTR, 256,
	    { 0x67, 0x2f, 0x2c, 0x35, 0x41, 0xd6, 0xf2, 0x69 } },
	{ ENCR_CHACHA20_POLY1305, 0,
	    { 0xa7, 0xa6, 0xa6, 0x52, 0x5f, 0xa7, 0x2d, 0x8e } },
};

/*
 * HMAC-SHA-256, keyed with the public value, of the secret shared with oneself.  A
 * short private key, of n octets, is enough to test the prime of a group whose
 * arithmetic the smaller ones have tested, in a hundredth of the time.
 */
static const struct {
	uint16_t	group;
	uint8_t		end[KATLEN];
	size_t		n;		/* 0: a whole private key */
} ke_kat[] = {
	{ KE_X25519, { 0x5d, 0xb9, 0xb3, 0xba, 0x6d, 0x80, 0x7f, 0xb9 }, 0 },
	{ KE_X448, { 0x66, 0x69, 0xfc, 0x5a, 0xc0, 0x78, 0x56, 0x80 }, 0 },
	{ KE_ECP256, { 0xb5, 0x55, 0xa3, 0xa1, 0xc1, 0xa5, 0xa5, 0xf1 }, 0 },
	{ KE_ECP384, { 0x1d, 0x73, 0x05, 0x00, 0x53, 0xea, 0x93, 0xe7 }, 0 },
	{ KE_ECP521, { 0x3b, 0xd8, 0xe9, 0x3a, 0x04, 0x4d, 0x5a, 0x93 }, 0 },
	{ KE_MODP2048, { 0x9d, 0xb6, 0x4d, 0xa5, 0x0f, 0x2a, 0x87, 0x6a }, 0 },
	{ KE_MODP3072, { 0xd9, 0x53, 0xf9, 0xb0, 0x53, 0x7b, 0x5a, 0xa8 }, 0 },
	{ KE_MODP4096, { 0xe1, 0xc4, 0x3a, 0xd8, 0x2e, 0x37, 0x46, 0x1b }, 0 },
	{ KE_MODP6144, { 0x58, 0x16, 0x15, 0x05, 0x77, 0xe9, 0x23, 0xbc }, 3 },
	{ KE_MODP8192, { 0x8b, 0x33, 0x91, 0xb8, 0x52, 0x7f, 0x40, 0xea }, 3 },
	{ KE_MODP1536, { 0x22, 0x9a, 0x56, 0x6b, 0x04, 0xd2, 0x87, 0xba }, 0 },
	{ KE_MODP1024, { 0x32, 0x8a, 0xc3, 0x4b, 0xb2, 0x8b, 0x37, 0xf0 }, 0 },
};

/* SHA1 of counting octets, as natd_hash() takes them */
static const uint8_t natd_kat[20] = {
	0x25, 0xe4, 0x80, 0xe9, 0xe0, 0xca, 0x2b, 0x61, 0x01, 0x05,
	0xcd, 0x14, 0x24, 0xb8, 0xa3, 0x5f, 0x63, 0xfb, 0x39, 0x81
};

static void
count(uint8_t *p, size_t n, uint8_t first)
{
	while (n-- > 0)
		*p++ = first++;
}

static int
test_prf(struct crypto *c, uint16_t id, const uint8_t *want)
{
	uint8_t		key[32], text[100], out[PRF_MAXLEN];
	struct span	data = { text, sizeof(text) };

	count(key, sizeof(key), 0);
	count(text, sizeof(text), 7);
	if (prf(c, id, (struct span){ key, sizeof(key) }, &data, 1, out) == -1)
		return (-1);
	return (memcmp(out, want, KATLEN) == 0 ? 0 : -1);
}

/* Seals, compares, opens again, and sees that a flipped bit is noticed. */
static int
test_cipher(struct crypto *c, uint16_t id, uint16_t keybits, const uint8_t *want)
{
	const size_t	aad = 32, plen = 20;
	struct ike_keys	k;
	uint8_t		msg[128], plain[20], iv[16], back[128];
	size_t		n, got;

	memset(&k, 0, sizeof(k));
	k.encr = id;
	k.encr_keybits = keybits;
	k.integ = id == ENCR_AES_CBC || id == ENCR_AES_CTR ?
	    INTEG_HMAC_SHA2_256_128 : INTEG_NONE;
	count(k.ei, 36, 0x40);
	count(k.ai, 32, 0x80);
	count(msg, aad, 0xa0);
	count(plain, plen, 0);
	count(iv, sizeof(iv), 0x10);
	n = sk_len(&k, plen);
	if (n < KATLEN || aad + n > sizeof(msg) ||
	    sk_seal(c, &k, 1, msg, aad, (struct span){ plain, plen }, iv) == -1 ||
	    memcmp(msg + aad + n - KATLEN, want, KATLEN) != 0)
		return (-1);
	if (sk_open(c, &k, 1, msg, aad, (struct span){ msg + aad, n }, back,
	    &got) == -1 || got != plen || memcmp(back, plain, plen) != 0)
		return (-1);
	msg[aad + n - 1] ^= 1;
	if (sk_open(c, &k, 1, msg, aad, (struct span){ msg + aad, n }, back,
	    &got) == 0)
		return (-1);
	return (0);
}

static int
test_ke(struct crypto *c, uint16_t group, size_t n, const uint8_t *want)
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	uint8_t			 rnd[KE_MAXSECRET], secret[KE_MAXSECRET];
	uint8_t			 out[PRF_MAXLEN];
	struct span		 data = { secret, 0 };
	struct ke		*k;
	int			 rv = -1;

	if (xi == NULL || xi->privlen > sizeof(rnd))
		return (-1);
	count(rnd, xi->privlen, 1);
	if (n > 0)
		memset(rnd, 0, xi->privlen - n);
	if ((k = ke_new(c, group, rnd, xi->privlen)) == NULL)
		return (-1);
	if (ke_derive(c, k, ke_public(k), secret, &data.len) == 0 &&
	    prf(c, PRF_HMAC_SHA2_256, ke_public(k), &data, 1, out) == 0 &&
	    memcmp(out, want, KATLEN) == 0)
		rv = 0;
	ke_free(k);
	return (rv);
}

static int
test_natd(struct crypto *c)
{
	uint8_t	ip[4], out[20];

	count(ip, sizeof(ip), 16);
	if (natd_hash(c, 0x0001020304050607ULL, 0x08090a0b0c0d0e0fULL, ip,
	    sizeof(ip), 0x1415, out) == -1)
		return (-1);
	return (memcmp(out, natd_kat, sizeof(out)) == 0 ? 0 : -1);
}

int
crypto_selftest(struct crypto *c, const char **what)
{
	size_t	i;

	for (i = 0; i < NHASHES; i++) {
		*what = xform_name(XF_PRF, prf_kat[i].prf, 0);
		if (test_prf(c, prf_kat[i].prf, prf_kat[i].end) == -1)
			return (-1);
	}
	for (i = 0; i < NCIPHERS; i++) {
		*what = xform_name(XF_ENCR, cipher_kat[i].id,
		    cipher_kat[i].keybits);
		if (test_cipher(c, cipher_kat[i].id, cipher_kat[i].keybits,
		    cipher_kat[i].end) == -1)
			return (-1);
	}
	for (i = 0; i < sizeof(ke_kat) / sizeof(ke_kat[0]); i++) {
		*what = xform_name(XF_KE, ke_kat[i].group, 0);
		if (test_ke(c, ke_kat[i].group, ke_kat[i].n, ke_kat[i].end) == -1)
			return (-1);
	}
	*what = "SHA1";
	return (test_natd(c));
}
