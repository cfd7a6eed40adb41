/* SPDX-License-Identifier: ISC */
/* keys computes AUTH over an IKE_SA_INIT of the right direction, and nothing else. */
#include <atf-c.h>
#include <string.h>

#include "proc/keys_auth.h"
#include "wire/wire.h"

static uint8_t own[32], other[32], macid[32], ke[32], mac[64];
static uint8_t octets[2048];

/* An IKE_SA_INIT message, complete but for what the flags leave out. */
#define NO_KE		1
#define NO_NONCE	2
#define FULL		4	/* says that AUTH goes over both messages */
static struct span
message(uint8_t exch, uint8_t flags, uint64_t spir, uint32_t msgid, int without)
{
	struct proposal prop;
	struct wire_hdr h;
	struct wire_enc e;
	struct wbuf w;

	memset(&prop, 0, sizeof(prop));
	prop.num = 1;
	prop.proto = PROTO_IKE;
	prop.nxforms = 1;
	prop.xf[0].type = XF_PRF;
	prop.xf[0].id = PRF_HMAC_SHA2_256;
	memset(&h, 0, sizeof(h));
	h.spii = 0x1122334455667788ULL;
	h.spir = spir;
	h.major = 2;
	h.exch = exch;
	h.flags = flags;
	h.msgid = msgid;
	wbuf_init(&w, octets, sizeof(octets));
	wire_begin(&e, &w, &h);
	wire_put_sa1(&e, &prop);
	if (!(without & NO_KE))
		wire_put_ke(&e, KE_X25519, ke, sizeof(ke));
	if (!(without & NO_NONCE))
		wire_put_nonce(&e, own, sizeof(own));
	if (without & FULL)
		wire_put_notify(&e, PROTO_NONE, 0, 0,
		    N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, NULL, 0);
	ATF_REQUIRE_EQ(0, wire_end(&e));
	return ((struct span){ octets, w.len });
}

/* The answer to it, with the nonce `other'. */
static uint8_t octets2[2048];
static struct span
answer(uint8_t flags, int without)
{
	struct span s;
	uint8_t keep[32], keepoctets[2048];

	memcpy(keep, own, sizeof(keep));
	memcpy(keepoctets, octets, sizeof(keepoctets));
	memcpy(own, other, sizeof(own));
	s = message(X_IKE_SA_INIT, flags, flags & WIRE_F_RESPONSE ? 5 : 0, 0,
	    without);
	memcpy(octets2, octets, s.len);
	s.p = octets2;
	memcpy(own, keep, sizeof(own));
	memcpy(octets, keepoctets, sizeof(octets));
	return (s);
}

static void
good(struct keys_req *q)
{
	memset(own, 1, sizeof(own));
	memset(other, 2, sizeof(other));
	memset(macid, 3, sizeof(macid));
	memset(ke, 9, sizeof(ke));
	memset(q, 0, sizeof(*q));
	q->token = 77;
	q->op = KEYS_SIGN;
	q->initiator = 1;
	q->prf = PRF_HMAC_SHA2_256;
	q->method = AUTH_PSK;
	q->msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, 0);
	q->nonce = (struct span){ other, sizeof(other) };
	q->macid = (struct span){ macid, sizeof(macid) };
}

