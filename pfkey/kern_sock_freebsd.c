/* SPDX-License-Identifier: ISC */
/* What IKE's own sockets need from FreeBSD. */

#include <sys/types.h>
#include <sys/socket.h>

#include <net/pfkeyv2.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <netipsec/ipsec.h>

#include <errno.h>
#include <string.h>

#include "pfkey/pfkey.h"

int
kern_socket_bypass(int fd, int family)
{
	static const uint8_t dirs[] = { IPSEC_DIR_INBOUND, IPSEC_DIR_OUTBOUND };
	struct sadb_x_policy p;
	int level, opt;
	size_t i;

	if (family != AF_INET && family != AF_INET6) {
		errno = EAFNOSUPPORT;
		return (-1);
	}
	level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	opt = family == AF_INET ? IP_IPSEC_POLICY : IPV6_IPSEC_POLICY;
	for (i = 0; i < sizeof(dirs); i++) {
		memset(&p, 0, sizeof(p));
		p.sadb_x_policy_len = sizeof(p) / 8;
		p.sadb_x_policy_exttype = SADB_X_EXT_POLICY;
		p.sadb_x_policy_type = IPSEC_POLICY_BYPASS;
		p.sadb_x_policy_dir = dirs[i];
		if (setsockopt(fd, level, opt, &p, sizeof(p)) == -1)
			return (-1);
	}
	return (0);
}

int
kern_socket_encap(int fd, int family)
{
	int type = UDP_ENCAP_ESPINUDP;

	(void)family;
	return (setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)));
}
