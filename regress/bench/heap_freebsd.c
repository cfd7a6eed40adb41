/* SPDX-License-Identifier: ISC */
/* jemalloc: its statistics are as of the last epoch. */

#include <malloc_np.h>
#include <stdint.h>

#include "bench/heap.h"

size_t
heap_used(void)
{
	uint64_t epoch = 1;
	size_t n, len = sizeof(n);

	if (mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) != 0 ||
	    mallctl("stats.allocated", &n, &len, NULL, 0) != 0)
		return (0);
	return (n);
}
