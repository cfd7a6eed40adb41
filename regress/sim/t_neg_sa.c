/* SPDX-License-Identifier: ISC */
/* Negative tests 10 to 13: SA, through the whole engine. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bent.h"

#define GCM	"ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519 "
#define CBC	"ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519 "

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

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n10_lies);
	ATF_TP_ADD_TC(tp, n10_many);
	ATF_TP_ADD_TC(tp, n11_key_length);
	ATF_TP_ADD_TC(tp, n12_unacceptable);
	ATF_TP_ADD_TC(tp, n13_answers);
	return (atf_no_error());
}
