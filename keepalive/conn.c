/* SPDX-License-Identifier: ISC */
/*
 * A probe is one socket, from its start until it is answered, refused or too old.
 *
 * bind(2) comes first: the kernel looks for its IPsec policy with the source that the
 * socket has, so a probe whose source is inside the selector goes through the tunnel
 * or not at all.  What a peer sends is read with bounds (dns.c, http.c) and
 * never kept.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/conn.h"
#include "keepalive/dns.h"
#include "keepalive/http.h"

#define READS	8	/* datagrams or pieces read at one go */

enum step { FREE, CONNECTING, WAITING, ENDED };

struct conn {
	struct conn_table	*t;
	struct conn		*next;		/* while free */
	struct conf_keepalive	*ka;		/* a reference */
	struct addr		 dst;
	struct probe		 p;
	int			 fd;
	enum step		 step;
	int			 error;		/* ENDED: at once, with this */
	int			 foreign;	/* answers that are none came */
	uint16_t		 id;
	struct http_reader	 http;
	ev_io			 io;
	ev_timer		 timer;
};

struct conn_table {
	struct ev_loop		*loop;
	const struct conn_ops	*ops;
	void			*arg;
	struct conn		*free;
	unsigned int		 n;
	struct conn		 conn[CONN_MAX];
};

static monotime
clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((monotime){ (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

static const char *
error_text(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return ("connection refused");
	case ECONNRESET:
	case EPIPE:
		return ("connection reset");
	case EHOSTUNREACH:
		return ("no route to the host");
	case ENETUNREACH:
		return ("no route to the network");
	case ETIMEDOUT:
		return ("connection timed out");
	case EPERM:
	case EACCES:
		return ("forbidden by this machine");
	default:
		return ("the connection broke");
	}
}

static void
release(struct conn *c)
{
	struct conn_table *t = c->t;

	ev_io_stop(t->loop, &c->io);
	ev_timer_stop(t->loop, &c->timer);
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	conf_keepalive_unref(c->ka);
	c->ka = NULL;
	c->step = FREE;
	c->next = t->free;
	t->free = c;
	t->n--;
}

static void
answered(struct conn *c)
{
	struct conn_table *t = c->t;
	struct probe p = c->p;
	struct addr dst = c->dst;

	release(c);
	t->ops->reply(t->arg, &dst, &p, clock_now());
	t->ops->settle(t->arg);
}

static void
failed(struct conn *c, const char *text)
{
	struct conn_table *t = c->t;
	struct probe p = c->p;

	release(c);
	t->ops->failed(t->arg, &p, text, clock_now());
	t->ops->settle(t->arg);
}

/* 1: c is done with. */
static int
got_http(struct conn *c, const uint8_t *buf, size_t len)
{
	const char *why;
	char text[64];
	int rv;

	if (len == 0) {
		failed(c, "it closed before its answer was whole");
		return (1);
	}
	if ((rv = http_feed(&c->http, buf, len, &why)) == 0)
		return (0);
	if (rv == -1)
		failed(c, why);
	else if (c->http.status >= c->ka->statuslo &&
	    c->http.status <= c->ka->statushi)
		answered(c);
	else {
		(void)snprintf(text, sizeof(text), "the status of its answer is %u",
		    c->http.status);
		failed(c, text);
	}
	return (1);
}

static int
got_dns(struct conn *c, const uint8_t *buf, size_t len)
{
	if (!dns_answers(buf, len, c->id, c->ka->str[KA_ARG], c->ka->qtype)) {
		c->foreign = 1;
		return (0);
	}
	answered(c);
	return (1);
}

/* The target's host has refused the datagram: it lives (and so does UDP's probe). */
static void
read_error(struct conn *c, int error)
{
	if (error == ECONNREFUSED && c->ka->kind == KA_UDP)
		answered(c);
	else if (error == ECONNREFUSED && c->ka->kind == KA_DNS)
		failed(c, "nobody serves its port");
	else
		failed(c, error_text(error));
}

static void
readable(struct conn *c)
{
	uint8_t buf[4096];
	ssize_t n;
	int i, done = 0;

	for (i = 0; i < READS && !done; i++) {
		n = recv(c->fd, buf, sizeof(buf), 0);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				read_error(c, errno);
			return;
		}
		switch (c->ka->kind) {
		case KA_HTTP:
			done = got_http(c, buf, (size_t)n);
			break;
		case KA_DNS:
			done = got_dns(c, buf, (size_t)n);
			break;
		default:	/* whatever came back */
			answered(c);
			return;
		}
	}
}

/* The connection stands, or it does not. */
static void
connected(struct conn *c)
{
	uint8_t buf[HTTP_REQUESTMAX];
	struct wbuf w;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		failed(c, error_text(error));
		return;
	}
	if (c->ka->kind == KA_TCP) {
		answered(c);
		return;
	}
	wbuf_init(&w, buf, sizeof(buf));
	http_build(&w, &c->dst, c->ka->port, c->ka->str[KA_ARG]);
	/* A new socket has room for so little. */
	if (!wbuf_ok(&w) || send(c->fd, buf, w.len, MSG_NOSIGNAL) !=
	    (ssize_t)w.len) {
		failed(c, "it does not take the request");
		return;
	}
	c->step = WAITING;
	ev_io_stop(c->t->loop, &c->io);
	ev_io_set(&c->io, c->fd, EV_READ);
	ev_io_start(c->t->loop, &c->io);
}

