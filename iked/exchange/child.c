/* SPDX-License-Identifier: ISC */
/*
 * Making a Child SA, whichever exchange asks for it (RFC 7296 1.3, 2.9, 2.17): choose
 * or check proposal and selectors, derive keys, hand both directions to the
 * kernel, and take what it answers.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define MARGIN_RTTS	8	/* before a Child's end: a rekey, a few times */

/* Of the exchange's initiator come TSi and KEYMAT's first half. */
static uint16_t
encr_keylen(const struct suite *s)
{
	const struct xform_info	*xi = xform_info(XF_ENCR, s->encr, s->encr_keybits);

	return (xi == NULL ? 0 : xi->keylen);
}

static uint16_t
integ_keylen(const struct suite *s)
{
	const struct xform_info	*xi;

	if (s->integ == INTEG_NONE)
		return (0);
	xi = xform_info(XF_INTEG, s->integ, 0);
	return (xi == NULL ? 0 : xi->keylen);
}

/* The tunnel's `peer' is another address: it has moved from there (RFC 4555). */
static uint8_t
is_away(const struct world *w, const struct child_sa *c)
{
	const struct addr	*a;

	if (c->tunnel == NO_INDEX || w->conf == NULL)
		return (0);
	a = &peer_conf(w, w->tunnels[c->tunnel].peer)->remote;
	return (!addr_is_any(a) && addr_cmp(a, &c->remote.addr) != 0);
}

static void
kernel_ask(struct world *w, const struct child_sa *c, enum kernel_op op,
    const struct kern_sa *sa, uint64_t token, int with_ts)
{
	struct kernel_req	q;

	memset(&q, 0, sizeof(q));
	q.token = token;
	q.gen = w->conf != NULL ? w->conf->gen : 0;
	q.tunnel = c->tunnel;
	q.op = op;
	q.sa = *sa;
	if (with_ts)
		child_get_ts(c, &q.tsl, &q.tsr);
	q.moved = is_away(w, c);
	w->fx.kernel(w->fx.arg, &q);
	explicit_bzero(&q.sa, sizeof(q.sa));
}

/* Endpoints and ports of one direction. */
static void
sa_ends(const struct child_sa *c, enum kern_dir dir, struct kern_sa *sa)
{
	const struct endpoint	*src = dir == KERN_IN ? &c->remote : &c->local;
	const struct endpoint	*dst = dir == KERN_IN ? &c->local : &c->remote;

	sa->dir = dir;
	sa->proto = PROTO_ESP;
	sa->transport = c->transport;
	sa->spi = dir == KERN_IN ? c->spi_in : c->spi_out;
	sa->src = src->addr;
	sa->dst = dst->addr;
	sa->encap_sport = c->encap ? src->port : 0;
	sa->encap_dport = c->encap ? dst->port : 0;
}

static void
sa_fill(const struct world *w, const struct child_sa *c, enum kern_dir dir,
    const struct child_keys *k, struct kern_sa *sa)
{
	const struct conf_tunnel	*t = tunnel_conf(w, c->tunnel);
	/* our sending direction is the exchange initiator's if we were that */
	int				 i = (dir == KERN_OUT) == (c->initiated != 0);

	memset(sa, 0, sizeof(*sa));
	sa_ends(c, dir, sa);
	sa->encr = c->suite.encr;
	sa->encr_keybits = c->suite.encr_keybits;
	sa->integ = c->suite.integ;
	sa->encr_keylen = encr_keylen(&c->suite);
	sa->integ_keylen = integ_keylen(&c->suite);
	memcpy(sa->encr_key, i ? k->encr_i : k->encr_r, sa->encr_keylen);
	memcpy(sa->integ_key, i ? k->integ_i : k->integ_r, sa->integ_keylen);
	sa->esn = c->suite.sn == SN_ESN;
	sa->replay = w->caps.replay_max != 0 && w->caps.replay_max < 128 ?
	    w->caps.replay_max : 128;
	/* rekeying and the end are timed here; the kernel only ends what was forgotten.  What
	 * the peer has sent before it heard of the end is on its way until it has answered
	 * our DELETE (1.4.1), so inbound is not cut off in the middle of that */
	sa->life.hard_secs = t->lifetime != 0 ? t->lifetime : CHILD_LIFETIME;
	if (dir == KERN_IN)
		sa->life.hard_secs += LATE_S;
	sa->life.hard_bytes = t->lifebytes;
	sa->life.soft_bytes = t->lifebytes - t->lifebytes / 5;
}

