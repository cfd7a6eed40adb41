/* SPDX-License-Identifier: ISC */
/* prf, prf+ and the keys made by them, against published vectors. */

#include <sys/socket.h>

#include <arpa/inet.h>

#include "crypto/crypto_local.h"
#include "proc/keys_auth.h"
#include "unit/vec.h"

static struct crypto *
fresh(void)
{
	struct crypto	*c = crypto_new(NULL);

	if (c == NULL)
		atf_tc_fail("crypto_new failed");
	return (c);
}

static struct span
cut(struct span s, size_t n)
{
	return ((struct span){ s.p, s.len < n ? s.len : n });
}

ATF_TC_WITHOUT_HEAD(hmac);
ATF_TC_BODY(hmac, tc)
{
	struct crypto	*c = fresh();
	struct hash	*h;
	struct vec	 v;
	const char	*alg;
	struct span	 data, out;
	uint8_t		 full[PRF_MAXLEN];
	int		 n = 0;

	for (vec_open(&v, "vectors/hmac.txt"); vec_next(&v); n++) {
		alg = vec_str(&v, "alg");
		h = hash_byprf(c, strstr(alg, "SHA2_256") ? PRF_HMAC_SHA2_256 :
		    strstr(alg, "SHA2_384") ? PRF_HMAC_SHA2_384 :
		    strstr(alg, "SHA2_512") ? PRF_HMAC_SHA2_512 : PRF_HMAC_SHA1);
		data = vec_hex(&v, "data");
		out = vec_hex(&v, "out");
		ATF_REQUIRE_EQ(hash_hmac(h, vec_hex(&v, "key"), &data, 1, full), 0);
		ATF_REQUIRE(out.len >= 12 && out.len <= h->len);
		VEC_EQ(&v, out, full, out.len);
		if (strncmp(alg, "PRF_", 4) == 0) {
			ATF_REQUIRE_EQ(prf(c, h->prf, vec_hex(&v, "key"), &data,
			    1, full), 0);
			VEC_EQ(&v, out, full, prf_len(h->prf));
		}
	}
	ATF_CHECK_EQ(n, 35);
	crypto_free(c);
}

/* The pieces of the data may be cut anywhere, and a key may be empty. */
ATF_TC_WITHOUT_HEAD(pieces);
ATF_TC_BODY(pieces, tc)
{
	struct crypto	*c = fresh();
	uint8_t		 text[64], a[PRF_MAXLEN], b[PRF_MAXLEN];
	struct span	 one = { text, sizeof(text) }, two[3];
	struct span	 key = { text, 32 }, none = { NULL, 0 };
	size_t		 i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	ATF_REQUIRE_EQ(prf(c, PRF_HMAC_SHA2_384, key, &one, 1, a), 0);
	for (i = 0; i <= sizeof(text); i++) {
		two[0] = (struct span){ text, i };
		two[1] = none;
		two[2] = (struct span){ text + i, sizeof(text) - i };
		ATF_REQUIRE_EQ(prf(c, PRF_HMAC_SHA2_384, key, two, 3, b), 0);
		ATF_CHECK(memcmp(a, b, 48) == 0);
	}
	/* an empty key is not the last key */
	ATF_REQUIRE_EQ(prf(c, PRF_HMAC_SHA2_384, none, &one, 1, b), 0);
	ATF_CHECK(memcmp(a, b, 48) != 0);
	ATF_CHECK_EQ(prf(c, 4, key, &one, 1, b), -1);
	ATF_CHECK_EQ(prf_len(4), 0);
	crypto_free(c);
}

ATF_TC_WITHOUT_HEAD(prf_plus_limit);
ATF_TC_BODY(prf_plus_limit, tc)
{
	struct crypto	*c = fresh();
	static uint8_t	 out[255 * 20 + 1];
	uint8_t		 k[20] = { 1 };
	struct span	 key = { k, sizeof(k) };

	/* 255 rounds and no more (2.13) */
	ATF_CHECK_EQ(prf_plus(c, PRF_HMAC_SHA1, key, key, out, 255 * 20), 0);
	ATF_CHECK_EQ(prf_plus(c, PRF_HMAC_SHA1, key, key, out, 255 * 20 + 1), -1);
	ATF_CHECK_EQ(prf_plus(c, 4, key, key, out, 20), -1);
	crypto_free(c);
}

