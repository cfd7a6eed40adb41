/* SPDX-License-Identifier: ISC */
/* The transform table: what every id is called and how big its parts are. */

#include <atf-c.h>
#include <string.h>

#include "base/xform.h"

/* Written down from the RFCs, not from the table. */
static const struct {
	uint8_t		 type;
	uint16_t	 id, keybits;
	const char	*name;
	unsigned int	 key, iv, icv, salt, block, aead;
} ciphers[] = {
	{ XF_ENCR, 3, 0, "3des", 24, 8, 0, 0, 8, 0 },
	{ XF_ENCR, 11, 0, "null", 0, 0, 0, 0, 1, 0 },
	{ XF_ENCR, 12, 128, "aes-128", 16, 16, 0, 0, 16, 0 },
	{ XF_ENCR, 12, 192, "aes-192", 24, 16, 0, 0, 16, 0 },
	{ XF_ENCR, 12, 256, "aes-256", 32, 16, 0, 0, 16, 0 },
	{ XF_ENCR, 13, 128, "aes-128-ctr", 20, 8, 0, 4, 1, 0 },
	{ XF_ENCR, 13, 192, "aes-192-ctr", 28, 8, 0, 4, 1, 0 },
	{ XF_ENCR, 13, 256, "aes-256-ctr", 36, 8, 0, 4, 1, 0 },
	{ XF_ENCR, 18, 128, "aes-128-gcm-8", 20, 8, 8, 4, 1, 1 },
	{ XF_ENCR, 19, 128, "aes-128-gcm-12", 20, 8, 12, 4, 1, 1 },
	{ XF_ENCR, 19, 256, "aes-256-gcm-12", 36, 8, 12, 4, 1, 1 },
	{ XF_ENCR, 20, 128, "aes-128-gcm", 20, 8, 16, 4, 1, 1 },
	{ XF_ENCR, 20, 192, "aes-192-gcm", 28, 8, 16, 4, 1, 1 },
	{ XF_ENCR, 20, 256, "aes-256-gcm", 36, 8, 16, 4, 1, 1 },
	{ XF_ENCR, 28, 0, "chacha20-poly1305", 36, 8, 16, 4, 1, 1 },
	{ XF_PRF, 2, 0, "hmac-sha1", 20, 0, 0, 0, 0, 0 },
	{ XF_PRF, 5, 0, "hmac-sha2-256", 32, 0, 0, 0, 0, 0 },
	{ XF_PRF, 6, 0, "hmac-sha2-384", 48, 0, 0, 0, 0, 0 },
	{ XF_PRF, 7, 0, "hmac-sha2-512", 64, 0, 0, 0, 0, 0 },
	{ XF_INTEG, 0, 0, "none", 0, 0, 0, 0, 0, 0 },
	{ XF_INTEG, 2, 0, "hmac-sha1", 20, 0, 12, 0, 0, 0 },
	{ XF_INTEG, 12, 0, "hmac-sha2-256", 32, 0, 16, 0, 0, 0 },
	{ XF_INTEG, 13, 0, "hmac-sha2-384", 48, 0, 24, 0, 0, 0 },
	{ XF_INTEG, 14, 0, "hmac-sha2-512", 64, 0, 32, 0, 0, 0 },
};

static const struct {
	uint16_t	 id;
	const char	*name;
	unsigned int	 pub, secret;
} groups[] = {
	{ 0, "none", 0, 0 },
	{ 2, "modp1024", 128, 128 }, { 5, "modp1536", 192, 192 },
	{ 14, "modp2048", 256, 256 }, { 15, "modp3072", 384, 384 },
	{ 16, "modp4096", 512, 512 }, { 17, "modp6144", 768, 768 },
	{ 18, "modp8192", 1024, 1024 }, { 19, "ecp256", 64, 32 },
	{ 20, "ecp384", 96, 48 }, { 21, "ecp521", 132, 66 },
	{ 31, "curve25519", 32, 32 }, { 32, "curve448", 56, 56 },
};

ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	const struct xform_info *xi;
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		xi = xform_info(ciphers[i].type, ciphers[i].id,
		    ciphers[i].keybits);
		ATF_REQUIRE_MSG(xi != NULL, "%s", ciphers[i].name);
		ATF_CHECK_STREQ(ciphers[i].name, xi->name);
		ATF_CHECK_EQ(xi->keylen, ciphers[i].key);
		ATF_CHECK_EQ(xi->ivlen, ciphers[i].iv);
		ATF_CHECK_EQ(xi->icvlen, ciphers[i].icv);
		ATF_CHECK_EQ(xi->saltlen, ciphers[i].salt);
		ATF_CHECK_EQ(xi->blocklen, ciphers[i].block);
		ATF_CHECK_EQ(xi->aead, ciphers[i].aead);
	}
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		xi = xform_info(XF_KE, groups[i].id, 0);
		ATF_REQUIRE_MSG(xi != NULL, "%s", groups[i].name);
		ATF_CHECK_STREQ(groups[i].name, xi->name);
		ATF_CHECK_EQ(xi->publen, groups[i].pub);
		ATF_CHECK_EQ(xi->secretlen, groups[i].secret);
		ATF_CHECK(groups[i].id == KE_NONE || xi->privlen >= 32);
		ATF_CHECK(xi->privlen <= 78);
	}
}

