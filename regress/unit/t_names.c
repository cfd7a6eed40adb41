/* SPDX-License-Identifier: ISC */
/*
 * Peers that have names: how they are written, what the parent knows of them, where that puts
 * their peers, and the messages in between.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/known.h"

#define NETS(n)	"from 10.1.0.0/24 to 10." #n ".0.0/24 "
#define PSK	"psk \"twenty characters at least\"\n"

static struct conf_errors errs;

static struct conf *
parse(const char *text)
{
	return (conf_parse("t", text, strlen(text), NULL, 0, &errs));
}

static struct conf *
good(const char *text)
{
	struct conf	*c = parse(text);

	ATF_REQUIRE_MSG(c != NULL, "%s: %s", text, errs.e[0].text);
	return (c);
}

static struct addr
addr(const char *s)
{
	struct addr	 a;

	ATF_REQUIRE(addr_parse(&a, s) == 0);
	return (a);
}

/* An answer for the name of that place in the list. */
static int
answer(struct known *k, uint32_t index, const char *why, unsigned int n,
    const char *const *a)
{
	struct name_ans	 ans;
	unsigned int	 i;

	memset(&ans, 0, sizeof(ans));
	ans.serial = k->serial;
	ans.index = index;
	ans.n = (uint8_t)n;
	for (i = 0; i < n; i++)
		ans.a[i] = addr(a[i]);
	if (why != NULL)
		(void)strlcpy(ans.why, why, sizeof(ans.why));
	return (known_answer(k, &ans));
}
#define IS(k, i, ...)	answer(k, i, NULL, sizeof((const char *[]){ __VA_ARGS__ }) / \
			    sizeof(char *), (const char *[]){ __VA_ARGS__ })
#define FAILS(k, i, w)	answer(k, i, w, 0, NULL)

static void
at(const struct conf_peer *p, const char *want)
{
	char	 s[ADDR_STRLEN];

	ATF_CHECK_STREQ(want, addr_str(&p->remote, s));
	ATF_CHECK_MSG((p->absent == NULL) == (strcmp(want, "any") != 0), "%s", want);
}

ATF_TC_WITHOUT_HEAD(syntax);
ATF_TC_BODY(syntax, tc)
{
	static const char *const yes[] = { "gw", "vpn.boise.example", "a-b.c_d.x1", "gw.",
	    "10.1.2.3a", "3com", "_x" };
	static const char *const no[] = { "", ".", "a..b", "-a", "a-", "a.-b", "192.0.2.300",
	    "1.2.3", "12", "a b", "a/24", "a;", "a:1", "\xc3\xa4.example", "a.7", "$a",
	    "a.example.."};
	char	 s[300];
	size_t	 i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		ATF_CHECK_MSG(conf_host_ok(yes[i]), "%s", yes[i]);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ATF_CHECK_MSG(!conf_host_ok(no[i]), "%s", no[i]);
	for (i = 0; i < sizeof(s) - 1; i++)
		s[i] = i % 64 == 63 ? '.' : 'a';
	s[253] = '\0';
	ATF_CHECK(conf_host_ok(s));
	memcpy(s + 253, "a", 2);
	ATF_CHECK(!conf_host_ok(s));		/* 254 octets */
	memset(s, 'a', 64);
	s[64] = '\0';
	ATF_CHECK(!conf_host_ok(s));
	s[63] = '\0';
	ATF_CHECK(conf_host_ok(s));
}

