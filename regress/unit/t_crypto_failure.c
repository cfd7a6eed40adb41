/* SPDX-License-Identifier: ISC */
/*
 * What happens when things break below: every allocation of OpenSSL fails
 * once, and the self-test is shown algorithms that are not what they say.
 */

#include <openssl/crypto.h>

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_local.h"

static long	countdown = -1;		/* allocations until one fails; -1: never */
static int	failed;

static int
fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return (0);
	failed = 1;
	return (1);
}

static void *
t_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return (n == 0 || fails() ? NULL : malloc(n));
}

static void *
t_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return (n != 0 && fails() ? NULL : realloc(p, n));
}

static void
t_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static struct crypto *
fresh(void)
{
	struct crypto	*c;

	ATF_REQUIRE_EQ(CRYPTO_set_mem_functions(t_malloc, t_realloc, t_free), 1);
	ATF_REQUIRE((c = crypto_new(NULL)) != NULL);
	return (c);
}

/* Each operation gives 0 and 32 octets that depend on it, or -1. */
static uint8_t	rnd[64], peer[KE_MAXPUB];

static int
op_ke(struct crypto *c, uint16_t group, uint8_t *out)
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	struct ke		*k;
	uint8_t			 secret[KE_MAXSECRET];
	size_t			 n;
	int			 rv;

	if ((k = ke_new(c, group, rnd, xi->privlen)) == NULL)
		return (-1);
	memcpy(peer, ke_public(k).p, xi->publen);
	rv = ke_derive(c, k, (struct span){ peer, xi->publen }, secret, &n);
	if (rv == 0)
		memcpy(out, secret, 32);
	ke_free(k);
	return (rv);
}

static int
op_x25519(struct crypto *c, uint8_t *out)
{
	return (op_ke(c, KE_X25519, out));
}

static int
op_ecp256(struct crypto *c, uint8_t *out)
{
	return (op_ke(c, KE_ECP256, out));
}

static int
op_ecp384(struct crypto *c, uint8_t *out)
{
	return (op_ke(c, KE_ECP384, out));
}

static int
op_modp(struct crypto *c, uint8_t *out)
{
	return (op_ke(c, KE_MODP2048, out));
}

static int
op_keys(struct crypto *c, uint8_t *out)
{
	struct suite	s = { .encr = ENCR_AES_CBC, .encr_keybits = 256,
			    .prf = PRF_HMAC_SHA2_256,
			    .integ = INTEG_HMAC_SHA2_256_128 };
	struct span	r = { rnd, 32 };
	struct ike_keys	k;
	int		rv;

	rv = ike_keys_derive(c, &s, r, r, r, 1, 2, NULL, &k);
	if (rv == 0)
		memcpy(out, k.pr, 32);
	return (rv);
}

static int
sk(struct crypto *c, uint16_t encr, uint16_t integ, uint8_t *out)
{
	struct ike_keys	k;
	uint8_t		msg[256], plain[128];
	size_t		n, len;

	memset(&k, 0, sizeof(k));
	memset(msg, 0, sizeof(msg));
	k.encr = encr;
	k.encr_keybits = 128;
	k.integ = integ;
	len = sk_len(&k, 64);
	if (sk_seal(c, &k, 1, msg, 32, (struct span){ rnd, 64 }, rnd) == -1)
		return (-1);
	if (sk_open(c, &k, 1, msg, 32, (struct span){ msg + 32, len }, plain,
	    &n) == -1)
		return (-1);
	ATF_REQUIRE(n == 64 && memcmp(plain, rnd, 64) == 0);
	memcpy(out, msg + 32 + len - 32, 32);
	return (0);
}

static int
op_gcm(struct crypto *c, uint8_t *out)
{
	return (sk(c, ENCR_AES_GCM_16, INTEG_NONE, out));
}

static int
op_cbc(struct crypto *c, uint8_t *out)
{
	return (sk(c, ENCR_AES_CBC, INTEG_HMAC_SHA2_256_128, out));
}

static int
op_natd(struct crypto *c, uint8_t *out)
{
	memset(out, 0, 32);
	return (natd_hash(c, 1, 2, rnd, 4, 500, out));
}

