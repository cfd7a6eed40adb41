/* SPDX-License-Identifier: ISC */
/*
 * The parent: root, and as small as it can be.  It reads the configuration, opens what
 * needs root, starts its children in order, writes the log for them, and starts them
 * anew when one of them ends.  It parses nothing that comes from the network, and
 * believes nothing that a child says.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <ev.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/channel.h"
#include "proc/parent.h"
#include "proc/plog.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"
#include "proc/version.h"

#define KID_QUEUE	(8U << 20)
#define BACKOFF_MIN	0.1		/* seconds */
#define BACKOFF_MAX	5.
#define STABLE		60.		/* running that long forgets the back-off */
#define END_WAIT	2.		/* for children that are told to end */
#define END_WAIT_SWEEP	10.		/* ... and to take policies away */
#define LOG_LINE	1100

enum phase { PH_CHILDREN, PH_KEYS, PH_KERNEL, PH_IKE, PH_IDLE };

struct kid {
	enum role	 role;
	pid_t		 pid;		/* 0: none */
	struct chan	*chan;
	int		 ready;
	struct confout	 out;
	struct privuser	 user;
};

static struct {
	const struct parent_opts *o;
	struct ev_loop		*loop;
	struct parent_socks	 sock;
	struct kid		 kid[ROLE_MAX];
	int			 self;		/* this program */
	struct conf		*conf;		/* while it is handed out */
	uint32_t		 gen;		/* last one given out */
	uint32_t		 live;		/* the one that ike works with */
	enum phase		 phase;
	uint64_t		 token;		/* of the client that asked to reload */
	int			 again;		/* SIGHUP while busy */
	int			 was_up;	/* once, since the start */
	int			 stopping, remove, sweep, status;
	int			 notify;	/* the waiting foreground process */
	double			 backoff;
	ev_timer		 restart, stable, deadline;
} p;

static const enum role roles[] = {
	ROLE_KEYS, ROLE_KERNEL, ROLE_IKE, ROLE_CONTROL
};
#define NROLES	(sizeof(roles) / sizeof(roles[0]))

static void	kids_start(void);
static void	phase_next(void);
static void	reload(uint64_t token);

/* pid 0 would be our whole group. */
static void
kid_kill(const struct kid *k)
{
	if (k->pid > 0)
		(void)kill(k->pid, SIGKILL);
}

/* Configuration out to the children, one message after the other as they take them. */

static void
feed(struct kid *k)
{
	struct msg m;

	while (k->chan != NULL && chan_isopen(k->chan) &&
	    chan_waiting(k->chan) < CHAN_LOW * 4 &&
	    confout_next(&k->out, &m) == 1)
		if (chan_put(k->chan, &m) == -1) {
			log_warn(plog(), "%s does not take its configuration",
			    role_name(k->role));
			kid_kill(k);
			return;
		}
}

static void
give_conf(enum role role)
{
	struct kid *k = &p.kid[role];

	memset(&k->out, 0, sizeof(k->out));
	k->out.conf = p.conf;
	k->out.flags = role == ROLE_KEYS ? CONF_WITH_SECRETS : 0;
	k->out.keep = p.live;
	feed(k);
}

/* Nothing of it stays here: the secrets live in keys alone. */
static void
drop_conf(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		memset(&p.kid[roles[i]].out, 0, sizeof(p.kid[0].out));
	conf_free(p.conf);
	p.conf = NULL;
}

static void
reload_answer(int ok, const char *text)
{
	struct outcome o;
	struct msg m;

	if (p.token == 0)
		return;
	memset(&o, 0, sizeof(o));
	o.token = p.token;
	o.ok = ok != 0;
	(void)strlcpy(o.text, text, sizeof(o.text));
	msg_put_outcome(&m, M_RELOAD_DONE, &o);
	(void)chan_put(p.kid[ROLE_IKE].chan, &m);
	p.token = 0;
}

/* The foreground process may go: the traps stand. */
static void
notify_ready(void)
{
	int fd;

	if (p.notify == -1)
		return;
	if (write(p.notify, "1", 1) != 1)
		log_debug(plog(), "nobody waits in front any more");
	close(p.notify);
	p.notify = -1;
	plog_init("iked", PLOG_SYSLOG, plog()->verbose);
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1) {
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		if (fd > 2)
			close(fd);
	}
}

