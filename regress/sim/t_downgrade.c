/* SPDX-License-Identifier: ISC */
/*
 * AUTH over the whole of IKE_SA_INIT (draft-ietf-ipsecme-ikev2-downgrade-prevention): both
 * sides have it, one has not, and somebody on the way who would rather they had not,
 * even one who can forge the initiator's AUTH.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define FULL	N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH

/* Takes the notify of that type out of an unprotected message: its new length. */
static size_t
strip(uint8_t *p, size_t len, uint16_t type)
{
	size_t	at = WIRE_HDRLEN, prev = 16, n;
	uint8_t	next = p[16];

	while (next != P_NONE && at + 4 <= len) {
		n = (size_t)(p[at + 2] << 8 | p[at + 3]);
		if (next == P_N && n >= 8 && (p[at + 6] << 8 | p[at + 7]) == type) {
			p[prev] = p[at];
			memmove(p + at, p + at + n, len - at - n);
			len -= n;
			p[26] = (uint8_t)(len >> 8);
			p[27] = (uint8_t)len;
			return (len);
		}
		prev = at;
		next = p[at];
		at += n;
	}
	return (len);
}

enum { REQUEST = 1, RESPONSE = 2 };
struct middle {
	int		where;		/* it is taken out of these */
	uint16_t	what;
	int		known[2];	/* ... and that node does not know it at all */
	int		forge;		/* and a's AUTH is made to fit */
	int		done, forged;
	uint64_t	has[2];		/* IKE_SA_INITs with it, by node, as sent */
	struct ike_half	*made;
	uint8_t		msg1[4096];	/* as b has got it */
	size_t		len1;
	struct node	*a;
};

static struct ike_half *
half_of(struct node *n, uint64_t spii)
{
	struct ike_half	*h;
	uint32_t	 at = 0;

	while ((h = slab_walk(&n->e->w.halves, &at, NULL)) != NULL)
		if (h->c.spii == spii)
			return (h);
	return (NULL);
}

/* The sender itself has never heard of it: what it signs is what it sends. */
static void
unlearn(struct node *n, const struct wire_hdr *h)
{
	struct ike_half	*f = half_of(n, h->spii);

	ATF_REQUIRE(f != NULL);
	if (h->flags & WIRE_F_RESPONSE) {
		f->init->len2 = (uint32_t)strip(f->init->msg2, f->init->len2, FULL);
		f->init->full = 0;
	} else {
		f->init->len1 = (uint32_t)strip(f->init->msg1, f->init->len1, FULL);
		f->init->full_said = 0;
	}
}

/* a's AUTH for the request that b has seen, with the secret that is known to both. */
static int
forge(void *arg, uint8_t *p, size_t *len, uint8_t *first)
{
	static const char	 secret[] = "a secret that is long enough";
	struct middle		*m = arg;
	struct ike_half		*h = half_of(m->a, m->made->c.spii);
	struct wire_msg		*w = calloc(1, sizeof(*w));
	struct span		 s[3], psk = { (const uint8_t *)secret, sizeof(secret) - 1 };
	struct span		 key = { h->c.keys.pi, 0 }, body;
	uint8_t			 mac[PRF_MAXLEN], out[PRF_MAXLEN];
	size_t			 n = prf_len(h->c.suite.prf);

	ATF_REQUIRE_EQ(wire_decode(*first, p, *len, 0, w, NULL), WIRE_OK);
	key.len = n;
	body = w->idi_body;
	ATF_REQUIRE_EQ(prf(m->a->sim->crypto, h->c.suite.prf, key, &body, 1, mac), 0);
	s[0] = (struct span){ m->msg1, m->len1 };
	s[1] = (struct span){ h->init->nr, h->init->nrlen };
	s[2] = (struct span){ mac, n };
	ATF_REQUIRE_EQ(psk_auth(m->a->sim->crypto, h->c.suite.prf, psk, s, 3, out), 0);
	ATF_REQUIRE_EQ(w->auth.len, n);
	memcpy(p + (w->auth.p - p), out, n);
	free(w);
	m->forged++;
	return (0);
}

static int
init_filter(struct sim *s, struct node *from, struct packet *p, const struct wire_hdr *h)
{
	static uint8_t	 look[sizeof(((struct middle *)0)->msg1)];
	struct middle	*m = s->filter_arg;
	int		 dir = h->flags & WIRE_F_RESPONSE ? RESPONSE : REQUEST;
	size_t		 n = p->len;
	uint8_t		*copy;

	ATF_REQUIRE(n <= sizeof(m->msg1) && (copy = malloc(n)) != NULL);
	memcpy(copy, p->p, n);
	if (m->known[from->idx] == 0) {
		unlearn(from, h);
		n = strip(copy, n, FULL);
	}
	m->has[from->idx] += strip(memcpy(look, copy, n), n, FULL) != n;
	if (m->where & dir) {
		n = strip(copy, n, m->what);
		m->done += n != p->len;
	}
	if (dir == REQUEST) {
		memcpy(m->msg1, copy, n);
		m->len1 = n;
		m->made = half_of(m->a, h->spii);
	}
	sim_inject(s, &p->src, &p->dst, p->marker, copy, n);
	free(copy);
	return (1);
}

