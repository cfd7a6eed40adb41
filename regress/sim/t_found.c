/* SPDX-License-Identifier: ISC */
/* What random lives (t_seeds) have found, one scenario each. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"
#include "wire/wire.h"

#define PSK "psk \"a secret that is long enough\"\n"
#define SRC "10.1.0.5"
#define DST "10.2.0.7"

static struct ike_sa *
only_ike(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	ATF_REQUIRE((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL);
	return (ike);
}

/* Over a way that is longer than the first retransmission, INVALID_KE_PAYLOAD and COOKIE
 * come twice, the second time as answers to a request that has been given up. */
ATF_TC_WITHOUT_HEAD(far_answers);
ATF_TC_BODY(far_answers, tc)
{
	struct sim	*s;
	int		 i;

	for (i = 0; i < 4; i++) {
		s = sim_new(10 + (uint64_t)i);
		s->delay_us = 350000 + i / 2 * 400000;
		(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 "
		    "to 10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 ikesa enc aes-128-gcm "
		    "prf hmac-sha2-256 group { curve25519, ecp256 } " PSK);
		(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" esp from 10.2.0.0/24 to "
		    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 ikesa enc aes-128-gcm prf "
		    "hmac-sha2-256 group ecp256 " PSK);
		/* as under a flood */
		if (i & 1)
			s->n[1]->e->w.nhalfresp = 100000;
		ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%d", i);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "IKE_SA_INIT"), 0);
		s->n[1]->e->w.nhalfresp = 0;
		sim_free(s);
	}
}

/* Swallows the first n messages of that kind. */
struct swallow {
	int	n, exch, response, from;
};

static int
swallow(struct sim *s, struct node *from, struct packet *p)
{
	struct swallow	*x = s->filter_arg;
	struct wire_hdr	 h;

	if (x->n == 0 || from->idx != x->from || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != x->exch || ((h.flags & WIRE_F_RESPONSE) != 0) != x->response)
		return (0);
	x->n--;
	return (1);
}

static struct sim *
two_tunnels(uint64_t seed, const char *mode)
{
	struct sim	*s = sim_new(seed);
	char		 text[512];

	(void)snprintf(text, sizeof(text), "ikev2 \"one\" %s esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK "ikev2 \"two\" %s esp from "
	    "10.1.0.0/24 to 10.3.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK, mode, mode);
	(void)sim_node(s, "a", "192.0.2.1", text);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"one\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK "ikev2 \"two\" esp from "
	    "10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK);
	return (s);
}

/* The reply that makes a Child is lost, and what the peer says of that Child comes
 * before it is sent again: a rekey, or a DELETE. */
ATF_TC_WITHOUT_HEAD(before_the_reply);
ATF_TC_BODY(before_the_reply, tc)
{
	static const enum engine_cmd	 cmds[] = { CMD_REKEY, CMD_DOWN };
	struct sim			*s;
	struct swallow			 x;
	int				 i;

	for (i = 0; i < 2; i++) {
		s = two_tunnels(20 + (uint64_t)i, "ondemand");
		ATF_REQUIRE(sim_up(s->n[0], "one"));
		x = (struct swallow){ 1, X_CREATE_CHILD_SA, 1, 1 };
		s->filter = swallow;
		s->filter_arg = &x;
		sim_cmd(s->n[0], CMD_UP, "two");
		sim_run(s, 100);
		ATF_REQUIRE_EQ(x.n, 0);
		ATF_REQUIRE(sim_is_up(s->n[1], "two") && !sim_is_up(s->n[0], "two"));
		sim_cmd(s->n[1], cmds[i], "two");
		sim_run(s, 900);
		ATF_CHECK_EQ_MSG(sim_is_up(s->n[0], "two"), sim_is_up(s->n[1], "two"), "%d", i);
		sim_run(s, 10000);
		ATF_CHECK(sim_is_up(s->n[0], "two") && sim_is_up(s->n[1], "two"));
		ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "two", "two"), "%d", i);
		ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 2);
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		sim_free(s);
	}
}

/* The reply to a rekey of the IKE SA is swallowed, and what its sender says on any other
 * IKE SA meanwhile is counted. */
struct early {
	struct swallow	x;
	uint64_t	spii;		/* the old one */
	int		said;
};

