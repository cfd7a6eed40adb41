/* SPDX-License-Identifier: ISC */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "mobike.h"

static void
up(struct sim *s, const char *tunnel)
{
	ATF_REQUIRE(sim_up(s->n[0], tunnel));
	ATF_REQUIRE_EQ(mob_lost(s->n[0], 20), 0);
	sim_run(s, 12000);
}

struct sim *
mob_pair(uint64_t seed, const char *alocal, const char *extra)
{
	struct sim	*s = sim_new(seed);
	char		 text[2][512];

	(void)snprintf(text[0], sizeof(text[0]), "ikev2 \"b\" ondemand esp from 10.1.0.0/24 "
	    "to 10.2.0.0/24 %s peer 198.51.100.1 srcid a.example dstid b.example %s " PSK,
	    alocal, extra);
	(void)snprintf(text[1], sizeof(text[1]), "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 peer any srcid b.example dstid a.example %s " PSK, extra);
	(void)sim_node(s, "a", "192.0.2.1", text[0]);
	(void)sim_node(s, "b", "198.51.100.1", text[1]);
	up(s, "b");
	return (s);
}

struct sim *
mob_pair6(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "2001:db8:1::1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 "
	    "to 10.2.0.0/24 peer 2001:db8:2::1 srcid a.example dstid b.example " PSK);
	(void)sim_node(s, "b", "2001:db8:2::1", "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 peer any srcid b.example dstid a.example " PSK);
	up(s, "b");
	return (s);
}

struct sim *
mob_many(uint64_t seed, int n)
{
	struct sim	*s = sim_new(seed);
	char		 text[2][8192];
	size_t		 k[2] = { 0, 0 };
	int		 i;

	for (i = 0; i < n; i++) {
		k[0] += (size_t)snprintf(text[0] + k[0], sizeof(text[0]) - k[0],
		    "ikev2 \"b%d\" active esp from 10.1.%d.0/24 to 10.2.0.0/24 peer "
		    "198.51.100.1 srcid a.example dstid b.example " PSK, i, i);
		k[1] += (size_t)snprintf(text[1] + k[1], sizeof(text[1]) - k[1],
		    "ikev2 \"a%d\" esp from 10.2.0.0/24 to 10.1.%d.0/24 peer any "
		    "srcid b.example dstid a.example " PSK, i, i);
	}
	(void)sim_node(s, "a", "192.0.2.1", text[0]);
	(void)sim_node(s, "b", "198.51.100.1", text[1]);
	sim_run(s, 15000);
	return (s);
}

uint64_t
mob_lost(struct node *n, int pings)
{
	uint64_t	got = n->got;

	sim_traffic(n, SRC, DST, pings * 100, 100);
	sim_run(n->sim, 100);
	got = n->got - got;
	return (got > (uint64_t)pings ? 0 : (uint64_t)pings - got);
}

void
mob_calm(struct sim *s)
{
	struct node	*a = s->n[0], *b = s->n[1];

	sim_traffic(a, SRC, DST, 20000, 500);
	sim_run(s, 20000);
	ATF_CHECK_EQ(mob_lost(a, 20), 0);
	sim_traffic(b, DST, SRC, 1000, 100);
	ATF_CHECK_EQ(mob_lost(a, 10), 0);
	ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_count(b, SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_kernel_count(a), 2);
	ATF_CHECK_EQ(sim_kernel_count(b), 2);
	ATF_CHECK_EQ(sim_established(a), 1);
	ATF_CHECK_EQ(sim_established(b), 1);
	ATF_CHECK(sim_mirror(a, b, "b", "a"));
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	ATF_CHECK_EQ(a->replayed + b->replayed, 0);
	ATF_CHECK_EQ(sim_log_count(a, "refuses") + sim_log_count(b, "refuses"), 0);
}

void
mob_settled(struct sim *s)
{
	mob_calm(s);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "down:"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "given up"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "given up"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "lifetime is over"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "lifetime is over"), 0);
}
