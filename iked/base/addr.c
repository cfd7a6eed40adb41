/* SPDX-License-Identifier: ISC */
/* Addresses, endpoints and prefixes as plain values of either family. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "base/addr.h"

size_t
addr_len(const struct addr *a)
{
	switch (a->fam) {
	case ADDR_V4:
		return (4);
	case ADDR_V6:
		return (16);
	default:
		return (0);
	}
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->fam != b->fam)
		return (a->fam < b->fam ? -1 : 1);
	return (memcmp(a->b, b->b, addr_len(a)));
}

int
addr_is_any(const struct addr *a)
{
	size_t i, n = addr_len(a);

	for (i = 0; i < n; i++)
		if (a->b[i] != 0)
			return (0);
	return (1);
}

char *
addr_str(const struct addr *a, char dst[ADDR_STRLEN])
{
	int af = a->fam == ADDR_V4 ? AF_INET : AF_INET6;

	if (addr_len(a) == 0 ||
	    inet_ntop(af, a->b, dst, ADDR_STRLEN) == NULL)
		(void)snprintf(dst, ADDR_STRLEN, "any");
	return (dst);
}

char *
endpoint_str(const struct endpoint *e, char dst[ENDPOINT_STRLEN])
{
	char a[ADDR_STRLEN];
	int v6 = e->addr.fam == ADDR_V6;

	(void)snprintf(dst, ENDPOINT_STRLEN, "%s%s%s:%u", v6 ? "[" : "",
	    addr_str(&e->addr, a), v6 ? "]" : "", (unsigned int)e->port);
	return (dst);
}

char *
prefix_str(const struct prefix *p, char dst[PREFIX_STRLEN])
{
	char a[ADDR_STRLEN];

	if (addr_len(&p->addr) == 0)
		(void)snprintf(dst, PREFIX_STRLEN, "any");
	else
		(void)snprintf(dst, PREFIX_STRLEN, "%s/%u",
		    addr_str(&p->addr, a), (unsigned int)p->len);
	return (dst);
}

int
addr_parse(struct addr *a, const char *s)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, s, a->b) == 1) {
		a->fam = ADDR_V4;
		return (0);
	}
	memset(a->b, 0, sizeof(a->b));
	if (inet_pton(AF_INET6, s, a->b) == 1) {
		a->fam = ADDR_V6;
		return (0);
	}
	memset(a, 0, sizeof(*a));
	return (-1);
}

/* Clears every bit behind the first len ones. */
static void
addr_mask(struct addr *a, unsigned int len)
{
	size_t i, n = addr_len(a);

	for (i = 0; i < n; i++) {
		if (len >= 8)
			len -= 8;
		else {
			a->b[i] &= (uint8_t)(0xff00U >> len);
			len = 0;
		}
	}
}

/* One to three decimal digits and nothing else; 0 or -1. */
static int
parse_len(const char *s, unsigned int max, unsigned int *out)
{
	unsigned int v = 0, n = 0;

	for (; *s >= '0' && *s <= '9' && n < 3; s++, n++)
		v = v * 10 + (unsigned int)(*s - '0');
	if (n == 0 || *s != '\0' || v > max)
		return (-1);
	*out = v;
	return (0);
}

