/* SPDX-License-Identifier: ISC */
/* NAT, several tunnels and peers, selectors, reload. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define PSK "psk \"a secret that is long enough\"\n"

static uint64_t
lost(struct sim *s, const char *src, const char *dst, int n)
{
	uint64_t	got = s->n[0]->got;

	sim_traffic(s->n[0], src, dst, n * 100, 100);
	sim_run(s, 100);
	return ((uint64_t)n - (s->n[0]->got - got));
}

static struct sim *
behind_nat(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	sim_nat(sim_node(s, "a", "192.168.7.2", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 "
	    "to 10.2.0.0/24 local 192.168.7.2 peer 198.51.100.1 srcid a.example dstid "
	    "b.example " PSK), "192.0.2.1");
	(void)sim_node(s, "b", "198.51.100.1", "set nomobike\nikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 srcid b.example dstid a.example "
	    PSK);
	return (s);
}

ATF_TC_WITHOUT_HEAD(nat);
ATF_TC_BODY(nat, tc)
{
	struct sim	*s = behind_nat(1);
	struct node	*a = s->n[0], *b = s->n[1];
	uint64_t	 d;

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 100);
	ATF_CHECK_EQ(sim_natt(a), 1);
	ATF_CHECK_EQ(sim_natt(b), 2);
	ATF_CHECK_EQ(a->sa[0].sa.encap_sport != 0, 1);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
	ATF_CHECK_EQ(a->got_bad + b->got_bad, 0);
	/* keepalives: every 20 s at least, besides the checks */
	d = s->datagrams;
	sim_run(s, 200000);
	ATF_CHECK_MSG(s->datagrams - d >= 10, "%ju", (uintmax_t)(s->datagrams - d));
	/* and it is rekeyed through the NAT from either side */
	sim_cmd(b, CMD_REKEY, "a");
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 30), 0);
	sim_cmd(a, CMD_REKEY, "b");
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 30), 0);
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 1);
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	sim_free(s);
}

static int
count_checks(struct sim *s, struct node *from, struct packet *p)
{
	if (from == s->n[0] && p->len > 18 && p->p[18] == X_INFORMATIONAL)
		++*(int *)s->filter_arg;
	return (0);
}

/* Behind a NAT a silent peer is asked each 20 s, for it cannot call; else each minute. */
ATF_TC_WITHOUT_HEAD(nat_idle);
ATF_TC_BODY(nat_idle, tc)
{
	struct sim	*s = behind_nat(4);
	int		 n = 0;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 100);
	s->filter = count_checks;
	s->filter_arg = &n;
	sim_run(s, 65000);
	ATF_CHECK_MSG(n >= 3 && n <= 6, "%d", n);
	sim_free(s);
	s = sim_pair(4, "ondemand", "passive", "");
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 100);
	n = 0;
	s->filter = count_checks;
	s->filter_arg = &n;
	sim_run(s, 40000);
	ATF_CHECK_EQ(n, 0);
	sim_free(s);
}

/* The NAT forgets and gives another port: the kernel sees it first, or IKE does. */
ATF_TC_WITHOUT_HEAD(nat_moves);
ATF_TC_BODY(nat_moves, tc)
{
	struct sim	*s = behind_nat(2);
	struct node	*a = s->n[0], *b = s->n[1];
	struct show_tunnel t;
	struct endpoint	 e;

	ATF_REQUIRE(sim_up(a, "b"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 5), 0);
	a->nat_port[1] = 41234;
	e = sim_ep("192.0.2.1", 41234);
	ATF_REQUIRE(sim_tunnel(b, "a", &t));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 1), 1);
	engine_mapping(b->e, s->now, t.spi_in, &e);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
	/* now only IKE tells: the liveness check of the one whose replies stopped */
	a->nat_port[1] = 42345;
	ATF_CHECK(lost(s, "10.1.0.5", "10.2.0.7", 50) < 35);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
	ATF_CHECK(sim_logged(b, "the peer's NAT moved it from 192.0.2.1:41234 to "
	    "192.0.2.1:42345"));
	ATF_CHECK_EQ(sim_log_count(a, "down:"), 0);
	/* a datagram that is not authentic moves nothing */
	e = sim_ep("203.0.113.66", 4500);
	engine_datagram(b->e, s->now, &e, &e, 1, (const uint8_t *)"0123456789012345678901234567"
	    "89", 30);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 5), 0);
	sim_free(s);
}

