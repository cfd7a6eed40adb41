/* SPDX-License-Identifier: ISC */
/*
 * IKE's UDP sockets: one wildcard socket a family and port.  The address a datagram
 * came to, and the one an answer leaves from, go with each packet.
 */
#ifndef PROC_UDP_H
#define PROC_UDP_H

#include <sys/socket.h>

#include "base/addr.h"
#include "proc/icmp.h"

#define UDP_CMSGLEN	128	/* room for the packet info of either family */

/* A nonblocking socket on that port of any address, packet info on.  -1 and errno. */
int	udp_open(enum addr_family, uint16_t port);
/* The local address of a received datagram.  0; -1: none came along. */
int	udp_local(struct msghdr *, struct addr *);
/* Makes mh (msg_control points to UDP_CMSGLEN octets) leave from that address. */
void	udp_from(struct msghdr *, const struct addr *);

/* Errors that ICMP reports of what was sent: nothing where the system does not tell (0). */
int	udp_errors_on(int fd, enum addr_family);
/* 1: there was one; it fills s, or has no words in icmp_words(). 0: there are no more. */
int	udp_error(int fd, struct icmp_said *s);

/* IPv4's packet info differs between systems: udp_OS.c. */
int	udp4_info_on(int fd);
int	udp4_info_get(const struct cmsghdr *, struct addr *);
size_t	udp4_info_put(struct cmsghdr *, const struct addr *);

#endif
