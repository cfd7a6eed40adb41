/* SPDX-License-Identifier: ISC */
/* Between the files of this room only. */
#ifndef CRYPTO_CRYPTO_LOCAL_H
#define CRYPTO_CRYPTO_LOCAL_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "crypto/crypto.h"

/*
 * Everything is fetched once.  The contexts are keyed anew for each call, because
 * to set a key is cheap beside a fetch, and SAs are many.  A context remembers its last
 * key; crypto_free() wipes it.
 */
#define NHASHES		4
#define NCIPHERS	16
#define NECS		3
#define NMODPS		7

struct hash {
	uint16_t	 prf, integ;
	size_t		 len;		/* octets of output */
	const char	*name;		/* OpenSSL's */
	EVP_MAC_CTX	*mac;
};

struct cipher {
	const struct xform_info	*xi;
	EVP_CIPHER		*c;
	EVP_CIPHER_CTX		*ctx;
};

struct curve {
	uint16_t	 group;
	EC_GROUP	*g;
	EC_POINT	*pub, *peer;	/* for one call's use; never secret */
	const BIGNUM	*n;		/* order, g's */
};

struct modp {
	uint16_t	 group;
	BIGNUM		*p, *pm1, *g;
	BN_MONT_CTX	*mont;
};

struct crypto {
	OSSL_LIB_CTX	*lib;
	OSSL_PROVIDER	*prov;
	struct hash	 hash[NHASHES];
	struct cipher	 cipher[NCIPHERS];
	struct curve	 curve[NECS];
	struct modp	 modp[NMODPS];
	EVP_PKEY_CTX	*x25519, *x448;	/* makes keys of octets */
	EVP_MD		*sha1;
	EVP_MD_CTX	*md;
	BN_CTX		*bn;
};

struct ke {
	const struct xform_info	*xi;
	EVP_PKEY		*pkey;	/* X25519, X448 */
	BIGNUM			*priv;	/* ECP, MODP */
	size_t			 publen;
	uint8_t			 pub[KE_MAXPUB];
};

/* OpenSSL's 1 / 0 / negative becomes 0 / -1 here and nowhere else; what it
 * queued about a failure is dropped. */
int	crypto_ok(int);

/* The hash under a PRF or an integrity algorithm; NULL unknown. */
struct hash	*hash_byprf(struct crypto *, uint16_t);
struct hash	*hash_byinteg(struct crypto *, uint16_t);
/* HMAC of the concatenated data, h->len octets. */
int	hash_hmac(struct hash *, struct span key, const struct span *, size_t n,
	    uint8_t *out);
/* prf+ with the seed in at most EXPAND_MAXSEED pieces. */
#define EXPAND_MAXSEED	4
int	hash_expand(struct hash *, struct span key, const struct span *seed,
	    size_t nseed, uint8_t *out, size_t outlen);
struct cipher	*cipher_byid(struct crypto *, uint16_t encr, uint16_t keybits);

/* Per kind of group: fetch, forget, make ke->pub, derive. */
int	ecp_init(struct crypto *);
void	ecp_free(struct crypto *);
int	ecp_new(struct crypto *, struct ke *, const uint8_t *rnd, size_t);
int	ecp_derive(struct crypto *, struct ke *, struct span, uint8_t *);
int	modp_init(struct crypto *);
void	modp_free(struct crypto *);
int	modp_new(struct crypto *, struct ke *, const uint8_t *rnd, size_t);
int	modp_derive(struct crypto *, struct ke *, struct span, uint8_t *);

/* Known answers of everything; 0, or -1 and *what names the first that failed. */
int	crypto_selftest(struct crypto *, const char **what);

#endif
