/* SPDX-License-Identifier: ISC */
/*
 * The invariants.  An IKE SA, a half-open one, a Child, a job and a wanted tunnel have
 * each an armed timer, or wait for something that has one (DESIGN promise 7).  An IKE SA
 * is there because keys have verified AUTH, or because of a message inside one that is.
 * What a kernel has is a Child's, with selectors and algorithms of its tunnel.  A message
 * id and a counter of an AEAD never stand for two contents.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "invariant.h"
#include "sim_local.h"

#define TRUSTED		64	/* IKE SAs a node may have at once */
#define CHILDREN	48	/* Children of a tunnel */
#define HALVES		96
#define IDLE_MS		61000	/* an idle peer is asked by then: dpd_check_interval */
#define OFTEN_US	200000	/* both ends are compared so often */

struct trust {
	said		ids[TRUSTED];
	int		n;
	uint64_t	good;		/* token of keys' last "verified" */
};

struct invariant {
	uint64_t	*sent;		/* pairs: name of a message, its content */
	size_t		 nsent, capsent;
	struct trust	 trust[SIM_NODES];
	struct node	*hot;		/* the event is for it */
	int		 may_promote, may_succeed;
	int		 healthy;
	monotime	 compared;
};

void
invariant_on(struct sim *s)
{
	s->inv = sim_alloc(sizeof(*s->inv));
}

void
invariant_free(struct sim *s)
{
	if (s->inv == NULL)
		return;
	free(s->inv->sent);
	free(s->inv);
	s->inv = NULL;
}

void
invariant_healthy(struct sim *s, int on)
{
	s->inv->healthy = on;
}

void
invariant_killed(struct sim *s, struct node *n)
{
	s->inv->trust[n->idx].n = 0;
	if (s->inv->hot == n)
		s->inv->hot = NULL;
}

/* ---- why an IKE SA may be there */

static int
trusted(const struct trust *t, said id)
{
	int	i;

	for (i = 0; i < t->n; i++)
		if (t->ids[i] == id)
			return (1);
	return (0);
}

static void
begin(struct sim *s, struct node *n)
{
	s->inv->hot = n;
	s->inv->may_promote = s->inv->may_succeed = 0;
}

void
invariant_other(struct sim *s, struct node *n)
{
	begin(s, n);
}

void
invariant_packet(struct sim *s, struct node *n, const uint8_t *p, size_t len)
{
	struct wire_hdr		 h;
	const struct slot	*sl;

	begin(s, n);
	if (wire_hdr_decode(p, len, &h) == -1 || h.exch != X_CREATE_CHILD_SA)
		return;
	sl = slot_find(&n->e->w, h.flags & WIRE_F_INITIATOR ? h.spir : h.spii);
	s->inv->may_succeed = sl != NULL && !sl->half &&
	    trusted(&s->inv->trust[n->idx], sl->owner);
}

void
invariant_keys(struct sim *s, struct node *n, const struct keys_req *q,
    const struct keys_ans *a)
{
	if (q->op == KEYS_VERIFY && a->ok == 1)
		s->inv->trust[n->idx].good = q->token;
}

void
invariant_answer(struct sim *s, struct node *n, const struct keys_ans *a)
{
	begin(s, n);
	s->inv->may_promote = a->ok == 1 && a->len == 0;
}

static void
check_trust(struct sim *s, struct node *n)
{
	struct world	*w = &n->e->w;
	struct trust	*t = &s->inv->trust[n->idx];
	struct ike_sa	*ike;
	said		 ids[TRUSTED];
	uint32_t	 at;
	int		 k = 0;

	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;) {
		if (!trusted(t, ike->id) && !s->inv->may_promote && !s->inv->may_succeed)
			sim_wrong(s, "%s: an IKE SA nobody has authenticated", n->name);
		if (k == TRUSTED) {
			sim_wrong(s, "%s: more than %d IKE SAs", n->name, TRUSTED);
			break;
		}
		ids[k++] = ike->id;
	}
	memcpy(t->ids, ids, (size_t)k * sizeof(ids[0]));
	t->n = k;
}

void
invariant_moved(struct sim *s, struct node *n)
{
	invariant_killed(s, n);
	begin(s, n);
	s->inv->may_succeed = 1;
	check_trust(s, n);
	begin(s, n);
}

/* ---- messages */

