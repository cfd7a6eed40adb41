/* SPDX-License-Identifier: ISC */
/* What netwatchd tells whoever listens, in its order: also what it does, as it does it. */

#include "watchworld.h"

static char told[65536];
static unsigned int nactions;

static void
listen_in(void *arg, const struct watch_event *ev)
{
	size_t n = strlen(told);

	(void)arg;
	ATF_CHECK(ev->reason[0] != '\0');
	ATF_CHECK(ev->verdict != NULL && ev->verdict[0] != '\0');
	/* An action is its word, with which the reason begins; nothing else has one. */
	if (ev->kind == WATCH_EV_ACTION) {
		nactions++;
		ATF_CHECK_EQ(0, strncmp(ev->reason, ev->action,
		    strlen(ev->action)));
		ATF_CHECK_EQ(':', ev->reason[strlen(ev->action)]);
	} else
		ATF_CHECK_STREQ("", ev->action);
	(void)snprintf(told + n, sizeof(told) - n, "%s%s%s ",
	    watch_event_name(ev->kind), ev->kind == WATCH_EV_ACTION ? "=" : "",
	    ev->action);
}

static void
begin(void)
{
	told[0] = '\0';
	nactions = 0;
	world("10.1.0.0/24");
	W.io.event = listen_in;
	boise();
	link_iked(1);
}

static void
calls_unheard(int64_t ms)
{
	for (; ms > 0; ms -= 100) {
		W.out += W.answers ? 0 : 3;
		run_ms(100);
	}
}

/* The ladder, rung by rung, and iked is told each of them when listeners are. */
ATF_TC_WITHOUT_HEAD(ladder);
ATF_TC_BODY(ladder, tc)
{
	const char *down, *rekey, *recreate, *reset, *up;

	(void)tc;
	begin();
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(1000);
	ATF_CHECK(strstr(told, "up ") != NULL);
	W.backtraffic = 1;
	run_ms(200000);
	W.backtraffic = 0;
	told[0] = '\0';
	nactions = 0;
	W.answers = 0;
	W.healed_by = RESET;
	calls_unheard(30000);
	run_ms(5000);
	ATF_REQUIRE_EQ(WATCH_UP, status().state);
	ATF_REQUIRE((down = strstr(told, "down ")) != NULL);
	ATF_REQUIRE_MSG((rekey = strstr(told, "action=rekey ")) != NULL, "%s", told);
	ATF_REQUIRE((recreate = strstr(told, "action=recreate ")) != NULL);
	ATF_REQUIRE((reset = strstr(told, "action=reset ")) != NULL);
	up = told + strlen(told) - strlen("up ");
	ATF_CHECK(down < rekey && rekey < recreate && recreate < reset &&
	    reset < up);
	ATF_CHECK_STREQ("up ", up);
	ATF_CHECK(strstr(told, "verdict ") != NULL);
	/* Each was told once, and so was iked. */
	ATF_CHECK(strstr(rekey + 1, "action=rekey ") == NULL);
	ATF_CHECK_EQ(1, W.nacts[REKEY]);
	ATF_CHECK_EQ(1, W.nacts[RESET]);
	done();
}

/* Bringing it up is one, too: the first time, and not each of the hundred that follow. */
ATF_TC_WITHOUT_HEAD(asking);
ATF_TC_BODY(asking, tc)
{
	(void)tc;
	begin();
	addrs("10.1.0.1", NULL);
	run_ms(600000);
	ATF_CHECK(W.nups > 10);
	ATF_CHECK(strstr(told, "action=up ") != NULL);
	ATF_CHECK_MSG(nactions == 1, "%u: %s", nactions, told);
	W.tunnel_up = W.answers = 1;
	run_ms(60000);
	ATF_CHECK_EQ(WATCH_UP, status().state);
	/* A healthy one is not touched, and nothing is said of it. */
	told[0] = '\0';
	run_ms(3600000);
	ATF_CHECK_STREQ("", told);
	done();
}

/* A backup that is brought up, and let go: each a word of its own. */
ATF_TC_WITHOUT_HEAD(backup);
ATF_TC_BODY(backup, tc)
{
	(void)tc;
	world("10.1.0.0/24");
	told[0] = '\0';
	W.io.event = listen_in;
	ATF_REQUIRE((W.ka = conf_keepalive_new()) != NULL);
	W.ka->preempt = 60;
	ATF_REQUIRE_EQ(0, conf_keepalive_str(W.ka, KA_BACKUP, "spare"));
	boise();
	link_iked(1);
	W.tunnel_up = W.answers = 1;
	addrs("10.1.0.1", NULL);
	run_ms(1000);
	W.tunnel_up = W.answers = 0;
	run_ms(120000);
	ATF_CHECK(strstr(told, "action=backup ") != NULL);
	ATF_CHECK(strstr(told, "action=preempt ") == NULL);
	W.tunnel_up = W.answers = 1;
	run_ms(120000);
	ATF_CHECK(strstr(told, "action=preempt ") != NULL);
	done();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ladder);
	ATF_TP_ADD_TC(tp, asking);
	ATF_TP_ADD_TC(tp, backup);
	return (atf_no_error());
}