ATF_TC_WITHOUT_HEAD(written);
ATF_TC_BODY(written, tc)
{
	struct conf	*c, *d;
	char		*s;
	uint32_t	 i;

	c = good("gw = \"vpn.boise.example\"\n"
	    "ikev2 \"a\" active " NETS(2) "peer $gw " PSK
	    "ikev2 \"b\" inet6 " NETS(3) "local here peer VPN.boise.example " PSK
	    "ikev2 \"c\" active " NETS(4) "peer VPN.BOISE.example " PSK
	    "ikev2 \"d\" inet " NETS(5) "peer 192.0.2.9 " PSK);
	ATF_REQUIRE_EQ(3, c->npeers);		/* a and c share one, whatever the case */
	ATF_CHECK_EQ(c->tunnels[0].peer, c->tunnels[2].peer);
	ATF_CHECK_STREQ("vpn.boise.example", c->peers[0].remotename);
	ATF_CHECK(c->peers[0].localname == NULL && c->peers[0].absent != NULL);
	ATF_CHECK_STREQ("here", c->peers[1].localname);
	ATF_CHECK_EQ(ADDR_V6, c->peers[1].fam);
	ATF_CHECK_EQ(ADDR_NONE, c->peers[2].fam);	/* the address says it */
	ATF_CHECK(!conf_peer_named(&c->peers[2]) && c->peers[2].absent == NULL);
	ATF_REQUIRE((s = conf_print(c, 1)) != NULL);
	ATF_CHECK(strstr(s, "peer vpn.boise.example ") != NULL);
	ATF_CHECK(strstr(s, "local here peer VPN.boise.example ") != NULL);
	ATF_CHECK(strstr(s, "esp inet6") != NULL && strstr(s, "inet ") == NULL);
	d = good(s);
	free(s);
	for (i = 0; i < c->ntunnels; i++)
		ATF_CHECK(conf_tunnel_equal(c, &c->tunnels[i], d, &d->tunnels[i]));
	ATF_CHECK_STREQ(d->peers[1].localname, c->peers[1].localname);
	ATF_CHECK_EQ(d->peers[1].fam, c->peers[1].fam);
	conf_free(c);
	conf_free(d);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const struct {
		const char	*text, *want;
	} t[] = {
		{ "s = \"hunter2hunter2hunter2\"\nikev2 " NETS(2) "peer $s " PSK,
		    "so that no secret is looked up by mistake" },
		{ "ikev2 " NETS(2) "peer \"hunter2\" " PSK, "looked up by mistake" },
		{ "ikev2 " NETS(2) "peer 192.0.2.300 " PSK,
		    "neither an address, a host name nor any" },
		{ "ikev2 " NETS(2) "peer a..b " PSK, "neither an address" },
		{ "ikev2 " NETS(2) "peer gw.example:500 " PSK, "neither an address" },
		{ "ikev2 " NETS(2) "local a.example peer A.example " PSK,
		    "local and peer are the same name" },
		{ "ikev2 default " NETS(2) "peer a.example " PSK, "write peer any" },
		{ "ikev2 transport from 192.0.2.1 to 192.0.2.2 local 192.0.2.1 "
		    "peer a.example " PSK, "write local and peer as addresses" },
		{ "ikev2 from gw.example to 10.2.0.0/24 peer 192.0.2.1 " PSK,
		    "a name is looked up after peer and local alone" },
		{ "ikev2 inet6 " NETS(2) "local 192.0.2.1 peer a.example " PSK,
		    "of the other family" },
	};
	struct conf	*c;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		c = parse(t[i].text);
		ATF_CHECK_MSG(c == NULL, "%s", t[i].text);
		ATF_CHECK_MSG(strstr(errs.e[0].text, t[i].want) != NULL, "%s: %s",
		    t[i].text, errs.e[0].text);
		ATF_CHECK_MSG(strstr(errs.e[0].text, "hunter2hunter2") == NULL, "%s",
		    errs.e[0].text);
		conf_free(c);
	}
}

/* The list is sorted: 0 a, 1 b, 2 here. */
static const char three[] =
    "ikev2 \"any\" " NETS(9) "peer any " PSK
    "ikev2 \"lit\" active " NETS(2) "peer 192.0.2.7 " PSK
    "ikev2 \"b\" active " NETS(3) "peer b.example " PSK
    "ikev2 \"a6\" active inet6 " NETS(4) "peer a.example dstid x.example " PSK
    "ikev2 \"a\" active " NETS(5) "local here peer a.example " PSK;

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	struct known	 k;
	struct conf	*c = good(three);
	char		 s[ADDR_STRLEN];

	memset(&k, 0, sizeof(k));
	ATF_REQUIRE_EQ(1, known_list(&k, c));
	ATF_REQUIRE_EQ(3, k.n);
	ATF_CHECK_STREQ("a.example", k.v[0].name);
	ATF_CHECK_STREQ("here", k.v[2].name);
	ATF_CHECK_EQ(3, conf_places(c, known_lookup, &k));	/* the reasons are new */
	ATF_CHECK_STREQ("b.example does not resolve: not asked yet", c->peers[2].absent);
	ATF_CHECK_EQ(0, conf_places(c, known_lookup, &k));
	/* b is where lit is, and says the same */
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 1, "192.0.2.7"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[2], "any");
	ATF_CHECK(strstr(c->peers[2].absent, "tell them apart by dstid") != NULL);
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 1, "192.0.2.8", "2001:db8::8"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[2], "192.0.2.8");
	/* a has IPv4 only; here is IPv6 only */
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.20"));
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 2, "2001:db8::1"));
	ATF_CHECK_EQ(2, conf_places(c, known_lookup, &k));
	ATF_CHECK(strstr(c->peers[3].absent, "a.example has no IPv6 address") != NULL);
	ATF_CHECK(strstr(c->peers[4].absent, "a.example has no usable address") != NULL);
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.20", "2001:db8::20"));
	ATF_CHECK_EQ(2, conf_places(c, known_lookup, &k));
	at(&c->peers[3], "2001:db8::20");
	at(&c->peers[4], "2001:db8::20");
	ATF_CHECK_STREQ("2001:db8::1", addr_str(&c->peers[4].local, s));
	/* what has no name is left alone */
	at(&c->peers[1], "192.0.2.7");
	ATF_CHECK(c->peers[0].absent == NULL && c->peers[0].remote.fam == ADDR_NONE);
	conf_free(c);
	known_free(&k);
}