/*
 * CAVS: one case.  The suites are the widest ones IKE has, and of their keys
 * as much is compared as the file gives.
 */
struct cavs {
	uint16_t	prf, integ;
	unsigned	dkm, child;	/* octets */
	struct vec	v;
};

static void
cavs_primitives(struct crypto *c, struct cavs *t, struct span ninr)
{
	struct vec	*v = &t->v;
	struct span	 secret = vec_hex(v, "g^ir"), data[3], seed;
	struct span	 ss = vec_hex(v, "SKEYSEED"), dkm = vec_hex(v, "DKM");
	struct span	 child = vec_hex(v, "DKM(Child SA)");
	struct span	 rekey = vec_hex(v, "SKEYSEED(Rekey)"), d;
	uint8_t		 buf[1024], mat[1024], out[PRF_MAXLEN];

	ATF_REQUIRE_EQ(prf(c, t->prf, ninr, &secret, 1, out), 0);
	VEC_EQ(v, ss, out, prf_len(t->prf));
	ATF_REQUIRE(ninr.len + 16 <= sizeof(buf));
	memcpy(buf, ninr.p, ninr.len);
	memcpy(buf + ninr.len, vec_hex(v, "SPIi").p, 8);
	memcpy(buf + ninr.len + 8, vec_hex(v, "SPIr").p, 8);
	seed = (struct span){ buf, ninr.len + 16 };
	ATF_REQUIRE(dkm.len == t->dkm && child.len == t->child);
	ATF_REQUIRE_EQ(prf_plus(c, t->prf, ss, seed, mat, dkm.len), 0);
	VEC_EQ(v, dkm, mat, dkm.len);
	d = cut(dkm, prf_len(t->prf));
	ATF_REQUIRE_EQ(prf_plus(c, t->prf, d, ninr, mat, child.len), 0);
	VEC_EQ(v, child, mat, child.len);
	data[0] = vec_hex(v, "g^ir (new)");
	data[1] = ninr;
	ATF_REQUIRE_EQ(prf(c, t->prf, d, data, 2, out), 0);
	VEC_EQ(v, rekey, out, prf_len(t->prf));
}

static size_t
append(uint8_t *dst, size_t at, const uint8_t *p, size_t n)
{
	memcpy(dst + at, p, n);
	return (at + n);
}

static void
cavs_keys(struct crypto *c, struct cavs *t, struct span ninr)
{
	struct vec		*v = &t->v;
	struct span		 ni = vec_hex(v, "Ni"), nr = vec_hex(v, "Nr");
	struct span		 none = { NULL, 0 }, seed, rekeyed, dh, dkm, child;
	struct suite		 s = { .encr = ENCR_AES_CBC, .encr_keybits = 256 };
	struct ike_keys		 k, k2;
	struct child_keys	 ck;
	uint64_t		 spii = vec_u64(v, "SPIi"), spir = vec_u64(v, "SPIr");
	size_t			 p = prf_len(t->prf), n;
	uint8_t			 got[7 * KEY_MAXLEN], buf[1024];

	s.prf = t->prf;
	s.integ = t->integ;
	ATF_REQUIRE_EQ(ike_keys_derive(c, &s, vec_hex(v, "g^ir"), ni, nr, spii,
	    spir, NULL, &k), 0);
	n = append(got, 0, k.d, p);
	n = append(got, n, k.ai, p);
	n = append(got, n, k.ar, p);
	n = append(got, n, k.ei, 32);
	n = append(got, n, k.er, 32);
	n = append(got, n, k.pi, p);
	n = append(got, n, k.pr, p);
	dkm = cut(vec_hex(v, "DKM"), n);
	VEC_EQ(v, dkm, got, dkm.len);
	ATF_CHECK(k.prf == t->prf && k.encr == ENCR_AES_CBC &&
	    k.encr_keybits == 256 && k.integ == t->integ);

	ATF_REQUIRE_EQ(child_keys_derive(c, &k, &s, none, ni, nr, &ck), 0);
	n = append(got, 0, ck.encr_i, 32);
	n = append(got, n, ck.integ_i, p);
	n = append(got, n, ck.encr_r, 32);
	n = append(got, n, ck.integ_r, p);
	child = cut(vec_hex(v, "DKM(Child SA)"), n);
	VEC_EQ(v, child, got, child.len);
	ATF_REQUIRE_EQ(child_keys_derive(c, &k, &s, vec_hex(v, "g^ir (new)"), ni,
	    nr, &ck), 0);
	n = append(got, 0, ck.encr_i, 32);
	n = append(got, n, ck.integ_i, p);
	n = append(got, n, ck.encr_r, 32);
	n = append(got, n, ck.integ_r, p);
	dh = cut(vec_hex(v, "DKM(Child SA D-H)"), n);
	VEC_EQ(v, dh, got, dh.len);

	/* rekey: the file stops at SKEYSEED, prf+ was checked above */
	ATF_REQUIRE_EQ(ike_keys_derive(c, &s, vec_hex(v, "g^ir (new)"), ni, nr,
	    spii, spir, &k, &k2), 0);
	n = append(buf, 0, ninr.p, ninr.len);
	n = append(buf, n, vec_hex(v, "SPIi").p, 8);
	n = append(buf, n, vec_hex(v, "SPIr").p, 8);
	seed = (struct span){ buf, n };
	rekeyed = vec_hex(v, "SKEYSEED(Rekey)");
	ATF_REQUIRE_EQ(prf_plus(c, t->prf, rekeyed, seed, got, p), 0);
	ATF_CHECK(memcmp(got, k2.d, p) == 0);
}

