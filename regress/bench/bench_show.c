/* SPDX-License-Identifier: ISC */
/*
 * `ipsecctl show' of many tunnels that are up: time and memory of the tool, and how long
 * ike's loop does nothing else meanwhile.
 *
 *	bench_show [-n tunnels] ipsecctl
 *
 * Three processes, as in iked: ike, with a real engine whose tunnels a second
 * engine has brought up; control, the real one; and a kernel that has three
 * policies a tunnel.  A gap is the time from the end of one wait of ike's loop to the
 * begin of the next: a datagram that comes at the worst moment waits so long.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/stand.h"
#include "proc/child.h"
#include "proc/ike.h"

#define BOX		16384U	/* datagrams that may be on their way to one side */
#define DATAGRAM	1500
#define SOCK		"iked.sock"

struct box {
	struct datagram {
		struct endpoint	local, remote;
		int		natt;
		size_t		len;
		uint8_t		p[DATAGRAM];
	}		*d;
	uint32_t	 head, tail;
};

static struct stand	 init, resp;
static struct box	 to_init, to_resp;
static uint32_t		 ntunnels = 10000;
static struct chan	*ctl;
static ev_prepare	 prepare;
static ev_check		 check;

/* ---- two engines */

static void
send_to(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	struct box *b = arg;
	struct datagram *d;

	if (b->head == b->tail)
		b->head = b->tail = 0;
	if (b->head == BOX || len > sizeof(d->p))
		errx(1, "%zu octets do not fit on the wire", len);
	d = &b->d[b->head++];
	d->local = *remote;
	d->remote = *local;
	d->natt = marker;
	d->len = len;
	memcpy(d->p, p, len);
}

static void
deliver(struct stand *s, struct box *box)
{
	struct datagram *d;

	for (; box->tail != box->head; box->tail++) {
		d = &box->d[box->tail];
		engine_datagram(s->engine, mono_now(), &d->local, &d->remote, d->natt,
		    d->p, d->len);
	}
	stand_answers(s, mono_now());
}

static void
configure(struct stand *s, int responder)
{
	static const char how[] = "ikesa enc aes-128-gcm prf hmac-sha2-256 "
	    "group curve25519 childsa enc aes-128-gcm psk \"Wz7mQ2xK9vLr4TbN8cHd\"";
	size_t len = 0, cap = (size_t)ntunnels * 320 + 100;
	char *text;
	uint32_t i;

	if ((text = malloc(cap)) == NULL)
		err(1, NULL);
	len += (size_t)snprintf(text, cap, "set dpd_check_interval 0\n");
	for (i = 0; i < ntunnels; i++)
		len += (size_t)snprintf(text + len, cap - len, responder ?
		    "ikev2 \"t%u\" passive tunnel esp from 10.2.0.0/24 to "
		    "172.%u.%u.%u local 192.0.2.2 peer 10.%u.%u.%u %s\n" :
		    "ikev2 \"t%u\" ondemand tunnel esp to 10.2.0.0/24 from "
		    "172.%u.%u.%u peer 192.0.2.2 local 10.%u.%u.%u %s\n", i,
		    16 + i / 62500, i / 250 % 250, i % 250 + 1,
		    64 + i / 62500, i / 250 % 250, i % 250 + 1, how);
	stand_conf(s, mono_now(), responder ? "responder" : "initiator", text, len);
	free(text);
}

static void
bring_up(void)
{
	const char *why;
	char name[24];
	uint32_t i;

	to_init.d = calloc(BOX, sizeof(*to_init.d));
	to_resp.d = calloc(BOX, sizeof(*to_resp.d));
	if (to_init.d == NULL || to_resp.d == NULL)
		err(1, NULL);
	stand_init(&init, "initiator", send_to, &to_resp);
	stand_init(&resp, "responder", send_to, &to_init);
	configure(&init, 0);
	configure(&resp, 1);
	for (i = 0; i < ntunnels; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		if (engine_command(init.engine, mono_now(), CMD_UP, name, WAKE_COMMAND,
		    &why) == -1)
			errx(1, "%s: %s", name, why);
		stand_answers(&init, mono_now());
		while (to_init.head != to_init.tail || to_resp.head != to_resp.tail) {
			deliver(&resp, &to_resp);
			deliver(&init, &to_init);
		}
	}
	if (resp.up != ntunnels)
		errx(1, "%u of %u tunnels are up", resp.up, ntunnels);
}

