/* SPDX-License-Identifier: ISC */
/*
 * Traffic selectors and modes: protocols and ports, both families, narrowing and what
 * becomes of the rest, one pair a Child, transport mode, and notifies that change none of
 * it (RFC 7296 2.9, 1.3.1).
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define SECRET	" psk \"a secret that is long enough\"\n"
#define A	" local 192.0.2.1 peer 198.51.100.1" SECRET
#define B	" local 198.51.100.1 peer 192.0.2.1" SECRET

static struct sim *
two(uint64_t seed, const char *a, const char *b)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "192.0.2.1", a);
	(void)sim_node(s, "b", "198.51.100.1", b);
	return (s);
}

/* The Children of a node in the kernel, outbound, as "l <-> r" in order of birth. */
static const char *
children(struct node *n)
{
	static char	 text[2000];
	char		 l[300], r[300];
	size_t		 len = 0;
	int		 i;

	text[0] = '\0';
	for (i = 0; i < n->nsa; i++) {
		if (!n->sa[i].used || n->sa[i].sa.dir != KERN_OUT)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s <-> %s",
		    len > 0 ? "; " : "", n->sa[i].sa.transport ? "transport " : "",
		    tslist_str(&n->sa[i].tsl, l, sizeof(l)),
		    tslist_str(&n->sa[i].tsr, r, sizeof(r)));
	}
	return (text);
}

/* A packet of that protocol and those ports wants to go from a node. */
static void
wish(struct node *n, const char *src, const char *dst, uint8_t proto, uint16_t sport,
    uint16_t dport)
{
	static uint32_t	seq = 1000;
	struct prefix	p;
	struct ts	s, d;

	ATF_REQUIRE(prefix_parse(&p, src) == 0);
	ts_from_prefix(&s, &p, proto, sport);
	ATF_REQUIRE(prefix_parse(&p, dst) == 0);
	ts_from_prefix(&d, &p, proto, dport);
	engine_acquire(n->e, n->sim->now, n->secrets->gen, 0, &s, &d, seq++);
}

ATF_TC_WITHOUT_HEAD(ports);
ATF_TC_BODY(ports, tc)
{
	struct sim	*s = two(1, "ikev2 \"b\" ondemand proto { tcp, udp } from 10.1.0.0/24 "
	    "to 10.2.0.0/24 port 443" A, "ikev2 \"a\" proto { udp, tcp } from 10.2.0.0/24 "
	    "port 443 to 10.1.0.0/24" B);

	wish(s->n[0], "10.1.0.7", "10.2.0.9", 6, 40000, 443);
	sim_run(s, 1000);
	ATF_CHECK_STREQ(children(s->n[0]), "10.1.0.0/24[6], 10.1.0.0/24[17] <-> "
	    "10.2.0.0/24[6/443], 10.2.0.0/24[17/443]");
	ATF_CHECK_STREQ(children(s->n[1]), "10.2.0.0/24[6/443], 10.2.0.0/24[17/443] <-> "
	    "10.1.0.0/24[6], 10.1.0.0/24[17]");
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	sim_free(s);
	/* one side has fewer: what both have, and not one port more */
	s = two(2, "ikev2 \"b\" ondemand proto tcp from 10.1.0.0/24 to 10.2.0.0/24" A,
	    "ikev2 \"a\" proto { icmp, tcp } from 10.2.0.0/24 port 2048 to 10.1.0.0/24" B);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 300);
	ATF_CHECK_STREQ(children(s->n[0]), "10.1.0.0/24[6] <-> 10.2.0.0/24[6/2048]");
	sim_free(s);
	/* ICMP: the type in the upper octet, the code in the lower */
	s = two(3, "ikev2 \"b\" ondemand proto icmp from 10.1.0.0/24 to 10.2.0.0/24" A,
	    "ikev2 \"a\" proto icmp from 10.2.0.0/24 port 2048 to 10.1.0.0/24 port 2048" B);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 300);
	ATF_CHECK_STREQ(children(s->n[0]), "10.1.0.0/24[1/2048] <-> 10.2.0.0/24[1/2048]");
	sim_free(s);
	/* nothing in common */
	s = two(4, "ikev2 \"b\" ondemand proto tcp from 10.1.0.0/24 to 10.2.0.0/24 port 80" A,
	    "ikev2 \"a\" proto tcp from 10.2.0.0/24 port 81 to 10.1.0.0/24" B);
	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "peer says TS_UNACCEPTABLE for the Child SA; we ask "
	    "for from 10.1.0.0/24[6] to 10.2.0.0/24[6/80]"));
	ATF_CHECK(sim_logged(s->n[1], "TS_UNACCEPTABLE: it wants 10.1.0.0/24[6] <-> "
	    "10.2.0.0/24[6/80]; this tunnel is from 10.2.0.0/24[6/81] to 10.1.0.0/24[6]"));
	sim_free(s);
}

