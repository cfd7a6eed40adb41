/* SPDX-License-Identifier: ISC */
/*
 * A new generation of the configuration.  What is equal by name and content keeps its
 * SAs; what only lives otherwise or has other transforms keeps them, too, and is rekeyed
 * under the new words (conf_diff.c); what else changed or went is deleted, with a word to
 * the peer; everything else is left alone.
 */

#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"

struct maps {
	uint32_t	*peer;		/* old index -> new, or NO_INDEX */
	uint32_t	*tunnel;
	uint32_t	*diff;		/* of a tunnel that stays: 1 << enum conf_field */
	struct peer	*peers;
	struct tunnel	*tunnels;
	uint32_t	*byname;
};

/* An old tunnel's place in the new file, if its SAs can serve it there. */
static void
map_tunnel(struct world *w, const struct conf *nc, struct maps *m, uint32_t o)
{
	const struct conf_tunnel	*ot = &w->conf->tunnels[o];
	const struct conf_tunnel	*nt;
	int32_t				 n;

	m->tunnel[o] = NO_INDEX;
	if ((n = names_find(nc, m->byname, ot->name)) == -1)
		return;
	nt = &nc->tunnels[n];
	if (conf_change(conf_peer_diff(&w->conf->peers[ot->peer],
	    &nc->peers[nt->peer])) == CHANGE_REPLACED)
		return;
	m->peer[ot->peer] = nt->peer;
	m->diff[o] = conf_tunnel_diff(w->conf, ot, nc, nt);
	if (conf_change(m->diff[o]) != CHANGE_REPLACED)
		m->tunnel[o] = (uint32_t)n;
}

static int
maps_make(struct world *w, const struct conf *nc, struct maps *m)
{
	uint32_t	 i, no = w->conf != NULL ? w->conf->ntunnels : 0;
	uint32_t	 np = w->conf != NULL ? w->conf->npeers : 0;

	memset(m, 0, sizeof(*m));
	m->peer = calloc(np + 1, sizeof(*m->peer));
	m->tunnel = calloc(no + 1, sizeof(*m->tunnel));
	m->diff = calloc(no + 1, sizeof(*m->diff));
	if (m->peer == NULL || m->tunnel == NULL || m->diff == NULL ||
	    runtime_new(nc, &m->peers, &m->tunnels, &m->byname) == -1) {
		free(m->peer);
		free(m->tunnel);
		free(m->diff);
		return (-1);
	}
	for (i = 0; i < np; i++)
		m->peer[i] = NO_INDEX;
	for (i = 0; i < no; i++)
		map_tunnel(w, nc, m, i);
	return (0);
}

/* Says DELETE and goes on saying it for a while; Children end at once. */
static void
farewell(struct world *w, struct ike_sa *ike)
{
	struct child_sa	*c;

	while ((c = child_get(w, ike->children)) != NULL)
		child_remove(w, c, WHY_NONE, NULL);
	outreq_clear(w, &ike->req);
	ike->task = TASK_NONE;
	ike->check_by = MONO_NONE;
	if (ike->state == IKE_FINISHING || delete_ike_start(w, ike) == -1)
		ike_remove(w, ike, WHY_NONE, NULL);
}

static void
drop_half(struct world *w, struct ike_half *h, const struct maps *m)
{
	if (h->c.peer == NO_INDEX)
		return;
	if (m->peer[h->c.peer] == NO_INDEX ||
	    (h->tunnel != NO_INDEX && m->tunnel[h->tunnel] == NO_INDEX))
		half_free(w, h);
}

/* While the old generation still stands: what does not go on into the new. */
static void
drop_old(struct world *w, const struct maps *m)
{
	struct ike_half	*h;
	struct ike_sa	*ike;
	struct child_sa	*c;
	uint32_t	 at;

	for (at = 0; (h = slab_walk(&w->halves, &at, NULL)) != NULL;)
		drop_half(w, h, m);
	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;)
		if (ike->c.peer != NO_INDEX && m->peer[ike->c.peer] == NO_INDEX &&
		    ike->state != IKE_DELETING)
			farewell(w, ike);
	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;) {
		if (c->tunnel == NO_INDEX || m->tunnel[c->tunnel] != NO_INDEX)
			continue;
		/* the kernel process knows it by the old generation: now or never */
		child_abandon(w, c);
	}
}

