/* SPDX-License-Identifier: ISC */
/* Two engines meet: the way up in each suite, and what stands in its way. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "sim.h"
#include "wire/wire.h"

static void
check_traffic(struct sim *s, int n)
{
	struct node	*a = s->n[0], *b = s->n[1];
	uint64_t	 ga = a->got, gb = b->got, bad = a->got_bad + b->got_bad;

	sim_traffic(a, "10.1.0.5", "10.2.0.7", n * 100, 100);
	sim_run(s, 200);
	ATF_CHECK_EQ_MSG(a->got - ga, (uint64_t)n, "%ju of %d", (uintmax_t)(a->got - ga), n);
	ATF_CHECK_EQ(b->got - gb, (uint64_t)n);
	ATF_CHECK_EQ(a->got_bad + b->got_bad, bad);
}

ATF_TC_WITHOUT_HEAD(first_light);
ATF_TC_BODY(first_light, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct show_tunnel t;

	sim_run(s, 100);
	ATF_CHECK(sim_tunnel(a, "b", &t) && t.state == SHOW_ONDEMAND);
	ATF_CHECK(sim_tunnel(b, "a", &t) && t.state == SHOW_PASSIVE);
	ATF_CHECK(!sim_ping(a, "10.1.0.5", "10.2.0.7"));
	sim_run(s, 1000);
	ATF_REQUIRE(sim_is_up(a, "b"));
	ATF_REQUIRE(sim_is_up(b, "a"));
	ATF_CHECK(sim_mirror(a, b, "b", "a"));
	ATF_CHECK(sim_logged(a, "tunnel \"b\" up: 10.1.0.0/24 <-> 10.2.0.0/24 with "
	    "198.51.100.1, woken by acquire, SPIs in 0x"));
	check_traffic(s, 10);
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	ATF_CHECK_EQ(sim_kernel_count(a), 2);
	ATF_CHECK_EQ(s->datagrams, 4);
	/* nobody is behind a NAT here */
	ATF_CHECK_EQ(a->sa[0].sa.encap_dport, 0);
	ATF_CHECK_EQ(sim_natt(a) + sim_natt(b), 0);
	sim_free(s);
}

/* The suites of the issue: each must come up and carry packets. */
ATF_TC_WITHOUT_HEAD(suites);
ATF_TC_BODY(suites, tc)
{
	static const char *const enc[] = {
		"enc aes-128-gcm prf hmac-sha2-256", "enc aes-256-gcm prf hmac-sha2-384",
		"enc aes-128 auth hmac-sha2-256", "enc aes-256 auth hmac-sha2-512",
		"enc aes-192 auth hmac-sha2-384", "enc aes-256 auth hmac-sha1 prf hmac-sha1",
	};
	static const char *const grp[] = { "curve25519", "ecp256", "ecp384", "modp2048" };
	static const char *const esp[] = {
		"enc aes-128-gcm", "enc aes-256-gcm", "enc aes-128 auth hmac-sha2-256",
		"enc aes-256 auth hmac-sha2-512", "enc aes-256 auth hmac-sha2-384",
		"enc aes-256 auth hmac-sha1",
	};
	struct sim	*s;
	char		 x[256];
	size_t		 i, j;

	for (i = 0; i < 6; i++)
		for (j = 0; j < 4; j++) {
			(void)snprintf(x, sizeof(x), "ikesa %s group %s childsa %s", enc[i],
			    grp[j], esp[i]);
			s = sim_pair(i * 10 + j, "ondemand", "passive", x);
			ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%s", x);
			sim_run(s, 200);
			ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
			check_traffic(s, 3);
			sim_free(s);
		}
}

#define TUNNEL_A(x) "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 " \
	"local 192.0.2.1 peer 198.51.100.1 " x "\n"
#define TUNNEL_B(x) "ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 " \
	"local 198.51.100.1 peer 192.0.2.1 " x "\n"
#define SECRET "psk \"a secret that is long enough\""

static struct sim *
two(uint64_t seed, const char *a, const char *b)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "192.0.2.1", a);
	(void)sim_node(s, "b", "198.51.100.1", b);
	return (s);
}

