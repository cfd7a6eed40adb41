/* SPDX-License-Identifier: ISC */
/*
 * Refusals and errors: the right words for a person, and the peer is told where it
 * would wait in vain.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define PSK "psk \"a secret that is long enough\"\n"

/* A change to one payload of the first message of an exchange and direction. */
struct patch {
	uint8_t	exch, payload;
	int	response, sealed;
	int	keep;			/* the real one goes, too, afterwards */
	void	(*change)(uint8_t *body, size_t len);
	int	done;
};

/* Finds the payload in a chain; *len of its body. */
static uint8_t *
find(uint8_t *p, size_t n, uint8_t type, uint8_t want, size_t *len)
{
	size_t	l;

	while (n >= 4 && type != 0) {
		l = (size_t)p[2] << 8 | p[3];
		if (l < 4 || l > n)
			return (NULL);
		if (type == want) {
			*len = l - 4;
			return (p + 4);
		}
		type = p[0];
		p += l;
		n -= l;
	}
	return (NULL);
}

static int
change_inner(void *arg, uint8_t *p, size_t *n, uint8_t *first)
{
	struct patch	*t = arg;
	size_t		 len;
	uint8_t		*b = find(p, *n, *first, t->payload, &len);

	if (b == NULL)
		return (-1);
	t->change(b, len);
	return (0);
}

static int
patch_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	 out[MSG_MAX];
	struct patch	*t = s->filter_arg;
	struct packet	 q = *p;
	uint8_t		*b;
	size_t		 n = p->len, len;

	if (t->done || p->len < WIRE_HDRLEN || p->p[18] != t->exch ||
	    ((p->p[19] & WIRE_F_RESPONSE) != 0) != t->response)
		return (0);
	if (t->sealed)
		n = peer_alter(from, p, change_inner, t, out);
	else {
		memcpy(out, p->p, n);
		if ((b = find(out + WIRE_HDRLEN, n - WIRE_HDRLEN, out[16], t->payload,
		    &len)) == NULL)
			return (0);
		t->change(b, len);
	}
	if (n == 0)
		return (0);
	t->done = 1;
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (!t->keep);
}

static struct sim *
patched(uint64_t seed, const char *extra, struct patch *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", extra);

	s->filter = patch_filter;
	s->filter_arg = t;
	sim_cmd(s->n[0], CMD_UP, "b");
	return (s);
}

static void to_digsig(uint8_t *b, size_t len) { (void)len; b[0] = AUTH_DIGSIG; }
static void to_other(uint8_t *b, size_t len) { b[len - 1] ^= 1; }
static void to_zero(uint8_t *b, size_t len) { memset(b + 4, 0, len - 4); }

/* A peer with a certificate: nobody is sent to look at secrets. Negative test 35. */
ATF_TC_WITHOUT_HEAD(certificates);
ATF_TC_BODY(certificates, tc)
{
	struct patch	 t = { X_IKE_AUTH, P_AUTH, 0, 1, 0, to_digsig, 0 };
	struct sim	*s = patched(1, "", &t);

	sim_run(s, 200);
	ATF_CHECK(t.done && sim_logged(s->n[1], "tunnel \"a\", peer 192.0.2.1: it proves itself "
	    "with a certificate or raw key (AUTH method 14), not with a pre-shared key"));
	ATF_CHECK_EQ(sim_log_count(s->n[1], "secrets differ"), 0);
	sim_free(s);
	t = (struct patch){ X_IKE_AUTH, P_AUTH, 1, 1, 0, to_digsig, 0 };
	s = patched(2, "", &t);
	sim_run(s, 200);
	ATF_CHECK(t.done && sim_logged(s->n[0], "tunnel \"b\": peer 198.51.100.1: it proves "
	    "itself with a certificate or raw key (AUTH method 14)"));
	ATF_CHECK_EQ(sim_log_count(s->n[0], "secrets differ"), 0);
	/* and it does not believe in an SA that is not there */
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	sim_free(s);
}

/* Not the IDr we want: the peer has an SA by then, and learns that we have none.
 * Negative test 38. */
ATF_TC_WITHOUT_HEAD(wrong_idr);
ATF_TC_BODY(wrong_idr, tc)
{
	struct patch	 t = { X_IKE_AUTH, P_IDR, 1, 1, 0, to_other, 0 };
	struct sim	*s = patched(3, "", &t);

	sim_run(s, 200);
	ATF_CHECK(t.done && sim_logged(s->n[0], "the peer's identity is IPV4/198.51.100.0, "
	    "not IPV4/198.51.100.1"));
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	ATF_CHECK_EQ(sim_kernel_count(s->n[1]), 0);
	ATF_CHECK(sim_logged(s->n[1], "peer says AUTHENTICATION_FAILED"));
	sim_free(s);
}

/* Three identities in one line, each its own. */
ATF_TC_WITHOUT_HEAD(three_names);
ATF_TC_BODY(three_names, tc)
{
	struct sim	*s = sim_new(4);

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 srcid seattle.example dstid "
	    "boise.example " PSK);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 srcid salem.example dstid "
	    "seattle.example " PSK);
	(void)sim_up(s->n[0], "b");
	ATF_CHECK(sim_logged(s->n[1], "peer 192.0.2.1: it wants to "
	    "talk to FQDN/boise.example, we are salem.example: set"));
	sim_free(s);
}

