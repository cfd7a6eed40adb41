/* SPDX-License-Identifier: ISC */
/* A GET to a web server and the head of its answer.  Pure. */
#ifndef KEEPALIVE_HTTP_H
#define KEEPALIVE_HTTP_H

#include "base/addr.h"
#include "base/buf.h"

#define HTTP_REQUESTMAX	512
#define HTTP_HEADMAX	8192	/* octets of status line and header fields */

void	http_build(struct wbuf *, const struct addr *host, uint16_t port,
	    const char *path);

/* What has been read so far; all zero at the beginning.  The body is never read. */
struct http_reader {
	uint16_t	status;		/* when the head is complete: 100 to 599 */
	uint16_t	n;		/* octets */
	uint8_t		state;
};
/* The next octets.  1: the head is complete; 0: it goes on; -1: it is none, *why says so. */
int	http_feed(struct http_reader *, const void *, size_t, const char **why);

#endif
