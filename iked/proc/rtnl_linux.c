/* SPDX-License-Identifier: ISC */
/* rtnetlink's messages. */

#include <sys/types.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "proc/netif_linux.h"

struct found {
	uint16_t	type;		/* wanted first */
	uint16_t	or_type;	/* and else */
	size_t		len;
	const uint8_t	*p, *or_p;
	uint32_t	flags;
	int		flags_type;	/* -1: none */
};

/* libmnl compares lengths as signed ones. */
int
rtnl_ok(const struct nlmsghdr *nlh, int left)
{
	return (mnl_nlmsg_ok(nlh, left) &&
	    nlh->nlmsg_len <= (unsigned int)left);
}

static void
attribute(const struct nlattr *a, struct found *f)
{
	uint16_t t = mnl_attr_get_type(a);

	if (t == f->type && mnl_attr_get_payload_len(a) == f->len)
		f->p = mnl_attr_get_payload(a);
	else if (t == f->or_type && mnl_attr_get_payload_len(a) == f->len)
		f->or_p = mnl_attr_get_payload(a);
	else if ((int)t == f->flags_type && mnl_attr_get_payload_len(a) == 4)
		f->flags = mnl_attr_get_u32(a);
}

/* Those behind a fixed part of n octets. */
static void
attributes(const struct nlmsghdr *nlh, size_t n, struct found *f)
{
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(nlh, n);
	int left = (int)mnl_nlmsg_get_payload_len(nlh) - (int)MNL_ALIGN(n);

	for (; mnl_attr_ok(a, left); a = mnl_attr_next(a)) {
		left -= (int)MNL_ALIGN(a->nla_len);
		attribute(a, f);
	}
}

static size_t
family_len(uint8_t family)
{
	return (family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0);
}

/* fe80::/10: of a link that IKE's addresses do not name (RFC 4291 2.5.6). */
static int
is_linklocal(const struct addr *a)
{
	return (a->fam == ADDR_V6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

/* The local one where the other is the far end of a point-to-point link. */
int
rtnl_addr(const struct nlmsghdr *nlh, struct addr *a)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct found f;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return (-1);
	memset(&f, 0, sizeof(f));
	f.type = IFA_LOCAL;
	f.or_type = IFA_ADDRESS;
	f.len = family_len(ifa->ifa_family);
	f.flags = ifa->ifa_flags;
	f.flags_type = IFA_FLAGS;
	if (f.len == 0)
		return (-1);
	attributes(nlh, sizeof(*ifa), &f);
	/* nobody can be spoken to from an address that is not sure to be ours */
	if (f.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return (-1);
	if (f.p == NULL)
		f.p = f.or_p;
	if (f.p == NULL || addr_from_bytes(a, f.p, f.len) == -1)
		return (-1);
	return (is_linklocal(a) ? -1 : 0);
}

/* Half of a list would say that the rest has gone. */
void
rtnl_collect(const void *buf, size_t len, uint32_t seq, struct rtnl_addrs *l)
{
	const struct nlmsghdr *nlh = buf;
	struct addr a;
	int left = (int)len;

	for (; rtnl_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			l->err = EINTR;		/* by a change that is told of, too */
		if (nlh->nlmsg_type == NLMSG_ERROR)
			l->done = l->err = EIO;
		else if (nlh->nlmsg_type == NLMSG_DONE)
			l->done = 1;
		else if (rtnl_addr(nlh, &a) == 0) {
			if (l->n < l->max)
				l->a[l->n++] = a;
			else
				l->err = EOVERFLOW;
		}
	}
}

int
rtnl_source(const struct nlmsghdr *nlh, struct addr *a)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct found f;

	memset(a, 0, sizeof(*a));
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return (len >= sizeof(e->error) && e->error < 0 &&
		    e->error > -4096 ? -e->error : EIO);
	if (nlh->nlmsg_type != RTM_NEWROUTE || len < sizeof(*rtm))
		return (EIO);
	memset(&f, 0, sizeof(f));
	f.type = RTA_PREFSRC;
	f.or_type = RTA_PREFSRC;
	f.flags_type = -1;
	f.len = family_len(rtm->rtm_family);
	if (rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_LOCAL)
		return (ENETUNREACH);
	attributes(nlh, sizeof(*rtm), &f);
	if (f.len == 0 || f.p == NULL || addr_from_bytes(a, f.p, f.len) == -1)
		return (EHOSTUNREACH);
	return (0);
}

uint32_t
rtnl_oif(const struct nlmsghdr *nlh)
{
	struct found f;
	uint32_t oif;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct rtmsg))
		return (0);
	memset(&f, 0, sizeof(f));
	f.type = f.or_type = RTA_OIF;
	f.flags_type = -1;
	f.len = sizeof(oif);
	attributes(nlh, sizeof(struct rtmsg), &f);
	if (f.p == NULL)
		return (0);
	memcpy(&oif, f.p, sizeof(oif));
	return (oif);
}
