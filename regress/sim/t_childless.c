/* SPDX-License-Identifier: ISC */
/*
 * IKE_AUTH without a Child SA (RFC 6023): asked for and answered, never asked of a peer that
 * has not said it can, and no IKE SA left standing that serves nothing.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

/* What passes, and what is done to a while it does. */
struct watch {
	int	hold;		/* ms that a's tunnel is backed off, at IKE_SA_INIT */
	int	lame;		/* a's kernel can do nothing any more */
	int	strip;		/* b has never heard of it */
	int	partial;	/* a's IKE_AUTH has TSi and TSr alone */
	int	offered;	/* b's IKE_SA_INIT said it can */
	size_t	auth;		/* length of a's IKE_AUTH */
	int	creates;	/* CREATE_CHILD_SA requests */
};

static struct ike_half *
one_half(struct node *n)
{
	uint32_t	 at = 0;
	struct ike_half	*h = slab_walk(&n->e->w.halves, &at, NULL);

	ATF_REQUIRE(h != NULL);
	return (h);
}

static void
not_now(struct node *a, const struct watch *v)
{
	uint32_t	i;

	for (i = 0; v->hold > 0 && i < a->e->w.conf->ntunnels; i++)
		a->e->w.tunnels[i].hold_until = mono_add_ms(a->sim->now, v->hold);
	if (v->lame)
		a->e->w.caps.nalgs = 0;
}

static int
watch_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct watch	*v = s->filter_arg;
	struct wire_hdr	 h;
	struct wire_msg	*m;

	if (wire_hdr_decode(p->p, p->len, &h) == -1)
		return (0);
	if (h.exch == X_IKE_SA_INIT && from == s->n[1]) {
		ATF_REQUIRE((m = calloc(1, sizeof(*m))) != NULL);
		ATF_REQUIRE_EQ(wire_decode(h.next, p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN,
		    WIRE_HDRLEN, m, NULL), WIRE_OK);
		v->offered = wire_notify(m, N_CHILDLESS_IKEV2_SUPPORTED) != NULL;
		free(m);
		not_now(s->n[0], v);
	}
	if (h.exch == X_IKE_AUTH && from == s->n[0])
		v->auth = p->len;
	v->creates += h.exch == X_CREATE_CHILD_SA && (h.flags & WIRE_F_RESPONSE) == 0;
	return (0);
}

static struct sim *
watched(uint64_t seed, struct watch *v, const char *amode)
{
	struct sim	*s = sim_pair(seed, amode, "passive", "");

	s->filter = watch_filter;
	s->filter_arg = v;
	return (s);
}

/* The tunnel cannot be asked for yet: the IKE SA is made, and the Child in its time, on
 * either side's wish. */
ATF_TC_WITHOUT_HEAD(regular);
ATF_TC_BODY(regular, tc)
{
	struct watch	 v = { .hold = 3000 };
	struct sim	*s = watched(1, &v, "ondemand");
	struct node	*a = s->n[0], *b = s->n[1];

	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 1000);
	ATF_CHECK(v.offered);
	ATF_CHECK(sim_established(a) == 1 && sim_established(b) == 1);
	ATF_CHECK_EQ(sim_kernel_count(a) + sim_kernel_count(b), 0);
	ATF_CHECK(sim_logged(a, "without a Child SA so far"));
	ATF_CHECK_MSG(v.auth > 0 && v.auth < 200, "%zu octets", v.auth);
	sim_run(s, 3000);
	ATF_CHECK(sim_is_up(a, "b") && sim_is_up(b, "a"));
	ATF_CHECK_EQ(v.creates, 1);
	sim_traffic(a, "10.1.0.5", "10.2.0.7", 1000, 100);
	sim_run(s, 100);
	ATF_CHECK_EQ(a->got, 10);
	ATF_CHECK(sim_established(a) == 1 && sim_established(b) == 1);
	ATF_CHECK(sim_agree(a) && sim_agree(b) && sim_mirror(a, b, "b", "a"));
	/* and it lives on as any other */
	sim_run(s, 300000);
	ATF_CHECK(sim_is_up(a, "b"));
	sim_free(s);
}