ATF_TC_WITHOUT_HEAD(wrong_psk);
ATF_TC_BODY(wrong_psk, tc)
{
	struct sim	*s = two(3, TUNNEL_A("psk \"my_secret_of_the_article\""),
	    TUNNEL_B("psk \"my_great_secret_of_the_article\""));
	struct node	*a = s->n[0], *b = s->n[1];
	struct show_tunnel t;

	(void)sim_up(a, "b");
	ATF_CHECK(!sim_is_up(a, "b") && !sim_is_up(b, "a"));
	ATF_CHECK(sim_logged(a, "tunnel \"b\": peer 198.51.100.1 says "
	    "AUTHENTICATION_FAILED: the secrets or the identities differ; make \"psk\" "
	    "equal on both sides and check srcid/dstid"));
	ATF_CHECK(sim_logged(b, "tunnel \"a\", peer 192.0.2.1: AUTH does not verify: "
	    "the secrets differ; make \"psk\" equal on both sides (it is "
	    "IPV4/192.0.2.1) [secret]"));
	ATF_CHECK(sim_tunnel(a, "b", &t));
	ATF_CHECK(t.state == SHOW_BACKOFF || t.state == SHOW_CONNECTING);
	ATF_CHECK(strstr(t.error, "AUTHENTICATION_FAILED") != NULL);
	ATF_CHECK_EQ(sim_kernel_count(a) + sim_kernel_count(b), 0);
	/* wanted for a minute, then it rests; half-open ones are forgotten */
	sim_run(s, 120000);
	ATF_CHECK(sim_tunnel(a, "b", &t) && t.state == SHOW_ONDEMAND);
	ATF_CHECK_EQ(sim_established(a) + sim_established(b), 0);
	ATF_CHECK_EQ(sim_count(b, SHOWK_PEER), 1);
	sim_free(s);
}

/* Negative test 38. */
ATF_TC_WITHOUT_HEAD(wrong_ids);
ATF_TC_BODY(wrong_ids, tc)
{
	struct sim	*s = two(4, TUNNEL_A("srcid seattle.example " SECRET),
	    TUNNEL_B("dstid portland.example " SECRET));

	(void)sim_up(s->n[0], "b");
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[1], "peer 192.0.2.1: its identity is "
	    "FQDN/seattle.example, we want FQDN/portland.example: set its "
	    "srcid or our dstid"));
	sim_free(s);
	s = two(5, TUNNEL_A("dstid boise.example " SECRET), TUNNEL_B(SECRET));
	(void)sim_up(s->n[0], "b");
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[1], "it wants to talk to FQDN/boise.example, we are "));
	sim_free(s);
	s = two(6, TUNNEL_A("srcid seattle.example dstid boise.example " SECRET),
	    TUNNEL_B("srcid boise.example dstid seattle.example " SECRET));
	ATF_CHECK(sim_up(s->n[0], "b"));
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(invalid_ke);
ATF_TC_BODY(invalid_ke, tc)
{
	struct sim	*s = two(7, TUNNEL_A("ikesa group curve25519 group modp2048 " SECRET),
	    TUNNEL_B("ikesa group modp2048 " SECRET));

	ATF_CHECK(sim_up(s->n[0], "b"));
	sim_run(s, 100);
	ATF_CHECK_EQ(s->datagrams, 6);
	check_traffic(s, 2);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(no_proposal);
ATF_TC_BODY(no_proposal, tc)
{
	struct show_tunnel t;
	struct sim	*s = two(8, TUNNEL_A("ikesa enc aes-128 auth hmac-sha2-256 group ecp256 "
	    SECRET), TUNNEL_B("ikesa enc aes-256 auth hmac-sha2-256 group ecp256 " SECRET));

	(void)sim_up(s->n[0], "b");
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "says NO_PROPOSAL_CHOSEN"));
	ATF_CHECK(sim_logged(s->n[1], "tunnel \"a\", peer 192.0.2.1: NO_PROPOSAL_CHOSEN: no enc "
	    "in common (it has aes-128, we have aes-256): it offers aes-128 auth hmac-sha2-256 "
	    "prf hmac-sha2-256 group ecp256; our \"ikesa\" wants aes-256 auth hmac-sha2-256"));
	/* the passive side shows it, too */
	ATF_CHECK(sim_tunnel(s->n[1], "a", &t));
	ATF_CHECK_EQ(t.reason, WHY_IKE_PROPOSAL);
	ATF_CHECK(strstr(t.error, "no enc in common") != NULL);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &t));
	ATF_CHECK_EQ(t.reason, WHY_IKE_PROPOSAL);
	sim_free(s);
	/* the Child's: the IKE SA stands, the tunnel says why not */
	s = two(9, TUNNEL_A("childsa enc aes-128-gcm " SECRET),
	    TUNNEL_B("childsa enc aes-256-gcm " SECRET));
	(void)sim_up(s->n[0], "b");
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	ATF_CHECK(sim_logged(s->n[0], "peer says NO_PROPOSAL_CHOSEN for the Child SA: "
	    "\"childsa\" differs, or it says transport and we tunnel; we offer aes-128-gcm"));
	ATF_CHECK(sim_logged(s->n[1], "NO_PROPOSAL_CHOSEN for the Child SA: no enc in common "
	    "(it has aes-128-gcm, we have aes-256-gcm): it offers aes-128-gcm; our \"childsa\" "
	    "wants, and the kernel can, aes-256-gcm"));
	sim_free(s);
}