/* Both families in one Child; and a peer that has one only. */
ATF_TC_WITHOUT_HEAD(families);
ATF_TC_BODY(families, tc)
{
	static const char	 a[] = "ikev2 \"b\" ondemand from { 10.1.0.0/24, "
	    "2001:db8:1::/64 } to { 2001:db8:2::/64, 10.2.0.0/24 }" A;
	struct sim		*s = two(5, a, "ikev2 \"a\" from { 2001:db8:2::/64, "
	    "10.2.0.0/24 } to { 10.1.0.0/24, 2001:db8:1::/64 }" B);

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 300);
	ATF_CHECK_STREQ(children(s->n[0]), "10.1.0.0/24, 2001:db8:1::/64 <-> "
	    "2001:db8:2::/64, 10.2.0.0/24");
	ATF_CHECK(sim_ping(s->n[0], "10.1.0.5", "10.2.0.7"));
	ATF_CHECK(sim_ping(s->n[0], "2001:db8:1::5", "2001:db8:2::7"));
	sim_run(s, 200);
	ATF_CHECK_EQ(s->n[1]->got, 2);
	sim_free(s);
	/* no selector is left that has nothing to go with */
	s = two(6, a, "ikev2 \"a\" from 2001:db8:2::/64 to 2001:db8:1::/64" B
	    "ikev2 \"a4\" from 10.2.0.0/24 to 10.1.0.0/24" B);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 2000);
	ATF_CHECK_STREQ(children(s->n[0]), "2001:db8:1::/64 <-> 2001:db8:2::/64; "
	    "10.1.0.0/24 <-> 10.2.0.0/24");
	ATF_CHECK(sim_is_up(s->n[1], "a") && sim_is_up(s->n[1], "a4"));
	sim_free(s);
}

#define AB	"from { 10.1.0.0/24, 10.1.1.0/24 } to { 10.2.0.0/24, 10.2.1.0/24 }"
#define BA	"from { 10.2.0.0/24, 10.2.1.0/24 } to { 10.1.0.0/24, 10.1.1.0/24 }"
#define PAIRS	"10.1.0.0/24 <-> 10.2.0.0/24; 10.1.0.0/24 <-> 10.2.1.0/24; " \
		"10.1.1.0/24 <-> 10.2.0.0/24; 10.1.1.0/24 <-> 10.2.1.0/24"