/* A SIGHUP that came while a change was under way. */
static void
reload_again(void)
{
	if (p.again) {
		p.again = 0;
		reload(0);
	}
}

static void
conf_stands(uint32_t failed)
{
	log_info(plog(), "%s: %u tunnels with %u peers%s",
	    p.was_up ? "configuration in use" : "iked " IKEEP_VERSION " ready",
	    p.conf->ntunnels, p.conf->npeers,
	    failed ? "; some of their traps could not be placed" : "");
	p.live = p.conf->gen;
	p.was_up = 1;
	drop_conf();
	p.phase = PH_IDLE;
	reload_answer(1, "");
	ev_timer_stop(p.loop, &p.stable);
	ev_timer_set(&p.stable, STABLE, 0.);
	ev_timer_start(p.loop, &p.stable);
	notify_ready();
	reload_again();
}

static void
give_sockets(void)
{
	struct fdinfo f;
	struct msg m;
	int i, fd;

	for (i = 0; i < 4; i++) {
		if (p.sock.udp[i] == -1)
			continue;
		f.kind = FD_UDP;
		f.which = i < 2 ? ADDR_V4 : ADDR_V6;
		f.natt = (uint8_t)(i % 2);
		if ((fd = fcntl(p.sock.udp[i], F_DUPFD_CLOEXEC, 0)) == -1)
			continue;
		msg_put_fd(&m, &f, fd);
		(void)chan_put(p.kid[ROLE_IKE].chan, &m);
	}
}

/* keys, then kernel, then ike: whoever is asked already knows what it is about. */
static void
phase_next(void)
{
	p.phase = (enum phase)(p.phase + 1);
	switch (p.phase) {
	case PH_KEYS:
		give_conf(ROLE_KEYS);
		break;
	case PH_KERNEL:
		give_conf(ROLE_KERNEL);
		break;
	case PH_IKE:
		if (p.live == 0)
			give_sockets();
		give_conf(ROLE_IKE);
		break;
	default:
		break;
	}
}

static struct conf *
read_conf(void)
{
	struct conf_errors *errs;
	struct reload_error e;
	struct conf *c;
	struct msg m;
	size_t i, max;

	if ((errs = calloc(1, sizeof(*errs))) == NULL)
		return (NULL);
	c = parent_conf_read(p.o, 0, errs);
	parent_conf_complain(errs, plog());
	max = sizeof(errs->e) / sizeof(errs->e[0]);
	for (i = 0; i < errs->n && i < max && p.token != 0; i++) {
		memset(&e, 0, sizeof(e));
		e.token = p.token;
		e.warn = errs->warn[i] != 0;
		e.line = errs->e[i].line;
		e.col = errs->e[i].col;
		(void)strlcpy(e.file, errs->e[i].file, sizeof(e.file));
		(void)strlcpy(e.text, errs->e[i].text, sizeof(e.text));
		msg_put_reload_error(&m, &e);
		(void)chan_put(p.kid[ROLE_IKE].chan, &m);
	}
	free(errs);
	if (c != NULL)
		c->gen = ++p.gen;
	return (c);
}

static void
reload(uint64_t token)
{
	uint64_t before = p.token;

	if (p.phase != PH_IDLE || p.stopping) {
		p.token = token;
		reload_answer(0, "a change is under way; try again");
		p.token = before;
		p.again |= token == 0;
		return;
	}
	p.token = token;
	if ((p.conf = read_conf()) == NULL) {
		log_warnx(plog(), "the configuration in use stays");
		reload_answer(0, "the file has errors; the configuration in use "
		    "stays");
		return;
	}
	p.phase = PH_CHILDREN;
	phase_next();
}

/* What the children say. */

/*
 * A child does not take the configuration.  Where it is the first one, or where kernel
 * has it already and ike has not, that is not a state to be in: all start anew.
 */
static void
refused(struct kid *k)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "the %s process refuses it: the log "
	    "says why", role_name(k->role));
	log_warnx(plog(), "%s refuses the configuration", role_name(k->role));
	drop_conf();
	p.phase = PH_IDLE;
	reload_answer(0, text);
	if (p.live == 0 || k->role == ROLE_IKE)
		kid_kill(k);
	else
		reload_again();
}

