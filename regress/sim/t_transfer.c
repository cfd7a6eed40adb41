/* SPDX-License-Identifier: ISC */
/*
 * Live SAs go from one engine to another, as with a restart: the peer notices nothing.
 * The invariants are on: no message id and no IV stands for two contents, and the kernel
 * takes no key twice.
 *
 * ld: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=reallocarray
 */

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "invariant.h"
#include "sim.h"

static long	fail_at, seen;	/* 0: none fails */

static int
fails(void)
{
	if (fail_at == 0 || ++seen != fail_at)
		return (0);
	errno = ENOMEM;
	return (1);
}

#include "wrap.h"

#define SRC "10.1.0.5"
#define DST "10.2.0.7"
#define PSK "psk \"a secret that is long enough\"\n"

static const char conf_a[] = "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 " PSK "ikev2 \"b2\" ondemand esp from 10.1.1.0/24 "
    "to 10.2.1.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK;
static const char conf_b[] = "ikev2 \"a\" ondemand esp from 10.2.0.0/24 to 10.1.0.0/24 "
    "local 198.51.100.1 peer 192.0.2.1 " PSK "ikev2 \"a2\" ondemand esp from 10.2.1.0/24 "
    "to 10.1.1.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;

enum act { A_NONE, A_UP, A_REKEY_CHILD, A_REKEY_IKE, A_SECOND, A_DELETE_SECOND, A_CHECK,
    A_BOTH_CHILD, A_BOTH_IKE, ACTS };
static const char *const acts[] = { "nothing", "up", "rekey Child", "rekey IKE",
    "second Child", "delete second", "check", "both rekey Child", "both rekey IKE" };

static struct sim *
start(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	invariant_on(s);
	s->delay_us = 10000;
	(void)sim_node(s, "a", "192.0.2.1", conf_a);
	(void)sim_node(s, "b", "198.51.100.1", conf_b);
	return (s);
}

static void
want(struct node *n, int check)
{
	struct world	*w = &n->e->w;
	struct ike_sa	*ike;
	uint32_t	 at;

	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;)
		if (ike->state == IKE_UP) {
			if (check)
				ike->want_check = 1;
			else
				ike->want_rekey = 1;
			touch_ike(w, ike);
		}
	engine_tick(n->e, n->sim->now);
}

static void
act(struct sim *s, enum act what, int who)
{
	struct node	*n = s->n[who];

	switch (what) {
	case A_UP:
		sim_cmd(n, CMD_UP, who ? "a" : "b");
		break;
	case A_BOTH_CHILD:
		sim_cmd(s->n[!who], CMD_REKEY, who ? "b" : "a");
		sim_cmd(n, CMD_REKEY, who ? "a" : "b");
		break;
	case A_REKEY_CHILD:
		sim_cmd(n, CMD_REKEY, who ? "a" : "b");
		break;
	case A_BOTH_IKE:
		want(s->n[!who], 0);
		want(n, 0);
		break;
	case A_REKEY_IKE:
		want(n, 0);
		break;
	case A_SECOND:
		sim_cmd(n, CMD_UP, who ? "a2" : "b2");
		break;
	case A_DELETE_SECOND:
		sim_cmd(n, CMD_DOWN, who ? "a2" : "b2");
		break;
	case A_CHECK:
		want(n, 1);
		break;
	default:
		break;
	}
}

static void
move(struct sim *s, int which)
{
	if (which & 1)
		(void)sim_transfer(s->n[0], conf_a);
	if (which & 2)
		(void)sim_transfer(s->n[1], conf_b);
}

static void
well(struct sim *s, enum act what, int who, int ms, int which, int children)
{
	uint64_t	got = s->n[0]->got;
	char		at[200];

	sim_traffic(s->n[0], SRC, DST, 1000, 100);
	sim_run(s, 200);
	(void)snprintf(at, sizeof(at), "%s by %d, moved %d after %d ms: %d of 10, %d Children, "
	    "%d and %d in the kernels, %d wrong", acts[what], who, which, ms,
	    (int)(s->n[0]->got - got), sim_count(s->n[0], SHOWK_SA),
	    sim_kernel_count(s->n[0]), sim_kernel_count(s->n[1]), s->wrong);
	ATF_CHECK_EQ_MSG(s->n[0]->got - got, 10, "%s", at);
	ATF_CHECK_EQ_MSG(s->wrong, 0, "%s", at);
	ATF_CHECK_EQ_MSG(sim_count(s->n[0], SHOWK_SA), children, "%s", at);
	ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[0]), 2 * children, "%s", at);
	ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[1]), 2 * children, "%s", at);
	ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%s", at);
	ATF_CHECK_MSG(sim_agree(s->n[0]) && sim_agree(s->n[1]), "%s", at);
	ATF_CHECK_EQ_MSG(sim_established(s->n[0]), 1, "%s", at);
	ATF_CHECK_EQ_MSG(sim_established(s->n[1]), 1, "%s", at);
}