/* What turns does not move a tunnel; what goes does; what is lost stays. */
ATF_TC_WITHOUT_HEAD(follows);
ATF_TC_BODY(follows, tc)
{
	struct known	 k;
	struct conf	*c = good("ikev2 \"b\" active " NETS(3) "peer b.example " PSK);
	uint32_t	 ix[2];

	memset(&k, 0, sizeof(k));
	ATF_REQUIRE_EQ(1, known_list(&k, c));
	ATF_CHECK_EQ(KNOWN_FAILS, FAILS(&k, 0, "no"));
	ATF_CHECK_EQ(KNOWN_SAME, FAILS(&k, 0, "no"));
	ATF_CHECK_EQ(KNOWN_FAILS, FAILS(&k, 0, "other words"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	ATF_CHECK_STREQ("b.example does not resolve: other words", c->peers[0].absent);
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.1", "192.0.2.2"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.1");
	ATF_CHECK_EQ(KNOWN_SAME, IS(&k, 0, "192.0.2.2", "192.0.2.1"));
	ATF_CHECK_EQ(KNOWN_STILL, FAILS(&k, 0, "no"));
	ATF_CHECK_EQ(KNOWN_SAME, FAILS(&k, 0, "no"));
	ATF_CHECK_EQ(0, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.1");
	/* the first one is mute: the other one, and back */
	ATF_CHECK_EQ(1, known_mute(&k, &c->peers[0], ix));
	ATF_CHECK_EQ(0, ix[0]);
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.1", "192.0.2.2"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.2");
	ATF_CHECK_EQ(KNOWN_SAME, IS(&k, 0, "192.0.2.1", "192.0.2.2"));
	ATF_CHECK_EQ(1, known_mute(&k, &c->peers[0], ix));
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.1", "192.0.2.2"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.1");
	/* mute, but there is no other */
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.1"));
	ATF_CHECK_EQ(1, known_mute(&k, &c->peers[0], ix));
	ATF_CHECK_EQ(KNOWN_SAME, IS(&k, 0, "192.0.2.1"));
	/* it moves */
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "192.0.2.3"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.3");
	conf_free(c);
	/* another list: what is known goes over, and old answers are of no use */
	c = good("ikev2 \"b\" active " NETS(3) "peer B.example " PSK
	    "ikev2 \"a\" active " NETS(4) "peer a.example " PSK);
	k.serial += 7;
	ATF_REQUIRE_EQ(1, known_list(&k, c));
	ATF_CHECK_EQ(2, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "192.0.2.3");
	at(&c->peers[1], "any");
	ATF_CHECK_EQ(0, known_list(&k, c));
	ATF_CHECK_EQ(-1, IS(&k, 2, "192.0.2.3"));
	k.serial++;
	{
		struct name_ans	 a = { .serial = k.serial - 1, .index = 77, .n = 1 };

		ATF_CHECK_EQ(KNOWN_SAME, known_answer(&k, &a));
	}
	conf_free(c);
	known_free(&k);
}

