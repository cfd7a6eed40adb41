/* SPDX-License-Identifier: ISC */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEYLEN	16

/* Who has not the key can neither guess it nor what was hashed. */
uint64_t	siphash24(const uint8_t key[SIPHASH_KEYLEN], const void *, size_t);

#endif
