/* SPDX-License-Identifier: ISC */
/*
 * One target: when to probe, what a reply or its absence means.
 *
 * While the target is up a probe goes out every interval, each a little early at
 * random (0 to 25 %, the rule of RFC 5880 6.8.7), so that many gateways do not
 * fall into step.  The first miss is checked at once by three more probes a
 * second apart; four misses in a row are "down".
 *
 * While it is not up, iked is asked for the tunnel, with back-off, and probes go
 * out quickly for a moment after each request.  Their loss counts for nothing: while
 * an SA is being negotiated the kernel drops such packets and says they were sent.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/how.h"
#include "keepalive/watch_local.h"

#define SPARE_RATE	1000.0
#define FULL_MS		5	/* the kernel takes no more: a little later */

int64_t
watch_jitter_ms(struct watch *w, uint32_t ms)
{
	uint32_t quarter = ms / 4;

	if (quarter == 0)
		return (ms);
	return ((int64_t)ms - w->io->random(w->io->arg) % (quarter + 1));
}

static monotime
earliest(monotime a, monotime b)
{
	return (mono_before(b, a) ? b : a);
}

static struct slot *
slot_of(struct target *t, uint32_t seq)
{
	return (&t->ring[seq & t->ring_mask]);
}

/* A reply is late after four round trips, in bounds. */
static int64_t
timeout_ms(const struct target *t)
{
	int64_t top = t->conf->ka != NULL ? t->conf->ka->timeout_ms : WATCH_TIMEOUT_MS;
	int64_t ms = t->received == 0 ? top : (int64_t)t->rtt_sum_us / t->received / 250;

	if (ms < WATCH_TIMEOUT_MIN_MS)
		ms = WATCH_TIMEOUT_MIN_MS;
	return (ms < top ? ms : top);
}

int64_t
target_ripe_ms(const struct target *t)
{
	int64_t ms = t->received == 0 ? 0 : (int64_t)t->rtt_sum_us / t->received / 250;

	return (ms < WATCH_REPROBE_MS ? WATCH_REPROBE_MS : ms);
}

int
target_outlasts(struct target *t, uint32_t heard_ms, monotime now)
{
	int64_t age, ripe = target_ripe_ms(t);
	struct slot *s;
	uint32_t n;

	for (n = 1; n <= t->ring_mask + 1U && n <= t->seq; n++) {
		s = slot_of(t, t->seq - n);
		age = SLOT_AGE_MS(s, now);
		if (age > heard_ms)
			break;
		if (age >= ripe && s->state != SLOT_DONE)
			return (1);
	}
	return (0);
}

static uint32_t
fall(const struct target *t)
{
	return (t->conf->ka != NULL ? t->conf->ka->fall : WATCH_FALL);
}

/* Replies in a row that make it up: one while it first comes up. */
static uint32_t
rise(const struct target *t)
{
	if (t->conf->ka != NULL && t->conf->ka->rise != 0)
		return (t->conf->ka->rise);
	return (t->ever && t->state == WATCH_DOWN && t->conf->ka != NULL ? CONF_RISE : 1);
}

void
target_hurry(struct target *t, monotime now)
{
	t->fast_left = (uint8_t)fall(t);
	t->next_probe = now;
}

static monotime
oldest_timeout(struct target *t, monotime now)
{
	if (t->tail == t->seq)
		return (MONO_NEVER);
	return (mono_add_ms(now, timeout_ms(t) -
	    SLOT_AGE_MS(slot_of(t, t->tail), now)));
}

void
target_reschedule(struct watch *w, struct target *t, monotime now)
{
	monotime d = t->next_probe;

	if (w->backup) {
		wheel_unset(&w->wheel, &t->timer);
		return;
	}
	while (t->tail != t->seq && slot_of(t, t->tail)->state != SLOT_COUNTED)
		t->tail++;
	if (t->state == WATCH_UP) {
		d = earliest(d, oldest_timeout(t, now));
		d = earliest(d, t->next_look);
		if (t->pmtu != NULL)
			d = earliest(d, t->pmtu->at);
	} else if (t->state != WATCH_NOSOURCE) {
		d = earliest(d, t->next_ask);
		d = earliest(d, t->next_look);
		if (t->state == WATCH_ACQUIRING)
			d = earliest(d, mono_add_ms(t->began, WATCH_GRACE_MS));
	}
	if (t->reserve != NULL)
		d = earliest(d, t->reserve->at);
	wheel_set(&w->wheel, &t->timer, d);
}

