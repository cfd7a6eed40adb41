/* SPDX-License-Identifier: ISC */
/* What a program may find out of the machine it runs on, the same way everywhere. */

#include <sys/socket.h>

#include <errno.h>
#include <ifaddrs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "doctor.h"
#include "proc/udp.h"

#define KNOCK_MS	500
#define POKE_PORT	33434	/* traceroute's: nobody should listen there */
#define KNOCKS		5	/* kernels send about one ICMP error a second to a host */

static int
from_sockaddr(const struct sockaddr *sa, struct addr *a)
{
	struct endpoint ep;

	if (sa == NULL || addr_from_sockaddr(&ep, sa, sizeof(struct sockaddr_storage)) == -1)
		return (0);
	*a = ep.addr;
	return (1);
}

/* A datagram socket whose other end is that one: -1 and errno. */
static int
towards(const struct addr *remote, uint16_t port)
{
	struct endpoint ep = { .addr = *remote, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ep, &ss);
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

int
host_inside(const json_t *nets, struct addr *which, char dev[64])
{
	struct ifaddrs *list, *i;
	struct prefix net;
	size_t k;
	int found = 0, known = 0;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (k = 0; k < json_array_size(nets) && !found; k++) {
		/* ranges and ports are not looked at */
		if (prefix_parse(&net, json_string_value(json_array_get(nets, k))) == -1)
			continue;
		known = 1;
		for (i = list; i != NULL && !found; i = i->ifa_next)
			if (from_sockaddr(i->ifa_addr, which) &&
			    prefix_contains(&net, which)) {
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
host_knock(const struct addr *remote, uint16_t port, struct addr *by)
{
	struct pollfd p = { .events = POLLIN };
	struct icmp_said said;
	uint8_t msg[32], in[512];
	size_t len = knock_message(port, msg);
	int i, r = ETIMEDOUT;

	memset(by, 0, sizeof(*by));
	if ((p.fd = towards(remote, port)) == -1)
		return (errno);
	(void)udp_errors_on(p.fd, (enum addr_family)remote->fam);
	for (i = 0; i < KNOCKS && r == ETIMEDOUT; i++) {
		if (send(p.fd, msg, len, 0) == -1) {
			r = errno;
			break;
		}
		if (poll(&p, 1, KNOCK_MS) <= 0)
			continue;
		r = recv(p.fd, in, sizeof(in), 0) == -1 ? errno : 0;
	}
	if (r != 0 && udp_error(p.fd, &said))
		*by = said.by;
	(void)close(p.fd);
	return (r);
}

/* ---- through the tunnel */

int
host_poke_open(const struct addr *src, const struct addr *dst)
{
	struct endpoint from = { .addr = *src }, to = { .addr = *dst, .port = POKE_PORT };
	struct sockaddr_storage a, b;
	socklen_t alen = addr_to_sockaddr(&from, &a), blen = addr_to_sockaddr(&to, &b);
	int fd;

	if ((fd = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0)) == -1)
		return (-1);
	host_poke_whole(fd, src->fam == ADDR_V6);
	if (bind(fd, (struct sockaddr *)&a, alen) == 0 &&
	    connect(fd, (struct sockaddr *)&b, blen) == 0)
		return (fd);
	(void)close(fd);
	return (-1);
}

void
host_poke(int fd, unsigned int octets, int v6)
{
	static const uint8_t nothing[UINT16_MAX];
	unsigned int head = v6 ? 48 : 28;	/* IP and UDP */

	(void)send(fd, nothing, octets > head ? octets - head : 0, 0);
}

int
host_poked(int fd)
{
	socklen_t len = sizeof(int);
	int e = 0;
	char c;

	if (recv(fd, &c, 1, MSG_DONTWAIT) >= 0)
		return (1);
	if (errno == ECONNREFUSED)
		return (1);
	return (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0 && e == ECONNREFUSED);
}