/* A generation that differs in places alone: secrets and all else go over. */
static int
transfer(struct confin *in, const struct conf *c, uint32_t again, struct conf **got)
{
	struct confout	 o;
	struct msg	 m;
	struct rbuf	 r;
	uint16_t	 type;
	int		 rv = 0;

	memset(&o, 0, sizeof(o));
	o.conf = c;
	o.again = o.keep = again;
	while (rv == 0 && confout_next(&o, &m) == 1) {
		ATF_REQUIRE(wbuf_ok(&m.w));
		rbuf_init(&r, m.b, m.w.len);
		type = rbuf_u16(&r);
		rv = confin_message(in, type, &r, got);
	}
	return (rv);
}

ATF_TC_WITHOUT_HEAD(again);
ATF_TC_BODY(again, tc)
{
	struct known	 k;
	struct confin	 in;
	struct conf	*c = good(three), *base, *got = NULL;
	char		*s, *t;

	memset(&k, 0, sizeof(k));
	memset(&in, 0, sizeof(in));
	ATF_REQUIRE_EQ(1, known_list(&k, c));
	c->gen = 5;
	ATF_REQUIRE((base = conf_clone(c, CONF_WITH_SECRETS)) != NULL);
	ATF_REQUIRE((s = conf_print(c, 1)) != NULL && (t = conf_print(base, 1)) != NULL);
	ATF_CHECK_STREQ(s, t);
	free(t);
	conf_keep_marks(c);		/* as the parent has it */
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 1, "192.0.2.8"));
	ATF_REQUIRE(conf_places(c, known_lookup, &k) > 0);
	c->gen = 6;
	/* no such generation here */
	ATF_CHECK_EQ(-1, transfer(&in, c, 5, &got));
	confin_reset(&in);
	in.base[1] = base;
	ATF_CHECK_EQ(-1, transfer(&in, c, 4, &got));
	confin_reset(&in);
	ATF_REQUIRE_EQ(1, transfer(&in, c, 5, &got));
	ATF_CHECK_EQ(6, got->gen);
	at(&got->peers[2], "192.0.2.8");
	at(&got->peers[3], "any");
	ATF_REQUIRE((t = conf_print(got, 1)) != NULL);
	ATF_CHECK_STREQ(s, t);		/* secrets too; and the name, not the address */
	ATF_CHECK_EQ(1U << CF_PEER, conf_peer_diff(&base->peers[2], &got->peers[2]));
	ATF_CHECK_EQ(0, conf_peer_diff(&base->peers[1], &got->peers[1]));
	free(s);
	free(t);
	conf_free(c);
	conf_free(base);
	conf_free(got);
	known_free(&k);
}

/* A place that does not fit the peer is refused, and so is one of a peer without a name. */
ATF_TC_WITHOUT_HEAD(bent);
ATF_TC_BODY(bent, tc)
{
	static const struct {
		uint32_t	 peer;
		const char	*local, *remote, *why;
		int		 ok;
	} t[] = {
		{ 2, NULL, "192.0.2.8", "", 0 + 1 },
		{ 2, NULL, "192.0.2.8", "but absent", 0 },
		{ 2, NULL, NULL, "", 0 },
		{ 2, NULL, NULL, "gone", 1 },
		{ 2, NULL, NULL, "a\tb", 0 },
		{ 2, "192.0.2.1", "192.0.2.8", "", 0 },		/* local is any */
		{ 2, NULL, "224.0.0.1", "", 0 },
		{ 1, NULL, "192.0.2.8", "", 0 },		/* written as an address */
		{ 0, NULL, "192.0.2.8", "", 0 },		/* any */
		{ 3, NULL, "192.0.2.8", "", 0 },		/* inet6 */
		{ 3, NULL, "2001:db8::8", "", 1 },
		{ 4, "192.0.2.1", "2001:db8::8", "", 0 },
		{ 4, "192.0.2.1", "192.0.2.1", "", 0 },
		{ 4, "192.0.2.1", "192.0.2.2", "", 1 },
		{ 4, NULL, "192.0.2.2", "", 0 },
		{ 5, NULL, NULL, "gone", 0 },
	};
	struct conf	*c = good(three);
	uint8_t		 b[1024];
	struct wbuf	 w;
	struct rbuf	 r;
	struct addr	 none, a;
	size_t		 i, len;

	memset(&none, 0, sizeof(none));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		wbuf_init(&w, b, sizeof(b));
		wbuf_u32(&w, t[i].peer);
		a = t[i].local != NULL ? addr(t[i].local) : none;
		put_addr(&w, &a);
		a = t[i].remote != NULL ? addr(t[i].remote) : none;
		put_addr(&w, &a);
		wbuf_str(&w, t[i].why);
		rbuf_init(&r, b, w.len);
		ATF_CHECK_EQ_MSG(t[i].ok ? 0 : -1, conf_get_place(&r, c), "%zu", i);
		for (len = 0; len < w.len; len++) {
			rbuf_init(&r, b, len);
			ATF_CHECK_EQ_MSG(-1, conf_get_place(&r, c), "%zu %zu", i, len);
		}
	}
	conf_free(c);
}

