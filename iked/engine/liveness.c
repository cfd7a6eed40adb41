/* SPDX-License-Identifier: ISC */
/*
 * Is the peer still there?  The kernel's counters tell: when packets leave and
 * nothing comes in for two seconds, the peer is asked, and unless it answers within
 * three the SA is dead.  A hint that nobody vouches for (an INVALID_IKE_SPI,
 * say) only brings the question forward; the wait gets shorter when silence or the
 * peer's INITIAL_CONTACT speaks for it, and never shorter than the way allows.
 *
 * Each Child has its own timer; an idle one is read seldom, and the more Children there
 * are the more seldom.  Those due within POLL_GROUP_MS are read together (poll.c): alone
 * each would wake two processes twice.
 */

#include <errno.h>

#include "engine/engine_local.h"

#define POLL_MS		500	/* while traffic moves */
#define POLL_FAST_MS	250	/* while it moves only outwards */
#define POLL_IDLE_MS	2000	/* and a ms for every Child there is */
#define POLL_SELDOM_MS	60000
#define SILENT_MS	2000
#define ROAMING_MS	30000
#define NAT_PAUSE_MS	3000
#define JOBS_BUSY	256	/* answers awaited: keys or kernel are behind */

/*
 * A peer that may be anywhere, and may just be on its way from one network to another,
 * is given time to say so: we could not call it, anyhow (RFC 4555 3.11).
 */
static int64_t
patience(const struct world *w, const struct ike_sa *ike, int64_t ms)
{
	if (!ike->mob.on || ike->mob.leads || ike->doubtful || ike->hint ||
	    ike->c.peer == NO_INDEX || ms > ROAMING_MS ||
	    !addr_is_any(&peer_conf(w, ike->c.peer)->remote))
		return (ms);
	return (ROAMING_MS);
}

void
liveness_check(struct world *w, struct ike_sa *ike, int64_t ms)
{
	monotime	by = mono_add_ms(w->now, patience(w, ike, ms));

	if (ike->state != IKE_UP || ike->want_delete)
		return;
	if (ike->check_by.us != 0) {
		if (mono_before(by, ike->check_by))
			ike->check_by = by;
	} else
		ike->check_by = by;
	if (ike->req.msg == NULL) {
		ike->want_check = 1;
		touch_ike(w, ike);
		return;
	}
	/* the request that is out will do as the question */
	ike->want_check = 0;
	if (ike->req.interval_ms > RETRY_CHECK)
		ike->req.interval_ms = RETRY_CHECK;
	timer_set(&w->timers, &ike->req.timer, mono_add_ms(w->now, 50));
}

static int
lately(const struct world *w, const struct ike_sa *ike)
{
	return (ike->last_ok.us != 0 &&
	    mono_before(w->now, mono_add_ms(ike->last_ok, CHECK_PAUSE_MS)) &&
	    !mono_before(ike->last_ok, mono_add_ms(ike->established, 1)));
}

/* Behind a NAT an answer does not tell whether the peer's ESP finds us: the check does
 * (RFC 4555 3.8), and is due again sooner. */
static int
surely(const struct world *w, const struct ike_sa *ike)
{
	if (!lately(w, ike))
		return (0);
	return (!ike->mob.on || !ike->mob.leads || !ike->c.natt_local ||
	    mono_before(w->now, mono_add_ms(ike->mob.seen_at, NAT_PAUSE_MS)));
}

int64_t
liveness_wait(const struct ike_sa *ike)
{
	int64_t	ms = (int64_t)ike->c.rtt_ms * 3;

	if (ms == 0 || ms > CHECK_MS)
		return (CHECK_MS);
	return (ms < CHECK_HINT_MS ? CHECK_HINT_MS : ms);
}

/* The question is out and its end is near: packets leave and none come. */
static int
in_silence(const struct world *w, const struct ike_sa *ike)
{
	return (ike->check_by.us != 0 && ike->req.msg != NULL &&
	    !mono_before(mono_add_ms(w->now, CHECK_MS), ike->check_by));
}

int
liveness_data(const struct ike_sa *ike)
{
	return (ike->req.msg != NULL && !ike->doubtful && ike->hint == 0 &&
	    mono_before(ike->req.first, ike->last_data));
}

/*
 * By itself it is worth a question with the whole wait, for anybody may have sent it.
 * Where packets leave and none come, or where such a question is out already, it fits
 * what is seen: an INVALID_IKE_SPI needs both SPIs, and who knows them and lies has to
 * keep the peer's answers from us as well.
 */
