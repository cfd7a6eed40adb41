/* SPDX-License-Identifier: ISC */
/*
 * Objects of one size, named by id: slab index and generation.  An id outlives
 * its object safely: slab_get() of a released one gives NULL.  Objects never
 * move, and their memory stays readable until slab_flush(), which the engine
 * calls at the end of each event.
 */
#ifndef SA_SLAB_H
#define SA_SLAB_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t said;		/* generation << 32 | index + 1; 0: none */

#define SLAB_CHUNK	32	/* objects allocated together */

struct slab {
	size_t		  size;		/* of one object */
	uint8_t		**chunks;
	uint32_t	  nchunks;
	uint32_t	  free;		/* index + 1 of the first free one */
	uint32_t	  dead;		/* released in this event */
	uint32_t	  used;
};

void	 slab_init(struct slab *, size_t objsize);
/* Objects still in use are wiped and freed without ceremony. */
void	 slab_destroy(struct slab *);
/* A zeroed object and its id; NULL when out of memory. */
void	*slab_alloc(struct slab *, said *);
void	*slab_get(const struct slab *, said);	/* NULL: gone or never there */
/* The id is dead at once, the memory wiped and reused after slab_flush(). */
void	 slab_release(struct slab *, said);
void	 slab_flush(struct slab *);
/* Walks all live objects: start with *at 0; NULL at the end. */
void	*slab_walk(const struct slab *, uint32_t *at, said *);

#endif
