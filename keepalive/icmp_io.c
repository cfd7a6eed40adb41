/* SPDX-License-Identifier: ISC */
/* Probes and replies in batches. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/icmp_io.h"

#define QUEUE		1024	/* probes that wait; a power of two */
#define RETRY_S		0.002	/* the kernel had no room */
#define ROUNDS		16	/* batches read at one go */
#define DRAIN		1024	/* ... after we were kept from it: a full buffer */
/* Each packet has its time of arrival: nothing is lost by letting them gather, and a
 * call for each would cost more than everything else. */
#define GATHER_S	0.003

struct waiting {
	struct addr	src, dst;
	struct probe	p;
};

struct isock {
	struct icmp_io		*io;
	struct icmp_sockkey	 key;
	int			 fd;
	ev_io			 rd;
	ev_timer		 gather, retry;
	struct waiting		*q;
	unsigned int		 first, n;
};

struct icmp_io {
	struct ev_loop			*loop;
	const struct icmp_io_ops	*ops;
	void				*arg;
	uint8_t				 key[ICMP_KEYLEN];
	uint16_t			 ident;
	struct isock			*socks[ICMP_SOCKS];
	unsigned int			 nsocks;
	struct icmp_out			 out[ICMP_BATCH];
	struct icmp_in			 in[ICMP_BATCH];
};

static monotime
clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((monotime){ (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

struct icmp_io *
icmp_io_new(struct ev_loop *loop, const struct icmp_io_ops *ops, void *arg)
{
	struct icmp_io *io;

	if ((io = calloc(1, sizeof(*io))) == NULL)
		return (NULL);
	io->loop = loop;
	io->ops = ops;
	io->arg = arg;
	arc4random_buf(io->key, sizeof(io->key));
	io->ident = (uint16_t)arc4random();
	return (io);
}

void
icmp_io_free(struct icmp_io *io)
{
	struct isock *s;

	if (io == NULL)
		return;
	while (io->nsocks > 0) {
		s = io->socks[--io->nsocks];
		ev_io_stop(io->loop, &s->rd);
		ev_timer_stop(io->loop, &s->gather);
		ev_timer_stop(io->loop, &s->retry);
		(void)close(s->fd);
		free(s->q);
		free(s);
	}
	explicit_bzero(io, sizeof(*io));
	free(io);
}

static int
same_route(const struct icmp_route *a, const struct icmp_route *b)
{
	uint8_t ak = a == NULL ? ICMP_NOROUTE : a->kind;
	uint8_t bk = b == NULL ? ICMP_NOROUTE : b->kind;

	if (ak != bk)
		return (0);
	if (ak == ICMP_NOROUTE)
		return (1);
	return (ak == ICMP_VRF ? strncmp(a->vrf, b->vrf, sizeof(a->vrf)) == 0 :
	    a->number == b->number);
}

static struct isock *
find(const struct icmp_io *io, uint8_t fam, int nodf,
    const struct icmp_route *route)
{
	struct isock *s;
	unsigned int i;

	for (i = 0; i < io->nsocks; i++) {
		s = io->socks[i];
		if (s->key.fam == fam && s->key.nodf == nodf &&
		    same_route(&s->key.route, route))
			return (s);
	}
	return (NULL);
}

static void
take(struct icmp_io *io, const struct isock *s, const struct icmp_in *in)
{
	struct icmp_error e;
	struct probe p;

	if (icmp_parse(in->pkt, in->len, in->whole, s->key.fam, &in->from,
	    io->key, &p) == 0)
		io->ops->reply(io->arg, &in->from, &p, in->at);
	else if (icmp_error_parse(in->pkt, in->len, s->key.fam, io->key,
	    io->ident, &e) == 0)
		io->ops->error(io->arg, &in->from, &e, in->at);
}

int
icmp_io_quotes(const struct icmp_io *io, const struct icmp_error *e,
    const struct addr *dst, const struct probe *p)
{
	return (icmp_quotes(e, io->key, io->ident, dst, p));
}

/* 1: all there is. */
static int
read_some(struct icmp_io *io, const struct isock *s, unsigned int rounds)
{
	unsigned int i, n, round;

	for (round = 0; round < rounds; round++) {
		n = icmp_sock_recv(s->fd, io->in, ICMP_BATCH);
		for (i = 0; i < n; i++)
			take(io, s, &io->in[i]);
		if (n < ICMP_BATCH)
			return (1);
	}
	return (0);
}

void
icmp_io_drain(struct icmp_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nsocks; i++)
		if (icmp_sock_receives(&io->socks[i]->key))
			(void)read_some(io, io->socks[i], DRAIN);
}

static void
read_cb(struct ev_loop *loop, ev_io *w, int revents)
{
	struct isock *s = w->data;
	struct icmp_io *io = s->io;

	(void)revents;
	if (read_some(io, s, ROUNDS)) {
		ev_io_stop(loop, &s->rd);
		ev_timer_set(&s->gather, GATHER_S, 0);
		ev_timer_start(loop, &s->gather);
	}
	io->ops->settle(io->arg);
}

static void
gather_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct isock *s = w->data;

	(void)revents;
	ev_io_start(loop, &s->rd);
}

static void
retry_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct isock *s = w->data;

	(void)loop;
	(void)revents;
	s->io->ops->settle(s->io->arg);		/* which flushes */
}

