/* SPDX-License-Identifier: ISC */
/*
 * The parent: root, and as small as it can be.  It reads the configuration, opens what
 * needs root, starts its children in order, writes the log for them, and starts them
 * anew when one of them ends.  It parses nothing that comes from the network, and
 * believes nothing that a child says.
 */

#include <sys/types.h>

#include <ev.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/parent_kids.h"
#include "proc/plog.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"
#include "proc/version.h"

#define END_WAIT	2.		/* for children that are told to end */
#define END_WAIT_SWEEP	10.		/* ... and to take policies away */
#define LOG_LINE	1100

struct parent pa;

/* Configuration out to the children, one message after the other as they take them. */

static void
feed(struct kid *k)
{
	struct msg m;

	while (k->chan != NULL && chan_isopen(k->chan) &&
	    chan_waiting(k->chan) < CHAN_LOW * 4 &&
	    confout_next(&k->out, &m) == 1)
		if (chan_put(k->chan, &m) == -1) {
			log_error(plog(), WHY_PROCESS, "%s does not take its configuration",
			    role_name(k->role));
			kid_kill(k);
			return;
		}
}

void
parent_give_conf(enum role role)
{
	struct kid *k = &pa.kid[role];

	memset(&k->out, 0, sizeof(k->out));
	k->out.conf = pa.conf;
	k->out.flags = role == ROLE_KEYS ? CONF_WITH_SECRETS : 0;
	k->out.keep = pa.live;
	k->out.again = pa.conf == pa.last ? pa.live : 0;
	feed(k);
}

/* Nothing of it stays here: the secrets live in keys alone. */
void
parent_conf_drop(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		memset(&pa.kid[roles[i]].out, 0, sizeof(pa.kid[0].out));
	if (pa.conf != pa.last)
		conf_free(pa.conf);
	pa.conf = NULL;
}

/* The foreground process may go: the traps stand. */
static void
notify_ready(void)
{
	int fd;

	if (pa.notify == -1)
		return;
	if (write(pa.notify, "1", 1) != 1)
		log_debug(plog(), "nobody waits in front any more");
	close(pa.notify);
	pa.notify = -1;
	plog_init("iked", PLOG_SYSLOG, plog_level() == LOGGER_DEBUG);
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1) {
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		if (fd > 2)
			close(fd);
	}
}

static void
conf_stands(uint32_t failed)
{
	int places = pa.conf == pa.last;

	if (!places)
		log_info(plog(), "%s: %u tunnel%s with %u peer%s%s",
		    pa.was_up ? "configuration in use" : "iked " IKEEP_VERSION " ready",
		    pa.conf->ntunnels, pa.conf->ntunnels == 1 ? "" : "s",
		    pa.conf->npeers, pa.conf->npeers == 1 ? "" : "s",
		    failed ? "; some of their traps could not be placed" : "");
	pa.live = pa.conf->gen;
	pa.was_up = 1;
	if (!places)
		conf_free(pa.last);
	pa.last = pa.conf;
	pa.conf = NULL;
	parent_conf_drop();
	conf_keep_marks(pa.last);
	pa.phase = PH_IDLE;
	if (!places)
		parent_names_list();
	parent_reload_answer(1, "");
	ev_timer_stop(pa.loop, &pa.stable);
	ev_timer_set(&pa.stable, STABLE, 0.);
	ev_timer_start(pa.loop, &pa.stable);
	if (!places)
		parent_daily();
	notify_ready();
	parent_reload_again();
}

static void
give_sockets(void)
{
	struct fdinfo f;
	struct msg m;
	int i, fd;

	for (i = 0; i < 4; i++) {
		if (pa.sock.udp[i] == -1)
			continue;
		f.kind = FD_UDP;
		f.which = i < 2 ? ADDR_V4 : ADDR_V6;
		f.natt = (uint8_t)(i % 2);
		if ((fd = fcntl(pa.sock.udp[i], F_DUPFD_CLOEXEC, 0)) == -1)
			continue;
		msg_put_fd(&m, &f, fd);
		(void)chan_put(pa.kid[ROLE_IKE].chan, &m);
	}
}

/* keys, then kernel, then ike: whoever is asked already knows what it is about. */
void
parent_phase_next(void)
{
	pa.phase = (enum phase)(pa.phase + 1);
	switch (pa.phase) {
	case PH_KEYS:
		parent_give_conf(ROLE_KEYS);
		break;
	case PH_KERNEL:
		parent_give_conf(ROLE_KERNEL);
		break;
	case PH_IKE:
		if (pa.live == 0)
			give_sockets();
		parent_give_conf(ROLE_IKE);
		break;
	default:
		break;
	}
}

/* What the children say. */

static int
said_done(struct kid *k, struct rbuf *r)
{
	static const enum role who[] = { [PH_KEYS] = ROLE_KEYS,
	    [PH_KERNEL] = ROLE_KERNEL, [PH_IKE] = ROLE_IKE, [PH_PLAN] = ROLE_IKE };
	static uint32_t failed;
	struct confdone d;

	if (msg_get_confdone(r, &d) == -1 || pa.conf == NULL ||
	    pa.phase < PH_KEYS || pa.phase > PH_PLAN || who[pa.phase] != k->role ||
	    d.gen != pa.conf->gen)
		return (-1);
	if (pa.phase == PH_PLAN) {
		parent_planned(d.ok);
		return (0);
	}
	if (!d.ok) {
		parent_refused(k);
		return (0);
	}
	if (k->role == ROLE_KERNEL)
		failed = d.failed;
	if (k->role == ROLE_KERNEL && pa.sweep) {
		pa.status = failed != 0;
		(void)kill(getpid(), SIGTERM);
	} else if (k->role == ROLE_IKE)
		conf_stands(failed);
	else
		parent_phase_next();
	return (0);
}

