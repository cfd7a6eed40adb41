/* SPDX-License-Identifier: ISC */
/* Negative tests 49 to 51: what nobody vouches for, NAT, REDIRECT. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static const uint16_t	*notes;
static int		 nnotes;

static void
errors_only(struct parts *ps)
{
	int	i;

	memset(ps, 0, sizeof(*ps));
	for (i = 0; i < nnotes; i++)
		(void)parts_note(ps, -1, notes[i], NULL, 0);
}

/* Negative test 49, during IKE_SA_INIT: an error is remembered, and a real answer still
 * does it (7296 2.21.1); a request with an error is not answered with anything else. */
ATF_TC_WITHOUT_HEAD(n49_init);
ATF_TC_BODY(n49_init, tc)
{
	static const uint16_t	all[] = { N_INVALID_IKE_SPI, N_INVALID_MAJOR_VERSION,
	    N_INVALID_SYNTAX, N_INVALID_SPI, N_NO_PROPOSAL_CHOSEN, N_AUTHENTICATION_FAILED,
	    N_TEMPORARY_FAILURE, 4711, 9000, 16383 };
	struct patch		 t;
	struct sim		*s;
	struct show_tunnel	 u;
	size_t			 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		notes = &all[i];
		nnotes = 1;
		t = (struct patch){ .exch = X_IKE_SA_INIT, .response = 1,
		    .change = errors_only, .keep = 1 };
		s = sim_pair(90, "ondemand", "passive", "");
		t.from = s->n[1];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 15);
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK_EQ(t.answers, 0);
		ATF_CHECK(sim_tunnel(s->n[0], "b", &u));
		ATF_CHECK_EQ(u.state, SHOW_CONNECTING);
		ATF_CHECK(strstr(u.error, wire_notify_name(all[i])) != NULL);
		sim_run(s, 100);
		ATF_CHECK_MSG(sim_is_up(s->n[0], "b"), "%u", all[i]);
		sim_free(s);
		/* nothing but that: it ends within a few seconds, and says why */
		t = (struct patch){ .exch = X_IKE_SA_INIT, .response = 1,
		    .change = errors_only, .all = 1 };
		s = sim_pair(91, "ondemand", "passive", "");
		t.from = s->n[1];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 3500);
		ATF_CHECK(sim_tunnel(s->n[0], "b", &u));
		ATF_CHECK_EQ(u.state, SHOW_BACKOFF);
		ATF_CHECK(strstr(u.error, wire_notify_name(all[i])) != NULL);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "says"), 2);
		sim_free(s);
	}
}

/* A notify, or a DELETE, without protection, in a message of that SA. */
static size_t
plain_error(struct duel *d, uint8_t exch, int response, uint32_t id, uint16_t type,
    int del, uint8_t m[MSG_MAX])
{
	struct wire_hdr	h = { .major = 2, .exch = exch, .msgid = id };
	struct wire_enc	e;
	struct wbuf	w;

	h.spii = d->ike->c.spii;
	h.spir = d->ike->c.spir;
	h.flags = (uint8_t)((d->ike->c.initiator ? WIRE_F_INITIATOR : 0) |
	    (response ? WIRE_F_RESPONSE : 0));
	wbuf_init(&w, m, MSG_MAX);
	wire_begin(&e, &w, &h);
	if (del)
		wire_put_delete(&e, PROTO_IKE, 0, NULL, 0);
	else
		wire_put_notify(&e, 0, 0, 0, type, NULL, 0);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	return (w.len);
}

/* Negative test 49, after AUTH: from anywhere else, as a request, or a DELETE: nothing at
 * all; an error as a reply from the peer's address: one check, which it passes.  A flood
 * of them is in t_drop's hints. */
ATF_TC_WITHOUT_HEAD(n49_established);
ATF_TC_BODY(n49_established, tc)
{
	static const uint16_t	all[] = { N_INVALID_IKE_SPI, N_INVALID_SPI,
	    N_AUTHENTICATION_FAILED, N_NO_PROPOSAL_CHOSEN, N_INVALID_SYNTAX };
	static const uint8_t	exch[] = { X_INFORMATIONAL, X_CREATE_CHILD_SA };
	struct endpoint		far = sim_ep("203.0.113.5", 500), src, dst;
	struct duel		d;
	struct ike_sa		*ike;
	uint8_t			m[MSG_MAX];
	uint32_t		at;
	uint64_t		before;
	size_t			i, k, n;
	int			r;

	for (r = 0; r < 2; r++)
		for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			duel_start(&d, 92, "", r);
			src = duel_src(&d);
			dst = duel_dst(&d);
			for (k = 0; k < 2; k++) {
				n = plain_error(&d, exch[k], 0, d.ike->msgid_out, all[i], 0, m);
				ATF_CHECK(duel_dropped(&d, m, n));
				n = plain_error(&d, exch[k], 0, d.ike->msgid_out, 0, 1, m);
				ATF_CHECK(duel_dropped(&d, m, n));
				n = plain_error(&d, exch[k], 1, d.ike->msgid_in, 0, 1, m);
				ATF_CHECK(duel_dropped(&d, m, n));
				n = plain_error(&d, exch[k], 1, d.ike->msgid_in, all[i], 0, m);
				ATF_CHECK(is_dropped(d.good, &far, &dst, 0, m, n));
			}
			/* from where the peer is, however often */
			at = 0;
			ike = slab_walk(&d.good->e->w.ikes, &at, NULL);
			before = d.s->datagrams;
			for (k = 0; k < 50; k++)
				sim_inject(d.s, &src, &dst, d.ike->c.encap, m, n);
			sim_run(d.s, 1000);
			ATF_CHECK_EQ_MSG(d.s->datagrams - before, 2, "%ju datagrams",
			    (uintmax_t)(d.s->datagrams - before));
			ATF_CHECK_EQ(sim_log_count(d.good, "checking the peer"), 1);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK_EQ(sim_log_count(d.good, "down:"), 0);
			ATF_CHECK(ike->state == IKE_UP && ike->check_by.us == 0);
			duel_free(&d);
		}
}

