/* SPDX-License-Identifier: ISC */
/* One virtual world for netwatchd's core: the target, the way to it, and iked. */
#ifndef WATCHWORLD_H
#define WATCHWORLD_H

#include <atf-c.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch.h"

#define MAXFLIGHT	4096

struct flight {
	monotime	at;
	struct addr	from;
	struct probe	p;
	int		expired;	/* it is the gateway's error */
};

/* One virtual world. */
static struct world {
	monotime	now;
	uint32_t	rnd;
	struct watch	*w;
	struct watch_io	io;
	struct logger	log;
	char		lines[65536];
	/* the way to the target */
	int		answers;	/* echo replies come */
	uint32_t	muted;		/* but not of these: a bit each by the last octet */
	int		gate;		/* the gateway says that a TTL was exceeded, */
	uint8_t		gate_own;	/* but not to this octet, which is its own */
	unsigned int	ngate;		/* probes with TTL 1 */
	struct addr	last_gate;
	int		cut;		/* nothing passes, IKE included */
	struct conf_keepalive *ka;	/* NULL: of before there were any */
	int64_t		rtt_us;
	int		senderr;
	struct flight	flight[MAXFLIGHT];
	size_t		nflight;
	/* what was sent */
	unsigned int	nprobes, noutside;
	struct addr	last_src;
	monotime	last_probe, sent_at[MAXFLIGHT];
	struct prefix	selector;
	/* iked */
	int		linked, tunnel_up, eaten, backtraffic, rekeying;
	uint32_t	spi;
	struct addr	given;		/* by the peer, IPv4 */
	uint64_t	out, in;
	const char	*up_error;
	unsigned int	nups, ncounters, nreports;
	monotime	up_at[256];
	char		last_report[WATCH_CMDLEN];
	/* the ladder: what of it heals */
	int		peer_dead, healed_by;
	char		reserve[512];	/* what was said of backups */
	monotime	reserved;	/* when, the last time */
	int		asked;		/* by a check */
	unsigned int	nchecks, nacts[4];
	monotime	heard, acted[4];
} W;

static struct addr
A(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, s));
	return (a);
}

static void
emit(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(W.lines);

	(void)arg;
	(void)level;
	(void)snprintf(W.lines + n, sizeof(W.lines) - n, "%s\n", line);
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	W.rnd = W.rnd * 1664525u + 1013904223u;
	return (W.rnd >> 8);
}

static int
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	if (!prefix_contains(&W.selector, src))
		W.noutside++;
	W.last_src = *src;
	W.last_probe = W.now;
	W.sent_at[W.nprobes % MAXFLIGHT] = W.now;
	W.nprobes++;
	if (W.senderr != 0)
		return (W.senderr);
	if (W.tunnel_up && !W.eaten)
		W.out++;
	if (p->slot & WATCH_GATE_SLOT) {
		ATF_CHECK_EQ(1, p->ttl);
		W.ngate++;
		W.last_gate = *dst;
	}
	if (W.cut)
		return (0);
	if ((p->slot & WATCH_GATE_SLOT) && dst->b[3] != W.gate_own) {
		if (W.gate && W.nflight < MAXFLIGHT)
			W.flight[W.nflight++] = (struct flight){
			    mono_add_us(W.now, W.rtt_us), *dst, *p, 1 };
		return (0);
	}
	if (W.answers && !(W.muted & 1U << (dst->b[3] & 31)) && W.nflight < MAXFLIGHT) {
		W.flight[W.nflight++] = (struct flight){
		    mono_add_us(W.now, W.rtt_us), *dst, *p, 0 };
	}
	return (0);
}

static void
world(const char *selector)
{
	memset(&W, 0, sizeof(W));
	W.now.us = 1000000000;
	W.rnd = 1;
	W.rtt_us = 30000;
	W.spi = 0x1000;
	W.log = (struct logger){ emit, NULL, 1, NULL };
	W.io = (struct watch_io){ NULL, probe, random32, &W.log, NULL, NULL };
	ATF_REQUIRE_EQ(0, prefix_parse(&W.selector, selector));
	W.w = watch_new(&W.io);
	ATF_REQUIRE(W.w != NULL);
}

static void
target(const char *name, const char *from, const char *to, const char *dst,
    uint32_t interval_ms)
{
	struct watch_conf wc;

	memset(&wc, 0, sizeof(wc));
	(void)snprintf(wc.name, sizeof(wc.name), "%s", name);
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], from));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], to));
	wc.nfrom = wc.nto = 1;
	wc.target = A(dst);
	wc.interval_ms = interval_ms;
	wc.ka = W.ka;
	ATF_REQUIRE_EQ(0, watch_conf_add(W.w, &wc));
}

static inline void
boise(void)
{
	watch_conf_begin(W.w);
	target("boise", "10.1.0.0/24", "10.2.0.0/24", "10.2.0.1", 10000);
	watch_conf_commit(W.w, W.now);
}

