/* SPDX-License-Identifier: ISC */
/*
 * Negative tests 35 to 42: who it is.  What this iked does not have (certificates, EAP,
 * PPK, NULL) is refused like everything else that is not the configured secret.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static uint8_t	 which;
static uint8_t	 body[2048];
static size_t	 bodylen;
static int	 keep_front;	/* octets of the real body that stay */

static void
set_body(struct parts *ps)
{
	struct part	*p = parts_find(ps, which, 0);

	if (keep_front > 0)
		memcpy(body, p->body, (size_t)keep_front);
	part_set(ps, p, body, bodylen);
}

/* IKE_AUTH of one side changed.  The request is refused with this notify, protected; after
 * a changed reply both sides have nothing. */
static void
refused(uint64_t seed, int response, void (*change)(struct parts *), int notify,
    const char *what)
{
	struct patch	 t = { .exch = X_IKE_AUTH, .response = response, .change = change };
	struct sim	*s = sim_pair(seed, "ondemand", "passive", "");
	int		 n;

	t.from = s->n[response];
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, response ? 33 : 28);
	ATF_REQUIRE_EQ(t.done, 1);
	if (!response) {
		n = patch_refusal(&t, s->n[0]);
		ATF_CHECK_EQ_MSG(n, notify, "%s: %d", what, n);
	}
	sim_run(s, 200);
	ATF_CHECK_MSG(!sim_is_up(s->n[0], "b"), "%s", what);
	ATF_CHECK_EQ(sim_established(s->n[0]), 0);
	if (!response)
		ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 0);
	/* with the next try, which nobody changes, it comes up, and nothing is left over */
	sim_run(s, 30000);
	ATF_CHECK_MSG(sim_is_up(s->n[0], "b"), "%s", what);
	ATF_CHECK_EQ(sim_established(s->n[1]), 1);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 2);
	sim_free(s);
}

/* Negative test 35: AUTH that is none, or of a method that is not the configured one, 14
 * without negotiation and NULL (negative test 42) among them. */
ATF_TC_WITHOUT_HEAD(n35_auth);
ATF_TC_BODY(n35_auth, tc)
{
	static const uint8_t	methods[] = { 0, 1, 3, 9, 10, 11, 12, AUTH_NULL, AUTH_DIGSIG,
	    15, 201, 255 };
	static const size_t	lens[] = { 4, 5, 35, 37, 1000 };
	size_t			i;

	which = P_AUTH;
	memset(body, 0, sizeof(body));
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		body[0] = AUTH_PSK;
		bodylen = lens[i];
		keep_front = 0;
		refused(50, 0, set_body, N_AUTHENTICATION_FAILED, "AUTH of a wrong length");
		refused(51, 1, set_body, 0, "AUTH of a wrong length");
	}
	bodylen = 3;
	refused(52, 0, set_body, N_INVALID_SYNTAX, "AUTH cut short");
	refused(53, 1, set_body, 0, "AUTH cut short");
	for (i = 0; i < sizeof(methods); i++) {
		body[0] = methods[i];
		bodylen = 36;
		refused(54, 0, set_body, N_AUTHENTICATION_FAILED, "another method");
		refused(55, 1, set_body, 0, "another method");
	}
}

/* Negative test 36: nothing of a signature is looked at, so nothing of it can be wrong in
 * a dangerous way: the DER of method 14 in all its bad forms. */
ATF_TC_WITHOUT_HEAD(n36_signatures);
ATF_TC_BODY(n36_signatures, tc)
{
	static const struct {
		const char	*d;
		size_t		 n;
	} der[] = {
		{ "\0", 1 },				/* AlgorithmIdentifier of nothing */
		{ "\377\060\015", 3 },			/* longer than there is */
		{ "\17\060\015\6\11\52\206\110\206\367\15\1\1\13\5\0", 16 },
		{ "\17\060\200\6\11\52\206\110\206\367\15\1\1\13\5\0", 16 },	/* indefinite */
		{ "\17\060\204\377\377\377\377\206\110\206\367\15\1\1\13\5", 16 },
		{ "\12\060\10\6\6\52\206\110\316\75\4\1", 12 },	/* ecdsa with SHA-1 */
		{ "\17\060\15\6\11\52\206\110\206\367\15\1\1\12\060\0", 16 }, /* empty PSS */
	};
	size_t	i;

	which = P_AUTH;
	keep_front = 0;
	for (i = 0; i < sizeof(der) / sizeof(der[0]); i++) {
		memset(body, 0, sizeof(body));
		body[0] = AUTH_DIGSIG;
		memcpy(body + 4, der[i].d, der[i].n);
		bodylen = 4 + der[i].n + 256;
		refused(56, 0, set_body, N_AUTHENTICATION_FAILED, "DER");
		refused(57, 1, set_body, 0, "DER");
	}
}

