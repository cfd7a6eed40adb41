/* SPDX-License-Identifier: ISC */
/*
 * The engine alone: two of them in one process, initiator and responder, on a virtual
 * clock, with a wire that is a queue.
 *
 *	bench_engine [-n tunnels] [-w window]
 *
 * Tunnels (10000) come up `window` (32) at a time.  What is printed is the responder's
 * share: CPU time is read before and after each batch of calls into its engine, so that
 * the initiator's work, which alternates with it, is left out; so is its heap.  AUTH is
 * computed outside the engine, as in the daemon, and accounted for apart, though
 * without the channels between processes; totals include it.  Nothing is installed in a kernel.
 *
 * The floor (X25519 keygen + derive) is measured before and after each part.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/floor.h"
#include "bench/heap.h"
#include "bench/stand.h"

#define BOX		16384U	/* datagrams that may be on their way to one side */
#define DATAGRAM	1500
#define STEP_US		100	/* of virtual time, a turn */
#define FLOOR_N		2000

/* Datagrams on their way to one side, as it will see them. */
struct box {
	struct datagram {
		struct endpoint	local, remote;
		int		natt;
		size_t		len;
		uint8_t		p[DATAGRAM];
	}		*d;
	uint32_t	 head, tail;
};

struct bench {
	struct stand	 init, resp;
	struct box	 to_init, to_resp;
	monotime	 now;
	uint32_t	 ntunnels, window, started;
	uint64_t	 datagrams;	/* that the responder has taken */
	size_t		 heap;		/* of the responder, since the start */
	double		 floor;		/* last measured */
};

/* One part of the run: what the responder had spent at its begin. */
struct part {
	double		us[WORKS], floor;
	uint64_t	datagrams;
};

/* ---- the wire */

static void
send_to(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	struct box *b = arg;
	struct datagram *d;

	if (b->head == b->tail)
		b->head = b->tail = 0;	/* the same memory again: it is in the cache */
	if (b->head == BOX || len > sizeof(d->p))
		errx(1, "%zu octets do not fit on the wire", len);
	d = &b->d[b->head++];
	d->local = *remote;
	d->remote = *local;
	d->natt = marker;
	d->len = len;
	memcpy(d->p, p, len);
}

/* All that has come for one side, and what follows from it. */
static void
deliver(struct bench *b, struct stand *s, struct box *box)
{
	double t0 = cpu_us();
	struct datagram *d;

	/* an engine sends to the other's box only: this one stays as it is */
	for (; box->tail != box->head; box->tail++) {
		d = &box->d[box->tail];
		engine_datagram(s->engine, b->now, &d->local, &d->remote, d->natt,
		    d->p, d->len);
	}
	s->us[WORK_DATAGRAM] += cpu_us() - t0;
	stand_answers(s, b->now);
}

/* Until nothing is on its way. Timers do not fire. */
static void
exchange(struct bench *b)
{
	size_t before;

	while (b->to_init.head != b->to_init.tail ||
	    b->to_resp.head != b->to_resp.tail) {
		b->now = mono_add_us(b->now, STEP_US);
		before = heap_used();
		b->datagrams += b->to_resp.head - b->to_resp.tail;
		deliver(b, &b->resp, &b->to_resp);
		b->heap += heap_used() - before;
		deliver(b, &b->init, &b->to_init);
	}
}

/* Virtual time passes, with all timers. */
static void
pass(struct bench *b, int64_t ms)
{
	monotime end = mono_add_ms(b->now, ms);

	while (mono_before(b->now, end)) {
		b->now = mono_add_ms(b->now, 10);
		stand_tick(&b->init, b->now);
		stand_tick(&b->resp, b->now);
		exchange(b);
	}
}

/* ---- the configuration */

static void
net(char *dst, size_t cap, unsigned int first, uint32_t i)
{
	snprintf(dst, cap, "%u.%u.%u.%u", first >> 8, (first & 0xff) + i / 62500,
	    i / 250 % 250, i % 250 + 1);
}

