/* SPDX-License-Identifier: ISC */
/* What rtnetlink says, and what it must not be able to say. */

#include <atf-c.h>

#ifdef __linux__

#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "proc/netif_linux.h"

static _Alignas(8) char buf[512];

static struct nlmsghdr *
address(uint8_t family, uint8_t flags, uint16_t attr, const void *p, size_t n)
{
	struct nlmsghdr *h;
	struct ifaddrmsg *ifa;

	memset(buf, 0, sizeof(buf));
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWADDR;
	ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_flags = flags;
	mnl_attr_put(h, attr, n, p);
	return (h);
}

ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 }, far[4] = { 10, 9, 9, 9 };
	static const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 7 };
	struct nlmsghdr *h;
	struct addr a;
	char s[ADDR_STRLEN];

	(void)tc;
	ATF_REQUIRE_EQ(0, rtnl_addr(address(AF_INET, 0, IFA_LOCAL, v4, 4), &a));
	ATF_CHECK_STREQ("192.0.2.1", addr_str(&a, s));
	ATF_REQUIRE_EQ(0, rtnl_addr(address(AF_INET6, 0, IFA_ADDRESS, v6, 16), &a));
	ATF_CHECK_STREQ("2001:db8::7", addr_str(&a, s));
	/* point to point: ours, not the other end, whichever comes first */
	h = address(AF_INET, 0, IFA_ADDRESS, far, 4);
	mnl_attr_put(h, IFA_LOCAL, 4, v4);
	ATF_REQUIRE_EQ(0, rtnl_addr(h, &a));
	ATF_CHECK_STREQ("192.0.2.1", addr_str(&a, s));
	/* not sure to be ours yet; the wide flags count where they are */
	ATF_CHECK_EQ(-1, rtnl_addr(address(AF_INET6, IFA_F_TENTATIVE, IFA_ADDRESS, v6,
	    16), &a));
	h = address(AF_INET6, 0, IFA_ADDRESS, v6, 16);
	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_DADFAILED);
	ATF_CHECK_EQ(-1, rtnl_addr(h, &a));
	/* another length, family, type; none at all; cut short */
	ATF_CHECK_EQ(-1, rtnl_addr(address(AF_INET, 0, IFA_LOCAL, v6, 16), &a));
	ATF_CHECK_EQ(-1, rtnl_addr(address(AF_UNIX, 0, IFA_LOCAL, v4, 4), &a));
	ATF_CHECK_EQ(-1, rtnl_addr(address(AF_INET, 0, IFA_LABEL, v4, 4), &a));
	h = address(AF_INET, 0, IFA_LOCAL, v4, 4);
	h->nlmsg_type = RTM_DELADDR;
	ATF_CHECK_EQ(-1, rtnl_addr(h, &a));
	h = address(AF_INET, 0, IFA_LOCAL, v4, 4);
	h->nlmsg_len -= 1;
	ATF_CHECK_EQ(-1, rtnl_addr(h, &a));
	h->nlmsg_len = MNL_NLMSG_HDRLEN + 2;
	ATF_CHECK_EQ(-1, rtnl_addr(h, &a));
	/* of a link: no tunnel has one, and each interface does */
	{
		uint8_t ll[16] = { 0xfe, 0xbf, [15] = 1 };

		ATF_CHECK_EQ(-1, rtnl_addr(address(AF_INET6, 0, IFA_ADDRESS, ll, 16), &a));
		ll[1] = 0xc0;
		ATF_CHECK_EQ(0, rtnl_addr(address(AF_INET6, 0, IFA_ADDRESS, ll, 16), &a));
	}
	h = address(AF_INET, 0, IFA_LOCAL, v4, 4);
	/* a length that is negative to libmnl */
	h->nlmsg_len = 0x80000000U;
	ATF_CHECK(!rtnl_ok(h, 64));
	h->nlmsg_len = 65;
	ATF_CHECK(!rtnl_ok(h, 64));
}