static uint64_t
mix(uint64_t h, const void *data, size_t n)
{
	const uint8_t	*p = data;
	uint64_t	 x;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&x, p, 8);
		h = (h ^ x) * 0x94d049bb133111ebULL;
		h ^= h >> 29;
	}
	for (x = 1; n > 0; n--)
		x = x << 8 | *p++;
	h = (h ^ x) * 0xbf58476d1ce4e5b9ULL;
	return (h ^ h >> 32);
}

static uint64_t *
sent_find(struct invariant *v, uint64_t name)
{
	size_t	i;

	for (i = name & (v->capsent - 1); v->sent[2 * i] != 0 && v->sent[2 * i] != name;)
		i = (i + 1) & (v->capsent - 1);
	return (&v->sent[2 * i]);
}

static void
sent_grow(struct invariant *v)
{
	uint64_t	*old = v->sent, *p;
	size_t		 i, n = v->capsent;

	v->capsent = n == 0 ? 256 : n * 2;
	v->sent = sim_alloc(v->capsent * 2 * sizeof(*v->sent));
	for (i = 0; i < n; i++)
		if (old[2 * i] != 0) {
			p = sent_find(v, old[2 * i]);
			p[0] = old[2 * i];
			p[1] = old[2 * i + 1];
		}
	free(old);
}

/* 1: this name stood for something else before. */
static int
differs(struct invariant *v, uint64_t name, uint64_t content)
{
	uint64_t	*p;

	if (v->nsent * 2 >= v->capsent)
		sent_grow(v);
	name |= 1;
	p = sent_find(v, name);
	if (p[0] == 0) {
		p[0] = name;
		p[1] = content;
		v->nsent++;
	}
	return (p[1] != content);
}

/* Only what is encrypted: the others have no state behind them.  A fragment's number
 * belongs to its name (RFC 7383 2.5). */
void
invariant_sent(struct sim *s, struct node *n, const uint8_t *p, size_t len)
{
	struct wire_hdr	h;
	uint64_t	content, name;
	size_t		body = WIRE_HDRLEN + 4;

	if (wire_hdr_decode(p, len, &h) == -1 || (h.next != P_SK && h.next != 53) ||
	    len < body + 12)
		return;
	content = mix(1, p, len);
	name = mix(mix(n->idx + 2, p, 16), p + 19, 5);	/* SPIs; flags, message id */
	if (h.next == 53) {
		name = mix(name, p + body, 4);
		body += 4;
	}
	if (differs(s->inv, name, content))
		sim_wrong(s, "%s: message %u of %s says two things", n->name, h.msgid,
		    wire_exchange_name(h.exch));
	/* the counter of AES-GCM, and the first half of a random IV of AES-CBC */
	name = mix(mix(mix(99, p, 16), &p[19], 1) & ~(uint64_t)0, p + body, 8);
	if (differs(s->inv, mix(name, &n->idx, sizeof(n->idx)), content))
		sim_wrong(s, "%s: an IV is used twice", n->name);
}

/* ---- the kernel */

static const struct child_sa *
child_of_sa(const struct world *w, uint32_t spi, enum kern_dir dir, const struct addr *dst)
{
	const struct child_sa	*c;

	if (dir == KERN_IN)
		return (child_byspi(w, spi));
	for (c = NULL; (c = child_byout_next(w, c, spi)) != NULL;)
		if (addr_cmp(&c->remote.addr, dst) == 0)
			return (c);
	return (NULL);
}

static int
in_proposals(const struct proposals *ps, const struct kern_sa *sa)
{
	const struct proposal	*p;
	int			 encr, integ, any;
	unsigned int		 i, j;

	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		encr = integ = any = 0;
		for (j = 0; j < p->nxforms; j++) {
			if (p->xf[j].type == XF_ENCR && p->xf[j].id == sa->encr &&
			    p->xf[j].keybits == sa->encr_keybits)
				encr = 1;
			any |= p->xf[j].type == XF_INTEG && p->xf[j].id != INTEG_NONE;
			if (p->xf[j].type == XF_INTEG && p->xf[j].id == sa->integ)
				integ = 1;
		}
		if (encr && (integ || (!any && sa->integ == INTEG_NONE)))
			return (1);
	}
	return (0);
}

