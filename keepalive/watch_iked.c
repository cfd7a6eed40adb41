/* SPDX-License-Identifier: ISC */
/*
 * What netwatchd says to iked and learns from it, and the diagnosis.
 *
 * While a target does not answer, its tunnel's counters are looked at before and after
 * at least WATCH_WINDOW_PROBES probes.  With an SA in place:
 *
 *	outbound	inbound
 *	still		-	something on this machine eats the probes (twice in a row)
 *	moves		still	they leave, and nothing comes back
 *	moves		moves	the tunnel works for others, the target is silent
 *
 * A target that does answer is looked at, too, only seldom: with NAT in the way the
 * probe can go and the reply come in clear, around a tunnel whose counters stand still.
 *
 * What is done about it is ladder.c's, and only where the target has ever answered: one that
 * does not exist must not bounce a tunnel that works.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define UP_RATE		50.0	/* `up` commands a second, after a burst: the */
#define UP_BURST	100.0	/* storm of a hub that comes back */
#define LOOK_RATE	200.0	/* looks a second at tunnels that are not up */
#define REKEY_GRACE	2
#define SLOW_RATE	100	/* commands a second that nobody waits for */

char *
target_path(const struct target *t, char *dst, size_t cap)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	(void)snprintf(dst, cap, "%s -> %s", addr_str(&t->src, a),
	    addr_str(&t->conf->target, b));
	return (dst);
}

static void
queue_leave(struct watch *w, struct target *t, uint8_t which)
{
	if (which & t->queued & QUEUE_UP)
		TAILQ_REMOVE(&w->ups, t, upent);
	if (which & t->queued & QUEUE_OTHER)
		TAILQ_REMOVE(&w->others, t, otherent);
	if (which & t->queued & QUEUE_SLOW)
		TAILQ_REMOVE(&w->slow, t, otherent);
	t->queued &= (uint8_t)~which;
}

/* Looks at counters of targets that are not up, all together. */
static int
look_now(struct watch *w)
{
	w->looks += LOOK_RATE * (double)mono_diff_us(w->now, w->looks_at) / 1e6;
	w->looks_at = w->now;
	if (w->looks > LOOK_RATE)
		w->looks = LOOK_RATE;
	if (w->looks < 1)
		return (0);
	w->looks -= 1;
	return (1);
}

void
todo_set(struct watch *w, struct target *t, uint8_t what)
{
	if (!w->linked || watch_conf_alone(t->conf))
		return;
	if (w->backup)
		what &= TODO_REPORT | TODO_NUMBERS;
	if ((what & TODO_COUNTERS) && (t->todo & TODO_ASKED))
		what &= (uint8_t)~TODO_COUNTERS;
	t->todo |= what;
	if ((t->todo & (TODO_UP | TODO_RECOVER | TODO_RESERVE)) && !(t->queued & QUEUE_UP)) {
		TAILQ_INSERT_TAIL(&w->ups, t, upent);
		t->queued |= QUEUE_UP;
	}
	if ((what & t->todo & TODO_COUNTERS) && (t->state != WATCH_UP ||
	    t->suspect != SUSPECT_NONE) && look_now(w))
		t->queued |= QUEUE_LOOK;
	if (!(t->queued & QUEUE_OTHER) && ((t->todo & (TODO_REPORT | TODO_CHECK)) ||
	    (t->queued & QUEUE_LOOK))) {
		queue_leave(w, t, QUEUE_SLOW);
		TAILQ_INSERT_TAIL(&w->others, t, otherent);
		t->queued |= QUEUE_OTHER;
	} else if ((t->todo & (TODO_NUMBERS | TODO_COUNTERS)) &&
	    !(t->queued & (QUEUE_OTHER | QUEUE_SLOW))) {
		TAILQ_INSERT_TAIL(&w->slow, t, otherent);
		t->queued |= QUEUE_SLOW;
	}
}

