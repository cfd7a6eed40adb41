/* SPDX-License-Identifier: ISC */
/* Negative tests 10 to 18: SA, KE and nonce, through the whole engine. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parts.h"

#define GCM	"ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519 "
#define CBC	"ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519 "

/* The change works by these. */
static void	(*on_sa)(struct proposals *);
static void	(*on_body)(uint8_t *, size_t *);
static uint8_t	 which;

static void
put_sa(struct parts *ps, const struct proposals *p)
{
	struct wire_enc	e;
	struct wbuf	w;
	uint8_t		b[MSG_MAX];

	wbuf_init(&w, b, sizeof(b));
	wire_inner_begin(&e, &w);
	wire_put_sa(&e, p);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	part_set(ps, parts_find(ps, P_SA, 0), b + 4, w.len - 4);
}

static void
change_sa(struct parts *ps)
{
	static struct wire_msg	m;
	struct part		*p = parts_find(ps, P_SA, 0);
	uint8_t			b[MSG_MAX], first;
	struct parts		one = { .n = 0 };
	size_t			n;

	(void)parts_add(&one, -1, P_SA, p->body, p->len);
	n = parts_write(&one, &first, b, sizeof(b));
	ATF_REQUIRE_EQ(wire_decode(P_SA, b, n, 0, &m, NULL), WIRE_OK);
	on_sa(&m.sa);
	put_sa(ps, &m.sa);
}

static void
change_body(struct parts *ps)
{
	struct part	*p = parts_find(ps, which, 0);
	uint8_t		 b[MSG_MAX];
	size_t		 n = p->len;

	memcpy(b, p->body, n);
	on_body(b, &n);
	part_set(ps, p, b, n);
}

/* IKE_SA_INIT of one side changed; the real one does not go. */
static struct sim *
init_changed(uint64_t seed, const char *extra, int response, void (*change)(struct parts *),
    struct patch *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", extra);

	memset(t, 0, sizeof(*t));
	t->from = s->n[response];
	t->exch = X_IKE_SA_INIT;
	t->response = response;
	t->change = change;
	s->filter = patch_filter;
	s->filter_arg = t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, response ? 25 : 9);
	ATF_REQUIRE_EQ(t->done, 1);
	return (s);
}

/* What b answers to a request that was changed so: 0 nothing, a notify, or -1: an SA. */
static int
init_answer(const char *extra, void (*change)(struct parts *))
{
	struct wire_msg	 m;
	struct wire_hdr	 h;
	struct patch	 t;
	struct sim	*s = init_changed(1, extra, 0, change, &t);
	struct show_stats st;
	int		 r = 0;

	sim_stats(s->n[1], &st);
	if (t.answers > 0) {
		ATF_CHECK_EQ(t.answers, 1);
		ATF_REQUIRE_EQ(wire_hdr_decode(t.ans, t.anslen, &h), 0);
		ATF_REQUIRE_EQ(wire_decode(h.next, t.ans + 28, t.anslen - 28, 28, &m, NULL),
		    WIRE_OK);
		r = m.has & WIRE_HAS(P_SA) ? -1 : m.notify[0].type;
		ATF_CHECK_EQ(h.spir == 0, r != -1);
	} else
		ATF_CHECK_EQ(st.rx_bad + st.rx_dropped, 1);
	/* half an SA only for a whole answer */
	ATF_CHECK_EQ(st.half_open, r == -1 ? 1U : 0U);
	sim_free(s);
	return (r);
}

/* a's view of a reply that was changed: it waits for a better one.  1: so it does */
static int
reply_refused(const char *extra, void (*change)(struct parts *))
{
	struct patch	 t;
	struct sim	*s = init_changed(2, extra, 1, change, &t);
	struct node	*a = s->n[0];
	struct ike_half	*h;
	uint32_t	 at = 0;
	int		 ok;

	h = slab_walk(&a->e->w.halves, &at, NULL);
	ok = h != NULL && h->state == HALF_INIT_SENT && h->c.spir == 0 && t.answers == 0 &&
	    sim_established(a) == 0;
	/* the retransmission brings the real one, which still does it */
	sim_run(s, 3000);
	ok = ok && sim_is_up(a, "b") && sim_is_up(s->n[1], "a");
	sim_free(s);
	return (ok);
}

/* ---- 10: lies in SA; the body is proposal header 8, then transforms */

