/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP on FreeBSD.  A raw IPv4 socket takes its source from what it is
 * bound to, or from the header we write (IP_HDRINCL); ip_output looks the
 * policy up on the finished packet, so the header decides.  The stack fills in
 * the identification and the checksum.  IPv6 has IPV6_PKTINFO (RFC 3542 6.2).
 * There is no call for many packets at once.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/icmp6.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "keepalive/icmp_sock.h"

#define BUFSIZE		(4 * 1024 * 1024)
#define BUFSIZE_MIN	(64 * 1024)
#define IP4_HDRLEN	20
#define IP4_DF		0x4000
#define TTL		64
#define CTLLEN		(CMSG_SPACE(sizeof(struct in6_pktinfo)) + \
    3 * CMSG_SPACE(sizeof(int)))

static const uint8_t zeros[ICMP_PROBEMAX - ICMP_PROBELEN];

int
icmp_sock_receives(const struct icmp_sockkey *k)
{
	return (!k->nodf && k->route.kind == ICMP_NOROUTE);
}

static int
filter6(int fd, int receives)
{
	struct icmp6_filter f;

	ICMP6_FILTER_SETBLOCKALL(&f);
	if (receives) {
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
		ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &f);
		ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &f);
		ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &f);
	}
	return (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)));
}

static int
route(int fd, const struct icmp_route *r)
{
	int fib = (int)r->number;

	if (r->kind == ICMP_NOROUTE)
		return (0);
	if (r->kind == ICMP_FIB)
		return (setsockopt(fd, SOL_SOCKET, SO_SETFIB, &fib,
		    sizeof(fib)));
	errno = EOPNOTSUPP;
	return (-1);
}

/* As much as kern.ipc.maxsockbuf lets. */
static void
buffer(int fd, int which, int size)
{
	while (size >= BUFSIZE_MIN && setsockopt(fd, SOL_SOCKET, which, &size,
	    sizeof(size)) == -1)
		size /= 2;
}

static void
options(int fd, int receives)
{
	int on = 1, least = 1, ts = SO_TS_MONOTONIC;

	buffer(fd, SO_SNDBUF, BUFSIZE);
	/* Nobody reads it: let it fill up at once. */
	if (!receives)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least,
		    sizeof(least));
	else
		buffer(fd, SO_RCVBUF, BUFSIZE);
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_TS_CLOCK, &ts, sizeof(ts));
}

int
icmp_sock_open(const struct icmp_sockkey *k)
{
	int fd, df = !k->nodf, on = 1, saved, r, receives = icmp_sock_receives(k);

	fd = socket(k->fam == ADDR_V4 ? AF_INET : AF_INET6, SOCK_RAW |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, k->fam == ADDR_V4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);
	if (fd == -1)
		return (-1);
	if (k->fam == ADDR_V4)
		r = setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on));
	else if ((r = filter6(fd, receives)) == 0)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &df,
		    sizeof(df));
	if (r == -1 || route(fd, &k->route) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	options(fd, receives);
	return (fd);
}

static void
header4(uint8_t h[IP4_HDRLEN], const struct icmp_out *o)
{
	struct wbuf w;

	wbuf_init(&w, h, IP4_HDRLEN);
	wbuf_u8(&w, 0x45);
	wbuf_u8(&w, (uint8_t)(o->dscp << 2));
	/* Network order since FreeBSD 11. */
	wbuf_u16(&w, (uint16_t)(IP4_HDRLEN + o->size));
	wbuf_u16(&w, 0);		/* identification */
	wbuf_u16(&w, o->nodf ? 0 : IP4_DF);
	wbuf_u8(&w, o->ttl != 0 ? o->ttl : TTL);
	wbuf_u8(&w, IPPROTO_ICMP);
	wbuf_u16(&w, 0);
	/* 0.0.0.0: ip_output puts the interface's */
	wbuf_bytes(&w, o->src.b, 4);
	wbuf_bytes(&w, o->dst.b, 4);
}

static size_t
put_ctl(uint8_t *at, int type, const void *data, size_t len)
{
	struct cmsghdr h;

	memset(&h, 0, sizeof(h));
	h.cmsg_level = IPPROTO_IPV6;
	h.cmsg_type = type;
	h.cmsg_len = CMSG_LEN(len);
	memcpy(at, &h, sizeof(h));
	memcpy(at + CMSG_LEN(0), data, len);
	return (CMSG_SPACE(len));
}

