/* SPDX-License-Identifier: ISC */
/*
 * Objects of a slab that are alike, found by a hash of what they have in common: IKE SAs of
 * one identity, Children of the same selectors.  Where the peer may be anybody a peer and a
 * tunnel have as many of them as there are callers.
 */
#ifndef SA_LIKES_H
#define SA_LIKES_H

#include "sa/slab.h"

/* In the object. */
struct like {
	said		next;
	uint32_t	hash;
	uint8_t		in;		/* it is in the table */
};

struct likes {
	const struct slab *slab;
	size_t		 off;		/* of its struct like */
	said		*head;
	uint32_t	 n, used;	/* buckets, a power of two; objects */
};

int	 likes_init(struct likes *, const struct slab *, size_t off);	/* 0 or -1 */
void	 likes_destroy(struct likes *);
/* Before those that are there.  Cannot fail: without memory the chains get longer. */
void	 likes_add(struct likes *, said, uint32_t hash);
void	 likes_del(struct likes *, said);	/* nothing, where it is not in */
/* The newest of that hash, which says only that they may be alike, and the one before
 * that; 0: none. */
said	 likes_first(const struct likes *, uint32_t hash);
said	 likes_next(const struct likes *, said);
/* What was hashed has changed: all are hashed again.  Of those that were of one hash, and are
 * again, the newest stays the first. */
void	 likes_again(struct likes *, uint32_t (*hash)(const void *arg, said), const void *arg);

#endif
