/* SPDX-License-Identifier: ISC */
/* What `ipsecctl monitor' hears: each change once, with its reason. */

#include <atf-c.h>
#include <string.h>

#include "engine/engine_local.h"
#include "sim.h"

static const struct show_event *
next(struct node *n, unsigned int *i, enum show_event_type type)
{
	ATF_REQUIRE_MSG(*i < n->nev, "only %u events", n->nev);
	ATF_REQUIRE_MSG(n->ev[*i].type == type, "event %u is %s: %s", *i,
	    show_event_name(n->ev[*i].type), n->ev[*i].text);
	return (&n->ev[(*i)++]);
}

ATF_TC_WITHOUT_HEAD(life);
ATF_TC_BODY(life, tc)
{
	struct sim			*s = sim_pair(1, "ondemand", "passive", "");
	struct node			*a = s->n[0], *b = s->n[1];
	const struct show_event		*e;
	struct show_rec			 rec;
	uint32_t			 spi;
	unsigned int			 i = 0, j = 0;

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 2000);
	e = next(a, &i, EVENT_UP);
	ATF_CHECK_STREQ(e->tunnel, "b");
	ATF_REQUIRE_EQ(0, engine_show_tunnel(a->e, s->now, "b", &rec));
	ATF_CHECK(e->spi_in == rec.u.tunnel.spi_in && e->spi_out == rec.u.tunnel.spi_out);
	spi = e->spi_in;
	ATF_CHECK_STREQ(next(b, &j, EVENT_UP)->tunnel, "a");
	/* new keys */
	sim_cmd(a, CMD_REKEY, "b");
	sim_run(s, 10000);
	e = next(a, &i, EVENT_REKEY);
	ATF_CHECK(e->spi_in != 0 && e->spi_in != spi);
	(void)next(b, &j, EVENT_REKEY);
	/* an IKE SA's keys are no tunnel's business */
	sim_cmd(a, CMD_REKEY_IKE, "b");
	sim_run(s, 10000);
	ATF_CHECK_EQ(i, a->nev);
	sim_cmd(a, CMD_DOWN, "b");
	sim_run(s, 2000);
	e = next(a, &i, EVENT_DOWN);
	ATF_CHECK_STREQ(e->text, "by command");
	ATF_CHECK_EQ(e->reason, WHY_COMMAND);
	ATF_CHECK(next(b, &j, EVENT_DOWN)->text[0] != '\0');
	ATF_CHECK(i == a->nev && j == b->nev);
	/* there is no such tunnel to be shown */
	ATF_CHECK_EQ(-1, engine_show_tunnel(a->e, s->now, "nobody", &rec));
	sim_free(s);
}

/* The peer is silent: a failure for each time that it is given up, no `down'. */
ATF_TC_WITHOUT_HEAD(silent);
ATF_TC_BODY(silent, tc)
{
	struct sim			*s = sim_pair(2, "active", "passive", "");
	struct node			*a = s->n[0];
	const struct show_event		*e;
	unsigned int			 i = 0;

	sim_run(s, 5000);
	(void)next(a, &i, EVENT_UP);
	sim_kill(s->n[1]);
	sim_run(s, 900000);
	e = next(a, &i, EVENT_DOWN);
	ATF_CHECK(e->text[0] != '\0' && strcmp(e->text, "by command") != 0);
	while (i < a->nev)
		ATF_CHECK(next(a, &i, EVENT_FAILURE)->text[0] != '\0');
	ATF_CHECK(i > 3);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, life);
	ATF_TP_ADD_TC(tp, silent);
	return (atf_no_error());
}