static int lie;

static void
lies(uint8_t *b, size_t *n)
{
	uint8_t	*x = b + 8 + (which == P_SA && b[6] ? b[6] : 0);	/* first transform */

	switch (lie) {
	case 0: b[7]--; break;			/* a transform more than counted */
	case 1: b[7]++; break;
	case 2: b[7] = 0; break;
	case 3: b[7] = 255; break;
	case 4: b[0] = 1; break;		/* Last that is neither */
	case 5: b[0] = b[0] ? 0 : 2; break;	/* Last that lies */
	case 6: b[2] = 0; b[3] = 7; break;	/* proposal shorter than its header */
	case 7: b[3]++; break;
	case 8: b[3]--; break;
	case 9: b[2] = 0xff; break;
	case 10: x[0] = 0; break;		/* Last of a transform */
	case 11: x[0] = 7; break;
	case 12: x[3] = 7; break;
	case 13: x[3]++; break;
	case 14: x[2] = 0xff; break;
	case 15: x[3] = 0; x[2] = 0; break;
	case 16: x[8] &= 0x7f; x[10] = 0xff; break;	/* an attribute past the end */
	case 17: *n -= 1; break;
	case 18: b[*n] = 0; *n += 1; break;
	case 19: *n = 0; break;
	case 20: *n = 7; break;
	default: break;
	}
}

#define LIES	21

/* Negative test 10: unprotected it is dropped, protected it ends the SA; the same in the
 * other direction. */
ATF_TC_WITHOUT_HEAD(n10_lies);
ATF_TC_BODY(n10_lies, tc)
{
	struct parts	ps;
	struct duel	d;
	int		r;

	which = P_SA;
	on_body = lies;
	for (lie = 0; lie < LIES; lie++) {
		ATF_CHECK_EQ_MSG(init_answer(GCM, change_body), 0, "lie %d", lie);
		ATF_CHECK_MSG(reply_refused(GCM, change_body), "lie %d", lie);
		for (r = 0; r < 2; r++) {
			duel_start(&d, 11, "", r);
			duel_child(&d, &ps, 0x20000);
			change_body(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0), "lie %d", lie);
			duel_free(&d);
		}
	}
}

static void
many_xforms(struct parts *ps)
{
	uint8_t	b[MSG_MAX];
	size_t	i, n = 1000;

	memset(b, 0, sizeof(b));
	b[2] = (uint8_t)((8 + n * 8) >> 8);
	b[3] = (uint8_t)(8 + n * 8);
	b[4] = b[5] = 1;
	b[7] = 255;
	for (i = 0; i < n; i++)
		memcpy(b + 8 + i * 8, i + 1 < n ? "\3\0\0\10\1\0\0\24" : "\0\0\0\10\1\0\0\24",
		    8);
	part_set(ps, parts_find(ps, P_SA, 0), b, 8 + n * 8);
}

static void
double_types(struct proposals *ps)
{
	struct proposal	*p = &ps->p[0];
	uint8_t		 i, n = p->nxforms;

	/* in an offer two of a type are a choice; twice the same is one */
	for (i = 0; i < n && p->nxforms < PROP_MAXXFORMS; i++)
		p->xf[p->nxforms++] = p->xf[i];
}

/* Negative test 10: thousands of transforms cost nothing; some twice do no harm. */
ATF_TC_WITHOUT_HEAD(n10_many);
ATF_TC_BODY(n10_many, tc)
{
	struct patch	 t;
	struct sim	*s = init_changed(12, GCM, 0, many_xforms, &t);
	struct endpoint	 src = sim_ep("192.0.2.1", 500), dst = sim_ep("198.51.100.1", 500);
	struct show_stats st;
	uint8_t		*m = calloc(1, 65000);
	clock_t		 c;
	int		 i;

	ATF_CHECK_EQ(t.answers, 0);
	/* 8,000 in one datagram */
	m[0] = 1;
	m[16] = P_SA;
	m[17] = 0x20;
	m[18] = X_IKE_SA_INIT;
	m[19] = WIRE_F_INITIATOR;
	m[26] = 65000 >> 8;
	m[27] = 65000 & 0xff;
	m[30] = 64972 >> 8;
	m[31] = 64972 & 0xff;
	m[34] = 64968 >> 8;
	m[35] = 64968 & 0xff;
	m[36] = m[37] = 1;
	m[39] = 255;
	for (i = 40; i + 8 <= 65000; i += 8)
		memcpy(m + i, "\3\0\0\10\1\0\0\24", 8);
	s->filter = NULL;
	c = clock();
	for (i = 0; i < 1000; i++) {
		sim_inject(s, &src, &dst, 0, m, 65000);
		sim_run(s, 1);
	}
	c = clock() - c;
	ATF_CHECK_MSG(c < CLOCKS_PER_SEC, "%ld us each", (long)c / 1000);
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.half_open, 0);
	sim_free(s);
	free(m);
	on_sa = double_types;
	ATF_CHECK_EQ(init_answer(GCM, change_sa), -1);
}

