/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl diff: pairs that mirror each other, in all forms; the article's pair; and
 * one thing broken at a time, whose line must name it and both places.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbin/ipsecctl/diff.h"
#include "sbin/ipsecctl/mirror.h"
#include "sbin/ipsecctl/side_file.h"

#define TOP	REGRESS_DATA "/../../"

/* Seattle, iked.conf */
#define IKED \
	"ikev2 \"boise\" active \\\n" \
	"\tfrom 10.1.0.0/24 to 10.2.0.0/24 \\\n" \
	"\tlocal 192.0.2.1 peer 198.51.100.1 \\\n" \
	"\tikesa enc aes-256 auth hmac-sha2-256 group modp2048 \\\n" \
	"\tchildsa enc aes-256 auth hmac-sha2-256 group modp2048 \\\n" \
	"\tlifetime 30m \\\n" \
	"\tpsk \"a secret that is long enough\"\n"

/* Boise: iked.conf */
#define BOISE \
	"ikev2 \"seattle\" from 10.2.0.0/24 to 10.1.0.0/24 \\\n" \
	"\tlocal 198.51.100.1 peer 192.0.2.1 \\\n" \
	"\tlifetime 30m \\\n" \
	"\tchildsa enc aes-256 auth hmac-sha2-256 group modp2048 \\\n" \
	"\tpsk \"a secret that is long enough\"\n"

/* Boise, as RouterOS 7 exports it, with its broken lines */
#define ROS7 \
	"# 2026-11-26 03:00:00 by RouterOS 7.17.2\n" \
	"# software id = \n" \
	"#\n" \
	"/ip ipsec profile\n" \
	"set [ find default=yes ] dpd-interval=2m dpd-maximum-failures=5\n" \
	"add dh-group=modp2048 enc-algorithm=aes-256 hash-algorithm=sha256 lifetime=8h \\\n" \
	"    name=seattle nat-traversal=yes\n" \
	"/ip ipsec peer\n" \
	"add address=192.0.2.1/32 comment=\"Seattle \\\n" \
	"    Peer\" exchange-mode=ike2 local-address=\\\n" \
	"    198.51.100.1 name=seattle profile=seattle\n" \
	"/ip ipsec proposal\n" \
	"set [ find default=yes ] disabled=yes\n" \
	"add auth-algorithms=sha256 enc-algorithms=aes-256-cbc name=seattle pfs-group=\\\n" \
	"    modp2048\n" \
	"/ip firewall filter\n" \
	"add action=accept chain=forward comment=\"defconf: accept in ipsec policy\" \\\n" \
	"    ipsec-policy=in,ipsec\n" \
	"add action=accept chain=forward ipsec-policy=out,ipsec\n" \
	"add action=fasttrack-connection chain=forward connection-state=\\\n" \
	"    established,related hw-offload=yes\n" \
	"/ip firewall nat\n" \
	"add action=accept chain=srcnat dst-address=10.1.0.0/24 src-address=10.2.0.0/24\n" \
	"add action=masquerade chain=srcnat out-interface-list=WAN\n" \
	"/ip ipsec identity\n" \
	"add peer=seattle secret=\"a secret that \\\n" \
	"    is long enough\"\n" \
	"/ip ipsec policy\n" \
	"set 0 disabled=yes\n" \
	"add comment=\"Seattle Traffic\" dst-address=10.1.0.0/24 peer=seattle proposal=\\\n" \
	"    seattle src-address=10.2.0.0/24 tunnel=yes\n"

/* Boise, swanctl.conf */
#define SWAN \
	"# Boise\n" \
	"connections {\n" \
	"\tseattle : defaults {\n" \
	"\t\tlocal_addrs = 198.51.100.1\n" \
	"\t\tremote_addrs = 192.0.2.1\n" \
	"\t\tproposals = aes256-sha256-modp2048, default\n" \
	"\t\tlocal { auth = psk\n" \
	"\t\t\tid = 198.51.100.1 }\n" \
	"\t\tremote {\n" \
	"\t\t\tauth = psk\n" \
	"\t\t}\n" \
	"\t\tchildren {\n" \
	"\t\t\tnet {\n" \
	"\t\t\t\tlocal_ts = 10.2.0.0/24\n" \
	"\t\t\t\tremote_ts = 10.1.0.0/24 # Seattle's\n" \
	"\t\t\t\tesp_proposals = aes256-sha256-modp2048\n" \
	"\t\t\t\trekey_time = 30m\n" \
	"\t\t\t\tstart_action = trap\n" \
	"\t\t\t}\n" \
	"\t\t}\n" \
	"\t}\n" \
	"}\n" \
	"defaults {\n" \
	"\tversion = 2\n" \
	"\trekey_time = 8h\n" \
	"}\n" \
	"secrets {\n" \
	"\tike-other { id = 203.0.113.9\n" \
	"\t\tsecret = \"another one\" }\n" \
	"\tike-seattle {\n" \
	"\t\tid = 192.0.2.1\n" \
	"\t\tsecret = \"a secret that is long enough\"\n" \
	"\t}\n" \
	"}\n"

