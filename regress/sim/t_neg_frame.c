/* SPDX-License-Identifier: ISC */
/*
 * Negative tests 1 to 9: header and payload framing, through the whole engine.  "Dropped"
 * is: no reply, no state, no octet of chance spent, one counter up.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

static struct sim *
patched(uint64_t seed, const char *extra, struct patch *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", extra);

	t->from = s->n[t->response];
	s->filter = patch_filter;
	s->filter_arg = t;
	return (s);
}

/* A bent IKE_SA_INIT is dropped, and the real one behind it does it.  1: so it was */
static int
init_dropped(struct patch t)
{
	struct sim	*s;
	struct node	*victim;
	struct mark	 m;
	int		 ok;

	t.exch = X_IKE_SA_INIT;
	t.keep = 1;
	s = patched(1, "", &t);
	victim = s->n[!t.response];
	if (t.response) {
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 9);
	}
	mark_take(victim, &m);
	m.datagrams++;		/* the real one */
	if (!t.response)
		sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 5);
	ok = t.done == 1 && mark_same(victim, &m, 1);
	sim_run(s, 500);
	ok = ok && sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a");
	sim_free(s);
	return (ok);
}

static void
dropped_both(void (*change)(struct parts *), size_t (*raw)(uint8_t *, size_t),
    const char *what)
{
	int	r;

	for (r = 0; r < 2; r++)
		ATF_CHECK_MSG(init_dropped((struct patch){ .response = r, .change = change,
		    .raw = raw }), "%s in a %s", what, r ? "reply" : "request");
}

/* ---- 1 */

static size_t longer(uint8_t *p, size_t n) { p[27]++; return (n); }
static size_t shorter(uint8_t *p, size_t n) { p[27]--; return (n); }
static size_t huge(uint8_t *p, size_t n) { p[24] = 0x80; return (n); }
static size_t cut(uint8_t *p, size_t n) { (void)p; return (n - 1); }
static size_t more(uint8_t *p, size_t n) { p[n] = 0; return (n + 1); }
static size_t header(uint8_t *p, size_t n) { (void)n; p[26] = 0; p[27] = 28; return (28); }
static size_t stump(uint8_t *p, size_t n) { (void)n; p[26] = 0; p[27] = 27; return (27); }
static size_t one(uint8_t *p, size_t n) { (void)n; p[0] = 0; return (1); }

/* Negative test 1. */
ATF_TC_WITHOUT_HEAD(n01_length);
ATF_TC_BODY(n01_length, tc)
{
	struct duel	d;
	struct parts	ps = { .n = 0 };
	uint8_t		m[MSG_MAX + 1];
	size_t		n;
	int		r;

	dropped_both(NULL, longer, "a length one too long");
	dropped_both(NULL, shorter, "a length one too short");
	dropped_both(NULL, huge, "a length of 2 GB");
	dropped_both(NULL, cut, "a datagram cut short");
	dropped_both(NULL, more, "an octet behind the message");
	dropped_both(NULL, stump, "a header of 27 octets");
	dropped_both(NULL, one, "one octet");
	dropped_both(NULL, header, "a header alone");
	for (r = 0; r < 2; r++) {
		duel_start(&d, 10, "", r);
		n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, m);
		ATF_CHECK(duel_dropped(&d, m, n - 1));
		m[n] = 0;
		ATF_CHECK(duel_dropped(&d, m, n + 1));
		ATF_CHECK(duel_dropped(&d, m, 0));
		m[27] ^= 1;
		ATF_CHECK(duel_dropped(&d, m, n));
		m[27] ^= 1;
		ATF_CHECK_EQ(duel_send(&d, m, n), 1);	/* as it is it is answered */
		duel_free(&d);
	}
}

/* ---- 2 */

static size_t no_spii(uint8_t *p, size_t n) { memset(p, 0, 8); return (n); }
static size_t spir(uint8_t *p, size_t n) { memset(p + 8, p[15] == 0 ? 7 : 0, 8); return (n); }
static size_t msgid(uint8_t *p, size_t n) { p[23] = 1; return (n); }
static size_t msgid_max(uint8_t *p, size_t n) { memset(p + 20, 0xff, 4); return (n); }
static size_t not_i(uint8_t *p, size_t n) { p[19] ^= WIRE_F_INITIATOR; return (n); }

