/* SPDX-License-Identifier: ISC */
/*
 * Every transform there is a word for, from the words to the keys in the kernel: the
 * handshake, a rekey of the Child with a new key exchange by either side, one of the IKE
 * SA, and packets after each.  One word each, not all that can be put together.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* The i-th word of a type that this protocol may use; weak ones are words, too. */
static const struct xform_info *
word(uint8_t type, int esp, size_t want)
{
	const struct xform_info	*xi;
	size_t			 i, n = 0;

	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != type || strcmp(xi->name, "none") == 0 ||
		    strcmp(xi->name, "null") == 0 ||
		    (type == XF_ENCR && !esp && xi->id == ENCR_3DES))
			continue;
		if (n++ == want)
			return (xi);
	}
	return (NULL);
}

static size_t
words(uint8_t type, int esp)
{
	size_t	n = 0;

	while (word(type, esp, n) != NULL)
		n++;
	return (n);
}

/* "enc E [auth A] [prf P] group G", each list turning round at its own end. */
static void
suite_words(char *dst, size_t cap, int esp, size_t i)
{
	const struct xform_info	*e = word(XF_ENCR, esp, i % words(XF_ENCR, esp));
	const struct xform_info	*a = word(XF_INTEG, esp, i % words(XF_INTEG, esp));
	const struct xform_info	*p = word(XF_PRF, esp, (i + 1) % words(XF_PRF, esp));
	const struct xform_info	*g = word(XF_KE, esp, i % words(XF_KE, esp));
	int			 n;

	n = snprintf(dst, cap, "%s enc %s", esp ? "childsa" : "ikesa", e->name);
	if (!e->aead)
		n += snprintf(dst + n, cap - (size_t)n, " auth %s", a->name);
	if (!esp)
		n += snprintf(dst + n, cap - (size_t)n, " prf %s", p->name);
	(void)snprintf(dst + n, cap - (size_t)n, " group %s ", g->name);
}

static void
carries(struct sim *s, const char *what)
{
	uint64_t	ga = s->n[0]->got, gb = s->n[1]->got;

	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 300, 100);
	sim_run(s, 200);
	ATF_CHECK_EQ_MSG(s->n[0]->got - ga, 3, "%s", what);
	ATF_CHECK_EQ_MSG(s->n[1]->got - gb, 3, "%s", what);
	ATF_CHECK_EQ_MSG(s->n[0]->got_bad + s->n[1]->got_bad, 0, "%s", what);
	ATF_CHECK_MSG(sim_mirror(s->n[0], s->n[1], "b", "a"), "%s", what);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
}

static uint64_t
rekeys(struct node *n)
{
	struct show_stats	st;

	sim_stats(n, &st);
	return (st.rekeys);
}

/* Its successor has the same suite, and its keys came of a key exchange of their own. */
static void
rekeyed_by(struct sim *s, int who, const char *what)
{
	struct show_tunnel	 was, is;
	uint64_t		 n = rekeys(s->n[who]);
	struct sim_sa		*sa;
	int			 i, up = 0;

	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &was));
	sim_cmd(s->n[who], CMD_REKEY, who ? "a" : "b");
	sim_run(s, 6000);
	ATF_CHECK_MSG(rekeys(s->n[who]) > n, "%s", what);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &is));
	ATF_CHECK_MSG(was.spi_in != is.spi_in && was.spi_out != is.spi_out, "%s", what);
	for (i = 0; i < s->n[0]->nsa; i++) {
		sa = &s->n[0]->sa[i];
		if (!sa->used)
			continue;
		up++;
		ATF_CHECK_MSG(sa->sa.encr_keylen == xform_info(XF_ENCR, sa->sa.encr,
		    sa->sa.encr_keybits)->keylen, "%s", what);
	}
	ATF_CHECK_EQ_MSG(up, 2, "%s", what);
	carries(s, what);
}