static int
early(struct sim *s, struct node *from, struct packet *p)
{
	struct early	*y = s->filter_arg;
	struct wire_hdr	 h;
	int		 r;

	s->filter_arg = &y->x;
	r = swallow(s, from, p);
	s->filter_arg = y;
	if (y->x.n > 0 && from->idx == y->x.from && p->ike &&
	    wire_hdr_decode(p->p, p->len, &h) == 0 && h.spii != y->spii)
		y->said++;
	return (r);
}

/* The peer asked for a new IKE SA and has not heard that it is there: nothing is said on
 * it until it has, or the peer would answer that it does not know it. */
ATF_TC_WITHOUT_HEAD(unproven);
ATF_TC_BODY(unproven, tc)
{
	struct sim	*s = sim_pair(30, "ondemand", "passive", "");
	struct early	 y = { .x = { 6, X_CREATE_CHILD_SA, 1, 1 } };

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 1000);
	s->filter = early;
	s->filter_arg = &y;
	y.spii = only_ike(s->n[0])->c.spii;
	only_ike(s->n[0])->want_rekey = 1;
	touch_ike(&s->n[0]->e->w, only_ike(s->n[0]));
	engine_settle(s->n[0]->e);
	sim_run(s, 500);
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 4000);
	ATF_CHECK(y.x.n < 5);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "INVALID_IKE_SPI"), 0);
	sim_run(s, 20000);
	ATF_CHECK_EQ(y.x.n, 0);
	ATF_CHECK_EQ(y.said, 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "given up") + sim_log_count(s->n[1], "given up"),
	    0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:") + sim_log_count(s->n[1], "down:"), 0);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	ATF_CHECK_EQ(sim_established(s->n[0]), 1);
	ATF_CHECK_EQ(sim_established(s->n[1]), 1);
	sim_free(s);
}

/* A reload while a Child is being asked for: its tunnel was queued a second time, and
 * when the first try was refused, others fell out of the queue for good. */
ATF_TC_WITHOUT_HEAD(reload_asked);
ATF_TC_BODY(reload_asked, tc)
{
	static const char	 conf[] =
	    "ikev2 \"one\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer "
	    "198.51.100.1 " PSK "ikev2 \"two\" active esp from 10.1.0.0/24 to 10.3.0.0/24 "
	    "local 192.0.2.1 peer 198.51.100.1 " PSK "ikev2 \"three\" active esp from "
	    "10.1.0.0/24 to 10.4.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK;
	struct sim		*s;
	int			 ms;

	for (ms = 40; ms < 70; ms += 2) {
		s = sim_new(40 + (uint64_t)ms);
		(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"one\" esp from 10.2.0.0/24 "
		    "to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK "ikev2 \"two\" "
		    "esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 "
		    PSK "ikev2 \"three\" esp from 10.4.0.0/24 to 10.1.0.0/24 local "
		    "198.51.100.1 peer 192.0.2.1 " PSK);
		s->n[0]->kern_fail_at = 3;
		(void)sim_node(s, "a", "192.0.2.1", conf);
		sim_run(s, ms);
		sim_reload(s->n[1], conf);
		sim_run(s, 20000);
		ATF_CHECK_MSG(sim_is_up(s->n[1], "one") && sim_is_up(s->n[1], "two") &&
		    sim_is_up(s->n[1], "three"), "%d ms", ms);
		sim_free(s);
	}
}

/* One side has given the IKE SA up without a word that came through, and starts anew.  The
 * other one has two Children; the new one carries all and is not the one to go. */