/* Negative test 2. A reply with a payload SA must name an SPIr. */
ATF_TC_WITHOUT_HEAD(n02_spis);
ATF_TC_BODY(n02_spis, tc)
{
	dropped_both(NULL, no_spii, "SPIi 0");
	ATF_CHECK(init_dropped((struct patch){ .raw = spir }));
	dropped_both(NULL, msgid, "message id 1");
	dropped_both(NULL, msgid_max, "message id 2^32-1");
	dropped_both(NULL, not_i, "the other role");
}

static size_t
zero_spir(uint8_t *p, size_t n)
{
	memset(p + 8, 0, 8);
	return (n);
}

/* Negative test 2: the reply of nobody. */
ATF_TC_WITHOUT_HEAD(n02_reply);
ATF_TC_BODY(n02_reply, tc)
{
	ATF_CHECK(init_dropped((struct patch){ .response = 1, .raw = zero_spir }));
}

/* ---- 3 */

static size_t
put_version(uint8_t *b, uint8_t version, uint8_t exch, uint8_t flags)
{
	memset(b, 0, 28);
	b[7] = 9;
	b[17] = version;
	b[18] = exch;
	b[19] = flags;
	b[27] = 28;
	return (28);
}

/* Negative test 3: 3.x is told once in a while what we speak; 1.x gets a line in the log
 * and no answer, which nobody could read; 2.15 is 2.0. */
ATF_TC_WITHOUT_HEAD(n03_version);
ATF_TC_BODY(n03_version, tc)
{
	struct duel	d;
	struct wire_hdr	h;
	struct mark	m;
	uint8_t		b[MSG_MAX];
	int		i, n = 0;

	duel_start(&d, 30, "", 0);
	mark_take(d.good, &m);
	for (i = 0; i < 100; i++) {
		n += duel_send(&d, b, put_version(b, 0x30, X_IKE_SA_INIT, WIRE_F_INITIATOR));
		if (i == 0) {
			ATF_REQUIRE_EQ(n, 1);
			ATF_CHECK_EQ(d.h.major, 2);
			ATF_CHECK_EQ(d.h.spii, 9);
			ATF_CHECK(d.h.flags == WIRE_F_RESPONSE);
			ATF_CHECK_EQ(d.m.notify[0].type, N_INVALID_MAJOR_VERSION);
			ATF_CHECK(d.m.notify[0].data.len == 1 &&
			    d.m.notify[0].data.p[0] == 2);
		}
	}
	ATF_CHECK_MSG(n >= 1 && n <= 10, "%d answers in a second", n);
	m.rng = 0;
	m.tx += (uint64_t)n;
	m.datagrams += (uint64_t)n;
	ATF_CHECK(mark_same(d.good, &m, 100));
	sim_run(d.s, 2000);
	ATF_CHECK(duel_dropped(&d, b, put_version(b, 0x30, X_IKE_SA_INIT, WIRE_F_RESPONSE)));
	ATF_CHECK(duel_dropped(&d, b, put_version(b, 0x00, X_IKE_SA_INIT, WIRE_F_INITIATOR)));
	ATF_CHECK(duel_dropped(&d, b, put_version(b, 0x10, 2, 0)));
	ATF_CHECK(sim_logged(d.good, "peer speaks IKEv1"));
	/* a later minor version is one of ours */
	h = (struct wire_hdr){ .major = 2, .minor = 15, .exch = X_INFORMATIONAL,
	    .flags = WIRE_F_INITIATOR, .msgid = d.ike->msgid_out };
	ATF_CHECK_EQ(duel_send(&d, b, duel_seal_hdr(&d, &h, P_NONE, b, 0, b)), 1);
	duel_free(&d);
}

/* ---- 4 */

