/* SPDX-License-Identifier: ISC */
/* What malloc(3) has given out, asked of the system's allocator. */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <stddef.h>

/* Bytes in use now, the allocator's own headers included; 0 where it cannot tell. */
size_t	heap_used(void);

#endif
