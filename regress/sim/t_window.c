/* SPDX-License-Identifier: ISC */
/*
 * Windows and message ids (RFC 7296 2.2, 2.3), and what a peer complains of inside an IKE
 * SA: INVALID_MESSAGE_ID and INVALID_SPI.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "sim.h"

/* What no window is, and what one is: nothing, as long as one request is out at a time. */
static const struct { size_t n; uint8_t b[8]; } sizes[] = {
	{ 4, { 0, 0, 0, 0 } }, { 4, { 0xff, 0xff, 0xff, 0xff } }, { 4, { 0, 0, 0, 8 } },
	{ 4, { 0, 0, 0, 2 } }, { 4, { 0, 0, 0, 1 } }, { 3, { 0, 0, 1 } }, { 0, { 0 } },
	{ 5, { 0, 0, 0, 1, 0 } },
};
#define NSIZES	(sizeof(sizes) / sizeof(sizes[0]))

static int	 size;		/* of patch_filter(), which has no argument to spare */

static void
say_size(struct parts *ps)
{
	(void)parts_note(ps, -1, N_SET_WINDOW_SIZE, sizes[size].b, sizes[size].n);
}

/* In IKE_AUTH, where it belongs: the tunnel comes up and works. */
static void
in_auth(int response)
{
	struct patch	 t;
	struct sim	*s;

	for (size = 0; size < (int)NSIZES; size++) {
		s = sim_pair(1, "ondemand", "passive", "");
		memset(&t, 0, sizeof(t));
		t.from = s->n[response];
		t.exch = X_IKE_AUTH;
		t.response = response;
		t.change = say_size;
		s->filter = patch_filter;
		s->filter_arg = &t;
		ATF_CHECK_MSG(sim_up(s->n[0], "b"), "size %d", size);
		ATF_CHECK(t.done > 0);
		sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
		sim_run(s, 100);
		ATF_CHECK_EQ(s->n[0]->got, 5);
		sim_free(s);
	}
}

/* Requests that good has out at once, at most. */
struct out {
	struct node	*of;
	uint32_t	 ids[64];
	int		 n, held;
};

static int
out_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct out	*o = s->filter_arg;
	struct wire_hdr	 h;
	int		 i;

	if (from != o->of || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    (h.flags & WIRE_F_RESPONSE))
		return (0);
	for (i = 0; i < o->n; i++)
		if (o->ids[i] == h.msgid)
			return (1);
	if (o->n < 64)
		o->ids[o->n++] = h.msgid;
	return (1);		/* never answered */
}

/* Negative test 33. */
ATF_TC_WITHOUT_HEAD(n33_window);
ATF_TC_BODY(n33_window, tc)
{
	struct parts	ps;
	struct duel	d;
	struct out	o;
	uint8_t		m[2][MSG_MAX];
	size_t		n[2];
	int		r;

	in_auth(0);
	in_auth(1);
	for (r = 0; r < 2; r++) {
		duel_start(&d, 2, "", r);
		/* grown, shrunk, and all that is no size: all answered, none believed */
		for (size = 0; size < (int)NSIZES; size++) {
			memset(&ps, 0, sizeof(ps));
			say_size(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
			ATF_CHECK_EQ(d.first, P_NONE);
			ATF_CHECK_EQ(sim_established(d.good), 1);
		}
		/* bad's own window is one: the second of two waits for the first */
		memset(&ps, 0, sizeof(ps));
		n[0] = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, m[0]);
		n[1] = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out + 1, &ps, m[1]);
		ATF_CHECK(duel_dropped(&d, m[1], n[1]));
		ATF_CHECK_EQ(duel_send(&d, m[0], n[0]), 1);
		ATF_CHECK_EQ(duel_send(&d, m[1], n[1]), 1);
		/* the one before the last is forgotten, the last said again */
		ATF_CHECK(duel_dropped(&d, m[0], n[0]));
		ATF_CHECK_EQ(duel_send(&d, m[1], n[1]), 1);
		/* good has one request out, however many it would like */
		memset(&o, 0, sizeof(o));
		o.of = d.good;
		d.s->filter = out_filter;
		d.s->filter_arg = &o;
		sim_cmd(d.good, CMD_REKEY, d.good->idx == 0 ? "b" : "a");
		sim_run(d.s, 500);
		sim_cmd(d.good, CMD_DOWN, d.good->idx == 0 ? "b" : "a");
		sim_run(d.s, 500);
		ATF_CHECK_EQ(o.n, 1);
		duel_free(&d);
	}
}

/* INVALID_MESSAGE_ID is answered, said, and changes nothing. */
ATF_TC_WITHOUT_HEAD(invalid_message_id);
ATF_TC_BODY(invalid_message_id, tc)
{
	static const size_t	 len[] = { 4, 0, 3, 200 };
	static uint8_t		 data[200];
	struct parts		 ps;
	struct duel		 d;
	size_t			 i;

	duel_start(&d, 3, "", 0);
	for (i = 0; i < 4; i++) {
		memset(&ps, 0, sizeof(ps));
		(void)parts_note(&ps, -1, N_INVALID_MESSAGE_ID, data, len[i]);
		ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
		ATF_CHECK_EQ(d.first, P_NONE);
	}
	ATF_CHECK_EQ(sim_log_count(d.good, "the peer says INVALID_MESSAGE_ID"), 4);
	ATF_CHECK_EQ(sim_established(d.good), 1);
	ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
	duel_free(&d);
}

static struct child_sa *
child_of(struct node *n)
{
	uint32_t	 at = 0;
	struct child_sa	*c = slab_walk(&n->e->w.childs, &at, NULL);

	ATF_REQUIRE(c != NULL);
	return (c);
}