/* The article's pair, with the addresses of documentation. */
#define ARTICLE_SEATTLE \
	"/ip ipsec peer\n" \
	"add address=198.51.100.1/32 comment=\"Boise Peer\" enc-algorithm=aes-128 " \
	"nat-traversal=no secret=my_secret\n" \
	"/ip ipsec policy\n" \
	"add comment=\"Boise Traffic\" src-address=10.1.0.0/24 dst-address=10.2.0.0/24 " \
	"sa-src-address=192.0.2.1 sa-dst-address=198.51.100.1 tunnel=yes\n" \
	"/ip firewall nat\n" \
	"add chain=srcnat action=accept src-address=10.1.0.0/24 dst-address=10.2.0.0/24\n" \
	"add chain=srcnat action=masquerade out-interface=ether1\n"
#define ARTICLE_BOISE \
	"/ip ipsec peer add address=192.0.2.1/32 comment=\"Seattle Peer\" " \
	"enc-algorithm=aes-128 nat-traversal=no secret=my_great_secret\n" \
	"/ip ipsec policy add comment=\"Seattle Traffic\" src-address=10.2.0.0/24 " \
	"dst-address=10.1.0.0/24 sa-src-address=198.51.100.1 sa-dst-address=192.0.2.1 " \
	"tunnel=yes\n" \
	"/ip firewall nat add chain=srcnat action=accept src-address=10.2.0.0/24 " \
	"dst-address=10.1.0.0/24\n" \
	"/ip firewall nat add chain=srcnat action=masquerade out-interface=ether1\n"

static char out[65536];

/* The exit status; what was printed, errors first, is in out. */
static int
diff(const char *an, const char *a, const char *bn, const char *b)
{
	struct side x, y;
	FILE *f;
	int rv = 2;

	memset(out, 0, sizeof(out));
	f = fmemopen(out, sizeof(out) - 1, "w");
	ATF_REQUIRE(f != NULL);
	if (side_parse(&x, an, NULL, (const uint8_t *)a, strlen(a), f) == 0) {
		if (side_parse(&y, bn, NULL, (const uint8_t *)b, strlen(b), f) == 0) {
			rv = diff_sides(&x, &y, f);
			side_free(&y);
		}
		side_free(&x);
	}
	ATF_REQUIRE_EQ(0, fclose(f));
	ATF_CHECK_MSG(strstr(out, "long enough") == NULL &&
	    strstr(out, "my_secret") == NULL && strstr(out, "great") == NULL, "%s", out);
	return (rv);
}

