/* SPDX-License-Identifier: ISC */
/*
 * Linux: rtnetlink.  One socket hears of changes, one asks.  The kernel answers within
 * sendto(): nothing is ever waited for.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/netif.h"
#include "proc/netif_linux.h"

#define READS	64	/* of events, at a time: a flood of routes is one change */
#define ANSWERS	256	/* datagrams of a dump */

struct netif {
	int		ev, req;
	uint32_t	seq;
	_Alignas(8) uint8_t buf[32768];
};

static int
sock_open(uint32_t groups)
{
	struct sockaddr_nl nl;
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE);
	if (fd == -1)
		return (-1);
	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	nl.nl_groups = groups;
	if (bind(fd, (struct sockaddr *)&nl, sizeof(nl)) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

struct netif *
netif_open(void)
{
	struct netif *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->ev = sock_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
	    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
	n->req = sock_open(0);
	if (n->ev == -1 || n->req == -1) {
		if (n->ev != -1)
			close(n->ev);
		if (n->req != -1)
			close(n->req);
		free(n);
		return (NULL);
	}
	return (n);
}

int
netif_fd(const struct netif *n)
{
	return (n->ev);
}

/* ENOBUFS (some were lost) means the same as any of them: look again. */
int
netif_input(struct netif *n)
{
	int i, some = 0;
	ssize_t len;

	for (i = 0; i < READS; i++) {
		len = recv(n->ev, n->buf, sizeof(n->buf), MSG_DONTWAIT);
		if (len > 0 || (len == -1 && errno == ENOBUFS))
			some = 1;
		else
			break;
	}
	return (some);
}

static int
ask(struct netif *n, struct nlmsghdr *nlh)
{
	struct sockaddr_nl nl;
	ssize_t len;

	/* what an earlier question has left */
	while (recv(n->req, n->buf, sizeof(n->buf), MSG_DONTWAIT) > 0)
		;
	nlh->nlmsg_seq = ++n->seq;
	memset(&nl, 0, sizeof(nl));
	nl.nl_family = AF_NETLINK;
	do
		len = sendto(n->req, nlh, nlh->nlmsg_len, 0,
		    (struct sockaddr *)&nl, sizeof(nl));
	while (len == -1 && errno == EINTR);
	return (len == -1 ? -1 : 0);
}

int
netif_addrs(struct netif *n, struct addr a[NETIF_MAX])
{
	_Alignas(8) uint8_t q[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(q);
	struct ifaddrmsg *ifa;
	struct rtnl_addrs l = { a, 0, NETIF_MAX, 0, 0 };
	ssize_t len;
	int i;

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_UNSPEC;
	if (ask(n, nlh) == -1)
		return (-1);
	for (i = 0; i < ANSWERS && !l.done; i++) {
		len = recv(n->req, n->buf, sizeof(n->buf), MSG_DONTWAIT);
		if (len <= 0)
			return (-1);
		rtnl_collect(n->buf, (size_t)len, n->seq, &l);
	}
	errno = l.err;
	return (l.err != 0 || !l.done ? -1 : l.n);
}

int
netif_source(struct netif *n, const struct addr *dst, struct addr *src)
{
	_Alignas(8) uint8_t q[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(q);
	const struct nlmsghdr *ans = (const void *)n->buf;
	struct rtmsg *rtm;
	ssize_t len;
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = dst->fam == ADDR_V4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (uint8_t)(addr_len(dst) * 8);
	mnl_attr_put(nlh, RTA_DST, addr_len(dst), dst->b);
	if (ask(n, nlh) == -1)
		return (errno);
	len = recv(n->req, n->buf, sizeof(n->buf), MSG_DONTWAIT);
	if (len <= 0)
		return (len == -1 ? errno : EIO);
	if (!rtnl_ok(ans, (int)len) || ans->nlmsg_seq != n->seq)
		return (EIO);
	err = rtnl_source(ans, src);
	/* the wrong family of the answer says that there is none */
	return (err == 0 && src->fam != dst->fam ? EHOSTUNREACH : err);
}
