/* SPDX-License-Identifier: ISC */
/*
 * What must not have an effect: messages that are not for us, not now, not again,
 * not before AUTH.  The tests look into engines for keys, as a peer gone bad would
 * have them.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "peer.h"
#include "sim.h"

struct tape {
	struct packet	p[64];
	uint8_t		b[64][2048];
	int		n, stop_at;
};

/* Keeps a copy of every datagram; from stop_at on, swallows them. */
static int
tape_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct tape	*t = s->filter_arg;

	(void)from;
	if (t->n < 64 && p->len <= sizeof(t->b[0])) {
		t->p[t->n] = *p;
		memcpy(t->b[t->n], p->p, p->len);
		t->p[t->n].p = t->b[t->n];
		t->n++;
	}
	return (t->stop_at != 0 && t->n > t->stop_at);
}

static void
replay(struct sim *s, const struct packet *p)
{
	sim_inject(s, &p->src, &p->dst, p->marker, p->p, p->len);
	sim_run(s, 1);
}

/* Negative test 32. */
ATF_TC_WITHOUT_HEAD(replayed);
ATF_TC_BODY(replayed, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct tape	*t = calloc(1, sizeof(*t));
	struct show_stats st;
	uint32_t	 in, out;
	struct show_tunnel u;
	int		 i, n;

	s->filter = tape_filter;
	s->filter_arg = t;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 5000);
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 5000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	in = u.spi_in;
	out = u.spi_out;
	n = t->n;
	ATF_CHECK(n >= 12);
	for (i = 0; i < n; i++)
		replay(s, &t->p[i]);
	for (i = n; i-- > 0;)
		replay(s, &t->p[i]);
	sim_run(s, 60000);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &u));
	ATF_CHECK(u.spi_in == in && u.spi_out == out);
	ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	ATF_CHECK_EQ(sim_established(s->n[1]), 1);
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.half_open, 0);
	free(t);
	sim_free(s);
}

/* The same reply, octet for octet, and the work is not done twice (2.1). Negative test 32. */
ATF_TC_WITHOUT_HEAD(same_reply);
ATF_TC_BODY(same_reply, tc)
{
	struct sim	*s = sim_pair(2, "ondemand", "passive", "");
	struct tape	*t = calloc(1, sizeof(*t));
	uint64_t	 k;

	s->filter = tape_filter;
	s->filter_arg = t;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE_EQ(t->n, 4);
	k = s->n[1]->kreqs;
	replay(s, &t->p[2]);		/* IKE_AUTH request */
	ATF_REQUIRE_EQ(t->n, 5);
	ATF_CHECK_EQ(t->p[4].len, t->p[3].len);
	ATF_CHECK_EQ(memcmp(t->b[4], t->b[3], t->p[3].len), 0);
	ATF_CHECK_EQ(s->n[1]->kreqs, k);
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 15);
	ATF_REQUIRE_EQ(t->n, 7);
	replay(s, &t->p[5]);		/* CREATE_CHILD_SA request */
	ATF_CHECK_EQ(t->n, 8);
	ATF_CHECK_EQ(memcmp(t->b[7], t->b[6], t->p[6].len), 0);
	sim_run(s, 5000);
	ATF_CHECK_EQ(sim_count(s->n[1], SHOWK_SA), 1);
	free(t);
	sim_free(s);
}

/*
 * CREATE_CHILD_SA and INFORMATIONAL with good keys on an SA whose AUTH is not there:
 * dropped, whatever they say (CVE-2026-78135).
 * Negative test 28.
 */
