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
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "crypto/crypto.h"
#include "engine/engine.h"
#include "proc/keys_auth.h"
#include "proc/udp.h"

#define QUEUE		65536	/* answers waiting to go into the engine */
#define DATAGRAM	65536

enum answer_kind { ANSWER_KEYS, ANSWER_KERNEL };
struct answer {
	enum answer_kind	kind;
	union {
		struct keys_ans		keys;
		struct kernel_ans	kernel;
	} u;
};

struct load {
	struct engine	*engine;
	struct crypto	*crypto;
	struct conf	*conf;		/* our own copy: names and secrets */
	int		 fd[2];		/* 500, 4500 */
	struct answer	*queue;
	size_t		 head, tail;
	uint8_t		*installed;	/* a tunnel: SAs added so far, 2 is up */
	uint32_t	 started, up, window;
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

/* ---- effects ---------------------------------------------------------- */

static struct answer *
answer_new(struct load *l, enum answer_kind kind)
{
	struct answer *a = &l->queue[l->head % QUEUE];

	if (l->head - l->tail == QUEUE)
		errx(1, "more than %d answers wait", QUEUE);
	l->head++;
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return (a);
}

static void
fx_random(void *arg, void *p, size_t len)
{
	(void)arg;
	arc4random_buf(p, len);
}

static void
fx_send(void *arg, const struct endpoint *local, const struct endpoint *remote,
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

static void
fx_keys(void *arg, const struct keys_req *q)
{
	struct load *l = arg;
	struct answer *a = answer_new(l, ANSWER_KEYS);
	const struct conf_peer *p = &l->conf->peers[q->peer];

	keys_auth(l->crypto, q, (struct span){ p->psk, p->psklen }, &a->u.keys);
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	struct load *l = arg;
	struct answer *a;

	if (q->op == KREQ_SA_ADD && q->tunnel < l->conf->ntunnels &&
	    ++l->installed[q->tunnel] == 2)
		l->up++;
	if (q->token == 0)
		return;
	a = answer_new(l, ANSWER_KERNEL);
	a->u.kernel.token = q->token;
}

static void
fx_counters(void *arg, uint64_t token, const struct engine_counters *c)
{
	(void)arg;
	(void)token;
	(void)c;
}

static void
log_emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	if (level == LOGGER_WARN)
		fprintf(stderr, "bench_load: %s\n", line);
}

/* ---- inputs ----------------------------------------------------------- */

static void
answers(struct load *l)
{
	struct answer a;

	while (l->tail != l->head) {
		a = l->queue[l->tail++ % QUEUE];
		if (a.kind == ANSWER_KEYS)
			engine_keys(l->engine, now(), &a.u.keys);
		else
			engine_kernel(l->engine, now(), &a.u.kernel);
	}
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
	engine_datagram(l->engine, now(), &local, &remote, i == 1, p, (size_t)n);
	return (1);
}

/* Starts tunnels until `window` of them are under way. */
static void
start(struct load *l)
{
	const char *why, *name;

	while (l->started < l->conf->ntunnels && l->started - l->up < l->window) {
		name = l->conf->tunnels[l->started++].name;
		if (engine_command(l->engine, now(), CMD_UP, name, WAKE_COMMAND,
		    &why) == -1)
			errx(1, "%s: %s", name, why);
		answers(l);
	}
}

static void
turn(struct load *l)
{
	struct pollfd pfd[2] = { { l->fd[0], POLLIN, 0 }, { l->fd[1], POLLIN, 0 } };
	int64_t wait;
	int i, n;

	wait = mono_diff_us(engine_deadline(l->engine), now()) / 1000 + 1;
	if (wait < 0)
		wait = 0;
	if (wait > 1000)
		wait = 1000;
	if (poll(pfd, 2, (int)wait) > 0)
		for (i = 0; i < 2; i++)
			for (n = 0; n < 64 && receive(l, i); n++)
				answers(l);
	engine_tick(l->engine, now());
	answers(l);
}

/* ---- start ------------------------------------------------------------ */

static int
file_read(void *arg, const char *path, uint8_t **data, size_t *len)
{
	FILE *f = fopen(path, "re");
	size_t cap = 64 * 1024 * 1024;

	(void)arg;
	if (f == NULL)
		return (-1);
	if ((*data = malloc(cap)) == NULL)
		err(1, NULL);
	*len = fread(*data, 1, cap, f);
	fclose(f);
	return (0);
}

static struct conf *
load_conf(const char *path)
{
	struct conf_io io = { file_read, NULL };
	struct conf_errors *e;
	struct conf *c;
	uint8_t *text;
	size_t len;

	if (file_read(NULL, path, &text, &len) == -1)
		err(1, "%s", path);
	if ((e = calloc(1, sizeof(*e))) == NULL)
		err(1, NULL);
	c = conf_parse(path, (char *)text, len, &io, 0, e);
	if (c == NULL)
		errx(1, "%s:%u: %s", path, e->e[0].line, e->e[0].text);
	free(e);
	free(text);
	return (c);
}

static void
caps(struct kern_caps *c)
{
	static const struct xform algs[] = {
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 128 },
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 256 },
		{ .type = XF_ENCR, .id = ENCR_AES_CBC, .keybits = 128 },
		{ .type = XF_ENCR, .id = ENCR_AES_CBC, .keybits = 256 },
		{ .type = XF_INTEG, .id = INTEG_HMAC_SHA2_256_128 },
		{ .type = XF_INTEG, .id = INTEG_HMAC_SHA2_512_256 },
	};

	memset(c, 0, sizeof(*c));
	c->backend = KERN_XFRM;
	c->name = "none";
	c->reqid_max = UINT32_MAX;
	c->replay_max = 4096;
	c->acquire_has_selector = 1;
	c->nalgs = sizeof(algs) / sizeof(algs[0]);
	memcpy(c->algs, algs, sizeof(algs));
}