static void
cavs_case(struct crypto *c, struct cavs *t)
{
	struct span	ni = vec_hex(&t->v, "Ni"), nr = vec_hex(&t->v, "Nr");
	uint8_t		buf[1024];
	size_t		n;

	ATF_REQUIRE(ni.len + nr.len <= sizeof(buf));
	n = append(buf, 0, ni.p, ni.len);
	n = append(buf, n, nr.p, nr.len);
	cavs_primitives(c, t, (struct span){ buf, n });
	cavs_keys(c, t, (struct span){ buf, n });
}

static void
cavs_param(struct cavs *t, const char *line)
{
	static const struct { const char *name; uint16_t prf, integ; } hashes[] = {
		{ "[SHA-1]", PRF_HMAC_SHA1, INTEG_HMAC_SHA1_96 },
		{ "[SHA-256]", PRF_HMAC_SHA2_256, INTEG_HMAC_SHA2_256_128 },
		{ "[SHA-384]", PRF_HMAC_SHA2_384, INTEG_HMAC_SHA2_384_192 },
		{ "[SHA-512]", PRF_HMAC_SHA2_512, INTEG_HMAC_SHA2_512_256 },
	};
	size_t	i;

	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strcmp(line, hashes[i].name) == 0) {
			t->prf = hashes[i].prf;
			t->integ = hashes[i].integ;
		}
	if (sscanf(line, "[DKM length = %u]", &t->dkm) == 1)
		t->dkm /= 8;
	if (sscanf(line, "[Child SA DKM length = %u]", &t->child) == 1)
		t->child /= 8;
}

ATF_TC(cavs);
ATF_TC_HEAD(cavs, tc)
{
	atf_tc_set_md_var(tc, "descr", "all 900 cases of NIST's CAVS 17.3 IKEv2 file");
}
ATF_TC_BODY(cavs, tc)
{
	struct crypto	*c = fresh();
	struct cavs	 t;
	char		*line = NULL, id[32];
	size_t		 cap = 0;
	int		 n = 0, seen[8] = { 0 };

	memset(&t, 0, sizeof(t));
	vec_open(&t.v, "vectors/cavs-ikev2.fax");
	while (getline(&line, &cap, t.v.f) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '[')
			cavs_param(&t, line);
		else if (strncmp(line, "COUNT = ", 8) == 0) {
			vec_clear(&t.v);
			vec_line(&t.v, line);
			snprintf(id, sizeof(id), "id = %d", n);
			vec_line(&t.v, id);
		} else if (line[0] != '#' && line[0] != '\0')
			vec_line(&t.v, line);
		if (strncmp(line, "SKEYSEED(Rekey)", 15) == 0) {
			cavs_case(c, &t);
			seen[t.prf]++;
			n++;
		}
	}
	free(line);
	fclose(t.v.f);
	vec_clear(&t.v);
	ATF_CHECK_EQ(n, 900);
	ATF_CHECK_EQ(seen[PRF_HMAC_SHA1], 300);
	ATF_CHECK_EQ(seen[PRF_HMAC_SHA2_256], 200);
	ATF_CHECK_EQ(seen[PRF_HMAC_SHA2_384], 200);
	ATF_CHECK_EQ(seen[PRF_HMAC_SHA2_512], 200);
	crypto_free(c);
}

