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

int
host_strict(const char *dev)
{
	(void)dev;
	return (-1);
}

int
host_unreached(const struct addr *remote, struct addr *neighbour)
{
	(void)remote;
	(void)neighbour;
	return (-1);
}

int
host_nat(void)
{
	return (-1);
}

int
host_filter(char *what, size_t cap)
{
	(void)what;
	(void)cap;
	return (-1);
}

int
host_holder(uint16_t port, char *who, size_t cap)
{
	(void)port;
	(void)who;
	(void)cap;
	return (-1);
}

int
host_errors(char *dst, size_t cap)
{
	(void)dst;
	(void)cap;
	return (-1);
}
