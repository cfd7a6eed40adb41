/* SPDX-License-Identifier: ISC */
/*
 * A target that answered once, and does not any more: is the peer alive, and what is done?
 * The verdict is verdict.c's and the steps are ladder.c's; this binds both to
 * a target and to iked.  Only such a target has a struct recover, from its first
 * fall on.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define CHECK_EVERY_MS	10000	/* the peer is asked again */
#define PEOPLE_MONOLOGUE 8	/* packets of theirs with none coming, while all is well */
#define PEOPLE_DOUBT_S	86400
#define PEOPLE_LEAST	3	/* packets of theirs unanswered: the witness speaks */
#define CHECK_WAIT_MS	5000	/* iked gives a peer up sooner that does not answer */
#define WAIT_MOST_MS	5000	/* for what has to be there before something is done */
#define WAIT_PEER_MS	1000	/* and for the peer's answer */

static int
ask_peer(struct watch *w, struct target *t, monotime now)
{
	if (!t->ever || !w->linked || watch_conf_alone(t->conf))
		return (-1);
	if (t->rec == NULL && (t->rec = calloc(1, sizeof(*t->rec))) == NULL)
		return (-1);
	t->rec->asked = now;
	t->rec->seen = MONO_NONE;
	todo_set(w, t, TODO_CHECK);
	return (0);
}

/* Two were missed, which is more than chance: the answer is there when it falls. */
void
recover_suspect(struct watch *w, struct target *t, monotime now)
{
	(void)ask_peer(w, t, now);
}

void
recover_begin(struct watch *w, struct target *t, uint32_t misses, monotime now)
{
	if ((t->rec == NULL || misses < 3 || mono_reached(mono_add_ms(t->rec->asked,
	    CHECK_WAIT_MS), now)) && ask_peer(w, t, now) == -1)
		return;
	t->rec->missed = misses * target_count(t);
	t->rec->want = RUNG_NONE;
	t->rec->fell = now;
	t->next_look = now;
}

/* Since it was asked, has the peer been heard? */
static enum life
life_of(struct watch *w, struct target *t, const struct watch_counters *c, monotime now)
{
	struct recover *r = t->rec;
	int64_t ms = mono_diff_us(now, r->asked) / 1000;

	if (c != NULL && c->has_sa && c->ike_up && (int64_t)c->last_in_ms <= ms) {
		r->seen = now;
		if (ms > CHECK_EVERY_MS) {
			r->asked = now;
			todo_set(w, t, TODO_CHECK);
		}
		return (LIFE_ALIVE);
	}
	if (ms >= CHECK_WAIT_MS && !mono_before(r->asked, r->seen))
		return (LIFE_DEAD);
	return (LIFE_UNKNOWN);
}

void
recover_evidence(struct watch *w, struct target *t, const struct watch_counters *c,
    struct evidence *e, monotime now)
{
	e->ever = t->ever;
	/* of one that is up the peer is not asked */
	if (t->rec == NULL || t->state == WATCH_UP)
		return;
	e->life = (uint8_t)life_of(w, t, c, now);
	t->rec->e = *e;
}

/*
 * Too early to say: a way that was interrupted for a moment is
 * there again when the peer answers IKE, and what was lost before that says nothing any more.
 * So something has to be lost after it; and a witness has to have its time.
 */
int
recover_waits(struct target *t, const struct evidence *e, monotime now)
{
	struct recover *r = t->rec;
	monotime since;

	if (r == NULL || t->state != WATCH_DOWN || e->in > 0 || e->replies > 0 ||
	    verdict_still(e) || e->life == LIFE_DEAD)
		return (0);
	since = mono_before(r->fell, t->win_since) ? t->win_since : r->fell;
	if (mono_reached(mono_add_ms(since, e->life == LIFE_ALIVE ? WAIT_MOST_MS :
	    WAIT_PEER_MS), now))
		return (0);
	if (e->life == LIFE_ALIVE && target_outlasts(t, e->last_in_ms, now) && !gate_waits(t, now))
		return (0);
	t->next_look = mono_add_ms(now, WATCH_FAST_MS);
	return (1);
}

static uint32_t
rung_pause(const struct target *t)
{
	return (t->rtt_us / 1000 > 1000 ? 1000 : t->rtt_us / 1000);
}

/*
 * What hosts send through the tunnel is a witness where it is answered.  Some never is
 * (logs, telemetry): where such was seen while the target missed nothing, it says nothing
 * for a day.
 */