static int
add_sa(struct world *w, struct child_sa *c, const struct kern_sa *sa)
{
	struct job	*j;
	int		 in = sa->dir == KERN_IN;

	if ((j = job_new(w, in ? J_ADD_IN : J_ADD_OUT, c->id, 0)) == NULL)
		return (-1);
	c->nwait++;
	if (in)
		c->in_there = 1;
	else
		c->out_there = 1;
	kernel_ask(w, c, KREQ_SA_ADD, sa, j->token, 1);
	return (0);
}

static struct kern_sa *
sa_copy(const struct kern_sa *sa)
{
	struct kern_sa	*p;

	if ((p = malloc(sizeof(*p))) != NULL)
		*p = *sa;
	return (p);
}

/* For a peer whose NAT may move it to another port, the keys stay here too: the
 * kernels want them again with an UPDATE. */
static int
install(struct world *w, struct child_sa *c, const struct child_keys *k, int later)
{
	struct kern_sa	in, out;
	int		r = -1;

	sa_fill(w, c, KERN_IN, k, &in);
	sa_fill(w, c, KERN_OUT, k, &out);
	if (c->encap && ((c->keep[0] = sa_copy(&in)) == NULL ||
	    (c->keep[1] = sa_copy(&out)) == NULL))
		goto done;
	if (later && (c->out_later = sa_copy(&out)) == NULL)
		goto done;
	if (add_sa(w, c, &in) == -1 || (!later && add_sa(w, c, &out) == -1))
		goto done;
	r = 0;
done:
	explicit_bzero(&in, sizeof(in));
	explicit_bzero(&out, sizeof(out));
	return (r);
}

/* What is left of its life when it is rekeyed at the latest.  Over a long way a tenth of a
 * short life would not do for a refusal (2.25) and another try, or for other requests that
 * have the window. */
static int64_t
margin(const struct world *w, const struct child_sa *c, int64_t ms)
{
	const struct ike_sa	*ike = ike_get(w, c->ike);
	int64_t			 far = ike != NULL ? MARGIN_RTTS * (int64_t)ike->c.rtt_ms : 0;

	if (far > ms / 2)
		far = ms / 2;
	return (far > ms / 10 ? far : ms / 10);
}

static void
set_life(struct world *w, struct child_sa *c)
{
	const struct conf_tunnel	*t = tunnel_conf(w, c->tunnel);
	int64_t				 ms;

	ms = (int64_t)(t->lifetime != 0 ? t->lifetime : CHILD_LIFETIME) * 1000;
	c->expire_at = mono_add_ms(w->now, ms);
	/* between 72 and 90 % of it; the one who did not ask comes later, so
	 * that both rarely rekey at once */
	c->rekey_at = mono_add_ms(w->now, world_jitter(w, ms - margin(w, c, ms),
	    c->initiated ? 20 : 5));
	c->next_poll = mono_together(mono_add_ms(w->now, 500), POLL_GROUP_MS);
	timer_set(&w->timers, &c->timer, c->next_poll);
}

struct child_sa *
child_make(struct world *w, struct ike_sa *ike, const struct child_make *a)
{
	struct child_sa		*c;
	struct child_keys	 k;
	int			 r;

	if ((c = child_new(w, ike, a->tunnel, a->spi_in)) == NULL)
		return (NULL);
	child_set_out(w, c, a->spi_out);
	c->suite = a->suite;
	c->initiated = a->initiated;
	c->transport = a->transport;
	c->replaces = a->replaces;
	memset(&k, 0, sizeof(k));
	r = child_set_ts(c, a->l, a->r);
	if (r == 0)
		r = child_keys_derive(w->crypto, &ike->c.keys, &a->suite, a->secret,
		    a->ni, a->nr, &k);
	if (r == 0)
		r = install(w, c, &k, a->later);
	crypto_wipe(&k, sizeof(k));
	if (r == -1) {
		child_remove(w, c, NULL);
		return (NULL);
	}
	set_life(w, c);
	return (c);
}

