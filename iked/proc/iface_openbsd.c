/* SPDX-License-Identifier: ISC */
/* OpenBSD: an address wants root, which the kernel process is not. */

#include <errno.h>

#include "proc/iface.h"

int
iface_open(void)
{
	errno = ENOTSUP;
	return (-1);
}

int
iface_set(int fd, const char *name, const struct addr *a, const struct addr *peer,
    const struct prefix *nets, unsigned int nnets, int add)
{
	(void)fd;
	(void)name;
	(void)a;
	(void)peer;
	(void)nets;
	(void)nnets;
	(void)add;
	errno = ENOTSUP;
	return (-1);
}
