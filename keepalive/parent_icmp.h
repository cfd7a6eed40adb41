/* SPDX-License-Identifier: ISC */
/* The raw sockets that netwatchd's parent opens for the probe process. */
#ifndef KEEPALIVE_PARENT_ICMP_H
#define KEEPALIVE_PARENT_ICMP_H

#include "keepalive/icmp_io.h"
#include "keepalive/parent.h"
#include "proc/channel.h"

struct parent_icmp {
	struct icmp_sockkey	have[ICMP_SOCKS];	/* this probe process does */
	uint8_t			failed[ICMP_SOCKS];
	unsigned int		n;
	int			said_full;
};
/* Opens and hands over what this configuration needs and it has not yet.  Start from zero
 * for each new process. */
void	parent_icmp(struct parent_icmp *, const struct nw_conf *, struct chan *);

#endif
