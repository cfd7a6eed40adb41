/* SPDX-License-Identifier: ISC */
/* PF_KEY messages in the dialect of FreeBSD. */

#include "pfkey_common.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	return (fuzz_pfkey(&pfkey_freebsd, p, len));
}
