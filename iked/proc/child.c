/* SPDX-License-Identifier: ISC */
/* The life of a child, from exec to the parent's last word. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/child.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

static int	parent_message(void *, struct chan *, uint16_t, struct rbuf *,
		    int);
static void	parent_closed(void *, struct chan *, const char *);

static const struct chan_ops parent_ops = {
	parent_message, parent_closed, NULL
};

monotime
mono_now(void)
{
	struct timespec ts;
	monotime t;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (MONO_NONE);
	t.us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	return (t);
}

/* Lines go to the parent; when its queue is full they are lost, never waited for. */
static void
child_emit(void *arg, enum log_level level, const char *line)
{
	struct child *ch = arg;
	UNFILLED struct msg m;

	msg_put_log(&m, level, line);
	if (ch->parent != NULL)
		(void)chan_put(ch->parent, &m);
	else
		(void)chan_send(ch->parentfd, &m);
}

void
child_exit(struct child *ch, int status)
{
	if (ch->parent != NULL)
		chan_flush(ch->parent, 200);
	_exit(status);
}

static void
orphaned(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct child *ch = w->data;

	(void)loop;
	(void)revents;
	log_fault(&ch->log, WHY_PROCESS, "a sibling refused what this process said: ending");
	child_exit(ch, 1);
}

void
child_link_lost(struct child *ch, enum role sibling, const char *why)
{
	if (ch->stopping)
		return;
	if (why != NULL)
		log_fault(&ch->log, WHY_PROCESS, "channel to %s closed: %s",
		    role_name(sibling), why);
	if (!ev_is_active(&ch->orphan))
		ev_timer_start(ch->loop, &ch->orphan);
}

/* Lines that the parent would drop are not sent, where a logger knows that. */
static void
set_level(struct child *ch, uint8_t level)
{
	ch->level = (enum log_level)level;
	ch->log.verbose = ch->level == LOGGER_DEBUG;
}

static int
parent_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct child *ch = arg;
	uint8_t v;

	(void)c;
	switch (type) {
	case M_VERBOSE:
		if (msg_get_u8(r, &v, LOGGER_DEBUG) == -1)
			return (-1);
		set_level(ch, v);
		return (0);
	case M_SHUTDOWN:
		if (msg_get_u8(r, &v, 1) == -1)
			return (-1);
		ch->stopping = 1;
		ch->ops->shutdown(ch, v);
		return (0);
	default:
		return (ch->ops->message(ch, type, r, fd));
	}
}

/* Without a parent there is no reason to live: no log, no restart. */
static void
parent_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why;
	_exit(0);
}

static void
keep_fd(struct child *ch, const struct fdinfo *f, int fd)
{
	if (f->kind == FD_LINK)
		ch->link[f->which] = fd;
	else if (f->kind == FD_LISTEN)
		ch->listenfd[f->which] = fd;
	else if (f->kind == FD_STATE && ch->statefd == -1)
		ch->statefd = fd;
	else
		close(fd);
}

/* Setup, descriptors, go: -1 when the parent is gone or speaks nonsense. */
static int
child_receive(struct child *ch)
{
	uint8_t buf[CHAN_MSGMAX];
	struct fdinfo f;
	struct rbuf r;
	uint16_t type;
	int fd;

	if (chan_recv(CHILD_FD, buf, &type, &r, &fd) == -1 ||
	    type != M_SETUP || fd != -1 || msg_get_setup(&r, &ch->setup) == -1)
		return (-1);
	for (;;) {
		if (chan_recv(CHILD_FD, buf, &type, &r, &fd) == -1)
			return (-1);
		if (type == M_GO && fd == -1)
			return (0);
		if (type != M_FD || fd == -1 || msg_get_fd(&r, &f) == -1)
			return (-1);
		keep_fd(ch, &f, fd);
	}
}

/*
 * Signals belong to the parent: a terminal's ^C or a careless kill reaches the whole
 * group, and the children must outlive it to say goodbye to the peers.
 */
static void
child_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE,
	    SIGUSR1, SIGUSR2 };
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static int
child_confine(struct child *ch)
{
	struct privuser u;

	u.uid = ch->setup.uid;
	u.gid = ch->setup.gid;
	if (privdrop(ch->setup.role, &u, ch->setup.chroot, &ch->log) == -1)
		return (-1);
	if (ch->ops->last != NULL && ch->ops->last(ch) == -1)
		return (-1);
	if (ch->setup.sandbox)
		return (sandbox_enter(ch->setup.role, ch->ops->maxfiles,
		    &ch->log));
	log_fault(&ch->log, WHY_SANDBOX, "running without its sandbox, as asked by -o sandbox=off");
	return (0);
}

static const struct role_ops *
role_ops(enum role role)
{
	switch (role) {
	case ROLE_IKE:
		return (&ike_role);
	case ROLE_KEYS:
		return (&keys_role);
	case ROLE_KERNEL:
		return (&kernel_role);
	case ROLE_CONTROL:
		return (&control_role);
	case ROLE_NAMES:
		return (&names_role);
	default:
		return (NULL);
	}
}

void
child_main(const char *name)
{
	static struct child ch;		/* as long as the process */
	char title[32];
	struct msg m;
	size_t i;

	privdrop_files(CHILD_FD + 1);
	memset(&ch, 0, sizeof(ch));
	for (i = 0; i < ROLE_MAX; i++)
		ch.link[i] = -1;
	ch.listenfd[0] = ch.listenfd[1] = -1;
	ch.statefd = -1;
	ch.parentfd = CHILD_FD;
	ch.log.emit = child_emit;
	ch.log.arg = &ch;
	child_signals();
	(void)snprintf(title, sizeof(title), "iked-%s", name);
	sandbox_title(title);
	tzset();
	if ((ch.ops = role_ops(role_byname(name))) == NULL ||
	    child_receive(&ch) == -1 || ch.setup.role != role_byname(name))
		_exit(1);
	set_level(&ch, ch.setup.level);
	if ((ch.loop = ev_loop_new(EVFLAG_NOENV |
	    (ev_recommended_backends() & (EVBACKEND_EPOLL | EVBACKEND_KQUEUE |
	    EVBACKEND_POLL)))) == NULL) {
		log_fault(&ch.log, WHY_PROCESS, "cannot make an event loop");
		_exit(1);
	}
	ev_init(&ch.orphan, orphaned);
	ev_timer_set(&ch.orphan, 1., 0.);
	ch.orphan.data = &ch;
	if (ch.ops->prepare(&ch) == -1 || child_confine(&ch) == -1)
		_exit(1);
	if ((ch.parent = chan_new(ch.loop, CHILD_FD, CHILD_QUEUE, &parent_ops,
	    &ch)) == NULL || ch.ops->start(&ch) == -1)
		_exit(1);
	msg_start(&m, M_READY);
	(void)chan_put(ch.parent, &m);
	ev_run(ch.loop, 0);
	_exit(1);		/* a loop without watchers: cannot happen */
}
