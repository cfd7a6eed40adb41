/* SPDX-License-Identifier: ISC */
/*
 * A life: two to five gateways, the tunnels between them, and what befalls them.  All of
 * it is a function of the seed.
 */
#ifndef LIFE_H
#define LIFE_H

#include "sim.h"

#define LIFE_NODES	5
#define LIFE_LINKS	6
#define LIFE_TUNNELS	9

struct link {
	int		 node[2];
	const char	*mode[2], *ike[2], *child[2];
	int		 lifetime;	/* s; 0: the default */
	int		 bytes;
	int		 any;		/* node[1] takes the peer from any address */
	int		 natt;
	int		 psk[2];	/* equal, or there is no way */
};

struct pair {
	int		 link;
	int		 nets[2];	/* so many on that side */
	int		 narrow;	/* side + 1 whose net is a part of the other's idea */
	int		 gone[2];	/* not in that side's file */
	char		 name[16];
	char		 host[2][48];
};

struct life {
	struct sim	*s;
	uint64_t	 seed, rng;
	int		 nnodes, nlinks, npairs;
	struct link	 link[LIFE_LINKS];
	struct pair	 pair[LIFE_TUNNELS];
	int64_t		 weather_ms, pause_ms;
	monotime	 back[LIFE_NODES];	/* killed: started again then */
	monotime	 plug[LIFE_NODES];	/* cut until */
	monotime	 voice[LIFE_NODES];	/* kernel or keys in trouble until */
	monotime	 way;			/* one-way cuts until */
};

uint64_t life_roll(struct life *, uint64_t n);
void	 life_birth(struct life *, uint64_t seed);
/* So long the faults last. */
void	 life_weather(struct life *);
/* They are over: whatever was broken is whole. */
void	 life_mend(struct life *);
/* A rekey of that tunnel's Child or of its IKE SA, by that side. */
void	 life_rekey(struct life *, const struct pair *, int side, int ike);
struct node *life_node(struct life *, const struct pair *, int side);
void	 life_ping(struct life *, const struct pair *, int side);
void	 life_tell(const struct life *);

#endif
