/* SPDX-License-Identifier: ISC */
/*
 * IKE fragmentation (RFC 7383): messages too long for one datagram, on good and bad
 * ways, and what a peer with the keys, or a stranger without, makes of fragments.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define PSK "psk \"a secret that is long enough\"\n"
#define NETS	32

/* What has been on the wire. */
struct wire_look {
	uint64_t	n, frags, whole;	/* IKE messages but IKE_SA_INIT; SKF; SK */
	uint64_t	of[2];			/* SKF by node */
	size_t		longest, longest_skf;
	uint32_t	last_total;
	int		init_cut;		/* SKF in an IKE_SA_INIT */
	size_t		mtu;			/* longer ones get lost; 0: none do */
	int		lose[2];		/* so many SKF of that number get lost, by node */
	uint16_t	lose_num;
};

static int
look_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_look	*l = s->filter_arg;
	struct wire_hdr		 h;
	struct rbuf		 r;
	uint16_t		 num;

	if (wire_hdr_decode(p->p, p->len, &h) == -1)
		return (0);
	if (h.exch == X_IKE_SA_INIT) {
		l->init_cut |= h.next == P_SKF;
		return (0);
	}
	l->n++;
	if (p->len > l->longest)
		l->longest = p->len;
	if (h.next == P_SKF) {
		rbuf_init(&r, p->p, p->len);
		rbuf_skip(&r, WIRE_HDRLEN + 4);
		num = rbuf_u16(&r);
		l->last_total = rbuf_u16(&r);
		l->frags++;
		l->of[from->idx]++;
		if (p->len > l->longest_skf)
			l->longest_skf = p->len;
		if (num == l->lose_num && l->lose[from->idx] > 0) {
			l->lose[from->idx]--;
			return (1);
		}
	} else
		l->whole++;
	return (l->mtu > 0 && p->len + 28 + (p->marker ? 4 : 0) > l->mtu);
}

/* Tunnels with so many networks that IKE_AUTH and CREATE_CHILD_SA are long. */
static void
wide_text(char *t, size_t cap, int side, const char *set, const char *mode,
    const char *ends, const char *extra)
{
	size_t	n;
	int	i, j;

	n = (size_t)snprintf(t, cap, "%s\nikev2 \"%s\" %s esp from { %s", set,
	    side == 0 ? "b" : "a", mode, side == 0 ? "10.1.0.0/24" : "10.2.0.0/24");
	for (j = 0; j < 2; j++) {
		for (i = 1; i < NETS; i++)
			n += (size_t)snprintf(t + n, cap - n, " 2001:db8:%d:%x::/64",
			    1 + (side ^ j), i);
		if (j == 0)
			n += (size_t)snprintf(t + n, cap - n, " } to { %s",
			    side == 0 ? "10.2.0.0/24" : "10.1.0.0/24");
	}
	(void)snprintf(t + n, cap - n, " } %s %s " PSK, ends, extra);
}

static const char *const v4[2] = { "local 192.0.2.1 peer 198.51.100.1",
    "local 198.51.100.1 peer 192.0.2.1" };
static const char *const v6[2] = { "local 2001:db8:f::1 peer 2001:db8:e::1",
    "local 2001:db8:e::1 peer 2001:db8:f::1" };

static struct sim *
wide(uint64_t seed, const char *aset, const char *bset, const char *extra,
    const char *const ends[2])
{
	struct sim	*s = sim_new(seed);
	char		 text[8192];

	wide_text(text, sizeof(text), 0, aset, "ondemand", ends[0], extra);
	(void)sim_node(s, "a", ends == v6 ? "2001:db8:f::1" : "192.0.2.1", text);
	wide_text(text, sizeof(text), 1, bset, "passive", ends[1], extra);
	(void)sim_node(s, "b", ends == v6 ? "2001:db8:e::1" : "198.51.100.1", text);
	return (s);
}

static struct ike_sa *
the_ike(struct node *n)
{
	uint32_t	 at = 0;
	struct ike_sa	*ike = slab_walk(&n->e->w.ikes, &at, NULL);

	ATF_REQUIRE(ike != NULL);
	return (ike);
}

