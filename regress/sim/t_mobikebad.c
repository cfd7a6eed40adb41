/* SPDX-License-Identifier: ISC */
/* MOBIKE and those who mean ill, or do not want it: nothing moves but by a fresh, authentic
 * UPDATE_SA_ADDRESSES of the initiator's. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mobike.h"
#include "peer.h"

#define EVIL "203.0.113.66"

struct kept {
	struct packet	pkt[4096];
	int		n;
	struct node	*only;		/* NULL: both */
};

static int
keep(struct sim *s, struct node *from, struct packet *p)
{
	struct kept	*k = s->filter_arg;
	struct packet	*q;

	if (k->n == 4096 || (k->only != NULL && from != k->only))
		return (0);
	q = &k->pkt[k->n++];
	*q = *p;
	q->p = malloc(p->len);
	memcpy(q->p, p->p, p->len);
	return (0);
}

/* All of it once more, from elsewhere. */
static void
replay(struct sim *s, struct kept *k)
{
	struct endpoint	from;
	int		i;

	for (i = 0; i < k->n; i++) {
		from = sim_ep(EVIL, k->pkt[i].src.port);
		sim_inject(s, &from, &k->pkt[i].dst, k->pkt[i].marker, k->pkt[i].p,
		    k->pkt[i].len);
		sim_run(s, 5);
	}
}

static void
forget(struct kept *k)
{
	while (k->n > 0)
		free(k->pkt[--k->n].p);
	free(k);
}

static int
nowhere(struct sim *s)
{
	return (sim_log_count(s->n[0], EVIL) == 0 && sim_log_count(s->n[1], EVIL) == 0);
}

/* What has been once, moves included, does nothing again. Negative test 50. */
ATF_TC_WITHOUT_HEAD(replayed);
ATF_TC_BODY(replayed, tc)
{
	struct sim	*s = mob_pair(1, "", "");
	struct kept	*k = calloc(1, sizeof(*k));
	uint64_t	 sas;

	s->filter = keep;
	s->filter_arg = k;
	sim_move(s->n[0], "203.0.113.9", 0);
	ATF_CHECK(mob_lost(s->n[0], 30) <= 2);
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 8000);
	s->filter = NULL;
	ATF_REQUIRE(k->n > 8);
	sas = s->n[1]->order;
	replay(s, k);
	ATF_CHECK(nowhere(s));
	ATF_CHECK_EQ(s->n[1]->order, sas);
	mob_settled(s);
	ATF_CHECK(nowhere(s));
	sim_free(s);
	forget(k);
}

/* Any message with one bit changed, and none at all, from elsewhere. */
ATF_TC_WITHOUT_HEAD(forged);
ATF_TC_BODY(forged, tc)
{
	struct sim	*s = mob_pair(2, "", "");
	struct kept	*k = calloc(1, sizeof(*k));
	int		 i;

	s->filter = keep;
	s->filter_arg = k;
	/* the responder has not seen them: their numbers are the next */
	s->n[1]->cut = 1;
	sim_move(s->n[0], "203.0.113.9", 0);
	sim_run(s, 2000);
	s->filter = NULL;
	ATF_REQUIRE(k->n > 1);
	for (i = 0; i < k->n; i++)
		k->pkt[i].p[k->pkt[i].len - 1 - (size_t)i % 40] ^= 1;
	s->n[1]->cut = 0;
	replay(s, k);
	ATF_CHECK(nowhere(s));
	ATF_CHECK_EQ(sim_log_count(s->n[1], "the peer moved"), 0);
	mob_settled(s);
	ATF_CHECK(sim_logged(s->n[1], "the peer moved from 192.0.2.1:4500 to 203.0.113.9"));
	sim_free(s);
	forget(k);
}

/* An authentic answer comes by way of somebody else: that way is none. */
static int
deflect(struct sim *s, struct node *from, struct packet *p)
{
	struct endpoint	evil = sim_ep(EVIL, 4500);

	if (from != s->n[1])
		return (0);
	sim_inject(s, &evil, &p->dst, p->marker, p->p, p->len);
	return (1);
}

