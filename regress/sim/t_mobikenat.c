/* SPDX-License-Identifier: ISC */
/* NATs and MOBIKE (RFC 4555 3.8, RFC 7296 2.23, RFC 3948): at either end, at both, that
 * come, go and change their minds. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "mobike.h"

#define ID "srcid a.example dstid b.example "

/* 1: ESP of the first SA in n's kernel goes in UDP. */
static int
encap(struct node *n)
{
	int	i;

	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used)
			return (n->sa[i].sa.encap_dport != 0);
	return (-1);
}

/* a behind a NAT; what: words of a's tunnel. */
static struct sim *
a_behind(uint64_t seed, const char *what)
{
	struct sim	*s = sim_new(seed);
	char		 text[512];

	(void)snprintf(text, sizeof(text), "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 %s peer 198.51.100.1 " ID PSK, what);
	sim_nat(sim_node(s, "a", "192.168.7.2", text), "192.0.2.1");
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer any srcid b.example dstid a.example " PSK);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE_EQ(mob_lost(s->n[0], 20), 0);
	ATF_REQUIRE_EQ(encap(s->n[0]), 1);
	ATF_REQUIRE_EQ(sim_natt(s->n[0]), 1);
	ATF_REQUIRE_EQ(sim_natt(s->n[1]), 2);
	sim_run(s, 12000);
	return (s);
}

/* As the kernel tells it, after a good ESP packet from there. */
static void
mapping(struct node *n, const char *addr, uint16_t port)
{
	struct show_tunnel	t;
	struct endpoint		e = sim_ep(addr, port);

	ATF_REQUIRE(sim_tunnel(n, "a", &t));
	engine_mapping(n->e, n->sim->now, t.spi_in, &e);
}

