/* SPDX-License-Identifier: ISC */
/* What a program may find out of the machine it runs on, the same way everywhere. */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "doctor.h"

#define KNOCK_MS	500
#define KNOCKS		5	/* kernels send about one ICMP error a second to a host */

static socklen_t
to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (a->fam == ADDR_V4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->b, 4);
		return (sizeof(*in));
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	return (sizeof(*in6));
}

static int
from_sockaddr(const struct sockaddr *sa, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	if (sa != NULL && sa->sa_family == AF_INET) {
		a->fam = ADDR_V4;
		memcpy(a->b, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return (1);
	}
	if (sa != NULL && sa->sa_family == AF_INET6) {
		a->fam = ADDR_V6;
		memcpy(a->b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
		return (1);
	}
	return (0);
}

/* A datagram socket whose other end is that one: -1 and errno. */
static int
towards(const struct addr *remote, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = to_sockaddr(remote, port, &ss);
	int fd, saved;

	if ((fd = socket(ss.ss_family, SOCK_DGRAM, 0)) == -1)
		return (-1);
	if (connect(fd, (struct sockaddr *)&ss, len) == 0)
		return (fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (-1);
}

int
host_source(const struct addr *remote, struct addr *source)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd, r;

	memset(source, 0, sizeof(*source));
	if ((fd = towards(remote, 500)) == -1)
		return (errno);
	r = getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    from_sockaddr((struct sockaddr *)&ss, source) ? 0 : EIO;
	(void)close(fd);
	return (r);
}

int
host_has(const struct addr *want, char dev[64])
{
	struct ifaddrs *list, *i;
	struct addr a;
	int found = 0;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (i = list; i != NULL && !found; i = i->ifa_next)
		if (from_sockaddr(i->ifa_addr, &a) && addr_cmp(&a, want) == 0) {
			found = 1;
			(void)snprintf(dev, 64, "%s", i->ifa_name);
		}
	freeifaddrs(list);
	return (found);
}

/* "10.1.0.0/24", or an address; ranges and ports are not looked at: -1. */
static int
net_parse(const char *text, struct addr *net, unsigned int *bits)
{
	char copy[ADDR_STRLEN + 8];
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return (-1);
	(void)snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (addr_parse(net, copy) == -1)
		return (-1);
	*bits = slash != NULL ? (unsigned int)strtoul(slash, NULL, 10) :
	    net->fam == ADDR_V4 ? 32 : 128;
	return (*bits <= (net->fam == ADDR_V4 ? 32u : 128u) ? 0 : -1);
}

static int
in_net(const struct addr *a, const struct addr *net, unsigned int bits)
{
	unsigned int i;

	if (a->fam != net->fam)
		return (0);
	for (i = 0; i < bits; i++)
		if (((a->b[i / 8] ^ net->b[i / 8]) & 0x80 >> i % 8) != 0)
			return (0);
	return (1);
}

int
host_inside(const json_t *nets, struct addr *which, char dev[64])
{
	struct ifaddrs *list, *i;
	struct addr net;
	unsigned int bits;
	size_t k;
	int found = 0, known = 0;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (k = 0; k < json_array_size(nets) && !found; k++) {
		if (net_parse(json_string_value(json_array_get(nets, k)), &net, &bits) == -1)
			continue;
		known = 1;
		for (i = list; i != NULL && !found; i = i->ifa_next)
			if (from_sockaddr(i->ifa_addr, which) && in_net(which, &net, bits)) {
				found = 1;
				(void)snprintf(dev, 64, "%s", i->ifa_name);
			}
	}
	freeifaddrs(list);
	return (found ? 1 : known ? 0 : -1);
}

/* An IKE header, nothing more, of version 3: "MUST ... send an unauthenticated Notify
 * message of type INVALID_MAJOR_VERSION" (RFC 7296 2.5).  On port 4500 behind a non-ESP
 * marker (RFC 3948 2.2). */
static size_t
knock_message(uint16_t port, uint8_t msg[32])
{
	struct wbuf b;

	wbuf_init(&b, msg, 32);
	if (port != 500)
		wbuf_u32(&b, 0);
	wbuf_u32(&b, 0x646f6374);
	wbuf_u32(&b, 0x6f720000 | (uint32_t)(getpid() & 0xffff));
	wbuf_u32(&b, 0);
	wbuf_u32(&b, 0);
	wbuf_u8(&b, 0);
	wbuf_u8(&b, 0x30);
	wbuf_u8(&b, 34);		/* IKE_SA_INIT */
	wbuf_u8(&b, 0x08);		/* from the initiator */
	wbuf_u32(&b, 0);
	wbuf_u32(&b, 28);
	return (b.len);
}

int
host_knock(const struct addr *remote, uint16_t port)
{
	struct pollfd p = { .events = POLLIN };
	uint8_t msg[32], in[512];
	size_t len = knock_message(port, msg);
	int i, r = ETIMEDOUT;

	if ((p.fd = towards(remote, port)) == -1)
		return (errno);
	for (i = 0; i < KNOCKS && r == ETIMEDOUT; i++) {
		if (send(p.fd, msg, len, 0) == -1) {
			r = errno;
			break;
		}
		if (poll(&p, 1, KNOCK_MS) <= 0)
			continue;
		r = recv(p.fd, in, sizeof(in), 0) == -1 ? errno : 0;
	}
	(void)close(p.fd);
	return (r);
}
