/* SPDX-License-Identifier: ISC */
/*
 * Work on the system's policies and SAs: learn, clean up, place, take away.
 *
 * A job is a list of single operations, of which WINDOW are under way at a time: tens
 * of thousands of traps neither block the process nor overrun a socket.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define WINDOW	32
#define TOLD	5		/* failures that are logged one by one */

enum kopwhat { KOP_REPLACE, KOP_DELETE, KOP_SADELETE };
struct kop {
	enum kopwhat		 what;
	struct kern_policy	 p;		/* REPLACE, DELETE */
	uint32_t		 spi;		/* SADELETE */
	struct addr		 src, dst;
};

struct kjob {
	struct kop	*op;
	size_t		 n, cap, next;
	unsigned	 inflight;
	uint32_t	 failed;
	uint32_t	 nomem;		/* operations that were never listed */
	int		 policies;	/* sweep: policies too */
	void		(*step)(void);	/* when all operations are done */
	kjob_done	*done;
};

static void	job_run(void);

static struct kop *
job_add(enum kopwhat what)
{
	struct kjob *j = kn.job;
	struct kop *q;
	size_t cap;

	if (j->n == j->cap) {
		cap = j->cap == 0 ? 64 : j->cap * 2;
		if ((q = reallocarray(j->op, cap, sizeof(*q))) == NULL) {
			j->nomem++;
			return (NULL);
		}
		j->op = q;
		j->cap = cap;
	}
	q = &j->op[j->n++];
	memset(q, 0, sizeof(*q));
	q->what = what;
	return (q);
}

static int
job_new(void (*step)(void), kjob_done *done)
{
	if ((kn.job = calloc(1, sizeof(*kn.job))) == NULL)
		return (-1);
	kn.job->step = step;
	kn.job->done = done;
	return (0);
}

static void
job_end(void)
{
	struct kjob *j = kn.job;
	kjob_done *done = j->done;
	uint32_t failed = j->failed + j->nomem;

	kn.job = NULL;
	free(j->op);
	free(j);
	kseen_free(&kn.seen);
	done(failed);
}

static const char *
tunnel_of(const struct kern_policy *p)
{
	struct ktable *kt = kn.next != NULL ? kn.next : kn.now;
	const struct kpol *k;

	if (kt == NULL || (k = ktable_find(kt, p)) == NULL)
		return ("?");
	return (kt->conf->tunnels[k->tunnel].name);
}

static void
op_failed(const struct kop *op, int err, const char *what)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN];

	if (++kn.job->failed > TOLD)
		return;
	errno = err;
	if (op->what == KOP_SADELETE)
		log_error(&kn.ch->log, WHY_KERNEL_REFUSES, "SA 0x%08x cannot be deleted", op->spi);
	else
		log_error(&kn.ch->log, WHY_POLICY, "tunnel \"%s\": the kernel refuses to %s "
		    "the policy %s -> %s%s%s%s", tunnel_of(&op->p),
		    op->what == KOP_REPLACE ? "place" : "delete",
		    prefix_str(&op->p.src, src), prefix_str(&op->p.dst, dst),
		    what != NULL ? " (" : "", what != NULL ? what : "",
		    what != NULL ? ")" : "");
}

/* Only what the kernel has taken counts: a later change tries the rest again. */
static void
op_stands(const struct kop *op)
{
	struct ktable *kt = op->what == KOP_REPLACE ? kn.next : kn.now;
	struct kpol *k;

	if (op->what != KOP_SADELETE && kt != NULL &&
	    (k = ktable_find(kt, &op->p)) != NULL)
		k->installed = op->what == KOP_REPLACE;
}

static void
op_done(void *arg, int err, const char *what)
{
	/* arg is the operation's number: the array may have moved. */
	size_t i = (size_t)(uintptr_t)arg;

	struct kop *op = &kn.job->op[i];

	kn.job->inflight--;
	/* What is not there need not be deleted. */
	if (err == 0 || (op->what != KOP_REPLACE &&
	    (err == ESRCH || err == ENOENT)))
		op_stands(op);
	else
		op_failed(op, err, what);
	job_run();
}

static int
op_send(size_t i)
{
	struct kop *op = &kn.job->op[i];
	void *arg = (void *)(uintptr_t)i;

	switch (op->what) {
	case KOP_REPLACE:
		return (kern_policy_replace(kn.kern, mono_now(), &op->p,
		    op_done, arg));
	case KOP_DELETE:
		return (kern_policy_delete(kn.kern, mono_now(), &op->p,
		    op_done, arg));
	default:
		return (kern_sa_delete(kn.kern, mono_now(), op->spi, PROTO_ESP,
		    &op->src, &op->dst, op_done, arg));
	}
}

