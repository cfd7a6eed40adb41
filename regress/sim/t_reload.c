/* SPDX-License-Identifier: ISC */
/* What a new configuration touches, and what it leaves alone. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define PSK	"psk \"a secret that is long enough\"\n"

static const char two[] =
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;
static const char without_one[] =
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 " PSK;

/* A successor's outbound SA that was still to be added goes with its tunnel. */
ATF_TC_WITHOUT_HEAD(during_rekey);
ATF_TC_BODY(during_rekey, tc)
{
	struct sim	*s;
	struct node	*a, *h;
	int		 ms;

	for (ms = 10; ms < 100; ms += 10) {
		s = sim_new((uint64_t)ms);
		a = sim_node(s, "a", "192.0.2.1",
		    "ikev2 \"one\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 "
		    "peer 198.51.100.1 " PSK "ikev2 \"two\" active esp from 10.1.0.0/24 to "
		    "10.3.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK);
		h = sim_node(s, "h", "198.51.100.1", two);
		sim_run(s, 3000);
		ATF_REQUIRE(sim_is_up(h, "one") && sim_is_up(h, "two"));
		sim_cmd(a, CMD_REKEY, "one");
		sim_run(s, ms);
		sim_reload(h, without_one);
		sim_run(s, 10000);
		ATF_CHECK_EQ_MSG(h->kern_lost_tunnel, 0, "%d ms: %ju requests for no tunnel", ms,
		    (uintmax_t)h->kern_lost_tunnel);
		ATF_CHECK(sim_is_up(h, "two"));
		ATF_CHECK_EQ(sim_kernel_count(h), 2);
		ATF_CHECK(sim_agree(h));
		sim_free(s);
	}
}

static const char secrets[] =
    "ikev2 \"one\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 "
    "psk \"%s\"\n"
    "ikev2 \"two\" esp from 10.3.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 "
    "psk \"%s\"\n"
    "ikev2 \"x\" esp from 10.2.0.0/24 to 10.8.0.0/24 local 198.51.100.1 peer 192.0.2.9 "
    PSK;

/* Another secret: its SAs go and come again with it, and no other is touched. */
ATF_TC_WITHOUT_HEAD(psk);
ATF_TC_BODY(psk, tc)
{
	static const char	*from[] = { "one", "two" };
	struct sim		*s = sim_new(3);
	struct node		*a, *h;
	struct show_tunnel	 x, y, z;
	char			 text[1024], first[1024];
	unsigned int		 i;

	(void)snprintf(first, sizeof(first), secrets, "a secret that is long enough",
	    "a secret that is long enough");
	a = sim_node(s, "a", "192.0.2.1",
	    "ikev2 \"one\" active esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 "
	    "peer 198.51.100.1 " PSK "ikev2 \"two\" active esp from 10.1.0.0/24 to "
	    "10.3.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK);
	h = sim_node(s, "h", "198.51.100.1", first);
	(void)sim_node(s, "x", "192.0.2.9", "ikev2 \"h\" active esp from 10.8.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.9 peer 198.51.100.1 " PSK);
	sim_run(s, 3000);
	ATF_REQUIRE(sim_tunnel(h, "one", &x) && sim_tunnel(h, "x", &y));
	ATF_REQUIRE(x.state == SHOW_UP && y.state == SHOW_UP);
	sim_reload(h, first);
	ATF_CHECK(sim_tunnel(h, "one", &z) && z.spi_in == x.spi_in);
	(void)snprintf(text, sizeof(text), secrets, "a secret of the same length!",
	    "a secret of the same length!");
	sim_reload(h, text);
	sim_run(s, 5000);
	for (i = 0; i < 2; i++) {
		ATF_CHECK(!sim_is_up(h, from[i]));
		ATF_CHECK(!sim_is_up(a, from[i]));
	}
	ATF_CHECK(sim_tunnel(h, "x", &z) && z.spi_in == y.spi_in);
	ATF_CHECK_EQ(sim_kernel_count(h), 2);
	ATF_CHECK(sim_logged(h, "the secrets differ"));
	/* and with the old one again */
	sim_reload(h, first);
	sim_run(s, 40000);
	ATF_CHECK(sim_is_up(h, "one") && sim_is_up(h, "two"));
	ATF_CHECK(sim_tunnel(h, "x", &z) && z.spi_in == y.spi_in);
	ATF_CHECK(sim_agree(h) && sim_agree(a));
	sim_free(s);
}

/* Another peer's statement before it: who calls again is found to be the one of before. */
ATF_TC_WITHOUT_HEAD(same_caller);
ATF_TC_BODY(same_caller, tc)
{
	static const char	 before[] = "ikev2 \"x\" esp from 10.2.0.0/24 to 10.8.0.0/24 "
	    "local 198.51.100.1 peer 192.0.2.9 " PSK;
	struct sim		*s = sim_new(4);
	struct node		*a, *h;
	struct world		*w;
	char			 text[1024];

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"one\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK);
	(void)snprintf(text, sizeof(text), "%.*s", (int)(strchr(two, '\n') + 1 - two), two);
	h = sim_node(s, "h", "198.51.100.1", text);
	w = &a->e->w;
	ATF_REQUIRE(sim_up(a, "one"));
	(void)snprintf(text, sizeof(text), "%s%.*s", before,
	    (int)(strchr(two, '\n') + 1 - two), two);
	sim_reload(h, text);
	sim_run(s, 5000);
	w->now = s->now;
	ike_dead(w, ike_get(w, w->peers[0].ikes), WHY_PEER_SILENT, "a test");
	engine_settle(a->e);
	ATF_REQUIRE(sim_up(a, "one"));
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_established(h), 1);
	ATF_CHECK_EQ(sim_count(h, SHOWK_SA), 1);
	ATF_CHECK(sim_mirror(a, h, "one", "one"));
	sim_free(s);
}

static const char pair_fmt[] =
    "ikev2 \"t\" %s esp from 10.%d.0.0/24 to 10.%d.0.0/24 local %s peer %s %s " PSK;

static void
pair_text(char *dst, size_t cap, int right, const char *extra)
{
	(void)snprintf(dst, cap, pair_fmt, right ? "passive" : "active", right ? 2 : 1,
	    right ? 1 : 2, right ? "198.51.100.1" : "192.0.2.1",
	    right ? "192.0.2.1" : "198.51.100.1", extra);
}

struct gate {
	struct sim	*s;
	struct node	*a, *b;
	struct show_tunnel before;
};

static struct gate
gate_up(uint64_t seed)
{
	struct gate	 g;
	char		 text[512];

	g.s = sim_new(seed);
	pair_text(text, sizeof(text), 0, "");
	g.a = sim_node(g.s, "a", "192.0.2.1", text);
	pair_text(text, sizeof(text), 1, "");
	g.b = sim_node(g.s, "b", "198.51.100.1", text);
	sim_run(g.s, 3000);
	ATF_REQUIRE(sim_tunnel(g.a, "t", &g.before) && g.before.state == SHOW_UP);
	return (g);
}

/* Both sides get other words under traffic, one after the other; no packet is lost. */
static void
renew(const char *extra, uint32_t fields, int ike)
{
	struct gate		 g = gate_up(5);
	struct show_tunnel	 t;
	struct show_rec		 r;
	char			 text[512];
	uint64_t		 at = 0, acquires;

	acquires = g.a->acquires;
	sim_traffic(g.a, "10.1.0.1", "10.2.0.1", 60000, 20);
	sim_run(g.s, 1000);
	pair_text(text, sizeof(text), 0, extra);
	sim_reload(g.a, text);
	ATF_CHECK(sim_is_up(g.a, "t"));
	sim_run(g.s, 15000);
	/* what the other side would do, and has not done */
	pair_text(text, sizeof(text), 1, extra);
	sim_plan(g.b, text);
	ATF_REQUIRE(engine_show(g.b->e, g.s->now, SHOWK_PLAN, &at, &r));
	ATF_CHECK_STREQ("t", r.u.plan.name);
	ATF_CHECK_EQ(CHANGE_RENEGOTIATED, r.u.plan.change);
	ATF_CHECK_EQ(fields, r.u.plan.fields);
	ATF_CHECK(r.u.plan.up);
	ATF_CHECK(!engine_show(g.b->e, g.s->now, SHOWK_PLAN, &at, &r));
	sim_reload(g.b, text);
	sim_run(g.s, 60000);
	ATF_REQUIRE(sim_tunnel(g.a, "t", &t) && t.state == SHOW_UP);
	ATF_CHECK(ike ? t.ike_spii != g.before.ike_spii : t.spi_in != g.before.spi_in);
	ATF_CHECK_EQ(acquires, g.a->acquires);
	ATF_CHECK_EQ(0, g.a->nosa);
	ATF_CHECK_EQ(0, g.b->nosa);
	ATF_CHECK_EQ(0, g.a->clear + g.b->clear);
	ATF_CHECK_EQ_MSG(g.a->sent, g.a->got, "%ju sent, %ju answered",
	    (uintmax_t)g.a->sent, (uintmax_t)g.a->got);
	ATF_CHECK_EQ(sim_kernel_count(g.a), 2);
	ATF_CHECK(sim_agree(g.a) && sim_agree(g.b) && sim_mirror(g.a, g.b, "t", "t"));
	sim_free(g.s);
}

ATF_TC_WITHOUT_HEAD(make_before_break);
ATF_TC_BODY(make_before_break, tc)
{
	renew("childsa enc aes-256-gcm group modp2048", 1U << CF_CHILDSA, 0);
	renew("lifetime 20m", 1U << CF_LIFETIME, 0);
	renew("lifetime 20m bytes 1G", 1U << CF_LIFETIME | 1U << CF_LIFEBYTES, 0);
	renew("ikelifetime 2h", 1U << CF_IKELIFETIME, 1);
	renew("ikesa enc aes-256-gcm prf hmac-sha2-512 group ecp384", 1U << CF_IKESA, 1);
	renew("ikelifetime 2h lifetime 20m", 1U << CF_IKELIFETIME | 1U << CF_LIFETIME, 1);
}

#define MANY	50
#define CHANGED	10

static void
many_text(char *dst, size_t cap, int right, const char *extra)
{
	size_t	 n = 0;
	int	 i;

	for (i = 0; i < MANY; i++)
		n += (size_t)snprintf(dst + n, cap - n, "ikev2 \"t%d\" %s esp from 10.%d.%d.0/24 "
		    "to 10.%d.%d.0/24 local %s peer %s srcid %c%d.example dstid %c%d.example "
		    "%s " PSK, i, right ? "passive" : "active", right ? 2 : 1, i, right ? 1 : 2,
		    i, right ? "198.51.100.1" : "192.0.2.1", right ? "192.0.2.1" :
		    "198.51.100.1", right ? 'b' : 'a', i, right ? 'a' : 'b', i,
		    i < CHANGED ? extra : "");
}

/* Fifty tunnels, ten changed, each way in which one can be: the others lose nothing and
 * have the SAs they had. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	static const char	*const extra[] = { "lifetime 20m", "natt" };
	static char		 text[MANY * 400];
	struct show_tunnel	 before[MANY], t;
	struct sim		*s;
	struct node		*a, *b;
	char			 name[16], src[32], dst[32];
	size_t			 k;
	int			 i;

	for (k = 0; k < 2; k++) {
		s = sim_new(8 + k);
		many_text(text, sizeof(text), 1, "");
		b = sim_node(s, "b", "198.51.100.1", text);
		many_text(text, sizeof(text), 0, "");
		a = sim_node(s, "a", "192.0.2.1", text);
		sim_run(s, 10000);
		for (i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "t%d", i);
			ATF_REQUIRE_MSG(sim_tunnel(a, name, &before[i]) &&
			    before[i].state == SHOW_UP, "%s", name);
			if (i < CHANGED)
				continue;
			(void)snprintf(src, sizeof(src), "10.1.%d.1", i);
			(void)snprintf(dst, sizeof(dst), "10.2.%d.1", i);
			sim_traffic(a, src, dst, 20000, 100);
		}
		sim_run(s, 2000);
		many_text(text, sizeof(text), 1, extra[k]);
		sim_reload(b, text);
		many_text(text, sizeof(text), 0, extra[k]);
		sim_reload(a, text);
		sim_run(s, 30000);
		for (i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "t%d", i);
			ATF_CHECK_MSG(sim_tunnel(a, name, &t) && t.state == SHOW_UP, "%s", name);
			ATF_CHECK_MSG((t.spi_in == before[i].spi_in && t.ike_spii ==
			    before[i].ike_spii) == (i >= CHANGED), "%s", name);
		}
		ATF_CHECK(a->sent > 7500);
		ATF_CHECK_EQ_MSG(a->sent, a->got, "%ju sent, %ju answered",
		    (uintmax_t)a->sent, (uintmax_t)a->got);
		ATF_CHECK_EQ(0, a->nosa + b->nosa + a->clear + b->clear);
		sim_free(s);
	}
}

/* Who begins is no part of an SA. */
ATF_TC_WITHOUT_HEAD(mode);
ATF_TC_BODY(mode, tc)
{
	struct gate		 g = gate_up(6);
	struct show_tunnel	 t;
	char			 text[512], *p;

	pair_text(text, sizeof(text), 0, "");
	p = strstr(text, "active");
	ATF_REQUIRE(p != NULL);
	memcpy(p, "      ", 6);
	sim_reload(g.a, text);
	sim_run(g.s, 5000);
	ATF_REQUIRE(sim_tunnel(g.a, "t", &t));
	ATF_CHECK_EQ(g.before.spi_in, t.spi_in);
	ATF_CHECK_EQ(g.before.ike_spii, t.ike_spii);
	ATF_CHECK_EQ(MODE_PASSIVE, t.mode);
	/* and it is not called any more, when it is gone */
	sim_cmd(g.b, CMD_DOWN, "t");
	sim_run(g.s, 60000);
	ATF_CHECK(!sim_is_up(g.a, "t"));
	pair_text(text, sizeof(text), 0, "");
	sim_reload(g.a, text);
	sim_run(g.s, 5000);
	ATF_CHECK(sim_is_up(g.a, "t"));
	sim_free(g.s);
}

/* One of each kind, in the order of the new file, and nothing happens. */
ATF_TC_WITHOUT_HEAD(plan);
ATF_TC_BODY(plan, tc)
{
	static const char	 from[] =
	    "ikev2 \"same\" esp from 10.1.1.0/24 to 10.2.1.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK
	    "ikev2 \"gone\" esp from 10.1.2.0/24 to 10.2.2.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK
	    "ikev2 \"net\" esp from 10.1.3.0/24 to 10.2.3.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK
	    "ikev2 \"far\" esp from 10.1.4.0/24 to 10.2.4.0/24 local 192.0.2.1 peer 198.51.100.2 " PSK;
	static const char	 to[] =
	    "ikev2 \"far\" esp from 10.1.4.0/24 to 10.2.4.0/24 local 192.0.2.1 peer 198.51.100.3 " PSK
	    "ikev2 \"net\" ondemand esp from 10.1.3.0/24 to 10.2.5.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK
	    "ikev2 \"new\" esp from 10.1.9.0/24 to 10.2.9.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK
	    "ikev2 \"same\" esp from 10.1.1.0/24 to 10.2.1.0/24 local 192.0.2.1 peer 198.51.100.1 " PSK;
	static const struct {
		const char		*name;
		enum conf_change	 change;
		uint32_t		 fields;
	} want[] = {
		{ "far", CHANGE_REPLACED, 1U << CF_PEER },
		{ "net", CHANGE_REPLACED, 1U << CF_TO | 1U << CF_MODE },
		{ "new", CHANGE_ADDED, 0 },
		{ "same", CHANGE_KEPT, 0 },
		{ "gone", CHANGE_REMOVED, 0 }
	};
	struct sim		*s = sim_new(7);
	struct node		*a = sim_node(s, "a", "192.0.2.1", from);
	struct show_rec		 r;
	uint64_t		 at = 0;
	size_t			 i;

	sim_plan(a, to);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ATF_REQUIRE(engine_show(a->e, s->now, SHOWK_PLAN, &at, &r));
		ATF_CHECK_STREQ(want[i].name, r.u.plan.name);
		ATF_CHECK_EQ_MSG(want[i].change, r.u.plan.change, "%s", want[i].name);
		ATF_CHECK_EQ_MSG(want[i].fields, r.u.plan.fields, "%s", want[i].name);
		ATF_CHECK(!r.u.plan.up);
	}
	ATF_CHECK(!engine_show(a->e, s->now, SHOWK_PLAN, &at, &r));
	ATF_CHECK_EQ(4, sim_count(a, SHOWK_TUNNEL));
	/* a reload takes away what was to be read */
	sim_plan(a, to);
	sim_reload(a, to);
	at = 0;
	ATF_CHECK(!engine_show(a->e, s->now, SHOWK_PLAN, &at, &r));
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, make_before_break);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, mode);
	ATF_TP_ADD_TC(tp, plan);
	ATF_TP_ADD_TC(tp, psk);
	ATF_TP_ADD_TC(tp, during_rekey);
	ATF_TP_ADD_TC(tp, same_caller);
	return (atf_no_error());
}