int
main(int argc, char *argv[])
{
	static const struct engine_opts opts = { 500, 4500 };
	struct logger log = { log_emit, NULL, 0 };
	struct load l;
	struct engine_fx fx = { &l, fx_random, fx_send, fx_keys, fx_kernel, fx_counters,
	    &log };
	const char *file = NULL;
	struct kern_caps kc;
	monotime t0, limit;
	int ch, seconds = 120;

	memset(&l, 0, sizeof(l));
	l.window = 32;
	while ((ch = getopt(argc, argv, "f:t:w:")) != -1)
		switch (ch) {
		case 'f':
			file = optarg;
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'w':
			l.window = (uint32_t)atoi(optarg);
			break;
		default:
			file = NULL;
			optind = argc;
		}
	if (file == NULL || l.window == 0) {
		fprintf(stderr, "usage: bench_load [-t seconds] [-w window] -f file\n");
		return (2);
	}
	l.conf = load_conf(file);
	if ((l.crypto = crypto_new(&log)) == NULL ||
	    (l.engine = engine_new(&fx, l.crypto, &opts)) == NULL ||
	    (l.queue = calloc(QUEUE, sizeof(*l.queue))) == NULL ||
	    (l.installed = calloc(l.conf->ntunnels + 1, 1)) == NULL)
		errx(1, "cannot start");
	if ((l.fd[0] = udp_open(ADDR_V4, 500)) == -1 ||
	    (l.fd[1] = udp_open(ADDR_V4, 4500)) == -1)
		err(1, "UDP ports 500 and 4500");
	(void)signal(SIGTERM, on_term);
	caps(&kc);
	engine_caps(l.engine, &kc);
	engine_conf(l.engine, now(), load_conf(file));

	t0 = now();
	limit = mono_add_ms(t0, (int64_t)seconds * 1000);
	while (l.up < l.conf->ntunnels && mono_before(now(), limit) && !quit) {
		start(&l);
		turn(&l);
	}
	printf("up %u of %u in %.3f s\n", l.up, l.conf->ntunnels,
	    (double)mono_diff_us(now(), t0) / 1e6);
	fflush(stdout);
	while (!quit)
		turn(&l);
	return (l.up == l.conf->ntunnels ? 0 : 1);
}