ATF_TC_WITHOUT_HEAD(deflected);
ATF_TC_BODY(deflected, tc)
{
	struct sim	*s = mob_pair(3, "", "");

	s->filter = deflect;
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 3000);
	sim_move(s->n[0], "203.0.113.9", 0);
	sim_run(s, 3000);
	s->filter = NULL;
	ATF_CHECK(nowhere(s));
	/* to a it looked like a NAT; the next update tells better */
	sim_move(s->n[0], "203.0.113.10", 0);
	ATF_CHECK(mob_lost(s->n[0], 20) <= 2);
	mob_settled(s);
	ATF_CHECK(nowhere(s));
	sim_free(s);
}

/* ---- a peer that has the keys */

enum evil { COOKIE_WRONG = 1, COOKIE_GONE, NO_NATS, UPDATE_BY_B };
static enum evil	how;
static int		done, most;

/* Gives the place of the first notify of that type in a chain. */
static uint8_t *
find(uint8_t *p, size_t len, uint16_t type)
{
	size_t	at = 0;

	while (at + 8 <= len) {
		if (p[at + 6] == type >> 8 && p[at + 7] == (type & 0xff))
			return (p + at);
		at += (size_t)(p[at + 2] << 8 | p[at + 3]);
	}
	return (NULL);
}

static int
spoil(void *arg, uint8_t *p, size_t *len, uint8_t *first)
{
	uint8_t	*c;
	size_t	 n, at;

	(void)arg;
	if (how == COOKIE_WRONG || how == COOKIE_GONE) {
		if ((c = find(p, *len, N_COOKIE2)) == NULL)
			return (-1);
		if (how == COOKIE_WRONG)
			c[8] ^= 1;
		else
			c[7] ^= 0x7f;	/* it is another notify now */
		return (0);
	}
	if (how == UPDATE_BY_B) {
		if (*len != 0)
			return (-1);
		memcpy(p, "\0\0\0\x08\0\0\x40\x10", 8);
		*len = 8;
		*first = P_N;
		return (0);
	}
	if (find(p, *len, N_UPDATE_SA_ADDRESSES) == NULL)
		return (-1);
	/* NO_NATS_ALLOWED with other addresses behind the last one */
	for (at = 0; p[at] != P_NONE; at += n)
		n = (size_t)(p[at + 2] << 8 | p[at + 3]);
	p[at] = P_N;
	memcpy(p + *len, "\0\0\0\x14\0\0\x40\x12\x01\x02\x03\x04\x05\x06\x07\x08\x01\xf4\x01\xf4",
	    20);
	*len += 20;
	return (0);
}

/* Which messages it is about: a's updates, b's checks, either's answers. */
static int
concerns(const struct sim *s, const struct node *from, const struct packet *p)
{
	int	response = (p->p[19] & WIRE_F_RESPONSE) != 0;

	if (how == NO_NATS)
		return (from == s->n[0] && !response);
	if (how == UPDATE_BY_B)
		return (from == s->n[1] && !response);
	return (response);
}

static int
bad_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	out[MSG_MAX];
	size_t		n;

	if (done >= most || p->len < WIRE_HDRLEN || p->p[18] != X_INFORMATIONAL ||
	    !concerns(s, from, p) || (n = peer_alter(from, p, spoil, NULL, out)) == 0)
		return (0);
	done++;
	sim_inject(s, &p->src, &p->dst, p->marker, out, n);
	return (1);
}

static struct sim *
bad(uint64_t seed, enum evil e, int times)
{
	struct sim	*s = mob_pair(seed, "", "");

	how = e;
	done = 0;
	most = times;
	s->filter = bad_filter;
	return (s);
}