/* The first tunnel cannot, another of the peer can: that one goes with IKE_AUTH. */
ATF_TC_WITHOUT_HEAD(another);
ATF_TC_BODY(another, tc)
{
	static const char two[] =
	    "ikev2 \"%s1\" %s esp from 10.%d.0.0/24 to 10.%d.0.0/24 local %s peer %s psk \"a "
	    "secret that is long enough\"\n"
	    "ikev2 \"%s2\" %s esp from 10.%d.1.0/24 to 10.%d.1.0/24 local %s peer %s psk \"a "
	    "secret that is long enough\"\n";
	static const char	 a4[] = "192.0.2.1", b4[] = "198.51.100.1";
	struct sim		*s = sim_new(2);
	struct node		*a;
	char			 text[1024];

	(void)snprintf(text, sizeof(text), two, "b", "ondemand", 1, 2, a4, b4, "b", "ondemand",
	    1, 2, a4, b4);
	a = sim_node(s, "a", a4, text);
	(void)snprintf(text, sizeof(text), two, "a", "passive", 2, 1, b4, a4, "a", "passive",
	    2, 1, b4, a4);
	(void)sim_node(s, "b", b4, text);
	sim_cmd(a, CMD_UP, "b1");
	sim_cmd(a, CMD_UP, "b2");
	ATF_REQUIRE_EQ(one_half(a)->tunnel, 0);
	a->e->w.tunnels[0].hold_until = mono_add_ms(s->now, 5000);
	sim_run(s, 1000);
	ATF_CHECK(sim_is_up(a, "b2") && !sim_is_up(a, "b1"));
	ATF_CHECK_EQ(sim_log_count(a, "without a Child SA"), 0);
	sim_run(s, 6000);
	ATF_CHECK(sim_is_up(a, "b1"));
	ATF_CHECK_EQ(sim_established(a), 1);
	sim_free(s);
}

/* The peer has not said that it can: a backed-off tunnel is asked for all the same. */
ATF_TC_WITHOUT_HEAD(unsupported);
ATF_TC_BODY(unsupported, tc)
{
	struct watch	 v = { .hold = 0 };
	struct sim	*s = watched(3, &v, "ondemand");
	struct node	*a = s->n[0];
	struct keys_ans	 k = { .ok = 1, .method = AUTH_PSK, .len = 32 };
	int		 i;

	for (i = 0; i < 2; i++) {
		/* the answer of keys is the test's */
		a->keys_mute = 1;
		sim_cmd(a, CMD_UP, "b");
		sim_run(s, 100);
		ATF_REQUIRE_EQ(one_half(a)->state, HALF_SIGNING);
		ATF_CHECK_EQ(one_half(a)->c.childless, 1);
		one_half(a)->c.childless = (uint8_t)i;
		a->e->w.tunnels[0].hold_until = mono_add_ms(s->now, 3000);
		k.token = one_half(a)->job;
		engine_keys(a->e, s->now, &k);
		ATF_CHECK_EQ(one_half(a)->nego != NULL, i == 0);
		ATF_CHECK(i == 0 ? v.auth > 200 : v.auth > 0 && v.auth < 200);
		sim_cmd(a, CMD_DOWN, "b");
	}
	sim_free(s);
}

/* The kernel can install nothing: the IKE SA stands, the tunnel says why, and when the
 * kernel can, no handshake is needed. */
ATF_TC_WITHOUT_HEAD(lame_kernel);
ATF_TC_BODY(lame_kernel, tc)
{
	struct watch		 v = { .lame = 1 };
	struct sim		*s = watched(4, &v, "active");
	struct node		*a = s->n[0];
	struct kern_caps	 caps = a->caps;
	struct show_tunnel	 t;

	sim_run(s, 10000);
	ATF_CHECK_EQ(sim_established(a), 1);
	ATF_CHECK(!sim_is_up(a, "b"));
	ATF_REQUIRE(sim_tunnel(a, "b", &t));
	ATF_CHECK(sim_logged(a, "check its childsa transforms against what the kernel can"));
	v.lame = 0;
	sim_run(s, 80000);
	ATF_CHECK_EQ(sim_established(a), 1);
	engine_caps(a->e, &caps);
	sim_run(s, 40000);
	ATF_CHECK(sim_is_up(a, "b"));
	ATF_CHECK_EQ(sim_log_count(a, "without a Child SA so far"), 1);
	sim_free(s);
}

