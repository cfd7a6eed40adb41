/* SPDX-License-Identifier: ISC */
/* Negative tests 19 to 23: cookies and floods. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

/* ---- a's first request, kept; nothing has been sent */

struct kept {
	uint8_t	b[MSG_MAX];
	size_t	len;
};

static int
kept_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct kept	*k = s->filter_arg;

	if (from != s->n[0])
		return (0);
	memcpy(k->b, p->p, p->len);
	k->len = p->len;
	return (1);
}

static void
keep_request(struct sim *s, struct kept *k)
{
	s->filter = kept_filter;
	s->filter_arg = k;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_cmd(s->n[0], CMD_DOWN, "b");
	ATF_REQUIRE(k->len > 0);
	s->filter = NULL;
}

static void
spoof(struct sim *s, struct kept *k, const char *addr, uint32_t n)
{
	struct endpoint	src = sim_ep(addr, (uint16_t)(1024 + n % 60000));
	struct endpoint	dst = sim_ep("198.51.100.1", 500);

	k->b[1] = 0x77;		/* not a's real one */
	k->b[2] = (uint8_t)(n >> 16);
	k->b[3] = (uint8_t)(n >> 8);
	k->b[4] = (uint8_t)n;
	sim_inject(s, &src, &dst, 0, k->b, k->len);
}

/* ---- 19 */

static uint8_t	cookie[128];
static size_t	cookie_len;
static int	cookie_at;

/* With that cookie instead of what is there, or the one that is there elsewhere. */
static void
with_cookie(struct parts *ps)
{
	struct part	c = ps->p[0];

	if (c.type != P_N || c.body[2] != N_COOKIE >> 8 || c.body[3] != (N_COOKIE & 0xff)) {
		(void)parts_note(ps, cookie_at, N_COOKIE, cookie, cookie_len);
		return;
	}
	memmove(&ps->p[0], &ps->p[1], (size_t)(ps->n - 1) * sizeof(c));
	ps->n--;
	if (cookie_len > 0)
		(void)parts_note(ps, cookie_at, N_COOKIE, cookie, cookie_len);
	else {
		memmove(&ps->p[2], &ps->p[1], (size_t)(ps->n - 1) * sizeof(c));
		ps->n++;
		ps->p[1] = c;
	}
}

static int
is_cookie(const struct patch *t)
{
	return (t->answers > 0 && t->ans[16] == P_N && t->ans[34] == N_COOKIE >> 8 &&
	    t->ans[35] == (N_COOKIE & 0xff));
}

/* Negative test 19: what is no cookie is none, and another one is asked for.  Another
 * source, another nonce and age are in t_abuse's cookies. */
ATF_TC_WITHOUT_HEAD(n19_no_cookie);
ATF_TC_BODY(n19_no_cookie, tc)
{
	static const size_t	len[] = { 0, 1, 16, 17, 18, 64, 65, 128 };
	struct kept		k = { .len = 0 };
	struct patch		t;
	struct sim		*s;
	struct show_stats	 a, b;
	size_t			 i;

	memset(cookie, 0x11, sizeof(cookie));
	for (i = 0; i <= sizeof(len) / sizeof(len[0]); i++) {
		s = sim_pair(30, "ondemand", "passive", "");
		keep_request(s, &k);
		for (cookie_at = 0; cookie_at < 10; cookie_at++)
			spoof(s, &k, "192.0.2.1", (uint32_t)cookie_at);
		sim_run(s, 5);
		memset(&t, 0, sizeof(t));
		t.from = s->n[0];
		t.exch = X_IKE_SA_INIT;
		t.change = with_cookie;
		t.all = 1;
		s->filter = patch_filter;
		s->filter_arg = &t;
		cookie_len = i < sizeof(len) / sizeof(len[0]) ? len[i] : 0;
		cookie_at = 0;
		/* the good one, but behind SA: what a sends with it is moved */
		if (i == sizeof(len) / sizeof(len[0]))
			cookie_at = 1;
		sim_stats(s->n[1], &a);
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 5);
		ATF_CHECK_MSG(is_cookie(&t), "%zu octets", cookie_len);
		t.answers = 0;
		sim_run(s, 18);
		sim_stats(s->n[1], &b);
		ATF_CHECK_MSG(is_cookie(&t), "%zu octets", cookie_len);
		ATF_CHECK_EQ(a.half_open, b.half_open);
		/* and left alone it does it */
		s->filter = NULL;
		sim_run(s, 3000);
		ATF_CHECK(sim_is_up(s->n[0], "b"));
		sim_free(s);
	}
}