static void
one_suite(size_t i)
{
	char		 x[320], a[150], b[150];
	struct sim	*s;

	suite_words(a, sizeof(a), 0, i);
	suite_words(b, sizeof(b), 1, i);
	/* an IKE SA that is rekeyed soon, by whoever is first */
	(void)snprintf(x, sizeof(x), "%s%sikelifetime 60", a, b);
	s = sim_pair(1000 + i, "ondemand", "passive", x);
	ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%s", x);
	if (sim_is_up(s->n[0], "b")) {
		sim_run(s, 300);
		carries(s, x);
		rekeyed_by(s, 0, x);
		rekeyed_by(s, 1, x);
		sim_run(s, 60000);
		ATF_CHECK_EQ_MSG(sim_established(s->n[0]), 1, "%s", x);
		carries(s, x);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "fail") +
		    sim_log_count(s->n[1], "fail"), 0);
	}
	sim_free(s);
}

ATF_TC(each_word);
ATF_TC_HEAD(each_word, tc)
{
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(each_word, tc)
{
	size_t	i, n = words(XF_ENCR, 1);

	ATF_CHECK_EQ(words(XF_ENCR, 0), 16);
	ATF_CHECK_EQ(n, 17);
	ATF_CHECK_EQ(words(XF_KE, 1), 12);
	ATF_CHECK_EQ(words(XF_INTEG, 1), 4);
	for (i = 0; i < n; i++)
		one_suite(i);
}

/* The first guess is not the responder's: it says which, and its word is taken, in the
 * first exchange and in that of a Child. */
ATF_TC_WITHOUT_HEAD(other_group);
ATF_TC_BODY(other_group, tc)
{
	struct sim	*s = sim_new(7);

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 ikesa group curve25519 group "
	    "modp6144 childsa group curve448 group modp6144 psk \"a secret that is long "
	    "enough\"\n");
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" from 10.2.0.0/24 to 10.1.0.0/24 "
	    "local 198.51.100.1 peer 192.0.2.1 ikesa group modp6144 childsa group modp6144 "
	    "psk \"a secret that is long enough\"\n");
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 300);
	rekeyed_by(s, 0, "curve448, then modp6144");
	sim_free(s);
}

/* Extended sequence numbers: where both can and one wants them; the first word that
 * both have decides, and nobody is made to count as the kernel cannot. */