static void
job_run(void)
{
	struct kjob *j = kn.job;
	size_t i;

	while (j->next < j->n && j->inflight < WINDOW) {
		i = j->next++;
		j->inflight++;
		if (op_send(i) == -1) {
			j->inflight--;
			op_failed(&j->op[i], errno, NULL);
		}
	}
	kernel_settle();
	if (j->inflight == 0 && j->next == j->n) {
		j->n = j->next = 0;
		j->step();
	}
}

/* Placing a generation. */

static void	place_ids(void);

/*
 * A file that names too much until the next change is no harm: where something was not
 * done, it is left as it is.
 */
static void
note(const struct ktable *kt, int add)
{
	int fd = kn.ch->statefd;

	if (fd == -1 || (!add && kn.job->failed + kn.job->nomem > 0))
		return;
	if (kleft_write(&kn.left, fd, kt, add) == -1)
		log_error(&kn.ch->log, WHY_POLICY, "cannot note which traps are placed: one of a "
		    "tunnel that is removed while iked is stopped would stay");
}

static void
place_done(void)
{
	note(kn.ch->setup.sweep ? NULL : kn.next, 0);
	kleft_free(&kn.left);
	ktable_free(kn.before);
	kn.before = kn.now;
	kn.now = kn.next;
	kn.next = NULL;
	kiface_clear(kn.now);
	job_end();
}

static void
ids_dumped(void *arg, int err, const struct kern_policy *p)
{
	(void)arg;
	if (p != NULL) {
		kseen_add(&kn.seen, p);
		return;
	}
	if (err != 0) {
		errno = err;
		log_error(&kn.ch->log, WHY_POLICY, "policies cannot be listed: an ACQUIRE "
		    "will not be understood");
	} else
		ktable_setids(kn.next, &kn.seen);
	place_done();
}

/* After the placing: learn the ids, where an ACQUIRE says nothing else. */
static void
place_ids(void)
{
	if (kn.ch->setup.sweep) {
		place_done();
		return;
	}
	kn.flushed = 0;
	if (kn.caps.backend != KERN_PFKEY) {
		place_done();
		return;
	}
	kseen_free(&kn.seen);
	if (kern_policy_dump(kn.kern, mono_now(), ids_dumped, NULL) == -1) {
		log_error(&kn.ch->log, WHY_POLICY, "policies cannot be listed");
		place_done();
	}
}

/* The new traps come first, so that nothing is open where nets overlap. */
static void
remove_left(void)
{
	const struct kern_policy *p;
	struct kop *op;
	size_t i, n = 0;

	for (i = 0; i < kn.seen.n; i++) {
		p = &kn.seen.p[i];
		if (ktable_find(kn.next, p) != NULL ||
		    (!kleft_policy(&kn.left, p) && !kleft_host(&kn.left, p)))
			continue;
		if ((op = job_add(KOP_DELETE)) != NULL)
			op->p = *p;
		n++;
	}
	if (n > 0)
		log_info(&kn.ch->log, "removing %zu policies of an earlier life",
		    n);
}

/* The first generation: all of them, by replacing; an order to sweep deletes instead. */
static void
place_all(void)
{
	struct kop *op;
	size_t i;

	kn.job->step = place_ids;
	if (!kn.ch->setup.sweep)
		note(kn.next, 1);
	for (i = 0; i < kn.next->npol; i++) {
		if (kn.ch->setup.sweep &&
		    kseen_find(&kn.seen, &kn.next->pol[i].p) == NULL)
			continue;
		op = job_add(kn.ch->setup.sweep ? KOP_DELETE : KOP_REPLACE);
		if (op != NULL)
			op->p = kn.next->pol[i].p;
	}
	remove_left();
	job_run();
}

/* A later one: only what changed. New traps first, so that nothing is ever open. */
static void
place_changes(void)
{
	struct kpol *k;
	struct kop *op;
	size_t i;

	kn.job->step = place_ids;
	ktable_inherit(kn.next, kn.now);
	note(kn.next, 1);
	for (i = 0; i < kn.next->npol; i++) {
		k = &kn.next->pol[i];
		if (k->installed)
			continue;
		if ((op = job_add(KOP_REPLACE)) != NULL)
			op->p = k->p;
	}
	for (i = 0; i < kn.now->npol; i++) {
		k = &kn.now->pol[i];
		if (!k->installed || ktable_find(kn.next, &k->p) != NULL)
			continue;
		if ((op = job_add(KOP_DELETE)) != NULL)
			op->p = k->p;
	}
	job_run();
}

/* An ESP SA with a reqid and endpoints of ours, whoever made it. */
int
kernel_is_ours(const struct ktable *kt, const struct kern_sa *sa)
{
	int64_t t;

	if (sa->proto != PROTO_ESP || (t = ktable_byreqid(kt, sa->reqid)) == -1)
		return (0);
	if (ktable_endpoints(kt, (uint32_t)t, &sa->src, &sa->dst) ||
	    ktable_endpoints(kt, (uint32_t)t, &sa->dst, &sa->src))
		return (1);
	/* one whose peer had moved */
	return (kt->conf->mobike &&
	    !addr_is_any(&kt->conf->peers[kt->conf->tunnels[t].peer].local) &&
	    (ktable_moved(kt, (uint32_t)t, &sa->src, &sa->dst) ||
	    ktable_moved(kt, (uint32_t)t, &sa->dst, &sa->src)));
}

