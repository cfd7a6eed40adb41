/*
 * Transform ids, proposals and chosen suites as plain values
 * (RFC 7296 3.3; numbers from the IANA registry).
 */
#ifndef BASE_XFORM_H
#define BASE_XFORM_H

#include <stddef.h>
#include <stdint.h>

enum xform_type { XF_ENCR = 1, XF_PRF = 2, XF_INTEG = 3, XF_KE = 4, XF_SN = 5 };
enum { PROTO_NONE = 0, PROTO_IKE = 1, PROTO_AH = 2, PROTO_ESP = 3 };
enum {
	ENCR_3DES = 3, ENCR_NULL = 11, ENCR_AES_CBC = 12, ENCR_AES_CTR = 13,
	ENCR_AES_GCM_8 = 18, ENCR_AES_GCM_12 = 19, ENCR_AES_GCM_16 = 20,
	ENCR_CHACHA20_POLY1305 = 28
};
enum {
	PRF_HMAC_SHA1 = 2, PRF_HMAC_SHA2_256 = 5, PRF_HMAC_SHA2_384 = 6,
	PRF_HMAC_SHA2_512 = 7
};
enum {
	INTEG_NONE = 0, INTEG_HMAC_SHA1_96 = 2, INTEG_HMAC_SHA2_256_128 = 12,
	INTEG_HMAC_SHA2_384_192 = 13, INTEG_HMAC_SHA2_512_256 = 14
};
enum {
	KE_NONE = 0, KE_MODP1024 = 2, KE_MODP1536 = 5, KE_MODP2048 = 14,
	KE_MODP3072 = 15, KE_MODP4096 = 16, KE_MODP6144 = 17, KE_MODP8192 = 18,
	KE_ECP256 = 19, KE_ECP384 = 20, KE_ECP521 = 21, KE_X25519 = 31,
	KE_X448 = 32
};
enum { SN_32 = 0, SN_ESN = 1 };

struct xform {
	uint8_t		type;	/* enum xform_type; other values are unknown ones */
	uint16_t	id;
	uint16_t	keybits;	/* Key Length attribute; 0: no attribute */
	uint8_t		bad;	/* decoder: unknown attribute, never acceptable */
};

#define PROP_MAXXFORMS	64
#define PROPS_MAX	16

struct proposal {
	uint8_t		num;		/* 1, 2, ... */
	uint8_t		proto;		/* PROTO_* */
	uint8_t		spilen;		/* 0, 4 or 8 */
	uint8_t		nxforms;
	uint64_t	spi;		/* host order value of the spilen octets */
	struct xform	xf[PROP_MAXXFORMS];
};

struct proposals {
	uint8_t		n;
	struct proposal	p[PROPS_MAX];
};

/* One transform per type; what a negotiation ends in. */
struct suite {
	uint16_t	encr;
	uint16_t	encr_keybits;	/* 0 where the cipher has one size only */
	uint16_t	prf;		/* IKE only, else 0 */
	uint16_t	integ;		/* INTEG_NONE with an AEAD */
	uint16_t	ke;		/* KE_NONE: no key exchange */
	uint16_t	sn;		/* ESP: SN_32 or SN_ESN */
};

/* Static facts of a transform.  One table serves conf, wire, crypto, pfkey
 * and printing.  keybits: 0 = no attribute. */
struct xform_info {
	uint8_t		 type;
	uint16_t	 id;
	uint16_t	 keybits;
	const char	*name;		/* iked.conf's word: "aes-128-gcm", "hmac-sha2-256",
					   "hmac-sha2-256" for prf too, "curve25519" */
	uint16_t	 keylen;	/* key octets of KEYMAT, salt included */
	uint8_t		 ivlen;		/* explicit IV octets (ENCR) */
	uint8_t		 icvlen;	/* AEAD or INTEG ICV octets */
	uint8_t		 saltlen;	/* AEAD, CTR */
	uint8_t		 blocklen;	/* ENCR: 16 for CBC, 1 otherwise */
	uint8_t		 aead;
	uint8_t		 weak;		/* only when configured (SHA1, 3DES, modp1024) */
	uint16_t	 publen;	/* KE: octets of KEi/KEr */
	uint16_t	 secretlen;	/* KE: octets of the shared secret */
	uint16_t	 privlen;	/* KE: random octets wanted for a private key */
};

/* NULL when unknown or the key length does not fit the cipher. */
const struct xform_info	*xform_info(uint8_t type, uint16_t id, uint16_t keybits);
/* By iked.conf word; also accepts documented aliases ("sha2-256", "x25519",
 * "modp2048", "aes-128-gcm-16").  NULL when unknown. */
const struct xform_info	*xform_byname(uint8_t type, const char *name);
/* The i-th table row, NULL past the end: for "valid words are ..." and tests. */
const struct xform_info	*xform_row(size_t i);
const char		*xform_name(uint8_t type, uint16_t id, uint16_t keybits); /* never NULL */

/*
 * The responder's choice (RFC 7296 2.7, 3.3.6): the first of *offered that one
 * of *ours accepts, transforms in our order of preference.  Writes the chosen
 * single-transform proposal (number, proto and SPI of the offer kept) and the
 * suite.  ke_hint != 0: among acceptable groups prefer this one (the KE payload
 * that came), as long as ours lists it.  A proposal with an unknown transform
 * type, AEAD plus INTEG other than NONE, non-AEAD without INTEG, or a missing
 * mandatory type is unacceptable, the others are still tried.
 * For ESP, `ours` without KE accepts an offer with KE only if it also lists NONE
 * or the caller sets PROP_IGNORE_KE (first Child SA in IKE_AUTH).
 * Returns 0, or -1: NO_PROPOSAL_CHOSEN.
 */
#define PROP_IGNORE_KE	1
int	proposal_choose(const struct proposals *offered, const struct proposals *ours,
	    uint16_t ke_hint, int flags, struct proposal *chosen, struct suite *);
/*
 * The initiator's check of an answer (3.3.6, negative test 13): exactly one
 * proposal, one transform a type, each offered in the proposal of that number
 * with unchanged attributes.  Returns 0 and the suite, or -1.
 */
int	proposal_verify(const struct proposals *offered, const struct proposals *answer,
	    struct suite *);
/* The first transform type that the two have none in common of, in the proposals that
 * are the most alike: "no enc in common (it has aes-128, we have aes-256)"; gives dst. */
char	*proposals_differ(const struct proposals *theirs, const struct proposals *ours,
	    char *dst, size_t cap);
/* "aes-256-gcm prf hmac-sha2-256 group curve25519"; truncates; gives dst. */
char	*proposals_str(const struct proposals *, char *dst, size_t cap);
char	*suite_str(const struct suite *, char *dst, size_t cap);

#endif
