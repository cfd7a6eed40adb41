/* SPDX-License-Identifier: ISC */
/* What the engine tells of itself: never a key, never a pointer. */

#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"

const char *
show_state_name(enum show_state s)
{
	switch (s) {
	case SHOW_UP:
		return ("up");
	case SHOW_ONDEMAND:
		return ("ondemand");
	case SHOW_PASSIVE:
		return ("passive");
	case SHOW_CONNECTING:
		return ("connecting");
	case SHOW_BACKOFF:
		return ("backoff");
	case SHOW_DOWN:
		break;
	}
	return ("down");
}

const char *
show_wake_name(enum show_wake k)
{
	switch (k) {
	case WAKE_ACQUIRE:
		return ("acquire");
	case WAKE_KEEPALIVE:
		return ("keepalive");
	case WAKE_COMMAND:
		return ("command");
	case WAKE_ACTIVE:
		return ("start");
	case WAKE_PEER:
		return ("peer");
	case WAKE_NONE:
		break;
	}
	return ("none");
}

const char *
show_event_name(enum show_event_type t)
{
	switch (t) {
	case EVENT_UP:
		return ("up");
	case EVENT_DOWN:
		return ("down");
	case EVENT_REKEY:
		return ("rekey");
	case EVENT_FAILURE:
		break;
	}
	return ("failure");
}

void
tell_event(const struct world *w, uint32_t i, enum show_event_type type)
{
	const struct tunnel	*t = &w->tunnels[i];
	const struct conf_peer	*p = peer_conf(w, t->peer);
	const struct child_sa	*c;
	struct show_event	 ev;

	if (w->fx.event == NULL)
		return;
	memset(&ev, 0, sizeof(ev));
	ev.type = type;
	(void)strlcpy(ev.tunnel, tunnel_conf(w, i)->name, sizeof(ev.tunnel));
	ev.local.addr = p->local;
	ev.remote.addr = p->remote;
	if (type == EVENT_UP || type == EVENT_REKEY) {
		if ((c = child_of_tunnel(w, i)) != NULL) {
			ev.local = c->local;
			ev.remote = c->remote;
			ev.spi_in = c->spi_in;
			ev.spi_out = c->spi_out;
		}
	} else {
		ev.reason = t->error != NULL ? t->why : t->down || w->flushed ?
		    WHY_COMMAND : WHY_GONE;
		(void)strlcpy(ev.text, t->error != NULL ? t->error :
		    t->down || w->flushed ? "by command" : "its Child SA is gone",
		    sizeof(ev.text));
	}
	w->fx.event(w->fx.arg, &ev);
}

static uint64_t
since(const struct world *w, monotime t)
{
	int64_t	us = mono_diff_us(w->now, t);

	return (t.us == 0 || us < 0 ? 0 : (uint64_t)us / 1000);
}

static uint64_t
until(const struct world *w, monotime t)
{
	int64_t	us = mono_diff_us(t, w->now);

	return (t.us == 0 || t.us == INT64_MAX || us < 0 ? 0 : (uint64_t)us / 1000);
}

static const char *
half_waits(const struct ike_half *h)
{
	switch (h->state) {
	case HALF_INIT_SENT:
		return ("IKE_SA_INIT reply");
	case HALF_SIGNING:
		return ("AUTH from keys");
	case HALF_AUTH_SENT:
		return ("IKE_AUTH reply");
	case HALF_CHECKING:
	case HALF_VERIFYING:
		return ("keys to check the peer's AUTH");
	case HALF_INIT_DONE:
		return ("IKE_AUTH request");
	case HALF_REFUSED:
		break;
	}
	return ("nothing: refused");
}

/* What a connecting tunnel waits for, since when, in which try. */
static void
waits(const struct world *w, uint32_t i, struct show_tunnel *r)
{
	const struct tunnel	*t = &w->tunnels[i];
	const struct ike_half	*h;
	const struct ike_sa	*ike;
	const struct child_sa	*c;

	if ((c = child_get(w, t->children)) != NULL && c->state == CHILD_INSTALLING) {
		(void)strlcpy(r->wait_for, "kernel", sizeof(r->wait_for));
		r->since_ms = since(w, c->born);
	} else if (t->queued != 0 && (ike = ike_get(w, t->queued)) != NULL) {
		(void)strlcpy(r->wait_for, ike->task == TASK_CREATE &&
		    ike->task_tunnel == i ? "CREATE_CHILD_SA reply" :
		    "its turn on the IKE SA", sizeof(r->wait_for));
		r->tries = ike->req.tries;
	} else if ((h = half_get(w, w->peers[t->peer].half)) != NULL) {
		(void)strlcpy(r->wait_for, half_waits(h), sizeof(r->wait_for));
		r->since_ms = since(w, h->since);
		r->tries = h->req.msg != NULL ? h->req.tries : 1;
	}
}

