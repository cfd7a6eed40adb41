/* SPDX-License-Identifier: ISC */
/* Wildcard UDP sockets with packet info. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/udp.h"

#define UDP_SOCKBUF	(1024 * 1024)	/* bursts of many peers at once */

static int
udp_setup(int fd, enum addr_family fam, uint16_t port)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;
	struct endpoint any;
	socklen_t len;
	int on = 1, buf = UDP_SOCKBUF;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf, sizeof(buf));
	memset(&any, 0, sizeof(any));
	any.addr.fam = (uint8_t)fam;
	any.port = port;
	len = addr_to_sockaddr(&any, &ss);
	if (fam == ADDR_V4) {
		sin->sin_addr.s_addr = INADDR_ANY;
		if (udp4_info_on(fd) == -1)
			return (-1);
	} else {
		sin6->sin6_addr = in6addr_any;
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on)) == -1 ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
		    sizeof(on)) == -1)
			return (-1);
	}
	(void)udp_errors_on(fd, fam);	/* evidence, no more */
	return (bind(fd, (struct sockaddr *)&ss, len));
}

int
udp_open(enum addr_family fam, uint16_t port)
{
	int fd, saved;

	fd = socket(fam == ADDR_V4 ? AF_INET : AF_INET6,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	if (udp_setup(fd, fam, port) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

int
udp_local(struct msghdr *mh, struct addr *a)
{
	struct in6_pktinfo pi;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == IPPROTO_IP && udp4_info_get(c, a) == 0)
			return (0);
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO &&
		    c->cmsg_len >= CMSG_LEN(sizeof(pi))) {
			memcpy(&pi, CMSG_DATA(c), sizeof(pi));
			return (addr_from_bytes(a, pi.ipi6_addr.s6_addr, 16));
		}
	}
	return (-1);
}

void
udp_from(struct msghdr *mh, const struct addr *a)
{
	struct in6_pktinfo pi;
	struct cmsghdr *c;

	if (addr_is_any(a)) {
		mh->msg_control = NULL;
		mh->msg_controllen = 0;
		return;
	}
	memset(mh->msg_control, 0, UDP_CMSGLEN);
	mh->msg_controllen = UDP_CMSGLEN;
	c = CMSG_FIRSTHDR(mh);
	if (a->fam == ADDR_V4) {
		mh->msg_controllen = udp4_info_put(c, a);
		return;
	}
	memset(&pi, 0, sizeof(pi));
	memcpy(pi.ipi6_addr.s6_addr, a->b, 16);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(pi));
	memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	mh->msg_controllen = CMSG_SPACE(sizeof(pi));
}