/* `natt` by configuration: encapsulated though there is no NAT. */
ATF_TC_WITHOUT_HEAD(natt_forced);
ATF_TC_BODY(natt_forced, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "natt");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 100);
	ATF_CHECK(s->n[0]->sa[0].sa.encap_dport == 4500);
	ATF_CHECK(s->n[1]->sa[0].sa.encap_sport == 4500);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
	sim_free(s);
}

/* On one side only, whoever starts: both encapsulate. */
ATF_TC_WITHOUT_HEAD(natt_one_side);
ATF_TC_BODY(natt_one_side, tc)
{
	struct sim	*s;
	char		 text[2][512];
	int		 who;

	for (who = 0; who < 2; who++) {
		(void)snprintf(text[0], sizeof(text[0]), "ikev2 \"b\" ondemand esp from "
		    "10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 %s "
		    PSK, who == 0 ? "natt" : "");
		(void)snprintf(text[1], sizeof(text[1]), "ikev2 \"a\" passive esp from "
		    "10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 %s "
		    PSK, who == 1 ? "natt" : "");
		s = sim_new(300 + (uint64_t)who);
		(void)sim_node(s, "a", "192.0.2.1", text[0]);
		(void)sim_node(s, "b", "198.51.100.1", text[1]);
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_run(s, 100);
		ATF_CHECK_EQ(s->n[0]->sa[0].sa.encap_dport, 4500);
		ATF_CHECK_EQ(s->n[1]->sa[0].sa.encap_dport, 4500);
		ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
		sim_cmd(s->n[0], CMD_REKEY, "b");
		ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
		sim_cmd(s->n[1], CMD_REKEY, "a");
		ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 10), 0);
		ATF_CHECK_EQ(s->n[0]->got_bad + s->n[1]->got_bad, 0);
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		sim_free(s);
	}
}

