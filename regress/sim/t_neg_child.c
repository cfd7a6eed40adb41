/* SPDX-License-Identifier: ISC */
/* Negative tests 43 to 45, 47 and 48: Children, selectors, deletes, rekeys, INITIAL_CONTACT. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

/* ---- 43 */

/* A TSi of one v4 selector, 10.<net>.0.0/24 unless bent. */
static size_t
ts_body(uint8_t *b, int k, uint8_t net)
{
	size_t	i;

	memset(b, 0, 8192);
	b[0] = 1;
	b[4] = 7;
	b[7] = 16;
	b[10] = b[11] = 0xff;
	memcpy(b + 12, (const uint8_t[]){ 10, net, 0, 0, 10, net, 0, 255 }, 8);
	switch (k) {
	case 0:		/* start > end */
		b[14] = 1;
		break;
	case 1:		/* of an unknown type */
		b[4] = 99;
		break;
	case 2:		/* FC, SECLABEL */
		b[4] = 10;
		break;
	case 3:		/* ports that are none: OPAQUE is 65535-0 */
		b[8] = 1;
		b[10] = 0;
		break;
	case 4:		/* none at all */
		b[0] = 0;
		return (4);
	case 5:		/* a port without a protocol */
		b[9] = 22;
		b[10] = 0;
		b[11] = 22;
		break;
	case 6:		/* another net */
		b[12] = b[16] = 11;
		break;
	/* malformed from here on */
	case 7:		/* as long as one of IPv6 */
		b[7] = 40;
		break;
	case 8:
		b[7] = 40;
		return (44);
	case 9:		/* counts that lie */
		b[0] = 2;
		break;
	case 10:
		b[0] = 255;
		break;
	case 11:
		b[0] = 0;
		break;
	case 12:
		b[7] = 3;
		break;
	case 13:
		b[6] = 0xff;
		break;
	case 14:
		b[4] = 8;
		break;
	case 15:
		return (3);
	case 16:	/* 255 of them: more than anybody keeps, and each is ours */
		b[0] = 255;
		for (i = 1; i < 255; i++)
			memcpy(b + 4 + i * 16, b + 4, 16);
		return (4 + 255 * 16);
	case 17:	/* OPAQUE */
		b[8] = b[9] = 0xff;
		b[10] = b[11] = 0;
		break;
	default:	/* good */
		break;
	}
	return (20);
}

static void
put_ts(struct parts *ps, uint8_t which, int k, int net)
{
	uint8_t	b[8192];
	size_t	n = ts_body(b, k, (uint8_t)net);

	part_set(ps, parts_find(ps, which, 0), b, n);
}

/* Negative test 43: a selector that selects nothing is skipped; none left:
 * TS_UNACCEPTABLE; a broken one: malformed. */
ATF_TC_WITHOUT_HEAD(n43_selectors);
ATF_TC_BODY(n43_selectors, tc)
{
	static const uint8_t	both[] = { P_TSI, P_TSR };
	struct parts		ps;
	struct duel		d;
	int			i, k, r, net;

	for (k = 0; k <= 18; k++)
		for (i = 0; i < 2; i++)
			for (r = 0; r < 2; r++) {
				duel_start(&d, 80, "", r);
				duel_child(&d, &ps, 0x20000);
				/* 1 is behind the first node, 2 behind the other */
				net = (both[i] == P_TSI) == (r == 0) ? 1 : 2;
				put_ts(&ps, both[i], k, net);
				ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
				if (k <= 6)
					ATF_CHECK_MSG(duel_says(&d, N_TS_UNACCEPTABLE, 1),
					    "case %d", k);
				else if (k < 16)
					ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0),
					    "case %d", k);
				else
					ATF_CHECK_MSG(d.m.has & WIRE_HAS(P_SA), "case %d", k);
				ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA),
				    k <= 6 ? 1 : k < 16 ? 0 : 2);
				duel_free(&d);
			}
}

