/* SPDX-License-Identifier: ISC */
/* Addresses, endpoints and prefixes: text, order, arithmetic, sockaddrs. */

#include <netinet/in.h>
#include <arpa/inet.h>

#include <atf-c.h>
#include <string.h>

#include "base/addr.h"

static struct addr
A(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(addr_parse(&a, s), 0);
	return (a);
}

static struct prefix
P(const char *s)
{
	struct prefix p;

	ATF_REQUIRE_EQ(prefix_parse(&p, s), 0);
	return (p);
}

ATF_TC_WITHOUT_HEAD(text);
ATF_TC_BODY(text, tc)
{
	char s[ADDR_STRLEN], e[ENDPOINT_STRLEN];
	struct endpoint ep;
	struct addr a;

	a = A("192.0.2.1");
	ATF_CHECK_EQ(a.fam, ADDR_V4);
	ATF_CHECK_EQ(addr_len(&a), 4);
	ATF_CHECK_STREQ("192.0.2.1", addr_str(&a, s));
	ep.addr = a;
	ep.port = 4500;
	ATF_CHECK_STREQ("192.0.2.1:4500", endpoint_str(&ep, e));
	a = A("2001:DB8:0:0::1");
	ATF_CHECK_EQ(a.fam, ADDR_V6);
	ATF_CHECK_EQ(addr_len(&a), 16);
	ATF_CHECK_STREQ("2001:db8::1", addr_str(&a, s));
	ep.addr = a;
	ATF_CHECK_STREQ("[2001:db8::1]:4500", endpoint_str(&ep, e));
	memset(&a, 0, sizeof(a));
	ATF_CHECK_EQ(addr_len(&a), 0);
	ATF_CHECK_STREQ("any", addr_str(&a, s));
	/* the longest texts fit */
	ep.addr = A("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	ep.port = 65535;
	ATF_CHECK_STREQ("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	    endpoint_str(&ep, e));
}

ATF_TC_WITHOUT_HEAD(text_refused);
ATF_TC_BODY(text_refused, tc)
{
	static const char *const bad[] = { "", "any", "1.2.3", "1.2.3.256",
	    "1.2.3.4.5", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/32", "::1::", "g::",
	    "host.example", "01.2.3.4" };
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_CHECK_MSG(addr_parse(&a, bad[i]) == -1, "%s", bad[i]);
		ATF_CHECK_EQ(a.fam, ADDR_NONE);
	}
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	struct addr a = A("10.0.0.1"), b = A("10.0.1.0"), c = A("::1");
	struct addr none, zero = A("0.0.0.0");
	struct endpoint e = { A("10.0.0.1"), 500 }, f = { A("10.0.0.1"), 4500 };

	memset(&none, 0, sizeof(none));
	ATF_CHECK(addr_cmp(&a, &b) < 0);
	ATF_CHECK(addr_cmp(&b, &a) > 0);
	ATF_CHECK_EQ(addr_cmp(&a, &a), 0);
	ATF_CHECK(addr_cmp(&b, &c) < 0);
	ATF_CHECK(addr_cmp(&none, &zero) != 0);
	ATF_CHECK_EQ(addr_cmp(&none, &none), 0);
	ATF_CHECK(addr_is_any(&none));
	ATF_CHECK(addr_is_any(&zero));
	ATF_CHECK(!addr_is_any(&a));
	ATF_CHECK(!addr_is_any(&c));
	ATF_CHECK(endpoint_cmp(&e, &f) < 0);
	ATF_CHECK(endpoint_cmp(&f, &e) > 0);
	ATF_CHECK_EQ(endpoint_cmp(&e, &e), 0);
	f.addr = A("10.0.0.0");
	ATF_CHECK(endpoint_cmp(&e, &f) > 0);
}

ATF_TC_WITHOUT_HEAD(prefix_text);
ATF_TC_BODY(prefix_text, tc)
{
	static const struct { const char *in, *out; } good[] = {
		{ "10.1.0.0/24", "10.1.0.0/24" },
		{ "10.1.2.3/24", "10.1.2.0/24" },
		{ "10.1.2.3", "10.1.2.3/32" },
		{ "10/8", "10.0.0.0/8" },
		{ "10.1/16", "10.1.0.0/16" },
		{ "192.168.7/24", "192.168.7.0/24" },
		{ "10.1.2/8", "10.0.0.0/8" },
		{ "10.255.255.255/9", "10.128.0.0/9" },
		{ "1.2.3.4/0", "0.0.0.0/0" },
		{ "::/0", "::/0" },
		{ "2001:db8::ffff/127", "2001:db8::fffe/127" },
		{ "2001:db8::1", "2001:db8::1/128" },
	};
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/",
	    "10.0.0.0/-1", "10.0.0.0/24x", "10.0.0.0/ 8", "10.0.0.0/0024",
	    "::/129", "/24", "", "10.0.0.0/24/8", "a.example/24",
	    "10", "10.1", "10./8", ".1/8", "10..1/8", "256/8", "1.2.3.4.5/8",
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8" };
	char s[PREFIX_STRLEN];
	struct prefix p;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_CHECK_EQ(prefix_parse(&p, good[i].in), 0);
		ATF_CHECK_STREQ(good[i].out, prefix_str(&p, s));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(prefix_parse(&p, bad[i]) == -1, "%s", bad[i]);
}

ATF_TC_WITHOUT_HEAD(prefix_holds);
ATF_TC_BODY(prefix_holds, tc)
{
	struct prefix p = P("10.1.2.0/23"), all = P("0.0.0.0/0");
	struct prefix six = P("2001:db8::/33");
	struct addr in = A("10.1.3.255"), out = A("10.1.4.0");
	struct addr s = A("2001:db8:7fff::"), t = A("2001:db8:8000::"), none;

	memset(&none, 0, sizeof(none));
	ATF_CHECK(prefix_contains(&p, &in));
	ATF_CHECK(!prefix_contains(&p, &out));
	ATF_CHECK(prefix_contains(&all, &out));
	ATF_CHECK(!prefix_contains(&all, &s));
	ATF_CHECK(!prefix_contains(&all, &none));
	ATF_CHECK(prefix_contains(&six, &s));
	ATF_CHECK(!prefix_contains(&six, &t));
	ATF_CHECK_EQ(prefix_cmp(&p, &p), 0);
	ATF_CHECK(prefix_cmp(&p, &all) > 0);
	ATF_CHECK(prefix_cmp(&all, &six) < 0);
}

ATF_TC_WITHOUT_HEAD(prefix_hosts);
ATF_TC_BODY(prefix_hosts, tc)
{
	struct prefix p = P("10.1.0.0/23"), one = P("10.0.0.9/32");
	struct prefix six = P("2001:db8::ffff:ff00/120"), all = P("0.0.0.0/0");
	struct prefix end = P("255.255.255.254/31");
	struct addr a, w;

	ATF_CHECK_EQ(prefix_host(&p, 0, &a), 0);
	w = A("10.1.0.0");
	ATF_CHECK_EQ(addr_cmp(&a, &w), 0);
	ATF_CHECK_EQ(prefix_host(&p, 257, &a), 0);
	w = A("10.1.1.1");
	ATF_CHECK_EQ(addr_cmp(&a, &w), 0);
	ATF_CHECK_EQ(prefix_host(&p, 511, &a), 0);
	ATF_CHECK_EQ(prefix_host(&p, 512, &a), -1);
	ATF_CHECK_EQ(prefix_host(&one, 0, &a), 0);
	ATF_CHECK_EQ(prefix_host(&one, 1, &a), -1);
	ATF_CHECK_EQ(prefix_host(&end, 1, &a), 0);
	ATF_CHECK_EQ(prefix_host(&end, 2, &a), -1);	/* wraps the space */
	ATF_CHECK_EQ(prefix_host(&all, UINT32_MAX, &a), 0);
	w = A("255.255.255.255");
	ATF_CHECK_EQ(addr_cmp(&a, &w), 0);
	ATF_CHECK_EQ(prefix_host(&six, 255, &a), 0);
	ATF_CHECK_EQ(prefix_host(&six, 256, &a), -1);
}

ATF_TC_WITHOUT_HEAD(sockaddrs);
ATF_TC_BODY(sockaddrs, tc)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct endpoint e = { A("192.0.2.7"), 500 }, f, none;
	socklen_t len;

	len = addr_to_sockaddr(&e, &ss);
	ATF_CHECK_EQ(len, sizeof(struct sockaddr_in));
	ATF_CHECK_EQ(sin->sin_family, AF_INET);
	ATF_CHECK_EQ(ntohs(sin->sin_port), 500);
	ATF_CHECK_EQ(ntohl(sin->sin_addr.s_addr), 0xc0000207);
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, len), 0);
	ATF_CHECK_EQ(endpoint_cmp(&e, &f), 0);
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, len - 1), -1);

	e.addr = A("2001:db8::7");
	len = addr_to_sockaddr(&e, &ss);
	ATF_CHECK_EQ(len, sizeof(struct sockaddr_in6));
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, len), 0);
	ATF_CHECK_EQ(endpoint_cmp(&e, &f), 0);
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, len - 1), -1);

	memset(&none, 0, sizeof(none));
	ATF_CHECK_EQ(addr_to_sockaddr(&none, &ss), 0);
	ss.ss_family = AF_UNIX;
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, sizeof(ss)), -1);
	ATF_CHECK_EQ(addr_from_sockaddr(&f, (struct sockaddr *)&ss, 0), -1);
	ATF_CHECK_EQ(addr_from_sockaddr(&f, NULL, 0), -1);
}

