/* SPDX-License-Identifier: ISC */
/*
 * The kernel process: the only one that may change SAs and policies.  It installs
 * the traps itself, from the parent's table; ike asks for SAs.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

struct kernel kn;

static void
kernel_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)io;
	(void)revents;
	kern_input(kn.kern, mono_now());
	kernel_settle();
}

static void
kernel_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	kern_timeout(kn.kern, mono_now());
	kernel_settle();
}

static void
finish_if_idle(void);

void
kernel_settle(void)
{
	monotime d = kern_deadline(kn.kern), now;
	double wait;

	/* all get the same time, so the next deadline is never before the one it is set for */
	if (d.us != MONO_NEVER.us && !ev_is_active(&kn.timer)) {
		now = mono_now();
		wait = mono_reached(d, now) ? 0. :
		    (double)mono_diff_us(d, now) / 1e6;
		ev_now_update(kn.ch->loop);
		ev_timer_set(&kn.timer, wait, 0.);
		ev_timer_start(kn.ch->loop, &kn.timer);
	}
	finish_if_idle();
}

/* The siblings. */

static int
ike_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	(void)arg;
	(void)c;
	if (fd != -1)
		return (-1);
	return (type == M_FLUSH ? kernel_flush(r) :
	    type == M_KERNEL_COUNT ? kernel_count(r) :
	    type == M_KERNEL_REQ ? kernel_request(r) : -1);
}

static void
ike_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	kn.ike_gone = 1;
	child_link_lost(kn.ch, ROLE_IKE, why);
	finish_if_idle();
}

static int
control_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r,
    int fd)
{
	(void)arg;
	(void)c;
	return (fd != -1 ? -1 : kernel_control(type, r));
}

static void
control_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	child_link_lost(kn.ch, ROLE_CONTROL, why);
}

static const struct chan_ops ike_ops = { ike_message, ike_closed, NULL };
static const struct chan_ops control_ops = {
	control_message, control_closed, NULL
};

/* The parent. */

static int
kernel_prepare(struct child *ch)
{
	struct kern_cb cb = { kernel_event, NULL };
	const char *err = NULL;

	kn.ch = ch;
	kiface_open();
	ev_init(&kn.timer, kernel_tick);
	/* what it cannot do is of no use to who only takes away */
	kn.kern = kern_open((enum kern_backend)ch->setup.backend, &cb,
	    ch->setup.sweep ? NULL : &ch->log, &err);
	if (kn.kern == NULL) {
		log_fault(&ch->log, WHY_KERNEL_LACKS, "cannot reach the kernel's IPsec: %s",
		    err != NULL ? err : strerror(errno));
		return (-1);
	}
	kern_look(kn.kern, 0);
	kguard_open();
	if (kernel_net_open() == -1)
		log_error(&ch->log, WHY_UNHEARD, "changes of addresses and routes are not heard "
		    "of: tunnels do not move by themselves");
	if (ch->statefd != -1 && kleft_read(&kn.left, ch->statefd) == -1)
		log_error(&ch->log, WHY_POLICY, "cannot read which traps an earlier life "
		    "placed: those of removed tunnels stay");
	if (kern_probe(kn.kern, &kn.caps) == -1) {
		log_fault(&ch->log, WHY_KERNEL_LACKS, "cannot find out what the kernel's IPsec can "
		    "do");
		return (-1);
	}
	return (0);
}

static int
kernel_start(struct child *ch)
{
	size_t i;
	int fd;

	kn.ike = chan_new(ch->loop, ch->link[ROLE_IKE], CHILD_QUEUE, &ike_ops,
	    NULL);
	kn.control = chan_new(ch->loop, ch->link[ROLE_CONTROL], CHILD_QUEUE,
	    &control_ops, NULL);
	if (kn.ike == NULL || kn.control == NULL)
		return (-1);
	for (i = 0; i < sizeof(kn.io) / sizeof(kn.io[0]); i++) {
		if ((fd = kern_fd(kn.kern, i)) == -1)
			break;
		ev_io_init(&kn.io[i], kernel_readable, fd, EV_READ);
		ev_io_start(ch->loop, &kn.io[i]);
	}
	kernel_net_start();
	kernel_settle();
	return (0);
}

static uint32_t wanted_gen;

static void
placed(uint32_t failed)
{
	struct confdone d;
	struct msg m;

	d.gen = wanted_gen;
	d.ok = kn.now != NULL && kn.now->conf->gen == wanted_gen;
	d.failed = failed;
	if (d.ok && !kn.caps_told) {
		msg_put_caps(&m, &kn.caps);
		(void)chan_put(kn.ike, &m);
		kn.caps_told = 1;
	}
	if (d.ok) {
		log_debug(&kn.ch->log, "%zu policies stand for %u tunnels",
		    kn.now->npol, kn.now->conf->ntunnels);
		kernel_early();
		kguard_start();
	}
	msg_put_confdone(&m, &d);
	(void)chan_put(kn.ch->parent, &m);
}

static int
kernel_message(struct child *ch, uint16_t type, struct rbuf *r, int fd)
{
	struct conf *c;
	int rv;

	(void)ch;
	kn.in.base[0] = kn.now != NULL ? kn.now->conf : NULL;
	if (fd != -1 || (rv = confin_message(&kn.in, type, r, &c)) == -1)
		return (-1);
	if (rv == 1) {
		wanted_gen = c->gen;
		if (kernel_place(c, placed) == -1)
			placed(0);
	}
	return (0);
}

/*
 * The end: everything that ike asked for before it ended is still done, then what is
 * left of our SAs goes; policies stay, unless we were told to take them away.
 */
static int ending, swept;

static void
swept_all(uint32_t failed)
{
	if (kn.remove)
		log_info(&kn.ch->log, "SAs and policies taken away%s",
		    failed != 0 ? ", but not all of them" : "");
	child_exit(kn.ch, failed != 0);
}

static void
finish_if_idle(void)
{
	if (!ending || swept || !kn.ike_gone || kn.inflight > 0 ||
	    kn.job != NULL)
		return;
	swept = 1;
	if (kernel_sweep(kn.remove, swept_all) == -1)
		child_exit(kn.ch, 1);
}

static void
kernel_shutdown(struct child *ch, int remove)
{
	(void)ch;
	ending = 1;
	kn.remove = remove;
	finish_if_idle();
}

const struct role_ops kernel_role = {
	16, kernel_prepare, kernel_start, kernel_message, kernel_shutdown,
	NULL
};
