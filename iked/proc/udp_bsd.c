/* SPDX-License-Identifier: ISC */
/* The BSDs tell nothing of sockets that are not connected. */

#include "proc/udp.h"

int
udp_errors_on(int fd, enum addr_family fam)
{
	(void)fd;
	(void)fam;
	return (0);
}

int
udp_error(int fd, struct icmp_said *s)
{
	(void)fd;
	(void)s;
	return (0);
}
