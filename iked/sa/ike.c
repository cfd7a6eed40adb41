/* SPDX-License-Identifier: ISC */
/*
 * Birth and death of IKE SAs.  Here is the one door from unauthenticated to
 * authenticated.
 */

#include <stdlib.h>
#include <string.h>

#include "sa/world.h"

void
init_data_free(struct init_data *d)
{
	if (d == NULL)
		return;
	free(d->msg1);
	free(d->msg2);
	explicit_bzero(d, sizeof(*d));
	free(d);
}

void
held_clear(struct held *h)
{
	if (h->plain != NULL)
		explicit_bzero(h->plain, h->len);
	free(h->plain);
	memset(h, 0, sizeof(*h));
}

int
held_set(struct held *h, const uint8_t *p, size_t n, uint8_t first, uint32_t msgid)
{
	held_clear(h);
	if ((h->plain = malloc(n > 0 ? n : 1)) == NULL)
		return (-1);
	if (n > 0)
		memcpy(h->plain, p, n);
	h->len = (uint32_t)n;
	h->first = first;
	h->msgid = msgid;
	return (0);
}

void
frags_free(struct world *w, struct frags **at)
{
	struct frags	*f = *at;
	uint16_t	 i;

	if (f == NULL)
		return;
	for (i = 0; i < f->total; i++) {
		if (f->piece[i].p != NULL)
			explicit_bzero(f->piece[i].p, f->piece[i].len);
		free(f->piece[i].p);
	}
	if (f->half)
		w->halffrags -= f->octets;
	free(f);
	*at = NULL;
}

static void
core_clear(struct world *w, struct ike_core *c)
{
	frags_free(w, &c->frags[0]);
	frags_free(w, &c->frags[1]);
}

void
nego_free(struct world *w, struct nego *n)
{
	if (n == NULL)
		return;
	ke_free(n->ke);
	if (n->spi != 0)
		slot_free(w, n->slot);
	explicit_bzero(n, sizeof(*n));
	free(n);
}

void
pend_free(struct pend *p)
{
	if (p == NULL)
		return;
	if (p->w.p != NULL)
		explicit_bzero(p->w.p, p->w.cap);
	free(p->w.p);
	free(p->out);
	free(p);
}

void
outreq_clear(struct world *w, struct outreq *r)
{
	struct timer	t = r->timer;

	timer_cancel(&w->timers, &r->timer);
	free(r->msg);
	memset(r, 0, sizeof(*r));
	r->timer.kind = t.kind;
	r->timer.owner = t.owner;
}

void
reply_clear(struct reply *r)
{
	free(r->msg);
	memset(r, 0, sizeof(*r));
}

int
reply_set(struct reply *r, const uint8_t *p, size_t n, uint32_t msgid)
{
	reply_clear(r);
	if ((r->msg = malloc(n)) == NULL)
		return (-1);
	memcpy(r->msg, p, n);
	r->len = (uint32_t)n;
	r->msgid = msgid;
	return (0);
}

/*
 * The room of a whole message goes back as one piece: made smaller in place it would
 * leave a hole that the next one does not fit in, 7 kB beside every SA.
 */
void
reply_take(struct reply *r, uint8_t *p, size_t n, uint32_t msgid)
{
	uint8_t	*copy;

	reply_clear(r);
	if ((copy = malloc(n)) != NULL) {
		memcpy(copy, p, n);
		free(p);
		p = copy;
	}
	r->msg = p;
	r->len = (uint32_t)n;
	r->msgid = msgid;
}

struct ike_half *
half_new(struct world *w, int initiator)
{
	struct ike_half	*h;
	uint64_t	 spi;
	uint32_t	 slot;
	said		 id;

	if (timers_reserve(&w->timers, 2) == -1)
		return (NULL);
	if ((h = slab_alloc(&w->halves, &id)) == NULL ||
	    slot_new(w, &spi, &slot) == -1) {
		if (h != NULL)
			slab_release(&w->halves, id);
		timers_unreserve(&w->timers, 2);
		return (NULL);
	}
	h->id = id;
	h->c.slot = slot;
	h->c.peer = NO_INDEX;
	h->c.begun = w->now;
	h->c.initiator = (uint8_t)initiator;
	h->tunnel = h->counted = NO_INDEX;
	if (initiator)
		h->c.spii = spi;
	else
		h->c.spir = spi;
	h->timer.kind = h->req.timer.kind = T_HALF;
	h->timer.owner = h->req.timer.owner = id;
	slot_bind(w, slot, id, 1);
	return (h);
}

struct ike_half *
half_get(const struct world *w, said id)
{
	return (slab_get(&w->halves, id));
}

void
half_state(struct world *w, struct ike_half *h, enum half_state s)
{
	h->state = s;
	h->since = w->now;
}

