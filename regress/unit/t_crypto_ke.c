/* SPDX-License-Identifier: ISC */
/* Key exchange: vectors, lengths, leading zeros, and what must be refused. */

#include "crypto/crypto_local.h"
#include "unit/vec.h"

static const uint16_t groups[] = {
	KE_X25519, KE_X448, KE_ECP256, KE_ECP384, KE_ECP521, KE_MODP1024,
	KE_MODP1536, KE_MODP2048, KE_MODP3072, KE_MODP4096, KE_MODP6144,
	KE_MODP8192
};
#define NGROUPS	(sizeof(groups) / sizeof(groups[0]))

static struct crypto *
fresh(void)
{
	struct crypto	*c = crypto_new(NULL);

	if (c == NULL)
		atf_tc_fail("crypto_new failed");
	return (c);
}

/*
 * Vectors of MODP have exponents longer than ours, so they enter below
 * ke_new(), which insists on its own length.
 */
static struct ke *
key_of(struct crypto *c, uint16_t group, struct span priv)
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	struct ke		*k;

	ATF_REQUIRE(xi != NULL);
	if (priv.len == xi->privlen)
		return (ke_new(c, group, priv.p, priv.len));
	if (group < KE_MODP2048 || group > KE_MODP8192)
		return (NULL);
	ATF_REQUIRE((k = calloc(1, sizeof(*k))) != NULL);
	k->xi = xi;
	k->publen = xi->publen;
	ATF_REQUIRE_EQ(modp_new(c, k, priv.p, priv.len), 0);
	return (k);
}

static void
one_side(struct crypto *c, struct vec *v, const char *priv, const char *pub,
    const char *peer)
{
	uint16_t	 group = (uint16_t)vec_int(v, "group");
	struct ke	*k = key_of(c, group, vec_hex(v, priv));
	struct span	 want = vec_hex(v, pub), shared = vec_hex(v, "shared");
	uint8_t		 secret[KE_MAXSECRET];
	size_t		 n;

	if (k == NULL)
		atf_tc_fail("%s: no key", vec_str(v, "id"));
	ATF_CHECK_EQ(ke_group(k), group);
	VEC_EQ(v, want, ke_public(k).p, ke_public(k).len);
	ATF_CHECK_EQ(ke_derive(c, k, vec_hex(v, peer), secret, &n), 0);
	VEC_EQ(v, shared, secret, n);
	ke_free(k);
}

ATF_TC_WITHOUT_HEAD(vectors);
ATF_TC_BODY(vectors, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	int		 n = 0;

	for (vec_open(&v, "vectors/ke.txt"); vec_next(&v); n++) {
		one_side(c, &v, "priv_i", "pub_i", "pub_r");
		one_side(c, &v, "priv_r", "pub_r", "pub_i");
	}
	ATF_CHECK_EQ(n, 11);
	crypto_free(c);
}

/* A leading zero octet belongs to the value (RFC 7296 2.14, RFC 5903 7). */
ATF_TC_WITHOUT_HEAD(zeros);
ATF_TC_BODY(zeros, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	const char	*id;
	struct span	 s;
	int		 n = 0;

	for (vec_open(&v, "vectors/zeros.txt"); vec_next(&v); n++) {
		id = vec_str(&v, "id");
		if (strstr(id, "secret") != NULL) {
			s = vec_hex(&v, "shared");
			ATF_CHECK(s.p[0] == 0 || (strstr(id, "last") != NULL &&
			    s.p[s.len - 1] == 0));
		} else {
			s = vec_hex(&v, "pub_r");
			ATF_CHECK(s.p[0] == 0 || (strstr(id, "-y") != NULL &&
			    s.p[s.len / 2] == 0));
		}
		one_side(c, &v, "priv_i", "pub_i", "pub_r");
		one_side(c, &v, "priv_r", "pub_r", "pub_i");
	}
	ATF_CHECK_EQ(n, 19);
	crypto_free(c);
}

static int
all_zero(struct span s)
{
	while (s.len > 0)
		if (s.p[--s.len] != 0)
			return (0);
	return (1);
}

