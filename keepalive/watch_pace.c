/* SPDX-License-Identifier: ISC */
/*
 * How much is sent.
 *
 * optimized: while the tunnel's counters say that hosts talk, a probe would say nothing new, and
 * is left out.  A few packets are no talk: they may be the peer's own probes and our answers to
 * them, which pass where nothing of ours does.  The counters are looked at every second, while
 * packets pass twice as often, with many tunnels more seldom, but once an interval; when that
 * comes to be late the probe goes out.  Packets that leave while none comes are asked about at
 * once, and so is a conversation that ends: it may have ended by itself, but who was in it waits.
 *
 * off: nothing is sent.  The tunnel is up while it has an SA, and nothing is done to it.
 */

#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define UNHEARD		3	/* packets that leave while none comes */
#define BRISK		2	/* packets each way between two looks: they talk */
#define BRISK_MS	2000	/* so long already; the peer's own probes do not */
#define EATEN		8	/* probes that did not leave, */
#define EATEN_LOOK	4	/* so many of one look at most, for that may be wrong */
#define LOOK_MS		1000	/* between two looks, */
#define LOOK_BUSY_MS	500	/* while packets pass, and */
#define LOOK_EACH_MS	20	/* for each tunnel there is */
#define LOPSIDED	8	/* so many times more one way than the other: no conversation */

enum ka_pace
target_pace(const struct target *t)
{
	return (t->conf->ka == NULL || watch_conf_alone(t->conf) ? KA_ALWAYS :
	    (enum ka_pace)t->conf->ka->pace);
}

int
pace_hurries(const struct target *t)
{
	return (t->pace != NULL && t->pace->eaten > 0);
}

int
pace_skips(const struct target *t, monotime now)
{
	return (t->pace != NULL && t->state == WATCH_UP && t->misses == 0 &&
	    t->fast_left == 0 && mono_before(now, t->pace->busy_until));
}

uint32_t
pace_look_ms(const struct watch *w, const struct target *t)
{
	uint64_t ms = (uint64_t)w->n * LOOK_EACH_MS, least = LOOK_MS;

	if (target_pace(t) != KA_OPTIMIZED)
		return (t->conf->interval_ms);
	if (t->pace != NULL && t->pace->brisk.us != 0)
		least = LOOK_BUSY_MS;
	ms = ms < least ? least : ms;
	return (ms < t->conf->interval_ms ? (uint32_t)ms : t->conf->interval_ms);
}

/*
 * Hosts are answered.  Where one way is dead the peer's own probes come in by the other, few
 * beside what leaves.
 */
static int
both_ways(const struct evidence *e)
{
	uint64_t out = e->out > e->probes ? e->out - e->probes : 0;
	uint64_t in = e->in > e->replies ? e->in - e->replies : 0;

	return (out > 0 && in > 0 && out <= in * LOPSIDED && in <= out * LOPSIDED);
}

static int
has_talked(const struct pace *p, monotime now)
{
	return (p->brisk.us != 0 && mono_reached(mono_add_ms(p->brisk, BRISK_MS), now));
}

/* They did not talk since the last look.  1: that is to be asked about. */
static int
fell_silent(struct pace *p, const struct evidence *e, monotime now)
{
	int ended = has_talked(p, now);
	uint64_t out = e->out > e->probes ? e->out - e->probes : 0;

	p->busy_until = p->brisk = MONO_NONE;
	p->unheard = e->in != 0 ? 0 : out > UNHEARD ? UNHEARD : p->unheard + (uint8_t)out;
	return (ended || p->unheard >= UNHEARD);
}

/* They do.  1: no longer as briskly, which is to be asked about, too. */
static int
talk(const struct target *t, struct pace *p, const struct evidence *e, monotime now)
{
	uint32_t interval = t->conf->interval_ms;
	int ended = has_talked(p, now);

	p->unheard = 0;
	if (e->out >= e->probes + BRISK && e->in >= e->replies + BRISK) {
		if (p->brisk.us == 0)
			p->brisk = now;
		/* where looks are rare a few are still few */
		if (ended && e->in - e->replies >= (uint64_t)BRISK * e->ms / 1000)
			p->busy_until = mono_add_ms(now, interval + interval / 4);
		return (0);
	}
	p->brisk = MONO_NONE;
	return (ended);
}