static void
move_sas(struct world *w, const struct maps *m, int mobike)
{
	struct ike_half	*h;
	struct ike_sa	*ike;
	struct child_sa	*c;
	uint32_t	 at, p;

	for (at = 0; (h = slab_walk(&w->halves, &at, NULL)) != NULL;) {
		if (h->c.peer != NO_INDEX)
			h->c.peer = m->peer[h->c.peer];
		if (h->tunnel != NO_INDEX)
			h->tunnel = m->tunnel[h->tunnel];
	}
	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;) {
		while (queue_take(w, ike) != NO_INDEX)
			;
		p = ike->c.peer;
		ike->c.peer = p == NO_INDEX ? NO_INDEX : m->peer[p];
		if (ike->c.peer == NO_INDEX)
			ike->next = ike->prev = 0;
		/* with a tunnel that went its pool goes, too */
		if (ike->leased != 0 && (ike->leased = m->tunnel[ike->leased - 1] + 1) == 0)
			memset(ike->lease, 0, sizeof(ike->lease));
		if (ike->c.peer == NO_INDEX || !mobike)
			ike->mob.on = ike->mob.unverified = 0;
		if (ike->task_tunnel != NO_INDEX)
			ike->task_tunnel = m->tunnel[ike->task_tunnel];
		touch_ike(w, ike);
	}
	ikes_named_again(w);
	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;)
		if (c->tunnel != NO_INDEX)
			c->tunnel = m->tunnel[c->tunnel];
}

/* What the runtime knows of a kept tunnel or peer. */
static void
move_runtime(struct world *w, struct maps *m)
{
	struct tunnel	*o, *n;
	struct peer	*p;
	uint32_t	 i;

	for (i = 0; w->conf != NULL && i < w->conf->ntunnels; i++) {
		o = &w->tunnels[i];
		timer_cancel(&w->timers, &o->timer);
		timers_unreserve(&w->timers, 1);
		if (m->tunnel[i] == NO_INDEX) {
			free(o->error);
			pools_free(o);
			continue;
		}
		n = &m->tunnels[m->tunnel[i]];
		n->queued = 0;
		n->children = o->children;
		n->state = o->state;
		n->wake = o->wake;
		n->down = o->down;
		n->single = o->single;
		n->up = o->up;
		n->tries = o->tries;
		n->since = o->since;
		n->wanted_until = o->wanted_until;
		n->hold_until = o->hold_until;
		n->error = o->error;
		n->why = o->why;
		/* what was wanted for good because of its mode is so no longer */
		if ((m->diff[i] & 1U << CF_MODE) != 0 && n->wanted_until.us == INT64_MAX)
			n->wanted_until = MONO_NONE;
		memcpy(n->pool, o->pool, sizeof(n->pool));
		memcpy(n->wish, o->wish, sizeof(n->wish));
	}
	for (i = 0; w->conf != NULL && i < w->conf->npeers; i++) {
		if (m->peer[i] == NO_INDEX)
			continue;
		p = &m->peers[m->peer[i]];
		*p = w->peers[i];
		p->tunnels = p->addr_next = p->id_next = p->kind_next = 0;
	}
}

/* Children whose tunnel went: out of its list, before the list goes. */
static void
unlink_orphans(struct world *w, const struct maps *m)
{
	struct child_sa	*c;
	uint32_t	 i;
	said		 id;

	for (i = 0; w->conf != NULL && i < w->conf->ntunnels; i++) {
		if (m->tunnel[i] != NO_INDEX)
			continue;
		for (id = w->tunnels[i].children; (c = child_get(w, id)) != NULL;) {
			id = c->next[L_TUNNEL];
			c->next[L_TUNNEL] = c->prev[L_TUNNEL] = 0;
		}
	}
}

/*
 * Make before break: who lives otherwise now, or has other transforms, is rekeyed under
 * the new words.  A peer that does not know them yet refuses, and is asked again: the SAs
 * carry on.  Not all at once, when there are many.
 */
#define RENEW_MS	5

static void
renew(struct world *w, const struct maps *m, uint32_t nold)
{
	struct child_sa	*c;
	struct ike_sa	*ike;
	monotime	 t = w->now;
	uint32_t	 i;
	said		 id;

	for (i = 0; i < nold; i++) {
		if (m->tunnel[i] == NO_INDEX || (m->diff[i] & (CF_REKEY_CHILD |
		    CF_REKEY_IKE)) == 0)
			continue;
		for (id = w->tunnels[m->tunnel[i]].children;
		    (c = child_get(w, id)) != NULL; id = c->next[L_TUNNEL]) {
			if ((m->diff[i] & CF_REKEY_IKE) != 0 &&
			    (ike = ike_get(w, c->ike)) != NULL && ike->state == IKE_UP) {
				ike->rekey_at = t;
				touch_ike(w, ike);
			}
			if (c->state != CHILD_UP || (m->diff[i] & CF_REKEY_CHILD) == 0)
				continue;
			c->rekey_at = t;
			timer_set(&w->timers, &c->timer, t);
		}
		t = mono_add_ms(t, RENEW_MS + world_uniform(w, RENEW_MS));
	}
}