void
child_kernel_delete(struct world *w, struct child_sa *c, enum kern_dir dir)
{
	struct kern_sa	 sa;
	struct job	*j;

	if (dir == KERN_IN ? !c->in_there : !c->out_there)
		return;
	if (dir == KERN_IN)
		c->in_there = 0;
	else
		c->out_there = 0;
	/* without a token the answer would look like somebody else's */
	j = job_new(w, J_FORGET, 0, 0);
	memset(&sa, 0, sizeof(sa));
	sa_ends(c, dir, &sa);
	/* it has to go even where memory is short */
	kernel_ask(w, c, KREQ_SA_DELETE, &sa, j != NULL ? j->token : TOKEN_NOBODY, 0);
}

void
child_query(struct world *w, struct child_sa *c, uint64_t user)
{
	struct kern_sa	 sa;
	struct job	*j;

	if ((j = job_new(w, J_QUERY_IN, c->id, 0)) == NULL)
		return;
	j->user = user;
	c->polling = 1;
	memset(&sa, 0, sizeof(sa));
	sa_ends(c, KERN_IN, &sa);
	kernel_ask(w, c, KREQ_SA_QUERY, &sa, j->token, 0);
	if (!c->out_there || (j = job_new(w, J_QUERY_OUT, c->id, 0)) == NULL)
		return;
	j->user = user;
	sa_ends(c, KERN_OUT, &sa);
	kernel_ask(w, c, KREQ_SA_QUERY, &sa, j->token, 0);
}

/* Its answers went to another engine: whether the SAs were added is asked, and taken as
 * the answer. */
void
child_ask_again(struct world *w, struct child_sa *c)
{
	struct kern_sa	 sa;
	struct job	*j;
	int		 i;

	memset(&sa, 0, sizeof(sa));
	for (i = 0; i < 2; i++) {
		if (i == 0 ? !c->in_there : !c->out_there)
			continue;
		j = job_new(w, i == 0 ? J_ADD_IN : J_ADD_OUT, c->id, 0);
		if (j == NULL) {
			c->want_delete = 1;
			return;
		}
		c->nwait++;
		sa_ends(c, i == 0 ? KERN_IN : KERN_OUT, &sa);
		kernel_ask(w, c, KREQ_SA_QUERY, &sa, j->token, 0);
	}
}

void
child_fill_sa(const struct child_sa *c, enum kern_dir dir, struct kern_sa *sa)
{
	sa_ends(c, dir, sa);
}

/*
 * The peer's NAT has moved it.  Another port is an UPDATE, which keeps the sequence numbers.  An SA's addresses are
 * its name, and cannot be updated; added again its key would count from 1 once more,
 * for the peer's replay window to drop and for the nonces to repeat.  So the SAs go, and
 * a successor with keys of its own is made on the IKE SA, which has moved already.
 */
static void
start_over(struct world *w, struct child_sa *c)
{
	child_kernel_delete(w, c, KERN_OUT);
	child_kernel_delete(w, c, KERN_IN);
	child_forget_keys(c);
	c->want_rekey = 1;
	/* it does not stay when nothing comes of that */
	c->expire_at = mono_add_ms(w->now, MOVED_MS);
	timer_set(&w->timers, &c->timer, c->expire_at);
}

void
child_follow(struct world *w, struct child_sa *c, const struct endpoint *remote)
{
	struct job	*j;
	int		 i;

	if (!c->encap || c->state == CHILD_LINGERING ||
	    endpoint_cmp(&c->remote, remote) == 0)
		return;
	if (addr_cmp(&c->remote.addr, &remote->addr) != 0) {
		start_over(w, c);
		return;
	}
	c->remote = *remote;
	for (i = 0; i < 2; i++) {
		if (c->keep[i] == NULL || (i == 1 && c->out_later != NULL))
			continue;
		sa_ends(c, i == 0 ? KERN_IN : KERN_OUT, c->keep[i]);
		if ((j = job_new(w, J_FORGET, 0, 0)) != NULL)
			kernel_ask(w, c, KREQ_SA_UPDATE, c->keep[i], j->token, 1);
	}
	if (c->out_later != NULL)
		sa_ends(c, KERN_OUT, c->out_later);
}

int
child_elsewhere(const struct child_sa *c, const struct ike_core *k)
{
	return (addr_cmp(&c->local.addr, &k->local.addr) != 0 ||
	    addr_cmp(&c->remote.addr, &k->remote.addr) != 0 || c->encap != k->encap);
}

/*
 * With MOBIKE both sides know of the move, and the old SAs stay until the successor
 * is there: what is still on its way arrives, and a peer that has moved its own SAs
 * as they are is heard.
 */