/* The peer allows less: the Child is narrowed, and a packet outside of it is told. */
ATF_TC_WITHOUT_HEAD(narrowing);
ATF_TC_BODY(narrowing, tc)
{
	struct sim	*s = sim_new(4);
	struct node	*a, *b;

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from { 10.1.0.0/24, "
	    "10.9.0.0/24 } to 10.2.0.0/16 local 192.0.2.1 peer 198.51.100.1 " PSK);
	b = sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" esp from 10.2.0.0/24 to 10.1.0.0/24 "
	    "local 198.51.100.1 peer 192.0.2.1 " PSK);
	ATF_REQUIRE(sim_up(a, "b"));
	ATF_CHECK(sim_logged(a, "tunnel \"b\" up: 10.1.0.0/24 <-> 10.2.0.0/24 with"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	ATF_CHECK(!sim_ping(a, "10.9.0.5", "10.2.0.7"));
	sim_run(s, 1000);
	ATF_CHECK(sim_logged(b, "TS_UNACCEPTABLE") || sim_count(a, SHOWK_SA) == 1);
	ATF_CHECK(sim_is_up(a, "b"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	sim_free(s);
}

/* The peer has the nets in two statements: two Children, made as packets want. */
ATF_TC_WITHOUT_HEAD(two_children);
ATF_TC_BODY(two_children, tc)
{
	struct sim	*s = sim_new(5);
	struct node	*a, *b;

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from { 10.1.0.0/24, "
	    "10.9.0.0/24 } to 10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK);
	b = sim_node(s, "b", "198.51.100.1", "ikev2 \"a1\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
	    "ikev2 \"a2\" esp from 10.2.0.0/24 to 10.9.0.0/24 local 198.51.100.1 peer "
	    "192.0.2.1 " PSK);
	ATF_CHECK(lost(s, "10.1.0.5", "10.2.0.7", 5) < 3);
	a->larval = MONO_NONE;
	ATF_CHECK(lost(s, "10.9.0.5", "10.2.0.7", 5) < 3);
	ATF_CHECK(sim_is_up(b, "a1") && sim_is_up(b, "a2"));
	ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 2);
	ATF_CHECK_EQ(sim_established(a), 1);
	sim_run(s, 30000);
	ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 2);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	ATF_CHECK_EQ(lost(s, "10.9.0.5", "10.2.0.7", 3), 0);
	sim_free(s);
}

static const char hub_conf[] =
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"x\" esp from 10.2.0.0/24 to 10.8.0.0/24 local 198.51.100.1 peer 192.0.2.9 " PSK;

static const char hub_conf2[] =		/* "two" changed, "x" gone, another order */
    "ikev2 \"new\" esp from 10.4.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"two\" esp from 10.5.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;

static const char hub_conf3[] =		/* the same, and "one" is watched */
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 "
    "keepalive interval 5s " PSK
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"x\" esp from 10.2.0.0/24 to 10.8.0.0/24 local 198.51.100.1 peer 192.0.2.9 " PSK;

static struct sim *
hub(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "192.0.2.1",
	    "ikev2 \"one\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer "
	    "198.51.100.1 " PSK "ikev2 \"two\" active esp from 10.1.0.0/24 to 10.3.0.0/24 "
	    "local 192.0.2.1 peer 198.51.100.1 " PSK);
	(void)sim_node(s, "hub", "198.51.100.1", hub_conf);
	(void)sim_node(s, "x", "192.0.2.9", "ikev2 \"h\" active esp from 10.8.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.9 peer 198.51.100.1 " PSK);
	sim_run(s, 3000);
	return (s);
}

/* Tunnels to one peer share its IKE SA. */
ATF_TC_WITHOUT_HEAD(shared_ike);
ATF_TC_BODY(shared_ike, tc)
{
	struct sim	*s = hub(6);

	ATF_REQUIRE(sim_is_up(s->n[0], "one") && sim_is_up(s->n[0], "two"));
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	ATF_CHECK_EQ(sim_established(s->n[1]), 2);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.3.0.7", 3), 0);
	/* down takes one of them; the IKE SA stays for the other */
	sim_cmd(s->n[0], CMD_DOWN, "two");
	sim_run(s, 1000);
	ATF_CHECK(!sim_is_up(s->n[0], "two") && !sim_is_up(s->n[1], "two"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct sim	*s = hub(7);
	struct node	*h = s->n[1];
	struct show_tunnel before, after;

	ATF_REQUIRE(sim_is_up(h, "one") && sim_is_up(h, "two") && sim_is_up(h, "x"));
	ATF_REQUIRE(sim_tunnel(h, "one", &before));
	/* the same file changes nothing */
	sim_reload(h, hub_conf);
	sim_run(s, 2000);
	ATF_CHECK(sim_is_up(h, "one") && sim_is_up(h, "two") && sim_is_up(h, "x"));
	ATF_CHECK(sim_tunnel(h, "one", &after) && after.spi_in == before.spi_in);
	ATF_CHECK_EQ(sim_log_count(h, "down:"), 0);
	/* nor does keepalive, which is netwatchd's; show says it at once */
	sim_reload(h, hub_conf3);
	sim_run(s, 2000);
	ATF_CHECK(sim_tunnel(h, "one", &after) && after.spi_in == before.spi_in);
	ATF_CHECK(after.state == SHOW_UP && after.keepalive);
	ATF_CHECK_EQ(sim_log_count(h, "down:"), 0);
	sim_reload(h, hub_conf2);
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 20), 0);
	ATF_CHECK(sim_tunnel(h, "one", &after) && after.spi_in == before.spi_in);
	ATF_CHECK(after.state == SHOW_UP);
	ATF_CHECK(!sim_tunnel(h, "x", &after));
	ATF_CHECK(!sim_is_up(h, "two"));
	ATF_CHECK(!sim_is_up(s->n[2], "h"));
	/* one IKE SA with a, none with x */
	ATF_CHECK_EQ(sim_established(h), 1);
	ATF_CHECK(sim_agree(h));
	ATF_CHECK_EQ(sim_kernel_count(h), 2);
	sim_cmd(s->n[0], CMD_REKEY, "one");
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 20), 0);
	/* and back */
	sim_reload(h, hub_conf);
	sim_run(s, 40000);
	ATF_CHECK(sim_is_up(h, "one") && sim_is_up(h, "two") && sim_is_up(h, "x"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.3.0.7", 3), 0);
	sim_free(s);
}

/* A reload in the middle of each step of a handshake and of a rekey. */
ATF_TC_WITHOUT_HEAD(reload_any_time);
ATF_TC_BODY(reload_any_time, tc)
{
	struct sim	*s;
	int		 ms, who;

	for (ms = 0; ms < 60; ms += 2)
		for (who = 0; who < 2; who++) {
			s = hub(1000 + (uint64_t)ms);
			sim_cmd(s->n[0], CMD_REKEY, "one");
			sim_cmd(s->n[1], CMD_REKEY, "two");
			sim_run(s, ms);
			sim_reload(s->n[1], who ? hub_conf2 : hub_conf);
			sim_cmd(s->n[0], CMD_DOWN, "two");
			sim_run(s, ms);
			sim_reload(s->n[1], hub_conf);
			sim_cmd(s->n[0], CMD_UP, "two");
			sim_run(s, 70000);
			ATF_CHECK_MSG(sim_is_up(s->n[1], "one"), "%d ms", ms);
			ATF_CHECK_MSG(sim_is_up(s->n[1], "two"), "%d ms", ms);
			ATF_CHECK_MSG(sim_is_up(s->n[1], "x"), "%d ms", ms);
			ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 3);
			ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
			ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 2), 0);
			ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.3.0.7", 2), 0);
			sim_free(s);
		}
}