/* n statements, each with a peer of its own; the responder is 192.0.2.2. */
static void
configure(struct bench *b, struct stand *s, int responder)
{
	static const char how[] = "ikesa enc aes-128-gcm prf hmac-sha2-256 "
	    "group curve25519 childsa enc aes-128-gcm psk \"Wz7mQ2xK9vLr4TbN8cHd\"";
	char *text, peer[20], host[20];
	size_t len = 0, cap = (size_t)b->ntunnels * 320 + 100;
	uint32_t i;

	if ((text = malloc(cap)) == NULL)
		err(1, NULL);
	/* liveness is asked for by the initiator alone */
	len += (size_t)snprintf(text, cap, "set dpd_check_interval %d\n",
	    responder ? 0 : 10);
	for (i = 0; i < b->ntunnels; i++) {
		net(peer, sizeof(peer), 10 << 8 | 64, i);
		net(host, sizeof(host), 172 << 8 | 16, i);
		len += (size_t)snprintf(text + len, cap - len, responder ?
		    "ikev2 \"t%u\" passive tunnel esp from 10.2.0.0/24 to %s "
		    "local 192.0.2.2 peer %s %s\n" :
		    "ikev2 \"t%u\" ondemand tunnel esp from %s to 10.2.0.0/24 "
		    "local %s peer 192.0.2.2 %s\n", i, host, peer, how);
	}
	stand_conf(s, b->now, responder ? "responder" : "initiator", text, len);
	free(text);
}

/* ---- accounting */

static void
part_begin(struct bench *b, struct part *p)
{
	memcpy(p->us, b->resp.us, sizeof(p->us));
	p->datagrams = b->datagrams;
	p->floor = b->floor = floor_us(b->resp.crypto, FLOOR_N);
}

/* What the part took. */
static void
part_end(struct bench *b, struct part *p)
{
	int i;

	for (i = 0; i < WORKS; i++)
		p->us[i] = b->resp.us[i] - p->us[i];
	p->datagrams = b->datagrams - p->datagrams;
	b->floor = floor_us(b->resp.crypto, FLOOR_N);
	p->floor = (p->floor + b->floor) / 2;
}

static double
engine_part(const struct part *p)
{
	return (p->us[WORK_DATAGRAM] + p->us[WORK_ANSWER] + p->us[WORK_TICK]);
}

/* ---- the parts */

static void
command(struct bench *b, enum engine_cmd cmd, uint32_t i)
{
	const char *why, *name = b->init.conf->tunnels[i].name;

	if (engine_command(b->init.engine, b->now, cmd, name, WAKE_COMMAND, &why) == -1)
		errx(1, "%s: %s", name, why);
	stand_answers(&b->init, b->now);
}

/* Tunnels up to the n-th come up: CPU a handshake, printed and given back. */
static double
handshakes(struct bench *b, uint32_t n)
{
	uint32_t i, first = b->started;
	struct part p;
	double eng, sum;

	part_begin(b, &p);
	while (b->started < n) {
		for (i = 0; i < b->window && b->started < n; i++)
			command(b, CMD_UP, b->started++);
		exchange(b);
	}
	part_end(b, &p);
	if (b->resp.up != n || b->init.up != n)
		errx(1, "%u and %u of %u tunnels are up", b->resp.up, b->init.up, n);
	eng = engine_part(&p) / (n - first);
	sum = eng + p.us[WORK_AUTH] / (n - first);
	printf("  %6u to %6u %9.1f %9.1f %9.1f %9.1f %8.0f %%\n", first, n, eng,
	    sum - eng, sum, p.floor, 100 * p.floor / sum);
	return (sum);
}

/* n Children, spread over all: new keys, and the old SA deleted. */
static void
rekeys(struct bench *b, uint32_t n)
{
	uint64_t adds = b->resp.adds, deletes = b->resp.deletes;
	uint32_t i, k;
	struct part p;
	double sum;

	part_begin(b, &p);
	for (i = 0; i < n; exchange(b))
		for (k = 0; k < b->window && i < n; k++, i++)
			command(b, CMD_REKEY,
			    (uint32_t)((uint64_t)i * b->ntunnels / n));
	part_end(b, &p);
	if (b->resp.adds - adds != 2 * n || b->resp.deletes - deletes != 2 * n)
		errx(1, "%u rekeys: %ju ESP SAs added, %ju deleted", n,
		    (uintmax_t)(b->resp.adds - adds),
		    (uintmax_t)(b->resp.deletes - deletes));
	sum = engine_part(&p) / n;
	printf("  a Child rekeyed without PFS, the old one deleted: %.1f us "
	    "(%.0f %% of the floor's %.1f us)\n", sum, 100 * sum / p.floor, p.floor);
}