void
half_count(struct world *w, struct ike_half *h, uint32_t first)
{
	h->counted = first;
	if (first == NO_INDEX)
		return;
	w->peers[first].nhalf++;
	w->nhalfany += addr_is_any(&peer_conf(w, first)->remote);
}

static void
half_uncount(struct world *w, struct ike_half *h)
{
	if (h->counted == NO_INDEX)
		return;
	w->peers[h->counted].nhalf--;
	w->nhalfany -= addr_is_any(&peer_conf(w, h->counted)->remote);
	h->counted = NO_INDEX;
}

void
half_recount(struct world *w)
{
	struct ike_half	*h;
	uint32_t	 at, i;

	for (i = 0; i < w->conf->npeers; i++)
		w->peers[i].nhalf = 0;
	w->nhalfany = 0;
	for (at = 0; (h = slab_walk(&w->halves, &at, NULL)) != NULL;)
		if (!h->c.initiator)
			half_count(w, h, peer_first_addr(w, &h->c.local.addr,
			    &h->c.remote.addr));
}

/* All but what ike_promote() has taken out. */
static void
half_release(struct world *w, struct ike_half *h)
{
	struct job	*j;

	if (h->id == 0)
		return;
	if ((j = job_get(w, h->job)) != NULL)
		job_free(w, j);
	if (!h->c.initiator && h->c.spii != 0)
		init_hash_del(w, h);
	half_uncount(w, h);
	if (h->c.initiator && h->c.peer != NO_INDEX &&
	    w->peers[h->c.peer].half == h->id)
		w->peers[h->c.peer].half = 0;
	outreq_clear(w, &h->req);
	reply_clear(&h->resp);
	init_data_free(h->init);
	ke_free(h->ke);
	nego_free(w, h->nego);
	held_clear(&h->held);
	free(h->cookie);
	core_clear(w, &h->c);
	timer_cancel(&w->timers, &h->timer);
	timers_unreserve(&w->timers, 2);
	slab_release(&w->halves, h->id);
	h->init = NULL;
	h->ke = NULL;
	h->nego = NULL;
	h->cookie = NULL;
	h->id = 0;
}

void
half_free(struct world *w, struct ike_half *h)
{
	slot_free(w, h->c.slot);
	half_release(w, h);
}

static struct ike_sa *
ike_alloc(struct world *w)
{
	struct ike_sa	*ike;
	said		 id;

	if (timers_reserve(&w->timers, 3) == -1)
		return (NULL);
	if ((ike = slab_alloc(&w->ikes, &id)) == NULL) {
		timers_unreserve(&w->timers, 3);
		return (NULL);
	}
	ike->id = id;
	ike->req.timer.kind = T_IKE_REQ;
	ike->life.kind = T_IKE_LIFE;
	ike->natt.kind = T_IKE_NATT;
	ike->req.timer.owner = ike->life.owner = ike->natt.owner = id;
	ike->established = ike->last_in = ike->last_ok = w->now;
	ike->task_tunnel = NO_INDEX;
	ike->c.slot = NO_INDEX;
	return (ike);
}

static void
ike_link(struct world *w, struct ike_sa *ike)
{
	struct peer	*p = &w->peers[ike->c.peer];
	struct ike_sa	*n;

	ike->next = p->ikes;
	ike->prev = 0;
	if ((n = ike_get(w, p->ikes)) != NULL)
		n->prev = ike->id;
	p->ikes = ike->id;
}

static void
ike_unlink(struct world *w, struct ike_sa *ike)
{
	struct ike_sa	*x;

	if (ike->c.peer == NO_INDEX)
		return;
	if ((x = ike_get(w, ike->next)) != NULL)
		x->prev = ike->prev;
	if ((x = ike_get(w, ike->prev)) != NULL)
		x->next = ike->next;
	else if (w->peers[ike->c.peer].ikes == ike->id)
		w->peers[ike->c.peer].ikes = ike->next;
	ike->next = ike->prev = 0;
}

struct ike_sa *
ike_promote(struct world *w, struct ike_half *h, const struct job *j,
    const struct keys_ans *verdict)
{
	struct ike_sa	*ike;

	if (j->kind != J_VERIFY || j->owner != h->id || !j->half ||
	    verdict->token != j->token || verdict->ok != 1 || verdict->len != 0 ||
	    h->c.peer == NO_INDEX)
		return (NULL);
	if ((ike = ike_alloc(w)) == NULL)
		return (NULL);
	core_clear(w, &h->c);
	ike->c = h->c;
	ike->init = h->init;
	ike->held = h->held;
	h->init = NULL;
	memset(&h->held, 0, sizeof(h->held));
	slot_bind(w, ike->c.slot, ike->id, 0);
	ike_link(w, ike);
	ike_state(w, ike, h->c.initiator ? IKE_UP : IKE_FINISHING);
	/* IKE_AUTH was message 1 of the initiator's; a responder starts at 0 */
	ike->msgid_out = h->c.initiator ? 2 : 0;
	ike->msgid_in = h->c.initiator ? 0 : 2;
	explicit_bzero(&h->c.keys, sizeof(h->c.keys));
	half_release(w, h);
	w->tally.ike_up++;
	return (ike);
}

