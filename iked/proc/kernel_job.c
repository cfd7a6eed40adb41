/* SPDX-License-Identifier: ISC */
/*
 * Jobs: many single operations on the system's policies and SAs.
 *
 * WINDOW of them are under way at a time: tens of thousands of traps neither block the
 * process nor overrun a socket.  There is one job at a time.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define WINDOW	32
#define TOLD	5		/* failures that are logged one by one */

struct kop *
kjob_add(enum kopwhat what)
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

int
kjob_new(void (*step)(void), kjob_done *done)
{
	if ((kn.job = calloc(1, sizeof(*kn.job))) == NULL)
		return (-1);
	kn.job->step = step;
	kn.job->done = done;
	return (0);
}

void
kjob_end(void)
{
	struct kjob *j = kn.job;
	kjob_done *done = j->done;
	uint32_t failed = j->failed + j->nomem;

	kn.job = NULL;
	free(j->op);
	free(j);
	kseen_free(&kn.seen);
	done(failed);
	kguard_idle();
}

int
kernel_wanted(struct kern_policy *p)
{
	struct ktable *kt = kn.next != NULL ? kn.next : kn.now;
	const struct kpol *k = kt != NULL ? ktable_find(kt, p) : NULL;

	if (k != NULL)
		*p = k->p;
	return (k != NULL || khost_now(p));
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
	struct ktable *kt = op->what == KOP_REPLACE && kn.next != NULL ?
	    kn.next : kn.now;
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
	kjob_run();
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

void
kjob_run(void)
{
	struct kjob *j = kn.job;
	size_t i;

	while (j->next < j->n && j->inflight < WINDOW) {
		i = j->next++;
		/* a Child may have come or gone since it was listed */
		if (j->op[i].what == KOP_REPLACE && !kernel_wanted(&j->op[i].p))
			continue;
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

/* An ACQUIRE of PF_KEY says nothing but the policy's id, which is another one each time. */
static void
ids_dumped(void *arg, int err, const struct kern_policy *p)
{
	struct ktable *kt = arg;

	if (p != NULL) {
		kseen_add(&kn.seen, p);
		return;
	}
	if (err != 0) {
		errno = err;
		log_error(&kn.ch->log, WHY_POLICY, "policies cannot be listed: an ACQUIRE "
		    "will not be understood");
	} else
		ktable_setids(kt, &kn.seen);
	kn.job->step();
}

void
kjob_ids(struct ktable *kt, void (*then)(void))
{
	if (kn.caps.backend != KERN_PFKEY) {
		then();
		return;
	}
	kn.job->step = then;
	kseen_free(&kn.seen);
	if (kern_policy_dump(kn.kern, mono_now(), ids_dumped, kt) == -1)
		ids_dumped(kt, errno, NULL);
}
