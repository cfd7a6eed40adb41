/* SPDX-License-Identifier: ISC */
/*
 * Addresses and routes of this machine: that they change, what the addresses are, and
 * which one the routes choose.  What is behind it is one file a system.
 */
#ifndef PROC_NETIF_H
#define PROC_NETIF_H

#include "base/addr.h"
#include "base/log.h"

#define NETIF_MAX	64	/* addresses that are told */

struct netif;

/* Before the sandbox closes.  NULL: there is no such thing (errno). */
struct netif	*netif_open(void);
int		 netif_fd(const struct netif *);
/* Takes a bounded part of what has come, without looking at it closely. 1: something may
 * have changed; 0: nothing. */
int		 netif_input(struct netif *);
/* All addresses: how many, or -1 (errno; EOVERFLOW on Linux: more than NETIF_MAX). */
int		 netif_addrs(struct netif *, struct addr a[NETIF_MAX]);
/* The address that the routes choose towards dst. 0, or an errno: no way there. */
int		 netif_source(struct netif *, const struct addr *dst, struct addr *src);

#endif