static int
middle_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	 out[MSG_MAX];
	struct middle	*m = s->filter_arg;
	struct packet	 q = *p;
	struct wire_hdr	 h;
	size_t		 n;

	if (wire_hdr_decode(p->p, p->len, &h) == -1)
		return (0);
	if (h.exch == X_IKE_SA_INIT)
		return (init_filter(s, from, p, &h));
	if (!m->forge || from != m->a || h.exch != X_IKE_AUTH)
		return (0);
	if ((n = peer_alter(from, p, forge, m, out)) == 0)
		return (0);
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (1);
}

/* a calls b, in the middle's hands, for 20 s: 1 it came up. */
static int
called(struct sim *s, struct middle *m)
{
	m->a = s->n[0];
	s->filter = middle_filter;
	s->filter_arg = m;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 20000);
	return (sim_is_up(s->n[0], "b"));
}

ATF_TC_WITHOUT_HEAD(both);
ATF_TC_BODY(both, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive", "");
	struct middle	 m = { .known = { 1, 1 } };

	ATF_CHECK(called(s, &m));
	ATF_CHECK(m.has[0] == 1 && m.has[1] == 1);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "keys refuse"), 0);
	sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 500, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(s->n[0]->got, 5);
	sim_free(s);
}

/* After COOKIE and INVALID_KE_PAYLOAD it is the last pair that counts. */
ATF_TC_WITHOUT_HEAD(retries);
ATF_TC_BODY(retries, tc)
{
	struct sim	*s = sim_new(2);
	struct middle	 m = { .known = { 1, 1 } };

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 ikesa enc aes-256-gcm prf "
	    "hmac-sha2-256 group { curve25519, ecp384 } psk \"a secret that is long enough\"\n");
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" passive esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 ikesa enc aes-256-gcm prf "
	    "hmac-sha2-256 group ecp384 psk \"a secret that is long enough\"\n");
	ATF_CHECK(called(s, &m));
	ATF_CHECK_EQ(m.has[0], 2);
	sim_free(s);
}

/* A peer that does not know it, as either role: as before. */
ATF_TC_WITHOUT_HEAD(one_side);
ATF_TC_BODY(one_side, tc)
{
	struct middle	 m;
	struct sim	*s;
	int		 i;

	for (i = 0; i < 3; i++) {
		s = sim_pair(3, "ondemand", "passive", "");
		memset(&m, 0, sizeof(m));
		m.known[0] = i == 1;
		m.known[1] = i == 2;
		ATF_CHECK_MSG(called(s, &m), "%d", i);
		/* who has it says so, asked or not */
		ATF_CHECK_EQ(m.has[0] > 0, i == 1);
		ATF_CHECK_EQ(m.has[1] > 0, i == 2);
		sim_free(s);
	}
}

/* Negative test 41: taken out of one message, or of both. */
ATF_TC_WITHOUT_HEAD(stripped);
ATF_TC_BODY(stripped, tc)
{
	struct middle	 m;
	struct sim	*s;
	int		 i;

	for (i = REQUEST; i <= (REQUEST | RESPONSE); i++) {
		s = sim_pair(4, "ondemand", "passive", "");
		m = (struct middle){ .known = { 1, 1 }, .where = i, .what = FULL };
		ATF_CHECK_MSG(!called(s, &m), "%d", i);
		ATF_CHECK(m.done > 0);
		ATF_CHECK_EQ(sim_kernel_count(s->n[0]) + sim_kernel_count(s->n[1]), 0);
		sim_free(s);
	}
}

