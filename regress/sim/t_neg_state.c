/* SPDX-License-Identifier: ISC */
/* Negative tests 28 to 34: what comes in the wrong state, again, late, or too far ahead. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static const uint8_t	never[] = { 38, 39, 40, 41, 42, 43, 44, 45, 0, 1, 33, 240, 255 };

static struct ike_half *
half_of(struct node *n)
{
	uint32_t	at = 0;

	return (slab_walk(&n->e->w.halves, &at, NULL));
}

/* The datagrams of one exchange and direction go nowhere. */
struct hole {
	uint8_t	exch;
	int	response, n;
};

static int
hole_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct hole	*h = s->filter_arg;

	(void)from;
	if (p->len < WIRE_HDRLEN || p->p[18] != h->exch ||
	    ((p->p[19] & WIRE_F_RESPONSE) != 0) != h->response)
		return (0);
	h->n++;
	return (1);
}

/* bad's half-open SA seals whatever it likes for good's: all of it is dropped. */
static void
all_dropped(struct node *bad, struct node *good)
{
	static const uint8_t	exch[] = { X_CREATE_CHILD_SA, X_INFORMATIONAL, 43, 44, 38 };
	struct ike_half		*h = half_of(bad);
	struct endpoint		 src, dst;
	uint8_t			 inner[512], first, m[MSG_MAX];
	uint32_t		 id;
	size_t			 i, n, len;
	int			 r;

	ATF_REQUIRE(h != NULL);
	src = h->c.local;
	dst = h->c.remote;
	n = peer_create_child(inner, sizeof(inner), 0x12345678, "10.1.0.0/24",
	    "10.2.0.0/24", &first);
	ATF_REQUIRE(n > 0);
	for (i = 0; i < sizeof(exch); i++)
		for (id = 0; id < 4; id++)
			for (r = 0; r < 2; r++) {
				len = message_seal(&bad->e->w, &h->c, exch[i], r, id, first,
				    inner, n, m);
				ATF_REQUIRE(len > 0);
				ATF_CHECK_MSG(is_dropped(good, &src, &dst, 0, m, len),
				    "exchange %u, id %u, reply %d", exch[i], id, r);
			}
}

/* Negative test 28: with the keys, and before AUTH.  The responder while it waits is in
 * t_drop's before_auth; here: the initiator while it signs, waits and checks, and the
 * responder while it verifies. */
ATF_TC_WITHOUT_HEAD(n28_initiator);
ATF_TC_BODY(n28_initiator, tc)
{
	struct sim	*s;
	struct hole	 h;
	int		 i;

	for (i = 0; i < 2; i++) {
		h = (struct hole){ X_IKE_AUTH, 0, 0 };
		s = sim_pair(40, "ondemand", "passive", "");
		s->filter = hole_filter;
		s->filter_arg = &h;
		s->n[0]->keys_mute = i == 1;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 25);
		ATF_REQUIRE_EQ(half_of(s->n[0])->state, i ? HALF_SIGNING : HALF_AUTH_SENT);
		all_dropped(s->n[1], s->n[0]);
		s->filter = NULL;
		s->n[0]->keys_mute = 0;
		sim_run(s, 20000);
		ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"));
		ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
		sim_free(s);
	}
}

/* Negative test 28. */
ATF_TC_WITHOUT_HEAD(n28_verifying);
ATF_TC_BODY(n28_verifying, tc)
{
	struct sim	*s = sim_pair(41, "ondemand", "passive", "");
	struct hole	 h = { X_IKE_AUTH, 1, 0 };

	s->filter = hole_filter;
	s->filter_arg = &h;
	s->n[1]->keys_mute = 1;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 35);
	ATF_REQUIRE_EQ(half_of(s->n[1])->state, HALF_VERIFYING);
	all_dropped(s->n[0], s->n[1]);
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	sim_free(s);
}

/* Negative test 28: verified, and the Child not yet in the kernel: nothing before our
 * IKE_AUTH reply. */
