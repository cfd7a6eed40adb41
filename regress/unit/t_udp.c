/* SPDX-License-Identifier: ISC */
/* ICMP errors of IKE's sockets: who said what of whom, not too often, not for ever. */

#include <sys/types.h>
#include <sys/socket.h>

#include <atf-c.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/icmp.h"
#include "proc/udp.h"

static struct icmp_said
said(const char *to, const char *by, uint8_t type, uint8_t code)
{
	struct icmp_said s;

	memset(&s, 0, sizeof(s));
	ATF_REQUIRE_EQ(addr_parse(&s.to, to), 0);
	ATF_REQUIRE_EQ(addr_parse(&s.by, by), 0);
	s.port = 500;
	s.type = type;
	s.code = code;
	return (s);
}

static monotime
at(int64_t ms)
{
	return (mono_add_ms((monotime){ 1 }, ms));
}

ATF_TC_WITHOUT_HEAD(notes);
ATF_TC_BODY(notes, tc)
{
	static struct icmp_seen t;
	struct icmp_said s = said("198.51.100.1", "203.0.113.7", 3, 13);
	struct addr other;
	struct icmp_heard h;
	int i, n = 0;

	(void)tc;
	ATF_CHECK_EQ(icmp_note(&t, at(0), &s), 1);
	icmp_heard(&t, at(3500), &s.to, &h);
	ATF_CHECK(addr_cmp(&h.by, &s.by) == 0 && h.type == 3 && h.code == 13);
	ATF_CHECK_EQ(h.ago_ms, 3500);
	ATF_CHECK_STREQ(icmp_words(&s), "administratively prohibited (a firewall)");
	ATF_REQUIRE_EQ(addr_parse(&other, "198.51.100.2"), 0);
	icmp_heard(&t, at(3500), &other, &h);
	ATF_CHECK_EQ(h.by.fam, ADDR_NONE);
	memset(&other, 0, sizeof(other));
	icmp_heard(&t, at(3500), &other, &h);
	ATF_CHECK_EQ(h.by.fam, ADDR_NONE);
	/* the same again is not told, and is as fresh as it is */
	ATF_CHECK_EQ(icmp_note(&t, at(30000), &s), 0);
	icmp_heard(&t, at(89000), &s.to, &h);
	ATF_CHECK_EQ(h.ago_ms, 59000);
	icmp_heard(&t, at(90000), &s.to, &h);
	ATF_CHECK_EQ(h.by.fam, ADDR_NONE);
	ATF_CHECK_EQ(icmp_note(&t, at(61000), &s), 1);
	s.code = 3;
	ATF_CHECK_EQ(icmp_note(&t, at(61001), &s), 1);
	icmp_heard(&t, at(61001), &s.to, &h);
	ATF_CHECK(addr_cmp(&h.by, &s.by) == 0 && h.code == 3 && h.ago_ms == 0);
	ATF_CHECK_STREQ(icmp_words(&s), "port unreachable");
	/* a path MTU, and what nobody has defined */
	s = said("198.51.100.9", "203.0.113.7", 3, 4);
	ATF_CHECK_EQ(icmp_note(&t, at(61002), &s), 0);
	s.type = 250;
	ATF_CHECK_EQ(icmp_note(&t, at(61002), &s), 0);
	icmp_heard(&t, at(61002), &s.to, &h);
	ATF_CHECK_EQ(h.by.fam, ADDR_NONE);
	s = said("2001:db8::1", "2001:db8::f", 1, 4);
	ATF_CHECK_EQ(icmp_note(&t, at(61003), &s), 1);
	icmp_heard(&t, at(61003), &s.to, &h);
	ATF_CHECK(addr_cmp(&h.by, &s.by) == 0 && h.type == 1 && h.code == 4);
	ATF_CHECK_STREQ(icmp_words(&s), "port unreachable");
	/* it has spoken since; who else has is nobody that was complained of */
	icmp_forget(&t, &other);
	icmp_heard(&t, at(61003), &s.to, &h);
	ATF_CHECK(h.by.fam != ADDR_NONE);
	icmp_forget(&t, &s.to);
	icmp_heard(&t, at(61003), &s.to, &h);
	ATF_CHECK_EQ(h.by.fam, ADDR_NONE);
	ATF_CHECK_EQ(icmp_note(&t, at(61004), &s), 0);
	icmp_heard(&t, at(61004), &s.to, &h);
	ATF_CHECK(h.by.fam != ADDR_NONE);
	/* a flood fills neither the log nor memory */
	for (i = 0; i < 5000; i++) {
		char a[ADDR_STRLEN];

		(void)snprintf(a, sizeof(a), "10.%d.%d.%d", i % 200, i / 200, i % 7);
		s = said(a, "203.0.113.7", 3, 1);
		n += icmp_note(&t, at(200000 + i), &s);
	}
	ATF_CHECK_EQ(n, 10);
}

/* A port of loopback where nobody listens. */
ATF_TC_WITHOUT_HEAD(kernel);
ATF_TC_BODY(kernel, tc)
{
	struct endpoint ep = { .port = 1 };
	struct sockaddr_storage ss;
	struct icmp_said s;
	struct pollfd p = { .events = POLLIN };
	socklen_t len;
	char text[ADDR_STRLEN];
	int i;

	(void)tc;
#ifndef __linux__
	atf_tc_skip("only Linux tells");
#endif
	ATF_REQUIRE((p.fd = udp_open(ADDR_V4, 0)) != -1);
	ATF_CHECK_EQ(udp_error(p.fd, &s), 0);
	ATF_REQUIRE_EQ(addr_parse(&ep.addr, "127.0.0.1"), 0);
	len = addr_to_sockaddr(&ep, &ss);
	for (i = 0; i < 50; i++) {	/* such answers are limited to some a second */
		if (sendto(p.fd, "x", 1, 0, (struct sockaddr *)&ss, len) == -1)
			atf_tc_skip("there is no loopback here");
		if (poll(&p, 1, 100) == 1)
			break;
	}
	ATF_REQUIRE_EQ(udp_error(p.fd, &s), 1);
	ATF_CHECK_STREQ(addr_str(&s.to, text), "127.0.0.1");
	ATF_CHECK_STREQ(addr_str(&s.by, text), "127.0.0.1");
	ATF_CHECK_EQ(s.port, 1);
	ATF_REQUIRE(icmp_words(&s) != NULL);
	ATF_CHECK_STREQ(icmp_words(&s), "port unreachable");
	while (udp_error(p.fd, &s))
		;
	/* and then the next one goes */
	ATF_CHECK_EQ(sendto(p.fd, "x", 1, 0, (struct sockaddr *)&ss, len), 1);
	(void)close(p.fd);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, notes);
	ATF_TP_ADD_TC(tp, kernel);
	return (atf_no_error());
}
