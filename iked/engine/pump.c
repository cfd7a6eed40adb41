/* SPDX-License-Identifier: ISC */
/*
 * What an IKE SA does next.  Wishes are left in the SA and its Children by
 * exchanges, timers and commands; with a window of one (2.3) they become
 * requests one after the other, the urgent ones first.  Retransmission is here too.
 *
 * The window stays at one.  A peer's SET_WINDOW_SIZE says how many more requests it would
 * take at once; that is an offer, whatever number it names, and is not looked at.  We send
 * none, so that the peer, too, has one request out at a time.
 */

#include <string.h>

#include "engine/engine_local.h"

#define NATT_MS	20000	/* RFC 3948 4 */
#define NATT_IDLE_S 20	/* behind a NAT, a peer so long silent is asked */
#define ALONE_MS	120000	/* one that nobody wants anything of */

static monotime
earlier(monotime a, monotime b)
{
	if (b.us == 0)
		return (a);
	return (mono_before(b, a) ? b : a);
}

static int
passed(monotime t, monotime now)
{
	return (t.us != 0 && mono_reached(t, now));
}

/* The peer has not been heard for so long that it is worth a question. */
static monotime
idle_at(const struct world *w, const struct ike_sa *ike)
{
	monotime	t = ike->last_in;
	int64_t		secs;

	if (w->conf == NULL || w->conf->dpd_interval == 0)
		return (MONO_NEVER);
	if (mono_before(t, ike->last_data))
		t = ike->last_data;
	/* a router that forgets whom it stood for cuts the peer's way to us, and the peer
	 * cannot say so: what we send tells it where we are now */
	secs = w->conf->dpd_interval;
	if (ike->c.natt_local && secs > NATT_IDLE_S)
		secs = NATT_IDLE_S;
	/* each side cuts another part of it off, so that one asks for both */
	return (mono_add_ms(t, secs * (1000 - ike->idle_cut)));
}

/* Somebody here wants a Child of this peer, now or when a back-off ends. */
static int
peer_wanted(const struct world *w, uint32_t peer)
{
	uint32_t	t;

	for (t = w->peers[peer].tunnels; t != 0; t = w->tunnels[t - 1].next_of_peer)
		if (tunnel_wanted(w, t - 1))
			return (1);
	return (0);
}

/* An IKE SA without Children, by intent (RFC 6023) or since none could be made, is not
 * kept for ever.  The peer may have its own plans with it: it gets time. */
static void
alone(struct world *w, struct ike_sa *ike)
{
	if (ike->nchildren > 0 || ike->q_first != 0 || ike->pend != NULL ||
	    ike->c.peer == NO_INDEX || ike->task == TASK_CREATE)
		ike->alone_at = MONO_NONE;
	else if (ike->alone_at.us == 0 ||
	    (passed(ike->alone_at, w->now) && peer_wanted(w, ike->c.peer)))
		ike->alone_at = mono_add_ms(w->now, world_jitter(w, ALONE_MS, 20));
	else if (passed(ike->alone_at, w->now)) {
		log_event(w->log, WHY_IDLE,
		    "tunnel \"%s\": the IKE SA is deleted: it has had no "
		    "Child SA for a while, and none is wanted",
		    peer_name(w, ike->c.peer));
		ike->want_delete = 1;
	}
}

static void
arm(struct world *w, struct ike_sa *ike)
{
	monotime	t = MONO_NEVER;
	int		i;

	if (ike->state == IKE_UP) {
		t = earlier(t, ike->rekey_at);
		t = earlier(t, ike->expire_at);
		t = earlier(t, ike->twin_at);
		t = earlier(t, ike->alone_at);
		t = earlier(t, ike->merge_at);
		t = earlier(t, idle_at(w, ike));
		if (mono_before(w->now, ike->quiet_until))
			t = earlier(t, ike->quiet_until);
	}
	if (ike->state != IKE_DELETING)
		t = earlier(t, ike->drop_at);
	if (ike->pend != NULL)
		t = earlier(t, mono_add_ms(ike->pend->since, PEND_MS));
	for (i = 0; i < 2; i++)
		if (ike->c.frags[i] != NULL)
			t = earlier(t, ike->c.frags[i]->until);
	if (ike->state == IKE_FINISHING)
		t = mono_add_ms(ike->since, HALFOPEN_MS);
	/* what is overdue waits for the window: look again a little later */
	if (mono_reached(t, w->now))
		t = mono_add_ms(w->now, 1000);
	if (t.us == INT64_MAX)
		timer_cancel(&w->timers, &ike->life);
	else
		timer_set(&w->timers, &ike->life, t);
}