static void
addrs(const char *a, const char *b)
{
	struct addr list[2];
	size_t n = 0;

	if (a != NULL)
		list[n++] = A(a);
	if (b != NULL)
		list[n++] = A(b);
	ATF_REQUIRE_EQ(0, watch_addrs(W.w, list, n, W.now));
}

static void
link_iked(int on)
{
	W.linked = on;
	watch_link(W.w, on, W.now);
}

enum { REKEY = 1, RECREATE, RESET };

static void
recover(const char *line)
{
	int what = strncmp(line, "rekey ", 6) == 0 ? REKEY :
	    strncmp(line, "recreate ", 9) == 0 ? RECREATE :
	    strncmp(line, "reset ", 6) == 0 ? RESET : 0;

	ATF_REQUIRE(what != 0);
	W.acted[what] = W.now;
	W.nacts[what]++;
	W.spi++;
	W.out = W.in = 0;
	if (what == W.healed_by)
		W.answers = 1;
}

/* iked, as far as the core sees it */
static void
iked(void)
{
	struct watch_counters c;
	struct watch_cmd cmd;

	while (watch_command(W.w, &cmd, W.now)) {
		ATF_REQUIRE(W.linked);
		switch (cmd.kind) {
		case WATCH_CMD_UP:
			W.up_at[W.nups++ % 256] = W.now;
			watch_answer(W.w, &cmd, W.up_error, NULL, W.now);
			break;
		case WATCH_CMD_COUNTERS:
			W.ncounters++;
			if (W.backtraffic) {
				W.in += 7;
				W.out += 7;
			}
			c = (struct watch_counters){ .has_sa = W.tunnel_up,
			    .spi_out = W.spi, .packets_in = W.in,
			    .packets_out = W.out, .rekeying = W.rekeying,
			    .given = { W.given },
			    .ike_up = 1, .last_in_ms =
			    (uint32_t)(mono_diff_us(W.now, W.heard) / 1000) };
			watch_answer(W.w, &cmd, W.tunnel_up ? NULL :
			    "no SA", &c, W.now);
			break;
		case WATCH_CMD_CHECK:
			W.nchecks++;
			W.asked = 1;
			if (!W.peer_dead && !W.cut)
				W.heard = W.now;
			watch_answer(W.w, &cmd, NULL, NULL, W.now);
			break;
		case WATCH_CMD_RESERVE:
			(void)snprintf(W.reserve + strlen(W.reserve), sizeof(W.reserve) -
			    strlen(W.reserve), "%s\n", cmd.line);
			W.reserved = W.now;
			watch_answer(W.w, &cmd, NULL, NULL, W.now);
			break;
		case WATCH_CMD_RECOVER:
			recover(cmd.line);
			watch_answer(W.w, &cmd, NULL, NULL, W.now);
			break;
		case WATCH_CMD_REPORT:
			W.nreports++;
			(void)snprintf(W.last_report, sizeof(W.last_report),
			    "%s", cmd.line);
			watch_answer(W.w, &cmd, NULL, NULL, W.now);
			break;
		}
	}
}

static monotime
next_reply(size_t *which)
{
	monotime t = MONO_NEVER;
	size_t i;

	for (i = 0; i < W.nflight; i++)
		if (mono_before(W.flight[i].at, t)) {
			t = W.flight[i].at;
			*which = i;
		}
	return (t);
}

static void
expired(const struct flight *f)
{
	struct icmp_error e;

	memset(&e, 0, sizeof(e));
	e.kind = ICMP_EXPIRED;
	e.whole = 1;
	e.p = f->p;
	e.src = W.last_src;
	e.dst = f->from;
	watch_error(W.w, &f->from, &e, W.now);
}

static void
run_ms(int64_t ms)
{
	monotime end = mono_add_ms(W.now, ms), d, r;
	struct flight f;
	size_t i = 0;

	iked();
	for (;;) {
		d = watch_deadline(W.w);
		r = next_reply(&i);
		if (mono_before(end, d) && mono_before(end, r))
			break;
		if (mono_before(d, r)) {
			if (mono_before(W.now, d))
				W.now = d;
			watch_expire(W.w, W.now);
		} else {
			f = W.flight[i];
			W.flight[i] = W.flight[--W.nflight];
			if (mono_before(W.now, f.at))
				W.now = f.at;
			if (W.cut)
				continue;
			if (W.tunnel_up && !W.eaten)
				W.in++;
			if (f.expired)
				expired(&f);
			else
				watch_reply(W.w, &f.from, &f.p, W.now);
		}
		iked();
	}
	W.now = end;
}

static struct watch_status
status(void)
{
	struct watch_status st;

	ATF_REQUIRE_EQ(0, watch_status(W.w, 0, &st));
	return (st);
}

static inline int
logged(const char *what)
{
	return (strstr(W.lines, what) != NULL);
}

static void
done(void)
{
	ATF_CHECK_EQ_MSG(0, W.noutside, "%u probes had a source outside %s",
	    W.noutside, "the selector");
	watch_free(W.w);
	conf_keepalive_unref(W.ka);
}

#endif
