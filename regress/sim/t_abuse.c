/* SPDX-License-Identifier: ISC */
/*
 * What strangers can do to us: floods, forged and replayed messages, and a peer
 * that wants more than its share.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "peer.h"
#include "sim.h"

/* What a node sent last, and how much it sent, to one address and in all. */
struct seen {
	struct node	*from;
	struct endpoint	 to, from_ep;
	uint8_t		 b[4096];
	size_t		 len;
	uint64_t	 n;
};

static int
seen_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct seen	*v = s->filter_arg;

	if (from != v->from || p->len > sizeof(v->b))
		return (0);
	v->to = p->dst;
	v->from_ep = p->src;
	memcpy(v->b, p->p, p->len);
	v->len = p->len;
	v->n++;
	return (0);
}

/* IKEv1 from a thousand made-up addresses in a second: not a thousand lines. */
ATF_TC_WITHOUT_HEAD(ikev1_flood);
ATF_TC_BODY(ikev1_flood, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct endpoint	 src = sim_ep("203.0.113.1", 500), dst = sim_ep("192.0.2.1", 500);
	uint8_t		 m[28] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	int		 i;

	m[16] = 1;
	m[17] = 0x10;
	m[18] = 2;
	m[27] = 28;
	for (i = 0; i < 1000; i++) {
		src.addr.b[2] = (uint8_t)(i >> 8);
		src.addr.b[3] = (uint8_t)i;
		sim_inject(s, &src, &dst, 0, m, sizeof(m));
		sim_run(s, 1);
	}
	i = sim_log_count(s->n[0], "peer speaks IKEv1");
	ATF_CHECK_MSG(i >= 5 && i <= 20, "%d lines", i);
	sim_free(s);
}

/* A sealed empty INFORMATIONAL request of a, with its next message id. */
static size_t
sealed_check(struct node *a, uint8_t msg[MSG_MAX])
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	ike = slab_walk(&a->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	return (message_seal(&a->e->w, &ike->c, X_INFORMATIONAL, 0, ike->msgid_out, P_NONE,
	    NULL, 0, msg));
}

/* The answer goes to where the question came from, each time (2.11). */
ATF_TC_WITHOUT_HEAD(reply_source);
ATF_TC_BODY(reply_source, tc)
{
	struct sim	*s = sim_pair(2, "ondemand", "passive", "");
	struct seen	 v = { .from = s->n[1] };
	struct endpoint	 src = sim_ep("203.0.113.9", 1234), dst = sim_ep("198.51.100.1", 500);
	struct endpoint	 other = sim_ep("203.0.113.10", 4321);
	uint8_t		 msg[MSG_MAX];
	size_t		 n;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	n = sealed_check(s->n[0], msg);
	s->filter = seen_filter;
	s->filter_arg = &v;
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 1);
	ATF_CHECK_EQ(endpoint_cmp(&v.to, &src), 0);
	ATF_CHECK_EQ(endpoint_cmp(&v.from_ep, &dst), 0);
	sim_inject(s, &other, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 2);
	ATF_CHECK_EQ(endpoint_cmp(&v.to, &other), 0);
	/* nothing moves because of that: there is no NAT here */
	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(s->n[0]->got, 5);
	sim_free(s);
}

/* Who only knows the numbers of a request gets no copy of its reply. */
ATF_TC_WITHOUT_HEAD(reply_forged);
ATF_TC_BODY(reply_forged, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct seen	 v = { .from = s->n[1] };
	struct endpoint	 src = sim_ep("192.0.2.1", 500), dst = sim_ep("198.51.100.1", 500);
	uint8_t		 msg[MSG_MAX];
	size_t		 n;
	int		 i;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	n = sealed_check(s->n[0], msg);
	s->filter = seen_filter;
	s->filter_arg = &v;
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 2);
	ATF_CHECK_EQ(v.n, 1);
	for (i = 0; i < 100; i++) {
		msg[n - 1 - (size_t)i % 20] ^= (uint8_t)(1 + i);
		sim_inject(s, &src, &dst, 0, msg, n);
		sim_run(s, 1);
	}
	ATF_CHECK_EQ(v.n, 1);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ikev1_flood);
	ATF_TP_ADD_TC(tp, reply_source);
	ATF_TP_ADD_TC(tp, reply_forged);
	return (atf_no_error());
}
