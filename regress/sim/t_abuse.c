/* SPDX-License-Identifier: ISC */
/*
 * What strangers can do to us: floods, forged and replayed messages, and a peer
 * that wants more than its share.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine_local.h"
#include "peer.h"
#include "sim.h"

/* What a node sent last, and how much it sent, to one address and in all. */
struct seen {
	struct node	*from;
	struct endpoint	 to, from_ep;
	uint8_t		 b[4096];
	size_t		 len;
	uint64_t	 n;
};

static int
seen_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct seen	*v = s->filter_arg;

	if (from != v->from || p->len > sizeof(v->b))
		return (0);
	v->to = p->dst;
	v->from_ep = p->src;
	memcpy(v->b, p->p, p->len);
	v->len = p->len;
	v->n++;
	return (0);
}

/* IKEv1 from a thousand made-up addresses in a second: not a thousand lines.
 * Negative test 3. */
ATF_TC_WITHOUT_HEAD(ikev1_flood);
ATF_TC_BODY(ikev1_flood, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct endpoint	 src = sim_ep("203.0.113.1", 500), dst = sim_ep("192.0.2.1", 500);
	uint8_t		 m[28] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	int		 i;

	m[16] = 1;
	m[17] = 0x10;
	m[18] = 2;
	m[27] = 28;
	for (i = 0; i < 1000; i++) {
		src.addr.b[2] = (uint8_t)(i >> 8);
		src.addr.b[3] = (uint8_t)i;
		sim_inject(s, &src, &dst, 0, m, sizeof(m));
		sim_run(s, 1);
	}
	i = sim_log_count(s->n[0], "peer speaks IKEv1");
	ATF_CHECK_MSG(i >= 5 && i <= 20, "%d lines", i);
	sim_free(s);
}

/* A sealed empty INFORMATIONAL request of a, with its next message id. */
static size_t
sealed_check(struct node *a, uint8_t msg[MSG_MAX])
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	ike = slab_walk(&a->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	return (message_seal(&a->e->w, &ike->c, X_INFORMATIONAL, 0, ike->msgid_out, P_NONE,
	    NULL, 0, msg));
}

/* The answer goes to where the question came from, each time (2.11). */
ATF_TC_WITHOUT_HEAD(reply_source);
ATF_TC_BODY(reply_source, tc)
{
	struct sim	*s = sim_pair(2, "ondemand", "passive", "");
	struct seen	 v = { .from = s->n[1] };
	struct endpoint	 src = sim_ep("203.0.113.9", 1234), dst = sim_ep("198.51.100.1", 500);
	struct endpoint	 other = sim_ep("203.0.113.10", 4321);
	uint8_t		 msg[MSG_MAX];
	size_t		 n;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	n = sealed_check(s->n[0], msg);
	s->filter = seen_filter;
	s->filter_arg = &v;
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 1);
	ATF_CHECK_EQ(endpoint_cmp(&v.to, &src), 0);
	ATF_CHECK_EQ(endpoint_cmp(&v.from_ep, &dst), 0);
	sim_inject(s, &other, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 2);
	ATF_CHECK_EQ(endpoint_cmp(&v.to, &other), 0);
	/* nothing moves because of that: there is no NAT here */
	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(s->n[0]->got, 5);
	sim_free(s);
}

/* Who only knows the numbers of a request gets no copy of its reply. */
ATF_TC_WITHOUT_HEAD(reply_forged);
ATF_TC_BODY(reply_forged, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct seen	 v = { .from = s->n[1] };
	struct endpoint	 src = sim_ep("192.0.2.1", 500), dst = sim_ep("198.51.100.1", 500);
	uint8_t		 msg[MSG_MAX];
	size_t		 n;
	int		 i;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	n = sealed_check(s->n[0], msg);
	s->filter = seen_filter;
	s->filter_arg = &v;
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 1);
	for (i = 0; i < 100; i++) {
		msg[n - 1 - (size_t)i % 20] ^= (uint8_t)(1 + i);
		sim_inject(s, &src, &dst, 0, msg, n);
		sim_run(s, 1);
	}
	ATF_CHECK_EQ(v.n, 1);
	sim_free(s);
}

/* ---- floods of IKE_SA_INIT */

/* a's first IKE_SA_INIT request, as it would send it; nothing else is sent. */
static int
take_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct seen	*v = s->filter_arg;

	if (from == v->from && p->len <= sizeof(v->b)) {
		memcpy(v->b, p->p, p->len);
		v->len = p->len;
		return (1);
	}
	return (0);
}