/* A peer that narrows: the rest follows by itself, and each pair carries its packets. */
ATF_TC_WITHOUT_HEAD(rest);
ATF_TC_BODY(rest, tc)
{
	struct sim	*s = two(7, "ikev2 \"b\" ondemand " AB A,
	    "ikev2 \"1\" from 10.2.0.0/24 to 10.1.0.0/24" B
	    "ikev2 \"2\" from 10.2.1.0/24 to 10.1.0.0/24" B
	    "ikev2 \"3\" from 10.2.0.0/24 to 10.1.1.0/24" B
	    "ikev2 \"4\" from 10.2.1.0/24 to 10.1.1.0/24" B);
	struct node	*a = s->n[0], *b = s->n[1];
	uint64_t	 got;

	ATF_CHECK(!sim_ping(a, "10.1.0.5", "10.2.0.7"));
	sim_run(s, 3000);
	ATF_CHECK_STREQ(children(a), PAIRS);
	ATF_CHECK_EQ(sim_established(a), 1);
	got = b->got;
	ATF_CHECK(sim_ping(a, "10.1.0.5", "10.2.0.7") && sim_ping(a, "10.1.0.5", "10.2.1.7"));
	ATF_CHECK(sim_ping(a, "10.1.1.5", "10.2.0.7") && sim_ping(a, "10.1.1.5", "10.2.1.7"));
	sim_run(s, 300);
	ATF_CHECK_EQ(b->got - got, 4);
	ATF_CHECK_EQ(a->got_bad + b->got_bad, 0);
	/* nothing more to ask for, and none of them is somebody's duplicate */
	got = s->datagrams;
	sim_run(s, 30000);
	ATF_CHECK_EQ(s->datagrams, got);
	ATF_CHECK_STREQ(children(a), PAIRS);
	/* one of them goes: it alone comes again when it is wanted */
	sim_run(s, 60000);
	sim_cmd(b, CMD_DOWN, "3");
	/* what was overtaken by the DELETE is taken for a second */
	sim_run(s, 1500);
	ATF_CHECK_EQ(sim_kernel_count(a), 6);
	wish(a, "10.1.1.5", "10.2.0.7", 6, 1, 2);
	sim_run(s, 2000);
	ATF_CHECK_EQ(sim_kernel_count(a), 8);
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	sim_free(s);
}

/* What the peer has not got is asked for ever more rarely; what is there stays up. */
ATF_TC_WITHOUT_HEAD(rest_refused);
ATF_TC_BODY(rest_refused, tc)
{
	struct sim		*s = two(8, "ikev2 \"b\" active " AB A,
	    "ikev2 \"a\" from 10.2.0.0/24 to { 10.1.0.0/24, 10.1.1.0/24 }" B);
	struct show_tunnel	 t;
	int			 n;

	sim_run(s, 120000);
	ATF_CHECK_STREQ(children(s->n[0]), "10.1.0.0/24, 10.1.1.0/24 <-> 10.2.0.0/24");
	ATF_CHECK(sim_tunnel(s->n[0], "b", &t) && t.state == SHOW_UP);
	ATF_CHECK(sim_logged(s->n[0], "peer says TS_UNACCEPTABLE for the Child SA; we ask for "
	    "from 10.1.0.0/24 to 10.2.1.0/24"));
	ATF_CHECK(sim_logged(s->n[0], "we ask for from 10.1.1.0/24 to 10.2.1.0/24"));
	n = sim_log_count(s->n[0], "TS_UNACCEPTABLE");
	ATF_CHECK_MSG(n >= 3 && n <= 8, "%d", n);
	sim_run(s, 600000);
	n = sim_log_count(s->n[0], "TS_UNACCEPTABLE") - n;
	ATF_CHECK_MSG(n >= 1 && n <= 4, "%d", n);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "\"b\" down"), 0);
	sim_free(s);
}

/* `single' here: one Child a pair, whatever the peer would take. */
ATF_TC_WITHOUT_HEAD(single);
ATF_TC_BODY(single, tc)
{
	struct sim	*s = two(9, "ikev2 \"b\" ondemand single " AB A, "ikev2 \"a\" " BA B);
	struct node	*a = s->n[0], *b = s->n[1];

	/* the packet's pair first */
	wish(a, "10.1.1.5", "10.2.0.7", 17, 53, 53);
	sim_run(s, 55);
	ATF_CHECK_STREQ(children(a), "10.1.1.0/24 <-> 10.2.0.0/24");
	sim_run(s, 3000);
	ATF_CHECK_EQ(sim_kernel_count(a), 8);
	ATF_CHECK_EQ(sim_kernel_count(b), 8);
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	/* each is rekeyed for itself */
	sim_run(s, 11000000);
	ATF_CHECK_EQ(sim_kernel_count(a), 8);
	ATF_CHECK_EQ(sim_kernel_count(b), 8);
	sim_free(s);
	/* both at once, both active: one Child a pair is left */
	s = two(10, "ikev2 \"b\" active single " AB A, "ikev2 \"a\" active single " BA B);
	sim_run(s, 90000);
	ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[0]), 8, "%s", children(s->n[0]));
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 8);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
	sim_free(s);
}

