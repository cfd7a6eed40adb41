/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL under IKE's names.  Pure: no clock, no file, no random source of its
 * own (private keys and IVs are made of octets the caller brings).  All state is
 * in a struct crypto, made once a process before its sandbox closes and then
 * shared by all SAs; SAs hold raw keys only.
 *
 * Every function that can fail gives 0 for success and -1 otherwise; OpenSSL's
 * tri-state results are turned in one place (crypto_ok(): == 1).
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/buf.h"
#include "base/log.h"
#include "base/xform.h"

#define PRF_MAXLEN	64
#define KEY_MAXLEN	64	/* one SK_x */
#define KE_MAXPUB	1024
#define KE_MAXSECRET	1024
#define KE_MAXPRIV	128	/* random octets of a private key */

struct crypto;

/* Own OSSL_LIB_CTX without configuration file; fetches every algorithm once
 * and runs a known-answer test on each.  NULL and a log line on failure. */
struct crypto	*crypto_new(const struct logger *);
void		 crypto_free(struct crypto *);

size_t	prf_len(uint16_t prf);		/* octets of output = preferred key; 0 unknown */
/* out has prf_len() octets; data are concatenated. */
int	prf(struct crypto *, uint16_t prf, struct span key,
	    const struct span *data, size_t ndata, uint8_t *out);
/* prf+ (RFC 7296 2.13); at most 255 * prf_len octets. */
int	prf_plus(struct crypto *, uint16_t prf, struct span key, struct span seed,
	    uint8_t *out, size_t outlen);

/* Key exchange.  rnd: xform_info.privlen random octets; -1 also when they do
 * not make a private key (caller brings others: at most a few tries).  */
struct ke;
struct ke	*ke_new(struct crypto *, uint16_t group, const uint8_t *rnd, size_t);
void		 ke_free(struct ke *);		/* wipes; NULL is fine */
uint16_t	 ke_group(const struct ke *);
struct span	 ke_public(const struct ke *);	/* KEi/KEr octets, owned by ke */
/* The shared secret in the group's fixed length (leading zeros kept; ECP: x only).
 * -1 for a wrong length, a point off the curve, 0/1/p-1/>=p, an all-zero result
 * (RFC 6989, RFC 7748 6.1). */
int		 ke_derive(struct crypto *, struct ke *, struct span peer,
		    uint8_t *secret, size_t *secretlen);

/* Keys of an IKE SA (2.14), raw. */
struct ike_keys {
	uint16_t	prf, encr, encr_keybits, integ;
	uint8_t		d[KEY_MAXLEN];
	uint8_t		ai[KEY_MAXLEN], ar[KEY_MAXLEN];
	uint8_t		ei[KEY_MAXLEN], er[KEY_MAXLEN];	/* salt last */
	uint8_t		pi[KEY_MAXLEN], pr[KEY_MAXLEN];
};
/* SKEYSEED = prf(Ni|Nr, g^ir), then prf+ (2.14).  old != NULL: a rekey (2.18):
 * SKEYSEED = prf_old(SK_d_old, g^ir|Ni|Nr). */
int	ike_keys_derive(struct crypto *, const struct suite *, struct span secret,
	    struct span ni, struct span nr, uint64_t spii, uint64_t spir,
	    const struct ike_keys *old, struct ike_keys *out);
/* KEYMAT of a Child SA (2.17): encr key then integ key, initiator's direction
 * first.  secret.len 0: no PFS.  Lengths by xform_info. */
struct child_keys {
	uint8_t	encr_i[KEY_MAXLEN], encr_r[KEY_MAXLEN];
	uint8_t	integ_i[KEY_MAXLEN], integ_r[KEY_MAXLEN];
};
int	child_keys_derive(struct crypto *, const struct ike_keys *, const struct suite *esp,
	    struct span secret, struct span ni, struct span nr, struct child_keys *out);

/* The SK payload (3.14, RFC 5282). from_initiator: the sender is the original
 * initiator.  sk_len: octets of IV + ciphertext + pad + padlen + ICV for `plain`
 * octets of inner payloads. */
size_t	sk_len(const struct ike_keys *, size_t plain);
/* The other way round: of how many octets at most sk_len() is not more than room. */
size_t	sk_fit(const struct ike_keys *, size_t room);
/* Algorithms the SK payload cannot use (3DES, NULL): sk_len gives a number
 * but sk_seal and sk_open fail. */
/* msg[0..aadlen) is the header .. SK generic header (lengths final); the sealed
 * content goes to msg + aadlen, sk_len() octets.  iv: xform_info.ivlen octets, random
 * for CBC, a never repeated counter for CTR and AEAD.  plain may overlap the room. */
int	sk_seal(struct crypto *, const struct ike_keys *, int from_initiator,
	    uint8_t *msg, size_t aadlen, struct span plain, const uint8_t *iv);
/* Verifies the ICV (constant time) before it decrypts.  content starts at msg + aadlen
 * (the ICV covers both); plain: room for content.len octets, not overlapping.  -1 for anything wrong. */
int	sk_open(struct crypto *, const struct ike_keys *, int from_initiator,
	    const uint8_t *msg, size_t aadlen, struct span content,
	    uint8_t *plain, size_t *plainlen);

/* AUTH for a shared key (2.15): prf(prf(psk,"Key Pad for IKEv2"), octets), where octets
 * are those of the n spans, one after the other.  psk_pad is the inner prf, so that a
 * keys process may keep pads instead of secrets. */
int	psk_auth(struct crypto *, uint16_t prf, struct span psk, const struct span *octets,
	    size_t n, uint8_t *out);
/* Its two halves.  pad and out have prf_len() octets. */
int	psk_pad(struct crypto *, uint16_t prf, struct span psk, uint8_t *pad);
int	psk_auth_pad(struct crypto *, uint16_t prf, const uint8_t *pad,
	    const struct span *octets, size_t n, uint8_t *out);
/* NAT detection: SHA1(SPIi|SPIr|IP|port), 20 octets (2.23). */
int	natd_hash(struct crypto *, uint64_t spii, uint64_t spir, const uint8_t *ip,
	    size_t iplen, uint16_t port, uint8_t out[20]);
int	crypto_equal(const void *, const void *, size_t);	/* constant time; 1/0 */
void	crypto_wipe(void *, size_t);

#endif