/*
 * Less has left than was sent, though answers may have come: those, and what left, went another
 * way or were the peer's.  In a healthy tunnel it is not so once; here more are sent, and quickly.
 */
static int
eaten(struct target *t, struct pace *p, const struct evidence *e, monotime now)
{
	if (e->sure == 0 || e->rekeying)
		return (0);
	if (verdict_short(e)) {
		p->eaten += (uint8_t)(e->sure - e->out > EATEN_LOOK ? EATEN_LOOK :
		    e->sure - e->out);
		t->next_probe = now;
	} else if (p->eaten > 0)
		p->eaten--;
	return (p->eaten >= EATEN);
}

/* A look at the counters of a tunnel that is up.  1: it is no longer. */
static int
optimized(struct watch *w, struct target *t, const struct watch_counters *c, monotime now)
{
	struct pace *p = t->pace;
	struct evidence e;

	if (p == NULL && (p = t->pace = calloc(1, sizeof(*p))) == NULL)
		return (0);
	if (p->spi != c->spi_out)
		p->eaten = 0;
	else if (c->packets_out >= p->out && c->packets_in >= p->in) {
		memset(&e, 0, sizeof(e));
		e.out = c->packets_out - p->out;
		e.in = c->packets_in - p->in;
		e.probes = p->sent;
		e.replies = p->replies;
		e.sure = t->left_asked - p->left;
		e.rekeying = c->rekeying != 0;
		e.ms = pace_look_ms(w, t);
		if (eaten(t, p, &e, now)) {
			p->eaten = 0;
			target_verdict(w, t, VERDICT_EATEN, now);
			return (1);
		}
		people_note(t, &e, now);
		if ((both_ways(&e) ? talk(t, p, &e, now) : fell_silent(p, &e, now)) &&
		    t->misses == 0 && t->fast_left == 0) {
			p->unheard = 0;
			target_hurry(t, now);
		}
	}
	p->spi = c->spi_out;
	p->out = c->packets_out;
	p->in = c->packets_in;
	p->sent = p->replies = 0;
	p->left = t->left;
	t->next_look = mono_add_ms(now, watch_jitter_ms(w, pace_look_ms(w, t)));
	return (0);
}

static void
off(struct watch *w, struct target *t, const struct watch_counters *c, monotime now)
{
	int up = c != NULL && c->has_sa;

	t->next_look = mono_add_ms(now, watch_jitter_ms(w, t->state == WATCH_UP ?
	    t->conf->interval_ms : t->look_ms));
	if (up == (t->state == WATCH_UP))
		return;
	if (up) {
		log_info(w->io->log, "keepalive \"%s\": up: the tunnel has an SA (pace off: "
		    "nothing is sent)", t->conf->name);
		target_state(w, t, WATCH_UP, now);
		t->next_look = mono_add_ms(now, watch_jitter_ms(w, t->conf->interval_ms));
		target_event(w, t, WATCH_EV_UP, "the tunnel has an SA");
		return;
	}
	log_warnx(w->io->log, "keepalive \"%s\": down: the tunnel has no SA any more",
	    t->conf->name);
	target_state(w, t, WATCH_DOWN, now);
	target_verdict(w, t, VERDICT_NOTUNNEL, now);
	target_event(w, t, WATCH_EV_DOWN, "the tunnel has no SA any more");
}

int
pace_counters(struct watch *w, struct target *t, const struct watch_counters *c,
    monotime now)
{
	switch (target_pace(t)) {
	case KA_OFF:
		off(w, t, c, now);
		return (1);
	case KA_OPTIMIZED:
		if (t->state == WATCH_UP && c != NULL && c->has_sa)
			return (optimized(w, t, c, now));
		return (0);
	case KA_ALWAYS:
		break;
	}
	return (0);
}