/* ---- 11 */

static uint16_t bits;
static uint16_t encr;

static void
key_bits(struct proposals *ps)
{
	uint8_t	i, k;

	for (i = 0; i < ps->n; i++)
		for (k = 0; k < ps->p[i].nxforms; k++)
			if (ps->p[i].xf[k].type == XF_ENCR) {
				ps->p[i].xf[k].keybits = bits;
				if (encr != 0)
					ps->p[i].xf[k].id = encr;
			}
}

/* An attribute of 0 bits: the encoder leaves that out. */
static void
zero_bits(uint8_t *b, size_t *n)
{
	(void)n;
	b[8 + 10] = b[8 + 11] = 0;
}

/* Negative test 11: a cipher with no length, or not of its lengths, is nobody's choice. */
ATF_TC_WITHOUT_HEAD(n11_key_length);
ATF_TC_BODY(n11_key_length, tc)
{
	static const uint16_t	wrong[] = { 0, 64, 8, 127, 129, 512, 65535 };
	struct parts		ps;
	struct duel		d;
	size_t			i;
	int			r;

	on_sa = key_bits;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bits = wrong[i];
		encr = 0;
		ATF_CHECK_EQ(init_answer(GCM, change_sa), N_NO_PROPOSAL_CHOSEN);
		ATF_CHECK_EQ(init_answer(CBC, change_sa), N_NO_PROPOSAL_CHOSEN);
		ATF_CHECK(reply_refused(GCM, change_sa));
		for (r = 0; r < 2; r++) {
			duel_start(&d, 13, "", r);
			duel_child(&d, &ps, 0x20000);
			change_sa(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK(duel_says(&d, N_NO_PROPOSAL_CHOSEN, 1));
			duel_free(&d);
		}
	}
	bits = 256;
	encr = ENCR_CHACHA20_POLY1305;
	ATF_CHECK_EQ(init_answer(GCM, change_sa), N_NO_PROPOSAL_CHOSEN);
	which = P_SA;
	on_body = zero_bits;
	ATF_CHECK_EQ(init_answer(GCM, change_body), N_NO_PROPOSAL_CHOSEN);
}

/* ---- 12 */

static int spoil;

static void
add_xf(struct proposal *p, uint8_t type, uint16_t id, uint16_t kb)
{
	p->xf[p->nxforms++] = (struct xform){ type, id, kb, 0 };
}

static void
del_xf(struct proposal *p, uint8_t type)
{
	uint8_t	i, k = 0;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type != type)
			p->xf[k++] = p->xf[i];
	p->nxforms = k;
}

static void
spoil_one(struct proposal *p)
{
	switch (spoil) {
	case 0:		/* an AEAD with an INTEG */
		add_xf(p, XF_INTEG, INTEG_HMAC_SHA2_256_128, 0);
		break;
	case 1:		/* no encryption for IKE */
		del_xf(p, XF_ENCR);
		add_xf(p, XF_ENCR, ENCR_NULL, 0);
		break;
	case 2:		/* a type nobody knows */
		add_xf(p, 77, 1, 0);
		break;
	case 3:		/* ADDKE1 of RFC 9370, not negotiated */
		add_xf(p, 6, 36, 0);
		break;
	case 4:
		del_xf(p, XF_PRF);
		break;
	case 5:
		del_xf(p, XF_KE);
		break;
	case 6:
		del_xf(p, XF_KE);
		add_xf(p, XF_KE, KE_NONE, 0);
		break;
	case 7:		/* AH is no protocol of an IKE SA */
		p->proto = PROTO_AH;
		p->spilen = 4;
		p->spi = 0x20000;
		break;
	default:
		p->proto = 99;
		break;
	}
}

