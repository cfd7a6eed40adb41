/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP on FreeBSD.  A raw IPv4 socket takes its source from what it is
 * bound to, or from the header we write (IP_HDRINCL); ip_output looks the
 * policy up on the finished packet, so the header decides.  The stack fills in
 * the identification and the checksum.  IPv6 has IPV6_PKTINFO (RFC 3542 6.2).
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/icmp6.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "keepalive/icmp_sock.h"

#define RCVBUF		(1024 * 1024)
#define PACKET_MAX	256
#define IP4_HDRLEN	20
#define TTL		64

int
icmp_sock_open(enum addr_family fam)
{
	struct icmp6_filter f6;
	int fd, size = RCVBUF, on = 1, saved, r;

	fd = socket(fam == ADDR_V4 ? AF_INET : AF_INET6, SOCK_RAW |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, fam == ADDR_V4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);
	if (fd == -1)
		return (-1);
	if (fam == ADDR_V4)
		r = setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on));
	else {
		ICMP6_FILTER_SETBLOCKALL(&f6);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f6);
		r = setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f6,
		    sizeof(f6));
	}
	if (r == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return (fd);
}

static size_t
packet4(uint8_t *buf, size_t cap, const struct addr *src,
    const struct addr *dst, const uint8_t *msg, size_t len)
{
	struct wbuf w;

	wbuf_init(&w, buf, cap);
	wbuf_u8(&w, 0x45);
	wbuf_u8(&w, 0);
	/* Network order since FreeBSD 11. */
	wbuf_u16(&w, (uint16_t)(IP4_HDRLEN + len));
	wbuf_u32(&w, 0);		/* identification, no fragment */
	wbuf_u8(&w, TTL);
	wbuf_u8(&w, IPPROTO_ICMP);
	wbuf_u16(&w, 0);
	wbuf_bytes(&w, src->b, 4);
	wbuf_bytes(&w, dst->b, 4);
	wbuf_bytes(&w, msg, len);
	return (wbuf_ok(&w) ? w.len : 0);
}

int
icmp_sock_send(int fd, const struct addr *src, const struct addr *dst,
    const uint8_t *msg, size_t len)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} ctl;
	struct in6_pktinfo i6;
	struct endpoint to = { .addr = *dst };
	struct sockaddr_storage ss;
	uint8_t buf[PACKET_MAX];
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr mh;
	struct cmsghdr *c;
	ssize_t n;

	if ((src->fam != ADDR_V4 && src->fam != ADDR_V6) ||
	    src->fam != dst->fam || addr_is_any(src) || len > sizeof(buf))
		return (EINVAL);
	memset(&mh, 0, sizeof(mh));
	mh.msg_namelen = addr_to_sockaddr(&to, &ss);
	mh.msg_name = &ss;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	if (src->fam == ADDR_V4) {
		iov.iov_len = packet4(buf, sizeof(buf), src, dst, msg, len);
		if (iov.iov_len == 0)
			return (EINVAL);
	} else {
		memcpy(buf, msg, len);
		memset(&ctl, 0, sizeof(ctl));
		memset(&i6, 0, sizeof(i6));
		memcpy(&i6.ipi6_addr, src->b, 16);
		mh.msg_control = &ctl;
		mh.msg_controllen = sizeof(ctl);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(i6));
		memcpy(CMSG_DATA(c), &i6, sizeof(i6));
	}
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
