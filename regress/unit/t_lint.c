/* SPDX-License-Identifier: ISC */
/* What `iked -n' tells of a file that can be used: each check finds its case, and leaves
 * a sound configuration alone. */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "conf/lint.h"

#define PSK	"psk \"q7Lm2Xw9Rt4Kz8Vb1Nc6Jd3Hf5Gs0P\"\n"
#define PSK2	"psk \"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0x\"\n"
#define NETS	"from 10.1.0.0/24 to 10.2.0.0/24 "
#define ENDS	"local 192.0.2.1 peer 198.51.100.1 "
#define PFS	"childsa enc aes-256-gcm group curve25519 "
#define ONE	"ikev2 \"t\" esp " NETS ENDS PFS

static char said[8192];
static unsigned int nsaid;

static void
say(void *arg, const struct conf_tunnel *t, const char *text)
{
	ATF_CHECK(arg == said);
	nsaid++;
	(void)strlcat(said, t->name, sizeof(said));
	(void)strlcat(said, ": ", sizeof(said));
	(void)strlcat(said, text, sizeof(said));
	(void)strlcat(said, "\n", sizeof(said));
}

static int says_nat, says_drops;

static int
nat(void *arg, const struct prefix *from, const struct prefix *to, const struct addr *peer,
    char *text)
{
	ATF_CHECK(arg == said && from->len > 8 && to->len > 8 && peer->fam == ADDR_V4);
	(void)strlcpy(text, "that rule", LINT_RULE);
	return (says_nat);
}

static int
drops(void *arg, const struct addr *local, const struct addr *peer, char *text)
{
	ATF_CHECK(arg == said && local->fam == ADDR_V4 && peer->fam == ADDR_V4);
	(void)strlcpy(text, "ESP from the peer (that rule)", LINT_RULE);
	return (says_drops);
}