ATF_TC_WITHOUT_HEAD(stale_twin);
ATF_TC_BODY(stale_twin, tc)
{
	struct sim	*s;
	struct node	*n, *o;
	uint64_t	 got;
	int		 i;

	for (i = 0; i < 4; i++) {
		s = sim_pair(50 + (uint64_t)i, "ondemand", "ondemand", "");
		n = s->n[i & 1];
		o = s->n[!(i & 1)];
		if (i < 2)
			ATF_REQUIRE(sim_up(s->n[0], "b"));
		else
			ATF_REQUIRE(sim_up(s->n[1], "a"));
		/* too new to be doubted because of an IKE_SA_INIT */
		sim_traffic(s->n[0], SRC, DST, 5000, 200);
		n->e->w.now = s->now;
		ike_dead(&n->e->w, only_ike(n), WHY_PEER_SILENT, "a test");
		/* the other side is not told that it is the first contact */
		n->e->w.peers[0].sent_ic = 1;
		engine_settle(n->e);
		sim_cmd(n, CMD_UP, i & 1 ? "a" : "b");
		sim_traffic(s->n[0], SRC, DST, 3000, 200);
		got = s->n[0]->got;
		sim_traffic(s->n[0], SRC, DST, 80000, 200);
		ATF_CHECK_EQ_MSG(s->n[0]->got - got, 400, "%d: %ju of 400 packets", i,
		    (uintmax_t)(s->n[0]->got - got));
		ATF_CHECK_EQ_MSG(sim_log_count(n, "down: the peer deleted"), 0, "%d", i);
		ATF_CHECK_EQ(sim_log_count(o, "down:"), 0);
		ATF_CHECK_EQ_MSG(sim_count(o, SHOWK_SA), 1, "%d: %d Children", i,
		    sim_count(o, SHOWK_SA));
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
		sim_free(s);
	}
}

/* Who gives up an SA says INITIAL_CONTACT with the next one, if it has no other. */
ATF_TC_WITHOUT_HEAD(contact_again);
ATF_TC_BODY(contact_again, tc)
{
	struct sim	*s = sim_pair(60, "ondemand", "ondemand", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 5000);
	s->n[0]->e->w.now = s->now;
	ike_dead(&s->n[0]->e->w, only_ike(s->n[0]), WHY_PEER_SILENT, "a test");
	engine_settle(s->n[0]->e);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_established(s->n[1]), 1);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	sim_free(s);
}

/* A request that was sent at long distances while the way was cut goes again as soon as
 * the peer is heard. */
ATF_TC_WITHOUT_HEAD(heard_again);
ATF_TC_BODY(heard_again, tc)
{
	struct sim	*s = sim_pair(70, "ondemand", "passive", "");

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 2000);
	s->n[1]->cut = 1;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 26000);
	s->n[1]->cut = 0;
	ATF_REQUIRE(only_ike(s->n[0])->req.msg != NULL);
	only_ike(s->n[1])->want_check = 1;
	touch_ike(&s->n[1]->e->w, only_ike(s->n[1]));
	engine_settle(s->n[1]->e);
	sim_run(s, 200);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "new SPIs"), 1);
	sim_run(s, 20000);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "given up"), 0);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	sim_free(s);
}

/*
 * A Child is refused its rekey for the moment, shortly before its lifetime is over: the peer
 * has not yet got the reply that made it.  The next try comes in time (2.8, 2.25).
 */
ATF_TC_WITHOUT_HEAD(late_and_busy);
ATF_TC_BODY(late_and_busy, tc)
{
	struct sim	*s;
	struct swallow	 x;
	struct child_sa	*c;
	int64_t		 left;
	int		 i;

	for (i = 0; i < 20; i++) {
		s = two_tunnels(90 + (uint64_t)i, "ondemand");
		ATF_REQUIRE(sim_up(s->n[0], "one"));
		x = (struct swallow){ 3, X_CREATE_CHILD_SA, 1, 1 };
		s->filter = swallow;
		s->filter_arg = &x;
		sim_cmd(s->n[0], CMD_UP, "two");
		sim_run(s, 100);
		ATF_REQUIRE(sim_is_up(s->n[1], "two") && !sim_is_up(s->n[0], "two"));
		c = child_of_tunnel(&s->n[1]->e->w,
		    (uint32_t)tunnel_byname(&s->n[1]->e->w, "two"));
		ATF_REQUIRE(c != NULL);
		left = 2000 + i * 100;
		c->expire_at = mono_add_ms(s->now, left);
		timer_set(&s->n[1]->e->w.timers, &c->timer, c->expire_at);
		sim_cmd(s->n[1], CMD_REKEY, "two");
		sim_run(s, 50);
		ATF_CHECK_EQ(only_ike(s->n[1])->ntemp, 1);
		sim_run(s, left + 1000);
		ATF_CHECK_EQ(x.n, 0);
		ATF_CHECK_EQ_MSG(sim_log_count(s->n[1], "lifetime is over"), 0, "%jd ms",
		    (intmax_t)left);
		ATF_CHECK_EQ(sim_log_count(s->n[1], "down"), 0);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "down"), 0);
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "two", "two"));
		sim_free(s);
	}
}