void
todo_clear(struct watch *w, struct target *t)
{
	queue_leave(w, t, QUEUE_UP | QUEUE_OTHER | QUEUE_SLOW | QUEUE_LOOK);
	t->todo = 0;
}

static double
tokens_now(const struct watch *w, monotime now)
{
	double n = w->tokens + UP_RATE *
	    (double)mono_diff_us(now, w->tokens_at) / 1e6;

	return (n > UP_BURST ? UP_BURST : n);
}

static monotime
tokens_due(const struct watch *w)
{
	if (TAILQ_EMPTY(&w->ups))
		return (MONO_NEVER);
	if (w->tokens >= 1)
		return (w->tokens_at);
	return (mono_add_us(w->tokens_at,
	    (int64_t)((1 - w->tokens) / UP_RATE * 1e6) + 1));
}

monotime
watch_queues_due(const struct watch *w)
{
	monotime due = tokens_due(w);

	if (!TAILQ_EMPTY(&w->slow) && mono_before(w->slow_at, due))
		return (w->slow_at);
	return (due);
}

static struct target *
pop_up(struct watch *w, monotime now)
{
	struct target *t;

	w->tokens = tokens_now(w, now);
	w->tokens_at = now;
	while ((t = TAILQ_FIRST(&w->ups)) != NULL) {
		/* It may have come up while it waited in the queue. */
		if (t->state == WATCH_UP || t->state == WATCH_NOSOURCE)
			t->todo &= (uint8_t)~(TODO_UP | TODO_RECOVER);
		if ((t->todo & TODO_RESERVE) && !reserve_command(w, t, NULL, 0))
			t->todo &= (uint8_t)~TODO_RESERVE;
		if ((t->todo & (TODO_UP | TODO_RECOVER | TODO_RESERVE)) == 0) {
			queue_leave(w, t, QUEUE_UP);
			continue;
		}
		if (w->tokens < 1)
			return (NULL);
		w->tokens -= 1;
		queue_leave(w, t, QUEUE_UP);
		return (t);
	}
	return (NULL);
}

/* New numbers of targets whose state has not changed, and looks at the counters of those
 * that are up: one of these in a round over all that have some, and iked hears no more
 * of them than SLOW_RATE a second. */
static struct target *
next_slow(struct watch *w, monotime now)
{
	struct target *t = TAILQ_FIRST(&w->slow);

	if (t == NULL || !mono_reached(w->slow_at, now))
		return (NULL);
	w->slow_at = mono_add_us(now, 1000000 / SLOW_RATE);
	return (t);
}

