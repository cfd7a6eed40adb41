/* SPDX-License-Identifier: ISC */
/*
 * The XFRM back end's sockets: one for requests and their answers, one joined to
 * the groups whose events we want.  The sender needs CAP_NET_ADMIN at every send.
 */

#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/xfrm_msg_linux.h"

#define RCVBUF		(4 * 1024 * 1024)
#define NACQUIRES	256	/* remembered, newest win */
#define PROBE_SPI	0xfe0a7e01U
#define PROBE_WAIT_MS	3000
/* The SPI a failed acquire's larval SA gets before it is deleted: ours are
 * 0x10000 and more, so this range meets nobody. */
#define GONE_SPI_LO	0x100
#define GONE_SPI_HI	0xffff

struct acquire {
	struct kern_event	ev;
	int			transport;
};

struct xfrm {
	int		 req, ev;	/* sockets */
	uint32_t	 portid;	/* of req */
	/* what acquires were about, by seq, for kern_acquire_failed() */
	struct acquire	 acq[NACQUIRES];
	size_t		 nacq;
	uint32_t	 aseq;		/* of ALLOCSPI requests, outside the table */
	_Alignas(8) uint8_t buf[KERN_BUFSIZE];
};

static const struct kern_ops xfrm_ops;

static int
sock_open(uint32_t *portid)
{
	struct sockaddr_nl nl;
	socklen_t len = sizeof(nl);
	int fd, on = 1, size = RCVBUF;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_XFRM);
	if (fd == -1)
		return (-1);
	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	if (bind(fd, (struct sockaddr *)&nl, sizeof(nl)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&nl, &len) == -1) {
		close(fd);
		return (-1);
	}
	*portid = nl.nl_pid;
	/* Words with the errors (4.12); without them life goes on. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return (fd);
}

static int
join(int fd, const int *groups, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		    &groups[i], sizeof(groups[i])) == -1)
			return (-1);
	return (0);
}

int
kern_xfrm_open(struct kern *k, const char **err)
{
	static const int groups[] = {
		XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_MAPPING
	};
	struct xfrm *x;
	uint32_t portid;
	int save;

	if ((x = calloc(1, sizeof(*x))) == NULL) {
		*err = "no memory";
		return (-1);
	}
	x->ev = -1;
	*err = NULL;
	if ((x->req = sock_open(&x->portid)) == -1 ||
	    (x->ev = sock_open(&portid)) == -1)
		*err = "this kernel has no XFRM: netlink says it is not there "
		    "(modprobe xfrm_user)";
	else if (join(x->ev, groups, sizeof(groups) / sizeof(groups[0])) == -1)
		*err = errno == EPERM ?
		    "XFRM needs CAP_NET_ADMIN to hear the kernel's events" :
		    "cannot join the kernel's XFRM event groups";
	if (*err != NULL) {
		save = errno;
		if (x->req != -1)
			close(x->req);
		if (x->ev != -1)
			close(x->ev);
		free(x);
		errno = save;
		return (-1);
	}
	k->ops = &xfrm_ops;
	k->be = x;
	return (0);
}

static void
xfrm_close(struct kern *k)
{
	struct xfrm *x = k->be;

	close(x->req);
	close(x->ev);
	explicit_bzero(x->buf, sizeof(x->buf));
	free(x);
}

static int
xfrm_fd(const struct kern *k, size_t i)
{
	const struct xfrm *x = k->be;

	return (i == 0 ? x->req : i == 1 ? x->ev : -1);
}

/* --- sending --- */

/* len 0: the encoder refused. */
static int
xfrm_send(struct xfrm *x, void *buf, size_t len)
{
	struct sockaddr_nl nl;
	ssize_t n;
	int save;

	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	do
		n = sendto(x->req, buf, len, 0, (struct sockaddr *)&nl,
		    sizeof(nl));
	while (n == -1 && errno == EINTR);
	save = errno;
	explicit_bzero(buf, len);	/* keys */
	errno = save;
	return (n == -1 ? -1 : 0);
}

