/* SPDX-License-Identifier: ISC */
/* Typed messages over SOCK_SEQPACKET, with descriptors and a bounded queue. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/channel.h"

#define CHAN_SOCKBUF	(512 * 1024)	/* asked for; the system may give less */
#define CHAN_BATCH	64		/* messages read before others get a turn */
#define CHAN_HEAD	2		/* the length before each message */
#define CHAN_PACKETMAX	(CHAN_HEAD + CHAN_MSGMAX)

/*
 * A packet is one message or several, each behind its length.  What is put during
 * one turn of the loop fills a packet, and leaves when the loop is about to wait:
 * a handshake is a dozen messages, and a system call costs more than most of them.
 */
struct packet {
	STAILQ_ENTRY(packet)	entry;
	size_t			len;
	size_t			n;		/* messages */
	int			fd;		/* then the only message's */
	uint8_t			b[CHAN_PACKETMAX];
};

struct chan {
	struct ev_loop		*loop;
	const struct chan_ops	*ops;
	void			*arg;
	int			 fd;		/* -1: closed */
	ev_io			 rd, wr;
	ev_prepare		 turn;		/* active: `cur' wants to leave */
	struct packet		*cur;		/* being filled; NULL: none yet */
	STAILQ_HEAD(, packet)	 q;		/* the socket took no more */
	size_t			 nq, qbytes, maxqueue;	/* nq: messages */
	int			 high;		/* went above CHAN_LOW */
	int			 infd;		/* came with the packet below */
	size_t			 inoff, inlen;	/* what is still to be given out */
	uint8_t			 in[CHAN_PACKETMAX];
};

union fdctl {
	struct cmsghdr	hdr;
	uint8_t		b[CMSG_SPACE(sizeof(int) * 4)];
};

void
msg_start(struct msg *m, uint16_t type)
{
	wbuf_init(&m->w, m->b, sizeof(m->b));
	m->fd = -1;
	wbuf_u16(&m->w, type);
}

static void
msg_done(struct msg *m)
{
	if (m->fd != -1)
		close(m->fd);
	m->fd = -1;
	explicit_bzero(m->b, m->w.len < sizeof(m->b) ? m->w.len : sizeof(m->b));
}

int
chan_pair(int sv[2])
{
	int i, n = CHAN_SOCKBUF;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return (-1);
	for (i = 0; i < 2; i++) {
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
		(void)setsockopt(sv[i], SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
	}
	return (0);
}

static ssize_t
send_one(int fd, struct iovec *iov, int niov, int passed)
{
	struct msghdr mh;
	union fdctl ctl;
	struct cmsghdr *c;

	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = iov;
	mh.msg_iovlen = (size_t)niov;
	if (passed != -1) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.b;
		mh.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	return (sendmsg(fd, &mh, MSG_NOSIGNAL));
}

/*
 * The first descriptor that came along; any others are closed: no message has two.
 */
static int
passed_fd(struct msghdr *mh)
{
	struct cmsghdr *c;
	size_t i, n;
	int fd, got = -1;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(fd));
			if (got == -1)
				got = fd;
			else
				close(fd);
		}
	}
	return (got);
}

/*
 * Gives the octets of one packet; 0 at the end; -1 with errno, EPROTO when
 * the sender wrote more than a packet holds or more descriptors than one.
 */
static ssize_t
recv_one(int fd, struct iovec *iov, int niov, int *passed)
{
	struct msghdr mh;
	union fdctl ctl;
	ssize_t n;

	*passed = -1;
	memset(&mh, 0, sizeof(mh));
	mh.msg_iov = iov;
	mh.msg_iovlen = (size_t)niov;
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	if ((n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC)) == -1)
		return (-1);
	*passed = passed_fd(&mh);
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		if (*passed != -1)
			close(*passed);
		*passed = -1;
		errno = EPROTO;
		return (-1);
	}
	return (n);
}

/* The length before a message: two octets, as everywhere the high one first. */
static void
head_put(uint8_t h[CHAN_HEAD], size_t len)
{
	struct wbuf w;

	wbuf_init(&w, h, CHAN_HEAD);
	wbuf_u16(&w, (uint16_t)len);
}

static size_t
head_get(const uint8_t h[CHAN_HEAD])
{
	struct rbuf r;

	rbuf_init(&r, h, CHAN_HEAD);
	return (rbuf_u16(&r));
}

int
chan_recv(int fd, uint8_t *buf, uint16_t *type, struct rbuf *r, int *passed)
{
	uint8_t head[CHAN_HEAD];
	struct iovec iov[2] = { { head, CHAN_HEAD }, { buf, CHAN_MSGMAX } };
	ssize_t n;

	do
		n = recv_one(fd, iov, 2, passed);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		if (n == 0)
			errno = EPIPE;
		return (-1);
	}
	if (n >= CHAN_HEAD && head_get(head) == (size_t)n - CHAN_HEAD) {
		rbuf_init(r, buf, (size_t)n - CHAN_HEAD);
		*type = rbuf_u16(r);
		if (rbuf_ok(r))
			return (0);
	}
	if (*passed != -1)
		close(*passed);
	errno = EPROTO;
	return (-1);
}