/* What is being asked for stays asked for: queued once more, it would be in the list when
 * the answer comes, and twice soon after. */
static void
keep_asked(struct world *w)
{
	struct ike_sa	*ike;
	uint32_t	 at;

	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;)
		if (ike->task == TASK_CREATE && ike->task_tunnel != NO_INDEX)
			w->tunnels[ike->task_tunnel].queued = ike->id;
}

static void
start_wanted(struct world *w)
{
	struct tunnel	*t;
	uint32_t	 i;

	for (i = 0; i < w->conf->ntunnels; i++) {
		t = &w->tunnels[i];
		if (w->conf->tunnels[i].mode == MODE_ACTIVE && !w->conf->passive &&
		    !t->down && t->wanted_until.us != INT64_MAX) {
			t->wanted_until = MONO_NEVER;
			if (!t->up)
				t->wake = WAKE_ACTIVE;
			/* not all at once, when there are many */
			if (i >= 16)
				t->hold_until = mono_add_ms(w->now, i * 2 +
				    world_uniform(w, 50));
		}
		if (t->since.us == 0)
			t->since = w->now;
		touch_tunnel(w, i);
	}
}

/*
 * A crash, or a power cut, is no farewell: peers go on sending into SAs that are no more,
 * and find out by themselves after seconds, or not at all where nothing is sent.  Each
 * with which there is no SA is told that we are new (exchange/hint.c), and again a
 * little later, for at the start of a machine the network may not be there yet.
 */
#define KNOCK_FIRST_MS	20
#define KNOCK_TURN_MS	20	/* a few at a time: 500 a second */
#define KNOCK_TURN	10
#define KNOCK_LOOK	100	/* most may need none */
#define KNOCK_ROUNDS	4	/* at 0, 1, 3 and 7 s */

void
reload_knock(struct world *w)
{
	int64_t	ms = KNOCK_TURN_MS;
	int	n, sent = 0;

	if (w->conf == NULL || w->stopping || w->conf->passive || w->conf->npeers == 0)
		return;
	if (w->knock_peer >= w->conf->npeers) {
		w->knock_peer = 0;
		ms = 1000 << w->knock_round;
		if (++w->knock_round == KNOCK_ROUNDS)
			return;
	} else
		for (n = 0; n < KNOCK_LOOK && sent < KNOCK_TURN &&
		    w->knock_peer < w->conf->npeers; n++)
			sent += hint_send(w, w->knock_peer++);
	timer_set(&w->timers, &w->knock, mono_add_ms(w->now, ms));
}

int
engine_conf(struct engine *e, monotime now, struct conf *nc)
{
	struct world	*w = &e->w;
	struct conf	*oc = w->conf;
	struct maps	 m;

	w->now = now;
	if (timers_reserve(&w->timers, nc->ntunnels) == -1 ||
	    maps_make(w, nc, &m) == -1) {
		log_fault(w->log, WHY_MEMORY,
		    "out of memory: the new configuration is not used");
		conf_free(nc);
		return (-1);
	}
	w->dirty_tunnels = 0;
	if (oc != NULL)
		drop_old(w, &m);
	unlink_orphans(w, &m);
	move_sas(w, &m, nc->mobike);
	move_runtime(w, &m);
	free(w->peers);
	free(w->tunnels);
	free(w->byname);
	w->peers = m.peers;
	w->tunnels = m.tunnels;
	w->byname = m.byname;
	w->conf = nc;
	w->flushed = 0;
	w->dirty_tunnels = 0;
	free(e->old_map);
	plan_free(e);
	e->old_map = m.tunnel;
	e->nold = oc != NULL ? oc->ntunnels : 0;
	e->old_gen = oc != NULL ? oc->gen : 0;
	free(m.peer);
	renew(w, &m, e->nold);
	free(m.diff);
	conf_free(oc);
	if (runtime_index(w) == -1)
		log_fault(w->log, WHY_MEMORY,
		    "out of memory: peers cannot be found by address");
	half_recount(w);
	keep_asked(w);
	start_wanted(w);
	if (oc == NULL)
		timer_set(&w->timers, &w->knock, mono_add_ms(now, KNOCK_FIRST_MS));
	engine_settle(e);
	return (0);
}
