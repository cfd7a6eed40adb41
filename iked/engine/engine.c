/* SPDX-License-Identifier: ISC */
/*
 * The engine's doors: every input comes through here with its time, is handed to whom
 * it concerns, and then everything touched is looked at until nothing is left
 * to do.  Freeing comes last.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"

#define ROUNDS	1000	/* looks in one event; the rest waits for the next */

struct engine *
engine_new(const struct engine_fx *fx, struct crypto *crypto,
    const struct engine_opts *o)
{
	struct engine	*e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return (NULL);
	e->fx = *fx;
	e->w.fx.arg = fx->arg;
	e->w.fx.random = fx->random;
	e->w.fx.send = fx->send;
	e->w.fx.keys = fx->keys;
	e->w.fx.kernel = fx->kernel;
	e->w.fx.count = fx->count;
	e->w.fx.event = fx->event;
	e->w.crypto = crypto;
	e->w.log = fx->log;
	e->w.port = o != NULL && o->port != 0 ? o->port : 500;
	e->w.natt_port = o != NULL && o->natt_port != 0 ? o->natt_port : 4500;
	if (world_init(&e->w) == -1) {
		engine_free(e);
		return (NULL);
	}
	return (e);
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	world_destroy(&e->w);
	free(e->old_map);
	plan_free(e);
	explicit_bzero(e, sizeof(*e));
	free(e);
}

void
engine_settle(struct engine *e)
{
	struct world	*w = &e->w;
	struct ike_sa	*ike;
	struct tunnel	*t;
	uint32_t	 i, n = 0;

	while (!w->held && (w->dirty_ikes != 0 || w->dirty_tunnels != 0) && n++ < ROUNDS +
	    w->ikes.used + (w->conf != NULL ? w->conf->ntunnels : 0)) {
		if (w->dirty_tunnels != 0) {
			i = w->dirty_tunnels - 1;
			t = &w->tunnels[i];
			w->dirty_tunnels = t->dirty_next;
			t->dirty = 0;
			wanted_run(w, i);
			continue;
		}
		ike = ike_get(w, w->dirty_ikes);
		if (ike == NULL) {
			w->dirty_ikes = 0;
			continue;
		}
		untouch_ike(w, ike);
		pump_ike(w, ike);
	}
	world_flush(w);
}

void
engine_caps(struct engine *e, const struct kern_caps *caps)
{
	e->w.caps = *caps;
	/* the name belongs to the caller */
	e->w.caps.name = NULL;
	e->w.has_caps = 1;
}

void
engine_datagram(struct engine *e, monotime now, const struct endpoint *local,
    const struct endpoint *remote, int natt, const uint8_t *p, size_t len)
{
	e->w.now = now;
	if (len == 1 && p[0] == 0xff)
		return;		/* a keepalive: it was for the NAT (3948 2.3) */
	dispatch(e, local, remote, natt, p, len);
	engine_settle(e);
}

void
engine_keys(struct engine *e, monotime now, const struct keys_ans *a)
{
	struct job	*j, copy;

	e->w.now = now;
	if ((j = job_get(&e->w, a->token)) == NULL ||
	    (j->kind != J_SIGN && j->kind != J_VERIFY) || a->len > sizeof(a->auth))
		return;
	copy = *j;
	job_free(&e->w, j);
	auth_answer(&e->w, &copy, a);
	engine_settle(e);
}

/* Of `from dynamic' the local selectors are the addresses that the peer has given. */
static void
tell_given(const struct world *w, const struct child_sa *c, struct addr given[2])
{
	const struct addr	*a;
	uint8_t			 i;

	if (c->tunnel == NO_INDEX || tunnel_conf(w, c->tunnel)->dyn != DYN_FROM)
		return;
	for (i = c->ntsl; i-- > 0; ) {
		a = &c->ts[i].start;
		given[a->fam == ADDR_V6] = *a;
	}
}