ATF_TC_WITHOUT_HEAD(wycheproof_xdh);
ATF_TC_BODY(wycheproof_xdh, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	struct ke	*k;
	struct span	 shared;
	uint8_t		 secret[KE_MAXSECRET];
	size_t		 n;
	int		 ok, good = 0, bad = 0;

	vec_open(&v, "vectors/wycheproof-xdh.txt");
	while (vec_next(&v)) {
		k = key_of(c, (uint16_t)vec_int(&v, "group"), vec_hex(&v, "priv"));
		if (k == NULL)
			atf_tc_fail("%s: no key", vec_str(&v, "id"));
		shared = vec_hex(&v, "shared");
		/* small order: valid to RFC 7748, refused by us */
		ok = !all_zero(shared) &&
		    vec_hex(&v, "pub").len == ke_public(k).len &&
		    strcmp(vec_str(&v, "result"), "invalid") != 0;
		ATF_CHECK_EQ_MSG(ke_derive(c, k, vec_hex(&v, "pub"), secret, &n),
		    ok ? 0 : -1, "%s", vec_str(&v, "id"));
		if (ok)
			VEC_EQ(&v, shared, secret, n);
		else
			ATF_CHECK_EQ(n, 0);
		ok ? good++ : bad++;
		ke_free(k);
	}
	ATF_CHECK_EQ(good + bad, 1028);
	ATF_CHECK(good > 900 && bad > 20);
	crypto_free(c);
}

ATF_TC_WITHOUT_HEAD(wycheproof_ecdh);
ATF_TC_BODY(wycheproof_ecdh, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	struct ke	*k;
	struct span	 shared;
	uint8_t		 secret[KE_MAXSECRET];
	size_t		 n;
	int		 ok, good = 0, bad = 0;

	vec_open(&v, "vectors/wycheproof-ecdh.txt");
	while (vec_next(&v)) {
		k = key_of(c, (uint16_t)vec_int(&v, "group"), vec_hex(&v, "priv"));
		if (k == NULL)
			atf_tc_fail("%s: no key", vec_str(&v, "id"));
		shared = vec_hex(&v, "shared");
		ok = strcmp(vec_str(&v, "result"), "invalid") != 0;
		ATF_CHECK_EQ_MSG(ke_derive(c, k, vec_hex(&v, "pub"), secret, &n),
		    ok ? 0 : -1, "%s", vec_str(&v, "id"));
		if (ok)
			VEC_EQ(&v, shared, secret, n);
		ok ? good++ : bad++;
		ke_free(k);
	}
	ATF_CHECK_EQ(good + bad, 1781);
	ATF_CHECK(good > 1500 && bad > 20);
	crypto_free(c);
}

/* Both sides agree in every group, with lengths as the table says. */
ATF_TC_WITHOUT_HEAD(agree);
ATF_TC_BODY(agree, tc)
{
	struct crypto		*c = fresh();
	const struct xform_info	*xi;
	struct ke		*a, *b;
	uint8_t			 ra[KE_MAXSECRET], rb[KE_MAXSECRET];
	uint8_t			 sa[KE_MAXSECRET], sb[KE_MAXSECRET];
	size_t			 i, j, na, nb;

	for (i = 0; i < NGROUPS; i++) {
		xi = xform_info(XF_KE, groups[i], 0);
		ATF_REQUIRE(xi != NULL);
		for (j = 0; j < sizeof(ra); j++) {
			ra[j] = (uint8_t)(3 * j + 17);
			rb[j] = (uint8_t)(5 * j + 1);
		}
		a = ke_new(c, groups[i], ra, xi->privlen);
		b = ke_new(c, groups[i], rb, xi->privlen);
		ATF_REQUIRE(a != NULL && b != NULL);
		ATF_CHECK_EQ(ke_public(a).len, xi->publen);
		ATF_REQUIRE_EQ(ke_derive(c, a, ke_public(b), sa, &na), 0);
		ATF_REQUIRE_EQ(ke_derive(c, b, ke_public(a), sb, &nb), 0);
		ATF_CHECK(na == xi->secretlen && na == nb &&
		    memcmp(sa, sb, na) == 0);
		/* other lengths: of the value, of the random octets */
		ATF_CHECK_EQ(ke_derive(c, a, (struct span){ ke_public(b).p,
		    ke_public(b).len - 1 }, sa, &na), -1);
		ATF_CHECK_EQ(na, 0);
		ATF_CHECK_EQ(ke_derive(c, a, (struct span){ NULL, 0 }, sa, &na),
		    -1);
		ATF_CHECK(ke_new(c, groups[i], ra, xi->privlen - 1U) == NULL);
		ATF_CHECK(ke_new(c, groups[i], ra, xi->privlen + 1U) == NULL);
		ke_free(a);
		ke_free(b);
	}
	ATF_CHECK(ke_new(c, KE_NONE, ra, 0) == NULL);
	ATF_CHECK(ke_new(c, 22, ra, 32) == NULL);
	ke_free(NULL);
	crypto_free(c);
}