static int
complain(struct duel *d, uint32_t spi, size_t len)
{
	struct parts	ps;
	struct wbuf	b;
	uint8_t		data[8] = { 0 };

	wbuf_init(&b, data, sizeof(data));
	wbuf_u32(&b, spi);
	memset(&ps, 0, sizeof(ps));
	(void)parts_note(&ps, -1, N_INVALID_SPI, data, len);
	return (duel_ask(d, X_INFORMATIONAL, &ps));
}

/* Not a Child of ours, or no SPI, or a Child so young that packets crossed: nothing. */
ATF_TC_WITHOUT_HEAD(invalid_spi_idle);
ATF_TC_BODY(invalid_spi_idle, tc)
{
	struct child_sa	*c;
	struct duel	 d;
	uint32_t	 in, out;

	duel_start(&d, 4, "", 0);
	c = child_of(d.good);
	in = c->spi_in;
	out = c->spi_out;
	c->born = d.s->now;
	ATF_CHECK_EQ(complain(&d, out, 4), 1);
	sim_run(d.s, 11000);
	ATF_CHECK_EQ(child_of(d.good)->spi_out, out);
	ATF_CHECK_EQ(complain(&d, in, 4), 1);
	ATF_CHECK_EQ(complain(&d, 0, 4), 1);
	ATF_CHECK_EQ(complain(&d, out, 3), 1);
	ATF_CHECK_EQ(complain(&d, out, 5), 1);
	ATF_CHECK_EQ(complain(&d, out, 0), 1);
	ATF_CHECK(child_of(d.good)->spi_out == out && !child_of(d.good)->want_rekey);
	ATF_CHECK_EQ(sim_log_count(d.good, "INVALID_SPI"), 0);
	duel_free(&d);
}

/* The peer has lost it, or says so: it is renewed, and a peer that says it all the time
 * has a new one each ten seconds at most. */
ATF_TC_WITHOUT_HEAD(invalid_spi);
ATF_TC_BODY(invalid_spi, tc)
{
	struct child_sa	*c;
	struct duel	 d;
	uint32_t	 out;
	int		 i, n;

	duel_start(&d, 5, "", 0);
	d.s->filter = NULL;
	sim_run(d.s, 11000);
	c = child_of(d.good);
	out = c->spi_out;
	(void)complain(&d, out, 4);
	d.s->filter = NULL;
	sim_run(d.s, 2000);
	ATF_CHECK(sim_logged(d.good, "it has lost the Child SA, which is renewed"));
	ATF_CHECK(sim_is_up(d.good, d.good->idx == 0 ? "b" : "a"));
	ATF_CHECK(sim_mirror(d.s->n[0], d.s->n[1], "b", "a"));
	ATF_CHECK(child_of_tunnel(&d.good->e->w, 0)->spi_out != out);
	sim_traffic(d.s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
	sim_run(d.s, 100);
	ATF_CHECK_EQ(d.s->n[0]->got, 5);
	n = sim_log_count(d.good, "which is renewed");
	for (i = 0; i < 30; i++) {
		(void)complain(&d, child_of_tunnel(&d.good->e->w, 0)->spi_out, 4);
		d.s->filter = NULL;
		sim_run(d.s, 1000);
	}
	n = sim_log_count(d.good, "which is renewed") - n;
	ATF_CHECK_MSG(n >= 2 && n <= 3, "%d times", n);
	duel_free(&d);
}

/* It really has: the rekey finds no Child there, and there is a new one. */
ATF_TC_WITHOUT_HEAD(lost_child);
ATF_TC_BODY(lost_child, tc)
{
	struct sim	*s = sim_pair(6, "active", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];
	struct ike_sa	*ike;
	uint8_t		 m[MSG_MAX], inner[64];
	struct endpoint	 src = sim_ep("198.51.100.1", 500), dst = sim_ep("192.0.2.1", 500);
	struct wire_enc	 e;
	struct wbuf	 w;
	uint32_t	 at = 0, spi;
	size_t		 n;
	uint8_t		 data[4];

	sim_run(s, 15000);
	ATF_REQUIRE(sim_is_up(a, "b"));
	spi = child_of(a)->spi_out;
	child_remove(&b->e->w, child_of(b), WHY_NONE, NULL);
	ATF_REQUIRE((ike = slab_walk(&b->e->w.ikes, &at, NULL)) != NULL);
	wbuf_init(&w, data, sizeof(data));
	wbuf_u32(&w, spi);
	wbuf_init(&w, inner, sizeof(inner));
	wire_inner_begin(&e, &w);
	wire_put_notify(&e, PROTO_NONE, 0, 0, N_INVALID_SPI, data, sizeof(data));
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	n = message_seal(&b->e->w, &ike->c, X_INFORMATIONAL, 0, ike->msgid_out++, e.first,
	    inner, w.len, m);
	sim_inject(s, &src, &dst, 0, m, n);
	sim_run(s, 3000);
	ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
	ATF_CHECK(sim_mirror(a, b, "b", "a"));
	ATF_CHECK(sim_agree(a) && sim_agree(b));
	ATF_CHECK_EQ(sim_established(a), 1);
	sim_traffic(a, "10.1.0.5", "10.2.0.7", 500, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(a->got, 5);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n33_window);
	ATF_TP_ADD_TC(tp, invalid_message_id);
	ATF_TP_ADD_TC(tp, invalid_spi_idle);
	ATF_TP_ADD_TC(tp, invalid_spi);
	ATF_TP_ADD_TC(tp, lost_child);
	return (atf_no_error());
}