/* Nothing is going on but traffic: not a packet is lost, no SPI changes. */
ATF_TC_WITHOUT_HEAD(traffic);
ATF_TC_BODY(traffic, tc)
{
	struct show_tunnel	 t, u;
	struct sim		*s = start(1);
	uint64_t		 got, sent;
	int			 i;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 3000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &t));
	got = s->n[0]->got;
	sent = s->datagrams;
	for (i = 0; i < 12; i++) {
		sim_traffic(s->n[0], SRC, DST, 500, 50);
		move(s, 1 + i % 3);
	}
	sim_run(s, 1000);
	ATF_CHECK_EQ(s->n[0]->got - got, 120);
	/* and not a word to the peer */
	ATF_CHECK_EQ(s->datagrams - sent, 0);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	ATF_CHECK_EQ(t.spi_in, u.spi_in);
	ATF_CHECK_EQ(t.spi_out, u.spi_out);
	/* the next exchange still works, and the one after the lifetime */
	act(s, A_REKEY_CHILD, 1);
	sim_run(s, 5000);
	well(s, A_NONE, 0, 0, 0, 1);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "down:") + sim_log_count(s->n[1], "down:"), 0);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "\" up:"), 1);
	sim_free(s);
}

/* At every step of every exchange, either side of it or both. */
static void
every_step(enum act what)
{
	struct sim	*s;
	int		 ms, who, which, children;

	for (who = 0; who < 2; who++)
		for (which = 1; which < 4; which++)
			for (ms = 0; ms <= 50; ms += 5) {
				s = start(100 + (uint64_t)ms);
				ATF_REQUIRE(sim_up(s->n[0], "b"));
				if (what == A_DELETE_SECOND)
					ATF_REQUIRE(sim_up(s->n[0], "b2"));
				/* nobody wants the second any more who would make it anew */
				sim_run(s, what == A_DELETE_SECOND ? WANTED_MS + 4000 : 4000);
				act(s, what, who);
				sim_run(s, ms);
				move(s, which);
				sim_run(s, 300);
				/* what an ondemand tunnel was about to do needs a host, or
				 * somebody, that still wants it */
				children = what == A_SECOND ? 2 : 1;
				if (what == A_SECOND)
					act(s, A_SECOND, who);
				sim_run(s, 100000);
				well(s, what, who, ms, which, children);
				ATF_CHECK_EQ_MSG(sim_log_count(s->n[0], "tunnel \"b\" down:") +
				    sim_log_count(s->n[1], "tunnel \"a\" down:"), 0,
				    "%s by %d, moved %d after %d ms: down", acts[what],
				    who, which, ms);
				sim_free(s);
			}
}

#define STEP(name, what)						\
ATF_TC_WITHOUT_HEAD(name);						\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	every_step(what);						\
}
STEP(rekey_child, A_REKEY_CHILD)
STEP(rekey_ike, A_REKEY_IKE)
STEP(second, A_SECOND)
STEP(delete_child, A_DELETE_SECOND)
STEP(check, A_CHECK)
STEP(both_rekey_child, A_BOTH_CHILD)
STEP(both_rekey_ike, A_BOTH_IKE)

/* An SA that is not authenticated to its end stays behind, and is begun anew. */
ATF_TC_WITHOUT_HEAD(handshake);
ATF_TC_BODY(handshake, tc)
{
	struct sim	*s;
	int		 ms, which;

	(void)tc;
	for (which = 1; which < 4; which++)
		for (ms = 0; ms <= 60; ms += 5) {
			s = start(300 + (uint64_t)ms);
			act(s, A_UP, 0);
			sim_run(s, ms);
			move(s, which);
			act(s, A_UP, 0);
			sim_run(s, 120000);
			well(s, A_UP, 0, ms, which, 1);
			sim_free(s);
		}
}

