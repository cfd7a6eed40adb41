/* SPDX-License-Identifier: ISC */
/* What a web server sends: the same is said of it in whatever pieces it comes. */

#include <stdlib.h>
#include <string.h>

#include "keepalive/http.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
feed(const uint8_t *p, size_t len, size_t piece, unsigned int *status)
{
	struct http_reader h;
	const char *why = NULL;
	size_t n;
	int rv = 0;

	memset(&h, 0, sizeof(h));
	for (; rv == 0 && len > 0; p += n, len -= n) {
		n = piece < len ? piece : len;
		rv = http_feed(&h, p, n, &why);
	}
	if ((rv == -1) != (why != NULL) ||
	    (rv == 1 && (h.status < 100 || h.status > 599)))
		abort();
	*status = h.status;
	return (rv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int a, b, c;

	if (feed(data, len, len, &a) != feed(data, len, 1, &b) ||
	    feed(data, len, 7, &c) != feed(data, len, 64, &c) || a != b || a != c)
		abort();
	return (0);
}
