/* SPDX-License-Identifier: ISC */
/*
 * A steady flow of UDP packets both ways, each with a number:
 *
 *	tool_flow [-r rate] [-w start] [-t seconds] [-g ms] -l LOCAL -p PEER
 *
 * The same runs on the other side.  It sends rate packets a second (1000; 0: it only
 * listens) for so many seconds, or until TERM or INT, from the moment start on (ms since 1970; at once),
 * then listens for two seconds more, and prints what it sent and how many of the other
 * side's numbers it has: once, again (dup), behind a higher one (late); the longest
 * silence between two packets, and on a line each silence of more than -g ms: when it
 * began and how long it was, and when numbers were passed over.  The loss is what one has
 * sent less what the other has.
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
#define NUMBERS	(1U << 26)	/* a bit each */
#define TICK_MS	5
#define DRAIN_MS 2000
#define LEN	100		/* octets of a packet */

struct flow {
	int		 fd;
	unsigned	 rate;
	int64_t		 start, gapmin;
	uint64_t	 sent, got, dup, late, next;
	int64_t		 first, last, gap;	/* ms since 1970 */
	unsigned	 jumps;
	uint8_t		*seen;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
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
take(struct flow *f, uint64_t n, int64_t now)
{
	if (n >= NUMBERS)
		return;
	if (f->seen[n / 8] & 1U << n % 8) {
		f->dup++;
		return;
	}
	f->seen[n / 8] |= (uint8_t)(1U << n % 8);
	f->got++;
	if (n < f->next)
		f->late++;
	else {
		if (n > f->next && f->jumps++ < 50)
			(void)printf("jump %ju %ju at %jd\n", (uintmax_t)f->next,
			    (uintmax_t)(n - f->next), (intmax_t)now);
		f->next = n + 1;
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
	ssize_t len;
	int64_t now = now_ms();

	while ((len = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		rbuf_init(&r, buf, (size_t)len);
		if (rbuf_u32(&r) != MAGIC)
			continue;
		n = rbuf_u64(&r);
		if (rbuf_ok(&r))
			take(f, n, now);
	}
}

/* What is due by now; after a halt of the machine not all of it at once. */
static void
send_due(struct flow *f)
{
	uint8_t buf[LEN];
	struct wbuf w;
	uint64_t due = (uint64_t)(now_ms() - f->start) * f->rate / 1000;
	unsigned n = 0;

	memset(buf, 0, sizeof(buf));
	while (f->sent < due && n++ < 200 && f->sent < NUMBERS) {
		wbuf_init(&w, buf, sizeof(buf));
		wbuf_u32(&w, MAGIC);
		wbuf_u64(&w, f->sent);
		/* one that the kernel refuses (no SA yet) is lost like others */
		(void)send(f->fd, buf, sizeof(buf), 0);
		f->sent++;
	}
	if (n > 200)
		f->start = now_ms() - (int64_t)(f->sent * 1000 / f->rate);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: tool_flow [-r rate] [-w start] [-t seconds] [-g ms] "
	    "-l local -p peer\n");
	exit(2);
}

static int
open_flow(const char *local, const char *peer)
{
	struct sockaddr_in l, p;
	int fd, size = 4 << 20;

	memset(&l, 0, sizeof(l));
	l.sin_family = AF_INET;
	l.sin_port = htons(PORT);
	p = l;
	if (inet_pton(AF_INET, local, &l.sin_addr) != 1 ||
	    inet_pton(AF_INET, peer, &p.sin_addr) != 1)
		usage();
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&l, sizeof(l)) == -1 ||
	    connect(fd, (struct sockaddr *)&p, sizeof(p)) == -1)
		err(1, "%s", local);
	return (fd);
}

int
main(int argc, char *argv[])
{
	struct flow f;
	struct pollfd pfd;
	struct sigaction sa;
	const char *local = NULL, *peer = NULL;
	int64_t secs = 0, end = 0;
	int ch;

	memset(&f, 0, sizeof(f));
	f.rate = 1000;
	while ((ch = getopt(argc, argv, "g:l:p:r:t:w:")) != -1) {
		switch (ch) {
		case 'g': f.gapmin = atoi(optarg); break;
		case 'l': local = optarg; break;
		case 'p': peer = optarg; break;
		case 'r': f.rate = (unsigned)atoi(optarg); break;
		case 't': secs = atoi(optarg); break;
		case 'w': f.start = strtoll(optarg, NULL, 10); break;
		default: usage();
		}
	}
	if (local == NULL || peer == NULL || optind != argc)
		usage();
	if ((f.seen = calloc(NUMBERS / 8, 1)) == NULL)
		err(1, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	f.fd = pfd.fd = open_flow(local, peer);
	pfd.events = POLLIN;
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
	(void)printf("sent %ju got %ju dup %ju late %ju gap %jd first %jd\n",
	    (uintmax_t)f.sent, (uintmax_t)f.got, (uintmax_t)f.dup, (uintmax_t)f.late,
	    (intmax_t)f.gap, (intmax_t)(f.first == 0 ? -1 : f.first - f.start));
	free(f.seen);
	return (0);
}