/* A query of ipsecctl or netwatchd: told when the last direction is in. */
static void
tell_counters(struct engine *e, const struct child_sa *c, uint64_t user, int err)
{
	struct engine_counters	ec;
	const struct ike_sa	*ike;
	int64_t			 ms;

	memset(&ec, 0, sizeof(ec));
	ec.err = err;
	ec.last_in_ms = UINT32_MAX;
	if (c != NULL && (ike = ike_get(&e->w, c->ike)) != NULL) {
		ms = mono_diff_us(e->w.now, ike->last_in) / 1000;
		ec.last_in_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
		ec.ike_up = ike->state == IKE_UP && !ike->want_delete && !ike->doubtful;
		ec.rekeying = c->mine != 0 || c->theirs != 0 || c->want_rekey ||
		    ike->want_rekey || ike->task == TASK_REKEY_IKE ||
		    (ike->task == TASK_REKEY_CHILD && ike->task_child == c->id);
	}
	if (err == 0) {
		tell_given(&e->w, c, ec.given);
		ec.spi_in = c->spi_in;
		ec.spi_out = c->spi_out;
		ec.bytes_in = c->bytes_in;
		ec.bytes_out = c->bytes_out;
		ec.packets_in = c->packets_in;
		ec.packets_out = c->packets_out;
	}
	e->fx.counters(e->fx.arg, user, &ec);
}

static void
kernel_answer(struct engine *e, const struct job *j, const struct kernel_ans *a)
{
	struct world	*w = &e->w;
	struct child_sa	*c = child_get(w, j->owner);
	struct count	 n = { a->err, a->bytes, a->packets };

	if (c == NULL) {
		if (j->user != 0 && j->kind == J_QUERY_OUT)
			tell_counters(e, NULL, j->user, ENOENT);
		return;
	}
	switch (j->kind) {
	case J_ADD_IN:
	case J_ADD_OUT:
		child_added(w, c, j->kind, a->err, a->what);
		break;
	case J_QUERY_IN:
		liveness_counted(w, c, KERN_IN, &n);
		if (j->user != 0 && !c->out_there)
			tell_counters(e, c, j->user, 0);
		break;
	case J_QUERY_OUT:
		liveness_counted(w, c, KERN_OUT, &n);
		if (j->user != 0)
			tell_counters(e, c, j->user, 0);
		break;
	default:
		break;
	}
}

static void
source_answer(struct engine *e, const struct job *j, const struct kernel_ans *a)
{
	struct ike_sa	*ike = ike_get(&e->w, j->owner);

	if (ike != NULL)
		moving_source(&e->w, ike, j->user, a);
}

void
engine_kernel(struct engine *e, monotime now, const struct kernel_ans *a)
{
	struct job		*j, copy;
	struct kernel_ans	 ans = *a;

	e->w.now = now;
	if ((j = job_get(&e->w, a->token)) == NULL || j->kind == J_SIGN ||
	    j->kind == J_VERIFY)
		return;
	copy = *j;
	job_free(&e->w, j);
	ans.what[sizeof(ans.what) - 1] = '\0';
	if (copy.kind == J_SOURCE)
		source_answer(e, &copy, &ans);
	else if (copy.kind == J_COUNT)
		poll_answer(&e->w, &copy, NULL);
	else
		kernel_answer(e, &copy, &ans);
	engine_settle(e);
}

void
engine_counted(struct engine *e, monotime now, const struct kernel_counted *a)
{
	struct job	*j, copy;

	e->w.now = now;
	if ((j = job_get(&e->w, a->token)) == NULL || j->kind != J_COUNT)
		return;
	copy = *j;
	job_free(&e->w, j);
	poll_answer(&e->w, &copy, a);
	engine_settle(e);
}

/* An index of the generation before this one still means the same tunnel. */
static uint32_t
map_index(const struct engine *e, uint32_t gen, uint32_t i)
{
	if (e->w.conf == NULL)
		return (NO_INDEX);
	if (gen == e->w.conf->gen)
		return (i < e->w.conf->ntunnels ? i : NO_INDEX);
	if (gen == e->old_gen && i < e->nold)
		return (e->old_map[i]);
	return (NO_INDEX);
}

/* The tunnel is up, and yet the kernel asks: it has lost its SA, or the Child
 * was narrowed and does not cover this packet. */
