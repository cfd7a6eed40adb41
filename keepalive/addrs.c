/* SPDX-License-Identifier: ISC */
/* This machine's addresses. */

#include <sys/types.h>
#include <sys/socket.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "keepalive/addrs.h"

static int
cmp(const void *a, const void *b)
{
	const struct addr *x = a, *y = b;

	return (addr_cmp(x, y));
}

static int
take(const struct ifaddrs *ifa, struct addr *a)
{
	struct endpoint e;
	socklen_t len;

	if (ifa->ifa_addr == NULL || (ifa->ifa_flags & IFF_UP) == 0)
		return (-1);
	switch (ifa->ifa_addr->sa_family) {
	case AF_INET:
		len = sizeof(struct sockaddr_in);
		break;
	case AF_INET6:
		len = sizeof(struct sockaddr_in6);
		break;
	default:
		return (-1);
	}
	if (addr_from_sockaddr(&e, ifa->ifa_addr, len) == -1)
		return (-1);
	*a = e.addr;
	return (0);
}

int
addrs_scan(struct addr **list, size_t *n)
{
	struct ifaddrs *all, *ifa;
	size_t cap = 0, i, out;

	*list = NULL;
	*n = 0;
	if (getifaddrs(&all) == -1)
		return (-1);
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next)
		cap++;
	if ((*list = calloc(cap + 1, sizeof(**list))) == NULL) {
		freeifaddrs(all);
		return (-1);
	}
	for (ifa = all; ifa != NULL && *n < ADDRS_MAX; ifa = ifa->ifa_next)
		if (take(ifa, &(*list)[*n]) == 0)
			(*n)++;
	freeifaddrs(all);
	qsort(*list, *n, sizeof(**list), cmp);
	for (i = out = 0; i < *n; i++)
		if (out == 0 || cmp(&(*list)[i], &(*list)[out - 1]) != 0)
			(*list)[out++] = (*list)[i];
	*n = out;
	return (0);
}
