/* SPDX-License-Identifier: ISC */
/*
 * Records of moved IKE SAs.  What is refused has changed nothing and was told to nobody.
 * What is taken can be moved on to another engine, lives for a while with a kernel that
 * knows every second of its SAs, and is freed.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	LLVMFuzzerInitialize(int *, char ***);

#define ASKED	64

static const char text[] = "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long enough\"\n"
    "ikev2 \"b2\" ondemand esp from 10.1.1.0/24 to 10.2.1.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long enough\"\n";

static struct crypto	*crypto;
static uint64_t		 asked[ASKED];
static struct kernel_counted counting;	/* the last that was asked for */
static unsigned		 nasked, told;
static uint8_t		 again[ENGINE_RECORD_MAX];

static void
must(int x)
{
	if (!x)
		abort();
}

static void
fx_random(void *arg, void *p, size_t n)
{
	static uint64_t	 x = 88172645463325252ULL;
	uint8_t		*q = p;

	(void)arg;
	while (n-- > 0) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		*q++ = (uint8_t)x;
	}
}

static void
fx_send(void *arg, const struct endpoint *local, const struct endpoint *remote, int marker,
    const uint8_t *p, size_t len)
{
	(void)arg;
	(void)local;
	(void)remote;
	(void)marker;
	must(len > 0 && p != NULL);
	told++;
}

static void
fx_keys(void *arg, const struct keys_req *q)
{
	(void)arg;
	(void)q;
	told++;
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	(void)arg;
	must(q->tunnel < 2 && q->token != 0);
	told++;
	if (nasked < ASKED)
		asked[nasked++] = q->token;
}

static void
fx_count(void *arg, const struct kernel_count *q)
{
	(void)arg;
	must(q->n > 0 && q->n <= COUNT_MAX && q->token != 0);
	told++;
	counting.token = q->token;
	counting.n = q->n;
}

static void
fx_counters(void *arg, uint64_t token, const struct engine_counters *c)
{
	(void)arg;
	(void)token;
	(void)c;
}

static void
emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	must(strlen(line) < 1024);
}

static const struct logger	lg = { emit, NULL, 1, NULL };

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must((crypto = crypto_new(NULL)) != NULL);
	return (0);
}

static void
caps(struct kern_caps *c)
{
	static const struct xform algs[] = {
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 256 },
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 128 },
		{ .type = XF_ENCR, .id = ENCR_AES_CBC, .keybits = 256 },
		{ .type = XF_INTEG, .id = INTEG_HMAC_SHA2_256_128 },
	};

	memset(c, 0, sizeof(*c));
	c->backend = KERN_XFRM;
	c->name = "none";
	c->reqid_max = UINT32_MAX;
	c->replay_max = 4096;
	c->nalgs = sizeof(algs) / sizeof(algs[0]);
	memcpy(c->algs, algs, sizeof(algs));
}

static struct engine *
engine(monotime now)
{
	static struct conf_errors	 errs;
	const struct engine_fx		 fx = { NULL, fx_random, fx_send, fx_keys, fx_kernel, fx_count,
	    fx_counters, &lg, NULL };
	struct engine			*e;
	struct kern_caps		 c;
	struct conf			*conf;

	must((e = engine_new(&fx, crypto, NULL)) != NULL);
	caps(&c);
	engine_caps(e, &c);
	conf = conf_parse("fuzz", text, sizeof(text) - 1, NULL, 0, &errs);
	must(conf != NULL);
	conf->gen = 1;
	engine_hold(e, now, 1);
	must(engine_conf(e, now, conf) == 0);
	return (e);
}

static void
move_on(struct engine *e, monotime now)
{
	struct engine	*f = engine(now);
	const char	*why;
	uint64_t	 at = 0;
	size_t		 len;

	/* nothing but an IV counter near its end may keep it */
	if (engine_export(e, now, &at, again, sizeof(again), &len))
		must(engine_import(f, now, again, len, &why) == 0);
	engine_free(f);
}

static void
live(struct engine *e, monotime now)
{
	struct kernel_ans	a;
	monotime		t;
	unsigned		i, n;

	engine_hold(e, now, 0);
	for (n = 0; n < 100; n++) {
		memset(&a, 0, sizeof(a));
		for (i = 0; i < nasked; i++) {
			a.token = asked[i];
			a.err = i & 1 ? ESRCH : 0;
			asked[i] = 0;
			engine_kernel(e, now, &a);
		}
		nasked = 0;
		counting.in[0].err = n & 1 ? ESRCH : 0;
		counting.out[0].packets++;
		engine_counted(e, now, &counting);
		t = engine_deadline(e);
		if (t.us == MONO_NEVER.us)
			return;
		if (mono_before(now, t))
			now = t;
		engine_tick(e, now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const monotime	now = { 1000000000 };
	struct engine	*e = engine(now);
	const char	*why = NULL;

	nasked = told = 0;
	if (engine_import(e, now, data, len, &why) == 0) {
		must(why == NULL && e->w.ikes.used == 1);
		move_on(e, now);
		live(e, now);
	} else
		must(why != NULL && told == 0 && e->w.ikes.used == 0 &&
		    e->w.childs.used == 0);
	engine_free(e);
	return (0);
}