static int
xfrm_sa_put(struct kern *k, struct kern_req *r, const struct kern_sa *sa,
    int update)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	return (xfrm_send(k->be, buf,
	    xfrm_put_sa(buf, sizeof(buf), r->seq, sa, update)));
}

static int
xfrm_sa_delete(struct kern *k, struct kern_req *r, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	if (proto != PROTO_ESP) {
		errno = EINVAL;
		return (-1);
	}
	return (xfrm_send(k->be, buf,
	    xfrm_put_delsa(buf, sizeof(buf), r->seq, spi, src, dst)));
}

static int
xfrm_sa_get(struct kern *k, struct kern_req *r, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	if (proto != PROTO_ESP) {
		errno = EINVAL;
		return (-1);
	}
	return (xfrm_send(k->be, buf,
	    xfrm_put_getsa(buf, sizeof(buf), r->seq, spi, src, dst)));
}

static int
xfrm_sa_dump(struct kern *k, struct kern_req *r)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	return (xfrm_send(k->be, buf,
	    xfrm_put_dump(buf, sizeof(buf), r->seq, XFRM_MSG_GETSA)));
}

static int
xfrm_policy_put(struct kern *k, struct kern_req *r, const struct kern_policy *p)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	return (xfrm_send(k->be, buf,
	    xfrm_put_policy(buf, sizeof(buf), r->seq, p)));
}

static int
xfrm_policy_delete(struct kern *k, struct kern_req *r, const struct kern_policy *p)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	return (xfrm_send(k->be, buf,
	    xfrm_put_delpolicy(buf, sizeof(buf), r->seq, p)));
}

static int
xfrm_policy_dump(struct kern *k, struct kern_req *r)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];

	return (xfrm_send(k->be, buf,
	    xfrm_put_dump(buf, sizeof(buf), r->seq, XFRM_MSG_GETPOLICY)));
}

static uint32_t
xfrm_pid(const struct kern *k)
{
	const struct xfrm *x = k->be;

	return (x->portid);
}

/*
 * A larval SA swallows packets without a new ACQUIRE until it dies
 * (net.core.xfrm_acq_expires, up to minutes).  Netlink cannot delete an SA
 * without SPI, so it gets one first; the answer deletes it (gone_larval).
 */
static int
xfrm_acquire_failed(struct kern *k, uint32_t seq)
{
	struct xfrm *x = k->be;
	_Alignas(8) uint8_t buf[XFRM_REQMAX];
	const struct acquire *a = NULL;
	size_t i;

	for (i = 0; i < NACQUIRES && seq != 0; i++)
		if (x->acq[i].ev.seq == seq)
			a = &x->acq[i];
	if (a == NULL) {
		errno = ESRCH;
		return (-1);
	}
	/* Below KERN_NREQ: no request of the table has such a number. */
	x->aseq = x->aseq % (KERN_NREQ - 1) + 1;
	return (xfrm_send(x, buf, xfrm_put_allocspi(buf, sizeof(buf), x->aseq,
	    &a->ev, a->transport, GONE_SPI_LO, GONE_SPI_HI)));
}

static void
gone_larval(struct xfrm *x, const struct nlmsghdr *nlh)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];
	struct kern_sa sa;

	if (xfrm_get_sa(nlh, &sa) == 0 && sa.spi >= GONE_SPI_LO &&
	    sa.spi <= GONE_SPI_HI)
		(void)xfrm_send(x, buf, xfrm_put_delsa(buf, sizeof(buf), 0,
		    sa.spi, &sa.src, &sa.dst));
}

/* --- receiving --- */

