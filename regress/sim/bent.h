/* SPDX-License-Identifier: ISC */
/* IKE_SA_INIT with a payload that was bent, and what becomes of it. */
#ifndef BENT_H
#define BENT_H

#include "parts.h"

/* What the two changes below do: to the proposals of SA, or to the body of `which'. */
extern void	(*on_sa)(struct proposals *);
extern void	(*on_body)(uint8_t *, size_t *);
extern uint8_t	which;

void	change_sa(struct parts *);
void	change_body(struct parts *);
/* IKE_SA_INIT of one side changed; the real one does not go. */
struct sim *init_changed(uint64_t seed, const char *extra, int response,
	    void (*change)(struct parts *), struct patch *);
/* What b answers to a request that was changed so: 0 nothing, a notify, or -1: an SA. */
int	init_answer(const char *extra, void (*change)(struct parts *));
/* a does not believe a reply that was changed so, and takes the real one.  1: so it is */
int	reply_refused(const char *extra, void (*change)(struct parts *));

#endif