/* Negative test 37: a good secret, of another configured peer. */
ATF_TC_WITHOUT_HEAD(n37_other_peer);
ATF_TC_BODY(n37_other_peer, tc)
{
	struct sim	*s = sim_new(58);
	struct node	*c;

	(void)sim_node(s, "hub", "198.51.100.1",
	    "ikev2 \"alice\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer any "
	    "dstid alice.example psk \"the secret of alice, of nobody else\"\n"
	    "ikev2 \"carol\" esp from 10.2.0.0/24 to 10.3.0.0/24 local 198.51.100.1 peer any "
	    "dstid carol.example psk \"the secret of carol, of nobody else\"\n");
	c = sim_node(s, "c", "192.0.2.9", "ikev2 \"h\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.9 peer 198.51.100.1 srcid alice.example dstid "
	    "198.51.100.1 psk \"the secret of carol, of nobody else\"\n");
	ATF_CHECK(!sim_up(c, "h"));
	ATF_CHECK(sim_logged(s->n[0], "AUTH does not verify"));
	ATF_CHECK_EQ(sim_established(s->n[0]), 0);
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 0);
	/* nor does carol's identity lead to alice's net */
	sim_kill(c);
	sim_start(c, "ikev2 \"h\" ondemand esp from 10.1.0.0/24 to 10.2.0.0/24 local "
	    "192.0.2.9 peer 198.51.100.1 srcid carol.example dstid 198.51.100.1 psk \"the "
	    "secret of carol, of nobody else\"\n");
	ATF_CHECK(!sim_up(c, "h"));
	ATF_CHECK(sim_logged(s->n[0], "TS_UNACCEPTABLE"));
	ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 0);
	sim_free(s);
}

/* Negative test 38: identities that are none.  Another IDr than ours or the configured one
 * is in t_handshake's wrong_ids and t_refuse's wrong_idr. */
ATF_TC_WITHOUT_HEAD(n38_ids);
ATF_TC_BODY(n38_ids, tc)
{
	static const struct {
		uint8_t		 type;
		const char	*d;
		size_t		 n;
		int		 notify;
	} ids[] = {
		{ ID_IPV4_ADDR, "\300\0\2", 3, N_INVALID_SYNTAX },
		{ ID_IPV4_ADDR, "\300\0\2\1\0", 5, N_INVALID_SYNTAX },
		{ ID_IPV6_ADDR, "\40\1\15\270", 4, N_INVALID_SYNTAX },
		{ ID_FQDN, "a.example\0.evil", 15, N_INVALID_SYNTAX },
		{ ID_FQDN, "", 0, N_INVALID_SYNTAX },
		{ ID_RFC822_ADDR, "a\0@b", 4, N_INVALID_SYNTAX },
		{ ID_DER_ASN1_DN, "\60\200\61\0\0\0", 6, N_INVALID_SYNTAX },
		{ ID_DER_ASN1_DN, "\60\202\377\377", 4, N_INVALID_SYNTAX },
		{ 0, "x", 1, N_INVALID_SYNTAX },
		{ ID_KEY_ID, NULL, 256, N_INVALID_SYNTAX },
		{ ID_DER_ASN1_DN, NULL, 1500, N_INVALID_SYNTAX },
		/* well-formed, and nobody's */
		{ ID_KEY_ID, NULL, 255, N_AUTHENTICATION_FAILED },
		{ ID_IPV4_ADDR, "\300\0\2\2", 4, N_AUTHENTICATION_FAILED },
		{ 13, "", 0, N_AUTHENTICATION_FAILED },
		{ 200, "what", 4, N_AUTHENTICATION_FAILED },
	};
	size_t	i;

	keep_front = 0;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		memset(body, 0x41, sizeof(body));
		memset(body, 0, 4);
		body[0] = ids[i].type;
		if (ids[i].d != NULL)
			memcpy(body + 4, ids[i].d, ids[i].n);
		bodylen = 4 + ids[i].n;
		which = P_IDI;
		refused(59, 0, set_body, ids[i].notify, "IDi");
		which = P_IDR;
		refused(60, 0, set_body, ids[i].notify, "IDr of the request");
		refused(61, 1, set_body, 0, "IDr of the reply");
	}
	which = P_IDI;
	bodylen = 3;
	refused(62, 0, set_body, N_INVALID_SYNTAX, "IDi cut short");
}

