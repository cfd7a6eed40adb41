/* SPDX-License-Identifier: ISC */
/* glibc: mallinfo2(3). */

#include <malloc.h>

#include "bench/heap.h"

size_t
heap_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return (m.uordblks + m.hblkhd);
}
