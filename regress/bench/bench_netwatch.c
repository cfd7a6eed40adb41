/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's real probe process with many targets, and a bare loop of the same system
 * calls to hold beside it.  Root, and a network in which 10.64.0.0/10 answers (netwatch.sh).
 *
 *	bench_netwatch bare RATE SECONDS
 *	bench_netwatch probe NETWATCHD CHROOT SOURCE TARGETS INTERVAL SECONDS [iked]
 *
 * bare: ICMP echo requests, as many a second (0: as many as go), in sendmmsg and recvmmsg
 * of 64, to 100,000 addresses; nothing is looked at but how many come back.
 *
 * probe: what netwatchd's parent does for its child, for so many targets with so many ms
 * between probes.  With iked: and an iked that answers every command at once, to
 * see how many commands there are.  Measured once all targets are up.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/icmp_sock.h"
#include "keepalive/nwmsg.h"
#include "keepalive/probe.h"
#include "proc/msg.h"

#define DESTINATIONS	100000
#define FIRST		0x0a400001	/* 10.64.0.1 */
#define BATCH		64
#define TICK_US		5000
#define WARM_S		10.0		/* and an interval, in which all start */

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static double
cpu_self_us(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	return ((double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec));
}

/* The bare loop. */

static uint64_t nsent, nback;
static uint32_t next_dst;

static void
bare_send(int fd, unsigned int n)
{
	static uint8_t msg[BATCH][ICMP_PROBELEN];
	static struct sockaddr_in to[BATCH];
	static struct iovec iov[BATCH];
	static struct mmsghdr mh[BATCH];
	unsigned int i;
	int r;

	for (i = 0; i < n; i++) {
		msg[i][0] = 8;			/* echo request; all else is 0 */
		msg[i][2] = 0xf7;		/* and its sum */
		msg[i][3] = 0xff;
		to[i].sin_family = AF_INET;
		to[i].sin_addr.s_addr = htonl(FIRST + next_dst++ %
		    DESTINATIONS);
		iov[i] = (struct iovec){ msg[i], sizeof(msg[i]) };
		mh[i].msg_hdr = (struct msghdr){ .msg_name = &to[i],
		    .msg_namelen = sizeof(to[i]), .msg_iov = &iov[i],
		    .msg_iovlen = 1 };
	}
	for (i = 0; i < n; i += (unsigned int)r) {
		if ((r = sendmmsg(fd, mh + i, n - i, 0)) <= 0)
			err(1, "sendmmsg");
		nsent += (uint64_t)r;
	}
}

static void
bare_recv(int fd)
{
	static uint8_t msg[BATCH][128];
	static struct iovec iov[BATCH];
	static struct mmsghdr mh[BATCH];
	int i, r;

	do {
		for (i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ msg[i], sizeof(msg[i]) };
			mh[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
			    .msg_iovlen = 1 };
		}
		if ((r = recvmmsg(fd, mh, BATCH, MSG_DONTWAIT, NULL)) > 0)
			nback += (uint64_t)r;
	} while (r == BATCH);
}

static int
bare(double rate, double seconds)
{
	struct icmp_sockkey key = { .fam = ADDR_V4 };
	int64_t t0, t, end, sleep;
	double cpu, due;
	struct timespec ts;
	unsigned int n;
	int fd;

	if ((fd = icmp_sock_open(&key)) == -1)
		err(1, "raw socket");
	t0 = t = now_us();
	end = t0 + (int64_t)(seconds * 1e6);
	cpu = cpu_self_us();
	while (t < end) {
		due = rate > 0 ? rate * (double)(t - t0) / 1e6 - (double)nsent :
		    BATCH;
		while (due >= 1) {
			n = due > BATCH ? BATCH : (unsigned int)due;
			bare_send(fd, n);
			due -= n;
		}
		bare_recv(fd);
		t = now_us();
		sleep = TICK_US - (t - t0) % TICK_US;
		if (rate > 0) {
			ts = (struct timespec){ 0, sleep * 1000 };
			(void)nanosleep(&ts, NULL);
			t = now_us();
		}
	}
	cpu = cpu_self_us() - cpu;
	(void)usleep(100000);
	bare_recv(fd);
	(void)printf("bare rate %.0f us %.2f cpu %.1f sent %llu lost %lld\n",
	    (double)nsent * 1e6 / (double)(t - t0), cpu / (double)nsent,
	    cpu * 100 / (double)(t - t0), (unsigned long long)nsent,
	    (long long)(nsent - nback));
	return (0);
}

/* The parent of a real probe process. */

static struct bench {
	struct ev_loop		*loop;
	struct chan		*chan;
	pid_t			 pid;
	unsigned int		 ntargets;
	uint32_t		 interval_ms;
	double			 seconds;
	struct addr		 source;
	int			 iked;		/* our end of its connection, or -1 */
	ev_io			 ikedio;
	ev_timer		 timer;
	struct watch_totals	 first;
	int			 have_first;
	double			 cpu;
	int64_t			 since;
	uint64_t		 ups, counters, reports, octets, ikeds[4];
	uint64_t		 packets;
} B;