static void
acquire_up(struct world *w, uint32_t i, const struct ts *src, const struct ts *dst)
{
	struct child_sa	*c;
	struct ike_sa	*ike;
	said		 id;

	for (id = w->tunnels[i].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL]) {
		if (c->state != CHILD_UP || c->want_delete)
			continue;
		if (src == NULL || dst == NULL || child_covers(c, src, dst)) {
			if (!c->polling)
				child_query(w, c, 0);
			return;
		}
	}
	/* another source than the address that the peer gave us is none it would take */
	if (tunnel_conf(w, i)->dyn != DYN_NO)
		return;
	if ((ike = ike_of_peer(w, w->tunnels[i].peer)) == NULL ||
	    mono_before(w->now, w->tunnels[i].hold_until) || w->tunnels[i].queued != 0)
		return;
	w->tunnels[i].specific = 1;
	queue_tunnel(w, ike, i);
}

void
engine_acquire(struct engine *e, monotime now, uint32_t gen, uint32_t tunnel,
    const struct ts *src, const struct ts *dst, uint32_t seq)
{
	struct world	*w = &e->w;
	struct tunnel	*t;
	uint32_t	 i = map_index(e, gen, tunnel);

	w->now = now;
	if (i == NO_INDEX || w->stopping)
		return;
	t = &w->tunnels[i];
	t->acq_seq = seq;
	t->has_acq = 1;
	if (src != NULL && dst != NULL) {
		t->acq_src = *src;
		t->acq_dst = *dst;
	} else {
		memset(&t->acq_src, 0, sizeof(t->acq_src));
		t->specific = 0;
	}
	if (tunnel_conf(w, i)->mode == MODE_PASSIVE || w->conf->passive) {
		touch_tunnel(w, i);	/* never starts: tells the kernel so */
	} else {
		wanted_wake(w, i, WAKE_ACQUIRE);
		if (child_of_tunnel(w, i) != NULL)
			acquire_up(w, i, src, dst);
	}
	engine_settle(e);
}

void
engine_expire(struct engine *e, monotime now, uint32_t spi, const struct addr *dst,
    int hard)
{
	struct world	*w = &e->w;
	struct child_sa	*c = NULL, *x;

	w->now = now;
	if ((x = child_byspi(w, spi)) != NULL && addr_cmp(dst, &x->local.addr) == 0)
		c = x;
	/* an outbound SPI: the peer chose it, and it is one only for that peer */
	for (x = NULL; c == NULL && (x = child_byout_next(w, x, spi)) != NULL;)
		if (addr_cmp(dst, &x->remote.addr) == 0)
			c = x;
	if (c == NULL || c->tunnel == NO_INDEX)
		return;
	if (!hard)
		c->want_rekey = c->state == CHILD_UP;
	else {
		if (spi == c->spi_in)
			c->in_there = 0;
		else
			c->out_there = 0;
		c->want_delete = c->state != CHILD_LINGERING;
		touch_tunnel(w, c->tunnel);
	}
	if (ike_get(w, c->ike) != NULL)
		touch_ike(w, ike_get(w, c->ike));
	engine_settle(e);
}

void
engine_unsent(struct engine *e, const struct addr *remote, const char *why)
{
	struct world	*w = &e->w;

	if (why == NULL) {
		if (w->unsent.why[0] != '\0' && addr_cmp(&w->unsent.to, remote) == 0)
			w->unsent.why[0] = '\0';
		return;
	}
	w->unsent.to = *remote;
	w->unsent.at = w->now;
	(void)strlcpy(w->unsent.why, why, sizeof(w->unsent.why));
}

void
engine_mapping(struct engine *e, monotime now, uint32_t spi,
    const struct endpoint *newsrc)
{
	struct world	*w = &e->w;
	struct child_sa	*c;
	struct ike_sa	*ike;
	said		 id;

	w->now = now;
	if ((c = child_byspi(w, spi)) == NULL || (ike = ike_get(w, c->ike)) == NULL ||
	    !ike->c.natt_remote || (ike->c.natt_local && !ike->mob.on))
		return;
	if (ike->mob.on)
		moving_seen(w, ike, newsrc);
	else {
		ike->c.remote = *newsrc;
		for (id = ike->children; (c = child_get(w, id)) != NULL;
		    id = c->next[L_IKE])
			child_follow(w, c, newsrc);
	}
	touch_ike(w, ike);
	engine_settle(e);
}

