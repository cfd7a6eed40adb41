/* SPDX-License-Identifier: ISC */
/* From the options of a keepalive to how its ICMP probes are sent, and by which sockets. */
#ifndef KEEPALIVE_HOW_H
#define KEEPALIVE_HOW_H

#include "conf/conf_keepalive.h"
#include "keepalive/icmp_sock.h"

/* Completes a probe; room is for its routing, which p then points to.  NULL options are the
 * defaults of before there were any. */
void	how_probe(const struct conf_keepalive *, struct probe *,
	    struct icmp_route *room);
/*
 * The socket that pings of such a target, in that family, need beside those that are there anyway, one of
 * each family with the usual routing and without fragmentation.  1, or 0: none beside these.
 */
int	how_sockkey(const struct conf_keepalive *, enum addr_family,
	    struct icmp_sockkey *);
int	icmp_sockkey_equal(const struct icmp_sockkey *, const struct icmp_sockkey *);
/* "fib 3", for a person. */
const char *icmp_route_str(const struct icmp_route *, char dst[32]);

#endif
