/* SPDX-License-Identifier: ISC */
/*
 * Addresses and routes of this machine change: which IKE SAs does it concern?  Each
 * is asked in turn, a few at a time, and where `local' is left to the routes the kernel
 * process says which address they choose now.  What follows is RFC 4555's
 * (exchange/mobike.c).
 */

#include <errno.h>
#include <string.h>

#include "engine/engine_local.h"

#define SWEEP_N		128	/* IKE SAs looked at in one go */
#define SWEEP_MS	10	/* and the pause before the next */
#define ASTRAY_MS	60000	/* so long a peer waits for our next address */
#define ASTRAY_LOOK_MS	1000

static int
is_here(const struct world *w, const struct addr *a)
{
	uint32_t	i;

	for (i = 0; i < w->naddrs; i++)
		if (addr_cmp(&w->addrs[i], a) == 0)
			return (1);
	return (0);
}

static void
go_astray(struct world *w, struct ike_sa *ike)
{
	char	a[ADDR_STRLEN], b[ADDR_STRLEN];

	if (ike->mob.astray)
		return;
	ike->mob.astray = 1;
	ike->mob.astray_at = w->now;
	log_event(w->log, WHY_NO_WAY,
	    "tunnel \"%s\": there is no way from %s to %s any more: waiting for "
	    "one", peer_name(w, ike->c.peer), addr_str(&ike->c.local.addr, a),
	    addr_str(&ike->c.remote.addr, b));
}

/* The way is there again, and the addresses are what they were. */
static void
back_again(struct world *w, struct ike_sa *ike)
{
	if (!ike->mob.astray)
		return;
	ike->mob.astray = 0;
	mobike_nudge(w, ike);
	liveness_check(w, ike, CHECK_MS);
}

/* way: 0 to where the peer is, else to the n-th of its other addresses. */
static void
ask_source(struct world *w, struct ike_sa *ike, uint64_t way)
{
	struct kernel_req	 q;
	struct job		*j;

	if (ike->mob.asked) {
		ike->mob.asked = 2;
		return;
	}
	if ((j = job_new(w, J_SOURCE, ike->id, 0)) == NULL)
		return;
	j->user = way;
	ike->mob.asked = 1;
	memset(&q, 0, sizeof(q));
	q.token = j->token;
	q.gen = w->conf->gen;
	q.op = KREQ_SOURCE;
	q.sa.dst = way == 0 ? ike->c.remote.addr : ike->mob.addr[way - 1];
	w->fx.kernel(w->fx.arg, &q);
}

static void
look(struct world *w, struct ike_sa *ike)
{
	int	here = is_here(w, &ike->c.local.addr);

	if (!ike->mob.on || ike->state != IKE_UP || ike->c.peer == NO_INDEX)
		return;
	if (!addr_is_any(&peer_conf(w, ike->c.peer)->local)) {
		/* no other address is ours to choose */
		if (here)
			back_again(w, ike);
		else
			go_astray(w, ike);
		return;
	}
	if (here)
		mobike_tell(w, ike);
	/* a responder stays where it is called as long as it can (3.5) */
	if (ike->mob.leads || !here || ike->mob.astray)
		ask_source(w, ike, 0);
}

/* The routes choose this address of ours towards that way to the peer. */
static void
source_is(struct world *w, struct ike_sa *ike, uint64_t way, const struct addr *src)
{
	struct endpoint	from = ike->c.local, to = ike->c.remote;

	from.addr = *src;
	if (way > 0) {
		to.addr = ike->mob.addr[way - 1];
		ike->mob.addr[way - 1] = ike->c.remote.addr;
		mobike_move(w, ike, &from, &to);
	} else if (addr_cmp(src, &ike->c.local.addr) == 0)
		back_again(w, ike);
	else if (!ike->mob.leads)
		mobike_moved_us(w, ike, src);
	else if (!is_here(w, &ike->c.local.addr) || addr_cmp(src, &ike->mob.refused) != 0)
		mobike_move(w, ike, &from, &to);
}

void
moving_source(struct world *w, struct ike_sa *ike, uint64_t way,
    const struct kernel_ans *a)
{
	int	again = ike->mob.asked == 2;

	ike->mob.asked = 0;
	if (ike->state != IKE_UP || !ike->mob.on || a->err == ETIMEDOUT)
		return;
	if (again)
		ask_source(w, ike, 0);
	else if (a->err == 0 && !addr_is_any(&a->src) && way <= ike->mob.naddrs)
		source_is(w, ike, way, &a->src);
	else if (ike->mob.leads && way < ike->mob.naddrs)
		ask_source(w, ike, way + 1);
	else
		go_astray(w, ike);
}

void
moving_sweep(struct world *w)
{
	struct ike_sa	*ike = NULL;
	uint32_t	 n = 0;

	while (n++ < SWEEP_N &&
	    (ike = slab_walk(&w->ikes, &w->sweep_at, NULL)) != NULL)
		look(w, ike);
	if (ike == NULL) {
		w->sweep_at = 0;
		if (!w->sweep_again)
			return;
		w->sweep_again = 0;
	}
	timer_set(&w->timers, &w->sweep, mono_add_ms(w->now, SWEEP_MS));
}

void
engine_addresses(struct engine *e, monotime now, const struct addr *a, size_t n)
{
	struct world	*w = &e->w;

	w->now = now;
	if (n > ADDRS_MAX)
		n = ADDRS_MAX;
	memcpy(w->addrs, a, n * sizeof(*a));
	w->naddrs = (uint32_t)n;
	if (w->sweep.pos != 0)
		w->sweep_again = 1;
	else {
		w->sweep_at = 0;
		if (w->conf != NULL)
			moving_sweep(w);
	}
	engine_settle(e);
}

int
moving_waits(struct world *w, struct ike_sa *ike)
{
	if (!ike->mob.astray || mono_before(mono_add_ms(ike->mob.astray_at, ASTRAY_MS),
	    w->now) || ike->state != IKE_UP)
		return (0);
	timer_set(&w->timers, &ike->req.timer, mono_add_ms(w->now, ASTRAY_LOOK_MS));
	return (1);
}

/*
 * The initiator does not know that its NAT has moved it.  ESP alone may follow it to
 * another port; for the rest a check goes to where it came from, and says in it where that
 * is, so that the initiator moves the SA (3.8).
 */
void
moving_seen(struct world *w, struct ike_sa *ike, const struct endpoint *ep)
{
	struct child_sa	*c;
	said		 id;

	if (ike->mob.leads || ike->state != IKE_UP ||
	    endpoint_cmp(&ike->c.remote, ep) == 0 ||
	    endpoint_cmp(&ike->mob.also, ep) == 0)
		return;
	ike->mob.also = *ep;
	for (id = ike->children; addr_cmp(&ike->c.remote.addr, &ep->addr) == 0 &&
	    (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		child_follow(w, c, ep);
	ike->want_check = 1;
	touch_ike(w, ike);
}
