/* SPDX-License-Identifier: ISC */
/*
 * What this machine's own packet filter does to the packets of a tunnel: does a NAT rule
 * give them another source before the policy sees them, does a chain drop IKE, ESP or
 * what goes between the nets?  Rules are read, never changed, and no program is run.
 */
#ifndef PROC_RULES_H
#define PROC_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define RULES_TEXT	256

struct rules;

/* Reads them all, once.  NULL: no memory. */
struct rules	*rules_read(void);
void		 rules_free(struct rules *);
/* What could not be looked at and why, in one line; NULL: nothing, all was seen. */
const char	*rules_unseen(const struct rules *);

/* MAY: what decides is not known here (a mark, a limit, a match of iptables). */
enum rules_fate { RULES_PASS, RULES_MAY, RULES_TAKE };

/* The text names the rule, "" with RULES_PASS. */
/* Does what goes from one net to the other get another source address? */
enum rules_fate	 rules_nat(const struct rules *, const struct prefix *from,
		     const struct prefix *to, const struct addr *peer, char text[RULES_TEXT]);
/* Is what the gateways say to each other dropped here?  port 0: ESP.  Addresses may be
 * ADDR_NONE: any.  incoming: from the peer. */
enum rules_fate	 rules_gateways(const struct rules *, const struct addr *local,
		     const struct addr *peer, uint16_t port, int incoming,
		     char text[RULES_TEXT]);
/* Are pings that are forwarded from one net to the other, and come out of or go into the
 * tunnel with that peer, dropped? */
enum rules_fate	 rules_nets(const struct rules *, const struct prefix *src,
		     const struct prefix *dst, const struct addr *peer, int incoming,
		     char text[RULES_TEXT]);

#endif