/* ---- the processes */

static void
emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	if (level == LOGGER_WARN)
		warnx("%s", line);
}

static void
closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why;
	_exit(0);
}

static int
kernel_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct policy_rec p;
	struct policy_ask a;
	struct slice s;
	struct msg m;

	(void)arg;
	if (fd != -1 || type != M_POLICIES || msg_get_policies(r, &a) == -1)
		return (-1);
	memset(&p, 0, sizeof(p));
	p.installed = 1;
	(void)strlcpy(p.backend, "XFRM", sizeof(p.backend));
	memset(&s, 0, sizeof(s));
	s.token = a.token;
	s.cursor = a.cursor;
	msg_put_slice(&m, M_POLICY_RECS, &s);
	for (; m.w.cap - m.w.len >= POLICY_RECMAX && s.cursor < 3ULL * ntunnels; s.n++) {
		p.dir = (enum kern_dir)(s.cursor % 3 + 1);
		(void)snprintf(p.tunnel, sizeof(p.tunnel), "t%u",
		    (unsigned)(s.cursor++ / 3));
		put_policy_rec(&m.w, &p);
	}
	s.more = s.cursor < 3ULL * ntunnels;
	msg_patch_slice(&m, &s);
	(void)chan_put(c, &m);
	return (0);
}

static int
ike_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	(void)arg;
	return (fd != -1 ? -1 : ike_control_message(resp.engine, c, NULL, NULL, type, r));
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	(void)unlink(path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 || listen(fd, 5) == -1)
		err(1, "%s", path);
	return (fd);
}

static struct ev_loop *
new_loop(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

	if (loop == NULL)
		errx(1, "no loop");
	return (loop);
}

static void
control_process(int ike, int kernel, int lfd)
{
	static struct child me;

	me.ops = &control_role;
	me.loop = new_loop();
	me.log = (struct logger){ emit, NULL, 0, NULL };
	me.listenfd[0] = lfd;
	me.listenfd[1] = -1;
	me.link[ROLE_IKE] = ike;
	me.link[ROLE_KERNEL] = kernel;
	if (control_role.prepare(&me) == -1 || control_role.start(&me) == -1)
		errx(1, "control does not start");
	ev_run(me.loop, 0);
	_exit(0);
}

static void
kernel_process(int fd)
{
	static const struct chan_ops ops = { kernel_message, closed, NULL };
	struct ev_loop *loop = new_loop();

	if (chan_new(loop, fd, CHILD_QUEUE, &ops, NULL) == NULL)
		err(1, "channel");
	ev_run(loop, 0);
	_exit(0);
}

/* ---- what is measured */

static const struct {
	const char	*what, *opt;
} runs[] = {
	{ "tunnels", NULL }, { "sa", NULL }, { "peers", NULL }, { "all", NULL },
	{ "all", "-j" }, { "-o", "metrics" }, { "tunnels", "t17" }
};

struct result {
	int		status;
	double		real, cpu;
	long		kb;
};

static double
clock_s(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static double
seconds(const struct timeval *tv)
{
	return ((double)tv->tv_sec + (double)tv->tv_usec / 1e6);
}

/* One run of the tool; its output goes nowhere. */
static void
run(const char *tool, size_t i, struct result *r)
{
	double t0 = clock_s(CLOCK_MONOTONIC);
	struct rusage ru;
	int null;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if ((null = open("/dev/null", O_WRONLY)) == -1 || dup2(null, 1) == -1)
			_exit(1);
		(void)execl(tool, "ipsecctl", "-s", SOCK, "show", runs[i].what,
		    runs[i].opt, (char *)NULL);
		_exit(1);
	}
	memset(r, 0, sizeof(*r));
	if (pid == -1 || wait4(pid, &r->status, 0, &ru) == -1)
		err(1, "ipsecctl");
	r->real = clock_s(CLOCK_MONOTONIC) - t0;
	r->cpu = seconds(&ru.ru_utime) + seconds(&ru.ru_stime);
	r->kb = ru.ru_maxrss;
}

