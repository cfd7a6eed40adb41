/* SPDX-License-Identifier: ISC */
/*
 * A second witness where there is one target: the peer's gateway.  A ping with TTL 1 that
 * comes out of the tunnel there may not be passed on, and that is said ("time exceeded"), from
 * an address inside of the `to' nets by the tunnel.  No host behind it has to live for that.
 *
 * While all is well one goes out every ten minutes, to learn whether the gateway does answer;
 * one that does not is asked again a day later.  From the target's first miss on it is
 * asked with the fast probes.  If it answers the tunnel lives and the target is silent; if it
 * does not, and did before, both fell silent at once, which speaks against the tunnel.
 *
 * It is aimed at the target itself, and at the address beside it where the target is the
 * gateway's own and answers at TTL 1.
 */

#include <string.h>

#include "keepalive/how.h"
#include "keepalive/watch_local.h"

#define CALM_MS		600000	/* one that answers is asked again */
#define TRY_MS		10000	/* one that may not */
#define TRIES		3
#define DAY_MS		86400000LL
#define FRESH_S		3600	/* it answered no longer ago: believed */
#define EACH_MS		10	/* between two of all tunnels', while all is well */
#define DOUBT_S		86400	/* it was silent while the target was not: it is not */
/* Linux lets a host have six such errors at once and then one a second
 * (net.ipv4.icmp_ratelimit). */
#define QUICK		6
#define QUICK_MS	150
#define SLOW_MS		2000
#define LEAST		4	/* unanswered: it is silent, as the target is; */
#define LEAST_AFTER	6	/* and when it was not silent at first */

static uint32_t
seconds(monotime now)
{
	return ((uint32_t)(now.us / 1000000) | 1);
}

/* Its first and last address are not a host's. */
static int
edge(const struct prefix *p, const struct addr *a)
{
	unsigned int bits = a->fam == ADDR_V4 ? 32 : 128, i, ones = 0;

	if (p->len + 1U >= bits)
		return (0);
	for (i = p->len; i < bits; i++)
		ones += a->b[i / 8] >> (7 - i % 8) & 1;
	return (ones == 0 || (a->fam == ADDR_V4 && ones == bits - p->len));
}

/* 0, or -1: there is none. */
static int
gate_addr(const struct target *t, struct addr *a)
{
	const struct prefix *p = watch_to(t->conf);
	unsigned int i, flip, last = t->conf->target.fam == ADDR_V4 ? 3 : 15;

	*a = t->conf->target;
	if (!t->gate.beside)
		return (0);
	for (i = 0; i < t->conf->nto; i++) {
		if (!prefix_contains(&p[i], &t->conf->target))
			continue;
		for (flip = 1; flip <= 2; flip++) {
			*a = t->conf->target;
			a->b[last] ^= (uint8_t)flip;
			if (prefix_contains(&p[i], a) && !edge(&p[i], a))
				return (0);
		}
	}
	return (-1);
}

static int
has_gate(const struct target *t)
{
	return (t->conf->ka != NULL && !watch_conf_alone(t->conf) && t->mem == NULL &&
	    target_pace(t) != KA_OFF && t->src.fam == t->conf->target.fam);
}

static void
gate_send(struct watch *w, struct target *t, monotime now)
{
	struct probe p = { .slot = t->slot | WATCH_GATE_SLOT, .id = t->id,
	    .seq = t->gate.seq, .sent_us = now.us, .due_us = now.us };
	struct icmp_route room;
	struct addr dst;

	if (gate_addr(t, &dst) == -1 || !target_may_send(t))
		return;
	how_probe(t->conf->ka, &p, &room);
	p.size = 0;
	p.ttl = 1;
	t->gate.seq++;
	if (w->io->probe(w->io->arg, t->conf->ka, &t->src, &dst, &p) == 0)
		watch_gate_sent(w, &p, 0);
}

/* One that is sent counts where all others count that go into the tunnel. */
void
watch_gate_sent(struct watch *w, const struct probe *p, int error)
{
	uint32_t slot = p->slot & ~WATCH_GATE_SLOT;
	struct target *t;

	if (error != 0 || slot >= w->nslots || (t = w->slots[slot]) == NULL ||
	    t->id != p->id)
		return;
	t->win_sent++;
	t->left++;
	if (t->pace != NULL)
		t->pace->sent++;
}

