/* SPDX-License-Identifier: ISC */
/*
 * Messages that strongSwan and OpenIKED really sent: they decode to what those
 * peers logged, encode to the same octets again, and lead from the
 * recorded Diffie-Hellman secret to the keys both peers and their kernels used.
 */

#include "crypto/crypto.h"
#include "wire/wire.h"
#include "unit/vec.h"

static const char *const exchanges[] = {
	"iked-iked-cbcsha512", "iked-iked-default", "swan-swan-cbc256",
	"swan-swan-chacha", "swan-swan-default", "swan-swan-gcm"
};
#define NEXCHANGES	(sizeof(exchanges) / sizeof(exchanges[0]))

/* One exchange, decoded as far as it is known. */
struct x {
	struct vec	 v;
	struct crypto	*c;
	struct span	 m[4];		/* the datagrams */
	struct wire_hdr	 h[4];
	struct wire_msg	 w[4];		/* what is outside SK */
	uint8_t		*plain[4];
	size_t		 plainlen[4];
	struct wire_msg	 in[4];		/* what is inside */
	struct suite	 ike, esp;
	struct ike_keys	 k;
};

/* The one transform of that type in an answer. */
static const struct xform *
chosen(const struct wire_msg *m, uint8_t type)
{
	uint8_t	i;

	for (i = 0; i < m->sa.p[0].nxforms; i++)
		if (m->sa.p[0].xf[i].type == type)
			return (&m->sa.p[0].xf[i]);
	return (NULL);
}

static void
suite_of(const struct wire_msg *m, struct suite *s)
{
	const struct xform	*x;

	ATF_REQUIRE_EQ(m->sa.n, 1);
	memset(s, 0, sizeof(*s));
	ATF_REQUIRE((x = chosen(m, XF_ENCR)) != NULL);
	s->encr = x->id;
	s->encr_keybits = x->keybits;
	if ((x = chosen(m, XF_PRF)) != NULL)
		s->prf = x->id;
	if ((x = chosen(m, XF_INTEG)) != NULL)
		s->integ = x->id;
	if ((x = chosen(m, XF_KE)) != NULL)
		s->ke = x->id;
}

static void
x_outer(struct x *x, int i)
{
	static const char *const names[4] = { "m1", "m2", "m3", "m4" };
	const char	*why;

	x->m[i] = vec_hex(&x->v, names[i]);
	ATF_REQUIRE_EQ(wire_hdr_decode(x->m[i].p, x->m[i].len, &x->h[i]), 0);
	ATF_REQUIRE_EQ_MSG(wire_decode(x->h[i].next, x->m[i].p + WIRE_HDRLEN,
	    x->m[i].len - WIRE_HDRLEN, WIRE_HDRLEN, &x->w[i], &why), WIRE_OK,
	    "%s %s: %s", vec_str(&x->v, "id"), names[i], why);
}

static void
x_keys(struct x *x)
{
	suite_of(&x->w[1], &x->ike);
	ATF_REQUIRE_EQ(ike_keys_derive(x->c, &x->ike, vec_hex(&x->v, "secret"),
	    x->w[0].nonce, x->w[1].nonce, x->h[1].spii, x->h[1].spir, NULL,
	    &x->k), 0);
}

static void
x_inner(struct x *x, int i)
{
	const struct wire_msg	*o = &x->w[i];
	const char		*why;

	ATF_REQUIRE(o->has == WIRE_HAS(P_SK));
	x->plain[i] = malloc(o->sk.len);
	ATF_REQUIRE(x->plain[i] != NULL);
	ATF_REQUIRE_EQ(sk_open(x->c, &x->k, i == 2, x->m[i].p, o->sk_off + 4,
	    o->sk, x->plain[i], &x->plainlen[i]), 0);
	ATF_REQUIRE_EQ_MSG(wire_decode(o->sk_first, x->plain[i], x->plainlen[i], 0,
	    &x->in[i], &why), WIRE_OK, "%s: %s", vec_str(&x->v, "id"), why);
}