/* 10/8 and 10.1/16: the octets left out are zero, as inet_net_pton(3) has it. */
static void
complete_v4(char a[ADDR_STRLEN])
{
	const char *dot;
	int n = 3;

	if (strspn(a, "0123456789.") != strlen(a))
		return;
	for (dot = strchr(a, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		n--;
	for (; n > 0; n--)
		(void)strlcat(a, ".0", ADDR_STRLEN);
}

int
prefix_parse(struct prefix *p, const char *s)
{
	char a[ADDR_STRLEN];
	const char *slash;
	unsigned int len;
	size_t n;

	memset(p, 0, sizeof(*p));
	slash = strchr(s, '/');
	n = slash == NULL ? strlen(s) : (size_t)(slash - s);
	if (n >= sizeof(a))
		return (-1);
	memcpy(a, s, n);
	a[n] = '\0';
	if (slash != NULL)
		complete_v4(a);
	if (addr_parse(&p->addr, a) == -1)
		return (-1);
	len = (unsigned int)addr_len(&p->addr) * 8;
	if (slash != NULL && parse_len(slash + 1, len, &len) == -1) {
		memset(p, 0, sizeof(*p));
		return (-1);
	}
	p->len = (uint8_t)len;
	addr_mask(&p->addr, len);
	return (0);
}

int
prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr net;

	if (addr_len(a) == 0 || a->fam != p->addr.fam)
		return (0);
	net = *a;
	addr_mask(&net, p->len);
	return (addr_cmp(&net, &p->addr) == 0);
}

int
prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int c;

	if ((c = addr_cmp(&a->addr, &b->addr)) != 0)
		return (c);
	return ((a->len > b->len) - (a->len < b->len));
}

int
prefix_host(const struct prefix *p, uint32_t n, struct addr *out)
{
	struct addr a = p->addr;
	size_t i;
	uint64_t carry = n;

	for (i = addr_len(&a); i > 0 && carry != 0; i--) {
		carry += a.b[i - 1];
		a.b[i - 1] = (uint8_t)carry;
		carry >>= 8;
	}
	if (carry != 0 || !prefix_contains(p, &a))
		return (-1);
	*out = a;
	return (0);
}

int
endpoint_cmp(const struct endpoint *a, const struct endpoint *b)
{
	int c;

	if ((c = addr_cmp(&a->addr, &b->addr)) != 0)
		return (c);
	return ((a->port > b->port) - (a->port < b->port));
}

/*
 * The structures are copied out and in, for a sockaddr as it comes from the
 * system or from a buffer need not be aligned for its family's type.
 */
int
addr_from_sockaddr(struct endpoint *e, const struct sockaddr *sa,
    socklen_t len)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(e, 0, sizeof(*e));
	if (sa == NULL || len < offsetof(struct sockaddr, sa_data))
		return (-1);
	switch (sa->sa_family) {
	case AF_INET:
		if (len < sizeof(sin))
			return (-1);
		memcpy(&sin, sa, sizeof(sin));
		e->addr.fam = ADDR_V4;
		memcpy(e->addr.b, &sin.sin_addr, 4);
		e->port = ntohs(sin.sin_port);
		return (0);
	case AF_INET6:
		if (len < sizeof(sin6))
			return (-1);
		memcpy(&sin6, sa, sizeof(sin6));
		e->addr.fam = ADDR_V6;
		memcpy(e->addr.b, &sin6.sin6_addr, 16);
		e->port = ntohs(sin6.sin6_port);
		return (0);
	default:
		return (-1);
	}
}

socklen_t
addr_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(ss, 0, sizeof(*ss));
	memset(&sin, 0, sizeof(sin));
	memset(&sin6, 0, sizeof(sin6));
	switch (e->addr.fam) {
	case ADDR_V4:
		sin.sin_family = AF_INET;
		sin.sin_port = htons(e->port);
		memcpy(&sin.sin_addr, e->addr.b, 4);
#ifdef SIN6_LEN			/* BSD: sockaddrs know their length */
		sin.sin_len = sizeof(sin);
#endif
		memcpy(ss, &sin, sizeof(sin));
		return (sizeof(sin));
	case ADDR_V6:
		sin6.sin6_family = AF_INET6;
		sin6.sin6_port = htons(e->port);
		memcpy(&sin6.sin6_addr, e->addr.b, 16);
#ifdef SIN6_LEN
		sin6.sin6_len = sizeof(sin6);
#endif
		memcpy(ss, &sin6, sizeof(sin6));
		return (sizeof(sin6));
	default:
		return (0);
	}
}

int
addr_from_bytes(struct addr *a, const uint8_t *p, size_t n)
{
	memset(a, 0, sizeof(*a));
	if (p == NULL || (n != 4 && n != 16))
		return (-1);
	a->fam = n == 4 ? ADDR_V4 : ADDR_V6;
	memcpy(a->b, p, n);
	return (0);
}
