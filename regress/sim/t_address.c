/* SPDX-License-Identifier: ISC */
/* Addresses inside the tunnel: given out of a pool, asked for, kept, and used up. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define PSK	"psk \"a secret that is long enough\"\n"

static const char hub_conf[] =
    "ikev2 \"rw\" passive esp from 10.1.0.0/16 to dynamic local 198.51.100.1 peer any "
    "config address %s config name-server 10.1.0.53 srcid hub.example " PSK;
static const char client_conf[] =
    "ikev2 \"hub\" active esp from dynamic to 10.1.0.0/16 peer 198.51.100.1 %s "
    "request address any request name-server any srcid c%d.example dstid hub.example " PSK;

static struct node *
hub_new(struct sim *s, const char *pool)
{
	char	text[512];

	(void)snprintf(text, sizeof(text), hub_conf, pool);
	return (sim_node(s, "hub", "198.51.100.1", text));
}

static struct node *
client_new(struct sim *s, int i)
{
	char	text[512], name[8], addr[ADDR_STRLEN];

	(void)snprintf(text, sizeof(text), client_conf, "", i);
	(void)snprintf(name, sizeof(name), "c%d", i);
	(void)snprintf(addr, sizeof(addr), "192.0.2.%d", i);
	return (sim_node(s, name, addr, text));
}

/* The address that a client's outbound SA carries; "" when it has none. */
static const char *
given(const struct node *n, char dst[ADDR_STRLEN])
{
	const struct ts	*t;
	int		 i;

	dst[0] = '\0';
	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && n->sa[i].sa.dir == KERN_OUT) {
			t = &n->sa[i].tsl.t[0];
			ATF_CHECK_EQ(n->sa[i].tsl.n, 1);
			ATF_CHECK_EQ(addr_cmp(&t->start, &t->end), 0);
			(void)addr_str(&t->start, dst);
		}
	return (dst);
}

static void
passes(struct sim *s, struct node *n)
{
	char		a[ADDR_STRLEN];
	uint64_t	got = n->got;

	(void)sim_ping(n, given(n, a), "10.1.0.5");
	sim_run(s, 500);
	ATF_CHECK_EQ_MSG(n->got, got + 1, "%s from %s", n->name, a);
}

/* Two clients of one statement: each its own address, its own Child, over all rekeys,
 * a reload and a restart. */
ATF_TC_WITHOUT_HEAD(two_clients);
ATF_TC_BODY(two_clients, tc)
{
	struct sim	*s = sim_new(1);
	struct node	*h = hub_new(s, "10.9.0.0/24"), *a = client_new(s, 1);
	struct node	*b = client_new(s, 2);
	char		 sa[ADDR_STRLEN], sb[ADDR_STRLEN], x[ADDR_STRLEN], text[512];

	sim_run(s, 3000);
	ATF_REQUIRE(sim_is_up(a, "hub") && sim_is_up(b, "hub"));
	ATF_CHECK(strncmp(given(a, sa), "10.9.0.", 7) == 0);
	ATF_CHECK(strncmp(given(b, sb), "10.9.0.", 7) == 0);
	ATF_CHECK(strcmp(sa, sb) != 0);
	ATF_CHECK(sim_logged(a, "our address inside is 10.9.0."));
	passes(s, a);
	passes(s, b);
	ATF_CHECK_EQ(sim_count(h, SHOWK_SA), 2);
	sim_cmd(a, CMD_REKEY, "hub");
	sim_cmd(h, CMD_REKEY, "rw");
	sim_run(s, 30000);
	ATF_CHECK_STREQ(given(a, x), sa);
	(void)snprintf(text, sizeof(text), hub_conf, "10.9.0.0/24");
	sim_reload(h, text);
	sim_run(s, 2000);
	passes(s, a);
	passes(s, b);
	sim_kill(a);
	(void)snprintf(text, sizeof(text), client_conf, "", 1);
	sim_start(a, text);
	sim_run(s, 30000);
	ATF_CHECK_STREQ(given(a, x), sa);
	ATF_CHECK_STREQ(given(b, x), sb);
	passes(s, a);
	passes(s, b);
	ATF_CHECK_EQ(sim_count(h, SHOWK_SA), 2);
	ATF_CHECK(sim_agree(h) && sim_agree(a) && sim_agree(b));
	sim_free(s);
}