/* Addresses with which nothing leaves this machine, or this link: `from any' has them. */
static int
inner(const struct addr *a)
{
	static const struct prefix nets[] = {
		{ { ADDR_V4, { 127 } }, 8 }, { { ADDR_V6, { [15] = 1 } }, 128 },
		{ { ADDR_V4, { 169, 254 } }, 16 }, { { ADDR_V6, { 0xfe, 0x80 } }, 10 }
	};
	size_t i;

	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (prefix_contains(&nets[i], a))
			return (1);
	return (0);
}

static int
usable(const struct target *t, const struct addr *a, uint8_t fam)
{
	uint8_t i;

	if (target_index(t, a) != -1)
		return (0);
	if (watch_conf_alone(t->conf))
		return (addr_cmp(a, &t->conf->source) == 0);
	if (inner(a))
		return (0);
	/* Any other of this machine's would be outside of the policy, and leave in clear. */
	if (t->conf->dynamic && (t->given == NULL ||
	    addr_cmp(a, &t->given[a->fam == ADDR_V6]) != 0))
		return (0);
	for (i = 0; i < t->conf->nfrom; i++)
		if (a->fam == fam &&
		    prefix_contains(&watch_from(t->conf)[i], a))
			return (1);
	return (0);
}

/* Without a tunnel there is no selector that a source has to be in. */
static int
by_route(const struct target *t)
{
	return (watch_conf_alone(t->conf) && t->conf->source.fam == ADDR_NONE);
}

static int
needs_source(const struct target *t)
{
	/* what the peer gives is known when the tunnel is up */
	return (!by_route(t) && target_pace(t) != KA_OFF && !t->conf->dynamic);
}

int
target_may_send(const struct target *t)
{
	return (target_pace(t) != KA_OFF && (by_route(t) || usable(t, &t->src, t->conf->target.fam)));
}

/* The source in use stays while it can; else the lowest address inside. */
static struct addr
choose_source(const struct watch *w, const struct target *t, uint8_t fam)
{
	struct addr best = { .fam = ADDR_NONE };
	size_t i;

	for (i = 0; i < w->naddrs; i++) {
		if (!usable(t, &w->addrs[i], fam))
			continue;
		if (addr_cmp(&w->addrs[i], &t->src) == 0)
			return (t->src);
		if (best.fam == ADDR_NONE || addr_cmp(&w->addrs[i], &best) < 0)
			best = w->addrs[i];
	}
	return (best);
}

/* What is still out counts as lost, so that sent = received + lost. */
static void
give_up(struct target *t, monotime now)
{
	struct slot *s;

	for (; t->tail != t->seq; t->tail++) {
		s = slot_of(t, t->tail);
		if (s->state == SLOT_COUNTED) {
			s->state = SLOT_LOST;
			target_note_lost(t, s, now);
		}
	}
}

static void
begin_acquire(struct watch *w, struct target *t, monotime now)
{
	int linked = w->linked && !watch_conf_alone(t->conf);

	t->began = now;
	t->ask_ms = WATCH_ASK_MIN_MS;
	t->look_ms = WATCH_WINDOW_MS;
	t->next_ask = linked ? now : MONO_NEVER;
	t->next_look = linked ? mono_add_ms(now, WATCH_WINDOW_MS) :
	    MONO_NEVER;
	/* Where iked can be asked, the asking goes first: a probe before the SA
	 * is there is lost, and would be what woke the tunnel. */
	t->next_probe = target_pace(t) == KA_OFF ? MONO_NEVER : !linked ? now :
	    mono_add_ms(now, watch_jitter_ms(w, WATCH_FAST_MS));
	t->fast_until = MONO_NONE;
	t->misses = t->fast_left = t->rises = 0;
	give_up(t, now);
	t->verdict = t->said = VERDICT_NONE;
	if (t->suspect != SUSPECT_SEEN)
		t->win = 0;
	t->still = t->nsenderr = 0;
}