static void
check_add(struct sim *s, struct node *n, const struct kernel_req *q)
{
	const struct world		*w = &n->e->w;
	const struct conf_tunnel	*t;
	const struct child_sa		*c = child_of_sa(w, q->sa.spi, q->sa.dir, &q->sa.dst);

	if (w->conf == NULL || q->tunnel >= w->conf->ntunnels) {
		sim_wrong(s, "%s: an SA for no tunnel", n->name);
		return;
	}
	t = &w->conf->tunnels[q->tunnel];
	if (c == NULL || ike_get(w, c->ike) == NULL)
		sim_wrong(s, "%s: SA 0x%08x without Child or IKE SA", n->name, q->sa.spi);
	if (!tslist_within(&q->tsl, &t->from) || !tslist_within(&q->tsr, &t->to))
		sim_wrong(s, "%s: SA 0x%08x is wider than tunnel \"%s\"", n->name,
		    q->sa.spi, t->name);
	if (!in_proposals(t->esp, &q->sa))
		sim_wrong(s, "%s: SA 0x%08x with algorithms that tunnel \"%s\" does not "
		    "allow", n->name, q->sa.spi, t->name);
}

/* The other end of that SA, in any kernel; or NULL. */
static struct sim_sa *
far_end(struct sim *s, const struct node *n, uint32_t spi, enum kern_dir dir)
{
	struct sim_sa	*x;
	int		 i;

	for (i = 0; i < s->nnodes; i++)
		if (s->n[i] != n && (x = kern_find(s->n[i], spi, dir)) != NULL)
			return (x);
	return (NULL);
}

/* Another one that carries the same in this direction and is there at the far end. */
static int
has_successor(struct sim *s, struct node *n, const struct sim_sa *old)
{
	const struct sim_sa	*x;
	int			 i;

	for (i = 0; i < n->nsa; i++) {
		x = &n->sa[i];
		if (x->used && x != old && x->sa.dir == old->sa.dir &&
		    strcmp(x->name, old->name) == 0 && tslist_within(&old->tsl, &x->tsl) &&
		    tslist_within(&old->tsr, &x->tsr) &&
		    (x->sa.dir == KERN_IN || far_end(s, n, x->sa.spi, KERN_IN) != NULL))
			return (1);
	}
	return (0);
}

/* Make before break, where nothing else is wrong (2.8). */
static void
check_delete(struct sim *s, struct node *n, const struct kernel_req *q)
{
	const struct sim_sa	*x = kern_find(n, q->sa.spi, q->sa.dir);

	if (x == NULL || n->e->w.stopping || n->e->w.flushed)
		return;
	if (!has_successor(s, n, x))
		sim_wrong(s, "%s: %s 0x%08x is deleted and nothing carries on", n->name,
		    x->sa.dir == KERN_IN ? "in" : "out", x->sa.spi);
}

void
invariant_kernel(struct sim *s, struct node *n, const struct kernel_req *q)
{
	if (q->op == KREQ_SA_ADD)
		check_add(s, n, q);
	else if (q->op == KREQ_SA_DELETE && s->inv->healthy)
		check_delete(s, n, q);
}

/* Nothing is in the kernel that the engine does not know, or is not taking away. */
static void
check_kernel(struct sim *s, struct node *n)
{
	const struct child_sa	*c;
	const struct sim_sa	*x;
	int			 i;

	for (i = 0; i < n->nsa; i++) {
		x = &n->sa[i];
		if (!x->used)
			continue;
		c = child_of_sa(&n->e->w, x->sa.spi, x->sa.dir, x->sa.dir == KERN_IN ?
		    &x->sa.dst : &x->sa.dst);
		if (c == NULL || (x->sa.dir == KERN_IN ? !c->in_there : !c->out_there))
			sim_wrong(s, "%s: kernel SA 0x%08x is nobody's", n->name, x->sa.spi);
	}
}

/* ---- deadlines */

static int
armed(const struct sim *s, const struct timer *t, int64_t ms)
{
	return (t->pos != 0 && !mono_before(mono_add_ms(s->now, ms), t->when));
}

static int
in_time(const struct sim *s, const struct world *w, const struct job *j)
{
	return (w->late.pos != 0 && !mono_before(j->by, w->late.when) &&
	    !mono_before(mono_add_ms(s->now, 10000), j->by));
}