static uint16_t
prf_named(const char *s)
{
	return (strcmp(s, "sha256") == 0 ? PRF_HMAC_SHA2_256 :
	    strcmp(s, "sha384") == 0 ? PRF_HMAC_SHA2_384 :
	    strcmp(s, "sha512") == 0 ? PRF_HMAC_SHA2_512 : PRF_HMAC_SHA1);
}

static void
whole_auth(struct crypto *c, struct vec *v, const struct ike_keys *k)
{
	struct span	msg = vec_hex(v, "message1"), nonce = vec_hex(v, "nr");
	struct span	want = vec_hex(v, "auth"), full = vec_hex(v, "auth_full");
	struct span	idi = vec_hex(v, "idi"), psk = vec_hex(v, "psk"), macid;
	struct span	int_ = vec_hex(v, "intauth");
	uint8_t		mac[3 * PRF_MAXLEN + 8], out[PRF_MAXLEN];
	struct span	octets[KEYS_PIECES];
	struct keys_req	q;
	uint8_t		pad[PRF_MAXLEN];
	size_t		n = prf_len(k->prf);

	macid = vec_hex(v, "macid");
	ATF_REQUIRE_EQ(prf(c, k->prf, vec_hex(v, "sk_pi_auth"), &idi, 1, mac), 0);
	VEC_EQ(v, macid, mac, n);
	ATF_REQUIRE(macid.len + int_.len <= sizeof(mac));
	memcpy(mac + macid.len, int_.p, int_.len);
	macid = (struct span){ mac, macid.len + int_.len };
	octets[0] = msg;
	octets[1] = nonce;
	octets[2] = macid;
	ATF_REQUIRE_EQ(psk_auth(c, k->prf, psk, octets, 3, out), 0);
	VEC_EQ(v, want, out, n);
	/* and by its halves */
	ATF_REQUIRE_EQ(psk_pad(c, k->prf, psk, pad), 0);
	memset(out, 0, sizeof(out));
	ATF_REQUIRE_EQ(psk_auth_pad(c, k->prf, pad, octets, 3, out), 0);
	VEC_EQ(v, want, out, n);
	/* 8 zeros | message 2 | message 1 */
	memset(&q, 0, sizeof(q));
	q.msg = msg;
	q.other = vec_hex(v, "message2");
	q.nonce = nonce;
	q.macid = macid;
	ATF_REQUIRE_EQ(keys_octets(&q, octets), 5);
	ATF_REQUIRE_EQ(psk_auth(c, k->prf, psk, octets, 5, out), 0);
	VEC_EQ(v, full, out, n);
}

ATF_TC_WITHOUT_HEAD(whole);
ATF_TC_BODY(whole, tc)
{
	struct crypto		*c = fresh();
	struct vec		 v;
	struct suite		 s = { .encr = ENCR_AES_GCM_16, .encr_keybits = 256 };
	struct span		 none = { NULL, 0 }, d, ei, er, pi, pr, child;
	struct ike_keys		 k;
	struct child_keys	 ck;
	uint8_t			 km[2 * KEY_MAXLEN];
	int			 n = 0;

	for (vec_open(&v, "vectors/ikev2.txt"); vec_next(&v); n++) {
		s.prf = prf_named(vec_str(&v, "hash"));
		ATF_REQUIRE_EQ(ike_keys_derive(c, &s, vec_hex(&v, "g_ir"),
		    vec_hex(&v, "ni"), vec_hex(&v, "nr"), vec_u64(&v, "spi_i"),
		    vec_u64(&v, "spi_r"), NULL, &k), 0);
		d = vec_hex(&v, "sk_d");
		ei = vec_hex(&v, "sk_ei");
		er = vec_hex(&v, "sk_er");
		pi = vec_hex(&v, "sk_pi");
		pr = vec_hex(&v, "sk_pr");
		VEC_EQ(&v, d, k.d, prf_len(s.prf));
		VEC_EQ(&v, ei, k.ei, 36);
		VEC_EQ(&v, er, k.er, 36);
		VEC_EQ(&v, pi, k.pi, prf_len(s.prf));
		VEC_EQ(&v, pr, k.pr, prf_len(s.prf));
		/* AUTH and the Child SA belong to a later SK_d and SK_pi */
		memcpy(k.d, vec_hex(&v, "sk_d_child").p, prf_len(s.prf));
		ATF_REQUIRE_EQ(child_keys_derive(c, &k, &s, none,
		    vec_hex(&v, "ni"), vec_hex(&v, "nr"), &ck), 0);
		memcpy(km, ck.encr_i, 36);
		memcpy(km + 36, ck.encr_r, 36);
		child = vec_hex(&v, "child");
		VEC_EQ(&v, child, km, 72);
		whole_auth(c, &v, &k);
	}
	ATF_CHECK_EQ(n, 3);
	crypto_free(c);
}