static void
say_nosource(struct watch *w, const struct target *t)
{
	char net[PREFIX_STRLEN];

	/* The master has it. */
	if (w->backup)
		return;
	if (watch_conf_alone(t->conf)) {
		log_warnx(w->io->log, "keepalive \"%s\": its source %s is no address "
		    "of this machine; until it is, nothing is sent", t->conf->name,
		    addr_str(&t->conf->source, net));
		return;
	}
	log_warnx(w->io->log, "keepalive \"%s\": no address of this machine is "
	    "inside %s%s; add one to an interface, or put one of this "
	    "machine's addresses into the tunnel's \"from\"; until then "
	    "nothing is sent", t->conf->name, prefix_str(watch_from(t->conf), net), t->conf->nfrom > 1 ? " or its other nets" : "");
}

void
target_state(struct watch *w, struct target *t, enum watch_state state,
    monotime now)
{
	enum watch_state was = t->state;

	t->state = (uint8_t)state;
	if (state != was)
		t->since = now;
	if (state == WATCH_UP) {
		t->next_ask = MONO_NEVER;
		t->next_look = w->linked && !watch_conf_alone(t->conf) ? now :
		    MONO_NEVER;
		t->misses = t->fast_left = 0;
		t->tail = t->seq;
		t->verdict = t->said = VERDICT_NONE;
		t->still = t->win = t->nsenderr = 0;
		t->suspect = SUSPECT_NONE;
	} else if (state == WATCH_NOSOURCE) {
		give_up(t, now);
		t->next_probe = t->next_ask = t->next_look = MONO_NEVER;
		say_nosource(w, t);
		target_event(w, t, WATCH_EV_SOURCE, "no address of this "
		    "machine is inside the tunnel's nets: nothing is sent");
	} else if (was == WATCH_UP || was == WATCH_NOSOURCE || was == 0)
		begin_acquire(w, t, now);
	if (state != was)
		reserve_state(t, now);
	target_hook_state(w, t);
	target_pmtu_state(w, t, now);
	todo_set(w, t, TODO_REPORT);
	target_reschedule(w, t, now);
}

/* at: when the first probe may go, to spread the start of many targets */
void
target_start(struct watch *w, struct target *t, monotime at, monotime now)
{
	t->src = choose_source(w, t, t->conf->target.fam);
	if (t->src.fam == ADDR_NONE && needs_source(t)) {
		target_state(w, t, WATCH_NOSOURCE, now);
		return;
	}
	target_state(w, t, WATCH_ACQUIRING, at);
}

/* iked says what the peer has given. */
void
target_given(struct watch *w, struct target *t, const struct addr given[2], monotime now)
{
	if (!t->conf->dynamic || (t->given != NULL && addr_cmp(&given[0], &t->given[0]) == 0 &&
	    addr_cmp(&given[1], &t->given[1]) == 0))
		return;
	if (t->given == NULL && (t->given = calloc(2, sizeof(t->given[0]))) == NULL)
		return;
	t->given[0] = given[0];
	t->given[1] = given[1];
	target_source(w, t, now);
}

void
target_source(struct watch *w, struct target *t, monotime now)
{
	struct addr src = choose_source(w, t, t->conf->target.fam);
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	if (addr_cmp(&src, &t->src) == 0)
		return;
	if (!needs_source(t)) {
		t->src = src;
		if (src.fam != ADDR_NONE || !t->conf->dynamic)
			return;
		/* It is the old tunnel's: iked has to say what is given now. */
		if (t->state == WATCH_UP && target_pace(t) != KA_OFF) {
			free(t->given);
			t->given = NULL;
			target_state(w, t, WATCH_ACQUIRING, now);
		}
		return;
	}
	if (src.fam == ADDR_NONE) {
		t->src = src;
		target_state(w, t, WATCH_NOSOURCE, now);
		return;
	}
	if (t->src.fam != ADDR_NONE)
		log_info(w->io->log, "keepalive \"%s\": source %s is gone, "
		    "using %s", t->conf->name, addr_str(&t->src, a),
		    addr_str(&src, b));
	t->src = src;
	target_event(w, t, WATCH_EV_SOURCE, "the source is %s",
	    addr_str(&src, a));
	if (t->state == WATCH_NOSOURCE)
		target_state(w, t, WATCH_ACQUIRING, now);
	else
		todo_set(w, t, TODO_REPORT);
}

