/* SPDX-License-Identifier: ISC */
/* Between the files of the engine only. */
#ifndef ENGINE_LOCAL_H
#define ENGINE_LOCAL_H

#include "engine/engine.h"
#include "exchange/exchange.h"

#define V1_SEEN	64	/* addresses whose IKEv1 was told of lately */

struct engine {
	struct world	 w;
	struct engine_fx fx;
	uint32_t	 old_gen;	/* of the generation before this one */
	uint32_t	*old_map;	/* its tunnel index -> ours, or NO_INDEX */
	uint32_t	 nold;
	struct show_plan *plan;		/* of the last engine_plan() */
	uint32_t	 nplan;
	struct {
		struct addr	addr;
		monotime	until;
	} v1[V1_SEEN];
};

/* ---- allow.c */
/* Role x state x exchange x direction, before any payload code runs. 1/0 */
int	allow_half(const struct ike_half *, uint8_t exch, int response);
int	allow_ike(const struct ike_sa *, uint8_t exch, int response);

/* ---- dispatch.c */
void	dispatch(struct engine *, const struct endpoint *local,
	    const struct endpoint *remote, int natt, const uint8_t *, size_t);

/* ---- twins.c: two IKE SAs with one peer */
void	twins_look(struct world *, struct ike_sa *);	/* its timer */
/* A Child whose successor is to be made on this IKE SA now, or NULL. */
struct child_sa *twins_next(struct world *, struct ike_sa *);

/* ---- pump.c: what an IKE SA does next */
void	pump_ike(struct world *, struct ike_sa *);
void	pump_request_timer(struct world *, struct ike_sa *);
void	pump_half_timer(struct world *, struct ike_half *, const struct timer *);
void	pump_natt(struct world *, struct ike_sa *);
void	ike_dead(struct world *, struct ike_sa *, enum reason, const char *why);

/* ---- liveness.c */
#define CHECK_PAUSE_MS	10000	/* a passed check is not repeated before */
void	liveness_check(struct world *, struct ike_sa *, int64_t ms);
/* The shortest wait for an answer that this way allows, in ms. */
int64_t	liveness_wait(const struct ike_sa *);
void	liveness_hint(struct world *, struct ike_sa *, const char *what, enum hint);
/* Packets come in since the question is out: somebody is there, if he answers or not. */
int	liveness_data(const struct ike_sa *);
void	liveness_heard(struct world *, struct ike_sa *, int answered);
void	liveness_child_timer(struct world *, struct child_sa *);
void	liveness_counted(struct world *, struct child_sa *, enum kern_dir,
	    const struct count *);

/* ---- poll.c: counters of many Children in one question */
/* 0, or -1: not now, the kernel is behind. */
int	poll_add(struct world *, struct child_sa *);
void	poll_send(struct world *);	/* what was added and is not out yet */
/* NULL: there is no answer. */
void	poll_answer(struct world *, const struct job *, const struct kernel_counted *);

/* ---- moving.c: addresses of this machine change */
void	moving_sweep(struct world *);
void	moving_source(struct world *, struct ike_sa *, uint64_t way,
	    const struct kernel_ans *);
/* 1: there is no way to the peer for the moment, which says nothing about the peer. */
int	moving_waits(struct world *, struct ike_sa *);
/* ESP of the peer came from there, and its keys are good: the peer is told. */
void	moving_seen(struct world *, struct ike_sa *, const struct endpoint *);

/* ---- wanted.c: what a tunnel needs next */
void	wanted_run(struct world *, uint32_t);
void	wanted_wake(struct world *, uint32_t, enum show_wake);
void	wanted_recreate(struct world *, uint32_t i, enum show_wake);
void	wanted_reset(struct world *, uint32_t i, enum show_wake);
void	wanted_down(struct world *, uint32_t);
void	wanted_drop_timer(struct world *, struct child_sa *);

/* ---- reload.c */
void	reload_knock(struct world *);

/* ---- plan.c */
void	plan_free(struct engine *);
int	plan_next(struct engine *, uint64_t *cursor, struct show_plan *);

/* ---- engine.c */
void	engine_settle(struct engine *);

/* show.c */
void	 tell_event(const struct world *, uint32_t tunnel, enum show_event_type);

#endif
