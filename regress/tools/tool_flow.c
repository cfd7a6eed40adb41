/* SPDX-License-Identifier: ISC */
/*
 * A steady flow of UDP packets both ways, each with a number:
 *
 *	tool_flow [-u] [-r rate] [-w start] [-t seconds] [-g ms] [-P port] -l LOCAL -p PEER
 *	    [-n peers | -N locals]
 *
 * The same runs on the other side.  It sends rate packets a second (1000; 0: it only
 * listens) for so many seconds, or until TERM or INT, from the moment start on (ms since 1970; at once),
 * then listens for two seconds more, and prints what it sent and how many of the other
 * side's numbers it has: once, again (dup), behind a higher one (late); the longest
 * silence between two packets, and on a line each silence of more than -g ms: when it
 * began and how long it was, and when numbers were passed over.  The loss is what one has
 * sent less what the other has.
 *
 * With -n the other side is so many hosts, from the address PEER on, and with -N we are, from
 * LOCAL on: the packets go to, or come from, one after the other, each host has numbers of
 * its own, and there is a line for each of them in the end.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define PORT	7777
#define MAGIC	0x696b6565U
#define NUMBERS	(1U << 26)	/* a bit each, of all hosts */
#define HOSTS	65536
#define TICK_MS	5
#define DRAIN_MS 2000
#define LEN	100		/* octets of a packet */

struct host {
	uint64_t	 sent, got, next;
};

struct flow {
	int		 fd;
	unsigned	 rate, peers, locals, nhosts;
	struct in_addr	 local, peer;
	in_port_t	 port;
	int64_t		 start, gapmin;
	uint64_t	 sent, got, dup, late;
	int64_t		 first, last, gap;	/* ms since 1970 */
	unsigned	 jumps;
	uint64_t	 numbers;		/* of each host */
	struct host	*hosts;
	uint8_t		*seen;
};

static volatile sig_atomic_t stop, begin;

static void
on_signal(int sig)
{
	if (sig == SIGUSR1)
		begin = 1;
	else
		stop = 1;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
take(struct flow *f, uint32_t host, uint64_t n, int64_t now)
{
	struct host *h = &f->hosts[host];
	uint64_t bit = host * f->numbers + n;

	if (f->seen[bit / 8] & 1U << bit % 8) {
		f->dup++;
		return;
	}
	f->seen[bit / 8] |= (uint8_t)(1U << bit % 8);
	f->got++;
	h->got++;
	if (n < h->next)
		f->late++;
	else {
		if (n > h->next && f->jumps++ < 50)
			(void)printf("jump %ju %ju at %jd host %u\n", (uintmax_t)h->next,
			    (uintmax_t)(n - h->next), (intmax_t)now, host);
		h->next = n + 1;
	}
	if (f->first == 0)
		f->first = now;
	else {
		if (now - f->last > f->gap)
			f->gap = now - f->last;
		if (f->gapmin > 0 && now - f->last > f->gapmin)
			(void)printf("silence %jd %jd\n", (intmax_t)f->last,
			    (intmax_t)(now - f->last));
	}
	f->last = now;
}

static void
receive(struct flow *f)
{
	uint8_t buf[2048];
	struct rbuf r;
	uint64_t n;
	uint32_t host;
	ssize_t len;
	int64_t now = now_ms();

	while ((len = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		rbuf_init(&r, buf, (size_t)len);
		if (rbuf_u32(&r) != MAGIC)
			continue;
		host = rbuf_u32(&r);
		n = rbuf_u64(&r);
		if (rbuf_ok(&r) && host < f->nhosts && n < f->numbers)
			take(f, host, n, now);
	}
}

static struct in_addr
nth(struct in_addr a, uint32_t n)
{
	a.s_addr = htonl(ntohl(a.s_addr) + n);
	return (a);
}

/* To, or as, that host; where we are several, the address is said with the packet. */
static void
send_one(struct flow *f, uint32_t host, const struct wbuf *w)
{
	union {
		struct cmsghdr	 align;
		uint8_t		 buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} c;
	struct in_pktinfo pi;
	struct cmsghdr *cm;
	struct sockaddr_in to;
	struct iovec iov = { w->p, LEN };
	struct msghdr m;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons(f->port);
	to.sin_addr = f->peers > 1 ? nth(f->peer, host) : f->peer;
	memset(&m, 0, sizeof(m));
	m.msg_name = &to;
	m.msg_namelen = sizeof(to);
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	if (f->locals > 1) {
		memset(&pi, 0, sizeof(pi));
		pi.ipi_spec_dst = nth(f->local, host);
		memset(&c, 0, sizeof(c));
		m.msg_control = c.buf;
		m.msg_controllen = sizeof(c.buf);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = IPPROTO_IP;
		cm->cmsg_type = IP_PKTINFO;
		cm->cmsg_len = CMSG_LEN(sizeof(pi));
		memcpy(CMSG_DATA(cm), &pi, sizeof(pi));
	}
	/* one that the kernel refuses (no SA yet) is lost like others */
	(void)sendmsg(f->fd, &m, 0);
}

/* What is due by now; after a halt of the machine not all of it at once. */
static void
send_due(struct flow *f)
{
	uint8_t buf[LEN];
	struct wbuf w;
	uint64_t due = (uint64_t)(now_ms() - f->start) * f->rate / 1000;
	uint32_t host;
	unsigned n = 0;

	memset(buf, 0, sizeof(buf));
	while (f->sent < due && n++ < 200 && f->sent < f->numbers * f->nhosts) {
		host = (uint32_t)(f->sent % f->nhosts);
		wbuf_init(&w, buf, sizeof(buf));
		wbuf_u32(&w, MAGIC);
		wbuf_u32(&w, host);
		wbuf_u64(&w, f->hosts[host].sent++);
		send_one(f, host, &w);
		f->sent++;
	}
	if (n > 200)
		f->start = now_ms() - (int64_t)(f->sent * 1000 / f->rate);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: tool_flow [-u] [-r rate] [-w start] [-t seconds] "
	    "[-g ms] [-P port] -l local -p peer [-n peers | -N locals]\n");
	exit(2);
}

static int
open_flow(const struct flow *f)
{
	struct sockaddr_in l;
	int fd, size = 4 << 20;

	memset(&l, 0, sizeof(l));
	l.sin_family = AF_INET;
	l.sin_port = htons(f->port);
	l.sin_addr.s_addr = f->locals > 1 ? htonl(INADDR_ANY) : f->local.s_addr;
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&l, sizeof(l)) == -1)
		err(1, "%s", inet_ntoa(l.sin_addr));
	return (fd);
}