/* What good asks for, answered with the same but for one payload. */
static void
answer_with(struct duel *d, struct parts *ps, int r, enum task t)
{
	/* one transform of a type, so that the offer is an answer, too */
	duel_start(d, 81, "ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519 childsa enc "
	    "aes-256-gcm group none", r);
	ATF_REQUIRE_EQ(duel_provoke(d, t), 1);
	parts_read(ps, d->first, d->plain, d->len);
	parts_del(ps, P_N);
}

/* Negative test 43: an answer that is wider than what was asked for, or that cannot be
 * read to its end: no Child, and the peer's is deleted. */
ATF_TC_WITHOUT_HEAD(n43_wider);
ATF_TC_BODY(n43_wider, tc)
{
	static const uint8_t	both[] = { P_TSI, P_TSR };
	struct parts		ps;
	struct duel		d;
	uint8_t			b[64];
	int			i, k, r;

	for (i = 0; i < 2; i++)
		for (k = 0; k < 5; k++)
			for (r = 0; r < 2; r++) {
				answer_with(&d, &ps, r, TASK_REKEY_CHILD);
				memcpy(b, parts_find(&ps, both[i], 0)->body, 20);
				switch (k) {
				case 0:		/* one address more */
					b[19] = 0;
					b[18]++;
					break;
				case 1:		/* everything */
					memset(b + 12, 0, 4);
					memset(b + 16, 0xff, 4);
					break;
				case 2:		/* elsewhere */
					b[12] = b[16] = 11;
					break;
				case 3:		/* and one that nobody can read */
					b[0] = 2;
					memcpy(b + 20, "\143\0\0\4", 4);
					break;
				default:	/* nothing */
					b[0] = 0;
					break;
				}
				part_set(&ps, parts_find(&ps, both[i], 0), b,
				    k == 3 ? 24 : k == 4 ? 4 : 20);
				(void)duel_reply(&d, &ps);
				ATF_CHECK(sim_logged(d.good, "rekeying failed: its traffic "
				    "selectors are wider than ours"));
				ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
				ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
				ATF_CHECK(d.first == P_D && d.m.del[0].proto == PROTO_ESP);
				duel_free(&d);
			}
}

/* ---- 44 */

/* Negative test 44: deletes that are malformed end the SA, deletes of what is not there do
 * nothing.  Those of another peer's SA are in t_drop's strangers. */
ATF_TC_WITHOUT_HEAD(n44_deletes);
ATF_TC_BODY(n44_deletes, tc)
{
	static const struct {
		const char	*b;
		size_t		 n;
		int		 bad;
	} dels[] = {
		{ "\3\3\0\1\1\2\3", 7, 1 },			/* SPI size 3 */
		{ "\3\4\0\2\1\2\3\4", 8, 1 },			/* counts that lie */
		{ "\3\4\0\0\1\2\3\4", 8, 1 },
		{ "\3\4\377\377\1\2\3\4", 8, 1 },
		{ "\1\0\0\1", 4, 1 },				/* an IKE SA, with SPIs */
		{ "\1\10\0\1\1\2\3\4\5\6\7\10", 12, 1 },
		{ "\1\10\0\0", 4, 1 },
		{ "\7\4\0\1\1\2\3\4", 8, 1 },			/* of what? */
		{ "\3\4\0", 3, 1 },
		{ "\3\4\0\1\1\2\3\4", 8, 0 },			/* unknown */
		{ "\2\4\0\1\1\2\3\4", 8, 0 },			/* AH */
		{ "\3\4\0\0", 4, 0 },				/* nothing */
		{ "\3\4\0\3\0\0\0\0\0\0\0\1\377\377\377\377", 16, 0 },
	};
	struct parts	ps;
	struct duel	d;
	size_t		i;
	int		r;

	for (i = 0; i < sizeof(dels) / sizeof(dels[0]); i++)
		for (r = 0; r < 2; r++) {
			duel_start(&d, 82, "", r);
			memset(&ps, 0, sizeof(ps));
			(void)parts_add(&ps, -1, P_D, dels[i].b, dels[i].n);
			ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
			if (dels[i].bad)
				ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0), "case %zu",
				    i);
			else {
				ATF_CHECK_EQ(d.first, P_NONE);
				ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
				ATF_CHECK_EQ(sim_established(d.good), 1);
			}
			duel_free(&d);
		}
}