static size_t
reserved_flags(uint8_t *p, size_t n)
{
	p[19] |= 0xc7 | WIRE_F_VERSION;
	return (n);
}

static void
reserved_bits(struct parts *ps)
{
	int	i;

	for (i = 0; i < ps->n; i++)
		ps->p[i].flags |= 0x7f;
	parts_find(ps, P_SA, 0)->body[1] = 0xff;	/* RESERVED of the proposal */
	parts_find(ps, P_KE, 0)->body[2] = 0xff;
}

/* Negative test 4: bits that mean nothing are not looked at. */
ATF_TC_WITHOUT_HEAD(n04_reserved);
ATF_TC_BODY(n04_reserved, tc)
{
	struct patch	 t[2] = { { .exch = X_IKE_SA_INIT, .raw = reserved_flags },
	    { .exch = X_IKE_SA_INIT, .change = reserved_bits } };
	struct duel	 d;
	struct wire_hdr	 h;
	struct sim	*s;
	uint8_t		 b[MSG_MAX];
	int		 i;

	for (i = 0; i < 2; i++) {
		s = patched(40, "", &t[i]);
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 15);
		ATF_REQUIRE_EQ(t[i].answers, 1);
		ATF_REQUIRE_EQ(wire_hdr_decode(t[i].ans, t[i].anslen, &h), 0);
		ATF_CHECK_EQ(h.next, P_SA);
		ATF_CHECK(h.spir != 0);
		ATF_CHECK_EQ(h.flags, WIRE_F_RESPONSE);
		sim_free(s);
	}
	for (i = 0; i < 2; i++) {
		duel_start(&d, 41, "", i);
		h = (struct wire_hdr){ .major = 2, .exch = X_INFORMATIONAL, .flags =
		    (uint8_t)(0xd7 | (i ? 0 : WIRE_F_INITIATOR)),
		    .msgid = d.ike->msgid_out };
		ATF_CHECK_EQ(duel_send(&d, b, duel_seal_hdr(&d, &h, P_NONE, b, 0, b)), 1);
		ATF_CHECK_EQ(d.h.flags & (uint8_t)~WIRE_F_INITIATOR, WIRE_F_RESPONSE);
		duel_free(&d);
	}
}

/* Negative test 4: the other role, or an answer to nothing. */
ATF_TC_WITHOUT_HEAD(n04_direction);
ATF_TC_BODY(n04_direction, tc)
{
	struct parts	ps = { .n = 0 };
	struct duel	d;
	struct wire_hdr	h;
	uint8_t		b[MSG_MAX];
	uint32_t	id;
	size_t		n;
	int		i;

	for (i = 0; i < 2; i++) {
		duel_start(&d, 42, "", i);
		h = (struct wire_hdr){ .major = 2, .exch = X_INFORMATIONAL, .flags =
		    (uint8_t)(i ? WIRE_F_INITIATOR : 0), .msgid = d.ike->msgid_out };
		n = duel_seal_hdr(&d, &h, P_NONE, b, 0, b);
		/* which of the SPIs is ours is read from that bit: nobody's */
		sim_run(d.s, 2000);
		(void)duel_send(&d, b, n);
		ATF_CHECK_EQ(sim_established(d.good), 1);
		for (id = 0; id < 4; id++) {
			n = duel_seal(&d, X_INFORMATIONAL, 1, id, &ps, b);
			ATF_CHECK(duel_dropped(&d, b, n));
			n = duel_seal(&d, X_CREATE_CHILD_SA, 1, id, &ps, b);
			ATF_CHECK(duel_dropped(&d, b, n));
			n = duel_seal(&d, X_IKE_AUTH, 1, id, &ps, b);
			ATF_CHECK(duel_dropped(&d, b, n));
			n = duel_seal(&d, X_IKE_SA_INIT, 1, id, &ps, b);
			ATF_CHECK(duel_dropped(&d, b, n));
		}
		duel_free(&d);
	}
}

/* ---- 5 */