static void
first_look(struct world *w, struct ike_sa *ike)
{
	uint32_t	secs = peer_conf(w, ike->c.peer)->ikelifetime;
	int64_t		ms = (int64_t)(secs != 0 ? secs : IKE_LIFETIME) * 1000;

	ike->rekey_at = mono_add_ms(w->now, world_jitter(w, ms * 9 / 10,
	    ike->c.initiator ? 20 : 5));
	ike->expire_at = mono_add_ms(w->now, ms + ms / 10);
	/* who is behind the NAT keeps its mapping alive (3948 4) */
	if (ike->c.natt_local)
		timer_set(&w->timers, &ike->natt, mono_add_ms(w->now,
		    world_jitter(w, NATT_MS, 10)));
}

static void
due(struct world *w, struct ike_sa *ike)
{
	if (ike->rekey_at.us == 0 && ike->c.peer != NO_INDEX && ike->state == IKE_UP)
		first_look(w, ike);
	if (passed(ike->drop_at, w->now)) {
		ike->drop_at = MONO_NONE;
		ike->want_delete = 1;
	}
	if (ike->state != IKE_UP)
		return;
	/* an exchange has left the wish: a question needs its end, and where the peer has
	 * said INITIAL_CONTACT, a near one */
	if (ike->want_check && (ike->check_by.us == 0 || ike->doubtful))
		liveness_check(w, ike, ike->doubtful ? liveness_wait(ike) : CHECK_MS);
	if (ike->hinted != NULL)
		liveness_hint(w, ike, ike->hinted, HINT_INIT);
	ike->hinted = NULL;
	if (passed(ike->expire_at, w->now) && !ike->want_delete) {
		log_event(w->log, WHY_LIFETIME,
		    "tunnel \"%s\": the IKE SA's lifetime is over",
		    peer_name(w, ike->c.peer));
		ike->want_delete = 1;
	}
	if (passed(ike->rekey_at, w->now))
		ike->want_rekey = 1;
	twins_look(w, ike);
	alone(w, ike);
	if (mono_reached(idle_at(w, ike), w->now) && ike->req.msg == NULL)
		liveness_check(w, ike, 4 * CHECK_MS);
}

/* Not while it has a successor.  Nor before the peer is known to have it: when the reply
 * that made it is lost, it has not; the DELETE of the one before tells. */
static int
may_rekey(const struct world *w, const struct child_sa *c)
{
	return (c->want_rekey && c->state == CHILD_UP && !c->redundant &&
	    mono_reached(c->quiet_until, w->now) && child_live(w, c->mine) == NULL &&
	    child_live(w, c->theirs) == NULL &&
	    (c->initiated || child_live(w, c->replaces) == NULL));
}

static struct child_sa *
child_wanting(const struct world *w, const struct ike_sa *ike, int delete)
{
	struct child_sa	*c;
	said		 id;

	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE]) {
		/* the peer gets to know of it by our reply */
		if (delete && c->want_delete && c->state != CHILD_LINGERING &&
		    (ike->pend == NULL || ike->pend->child != c->id))
			return (c);
		if (!delete && may_rekey(w, c))
			return (c);
	}
	return (NULL);
}

/* Children are being made by either side: not the time to rekey the IKE SA. */
static int
settled(const struct world *w, const struct ike_sa *ike)
{
	struct child_sa	*c;
	said		 id;

	if (ike->pend != NULL)
		return (0);
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->state == CHILD_INSTALLING)
			return (0);
	return (1);
}

static int
next_tunnel(struct world *w, struct ike_sa *ike)
{
	uint32_t	t;

	while ((t = queue_take(w, ike)) != NO_INDEX) {
		if (!tunnel_wanted(w, t) || (!w->tunnels[t].specific &&
		    w->tunnels[t].rest == 0 && (child_of_tunnel(w, t) != NULL ||
		    tunnel_installing(w, t)))) {
			touch_tunnel(w, t);
			continue;
		}
		if (create_child_start(w, ike, t) == 0)
			return (1);
	}
	return (0);
}

