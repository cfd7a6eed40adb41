/* SPDX-License-Identifier: ISC */
/* Typed messages over SOCK_SEQPACKET, with descriptors and a bounded queue. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/channel.h"

#define CHAN_SOCKBUF	(512 * 1024)	/* asked for; the system may give less */
#define CHAN_BATCH	64		/* messages read before others get a turn */

struct waiting {
	STAILQ_ENTRY(waiting)	entry;
	size_t			len;
	int			fd;
	uint8_t			b[];
};

struct chan {
	struct ev_loop		*loop;
	const struct chan_ops	*ops;
	void			*arg;
	int			 fd;		/* -1: closed */
	ev_io			 rd, wr;
	STAILQ_HEAD(, waiting)	 q;
	size_t			 nq, qbytes, maxqueue;
	int			 high;		/* went above CHAN_LOW */
	uint8_t			 in[CHAN_MSGMAX];
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
send_one(int fd, const void *p, size_t len, int passed)
{
	struct iovec iov;
	struct msghdr mh;
	union fdctl ctl;
	struct cmsghdr *c;

	memset(&mh, 0, sizeof(mh));
	iov.iov_base = (void *)(uintptr_t)p;	/* sendmsg only reads it */
	iov.iov_len = len;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
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
 * Gives the octets of one message; 0 at the end; -1 with errno, EPROTO when
 * the sender wrote more than a message holds or more descriptors than one.
 */
static ssize_t
recv_one(int fd, uint8_t *buf, int *passed)
{
	struct iovec iov;
	struct msghdr mh;
	union fdctl ctl;
	ssize_t n;

	*passed = -1;
	memset(&mh, 0, sizeof(mh));
	iov.iov_base = buf;
	iov.iov_len = CHAN_MSGMAX;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
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

int
chan_recv(int fd, uint8_t *buf, uint16_t *type, struct rbuf *r, int *passed)
{
	ssize_t n;

	do
		n = recv_one(fd, buf, passed);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		if (n == 0)
			errno = EPIPE;
		return (-1);
	}
	rbuf_init(r, buf, (size_t)n);
	*type = rbuf_u16(r);
	if (!rbuf_ok(r)) {
		if (*passed != -1)
			close(*passed);
		errno = EPROTO;
		return (-1);
	}
	return (0);
}

int
chan_send(int fd, struct msg *m)
{
	ssize_t n;

	if (!wbuf_ok(&m->w)) {
		msg_done(m);
		errno = EMSGSIZE;
		return (-1);
	}
	do
		n = send_one(fd, m->b, m->w.len, m->fd);
	while (n == -1 && errno == EINTR);
	msg_done(m);
	return (n == -1 ? -1 : 0);
}

static void
waiting_free(struct chan *c, struct waiting *w)
{
	STAILQ_REMOVE_HEAD(&c->q, entry);
	c->nq--;
	c->qbytes -= w->len;
	if (w->fd != -1)
		close(w->fd);
	explicit_bzero(w->b, w->len);
	free(w);
}

static void
chan_shut(struct chan *c)
{
	struct waiting *w;

	if (c->fd == -1)
		return;
	ev_io_stop(c->loop, &c->rd);
	ev_io_stop(c->loop, &c->wr);
	close(c->fd);
	c->fd = -1;
	while ((w = STAILQ_FIRST(&c->q)) != NULL)
		waiting_free(c, w);
}

static void
chan_lost(struct chan *c, const char *why)
{
	chan_shut(c);
	c->ops->closed(c->arg, c, why);
}

/* Several short reads rather than a long one: see CHAN_BATCH. */
static void
chan_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct chan *c = io->data;
	struct rbuf r;
	ssize_t n;
	int i, fd, rv;

	(void)loop;
	(void)revents;
	for (i = 0; i < CHAN_BATCH && ev_is_active(&c->rd); i++) {
		if ((n = recv_one(c->fd, c->in, &fd)) == -1) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			chan_lost(c, errno == EPROTO ?
			    "a message was too long" :
			    errno == ECONNRESET ? NULL : strerror(errno));
			return;
		}
		if (n == 0) {
			chan_lost(c, NULL);
			return;
		}
		rbuf_init(&r, c->in, (size_t)n);
		rv = c->ops->message(c->arg, c, rbuf_u16(&r), &r, fd);
		explicit_bzero(c->in, (size_t)n);
		if (rv == -1) {
			chan_lost(c, "a message was malformed");
			return;
		}
	}
}

/* As much of the queue as the socket takes.  -1: the channel is broken. */
static int
chan_push(struct chan *c)
{
	struct waiting *w;

	while ((w = STAILQ_FIRST(&c->q)) != NULL) {
		if (send_one(c->fd, w->b, w->len, w->fd) == -1) {
			if (errno == EAGAIN || errno == EINTR ||
			    errno == ENOBUFS)
				return (0);
			return (-1);
		}
		waiting_free(c, w);
	}
	return (0);
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
	if (c->nq == 0)
		ev_io_stop(c->loop, &c->wr);
	if (c->high && c->nq < CHAN_LOW) {
		c->high = 0;
		if (c->ops->drained != NULL)
			c->ops->drained(c->arg, c);
	}
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
	STAILQ_INIT(&c->q);
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
	explicit_bzero(c->in, sizeof(c->in));
	free(c);
}

void
chan_pause(struct chan *c, int paused)
{
	if (c->fd == -1)
		return;
	if (paused)
		ev_io_stop(c->loop, &c->rd);
	else
		ev_io_start(c->loop, &c->rd);
}

static int
chan_enqueue(struct chan *c, struct msg *m)
{
	struct waiting *w;

	if (m->w.len > c->maxqueue - c->qbytes ||
	    (w = malloc(sizeof(*w) + m->w.len)) == NULL) {
		errno = ENOBUFS;
		return (-1);
	}
	memcpy(w->b, m->b, m->w.len);
	w->len = m->w.len;
	w->fd = m->fd;
	m->fd = -1;
	STAILQ_INSERT_TAIL(&c->q, w, entry);
	c->nq++;
	c->qbytes += w->len;
	if (c->nq >= CHAN_LOW)
		c->high = 1;
	ev_io_start(c->loop, &c->wr);
	return (0);
}

int
chan_put(struct chan *c, struct msg *m)
{
	int rv = 0, err = 0;

	if (!wbuf_ok(&m->w))
		err = EMSGSIZE;
	else if (c == NULL || c->fd == -1)
		err = EPIPE;
	else if (c->nq == 0 &&
	    send_one(c->fd, m->b, m->w.len, m->fd) != -1)
		;
	else if (c->nq == 0 && errno != EAGAIN && errno != ENOBUFS &&
	    errno != EINTR)
		err = EPIPE;
	else if (chan_enqueue(c, m) == -1)
		err = ENOBUFS;
	msg_done(m);
	if (err != 0) {
		errno = err;
		rv = -1;
	}
	return (rv);
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
		if (chan_push(c) == -1 || c->nq == 0)
			return;
		p.fd = c->fd;
		p.events = POLLOUT;
		if (poll(&p, 1, ms) <= 0)
			return;
	}
}
