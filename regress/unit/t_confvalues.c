/* SPDX-License-Identifier: ISC */
/* What statements mean: defaults, proposals, peers, networks, identities. */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define PSK	" psk \"twenty characters at least\""
#define NETS	" from 10.1.0.0/24 to 10.2.0.0/24"
#define ENDS	" local 192.0.2.1 peer 198.51.100.1"

static struct conf_errors errs;

static struct conf *
parse(const char *text)
{
	return (conf_parse("t", text, strlen(text), NULL, 0, &errs));
}

static struct conf *
good(const char *text)
{
	struct conf	*c = parse(text);

	ATF_REQUIRE_MSG(c != NULL, "%s: %s", text, errs.e[0].text);
	return (c);
}

static void
refused(const char *text, const char *why)
{
	struct conf	*c = parse(text);

	ATF_CHECK_MSG(c == NULL, "%s", text);
	ATF_CHECK_MSG(strstr(errs.e[errs.n - 1].text, why) != NULL, "%s: %s",
	    text, errs.e[errs.n - 1].text);
	conf_free(c);
}

/* The ikesa, or childsa, that these options give; as text, for the eye. */
static void
expect_props(const char *options, int ike, const char *want)
{
	struct conf	*c;
	const struct proposals *ps;
	char		 text[512], got[1024] = "";
	size_t		 len = 0;
	unsigned int	 i, k;

	snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK " %s",
	    options);
	c = good(text);
	ps = ike ? c->peers[0].ike : c->tunnels[0].esp;
	for (i = 0; i < ps->n; i++) {
		ATF_CHECK_EQ(ps->p[i].num, i + 1);
		ATF_CHECK_EQ(ps->p[i].proto, ike ? PROTO_IKE : PROTO_ESP);
		ATF_CHECK_EQ(ps->p[i].spilen, ike ? 0 : 4);
		for (k = 0; k < ps->p[i].nxforms; k++)
			len += (size_t)snprintf(got + len, sizeof(got) - len,
			    "%s%u:%s", k > 0 ? " " : i > 0 ? " | " : "",
			    ps->p[i].xf[k].type, xform_name(ps->p[i].xf[k].type,
			    ps->p[i].xf[k].id, ps->p[i].xf[k].keybits));
	}
	ATF_CHECK_STREQ_MSG(want, got, "%s", options);
	conf_free(c);
}

#define GROUPS	"4:curve25519 4:ecp256 4:ecp384 4:modp2048 4:modp3072 4:modp4096"
#define INTEGS	"3:hmac-sha2-256 3:hmac-sha2-384 3:hmac-sha2-512"
#define PRFS	"2:hmac-sha2-256 2:hmac-sha2-384 2:hmac-sha2-512"
#define PRFS2	"2:hmac-sha2-256 2:hmac-sha2-384"

