/* SPDX-License-Identifier: ISC */
/*
 * Two IKE SAs with one peer, each with a Child that the other does not have: in the end
 * there is one, and no packet is lost on the way there.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define PSK "psk \"a secret that is long enough\"\n"
#define A1 "10.1.0.5"
#define B1 "10.2.0.7"
#define B2 "10.3.0.7"

static const char *const conf_a =
    "ikev2 \"1\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 " PSK
    "ikev2 \"2\" ondemand esp from 10.1.0.0/24 to 10.3.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 " PSK;
static const char *const conf_b =
    "ikev2 \"1\" ondemand esp from 10.2.0.0/24 to 10.1.0.0/24 "
    "local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"2\" ondemand esp from 10.3.0.0/24 to 10.1.0.0/24 "
    "local 198.51.100.1 peer 192.0.2.1 " PSK;

/* One side has begun with the first tunnel, and then the other one with the second, as if
 * it knew nothing of that: as starts cross. */
static struct sim *
two_of_them(uint64_t seed, int ms, int later)
{
	struct sim	*s = sim_new(seed);
	struct world	*w;
	int		 who = (int)(seed & 1);

	s->delay_us = ms * 1000;
	(void)sim_node(s, "a", "192.0.2.1", conf_a);
	(void)sim_node(s, "b", "198.51.100.1", conf_b);
	ATF_REQUIRE(sim_up(s->n[who], "1"));
	sim_run(s, 1000 + later);
	w = &s->n[!who]->e->w;
	w->now = s->now;
	w->peers[0].sent_ic = 1;
	ATF_REQUIRE_EQ(sa_init_start(w, (uint32_t)tunnel_byname(w, "2")), 0);
	engine_settle(s->n[!who]->e);
	sim_run(s, 4 * ms + 10);
	ATF_REQUIRE_EQ(sim_established(s->n[0]), 2);
	ATF_REQUIRE_EQ(sim_established(s->n[1]), 2);
	ATF_REQUIRE_EQ(sim_count(s->n[0], SHOWK_SA), 2);
	ATF_REQUIRE_EQ(sim_count(s->n[1], SHOWK_SA), 2);
	return (s);
}

static void
talk(struct sim *s, int ms)
{
	int	t;

	for (t = 0; t < ms; t += 50) {
		(void)sim_ping(s->n[0], A1, B1);
		(void)sim_ping(s->n[0], A1, B2);
		(void)sim_ping(s->n[1], B1, A1);
		(void)sim_ping(s->n[1], B2, A1);
		sim_run(s, 50);
	}
}

static void
one_ike(struct sim *s, const char *what, int n)
{
	int	i;

	for (i = 0; i < 2; i++) {
		ATF_CHECK_EQ_MSG(sim_established(s->n[i]), 1, "%s %d: %d IKE SAs", what, n,
		    sim_established(s->n[i]));
		ATF_CHECK_EQ_MSG(sim_count(s->n[i], SHOWK_SA), 2, "%s %d: %d Children", what,
		    n, sim_count(s->n[i], SHOWK_SA));
		ATF_CHECK_EQ(sim_kernel_count(s->n[i]), 4);
		ATF_CHECK_EQ_MSG(sim_log_count(s->n[i], "down:"), 0, "%s %d", what, n);
		ATF_CHECK(sim_agree(s->n[i]));
	}
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "1", "1"));
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "2", "2"));
}

ATF_TC_WITHOUT_HEAD(merged);
ATF_TC_BODY(merged, tc)
{
	static const int	 ms[] = { 1, 20, 60, 400 };
	struct sim		*s;
	int			 i, seed;

	for (i = 0; i < 4; i++)
		for (seed = 0; seed < 5; seed++) {
			s = two_of_them(10 + (uint64_t)seed, ms[i], seed / 2 * 50000);
			sim_run(s, 4 * ms[i]);
			s->n[0]->got = s->n[1]->got = 0;
			talk(s, 30000);
			sim_run(s, 2000);
			ATF_CHECK_EQ_MSG(s->n[0]->got + s->n[1]->got, 600 * 8,
			    "%d ms: %ju packets", ms[i],
			    (uintmax_t)(s->n[0]->got + s->n[1]->got));
			one_ike(s, "one way", ms[i]);
			sim_free(s);
		}
}