/* ---- 45 */

/* Negative test 45: rekeying what is not there, or not this peer's, is
 * CHILD_SA_NOT_FOUND; an SPI below 256 is no SPI. */
ATF_TC_WITHOUT_HEAD(n45_rekey);
ATF_TC_BODY(n45_rekey, tc)
{
	static const uint8_t	re[][12] = {
		{ 3, 4, 0x40, 9, 1, 2, 3, 4 },		/* unknown */
		{ 3, 4, 0x40, 9, 0, 0, 0, 0 },
		{ 2, 4, 0x40, 9, 1, 2, 3, 4 },		/* AH */
		{ 3, 0, 0x40, 9 },			/* none named */
		{ 1, 8, 0x40, 9, 1, 2, 3, 4, 5, 6, 7, 8 },
	};
	static const uint32_t	spis[] = { 0, 1, 255 };
	struct parts	ps;
	struct duel	d;
	struct child_sa	*c;
	uint8_t		b[12];
	uint32_t	at;
	size_t		i;
	int		r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 83, "", r);
		for (i = 0; i < 6; i++) {
			duel_child(&d, &ps, 0x20000);
			if (i < 5)
				memcpy(b, re[i], 12);
			else {	/* our inbound SPI instead of its own */
				at = 0;
				c = slab_walk(&d.good->e->w.childs, &at, NULL);
				memcpy(b, re[0], 12);
				b[4] = (uint8_t)(c->spi_in >> 24);
				b[5] = (uint8_t)(c->spi_in >> 16);
				b[6] = (uint8_t)(c->spi_in >> 8);
				b[7] = (uint8_t)c->spi_in;
			}
			(void)parts_add(&ps, 0, P_N, b, 4U + b[1]);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK_MSG(duel_says(&d, N_CHILD_SA_NOT_FOUND, 1), "case %zu", i);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
		}
		for (i = 0; i < 3; i++) {
			duel_child(&d, &ps, spis[i]);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK(duel_says(&d, N_NO_PROPOSAL_CHOSEN, 1));
		}
		duel_free(&d);
		/* in an answer: no Child of it */
		for (i = 0; i < 3; i++) {
			answer_with(&d, &ps, r, TASK_REKEY_CHILD);
			memcpy(parts_find(&ps, P_SA, 0)->body + 8,
			    (const uint8_t[]){ 0, 0, 0, (uint8_t)spis[i] }, 4);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
			ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
			duel_free(&d);
			/* nor an IKE SA whose SPI is 0 */
			answer_with(&d, &ps, r, TASK_REKEY_IKE);
			memset(parts_find(&ps, P_SA, 0)->body + 8, 0, 8);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK(sim_logged(d.good, "rekeying the IKE SA failed"));
			duel_free(&d);
		}
	}
}

/* Negative test 45: another peer's Child, whose SPI it may know. */
ATF_TC_WITHOUT_HEAD(n45_strangers);
ATF_TC_BODY(n45_strangers, tc)
{
	struct sim	*s = sim_new(84);
	struct node	*hub, *a, *c;
	struct show_tunnel u, before;
	struct duel	 d;
	struct parts	 ps;
	uint8_t		 b[8] = { 3, 4, 0x40, 9 };
	uint32_t	 at = 0, spi;

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
	memset(&d, 0, sizeof(d));
	d.s = s;
	d.bad = c;
	d.good = hub;
	d.ike = slab_walk(&c->e->w.ikes, &at, NULL);
	ATF_REQUIRE(sim_tunnel(hub, "a", &before));
	spi = before.spi_out;
	b[4] = (uint8_t)(spi >> 24);
	b[5] = (uint8_t)(spi >> 16);
	b[6] = (uint8_t)(spi >> 8);
	b[7] = (uint8_t)spi;
	/* for its own net, and for a's */
	duel_child(&d, &ps, 0x20000);
	(void)parts_add(&ps, 0, P_N, b, 8);
	ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
	ATF_CHECK(d.m.nnotify == 1 && d.m.notify[0].type == N_CHILD_SA_NOT_FOUND);
	parts_del(&ps, P_N);
	ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
	ATF_CHECK(d.m.nnotify == 1 && d.m.notify[0].type == N_TS_UNACCEPTABLE);
	ATF_CHECK(sim_tunnel(hub, "a", &u) && u.state == SHOW_UP &&
	    u.spi_in == before.spi_in && u.spi_out == before.spi_out);
	ATF_CHECK_EQ(sim_kernel_count(hub), 4);
	sim_free(s);
}