/* `single' there: the first pair is taken, more is said to be possible, the rest comes. */
ATF_TC_WITHOUT_HEAD(single_there);
ATF_TC_BODY(single_there, tc)
{
	struct sim	*s = two(11, "ikev2 \"b\" ondemand " AB A, "ikev2 \"a\" single " BA B);

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 3000);
	ATF_CHECK_STREQ(children(s->n[0]), PAIRS);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 8);
	sim_free(s);
}

/*
 * SINGLE_PAIR_REQUIRED: the first selectors are of several pairs there, so the peer cannot
 * know which is meant, and says so; the packet then tells (2.9).
 */
ATF_TC_WITHOUT_HEAD(single_pair_required);
ATF_TC_BODY(single_pair_required, tc)
{
	struct sim	*s = two(12, "ikev2 \"b\" ondemand from 10.1.0.0/16 to 10.2.0.0/16" A,
	    "ikev2 \"a\" single " BA B);
	struct node	*a = s->n[0], *b = s->n[1];

	wish(a, "10.1.1.5", "10.2.0.7", 17, 53, 53);
	sim_run(s, 3000);
	ATF_CHECK(sim_logged(b, "SINGLE_PAIR_REQUIRED: it wants 10.1.0.0/16 <-> 10.2.0.0/16; "
	    "this tunnel is from 10.2.0.0/24, 10.2.1.0/24 to 10.1.0.0/24, 10.1.1.0/24, one "
	    "Child SA a pair (\"single\")"));
	ATF_CHECK_STREQ(children(a), "10.1.1.0/24 <-> 10.2.0.0/24");
	ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
	/* another pair when a packet wants it; the kernel asks, the SA not covering it */
	wish(a, "10.1.0.5", "10.2.1.7", 17, 53, 53);
	sim_run(s, 3000);
	ATF_CHECK_STREQ(children(a), "10.1.1.0/24 <-> 10.2.0.0/24; 10.1.0.0/24 <-> "
	    "10.2.1.0/24");
	sim_free(s);
	/* a command has no packet: the error is told */
	s = two(13, "ikev2 \"b\" ondemand from 10.1.0.0/16 to 10.2.0.0/16" A,
	    "ikev2 \"a\" single " BA B);
	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "peer says SINGLE_PAIR_REQUIRED for the Child SA; we ask "
	    "for from 10.1.0.0/16 to 10.2.0.0/16"));
	sim_free(s);
}

/* ---- transport */

#define HOSTS_A	" proto gre from 192.0.2.1 to 198.51.100.1"
#define HOSTS_B	" proto gre from 198.51.100.1 to 192.0.2.1"

ATF_TC_WITHOUT_HEAD(transport);
ATF_TC_BODY(transport, tc)
{
	struct sim	*s = two(14, "ikev2 \"b\" ondemand transport" HOSTS_A A,
	    "ikev2 \"a\" transport" HOSTS_B B);
	struct node	*a = s->n[0], *b = s->n[1];
	uint64_t	 n;

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 300);
	ATF_CHECK_STREQ(children(a), "transport 192.0.2.1/32[47] <-> 198.51.100.1/32[47]");
	ATF_CHECK_STREQ(children(b), "transport 198.51.100.1/32[47] <-> 192.0.2.1/32[47]");
	/* its successors are the same, and it is queried and deleted as what it is */
	sim_cmd(a, CMD_REKEY, "b");
	sim_run(s, 6000);
	sim_cmd(b, CMD_REKEY, "a");
	sim_run(s, 6000);
	ATF_CHECK_STREQ(children(a), "transport 192.0.2.1/32[47] <-> 198.51.100.1/32[47]");
	ATF_CHECK_EQ(sim_kernel_count(b), 2);
	n = a->kreqs;
	sim_cmd(a, CMD_DOWN, "b");
	sim_run(s, 2000);
	ATF_CHECK(a->kreqs > n);
	ATF_CHECK_EQ(sim_kernel_count(a) + sim_kernel_count(b), 0);
	sim_free(s);
}

