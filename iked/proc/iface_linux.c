/* SPDX-License-Identifier: ISC */
/* Linux: rtnetlink.  The kernel answers during the send, so that reading never waits. */

#include <sys/types.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <unistd.h>

#include "proc/iface.h"

#define BUFLEN	8192

int
iface_open(void)
{
	return (socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE));
}

static int
family(const struct addr *a)
{
	return (a->fam == ADDR_V4 ? AF_INET : AF_INET6);
}

/* Sends it and reads its answer into buf: the error it has, or 0; *len octets. */
static int
talk(int fd, struct nlmsghdr *nlh, void *buf, size_t *len)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	const struct nlmsgerr *e;
	const struct nlmsghdr *ans = buf;
	ssize_t n;

	nlh->nlmsg_seq++;
	if (sendto(fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&sa,
	    sizeof(sa)) == -1 || (n = recvfrom(fd, buf, BUFLEN, 0, NULL, NULL)) == -1)
		return (errno);
	*len = (size_t)n;
	if (!mnl_nlmsg_ok(ans, (int)n))
		return (EBADMSG);
	if (ans->nlmsg_type != NLMSG_ERROR)
		return (0);
	if (mnl_nlmsg_get_payload_len(ans) < sizeof(*e))
		return (EBADMSG);
	e = mnl_nlmsg_get_payload(ans);
	return (-e->error);
}

/* The index of an interface, or 0 and errno. */
static unsigned int
ifindex(int fd, const char *name)
{
	_Alignas(8) char buf[BUFLEN], ans[BUFLEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const struct nlmsghdr *a = (const void *)ans;
	const struct ifinfomsg *ifi;
	size_t len = 0;
	int err;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if ((err = talk(fd, nlh, ans, &len)) != 0) {
		errno = err;
		return (0);
	}
	if (a->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(a) < sizeof(*ifi)) {
		errno = ENODEV;
		return (0);
	}
	ifi = mnl_nlmsg_get_payload(a);
	return ((unsigned int)ifi->ifi_index);
}

static struct nlmsghdr *
begin(char buf[BUFLEN], int add, uint16_t new, uint16_t del)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = add ? new : del;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK |
	    (add ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	return (nlh);
}

static int
set_address(int fd, unsigned int ifi, const struct addr *a, int add)
{
	_Alignas(8) char buf[BUFLEN], ans[BUFLEN];
	struct nlmsghdr *nlh = begin(buf, add, RTM_NEWADDR, RTM_DELADDR);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	size_t len;

	ifa->ifa_family = (uint8_t)family(a);
	ifa->ifa_prefixlen = (uint8_t)(8 * addr_len(a));
	ifa->ifa_flags = IFA_F_NODAD;
	ifa->ifa_index = ifi;
	mnl_attr_put(nlh, IFA_LOCAL, addr_len(a), a->b);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_len(a), a->b);
	return (talk(fd, nlh, ans, &len));
}

/* The way to an address: out of which interface, by which router (none: gw any). */
struct way {
	uint32_t	ifi;
	struct addr	gw;
};

static int
way_attr(const struct nlattr *a, void *arg)
{
	struct way *way = arg;
	uint16_t len = mnl_attr_get_payload_len(a);

	if (mnl_attr_get_type(a) == RTA_OIF && len == sizeof(way->ifi))
		way->ifi = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_GATEWAY)
		(void)addr_from_bytes(&way->gw, mnl_attr_get_payload(a), len);
	return (MNL_CB_OK);
}

static int
find_way(int fd, const struct addr *to, struct way *way)
{
	_Alignas(8) char buf[BUFLEN], ans[BUFLEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const struct nlmsghdr *a = (const void *)ans;
	struct rtmsg *rt;
	size_t len = 0;
	int err;

	memset(way, 0, sizeof(*way));
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = (uint8_t)family(to);
	rt->rtm_dst_len = (uint8_t)(8 * addr_len(to));
	mnl_attr_put(nlh, RTA_DST, addr_len(to), to->b);
	if ((err = talk(fd, nlh, ans, &len)) != 0)
		return (err);
	if (a->nlmsg_type != RTM_NEWROUTE ||
	    mnl_attr_parse(a, sizeof(*rt), way_attr, way) == MNL_CB_ERROR ||
	    way->ifi == 0)
		return (EHOSTUNREACH);
	return (0);
}

static int
set_route(int fd, const struct way *way, const struct addr *src,
    const struct prefix *net, int add)
{
	_Alignas(8) char buf[BUFLEN], ans[BUFLEN];
	struct nlmsghdr *nlh = begin(buf, add, RTM_NEWROUTE, RTM_DELROUTE);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	size_t len;

	rt->rtm_family = (uint8_t)family(src);
	rt->rtm_dst_len = net->len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = addr_len(&way->gw) == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put(nlh, RTA_DST, addr_len(src), net->addr.b);
	mnl_attr_put(nlh, RTA_PREFSRC, addr_len(src), src->b);
	if (add)
		mnl_attr_put_u32(nlh, RTA_OIF, way->ifi);
	if (add && addr_len(&way->gw) != 0)
		mnl_attr_put(nlh, RTA_GATEWAY, addr_len(&way->gw), way->gw.b);
	return (talk(fd, nlh, ans, &len));
}

int
iface_set(int fd, const char *name, const struct addr *a, const struct addr *peer,
    const struct prefix *nets, unsigned int nnets, int add)
{
	unsigned int ifi, i;
	struct way way;
	int err = 0, e;

	if ((ifi = ifindex(fd, name)) == 0)
		return (-1);
	memset(&way, 0, sizeof(way));
	if (add && ((err = set_address(fd, ifi, a, 1)) != 0 ||
	    (err = find_way(fd, peer, &way)) != 0)) {
		errno = err;
		return (-1);
	}
	for (i = 0; i < nnets; i++)
		if (nets[i].addr.fam == a->fam &&
		    (e = set_route(fd, &way, a, &nets[i], add)) != 0 &&
		    (add || e != ESRCH))
			err = e;
	if (!add && (e = set_address(fd, ifi, a, 0)) != 0 && e != EADDRNOTAVAIL)
		err = e;
	errno = err;
	return (err == 0 ? 0 : -1);
}