static struct ike_half *
the_half(struct node *n)
{
	uint32_t	 at = 0;
	struct ike_half	*h = slab_walk(&n->e->w.halves, &at, NULL);

	ATF_REQUIRE(h != NULL);
	return (h);
}

static void
pings(struct sim *s, int n)
{
	uint64_t	got = s->n[0]->got;

	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", n * 100, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(s->n[0]->got - got, (uint64_t)n);
}

static void
rekey_ike(struct node *n)
{
	struct ike_sa	*ike = the_ike(n);

	ike->want_rekey = 1;
	touch_ike(&n->e->w, ike);
	engine_tick(n->e, n->sim->now);
}

/* ---- both sides have it */

static void
life(const char *extra, const char *const ends[2], size_t limit)
{
	struct sim		*s = wide(1, "", "", extra, ends);
	struct wire_look	 l = { .n = 0 };
	uint64_t		 was;

	s->filter = look_filter;
	s->filter_arg = &l;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(s->n[0]->loglen > 0, 1);
	ATF_CHECK_MSG(l.of[0] >= 3 && l.of[1] >= 3, "%ju and %ju fragments",
	    (uintmax_t)l.of[0], (uintmax_t)l.of[1]);
	ATF_CHECK_EQ(l.whole, 0);
	ATF_CHECK_MSG(l.longest <= limit && l.longest > limit - 17, "%zu octets, not %zu",
	    l.longest, limit);
	pings(s, 5);
	was = l.frags;
	sim_cmd(s->n[1], CMD_REKEY, "a");
	pings(s, 10);
	ATF_CHECK(l.frags >= was + 6);
	/* what is short stays whole, and the next IKE SA fragments as well */
	ATF_CHECK(l.whole > 0);
	rekey_ike(s->n[0]);
	sim_run(s, 2000);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "given up"), 0);
	was = l.frags;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	pings(s, 10);
	ATF_CHECK(l.frags >= was + 6);
	ATF_CHECK(l.longest <= limit);
	ATF_CHECK_EQ(l.init_cut, 0);
	ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
	ATF_CHECK(sim_mirror(s->n[0], s->n[1], "b", "a"));
	sim_free(s);
}

ATF_TC_WITHOUT_HEAD(aead);
ATF_TC_BODY(aead, tc)
{
	/* 1280, less IPv4's 20, UDP's 8 and room for a marker */
	life("", v4, 1280 - 20 - 8 - 4);
}

ATF_TC_WITHOUT_HEAD(cbc);
ATF_TC_BODY(cbc, tc)
{
	life("ikesa enc aes-256 auth hmac-sha2-512 prf hmac-sha2-512 group curve25519", v4,
	    1280 - 20 - 8 - 4);
}

ATF_TC_WITHOUT_HEAD(inet6);
ATF_TC_BODY(inet6, tc)
{
	life("", v6, 1280 - 40 - 8 - 4);
}

/* ---- one side has not: never used, whoever it is */

ATF_TC_WITHOUT_HEAD(one_side);
ATF_TC_BODY(one_side, tc)
{
	struct wire_look	 l;
	struct sim		*s;
	int			 i;

	for (i = 0; i < 3; i++) {
		s = wide(2, i & 1 ? "" : "set nofragmentation", i & 2 ? "" :
		    "set nofragmentation", "", v4);
		memset(&l, 0, sizeof(l));
		s->filter = look_filter;
		s->filter_arg = &l;
		ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%d", i);
		ATF_CHECK_EQ(l.frags, 0);
		ATF_CHECK(l.longest > 2000);
		ATF_CHECK_EQ(the_ike(s->n[0])->c.frag + the_ike(s->n[1])->c.frag, 0);
		sim_free(s);
	}
}