/* A rekey is on its way. */
static int
sees_rekey(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_hdr	h;

	if (from->idx == 0 && wire_hdr_decode(p->p, p->len, &h) == 0 &&
	    h.exch == X_CREATE_CHILD_SA && (h.flags & WIRE_F_RESPONSE) == 0)
		*(int *)s->filter_arg = 1;
	return (0);
}

/* Children of a short life over a long way; each rekey of a meets b's of the IKE SA, and both
 * are refused (2.25.1, 2.25.2).  There is time for another try. */
ATF_TC_WITHOUT_HEAD(short_life_long_way);
ATF_TC_BODY(short_life_long_way, tc)
{
	struct sim	*s;
	struct ike_sa	*ike;
	int		 i, t, k, seen, met = 0;

	for (i = 0; i < 20; i++) {
		s = sim_pair(120 + (uint64_t)i, "ondemand", "ondemand", "lifetime 25");
		s->delay_us = 550000;
		ATF_REQUIRE(sim_up(s->n[i % 2], i % 2 ? "a" : "b"));
		sim_run(s, 5000);
		s->filter = sees_rekey;
		s->filter_arg = &seen;
		for (seen = k = t = 0; t < 600; t++) {
			(void)sim_ping(s->n[0], SRC, DST);
			sim_run(s, 100);
			if (seen && t - k > 100) {
				k = t;
				ike = only_ike(s->n[1]);
				ike->want_rekey = 1;
				touch_ike(&s->n[1]->e->w, ike);
				engine_settle(s->n[1]->e);
			}
			seen = 0;
		}
		met += k > 0;
		for (t = 0; t < 2; t++) {
			ATF_CHECK_EQ_MSG(sim_log_count(s->n[t], "lifetime is over"), 0,
			    "%d", i);
			ATF_CHECK_EQ(sim_log_count(s->n[t], "down"), 0);
		}
		sim_free(s);
	}
	/* whose time comes first is chance: in the others b rekeyed all of them */
	ATF_CHECK_MSG(met >= 12, "%d of 20", met);
}

/* The Child's life is over while the DELETE of who has rekeyed it is on its way, and
 * something was refused before: the successor's IKE SA stays. */
ATF_TC_WITHOUT_HEAD(over_with_an_heir);
ATF_TC_BODY(over_with_an_heir, tc)
{
	struct sim	*s = sim_pair(140, "ondemand", "ondemand", "");
	struct swallow	 x = { 3, X_INFORMATIONAL, 0, 0 };
	struct child_sa	*c;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE((c = child_of_tunnel(&s->n[1]->e->w, 0)) != NULL);
	only_ike(s->n[1])->ntemp = 1;
	s->filter = swallow;
	s->filter_arg = &x;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 100);
	ATF_REQUIRE(child_live(&s->n[1]->e->w, c->theirs) != NULL);
	c->expire_at = mono_add_ms(s->now, 100);
	timer_set(&s->n[1]->e->w.timers, &c->timer, c->expire_at);
	sim_run(s, 3000);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "lifetime is over"), 1);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "the peer deleted the IKE SA"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "down"), 0);
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	sim_free(s);
}

/* The kernel refuses the successor, once, and the old one's end is near. */
ATF_TC_WITHOUT_HEAD(refused_successor);
ATF_TC_BODY(refused_successor, tc)
{
	struct sim	*s;
	int		 i, t;

	for (i = 0; i < 10; i++) {
		s = sim_pair(150 + (uint64_t)i, "ondemand", "ondemand", "lifetime 25");
		s->delay_us = 350000;
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		/* b leaves it to a */
		child_of_tunnel(&s->n[1]->e->w, 0)->rekey_at = mono_add_ms(s->now, 60000);
		s->n[0]->kern_fail_at = 1;
		for (t = 0; t < 400; t++) {
			(void)sim_ping(s->n[0], SRC, DST);
			sim_run(s, 100);
		}
		ATF_CHECK_EQ(s->n[0]->kern_fail_at, 0);
		for (t = 0; t < 2; t++) {
			ATF_CHECK_EQ_MSG(sim_log_count(s->n[t], "lifetime is over"), 0,
			    "%d", i);
			ATF_CHECK_EQ(sim_log_count(s->n[t], "down"), 0);
		}
		sim_free(s);
	}
}

/* Who asked for the rekey learns that the old Child's packets have ended by the answer to
 * its DELETE; the lifetime of the inbound SA may be over before that. */
