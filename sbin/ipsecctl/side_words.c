/* SPDX-License-Identifier: ISC */
/* The same algorithms and protocols in the words of several programs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xform.h"
#include "side_words.h"

/* Numbers that iked has no use for (IANA; of those without one, ours). */
enum {
	X_DES = 2, X_BLOWFISH = 7, X_CCM_8 = 14, X_CCM_12 = 15, X_CCM_16 = 16,
	X_CAMELLIA = 23, X_TWOFISH = 65001, X_MD5 = 1, X_XCBC = 5, X_CMAC = 8,
	X_SHA256_96 = 65002, X_PRF_MD5 = 1, X_PRF_XCBC = 4, X_PRF_CMAC = 8,
	X_MODP768 = 1, X_ECP192 = 25, X_ECP224 = 26, X_BP224 = 27, X_BP256 = 28,
	X_BP384 = 29, X_BP512 = 30
};

#define BSD_IKE	1
#define BSD_ESP	2

/* ros_ike, ros_esp: what every RouterOS 7 has.  bsd: name is OpenIKED's word, too. */
struct row {
	uint8_t		 type;
	uint16_t	 id, keybits;
	const char	*name;
	const char	*ros_ike, *ros_esp, *swan;
	uint8_t		 bsd;
};

#define GCM(bits, b)							\
	{ XF_ENCR, ENCR_AES_GCM_16, bits, "aes-" #bits "-gcm", NULL,	\
	  "aes-" #bits "-gcm", "aes" #bits "gcm16", b }
#define GCMN(bits, n, b)						\
	{ XF_ENCR, ENCR_AES_GCM_##n, bits, "aes-" #bits "-gcm-" #n, NULL,	\
	  NULL, "aes" #bits "gcm" #n, b }
#define CCM(bits, n)							\
	{ XF_ENCR, X_CCM_##n, bits, "aes-" #bits "-ccm-" #n, NULL, NULL,	\
	  "aes" #bits "ccm" #n, 0 }
#define CTR(bits)							\
	{ XF_ENCR, ENCR_AES_CTR, bits, "aes-" #bits "-ctr", NULL,	\
	  "aes-" #bits "-ctr", "aes" #bits "ctr", BSD_ESP }
#define CBC(bits)							\
	{ XF_ENCR, ENCR_AES_CBC, bits, "aes-" #bits, "aes-" #bits,	\
	  "aes-" #bits "-cbc", "aes" #bits, BSD_IKE | BSD_ESP }
#define CAMELLIA(bits)							\
	{ XF_ENCR, X_CAMELLIA, bits, "camellia-" #bits, "camellia-" #bits,	\
	  "camellia-" #bits, "camellia" #bits, 0 }
#define MODP(bits, id)							\
	{ XF_KE, id, 0, "modp" #bits, "modp" #bits, "modp" #bits, "modp" #bits, 3 }
#define ECP(bits, id)							\
	{ XF_KE, id, 0, "ecp" #bits, "ecp" #bits, "ecp" #bits, "ecp" #bits, 3 }
#define OTHERKE(name, id, swan)	{ XF_KE, id, 0, name, NULL, NULL, swan, 3 }

static const struct row rows[] = {
	CBC(256), CBC(192), CBC(128),
	GCM(256, 3), GCM(192, BSD_ESP), GCM(128, 3),
	GCMN(256, 12, BSD_IKE), GCMN(192, 12, 0), GCMN(128, 12, BSD_IKE),
	GCMN(256, 8, 0), GCMN(192, 8, 0), GCMN(128, 8, 0),
	{ XF_ENCR, ENCR_CHACHA20_POLY1305, 0, "chacha20-poly1305", NULL, NULL,
	  "chacha20poly1305", BSD_ESP },
	CTR(256), CTR(192), CTR(128),
	CCM(256, 16), CCM(192, 16), CCM(128, 16), CCM(256, 12), CCM(192, 12),
	CCM(128, 12), CCM(256, 8), CCM(192, 8), CCM(128, 8),
	CAMELLIA(256), CAMELLIA(192), CAMELLIA(128),
	{ XF_ENCR, ENCR_3DES, 0, "3des", "3des", "3des", "3des", 3 },
	{ XF_ENCR, X_DES, 0, "des", "des", "des", "des", 0 },
	{ XF_ENCR, X_BLOWFISH, 128, "blowfish", "blowfish", "blowfish", "blowfish128",
	  0 },
	{ XF_ENCR, X_TWOFISH, 128, "twofish", NULL, "twofish", "twofish128", 0 },
	{ XF_ENCR, ENCR_NULL, 0, "null", NULL, "null", "null", BSD_ESP },

	{ XF_INTEG, INTEG_HMAC_SHA2_256_128, 0, "hmac-sha2-256", "sha256", "sha256",
	  "sha256", 3 },
	{ XF_INTEG, INTEG_HMAC_SHA2_384_192, 0, "hmac-sha2-384", NULL, NULL,
	  "sha384", 3 },
	{ XF_INTEG, INTEG_HMAC_SHA2_512_256, 0, "hmac-sha2-512", "sha512", "sha512",
	  "sha512", 3 },
	{ XF_INTEG, INTEG_HMAC_SHA1_96, 0, "hmac-sha1", "sha1", "sha1", "sha1", 3 },
	{ XF_INTEG, X_MD5, 0, "hmac-md5", "md5", "md5", "md5", 3 },
	{ XF_INTEG, X_XCBC, 0, "aes-xcbc", NULL, NULL, "aesxcbc", 0 },
	{ XF_INTEG, X_CMAC, 0, "aes-cmac", NULL, NULL, "aescmac", 0 },
	{ XF_INTEG, X_SHA256_96, 0, "hmac-sha2-256-96", NULL, NULL, "sha256_96", 0 },
	{ XF_INTEG, INTEG_NONE, 0, "none", NULL, "null", NULL, 0 },

	{ XF_PRF, PRF_HMAC_SHA2_256, 0, "hmac-sha2-256", "sha256", NULL,
	  "prfsha256", 1 },
	{ XF_PRF, PRF_HMAC_SHA2_384, 0, "hmac-sha2-384", "sha384", NULL,
	  "prfsha384", 1 },
	{ XF_PRF, PRF_HMAC_SHA2_512, 0, "hmac-sha2-512", "sha512", NULL,
	  "prfsha512", 1 },
	{ XF_PRF, PRF_HMAC_SHA1, 0, "hmac-sha1", "sha1", NULL, "prfsha1", 1 },
	{ XF_PRF, X_PRF_MD5, 0, "hmac-md5", NULL, NULL, "prfmd5", 1 },
	{ XF_PRF, X_PRF_XCBC, 0, "aes-xcbc", NULL, NULL, "prfaesxcbc", 0 },
	{ XF_PRF, X_PRF_CMAC, 0, "aes-cmac", NULL, NULL, "prfaescmac", 0 },

	OTHERKE("curve25519", KE_X25519, "curve25519"),
	ECP(256, KE_ECP256), ECP(384, KE_ECP384), ECP(521, KE_ECP521),
	MODP(2048, KE_MODP2048), MODP(3072, KE_MODP3072), MODP(4096, KE_MODP4096),
	MODP(6144, KE_MODP6144), MODP(8192, KE_MODP8192),
	MODP(1536, KE_MODP1536), MODP(1024, KE_MODP1024), MODP(768, X_MODP768),
	{ XF_KE, KE_X448, 0, "curve448", NULL, NULL, "curve448", 0 },
	OTHERKE("ecp192", X_ECP192, "ecp192"), OTHERKE("ecp224", X_ECP224, "ecp224"),
	OTHERKE("brainpool224", X_BP224, "ecp224bp"),
	OTHERKE("brainpool256", X_BP256, "ecp256bp"),
	OTHERKE("brainpool384", X_BP384, "ecp384bp"),
	OTHERKE("brainpool512", X_BP512, "ecp512bp"),
	{ XF_KE, KE_NONE, 0, "none", NULL, "none", "none", BSD_ESP },

	{ XF_SN, SN_32, 0, "noesn", NULL, NULL, "noesn", BSD_ESP },
	{ XF_SN, SN_ESN, 0, "esn", NULL, NULL, "esn", BSD_ESP },
};
#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* Read, but not written: other words, and what only new releases have. */
static const struct {
	enum form	 form;
	uint8_t		 type;
	int		 esp;		/* -1: both */
	const char	*word, *name;
} aliases[] = {
	{ FORM_ROUTEROS, XF_KE, -1, "x25519", "curve25519" },
	{ FORM_ROUTEROS, XF_ENCR, 1, "chacha20poly1305", "chacha20-poly1305" },
	{ FORM_ROUTEROS, XF_INTEG, -1, "sha384", "hmac-sha2-384" },
	{ FORM_ROUTEROS, XF_ENCR, 1, "aes-256", "aes-256" },
	{ FORM_ROUTEROS, XF_ENCR, 1, "aes-192", "aes-192" },
	{ FORM_ROUTEROS, XF_ENCR, 1, "aes-128", "aes-128" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes", "aes-128" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes256gcm", "aes-256-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes192gcm", "aes-192-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes128gcm", "aes-128-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes256gcm128", "aes-256-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes192gcm128", "aes-192-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes128gcm128", "aes-128-gcm" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes256gcm96", "aes-256-gcm-12" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes128gcm96", "aes-128-gcm-12" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes256gcm64", "aes-256-gcm-8" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes128gcm64", "aes-128-gcm-8" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes256ccm", "aes-256-ccm-16" },
	{ FORM_SWANCTL, XF_ENCR, -1, "aes128ccm", "aes-128-ccm-16" },
	{ FORM_SWANCTL, XF_ENCR, -1, "camellia", "camellia-128" },
	{ FORM_SWANCTL, XF_ENCR, -1, "blowfish", "blowfish" },
	{ FORM_SWANCTL, XF_ENCR, -1, "twofish", "twofish" },
	{ FORM_SWANCTL, XF_INTEG, -1, "sha", "hmac-sha1" },
	{ FORM_SWANCTL, XF_INTEG, -1, "sha2_256", "hmac-sha2-256" },
	{ FORM_SWANCTL, XF_INTEG, -1, "sha2_384", "hmac-sha2-384" },
	{ FORM_SWANCTL, XF_INTEG, -1, "sha2_512", "hmac-sha2-512" },
	{ FORM_SWANCTL, XF_INTEG, -1, "sha2_256_96", "hmac-sha2-256-96" },
	{ FORM_SWANCTL, XF_KE, -1, "x25519", "curve25519" },
	{ FORM_SWANCTL, XF_KE, -1, "x448", "curve448" },
	{ FORM_SWANCTL, XF_KE, -1, "modpnone", "none" },
};
#define NALIASES	(sizeof(aliases) / sizeof(aliases[0]))

static const char *const forms[] = { "iked", "openbsd", "routeros", "swanctl" };

int
form_byname(const char *s, enum form *f)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (strcmp(forms[i], s) == 0) {
			*f = (enum form)i;
			return (0);
		}
	return (-1);
}

const char *
form_name(enum form f)
{
	return (forms[f]);
}

static const struct row *
row_of(uint8_t type, uint16_t id, uint16_t keybits)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (rows[i].type == type && rows[i].id == id &&
		    rows[i].keybits == keybits)
			return (&rows[i]);
	return (NULL);
}

static const char *
row_word(const struct row *r, enum form f, int esp)
{
	switch (f) {
	case FORM_ROUTEROS:
		return (esp ? r->ros_esp : r->ros_ike);
	case FORM_SWANCTL:
		return (r->swan);
	case FORM_OPENBSD:
		return ((r->bsd & (esp ? BSD_ESP : BSD_IKE)) != 0 ? r->name : NULL);
	default:
		return (xform_info(r->type, r->id, r->keybits) != NULL ? r->name :
		    NULL);
	}
}

const char *
word_of(enum form f, int esp, uint8_t type, uint16_t id, uint16_t keybits)
{
	const struct row *r = row_of(type, id, keybits);

	return (r == NULL ? NULL : row_word(r, f, esp));
}

const char *
word_name(uint8_t type, uint16_t id, uint16_t keybits)
{
	const struct row *r = row_of(type, id, keybits);

	return (r == NULL ? "unknown" : r->name);
}

int
word_is_aead(uint16_t id)
{
	return ((id >= X_CCM_8 && id <= X_CCM_16) || (id >= ENCR_AES_GCM_8 &&
	    id <= ENCR_AES_GCM_16) || id == ENCR_CHACHA20_POLY1305);
}

static int
take(const struct row *r, struct word_xform *x)
{
	x->type = r->type;
	x->id = r->id;
	x->keybits = r->keybits;
	x->aead = r->type == XF_ENCR && word_is_aead(r->id);
	return (0);
}

int
word_parse(enum form f, int esp, uint8_t type, const char *s, struct word_xform *x)
{
	const char *w;
	size_t i, k;

	for (i = 0; i < NROWS; i++)
		if ((type == 0 || rows[i].type == type) &&
		    (w = row_word(&rows[i], f, esp)) != NULL && strcmp(w, s) == 0)
			return (take(&rows[i], x));
	for (k = 0; k < NALIASES; k++) {
		if (aliases[k].form != f || strcmp(aliases[k].word, s) != 0 ||
		    (type != 0 && aliases[k].type != type) ||
		    (aliases[k].esp != -1 && aliases[k].esp != esp))
			continue;
		for (i = 0; i < NROWS; i++)
			if (rows[i].type == aliases[k].type &&
			    strcmp(rows[i].name, aliases[k].name) == 0)
				return (take(&rows[i], x));
	}
	return (-1);
}

/* Those that RouterOS and protocols(5) have words for. */
static const struct {
	uint8_t		 proto;
	const char	*ros, *other;
} protos[] = {
	{ 1, "icmp", NULL }, { 2, "igmp", NULL }, { 3, "ggp", NULL },
	{ 4, "ip-encap", "ipencap" }, { 6, "tcp", NULL }, { 8, "egp", NULL },
	{ 17, "udp", NULL }, { 33, "dccp", NULL }, { 41, "ipv6-encap", "ipv6" },
	{ 46, "rsvp", NULL }, { 47, "gre", NULL }, { 50, "ipsec-esp", "esp" },
	{ 51, "ipsec-ah", "ah" }, { 58, "icmpv6", "ipv6-icmp" }, { 89, "ospf", NULL },
	{ 97, "etherip", NULL }, { 98, "encap", NULL }, { 103, "pim", NULL },
	{ 112, "vrrp", "carp" }, { 115, "l2tp", NULL }, { 132, NULL, "sctp" },
	{ 136, "udp-lite", "udplite" }, { 137, NULL, "mpls-in-ip" },
};
#define NPROTOS	(sizeof(protos) / sizeof(protos[0]))

const char *
word_proto(uint8_t p)
{
	size_t i;

	for (i = 0; i < NPROTOS; i++)
		if (protos[i].proto == p)
			return (protos[i].ros);
	return (NULL);
}

int
word_proto_parse(const char *s)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < NPROTOS; i++)
		if ((protos[i].ros != NULL && strcmp(protos[i].ros, s) == 0) ||
		    (protos[i].other != NULL && strcmp(protos[i].other, s) == 0))
			return (protos[i].proto);
	if (strcmp(s, "all") == 0 || strcmp(s, "any") == 0)
		return (0);
	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 4; i++)
		n = n * 10 + (unsigned int)(s[i] - '0');
	return (i == 0 || s[i] != '\0' || n > 255 ? -1 : (int)n);
}