/* It is small: what is forked from a large process counts as large, even after exec. */
static void
launcher_process(int fd, const char *tool)
{
	struct result r;
	uint8_t i;

	while (read(fd, &i, 1) == 1) {
		run(tool, i, &r);
		if (write(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
			break;
	}
	_exit(0);
}

static double woke, woke_cpu, gap, gap_cpu;

static void
on_check(struct ev_loop *loop, ev_check *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	woke = clock_s(CLOCK_MONOTONIC);
	woke_cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	double t = clock_s(CLOCK_MONOTONIC) - woke;
	double c = clock_s(CLOCK_THREAD_CPUTIME_ID) - woke_cpu;

	(void)loop;
	(void)w;
	(void)revents;
	if (woke != 0 && t > gap)
		gap = t;
	if (woke != 0 && c > gap_cpu)
		gap_cpu = c;
}

static void
on_result(struct ev_loop *loop, ev_io *w, int revents)
{
	static uint8_t i;
	struct result r;

	(void)revents;
	if (read(w->fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		err(1, "launcher");
	if (!WIFEXITED(r.status) || WEXITSTATUS(r.status) != 0)
		errx(1, "ipsecctl show %s failed", runs[i].what);
	printf("  show %-8s %-8s %6.3f s (%.3f s CPU) %6ld kB; ike's longest gap %6.3f ms "
	    "(%.3f ms CPU)\n", runs[i].what, runs[i].opt != NULL ? runs[i].opt : "",
	    r.real, r.cpu, r.kb, gap * 1e3, gap_cpu * 1e3);
	(void)fflush(stdout);
	if (++i == sizeof(runs) / sizeof(runs[0])) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	woke = gap = gap_cpu = 0;
	if (write(w->fd, &i, 1) != 1)
		err(1, "launcher");
}

int
main(int argc, char *argv[])
{
	static const struct chan_ops ops = { ike_message, closed, NULL };
	struct ev_loop *loop;
	ev_io io;
	int ch, ike[2], kernel[2], launch[2], lfd;
	pid_t kids[2];
	uint8_t first = 0;

	while ((ch = getopt(argc, argv, "n:")) != -1) {
		if (ch != 'n' || (ntunnels = (uint32_t)atoi(optarg)) == 0)
			errx(2, "usage: bench_show [-n tunnels] ipsecctl");
	}
	if (optind + 1 != argc)
		errx(2, "usage: bench_show [-n tunnels] ipsecctl");
	lfd = listen_at(SOCK);
	if (chan_pair(ike) == -1 || chan_pair(kernel) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, launch) == -1)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		(void)close(launch[0]);
		launcher_process(launch[1], argv[optind]);
	}
	(void)close(launch[1]);
	if ((kids[0] = fork()) == 0) {
		(void)close(ike[1]);
		(void)close(kernel[1]);
		control_process(ike[0], kernel[0], lfd);
	}
	if ((kids[1] = fork()) == 0) {
		(void)close(ike[0]);
		(void)close(ike[1]);
		(void)close(kernel[0]);
		kernel_process(kernel[1]);
	}
	(void)close(ike[0]);
	(void)close(kernel[0]);
	(void)close(kernel[1]);
	(void)close(lfd);
	bring_up();
	printf("%u tunnels that are up, in one iked:\n", ntunnels);
	loop = new_loop();
	if ((ctl = chan_new(loop, ike[1], CHILD_QUEUE, &ops, NULL)) == NULL)
		err(1, "channel");
	ev_prepare_init(&prepare, on_prepare);
	ev_prepare_start(loop, &prepare);
	ev_check_init(&check, on_check);
	ev_set_priority(&check, EV_MAXPRI);
	ev_check_start(loop, &check);
	ev_io_init(&io, on_result, launch[0], EV_READ);
	ev_io_start(loop, &io);
	if (write(launch[0], &first, 1) != 1)
		err(1, "launcher");
	ev_run(loop, 0);
	(void)kill(kids[0], SIGTERM);
	(void)kill(kids[1], SIGTERM);
	(void)unlink(SOCK);
	return (0);
}