ATF_TC_WITHOUT_HEAD(under_way_at_the_end);
ATF_TC_BODY(under_way_at_the_end, tc)
{
	struct sim	*s;
	struct child_sa	*c[2];
	uint64_t	 got;
	int64_t		 left;
	int		 i;

	for (left = 1200; left <= 2600; left += 100) {
		s = sim_pair(120 + (uint64_t)left, "ondemand", "passive", "lifetime 20");
		s->delay_us = 500000;
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_traffic(s->n[0], SRC, DST, 3000, 100);
		for (i = 0; i < 2; i++) {
			ATF_REQUIRE((c[i] = child_of_tunnel(&s->n[i]->e->w, 0)) != NULL);
			c[i]->rekey_at = c[i]->expire_at;
		}
		sim_run(s, mono_diff_us(c[1]->expire_at, s->now) / 1000 - left - 1000);
		got = s->n[0]->got;
		sim_traffic(s->n[0], SRC, DST, 1000, 50);
		sim_cmd(s->n[1], CMD_REKEY, "a");
		sim_traffic(s->n[0], SRC, DST, 5000, 50);
		sim_run(s, 1100);
		ATF_CHECK_EQ_MSG(s->n[0]->got - got, 120, "%jd ms: %ju of 120 packets",
		    (intmax_t)left, (uintmax_t)(s->n[0]->got - got));
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
		sim_run(s, 900);
		ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
		ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
		sim_free(s);
	}
}

/*
 * Both rekey at once, and whose successor goes by the nonces (2.8.1) loses the other side's
 * in its kernel: it deletes that, and keeps its own.  The other side follows.
 */
ATF_TC_WITHOUT_HEAD(loses_the_winner);
ATF_TC_BODY(loses_the_winner, tc)
{
	struct sim	*s;
	struct node	*n;
	struct child_sa	*c;
	uint32_t	 at;
	uint64_t	 got;
	int		 i, lost = 0;

	for (i = 0; i < 40; i++) {
		s = sim_pair(170 + (uint64_t)i, "ondemand", "ondemand", "");
		n = s->n[!(i & 1)];
		s->delay_us = 20900;
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_cmd(s->n[i & 1], CMD_REKEY, i & 1 ? "a" : "b");
		sim_run(s, 20);
		sim_cmd(n, CMD_REKEY, i & 1 ? "b" : "a");
		sim_run(s, 10);
		/* the DELETE of the old Child comes before its own successor is there */
		n->kern_slow_us = 3000;
		sim_run(s, i / 2);
		/* it was this one's kernel; who wanted the tunnel is not there any more */
		for (at = 0; (c = slab_walk(&n->e->w.childs, &at, NULL)) != NULL;)
			if (!c->initiated && c->replaces != 0 && !c->want_delete) {
				lost++;
				c->want_delete = 1;
				touch_ike(&n->e->w, only_ike(n));
				engine_settle(n->e);
			}
		sim_run(s, 2000);
		for (at = 0; at < 2; at++)
			s->n[at]->larval = MONO_NEVER;
		got = n->got;
		sim_traffic(n, i & 1 ? SRC : DST, i & 1 ? DST : SRC, 1000, 100);
		sim_run(s, 100);
		ATF_CHECK_EQ_MSG(n->got - got, 10, "%d: %ju", i, (uintmax_t)(n->got - got));
		ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%d", i);
		sim_run(s, 30000);
		ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 1);
		ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
		sim_free(s);
	}
	ATF_CHECK(lost > 20);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, far_answers);
	ATF_TP_ADD_TC(tp, before_the_reply);
	ATF_TP_ADD_TC(tp, unproven);
	ATF_TP_ADD_TC(tp, reload_asked);
	ATF_TP_ADD_TC(tp, stale_twin);
	ATF_TP_ADD_TC(tp, contact_again);
	ATF_TP_ADD_TC(tp, heard_again);
	ATF_TP_ADD_TC(tp, late_and_busy);
	ATF_TP_ADD_TC(tp, short_life_long_way);
	ATF_TP_ADD_TC(tp, over_with_an_heir);
	ATF_TP_ADD_TC(tp, refused_successor);
	ATF_TP_ADD_TC(tp, under_way_at_the_end);
	ATF_TP_ADD_TC(tp, loses_the_winner);
	return (atf_no_error());
}