static int
said_log(struct kid *k, struct rbuf *r)
{
	char line[LOG_LINE];
	enum log_level level;

	if (msg_get_log(r, &level, line, sizeof(line)) == -1)
		return (-1);
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
		if (!pa.kid[roles[i]].ready)
			return (0);
	if (!pa.stopping)
		parent_phase_next();
	return (0);
}

static int
said_verbose(struct rbuf *r)
{
	struct msg m;
	uint8_t v;
	size_t i;

	if (msg_get_u8(r, &v, LOGGER_DEBUG) == -1)
		return (-1);
	plog_setlevel((enum log_level)v);
	for (i = 0; i < NROLES; i++) {
		msg_put_u8(&m, M_VERBOSE, v);
		(void)chan_put(pa.kid[roles[i]].chan, &m);
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
	case M_PLAN:
		if (k->role != ROLE_IKE || msg_get_token(r, &token) == -1 ||
		    token == 0)
			return (-1);
		parent_reload(token, type == M_PLAN);
		return (0);
	case M_NO_ANSWER:
		return (k->role == ROLE_IKE ? parent_names_mute(r) : -1);
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
	log_fault(plog(), WHY_PROCESS, "%s: %s: killed", role_name(k->role), why);
	kid_kill(k);
}

static void
kid_drained(void *arg, struct chan *c)
{
	(void)c;
	feed(arg);
}

const struct chan_ops parent_kid_ops = { kid_message, kid_closed, kid_drained };

/* End. */

/* ike first: its goodbyes are work for the others. */
static void
stop(int remove_policies)
{
	if (pa.stopping)
		return;
	pa.stopping = 1;
	pa.remove = remove_policies;
	if (!pa.sweep)
		log_info(plog(), remove_policies ?
		    "stopping; policies are taken away" :
		    "stopping; traps stay");
	ev_timer_stop(pa.loop, &pa.restart);
	parent_names_stop();
	if (kids_left() == 0) {
		if (remove_policies)
			log_fault(plog(), WHY_FLUSHED, "no process lives that could take them "
			    "away: iked -x has to");
		pa.status = remove_policies;
		ev_break(pa.loop, EVBREAK_ALL);
		return;
	}
	kid_end(ROLE_IKE);
	ev_timer_set(&pa.deadline, remove_policies ? END_WAIT_SWEEP : END_WAIT,
	    0.);
	ev_timer_start(pa.loop, &pa.deadline);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	log_fault(plog(), WHY_PROCESS, "a process does not end: killed");
	kids_kill();
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	switch (w->signum) {
	case SIGHUP:
		log_info(plog(), "reload asked for by signal");
		parent_reload(0, 0);
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
	static ev_signal w[sizeof(sigs) / sizeof(sigs[0])];
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		ev_signal_init(&w[i], on_signal, sigs[i]);
		ev_signal_start(pa.loop, &w[i]);
	}
}

/* Into the background; the foreground process waits until the traps stand. */
static void
daemonise(void)
{
	int fds[2];
	char c;

	pa.notify = -1;
	if (pa.o->front)
		return;
	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("pipe");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		close(fds[0]);
		pa.notify = fds[1];
		(void)setsid();
		plog_init("iked", PLOG_BOTH, plog_level() == LOGGER_DEBUG);
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
		pa.kid[roles[i]].role = roles[i];
		if (privdrop_user(roles[i], &pa.kid[roles[i]].user,
		    plog()) == -1)
			return (-1);
	}
	if (privdrop_emptydir(pa.o->chroot, plog()) == -1)
		return (-1);
	if ((pa.self = sandbox_self()) == -1) {
		log_error(plog(), WHY_START, "cannot find this program's file");
		return (-1);
	}
	memset(&pa.sock, 0xff, sizeof(pa.sock));	/* no descriptors: -1 */
	if (parent_pidfile(pa.o, &pa.sock) == -1 ||
	    parent_statefile(pa.o, &pa.sock) == -1)
		return (-1);
	if (pa.sweep)
		return (0);
	if (parent_udp(pa.o, &pa.sock) == -1 ||
	    parent_listen(pa.o, &pa.sock, pa.kid[ROLE_CONTROL].user.gid) == -1)
		return (-1);
	return (0);
}

int
parent_run(const struct parent_opts *o, struct conf *c, int sweep)
{
	pa.o = o;
	pa.conf = c;
	pa.conf->gen = ++pa.gen;
	pa.sweep = sweep;
	if (chdir("/") == -1)
		fatal("/");
	(void)umask(022);
	daemonise();
	if (prepare() == -1)
		return (1);
	pa.loop = ev_loop_new(EVFLAG_NOENV | (ev_recommended_backends() &
	    (EVBACKEND_EPOLL | EVBACKEND_KQUEUE | EVBACKEND_POLL)));
	if (pa.loop == NULL)
		fatalx("cannot make an event loop");
	watch_signals();
	arc4random_buf(pa.mark, sizeof(pa.mark));
	if (conf_psk_serials(pa.conf, NULL, pa.mark) == -1)
		fatal("configuration");
	kids_init();
	parent_names_init();
	ev_init(&pa.deadline, on_deadline);
	kids_start();
	ev_run(pa.loop, 0);
	parent_conf_drop();
	conf_free(pa.last);
	parent_unlink(o);
	return (pa.status);
}