void
child_moved(struct world *w, struct child_sa *c, struct ike_sa *ike, int64_t ms)
{
	monotime	t = mono_add_ms(w->now, ms);

	if (c->tunnel == NO_INDEX || c->state == CHILD_DELETING ||
	    c->state == CHILD_REKEYED || c->state == CHILD_LINGERING ||
	    c->want_delete)
		return;
	if (!child_elsewhere(c, &ike->c)) {
		child_follow(w, c, &ike->c.remote);
		return;
	}
	c->quiet_until = MONO_NONE;
	/* it does not stay when nothing comes of that */
	c->expire_at = mono_add_ms(w->now, 3 * MOVED_MS);
	if (ms == 0) {
		c->want_rekey = 1;
		touch_ike(w, ike);
		return;
	}
	c->rekey_at = t;
	if (c->timer.pos == 0 || mono_before(t, c->timer.when))
		timer_set(&w->timers, &c->timer, t);
}

void
child_out_now(struct world *w, struct child_sa *c)
{
	struct kern_sa		*sa = c->out_later;
	const struct ike_sa	*ike;

	if (sa == NULL || c->redundant)
		return;
	/* nobody is sent what he may not have asked for (RFC 4555 3.7) */
	if ((ike = ike_get(w, c->ike)) != NULL && ike->mob.unverified)
		return;
	c->out_later = NULL;
	if (add_sa(w, c, sa) == -1) {
		c->want_delete = 1;
		touch_tunnel(w, c->tunnel);
	}
	explicit_bzero(sa, sizeof(*sa));
	free(sa);
}

/*
 * The peer has not shown that it has the new SA: our answer may still be on its way.  As
 * long as the old SA carries our packets they go on there (2.8), but not for longer than
 * the peer waits for an answer.
 */
void
child_out_due(struct world *w, struct child_sa *c)
{
	const struct child_sa	*old = child_live(w, c->replaces);

	if (old != NULL && old->out_there && mono_before(w->now,
	    mono_add_ms(c->born, OUT_LATEST_MS)))
		c->out_at = mono_add_ms(w->now, OUT_LATER_MS);
	else
		child_out_now(w, c);
}

/* We delete it.  Unless another one carries our traffic by now, one that waits for
 * the peer does. */
void
child_relieve(struct world *w, const struct child_sa *c)
{
	struct child_sa	*x, *next = NULL;
	struct tslist	 l, r, xl, xr;
	said		 id;

	child_get_ts(c, &l, &r);
	for (id = c->tunnel != NO_INDEX ? w->tunnels[c->tunnel].children : 0;
	    (x = child_get(w, id)) != NULL; id = x->next[L_TUNNEL]) {
		child_get_ts(x, &xl, &xr);
		if (x == c || x->want_delete || x->redundant ||
		    x->state == CHILD_DELETING || x->state == CHILD_LINGERING ||
		    !tslist_equal(&l, &xl) || !tslist_equal(&r, &xr))
			continue;
		if (x->out_there)
			return;
		if (next == NULL && x->out_later != NULL)
			next = x;
	}
	if (next != NULL)
		child_out_now(w, next);
}

/* The peer deletes it: whatever replaces it must carry our traffic now. */
said
child_hand_over(struct world *w, const struct child_sa *c)
{
	const said	 ids[2] = { c->theirs, c->mine };
	struct child_sa	*n;
	said		 id = 0;
	int		 i;

	for (i = 0; i < 2; i++)
		if ((n = child_live(w, ids[i])) != NULL && n->out_later != NULL) {
			child_out_now(w, n);
			id = n->id;
		}
	return (id);
}

/*
 * Both sides know that it is deleted.  Packets may still be on their way that left
 * before; where they have been overtaken by the DELETE or its answer, they are
 * taken for a moment, if another Child carries the tunnel from now on.
 */
void
child_gone(struct world *w, struct child_sa *c, const char *why)
{
	struct ike_sa		*ike = ike_get(w, c->ike);
	enum child_state	 s = c->state;
	int64_t			 ms = LINGER_MS;

	c->state = CHILD_LINGERING;
	if (s == CHILD_INSTALLING || !c->in_there || c->tunnel == NO_INDEX ||
	    ike == NULL || child_of_tunnel(w, c->tunnel) == NULL) {
		c->state = s;
		child_remove(w, c, why);
		return;
	}
	child_kernel_delete(w, c, KERN_OUT);
	child_forget_keys(c);
	c->want_delete = c->want_rekey = 0;
	ms += 2 * (int64_t)ike->c.rtt_ms;
	c->expire_at = mono_add_ms(w->now, ms > LAST_MS ? LAST_MS : ms);
	timer_set(&w->timers, &c->timer, c->expire_at);
	touch_tunnel(w, c->tunnel);
	touch_ike(w, ike);
}

