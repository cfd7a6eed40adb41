/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's root parent: opens what needs root, finds this machine's addresses,
 * connects to iked, writes syslog, keeps the probe process alive.  It never
 * sees a packet, and takes from the probe process log lines only.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/addrs.h"
#include "keepalive/backup.h"
#include "keepalive/nwmsg.h"
#include "keepalive/parent.h"
#include "keepalive/parent_icmp.h"
#include "proc/client.h"
#include "proc/msg.h"
#include "proc/plog.h"

#define MAXQUEUE	(64 * 1024 * 1024)	/* a configuration of 64k tunnels */
#define SCAN_S		2.0
#define CONNECT_S	1.0
#define CONNECT_MS	1500
#define BACKOFF_MIN_S	0.1
#define BACKOFF_MAX_S	5.0
#define SETTLED_S	30.0	/* lived that long: the back-off starts anew */
#define SHUTDOWN_MS	2000

struct parent {
	const struct nw_parent	*p;
	struct ev_loop		*loop;
	struct nw_conf		*conf;
	struct addr		*addrs;
	size_t			 naddrs;
	struct hooks		*hooks;
	struct chan		*chan;
	struct parent_icmp	 icmp;		/* what the child has */
	pid_t			 child;
	int			 ready;
	int			 deaf;		/* said so, and killed */
	int			 linked;
	int			 backup;
	int			 said_absent;
	double			 backoff;
	ev_tstamp		 born;
	ev_timer		 scan, connect, respawn;
	ev_child		 dead;
	ev_signal		 sighup, sigusr1, sigusr2, sigterm, sigint;
};

/* What it is not told it would never know: the next one begins with all of it. */
static void
put(struct parent *s, struct msg *m)
{
	if (chan_put(s->chan, m) == 0 || s->deaf)
		return;
	s->deaf = 1;
	log_warn(plog(), "the probe process does not listen");
	if (s->child > 0)
		(void)kill(s->child, SIGKILL);
}

static void
send_type(struct parent *s, uint16_t type)
{
	struct msg m;

	msg_start(&m, type);
	put(s, &m);
}

/* Ours stays open: another probe process takes up where this one ends. */
static void
send_control(struct parent *s)
{
	struct msg m;

	msg_start(&m, NW_CONTROL);
	if ((m.fd = fcntl(s->p->control, F_DUPFD_CLOEXEC, 0)) == -1)
		log_warn(plog(), "control socket");
	else
		put(s, &m);
}

static void
send_conf(struct parent *s)
{
	struct msg m;
	size_t i;

	send_type(s, NW_CONF_BEGIN);
	for (i = 0; i < s->conf->n; i++) {
		msg_start(&m, NW_CONF_TARGET);
		nwmsg_put_target(&m.w, &s->conf->targets[i]);
		put(s, &m);
	}
	send_type(s, NW_CONF_END);
}

static void
send_addrs(struct parent *s)
{
	struct msg m;
	size_t i, j, n;

	send_type(s, NW_ADDRS_BEGIN);
	for (i = 0; i < s->naddrs; i += n) {
		n = s->naddrs - i < NWMSG_ADDRS ? s->naddrs - i : NWMSG_ADDRS;
		msg_start(&m, NW_ADDRS);
		wbuf_u16(&m.w, (uint16_t)n);
		for (j = 0; j < n; j++)
			put_addr(&m.w, &s->addrs[i + j]);
		put(s, &m);
	}
	send_type(s, NW_ADDRS_END);
}

static void
set_hooks(struct parent *s)
{
	struct hook_conf *list;
	ssize_t n = nwconf_hooks(s->conf, &list);

	if (n == -1 || hooks_configure(s->hooks, list, (size_t)n) == -1)
		log_warn(plog(), "hooks");
	free(list);
}

static int
take_hook(struct parent *s, struct rbuf *r)
{
	struct hook_event ev;

	return (nwmsg_get_hook(r, &ev) == -1 ? -1 : hooks_event(s->hooks, &ev));
}

/* 1: they changed. */
static int
scan(struct parent *s)
{
	struct addr *list;
	size_t i, n;
	int same;

	if (addrs_scan(&list, &n) == -1) {
		log_warn(plog(), "cannot list this machine's addresses");
		return (0);
	}
	same = s->addrs != NULL && n == s->naddrs;
	for (i = 0; same && i < n; i++)
		same = addr_cmp(&list[i], &s->addrs[i]) == 0;
	if (same) {
		free(list);
		return (0);
	}
	free(s->addrs);
	s->addrs = list;
	s->naddrs = n;
	return (1);
}

