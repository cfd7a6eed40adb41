/* SPDX-License-Identifier: ISC */
/* `ipsecctl monitor': what happens to tunnels, a line each, until interrupted. */
#ifndef IPSECCTL_MONITOR_H
#define IPSECCTL_MONITOR_H

#include "proc/client.h"

/* The exit status.  tunnel NULL: all. */
int	monitor(struct client *, const char *tunnel, int json);

#endif
