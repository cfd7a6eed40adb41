/* SPDX-License-Identifier: ISC */
/*
 * The shared state: OpenSSL's library context and all that is fetched from it.
 *
 * The context is our own, without a configuration file, so that neither
 * /etc/ssl/openssl.cnf nor an engine named there reaches into a sandboxed
 * process.  OpenSSL itself blinds the multiplication of P-384 and P-521 with
 * random octets of that context's generator, which is seeded by getrandom(2) during
 * the self-test and reseeded now and then; no secret of ours is made of it.
 */

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_local.h"

static const struct hash hash_table[NHASHES] = {
	{ PRF_HMAC_SHA2_256, INTEG_HMAC_SHA2_256_128, 32, "SHA256", NULL },
	{ PRF_HMAC_SHA2_384, INTEG_HMAC_SHA2_384_192, 48, "SHA384", NULL },
	{ PRF_HMAC_SHA2_512, INTEG_HMAC_SHA2_512_256, 64, "SHA512", NULL },
	{ PRF_HMAC_SHA1, INTEG_HMAC_SHA1_96, 20, "SHA1", NULL },
};

static const struct {
	uint16_t	 id, keybits;
	const char	*name;
} cipher_table[NCIPHERS] = {
	{ ENCR_AES_GCM_16, 256, "AES-256-GCM" },
	{ ENCR_AES_GCM_16, 128, "AES-128-GCM" },
	{ ENCR_AES_CBC, 256, "AES-256-CBC" },
	{ ENCR_AES_CBC, 128, "AES-128-CBC" },
	{ ENCR_CHACHA20_POLY1305, 0, "ChaCha20-Poly1305" },
	{ ENCR_AES_CBC, 192, "AES-192-CBC" },
	{ ENCR_AES_GCM_16, 192, "AES-192-GCM" },
	{ ENCR_AES_GCM_12, 128, "AES-128-GCM" },
	{ ENCR_AES_GCM_12, 192, "AES-192-GCM" },
	{ ENCR_AES_GCM_12, 256, "AES-256-GCM" },
	{ ENCR_AES_GCM_8, 128, "AES-128-GCM" },
	{ ENCR_AES_GCM_8, 192, "AES-192-GCM" },
	{ ENCR_AES_GCM_8, 256, "AES-256-GCM" },
	{ ENCR_AES_CTR, 128, "AES-128-CTR" },
	{ ENCR_AES_CTR, 192, "AES-192-CTR" },
	{ ENCR_AES_CTR, 256, "AES-256-CTR" },
};

int
crypto_ok(int rv)
{
	if (rv == 1)
		return (0);
	ERR_clear_error();
	return (-1);
}

int
crypto_equal(const void *a, const void *b, size_t n)
{
	return (CRYPTO_memcmp(a, b, n) == 0);
}

void
crypto_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