/* ---- 50 */

static int natds;

static void
odd_natd(struct parts *ps)
{
	uint8_t	b[24];
	int	i;

	memset(b, 0x77, sizeof(b));
	if (natds == 0) {	/* of 19, 0 and 21 octets beside the good ones */
		(void)parts_note(ps, 0, N_NAT_DETECTION_SOURCE_IP, b, 19);
		(void)parts_note(ps, 0, N_NAT_DETECTION_DESTINATION_IP, b, 0);
		(void)parts_note(ps, 0, N_NAT_DETECTION_DESTINATION_IP, b, 21);
		return;
	}
	for (i = 0; i < natds; i++)	/* hashes of other addresses it may have */
		(void)parts_note(ps, 0, N_NAT_DETECTION_SOURCE_IP, b, 20);
}

/* Negative test 50: NAT-D of another length is none; many are many addresses; more than
 * anybody has are no message. */
ATF_TC_WITHOUT_HEAD(n50_natd);
ATF_TC_BODY(n50_natd, tc)
{
	static const int	n[] = { 0, 5, 100 };
	struct patch		t;
	struct sim		*s;
	struct ike_half		*h;
	struct show_stats	st;
	uint32_t		at;
	size_t			i;

	for (i = 0; i < 3; i++) {
		natds = n[i];
		t = (struct patch){ .exch = X_IKE_SA_INIT, .change = odd_natd };
		s = sim_pair(93, "ondemand", "passive", "");
		t.from = s->n[0];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 5);
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK_EQ(t.answers, natds < 100);
		at = 0;
		h = slab_walk(&s->n[1]->e->w.halves, &at, NULL);
		if (natds < 100)
			ATF_CHECK(h != NULL && !h->c.natt_remote && !h->c.natt_local);
		else
			ATF_CHECK(h == NULL);
		sim_stats(s->n[1], &st);
		ATF_CHECK_EQ(st.rx_bad, natds >= 100);
		sim_free(s);
		/* the same in a reply */
		t = (struct patch){ .exch = X_IKE_SA_INIT, .response = 1, .change = odd_natd };
		s = sim_pair(94, "ondemand", "passive", "");
		t.from = s->n[1];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 15);
		at = 0;
		h = slab_walk(&s->n[0]->e->w.halves, &at, NULL);
		ATF_REQUIRE(h != NULL);
		ATF_CHECK_EQ(t.answers, natds < 100);
		ATF_CHECK_EQ(h->state, natds < 100 ? HALF_AUTH_SENT : HALF_INIT_SENT);
		ATF_CHECK(!h->c.natt_remote && !h->c.natt_local);
		sim_free(s);
	}
}

/* Negative test 50: an old packet from a new address moves nothing, behind a NAT or not; a
 * fresh one moves what is behind a NAT (t_net's nat_moves). */
ATF_TC_WITHOUT_HEAD(n50_replayed);
ATF_TC_BODY(n50_replayed, tc)
{
	struct sim	*s;
	struct endpoint	 dst = sim_ep("198.51.100.1", 4500), far = sim_ep("203.0.113.66", 4500);
	struct ike_sa	*ike, *mine;
	struct child_sa	*c;
	struct endpoint	 before;
	uint8_t		 m[MSG_MAX];
	uint32_t	 at = 0;
	size_t		 n;
	int		 i;

	s = sim_pair(95, "ondemand", "passive", "");
	sim_nat(s->n[0], "203.0.113.1");
	ATF_CHECK(!sim_up(s->n[0], "b"));	/* b knows a's own address only */
	sim_free(s);
	s = sim_new(96);
	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 srcid a.example dstid "
	    "198.51.100.1 psk \"a secret that is long enough\"\n");
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" passive esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer any dstid a.example psk \"a secret that is "
	    "long enough\"\n");
	sim_nat(s->n[0], "203.0.113.1");
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 100);
	ike = slab_walk(&s->n[1]->e->w.ikes, &at, NULL);
	at = 0;
	mine = slab_walk(&s->n[0]->e->w.ikes, &at, NULL);
	at = 0;
	c = slab_walk(&s->n[1]->e->w.childs, &at, NULL);
	ATF_REQUIRE(ike != NULL && mine != NULL && c != NULL && ike->c.natt_remote);
	before = ike->c.remote;
	n = message_seal(&s->n[0]->e->w, &mine->c, X_INFORMATIONAL, 0, mine->msgid_out++,
	    P_NONE, NULL, 0, m);
	sim_inject(s, &before, &dst, 1, m, n);
	sim_run(s, 10);
	for (i = 0; i < 3; i++) {	/* the last one again, and one bent */
		sim_inject(s, &far, &dst, 1, m, n);
		sim_run(s, 10);
		m[n - 1] ^= 1;
		ATF_CHECK_EQ(endpoint_cmp(&ike->c.remote, &before), 0);
		ATF_CHECK_EQ(endpoint_cmp(&c->remote, &before), 0);
	}
	sim_free(s);
}