void
liveness_hint(struct world *w, struct ike_sa *ike, const char *what, enum hint kind)
{
	char		a[ADDR_STRLEN];
	monotime	by;

	if (ike->hint & kind || ike->state != IKE_UP)
		return;
	/* answered just now: not remembered, either, for a later one may be true */
	if (ike->check_by.us == 0 && lately(w, ike))
		return;
	ike->hint |= (uint8_t)kind;
	log_event(w->log, WHY_DOUBT,
	    "tunnel \"%s\": %s without protection from %s: checking the "
	    "peer", peer_name(w, ike->c.peer), what, addr_str(&ike->c.remote.addr, a));
	if (in_silence(w, ike)) {
		by = mono_add_ms(ike->req.first, liveness_wait(ike));
		if (mono_before(by, mono_add_ms(w->now, 300)))
			by = mono_add_ms(w->now, 300);
		if (mono_before(by, ike->check_by))
			ike->check_by = by;
		timer_set(&w->timers, &ike->req.timer, mono_add_ms(w->now, 100));
	} else
		liveness_check(w, ike, CHECK_MS);
}

/* A sign of life while a request waits: if it is sent at long distances by now, the way
 * was cut, and is not any more. */
static void
try_again(struct world *w, struct ike_sa *ike)
{
	struct outreq	*r = &ike->req;

	if (r->msg == NULL || r->interval_ms <= 2 * RETRY_FIRST)
		return;
	r->interval_ms = RETRY_FIRST;
	timer_set(&w->timers, &r->timer, mono_add_ms(w->now, 50));
}

/* Its Children may have been silenced meanwhile. */
static void
sure_again(struct world *w, const struct ike_sa *ike)
{
	struct child_sa	*c;
	said		 id;

	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->tunnel != NO_INDEX)
			touch_tunnel(w, c->tunnel);
}

void
liveness_heard(struct world *w, struct ike_sa *ike, int answered)
{
	if (!answered)
		try_again(w, ike);
	ike->unproven = 0;
	ike->last_in = w->now;
	ike->check_by = MONO_NONE;
	ike->idle_cut = (uint16_t)world_uniform(w, 250);
	ike->hint = 0;
	if (answered) {
		ike->last_ok = w->now;
		if (ike->doubtful)
			sure_again(w, ike);
		ike->doubtful = 0;
	}
}

static int64_t
idle_ms(const struct world *w)
{
	/* 100,000 Children: each once in 100 s, a thousand questions a second */
	return (POLL_IDLE_MS + (int64_t)w->childs.used);
}

static monotime
sooner(monotime a, monotime b)
{
	return (b.us != 0 && mono_before(b, a) ? b : a);
}

/* Idle ones meet at the same moments, however many they are. */
static monotime
next_poll(struct world *w, const struct child_sa *c)
{
	int64_t	ms = idle_ms(w);

	if (c->poll_ms != POLL_IDLE_MS)
		return (mono_add_ms(w->now, c->poll_ms != 0 ? c->poll_ms : POLL_MS));
	ms = world_jitter(w, ms > POLL_SELDOM_MS ? POLL_SELDOM_MS : ms, 15);
	return (mono_together(mono_add_ms(w->now, ms), POLL_GROUP_MS));
}

static void
arm(struct world *w, struct child_sa *c)
{
	monotime	t = c->next_poll;

	if (c->state == CHILD_UP) {
		t = sooner(t, c->rekey_at);
		t = sooner(t, c->drop_at);
	}
	t = sooner(t, c->expire_at);
	if (c->out_later != NULL)
		t = sooner(t, c->out_at);
	if (mono_reached(t, w->now))
		t = mono_add_ms(w->now, 200);
	timer_set(&w->timers, &c->timer, t);
}

static int
passed(const struct world *w, monotime t)
{
	return (t.us != 0 && mono_reached(t, w->now));
}

/* To the next try of a rekey. */
static int64_t
again_ms(const struct world *w, const struct child_sa *c)
{
	int64_t	ms = mono_diff_us(c->expire_at, w->now) / 4000;

	if (c->expire_at.us == 0 || ms > 10000)
		return (10000);
	return (ms < 500 ? 500 : ms);
}

void
liveness_child_timer(struct world *w, struct child_sa *c)
{
	struct ike_sa	*ike = ike_get(w, c->ike);
	int		 busy;

	if (c->state == CHILD_LINGERING) {
		if (passed(w, c->expire_at))
			child_remove(w, c, WHY_NONE, NULL);
		else
			timer_set(&w->timers, &c->timer, c->expire_at);
		return;
	}
	if (c->out_later != NULL && passed(w, c->out_at))
		child_out_due(w, c);
	if (passed(w, c->drop_at)) {
		c->drop_at = MONO_NONE;
		wanted_drop_timer(w, c);
	}
	if (passed(w, c->expire_at)) {
		log_event(w->log, WHY_LIFETIME,
		    "tunnel \"%s\": a Child SA's lifetime is over",
		    c->tunnel != NO_INDEX ? tunnel_conf(w, c->tunnel)->name : "?");
		c->expire_at = MONO_NONE;
		c->want_delete = 1;
		/* and there was no successor to be had on this IKE SA, which serves nothing
		 * else (2.8) */
		if (ike != NULL && ike->ntemp > 0 && ike->nchildren == 1 && child_live(w, c->mine) == NULL &&
		    child_live(w, c->theirs) == NULL)
			ike->want_delete = 1;
		if (c->tunnel != NO_INDEX)
			touch_tunnel(w, c->tunnel);
	}
	if (c->state == CHILD_UP && passed(w, c->rekey_at)) {
		/* once is enough: a try that failed sets quiet_until; or the kernel has
		 * refused the successor, and there is another one in time */
		c->rekey_at = mono_add_ms(w->now, again_ms(w, c));
		c->want_rekey = 1;
	}
	if (passed(w, c->next_poll)) {
		/* a kernel that is behind gets no more questions: SAs that are to be
		 * added would queue up after them, until all time out */
		busy = w->jobs.used >= JOBS_BUSY;
		if (!busy && c->state == CHILD_UP && c->nwait == 0 &&
		    c->tunnel != NO_INDEX && !c->polling)
			busy = poll_add(w, c) == -1;
		c->next_poll = busy ? mono_add_ms(w->now, world_jitter(w, 2 * POLL_MS, 75)) :
		    next_poll(w, c);
	}
	if (ike != NULL && (c->want_delete || c->want_rekey))
		touch_ike(w, ike);
	arm(w, c);
}

