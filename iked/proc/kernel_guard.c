/* SPDX-License-Identifier: ISC */
/*
 * Our policies stand, whoever takes them away (promise 10).
 *
 * "ip xfrm policy flush", "setkey -FP" or another daemon opens every tunnel: what was to be
 * encrypted leaves in clear, and nothing says so.  So we hear of what others do to
 * policies, look at all of them where it may have met ours, and put back what is missing
 * or changed.  Each look has a reason of its own, and there is one in HOLD_SECS: with
 * another program that wants the same selector, nobody wins and nothing spins.
 */

#include <sys/types.h>

#include <errno.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define HOLD_SECS	1.
#define NOTES		256	/* heard in one go */

static struct kern_monitor	*ear;
static ev_io			 io;
static ev_timer			 hold;
static int			 due, busy;
static int			 theirs, looks_theirs;	/* others have done something */
static size_t			 missed;	/* policies of this look */
static const char		*first;		/* the tunnel of one of them */

/* A generation that came while we were at work. */
static struct conf		*later;
static kjob_done		*later_done;

static void
done(uint32_t failed)
{
	struct conf *c = later;

	busy = 0;
	if (missed > 0 && failed == 0 && !looks_theirs)
		log_fault(&kn.ch->log, WHY_POLICY, "tunnel \"%s\"%s: %zu of our policies were "
		    "not in the kernel as they should be; they stand now", first,
		    missed > 3 ? " and others" : "", missed);
	else if (missed > 0 && failed == 0)
		log_fault(&kn.ch->log, WHY_TAKEN, "tunnel \"%s\"%s: another program took "
		    "away or changed %zu of our policies (ip xfrm policy flush, setkey -FP, "
		    "another daemon?); they stand again, and packets may have left in clear "
		    "meanwhile", first, missed > 3 ? " and others" : "", missed);
	later = NULL;
	if (c != NULL && kernel_place(c, later_done) == -1)
		later_done(0);
}

static void
placed(void)
{
	if (missed == 0)
		kjob_end();
	else
		kjob_ids(kn.now, kjob_end);
}

static void
want(const struct kern_policy *p)
{
	struct kop *op;
	int64_t t;

	if (kseen_has(&kn.seen, p) || (op = kjob_add(KOP_REPLACE)) == NULL)
		return;
	op->p = *p;
	t = ktable_byreqid(kn.now, p->reqid);
	if (missed++ == 0)
		first = t == -1 ? "?" : kn.now->conf->tunnels[t].name;
}

static void
compare(void)
{
	struct kpol *k;
	size_t i, n;

	for (i = 0; i < kn.now->npol; i++) {
		k = &kn.now->pol[i];
		n = missed;
		want(&k->p);
		if (missed != n)
			k->installed = 0;
	}
	khost_each(want);
	if (missed > 0) {
		ev_timer_set(&hold, HOLD_SECS, 0.);
		ev_timer_start(kn.ch->loop, &hold);
	}
}

static void
dumped(void *arg, int err, const struct kern_policy *p)
{
	(void)arg;
	if (p != NULL) {
		kseen_add(&kn.seen, p);
		return;
	}
	if (err == 0 && !kn.seen.err) {
		kseen_sort(&kn.seen);
		compare();
	} else {
		errno = err != 0 ? err : ENOMEM;
		log_error(&kn.ch->log, WHY_POLICY, "policies cannot be listed: whether "
		    "another program has taken ours away is not known");
	}
	kjob_run();
}

static void
look(void)
{
	if (!due || kn.job != NULL || kn.now == NULL || kn.flushed ||
	    kn.ch->setup.sweep || ev_is_active(&hold) || kjob_new(placed, done) == -1)
		return;
	looks_theirs = theirs;
	due = theirs = 0;
	busy = 1;
	missed = 0;
	if (kern_policy_dump(kn.kern, mono_now(), dumped, NULL) == -1)
		dumped(NULL, errno, NULL);
}

void
kguard_look(void)
{
	due = 1;
	look();
}

void
kguard_idle(void)
{
	look();
}

static void
held(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	look();
	kernel_settle();
}

/* Has somebody else touched one that may be ours? */
static int
concerns_us(const struct kern_note *n)
{
	struct kern_policy p = n->policy;

	if (n->pid == kern_pid(kn.kern))
		return (0);
	return (n->type == KERN_NOTE_FLUSH || ((n->type == KERN_NOTE_POLICY ||
	    n->type == KERN_NOTE_POLICY_GONE) && kernel_wanted(&p)));
}

static void
heard(struct ev_loop *loop, ev_io *w, int revents)
{
	UNFILLED struct kern_note n;
	int i, rv;

	(void)loop;
	(void)w;
	(void)revents;
	for (i = 0; i < NOTES && (rv = kern_monitor_next(ear, &n)) != 0; i++)
		if (rv == -1)
			due = 1;
		else if (concerns_us(&n))
			due = theirs = 1;
	look();
	kernel_settle();
}

int
kguard_first(struct conf *c, kjob_done *then)
{
	if (!busy || later != NULL)
		return (-1);
	later = c;
	later_done = then;
	return (0);
}

void
kguard_open(void)
{
	const char *why;

	ev_init(&hold, held);
	ear = kern_monitor_open((enum kern_backend)kn.ch->setup.backend,
	    KERN_HEAR_POLICIES, &why);
	if (ear == NULL)
		log_error(&kn.ch->log, WHY_UNHEARD, "what other programs do to policies is "
		    "not heard of (%s): they stay away until the next reload", why);
}

void
kguard_start(void)
{
	if (ear == NULL || ev_is_active(&io))
		return;
	ev_io_init(&io, heard, kern_monitor_fd(ear), EV_READ);
	ev_io_start(kn.ch->loop, &io);
}