static char *
replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *s;

	ATF_REQUIRE_MSG(at != NULL, "no \"%s\" in the text", from);
	ATF_REQUIRE(asprintf(&s, "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from)) != -1);
	return (s);
}

/* Lines that are no notes. */
static unsigned int
differences(void)
{
	const char *p = out;
	unsigned int n = 0;

	for (; *p != '\0'; p = strchr(p, '\n') + 1)
		n += strncmp(p, "note: ", 6) != 0;
	return (n);
}

/* One thing is broken in Boise's text: one line, and this is it. */
static void
broken(const char *name, const char *text, const char *from, const char *to,
    const char *want)
{
	char *s = replaced(text, from, to);

	ATF_CHECK_EQ_MSG(1, diff("s.conf", IKED, name, s), "%s", out);
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	ATF_CHECK_MSG(strstr(out, want) != NULL, "%s\nno: %s", out, want);
	/* the other way round as well */
	ATF_CHECK_EQ_MSG(1, diff(name, s, "s.conf", IKED), "%s", out);
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	free(s);
}

/* It is no difference, but said. */
static void
noted(const char *name, const char *text, const char *from, const char *to,
    const char *want)
{
	char *s = replaced(text, from, to);

	ATF_CHECK_EQ_MSG(0, diff("s.conf", IKED, name, s), "%s", out);
	ATF_CHECK_MSG(strstr(out, want) != NULL, "%s\nno: %s", out, want);
	free(s);
}

static void
equal(const char *an, const char *a, const char *bn, const char *b)
{
	ATF_CHECK_EQ_MSG(0, diff(an, a, bn, b), "%s", out);
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	ATF_CHECK(strstr(out, " mirror each other: 1 peer\n") != NULL);
	ATF_CHECK_EQ_MSG(0, diff(bn, b, an, a), "%s", out);
}

ATF_TC_WITHOUT_HEAD(mirrors);
ATF_TC_BODY(mirrors, tc)
{
	equal("s.conf", IKED, "b.conf", BOISE);
	equal("s.conf", IKED, "b.rsc", ROS7);
	equal("s.conf", IKED, "b.swan", SWAN);
	ATF_CHECK_EQ_MSG(NULL, strstr(out, "note"), "%s", out);
}

ATF_TC_WITHOUT_HEAD(article);
ATF_TC_BODY(article, tc)
{
	char *s;

	ATF_CHECK_EQ(1, diff("seattle.rsc", ARTICLE_SEATTLE, "boise.rsc",
	    ARTICLE_BOISE));
	ATF_CHECK_STREQ("note: Boise Peer/Seattle Peer: seattle.rsc:2 and boise.rsc:1 both "
	    "speak IKEv1 (exchange-mode=main, RouterOS's default); iked speaks IKEv2 only\n"
	    "Boise Peer/Seattle Peer: secrets differ: seattle.rsc:2 and boise.rsc:1: write "
	    "the same one at both\n", out);
	/* strongSwan takes both versions */
	s = replaced(SWAN, "version = 2", "version = 0");
	ATF_CHECK_EQ(1, diff("seattle.rsc", ARTICLE_SEATTLE, "b.swan", s));
	free(s);
	ATF_CHECK_MSG(strstr(out, "note: Boise Peer/seattle: seattle.rsc:2 speaks IKEv1 "
	    "(exchange-mode=main, RouterOS's default); b.swan:24 takes that, but calls with "
	    "IKEv2") != NULL, "%s", out);
	/* its Seattle against our Boise */
	ATF_CHECK_EQ(1, diff("seattle.rsc", ARTICLE_SEATTLE, "b.conf", BOISE));
	ATF_CHECK_MSG(strstr(out, "seattle.rsc:2 speaks IKEv1 (exchange-mode=main, "
	    "RouterOS's default), b.conf:1 IKEv2: write exchange-mode=ike2") != NULL,
	    "%s", out);
	ATF_CHECK_MSG(strstr(out, "secrets differ: seattle.rsc:2 and b.conf:5") != NULL,
	    "%s", out);
	ATF_CHECK_MSG(strstr(out, "IKE SA: no common cipher") == NULL, "%s", out);
	ATF_CHECK_MSG(strstr(out, "IKE SA: no common integrity algorithm: seattle.rsc:2 has "
	    "hmac-sha1, b.conf:1 has hmac-sha2-256") != NULL, "%s", out);
}

ATF_TC_WITHOUT_HEAD(routeros);
ATF_TC_BODY(routeros, tc)
{
	broken("b.rsc", ROS7, "that \\\n    is", "that was", "secrets differ: s.conf:7 and "
	    "b.rsc:26: write the same one at both");
	broken("b.rsc", ROS7, "exchange-mode=ike2 ", "", "b.rsc:9 speaks IKEv1 "
	    "(exchange-mode=main, RouterOS's default), s.conf:1 IKEv2: write "
	    "exchange-mode=ike2");
	broken("b.rsc", ROS7, "192.0.2.1/32", "192.0.2.2/32", "endpoints differ: s.conf:3 "
	    "is at 192.0.2.1, b.rsc:9 expects it at 192.0.2.2");
	broken("b.rsc", ROS7, "198.51.100.1 name", "198.51.100.9 name",
	    "endpoints differ: b.rsc:11 is at 198.51.100.9, s.conf:3 expects it at "
	    "198.51.100.1");
	broken("b.rsc", ROS7, "peer=seattle secret", "peer=seattle my-id=fqdn:boise.example "
	    "secret", "identities differ: b.rsc:26 says it is FQDN/boise.example, s.conf:1 "
	    "expects IPV4/198.51.100.1: type and value must be the same");
	broken("b.rsc", ROS7, "peer=seattle secret", "peer=seattle remote-id=fqdn:x.example "
	    "secret", "identities differ: s.conf:1 says it is IPV4/192.0.2.1, b.rsc:26 "
	    "expects FQDN/x.example");
	broken("b.rsc", ROS7, "dst-address=10.1.0.0/24 peer", "dst-address=10.1.0.0/25 peer",
	    "networks do not mirror: s.conf:2 has 10.1.0.0/24 to 10.2.0.0/24, b.rsc:30 has "
	    "10.2.0.0/24 to 10.1.0.0/25");
	broken("b.rsc", ROS7, "src-address=10.2.0.0/24 tunnel=yes", "src-address="
	    "10.2.0.0/24 protocol=tcp tunnel=yes", "has 10.2.0.0/24[6] to 10.1.0.0/24[6]");
	broken("b.rsc", ROS7, "enc-algorithm=aes-256", "enc-algorithm=aes-128,3des",
	    "IKE SA: no common cipher: s.conf:4 has aes-256, b.rsc:6 has aes-128, 3des; "
	    "aes-256 would be common: write enc-algorithm=aes-256 at b.rsc:6");
	broken("b.rsc", ROS7, "hash-algorithm=sha256", "hash-algorithm=sha256 "
	    "prf-algorithm=sha1", "IKE SA: no common PRF: s.conf:4 has hmac-sha2-256, "
	    "b.rsc:6 has hmac-sha1");
	broken("b.rsc", ROS7, "dh-group=modp2048", "dh-group=ecp256,x25519", "IKE SA: no "
	    "common group: s.conf:4 has modp2048, b.rsc:6 has ecp256, curve25519; modp2048 "
	    "would be common: write dh-group=modp2048 at b.rsc:6");
	broken("b.rsc", ROS7, "enc-algorithms=aes-256-cbc", "enc-algorithms=aes-256-gcm",
	    "ESP: no common cipher: s.conf:5 has aes-256, b.rsc:14 has aes-256-gcm; aes-256 "
	    "would be common: write enc-algorithms=aes-256-cbc at b.rsc:14");
	broken("b.rsc", ROS7, "auth-algorithms=sha256 ", "", "ESP: no common integrity "
	    "algorithm: s.conf:5 has hmac-sha2-256, b.rsc:14 has hmac-sha1");
	broken("b.rsc", ROS7, "pfs-group=\\\n    modp2048", "pfs-group=none", "PFS differs: "
	    "the group is modp2048 at s.conf:5, none at b.rsc:14: the tunnel works until its "
	    "first rekey, and then stops; modp2048 would be common: write "
	    "pfs-group=modp2048 at b.rsc:14");
	broken("b.rsc", ROS7, " tunnel=yes", "", "b.rsc:30 is in transport mode (tunnel=no, "
	    "RouterOS's default), s.conf:1 in tunnel mode");
	broken("b.rsc", ROS7, "add action=accept chain=srcnat dst-address=10.1.0.0/24 "
	    "src-address=10.2.0.0/24\n", "", "b.rsc:23 translates the packets of b.rsc:29 "
	    "before IPsec sees them: above it, add chain=srcnat action=accept "
	    "src-address=10.2.0.0/24 dst-address=10.1.0.0/24");
	broken("b.rsc", ROS7, "add action=accept chain=forward ipsec-policy=out,ipsec\n", "",
	    "b.rsc:19 takes packets around the policy of b.rsc:29");
	broken("b.rsc", ROS7, "tunnel=yes", "tunnel=yes ipsec-protocols=ah",
	    "b.rsc:30 has AH, s.conf:1 has ESP");
	broken("b.rsc", ROS7, "add peer=seattle secret", "add auth-method=digital-signature "
	    "peer=seattle secret", "authentication differs: s.conf:7 has psk, b.rsc:26 has "
	    "digital-signature");
	noted("b.rsc", ROS7, "secret=\"a secret that \\\n    is long enough\"", "",
	    "b.rsc:9 has no secret (RouterOS 7 prints it with /export show-sensitive): not "
	    "compared");
	noted("b.rsc", ROS7, "nat-traversal=yes", "nat-traversal=no", "b.rsc:7: "
	    "nat-traversal=no counts in IKEv1 only");
	noted("b.rsc", ROS7, "lifetime=8h", "lifetime=2d03:00:00", "8h at s.conf:1, 51h at "
	    "b.rsc:6: not negotiated");
	noted("b.rsc", ROS7, "address=192.0.2.1/32", "address=seattle.example.com", ""
	    "\"seattle.example.com\" is not looked up");
	noted("b.rsc", ROS7, "hash-algorithm=sha256", "hash-algorithm=sha256 "
	    "prf-algorithm=sha256,new", "\"new\" in prf-algorithm is no algorithm");
}

/* What RouterOS lets one write otherwise. */
ATF_TC_WITHOUT_HEAD(routeros_forms);
ATF_TC_BODY(routeros_forms, tc)
{
	static const struct { const char *from, *to; } ways[] = {
		{ "secret=\"a secret that \\\n    is long enough\"",
		    "secret=0x6120736563726574207468617420697320"
		    "6c6f6e6720656e6f756768" },
		{ "secret=\"a secret that \\\n    is long enough\"",
		    "secret=\"a\\_secret\\20that \\\r\n\t is long enough\"" },
		{ "/ip ipsec identity\nadd", "/ip/ipsec/identity/add" },
		{ "/ip ipsec identity\nadd", "/ip ipsec\nidentity add" },
		{ "/ip ipsec identity\nadd", "/ip ipsec identity;add" },
		{ "/ip ipsec identity\n", "/ip ipsec identity\nadd disabled=yes peer=seattle "
		    "secret=x\n:log info \"add peer=seattle\"\n" },
		{ "/ip ipsec policy\n", "/ip ipsec policy group\nadd name=g\n"
		    "/ip ipsec policy\n" },
		{ "/ip ipsec identity\nadd", "ip ipsec identity add" },
		{ "tunnel=yes\n", "tunnel=true\nadd disabled=true dst-address=0.0.0.0/0 "
		    "peer=seattle src-address=10.2.0.0/24 tunnel=true\n" },
		{ "/ip ipsec identity\n", "/ip ipsec identity\n:do {/ip ipsec policy add "
		    "peer=seattle} on-error={ }\n" },
		{ "set 0 disabled=yes", "set *FFFFFF disabled=yes" },
		{ "add action=accept chain=srcnat dst-address=10.1.0.0/24 "
		    "src-address=10.2.0.0/24\nadd action=masquerade chain=srcnat "
		    "out-interface-list=WAN\n", "add action=masquerade chain=srcnat\n"
		    "add chain=srcnat dst-address=10.1.0.0/16 place-before=([find where "
		    "chain=srcnat action=masquerade]->0)\n" },
		{ "add action=accept chain=srcnat dst-address=10.1.0.0/24 "
		    "src-address=10.2.0.0/24\n", "" /* with: */ },
		{ "out-interface-list=WAN", "dst-address=!10.0.0.0/8" },
	};
	char *s, *t;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		s = replaced(ROS7, ways[i].from, ways[i].to);
		if (ways[i].to[0] == '\0') {
			t = replaced(s, "out-interface-list=WAN", "ipsec-policy=out,none");
			free(s);
			s = t;
		}
		equal("s.conf", IKED, "b.rsc", s);
		free(s);
	}
	/* as ssh brings it */
	ATF_REQUIRE((s = calloc(2, sizeof(ROS7))) != NULL);
	for (i = 0, t = s; ROS7[i] != '\0'; i++) {
		if (ROS7[i] == '\n')
			*t++ = '\r';
		*t++ = ROS7[i];
	}
	equal("s.conf", IKED, "b.rsc", s);
	free(s);
}