ATF_TC_WITHOUT_HEAD(bytes);
ATF_TC_BODY(bytes, tc)
{
	static const uint8_t b[17] = { 192, 0, 2, 1 };
	struct addr a, w = A("192.0.2.1");

	ATF_CHECK_EQ(addr_from_bytes(&a, b, 4), 0);
	ATF_CHECK_EQ(addr_cmp(&a, &w), 0);
	ATF_CHECK_EQ(addr_from_bytes(&a, b, 16), 0);
	ATF_CHECK_EQ(a.fam, ADDR_V6);
	ATF_CHECK_EQ(addr_from_bytes(&a, b, 3), -1);
	ATF_CHECK_EQ(a.fam, ADDR_NONE);
	ATF_CHECK_EQ(addr_from_bytes(&a, b, 5), -1);
	ATF_CHECK_EQ(addr_from_bytes(&a, b, 17), -1);
	ATF_CHECK_EQ(addr_from_bytes(&a, NULL, 0), -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, text);
	ATF_TP_ADD_TC(tp, text_refused);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, prefix_text);
	ATF_TP_ADD_TC(tp, prefix_holds);
	ATF_TP_ADD_TC(tp, prefix_hosts);
	ATF_TP_ADD_TC(tp, sockaddrs);
	ATF_TP_ADD_TC(tp, bytes);
	return (atf_no_error());
}
