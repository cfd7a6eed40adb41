/* SPDX-License-Identifier: ISC */
/* A secret is changed on two gateways, one after the other, and no packet is lost. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

#define OLD	"psk \"the secret that was good so far\" "
#define NEW	"psk \"the secret that takes its place\" "
#define BOTH	NEW OLD "until 2099-12-31 "

static const char *
text(int right, const char *psk)
{
	static char	 b[2][512];

	(void)snprintf(b[right], sizeof(b[0]), "ikev2 \"t\" ondemand esp from 10.%d.0.0/24 to "
	    "10.%d.0.0/24 local %s peer %s %s\n", right ? 2 : 1, right ? 1 : 2,
	    right ? "198.51.100.1" : "192.0.2.1", right ? "192.0.2.1" : "198.51.100.1", psk);
	return (b[right]);
}

static const struct {
	const char	*a, *b;
} steps[] = {
	{ OLD, OLD }, { BOTH, OLD }, { BOTH, BOTH }, { NEW, BOTH }, { NEW, NEW }
};
#define STEPS	(sizeof(steps) / sizeof(steps[0]))

static struct node *a, *b;

static struct sim *
begin(uint64_t seed)
{
	struct sim	*s = sim_new(seed);

	a = sim_node(s, "a", "192.0.2.1", text(0, OLD));
	b = sim_node(s, "b", "198.51.100.1", text(1, OLD));
	ATF_REQUIRE(sim_up(a, "t"));
	sim_run(s, 2000);
	return (s);
}

/* The SAs of before carry on through all of it. */
ATF_TC_WITHOUT_HEAD(traffic);
ATF_TC_BODY(traffic, tc)
{
	struct sim		*s = begin(1);
	struct show_tunnel	 t, now;
	size_t			 i;

	ATF_REQUIRE(sim_tunnel(a, "t", &t));
	sim_traffic(a, "10.1.0.1", "10.2.0.1", 60000, 20);
	for (i = 1; i < STEPS; i++) {
		sim_run(s, 5000);
		if (steps[i].a != steps[i - 1].a)
			sim_reload(a, text(0, steps[i].a));
		if (steps[i].b != steps[i - 1].b)
			sim_reload(b, text(1, steps[i].b));
		ATF_REQUIRE_MSG(sim_tunnel(a, "t", &now) && now.spi_in == t.spi_in &&
		    now.ike_spii == t.ike_spii, "step %zu", i);
	}
	sim_run(s, 60000);
	ATF_CHECK_EQ(0, a->nosa + b->nosa + a->clear + b->clear);
	ATF_CHECK(a->sent > 2900);
	ATF_CHECK_EQ(a->sent, a->got);
	ATF_CHECK(sim_agree(a) && sim_agree(b) && sim_mirror(a, b, "t", "t"));
	sim_free(s);
}

/* At each step either side can begin anew, whatever the other one has so far. */
ATF_TC_WITHOUT_HEAD(anew);
ATF_TC_BODY(anew, tc)
{
	struct sim		*s = begin(2);
	struct show_tunnel	 t, now;
	struct node		*n;
	size_t			 i;
	int			 k;

	for (i = 0; i < STEPS; i++) {
		sim_reload(a, text(0, steps[i].a));
		sim_reload(b, text(1, steps[i].b));
		for (k = 0; k < 2; k++) {
			n = k ? b : a;
			ATF_REQUIRE(sim_tunnel(n, "t", &t));
			sim_cmd(n, CMD_RESET, "t");
			sim_run(s, 2000);
			ATF_CHECK_MSG(sim_tunnel(n, "t", &now) && now.state == SHOW_UP &&
			    now.ike_spii != t.ike_spii, "step %zu, from %s", i, n->name);
			ATF_CHECK(sim_is_up(k ? a : b, "t"));
		}
	}
	ATF_CHECK(sim_logged(a, "the next try is with the old secret"));
	ATF_CHECK(!sim_logged(b, "the next try is with the old secret"));
	sim_free(s);
}

/* Nothing in common: its SAs go. */
ATF_TC_WITHOUT_HEAD(apart);
ATF_TC_BODY(apart, tc)
{
	struct sim	*s = begin(3);

	sim_reload(a, text(0, NEW));
	sim_run(s, 3000);
	ATF_CHECK(!sim_is_up(a, "t") && !sim_is_up(b, "t"));
	/* with both at one side it works */
	sim_reload(b, text(1, BOTH));
	ATF_CHECK(sim_up(b, "t"));
	sim_free(s);
}

/* A day that has passed: as if the old one were not there. */
ATF_TC_WITHOUT_HEAD(over);
ATF_TC_BODY(over, tc)
{
	struct sim	*s = sim_new(4);

	a = sim_node(s, "a", "192.0.2.1", text(0, NEW OLD "until 1970-01-01 "));
	b = sim_node(s, "b", "198.51.100.1", text(1, OLD));
	ATF_CHECK(sim_up(b, "t"));
	sim_cmd(b, CMD_DOWN, "t");
	sim_run(s, 90000 * (int64_t)1000);	/* a day and more */
	ATF_CHECK(!sim_up(b, "t"));
	ATF_CHECK(sim_logged(a, "the secrets differ"));
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, traffic);
	ATF_TP_ADD_TC(tp, anew);
	ATF_TP_ADD_TC(tp, apart);
	ATF_TP_ADD_TC(tp, over);
	return (atf_no_error());
}