ATF_TC_WITHOUT_HEAD(proposals);
ATF_TC_BODY(proposals, tc)
{
	/* Defaults: strong first, AEAD apart, nothing weak. */
	expect_props("", 1, "1:aes-256-gcm 1:aes-128-gcm " PRFS2 " " GROUPS
	    " | 1:aes-256 1:aes-128 " INTEGS " " PRFS " " GROUPS);
	expect_props("", 0, "1:aes-256-gcm 1:aes-128-gcm 5:noesn | "
	    "1:aes-256 1:aes-128 " INTEGS " 5:noesn");
	/* What is left out fits what is said. */
	expect_props("ikesa enc aes-128-gcm", 1, "1:aes-128-gcm " PRFS2 " "
	    GROUPS);
	expect_props("ikesa auth hmac-sha2-512 group modp2048", 1,
	    "1:aes-256 1:aes-128 3:hmac-sha2-512 2:hmac-sha2-512 4:modp2048");
	expect_props("ikesa prf hmac-sha2-384 enc aes-256", 1,
	    "1:aes-256 3:hmac-sha2-384 2:hmac-sha2-384 " GROUPS);
	expect_props("ikesa enc aes-256 auth sha1 prf sha2-256 group grp14", 1,
	    "1:aes-256 3:hmac-sha1 2:hmac-sha2-256 4:modp2048");
	/* One statement of both kinds becomes two proposals. */
	expect_props("ikesa enc aes-128 enc aes-256-gcm auth hmac-sha2-256 "
	    "group ecp256", 1, "1:aes-128 3:hmac-sha2-256 2:hmac-sha2-256 "
	    "4:ecp256 | 1:aes-256-gcm 2:hmac-sha2-256 4:ecp256");
	/* Each statement is a proposal; order kept. */
	expect_props("ikesa enc aes-256 auth sha2-256 group { x25519, ecp384 } "
	    "ikesa enc aes-256-gcm prf sha2-384 group modp4096", 1,
	    "1:aes-256 3:hmac-sha2-256 2:hmac-sha2-256 4:curve25519 4:ecp384 | "
	    "1:aes-256-gcm 2:hmac-sha2-384 4:modp4096");
	/* RouterOS 7 as it comes. */
	expect_props("ikesa enc aes-128 auth hmac-sha1 group modp2048 group "
	    "modp1024", 1, "1:aes-128 3:hmac-sha1 2:hmac-sha1 4:modp2048 "
	    "4:modp1024");
	expect_props("childsa enc aes-256 enc aes-192 enc aes-128 auth "
	    "hmac-sha1 group modp1024", 0, "1:aes-256 1:aes-192 1:aes-128 "
	    "3:hmac-sha1 4:modp1024 5:noesn");
	/* PFS: none alone is no transform, beside others it is one. */
	expect_props("childsa enc aes-128-gcm group none", 0,
	    "1:aes-128-gcm 5:noesn");
	expect_props("childsa enc aes-128-gcm group ecp256 group none esn "
	    "noesn", 0, "1:aes-128-gcm 4:ecp256 4:none 5:esn 5:noesn");
	expect_props("childsa enc chacha20-poly1305", 0,
	    "1:chacha20-poly1305 5:noesn");
	expect_props("childsa group modp2048", 0,
	    "1:aes-256-gcm 1:aes-128-gcm 4:modp2048 5:noesn | 1:aes-256 "
	    "1:aes-128 " INTEGS " 4:modp2048 5:noesn");
	refused("ikev2 \"a\"" NETS ENDS PSK " childsa enc aes-128-gcm auth "
	    "hmac-sha1", "authenticates by itself");
	refused("ikev2 \"a\"" NETS ENDS PSK " ikesa enc 3des",
	    "known but not built for ikesa");
}

/* What a preset says; what the statement says itself comes before. */
/* What is chosen of this offer, NULL: whatever; it gets an SPI, as it has on its way. */
static void
expect_chosen(const struct proposals *offered, const struct proposals *ours,
    const char *want, const char *of)
{
	struct proposals ps = *offered;
	struct proposal	 chosen;
	struct suite	 su;
	char		 got[256] = "nothing";
	unsigned int	 i;

	for (i = 0; i < ps.n; i++)
		ps.p[i].spi = ps.p[i].spilen != 0 ? 0x1234 : 0;
	if (proposal_choose(&ps, ours, 0, 0, &chosen, &su) == 0)
		suite_str(&su, got, sizeof(got));
	if (want != NULL)
		ATF_CHECK_STREQ_MSG(want, got, "%s", of);
	else
		ATF_CHECK_MSG(strcmp(got, "nothing") != 0, "%s", of);
}

/* The same both ways: the peer's is what it offers, and what it takes. */
static void
expect_meet(const char *preset, const char *peer, const char *ike, const char *esp)
{
	struct conf	*a, *b;
	char		 text[1024];

	snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK " preset %s", preset);
	a = good(text);
	snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK " %s", peer);
	b = good(text);
	expect_chosen(b->peers[0].ike, a->peers[0].ike, ike, peer);
	expect_chosen(b->tunnels[0].esp, a->tunnels[0].esp, esp, peer);
	/* of ours it takes something */
	expect_chosen(a->peers[0].ike, b->peers[0].ike, NULL, peer);
	expect_chosen(a->tunnels[0].esp, b->tunnels[0].esp, NULL, peer);
	conf_free(a);
	conf_free(b);
}

