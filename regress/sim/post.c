/* SPDX-License-Identifier: ISC */
/* Scenes, and the post that brings the messages between their two gateways. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariant.h"
#include "post.h"
#include "sim_local.h"

#define SRC	"10.1.0.5"
#define DST	"10.2.0.7"
#define END_MS	75000	/* after the scene: all deadlines are over */

static const char *const mail_name[] = {
	"any", "init", "auth", "create", "rekey", "REKEY", "del", "DEL", "check"
};
static const char *const tunnel[2] = { "b", "a" };

/* ---- what a message is */

/* Opens it with the keys of its sender. 1, or 0: it cannot be. */
static int
open_mail(struct node *from, const struct packet *p, struct wire_msg *m,
    uint8_t plain[MSG_MAX])
{
	struct wire_hdr	 h;
	struct ike_core	*c;
	uint8_t		 first;
	size_t		 n;

	if (wire_hdr_decode(p->p, p->len, &h) == -1 || p->len > MSG_MAX ||
	    wire_decode(h.next, p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN, WIRE_HDRLEN, m,
	    NULL) != WIRE_OK || (m->has & WIRE_HAS(P_SK)) == 0 ||
	    (c = peer_core(from, h.spii, h.spir)) == NULL ||
	    sk_open(from->sim->crypto, &c->keys, c->initiator, p->p, m->sk_off + 4, m->sk,
	    plain, &n) == -1)
		return (0);
	first = m->sk_first;
	return (wire_decode(first, plain, n, 0, m, NULL) == WIRE_OK);
}

static int
kind_of_request(const struct wire_hdr *h, const struct wire_msg *m)
{
	if (h->exch == X_CREATE_CHILD_SA)
		return (m->sa.n > 0 && m->sa.p[0].proto == PROTO_IKE ? M_REKEY_IKE :
		    wire_notify(m, N_REKEY_SA) != NULL ? M_REKEY_CHILD : M_CREATE);
	if (m->ndelete == 0)
		return (M_CHECK);
	return (m->del[0].proto == PROTO_IKE ? M_DEL_IKE : M_DEL_CHILD);
}

/* A reply is what was asked, which is looked up. */
static int
kind(struct post *p, struct node *from, const struct packet *pkt)
{
	struct wire_msg	*m;
	struct wire_hdr	 h;
	uint8_t		 plain[MSG_MAX];
	unsigned int	 i;
	int		 what = M_ANY;

	if (wire_hdr_decode(pkt->p, pkt->len, &h) == -1)
		return (M_ANY);
	if (h.exch == X_IKE_SA_INIT || h.exch == X_IKE_AUTH)
		return ((h.exch == X_IKE_AUTH ? M_AUTH : M_INIT) |
		    (h.flags & WIRE_F_RESPONSE ? REPLY : 0));
	if (h.flags & WIRE_F_RESPONSE) {
		for (i = 0; i < 64; i++)
			if (p->asked[i].spii == h.spii && p->asked[i].msgid == h.msgid &&
			    p->asked[i].from != from->idx)
				return (p->asked[i].what | REPLY);
		return (M_ANY | REPLY);
	}
	m = sim_alloc(sizeof(*m));
	if (open_mail(from, pkt, m, plain))
		what = kind_of_request(&h, m);
	free(m);
	i = p->nasked++ % 64;
	p->asked[i].spii = h.spii;
	p->asked[i].msgid = h.msgid;
	p->asked[i].from = from->idx;
	p->asked[i].what = what;
	if (what == M_REKEY_IKE)
		p->last_id[from->idx] = h.msgid;
	if (what == M_DEL_IKE)
		p->del_spi[from->idx] = h.spii;
	else if (h.spii == p->del_spi[from->idx])
		p->after_del[from->idx]++;
	return (what);
}

static void
note(struct post *p, int from, int what, const char *fate)
{
	size_t	n = strlen(p->trace);

	(void)snprintf(p->trace + n, sizeof(p->trace) - n, " %s%s%s%s",
	    from == A ? "a:" : "b:", mail_name[what & 0xff], what & REPLY ? "+" : "", fate);
}

static void
hold(struct post *p, const struct packet *pkt, int64_t ms)
{
	int	i;

	for (i = 0; i < POST_HELD && p->held[i].used; i++)
		;
	if (i == POST_HELD)
		return;
	p->held[i].used = 1;
	p->held[i].when = mono_add_ms(p->s->now, ms);
	p->held[i].pkt = *pkt;
	p->held[i].pkt.p = sim_alloc(pkt->len);
	memcpy(p->held[i].pkt.p, pkt->p, pkt->len);
}