/* One datagram into x->buf.  1, 0: nothing there, -1: some were lost. */
static int
xfrm_recv(struct xfrm *x, int fd, size_t *len)
{
	struct sockaddr_nl nl;
	struct iovec iov = { x->buf, sizeof(x->buf) };
	struct msghdr m;
	ssize_t n;

	memset(&m, 0, sizeof(m));
	m.msg_name = &nl;
	m.msg_namelen = sizeof(nl);
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	do
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == ENOBUFS ? -1 : 0);
	if (m.msg_flags & MSG_TRUNC)
		return (-1);
	/* Only the kernel's word counts. */
	*len = m.msg_namelen == sizeof(nl) && nl.nl_pid == 0 ? (size_t)n : 0;
	return (1);
}

static void
answer(struct kern *k, const struct nlmsghdr *nlh)
{
	struct xfrm *x = k->be;
	char what[KERN_WHATLEN];
	struct kern_req *r;
	struct kern_sa sa;
	struct kern_policy p;
	int err;

	if (nlh->nlmsg_pid != x->portid)
		return;
	if ((r = kern_req_find(k, nlh->nlmsg_seq)) == NULL) {
		if (nlh->nlmsg_type == XFRM_MSG_NEWSA && nlh->nlmsg_seq != 0 &&
		    nlh->nlmsg_seq < KERN_NREQ)
			gone_larval(x, nlh);
		return;
	}
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		if (xfrm_get_error(nlh, &err, what) == -1)
			err = EBADMSG;
		kern_req_end(k, r, err, what[0] == '\0' ? NULL : what);
		break;
	case XFRM_MSG_NEWSA:
		/* An SA we cannot read is somebody else's: left out. */
		if (xfrm_get_sa(nlh, &sa) == 0) {
			if (k->keys)
				xfrm_get_keys(nlh, &sa);
			kern_req_sa(k, r, &sa);
		} else if (r->kind == REQ_SA)
			kern_req_end(k, r, EBADMSG, NULL);
		break;
	case XFRM_MSG_NEWPOLICY:
		if (xfrm_get_policy(nlh, &p) == 0)
			kern_req_policy(k, r, &p);
		break;
	}
}

static void
event(struct kern *k, const struct nlmsghdr *nlh)
{
	struct xfrm *x = k->be;
	struct kern_event ev;
	struct acquire *a;
	int transport;

	if (xfrm_get_event(nlh, &ev, &transport) != 0)
		return;
	if (ev.type == KERN_EV_ACQUIRE) {
		a = &x->acq[x->nacq++ % NACQUIRES];
		a->ev = ev;
		a->transport = transport;
	}
	kern_event(k, &ev);
}

static void
drain(struct kern *k, int fd, void (*each)(struct kern *, const struct nlmsghdr *))
{
	struct xfrm *x = k->be;
	const struct nlmsghdr *nlh;
	size_t len;
	int i, left, rc;

	for (i = 0; i < KERN_BATCH; i++) {
		if ((rc = xfrm_recv(x, fd, &len)) == 0)
			break;
		if (rc == -1) {
			log_warnx(k->log, "XFRM: the kernel had to drop %s; "
			    "looking at everything again",
			    fd == x->ev ? "events" : "answers");
			kern_lost(k);
			continue;
		}
		left = (int)len;
		nlh = (const void *)x->buf;
		while (xfrm_msg_ok(nlh, left)) {
			each(k, nlh);
			nlh = mnl_nlmsg_next(nlh, &left);
		}
	}
}

static void
xfrm_input(struct kern *k)
{
	struct xfrm *x = k->be;

	drain(k, x->req, answer);
	drain(k, x->ev, event);
}

/* --- listening --- */

static int
listen_fill(struct kern_monitor *m)
{
	struct sockaddr_nl nl;
	struct iovec iov = { m->buf, sizeof(m->buf) };
	struct msghdr h;
	ssize_t n;

	memset(&h, 0, sizeof(h));
	h.msg_name = &nl;
	h.msg_namelen = sizeof(nl);
	h.msg_iov = &iov;
	h.msg_iovlen = 1;
	m->at = m->len = 0;
	do
		n = recvmsg(m->fd, &h, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == ENOBUFS ? -1 : 0);
	if (h.msg_flags & MSG_TRUNC)
		return (-1);
	/* only the kernel's word counts */
	if (h.msg_namelen == sizeof(nl) && nl.nl_pid == 0)
		m->len = (size_t)n;
	return (1);
}

