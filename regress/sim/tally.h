/* SPDX-License-Identifier: ISC */
/*
 * Counts what malloc and its kin have given and not got back.  Included once by a test that
 * is linked with --wrap of each of them.
 */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include <stdlib.h>
#include <string.h>

static long	tally_held;

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
void	*__real_recallocarray(void *, size_t, size_t, size_t);
char	*__real_strdup(const char *);
void	 __real_free(void *);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
void	*__wrap_recallocarray(void *, size_t, size_t, size_t);
char	*__wrap_strdup(const char *);
void	 __wrap_free(void *);

void *
__wrap_malloc(size_t n)
{
	void	*p = __real_malloc(n);

	tally_held += p != NULL;
	return (p);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void	*p = __real_calloc(n, size);

	tally_held += p != NULL;
	return (p);
}

void *
__wrap_realloc(void *old, size_t n)
{
	void	*p = __real_realloc(old, n);

	tally_held += old == NULL && p != NULL;
	return (p);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	void	*p = __real_reallocarray(old, n, size);

	tally_held += old == NULL && p != NULL;
	return (p);
}

void *
__wrap_recallocarray(void *old, size_t oldn, size_t n, size_t size)
{
	void	*p = __real_recallocarray(old, oldn, n, size);

	tally_held += old == NULL && p != NULL;
	return (p);
}

char *
__wrap_strdup(const char *s)
{
	char	*p = __real_strdup(s);

	tally_held += p != NULL;
	return (p);
}

void
__wrap_free(void *p)
{
	tally_held -= p != NULL;
	__real_free(p);
}

#endif
