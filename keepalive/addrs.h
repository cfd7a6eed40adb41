/* SPDX-License-Identifier: ISC */
/* This machine's addresses. */
#ifndef KEEPALIVE_ADDRS_H
#define KEEPALIVE_ADDRS_H

#include "base/addr.h"

#include <stddef.h>

#define ADDRS_MAX	65536

/* Every address of an interface that is up, sorted, each once.  malloc'd.
 * 0, or -1 and errno. */
int	addrs_scan(struct addr **list, size_t *n);

#endif