/* The reply of a responder that waited for the kernel. */
static void
reply_ready(struct world *w, struct ike_sa *ike)
{
	ike->pend->child = 0;
	if (ike->state == IKE_FINISHING)
		auth_kernel_ready(w, ike);
	else
		reply_finish(w, ike);
}

void
reply_without_child(struct world *w, struct ike_sa *ike)
{
	struct pend	*p = ike->pend;

	reply_rewind(p);
	/* our trouble, not the peer's: it may try again (2.25) */
	wire_put_notify(&p->enc, PROTO_NONE, 0, 0, ike->state == IKE_FINISHING ?
	    N_NO_PROPOSAL_CHOSEN : N_TEMPORARY_FAILURE, NULL, 0);
	reply_ready(w, ike);
}

/* 1: the peer's request for it is still unanswered. */
static int
answering(const struct child_sa *c, const struct ike_sa *ike)
{
	return (ike != NULL && ike->pend != NULL && ike->pend->child == c->id);
}

void
child_abandon(struct world *w, struct child_sa *c)
{
	if (answering(c, ike_get(w, c->ike)) || c->state == CHILD_LINGERING) {
		child_remove(w, c, "the configuration changed");
		return;
	}
	child_kernel_delete(w, c, KERN_OUT);
	child_kernel_delete(w, c, KERN_IN);
	/* nor is anything added for a tunnel that is no more */
	child_forget_keys(c);
	c->want_delete = 1;
}

static void
kernel_refuses(struct world *w, struct child_sa *c, int err, const char *what)
{
	tunnel_error(w, c->tunnel, "the kernel refuses the SA: %s%s%s",
	    strerror(err), what[0] != '\0' ? ": " : "", what);
	log_warnx(w->log, "tunnel \"%s\": the kernel refuses the SA: %s%s%s",
	    tunnel_conf(w, c->tunnel)->name, strerror(err),
	    what[0] != '\0' ? ": " : "", what);
	child_remove(w, c, NULL);
}

void
child_added(struct world *w, struct child_sa *c, enum job_kind kind, int err,
    const char *what)
{
	struct ike_sa	*ike = ike_get(w, c->ike);

	if (c->nwait > 0)
		c->nwait--;
	if (c->tunnel == NO_INDEX)
		return;		/* a reload took its tunnel away */
	if (err != 0) {
		/* no answer is not a no: what may be there is deleted */
		if (err != ETIMEDOUT) {
			if (kind == J_ADD_IN)
				c->in_there = 0;
			else
				c->out_there = 0;
		}
		if (answering(c, ike)) {
			kernel_refuses(w, c, err, what);
			return;
		}
		tunnel_hold(w, c->tunnel, "the kernel refuses the SA: %s%s%s",
		    strerror(err), what[0] != '\0' ? ": " : "", what);
		c->want_delete = 1;
		if (ike != NULL)
			touch_ike(w, ike);
		return;
	}
	if (c->nwait > 0)
		return;
	if (c->state != CHILD_INSTALLING || c->want_delete) {
		/* down, or the IKE SA goes: the peer has its answer first */
		if (answering(c, ike))
			child_remove(w, c, NULL);
		else if (ike != NULL)
			touch_ike(w, ike);
		return;
	}
	c->state = CHILD_UP;
	if (c->out_later != NULL) {
		c->out_at = mono_add_ms(w->now, OUT_LATER_MS);
		timer_set(&w->timers, &c->timer, mono_add_ms(w->now, 200));
	}
	touch_tunnel(w, c->tunnel);
	if (answering(c, ike))
		reply_ready(w, ike);
	else if (c->initiated && c->replaces != 0)
		rekey_child_done(w, c);
	if (ike != NULL)
		touch_ike(w, ike);
}

/* ---- responder */