/* A mobile peer: any address, known by its identity. */
ATF_TC_WITHOUT_HEAD(peer_any);
ATF_TC_BODY(peer_any, tc)
{
	struct sim	*s = sim_new(8);
	struct node	*a, *b;
	struct show_tunnel t;
	const char	*why;

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 srcid road.example " PSK);
	b = sim_node(s, "b", "198.51.100.1", "ikev2 \"fixed\" esp from 10.2.0.0/24 to "
	    "10.7.0.0/24 local 198.51.100.1 peer 192.0.2.77 psk \"quite another secret here\"\n"
	    "ikev2 \"road\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer any "
	    "dstid road.example " PSK);
	ATF_REQUIRE(sim_up(a, "b"));
	ATF_CHECK(sim_is_up(b, "road"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 3), 0);
	ATF_CHECK(sim_tunnel(b, "road", &t));
	ATF_CHECK_EQ(t.wake, WAKE_PEER);
	ATF_CHECK_EQ(engine_command(b->e, s->now, CMD_UP, "road", WAKE_COMMAND, &why), -1);
	ATF_CHECK(why != NULL);
	ATF_CHECK_EQ(engine_command(b->e, s->now, CMD_UP, "none", WAKE_COMMAND, &why), -1);
	sim_free(s);
}

/* Who is passive never starts, whatever asks. */
ATF_TC_WITHOUT_HEAD(passive);
ATF_TC_BODY(passive, tc)
{
	struct sim	*s = sim_pair(9, "passive", "passive", "");
	const char	*why;

	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 120000, 1000);
	ATF_CHECK_EQ(engine_command(s->n[0]->e, s->now, CMD_UP, "b", WAKE_COMMAND, &why), -1);
	sim_run(s, 1000);
	ATF_CHECK_EQ(s->datagrams, 0);
	/* each acquire was answered, so that the kernel may ask again */
	ATF_CHECK_EQ(s->n[0]->larval.us, 0);
	ATF_CHECK(s->n[0]->acquires >= 100);
	sim_free(s);
}

/* Counters as netwatchd asks for them. */
ATF_TC_WITHOUT_HEAD(counters);
ATF_TC_BODY(counters, tc)
{
	struct sim	*s = sim_pair(10, "ondemand", "passive", "");
	struct node	*a = s->n[0];

	engine_counters(a->e, s->now, 41, "b");
	ATF_CHECK_EQ(a->counters_token, 41);
	ATF_CHECK(a->counters.err != 0);
	ATF_REQUIRE(sim_up(a, "b"));
	ATF_CHECK_EQ(lost(s, "10.1.0.5", "10.2.0.7", 7), 0);
	engine_counters(a->e, s->now, 42, "b");
	sim_run(s, 5);
	ATF_CHECK_EQ(a->counters_token, 42);
	ATF_CHECK_EQ(a->counters.err, 0);
	ATF_CHECK_EQ(a->counters.packets_out, 7);
	ATF_CHECK_EQ(a->counters.packets_in, 7);
	ATF_CHECK_EQ(a->counters.spi_in != 0, 1);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, nat);
	ATF_TP_ADD_TC(tp, nat_moves);
	ATF_TP_ADD_TC(tp, nat_idle);
	ATF_TP_ADD_TC(tp, natt_forced);
	ATF_TP_ADD_TC(tp, natt_one_side);
	ATF_TP_ADD_TC(tp, narrowing);
	ATF_TP_ADD_TC(tp, two_children);
	ATF_TP_ADD_TC(tp, shared_ike);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, reload_any_time);
	ATF_TP_ADD_TC(tp, peer_any);
	ATF_TP_ADD_TC(tp, passive);
	ATF_TP_ADD_TC(tp, counters);
	return (atf_no_error());
}
