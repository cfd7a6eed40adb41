/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl doctor: each kind of trouble that iked tells of has its cause as the first
 * finding, and a reason that another trouble has is not named.
 */

#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sbin/ipsecctl/doctor.h"
#include "sbin/ipsecctl/show.h"

static json_t	*tunnel, *sa;

static void
patient(struct patient *p, const char *state, const char *reason, const char *error)
{
	memset(p, 0, sizeof(*p));
	tunnel = json_pack("{s:s,s:s,s:s,s:s,s:s}", "tunnel", "boise", "state", state,
	    "reason", reason, "error", error, "local", "192.0.2.1");
	ATF_REQUIRE(tunnel != NULL);
	p->tunnel = tunnel;
}

static const struct finding *
first(const struct findings *fs)
{
	const struct finding *best = &fs->f[0];
	size_t i;

	ATF_REQUIRE(fs->n > 0);
	for (i = 1; i < fs->n; i++)
		if (fs->f[i].likely > best->likely)
			best = &fs->f[i];
	return (best);
}

ATF_TC_WITHOUT_HEAD(down);
ATF_TC_BODY(down, tc)
{
	static const struct { const char *state, *reason, *error, *cause; } all[] = {
		{ "backoff", "auth-refused", "peer says AUTHENTICATION_FAILED",
		    "the secrets differ" },
		{ "passive", "secret", "refused to peer 192.0.2.1: AUTH does not verify",
		    "the secrets of the two sides differ" },
		{ "backoff", "auth-refused", "peer says AUTHENTICATION_FAILED",
		    "or the identities differ" },
		{ "backoff", "ike-proposal", "peer says NO_PROPOSAL_CHOSEN",
		    "or has no tunnel for our address" },
		{ "passive", "identity", "its identity is FQDN/salem.example",
		    "identities of the two sides do not fit" },
		{ "passive", "ike-proposal", "refused to peer 192.0.2.1: no enc in common",
		    "no transforms of ikesa in common" },
		{ "backoff", "child-proposal", "NO_PROPOSAL_CHOSEN", "childsa" },
		{ "backoff", "selectors", "TS_UNACCEPTABLE", "mirrored" },
		{ "backoff", "no-answer-auth", "", "4500" },
		{ "passive", "", "", "passive on both sides never starts" },
		{ "ondemand", "", "", "no packet asks for it" },
	};
	struct patient p;
	struct findings fs;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, all[i].state, all[i].reason, all[i].error);
		if (strcmp(all[i].reason, "no-answer-auth") == 0)
			ATF_REQUIRE_EQ(addr_parse(&p.remote, "127.0.0.1"), 0);
		doctor_down(&p, &fs);
		ATF_CHECK_MSG(strstr(first(&fs)->cause, all[i].cause) != NULL,
		    "%s: %s", all[i].reason, first(&fs)->cause);
		ATF_CHECK(first(&fs)->advice[0] != '\0');
		ATF_CHECK_MSG(strcmp(first(&fs)->evidence, all[i].error) == 0 ||
		    all[i].error[0] == '\0', "%s", first(&fs)->evidence);
		json_decref(tunnel);
	}
}

/* What the counters say, in which direction it does not go. */
ATF_TC_WITHOUT_HEAD(traffic);
ATF_TC_BODY(traffic, tc)
{
	static const struct { int in, out, encap, poked, moved_in, moved_out; const char *cause; }
	    all[] = {
		{ 0, 20, 0, 0, 0, 0, "ESP (IP protocol 50) to the peer, or from it to us" },
		{ 0, 20, 1, 0, 0, 0, "ESP in UDP 4500" },
		{ 0, 0, 0, 3, 0, 3, "ESP (IP protocol 50)" },
		{ 20, 0, 0, 0, 0, 0, "packets come out of the tunnel and none go in" },
		{ 0, 0, 0, 0, 0, 0, "no packet has gone into the tunnel here" },
		{ 0, 0, 0, 3, 0, 0, "does not reach the tunnel" },
		{ 50, 50, 0, 0, 0, 0, "it has passed traffic" },
	};
	struct patient p;
	struct findings fs;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "up", "", "");
		sa = json_pack("{s:i,s:i,s:b}", "packets_in", all[i].in, "packets_out",
		    all[i].out, "encap", all[i].encap);
		ATF_REQUIRE(sa != NULL);
		p.sa = sa;
		p.poked = all[i].poked;
		p.moved_in = (uint64_t)all[i].moved_in;
		p.moved_out = (uint64_t)all[i].moved_out;
		doctor_traffic(&p, &fs);
		ATF_CHECK_MSG(strstr(first(&fs)->cause, all[i].cause) != NULL, "%zu: %s", i,
		    first(&fs)->cause);
		json_decref(tunnel);
		json_decref(sa);
	}
}

