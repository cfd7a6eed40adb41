/* SPDX-License-Identifier: ISC */
/*
 * FreeBSD: a routing socket, which speaks of changes and is asked for routes.  The list
 * of addresses is a sysctl, which capability mode forbids: it is read before, and then kept
 * up with what the socket says.  Where some of that was lost it may be wrong, and the
 * routes, which are asked each time, count.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/netif.h"

#define READS	64
#define ALIGNED(n)	((n) == 0 ? sizeof(long) : (((n) + sizeof(long) - 1) & ~(sizeof(long) - 1)))

struct netif {
	int		fd;
	int		seq;
	int		missed;		/* a change came while an answer was read */
	int		n;
	struct addr	a[NETIF_MAX];
	_Alignas(8) uint8_t buf[4096];
};

static void
add(struct netif *n, const struct addr *a)
{
	int i;

	for (i = 0; i < n->n; i++)
		if (addr_cmp(&n->a[i], a) == 0)
			return;
	if (n->n < NETIF_MAX)
		n->a[n->n++] = *a;
}

static void
del(struct netif *n, const struct addr *a)
{
	int i;

	for (i = 0; i < n->n; i++)
		if (addr_cmp(&n->a[i], a) == 0)
			n->a[i] = n->a[--n->n];
}

static void
first_list(struct netif *n)
{
	struct ifaddrs *ifs, *i;
	struct endpoint ep;

	if (getifaddrs(&ifs) == -1)
		return;
	for (i = ifs; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && addr_from_sockaddr(&ep, i->ifa_addr,
		    i->ifa_addr->sa_len) == 0)
			add(n, &ep.addr);
	freeifaddrs(ifs);
}

struct netif *
netif_open(void)
{
	struct netif *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->fd = socket(PF_ROUTE, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd == -1) {
		free(n);
		return (NULL);
	}
	first_list(n);
	return (n);
}

int
netif_fd(const struct netif *n)
{
	return (n->fd);
}

/* The i-th address behind a header of hlen octets.  0 or -1. */
static int
address(const uint8_t *p, size_t len, size_t hlen, int addrs, int want,
    struct addr *a)
{
	struct sockaddr_storage ss;
	struct endpoint ep;
	size_t at = hlen, sl;
	int i;

	for (i = 0; i < RTAX_MAX; i++) {
		if ((addrs & (1 << i)) == 0)
			continue;
		if (at >= len)
			return (-1);
		sl = p[at];
		if (sl > len - at || sl > sizeof(ss))
			return (-1);
		if (i == want) {
			memset(&ss, 0, sizeof(ss));
			memcpy(&ss, p + at, sl);
			if (addr_from_sockaddr(&ep, (struct sockaddr *)&ss,
			    (socklen_t)sl) == -1)
				return (-1);
			*a = ep.addr;
			return (0);
		}
		at += ALIGNED(sl);
	}
	return (-1);
}

/* 1: it may matter. */
static int
message(struct netif *n, size_t len)
{
	struct rt_msghdr rtm;
	struct ifa_msghdr ifam;
	struct addr a;

	if (len < sizeof(ifam) || len < 4)
		return (0);
	memcpy(&ifam, n->buf, sizeof(ifam));
	switch (ifam.ifam_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (address(n->buf, len, sizeof(ifam), ifam.ifam_addrs,
		    RTAX_IFA, &a) == -1)
			return (1);
		if (ifam.ifam_type == RTM_NEWADDR)
			add(n, &a);
		else
			del(n, &a);
		return (1);
	case RTM_ADD:
	case RTM_DELETE:
	case RTM_CHANGE:
		if (len < sizeof(rtm))
			return (0);
		memcpy(&rtm, n->buf, sizeof(rtm));
		return (rtm.rtm_errno == 0);
	default:
		return (0);
	}
}

int
netif_input(struct netif *n)
{
	int i, some = n->missed;
	ssize_t len;

	n->missed = 0;
	for (i = 0; i < READS; i++) {
		len = read(n->fd, n->buf, sizeof(n->buf));
		if (len > 0)
			some |= message(n, (size_t)len);
		else if (len == -1 && errno == ENOBUFS)
			some = 1;
		else
			break;
	}
	return (some);
}

int
netif_addrs(struct netif *n, struct addr a[NETIF_MAX])
{
	memcpy(a, n->a, (size_t)n->n * sizeof(*a));
	return (n->n);
}

/* The answer to our RTM_GET, among other news. */
static int
answer(struct netif *n, struct addr *src)
{
	struct rt_msghdr rtm;
	ssize_t len;
	int i;

	for (i = 0; i < READS; i++) {
		if ((len = read(n->fd, n->buf, sizeof(n->buf))) <= 0)
			return (len == -1 ? errno : EIO);
		memcpy(&rtm, n->buf, sizeof(rtm) < (size_t)len ? sizeof(rtm) :
		    (size_t)len);
		if ((size_t)len < sizeof(rtm) || rtm.rtm_type != RTM_GET ||
		    rtm.rtm_pid != getpid() || rtm.rtm_seq != n->seq) {
			n->missed |= message(n, (size_t)len);
			continue;
		}
		if (rtm.rtm_errno != 0)
			return (rtm.rtm_errno);
		return (address(n->buf, (size_t)len, sizeof(rtm), rtm.rtm_addrs,
		    RTAX_IFA, src) == -1 ? EHOSTUNREACH : 0);
	}
	return (EAGAIN);
}

int
netif_source(struct netif *n, const struct addr *dst, struct addr *src)
{
	struct sockaddr_storage ss;
	struct rt_msghdr rtm;
	struct endpoint ep;
	uint8_t q[sizeof(rtm) + sizeof(ss)];
	socklen_t sl;

	memset(&ep, 0, sizeof(ep));
	memset(&rtm, 0, sizeof(rtm));
	memset(src, 0, sizeof(*src));
	ep.addr = *dst;
	if ((sl = addr_to_sockaddr(&ep, &ss)) == 0)
		return (EAFNOSUPPORT);
	/* RTA_IFP makes the kernel say the interface's address, too */
	rtm.rtm_msglen = (unsigned short)(sizeof(rtm) + ALIGNED(sl));
	rtm.rtm_version = RTM_VERSION;
	rtm.rtm_type = RTM_GET;
	rtm.rtm_addrs = RTA_DST | RTA_IFP;
	rtm.rtm_flags = RTF_UP | RTF_HOST;
	rtm.rtm_pid = getpid();
	rtm.rtm_seq = ++n->seq;
	memset(q, 0, sizeof(q));
	memcpy(q, &rtm, sizeof(rtm));
	memcpy(q + sizeof(rtm), &ss, sl);
	if (write(n->fd, q, rtm.rtm_msglen) == -1)
		return (errno);
	return (answer(n, src));
}
