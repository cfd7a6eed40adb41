/* SPDX-License-Identifier: ISC */
/* Which of our addresses a peer is told (RFC 4555 3.6): those that may lead to us. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mobike.h"

static struct ike_sa *
ike_of(struct node *n)
{
	uint32_t	at = 0;

	return (slab_walk(&n->e->w.ikes, &at, NULL));
}

/* Does b hear of it, when a has it too? */
static int
told(const char *addr)
{
	struct sim	*s = mob_pair(1, "", "");
	struct ike_sa	*ike;
	struct addr	 a;
	int		 i, found = 0;

	ATF_REQUIRE_EQ(addr_parse(&a, addr), 0);
	sim_addr_add(s->n[0], addr);
	sim_run(s, 3000);
	ATF_REQUIRE((ike = ike_of(s->n[1])) != NULL);
	for (i = 0; i < ike->mob.naddrs; i++)
		found |= addr_cmp(&ike->mob.addr[i], &a) == 0;
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	sim_free(s);
	return (found);
}

ATF_TC_WITHOUT_HEAD(kinds);
ATF_TC_BODY(kinds, tc)
{
	static const struct {
		const char	*addr;
		int		 told;
	} all[] = {
		{ "203.0.113.4", 1 },
		{ "100.63.255.255", 1 }, { "100.128.0.1", 1 },
		{ "172.15.0.1", 1 }, { "172.32.0.1", 1 },
		{ "192.167.0.1", 1 }, { "192.169.0.1", 1 },
		{ "169.253.0.1", 1 }, { "223.255.255.1", 1 },
		{ "2001:db8:9::2", 1 }, { "fec0::1", 1 },
		/* of another net than the one in use */
		{ "10.9.0.1", 0 }, { "172.16.0.1", 0 }, { "172.31.255.1", 0 },
		{ "192.168.1.1", 0 }, { "100.64.0.1", 0 }, { "100.127.255.1", 0 },
		{ "fd00::1", 0 }, { "fc01::1", 0 },
		/* of no use to anybody else */
		{ "127.0.0.2", 0 }, { "169.254.3.4", 0 }, { "224.0.0.5", 0 }, { "0.1.2.3", 0 },
		{ "fe80::1", 0 }, { "febf::1", 0 }, { "ff02::1", 0 }, { "::1", 0 },
		/* behind the tunnel */
		{ "10.1.0.1", 0 },
	};
	size_t	i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ATF_CHECK_EQ_MSG(told(all[i].addr), all[i].told, "%s", all[i].addr);
}

/* With `local' nothing is said of others. */
ATF_TC_WITHOUT_HEAD(local);
ATF_TC_BODY(local, tc)
{
	struct sim	*s = mob_pair(2, "local 192.0.2.1", "");
	struct ike_sa	*ike;

	sim_addr_add(s->n[0], "203.0.113.4");
	sim_run(s, 3000);
	ATF_REQUIRE((ike = ike_of(s->n[1])) != NULL);
	ATF_CHECK_EQ(ike->mob.naddrs, 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, kinds);
	ATF_TP_ADD_TC(tp, local);
	return (atf_no_error());
}
