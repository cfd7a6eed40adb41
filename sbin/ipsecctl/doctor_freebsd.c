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