/* Chains that are none; first is 41, N. */
static size_t
bad_chain(int k, uint8_t *b, uint8_t *first)
{
	static const uint8_t	whole[8] = { 0, 0, 0, 8, 0, 0, 0x40, 0x80 };
	size_t			i;

	*first = P_N;
	memcpy(b, whole, sizeof(whole));
	switch (k) {
	case 0:
	case 1:
	case 2:
	case 3:		/* shorter than its own header */
		b[3] = (uint8_t)k;
		return (8);
	case 4:		/* beyond the rest */
		b[3] = 9;
		return (8);
	case 5:
		b[2] = b[3] = 0xff;
		return (8);
	case 6:		/* the next one is not there */
		b[0] = P_N;
		return (8);
	case 7:		/* half a header of it */
		b[0] = P_V;
		b[8] = 0;
		b[9] = 0;
		return (10);
	case 8:		/* behind the last */
		b[8] = 0;
		return (9);
	case 9:		/* each names itself as the next: it looks like a loop */
		for (i = 0; i < 4000; i += 4)
			memcpy(b + i, "\x2b\x00\x00\x04", 4);
		*first = P_V;
		return (4000);
	case 10:	/* a thousand that end */
		for (i = 0; i < 4000; i += 4)
			memcpy(b + i, i < 3996 ? "\x2b\x00\x00\x04" : "\x00\x00\x00\x04", 4);
		*first = P_V;
		return (4000);
	default:
		return (0);
	}
}

static int chain;

static size_t
raw_chain(uint8_t *p, size_t n)
{
	n = bad_chain(chain, p + WIRE_HDRLEN, &p[16]) + WIRE_HDRLEN;
	p[26] = (uint8_t)(n >> 8);
	p[27] = (uint8_t)n;
	return (n);
}

/* Negative test 5, unprotected: dropped. */
ATF_TC_WITHOUT_HEAD(n05_payload_lengths);
ATF_TC_BODY(n05_payload_lengths, tc)
{
	for (chain = 0; chain <= 10; chain++)
		dropped_both(NULL, raw_chain, "a bad chain");
}

/* Negative test 5, protected: INVALID_SYNTAX for a request, and the SA is gone, in either
 * role; a reply like that ends it without a word. */
ATF_TC_WITHOUT_HEAD(n05_protected);
ATF_TC_BODY(n05_protected, tc)
{
	static const uint8_t	exch[] = { X_INFORMATIONAL, X_CREATE_CHILD_SA };
	struct duel		d;
	uint8_t			b[4096], first;
	size_t			n;
	int			k, r;

	for (k = 0; k <= 10; k++)
		for (r = 0; r < 2; r++) {
			n = bad_chain(k, b, &first);
			duel_start(&d, 50, "", r);
			ATF_CHECK_EQ(duel_ask_raw(&d, exch[k & 1], first, b, n), 1);
			ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0), "chain %d", k);
			ATF_CHECK(sim_logged(d.good, "request is malformed"));
			duel_free(&d);
			duel_start(&d, 51, "", r);
			ATF_REQUIRE_EQ(duel_provoke(&d, k & 1 ? TASK_CHECK :
			    TASK_REKEY_CHILD), 1);
			(void)duel_reply_raw(&d, first, b, n);
			ATF_CHECK_EQ(sim_established(d.good), 0);
			ATF_CHECK(sim_logged(d.good, "the peer's reply is malformed"));
			ATF_CHECK_EQ(sim_kernel_count(d.good), 0);
			duel_free(&d);
		}
}

/* ---- 6 */

static void
critical_v(struct parts *ps)
{
	parts_add(ps, 0, 200, "x", 1)->flags = 0x80;
}

static void
critical_known(struct parts *ps)
{
	int	i;

	for (i = 0; i < ps->n; i++)
		ps->p[i].flags = 0x80;
	parts_add(ps, 0, 200, "x", 1);		/* unknown, and not critical */
}

