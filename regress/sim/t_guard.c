/* SPDX-License-Identifier: ISC */
/* Protections that no other test would miss (make mutants says so). */

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"
#include "wire/wire.h"

static struct ike_sa *
only_ike(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	ATF_REQUIRE((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL);
	return (ike);
}

/* Our own IKE_SA_INIT as the answer: nonce and key exchange value are ours. */
static int
mirror(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_hdr	h;
	uint8_t		b[MSG_MAX];

	if (from != s->n[0] || p->len > sizeof(b) || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != X_IKE_SA_INIT)
		return (0);
	memcpy(b, p->p, p->len);
	memset(b + 8, 7, 8);
	b[19] = WIRE_F_RESPONSE;
	sim_inject(s, &p->dst, &p->src, 0, b, p->len);
	return (0);
}

ATF_TC_WITHOUT_HEAD(reflected);
ATF_TC_BODY(reflected, tc)
{
	struct sim	*s = sim_pair(1, "ondemand", "passive",
	    "ikesa enc aes-128-gcm prf hmac-sha2-256 group curve25519");

	s->filter = mirror;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 1000);
	ATF_CHECK(sim_is_up(s->n[0], "b"));
	sim_free(s);
}

/* An exchange that is none, well sealed: no state changes and nothing is answered. */
ATF_TC_WITHOUT_HEAD(exchanges);
ATF_TC_BODY(exchanges, tc)
{
	struct sim	*s = sim_pair(2, "ondemand", "passive", "");
	struct ike_sa	*a, *b;
	uint8_t		 out[MSG_MAX];
	uint64_t	 sent;
	uint32_t	 id;
	size_t		 n;
	int		 exch;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 1000);
	a = only_ike(s->n[0]);
	b = only_ike(s->n[1]);
	for (exch = 38; exch < 60; exch++) {
		id = a->msgid_in;
		sent = s->datagrams;
		n = peer_seal(&s->n[1]->e->w, &b->c, (uint8_t)exch, 0, id, P_NONE,
		    (const uint8_t *)"", 0, out);
		ATF_REQUIRE(n > 0);
		sim_inject(s, &b->c.local, &a->c.local, 0, out, n);
		sim_run(s, 100);
		ATF_CHECK_EQ_MSG(a->msgid_in, id, "exchange %d was taken", exch);
		ATF_CHECK_EQ_MSG(s->datagrams, sent, "exchange %d was answered", exch);
	}
	sim_free(s);
}

/* The one door asks for the verdict itself, whoever has asked before. */
ATF_TC_WITHOUT_HEAD(door);
ATF_TC_BODY(door, tc)
{
	struct sim	*s = sim_pair(3, "ondemand", "passive", "");
	struct world	*w = &s->n[0]->e->w;
	struct ike_half	*h = half_new(w, 1);
	struct keys_ans	 ans;
	struct job	*j;

	ATF_REQUIRE(h != NULL);
	h->c.peer = 0;
	ATF_REQUIRE((j = job_new(w, J_VERIFY, h->id, 1)) != NULL);
	memset(&ans, 0, sizeof(ans));
	ans.token = j->token;
	ATF_CHECK(ike_promote(w, h, j, &ans) == NULL);
	ans.ok = 2;
	ATF_CHECK(ike_promote(w, h, j, &ans) == NULL);
	ans.ok = 1;
	ans.token++;
	ATF_CHECK(ike_promote(w, h, j, &ans) == NULL);
	ans.token--;
	ATF_CHECK(ike_promote(w, h, j, &ans) != NULL);
	sim_free(s);
}

/* Appends N(INITIAL_CONTACT) to a chain. */
static int
contact(void *arg, uint8_t *p, size_t *n, uint8_t *first)
{
	static const uint8_t	ic[] = { 0, 0, 0, 8, 0, 0, 0x40, 0 };
	size_t			i = 0, len;

	(void)arg;
	(void)first;
	for (;;) {
		len = (size_t)(p[i + 2] << 8 | p[i + 3]);
		if (p[i] == 0 || len < 4)
			break;
		i += len;
	}
	p[i] = P_N;
	memcpy(p + *n, ic, sizeof(ic));
	*n += sizeof(ic);
	return (0);
}

static int
contact_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct wire_hdr	 h;
	uint8_t		 out[MSG_MAX];
	size_t		 n;

	if (from != s->n[1] || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != X_IKE_AUTH || (n = peer_alter(from, p, contact, NULL, out)) == 0)
		return (0);
	sim_inject(s, &p->src, &p->dst, p->marker, out, n);
	*(int *)s->filter_arg += 1;
	return (1);
}

/* INITIAL_CONTACT of a peer that has the other IKE SA all the same: it is asked, it
 * answers, and nothing ends. */
