/* SPDX-License-Identifier: ISC */
/*
 * Reads regress/data's text form of vectors: records of "key = value" lines,
 * parted by empty lines; '#' begins a comment.  Anything wrong with a file
 * fails the test that reads it.
 */
#ifndef UNIT_VEC_H
#define UNIT_VEC_H

#include <atf-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define VEC_FIELDS	32

struct vec {
	FILE	*f;
	size_t	 n;
	char	*key[VEC_FIELDS];
	char	*val[VEC_FIELDS];
	uint8_t	*bin[VEC_FIELDS];
};

static inline void
vec_open(struct vec *v, const char *name)
{
	char	path[1024];

	memset(v, 0, sizeof(*v));
	snprintf(path, sizeof(path), "%s/%s", REGRESS_DATA, name);
	if ((v->f = fopen(path, "r")) == NULL)
		atf_tc_fail("%s: cannot open", path);
}

static inline void
vec_clear(struct vec *v)
{
	while (v->n > 0) {
		v->n--;
		free(v->key[v->n]);
		free(v->val[v->n]);
		free(v->bin[v->n]);
		v->bin[v->n] = NULL;
	}
}

static inline void
vec_line(struct vec *v, char *line)
{
	char	*eq, *val;

	if (v->n == VEC_FIELDS || (eq = strstr(line, " =")) == NULL)
		atf_tc_fail("bad vector line: %.40s", line);
	val = eq + 2;
	val += strspn(val, " ");
	*eq = '\0';
	v->key[v->n] = strdup(line);
	v->val[v->n] = strdup(val);
	ATF_REQUIRE(v->key[v->n] != NULL && v->val[v->n] != NULL);
	v->n++;
}

/* 1: a record, 0: the end of the file (which is closed). */
static inline int
vec_next(struct vec *v)
{
	char	*line = NULL;
	size_t	 cap = 0;

	vec_clear(v);
	while (getline(&line, &cap, v->f) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (line[0] != '\0')
			vec_line(v, line);
		else if (v->n > 0)
			break;
	}
	free(line);
	if (v->n > 0)
		return (1);
	fclose(v->f);
	return (0);
}

static inline int
vec_find(const struct vec *v, const char *key)
{
	size_t	i;

	for (i = 0; i < v->n; i++)
		if (strcmp(v->key[i], key) == 0)
			return ((int)i);
	return (-1);
}

static inline const char *
vec_str(const struct vec *v, const char *key)
{
	int	i = vec_find(v, key);

	if (i == -1)
		atf_tc_fail("no %s in a record", key);
	return (v->val[i]);
}

static inline unsigned
vec_int(const struct vec *v, const char *key)
{
	return ((unsigned)strtoul(vec_str(v, key), NULL, 10));
}

/* Hex octets; good until the next vec_next(). */
static inline struct span
vec_hex(struct vec *v, const char *key)
{
	int		i = vec_find(v, key);
	size_t		n, k;
	unsigned	b;

	if (i == -1)
		atf_tc_fail("no %s in a record", key);
	n = strlen(v->val[i]) / 2;
	if (v->bin[i] == NULL) {
		/* exactly as long, for the address sanitizer; never NULL */
		if ((v->bin[i] = malloc(n > 0 ? n : 1)) == NULL)
			atf_tc_fail("out of memory");
		for (k = 0; k < n; k++) {
			if (sscanf(v->val[i] + 2 * k, "%2x", &b) != 1)
				atf_tc_fail("bad hex in %s", key);
			v->bin[i][k] = (uint8_t)b;
		}
	}
	return ((struct span){ v->bin[i], n });
}

static inline uint64_t
vec_u64(struct vec *v, const char *key)
{
	return (strtoull(vec_str(v, key), NULL, 16));
}

/* That the span s of a record is the n octets at got. */
#define VEC_EQ(v, s, got, n)						\
	ATF_CHECK_MSG((s).len == (size_t)(n) &&				\
	    memcmp((s).p, (got), (s).len) == 0,				\
	    "%s: %s differs", vec_str((v), "id"), #s)

#endif
