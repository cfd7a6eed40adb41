/* SPDX-License-Identifier: ISC */
/* What there is to see by sysctl(3); the rest cannot be known.  Never tried there. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <stddef.h>

#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet6/in6.h>

#include "doctor.h"

int
host_forwards(const struct addr *a)
{
	int n = 0;
	size_t len = sizeof(n);
	int mib4[] = { CTL_NET, PF_INET, IPPROTO_IP, IPCTL_FORWARDING };
	int mib6[] = { CTL_NET, PF_INET6, IPPROTO_IPV6, IPV6CTL_FORWARDING };

	if (sysctl(a->fam == ADDR_V6 ? mib6 : mib4, 4, &n, &len, NULL, 0) == -1)
		return (-1);
	return (n != 0);
}
