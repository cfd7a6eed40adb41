/* SPDX-License-Identifier: ISC */
/* The simulation: events, network, kernel, keys. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/keys_auth.h"
#include "sim.h"

enum ev_kind { EV_PACKET = 1, EV_KEYS, EV_KERNEL, EV_ACQUIRE, EV_COUNTERS };

struct ev {
	monotime		when;
	uint64_t		seq;
	enum ev_kind		kind;
	int			node;
	struct engine		*e;	/* the engine it was for; a restarted one is another */
	union {
		struct packet		*pkt;
		struct keys_ans		*keys;
		struct kernel_ans	*kern;
		struct {
			uint32_t	gen, tunnel, seq;
			struct ts	src, dst;
		} acq;
	} u;
};

volatile int	sim_own;	/* a compiler thinks calloc() looks at nothing */

uint64_t
sim_rand(uint64_t *s)
{
	uint64_t	z = (*s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

static void
die(const char *what)
{
	fprintf(stderr, "simulation: %s\n", what);
	abort();
}

volatile int sim_allocates;

static void *
xalloc(size_t n)
{
	void	*p;

	sim_own++;
	p = calloc(1, n);
	sim_own--;
	if (p == NULL)
		die("out of memory");
	return (p);
}

static void *
xgrow(void *p, size_t n, size_t size)
{
	sim_own++;
	p = reallocarray(p, n, size);
	sim_own--;
	if (p == NULL)
		die("out of memory");
	return (p);
}

/* ---- events */

static int
ev_before(const struct ev *a, const struct ev *b)
{
	if (a->when.us != b->when.us)
		return (a->when.us < b->when.us);
	return (a->seq < b->seq);
}

static void
ev_put(struct sim *s, struct ev *e)
{
	size_t	i;

	if (s->nheap == s->capheap) {
		s->capheap = s->capheap == 0 ? 256 : s->capheap * 2;
		s->heap = xgrow(s->heap, s->capheap, sizeof(*s->heap));
	}
	e->seq = s->seq++;
	i = s->nheap++;
	while (i > 0 && ev_before(e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = *e;
}

static void
ev_take(struct sim *s, struct ev *out)
{
	struct ev	last;
	size_t		i = 0, c;

	*out = s->heap[0];
	last = s->heap[--s->nheap];
	while ((c = 2 * i + 1) < s->nheap) {
		if (c + 1 < s->nheap && ev_before(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!ev_before(&s->heap[c], &last))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	if (s->nheap > 0)
		s->heap[i] = last;
}

static void
ev_free(struct ev *e)
{
	if (e->kind == EV_PACKET) {
		free(e->u.pkt->p);
		free(e->u.pkt);
	} else if (e->kind == EV_KEYS)
		free(e->u.keys);
	else if (e->kind == EV_KERNEL)
		free(e->u.kern);
}

/* ---- network */

static struct packet *
packet_copy(const struct packet *p)
{
	struct packet	*n = xalloc(sizeof(*n));

	*n = *p;
	n->p = NULL;
	if (p->len > 0) {
		n->p = xalloc(p->len);
		memcpy(n->p, p->p, p->len);
	}
	return (n);
}

static void
net_later(struct sim *s, const struct packet *p)
{
	struct ev	e;
	int64_t		d = s->delay_us;

	memset(&e, 0, sizeof(e));
	if (s->jitter_us > 0)
		d += (int64_t)(sim_rand(&s->rng) % (uint64_t)s->jitter_us);
	e.when = mono_add_us(s->now, d);
	e.kind = EV_PACKET;
	e.u.pkt = packet_copy(p);
	ev_put(s, &e);
}

/* Outwards through a NAT: another address, and a port of its own. */
static void
nat_out(struct node *n, struct packet *p)
{
	if (!n->nat)
		return;
	p->src.addr = n->nat_addr;
	if (p->src.port == 500)
		p->src.port = n->nat_port[0];
	else if (p->src.port == 4500)
		p->src.port = n->nat_port[1];
}

static void
net_send(struct sim *s, struct node *from, struct packet *p)
{
	if (from->cut)
		return;
	if (p->ike) {
		s->datagrams++;
		if (s->filter != NULL && s->filter(s, from, p))
			return;
	}
	nat_out(from, p);
	if (s->loss > 0 && sim_rand(&s->rng) % 1000 < s->loss)
		return;
	net_later(s, p);
	/* ESP has its replay window for that */
	if (p->ike && s->dup > 0 && sim_rand(&s->rng) % 1000 < s->dup)
		net_later(s, p);
}

static struct node *
net_find(struct sim *s, struct packet *p)
{
	struct node	*n;
	int		 i;

	for (i = 0; i < s->nnodes; i++) {
		n = s->n[i];
		if (n->nat && addr_cmp(&n->nat_addr, &p->dst.addr) == 0) {
			if (p->dst.port == n->nat_port[0])
				p->dst.port = 500;
			else if (p->dst.port == n->nat_port[1])
				p->dst.port = 4500;
			else
				return (NULL);
			p->dst.addr = n->addr;
			return (n);
		}
		if (!n->nat && addr_cmp(&n->addr, &p->dst.addr) == 0)
			return (n);
	}
	return (NULL);
}

static struct sim_sa *
sa_find(struct node *n, uint32_t spi, enum kern_dir dir)
{
	int	i;

	for (i = 0; i < SIM_SAS; i++)
		if (n->sa[i].used && n->sa[i].sa.spi == spi && n->sa[i].sa.dir == dir)
			return (&n->sa[i]);
	return (NULL);
}

static int	send_inner(struct node *, const struct addr *, const struct addr *, int);

/* RFC 4303 3.4.3, with 64 packets. 1: new */
static int
replay_ok(struct sim_sa *s, uint64_t seq)
{
	uint64_t	d;

	if (seq > s->seq) {
		d = seq - s->seq;
		s->window = (d < 64 ? s->window << d : 0) | 1;
		s->seq = seq;
		return (1);
	}
	d = s->seq - seq;
	if (seq == 0 || d >= 64 || (s->window >> d & 1))
		return (0);
	s->window |= (uint64_t)1 << d;
	return (1);
}

static void
esp_in(struct node *n, const struct packet *p)
{
	struct sim_sa	*s = sa_find(n, p->spi, KERN_IN);

	/* wrong keys or a wrong place are as bad as no SA */
	if (s == NULL || memcmp(s->sa.encr_key, p->key, sizeof(p->key)) != 0 ||
	    (s->sa.encap_dport != 0) != p->marker) {
		n->got_bad++;
		return;
	}
	if (!replay_ok(s, p->seq)) {
		n->replayed++;
		return;
	}
	s->sa.packets++;
	s->sa.bytes += 84;
	n->got++;
	n->last_got = n->sim->now;
	if (!p->reply)
		(void)send_inner(n, &p->idst, &p->isrc, 1);
}

static void
packet_in(struct sim *s, struct packet *p)
{
	struct node	*n = net_find(s, p);

	if (n == NULL || n->cut)
		return;
	if (!p->ike) {
		esp_in(n, p);
		return;
	}
	if (n->e != NULL)
		engine_datagram(n->e, s->now, &p->dst, &p->src, p->marker, p->p, p->len);
}

/* Not at once: it may be an effect that wants it, and the engine is not entered
 * from within itself. */
void
sim_inject(struct sim *s, const struct endpoint *src, const struct endpoint *dst,
    int marker, const uint8_t *p, size_t len)
{
	struct ev	e;
	struct packet	*pkt = xalloc(sizeof(*pkt));

	pkt->src = *src;
	pkt->dst = *dst;
	pkt->ike = 1;
	pkt->marker = marker;
	pkt->p = xalloc(len > 0 ? len : 1);
	memcpy(pkt->p, p, len);
	pkt->len = len;
	memset(&e, 0, sizeof(e));
	e.when = mono_add_us(s->now, 1);
	e.kind = EV_PACKET;
	e.u.pkt = pkt;
	ev_put(s, &e);
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
}

static void
fx_send(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	struct node	*n = arg;
	struct packet	 pkt;
	uint8_t		*copy = xalloc(len);

	memset(&pkt, 0, sizeof(pkt));
	memcpy(copy, p, len);
	pkt.src = *local;
	if (addr_is_any(&pkt.src.addr))
		pkt.src.addr = n->addr;
	pkt.dst = *remote;
	pkt.ike = 1;
	pkt.marker = marker;
	pkt.p = copy;
	pkt.len = len;
	net_send(n->sim, n, &pkt);
	free(copy);
}

static void
fx_keys(void *arg, const struct keys_req *q)
{
	struct node		*n = arg;
	const struct conf_peer	*peer;
	const char		*why;
	struct span		 psk;
	struct ev		 e;

	memset(&e, 0, sizeof(e));
	e.when = mono_add_us(n->sim->now, 150);
	e.kind = EV_KEYS;
	e.node = n->idx;
	e.e = n->e;
	e.u.keys = xalloc(sizeof(*e.u.keys));
	e.u.keys->token = q->token;
	if (q->gen == n->secrets->gen && q->peer < n->secrets->npeers) {
		if (keys_auth_form(q, &why) == -1)
			log_debug(&n->logger, "keys refuse: %s", why);
		else {
			peer = &n->secrets->peers[q->peer];
			psk.p = peer->psk;
			psk.len = peer->psklen;
			keys_auth(n->sim->crypto, q, psk, e.u.keys);
		}
	}
	if (n->keys_mute)
		ev_free(&e);
	else
		ev_put(n->sim, &e);
}

/* No key serves twice: sequence numbers and the nonces made of them would. */
static int
key_used(struct node *n, const struct kern_sa *sa)
{
	uint64_t	h = 14695981039346656037ULL + sa->dir;
	size_t		i;

	for (i = 0; i < sa->encr_keylen; i++)
		h = (h ^ sa->encr_key[i]) * 1099511628211ULL;
	for (i = 0; i < n->nkeys; i++)
		if (n->keys[i] == h)
			return (1);
	n->keys = xgrow(n->keys, n->nkeys + 1, sizeof(*n->keys));
	n->keys[n->nkeys++] = h;
	return (0);
}

static int
kern_add(struct node *n, const struct kernel_req *q)
{
	struct sim_sa	*s = NULL;
	int		 i;

	if (n->kern_fail_at > 0 && --n->kern_fail_at == 0)
		return (ENOMEM);
	if (q->gen == n->secrets->gen && q->tunnel >= n->secrets->ntunnels)
		return (ENOENT);
	if (sa_find(n, q->sa.spi, q->sa.dir) != NULL)
		return (EEXIST);
	if (!kern_can(&n->caps, q->sa.encr, q->sa.encr_keybits, q->sa.integ))
		return (ENOSYS);
	if (key_used(n, &q->sa))
		return (EINVAL);
	for (i = 0; i < SIM_SAS && s == NULL; i++)
		if (!n->sa[i].used)
			s = &n->sa[i];
	if (s == NULL)
		return (ENOBUFS);
	memset(s, 0, sizeof(*s));
	s->used = 1;
	s->tunnel = q->tunnel;
	if (q->gen == n->secrets->gen && q->tunnel < n->secrets->ntunnels)
		(void)strlcpy(s->name, n->secrets->tunnels[q->tunnel].name,
		    sizeof(s->name));
	s->sa = q->sa;
	s->tsl = q->tsl;
	s->tsr = q->tsr;
	s->order = ++n->order;
	if (q->sa.dir == KERN_OUT)
		n->larval = MONO_NONE;
	return (0);
}

static int
kern_do(struct node *n, const struct kernel_req *q, struct kernel_ans *a)
{
	struct sim_sa	*s = sa_find(n, q->sa.spi, q->sa.dir);

	switch (q->op) {
	case KREQ_SA_ADD:
		return (kern_add(n, q));
	case KREQ_SA_UPDATE:
		if (s == NULL)
			return (ESRCH);
		s->sa.encap_sport = q->sa.encap_sport;
		s->sa.encap_dport = q->sa.encap_dport;
		s->sa.src = q->sa.src;
		s->sa.dst = q->sa.dst;
		return (0);
	case KREQ_SA_DELETE:
		if (s == NULL)
			return (ESRCH);
		memset(s, 0, sizeof(*s));
		return (0);
	case KREQ_SA_QUERY:
		if (s == NULL)
			return (ESRCH);
		a->bytes = s->sa.bytes;
		a->packets = s->sa.packets;
		return (0);
	case KREQ_ACQUIRE_FAILED:
		n->larval = MONO_NONE;
		return (0);
	}
	return (EINVAL);
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	struct node	*n = arg;
	struct ev	 e;

	n->kreqs++;
	n->kern_lost_tunnel += q->tunnel >= n->secrets->ntunnels;
	memset(&e, 0, sizeof(e));
	e.when = mono_add_us(n->sim->now, 250 + n->kern_slow_us);
	e.kind = EV_KERNEL;
	e.node = n->idx;
	e.e = n->e;
	e.u.kern = xalloc(sizeof(*e.u.kern));
	e.u.kern->token = q->token;
	e.u.kern->err = kern_do(n, q, e.u.kern);
	if (n->kern_mute)
		ev_free(&e);
	else
		ev_put(n->sim, &e);
}

static void
fx_counters(void *arg, uint64_t token, const struct engine_counters *c)
{
	struct node	*n = arg;

	n->counters_token = token;
	n->counters = *c;
}

static void
emit(void *arg, enum log_level lv, const char *line)
{
	struct node	*n = arg;
	int		 k;

	(void)lv;
	if (getenv("SIM_VERBOSE") != NULL)
		fprintf(stderr, "%8.3f %s: %s\n", (double)n->sim->now.us / 1e6, n->name,
		    line);
	if (n->loglen + 600 > SIM_LOG)
		n->loglen = 0;
	k = snprintf(n->log + n->loglen, 600, "%s\n", line);
	n->loglen += k > 599 ? 599 : (size_t)k;
}

/* ---- packets of hosts */

static int
holds(const struct tslist *l, const struct addr *a)
{
	uint8_t	i;

	for (i = 0; i < l->n; i++)
		if (addr_cmp(&l->t[i].start, a) <= 0 && addr_cmp(a, &l->t[i].end) <= 0)
			return (1);
	return (0);
}

static void
host_ts(struct ts *t, const struct addr *a)
{
	struct prefix	p;

	p.addr = *a;
	p.len = (uint8_t)(addr_len(a) * 8);
	ts_from_prefix(t, &p, 0, 0);
}

static void
trap(struct node *n, const struct addr *src, const struct addr *dst)
{
	const struct conf_tunnel	*t;
	struct ev			 e;
	uint32_t			 i;

	n->nosa++;
	if (mono_before(n->sim->now, n->larval) || n->secrets == NULL)
		return;
	for (i = 0; i < n->secrets->ntunnels; i++) {
		t = &n->secrets->tunnels[i];
		if (!holds(&t->from, src) || !holds(&t->to, dst))
			continue;
		/* as XFRM: a larval state keeps it from asking again for a while */
		n->larval = mono_add_ms(n->sim->now, 30000);
		n->acquires++;
		memset(&e, 0, sizeof(e));
		e.when = mono_add_us(n->sim->now, 100);
		e.kind = EV_ACQUIRE;
		e.node = n->idx;
		e.e = n->e;
		e.u.acq.gen = n->secrets->gen;
		e.u.acq.tunnel = i;
		e.u.acq.seq = (uint32_t)n->acquires;
		host_ts(&e.u.acq.src, src);
		host_ts(&e.u.acq.dst, dst);
		ev_put(n->sim, &e);
		return;
	}
}

/* The newest outbound SA that fits carries it. */
static int
send_inner(struct node *n, const struct addr *src, const struct addr *dst, int reply)
{
	struct sim_sa	*s = NULL;
	struct packet	 p;
	int		 i;

	for (i = 0; i < SIM_SAS; i++)
		if (n->sa[i].used && n->sa[i].sa.dir == KERN_OUT &&
		    holds(&n->sa[i].tsl, src) && holds(&n->sa[i].tsr, dst) &&
		    (s == NULL || n->sa[i].order > s->order))
			s = &n->sa[i];
	if (s == NULL) {
		trap(n, src, dst);
		return (0);
	}
	s->sa.packets++;
	s->sa.bytes += 84;
	n->sent++;
	memset(&p, 0, sizeof(p));
	p.src.addr = s->sa.src;
	p.src.port = s->sa.encap_sport;
	p.dst.addr = s->sa.dst;
	p.dst.port = s->sa.encap_dport;
	p.marker = s->sa.encap_dport != 0;
	p.spi = s->sa.spi;
	p.seq = ++s->seq;
	memcpy(p.key, s->sa.encr_key, sizeof(p.key));
	p.isrc = *src;
	p.idst = *dst;
	p.reply = reply;
	net_send(n->sim, n, &p);
	return (1);
}

int
sim_ping(struct node *n, const char *src, const char *dst)
{
	struct addr	a, b;

	if (addr_parse(&a, src) == -1 || addr_parse(&b, dst) == -1)
		die("bad address");
	return (send_inner(n, &a, &b, 0));
}

/* ---- the clock */

static void
ev_run(struct sim *s, struct ev *e)
{
	struct node	*n = s->n[e->node];

	if (e->kind == EV_PACKET)
		packet_in(s, e->u.pkt);
	else if (n->e != NULL && n->e == e->e) {
		if (e->kind == EV_KEYS)
			engine_keys(n->e, s->now, e->u.keys);
		else if (e->kind == EV_KERNEL)
			engine_kernel(n->e, s->now, e->u.kern);
		else
			engine_acquire(n->e, s->now, e->u.acq.gen, e->u.acq.tunnel,
			    s->acquire_no_ts ? NULL : &e->u.acq.src,
			    s->acquire_no_ts ? NULL : &e->u.acq.dst, e->u.acq.seq);
	}
	ev_free(e);
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
		return (1);
	}
	if (mono_before(s->now, t))
		s->now = t;
	if (who == -1)
		return (0);
	engine_tick(s->n[who]->e, s->now);
	return (1);
}

void
sim_run(struct sim *s, int64_t ms)
{
	monotime	end = mono_add_ms(s->now, ms);
	uint64_t	n = 0;

	while (step(s, end))
		if (++n > 50000000)
			die("the clock does not move");
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

static void
caps_all(struct kern_caps *c)
{
	static const struct xform	all[] = {
		{ XF_ENCR, ENCR_AES_GCM_16, 128, 0 }, { XF_ENCR, ENCR_AES_GCM_16, 256, 0 },
		{ XF_ENCR, ENCR_AES_CBC, 128, 0 }, { XF_ENCR, ENCR_AES_CBC, 192, 0 },
		{ XF_ENCR, ENCR_AES_CBC, 256, 0 }, { XF_INTEG, INTEG_HMAC_SHA1_96, 0, 0 },
		{ XF_INTEG, INTEG_HMAC_SHA2_256_128, 0, 0 },
		{ XF_INTEG, INTEG_HMAC_SHA2_384_192, 0, 0 },
		{ XF_INTEG, INTEG_HMAC_SHA2_512_256, 0, 0 },
	};

	memset(c, 0, sizeof(*c));
	c->backend = KERN_XFRM;
	c->name = "simulated";
	c->reqid_max = UINT32_MAX;
	c->esn = 1;
	c->replay_max = 4096;
	c->nalgs = sizeof(all) / sizeof(all[0]);
	memcpy(c->algs, all, sizeof(all));
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
		die("configuration");
	}
	c->gen = n->gen;
	return (c);
}

/* As the engine gets it: in messages, without the secrets. */
static struct conf *
without_secrets(const struct conf *c)
{
	uint8_t		*b = xalloc(16384);
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
		die("configuration in messages");
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
		die("out of memory");
	conf_free(old);
	engine_conf(n->e, n->sim->now, without_secrets(n->secrets));
}

void
sim_start(struct node *n, const char *text)
{
	struct engine_fx	fx;

	memset(&fx, 0, sizeof(fx));
	fx.arg = n;
	fx.random = fx_random;
	fx.send = fx_send;
	fx.keys = fx_keys;
	fx.kernel = fx_kernel;
	fx.counters = fx_counters;
	fx.log = &n->logger;
	n->e = engine_new(&fx, n->sim->crypto, NULL);
	if (n->e == NULL)
		die("engine_new");
	engine_caps(n->e, &n->caps);
	sim_reload(n, text);
}

void
sim_kill(struct node *n)
{
	engine_free(n->e);
	n->e = NULL;
	memset(n->sa, 0, sizeof(n->sa));
	n->larval = MONO_NONE;
}

struct node *
sim_node(struct sim *s, const char *name, const char *addr, const char *text)
{
	struct node	*n = xalloc(sizeof(*n));

	if (s->nnodes == SIM_NODES || addr_parse(&n->addr, addr) == -1)
		die("node");
	n->sim = s;
	n->idx = s->nnodes;
	s->n[s->nnodes++] = n;
	(void)strlcpy(n->name, name, sizeof(n->name));
	n->rng = sim_rand(&s->rng);
	n->log = xalloc(SIM_LOG);
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
		die("bad address");
	n->nat_port[0] = (uint16_t)(20000 + sim_rand(&n->sim->rng) % 10000);
	n->nat_port[1] = (uint16_t)(30000 + sim_rand(&n->sim->rng) % 10000);
}

struct sim *
sim_new(uint64_t seed)
{
	struct sim	*s = xalloc(sizeof(*s));

	s->rng = seed;
	s->now.us = 1000000000;
	s->delay_us = 10000;
	s->crypto = crypto_new(NULL);
	if (s->crypto == NULL)
		die("crypto_new");
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
		free(s->n[i]);
	}
	crypto_free(s->crypto);
	free(s->heap);
	free(s);
}