int
watch_command(struct watch *w, struct watch_cmd *cmd, monotime now)
{
	struct target *t;

	if (!w->linked)
		return (0);
	if ((t = pop_up(w, now)) != NULL && (t->todo & TODO_RESERVE) &&
	    reserve_command(w, t, cmd->line, sizeof(cmd->line))) {
		cmd->kind = WATCH_CMD_RESERVE;
		t->todo &= (uint8_t)~TODO_RESERVE;
		todo_set(w, t, 0);	/* what else it has waits again */
	} else if (t != NULL && (t->todo & TODO_RECOVER) &&
	    recover_command(w, t, cmd->line, sizeof(cmd->line))) {
		cmd->kind = WATCH_CMD_RECOVER;
		t->todo &= (uint8_t)~(TODO_UP | TODO_RECOVER);
	} else if (t != NULL) {
		cmd->kind = WATCH_CMD_UP;
		t->todo &= (uint8_t)~(TODO_UP | TODO_RECOVER);
		(void)snprintf(cmd->line, sizeof(cmd->line), "up \"%s\"",
		    t->conf->name);
		/* The first time; what follows, less and less often, is no news. */
		if (t->ask_ms <= 2 * WATCH_ASK_MIN_MS)
			target_event(w, t, WATCH_EV_ACTION, "up: iked is asked to bring "
			    "the tunnel up");
	} else if ((t = TAILQ_FIRST(&w->others)) == NULL &&
	    (t = next_slow(w, now)) == NULL) {
		return (0);
	} else if (t->todo & TODO_CHECK) {
		cmd->kind = WATCH_CMD_CHECK;
		t->todo &= (uint8_t)~TODO_CHECK;
		(void)snprintf(cmd->line, sizeof(cmd->line), "check \"%s\"", t->conf->name);
		queue_leave(w, t, QUEUE_OTHER | QUEUE_SLOW);
		todo_set(w, t, 0);
	} else if ((t->todo & TODO_COUNTERS) && (t->queued & (QUEUE_LOOK | QUEUE_SLOW))) {
		cmd->kind = WATCH_CMD_COUNTERS;
		t->todo &= (uint8_t)~TODO_COUNTERS;
		t->todo |= TODO_ASKED;
		t->left_asked = t->left;
		(void)snprintf(cmd->line, sizeof(cmd->line),
		    "counters \"%s\"", t->conf->name);
		queue_leave(w, t, QUEUE_OTHER | QUEUE_SLOW | QUEUE_LOOK);
		todo_set(w, t, 0);	/* behind all others with what is left */
	} else {
		cmd->kind = WATCH_CMD_REPORT;
		t->todo &= (uint8_t)~(TODO_REPORT | TODO_NUMBERS);
		target_report(w, t, cmd->line, sizeof(cmd->line));
		queue_leave(w, t, QUEUE_OTHER | QUEUE_SLOW);
		todo_set(w, t, 0);
	}
	cmd->slot = t->slot;
	cmd->id = t->id;
	return (1);
}

static const char *
senderr_text(int error)
{
	switch (error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
		return ("this machine has no route to the target: a packet "
		    "needs one, if only the default route, before IPsec "
		    "sees it");
	case EPERM:
	case EACCES:
		return ("a firewall rule of this machine forbids the probes");
	case EAFNOSUPPORT:
		return ("there is no socket for its fib, mark or vrf, or its family: the log "
		    "has why; a reload tries again");
	default:
		return ("the kernel refuses to send the probes");
	}
}

void
target_note(const struct watch *w, const struct target *t, char *dst,
    size_t cap)
{
	dst[0] = '\0';
	if (w->backup) {
		(void)snprintf(dst, cap, "another node is the master: nothing "
		    "is sent");
		return;
	}
	if (t->state == WATCH_UP && t->outward && t->evidence != NULL)
		(void)snprintf(dst, cap, "%s%s", t->verdict == VERDICT_ONEWAY ? "hosts' packets "
		    "leave by the tunnel and none comes back; " : "", t->evidence);
	if (t->state == WATCH_UP)
		return;
	if (t->state == WATCH_NOSOURCE) {
		(void)snprintf(dst, cap, "no address of this machine is inside "
		    "the tunnel's \"from\" nets");
		return;
	}
	if (t->conf->dynamic && t->src.fam == ADDR_NONE && t->given != NULL &&
	    target_pace(t) != KA_OFF) {
		(void)snprintf(dst, cap, "%s", "the address that the peer has given is on no "
		    "interface of this machine: name one after \"iface\"");
		return;
	}
	/* The target has said it itself. */
	if (t->evidence != NULL && t->verdict != VERDICT_EATEN &&
	    t->verdict != VERDICT_NOSEND) {
		(void)snprintf(dst, cap, "%s", t->evidence);
		return;
	}
	switch ((enum verdict)t->verdict) {
	case VERDICT_NONE:
		break;
	case VERDICT_NOTUNNEL:
		(void)snprintf(dst, cap, "%s", "the tunnel is not up");
		break;
	case VERDICT_ONEWAY:
		(void)snprintf(dst, cap, "%s", "probes leave by the tunnel, "
		    "nothing comes back: the peer or its firewall, its way back, or "
		    "a target that does not exist");
		break;
	case VERDICT_SILENT:
		members_text(t, dst, cap);
		if (dst[0] != '\0')
			break;
		(void)snprintf(dst, cap, "%s", "the tunnel carries other "
		    "traffic, only the target does not answer");
		break;
	case VERDICT_EATEN:
		(void)snprintf(dst, cap, "%s", "something on this machine "
		    "(NAT, firewall, route, or a policy that is gone) eats the probes before IPsec "
		    "sees them");
		break;
	case VERDICT_NOSEND:
		(void)snprintf(dst, cap, "%s", senderr_text(t->senderr));
		break;
	case VERDICT_DATADEAD:
	case VERDICT_PEERDEAD:
		if (t->rec != NULL)
			verdict_text((enum verdict)t->verdict, &t->rec->e, dst, cap);
		break;
	}
	if (dst[0] == '\0' || t->verdict == VERDICT_NOTUNNEL) {
		if (!w->linked)
			(void)snprintf(dst, cap, "iked is not running");
		else if (t->error != NULL)
			(void)snprintf(dst, cap, "%s", t->error);
	}
}

