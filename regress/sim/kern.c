/* SPDX-License-Identifier: ISC */
/*
 * Of the simulation: kernels made of a table, and the packets of the hosts behind them.
 * What is asked is done at once; when and whether the answer comes is another question.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_local.h"

#define KERNEL_US	250	/* an answer takes so long */
#define KERNEL_LIMIT_US	5000000	/* later than that libpfkey says ETIMEDOUT */
#define LARVAL_MS	30000	/* as XFRM: nobody is asked again for so long */
#define PACKET		84

struct sim_sa *
kern_find(struct node *n, uint32_t spi, enum kern_dir dir)
{
	int	i;

	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && n->sa[i].sa.spi == spi && n->sa[i].sa.dir == dir)
			return (&n->sa[i]);
	return (NULL);
}

void
kern_wipe(struct node *n)
{
	if (n->nsa > 0)
		memset(n->sa, 0, (size_t)n->nsa * sizeof(*n->sa));
	n->nsa = 0;
	n->larval = MONO_NONE;
	n->kern_order = MONO_NONE;
}

static void
sa_remove(struct node *n, struct sim_sa *s)
{
	memset(s, 0, sizeof(*s));
	while (n->nsa > 0 && !n->sa[n->nsa - 1].used)
		n->nsa--;
}

static struct sim_sa *
sa_room(struct node *n)
{
	struct sim_sa	*s;
	int		 i, cap;

	for (i = 0; i < n->nsa && n->sa[i].used; i++)
		;
	if (i == SIM_SAS)
		return (NULL);
	if (i == n->capsa) {
		cap = n->capsa == 0 ? 8 : n->capsa * 2;
		n->sa = sim_grow(n->sa, (size_t)cap, sizeof(*n->sa));
		memset(n->sa + n->capsa, 0, (size_t)(cap - n->capsa) * sizeof(*n->sa));
		n->capsa = cap;
	}
	s = &n->sa[i];
	if (i == n->nsa)
		n->nsa++;
	memset(s, 0, sizeof(*s));
	return (s);
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
	if (n->nkeys == n->capkeys) {
		n->capkeys = n->capkeys == 0 ? 64 : n->capkeys * 2;
		n->keys = sim_grow(n->keys, n->capkeys, sizeof(*n->keys));
	}
	n->keys[n->nkeys++] = h;
	return (0);
}

static int
kern_add(struct node *n, const struct kernel_req *q)
{
	struct sim_sa	*s;
	struct ev	 e;

	if (n->kern_fail_at > 0 && --n->kern_fail_at == 0) {
		sim_fault(n->sim, F_KERNEL_REFUSES);
		return (ENOMEM);
	}
	if (q->gen == n->secrets->gen && q->tunnel >= n->secrets->ntunnels)
		return (ENOENT);
	if (kern_find(n, q->sa.spi, q->sa.dir) != NULL)
		return (EEXIST);
	if (!kern_can(&n->caps, q->sa.encr, q->sa.encr_keybits, q->sa.integ))
		return (ENOSYS);
	/* as the kernel process */
	if (q->gen == n->secrets->gen &&
	    (q->sa.transport != n->secrets->tunnels[q->tunnel].transport ||
	    !tslist_within(&q->tsl, &n->secrets->tunnels[q->tunnel].from) ||
	    !tslist_within(&q->tsr, &n->secrets->tunnels[q->tunnel].to)))
		return (EPERM);
	if (key_used(n, &q->sa)) {
		sim_wrong(n->sim, "%s: a key is used twice", n->name);
		return (EINVAL);
	}
	if ((s = sa_room(n)) == NULL)
		return (ENOBUFS);
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
	if (q->sa.life.hard_secs != 0) {
		ev_init(&e, n, EV_LIFETIME, (int64_t)q->sa.life.hard_secs * 1000000);
		e.u.sa = sim_alloc(sizeof(*e.u.sa));
		e.u.sa->spi = q->sa.spi;
		e.u.sa->dir = q->sa.dir;
		ev_put(n->sim, &e);
	}
	return (0);
}

