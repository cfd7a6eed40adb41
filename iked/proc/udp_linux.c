/* SPDX-License-Identifier: ISC */
/* Linux: IP_PKTINFO tells and sets the local address of a packet. */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

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