static void
show_tunnel(const struct world *w, uint32_t i, struct show_tunnel *r)
{
	const struct conf_tunnel	*ct = tunnel_conf(w, i);
	const struct tunnel		*t = &w->tunnels[i];
	const struct conf_peer		*p = peer_conf(w, t->peer);
	const struct child_sa		*c;
	const struct ike_sa		*ike;
	monotime			 next = t->hold_until;

	(void)strlcpy(r->name, ct->name, sizeof(r->name));
	r->mode = ct->mode;
	r->state = t->state != 0 ? (enum show_state)t->state : SHOW_DOWN;
	r->wake = t->wake;
	r->since_ms = since(w, t->since);
	r->tries = t->tries;
	if (w->flushed)
		(void)strlcpy(r->error, "flushed; \"ipsecctl reload\" places the "
		    "policies again", sizeof(r->error));
	else if (t->error != NULL)
		(void)strlcpy(r->error, t->error, sizeof(r->error));
	r->reason = t->why;
	if (p->absent != NULL && !w->flushed) {
		r->reason = WHY_UNRESOLVED;
		(void)strlcpy(r->error, p->absent, sizeof(r->error));
	}
	r->local.addr = p->local;
	r->remote.addr = p->remote;
	r->from = ct->from;
	r->to = ct->to;
	r->keepalive = ct->keepalive != NULL;
	if (t->state == SHOW_CONNECTING)
		waits(w, i, r);
	if (t->state == SHOW_BACKOFF) {
		if (mono_before(next, w->peers[t->peer].next_try))
			next = w->peers[t->peer].next_try;
		r->next_ms = until(w, next);
	}
	if ((c = child_of_tunnel(w, i)) != NULL) {
		r->spi_in = c->spi_in;
		r->spi_out = c->spi_out;
		r->local = c->local;
		r->remote = c->remote;
		r->bytes_in = c->bytes_in;
		r->bytes_out = c->bytes_out;
		r->packets_in = c->packets_in;
		r->packets_out = c->packets_out;
		if ((ike = ike_get(w, c->ike)) != NULL)
			r->ike_spii = ike->c.spii;
	}
}

static void
show_core(const struct ike_core *c, struct show_peer *r)
{
	r->local = c->local;
	r->remote = c->remote;
	r->spii = c->spii;
	r->spir = c->spir;
	r->initiator = c->initiator;
	r->suite = c->suite;
	r->natt_local = c->natt_local;
	r->natt_remote = c->natt_remote;
}

static void
show_ids(const struct world *w, uint32_t peer, struct show_peer *r)
{
	const struct conf_peer	*p = peer_conf(w, peer);

	if (r->remote.addr.fam == ADDR_NONE) {
		r->local.addr = p->local;
		r->remote.addr = p->remote;
	}
	peer_local_id(w, peer, &r->local.addr, &r->srcid);
	peer_remote_id(w, peer, &r->remote.addr, &r->dstid);
}

static void
show_ike(const struct world *w, const struct ike_sa *ike, struct show_peer *r)
{
	const char	*s = "established";

	show_core(&ike->c, r);
	if (ike->c.peer != NO_INDEX)
		show_ids(w, ike->c.peer, r);
	if (ike->rid != NULL)
		r->dstid = *ike->rid;
	r->established = ike->state == IKE_UP;
	if (ike->state == IKE_FINISHING)
		s = ike->job != 0 ? "waiting for AUTH from keys" : "waiting for kernel";
	else if (ike->state == IKE_REPLACED || ike->state == IKE_HEIR)
		s = "rekeyed";
	else if (ike->state != IKE_UP)
		s = "deleting";
	else if (ike->check_by.us != 0)
		s = "established, checking the peer";
	else if (ike->task == TASK_REKEY_IKE)
		s = "established, rekeying";
	(void)strlcpy(r->state, s, sizeof(r->state));
	r->since_ms = since(w, ike->state == IKE_UP ? ike->established : ike->since);
	r->nchildren = ike->nchildren;
	r->rekey_in_ms = until(w, ike->rekey_at);
	r->last_seen_ms = since(w, ike->last_in);
}

static void
show_half(const struct world *w, const struct ike_half *h, struct show_peer *r)
{
	show_core(&h->c, r);
	if (h->c.peer != NO_INDEX)
		show_ids(w, h->c.peer, r);
	(void)snprintf(r->state, sizeof(r->state), "waiting for %s", half_waits(h));
	r->since_ms = since(w, h->since);
}

