/* SPDX-License-Identifier: ISC */
/* Channels: order, descriptors, queue, lies. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/channel.h"

struct side {
	struct chan	*c;
	uint32_t	 next;		/* number expected */
	uint32_t	 n;
	int		 fd;		/* the last one passed */
	int		 refuse;	/* call the message of this number malformed */
	int		 pause;		/* and read no more after each of them */
	int		 closed, drained;
	char		 why[64];
};

static struct ev_loop *loop;

static int
message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct side *s = arg;

	ATF_REQUIRE_EQ(7, type);
	ATF_REQUIRE_EQ(s->next, rbuf_u32(r));
	if (fd != -1)
		s->fd = fd;
	s->next++;
	s->n++;
	if (s->pause)
		chan_pause(c, 1);
	return (s->refuse != 0 && s->n == (uint32_t)s->refuse ? -1 : 0);
}

static void
closed(void *arg, struct chan *c, const char *why)
{
	struct side *s = arg;

	(void)c;
	s->closed++;
	(void)strlcpy(s->why, why != NULL ? why : "", sizeof(s->why));
}

static void
drained(void *arg, struct chan *c)
{
	struct side *s = arg;

	(void)c;
	s->drained++;
}

static const struct chan_ops ops = { message, closed, drained };

static void
pair(struct side *a, struct side *b, size_t maxqueue)
{
	int sv[2];

	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	a->fd = b->fd = -1;
	ATF_REQUIRE((loop = ev_loop_new(EVFLAG_NOENV)) != NULL);
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	ATF_REQUIRE((a->c = chan_new(loop, sv[0], maxqueue, &ops, a)) != NULL);
	ATF_REQUIRE((b->c = chan_new(loop, sv[1], maxqueue, &ops, b)) != NULL);
}

static int
put(struct side *s, uint32_t n, size_t fill, int fd)
{
	struct msg m;

	msg_start(&m, 7);
	wbuf_u32(&m.w, n);
	wbuf_zero(&m.w, fill);
	m.fd = fd;
	return (chan_put(s->c, &m));
}

static void
run(int n)
{
	while (n-- > 0)
		ev_run(loop, EVRUN_NOWAIT);
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	struct side a, b;
	uint32_t i;

	(void)tc;
	/* Far more than the socket holds: the rest waits in the queue, in order. */
	pair(&a, &b, 16U << 20);
	for (i = 0; i < 2000; i++)
		ATF_REQUIRE_EQ(0, put(&a, i, 2000, -1));
	ATF_REQUIRE(chan_waiting(a.c) > CHAN_LOW);
	for (i = 0; i < 2000 && b.n < 2000; i++)
		run(1);
	ATF_REQUIRE_EQ(2000, b.n);
	ATF_REQUIRE_EQ(0, chan_waiting(a.c));
	ATF_REQUIRE(a.drained > 0);
	chan_free(a.c);
	run(2);
	ATF_REQUIRE_EQ(1, b.closed);
	ATF_REQUIRE_STREQ("", b.why);
	chan_free(b.c);
}

