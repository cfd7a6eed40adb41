/* SPDX-License-Identifier: ISC */
/*
 * The NAT of a peer without MOBIKE moves it.  The simulated kernel counts sequence numbers, has a replay
 * window and takes no key twice: what would repeat a nonce shows.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define SRC "10.1.0.5"
#define DST "10.2.0.7"
#define PSK "psk \"a secret that is long enough\"\n"

static uint64_t
lost(struct node *n, int pings)
{
	uint64_t	got = n->got;

	sim_traffic(n, SRC, DST, pings * 100, 100);
	sim_run(n->sim, 100);
	return ((uint64_t)pings - (n->got - got));
}

static struct sim *
behind_nat(uint64_t seed, const char *bmode)
{
	struct sim	*s = sim_new(seed);
	char		 text[512];

	sim_nat(sim_node(s, "a", "192.168.7.2", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 "
	    "to 10.2.0.0/24 local 192.168.7.2 peer 198.51.100.1 srcid a.example dstid "
	    "b.example " PSK), "192.0.2.1");
	(void)snprintf(text, sizeof(text), "set nomobike\nikev2 \"a\" %s esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer any srcid b.example dstid a.example " PSK,
	    bmode);
	(void)sim_node(s, "b", "198.51.100.1", text);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE_EQ(lost(s->n[0], 30), 0);
	return (s);
}

static uint32_t
spi_out(struct node *n, const char *tunnel)
{
	struct show_tunnel	t;

	ATF_REQUIRE(sim_tunnel(n, tunnel, &t));
	return (t.spi_out);
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

static void
one_child(struct sim *s)
{
	ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	ATF_CHECK_EQ(s->n[0]->replayed + s->n[1]->replayed, 0);
	ATF_CHECK(!strstr(s->n[0]->log, "refuses"));
	ATF_CHECK(!strstr(s->n[1]->log, "refuses"));
}

/* Another port: the same SAs, and their numbers go on. */
ATF_TC_WITHOUT_HEAD(port);
ATF_TC_BODY(port, tc)
{
	struct sim	*s = behind_nat(1, "");
	struct node	*a = s->n[0], *b = s->n[1];
	uint32_t	 spi = spi_out(b, "a");

	a->nat_port[1] = 41234;
	mapping(b, "192.0.2.1", 41234);
	ATF_CHECK_EQ(lost(a, 30), 0);
	ATF_CHECK_EQ(spi_out(b, "a"), spi);
	one_child(s);
	sim_free(s);
}

/* Another address: a new Child with new keys on the same IKE SA, at once. */
static void
moves(uint64_t seed, const char *bmode, int told)
{
	struct sim	*s = behind_nat(seed, bmode);
	struct node	*a = s->n[0], *b = s->n[1];
	uint32_t	 spi = spi_out(b, "a");
	struct show_stats st;

	(void)addr_parse(&a->nat_addr, "192.0.2.99");
	if (told) {
		mapping(b, "192.0.2.99", a->nat_port[1]);
		ATF_CHECK_MSG(lost(a, 10) <= 1, "told");
	} else {
		/* a's own check, when its replies stay away, is the first b hears */
		ATF_CHECK(lost(a, 50) < 35);
		ATF_CHECK(sim_logged(b, "the peer's NAT moved it from 192.0.2.1:"));
	}
	ATF_CHECK_EQ(lost(a, 50), 0);
	ATF_CHECK(spi_out(b, "a") != spi);
	sim_run(s, 15000);
	ATF_CHECK_EQ(lost(a, 10), 0);
	one_child(s);
	ATF_CHECK_EQ(sim_log_count(a, "down:") + sim_log_count(b, "down:"), 0);
	sim_stats(b, &st);
	ATF_CHECK_EQ(st.ike_up, 1);
	ATF_CHECK_EQ(st.rekeys, 1);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(address);
ATF_TC_BODY(address, tc)
{
	moves(2, "", 1);
	moves(3, "passive", 1);
	moves(4, "", 0);
	moves(5, "passive", 0);
}

/* While a rekey of either side is at each of its steps. */
ATF_TC_WITHOUT_HEAD(address_and_rekey);
ATF_TC_BODY(address_and_rekey, tc)
{
	struct sim	*s;
	struct node	*a, *b;
	int		 ms, who;

	for (who = 0; who < 2; who++)
		for (ms = 0; ms < 60; ms += 3) {
			s = behind_nat(100 + (uint64_t)ms, "passive");
			a = s->n[0];
			b = s->n[1];
			sim_cmd(s->n[who], CMD_REKEY, who ? "a" : "b");
			sim_run(s, ms);
			(void)addr_parse(&a->nat_addr, "192.0.2.99");
			sim_run(s, 11);
			mapping(b, "192.0.2.99", a->nat_port[1]);
			ATF_CHECK_MSG(lost(a, 150) < 50, "%d at %d ms", who, ms);
			ATF_CHECK_EQ_MSG(lost(a, 10), 0, "%d at %d ms", who, ms);
			one_child(s);
			sim_free(s);
		}
}

/* Nothing comes of it for ten seconds: the tunnel is not "up" into nothing. */
static int
no_rekey(struct sim *s, struct node *from, struct packet *p)
{
	(void)s;
	return (from == s->n[1] && p->len > 28 && p->p[18] == X_CREATE_CHILD_SA);
}

ATF_TC_WITHOUT_HEAD(address_and_silence);
ATF_TC_BODY(address_and_silence, tc)
{
	struct sim	*s = behind_nat(6, "passive");
	struct node	*a = s->n[0], *b = s->n[1];

	s->filter = no_rekey;
	(void)addr_parse(&a->nat_addr, "192.0.2.99");
	mapping(b, "192.0.2.99", a->nat_port[1]);
	ATF_CHECK_EQ(sim_kernel_count(b), 0);
	sim_run(s, 11000);
	ATF_CHECK(!sim_is_up(b, "a"));
	s->filter = NULL;
	sim_run(s, 20000);
	ATF_CHECK(lost(a, 50) < 40);
	ATF_CHECK_EQ(lost(a, 10), 0);
	sim_run(s, 10000);
	one_child(s);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, port);
	ATF_TP_ADD_TC(tp, address);
	ATF_TP_ADD_TC(tp, address_and_rekey);
	ATF_TP_ADD_TC(tp, address_and_silence);
	return (atf_no_error());
}
