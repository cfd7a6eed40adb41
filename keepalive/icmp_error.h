/* SPDX-License-Identifier: ISC */
/*
 * ICMP errors that quote one of our probes: who on the way had what to say about it.  Pure.
 *
 * How much is quoted is the sender's affair: IPv4 has at least 8 octets of ICMP (RFC 792),
 * mostly more (RFC 1812 4.3.2.3), IPv6 all that fits (RFC 4443 2.4).  With a whole probe in
 * it the quote has our cookie, and nobody could make it up.  With less there are the
 * identifier and the checksum, of 16 bits each, which icmp_quotes compares with a
 * probe that is known to be out.
 */
#ifndef KEEPALIVE_ICMP_ERROR_H
#define KEEPALIVE_ICMP_ERROR_H

#include "keepalive/icmp.h"

enum icmp_error_kind {
	ICMP_EXPIRED = 1,	/* time to live exceeded on the way */
	ICMP_UNREACHABLE,
	ICMP_TOOBIG		/* mtu says how much passes; 0: not said */
};

struct icmp_error {
	enum icmp_error_kind	kind;
	uint8_t			code;
	uint32_t		mtu;
	struct addr		src, dst;	/* of the quoted packet */
	int			whole;		/* the cookie was there, and is ours */
	struct probe		p;		/* when whole */
	uint16_t		ident, seq, cksum;	/* when not, of the quoted ICMP */
};

/* As icmp_parse: pkt from the IP header on (IPv4) or the ICMPv6 header on.  0, or -1: no such
 * error, or it quotes none of ours. */
int	icmp_error_parse(const void *pkt, size_t len, enum addr_family fam,
	    const uint8_t key[ICMP_KEYLEN], uint16_t ident,
	    struct icmp_error *);
/* 1: it quotes this probe to dst, as far as the quote goes. */
int	icmp_quotes(const struct icmp_error *, const uint8_t key[ICMP_KEYLEN],
	    uint16_t ident, const struct addr *dst, const struct probe *);

#endif