static int
listen_next(struct kern_monitor *m, struct kern_note *n)
{
	const struct nlmsghdr *nlh = (const void *)(m->buf + m->at);
	int left = (int)(m->len - m->at);

	if (m->at >= m->len || !xfrm_msg_ok(nlh, left))
		return (0);
	(void)xfrm_get_note(nlh, m->how & KERN_HEAR_KEYS, n);
	(void)mnl_nlmsg_next(nlh, &left);
	m->at = left > 0 ? m->len - (size_t)left : m->len;
	return (1);
}

int
kern_xfrm_listen(struct kern_monitor *m, const char **err)
{
	static const int groups[] = {
		XFRMNLGRP_POLICY, XFRMNLGRP_SA, XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE,
		XFRMNLGRP_REPORT, XFRMNLGRP_MIGRATE, XFRMNLGRP_MAPPING
	};
	size_t n = m->how & KERN_HEAR_POLICIES ? 1 : sizeof(groups) / sizeof(groups[0]);
	uint32_t portid;
	int save;

	*err = "this kernel has no XFRM: netlink says it is not there "
	    "(modprobe xfrm_user)";
	if ((m->fd = sock_open(&portid)) == -1)
		return (-1);
	*err = "XFRM needs root (CAP_NET_ADMIN)";
	if (join(m->fd, groups, n) == -1) {
		save = errno;
		close(m->fd);
		errno = save;
		return (-1);
	}
	m->fill = listen_fill;
	m->next = listen_next;
	return (0);
}

/* --- probing --- */

/* Sends and waits for the ack of seq; 0 or an errno. */
static int
ask(struct xfrm *x, void *buf, size_t len, uint32_t seq)
{
	struct pollfd pfd = { .fd = x->req, .events = POLLIN };
	const struct nlmsghdr *nlh;
	char what[KERN_WHATLEN];
	size_t n;
	int err, left;

	if (xfrm_send(x, buf, len) == -1)
		return (errno);
	for (;;) {
		err = poll(&pfd, 1, PROBE_WAIT_MS);
		if (err == -1 && errno == EINTR)
			continue;
		if (err <= 0)
			return (ETIMEDOUT);
		if (xfrm_recv(x, x->req, &n) != 1)
			continue;
		left = (int)n;
		nlh = (const void *)x->buf;
		while (xfrm_msg_ok(nlh, left)) {
			if (nlh->nlmsg_seq == seq &&
			    nlh->nlmsg_type == NLMSG_ERROR)
				return (xfrm_get_error(nlh, &err, what) == -1 ?
				    EBADMSG : err);
			nlh = mnl_nlmsg_next(nlh, &left);
		}
	}
}

/* Adds and deletes one SA between addresses nobody has (RFC 5737). */
static int
try_sa(struct xfrm *x, struct kern_sa *sa)
{
	_Alignas(8) uint8_t buf[XFRM_REQMAX];
	uint32_t seq;
	int err, i;

	sa->spi = PROBE_SPI;
	sa->proto = PROTO_ESP;
	addr_parse(&sa->src, "192.0.2.254");
	addr_parse(&sa->dst, "198.51.100.254");
	for (i = 0; i < 2; i++) {
		seq = x->aseq = x->aseq % (KERN_NREQ - 1) + 1;
		err = ask(x, buf, xfrm_put_sa(buf, sizeof(buf), seq, sa, 0), seq);
		if (err != 0 && err != EEXIST)
			return (err);
		seq = x->aseq = x->aseq % (KERN_NREQ - 1) + 1;
		(void)ask(x, buf, xfrm_put_delsa(buf, sizeof(buf), seq, sa->spi,
		    &sa->src, &sa->dst), seq);
		if (err == 0)
			return (0);
		/* A leftover of ours; it is gone now. */
	}
	return (err);
}

