/* SPDX-License-Identifier: ISC */
/*
 * The SK payload: IV | ciphertext (payloads, padding, pad length) | ICV.
 *
 * With CBC the ICV is an HMAC over everything from the header to the ciphertext
 * (RFC 7296 3.14, encrypt then MAC) and is checked before anything is
 * decrypted; what the padding says is looked at only after that, so it is no
 * oracle.  With an AEAD the nonce is salt | IV and header to SK header
 * are associated data (RFC 5282 5, RFC 7634 2).  AES-CTR is MACed like CBC; its
 * counter block is nonce | IV | 1 (RFC 5930 2, RFC 3686 4).
 */

#include <string.h>

#include "crypto/crypto_local.h"

#define SALTLEN	4
#define IVLEN	8

/* Everything one direction of an SA needs for one message. */
struct sealer {
	struct cipher	*ci;
	struct hash	*h;		/* NULL: AEAD */
	size_t		 ivlen, block, icvlen, keylen, integlen;
	const uint8_t	*ekey, *akey;
};

static int
sealer_init(struct crypto *c, const struct ike_keys *k, int from_initiator,
    struct sealer *s)
{
	const struct xform_info	*xi, *integ;

	if ((s->ci = cipher_byid(c, k->encr, k->encr_keybits)) == NULL)
		return (-1);
	xi = s->ci->xi;
	s->ivlen = xi->ivlen;
	s->block = xi->blocklen;
	s->keylen = (size_t)xi->keylen - xi->saltlen;
	s->ekey = from_initiator ? k->ei : k->er;
	s->akey = from_initiator ? k->ai : k->ar;
	s->h = NULL;
	if (xi->aead) {
		s->icvlen = xi->icvlen;
		s->integlen = 0;
		return (k->integ == INTEG_NONE ? 0 : -1);
	}
	integ = xform_info(XF_INTEG, k->integ, 0);
	if (integ == NULL || (s->h = hash_byinteg(c, k->integ)) == NULL)
		return (-1);
	s->icvlen = integ->icvlen;
	s->integlen = integ->keylen;
	return (0);
}

/* The pad length octet included, the plaintext fills whole blocks. */
static size_t
padded(size_t plain, size_t block)
{
	return ((plain + 1 + block - 1) / block * block);
}

size_t
sk_len(const struct ike_keys *k, size_t plain)
{
	const struct xform_info	*xi, *integ;
	size_t			 icv;

	xi = xform_info(XF_ENCR, k->encr, k->encr_keybits);
	integ = xform_info(XF_INTEG, k->integ, 0);
	if (xi == NULL || integ == NULL || xi->blocklen == 0)
		return (0);
	icv = xi->aead ? xi->icvlen : integ->icvlen;
	return (xi->ivlen + padded(plain, xi->blocklen) + icv);
}

size_t
sk_fit(const struct ike_keys *k, size_t room)
{
	const struct xform_info	*xi;
	size_t			 least = sk_len(k, 0), n;

	xi = xform_info(XF_ENCR, k->encr, k->encr_keybits);
	if (xi == NULL || least == 0 || room < least)
		return (0);
	/* the first block is in it, less the pad length */
	n = (room - least) / xi->blocklen * xi->blocklen;
	return (n + xi->blocklen - 1);
}

static int
hmac_icv(const struct sealer *s, const uint8_t *msg, size_t n, uint8_t *full)
{
	struct span	data = { msg, n };

	return (hash_hmac(s->h, (struct span){ s->akey, s->integlen }, &data, 1,
	    full));
}

/* In place over n octets; with CBC, of whole blocks. */
static int
plain_run(const struct sealer *s, int enc, const uint8_t *iv, const uint8_t *in,
    uint8_t *out, size_t n)
{
	EVP_CIPHER_CTX	*x = s->ci->ctx;
	uint8_t		 ctr[SALTLEN + IVLEN + 4] = { 0 };
	int		 len = 0, fin = 0;

	if (s->ci->xi->saltlen == SALTLEN) {
		memcpy(ctr, s->ekey + s->keylen, SALTLEN);
		memcpy(ctr + SALTLEN, iv, IVLEN);
		ctr[sizeof(ctr) - 1] = 1;
		iv = ctr;
	}
	if (crypto_ok(EVP_CipherInit_ex2(x, s->ci->c, s->ekey, iv, enc,
	    NULL)) == -1 ||
	    crypto_ok(EVP_CIPHER_CTX_set_padding(x, 0)) == -1 ||
	    crypto_ok(EVP_CipherUpdate(x, out, &len, in, (int)n)) == -1 ||
	    crypto_ok(EVP_CipherFinal_ex(x, out + len, &fin)) == -1)
		return (-1);
	return ((size_t)len + (size_t)fin == n ? 0 : -1);
}