static void
esn_case(uint64_t seed, const char *a, const char *b, int can_a, int can_b, int want)
{
	struct sim	*s = sim_new(seed);
	char		 x[400];
	int		 i, k, n = 0, is;

	(void)snprintf(x, sizeof(x), "ikev2 \"b\" ondemand from 10.1.0.0/24 to 10.2.0.0/24 "
	    "local 192.0.2.1 peer 198.51.100.1 childsa %s psk \"a secret that is long "
	    "enough\"\n", a);
	(void)sim_node(s, "a", "192.0.2.1", x);
	(void)snprintf(x, sizeof(x), "ikev2 \"a\" from 10.2.0.0/24 to 10.1.0.0/24 "
	    "local 198.51.100.1 peer 192.0.2.1 childsa %s psk \"a secret that is long "
	    "enough\"\n", b);
	(void)sim_node(s, "b", "198.51.100.1", x);
	s->n[0]->caps.esn = (uint8_t)can_a;
	s->n[1]->caps.esn = (uint8_t)can_b;
	engine_caps(s->n[0]->e, &s->n[0]->caps);
	engine_caps(s->n[1]->e, &s->n[1]->caps);
	is = sim_up(s->n[0], "b");
	ATF_CHECK_EQ_MSG(is, want != -1, "%s / %s", a, b);
	sim_run(s, 300);
	for (k = 0; k < 2; k++)
		for (i = 0; i < s->n[k]->nsa; i++)
			n += s->n[k]->sa[i].used && s->n[k]->sa[i].sa.esn;
	ATF_CHECK_EQ_MSG(n, want == 1 ? 4 : 0, "%s / %s: %d", a, b, n);
	if (want == 1)
		ATF_CHECK(sim_logged(s->n[0], " esn [up]\n"));
	if (want == -1 && !can_a)
		ATF_CHECK(sim_logged(s->n[0], "this kernel can install nothing of its "
		    "\"childsa\", aes-256-gcm,aes-128-gcm esn; "));
	else if (want == -1)
		ATF_CHECK(sim_logged(s->n[1], "NO_PROPOSAL_CHOSEN for the Child SA: "));
	if (want == -1 && !can_b)
		ATF_CHECK(sim_logged(s->n[1], "wants, but the kernel cannot, "
		    "aes-256-gcm,aes-128-gcm esn; "));
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(esn);
ATF_TC_BODY(esn, tc)
{
	esn_case(20, "esn", "esn", 1, 1, 1);
	esn_case(21, "esn noesn", "esn noesn", 1, 1, 1);
	esn_case(22, "noesn esn", "esn noesn", 1, 1, 1);
	esn_case(23, "esn noesn", "noesn esn", 1, 1, 1);
	esn_case(24, "esn noesn", "noesn", 1, 1, 0);
	esn_case(25, "noesn", "esn noesn", 1, 1, 0);
	/* the kernel's say */
	esn_case(26, "esn noesn", "esn noesn", 0, 1, 0);
	esn_case(27, "esn noesn", "esn noesn", 1, 0, 0);
	/* no common one */
	esn_case(28, "esn", "noesn", 1, 1, -1);
	esn_case(29, "noesn", "esn", 1, 1, -1);
	/* a kernel that cannot what alone is wanted: nothing else is done instead */
	esn_case(30, "esn", "esn noesn", 0, 1, -1);
	esn_case(31, "esn noesn", "esn", 1, 0, -1);
}

/* A preset meets the peer as it comes out of the box, said in words; both roles, and the
 * rekey, where a wrong group is seen at last. */
static void
preset_case(uint64_t seed, const char *preset, const char *stock)
{
	struct sim	*s;
	char		 x[400];
	int		 role;

	for (role = 0; role < 2; role++) {
		s = sim_new(seed + (uint64_t)role);
		(void)snprintf(x, sizeof(x), "ikev2 \"b\" ondemand from 10.1.0.0/24 to "
		    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 %s psk \"a secret "
		    "that is long enough\"\n", role == 0 ? preset : stock);
		(void)sim_node(s, "a", "192.0.2.1", x);
		(void)snprintf(x, sizeof(x), "ikev2 \"a\" from 10.2.0.0/24 to 10.1.0.0/24 "
		    "local 198.51.100.1 peer 192.0.2.1 %s psk \"a secret that is long "
		    "enough\"\n", role == 1 ? preset : stock);
		(void)sim_node(s, "b", "198.51.100.1", x);
		ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%s / %s", preset, stock);
		if (sim_is_up(s->n[0], "b")) {
			sim_run(s, 300);
			rekeyed_by(s, 0, preset);
			rekeyed_by(s, 1, preset);
		}
		sim_free(s);
	}
}

ATF_TC_WITHOUT_HEAD(presets);
ATF_TC_BODY(presets, tc)
{
	preset_case(40, "preset routeros", "ikesa enc aes-128 auth hmac-sha1 group { "
	    "modp2048, modp1024 } childsa enc { aes-256, aes-192, aes-128 } auth hmac-sha1 "
	    "group modp1024");
	/* as its manual recommends it be set, the IKE SA is stronger by itself */
	preset_case(42, "preset routeros", "ikesa enc { aes-256, aes-128 } auth "
	    "hmac-sha2-256 group { ecp256, modp2048 } childsa enc aes-256 auth "
	    "hmac-sha2-256 group modp1024");
	preset_case(44, "preset windows", "ikesa enc aes-256 auth { hmac-sha1, "
	    "hmac-sha2-256, hmac-sha2-384 } group modp1024 childsa enc aes-256 auth "
	    "hmac-sha1");
	preset_case(46, "preset windows", "ikesa enc aes-256 auth hmac-sha2-256 group "
	    "modp2048 childsa enc aes-256 auth hmac-sha1");
	preset_case(48, "preset openiked", "ikesa enc { aes-128-gcm, aes-256-gcm } group { "
	    "curve25519, ecp521, ecp384, ecp256 } childsa enc { aes-128-gcm, aes-256-gcm } "
	    "esn noesn");
	preset_case(50, "preset openiked", "ikesa enc { aes-256, aes-192, aes-128 } auth { "
	    "hmac-sha2-256, hmac-sha2-384, hmac-sha2-512, hmac-sha1 } group modp2048 "
	    "childsa enc { aes-256, aes-192, aes-128 } auth { hmac-sha2-256, hmac-sha1 } "
	    "noesn");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, each_word);
	ATF_TP_ADD_TC(tp, other_group);
	ATF_TP_ADD_TC(tp, esn);
	ATF_TP_ADD_TC(tp, presets);
	return (atf_no_error());
}
