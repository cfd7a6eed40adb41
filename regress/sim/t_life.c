/* SPDX-License-Identifier: ISC */
/* A tunnel's life: rekeys, deletes, a peer that dies and comes back. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define SRC "10.1.0.5"
#define DST "10.2.0.7"

/* Ten packets a second for ms; how many of the replies did not come. */
static uint64_t
gap(struct sim *s, int64_t ms)
{
	uint64_t	got = s->n[0]->got;

	sim_traffic(s->n[0], SRC, DST, ms, 100);
	return ((uint64_t)ms / 100 - (s->n[0]->got - got));
}

static void
one_child(struct sim *s)
{
	ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
}

static void
rekey_by(int who, const char *extra, uint64_t seed)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", extra);
	struct show_tunnel t, u;
	struct show_stats st;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	(void)gap(s, 1000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	sim_cmd(s->n[who], CMD_REKEY, who ? "a" : "b");
	ATF_CHECK_EQ(gap(s, 6000), 0);
	sim_run(s, 1000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	ATF_CHECK(u.spi_in != t.spi_in && u.spi_out != t.spi_out);
	one_child(s);
	sim_stats(s->n[who], &st);
	ATF_CHECK_EQ(st.rekeys, 1);
	ATF_CHECK_EQ(s->n[0]->got_bad + s->n[1]->got_bad, 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(child_rekey);
ATF_TC_BODY(child_rekey, tc)
{
	rekey_by(0, "", 1);
	rekey_by(1, "", 2);
	rekey_by(0, "childsa enc aes-256-gcm group curve25519", 3);
	rekey_by(1, "childsa enc aes-256-gcm group ecp256", 4);
	rekey_by(0, "childsa enc aes-256 auth hmac-sha2-256 group modp2048", 5);
}

/* The responder wants another group than the first we try. */
ATF_TC_WITHOUT_HEAD(child_rekey_group);
ATF_TC_BODY(child_rekey_group, tc)
{
	struct sim	*s = sim_new(6);
	struct show_tunnel t, u;

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 childsa enc aes-128-gcm group "
	    "curve25519 group ecp256 psk \"a secret that is long enough\"\n");
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 childsa enc aes-128-gcm group "
	    "ecp256 psk \"a secret that is long enough\"\n");
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	sim_cmd(s->n[0], CMD_REKEY, "b");
	ATF_CHECK_EQ(gap(s, 2000), 0);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	ATF_CHECK(t.spi_in != u.spi_in);
	one_child(s);
	sim_free(s);
}

/* Both rekey the same Child at once, with all kinds of crossing. */
ATF_TC_WITHOUT_HEAD(child_rekey_both);
ATF_TC_BODY(child_rekey_both, tc)
{
	static const int	 ms[] = { 0, 5, 10, 15, 20, 25, 30, 45, 60 };
	struct sim		*s;
	size_t			 i;
	int			 seed;

	for (seed = 0; seed < 4; seed++)
		for (i = 0; i < 9; i++) {
			s = sim_pair(400 + seed * 10 + i, "ondemand", "passive", "");
			ATF_REQUIRE(sim_up(s->n[0], "b"));
			(void)gap(s, 500);
			sim_cmd(s->n[seed & 1], CMD_REKEY, seed & 1 ? "a" : "b");
			sim_run(s, ms[i]);
			sim_cmd(s->n[!(seed & 1)], CMD_REKEY, seed & 1 ? "b" : "a");
			ATF_CHECK_EQ_MSG(gap(s, 8000), 0, "%d ms", ms[i]);
			sim_run(s, 30000);
			one_child(s);
			ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
			sim_free(s);
		}
}

/* By the clock: Children and IKE SAs are rekeyed before their lifetime ends. */
ATF_TC_WITHOUT_HEAD(lifetimes);
ATF_TC_BODY(lifetimes, tc)
{
	struct sim	*s = sim_pair(7, "active", "passive",
	    "ikelifetime 120 lifetime 60");
	struct show_stats st, su;

	sim_run(s, 1000);
	ATF_REQUIRE(sim_is_up(s->n[0], "b"));
	ATF_CHECK_EQ(gap(s, 600000), 0);
	sim_stats(s->n[0], &st);
	sim_stats(s->n[1], &su);
	ATF_CHECK_MSG(st.rekeys + su.rekeys >= 24, "%ju rekeys",
	    (uintmax_t)(st.rekeys + su.rekeys));
	ATF_CHECK_MSG(st.rekeys + su.rekeys <= 60, "%ju rekeys",
	    (uintmax_t)(st.rekeys + su.rekeys));
	ATF_CHECK(st.ike_up >= 5);
	ATF_CHECK(sim_established(s->n[0]) >= 1 && sim_established(s->n[0]) <= 2);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "down:"), 0);
	ATF_CHECK_EQ(s->n[0]->got_bad + s->n[1]->got_bad, 0);
	sim_free(s);
}