/* Another generation: tunnels have other indices, and the peer another one, too. */
ATF_TC_WITHOUT_HEAD(generation);
ATF_TC_BODY(generation, tc)
{
	static const char	 other[] = "ikev2 \"x\" ondemand esp from 10.9.0.0/24 to "
	    "10.8.0.0/24 local 192.0.2.1 peer 203.0.113.5 " PSK
	    "ikev2 \"b2\" ondemand esp from 10.1.1.0/24 to 10.2.1.0/24 local 192.0.2.1 "
	    "peer 198.51.100.1 " PSK "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK;
	struct sim		*s = start(20);
	struct node		*a = s->n[0];

	(void)tc;
	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 3000);
	ATF_REQUIRE_EQ(sim_transfer(a, other), 1);
	sim_run(s, 5000);
	well(s, A_NONE, 0, 0, 1, 1);
	ATF_REQUIRE_EQ(sim_transfer(a, conf_a), 1);
	act(s, A_REKEY_CHILD, 0);
	sim_run(s, 5000);
	well(s, A_REKEY_CHILD, 0, 0, 1, 1);
	/* a tunnel that is no more, or not that peer's */
	ATF_REQUIRE_EQ(sim_transfer(a, "ikev2 \"b2\" ondemand esp from 10.1.1.0/24 to "
	    "10.2.1.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK), 0);
	ATF_CHECK(sim_logged(a, "is not configured for this peer"));
	ATF_CHECK_EQ(a->e->w.ikes.used, 0);
	sim_free(s);
}

/* Behind a NAT the keys went along for an UPDATE: the port changes after the move. */
ATF_TC_WITHOUT_HEAD(nat);
ATF_TC_BODY(nat, tc)
{
	static const char	 in[] = "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.168.7.2 peer 198.51.100.1 srcid a.example dstid "
	    "b.example " PSK;
	static const char	 out[] = "ikev2 \"a\" passive esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer any srcid b.example dstid a.example " PSK;
	struct sim		*s = sim_new(21);
	struct node		*a = sim_node(s, "a", "192.168.7.2", in);
	struct node		*b = sim_node(s, "b", "198.51.100.1", out);
	struct show_tunnel	 t;
	struct endpoint		 e = sim_ep("192.0.2.1", 41234);

	(void)tc;
	invariant_on(s);
	sim_nat(a, "192.0.2.1");
	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 3000);
	ATF_REQUIRE_EQ(sim_transfer(b, out), 1);
	ATF_REQUIRE_EQ(sim_transfer(a, in), 1);
	sim_run(s, 3000);
	a->nat_port[1] = 41234;
	ATF_REQUIRE(sim_tunnel(b, "a", &t));
	engine_mapping(b->e, s->now, t.spi_in, &e);
	sim_run(s, 1000);
	well(s, A_NONE, 0, 0, 3, 1);
	/* and it keeps the mapping alive */
	sim_run(s, 60000);
	well(s, A_NONE, 0, 0, 3, 1);
	sim_free(s);
}

static struct node *
caller(struct sim *s, const char *name, const char *addr, char *text, size_t cap)
{
	(void)snprintf(text, cap, "ikev2 \"hub\" active esp from dynamic to 10.1.0.0/16 peer "
	    "198.51.100.1 request address any srcid %s.example dstid hub.example " PSK, name);
	return (sim_node(s, name, addr, text));
}