/* Everything the table offers as a group can be made, and nothing else. */
ATF_TC_WITHOUT_HEAD(table);
ATF_TC_BODY(table, tc)
{
	struct crypto		*c = fresh();
	const struct xform_info	*xi;
	struct ke		*k;
	uint8_t			 rnd[KE_MAXSECRET];
	size_t			 i, n = 0;

	memset(rnd, 0x41, sizeof(rnd));
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type == XF_PRF)
			ATF_CHECK_MSG(hash_byprf(c, xi->id) != NULL, "%s", xi->name);
		if (xi->type == XF_INTEG && xi->id != INTEG_NONE)
			ATF_CHECK_MSG(hash_byinteg(c, xi->id) != NULL, "%s",
			    xi->name);
		if (xi->type != XF_KE || xi->id == KE_NONE)
			continue;
		k = ke_new(c, xi->id, rnd, xi->privlen);
		ATF_CHECK_MSG(k != NULL, "%s", xi->name);
		ke_free(k);
		n++;
	}
	ATF_CHECK_EQ(n, NGROUPS);
	crypto_free(c);
}

static void
try_modp(struct crypto *c, struct ke *k, const BIGNUM *y, int want)
{
	uint8_t	pub[KE_MAXPUB], secret[KE_MAXSECRET];
	size_t	n, len = ke_public(k).len;

	ATF_REQUIRE(BN_bn2binpad(y, pub, (int)len) == (int)len);
	ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, len }, secret, &n), want);
}

/* RFC 6989 2.1, negative test 15: 0, 1, p-1, p, p+1, all ones. */
ATF_TC_WITHOUT_HEAD(modp_refused);
ATF_TC_BODY(modp_refused, tc)
{
	struct crypto	*c = fresh();
	struct ke	*k;
	BIGNUM		*y = BN_new();
	uint8_t		 rnd[64], ones[KE_MAXPUB], secret[KE_MAXSECRET];
	size_t		 i, n;

	memset(rnd, 0x5a, sizeof(rnd));
	memset(ones, 0xff, sizeof(ones));
	for (i = 0; i < NMODPS; i++) {
		k = ke_new(c, c->modp[i].group, rnd,
		    xform_info(XF_KE, c->modp[i].group, 0)->privlen);
		ATF_REQUIRE(k != NULL && y != NULL);
		BN_zero(y);
		try_modp(c, k, y, -1);
		BN_one(y);
		try_modp(c, k, y, -1);
		try_modp(c, k, c->modp[i].pm1, -1);
		try_modp(c, k, c->modp[i].p, -1);
		BN_copy(y, c->modp[i].p);
		BN_add_word(y, 1);
		try_modp(c, k, y, -1);
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ ones,
		    ke_public(k).len }, secret, &n), -1);
		/* the neighbours are fine */
		BN_set_word(y, 2);
		try_modp(c, k, y, 0);
		BN_copy(y, c->modp[i].pm1);
		BN_sub_word(y, 1);
		try_modp(c, k, y, 0);
		ke_free(k);
	}
	BN_free(y);
	crypto_free(c);
}

/* A group's octets that make no exponent: 0 and 1. */
ATF_TC_WITHOUT_HEAD(modp_private);
ATF_TC_BODY(modp_private, tc)
{
	struct crypto	*c = fresh();
	uint8_t		 rnd[40] = { 0 };

	ATF_CHECK(ke_new(c, KE_MODP2048, rnd, 40) == NULL);
	rnd[39] = 1;
	ATF_CHECK(ke_new(c, KE_MODP2048, rnd, 40) == NULL);
	crypto_free(c);
}