static int
try_pair(struct xfrm *x, uint16_t encr, uint16_t bits, uint16_t integ, int esn)
{
	const struct xform_info *e = xform_info(XF_ENCR, encr, bits);
	const struct xform_info *a = xform_info(XF_INTEG, integ, 0);
	struct kern_sa sa;

	if (e == NULL || e->keylen > KERN_KEYMAX)
		return (EINVAL);
	memset(&sa, 0, sizeof(sa));
	sa.encr = encr;
	sa.encr_keybits = bits;
	sa.encr_keylen = e->keylen;
	/* Weak-key checks (3DES) want different bytes. */
	for (size_t i = 0; i < e->keylen; i++)
		sa.encr_key[i] = (uint8_t)(i * 7 + 1);
	if (!e->aead && a != NULL) {
		sa.integ = integ;
		sa.integ_keylen = a->keylen;
	}
	sa.esn = (uint8_t)esn;
	return (try_sa(x, &sa));
}

static void
found(struct kern_caps *c, uint8_t type, uint16_t id, uint16_t bits)
{
	if (c->nalgs == sizeof(c->algs) / sizeof(c->algs[0]))
		return;
	c->algs[c->nalgs].type = type;
	c->algs[c->nalgs].id = id;
	c->algs[c->nalgs].keybits = bits;
	c->nalgs++;
}

static int
xfrm_probe(struct kern *k, struct kern_caps *c)
{
	struct xfrm *x = k->be;
	const struct xform_info *xi;
	uint16_t encr = 0, bits = 0, integ = INTEG_NONE;
	size_t i;
	int err;

	c->backend = KERN_XFRM;
	c->name = "XFRM";
	c->reqid_max = UINT32_MAX;
	c->has_fwd = 1;
	c->acquire_has_selector = 1;
	c->replay_max = 4096;
	/* Integrity first, under the null cipher; then ciphers under what works. */
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != XF_INTEG || xi->id == INTEG_NONE)
			continue;
		if ((err = try_pair(x, ENCR_NULL, 0, xi->id, 0)) == 0)
			err = 0;
		else if (err == ENOSYS || err == ENOENT)
			err = try_pair(x, ENCR_AES_CBC, 128, xi->id, 0);
		if (err == EPERM || err == ETIMEDOUT) {
			errno = err;
			return (-1);
		}
		if (err != 0) {
			log_info(k->log, "kernel cannot do ESP with %s: %s",
			    xi->name, strerror(err));
			continue;
		}
		if (integ == INTEG_NONE)
			integ = xi->id;
		found(c, XF_INTEG, xi->id, 0);
	}
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != XF_ENCR)
			continue;
		if ((err = try_pair(x, xi->id, xi->keybits, integ, 0)) != 0) {
			log_info(k->log, "kernel cannot do ESP with %s: %s",
			    xi->name, strerror(err));
			continue;
		}
		if (encr == 0 || xi->id == ENCR_AES_GCM_16) {
			encr = xi->id;
			bits = xi->keybits;
		}
		found(c, XF_ENCR, xi->id, xi->keybits);
	}
	c->esn = encr != 0 && try_pair(x, encr, bits, integ, 1) == 0;
	return (0);
}

static const struct kern_ops xfrm_ops = {
	.close = xfrm_close,
	.fd = xfrm_fd,
	.input = xfrm_input,
	.probe = xfrm_probe,
	.sa_put = xfrm_sa_put,
	.sa_delete = xfrm_sa_delete,
	.sa_get = xfrm_sa_get,
	.sa_dump = xfrm_sa_dump,
	.policy_put = xfrm_policy_put,
	.policy_delete = xfrm_policy_delete,
	.policy_dump = xfrm_policy_dump,
	.acquire_failed = xfrm_acquire_failed,
	.pid = xfrm_pid
};