static void
put(struct msg *m)
{
	if (chan_put(B.chan, m) == -1)
		errx(1, "the probe process does not listen");
}

static void
put_type(uint16_t type)
{
	struct msg m;

	msg_start(&m, type);
	put(&m);
}

static void
put_socket(enum addr_family fam)
{
	struct icmp_sockkey key = { .fam = (uint8_t)fam };
	struct msg m;

	msg_start(&m, NW_ICMP);
	nwmsg_put_sockkey(&m.w, &key);
	if ((m.fd = icmp_sock_open(&key)) == -1)
		err(1, "raw socket");
	put(&m);
}

static void
put_targets(void)
{
	struct watch_conf wc;
	struct msg m;
	uint32_t i, a;

	memset(&wc, 0, sizeof(wc));
	wc.nfrom = wc.nto = 1;
	if ((wc.ka = conf_keepalive_new()) == NULL)
		err(1, NULL);
	wc.interval_ms = wc.ka->interval_ms = B.interval_ms;
	wc.ka->pace = KA_ALWAYS;	/* the counters say that all tunnels are in use */
	wc.net[0] = (struct prefix){ B.source, 32 };
	if (prefix_parse(&wc.net[1], "10.64.0.0/10") == -1)
		abort();
	put_type(NW_CONF_BEGIN);
	for (i = 0; i < B.ntargets; i++) {
		(void)snprintf(wc.name, sizeof(wc.name), "tunnel %u", i);
		a = htonl(FIRST + i);
		wc.target.fam = ADDR_V4;
		memcpy(wc.target.b, &a, 4);
		msg_start(&m, NW_CONF_TARGET);
		nwmsg_put_target(&m.w, &wc);
		put(&m);
	}
	watch_conf_clear(&wc);
	put_type(NW_CONF_END);
}

/* An answer to each line; counters that say that all is well. */
static void
iked_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	static char buf[65536];
	static size_t len;
	char *line, *lf, *q, out[512];
	ssize_t n;

	(void)loop;
	(void)revents;
	if ((n = read(io->fd, buf + len, sizeof(buf) - 1 - len)) <= 0)
		errx(1, "the probe process has left its iked");
	len += (size_t)n;
	B.octets += (uint64_t)n;
	buf[len] = '\0';
	for (line = buf; (lf = strchr(line, '\n')) != NULL; line = lf + 1) {
		*lf = '\0';
		B.ups += strncmp(line, "up ", 3) == 0;
		B.reports += strncmp(line, "report ", 7) == 0;
		if (strncmp(line, "counters ", 9) == 0) {
			/* for every name on the line */
			for (q = strchr(line, '"'); q != NULL;
			    q = strchr(q + 1, '"')) {
				if ((q = strchr(q + 1, '"')) == NULL)
					break;
				B.counters++;
				B.packets += 100;
				(void)snprintf(out, sizeof(out),
				    "{\"spi_out\":\"0x1000\",\"packets_in\":%llu,"
				    "\"packets_out\":%llu}\n",
				    (unsigned long long)B.packets,
				    (unsigned long long)B.packets);
				(void)!write(io->fd, out, strlen(out));
			}
		}
		(void)!write(io->fd, "{\"end\":true}\n", 13);
	}
	len = strlen(line);
	memmove(buf, line, len);
}

static void
put_link(void)
{
	struct msg m;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1 ||
	    fcntl(sv[1], F_SETFL, O_NONBLOCK) == -1)
		err(1, "socketpair");
	B.iked = sv[0];
	ev_io_init(&B.ikedio, iked_cb, B.iked, EV_READ);
	ev_io_start(B.loop, &B.ikedio);
	msg_start(&m, NW_LINK);
	m.fd = sv[1];
	put(&m);
}

static void
put_source(void)
{
	struct msg m;

	put_type(NW_ADDRS_BEGIN);
	msg_start(&m, NW_ADDRS);
	wbuf_u16(&m.w, 1);
	put_addr(&m.w, &B.source);
	put(&m);
	put_type(NW_ADDRS_END);
}

static void
ask_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)t;
	(void)revents;
	put_type(NW_TOTALS);
}

/* User and system time of all its threads, in us. */
static double
cpu_child_us(void)
{
	unsigned long long ns;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", B.pid);
	if ((f = fopen(path, "r")) == NULL || fscanf(f, "%llu", &ns) != 1)
		err(1, "%s", path);
	(void)fclose(f);
	return ((double)ns / 1000);
}

