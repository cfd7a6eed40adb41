/* SPDX-License-Identifier: ISC */
/*
 * The kernel is slow, silent or asked in vain while something else happens.  Whatever
 * it is, the peer gets its answer and nothing is left over.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "peer.h"
#include "sim.h"

#define PSK "psk \"a secret that is long enough\"\n"

static const char conf_b[] =
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;
static const char conf_b_changed[] =
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"two\" esp from 10.3.0.0/25 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;

static struct sim *
two_tunnels(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "192.0.2.1",
	    "ikev2 \"one\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer "
	    "198.51.100.1 " PSK "ikev2 \"two\" active esp from 10.1.0.0/24 to 10.3.0.0/24 "
	    "local 192.0.2.1 peer 198.51.100.1 " PSK);
	(void)sim_node(s, "b", "198.51.100.1", conf_b);
	sim_run(s, 3000);
	ATF_REQUIRE(sim_is_up(s->n[0], "one") && sim_is_up(s->n[0], "two"));
	return (s);
}

/* The IKE SA does its work: the other tunnel is rekeyed on it, soon. */
static void
not_deaf(struct sim *s, const char *what, int ms)
{
	struct show_tunnel	t, u;

	ATF_REQUIRE_MSG(sim_tunnel(s->n[0], "one", &t), "%s %d", what, ms);
	sim_cmd(s->n[0], CMD_REKEY, "one");
	sim_run(s, 4000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "one", &u));
	ATF_CHECK_MSG(u.state == SHOW_UP && t.spi_in != u.spi_in, "%s at %d ms: deaf", what,
	    ms);
	ATF_CHECK_EQ_MSG(sim_log_count(s->n[0], "given up"), 0, "%s at %d ms", what, ms);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
}

ATF_TC_WITHOUT_HEAD(down);
ATF_TC_BODY(down, tc)
{
	struct sim	*s;
	int		 ms;

	for (ms = 0; ms < 80; ms += 4) {
		s = two_tunnels(100 + (uint64_t)ms);
		s->n[1]->kern_slow_us = 50000;
		sim_cmd(s->n[0], CMD_REKEY, "two");
		sim_run(s, ms);
		sim_cmd(s->n[1], CMD_DOWN, "two");
		sim_run(s, 3000);
		s->n[1]->kern_slow_us = 0;
		not_deaf(s, "down", ms);
		sim_free(s);
	}
}

/* The same with the only tunnel, and in IKE_AUTH. */
ATF_TC_WITHOUT_HEAD(down_last);
ATF_TC_BODY(down_last, tc)
{
	struct sim	*s;
	int		 ms, rekey;

	for (rekey = 0; rekey < 2; rekey++)
		for (ms = 0; ms < 120; ms += 4) {
			s = sim_pair(200 + (uint64_t)ms, "active", "passive", "");
			if (rekey) {
				sim_run(s, 1000);
				sim_cmd(s->n[0], CMD_REKEY, "b");
			}
			s->n[1]->kern_slow_us = 50000;
			sim_run(s, ms);
			sim_cmd(s->n[1], CMD_DOWN, "a");
			sim_run(s, 9000);
			/* a wants it: it is up again, and once */
			ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%d at %d ms",
			    rekey, ms);
			ATF_CHECK_EQ_MSG(sim_count(s->n[1], SHOWK_SA), 1, "%d at %d ms", rekey,
			    ms);
			ATF_CHECK_EQ(sim_established(s->n[1]), 1);
			ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
			sim_free(s);
		}
}

ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct sim	*s;
	int		 ms;

	for (ms = 0; ms < 80; ms += 4) {
		s = two_tunnels(300 + (uint64_t)ms);
		s->n[1]->kern_slow_us = 50000;
		sim_cmd(s->n[0], CMD_REKEY, "two");
		sim_run(s, ms);
		sim_reload(s->n[1], conf_b_changed);
		sim_run(s, 3000);
		s->n[1]->kern_slow_us = 0;
		not_deaf(s, "reload", ms);
		sim_free(s);
	}
}