static int
filter(struct sim *s, struct node *from, struct packet *pkt)
{
	struct post	*p = s->filter_arg;
	int		 what = kind(p, from, pkt), i;

	if (!p->begun)
		return (0);
	p->seen[from->idx][(what & 0xff) + (what & REPLY ? M_CHECK + 1 : 0)]++;
	if (++p->n == p->lose) {
		note(p, from->idx, what, "(lost)");
		return (1);
	}
	for (i = 0; i < p->nrules; i++) {
		if (p->rule[i].from != from->idx || p->rule[i].what != what ||
		    p->rule[i].times == 0)
			continue;
		p->rule[i].times--;
		note(p, from->idx, what, p->rule[i].late < 0 ? "(never)" : "(late)");
		if (p->rule[i].late >= 0)
			hold(p, pkt, p->rule[i].late);
		return (1);
	}
	note(p, from->idx, what, "");
	return (0);
}

void
post_late(struct post *p, int from, int what, int times, int64_t ms)
{
	if (p->nrules == POST_RULES)
		abort();
	p->rule[p->nrules].from = from;
	p->rule[p->nrules].what = what;
	p->rule[p->nrules].times = times;
	p->rule[p->nrules++].late = ms;
}

void
post_forget(struct post *p)
{
	p->nrules = 0;
}

int
post_seen(const struct post *p, int from, int what)
{
	return (p->seen[from][(what & 0xff) + (what & REPLY ? M_CHECK + 1 : 0)]);
}

static void
release(struct post *p, int all)
{
	int	i;

	for (i = 0; i < POST_HELD; i++) {
		if (!p->held[i].used || (!all && !mono_reached(p->held[i].when, p->s->now)))
			continue;
		p->held[i].used = 0;
		if (!all)
			sim_inject(p->s, &p->held[i].pkt.src, &p->held[i].pkt.dst,
			    p->held[i].pkt.marker, p->held[i].pkt.p, p->held[i].pkt.len);
		free(p->held[i].pkt.p);
	}
}

void
post_run(struct post *p, int64_t ms)
{
	int64_t	t;

	for (t = 0; t < ms; t += 10) {
		/* often at first, where it all happens */
		if (!p->quiet && (t < 8000 || t % 100 == 0))
			(void)sim_ping(p->a, SRC, DST);
		sim_run(p->s, 10);
		release(p, 0);
	}
}

/* ---- what they do */