/* The Children are rekeyed, and so are the IKE SAs, while they move. */
ATF_TC_WITHOUT_HEAD(merged_rekeying);
ATF_TC_BODY(merged_rekeying, tc)
{
	struct sim	*s;
	int		 i, k;

	for (i = 0; i < 24; i++) {
		s = two_of_them(40 + (uint64_t)i, 20, 0);
		sim_run(s, 1100 + i * 30);
		for (k = 0; k < 2; k++) {
			sim_cmd(s->n[k], i & 1 ? CMD_REKEY : CMD_REKEY_IKE, "1");
			sim_cmd(s->n[k], i & 2 ? CMD_REKEY : CMD_REKEY_IKE, "2");
		}
		talk(s, 90000);
		one_ike(s, "rekeyed", i);
		sim_free(s);
	}
}

/* One side cannot make a Child for a while: all stays where it is, and carries on. */
ATF_TC_WITHOUT_HEAD(not_now);
ATF_TC_BODY(not_now, tc)
{
	struct kern_caps caps;
	struct sim	*s;
	int		 i;

	for (i = 0; i < 4; i++) {
		s = two_of_them(70 + (uint64_t)i, 20, 0);
		s->n[0]->got = s->n[1]->got = 0;
		caps = s->n[i / 2]->e->w.caps;
		memset(&s->n[i / 2]->e->w.caps, 0, sizeof(caps));
		talk(s, 20000);
		sim_run(s, 200);
		ATF_CHECK_EQ(s->n[0]->got + s->n[1]->got, 400 * 8);
		ATF_CHECK_EQ(sim_established(s->n[0]), 2);
		s->n[i / 2]->e->w.caps = caps;
		talk(s, 60000);
		one_ike(s, "refused", i);
		sim_free(s);
	}
}

/* Whose are the SAs that another engine takes over? */
ATF_TC_WITHOUT_HEAD(taken_over);
ATF_TC_BODY(taken_over, tc)
{
	struct sim	*s;
	int		 i;

	for (i = 0; i < 12; i++) {
		s = two_of_them(80 + (uint64_t)i / 2, 20, 0);
		sim_run(s, i / 2 * 300);
		ATF_CHECK(sim_transfer(s->n[i & 1], i & 1 ? conf_b : conf_a) > 0);
		talk(s, 60000);
		one_ike(s, "taken over", i);
		sim_free(s);
	}
}

/* One identity on two machines: that are two peers. */
ATF_TC_WITHOUT_HEAD(two_machines);
ATF_TC_BODY(two_machines, tc)
{
	struct sim	*s = sim_new(99);
	char		 text[512], name[8], addr[32];
	int		 i;

	(void)sim_node(s, "hub", "198.51.100.1", "ikev2 \"h\" passive esp from 10.2.0.0/24 to "
	    "10.0.0.0/8 local 198.51.100.1 peer any srcid hub.example dstid w.example " PSK);
	for (i = 1; i < 3; i++) {
		(void)snprintf(text, sizeof(text), "ikev2 \"h\" active esp from 10.1.%d.0/24 "
		    "to 10.2.0.0/24 local 192.0.2.%d peer 198.51.100.1 srcid w.example "
		    "dstid hub.example " PSK, i, i);
		(void)snprintf(name, sizeof(name), "w%d", i);
		(void)snprintf(addr, sizeof(addr), "192.0.2.%d", i);
		(void)sim_node(s, name, addr, text);
	}
	sim_run(s, 60000);
	ATF_CHECK_EQ(sim_established(s->n[0]), 2);
	ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 2);
	for (i = 1; i < 3; i++) {
		ATF_CHECK_EQ(sim_established(s->n[i]), 1);
		ATF_CHECK_EQ(sim_log_count(s->n[i], "down:"), 0);
	}
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, merged);
	ATF_TP_ADD_TC(tp, merged_rekeying);
	ATF_TP_ADD_TC(tp, not_now);
	ATF_TP_ADD_TC(tp, taken_over);
	ATF_TP_ADD_TC(tp, two_machines);
	return (atf_no_error());
}