static void
ask_cookie(struct parts *ps)
{
	memset(ps, 0, sizeof(*ps));
	(void)parts_note(ps, -1, N_COOKIE, cookie, cookie_len);
}

/* Negative test 19, asked: 1 to 64 octets are given back, nothing else is. */
ATF_TC_WITHOUT_HEAD(n19_asked);
ATF_TC_BODY(n19_asked, tc)
{
	static const size_t	len[] = { 0, 1, 64, 65 };
	struct patch		t;
	struct sim		*s;
	size_t			i;
	int			ok;

	for (i = 0; i < 4; i++) {
		s = sim_pair(31, "ondemand", "passive", "");
		memset(&t, 0, sizeof(t));
		t.from = s->n[1];
		t.exch = X_IKE_SA_INIT;
		t.response = 1;
		t.change = ask_cookie;
		cookie_len = len[i];
		ok = len[i] > 0 && len[i] <= 64;
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 15);
		ATF_CHECK_EQ_MSG(t.answers, ok, "%zu octets", len[i]);
		if (ok) {
			ATF_CHECK(t.ans[28] == P_SA && t.ans[16] == P_N);
			ATF_CHECK_EQ(memcmp(t.ans + 36, cookie, len[i]), 0);
		}
		sim_run(s, 2000);
		ATF_CHECK(sim_is_up(s->n[0], "b"));
		sim_free(s);
	}
}

/* ---- 20 */

static int turn;

static void
ping_pong(struct parts *ps)
{
	uint8_t	c = (uint8_t)turn;

	memset(ps, 0, sizeof(*ps));
	if (turn++ & 1)
		(void)parts_note(ps, -1, N_INVALID_KE_PAYLOAD, turn & 2 ? "\0\23" : "\0\16", 2);
	else
		(void)parts_note(ps, -1, N_COOKIE, &c, 1);
}

/* Negative test 20: COOKIE and INVALID_KE_PAYLOAD in turn; COOKIE for ever is in
 * t_handshake's cookie. */
ATF_TC_WITHOUT_HEAD(n20_ping_pong);
ATF_TC_BODY(n20_ping_pong, tc)
{
	struct patch		 t = { .exch = X_IKE_SA_INIT, .response = 1, .change = ping_pong,
	    .all = 1 };
	struct sim		*s = sim_pair(32, "ondemand", "passive", "ikesa enc aes-256-gcm "
	    "group curve25519 group ecp256 group modp2048");
	struct show_tunnel	 u;

	turn = 0;
	t.from = s->n[1];
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 500);
	ATF_CHECK_MSG(t.done <= 6, "%d rounds", t.done);
	ATF_CHECK(sim_tunnel(s->n[0], "b", &u) && u.state == SHOW_BACKOFF);
	ATF_CHECK_EQ(sim_count(s->n[0], SHOWK_SA), 0);
	sim_free(s);
}

/* ---- 21 */

static uint64_t	 reply_octets;
static size_t	 longest;

static int
count_filter(struct sim *s, struct node *from, struct packet *p)
{
	if (from == s->n[1]) {
		reply_octets += p->len;
		if (p->len > longest)
			longest = p->len;
	}
	return (0);
}

/* Negative test 21: ten thousand in a second, from the peer's own address or from all over
 * the world: memory is flat, nothing that comes back is longer, the peer is up at once. */