static void
check_half(struct sim *s, struct node *n, const struct ike_half *h)
{
	const struct job	*j = job_get(&n->e->w, h->job);
	int			 ok = 0;

	switch (h->state) {
	case HALF_INIT_SENT:
	case HALF_AUTH_SENT:
		ok = h->req.msg != NULL && armed(s, &h->req.timer, RETRY_CAP);
		break;
	case HALF_SIGNING:
	case HALF_CHECKING:
	case HALF_VERIFYING:
		ok = j != NULL && in_time(s, &n->e->w, j);
		break;
	case HALF_INIT_DONE:
	case HALF_REFUSED:
		ok = armed(s, &h->timer, HALFOPEN_MS);
		break;
	}
	if (!ok)
		sim_wrong(s, "%s: a half-open IKE SA in state %d has no deadline", n->name,
		    h->state);
}

/* What it waits for has an end: the answer, or the next look at its wishes. */
static int
ike_moves(const struct ike_sa *ike)
{
	return (ike->req.msg != NULL ? ike->req.timer.pos != 0 : ike->life.pos != 0);
}

static void
check_ike(struct sim *s, struct node *n, const struct ike_sa *ike)
{
	const struct world	*w = &n->e->w;
	const char		*what = NULL;

	if (ike->state == IKE_DEAD)
		what = "is dead and there";
	else if (ike->req.msg != NULL && !armed(s, &ike->req.timer, GIVEUP_REQ))
		what = "waits for a reply without end";
	else if (ike->pend != NULL && !armed(s, &ike->life, HALFOPEN_MS) &&
	    job_get(w, ike->job) == NULL)
		what = "owes a reply without end";
	else if (!ike_moves(ike) && job_get(w, ike->job) == NULL)
		what = "has no deadline";
	else if (ike->state == IKE_DELETING && ike->req.msg == NULL)
		what = "is to be deleted and does not say so";
	else if (ike->nego != NULL && ike->req.msg == NULL)
		what = "keeps an offer that nobody answers";
	if (what != NULL)
		sim_wrong(s, "%s: an IKE SA in state %d %s", n->name, ike->state, what);
}

static void
check_child(struct sim *s, struct node *n, const struct child_sa *c)
{
	const struct world	*w = &n->e->w;
	const struct ike_sa	*ike = ike_get(w, c->ike);
	const char		*what = NULL;

	if (ike == NULL)
		what = "has no IKE SA";
	else if (c->state == CHILD_DELETING && ike->state != IKE_DELETING &&
	    !ike->want_delete && (ike->req.msg == NULL || ike->task_child != c->id))
		what = "is to be deleted and nobody says so";
	else if (c->state == CHILD_INSTALLING && c->nwait == 0 && !c->want_delete)
		what = "waits for a kernel that was not asked";
	else if (c->state != CHILD_DELETING && c->timer.pos == 0)
		what = "has no deadline";
	else if (c->tunnel == NO_INDEX && c->state != CHILD_DELETING && !c->want_delete)
		what = "has no tunnel and stays";
	if (what != NULL)
		sim_wrong(s, "%s: Child 0x%08x in state %d %s", n->name, c->spi_in, c->state,
		    what);
}

static int
child_coming(const struct world *w, uint32_t i)
{
	const struct child_sa	*c;
	said			 id;

	for (id = w->tunnels[i].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL])
		if (c->state == CHILD_INSTALLING || (c->state == CHILD_UP && !c->want_delete))
			return (1);
	return (0);
}

static void
check_tunnel(struct sim *s, struct node *n, uint32_t i)
{
	const struct world	*w = &n->e->w;
	const struct tunnel	*t = &w->tunnels[i];
	const struct child_sa	*c;
	said			 id;
	int			 k = 0;

	for (id = t->children; (c = child_get(w, id)) != NULL; id = c->next[L_TUNNEL])
		k++;
	if (k > CHILDREN)
		sim_wrong(s, "%s: tunnel \"%s\" has %d Children", n->name,
		    w->conf->tunnels[i].name, k);
	if (!tunnel_wanted(w, i) || t->dirty || child_coming(w, i) ||
	    armed(s, &t->timer, WANTED_MS) || half_get(w, w->peers[t->peer].half) != NULL ||
	    (t->queued != 0 && ike_get(w, t->queued) != NULL))
		return;
	sim_wrong(s, "%s: tunnel \"%s\" is wanted and nothing is done for it%s", n->name,
	    w->conf->tunnels[i].name, t->queued != 0 ? ": its IKE SA is gone" : "");
}

