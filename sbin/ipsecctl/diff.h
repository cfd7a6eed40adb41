/* SPDX-License-Identifier: ISC */
/* `ipsecctl diff': two sides of tunnels, and where they do not mirror each other. */
#ifndef IPSECCTL_DIFF_H
#define IPSECCTL_DIFF_H

#include <stdio.h>

#include "base/siphash.h"
#include "side.h"

#define DIFF_SAID	64

/* The comparison under way. */
struct diff {
	const struct side	*a, *b;
	FILE			*out;
	char			 name[2 * SIDE_NAMELEN + 4];	/* of the pair */
	unsigned int		 ndiffs, nnotes, npairs;
	int			 nomem;
	/* marks of the lines said of this pair: several policies say the same */
	uint64_t		 said[DIFF_SAID];
	unsigned int		 nsaid;
	/* child indices of a side ordered by peer, and where a peer's begin */
	uint32_t		*order[2], *first[2];
	uint8_t			 key[SIPHASH_KEYLEN];	/* of this run: secrets are
							   compared by their marks */
};

/* A difference, or what is worth knowing but does no harm; one line each. */
void	diff_say(struct diff *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	diff_note(struct diff *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

#define PLACE_LEN	200
/* "file:line"; gives dst. */
char	*diff_place(const struct place *, char dst[PLACE_LEN]);

/* "8h", "90s"; gives dst. */
#define TIME_LEN	16
char	*diff_time(uint32_t seconds, char dst[TIME_LEN]);

/* diff_peer.c: all that is negotiated for the IKE SA. */
void	diff_peers(struct diff *, const struct side_peer *a, const struct side_peer *b);
/* 2: the same, 1: one of them is not known or any, 0: another. */
int	diff_address(const struct addr *local, const struct side_peer *other);
/* Who the peer says it is, and is that whom the other one expects? 2, 1, 0 as above. */
int	diff_identity(const struct side_peer *says, const struct side_peer *expects);
/* diff_child.c: the Child SAs of two peers, by their selectors. */
void	diff_children(struct diff *, uint32_t a, uint32_t b);
/* Have the two peers a pair of networks that mirrors? 1/0 */
int	diff_mirrors(const struct diff *, uint32_t a, uint32_t b);
/* diff_algs.c */
void	diff_ike(struct diff *, const struct side_peer *a, const struct side_peer *b);
void	diff_esp(struct diff *, const struct side_child *a, const struct side_child *b);

/* Everything.  Gives the exit status: 0 equal, 1 differences, 2 error. */
int	diff_sides(const struct side *a, const struct side *b, FILE *);
/* The verb: args after "diff"; -1: wrong usage. */
int	diff_main(int n, char *const *args);

#endif
