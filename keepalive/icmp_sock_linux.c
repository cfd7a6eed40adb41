/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP on Linux.  The source goes in IP_PKTINFO, because the routing decision, and
 * with it the policy lookup, takes it from there: with IP_HDRINCL a packet that carries
 * the right source in its header still leaves in clear.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/icmp6.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/icmp_sock.h"

#define RCVBUF		(4 * 1024 * 1024)
/* <linux/icmp.h> does not go together with <netinet/in.h>. */
#define ICMP4_FILTER	1
#define ECHO4_REPLY	0

static int
filter4(int fd)
{
	uint32_t blocked = ~(1U << ECHO4_REPLY);

	return (setsockopt(fd, SOL_RAW, ICMP4_FILTER, &blocked,
	    sizeof(blocked)));
}

static int
filter6(int fd)
{
	struct icmp6_filter f;

	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	return (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)));
}

int
icmp_sock_open(enum addr_family fam)
{
	int fd, size = RCVBUF, saved;

	fd = socket(fam == ADDR_V4 ? AF_INET : AF_INET6, SOCK_RAW |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, fam == ADDR_V4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);
	if (fd == -1)
		return (-1);
	if ((fam == ADDR_V4 ? filter4(fd) : filter6(fd)) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	/* Less is no failure, only less patience under a burst. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
		    sizeof(size));
	return (fd);
}

/* The control message that names the source; its length. */
static size_t
put_source(struct cmsghdr *c, const struct addr *src)
{
	struct in_pktinfo i4;
	struct in6_pktinfo i6;

	if (src->fam == ADDR_V4) {
		memset(&i4, 0, sizeof(i4));
		memcpy(&i4.ipi_spec_dst, src->b, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(i4));
		memcpy(CMSG_DATA(c), &i4, sizeof(i4));
		return (CMSG_SPACE(sizeof(i4)));
	}
	memset(&i6, 0, sizeof(i6));
	memcpy(&i6.ipi6_addr, src->b, 16);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(i6));
	memcpy(CMSG_DATA(c), &i6, sizeof(i6));
	return (CMSG_SPACE(sizeof(i6)));
}

int
icmp_sock_send(int fd, const struct addr *src, const struct addr *dst,
    const uint8_t *msg, size_t len)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} ctl;
	struct endpoint to = { .addr = *dst };
	struct sockaddr_storage ss;
	union { const uint8_t *in; void *out; } base = { .in = msg };
	struct iovec iov = { .iov_base = base.out, .iov_len = len };
	struct msghdr mh;
	ssize_t n;

	if ((src->fam != ADDR_V4 && src->fam != ADDR_V6) ||
	    src->fam != dst->fam || addr_is_any(src))
		return (EINVAL);
	memset(&ctl, 0, sizeof(ctl));
	memset(&mh, 0, sizeof(mh));
	mh.msg_namelen = addr_to_sockaddr(&to, &ss);
	mh.msg_name = &ss;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = &ctl;
	mh.msg_controllen = sizeof(ctl);
	mh.msg_controllen = put_source(CMSG_FIRSTHDR(&mh), src);
	do
		n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (n == -1 ? errno : 0);
}

ssize_t
icmp_sock_recv(int fd, uint8_t *buf, size_t cap, struct addr *from)
{
	struct sockaddr_storage ss;
	struct iovec iov = { .iov_base = buf, .iov_len = cap };
	struct msghdr mh;
	struct endpoint e;
	ssize_t n;

	memset(&mh, 0, sizeof(mh));
	memset(from, 0, sizeof(*from));
	mh.msg_name = &ss;
	mh.msg_namelen = sizeof(ss);
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	do
		n = recvmsg(fd, &mh, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (-1);
	if (addr_from_sockaddr(&e, (struct sockaddr *)&ss, mh.msg_namelen) == 0)
		*from = e.addr;
	return (mh.msg_flags & MSG_TRUNC ? 0 : n);
}
