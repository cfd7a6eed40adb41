/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's control socket: commands, answers, and clients of any manners, against the
 * real core with targets that nobody answers for.
 */

#include "ctlworld.h"

ATF_TC_WITHOUT_HEAD(parse);
ATF_TC_BODY(parse, tc)
{
	static const struct {
		const char	*line, *error;	/* the error begins so */
		enum ctl_verb	 verb;
		const char	*name;
	} t[] = {
		{ "show keepalive", NULL, CTL_SHOW, "" },
		{ " show\tkeepalive  \"my tunnel\" ", NULL, CTL_SHOW, "my tunnel" },
		{ "show keepalive a b", "too many words", 0, "" },
		{ "show", "write: show", 0, "" },
		{ "show tunnels", "write: show", 0, "" },
		{ "show keepalive \"a", "write: show", 0, "" },
		{ "show keepalive \"\"", "a tunnel's name", 0, "" },
		{ "show keepalive 1234567890123456789012345678901234567890123456789"
		    "012345678901234", "a tunnel's name is too long", 0, "" },
		{ "events", NULL, CTL_EVENTS, "" },
		{ "events now", "too many words", 0, "" },
		{ "events \"", "a double quote", 0, "" },
		{ "metrics", NULL, CTL_METRICS, "" },
		{ "probe", "write: probe", 0, "" },
		{ "probe boise", NULL, CTL_PROBE, "boise" },
		{ "probe boise \"", "a double quote", 0, "" },
		{ "ping", "write: ping", 0, "" },
		{ "ping boise", NULL, CTL_PING, "boise" },
		{ "ping boise 1 10 64", NULL, CTL_PING, "boise" },
		{ "ping boise 100000 60000 9000", NULL, CTL_PING, "boise" },
		{ "ping boise 0", "ping: the count", 0, "" },
		{ "ping boise 100001", "ping: the count", 0, "" },
		{ "ping boise 4294967297", "ping: the count", 0, "" },
		{ "ping boise -1", "ping: the count", 0, "" },
		{ "ping boise 1x", "ping: the count", 0, "" },
		{ "ping boise \"\"", "ping: the count", 0, "" },
		{ "ping boise 1 9", "ping: the milliseconds", 0, "" },
		{ "ping boise 1 60001", "ping: the milliseconds", 0, "" },
		{ "ping boise 1 10 63", "ping: the octets", 0, "" },
		{ "ping boise 1 10 9001", "ping: the octets", 0, "" },
		{ "ping boise 1 10 64 1", "too many words", 0, "" },
		{ "ping boise 1 \"10", "a double quote", 0, "" },
		{ "trace", "write: trace", 0, "" },
		{ "trace \"a b\"", NULL, CTL_TRACE, "a b" },
		{ "trace a b", "too many words", 0, "" },
		{ "backup on", NULL, CTL_BACKUP_SET, "" },
		{ "backup off", NULL, CTL_BACKUP_SET, "" },
		{ "backup", "write: backup on", 0, "" },
		{ "backup maybe", "write: backup on", 0, "" },
		{ "backup on off", "too many words", 0, "" },
		{ "log verbose", NULL, CTL_LOG, "" },
		{ "log", "write: log verbose", 0, "" },
		{ "log debug", "write: log verbose", 0, "" },
		{ "log info now", "too many words", 0, "" },
		{ "show history", NULL, CTL_HISTORY, "" },
		{ "show history \"a b\"", NULL, CTL_HISTORY, "a b" },
		{ "version", NULL, CTL_VERSION, "" },
		{ "", "unknown command", 0, "" },
		{ "flush", "unknown command", 0, "" },
		{ "\"", "unknown command", 0, "" },
	};
	struct ctl_cmd cmd;
	const char *error;
	char line[256];
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		(void)strlcpy(line, t[i].line, sizeof(line));
		error = ctl_parse(line, &cmd);
		if (t[i].error != NULL) {
			ATF_CHECK_MSG(error != NULL && strncmp(error,
			    t[i].error, strlen(t[i].error)) == 0, "%s: %s",
			    t[i].line, error);
			continue;
		}
		ATF_CHECK_MSG(error == NULL, "%s: %s", t[i].line, error);
		ATF_CHECK_EQ(t[i].verb, cmd.verb);
		ATF_CHECK_STREQ(t[i].name, cmd.name);
	}
}

