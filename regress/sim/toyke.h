/* SPDX-License-Identifier: ISC */
/*
 * A key exchange that costs nothing and is one all the same: Diffie-Hellman modulo
 * 2^31 - 1, in values of the real lengths.  Whoever takes the wrong value gets another
 * secret, or none.  Included once by a test that is linked with --wrap of the ke_ functions.
 */
#ifndef SIM_TOYKE_H
#define SIM_TOYKE_H

#include <stdlib.h>
#include <string.h>

#include "base/xform.h"
#include "crypto/crypto.h"

static int	toy_on;		/* 0: the real one still; crypto_new() tests itself */

#define TOY_P	((1ULL << 31) - 1)

struct ke {
	const struct xform_info	*xi;
	uint64_t		 x;
	uint8_t			 pub[KE_MAXPUB];
};

struct ke	*__real_ke_new(struct crypto *, uint16_t, const uint8_t *, size_t);
void		 __real_ke_free(struct ke *);
uint16_t	 __real_ke_group(const struct ke *);
struct span	 __real_ke_public(const struct ke *);
int		 __real_ke_derive(struct crypto *, struct ke *, struct span, uint8_t *,
		    size_t *);
struct ke	*__wrap_ke_new(struct crypto *, uint16_t, const uint8_t *, size_t);
void		 __wrap_ke_free(struct ke *);
uint16_t	 __wrap_ke_group(const struct ke *);
struct span	 __wrap_ke_public(const struct ke *);
int		 __wrap_ke_derive(struct crypto *, struct ke *, struct span, uint8_t *,
		    size_t *);

static uint64_t
toy_pow(uint64_t g, uint64_t x)
{
	uint64_t	r = 1;

	for (; x > 0; x >>= 1) {
		if (x & 1)
			r = r * g % TOY_P;
		g = g * g % TOY_P;
	}
	return (r);
}

/* A number in n octets, all of which depend on it. */
static void
toy_spread(uint64_t v, uint8_t *dst, size_t n)
{
	size_t		i;
	uint64_t	z = v;

	for (i = 0; i < n; i++) {
		if (i % 8 == 0 && i > 0)
			z = (z ^ z >> 31) * 0x94d049bb133111ebULL + 1;
		dst[i] = (uint8_t)(z >> 8 * (i % 8));
	}
}

struct ke *
__wrap_ke_new(struct crypto *c, uint16_t group, const uint8_t *rnd, size_t n)
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	struct ke		*k;

	if (!toy_on)
		return (__real_ke_new(c, group, rnd, n));
	if (xi == NULL || n != xi->privlen || n < 8 || xi->publen > KE_MAXPUB ||
	    (k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	k->xi = xi;
	memcpy(&k->x, rnd, 8);
	toy_spread(toy_pow(3, k->x), k->pub, xi->publen);
	return (k);
}

void
__wrap_ke_free(struct ke *k)
{
	if (toy_on)
		free(k);
	else
		__real_ke_free(k);
}

uint16_t
__wrap_ke_group(const struct ke *k)
{
	return (toy_on ? k->xi->id : __real_ke_group(k));
}

struct span
__wrap_ke_public(const struct ke *k)
{
	if (!toy_on)
		return (__real_ke_public(k));
	return ((struct span){ k->pub, k->xi->publen });
}

int
__wrap_ke_derive(struct crypto *c, struct ke *k, struct span peer, uint8_t *secret,
    size_t *len)
{
	uint8_t		whole[KE_MAXPUB];
	uint64_t	v = 0;
	size_t		i;

	if (!toy_on)
		return (__real_ke_derive(c, k, peer, secret, len));
	*len = 0;
	if (peer.len != k->xi->publen)
		return (-1);
	for (i = 0; i < 8; i++)
		v |= (uint64_t)peer.p[i] << 8 * i;
	toy_spread(v, whole, peer.len);
	if (v < 2 || v >= TOY_P || memcmp(whole, peer.p, peer.len) != 0)
		return (-1);
	toy_spread(toy_pow(v, k->x), secret, k->xi->secretlen);
	*len = k->xi->secretlen;
	return (0);
}

#endif