static struct x *
x_open(const char *name)
{
	struct x	*x = calloc(1, sizeof(*x));
	char		 path[128];
	int		 i;

	ATF_REQUIRE(x != NULL && (x->c = crypto_new(NULL)) != NULL);
	snprintf(path, sizeof(path), "exchanges/%s.txt", name);
	vec_open(&x->v, path);
	ATF_REQUIRE_EQ(vec_next(&x->v), 1);
	for (i = 0; i < 4; i++)
		x_outer(x, i);
	x_keys(x);
	x_inner(x, 2);
	x_inner(x, 3);
	suite_of(&x->in[3], &x->esp);
	return (x);
}

static void
x_close(struct x *x)
{
	free(x->plain[2]);
	free(x->plain[3]);
	ATF_CHECK_EQ(vec_next(&x->v), 0);
	crypto_free(x->c);
	free(x);
}

ATF_TC_WITHOUT_HEAD(headers);
ATF_TC_BODY(headers, tc)
{
	struct x	*x;
	size_t		 i;
	int		 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 0; j < 4; j++) {
			ATF_CHECK_EQ(x->h[j].major, 2);
			ATF_CHECK_EQ(x->h[j].minor, 0);
			ATF_CHECK_EQ(x->h[j].exch,
			    j < 2 ? X_IKE_SA_INIT : X_IKE_AUTH);
			ATF_CHECK_EQ(x->h[j].msgid, (uint32_t)j / 2);
			ATF_CHECK_EQ(x->h[j].flags,
			    j % 2 == 0 ? WIRE_F_INITIATOR : WIRE_F_RESPONSE);
			ATF_CHECK_EQ(x->h[j].spii, x->h[0].spii);
			ATF_CHECK_EQ(x->h[j].spir, j == 0 ? 0 : x->h[1].spir);
			ATF_CHECK_EQ(x->h[j].len, x->m[j].len);
		}
		x_close(x);
	}
}

/* SK_* as the peer's log has them; SKEYSEED on the way there. */
ATF_TC_WITHOUT_HEAD(keys);
ATF_TC_BODY(keys, tc)
{
	static const struct { const char *name; size_t off; } f[] = {
		{ "sk_d", offsetof(struct ike_keys, d) },
		{ "sk_ai", offsetof(struct ike_keys, ai) },
		{ "sk_ar", offsetof(struct ike_keys, ar) },
		{ "sk_ei", offsetof(struct ike_keys, ei) },
		{ "sk_er", offsetof(struct ike_keys, er) },
		{ "sk_pi", offsetof(struct ike_keys, pi) },
		{ "sk_pr", offsetof(struct ike_keys, pr) },
	};
	struct x	*x;
	struct span	 s, secret;
	uint8_t		 ninr[512], out[PRF_MAXLEN];
	size_t		 i, j, checked = 0;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		memcpy(ninr, x->w[0].nonce.p, x->w[0].nonce.len);
		memcpy(ninr + x->w[0].nonce.len, x->w[1].nonce.p,
		    x->w[1].nonce.len);
		secret = vec_hex(&x->v, "secret");
		ATF_REQUIRE_EQ(prf(x->c, x->ike.prf, (struct span){ ninr,
		    x->w[0].nonce.len + x->w[1].nonce.len }, &secret, 1, out), 0);
		s = vec_hex(&x->v, "skeyseed");
		VEC_EQ(&x->v, s, out, prf_len(x->ike.prf));
		for (j = 0; j < sizeof(f) / sizeof(f[0]); j++) {
			if (vec_find(&x->v, f[j].name) == -1)
				continue;
			s = vec_hex(&x->v, f[j].name);
			VEC_EQ(&x->v, s, (uint8_t *)&x->k + f[j].off, s.len);
			checked++;
		}
		x_close(x);
	}
	/* three with integrity keys, three AEADs without */
	ATF_CHECK_EQ(checked, 3 * 7 + 3 * 5);
}