/* The peers as they come, and as their owners had better set them. */
ATF_TC_WITHOUT_HEAD(presets_meet);
ATF_TC_BODY(presets_meet, tc)
{
	expect_meet("routeros", "ikesa enc aes-128 auth hmac-sha1 group { modp2048, modp1024 } "
	    "childsa enc { aes-256, aes-192, aes-128 } auth hmac-sha1 group modp1024",
	    "aes-128 auth hmac-sha1 prf hmac-sha1 group modp2048",
	    "aes-256 auth hmac-sha1 group modp1024");
	expect_meet("routeros", "ikesa enc { aes-256, aes-128 } auth hmac-sha2-256 "
	    "group modp2048 childsa enc aes-256 auth hmac-sha2-256 group modp1024",
	    "aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group modp2048",
	    "aes-256 auth hmac-sha2-256 group modp1024");
	expect_meet("windows", "ikesa enc aes-256 auth { hmac-sha1, hmac-sha2-256, "
	    "hmac-sha2-384 } group modp1024 childsa enc { aes-256, aes-128 } auth hmac-sha1",
	    "aes-256 auth hmac-sha2-384 prf hmac-sha2-384 group modp1024",
	    "aes-256 auth hmac-sha1");
	/* with NegotiateDH2048_AES256 */
	expect_meet("windows", "ikesa enc aes-256 auth hmac-sha2-256 group modp2048 "
	    "childsa enc aes-256 auth hmac-sha2-256",
	    "aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group modp2048",
	    "aes-256 auth hmac-sha2-256");
	expect_meet("openiked", "ikesa enc { aes-128-gcm, aes-256-gcm } prf { hmac-sha2-256, "
	    "hmac-sha2-384, hmac-sha2-512, hmac-sha1 } group { curve25519, ecp521, ecp384, "
	    "ecp256, modp4096, modp3072, modp2048, modp1536, modp1024 } "
	    "ikesa enc { aes-256, aes-192, aes-128 } auth { hmac-sha2-256, hmac-sha2-384, "
	    "hmac-sha2-512, hmac-sha1 } group { curve25519, ecp521, modp2048 } "
	    "childsa enc { aes-128-gcm, aes-256-gcm } esn "
	    "childsa enc { aes-256, aes-192, aes-128 } auth { hmac-sha2-256, hmac-sha2-384, "
	    "hmac-sha2-512, hmac-sha1 } esn",
	    "aes-256-gcm prf hmac-sha2-256 group curve25519",
	    "aes-256-gcm esn");
}

ATF_TC_WITHOUT_HEAD(presets);
ATF_TC_BODY(presets, tc)
{
	expect_props("preset routeros", 1, "1:aes-256 1:aes-128 3:hmac-sha2-256 "
	    "3:hmac-sha1 2:hmac-sha2-256 2:hmac-sha1 4:modp2048");
	expect_props("preset routeros", 0, "1:aes-256 1:aes-192 1:aes-128 "
	    "3:hmac-sha2-256 3:hmac-sha1 4:modp1024 5:noesn");
	expect_props("preset windows", 1, "1:aes-256 1:aes-128 3:hmac-sha2-384 "
	    "3:hmac-sha2-256 3:hmac-sha1 2:hmac-sha2-384 2:hmac-sha2-256 2:hmac-sha1 "
	    "4:modp2048 4:modp1024");
	expect_props("preset windows", 0, "1:aes-256 1:aes-128 3:hmac-sha2-256 "
	    "3:hmac-sha1 5:noesn");
	expect_props("preset openiked", 1, "1:aes-256-gcm 1:aes-128-gcm " PRFS2
	    " 4:curve25519 4:ecp521 4:ecp384 4:ecp256 4:modp4096 4:modp3072 4:modp2048"
	    " | 1:aes-256 1:aes-192 1:aes-128 " INTEGS " " PRFS
	    " 4:curve25519 4:ecp521 4:ecp384 4:ecp256 4:modp4096 4:modp3072 4:modp2048");
	expect_props("preset openiked", 0, "1:aes-256-gcm 1:aes-128-gcm 5:esn 5:noesn | "
	    "1:aes-256 1:aes-192 1:aes-128 " INTEGS " 5:esn 5:noesn");
	expect_props("preset routeros childsa enc aes-256 auth hmac-sha2-256", 0,
	    "1:aes-256 3:hmac-sha2-256 5:noesn");
	expect_props("preset routeros childsa enc aes-256 auth hmac-sha2-256", 1,
	    "1:aes-256 1:aes-128 3:hmac-sha2-256 3:hmac-sha1 2:hmac-sha2-256 2:hmac-sha1 "
	    "4:modp2048");
	refused("ikev2 \"a\"" NETS ENDS PSK " preset cisco", "no value of \"preset\"");
	refused("ikev2 \"a\"" NETS ENDS PSK " preset windows preset routeros",
	    "already has this option");
	refused("ikev2 \"a\"" NETS ENDS PSK " preset", "a value is missing");
	/* of both, the strong one first, however they stand; said twice is said */
	expect_props("childsa enc aes-128-gcm noesn esn esn", 0,
	    "1:aes-128-gcm 5:esn 5:noesn");
}

