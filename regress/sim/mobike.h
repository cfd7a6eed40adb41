/* SPDX-License-Identifier: ISC */
/* Two gateways whose addresses may change. */
#ifndef MOBIKE_H
#define MOBIKE_H

#include "engine/engine_local.h"
#include "sim.h"

#define SRC "10.1.0.5"
#define DST "10.2.0.7"
#define PSK "psk \"a secret that is long enough\"\n"

/* a at 192.0.2.1 calls b at 198.51.100.1, which takes any peer; up, and not new any
 * more.  alocal: `local' of a, or "". */
struct sim	*mob_pair(uint64_t seed, const char *alocal, const char *extra);
struct sim	*mob_pair6(uint64_t seed);
/* n tunnels, from 10.1.0.0/24, 10.1.1.0/24, ... */
struct sim	*mob_many(uint64_t seed, int n);
/* One ping each 100 ms: how many of them were not answered. */
uint64_t	 mob_lost(struct node *, int pings);
/* 40 s later: all is as if nothing had been: one IKE SA and one Child a side, packets go
 * both ways, nothing was ever down, nothing came twice. */
void		 mob_settled(struct sim *);
/* The same, where it may have been down for a while. */
void		 mob_calm(struct sim *);

#endif