/* The IKE SA's successor has the address, too; and another client does not get it. */
ATF_TC_WITHOUT_HEAD(ike_rekey);
ATF_TC_BODY(ike_rekey, tc)
{
	struct sim	*s = sim_new(2);
	struct node	*h = hub_new(s, "10.9.0.8/30"), *a, *b;
	char		 sa[ADDR_STRLEN], x[ADDR_STRLEN], text[512];

	(void)snprintf(text, sizeof(text), client_conf, "ikelifetime 20", 1);
	a = sim_node(s, "c1", "192.0.2.1", text);
	sim_run(s, 3000);
	ATF_REQUIRE(sim_is_up(a, "hub"));
	(void)given(a, sa);
	sim_run(s, 60000);
	ATF_CHECK(sim_log_count(a, "our address inside") == 1);
	b = client_new(s, 2);
	sim_run(s, 5000);
	ATF_CHECK(sim_is_up(b, "hub"));
	ATF_CHECK(strcmp(given(b, x), sa) != 0);
	ATF_CHECK_STREQ(given(a, x), sa);
	passes(s, a);
	passes(s, b);
	ATF_CHECK(sim_agree(h));
	sim_free(s);
}

/* Two addresses, three clients: the third is told, and gets one when one is free. */
ATF_TC_WITHOUT_HEAD(used_up);
ATF_TC_BODY(used_up, tc)
{
	struct sim	*s = sim_new(3);
	struct node	*h = hub_new(s, "10.9.0.8/30"), *c[3];
	char		 x[ADDR_STRLEN];
	int		 i;

	for (i = 0; i < 3; i++) {
		c[i] = client_new(s, i + 1);
		sim_run(s, 2000);
	}
	ATF_CHECK(sim_is_up(c[0], "hub") && sim_is_up(c[1], "hub"));
	ATF_CHECK(!sim_is_up(c[2], "hub"));
	ATF_CHECK(sim_logged(h, "no address is free for peer 192.0.2.3"));
	ATF_CHECK(sim_logged(c[2], "INTERNAL_ADDRESS_FAILURE"));
	engine_shutdown(c[0]->e, s->now);
	sim_run(s, 60000);
	ATF_CHECK(sim_is_up(c[2], "hub"));
	ATF_CHECK(given(c[2], x)[0] != '\0');
	passes(s, c[2]);
	passes(s, c[1]);
	sim_free(s);
}

/* Who does not ask gets none, and hears why; so does who asks one that has none. */
ATF_TC_WITHOUT_HEAD(not_asked);
ATF_TC_BODY(not_asked, tc)
{
	struct sim	*s = sim_new(4);
	struct node	*h = hub_new(s, "10.9.0.0/24"), *a;

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"hub\" active esp from 10.9.0.7 to "
	    "10.1.0.0/16 peer 198.51.100.1 srcid c1.example dstid hub.example " PSK);
	sim_run(s, 3000);
	ATF_CHECK(!sim_is_up(a, "hub"));
	ATF_CHECK(sim_logged(a, "FAILED_CP_REQUIRED"));
	ATF_CHECK(sim_logged(h, "asks for no address"));
	ATF_CHECK_EQ(sim_kernel_count(h), 0);
	sim_free(s);

	s = sim_new(5);
	(void)sim_node(s, "h", "198.51.100.1", "ikev2 \"rw\" passive esp from 10.1.0.0/16 to "
	    "10.9.0.0/24 local 198.51.100.1 peer any srcid hub.example " PSK);
	a = client_new(s, 1);
	sim_run(s, 3000);
	ATF_CHECK(!sim_is_up(a, "hub"));
	ATF_CHECK(sim_logged(a, "it gives us no address"));
	ATF_CHECK_EQ(sim_kernel_count(a), 0);
	sim_free(s);
}

