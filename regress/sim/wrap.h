/* SPDX-License-Identifier: ISC */
/*
 * malloc and its kin in a test that lets them fail.  Included once, behind the test's own
 * fails(): not 0 when this allocation is to fail.  The test is linked with
 * -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray.
 */
#ifndef SIM_WRAP_H
#define SIM_WRAP_H

#include <stddef.h>

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);

void *
__wrap_malloc(size_t n)
{
	return (fails() ? NULL : __real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return (fails() ? NULL : __real_calloc(n, size));
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return (fails() ? NULL : __real_reallocarray(p, n, size));
}

#endif
