/* SPDX-License-Identifier: ISC */
/* Messages as parts, and what a node makes of them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static uint8_t *
room(struct parts *ps, const void *p, size_t n)
{
	uint8_t	*b = ps->room + ps->used;

	if (ps->used + n > sizeof(ps->room))
		abort();
	if (n > 0)
		memcpy(b, p, n);
	ps->used += n;
	return (b);
}

void
parts_read(struct parts *ps, uint8_t type, const uint8_t *p, size_t n)
{
	struct part	*q;
	size_t		 l;

	memset(ps, 0, sizeof(*ps));
	while (n >= 4 && type != P_NONE && ps->n < PARTS_MAX) {
		l = (size_t)p[2] << 8 | p[3];
		if (l < 4 || l > n)
			abort();
		q = &ps->p[ps->n++];
		q->type = type;
		q->flags = p[1];
		q->len = (uint16_t)(l - 4);
		q->body = room(ps, p + 4, l - 4);
		type = p[0];
		p += l;
		n -= l;
	}
}

size_t
parts_write(const struct parts *ps, uint8_t *first, uint8_t *b, size_t cap)
{
	const struct part	*q;
	size_t			 n = 0;
	int			 i;

	*first = ps->n > 0 ? ps->p[0].type : P_NONE;
	for (i = 0; i < ps->n; i++) {
		q = &ps->p[i];
		if (n + q->len + 4U > cap)
			abort();
		b[n] = i + 1 < ps->n ? ps->p[i + 1].type : P_NONE;
		b[n + 1] = q->flags;
		b[n + 2] = (uint8_t)((q->len + 4) >> 8);
		b[n + 3] = (uint8_t)(q->len + 4);
		if (q->len > 0)
			memcpy(b + n + 4, q->body, q->len);
		n += q->len + 4U;
	}
	return (n);
}

struct part *
parts_find(struct parts *ps, uint8_t type, int nth)
{
	int	i;

	for (i = 0; i < ps->n; i++)
		if (ps->p[i].type == type && nth-- == 0)
			return (&ps->p[i]);
	return (NULL);
}

struct part *
parts_add(struct parts *ps, int at, uint8_t type, const void *body, size_t len)
{
	struct part	*q;

	if (ps->n == PARTS_MAX)
		abort();
	if (at < 0 || at > ps->n)
		at = ps->n;
	q = &ps->p[at];
	memmove(q + 1, q, (size_t)(ps->n - at) * sizeof(*q));
	ps->n++;
	memset(q, 0, sizeof(*q));
	q->type = type;
	q->len = (uint16_t)len;
	q->body = room(ps, body, len);
	return (q);
}

struct part *
parts_note(struct parts *ps, int at, uint16_t type, const void *data, size_t len)
{
	uint8_t	b[MSG_MAX] = { 0, 0, (uint8_t)(type >> 8), (uint8_t)type };

	if (len > 0)
		memcpy(b + 4, data, len);
	return (parts_add(ps, at, P_N, b, len + 4));
}

void
parts_del(struct parts *ps, uint8_t type)
{
	int	i, k = 0;

	for (i = 0; i < ps->n; i++)
		if (ps->p[i].type != type)
			ps->p[k++] = ps->p[i];
	ps->n = k;
}

void
part_set(struct parts *ps, struct part *p, const void *b, size_t n)
{
	p->body = room(ps, b, n);
	p->len = (uint16_t)n;
}

/* ---- changed on the way */

static int
change_inner(void *arg, uint8_t *p, size_t *n, uint8_t *first)
{
	static struct parts	 ps;
	struct patch		*t = arg;

	parts_read(&ps, *first, p, *n);
	t->change(&ps);
	*n = parts_write(&ps, first, p, MSG_MAX / 2);
	return (0);
}

static size_t
change_outer(struct patch *t, const struct packet *p, uint8_t out[MSG_MAX])
{
	static struct parts	 ps;
	size_t			 n;

	memcpy(out, p->p, WIRE_HDRLEN);
	parts_read(&ps, p->p[16], p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN);
	t->change(&ps);
	n = parts_write(&ps, &out[16], out + WIRE_HDRLEN, MSG_MAX - WIRE_HDRLEN) +
	    WIRE_HDRLEN;
	out[26] = (uint8_t)(n >> 8);
	out[27] = (uint8_t)n;
	return (n);
}