ATF_TC_WITHOUT_HEAD(natd);
ATF_TC_BODY(natd, tc)
{
	struct crypto	*c = fresh();
	struct vec	 v;
	struct span	 sha1;
	uint8_t		 ip[16], out[20];
	const char	*s;
	int		 n = 0, fam;

	for (vec_open(&v, "vectors/natd.txt"); vec_next(&v); n++) {
		s = vec_str(&v, "ip");
		fam = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;
		ATF_REQUIRE_EQ(inet_pton(fam, s, ip), 1);
		ATF_REQUIRE_EQ(natd_hash(c, vec_u64(&v, "spi_i"),
		    vec_u64(&v, "spi_r"), ip, fam == AF_INET ? 4 : 16,
		    (uint16_t)vec_int(&v, "port"), out), 0);
		sha1 = vec_hex(&v, "sha1");
		ATF_CHECK(sha1.len == 20 && memcmp(sha1.p, out, 20) == 0);
	}
	ATF_CHECK_EQ(n, 2);
	ATF_CHECK_EQ(natd_hash(c, 1, 2, ip, 17, 500, out), -1);
	crypto_free(c);
}

/* What no KDF can serve is refused, not guessed. */
ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct crypto		*c = fresh();
	struct suite		 s = { .encr = ENCR_AES_GCM_16, .encr_keybits = 128,
				     .prf = PRF_HMAC_SHA2_256 };
	struct ike_keys		 k;
	struct child_keys	 ck;
	uint8_t			 b[600] = { 0 };
	struct span		 sec = { b, 32 }, n = { b, 32 }, big = { b, 500 };

	ATF_REQUIRE_EQ(ike_keys_derive(c, &s, sec, n, n, 1, 2, NULL, &k), 0);
	ATF_CHECK_EQ(ike_keys_derive(c, &s, sec, big, n, 1, 2, NULL, &k), -1);
	s.integ = INTEG_HMAC_SHA2_256_128;	/* with an AEAD */
	ATF_CHECK_EQ(ike_keys_derive(c, &s, sec, n, n, 1, 2, NULL, &k), -1);
	s.integ = INTEG_NONE;
	s.encr_keybits = 0;
	ATF_CHECK_EQ(ike_keys_derive(c, &s, sec, n, n, 1, 2, NULL, &k), -1);
	ATF_CHECK_EQ(child_keys_derive(c, &k, &s, sec, n, n, &ck), -1);
	s.encr_keybits = 128;
	s.prf = 4;
	ATF_CHECK_EQ(ike_keys_derive(c, &s, sec, n, n, 1, 2, NULL, &k), -1);
	ATF_CHECK_EQ(crypto_equal("ab", "ab", 2), 1);
	ATF_CHECK_EQ(crypto_equal("ab", "ac", 2), 0);
	crypto_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, hmac);
	ATF_TP_ADD_TC(tp, pieces);
	ATF_TP_ADD_TC(tp, prf_plus_limit);
	ATF_TP_ADD_TC(tp, cavs);
	ATF_TP_ADD_TC(tp, whole);
	ATF_TP_ADD_TC(tp, natd);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