/* Nothing can be sent to that address, by anybody. */
static int
no_sends(struct sim *s, struct node *from, struct packet *p)
{
	const struct endpoint	*to = s->filter_arg;
	int			 lost = addr_cmp(&p->dst.addr, &to->addr) == 0;

	if (lost)
		engine_unsent(from->e, &to->addr, "no route");
	return (lost);
}

static int
no_init(struct sim *s, struct node *from, struct packet *p)
{
	(void)s;
	(void)from;
	return (p->len > 18 && p->p[18] == X_IKE_SA_INIT);
}

static int
no_auth(struct sim *s, struct node *from, struct packet *p)
{
	(void)s;
	(void)from;
	return (p->len > 18 && p->p[18] == X_IKE_AUTH);
}

/* A local that is no address of this machine is said at once, and forgotten when it is. */
ATF_TC_WITHOUT_HEAD(not_ours);
ATF_TC_BODY(not_ours, tc)
{
	struct sim	*s = two(12, TUNNEL_A(SECRET), TUNNEL_B(SECRET));
	struct node	*a = s->n[0];
	struct show_tunnel t;

	sim_move(a, "192.0.2.77", 0);
	sim_cmd(a, CMD_UP, "b");
	ATF_REQUIRE(sim_tunnel(a, "b", &t));
	ATF_CHECK_EQ(t.state, SHOW_CONNECTING);
	ATF_CHECK_EQ(t.reason, WHY_NO_WAY);
	ATF_CHECK_STREQ(t.error, "local 192.0.2.1 is not an address of this machine");
	sim_run(s, 25000);
	ATF_CHECK(sim_logged(a, "local 192.0.2.1 is not an address of this machine"));
	sim_move(a, "192.0.2.1", 0);
	ATF_CHECK(sim_up(a, "b") >= 0 || sim_up(a, "b") >= 0 || sim_up(a, "b") >= 0);
	ATF_REQUIRE(sim_tunnel(a, "b", &t));
	ATF_CHECK_EQ(t.state, SHOW_UP);
	ATF_CHECK_EQ(t.reason, WHY_NONE);
	sim_free(s);
}

/* What cannot even be sent is not said to be the peer's silence; and what can be again is
 * no longer said not to be. */
ATF_TC_WITHOUT_HEAD(unsent);
ATF_TC_BODY(unsent, tc)
{
	struct sim	*s = two(14, TUNNEL_A(SECRET), TUNNEL_B(SECRET));
	struct node	*a = s->n[0];
	struct endpoint	 b = sim_ep("198.51.100.1", 500);
	struct show_tunnel t;

	s->filter = no_sends;
	s->filter_arg = &b;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 1500);
	ATF_REQUIRE(sim_tunnel(a, "b", &t));
	ATF_CHECK_EQ(t.reason, WHY_NO_WAY);
	ATF_CHECK_STREQ(t.error, "nothing can be sent to peer 198.51.100.1: no route");
	sim_run(s, 24000);
	ATF_CHECK(sim_logged(a, "nothing can be sent to peer 198.51.100.1: no route"));
	ATF_CHECK(!sim_logged(a, "does not answer IKE_SA_INIT"));
	/* what goes out again and is lost is another matter */
	s->filter = no_init;
	engine_unsent(a->e, &b.addr, NULL);
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 60000);
	ATF_CHECK(sim_logged(a, "does not answer IKE_SA_INIT"));
	sim_free(s);
}