ATF_TC_WITHOUT_HEAD(swanctl);
ATF_TC_BODY(swanctl, tc)
{
	broken("b.swan", SWAN, "that is long", "that was long", "secrets differ: s.conf:7 and "
	    "b.swan:32");
	broken("b.swan", SWAN, "version = 2", "version = 1", "b.swan:24 speaks IKEv1, s.conf:1 "
	    "IKEv2: write version = 2");
	broken("b.swan", SWAN, "remote_addrs = 192.0.2.1", "remote_addrs = 192.0.2.7",
	    "endpoints differ: s.conf:3 is at 192.0.2.1, b.swan:5 expects it at 192.0.2.7");
	broken("b.swan", SWAN, "remote {", "remote {\n\t\t\tid = seattle.example",
	    "identities differ: s.conf:1 says it is IPV4/192.0.2.1, b.swan:10 expects "
	    "FQDN/seattle.example");
	broken("b.swan", SWAN, "id = 198.51.100.1", "id = \"boise@example.com\"",
	    "b.swan:8 says it is UFQDN/boise@example.com, s.conf:1 expects "
	    "IPV4/198.51.100.1");
	broken("b.swan", SWAN, "local_ts = 10.2.0.0/24", "local_ts = 10.2.0.0/24, 10.3.0.0/24",
	    "b.swan:14 has 10.3.0.0/24 to 10.1.0.0/24, for which s.conf has nothing: add "
	    "10.1.0.0/24 to 10.3.0.0/24 there, or remove it");
	broken("b.swan", SWAN, "aes256-sha256-modp2048, default", "aes128gcm16-prfsha256-"
	    "modp2048", "IKE SA: no common cipher: s.conf:4 has aes-256, b.swan:6 has "
	    "aes-128-gcm; aes-256 would be common: write aes256 at b.swan:6");
	broken("b.swan", SWAN, "esp_proposals = aes256-sha256-modp2048", "esp_proposals = "
	    "default", "PFS differs: the group is modp2048 at s.conf:5, none at b.swan:16");
	broken("b.swan", SWAN, "esp_proposals = aes256-sha256-modp2048", "esp_proposals = "
	    "aes256-sha256-modp2048-esn", "ESP: no common sequence numbers");
	broken("b.swan", SWAN, "esp_proposals", "mode = transport\nesp_proposals",
	    "b.swan:16 is in transport mode, s.conf:1 in tunnel mode");
	broken("b.swan", SWAN, "esp_proposals =", "ah_proposals = sha256\nesp_proposals =",
	    "has AH");
	noted("b.swan", SWAN, "rekey_time = 30m", "rekey_time = 4h", "30m at s.conf:6, "
	    "264m at b.swan:17: not negotiated");
	noted("b.swan", SWAN, "remote_addrs = 192.0.2.1", "remote_addrs = 203.0.113.7, "
	    "192.0.2.1", "b.swan:5: \"203.0.113.7, 192.0.2.1\" is not looked up");
	noted("b.swan", SWAN, "# Boise", "include conf.d/*.conf", "b.swan:1: include: that "
	    "file is not read");
	noted("b.swan", SWAN, "id = 192.0.2.1", "# whoever", "mirror each other");
}

