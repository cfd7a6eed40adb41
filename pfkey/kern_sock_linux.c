/* SPDX-License-Identifier: ISC */
/* What IKE's own sockets need from Linux. */

#include <sys/socket.h>

#include <linux/in6.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>

#include <errno.h>
#include <string.h>

#include "pfkey/pfkey.h"

#ifndef IP_XFRM_POLICY
#define IP_XFRM_POLICY	17
#endif
#ifndef IPV6_XFRM_POLICY
#define IPV6_XFRM_POLICY	35
#endif

/*
 * A policy of the socket's own, ALLOW without a template, wins over the system's.
 * This works with and without af_key, unlike IP_IPSEC_POLICY.
 */
int
kern_socket_bypass(int fd, int family)
{
	struct xfrm_userpolicy_info u;
	int dir, level, opt;

	if (family != AF_INET && family != AF_INET6) {
		errno = EAFNOSUPPORT;
		return (-1);
	}
	level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	opt = family == AF_INET ? IP_XFRM_POLICY : IPV6_XFRM_POLICY;
	for (dir = XFRM_POLICY_IN; dir <= XFRM_POLICY_OUT; dir++) {
		memset(&u, 0, sizeof(u));
		u.sel.family = (uint16_t)family;
		u.dir = (uint8_t)dir;
		u.action = XFRM_POLICY_ALLOW;
		u.lft.soft_byte_limit = XFRM_INF;
		u.lft.hard_byte_limit = XFRM_INF;
		u.lft.soft_packet_limit = XFRM_INF;
		u.lft.hard_packet_limit = XFRM_INF;
		if (setsockopt(fd, level, opt, &u, sizeof(u)) == -1)
			return (-1);
	}
	return (0);
}

/* RFC 3948: the kernel takes ESP, IKE after the four zero octets comes up. */
int
kern_socket_encap(int fd, int family)
{
	int type = UDP_ENCAP_ESPINUDP;

	(void)family;
	return (setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)));
}
