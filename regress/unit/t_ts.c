/* SPDX-License-Identifier: ISC */
/* Traffic selectors: validity, sets, narrowing (RFC 7296 2.9, 3.13). */

#include <atf-c.h>
#include <string.h>

#include "base/ts.h"

/* "first-last" or a prefix, with protocol and ports */
static struct ts
T(const char *s, uint8_t proto, uint16_t sport, uint16_t eport)
{
	char first[ADDR_STRLEN];
	const char *dash;
	struct prefix p;
	struct ts t;

	memset(&t, 0, sizeof(t));
	if ((dash = strchr(s, '-')) == NULL) {
		ATF_REQUIRE_EQ(prefix_parse(&p, s), 0);
		ts_from_prefix(&t, &p, proto, 0);
	} else {
		memset(first, 0, sizeof(first));
		memcpy(first, s, (size_t)(dash - s));
		ATF_REQUIRE_EQ(addr_parse(&t.start, first), 0);
		ATF_REQUIRE_EQ(addr_parse(&t.end, dash + 1), 0);
	}
	t.proto = proto;
	t.sport = sport;
	t.eport = eport;
	return (t);
}

static struct ts
N(const char *s)
{
	return (T(s, 0, 0, 65535));
}

static struct tslist
L(const char *a, const char *b, const char *c)
{
	struct tslist l;

	memset(&l, 0, sizeof(l));
	if (a != NULL)
		l.t[l.n++] = N(a);
	if (b != NULL)
		l.t[l.n++] = N(b);
	if (c != NULL)
		l.t[l.n++] = N(c);
	return (l);
}

#define CHECK_TS(want, t) do {						\
	char s_[TS_STRLEN];						\
	struct ts t_ = (t);						\
	ATF_CHECK_STREQ(want, ts_str(&t_, s_));				\
} while (0)

ATF_TC_WITHOUT_HEAD(prefixes);
ATF_TC_BODY(prefixes, tc)
{
	static const char *const same[] = { "10.1.0.0/24", "0.0.0.0/0",
	    "10.1.2.3/32", "10.0.0.0/9", "::/0", "2001:db8::/65",
	    "2001:db8::1/128" };
	struct prefix p, back;
	struct ts t;
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		ATF_REQUIRE_EQ(prefix_parse(&p, same[i]), 0);
		ts_from_prefix(&t, &p, 0, 0);
		ATF_CHECK(ts_valid(&t));
		ATF_CHECK_EQ(ts_to_prefix(&t, &back), 1);
		ATF_CHECK_EQ(prefix_cmp(&p, &back), 0);
		CHECK_TS(same[i], t);
	}
	t = N("10.1.0.1-10.1.0.6");
	ATF_CHECK_EQ(ts_to_prefix(&t, &back), 0);
	ATF_REQUIRE_EQ(prefix_parse(&p, "10.1.0.0/29"), 0);
	ATF_CHECK_EQ(prefix_cmp(&p, &back), 0);
	t = N("127.255.255.255-128.0.0.0");
	ATF_CHECK_EQ(ts_to_prefix(&t, &back), 0);
	ATF_CHECK_EQ(back.len, 0);
	ATF_REQUIRE_EQ(prefix_parse(&p, "10.0.0.0/8"), 0);
	ts_from_prefix(&t, &p, 17, 53);
	ATF_CHECK_EQ(t.sport, 53);
	ATF_CHECK_EQ(t.eport, 53);
}

