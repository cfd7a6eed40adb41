/* SPDX-License-Identifier: ISC */
/* Making and unmaking a world; chance, rates and what is still to be looked at. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sa/world.h"

int
world_init(struct world *w)
{
	slab_init(&w->halves, sizeof(struct ike_half));
	slab_init(&w->ikes, sizeof(struct ike_sa));
	slab_init(&w->childs, sizeof(struct child_sa));
	slab_init(&w->jobs, sizeof(struct job));
	timers_init(&w->timers);
	if (likes_init(&w->names, &w->ikes, offsetof(struct ike_sa, like)) == -1 ||
	    likes_init(&w->selectors, &w->childs, offsetof(struct child_sa, like)) == -1)
		return (-1);
	w->sweep.kind = T_SWEEP;
	w->late.kind = T_LATE;
	if (timers_reserve(&w->timers, 2) == -1)
		return (-1);
	if ((w->msg = calloc(1, sizeof(*w->msg))) == NULL ||
	    (w->plain = malloc(WIRE_MAXMSG)) == NULL)
		return (-1);
	if (timers_reserve(&w->timers, 1) == -1)
		return (-1);
	w->knock.kind = T_KNOCK;
	world_random(w, &w->hashkey, sizeof(w->hashkey));
	return (0);
}

void
world_destroy(struct world *w)
{
	struct ike_sa	*ike;
	struct ike_half	*half;
	struct child_sa	*c;
	uint32_t	 at, i;

	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;)
		child_free(w, c);
	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;)
		ike_free(w, ike);
	for (at = 0; (half = slab_walk(&w->halves, &at, NULL)) != NULL;)
		half_free(w, half);
	world_flush(w);
	likes_destroy(&w->names);
	likes_destroy(&w->selectors);
	slab_destroy(&w->childs);
	slab_destroy(&w->ikes);
	slab_destroy(&w->halves);
	slab_destroy(&w->jobs);
	timers_destroy(&w->timers);
	for (i = 0; w->conf != NULL && i < w->conf->ntunnels; i++) {
		free(w->tunnels[i].error);
		pools_free(&w->tunnels[i]);
	}
	free(w->peers);
	free(w->tunnels);
	free(w->byname);
	free(w->byaddr);
	free(w->byid);
	free(w->slots);
	free(w->childhash);
	free(w->outhash);
	free(w->childnext);
	free(w->msg);
	if (w->plain != NULL)
		explicit_bzero(w->plain, WIRE_MAXMSG);
	free(w->plain);
	conf_free(w->conf);
}

void
world_flush(struct world *w)
{
	slab_flush(&w->halves);
	slab_flush(&w->ikes);
	slab_flush(&w->childs);
	slab_flush(&w->jobs);
}

void
world_random(struct world *w, void *p, size_t n)
{
	w->fx.random(w->fx.arg, p, n);
}

uint32_t
world_uniform(struct world *w, uint32_t n)
{
	uint32_t	r;

	/* used for jitter only: the bias of the remainder does not matter */
	world_random(w, &r, sizeof(r));
	return (n == 0 ? 0 : r % n);
}

int64_t
world_jitter(struct world *w, int64_t ms, uint32_t percent)
{
	int64_t	span = ms * percent / 100;

	if (span <= 0)
		return (ms);
	if (span > UINT32_MAX - 1)
		span = UINT32_MAX - 1;
	return (ms - world_uniform(w, (uint32_t)span + 1));
}

int
world_allow(struct world *w, struct bucket *b, uint32_t n, int64_t period_ms)
{
	if (mono_reached(b->until, w->now)) {
		b->until = mono_add_ms(w->now, period_ms);
		b->n = 0;
	}
	return (b->n++ < n);
}

void
touch_ike(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*n;

	if (ike->dirty)
		return;
	ike->dirty = 1;
	ike->dirty_prev = 0;
	ike->dirty_next = w->dirty_ikes;
	if ((n = ike_get(w, w->dirty_ikes)) != NULL)
		n->dirty_prev = ike->id;
	w->dirty_ikes = ike->id;
}

void
untouch_ike(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*x;

	if (!ike->dirty)
		return;
	ike->dirty = 0;
	if ((x = ike_get(w, ike->dirty_next)) != NULL)
		x->dirty_prev = ike->dirty_prev;
	if ((x = ike_get(w, ike->dirty_prev)) != NULL)
		x->dirty_next = ike->dirty_next;
	else
		w->dirty_ikes = ike->dirty_next;
}

void
touch_tunnel(struct world *w, uint32_t i)
{
	struct tunnel	*t;

	if (w->conf == NULL || i >= w->conf->ntunnels)
		return;
	t = &w->tunnels[i];
	if (t->dirty)
		return;
	t->dirty = 1;
	t->dirty_next = w->dirty_tunnels;
	w->dirty_tunnels = i + 1;
}

void
touch_peer(struct world *w, uint32_t peer)
{
	uint32_t	t;

	if (peer == NO_INDEX)
		return;
	for (t = w->peers[peer].tunnels; t != 0; t = w->tunnels[t - 1].next_of_peer)
		touch_tunnel(w, t - 1);
}
