/* SPDX-License-Identifier: ISC */
/* What there is to see by sysctl(3); the rest cannot be known.  Never tried there. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <stddef.h>



#include "doctor.h"

int
host_forwards(const struct addr *a)
{
	int n = 0;
	size_t len = sizeof(n);

	if (sysctlbyname(a->fam == ADDR_V6 ? "net.inet6.ip6.forwarding" :
	    "net.inet.ip.forwarding", &n, &len, NULL, 0) == -1)
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
