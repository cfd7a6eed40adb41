/* SPDX-License-Identifier: ISC */
/* The table of targets: configuration, addresses, time. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define SPLAY_PER_S	200	/* targets started a second when there are many */

const char *
watch_state_name(enum watch_state s)
{
	switch (s) {
	case WATCH_ACQUIRING:
		return ("acquiring");
	case WATCH_UP:
		return ("up");
	case WATCH_DOWN:
		return ("down");
	case WATCH_NOSOURCE:
		return ("no-source");
	case WATCH_LOCALMISS:
		return ("local-miss");
	case WATCH_BACKUP:
		return ("backup");
	}
	return ("?");
}

struct watch *
watch_new(const struct watch_io *io)
{
	struct watch *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	w->io = io;
	w->tokens = 1000;	/* cut to the burst at first use */
	TAILQ_INIT(&w->ups);
	TAILQ_INIT(&w->others);
	TAILQ_INIT(&w->slow);
	TAILQ_INIT(&w->reserves);
	wheel_init(&w->wheel);
	return (w);
}

static void
target_free(struct watch *w, struct target *t)
{
	todo_clear(w, t);
	reserve_free(w, t);	/* its name is the configuration's */
	wheel_unset(&w->wheel, &t->timer);
	w->all[t->pos] = w->all[--w->n];
	w->all[t->pos]->pos = t->pos;
	w->slots[t->slot] = NULL;
	w->freeslots[w->nfree++] = t->slot;
	watch_conf_free(t->conf);
	free(t->error);
	free(t->evidence);
	free(t->stats);
	free(t->pmtu);
	free(t->rec);
	free(t->mem);
	free(t->pace);
	free(t->given);
	free(t);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	while (w->n > 0)
		target_free(w, w->all[w->n - 1]);
	free(w->slots);
	free(w->freeslots);
	free(w->all);
	free(w->byname);
	free(w->addrs);
	free(w);
}

static int
name_cmp(const void *a, const void *b)
{
	const struct target *const *x = a, *const *y = b;

	return (strcmp((*x)->conf->name, (*y)->conf->name));
}

void
watch_conf_begin(struct watch *w)
{
	size_t i;

	free(w->byname);
	w->nbyname = 0;
	w->byname = calloc(w->n + 1, sizeof(w->byname[0]));
	for (i = 0; i < w->n; i++) {
		w->all[i]->marked = 0;
		if (w->byname != NULL)
			w->byname[w->nbyname++] = w->all[i];
	}
	if (w->nbyname > 1)
		qsort(w->byname, w->nbyname, sizeof(w->byname[0]), name_cmp);
}

static struct target *
find_old(struct watch *w, struct watch_conf *wc)
{
	struct target key = { .conf = wc }, *kp = &key, **found;

	if (w->nbyname == 0)
		return (NULL);
	found = bsearch(&kp, w->byname, w->nbyname, sizeof(w->byname[0]),
	    name_cmp);
	return (found != NULL ? *found : NULL);
}

static int
grow(struct watch *w)
{
	size_t i, n;
	void *p;

	if (w->nfree > 0)
		return (0);
	n = w->nslots == 0 ? 16 : w->nslots * 2;
	if ((p = reallocarray(w->slots, n, sizeof(w->slots[0]))) == NULL)
		return (-1);
	w->slots = p;
	if ((p = reallocarray(w->freeslots, n, sizeof(uint32_t))) == NULL)
		return (-1);
	w->freeslots = p;
	if ((p = reallocarray(w->all, n, sizeof(w->all[0]))) == NULL)
		return (-1);
	w->all = p;
	/* The lowest on top: shown in the order of the configuration. */
	for (i = n; i-- > w->nslots; ) {
		w->slots[i] = NULL;
		w->freeslots[w->nfree++] = (uint32_t)i;
	}
	w->nslots = n;
	return (0);
}

/* The ring remembers what comes back after the timeout, too, but not for every
 * target as many as the shortest interval needs. */