ATF_TC_WITHOUT_HEAD(text);
ATF_TC_BODY(text, tc)
{
	CHECK_TS("10.1.0.1-10.1.0.6", N("10.1.0.1-10.1.0.6"));
	CHECK_TS("10.1.0.0/24[6]", T("10.1.0.0/24", 6, 0, 65535));
	CHECK_TS("10.1.0.0/24[6/80]", T("10.1.0.0/24", 6, 80, 80));
	CHECK_TS("10.1.0.0/24[17/1000-2000]", T("10.1.0.0/24", 17, 1000, 2000));
	CHECK_TS("10.1.0.0/24[17/opaque]", T("10.1.0.0/24", 17, 65535, 0));
	CHECK_TS("10.1.0.0/24[any/opaque]", T("10.1.0.0/24", 0, 65535, 0));
	/* the longest one fits */
	CHECK_TS("fff1:ffff:ffff:ffff:ffff:ffff:ffff:fff1-"
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1[255/10000-60000]",
	    T("fff1:ffff:ffff:ffff:ffff:ffff:ffff:fff1-"
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1", 255, 10000, 60000));
}

ATF_TC_WITHOUT_HEAD(valid);
ATF_TC_BODY(valid, tc)
{
	struct ts t;

	t = N("10.0.0.5-10.0.0.4");
	ATF_CHECK(!ts_valid(&t));
	t = N("10.0.0.4-10.0.0.4");
	ATF_CHECK(ts_valid(&t));
	t.end.fam = ADDR_V6;
	ATF_CHECK(!ts_valid(&t));
	memset(&t, 0, sizeof(t));
	ATF_CHECK(!ts_valid(&t));
	t = T("10.0.0.0/8", 6, 81, 80);
	ATF_CHECK(!ts_valid(&t));
	t = T("10.0.0.0/8", 6, 65535, 0);
	ATF_CHECK(ts_valid(&t));
	t = T("10.0.0.0/8", 0, 80, 80);		/* a port without a protocol */
	ATF_CHECK(!ts_valid(&t));
}

ATF_TC_WITHOUT_HEAD(intersect);
ATF_TC_BODY(intersect, tc)
{
	struct ts a, b, c;

	a = N("10.0.0.0/8");
	b = N("10.1.0.0-11.0.0.0");
	ATF_CHECK(ts_intersect(&a, &b, &c));
	CHECK_TS("10.1.0.0-10.255.255.255", c);
	ATF_CHECK(ts_intersect(&b, &a, &c));
	CHECK_TS("10.1.0.0-10.255.255.255", c);
	b = N("11.0.0.0/8");
	ATF_CHECK(!ts_intersect(&a, &b, &c));
	b = N("::/0");
	ATF_CHECK(!ts_intersect(&a, &b, &c));
	b = T("10.1.0.0/16", 6, 80, 443);
	ATF_CHECK(ts_intersect(&a, &b, &c));
	CHECK_TS("10.1.0.0/16[6/80-443]", c);
	a = T("10.0.0.0/8", 6, 400, 500);
	ATF_CHECK(ts_intersect(&a, &b, &c));
	CHECK_TS("10.1.0.0/16[6/400-443]", c);
	a = T("10.0.0.0/8", 6, 444, 500);
	ATF_CHECK(!ts_intersect(&a, &b, &c));
	a = T("10.0.0.0/8", 17, 80, 443);
	ATF_CHECK(!ts_intersect(&a, &b, &c));
	/* OPAQUE meets ANY and OPAQUE, but no range */
	a = T("10.0.0.0/8", 6, 65535, 0);
	ATF_CHECK(!ts_intersect(&a, &b, &c));
	b = T("10.1.0.0/16", 6, 0, 65535);
	ATF_CHECK(ts_intersect(&a, &b, &c));
	CHECK_TS("10.1.0.0/16[6/opaque]", c);
	ATF_CHECK(ts_intersect(&a, &a, &c));
	ATF_CHECK(ts_equal(&a, &c));
	/* what is not valid meets nothing */
	a = N("10.0.0.9-10.0.0.1");
	ATF_CHECK(!ts_intersect(&a, &b, &c));
}

ATF_TC_WITHOUT_HEAD(within);
ATF_TC_BODY(within, tc)
{
	struct ts a = N("10.1.0.0/16"), b = N("10.0.0.0/8");
	struct ts tcp = T("10.0.0.0/8", 6, 0, 65535);

	ATF_CHECK(ts_within(&a, &b));
	ATF_CHECK(!ts_within(&b, &a));
	ATF_CHECK(ts_within(&a, &a));
	ATF_CHECK(ts_within(&tcp, &b));
	ATF_CHECK(!ts_within(&b, &tcp));
	ATF_CHECK(!ts_within(&a, &tcp));
}

ATF_TC_WITHOUT_HEAD(lists);
ATF_TC_BODY(lists, tc)
{
	struct tslist a = L("10.0.0.0/24", "10.0.1.0/24", NULL);
	struct tslist b = L("10.0.1.0/24", "10.0.0.0/24", NULL);
	struct tslist c = L("10.0.0.0/23", NULL, NULL);
	struct tslist gap = L("10.0.0.0/24", "10.0.2.0/24", NULL);
	struct tslist d = L("10.0.0.0-10.0.2.255", NULL, NULL);
	struct tslist none = L(NULL, NULL, NULL);

	ATF_CHECK(tslist_equal(&a, &b));
	ATF_CHECK(!tslist_equal(&a, &c));
	ATF_CHECK(!tslist_equal(&c, &a));
	ATF_CHECK(!tslist_equal(&a, &none));
	ATF_CHECK(tslist_equal(&none, &none));
	ATF_CHECK(tslist_within(&a, &c));
	ATF_CHECK(tslist_within(&none, &a));
	ATF_CHECK(!tslist_within(&a, &none));
	/* neighbours cover what a peer has merged, a gap does not */
	ATF_CHECK(tslist_within(&c, &a));
	ATF_CHECK(tslist_within(&c, &b));
	ATF_CHECK(!tslist_within(&c, &gap));
	ATF_CHECK(!tslist_within(&d, &gap));
	ATF_CHECK(!tslist_within(&d, &c));
	/* a part with fewer ports does not cover */
	a.t[1] = T("10.0.1.0/24", 6, 0, 65535);
	ATF_CHECK(!tslist_within(&c, &a));
	/* the end of the address space ends the walk */
	a = L("255.255.255.0/24", NULL, NULL);
	b = L("255.255.255.0-255.255.255.254", NULL, NULL);
	ATF_CHECK(!tslist_within(&a, &b));
	ATF_CHECK(tslist_within(&b, &a));
}

ATF_TC_WITHOUT_HEAD(narrow);
ATF_TC_BODY(narrow, tc)
{
	struct tslist ours = L("10.1.0.0/24", "10.2.0.0/24", NULL);
	struct tslist offer, out;

	offer = L("0.0.0.0/0", NULL, NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 2);
	ATF_CHECK(tslist_equal(&out, &ours));
	/* the order is the offer's */
	offer = L("10.2.0.0/16", "10.1.0.0/16", NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 2);
	CHECK_TS("10.2.0.0/24", out.t[0]);
	CHECK_TS("10.1.0.0/24", out.t[1]);
	/* the packet's own selector (2.9) is part of its net's */
	offer = L("10.1.0.66", "10.1.0.0/24", NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 1);
	CHECK_TS("10.1.0.0/24", out.t[0]);
	offer = L("10.1.0.0/24", "10.1.0.0/24", "10.1.0.0/25");
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 1);
	CHECK_TS("10.1.0.0/24", out.t[0]);
	offer = L("10.1.0.128/25", "192.168.0.0/16", NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 1);
	CHECK_TS("10.1.0.128/25", out.t[0]);
	offer = L("192.168.0.0/16", "::/0", NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), 0);
	ATF_CHECK_EQ(out.n, 0);
	/* out may be one of the inputs */
	offer = L("10.0.0.0/8", NULL, NULL);
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &offer), 2);
	ATF_CHECK(tslist_equal(&offer, &ours));
}