ATF_TC_WITHOUT_HEAD(defaults);
ATF_TC_BODY(defaults, tc)
{
	struct conf	*c = good("ikev2 \"a\"" NETS ENDS PSK);
	const struct conf_tunnel *t = &c->tunnels[0];
	const struct conf_peer *p = &c->peers[0];

	ATF_CHECK_EQ(t->mode, MODE_PASSIVE);	/* OpenIKED's meaning */
	ATF_CHECK_EQ(t->transport, 0);
	ATF_CHECK_EQ(t->lifetime, 10800);
	ATF_CHECK_EQ(t->lifebytes, 4294967296ULL);
	ATF_CHECK_EQ(t->keepalive == NULL, 1);
	ATF_CHECK_EQ(t->line, 1);
	ATF_CHECK_EQ(p->ikelifetime, 28800);
	ATF_CHECK_EQ(p->natt, 0);
	ATF_CHECK_EQ(p->full, 0);
	ATF_CHECK_EQ(p->ntunnels, 1);
	ATF_CHECK_EQ(p->srcid.type, ID_NONE);
	ATF_CHECK_EQ(p->dstid.type, ID_NONE);
	ATF_CHECK_EQ(p->psklen, 26);
	ATF_CHECK_EQ(memcmp(p->psk, "twenty characters at least", 26), 0);
	ATF_CHECK_EQ(c->dpd_interval, 60);
	ATF_CHECK_EQ(c->fragmentation, 1);
	ATF_CHECK_EQ(c->mobike, 1);
	ATF_CHECK_EQ(c->passive, 0);
	conf_free(c);
	c = good("set passive\nset dpd_check_interval 0\nikev2 \"a\" keepalive"
	    NETS ENDS PSK);
	ATF_CHECK_EQ(c->tunnels[0].keepalive != NULL, 1);
	ATF_CHECK_EQ(c->tunnels[0].keepalive->interval_ms, 10000);
	ATF_CHECK_EQ(c->tunnels[0].keepalive->ntargets, 0);
	ATF_CHECK_EQ(c->passive, 1);
	ATF_CHECK_EQ(c->dpd_interval, 0);
	conf_free(c);
	c = good("set nofragmentation\nikev2 \"a\"" NETS ENDS PSK);
	ATF_CHECK_EQ(c->fragmentation, 0);
	conf_free(c);
	c = good("set fragmentation\nikev2 \"a\"" NETS ENDS PSK);
	ATF_CHECK_EQ(c->fragmentation, 1);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(units);
ATF_TC_BODY(units, tc)
{
	static const struct { const char *s; uint32_t ms; } times[] = {
		{ "10", 10000 }, { "10s", 10000 }, { "250ms", 250 },
		{ "2m", 120000 }, { "1H", 3600000 }, { "1d", 86400000 },
	};
	static const char *const badtimes[] = { "10x", "s", "-1", "1.5s",
	    "99999999999999999999", "10 s10", "1s1" };
	static const struct { const char *s; uint64_t v; } sizes[] = {
		{ "0", 0 }, { "2097152", 2097152 }, { "5000k", 5120000 },
		{ "3M", 3145728 }, { "4G", 4294967296ULL },
		{ "1T", 1099511627776ULL },
	};
	struct conf	*c;
	char		 text[300];
	size_t		 i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK
		    " keepalive interval %s", times[i].s);
		c = good(text);
		ATF_CHECK_EQ(c->tunnels[0].keepalive->interval_ms, times[i].ms);
		conf_free(c);
	}
	for (i = 0; i < sizeof(badtimes) / sizeof(badtimes[0]); i++) {
		snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK
		    " lifetime %s", badtimes[i]);
		c = parse(text);
		ATF_CHECK_MSG(c == NULL, "%s", badtimes[i]);
		conf_free(c);
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS PSK
		    " lifetime 1h bytes %s", sizes[i].s);
		c = good(text);
		ATF_CHECK_EQ(c->tunnels[0].lifebytes, sizes[i].v);
		ATF_CHECK_EQ(c->tunnels[0].lifetime, 3600);
		conf_free(c);
	}
	refused("ikev2 \"a\"" NETS ENDS PSK " lifetime 1h bytes 99999999999T",
	    "no number of octets");
}

