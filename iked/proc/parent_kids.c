/* SPDX-License-Identifier: ISC */
/* The parent's children: started in order, linked with each other, buried, started anew. */

#include <sys/types.h>
#include <sys/wait.h>

#include <ev.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/parent_kids.h"
#include "proc/plog.h"

#define KID_QUEUE	(8U << 20)
#define BACKOFF_MIN	0.1		/* seconds */
#define BACKOFF_MAX	5.
#define LAST_TURNS	1024		/* of the loop: a socket's buffer of packets */

const enum role roles[] = { ROLE_KEYS, ROLE_KERNEL, ROLE_IKE, ROLE_CONTROL };

/* pid 0 would be our whole group. */
void
kid_kill(const struct kid *k)
{
	if (k->pid > 0)
		(void)kill(k->pid, SIGKILL);
}

static int
kid_give(struct kid *k, enum fd_kind kind, uint8_t which, int fd)
{
	struct fdinfo f;
	struct msg m;

	f.kind = kind;
	f.which = which;
	f.natt = 0;
	msg_put_fd(&m, &f, fd);
	return (chan_put(k->chan, &m));
}

int
kid_start(struct kid *k, const char *chroot, const struct chan_ops *ops, size_t queue)
{
	struct setup s;
	struct msg m;
	int fd;

	if ((k->pid = parent_spawn(k->role, pa.self, pa.o->front, &fd)) == -1) {
		k->pid = 0;
		return (-1);
	}
	if ((k->chan = chan_new(pa.loop, fd, queue, ops, k)) == NULL)
		return (-1);
	memset(&s, 0, sizeof(s));
	s.role = k->role;
	s.level = (uint8_t)plog_level();
	s.sandbox = pa.o->sandbox != 0;
	s.uid = k->user.uid;
	s.gid = k->user.gid;
	s.backend = pa.o->backend;
	s.sweep = pa.sweep != 0;
	s.port = pa.o->port;
	s.natt_port = pa.o->natt_port;
	(void)strlcpy(s.chroot, chroot, sizeof(s.chroot));
	msg_put_setup(&m, &s);
	if (chan_put(k->chan, &m) == -1)
		return (-1);
	chan_flush(k->chan, 0);		/* alone: it has no loop yet */
	return (0);
}

int
kid_go(struct kid *k)
{
	struct msg m;

	msg_start(&m, M_GO);
	if (chan_put(k->chan, &m) == -1)
		return (-1);
	chan_flush(k->chan, 0);
	return (0);
}

static int
kids_link(enum role a, enum role b)
{
	int sv[2];

	if (chan_pair(sv) == -1)
		return (-1);
	if (kid_give(&pa.kid[a], FD_LINK, (uint8_t)b, sv[0]) == -1) {
		close(sv[1]);
		return (-1);
	}
	return (kid_give(&pa.kid[b], FD_LINK, (uint8_t)a, sv[1]));
}