static struct target *
target_new(struct watch_conf *wc)
{
	struct target *t;
	size_t n = RING_MIN;

	while (n < RING_MAX && n * (wc->interval_ms - wc->interval_ms / 4) <=
	    (wc->ka != NULL ? wc->ka->timeout_ms : WATCH_TIMEOUT_MS))
		n *= 2;
	if ((t = calloc(1, sizeof(*t) + n * sizeof(t->ring[0]))) == NULL)
		return (NULL);
	t->ring_mask = (uint8_t)(n - 1);
	t->conf = wc;
	if (members_new(t) == 0)
		return (t);
	free(t);
	return (NULL);
}

/*
 * Starts what has not been started, one after the other and not all at once: a few
 * hundred a second, but all within one interval.
 */
void
watch_start_all(struct watch *w, monotime now)
{
	uint64_t i, n = 0, at, most;

	for (i = 0; i < w->n; i++)
		n += w->all[i]->state == 0;
	for (i = at = 0; i < w->n; i++) {
		if (w->all[i]->state != 0)
			continue;
		most = w->all[i]->conf->interval_ms;
		if (most > n * 1000 / SPLAY_PER_S)
			most = n * 1000 / SPLAY_PER_S;
		target_start(w, w->all[i], mono_add_us(now,
		    (int64_t)(at++ * most * 1000 / n)), now);
	}
}

int
watch_conf_add(struct watch *w, const struct watch_conf *wc)
{
	struct watch_conf *copy;
	struct target *t;

	if (!watch_conf_valid(wc) || (copy = watch_conf_copy(wc)) == NULL)
		return (-1);
	if ((t = find_old(w, copy)) != NULL && watch_conf_equal(t->conf, copy)) {
		t->marked = 1;
		watch_conf_free(copy);
		return (0);
	}
	if (grow(w) == -1 || (t = target_new(copy)) == NULL) {
		watch_conf_free(copy);
		return (-1);
	}
	t->marked = 1;
	t->id = ++w->nextid;
	t->slot = w->freeslots[--w->nfree];
	w->slots[t->slot] = t;
	t->pos = (uint32_t)w->n;
	w->all[w->n++] = t;
	return (0);
}

/* Iked's file has changed, too, most likely: what it could not bring up is asked for at once. */
static void
ask_anew(struct watch *w, struct target *t, monotime now)
{
	if (!w->linked || watch_conf_alone(t->conf) || t->state == 0 ||
	    t->state == WATCH_UP || t->state == WATCH_NOSOURCE)
		return;
	t->ask_ms = WATCH_ASK_MIN_MS;
	t->next_ask = now;
	target_reschedule(w, t, now);
}

void
watch_conf_commit(struct watch *w, monotime now)
{
	size_t i;

	for (i = w->n; i-- > 0; )
		if (!w->all[i]->marked)
			target_free(w, w->all[i]);
		else
			ask_anew(w, w->all[i], now);
	free(w->byname);
	w->byname = NULL;
	w->nbyname = 0;
	if (w->have_addrs)
		watch_start_all(w, now);
}

size_t
watch_count(const struct watch *w)
{
	return (w->n);
}

int
watch_addrs(struct watch *w, const struct addr *a, size_t n, monotime now)
{
	struct addr *copy;
	size_t i;

	if ((copy = calloc(n + 1, sizeof(*copy))) == NULL)
		return (-1);
	if (n > 0)
		memcpy(copy, a, n * sizeof(*copy));
	free(w->addrs);
	w->addrs = copy;
	w->naddrs = n;
	w->have_addrs = 1;
	for (i = 0; i < w->n; i++)
		if (w->all[i]->state != 0)
			target_source(w, w->all[i], now);
	watch_start_all(w, now);
	return (0);
}