int
ike_same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
	return (a->c.peer == b->c.peer && (a->rid == NULL || b->rid == NULL ||
	    ident_equal(a->rid, b->rid)));
}

struct ike_sa *
ike_successor(struct world *w, const struct ike_sa *old)
{
	struct ike_sa	*ike;

	if ((ike = ike_alloc(w)) == NULL)
		return (NULL);
	if (old->rid != NULL && (ike->rid = malloc(sizeof(*ike->rid))) == NULL) {
		timers_unreserve(&w->timers, 3);
		slab_release(&w->ikes, ike->id);
		return (NULL);
	}
	if (old->rid != NULL)
		*ike->rid = *old->rid;
	ike->c.peer = old->c.peer;
	ike_named(w, ike);
	ike->c.begun = w->now;
	ike->c.rtt_ms = old->c.rtt_ms;
	ike->rekeys = old->rekeys;
	ike->c.natt_local = old->c.natt_local;
	ike->c.natt_remote = old->c.natt_remote;
	ike->c.natt_forced = old->c.natt_forced;
	ike->c.encap = old->c.encap;
	/* agreed upon once for all that come of that IKE_SA_INIT */
	ike->c.frag = old->c.frag;
	ike->c.mtu = old->c.mtu;
	ike->c.local = old->c.local;
	ike->c.remote = old->c.remote;
	ike->mob = old->mob;
	/* the hash has the SPIs in it (RFC 4555 3.8) */
	ike->mob.has_seen = 0;
	ike->mob.asked = 0;
	ike->mob.want_verify = ike->mob.unverified;
	ike->replaces = old->id;
	if (old->twin)
		ike_twins(w, ike);
	ike_link(w, ike);
	ike_state(w, ike, IKE_HEIR);
	w->tally.ike_up++;
	return (ike);
}

struct ike_sa *
ike_adopt(struct world *w, const struct ike_core *c)
{
	struct ike_sa	*ike;

	if ((ike = ike_alloc(w)) == NULL)
		return (NULL);
	ike->c = *c;
	slot_bind(w, c->slot, ike->id, 0);
	ike_link(w, ike);
	ike_state(w, ike, IKE_UP);
	return (ike);
}

struct ike_sa *
ike_get(const struct world *w, said id)
{
	return (slab_get(&w->ikes, id));
}

void
ike_state(struct world *w, struct ike_sa *ike, enum ike_state s)
{
	ike->state = s;
	ike->since = w->now;
}

void
ike_free(struct world *w, struct ike_sa *ike)
{
	struct job	*j;
	uint32_t	 t;

	while ((t = queue_take(w, ike)) != NO_INDEX)
		touch_tunnel(w, t);
	if (ike->task == TASK_CREATE && ike->task_tunnel != NO_INDEX &&
	    w->tunnels[ike->task_tunnel].queued == ike->id) {
		w->tunnels[ike->task_tunnel].queued = 0;
		touch_tunnel(w, ike->task_tunnel);
	}
	if ((j = job_get(w, ike->job)) != NULL)
		job_free(w, j);
	lease_end(w, ike);
	ike_unlink(w, ike);
	untouch_ike(w, ike);
	slot_free(w, ike->c.slot);
	outreq_clear(w, &ike->req);
	reply_clear(&ike->resp);
	nego_free(w, ike->nego);
	pend_free(ike->pend);
	init_data_free(ike->init);
	held_clear(&ike->held);
	core_clear(w, &ike->c);
	likes_del(&w->names, ike->id);
	free(ike->rid);
	ike->nego = NULL;
	ike->pend = NULL;
	ike->init = NULL;
	ike->rid = NULL;
	timer_cancel(&w->timers, &ike->life);
	timer_cancel(&w->timers, &ike->natt);
	timers_unreserve(&w->timers, 3);
	slab_release(&w->ikes, ike->id);
	w->tally.ike_down++;
}

struct ike_sa *
ike_of_peer(const struct world *w, uint32_t peer)
{
	struct ike_sa	*ike, *second = NULL;
	said		 id;
	int		 alone;

	for (id = w->peers[peer].ikes; (ike = ike_get(w, id)) != NULL;
	    id = ike->next) {
		if (ike->state != IKE_UP || ike->want_delete)
			continue;
		if (second == NULL)
			second = ike;
		if (ike->doubtful || ike->check_by.us != 0)
			continue;
		/* of two of the same peer, the one that stays */
		if (ike->twin) {
			second = ike_survivor(w, ike, &alone);
			if (!second->doubtful && second->check_by.us == 0)
				return (second);
		}
		return (ike);
	}
	return (second);
}
