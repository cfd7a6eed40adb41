/* SPDX-License-Identifier: ISC */
/* HTTP, as far as a probe needs it (RFC 9112): octet by octet, nothing is kept. */

#include <stdio.h>
#include <string.h>

#include "keepalive/http.h"

#define HTTP_PORT	80
#define STATUSLEN	13	/* HTTP/1.1 200 and one more */

/* Below STATUSLEN: so many octets of the status line have been read. */
enum {
	S_REASON = STATUSLEN,	/* to the end of the status line */
	S_LINE,			/* at the beginning of a field */
	S_NAME,			/* in its name */
	S_VALUE,
	S_END			/* CR of the empty line */
};

void
http_build(struct wbuf *w, const struct addr *host, uint16_t port, const char *path)
{
	char s[HTTP_REQUESTMAX], a[ADDR_STRLEN], p[8] = "";
	int n, v6 = host->fam == ADDR_V6;

	if (port != HTTP_PORT)
		(void)snprintf(p, sizeof(p), ":%u", port);
	n = snprintf(s, sizeof(s), "GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\n"
	    "User-Agent: netwatchd\r\nConnection: close\r\n\r\n", path,
	    v6 ? "[" : "", addr_str(host, a), v6 ? "]" : "", p);
	if (n < 0 || (size_t)n >= sizeof(s))
		wbuf_fail(w);
	else
		wbuf_bytes(w, s, (size_t)n);
}

static int
digit(uint8_t c)
{
	return (c >= '0' && c <= '9');
}

/* tchar of RFC 9110 5.6.2 */
static int
token(uint8_t c)
{
	return (digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL));
}

/* HTTP/1.1 200 and then a blank, or already the end of the line. */
static int
status_line(struct http_reader *h, uint8_t c)
{
	static const char form[] = "HTTP/1.d ddd";
	uint8_t i = h->state++;

	if (i < STATUSLEN - 1) {
		if (form[i] == 'd' ? !digit(c) : c != (uint8_t)form[i])
			return (-1);
		if (i > 8)
			h->status = (uint16_t)(h->status * 10 + (c - '0'));
		return (0);
	}
	if (h->status < 100 || h->status > 599)
		return (-1);
	if (c == '\n')
		h->state = S_LINE;
	return (c == ' ' || c == '\r' || c == '\n' ? 0 : -1);
}

/* The end of a line may lack its CR (RFC 9112 2.2). */
static int
field(struct http_reader *h, uint8_t c)
{
	switch (h->state) {
	case S_LINE:
		if (c == '\n')
			return (1);
		if (c == '\r')
			h->state = S_END;
		else if (c == ' ' || c == '\t')
			h->state = S_VALUE;	/* goes on from the line above */
		else if (token(c))
			h->state = S_NAME;
		else
			return (-1);
		return (0);
	case S_NAME:
		if (c == ':')
			h->state = S_VALUE;
		return (c == ':' || token(c) ? 0 : -1);
	case S_END:
		return (c == '\n' ? 1 : -1);
	default:	/* S_REASON, S_VALUE */
		if (c == '\n')
			h->state = S_LINE;
		return (c == '\n' || c == '\r' || c == '\t' ||
		    (c >= ' ' && c != 0x7f) ? 0 : -1);
	}
}

int
http_feed(struct http_reader *h, const void *p, size_t len, const char **why)
{
	struct rbuf r;
	uint8_t c;
	int rv = 0;

	rbuf_init(&r, p, len);
	while (rv == 0 && rbuf_left(&r) > 0) {
		if (h->n++ == HTTP_HEADMAX) {
			*why = "the head of its answer is too long";
			return (-1);
		}
		c = rbuf_u8(&r);
		rv = h->state < STATUSLEN ? status_line(h, c) : field(h, c);
	}
	if (rv == -1)
		*why = "its answer is not HTTP";
	return (rv);
}