/* Nor after a reload without it, though the peer's are still understood. */
ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct sim		*s = wide(3, "", "", "", v4);
	struct wire_look	 l = { .n = 0 };
	char			 text[8192];

	s->filter = look_filter;
	s->filter_arg = &l;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	wide_text(text, sizeof(text), 0, "set nofragmentation", "ondemand", v4[0], "");
	sim_reload(s->n[0], text);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	memset(&l, 0, sizeof(l));
	sim_cmd(s->n[1], CMD_REKEY, "a");
	pings(s, 10);
	ATF_CHECK(l.of[1] >= 3);
	ATF_CHECK_EQ(l.of[0], 0);
	ATF_CHECK(l.longest > 2000);
	/* a new IKE SA has none of it */
	sim_cmd(s->n[0], CMD_DOWN, "b");
	sim_run(s, 1000);
	memset(&l, 0, sizeof(l));
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_CHECK_EQ(l.frags, 0);
	/* and with it again one that has */
	wide_text(text, sizeof(text), 0, "set fragmentation", "ondemand", v4[0], "");
	sim_reload(s->n[0], text);
	sim_cmd(s->n[0], CMD_DOWN, "b");
	sim_run(s, 1000);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_CHECK(l.frags > 0);
	sim_free(s);
}

/* ---- bad ways */

/* Loss, doubles and disorder: it comes up, lives, and no piece is left. */
ATF_TC_WITHOUT_HEAD(weather);
ATF_TC_BODY(weather, tc)
{
	static const char *const extra[] = { "", "lifetime 40 ikelifetime 60",
	    "ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519" };
	struct sim	*s;
	uint64_t	 seed;
	int		 i;

	for (seed = 1; seed <= 24; seed++) {
		s = wide(seed, "", "", extra[seed % 3], v4);
		s->delay_us = 20000;
		s->jitter_us = 60000;
		s->loss = 50 + 10 * (uint32_t)(seed % 20);
		s->dup = 300;
		sim_cmd(s->n[0], CMD_UP, "b");
		for (i = 0; i < 30; i++) {
			sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 2000, 200);
			if (i % 7 == 3)
				sim_cmd(s->n[seed & 1], CMD_REKEY, seed & 1 ? "a" : "b");
		}
		s->loss = s->dup = 0;
		sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 60000, 200);
		ATF_CHECK_MSG(sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a"), "seed %ju",
		    (uintmax_t)seed);
		/* a rekey may just be on its way */
		for (i = 0; i < 10 && !(sim_agree(s->n[0]) && sim_agree(s->n[1])); i++)
			sim_run(s, 100);
		ATF_CHECK(sim_agree(s->n[0]) && sim_agree(s->n[1]));
		pings(s, 3);
		for (i = 0; i < 2; i++) {
			ATF_CHECK_EQ(s->n[i]->e->w.halffrags, 0);
			ATF_CHECK(the_ike(s->n[i])->c.frags[0] == NULL);
			ATF_CHECK(the_ike(s->n[i])->c.frags[1] == NULL);
		}
		sim_free(s);
	}
}

/* The missing piece comes with the next try, which is all of them again. */
ATF_TC_WITHOUT_HEAD(resend);
ATF_TC_BODY(resend, tc)
{
	struct sim		*s = wide(4, "", "", "", v4);
	struct wire_look	 l = { .lose = { 1, 1 }, .lose_num = 2 };
	struct show_stats	 st;

	/* of the request, and then of the response */
	s->filter = look_filter;
	s->filter_arg = &l;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 3000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	ATF_CHECK_EQ(l.lose[0] + l.lose[1], 0);
	sim_stats(s->n[0], &st);
	ATF_CHECK_EQ(st.retransmits, 2);
	ATF_CHECK_EQ(l.of[0], 9);	/* three times three */
	ATF_CHECK_EQ(l.of[1], 6);	/* only the first of the third three brings it again */
	sim_free(s);
}

/* A way that takes no more than 576 octets: found out by trying, in both directions. */
ATF_TC_WITHOUT_HEAD(narrow);
ATF_TC_BODY(narrow, tc)
{
	struct sim		*s = wide(5, "", "", "", v4);
	struct wire_look	 l = { .mtu = 576 };

	s->filter = look_filter;
	s->filter_arg = &l;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 8000);
	ATF_REQUIRE(sim_is_up(s->n[0], "b"));
	ATF_CHECK(l.last_total > 4);
	/* known from then on */
	memset(&l, 0, sizeof(l));
	l.mtu = 576;
	sim_cmd(s->n[1], CMD_REKEY, "a");
	pings(s, 10);
	ATF_CHECK(l.longest <= 576 - 32);
	rekey_ike(s->n[1]);
	sim_run(s, 2000);
	sim_cmd(s->n[0], CMD_REKEY, "b");
	pings(s, 10);
	ATF_CHECK(l.longest <= 576 - 32);
	sim_free(s);
}