ATF_TC_WITHOUT_HEAD(peers);
ATF_TC_BODY(peers, tc)
{
	struct conf	*c;

	/* Equal endpoints, identities written or not: one peer. */
	c = good("ikev2 \"a\"" NETS ENDS PSK "\n"
	    "ikev2 \"b\" from 10.1.0.0/24 to 10.3.0.0/24 srcid 192.0.2.1 "
	    "dstid ipv4:198.51.100.1" ENDS PSK "\n"
	    "ikev2 \"c\" from 10.1.0.0/24 to 10.4.0.0/24 dstid c.example" ENDS
	    " psk \"a different secret, other id\"\n");
	ATF_CHECK_EQ(c->npeers, 2);
	ATF_CHECK_EQ(c->ntunnels, 3);
	ATF_CHECK_EQ(c->peers[0].ntunnels, 2);
	ATF_CHECK_EQ(c->tunnels[0].peer, c->tunnels[1].peer);
	ATF_CHECK_EQ(c->tunnels[2].peer, 1);
	ATF_CHECK_EQ(c->peers[1].dstid.type, ID_FQDN);
	ATF_CHECK(conf_peer_equal(&c->peers[0], &c->peers[0]));
	ATF_CHECK(!conf_peer_equal(&c->peers[0], &c->peers[1]));
	conf_free(c);
	/* `to` one host and no peer. */
	c = good("ikev2 active from 192.0.2.1 to 198.51.100.1" PSK);
	ATF_CHECK_EQ(c->peers[0].remote.fam, ADDR_V4);
	ATF_CHECK_EQ(c->peers[0].local.fam, ADDR_NONE);
	conf_free(c);
	c = good("ikev2" NETS PSK);
	ATF_CHECK_EQ(c->peers[0].remote.fam, ADDR_NONE);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	struct conf	*c;
	char		*s, *p, name[32];
	int		 i;

	ATF_REQUIRE((s = malloc(2000 * 160)) != NULL);
	for (p = s, i = 0; i < 2000; i++)
		p += sprintf(p, "ikev2 \"t%d\" from 10.1.0.0/24 to "
		    "10.%d.%d.0/24 peer 203.0.%d.%d" PSK "\n", i, 2 + i / 250,
		    i % 250, i / 250, 1 + i % 250);
	c = good(s);
	ATF_CHECK_EQ(c->ntunnels, 2000);
	ATF_CHECK_EQ(c->npeers, 2000);
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		ATF_CHECK_EQ(conf_tunnel_byname(c, name), i);
	}
	ATF_CHECK_EQ(conf_tunnel_byname(c, "t2000"), -1);
	ATF_CHECK_EQ(conf_tunnel_byname(c, ""), -1);
	conf_free(c);
	free(s);
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	struct conf	*c;

	c = good("ikev2" NETS ENDS PSK "\n"
	    "ikev2 \"policy3\" from 10.1.0.0/24 to 10.3.0.0/24" ENDS PSK "\n"
	    "ikev2 from 10.1.0.0/24 to 10.4.0.0/24" ENDS PSK "\n"
	    "ikev2 'Z\xc3\xbcrich office' from 10.1.0.0/24 to 10.5.0.0/24" ENDS
	    PSK "\n");
	ATF_CHECK_STREQ(c->tunnels[0].name, "policy1");
	ATF_CHECK_STREQ(c->tunnels[1].name, "policy3");
	ATF_CHECK_STREQ(c->tunnels[2].name, "policy4");
	ATF_CHECK_EQ(conf_tunnel_byname(c, "Z\xc3\xbcrich office"), 3);
	conf_free(c);
	refused("ikev2 \"\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 \" a\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 \"\xff\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 \"\xc0\xaf\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 \"a\tb\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 \"0123456789012345678901234567890123456789"
	    "012345678901234567890123\"" NETS ENDS PSK, "a name has 1 to 63");
	refused("ikev2 boise" NETS ENDS PSK, "quote it");
	refused("ikev2 activ" NETS ENDS PSK, "did you mean \"active\"");
	/* A name out of a macro, but not a keyword nearly spelt. */
	c = good("who = \"boise office\"\nikev2 $who" NETS ENDS PSK);
	ATF_CHECK_STREQ(c->tunnels[0].name, "boise office");
	conf_free(c);
	c = good("how = \"active esp\"\nikev2 $how" NETS ENDS PSK);
	ATF_CHECK_EQ(c->tunnels[0].mode, MODE_ACTIVE);
	conf_free(c);
	refused("how = aktive\nikev2 $how" NETS ENDS PSK, "$how");
}