static int
kids_try(void)
{
	size_t i;
	int fd;

	for (i = 0; i < NROLES; i++)
		if (kid_start(&pa.kid[roles[i]], pa.o->chroot, &parent_kid_ops,
		    KID_QUEUE) == -1)
			return (-1);
	if (kids_link(ROLE_IKE, ROLE_KEYS) == -1 ||
	    kids_link(ROLE_IKE, ROLE_KERNEL) == -1 ||
	    kids_link(ROLE_IKE, ROLE_CONTROL) == -1 ||
	    kids_link(ROLE_CONTROL, ROLE_KERNEL) == -1)
		return (-1);
	if ((fd = fcntl(pa.sock.state, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    kid_give(&pa.kid[ROLE_KERNEL], FD_STATE, 0, fd) == -1)
		return (-1);
	for (i = 0; i < 2; i++) {
		if (pa.sock.listen[i] == -1)
			continue;
		if ((fd = fcntl(pa.sock.listen[i], F_DUPFD_CLOEXEC, 0)) == -1 ||
		    kid_give(&pa.kid[ROLE_CONTROL], FD_LISTEN, (uint8_t)i,
		    fd) == -1)
			return (-1);
	}
	for (i = 0; i < NROLES; i++)
		if (kid_go(&pa.kid[roles[i]]) == -1)
			return (-1);
	return (0);
}

void
kids_kill(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		kid_kill(&pa.kid[roles[i]]);
}

int
kids_left(void)
{
	size_t i;
	int n = 0;

	for (i = 0; i < NROLES; i++)
		n += pa.kid[roles[i]].pid != 0;
	return (n);
}

static void
restart_later(void)
{
	log_info(plog(), "starting all processes again in %.1f s; traps stay",
	    pa.backoff);
	ev_timer_stop(pa.loop, &pa.restart);
	ev_timer_set(&pa.restart, pa.backoff, 0.);
	ev_timer_start(pa.loop, &pa.restart);
	pa.backoff = pa.backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX : pa.backoff * 2;
}

void
kids_start(void)
{
	pa.phase = PH_CHILDREN;
	pa.live = 0;
	if (pa.conf == NULL && (pa.conf = parent_conf_next()) == NULL) {
		log_fault(plog(), WHY_FILE, "iked cannot start again before the file is "
		    "mended");
		restart_later();
		return;
	}
	if (kids_try() == -1) {
		log_error(plog(), WHY_PROCESS, "cannot start the processes");
		kids_kill();
		if (kids_left() == 0)
			restart_later();
	}
}

static void
on_restart(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	kids_start();
}

static void
on_stable(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	pa.backoff = BACKOFF_MIN;
}

void
kid_end(enum role role)
{
	struct msg m;

	msg_put_u8(&m, M_SHUTDOWN, pa.remove != 0);
	if (pa.kid[role].chan != NULL)
		(void)chan_put(pa.kid[role].chan, &m);
}

static void
kid_gone(struct kid *k, int status)
{
	size_t i;

	if (!pa.stopping) {
		if (WIFSIGNALED(status))
			log_fault(plog(), WHY_PROCESS, "%s ended: signal %d (%s)",
			    role_name(k->role), WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
		else
			log_fault(plog(), WHY_PROCESS, "%s ended with status %d",
			    role_name(k->role), WEXITSTATUS(status));
	} else if (k->role == ROLE_KERNEL && pa.remove)
		pa.status = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	k->pid = 0;
	k->ready = 0;
	if (pa.stopping) {
		if (k->role == ROLE_IKE)
			for (i = 0; i < NROLES; i++)
				if (roles[i] != ROLE_IKE)
					kid_end(roles[i]);
		return;
	}
	kids_kill();
}

static void
kids_bury(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++) {
		chan_free(pa.kid[roles[i]].chan);
		pa.kid[roles[i]].chan = NULL;
		pa.kid[roles[i]].ready = 0;	/* it may have been its last word */
	}
	pa.token = pa.again_token = 0;
	if (pa.stopping) {
		ev_break(pa.loop, EVBREAK_ALL);
		return;
	}
	if (!pa.was_up) {
		pa.status = 1;
		ev_break(pa.loop, EVBREAK_ALL);
		return;
	}
	parent_conf_drop();
	ev_timer_stop(pa.loop, &pa.stable);
	restart_later();
}

/* The last words of a child are still in its channel: they are read before it is freed.
 * Their end need not come: one that was taken over may have given its side away. */
void
kid_listen(const struct kid *k)
{
	int n;

	for (n = 0; n < LAST_TURNS && chan_isopen(k->chan); n++)
		ev_run(pa.loop, EVRUN_NOWAIT);
}

static void
on_chld(struct ev_loop *loop, ev_signal *w, int revents)
{
	static int burying;		/* kids_listen() brings us here again */
	int status, ours = 0;
	pid_t pid;
	size_t i;

	(void)loop;
	(void)w;
	(void)revents;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (parent_names_gone(pid, status))
			continue;
		ours = 1;
		for (i = 0; i < NROLES; i++)
			if (pa.kid[roles[i]].pid == pid)
				kid_gone(&pa.kid[roles[i]], status);
	}
	if (!ours || kids_left() > 0 || burying)
		return;
	burying = 1;
	for (i = 0; i < NROLES; i++)
		kid_listen(&pa.kid[roles[i]]);
	burying = 0;
	kids_bury();
}

void
kids_init(void)
{
	static ev_signal chld;

	pa.backoff = BACKOFF_MIN;
	ev_init(&pa.restart, on_restart);
	ev_init(&pa.stable, on_stable);
	ev_signal_init(&chld, on_chld, SIGCHLD);
	ev_signal_start(pa.loop, &chld);
}
