/* SPDX-License-Identifier: ISC */
/*
 * Thousands of initiators in one process, against a running iked: the engine bound
 * to UDP sockets, with AUTH computed here and a kernel that says yes to everything.
 *
 *	bench_load [-w window] [-t seconds] -f file
 *
 * Brings up every tunnel of the file, `window` at a time (default 32), over ports 500 and
 * 4500 of the addresses the tunnels name as local (ip route add local ... dev lo), and
 * prints how many came up and how long it took.  Then it stays and answers, until a
 * TERM, so that the SAs stay up while somebody measures the other side.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/stand.h"
#include "proc/udp.h"
#include "wire/wire.h"

#define DATAGRAM	9216	/* the engine sends 8192 octets at most */

struct load {
	struct stand	 s;
	int		 fd[2];		/* 500, 4500 */
	uint32_t	 started, window;
};

static volatile sig_atomic_t quit;

static void
on_term(int sig)
{
	(void)sig;
	quit = 1;
}

static monotime
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((monotime){ (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

static void
load_send(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[UDP_CMSGLEN];
	} ctl;
	struct load *l = arg;
	struct sockaddr_storage ss;
	uint8_t copy[DATAGRAM];		/* the marker's four octets first */
	struct iovec iov;
	struct msghdr mh;

	if (len > sizeof(copy) - 4)
		return;
	memset(copy, 0, 4);
	memcpy(copy + 4, p, len);
	iov.iov_base = marker ? copy : copy + 4;
	iov.iov_len = marker ? len + 4 : len;
	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_name = &ss;
	mh.msg_namelen = addr_to_sockaddr(remote, &ss);
	mh.msg_control = &ctl;
	udp_from(&mh, &local->addr);
	(void)sendmsg(l->fd[local->port != 500], &mh, 0);
}

/*
 * iked has started, and tells each peer so outside of any IKE SA (exchange/hint.c).  Here all
 * of them are one engine, and the address that says it is that of 100,000 peers.
 */
static int
from_nobody(const uint8_t *p, size_t len)
{
	struct wire_hdr h;

	return (wire_hdr_decode(p, len, &h) == 0 && h.spii == 0);
}

/* One datagram of socket i; 0 when there is none. */
static int
receive(struct load *l, int i)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[UDP_CMSGLEN];
	} ctl;
	static const uint8_t marker[4];
	uint8_t buf[DATAGRAM], *p = buf;
	struct sockaddr_storage ss;
	struct endpoint local, remote;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr mh;
	ssize_t n;

	memset(&mh, 0, sizeof(mh));
	memset(&local, 0, sizeof(local));
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_name = &ss;
	mh.msg_namelen = sizeof(ss);
	mh.msg_control = &ctl;
	mh.msg_controllen = sizeof(ctl);
	if ((n = recvmsg(l->fd[i], &mh, 0)) == -1)
		return (0);
	if (udp_local(&mh, &local.addr) == -1 ||
	    addr_from_sockaddr(&remote, (struct sockaddr *)&ss, mh.msg_namelen) == -1)
		return (1);
	local.port = i ? 4500 : 500;
	if (i == 1) {
		if (n < 4 || memcmp(p, marker, 4) != 0)
			return (1);
		p += 4;
		n -= 4;
	}
	if (!from_nobody(p, (size_t)n))
		engine_datagram(l->s.engine, now(), &local, &remote, i == 1, p, (size_t)n);
	return (1);
}

/* Starts tunnels until `window` of them are under way. */
static void
start(struct load *l)
{
	const char *why, *name;

	while (l->started < l->s.conf->ntunnels &&
	    l->started - l->s.up < l->window) {
		name = l->s.conf->tunnels[l->started++].name;
		if (engine_command(l->s.engine, now(), CMD_UP, name, WAKE_COMMAND,
		    &why) == -1)
			errx(1, "%s: %s", name, why);
		stand_answers(&l->s, now());
	}
}

static void
turn(struct load *l)
{
	struct pollfd pfd[2] = { { l->fd[0], POLLIN, 0 }, { l->fd[1], POLLIN, 0 } };
	int64_t wait;
	int i, n;

	wait = mono_diff_us(engine_deadline(l->s.engine), now()) / 1000 + 1;
	if (wait < 0)
		wait = 0;
	if (wait > 1000)
		wait = 1000;
	if (poll(pfd, 2, (int)wait) > 0)
		for (i = 0; i < 2; i++)
			for (n = 0; n < 64 && receive(l, i); n++)
				stand_answers(&l->s, now());
	stand_tick(&l->s, now());
}

/* ---- start ------------------------------------------------------------ */

static void
load_conf(struct load *l, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t len, cap = 64 * 1024 * 1024;
	char *text;

	if (f == NULL)
		err(1, "%s", path);
	if ((text = malloc(cap)) == NULL)
		err(1, NULL);
	len = fread(text, 1, cap, f);
	fclose(f);
	stand_conf(&l->s, now(), path, text, len);
	free(text);
}

/* 0, or 2 and the usage was printed. */
static int
options(struct load *l, int argc, char *argv[], const char **file, int *seconds)
{
	int ch, bad = 0;

	while ((ch = getopt(argc, argv, "f:t:w:")) != -1)
		switch (ch) {
		case 'f':
			*file = optarg;
			break;
		case 't':
			*seconds = atoi(optarg);
			break;
		case 'w':
			l->window = (uint32_t)atoi(optarg);
			break;
		default:
			bad = 1;
		}
	if (!bad && *file != NULL && l->window != 0 && optind == argc)
		return (0);
	fprintf(stderr, "usage: bench_load [-t seconds] [-w window] -f file\n");
	return (2);
}

int
main(int argc, char *argv[])
{
	struct load l;
	const char *file = NULL;
	monotime t0, limit;
	int seconds = 120;

	memset(&l, 0, sizeof(l));
	l.window = 32;
	if (options(&l, argc, argv, &file, &seconds) != 0)
		return (2);
	stand_init(&l.s, "bench_load", load_send, &l);
	if ((l.fd[0] = udp_open(ADDR_V4, 500)) == -1 ||
	    (l.fd[1] = udp_open(ADDR_V4, 4500)) == -1)
		err(1, "UDP ports 500 and 4500");
	(void)signal(SIGTERM, on_term);
	load_conf(&l, file);

	t0 = now();
	limit = mono_add_ms(t0, (int64_t)seconds * 1000);
	while (l.s.up < l.s.conf->ntunnels && mono_before(now(), limit) && !quit) {
		start(&l);
		turn(&l);
	}
	printf("up %u of %u in %.3f s\n", l.s.up, l.s.conf->ntunnels,
	    (double)mono_diff_us(now(), t0) / 1e6);
	fflush(stdout);
	while (!quit)
		turn(&l);
	return (l.s.up == l.s.conf->ntunnels ? 0 : 1);
}
