/* SPDX-License-Identifier: ISC */
/*
 * The table of transforms: every id this house knows, with its sizes and
 * iked.conf's word for it (RFC 7296 3.3.2; sizes: RFC 3602, 3686, 4106, 7634,
 * 2404, 4868, 3526, 5903, 8031).
 */

#include <string.h>

#include "base/xform.h"

#define NROWS		(sizeof(rows) / sizeof(rows[0]))
#define NALIASES	(sizeof(aliases) / sizeof(aliases[0]))

#define CBC(bits)							\
	{ .type = XF_ENCR, .id = ENCR_AES_CBC, .keybits = (bits),	\
	  .name = "aes-" #bits, .keylen = (bits) / 8, .ivlen = 16,	\
	  .blocklen = 16 }
/* The nonce of counter mode travels with the key (RFC 3686 5.1). */
#define CTR(bits)							\
	{ .type = XF_ENCR, .id = ENCR_AES_CTR, .keybits = (bits),	\
	  .name = "aes-" #bits "-ctr", .keylen = (bits) / 8 + 4,	\
	  .ivlen = 8, .saltlen = 4, .blocklen = 1 }
#define GCM(i, bits, suffix, icv)					\
	{ .type = XF_ENCR, .id = (i), .keybits = (bits),		\
	  .name = "aes-" #bits "-gcm" suffix, .keylen = (bits) / 8 + 4,	\
	  .ivlen = 8, .icvlen = (icv), .saltlen = 4, .blocklen = 1,	\
	  .aead = 1 }
#define PRF(i, n, len, w)						\
	{ .type = XF_PRF, .id = (i), .name = (n), .keylen = (len),	\
	  .weak = (w) }
#define INTEG(i, n, len, icv, w)					\
	{ .type = XF_INTEG, .id = (i), .name = (n), .keylen = (len),	\
	  .icvlen = (icv), .weak = (w) }
#define KE(i, n, pub, secret, priv, w)					\
	{ .type = XF_KE, .id = (i), .name = (n), .publen = (pub),	\
	  .secretlen = (secret), .privlen = (priv), .weak = (w) }

/*
 * Private exponents of the MODP groups have the sizes of RFC 3526 section 8
 * (estimate 2), rounded up to octets.
 */
static const struct xform_info rows[] = {
	CBC(128), CBC(192), CBC(256),
	GCM(ENCR_AES_GCM_16, 128, "", 16),
	GCM(ENCR_AES_GCM_16, 192, "", 16),
	GCM(ENCR_AES_GCM_16, 256, "", 16),
	GCM(ENCR_AES_GCM_12, 128, "-12", 12),
	GCM(ENCR_AES_GCM_12, 192, "-12", 12),
	GCM(ENCR_AES_GCM_12, 256, "-12", 12),
	GCM(ENCR_AES_GCM_8, 128, "-8", 8),
	GCM(ENCR_AES_GCM_8, 192, "-8", 8),
	GCM(ENCR_AES_GCM_8, 256, "-8", 8),
	{ .type = XF_ENCR, .id = ENCR_CHACHA20_POLY1305,
	  .name = "chacha20-poly1305", .keylen = 36, .ivlen = 8, .icvlen = 16,
	  .saltlen = 4, .blocklen = 1, .aead = 1 },
	CTR(128), CTR(192), CTR(256),
	{ .type = XF_ENCR, .id = ENCR_3DES, .name = "3des", .keylen = 24,
	  .ivlen = 8, .blocklen = 8, .weak = 1 },
	{ .type = XF_ENCR, .id = ENCR_NULL, .name = "null", .blocklen = 1,
	  .weak = 1 },

	PRF(PRF_HMAC_SHA2_256, "hmac-sha2-256", 32, 0),
	PRF(PRF_HMAC_SHA2_384, "hmac-sha2-384", 48, 0),
	PRF(PRF_HMAC_SHA2_512, "hmac-sha2-512", 64, 0),
	PRF(PRF_HMAC_SHA1, "hmac-sha1", 20, 1),

	INTEG(INTEG_HMAC_SHA2_256_128, "hmac-sha2-256", 32, 16, 0),
	INTEG(INTEG_HMAC_SHA2_384_192, "hmac-sha2-384", 48, 24, 0),
	INTEG(INTEG_HMAC_SHA2_512_256, "hmac-sha2-512", 64, 32, 0),
	INTEG(INTEG_HMAC_SHA1_96, "hmac-sha1", 20, 12, 1),
	INTEG(INTEG_NONE, "none", 0, 0, 0),

	KE(KE_X25519, "curve25519", 32, 32, 32, 0),
	KE(KE_ECP256, "ecp256", 64, 32, 32, 0),
	KE(KE_ECP384, "ecp384", 96, 48, 48, 0),
	KE(KE_ECP521, "ecp521", 132, 66, 66, 0),
	KE(KE_X448, "curve448", 56, 56, 56, 0),
	KE(KE_MODP2048, "modp2048", 256, 256, 40, 0),
	KE(KE_MODP3072, "modp3072", 384, 384, 53, 0),
	KE(KE_MODP4096, "modp4096", 512, 512, 60, 0),
	KE(KE_MODP6144, "modp6144", 768, 768, 68, 0),
	KE(KE_MODP8192, "modp8192", 1024, 1024, 78, 0),
	KE(KE_MODP1536, "modp1536", 192, 192, 32, 1),
	KE(KE_MODP1024, "modp1024", 128, 128, 32, 1),
	KE(KE_NONE, "none", 0, 0, 0, 0),

	{ .type = XF_SN, .id = SN_32, .name = "noesn" },
	{ .type = XF_SN, .id = SN_ESN, .name = "esn" },
};

