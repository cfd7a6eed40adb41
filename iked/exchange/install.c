/* SPDX-License-Identifier: ISC */
/*
 * A Child in the kernel: both directions are added, asked about, moved with the peer's NAT
 * and deleted here, and what the kernel answers is taken.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

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

uint8_t
child_away(const struct world *w, const struct child_sa *c)
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
	q.moved = child_away(w, c);
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
int
child_install(struct world *w, struct child_sa *c, const struct child_keys *k, int later)
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

/* The reply to the old one's DELETE may wait for it, on another IKE SA. */
static void
touch_old(struct world *w, const struct child_sa *c)
{
	const struct child_sa	*old = child_get(w, c->replaces);
	struct ike_sa		*ike;

	if (old != NULL && old->ike != c->ike && (ike = ike_get(w, old->ike)) != NULL)
		touch_ike(w, ike);
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
		child_remove(w, c, WHY_CONFIG, "the configuration changed");
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
	tunnel_error(w, c->tunnel, WHY_KERNEL_REFUSES,
	    "the kernel refuses the SA: %s%s%s",
	    strerror(err), what[0] != '\0' ? ": " : "", what);
	log_fault(w->log, WHY_KERNEL_REFUSES,
	    "tunnel \"%s\": the kernel refuses the SA: %s%s%s",
	    tunnel_conf(w, c->tunnel)->name, strerror(err),
	    what[0] != '\0' ? ": " : "", what);
	child_remove(w, c, WHY_NONE, NULL);
}

void
child_added(struct world *w, struct child_sa *c, enum job_kind kind, int err,
    const char *what)
{
	struct ike_sa	*ike = ike_get(w, c->ike);

	if (c->nwait > 0)
		c->nwait--;
	touch_old(w, c);
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
		tunnel_hold(w, c->tunnel, WHY_KERNEL_REFUSES,
		    "the kernel refuses the SA: %s%s%s",
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
			child_remove(w, c, WHY_NONE, NULL);
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