/* What the names process says is bounded and of other hosts. */
ATF_TC_WITHOUT_HEAD(believed);
ATF_TC_BODY(believed, tc)
{
	static const char *const no[] = { "127.0.0.1", "127.9.9.9", "::1", "fe80::1",
	    "0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:192.0.2.1" };
	struct name_ans	 a, b;
	struct msg	 m;
	struct rbuf	 r;
	size_t		 i;

	memset(&a, 0, sizeof(a));
	a.serial = 3;
	a.index = 4;
	a.n = 2;
	a.a[0] = addr("192.0.2.1");
	a.a[1] = addr("2001:db8::1");
	msg_put_name_ans(&m, &a);
	rbuf_init(&r, m.b + 2, m.w.len - 2);
	ATF_REQUIRE_EQ(0, msg_get_name_ans(&r, &b));
	ATF_CHECK(b.serial == 3 && b.index == 4 && b.n == 2 && b.why[0] == '\0' &&
	    addr_cmp(&b.a[1], &a.a[1]) == 0);
	for (i = 2; i < m.w.len; i++) {
		rbuf_init(&r, m.b + 2, i - 2);
		ATF_CHECK_EQ(-1, msg_get_name_ans(&r, &b));
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		a.a[1] = addr(no[i]);
		msg_put_name_ans(&m, &a);
		rbuf_init(&r, m.b + 2, m.w.len - 2);
		ATF_CHECK_EQ_MSG(-1, msg_get_name_ans(&r, &b), "%s", no[i]);
	}
	/* why, where there is none; nothing else, and nothing of both */
	for (i = 0; i < 4; i++) {
		a.n = i == 1;
		a.a[0] = addr("192.0.2.1");
		(void)strlcpy(a.why, i < 2 ? "why" : i == 2 ? "" : "w\033[1m", sizeof(a.why));
		msg_put_name_ans(&m, &a);
		rbuf_init(&r, m.b + 2, m.w.len - 2);
		ATF_CHECK_EQ_MSG(i == 0 ? 0 : -1, msg_get_name_ans(&r, &b), "%zu", i);
	}
}

/* The same address twice, which no honest resolver says, is the same address: it makes no
 * room for one that nobody has named. */
ATF_TC_WITHOUT_HEAD(twice);
ATF_TC_BODY(twice, tc)
{
	struct known	 k;
	struct conf	*c = good("ikev2 \"b\" " NETS(3) "local here peer b.example " PSK);
	char		 s[ADDR_STRLEN];

	memset(&k, 0, sizeof(k));
	ATF_REQUIRE_EQ(1, known_list(&k, c));
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "2001:db8::1", "2001:db8::1", "2001:db8::1"));
	ATF_CHECK_EQ(1, k.v[0].n);
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 1, "192.0.2.1"));
	ATF_CHECK_EQ(1, conf_places(c, known_lookup, &k));
	at(&c->peers[0], "any");	/* no usable address, and not everybody */
	k.v[0].mute = addr("2001:db8::1");
	ATF_CHECK_EQ(KNOWN_ADDRS, IS(&k, 0, "2001:db8::1", "2001:db8::2", "2001:db8::1",
	    "2001:db8::2"));
	ATF_CHECK_EQ(2, k.v[0].n);
	ATF_CHECK_STREQ("2001:db8::2", addr_str(&k.v[0].a[0], s));
	ATF_CHECK_STREQ("2001:db8::1", addr_str(&k.v[0].a[1], s));
	conf_free(c);
	known_free(&k);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, twice);
	ATF_TP_ADD_TC(tp, syntax);
	ATF_TP_ADD_TC(tp, written);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, follows);
	ATF_TP_ADD_TC(tp, again);
	ATF_TP_ADD_TC(tp, bent);
	ATF_TP_ADD_TC(tp, believed);
	return (atf_no_error());
}
