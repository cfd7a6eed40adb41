/* SPDX-License-Identifier: ISC */
/*
 * nf_tables: what a kernel (6.18) has dumped of rules made by nft(8) and iptables-nft(8) is
 * in the fuzz corpus; here is what becomes of packets in each of them.
 */
#include <atf-c.h>

#ifdef __linux__

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "proc/nft.h"

#define CORPUS	REGRESS_DATA "/../fuzz/corpus/nft/"
#define NEW	NF_CT_STATE_BIT(IP_CT_NEW)
#define BEGUN	NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define UDP	17
#define ESP	50

static uint8_t file[65536];

static struct nft *
load(const char *name)
{
	char		 path[512];
	struct nft	*t = nft_new();
	struct rbuf	 b;
	struct span	 m;
	uint32_t	 len, type;
	size_t		 n;
	FILE		*f;

	ATF_REQUIRE(t != NULL);
	(void)snprintf(path, sizeof(path), CORPUS "%s", name);
	ATF_REQUIRE_MSG((f = fopen(path, "r")) != NULL, "%s", path);
	n = fread(file, 1, sizeof(file), f);
	(void)fclose(f);
	rbuf_init(&b, file, n);
	while (rbuf_left(&b) > 0) {
		len = rbuf_h32(&b);
		type = rbuf_h16(&b) & 0xff;
		rbuf_skip(&b, 10);
		m = rbuf_span(&b, len - 16);
		rbuf_skip(&b, -len & 3);
		ATF_REQUIRE_MSG(rbuf_ok(&b), "%s", path);
		ATF_REQUIRE_EQ(nft_add(t, type, m.p, m.len), 0);
	}
	/* the copy does not lean on what was read */
	memset(file, 0xaa, n);
	return (t);
}