/* AUTH of both sides, checked with the pre-shared key they had. */
ATF_TC_WITHOUT_HEAD(auth);
ATF_TC_BODY(auth, tc)
{
	struct x	*x;
	struct span	 body, macid, psk, id;
	uint8_t		 mac[PRF_MAXLEN], out[PRF_MAXLEN], idbuf[4 + ID_MAXLEN];
	const char	*name;
	size_t		 i, n;
	int		 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		n = prf_len(x->ike.prf);
		psk = vec_hex(&x->v, "psk");
		for (j = 0; j < 2; j++) {
			const struct wire_msg *in = &x->in[2 + j];
			const struct ident *who = j == 0 ? &in->idi : &in->idr;

			ATF_REQUIRE(in->has & WIRE_HAS(P_AUTH));
			ATF_CHECK_EQ(in->auth_method, AUTH_PSK);
			body = j == 0 ? in->idi_body : in->idr_body;
			name = vec_str(&x->v, j == 0 ? "id_i" : "id_r");
			ATF_CHECK(who->type == ID_FQDN &&
			    who->len == strlen(name) &&
			    memcmp(who->data, name, who->len) == 0);
			id = (struct span){ idbuf, wire_id_body(who, idbuf) };
			VEC_EQ(&x->v, id, body.p, body.len);
			ATF_REQUIRE_EQ(prf(x->c, x->ike.prf, (struct span){
			    j == 0 ? x->k.pi : x->k.pr, n }, &body, 1, mac), 0);
			macid = (struct span){ mac, n };
			ATF_REQUIRE_EQ(psk_auth(x->c, x->ike.prf, psk,
			    (struct span[]){ x->m[j], x->w[1 - j].nonce, macid }, 3,
			    out), 0);
			VEC_EQ(&x->v, in->auth, out, n);
			out[0] ^= 1;
			ATF_CHECK(!crypto_equal(in->auth.p, out, n));
		}
		x_close(x);
	}
}

static void
child_key(struct x *x, const char *log, const char *kernel, const uint8_t *got)
{
	struct span	s;

	if (vec_find(&x->v, kernel) != -1) {
		s = vec_hex(&x->v, kernel);
		VEC_EQ(&x->v, s, got, s.len);
	}
	if (vec_find(&x->v, log) != -1) {
		s = vec_hex(&x->v, log);
		VEC_EQ(&x->v, s, got, s.len);
	}
}

/* KEYMAT as logged and as the kernel had it, with the SPIs of the proposals. */
ATF_TC_WITHOUT_HEAD(child);
ATF_TC_BODY(child, tc)
{
	struct x		*x;
	struct child_keys	 ck;
	size_t			 i;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		ATF_REQUIRE_EQ(child_keys_derive(x->c, &x->k, &x->esp,
		    (struct span){ NULL, 0 }, x->w[0].nonce, x->w[1].nonce, &ck), 0);
		child_key(x, "child_enc_i", "kernel_enc_i", ck.encr_i);
		child_key(x, "child_enc_r", "kernel_enc_r", ck.encr_r);
		child_key(x, "child_int_i", "kernel_int_i", ck.integ_i);
		child_key(x, "child_int_r", "kernel_int_r", ck.integ_r);
		ATF_CHECK(vec_hex(&x->v, "kernel_enc_i").len ==
		    xform_info(XF_ENCR, x->esp.encr, x->esp.encr_keybits)->keylen);
		/* a side's SPI is the one the other sends to */
		ATF_CHECK_EQ(x->in[2].sa.p[0].spi, vec_u64(&x->v, "kernel_spi_r"));
		ATF_CHECK_EQ(x->in[3].sa.p[0].spi, vec_u64(&x->v, "kernel_spi_i"));
		ATF_CHECK_EQ(x->in[3].sa.p[0].proto, PROTO_ESP);
		ATF_CHECK_EQ(x->in[3].sa.p[0].spilen, 4);
		x_close(x);
	}
}

