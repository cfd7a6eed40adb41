/* SPDX-License-Identifier: ISC */
/* From a keepalive's options to its probes and their sockets. */

#include <atf-c.h>

#include <string.h>

#include "keepalive/how.h"

ATF_TC_WITHOUT_HEAD(probes);
ATF_TC_BODY(probes, tc)
{
	struct conf_keepalive *ka = conf_keepalive_new();
	struct icmp_route room;
	struct probe p;

	ATF_REQUIRE(ka != NULL);
	memset(&p, 0, sizeof(p));
	how_probe(NULL, &p, &room);
	ATF_CHECK_EQ(0, p.dscp);
	/* The defaults: CS6, not fragmented, the usual routing. */
	how_probe(ka, &p, &room);
	ATF_CHECK_EQ(64, p.size);
	ATF_CHECK_EQ(48, p.dscp);
	ATF_CHECK_EQ(0, p.ttl);
	ATF_CHECK_EQ(0, p.nodf);
	ATF_CHECK(p.route == NULL);
	ka->size = 1400;
	ka->ttl = 7;
	ka->nodf = 1;
	ka->route = KA_MARK;
	ka->number = 5;
	how_probe(ka, &p, &room);
	ATF_CHECK_EQ(1400, p.size);
	ATF_CHECK_EQ(7, p.ttl);
	ATF_CHECK_EQ(1, p.nodf);
	ATF_REQUIRE(p.route == &room);
	ATF_CHECK_EQ(ICMP_MARK, room.kind);
	ATF_CHECK_EQ(5, room.number);
	/* The gateway is the first hop. */
	ka->gateway = 1;
	how_probe(ka, &p, &room);
	ATF_CHECK_EQ(1, p.ttl);
	conf_keepalive_unref(ka);
}

ATF_TC_WITHOUT_HEAD(sockets);
ATF_TC_BODY(sockets, tc)
{
	struct conf_keepalive *ka = conf_keepalive_new();
	struct icmp_sockkey a, b;
	char str[32];

	ATF_REQUIRE(ka != NULL);
	ATF_CHECK_EQ(0, how_sockkey(NULL, ADDR_V4, &a));
	ATF_CHECK_EQ(0, how_sockkey(ka, ADDR_V4, &a));
	ka->nodf = 1;
	ATF_REQUIRE_EQ(1, how_sockkey(ka, ADDR_V4, &a));
	ATF_CHECK_EQ(ADDR_V4, a.fam);
	ATF_CHECK_EQ(1, a.nodf);
	ka->nodf = 0;
	ka->route = KA_VRF;
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_VRFNAME, "red"));
	ATF_REQUIRE_EQ(1, how_sockkey(ka, ADDR_V6, &a));
	ATF_CHECK_STREQ("red", a.route.vrf);
	ATF_CHECK_STREQ("vrf red", icmp_route_str(&a.route, str));
	ATF_REQUIRE_EQ(1, how_sockkey(ka, ADDR_V6, &b));
	ATF_CHECK(icmp_sockkey_equal(&a, &b));
	ATF_REQUIRE_EQ(1, how_sockkey(ka, ADDR_V4, &b));
	ATF_CHECK(!icmp_sockkey_equal(&a, &b));
	ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_VRFNAME, "blue"));
	ATF_REQUIRE_EQ(1, how_sockkey(ka, ADDR_V6, &b));
	ATF_CHECK(!icmp_sockkey_equal(&a, &b));
	/* Other probes have sockets of their own, but their target is pinged, too. */
	ka->kind = KA_TCP;
	ATF_CHECK_EQ(1, how_sockkey(ka, ADDR_V6, &b));
	ka->route = KA_NOROUTE;
	ATF_CHECK_EQ(0, how_sockkey(ka, ADDR_V6, &b));
	conf_keepalive_unref(ka);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, probes);
	ATF_TP_ADD_TC(tp, sockets);
	return (atf_no_error());
}
