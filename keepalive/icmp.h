/* SPDX-License-Identifier: ISC */
/*
 * Echo requests that know their own: what a probe carries, and the check that
 * an echo reply answers one of ours.  Pure.
 *
 * A 16-bit identifier and sequence number prove nothing: every raw socket sees every reply,
 * and anybody can send one.  So the payload has our target's slot and number, a
 * 32-bit sequence number, the time it was sent, and a keyed hash (SipHash-2-4)
 * over all of that and the address it was sent to.
 */
#ifndef KEEPALIVE_ICMP_H
#define KEEPALIVE_ICMP_H

#include "base/addr.h"
#include "base/siphash.h"

#include <stddef.h>
#include <stdint.h>

#define ICMP_KEYLEN	SIPHASH_KEYLEN
#define ICMP_PROBELEN	64	/* octets of ICMP, header and payload; the least */
#define ICMP_PROBEMAX	9000

/* What of the routing a probe has besides its source. */
struct icmp_route {
	uint8_t		kind;	/* enum icmp_route_kind */
	uint32_t	number;	/* of the FIB or the mark */
	char		vrf[16];	/* IFNAMSIZ */
};
enum icmp_route_kind { ICMP_NOROUTE, ICMP_FIB, ICMP_MARK, ICMP_VRF };

struct probe {
	uint32_t	slot;	/* the target's place in the table */
	uint32_t	id;	/* its number, never used twice */
	uint32_t	seq;
	uint16_t	size;	/* octets of ICMP; less than ICMP_PROBELEN: that */
	/* how it is sent; not in the packet, and zero in a reply */
	uint8_t		ttl;	/* 0: the system's */
	uint8_t		dscp;
	uint8_t		nodf;	/* may be fragmented */
	int64_t		sent_us;	/* monotonic, of this process */
	int64_t		due_us;		/* when it should have been */
	const struct icmp_route *route;	/* NULL: the usual one */
};

/* Writes the first ICMP_PROBELEN octets of an echo request to dst; all others are zero, which
 * changes no checksum.  ident is the ICMP identifier.  The ICMPv6 checksum is left to
 * the kernel.  0, or -1: no such family. */
int	icmp_build(uint8_t buf[ICMP_PROBELEN], const uint8_t key[ICMP_KEYLEN],
	    uint16_t ident, const struct addr *dst, const struct probe *);
/*
 * Takes what a raw socket of family fam gave (IPv4: from the IP header on; IPv6: from
 * the ICMPv6 header on) and who sent it: its first len octets of whole.  0 and *p when it
 * is the reply to a probe that was made with this key for exactly that address; -1
 * for everything else.
 */
int	icmp_parse(const void *pkt, size_t len, size_t whole,
	    enum addr_family fam, const struct addr *from,
	    const uint8_t key[ICMP_KEYLEN], struct probe *p);

/* The same from r on behind an echo's first 8 octets, wherever they are: the cookie of a probe
 * to dst.  0 and *p, or -1. */
#define ICMP_COOKIELEN	34
struct rbuf;
int	icmp_cookie_get(struct rbuf *, const struct addr *dst,
	    const uint8_t key[ICMP_KEYLEN], struct probe *p);

/* RFC 1071; octets in network order. */
uint16_t icmp_cksum(const void *, size_t);

#endif