static void
ask_calmly(struct watch *w, struct target *t, monotime now)
{
	struct gate *g = &t->gate;

	if (!mono_reached(g->next, now))
		return;
	if (g->unheard == TRIES) {
		if (g->heard != 0)
			g->doubt = seconds(now);
		g->unheard = TRIES + 1;
		g->next = mono_add_ms(now, DAY_MS);
		return;
	}
	/* of 100,000 each has its turn, but not all at their start */
	if (!mono_reached(w->gate_at, now)) {
		g->next = mono_add_ms(now, watch_jitter_ms(w, TRY_MS));
		return;
	}
	w->gate_at = mono_add_ms(now, EACH_MS);
	if (g->unheard < TRIES)
		g->unheard++;
	g->next = mono_add_ms(now, g->unheard > TRIES ? DAY_MS : TRY_MS);
	gate_send(w, t, now);
}

/* One who would answer now if it could. */
static int
gate_known(const struct target *t, monotime now)
{
	const struct gate *g = &t->gate;

	return (has_gate(t) && g->heard != 0 && seconds(now) - g->heard <= FRESH_S);
}

static int
least(const struct gate *g)
{
	return (g->after ? LEAST_AFTER : LEAST);
}

/* With each probe of the target. */
void
gate_step(struct watch *w, struct target *t, monotime now)
{
	struct gate *g = &t->gate;

	if (!has_gate(t))
		return;
	if (t->state == WATCH_UP && t->misses == 0) {
		g->asked = g->after = 0;
		ask_calmly(w, t, now);
		return;
	}
	if (!t->ever || g->heard == 0 || ((g->asked != 0 || g->after) &&
	    !mono_reached(g->next, now)))
		return;
	if (g->asked < UINT8_MAX)
		g->asked++;
	if (g->asked == least(g))
		g->enough = now;
	g->next = mono_add_ms(now, g->asked < QUICK ? QUICK_MS : SLOW_MS);
	gate_send(w, t, now);
}

static void
heard(struct watch *w, struct target *t, const struct addr *from, int reply, monotime now)
{
	struct gate *g = &t->gate;

	if (t->pace != NULL)
		t->pace->replies++;
	/* the target is the gateway: this witness is the same one */
	if (reply && !g->beside && addr_cmp(from, &t->conf->target) == 0) {
		g->beside = 1;
		g->unheard = 0;
		g->next = now;
		w->gate_at = now;	/* it has its turn */
		if (t->state == WATCH_UP && t->misses == 0)
			ask_calmly(w, t, now);
		return;
	}
	g->heard = seconds(now);
	if (g->unheard != 0)
		g->next = mono_add_ms(now, CALM_MS);
	g->unheard = 0;
	if (t->state != WATCH_UP || t->misses > 0) {
		g->after = 1;
		g->asked = 0;
		g->next = mono_add_ms(now, SLOW_MS);
		/* of this the counters tell, too: at once */
		if (t->state == WATCH_DOWN && t->verdict != VERDICT_SILENT) {
			t->next_look = now;
			target_reschedule(w, t, now);
		}
	}
}

void
watch_gate_heard(struct watch *w, const struct addr *from, const struct probe *p,
    int reply, monotime now)
{
	uint32_t slot = p->slot & ~WATCH_GATE_SLOT;
	struct target *t;

	if (slot >= w->nslots || (t = w->slots[slot]) == NULL || t->id != p->id ||
	    t->state == 0 || t->state == WATCH_NOSOURCE)
		return;
	if (watch_by_tunnel(w, slot, from))
		heard(w, t, from, reply, now);
	else if (t->gate.heard == 0) {
		/* it answers around the tunnel: for nothing */
		t->gate.unheard = TRIES + 1;
		t->gate.next = mono_add_ms(now, DAY_MS);
	}
}

/* It has had its time to answer since it did. */
static int
gate_silent(const struct target *t, monotime now)
{
	return (t->gate.asked >= least(&t->gate) && mono_reached(mono_add_ms(t->gate.enough,
	    target_ripe_ms(t)), now));
}

/* The target and the gateway fell silent at once, who were answered before. */
int
gate_witness(const struct target *t, monotime now)
{
	const struct gate *g = &t->gate;

	return (gate_known(t, now) && (g->doubt == 0 || seconds(now) - g->doubt > DOUBT_S) &&
	    !g->after && gate_silent(t, now));
}

/* It may answer yet: then whoever else is not heard says nothing. */
int
gate_waits(const struct target *t, monotime now)
{
	return (gate_known(t, now) && !gate_silent(t, now));
}
