/* SPDX-License-Identifier: ISC */
/*
 * Malformed input, the deep way: mutants inside correctly sealed SK payloads,
 * in every exchange, request and reply, from either role; and mutants of whole datagrams.
 * No crash (the sanitizers watch), nothing left over, and the tunnel is there
 * again when the peer has come to its senses.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "sim.h"

#define MUTANTS	10000

struct mad {
	uint64_t	rng;
	int		on;
	uint32_t	chance;		/* per cent */
	uint32_t	done, n[4][2][2];	/* exchange, response, from */
};

static size_t
below(struct mad *m, size_t n)
{
	return (n == 0 ? 0 : (size_t)(sim_rand(&m->rng) % n));
}

/* One to three changes of the inner chain; room for MSG_MAX / 2 octets. */
static int
change(void *arg, uint8_t *p, size_t *len, uint8_t *first)
{
	static const uint8_t	ugly[] = { 0, 1, 3, 4, 7, 8, 0x7f, 0x80, 0xfe, 0xff };
	struct mad		*m = arg;
	size_t			 i, a, b, k = 1 + below(m, 3);

	for (i = 0; i < k; i++) {
		a = below(m, *len);
		b = below(m, *len - a + 1);
		switch (below(m, 8)) {
		case 0:
			if (*len > 0)
				p[a] ^= (uint8_t)(1U << below(m, 8));
			break;
		case 1:
			if (*len > 0)
				p[a] = ugly[below(m, sizeof(ugly))];
			break;
		case 2:		/* cut the end off */
			*len = a;
			break;
		case 3:		/* cut out of the middle */
			memmove(p + a, p + a + b, *len - a - b);
			*len -= b;
			break;
		case 4:		/* say a piece twice */
			if (*len + b > MSG_MAX / 2)
				break;
			memmove(p + a + b, p + a, *len - a);
			*len += b;
			break;
		case 5:
			*first = (uint8_t)(below(m, 4) == 0 ? below(m, 256) :
			    33 + below(m, 16));
			break;
		case 6:		/* a length or count near the front of something */
			if (*len > 4) {
				a &= ~(size_t)3;
				p[a + 2 < *len ? a + 2 : a] = (uint8_t)below(m, 2);
				if (a + 3 < *len)
					p[a + 3] = (uint8_t)below(m, 256);
			}
			break;
		default:
			for (; b-- > 0 && a < *len; a++)
				p[a] = (uint8_t)sim_rand(&m->rng);
			break;
		}
	}
	return (0);
}

static int
mad_filter(struct sim *s, struct node *from, struct packet *p)
{
	static uint8_t	 out[MSG_MAX];
	struct mad	*m = s->filter_arg;
	struct packet	 q = *p;
	size_t		 n;

	if (!m->on || p->len < WIRE_HDRLEN || below(m, 100) >= m->chance)
		return (0);
	if ((n = peer_alter(from, p, change, m, out)) == 0)
		return (0);
	m->done++;
	if (out[18] >= X_IKE_AUTH && out[18] <= X_INFORMATIONAL)
		m->n[out[18] - X_IKE_SA_INIT][(out[19] & WIRE_F_RESPONSE) != 0][from->idx]++;
	sim_inject(s, &q.src, &q.dst, q.marker, out, n);
	return (1);
}