/* Its answer is lost, or what the peer says next: the side that was called says so, once the
 * attempt is forgotten. */
ATF_TC_WITHOUT_HEAD(not_gone_on);
ATF_TC_BODY(not_gone_on, tc)
{
	struct sim	*s = two(15, TUNNEL_A(SECRET), TUNNEL_B(SECRET));
	struct show_tunnel t;

	s->filter = no_auth;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 20000);
	ATF_REQUIRE(sim_tunnel(s->n[1], "a", &t));
	ATF_CHECK_EQ(t.reason, WHY_NONE);
	sim_run(s, 15000);
	ATF_REQUIRE(sim_tunnel(s->n[1], "a", &t));
	ATF_CHECK_EQ(t.reason, WHY_NO_ANSWER_AUTH);
	ATF_CHECK(sim_logged(s->n[1], "tunnel \"a\": peer 192.0.2.1 began and did not go on"));
	s->filter = NULL;
	ATF_CHECK(sim_up(s->n[0], "b") >= 0 || sim_up(s->n[0], "b") >= 0 ||
	    sim_up(s->n[0], "b") >= 0);
	ATF_REQUIRE(sim_tunnel(s->n[1], "a", &t));
	ATF_CHECK_EQ(t.reason, WHY_NONE);
	sim_free(s);
}

/* PFS on one side: nothing is wrong before the first rekey, and then both sides say it of
 * a tunnel that still carries traffic; when they agree again it is forgotten. */
ATF_TC_WITHOUT_HEAD(pfs_differs);
ATF_TC_BODY(pfs_differs, tc)
{
	struct sim	*s = two(13, TUNNEL_A("childsa enc aes-256-gcm " SECRET),
	    TUNNEL_B("childsa enc aes-256-gcm group curve25519 " SECRET));
	struct show_tunnel t;

	ATF_REQUIRE(sim_up(s->n[0], "b") >= 0);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	ATF_CHECK_EQ(t.reason, WHY_NONE);
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 300);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	ATF_CHECK_EQ(t.state, SHOW_UP);
	ATF_CHECK_EQ(t.reason, WHY_REKEY);
	ATF_CHECK(strstr(t.error, "its group (PFS) most likely; ours is aes-256-gcm") != NULL);
	ATF_CHECK(sim_logged(s->n[0], "rekeying failed: peer says NO_PROPOSAL_CHOSEN"));
	ATF_REQUIRE(sim_tunnel(s->n[1], "a", &t));
	ATF_CHECK_EQ(t.state, SHOW_UP);
	ATF_CHECK_EQ(t.reason, WHY_CHILD_PROPOSAL);
	ATF_CHECK(strstr(t.error, "no group in common") != NULL);
	sim_free(s);
}

/* What the kernel cannot install is neither offered nor chosen. */
ATF_TC_WITHOUT_HEAD(caps);
ATF_TC_BODY(caps, tc)
{
	struct sim	*s = two(10, TUNNEL_A("childsa enc aes-256-gcm childsa enc aes-256 "
	    "auth hmac-sha2-512 " SECRET), TUNNEL_B("childsa enc aes-256-gcm childsa enc "
	    "aes-256 auth hmac-sha2-512 " SECRET));
	struct node	*b = s->n[1];

	/* as PF_KEY on Linux: no AEAD */
	b->caps.nalgs = 1;
	b->caps.algs[0] = (struct xform){ XF_ENCR, ENCR_AES_CBC, 256, 0 };
	b->caps.algs[1] = (struct xform){ XF_INTEG, INTEG_HMAC_SHA2_512_256, 0, 0 };
	b->caps.nalgs = 2;
	engine_caps(b->e, &b->caps);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], ", aes-256 auth hmac-sha2-512"));
	check_traffic(s, 2);
	sim_free(s);
}

/* Each datagram of the handshake lost once, twice, or doubled. */
struct lose {
	int	at, n, seen, twice;
};