/* ---- 39, 40 */

static void
certificates(struct parts *ps)
{
	uint8_t	b[1024];
	size_t	i;

	memset(b, 0x30, sizeof(b));
	for (i = 0; i < 20; i++) {
		b[0] = (uint8_t)(i * 13);	/* hash and URL (12, 13), CRL, PGP, ... */
		(void)parts_add(ps, (int)i & 3, P_CERT, b, 1 + i * 7);
	}
	(void)parts_add(ps, 0, P_CERT, b, 0);
	b[0] = 4;
	for (i = 0; i < 25; i++)
		(void)parts_add(ps, -1, P_CERTREQ, b, i);	/* mostly no multiple of 20 */
	b[0] = 12;
	memcpy(b + 21, "http://203.0.113.1/a", 20);
	(void)parts_add(ps, -1, P_CERT, b, 41);
}

static void
certificates_alone(struct parts *ps)
{
	certificates(ps);
	parts_find(ps, P_AUTH, 0)->body[0] = AUTH_DIGSIG;
}

static void
fifty(struct parts *ps)
{
	int	i;

	for (i = 0; i < 100; i++)
		(void)parts_add(ps, -1, P_CERT, "\4\60\202", 3);
}

/* Negative tests 39 and 40: certificates and requests for them are not looked at, whatever
 * they are: beside a good AUTH they do no harm, without one no good; nothing is fetched.
 * Negative test 40. */
ATF_TC_WITHOUT_HEAD(n39_certificates);
ATF_TC_BODY(n39_certificates, tc)
{
	struct patch	 t;
	struct sim	*s;
	int		 r;

	for (r = 0; r < 2; r++) {
		t = (struct patch){ .exch = X_IKE_AUTH, .response = r,
		    .change = certificates };
		s = sim_pair(63, "ondemand", "passive", "");
		t.from = s->n[r];
		s->filter = patch_filter;
		s->filter_arg = &t;
		ATF_CHECK(sim_up(s->n[0], "b"));
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK_EQ(s->datagrams, 4);
		sim_free(s);
	}
	refused(64, 0, certificates_alone, N_AUTHENTICATION_FAILED, "certificates");
	refused(65, 1, certificates_alone, 0, "certificates");
	refused(66, 0, fifty, N_INVALID_SYNTAX, "a hundred certificates");
	refused(67, 1, fifty, 0, "a hundred certificates");
}

/* Negative test 40, before AUTH: a CERTREQ in the reply of IKE_SA_INIT. */
static void
certreqs(struct parts *ps)
{
	(void)parts_add(ps, 0, P_CERTREQ, "\4seven", 6);
	(void)parts_add(ps, -1, P_CERTREQ, "\310", 1);
	(void)parts_add(ps, -1, P_CERTREQ, "", 0);
}

ATF_TC_WITHOUT_HEAD(n40_certreq);
ATF_TC_BODY(n40_certreq, tc)
{
	struct patch	 t = { .exch = X_IKE_SA_INIT, .response = 1, .change = certreqs };
	struct sim	*s = sim_pair(68, "ondemand", "passive", "");

	t.from = s->n[1];
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 15);
	/* it goes on to IKE_AUTH, which can fit no more since the reply was altered */
	ATF_CHECK_EQ(t.answers, 1);
	ATF_CHECK_EQ(t.ans[18], X_IKE_AUTH);
	sim_run(s, 200);
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "AUTHENTICATION_FAILED"));
	ATF_CHECK_EQ(sim_established(s->n[0]) + sim_established(s->n[1]), 0);
	sim_free(s);
}

/* ---- 41 */

static uint16_t	notify;