/* A reply that nobody finishes: its deadline does. */
ATF_TC_WITHOUT_HEAD(deadline);
ATF_TC_BODY(deadline, tc)
{
	struct sim	*s = two_tunnels(4);
	struct ike_sa	*ike;
	struct child_sa	*c;
	uint32_t	 at = 0;
	int		 i;

	ike = slab_walk(&s->n[1]->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	s->n[1]->kern_slow_us = 5000;
	sim_cmd(s->n[0], CMD_REKEY, "two");
	for (i = 0; i < 100 && ike->pend == NULL; i++)
		sim_run(s, 1);
	ATF_REQUIRE(ike->pend != NULL);
	c = child_get(&s->n[1]->e->w, ike->pend->child);
	ATF_REQUIRE(c != NULL);
	c->nwait++;
	sim_run(s, 14000);
	ATF_CHECK(ike->pend != NULL);
	sim_run(s, 2000);
	ATF_CHECK(ike->pend == NULL);
	ATF_CHECK(sim_logged(s->n[1], "the kernel has not answered"));
	/* the peer's rekey came again and went well */
	sim_run(s, 5000);
	not_deaf(s, "deadline", 0);
	ATF_CHECK(sim_is_up(s->n[0], "two") && sim_is_up(s->n[1], "two"));
	sim_free(s);
}

/* No answer is not a no: the SA may be there, and it has a key. */
ATF_TC_WITHOUT_HEAD(silent);
ATF_TC_BODY(silent, tc)
{
	struct sim	*s;
	int		 who, rekey;

	for (who = 0; who < 2; who++)
		for (rekey = 0; rekey < 2; rekey++) {
			s = sim_pair(500 + (uint64_t)who, "ondemand", "passive", "");
			if (rekey)
				ATF_REQUIRE(sim_up(s->n[0], "b"));
			s->n[who]->kern_mute = 1;
			sim_cmd(s->n[0], rekey ? CMD_REKEY : CMD_UP, "b");
			sim_run(s, 2000);
			s->n[who]->kern_mute = 0;
			sim_run(s, 40000);
			ATF_CHECK(sim_up(s->n[0], "b"));
			ATF_CHECK_MSG(sim_agree(s->n[0]) && sim_agree(s->n[1]), "%d %d", who,
			    rekey);
			ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[who]), 2, "%d %d: %d", who, rekey,
			    sim_kernel_count(s->n[who]));
			sim_free(s);
		}
}

/* The outbound SA of a rekey waits for the peer; a reload takes its tunnel. */
ATF_TC_WITHOUT_HEAD(reload_later);
ATF_TC_BODY(reload_later, tc)
{
	struct sim	*s;
	int		 ms;

	for (ms = 10; ms < 40; ms += 2) {
		s = two_tunnels(600);
		sim_cmd(s->n[0], CMD_REKEY, "two");
		sim_run(s, ms);
		s->n[0]->cut = 1;
		sim_reload(s->n[1], conf_b_changed);
		sim_run(s, 60000);
		ATF_CHECK_EQ_MSG(s->n[1]->kern_lost_tunnel, 0, "%d ms: asks for a tunnel that "
		    "is gone", ms);
		ATF_CHECK_MSG(sim_agree(s->n[1]), "%d ms", ms);
		sim_free(s);
	}
}

/* The peer's selectors in an answer: 10.2.0.0/24 or 10.3.0.0/24 becomes wider. */
static int
widen(void *arg, uint8_t *p, size_t *n, uint8_t *first)
{
	size_t	i;

	(void)arg;
	(void)first;
	for (i = 0; i + 8 <= *n; i++)
		if (p[i] == 10 && (p[i + 1] == 2 || p[i + 1] == 3) && p[i + 2] == 0 &&
		    p[i + 3] == 0 && p[i + 4] == 10 && p[i + 5] == p[i + 1]) {
			p[i + 6] = 9;
			return (0);
		}
	return (-1);
}

struct wide {
	int	exch, done;
};