/* The hash of the address that was sent to; each sees the other's. */
ATF_TC_WITHOUT_HEAD(natd);
ATF_TC_BODY(natd, tc)
{
	static const uint8_t		 a[4] = { 192, 0, 2, 1 }, b[4] = { 192, 0, 2, 2 };
	const struct wire_notify	*n;
	struct x			*x;
	uint8_t				 out[20];
	size_t				 i;
	int				 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 0; j < 2; j++) {
			n = wire_notify(&x->w[j], N_NAT_DETECTION_DESTINATION_IP);
			ATF_REQUIRE(n != NULL && n->data.len == 20);
			ATF_REQUIRE_EQ(natd_hash(x->c, x->h[j].spii, x->h[j].spir,
			    j == 0 ? b : a, 4, 500, out), 0);
			ATF_CHECK(memcmp(n->data.p, out, 20) == 0);
		}
		ATF_CHECK(wire_error(&x->w[0]) == NULL &&
		    wire_error(&x->w[1]) == NULL);
		x_close(x);
	}
}

/* The nets of the tunnel both asked for. */
ATF_TC_WITHOUT_HEAD(selectors);
ATF_TC_BODY(selectors, tc)
{
	struct x	*x;
	char		 s[TS_STRLEN];
	size_t		 i;
	int		 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 2; j < 4; j++) {
			ATF_CHECK_EQ(x->in[j].tsi.n, 1);
			ATF_CHECK_EQ(x->in[j].tsr.n, 1);
			ATF_CHECK_EQ(x->in[j].tsi_skipped, 0);
			ATF_CHECK_EQ(x->in[j].tsr_skipped, 0);
			ATF_CHECK_STREQ(ts_str(&x->in[j].tsi.t[0], s),
			    "10.1.0.0/24");
			ATF_CHECK_STREQ(ts_str(&x->in[j].tsr.t[0], s),
			    "10.2.0.0/24");
		}
		ATF_CHECK(tslist_equal(&x->in[2].tsi, &x->in[3].tsi));
		x_close(x);
	}
}

/*
 * Writes each payload from its decoded value, in the order of the
 * original.  What wire.h has no encoder for fails.
 */
static void
reencode(struct wire_enc *e, uint8_t type, const uint8_t *p, size_t len,
    const struct wire_msg *m)
{
	const struct wire_notify	*n;
	const struct wire_delete	*d;
	uint8_t				 nn = 0, nd = 0;

	while (type != P_NONE) {
		size_t	plen;

		ATF_REQUIRE(len >= 4);
		plen = (size_t)p[2] << 8 | p[3];
		ATF_REQUIRE(plen >= 4 && plen <= len);
		switch (type) {
		case P_SA:
			wire_put_sa(e, &m->sa);
			break;
		case P_KE:
			wire_put_ke(e, m->ke_group, m->ke.p, m->ke.len);
			break;
		case P_NONCE:
			wire_put_nonce(e, m->nonce.p, m->nonce.len);
			break;
		case P_IDI:
			wire_put_id(e, P_IDI, &m->idi);
			break;
		case P_IDR:
			wire_put_id(e, P_IDR, &m->idr);
			break;
		case P_AUTH:
			wire_put_auth(e, m->auth_method, m->auth.p, m->auth.len);
			break;
		case P_TSI:
			wire_put_ts(e, P_TSI, &m->tsi);
			break;
		case P_TSR:
			wire_put_ts(e, P_TSR, &m->tsr);
			break;
		case P_N:
			n = &m->notify[nn++];
			wire_put_notify(e, n->proto, n->spilen, n->spi, n->type,
			    n->data.p, n->data.len);
			break;
		case P_D:
			d = &m->del[nd++];
			wire_put_delete(e, d->proto, d->spilen, d->spi, d->nspis);
			break;
		case P_V:
			wire_put_vendor(e, p + 4, plen - 4);
			break;
		default:
			atf_tc_fail("payload %s cannot be encoded",
			    wire_payload_name(type));
		}
		type = p[0];
		p += plen;
		len -= plen;
	}
	ATF_CHECK_EQ(nn, m->nnotify);
	ATF_CHECK_EQ(nd, m->ndelete);
}