int
chan_send(int fd, struct msg *m)
{
	uint8_t head[CHAN_HEAD];
	struct iovec iov[2] = { { head, CHAN_HEAD }, { m->b, m->w.len } };
	ssize_t n;

	if (!wbuf_ok(&m->w)) {
		msg_done(m);
		errno = EMSGSIZE;
		return (-1);
	}
	head_put(head, m->w.len);
	do
		n = send_one(fd, iov, 2, m->fd);
	while (n == -1 && errno == EINTR);
	msg_done(m);
	return (n == -1 ? -1 : 0);
}

/* Empty again, and of no packet's past. */
static void
packet_clear(struct packet *p)
{
	if (p->fd != -1)
		close(p->fd);
	explicit_bzero(p->b, p->len);
	p->fd = -1;
	p->len = p->n = 0;
}

static void
packet_free(struct packet *p)
{
	if (p == NULL)
		return;
	packet_clear(p);
	free(p);
}

static int
packet_send(const struct chan *c, struct packet *p)
{
	struct iovec iov = { p->b, p->len };

	return (send_one(c->fd, &iov, 1, p->fd) == -1 ? -1 : 0);
}

static void
queue_drop(struct chan *c, struct packet *p)
{
	STAILQ_REMOVE_HEAD(&c->q, entry);
	c->nq -= p->n;
	c->qbytes -= p->len;
	packet_free(p);
}

static void
chan_shut(struct chan *c)
{
	struct packet *p;

	if (c->fd == -1)
		return;
	ev_io_stop(c->loop, &c->rd);
	ev_io_stop(c->loop, &c->wr);
	ev_prepare_stop(c->loop, &c->turn);
	close(c->fd);
	c->fd = -1;
	if (c->infd != -1)
		close(c->infd);
	c->infd = -1;
	explicit_bzero(c->in, c->inlen);
	c->inoff = c->inlen = 0;
	packet_free(c->cur);
	c->cur = NULL;
	while ((p = STAILQ_FIRST(&c->q)) != NULL)
		queue_drop(c, p);
}

static void
chan_lost(struct chan *c, const char *why)
{
	chan_shut(c);
	c->ops->closed(c->arg, c, why);
}

/* One message of the packet that is there.  -1: it is malformed. */
static int
give_one(struct chan *c)
{
	struct rbuf r;
	size_t len, left = c->inlen - c->inoff;
	uint8_t *p = c->in + c->inoff;
	int fd = c->infd;

	if (left < CHAN_HEAD || (len = head_get(p)) > left - CHAN_HEAD || len < 2 ||
	    (fd != -1 && len != left - CHAN_HEAD))
		return (-1);
	c->inoff += CHAN_HEAD + len;
	c->infd = -1;			/* the receiver's */
	rbuf_init(&r, p + CHAN_HEAD, len);
	return (c->ops->message(c->arg, c, rbuf_u16(&r), &r, fd));
}

/* All of them, unless the receiver pauses: then it goes on from there.  Their number;
 * -1: the channel is closed. */
static int
give_all(struct chan *c)
{
	int n = 0;

	for (; c->inoff < c->inlen && ev_is_active(&c->rd); n++)
		if (give_one(c) == -1) {
			if (c->fd != -1)
				chan_lost(c, "a message was malformed");
			return (-1);
		}
	if (c->fd == -1)
		return (-1);
	if (c->inoff == c->inlen) {
		explicit_bzero(c->in, c->inlen);
		c->inoff = c->inlen = 0;
	}
	return (n);
}

/* Several short reads rather than a long one: see CHAN_BATCH. */
static void
chan_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct chan *c = io->data;
	struct iovec iov = { c->in, sizeof(c->in) };
	ssize_t n;
	int done, k;

	(void)loop;
	(void)revents;
	for (done = give_all(c); done != -1 && done < CHAN_BATCH &&
	    ev_is_active(&c->rd); done = k == -1 ? -1 : done + k) {
		if ((n = recv_one(c->fd, &iov, 1, &c->infd)) == -1) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			k = 1;
			/* told once, where the other end has not read all: what it said
			 * before is behind it */
			if (errno == ECONNRESET)
				continue;
			chan_lost(c, errno == EPROTO ? "a message was too long" :
			    strerror(errno));
			return;
		}
		if (n == 0) {
			chan_lost(c, NULL);
			return;
		}
		c->inlen = (size_t)n;
		k = give_all(c);
	}
}

/* As much of what waits as the socket takes.  -1: the channel is broken. */
static int
chan_push(struct chan *c)
{
	struct packet *p;

	for (;;) {
		if ((p = STAILQ_FIRST(&c->q)) == NULL) {
			p = c->cur;
			if (p == NULL || p->len == 0)
				return (0);
		}
		if (packet_send(c, p) == -1)
			return (errno == EAGAIN || errno == EINTR ||
			    errno == ENOBUFS ? 0 : -1);
		if (p == c->cur)
			packet_clear(p);
		else
			queue_drop(c, p);
	}
}

