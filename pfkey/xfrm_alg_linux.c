/* SPDX-License-Identifier: ISC */
/* The names Linux's crypto layer has for the transforms of IKE. */

#include <linux/xfrm.h>

#include <string.h>

#include "pfkey/xfrm_msg_linux.h"

/* RFC 4106, 7634, 3686: salt last in the key, as the kernel wants it too. */
static const struct xfrm_alg algs[] = {
	{ XF_ENCR, ENCR_AES_CBC, XFRMA_ALG_CRYPT, "cbc(aes)", 0 },
	{ XF_ENCR, ENCR_AES_CTR, XFRMA_ALG_CRYPT, "rfc3686(ctr(aes))", 0 },
	{ XF_ENCR, ENCR_AES_GCM_16, XFRMA_ALG_AEAD, "rfc4106(gcm(aes))", 128 },
	{ XF_ENCR, ENCR_AES_GCM_12, XFRMA_ALG_AEAD, "rfc4106(gcm(aes))", 96 },
	{ XF_ENCR, ENCR_AES_GCM_8, XFRMA_ALG_AEAD, "rfc4106(gcm(aes))", 64 },
	{ XF_ENCR, ENCR_CHACHA20_POLY1305, XFRMA_ALG_AEAD,
	    "rfc7539esp(chacha20,poly1305)", 128 },
	{ XF_ENCR, ENCR_3DES, XFRMA_ALG_CRYPT, "cbc(des3_ede)", 0 },
	{ XF_ENCR, ENCR_NULL, XFRMA_ALG_CRYPT, "ecb(cipher_null)", 0 },
	{ XF_INTEG, INTEG_HMAC_SHA1_96, XFRMA_ALG_AUTH_TRUNC, "hmac(sha1)", 96 },
	{ XF_INTEG, INTEG_HMAC_SHA2_256_128, XFRMA_ALG_AUTH_TRUNC,
	    "hmac(sha256)", 128 },
	{ XF_INTEG, INTEG_HMAC_SHA2_384_192, XFRMA_ALG_AUTH_TRUNC,
	    "hmac(sha384)", 192 },
	{ XF_INTEG, INTEG_HMAC_SHA2_512_256, XFRMA_ALG_AUTH_TRUNC,
	    "hmac(sha512)", 256 },
};

#define NALGS	(sizeof(algs) / sizeof(algs[0]))

const struct xfrm_alg *
xfrm_alg(uint8_t type, uint16_t id)
{
	size_t i;

	for (i = 0; i < NALGS; i++)
		if (algs[i].type == type && algs[i].id == id)
			return (&algs[i]);
	return (NULL);
}

int
xfrm_alg_encr(const char *name, unsigned int keybits, unsigned int icvbits,
    uint16_t *id, uint16_t *ike_keybits)
{
	const struct xform_info *xi;
	size_t i;

	for (i = 0; i < NALGS; i++) {
		if (algs[i].type != XF_ENCR || algs[i].icvbits != icvbits ||
		    strcmp(algs[i].name, name) != 0)
			continue;
		/* A cipher of one size has no key length in IKE. */
		if ((xi = xform_info(XF_ENCR, algs[i].id, 0)) != NULL &&
		    xi->keylen * 8U == keybits) {
			*id = algs[i].id;
			*ike_keybits = 0;
			return (0);
		}
		for (unsigned int b = 128; b <= 256; b += 64) {
			xi = xform_info(XF_ENCR, algs[i].id, (uint16_t)b);
			if (xi != NULL && xi->keylen * 8U == keybits) {
				*id = algs[i].id;
				*ike_keybits = (uint16_t)b;
				return (0);
			}
		}
	}
	return (-1);
}

uint16_t
xfrm_alg_integ(const char *name, unsigned int truncbits)
{
	size_t i;

	for (i = 0; i < NALGS; i++)
		if (algs[i].type == XF_INTEG && algs[i].icvbits == truncbits &&
		    strcmp(algs[i].name, name) == 0)
			return (algs[i].id);
	return (INTEG_NONE);
}