/* enc: writes the tag; otherwise wants it to be right. */
static int
aead_run(const struct sealer *s, int enc, const uint8_t *aad, size_t aadlen,
    const uint8_t *iv, const uint8_t *in, uint8_t *out, size_t n, uint8_t *tag)
{
	EVP_CIPHER_CTX	*x = s->ci->ctx;
	uint8_t		 nonce[SALTLEN + IVLEN], end[16];
	int		 len = 0, fin = 0;

	memcpy(nonce, s->ekey + s->keylen, SALTLEN);
	memcpy(nonce + SALTLEN, iv, IVLEN);
	/* 12 octets are the default nonce length of both AEADs */
	if (crypto_ok(EVP_CipherInit_ex2(x, s->ci->c, s->ekey, nonce, enc,
	    NULL)) == -1)
		return (-1);
	if (!enc && crypto_ok(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG,
	    (int)s->icvlen, tag)) == -1)
		return (-1);
	if (crypto_ok(EVP_CipherUpdate(x, NULL, &len, aad, (int)aadlen)) == -1 ||
	    crypto_ok(EVP_CipherUpdate(x, out, &len, in, (int)n)) == -1 ||
	    crypto_ok(EVP_CipherFinal_ex(x, end, &fin)) == -1 ||
	    (size_t)len != n || fin != 0)
		return (-1);
	if (enc)
		return (crypto_ok(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG,
		    (int)s->icvlen, tag)));
	return (0);
}

int
sk_seal(struct crypto *c, const struct ike_keys *k, int from_initiator,
    uint8_t *msg, size_t aadlen, struct span plain, const uint8_t *iv)
{
	struct sealer	 s;
	uint8_t		*text, full[PRF_MAXLEN];
	size_t		 n;

	if (plain.len > UINT16_MAX || aadlen > UINT16_MAX ||
	    sealer_init(c, k, from_initiator, &s) == -1)
		return (-1);
	n = padded(plain.len, s.block);
	memcpy(msg + aadlen, iv, s.ivlen);
	text = msg + aadlen + s.ivlen;
	if (plain.len > 0)
		memmove(text, plain.p, plain.len);
	memset(text + plain.len, 0, n - plain.len);
	text[n - 1] = (uint8_t)(n - 1 - plain.len);
	if (s.h == NULL)
		return (aead_run(&s, 1, msg, aadlen, msg + aadlen, text, text, n,
		    text + n));
	if (plain_run(&s, 1, msg + aadlen, text, text, n) == -1 ||
	    hmac_icv(&s, msg, aadlen + s.ivlen + n, full) == -1)
		return (-1);
	memcpy(text + n, full, s.icvlen);
	return (0);
}

static int
decrypt(const struct sealer *s, const uint8_t *msg, size_t aadlen,
    struct span content, uint8_t *plain, size_t n)
{
	const uint8_t	*text = content.p + s->ivlen;
	uint8_t		 tag[PRF_MAXLEN];

	if (s->h == NULL) {
		memcpy(tag, text + n, s->icvlen);
		return (aead_run(s, 0, msg, aadlen, content.p, text, plain, n,
		    tag));
	}
	if (hmac_icv(s, msg, aadlen + s->ivlen + n, tag) == -1 ||
	    !crypto_equal(tag, text + n, s->icvlen))
		return (-1);
	return (plain_run(s, 0, content.p, text, plain, n));
}

int
sk_open(struct crypto *c, const struct ike_keys *k, int from_initiator,
    const uint8_t *msg, size_t aadlen, struct span content, uint8_t *plain,
    size_t *plainlen)
{
	struct sealer	s;
	size_t		n, pad;

	*plainlen = 0;
	if (content.len > UINT16_MAX || aadlen > UINT16_MAX ||
	    sealer_init(c, k, from_initiator, &s) == -1)
		return (-1);
	/* the ICV covers msg up to itself: content has to follow it */
	if (content.len < s.ivlen + s.block + s.icvlen ||
	    content.p != msg + aadlen)
		return (-1);
	n = content.len - s.ivlen - s.icvlen;
	if (n % s.block != 0)
		return (-1);
	if (decrypt(&s, msg, aadlen, content, plain, n) == -1) {
		crypto_wipe(plain, n);
		return (-1);
	}
	pad = (size_t)plain[n - 1] + 1;
	if (pad > n) {
		crypto_wipe(plain, n);
		return (-1);
	}
	*plainlen = n - pad;
	return (0);
}
