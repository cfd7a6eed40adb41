/* SPDX-License-Identifier: ISC */
/* ping and trace through netwatchd's control socket: what is sent, and what is believed. */

#include "ctlworld.h"

/* The loop, until it has sent so many. */
static void
until_sent(unsigned int n)
{
	int i;

	for (i = 0; i < 5000 && W.nsent < n; i++) {
		ev_run(W.loop, EVRUN_NOWAIT);
		ev_sleep(.001);
	}
	ATF_REQUIRE_EQ(n, W.nsent);
}

static void
went(struct probe *p)
{
	p->sent_us = now(NULL).us - 3000;
	ctl_sent(W.ctl, p, 0);
}

static void
answer(const char *from, const struct probe *p)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, from));
	ctl_reply(W.ctl, &a, p, now(NULL));
}

/* An answer to a ping, without the times in it. */
static void
no_times(char *s)
{
	char *t;

	while ((s = strstr(s, "_us\":")) != NULL) {
		s += 5;
		for (t = s; *t >= '0' && *t <= '9'; t++)
			continue;
		memmove(s, t, strlen(t) + 1);
	}
}

/* A visitor that has been greeted, of one target, by the clock on the wall. */
static int
real_visit(void)
{
	int fd;

	world();
	W.real = 1;
	targets(1);
	fd = visit();
	(void)hear(fd);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(ping);
ATF_TC_BODY(ping, tc)
{
	struct probe forged;
	char error[200], *text;
	int fd, i;

	(void)tc;
	fd = real_visit();
	say(fd, "ping boise 3 10 100\nversion\n");
	until_sent(3);
	ATF_CHECK_EQ(100, W.sent[0].size);
	ATF_CHECK(ctl_owns(&W.sent[0]));
	for (i = 0; i < 3; i++)
		went(&W.sent[i]);
	/* From another address, of another number, of another time: nothing. */
	answer("10.2.0.9", &W.sent[0]);
	forged = W.sent[0];
	forged.id++;
	answer("10.2.0.1", &forged);
	forged = W.sent[0];
	forged.sent_us++;
	answer("10.2.0.1", &forged);
	forged = W.sent[0];
	forged.slot--;
	answer("10.2.0.1", &forged);
	answer("10.2.0.1", &W.sent[1]);
	answer("10.2.0.1", &W.sent[1]);		/* twice is once */
	answer("10.2.0.1", &W.sent[0]);
	text = hear(fd);
	no_times(text);
	ATF_CHECK_STREQ("{\"kind\":\"reply\",\"seq\":1,\"from\":\"10.2.0.1\","
	    "\"octets\":100,\"rtt_us\":}\n{\"kind\":\"reply\",\"seq\":0,"
	    "\"from\":\"10.2.0.1\",\"octets\":100,\"rtt_us\":}\n", text);
	/* The last one is lost; then what was said meanwhile is answered. */
	for (i = 0; i < 2500 && W.ctl->c[0].ping != NULL; i++) {
		ev_run(W.loop, EVRUN_NOWAIT);
		ev_sleep(.001);
	}
	text = hear(fd);
	no_times(text);
	ATF_CHECK_STREQ("{\"kind\":\"loss\",\"seq\":2,\"reason\":\"no reply\"}\n"
	    "{\"kind\":\"ping\",\"tunnel\":\"boise\",\"source\":\"10.1.0.1\","
	    "\"target\":\"10.2.0.1\",\"sent\":3,\"received\":2,\"lost\":1,"
	    "\"rtt_min_us\":,\"rtt_avg_us\":,\"rtt_max_us\":}\n"
	    "{\"end\":true}\n{\"kind\":\"version\",\"ikeep\":1,\"version\":\""
	    IKEEP_VERSION "\"}\n{\"end\":true}\n", text);
	answer("10.2.0.1", &W.sent[2]);		/* too late for anybody */
	ATF_CHECK_STREQ("", hear(fd));
	/* The kernel's no, at once and later. */
	W.senderr = EPERM;
	say(fd, "ping boise 1\n");
	for (i = 0; i < 20; i++)
		ev_run(W.loop, EVRUN_NOWAIT);
	ATF_CHECK(strstr(hear(fd), "a firewall rule of this machine") != NULL);
	W.senderr = 0;
	W.nsent = 0;
	say(fd, "ping boise 1 10 9000\n");
	until_sent(1);
	ctl_sent(W.ctl, &W.sent[0], EMSGSIZE);
	ATF_CHECK(strstr(hear(fd), "larger than what passes here") != NULL);
	ATF_CHECK(W.ctl->c[0].ping == NULL);
	say(fd, "ping nobody\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK(strstr(error, "watches no tunnel") != NULL);
	/* Who goes away takes its ping along. */
	W.nsent = 0;
	say(fd, "ping boise 100000 10\n");
	until_sent(2);
	(void)close(fd);
	went(&W.sent[0]);
	went(&W.sent[1]);
	answer("10.2.0.1", &W.sent[0]);
	for (i = 0; i < 20 && W.ctl->c[0].io.fd != -1; i++) {
		ev_run(W.loop, EVRUN_NOWAIT);
		happen("");
		answer("10.2.0.1", &W.sent[1]);
	}
	ATF_CHECK_EQ(-1, W.ctl->c[0].io.fd);
	ATF_CHECK(W.ctl->c[0].ping == NULL);
}

/* The backup of a pair sends nothing for anybody, not even what it had begun. */
ATF_TC_WITHOUT_HEAD(ping_backup);
ATF_TC_BODY(ping_backup, tc)
{
	char error[200];
	int fd, i;

	(void)tc;
	fd = real_visit();
	say(fd, "ping boise 100 10\n");
	until_sent(1);
	watch_backup(W.watch, 1, now(NULL));
	for (i = 0; i < 50; i++) {
		ev_run(W.loop, EVRUN_NOWAIT);
		ev_sleep(.001);
	}
	ATF_CHECK_EQ(1, W.nsent);
	ATF_CHECK(strstr(hear(fd), "this node is the backup") != NULL);
	(void)close(fd);
	fd = visit();
	say(fd, "trace boise\nprobe boise\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK(strstr(error, "this node is the backup") != NULL);
	ATF_CHECK_EQ(1, W.nsent);
	(void)close(fd);
	watch_backup(W.watch, 0, now(NULL));
	ATF_REQUIRE_EQ(0, watch_addrs(W.watch, NULL, 0, W.now));
	fd = visit();
	say(fd, "trace boise\n");
	(void)count(hear(fd), "", error);
	ATF_CHECK(strstr(error, "nothing can be sent") != NULL);
}

/* What from says of p: ICMP type, code, and how much of it is quoted. */
static void
complain(const char *from, const struct probe *p, uint8_t type, uint8_t code,
    size_t kept)
{
	uint8_t pkt[28 + 20 + ICMP_PROBELEN];
	struct icmp_error e;
	struct addr a;

	memset(pkt, 0, sizeof(pkt));
	pkt[0] = pkt[28] = 0x45;
	pkt[9] = pkt[28 + 9] = 1;
	pkt[20] = type;
	pkt[21] = code;
	memcpy(pkt + 28 + 12, W.mine.b, 4);
	memcpy(pkt + 28 + 16, W.sent_to.b, 4);
	ATF_REQUIRE_EQ(0, icmp_build(pkt + 48, key, IDENT, &W.sent_to, p));
	ATF_REQUIRE_EQ(0, addr_parse(&a, from));
	ATF_REQUIRE_EQ(0, icmp_error_parse(pkt, 48 + kept, ADDR_V4, key, IDENT,
	    &e));
	(void)ctl_error(W.ctl, &a, &e, now(NULL));
}

ATF_TC_WITHOUT_HEAD(trace);
ATF_TC_BODY(trace, tc)
{
	struct probe forged;
	char *text;
	int fd;

	(void)tc;
	fd = real_visit();
	say(fd, "trace boise\n");
	until_sent(1);
	ATF_CHECK_EQ(1, W.sent[0].ttl);
	went(&W.sent[0]);
	forged = W.sent[0];
	forged.sent_us++;
	complain("10.9.0.1", &forged, 11, 0, ICMP_PROBELEN);
	complain("10.9.0.1", &forged, 11, 0, 8);
	complain("10.2.0.254", &W.sent[0], 11, 0, ICMP_PROBELEN);
	until_sent(2);
	ATF_CHECK_EQ(2, W.sent[1].ttl);
	went(&W.sent[1]);
	complain("10.2.9.1", &W.sent[1], 11, 0, 8);	/* the least there may be */
	/* Silence is asked twice. */
	until_sent(4);
	ATF_CHECK_EQ(3, W.sent[3].ttl);
	went(&W.sent[3]);
	until_sent(5);
	ATF_CHECK_EQ(4, W.sent[4].ttl);
	went(&W.sent[4]);
	answer("10.2.0.1", &W.sent[4]);
	text = hear(fd);
	no_times(text);
	ATF_CHECK_STREQ("{\"kind\":\"hop\",\"hop\":1,\"from\":\"10.2.0.254\","
	    "\"rtt_us\":,\"answer\":\"expired\"}\n"
	    "{\"kind\":\"hop\",\"hop\":2,\"from\":\"10.2.9.1\","
	    "\"rtt_us\":,\"answer\":\"expired\"}\n"
	    "{\"kind\":\"hop\",\"hop\":3,\"answer\":\"no reply\"}\n"
	    "{\"kind\":\"hop\",\"hop\":4,\"from\":\"10.2.0.1\","
	    "\"rtt_us\":,\"answer\":\"reply\"}\n{\"end\":true}\n", text);
	ATF_CHECK(W.ctl->c[0].ping == NULL);
	/* Unreachable is an end, too. */
	W.nsent = 0;
	say(fd, "trace boise\n");
	until_sent(1);
	went(&W.sent[0]);
	complain("10.2.0.254", &W.sent[0], 3, 1, ICMP_PROBELEN);
	ATF_CHECK(strstr(hear(fd), "\"answer\":\"unreachable\"}\n{\"end\":true}")
	    != NULL);
}

/* One target, as configured; to be set before it is visited. */
static int
how_visit(struct conf_keepalive *ka)
{
	struct watch_conf wc;
	int fd;

	world();
	W.real = 1;
	memset(&wc, 0, sizeof(wc));
	(void)strlcpy(wc.name, "boise", sizeof(wc.name));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
	ATF_REQUIRE_EQ(0, addr_parse(&wc.target, "10.2.0.1"));
	wc.nfrom = wc.nto = 1;
	wc.interval_ms = 10000;
	wc.ka = ka;
	watch_conf_begin(W.watch);
	ATF_REQUIRE_EQ(0, watch_conf_add(W.watch, &wc));
	watch_conf_commit(W.watch, now(NULL));
	ATF_REQUIRE_EQ(0, watch_addrs(W.watch, &W.mine, 1, now(NULL)));
	fd = visit();
	(void)hear(fd);
	return (fd);
}

/* They go as the target's probes go; what is said with ping goes before that. */
ATF_TC_WITHOUT_HEAD(as_probes);
ATF_TC_BODY(as_probes, tc)
{
	struct conf_keepalive *ka = conf_keepalive_new();
	int fd;

	(void)tc;
	ATF_REQUIRE(ka != NULL);
	ka->size = 200;
	ka->dscp = 46;
	ka->ttl = 9;
	ka->nodf = 1;
	ka->route = KA_MARK;
	ka->number = 7;
	fd = how_visit(ka);
	say(fd, "ping boise 1 10\n");
	until_sent(1);
	ATF_CHECK_EQ(200, W.sent[0].size);
	ATF_CHECK_EQ(46, W.sent[0].dscp);
	ATF_CHECK_EQ(9, W.sent[0].ttl);
	ATF_CHECK_EQ(1, W.sent[0].nodf);
	ATF_REQUIRE(W.sent[0].route != NULL);
	ATF_CHECK_EQ(ICMP_MARK, W.sent[0].route->kind);
	ATF_CHECK_EQ(7, W.sent[0].route->number);
	went(&W.sent[0]);
	answer("10.2.0.1", &W.sent[0]);
	ATF_CHECK(strstr(hear(fd), "\"octets\":200,") != NULL);
	W.nsent = 0;
	say(fd, "ping boise 1 10 1000\n");
	until_sent(1);
	ATF_CHECK_EQ(1000, W.sent[0].size);
	went(&W.sent[0]);
	answer("10.2.0.1", &W.sent[0]);
	(void)hear(fd);
	W.nsent = 0;
	say(fd, "trace boise\n");
	until_sent(1);
	ATF_CHECK_EQ(1, W.sent[0].ttl);
	ATF_CHECK_EQ(200, W.sent[0].size);
	ATF_CHECK_EQ(46, W.sent[0].dscp);
	ATF_REQUIRE(W.sent[0].route != NULL);
	went(&W.sent[0]);
	complain("10.2.0.254", &W.sent[0], 11, 0, ICMP_PROBELEN);
	until_sent(2);
	ATF_CHECK_EQ(2, W.sent[1].ttl);
}

/* The peer's gateway is pinged by what it says of a TTL of 1, from inside of its nets. */
ATF_TC_WITHOUT_HEAD(gateway);
ATF_TC_BODY(gateway, tc)
{
	struct conf_keepalive *ka = conf_keepalive_new();
	char *text;
	int fd;

	(void)tc;
	ATF_REQUIRE(ka != NULL);
	ka->gateway = 1;
	fd = how_visit(ka);
	say(fd, "ping boise 2 10\n");
	until_sent(2);
	ATF_CHECK_EQ(1, W.sent[0].ttl);
	went(&W.sent[0]);
	went(&W.sent[1]);
	complain("10.2.0.254", &W.sent[0], 11, 0, ICMP_PROBELEN);
	complain("10.9.0.1", &W.sent[1], 11, 0, ICMP_PROBELEN);
	text = hear(fd);
	no_times(text);
	ATF_CHECK(strstr(text, "{\"kind\":\"reply\",\"seq\":0,\"from\":\"10.2.0.254\","
	    "\"octets\":64,\"rtt_us\":}\n{\"kind\":\"loss\",\"seq\":1,"
	    "\"from\":\"10.9.0.1\",\"reason\":\"answered beside the tunnel, from outside of its "
	    "nets: at most the way there works\"}") != NULL);
	ATF_CHECK(strstr(text, "\"sent\":2,\"received\":1,\"lost\":1,\"beside\":1,") != NULL);
	/* somebody on the way is no gateway, whatever it says */
	W.nsent = 0;
	say(fd, "ping boise 1 10\n");
	until_sent(1);
	went(&W.sent[0]);
	complain("10.9.0.1", &W.sent[0], 3, 1, ICMP_PROBELEN);
	text = hear(fd);
	ATF_CHECK(strstr(text, "\"reason\":\"unreachable\"}") != NULL);
	ATF_CHECK(strstr(text, "\"lost\":1,\"beside\":0,") != NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ping);
	ATF_TP_ADD_TC(tp, ping_backup);
	ATF_TP_ADD_TC(tp, trace);
	ATF_TP_ADD_TC(tp, as_probes);
	ATF_TP_ADD_TC(tp, gateway);
	return (atf_no_error());
}