static void
ten_thousand(int any, int own)
{
	struct kept		 k = { .len = 0 };
	struct sim		*s = sim_pair(33, "ondemand", "passive", "");
	struct node		*b = s->n[1];
	struct show_stats	 st;
	char			 addr[32];
	int			 i;

	keep_request(s, &k);
	if (any)
		sim_reload(b, "ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 local "
		    "198.51.100.1 peer 192.0.2.1 psk \"a secret that is long enough\"\n"
		    "ikev2 \"road\" esp from 10.2.0.0/24 to 10.9.0.0/16 local 198.51.100.1 "
		    "peer any dstid road.example psk \"another secret, long enough\"\n");
	reply_octets = longest = 0;
	s->filter = count_filter;
	for (i = 0; i < 10000; i++) {
		(void)snprintf(addr, sizeof(addr), "203.%d.%d.%d", i >> 12, i >> 6 & 63, i & 63);
		spoof(s, &k, own ? "192.0.2.1" : addr, (uint32_t)i);
		if (i % 10 == 0)
			sim_run(s, 1);
		/* in the middle of it */
		if (i == 8000)
			sim_cmd(s->n[0], CMD_UP, "b");
	}
	sim_run(s, 1);
	/* room for a hundred, as after the first hundred */
	ATF_CHECK_MSG(b->e->w.halves.nchunks <= 128 / SLAB_CHUNK && b->e->w.nslots <= 128,
	    "%u chunks, %u slots", b->e->w.halves.nchunks, b->e->w.nslots);
	sim_stats(b, &st);
	ATF_CHECK_MSG(st.half_open <= 70, "%ju half-open", (uintmax_t)st.half_open);
	ATF_CHECK_MSG(longest <= k.len, "%zu octets for %zu", longest, k.len);
	ATF_CHECK(reply_octets <= 10000 * k.len);
	ATF_CHECK(sim_is_up(s->n[0], "b") && sim_is_up(b, "a"));
	s->filter = NULL;
	sim_run(s, 40000);
	sim_stats(b, &st);
	ATF_CHECK_EQ(st.half_open, 0);
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(n21_ten_thousand);
ATF_TC_BODY(n21_ten_thousand, tc)
{
	ten_thousand(0, 0);
	ten_thousand(0, 1);
	ten_thousand(1, 0);
	ten_thousand(1, 1);
}

/* Gives each cookie back, as who is on the way of the peer's packets can. */
struct onpath {
	struct kept	*k;
	uint32_t	 n;		/* of the request that b answers */
	int		 replies;
};

static int
onpath_filter(struct sim *s, struct node *from, struct packet *p)
{
	static struct parts	 ps;
	struct onpath		*o = s->filter_arg;
	struct endpoint		 src = p->dst, dst = p->src;
	uint8_t			 m[MSG_MAX];
	size_t			 n;

	if (from != s->n[1] || p->p[18] != X_IKE_SA_INIT)
		return (0);
	if (p->p[16] == P_SA)
		o->replies++;
	if (p->p[16] != P_N || p->len < 36 + COOKIE_LEN)
		return (1);
	memcpy(m, o->k->b, WIRE_HDRLEN);
	memcpy(m, p->p, 8);
	parts_read(&ps, o->k->b[16], o->k->b + WIRE_HDRLEN, o->k->len - WIRE_HDRLEN);
	(void)parts_note(&ps, 0, N_COOKIE, p->p + 36, COOKIE_LEN);
	n = parts_write(&ps, &m[16], m + WIRE_HDRLEN, sizeof(m) - WIRE_HDRLEN) + WIRE_HDRLEN;
	m[26] = (uint8_t)(n >> 8);
	m[27] = (uint8_t)n;
	sim_inject(s, &src, &dst, 0, m, n);
	return (1);
}

/* Negative test 21: cookies do not stop who reads the peer's packets; there is an end of
 * half-open SAs for one peer all the same, and of the time each of them stays. */
ATF_TC_WITHOUT_HEAD(n21_on_path);
ATF_TC_BODY(n21_on_path, tc)
{
	struct kept		 k = { .len = 0 };
	struct sim		*s = sim_pair(36, "ondemand", "passive", "");
	struct onpath		 o = { .k = &k };
	struct show_stats	 st;

	keep_request(s, &k);
	s->filter = onpath_filter;
	s->filter_arg = &o;
	for (o.n = 0; o.n < 300; o.n++) {
		spoof(s, &k, "192.0.2.1", o.n);
		sim_run(s, 1);
	}
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.half_open, HALF_PER_PEER);
	ATF_CHECK_EQ(o.replies, HALF_PER_PEER);
	ATF_CHECK(sim_logged(s->n[1], "too many half-open IKE SAs: IKE_SA_INIT dropped"));
	ATF_CHECK(sim_log_count(s->n[1], "too many half-open") <= 20);
	s->filter = NULL;
	sim_run(s, 31000);
	sim_stats(s->n[1], &st);
	ATF_CHECK_EQ(st.half_open, 0);
	ATF_CHECK(sim_up(s->n[0], "b"));
	sim_free(s);
}

/* ---- 22 */

static size_t
spoil(uint8_t *p, size_t n)
{
	p[n - 1] ^= 1;
	return (n);
}

/* Negative test 22: a thousand altered IKE_AUTHs cost at most two hundred decryptions; the
 * half-open SA is deaf then, and goes, and the peer starts anew.  Fewer of them are in
 * t_drop's altered_auth: there the right one still does it. */