ATF_TC_WITHOUT_HEAD(encode_outer);
ATF_TC_BODY(encode_outer, tc)
{
	struct x	*x;
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		 buf[2048];
	size_t		 i;
	int		 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 0; j < 2; j++) {
			wbuf_init(&w, buf, sizeof(buf));
			wire_begin(&e, &w, &x->h[j]);
			reencode(&e, x->h[j].next, x->m[j].p + WIRE_HDRLEN,
			    x->m[j].len - WIRE_HDRLEN, &x->w[j]);
			ATF_REQUIRE_EQ(wire_end(&e), 0);
			VEC_EQ(&x->v, x->m[j], buf, w.len);
		}
		x_close(x);
	}
}

/*
 * The whole protected message again, IV and all: the same octets, but with CBC,
 * whose padding both peers fill at random.  There the inner chain is
 * the same, and the outer one up to the SK payload and in length.
 */
ATF_TC_WITHOUT_HEAD(encode_inner);
ATF_TC_BODY(encode_inner, tc)
{
	struct x	*x;
	struct wire_enc	 e, in;
	struct wbuf	 w, wi;
	struct span	 inner;
	uint8_t		 buf[2048], ibuf[2048], *room;
	size_t		 i, n, same = 0;
	int		 j;

	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 2; j < 4; j++) {
			wbuf_init(&wi, ibuf, sizeof(ibuf));
			wire_inner_begin(&in, &wi);
			reencode(&in, x->w[j].sk_first, x->plain[j],
			    x->plainlen[j], &x->in[j]);
			ATF_REQUIRE_EQ(wire_end(&in), 0);
			ATF_CHECK_EQ(in.first, x->w[j].sk_first);
			inner = (struct span){ x->plain[j], x->plainlen[j] };
			VEC_EQ(&x->v, inner, ibuf, wi.len);

			wbuf_init(&w, buf, sizeof(buf));
			wire_begin(&e, &w, &x->h[j]);
			n = sk_len(&x->k, wi.len);
			room = wire_put_sk(&e, in.first, n);
			ATF_REQUIRE(room == buf + x->w[j].sk_off + 4);
			ATF_REQUIRE_EQ(sk_seal(x->c, &x->k, j == 2, buf,
			    (size_t)(room - buf), (struct span){ ibuf, wi.len },
			    x->w[j].sk.p), 0);
			ATF_CHECK_EQ(w.len, x->m[j].len);
			ATF_CHECK(memcmp(buf, x->m[j].p, x->w[j].sk_off + 4) == 0);
			if (memcmp(buf, x->m[j].p, w.len) == 0)
				same++;
			else
				ATF_CHECK_EQ(x->k.encr, ENCR_AES_CBC);
		}
		x_close(x);
	}
	/* the three AEAD exchanges, both messages */
	ATF_CHECK_EQ(same, 6);
}

/* Any one octet missing from the end of a message, header put right. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct x	*x;
	struct wire_msg	*m = malloc(sizeof(*m));
	const char	*why;
	uint8_t		*copy;
	size_t		 i, n;
	int		 j;

	ATF_REQUIRE(m != NULL);
	for (i = 0; i < NEXCHANGES; i++) {
		x = x_open(exchanges[i]);
		for (j = 0; j < 4; j++)
			for (n = WIRE_HDRLEN; n < x->m[j].len; n++) {
				copy = malloc(n);
				ATF_REQUIRE(copy != NULL);
				memcpy(copy, x->m[j].p, n);
				ATF_CHECK_EQ(wire_decode(x->h[j].next,
				    copy + WIRE_HDRLEN, n - WIRE_HDRLEN,
				    WIRE_HDRLEN, m, &why), WIRE_MALFORMED);
				ATF_CHECK(why != NULL);
				free(copy);
			}
		x_close(x);
	}
	free(m);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, headers);
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, auth);
	ATF_TP_ADD_TC(tp, child);
	ATF_TP_ADD_TC(tp, natd);
	ATF_TP_ADD_TC(tp, selectors);
	ATF_TP_ADD_TC(tp, encode_outer);
	ATF_TP_ADD_TC(tp, encode_inner);
	ATF_TP_ADD_TC(tp, truncated);
	return (atf_no_error());
}