void
watch_link(struct watch *w, int linked, monotime now)
{
	struct target *t;
	size_t i;

	w->linked = linked;
	for (i = 0; i < w->n; i++) {
		if ((t = w->all[i])->state == 0 || watch_conf_alone(t->conf))
			continue;
		todo_clear(w, t);
		t->win = t->still = 0;
		if (!linked && t->verdict == VERDICT_EATEN)
			target_verdict(w, t, VERDICT_NONE, now);
		if (t->state == WATCH_UP)
			t->next_look = linked ? now : MONO_NEVER;
		else if (t->state != WATCH_NOSOURCE) {
			t->ask_ms = WATCH_ASK_MIN_MS;
			t->look_ms = WATCH_WINDOW_MS;
			t->next_ask = linked ? now : MONO_NEVER;
			t->next_look = linked ? mono_add_ms(now,
			    WATCH_WINDOW_MS) : MONO_NEVER;
		}
		if (linked)
			reserve_linked(t, now);
		todo_set(w, t, TODO_REPORT);
		target_reschedule(w, t, now);
	}
}

void
watch_sent(struct watch *w, const struct probe *p, int error, monotime now)
{
	struct target *t;

	if (p->slot & WATCH_PMTU_SLOT) {
		watch_pmtu_sent(w, p, error, now);
		return;
	}
	if (p->slot & WATCH_GATE_SLOT) {
		watch_gate_sent(w, p, error);
		return;
	}
	if (p->slot >= w->nslots || (t = w->slots[p->slot]) == NULL ||
	    t->id != p->id || t->state == WATCH_NOSOURCE)
		return;
	target_sent(w, t, p, error, now);
	target_reschedule(w, t, now);
}

void
watch_totals(const struct watch *w, struct watch_totals *tot)
{
	const struct target *t;
	size_t i;

	memset(tot, 0, sizeof(*tot));
	tot->targets = w->n;
	tot->probes = w->probes;
	tot->refused = w->refused;
	tot->delayed = w->delayed;
	memcpy(tot->lateness, w->lateness, sizeof(tot->lateness));
	for (i = 0; i < w->n; i++) {
		t = w->all[i];
		tot->up += t->state == WATCH_UP;
		tot->sent += t->sent;
		tot->received += t->received;
		tot->lost += t->lost;
		tot->late += t->late;
		tot->octets += sizeof(*t) + (t->ring_mask + 1U) *
		    sizeof(t->ring[0]) + CONF_LEN(t->conf);
		tot->octets += t->stats != NULL ? stats_octets(t->stats) : 0;
	}
}

void
watch_reply(struct watch *w, const struct addr *from, const struct probe *p,
    monotime now)
{
	struct target *t;
	int who;

	if (p->slot & WATCH_PMTU_SLOT) {
		watch_pmtu_reply(w, from, p, now);
		return;
	}
	if (p->slot & WATCH_GATE_SLOT) {
		watch_gate_heard(w, from, p, 1, now);
		return;
	}
	if (p->slot >= w->nslots || (t = w->slots[p->slot]) == NULL ||
	    t->id != p->id || t->state == 0 || (who = target_index(t, from)) == -1)
		return;
	target_reply(w, t, (unsigned int)who, p, now);
}

void
watch_failed(struct watch *w, const struct probe *p, const char *text, monotime now)
{
	struct target *t;

	if (p->slot >= w->nslots || (t = w->slots[p->slot]) == NULL ||
	    t->id != p->id || t->state == 0)
		return;
	target_failed(w, t, p, text, now);
}

monotime
watch_deadline(const struct watch *w)
{
	monotime d = wheel_deadline(&w->wheel);
	monotime due = w->linked ? watch_queues_due(w) : MONO_NEVER;

	return (mono_before(due, d) ? due : d);
}

int
watch_expire(struct watch *w, monotime now)
{
	struct wheel_node *n;
	int i;

	w->now = now;
	for (i = 0; i < WATCH_BATCH &&
	    (n = wheel_next(&w->wheel, now)) != NULL; i++)
		target_expire(w, (struct target *)n, now);
	return (i == WATCH_BATCH);
}

int
watch_status(const struct watch *w, size_t i, struct watch_status *st)
{
	if (i >= w->n)
		return (-1);
	target_status(w, w->all[i], st);
	return (0);
}
