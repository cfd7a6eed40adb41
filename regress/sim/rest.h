/* SPDX-License-Identifier: ISC */
/* Moments of rest in a life: when was there last one of everything? */
#ifndef REST_H
#define REST_H

#include "life.h"

struct rest {
	monotime	pair[LIFE_TUNNELS];	/* MONO_NONE: not since rest_begin() */
	monotime	side[LIFE_LINKS][2];
	monotime	node[LIFE_NODES];
};

void	rest_begin(struct rest *);
/* To be called often.  calm: nor is a question open.  1: each tunnel, each gateway's IKE SAs
 * of each link and each gateway have lately had their moment. */
int	rest_look(struct rest *, struct life *, int calm);
void	rest_tell(const struct rest *, struct life *);

#endif