int
icmp_io_add(struct icmp_io *io, const struct icmp_sockkey *key, int fd)
{
	struct isock *s;

	if (io->nsocks == ICMP_SOCKS || find(io, key->fam, key->nodf,
	    &key->route) != NULL || (s = calloc(1, sizeof(*s))) == NULL)
		return (-1);
	if ((s->q = calloc(QUEUE, sizeof(*s->q))) == NULL) {
		free(s);
		return (-1);
	}
	s->io = io;
	s->key = *key;
	s->fd = fd;
	ev_io_init(&s->rd, read_cb, fd, EV_READ);
	ev_timer_init(&s->gather, gather_cb, GATHER_S, 0);
	ev_timer_init(&s->retry, retry_cb, RETRY_S, 0);
	s->rd.data = s->gather.data = s->retry.data = s;
	if (icmp_sock_receives(key))
		ev_io_start(io->loop, &s->rd);
	io->socks[io->nsocks++] = s;
	return (0);
}

int
icmp_io_probe(struct icmp_io *io, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	struct isock *s = find(io, dst->fam, p->nodf != 0, p->route);

	if (s == NULL)
		return (EAFNOSUPPORT);
	if (s->n == QUEUE)
		return (EAGAIN);
	s->q[(s->first + s->n) & (QUEUE - 1)] = (struct waiting){ *src, *dst,
	    *p };
	/* It has done its work, and is the caller's. */
	s->q[(s->first + s->n) & (QUEUE - 1)].p.route = NULL;
	s->n++;
	return (EINPROGRESS);
}

static unsigned int
lay_down(struct icmp_io *io, struct isock *s, monotime now)
{
	unsigned int i, n = s->n < ICMP_BATCH ? s->n : ICMP_BATCH;
	struct waiting *q;
	struct icmp_out *o;

	for (i = 0; i < n; i++) {
		q = &s->q[(s->first + i) & (QUEUE - 1)];
		o = &io->out[i];
		q->p.sent_us = now.us;
		o->src = q->src;
		o->dst = q->dst;
		o->size = q->p.size < ICMP_PROBELEN ? ICMP_PROBELEN : q->p.size;
		o->ttl = q->p.ttl;
		o->dscp = q->p.dscp;
		o->nodf = q->p.nodf;
		(void)icmp_build(o->msg, io->key, io->ident, &o->dst, &q->p);
	}
	return (n);
}

static void
flush_one(struct icmp_io *io, struct isock *s)
{
	unsigned int i, n, done;

	while (s->n > 0) {
		n = lay_down(io, s, clock_now());
		done = icmp_sock_send(s->fd, io->out, n);
		for (i = 0; i < done; i++)
			io->ops->sent(io->arg, &s->q[(s->first + i) &
			    (QUEUE - 1)].p, io->out[i].error);
		s->first = (s->first + done) & (QUEUE - 1);
		s->n -= done;
		if (done < n) {
			ev_timer_set(&s->retry, RETRY_S, 0);
			ev_timer_start(io->loop, &s->retry);
			return;
		}
	}
}

void
icmp_io_flush(struct icmp_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nsocks; i++)
		if (!ev_is_active(&io->socks[i]->retry))
			flush_one(io, io->socks[i]);
}