/* "If the values do not match, the IKE_SA MUST be closed." */
ATF_TC_WITHOUT_HEAD(cookie);
ATF_TC_BODY(cookie, tc)
{
	struct sim	*s;
	int		 gone, who;

	for (gone = 0; gone < 2; gone++)
		for (who = 0; who < 2; who++) {
			s = bad(4, gone ? COOKIE_GONE : COOKIE_WRONG, 1);
			/* b moves: a's update is answered wrongly; a moves: either */
			sim_move(s->n[who], who ? "198.51.100.9" : "203.0.113.9", 0);
			sim_run(s, 100);
			ATF_CHECK_EQ(done, 1);
			ATF_CHECK_EQ(sim_log_count(s->n[0], "has not given COOKIE2 back") +
			    sim_log_count(s->n[1], "has not given COOKIE2 back"), 1);
			sim_run(s, 2000);
			ATF_CHECK_EQ(sim_log_count(s->n[0], " down") > 0, 1);
			sim_free(s);
		}
}

/* A packet with NO_NATS_ALLOWED that does not fit; once, and always. */
ATF_TC_WITHOUT_HEAD(no_nats);
ATF_TC_BODY(no_nats, tc)
{
	struct sim	*s = bad(5, NO_NATS, 1);

	sim_move(s->n[0], "203.0.113.9", 0);
	ATF_CHECK(mob_lost(s->n[0], 20) <= 3);
	ATF_CHECK_EQ(done, 1);
	ATF_CHECK(sim_logged(s->n[0], "the peer says UNEXPECTED_NAT_DETECTED"));
	mob_settled(s);
	sim_free(s);
	/* the old address is still there: back to it */
	s = bad(6, NO_NATS, 100);
	sim_move(s->n[0], "203.0.113.9", 1);
	ATF_CHECK(mob_lost(s->n[0], 20) <= 3);
	ATF_CHECK_EQ(done, 3);
	ATF_CHECK_EQ(sim_log_count(s->n[1], "the peer moved"), 0);
	mob_settled(s);
	sim_tell_addrs(s->n[0]);
	sim_run(s, 1000);
	ATF_CHECK_EQ(done, 3);
	sim_free(s);
	/* it is not: all anew */
	s = bad(7, NO_NATS, 100);
	sim_move(s->n[0], "203.0.113.9", 0);
	sim_run(s, 1000);
	ATF_CHECK(sim_logged(s->n[1], "the peer deleted the IKE SA"));
	ATF_CHECK(mob_lost(s->n[0], 20) <= 3);
	mob_calm(s);
	sim_free(s);
}

/* Only the initiator updates. */
ATF_TC_WITHOUT_HEAD(wrong_side);
ATF_TC_BODY(wrong_side, tc)
{
	struct sim	*s = bad(8, UPDATE_BY_B, 1);
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	ATF_REQUIRE((ike = slab_walk(&s->n[1]->e->w.ikes, &at, NULL)) != NULL);
	ike->want_check = 1;
	touch_ike(&s->n[1]->e->w, ike);
	engine_tick(s->n[1]->e, s->now);
	sim_run(s, 100);
	ATF_CHECK_EQ(done, 1);
	ATF_CHECK_EQ(sim_log_count(s->n[0], "moved") + sim_log_count(s->n[0], "moving"), 0);
	mob_settled(s);
	sim_free(s);
}

/* Where the responder has that very address itself it will not go. */
ATF_TC_WITHOUT_HEAD(unacceptable);
ATF_TC_BODY(unacceptable, tc)
{
	struct sim	*s = mob_pair(9, "", "");

	sim_addr_add(s->n[1], "203.0.113.9");
	sim_run(s, 500);
	sim_move(s->n[0], "203.0.113.9", 1);
	ATF_CHECK(mob_lost(s->n[0], 20) <= 3);
	ATF_CHECK(sim_logged(s->n[1], "UNACCEPTABLE_ADDRESSES: the peer wants to move to "));
	ATF_CHECK(sim_logged(s->n[0], "the peer says UNACCEPTABLE_ADDRESSES: it does not let us "
	    "move to 203.0.113.9:4500"));
	mob_settled(s);
	sim_free(s);
}

