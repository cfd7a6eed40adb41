/* SPDX-License-Identifier: ISC */
/* The simulation: nodes, effects, keys, the clock. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "proc/keys_auth.h"
#include "invariant.h"
#include "sim_local.h"

#define KEYS_US	150	/* an answer of keys takes so long */

volatile int	sim_own;	/* a compiler thinks calloc() looks at nothing */

uint64_t
sim_rand(uint64_t *s)
{
	uint64_t	z = (*s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

void
sim_die(const char *what)
{
	fprintf(stderr, "simulation: %s\n", what);
	abort();
}

void *
sim_alloc(size_t n)
{
	void	*p;

	sim_own++;
	p = calloc(1, n);
	sim_own--;
	if (p == NULL)
		sim_die("out of memory");
	return (p);
}

void *
sim_grow(void *p, size_t n, size_t size)
{
	sim_own++;
	p = reallocarray(p, n, size);
	sim_own--;
	if (p == NULL)
		sim_die("out of memory");
	return (p);
}

/* ---- what happened */

const char *
sim_fault_name(enum fault f)
{
	static const char *const	names[FAULTS] = {
		"lost", "doubled", "delayed", "cut", "NAT moved", "kernel refuses",
		"kernel late", "kernel mute", "SA lost", "SA expired", "event lost",
		"keys late", "keys mute", "keys refuse", "crash", "sleep", "reload",
		"shutdown", "flush", "command",
	};

	return (names[f]);
}

void
sim_fault(struct sim *s, enum fault f)
{
	s->faults[f]++;
}

/* Every effect, with its time: two runs of a seed are the same, or something in them is
 * not a function of it. */
void
sim_mix(struct sim *s, const void *data, size_t n)
{
	const uint8_t	*p = data;
	uint64_t	 h = s->trace ^ (uint64_t)s->now.us * 0x9e3779b97f4a7c15ULL, x;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&x, p, 8);
		h = (h ^ x) * 0x94d049bb133111ebULL;
		h ^= h >> 29;
	}
	for (x = n; n > 0; n--)
		x = x << 8 | *p++;
	h = (h ^ x) * 0xbf58476d1ce4e5b9ULL;
	s->trace = h ^ h >> 32;
}

static void
tell(const struct sim *s, const char *who, const char *fmt, va_list ap)
{
	char	line[600];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	fprintf(stderr, "%10.6f %s: %s\n", (double)(s->now.us - SIM_START) / 1e6, who, line);
}

void
sim_say(const struct node *n, const char *fmt, ...)
{
	va_list	ap;

	if (!n->sim->verbose)
		return;
	va_start(ap, fmt);
	tell(n->sim, n->name, fmt, ap);
	va_end(ap);
}

void
sim_wrong(struct sim *s, const char *fmt, ...)
{
	va_list	ap;

	if (s->wrong++ > 20)
		return;
	va_start(ap, fmt);
	tell(s, "WRONG", fmt, ap);
	va_end(ap);
}

static void
emit(void *arg, enum log_level lv, const char *line)
{
	struct node	*n = arg;
	size_t		 len = strlen(line);

	(void)lv;
	sim_say(n, "%s", line);
	sim_mix(n->sim, line, len);
	if (len > 598)
		len = 598;
	if (n->loglen + 600 > SIM_LOG)
		n->loglen = 0;
	if (n->loglen + 600 > n->caplog) {
		n->caplog = n->caplog == 0 ? 8192 : n->caplog * 2;
		n->log = sim_grow(n->log, n->caplog, 1);
	}
	memcpy(n->log + n->loglen, line, len);
	n->loglen += len;
	n->log[n->loglen++] = '\n';
}

/* ---- effects */

static void
fx_random(void *arg, void *p, size_t len)
{
	struct node	*n = arg;
	uint8_t		*b = p;
	size_t		 i;

	for (i = 0; i < len; i++)
		b[i] = (uint8_t)sim_rand(&n->rng);
	/* a secret that is as long can begin so as well */
	if (n->nonce0 != 0 && len == 32)
		b[0] = (uint8_t)(n->nonce0 - 1);
}

