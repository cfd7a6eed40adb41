/* SPDX-License-Identifier: ISC */
/*
 * The address that a peer gives us, on an interface: whoever of this host talks to the
 * peer's networks then has it as his source.
 */
#ifndef PROC_IFACE_H
#define PROC_IFACE_H

#include "base/addr.h"

/* Before the sandbox.  A descriptor for iface_set(), or -1 (errno; ENOTSUP where this is
 * not built). */
int	iface_open(void);
/*
 * Puts the address on the interface, and routes to the networks, with it as their
 * preferred source, where the one to the peer leads; or takes both away.  What is so
 * already is no error.  Never blocks.  0, or -1 and errno.
 */
int	iface_set(int fd, const char *name, const struct addr *, const struct addr *peer,
	    const struct prefix *nets, unsigned int nnets, int add);

#endif