ATF_TC_WITHOUT_HEAD(n22_bad_auths);
ATF_TC_BODY(n22_bad_auths, tc)
{
	struct patch		 t;
	struct sim		*s;
	struct node		*victim;
	struct show_stats	 st;
	struct ike_half		*h;
	uint32_t		 at;
	uint64_t		 bad;
	struct endpoint		 src, dst;
	uint8_t			*m;
	uint32_t		 len;
	int			 r, i;

	for (r = 0; r < 2; r++) {
		s = sim_pair(34, "ondemand", "passive", "");
		memset(&t, 0, sizeof(t));
		t.from = s->n[r];
		t.exch = X_IKE_AUTH;
		t.response = r;
		t.raw = spoil;
		t.all = 1;
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, r ? 35 : 25);
		ATF_REQUIRE_EQ(t.done, 1);
		victim = s->n[!r];
		at = 0;
		h = slab_walk(&victim->e->w.halves, &at, NULL);
		ATF_REQUIRE(h != NULL);
		ATF_CHECK_EQ(h->nbad, 1);
		src = h->c.remote;
		dst = h->c.local;
		/* any octets of that form */
		len = 200;
		m = calloc(1, len);
		for (i = 0; i < 8; i++) {
			m[i] = (uint8_t)(h->c.spii >> (56 - 8 * i));
			m[8 + i] = (uint8_t)(h->c.spir >> (56 - 8 * i));
		}
		m[16] = P_SK;
		m[17] = 0x20;
		m[18] = X_IKE_AUTH;
		m[19] = r ? WIRE_F_RESPONSE : WIRE_F_INITIATOR;
		m[23] = 1;
		m[27] = (uint8_t)len;
		m[31] = (uint8_t)(len - WIRE_HDRLEN);
		sim_stats(victim, &st);
		bad = st.rx_bad;
		for (i = 0; i < 1000; i++)
			sim_inject(s, &src, &dst, 0, m, len);
		sim_run(s, 1);
		sim_stats(victim, &st);
		ATF_CHECK_EQ(st.rx_bad - bad, 1000);
		ATF_CHECK_EQ(h->nbad, 200);
		ATF_CHECK_EQ(sim_established(victim), 0);
		free(m);
		/* the flood is over: it comes up by itself */
		s->filter = NULL;
		for (i = 0; i < 60 && !sim_is_up(s->n[0], "b"); i++)
			sim_run(s, 1000);
		ATF_CHECK_MSG(i < 60, "role %d", r);
		sim_free(s);
	}
}

/* ---- 23 */

static int	puzzles;

static void
puzzle(struct parts *ps)
{
	memset(ps, 0, sizeof(*ps));
	if (puzzles & 1)
		(void)parts_note(ps, -1, N_COOKIE, "cookie", 6);
	(void)parts_note(ps, -1, 16434, "\0\5\377", 3);	/* PUZZLE: prf 5, 255 zero bits */
}

/* Negative test 23: PUZZLE is not spoken: without a solution and within bounds. */
ATF_TC_WITHOUT_HEAD(n23_puzzle);
ATF_TC_BODY(n23_puzzle, tc)
{
	struct patch		 t;
	struct sim		*s;
	struct show_tunnel	 u;
	int			 i;

	for (puzzles = 0; puzzles < 2; puzzles++) {
		s = sim_pair(35, "ondemand", "passive", "");
		t = (struct patch){ .from = s->n[1], .exch = X_IKE_SA_INIT, .response = 1,
		    .change = puzzle, .all = 1 };
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		for (i = 0; i < 300; i++) {
			sim_run(s, 100);
			if (sim_tunnel(s->n[0], "b", &u) && u.state == SHOW_BACKOFF)
				break;
		}
		ATF_CHECK_EQ(u.state, SHOW_BACKOFF);
		ATF_CHECK_MSG(t.done <= 40, "%d requests", t.done);
		s->filter = NULL;
		sim_run(s, 10000);
		ATF_CHECK(sim_is_up(s->n[0], "b"));
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n19_no_cookie);
	ATF_TP_ADD_TC(tp, n19_asked);
	ATF_TP_ADD_TC(tp, n20_ping_pong);
	ATF_TP_ADD_TC(tp, n21_ten_thousand);
	ATF_TP_ADD_TC(tp, n21_on_path);
	ATF_TP_ADD_TC(tp, n22_bad_auths);
	ATF_TP_ADD_TC(tp, n23_puzzle);
	return (atf_no_error());
}