static void
fx_send(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	struct node	*n = arg;
	struct packet	 pkt;
	uint8_t		*copy;

	memset(&pkt, 0, sizeof(pkt));
	pkt.src = *local;
	if (addr_is_any(&pkt.src.addr)) {
		if (sim_source(n, &remote->addr) == NULL)
			return;
		pkt.src.addr = *sim_source(n, &remote->addr);
	}
	copy = sim_alloc(len);
	memcpy(copy, p, len);
	pkt.dst = *remote;
	pkt.ike = 1;
	pkt.marker = marker;
	pkt.p = copy;
	pkt.len = len;
	sim_mix(n->sim, p, len);
	if (n->sim->inv != NULL)
		invariant_sent(n->sim, n, p, len);
	if (n->die_in > 0 && --n->die_in == 0)
		n->doomed = 1;
	net_send(n->sim, n, &pkt);
	free(copy);
}

static int64_t
keys_delay(struct node *n)
{
	int64_t	us = KEYS_US;

	if (n->keys_slow_us > 0) {
		us += (int64_t)(sim_rand(&n->rng) % (uint64_t)n->keys_slow_us);
		sim_fault(n->sim, F_KEYS_LATE);
	}
	return (us);
}

static void
keys_do(struct node *n, const struct keys_req *q, struct keys_ans *a)
{
	const struct conf_peer	*peer;
	const char		*why;

	if (n->keys_refuse) {
		sim_fault(n->sim, F_KEYS_REFUSE);
		return;
	}
	if (q->gen != n->secrets->gen || q->peer >= n->secrets->npeers)
		return;
	if (keys_auth_form(q, &why) == -1) {
		log_debug(&n->logger, "keys refuse: %s", why);
		return;
	}
	peer = &n->secrets->peers[q->peer];
	keys_auth_peer(n->sim->crypto, q, peer, n->sim->now.us / 1000000, a);
}

static void
fx_keys(void *arg, const struct keys_req *q)
{
	struct node	*n = arg;
	struct ev	 e;

	if (n->keys_mute) {
		sim_fault(n->sim, F_KEYS_MUTE);
		return;
	}
	ev_init(&e, n, EV_KEYS, keys_delay(n));
	e.u.keys = sim_alloc(sizeof(*e.u.keys));
	e.u.keys->token = q->token;
	keys_do(n, q, e.u.keys);
	if (n->sim->inv != NULL)
		invariant_keys(n->sim, n, q, e.u.keys);
	ev_put(n->sim, &e);
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	struct node	*n = arg;

	if (n->sim->inv != NULL)
		invariant_kernel(n->sim, n, q);
	kern_request(n, q);
}

static void
fx_counters(void *arg, uint64_t token, const struct engine_counters *c)
{
	struct node	*n = arg;

	n->counters_token = token;
	n->counters = *c;
}

static void
fx_event(void *arg, const struct show_event *ev)
{
	struct node	*n = arg;

	if (n->nev < sizeof(n->ev) / sizeof(n->ev[0]))
		n->ev[n->nev++] = *ev;
}

/* ---- the clock */

static void
ev_engine(struct sim *s, struct node *n, struct ev *e)
{
	const struct ev_sa	*x = e->u.sa;

	if (s->inv != NULL && e->kind == EV_KEYS)
		invariant_answer(s, n, e->u.keys);
	else if (s->inv != NULL)
		invariant_other(s, n);
	switch (e->kind) {
	case EV_KEYS:
		engine_keys(n->e, s->now, e->u.keys);
		break;
	case EV_KERNEL:
		engine_kernel(n->e, s->now, e->u.kern);
		break;
	case EV_COUNTED:
		engine_counted(n->e, s->now, e->u.counted);
		break;
	case EV_EXPIRE:
		engine_expire(n->e, s->now, x->spi, &x->dst, x->hard);
		break;
	case EV_MAPPING:
		engine_mapping(n->e, s->now, x->spi, &x->src);
		break;
	case EV_LOST:
		engine_lost(n->e, s->now);
		break;
	default:
		engine_acquire(n->e, s->now, e->u.acq->gen, e->u.acq->tunnel,
		    s->acquire_no_ts ? NULL : &e->u.acq->src,
		    s->acquire_no_ts ? NULL : &e->u.acq->dst, e->u.acq->seq);
		break;
	}
}