static void
go_down(struct watch *w, struct target *t, monotime now)
{
	char path[2 * ADDR_STRLEN + 8];
	uint32_t misses;

	log_warnx(w->io->log, "keepalive \"%s\": down: %u probes unanswered "
	    "(%s), last reply %lld s ago%s%s", t->conf->name, t->misses,
	    target_path(t, path, sizeof(path)),
	    (long long)(mono_diff_us(now, t->last_reply) / 1000000),
	    t->evidence != NULL ? ": " : "", t->evidence != NULL ? t->evidence : "");
	misses = t->misses;
	target_state(w, t, WATCH_DOWN, now);
	target_event(w, t, WATCH_EV_DOWN, "%u probes in a row unanswered", fall(t));
	recover_begin(w, t, misses, now);
}

static void
miss(struct watch *w, struct target *t, monotime now)
{
	todo_set(w, t, TODO_NUMBERS);
	/* Around a rekey some are lost between the old keys and the new ones. */
	if (t->grace > 0) {
		t->grace--;
		t->next_probe = now;
		return;
	}
	if (++t->misses == 1) {
		t->suspect = SUSPECT_ASKED;
		todo_set(w, t, TODO_COUNTERS);	/* is there a rekey? */
		t->fast_left = (uint8_t)(fall(t) - 1);
		t->next_probe = now;
	} else if (t->misses == 2)
		recover_suspect(w, t, now);
	target_hook_test(w, t);
	if (t->misses >= fall(t))
		go_down(w, t, now);
}

static void
collect_lost(struct watch *w, struct target *t, monotime now)
{
	struct slot *s;

	while (t->state == WATCH_UP && t->tail != t->seq) {
		s = slot_of(t, t->tail);
		if (s->state == SLOT_COUNTED) {
			if (!mono_reached(oldest_timeout(t, now), now))
				break;
			s->state = SLOT_LOST;
			target_note_lost(t, s, now);
			t->tail++;
			miss(w, t, now);
		} else
			t->tail++;
	}
}

/* Errors that tell of this machine, not of a passing moment. */
static int
lasting(int error)
{
	switch (error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EPERM:
	case EACCES:
	case EINVAL:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:	/* there is no socket for it: the log says why */
		return (1);
	default:
		return (0);
	}
}

static void
send_failed(struct watch *w, struct target *t, int error, monotime now)
{
	t->senderr = error;
	if (!lasting(error)) {
		t->nsenderr = 0;
		return;
	}
	if (++t->nsenderr >= WATCH_FALL && t->state != WATCH_UP)
		target_verdict(w, t, VERDICT_NOSEND, now);
}

static uint32_t
pause_ms(const struct target *t, monotime now)
{
	if (t->state == WATCH_UP) {
		if ((t->fast_left > 0 || pace_hurries(t)) &&
		    t->conf->interval_ms > WATCH_REPROBE_MS)
			return (WATCH_REPROBE_MS);
		return (t->conf->interval_ms);
	}
	/* What needs a socket for each probe is not hurried. */
	return (mono_before(now, t->fast_until) && (t->conf->ka == NULL ||
	    t->conf->ka->kind == KA_ICMP) ? WATCH_FAST_MS : WATCH_SLOW_MS);
}

void
target_sent(struct watch *w, struct target *t, const struct probe *p, int error,
    monotime now)
{
	int64_t late = (now.us - p->due_us) / 1000;

	if (error != 0) {
		w->refused++;
		send_failed(w, t, error, now);
		return;
	}
	w->probes++;
	w->lateness[late < 0 ? 0 : late >= WATCH_LATE_MS ? WATCH_LATE_MS - 1 :
	    late]++;
	t->nsenderr = 0;
	t->win_sent++;
	t->left++;
	if (t->pace != NULL)
		t->pace->sent++;
	if (t->rec != NULL)
		t->rec->missed++;
	if (t->verdict == VERDICT_NOSEND)
		target_verdict(w, t, VERDICT_NONE, now);
}

/*
 * A target that is not up is probed quickly, which is for some: when a hub is gone, and
 * all of them are down, these probes are held together to SPARE_RATE a second.
 * Not the first one of each, which nobody has called down.
 */