static void
hosts_make(struct flow *f)
{
	f->nhosts = f->peers > f->locals ? f->peers : f->locals;
	if (f->nhosts == 0 || f->nhosts > HOSTS || (f->peers > 1 && f->locals > 1))
		usage();
	f->numbers = NUMBERS / f->nhosts;
	if ((f->seen = calloc(NUMBERS / 8, 1)) == NULL ||
	    (f->hosts = calloc(f->nhosts, sizeof(*f->hosts))) == NULL)
		err(1, NULL);
}

static void
tell(const struct flow *f)
{
	uint32_t i;

	for (i = 0; f->nhosts > 1 && i < f->nhosts; i++)
		(void)printf("host %u sent %ju got %ju\n", i,
		    (uintmax_t)f->hosts[i].sent, (uintmax_t)f->hosts[i].got);
	(void)printf("sent %ju got %ju dup %ju late %ju gap %jd first %jd\n",
	    (uintmax_t)f->sent, (uintmax_t)f->got, (uintmax_t)f->dup, (uintmax_t)f->late,
	    (intmax_t)f->gap, (intmax_t)(f->first == 0 ? -1 : f->first - f->start));
}

int
main(int argc, char *argv[])
{
	struct flow f;
	struct pollfd pfd;
	struct sigaction sa;
	int64_t secs = 0, end = 0;
	int ch, given = 0, wait = 0;

	memset(&f, 0, sizeof(f));
	f.rate = 1000;
	f.port = PORT;
	f.peers = f.locals = 1;
	while ((ch = getopt(argc, argv, "g:l:n:N:p:P:r:t:uw:")) != -1) {
		switch (ch) {
		case 'g': f.gapmin = atoi(optarg); break;
		case 'l': given += inet_pton(AF_INET, optarg, &f.local) == 1; break;
		case 'n': f.peers = (unsigned)atoi(optarg); break;
		case 'N': f.locals = (unsigned)atoi(optarg); break;
		case 'p': given += inet_pton(AF_INET, optarg, &f.peer) == 1; break;
		case 'P': f.port = (in_port_t)atoi(optarg); break;
		case 'r': f.rate = (unsigned)atoi(optarg); break;
		case 't': secs = atoi(optarg); break;
		case 'u': wait = 1; break;
		case 'w': f.start = strtoll(optarg, NULL, 10); break;
		default: usage();
		}
	}
	if (given != 2 || optind != argc)
		usage();
	hosts_make(&f);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGUSR1, &sa, NULL);
	f.fd = pfd.fd = open_flow(&f);
	pfd.events = POLLIN;
	if (wait) {
		(void)printf("listening\n");
		(void)fflush(stdout);
	}
	/* the other side may have begun */
	while (wait && !begin && !stop) {
		(void)poll(&pfd, 1, TICK_MS);
		receive(&f);
	}
	if (f.start == 0)
		f.start = now_ms();
	if (secs > 0)
		end = f.start + secs * 1000;
	while (!stop && (end == 0 || now_ms() < end)) {
		if (f.rate > 0 && now_ms() >= f.start)
			send_due(&f);
		(void)poll(NULL, 0, TICK_MS);
		receive(&f);
	}
	end = now_ms() + DRAIN_MS;
	while (now_ms() < end) {
		(void)poll(&pfd, 1, TICK_MS);
		receive(&f);
	}
	tell(&f);
	free(f.hosts);
	free(f.seen);
	return (0);
}
