/* SPDX-License-Identifier: ISC */
/*
 * Key exchange, whatever the group: the lengths of RFC 7296 3.4 and the
 * curves of RFC 7748 (X25519, X448) here, ECP and MODP in their own files.
 * Private keys are made of the octets the caller brings, never by OpenSSL.
 */

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_local.h"

enum ke_kind { KIND_NONE, KIND_XDH, KIND_ECP, KIND_MODP };

static enum ke_kind
kind(uint16_t group)
{
	switch (group) {
	case KE_X25519:
	case KE_X448:
		return (KIND_XDH);
	case KE_ECP256:
	case KE_ECP384:
	case KE_ECP521:
		return (KIND_ECP);
	case KE_MODP1024:
	case KE_MODP1536:
	case KE_MODP2048:
	case KE_MODP3072:
	case KE_MODP4096:
	case KE_MODP6144:
	case KE_MODP8192:
		return (KIND_MODP);
	default:
		return (KIND_NONE);
	}
}

static EVP_PKEY *
xdh_key(struct crypto *c, uint16_t group, int private, const uint8_t *p, size_t n)
{
	EVP_PKEY	*k = NULL;
	uint8_t		 copy[KEY_MAXLEN];
	OSSL_PARAM	 params[2];
	int		 rv;

	if (n > sizeof(copy))
		return (NULL);
	memcpy(copy, p, n);
	params[0] = OSSL_PARAM_construct_octet_string(private ?
	    OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_PUB_KEY, copy, n);
	params[1] = OSSL_PARAM_construct_end();
	rv = crypto_ok(EVP_PKEY_fromdata(group == KE_X25519 ? c->x25519 : c->x448,
	    &k, private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params));
	crypto_wipe(copy, sizeof(copy));
	if (rv == -1) {
		EVP_PKEY_free(k);
		return (NULL);
	}
	return (k);
}

static int
xdh_new(struct crypto *c, struct ke *k, const uint8_t *rnd, size_t n)
{
	size_t	len = sizeof(k->pub);

	if ((k->pkey = xdh_key(c, k->xi->id, 1, rnd, n)) == NULL)
		return (-1);
	if (crypto_ok(EVP_PKEY_get_raw_public_key(k->pkey, k->pub, &len)) == -1)
		return (-1);
	return (len == k->publen ? 0 : -1);
}

/* RFC 7748 6.1: a peer's point of small order gives zero, which is refused. */
static int
xdh_derive(struct crypto *c, struct ke *k, struct span peer, uint8_t *secret)
{
	EVP_PKEY	*pk;
	EVP_PKEY_CTX	*ctx = NULL;
	uint8_t		 zero[KEY_MAXLEN];
	size_t		 len = k->xi->secretlen;
	int		 rv = -1;

	if ((pk = xdh_key(c, k->xi->id, 0, peer.p, peer.len)) == NULL)
		return (-1);
	ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, k->pkey, NULL);
	if (ctx == NULL ||
	    crypto_ok(EVP_PKEY_derive_init(ctx)) == -1 ||
	    crypto_ok(EVP_PKEY_derive_set_peer_ex(ctx, pk, 0)) == -1 ||
	    crypto_ok(EVP_PKEY_derive(ctx, secret, &len)) == -1 ||
	    len != k->xi->secretlen)
		goto out;
	memset(zero, 0, sizeof(zero));
	if (!crypto_equal(secret, zero, len))
		rv = 0;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pk);
	return (rv);
}

struct ke *
ke_new(struct crypto *c, uint16_t group, const uint8_t *rnd, size_t n)
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	enum ke_kind		 kd = kind(group);
	struct ke		*k;
	int			 rv;

	if (xi == NULL || kd == KIND_NONE || n != xi->privlen ||
	    xi->publen > KE_MAXPUB)
		return (NULL);
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	k->xi = xi;
	k->publen = xi->publen;
	if (kd == KIND_XDH)
		rv = xdh_new(c, k, rnd, n);
	else if (kd == KIND_ECP)
		rv = ecp_new(c, k, rnd, n);
	else
		rv = modp_new(c, k, rnd, n);
	if (rv == -1) {
		ke_free(k);
		return (NULL);
	}
	return (k);
}

void
ke_free(struct ke *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	BN_clear_free(k->priv);
	crypto_wipe(k, sizeof(*k));
	free(k);
}

uint16_t
ke_group(const struct ke *k)
{
	return (k->xi->id);
}

struct span
ke_public(const struct ke *k)
{
	return ((struct span){ k->pub, k->publen });
}

int
ke_derive(struct crypto *c, struct ke *k, struct span peer, uint8_t *secret,
    size_t *secretlen)
{
	int	rv;

	*secretlen = 0;
	if (peer.len != k->xi->publen)
		return (-1);
	switch (kind(k->xi->id)) {
	case KIND_XDH:
		rv = xdh_derive(c, k, peer, secret);
		break;
	case KIND_ECP:
		rv = ecp_derive(c, k, peer, secret);
		break;
	case KIND_MODP:
		rv = modp_derive(c, k, peer, secret);
		break;
	default:
		return (-1);
	}
	if (rv == -1) {
		crypto_wipe(secret, k->xi->secretlen);
		return (-1);
	}
	*secretlen = k->xi->secretlen;
	return (0);
}
