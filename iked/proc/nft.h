/* SPDX-License-Identifier: ISC */
/*
 * A copy of the kernel's nf_tables, out of the messages of its dumps, and what it does to
 * a packet of which only some things are known.  Pure: the socket is rules_linux.c's.
 */
#ifndef PROC_NFT_H
#define PROC_NFT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "proc/rules.h"

#define NFT_OCTETS	(16 << 20)	/* of a whole copy */
#define NFT_ITEMS	65536		/* chains, rules, sets, elements */
#define NFT_STEPS	200000		/* expressions looked at for one packet */
#define NFT_DEPTH	16		/* the kernel's own (NFT_JUMP_STACK_SIZE) */

struct nft_chain {
	struct span	table, name;
	int		base;		/* it is called by a hook */
	uint32_t	hook, policy;
	int		nat, filter;	/* its type */
	int		dormant;	/* its table is switched off */
	uint8_t		family;
	uint32_t	first, last;	/* its rules, + 1; 0 none */
};

struct nft_rule {
	struct span	exprs;
	uint64_t	handle;
	uint32_t	next;		/* of its chain, + 1 */
};

struct nft_elem {
	struct span	key, data;
	uint32_t	flags;
	uint32_t	next;		/* of its set, + 1 */
};

/* A table, too, which has no elements. */
struct nft_set {
	struct span	table, name;
	uint32_t	flags, first;
	uint8_t		family;
};

struct nft {
	uint8_t		**blobs;	/* what the spans lie in */
	size_t		 nblobs, octets, items;
	struct nft_chain *chains;
	struct nft_rule	*rules;
	struct nft_set	*tables, *sets;
	struct nft_elem	*elems;
	size_t		 ntables, nchains, nrules, nsets, nelems;
	size_t		 at;		/* the chain of the last rule */
};

/* What is not known is 0, or as said. */
struct nft_packet {
	struct prefix	src, dst;	/* both of one family */
	uint8_t		proto;
	uint16_t	sport, dport;
	const char	*iif, *oif;	/* NULL */
	uint32_t	iifindex, oifindex;
	uint32_t	state;		/* bits of NF_CT_STATE_BIT */
	int		secpath, ipsec;	/* came out of, goes into IPsec: 1, 0, -1 */
};

struct nft	*nft_new(void);
void		 nft_free(struct nft *);
/* A message of a dump: NFT_MSG_NEW*, and what stands behind struct nlmsghdr.  What it has
 * not the form of is left out.  -1: no memory, or more than is kept. */
int		 nft_add(struct nft *, unsigned int type, const void *, size_t);

/* NF_INET_POST_ROUTING's chains of type nat; or the filters of that hook. */
enum rules_fate	 nft_nat(const struct nft *, const struct nft_packet *,
		     char text[RULES_TEXT]);
enum rules_fate	 nft_drop(const struct nft *, uint32_t hook, const struct nft_packet *,
		     char text[RULES_TEXT]);

/* The attributes of one level: those below n, by their type; others are left out. */
void		 nft_attrs(struct span, struct span *a, size_t n);
uint32_t	 nft_u32(struct span);	/* big endian; 0 where it is none */
int		 nft_same(struct span, const char *);

#endif