/* ---- 47 */

struct never {
	struct duel	d;
	uint16_t	notify;
	int		asked;
	int64_t		last_us, shortest_us;
};

/* Each CREATE_CHILD_SA of good gets that error, everything else its answer. */
static int
never_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct never	*v = s->filter_arg;
	struct wire_hdr	 h;
	struct parts	 ps = { .n = 0 };
	struct packet	 q = *p;
	struct ike_sa	*ike;
	uint8_t		 m[MSG_MAX];
	uint32_t	 at = 0;
	size_t		 n;

	if (from != v->d.good || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != X_CREATE_CHILD_SA || (h.flags & WIRE_F_RESPONSE))
		return (0);
	while ((ike = slab_walk(&v->d.bad->e->w.ikes, &at, NULL)) != NULL)
		if (ike->c.spii == h.spii && ike->c.spir == h.spir)
			break;
	if (ike == NULL)
		return (1);
	if (v->asked++ > 0 && s->now.us - v->last_us < v->shortest_us)
		v->shortest_us = s->now.us - v->last_us;
	v->last_us = s->now.us;
	ike->msgid_in = h.msgid + 1;
	(void)parts_note(&ps, -1, v->notify, NULL, 0);
	v->d.ike = ike;
	n = duel_seal(&v->d, h.exch, 1, h.msgid, &ps, m);
	sim_inject(s, &q.dst, &q.src, q.marker, m, n);
	return (1);
}

/* Negative test 47: refused for ever.  It is asked seldom, and in the end with a new IKE SA,
 * whose first Child needs no CREATE_CHILD_SA. */
ATF_TC_WITHOUT_HEAD(n47_refused_for_ever);
ATF_TC_BODY(n47_refused_for_ever, tc)
{
	static const uint16_t	errs[] = { N_TEMPORARY_FAILURE, N_NO_ADDITIONAL_SAS,
	    N_NO_PROPOSAL_CHOSEN, N_TS_UNACCEPTABLE, 4711 };
	struct never	v;
	struct child_sa	*c;
	uint32_t	at;
	size_t		i;
	int		k, r;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		for (k = 0; k < 3; k++)
			for (r = 0; r < 2; r++) {
				memset(&v, 0, sizeof(v));
				/* rekeys of the Child, of the IKE SA; and making it anew */
				duel_start(&v.d, 85, k == 1 ? "ikelifetime 300" :
				    "lifetime 300", r);
				v.notify = errs[i];
				v.shortest_us = INT64_MAX;
				v.d.s->filter = never_filter;
				v.d.s->filter_arg = &v;
				at = 0;
				c = slab_walk(&v.d.good->e->w.childs, &at, NULL);
				if (k == 2)
					engine_expire(v.d.good->e, v.d.s->now, c->spi_in,
					    &c->local.addr, 1);
				sim_run(v.d.s, 900000);
				ATF_CHECK_MSG(v.asked < 300, "%s: asked %d times",
				    wire_notify_name(errs[i]), v.asked);
				ATF_CHECK_MSG(v.shortest_us > 300000, "%s: again after %jd us",
				    wire_notify_name(errs[i]), (intmax_t)v.shortest_us);
				v.d.s->filter = NULL;
				sim_cmd(v.d.good, CMD_UP, v.d.good == v.d.s->n[0] ? "b" :
				    "a");
				sim_run(v.d.s, 60000);
				ATF_CHECK_MSG(sim_is_up(v.d.good, v.d.good == v.d.s->n[0] ? "b" :
				    "a"), "%s: not up again", wire_notify_name(errs[i]));
				duel_free(&v.d);
			}
}

/* Negative test 47: NO_ADDITIONAL_SAS where nothing is left on the IKE SA (a peer that only
 * makes the Child of IKE_AUTH): a new IKE SA, soon. */