/* The two sides say different modes: no Child, a line each, nothing left behind. */
ATF_TC_WITHOUT_HEAD(transport_differs);
ATF_TC_BODY(transport_differs, tc)
{
	struct sim	*s = two(15, "ikev2 \"b\" ondemand transport" HOSTS_A A,
	    "ikev2 \"a\"" HOSTS_B B);

	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[1], "tunnel \"a\", peer 192.0.2.1 asks for transport, and "
	    "we say tunnel, which it gets and may refuse: make them equal"));
	ATF_CHECK(sim_logged(s->n[0], "the peer's answer for the Child SA is not acceptable: it "
	    "has declined transport mode: make it equal there, or write tunnel"));
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 0);
	sim_cmd(s->n[0], CMD_DOWN, "b");
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	sim_free(s);
	s = two(16, "ikev2 \"b\" ondemand" HOSTS_A A, "ikev2 \"a\" transport" HOSTS_B B);
	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[1], "tunnel \"a\", peer 192.0.2.1: NO_PROPOSAL_CHOSEN: it "
	    "wants tunnel mode, we say transport: make them equal"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(transport_nat);
ATF_TC_BODY(transport_nat, tc)
{
	struct sim	*s = sim_new(17);

	(void)sim_node(s, "a", "10.9.9.9", "ikev2 \"b\" ondemand transport from 10.9.9.9 to "
	    "198.51.100.1 local 10.9.9.9 peer 198.51.100.1 srcid a.example" SECRET);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" ondemand transport from "
	    "198.51.100.1 to 192.0.2.1 local 198.51.100.1 peer 192.0.2.1 dstid a.example"
	    SECRET);
	sim_nat(s->n[0], "192.0.2.1");
	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "tunnel \"b\": transport does not work through NAT: "
	    "write tunnel on both sides"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
	sim_free(s);
	/* a peer that asks for it all the same */
	s = sim_new(18);
	(void)sim_node(s, "a", "10.9.9.9", "ikev2 \"b\" ondemand from 192.0.2.1 to "
	    "198.51.100.1 local 10.9.9.9 peer 198.51.100.1 srcid a.example" SECRET);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" ondemand transport from "
	    "198.51.100.1 to 192.0.2.1 local 198.51.100.1 peer 192.0.2.1 dstid a.example"
	    SECRET);
	sim_nat(s->n[0], "192.0.2.1");
	ATF_CHECK(!sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	sim_free(s);
}

/* ---- notifies beside a Child's payloads */

struct notes {
	uint16_t	type;		/* to be put in front of the request's chain */
	uint8_t		exch;
	int		response;
	int		seen[3];	/* in what they answer or ask themselves */
	int		done;
};

static const uint16_t	watched[3] = {
	N_ESP_TFC_PADDING_NOT_SUPPORTED, N_NON_FIRST_FRAGMENTS_ALSO, N_IPCOMP_SUPPORTED
};

static int
put_note(void *arg, uint8_t *p, size_t *n, uint8_t *first)
{
	struct notes	*t = arg;
	size_t		 extra = t->type == N_IPCOMP_SUPPORTED ? 11 : 8, i, at, l;
	uint8_t		 next = *first;

	for (at = 0; next != 0 && at + 8 <= *n; at += l) {
		l = (size_t)p[at + 2] << 8 | p[at + 3];
		for (i = 0; next == P_N && i < 3; i++)
			t->seen[i] += (p[at + 6] << 8 | p[at + 7]) == watched[i];
		next = p[at];
		if (l < 4)
			return (-1);
	}
	if (t->type == 0 || t->done)
		return (-1);
	memmove(p + extra, p, *n);
	memset(p, 0, extra);
	p[0] = *first;
	p[3] = (uint8_t)extra;
	p[6] = (uint8_t)(t->type >> 8);
	p[7] = (uint8_t)t->type;
	if (extra == 11)
		p[10] = 2;	/* CPI, DEFLATE */
	*first = P_N;
	*n += extra;
	t->done = 1;
	return (0);
}