void
engine_lost(struct engine *e, monotime now)
{
	struct world	*w = &e->w;
	struct child_sa	*c;
	uint32_t	 at;

	w->now = now;
	log_event(w->log, WHY_KERNEL_SLOW,
	    "kernel events were lost: asking for the state of all SAs");
	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;) {
		/* spread over a second */
		c->next_poll = mono_add_ms(now, world_uniform(w, 1000));
		if (c->timer.pos == 0 || mono_before(c->next_poll, c->timer.when))
			timer_set(&w->timers, &c->timer, c->next_poll);
	}
	engine_settle(e);
}

const struct conf *
engine_conf_used(const struct engine *e)
{
	return (e->w.conf);
}

const char engine_unknown[] = "there is no tunnel of this name";
const char engine_notup[] = "the tunnel is not up";

/* May we begin it?  NULL, or why not. */
static const char *
may_begin(const struct world *w, uint32_t i)
{
	if (tunnel_conf(w, i)->mode == MODE_PASSIVE)
		return ("the tunnel is passive: its peer has to start");
	if (peer_conf(w, w->tunnels[i].peer)->absent != NULL)
		return (peer_conf(w, w->tunnels[i].peer)->absent);
	if (addr_is_any(&peer_conf(w, w->tunnels[i].peer)->remote))
		return ("the peer's address is not configured: it has to start");
	if (w->flushed)
		return ("the policies were flushed: \"ipsecctl reload\" places them");
	return (NULL);
}

int
engine_command(struct engine *e, monotime now, enum engine_cmd cmd,
    const char *name, enum show_wake who, const char **why)
{
	struct world	*w = &e->w;
	struct child_sa	*c;
	struct ike_sa	*ike;
	int32_t		 n;
	uint32_t	 i;

	w->now = now;
	*why = engine_unknown;
	if ((n = tunnel_byname(w, name)) == -1)
		return (-1);
	i = (uint32_t)n;
	switch (cmd) {
	case CMD_UP:
	case CMD_RECREATE:
	case CMD_RESET:
		if ((*why = may_begin(w, i)) != NULL)
			return (-1);
		if (cmd == CMD_RECREATE)
			wanted_recreate(w, i, who);
		else if (cmd == CMD_RESET)
			wanted_reset(w, i, who);
		else
			wanted_wake(w, i, who);
		break;
	case CMD_DOWN:
		*why = "it was not netwatchd that had it brought up";
		if (who == WAKE_KEEPALIVE && w->tunnels[i].wake != WAKE_KEEPALIVE)
			return (-1);
		wanted_down(w, i);
		break;
	case CMD_REKEY:
	case CMD_REKEY_IKE:
	case CMD_CHECK:
		*why = engine_notup;
		if ((c = child_of_tunnel(w, i)) == NULL ||
		    (ike = ike_get(w, c->ike)) == NULL)
			return (-1);
		if (cmd == CMD_CHECK)
			liveness_check(w, ike, CHECK_MS);
		else if (cmd == CMD_REKEY)
			c->want_rekey = 1;
		else
			ike->want_rekey = 1;
		touch_ike(w, ike);
		break;
	default:
		*why = "unknown command";
		return (-1);
	}
	*why = NULL;
	engine_settle(e);
	return (0);
}

void
engine_counters(struct engine *e, monotime now, uint64_t token, const char *name)
{
	struct world	*w = &e->w;
	struct child_sa	*c = NULL;
	int32_t		 n;

	w->now = now;
	if ((n = tunnel_byname(w, name)) != -1)
		c = child_of_tunnel(w, (uint32_t)n);
	if (c == NULL)
		tell_counters(e, NULL, token, ENOENT);
	else
		child_query(w, c, token);
	engine_settle(e);
}

/* Every SA goes, and the peers are told. */
static void
let_go(struct world *w)
{
	struct ike_half	*h;
	struct ike_sa	*ike;
	struct child_sa	*c;
	uint32_t	 at, i;

	for (at = 0; (h = slab_walk(&w->halves, &at, NULL)) != NULL;)
		half_free(w, h);
	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;) {
		child_kernel_delete(w, c, KERN_OUT);
		child_kernel_delete(w, c, KERN_IN);
	}
	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;) {
		ike->want_delete = ike->state != IKE_DELETING;
		/* no time to wait for what was asked before */
		if (ike->state != IKE_DELETING) {
			outreq_clear(w, &ike->req);
			ike->task = TASK_NONE;
		}
		touch_ike(w, ike);
	}
	for (i = 0; w->conf != NULL && i < w->conf->ntunnels; i++)
		touch_tunnel(w, i);
}