ATF_TC_WITHOUT_HEAD(n28_finishing);
ATF_TC_BODY(n28_finishing, tc)
{
	struct sim	*s = sim_pair(42, "ondemand", "passive", "");

	s->n[1]->kern_slow_us = 500000;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 35);
	ATF_CHECK(half_of(s->n[1]) == NULL);
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	all_dropped(s->n[0], s->n[1]);
	sim_run(s, 1000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	sim_free(s);
}

/* Negative tests 29, 30 and 31: an SA that is up takes no IKE_AUTH, IKE_SA_INIT,
 * IKE_INTERMEDIATE, IKE_FOLLOWUP_KE, IKE_SESSION_RESUME, or whatever was never negotiated.
 * Negative test 31. */
ATF_TC_WITHOUT_HEAD(n29_other_exchanges);
ATF_TC_BODY(n29_other_exchanges, tc)
{
	struct parts	ps;
	struct duel	d;
	uint8_t		m[MSG_MAX];
	uint32_t	id;
	size_t		i, n;
	int		r, k;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 43, "", r);
		duel_child(&d, &ps, 0x20000);
		for (k = 0; k < 2; k++) {
			for (i = 0; i < sizeof(never); i++) {
				n = duel_seal(&d, never[i], k, d.ike->msgid_out, &ps, m);
				ATF_CHECK_MSG(duel_dropped(&d, m, n), "exchange %u, reply %d",
				    never[i], k);
			}
			for (id = 0; id < 4; id++) {
				/* 1 again is the request that is answered: test 32 */
				if (id == 1 && k == 0 && r == 0)
					continue;
				n = duel_seal(&d, X_IKE_AUTH, k, id, &ps, m);
				ATF_CHECK_MSG(duel_dropped(&d, m, n), "IKE_AUTH %u, reply %d",
				    id, k);
				n = duel_seal(&d, X_IKE_SA_INIT, k, id, &ps, m);
				ATF_CHECK_MSG(duel_dropped(&d, m, n),
				    "IKE_SA_INIT %u, reply %d", id, k);
			}
		}
		/* and it still does what it should */
		ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
		ATF_CHECK((d.m.has & WIRE_HAS(P_SA)) != 0);
		duel_free(&d);
	}
}

static void
offer_more(struct parts *ps)
{
	(void)parts_note(ps, -1, 16438, NULL, 0);	/* INTERMEDIATE_EXCHANGE_SUPPORTED */
	(void)parts_note(ps, -1, 16406, NULL, 0);	/* REDIRECT_SUPPORTED */
	(void)parts_note(ps, -1, 16435, NULL, 0);	/* USE_PPK */
	(void)parts_note(ps, -1, 16434, "\0\5\1", 3);	/* PUZZLE, in a request */
	(void)parts_note(ps, -1, N_SIGNATURE_HASH_ALGORITHMS, "\0\2\0\5", 4);
	(void)parts_note(ps, -1, 16499, "?", 1);
}

/* Negative test 30: what was not negotiated cannot come: it is offered and not taken. */
ATF_TC_WITHOUT_HEAD(n30_not_taken);
ATF_TC_BODY(n30_not_taken, tc)
{
	struct patch	 t = { .exch = X_IKE_SA_INIT, .change = offer_more };
	struct sim	*s = sim_pair(44, "ondemand", "passive", "");
	struct wire_hdr	 h;
	struct wire_msg	 m;
	int		 i;

	t.from = s->n[0];
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 15);
	ATF_REQUIRE_EQ(t.answers, 1);
	ATF_REQUIRE_EQ(wire_hdr_decode(t.ans, t.anslen, &h), 0);
	ATF_REQUIRE_EQ(wire_decode(h.next, t.ans + 28, t.anslen - 28, 28, &m, NULL), WIRE_OK);
	ATF_CHECK(m.has & WIRE_HAS(P_SA));
	for (i = 0; i < m.nnotify; i++)
		ATF_CHECK_MSG(m.notify[i].type < 16406 ||
		    m.notify[i].type == N_CHILDLESS_IKEV2_SUPPORTED ||
		    m.notify[i].type == N_IKEV2_FRAGMENTATION_SUPPORTED ||
		    m.notify[i].type == N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, "%u",
		    m.notify[i].type);
	sim_free(s);
}