/* One request, if one is wished for.  1: sent; -1: it could not be made, and is still
 * wished for */
static int
next_request(struct world *w, struct ike_sa *ike)
{
	struct child_sa	*c;

	if (ike->want_delete)
		return (delete_ike_start(w, ike) == 0 ? 1 : -1);
	if (ike->state != IKE_UP)
		return (0);
	if (ike->mob.want_update)
		return (mobike_update_start(w, ike) == 0 ? 1 : -1);
	if (ike->mob.want_verify)
		return (mobike_verify_start(w, ike) == 0 ? 1 : -1);
	if (ike->mob.want_tell)
		return (mobike_tell_start(w, ike) == 0 ? 1 : -1);
	if (ike->want_check)
		return (check_start(w, ike) == 0 ? 1 : -1);
	if (ike->unproven)
		return (0);
	if (ike->orphan_spi != 0)
		return (delete_orphan_start(w, ike) == 0 ? 1 : -1);
	if ((c = child_wanting(w, ike, 1)) != NULL)
		return (delete_child_start(w, ike, c) == 0 ? 1 : -1);
	if (w->stopping || !mono_reached(ike->quiet_until, w->now))
		return (0);
	if (ike->want_rekey && settled(w, ike)) {
		if (rekey_ike_start(w, ike) == 0)
			return (1);
		ike->rekey_at = mono_add_ms(w->now, 30000);
	}
	if ((c = child_wanting(w, ike, 0)) != NULL)
		return (rekey_child_start(w, ike, c) == 0);
	if ((c = twins_next(w, ike)) != NULL && move_child_start(w, ike, c) == 0)
		return (1);
	return (next_tunnel(w, ike));
}

/* The peer's next request can only come when this one is answered. */
static void
answer_overdue(struct world *w, struct ike_sa *ike)
{
	struct child_sa	*c = child_get(w, ike->pend->child);

	if (!mono_reached(mono_add_ms(ike->pend->since, PEND_MS), w->now))
		return;
	if (ike->pend->outfor != 0) {
		reply_finish(w, ike);
		return;
	}
	log_fault(w->log, WHY_KERNEL_SLOW,
	    "tunnel \"%s\": the kernel has not answered: the peer is told "
	    "to ask again later", peer_name(w, ike->c.peer));
	if (c != NULL)
		child_remove(w, c, WHY_NONE, NULL);
	else
		reply_without_child(w, ike);
}

/* The new outbound SA is there, or will not come: the reply to the old one's DELETE. */
static void
answer_delete(struct world *w, struct ike_sa *ike)
{
	struct child_sa	*c = child_get(w, ike->pend->outfor);

	if (ike->pend->outfor != 0 && (c == NULL || c->nwait == 0))
		reply_finish(w, ike);
}

void
pump_ike(struct world *w, struct ike_sa *ike)
{
	int	r = 0;

	if (ike->fatal) {
		ike_dead(w, ike, WHY_PEER_ANSWER, ike->fatal & FATAL_SYNTAX ?
		    "a malformed message inside the SA" : "a reply could not be made");
		return;
	}
	if (ike->state == IKE_FINISHING &&
	    mono_reached(mono_add_ms(ike->since, HALFOPEN_MS), w->now)) {
		ike_remove(w, ike, WHY_NONE, NULL);
		return;
	}
	fragment_expire(w, &ike->c);
	if (ike->state != IKE_FINISHING) {
		if (ike->pend != NULL)
			answer_delete(w, ike);
		if (ike->pend != NULL)
			answer_overdue(w, ike);
		due(w, ike);
		if (ike->req.msg == NULL)
			r = next_request(w, ike);
	}
	arm(w, ike);
	if (r == -1)
		timer_set(&w->timers, &ike->life, mono_add_ms(w->now, 1000));
}

