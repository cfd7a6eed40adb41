/* SPDX-License-Identifier: ISC */
/*
 * The names process: looks up the names that the parent lists, again and again, and tells it
 * each answer.  It gets nothing but names, and what it says is believed as far as a name
 * server is.
 */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/child.h"
#include "proc/resolve.h"
#include "sa/timer.h"

#define AGAIN_MS	90000	/* less or more up to a third; getaddrinfo(3) tells no TTL */
#define EACH_MS		10	/* ... and for each name of the list: 100 lookups a second */
#define FAIL_MS		1000	/* then twice that, ... */
#define FAIL_MAX_MS	60000
#define URGENT_MS	10000	/* a peer does not answer: not sooner than that */

struct host {
	char		*name;
	struct timer	 timer;
	monotime	 asked;		/* MONO_NONE: never */
	uint8_t		 busy;		/* a thread has it */
	uint8_t		 urgent;	/* asked for while it was busy */
	unsigned	 fails;		/* in a row */
};

struct hosts {
	uint32_t	 serial, n, want;
	struct host	*v;		/* in the parent's order, by name */
	struct timers	 timers;
};

static struct {
	struct child	*ch;
	struct hosts	 now, next;
	int		 filling;
	unsigned	 inflight;
	ev_async	 done;
	ev_timer	 due;
} s;

static void	settle(void);

static void
hosts_free(struct hosts *h)
{
	uint32_t i;

	for (i = 0; i < h->n; i++)
		free(h->v[i].name);
	free(h->v);
	timers_destroy(&h->timers);
	memset(h, 0, sizeof(*h));
}

/* ms less or more up to a third of it. */
static int64_t
around(int64_t ms)
{
	return (ms - ms / 3 + (int64_t)arc4random_uniform((uint32_t)(ms / 3 * 2) + 1));
}

static void
plan(struct host *h, int64_t ms)
{
	timer_set(&s.now.timers, &h->timer, mono_add_ms(mono_now(), ms));
}

static int64_t
backoff(unsigned fails)
{
	int64_t ms = fails > 7 ? FAIL_MAX_MS : FAIL_MS << (fails - 1);

	return (around(ms > FAIL_MAX_MS ? FAIL_MAX_MS : ms));
}

/* Not at once where it was looked up just now. */
static void
hurry(struct host *h)
{
	monotime soon = mono_add_ms(h->asked, URGENT_MS), now = mono_now();

	if (h->busy) {
		h->urgent = 1;
		return;
	}
	if (h->asked.us == 0 || mono_before(soon, now))
		soon = now;
	if (mono_before(soon, h->timer.when))
		timer_set(&s.now.timers, &h->timer, soon);
}

static void
answered(struct lookup *l)
{
	struct host *h;
	struct msg m;

	s.inflight--;
	if (l->ans.serial != s.now.serial || l->ans.index >= s.now.n)
		return;		/* of a list that is no more */
	h = &s.now.v[l->ans.index];
	h->busy = 0;
	h->fails = l->ans.n > 0 ? 0 : h->fails + 1;
	plan(h, h->fails > 0 ? backoff(h->fails) : around(AGAIN_MS +
	    (int64_t)s.now.n * EACH_MS));
	if (h->urgent)
		hurry(h);
	h->urgent = 0;
	msg_put_name_ans(&m, &l->ans);
	(void)chan_put(s.ch->parent, &m);
}

static void
ask(struct host *h)
{
	struct lookup *l;

	if (h->busy)
		return;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		plan(h, FAIL_MAX_MS);
		return;
	}
	(void)strlcpy(l->name, h->name, sizeof(l->name));
	l->ans.serial = s.now.serial;
	l->ans.index = (uint32_t)(h - s.now.v);
	h->busy = 1;
	h->asked = mono_now();
	s.inflight++;
	resolve_put(l);
}

static void
settle(void)
{
	struct timer *t;
	monotime now = mono_now(), next;
	double wait;

	while (s.inflight < RESOLVE_THREADS &&
	    (t = timers_due(&s.now.timers, now)) != NULL)
		ask(&s.now.v[t->owner - 1]);
	ev_timer_stop(s.ch->loop, &s.due);
	next = timers_next(&s.now.timers);
	if (s.inflight >= RESOLVE_THREADS || next.us == MONO_NEVER.us)
		return;
	wait = mono_reached(next, now) ? 0. : (double)mono_diff_us(next, now) / 1e6;
	ev_now_update(s.ch->loop);
	ev_timer_set(&s.due, wait, 0.);
	ev_timer_start(s.ch->loop, &s.due);
}