ATF_TC_WITHOUT_HEAD(before_auth);
ATF_TC_BODY(before_auth, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct tape	*t = calloc(1, sizeof(*t));
	struct show_stats st, su;
	struct ike_half	*h;
	uint8_t		 inner[512], msg[MSG_MAX];
	uint8_t		 exch[] = { X_CREATE_CHILD_SA, X_INFORMATIONAL, 43, 44, 38 };
	uint32_t	 at = 0, id;
	size_t		 n, i;
	uint8_t		 first;

	/* everything after IKE_SA_INIT is lost */
	t->stop_at = 2;
	s->filter = tape_filter;
	s->filter_arg = t;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 300);
	at = 0;
	h = slab_walk(&a->e->w.halves, &at, NULL);
	ATF_REQUIRE(h != NULL && h->state == HALF_AUTH_SENT);
	sim_stats(b, &st);
	n = peer_create_child(inner, sizeof(inner), 0x12345678, "10.1.0.0/24", "10.2.0.0/24",
	    &first);
	ATF_REQUIRE(n > 0);
	for (i = 0; i < sizeof(exch); i++)
		for (id = 0; id < 4; id++) {
			size_t	len = message_seal(&a->e->w, &h->c, exch[i], 0, id, first, inner,
			    n, msg);
			struct endpoint	src = sim_ep("192.0.2.1", 500);
			struct endpoint	dst = sim_ep("198.51.100.1", 500);

			ATF_REQUIRE(len > 0);
			sim_inject(s, &src, &dst, 0, msg, len);
			sim_run(s, 1);
		}
	sim_stats(b, &su);
	ATF_CHECK_EQ(su.rx_dropped - st.rx_dropped, sizeof(exch) * 4);
	ATF_CHECK_EQ(sim_count(b, SHOWK_SA), 0);
	ATF_CHECK_EQ(sim_kernel_count(b), 0);
	ATF_CHECK_EQ(b->kreqs, 0);
	/* and the right packet still completes it */
	t->stop_at = 0;
	sim_run(s, 5000);
	ATF_CHECK(sim_is_up(b, "a"));
	free(t);
	sim_free(s);
}

/* A hundred altered IKE_AUTHs are dropped; the right one still does it. Negative test 22. */
ATF_TC_WITHOUT_HEAD(altered_auth);
ATF_TC_BODY(altered_auth, tc)
{
	struct sim	*s = sim_pair(4, "ondemand", "passive", "");
	struct tape	*t = calloc(1, sizeof(*t));
	struct packet	 p;
	uint8_t		 b[2048];
	int		 i;

	t->stop_at = 2;
	s->filter = tape_filter;
	s->filter_arg = t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 100);
	ATF_REQUIRE(t->n >= 3);
	for (i = 0; i < 100; i++) {
		p = t->p[2];
		memcpy(b, t->b[2], p.len);
		b[32 + (unsigned int)i % (p.len - 32)] ^= 0x01;
		p.p = b;
		replay(s, &p);
	}
	ATF_CHECK(!sim_is_up(s->n[1], "a"));
	replay(s, &t->p[2]);
	sim_run(s, 10);
	ATF_CHECK(sim_is_up(s->n[1], "a"));
	free(t);
	sim_free(s);
}

/* Unprotected errors and made-up deletes do nothing but ask. Negative test 49. */
ATF_TC_WITHOUT_HEAD(hints);
ATF_TC_BODY(hints, tc)
{
	static const uint16_t	 types[] = { N_INVALID_IKE_SPI, N_AUTHENTICATION_FAILED,
	    N_NO_PROPOSAL_CHOSEN, N_INVALID_SPI, N_INVALID_SYNTAX, N_INITIAL_CONTACT };
	struct sim		*s = sim_pair(5, "ondemand", "passive", "");
	struct node		*a = s->n[0];
	struct ike_sa		*ike;
	struct endpoint		 src = sim_ep("198.51.100.1", 500);
	struct endpoint		 dst = sim_ep("192.0.2.1", 500);
	struct wire_hdr		 h;
	struct wire_enc		 e;
	struct wbuf		 w;
	uint8_t			 buf[256];
	uint32_t		 at = 0;
	uint64_t		 before;
	int			 i, k;

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 20000);
	ike = slab_walk(&a->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	before = s->datagrams;
	for (k = 0; k < 200; k++)
		for (i = 0; i < 6; i++) {
			memset(&h, 0, sizeof(h));
			h.spii = ike->c.spii;
			h.spir = ike->c.spir;
			h.major = 2;
			h.exch = (uint8_t)(k & 1 ? X_INFORMATIONAL : X_CREATE_CHILD_SA);
			h.flags = (uint8_t)(k & 2 ? WIRE_F_RESPONSE : 0);
			h.msgid = (uint32_t)(k % 5);
			wbuf_init(&w, buf, sizeof(buf));
			wire_begin(&e, &w, &h);
			wire_put_notify(&e, 0, 0, 0, types[i], NULL, 0);
			if (k % 3 == 0)
				wire_put_delete(&e, PROTO_IKE, 0, NULL, 0);
			ATF_REQUIRE_EQ(wire_end(&e), 0);
			sim_inject(s, &src, &dst, 0, buf, w.len);
			sim_run(s, 10);
		}
	sim_run(s, 5000);
	ATF_CHECK(sim_is_up(a, "b"));
	ATF_CHECK_EQ(sim_log_count(a, "down:"), 0);
	/* one check in ten seconds at the most, and their answers */
	ATF_CHECK_MSG(s->datagrams - before <= 8, "%ju", (uintmax_t)(s->datagrams - before));
	sim_free(s);
}