static const struct {
	const char	*name;
	int		(*op)(struct crypto *, uint8_t *);
	int		 allocates;
} ops[] = {
	{ "x25519", op_x25519, 1 }, { "ecp256", op_ecp256, 1 },
	{ "ecp384", op_ecp384, 1 }, { "modp2048", op_modp, 1 },
	{ "keys", op_keys, 0 }, { "gcm", op_gcm, 0 }, { "cbc", op_cbc, 0 },
	{ "natd", op_natd, 0 },
};

/* The operation fails cleanly or succeeds rightly, and the next is right again.
 * Negative test 55. */
ATF_TC_WITHOUT_HEAD(allocations);
ATF_TC_BODY(allocations, tc)
{
	struct crypto	*c = fresh();
	uint8_t		 want[32], got[32];
	size_t		 i;
	long		 n;
	int		 rv, injected;

	memset(rnd, 0x29, sizeof(rnd));
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		ATF_REQUIRE_EQ(ops[i].op(c, want), 0);
		for (n = 0, injected = 0;; n++) {
			failed = 0;
			countdown = n;
			rv = ops[i].op(c, got);
			countdown = -1;
			if (rv == 0)
				ATF_CHECK_MSG(memcmp(got, want, 32) == 0,
				    "%s, allocation %ld", ops[i].name, n);
			if (!failed)
				break;
			injected++;
			ATF_CHECK_EQ_MSG(ops[i].op(c, got), 0,
			    "%s after allocation %ld", ops[i].name, n);
			ATF_CHECK(memcmp(got, want, 32) == 0);
		}
		ATF_CHECK_EQ(rv, 0);
		printf("%s: %d allocations\n", ops[i].name, injected);
		if (ops[i].allocates)
			ATF_CHECK(injected > 0);
	}
	crypto_free(c);
}

/*
 * Start-up fails as a whole, with a line.  Only the first allocations: further
 * in, OpenSSL 3.0 itself leaks what it had.
 */
static void
emit(void *arg, enum log_level lvl, const char *line)
{
	(void)lvl;
	strncpy(arg, line, 255);
}

ATF_TC_WITHOUT_HEAD(startup);
ATF_TC_BODY(startup, tc)
{
	char		 said[256];
	struct logger	 log = { emit, said, 0, NULL };
	struct crypto	*c;
	long		 n;
	int		 refused = 0;

	crypto_free(fresh());
	for (n = 0; n < 3; n++) {
		memset(said, 0, sizeof(said));
		failed = 0;
		countdown = n;
		c = crypto_new(&log);
		countdown = -1;
		if (c == NULL) {
			ATF_CHECK(failed);
			ATF_CHECK_MSG(strncmp(said, "crypto: ", 8) == 0, "%s",
			    said);
			refused++;
		}
		crypto_free(c);
	}
	ATF_CHECK_EQ(refused, 3);
	crypto_free(NULL);
}

static void
selftest_fails(struct crypto *c, const char *name)
{
	const char	*what = NULL;

	ATF_CHECK_EQ(crypto_selftest(c, &what), -1);
	ATF_CHECK_STREQ(what, name);
}

ATF_TC_WITHOUT_HEAD(selftest);
ATF_TC_BODY(selftest, tc)
{
	struct crypto	*c = fresh();
	const char	*what;
	EVP_MAC_CTX	*mac = c->hash[1].mac;
	EVP_CIPHER	*ci = c->cipher[0].c;
	EC_GROUP	*g = c->curve[0].g;
	BN_MONT_CTX	*mont = c->modp[2].mont;

	ATF_CHECK_EQ(crypto_selftest(c, &what), 0);
	c->hash[1].mac = c->hash[2].mac;
	selftest_fails(c, "hmac-sha2-384");
	c->hash[1].mac = mac;
	c->cipher[0].c = c->cipher[1].c;
	selftest_fails(c, "aes-256-gcm");
	c->cipher[0].c = ci;
	c->curve[0].g = c->curve[1].g;
	selftest_fails(c, "ecp256");
	c->curve[0].g = g;
	c->modp[2].mont = c->modp[1].mont;
	selftest_fails(c, "modp4096");
	c->modp[2].mont = mont;
	ATF_CHECK_EQ(crypto_selftest(c, &what), 0);
	crypto_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, allocations);
	ATF_TP_ADD_TC(tp, startup);
	ATF_TP_ADD_TC(tp, selftest);
	return (atf_no_error());
}