static void
take_request(struct sim *s, struct seen *v)
{
	memset(v, 0, sizeof(*v));
	v->from = s->n[0];
	s->filter = take_filter;
	s->filter_arg = v;
	sim_cmd(s->n[0], CMD_UP, "b");
	ATF_REQUIRE(v->len > 0);
	sim_cmd(s->n[0], CMD_DOWN, "b");
	s->filter = NULL;
}

/* One of it, with the k-th SPI, from that port of the peer. */
static void
spoof(struct sim *s, struct seen *v, const char *addr, uint32_t k)
{
	struct endpoint	src = sim_ep(addr, (uint16_t)(1024 + k % 60000));
	struct endpoint	dst = sim_ep("198.51.100.1", 500);

	v->b[2] = (uint8_t)(k >> 16);
	v->b[3] = (uint8_t)(k >> 8);
	v->b[4] = (uint8_t)k;
	sim_inject(s, &src, &dst, 0, v->b, v->len);
}

static void
flood(struct sim *s, struct seen *v, const char *addr, int ms)
{
	static uint32_t	k = 1;

	for (; ms > 0; ms--, k++) {
		spoof(s, v, addr, k);
		sim_run(s, 1);
	}
}

/*
 * A thousand a second with the peer's own address: each costs an answer that is no
 * longer, and the peer is up at once, every time.
 * Negative test 21.
 */
ATF_TC_WITHOUT_HEAD(spoofed_peer);
ATF_TC_BODY(spoofed_peer, tc)
{
	struct sim		*s = sim_pair(10, "ondemand", "passive", "");
	struct node		*a = s->n[0], *b = s->n[1];
	struct show_stats	 st;
	struct seen		 v, w = { .from = b };
	uint64_t		 rng, n;
	int			 i;

	take_request(s, &v);
	flood(s, &v, "192.0.2.1", 2000);
	sim_stats(b, &st);
	ATF_CHECK_MSG(st.half_open <= 5, "%ju half-open", (uintmax_t)st.half_open);
	/* no key pair, no nonce, no SPI: not an octet of chance is spent */
	s->filter = seen_filter;
	s->filter_arg = &w;
	rng = b->rng;
	n = b->e->w.slots[0].spi;
	flood(s, &v, "192.0.2.1", 1000);
	ATF_CHECK_EQ(b->rng, rng);
	ATF_CHECK_EQ(b->e->w.slots[0].spi, n);
	ATF_CHECK_EQ(w.n, 1000);
	ATF_CHECK_MSG(w.len < v.len, "%zu for %zu octets", w.len, v.len);
	s->filter = NULL;
	for (i = 0; i < 5; i++) {
		sim_cmd(a, CMD_UP, "b");
		flood(s, &v, "192.0.2.1", 200);
		ATF_CHECK_MSG(sim_is_up(a, "b") && sim_is_up(b, "a"), "time %d", i);
		sim_cmd(a, CMD_DOWN, "b");
		flood(s, &v, "192.0.2.1", 500);
	}
	ATF_CHECK_EQ(sim_log_count(b, "wants a cookie first"), 1);
	sim_run(s, 40000);
	sim_stats(b, &st);
	ATF_CHECK_EQ(st.half_open, 0);
	/* it is over: no cookie any more */
	n = s->datagrams;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 300);
	ATF_CHECK_EQ(s->datagrams - n, 4);
	sim_free(s);
}

/* From everywhere, where any address may be a peer: the fixed peer does not notice.
 * Negative test 21. */
ATF_TC_WITHOUT_HEAD(spoofed_world);
ATF_TC_BODY(spoofed_world, tc)
{
	struct sim		*s = sim_pair(11, "ondemand", "passive", "");
	struct node		*a = s->n[0], *b;
	struct show_stats	 st;
	struct seen		 v;
	char			 addr[32];
	int			 i;

	take_request(s, &v);
	b = s->n[1];
	sim_reload(b, "ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 local "
	    "198.51.100.1 peer 192.0.2.1 psk \"a secret that is long enough\"\n"
	    "ikev2 \"road\" esp from 10.2.0.0/24 to 10.9.0.0/16 local 198.51.100.1 peer any "
	    "dstid road.example psk \"another secret, long enough\"\n");
	for (i = 0; i < 4000; i++) {
		(void)snprintf(addr, sizeof(addr), "203.0.%d.%d", 100 + i / 250, 1 + i % 250);
		flood(s, &v, addr, 1);
	}
	sim_stats(b, &st);
	ATF_CHECK_MSG(st.half_open <= 65, "%ju half-open", (uintmax_t)st.half_open);
	sim_cmd(a, CMD_UP, "b");
	flood(s, &v, "203.0.113.1", 200);
	ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
	sim_free(s);
}