/* Nobody wants anything of it: gone after a while, from either side. */
ATF_TC_WITHOUT_HEAD(alone);
ATF_TC_BODY(alone, tc)
{
	struct watch	 v = { .hold = 100000 };
	struct sim	*s;
	struct node	*a, *b;

	s = watched(5, &v, "ondemand");
	a = s->n[0];
	b = s->n[1];
	sim_cmd(a, CMD_UP, "b");
	sim_run(s, 1000);
	ATF_CHECK(sim_established(a) == 1 && sim_established(b) == 1);
	/* the wish of a command lasts a minute; this one is over now */
	a->e->w.tunnels[0].wanted_until = MONO_NONE;
	sim_run(s, 60000);
	ATF_CHECK(sim_established(a) == 1 && sim_established(b) == 1);
	sim_run(s, 90000);
	ATF_CHECK(sim_established(a) == 0 && sim_established(b) == 0);
	ATF_CHECK_EQ(sim_log_count(a, "none is wanted") + sim_log_count(b, "none is wanted"),
	    1);
	/* and comes again when wanted */
	v.hold = 0;
	ATF_CHECK(sim_up(a, "b"));
	sim_free(s);
}

/* A peer that asks again and again for what it does not get keeps its IKE SA. */
ATF_TC_WITHOUT_HEAD(persistent);
ATF_TC_BODY(persistent, tc)
{
	struct sim	*s = sim_new(7);
	struct node	*a, *b;

	a = sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" active esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 psk \"a secret that is long "
	    "enough\"\n");
	b = sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" passive esp from 10.3.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 psk \"a secret that is long "
	    "enough\"\n");
	sim_run(s, 600000);
	ATF_CHECK(sim_established(a) == 1 && sim_established(b) == 1);
	ATF_CHECK_EQ(sim_log_count(a, "none is wanted") + sim_log_count(b, "none is wanted"),
	    0);
	sim_free(s);
}

/* A Child half asked for is neither: the request is malformed. */
static int
part(void *arg, uint8_t *p, size_t *len, uint8_t *first)
{
	const int	*what = arg;
	size_t		 at = 0, prev = 0, n;
	uint8_t		 type = *first;

	while (type != P_NONE && at + 4 <= *len) {
		n = (size_t)(p[at + 2] << 8 | p[at + 3]);
		if (type == *what) {
			p[prev] = p[at];
			memmove(p + at, p + at + n, *len - at - n);
			*len -= n;
			return (0);
		}
		prev = at;
		type = p[at];
		at += n;
	}
	return (-1);
}

static int
part_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	out[MSG_MAX];
	struct packet	q = *p;
	size_t		n;

	if (from != s->n[0] || p->p[18] != X_IKE_AUTH ||
	    (n = peer_alter(from, p, part, s->filter_arg, out)) == 0)
		return (0);
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (1);
}

ATF_TC_WITHOUT_HEAD(partial);
ATF_TC_BODY(partial, tc)
{
	static const int	 what[] = { P_SA, P_TSI, P_TSR };
	struct sim		*s;
	int			 i, w;

	for (i = 0; i < 3; i++) {
		s = sim_pair(6, "ondemand", "passive", "");
		w = what[i];
		s->filter = part_filter;
		s->filter_arg = &w;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 1000);
		ATF_CHECK(sim_logged(s->n[0], "INVALID_SYNTAX in IKE_AUTH"));
		ATF_CHECK_EQ(sim_established(s->n[1]), 0);
		sim_free(s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, regular);
	ATF_TP_ADD_TC(tp, another);
	ATF_TP_ADD_TC(tp, unsupported);
	ATF_TP_ADD_TC(tp, lame_kernel);
	ATF_TP_ADD_TC(tp, alone);
	ATF_TP_ADD_TC(tp, persistent);
	ATF_TP_ADD_TC(tp, partial);
	return (atf_no_error());
}
