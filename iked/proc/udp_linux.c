/* SPDX-License-Identifier: ISC */
/* Linux: IP_PKTINFO tells and sets the local address of a packet, IP_RECVERR has errors of
 * ICMP kept for who asks. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <linux/errqueue.h>

#include <string.h>

#include "proc/udp.h"

int
udp4_info_on(int fd)
{
	int on = 1;

	return (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)));
}

int
udp4_info_get(const struct cmsghdr *c, struct addr *a)
{
	struct in_pktinfo pi;

	if (c->cmsg_type != IP_PKTINFO || c->cmsg_len < CMSG_LEN(sizeof(pi)))
		return (-1);
	memcpy(&pi, CMSG_DATA(c), sizeof(pi));
	return (addr_from_bytes(a, (const uint8_t *)&pi.ipi_spec_dst, 4));
}

size_t
udp4_info_put(struct cmsghdr *c, const struct addr *a)
{
	struct in_pktinfo pi;

	memset(&pi, 0, sizeof(pi));
	memcpy(&pi.ipi_spec_dst, a->b, 4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(pi));
	memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	return (CMSG_SPACE(sizeof(pi)));
}

int
udp_errors_on(int fd, enum addr_family fam)
{
	int on = 1;

	if (fam == ADDR_V4)
		return (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	return (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
}

/* Behind the error stands the address of who reports it. */
static void
error_of(const struct cmsghdr *c, struct icmp_said *s)
{
	struct {
		struct sock_extended_err	ee;
		struct sockaddr_storage		by;
	} e;
	struct endpoint by;
	size_t len = c->cmsg_len - CMSG_LEN(0);

	memset(&e, 0, sizeof(e));
	memcpy(&e, CMSG_DATA(c), len < sizeof(e) ? len : sizeof(e));
	if (e.ee.ee_origin != SO_EE_ORIGIN_ICMP && e.ee.ee_origin != SO_EE_ORIGIN_ICMP6)
		return;
	if (addr_from_sockaddr(&by, (const struct sockaddr *)&e.by, sizeof(e.by)) == -1)
		return;
	s->by = by.addr;
	s->type = e.ee.ee_type;
	s->code = e.ee.ee_code;
}

int
udp_error(int fd, struct icmp_said *s)
{
	uint8_t ctl[256] __attribute__((__aligned__(8)));
	struct sockaddr_storage to;
	struct endpoint remote;
	struct cmsghdr *c;
	struct msghdr mh;

	memset(s, 0, sizeof(*s));
	memset(&mh, 0, sizeof(mh));
	mh.msg_name = &to;
	mh.msg_namelen = sizeof(to);
	mh.msg_control = ctl;
	mh.msg_controllen = sizeof(ctl);
	if (recvmsg(fd, &mh, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
		return (0);
	if (mh.msg_namelen == 0 || addr_from_sockaddr(&remote, (struct sockaddr *)&to,
	    mh.msg_namelen) == -1)
		return (1);
	s->to = remote.addr;
	s->port = remote.port;
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c))
		if (c->cmsg_len >= CMSG_LEN(sizeof(struct sock_extended_err)) &&
		    ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)))
			error_of(c, s);
	return (1);
}
