/* SPDX-License-Identifier: ISC */
/* Is a policy in the kernel?  Its list is read, as ip-xfrm(8) does; nothing is changed. */

#include <sys/socket.h>
#include <sys/time.h>

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define MESSAGES_MAX	100000

static int
is_prefix(const xfrm_address_t *a, uint8_t len, const struct prefix *p)
{
	struct prefix q;

	memset(&q, 0, sizeof(q));
	q.addr.fam = p->addr.fam;
	memcpy(q.addr.b, a, addr_len(&q.addr));
	q.len = len;
	return (prefix_cmp(&q, p) == 0);
}

/* 1 that one goes out from net to net, 0 */
static int
fits(const void *payload, size_t len, const struct prefix *from, const struct prefix *to)
{
	struct xfrm_userpolicy_info i;

	if (len < sizeof(i))
		return (0);
	memcpy(&i, payload, sizeof(i));
	return (i.dir == XFRM_POLICY_OUT && i.action == XFRM_POLICY_ALLOW &&
	    is_prefix(&i.sel.saddr, i.sel.prefixlen_s, from) &&
	    is_prefix(&i.sel.daddr, i.sel.prefixlen_d, to));
}

/* What has come of the list: -1 an error, 1 found, 2 its end, 0 there is more. */
static int
look(const uint8_t *buf, size_t len, const struct prefix *from, const struct prefix *to)
{
	struct nlmsghdr h;

	while (len >= sizeof(h)) {
		memcpy(&h, buf, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len || h.nlmsg_type == NLMSG_ERROR)
			return (-1);
		if (h.nlmsg_type == NLMSG_DONE)
			return (2);
		if (fits(buf + sizeof(h), h.nlmsg_len - sizeof(h), from, to))
			return (1);
		if (NLMSG_ALIGN(h.nlmsg_len) >= len)
			break;
		buf += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	return (0);
}

int
host_policy(const struct prefix *from, const struct prefix *to)
{
	struct nlmsghdr q = { .nlmsg_len = sizeof(q), .nlmsg_type = XFRM_MSG_GETPOLICY,
	    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP };
	struct timeval tv = { .tv_sec = 2 };
	static uint8_t buf[65536];	/* one thread, asked once at a time */
	ssize_t n;
	int fd, r = 0, i;

	if ((fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM)) == -1)
		return (-1);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (send(fd, &q, sizeof(q), 0) != (ssize_t)sizeof(q))
		r = -1;
	for (i = 0; r == 0 && i < MESSAGES_MAX; i++)
		if ((n = recv(fd, buf, sizeof(buf), 0)) <= 0)
			r = -1;
		else
			r = look(buf, (size_t)n, from, to);
	(void)close(fd);
	return (r == 2 ? 0 : r == 1 ? 1 : -1);
}