static struct nlmsghdr *
route(uint8_t type, const void *p, size_t n)
{
	struct nlmsghdr *h;
	struct rtmsg *r;

	memset(buf, 0, sizeof(buf));
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWROUTE;
	r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	r->rtm_family = AF_INET;
	r->rtm_type = type;
	mnl_attr_put(h, RTA_PREFSRC, n, p);
	return (h);
}

static int
error(int e)
{
	struct nlmsghdr *h;
	struct nlmsgerr *m;
	struct addr a;

	memset(buf, 0, sizeof(buf));
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NLMSG_ERROR;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->error = e;
	return (rtnl_source(h, &a));
}

ATF_TC_WITHOUT_HEAD(routes);
ATF_TC_BODY(routes, tc)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 };
	struct nlmsghdr *h;
	struct addr a;
	char s[ADDR_STRLEN];

	(void)tc;
	ATF_REQUIRE_EQ(0, rtnl_source(route(RTN_UNICAST, v4, 4), &a));
	ATF_CHECK_STREQ("192.0.2.1", addr_str(&a, s));
	ATF_CHECK_EQ(ENETUNREACH, rtnl_source(route(RTN_BLACKHOLE, v4, 4), &a));
	ATF_CHECK_EQ(EHOSTUNREACH, rtnl_source(route(RTN_UNICAST, v4, 3), &a));
	ATF_CHECK_EQ(ENETUNREACH, error(-ENETUNREACH));
	/* success is no answer, nor is what is no errno */
	ATF_CHECK_EQ(EIO, error(0));
	ATF_CHECK_EQ(EIO, error(5));
	ATF_CHECK_EQ(EIO, error(-100000));
	h = route(RTN_UNICAST, v4, 4);
	h->nlmsg_type = RTM_DELROUTE;
	ATF_CHECK_EQ(EIO, rtnl_source(h, &a));
	h = route(RTN_UNICAST, v4, 4);
	h->nlmsg_len = MNL_NLMSG_HDRLEN + 3;
	ATF_CHECK_EQ(EIO, rtnl_source(h, &a));
}

/* All of them or none: what is left out would have gone. */
ATF_TC_WITHOUT_HEAD(whole);
ATF_TC_BODY(whole, tc)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 };
	struct addr a[4];
	struct rtnl_addrs l = { a, 0, 4, 0, 0 };
	struct nlmsghdr *h;
	int i;

	(void)tc;
	h = address(AF_INET, 0, IFA_LOCAL, v4, 4);
	h->nlmsg_seq = 7;
	rtnl_collect(h, h->nlmsg_len, 8, &l);	/* of another question */
	ATF_CHECK_EQ(0, l.n);
	for (i = 0; i < 4; i++)
		rtnl_collect(h, h->nlmsg_len, 7, &l);
	ATF_CHECK(l.n == 4 && l.err == 0 && !l.done);
	rtnl_collect(h, h->nlmsg_len, 7, &l);
	ATF_CHECK(l.n == 4 && l.err == EOVERFLOW);
	l.n = l.err = 0;
	h->nlmsg_flags = NLM_F_DUMP_INTR;
	rtnl_collect(h, h->nlmsg_len, 7, &l);
	ATF_CHECK(l.err != 0 && !l.done);
	l.err = 0;
	h->nlmsg_type = NLMSG_DONE;
	h->nlmsg_flags = 0;
	rtnl_collect(h, h->nlmsg_len, 7, &l);
	ATF_CHECK(l.err == 0 && l.done);
	l.done = 0;
	h->nlmsg_type = NLMSG_ERROR;
	rtnl_collect(h, h->nlmsg_len, 7, &l);
	ATF_CHECK(l.err != 0 && l.done);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, routes);
	ATF_TP_ADD_TC(tp, whole);
	return (atf_no_error());
}

#else

ATF_TP_ADD_TCS(tp)
{
	(void)tp;
	return (atf_no_error());
}

#endif