static const char *
verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_NONE:
		break;
	case VERDICT_NOTUNNEL:
		return ("the tunnel is not up");
	case VERDICT_ONEWAY:
		return ("nothing comes back through the tunnel");
	case VERDICT_SILENT:
		return ("only the target does not answer");
	case VERDICT_EATEN:
		return ("local miss");
	case VERDICT_NOSEND:
		return ("probes cannot be sent");
	case VERDICT_DATADEAD:
		return ("the tunnel carries nothing, though the peer is alive");
	case VERDICT_PEERDEAD:
		return ("the peer is dead");
	}
	return ("");
}

static void
log_verdict(struct watch *w, struct target *t)
{
	char path[2 * ADDR_STRLEN + 8], note[200];
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	if (t->verdict == t->said || t->verdict == VERDICT_NONE)
		return;
	t->said = t->verdict;
	target_event(w, t, WATCH_EV_VERDICT, "%s", verdict_name(t->verdict));
	if (t->verdict == VERDICT_EATEN) {
		log_warnx(w->io->log, "keepalive \"%s\": something on this "
		    "machine (NAT, firewall, route, or a policy that is gone) eats packets from %s to "
		    "%s before IPsec sees them; except them from source NAT "
		    "(nftables: a rule \"ip daddr\" of the far net \"accept\" "
		    "above masquerade; pf: \"no nat\") and let the firewall "
		    "pass them", t->conf->name, addr_str(&t->src, from),
		    addr_str(&t->conf->target, to));
		return;
	}
	/* iked itself logs why a tunnel does not come up */
	if (t->verdict == VERDICT_NOTUNNEL)
		return;
	target_note(w, t, note, sizeof(note));
	log_warnx(w->io->log, "keepalive \"%s\": %s (%s): %s", t->conf->name,
	    t->state == WATCH_UP ? "no way back" : "no reply",
	    target_path(t, path, sizeof(path)), note);
}

void
target_verdict(struct watch *w, struct target *t, enum verdict v, monotime now)
{
	int local = v == VERDICT_EATEN || v == VERDICT_NOSEND;

	if (t->verdict == v)
		return;
	/* leaving "up" forgets what was known: the verdict comes after it */
	if (local)
		target_state(w, t, WATCH_LOCALMISS, now);
	else if (t->state == WATCH_LOCALMISS)
		target_state(w, t, WATCH_DOWN, now);
	else
		todo_set(w, t, TODO_REPORT);
	t->verdict = (uint8_t)v;
	log_verdict(w, t);
}

/*
 * Who has fallen is looked at quickly; but a reply may take its time.  The first time nothing
 * has come since the first miss, and before; later such a moment may be chance.
 */
static int64_t
window_ms(const struct target *t)
{
	int64_t ms = (t->suspect == SUSPECT_SEEN ? 1 : 2) * WATCH_QUICK_MS +
	    (int64_t)t->rtt_us / 500;

	return (t->rec != NULL && t->state != WATCH_UP && ms < WATCH_WINDOW_MS ? ms :
	    WATCH_WINDOW_MS);
}