/* Other people's words for the same (OpenIKED's grpN, OpenSSL, RouterOS). */
static const struct {
	uint8_t		 type;
	const char	*alias;
	const char	*name;
} aliases[] = {
	{ XF_ENCR, "aes-128-cbc", "aes-128" },
	{ XF_ENCR, "aes-192-cbc", "aes-192" },
	{ XF_ENCR, "aes-256-cbc", "aes-256" },
	{ XF_ENCR, "aes-128-gcm-16", "aes-128-gcm" },
	{ XF_ENCR, "aes-192-gcm-16", "aes-192-gcm" },
	{ XF_ENCR, "aes-256-gcm-16", "aes-256-gcm" },
	{ XF_PRF, "sha2-256", "hmac-sha2-256" },
	{ XF_PRF, "sha2-384", "hmac-sha2-384" },
	{ XF_PRF, "sha2-512", "hmac-sha2-512" },
	{ XF_PRF, "sha256", "hmac-sha2-256" },
	{ XF_PRF, "sha384", "hmac-sha2-384" },
	{ XF_PRF, "sha512", "hmac-sha2-512" },
	{ XF_PRF, "sha1", "hmac-sha1" },
	{ XF_INTEG, "sha2-256", "hmac-sha2-256" },
	{ XF_INTEG, "sha2-384", "hmac-sha2-384" },
	{ XF_INTEG, "sha2-512", "hmac-sha2-512" },
	{ XF_INTEG, "sha256", "hmac-sha2-256" },
	{ XF_INTEG, "sha384", "hmac-sha2-384" },
	{ XF_INTEG, "sha512", "hmac-sha2-512" },
	{ XF_INTEG, "sha1", "hmac-sha1" },
	{ XF_KE, "x25519", "curve25519" },
	{ XF_KE, "x448", "curve448" },
	{ XF_KE, "grp2", "modp1024" },
	{ XF_KE, "grp5", "modp1536" },
	{ XF_KE, "grp14", "modp2048" },
	{ XF_KE, "grp15", "modp3072" },
	{ XF_KE, "grp16", "modp4096" },
	{ XF_KE, "grp17", "modp6144" },
	{ XF_KE, "grp18", "modp8192" },
	{ XF_KE, "grp19", "ecp256" },
	{ XF_KE, "grp20", "ecp384" },
	{ XF_KE, "grp21", "ecp521" },
	{ XF_KE, "grp31", "curve25519" },
	{ XF_KE, "grp32", "curve448" },
};

const struct xform_info *
xform_info(uint8_t type, uint16_t id, uint16_t keybits)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].type == type && rows[i].id == id &&
		    rows[i].keybits == keybits)
			return (&rows[i]);
	return (NULL);
}

const struct xform_info *
xform_byname(uint8_t type, const char *name)
{
	size_t i;

	for (i = 0; i < NALIASES; i++)
		if (aliases[i].type == type &&
		    strcmp(aliases[i].alias, name) == 0)
			name = aliases[i].name;
	for (i = 0; i < NROWS; i++)
		if (rows[i].type == type && strcmp(rows[i].name, name) == 0)
			return (&rows[i]);
	return (NULL);
}

const struct xform_info *
xform_row(size_t i)
{
	return (i < NROWS ? &rows[i] : NULL);
}

const char *
xform_name(uint8_t type, uint16_t id, uint16_t keybits)
{
	const struct xform_info *xi;

	xi = xform_info(type, id, keybits);
	return (xi == NULL ? "unknown" : xi->name);
}
