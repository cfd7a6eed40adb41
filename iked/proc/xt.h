/* SPDX-License-Identifier: ISC */
/* A table of iptables as it was before nf_tables, and what it does to a packet. */
#ifndef PROC_XT_H
#define PROC_XT_H

#include "proc/nft.h"

struct xt_rules;

/* "nat" or "filter", which must stay.  0: *rs is it, NULL where it is not there; an errno:
 * it cannot be read. */
int		 xt_read(const char *table, struct xt_rules **rs);
void		 xt_free(struct xt_rules *);
/* NF_INET_*; rs NULL: RULES_PASS. */
enum rules_fate	 xt_fate(const struct xt_rules *, uint32_t hook, const struct nft_packet *,
		     char text[RULES_TEXT]);

#endif