ATF_TC_WITHOUT_HEAD(n47_minimal_peer);
ATF_TC_BODY(n47_minimal_peer, tc)
{
	struct never	v;
	struct child_sa	*c;
	uint32_t	at;
	int		r;

	for (r = 0; r < 2; r++) {
		memset(&v, 0, sizeof(v));
		duel_start(&v.d, 86, "", r);
		v.notify = N_NO_ADDITIONAL_SAS;
		v.d.s->filter = never_filter;
		v.d.s->filter_arg = &v;
		sim_cmd(v.d.good, CMD_UP, r ? "b" : "a");	/* it stays wanted */
		at = 0;
		c = slab_walk(&v.d.good->e->w.childs, &at, NULL);
		engine_expire(v.d.good->e, v.d.s->now, c->spi_in, &c->local.addr, 1);
		sim_run(v.d.s, 15000);
		ATF_CHECK(sim_is_up(v.d.good, r ? "b" : "a"));
		/* (in the other role the peer may make a Child of its own before) */
		if (r == 1)
			ATF_CHECK(sim_logged(v.d.good, "the peer makes no further Child SA"));
		duel_free(&v.d);
	}
}

/* Negative test 47: ten thousand Children, and ten thousand IKE SAs out of one. */
ATF_TC_WITHOUT_HEAD(n47_quota);
ATF_TC_BODY(n47_quota, tc)
{
	struct parts	ps;
	struct duel	d;
	int		i, r, no = 0, top = 0, n;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 87, "", r);
		for (i = 0; i < 10000; i++) {
			duel_child(&d, &ps, (uint32_t)(0x20000 + i));
			ATF_REQUIRE(duel_ask(&d, X_CREATE_CHILD_SA, &ps) >= 1);
			n = sim_kernel_count(d.good);
			top = n > top ? n : top;
			if (d.m.nnotify > 0 && d.m.notify[0].type == N_NO_ADDITIONAL_SAS)
				no++;
		}
		ATF_CHECK_MSG(top <= 60, "%d SAs in the kernel", top);
		ATF_CHECK_MSG(no > 9000, "%d refused", no);
		ATF_CHECK_EQ(sim_established(d.good), 1);
		duel_free(&d);
		no = 0;
	}
}

/* The successor that bad has made of its IKE SA by asking: what good answered is taken. */
static int
take_successor(struct duel *d, const struct ke *ke)
{
	struct ike_core	*c = &d->ike->c, n = *c;
	struct span	 ni, s;
	static uint8_t	 nonce[32];
	uint8_t		 secret[KE_MAXSECRET];
	size_t		 len = sizeof(secret);

	if ((d->m.has & WIRE_HAS(P_SA)) == 0)
		return (0);
	memset(nonce, 0x5b, sizeof(nonce));
	ni.p = nonce;
	ni.len = sizeof(nonce);
	if (ke_derive(d->s->crypto, (struct ke *)(uintptr_t)ke, d->m.ke, secret, &len) == -1)
		abort();
	s.p = secret;
	s.len = len;
	n.initiator = 1;
	n.spii = 0x1234;
	n.spir = d->m.sa.p[0].spi;
	if (ike_keys_derive(d->s->crypto, &c->suite, s, ni, d->m.nonce, n.spii, n.spir,
	    &c->keys, &n.keys) == -1)
		abort();
	*c = n;
	d->ike->msgid_out = 0;
	return (1);
}