static void
sa_collect(const struct ktable *kt, const struct kern_sa *sa)
{
	struct kop *op;

	if ((!kernel_is_ours(kt, sa) && (ktable_byreqid(kt, sa->reqid) != -1 ||
	    !kleft_sa(&kn.left, sa))) || (op = job_add(KOP_SADELETE)) == NULL)
		return;
	op->spi = sa->spi;
	op->src = sa->src;
	op->dst = sa->dst;
}

/*
 * SAs that an earlier life left: their keys died with it, and the peer will be told by
 * INITIAL_CONTACT.
 */
static void
stale_dumped(void *arg, int err, const struct kern_sa *sa)
{
	(void)arg;
	if (sa != NULL) {
		sa_collect(kn.next, sa);
		return;
	}
	if (err != 0) {
		errno = err;
		log_error(&kn.ch->log, WHY_KERNEL_REFUSES, "SAs cannot be listed: stale ones may be "
		    "left");
	}
	if (kn.job->n > 0)
		log_info(&kn.ch->log, "deleting %zu SAs of an earlier life",
		    kn.job->n);
	kn.job->step = place_all;
	job_run();
}

static void
seen_dumped(void *arg, int err, const struct kern_policy *p)
{
	struct conf *c = arg;
	const char *why;

	if (p != NULL) {
		kseen_add(&kn.seen, p);
		return;
	}
	if (err != 0) {
		errno = err;
		log_error(&kn.ch->log, WHY_POLICY, "policies cannot be listed: request ids of "
		    "an earlier life are not known");
	}
	kseen_sort(&kn.seen);
	if ((kn.next = ktable_new(c, &kn.caps, &kn.seen, &why)) == NULL) {
		log_fault(&kn.ch->log, WHY_POLICY, "configuration refused: %s", why);
		job_end();
		return;
	}
	if (kern_sa_dump(kn.kern, mono_now(), stale_dumped, NULL) == -1)
		stale_dumped(NULL, errno, NULL);
}

static int
place_first(struct conf *c, kjob_done *done)
{
	if (job_new(place_all, done) == -1)
		return (-1);
	if (kern_policy_dump(kn.kern, mono_now(), seen_dumped, c) == -1)
		seen_dumped(c, errno, NULL);
	return (0);
}

int
kernel_place(struct conf *c, kjob_done *done)
{
	struct kseen old;
	const char *why;

	if (kn.job != NULL) {
		log_fault(&kn.ch->log, WHY_PROCESS, "a change is still under way");
		conf_free(c);
		return (-1);
	}
	if (kn.now == NULL) {
		if (place_first(c, done) == 0)
			return (0);
		conf_free(c);
		log_fault(&kn.ch->log, WHY_MEMORY, "out of memory");
		return (-1);
	}
	if (ktable_seen(kn.now, &old) == -1 ||
	    job_new(place_changes, done) == -1) {
		kseen_free(&old);
		conf_free(c);
		log_fault(&kn.ch->log, WHY_MEMORY, "out of memory");
		return (-1);
	}
	kn.next = ktable_new(c, &kn.caps, &old, &why);
	kseen_free(&old);
	if (kn.next == NULL) {
		log_fault(&kn.ch->log, WHY_POLICY, "configuration refused: %s", why);
		job_end();
		return (0);	/* done() finds that nothing changed */
	}
	place_changes();
	return (0);
}

/* Taking away. */

static void
sweep_done(void)
{
	if (kn.job->policies)
		note(NULL, 0);
	job_end();
}

static void
sweep_dumped(void *arg, int err, const struct kern_sa *sa)
{
	struct kop *op;
	size_t i;

	(void)arg;
	if (sa != NULL) {
		if (kn.now != NULL)
			sa_collect(kn.now, sa);
		return;
	}
	if (err != 0) {
		errno = err;
		kn.job->failed++;
		log_error(&kn.ch->log, WHY_KERNEL_REFUSES, "SAs cannot be listed");
	}
	kn.job->step = sweep_done;
	if (kn.job->policies && kn.now != NULL)
		for (i = 0; i < kn.now->npol; i++)
			if ((op = job_add(KOP_DELETE)) != NULL)
				op->p = kn.now->pol[i].p;
	job_run();
}

int
kernel_sweep(int policies, kjob_done *done)
{
	if (kn.job != NULL || job_new(sweep_done, done) == -1)
		return (-1);
	kn.job->policies = policies;
	khost_clear();
	kiface_clear(NULL);
	kn.flushed |= policies;
	if (kern_sa_dump(kn.kern, mono_now(), sweep_dumped, NULL) == -1)
		sweep_dumped(NULL, errno, NULL);
	return (0);
}