/* `set nomobike' on one side: a new IKE SA is what helps then. */
ATF_TC_WITHOUT_HEAD(not_wanted);
ATF_TC_BODY(not_wanted, tc)
{
	static const char *const no[2] = { "", "set nomobike\n" };
	struct sim	*s;
	char		 text[2][512];
	int		 who;

	for (who = 0; who < 2; who++) {
		s = sim_new(10);
		(void)snprintf(text[0], sizeof(text[0]), "%sikev2 \"b\" ondemand esp from "
		    "10.1.0.0/24 to 10.2.0.0/24 peer 198.51.100.1 srcid a.example dstid "
		    "b.example " PSK, no[who]);
		(void)snprintf(text[1], sizeof(text[1]), "%sikev2 \"a\" esp from 10.2.0.0/24 "
		    "to 10.1.0.0/24 peer any srcid b.example dstid a.example " PSK,
		    no[!who]);
		(void)sim_node(s, "a", "192.0.2.1", text[0]);
		(void)sim_node(s, "b", "198.51.100.1", text[1]);
		ATF_REQUIRE(sim_up(s->n[0], "b"));
		ATF_REQUIRE_EQ(mob_lost(s->n[0], 20), 0);
		sim_move(s->n[0], "203.0.113.9", 0);
		ATF_CHECK(mob_lost(s->n[0], 100) > 20);
		ATF_CHECK_EQ(sim_log_count(s->n[0], "moving"), 0);
		ATF_CHECK_EQ(sim_log_count(s->n[1], "moved"), 0);
		ATF_CHECK_EQ(mob_lost(s->n[0], 10), 0);
		sim_free(s);
	}
}

/* Transport mode is bound to the addresses: such a peer is not offered it. */
ATF_TC_WITHOUT_HEAD(transport);
ATF_TC_BODY(transport, tc)
{
	struct sim	*s = sim_new(12);
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand transport esp from "
	    "192.0.2.1 to 198.51.100.1 local 192.0.2.1 peer 198.51.100.1 " PSK);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" transport esp from 198.51.100.1 "
	    "to 192.0.2.1 local 198.51.100.1 peer 192.0.2.1 " PSK);
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	ATF_REQUIRE((ike = slab_walk(&s->n[0]->e->w.ikes, &at, NULL)) != NULL);
	ATF_CHECK(!ike->mob.on);
	at = 0;
	ATF_REQUIRE((ike = slab_walk(&s->n[1]->e->w.ikes, &at, NULL)) != NULL);
	ATF_CHECK(!ike->mob.on);
	sim_free(s);
}

/* A reload says nomobike, and takes the tunnel away, of a peer that has moved. */
ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct sim	*s = mob_pair(11, "", "");

	sim_move(s->n[0], "203.0.113.9", 0);
	sim_run(s, 15);
	sim_reload(s->n[1], "set nomobike\nikev2 \"a\" esp from 10.2.0.0/24 to 10.1.0.0/24 "
	    "peer any srcid b.example dstid a.example " PSK);
	sim_run(s, 1000);
	sim_tell_addrs(s->n[1]);
	mob_calm(s);
	sim_move(s->n[0], "203.0.113.10", 0);
	sim_run(s, 15);
	sim_reload(s->n[1], "ikev2 \"x\" esp from 10.2.0.0/24 to 10.3.0.0/24 peer any " PSK);
	sim_run(s, 10000);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, replayed);
	ATF_TP_ADD_TC(tp, forged);
	ATF_TP_ADD_TC(tp, deflected);
	ATF_TP_ADD_TC(tp, cookie);
	ATF_TP_ADD_TC(tp, no_nats);
	ATF_TP_ADD_TC(tp, wrong_side);
	ATF_TP_ADD_TC(tp, unacceptable);
	ATF_TP_ADD_TC(tp, not_wanted);
	ATF_TP_ADD_TC(tp, transport);
	ATF_TP_ADD_TC(tp, reload);
	return (atf_no_error());
}