/*
 * The man in the middle knows a's secret and the session keys, takes something out of
 * a's request and signs what b has seen in a's place.  b cannot tell; but b's AUTH goes
 * over the request as it came, which is not the one that a has sent.
 */
ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	static const uint16_t	 what[] = { FULL, N_IKEV2_FRAGMENTATION_SUPPORTED };
	struct middle		 m;
	struct sim		*s;
	int			 i;

	for (i = 0; i < 2; i++) {
		s = sim_pair(5, "ondemand", "passive", "");
		m = (struct middle){ .known = { 1, 1 }, .where = REQUEST, .what = what[i],
		    .forge = 1 };
		ATF_CHECK_MSG(!called(s, &m), "%d", i);
		ATF_CHECK(m.done > 0 && m.forged > 0);
		if (i == 0)
			/* b was deceived, and a was not */
			ATF_CHECK(sim_log_count(s->n[1], "AUTH does not verify") == 0 &&
			    sim_log_count(s->n[0], "AUTH does not verify") > 0);
		sim_free(s);
	}
	/* the same attack where a does not have it: it works */
	s = sim_pair(5, "ondemand", "passive", "");
	m = (struct middle){ .known = { 0, 1 }, .where = REQUEST,
	    .what = N_IKEV2_FRAGMENTATION_SUPPORTED, .forge = 1 };
	ATF_CHECK(called(s, &m));
	ATF_CHECK(m.done > 0 && m.forged > 0);
	sim_free(s);
}

/* `fulltranscript': a peer that has it not gets no SA, whoever asks for it. */
ATF_TC_WITHOUT_HEAD(wanted);
ATF_TC_BODY(wanted, tc)
{
	struct middle	 m;
	struct sim	*s;
	int		 i;

	for (i = 0; i < 3; i++) {
		s = sim_pair(7, "ondemand", "passive", "fulltranscript");
		m = (struct middle){ .known = { i != 1, i != 2 } };
		ATF_CHECK_EQ_MSG(called(s, &m), i == 0, "%d", i);
		if (i == 1)
			ATF_CHECK(sim_logged(s->n[1], "\"fulltranscript\" of tunnel \"a\" "
			    "wants: remove the word"));
		if (i == 2)
			ATF_CHECK(sim_logged(s->n[0], "which \"fulltranscript\" wants: remove "
			    "the word"));
		ATF_CHECK_EQ(sim_kernel_count(s->n[0]), i == 0 ? 2 : 0);
		sim_free(s);
	}
}

/* ---- SIGNATURE_HASH_ALGORITHMS (RFC 7427 4): from a peer that could also sign */

/* With what hash ids, in octets; the third is malformed. */
static const struct { size_t n; uint8_t b[6]; } hashes[] = {
	{ 6, { 0, 2, 0, 3, 0, 4 } }, { 0, { 0 } }, { 3, { 0, 2, 0 } },
};

static int
hash_filter(struct sim *s, struct node *from, struct packet *p)
{
	const int	*k = s->filter_arg;
	struct ike_half	*f;
	struct wire_hdr	 h;
	struct wbuf	 b;
	uint8_t		 buf[4096];
	size_t		 at, next = 16;

	if (wire_hdr_decode(p->p, p->len, &h) == -1 || h.exch != X_IKE_SA_INIT ||
	    (f = half_of(from, h.spii)) == NULL)
		return (0);
	wbuf_init(&b, buf, sizeof(buf));
	wbuf_bytes(&b, p->p, p->len);
	for (at = WIRE_HDRLEN; at < p->len; at += (size_t)(buf[at + 2] << 8 | buf[at + 3]))
		next = at;
	buf[next] = P_N;
	wbuf_u16(&b, 0);
	wbuf_u16(&b, (uint16_t)(8 + hashes[*k].n));
	wbuf_u16(&b, 0);
	wbuf_u16(&b, N_SIGNATURE_HASH_ALGORITHMS);
	wbuf_bytes(&b, hashes[*k].b, hashes[*k].n);
	wbuf_patch_u32(&b, WIRE_HDRLEN - 4, (uint32_t)b.len);
	if (h.flags & WIRE_F_RESPONSE) {
		f->init->msg2 = realloc(f->init->msg2, b.len);
		memcpy(f->init->msg2, buf, b.len);
		f->init->len2 = (uint32_t)b.len;
	} else {
		f->init->msg1 = realloc(f->init->msg1, b.len);
		memcpy(f->init->msg1, buf, b.len);
		f->init->len1 = (uint32_t)b.len;
	}
	sim_inject(s, &p->src, &p->dst, p->marker, buf, b.len);
	return (1);
}

ATF_TC_WITHOUT_HEAD(signature_hashes);
ATF_TC_BODY(signature_hashes, tc)
{
	struct sim	*s;
	int		 i;

	for (i = 0; i < 3; i++) {
		s = sim_pair(6, "ondemand", "passive", "");
		s->filter = hash_filter;
		s->filter_arg = &i;
		ATF_CHECK_MSG(sim_up(s->n[0], "b"), "%d", i);
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, both);
	ATF_TP_ADD_TC(tp, retries);
	ATF_TP_ADD_TC(tp, one_side);
	ATF_TP_ADD_TC(tp, stripped);
	ATF_TP_ADD_TC(tp, forged);
	ATF_TP_ADD_TC(tp, wanted);
	ATF_TP_ADD_TC(tp, signature_hashes);
	return (atf_no_error());
}