static int
said_done(struct kid *k, struct rbuf *r)
{
	static const enum role who[] = { [PH_KEYS] = ROLE_KEYS,
	    [PH_KERNEL] = ROLE_KERNEL, [PH_IKE] = ROLE_IKE };
	static uint32_t failed;
	struct confdone d;

	if (msg_get_confdone(r, &d) == -1 || p.conf == NULL ||
	    p.phase < PH_KEYS || p.phase > PH_IKE || who[p.phase] != k->role ||
	    d.gen != p.conf->gen)
		return (-1);
	if (!d.ok) {
		refused(k);
		return (0);
	}
	if (k->role == ROLE_KERNEL)
		failed = d.failed;
	if (k->role == ROLE_KERNEL && p.sweep) {
		p.status = failed != 0;
		(void)kill(getpid(), SIGTERM);
	} else if (k->role == ROLE_IKE)
		conf_stands(failed);
	else
		phase_next();
	return (0);
}

static int
said_log(struct kid *k, struct rbuf *r)
{
	char line[LOG_LINE];
	enum log_level level;

	if (msg_get_log(r, &level, line, sizeof(line)) == -1)
		return (-1);
	if (level != LOGGER_DEBUG || plog()->verbose)
		plog_line(k->role, level, line);
	return (0);
}

static int
said_ready(struct kid *k, struct rbuf *r)
{
	size_t i;

	if (k->ready || get_end(r) == -1)
		return (-1);
	k->ready = 1;
	for (i = 0; i < NROLES; i++)
		if (!p.kid[roles[i]].ready)
			return (0);
	if (!p.stopping)
		phase_next();
	return (0);
}

static int
said_verbose(struct rbuf *r)
{
	struct msg m;
	uint8_t v;
	size_t i;

	if (msg_get_u8(r, &v, 1) == -1)
		return (-1);
	plog_verbose(v);
	for (i = 0; i < NROLES; i++) {
		msg_put_u8(&m, M_VERBOSE, v);
		(void)chan_put(p.kid[roles[i]].chan, &m);
	}
	return (0);
}

static int
kid_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct kid *k = arg;
	uint64_t token;

	(void)c;
	if (fd != -1) {
		close(fd);
		return (-1);
	}
	switch (type) {
	case M_LOG:
		return (said_log(k, r));
	case M_READY:
		return (said_ready(k, r));
	case M_CONF_DONE:
		return (said_done(k, r));
	case M_RELOAD:
		if (k->role != ROLE_IKE || msg_get_token(r, &token) == -1 ||
		    token == 0)
			return (-1);
		reload(token);
		return (0);
	case M_SETVERBOSE:
		return (k->role == ROLE_IKE ? said_verbose(r) : -1);
	default:
		return (-1);
	}
}

/* An end of file comes with the child's end; anything else is made one. */
static void
kid_closed(void *arg, struct chan *c, const char *why)
{
	struct kid *k = arg;

	(void)c;
	if (why == NULL || k->pid == 0)
		return;
	log_warnx(plog(), "%s: %s: killed", role_name(k->role), why);
	kid_kill(k);
}

static void
kid_drained(void *arg, struct chan *c)
{
	(void)c;
	feed(arg);
}

static const struct chan_ops kid_ops = { kid_message, kid_closed, kid_drained };

/* Start. */

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

static int
kid_start(struct kid *k)
{
	struct setup s;
	struct msg m;
	int fd;

	if ((k->pid = parent_spawn(k->role, p.self, p.o->front, &fd)) == -1) {
		k->pid = 0;
		return (-1);
	}
	if ((k->chan = chan_new(p.loop, fd, KID_QUEUE, &kid_ops, k)) == NULL)
		return (-1);
	memset(&s, 0, sizeof(s));
	s.role = k->role;
	s.verbose = plog()->verbose != 0;
	s.sandbox = p.o->sandbox != 0;
	s.uid = k->user.uid;
	s.gid = k->user.gid;
	s.backend = p.o->backend;
	s.sweep = p.sweep != 0;
	s.port = p.o->port;
	s.natt_port = p.o->natt_port;
	(void)strlcpy(s.chroot, p.o->chroot, sizeof(s.chroot));
	msg_put_setup(&m, &s);
	return (chan_put(k->chan, &m));
}

static int
kids_link(enum role a, enum role b)
{
	int sv[2];

	if (chan_pair(sv) == -1)
		return (-1);
	if (kid_give(&p.kid[a], FD_LINK, (uint8_t)b, sv[0]) == -1) {
		close(sv[1]);
		return (-1);
	}
	return (kid_give(&p.kid[b], FD_LINK, (uint8_t)a, sv[1]));
}