/* hook -1: NAT of what leaves. */
static const struct row {
	const char	*rules;
	int		 hook;
	const char	*src, *dst, *iif, *oif;
	uint8_t		 proto;
	uint16_t	 dport;
	uint32_t	 state;
	int		 in, out;	/* secpath, ipsec */
	enum rules_fate	 fate;
	const char	*text;
} rows[] = {
#define NAT(rules, dst, oif, fate, text) \
	{ rules, -1, "10.1.0.0/24", dst, NULL, oif, 0, 0, NEW, 0, 1, fate, text }
#define IN(rules, proto, port, state, fate, text) \
	{ rules, NF_INET_LOCAL_IN, "198.51.100.1", "192.0.2.1", "wan", "", proto, port, state, \
	    0, 0, fate, text }
#define FWD(rules, src, dst, in, fate, text) \
	{ rules, NF_INET_FORWARD, src, dst, NULL, NULL, 0, 0, NEW, in, !(in), fate, text }
	/* README's */
	NAT("readme", "10.2.0.0/24", "wan", RULES_PASS, ""),
	NAT("readme", "10.2.0.128/25", "wan", RULES_PASS, ""),
	NAT("readme", "10.3.0.0/24", "wan", RULES_TAKE,
	    "nftables, table ip office, chain postrouting, handle 5"),
	NAT("readme", "10.2.0.0/16", "wan", RULES_MAY, "handle 5"),
	NAT("readme", "10.3.0.0/24", "ppp0", RULES_PASS, ""),
	NAT("readme", "10.3.0.0/24", NULL, RULES_MAY, "handle 5"),
	IN("readme", UDP, 500, NEW, RULES_PASS, ""),
	{ "readme", -1, "fd00:1::/64", "fd00:2::/64", NULL, "wan", 0, 0, NEW, 0, 1,
	    RULES_PASS, "" },
	NAT("masquerade", "10.2.0.0/24", "wan", RULES_TAKE, "chain post, handle 2"),
	NAT("masquerade", "10.2.0.0/24", "wan2", RULES_PASS, ""),
	/* intervals, and a list that is negated */
	NAT("snat-sets", "10.2.0.0/24", "wan", RULES_PASS, ""),
	NAT("snat-sets", "10.4.0.0/24", "wan", RULES_TAKE, "table inet nat"),
	{ "snat-sets", -1, "172.16.0.0/24", "10.4.0.0/24", NULL, "wan", 0, 0, NEW, 0, 1,
	    RULES_PASS, "" },
	{ "snat-sets", -1, "0.0.0.0/0", "10.4.0.0/24", NULL, "wan", 0, 0, NEW, 0, 1,
	    RULES_MAY, "handle" },
	{ "snat-sets", -1, "192.168.255.0/24", "10.4.0.0/24", NULL, "wan", 0, 0, NEW, 0, 1,
	    RULES_TAKE, "handle" },
	{ "snat-sets", -1, "11.0.0.0/24", "10.4.0.0/24", NULL, "wan", 0, 0, NEW, 0, 1,
	    RULES_PASS, "" },
	/* what is not known of a packet */
	NAT("mark-limit", "10.2.0.0/24", "wan", RULES_MAY, "handle"),
	IN("mark-limit", UDP, 500, NEW, RULES_MAY, "chain in"),
	IN("mark-limit", UDP, 4500, NEW, RULES_PASS, ""),
	/* IPsec's own */
	NAT("rt-ipsec", "10.2.0.0/24", "wan", RULES_PASS, ""),
	FWD("rt-ipsec", "10.2.0.0/24", "10.1.0.0/24", 1, RULES_PASS, ""),
	FWD("rt-ipsec", "10.1.0.0/24", "10.2.0.0/24", 0, RULES_PASS, ""),
	FWD("rt-ipsec", "10.1.0.0/24", "10.2.0.0/23", 0, RULES_MAY, "policy drop"),
	FWD("rt-ipsec", "10.1.0.0/24", "10.3.0.0/24", 0, RULES_TAKE,
	    "chain between, policy drop"),
	/* verdict maps, jumps */
	IN("vmap-policy", UDP, 500, NEW, RULES_TAKE, "chain in, policy drop"),
	IN("vmap-policy", UDP, 500, BEGUN, RULES_PASS, ""),
	IN("vmap-policy", ESP, 0, 0, RULES_MAY, "table inet f, chain in, handle"),
	IN("jump-vmap", UDP, 4500, NEW, RULES_PASS, ""),
	IN("jump-vmap", UDP, 501, NEW, RULES_TAKE, "chain in, handle"),
	IN("jump-vmap", ESP, 0, NEW, RULES_TAKE, "chain esps, handle"),
	IN("jump-vmap", 0, 0, NEW, RULES_MAY, "handle"),
	NAT("dormant", "10.2.0.0/24", "wan", RULES_PASS, ""),
	/* iptables in nf_tables' clothes */
	NAT("iptables", "10.2.0.0/24", "wan", RULES_TAKE, "chain POSTROUTING"),
	FWD("iptables", "10.2.0.0/24", "10.1.0.0/24", 1, RULES_TAKE, "chain FORWARD"),
	NAT("iptables-policy", "10.2.0.0/24", "wan", RULES_PASS, ""),
	FWD("iptables-policy", "10.2.0.0/24", "10.1.0.0/24", 1, RULES_PASS, ""),
	FWD("iptables-policy", "10.1.0.0/24", "10.2.0.0/24", 0, RULES_PASS, ""),
	FWD("iptables-policy", "10.1.0.0/24", "10.3.0.0/24", 0, RULES_TAKE, "FORWARD"),
	IN("iptables-policy", UDP, 500, NEW, RULES_PASS, ""),
	IN("iptables-policy", UDP, 4500, NEW, RULES_TAKE, "chain INPUT, policy drop"),
	IN("iptables-policy", UDP, 4500, BEGUN, RULES_PASS, ""),
	IN("iptables-policy", ESP, 0, NEW, RULES_MAY, "chain INPUT, policy drop"),
};

static void
check(const struct row *w)
{
	struct nft_packet k = { .proto = w->proto, .dport = w->dport, .iif = w->iif,
	    .oif = w->oif, .iifindex = w->iif != NULL ? 7 : 0, .state = w->state, .secpath = w->in, .ipsec = w->out };
	struct nft	*t = load(w->rules);
	char		 text[RULES_TEXT];
	enum rules_fate	 f;

	ATF_REQUIRE_EQ(prefix_parse(&k.src, w->src), 0);
	ATF_REQUIRE_EQ(prefix_parse(&k.dst, w->dst), 0);
	f = w->hook == -1 ? nft_nat(t, &k, text) : nft_drop(t, (uint32_t)w->hook, &k, text);
	ATF_CHECK_MSG(f == w->fate, "row %d, %s: %s to %s port %u: %d, not %d: %s",
	    (int)(w - rows), w->rules, w->src, w->dst, w->dport, f, w->fate, text);
	ATF_CHECK_MSG(w->text[0] == '\0' ? text[0] == '\0' : strstr(text, w->text) != NULL,
	    "row %d, %s: not \"%s\": %s", (int)(w - rows), w->rules, w->text, text);
	nft_free(t);
}