/* The kernel has no such SA any more: nor have we. */
static void
lost(struct world *w, struct child_sa *c)
{
	log_event(w->log, WHY_KERNEL_LOST, "tunnel \"%s\": the kernel has lost its SA",
	    tunnel_conf(w, c->tunnel)->name);
	c->want_delete = 1;
	touch_tunnel(w, c->tunnel);
	if (ike_get(w, c->ike) != NULL)
		touch_ike(w, ike_get(w, c->ike));
}

static void
came_in(struct world *w, struct child_sa *c)
{
	struct ike_sa	*ike = ike_get(w, c->ike);

	c->in_moved = w->now;
	c->fresh = 1;
	c->silent_since = MONO_NONE;
	if (ike != NULL) {
		ike->last_data = w->now;
		try_again(w, ike);
	}
	if (!c->carried) {
		c->carried = 1;
		touch_tunnel(w, c->tunnel);
	}
	/* the peer sends on the new SA: so may we (RFC 7296 2.8) */
	child_out_now(w, c);
}

/* Both directions are read: is it quiet where it should not be? */
static void
judge(struct world *w, struct child_sa *c, int out_moved)
{
	struct ike_sa	*ike = ike_get(w, c->ike);
	int		 in_moved = c->fresh;

	if (out_moved && !in_moved && c->silent_since.us == 0)
		c->silent_since = c->polled.us != 0 ? c->polled : w->now;
	c->fresh = 0;
	c->polled = w->now;
	if (in_moved || out_moved)
		c->poll_ms = c->silent_since.us != 0 ? POLL_FAST_MS : POLL_MS;
	else if (mono_before(mono_add_ms(c->out_moved, 3000), w->now) &&
	    mono_before(mono_add_ms(c->in_moved, 3000), w->now)) {
		c->poll_ms = POLL_IDLE_MS;
		c->silent_since = MONO_NONE;
	}
	if (ike == NULL || c->silent_since.us == 0 || !out_moved ||
	    mono_before(w->now, mono_add_ms(c->silent_since, SILENT_MS)))
		return;
	/* a one-way flow is asked about once in a while; but this silence is a new one when
	 * packets came after the last answer */
	if (surely(w, ike) && !mono_before(ike->last_ok, c->in_moved))
		return;
	/* the check of an idle peer may take its time; this one may not */
	if (ike->check_by.us != 0 &&
	    mono_before(ike->check_by, mono_add_ms(w->now, CHECK_MS + 1)))
		return;
	log_debug(w->log, "tunnel \"%s\": packets leave and none come: checking the "
	    "peer", tunnel_conf(w, c->tunnel)->name);
	liveness_check(w, ike, CHECK_MS);
}

void
liveness_counted(struct world *w, struct child_sa *c, enum kern_dir dir,
    const struct count *a)
{
	uint16_t	was = c->poll_ms;
	int		moved;

	if (dir == KERN_OUT || !c->out_there)
		c->polling = 0;
	if (c->tunnel == NO_INDEX || c->state != CHILD_UP)
		return;
	if (a->err != 0) {
		/* only what the kernel surely has not */
		if ((a->err == ESRCH || a->err == ENOENT) && !c->want_delete &&
		    (dir == KERN_IN ? c->in_there : c->out_there))
			lost(w, c);
		return;
	}
	if (dir == KERN_IN) {
		if (a->packets != c->packets_in || a->bytes != c->bytes_in)
			came_in(w, c);
		c->packets_in = a->packets;
		c->bytes_in = a->bytes;
		if (!c->out_there)
			c->polled = w->now;
		return;
	}
	moved = a->packets != c->packets_out || a->bytes != c->bytes_out;
	if (moved)
		c->out_moved = w->now;
	c->packets_out = a->packets;
	c->bytes_out = a->bytes;
	judge(w, c, moved);
	if (was == POLL_IDLE_MS && c->poll_ms == was)
		return;			/* as it was: the timer is set already */
	c->next_poll = next_poll(w, c);
	arm(w, c);
}