ATF_TC_WITHOUT_HEAD(contact_checks);
ATF_TC_BODY(contact_checks, tc)
{
	struct sim	*s = sim_pair(4, "ondemand", "ondemand", "");
	struct ike_sa	*old;
	int		 n = 0;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 20000);
	old = only_ike(s->n[0]);
	s->filter = contact_filter;
	s->filter_arg = &n;
	s->n[1]->e->w.now = s->now;
	ATF_REQUIRE_EQ(sa_init_start(&s->n[1]->e->w, 0), 0);
	engine_settle(s->n[1]->e);
	sim_run(s, 100);
	ATF_CHECK(n > 0);
	ATF_CHECK_EQ(old->state, IKE_UP);
	ATF_CHECK_EQ(old->want_delete, 0);
	ATF_CHECK_EQ(sim_established(s->n[0]), 2);
	sim_free(s);
}

/* Half of the prf's key at least (RFC 7296 2.10). */
ATF_TC_WITHOUT_HEAD(short_nonces);
ATF_TC_BODY(short_nonces, tc)
{
	uint8_t	b[64] = { 0 };

	ATF_CHECK(nonce_short((struct span){ b, 15 }, PRF_HMAC_SHA2_256));
	ATF_CHECK(!nonce_short((struct span){ b, 16 }, PRF_HMAC_SHA2_256));
	ATF_CHECK(nonce_short((struct span){ b, 23 }, PRF_HMAC_SHA2_384));
	ATF_CHECK(nonce_short((struct span){ b, 31 }, PRF_HMAC_SHA2_512));
	ATF_CHECK(!nonce_short((struct span){ b, 32 }, PRF_HMAC_SHA2_512));
}

static int
holds(const struct slab *sl, size_t octets, const uint8_t *key, size_t n)
{
	uint32_t	i;

	for (i = 0; i < sl->nchunks; i++)
		if (memmem(sl->chunks[i], octets * SLAB_CHUNK, key, n) != NULL)
			return (1);
	return (0);
}

/* Keys are nowhere in the tables when their SA is gone, nor in that of half-open ones. */
ATF_TC_WITHOUT_HEAD(wiped);
ATF_TC_BODY(wiped, tc)
{
	struct sim	*s = sim_pair(5, "ondemand", "passive", "");
	struct world	*w = &s->n[0]->e->w;
	uint8_t		 key[32];

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	memcpy(key, only_ike(s->n[0])->c.keys.d, sizeof(key));
	ATF_CHECK(holds(&w->ikes, w->ikes.size, key, sizeof(key)));
	ATF_CHECK(!holds(&w->halves, w->halves.size, key, sizeof(key)));
	sim_cmd(s->n[0], CMD_DOWN, "b");
	sim_run(s, 5000);
	ATF_REQUIRE_EQ(w->ikes.used, 0);
	ATF_CHECK(!holds(&w->ikes, w->ikes.size, key, sizeof(key)));
	sim_free(s);
}

struct moved {
	uint8_t	p[MSG_MAX];
	size_t	len;
};

static int
take(struct sim *s, struct node *from, struct packet *p)
{
	struct moved	*m = s->filter_arg;

	if (from != s->n[1] || m->len != 0 || p->len > sizeof(m->p))
		return (0);
	memcpy(m->p, p->p, p->len);
	m->len = p->len;
	return (1);
}

/* Without a NAT nobody is followed: who catches a message cannot draw the peer's traffic
 * to himself by sending it on. */
ATF_TC_WITHOUT_HEAD(not_followed);
ATF_TC_BODY(not_followed, tc)
{
	struct sim	*s = sim_pair(6, "ondemand", "passive", "");
	struct moved	 m = { { 0 }, 0 };
	struct endpoint	 ep = sim_ep("203.0.113.66", 500), was;
	struct ike_sa	*a, *b;

	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_run(s, 1000);
	a = only_ike(s->n[0]);
	b = only_ike(s->n[1]);
	was = a->c.remote;
	s->filter = take;
	s->filter_arg = &m;
	b->want_check = 1;
	touch_ike(&s->n[1]->e->w, b);
	engine_settle(s->n[1]->e);
	ATF_REQUIRE(m.len > 0);
	sim_inject(s, &ep, &a->c.local, 0, m.p, m.len);
	sim_run(s, 50);
	ATF_CHECK(a->msgid_in > 0);
	ATF_CHECK_EQ(endpoint_cmp(&a->c.remote, &was), 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, reflected);
	ATF_TP_ADD_TC(tp, exchanges);
	ATF_TP_ADD_TC(tp, door);
	ATF_TP_ADD_TC(tp, contact_checks);
	ATF_TP_ADD_TC(tp, short_nonces);
	ATF_TP_ADD_TC(tp, wiped);
	ATF_TP_ADD_TC(tp, not_followed);
	return (atf_no_error());
}