static int
lose_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct lose	*l = s->filter_arg;
	int		 k = l->seen++;

	(void)from;
	if (l->twice && k == l->at) {
		struct packet	q = *p;

		sim_inject(s, &q.src, &q.dst, q.marker, q.p, q.len);
		return (0);
	}
	return (!l->twice && k >= l->at && k < l->at + l->n);
}

ATF_TC_WITHOUT_HEAD(lost);
ATF_TC_BODY(lost, tc)
{
	struct sim	*s;
	struct lose	 l;
	int		 at, n;

	for (at = 0; at < 4; at++)
		for (n = 0; n < 4; n++) {
			s = sim_pair(100 + at * 4 + n, "ondemand", "passive", "");
			l = (struct lose){ at, n, 0, n == 0 };
			s->filter = lose_filter;
			s->filter_arg = &l;
			ATF_CHECK_MSG(sim_up(s->n[0], "b"), "at %d, %d lost", at, n);
			sim_run(s, 5000);
			ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
			ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
			ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
			ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 1);
			ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
			check_traffic(s, 2);
			sim_free(s);
		}
}

/* Both start, the second a little later: one Child is left, traffic goes. */
ATF_TC_WITHOUT_HEAD(both_start);
ATF_TC_BODY(both_start, tc)
{
	static const int	 ms[] = { 0, 5, 10, 20, 25, 40, 60, 100, 300 };
	struct sim		*s;
	size_t			 i;
	int			 swap;

	for (i = 0; i < 18; i++) {
		swap = i >= 9;
		s = sim_pair(200 + i, "ondemand", "ondemand", "");
		s->delay_us = 25000;
		sim_cmd(s->n[swap], CMD_UP, swap ? "a" : "b");
		sim_run(s, ms[i % 9]);
		sim_cmd(s->n[!swap], CMD_UP, swap ? "b" : "a");
		sim_run(s, 4000);
		ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%d ms, %d", ms[i % 9],
		    swap);
		ATF_CHECK_EQ_MSG(sim_count(s->n[0], SHOWK_SA), 1, "%d ms: %d Children",
		    ms[i % 9], sim_count(s->n[0], SHOWK_SA));
		ATF_CHECK_EQ(sim_established(s->n[0]), 1);
		ATF_CHECK_EQ(sim_established(s->n[1]), 1);
		ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
		check_traffic(s, 3);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "down:"), 0);
		sim_free(s);
	}
}

/* A responder that wants a cookie first, and one that always does. */
struct cookie {
	int	asked, max, bad;
	uint8_t	sent[32];
};

static int
cookie_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct cookie	*c = s->filter_arg;
	struct wire_msg	 m;
	struct wire_hdr	 h;
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		 buf[128];

	if (from != s->n[0] || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != X_IKE_SA_INIT)
		return (0);
	ATF_REQUIRE_EQ(wire_decode(h.next, p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN,
	    WIRE_HDRLEN, &m, NULL), WIRE_OK);
	if (c->asked > 0 && (!m.cookie_first || m.notify[0].data.len != sizeof(c->sent) ||
	    memcmp(m.notify[0].data.p, c->sent, sizeof(c->sent)) != 0))
		c->bad = 1;
	if (c->asked >= c->max)
		return (0);
	memset(c->sent, 0x40 + c->asked++, sizeof(c->sent));
	wbuf_init(&w, buf, sizeof(buf));
	h.flags = WIRE_F_RESPONSE;
	wire_begin(&e, &w, &h);
	wire_put_notify(&e, 0, 0, 0, N_COOKIE, c->sent, sizeof(c->sent));
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	sim_inject(s, &p->dst, &p->src, 0, buf, w.len);
	return (1);
}

/* Negative test 20. */
ATF_TC_WITHOUT_HEAD(cookie);
ATF_TC_BODY(cookie, tc)
{
	struct sim	*s = sim_pair(11, "ondemand", "passive", "");
	struct cookie	 c = { 0, 1, 0, { 0 } };
	struct show_tunnel t;

	s->filter = cookie_filter;
	s->filter_arg = &c;
	ATF_CHECK(sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(c.asked, 1);
	ATF_CHECK(!c.bad);
	sim_free(s);
	s = sim_pair(12, "ondemand", "passive", "");
	c = (struct cookie){ 0, 1000, 0, { 0 } };
	s->filter = cookie_filter;
	s->filter_arg = &c;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 500);
	ATF_CHECK(c.asked <= 6);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &t) && t.state == SHOW_BACKOFF);
	sim_free(s);
}