static void
refuse_esp(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, const struct proposals *ours)
{
	const struct conf_tunnel	*t = tunnel_conf(w, tunnel);
	char				 a[ADDR_STRLEN], theirs[300], mine[300];

	addr_str(&ike->c.remote.addr, a);
	(void)proposals_str(&m->sa, theirs, sizeof(theirs));
	(void)proposals_str(ours->n > 0 ? ours : t->esp, mine, sizeof(mine));
	log_info(w->log, "peer %s: NO_PROPOSAL_CHOSEN for the Child SA: it offers %s; "
	    "\"childsa\" of tunnel \"%s\" %s, %s", a, theirs, t->name, ours->n > 0 ?
	    "wants, and the kernel can" : "wants, but the kernel cannot", mine);
}

static int
put_error(struct ike_sa *ike, uint16_t type, const void *data, size_t len)
{
	reply_rewind(ike->pend);
	ike->pend->fatal = type == N_INVALID_SYNTAX;
	wire_put_notify(&ike->pend->enc, PROTO_NONE, 0, 0, type, data, len);
	return (0);
}

/* PFS: our half of it. The secret, or -1. */
static int
respond_ke(struct world *w, const struct wire_msg *m, uint16_t group,
    struct ke **kep, uint8_t secret[KE_MAXSECRET], size_t *n)
{
	*n = KE_MAXSECRET;
	if ((*kep = offer_ke(w, group)) == NULL)
		return (-1);
	return (ke_derive(w->crypto, *kep, m->ke, secret, n));
}

static int
respond_make(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    struct child_make *a, struct proposal *chosen, int first)
{
	struct pend	*p = ike->pend;
	struct ke	*ke = NULL;
	struct child_sa	*c;
	uint8_t		 secret[KE_MAXSECRET];
	size_t		 n = 0;
	int		 bad = 0;

	if (a->suite.ke != KE_NONE)
		bad = respond_ke(w, m, a->suite.ke, &ke, secret, &n) == -1;
	if (bad) {
		ke_free(ke);
		return (put_error(ike, N_INVALID_SYNTAX, NULL, 0));
	}
	a->secret.p = secret;
	a->secret.len = n;
	c = child_make(w, ike, a);
	crypto_wipe(secret, sizeof(secret));
	if (c == NULL) {
		ke_free(ke);
		return (put_error(ike, N_TEMPORARY_FAILURE, NULL, 0));
	}
	chosen->spi = a->spi_in;
	if (first)
		address_reply(w, ike, m, a->tunnel, &p->enc);
	child_put_notifies(&p->enc, a->transport);
	if (a->more)
		wire_put_notify(&p->enc, PROTO_NONE, 0, 0, N_ADDITIONAL_TS_POSSIBLE, NULL, 0);
	wire_put_sa1(&p->enc, chosen);
	if (!first)
		wire_put_nonce(&p->enc, a->nr.p, a->nr.len);
	if (ke != NULL)
		wire_put_ke(&p->enc, a->suite.ke, ke_public(ke).p, ke_public(ke).len);
	wire_put_ts(&p->enc, P_TSI, a->r);
	wire_put_ts(&p->enc, P_TSR, a->l);
	ke_free(ke);
	p->child = c->id;
	return (1);
}

/* Where we give the peer its address, its selectors are that one (2.19); where it gave us
 * ours, ours are.  0, or the error to answer. */
static uint16_t
leased_only(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, struct tslist *l, struct tslist *r)
{
	uint8_t		 dyn = tunnel_conf(w, tunnel)->dyn;
	struct tslist	 lease;
	uint16_t	 err;

	if (dyn == DYN_NO)
		return (0);
	if (dyn == DYN_TO && (err = address_give(w, ike, m, tunnel)) != 0)
		return (err);
	lease_ts(ike, &lease);
	if (ike->leased != tunnel + 1 || tslist_narrow(dyn == DYN_TO ? &m->tsi : &m->tsr,
	    &lease, dyn == DYN_TO ? r : l) == 0)
		return (child_refuse_ts(w, ike, m, tunnel, N_TS_UNACCEPTABLE));
	return (0);
}

void
child_put_notifies(struct wire_enc *e, int transport)
{
	if (transport)
		wire_put_notify(e, PROTO_NONE, 0, 0, N_USE_TRANSPORT_MODE, NULL, 0);
	/* no kernel of ours is known to take padding past the packet (RFC 4303 2.7) */
	wire_put_notify(e, PROTO_NONE, 0, 0, N_ESP_TFC_PADDING_NOT_SUPPORTED, NULL, 0);
}