/* What passes now, and yet is not well; where all is well, nothing is said. */
ATF_TC_WITHOUT_HEAD(passing);
ATF_TC_BODY(passing, tc)
{
	static const struct { const char *reason; unsigned int large; int ok; const char *cause; }
	    all[] = {
		{ "", 1400, 1, NULL },
		{ "", 0, 0, NULL },
		{ "", 1400, 0, "small packets pass the tunnel and large ones do not" },
		{ "rekey-failed", 1400, 1, "(PFS) differs" },
	};
	struct patient p;
	struct findings fs;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "up", all[i].reason, "");
		sa = json_pack("{s:i,s:i}", "packets_in", 9, "packets_out", 9);
		ATF_REQUIRE(sa != NULL);
		p.sa = sa;
		p.passing = p.answered = 1;
		p.poked = 1;
		p.moved_in = p.moved_out = 1;
		p.large = all[i].large;
		p.answered_large = all[i].ok;
		doctor_traffic(&p, &fs);
		if (all[i].cause == NULL)
			ATF_CHECK_EQ_MSG(fs.n, 0, "%s", fs.f[0].cause);
		else
			ATF_CHECK_MSG(strstr(first(&fs)->cause, all[i].cause) != NULL, "%s",
			    first(&fs)->cause);
		json_decref(tunnel);
		json_decref(sa);
	}
}

/* A peer that came and was refused is not said not to have come. */
ATF_TC_WITHOUT_HEAD(called);
ATF_TC_BODY(called, tc)
{
	struct patient p;
	struct findings fs = { .n = 0 };

	(void)tc;
	patient(&p, "passive", "secret", "refused to peer 192.0.2.1: AUTH does not verify");
	doctor_down(&p, &fs);
	ATF_CHECK_EQ(fs.n, 1);
	ATF_CHECK(strstr(fs.f[0].cause, "secrets") != NULL);
	json_decref(tunnel);
}

/* Who waits and whose peer is there, knows on which side it sticks. */
ATF_TC_WITHOUT_HEAD(waits);
ATF_TC_BODY(waits, tc)
{
	static const char there[] = "its own side that keeps it from calling";
	struct patient p;
	struct findings fs;
	int answers;

	(void)tc;
	for (answers = 0; answers < 2; answers++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "passive", "", "");
		doctor_wait(&p, answers, &fs);
		ATF_REQUIRE_EQ(fs.n, 1);
		ATF_CHECK(strstr(fs.f[0].cause, "passive on both sides never starts") != NULL);
		ATF_CHECK_EQ(strstr(fs.f[0].cause, there) != NULL, answers);
		ATF_CHECK_EQ(strstr(fs.f[0].evidence, "it has answered") != NULL, answers);
		json_decref(tunnel);
	}
	memset(&fs, 0, sizeof(fs));
	patient(&p, "ondemand", "", "");
	doctor_wait(&p, 1, &fs);
	ATF_REQUIRE_EQ(fs.n, 1);
	ATF_CHECK(strstr(fs.f[0].cause, there) == NULL);
	json_decref(tunnel);
}