void
ike_dead(struct world *w, struct ike_sa *ike, enum reason code, const char *why)
{
	struct ike_sa	*heir;
	struct child_sa	*c;
	struct tunnel	*t;
	said		 id;

	/* the peer may have moved the Children before it fell silent */
	rekey_ike_yield(w, ike);
	if (ike->state == IKE_REPLACED || ike->state == IKE_HEIR) {
		if ((heir = ike_get(w, ike->theirs)) != NULL && heir->state == IKE_UP) {
			heir->want_check = 1;
			touch_ike(w, heir);
		}
		ike_remove(w, ike, WHY_NONE, NULL);
		return;
	}
	log_event(w->log, code, "tunnel \"%s\": IKE SA given up: %s",
	    peer_name(w, ike->c.peer), why);
	/* the peer is not told, and may have it still: the next one says that we do not */
	if (ike->c.peer != NO_INDEX)
		w->peers[ike->c.peer].sent_ic = 0;
	/* traffic that was leaving counts as a host asking for the tunnel */
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE]) {
		if (c->tunnel == NO_INDEX || w->stopping)
			continue;
		t = &w->tunnels[c->tunnel];
		if (mono_before(w->now, mono_add_ms(c->out_moved, 10000)) &&
		    tunnel_conf(w, c->tunnel)->mode != MODE_PASSIVE && !t->down &&
		    mono_before(t->wanted_until, mono_add_ms(w->now, WANTED_MS)))
			t->wanted_until = mono_add_ms(w->now, WANTED_MS);
	}
	ike_remove(w, ike, code, why);
}

static const char *
task_name(enum task t)
{
	switch (t) {
	case TASK_CHECK:
		return ("the peer does not answer");
	case TASK_DELETE_IKE:
		return ("the peer does not answer the DELETE");
	case TASK_VERIFY:
		return ("the peer does not answer at its new address");
	default:
		return ("the peer does not answer our request");
	}
}

/* Traffic stands still until it is answered: addresses have changed. */
static int
hurried(const struct world *w, const struct ike_sa *ike)
{
	const struct child_sa	*c;

	if (ike->task == TASK_REKEY_CHILD)
		return (ike->mob.on && (c = child_get(w, ike->task_child)) != NULL &&
		    child_elsewhere(c, &ike->c));
	return (ike->task == TASK_UPDATE || ike->task == TASK_VERIFY ||
	    ike->task == TASK_TELL);
}

/* Between two retransmissions. */
static uint32_t
longest_wait(const struct world *w, const struct ike_sa *ike)
{
	if (ike->check_by.us != 0 &&
	    mono_before(ike->check_by, mono_add_ms(w->now, CHECK_MS)))
		return (RETRY_CAP_CHECK);
	return (hurried(w, ike) ? RETRY_CAP_MOVE : RETRY_CAP);
}

void
pump_request_timer(struct world *w, struct ike_sa *ike)
{
	struct outreq	*r = &ike->req;

	if (r->msg == NULL)
		return;
	if (passed(ike->check_by, w->now) && liveness_data(ike))
		ike->check_by = MONO_NONE;
	if (ike->task == TASK_DELETE_IKE && mono_reached(r->giveup, w->now)) {
		w->tally.unanswered[exchange_kind(X_INFORMATIONAL)]++;
		ike_remove(w, ike, WHY_NONE, NULL);
		return;
	}
	if (moving_waits(w, ike))
		return;
	if (mono_reached(r->giveup, w->now) || passed(ike->check_by, w->now)) {
		w->tally.unanswered[exchange_kind(r->msg[18])]++;
		ike_dead(w, ike, WHY_PEER_SILENT, task_name(ike->task));
		return;
	}
	if (r->tries == FRAG_TRIES)
		fragment_smaller(w, &ike->c, &r->msg, &r->len);
	request_again(w, &ike->c, r, longest_wait(w, ike));
	mobike_widen(w, ike);
	if (ike->check_by.us != 0 && mono_before(ike->check_by, r->timer.when))
		timer_set(&w->timers, &r->timer, ike->check_by);
}

/* 1: nothing of it has left this machine, and its tunnel says why. */
static int
no_way(struct world *w, struct ike_half *h)
{
	char	a[ADDR_STRLEN];

	if (h->state != HALF_INIT_SENT)
		return (0);
	if (!own_address(w, &h->c.local.addr))
		return (w->tunnels[h->tunnel].why == WHY_NO_WAY);
	if (w->unsent.why[0] == '\0' || addr_cmp(&w->unsent.to, &h->c.remote.addr) != 0 ||
	    mono_before(w->unsent.at, h->since))
		return (0);
	tunnel_error(w, h->tunnel, WHY_NO_WAY, "nothing can be sent to peer %s: %s",
	    addr_str(&h->c.remote.addr, a), w->unsent.why);
	return (1);
}

