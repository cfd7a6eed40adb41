/* SPDX-License-Identifier: ISC */
/* What rtnetlink's messages say: pure, for tests and fuzzers too. */
#ifndef PROC_NETIF_LINUX_H
#define PROC_NETIF_LINUX_H

#include <linux/netlink.h>

#include <stddef.h>

#include "base/addr.h"

/* A whole message is there, of so many octets left. */
int	rtnl_ok(const struct nlmsghdr *, int left);
/* RTM_NEWADDR: an address that can be used. 0 or -1.  The header is rtnl_ok(). */
int	rtnl_addr(const struct nlmsghdr *, struct addr *);
/* A dump of them, datagram by datagram: seq is the question's. */
struct rtnl_addrs {
	struct addr	*a;
	int		 n, max;
	int		 done, err;	/* an errno: what is there is not all */
};
void	rtnl_collect(const void *, size_t len, uint32_t seq, struct rtnl_addrs *);
/* The answer to RTM_GETROUTE: 0, or an errno. */
int	rtnl_source(const struct nlmsghdr *, struct addr *);
/* The same answer: by which interface; 0 is not known. */
uint32_t rtnl_oif(const struct nlmsghdr *);

#endif