/*
 * The mode (1.3.1).  What the peer does not ask for it cannot be made to do; what we do
 * not want we do not echo, and it may then delete the Child.  Our policies say one mode:
 * a tunnel of transport does with nothing else.  NON_FIRST_FRAGMENTS_ALSO and
 * IPCOMP_SUPPORTED are declined by saying nothing.  1, or 0: refused, and said so.
 */
static int
mode_agreed(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    const struct conf_tunnel *t)
{
	int	asks = wire_notify(m, N_USE_TRANSPORT_MODE) != NULL;
	char	a[ADDR_STRLEN];

	addr_str(&ike->c.remote.addr, a);
	if (!t->transport) {
		if (asks)
			log_info(w->log, "peer %s asks for transport, tunnel \"%s\" says "
			    "tunnel, which it gets and may refuse: make them equal", a,
			    t->name);
		return (1);
	}
	if (!asks)
		log_info(w->log, "peer %s: NO_PROPOSAL_CHOSEN: it wants tunnel mode, "
		    "tunnel \"%s\" says transport: make them equal", a, t->name);
	else if (child_natted(&ike->c))
		log_info(w->log, "peer %s: NO_PROPOSAL_CHOSEN: tunnel \"%s\" says "
		    "transport, which does not work through NAT: write tunnel on both "
		    "sides", a, t->name);
	else
		return (1);
	return (0);
}

int
child_respond(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    struct span ni, struct span nr, struct child_sa *old, int first)
{
	struct proposals	 ours;
	struct proposal		 chosen;
	struct child_make	 a;
	struct tslist		 l, r;
	struct wbuf		 b;
	uint8_t			 group[2];
	uint16_t		 err;

	memset(&a, 0, sizeof(a));
	if ((err = child_take_ts(w, ike, m, old, &a.tunnel, &l, &r, &a.more)) != 0)
		return (put_error(ike, err, NULL, 0));
	if (w->stopping)
		return (put_error(ike, N_NO_ADDITIONAL_SAS, NULL, 0));
	if ((err = leased_only(w, ike, m, a.tunnel, &l, &r)) != 0)
		return (put_error(ike, err, NULL, 0));
	if (offer_esp(w, a.tunnel, 0, !first, &ours) == -1 ||
	    proposal_choose(&m->sa, &ours, m->ke_group, first ? PROP_IGNORE_KE : 0,
	    &chosen, &a.suite) == -1 || !kern_can(&w->caps, a.suite.encr,
	    a.suite.encr_keybits, a.suite.integ)) {
		refuse_esp(w, ike, m, a.tunnel, &ours);
		return (put_error(ike, N_NO_PROPOSAL_CHOSEN, NULL, 0));
	}
	if (a.suite.ke != KE_NONE && ((m->has & WIRE_HAS(P_KE)) == 0 ||
	    m->ke_group != a.suite.ke)) {
		wbuf_init(&b, group, sizeof(group));
		wbuf_u16(&b, a.suite.ke);
		return (put_error(ike, N_INVALID_KE_PAYLOAD, group, sizeof(group)));
	}
	if (!mode_agreed(w, ike, m, tunnel_conf(w, a.tunnel)))
		return (put_error(ike, N_NO_PROPOSAL_CHOSEN, NULL, 0));
	a.transport = tunnel_conf(w, a.tunnel)->transport;
	a.spi_in = child_spi_new(w);
	a.spi_out = (uint32_t)chosen.spi;
	/* where the old SAs are gone there is nothing to wait for */
	a.later = ike->mob.unverified ||
	    (old != NULL && old->in_there && !child_elsewhere(old, &ike->c));
	a.ni = ni;
	a.nr = nr;
	a.l = &l;
	a.r = &r;
	a.replaces = old != NULL ? old->id : 0;
	return (respond_make(w, ike, m, &a, &chosen, first));
}

/* ---- initiator */

int
child_natted(const struct ike_core *c)
{
	return (c->natt_local || c->natt_remote || c->natt_forced || c->encap);
}