/* ---- 32 */

/* Negative test 32: too early, too late, and where ids would begin again.  The same
 * request once more is in t_drop's same_reply and replayed. */
ATF_TC_WITHOUT_HEAD(n32_ids);
ATF_TC_BODY(n32_ids, tc)
{
	static const uint32_t	off[] = { 1, 2, 100, 0x7fffffff, 0x80000000 };
	struct parts		ps = { .n = 0 };
	struct duel		d;
	struct ike_sa		*ike;
	uint8_t			m[MSG_MAX], before[MSG_MAX];
	uint32_t		at = 0, id;
	size_t			i, n, len;
	int			r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 45, "", r);
		for (i = 0; i < 3; i++)
			ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
		id = d.ike->msgid_out;
		for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
			n = duel_seal(&d, X_INFORMATIONAL, 0, id + off[i], &ps, m);
			ATF_CHECK_MSG(duel_dropped(&d, m, n), "%u ahead", off[i]);
		}
		n = duel_seal(&d, X_INFORMATIONAL, 0, id - 2, &ps, m);
		ATF_CHECK(duel_dropped(&d, m, n));
		/* the last one again: the same octets; its id with other octets too */
		memcpy(before, d.raw, d.rawlen);
		len = d.rawlen;
		duel_child(&d, &ps, 0x30000);
		n = duel_seal(&d, X_CREATE_CHILD_SA, 0, id - 1, &ps, m);
		ATF_CHECK_EQ(duel_send(&d, m, n), 1);
		ATF_CHECK(d.rawlen == len && memcmp(d.raw, before, len) == 0);
		ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
		/* the last id there is */
		at = 0;
		ike = slab_walk(&d.good->e->w.ikes, &at, NULL);
		ATF_REQUIRE(ike != NULL);
		ike->msgid_in = UINT32_MAX;
		memset(&ps, 0, sizeof(ps));
		n = duel_seal(&d, X_INFORMATIONAL, 0, UINT32_MAX, &ps, m);
		ATF_CHECK(duel_dropped(&d, m, n));
		n = duel_seal(&d, X_INFORMATIONAL, 0, 0, &ps, m);
		ATF_CHECK(duel_dropped(&d, m, n));
		/* ours ends there, too: nothing is sent */
		ike->msgid_out = UINT32_MAX;
		ATF_CHECK_EQ(duel_provoke(&d, TASK_CHECK), 0);
		duel_free(&d);
	}
}

/* ---- 33 */

/* Negative test 33: our window is one, whatever the peer says of its own. */
ATF_TC_WITHOUT_HEAD(n33_window);
ATF_TC_BODY(n33_window, tc)
{
	static const struct {
		const char	*data;
		size_t		 len;
	} w[] = { { "\0\0\0\0", 4 }, { "\0\0\0\1", 4 }, { "\377\377\377\377", 4 },
	    { "\0\0\0\100", 4 }, { "\0\0\1", 3 }, { "", 0 }, { "\0\0\0\0\0\0\0\1", 8 } };
	struct parts	ps, none = { .n = 0 };
	struct duel	d;
	uint8_t		m[MSG_MAX];
	size_t		i, n;
	int		r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 46, "", r);
		for (i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
			memset(&ps, 0, sizeof(ps));
			(void)parts_note(&ps, -1, N_SET_WINDOW_SIZE, w[i].data, w[i].len);
			ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
			ATF_CHECK_EQ(d.first, P_NONE);
			n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out + 1, &none, m);
			ATF_CHECK(duel_dropped(&d, m, n));
		}
		/* one request at a time from it, too */
		ATF_CHECK_EQ(duel_provoke(&d, TASK_CHECK), 1);
		ATF_CHECK_EQ(duel_provoke(&d, TASK_REKEY_IKE), 0);
		duel_free(&d);
	}
}