/* Negative test 3: an old protocol, once a minute in the log, and no answer: what does not
 * speak IKEv2 cannot read one. */
ATF_TC_WITHOUT_HEAD(ikev1);
ATF_TC_BODY(ikev1, tc)
{
	struct sim	*s = sim_pair(6, "ondemand", "passive", "");
	struct endpoint	 src = sim_ep("198.51.100.1", 500), dst = sim_ep("192.0.2.1", 500);
	struct tape	*t = calloc(1, sizeof(*t));
	struct show_stats st;
	struct show_tunnel r;
	uint8_t		 m[28] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	int		 i;

	s->filter = tape_filter;
	s->filter_arg = t;
	m[16] = 1;
	m[17] = 0x10;
	m[18] = 2;
	m[27] = 28;
	for (i = 0; i < 50; i++) {
		sim_inject(s, &src, &dst, 0, m, sizeof(m));
		sim_run(s, 10);
	}
	ATF_CHECK_EQ(sim_log_count(s->n[0], "peer 198.51.100.1: peer speaks IKEv1; on "
	    "RouterOS set exchange-mode=ike2"), 1);
	ATF_CHECK_EQ(t->n, 0);
	sim_run(s, 61000);
	sim_inject(s, &src, &dst, 0, m, sizeof(m));
	sim_run(s, 10);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "peer speaks IKEv1"), 2);
	sim_stats(s->n[0], &st);
	ATF_CHECK_EQ(st.ikev1, 51);
	/* the tunnel says so, until the peer speaks IKEv2 */
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &r));
	ATF_CHECK_EQ(r.reason, WHY_IKEV1);
	ATF_CHECK(strstr(r.error, "peer 198.51.100.1 calls with IKEv1") != NULL);
	s->filter = NULL;
	ATF_CHECK(sim_up(s->n[0], "b") >= 0);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &r));
	ATF_CHECK_EQ(r.reason, WHY_NONE);
	free(t);
	sim_free(s);
}

