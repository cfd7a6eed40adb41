/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl doctor: each kind of trouble that iked tells of has its cause as the first
 * finding, and a reason that another trouble has is not named.
 */

#include <atf-c.h>
#include <string.h>

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
		{ "passive", "identity", "its identity is FQDN/salem.example",
		    "identities of the two sides do not fit" },
		{ "passive", "ike-proposal", "no enc in common", "ikesa" },
		{ "backoff", "child-proposal", "NO_PROPOSAL_CHOSEN", "childsa" },
		{ "backoff", "selectors", "TS_UNACCEPTABLE", "mirrored" },
		{ "backoff", "no-answer-auth", "", "4500" },
		{ "passive", "", "", "passive on both sides never starts" },
		{ "ondemand", "", "", "no packet has asked for it" },
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
	static const struct { int in, out, encap; const char *cause; } all[] = {
		{ 0, 20, 0, "ESP (IP protocol 50)" },
		{ 0, 20, 1, "ESP in UDP 4500" },
		{ 20, 0, 0, "packets come out of the tunnel and none go in" },
		{ 0, 0, 0, "no packet has gone into the tunnel from either side" },
		{ 50, 50, 0, "it has passed traffic" },
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
		doctor_traffic(&p, &fs);
		ATF_CHECK_MSG(strstr(first(&fs)->cause, all[i].cause) != NULL, "%s",
		    first(&fs)->cause);
		json_decref(tunnel);
		json_decref(sa);
	}
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

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, down);
	ATF_TP_ADD_TC(tp, traffic);
	ATF_TP_ADD_TC(tp, room);
	ATF_TP_ADD_TC(tp, host);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