ATF_TC_WITHOUT_HEAD(iked);
ATF_TC_BODY(iked, tc)
{
	char *s;

	broken("b.conf", BOISE, "from 10.2.0.0/24", "from 10.2.0.0/25", "networks do not "
	    "mirror: s.conf:2 has 10.1.0.0/24 to 10.2.0.0/24, b.conf:1 has 10.2.0.0/25 to "
	    "10.1.0.0/24");
	broken("b.conf", BOISE, "local", "srcid boise.example local", "b.conf:2 says it is "
	    "FQDN/boise.example");
	broken("b.conf", BOISE, "group modp2048", "", "PFS differs");
	broken("b.conf", BOISE, "childsa", "ikesa enc aes-128-gcm group modp2048 childsa",
	    "IKE SA: no common cipher");
	broken("b.conf", BOISE, "lifetime 30m", "proto tcp", "[6]");
	/* neither calls */
	s = replaced(IKED, "active", "passive");
	ATF_CHECK_EQ(1, diff("b.conf", BOISE, "s.conf", s));
	ATF_CHECK_MSG(strstr(out, "both wait for the other side to start: b.conf:1 and "
	    "s.conf:1") != NULL, "%s", out);
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	free(s);
	/* fulltranscript is between ikeds */
	s = replaced(IKED, "active", "active fulltranscript");
	ATF_CHECK_EQ(0, diff("s.conf", s, "b.conf", BOISE));
	ATF_CHECK_EQ(1, diff("s.conf", s, "b.rsc", ROS7));
	ATF_CHECK_MSG(strstr(out, "s.conf:1: fulltranscript refuses") != NULL, "%s", out);
	free(s);
	/* OpenBSD says its host's name where we say the address */
	ATF_CHECK_EQ(0, diff("s.conf", IKED, "b.conf", "# OpenBSD 7.8\n" BOISE));
	ATF_CHECK_MSG(strstr(out, "b.conf:2: who this side says it is, is not known here; "
	    "s.conf:1 expects IPV4/198.51.100.1") != NULL, "%s", out);
}