/* Nobody there: it says so, backs off, and comes up when the peer does. */
ATF_TC_WITHOUT_HEAD(late_peer);
ATF_TC_BODY(late_peer, tc)
{
	struct sim	*s = sim_pair(13, "active", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct show_tunnel t;
	monotime	 then;

	b->cut = 1;
	sim_run(s, 4000);
	ATF_CHECK(sim_tunnel(a, "b", &t));
	ATF_CHECK_EQ(t.state, SHOW_CONNECTING);
	ATF_CHECK_STREQ(t.wait_for, "IKE_SA_INIT reply");
	ATF_CHECK(t.tries >= 3 && t.since_ms >= 3900);
	b->cut = 0;
	then = s->now;
	while (!sim_is_up(a, "b") && mono_diff_us(s->now, then) < 10000000)
		sim_run(s, 10);
	ATF_CHECK_MSG(mono_diff_us(s->now, then) < 2200000, "%jd us",
	    (intmax_t)mono_diff_us(s->now, then));
	sim_free(s);
	s = sim_pair(14, "active", "passive", "");
	a = s->n[0];
	s->n[1]->cut = 1;
	sim_run(s, 300000);
	ATF_CHECK(sim_logged(a, "peer 198.51.100.1 does not answer IKE_SA_INIT"));
	s->n[1]->cut = 0;
	sim_run(s, 33000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

/* The kernel refuses at each step; nothing is left over and it comes up after. */
ATF_TC_WITHOUT_HEAD(kernel_fails);
ATF_TC_BODY(kernel_fails, tc)
{
	struct sim	*s;
	int		 who, at;

	for (who = 0; who < 2; who++)
		for (at = 1; at <= 2; at++) {
			s = sim_pair(300 + who * 2 + at, "ondemand", "passive", "");
			s->n[who]->kern_fail_at = at;
			sim_cmd(s->n[0], CMD_UP, "b");
			sim_run(s, 500);
			ATF_CHECK_MSG(!sim_is_up(s->n[who], who ? "a" : "b"), "%d %d", who, at);
			sim_run(s, 5000);
			ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"));
			ATF_CHECK(sim_logged(s->n[who], "the kernel refuses the SA"));
			ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
			ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
			ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
			sim_free(s);
		}
}

/* Keys or the kernel fall silent: bounded waiting, shown truthfully. */
ATF_TC_WITHOUT_HEAD(mute);
ATF_TC_BODY(mute, tc)
{
	struct sim	*s = sim_pair(15, "ondemand", "passive", "");
	struct node	*a = s->n[0];
	struct show_tunnel t;

	a->keys_mute = 1;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 2000);
	ATF_CHECK(sim_tunnel(a, "b", &t));
	ATF_CHECK_STREQ(t.wait_for, "AUTH from keys");
	a->keys_mute = 0;
	sim_run(s, 15000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
	s = sim_pair(16, "ondemand", "passive", "");
	a = s->n[0];
	a->kern_mute = 1;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 2000);
	ATF_CHECK(sim_tunnel(a, "b", &t));
	ATF_CHECK_STREQ(t.wait_for, "kernel");
	a->kern_mute = 0;
	sim_run(s, 25000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, first_light);
	ATF_TP_ADD_TC(tp, suites);
	ATF_TP_ADD_TC(tp, wrong_psk);
	ATF_TP_ADD_TC(tp, wrong_ids);
	ATF_TP_ADD_TC(tp, invalid_ke);
	ATF_TP_ADD_TC(tp, no_proposal);
	ATF_TP_ADD_TC(tp, not_ours);
	ATF_TP_ADD_TC(tp, unsent);
	ATF_TP_ADD_TC(tp, not_gone_on);
	ATF_TP_ADD_TC(tp, pfs_differs);
	ATF_TP_ADD_TC(tp, caps);
	ATF_TP_ADD_TC(tp, lost);
	ATF_TP_ADD_TC(tp, both_start);
	ATF_TP_ADD_TC(tp, cookie);
	ATF_TP_ADD_TC(tp, late_peer);
	ATF_TP_ADD_TC(tp, kernel_fails);
	ATF_TP_ADD_TC(tp, mute);
	return (atf_no_error());
}