ATF_TC_WITHOUT_HEAD(unknown);
ATF_TC_BODY(unknown, tc)
{
	ATF_CHECK(xform_info(XF_ENCR, 1, 0) == NULL);
	/* a key length where none belongs, none where one does, odd ones */
	ATF_CHECK(xform_info(XF_ENCR, ENCR_AES_CBC, 0) == NULL);
	ATF_CHECK(xform_info(XF_ENCR, ENCR_AES_CBC, 64) == NULL);
	ATF_CHECK(xform_info(XF_ENCR, ENCR_AES_GCM_16, 65535) == NULL);
	ATF_CHECK(xform_info(XF_ENCR, ENCR_CHACHA20_POLY1305, 256) == NULL);
	ATF_CHECK(xform_info(XF_PRF, PRF_HMAC_SHA2_256, 256) == NULL);
	ATF_CHECK(xform_info(0, 0, 0) == NULL);
	ATF_CHECK(xform_info(6, 36, 0) == NULL);
	ATF_CHECK_STREQ("unknown", xform_name(XF_ENCR, 99, 0));
	ATF_CHECK_STREQ("aes-128", xform_name(XF_ENCR, 12, 128));
	ATF_CHECK(xform_byname(XF_ENCR, "aes") == NULL);
	ATF_CHECK(xform_byname(XF_ENCR, "") == NULL);
	ATF_CHECK(xform_byname(XF_PRF, "aes-128") == NULL);
	ATF_CHECK(xform_byname(XF_KE, "modp2047") == NULL);
}

/* Each row is found by its name and by its number, and by nothing else's. */
ATF_TC_WITHOUT_HEAD(rows);
ATF_TC_BODY(rows, tc)
{
	const struct xform_info *xi;
	size_t i;

	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		ATF_CHECK_EQ(xform_byname(xi->type, xi->name), xi);
		ATF_CHECK_EQ(xform_info(xi->type, xi->id, xi->keybits), xi);
		ATF_CHECK(!xi->aead || xi->icvlen > 0);
	}
	ATF_CHECK(i > 35);
	ATF_CHECK(xform_row(i + 1) == NULL);
}

ATF_TC_WITHOUT_HEAD(aliases);
ATF_TC_BODY(aliases, tc)
{
	static const struct { uint8_t type; const char *alias; uint16_t id, bits; }
	    t[] = {
		{ XF_ENCR, "aes-128-gcm-16", ENCR_AES_GCM_16, 128 },
		{ XF_ENCR, "aes-256-gcm-16", ENCR_AES_GCM_16, 256 },
		{ XF_ENCR, "aes-256-cbc", ENCR_AES_CBC, 256 },
		{ XF_PRF, "sha2-256", PRF_HMAC_SHA2_256, 0 },
		{ XF_PRF, "sha512", PRF_HMAC_SHA2_512, 0 },
		{ XF_INTEG, "sha2-512", INTEG_HMAC_SHA2_512_256, 0 },
		{ XF_INTEG, "sha1", INTEG_HMAC_SHA1_96, 0 },
		{ XF_KE, "x25519", KE_X25519, 0 },
		{ XF_KE, "grp14", KE_MODP2048, 0 },
		{ XF_KE, "grp21", KE_ECP521, 0 },
		{ XF_KE, "grp31", KE_X25519, 0 },
		{ XF_SN, "esn", SN_ESN, 0 },
		{ XF_SN, "noesn", SN_32, 0 },
	};
	const struct xform_info *xi;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		xi = xform_byname(t[i].type, t[i].alias);
		ATF_REQUIRE_MSG(xi != NULL, "%s", t[i].alias);
		ATF_CHECK_EQ(xi->id, t[i].id);
		ATF_CHECK_EQ(xi->keybits, t[i].bits);
	}
}

ATF_TC_WITHOUT_HEAD(weak);
ATF_TC_BODY(weak, tc)
{
	ATF_CHECK(xform_byname(XF_PRF, "hmac-sha1")->weak);
	ATF_CHECK(xform_byname(XF_INTEG, "hmac-sha1")->weak);
	ATF_CHECK(xform_byname(XF_ENCR, "3des")->weak);
	ATF_CHECK(xform_byname(XF_KE, "modp1024")->weak);
	ATF_CHECK(!xform_byname(XF_ENCR, "aes-128-gcm")->weak);
	ATF_CHECK(!xform_byname(XF_KE, "modp2048")->weak);
	ATF_CHECK(!xform_byname(XF_PRF, "hmac-sha2-256")->weak);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, unknown);
	ATF_TP_ADD_TC(tp, rows);
	ATF_TP_ADD_TC(tp, aliases);
	ATF_TP_ADD_TC(tp, weak);
	return (atf_no_error());
}
