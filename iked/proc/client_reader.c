/* SPDX-License-Identifier: ISC */
/* Octets of the control socket -> JSON objects, bounded and pure. */

#include <string.h>

#include "proc/client.h"

void
client_reader_init(struct client_reader *r)
{
	r->len = r->off = 0;
	r->bad = 0;
}

size_t
client_reader_feed(struct client_reader *r, const void *p, size_t n)
{
	if (r->bad)
		return (0);
	if (r->off > 0) {
		memmove(r->buf, r->buf + r->off, r->len - r->off);
		r->len -= r->off;
		r->off = 0;
	}
	if (n > sizeof(r->buf) - r->len)
		n = sizeof(r->buf) - r->len;
	if (n > 0)
		memcpy(r->buf + r->len, p, n);
	r->len += n;
	return (n);
}

int
client_reader_next(struct client_reader *r, json_t **obj)
{
	const char *line = r->buf + r->off, *lf;
	size_t n = r->len - r->off;

	*obj = NULL;
	if (r->bad)
		return (-1);
	if (n == 0)
		return (0);
	if ((lf = memchr(line, '\n', n)) == NULL) {
		if (n < sizeof(r->buf))
			return (0);
		r->bad = 1;	/* a line longer than any we accept */
		return (-1);
	}
	n = (size_t)(lf - line);
	r->off += n + 1;
	*obj = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	if (*obj != NULL && json_is_object(*obj))
		return (1);
	json_decref(*obj);
	*obj = NULL;
	r->bad = 1;
	return (-1);
}