void
people_note(struct target *t, const struct evidence *e, monotime now)
{
	uint64_t out = e->out > e->probes ? e->out - e->probes : 0;

	if (t->state != WATCH_UP)
		return;
	if (out > 0 && e->in > e->replies)
		t->people = 1;
	else if (out >= PEOPLE_MONOLOGUE && e->replies > 0 && e->replies >= e->probes &&
	    t->misses == 0)
		t->monologue = (uint32_t)(now.us / 1000000) | 1;
}

static int
people_witness(const struct target *t, const struct evidence *e, monotime now)
{
	return (t->people && e->in == 0 && e->out >= e->probes + PEOPLE_LEAST &&
	    (t->monologue == 0 || now.us / 1000000 - t->monologue > PEOPLE_DOUBT_S));
}

/* After each verdict. */
void
recover_step(struct watch *w, struct target *t, monotime now)
{
	struct recover *r = t->rec;
	struct ladder_in in;
	enum rung rung;
	char text[160];

	if (r == NULL || t->state == WATCH_UP)
		return;
	memset(&in, 0, sizeof(in));
	/* what did not leave cannot have been lost on the way */
	in.verdict = verdict_still(&r->e) ? VERDICT_NONE : t->verdict;
	in.ever = t->ever;
	in.strong = (people_witness(t, &r->e, now) && !gate_waits(t, now)) ||
	    members_witness(t, now) || gate_witness(t, now);
	in.norecover = t->conf->ka != NULL && t->conf->ka->norecover;
	in.missed = r->missed / target_count(t);
	in.rtt_ms = rung_pause(t);
	in.random = w->io->random(w->io->arg);
	if ((rung = ladder_step(&r->l, &in, now)) == RUNG_NONE)
		return;
	verdict_text((enum verdict)t->verdict, &r->e, text, sizeof(text));
	r->missed = 0;
	if (rung == RUNG_ALARM && !in.strong && !in.norecover) {
		log_warnx(w->io->log, "keepalive \"%s\": %s; this may be the tunnel or only its "
		    "target, and nothing is done until something else than this target "
		    "tells: a second address after \"target\" would, and hosts' traffic "
		    "does", t->conf->name, text);
		target_event(w, t, WATCH_EV_ACTION, "alarm: %s", text);
		return;
	}
	if (rung == RUNG_ALARM) {
		log_warnx(w->io->log, "keepalive \"%s\": %s; nothing that may be done about it "
		    "has helped: look at firewalls and NAT between here and the peer, and "
		    "at the peer's own SAs", t->conf->name, text);
		target_event(w, t, WATCH_EV_ACTION, "alarm: %s", text);
		return;
	}
	r->want = (uint8_t)rung;
	t->fast_until = mono_add_ms(now, WATCH_FAST_FOR_MS);
	t->next_probe = mono_add_ms(now, watch_jitter_ms(w, WATCH_FAST_MS));
	todo_set(w, t, TODO_RECOVER);
}

/* Its turn has come among all the others': 1, and the command for iked. */
int
recover_command(struct watch *w, struct target *t, char *line, size_t cap)
{
	struct recover *r = t->rec;
	char text[160];

	/* It may have come up while it waited. */
	if (r == NULL || r->want == RUNG_NONE || t->state == WATCH_UP ||
	    t->verdict != VERDICT_DATADEAD)
		return (0);
	(void)snprintf(line, cap, "%s \"%s\"", rung_word((enum rung)r->want), t->conf->name);
	verdict_text(VERDICT_DATADEAD, &r->e, text, sizeof(text));
	log_warnx(w->io->log, "keepalive \"%s\": %s: %s", t->conf->name,
	    rung_word((enum rung)r->want), text);
	target_event(w, t, WATCH_EV_ACTION, "%s: %s", rung_word((enum rung)r->want), text);
	r->missed = 0;
	r->want = RUNG_NONE;
	return (1);
}

void
recover_answer(struct watch *w, struct target *t, const char *error)
{
	if (error != NULL)
		log_info(w->io->log, "keepalive \"%s\": iked: %.*s", t->conf->name,
		    ERRTEXT, error);
}

/* A reply, and it is up. */
void
recover_passed(struct watch *w, struct target *t, monotime now)
{
	(void)w;
	if (!t->outward)
		t->ever = 1;
	if (t->rec == NULL)
		return;
	ladder_passed(&t->rec->l, now);
	t->rec->want = RUNG_NONE;
}
