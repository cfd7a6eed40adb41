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

static int
attribute(const struct nlattr *a, void *arg)
{
	struct found *f = arg;
	uint16_t t = mnl_attr_get_type(a);

	if (t == f->type && mnl_attr_get_payload_len(a) == f->len)
		f->p = mnl_attr_get_payload(a);
	else if (t == f->or_type && mnl_attr_get_payload_len(a) == f->len)
		f->or_p = mnl_attr_get_payload(a);
	else if ((int)t == f->flags_type && mnl_attr_get_payload_len(a) == 4)
		f->flags = mnl_attr_get_u32(a);
	return (MNL_CB_OK);
}

static size_t
family_len(uint8_t family)
{
	return (family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0);
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
	if (f.len == 0 ||
	    mnl_attr_parse(nlh, sizeof(*ifa), attribute, &f) != MNL_CB_OK)
		return (-1);
	/* nobody can be spoken to from an address that is not sure to be ours */
	if (f.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return (-1);
	if (f.p == NULL)
		f.p = f.or_p;
	return (f.p == NULL ? -1 : addr_from_bytes(a, f.p, f.len));
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
	if (f.len == 0 ||
	    mnl_attr_parse(nlh, sizeof(*rtm), attribute, &f) != MNL_CB_OK ||
	    f.p == NULL || addr_from_bytes(a, f.p, f.len) == -1)
		return (EHOSTUNREACH);
	return (0);
}
