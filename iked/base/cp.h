/* SPDX-License-Identifier: ISC */
/* Configuration attributes (RFC 7296 3.15.1) as plain values. */
#ifndef BASE_CP_H
#define BASE_CP_H

#include "base/addr.h"

enum cp_attr {
	CP_IP4_ADDRESS = 1, CP_IP4_NETMASK = 2, CP_IP4_DNS = 3, CP_IP4_NBNS = 4,
	CP_IP4_DHCP = 6, CP_IP6_ADDRESS = 8, CP_IP6_DNS = 10, CP_IP6_DHCP = 12,
	CP_IP4_SUBNET = 13, CP_IP6_SUBNET = 15
};

#define CP_MAX	16

struct cp_item {
	uint16_t	type;		/* enum cp_attr */
	uint8_t		empty;		/* asked for, without a wish */
	struct prefix	v;		/* a mask is the len of it */
};
struct cp_list {
	uint8_t		n;
	struct cp_item	a[CP_MAX];
};

#endif
