/* SPDX-License-Identifier: ISC */
/*
 * Raw ICMP on Linux, in batches.  The source goes in IP_PKTINFO, because the routing
 * decision, and with it the policy lookup, takes it from there: with IP_HDRINCL a packet
 * that carries the right source in its header still leaves in clear.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/icmp6.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/icmp_sock.h"

/* Some 20,000 replies: two seconds at 10,000 a second in which we do not run.  It is
 * used in that case only. */
#define BUFSIZE		(16 * 1024 * 1024)
/* <linux/icmp.h> does not go together with <netinet/in.h>. */
#define ICMP4_FILTER	1
#define PASS4(type)	(1U << (type))
#define ECHO_REPLY	0	/* RFC 792 */
#define UNREACHABLE	3
#define TIME_EXCEEDED	11
#define CTLLEN		(CMSG_SPACE(sizeof(struct in6_pktinfo)) + \
    2 * CMSG_SPACE(sizeof(int)))

static const uint8_t zeros[ICMP_PROBEMAX - ICMP_PROBELEN];

int
icmp_sock_receives(const struct icmp_sockkey *k)
{
	/* In a VRF only what comes in by its interfaces; and nobody else may get that
	 * (raw_l3mdev_accept=0). */
	return (!k->nodf && (k->route.kind == ICMP_NOROUTE ||
	    k->route.kind == ICMP_VRF));
}

static int
filter4(int fd, int receives)
{
	uint32_t blocked = receives ? ~(PASS4(ECHO_REPLY) |
	    PASS4(UNREACHABLE) | PASS4(TIME_EXCEEDED)) : ~0U;

	return (setsockopt(fd, SOL_RAW, ICMP4_FILTER, &blocked,
	    sizeof(blocked)));
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
	switch (r->kind) {
	case ICMP_NOROUTE:
		return (0);
	case ICMP_MARK:
		return (setsockopt(fd, SOL_SOCKET, SO_MARK, &r->number,
		    sizeof(r->number)));
	case ICMP_VRF:
		return (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, r->vrf,
		    (socklen_t)strnlen(r->vrf, sizeof(r->vrf))));
	default:
		errno = EOPNOTSUPP;
		return (-1);
	}
}

/* PROBE: the bit is set, and what the kernel believes of the path is no limit. */
static int
fragment(int fd, const struct icmp_sockkey *k)
{
	int v4 = k->nodf ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE;
	int v6 = k->nodf ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE;

	return (k->fam == ADDR_V4 ? setsockopt(fd, IPPROTO_IP,
	    IP_MTU_DISCOVER, &v4, sizeof(v4)) : setsockopt(fd, IPPROTO_IPV6,
	    IPV6_MTU_DISCOVER, &v6, sizeof(v6)));
}