static int
kids_try(void)
{
	struct msg m;
	size_t i;
	int fd;

	for (i = 0; i < NROLES; i++)
		if (kid_start(&p.kid[roles[i]]) == -1)
			return (-1);
	if (kids_link(ROLE_IKE, ROLE_KEYS) == -1 ||
	    kids_link(ROLE_IKE, ROLE_KERNEL) == -1 ||
	    kids_link(ROLE_IKE, ROLE_CONTROL) == -1 ||
	    kids_link(ROLE_CONTROL, ROLE_KERNEL) == -1)
		return (-1);
	if ((fd = fcntl(p.sock.state, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    kid_give(&p.kid[ROLE_KERNEL], FD_STATE, 0, fd) == -1)
		return (-1);
	for (i = 0; i < 2; i++) {
		if (p.sock.listen[i] == -1)
			continue;
		if ((fd = fcntl(p.sock.listen[i], F_DUPFD_CLOEXEC, 0)) == -1 ||
		    kid_give(&p.kid[ROLE_CONTROL], FD_LISTEN, (uint8_t)i,
		    fd) == -1)
			return (-1);
	}
	for (i = 0; i < NROLES; i++) {
		msg_start(&m, M_GO);
		if (chan_put(p.kid[roles[i]].chan, &m) == -1)
			return (-1);
	}
	return (0);
}

static void
kids_kill(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		kid_kill(&p.kid[roles[i]]);
}

static int
kids_left(void)
{
	size_t i;
	int n = 0;

	for (i = 0; i < NROLES; i++)
		n += p.kid[roles[i]].pid != 0;
	return (n);
}

static void
restart_later(void)
{
	log_info(plog(), "starting all processes again in %.1f s; traps stay",
	    p.backoff);
	ev_timer_stop(p.loop, &p.restart);
	ev_timer_set(&p.restart, p.backoff, 0.);
	ev_timer_start(p.loop, &p.restart);
	p.backoff = p.backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX : p.backoff * 2;
}

static void
kids_start(void)
{
	p.phase = PH_CHILDREN;
	p.live = 0;
	if (p.conf == NULL && (p.conf = read_conf()) == NULL) {
		log_warnx(plog(), "iked cannot start again before the file is "
		    "mended");
		restart_later();
		return;
	}
	if (kids_try() == -1) {
		log_warn(plog(), "cannot start the processes");
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
	p.backoff = BACKOFF_MIN;
}

/* End. */

static void
tell_end(enum role role)
{
	struct msg m;

	msg_put_u8(&m, M_SHUTDOWN, p.remove != 0);
	if (p.kid[role].chan != NULL)
		(void)chan_put(p.kid[role].chan, &m);
}

/* ike first: its goodbyes are work for the others. */
static void
stop(int remove_policies)
{
	if (p.stopping)
		return;
	p.stopping = 1;
	p.remove = remove_policies;
	if (!p.sweep)
		log_info(plog(), remove_policies ?
		    "stopping; policies are taken away" :
		    "stopping; traps stay");
	ev_timer_stop(p.loop, &p.restart);
	if (kids_left() == 0) {
		if (remove_policies)
			log_warnx(plog(), "no process lives that could take them "
			    "away: iked -x has to");
		p.status = remove_policies;
		ev_break(p.loop, EVBREAK_ALL);
		return;
	}
	tell_end(ROLE_IKE);
	ev_timer_set(&p.deadline, remove_policies ? END_WAIT_SWEEP : END_WAIT,
	    0.);
	ev_timer_start(p.loop, &p.deadline);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	log_warnx(plog(), "a process does not end: killed");
	kids_kill();
}

static void
kid_gone(struct kid *k, int status)
{
	size_t i;

	if (!p.stopping) {
		if (WIFSIGNALED(status))
			log_warnx(plog(), "%s ended: signal %d (%s)",
			    role_name(k->role), WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
		else
			log_warnx(plog(), "%s ended with status %d",
			    role_name(k->role), WEXITSTATUS(status));
	} else if (k->role == ROLE_KERNEL && p.remove)
		p.status = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	k->pid = 0;
	k->ready = 0;
	if (p.stopping) {
		if (k->role == ROLE_IKE)
			for (i = 0; i < NROLES; i++)
				if (roles[i] != ROLE_IKE)
					tell_end(roles[i]);
		return;
	}
	kids_kill();
}

static void
kids_bury(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++) {
		chan_free(p.kid[roles[i]].chan);
		p.kid[roles[i]].chan = NULL;
	}
	p.token = 0;
	if (p.stopping) {
		ev_break(p.loop, EVBREAK_ALL);
		return;
	}
	if (!p.was_up) {
		p.status = 1;
		ev_break(p.loop, EVBREAK_ALL);
		return;
	}
	drop_conf();
	ev_timer_stop(p.loop, &p.stable);
	restart_later();
}

/* The last words of a child are still in its channel: they are read before it is freed. */
static void
kids_listen(struct ev_loop *loop)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		while (chan_isopen(p.kid[roles[i]].chan))
			ev_run(loop, EVRUN_NOWAIT);
}

static void
on_chld(struct ev_loop *loop, ev_signal *w, int revents)
{
	static int burying;		/* kids_listen() brings us here again */
	int status;
	pid_t pid;
	size_t i;

	(void)w;
	(void)revents;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < NROLES; i++)
			if (p.kid[roles[i]].pid == pid)
				kid_gone(&p.kid[roles[i]], status);
	if (kids_left() > 0 || burying)
		return;
	burying = 1;
	kids_listen(loop);
	burying = 0;
	kids_bury();
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	switch (w->signum) {
	case SIGHUP:
		log_info(plog(), "reload asked for by signal");
		reload(0);
		break;
	case SIGUSR2:
		stop(1);
		break;
	default:
		stop(0);
	}
}

static void
watch_signals(void)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR2 };
	static ev_signal w[sizeof(sigs) / sizeof(sigs[0])], chld;
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		ev_signal_init(&w[i], on_signal, sigs[i]);
		ev_signal_start(p.loop, &w[i]);
	}
	ev_signal_init(&chld, on_chld, SIGCHLD);
	ev_signal_start(p.loop, &chld);
}