/* The same only on the way back, where nobody but the responder can help. */
static int
back_filter(struct sim *s, struct node *from, struct packet *p)
{
	return (from == s->n[1] && p->len + 28 > 576);
}

ATF_TC_WITHOUT_HEAD(narrow_back);
ATF_TC_BODY(narrow_back, tc)
{
	struct sim	*s = wide(6, "", "", "", v4);

	s->filter = back_filter;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 12000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	sim_free(s);
}

/* ---- a peer with the keys; a is bad, b is tried */

#define CAP	9000
struct bad {
	struct sim		*s;
	struct node		*a, *b;
	struct ike_core		*c;	/* a's */
	struct wire_hdr		 h;
	struct endpoint		 src, dst;
	uint64_t		 answers;	/* datagrams from b */
	uint8_t			 last[2048];
	size_t			 lastlen;
	uint8_t			 msg[CAP];
};

static int
bad_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct bad	*x = s->filter_arg;

	if (from != x->b)
		return (0);
	x->answers++;
	if (p->len <= sizeof(x->last)) {
		memcpy(x->last, p->p, p->len);
		x->lastlen = p->len;
	}
	return (1);		/* a would not know what it is */
}

static struct bad *
bad_start(uint64_t seed)
{
	struct bad	*x = calloc(1, sizeof(*x));

	ATF_REQUIRE(x != NULL);
	x->s = sim_pair(seed, "ondemand", "passive", "");
	x->a = x->s->n[0];
	x->b = x->s->n[1];
	ATF_REQUIRE(sim_up(x->a, "b"));
	sim_run(x->s, 100);
	x->c = &the_ike(x->a)->c;
	x->h.exch = X_INFORMATIONAL;
	x->h.msgid = the_ike(x->a)->msgid_out;
	x->src = sim_ep("192.0.2.1", 500);
	x->dst = sim_ep("198.51.100.1", 500);
	x->s->filter = bad_filter;
	x->s->filter_arg = x;
	return (x);
}

static void
bad_end(struct bad *x)
{
	ATF_CHECK_EQ(x->b->e->w.halffrags, 0);
	sim_free(x->s);
	free(x);
}

static struct frags *
kept(struct bad *x)
{
	return (the_ike(x->b)->c.frags[0]);
}

/* Sends a fragment with that content; bent: the n-th octet from the end is altered. */
static void
piece_bent(struct bad *x, uint8_t first, uint16_t num, uint16_t total, const void *p,
    size_t len, size_t bent)
{
	size_t	n = peer_fragment(x->a, x->c, &x->h, first, num, total, p, len, x->msg,
	    sizeof(x->msg));

	ATF_REQUIRE(n > 0);
	if (bent > 0)
		x->msg[n - bent] ^= 1;
	sim_inject(x->s, &x->src, &x->dst, 0, x->msg, n);
	sim_run(x->s, 2);
}

static void
piece(struct bad *x, uint8_t first, uint16_t num, uint16_t total, const char *p,
    size_t len)
{
	piece_bent(x, first, num, total, p, len, 0);
}

/* Two vendor ids, of 12 octets each, and their halves; what is no payload at all. */
#define VV	"\x2b\0\0\x0c" "01234567" "\0\0\0\x0c" "89abcdef"
#define NONSENSE "\xff\xff\0\1zzzzzzzz"