int
icmp_sock_open(const struct icmp_sockkey *k)
{
	int fd, size = BUFSIZE, on = 1, saved, receives = icmp_sock_receives(k);
	static const int buf[][2] = { { SO_RCVBUFFORCE, SO_RCVBUF },
	    { SO_SNDBUFFORCE, SO_SNDBUF } };
	size_t i;

	fd = socket(k->fam == ADDR_V4 ? AF_INET : AF_INET6, SOCK_RAW |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, k->fam == ADDR_V4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);
	if (fd == -1)
		return (-1);
	if ((k->fam == ADDR_V4 ? filter4(fd, receives) : filter6(fd,
	    receives)) == -1 || route(fd, &k->route) == -1 ||
	    fragment(fd, k) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	/* Less is no failure, only less patience under a burst. */
	for (i = 0; i < 2; i++)
		if (setsockopt(fd, SOL_SOCKET, buf[i][0], &size,
		    sizeof(size)) == -1)
			(void)setsockopt(fd, SOL_SOCKET, buf[i][1], &size,
			    sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	return (fd);
}

static size_t
put_ctl(uint8_t *at, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h;

	memset(&h, 0, sizeof(h));
	h.cmsg_level = level;
	h.cmsg_type = type;
	h.cmsg_len = CMSG_LEN(len);
	memcpy(at, &h, sizeof(h));
	memcpy(at + CMSG_LEN(0), data, len);
	return (CMSG_SPACE(len));
}

/* The control messages of one packet; their length. */
static size_t
put_how(uint8_t *ctl, const struct icmp_out *o)
{
	int v6 = o->dst.fam == ADDR_V6, level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int tos = o->dscp << 2, ttl = o->ttl;
	struct in_pktinfo i4;
	struct in6_pktinfo i6;
	size_t n = 0;

	if (o->src.fam == ADDR_V4) {
		memset(&i4, 0, sizeof(i4));
		memcpy(&i4.ipi_spec_dst, o->src.b, 4);
		n = put_ctl(ctl, level, IP_PKTINFO, &i4, sizeof(i4));
	} else if (o->src.fam == ADDR_V6) {
		memset(&i6, 0, sizeof(i6));
		memcpy(&i6.ipi6_addr, o->src.b, 16);
		n = put_ctl(ctl, level, IPV6_PKTINFO, &i6, sizeof(i6));
	}
	if (ttl != 0)
		n += put_ctl(ctl + n, level, v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl,
		    sizeof(ttl));
	if (tos != 0)
		n += put_ctl(ctl + n, level, v6 ? IPV6_TCLASS : IP_TOS, &tos,
		    sizeof(tos));
	return (n);
}

/* Room for one call.  Every message is laid down once, however often it is tried. */
struct outs {
	struct mmsghdr		mh[ICMP_BATCH];
	struct sockaddr_storage	ss[ICMP_BATCH];
	struct iovec		iov[ICMP_BATCH][2];
	union {
		struct cmsghdr	h;
		uint8_t		b[CTLLEN];
	} ctl[ICMP_BATCH];
};

static int
put_out(struct outs *s, unsigned int i, struct icmp_out *o)
{
	union { const uint8_t *in; void *out; } pad = { .in = zeros };
	struct endpoint to = { .addr = o->dst };
	struct msghdr *m = &s->mh[i].msg_hdr;

	if ((o->dst.fam != ADDR_V4 && o->dst.fam != ADDR_V6) ||
	    (o->src.fam != ADDR_NONE && (o->src.fam != o->dst.fam ||
	    addr_is_any(&o->src))) || o->size < ICMP_PROBELEN ||
	    o->size > ICMP_PROBEMAX)
		return (-1);
	memset(m, 0, sizeof(*m));
	m->msg_name = &s->ss[i];
	m->msg_namelen = addr_to_sockaddr(&to, &s->ss[i]);
	m->msg_iov = s->iov[i];
	m->msg_iovlen = o->size > ICMP_PROBELEN ? 2 : 1;
	s->iov[i][0].iov_base = o->msg;
	s->iov[i][0].iov_len = ICMP_PROBELEN;
	s->iov[i][1].iov_base = pad.out;
	s->iov[i][1].iov_len = o->size - ICMP_PROBELEN;
	m->msg_controllen = put_how(s->ctl[i].b, o);
	m->msg_control = m->msg_controllen > 0 ? s->ctl[i].b : NULL;
	return (0);
}

unsigned int
icmp_sock_send(int fd, struct icmp_out *o, unsigned int n)
{
	unsigned int i, k, which[ICMP_BATCH];
	struct outs s;
	int r;

	n = n > ICMP_BATCH ? ICMP_BATCH : n;
	for (i = k = 0; i < n; i++) {
		o[i].error = put_out(&s, k, &o[i]) == -1 ? EINVAL : 0;
		if (o[i].error == 0)
			which[k++] = i;
	}
	for (i = 0; i < k; ) {
		r = sendmmsg(fd, s.mh + i, k - i, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r > 0)
			i += (unsigned int)r;
		else if (errno == EAGAIN || errno == ENOBUFS)
			return (which[i]);
		else if (errno != EINTR)
			o[which[i++]].error = errno;
	}
	return (n);
}

/* The kernel's time of arrival is wall-clock time: how long ago was that? */
static monotime
arrival(struct msghdr *m, const struct timespec *wall, monotime now)
{
	struct cmsghdr *c;
	struct timespec ts;
	int64_t age;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		age = ((int64_t)wall->tv_sec - ts.tv_sec) * 1000000 +
		    (wall->tv_nsec - ts.tv_nsec) / 1000;
		/* Somebody has set the clock meanwhile. */
		if (age < 0 || age > 1000000)
			break;
		return (mono_add_us(now, -age));
	}
	return (now);
}

unsigned int
icmp_sock_recv(int fd, struct icmp_in *in, unsigned int n)
{
	struct mmsghdr mh[ICMP_BATCH];
	struct sockaddr_storage ss[ICMP_BATCH];
	struct iovec iov[ICMP_BATCH];
	union {
		struct cmsghdr	h;
		uint8_t		b[CMSG_SPACE(sizeof(struct timespec))];
	} ctl[ICMP_BATCH];
	struct timespec wall, mono;
	struct endpoint e;
	monotime now;
	int i, r;

	n = n > ICMP_BATCH ? ICMP_BATCH : n;
	memset(mh, 0, n * sizeof(mh[0]));
	for (i = 0; i < (int)n; i++) {
		iov[i] = (struct iovec){ in[i].pkt, sizeof(in[i].pkt) };
		mh[i].msg_hdr = (struct msghdr){ .msg_name = &ss[i],
		    .msg_namelen = sizeof(ss[i]), .msg_iov = &iov[i],
		    .msg_iovlen = 1, .msg_control = &ctl[i],
		    .msg_controllen = sizeof(ctl[i]) };
	}
	do
		r = recvmmsg(fd, mh, n, MSG_DONTWAIT | MSG_TRUNC, NULL);
	while (r == -1 && errno == EINTR);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	now.us = (int64_t)mono.tv_sec * 1000000 + mono.tv_nsec / 1000;
	for (i = 0; i < r; i++) {
		in[i].whole = mh[i].msg_len;
		in[i].len = in[i].whole < sizeof(in[i].pkt) ? in[i].whole :
		    sizeof(in[i].pkt);
		in[i].at = arrival(&mh[i].msg_hdr, &wall, now);
		memset(&in[i].from, 0, sizeof(in[i].from));
		if (addr_from_sockaddr(&e, (struct sockaddr *)&ss[i],
		    mh[i].msg_hdr.msg_namelen) == 0)
			in[i].from = e.addr;
	}
	return (r > 0 ? (unsigned int)r : 0);
}
