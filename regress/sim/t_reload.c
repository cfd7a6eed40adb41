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
	ike_dead(w, ike_get(w, w->peers[0].ikes), "a test");
	engine_settle(a->e);
	ATF_REQUIRE(sim_up(a, "one"));
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_established(h), 1);
	ATF_CHECK_EQ(sim_count(h, SHOWK_SA), 1);
	ATF_CHECK(sim_mirror(a, h, "one", "one"));
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, psk);
	ATF_TP_ADD_TC(tp, during_rekey);
	ATF_TP_ADD_TC(tp, same_caller);
	return (atf_no_error());
}