static void
expect_nets(const char *nets, const char *want)
{
	struct conf	*c;
	char		 text[512], got[512] = "", s[PREFIX_STRLEN];
	size_t		 len = 0;
	unsigned int	 i;

	snprintf(text, sizeof(text), "ikev2 \"a\" %s peer 198.51.100.1" PSK,
	    nets);
	c = good(text);
	for (i = 0; i < c->tunnels[0].from.n; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s ",
		    prefix_str(&c->tunnels[0].fromnet[i], s));
	len += (size_t)snprintf(got + len, sizeof(got) - len, ">");
	for (i = 0; i < c->tunnels[0].to.n; i++) {
		len += (size_t)snprintf(got + len, sizeof(got) - len, " %s",
		    prefix_str(&c->tunnels[0].tonet[i], s));
		ATF_CHECK(ts_valid(&c->tunnels[0].to.t[i]));
	}
	ATF_CHECK_STREQ_MSG(want, got, "%s", nets);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(networks);
ATF_TC_BODY(networks, tc)
{
	expect_nets("from 10.1.0.0/24 to 10.2.0.0/24",
	    "10.1.0.0/24 > 10.2.0.0/24");
	expect_nets("to 10.2.0.0/24 from 10.1.0.0/24",
	    "10.1.0.0/24 > 10.2.0.0/24");
	expect_nets("from 10.1.0.0/24 to 10.2.0.0/24, from 10.1.0.0/24 to "
	    "10.3.0.0/24", "10.1.0.0/24 > 10.2.0.0/24 10.3.0.0/24");
	expect_nets("from 10.1.0.0/24 to 10.2.0.0/24 from 10.1.0.0/24 to "
	    "10.2.0.0/24", "10.1.0.0/24 > 10.2.0.0/24");
	expect_nets("from { 10.1.0.0/24, 10.4.0.0/16 } to 10.2.0.1",
	    "10.1.0.0/24 10.4.0.0/16 > 10.2.0.1/32");
	expect_nets("from 10.1.0.0/24, 10.4.0.0/16 to 10.2.0.0/24 , 10.5.0.0/24",
	    "10.1.0.0/24 10.4.0.0/16 > 10.2.0.0/24 10.5.0.0/24");
	expect_nets("from 10.1/16 to 192.168.2/24",
	    "10.1.0.0/16 > 192.168.2.0/24");
	expect_nets("from any to 10.2.0.0/24", "0.0.0.0/0 > 10.2.0.0/24");
	expect_nets("from 2001:db8::/32 to any", "2001:db8::/32 > ::/0");
	expect_nets("from any to any", "0.0.0.0/0 ::/0 > 0.0.0.0/0 ::/0");
	refused("ikev2 \"a\" from 10.1.0.0/24 to { 10.2.0.0/24, 2001:db8::/32 } "
	    "peer 192.0.2.1" PSK, "same families");
}

ATF_TC_WITHOUT_HEAD(secrets);
ATF_TC_BODY(secrets, tc)
{
	static const struct { const char *text, *psk; size_t len; } rows[] = {
		{ "psk \"a\\\"b\"", "a\"b", 3 },
		{ "psk 'a\"b'", "a\"b", 3 },
		{ "psk 'a\\\\b'", "a\\\\b", 4 },
		{ "psk 0x00ffA0", "\x00\xff\xa0", 3 },
		{ "psk \"0x00ff\"", "\x00\xff", 2 },
		{ "psk \"# no comment $x\"", "# no comment $x", 15 },
		{ "psk \"two \\\n lines\"", "two  lines", 10 },
		{ "psk \"\xc3\xbc\"", "\xc3\xbc", 2 },
	};
	static const char withfile[] = "ikev2 \"a\"" NETS ENDS
	    " psk file \"x\"";
	struct conf	*c, *d;
	char		 text[300], *s;
	size_t		 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "ikev2 \"a\"" NETS ENDS " %s",
		    rows[i].text);
		c = good(text);
		ATF_CHECK_EQ_MSG(c->peers[0].psklen, rows[i].len, "%s",
		    rows[i].text);
		ATF_CHECK_EQ(memcmp(c->peers[0].psk, rows[i].psk,
		    rows[i].len), 0);
		/* Short ones are warned about, without their text. */
		ATF_CHECK_EQ(errs.nwarn, 1);
		ATF_REQUIRE((s = conf_print(c, 1)) != NULL);
		d = good(s);
		ATF_CHECK(conf_peer_equal(&c->peers[0], &d->peers[0]));
		free(s);
		conf_free(d);
		conf_free(c);
	}
	c = good("ikev2 \"a\"" NETS ENDS PSK);
	ATF_CHECK_EQ(errs.n, 0);
	conf_free(c);
	refused("ikev2 \"a\"" NETS ENDS " psk secret", "in quotes");
	refused(withfile, "cannot be read");
	/* Without secrets a file is not opened. */
	c = conf_parse("t", withfile, strlen(withfile), NULL, CONF_NOSECRETS,
	    &errs);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_EQ(c->peers[0].has_psk, 1);
	ATF_CHECK_EQ(c->peers[0].psklen, 0);
	conf_free(c);
}