/* Of what began with a miss, none has been answered. */
static uint32_t
window_probes(const struct target *t)
{
	return (t->suspect == SUSPECT_NONE ? WATCH_WINDOW_PROBES : WATCH_WINDOW_PROBES / 2);
}

/* Time to look at the counters, if enough probes went out since the last look. */
void
target_look(struct watch *w, struct target *t, monotime now)
{
	uint32_t lack = t->win && t->win_sent < WATCH_WINDOW_PROBES ?
	    WATCH_WINDOW_PROBES - t->win_sent : 1;
	int paced;

	t->next_look = mono_add_ms(now, watch_jitter_ms(w, t->state ==
	    WATCH_UP ? lack * t->conf->interval_ms : WATCH_SLOW_MS));
	if ((paced = target_pace(t) == KA_OFF || (t->state == WATCH_UP &&
	    target_pace(t) == KA_OPTIMIZED)))
		t->next_look = mono_add_ms(now, watch_jitter_ms(w, t->state == WATCH_UP ?
		    pace_look_ms(w, t) : WATCH_SLOW_MS));
	if (!w->linked || (t->todo & (TODO_COUNTERS | TODO_ASKED)))
		return;
	/* what the peer has given is to be learnt, and no probe is sent before */
	if (t->conf->dynamic && t->src.fam == ADDR_NONE)
		paced = 1;
	if (!paced && t->win && (t->win_sent < window_probes(t) ||
	    mono_diff_us(now, t->win_since) < window_ms(t) * 1000))
		return;
	todo_set(w, t, TODO_COUNTERS);
}

static void
open_window(struct target *t, const struct watch_counters *c, monotime now)
{
	t->win = 1;
	t->win_spi = c->spi_out;
	t->win_out = c->packets_out;
	t->win_in = c->packets_in;
	t->win_sent = t->win_replies = 0;
	t->win_left = t->left;
	t->win_since = now;
	t->suspect = t->suspect == SUSPECT_ASKED ? SUSPECT_SEEN : SUSPECT_NONE;
}

/* Each look that changes nothing makes the next one rarer. */
static void
next_look(struct watch *w, struct target *t, monotime now)
{
	int quick = t->rec != NULL && t->state != WATCH_UP &&
	    mono_before(now, mono_add_ms(t->rec->fell, WATCH_GRACE_MS));
	/* a witness may come, and is not to wait */
	uint32_t most = t->verdict == VERDICT_DATADEAD ? WATCH_WINDOW_MS : WATCH_ASK_MAX_MS;

	if (quick)
		t->look_ms = (uint32_t)window_ms(t);
	t->next_look = mono_add_ms(now, quick ? t->look_ms : watch_jitter_ms(w, t->look_ms));
	t->look_ms = t->look_ms * 3 / 2 > most ? most : t->look_ms * 3 / 2;
}

static void
judge(struct watch *w, struct target *t, const struct evidence *e, monotime now)
{
	enum verdict v = verdict_judge(e);

	/* replies, but of too few */
	if (v == VERDICT_NONE && t->mem != NULL && t->state != WATCH_UP && e->replies > 0)
		v = VERDICT_SILENT;
	outward_judge(t, e, &v);
	if (verdict_still(e)) {
		t->look_ms = WATCH_WINDOW_MS;
		t->still = (uint8_t)(t->still < 2 ? t->still + 1 : 2);
	} else
		t->still = 0;
	people_note(t, e, now);
	if (v == VERDICT_NONE || v == VERDICT_EATEN || t->state != WATCH_UP ||
	    outward_worth(t, e))
		target_verdict(w, t, v, now);
}