/* Negative test 47: each new IKE SA is rekeyed at once, and none deleted. */
ATF_TC_WITHOUT_HEAD(n47_ike_quota);
ATF_TC_BODY(n47_ike_quota, tc)
{
	struct parts	 ps;
	struct duel	 d;
	struct ke	*ke;
	struct show_stats st;
	uint64_t	 top = 0;
	uint8_t		 body[4 + 64] = { 0, KE_X25519 };
	struct span	 pub;
	int		 i;

	duel_start(&d, 88, "ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519", 0);
	for (i = 0; i < 2000; i++) {
		duel_rekey(&d, &ps, 0x1234);
		ke = offer_ke(&d.bad->e->w, KE_X25519);
		ATF_REQUIRE(ke != NULL);
		pub = ke_public(ke);
		memcpy(body + 4, pub.p, pub.len);
		part_set(&ps, parts_find(&ps, P_KE, 0), body, 4 + pub.len);
		if (duel_ask(&d, X_CREATE_CHILD_SA, &ps) == 1)
			(void)take_successor(&d, ke);
		ke_free(ke);
		sim_stats(d.good, &st);
		top = st.nike > top ? st.nike : top;
	}
	ATF_CHECK_MSG(top <= 40, "%ju IKE SAs", (uintmax_t)top);
	ATF_CHECK_MSG(top >= 5, "%ju IKE SAs", (uintmax_t)top);
	duel_free(&d);
}

/* ---- 48 */

static void
contact(struct parts *ps)
{
	(void)parts_note(ps, 0, N_INITIAL_CONTACT, NULL, 0);
}

static void
contact_bad_auth(struct parts *ps)
{
	contact(ps);
	parts_find(ps, P_AUTH, 0)->body[9] ^= 1;
}

#define CLIENT(id, net) "ikev2 \"h\" ondemand esp from " net " to 10.2.0.0/24 local 192.0.2." \
	id " peer 198.51.100.1 srcid c" id ".example dstid 198.51.100.1 psk \"one secret for " \
	"all the clients\"\n"

/* Negative test 48: INITIAL_CONTACT counts when AUTH is verified, and for that identity. */
ATF_TC_WITHOUT_HEAD(n48_initial_contact);
ATF_TC_BODY(n48_initial_contact, tc)
{
	struct patch	 t[2] = { { .exch = X_IKE_SA_INIT, .change = contact, .all = 1 },
	    { .exch = X_IKE_AUTH, .change = contact_bad_auth, .all = 1 } };
	struct sim	*s;
	struct node	*hub, *c1, *c2;
	int		 i;

	for (i = 0; i < 2; i++) {
		s = sim_new(89);
		hub = sim_node(s, "hub", "198.51.100.1", "ikev2 \"any\" esp from 10.2.0.0/24 "
		    "to 10.0.0.0/8 local 198.51.100.1 peer any psk \"one secret for all the "
		    "clients\"\n");
		c1 = sim_node(s, "c1", "192.0.2.1", CLIENT("1", "10.1.1.0/24"));
		c2 = sim_node(s, "c2", "192.0.2.2", CLIENT("2", "10.1.2.0/24"));
		ATF_REQUIRE(sim_up(c1, "h"));
		sim_run(s, 20000);
		t[i].from = c2;
		s->filter = patch_filter;
		s->filter_arg = &t[i];
		sim_cmd(c2, CMD_UP, "h");
		sim_run(s, 10000);
		ATF_CHECK(t[i].done > 0);
		ATF_CHECK(!sim_is_up(c2, "h"));
		s->filter = NULL;
		/* unchanged it says INITIAL_CONTACT too: of c2, not of c1 */
		sim_run(s, 30000);
		ATF_CHECK(sim_is_up(c2, "h") && sim_is_up(c1, "h"));
		ATF_CHECK_EQ(sim_established(hub), 2);
		ATF_CHECK_EQ(sim_kernel_count(hub), 4);
		ATF_CHECK_EQ(sim_log_count(hub, "IKE SA given up"), 0);
		/* c1 was not even asked */
		ATF_CHECK_EQ(sim_log_count(hub, "checking the peer"), 0);
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n43_selectors);
	ATF_TP_ADD_TC(tp, n43_wider);
	ATF_TP_ADD_TC(tp, n44_deletes);
	ATF_TP_ADD_TC(tp, n45_rekey);
	ATF_TP_ADD_TC(tp, n45_strangers);
	ATF_TP_ADD_TC(tp, n47_refused_for_ever);
	ATF_TP_ADD_TC(tp, n47_minimal_peer);
	ATF_TP_ADD_TC(tp, n47_quota);
	ATF_TP_ADD_TC(tp, n47_ike_quota);
	ATF_TP_ADD_TC(tp, n48_initial_contact);
	return (atf_no_error());
}