static int
note_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	 out[MSG_MAX];
	struct notes	*t = s->filter_arg;
	struct packet	 q = *p;
	size_t		 n;

	if (p->len < WIRE_HDRLEN || p->p[18] != t->exch ||
	    ((p->p[19] & WIRE_F_RESPONSE) != 0) != t->response)
		return (0);
	if ((n = peer_alter(from, p, put_note, t, out)) == 0)
		return (0);
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (1);
}

static struct sim *
noted(uint64_t seed, struct notes *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", "");

	s->filter = note_filter;
	s->filter_arg = t;
	return (s);
}

/* What we say of ourselves: no padding past the packet; nothing of the other two. */
ATF_TC_WITHOUT_HEAD(said);
ATF_TC_BODY(said, tc)
{
	static const uint8_t	exch[] = { X_IKE_AUTH, X_CREATE_CHILD_SA };
	struct notes		t;
	struct sim		*s;
	size_t			 i;
	int			 response;

	for (i = 0; i < 2; i++)
		for (response = 0; response < 2; response++) {
			memset(&t, 0, sizeof(t));
			t.exch = exch[i];
			t.response = response;
			s = noted(20 + i, &t);
			ATF_REQUIRE(sim_up(s->n[0], "b"));
			sim_cmd(s->n[0], CMD_REKEY, "b");
			sim_run(s, 3000);
			ATF_CHECK_EQ(t.seen[0], 1);
			ATF_CHECK_EQ(t.seen[1] + t.seen[2], 0);
			sim_free(s);
		}
}

/* And what a peer says of these things changes nothing, but for the mode. */
ATF_TC_WITHOUT_HEAD(heard);
ATF_TC_BODY(heard, tc)
{
	static const uint16_t	types[] = { N_NON_FIRST_FRAGMENTS_ALSO, N_IPCOMP_SUPPORTED,
				    N_ESP_TFC_PADDING_NOT_SUPPORTED,
				    N_ADDITIONAL_TS_POSSIBLE, 40001 };
	struct notes		 t;
	struct sim		*s;
	size_t			 i;
	int			 response;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (response = 0; response < 2; response++) {
			memset(&t, 0, sizeof(t));
			t.type = types[i];
			t.exch = X_IKE_AUTH;
			t.response = response;
			s = noted(30 + i, &t);
			ATF_CHECK(sim_up(s->n[0], "b"));
			ATF_CHECK(t.done);
			sim_run(s, 300);
			sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
			sim_run(s, 200);
			ATF_CHECK_EQ(s->n[0]->got, 5);
			sim_free(s);
		}
	/* a mode that was not asked for */
	memset(&t, 0, sizeof(t));
	t.type = N_USE_TRANSPORT_MODE;
	t.exch = X_IKE_AUTH;
	t.response = 1;
	s = noted(40, &t);
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 500);
	ATF_CHECK(t.done && sim_logged(s->n[0], "not acceptable: it wants transport mode: make "
	    "it equal there, or write transport"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, families);
	ATF_TP_ADD_TC(tp, rest);
	ATF_TP_ADD_TC(tp, rest_refused);
	ATF_TP_ADD_TC(tp, single);
	ATF_TP_ADD_TC(tp, single_there);
	ATF_TP_ADD_TC(tp, single_pair_required);
	ATF_TP_ADD_TC(tp, transport);
	ATF_TP_ADD_TC(tp, transport_differs);
	ATF_TP_ADD_TC(tp, transport_nat);
	ATF_TP_ADD_TC(tp, said);
	ATF_TP_ADD_TC(tp, heard);
	return (atf_no_error());
}