/* A peer that brings it up and sends nothing; SAs that do not stay. */
ATF_TC_WITHOUT_HEAD(unused);
ATF_TC_BODY(unused, tc)
{
	static const char nothing[] = "brought it up and sent nothing by it",
	    again[] = "replaced again and again";
	static const struct {
		const char *wake; int since, before, answered, replaced; const char *cause;
	} all[] = {
		{ "peer", 12000, 0, 1, 0, nothing },
		{ "command", 12000, 0, 1, 0, NULL },
		{ "peer", 1000, 0, 1, 0, NULL },
		{ "peer", 12000, 1, 1, 0, NULL },
		{ "peer", 12000, 0, 1, 1, NULL },
		{ "command", 12000, 0, 1, 1, NULL },
		{ "command", 12000, 0, 1, 2, again },
	};
	struct patient p;
	struct findings fs;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "up", "", "");
		(void)json_object_set_new(tunnel, "wake", json_string(all[i].wake));
		(void)json_object_set_new(tunnel, "since_ms", json_integer(all[i].since));
		sa = json_pack("{s:i}", "packets_in", all[i].before);
		ATF_REQUIRE(sa != NULL);
		p.sa = sa;
		p.passing = p.poked = 1;
		p.moved_in = p.moved_out = 1;
		p.before_in = (uint64_t)all[i].before;
		p.answered = all[i].answered;
		p.replaced = all[i].replaced;
		doctor_traffic(&p, &fs);
		ATF_CHECK_EQ_MSG(fs.n, all[i].cause != NULL, "%zu", i);
		if (fs.n > 0)
			ATF_CHECK_MSG(strstr(fs.f[0].cause, all[i].cause) != NULL, "%s",
			    fs.f[0].cause);
		json_decref(tunnel);
		json_decref(sa);
	}
}

/* What else the counters, and what the peer has begun, tell. */
ATF_TC_WITHOUT_HEAD(else_);
ATF_TC_BODY(else_, tc)
{
	static const struct { int in, out, clear, answered, passing; const char *cause; } all[] = {
		{ 12, 1, 0, 1, 1, "more comes out of the tunnel than goes in" },
		{ 1, 12, 0, 1, 1, "more goes into the tunnel than comes out" },
		{ 3, 3, 0, 0, 1, "does not answer us" },
		{ 0, 3, 4, 0, 0, "come in clear" },
	};
	struct patient p;
	struct findings fs;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "up", "", "");
		sa = json_pack("{s:i,s:i}", "packets_in", 0, "packets_out", 0);
		p.sa = sa;
		p.poked = 1;
		p.passing = all[i].passing;
		p.moved_in = (uint64_t)all[i].in;
		p.moved_out = (uint64_t)all[i].out;
		p.clear_in = (uint64_t)all[i].clear;
		p.answered = all[i].answered;
		doctor_traffic(&p, &fs);
		ATF_CHECK_MSG(strstr(first(&fs)->cause, all[i].cause) != NULL, "%zu: %s", i,
		    first(&fs)->cause);
		ATF_CHECK_EQ(fs.n, 1);
		json_decref(tunnel);
		json_decref(sa);
	}
	memset(&fs, 0, sizeof(fs));
	patient(&p, "passive", "", "");
	p.begun = 2;
	doctor_down(&p, &fs);
	ATF_CHECK_EQ(fs.n, 1);
	ATF_CHECK(strstr(fs.f[0].cause, "calls us and does not go on") != NULL);
	json_decref(tunnel);
}

/* No daemon: what is wrong with its file, as iked would say it. */
ATF_TC_WITHOUT_HEAD(absent);
ATF_TC_BODY(absent, tc)
{
	static const struct { const char *text, *says; } all[] = {
		{ "ikev2 \"a\" esp from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 ikesa enc aes-9 "
		    "psk \"a secret that is long enough\"\n", "its file cannot be used: x.conf:1:" },
		{ "# nothing\n", "it has nothing to do: x.conf has no tunnel" },
	};
	char line[2000];
	size_t i, n;
	FILE *f;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ATF_REQUIRE((f = fopen("x.conf", "w")) != NULL);
		(void)fputs(all[i].text, f);
		ATF_REQUIRE(fclose(f) == 0 && chmod("x.conf", 0600) == 0);
		ATF_REQUIRE(freopen("out", "w", stdout) != NULL);
		ATF_CHECK_EQ(doctor_absent("iked is not running", "x.conf"), 1);
		(void)fflush(stdout);
		ATF_REQUIRE((f = fopen("out", "r")) != NULL);
		n = fread(line, 1, sizeof(line) - 1, f);
		line[n] = '\0';
		(void)fclose(f);
		/* unless this machine has a daemon of its own */
		ATF_CHECK_MSG(strstr(line, all[i].says) != NULL || strstr(line,
		    "another program holds") != NULL, "%s", line);
	}
}