/* A reload changes what changed, and the place in the file is not it. */
ATF_TC_WITHOUT_HEAD(equal);
ATF_TC_BODY(equal, tc)
{
	static const char base[] = "ikev2 \"a\" active" NETS ENDS PSK;
	static const char *const same[] = {
		"\n\n  ikev2 \"a\" active esp tunnel" NETS ENDS PSK,
		"ikev2 \"a\" active" PSK ENDS " to 10.2.0.0/24 from 10.1.0.0/24 "
		    "lifetime 3h bytes 4G ikelifetime 8h srcid 192.0.2.1",
		"ikev2 \"b\" from 10.9.0.0/24 to 10.8.0.0/24 peer 192.0.2.9" PSK
		    "\nikev2 \"a\" active" NETS ENDS PSK,
		"ikev2 \"a\" active" NETS ENDS PSK " keepalive target 10.2.0.7 "
		    "interval 5s",
	};
	static const char *const other[] = {
		"ikev2 \"a\" passive" NETS ENDS PSK,
		"ikev2 \"a\" active" NETS ENDS " psk \"twenty characters at "
		    "most!\"",
		"ikev2 \"a\" active from 10.1.0.0/25 to 10.2.0.0/24" ENDS PSK,
		"ikev2 \"a\" active" NETS ENDS PSK " lifetime 1h",
		"ikev2 \"a\" active" NETS ENDS PSK " lifetime 3h bytes 1G",
		"ikev2 \"a\" active" NETS ENDS PSK " ikelifetime 1h",
		"ikev2 \"a\" active" NETS ENDS PSK " natt",
		"ikev2 \"a\" active" NETS ENDS PSK " fulltranscript",
		"ikev2 \"a\" active" NETS ENDS PSK " dstid b.example",
		"ikev2 \"a\" active" NETS ENDS PSK " ikesa enc aes-256-gcm",
		"ikev2 \"a\" active" NETS ENDS PSK " childsa group ecp256",
		"ikev2 \"a\" active" NETS " peer 198.51.100.1" PSK,
	};
	struct conf	*c = good(base), *d;
	size_t		 i;
	int32_t		 k;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		d = good(same[i]);
		k = conf_tunnel_byname(d, "a");
		ATF_REQUIRE(k >= 0);
		ATF_CHECK_MSG(conf_tunnel_equal(c, &c->tunnels[0], d,
		    &d->tunnels[k]), "%s", same[i]);
		conf_free(d);
	}
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		d = good(other[i]);
		ATF_CHECK_MSG(!conf_tunnel_equal(c, &c->tunnels[0], d,
		    &d->tunnels[0]), "%s", other[i]);
		conf_free(d);
	}
	conf_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, proposals);
	ATF_TP_ADD_TC(tp, presets);
	ATF_TP_ADD_TC(tp, presets_meet);
	ATF_TP_ADD_TC(tp, defaults);
	ATF_TP_ADD_TC(tp, units);
	ATF_TP_ADD_TC(tp, peers);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, networks);
	ATF_TP_ADD_TC(tp, secrets);
	ATF_TP_ADD_TC(tp, equal);
	return (atf_no_error());
}