static void
on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	settle();
}

static void
on_done(struct ev_loop *loop, ev_async *w, int revents)
{
	struct lookup *l;

	(void)loop;
	(void)w;
	(void)revents;
	while ((l = resolve_take()) != NULL) {
		answered(l);
		free(l);
	}
	settle();
}

/* By a thread. */
static void
wake(void *arg)
{
	(void)arg;
	ev_async_send(s.ch->loop, &s.done);
}

/* A list of the parent. */

static int
list_begin(struct rbuf *r)
{
	struct hosts *n = &s.next;
	uint32_t serial, want;

	if (s.filling || msg_get_names(r, &serial, &want) == -1)
		return (-1);
	memset(n, 0, sizeof(*n));
	timers_init(&n->timers);
	n->serial = serial;
	n->want = want;
	s.filling = 1;
	if ((n->v = calloc((size_t)want + 1, sizeof(*n->v))) == NULL ||
	    timers_reserve(&n->timers, want) == -1) {
		log_fault(&s.ch->log, WHY_MEMORY, "out of memory");
		child_exit(s.ch, 1);
	}
	return (0);
}

static int
list_name(struct rbuf *r)
{
	struct hosts *n = &s.next;
	struct name_item i;

	if (!s.filling || msg_get_name(r, &i) == -1 || n->n >= n->want ||
	    i.index != n->n || (n->n > 0 &&
	    strcasecmp(n->v[n->n - 1].name, i.name) >= 0))
		return (-1);
	if ((n->v[n->n].name = strdup(i.name)) == NULL) {
		log_fault(&s.ch->log, WHY_MEMORY, "out of memory");
		child_exit(s.ch, 1);
	}
	n->v[n->n].timer.owner = (said)n->n + 1;
	n->n++;
	return (0);
}

static int
by_name(const void *a, const void *b)
{
	return (strcasecmp(((const struct host *)a)->name,
	    ((const struct host *)b)->name));
}

/* What is known of a name's turn goes over; a new one's is now. */
static int
list_end(struct rbuf *r)
{
	struct host *h, *o;
	uint32_t i, serial, n;

	if (!s.filling || msg_get_names(r, &serial, &n) == -1 ||
	    serial != s.next.serial || n != s.next.n || n != s.next.want)
		return (-1);
	for (i = 0; i < s.next.n; i++) {
		h = &s.next.v[i];
		o = s.now.n == 0 ? NULL : bsearch(h, s.now.v, s.now.n, sizeof(*h), by_name);
		if (o != NULL) {
			h->asked = o->asked;
			h->fails = o->fails;
		}
		timer_set(&s.next.timers, &h->timer, o != NULL && o->timer.pos != 0 ?
		    o->timer.when : mono_now());
	}
	hosts_free(&s.now);
	s.now = s.next;
	memset(&s.next, 0, sizeof(s.next));
	s.filling = 0;
	settle();
	return (0);
}

static int
name_now(struct rbuf *r)
{
	uint32_t serial, i;

	if (msg_get_names(r, &serial, &i) == -1)
		return (-1);
	if (serial == s.now.serial && i < s.now.n) {
		hurry(&s.now.v[i]);
		settle();
	}
	return (0);
}

/* The process. */

static int
names_prepare(struct child *ch)
{
	s.ch = ch;
	timers_init(&s.now.timers);
	ev_init(&s.due, on_due);
	ev_async_init(&s.done, on_done);
	ev_async_start(ch->loop, &s.done);
	return (0);
}

static int
names_last(struct child *ch)
{
	if (resolve_start(wake, NULL) == 0)
		return (0);
	log_fault(&ch->log, WHY_PROCESS, "cannot make a thread");
	return (-1);
}

static int
names_start(struct child *ch)
{
	(void)ch;
	return (0);
}

static int
names_message(struct child *ch, uint16_t type, struct rbuf *r, int fd)
{
	(void)ch;
	if (fd != -1) {
		close(fd);
		return (-1);
	}
	switch (type) {
	case M_NAMES:
		return (list_begin(r));
	case M_NAME:
		return (list_name(r));
	case M_NAMES_END:
		return (list_end(r));
	case M_NAME_NOW:
		return (name_now(r));
	default:
		return (-1);
	}
}

static void
names_shutdown(struct child *ch, int remove)
{
	(void)remove;
	child_exit(ch, 0);
}

const struct role_ops names_role = {
	256, names_prepare, names_start, names_message, names_shutdown,
	names_last
};
