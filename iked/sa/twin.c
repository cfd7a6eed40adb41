/* SPDX-License-Identifier: ISC */
/*
 * Two IKE SAs with one peer.  Both sides may have begun at once, or one of them again when
 * the other IKE SA seemed dead.  One is enough: the one that the side with the lower identity
 * has begun goes.  Both sides come to that by what both know, so that they never move
 * Children against each other.
 */

#include <string.h>

#include "sa/world.h"

#define FIND_MAX	8
#define TOGETHER_MS	60000	/* made within this time both are as good as heard */

/* Not only one identity, which two machines may share, but the same machine. */
static int
same_place(const struct ike_sa *a, const struct ike_sa *b)
{
	return (ike_same_peer(a, b) && a->c.encap == b->c.encap &&
	    addr_cmp(&a->c.local.addr, &b->c.local.addr) == 0 &&
	    addr_cmp(&a->c.remote.addr, &b->c.remote.addr) == 0 &&
	    (!a->c.encap || a->c.remote.port == b->c.remote.port));
}

int
ike_order(const struct world *w, const struct ike_sa *ike)
{
	struct ident	me, peer;

	peer_local_id(w, ike->c.peer, &ike->c.local.addr, &me);
	if (ike->rid != NULL)
		peer = *ike->rid;
	else
		peer_remote_id(w, ike->c.peer, &ike->c.remote.addr, &peer);
	return (ident_order(&me, &peer));
}

/* An address that was given goes with its IKE SA only, so that one stays. */
static int
rank(const struct world *w, const struct ike_sa *ike)
{
	int	order = ike_order(w, ike);

	return ((ike->leased != 0 ? 2 : 0) +
	    (order != 0 && (ike->c.initiator != 0) == (order > 0)));
}

/* 1: of the two a is the one that stays. */
static int
better(const struct world *w, const struct ike_sa *a, const struct ike_sa *b)
{
	int	ra = rank(w, a), rb = rank(w, b);

	if (ra == rb)
		return (a->c.spii != b->c.spii ? a->c.spii > b->c.spii :
		    a->c.spir > b->c.spir);
	return (ra > rb);
}

/* The peer is known to have a, too: it has been heard there since b was made. */
static int
heard_since(const struct ike_sa *a, const struct ike_sa *b)
{
	return (mono_before(b->established, mono_add_ms(a->established, TOGETHER_MS)) ||
	    mono_before(b->established, a->last_in));
}

static int
counts(const struct ike_sa *ike)
{
	return (ike->state == IKE_UP && !ike->want_delete && ike->nchildren > 0);
}

struct ike_sa *
ike_redundant(const struct world *w, struct ike_sa *a, struct ike_sa *b)
{
	struct ike_sa	*stays, *goes;

	if (a == b || !counts(a) || !counts(b) || a->doubtful || b->doubtful ||
	    a->replaces == b->id || b->replaces == a->id ||
	    (a->replaces != 0 && a->replaces == b->replaces) || !same_place(a, b))
		return (NULL);
	stays = better(w, a, b) ? a : b;
	goes = stays == a ? b : a;
	return (heard_since(stays, goes) ? goes : NULL);
}

struct ike_sa *
ike_survivor(const struct world *w, struct ike_sa *ike, int *alone)
{
	struct ike_sa	*o = NULL, *best = ike;

	*alone = 1;
	while ((o = ike_alike(w, ike, o)) != NULL) {
		if (o->state > IKE_HEIR || !same_place(o, ike))
			continue;
		*alone = 0;
		if (counts(o) && better(w, o, best))
			best = o;
	}
	return (best);
}

void
ike_twins(struct world *w, struct ike_sa *ike)
{
	/* who began it takes it away, or else the other side does */
	ike->twin = 1;
	if (ike->merge_at.us == 0)
		ike->merge_at = mono_add_ms(w->now, world_jitter(w,
		    ike->c.initiator ? MERGE_MS : MERGE_OTHER_MS, 30));
}

void
ike_twins_find(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*o = NULL;
	int		 n;

	for (n = 0; n < FIND_MAX && (o = ike_alike(w, ike, o)) != NULL; n++)
		if (same_place(o, ike)) {
			ike_twins(w, o);
			ike_twins(w, ike);
		}
}

struct child_sa *
ike_twin_child(const struct world *w, struct ike_sa *ike, uint32_t tunnel,
    const struct tslist *l, const struct tslist *r)
{
	struct child_sa	*c = NULL;
	struct ike_sa	*o;
	struct tslist	 cl, cr;
	uint32_t	 h;

	if (!ike->twin)
		return (NULL);
	h = child_hash_ts(w, l, r);
	while ((c = child_alike(w, tunnel, h, c)) != NULL) {
		if (c->ike == ike->id || c->state != CHILD_UP || c->want_delete ||
		    c->redundant || child_live(w, c->theirs) != NULL)
			continue;
		child_get_ts(c, &cl, &cr);
		if (tslist_equal(l, &cl) && tslist_equal(r, &cr) &&
		    (o = ike_get(w, c->ike)) != NULL && ike_redundant(w, o, ike) == o)
			return (c);
	}
	return (NULL);
}