static void
spoil_all(struct proposals *ps)
{
	uint8_t	i;

	for (i = 0; i < ps->n; i++)
		spoil_one(&ps->p[i]);
}

static void
spoil_first(struct proposals *ps)
{
	ps->p[1] = ps->p[0];
	ps->p[1].num = 2;
	ps->n = 2;
	spoil_one(&ps->p[0]);
}

/* Negative test 12: the proposal is unacceptable, the next one is tried; none left:
 * NO_PROPOSAL_CHOSEN. */
ATF_TC_WITHOUT_HEAD(n12_unacceptable);
ATF_TC_BODY(n12_unacceptable, tc)
{
	struct parts	ps;
	struct duel	d;
	int		r;

	for (spoil = 0; spoil <= 8; spoil++) {
		on_sa = spoil_all;
		ATF_CHECK_EQ_MSG(init_answer(GCM, change_sa), N_NO_PROPOSAL_CHOSEN,
		    "spoilt by %d", spoil);
		on_sa = spoil_first;
		ATF_CHECK_EQ_MSG(init_answer(GCM, change_sa), -1, "spoilt by %d", spoil);
		/* the IKE SA's rekey; 7 and 8 are no IKE proposals */
		for (r = 0; r < 2 && spoil < 7; r++) {
			on_sa = spoil_all;
			duel_start(&d, 14, GCM, r);
			duel_rekey(&d, &ps, 0x1234);
			change_sa(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK_MSG(duel_says(&d, N_NO_PROPOSAL_CHOSEN, 1), "spoilt by %d",
			    spoil);
			duel_free(&d);
			on_sa = spoil_first;
			duel_start(&d, 15, GCM, r);
			duel_rekey(&d, &ps, 0x1234);
			change_sa(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK((d.m.has & WIRE_HAS(P_SA)) && d.m.sa.p[0].num == 2);
			duel_free(&d);
		}
	}
}

/* ---- 13 */

static int answer;

static void
bad_answer(struct proposals *ps)
{
	struct proposal	*p = &ps->p[0];
	uint8_t		 i;

	switch (answer) {
	case 0:		/* not offered */
		p->xf[0].keybits = p->xf[0].keybits == 256 ? 128 : 256;
		break;
	case 1:		/* two */
		ps->p[1] = *p;
		ps->p[1].num = (uint8_t)(p->num + 1);
		ps->n = 2;
		break;
	case 2:		/* two of a type */
		p->xf[p->nxforms] = p->xf[p->nxforms - 1];
		p->nxforms++;
		break;
	case 3:		/* another number */
		p->num = 7;
		break;
	case 4:		/* an SPI more or less */
		p->spilen = p->spilen == 0 ? 8 : 0;
		p->spi = 0x1234;
		break;
	case 5:		/* a type less */
		p->nxforms--;
		break;
	case 6:		/* altered ids, all of them */
		for (i = 0; i < p->nxforms; i++)
			p->xf[i].id ^= 1;
		break;
	default:
		add_xf(p, 9, 1, 0);
		break;
	}
}

/* Negative test 13: in IKE_SA_INIT it is not believed and the real reply still is; for a
 * Child the exchange has failed, what the peer made is deleted; the IKE SA's rekey fails. */
ATF_TC_WITHOUT_HEAD(n13_answers);
ATF_TC_BODY(n13_answers, tc)
{
	struct parts	ps;
	struct duel	d;
	int		r;

	on_sa = bad_answer;
	for (answer = 0; answer <= 7; answer++) {
		ATF_CHECK_MSG(reply_refused(GCM, change_sa), "answer %d", answer);
		for (r = 0; r < 2 && answer != 4; r++) {
			duel_start(&d, 16, GCM "childsa enc aes-256-gcm group none", r);
			ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_CHILD), 1);
			parts_read(&ps, d.first, d.plain, d.len);
			parts_del(&ps, P_N);
			change_sa(&ps);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
			ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
			ATF_CHECK(sim_logged(d.good, "rekeying failed: the proposal was not "
			    "offered so"));
			/* and the peer hears that nothing came of it */
			ATF_CHECK(d.answers >= 1 && (d.m.has & WIRE_HAS(P_D)));
			duel_free(&d);
		}
		for (r = 0; r < 2; r++) {
			duel_start(&d, 17, GCM, r);
			ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_IKE), 1);
			parts_read(&ps, d.first, d.plain, d.len);
			parts_del(&ps, P_N);
			change_sa(&ps);
			(void)duel_reply(&d, &ps);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK_MSG(sim_logged(d.good, "rekeying the IKE SA failed: the "
			    "answer does not fit the offer"), "answer %d", answer);
			duel_free(&d);
		}
	}
}

