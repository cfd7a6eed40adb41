/* SPDX-License-Identifier: ISC */
/* Questions of an engine, copied as a channel would, and their answers. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/floor.h"
#include "bench/stand.h"
#include "proc/keys_auth.h"

#define KEYS_MAX	4096U	/* waiting at once */
#define KERNEL_MAX	65536U
#define COUNTED_MAX	64U
#define MSG_ROOM	1024	/* of an IKE_SA_INIT message */

struct question {
	struct keys_req	q;		/* its spans lead into the room below */
	struct keys_ans	a;
	uint8_t		msg[MSG_ROOM], nonce[256], macid[PRF_MAXLEN], auth[256];
};

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
	struct stand *s = arg;

	s->send(s->arg, local, remote, marker, p, len);
}

static void
keep(struct span *s, uint8_t *room, size_t cap)
{
	if (s->len > cap)
		errx(1, "keys are asked about %zu octets", s->len);
	if (s->len > 0)
		memcpy(room, s->p, s->len);
	s->p = room;
}

static void
fx_keys(void *arg, const struct keys_req *q)
{
	struct stand *s = arg;
	struct question *k;

	if (s->nkeys == KEYS_MAX)
		errx(1, "more than %u questions to keys wait", KEYS_MAX);
	k = &s->keys[s->nkeys++];
	k->q = *q;
	keep(&k->q.msg, k->msg, sizeof(k->msg));
	keep(&k->q.nonce, k->nonce, sizeof(k->nonce));
	keep(&k->q.macid, k->macid, sizeof(k->macid));
	keep(&k->q.auth, k->auth, sizeof(k->auth));
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	struct stand *s = arg;
	struct kernel_ans *a;

	if (q->op == KREQ_SA_ADD) {
		s->adds++;
		if (q->tunnel < s->conf->ntunnels && s->installed[q->tunnel] < 2 &&
		    ++s->installed[q->tunnel] == 2)
			s->up++;
	} else if (q->op == KREQ_SA_DELETE)
		s->deletes++;
	if (q->token == 0)
		return;
	if (s->nkernel == KERNEL_MAX)
		errx(1, "more than %u answers of the kernel wait", KERNEL_MAX);
	a = &s->kernel[s->nkernel++];
	memset(a, 0, sizeof(*a));
	a->token = q->token;
}

/* Nothing has moved. */
static void
fx_count(void *arg, const struct kernel_count *q)
{
	struct stand *s = arg;
	struct kernel_counted *a;

	if (s->ncounted == COUNTED_MAX)
		errx(1, "more than %u answers of the kernel wait", COUNTED_MAX);
	a = &s->counted[s->ncounted++];
	memset(a, 0, sizeof(*a));
	a->token = q->token;
	a->n = q->n;
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
	const char *name = arg;

	if (level == LOGGER_WARN)
		fprintf(stderr, "%s: %s\n", name, line);
}

/* What XFRM on a plain Linux can do, as far as the benchmarks need it. */
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

void
stand_init(struct stand *s, const char *name, stand_send *send, void *arg)
{
	static const struct engine_opts opts = { 500, 4500 };
	struct engine_fx fx = { s, fx_random, fx_send, fx_keys, fx_kernel, fx_count,
	    fx_counters, &s->log, NULL };
	struct kern_caps kc;

	memset(s, 0, sizeof(*s));
	s->log.emit = log_emit;
	if ((s->log.arg = strdup(name)) == NULL)
		err(1, NULL);
	s->send = send;
	s->arg = arg;
	if ((s->crypto = crypto_new(&s->log)) == NULL ||
	    (s->engine = engine_new(&fx, s->crypto, &opts)) == NULL ||
	    (s->keys = calloc(KEYS_MAX, sizeof(*s->keys))) == NULL ||
	    (s->kernel = calloc(KERNEL_MAX, sizeof(*s->kernel))) == NULL ||
	    (s->counted = calloc(COUNTED_MAX, sizeof(*s->counted))) == NULL)
		errx(1, "%s cannot start", name);
	caps(&kc);
	engine_caps(s->engine, &kc);
}

void
stand_conf(struct stand *s, monotime now, const char *file, const char *text,
    size_t len)
{
	struct conf_errors *e;
	struct conf *c;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		err(1, NULL);
	if ((c = conf_parse(file, text, len, NULL, 0, e)) == NULL)
		errx(1, "%s:%u: %s", e->e[0].file, e->e[0].line, e->e[0].text);
	free(e);
	free(s->installed);
	if ((s->installed = calloc((size_t)c->ntunnels + 1, 1)) == NULL)
		err(1, NULL);
	s->conf = c;
	engine_conf(s->engine, now, c);
	stand_answers(s, now);
}

void
stand_free(struct stand *s)
{
	engine_free(s->engine);
	crypto_free(s->crypto);
	free(s->keys);
	free(s->kernel);
	free(s->counted);
	free(s->installed);
	free(s->log.arg);
	memset(s, 0, sizeof(*s));
}

/* As the keys process does it. */
static void
compute(struct stand *s, struct question *k)
{
	const struct conf_peer *p = &s->conf->peers[k->q.peer];
	const char *why;

	memset(&k->a, 0, sizeof(k->a));
	k->a.token = k->q.token;
	if (keys_auth_form(&k->q, &why) == -1)
		errx(1, "keys refuse: %s", why);
	keys_auth(s->crypto, &k->q, (struct span){ p->psk, p->psklen }, &k->a);
}

/* The answers bring new questions, which queue up behind; only when all are answered
 * does the queue begin anew. */
void
stand_answers(struct stand *s, monotime now)
{
	uint32_t i, k = 0, n = 0, m = 0;
	struct kernel_ans a;
	double t0, t1;

	while (k < s->nkeys || n < s->nkernel || m < s->ncounted) {
		t0 = cpu_us();
		for (i = k; i < s->nkeys; i++)
			compute(s, &s->keys[i]);
		t1 = cpu_us();
		s->us[WORK_AUTH] += t1 - t0;
		for (; k < i; k++)
			engine_keys(s->engine, now, &s->keys[k].a);
		while (n < s->nkernel) {
			a = s->kernel[n++];
			engine_kernel(s->engine, now, &a);
		}
		for (; m < s->ncounted; m++)
			engine_counted(s->engine, now, &s->counted[m]);
		s->us[WORK_ANSWER] += cpu_us() - t1;
	}
	s->nkeys = s->nkernel = s->ncounted = 0;
}

void
stand_tick(struct stand *s, monotime now)
{
	double t0 = cpu_us();

	engine_tick(s->engine, now);
	s->us[WORK_TICK] += cpu_us() - t0;
	stand_answers(s, now);
}