static void
ev_run(struct sim *s, struct ev *e)
{
	struct node	*n;

	s->events++;
	if (e->kind == EV_PACKET)
		packet_in(s, e->node, e->u.pkt);
	else {
		n = s->n[e->node];
		if (n->e != NULL && n->life == e->life && e->kind == EV_LIFETIME)
			kern_lifetime(n, e->u.sa);
		else if (n->e != NULL && n->life == e->life) {
			/* a stopped process reads it when it goes on */
			if (mono_before(s->now, n->asleep)) {
				e->when = n->asleep;
				ev_put(s, e);
				return;
			}
			ev_engine(s, n, e);
		}
	}
	ev_free(e);
}

static void
after(struct sim *s)
{
	int	i;

	for (i = 0; i < s->nnodes; i++)
		if (s->n[i]->doomed)
			sim_kill(s->n[i]);
	if (s->inv != NULL)
		invariant_after(s);
}

/* One step, not later than end: 0 when nothing is left until then. */
static int
step(struct sim *s, monotime end)
{
	struct ev	e;
	monotime	t = end, d;
	int		i, who = -1;

	for (i = 0; i < s->nnodes; i++) {
		if (s->n[i]->e == NULL)
			continue;
		d = engine_deadline(s->n[i]->e);
		if (mono_before(d, s->n[i]->asleep))
			d = s->n[i]->asleep;
		if (mono_before(d, t)) {
			t = d;
			who = i;
		}
	}
	if (s->nheap > 0 && !mono_before(t, s->heap[0].when)) {
		ev_take(s, &e);
		if (mono_before(s->now, e.when))
			s->now = e.when;
		ev_run(s, &e);
		after(s);
		return (1);
	}
	if (mono_before(s->now, t))
		s->now = t;
	if (who == -1)
		return (0);
	if (s->inv != NULL)
		invariant_other(s, s->n[who]);
	engine_tick(s->n[who]->e, s->now);
	after(s);
	return (1);
}

void
sim_run(struct sim *s, int64_t ms)
{
	monotime	end = mono_add_ms(s->now, ms);
	uint64_t	n = 0;

	while (step(s, end))
		if (++n > 50000000)
			sim_die("the clock does not move");
}

int
sim_until(struct sim *s, int64_t ms, int (*cond)(void *), void *arg)
{
	monotime	end = mono_add_ms(s->now, ms);

	for (;;) {
		if (cond(arg))
			return (1);
		if (!step(s, end))
			return (cond(arg));
	}
}

void
sim_traffic(struct node *n, const char *src, const char *dst, int64_t ms, int64_t every)
{
	int64_t	t;

	for (t = 0; t < ms; t += every) {
		(void)sim_ping(n, src, dst);
		sim_run(n->sim, every);
	}
}

/* ---- nodes */

/* A kernel that has whatever there is a word for. */
static void
caps_all(struct kern_caps *c)
{
	const struct xform_info	*xi;
	size_t			 i;

	memset(c, 0, sizeof(*c));
	c->backend = KERN_XFRM;
	c->name = "simulated";
	c->reqid_max = UINT32_MAX;
	c->esn = 1;
	c->replay_max = 4096;
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if ((xi->type != XF_ENCR && xi->type != XF_INTEG) ||
		    xi->id == (xi->type == XF_ENCR ? ENCR_NULL : INTEG_NONE))
			continue;
		c->algs[c->nalgs].type = xi->type;
		c->algs[c->nalgs].id = xi->id;
		c->algs[c->nalgs++].keybits = xi->keybits;
	}
}