static void
chan_writable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct chan *c = io->data;

	(void)loop;
	(void)revents;
	if (chan_push(c) == -1) {
		/* The reader's side says why: an end of file, most likely. */
		ev_io_stop(c->loop, &c->wr);
		return;
	}
	if (c->nq == 0 && (c->cur == NULL || c->cur->len == 0))
		ev_io_stop(c->loop, &c->wr);
	if (c->high && c->nq < CHAN_LOW) {
		c->high = 0;
		if (c->ops->drained != NULL)
			c->ops->drained(c->arg, c);
	}
}

/* The packet is full, or holds a descriptor: it goes, or waits in the queue. */
static int
chan_seal(struct chan *c)
{
	struct packet *p = c->cur, *small;

	if (c->nq == 0) {
		if (packet_send(c, p) == 0) {
			packet_clear(p);
			return (0);
		}
		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			return (-1);
	}
	/* what cannot be made smaller stays as it is */
	if ((small = realloc(p, offsetof(struct packet, b) + p->len)) != NULL)
		p = small;
	c->cur = NULL;
	STAILQ_INSERT_TAIL(&c->q, p, entry);
	c->nq += p->n;
	c->qbytes += p->len;
	if (c->nq >= CHAN_LOW)
		c->high = 1;
	ev_io_start(c->loop, &c->wr);
	return (0);
}

/* The loop is about to wait. */
static void
chan_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct chan *c = w->data;

	(void)revents;
	ev_prepare_stop(loop, w);
	if (c->nq == 0 && chan_push(c) == 0 && c->cur != NULL && c->cur->len > 0)
		ev_io_start(loop, &c->wr);
}

struct chan *
chan_new(struct ev_loop *loop, int fd, size_t maxqueue,
    const struct chan_ops *ops, void *arg)
{
	struct chan *c;
	int fl;

	if ((fl = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, fl | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return (NULL);
	}
	c->loop = loop;
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	c->maxqueue = maxqueue;
	c->infd = -1;
	STAILQ_INIT(&c->q);
	ev_prepare_init(&c->turn, chan_turn);
	c->turn.data = c;
	ev_io_init(&c->rd, chan_readable, fd, EV_READ);
	ev_io_init(&c->wr, chan_writable, fd, EV_WRITE);
	c->rd.data = c->wr.data = c;
	ev_io_start(loop, &c->rd);
	return (c);
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	chan_shut(c);
	free(c);
}

void
chan_pause(struct chan *c, int paused)
{
	if (c->fd == -1)
		return;
	if (paused)
		ev_io_stop(c->loop, &c->rd);
	else {
		ev_io_start(c->loop, &c->rd);
		if (c->inoff < c->inlen)
			ev_feed_event(c->loop, &c->rd, EV_READ);
	}
}

/* Room for a message of that length, alone in its packet when it has a descriptor. */
static int
chan_room(struct chan *c, size_t len, int fd)
{
	struct packet *p = c->cur;

	if (c->nq > 0 && c->qbytes + (p != NULL ? p->len : 0) + CHAN_HEAD + len >
	    c->maxqueue)
		return (ENOBUFS);
	if (p != NULL && p->len > 0 &&
	    (fd != -1 || p->len + CHAN_HEAD + len > sizeof(p->b)) &&
	    chan_seal(c) == -1)
		return (EPIPE);
	if (c->cur != NULL)
		return (0);
	if ((p = malloc(sizeof(*p))) == NULL)
		return (ENOBUFS);
	p->len = p->n = 0;
	p->fd = -1;
	c->cur = p;
	return (0);
}

static int
chan_append(struct chan *c, struct msg *m)
{
	struct packet *p;
	int err;

	if ((err = chan_room(c, m->w.len, m->fd)) != 0)
		return (err);
	p = c->cur;
	head_put(p->b + p->len, m->w.len);
	memcpy(p->b + p->len + CHAN_HEAD, m->b, m->w.len);
	p->len += CHAN_HEAD + m->w.len;
	p->n++;
	p->fd = m->fd;
	m->fd = -1;
	if (p->fd != -1)
		return (chan_seal(c) == -1 ? EPIPE : 0);
	ev_prepare_start(c->loop, &c->turn);
	return (0);
}

int
chan_put(struct chan *c, struct msg *m)
{
	int err;

	if (!wbuf_ok(&m->w))
		err = EMSGSIZE;
	else if (c == NULL || c->fd == -1)
		err = EPIPE;
	else
		err = chan_append(c, m);
	msg_done(m);
	if (err == 0)
		return (0);
	errno = err;
	return (-1);
}

size_t
chan_waiting(const struct chan *c)
{
	return (c->nq);
}

int
chan_isopen(const struct chan *c)
{
	return (c != NULL && c->fd != -1);
}

void
chan_flush(struct chan *c, int ms)
{
	struct pollfd p;
	int i;

	for (i = 0; i < 64 && chan_isopen(c); i++) {
		if (chan_push(c) == -1 || (c->nq == 0 &&
		    (c->cur == NULL || c->cur->len == 0)))
			return;
		p.fd = c->fd;
		p.events = POLLOUT;
		if (poll(&p, 1, ms) <= 0)
			return;
	}
}