/* RFC 6989 2.3: off the curve, coordinates not below p, (0,0). */
ATF_TC_WITHOUT_HEAD(ecp_refused);
ATF_TC_BODY(ecp_refused, tc)
{
	struct crypto	*c = fresh();
	struct ke	*k;
	BIGNUM		*p = BN_new(), *x = BN_new();
	uint8_t		 rnd[66], pub[KE_MAXPUB], secret[KE_MAXSECRET];
	size_t		 i, n, w;

	memset(rnd, 0x5a, sizeof(rnd));
	for (i = 0; i < NECS; i++) {
		w = xform_info(XF_KE, c->curve[i].group, 0)->privlen;
		k = ke_new(c, c->curve[i].group, rnd, w);
		ATF_REQUIRE(k != NULL);
		memcpy(pub, ke_public(k).p, 2 * w);
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, 2 * w }, secret,
		    &n), 0);
		pub[2 * w - 1] ^= 1;
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, 2 * w }, secret,
		    &n), -1);
		memset(pub, 0, 2 * w);
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, 2 * w }, secret,
		    &n), -1);
		memset(pub, 0xff, 2 * w);
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, 2 * w }, secret,
		    &n), -1);
		/* the same point with p added to y, where that still fits */
		ATF_REQUIRE_EQ(EC_GROUP_get_curve(c->curve[i].g, p, NULL, NULL,
		    NULL), 1);
		memcpy(pub, ke_public(k).p, 2 * w);
		BN_bin2bn(pub + w, (int)w, x);
		BN_add(x, x, p);
		if (BN_bn2binpad(x, pub + w, (int)w) == (int)w)
			ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub, 2 * w },
			    secret, &n), -1);
		ke_free(k);
	}
	BN_free(p);
	BN_free(x);
	crypto_free(c);
}

/* Octets that are no scalar: 0, n, above; n-1 is the last good one. */
ATF_TC_WITHOUT_HEAD(ecp_private);
ATF_TC_BODY(ecp_private, tc)
{
	struct crypto	*c = fresh();
	struct ke	*k;
	BIGNUM		*d = BN_new();
	uint8_t		 rnd[66];
	size_t		 i, w;

	for (i = 0; i < NECS; i++) {
		w = xform_info(XF_KE, c->curve[i].group, 0)->privlen;
		memset(rnd, 0, sizeof(rnd));
		ATF_CHECK(ke_new(c, c->curve[i].group, rnd, w) == NULL);
		memset(rnd, 0xff, sizeof(rnd));
		ATF_CHECK(ke_new(c, c->curve[i].group, rnd, w) == NULL);
		BN_bn2binpad(c->curve[i].n, rnd, (int)w);
		ATF_CHECK(ke_new(c, c->curve[i].group, rnd, w) == NULL);
		BN_copy(d, c->curve[i].n);
		BN_sub_word(d, 1);
		BN_bn2binpad(d, rnd, (int)w);
		k = ke_new(c, c->curve[i].group, rnd, w);
		ATF_CHECK(k != NULL);
		ke_free(k);
	}
	BN_free(d);
	crypto_free(c);
}

/* The low order points of both curves, as RFC 7748 6.1 wants them refused. */
ATF_TC_WITHOUT_HEAD(xdh_refused);
ATF_TC_BODY(xdh_refused, tc)
{
	struct crypto	*c = fresh();
	struct ke	*k;
	uint8_t		 rnd[56], pub[56], secret[KE_MAXSECRET];
	size_t		 n, i;

	memset(rnd, 0x77, sizeof(rnd));
	for (i = 0; i < 2; i++) {
		k = ke_new(c, groups[i], rnd, i == 0 ? 32 : 56);
		ATF_REQUIRE(k != NULL);
		memset(pub, 0, sizeof(pub));
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub,
		    ke_public(k).len }, secret, &n), -1);
		pub[0] = 1;
		ATF_CHECK_EQ(ke_derive(c, k, (struct span){ pub,
		    ke_public(k).len }, secret, &n), -1);
		ke_free(k);
	}
	crypto_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, vectors);
	ATF_TP_ADD_TC(tp, zeros);
	ATF_TP_ADD_TC(tp, wycheproof_xdh);
	ATF_TP_ADD_TC(tp, wycheproof_ecdh);
	ATF_TP_ADD_TC(tp, agree);
	ATF_TP_ADD_TC(tp, table);
	ATF_TP_ADD_TC(tp, modp_refused);
	ATF_TP_ADD_TC(tp, modp_private);
	ATF_TP_ADD_TC(tp, ecp_refused);
	ATF_TP_ADD_TC(tp, ecp_private);
	ATF_TP_ADD_TC(tp, xdh_refused);
	return (atf_no_error());
}