/* Twice the time with both asking, loss and disorder. */
ATF_TC_WITHOUT_HEAD(lifetimes_rough);
ATF_TC_BODY(lifetimes_rough, tc)
{
	struct sim	*s;
	uint64_t	 lost;
	int		 seed;

	for (seed = 0; seed < 6; seed++) {
		s = sim_pair(500 + seed, "active", "active", "ikelifetime 120 lifetime 60 "
		    "childsa enc aes-128-gcm group curve25519");
		s->loss = 20;
		s->dup = 20;
		s->jitter_us = 40000;
		sim_run(s, 3000);
		ATF_CHECK(sim_is_up(s->n[0], "b"));
		lost = gap(s, 600000);
		/* 2 % each way is 4 % of 6000; nothing may come on top of it */
		ATF_CHECK_MSG((int64_t)lost < 400, "seed %d: %ju lost", seed, (uintmax_t)lost);
		s->loss = s->dup = 0;
		sim_run(s, 20000);
		/* the next rekey may be under way */
		if (sim_count(s->n[0], SHOWK_SA) != 1)
			sim_run(s, 5000);
		ATF_CHECK_EQ_MSG(sim_count(s->n[0], SHOWK_SA), 1, "seed %d: %d", seed,
		    sim_count(s->n[0], SHOWK_SA));
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		sim_free(s);
	}
}