/* ---- 14, 15 */

static uint16_t group;

static void
other_group(uint8_t *b, size_t *n)
{
	(void)n;
	b[0] = (uint8_t)(group >> 8);
	b[1] = (uint8_t)group;
}

static void one_less(uint8_t *b, size_t *n) { (void)b; (*n)--; }
static void one_more(uint8_t *b, size_t *n) { b[(*n)++] = 0; }
static void no_value(uint8_t *b, size_t *n) { (void)b; *n = 4; }
static void no_group(uint8_t *b, size_t *n) { (void)b; *n = 1; }

/* Negative test 14: another group than chosen is told which; the length is the group's. */
ATF_TC_WITHOUT_HEAD(n14_group);
ATF_TC_BODY(n14_group, tc)
{
	static void	(*const lengths[])(uint8_t *, size_t *) = { one_less, one_more,
	    no_value, no_group };
	struct parts	ps;
	struct duel	d;
	size_t		i;
	int		r;

	which = P_KE;
	on_body = other_group;
	group = 999;		/* nobody's, so that its length is no question */
	ATF_CHECK_EQ(init_answer(GCM, change_body), N_INVALID_KE_PAYLOAD);
	ATF_CHECK(reply_refused(GCM, change_body));
	for (r = 0; r < 2; r++) {
		duel_start(&d, 18, GCM, r);
		duel_rekey(&d, &ps, 0x1234);
		change_body(&ps);
		ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
		ATF_CHECK(duel_says(&d, N_INVALID_KE_PAYLOAD, 1));
		ATF_CHECK(d.m.notify[0].data.len == 2 && d.m.notify[0].data.p[1] == 31);
		duel_free(&d);
	}
	for (i = 0; i < 4; i++) {
		on_body = lengths[i];
		ATF_CHECK_EQ_MSG(init_answer(GCM, change_body), 0, "length %zu", i);
		ATF_CHECK(reply_refused(GCM, change_body));
		for (r = 0; r < 2; r++) {
			duel_start(&d, 19, GCM, r);
			duel_rekey(&d, &ps, 0x1234);
			change_body(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			ATF_CHECK(duel_says(&d, N_INVALID_SYNTAX, 0));
			duel_free(&d);
		}
	}
}

static void all_zero(uint8_t *b, size_t *n) { memset(b + 4, 0, *n - 4); }
static void all_ones(uint8_t *b, size_t *n) { memset(b + 4, 0xff, *n - 4); }
static void just_one(uint8_t *b, size_t *n) { memset(b + 4, 0, *n - 4); b[*n - 1] = 1; }

/* Values that are no public keys of these groups; crypto's own tests have them all. */
static const struct {
	const char	*extra;
	void		(*value)(uint8_t *, size_t *);
} values[] = {
	{ "group modp2048", all_zero },		/* 0 */
	{ "group modp2048", just_one },		/* 1 */
	{ "group modp2048", all_ones },		/* above p */
	{ "group ecp256", all_zero },
	{ "group ecp256", just_one },		/* not on the curve */
	{ "group ecp256", all_ones },
	{ "group ecp384", all_ones },
	{ "group curve25519", all_zero },	/* the secret is zero */
};
#define NVALUES	(sizeof(values) / sizeof(values[0]))

/* Negative test 15: in IKE_SA_INIT the message is dropped, and a better one may come. */
ATF_TC_WITHOUT_HEAD(n15_values_init);
ATF_TC_BODY(n15_values_init, tc)
{
	char	x[128];
	size_t	i;

	which = P_KE;
	for (i = 0; i < NVALUES; i++) {
		(void)snprintf(x, sizeof(x), "ikesa enc aes-256-gcm prf hmac-sha2-256 %s",
		    values[i].extra);
		on_body = values[i].value;
		ATF_CHECK_EQ_MSG(init_answer(x, change_body), 0, "value %zu", i);
		ATF_CHECK_MSG(reply_refused(x, change_body), "value %zu", i);
	}
}

/* Negative test 15: later it ends the SA, with INVALID_SYNTAX or, for a reply, DELETE
 * (RFC 6989 2.5). */
ATF_TC_WITHOUT_HEAD(n15_values_later);
ATF_TC_BODY(n15_values_later, tc)
{
	static const enum task	tasks[] = { TASK_REKEY_CHILD, TASK_REKEY_IKE };
	struct parts		ps;
	struct duel		d;
	char			x[256];
	size_t			i;
	int			r, k;

	which = P_KE;
	for (i = 0; i < NVALUES; i++)
		for (r = 0; r < 2; r++)
			for (k = 0; k < 2; k++) {
				on_body = values[i].value;
				(void)snprintf(x, sizeof(x), "ikesa enc aes-256-gcm prf "
				    "hmac-sha2-256 %s childsa enc aes-256-gcm %s",
				    values[i].extra, values[i].extra);
				/* good's own request, sent back with that value: as an answer */
				duel_start(&d, 20, x, r);
				ATF_REQUIRE_EQ(duel_provoke(&d, tasks[k]), 1);
				parts_read(&ps, d.first, d.plain, d.len);
				parts_del(&ps, P_N);
				change_body(&ps);
				ATF_CHECK_EQ_MSG(duel_reply(&d, &ps), 1, "%d answers, %zu %d %d", d.answers, i, r, k);
				ATF_CHECK_MSG(d.first == P_D && d.m.del[0].proto == PROTO_IKE,
				    "value %zu: %u", i, d.first);
				sim_run(d.s, 20000);
				ATF_CHECK_EQ(sim_kernel_count(d.good), 2 * sim_established(d.good));
				duel_free(&d);
				/* and as a request: what bad would ask, from its own mouth */
				duel_start(&d, 21, x, !r);
				ATF_REQUIRE_EQ(duel_provoke(&d, tasks[k]), 1);
				parts_read(&ps, d.first, d.plain, d.len);
				parts_del(&ps, P_N);
				duel_free(&d);
				duel_start(&d, 21, x, r);
				change_body(&ps);
				ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
				ATF_CHECK(duel_says(&d, N_INVALID_SYNTAX, 0));
				duel_free(&d);
			}
}

/* ---- 16 */

static const uint8_t	*ke_data;
static size_t		 ke_len;

static void
only_invalid_ke(struct parts *ps)
{
	memset(ps, 0, sizeof(*ps));
	(void)parts_note(ps, -1, N_INVALID_KE_PAYLOAD, ke_data, ke_len);
}

/* The groups of the requests that a sends while each is answered so. */
static int
groups_tried(const char *data, size_t len, char *seen, size_t cap, int *backoff)
{
	struct patch	 t;
	struct sim	*s;
	struct ike_half	*h;
	struct show_tunnel u;
	uint32_t	 at;
	int		 n = 0, i;
	uint16_t	 last = 0;

	ke_data = (const uint8_t *)data;
	ke_len = len;
	s = sim_pair(22, "ondemand", "passive", "ikesa enc aes-256-gcm group curve25519 group "
	    "ecp256 group modp2048");
	memset(&t, 0, sizeof(t));
	t.from = s->n[1];
	t.exch = X_IKE_SA_INIT;
	t.response = 1;
	t.change = only_invalid_ke;
	t.all = 1;
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	seen[0] = '\0';
	for (i = 0; i < 25000; i++) {
		at = 0;
		if ((h = slab_walk(&s->n[0]->e->w.halves, &at, NULL)) == NULL)
			break;
		if (h->group != last) {
			last = h->group;
			n += snprintf(seen + n, cap - (size_t)n, "%u ", last);
		}
		sim_run(s, 1);
	}
	*backoff = sim_tunnel(s->n[0], "b", &u) && u.state == SHOW_BACKOFF;
	i = t.done;
	sim_free(s);
	return (i);
}

/* Negative test 16: no group that was not offered, none twice, no other length; whoever
 * asks so gets no SA, and no weaker group. */
ATF_TC_WITHOUT_HEAD(n16_invalid_ke);
ATF_TC_BODY(n16_invalid_ke, tc)
{
	static const struct {
		const char	*data;
		size_t		 len;
		const char	*seen;
	} g[] = {
		{ "\0\23", 2, "31 19 " },	/* one of ours, again and again: once */
		{ "\0\2", 2, "31 " },		/* never offered */
		{ "\0\37", 2, "31 " },		/* just tried */
		{ "\0\0", 2, "31 " },
		{ "\0\23\0", 3, "31 " },	/* not two octets */
		{ "\23", 1, "31 " },
		{ "", 0, "31 " },
	};
	char	seen[64];
	size_t	i;
	int	backoff, n;

	for (i = 0; i < sizeof(g) / sizeof(g[0]); i++) {
		n = groups_tried(g[i].data, g[i].len, seen, sizeof(seen), &backoff);
		ATF_CHECK_MSG(n >= 1 && n <= 40, "case %zu: %d requests", i, n);
		ATF_CHECK_STREQ(seen, g[i].seen);
		ATF_CHECK_MSG(backoff, "case %zu", i);
	}
}

/* Negative test 16, after AUTH: for a Child and for the IKE SA. */
ATF_TC_WITHOUT_HEAD(n16_later);
ATF_TC_BODY(n16_later, tc)
{
	static const struct {
		const char	*data;
		size_t		 len;
		int		 again;		/* it asks once more */
	} g[] = { { "\0\23", 2, 1 }, { "\0\2", 2, 0 }, { "\0\0", 2, 0 }, { "\0\37", 2, 0 },
	    { "\0\23\0", 3, 0 }, { "\23", 1, 0 }, { "", 0, 0 } };
	static const enum task	tasks[] = { TASK_REKEY_CHILD, TASK_REKEY_IKE };
	struct parts	ps;
	struct duel	d;
	size_t		i;
	int		r, k, n;

	for (i = 0; i < sizeof(g) / sizeof(g[0]); i++)
		for (k = 0; k < 4; k++) {
			r = k & 1;
			duel_start(&d, 23, "ikesa enc aes-256-gcm group curve25519 group "
			    "ecp256 childsa enc aes-256-gcm group curve25519 group ecp256",
			    r);
			ATF_REQUIRE_EQ(duel_provoke(&d, tasks[k >> 1]), 1);
			memset(&ps, 0, sizeof(ps));
			(void)parts_note(&ps, -1, N_INVALID_KE_PAYLOAD, g[i].data, g[i].len);
			ATF_CHECK_EQ_MSG(duel_reply(&d, &ps), g[i].again, "case %zu, %d: %d answers", i, k, d.answers);
			for (n = 0; g[i].again && d.answers == 1 && n < 20; n++) {
				ATF_CHECK(d.m.ke_group == 19);
				d.ike->msgid_in = d.h.msgid;
				(void)duel_reply(&d, &ps);
			}
			ATF_CHECK_MSG(n <= 3, "%d times the same", n);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
			duel_free(&d);
		}
}

/* ---- 17 */

static size_t nonce_len;

static void
nonce_of(uint8_t *b, size_t *n)
{
	memset(b, 0x33, nonce_len);
	*n = nonce_len;
}

/* Negative test 17: 16 to 256 octets, and half the PRF's key. */
ATF_TC_WITHOUT_HEAD(n17_nonce);
ATF_TC_BODY(n17_nonce, tc)
{
	static const char	sha512[] = "ikesa enc aes-256-gcm prf hmac-sha2-512 group "
	    "curve25519";
	static const struct {
		const char	*extra;
		size_t		 len;
		int		 ok;
	} n[] = { { GCM, 0, 0 }, { GCM, 15, 0 }, { GCM, 16, 1 }, { GCM, 256, 1 },
	    { GCM, 257, 0 }, { sha512, 16, 0 }, { sha512, 31, 0 }, { sha512, 32, 1 } };
	struct parts	ps;
	struct duel	d;
	size_t		i;
	int		r;

	which = P_NONCE;
	on_body = nonce_of;
	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		nonce_len = n[i].len;
		ATF_CHECK_EQ_MSG(init_answer(n[i].extra, change_body), n[i].ok ? -1 : 0,
		    "case %zu", i);
		if (!n[i].ok)
			ATF_CHECK(reply_refused(n[i].extra, change_body));
		for (r = 0; r < 4; r++) {
			duel_start(&d, 24, n[i].extra, r & 1);
			if (r & 2)
				duel_child(&d, &ps, 0x20000);
			else
				duel_rekey(&d, &ps, 0x1234);
			change_body(&ps);
			ATF_CHECK_EQ(duel_ask(&d, X_CREATE_CHILD_SA, &ps), 1);
			if (n[i].ok)
				ATF_CHECK((d.m.has & WIRE_HAS(P_SA)) != 0);
			else
				ATF_CHECK_MSG(duel_says(&d, N_INVALID_SYNTAX, 0),
				    "case %zu", i);
			duel_free(&d);
		}
	}
}