/* ---- 34 */

/* Negative test 34: a reply twice, from elsewhere, and when nobody waits any more. */
ATF_TC_WITHOUT_HEAD(n34_late_replies);
ATF_TC_BODY(n34_late_replies, tc)
{
	struct parts		ps = { .n = 0 };
	struct duel		d;
	struct endpoint		far = sim_ep("203.0.113.77", 7777), dst;
	struct show_tunnel	t;
	uint8_t			m[MSG_MAX];
	size_t			n;
	int			r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 47, "", r);
		dst = duel_dst(&d);
		ATF_REQUIRE_EQ(duel_provoke(&d, TASK_CHECK), 1);
		n = duel_seal(&d, X_INFORMATIONAL, 1, d.h.msgid, &ps, m);
		/* from elsewhere: it is authentic, and that is all */
		sim_inject(d.s, &far, &dst, 0, m, n);
		sim_run(d.s, 1);
		ATF_CHECK(duel_dropped(&d, m, n));
		ATF_CHECK(is_dropped(d.good, &far, &dst, 0, m, n));
		ATF_CHECK(sim_tunnel(d.good, r ? "b" : "a", &t) && t.state == SHOW_UP);
		ATF_CHECK_EQ(endpoint_cmp(&t.remote, &d.ike->c.local), 0);
		/* nobody answers this one, and the SA goes; then the answer comes */
		ATF_REQUIRE_EQ(duel_provoke(&d, TASK_CHECK), 1);
		n = duel_seal(&d, X_INFORMATIONAL, 1, d.h.msgid, &ps, m);
		d.bad->cut = 1;
		sim_run(d.s, 40000);
		ATF_CHECK_EQ(sim_established(d.good), 0);
		ATF_CHECK(duel_dropped(&d, m, n));
		ATF_CHECK_EQ(sim_established(d.good), 0);
		duel_free(&d);
	}
}

/* Negative test 34, before AUTH: both replies of the handshake twice, at once and late. */
ATF_TC_WITHOUT_HEAD(n34_handshake);
ATF_TC_BODY(n34_handshake, tc)
{
	struct patch	 t;
	struct sim	*s;
	struct endpoint	 src, dst = sim_ep("192.0.2.1", 500);
	struct node	*a;
	int		 i, k;

	for (i = 0; i < 2; i++) {
		s = sim_pair(48, "ondemand", "passive", "");
		a = s->n[0];
		/* it only listens */
		t = (struct patch){ .from = a, .done = 1 };
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(a, CMD_UP, "b");
		sim_run(s, i ? 35 : 15);
		ATF_REQUIRE(t.answers > 0 && t.ans[18] == (i ? X_IKE_AUTH : X_IKE_SA_INIT));
		s->filter = NULL;
		src = sim_ep("198.51.100.1", 500);
		for (k = 0; k < 3; k++)
			sim_inject(s, &src, &dst, 0, t.ans, t.anslen);
		sim_run(s, 500);
		ATF_CHECK(sim_is_up(a, "b"));
		ATF_CHECK_EQ(sim_count(a, SHOWK_SA), 1);
		ATF_CHECK_EQ(sim_established(a), 1);
		ATF_CHECK_EQ(sim_kernel_count(a), 2);
		sim_run(s, 20000);
		ATF_CHECK(is_dropped(a, &src, &dst, 0, t.ans, t.anslen));
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n28_initiator);
	ATF_TP_ADD_TC(tp, n28_verifying);
	ATF_TP_ADD_TC(tp, n28_finishing);
	ATF_TP_ADD_TC(tp, n29_other_exchanges);
	ATF_TP_ADD_TC(tp, n30_not_taken);
	ATF_TP_ADD_TC(tp, n32_ids);
	ATF_TP_ADD_TC(tp, n33_window);
	ATF_TP_ADD_TC(tp, n34_late_replies);
	ATF_TP_ADD_TC(tp, n34_handshake);
	return (atf_no_error());
}
