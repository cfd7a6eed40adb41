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
#define ICMP_PROBELEN	64	/* octets of ICMP: header and payload */

struct probe {
	uint32_t	slot;	/* the target's place in the table */
	uint32_t	id;	/* its number, never used twice */
	uint32_t	seq;
	int64_t		sent_us;	/* monotonic, of this process */
};

/* Writes an echo request to dst, ICMP_PROBELEN octets.  ident is the ICMP
 * identifier.  The ICMPv6 checksum is left to the kernel.  0, or -1: no such family. */
int	icmp_build(uint8_t buf[ICMP_PROBELEN], const uint8_t key[ICMP_KEYLEN],
	    uint16_t ident, const struct addr *dst, const struct probe *);
/*
 * Takes what a raw socket of family fam gave (IPv4: from the IP header on; IPv6: from
 * the ICMPv6 header on) and who sent it.  0 and *p when it is the reply to a probe that was
 * made with this key for exactly that address; -1 for everything else.
 */
int	icmp_parse(const void *pkt, size_t len, enum addr_family fam,
	    const struct addr *from, const uint8_t key[ICMP_KEYLEN],
	    struct probe *p);

/* RFC 1071; octets in network order. */
uint16_t icmp_cksum(const void *, size_t);

#endif