/* Negative test 24. */
ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	static const struct { uint16_t num, total; } wrong[] = {
		{ 0, 0 }, { 0, 2 }, { 1, 0 }, { 3, 2 }, { 65535, 2 }, { 1, 65535 },
		{ 65535, 65535 }, { 1, 129 },
	};
	struct bad	*x = bad_start(10);
	size_t		 i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		piece(x, P_V, wrong[i].num, wrong[i].total, VV, 24);
		ATF_CHECK_MSG(kept(x) == NULL, "%u of %u is kept", wrong[i].num,
		    wrong[i].total);
	}
	/* fewer than were said: dropped; more: from the beginning */
	piece(x, P_V, 1, 3, VV, 8);
	piece(x, P_V, 1, 2, NONSENSE, 12);
	piece(x, P_NONE, 2, 2, NONSENSE, 12);
	ATF_REQUIRE(kept(x) != NULL);
	ATF_CHECK(kept(x)->total == 3 && kept(x)->have == 1);
	piece(x, P_NONE, 3, 4, &VV[20], 4);
	ATF_CHECK(kept(x)->total == 4 && kept(x)->have == 1);
	piece(x, P_NONE, 2, 3, NONSENSE, 12);
	piece(x, P_NONE, 4, 4, "", 0);
	piece(x, P_NONE, 2, 4, &VV[8], 12);
	ATF_CHECK_EQ(kept(x)->have, 3);
	ATF_CHECK_EQ(x->answers, 0);
	piece(x, P_V, 1, 4, VV, 8);
	ATF_CHECK(kept(x) == NULL);
	ATF_CHECK_EQ(x->answers, 1);
	ATF_CHECK_EQ(x->last[19] & WIRE_F_RESPONSE, WIRE_F_RESPONSE);
	ATF_CHECK_EQ(sim_established(x->b), 1);
	bad_end(x);
}

/* Not agreed upon: as if it were noise.  Nor is an IKE_SA_INIT ever in pieces.
 * Negative test 24. */
ATF_TC_WITHOUT_HEAD(unwanted);
ATF_TC_BODY(unwanted, tc)
{
	struct bad		*x = bad_start(11);
	struct show_stats	 st, su;

	sim_stats(x->b, &st);
	the_ike(x->b)->c.frag = 0;
	piece(x, P_V, 1, 1, VV, 24);
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK(kept(x) == NULL);
	the_ike(x->b)->c.frag = 1;
	x->h.exch = X_IKE_SA_INIT;
	piece(x, P_V, 1, 2, VV, 12);
	x->h.flags = WIRE_F_RESPONSE;
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK(kept(x) == NULL);
	ATF_CHECK_EQ(sim_count(x->b, SHOWK_PEER), 1);
	sim_stats(x->b, &su);
	ATF_CHECK_EQ(su.rx_dropped - st.rx_dropped, 4);
	ATF_CHECK_EQ(x->answers, 0);
	/* nor is one a hint that the peer is gone */
	ATF_CHECK_EQ(sim_log_count(x->b, "checking the peer"), 0);
	bad_end(x);
}

/* Who has not the keys leaves nothing and pushes nothing out; what is there stays.
 * Negative test 25. */
ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	struct bad	*x = bad_start(12);
	size_t		 i;

	for (i = 1; i <= 24; i++)
		piece_bent(x, P_V, 1, 2, VV, 12, i);
	ATF_CHECK(kept(x) == NULL);
	piece(x, P_V, 1, 2, VV, 12);
	for (i = 1; i <= 24; i++) {
		piece_bent(x, P_NONE, 2, 2, VV, 12, i);
		piece_bent(x, P_V, 1, 3, VV, 12, i);
	}
	ATF_REQUIRE(kept(x) != NULL);
	ATF_CHECK(kept(x)->total == 2 && kept(x)->have == 1);
	/* number and total are protected: 2 of 2 made of 1 of 2 */
	(void)peer_fragment(x->a, x->c, &x->h, P_NONE, 1, 2, &VV[12], 12, x->msg, CAP);
	x->msg[WIRE_HDRLEN + 5] = 2;
	sim_inject(x->s, &x->src, &x->dst, 0, x->msg, WIRE_HDRLEN + 8 + 8 + 13 + 16);
	sim_run(x->s, 2);
	ATF_CHECK_EQ(kept(x)->have, 1);
	piece(x, P_NONE, 2, 2, &VV[12], 12);
	ATF_CHECK_EQ(x->answers, 1);
	bad_end(x);
}

/* The first of two with one number is the one. Negative test 25. */
ATF_TC_WITHOUT_HEAD(twice);
ATF_TC_BODY(twice, tc)
{
	struct bad	*x = bad_start(13);

	piece(x, P_V, 1, 2, VV, 12);
	piece(x, P_V, 1, 2, VV, 12);
	piece(x, P_SA, 1, 2, NONSENSE, 12);
	piece(x, P_NONE, 2, 2, &VV[12], 12);
	ATF_CHECK_EQ(x->answers, 1);
	ATF_CHECK_EQ(sim_established(x->b), 1);
	bad_end(x);
}