/* Negative test 6: one octet says which; the SA stands. */
ATF_TC_WITHOUT_HEAD(n06_critical);
ATF_TC_BODY(n06_critical, tc)
{
	struct patch	 t = { .exch = X_IKE_SA_INIT, .change = critical_v };
	struct parts	 ps;
	struct duel	 d;
	struct sim	*s;
	struct wire_hdr	 h;
	struct wire_msg	 m;
	int		 r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 60, "", r);
		memset(&ps, 0, sizeof(ps));
		parts_add(&ps, -1, 200, "abcd", 4)->flags = 0x80;
		ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
		ATF_CHECK(duel_says(&d, N_UNSUPPORTED_CRITICAL_PAYLOAD, 1));
		ATF_CHECK(d.m.notify[0].data.len == 1 && d.m.notify[0].data.p[0] == 200);
		/* without the bit it is not there, and on a known type the bit is not */
		ps.p[0].flags = 0x7f;
		parts_note(&ps, -1, 16500, NULL, 0)->flags = 0x80;
		ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
		ATF_CHECK_EQ(d.first, P_NONE);
		/* in a reply: that exchange, and we do not answer an answer */
		memset(&ps, 0, sizeof(ps));
		parts_add(&ps, -1, 200, "abcd", 4)->flags = 0x80;
		ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_CHILD), 1);
		d.answers = 0;
		ATF_CHECK_EQ(duel_reply(&d, &ps), 0);
		ATF_CHECK_EQ(sim_log_count(d.good, "new SPIs"), 0);
		ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 0);
		duel_free(&d);
	}
	/* unprotected, in the first request */
	s = patched(61, "", &t);
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 15);
	ATF_REQUIRE_EQ(t.answers, 1);
	ATF_REQUIRE_EQ(wire_hdr_decode(t.ans, t.anslen, &h), 0);
	ATF_REQUIRE_EQ(wire_decode(h.next, t.ans + 28, t.anslen - 28, 28, &m, NULL), WIRE_OK);
	ATF_CHECK(m.nnotify == 1 && m.notify[0].type == N_UNSUPPORTED_CRITICAL_PAYLOAD &&
	    m.notify[0].data.len == 1 && m.notify[0].data.p[0] == 200);
	sim_free(s);
	ATF_CHECK(init_dropped((struct patch){ .response = 1, .change = critical_v }));
	t = (struct patch){ .exch = X_IKE_SA_INIT, .change = critical_known };
	s = patched(62, "", &t);
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 15);
	ATF_CHECK(t.answers == 1 && t.ans[16] == P_SA);
	sim_free(s);
}

/* ---- 7 */

static uint8_t which;

static void
twice(struct parts *ps)
{
	struct part	*p = parts_find(ps, which, 0);

	if (p != NULL)
		(void)parts_add(ps, -1, which, p->body, p->len);
}

static void
without(struct parts *ps)
{
	parts_del(ps, which);
}

/* Negative test 7: each payload of IKE_SA_INIT twice, and not at all. */
ATF_TC_WITHOUT_HEAD(n07_init);
ATF_TC_BODY(n07_init, tc)
{
	static const uint8_t	all[] = { P_SA, P_KE, P_NONCE };
	size_t			i;

	for (i = 0; i < sizeof(all); i++) {
		which = all[i];
		dropped_both(twice, NULL, "twice");
		dropped_both(without, NULL, "not at all");
	}
}

/* IKE_AUTH with a change: what it comes to. */
static void
auth_changed(uint64_t seed, int response, void (*change)(struct parts *), uint16_t notify)
{
	struct patch	 t = { .exch = X_IKE_AUTH, .response = response, .change = change };
	struct sim	*s = patched(seed, "", &t);
	int		 n;

	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, response ? 33 : 28);
	ATF_REQUIRE_EQ(t.done, 1);
	if (!response) {
		/* one protected refusal, and nothing is left but that */
		n = patch_refusal(&t, s->n[0]);
		ATF_CHECK_EQ_MSG(n, notify, "payload %u: %d", which, n);
		ATF_CHECK_EQ(sim_established(s->n[1]), 0);
		ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	}
	sim_run(s, 200);
	ATF_CHECK_MSG(!sim_is_up(s->n[0], "b"), "payload %u, reply %d", which, response);
	ATF_CHECK_EQ(sim_established(s->n[0]), 0);
	sim_run(s, 40000);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), sim_kernel_count(s->n[1]));
	sim_free(s);
}