static int
spare(struct watch *w, monotime now)
{
	w->spare += SPARE_RATE * (double)mono_diff_us(now, w->spare_at) / 1e6;
	w->spare_at = now;
	if (w->spare > SPARE_RATE)
		w->spare = SPARE_RATE;
	if (w->spare < 1)
		return (0);
	w->spare -= 1;
	return (1);
}

static int
one_probe(struct watch *w, struct target *t, unsigned int i, const struct probe *p)
{
	const struct addr *dst = target_addr(t, i);
	struct addr src = t->src;

	/* One of the other family has a source of its own. */
	if (dst->fam != t->conf->target.fam && !by_route(t) &&
	    (src = choose_source(w, t, dst->fam)).fam == ADDR_NONE)
		return (EADDRNOTAVAIL);
	return (w->io->probe(w->io->arg, t->conf->ka, &src, dst, p));
}

static void
send_probe(struct watch *w, struct target *t, monotime now)
{
	struct probe p = { .slot = t->slot, .id = t->id, .seq = t->seq,
	    .sent_us = now.us, .due_us = t->next_probe.us };
	struct slot *s = slot_of(t, t->seq);
	struct icmp_route room;
	uint8_t fast = t->fast_left;
	unsigned int i;
	int error;

	gate_step(w, t, now);
	if (pace_skips(t, now)) {
		t->next_probe = mono_add_ms(now, watch_jitter_ms(w, t->conf->interval_ms));
		return;
	}
	if (t->fast_left > 0)
		t->fast_left--;
	t->next_probe = mono_add_ms(now, watch_jitter_ms(w,
	    pause_ms(t, now)));
	if (t->state != WATCH_UP && t->seq > 0 && !spare(w, now))
		return;
	/* The promise of this program, checked where it matters. */
	if (!target_may_send(t))
		return;
	how_probe(t->conf->ka, &p, &room);
	if ((error = one_probe(w, t, 0, &p)) == EAGAIN || error == ENOBUFS) {
		w->delayed++;
		t->fast_left = fast;
		t->next_probe = mono_add_ms(now, FULL_MS);
		return;
	}
	members_sent(t, t->seq);
	t->seq++;
	s->cs = SLOT_CS(now) & 0x1fff;
	s->state = t->state == WATCH_UP ? SLOT_COUNTED : SLOT_FREE;
	if (s->state == SLOT_COUNTED)
		target_note_sent(t, now.us);
	if (error != EINPROGRESS)
		target_sent(w, t, &p, error, now);
	for (i = 1; i < target_count(t); i++)
		if ((error = one_probe(w, t, i, &p)) != EINPROGRESS &&
		    error != EAGAIN && error != ENOBUFS)
			target_sent(w, t, &p, error, now);
}

void
target_failed(struct watch *w, struct target *t, const struct probe *p,
    const char *text, monotime now)
{
	struct slot *s = slot_of(t, p->seq);

	if (t->seq - p->seq - 1 > t->ring_mask || s->state == SLOT_EMPTY ||
	    s->state == SLOT_DONE)
		return;
	if (text != NULL && (t->evidence == NULL || strcmp(text, t->evidence) != 0)) {
		free(t->evidence);
		t->evidence = strdup(text);
		todo_set(w, t, TODO_REPORT);
	}
	if (members_failed(t, p->seq) && s->state == SLOT_COUNTED && t->state == WATCH_UP) {
		s->state = SLOT_LOST;
		target_note_lost(t, s, now);
		miss(w, t, now);
	}
	target_reschedule(w, t, now);
}

static void
ask(struct watch *w, struct target *t, monotime now)
{
	todo_set(w, t, TODO_UP);
	t->next_ask = mono_add_ms(now, watch_jitter_ms(w, t->ask_ms));
	t->ask_ms = t->ask_ms * 2 > WATCH_ASK_MAX_MS ? WATCH_ASK_MAX_MS :
	    t->ask_ms * 2;
	t->fast_until = mono_add_ms(now, WATCH_FAST_FOR_MS);
	if (target_pace(t) != KA_OFF)
		t->next_probe = earliest(t->next_probe, mono_add_ms(now,
		    watch_jitter_ms(w, WATCH_FAST_MS)));
}

