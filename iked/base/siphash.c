/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4, a keyed hash for short inputs, from its paper: J.-P. Aumasson,
 * D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.  The BSD kernels have it,
 * their C libraries and glibc have not.
 */

#include "base/siphash.h"

static uint64_t
rotl(uint64_t x, unsigned int n)
{
	return ((x << n) | (x >> (64 - n)));
}

static void
rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

/* Up to 8 octets, little endian */
static uint64_t
le64(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	while (n-- > 0)
		x = x << 8 | p[n];
	return (x);
}

uint64_t
siphash24(const uint8_t key[SIPHASH_KEYLEN], const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t k0 = le64(key, 8), k1 = le64(key + 8, 8), m, v[4];
	size_t left;

	v[0] = k0 ^ 0x736f6d6570736575ULL;
	v[1] = k1 ^ 0x646f72616e646f6dULL;
	v[2] = k0 ^ 0x6c7967656e657261ULL;
	v[3] = k1 ^ 0x7465646279746573ULL;
	for (left = len; left >= 8; left -= 8, p += 8) {
		m = le64(p, 8);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	m = le64(p, left) | (uint64_t)(len & 0xff) << 56;
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	rounds(v, 4);
	return (v[0] ^ v[1] ^ v[2] ^ v[3]);
}