/* What the peer says instead of a Child, with all that is known about why. */
void
child_refused(struct world *w, uint32_t tunnel, const struct nego *n,
    const struct wire_notify *e)
{
	char		l[120], r[120], mine[300], extra[340] = "";
	struct rbuf	b;
	uint16_t	group;

	if (e->type == N_NO_PROPOSAL_CHOSEN)
		(void)snprintf(extra, sizeof(extra), "; we offer %s",
		    proposals_str(&n->offered, mine, sizeof(mine)));
	else if (e->type == N_TS_UNACCEPTABLE || e->type == N_SINGLE_PAIR_REQUIRED)
		(void)snprintf(extra, sizeof(extra), "; we ask for from %s to %s",
		    tslist_str(&n->tsl, l, sizeof(l)), tslist_str(&n->tsr, r, sizeof(r)));
	else if (e->type == N_INVALID_KE_PAYLOAD) {
		rbuf_init(&b, e->data.p, e->data.len);
		group = rbuf_u16(&b);
		(void)snprintf(extra, sizeof(extra), ": it wants %s; we offer %s",
		    rbuf_ok(&b) ? xform_name(XF_KE, group, 0) : "no group we know",
		    proposals_str(&n->offered, mine, sizeof(mine)));
	}
	tunnel_hold(w, tunnel, "peer says %s for the Child SA%s",
	    wire_notify_name(e->type), extra);
}

static int
check_answer(struct world *w, const struct wire_msg *m, const struct nego *n,
    int first, struct suite *s, const char **why)
{
	const uint64_t	need = WIRE_HAS(P_SA) | WIRE_HAS(P_TSI) | WIRE_HAS(P_TSR) |
	    (first ? 0 : WIRE_HAS(P_NONCE));

	*why = "payloads are missing";
	if ((m->has & need) != need)
		return (-1);
	*why = "the proposal was not offered so";
	if (proposal_verify(&n->offered, &m->sa, s) == -1 ||
	    !kern_can(&w->caps, s->encr, s->encr_keybits, s->integ))
		return (-1);
	*why = "the key exchange does not fit the proposal";
	if (first ? s->ke != KE_NONE : s->ke != KE_NONE &&
	    (n->ke == NULL || (m->has & WIRE_HAS(P_KE)) == 0 ||
	    m->ke_group != s->ke || n->group != s->ke))
		return (-1);
	/* declined is tunnel mode, for which our policies are not (1.3.1) */
	*why = n->transport ? "it has declined transport mode: make it equal there, or "
	    "write tunnel" : "it wants transport mode: make it equal there, or write "
	    "transport";
	if ((wire_notify(m, N_USE_TRANSPORT_MODE) != NULL) != (n->transport != 0))
		return (-1);
	*why = "its traffic selectors are wider than ours";
	if (m->tsi_skipped || m->tsr_skipped || m->tsi.n == 0 || m->tsr.n == 0 ||
	    !tslist_within(&m->tsi, &n->tsl) || !tslist_within(&m->tsr, &n->tsr))
		return (-1);
	return (0);
}

struct child_sa *
child_accept(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    struct nego *n, uint32_t tunnel, struct span ni, struct span nr,
    struct child_sa *old, int first, const char **why)
{
	struct child_make	 a;
	struct child_sa		*c;
	uint8_t			 secret[KE_MAXSECRET];
	size_t			 len = sizeof(secret);

	memset(&a, 0, sizeof(a));
	if (check_answer(w, m, n, first, &a.suite, why) == -1)
		return (NULL);
	if (first && tunnel_conf(w, tunnel)->dyn == DYN_FROM &&
	    address_got(w, ike, m, tunnel, why) == -1)
		return (NULL);
	*why = "the peer has deleted it already";
	if (n->gone != 0 && n->gone == (uint32_t)m->sa.p[0].spi)
		return (NULL);
	if (a.suite.ke != KE_NONE) {
		*why = "the key exchange value is not acceptable";
		if (ke_derive(w->crypto, n->ke, m->ke, secret, &len) == -1) {
			/* who sends one has lost its way: RFC 6989 2.5 */
			ike->want_delete = 1;
			return (NULL);
		}
		a.secret.p = secret;
		a.secret.len = len;
	}
	a.tunnel = tunnel;
	a.transport = n->transport;
	a.spi_in = n->spi_in;
	a.spi_out = (uint32_t)m->sa.p[0].spi;
	a.initiated = 1;
	a.ni = ni;
	a.nr = nr;
	a.l = &m->tsi;
	a.r = &m->tsr;
	a.replaces = old != NULL ? old->id : 0;
	*why = "out of memory";
	c = child_make(w, ike, &a);
	crypto_wipe(secret, sizeof(secret));
	return (c);
}
