/* SPDX-License-Identifier: ISC */
/*
 * The MODP groups (RFC 2409 6.2, RFC 3526): generator 2, p a safe prime, public
 * values and secrets padded to the length of p (RFC 7296 2.14, 3.4).  With a safe
 * prime the test 1 < y < p-1 leaves no small subgroup (RFC 6989 2.1).
 */

#include "crypto/crypto_local.h"

static const struct {
	uint16_t	  group;
	BIGNUM		*(*prime)(BIGNUM *);
} groups[NMODPS] = {
	{ KE_MODP2048, BN_get_rfc3526_prime_2048 },
	{ KE_MODP3072, BN_get_rfc3526_prime_3072 },
	{ KE_MODP4096, BN_get_rfc3526_prime_4096 },
	{ KE_MODP6144, BN_get_rfc3526_prime_6144 },
	{ KE_MODP8192, BN_get_rfc3526_prime_8192 },
	{ KE_MODP1536, BN_get_rfc3526_prime_1536 },
	{ KE_MODP1024, BN_get_rfc2409_prime_1024 },
};

int
modp_init(struct crypto *c)
{
	struct modp	*m;
	size_t		 i;

	for (i = 0; i < NMODPS; i++) {
		m = &c->modp[i];
		m->group = groups[i].group;
		m->p = groups[i].prime(NULL);
		m->g = BN_new();
		m->mont = BN_MONT_CTX_new();
		if (m->p == NULL || m->g == NULL || m->mont == NULL ||
		    (m->pm1 = BN_dup(m->p)) == NULL)
			return (-1);
		if (crypto_ok(BN_set_word(m->g, 2)) == -1 ||
		    crypto_ok(BN_sub_word(m->pm1, 1)) == -1 ||
		    crypto_ok(BN_MONT_CTX_set(m->mont, m->p, c->bn)) == -1)
			return (-1);
	}
	return (0);
}

void
modp_free(struct crypto *c)
{
	size_t	i;

	for (i = 0; i < NMODPS; i++) {
		BN_free(c->modp[i].p);
		BN_free(c->modp[i].pm1);
		BN_free(c->modp[i].g);
		BN_MONT_CTX_free(c->modp[i].mont);
	}
}

static const struct modp *
modp_of(struct crypto *c, uint16_t group)
{
	size_t	i;

	for (i = 0; i < NMODPS; i++)
		if (c->modp[i].group == group)
			return (&c->modp[i]);
	return (NULL);
}

/* 1 < y < p-1? */
static int
in_range(const struct modp *m, const BIGNUM *y)
{
	return (!BN_is_zero(y) && !BN_is_one(y) && BN_cmp(y, m->pm1) < 0);
}

/* base^priv mod p, refused when out of range, at p's width. */
static int
power(struct crypto *c, const struct modp *m, const BIGNUM *base,
    const BIGNUM *priv, uint8_t *out, size_t width)
{
	BIGNUM	*r;
	int	 rv = -1;

	BN_CTX_start(c->bn);
	r = BN_CTX_get(c->bn);
	if (r != NULL && crypto_ok(BN_mod_exp_mont_consttime(r, base, priv, m->p,
	    c->bn, m->mont)) == 0 && in_range(m, r) &&
	    BN_bn2binpad(r, out, (int)width) == (int)width)
		rv = 0;
	if (r != NULL)
		BN_clear(r);
	BN_CTX_end(c->bn);
	return (rv);
}

int
modp_new(struct crypto *c, struct ke *k, const uint8_t *rnd, size_t n)
{
	const struct modp	*m = modp_of(c, k->xi->id);

	if (m == NULL || (k->priv = BN_secure_new()) == NULL)
		return (-1);
	BN_set_flags(k->priv, BN_FLG_CONSTTIME);
	if (BN_bin2bn(rnd, (int)n, k->priv) == NULL ||
	    BN_is_zero(k->priv) || BN_is_one(k->priv))
		return (-1);
	return (power(c, m, m->g, k->priv, k->pub, k->publen));
}

int
modp_derive(struct crypto *c, struct ke *k, struct span peer, uint8_t *secret)
{
	const struct modp	*m = modp_of(c, k->xi->id);
	BIGNUM			*y;
	int			 rv = -1;

	if (m == NULL)
		return (-1);
	BN_CTX_start(c->bn);
	y = BN_CTX_get(c->bn);
	if (y != NULL && BN_bin2bn(peer.p, (int)peer.len, y) != NULL &&
	    in_range(m, y))
		rv = power(c, m, y, k->priv, secret, k->xi->secretlen);
	BN_CTX_end(c->bn);
	return (rv);
}