/* What is no cookie: another port, another nonce, a bent one, one twice too old. */
struct replayer {
	struct node	*a, *b;
	uint8_t		 c[64];
	size_t		 clen;
	uint8_t		 last[4096];	/* the request that showed it */
	size_t		 lastlen;
	uint64_t	 asked;
	struct endpoint	 src, dst;
};

static int
replayer_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct replayer	*r = s->filter_arg;
	struct wire_hdr	 h;
	struct wire_msg	 m;

	if (wire_hdr_decode(p->p, p->len, &h) == -1 || h.exch != X_IKE_SA_INIT ||
	    wire_decode(h.next, p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN, WIRE_HDRLEN, &m,
	    NULL) != WIRE_OK)
		return (0);
	if (from == r->b)
		r->asked += m.cookie_first;
	if (from != r->a || !m.cookie_first)
		return (0);
	if (r->lastlen == 0) {
		memcpy(r->last, p->p, p->len);
		r->lastlen = p->len;
		r->src = p->src;
		r->dst = p->dst;
	}
	return (1);		/* the test sends it */
}

/* 1: b wanted another one. */
static int
refused(struct sim *s, struct replayer *r, const struct endpoint *src)
{
	uint64_t	n = r->asked;

	sim_inject(s, src, &r->dst, 0, r->last, r->lastlen);
	sim_run(s, 1);
	return (r->asked != n);
}

/* Negative test 19. */
ATF_TC_WITHOUT_HEAD(cookies);
ATF_TC_BODY(cookies, tc)
{
	struct sim		*s = sim_pair(12, "ondemand", "passive", "");
	struct replayer		 r = { .a = s->n[0], .b = s->n[1] };
	struct endpoint		 src;
	struct wire_msg		 m;
	struct seen		 v;
	int			 i;

	take_request(s, &v);
	flood(s, &v, "192.0.2.1", 10);
	s->filter = replayer_filter;
	s->filter_arg = &r;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 50);
	ATF_REQUIRE(r.lastlen > 0);
	src = r.src;
	src.port++;
	ATF_CHECK(refused(s, &r, &src));
	src = r.src;
	src.addr.b[3] ^= 2;
	ATF_CHECK(!refused(s, &r, &src));	/* not a peer: no answer at all */
	r.last[8 - 1] ^= 1;			/* SPIi */
	ATF_CHECK(refused(s, &r, &r.src));
	r.last[8 - 1] ^= 1;
	for (i = 0; i < COOKIE_LEN; i++) {
		r.last[WIRE_HDRLEN + 8 + i] ^= 0x40;
		ATF_CHECK(refused(s, &r, &r.src));
		r.last[WIRE_HDRLEN + 8 + i] ^= 0x40;
	}
	ATF_REQUIRE_EQ(wire_decode(r.last[16], r.last + WIRE_HDRLEN, r.lastlen - WIRE_HDRLEN,
	    WIRE_HDRLEN, &m, NULL), WIRE_OK);
	i = (int)(m.nonce.p - r.last);
	r.last[i] ^= 1;
	ATF_CHECK(refused(s, &r, &r.src));
	r.last[i] ^= 1;
	/* one secret later it is still good, two secrets later not */
	sim_cmd(s->n[0], CMD_DOWN, "b");
	s->filter = NULL;
	sim_run(s, 61000);
	flood(s, &v, "192.0.2.1", 10);
	s->filter = replayer_filter;
	ATF_CHECK(!refused(s, &r, &r.src));
	s->filter = NULL;
	sim_run(s, 61000);
	flood(s, &v, "192.0.2.1", 10);
	s->filter = replayer_filter;
	ATF_CHECK(refused(s, &r, &r.src));
	sim_free(s);
}

