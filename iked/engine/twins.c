/* SPDX-License-Identifier: ISC */
/*
 * A peer has one IKE SA.  Where there are two (sa/twin.c says which of them goes), the
 * Children of the one that goes get successors on the other, one at a time and make
 * before break, as in a rekey.  Then it has none, and is deleted.
 */

#include <string.h>

#include "engine/engine_local.h"

#define TWIN_MS	10000	/* a childless IKE SA beside another one */

static int
passed(monotime t, monotime now)
{
	return (t.us != 0 && mono_reached(t, now));
}

/*
 * Both sides' starts, crossing, can leave an IKE SA without Children beside another that
 * has them.  It serves nothing; who began it takes it away, or else the other side does.
 */
static int
is_twin(const struct world *w, const struct ike_sa *ike)
{
	const struct ike_sa	*o = NULL;

	if (ike->nchildren > 0 || ike->q_first != 0 || ike->req.msg != NULL ||
	    ike->pend != NULL || ike->c.peer == NO_INDEX)
		return (0);
	while ((o = ike_alike(w, ike, o)) != NULL)
		if (o->state == IKE_UP && !o->want_delete && o->nchildren > 0)
			return (1);
	return (0);
}

static void
childless(struct world *w, struct ike_sa *ike)
{
	if (!is_twin(w, ike))
		ike->twin_at = MONO_NONE;
	else if (ike->twin_at.us == 0)
		ike->twin_at = mono_add_ms(w->now, world_jitter(w,
		    ike->c.initiator ? TWIN_MS : 2 * TWIN_MS, 20));
	else if (passed(ike->twin_at, w->now))
		ike->want_delete = 1;
}

/* Where an address was given with the IKE SA, the Child cannot go to another (2.19). */
static int
can_move(const struct world *w, const struct child_sa *c)
{
	return (c->state == CHILD_UP && !c->want_delete && !c->redundant && c->nwait == 0 &&
	    c->tunnel != NO_INDEX && !w->tunnels[c->tunnel].down &&
	    tunnel_conf(w, c->tunnel)->dyn == DYN_NO &&
	    child_live(w, c->mine) == NULL && child_live(w, c->theirs) == NULL &&
	    (c->initiated || child_live(w, c->replaces) == NULL));
}

/* One for the same selectors is there already: of them one goes (wanted.c). */
static int
is_double(const struct world *w, const struct ike_sa *ike, const struct child_sa *c)
{
	struct tslist		 l, r, xl, xr;
	const struct child_sa	*x;
	said			 id;

	child_get_ts(c, &l, &r);
	for (id = ike->children; (x = child_get(w, id)) != NULL; id = x->next[L_IKE]) {
		if (x->tunnel != c->tunnel || x->want_delete ||
		    (x->state != CHILD_UP && x->state != CHILD_INSTALLING))
			continue;
		child_get_ts(x, &xl, &xr);
		if (tslist_equal(&l, &xl) && tslist_equal(&r, &xr))
			return (1);
	}
	return (0);
}

struct child_sa *
twins_next(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*from;
	struct child_sa	*c;
	said		 id;

	if (ike->merge == 0)
		return (NULL);
	from = ike_get(w, ike->merge);
	ike->merge = 0;
	if (from == NULL || ike->doubtful || ike->check_by.us != 0 || ike->mob.unverified ||
	    ike_redundant(w, from, ike) != from)
		return (NULL);
	for (id = from->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (can_move(w, c) && !is_double(w, ike, c))
			break;
	if (c != NULL) {
		ike->merge = from->id;
		log_debug(w->log, "tunnel \"%s\": two IKE SAs with the peer: its Child SA "
		    "goes to the one that stays", tunnel_conf(w, c->tunnel)->name);
	}
	return (c);
}

/* This one goes, if the other is known to be there. */
static void
merge(struct world *w, struct ike_sa *ike, struct ike_sa *stays)
{
	/* the peer has not been heard there since this one was made */
	if (ike_redundant(w, ike, stays) == NULL && !stays->doubtful &&
	    stays->check_by.us == 0)
		stays->want_check = 1;
	stays->merge = ike->id;
	touch_ike(w, stays);
}

void
twins_look(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*stays;
	int		 alone;

	childless(w, ike);
	if (!ike->twin || ike->c.peer == NO_INDEX) {
		ike->merge_at = MONO_NONE;
		return;
	}
	if (!passed(ike->merge_at, w->now))
		return;
	stays = ike_survivor(w, ike, &alone);
	if (alone) {
		ike->twin = 0;
		ike->merge_at = MONO_NONE;
		return;
	}
	ike->merge_at = mono_add_ms(w->now, world_jitter(w, MERGE_OTHER_MS, 30));
	if (stays != ike && ike->nchildren > 0 && !stays->worn)
		merge(w, ike, stays);
}