static void
io_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct conn *c = io->data;

	(void)loop;
	(void)revents;
	if (c->step == CONNECTING)
		connected(c);
	else
		readable(c);
}

static void
timer_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	if (c->step == ENDED && c->error == 0)
		connected(c);
	else if (c->step == ENDED)
		read_error(c, c->error);
	else if (c->foreign)
		failed(c, "what it answers is not DNS, or to another question");
	else
		failed(c, NULL);
}

/* How packets are marked; a system without one of these does without. */
static void
set_options(int fd, const struct conf_keepalive *ka, const struct addr *dst)
{
	int tos = ka->dscp << 2, ttl = ka->ttl, on = 1;

	if (dst->fam == ADDR_V6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		if (ttl != 0)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl,
			    sizeof(ttl));
	} else {
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
		if (ttl != 0)
			(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	}
#ifdef IP_BIND_ADDRESS_NO_PORT
	/* A port that is taken for one target is free for another. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
#else
	(void)on;
#endif
}

/* A socket bound to src and connected, or connecting; -1 and errno. */
static int
open_socket(const struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, int *error)
{
	struct endpoint from = { .addr = *src }, to = { *dst, ka->port };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, stream = ka->kind == KA_TCP || ka->kind == KA_HTTP, saved;

	if ((fd = socket(dst->fam == ADDR_V6 ? AF_INET6 : AF_INET, (stream ?
	    SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	set_options(fd, ka, dst);
	*error = 0;
	if (src->fam != ADDR_NONE) {
		len = addr_to_sockaddr(&from, &ss);
		if (bind(fd, (struct sockaddr *)&ss, len) == -1)
			goto fail;
	}
	len = addr_to_sockaddr(&to, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) == -1) {
		*error = errno;
		/* This very machine has answered already. */
		if (errno != EINPROGRESS && errno != ECONNREFUSED)
			goto fail;
	}
	return (fd);
fail:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (-1);
}

static int
send_datagram(struct conn *c)
{
	uint8_t buf[DNS_QUERYMAX];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	if (c->ka->kind == KA_DNS) {
		arc4random_buf(&c->id, sizeof(c->id));
		dns_build(&w, c->id, c->ka->str[KA_ARG], c->ka->qtype);
	}
	if (!wbuf_ok(&w))
		return (EINVAL);
	return (send(c->fd, buf, w.len, MSG_NOSIGNAL) == -1 ? errno : 0);
}

int
conn_probe(struct conn_table *t, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	struct conn *c = t->free;
	int error, saved, stream = ka->kind == KA_TCP || ka->kind == KA_HTTP;

	if (ka->kind == KA_ICMP || (src->fam != ADDR_NONE && src->fam != dst->fam))
		return (EINVAL);
	if (c == NULL)
		return (EAGAIN);
	if ((c->fd = open_socket(ka, src, dst, &error)) == -1)
		return (errno == EMFILE || errno == ENFILE ? EAGAIN : errno);
	t->free = c->next;
	t->n++;
	c->ka = conf_keepalive_ref(ka);
	c->dst = *dst;
	c->p = *p;
	c->foreign = 0;
	memset(&c->http, 0, sizeof(c->http));
	if (!stream && error == 0 && (saved = send_datagram(c)) != 0) {
		if (saved != ECONNREFUSED) {
			release(c);
			return (saved);
		}
		error = saved;
	}
	c->error = error;
	c->step = !stream && error == 0 ? WAITING : error == EINPROGRESS ?
	    CONNECTING : ENDED;
	if (c->step != ENDED) {
		ev_io_set(&c->io, c->fd, c->step == WAITING ? EV_READ : EV_WRITE);
		ev_io_start(t->loop, &c->io);
	}
	ev_now_update(t->loop);
	ev_timer_set(&c->timer, c->step == ENDED ? 0 : ka->timeout_ms / 1000.0, 0);
	ev_timer_start(t->loop, &c->timer);
	return (0);
}

unsigned int
conn_count(const struct conn_table *t)
{
	return (t->n);
}

struct conn_table *
conn_new(struct ev_loop *loop, const struct conn_ops *ops, void *arg)
{
	struct conn_table *t;
	struct conn *c;
	unsigned int i;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->loop = loop;
	t->ops = ops;
	t->arg = arg;
	for (i = CONN_MAX; i-- > 0; ) {
		c = &t->conn[i];
		c->t = t;
		c->fd = -1;
		ev_io_init(&c->io, io_cb, -1, EV_READ);
		ev_timer_init(&c->timer, timer_cb, 0, 0);
		c->io.data = c->timer.data = c;
		c->next = t->free;
		t->free = c;
	}
	return (t);
}

void
conn_free(struct conn_table *t)
{
	unsigned int i;

	if (t == NULL)
		return;
	for (i = 0; i < CONN_MAX; i++)
		if (t->conn[i].step != FREE)
			release(&t->conn[i]);
	free(t);
}