int
patch_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	 out[MSG_MAX];
	struct patch	*t = s->filter_arg;
	struct packet	 q = *p;
	size_t		 n;

	if (p->len < WIRE_HDRLEN)
		return (0);
	if (from != t->from) {
		if (t->done) {
			t->answers++;
			memcpy(t->ans, p->p, p->len);
			t->anslen = p->len;
		}
		return (0);
	}
	if ((t->done && !t->all) || p->p[18] != t->exch ||
	    ((p->p[19] & WIRE_F_RESPONSE) != 0) != t->response)
		return (0);
	if (t->raw != NULL) {
		memcpy(out, p->p, p->len);
		n = t->raw(out, p->len);
	} else if (t->exch == X_IKE_SA_INIT)
		n = change_outer(t, p, out);
	else
		n = peer_alter(from, p, change_inner, t, out);
	if (n == 0)
		return (0);
	t->done++;
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (!t->keep);
}

int
patch_refusal(const struct patch *t, struct node *n)
{
	static struct wire_msg	 m;
	struct ike_half		*h;
	struct wire_hdr		 hdr;
	uint8_t			 plain[MSG_MAX];
	uint32_t		 at = 0;
	size_t			 len;

	if (t->answers != 1 || (h = slab_walk(&n->e->w.halves, &at, NULL)) == NULL ||
	    wire_hdr_decode(t->ans, t->anslen, &hdr) == -1 || hdr.exch != X_IKE_AUTH ||
	    wire_decode(hdr.next, t->ans + WIRE_HDRLEN, t->anslen - WIRE_HDRLEN, WIRE_HDRLEN,
	    &m, NULL) != WIRE_OK || (m.has & WIRE_HAS(P_SK)) == 0 ||
	    sk_open(n->sim->crypto, &h->c.keys, !h->c.initiator, t->ans, m.sk_off + 4, m.sk,
	    plain, &len) == -1 || wire_decode(m.sk_first, plain, len, 0, &m, NULL) != WIRE_OK ||
	    m.has != WIRE_HAS(P_N) || m.nnotify != 1)
		return (-1);
	return (m.notify[0].type);
}

/* ---- marks */

static struct ike_sa *
first_ike(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	while ((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL)
		if (ike->state == IKE_UP)
			return (ike);
	return (NULL);
}

void
mark_take(struct node *n, struct mark *m)
{
	struct show_stats	 st;
	struct child_sa		*c;
	struct ike_sa		*ike = first_ike(n);
	uint32_t		 at = 0;

	memset(m, 0, sizeof(*m));
	sim_stats(n, &st);
	m->rx = st.rx;
	m->tx = st.tx;
	m->bad = st.rx_bad + st.rx_dropped;
	m->nike = st.nike;
	m->nchild = st.nchild;
	m->half = st.half_open;
	m->rng = n->rng;
	m->jobs = n->e->w.jobs.used;
	m->datagrams = n->sim->datagrams;
	if (ike != NULL) {
		m->in = ike->msgid_in;
		m->out = ike->msgid_out;
	}
	if ((c = slab_walk(&n->e->w.childs, &at, NULL)) != NULL) {
		m->spi_in = c->spi_in;
		m->spi_out = c->spi_out;
	}
	m->established = sim_established(n);
	m->kernel = sim_kernel_count(n);
}

int
mark_same(struct node *n, const struct mark *m, uint64_t drops)
{
	struct mark	now;

	mark_take(n, &now);
#define SAME(f, want) do {							\
	if (now.f != (want)) {							\
		fprintf(stderr, "%s: " #f " is %ju, not %ju\n", n->name,	\
		    (uintmax_t)now.f, (uintmax_t)(want));			\
		return (0);							\
	}									\
} while (0)
	SAME(rx, m->rx + drops);
	SAME(bad, m->bad + drops);
	SAME(tx, m->tx);
	SAME(datagrams, m->datagrams);
	SAME(nike, m->nike);
	SAME(nchild, m->nchild);
	SAME(half, m->half);
	SAME(in, m->in);
	SAME(out, m->out);
	SAME(spi_in, m->spi_in);
	SAME(spi_out, m->spi_out);
	SAME(established, m->established);
	SAME(kernel, m->kernel);
	if (m->rng != 0) {
		SAME(rng, m->rng);
		SAME(jobs, m->jobs);
	}
#undef SAME
	return (1);
}

struct arrival {
	struct node	*n;
	uint64_t	 rx;
};

static int
has_come(void *arg)
{
	struct arrival	*w = arg;

	return (w->n->e->w.tally.rx > w->rx);
}

int
is_dropped(struct node *n, const struct endpoint *src, const struct endpoint *dst,
    int marker, const uint8_t *p, size_t len)
{
	struct mark	m;
	struct arrival	w;

	mark_take(n, &m);
	sim_inject(n->sim, src, dst, marker, p, len);
	/* looked at before any timer can do something */
	w.n = n;
	w.rx = m.rx;
	return (sim_until(n->sim, 1, has_come, &w) && mark_same(n, &m, 1));
}