/* A hub against a spoke, and policies one by one against one Child SA for all. */
ATF_TC_WITHOUT_HEAD(several);
ATF_TC_BODY(several, tc)
{
	static const char hub[] =
	    "ikev2 \"a\" from 10.0.0.0/24 to 10.1.0.0/24 local 192.0.2.1 peer 203.0.113.1 "
	    "psk \"the secret of a, long enough\"\n"
	    "ikev2 \"b\" from 10.0.0.0/24 to { 10.2.0.0/24, 10.3.0.0/24 } local 192.0.2.1 "
	    "peer 203.0.113.2 childsa enc aes-256 group none psk \"the secret of b\"\n";
	static const char spoke[] =
	    "/ip ipsec profile add name=p hash-algorithm=sha256\n"
	    "/ip ipsec proposal add name=p auth-algorithms=sha256 pfs-group=none lifetime=3h\n"
	    "/ip ipsec peer add name=hub address=192.0.2.1 exchange-mode=ike2 profile=p\n"
	    "/ip ipsec identity add peer=hub secret=\"the secret of b\"\n"
	    "/ip ipsec policy add peer=hub src-address=10.2.0.0/24 dst-address=10.0.0.0/24 "
	    "tunnel=yes proposal=p\n"
	    "/ip ipsec policy add peer=hub src-address=10.3.0.0/24 dst-address=10.0.0.0/24 "
	    "tunnel=yes proposal=p\n";
	char *s;

	ATF_CHECK_EQ_MSG(0, diff("hub", hub, "spoke", spoke), "%s", out);
	ATF_CHECK_MSG(strstr(out, "hub: 1 other peer is not for spoke: not compared") != NULL,
	    "%s", out);
	ATF_CHECK_MSG(strstr(out, "spoke:5 and 1 more: policies of one peer with "
	    "level=require share an SA; write level=unique") != NULL, "%s", out);
	s = replaced(spoke, "10.3.0.0/24", "10.4.0.0/24");
	ATF_CHECK_EQ(1, diff("hub", hub, "spoke", s));
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	ATF_CHECK_MSG(strstr(out, "networks do not mirror: hub:2 has 10.0.0.0/24 to "
	    "10.3.0.0/24, spoke:6 has 10.4.0.0/24 to 10.0.0.0/24") != NULL, "%s", out);
	free(s);
	/* what two policies have in common is said once */
	s = replaced(spoke, "lifetime=3h", "lifetime=30m enc-algorithms=aes-128-gcm");
	ATF_CHECK_EQ(1, diff("hub", hub, "spoke", s));
	ATF_CHECK_EQ_MSG(1, differences(), "%s", out);
	free(s);
	/* nothing in common */
	ATF_CHECK_EQ(1, diff("hub", hub, "other", "ikev2 \"x\" from 10.8.0.0/24 to 10.9.0.0/24 "
	    "peer 198.18.0.1 psk \"x\"\n"));
	ATF_CHECK_MSG(strstr(out, "have no tunnel in common") != NULL, "%s", out);
}