/* A type in a later piece means nothing. Negative test 26. */
ATF_TC_WITHOUT_HEAD(first_type);
ATF_TC_BODY(first_type, tc)
{
	struct bad	*x = bad_start(14);

	piece(x, P_SA, 2, 2, &VV[12], 12);
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK_EQ(x->answers, 1);
	ATF_CHECK_EQ(sim_established(x->b), 1);
	bad_end(x);
}

/* What is put together is decoded as any message is: this one ends the SA. */
ATF_TC_WITHOUT_HEAD(malformed);
ATF_TC_BODY(malformed, tc)
{
	struct bad	*x = bad_start(15);

	piece(x, P_V, 1, 2, VV, 12);
	piece(x, P_NONE, 2, 2, NONSENSE, 12);
	ATF_CHECK_EQ(x->answers, 1);
	ATF_CHECK_EQ(sim_established(x->b), 0);
	bad_end(x);
}

/* 64 KiB a message, for a while. Negative test 26. */
ATF_TC_WITHOUT_HEAD(memory);
ATF_TC_BODY(memory, tc)
{
	static char	 big[8000];
	struct bad	*x = bad_start(16);
	uint16_t	 i;

	for (i = 1; i < 128; i++)
		piece(x, P_V, i, 128, big, sizeof(big));
	ATF_REQUIRE(kept(x) != NULL);
	ATF_CHECK_MSG(kept(x)->octets > 56000 && kept(x)->octets <= 65535, "%u octets",
	    kept(x)->octets);
	ATF_CHECK_EQ(kept(x)->have, 7);
	sim_run(x->s, FRAG_MS - 1000);
	ATF_CHECK(kept(x) != NULL);
	sim_run(x->s, 2000);
	ATF_CHECK(kept(x) == NULL);
	/* and not what is left of an earlier message when the next comes */
	piece(x, P_V, 1, 2, VV, 12);
	x->h.exch = X_CREATE_CHILD_SA;
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK(kept(x)->exch == X_CREATE_CHILD_SA && kept(x)->have == 1);
	x->h.exch = X_INFORMATIONAL;
	piece(x, P_V, 1, 1, VV, 24);
	ATF_CHECK(kept(x) == NULL);
	ATF_CHECK_EQ(x->answers, 1);
	/* a message id that is not the next one */
	x->h.msgid += 2;
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK(kept(x) == NULL);
	bad_end(x);
}

/* SK and SKF of one message are not mixed; an answer comes again for number 1 only.
 * Negative test 27. */
ATF_TC_WITHOUT_HEAD(mixed);
ATF_TC_BODY(mixed, tc)
{
	struct bad	*x = bad_start(17);
	uint8_t		 first[2048];
	size_t		 n;

	piece(x, P_V, 1, 2, VV, 12);
	n = message_seal(&x->a->e->w, x->c, X_INFORMATIONAL, 0, x->h.msgid, P_V,
	    (const uint8_t *)VV, 24, x->msg);
	ATF_REQUIRE(n > 0);
	sim_inject(x->s, &x->src, &x->dst, 0, x->msg, n);
	sim_run(x->s, 2);
	ATF_CHECK_EQ(x->answers, 1);
	ATF_CHECK(kept(x) == NULL);
	n = x->lastlen;
	memcpy(first, x->last, n);
	piece(x, P_NONE, 2, 2, &VV[12], 12);
	ATF_CHECK_EQ(x->answers, 1);
	piece(x, P_V, 1, 2, VV, 12);
	ATF_CHECK_EQ(x->answers, 2);
	ATF_CHECK(x->lastlen == n && memcmp(x->last, first, n) == 0);
	piece_bent(x, P_V, 1, 2, VV, 12, 1);
	ATF_CHECK_EQ(x->answers, 2);
	ATF_CHECK(kept(x) == NULL);
	/* the other way round: the answer to a request in pieces, asked for by a whole one */
	x->h.msgid++;
	piece(x, P_V, 1, 2, VV, 12);
	piece(x, P_NONE, 2, 2, &VV[12], 12);
	ATF_CHECK_EQ(x->answers, 3);
	n = message_seal(&x->a->e->w, x->c, X_INFORMATIONAL, 0, x->h.msgid, P_V,
	    (const uint8_t *)VV, 24, x->msg);
	sim_inject(x->s, &x->src, &x->dst, 0, x->msg, n);
	sim_run(x->s, 2);
	ATF_CHECK_EQ(x->answers, 4);
	bad_end(x);
}