/* ---- duels */

static int
duel_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct duel	*d = s->filter_arg;

	if (from != d->good || p->len > sizeof(d->raw))
		return (0);
	/* a new start is no answer */
	if (p->len >= WIRE_HDRLEN && p->p[18] == X_IKE_SA_INIT &&
	    (p->p[19] & WIRE_F_RESPONSE) == 0)
		return (1);
	d->answers++;
	memcpy(d->raw, p->p, p->len);
	d->rawlen = p->len;
	return (1);
}

void
duel_start(struct duel *d, uint64_t seed, const char *extra, int responder)
{
	memset(d, 0, sizeof(*d));
	d->s = sim_pair(seed, "ondemand", "ondemand", extra);
	if (!sim_up(d->s->n[0], "b"))
		abort();
	sim_run(d->s, 12000);	/* idle, and not new any more */
	d->bad = d->s->n[responder];
	d->good = d->s->n[!responder];
	d->ike = first_ike(d->bad);
}

void
duel_free(struct duel *d)
{
	sim_free(d->s);
}

struct endpoint
duel_src(const struct duel *d)
{
	return (d->ike->c.local);
}

struct endpoint
duel_dst(const struct duel *d)
{
	return (d->ike->c.remote);
}

/* The answer, opened with what bad has. */
static void
duel_open(struct duel *d)
{
	struct ike_core	*c = &d->ike->c;

	d->first = P_NONE;
	d->len = 0;
	if (wire_hdr_decode(d->raw, d->rawlen, &d->h) == -1 ||
	    wire_decode(d->h.next, d->raw + WIRE_HDRLEN, d->rawlen - WIRE_HDRLEN,
	    WIRE_HDRLEN, &d->m, NULL) != WIRE_OK || (d->m.has & WIRE_HAS(P_SK)) == 0)
		return;
	if (sk_open(d->s->crypto, &c->keys, !c->initiator, d->raw, d->m.sk_off + 4,
	    d->m.sk, d->plain, &d->len) == -1)
		abort();
	d->first = d->m.sk_first;
	if (wire_decode(d->first, d->plain, d->len, 0, &d->m, NULL) != WIRE_OK)
		abort();
}

int
duel_send(struct duel *d, const uint8_t *msg, size_t n)
{
	struct endpoint	src = duel_src(d), dst = duel_dst(d);

	d->answers = 0;
	d->s->filter = duel_filter;
	d->s->filter_arg = d;
	sim_inject(d->s, &src, &dst, d->ike->c.encap, msg, n);
	sim_run(d->s, 2);
	d->s->filter = NULL;
	if (d->answers > 0)
		duel_open(d);
	return (d->answers);
}

size_t
duel_seal_hdr(struct duel *d, struct wire_hdr *h, uint8_t first, const uint8_t *p,
    size_t len, uint8_t out[MSG_MAX])
{
	struct ike_core	*c = &d->ike->c;
	struct wire_enc	 e;
	struct wbuf	 b;
	struct span	 plain = { p, len };
	uint8_t		 iv[16] = { 0xf0 };
	size_t		 n = sk_len(&c->keys, len);

	h->spii = c->spii;
	h->spir = c->spir;
	wbuf_init(&b, out, MSG_MAX);
	wire_begin(&e, &b, h);
	(void)wire_put_sk(&e, first, n);
	iv[1] = (uint8_t)c->iv++;
	if (wire_end(&e) == -1 || sk_seal(d->s->crypto, &c->keys, c->initiator, out,
	    b.len - n, plain, iv) == -1)
		abort();
	return (b.len);
}

/* One datagram, however long. */
static size_t
seal(struct duel *d, uint8_t exch, int response, uint32_t msgid, uint8_t first,
    const uint8_t *p, size_t n, uint8_t out[MSG_MAX])
{
	struct wire_hdr	h = { .major = 2, .exch = exch, .msgid = msgid };

	h.flags = (uint8_t)((d->ike->c.initiator ? WIRE_F_INITIATOR : 0) |
	    (response ? WIRE_F_RESPONSE : 0));
	return (duel_seal_hdr(d, &h, first, p, n, out));
}

int
duel_ask_raw(struct duel *d, uint8_t exch, uint8_t first, const uint8_t *p, size_t n)
{
	uint8_t	msg[MSG_MAX];
	size_t	len;

	len = seal(d, exch, 0, d->ike->msgid_out, first, p, n, msg);
	d->ike->msgid_out++;
	return (duel_send(d, msg, len));
}