static struct conf *
parse(struct node *n, const char *text, int flags)
{
	struct conf_errors	 errs;
	struct conf		*c;

	memset(&errs, 0, sizeof(errs));
	c = conf_parse(n->name, text, strlen(text), NULL, flags, &errs);
	if (c == NULL) {
		fprintf(stderr, "%s:%u:%u: %s\n%s\n", n->name, errs.e[0].line,
		    errs.e[0].col, errs.e[0].text, text);
		sim_die("configuration");
	}
	c->gen = n->gen;
	return (c);
}

/* As the engine gets it: in messages, without the secrets. */
static struct conf *
without_secrets(const struct conf *c)
{
	uint8_t		*b = sim_alloc(16384);
	struct conf	*d = NULL;
	struct wbuf	 w;
	struct rbuf	 r;
	uint32_t	 i;
	int		 e = 0;

	for (i = 0; i <= c->npeers + c->ntunnels && e == 0; i++) {
		wbuf_init(&w, b, 16384);
		if (i == 0)
			conf_put_globals(&w, c);
		else if (i <= c->npeers)
			conf_put_peer(&w, &c->peers[i - 1], 0);
		else
			conf_put_tunnel(&w, &c->tunnels[i - 1 - c->npeers]);
		rbuf_init(&r, b, w.len);
		if (i == 0)
			e = (d = conf_get_globals(&r)) == NULL ? -1 : 0;
		else
			e = i <= c->npeers ? conf_get_peer(&r, d) : conf_get_tunnel(&r, d);
	}
	free(b);
	if (e == -1 || conf_complete(d) == -1)
		sim_die("configuration in messages");
	return (d);
}

void
sim_reload(struct node *n, const char *text)
{
	static const uint8_t	 key[CONF_MARKLEN] = { 3, 5 };
	struct conf		*old = n->secrets;

	n->gen++;
	n->secrets = parse(n, text, 0);
	if (conf_psk_serials(n->secrets, old, key) == -1)
		sim_die("out of memory");
	conf_free(old);
	n->no_policy = 0;
	engine_conf(n->e, n->sim->now, without_secrets(n->secrets));
}

void
sim_plan(struct node *n, const char *text)
{
	static const uint8_t	 key[CONF_MARKLEN] = { 3, 5 };
	struct conf		*c, *d;

	n->gen++;	/* parse() numbers with it */
	c = parse(n, text, 0);
	if (conf_psk_serials(c, n->secrets, key) == -1)
		sim_die("out of memory");
	n->gen--;
	d = without_secrets(c);
	if (engine_plan(n->e, d) == -1)
		sim_die("out of memory");
	conf_free(d);
	conf_free(c);
}

static void
engine_make(struct node *n)
{
	struct engine_fx	fx;

	memset(&fx, 0, sizeof(fx));
	fx.arg = n;
	fx.random = fx_random;
	fx.send = fx_send;
	fx.keys = fx_keys;
	fx.kernel = fx_kernel;
	fx.count = kern_count;
	fx.counters = fx_counters;
	fx.event = fx_event;
	fx.log = &n->logger;
	n->e = engine_new(&fx, n->sim->crypto, NULL);
	if (n->e == NULL)
		sim_die("engine_new");
	n->life++;
	engine_caps(n->e, &n->caps);
	sim_tell_addrs(n);
}

void
sim_start(struct node *n, const char *text)
{
	sim_say(n, "started");
	engine_make(n);
	sim_reload(n, text);
	/* nobody has an SA with a new node: it knocks when it starts again */
	if (!n->started)
		timer_cancel(&n->e->w.timers, &n->e->w.knock);
	n->started = 1;
}