/* A peer that starts anew twenty times in a row has but a few IKE SAs here. */
ATF_TC_WITHOUT_HEAD(many_ikes);
ATF_TC_BODY(many_ikes, tc)
{
	static const char conf[] = "ikev2 \"b\" active esp from 10.1.0.0/24 to 10.2.0.0/24 "
	    "local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long enough\"\n";
	struct sim	*s = sim_pair(20, "active", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	int		 i, n, top = 0;

	for (i = 0; i < 20; i++) {
		sim_run(s, 60);
		n = sim_established(b);
		top = n > top ? n : top;
		sim_kill(a);
		sim_start(a, conf);
	}
	ATF_CHECK_MSG(top >= 5 && top <= 9, "%d IKE SAs", top);
	sim_run(s, 10000);
	ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
	ATF_CHECK_EQ(sim_established(b), 1);
	ATF_CHECK_EQ(sim_kernel_count(b), 2);
	ATF_CHECK(sim_agree(b));
	sim_free(s);
}

/* ---- thousands of peers: no packet walks them all */

static char *
hub_text(int n)
{
	char	*t = calloc(1, (size_t)n * 256 + 1), *p = t;
	int	 i;

	ATF_REQUIRE(t != NULL);
	for (i = 0; i < n; i++)
		p += snprintf(p, 256, "ikev2 \"t%d\" esp from 10.2.0.0/24 to 10.%d.%d.0/24 "
		    "local 198.51.100.1 peer any dstid h%d.example psk \"a secret that is "
		    "long enough\" ikesa group ecp384\n", i, 16 + i / 256, i % 256, i);
	return (t);
}

/* CPU time of requests whose offer fits nobody. */
static clock_t
cost(int peers)
{
	struct sim	*s = sim_pair(30, "ondemand", "passive", "ikesa group curve25519");
	struct seen	 v;
	char		*text = hub_text(peers);
	clock_t		 t;

	take_request(s, &v);
	sim_reload(s->n[1], text);
	free(text);
	t = clock();
	flood(s, &v, "203.0.113.1", 1000);
	t = clock() - t;
	ATF_CHECK(sim_logged(s->n[1], "NO_PROPOSAL_CHOSEN"));
	sim_free(s);
	return (t);
}

ATF_TC_WITHOUT_HEAD(many_peers);
ATF_TC_BODY(many_peers, tc)
{
	clock_t		 one = cost(1), many = cost(8000);
	struct sim	*s = sim_new(31);
	char		*text = hub_text(4000);

	ATF_CHECK_MSG(many < one * 20 + CLOCKS_PER_SEC / 5, "%ld against %ld", (long)many,
	    (long)one);
	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.31.138.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 srcid h3978.example dstid "
	    "198.51.100.1 psk \"a secret that is long enough\" ikesa group ecp384\n");
	(void)sim_node(s, "hub", "198.51.100.1", text);
	free(text);
	ATF_CHECK(sim_up(s->n[0], "b"));
	ATF_CHECK(sim_is_up(s->n[1], "t3978"));
	sim_free(s);
}

/* An outbound SPI is its peer's choice: two may choose the same. */
ATF_TC_WITHOUT_HEAD(outbound_spis);
ATF_TC_BODY(outbound_spis, tc)
{
	struct sim	*s = sim_pair(32, "ondemand", "passive", "");
	struct world	*w;
	struct ike_sa	*ike;
	struct child_sa	*c, *x[300];
	uint32_t	 at = 0, i, n;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	w = &s->n[0]->e->w;
	ATF_REQUIRE((ike = slab_walk(&w->ikes, &at, NULL)) != NULL);
	for (i = 0; i < 300; i++) {
		ATF_REQUIRE((x[i] = child_new(w, ike, 0, child_spi_new(w))) != NULL);
		child_set_out(w, x[i], 0x20000 + i / 2);
	}
	for (i = 0; i < 300; i += 3)
		child_free(w, x[i]);
	for (i = 0; i < 300; i++) {
		for (c = NULL, n = 0; (c = child_byout_next(w, c, 0x20000 + i / 2)) != NULL;)
			n += c == x[i];
		ATF_CHECK_EQ(n, i % 3 == 0 ? 0U : 1U);
	}
	for (i = 0; i < 300; i++)
		if (i % 3 != 0)
			child_free(w, x[i]);
	ATF_CHECK(child_byout_next(w, NULL, 0x20000) == NULL);
	/* the kernel's word on an outbound SA finds the Child */
	ATF_REQUIRE((c = child_of_tunnel(w, 0)) != NULL);
	engine_expire(s->n[0]->e, s->now, c->spi_out, &c->remote.addr, 0);
	sim_run(s, 1000);
	ATF_CHECK(child_of_tunnel(w, 0) != NULL && child_of_tunnel(w, 0) != c);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, many_ikes);
	ATF_TP_ADD_TC(tp, many_peers);
	ATF_TP_ADD_TC(tp, outbound_spis);
	ATF_TP_ADD_TC(tp, spoofed_peer);
	ATF_TP_ADD_TC(tp, spoofed_world);
	ATF_TP_ADD_TC(tp, cookies);
	ATF_TP_ADD_TC(tp, ikev1_flood);
	ATF_TP_ADD_TC(tp, reply_source);
	ATF_TP_ADD_TC(tp, reply_forged);
	return (atf_no_error());
}