/* Branches that call from anywhere are known by their identities. */
ATF_TC_WITHOUT_HEAD(branches);
ATF_TC_BODY(branches, tc)
{
	static const char hq[] =
	    "ikev2 \"one\" from 10.0.0.0/24 to 10.1.0.0/24 local 192.0.2.1 peer any "
	    "srcid hq.example dstid one.example psk \"the secret of one\"\n"
	    "ikev2 \"two\" from 10.0.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer any "
	    "srcid hq.example dstid two.example psk \"the secret of two\"\n";
	static const char two[] =
	    "ikev2 \"hq\" active from 10.2.0.0/24 to 10.0.0.0/24 peer 192.0.2.1 "
	    "srcid two.example dstid hq.example psk \"the secret of two\"\n";
	char *s;

	ATF_CHECK_EQ_MSG(0, diff("hq", hq, "two", two), "%s", out);
	ATF_CHECK_MSG(strstr(out, "note: hq: 1 other peer is not for two") != NULL, "%s",
	    out);
	s = replaced(two, "of two", "of one");
	ATF_CHECK_EQ(1, diff("hq", hq, "two", s));
	ATF_CHECK_MSG(strstr(out, "two/hq: secrets differ: hq:2 and two:1") != NULL, "%s",
	    out);
	free(s);
	s = replaced(two, "two.example", "too.example");
	ATF_CHECK_EQ(1, diff("hq", hq, "two", s));
	ATF_CHECK_MSG(strstr(out, "identities differ: two:1 says it is FQDN/too.example, hq:2 "
	    "expects FQDN/two.example") != NULL, "%s", out);
	free(s);
	/* twice the same side */
	ATF_CHECK_EQ(1, diff("s.conf", IKED, "old.conf", IKED));
	ATF_CHECK_MSG(strstr(out, "boise: s.conf:1 and old.conf:1 are the same side of the "
	    "tunnel") != NULL, "%s", out);
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	ATF_CHECK_EQ(2, diff("a", IKED, "b", "hello\nworld\n"));
	ATF_CHECK_MSG(strstr(out, "b: neither iked.conf nor swanctl.conf nor RouterOS") != NULL,
	    "%s", out);
	ATF_CHECK_EQ(2, diff("a", "ikev2 \"x\" fron 10/8\n", "b", BOISE));
	ATF_CHECK_MSG(strstr(out, "a:1:11: ") == out, "%s", out);
	ATF_CHECK_EQ(2, diff("a", IKED, "b", "connections {\n a {\n"));
	ATF_CHECK_STREQ("b:3: a } is missing\n", out);
	ATF_CHECK_EQ(2, diff("a", IKED, "b", "/ip ipsec profile add name=x\n"));
	ATF_CHECK_STREQ("b: there is no tunnel in it\n", out);
	ATF_CHECK_EQ(2, diff("a", IKED, "b", "conn x\n  left=%any\n"));
}

