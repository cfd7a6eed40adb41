/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP sockets: one for all targets of a family, the source named packet by
 * packet.  (A socket a target is what makes other monitors slow: every
 * raw socket gets a copy of every reply.)  One file an operating system.
 */
#ifndef KEEPALIVE_ICMP_SOCK_H
#define KEEPALIVE_ICMP_SOCK_H

#include "base/addr.h"

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* As root.  Every option is set here: the probe process may set none.  The
 * descriptor, nonblocking; -1 and errno. */
int	icmp_sock_open(enum addr_family);
/* One ICMP message from src to dst.  0, or an errno; with a src that is not an
 * address of this machine it fails. */
int	icmp_sock_send(int fd, const struct addr *src, const struct addr *dst,
	    const uint8_t *msg, size_t len);
/* The next packet, as icmp_parse wants it.  Octets, or -1 and errno (EAGAIN: none). */
ssize_t	icmp_sock_recv(int fd, uint8_t *buf, size_t cap, struct addr *from);

#endif
