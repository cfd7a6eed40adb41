/* SPDX-License-Identifier: ISC */
/* Negative tests 14 to 18: KE and nonce, through the whole engine. */

#include <atf-c.h>
#include <openssl/bn.h>
#include <stdio.h>
#include <string.h>

#include "bent.h"

#define GCM	"ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519 "

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

/* p of group 14 (RFC 3526 3), and its neighbours. */
static void
prime(uint8_t *b, size_t *n, long off)
{
	BIGNUM	*p = BN_get_rfc3526_prime_2048(NULL);

	ATF_REQUIRE(p != NULL && *n == 4 + 256);
	ATF_REQUIRE((off < 0 ? BN_sub_word(p, 1) : BN_add_word(p, (BN_ULONG)off)) == 1);
	ATF_REQUIRE_EQ(BN_bn2binpad(p, b + 4, 256), 256);
	BN_free(p);
}

static void p_less(uint8_t *b, size_t *n) { prime(b, n, -1); }
static void p_itself(uint8_t *b, size_t *n) { prime(b, n, 0); }
static void p_more(uint8_t *b, size_t *n) { prime(b, n, 1); }

/* Values that are no public keys of these groups; crypto's own tests have them all. */
static const struct {
	const char	*extra;
	void		(*value)(uint8_t *, size_t *);
} values[] = {
	{ "group modp2048", all_zero },		/* 0 */
	{ "group modp2048", just_one },		/* 1 */
	{ "group modp2048", p_less },
	{ "group modp2048", p_itself },
	{ "group modp2048", p_more },
	{ "group modp2048", all_ones },		/* far above p */
	{ "group ecp256", all_zero },
	{ "group ecp256", just_one },		/* not on the curve */
	{ "group ecp256", all_ones },
	{ "group ecp384", all_ones },
	{ "group ecp521", all_zero },
	{ "group curve25519", all_zero },	/* the secret is zero */
	{ "group curve448", all_zero },
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
	ATF_TP_ADD_TC(tp, n14_group);
	ATF_TP_ADD_TC(tp, n15_values_init);
	ATF_TP_ADD_TC(tp, n15_values_later);
	ATF_TP_ADD_TC(tp, n16_invalid_ke);
	ATF_TP_ADD_TC(tp, n16_later);
	ATF_TP_ADD_TC(tp, n17_nonce);
	ATF_TP_ADD_TC(tp, n18_reflected);
	return (atf_no_error());
}