static long
rss_kb(void)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", B.pid);
	if ((f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmHWM: %ld", &kb);
	(void)fclose(f);
	return (kb);
}

/* The ms under which permille of the probes were late. */
static unsigned int
late_ms(const struct watch_totals *t, unsigned int permille)
{
	uint64_t n = 0, all = 0;
	unsigned int i;

	for (i = 0; i < WATCH_LATE_MS; i++)
		all += t->lateness[i] - B.first.lateness[i];
	for (i = 0; i < WATCH_LATE_MS - 1; i++) {
		n += t->lateness[i] - B.first.lateness[i];
		if (n * 1000 >= all * permille)
			break;
	}
	return (i + 1);
}

static void
say(const struct watch_totals *t)
{
	double us = (double)(now_us() - B.since);
	double n = (double)(t->probes - B.first.probes);
	double cpu = cpu_child_us() - B.cpu;

	(void)printf("probe rate %.0f us %.2f cpu %.1f rss %ld up %llu lost %llu "
	    "delayed %llu refused %llu late50 %u late99 %u late999 %u octets "
	    "%llu\n", n * 1e6 / us, cpu / n, cpu * 100 / us, rss_kb(),
	    (unsigned long long)t->up,
	    (unsigned long long)(t->lost - B.first.lost),
	    (unsigned long long)(t->delayed - B.first.delayed),
	    (unsigned long long)(t->refused - B.first.refused),
	    late_ms(t, 500), late_ms(t, 990), late_ms(t, 999),
	    (unsigned long long)(t->octets / (t->targets > 0 ? t->targets :
	    1)));
	if (B.iked != -1)
		(void)printf("iked ups %.0f counters %.0f reports %.0f octets "
		    "%.0f\n", (double)(B.ups - B.ikeds[0]) * 1e6 / us,
		    (double)(B.counters - B.ikeds[1]) * 1e6 / us,
		    (double)(B.reports - B.ikeds[2]) * 1e6 / us,
		    (double)(B.octets - B.ikeds[3]) * 1e6 / us);
}

static int
message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct watch_totals t;
	char line[1024];

	(void)arg;
	(void)c;
	(void)fd;
	if (type == NW_LOG) {
		if (rbuf_u8(r) <= LOGGER_WARN) {
			rbuf_str(r, line, sizeof(line));
			(void)fprintf(stderr, "%s\n", line);
		}
	} else if (type == NW_READY) {
		put_socket(ADDR_V4);
		put_targets();
		if (B.iked != -1)
			put_link();
		put_source();
		ev_timer_init(&B.timer, ask_cb, WARM_S + B.interval_ms / 1e3,
		    0);
		ev_timer_start(B.loop, &B.timer);
	} else if (type == NW_TOTALS && nwmsg_get_totals(r, &t) == 0) {
		if (B.have_first) {
			say(&t);
			ev_break(B.loop, EVBREAK_ALL);
			return (0);
		}
		B.have_first = 1;
		B.first = t;
		B.cpu = cpu_child_us();
		B.since = now_us();
		B.ikeds[0] = B.ups;
		B.ikeds[1] = B.counters;
		B.ikeds[2] = B.reports;
		B.ikeds[3] = B.octets;
		ev_timer_set(&B.timer, B.seconds, 0);
		ev_timer_start(B.loop, &B.timer);
	}
	return (0);
}

static void
closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	errx(1, "the probe process has ended: %s", why != NULL ? why : "EOF");
}

static int
probe(char *argv[])
{
	static const struct chan_ops ops = { message, closed, NULL };
	char dir[1024];
	int sv[2];

	if (addr_parse(&B.source, argv[2]) == -1)
		errx(2, "%s is no address", argv[2]);
	B.ntargets = (unsigned int)atoi(argv[3]);
	B.interval_ms = (uint32_t)atoi(argv[4]);
	B.seconds = atof(argv[5]);
	B.iked = argv[6] != NULL ? 0 : -1;
	(void)snprintf(dir, sizeof(dir), "chroot=%s", argv[1]);
	(void)signal(SIGPIPE, SIG_IGN);
	if ((B.loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV)) == NULL ||
	    chan_pair(sv) == -1)
		err(1, "channel");
	switch (B.pid = fork()) {
	case -1:
		err(1, "fork");
	case 0:
		if (sv[1] == PROBE_CHANFD ? fcntl(sv[1], F_SETFD, 0) == -1 :
		    dup2(sv[1], PROBE_CHANFD) == -1)
			_exit(1);
		(void)execl(argv[0], "netwatchd", "-P", "probe", "-o", dir,
		    (char *)NULL);
		_exit(127);
	}
	(void)close(sv[1]);
	if ((B.chan = chan_new(B.loop, sv[0], 512U * 1024 * 1024, &ops,
	    NULL)) == NULL)
		err(1, "channel");
	(void)ev_run(B.loop, 0);
	chan_free(B.chan);
	(void)waitpid(B.pid, NULL, 0);
	return (0);
}

int
main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "bare") == 0)
		return (bare(atof(argv[2]), atof(argv[3])));
	if ((argc == 8 || argc == 9) && strcmp(argv[1], "probe") == 0)
		return (probe(argv + 2));
	(void)fprintf(stderr, "usage: bench_netwatch bare RATE SECONDS\n"
	    "       bench_netwatch probe NETWATCHD CHROOT SOURCE TARGETS INTERVAL "
	    "SECONDS [iked]\n");
	return (2);
}