/* ---- 18 */

static struct parts	mine;

static void
echo(struct parts *ps)
{
	struct part	*p = parts_find(&mine, which, 0);

	part_set(ps, parts_find(ps, which, 0), p->body, p->len);
}

/* b's reply carries a's own value. */
static int
echo_filter(struct sim *s, struct node *from, struct packet *p)
{
	if (from == s->n[0] && p->p[18] == X_IKE_SA_INIT && mine.n == 0)
		parts_read(&mine, p->p[16], p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN);
	return (patch_filter(s, from, p));
}

/* Negative test 18: our nonce or our KE value from the peer, and our own datagrams. */
ATF_TC_WITHOUT_HEAD(n18_reflected);
ATF_TC_BODY(n18_reflected, tc)
{
	static const uint8_t	own[] = { P_NONCE, P_KE };
	struct parts	ps = { .n = 0 };
	struct patch	t;
	struct sim	*s;
	struct duel	d;
	struct endpoint	src = sim_ep("198.51.100.1", 500), dst = sim_ep("192.0.2.1", 500);
	uint8_t		b[MSG_MAX];
	struct ike_half	*h;
	uint32_t	at = 0;
	size_t		i, n;
	int		r;

	for (i = 0; i < 2; i++) {
		which = own[i];
		memset(&mine, 0, sizeof(mine));
		s = sim_pair(25, "ondemand", "passive", GCM);
		t = (struct patch){ .from = s->n[1], .exch = X_IKE_SA_INIT, .response = 1,
		    .change = echo, .keep = 1 };
		s->filter = echo_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 15);
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK_EQ(t.answers, 0);
		ATF_CHECK(sim_logged(s->n[0], "reply does not fit what we offered: dropped"));
		sim_run(s, 100);
		ATF_CHECK(sim_is_up(s->n[0], "b"));
		sim_free(s);
	}
	/* the request that is out comes back from the peer's address */
	s = sim_pair(26, "ondemand", "passive", GCM);
	s->n[1]->cut = 1;
	sim_cmd(s->n[0], CMD_UP, "b");
	h = slab_walk(&s->n[0]->e->w.halves, &at, NULL);
	ATF_REQUIRE(h != NULL);
	ATF_CHECK(is_dropped(s->n[0], &src, &dst, 0, h->req.msg, h->req.len));
	sim_free(s);
	/* and one of an SA that is up, by way of its own address or the peer's */
	for (r = 0; r < 2; r++) {
		duel_start(&d, 27, "", r);
		src = duel_dst(&d);
		dst = duel_src(&d);
		n = duel_seal(&d, X_INFORMATIONAL, 0, d.ike->msgid_out, &ps, b);
		ATF_CHECK(is_dropped(d.bad, &src, &dst, 0, b, n));
		n = duel_seal(&d, X_CREATE_CHILD_SA, 1, d.ike->msgid_in, &ps, b);
		ATF_CHECK(is_dropped(d.bad, &src, &dst, 0, b, n));
		duel_free(&d);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n10_lies);
	ATF_TP_ADD_TC(tp, n10_many);
	ATF_TP_ADD_TC(tp, n11_key_length);
	ATF_TP_ADD_TC(tp, n12_unacceptable);
	ATF_TP_ADD_TC(tp, n13_answers);
	ATF_TP_ADD_TC(tp, n14_group);
	ATF_TP_ADD_TC(tp, n15_values_init);
	ATF_TP_ADD_TC(tp, n15_values_later);
	ATF_TP_ADD_TC(tp, n16_invalid_ke);
	ATF_TP_ADD_TC(tp, n16_later);
	ATF_TP_ADD_TC(tp, n17_nonce);
	ATF_TP_ADD_TC(tp, n18_reflected);
	return (atf_no_error());
}