static void
grace_over(struct watch *w, struct target *t, monotime now)
{
	char path[2 * ADDR_STRLEN + 8], note[200];

	target_note(w, t, note, sizeof(note));
	log_warnx(w->io->log, "keepalive \"%s\": down: no reply in %d s (%s)"
	    "%s%s", t->conf->name, WATCH_GRACE_MS / 1000,
	    target_path(t, path, sizeof(path)), note[0] != '\0' ? ": " : "",
	    note);
	t->said = t->verdict;
	target_state(w, t, WATCH_DOWN, now);
	target_event(w, t, WATCH_EV_DOWN, "no reply in %d s",
	    WATCH_GRACE_MS / 1000);
}

void
target_expire(struct watch *w, struct target *t, monotime now)
{
	if (t->state == WATCH_NOSOURCE) {
		target_reschedule(w, t, now);
		return;
	}
	collect_lost(w, t, now);
	if (t->state != WATCH_UP) {
		if (t->state == WATCH_ACQUIRING && mono_reached(
		    mono_add_ms(t->began, WATCH_GRACE_MS), now))
			grace_over(w, t, now);
		if (mono_reached(t->next_ask, now))
			ask(w, t, now);
	}
	if (mono_reached(t->next_look, now))
		target_look(w, t, now);
	if (mono_reached(t->next_probe, now))
		send_probe(w, t, now);
	target_pmtu_expire(w, t, now);
	reserve_expire(w, t, now);
	target_reschedule(w, t, now);
}

static void
come_up(struct watch *w, struct target *t, monotime now)
{
	char path[2 * ADDR_STRLEN + 8];

	log_info(w->io->log, "keepalive \"%s\": up, first reply after %lld ms "
	    "(%s)", t->conf->name,
	    (long long)(mono_diff_us(now, t->began) / 1000),
	    target_path(t, path, sizeof(path)));
	t->next_probe = mono_add_ms(now, watch_jitter_ms(w,
	    t->conf->interval_ms));
	recover_passed(w, t, now);
	target_state(w, t, WATCH_UP, now);
	gate_step(w, t, now);
	target_event(w, t, WATCH_EV_UP, "first reply after %lld ms",
	    (long long)(mono_diff_us(now, t->began) / 1000));
}

void
target_reply(struct watch *w, struct target *t, unsigned int who,
    const struct probe *p, monotime now)
{
	struct slot *s = slot_of(t, p->seq);
	int r;

	/* Too old to be remembered, or a duplicate: no evidence of now. */
	if (t->seq - p->seq - 1 > t->ring_mask || s->state == SLOT_EMPTY ||
	    (t->mem == NULL && s->state == SLOT_DONE))
		return;
	if ((r = members_reply(t, who, p->seq, now)) != -1 && !t->outward) {
		t->win_replies++;
		if (t->pace != NULL)
			t->pace->replies++;
	}
	if (r != 1)
		return;
	target_note_reply(t, p, s->state, now);
	s->state = SLOT_DONE;
	free(t->evidence);
	t->evidence = NULL;
	t->rises = mono_diff_us(now, t->last_reply) > WATCH_TIMEOUT_MS * 2000 ? 1 :
	    (uint8_t)(t->rises < 255 ? t->rises + 1 : 255);
	t->last_reply = now;
	if (t->grace > 0)
		t->grace--;
	if (t->rec != NULL)
		t->rec->missed = 0;
	/* A reply that came around the tunnel proves nothing of the tunnel: the
	 * counters have to say that it is over (watch_iked.c). */
	if (t->verdict == VERDICT_EATEN) {
		t->next_look = now;
		target_reschedule(w, t, now);
		return;
	}
	if (t->state == WATCH_NOSOURCE)
		return;
	if (t->state != WATCH_UP && t->rises < rise(t))
		t->fast_until = mono_add_ms(now, WATCH_FAST_FOR_MS);
	else if (t->state != WATCH_UP)
		come_up(w, t, now);
	else if (t->misses > 0 || t->fast_left > 0) {
		t->misses = t->fast_left = 0;
		t->gate.asked = t->gate.after = 0;
		t->suspect = SUSPECT_NONE;
		t->next_probe = mono_add_ms(now, watch_jitter_ms(w,
		    t->conf->interval_ms));
	}
	target_hook_test(w, t);
	todo_set(w, t, TODO_NUMBERS);
	target_reschedule(w, t, now);
}