/* What one turn puts leaves in one packet; a descriptor has its own. */
ATF_TC_WITHOUT_HEAD(packets);
ATF_TC_BODY(packets, tc)
{
	static uint8_t buf[CHAN_MSGMAX + 2];
	struct side a;
	uint32_t i;
	int sv[2];

	(void)tc;
	memset(&a, 0, sizeof(a));
	ATF_REQUIRE((loop = ev_loop_new(EVFLAG_NOENV)) != NULL);
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	ATF_REQUIRE((a.c = chan_new(loop, sv[0], 1U << 20, &ops, &a)) != NULL);
	for (i = 0; i < 10; i++)
		ATF_REQUIRE_EQ(0, put(&a, i, 4, -1));
	ATF_REQUIRE_EQ(-1, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	run(1);
	ATF_REQUIRE_EQ(10 * (2 + 10), recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	ATF_REQUIRE_EQ(10, buf[1]);
	/* too many for one packet */
	ATF_REQUIRE_EQ(0, put(&a, 0, 9000, -1));
	ATF_REQUIRE_EQ(0, put(&a, 1, 9000, -1));
	ATF_REQUIRE_EQ(9008, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	ATF_REQUIRE_EQ(-1, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	/* those before a descriptor, the descriptor, those after it */
	ATF_REQUIRE_EQ(0, put(&a, 2, 0, dup(0)));
	ATF_REQUIRE_EQ(9008, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	ATF_REQUIRE_EQ(8, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	ATF_REQUIRE_EQ(0, put(&a, 3, 1, -1));
	ATF_REQUIRE_EQ(-1, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	/* who is about to exit does not wait for the loop */
	chan_flush(a.c, 0);
	ATF_REQUIRE_EQ(9, recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	chan_free(a.c);
	close(sv[1]);
}

/* A packet that is full to the last octets takes nothing more. */
ATF_TC_WITHOUT_HEAD(brim);
ATF_TC_BODY(brim, tc)
{
	struct side a, b;
	size_t left;
	uint32_t n;

	(void)tc;
	for (left = 0; left < 20; left++) {
		pair(&a, &b, 1U << 20);
		ATF_REQUIRE_EQ(0, put(&a, 0, CHAN_MSGMAX - 6 - left, -1));
		for (n = 1; n < 50; n++)
			ATF_REQUIRE_EQ(0, put(&a, n, n % 7, -1));
		run(4);
		ATF_REQUIRE_EQ(0, b.closed);
		ATF_REQUIRE_EQ(50, b.n);
		chan_free(a.c);
		chan_free(b.c);
		ev_loop_destroy(loop);
	}
}

/* A receiver that pauses gets not one message more, and later all of them. */
ATF_TC_WITHOUT_HEAD(paused);
ATF_TC_BODY(paused, tc)
{
	struct side a, b;
	uint32_t i;

	(void)tc;
	pair(&a, &b, 1U << 20);
	b.pause = 1;
	for (i = 0; i < 5; i++)
		ATF_REQUIRE_EQ(0, put(&a, i, 0, -1));
	for (i = 1; i <= 5; i++) {
		run(3);
		ATF_REQUIRE_EQ(i, b.n);
		chan_pause(b.c, 0);
	}
	b.pause = 0;
	ATF_REQUIRE_EQ(0, put(&a, 5, 0, -1));
	run(2);
	ATF_REQUIRE_EQ(6, b.n);
	/* freed with the rest of a packet still to be given out */
	b.pause = 1;
	ATF_REQUIRE_EQ(0, put(&a, 6, 0, -1));
	ATF_REQUIRE_EQ(0, put(&a, 7, 0, -1));
	run(2);
	ATF_REQUIRE_EQ(7, b.n);
	chan_free(b.c);
	chan_free(a.c);
}

/* Lengths that are not those of the packet. */
ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	static const struct {
		uint8_t	p[12];
		size_t	len;
	} bad[] = {
		{ { 0 }, 1 },
		{ { 0, 7, 0, 7, 0, 0, 0, 0 }, 8 },
		{ { 0xff, 0xff, 0, 7, 0, 0, 0, 0 }, 8 },
		{ { 0, 6, 0, 7, 0, 0, 0, 0, 0 }, 9 },
		{ { 0, 6, 0, 7, 0, 0, 0, 0, 0, 1, 0 }, 11 },
	};
	struct side b;
	size_t i;
	int sv[2];

	(void)tc;
	ATF_REQUIRE((loop = ev_loop_new(EVFLAG_NOENV)) != NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&b, 0, sizeof(b));
		ATF_REQUIRE_EQ(0, chan_pair(sv));
		ATF_REQUIRE((b.c = chan_new(loop, sv[1], 1000, &ops, &b)) != NULL);
		ATF_REQUIRE(send(sv[0], bad[i].p, bad[i].len, 0) ==
		    (ssize_t)bad[i].len);
		run(2);
		ATF_REQUIRE_EQ(i < 3 ? 0 : 1, b.n);
		ATF_REQUIRE_EQ(1, b.closed);
		ATF_REQUIRE_STREQ("a message was malformed", b.why);
		chan_free(b.c);
		close(sv[0]);
	}
}

ATF_TC_WITHOUT_HEAD(full);
ATF_TC_BODY(full, tc)
{
	struct side a, b;
	uint32_t i;

	(void)tc;
	pair(&a, &b, 100000);
	for (i = 0; put(&a, i, 8000, -1) == 0; i++)
		ATF_REQUIRE(i < 10000);
	ATF_REQUIRE_EQ(ENOBUFS, errno);
	ATF_REQUIRE(i > 2);
	/* What was taken arrives, and then there is room again. */
	run(2000);
	ATF_REQUIRE_EQ(i, b.n);
	ATF_REQUIRE_EQ(0, put(&a, i, 10, -1));
	run(2);
	ATF_REQUIRE_EQ(i + 1, b.n);
	chan_free(a.c);
	chan_free(b.c);
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(size);
ATF_TC_BODY(size, tc)
{
	struct side a, b;

	(void)tc;
	pair(&a, &b, 1U << 20);
	ATF_REQUIRE_EQ(0, put(&a, 0, CHAN_MSGMAX - 6, -1));
	ATF_REQUIRE_EQ(-1, put(&a, 1, CHAN_MSGMAX - 5, -1));
	ATF_REQUIRE_EQ(EMSGSIZE, errno);
	run(2);
	ATF_REQUIRE_EQ(1, b.n);
	ATF_REQUIRE_EQ(0, b.closed);
	chan_free(a.c);
	chan_free(b.c);
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	static uint8_t big[CHAN_MSGMAX + 3];	/* and two of length */
	struct side b;
	int sv[2];

	(void)tc;
	memset(&b, 0, sizeof(b));
	b.fd = -1;
	ATF_REQUIRE((loop = ev_loop_new(EVFLAG_NOENV)) != NULL);
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	ATF_REQUIRE((b.c = chan_new(loop, sv[1], 1000, &ops, &b)) != NULL);
	ATF_REQUIRE_EQ((ssize_t)sizeof(big), send(sv[0], big, sizeof(big), 0));
	run(2);
	ATF_REQUIRE_EQ(0, b.n);
	ATF_REQUIRE_EQ(1, b.closed);
	ATF_REQUIRE_STREQ("a message was too long", b.why);
	/* The sender finds its channel dead: that is what ends it. */
	ATF_REQUIRE_EQ(0, recv(sv[0], big, sizeof(big), 0));
	chan_free(b.c);
	close(sv[0]);
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(malformed);
ATF_TC_BODY(malformed, tc)
{
	struct side a, b;

	(void)tc;
	pair(&a, &b, 1U << 20);
	b.refuse = 2;
	ATF_REQUIRE_EQ(0, put(&a, 0, 0, -1));
	ATF_REQUIRE_EQ(0, put(&a, 1, 0, -1));
	ATF_REQUIRE_EQ(0, put(&a, 2, 0, -1));
	run(3);
	ATF_REQUIRE_EQ(2, b.n);
	ATF_REQUIRE_EQ(1, b.closed);
	ATF_REQUIRE_STREQ("a message was malformed", b.why);
	ATF_REQUIRE_EQ(1, a.closed);
	ATF_REQUIRE_EQ(-1, put(&a, 3, 0, -1));
	ATF_REQUIRE_EQ(EPIPE, errno);
	chan_free(a.c);
	chan_free(b.c);
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	struct side a, b;
	struct stat st1, st2;
	uint32_t i;
	int fd;

	(void)tc;
	pair(&a, &b, 1U << 20);
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE_EQ(0, fstat(fd, &st1));
	ATF_REQUIRE_EQ(0, put(&a, 0, 0, fd));
	/* Gone here as soon as it is on its way. */
	ATF_REQUIRE_EQ(-1, fcntl(fd, F_GETFD));
	run(2);
	ATF_REQUIRE(b.fd != -1);
	ATF_REQUIRE_EQ(0, fstat(b.fd, &st2));
	ATF_REQUIRE_EQ(st1.st_rdev, st2.st_rdev);
	ATF_REQUIRE(fcntl(b.fd, F_GETFD) & FD_CLOEXEC);
	close(b.fd);
	/* One that has to wait in the queue arrives all the same. */
	for (i = 1; chan_waiting(a.c) == 0; i++)
		ATF_REQUIRE_EQ(0, put(&a, i, 8000, -1));
	b.fd = -1;
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE_EQ(0, put(&a, i, 0, fd));
	ATF_REQUIRE(fcntl(fd, F_GETFD) != -1);
	run(2000);
	ATF_REQUIRE_EQ(i + 1, b.n);
	ATF_REQUIRE(b.fd != -1);
	chan_free(a.c);
	chan_free(b.c);
}

ATF_TC_WITHOUT_HEAD(blocking);
ATF_TC_BODY(blocking, tc)
{
	static uint8_t big[CHAN_MSGMAX + 3];	/* and two of length */
	uint8_t buf[CHAN_MSGMAX];
	struct rbuf r;
	struct msg m;
	uint16_t type;
	int sv[2], fd;

	(void)tc;
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	msg_start(&m, 9);
	wbuf_u8(&m.w, 42);
	m.fd = dup(0);
	ATF_REQUIRE_EQ(0, chan_send(sv[0], &m));
	ATF_REQUIRE_EQ(0, chan_recv(sv[1], buf, &type, &r, &fd));
	ATF_REQUIRE_EQ(9, type);
	ATF_REQUIRE_EQ(42, rbuf_u8(&r));
	ATF_REQUIRE(fd != -1);
	close(fd);
	ATF_REQUIRE_EQ(1, send(sv[0], "x", 1, 0));
	ATF_REQUIRE_EQ(-1, chan_recv(sv[1], buf, &type, &r, &fd));
	ATF_REQUIRE_EQ(EPROTO, errno);
	ATF_REQUIRE_EQ((ssize_t)sizeof(big), send(sv[0], big, sizeof(big), 0));
	ATF_REQUIRE_EQ(-1, chan_recv(sv[1], buf, &type, &r, &fd));
	ATF_REQUIRE_EQ(EPROTO, errno);
	close(sv[0]);
	ATF_REQUIRE_EQ(-1, chan_recv(sv[1], buf, &type, &r, &fd));
	ATF_REQUIRE_EQ(EPIPE, errno);
}

ATF_TC_WITHOUT_HEAD(wiped);
ATF_TC_BODY(wiped, tc)
{
	static const char secret[] = "a-secret-that-must-not-stay";
	struct msg m;
	int sv[2];

	(void)tc;
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	msg_start(&m, 9);
	wbuf_str(&m.w, secret);
	ATF_REQUIRE(memmem(m.b, sizeof(m.b), secret, strlen(secret)) != NULL);
	ATF_REQUIRE_EQ(0, chan_send(sv[0], &m));
	ATF_REQUIRE(memmem(m.b, sizeof(m.b), secret, strlen(secret)) == NULL);
}

/* Who dies with something unread has said its last words all the same. */
ATF_TC_WITHOUT_HEAD(last_words);
ATF_TC_BODY(last_words, tc)
{
	struct side a, b;

	(void)tc;
	pair(&a, &b, 1U << 20);
	ATF_REQUIRE_EQ(0, put(&a, 0, 100, -1));
	chan_pause(b.c, 1);
	run(3);
	ATF_REQUIRE_EQ(0, put(&b, 0, 100, -1));
	ATF_REQUIRE_EQ(0, put(&b, 1, 100, -1));
	chan_flush(b.c, 0);
	chan_free(b.c);
	run(3);
	ATF_CHECK_EQ(2, a.n);
	ATF_REQUIRE_EQ(1, a.closed);
	ATF_CHECK_STREQ("", a.why);
	chan_free(a.c);
	ev_loop_destroy(loop);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, last_words);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, packets);
	ATF_TP_ADD_TC(tp, brim);
	ATF_TP_ADD_TC(tp, paused);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, full);
	ATF_TP_ADD_TC(tp, size);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, blocking);
	ATF_TP_ADD_TC(tp, wiped);
	return (atf_no_error());
}