/* 32 by 32 disjoint pieces: the result stays within its room. */
ATF_TC_WITHOUT_HEAD(narrow_full);
ATF_TC_BODY(narrow_full, tc)
{
	struct tslist offer, ours, out;
	unsigned int i;

	memset(&offer, 0, sizeof(offer));
	memset(&ours, 0, sizeof(ours));
	offer.n = ours.n = TS_MAX;
	for (i = 0; i < TS_MAX; i++) {
		offer.t[i] = T("10.0.0.0/8", 6, (uint16_t)(i * 100),
		    (uint16_t)(i * 100 + 99));
		ours.t[i] = T("10.0.0.0/8", 6, 0, 65535);
		ours.t[i].start.b[1] = ours.t[i].end.b[1] = (uint8_t)(i * 2);
	}
	ATF_CHECK_EQ(tslist_narrow(&offer, &ours, &out), TS_MAX);
	ATF_CHECK(tslist_within(&out, &offer));
	ATF_CHECK(tslist_within(&out, &ours));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, prefixes);
	ATF_TP_ADD_TC(tp, text);
	ATF_TP_ADD_TC(tp, valid);
	ATF_TP_ADD_TC(tp, intersect);
	ATF_TP_ADD_TC(tp, within);
	ATF_TP_ADD_TC(tp, lists);
	ATF_TP_ADD_TC(tp, narrow);
	ATF_TP_ADD_TC(tp, narrow_full);
	return (atf_no_error());
}