struct ike_sa *
ike_up(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at;

	for (at = 0; n->e != NULL && (ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL;)
		if (ike->state == IKE_UP)
			return (ike);
	return (NULL);
}

struct child_sa *
child_up(struct node *n)
{
	return (n->e == NULL ? NULL : child_of_tunnel(&n->e->w, 0));
}

void
do_rekey_child(struct post *p, int who)
{
	if (child_up(p->s->n[who]) != NULL)
		sim_cmd(p->s->n[who], CMD_REKEY, tunnel[who]);
}

void
do_rekey_ike(struct post *p, int who)
{
	struct node	*n = p->s->n[who];
	struct ike_sa	*ike = ike_up(n);

	if (ike == NULL)
		return;
	ike->want_rekey = 1;
	touch_ike(&n->e->w, ike);
	engine_tick(n->e, p->s->now);
}

void
do_del_child(struct post *p, int who)
{
	struct node	*n = p->s->n[who];
	struct child_sa	*c = child_up(n);

	if (c == NULL)
		return;
	c->want_delete = 1;
	touch_tunnel(&n->e->w, c->tunnel);
	touch_ike(&n->e->w, ike_get(&n->e->w, c->ike));
	engine_tick(n->e, p->s->now);
}

void
do_del_ike(struct post *p, int who)
{
	struct node	*n = p->s->n[who];
	struct ike_sa	*ike = ike_up(n);

	if (ike == NULL)
		return;
	ike->want_delete = 1;
	touch_ike(&n->e->w, ike);
	engine_tick(n->e, p->s->now);
}

void
do_both(struct post *p, void (*what)(struct post *, int))
{
	int	low[4] = { 0x81, 0x81, 0x81, 0x81 };

	low[p->variant & 3] = 0x11;
	p->a->nonce0 = low[0];
	what(p, A);
	p->a->nonce0 = low[3];
	p->b->nonce0 = low[2];
	what(p, B);
	p->b->nonce0 = low[1];
}

/* ---- the scene */

static void
pair(struct post *p, const char *ca, const char *cb)
{
	static const char	fmt[] = "ikev2 \"%s\" %s esp from %s to %s local %s peer %s %s "
				    "psk \"a secret that is long enough\"\n";
	char			text[1024];

	(void)snprintf(text, sizeof(text), fmt, "b", "active", "10.1.0.0/24", "10.2.0.0/24",
	    "192.0.2.1", "198.51.100.1", ca);
	p->a = sim_node(p->s, "a", "192.0.2.1", text);
	(void)snprintf(text, sizeof(text), fmt, "a", "ondemand", "10.2.0.0/24",
	    "10.1.0.0/24", "198.51.100.1", "192.0.2.1", cb);
	p->b = sim_node(p->s, "b", "198.51.100.1", text);
}

static int
in_place(struct node *n)
{
	const struct world	*w = &n->e->w;

	return (w->ikes.used == 1 && w->childs.used == 1 && w->halves.used == 0 &&
	    sim_established(n) == 1 && sim_kernel_count(n) == 2 && child_up(n) != NULL);
}

static int
nothing(struct node *n)
{
	const struct world	*w = &n->e->w;

	return (w->ikes.used == 0 && w->childs.used == 0 && sim_kernel_count(n) == 0);
}

static int
in_order(struct post *p, int flags)
{
	struct node	*a = p->a, *b = p->b;
	int		 ok = 1;

	if (flags & DOWN)
		ok = nothing(a) && nothing(b);
	else if (!in_place(a) || !in_place(b) || !sim_mirror(a, b, "b", "a"))
		ok = 0;
	if (!sim_agree(a) || !sim_agree(b) || p->s->wrong != 0)
		ok = 0;
	if (p->after_del[A] + p->after_del[B] != 0) {
		fprintf(stderr, "requests after the DELETE of an IKE SA\n");
		ok = 0;
	}
	return (ok);
}

/* Nothing lost: neither packets that found no SA nor those the other end did not take. */
static int
unbroken(struct post *p)
{
	struct node	*a = p->a, *b = p->b;
	uint64_t	 sent = a->sent + b->sent, got = a->got + b->got;

	if (sent == got && a->nosa + b->nosa == p->nosa && sim_log_count(a, "down:") == 0 &&
	    sim_log_count(b, "down:") == 0 && a->got_bad + b->got_bad == 0)
		return (1);
	fprintf(stderr, "%ju packets lost, %ju found no SA, %d downs\n",
	    (uintmax_t)(sent - got), (uintmax_t)(a->nosa + b->nosa - p->nosa),
	    sim_log_count(a, "down:") + sim_log_count(b, "down:"));
	return (0);
}

/* The number of its datagrams; -1: something is wrong. */
static int
play_once(const char *name, void (*play)(struct post *), int variant, int lose, int flags,
    const char *ca, const char *cb)
{
	struct post	*p = sim_alloc(sizeof(*p));
	int		 n, ok;

	p->s = sim_new(1000 + (uint64_t)variant);
	p->s->filter = filter;
	p->s->filter_arg = p;
	p->s->verbose = getenv("SIM_VERBOSE") != NULL && atoi(getenv("SIM_VERBOSE")) == lose;
	invariant_on(p->s);
	p->variant = variant;
	p->lose = lose;
	pair(p, ca, cb);
	sim_run(p->s, 3000);
	ATF_REQUIRE(sim_is_up(p->a, "b") && sim_is_up(p->b, "a"));
	p->nosa = p->a->nosa + p->b->nosa;
	post_run(p, 500);
	p->begun = 1;
	play(p);
	n = p->n;
	post_forget(p);
	post_run(p, END_MS);
	sim_run(p->s, 1000);
	ok = in_order(p, flags);
	if ((flags & (LOSSY | DOWN)) == 0 && (lose == 0 || (flags & UNSURE) == 0) &&
	    !unbroken(p))
		ok = 0;
	if (!ok)
		fprintf(stderr, "%s, variant %d, datagram %d lost: %d/%d IKE SAs, %d/%d "
		    "Children, %d/%d in the kernels:%s\n", name, variant, lose,
		    (int)p->a->e->w.ikes.used, (int)p->b->e->w.ikes.used,
		    (int)p->a->e->w.childs.used, (int)p->b->e->w.childs.used,
		    sim_kernel_count(p->a), sim_kernel_count(p->b), p->trace);
	else if (p->s->verbose)
		fprintf(stderr, "%s:%s\n", name, p->trace);
	release(p, 1);
	sim_free(p->s);
	free(p);
	return (ok ? n : -1);
}

void
scene(const char *name, void (*play)(struct post *), int variants, int flags,
    const char *ca, const char *cb)
{
	int	v, i, n;

	for (v = 0; v < variants; v++) {
		n = play_once(name, play, v, 0, flags, ca, cb);
		ATF_CHECK_MSG(n >= 0, "%s, variant %d", name, v);
		for (i = 1; i <= n && (flags & ONCE) == 0; i++)
			ATF_CHECK_MSG(play_once(name, play, v, i, flags, ca, cb) >= 0,
			    "%s, variant %d, datagram %d lost", name, v, i);
	}
}