static void
check_deadlines(struct sim *s, struct node *n)
{
	const struct world	*w = &n->e->w;
	const struct ike_half	*h;
	const struct ike_sa	*ike;
	const struct child_sa	*c;
	const struct job	*j;
	uint32_t		 at, i;

	for (at = 0; (h = slab_walk(&w->halves, &at, NULL)) != NULL;)
		check_half(s, n, h);
	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;)
		check_ike(s, n, ike);
	for (at = 0; (c = slab_walk(&w->childs, &at, NULL)) != NULL;)
		check_child(s, n, c);
	for (at = 0; (j = slab_walk(&w->jobs, &at, NULL)) != NULL;)
		if (!in_time(s, w, j))
			sim_wrong(s, "%s: a job of kind %d has no deadline", n->name,
			    j->kind);
	for (i = 0; w->conf != NULL && i < w->conf->ntunnels; i++)
		check_tunnel(s, n, i);
	if (w->halves.used > HALVES)
		sim_wrong(s, "%s: %u half-open IKE SAs", n->name, w->halves.used);
}

/* ---- both ends */

static const struct ike_sa *
ike_far(const struct sim *s, const struct node *n, const struct ike_sa *ike,
    const struct node **at)
{
	const struct slot	*sl;
	const struct ike_sa	*o;
	int			 i;

	for (i = 0; i < s->nnodes; i++) {
		if (s->n[i] == n || s->n[i]->e == NULL)
			continue;
		sl = slot_find(&s->n[i]->e->w, ike->c.initiator ? ike->c.spir : ike->c.spii);
		if (sl == NULL || sl->half ||
		    (o = ike_get(&s->n[i]->e->w, sl->owner)) == NULL ||
		    o->c.spii != ike->c.spii || o->c.spir != ike->c.spir)
			continue;
		*at = s->n[i];
		return (o);
	}
	return (NULL);
}

/* It wishes nothing and waits for nothing: what it has it believes the peer to have. */
static int
ike_calm(const struct world *w, const struct ike_sa *ike)
{
	const struct child_sa	*c;
	said			 id;

	if (ike->state != IKE_UP || ike->req.msg != NULL || ike->pend != NULL ||
	    job_get(w, ike->job) != NULL || ike->want_delete || ike->want_check ||
	    ike->doubtful || ike->orphan_spi != 0 || ike->dirty)
		return (0);
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->state != CHILD_UP || c->want_delete || c->nwait > 0)
			return (0);
	return (1);
}

static void
compare(struct sim *s, struct node *n, const struct ike_sa *ike, const struct node *on,
    const struct ike_sa *o)
{
	const struct child_sa	*c, *x;
	said			 id;

	for (id = ike->children; (c = child_get(&n->e->w, id)) != NULL; id = c->next[L_IKE]) {
		x = child_byspi(&on->e->w, c->spi_out);
		if (x == NULL || x->ike != o->id || x->spi_out != c->spi_in)
			sim_wrong(s, "%s has Child 0x%08x/0x%08x and %s does not, and nobody "
			    "knows", n->name, c->spi_in, c->spi_out, on->name);
	}
}

static void
compare_node(struct sim *s, struct node *n)
{
	const struct world	*w = &n->e->w;
	const struct ike_sa	*ike, *o;
	const struct node	*on = NULL;
	uint32_t		 at;

	for (at = 0; (ike = slab_walk(&w->ikes, &at, NULL)) != NULL;) {
		if (!ike_calm(w, ike))
			continue;
		if ((o = ike_far(s, n, ike, &on)) == NULL) {
			if (!armed(s, &ike->life, IDLE_MS))
				sim_wrong(s, "%s: an IKE SA the peer does not have is not "
				    "looked at for long", n->name);
		} else if (ike_calm(&on->e->w, o))
			compare(s, n, ike, on, o);
	}
}

void
invariant_agree(struct sim *s)
{
	int	i;

	for (i = 0; i < s->nnodes; i++)
		if (s->n[i]->e != NULL && mono_before(s->now, s->n[i]->asleep))
			return;
	for (i = 0; i < s->nnodes; i++)
		if (s->n[i]->e != NULL)
			compare_node(s, s->n[i]);
}

void
invariant_after(struct sim *s)
{
	struct node	*n = s->inv->hot;

	s->inv->hot = NULL;
	if (n != NULL && n->e != NULL) {
		check_trust(s, n);
		check_deadlines(s, n);
		check_kernel(s, n);
	}
	if (s->flying == 0 && s->asked == 0 && mono_reached(s->inv->compared, s->now)) {
		s->inv->compared = mono_add_us(s->now, OFTEN_US);
		invariant_agree(s);
	}
}
