/* SPDX-License-Identifier: ISC */
/*
 * What has to be true after every event of a simulation, whatever its faults are.  Looked
 * at for the node that the event was for; what is not true goes to sim_wrong().
 */
#ifndef INVARIANT_H
#define INVARIANT_H

#include "sim.h"

void	invariant_on(struct sim *);
void	invariant_free(struct sim *);
/* From now on nothing breaks any more: no SA in use goes before its successor is there. */
void	invariant_healthy(struct sim *, int on);
/* Every IKE SA, Child and kernel SA is known at both ends, or somebody is about to find
 * out: all nodes at once. */
void	invariant_agree(struct sim *);

/* ---- told by the simulation: what goes in */
void	invariant_packet(struct sim *, struct node *, const uint8_t *, size_t);
void	invariant_answer(struct sim *, struct node *, const struct keys_ans *);
void	invariant_other(struct sim *, struct node *);
/* ---- and what comes out */
void	invariant_sent(struct sim *, struct node *, const uint8_t *, size_t);
void	invariant_keys(struct sim *, struct node *, const struct keys_req *,
	    const struct keys_ans *);
void	invariant_kernel(struct sim *, struct node *, const struct kernel_req *);
void	invariant_killed(struct sim *, struct node *);
/* Its engine is another one; what that has comes from the one before. */
void	invariant_moved(struct sim *, struct node *);
void	invariant_after(struct sim *);

#endif