int
sim_transfer(struct node *n, const char *text)
{
	struct engine	*old = n->e;
	uint8_t		*rec[64];
	size_t		 len[64];
	uint64_t	 at = 0;
	const char	*why;
	int		 i, k, moved = 0;

	sim_say(n, "moved");
	for (k = 0; k < 64; k++) {
		rec[k] = sim_alloc(ENGINE_RECORD_MAX);
		if (!engine_export(old, n->sim->now, &at, rec[k], ENGINE_RECORD_MAX,
		    &len[k]))
			break;
	}
	if (k == 64)
		sim_die("too many IKE SAs to move");
	/* in this order: what is on its way to the old one must not find it again */
	engine_make(n);
	engine_free(old);
	engine_hold(n->e, n->sim->now, 1);
	sim_reload(n, text);
	for (i = 0; i < k; i++) {
		if (engine_import(n->e, n->sim->now, rec[i], len[i], &why) == 0)
			moved++;
		else
			log_info(&n->logger, "an IKE SA was not taken: %s", why);
		free(rec[i]);
	}
	free(rec[k]);
	if (n->sim->inv != NULL)
		invariant_moved(n->sim, n);
	engine_hold(n->e, n->sim->now, 0);
	return (moved);
}

void
sim_kill(struct node *n)
{
	sim_say(n, "killed");
	engine_free(n->e);
	n->e = NULL;
	n->doomed = n->die_in = n->backlog = 0;
	n->asleep = MONO_NONE;
	kern_wipe(n);
	if (n->sim->inv != NULL)
		invariant_killed(n->sim, n);
}

struct node *
sim_node(struct sim *s, const char *name, const char *addr, const char *text)
{
	struct node	*n = sim_alloc(sizeof(*n));

	if (s->nnodes == SIM_NODES || addr_parse(&n->addr, addr) == -1)
		sim_die("node");
	n->sim = s;
	n->idx = s->nnodes;
	s->n[s->nnodes++] = n;
	(void)strlcpy(n->name, name, sizeof(n->name));
	n->rng = sim_rand(&s->rng);
	n->caplog = 8192;
	n->log = sim_alloc(n->caplog);
	n->logger.emit = emit;
	n->logger.arg = n;
	n->logger.verbose = 1;
	caps_all(&n->caps);
	if (text != NULL)
		sim_start(n, text);
	return (n);
}

void
sim_nat(struct node *n, const char *outside)
{
	n->nat = 1;
	if (addr_parse(&n->nat_addr, outside) == -1)
		sim_die("bad address");
	n->nat_port[0] = (uint16_t)(20000 + sim_rand(&n->sim->rng) % 10000);
	n->nat_port[1] = (uint16_t)(30000 + sim_rand(&n->sim->rng) % 10000);
}

/* Fetched and tested once; it holds nothing of a life. */
static struct crypto *
shared_crypto(void)
{
	static struct crypto	*c;

	if (c == NULL) {
		sim_own++;
		c = crypto_new(NULL);
		sim_own--;
		if (c == NULL)
			sim_die("crypto_new");
	}
	return (c);
}

struct sim *
sim_new(uint64_t seed)
{
	struct sim	*s = sim_alloc(sizeof(*s));

	s->rng = seed;
	s->now.us = SIM_START;
	s->delay_us = 10000;
	s->verbose = getenv("SIM_VERBOSE") != NULL;
	s->crypto = shared_crypto();
	return (s);
}

void
sim_free(struct sim *s)
{
	struct ev	e;
	int		i;

	while (s->nheap > 0) {
		ev_take(s, &e);
		ev_free(&e);
	}
	for (i = 0; i < s->nnodes; i++) {
		engine_free(s->n[i]->e);
		conf_free(s->n[i]->secrets);
		free(s->n[i]->log);
		free(s->n[i]->keys);
		free(s->n[i]->sa);
		free(s->n[i]);
	}
	invariant_free(s);
	free(s->heap);
	free(s);
}