/* Negative test 7: IKE_AUTH. */
ATF_TC_WITHOUT_HEAD(n07_auth);
ATF_TC_BODY(n07_auth, tc)
{
	static const uint8_t	req[] = { P_IDI, P_SA, P_TSI, P_TSR };
	static const uint8_t	two[] = { P_IDI, P_AUTH, P_SA, P_TSI, P_TSR };
	static const uint8_t	rep[] = { P_IDR, P_AUTH };
	size_t			i;

	for (i = 0; i < sizeof(req); i++) {
		which = req[i];
		auth_changed(70 + i, 0, without, N_INVALID_SYNTAX);
	}
	for (i = 0; i < sizeof(two); i++) {
		which = two[i];
		auth_changed(75 + i, 0, twice, N_INVALID_SYNTAX);
	}
	/* no AUTH at all asks for EAP */
	which = P_AUTH;
	auth_changed(80, 0, without, N_AUTHENTICATION_FAILED);
	for (i = 0; i < sizeof(rep); i++) {
		which = rep[i];
		auth_changed(81 + i, 1, without, 0);
		auth_changed(83 + i, 1, twice, 0);
	}
}

/* Negative test 7: a Child SA and a new IKE SA, asked for and answered. */
ATF_TC_WITHOUT_HEAD(n07_create);
ATF_TC_BODY(n07_create, tc)
{
	static const uint8_t	child[] = { P_SA, P_NONCE, P_TSI, P_TSR };
	static const uint8_t	ike[] = { P_NONCE, P_KE };
	struct parts		ps;
	struct duel		d;
	size_t			i;
	int			r;

	for (r = 0; r < 2; r++) {
		for (i = 0; i < 2 * sizeof(child); i++) {
			duel_start(&d, 90, "", r);
			duel_child(&d, &ps, 0x20000);
			which = child[i / 2];
			(i & 1 ? twice : without)(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0), "payload %u", which);
			duel_free(&d);
		}
		for (i = 0; i < 2 * sizeof(ike); i++) {
			duel_start(&d, 91, "", r);
			duel_rekey(&d, &ps, 0x1234);
			which = ike[i / 2];
			(i & 1 ? twice : without)(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0), "payload %u", which);
			duel_free(&d);
		}
		/* answers that lack something: no Child comes of them, and the old one stays */
		for (i = 0; i < sizeof(child); i++) {
			duel_start(&d, 92, "", r);
			ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_CHILD), 1);
			parts_read(&ps, d.first, d.plain, d.len);
			parts_del(&ps, P_N);
			which = child[i];
			without(&ps);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
			ATF_CHECK(sim_logged(d.good, "rekeying failed: payloads are missing"));
			duel_free(&d);
		}
		for (i = 0; i < 3; i++) {
			duel_start(&d, 93, "", r);
			ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_IKE), 1);
			parts_read(&ps, d.first, d.plain, d.len);
			which = i < 2 ? ike[i] : P_SA;
			without(&ps);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK(sim_logged(d.good, "rekeying the IKE SA failed: payloads "
			    "are missing"));
			duel_free(&d);
		}
	}
}

/* ---- 8 */

static void
backwards(struct parts *ps)
{
	struct part	x;
	int		i;

	for (i = 0; i < ps->n / 2; i++) {
		x = ps->p[i];
		ps->p[i] = ps->p[ps->n - 1 - i];
		ps->p[ps->n - 1 - i] = x;
	}
}

