/* SPDX-License-Identifier: ISC */
/* What is known of registers while a rule is looked at. */
#ifndef PROC_NFT_LOCAL_H
#define PROC_NFT_LOCAL_H

#include "proc/nft.h"

#define NFT_ROOM	64	/* sixteen registers of four octets */

/* In this order: a rule is as sure as its least sure expression. */
enum tri { NO, MAYBE, YES };

/* Bit by bit: its value where known has a one. */
struct nft_regs {
	uint8_t		v[NFT_ROOM], known[NFT_ROOM];
};

/* One that only loads and compares.  NO, MAYBE, YES: the rule goes on; -1: it is none of
 * these.  What it loads and we do not know is unknown from then on. */
int	nft_value(struct nft_regs *, const struct nft_packet *, uint32_t hook,
	    struct span name, struct span data);
/* The register of that number: its place, or -1 where n octets do not fit. */
int	nft_reg(uint32_t number, size_t n);
/* Is it that key? */
enum tri nft_equal(const struct nft_regs *, int at, struct span key);
/* The smallest and the largest value it can have. */
void	nft_bounds(const struct nft_regs *, int at, size_t n, uint8_t *min, uint8_t *max);
/* A match of iptables (nft_compat). */
enum tri nft_xt_match(const struct nft_packet *, struct span name, struct span info);

#endif
