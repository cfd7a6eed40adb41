/* SPDX-License-Identifier: ISC */
/* Work on the system's policies and SAs: learn, clean up, place, take away. */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

/* Placing a generation. */

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
	kjob_end();
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
	kjob_ids(kn.next, place_done);
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
		if ((op = kjob_add(KOP_DELETE)) != NULL)
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
		op = kjob_add(kn.ch->setup.sweep ? KOP_DELETE : KOP_REPLACE);
		if (op != NULL)
			op->p = kn.next->pol[i].p;
	}
	remove_left();
	kjob_run();
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
		if ((op = kjob_add(KOP_REPLACE)) != NULL)
			op->p = k->p;
	}
	for (i = 0; i < kn.now->npol; i++) {
		k = &kn.now->pol[i];
		if (!k->installed || ktable_find(kn.next, &k->p) != NULL)
			continue;
		if ((op = kjob_add(KOP_DELETE)) != NULL)
			op->p = k->p;
	}
	kjob_run();
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
	    !kleft_sa(&kn.left, sa))) || (op = kjob_add(KOP_SADELETE)) == NULL)
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
	kjob_run();
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
		kjob_end();
		return;
	}
	if (kern_sa_dump(kn.kern, mono_now(), stale_dumped, NULL) == -1)
		stale_dumped(NULL, errno, NULL);
}

static int
place_first(struct conf *c, kjob_done *done)
{
	if (kjob_new(place_all, done) == -1)
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

	if (kguard_first(c, done) == 0)
		return (0);
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
	    kjob_new(place_changes, done) == -1) {
		kseen_free(&old);
		conf_free(c);
		log_fault(&kn.ch->log, WHY_MEMORY, "out of memory");
		return (-1);
	}
	kn.next = ktable_new(c, &kn.caps, &old, &why);
	kseen_free(&old);
	if (kn.next == NULL) {
		log_fault(&kn.ch->log, WHY_POLICY, "configuration refused: %s", why);
		kjob_end();
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
	kjob_end();
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
			if ((op = kjob_add(KOP_DELETE)) != NULL)
				op->p = kn.now->pol[i].p;
	kjob_run();
}

int
kernel_sweep(int policies, kjob_done *done)
{
	if (kn.job != NULL || kjob_new(sweep_done, done) == -1)
		return (-1);
	kn.job->policies = policies;
	khost_clear();
	kiface_clear(NULL);
	kn.flushed |= policies;
	if (kern_sa_dump(kn.kern, mono_now(), sweep_dumped, NULL) == -1)
		sweep_dumped(NULL, errno, NULL);
	return (0);
}