static void
send_backup(struct parent *s)
{
	struct msg m;

	msg_start(&m, NW_BACKUP);
	wbuf_u8(&m.w, (uint8_t)s->backup);
	put(s, &m);
}

static void
send_verbose(struct parent *s)
{
	struct msg m;

	msg_start(&m, NW_VERBOSE);
	wbuf_u8(&m.w, plog_level() == LOGGER_DEBUG);
	put(s, &m);
}

static void
look_for_backup(struct parent *s)
{
	int backup = backup_get(s->p->backup);

	if (backup == s->backup)
		return;
	s->backup = backup;
	if (s->ready)
		send_backup(s);
}

static void
look_around(struct parent *s)
{
	/* Its addresses first: the master has some more. */
	if (scan(s) && s->ready)
		send_addrs(s);
	look_for_backup(s);
}

static void
scan_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	look_around(t->data);
}

/* A client's word.  What it asks for is what a file says, so that it outlives us both. */
static int
take_backup(struct parent *s, struct rbuf *r)
{
	uint8_t on = rbuf_u8(r);
	struct msg m;
	int error = 0;

	if (!rbuf_ok(r) || on > 1)
		return (-1);
	if (backup_set(s->p->backup, on) == -1) {
		error = errno;
		log_warn(plog(), "%s", s->p->backup);
	}
	look_around(s);
	msg_start(&m, NW_BACKUP_DONE);
	wbuf_u8(&m.w, on);
	wbuf_str(&m.w, error != 0 ? strerror(error) : "");
	put(s, &m);
	return (0);
}

/* So does a client that wants to know more, or less. */
static int
take_level(struct parent *s, struct rbuf *r)
{
	uint8_t level = rbuf_u8(r);

	if (!rbuf_ok(r) || level > LOGGER_DEBUG)
		return (-1);
	plog_setlevel((enum log_level)level);
	send_verbose(s);
	return (0);
}

/* A connection that may do nothing but what a keepalive agent needs, or -1. */
static int
connect_iked(struct parent *s)
{
	char err[CLIENT_ERRLEN];
	enum client_result r;
	enum client_why why;
	struct client *c;
	json_t *o;

	c = client_open(s->p->socket, 0, CONNECT_MS, &why, err);
	if (c == NULL) {
		if (!s->said_absent)
			log_info(plog(), "%s; watching without it", err);
		s->said_absent = 1;
		return (-1);
	}
	r = CLIENT_BROKEN;
	if (client_send(c, "role keepalive", CONNECT_MS) == 0)
		while ((r = client_next(c, CONNECT_MS, &o)) == CLIENT_OBJECT)
			json_decref(o);
	if (r != CLIENT_END) {
		if (!s->said_absent)
			log_warnx(plog(), "%s: %s; watching without it",
			    s->p->socket, client_error(c));
		s->said_absent = 1;
		client_close(c);
		return (-1);
	}
	log_info(plog(), "connected to iked %s", client_version(c));
	s->said_absent = 0;
	return (client_release(c));
}

static void
connect_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct parent *s = t->data;
	struct msg m;
	int fd;

	(void)revents;
	if (!s->ready || s->linked || (fd = connect_iked(s)) == -1)
		return;
	msg_start(&m, NW_LINK);
	m.fd = fd;
	put(s, &m);
	s->linked = 1;
	ev_timer_stop(loop, t);
}

static int
say_totals(struct rbuf *r)
{
	struct watch_totals t;
	uint64_t n = 0, ms = 0;

	if (nwmsg_get_totals(r, &t) == -1)
		return (-1);
	while (ms < WATCH_LATE_MS - 1 && (n += t.lateness[ms]) * 100 <
	    t.probes * 99)
		ms++;
	log_info(plog(), "%llu targets, %llu up; %llu probes, 99 %% of them at "
	    "most %llu ms late; %llu delayed, %llu refused by the kernel; %llu "
	    "replies, %llu lost, %llu late replies",
	    (unsigned long long)t.targets, (unsigned long long)t.up,
	    (unsigned long long)t.probes, (unsigned long long)ms + 1,
	    (unsigned long long)t.delayed, (unsigned long long)t.refused,
	    (unsigned long long)t.received, (unsigned long long)t.lost,
	    (unsigned long long)t.late);
	return (0);
}