ATF_TC_WITHOUT_HEAD(show);
ATF_TC_BODY(show, tc)
{
	char error[200];
	int fd;

	(void)tc;
	world();
	targets(3);
	fd = visit();
	ATF_CHECK(strstr(hear(fd), "{\"ikeep\":1,\"version\":\"") != NULL);
	say(fd, "show keepalive\n");
	ATF_CHECK_EQ(3, count(hear(fd), "keepalive", error));
	ATF_CHECK_STREQ("", error);
	W.now.us += 2500000;
	say(fd, "show keepalive boise\nversion\n");
	ATF_CHECK_STREQ("{\"kind\":\"keepalive\",\"tunnel\":\"boise\","
	    "\"source\":\"10.1.0.1\",\"target\":\"10.2.0.1\","
	    "\"state\":\"acquiring\",\"since_ms\":2500,\"interval_ms\":10000,"
	    "\"rtt_us\":0,\"rtt_min_us\":0,\"rtt_avg_us\":0,\"rtt_max_us\":0,"
	    "\"rtt_p50_us\":0,\"rtt_p90_us\":0,\"rtt_p99_us\":0,"
	    "\"jitter_us\":0,\"sent\":0,\"received\":0,\"lost\":0,\"late\":0,"
	    "\"pmtu\":0,\"mss\":0,\"loss_percent\":0.0,\"loss_1m_percent\":0.0,"
	    "\"loss_15m_percent\":0.0,\"loss_1h_percent\":0.0,\"verdict\":\"ACQUIRING\",\"note\":\"iked is not running\"}\n"
	    "{\"end\":true}\n{\"kind\":\"version\",\"ikeep\":1,\"version\":\""
	    IKEEP_VERSION "\"}\n{\"end\":true}\n", hear(fd));
	say(fd, "show keepalive nobody\n");
	ATF_CHECK_EQ(0, count(hear(fd), "keepalive", error));
	ATF_CHECK(strstr(error, "watches no tunnel of that name") != NULL);
	say(fd, "probe boise\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK_STREQ("", error);
	ATF_CHECK_EQ(1, W.wakes);
	ATF_CHECK(mono_reached(watch_deadline(W.watch), W.now));
	ATF_REQUIRE_EQ(0, watch_addrs(W.watch, NULL, 0, W.now));
	say(fd, "probe boise\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK(strstr(error, "nothing can be sent") != NULL);
	ATF_CHECK_EQ(1, W.wakes);
}

ATF_TC_WITHOUT_HEAD(metrics);
ATF_TC_BODY(metrics, tc)
{
	struct watch_status st;
	char *text, buf[METRICS_MAX];
	int fd;

	(void)tc;
	world();
	targets(2);
	fd = visit();
	(void)hear(fd);
	say(fd, "metrics\nversion\n");
	text = hear(fd);
	ATF_CHECK(strstr(text, "# TYPE ikeep_keepalive_up gauge\n"
	    "# HELP ikeep_keepalive_up 1 while replies come through the "
	    "tunnel.\n"
	    "ikeep_keepalive_up{tunnel=\"boise\"} 0\n"
	    "ikeep_keepalive_up{tunnel=\"a \\\\ tunnel \xc3\xa9 1\"} 0\n"
	    "# TYPE ikeep_keepalive_state stateset\n") != NULL);
	ATF_CHECK(strstr(text, "ikeep_keepalive_state{tunnel=\"boise\","
	    "ikeep_keepalive_state=\"acquiring\"} 1\n"
	    "ikeep_keepalive_state{tunnel=\"boise\","
	    "ikeep_keepalive_state=\"up\"} 0\n") != NULL);
	ATF_CHECK(strstr(text, "\n# EOF\n{\"kind\":\"version\"") != NULL);
	/* Values and labels to the octet. */
	memset(&st, 0, sizeof(st));
	(void)strlcpy(st.name, "q\"b\\n\nx\xff\xe4z", sizeof(st.name));
	st.rtt_us = 1234567;
	st.sent = 10;
	st.lost = 2;
	st.late = 3;
	ATF_CHECK(metrics_sample(3, &st, W.now, buf, sizeof(buf)) > 0);
	ATF_CHECK_STREQ("ikeep_keepalive_rtt_seconds{tunnel="
	    "\"q\\\"b\\\\n\\nx\?\?z\"} 1.234567\n", buf);
	ATF_CHECK(metrics_head(3, buf, sizeof(buf)) > 0);
	ATF_CHECK_STREQ("# TYPE ikeep_keepalive_rtt_seconds gauge\n"
	    "# UNIT ikeep_keepalive_rtt_seconds seconds\n"
	    "# HELP ikeep_keepalive_rtt_seconds Time to the last reply.\n", buf);
	(void)strlcpy(st.name, "b", sizeof(st.name));
	ATF_CHECK(metrics_sample(7, &st, W.now, buf, sizeof(buf)) > 0);
	ATF_CHECK_STREQ("ikeep_keepalive_probes_sent_total{tunnel=\"b\"} 10\n",
	    buf);
	/* A late reply takes back a loss, but not a timeout. */
	ATF_CHECK(metrics_sample(9, &st, W.now, buf, sizeof(buf)) > 0);
	ATF_CHECK_STREQ("ikeep_keepalive_probes_timed_out_total{tunnel=\"b\"} "
	    "5\n", buf);
	ATF_CHECK_EQ(0, metrics_sample(9, &st, W.now, buf, 20));
	ATF_CHECK_EQ(0, metrics_head(METRICS_FAMILIES, buf, sizeof(buf)));
	/* The longest name there may be, in the largest family. */
	memset(st.name, '"', sizeof(st.name) - 1);
	ATF_CHECK(metrics_sample(1, &st, W.now, buf, sizeof(buf)) > 0);
}

/* Answers far longer than what a client may leave unread. */
ATF_TC_WITHOUT_HEAD(slices);
ATF_TC_BODY(slices, tc)
{
	char error[200], *text, *line;
	int fd, other, i, n;

	(void)tc;
	world();
	targets(5000);
	fd = visit();
	say(fd, "show keepalive\n");
	/* Nobody reads: what is made is bounded, and others are served. */
	for (i = 0; i < 50; i++)
		ev_run(W.loop, EVRUN_NOWAIT);
	ATF_CHECK(lineio_unread(&W.ctl->c[0].io) < OUT_HIGH + JSON_LINEMAX);
	ATF_CHECK(W.ctl->c[0].io.busy);
	other = visit();
	say(other, "show keepalive boise\n");
	ATF_CHECK_EQ(1, count(hear(other), "keepalive", error));
	ATF_CHECK_EQ(5000, count(hear(fd), "keepalive", error));
	ATF_CHECK_STREQ("", error);
	say(fd, "metrics\n");
	text = hear(fd);
	/* strsep: a sanitizer's strstr looks at all the rest, each time */
	for (n = 0; (line = strsep(&text, "\n")) != NULL; )
		n += strncmp(line, "ikeep_keepalive_", 16) == 0;
	/* 12 single ones, states, verdicts, windows, _count and _sum */
	ATF_CHECK_EQ(5000 * (12 + 6 + 8 + 3 + 2), n);
	/* Targets that go while they are shown. */
	say(fd, "show keepalive\n");
	for (i = 0; i < 5; i++)
		ev_run(W.loop, EVRUN_NOWAIT);
	targets(1);
	ATF_CHECK(count(hear(fd), "keepalive", error) < 5000);
	ATF_CHECK_STREQ("", error);
	ATF_CHECK(!W.ctl->c[0].io.busy);
}

ATF_TC_WITHOUT_HEAD(events);
ATF_TC_BODY(events, tc)
{
	struct watch_event ev = { .kind = WATCH_EV_UP, .name = "b\"oise",
	    .state = WATCH_UP, .reason = "r", .evidence = "", .verdict = "UP" };
	struct timespec wall = { 1790000000, 7000000 };
	char error[200], long_reason[200];
	struct json j;
	int a, b, c, i;

	(void)tc;
	world();
	targets(1);
	ctl_json_event(&j, &ev, &wall);
	ATF_REQUIRE(json_end(&j) > 0);
	ATF_CHECK_EQ(0, strncmp(j.b, "{\"kind\":\"event\",\"time\":"
	    "\"2026-09-21T14:13:20.007Z\",\"event\":\"up\",\"tunnel\":"
	    "\"b\\\"oise\",\"state\":\"up\",\"source\":\"any\",\"target\":"
	    "\"any\",\"reason\":\"r\",\"evidence\":\"\",\"verdict\":\"UP\"}\n", j.len));
	ev.kind = WATCH_EV_ACTION;
	ev.reason = "rekey: r";
	ev.action = "rekey";
	ctl_json_event(&j, &ev, &wall);
	ATF_REQUIRE(json_end(&j) > 0);
	ATF_CHECK(strstr(j.b, "\"event\":\"action\",") != NULL);
	ATF_CHECK(strstr(j.b, ",\"verdict\":\"UP\",\"action\":\"rekey\"}\n") != NULL);
	a = visit();
	b = visit();
	c = visit();
	say(a, "events\n");
	say(b, "events\n");
	(void)hear(a);
	(void)hear(b);
	(void)hear(c);
	ATF_REQUIRE_EQ(0, watch_addrs(W.watch, NULL, 0, W.now));
	ATF_CHECK_EQ(1, count(hear(a), "event", error));
	ATF_CHECK_EQ(1, count(hear(b), "event", error));
	ATF_CHECK_STREQ("", hear(c));
	/* Who shuts its half has had enough, and gets a proper end. */
	ATF_REQUIRE_EQ(0, shutdown(a, SHUT_WR));
	ATF_CHECK_STREQ("{\"end\":true}\n", hear(a));
	ATF_CHECK_EQ(-1, W.ctl->c[0].io.fd);
	ATF_CHECK(W.ctl->c[1].io.fd != -1);
	/* Who does not read is left behind; the others are not. */
	memset(long_reason, 'x', sizeof(long_reason) - 1);
	long_reason[sizeof(long_reason) - 1] = '\0';
	a = visit();
	say(a, "events\n");
	(void)hear(a);
	for (i = 0; i < 5000 && W.ctl->c[1].io.fd != -1; i++) {
		happen(long_reason);
		ATF_CHECK_EQ(1, count(hear(a), "event", error));
	}
	ATF_CHECK_EQ(-1, W.ctl->c[1].io.fd);
	ATF_CHECK(strstr(W.lines, "reads too slowly: disconnected") != NULL);
	ATF_CHECK(W.ctl->c[0].io.fd != -1);
}

ATF_TC_WITHOUT_HEAD(manners);
ATF_TC_BODY(manners, tc)
{
	static const char nul[] = "show\0keepalive\n";
	char error[200], big[LINE_MAX_IN + 1];
	int fd[CTL_CLIENTS], more, i;

	(void)tc;
	world();
	targets(1);
	for (i = 0; i < CTL_CLIENTS; i++)
		fd[i] = visit();
	more = visit();
	(void)count(hear(more), "", error);
	ATF_CHECK(strstr(error, "as many clients as it can") != NULL);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	say(fd[0], big);
	(void)count(hear(fd[0]), "", error);
	ATF_CHECK_STREQ("a command has at most 1024 octets", error);
	ATF_REQUIRE_EQ((ssize_t)sizeof(nul) - 1, send(fd[1], nul,
	    sizeof(nul) - 1, 0));
	(void)count(hear(fd[1]), "", error);
	ATF_CHECK_STREQ("a command is text", error);
	/* Both places are free again. */
	ATF_CHECK_EQ(-1, W.ctl->c[0].io.fd);
	ATF_CHECK_EQ(-1, W.ctl->c[1].io.fd);
	more = visit();
	say(more, "show keepalive\r\n");
	ATF_CHECK_EQ(1, count(hear(more), "keepalive", error));
	/* Half-closed (nc -N): the answer still comes, then the end. */
	say(fd[2], "show keepalive\nshow keep");
	ATF_REQUIRE_EQ(0, shutdown(fd[2], SHUT_WR));
	ATF_CHECK_EQ(1, count(hear(fd[2]), "keepalive", error));
	ATF_CHECK_EQ(-1, W.ctl->c[2].io.fd);
	ctl_free(W.ctl);
	watch_free(W.watch);
}

/* The parent keeps it, and its answer is the client's. */
ATF_TC_WITHOUT_HEAD(backup);
ATF_TC_BODY(backup, tc)
{
	int a, b;

	(void)tc;
	world();
	targets(1);
	a = visit();
	b = visit();
	(void)hear(a);
	(void)hear(b);
	say(a, "backup on\nversion\n");
	ATF_CHECK_STREQ("", hear(a));	/* not before it is so */
	ATF_CHECK_EQ(1, W.backup);
	ctl_backup(W.ctl, 0, NULL);	/* not what it asked for */
	ATF_CHECK_STREQ("", hear(a));
	watch_backup(W.watch, 1, W.now);
	ctl_backup(W.ctl, 1, NULL);
	ATF_CHECK_EQ(0, strncmp(hear(a), "{\"end\":true}\n{\"kind\":\"version\"",
	    30));
	ATF_CHECK_STREQ("", hear(b));
	say(b, "show keepalive\n");
	ATF_CHECK(strstr(hear(b), "\"state\":\"backup\"") != NULL);
	say(b, "backup off\n");
	(void)hear(b);
	ATF_CHECK_EQ(0, W.backup);
	ctl_backup(W.ctl, 0, "Read-only file system");
	ATF_CHECK_STREQ("{\"end\":true,\"error\":\"Read-only file system\"}\n",
	    hear(b));
	W.deaf = 1;
	say(b, "backup off\n");
	ATF_CHECK(strstr(hear(b), "the parent process does not listen") != NULL);
	/* One that has gone meanwhile is not answered. */
	W.deaf = 0;
	say(b, "backup off\n");
	(void)hear(b);
	(void)close(b);
	(void)hear(a);
	ctl_backup(W.ctl, 0, NULL);
	ATF_CHECK_STREQ("", hear(a));
}

/* As iked's: the parent, which writes the log, is told. */
ATF_TC_WITHOUT_HEAD(level);
ATF_TC_BODY(level, tc)
{
	static const struct {
		const char	*line;
		int		 level;
	} t[] = {
		{ "log verbose\n", LOGGER_DEBUG }, { "log warning\n", LOGGER_WARN },
		{ "log info\n", LOGGER_INFO }, { "log brief\n", LOGGER_INFO }
	};
	size_t i;
	int fd;

	(void)tc;
	world();
	targets(1);
	fd = visit();
	(void)hear(fd);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		W.level = -1;
		say(fd, t[i].line);
		ATF_CHECK_STREQ("{\"end\":true}\n", hear(fd));
		ATF_CHECK_EQ(t[i].level, W.level);
	}
	W.deaf = 1;
	say(fd, "log info\n");
	ATF_CHECK(strstr(hear(fd), "the parent process does not listen") != NULL);
}

/* Nobody has answered: there is no history. */
ATF_TC_WITHOUT_HEAD(history);
ATF_TC_BODY(history, tc)
{
	struct stats_minute m[STATS_MINUTES] = { { 6, 1 }, { 5, 0 } };
	char error[200];
	struct json j;
	int fd;

	(void)tc;
	world();
	targets(2);
	fd = visit();
	(void)hear(fd);
	say(fd, "show history boise\n");
	ATF_CHECK_STREQ("{\"kind\":\"history\",\"tunnel\":\"boise\",\"sent\":[],"
	    "\"lost\":[]}\n{\"end\":true}\n", hear(fd));
	say(fd, "show history\n");
	ATF_CHECK_EQ(2, count(hear(fd), "history", error));
	say(fd, "show history nobody\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK(strstr(error, "watches no tunnel") != NULL);
	ctl_json_history(&j, "b", m);
	ATF_REQUIRE(json_end(&j) > 0);
	ATF_CHECK_EQ(0, strncmp(j.b, "{\"kind\":\"history\",\"tunnel\":\"b\","
	    "\"sent\":[6,5,0,0,", 46));
	ATF_CHECK(strstr(j.b, "],\"lost\":[1,0,0,") != NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, parse);
	ATF_TP_ADD_TC(tp, show);
	ATF_TP_ADD_TC(tp, metrics);
	ATF_TP_ADD_TC(tp, slices);
	ATF_TP_ADD_TC(tp, events);
	ATF_TP_ADD_TC(tp, manners);
	ATF_TP_ADD_TC(tp, backup);
	ATF_TP_ADD_TC(tp, level);
	ATF_TP_ADD_TC(tp, history);
	return (atf_no_error());
}