static void
want_ike_rekey(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	while ((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL) {
		ike->want_rekey = 1;
		touch_ike(&n->e->w, ike);
	}
}

static void
life(struct sim *s, struct mad *m)
{
	int	i;

	m->on = below(m, 3) != 0;
	sim_run(s, 2500);
	m->on = 1;
	for (i = 0; i < 6; i++) {
		switch (below(m, 6)) {
		case 0:
			sim_cmd(s->n[0], CMD_REKEY, "b");
			break;
		case 1:
			sim_cmd(s->n[1], CMD_REKEY, "a");
			break;
		case 2:
			want_ike_rekey(s->n[below(m, 2)]);
			break;
		case 3:
			sim_cmd(s->n[0], CMD_DOWN, "b");
			sim_run(s, 100);
			sim_cmd(s->n[0], CMD_UP, "b");
			break;
		case 4:
			sim_cmd(s->n[1], CMD_DOWN, "a");
			sim_run(s, 100);
			sim_cmd(s->n[1], CMD_UP, "a");
			break;
		default:
			break;
		}
		sim_run(s, 300 + (int64_t)below(m, 1500));
	}
	m->on = 0;
}

ATF_TC(inner);
ATF_TC_HEAD(inner, tc)
{
	atf_tc_set_md_var(tc, "timeout", "1200");
}
ATF_TC_BODY(inner, tc)
{
	static const char *const names[] = { "IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA",
	    "INFORMATIONAL" };
	struct sim	*s;
	struct mad	 m;
	struct show_stats st;
	int		 i, j, runs = 0;
	uint64_t	 got;

	memset(&m, 0, sizeof(m));
	m.rng = 4711;
	m.chance = 60;
	while (m.done < MUTANTS) {
		s = sim_pair(m.rng, "active", "active", runs & 1 ?
		    "childsa enc aes-128-gcm group curve25519" : "");
		s->filter = mad_filter;
		s->filter_arg = &m;
		life(s, &m);
		runs++;
		/* the peer is sane again: both ends agree on everything anew */
		sim_run(s, 70000);
		sim_cmd(s->n[0], CMD_DOWN, "b");
		sim_cmd(s->n[1], CMD_DOWN, "a");
		sim_run(s, 10000);
		for (i = 0; i < 2; i++) {
			ATF_CHECK(sim_agree(s->n[i]));
			ATF_CHECK_EQ_MSG(sim_kernel_count(s->n[i]), 0, "run %d", runs);
			sim_stats(s->n[i], &st);
			ATF_CHECK_EQ_MSG(st.nike, 0, "run %d", runs);
			ATF_CHECK_EQ(st.nchild, 0);
			ATF_CHECK_EQ(st.half_open, 0);
		}
		ATF_REQUIRE_MSG(sim_up(s->n[0], "b"), "run %d", runs);
		sim_run(s, 200);
		got = s->n[0]->got;
		sim_traffic(s->n[0], "10.1.0.5", "10.2.0.7", 300, 100);
		ATF_CHECK_EQ_MSG(s->n[0]->got - got, 3, "run %d", runs);
		sim_free(s);
	}
	for (i = 1; i < 4; i++)
		for (j = 0; j < 4; j++) {
			printf("%-16s %-8s from %c: %u\n", names[i], j & 1 ? "reply" : "request",
			    j & 2 ? 'b' : 'a', m.n[i][j & 1][j >> 1]);
			ATF_CHECK_MSG(m.n[i][j & 1][j >> 1] >= 100, "too few %s", names[i]);
		}
	printf("%u mutants in %d lives\n", m.done, runs);
}

/* ---- whole datagrams */

struct tape {
	struct packet	p[64];
	uint8_t		b[64][2048];
	int		n;
};

static int
tape_filter(struct sim *s, struct node *from, struct packet *p)
{
	struct tape	*t = s->filter_arg;

	(void)from;
	if (t->n < 64 && p->len <= sizeof(t->b[0]) && p->len > 1) {
		t->p[t->n] = *p;
		memcpy(t->b[t->n], p->p, p->len);
		t->n++;
	}
	return (0);
}

static void
set32(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

ATF_TC(outer);
ATF_TC_HEAD(outer, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(outer, tc)
{
	struct sim	*s = sim_pair(77, "ondemand", "passive", "");
	struct tape	*t = calloc(1, sizeof(*t));
	struct mad	 m;
	struct packet	 p;
	struct show_tunnel before, after;
	struct show_stats st;
	struct wire_hdr	 h;
	uint8_t		 b[MSG_MAX], first;
	uint32_t	 pass = 0;
	size_t		 n, chunks[2];
	int		 i, k;

	memset(&m, 0, sizeof(m));
	m.rng = 99;
	s->filter = tape_filter;
	s->filter_arg = t;
	ATF_REQUIRE(sim_up(s->n[0], "b"));
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 3000);
	s->filter = NULL;
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &before));
	chunks[0] = chunks[1] = 0;
	for (i = 0; i < MUTANTS; i++) {
		k = (int)below(&m, (size_t)t->n);
		p = t->p[k];
		n = p.len;
		memcpy(b, t->b[k], n);
		if (below(&m, 4) == 0)
			(void)change(&m, b, &n, &first);
		else {
			/* behind the header, and the header fits */
			n -= WIRE_HDRLEN;
			(void)change(&m, b + WIRE_HDRLEN, &n, &b[16]);
			n += WIRE_HDRLEN;
			set32(b + 24, n);
		}
		pass += wire_hdr_decode(b, n, &h) == 0 && h.major == 2 && h.spii != 0;
		sim_inject(s, &p.src, &p.dst, p.marker, b, n);
		if (i % 50 == 0)
			sim_run(s, 200);
		if (i == MUTANTS / 10)
			for (k = 0; k < 2; k++)
				chunks[k] = s->n[k]->e->w.halves.nchunks +
				    s->n[k]->e->w.ikes.nchunks + s->n[k]->e->w.jobs.nchunks;
	}
	sim_run(s, 40000);
	ATF_CHECK_MSG(pass >= MUTANTS / 2, "%u pass the header checks", pass);
	printf("%d datagrams, %u pass the header checks\n", MUTANTS, pass);
	ATF_REQUIRE(sim_tunnel(s->n[0], "b", &after));
	ATF_CHECK(after.state == SHOW_UP && after.spi_in == before.spi_in &&
	    after.spi_out == before.spi_out);
	for (k = 0; k < 2; k++) {
		sim_stats(s->n[k], &st);
		ATF_CHECK_EQ(st.nike, 1);
		ATF_CHECK_EQ(st.nchild, 1);
		ATF_CHECK_EQ(st.half_open, 0);
		/* memory is flat */
		ATF_CHECK(s->n[k]->e->w.halves.nchunks + s->n[k]->e->w.ikes.nchunks +
		    s->n[k]->e->w.jobs.nchunks <= chunks[k] + 1);
	}
	free(t);
	sim_free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, inner);
	ATF_TP_ADD_TC(tp, outer);
	return (atf_no_error());
}