static void
refused(const struct keys_req *q)
{
	const char *why = NULL;

	ATF_REQUIRE_EQ(-1, keys_auth_form(q, &why));
	ATF_REQUIRE(why != NULL);
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(form);
ATF_TC_BODY(form, tc)
{
	struct keys_req q;
	const char *why;

	(void)tc;
	good(&q);
	ATF_REQUIRE_EQ_MSG(0, keys_auth_form(&q, &why), "%s", why);
	q.initiator = 0;			/* of the other direction */
	refused(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_RESPONSE, 5, 0, 0);
	ATF_REQUIRE_EQ_MSG(0, keys_auth_form(&q, &why), "%s", why);
	q.initiator = 1;
	refused(&q);
	good(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 1, 0, 0);
	refused(&q);
	q.msg = message(X_IKE_AUTH, WIRE_F_INITIATOR, 0, 0, 0);
	refused(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 1, 0);
	refused(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, NO_KE);
	refused(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, NO_NONCE);
	refused(&q);
	good(&q);
	q.msg.len--;
	refused(&q);
	q.msg.len = 0;
	refused(&q);
	good(&q);
	q.nonce.len = 15;
	refused(&q);
	good(&q);
	q.nonce.p = own;		/* one's own nonce twice */
	refused(&q);
	good(&q);
	q.macid.len = 31;
	refused(&q);
	good(&q);
	q.prf = 4711;
	refused(&q);
	good(&q);
	q.method = AUTH_NULL;
	refused(&q);
	good(&q);
	q.op = KEYS_VERIFY;
	q.auth = (struct span){ mac, 31 };
	refused(&q);
}

/* Both messages of one conversation, or none. */
ATF_TC_WITHOUT_HEAD(full);
ATF_TC_BODY(full, tc)
{
	struct keys_req q, r;
	struct keys_ans a, b;
	struct crypto *cr;
	struct span psk = { (const uint8_t *)"a secret of some length", 23 };
	const char *why;

	(void)tc;
	good(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, FULL);
	q.other = answer(WIRE_F_RESPONSE, FULL);
	ATF_REQUIRE_EQ_MSG(0, keys_auth_form(&q, &why), "%s", why);
	/* it is not the AUTH over one of them */
	ATF_REQUIRE((cr = crypto_new(NULL)) != NULL);
	keys_auth(cr, &q, psk, &a);
	r = q;
	r.other.len = 0;
	keys_auth(cr, &r, psk, &b);
	ATF_REQUIRE(a.ok == 1 && b.ok == 1 && memcmp(a.auth, b.auth, 32) != 0);
	crypto_free(cr);
	/* two of one direction; cut; one side has not said it, or the other */
	q.other = answer(WIRE_F_INITIATOR, FULL);
	refused(&q);
	q.other = answer(WIRE_F_RESPONSE, FULL);
	q.other.len--;
	refused(&q);
	q.other = answer(WIRE_F_RESPONSE, 0);
	refused(&q);
	q.other = answer(WIRE_F_RESPONSE, FULL | NO_NONCE);
	refused(&q);
	q.other = answer(WIRE_F_RESPONSE, FULL);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, 0);
	refused(&q);
	q.msg = message(X_IKE_SA_INIT, WIRE_F_INITIATOR, 0, 0, FULL);
	ATF_REQUIRE_EQ_MSG(0, keys_auth_form(&q, &why), "%s", why);
	/* of another IKE_SA_INIT: its SPIi, its nonce */
	octets2[7] ^= 1;
	refused(&q);
	octets2[7] ^= 1;
	q.nonce = (struct span){ macid, sizeof(macid) };
	refused(&q);
	q.nonce = (struct span){ other, sizeof(other) };
	/* the responder's, and not the other way round */
	r = q;
	r.initiator = 0;
	refused(&r);
	r.msg = q.other;
	r.other = q.msg;
	r.nonce = (struct span){ own, sizeof(own) };
	ATF_REQUIRE_EQ_MSG(0, keys_auth_form(&r, &why), "%s", why);
	r.initiator = 1;
	refused(&r);
}

ATF_TC_WITHOUT_HEAD(compute);
ATF_TC_BODY(compute, tc)
{
	struct span psk = { (const uint8_t *)"a secret of some length", 23 };
	struct span bad = { (const uint8_t *)"a secret of other words", 23 };
	struct span none = { NULL, 0 };
	struct crypto *cr;
	struct keys_req q;
	struct keys_ans a;

	(void)tc;
	ATF_REQUIRE((cr = crypto_new(NULL)) != NULL);
	good(&q);
	keys_auth(cr, &q, psk, &a);
	ATF_REQUIRE_EQ(1, a.ok);
	ATF_REQUIRE_EQ(77, a.token);
	ATF_REQUIRE_EQ(32, a.len);
	memcpy(mac, a.auth, 32);
	ATF_REQUIRE_EQ(0, psk_auth(cr, q.prf, psk, (struct span[]){ q.msg,
	    q.nonce, q.macid }, 3, mac + 32));
	ATF_REQUIRE_EQ(0, memcmp(mac, mac + 32, 32));
	q.op = KEYS_VERIFY;
	q.auth = (struct span){ mac, 32 };
	keys_auth(cr, &q, psk, &a);
	ATF_REQUIRE_EQ(1, a.ok);
	ATF_REQUIRE_EQ(0, a.len);
	keys_auth(cr, &q, bad, &a);
	ATF_REQUIRE_EQ(0, a.ok);
	keys_auth(cr, &q, none, &a);
	ATF_REQUIRE_EQ(0, a.ok);
	mac[31] ^= 1;
	keys_auth(cr, &q, psk, &a);
	ATF_REQUIRE_EQ(0, a.ok);
	q.op = KEYS_SIGN;
	keys_auth(cr, &q, none, &a);
	ATF_REQUIRE_EQ(0, a.ok);
	ATF_REQUIRE_EQ(0, a.len);
	crypto_free(cr);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, form);
	ATF_TP_ADD_TC(tp, full);
	ATF_TP_ADD_TC(tp, compute);
	return (atf_no_error());
}