static int
hash_init(struct crypto *c, struct hash *h)
{
	EVP_MAC		*m;
	char		 name[16];
	OSSL_PARAM	 p[2];

	if ((m = EVP_MAC_fetch(c->lib, "HMAC", NULL)) == NULL)
		return (-1);
	h->mac = EVP_MAC_CTX_new(m);
	EVP_MAC_free(m);	/* the context holds its own reference */
	if (h->mac == NULL)
		return (-1);
	strncpy(name, h->name, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	p[1] = OSSL_PARAM_construct_end();
	return (crypto_ok(EVP_MAC_CTX_set_params(h->mac, p)));
}

static int
cipher_init(struct crypto *c, size_t i)
{
	struct cipher	*ci = &c->cipher[i];

	ci->xi = xform_info(XF_ENCR, cipher_table[i].id, cipher_table[i].keybits);
	ci->c = EVP_CIPHER_fetch(c->lib, cipher_table[i].name, NULL);
	ci->ctx = EVP_CIPHER_CTX_new();
	return (ci->xi != NULL && ci->c != NULL && ci->ctx != NULL ? 0 : -1);
}

static int
xdh_init(struct crypto *c)
{
	c->x25519 = EVP_PKEY_CTX_new_from_name(c->lib, "X25519", NULL);
	c->x448 = EVP_PKEY_CTX_new_from_name(c->lib, "X448", NULL);
	if (c->x25519 == NULL || c->x448 == NULL)
		return (-1);
	if (crypto_ok(EVP_PKEY_fromdata_init(c->x25519)) == -1)
		return (-1);
	return (crypto_ok(EVP_PKEY_fromdata_init(c->x448)));
}

/* 0, or -1 and what could not be had. */
static int
fetch(struct crypto *c, const char **what)
{
	size_t	i;

	*what = "library context";
	if ((c->lib = OSSL_LIB_CTX_new()) == NULL ||
	    (c->prov = OSSL_PROVIDER_load(c->lib, "default")) == NULL ||
	    (c->bn = BN_CTX_secure_new_ex(c->lib)) == NULL)
		return (-1);
	*what = "SHA1";
	c->sha1 = EVP_MD_fetch(c->lib, "SHA1", NULL);
	c->md = EVP_MD_CTX_new();
	if (c->sha1 == NULL || c->md == NULL)
		return (-1);
	for (i = 0; i < NHASHES; i++) {
		c->hash[i] = hash_table[i];
		*what = c->hash[i].name;
		if (hash_init(c, &c->hash[i]) == -1)
			return (-1);
	}
	for (i = 0; i < NCIPHERS; i++) {
		*what = cipher_table[i].name;
		if (cipher_init(c, i) == -1)
			return (-1);
	}
	*what = "X25519 and X448";
	if (xdh_init(c) == -1)
		return (-1);
	*what = "ECP groups";
	if (ecp_init(c) == -1)
		return (-1);
	*what = "MODP groups";
	return (modp_init(c));
}

struct crypto *
crypto_new(const struct logger *log)
{
	struct crypto	*c;
	const char	*what = NULL;

	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_warn(log, "crypto: out of memory");
		return (NULL);
	}
	if (fetch(c, &what) == -1)
		log_warnx(log, "crypto: OpenSSL does not provide: %s", what);
	else if (crypto_selftest(c, &what) == -1)
		log_warnx(log, "crypto: self-test failed: %s", what);
	else {
		ERR_clear_error();
		return (c);
	}
	ERR_clear_error();
	crypto_free(c);
	return (NULL);
}

void
crypto_free(struct crypto *c)
{
	size_t	i;

	if (c == NULL)
		return;
	ecp_free(c);
	modp_free(c);
	EVP_PKEY_CTX_free(c->x25519);
	EVP_PKEY_CTX_free(c->x448);
	for (i = 0; i < NCIPHERS; i++) {
		EVP_CIPHER_CTX_free(c->cipher[i].ctx);
		EVP_CIPHER_free(c->cipher[i].c);
	}
	for (i = 0; i < NHASHES; i++)
		EVP_MAC_CTX_free(c->hash[i].mac);
	EVP_MD_CTX_free(c->md);
	EVP_MD_free(c->sha1);
	BN_CTX_free(c->bn);
	if (c->prov != NULL)
		(void)OSSL_PROVIDER_unload(c->prov);
	OSSL_LIB_CTX_free(c->lib);
	free(c);
}

struct hash *
hash_byprf(struct crypto *c, uint16_t prf)
{
	size_t	i;

	for (i = 0; i < NHASHES; i++)
		if (c->hash[i].prf == prf)
			return (&c->hash[i]);
	return (NULL);
}

struct hash *
hash_byinteg(struct crypto *c, uint16_t integ)
{
	size_t	i;

	for (i = 0; i < NHASHES; i++)
		if (c->hash[i].integ == integ)
			return (&c->hash[i]);
	return (NULL);
}

struct cipher *
cipher_byid(struct crypto *c, uint16_t encr, uint16_t keybits)
{
	const struct xform_info	*xi;
	size_t			 i;

	for (i = 0; i < NCIPHERS; i++) {
		xi = c->cipher[i].xi;
		if (xi->id == encr && xi->keybits == keybits)
			return (&c->cipher[i]);
	}
	return (NULL);
}