static int
message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct parent *s = arg;
	char line[1024];
	uint8_t level;

	(void)c;
	if (fd != -1) {
		(void)close(fd);	/* the probe process gives us none */
		return (-1);
	}
	switch (type) {
	case NW_READY:
		if (s->ready)
			return (-1);
		s->ready = 1;
		memset(&s->icmp, 0, sizeof(s->icmp));
		parent_icmp(&s->icmp, s->conf, s->chan);
		send_verbose(s);
		send_control(s);
		send_backup(s);
		send_conf(s);
		/* iked before the addresses: with them the first probe goes out. */
		ev_timer_again(s->loop, &s->connect);
		connect_cb(s->loop, &s->connect, EV_TIMER);
		send_addrs(s);
		return (0);
	case NW_LOG:
		level = rbuf_u8(r);
		rbuf_str(r, line, sizeof(line));
		if (!rbuf_ok(r) || level > LOGGER_DEBUG)
			return (-1);
		plog_line(ROLE_PROBE, level, line);
		return (0);
	case NW_HOOK:
		return (take_hook(s, r));
	case NW_BACKUP_SET:
		return (take_backup(s, r));
	case NW_LEVEL:
		return (take_level(s, r));
	case NW_TOTALS:
		return (say_totals(r));
	case NW_LOST:
		s->linked = 0;
		ev_timer_again(s->loop, &s->connect);
		return (0);
	default:
		return (-1);
	}
}

static void
closed(void *arg, struct chan *c, const char *why)
{
	struct parent *s = arg;

	(void)c;
	if (why != NULL)
		log_warnx(plog(), "probe process: %s", why);
	/* Without its channel it ends by itself; if not, it is made to. */
	if (s->child > 0)
		(void)kill(s->child, SIGKILL);
}

static const struct chan_ops ops = { message, closed, NULL };

static void
exec_probe(const struct nw_parent *p, int fd)
{
	char name[] = "netwatchd", role[] = "-P", probe[] = "probe";
	char verbose[] = "-v", opt1[] = "-o", opt2[] = "-o", nosb[] =
	    "sandbox=off";
	char dir[1024], *argv[10], *envp[] = { NULL };
	sigset_t none;
	int n = 0;

	(void)snprintf(dir, sizeof(dir), "chroot=%s", p->opts.chroot);
	argv[n++] = name;
	argv[n++] = role;
	argv[n++] = probe;
	argv[n++] = opt1;
	argv[n++] = dir;
	if (!p->opts.sandbox) {
		argv[n++] = opt2;
		argv[n++] = nosb;
	}
	if (p->opts.verbose)
		argv[n++] = verbose;
	argv[n] = NULL;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd == PROBE_CHANFD ? fcntl(fd, F_SETFD, 0) == -1 :
	    dup2(fd, PROBE_CHANFD) == -1)
		_exit(1);
	(void)fexecve(p->exe, argv, envp);
	_exit(127);
}

static void	spawn(struct parent *);

static void
spawn_later(struct parent *s)
{
	ev_timer_stop(s->loop, &s->respawn);
	ev_timer_set(&s->respawn, s->backoff, 0);
	ev_timer_start(s->loop, &s->respawn);
	s->backoff = s->backoff * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S :
	    s->backoff * 2;
}

static void
dead_cb(struct ev_loop *loop, ev_child *w, int revents)
{
	struct parent *s = w->data;
	int st = w->rstatus;

	(void)revents;
	ev_child_stop(loop, w);
	if (WIFSIGNALED(st))
		log_warnx(plog(), "the probe process died of signal %d%s; "
		    "starting another", WTERMSIG(st), WTERMSIG(st) == SIGSYS ?
		    " (its sandbox)" : "");
	else
		log_warnx(plog(), "the probe process ended with status %d; "
		    "starting another", WEXITSTATUS(st));
	if (loop != NULL && ev_now(loop) - s->born > SETTLED_S)
		s->backoff = BACKOFF_MIN_S;
	s->child = 0;
	s->ready = s->linked = s->deaf = 0;
	ev_timer_stop(loop, &s->connect);
	chan_free(s->chan);
	s->chan = NULL;
	spawn_later(s);
}

