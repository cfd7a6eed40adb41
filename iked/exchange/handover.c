/* SPDX-License-Identifier: ISC */
/*
 * From one Child of a tunnel to the next: when the successor begins to carry our traffic
 * (RFC 7296 2.8), and how the one before it goes.
 */

#include <string.h>

#include "exchange/exchange.h"

int
child_elsewhere(const struct child_sa *c, const struct ike_core *k)
{
	return (addr_cmp(&c->local.addr, &k->local.addr) != 0 ||
	    addr_cmp(&c->remote.addr, &k->remote.addr) != 0 || c->encap != k->encap);
}

/*
 * With MOBIKE both sides know of the move, and the old SAs stay until the successor
 * is there: what is still on its way arrives, and a peer that has moved its own SAs
 * as they are is heard.
 */
void
child_moved(struct world *w, struct child_sa *c, struct ike_sa *ike, int64_t ms)
{
	monotime	t = mono_add_ms(w->now, ms);

	if (c->tunnel == NO_INDEX || c->state == CHILD_DELETING ||
	    c->state == CHILD_REKEYED || c->state == CHILD_LINGERING ||
	    c->want_delete)
		return;
	if (!child_elsewhere(c, &ike->c)) {
		child_follow(w, c, &ike->c.remote);
		return;
	}
	c->quiet_until = MONO_NONE;
	/* it does not stay when nothing comes of that */
	c->expire_at = mono_add_ms(w->now, 3 * MOVED_MS);
	if (ms == 0) {
		c->want_rekey = 1;
		touch_ike(w, ike);
		return;
	}
	c->rekey_at = t;
	if (c->timer.pos == 0 || mono_before(t, c->timer.when))
		timer_set(&w->timers, &c->timer, t);
}

/*
 * The peer has not shown that it has the new SA: our answer may still be on its way.  As
 * long as the old SA carries our packets they go on there (2.8), but not for longer than
 * the peer waits for an answer.
 */
void
child_out_due(struct world *w, struct child_sa *c)
{
	const struct child_sa	*old = child_live(w, c->replaces);

	if (old != NULL && old->out_there && mono_before(w->now,
	    mono_add_ms(c->born, OUT_LATEST_MS)))
		c->out_at = mono_add_ms(w->now, OUT_LATER_MS);
	else
		child_out_now(w, c);
}

/* We delete it.  Unless another one carries our traffic by now, one that waits for
 * the peer does. */
void
child_relieve(struct world *w, const struct child_sa *c)
{
	struct child_sa	*x, *next = NULL;
	struct tslist	 l, r, xl, xr;
	said		 id;

	child_get_ts(c, &l, &r);
	for (id = c->tunnel != NO_INDEX ? w->tunnels[c->tunnel].children : 0;
	    (x = child_get(w, id)) != NULL; id = x->next[L_TUNNEL]) {
		child_get_ts(x, &xl, &xr);
		if (x == c || x->want_delete || x->redundant ||
		    x->state == CHILD_DELETING || x->state == CHILD_LINGERING ||
		    !tslist_equal(&l, &xl) || !tslist_equal(&r, &xr))
			continue;
		if (x->out_there)
			return;
		if (next == NULL && x->out_later != NULL)
			next = x;
	}
	if (next != NULL)
		child_out_now(w, next);
}

/*
 * Both have rekeyed, and of the two successors the peer deletes the one that the nonces
 * leave (2.8.1): its kernel may have lost it.  Then the other one is no more too many.
 */
static struct child_sa *
redeem(struct world *w, const struct child_sa *c)
{
	struct child_sa	*x;
	said		 id;

	for (id = c->tunnel != NO_INDEX && c->replaces != 0 ?
	    w->tunnels[c->tunnel].children : 0; (x = child_get(w, id)) != NULL;
	    id = x->next[L_TUNNEL])
		if (x != c && x->redundant && x->replaces == c->replaces &&
		    x->state == CHILD_UP && !x->want_delete) {
			x->redundant = 0;
			x->drop_at = MONO_NONE;
			return (x);
		}
	return (NULL);
}

/* The peer deletes it: whatever replaces it must carry our traffic now. */
said
child_hand_over(struct world *w, const struct child_sa *c)
{
	const said	 ids[2] = { c->theirs, c->mine };
	struct child_sa	*n;
	said		 id = 0;
	int		 i;

	for (i = 0; i < 2; i++)
		if ((n = child_live(w, ids[i])) != NULL && n->out_later != NULL) {
			child_out_now(w, n);
			id = n->id;
		}
	if (!c->redundant && (n = redeem(w, c)) != NULL) {
		child_out_now(w, n);
		id = n->id;
	}
	return (id);
}

/*
 * Both sides know that it is deleted.  Packets may still be on their way that left
 * before; where they have been overtaken by the DELETE or its answer, they are
 * taken for a moment, if another Child carries the tunnel from now on.
 */
void
child_gone(struct world *w, struct child_sa *c, enum reason code, const char *why)
{
	struct ike_sa		*ike = ike_get(w, c->ike);
	enum child_state	 s = c->state;
	int64_t			 ms = LINGER_MS;

	c->state = CHILD_LINGERING;
	if (s == CHILD_INSTALLING || !c->in_there || c->tunnel == NO_INDEX ||
	    ike == NULL || child_of_tunnel(w, c->tunnel) == NULL) {
		c->state = s;
		child_remove(w, c, code, why);
		return;
	}
	child_kernel_delete(w, c, KERN_OUT);
	child_forget_keys(c);
	c->want_delete = c->want_rekey = 0;
	ms += 2 * (int64_t)ike->c.rtt_ms;
	c->expire_at = mono_add_ms(w->now, ms > LAST_MS ? LAST_MS : ms);
	timer_set(&w->timers, &c->timer, c->expire_at);
	touch_tunnel(w, c->tunnel);
	touch_ike(w, ike);
}