static char *
mirrored(const struct conf *c, uint32_t i, enum form form)
{
	static const uint8_t salt[SECRET_SALT] = "saltsalt";
	char *s = NULL;
	size_t len;
	FILE *f = open_memstream(&s, &len);

	ATF_REQUIRE(f != NULL);
	ATF_REQUIRE_EQ(0, mirror_print(f, c, i, form, "x", salt));
	ATF_REQUIRE_EQ(0, fclose(f));
	return (s);
}

/* What mirror prints, diff finds equal. */
static void
round_trip(const char *path)
{
	static struct conf_errors errs;
	struct conf *c;
	uint8_t *text;
	size_t len;
	char *m;
	int f;

	ATF_REQUIRE_EQ_MSG(0, side_file_read(path, &text, &len), "%s", path);
	c = conf_parse("x", (char *)text, len, NULL, 0, &errs);
	ATF_REQUIRE(c != NULL && c->ntunnels == 1);
	for (f = FORM_IKED; f <= FORM_SWANCTL; f++) {
		m = mirrored(c, 0, (enum form)f);
		ATF_CHECK_EQ_MSG(0, diff("ours", (char *)text, "theirs", m), "%s\n%s", m,
		    out);
		ATF_CHECK_MSG(strstr(out, "the fingerprint is that of ours:") != NULL, "%s",
		    out);
		ATF_CHECK_EQ_MSG(0, diff("theirs", m, "ours", (char *)text), "%s", out);
		free(m);
	}
	/* of another secret */
	c->peers[0].psk[0] ^= 1;
	m = mirrored(c, 0, FORM_ROUTEROS);
	ATF_CHECK_EQ_MSG(1, diff("ours", (char *)text, "theirs", m), "%s", out);
	ATF_CHECK_MSG(strstr(out, "secrets differ: the fingerprint at theirs:") != NULL,
	    "%s", out);
	free(m);
	conf_free(c);
	wholefile_free(text, len);
}

ATF_TC_WITHOUT_HEAD(round_trips);
ATF_TC_BODY(round_trips, tc)
{
	round_trip(TOP "share/examples/seattle.conf");
	round_trip(TOP "share/examples/boise.conf");
	round_trip(TOP "share/examples/seattle-routeros.conf");
}

static int
run(const char *args)
{
	char cmd[512];

	(void)snprintf(cmd, sizeof(cmd), REGRESS_OBJDIR "/ipsecctl diff %s >out 2>err", args);
	return (system(cmd) >> 8);
}

ATF_TC_WITHOUT_HEAD(command);
ATF_TC_BODY(command, tc)
{
#define EX	TOP "share/examples/"
	ATF_CHECK_EQ(0, run(EX "seattle.conf " EX "boise.conf"));
	ATF_CHECK_EQ(0, system("grep -q 'mirror each other: 1 peer$' out"));
	ATF_CHECK_EQ(0, run(EX "seattle-routeros.conf " EX "boise.rsc"));
	ATF_CHECK_EQ(1, run(EX "seattle.conf " EX "boise.rsc"));
	ATF_CHECK_EQ(0, system("grep -q 'PFS differs' out"));
	ATF_CHECK_EQ(1, run(EX "seattle.conf - <" EX "boise.rsc"));
	ATF_CHECK_EQ(0, system("grep -q 'PFS differs.* -:17: ' out"));
	ATF_CHECK_EQ(2, run(EX "seattle.conf - </dev/null"));
	ATF_CHECK_EQ(2, run(EX "seattle.conf nosuch"));
	ATF_CHECK_EQ(0, system("grep -q '^nosuch: No such file' err"));
	ATF_CHECK_EQ(2, run(EX "seattle.conf"));
	ATF_CHECK_EQ(2, run("routeros:" EX "seattle.conf " EX "boise.conf"));
	ATF_CHECK_EQ(0, run("iked:" EX "seattle.conf openbsd:" EX "boise.conf"));
	ATF_CHECK_EQ(0, system("grep -q 'is not known here' out"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mirrors);
	ATF_TP_ADD_TC(tp, article);
	ATF_TP_ADD_TC(tp, routeros);
	ATF_TP_ADD_TC(tp, routeros_forms);
	ATF_TP_ADD_TC(tp, swanctl);
	ATF_TP_ADD_TC(tp, iked);
	ATF_TP_ADD_TC(tp, several);
	ATF_TP_ADD_TC(tp, branches);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, round_trips);
	ATF_TP_ADD_TC(tp, command);
	return (atf_no_error());
}
