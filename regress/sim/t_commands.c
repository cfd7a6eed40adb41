/* SPDX-License-Identifier: ISC */
/* What a person and netwatchd may ask for, and why it may not be. */

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

/* -1 and the reason, or 0. */
static const char *
refused(struct node *n, enum engine_cmd cmd, const char *tunnel)
{
	const char	*why = "?";

	if (engine_command(n->e, n->sim->now, cmd, tunnel, WAKE_COMMAND, &why) == 0)
		return (why == NULL ? "done" : why);
	return (why);
}

ATF_TC_WITHOUT_HEAD(reasons);
ATF_TC_BODY(reasons, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];

	ATF_CHECK_STREQ(refused(a, CMD_UP, "nobody"), "there is no tunnel of this name");
	ATF_CHECK_STREQ(refused(a, CMD_DOWN, ""), "there is no tunnel of this name");
	ATF_CHECK_STREQ(refused(b, CMD_UP, "a"), "the tunnel is passive: its peer has to start");
	ATF_CHECK_STREQ(refused(a, CMD_REKEY, "b"), "the tunnel is not up");
	ATF_CHECK_STREQ(refused(a, (enum engine_cmd)77, "b"), "unknown command");
	ATF_REQUIRE_EQ(s->datagrams, 0);
	engine_flush(a->e, s->now);
	ATF_CHECK(strstr(refused(a, CMD_UP, "b"), "the policies were flushed") != NULL);
	sim_free(s);
}

/* netwatchd takes down what it has had brought up, and nothing else. */
ATF_TC_WITHOUT_HEAD(backup);
ATF_TC_BODY(backup, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct node	*a = s->n[0];
	const char	*why;

	ATF_REQUIRE(sim_up(a, "b"));
	ATF_REQUIRE_EQ(-1, engine_command(a->e, s->now, CMD_DOWN, "b", WAKE_KEEPALIVE, &why));
	ATF_CHECK_STREQ("it was not netwatchd that had it brought up", why);
	sim_run(s, 3000);
	ATF_CHECK(sim_up(a, "b"));
	ATF_REQUIRE_EQ(0, engine_command(a->e, s->now, CMD_DOWN, "b", WAKE_COMMAND, &why));
	sim_run(s, 3000);
	ATF_REQUIRE_EQ(0, engine_command(a->e, s->now, CMD_UP, "b", WAKE_KEEPALIVE, &why));
	sim_run(s, 3000);
	ATF_CHECK(sim_is_up(a, "b"));
	ATF_REQUIRE_EQ(0, engine_command(a->e, s->now, CMD_DOWN, "b", WAKE_KEEPALIVE, &why));
	sim_run(s, 3000);
	ATF_CHECK(!sim_is_up(a, "b"));
	sim_free(s);
}

