/* SPDX-License-Identifier: ISC */
/*
 * The ECP groups (RFC 5903): public values are x | y, secrets are x alone, both
 * as wide as the field.  The cofactor of all three curves is 1, so a peer's
 * point that is on the curve and not infinity (which x | y cannot even say) is all
 * that RFC 6989 2.3 asks for.
 */

#include <openssl/obj_mac.h>

#include <string.h>

#include "crypto/crypto_local.h"

static const struct {
	uint16_t	group;
	int		nid;
} curves[NECS] = {
	{ KE_ECP256, NID_X9_62_prime256v1 },
	{ KE_ECP384, NID_secp384r1 },
	{ KE_ECP521, NID_secp521r1 },
};

int
ecp_init(struct crypto *c)
{
	struct curve	*cv;
	size_t		 i;

	for (i = 0; i < NECS; i++) {
		cv = &c->curve[i];
		cv->group = curves[i].group;
		cv->g = EC_GROUP_new_by_curve_name_ex(c->lib, NULL, curves[i].nid);
		if (cv->g == NULL)
			return (-1);
		cv->n = EC_GROUP_get0_order(cv->g);
		cv->pub = EC_POINT_new(cv->g);
		cv->peer = EC_POINT_new(cv->g);
		if (cv->n == NULL || cv->pub == NULL || cv->peer == NULL)
			return (-1);
	}
	return (0);
}

void
ecp_free(struct crypto *c)
{
	size_t	i;

	for (i = 0; i < NECS; i++) {
		EC_POINT_clear_free(c->curve[i].pub);
		EC_POINT_clear_free(c->curve[i].peer);
		EC_GROUP_free(c->curve[i].g);
	}
}

static struct curve *
curve_of(struct crypto *c, uint16_t group)
{
	size_t	i;

	for (i = 0; i < NECS; i++)
		if (c->curve[i].group == group)
			return (&c->curve[i]);
	return (NULL);
}

/*
 * A scalar in [1, n-1] or refused (the caller draws again), which keeps it
 * uniform.  Only P-521's order is not a whole number of octets: its top
 * octet keeps one bit.
 */
static BIGNUM *
scalar(const struct curve *cv, const uint8_t *rnd, size_t n)
{
	uint8_t	 buf[KE_MAXPUB / 2];
	BIGNUM	*d;
	size_t	 excess = n * 8 - (size_t)BN_num_bits(cv->n);

	if (n > sizeof(buf) || excess > 7 || (d = BN_secure_new()) == NULL)
		return (NULL);
	memcpy(buf, rnd, n);
	buf[0] &= (uint8_t)(0xff >> excess);
	BN_set_flags(d, BN_FLG_CONSTTIME);
	if (BN_bin2bn(buf, (int)n, d) == NULL || BN_is_zero(d) ||
	    BN_cmp(d, cv->n) >= 0) {
		BN_clear_free(d);
		d = NULL;
	}
	crypto_wipe(buf, sizeof(buf));
	return (d);
}

/* The coordinates of p at full width; y may be NULL. */
static int
coordinates(struct crypto *c, const struct curve *cv, const EC_POINT *p,
    size_t width, uint8_t *x, uint8_t *y)
{
	BIGNUM	*bx, *by;
	int	 rv = -1;

	BN_CTX_start(c->bn);
	bx = BN_CTX_get(c->bn);
	by = BN_CTX_get(c->bn);
	if (by != NULL &&
	    !EC_POINT_is_at_infinity(cv->g, p) &&
	    crypto_ok(EC_POINT_get_affine_coordinates(cv->g, p, bx, by,
	    c->bn)) == 0 &&
	    BN_bn2binpad(bx, x, (int)width) == (int)width &&
	    (y == NULL || BN_bn2binpad(by, y, (int)width) == (int)width))
		rv = 0;
	if (by != NULL) {
		BN_clear(bx);
		BN_clear(by);
	}
	BN_CTX_end(c->bn);
	return (rv);
}

int
ecp_new(struct crypto *c, struct ke *k, const uint8_t *rnd, size_t n)
{
	struct curve	*cv = curve_of(c, k->xi->id);
	size_t		 width = k->publen / 2;

	if (cv == NULL || (k->priv = scalar(cv, rnd, n)) == NULL)
		return (-1);
	if (crypto_ok(EC_POINT_mul(cv->g, cv->pub, k->priv, NULL, NULL,
	    c->bn)) == -1)
		return (-1);
	return (coordinates(c, cv, cv->pub, width, k->pub, k->pub + width));
}

/* Coordinates below p and on the curve, or -1. */
static int
read_point(struct crypto *c, struct curve *cv, struct span peer)
{
	uint8_t	buf[1 + KE_MAXPUB];

	if (peer.len > KE_MAXPUB)
		return (-1);
	buf[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(buf + 1, peer.p, peer.len);
	if (crypto_ok(EC_POINT_oct2point(cv->g, cv->peer, buf, peer.len + 1,
	    c->bn)) == -1)
		return (-1);
	if (EC_POINT_is_at_infinity(cv->g, cv->peer))
		return (-1);
	return (crypto_ok(EC_POINT_is_on_curve(cv->g, cv->peer, c->bn)));
}

int
ecp_derive(struct crypto *c, struct ke *k, struct span peer, uint8_t *secret)
{
	struct curve	*cv = curve_of(c, k->xi->id);
	EC_POINT	*s;
	int		 rv = -1;

	if (cv == NULL || read_point(c, cv, peer) == -1 ||
	    (s = EC_POINT_new(cv->g)) == NULL)
		return (-1);
	if (crypto_ok(EC_POINT_mul(cv->g, s, NULL, cv->peer, k->priv,
	    c->bn)) == 0)
		rv = coordinates(c, cv, s, k->xi->secretlen, secret, NULL);
	EC_POINT_clear_free(s);
	return (rv);
}