/* Two probes are nobody's loss, those that are lost already among them. */
static void
rekey_grace(struct target *t)
{
	uint8_t spent = (uint8_t)(t->misses < REKEY_GRACE ? t->misses : REKEY_GRACE);

	if (t->state != WATCH_UP || t->grace > 0)
		return;
	t->misses -= spent;
	t->grace = REKEY_GRACE - spent;
}

static void
counters(struct watch *w, struct target *t, const struct watch_counters *c,
    monotime now)
{
	struct evidence e;

	next_look(w, t, now);
	if (c != NULL && c->has_sa)
		target_given(w, t, c->given, now);
	if (pace_counters(w, t, c, now))
		return;
	memset(&e, 0, sizeof(e));
	e.before = t->verdict;
	if (c == NULL || !c->has_sa) {
		t->win = t->still = t->outward = 0;
		recover_evidence(w, t, c, &e, now);
		/* the nearer cause first; and replies need no SA's counters */
		if (t->nsenderr < WATCH_FALL && t->state != WATCH_UP)
			target_verdict(w, t, verdict_judge(&e), now);
		return;
	}
	if (c->rekeying)
		rekey_grace(t);
	/* Another SA, or its counters were reset: no comparison. */
	if (t->suspect == SUSPECT_ASKED || !t->win || t->win_spi != c->spi_out || c->packets_out < t->win_out ||
	    c->packets_in < t->win_in) {
		if (t->verdict == VERDICT_NOTUNNEL || t->verdict == VERDICT_PEERDEAD)
			target_verdict(w, t, VERDICT_NONE, now);
		if (t->win && t->win_spi != c->spi_out) {
			target_pmtu_rekeyed(w, t, now);
			rekey_grace(t);
		}
		t->still = 0;
		open_window(t, c, now);
		return;
	}
	if (t->win_sent < window_probes(t) || (t->suspect == SUSPECT_SEEN &&
	    t->state == WATCH_UP))
		return;
	e.has_sa = 1;
	e.rekeying = c->rekeying != 0;
	e.still = t->still;
	e.probes = t->win_sent;
	e.sure = t->left_asked - t->win_left;
	e.replies = t->win_replies;
	e.out = c->packets_out - t->win_out;
	e.in = c->packets_in - t->win_in;
	e.ms = (uint32_t)(mono_diff_us(now, t->win_since) / 1000);
	e.last_in_ms = c->last_in_ms;
	recover_evidence(w, t, c, &e, now);
	if (recover_waits(t, &e, now))
		return;
	open_window(t, c, now);
	judge(w, t, &e, now);
	recover_step(w, t, now);
}

static void
up_answer(struct watch *w, struct target *t, const char *error)
{
	if (error == NULL) {
		free(t->error);
		t->error = NULL;
		return;
	}
	if (t->error != NULL && strncmp(t->error, error, ERRTEXT - 1) == 0)
		return;
	log_warnx(w->io->log, "keepalive \"%s\": iked: %.*s", t->conf->name,
	    ERRTEXT, error);
	free(t->error);
	t->error = strndup(error, ERRTEXT - 1);
	todo_set(w, t, TODO_REPORT);
}

void
watch_answer(struct watch *w, const struct watch_cmd *cmd, const char *error,
    const struct watch_counters *c, monotime now)
{
	struct target *t;

	if (cmd->slot >= w->nslots || (t = w->slots[cmd->slot]) == NULL ||
	    t->id != cmd->id)
		return;		/* it left the configuration meanwhile */
	if (cmd->kind == WATCH_CMD_UP)
		up_answer(w, t, error);
	else if (cmd->kind == WATCH_CMD_RECOVER || cmd->kind == WATCH_CMD_RESERVE)
		recover_answer(w, t, error);
	else if (cmd->kind == WATCH_CMD_COUNTERS) {
		t->todo &= (uint8_t)~TODO_ASKED;
		if (t->state != WATCH_NOSOURCE) {
			counters(w, t, error == NULL ? c : NULL, now);
			target_reschedule(w, t, now);
		}
	}
}
