/* SPDX-License-Identifier: ISC */
/* Which hooks wait, which run, and what became of them. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/hook.h"

struct hook {
	char			*name;
	char			*path[HOOK_KINDS];
	struct hook_event	*next;		/* waits; NULL: nothing does */
	struct run		*run;		/* its place; NULL: it has none */
	int			 queued;
	TAILQ_ENTRY(hook)	 entry;
};

struct run {
	struct hooks		*hooks;
	struct hook		*hook;		/* NULL: no longer configured */
	char			 name[CONF_NAMELEN];
	char			*path;		/* NULL: the place is free */
	uint8_t			 kind;
	pid_t			 pid;		/* 0: ended, the place rests */
	int			 signals;	/* sent because it took too long */
	ev_tstamp		 since;
	ev_child		 dead;
	ev_timer		 timer;
};

struct hooks {
	struct ev_loop		*loop;
	const struct logger	*log;
	double			 term_s;
	struct hook		*all;		/* by name */
	size_t			 n;
	TAILQ_HEAD(, hook)	 queue;
	struct run		 runs[HOOK_RUNS];
};

static void	pump(struct hooks *);

static int
by_name(const void *a, const void *b)
{
	return (strcmp(((const struct hook *)a)->name,
	    ((const struct hook *)b)->name));
}

static struct hook *
find(struct hook *all, size_t n, const char *name)
{
	size_t lo = 0, hi = n, mid;
	int c;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if ((c = strcmp(name, all[mid].name)) == 0)
			return (&all[mid]);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (NULL);
}

static void
free_all(struct hook *all, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		free(all[i].name);
		for (k = 0; k < HOOK_KINDS; k++)
			free(all[i].path[k]);
		free(all[i].next);
	}
	free(all);
}

static void
enqueue(struct hooks *hs, struct hook *h)
{
	if (h->queued || h->next == NULL || h->run != NULL)
		return;
	TAILQ_INSERT_TAIL(&hs->queue, h, entry);
	h->queued = 1;
}

static void
rested(struct run *r)
{
	struct hook *h = r->hook;

	ev_timer_stop(r->hooks->loop, &r->timer);
	free(r->path);
	r->path = NULL;
	if (h != NULL) {
		h->run = NULL;
		enqueue(r->hooks, h);
	}
	r->hook = NULL;
	pump(r->hooks);
}

/* TERM, then KILL, to all that it has started and that stayed in its group. */
static void
late(struct run *r)
{
	if (r->signals == 0)
		log_warnx(r->hooks->log, "keepalive \"%s\": %s %s takes more "
		    "than %g seconds and is ended", r->name, r->path,
		    hook_kind_name(r->kind), r->hooks->term_s);
	(void)kill(-r->pid, r->signals++ == 0 ? SIGTERM : SIGKILL);
	ev_timer_stop(r->hooks->loop, &r->timer);
	ev_timer_set(&r->timer, HOOK_KILL_S, 0);
	ev_timer_start(r->hooks->loop, &r->timer);
}

static void
timer_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct run *r = t->data;

	(void)loop;
	(void)revents;
	if (r->pid == 0)
		rested(r);
	else
		late(r);
}

static void
say_end(const struct run *r, int st, int ms)
{
	const struct logger *log = r->hooks->log;
	const char *kind = hook_kind_name(r->kind);

	if (WIFSIGNALED(st))
		log_warnx(log, "keepalive \"%s\": %s %s died of signal %d after "
		    "%d ms", r->name, r->path, kind, WTERMSIG(st), ms);
	else if (WEXITSTATUS(st) != 0)
		log_warnx(log, "keepalive \"%s\": %s %s ended with status %d "
		    "after %d ms", r->name, r->path, kind, WEXITSTATUS(st), ms);
	else if (r->kind != HOOK_TEST)
		log_info(log, "keepalive \"%s\": %s %s ended well after %d ms",
		    r->name, r->path, kind, ms);
	else
		log_debug(log, "keepalive \"%s\": %s %s ended well after %d ms",
		    r->name, r->path, kind, ms);
}