/* A question for counters is answered, whatever becomes of its Child meanwhile. */
ATF_TC_WITHOUT_HEAD(counters);
ATF_TC_BODY(counters, tc)
{
	struct sim	*s = sim_pair(2, "ondemand", "passive", "");
	struct node	*a = s->n[0];

	engine_counters(a->e, s->now, 1, "nobody");
	ATF_CHECK(a->counters_token == 1 && a->counters.err == ENOENT);
	engine_counters(a->e, s->now, 2, "b");
	ATF_CHECK(a->counters_token == 2 && a->counters.err == ENOENT);
	ATF_REQUIRE(sim_up(a, "b"));
	sim_traffic(a, "10.1.0.5", "10.2.0.7", 300, 100);
	engine_counters(a->e, s->now, 3, "b");
	sim_run(s, 5);
	ATF_CHECK(a->counters_token == 3 && a->counters.err == 0);
	ATF_CHECK_EQ(a->counters.packets_out, 3);
	ATF_CHECK(a->counters.spi_in != 0 && a->counters.spi_out != 0);
	/* the Child goes between question and answer */
	a->kern_slow_us = 100000;
	engine_counters(a->e, s->now, 4, "b");
	sim_cmd(a, CMD_DOWN, "b");
	sim_run(s, 1000);
	ATF_CHECK_EQ(a->counters_token, 4);
	/* nobody answers */
	a->kern_slow_us = 0;
	ATF_REQUIRE(sim_up(a, "b"));
	a->kern_mute = 1;
	engine_counters(a->e, s->now, 5, "b");
	sim_run(s, 12000);
	ATF_CHECK_EQ(a->counters_token, 5);
	ATF_CHECK(sim_logged(a, "the kernel did not answer in time"));
	a->kern_mute = 0;
	sim_run(s, 20000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

/* The words that scripts read (iked.control(5)). */
ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	static const char *const states[] = { "up", "ondemand", "passive", "connecting",
	    "backoff", "down" };
	static const char *const wakes[] = { "none", "acquire", "keepalive", "command", "start",
	    "peer" };
	int	i;

	for (i = 0; i < 6; i++) {
		ATF_CHECK_STREQ(show_state_name((enum show_state)(SHOW_UP + i)), states[i]);
		ATF_CHECK_STREQ(show_wake_name((enum show_wake)(WAKE_NONE + i)), wakes[i]);
	}
	ATF_CHECK(show_state_name((enum show_state)99) != NULL);
	ATF_CHECK(show_wake_name((enum show_wake)99) != NULL);
}

/* The tunnel is up, and not on the SPIs of before. */
static int
renewed(struct node *n, uint64_t token, const struct engine_counters *was)
{
	engine_counters(n->e, n->sim->now, token, "b");
	sim_run(n->sim, 5);
	return (n->counters_token == token && n->counters.err == 0 &&
	    n->counters.spi_in != was->spi_in && n->counters.spi_out != was->spi_out);
}

/* netwatchd's ladder: a Child anew on the same IKE SA, an IKE SA anew. */
ATF_TC_WITHOUT_HEAD(ladder);
ATF_TC_BODY(ladder, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct engine_counters was;

	ATF_CHECK_STREQ(refused(b, CMD_RECREATE, "a"),
	    "the tunnel is passive: its peer has to start");
	ATF_CHECK_STREQ(refused(b, CMD_RESET, "a"),
	    "the tunnel is passive: its peer has to start");
	ATF_CHECK_STREQ(refused(a, CMD_CHECK, "b"), "the tunnel is not up");
	ATF_REQUIRE(sim_up(a, "b"));
	engine_counters(a->e, s->now, 1, "b");
	sim_run(s, 5);
	was = a->counters;
	ATF_CHECK(was.ike_up && !was.rekeying && was.last_in_ms < 5000);

	ATF_CHECK_STREQ(refused(a, CMD_RECREATE, "b"), "done");
	sim_run(s, 1000);
	ATF_REQUIRE(sim_is_up(a, "b") && sim_is_up(b, "a"));
	ATF_CHECK(renewed(a, 2, &was));
	ATF_CHECK(!sim_logged(a, "IKE SA is made anew"));
	ATF_CHECK(sim_logged(a, "its Child SA is made anew, asked by command"));
	was = a->counters;

	ATF_CHECK_STREQ(refused(a, CMD_RESET, "b"), "done");
	sim_run(s, 2000);
	ATF_REQUIRE(sim_is_up(a, "b") && sim_is_up(b, "a"));
	ATF_CHECK(renewed(a, 3, &was));
	sim_run(s, 30000);
	sim_traffic(a, "10.1.0.5", "10.2.0.7", 300, 100);
	engine_counters(a->e, s->now, 4, "b");
	sim_run(s, 5);
	ATF_CHECK(sim_is_up(a, "b") && a->counters.packets_out > 0);
	sim_free(s);
}

/* Whoever is reset with, and has gone, is called anew at once; the old SAs go. */
ATF_TC_WITHOUT_HEAD(reset_dead);
ATF_TC_BODY(reset_dead, tc)
{
	struct sim	*s = sim_pair(4, "ondemand", "passive", "");
	struct node	*a = s->n[0];
	uint64_t	 sent;

	ATF_REQUIRE(sim_up(a, "b"));
	s->loss = 1000;
	sent = s->datagrams;
	ATF_CHECK_STREQ(refused(a, CMD_RESET, "b"), "done");
	sim_run(s, 3000);
	ATF_CHECK(s->datagrams > sent + 1);
	s->loss = 0;
	sim_run(s, 60000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

/* A check is a question now, however lately the peer was heard; silence ends the SA. */
ATF_TC_WITHOUT_HEAD(check);
ATF_TC_BODY(check, tc)
{
	struct sim	*s = sim_pair(5, "ondemand", "passive", "");
	struct node	*a = s->n[0];

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 8000);
	ATF_CHECK_STREQ(refused(a, CMD_CHECK, "b"), "done");
	sim_run(s, 500);
	engine_counters(a->e, s->now, 1, "b");
	sim_run(s, 5);
	ATF_CHECK(a->counters.ike_up && a->counters.last_in_ms <= 505);
	s->loss = 1000;
	ATF_CHECK_STREQ(refused(a, CMD_CHECK, "b"), "done");
	sim_run(s, 6000);
	ATF_CHECK(!sim_is_up(a, "b"));
	ATF_CHECK(sim_logged(a, "IKE SA given up"));
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ladder);
	ATF_TP_ADD_TC(tp, reset_dead);
	ATF_TP_ADD_TC(tp, check);
	ATF_TP_ADD_TC(tp, reasons);
	ATF_TP_ADD_TC(tp, backup);
	ATF_TP_ADD_TC(tp, counters);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
