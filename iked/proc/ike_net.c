/* SPDX-License-Identifier: ISC */
/* Datagrams between the network and the engine. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/ike.h"
#include "proc/udp.h"

#define NSOCKS		4	/* two families, two ports */
#define BATCH		16	/* datagrams a system call */
#define TURNS		4	/* system calls before others get a turn */
#define DGRAM_MAX	65535
#define ERRORS		64	/* of ICMP, at a time */
#define RESENDS		3	/* after such an error, which is not of this datagram */
#define MARKER		4	/* RFC 3948 2.2: four zero octets before IKE */

struct rxslot {
	struct sockaddr_storage	from;
	struct iovec		iov;
	uint8_t			ctl[UDP_CMSGLEN] __attribute__((__aligned__(8)));
};

struct usock {
	struct ikenet	*net;
	int		 fd;
	int		 natt;
	enum addr_family fam;
	ev_io		 rd;
};

struct ikenet {
	struct ev_loop		*loop;
	const struct logger	*log;
	uint16_t		 port, natt_port;
	ikenet_rx		*rx;
	struct usock		 s[NSOCKS];
	size_t			 n;
	int			 complained;	/* errno last logged */
	struct icmp_seen	 icmp;
	struct mmsghdr		 mm[BATCH];
	struct rxslot		 slot[BATCH];
	uint8_t			*mem;
};

static void
datagram(struct usock *s, const struct mmsghdr *mm, const struct rxslot *slot)
{
	struct endpoint local, remote;
	const uint8_t *p = slot->iov.iov_base;
	size_t len = mm->msg_len;
	struct msghdr mh = mm->msg_hdr;
	static const uint8_t marker[MARKER];

	memset(&local, 0, sizeof(local));
	if ((mh.msg_flags & MSG_TRUNC) != 0 ||
	    addr_from_sockaddr(&remote, (const struct sockaddr *)&slot->from,
	    mh.msg_namelen) == -1 || remote.port == 0 ||
	    udp_local(&mh, &local.addr) == -1)
		return;
	icmp_forget(&s->net->icmp, &remote.addr);
	if (!s->natt) {
		local.port = s->net->port;
		s->net->rx(&local, &remote, 0, p, len);
		return;
	}
	/*
	 * Without the marker it is ESP that the kernel has no SA for, or a NAT
	 * keepalive (one octet 0xff): neither is ours.
	 */
	local.port = s->net->natt_port;
	if (len < MARKER || memcmp(p, marker, MARKER) != 0)
		return;
	s->net->rx(&local, &remote, 1, p + MARKER, len - MARKER);
}

/*
 * ICMP errors of this socket.  The kernel tells them to whatever call comes next, too, so
 * they are taken away before that is tried again. 0: there were none.
 */
static int
errors(struct ikenet *net, int fd)
{
	char to[ENDPOINT_STRLEN], by[ADDR_STRLEN];
	struct icmp_said said;
	struct endpoint ep;
	int i;

	for (i = 0; i < ERRORS && udp_error(fd, &said); i++) {
		if (!icmp_note(&net->icmp, mono_now(), &said))
			continue;
		ep.addr = said.to;
		ep.port = said.port;
		log_event(net->log, WHY_ICMP, "peer %s: ICMP %s, says %s of a datagram sent to it",
		    endpoint_str(&ep, to), icmp_words(&said), addr_str(&said.by, by));
	}
	return (i);
}

void
ikenet_icmp(const struct ikenet *net, const struct addr *remote, struct icmp_heard *h)
{
	icmp_heard(&net->icmp, mono_now(), remote, h);
}

static void
readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct usock *s = io->data;
	struct ikenet *net = s->net;
	int i, n, turn;

	(void)loop;
	(void)revents;
	for (turn = 0; turn < TURNS; turn++) {
		for (i = 0; i < BATCH; i++) {
			net->mm[i].msg_hdr.msg_namelen =
			    sizeof(net->slot[i].from);
			net->mm[i].msg_hdr.msg_controllen = UDP_CMSGLEN;
			net->mm[i].msg_hdr.msg_flags = 0;
		}
		n = recvmmsg(s->fd, net->mm, BATCH, MSG_DONTWAIT, NULL);
		if (n == -1 && errors(net, s->fd) > 0)
			continue;
		for (i = 0; i < n; i++)
			datagram(s, &net->mm[i], &net->slot[i]);
		if (n < BATCH)
			return;
	}
}