/* Both families at once. */
ATF_TC_WITHOUT_HEAD(both_families);
ATF_TC_BODY(both_families, tc)
{
	struct sim	*s = sim_new(6);
	struct node	*h, *a;

	h = sim_node(s, "h", "198.51.100.1", "ikev2 \"rw\" passive esp from { 10.1.0.0/16, "
	    "2001:db8:1::/48 } to dynamic local 198.51.100.1 peer any config address "
	    "10.9.0.0/24 config address 2001:db8:9::/64 srcid hub.example " PSK);
	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"hub\" active esp from dynamic to { 10.1.0.0/16, "
	    "2001:db8:1::/48 } peer 198.51.100.1 request address any request address "
	    "10.9.0.77 srcid c1.example dstid hub.example " PSK);
	sim_run(s, 3000);
	ATF_CHECK(sim_is_up(a, "hub"));
	ATF_CHECK(sim_logged(a, "our address inside is 10.9.0."));
	ATF_CHECK(sim_logged(a, "our address inside is 2001:db8:9::"));
	ATF_CHECK(sim_agree(a) && sim_agree(h));
	sim_free(s);
}

/* A client with another's address in its selectors: they are not widened to it. */
static int
steal(void *arg, uint8_t *plain, size_t *len, uint8_t *first)
{
	static const uint8_t	any[8] = { 0, 0, 0, 0, 255, 255, 255, 255 };
	static const uint8_t	that[8] = { 10, 9, 0, 200, 10, 9, 0, 200 };
	size_t			i;

	(void)first;
	/* TSi is the first of the two selectors from any to any in there */
	for (i = 0; i + 8 <= *len; i++)
		if (memcmp(plain + i, any, 8) == 0) {
			memcpy(plain + i, that, 8);
			*(int *)arg = 1;
			return (0);
		}
	return (-1);
}

static int
thief(struct sim *s, struct node *from, struct packet *p)
{
	uint8_t	buf[MSG_MAX];
	size_t	n;

	if (from != s->n[1] || !p->ike || (n = peer_alter(from, p, steal, s->filter_arg,
	    buf)) == 0)
		return (0);
	sim_inject(s, &p->src, &p->dst, p->marker, buf, n);
	return (1);
}

ATF_TC_WITHOUT_HEAD(stolen);
ATF_TC_BODY(stolen, tc)
{
	struct sim	*s = sim_new(7);
	struct node	*h = hub_new(s, "10.9.0.0/24"), *a;
	int		 done = 0;

	s->filter = thief;
	s->filter_arg = &done;
	a = client_new(s, 1);
	sim_run(s, 3000);
	ATF_CHECK_EQ(done, 1);
	ATF_CHECK(!sim_is_up(a, "hub"));
	ATF_CHECK(sim_logged(a, "TS_UNACCEPTABLE"));
	ATF_CHECK_EQ(sim_kernel_count(h), 0);
	sim_free(s);
}

/* netwatchd hears which address it is, from the client's iked and not from the hub's. */
ATF_TC_WITHOUT_HEAD(told);
ATF_TC_BODY(told, tc)
{
	struct sim	*s = sim_new(9);
	struct node	*h = hub_new(s, "10.9.0.0/24"), *a = client_new(s, 1);
	char		 got[ADDR_STRLEN], want[ADDR_STRLEN];

	sim_run(s, 5000);
	ATF_REQUIRE(sim_is_up(a, "hub"));
	engine_counters(a->e, s->now, 7, "hub");
	sim_run(s, 100);
	ATF_REQUIRE_EQ(7, a->counters_token);
	ATF_CHECK_STREQ(given(a, want), addr_str(&a->counters.given[0], got));
	ATF_CHECK_EQ(ADDR_NONE, a->counters.given[1].fam);
	engine_counters(h->e, s->now, 8, "rw");
	sim_run(s, 100);
	ATF_REQUIRE_EQ(8, h->counters_token);
	ATF_CHECK_EQ(0, h->counters.err);
	ATF_CHECK_EQ(ADDR_NONE, h->counters.given[0].fam);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, two_clients);
	ATF_TP_ADD_TC(tp, ike_rekey);
	ATF_TP_ADD_TC(tp, used_up);
	ATF_TP_ADD_TC(tp, not_asked);
	ATF_TP_ADD_TC(tp, both_families);
	ATF_TP_ADD_TC(tp, stolen);
	ATF_TP_ADD_TC(tp, told);
	return (atf_no_error());
}
