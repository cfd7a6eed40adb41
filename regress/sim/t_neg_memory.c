/* SPDX-License-Identifier: ISC */
/*
 * Negative test 55, where an engine and its configuration begin: each allocation fails in
 * turn.  A configuration that there was no memory for is not half there.  Exchanges are in
 * t_oom and t_memory.
 *
 * ld: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray -Wl,--wrap=engine_conf
 */

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

static long	fail_at, seen;	/* 0: none fails */
static int	at_work, last;	/* within engine_conf(); what it gave */

static int
fails(void)
{
	if (fail_at == 0 || sim_own || !at_work || ++seen != fail_at)
		return (0);
	errno = ENOMEM;
	return (1);
}

#include "wrap.h"

int	__real_engine_conf(struct engine *, monotime, struct conf *);
int	__wrap_engine_conf(struct engine *, monotime, struct conf *);

int
__wrap_engine_conf(struct engine *e, monotime now, struct conf *c)
{
	at_work = 1;
	last = __real_engine_conf(e, now, c);
	at_work = 0;
	return (last);
}

#define FOUR "ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 " \
	"peer 192.0.2.1 psk \"a secret that is long enough\"\n" \
	"ikev2 \"x\" esp from 10.2.0.0/24 to 10.4.0.0/24 local 198.51.100.1 peer 192.0.2.4 " \
	"psk \"another secret, long enough\"\n" \
	"ikev2 \"y\" esp from 10.2.0.0/24 to 10.5.0.0/24 local 198.51.100.1 peer any dstid " \
	"y.example psk \"another secret, long enough\"\n" \
	"ikev2 \"z\" esp from 10.2.0.0/24 to 10.6.0.0/24 local 198.51.100.1 peer any " \
	"psk \"another secret, long enough\"\n"

/* Negative test 55: a reload. */
ATF_TC_WITHOUT_HEAD(n55_reload);
ATF_TC_BODY(n55_reload, tc)
{
	struct sim		*s;
	struct node		*a, *b;
	struct show_tunnel	 t;
	uint32_t		 gen;
	long			 at;
	int			 refused = 0;

	for (at = 1; at < 100; at++) {
		s = sim_pair(110, "ondemand", "passive", "");
		a = s->n[0];
		b = s->n[1];
		ATF_REQUIRE(sim_up(a, "b"));
		gen = b->e->w.conf->gen;
		seen = 0;
		fail_at = at;
		sim_reload(b, FOUR);
		fail_at = 0;
		/* all of the new one, or all of the old one */
		if (last == -1) {
			refused++;
			ATF_CHECK_EQ(b->e->w.conf->gen, gen);
			ATF_CHECK(!sim_tunnel(b, "x", &t));
			ATF_CHECK(sim_logged(b, "the new configuration is not used"));
		} else {
			ATF_CHECK_EQ(b->e->w.conf->gen, gen + 1);
			ATF_CHECK(sim_tunnel(b, "x", &t) && sim_tunnel(b, "z", &t));
		}
		ATF_CHECK(sim_is_up(b, "a"));
		ATF_CHECK_EQ(sim_kernel_count(b), 2);
		sim_run(s, 5000);
		/* the next one has memory again */
		sim_reload(b, FOUR);
		ATF_CHECK_EQ(last, 0);
		ATF_CHECK(sim_tunnel(b, "x", &t));
		sim_run(s, 20000);
		ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
		ATF_CHECK(sim_mirror(a, b, "b", "a"));
		sim_cmd(a, CMD_DOWN, "b");
		sim_run(s, 1000);
		ATF_CHECK_MSG(sim_up(a, "b"), "allocation %ld", at);
		sim_free(s);
		if (seen < at)
			break;		/* it did not come to that one */
	}
	ATF_CHECK_MSG(at > 8 && at < 100, "%ld allocations", at);
	ATF_CHECK_MSG(refused > 4, "%d refused", refused);
}

static void
no_random(void *arg, void *p, size_t n)
{
	(void)arg;
	memset(p, 4, n);
}

/* Negative test 55: an engine is there or it is not. */
ATF_TC_WITHOUT_HEAD(n55_start);
ATF_TC_BODY(n55_start, tc)
{
	static const struct engine_opts	o = { .port = 5500, .natt_port = 5545 };
	struct engine_fx		fx;
	struct engine			*e = NULL;
	long				at;

	memset(&fx, 0, sizeof(fx));
	fx.random = no_random;
	for (at = 1; at < 20 && e == NULL; at++) {
		seen = 0;
		fail_at = at;
		at_work = 1;
		e = engine_new(&fx, NULL, &o);
		at_work = 0;
		ATF_CHECK_EQ(e != NULL, seen < at);
	}
	fail_at = 0;
	ATF_REQUIRE(e != NULL);
	ATF_CHECK(at > 3);
	ATF_CHECK(e->w.port == 5500 && e->w.natt_port == 5545);
	ATF_CHECK_EQ(engine_deadline(e).us, MONO_NEVER.us);
	/* nothing is known yet, and nothing is found */
	engine_acquire(e, (monotime){ 1000000 }, 1, 0, NULL, NULL, 1);
	engine_tick(e, (monotime){ 2000000 });
	engine_free(e);
	engine_free(NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n55_reload);
	ATF_TP_ADD_TC(tp, n55_start);
	return (atf_no_error());
}
