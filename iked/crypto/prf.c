/* SPDX-License-Identifier: ISC */
/*
 * The pseudorandom functions (RFC 7296 2.13): HMAC in all of ours, so a key
 * of any length is taken as it is, and prf+ on top of them.
 */

#include <string.h>

#include "crypto/crypto_local.h"

size_t
prf_len(uint16_t prf_id)
{
	const struct xform_info	*xi = xform_info(XF_PRF, prf_id, 0);

	return (xi != NULL ? xi->keylen : 0);
}

/* The rest of an HMAC whose key is set. */
static int
hmac_run(struct hash *h, const struct span *data, size_t ndata, uint8_t *out)
{
	size_t	i, n;

	for (i = 0; i < ndata; i++)
		if (data[i].len > 0 && crypto_ok(EVP_MAC_update(h->mac,
		    data[i].p, data[i].len)) == -1)
			return (-1);
	if (crypto_ok(EVP_MAC_final(h->mac, out, &n, h->len)) == -1)
		return (-1);
	return (n == h->len ? 0 : -1);
}

static int
hmac_key(struct hash *h, struct span key)
{
	static const uint8_t	none[1] = { 0 };

	/* a NULL key would mean the last one used */
	return (crypto_ok(EVP_MAC_init(h->mac, key.len > 0 ? key.p : none,
	    key.len, NULL)));
}

int
hash_hmac(struct hash *h, struct span key, const struct span *data, size_t ndata,
    uint8_t *out)
{
	if (hmac_key(h, key) == -1)
		return (-1);
	return (hmac_run(h, data, ndata, out));
}

int
prf(struct crypto *c, uint16_t prf_id, struct span key, const struct span *data,
    size_t ndata, uint8_t *out)
{
	struct hash	*h = hash_byprf(c, prf_id);

	if (h == NULL)
		return (-1);
	return (hash_hmac(h, key, data, ndata, out));
}

/*
 * prf+ (K,S) = T1 | T2 | ..., T1 = prf(K, S | 1), Tn = prf(K, Tn-1 | S | n).
 * It is HKDF-Expand with info = S; but on a context that is keyed once for
 * all Ti, where EVP_KDF would key each anew.
 */
int
hash_expand(struct hash *h, struct span key, const struct span *seed, size_t nseed,
    uint8_t *out, size_t outlen)
{
	uint8_t		 t[PRF_MAXLEN], n = 0;
	struct span	 data[1 + EXPAND_MAXSEED + 1] = { { t, 0 } };
	size_t		 done, k;
	int		 rv = -1;

	if (outlen > 255 * h->len || nseed > EXPAND_MAXSEED ||
	    hmac_key(h, key) == -1)
		return (-1);
	for (k = 0; k < nseed; k++)
		data[1 + k] = seed[k];
	data[1 + nseed] = (struct span){ &n, 1 };
	for (done = 0; done < outlen; done += k) {
		n++;
		if (n > 1 &&
		    crypto_ok(EVP_MAC_init(h->mac, NULL, 0, NULL)) == -1)
			goto out;
		if (hmac_run(h, data, nseed + 2, t) == -1)
			goto out;
		data[0].len = h->len;
		k = outlen - done < h->len ? outlen - done : h->len;
		memcpy(out + done, t, k);
	}
	rv = 0;
out:
	crypto_wipe(t, sizeof(t));
	return (rv);
}

int
prf_plus(struct crypto *c, uint16_t prf_id, struct span key, struct span seed,
    uint8_t *out, size_t outlen)
{
	struct hash	*h = hash_byprf(c, prf_id);

	if (h == NULL)
		return (-1);
	return (hash_expand(h, key, &seed, 1, out, outlen));
}