static void
spawn(struct parent *s)
{
	int sv[2];

	if (chan_pair(sv) == -1) {
		log_warn(plog(), "channel");
		spawn_later(s);
		return;
	}
	switch (s->child = fork()) {
	case -1:
		log_warn(plog(), "fork");
		(void)close(sv[0]);
		(void)close(sv[1]);
		s->child = 0;
		spawn_later(s);
		return;
	case 0:
		exec_probe(s->p, sv[1]);
		_exit(127);
	}
	(void)close(sv[1]);
	s->born = ev_now(s->loop);
	if ((s->chan = chan_new(s->loop, sv[0], MAXQUEUE, &ops, s)) == NULL)
		log_warn(plog(), "channel");	/* it sees EOF and ends */
	ev_child_init(&s->dead, dead_cb, s->child, 0);
	s->dead.data = s;
	ev_child_start(s->loop, &s->dead);
}

static void
respawn_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	spawn(t->data);
}

static void
hup_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct parent *s = w->data;
	struct nw_conf *conf;

	(void)loop;
	(void)revents;
	if ((conf = nwconf_load(s->p->conf)) == NULL) {
		log_warnx(plog(), "%s is refused: nothing has changed",
		    s->p->conf);
		return;
	}
	nwconf_free(s->conf);
	s->conf = conf;
	set_hooks(s);
	log_info(plog(), "configuration reloaded: watching %zu tunnel%s",
	    conf->n, conf->n == 1 ? "" : "s");
	if (s->ready) {
		parent_icmp(&s->icmp, conf, s->chan);
		send_conf(s);
	}
}

static void
usr1_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct parent *s = w->data;

	(void)loop;
	(void)revents;
	if (s->ready)
		send_type(s, NW_TOTALS);
}

static void
usr2_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	look_around(w->data);
}

static void
term_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
watch_signal(struct parent *s, ev_signal *w, int sig,
    void (*cb)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(w, cb, sig);
	w->data = s;
	ev_signal_start(s->loop, w);
}

/* Closing the channel tells the child to end. */
static void
end_child(struct parent *s)
{
	const struct timespec ms10 = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	ev_child_stop(s->loop, &s->dead);
	chan_free(s->chan);
	s->chan = NULL;
	if (s->child <= 0)
		return;
	for (i = 0; i < SHUTDOWN_MS / 10; i++) {
		if (waitpid(s->child, NULL, WNOHANG) != 0)
			return;
		(void)nanosleep(&ms10, NULL);
	}
	(void)kill(s->child, SIGKILL);
	(void)waitpid(s->child, NULL, 0);
}

static void
init_timer(struct parent *s, ev_timer *t, double at, double every,
    void (*cb)(struct ev_loop *, ev_timer *, int))
{
	ev_timer_init(t, cb, at, every);
	t->data = s;
}

int
parent_main(const struct nw_parent *p, struct nw_conf *conf)
{
	struct parent parent, *s = &parent;

	memset(s, 0, sizeof(*s));
	s->p = p;
	s->conf = conf;
	s->backoff = BACKOFF_MIN_S;
	/* The default loop: only that one reaps children. */
	if ((s->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV)) == NULL)
		fatalx("no event loop");
	if ((s->hooks = hooks_new(s->loop, plog(), HOOK_TERM_S)) == NULL)
		fatal("hooks");
	set_hooks(s);
	init_timer(s, &s->scan, SCAN_S, SCAN_S, scan_cb);
	init_timer(s, &s->connect, CONNECT_S, CONNECT_S, connect_cb);
	init_timer(s, &s->respawn, 0, 0, respawn_cb);
	watch_signal(s, &s->sighup, SIGHUP, hup_cb);
	watch_signal(s, &s->sigusr1, SIGUSR1, usr1_cb);
	watch_signal(s, &s->sigusr2, SIGUSR2, usr2_cb);
	watch_signal(s, &s->sigterm, SIGTERM, term_cb);
	watch_signal(s, &s->sigint, SIGINT, term_cb);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)scan(s);
	look_for_backup(s);
	ev_timer_start(s->loop, &s->scan);
	log_info(plog(), "watching %zu tunnel%s", conf->n, conf->n == 1 ? "" :
	    "s");
	spawn(s);
	(void)ev_run(s->loop, 0);
	log_info(plog(), "ending");
	end_child(s);
	hooks_free(s->hooks);
	free(s->addrs);
	nwconf_free(s->conf);
	return (0);
}