static void
dead_cb(struct ev_loop *loop, ev_child *w, int revents)
{
	struct run *r = w->data;
	double took = ev_now(loop) - r->since;

	(void)revents;
	ev_child_stop(loop, w);
	say_end(r, w->rstatus, (int)(took * 1000));
	/* What it was told to end for goes with it, all of it. */
	if (r->signals > 0)
		(void)kill(-r->pid, SIGKILL);
	r->pid = 0;
	ev_timer_stop(loop, &r->timer);
	if (took * 1000 >= HOOK_LEAST_MS) {
		rested(r);
		return;
	}
	ev_timer_set(&r->timer, took < 0 ? HOOK_LEAST_MS / 1000.0 :
	    HOOK_LEAST_MS / 1000.0 - took, 0);
	ev_timer_start(loop, &r->timer);
}

/* 0: it runs. */
static int
start(struct run *r, struct hook *h, const struct hook_event *ev)
{
	const char *path = h->path[ev->kind];
	char why[HOOK_WHY], *real;

	if ((real = hook_check(path, why)) == NULL) {
		log_warnx(r->hooks->log, "keepalive \"%s\": %s is not run: %s",
		    h->name, hook_kind_name(ev->kind), why);
		return (-1);
	}
	if ((r->path = strdup(path)) == NULL || (r->pid = fork()) == -1) {
		log_warn(r->hooks->log, "keepalive \"%s\": %s is not run",
		    h->name, path);
		free(real);
		free(r->path);
		r->path = NULL;
		r->pid = 0;
		return (-1);
	}
	if (r->pid == 0)
		hook_exec(real, path, ev);
	free(real);
	(void)setpgid(r->pid, r->pid);	/* the child does so, too; who is first */
	r->hook = h;
	h->run = r;
	(void)strlcpy(r->name, h->name, sizeof(r->name));
	r->kind = ev->kind;
	r->signals = 0;
	ev_now_update(r->hooks->loop);
	r->since = ev_now(r->hooks->loop);
	ev_child_set(&r->dead, r->pid, 0);
	ev_child_start(r->hooks->loop, &r->dead);
	ev_timer_set(&r->timer, r->hooks->term_s, 0);
	ev_timer_start(r->hooks->loop, &r->timer);
	return (0);
}

static struct run *
free_place(struct hooks *hs)
{
	size_t i;

	for (i = 0; i < HOOK_RUNS; i++)
		if (hs->runs[i].path == NULL)
			return (&hs->runs[i]);
	return (NULL);
}

static void
pump(struct hooks *hs)
{
	struct hook_event *ev;
	struct hook *h, *next;
	struct run *r;

	TAILQ_FOREACH_SAFE(h, &hs->queue, entry, next) {
		if ((r = free_place(hs)) == NULL)
			return;
		TAILQ_REMOVE(&hs->queue, h, entry);
		h->queued = 0;
		ev = h->next;
		h->next = NULL;
		(void)start(r, h, ev);
		free(ev);
	}
}

static int
word(const char *s)
{
	return (s[strspn(s, "abcdefghijklmnopqrstuvwxyz_-")] == '\0');
}

/* Bounded, and nothing in it that a terminal or a careless script could take for more. */
static void
printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			*s = '?';
}

int
hooks_event(struct hooks *hs, const struct hook_event *ev)
{
	struct hook_event *copy;
	struct hook *h;

	if (ev->kind >= HOOK_KINDS || !word(ev->state) || !word(ev->verdict) ||
	    ev->loss > 1000)
		return (-1);
	/* It may have left the configuration a moment ago. */
	if ((h = find(hs->all, hs->n, ev->name)) == NULL ||
	    h->path[ev->kind] == NULL)
		return (0);
	/* What waits gives way to what is newer, but no change of state to a mere test. */
	if (h->next != NULL && ev->kind == HOOK_TEST &&
	    h->next->kind != HOOK_TEST)
		return (0);
	if ((copy = malloc(sizeof(*copy))) == NULL) {
		log_warn(hs->log, "keepalive \"%s\": %s is not run", h->name,
		    h->path[ev->kind]);
		return (0);
	}
	*copy = *ev;
	printable(copy->reason);
	free(h->next);
	h->next = copy;
	enqueue(hs, h);
	pump(hs);
	return (0);
}