ATF_TC_WITHOUT_HEAD(down_up);
ATF_TC_BODY(down_up, tc)
{
	struct sim	*s = sim_pair(8, "ondemand", "passive", "");
	struct show_tunnel t;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_cmd(s->n[0], CMD_DOWN, "b");
	sim_run(s, 1000);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &t) && t.state == SHOW_DOWN);
	ATF_CHECK(!sim_is_up(s->n[1], "a"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
	ATF_CHECK_EQ(sim_established(s->n[0]) + sim_established(s->n[1]), 0);
	ATF_CHECK(sim_logged(s->n[0], "tunnel \"b\" down: by command"));
	ATF_CHECK(sim_logged(s->n[1], "tunnel \"a\" down: the peer deleted the IKE SA"));
	/* a host's packet wakes it again */
	ATF_CHECK(gap(s, 1000) < 3);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	one_child(s);
	sim_free(s);
}

/* The peer's Child waits for a slow kernel, and the tunnel is taken down meanwhile: the
 * engine waits, too, and does not spin. */
ATF_TC_WITHOUT_HEAD(down_while_installing);
ATF_TC_BODY(down_while_installing, tc)
{
	struct sim	*s = sim_pair(16, "ondemand", "ondemand", "");
	struct node	*b = s->n[1];

	b->kern_mute = 1;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 100);
	ATF_REQUIRE_EQ(sim_kernel_count(b), 2);
	sim_cmd(b, CMD_DOWN, "a");
	engine_tick(b->e, s->now);
	ATF_CHECK(mono_before(s->now, engine_deadline(b->e)));
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(flush);
ATF_TC_BODY(flush, tc)
{
	struct sim	*s = sim_pair(15, "active", "passive", "");
	struct show_tunnel t;
	const char	*why;

	sim_run(s, 2000);
	ATF_REQUIRE(sim_is_up(s->n[0], "b"));
	engine_flush(s->n[0]->e, s->now);
	sim_run(s, 60000);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &t) && t.state == SHOW_DOWN);
	ATF_CHECK(strstr(t.error, "ipsecctl reload") != NULL);
	ATF_CHECK(!sim_is_up(s->n[1], "a"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
	ATF_CHECK_EQ(-1, engine_command(s->n[0]->e, s->now, CMD_UP, "b", WAKE_COMMAND,
	    &why));
	ATF_CHECK(strstr(why, "ipsecctl reload") != NULL);
	/* the next configuration ends it, even the same one */
	sim_reload(s->n[0], "ikev2 \"b\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local "
	    "192.0.2.1 peer 198.51.100.1 psk \"a secret that is long enough\"\n");
	sim_run(s, 2000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	one_child(s);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(shutdown_says_so);
ATF_TC_BODY(shutdown_says_so, tc)
{
	struct sim	*s = sim_pair(9, "ondemand", "passive", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	engine_shutdown(s->n[0]->e, s->now);
	sim_run(s, 1000);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
	ATF_CHECK_EQ(engine_deadline(s->n[0]->e).us, INT64_MAX);
	ATF_CHECK(!sim_is_up(s->n[1], "a"));
	sim_free(s);
}

static const char *const conf_b_passive = "ikev2 \"a\" passive esp from 10.2.0.0/24 to "
    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 psk \"a secret that is long enough\"\n";

static const char *const conf_a_ondemand = "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long enough\"\n";

/* Boise is killed and started again; traffic from Seattle is back in time. */
static int64_t
outage(uint64_t seed, int64_t down_ms, int64_t every)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", "");
	monotime	 from;
	uint64_t	 got;
	int64_t		 us;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_traffic(s->n[0], SRC, DST, 3000 + (int64_t)(seed % 977), every);
	sim_kill(s->n[1]);
	from = s->now;
	sim_traffic(s->n[0], SRC, DST, down_ms, every);
	sim_start(s->n[1], conf_b_passive);
	got = s->n[0]->got;
	while (s->n[0]->got == got && mono_diff_us(s->now, from) < 60000000)
		sim_traffic(s->n[0], SRC, DST, every, every);
	us = mono_diff_us(s->now, from);
	sim_traffic(s->n[0], SRC, DST, 5000, every);
	one_child(s);
	sim_free(s);
	return (us);
}

ATF_TC_WITHOUT_HEAD(restart);
ATF_TC_BODY(restart, tc)
{
	int64_t	us, worst = 0, sum = 0;
	int	i;

	for (i = 0; i < 20; i++) {
		us = outage(600 + (uint64_t)i * 37, 100 + i * 100, 10);
		sum += us;
		if (us > worst)
			worst = us;
	}
	printf("outage: mean %.2f s, worst %.2f s\n", (double)sum / 20e6,
	    (double)worst / 1e6);
	ATF_CHECK_MSG(worst < 5000000, "worst outage %jd us", (intmax_t)worst);
}

/*
 * Seattle is killed, comes back and calls.  INITIAL_CONTACT alone tears nothing down,
 * but Boise asks on the old SA at once and does not wait long for an answer.
 */
ATF_TC_WITHOUT_HEAD(caller_restarts);
ATF_TC_BODY(caller_restarts, tc)
{
	struct sim	*s = sim_pair(14, "ondemand", "ondemand", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 20000);
	sim_kill(s->n[0]);
	sim_run(s, 700);
	sim_start(s->n[0], conf_a_ondemand);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(sim_established(s->n[1]), 2);
	sim_run(s, 3000);
	ATF_CHECK_EQ(sim_established(s->n[1]), 1);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
	one_child(s);
	sim_free(s);
}

/* A dead peer is known within the check's bounds, and not before. */
ATF_TC_WITHOUT_HEAD(dead_peer);
ATF_TC_BODY(dead_peer, tc)
{
	struct sim	*s = sim_pair(10, "ondemand", "passive", "");
	monotime	 from;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	(void)gap(s, 3000);
	s->n[1]->cut = 1;
	from = s->now;
	while (sim_is_up(s->n[0], "b") && mono_diff_us(s->now, from) < 20000000)
		(void)gap(s, 100);
	ATF_CHECK(mono_diff_us(s->now, from) > 4000000);
	ATF_CHECK_MSG(mono_diff_us(s->now, from) < 6500000, "%jd us",
	    (intmax_t)mono_diff_us(s->now, from));
	ATF_CHECK(sim_logged(s->n[0], "tunnel \"b\" down: the peer does not answer"));
	/* traffic wants it: it is connecting, and there when the cable is back */
	s->n[1]->cut = 0;
	(void)gap(s, 4000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	ATF_CHECK_EQ(gap(s, 1000), 0);
	/* the peer takes a while to see that its old SA is nobody's */
	sim_run(s, 6000);
	one_child(s);
	sim_free(s);
}

/* One-way traffic is no reason to give up, nor to ask all the time. */
ATF_TC_WITHOUT_HEAD(one_way);
ATF_TC_BODY(one_way, tc)
{
	struct sim	*s = sim_pair(11, "ondemand", "passive", "");
	uint64_t	 before;
	int		 i;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	before = s->datagrams;
	for (i = 0; i < 600; i++) {
		s->n[1]->larval = mono_add_ms(s->now, 1000);	/* hosts that do not reply */
		(void)sim_ping(s->n[0], SRC, DST);
		s->n[0]->got = 0;
		sim_run(s, 100);
	}
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	ATF_CHECK_MSG(s->datagrams - before <= 20, "%ju", (uintmax_t)(s->datagrams - before));
	sim_free(s);
}

/* An idle tunnel costs little, and is asked about at the configured interval. */
ATF_TC_WITHOUT_HEAD(idle);
ATF_TC_BODY(idle, tc)
{
	struct sim	*s = sim_pair(12, "ondemand", "passive", "");
	uint64_t	 before, k;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 10000);
	before = s->datagrams;
	k = s->n[0]->kreqs;
	sim_run(s, 600000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	ATF_CHECK_MSG(s->datagrams - before >= 14 && s->datagrams - before <= 44, "%ju",
	    (uintmax_t)(s->datagrams - before));
	ATF_CHECK_MSG(s->n[0]->kreqs - k < 800, "%ju", (uintmax_t)(s->n[0]->kreqs - k));
	sim_free(s);
}

/* The kernel loses the SAs behind our back: the next packet mends it. */
ATF_TC_WITHOUT_HEAD(kernel_lost);
ATF_TC_BODY(kernel_lost, tc)
{
	struct sim	*s = sim_pair(13, "ondemand", "passive", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	(void)gap(s, 500);
	while (sim_kernel_count(s->n[0]) > 0)
		sim_lose_sa(s->n[0], 0, LOSE_SILENT);
	ATF_CHECK(gap(s, 4000) < 20);
	ATF_CHECK_EQ(gap(s, 1000), 0);
	sim_run(s, 5000);
	one_child(s);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, child_rekey);
	ATF_TP_ADD_TC(tp, child_rekey_group);
	ATF_TP_ADD_TC(tp, child_rekey_both);
	ATF_TP_ADD_TC(tp, lifetimes);
	ATF_TP_ADD_TC(tp, lifetimes_rough);
	ATF_TP_ADD_TC(tp, down_up);
	ATF_TP_ADD_TC(tp, down_while_installing);
	ATF_TP_ADD_TC(tp, flush);
	ATF_TP_ADD_TC(tp, shutdown_says_so);
	ATF_TP_ADD_TC(tp, restart);
	ATF_TP_ADD_TC(tp, caller_restarts);
	ATF_TP_ADD_TC(tp, dead_peer);
	ATF_TP_ADD_TC(tp, one_way);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, kernel_lost);
	return (atf_no_error());
}
