/* SPDX-License-Identifier: ISC */
/* Of the simulation: what is to happen and when, and the network. */

#include <stdlib.h>
#include <string.h>

#include "invariant.h"
#include "sim_local.h"
#include "wire/wire.h"

/* ---- events: a heap by time, and among equal times by birth */

static int
ev_before(const struct ev *a, const struct ev *b)
{
	if (a->when.us != b->when.us)
		return (a->when.us < b->when.us);
	return (a->seq < b->seq);
}

static void
ev_count(struct sim *s, const struct ev *e, int by)
{
	if (e->kind == EV_PACKET)
		s->flying += e->u.pkt->ike ? by : 0;
	else if (e->kind == EV_KEYS || e->kind == EV_KERNEL)
		s->asked += by;
}

void
ev_init(struct ev *e, struct node *n, enum ev_kind kind, int64_t us)
{
	memset(e, 0, sizeof(*e));
	e->when = mono_add_us(n->sim->now, us);
	e->kind = kind;
	e->node = n->idx;
	e->life = n->life;
}

/* To its place among those before it in the heap. */
static void
ev_rise(struct sim *s, size_t i)
{
	struct ev	e = s->heap[i];

	while (i > 0 && ev_before(&e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = e;
}

void
ev_put(struct sim *s, struct ev *e)
{
	if (s->nheap == s->capheap) {
		s->capheap = s->capheap == 0 ? 256 : s->capheap * 2;
		s->heap = sim_grow(s->heap, s->capheap, sizeof(*s->heap));
	}
	e->seq = s->seq++;
	ev_count(s, e, 1);
	s->heap[s->nheap++] = *e;
	ev_rise(s, s->nheap - 1);
}

void
ev_take(struct sim *s, struct ev *out)
{
	struct ev	last;
	size_t		i = 0, c;

	*out = s->heap[0];
	ev_count(s, out, -1);
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

void
ev_free(struct ev *e)
{
	switch (e->kind) {
	case EV_PACKET:
		free(e->u.pkt->p);
		free(e->u.pkt);
		break;
	case EV_KEYS:
		free(e->u.keys);
		break;
	case EV_KERNEL:
		free(e->u.kern);
		break;
	case EV_COUNTED:
		free(e->u.counted);
		break;
	case EV_ACQUIRE:
		free(e->u.acq);
		break;
	default:
		free(e->u.sa);
		break;
	}
}

void
sim_wake(struct node *n)
{
	struct sim	*s = n->sim;
	monotime	 until = n->asleep;
	size_t		 i;

	if (!mono_before(s->now, until))
		return;
	n->asleep = s->now;
	for (i = 0; i < s->nheap; i++) {
		if (s->heap[i].node == n->idx && s->heap[i].when.us == until.us)
			s->heap[i].when = s->now;
		ev_rise(s, i);
	}
}

/* ---- network */

static struct packet *
packet_copy(const struct packet *p)
{
	struct packet	*n = sim_alloc(sizeof(*n));

	*n = *p;
	n->p = NULL;
	if (p->len > 0) {
		n->p = sim_alloc(p->len);
		memcpy(n->p, p->p, p->len);
	}
	return (n);
}

static void
net_later(struct sim *s, const struct node *from, const struct packet *p)
{
	struct ev	e;
	int64_t		d = s->delay_us;

	memset(&e, 0, sizeof(e));
	if (s->jitter_us > 0) {
		d += (int64_t)(sim_rand(&s->rng) % (uint64_t)s->jitter_us);
		s->faults[F_LATE]++;
	}
	e.when = mono_add_us(s->now, d);
	e.kind = EV_PACKET;
	e.node = from->idx;
	e.u.pkt = packet_copy(p);
	ev_put(s, &e);
}

/* Outwards through a NAT: another address, and a port of its own. */
static void
nat_out(struct node *n, struct packet *p)
{
	if (!n->nat || n->nat_off)
		return;
	p->src.addr = n->nat_addr;
	if (p->src.port == 500)
		p->src.port = n->nat_port[0];
	else if (p->src.port == 4500)
		p->src.port = n->nat_port[1];
}

static void
tell_packet(const struct node *from, const struct packet *p, const char *what)
{
	char		d[ENDPOINT_STRLEN];
	struct wire_hdr	h;

	if (!from->sim->verbose || !p->ike)
		return;
	if (wire_hdr_decode(p->p, p->len, &h) == -1)
		sim_say(from, "> %s: %zu octets%s", endpoint_str(&p->dst, d), p->len, what);
	else
		sim_say(from, "> %s: %s %s %u, %zu octets%s", endpoint_str(&p->dst, d),
		    wire_exchange_name(h.exch), h.flags & WIRE_F_RESPONSE ? "reply" :
		    "request", h.msgid, p->len, what);
}

void
net_send(struct sim *s, struct node *from, struct packet *p)
{
	if (from->cut) {
		sim_fault(s, F_CUT);
		return;
	}
	if (!sim_owns(from, &p->src.addr) || sim_source(from, &p->dst.addr) == NULL ||
	    sim_no_way(s, from, p))
		return;
	if (p->ike) {
		s->datagrams++;
		if (s->filter != NULL && s->filter(s, from, p))
			return;
	}
	nat_out(from, p);
	if (s->loss > 0 && sim_rand(&s->rng) % 1000 < s->loss) {
		tell_packet(from, p, " (lost)");
		sim_fault(s, F_LOST);
		return;
	}
	tell_packet(from, p, "");
	net_later(s, from, p);
	/* ESP has its replay window for that */
	if (p->ike && s->dup > 0 && sim_rand(&s->rng) % 1000 < s->dup) {
		net_later(s, from, p);
		sim_fault(s, F_DOUBLED);
	}
}

static struct node *
net_find(struct sim *s, struct packet *p)
{
	struct node	*n;
	int		 i;

	for (i = 0; i < s->nnodes; i++) {
		n = s->n[i];
		if (n->nat && !n->nat_off && addr_cmp(&n->nat_addr, &p->dst.addr) == 0) {
			if (p->dst.port == n->nat_port[0])
				p->dst.port = 500;
			else if (p->dst.port == n->nat_port[1])
				p->dst.port = 4500;
			else
				return (NULL);
			p->dst.addr = n->addr;
			return (n);
		}
		if ((!n->nat || n->nat_off) && sim_owns(n, &p->dst.addr))
			return (n);
	}
	return (NULL);
}

/* The process is stopped, its socket is not; not for ever more of them, though. */
static void
wait_in_socket(struct sim *s, struct node *n, struct packet *p)
{
	struct ev	e;

	if (n->machine_asleep || (p->to == 0 && n->backlog >= SIM_BACKLOG))
		return;
	n->backlog += p->to == 0;
	p->to = n->idx + 1;
	ev_init(&e, n, EV_PACKET, mono_diff_us(n->asleep, s->now));
	e.u.pkt = packet_copy(p);
	ev_put(s, &e);
}

static struct node *
arrived(struct sim *s, int from, struct packet *p)
{
	struct node	*n;

	if (p->to != 0)
		return (s->n[p->to - 1]);
	if ((n = net_find(s, p)) == NULL || n->cut)
		return (NULL);
	if (from >= 0 && s->blocked[from][n->idx]) {
		sim_fault(s, F_CUT);
		return (NULL);
	}
	return (n);
}

void
packet_in(struct sim *s, int from, struct packet *p)
{
	struct node	*n = arrived(s, from, p);

	if (n == NULL)
		return;
	if (!p->ike) {
		if (!n->machine_asleep || mono_reached(n->asleep, s->now))
			esp_in(n, p);
		return;
	}
	if (n->e == NULL)
		return;
	if (mono_before(s->now, n->asleep)) {
		wait_in_socket(s, n, p);
		return;
	}
	n->backlog -= p->to != 0;
	if (n->die_in > 0 && --n->die_in == 0)
		n->doomed = 1;
	if (s->inv != NULL)
		invariant_packet(s, n, p->p, p->len);
	engine_datagram(n->e, s->now, &p->dst, &p->src, p->marker, p->p, p->len);
}

/* Not at once: it may be an effect that wants it, and the engine is not entered
 * from within itself. */
void
sim_inject(struct sim *s, const struct endpoint *src, const struct endpoint *dst,
    int marker, const uint8_t *p, size_t len)
{
	struct ev	 e;
	struct packet	*pkt = sim_alloc(sizeof(*pkt));

	pkt->src = *src;
	pkt->dst = *dst;
	pkt->ike = 1;
	pkt->marker = marker;
	pkt->p = sim_alloc(len > 0 ? len : 1);
	memcpy(pkt->p, p, len);
	pkt->len = len;
	memset(&e, 0, sizeof(e));
	e.when = mono_add_us(s->now, 1);
	e.kind = EV_PACKET;
	e.node = -1;
	e.u.pkt = pkt;
	ev_put(s, &e);
}
