/* SPDX-License-Identifier: ISC */
/* Does RouterOS's firewall let an IPsec policy see its packets? */
#ifndef IPSECCTL_SIDE_ROSFW_H
#define IPSECCTL_SIDE_ROSFW_H

#include "side.h"
#include "side_ros.h"

/* Sets nat, fast and their places.  The child has one selector a side, in tunnel mode. */
void	rosfw_check(const struct ros *, const char *file, struct side_child *);

#endif
