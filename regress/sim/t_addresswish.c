/* SPDX-License-Identifier: ISC */
/* The address inside, once more: the one of before is wished for; and replies that give
 * none, or another one than their selectors say. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

#define PSK	"psk \"a secret that is long enough\"\n"

static struct sim *
clients(uint64_t seed, int n)
{
	struct sim	*s = sim_new(seed);
	char		 text[512], name[8], addr[32];
	int		 i;

	(void)sim_node(s, "hub", "198.51.100.1", "ikev2 \"rw\" passive esp from 10.1.0.0/16 to "
	    "dynamic local 198.51.100.1 peer any config address 10.9.0.0/28 config name-server "
	    "10.1.0.53 srcid hub.example " PSK);
	for (i = 1; i <= n; i++) {
		(void)snprintf(text, sizeof(text), "ikev2 \"hub\" ondemand esp from dynamic to "
		    "10.1.0.0/16 peer 198.51.100.1 request address any request name-server "
		    "any srcid c%d.example dstid hub.example " PSK, i);
		(void)snprintf(name, sizeof(name), "c%d", i);
		(void)snprintf(addr, sizeof(addr), "192.0.2.%d", i);
		(void)sim_node(s, name, addr, text);
	}
	return (s);
}

static const char *
given(const struct node *n, char dst[ADDR_STRLEN])
{
	int	i;

	dst[0] = '\0';
	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && n->sa[i].sa.dir == KERN_OUT)
			(void)addr_str(&n->sa[i].tsl.t[0].start, dst);
	return (dst);
}

/* Down and up again: the same address, though others have come meanwhile. */
ATF_TC_WITHOUT_HEAD(same_again);
ATF_TC_BODY(same_again, tc)
{
	struct sim	*s = clients(1, 4);
	char		 was[ADDR_STRLEN], is[ADDR_STRLEN];

	ATF_REQUIRE(sim_up(s->n[1], "hub"));
	(void)given(s->n[1], was);
	ATF_CHECK(strncmp(was, "10.9.0.", 7) == 0);
	sim_cmd(s->n[1], CMD_DOWN, "hub");
	sim_run(s, 1000);
	ATF_REQUIRE(sim_up(s->n[2], "hub") && sim_up(s->n[3], "hub"));
	ATF_CHECK(sim_up(s->n[1], "hub"));
	ATF_CHECK_STREQ(given(s->n[1], is), was);
	sim_free(s);
}

static int	kind;

static void
bend(struct parts *ps)
{
	static const uint8_t	none[] = { 2, 0, 0, 0 };
	static const uint8_t	any[] = { 2, 0, 0, 0, 0, 1, 0, 4, 0, 0, 0, 0 };
	static const uint8_t	empty[] = { 2, 0, 0, 0, 0, 1, 0, 0 };
	static const uint8_t	other[] = { 2, 0, 0, 0, 0, 1, 0, 4, 10, 9, 0, 14 };
	static const uint8_t	twice[] = { 2, 0, 0, 0, 0, 1, 0, 4, 10, 9, 0, 14, 0, 1, 0, 4,
	    10, 9, 0, 13 };
	static const uint8_t	request[] = { 1, 0, 0, 0, 0, 1, 0, 4, 10, 9, 0, 1 };
	static const struct {
		const uint8_t	*p;
		size_t		 n;
	} all[] = { { none, sizeof(none) }, { any, sizeof(any) }, { empty, sizeof(empty) },
	    { other, sizeof(other) }, { twice, sizeof(twice) }, { request, sizeof(request) } };

	if (kind < 6)
		part_set(ps, parts_find(ps, P_CP, 0), all[kind].p, all[kind].n);
	else
		parts_del(ps, P_CP);
}

/* What is no address, or not that of the selectors, is not used; the next try does it. */
ATF_TC_WITHOUT_HEAD(bad_replies);
ATF_TC_BODY(bad_replies, tc)
{
	struct patch		 t;
	struct show_tunnel	 u;
	struct sim		*s;
	char			 a[ADDR_STRLEN];

	for (kind = 0; kind < 7; kind++) {
		s = clients(2, 1);
		t = (struct patch){ .from = s->n[0], .exch = X_IKE_AUTH, .response = 1,
		    .change = bend };
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[1], CMD_UP, "hub");
		sim_run(s, 100);
		ATF_REQUIRE_EQ(t.done, 1);
		ATF_CHECK_MSG(!sim_is_up(s->n[1], "hub"), "kind %d", kind);
		ATF_CHECK(sim_tunnel(s->n[1], "hub", &u));
		ATF_CHECK_MSG(strstr(u.error, kind == 3 || kind == 4 ?
		    "its selectors are not the address" : "it gives us no address") != NULL,
		    "%s", u.error);
		sim_run(s, 40000);
		ATF_CHECK_MSG(sim_is_up(s->n[1], "hub"), "kind %d", kind);
		ATF_CHECK(strncmp(given(s->n[1], a), "10.9.0.", 7) == 0);
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, same_again);
	ATF_TP_ADD_TC(tp, bad_replies);
	return (atf_no_error());
}