static void
half_giveup(struct world *w, struct ike_half *h)
{
	struct peer	*p = &w->peers[h->c.peer];
	char		 a[ADDR_STRLEN], text[200];

	w->tally.unanswered[exchange_kind(h->state == HALF_INIT_SENT ? X_IKE_SA_INIT :
	    X_IKE_AUTH)]++;

	addr_str(&h->c.remote.addr, a);
	if (h->state == HALF_INIT_SENT && (h->hint != 0 || no_way(w, h)) &&
	    w->tunnels[h->tunnel].error != NULL) {
		(void)strlcpy(text, w->tunnels[h->tunnel].error, sizeof(text));
		half_fail(w, h, w->tunnels[h->tunnel].why, "%s", text);
	} else if (h->state == HALF_INIT_SENT) {
		half_fail(w, h, WHY_NO_ANSWER, "peer %s does not answer IKE_SA_INIT: is its iked "
		    "running, is UDP %u open?", a, h->c.remote.port);
		p->next_try = mono_add_ms(w->now, backoff_silent_ms(w, p->tries));
		p->silent = 1;
	} else
		half_fail(w, h, WHY_NO_ANSWER_AUTH, "peer %s does not answer IKE_AUTH: is UDP %u open?", a,
		    h->c.remote.port);
}

/*
 * The peer began and did not go on: our answer does not reach it, or what it says next
 * does not reach us.  Anybody could have sent that, with any address.
 */
static void
not_gone_on(struct world *w, const struct ike_half *h)
{
	uint32_t	i = peer_first_addr(w, &h->c.local.addr, &h->c.remote.addr), t;
	char		a[ADDR_STRLEN];

	if (h->state != HALF_INIT_DONE || i == NO_INDEX || (t = w->peers[i].tunnels) == 0 ||
	    child_of_tunnel(w, t - 1) != NULL || w->tunnels[t - 1].down ||
	    ike_get(w, w->peers[i].ikes) != NULL || !world_allow(w, &w->b_bad, 10, 1000))
		return;
	addr_str(&h->c.remote.addr, a);
	tunnel_error(w, t - 1, WHY_NO_ANSWER_AUTH, "peer %s began and did not go on: our answer does "
	    "not reach it, or its IKE_AUTH not us: is UDP 4500 open?", a);
	log_event(w->log, WHY_NO_ANSWER_AUTH, "tunnel \"%s\": %s", tunnel_conf(w, t - 1)->name,
	    w->tunnels[t - 1].error != NULL ? w->tunnels[t - 1].error : a);
}

void
pump_half_timer(struct world *w, struct ike_half *h, const struct timer *t)
{
	struct outreq	*r = &h->req;
	uint32_t	 cap = h->state == HALF_INIT_SENT ? RETRY_CAP_INIT : RETRY_CAP;

	if (t == &h->timer) {
		/* R: it never came to IKE_AUTH, or was refused and is forgotten */
		log_debug(w->log, "half-open IKE SA forgotten");
		not_gone_on(w, h);
		half_free(w, h);
		return;
	}
	if (r->msg == NULL)
		return;
	if (mono_reached(r->giveup, w->now)) {
		half_giveup(w, h);
		return;
	}
	if (r->tries == FRAG_TRIES && h->state == HALF_AUTH_SENT)
		fragment_smaller(w, &h->c, &r->msg, &r->len);
	request_again(w, &h->c, r, cap);
	(void)no_way(w, h);
}

void
pump_natt(struct world *w, struct ike_sa *ike)
{
	static const uint8_t	ff = 0xff;

	if (ike->state != IKE_UP)
		return;
	w->tally.tx++;
	w->fx.send(w->fx.arg, &ike->c.local, &ike->c.remote, 0, &ff, 1);
	timer_set(&w->timers, &ike->natt, mono_add_ms(w->now,
	    world_jitter(w, NATT_MS, 10)));
}