/* rules: -1 nothing is known; what nat() says; 4: IKE is dropped */
static void
run(const char *text, int rules)
{
	static struct conf_errors errs;
	struct addr		 a[2];
	struct lint_env		 env = { a, 2, nat, drops, said };
	struct conf		*c;

	ATF_REQUIRE_EQ(0, addr_parse(&a[0], "192.0.2.1"));
	ATF_REQUIRE_EQ(0, addr_parse(&a[1], "10.1.0.1"));
	c = conf_parse("t", text, strlen(text), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s: %s", text, errs.e[0].text);
	says_nat = rules & 3;
	says_drops = rules == 4;
	if (rules == -1) {
		env.nat = NULL;
		env.drops = NULL;
	}
	said[0] = '\0';
	nsaid = 0;
	ATF_REQUIRE_EQ(0, conf_lint(c, &env, say, said));
	conf_free(c);
}

static const struct {
	const char	*text, *want;	/* want NULL: nothing is said */
	int		 rules;
} rows[] = {
	{ ONE PSK, NULL, 0 },
	{ ONE PSK, NULL, -1 },
	{ ONE "psk \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n", "only 1 different characters", 0 },
	{ ONE "psk \"My Password is 4 words 0815 !\"\n", "a word in it that everybody", 0 },
	{ ONE "psk \"change me: the output of openssl rand -hex 32\"\n", "everybody tries", 0 },
	{ "ikev2 \"t\" esp " NETS ENDS "childsa enc aes-256-gcm " PSK, "no PFS", 0 },
	{ "ikev2 \"t\" esp " NETS ENDS PFS "childsa enc aes-128-gcm " PSK,
	    "the peer decides whether there is PFS", 0 },
	{ "ikev2 \"t\" transport esp from 192.0.2.1 to 198.51.100.1 " ENDS PFS PSK,
	    "STIG V-3008", 0 },
	{ "ikev2 \"t\" esp from 192.0.2.0/24 to 198.51.0.0/16 " ENDS PFS PSK,
	    "goes into its own tunnel", 0 },
	{ "ikev2 \"t\" esp from 192.0.2.1 to 198.51.100.1 " ENDS PFS PSK, NULL, 0 },
	{ "ikev2 \"t\" esp from 10.9.0.0/24 to 10.2.0.0/24 " ENDS PFS PSK,
	    "no address of this machine is in from 10.9.0.0/24", 0 },
	{ "ikev2 \"t\" esp " NETS "local 192.0.2.9 peer 198.51.100.1 " PFS PSK,
	    "local 192.0.2.9 is no address of this machine", 0 },
	{ ONE "lifetime 60s " PSK, "no room for jitter", 0 },
	{ ONE "ikelifetime 1h " PSK, "the IKE SA lives shorter (3600 s)", 0 },
	{ ONE PSK, "NAT gives packets to 10.2.0.0/24 another source before the policy sees them, "
	    "and they leave in clear (that rule): above it in that chain \"ip saddr 10.1.0.0/24 "
	    "ip daddr 10.2.0.0/24 accept\"", 1 },
	{ ONE PSK, "NAT may give packets to 10.2.0.0/24", 2 },
	{ "ikev2 \"t\" esp from 10.1.0.1 to 10.2.0.0/24 " ENDS PFS PSK, "NAT gives", 1 },
	/* NAT gives it the address it has */
	{ "ikev2 \"t\" esp from 192.0.2.1 to 10.2.0.0/24 " ENDS PFS PSK, NULL, 1 },
	{ ONE PSK, "own packet filter drops ESP from the peer (that rule)", 4 },
	{ ONE "keepalive target gateway interval 1s " PSK, "t: target gateway is answered with "
	    "ICMP errors, which routers limit (Linux: one a second), and more are asked for: some "
	    "will be missed; write \"interval 2s\" or longer, or an address after target", 0 },
	{ ONE "keepalive target gateway interval 2s " PSK, NULL, 0 },
	{ ONE "keepalive target gateway " PSK, NULL, 0 },
	{ ONE "keepalive target gateway interval 1s pace off " PSK, NULL, 0 },
	{ ONE "keepalive target 10.2.0.1 interval 1s " PSK, NULL, 0 },
	/* networks in networks */
	{ ONE PSK "ikev2 \"u\" esp from 10.1.0.0/24 to 10.2.0.128/25 local 192.0.2.1 "
	    "peer 198.51.100.2 " PFS PSK2, "u: to 10.2.0.128/25 lies in 10.2.0.0/24 of \"t\"", 0 },
	{ ONE PSK "ikev2 \"u\" esp from 10.1.0.0/16 to 10.2.0.128/25 local 192.0.2.1 "
	    "peer 198.51.100.2 " PFS PSK2, "make one narrower on both sides", 0 },
	{ ONE PSK "ikev2 \"u\" esp from 10.1.0.0/16 to 10.2.0.0/24 local 192.0.2.1 "
	    "peer 198.51.100.2 " PFS PSK2, "lies in 10.2.0.0/24 of", 0 },
	{ ONE PSK "ikev2 \"u\" esp from 192.0.2.1 to 10.2.0.128/25 local 192.0.2.1 "
	    "peer 198.51.100.2 " PFS PSK2, NULL, 0 },
	{ ONE PSK "ikev2 \"u\" esp from 10.1.0.0/24 to 10.3.0.0/24 local 192.0.2.1 "
	    "peer 198.51.100.2 " PFS PSK2, NULL, 0 },
	{ "ikev2 \"t\" esp proto tcp " NETS ENDS PFS PSK "ikev2 \"u\" esp proto udp from "
	    "10.1.0.0/24 to 10.2.0.128/25 " ENDS PFS PSK, NULL, 0 }
};

ATF_TC_WITHOUT_HEAD(table);
ATF_TC_BODY(table, tc)
{
	size_t	 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(rows[i].text, rows[i].rules);
		if (rows[i].want == NULL)
			ATF_CHECK_MSG(nsaid == 0, "%s: %s", rows[i].text, said);
		else
			ATF_CHECK_MSG(nsaid == 1 && strstr(said, rows[i].want) != NULL,
			    "%s: not \"%s\" but %u: %s", rows[i].text, rows[i].want, nsaid,
			    said);
		/* a secret is never shown */
		ATF_CHECK_MSG(strstr(said, "aaaaa") == NULL && strstr(said, "0815") == NULL,
		    "%s", said);
	}
}

/* Ten thousand, one in the other: not each with each. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	static char	 text[4 << 20];
	size_t		 n = 0;
	int		 i;

	for (i = 0; i < 10000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "ikev2 \"t%d\" esp from "
		    "10.1.0.0/24 to 172.%d.%d.%d/32 local 192.0.2.1 peer 100.64.%d.%d " PFS PSK,
		    i, 16 + (i >> 16), (i >> 8) & 255, i & 255, (i >> 8) & 255, i & 255);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "ikev2 \"all\" esp from 10.1.0.0/24 "
	    "to 172.16.0.0/12 local 192.0.2.1 peer 100.65.0.1 " PFS PSK);
	ATF_REQUIRE(n < sizeof(text) - 1);
	run(text, 0);
	ATF_CHECK_EQ(10000, nsaid);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, table);
	ATF_TP_ADD_TC(tp, many);
	return (atf_no_error());
}