/* A datagram from here to here, to a port where nobody listens, is answered. */
ATF_TC_WITHOUT_HEAD(poke);
ATF_TC_BODY(poke, tc)
{
	json_t *nets = json_pack("[s]", "127.0.0.0/8"), *one = json_pack("[s]",
	    "192.0.2.7/32"), *odd = json_pack("[s]", "10.1.0.1-10.1.0.9");
	struct addr a, by;
	char text[ADDR_STRLEN];
	int fd, i;

	(void)tc;
	ATF_REQUIRE_EQ(doctor_first_host(one, &a), 0);
	ATF_CHECK_STREQ(addr_str(&a, text), "192.0.2.7");
	ATF_CHECK_EQ(doctor_first_host(odd, &a), -1);
	ATF_REQUIRE_EQ(doctor_first_host(nets, &a), 0);
	ATF_CHECK_STREQ(addr_str(&a, text), "127.0.0.1");
	ATF_REQUIRE((fd = host_poke_open(&a, &a)) != -1);
	ATF_CHECK_EQ(host_poked(fd), 0);
	/* such answers are limited to some a second */
	for (i = 0; i < 50 && !host_poked(fd); i++) {
		host_poke(fd, 0, 0);
		(void)usleep(100 * 1000);
	}
	ATF_CHECK(i < 50);
	(void)close(fd);
	/* and who says so is told, where the system does */
	ATF_CHECK_EQ(host_knock(&a, 33435, &by), ECONNREFUSED);
	if (by.fam != ADDR_NONE)
		ATF_CHECK_STREQ(addr_str(&by, text), "127.0.0.1");
#ifdef __linux__
	ATF_CHECK_EQ(by.fam, ADDR_V4);
#endif
	json_decref(nets);
	json_decref(one);
	json_decref(odd);
}

/* More than there is room for does no harm, and controls are not printed. */
ATF_TC_WITHOUT_HEAD(room);
ATF_TC_BODY(room, tc)
{
	struct findings fs = { .n = 0 };
	int i;

	(void)tc;
	for (i = 0; i < 2 * FINDINGS_MAX; i++)
		finding_set(finding_new(&fs, i)->cause, "a\033[2J%d", i);
	ATF_CHECK_EQ(fs.n, FINDINGS_MAX);
	ATF_CHECK(strchr(fs.f[0].cause, '\033') == NULL);
	ATF_CHECK_EQ(fs.f[FINDINGS_MAX - 1].likely, 2 * FINDINGS_MAX - 1);
}

/* The nets of this machine: loopback is there, and a net nobody has is not. */
ATF_TC_WITHOUT_HEAD(host);
ATF_TC_BODY(host, tc)
{
	json_t *nets = json_pack("[s]", "127.0.0.0/8"), *none = json_pack("[s]",
	    "198.51.100.0/24"), *odd = json_pack("[s]", "10.1.0.1-10.1.0.9");
	struct addr a;
	char dev[64];

	(void)tc;
	if (host_inside(nets, &a, dev) == 1)
		ATF_CHECK(strncmp(dev, "lo", 2) == 0);
	ATF_CHECK_EQ(host_inside(none, &a, dev), 0);
	ATF_CHECK_EQ(host_inside(odd, &a, dev), -1);
	json_decref(nets);
	json_decref(none);
	json_decref(odd);
}

/* The next try does not hide why the last one failed. */
ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	struct patient p;
	char text[300];

	(void)tc;
	patient(&p, "connecting", "ike-proposal", "peer says NO_PROPOSAL_CHOSEN");
	show_tunnel_words(p.tunnel, text, sizeof(text));
	ATF_CHECK_MSG(strncmp(text, "connecting: waiting for the peer", 32) == 0, "%s", text);
	ATF_CHECK_MSG(strstr(text, "(last: peer says NO_PROPOSAL_CHOSEN)") != NULL, "%s", text);
	json_decref(tunnel);
}