ATF_TC_WITHOUT_HEAD(kernel);
ATF_TC_BODY(kernel, tc)
{
	size_t		 i;

	(void)tc;
	if (htobe16(1) == 1)
		atf_tc_skip("dumped on a little endian machine");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* ---- messages that no kernel sends */

struct made {
	uint8_t		 b[4096];
	struct wbuf	 w;
};

static void
begin(struct made *m, uint8_t family)
{
	wbuf_init(&m->w, m->b, sizeof(m->b));
	wbuf_u8(&m->w, family);
	wbuf_zero(&m->w, 3);
}

static void
attr(struct made *m, uint16_t type, const void *p, size_t n)
{
	wbuf_h16(&m->w, (uint16_t)(n + 4));
	wbuf_h16(&m->w, type);
	wbuf_bytes(&m->w, p, n);
	wbuf_zero(&m->w, -n & 3);
}

static void
attr32(struct made *m, uint16_t type, uint32_t v)
{
	uint32_t	 be = htobe32(v);

	attr(m, type, &be, 4);
}

static size_t
nest(struct made *m, uint16_t type)
{
	wbuf_h16(&m->w, 0);
	wbuf_h16(&m->w, (uint16_t)(type | NLA_F_NESTED));
	return (m->w.len - 4);
}

static void
end(struct made *m, size_t at)
{
	wbuf_patch_h16(&m->w, at, (uint16_t)(m->w.len - at));
}

static void
chain(struct nft *t, const char *name, int base)
{
	struct made	 m;
	size_t		 at;

	begin(&m, NFPROTO_IPV4);
	attr(&m, NFTA_CHAIN_TABLE, "t", 2);
	attr(&m, NFTA_CHAIN_NAME, name, strlen(name) + 1);
	attr(&m, NFTA_CHAIN_TYPE, "filter", 7);
	at = nest(&m, NFTA_CHAIN_HOOK);
	attr32(&m, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_IN);
	if (base)
		end(&m, at);
	else
		m.w.len = at;
	ATF_REQUIRE_EQ(nft_add(t, NFT_MSG_NEWCHAIN, m.b, m.w.len), 0);
}

/* A rule that jumps to that chain, or drops. */
static void
rule(struct nft *t, const char *in, const char *to, int code)
{
	struct made	 m;
	size_t		 all, one, data, d, v;

	begin(&m, NFPROTO_IPV4);
	attr(&m, NFTA_RULE_TABLE, "t", 2);
	attr(&m, NFTA_RULE_CHAIN, in, strlen(in) + 1);
	all = nest(&m, NFTA_RULE_EXPRESSIONS);
	one = nest(&m, NFTA_LIST_ELEM);
	attr(&m, NFTA_EXPR_NAME, "immediate", 10);
	data = nest(&m, NFTA_EXPR_DATA);
	attr32(&m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	d = nest(&m, NFTA_IMMEDIATE_DATA);
	v = nest(&m, NFTA_DATA_VERDICT);
	attr32(&m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (to != NULL)
		attr(&m, NFTA_VERDICT_CHAIN, to, strlen(to) + 1);
	end(&m, v);
	end(&m, d);
	end(&m, data);
	end(&m, one);
	end(&m, all);
	ATF_REQUIRE_EQ(nft_add(t, NFT_MSG_NEWRULE, m.b, m.w.len), 0);
}

static enum rules_fate
drops(struct nft *t)
{
	struct nft_packet k = { .proto = UDP };
	char		 text[RULES_TEXT];

	ATF_REQUIRE_EQ(prefix_parse(&k.src, "198.51.100.1"), 0);
	ATF_REQUIRE_EQ(prefix_parse(&k.dst, "192.0.2.1"), 0);
	return (nft_drop(t, NF_INET_LOCAL_IN, &k, text));
}

/* Chains that call each other, and a tree with more leaves than are looked at: an end
 * comes soon, and nothing is called sure. */
ATF_TC_WITHOUT_HEAD(endless);
ATF_TC_BODY(endless, tc)
{
	struct nft	*t = nft_new();
	char		 a[8], b[8];
	int		 i, k;

	(void)tc;
	ATF_REQUIRE(t != NULL);
	chain(t, "in", 1);
	chain(t, "a", 0);
	rule(t, "in", "a", NFT_JUMP);
	rule(t, "a", "a", NFT_JUMP);
	ATF_CHECK_EQ(drops(t), RULES_PASS);
	rule(t, "in", NULL, NF_DROP);
	ATF_CHECK_EQ(drops(t), RULES_MAY);
	nft_free(t);

	ATF_REQUIRE((t = nft_new()) != NULL);
	chain(t, "in", 1);
	rule(t, "in", "c0", NFT_JUMP);
	for (i = 0; i < 12; i++) {
		(void)snprintf(a, sizeof(a), "c%d", i);
		(void)snprintf(b, sizeof(b), "c%d", i + 1);
		chain(t, a, 0);
		for (k = 0; k < 8; k++)
			rule(t, a, b, NFT_JUMP);
	}
	chain(t, "c12", 0);
	rule(t, "c12", NULL, NFT_RETURN);
	ATF_CHECK_EQ(drops(t), RULES_MAY);
	nft_free(t);
}

/* Goto does not come back; return goes on behind the jump. */
ATF_TC_WITHOUT_HEAD(calls);
ATF_TC_BODY(calls, tc)
{
	struct nft	*t = nft_new();

	(void)tc;
	ATF_REQUIRE(t != NULL);
	chain(t, "in", 1);
	chain(t, "a", 0);
	rule(t, "in", "a", NFT_JUMP);
	rule(t, "a", NULL, NFT_RETURN);
	rule(t, "a", NULL, NF_DROP);
	ATF_CHECK_EQ(drops(t), RULES_PASS);
	rule(t, "in", "a", NFT_GOTO);
	rule(t, "in", NULL, NF_DROP);
	ATF_CHECK_EQ(drops(t), RULES_PASS);
	nft_free(t);
	ATF_REQUIRE((t = nft_new()) != NULL);
	chain(t, "in", 1);
	rule(t, "in", "nowhere", NFT_JUMP);
	rule(t, "in", NULL, NF_DROP);
	ATF_CHECK_EQ(drops(t), RULES_MAY);
	nft_free(t);
}

/* No more than NFT_OCTETS and NFT_ITEMS are kept. */
ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	struct nft	*t = nft_new();
	struct made	 m;
	size_t		 n;

	(void)tc;
	ATF_REQUIRE(t != NULL);
	begin(&m, NFPROTO_IPV4);
	attr(&m, NFTA_SET_NAME, "s", 2);
	for (n = 0; n <= NFT_ITEMS && nft_add(t, NFT_MSG_NEWSET, m.b, m.w.len) == 0; n++)
		;
	ATF_CHECK_MSG(n > 1000 && n <= NFT_ITEMS, "%zu", n);
	nft_free(t);
	ATF_REQUIRE((t = nft_new()) != NULL);
	for (n = 0; n <= NFT_ITEMS && nft_add(t, NFT_MSG_NEWSET, file, sizeof(file)) == 0; n++)
		;
	ATF_CHECK_EQ(n, NFT_OCTETS / sizeof(file));
	/* too short for its header, or none of ours */
	ATF_CHECK_EQ(nft_add(t, NFT_MSG_NEWSET, m.b, 3), 0);
	ATF_CHECK_EQ(nft_add(t, NFT_MSG_NEWGEN, m.b, m.w.len), 0);
	nft_free(t);
	nft_free(NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, kernel);
	ATF_TP_ADD_TC(tp, endless);
	ATF_TP_ADD_TC(tp, calls);
	ATF_TP_ADD_TC(tp, bounds);
	return (atf_no_error());
}

#else

ATF_TC_WITHOUT_HEAD(none);
ATF_TC_BODY(none, tc)
{
	(void)tc;
	atf_tc_skip("Linux only");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, none);
	return (atf_no_error());
}

#endif
