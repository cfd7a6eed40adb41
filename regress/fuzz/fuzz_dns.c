/* SPDX-License-Identifier: ISC */
/*
 * What a name server sends to whom asked for www.example.net: an answer that is taken has
 * the question in it, so with one bit of that changed it is none.
 */

#include <stdlib.h>
#include <string.h>

#include "keepalive/dns.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char name[] = "www.example.net";
	uint8_t *copy;
	size_t i;

	if (!dns_answers(data, len, 0x1234, name, 1))
		return (0);
	if (len < 33 || (copy = malloc(len)) == NULL)
		abort();
	memcpy(copy, data, len);
	for (i = 0; i < 33; i++) {
		/* flags and counts of records may be others */
		if (i >= 2 && i < 4)
			continue;
		if (i >= 6 && i < 12)
			continue;
		copy[i] ^= 0x10;
		if (dns_answers(copy, len, 0x1234, name, 1))
			abort();
		copy[i] ^= 0x10;
	}
	free(copy);
	return (0);
}