static void
show_child(const struct world *w, const struct child_sa *c, struct show_sa *r)
{
	const struct ike_sa	*ike = ike_get(w, c->ike);
	const char		*s = "installed";

	if (c->tunnel != NO_INDEX)
		(void)strlcpy(r->tunnel, tunnel_conf(w, c->tunnel)->name,
		    sizeof(r->tunnel));
	if (ike != NULL)
		r->ike_spii = ike->c.spii;
	r->spi_in = c->spi_in;
	r->spi_out = c->spi_out;
	r->local = c->local;
	r->remote = c->remote;
	if (!c->encap)
		r->local.port = r->remote.port = 0;
	r->suite = c->suite;
	child_get_ts(c, &r->tsl, &r->tsr);
	if (c->state == CHILD_INSTALLING)
		s = "installing";
	else if (c->state == CHILD_DELETING || c->state == CHILD_LINGERING ||
	    c->redundant || c->want_delete)
		s = "deleting";
	else if (c->state == CHILD_REKEYED || c->theirs != 0)
		s = "rekeyed";
	else if (ike != NULL && ike->task == TASK_REKEY_CHILD &&
	    ike->task_child == c->id)
		s = "rekeying";
	(void)strlcpy(r->state, s, sizeof(r->state));
	r->age_ms = since(w, c->born);
	r->rekey_in_ms = until(w, c->rekey_at);
	r->expires_in_ms = until(w, c->expire_at);
	r->bytes_in = c->bytes_in;
	r->bytes_out = c->bytes_out;
	r->packets_in = c->packets_in;
	r->packets_out = c->packets_out;
	r->in_idle_ms = since(w, c->in_moved);
	r->out_idle_ms = since(w, c->out_moved);
}

static void
show_stats(const struct world *w, struct show_stats *r)
{
	const struct tally	*t = &w->tally;

	r->rx = t->rx;
	r->tx = t->tx;
	r->rx_bad = t->rx_bad;
	r->rx_dropped = t->rx_dropped;
	r->retransmits = t->retransmits;
	r->auth_failed = t->auth_failed;
	r->ike_up = t->ike_up;
	r->ike_down = t->ike_down;
	r->child_up = t->child_up;
	r->child_down = t->child_down;
	r->rekeys = t->rekeys;
	r->half_open = w->halves.used;
	r->ikev1 = t->ikev1;
	r->nike = w->ikes.used;
	r->nchild = w->childs.used;
	memcpy(r->sent, t->sent, sizeof(r->sent));
	memcpy(r->answered, t->answered, sizeof(r->answered));
	memcpy(r->unanswered, t->unanswered, sizeof(r->unanswered));
	memcpy(r->received, t->received, sizeof(r->received));
	r->undecrypted = t->undecrypted;
	r->cookies_asked = t->cookies_asked;
	r->cookies_sent = t->cookies_sent;
	r->frags_in = t->frags_in;
	r->frags_out = t->frags_out;
}

/* IKE SAs, then half-open ones, then configured peers that have neither. */
static int
next_peer(const struct world *w, uint64_t *cursor, struct show_peer *r)
{
	enum { IKES, HALVES, PEERS };
	uint32_t		 part = (uint32_t)(*cursor >> 32), at = (uint32_t)*cursor;
	const struct ike_sa	*ike;
	const struct ike_half	*h;

	if (part == IKES) {
		if ((ike = slab_walk(&w->ikes, &at, NULL)) != NULL) {
			*cursor = at;
			show_ike(w, ike, r);
			return (1);
		}
		part = HALVES;
		at = 0;
	}
	if (part == HALVES) {
		if ((h = slab_walk(&w->halves, &at, NULL)) != NULL) {
			*cursor = (uint64_t)HALVES << 32 | at;
			show_half(w, h, r);
			return (1);
		}
		at = 0;
	}
	for (; w->conf != NULL && at < w->conf->npeers; at++) {
		if (w->peers[at].ikes != 0 || w->peers[at].half != 0)
			continue;
		show_ids(w, at, r);
		(void)strlcpy(r->state, "none", sizeof(r->state));
		*cursor = (uint64_t)PEERS << 32 | (at + 1);
		return (1);
	}
	return (0);
}

int
engine_show(struct engine *e, monotime now, enum show_kind kind, uint64_t *cursor,
    struct show_rec *rec)
{
	struct world		*w = &e->w;
	const struct child_sa	*c;
	uint32_t		 at = (uint32_t)*cursor;

	w->now = now;
	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;
	switch (kind) {
	case SHOWK_TUNNEL:
		if (w->conf == NULL || *cursor >= w->conf->ntunnels)
			return (0);
		show_tunnel(w, (uint32_t)(*cursor)++, &rec->u.tunnel);
		return (1);
	case SHOWK_PEER:
		return (next_peer(w, cursor, &rec->u.peer));
	case SHOWK_SA:
		if ((c = slab_walk(&w->childs, &at, NULL)) == NULL)
			return (0);
		*cursor = at;
		show_child(w, c, &rec->u.sa);
		return (1);
	case SHOWK_STATS:
		if (*cursor != 0)
			return (0);
		*cursor = 1;
		show_stats(w, &rec->u.stats);
		return (1);
	case SHOWK_PLAN:
		return (plan_next(e, cursor, &rec->u.plan));
	}
	return (0);
}

int
engine_show_tunnel(struct engine *e, monotime now, const char *name, struct show_rec *rec)
{
	struct world	*w = &e->w;
	int32_t		 n;

	w->now = now;
	if ((n = tunnel_byname(w, name)) == -1)
		return (-1);
	memset(rec, 0, sizeof(*rec));
	rec->kind = SHOWK_TUNNEL;
	show_tunnel(w, (uint32_t)n, &rec->u.tunnel);
	return (0);
}
