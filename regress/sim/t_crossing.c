/* SPDX-License-Identifier: ISC */
/*
 * Crossing streams: both ends want the same and begin at the same time, or one of them
 * begins again while the other is in the middle.  In the end there is one of everything.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

static void
one_of_each(struct sim *s, const char *what, int n)
{
	struct node	*a = s->n[0], *b = s->n[1];

	ATF_CHECK_MSG(sim_is_up(a, "b") && sim_is_up(b, "a"), "%s %d: down", what, n);
	ATF_CHECK_MSG(sim_count(a, SHOWK_SA) == 1 && sim_count(b, SHOWK_SA) == 1,
	    "%s %d: %d and %d Children", what, n, sim_count(a, SHOWK_SA),
	    sim_count(b, SHOWK_SA));
	ATF_CHECK_MSG(sim_count(a, SHOWK_PEER) == 1 && sim_count(b, SHOWK_PEER) == 1,
	    "%s %d: %d and %d IKE SAs", what, n, sim_count(a, SHOWK_PEER),
	    sim_count(b, SHOWK_PEER));
	ATF_CHECK_MSG(sim_mirror(a, b, "b", "a"), "%s %d", what, n);
	ATF_CHECK(sim_agree(a) && sim_agree(b));
}

/* Both permanent, started together, over near and far ways. */
ATF_TC_WITHOUT_HEAD(boot_together);
ATF_TC_BODY(boot_together, tc)
{
	static const int	 ms[] = { 0, 1, 10, 60, 300 };
	struct sim		*s;
	int			 i, seed;

	for (i = 0; i < 5; i++)
		for (seed = 0; seed < 8; seed++) {
			s = sim_pair(3000 + (uint64_t)seed, "active", "active", "");
			s->delay_us = ms[i] * 1000;
			sim_run(s, 90000);
			one_of_each(s, "booted over ms", ms[i]);
			sim_free(s);
		}
}

/* Several packets of several hosts on both sides at once. */
ATF_TC_WITHOUT_HEAD(multiple_acquires);
ATF_TC_BODY(multiple_acquires, tc)
{
	struct sim	*s;
	char		 src[32];
	int		 i, seed;

	for (seed = 0; seed < 8; seed++) {
		s = sim_pair(3100 + (uint64_t)seed, "ondemand", "ondemand", "");
		for (i = 1; i < 20; i++) {
			(void)snprintf(src, sizeof(src), "10.1.0.%d", i);
			s->n[0]->larval = MONO_NONE;
			(void)sim_ping(s->n[0], src, "10.2.0.7");
			(void)snprintf(src, sizeof(src), "10.2.0.%d", i);
			s->n[1]->larval = MONO_NONE;
			(void)sim_ping(s->n[1], src, "10.1.0.5");
			sim_run(s, seed);
		}
		sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 60000, 200);
		sim_run(s, 5000);
		one_of_each(s, "acquires, seed", seed);
		sim_free(s);
	}
}

static const char *const conf_b = "ikev2 \"a\" active esp from 10.2.0.0/24 to 10.1.0.0/24 "
    "local 198.51.100.1 peer 192.0.2.1 psk \"a secret that is long enough\"\n";

/* B dies at every moment of the connection's making, and comes back. */
ATF_TC_WITHOUT_HEAD(restart_during_handshake);
ATF_TC_BODY(restart_during_handshake, tc)
{
	struct sim	*s;
	int		 ms, mode;

	for (mode = 0; mode < 2; mode++)
		for (ms = 0; ms < 60; ms += 3) {
			s = sim_pair(3200 + (uint64_t)ms, "active",
			    mode ? "active" : "ondemand", "");
			sim_run(s, ms);
			sim_kill(s->n[1]);
			sim_run(s, 100);
			sim_start(s->n[1], conf_b);
			sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 60000, 200);
			sim_run(s, 40000);
			one_of_each(s, "killed at ms", ms);
			sim_free(s);
		}
}

/* One says DELETE while the other begins to rekey, the IKE SA and the Child by turns. */
ATF_TC_WITHOUT_HEAD(delete_against_rekey);
ATF_TC_BODY(delete_against_rekey, tc)
{
	struct sim	*s;
	int		 ms, ike;

	for (ike = 0; ike < 2; ike++)
		for (ms = 0; ms < 50; ms += 5) {
			s = sim_pair(3300 + (uint64_t)ms, "active", "active", "");
			sim_run(s, 30000);
			sim_cmd(s->n[0], ike ? CMD_REKEY_IKE : CMD_REKEY, "b");
			sim_run(s, ms);
			sim_cmd(s->n[1], CMD_DOWN, "a");
			sim_run(s, 20);
			sim_cmd(s->n[1], CMD_UP, "a");
			sim_run(s, 90000);
			one_of_each(s, "down and up after ms", ms);
			sim_free(s);
		}
}

#define PSK "psk \"a secret that is long enough\"\n"

/* A second Child of other algorithms on the same IKE SA; both sides ask for both. */
ATF_TC_WITHOUT_HEAD(second_child_differs);
ATF_TC_BODY(second_child_differs, tc)
{
	struct sim	*s;
	int		 seed;

	for (seed = 0; seed < 8; seed++) {
		s = sim_new(3400 + (uint64_t)seed);
		s->delay_us = 1000 + seed * 20000;
		(void)sim_node(s, "a", "192.0.2.1",
		    "ikev2 \"1\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 "
		    "peer 198.51.100.1 " PSK
		    "ikev2 \"2\" active esp from 10.1.0.0/24 to 10.3.0.0/24 local 192.0.2.1 "
		    "peer 198.51.100.1 childsa enc aes-256 auth hmac-sha2-512 " PSK);
		(void)sim_node(s, "b", "198.51.100.1",
		    "ikev2 \"1\" active esp from 10.2.0.0/24 to 10.1.0.0/24 local "
		    "198.51.100.1 peer 192.0.2.1 " PSK
		    "ikev2 \"2\" active esp from 10.3.0.0/24 to 10.1.0.0/24 local "
		    "198.51.100.1 peer 192.0.2.1 childsa enc aes-256 auth hmac-sha2-512 " PSK);
		sim_run(s, 90000);
		ATF_CHECK_EQ_MSG(sim_count(s->n[0], SHOWK_SA), 2, "seed %d: %d", seed,
		    sim_count(s->n[0], SHOWK_SA));
		ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 2);
		/* either IKE SA may have come to serve one of them: that does not last */
		ATF_CHECK_EQ(sim_established(s->n[0]), 1);
		ATF_CHECK_EQ(sim_established(s->n[1]), 1);
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "1", "1"));
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "2", "2"));
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, boot_together);
	ATF_TP_ADD_TC(tp, multiple_acquires);
	ATF_TP_ADD_TC(tp, restart_during_handshake);
	ATF_TP_ADD_TC(tp, delete_against_rekey);
	ATF_TP_ADD_TC(tp, second_child_differs);
	return (atf_no_error());
}