int
duel_ask(struct duel *d, uint8_t exch, const struct parts *ps)
{
	uint8_t	inner[MSG_MAX], first;
	size_t	n = parts_write(ps, &first, inner, sizeof(inner));

	return (duel_ask_raw(d, exch, first, inner, n));
}

size_t
duel_seal(struct duel *d, uint8_t exch, int response, uint32_t msgid,
    const struct parts *ps, uint8_t out[MSG_MAX])
{
	uint8_t	inner[MSG_MAX], first;
	size_t	n = parts_write(ps, &first, inner, sizeof(inner));

	return (seal(d, exch, response, msgid, first, inner, n, out));
}

int
duel_dropped(struct duel *d, const uint8_t *p, size_t n)
{
	struct endpoint	src = duel_src(d), dst = duel_dst(d);

	return (is_dropped(d->good, &src, &dst, d->ike->c.encap, p, n));
}

int
duel_provoke(struct duel *d, enum task t)
{
	struct ike_sa	*ike = first_ike(d->good);
	const char	*name = d->good == d->s->n[0] ? "b" : "a";

	d->answers = 0;
	d->s->filter = duel_filter;
	d->s->filter_arg = d;
	switch (t) {
	case TASK_REKEY_CHILD:
		sim_cmd(d->good, CMD_REKEY, name);
		break;
	case TASK_REKEY_IKE:
		ike->want_rekey = 1;
		touch_ike(&d->good->e->w, ike);
		break;
	case TASK_CHECK:
		ike->want_check = 1;
		touch_ike(&d->good->e->w, ike);
		break;
	default:
		sim_cmd(d->good, CMD_DOWN, name);
		break;
	}
	d->good->e->w.now = d->s->now;
	engine_settle(d->good->e);
	duel_open(d);
	return (d->answers);
}

int
duel_reply_raw(struct duel *d, uint8_t first, const uint8_t *p, size_t n)
{
	uint8_t	msg[MSG_MAX];
	size_t	len;

	len = seal(d, d->h.exch, 1, d->h.msgid, first, p, n, msg);
	return (duel_send(d, msg, len));
}

int
duel_reply(struct duel *d, const struct parts *ps)
{
	uint8_t	inner[MSG_MAX], first;
	size_t	n = parts_write(ps, &first, inner, sizeof(inner));

	return (duel_reply_raw(d, first, inner, n));
}

int
duel_says(struct duel *d, uint16_t notify, int alive)
{
	int	up = sim_established(d->good);

	if (d->answers != 1 || d->first != P_N || d->m.nnotify != 1 ||
	    d->m.notify[0].type != notify || d->m.has != WIRE_HAS(P_N) || up != alive ||
	    (!alive && sim_kernel_count(d->good) != 0)) {
		fprintf(stderr, "%d answers, first payload %u, %s; %d IKE SAs\n", d->answers,
		    d->first, d->m.nnotify > 0 ? wire_notify_name(d->m.notify[0].type) :
		    "no notify", up);
		return (0);
	}
	return (1);
}

void
duel_child(struct duel *d, struct parts *ps, uint32_t spi)
{
	uint8_t	b[MSG_MAX], first = 0;
	size_t	n;
	int	i = d->bad == d->s->n[0];

	n = peer_create_child(b, sizeof(b), spi, i ? "10.1.0.0/24" : "10.2.0.0/24",
	    i ? "10.2.0.0/24" : "10.1.0.0/24", &first);
	parts_read(ps, first, b, n);
}

void
duel_rekey(struct duel *d, struct parts *ps, uint64_t spi)
{
	struct proposals	 prop;
	struct wire_enc		 e;
	struct wbuf		 w;
	struct ke		*ke;
	uint8_t			 b[MSG_MAX], nonce[32];

	memset(nonce, 0x5b, sizeof(nonce));
	ke = offer_ke(&d->bad->e->w, KE_X25519);
	wbuf_init(&w, b, sizeof(b));
	wire_inner_begin(&e, &w);
	if (ke == NULL || offer_ike(&d->bad->e->w, d->ike->c.peer, 1, &prop) == -1)
		abort();
	prop.n = 1;
	prop.p[0].spi = spi;
	wire_put_sa(&e, &prop);
	wire_put_nonce(&e, nonce, sizeof(nonce));
	wire_put_ke(&e, KE_X25519, ke_public(ke).p, ke_public(ke).len);
	if (wire_end(&e) == -1)
		abort();
	ke_free(ke);
	parts_read(ps, e.first, b, w.len);
}