void
engine_shutdown(struct engine *e, monotime now)
{
	e->w.now = now;
	e->w.stopping = 1;
	let_go(&e->w);
	engine_settle(e);
}

void
engine_flush(struct engine *e, monotime now)
{
	e->w.now = now;
	e->w.flushed = 1;
	let_go(&e->w);
	engine_settle(e);
}

monotime
engine_deadline(const struct engine *e)
{
	if (e->w.held)
		return (MONO_NEVER);
	if (e->w.dirty_ikes != 0 || e->w.dirty_tunnels != 0)
		return (e->w.now);
	return (timers_next(&e->w.timers));
}

/* keys or the kernel did not answer in time: as if they had refused. */
static void
job_timeout(struct engine *e, struct job *j)
{
	struct job		 copy = *j;
	struct keys_ans		 k;
	struct kernel_ans	 a;
	struct child_sa		*c;

	job_free(&e->w, j);
	if (copy.kind == J_SIGN || copy.kind == J_VERIFY) {
		if (world_allow(&e->w, &e->w.b_late, 5, 1000))
			log_fault(e->w.log, WHY_KEYS, "keys did not answer in time");
		memset(&k, 0, sizeof(k));
		k.token = copy.token;
		auth_answer(&e->w, &copy, &k);
		return;
	}
	if (copy.kind == J_FORGET)
		return;
	if (world_allow(&e->w, &e->w.b_late, 5, 1000))
		log_fault(e->w.log, WHY_KERNEL_SLOW, "the kernel did not answer in time");
	if (copy.kind == J_COUNT) {
		poll_answer(&e->w, &copy, NULL);
		return;
	}
	memset(&a, 0, sizeof(a));
	a.token = copy.token;
	a.err = ETIMEDOUT;
	if (copy.kind == J_SOURCE) {
		source_answer(e, &copy, &a);
		return;
	}
	if ((c = child_get(&e->w, copy.owner)) != NULL &&
	    (copy.kind == J_QUERY_IN || copy.kind == J_QUERY_OUT))
		c->polling = 0;
	kernel_answer(e, &copy, &a);
}

static void
fire(struct engine *e, const struct timer *t)
{
	struct world	*w = &e->w;
	struct ike_half	*h;
	struct ike_sa	*ike;
	struct child_sa	*c;
	struct job	*j;

	switch (t->kind) {
	case T_HALF:
		if ((h = half_get(w, t->owner)) != NULL)
			pump_half_timer(w, h, t);
		break;
	case T_IKE_REQ:
		if ((ike = ike_get(w, t->owner)) != NULL)
			pump_request_timer(w, ike);
		break;
	case T_IKE_LIFE:
		if ((ike = ike_get(w, t->owner)) != NULL)
			touch_ike(w, ike);
		break;
	case T_IKE_NATT:
		if ((ike = ike_get(w, t->owner)) != NULL)
			pump_natt(w, ike);
		break;
	case T_CHILD:
		if ((c = child_get(w, t->owner)) != NULL)
			liveness_child_timer(w, c);
		break;
	case T_LATE:
		while ((j = job_late(w)) != NULL) {
			job_timeout(e, j);
			engine_settle(e);
		}
		break;
	case T_KNOCK:
		reload_knock(w);
		break;
	case T_SWEEP:
		moving_sweep(w);
		break;
	case T_TUNNEL:
		touch_tunnel(w, (uint32_t)(t->owner - 1));
		break;
	default:
		break;
	}
}

void
engine_tick(struct engine *e, monotime now)
{
	struct timer	*t;

	e->w.now = now;
	engine_settle(e);
	while (!e->w.held && (t = timers_due(&e->w.timers, now)) != NULL) {
		fire(e, t);
		engine_settle(e);
	}
	poll_send(&e->w);
}
