/* SPDX-License-Identifier: ISC */
/* Keys, and what is made of them outside SK: RFC 7296 2.14 to 2.18, 2.23. */

#include <string.h>

#include "crypto/crypto_local.h"

#define MAXNONCES	512	/* two of 256 octets, RFC 7296 3.9 */
#define SPAN(a, n)	((struct span){ (a), (n) })

/* Lengths of one direction's encryption and integrity keys. */
static int
key_lens(const struct suite *s, size_t *encr, size_t *integ)
{
	const struct xform_info	*e, *i;

	e = xform_info(XF_ENCR, s->encr, s->encr_keybits);
	i = xform_info(XF_INTEG, s->integ, 0);
	if (e == NULL || i == NULL || e->keylen > KEY_MAXLEN ||
	    i->keylen > KEY_MAXLEN || (e->aead && i->keylen != 0))
		return (-1);
	*encr = e->keylen;
	*integ = i->keylen;
	return (0);
}

/* 2.14, or 2.18 when there is an old SA, whose prf and SK_d then count. */
static int
skeyseed(struct crypto *c, const struct suite *s, struct span secret,
    struct span ni, struct span nr, const struct ike_keys *old, uint8_t *out,
    size_t *outlen)
{
	struct span	data[3] = { secret, ni, nr };
	uint8_t		key[MAXNONCES];
	struct wbuf	w;

	if (old != NULL) {
		*outlen = prf_len(old->prf);
		return (prf(c, old->prf, SPAN(old->d, prf_len(old->prf)), data, 3,
		    out));
	}
	*outlen = prf_len(s->prf);
	wbuf_init(&w, key, sizeof(key));
	wbuf_bytes(&w, ni.p, ni.len);
	wbuf_bytes(&w, nr.p, nr.len);
	if (!wbuf_ok(&w))
		return (-1);
	return (prf(c, s->prf, SPAN(key, w.len), data, 1, out));
}

static void
take(const uint8_t **p, uint8_t *key, size_t n)
{
	memcpy(key, *p, n);
	*p += n;
}

static void
split_ike(struct ike_keys *k, const uint8_t *p, size_t d, size_t a, size_t e)
{
	take(&p, k->d, d);
	take(&p, k->ai, a);
	take(&p, k->ar, a);
	take(&p, k->ei, e);
	take(&p, k->er, e);
	take(&p, k->pi, d);
	take(&p, k->pr, d);
}

int
ike_keys_derive(struct crypto *c, const struct suite *s, struct span secret,
    struct span ni, struct span nr, uint64_t spii, uint64_t spir,
    const struct ike_keys *old, struct ike_keys *out)
{
	struct hash	*h = hash_byprf(c, s->prf);
	uint8_t		 spis[16], ss[PRF_MAXLEN], mat[7 * KEY_MAXLEN];
	struct span	 seed[3] = { ni, nr, SPAN(spis, sizeof(spis)) };
	struct wbuf	 w;
	size_t		 e, a, sslen;
	int		 rv = -1;

	if (h == NULL || key_lens(s, &e, &a) == -1)
		return (-1);
	wbuf_init(&w, spis, sizeof(spis));
	wbuf_u64(&w, spii);
	wbuf_u64(&w, spir);
	if (skeyseed(c, s, secret, ni, nr, old, ss, &sslen) == -1 ||
	    hash_expand(h, SPAN(ss, sslen), seed, 3, mat,
	    3 * h->len + 2 * a + 2 * e) == -1)
		goto out;
	/* old may be out: nothing of it is read from here on */
	memset(out, 0, sizeof(*out));
	out->prf = s->prf;
	out->encr = s->encr;
	out->encr_keybits = s->encr_keybits;
	out->integ = s->integ;
	split_ike(out, mat, h->len, a, e);
	rv = 0;
out:
	crypto_wipe(ss, sizeof(ss));
	crypto_wipe(mat, sizeof(mat));
	return (rv);
}

int
child_keys_derive(struct crypto *c, const struct ike_keys *k,
    const struct suite *esp, struct span secret, struct span ni, struct span nr,
    struct child_keys *out)
{
	struct hash	*h = hash_byprf(c, k->prf);
	uint8_t		 mat[4 * KEY_MAXLEN];
	struct span	 seed[3] = { secret, ni, nr };
	const uint8_t	*p = mat;
	size_t		 e, a;
	int		 rv = -1;

	if (h == NULL || key_lens(esp, &e, &a) == -1)
		return (-1);
	if (hash_expand(h, SPAN(k->d, h->len), seed, 3, mat, 2 * (e + a)) == -1)
		goto out;
	memset(out, 0, sizeof(*out));
	take(&p, out->encr_i, e);
	take(&p, out->integ_i, a);
	take(&p, out->encr_r, e);
	take(&p, out->integ_r, a);
	rv = 0;
out:
	crypto_wipe(mat, sizeof(mat));
	return (rv);
}

int
psk_pad(struct crypto *c, uint16_t prf_id, struct span psk, uint8_t *pad)
{
	static const char	text[] = "Key Pad for IKEv2";
	struct span		data = { (const uint8_t *)text, sizeof(text) - 1 };

	return (prf(c, prf_id, psk, &data, 1, pad));
}

int
psk_auth_pad(struct crypto *c, uint16_t prf_id, const uint8_t *pad,
    const struct span *octets, size_t n, uint8_t *out)
{
	return (prf(c, prf_id, SPAN(pad, prf_len(prf_id)), octets, n, out));
}

int
psk_auth(struct crypto *c, uint16_t prf_id, struct span psk, const struct span *octets,
    size_t n, uint8_t *out)
{
	uint8_t	pad[PRF_MAXLEN];
	int	rv;

	if ((rv = psk_pad(c, prf_id, psk, pad)) == 0)
		rv = psk_auth_pad(c, prf_id, pad, octets, n, out);
	crypto_wipe(pad, sizeof(pad));
	return (rv);
}

int
natd_hash(struct crypto *c, uint64_t spii, uint64_t spir, const uint8_t *ip,
    size_t iplen, uint16_t port, uint8_t out[20])
{
	uint8_t		buf[8 + 8 + 16 + 2];
	struct wbuf	w;

	if (iplen != 4 && iplen != 16)
		return (-1);
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u64(&w, spii);
	wbuf_u64(&w, spir);
	wbuf_bytes(&w, ip, iplen);
	wbuf_u16(&w, port);
	if (!wbuf_ok(&w) ||
	    crypto_ok(EVP_DigestInit_ex2(c->md, c->sha1, NULL)) == -1 ||
	    crypto_ok(EVP_DigestUpdate(c->md, buf, w.len)) == -1)
		return (-1);
	return (crypto_ok(EVP_DigestFinal_ex(c->md, out, NULL)));
}