static int
kern_do(struct node *n, const struct kernel_req *q, struct kernel_ans *a)
{
	struct sim_sa	*s = kern_find(n, q->sa.spi, q->sa.dir);

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
		sa_remove(n, s);
		return (0);
	case KREQ_SA_QUERY:
		if (s == NULL)
			return (ESRCH);
		a->bytes = s->sa.bytes;
		a->packets = s->sa.packets;
		return (0);
	case KREQ_SOURCE:
		if (sim_source(n, &q->sa.dst) == NULL)
			return (ENETUNREACH);
		a->src = *sim_source(n, &q->sa.dst);
		return (0);
	case KREQ_ACQUIRE_FAILED:
		n->larval = MONO_NONE;
		return (0);
	}
	return (EINVAL);
}

/* How long the answer takes; in the order of the questions, as from one socket. */
static int64_t
kern_delay(struct node *n)
{
	struct sim	*s = n->sim;
	int64_t		 us = KERNEL_US + n->kern_slow_us;

	if (n->kern_late > 0 && sim_rand(&n->rng) % 1000 < n->kern_late) {
		us += (int64_t)(sim_rand(&n->rng) % 8000000);
		sim_fault(s, F_KERNEL_LATE);
	}
	if (mono_before(mono_add_us(s->now, us), n->kern_order))
		us = mono_diff_us(n->kern_order, s->now);
	n->kern_order = mono_add_us(s->now, us);
	return (us);
}

/* A DELETE is not refused: real kernels fail it only where there is no such SA. */
static int
refused(struct node *n, const struct kernel_req *q)
{
	if (n->kern_refuse == 0 || q->op == KREQ_SA_DELETE ||
	    sim_rand(&n->rng) % 1000 >= n->kern_refuse)
		return (0);
	sim_fault(n->sim, F_KERNEL_REFUSES);
	return (sim_rand(&n->rng) % 2 == 0 ? ENOMEM : ENOBUFS);
}

static const char *
op_name(enum kernel_op op)
{
	static const char *const	names[] = { "?", "add", "update", "delete", "query",
					    "acquire failed", "source" };

	return (names[op]);
}

void
kern_request(void *arg, const struct kernel_req *q)
{
	struct node		*n = arg;
	struct kernel_ans	*a;
	struct ev		 e;
	int64_t			 us;

	n->kreqs++;
	n->kern_lost_tunnel += q->tunnel >= n->secrets->ntunnels;
	sim_mix(n->sim, &q->op, sizeof(q->op));
	sim_mix(n->sim, &q->sa.spi, sizeof(q->sa.spi));
	sim_mix(n->sim, q->sa.encr_key, sizeof(q->sa.encr_key));
	a = sim_alloc(sizeof(*a));
	a->token = q->token;
	if ((a->err = refused(n, q)) == 0)
		a->err = kern_do(n, q, a);
	if (q->op != KREQ_SA_QUERY && q->op != KREQ_ACQUIRE_FAILED)
		sim_say(n, "kernel: %s %s 0x%08x%s%s", op_name(q->op), q->sa.dir == KERN_IN ?
		    "in" : "out", q->sa.spi, a->err != 0 ? ": " : "", a->err != 0 ?
		    strerror(a->err) : "");
	us = kern_delay(n);
	if (n->kern_mute) {
		sim_fault(n->sim, F_KERNEL_MUTE);
		free(a);
		return;
	}
	if (us > KERNEL_LIMIT_US) {
		us = KERNEL_LIMIT_US;
		a->err = ETIMEDOUT;
	}
	ev_init(&e, n, EV_KERNEL, us);
	e.u.kern = a;
	ev_put(n->sim, &e);
}

