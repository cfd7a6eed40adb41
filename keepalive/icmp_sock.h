/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP sockets: one for all targets of a family and routing, the source named packet by
 * packet.  (A socket a target is what makes other monitors slow: every
 * raw socket gets a copy of every reply.)  One file an operating system.
 */
#ifndef KEEPALIVE_ICMP_SOCK_H
#define KEEPALIVE_ICMP_SOCK_H

#include "base/addr.h"
#include "base/mono.h"
#include "keepalive/icmp.h"

#include <stddef.h>
#include <stdint.h>

#define ICMP_BATCH	64	/* packets of one call */
#define ICMP_RXLEN	192	/* octets kept of a received one: two IPv4 headers with
				   options, an ICMP error's and a probe's beginning */

/* What must be the same for packets of one socket. */
struct icmp_sockkey {
	uint8_t			fam;	/* enum addr_family */
	uint8_t			nodf;	/* what it sends may be fragmented */
	struct icmp_route	route;
};

struct icmp_out {
	struct addr	src, dst;	/* src ADDR_NONE: by route */
	uint8_t		msg[ICMP_PROBELEN];
	uint16_t	size;		/* with zeros after msg, up to ICMP_PROBEMAX */
	uint8_t		ttl, dscp;	/* 0: the system's */
	uint8_t		nodf;		/* as the socket's */
	int		error;		/* 0: sent */
};

struct icmp_in {
	struct addr	from;		/* ADDR_NONE: nobody knows */
	size_t		len, whole;	/* octets here, of the packet */
	monotime	at;		/* when the kernel got it */
	uint8_t		pkt[ICMP_RXLEN];	/* as icmp_parse wants it */
};

/* Can this socket get what no other one of its family gets?  If not, nothing is
 * received on it, which would be received twice. */
int	icmp_sock_receives(const struct icmp_sockkey *);
/* As root.  Every option is set here: the probe process may set none.  The
 * descriptor, nonblocking; -1 and errno (EOPNOTSUPP: no such routing here). */
int	icmp_sock_open(const struct icmp_sockkey *);
/*
 * Sends up to ICMP_BATCH messages of that socket's family.  How many are done with, each with
 * its error: one whose src is not an address of this machine fails.  Less than n: the
 * kernel takes no more for the moment.
 */
unsigned int icmp_sock_send(int fd, struct icmp_out *, unsigned int n);
/* The next packets, at most ICMP_BATCH; 0: none now. */
unsigned int icmp_sock_recv(int fd, struct icmp_in *, unsigned int n);

#endif
