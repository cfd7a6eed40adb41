/* SPDX-License-Identifier: ISC */
/* OpenBSD: IP_RECVDSTADDR tells, IP_SENDSRCADDR sets the local address of a packet. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <string.h>

#include "proc/udp.h"

int
udp4_info_on(int fd)
{
	int on = 1;

	return (setsockopt(fd, IPPROTO_IP, IP_RECVDSTADDR, &on, sizeof(on)));
}

int
udp4_info_get(const struct cmsghdr *c, struct addr *a)
{
	struct in_addr in;

	if (c->cmsg_type != IP_RECVDSTADDR ||
	    c->cmsg_len < CMSG_LEN(sizeof(in)))
		return (-1);
	memcpy(&in, CMSG_DATA(c), sizeof(in));
	return (addr_from_bytes(a, (const uint8_t *)&in, 4));
}

size_t
udp4_info_put(struct cmsghdr *c, const struct addr *a)
{
	struct in_addr in;

	memcpy(&in, a->b, 4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_SENDSRCADDR;
	c->cmsg_len = CMSG_LEN(sizeof(in));
	memcpy(CMSG_DATA(c), &in, sizeof(in));
	return (CMSG_SPACE(sizeof(in)));
}