static int
copy_conf(struct hook *h, const struct hook_conf *c, const struct logger *log)
{
	char why[HOOK_WHY], *real;
	size_t k;

	if ((h->name = strdup(c->name)) == NULL)
		return (-1);
	for (k = 0; k < HOOK_KINDS; k++) {
		if (c->path[k] == NULL)
			continue;
		if ((h->path[k] = strdup(c->path[k])) == NULL)
			return (-1);
		/* A mistake is better known now than when it is needed. */
		if ((real = hook_check(c->path[k], why)) == NULL)
			log_warnx(log, "keepalive \"%s\": %s will not be run: "
			    "%s", c->name, hook_kind_name((unsigned int)k), why);
		free(real);
	}
	return (0);
}

/* What waits and what runs go over to the new table. */
static void
take_over(struct hooks *hs, struct hook *all, size_t n)
{
	struct hook *h;
	size_t i;

	TAILQ_INIT(&hs->queue);
	for (i = 0; i < HOOK_RUNS; i++) {
		if (hs->runs[i].path == NULL)
			continue;
		hs->runs[i].hook = find(all, n, hs->runs[i].name);
		if (hs->runs[i].hook != NULL)
			hs->runs[i].hook->run = &hs->runs[i];
	}
	for (i = 0; i < hs->n; i++) {
		if (hs->all[i].next == NULL ||
		    (h = find(all, n, hs->all[i].name)) == NULL ||
		    h->path[hs->all[i].next->kind] == NULL)
			continue;
		h->next = hs->all[i].next;
		hs->all[i].next = NULL;
		enqueue(hs, h);
	}
}

int
hooks_configure(struct hooks *hs, const struct hook_conf *c, size_t n)
{
	struct hook *all;
	size_t i;

	if ((all = calloc(n + 1, sizeof(*all))) == NULL)
		return (-1);
	for (i = 0; i < n; i++)
		if (copy_conf(&all[i], &c[i], hs->log) == -1) {
			free_all(all, i + 1);
			return (-1);
		}
	if (n > 1)
		qsort(all, n, sizeof(*all), by_name);
	take_over(hs, all, n);
	free_all(hs->all, hs->n);
	hs->all = all;
	hs->n = n;
	pump(hs);
	return (0);
}

struct hooks *
hooks_new(struct ev_loop *loop, const struct logger *log, double term_s)
{
	struct hooks *hs;
	size_t i;

	if ((hs = calloc(1, sizeof(*hs))) == NULL)
		return (NULL);
	hs->loop = loop;
	hs->log = log;
	hs->term_s = term_s;
	TAILQ_INIT(&hs->queue);
	for (i = 0; i < HOOK_RUNS; i++) {
		hs->runs[i].hooks = hs;
		ev_child_init(&hs->runs[i].dead, dead_cb, 0, 0);
		ev_timer_init(&hs->runs[i].timer, timer_cb, 0, 0);
		hs->runs[i].dead.data = hs->runs[i].timer.data = &hs->runs[i];
	}
	return (hs);
}

void
hooks_free(struct hooks *hs)
{
	size_t i;

	if (hs == NULL)
		return;
	for (i = 0; i < HOOK_RUNS; i++) {
		if (hs->runs[i].pid > 0)
			(void)kill(-hs->runs[i].pid, SIGTERM);
		ev_child_stop(hs->loop, &hs->runs[i].dead);
		ev_timer_stop(hs->loop, &hs->runs[i].timer);
		free(hs->runs[i].path);
	}
	free_all(hs->all, hs->n);
	free(hs);
}