/* Negative test 50: an octet for the NAT, a marker with nothing behind it. */
ATF_TC_WITHOUT_HEAD(n50_keepalive);
ATF_TC_BODY(n50_keepalive, tc)
{
	struct duel		d;
	struct endpoint		src, dst;
	struct show_stats	a, b;
	struct mark		m;
	int			r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 97, "", r);
		src = duel_src(&d);
		dst = duel_dst(&d);
		/* it was not for us: not even counted */
		sim_stats(d.good, &a);
		mark_take(d.good, &m);
		sim_inject(d.s, &src, &dst, 0, (const uint8_t *)"\377", 1);
		sim_inject(d.s, &src, &dst, 1, (const uint8_t *)"\377", 1);
		sim_run(d.s, 1);
		sim_stats(d.good, &b);
		ATF_CHECK_EQ(memcmp(&a, &b, sizeof(a)), 0);
		ATF_CHECK(is_dropped(d.good, &src, &dst, 1, (const uint8_t *)"", 0));
		ATF_CHECK(is_dropped(d.good, &src, &dst, 0, (const uint8_t *)"\0\0\0\0", 4));
		ATF_CHECK(is_dropped(d.good, &src, &dst, 0, (const uint8_t *)"\376", 1));
		ATF_CHECK(is_dropped(d.good, &src, &dst, 0, (const uint8_t *)"\377\377", 2));
		duel_free(&d);
	}
}

/* ---- 51 */

static void
redirect(struct parts *ps)
{
	static const uint8_t	gw[] = { 1, 4, 203, 0, 113, 9 };

	if (nnotes)
		memset(ps, 0, sizeof(*ps));
	(void)parts_note(ps, 0, 16407, gw, sizeof(gw));		/* REDIRECT */
	(void)parts_note(ps, 0, 16408, gw, sizeof(gw));		/* REDIRECTED_FROM */
}

static int	elsewhere;

static int
redirect_filter(struct sim *s, struct node *from, struct packet *p)
{
	if (from == s->n[0] && p->dst.addr.b[0] != 198)
		elsewhere++;
	return (patch_filter(s, from, p));
}

/* Negative test 51: REDIRECT is not spoken, and so never said to be: who sends one in
 * IKE_SA_INIT, IKE_AUTH or later sends nobody anywhere. */
ATF_TC_WITHOUT_HEAD(n51_redirect);
ATF_TC_BODY(n51_redirect, tc)
{
	static const uint8_t	gw[] = { 1, 4, 203, 0, 113, 9 };
	struct patch	 t;
	struct parts	 ps = { .n = 0 };
	struct duel	 d;
	struct sim	*s;
	int		 i, r;

	for (i = 0; i < 4; i++) {
		nnotes = i & 1;		/* with the payloads that should be there, or alone */
		t = (struct patch){ .exch = i & 2 ? X_IKE_AUTH : X_IKE_SA_INIT,
		    .response = 1, .change = redirect, .all = 1 };
		s = sim_pair(98, "ondemand", "passive", "");
		t.from = s->n[1];
		elsewhere = 0;
		s->filter = redirect_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 30000);
		ATF_CHECK(t.done > 0);
		ATF_CHECK_EQ(elsewhere, 0);
		/* inside IKE_AUTH, beside the rest, it is a status nobody knows */
		ATF_CHECK_EQ(sim_is_up(s->n[0], "b"), i == 2);
		sim_free(s);
	}
	for (r = 0; r < 2; r++) {
		duel_start(&d, 99, "", r);
		memset(&ps, 0, sizeof(ps));
		(void)parts_note(&ps, 0, 16407, gw, sizeof(gw));
		ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
		ATF_CHECK_EQ(d.first, P_NONE);
		ATF_CHECK_EQ(sim_established(d.good), 1);
		duel_free(&d);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n49_init);
	ATF_TP_ADD_TC(tp, n49_established);
	ATF_TP_ADD_TC(tp, n50_natd);
	ATF_TP_ADD_TC(tp, n50_replayed);
	ATF_TP_ADD_TC(tp, n50_keepalive);
	ATF_TP_ADD_TC(tp, n51_redirect);
	return (atf_no_error());
}
