/* SPDX-License-Identifier: ISC */
/* One JSON object a line, written into a bounded buffer with proper escaping. */
#ifndef PROC_JSON_H
#define PROC_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/ts.h"

#define JSON_LINEMAX	8192		/* LF included */

struct json {
	char	b[JSON_LINEMAX];
	size_t	len;
	int	err;			/* sticky: did not fit */
	int	comma;
};

void	json_begin(struct json *);			/* { */
/* } and LF.  The line's length, or 0 when it did not fit. */
size_t	json_end(struct json *);
/* s: octets that are not UTF-8 are replaced, so that a line is always JSON. */
void	json_str(struct json *, const char *key, const char *s);
void	json_u64(struct json *, const char *key, uint64_t);
void	json_bool(struct json *, const char *key, int);
void	json_hex(struct json *, const char *key, uint64_t, int digits);	/* "0x..." */
void	json_tenth(struct json *, const char *key, uint64_t tenths);	/* 12.3 */
void	json_addr(struct json *, const char *key, const struct addr *);
void	json_prefix(struct json *, const char *key, const struct prefix *);
void	json_octets(struct json *, const char *key, const uint8_t *, size_t n);	/* [1,2] */
void	json_tslist(struct json *, const char *key, const struct tslist *);
/* Octets of the UTF-8 sequence that starts at s, 0 when it is none (RFC 3629 4). */
size_t	json_utf8(const unsigned char *s);

#endif