/* An address inside the tunnel goes along, on both sides, and nobody else gets it. */
ATF_TC_WITHOUT_HEAD(leases);
ATF_TC_BODY(leases, tc)
{
	static const char	 hub[] = "ikev2 \"rw\" passive esp from 10.1.0.0/16 to dynamic "
	    "local 198.51.100.1 peer any config address 10.9.0.0/30 srcid hub.example " PSK;
	static const char	 less[] = "ikev2 \"rw\" passive esp from 10.1.0.0/16 to dynamic "
	    "local 198.51.100.1 peer any config address 10.7.0.0/30 srcid hub.example " PSK;
	struct sim		*s = sim_new(22);
	struct node		*h = sim_node(s, "h", "198.51.100.1", hub), *a, *b;
	struct ike_sa		*ike;
	struct addr		 was;
	char			 ta[512], tb[512], from[ADDR_STRLEN];
	uint32_t		 at = 0;
	uint64_t		 got;

	(void)tc;
	invariant_on(s);
	a = caller(s, "a", "192.0.2.1", ta, sizeof(ta));
	sim_run(s, 3000);
	ATF_REQUIRE((ike = slab_walk(&h->e->w.ikes, &at, NULL)) != NULL);
	was = ike->lease[0];
	ATF_REQUIRE(was.fam == ADDR_V4);
	ATF_REQUIRE_EQ(sim_transfer(h, hub), 1);
	ATF_REQUIRE_EQ(sim_transfer(a, ta), 1);
	at = 0;
	ATF_REQUIRE((ike = slab_walk(&h->e->w.ikes, &at, NULL)) != NULL);
	ATF_CHECK_EQ(addr_cmp(&ike->lease[0], &was), 0);
	got = a->got;
	(void)sim_ping(a, addr_str(&was, from), "10.1.0.5");
	sim_run(s, 1000);
	ATF_CHECK_EQ(a->got, got + 1);
	/* the pool has two */
	b = caller(s, "b", "192.0.2.2", tb, sizeof(tb));
	sim_run(s, 5000);
	ATF_CHECK(sim_is_up(a, "hub") && sim_is_up(b, "hub"));
	for (at = 0; (ike = slab_walk(&h->e->w.ikes, &at, NULL)) != NULL;)
		ATF_CHECK_EQ(addr_cmp(&ike->lease[0], &was) == 0, ike->c.remote.addr.b[3] == 1);
	/* an address that is in no pool any more is not given on */
	ATF_CHECK_EQ(sim_transfer(h, less), 0);
	ATF_CHECK_EQ(h->e->w.ikes.used, 0);
	sim_free(s);
}

static uint8_t	left[ENGINE_RECORD_MAX];

/* What cannot go on elsewhere is left behind, and said. */
ATF_TC_WITHOUT_HEAD(left_behind);
ATF_TC_BODY(left_behind, tc)
{
	static const char	*const why[] = { "it is not up", "it is not up",
	    "its nonces are used up" };
	struct sim		*s;
	struct ike_sa		*ike;
	uint64_t		 cursor;
	size_t			 len;
	uint32_t		 at;
	int			 i;

	(void)tc;
	for (i = 0; i < 3; i++) {
		s = start(30 + (uint64_t)i);
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		at = 0, cursor = 0;
		ATF_REQUIRE((ike = slab_walk(&s->n[0]->e->w.ikes, &at, NULL)) != NULL);
		if (i == 0)
			ike->fatal = 1;
		else if (i == 1)
			ike_state(&s->n[0]->e->w, ike, IKE_FINISHING);
		else
			ike->c.iv = UINT64_MAX - 1;
		ATF_CHECK_EQ(engine_export(s->n[0]->e, s->now, &cursor, left, sizeof(left),
		    &len), 0);
		ATF_CHECK_MSG(sim_logged(s->n[0], why[i]), "%s", why[i]);
		sim_free(s);
	}
}

/* ---- records that are not as they should be */

static uint8_t	rec[ENGINE_RECORD_MAX];

static size_t
export(struct node *n)
{
	uint64_t	at = 0;
	size_t		len;

	ATF_REQUIRE_EQ(engine_export(n->e, n->sim->now, &at, rec, sizeof(rec), &len), 1);
	return (len);
}

static int
refused(struct node *n, const uint8_t *p, size_t len)
{
	uint32_t	 ikes = n->e->w.ikes.used, childs = n->e->w.childs.used;
	const char	*why = NULL;

	if (engine_import(n->e, n->sim->now, p, len, &why) == 0)
		return (0);
	ATF_CHECK(why != NULL && *why != '\0');
	ATF_CHECK_EQ(n->e->w.ikes.used, ikes);
	ATF_CHECK_EQ(n->e->w.childs.used, childs);
	return (1);
}