static int
wide_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct wide	*x = s->filter_arg;
	struct wire_hdr	 h;
	uint8_t		 out[MSG_MAX];
	size_t		 n;

	if (x->done || from != s->n[1] || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != x->exch || (h.flags & WIRE_F_RESPONSE) == 0 ||
	    (n = peer_alter(from, p, widen, NULL, out)) == 0)
		return (0);
	x->done = 1;
	sim_inject(s, &p->src, &p->dst, p->marker, out, n);
	return (1);
}

/* An answer we cannot accept: the peer has made the Child all the same, and is told to
 * delete it. */
ATF_TC_WITHOUT_HEAD(refused_answer);
ATF_TC_BODY(refused_answer, tc)
{
	struct sim	*s;
	struct wide	 x;
	int		 i;

	for (i = 0; i < 3; i++) {
		x.exch = i == 0 ? X_IKE_AUTH : X_CREATE_CHILD_SA;
		x.done = 0;
		s = sim_pair(700 + (uint64_t)i, "ondemand", "passive", "");
		s->filter_arg = &x;
		if (i > 0)
			ATF_REQUIRE(sim_up(s->n[0], "b"));
		s->filter = wide_filter;
		if (i == 1) {
			/* not a rekey: the Child is made anew on the IKE SA */
			s->n[0]->e->w.tunnels[0].specific = 1;
			queue_tunnel(&s->n[0]->e->w, ike_of_peer(&s->n[0]->e->w, 0), 0);
			sim_run(s, 300);
		} else
			sim_cmd(s->n[0], i == 0 ? CMD_UP : CMD_REKEY, "b");
		/* a moment longer what is deleted takes what was overtaken */
		sim_run(s, i == 0 ? 300 : 2000);
		ATF_CHECK_EQ(x.done, 1);
		/* it is not left to the kernel process */
		ATF_CHECK_EQ(sim_log_count(s->n[0], "the kernel refuses"), 0);
		ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[1]), i == 0 ? 0 : 2, "%d: %d", i,
		    sim_kernel_count(s->n[1]));
		ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), sim_count(s->n[1], SHOWK_SA));
		sim_run(s, 5000);
		ATF_CHECK(sim_up(s->n[0], "b"));
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		sim_free(s);
	}
}

/* A signature is no verdict, nor the other way round: who gets it stays unauthenticated. */
ATF_TC_WITHOUT_HEAD(other_question);
ATF_TC_BODY(other_question, tc)
{
	struct keys_ans	 a;
	struct ike_half	*h;
	struct sim	*s;
	struct node	*n;
	uint32_t	 at;
	int		 asked[2] = { 0, 0 }, r, i;

	for (r = 0; r < 2; r++) {
		s = sim_pair(500 + (uint64_t)r, "active", "passive", "");
		n = s->n[r];
		n->keys_slow_us = 4000000;
		for (i = 0; i < 3000 && !asked[r]; i++) {
			sim_run(s, 10);
			at = 0;
			h = slab_walk(&n->e->w.halves, &at, NULL);
			if (h == NULL || h->job == 0)
				continue;
			memset(&a, 0, sizeof(a));
			a.token = h->job;
			a.ok = 1;
			/* the initiator signs first, the responder verifies */
			a.len = r == 0 ? 0 : 32;
			engine_keys(n->e, s->now, &a);
			asked[r] = 1;
			ATF_CHECK_EQ(sim_established(n), 0);
			at = 0;
			ATF_CHECK(slab_walk(&n->e->w.halves, &at, NULL) == NULL);
		}
		ATF_CHECK_EQ(asked[r], 1);
		n->keys_slow_us = 0;
		sim_run(s, 60000);
		ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, down);
	ATF_TP_ADD_TC(tp, down_last);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, deadline);
	ATF_TP_ADD_TC(tp, silent);
	ATF_TP_ADD_TC(tp, reload_later);
	ATF_TP_ADD_TC(tp, refused_answer);
	ATF_TP_ADD_TC(tp, other_question);
	return (atf_no_error());
}