/* ---- before AUTH */

/* Half-open, and the first piece is there: neither strangers nor who has the keys (of a
 * Diffie-Hellman with anybody) makes it cost more than a little, and the peer gets in. */
static int
hold_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_look	*l = s->filter_arg;

	(void)look_filter(s, from, p);
	return (from == s->n[0] && p->p[18] == X_IKE_AUTH && l->lose[0] > 0);
}

ATF_TC_WITHOUT_HEAD(half_open);
ATF_TC_BODY(half_open, tc)
{
	static char		 big[4000];
	struct sim		*s = wide(20, "", "", "", v4);
	struct node		*a = s->n[0], *b = s->n[1];
	struct wire_look	 l = { .lose = { 1 } };
	struct wire_hdr		 h = { .exch = X_IKE_AUTH, .msgid = 1 };
	struct endpoint		 src = sim_ep("192.0.2.1", 500);
	struct endpoint		 dst = sim_ep("198.51.100.1", 500);
	uint8_t			 msg[CAP];
	size_t			 n;
	uint16_t		 i;

	s->filter = hold_filter;
	s->filter_arg = &l;
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 300);
	ATF_REQUIRE_EQ(the_half(b)->state, HALF_INIT_DONE);
	for (i = 0; i < 100; i++) {
		n = peer_fragment(a, &the_half(a)->c, &h, P_IDI, 1, 2, big, 100, msg, CAP);
		msg[n - 1 - i % 50] ^= 0x10;
		sim_inject(s, &src, &dst, 0, msg, n);
		sim_run(s, 1);
	}
	ATF_CHECK(the_half(b)->c.frags[0] == NULL);
	ATF_CHECK_EQ(b->e->w.halffrags, 0);
	for (i = 2; i <= 100; i++) {
		n = peer_fragment(a, &the_half(a)->c, &h, P_NONE, i, 100, big, sizeof(big),
		    msg, CAP);
		sim_inject(s, &src, &dst, 0, msg, n);
		sim_run(s, 1);
	}
	ATF_CHECK_MSG(b->e->w.halffrags > 20000 && b->e->w.halffrags <= 32768,
	    "%zu octets", b->e->w.halffrags);
	/* its owner has spoilt it for itself: it dies, and the next one gets in */
	l.lose[0] = 0;
	sim_run(s, 60000);
	ATF_CHECK_EQ(b->e->w.halffrags, 0);
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 40000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

/* All that is half-open has one purse. */
ATF_TC_WITHOUT_HEAD(half_purse);
ATF_TC_BODY(half_purse, tc)
{
	struct sim	*s = wide(21, "", "", "", v4);
	struct node	*b = s->n[1];

	b->e->w.halffrags = (8U << 20) - 1000;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 2000);
	ATF_CHECK_EQ(the_half(b)->state, HALF_INIT_DONE);
	ATF_CHECK(b->e->w.halffrags <= 8U << 20);
	b->e->w.halffrags -= (8U << 20) - 1000;
	sim_run(s, 10000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	ATF_CHECK_EQ(b->e->w.halffrags, 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, aead);
	ATF_TP_ADD_TC(tp, cbc);
	ATF_TP_ADD_TC(tp, inet6);
	ATF_TP_ADD_TC(tp, one_side);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, weather);
	ATF_TP_ADD_TC(tp, resend);
	ATF_TP_ADD_TC(tp, narrow);
	ATF_TP_ADD_TC(tp, narrow_back);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, unwanted);
	ATF_TP_ADD_TC(tp, forged);
	ATF_TP_ADD_TC(tp, twice);
	ATF_TP_ADD_TC(tp, first_type);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, memory);
	ATF_TP_ADD_TC(tp, mixed);
	ATF_TP_ADD_TC(tp, half_open);
	ATF_TP_ADD_TC(tp, half_purse);
	return (atf_no_error());
}