static size_t
put_how6(uint8_t *ctl, const struct icmp_out *o)
{
	int tos = o->dscp << 2, ttl = o->ttl;
	struct in6_pktinfo i6;
	size_t n = 0;

	if (o->src.fam == ADDR_V6) {
		memset(&i6, 0, sizeof(i6));
		memcpy(&i6.ipi6_addr, o->src.b, 16);
		n = put_ctl(ctl, IPV6_PKTINFO, &i6, sizeof(i6));
	}
	if (ttl != 0)
		n += put_ctl(ctl + n, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (tos != 0)
		n += put_ctl(ctl + n, IPV6_TCLASS, &tos, sizeof(tos));
	return (n);
}

static int
send_one(int fd, const struct icmp_out *o)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[CTLLEN];
	} ctl;
	union { const uint8_t *in; void *out; } msg = { .in = o->msg },
	    pad = { .in = zeros };
	struct endpoint to = { .addr = o->dst };
	struct sockaddr_storage ss;
	uint8_t h4[IP4_HDRLEN];
	struct iovec iov[3] = { { h4, 0 }, { msg.out, ICMP_PROBELEN },
	    { pad.out, o->size - ICMP_PROBELEN } };
	struct msghdr mh;
	ssize_t n;

	memset(&mh, 0, sizeof(mh));
	memset(&ctl, 0, sizeof(ctl));
	mh.msg_namelen = addr_to_sockaddr(&to, &ss);
	mh.msg_name = &ss;
	mh.msg_iov = iov;
	mh.msg_iovlen = 3;
	if (o->dst.fam == ADDR_V4) {
		header4(h4, o);
		iov[0].iov_len = sizeof(h4);
	} else if ((mh.msg_controllen = (socklen_t)put_how6(ctl.b, o)) > 0)
		mh.msg_control = &ctl;
	do
		n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (n == -1 ? errno : 0);
}

static int
valid(const struct icmp_out *o)
{
	return ((o->dst.fam == ADDR_V4 || o->dst.fam == ADDR_V6) &&
	    (o->src.fam == ADDR_NONE || (o->src.fam == o->dst.fam &&
	    !addr_is_any(&o->src))) && o->size >= ICMP_PROBELEN &&
	    o->size <= ICMP_PROBEMAX);
}

unsigned int
icmp_sock_send(int fd, struct icmp_out *o, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && i < ICMP_BATCH; i++) {
		o[i].error = valid(&o[i]) ? send_one(fd, &o[i]) : EINVAL;
		if (o[i].error == EAGAIN || o[i].error == ENOBUFS)
			break;
	}
	return (i);
}

static monotime
arrival(struct msghdr *m)
{
	struct cmsghdr *c;
	struct timespec ts;
	monotime at;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_MONOTONIC)
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	at.us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	return (at);
}

static int
recv_one(int fd, struct icmp_in *in)
{
	union {
		struct cmsghdr	h;
		uint8_t		b[CMSG_SPACE(sizeof(struct timespec)) + 64];
	} ctl;
	struct sockaddr_storage ss;
	uint8_t rest[ICMP_PROBEMAX];	/* only its length is wanted */
	struct iovec iov[2] = { { in->pkt, sizeof(in->pkt) },
	    { rest, sizeof(rest) } };
	struct msghdr mh;
	struct endpoint e;
	ssize_t n;

	memset(&mh, 0, sizeof(mh));
	mh.msg_name = &ss;
	mh.msg_namelen = sizeof(ss);
	mh.msg_iov = iov;
	mh.msg_iovlen = 2;
	mh.msg_control = &ctl;
	mh.msg_controllen = sizeof(ctl);
	do
		n = recvmsg(fd, &mh, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (-1);
	in->whole = (size_t)n;
	in->len = in->whole < sizeof(in->pkt) ? in->whole : sizeof(in->pkt);
	in->at = arrival(&mh);
	memset(&in->from, 0, sizeof(in->from));
	if (addr_from_sockaddr(&e, (struct sockaddr *)&ss, mh.msg_namelen) == 0)
		in->from = e.addr;
	return (0);
}

unsigned int
icmp_sock_recv(int fd, struct icmp_in *in, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && i < ICMP_BATCH; i++)
		if (recv_one(fd, &in[i]) == -1)
			break;
	return (i);
}