/* The NAT gives another port or address; b's kernel tells of it, or nobody does. */
static void
remap(uint64_t seed, const char *addr, int told, const char *what)
{
	struct sim	*s = a_behind(seed, what);
	struct node	*a = s->n[0], *b = s->n[1];

	ATF_REQUIRE_EQ(mob_lost(a, 5), 0);
	a->nat_port[1] = (uint16_t)(a->nat_port[1] + 1);
	(void)addr_parse(&a->nat_addr, addr);
	if (told) {
		mapping(b, addr, a->nat_port[1]);
		ATF_CHECK_MSG(mob_lost(a, 20) <= 5, "%s", addr);
	} else
		ATF_CHECK_MSG(mob_lost(a, 80) < 60, "%s", addr);
	ATF_CHECK(sim_logged(a, "our NAT has given us another address or port") ||
	    sim_log_count(b, "the peer moved from 192.0.2.1") > 0);
	ATF_CHECK(sim_logged(b, "the peer moved from 192.0.2.1:"));
	ATF_CHECK_EQ(sim_log_count(b, "the peer's NAT moved it"), 0);
	mob_settled(s);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(mapping);
ATF_TC_BODY(mapping, tc)
{
	int	told;

	for (told = 0; told < 2; told++) {
		remap(1, "192.0.2.1", told, "");
		remap(2, "192.0.2.99", told, "");
		remap(3, "192.0.2.99", told, "local 192.168.7.2");
		remap(4, "192.0.2.1", told, "natt");
	}
}

/* Twice before anything is said, and while the SA is rekeyed. */
ATF_TC_WITHOUT_HEAD(mapping_again);
ATF_TC_BODY(mapping_again, tc)
{
	struct sim	*s;
	struct node	*a, *b;
	int		 ms;

	for (ms = 0; ms < 60; ms += 5) {
		s = a_behind(50 + (uint64_t)ms, "");
		a = s->n[0];
		b = s->n[1];
		sim_cmd(s->n[ms % 2], CMD_REKEY, ms % 2 ? "a" : "b");
		sim_run(s, ms);
		a->nat_port[1] = 41000;
		mapping(b, "192.0.2.1", 41000);
		sim_run(s, ms);
		(void)addr_parse(&a->nat_addr, "192.0.2.99");
		mapping(b, "192.0.2.99", 41000);
		sim_run(s, ms);
		a->nat_port[1] = 42000;
		ATF_CHECK_MSG(mob_lost(a, 80) < 60, "%d ms", ms);
		mob_settled(s);
		sim_free(s);
	}
}

/* From a network without NAT to one with a NAT, and back: encapsulation and keepalives
 * come and go. */
ATF_TC_WITHOUT_HEAD(comes_and_goes);
ATF_TC_BODY(comes_and_goes, tc)
{
	struct sim	*s = mob_pair(10, "", "");
	struct node	*a = s->n[0], *b = s->n[1];
	uint64_t	 d;

	ATF_CHECK_EQ(encap(a), 0);
	sim_nat(a, "203.0.113.1");
	sim_move(a, "192.168.9.9", 0);
	ATF_CHECK(mob_lost(a, 20) <= 2);
	ATF_CHECK_EQ(encap(a), 1);
	ATF_CHECK_EQ(encap(b), 1);
	ATF_CHECK_EQ(sim_natt(a), 1);
	ATF_CHECK_EQ(sim_natt(b), 2);
	mob_settled(s);
	d = s->datagrams;
	sim_run(s, 50000);
	ATF_CHECK(s->datagrams - d >= 2);
	a->nat_off = 1;
	sim_move(a, "192.0.2.1", 0);
	ATF_CHECK(mob_lost(a, 20) <= 2);
	ATF_CHECK_EQ(encap(a), 0);
	ATF_CHECK_EQ(encap(b), 0);
	ATF_CHECK_EQ(sim_natt(a) + sim_natt(b), 0);
	mob_settled(s);
	/* nobody is behind a NAT: no keepalives; nor yet a question to an idle peer */
	d = s->datagrams;
	sim_run(s, 40000);
	ATF_CHECK_EQ(s->datagrams - d, 0);
	sim_free(s);
}

/* Keepalives: only who is behind the NAT sends them, each 20 s at most. */
static uint64_t	alive[2];

static int
count_alive(struct sim *s, struct node *from, struct packet *p)
{
	if (p->len == 1)
		alive[from == s->n[1]]++;
	return (0);
}

ATF_TC_WITHOUT_HEAD(keepalives);
ATF_TC_BODY(keepalives, tc)
{
	struct sim	*s = a_behind(11, "");

	alive[0] = alive[1] = 0;
	s->filter = count_alive;
	sim_run(s, 200000);
	ATF_CHECK_MSG(alive[0] >= 10 && alive[0] <= 12, "%ju", (uintmax_t)alive[0]);
	ATF_CHECK_EQ(alive[1], 0);
	sim_free(s);
}

/* b behind a NAT that lets 500 and 4500 in: a calls the outside address. */
static struct sim *
b_behind(uint64_t seed, int both, const char *bid, const char *aid)
{
	struct sim	*s = sim_new(seed);
	char		 text[512];
	struct node	*a, *b;

	(void)snprintf(text, sizeof(text), "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 peer 198.51.100.1 %s " PSK, aid);
	a = sim_node(s, "a", both ? "192.168.7.2" : "192.0.2.1", text);
	if (both)
		sim_nat(a, "192.0.2.1");
	(void)snprintf(text, sizeof(text), "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 192.168.1.2 peer %s %s " PSK, both ? "any" : "192.0.2.1", bid);
	b = sim_node(s, "b", "192.168.1.2", text);
	sim_nat(b, "198.51.100.1");
	b->nat_port[0] = 500;
	b->nat_port[1] = 4500;
	return (s);
}

ATF_TC_WITHOUT_HEAD(responder);
ATF_TC_BODY(responder, tc)
{
	struct sim	*s;
	int		 both;

	for (both = 0; both < 2; both++) {
		s = b_behind(20 + (uint64_t)both, both, "srcid b.example dstid a.example",
		    "srcid a.example dstid b.example");
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		ATF_CHECK_EQ(mob_lost(s->n[0], 20), 0);
		ATF_CHECK_EQ(encap(s->n[0]), 1);
		ATF_CHECK_EQ(encap(s->n[1]), 1);
		ATF_CHECK_EQ(sim_natt(s->n[0]), both ? 3 : 2);
		ATF_CHECK_EQ(sim_natt(s->n[1]), both ? 3 : 1);
		sim_cmd(s->n[1], CMD_REKEY, "a");
		mob_settled(s);
		/* and a moves */
		s->n[0]->nat_off = 1;
		sim_move(s->n[0], "203.0.113.9", 0);
		if (both)
			ATF_CHECK(mob_lost(s->n[0], 20) <= 2);
		else
			ATF_CHECK(mob_lost(s->n[0], 20) <= 2);
		mob_settled(s);
		ATF_CHECK_EQ(sim_natt(s->n[0]), 2);
		sim_free(s);
	}
}

/* Without identities the addresses stand in: b's is not the one that a calls. */
ATF_TC_WITHOUT_HEAD(identities);
ATF_TC_BODY(identities, tc)
{
	struct sim	*s = b_behind(30, 0, "", "");

	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[1], "it wants to talk to IPV4/198.51.100.1, we are "
	    "192.168.1.2: set its dstid or our srcid"));
	sim_free(s);
	s = b_behind(31, 0, "srcid 198.51.100.1", "");
	ATF_CHECK(sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(mob_lost(s->n[0], 5), 0);
	sim_free(s);
}

/* All of it with a bad network. */
ATF_TC_WITHOUT_HEAD(loss);
ATF_TC_BODY(loss, tc)
{
	struct sim	*s;
	struct node	*a;
	uint64_t	 seed, before;
	int		 i;

	for (seed = 0; seed < 30; seed++) {
		s = a_behind(3000 + seed, seed % 3 == 1 ? "natt" : "");
		a = s->n[0];
		s->loss = s->dup = 150;
		s->jitter_us = 20000;
		for (i = 0; i < 5; i++) {
			before = a->got;
			a->nat_port[1]++;
			if (i % 2 == 1)
				a->nat_addr.b[3]++;
			if (i == 3)
				sim_move(a, "192.168.7.3", 0);
			if (seed % 2 == 0)
				engine_mapping(s->n[1]->e, s->now, s->n[1]->sa[0].sa.spi,
				    &(struct endpoint){ a->nat_addr, a->nat_port[1] });
			sim_traffic(a, SRC, DST, 15000, 100);
			ATF_CHECK_MSG(a->got > before + 5, "%ju: %d", (uintmax_t)seed, i);
		}
		s->loss = s->dup = 0;
		s->jitter_us = 0;
		mob_calm(s);
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mapping);
	ATF_TP_ADD_TC(tp, mapping_again);
	ATF_TP_ADD_TC(tp, comes_and_goes);
	ATF_TP_ADD_TC(tp, keepalives);
	ATF_TP_ADD_TC(tp, responder);
	ATF_TP_ADD_TC(tp, identities);
	ATF_TP_ADD_TC(tp, loss);
	return (atf_no_error());
}
