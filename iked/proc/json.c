/* SPDX-License-Identifier: ISC */
/* Writing JSON lines. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proc/json.h"

static void	put(struct json *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static void
put(struct json *j, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (j->err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(j->b + j->len, sizeof(j->b) - j->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(j->b) - j->len)
		j->err = 1;
	else
		j->len += (size_t)n;
}

size_t
json_utf8(const unsigned char *s)
{
	size_t i, n;

	if (s[0] < 0x80)
		return (1);
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return (0);
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return (0);
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return (0);
	return (n);
}

static void
put_string(struct json *j, const char *str)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t n;

	put(j, "\"");
	for (; *s != '\0'; s += n) {
		n = json_utf8(s);
		if (n == 0) {
			n = 1;
			put(j, "\\ufffd");
		} else if (*s == '"' || *s == '\\')
			put(j, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			put(j, "\\u%04x", *s);
		else
			put(j, "%.*s", (int)n, (const char *)s);
	}
	put(j, "\"");
}

static void
put_key(struct json *j, const char *key)
{
	put(j, "%s\"%s\":", j->comma ? "," : "", key);
	j->comma = 1;
}

void
json_begin(struct json *j)
{
	j->len = 0;
	j->err = 0;
	j->comma = 0;
	put(j, "{");
}

size_t
json_end(struct json *j)
{
	put(j, "}\n");
	return (j->err ? 0 : j->len);
}

void
json_str(struct json *j, const char *key, const char *s)
{
	put_key(j, key);
	put_string(j, s);
}

/* Readers know 63 bits at most (jansson refuses the whole line): more is cut to that. */
void
json_u64(struct json *j, const char *key, uint64_t v)
{
	put_key(j, key);
	put(j, "%" PRIu64, v > INT64_MAX ? INT64_MAX : v);
}

void
json_bool(struct json *j, const char *key, int v)
{
	put_key(j, key);
	put(j, "%s", v ? "true" : "false");
}

void
json_hex(struct json *j, const char *key, uint64_t v, int digits)
{
	put_key(j, key);
	put(j, "\"0x%0*" PRIx64 "\"", digits, v);
}

void
json_tenth(struct json *j, const char *key, uint64_t tenths)
{
	put_key(j, key);
	put(j, "%" PRIu64 ".%u", tenths / 10, (unsigned)(tenths % 10));
}

void
json_addr(struct json *j, const char *key, const struct addr *a)
{
	char s[ADDR_STRLEN];

	json_str(j, key, addr_str(a, s));
}

void
json_prefix(struct json *j, const char *key, const struct prefix *p)
{
	char s[PREFIX_STRLEN];

	json_str(j, key, prefix_str(p, s));
}

void
json_octets(struct json *j, const char *key, const uint8_t *v, size_t n)
{
	size_t i;

	put_key(j, key);
	put(j, "[");
	for (i = 0; i < n; i++)
		put(j, "%s%u", i > 0 ? "," : "", v[i]);
	put(j, "]");
}

void
json_tslist(struct json *j, const char *key, const struct tslist *l)
{
	char s[TS_STRLEN];
	size_t i;

	put_key(j, key);
	put(j, "[");
	for (i = 0; i < l->n; i++) {
		put(j, "%s", i > 0 ? "," : "");
		put_string(j, ts_str(&l->t[i], s));
	}
	put(j, "]");
}