/* Cut anywhere, too long, of another version, for an engine that has it already or does
 * not know the peer: refused, with a reason, and nothing has changed. */
ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	struct sim	*s = start(7);
	struct node	*a = s->n[0], *c;
	uint64_t	 kreqs;
	size_t		 len, n;

	(void)tc;
	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 3000);
	len = export(a);
	ATF_CHECK(refused(a, rec, len));
	c = sim_node(s, "c", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 203.0.113.9 " PSK);
	ATF_CHECK(refused(c, rec, len));
	sim_reload(c, conf_a);
	kreqs = c->kreqs;
	for (n = 0; n < len; n++)
		ATF_CHECK_MSG(refused(c, rec, n), "cut to %zu", n);
	ATF_CHECK(refused(c, rec, len + 1));
	rec[0]++;
	ATF_CHECK(refused(c, rec, len));
	rec[0]--;
	ATF_CHECK_EQ(c->kreqs, kreqs);
	ATF_CHECK(!refused(c, rec, len));
	ATF_CHECK(refused(c, rec, len));
	sim_free(s);
}

/* Every octet bent: refused, or an SA of some values that can be driven and freed. */
ATF_TC_WITHOUT_HEAD(bent);
ATF_TC_BODY(bent, tc)
{
	struct sim	*s = start(8);
	const char	*why;
	struct node	*c;
	size_t		 len, n;
	uint64_t	 rng = 5;
	int		 taken = 0;

	(void)tc;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 3000);
	act(s, A_REKEY_CHILD, 0);
	sim_run(s, 5);
	len = export(s->n[0]);
	for (n = 0; n < len; n++) {
		struct sim	*t = sim_new(9);

		c = sim_node(t, "c", "192.0.2.1", conf_a);
		rec[n] ^= (uint8_t)(1 + sim_rand(&rng) % 255);
		taken += engine_import(c->e, t->now, rec, len, &why) == 0;
		sim_run(t, 2000);
		sim_free(t);
		len = export(s->n[0]);
	}
	ATF_CHECK(taken > 0 && taken < (int)len);
	sim_free(s);
}

/* Memory fails at each allocation in turn: nothing is left of it and nobody was told,
 * or it is taken all the same. */
ATF_TC_WITHOUT_HEAD(memory);
ATF_TC_BODY(memory, tc)
{
	static const enum act	 what[] = { A_REKEY_CHILD, A_REKEY_IKE };
	struct sim		*s, *t;
	struct node		*c;
	struct world		*w;
	const char		*why;
	uint32_t		 timers;
	size_t			 len;
	long			 at, refusals = 0;
	int			 i, rv;

	(void)tc;
	for (i = 0; i < 2; i++) {
		s = start(30);
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		sim_run(s, 3000);
		act(s, what[i], 0);
		len = export(s->n[0]);
		for (at = 1, seen = 0; seen >= at - 1; at++) {
			t = sim_new(31);
			c = sim_node(t, "c", "192.0.2.1", conf_a);
			w = &c->e->w;
			timers = w->timers.reserved;
			fail_at = at;
			seen = 0;
			rv = engine_import(c->e, t->now, rec, len, &why);
			fail_at = 0;
			if (rv == -1) {
				refusals++;
				ATF_CHECK_EQ(w->ikes.used + w->childs.used + w->jobs.used, 0);
				ATF_CHECK_EQ(w->timers.reserved, timers);
				ATF_CHECK_EQ(c->kreqs, 0);
			}
			sim_run(t, 1000);
			sim_free(t);
		}
		sim_free(s);
	}
	ATF_CHECK_MSG(refusals > 8, "%ld refusals", refusals);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, traffic);
	ATF_TP_ADD_TC(tp, rekey_child);
	ATF_TP_ADD_TC(tp, rekey_ike);
	ATF_TP_ADD_TC(tp, second);
	ATF_TP_ADD_TC(tp, delete_child);
	ATF_TP_ADD_TC(tp, check);
	ATF_TP_ADD_TC(tp, both_rekey_child);
	ATF_TP_ADD_TC(tp, both_rekey_ike);
	ATF_TP_ADD_TC(tp, handshake);
	ATF_TP_ADD_TC(tp, generation);
	ATF_TP_ADD_TC(tp, nat);
	ATF_TP_ADD_TC(tp, leases);
	ATF_TP_ADD_TC(tp, left_behind);
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, bent);
	ATF_TP_ADD_TC(tp, memory);
	return (atf_no_error());
}