/* What ICMP has said is told, and who said it decides what it means. */
ATF_TC_WITHOUT_HEAD(icmp);
ATF_TC_BODY(icmp, tc)
{
	static const struct { const char *what, *by; int ms; const char *says, *cause; } all[] = {
		{ "port unreachable", "192.0.2.9", 3000, "ICMP port unreachable, says 192.0.2.9 "
		    "3s ago", "a firewall on the way, that of 192.0.2.9, refuses what iked sends "
		    "to 127.0.0.1 [icmp]" },
		{ "port unreachable", "127.0.0.1", 3000, "ICMP port unreachable, says 127.0.0.1 "
		    "3s ago", "127.0.0.1 says that nobody listens there" },
		{ "host unreachable", "192.0.2.9", 10000, "ICMP host unreachable, says 192.0.2.9 "
		    "10s ago", "192.0.2.9 says that what iked sends to 127.0.0.1 does not arrive" },
		/* who was not there then may be there now */
		{ "host unreachable", "192.0.2.9", 10001, "ICMP host unreachable, says 192.0.2.9 "
		    "10s ago", NULL },
		{ "", "any", 0, "", NULL },
	};
	struct patient p;
	struct findings fs;
	char text[400];
	size_t i, k;
	unsigned int said;

	(void)tc;
	for (k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		memset(&fs, 0, sizeof(fs));
		patient(&p, "connecting", "no-answer", "the peer does not answer");
		(void)json_object_set_new(tunnel, "icmp", json_string(all[k].what));
		(void)json_object_set_new(tunnel, "icmp_by", json_string(all[k].by));
		(void)json_object_set_new(tunnel, "icmp_ms", json_integer(all[k].ms));
		ATF_REQUIRE_EQ(addr_parse(&p.remote, "127.0.0.1"), 0);
		doctor_down(&p, &fs);
		/* our own question says the same: once is enough */
		for (i = said = 0; i < fs.n; i++)
			said += strstr(fs.f[i].cause, "nobody listens") != NULL;
		ATF_CHECK_MSG(said <= 1, "%s: said %u times", all[k].says, said);
		for (i = 0; i < fs.n && strstr(fs.f[i].cause, "[icmp]") == NULL; i++)
			;
		ATF_REQUIRE_MSG((i < fs.n) == (all[k].cause != NULL), "%s", all[k].says);
		if (all[k].cause != NULL) {
			ATF_CHECK_MSG(strstr(fs.f[i].cause, all[k].cause) != NULL, "%s",
			    fs.f[i].cause);
			ATF_CHECK_STREQ(fs.f[i].evidence, all[k].says);
		}
		/* and show has it behind the error */
		show_tunnel_words(tunnel, text, sizeof(text));
		ATF_CHECK_EQ(strstr(text, "the peer does not answer; ICMP ") != NULL,
		    all[k].what[0] != '\0');
		ATF_CHECK_MSG(strstr(text, all[k].says) != NULL, "%s", text);
		json_decref(tunnel);
	}
}

/* netwatchd's verdict and its last answer; iked's copy of its report has neither. */
ATF_TC_WITHOUT_HEAD(watched);
ATF_TC_BODY(watched, tc)
{
	static const struct { const char *json, *words; } all[] = {
		{ "{\"state\":\"down\",\"verdict\":\"TARGET_SILENT\",\"last_reply_ms\":12000,"
		    "\"note\":\"it is down\"}",
		    "netwatchd: down, TARGET_SILENT, last answer 12s ago: it is down" },
		{ "{\"state\":\"acquiring\",\"verdict\":\"ACQUIRING\"}",
		    "netwatchd: acquiring, ACQUIRING, no answer so far" },
		{ "{\"state\":\"up\"}", "netwatchd: up" },
	};
	char words[FINDING_TEXT];
	json_t *k;
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ATF_REQUIRE((k = json_loads(all[i].json, 0, NULL)) != NULL);
		doctor_watch_words(k, words);
		ATF_CHECK_STREQ(words, all[i].words);
		json_decref(k);
	}
	ATF_CHECK(doctor_watch("/nonexistent/iked.sock") == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, down);
	ATF_TP_ADD_TC(tp, traffic);
	ATF_TP_ADD_TC(tp, passing);
	ATF_TP_ADD_TC(tp, called);
	ATF_TP_ADD_TC(tp, waits);
	ATF_TP_ADD_TC(tp, unused);
	ATF_TP_ADD_TC(tp, poke);
	ATF_TP_ADD_TC(tp, else_);
	ATF_TP_ADD_TC(tp, absent);
	ATF_TP_ADD_TC(tp, icmp);
	ATF_TP_ADD_TC(tp, watched);
	ATF_TP_ADD_TC(tp, room);
	ATF_TP_ADD_TC(tp, host);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