/* Into the background; the foreground process waits until the traps stand. */
static void
daemonise(void)
{
	int fds[2];
	char c;

	p.notify = -1;
	if (p.o->front)
		return;
	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("pipe");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		close(fds[0]);
		p.notify = fds[1];
		(void)setsid();
		plog_init("iked", PLOG_BOTH, plog()->verbose);
		return;
	default:
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? 0 : 1);
	}
}

static int
prepare(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++) {
		p.kid[roles[i]].role = roles[i];
		if (privdrop_user(roles[i], &p.kid[roles[i]].user,
		    plog()) == -1)
			return (-1);
	}
	if (privdrop_emptydir(p.o->chroot, plog()) == -1)
		return (-1);
	if ((p.self = sandbox_self()) == -1) {
		log_warn(plog(), "cannot find this program's file");
		return (-1);
	}
	memset(&p.sock, 0xff, sizeof(p.sock));	/* no descriptors: -1 */
	if (parent_pidfile(p.o, &p.sock) == -1 ||
	    parent_statefile(p.o, &p.sock) == -1)
		return (-1);
	if (p.sweep)
		return (0);
	if (parent_udp(p.o, &p.sock) == -1 ||
	    parent_listen(p.o, &p.sock, p.kid[ROLE_CONTROL].user.gid) == -1)
		return (-1);
	return (0);
}

int
parent_run(const struct parent_opts *o, struct conf *c, int sweep)
{
	p.o = o;
	p.conf = c;
	p.conf->gen = ++p.gen;
	p.sweep = sweep;
	p.backoff = BACKOFF_MIN;
	if (chdir("/") == -1)
		fatal("/");
	(void)umask(022);
	daemonise();
	if (prepare() == -1)
		return (1);
	p.loop = ev_loop_new(EVFLAG_NOENV | (ev_recommended_backends() &
	    (EVBACKEND_EPOLL | EVBACKEND_KQUEUE | EVBACKEND_POLL)));
	if (p.loop == NULL)
		fatalx("cannot make an event loop");
	watch_signals();
	ev_init(&p.restart, on_restart);
	ev_init(&p.stable, on_stable);
	ev_init(&p.deadline, on_deadline);
	kids_start();
	ev_run(p.loop, 0);
	drop_conf();
	parent_unlink(o);
	return (p.status);
}