/* The initiator asks every 10 s less jitter; the responder answers, and looks
 * after idle Children. */
static void
rest(struct bench *b, int64_t secs)
{
	struct part p;
	double check, idle;

	pass(b, 30000);		/* fresh Children are looked at more often */
	part_begin(b, &p);
	pass(b, secs * 1000);
	part_end(b, &p);
	if (p.datagrams == 0)
		errx(1, "nobody asked for liveness");
	check = p.us[WORK_DATAGRAM] / (double)p.datagrams;
	idle = (p.us[WORK_TICK] + p.us[WORK_ANSWER]) / (double)secs;
	printf("  a liveness check answered: %.1f us (%.0f %% of the floor's %.1f us), "
	    "mean of %ju\n", check, 100 * check / p.floor, p.floor,
	    (uintmax_t)p.datagrams);
	printf("  all timers of %u idle tunnels: %.0f us a second, %.2f %% of a core\n",
	    b->ntunnels, idle, idle / 1e4);
}

/* ---- start */

static void
open_bench(struct bench *b)
{
	size_t before;

	b->now.us = 1000000000;
	if ((b->to_init.d = calloc(BOX, sizeof(*b->to_init.d))) == NULL ||
	    (b->to_resp.d = calloc(BOX, sizeof(*b->to_resp.d))) == NULL)
		err(1, NULL);
	stand_init(&b->init, "initiator", send_to, &b->to_resp);
	stand_init(&b->resp, "responder", send_to, &b->to_init);
	configure(b, &b->init, 0);
	before = heap_used();
	configure(b, &b->resp, 1);
	printf("PSK, X25519, AES-128-GCM, prf HMAC-SHA2-256, one Child SA; the responder's "
	    "share\nof two engines in one process, %u handshakes at a time; CPU in us\n",
	    b->window);
	if (heap_used() != 0)
		printf("  heap of %u configured tunnels, none up: %zu bytes a tunnel\n",
		    b->ntunnels, (heap_used() - before) / b->ntunnels);
}

static void
run(struct bench *b)
{
	uint32_t n = b->ntunnels, k = n < 10000 ? n / 10 : 1000;
	double first, last;

	printf("  %16s %9s %9s %9s %9s %10s\n", "IKE SAs", "engine", "AUTH",
	    "total", "X25519", "of floor");
	first = handshakes(b, k);
	(void)handshakes(b, n - k);
	last = handshakes(b, n);
	printf("  cost of a handshake at %u IKE SAs, to that at %u: %+.1f %%\n", n, k,
	    100 * (last - first) / first);
	if (heap_used() != 0)
		printf("  heap of an IKE SA with one Child: %zu bytes\n", b->heap / n);
	rekeys(b, k);
	rest(b, 20);
}

static uint32_t
number(const char *s, uint32_t min, uint32_t max)
{
	const char *why;
	long long v = strtonum(s, min, max, &why);

	if (why != NULL)
		errx(2, "%s is %s: %u to %u", s, why, min, max);
	return ((uint32_t)v);
}

int
main(int argc, char *argv[])
{
	struct bench b;
	int ch;

	memset(&b, 0, sizeof(b));
	b.ntunnels = 10000;
	b.window = 32;
	while ((ch = getopt(argc, argv, "n:w:")) != -1)
		switch (ch) {
		case 'n':
			b.ntunnels = number(optarg, 10, CONF_MAXTUNNELS);
			break;
		case 'w':
			b.window = number(optarg, 1, 512);
			break;
		default:
			fprintf(stderr, "usage: bench_engine [-n tunnels] [-w window]\n");
			return (2);
		}
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_bench(&b);
	run(&b);
	stand_free(&b.init);
	stand_free(&b.resp);
	free(b.to_init.d);
	free(b.to_resp.d);
	return (0);
}