static void
count_one(struct node *n, uint32_t spi, enum kern_dir dir, struct count *to)
{
	struct sim_sa	*s = kern_find(n, spi, dir);

	if (n->kern_refuse != 0 && sim_rand(&n->rng) % 1000 < n->kern_refuse) {
		sim_fault(n->sim, F_KERNEL_REFUSES);
		to->err = ENOBUFS;
	} else if (s == NULL)
		to->err = ESRCH;
	else {
		to->bytes = s->sa.bytes;
		to->packets = s->sa.packets;
	}
}

void
kern_count(void *arg, const struct kernel_count *q)
{
	struct node		*n = arg;
	struct kernel_counted	*a;
	struct ev		 e;
	int64_t			 us;
	uint8_t			 i;

	n->kreqs++;
	sim_mix(n->sim, q->a, q->n * sizeof(q->a[0]));
	a = sim_alloc(sizeof(*a));
	a->token = q->token;
	a->n = q->n;
	for (i = 0; i < q->n; i++) {
		n->kern_lost_tunnel += q->a[i].tunnel >= n->secrets->ntunnels;
		count_one(n, q->a[i].spi_in, KERN_IN, &a->in[i]);
		if (q->a[i].spi_out != 0)
			count_one(n, q->a[i].spi_out, KERN_OUT, &a->out[i]);
	}
	us = kern_delay(n);
	if (n->kern_mute) {
		sim_fault(n->sim, F_KERNEL_MUTE);
		free(a);
		return;
	}
	if (us > KERNEL_LIMIT_US) {
		us = KERNEL_LIMIT_US;
		for (i = 0; i < a->n; i++)
			a->in[i].err = a->out[i].err = ETIMEDOUT;
	}
	ev_init(&e, n, EV_COUNTED, us);
	e.u.counted = a;
	ev_put(n->sim, &e);
}

/* ---- events of the kernel */

static void
tell_sa(struct node *n, enum ev_kind kind, const struct sim_sa *s, int hard,
    const struct endpoint *src)
{
	struct ev	e;

	if (n->deaf) {
		sim_fault(n->sim, F_EVENT_LOST);
		return;
	}
	ev_init(&e, n, kind, 100);
	e.u.sa = sim_alloc(sizeof(*e.u.sa));
	e.u.sa->spi = s->sa.spi;
	e.u.sa->dir = s->sa.dir;
	e.u.sa->dst = s->sa.dst;
	e.u.sa->hard = hard;
	if (src != NULL)
		e.u.sa->src = *src;
	ev_put(n->sim, &e);
}

/* Its hard lifetime is over. */
void
kern_lifetime(struct node *n, const struct ev_sa *x)
{
	struct sim_sa	*s = kern_find(n, x->spi, x->dir);

	if (s == NULL)
		return;
	sim_fault(n->sim, F_SA_EXPIRED);
	tell_sa(n, EV_EXPIRE, s, 1, NULL);
	sa_remove(n, s);
}

void
sim_lose_sa(struct node *n, uint64_t random, enum sim_loss how)
{
	struct sim_sa	*s;

	uint64_t	 i;

	for (i = 0; i < (uint64_t)n->nsa &&
	    !n->sa[(random + i) % (uint64_t)n->nsa].used; i++)
		;
	if (i == (uint64_t)n->nsa)
		return;
	s = &n->sa[(random + i) % (uint64_t)n->nsa];
	sim_say(n, "the kernel loses 0x%08x (%d)", s->sa.spi, how);
	sim_fault(n->sim, how == LOSE_SILENT ? F_SA_LOST : F_SA_EXPIRED);
	if (how != LOSE_SILENT)
		tell_sa(n, EV_EXPIRE, s, how == LOSE_HARD, NULL);
	if (how != LOSE_SOFT)
		sa_remove(n, s);
}