struct ikenet *
ikenet_new(struct ev_loop *loop, const struct logger *lg, uint16_t port,
    uint16_t natt_port, ikenet_rx *rx)
{
	struct ikenet *net;
	struct rxslot *sl;
	size_t i;

	if ((net = calloc(1, sizeof(*net))) == NULL)
		return (NULL);
	if ((net->mem = malloc((size_t)BATCH * DGRAM_MAX)) == NULL) {
		free(net);
		return (NULL);
	}
	net->loop = loop;
	net->log = lg;
	net->port = port;
	net->natt_port = natt_port;
	net->rx = rx;
	for (i = 0; i < BATCH; i++) {
		sl = &net->slot[i];
		sl->iov.iov_base = net->mem + i * DGRAM_MAX;
		sl->iov.iov_len = DGRAM_MAX;
		net->mm[i].msg_hdr.msg_name = &sl->from;
		net->mm[i].msg_hdr.msg_iov = &sl->iov;
		net->mm[i].msg_hdr.msg_iovlen = 1;
		net->mm[i].msg_hdr.msg_control = sl->ctl;
	}
	return (net);
}

int
ikenet_add(struct ikenet *net, enum addr_family fam, int natt, int fd)
{
	struct usock *s;

	if (net->n == NSOCKS) {
		close(fd);
		return (-1);
	}
	s = &net->s[net->n++];
	s->net = net;
	s->fd = fd;
	s->natt = natt;
	s->fam = fam;
	ev_io_init(&s->rd, readable, fd, EV_READ);
	s->rd.data = s;
	return (0);
}

void
ikenet_start(struct ikenet *net)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		ev_io_start(net->loop, &net->s[i].rd);
}

static const struct usock *
find_socket(const struct ikenet *net, const struct endpoint *local, int fam)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if ((int)net->s[i].fam == fam &&
		    net->s[i].natt == (local->port == net->natt_port))
			return (&net->s[i]);
	return (NULL);
}

/* One line for a row of equal failures: a dead route must not fill the log. */
static void
complain(struct ikenet *net, const struct endpoint *local, const struct endpoint *remote,
    int err)
{
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	if (err == net->complained)
		return;
	net->complained = err;
	if (err == 0)
		return;
	errno = err;
	log_error(net->log, WHY_NO_WAY, "cannot send from %s to %s%s", endpoint_str(local, from),
	    endpoint_str(remote, to), err == EPERM ? " (rules of this machine drop it)" : "");
}

int
ikenet_send(struct ikenet *net, const struct endpoint *local,
    const struct endpoint *remote, int marker, const uint8_t *p, size_t len)
{
	static const uint8_t zero[MARKER];
	uint8_t ctl[UDP_CMSGLEN] __attribute__((__aligned__(8)));
	const struct usock *s;
	struct sockaddr_storage to;
	struct iovec iov[2];
	struct msghdr mh;
	int e, i;

	if ((s = find_socket(net, local, remote->addr.fam)) == NULL) {
		complain(net, local, remote, EAFNOSUPPORT);
		return (EAFNOSUPPORT);
	}
	memset(&mh, 0, sizeof(mh));
	mh.msg_name = &to;
	if ((mh.msg_namelen = addr_to_sockaddr(remote, &to)) == 0)
		return (EINVAL);
	/* sendmsg() only reads what these point to. */
	iov[0].iov_base = (void *)(uintptr_t)zero;
	iov[0].iov_len = marker ? MARKER : 0;
	iov[1].iov_base = (void *)(uintptr_t)p;
	iov[1].iov_len = len;
	mh.msg_iov = iov;
	mh.msg_iovlen = 2;
	mh.msg_control = ctl;
	udp_from(&mh, &local->addr);
	/* What does not go now is lost, as on the wire: IKE sends it again. */
	for (i = 0, e = 0; i <= RESENDS; i++) {
		e = sendmsg(s->fd, &mh, MSG_DONTWAIT) == -1 ? errno : 0;
		if (e == 0 || errors(net, s->fd) == 0)
			break;
		e = 0;		/* ICMP's, of another datagram, and perhaps forged */
	}
	complain(net, local, remote, e);
	return (e);
}