static void
strip(struct parts *ps)
{
	int	i, k = 0;

	for (i = 0; i < ps->n; i++)
		if (ps->p[i].type != P_N || ps->p[i].len < 4 || (ps->p[i].body[2] << 8 |
		    ps->p[i].body[3]) != notify)
			ps->p[k++] = ps->p[i];
	ps->n = k;
}

static void
add_hashes(struct parts *ps)
{
	(void)parts_note(ps, -1, N_SIGNATURE_HASH_ALGORITHMS, "\0\1", 2);
	(void)parts_note(ps, -1, 16438, NULL, 0);
}

/* Negative test 41: what is taken from or put into IKE_SA_INIT on its way, in either
 * direction, is covered by AUTH: no SA.  (16447 has tests of its own.) */
ATF_TC_WITHOUT_HEAD(n41_stripped);
ATF_TC_BODY(n41_stripped, tc)
{
	static const uint16_t	all[] = { N_NAT_DETECTION_SOURCE_IP,
	    N_NAT_DETECTION_DESTINATION_IP, N_IKEV2_FRAGMENTATION_SUPPORTED, 0 };
	struct patch	 t;
	struct sim	*s;
	size_t		 i;
	int		 r;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (r = 0; r < 2; r++) {
			notify = all[i];
			t = (struct patch){ .exch = X_IKE_SA_INIT, .response = r,
			    .change = notify != 0 ? strip : add_hashes, .all = 1 };
			s = sim_pair(69, "ondemand", "passive", "");
			t.from = s->n[r];
			s->filter = patch_filter;
			s->filter_arg = &t;
			sim_cmd(s->n[0], CMD_UP, "b");
			sim_run(s, 5000);
			ATF_CHECK(t.done >= 1);
			ATF_CHECK_MSG(!sim_is_up(s->n[0], "b") && !sim_is_up(s->n[1], "a"),
			    "notify %u", notify);
			ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
			s->filter = NULL;
			sim_run(s, 20000);
			ATF_CHECK(sim_is_up(s->n[0], "b"));
			sim_free(s);
		}
}

/* ---- 42 */

static void
ppk(struct parts *ps)
{
	(void)parts_note(ps, -1, 16436, "\2a ppk nobody has", 17);	/* PPK_IDENTITY */
	(void)parts_note(ps, -1, 16437, "an AUTH without it", 18);	/* NO_PPK_AUTH */
}

static void
ppk_only(struct parts *ps)
{
	ppk(ps);
	parts_find(ps, P_AUTH, 0)->body[8] ^= 1;
}

static void
eap(struct parts *ps)
{
	parts_del(ps, P_AUTH);
	(void)parts_add(ps, -1, P_EAP, "\3\1\0\4", 4);		/* Success, much too early */
	(void)parts_note(ps, -1, 16417, NULL, 0);
}

/* Negative test 42: a PPK is not spoken, and NO_PPK_AUTH is no AUTH; nor is EAP's success.
 * NULL is among the methods of test 35. */
ATF_TC_WITHOUT_HEAD(n42_ppk);
ATF_TC_BODY(n42_ppk, tc)
{
	struct patch	 t;
	struct sim	*s;
	int		 r;

	for (r = 0; r < 2; r++) {
		t = (struct patch){ .exch = X_IKE_AUTH, .response = r, .change = ppk };
		s = sim_pair(70, "ondemand", "passive", "");
		t.from = s->n[r];
		s->filter = patch_filter;
		s->filter_arg = &t;
		ATF_CHECK(sim_up(s->n[0], "b"));
		ATF_CHECK_EQ(t.done, 1);
		sim_free(s);
	}
	refused(71, 0, ppk_only, N_AUTHENTICATION_FAILED, "NO_PPK_AUTH instead");
	refused(72, 1, ppk_only, 0, "NO_PPK_AUTH instead");
	refused(73, 0, eap, N_AUTHENTICATION_FAILED, "EAP success");
	refused(74, 1, eap, 0, "EAP success");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n35_auth);
	ATF_TP_ADD_TC(tp, n36_signatures);
	ATF_TP_ADD_TC(tp, n37_other_peer);
	ATF_TP_ADD_TC(tp, n38_ids);
	ATF_TP_ADD_TC(tp, n39_certificates);
	ATF_TP_ADD_TC(tp, n40_certreq);
	ATF_TP_ADD_TC(tp, n41_stripped);
	ATF_TP_ADD_TC(tp, n42_ppk);
	return (atf_no_error());
}