void
sim_lost_events(struct node *n)
{
	struct ev	e;

	ev_init(&e, n, EV_LOST, 100);
	ev_put(n->sim, &e);
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

/* The policy for it, which is its tunnel's index; or -1. */
static int
policy(const struct node *n, const struct addr *src, const struct addr *dst)
{
	uint32_t	i;

	if (n->secrets == NULL || n->no_policy)
		return (-1);
	for (i = 0; i < n->secrets->ntunnels; i++)
		if (holds(&n->secrets->tunnels[i].from, src) &&
		    holds(&n->secrets->tunnels[i].to, dst))
			return ((int)i);
	return (-1);
}

static void
trap(struct node *n, int tunnel, const struct addr *src, const struct addr *dst)
{
	struct ev	e;

	n->nosa++;
	sim_say(n, "a packet for tunnel \"%s\" is held", n->secrets->tunnels[tunnel].name);
	if (mono_before(n->sim->now, n->larval))
		return;
	/* as XFRM: a larval state keeps it from asking again for a while */
	n->larval = mono_add_ms(n->sim->now, LARVAL_MS);
	n->acquires++;
	if (n->deaf) {
		sim_fault(n->sim, F_EVENT_LOST);
		return;
	}
	ev_init(&e, n, EV_ACQUIRE, 100);
	e.u.acq = sim_alloc(sizeof(*e.u.acq));
	e.u.acq->gen = n->secrets->gen;
	e.u.acq->tunnel = (uint32_t)tunnel;
	e.u.acq->seq = (uint32_t)n->acquires;
	host_ts(&e.u.acq->src, src);
	host_ts(&e.u.acq->dst, dst);
	ev_put(n->sim, &e);
}

static void
count(struct node *n, struct sim_sa *s)
{
	s->sa.packets++;
	s->sa.bytes += PACKET;
	if (s->sa.life.soft_bytes != 0 && s->sa.bytes > s->sa.life.soft_bytes && !s->soft) {
		s->soft = 1;
		tell_sa(n, EV_EXPIRE, s, 0, NULL);
	}
}

/* The newest outbound SA of the policy that fits carries it. */
int
esp_send(struct node *n, const struct addr *src, const struct addr *dst, int reply)
{
	struct sim_sa	*s = NULL;
	struct packet	 p;
	int		 i, t = policy(n, src, dst);

	if (t == -1) {
		n->clear++;
		return (0);
	}
	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && n->sa[i].sa.dir == KERN_OUT &&
		    strcmp(n->sa[i].name, n->secrets->tunnels[t].name) == 0 &&
		    holds(&n->sa[i].tsl, src) && holds(&n->sa[i].tsr, dst) &&
		    (s == NULL || n->sa[i].order > s->order))
			s = &n->sa[i];
	if (s == NULL) {
		trap(n, t, src, dst);
		return (0);
	}
	count(n, s);
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

void
esp_in(struct node *n, const struct packet *p)
{
	struct sim_sa	*s = kern_find(n, p->spi, KERN_IN);

	/* wrong keys, a wrong place or a packet it is not for are as bad as no SA */
	if (s == NULL || memcmp(s->sa.encr_key, p->key, sizeof(p->key)) != 0 ||
	    (s->sa.encap_dport != 0) != p->marker || !holds(&s->tsr, &p->isrc) ||
	    !holds(&s->tsl, &p->idst)) {
		n->got_bad++;
		sim_say(n, "ESP 0x%08x for nobody", p->spi);
		return;
	}
	if (!replay_ok(s, p->seq)) {
		n->replayed++;
		sim_say(n, "ESP 0x%08x of %ju: replayed", p->spi, (uintmax_t)p->seq);
		return;
	}
	if (n->mapping && p->marker && (p->src.port != s->sa.encap_sport ||
	    addr_cmp(&p->src.addr, &s->sa.src) != 0))
		tell_sa(n, EV_MAPPING, s, 0, &p->src);
	count(n, s);
	n->got++;
	n->last_got = n->sim->now;
	if (!p->reply)
		(void)esp_send(n, &p->idst, &p->isrc, 1);
}

int
sim_ping(struct node *n, const char *src, const char *dst)
{
	struct addr	a, b;

	if (addr_parse(&a, src) == -1 || addr_parse(&b, dst) == -1)
		sim_die("bad address");
	return (esp_send(n, &a, &b, 0));
}