/* One of two Children goes; the tunnel is up and nothing is wrong with it. */
ATF_TC_WITHOUT_HEAD(no_old_error);
ATF_TC_BODY(no_old_error, tc)
{
	struct sim		*s;
	struct show_tunnel	 t;
	int			 i;

	for (i = 0; i < 20; i++) {
		s = sim_pair(100 + (uint64_t)i, "ondemand", "ondemand", "");
		s->delay_us = 25000;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, i * 3);
		sim_cmd(s->n[1], CMD_UP, "a");
		sim_run(s, 4000);
		ATF_CHECK(sim_tunnel(s->n[0], "b", &t) && t.state == SHOW_UP);
		ATF_CHECK_STREQ(t.error, "");
		ATF_CHECK(sim_tunnel(s->n[1], "a", &t) && t.state == SHOW_UP);
		ATF_CHECK_STREQ(t.error, "");
		sim_free(s);
	}
}

/* A bent IKE_SA_INIT reply comes first: the real one still does it. */
ATF_TC_WITHOUT_HEAD(bad_value);
ATF_TC_BODY(bad_value, tc)
{
	static const char	*groups[] = { "curve25519", "ecp256", "modp2048" };
	struct patch		 t;
	struct sim		*s;
	char			 x[64];
	size_t			 i;

	for (i = 0; i < 3; i++) {
		(void)snprintf(x, sizeof(x), "ikesa group %s", groups[i]);
		t = (struct patch){ X_IKE_SA_INIT, P_KE, 1, 0, 1, to_zero, 0 };
		s = patched(200 + i, x, &t);
		sim_run(s, 1000);
		ATF_CHECK(t.done && sim_logged(s->n[0], "tunnel \"b\": the peer's key "
		    "exchange value is not acceptable: dropped"));
		ATF_CHECK_MSG(sim_is_up(s->n[0], "b"), "%s", groups[i]);
		sim_free(s);
	}
}

/* Whoever asks for another group again and again gets none. */
struct groups {
	int	n;
};

static int
group_filter(struct sim *s, struct node *from, struct packet *p)
{
	static const uint8_t	 want[][2] = { { 0, 19 }, { 0, 14 } };
	struct groups		*g = s->filter_arg;
	struct wire_hdr		 h;
	struct wire_enc		 e;
	struct wbuf		 w;
	uint8_t			 buf[128];

	if (from != s->n[0] || wire_hdr_decode(p->p, p->len, &h) == -1 ||
	    h.exch != X_IKE_SA_INIT)
		return (0);
	if (g->n >= 2) {
		g->n++;
		return (0);
	}
	wbuf_init(&w, buf, sizeof(buf));
	h.flags = WIRE_F_RESPONSE;
	wire_begin(&e, &w, &h);
	wire_put_notify(&e, 0, 0, 0, N_INVALID_KE_PAYLOAD, want[g->n++], 2);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	sim_inject(s, &p->dst, &p->src, 0, buf, w.len);
	return (1);
}

ATF_TC_WITHOUT_HEAD(one_group);
ATF_TC_BODY(one_group, tc)
{
	struct sim	*s = sim_pair(5, "ondemand", "passive", "ikesa group curve25519 group "
	    "ecp256 group modp2048");
	struct groups	 g = { 0 };

	s->filter = group_filter;
	s->filter_arg = &g;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 300);
	ATF_CHECK_EQ(g.n, 2);
	ATF_CHECK(!sim_is_up(s->n[0], "b"));
	ATF_CHECK(sim_logged(s->n[0], "peer wants group modp2048 in IKE_SA_INIT"));
	sim_free(s);
}

/* A peer that has started anew says so in its reply: what we had is checked at once. */
ATF_TC_WITHOUT_HEAD(contact_in_reply);
ATF_TC_BODY(contact_in_reply, tc)
{
	static const char conf[] = "ikev2 \"a\" passive esp from 10.2.0.0/24 to 10.1.0.0/24 "
	    "local 198.51.100.1 peer 192.0.2.1 " PSK;
	struct sim	*s = sim_pair(6, "ondemand", "passive", "");
	struct node	*a = s->n[0], *b = s->n[1];

	ATF_REQUIRE(sim_up(a, "b"));
	sim_run(s, 20000);
	sim_kill(b);
	sim_start(b, conf);
	/* a second IKE SA beside the old one */
	ATF_REQUIRE_EQ(sa_init_start(&a->e->w, 0), 0);
	engine_settle(a->e);
	sim_run(s, 500);
	ATF_CHECK_EQ(sim_established(a), 2);
	ATF_CHECK_EQ(sim_established(b), 1);
	sim_run(s, 3500);
	ATF_CHECK_EQ(sim_established(a), 1);
	ATF_CHECK(sim_is_up(a, "b"));
	ATF_CHECK(sim_mirror(a, b, "b", "a"));
	/* once: the next SA says nothing of the kind */
	ATF_REQUIRE_EQ(sa_init_start(&a->e->w, 0), 0);
	engine_settle(a->e);
	sim_run(s, 4000);
	ATF_CHECK_EQ(sim_log_count(a, "IKE SA given up"), 1);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, certificates);
	ATF_TP_ADD_TC(tp, wrong_idr);
	ATF_TP_ADD_TC(tp, three_names);
	ATF_TP_ADD_TC(tp, no_old_error);
	ATF_TP_ADD_TC(tp, bad_value);
	ATF_TP_ADD_TC(tp, one_group);
	ATF_TP_ADD_TC(tp, contact_in_reply);
	return (atf_no_error());
}