/* A critical payload nobody knows: refused in the reply, the SA stands. */
ATF_TC_WITHOUT_HEAD(critical);
ATF_TC_BODY(critical, tc)
{
	struct sim	*s = sim_pair(7, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct ike_sa	*ike;
	struct tape	*t = calloc(1, sizeof(*t));
	struct endpoint	 src = sim_ep("192.0.2.1", 500), dst = sim_ep("198.51.100.1", 500);
	const uint8_t	 inner[8] = { 0, 0x80, 0, 8, 1, 2, 3, 4 };
	uint8_t		 msg[MSG_MAX];
	uint32_t	 at = 0;
	size_t		 n;

	ATF_REQUIRE(sim_up(a, "b"));
	ike = slab_walk(&a->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	s->filter = tape_filter;
	s->filter_arg = t;
	n = message_seal(&a->e->w, &ike->c, X_INFORMATIONAL, 0, ike->msgid_out, 200, inner,
	    sizeof(inner), msg);
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 1);
	ATF_CHECK_EQ(t->n, 1);
	ATF_CHECK_EQ(sim_established(b), 1);
	ATF_CHECK(sim_is_up(b, "a"));
	free(t);
	sim_free(s);
}

/* The Children of one peer are out of another's reach. Negative test 44. */
ATF_TC_WITHOUT_HEAD(strangers);
ATF_TC_BODY(strangers, tc)
{
	struct sim	*s = sim_new(8);
	struct node	*hub, *a, *c;
	struct ike_sa	*ike = NULL;
	struct show_tunnel u;
	struct endpoint	 src = sim_ep("192.0.2.9", 500), dst = sim_ep("198.51.100.1", 500);
	uint8_t		 inner[64], msg[MSG_MAX];
	struct wire_enc	 e;
	struct wbuf	 w;
	uint64_t	 spi;
	uint32_t	 at = 0;
	size_t		 n;

	hub = sim_node(s, "hub", "198.51.100.1",
	    "ikev2 \"a\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer "
	    "192.0.2.1 psk \"a secret that is long enough\"\n"
	    "ikev2 \"c\" esp from 10.2.0.0/24 to 10.3.0.0/24 local 198.51.100.1 peer "
	    "192.0.2.9 psk \"another secret, also long\"\n");
	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"h\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long "
	    "enough\"\n");
	c = sim_node(s, "c", "192.0.2.9", "ikev2 \"h\" ondemand esp from 10.3.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.9 peer 198.51.100.1 psk \"another secret, also "
	    "long\"\n");
	ATF_REQUIRE(sim_up(a, "h") && sim_up(c, "h"));
	sim_run(s, 100);
	ATF_REQUIRE(sim_tunnel(a, "h", &u));
	ike = slab_walk(&c->e->w.ikes, &at, NULL);
	ATF_REQUIRE(ike != NULL);
	wbuf_init(&w, inner, sizeof(inner));
	wire_inner_begin(&e, &w);
	spi = u.spi_in;
	wire_put_delete(&e, PROTO_ESP, 4, &spi, 1);
	wire_put_notify(&e, 0, 0, 0, N_INITIAL_CONTACT, NULL, 0);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	n = message_seal(&c->e->w, &ike->c, X_INFORMATIONAL, 0, ike->msgid_out++, e.first,
	    inner, w.len, msg);
	sim_inject(s, &src, &dst, 0, msg, n);
	sim_run(s, 5000);
	ATF_CHECK(sim_is_up(hub, "a") && sim_is_up(hub, "c"));
	ATF_CHECK(sim_is_up(a, "h"));
	/* c's tunnel may not be widened to a's net either */
	n = peer_create_child(inner, 0, 0, "10.1.0.0/24", "10.2.0.0/24", &msg[0]);
	ATF_CHECK_EQ(n, 0);
	sim_free(s);
}

/* A flood from made-up addresses leaves nothing behind. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	struct sim	*s = sim_pair(9, "ondemand", "passive", "");
	struct tape	*t = calloc(1, sizeof(*t));
	struct endpoint	 src, dst = sim_ep("198.51.100.1", 500);
	struct show_stats st;
	uint8_t		 b[2048];
	int		 i;

	s->filter = tape_filter;
	s->filter_arg = t;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	memcpy(b, t->b[0], t->p[0].len);
	s->filter = NULL;
	for (i = 0; i < 2000; i++) {
		src = sim_ep("203.0.113.1", (uint16_t)(1024 + i));
		src.addr.b[3] = (uint8_t)i;
		b[3] = (uint8_t)i;
		b[4] = (uint8_t)(i >> 8);
		sim_inject(s, &src, &dst, 0, b, t->p[0].len);
		/* and from the peer's own address */
		src = sim_ep("192.0.2.1", (uint16_t)(1024 + i));
		sim_inject(s, &src, &dst, 0, b, t->p[0].len);
		sim_run(s, 1);
	}
	sim_stats(s->n[1], &st);
	ATF_CHECK_MSG(st.half_open <= 16, "%ju half-open", (uintmax_t)st.half_open);
	ATF_CHECK(sim_is_up(s->n[1], "a"));
	sim_run(s, 40000);
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.half_open, 0);
	free(t);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, replayed);
	ATF_TP_ADD_TC(tp, same_reply);
	ATF_TP_ADD_TC(tp, before_auth);
	ATF_TP_ADD_TC(tp, altered_auth);
	ATF_TP_ADD_TC(tp, hints);
	ATF_TP_ADD_TC(tp, ikev1);
	ATF_TP_ADD_TC(tp, critical);
	ATF_TP_ADD_TC(tp, strangers);
	ATF_TP_ADD_TC(tp, flood);
	return (atf_no_error());
}