/* Negative test 8: the order is free. */
ATF_TC_WITHOUT_HEAD(n08_order);
ATF_TC_BODY(n08_order, tc)
{
	struct patch	 t = { .exch = X_IKE_SA_INIT, .change = backwards };
	struct parts	 ps;
	struct duel	 d;
	struct sim	*s = patched(100, "", &t);
	int		 r;

	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 15);
	ATF_CHECK(t.answers == 1 && t.ans[16] == P_SA);
	sim_free(s);
	for (r = 0; r < 2; r++) {
		t = (struct patch){ .exch = X_IKE_AUTH, .response = r, .change = backwards };
		s = patched(101, "", &t);
		ATF_CHECK(sim_up(s->n[0], "b"));
		ATF_CHECK_EQ(t.done, 1);
		sim_free(s);
		duel_start(&d, 102, "", r);
		duel_child(&d, &ps, 0x20000);
		backwards(&ps);
		ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
		ATF_CHECK((d.m.has & WIRE_HAS(P_SA)) != 0);
		ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 2);
		duel_free(&d);
	}
}

/* Negative test 8: nothing stands behind SK. */
ATF_TC_WITHOUT_HEAD(n08_behind_sk);
ATF_TC_BODY(n08_behind_sk, tc)
{
	struct parts	ps = { .n = 0 };
	struct duel	d;
	uint8_t		m[MSG_MAX];
	size_t		n;
	int		r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 103, "", r);
		n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, m);
		memcpy(m + n, "\x00\x00\x00\x08\x00\x00\x40\x00", 8);
		m[27] = (uint8_t)(m[27] + 8);
		m[28] = P_N;		/* and SK says that it is there */
		ATF_CHECK(duel_dropped(&d, m, n + 8));
		duel_free(&d);
	}
}

/* ---- 9 */

/* Negative test 9: SK that cannot be one, and each octet of a good one changed. */
ATF_TC_WITHOUT_HEAD(n09_sk);
ATF_TC_BODY(n09_sk, tc)
{
	static const char *const suites[] = { "ikesa enc aes-256-gcm prf hmac-sha2-256 group "
	    "curve25519", "ikesa enc aes-256 auth hmac-sha2-256 group curve25519" };
	struct parts	ps;
	struct duel	d;
	uint8_t		m[MSG_MAX];
	size_t		n, i, k;
	int		r;

	for (r = 0; r < 4; r++) {
		duel_start(&d, 110, suites[r >> 1], r & 1);
		memset(&ps, 0, sizeof(ps));
		(void)parts_note(&ps, -1, 16500, "twelve octets", 13);
		n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, m);
		for (i = 0; i < n; i++) {
			if (i < 16 || i == 17 || i == 18 || i == 19)
				continue;	/* leads elsewhere, or are tests 2 to 4 */
			m[i] ^= 0x40;
			ATF_CHECK_MSG(duel_dropped(&d, m, n), "octet %zu", i);
			m[i] ^= 0x40;
		}
		/* shorter and shorter, down to nothing, with lengths that agree */
		for (k = 1; k <= n - WIRE_HDRLEN - 4; k++) {
			m[27] = (uint8_t)(n - k);
			m[26] = (uint8_t)((n - k) >> 8);
			m[31] = (uint8_t)(n - k - WIRE_HDRLEN);
			m[30] = 0;
			ATF_CHECK_MSG(duel_dropped(&d, m, n - k), "%zu octets less", k);
		}
		n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, m);
		ATF_CHECK_EQ(duel_send(&d, m, n), 1);
		duel_free(&d);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n01_length);
	ATF_TP_ADD_TC(tp, n02_spis);
	ATF_TP_ADD_TC(tp, n02_reply);
	ATF_TP_ADD_TC(tp, n03_version);
	ATF_TP_ADD_TC(tp, n04_reserved);
	ATF_TP_ADD_TC(tp, n04_direction);
	ATF_TP_ADD_TC(tp, n05_payload_lengths);
	ATF_TP_ADD_TC(tp, n05_protected);
	ATF_TP_ADD_TC(tp, n06_critical);
	ATF_TP_ADD_TC(tp, n07_init);
	ATF_TP_ADD_TC(tp, n07_auth);
	ATF_TP_ADD_TC(tp, n07_create);
	ATF_TP_ADD_TC(tp, n08_order);
	ATF_TP_ADD_TC(tp, n08_behind_sk);
	ATF_TP_ADD_TC(tp, n09_sk);
	return (atf_no_error());
}
