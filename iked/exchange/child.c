/* SPDX-License-Identifier: ISC */
/*
 * Making a Child SA, whichever exchange asks for it (RFC 7296 1.3, 2.9, 2.17): choose
 * or check proposal and selectors, and derive keys.  install.c hands both directions to the
 * kernel, handover.c moves the traffic there.
 */

#include <stdio.h>
#include <string.h>

#include "exchange/exchange.h"

#define MARGIN_RTTS	8	/* before a Child's end: a rekey, a few times */

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
	r = child_set_ts(w, c, a->l, a->r);
	if (r == 0)
		r = child_keys_derive(w->crypto, &ike->c.keys, &a->suite, a->secret,
		    a->ni, a->nr, &k);
	if (r == 0)
		r = child_install(w, c, &k, a->later);
	crypto_wipe(&k, sizeof(k));
	if (r == -1) {
		child_remove(w, c, WHY_NONE, NULL);
		return (NULL);
	}
	set_life(w, c);
	return (c);
}

/* ---- responder */

static void
refuse_esp(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, const struct proposals *ours)
{
	const struct conf_tunnel	*t = tunnel_conf(w, tunnel);
	char				 diff[200], theirs[300], mine[300];

	(void)proposals_str(&m->sa, theirs, sizeof(theirs));
	(void)proposals_str(ours->n > 0 ? ours : t->esp, mine, sizeof(mine));
	peer_refused(w, ike->c.peer, tunnel, &ike->c.remote.addr, ours->n > 0 ?
	    WHY_CHILD_PROPOSAL : WHY_KERNEL_LACKS, "NO_PROPOSAL_CHOSEN for the Child SA: "
	    "%s: it offers %s; our \"childsa\" wants, %s, %s", proposals_differ(&m->sa,
	    ours->n > 0 ? ours : t->esp, diff, sizeof(diff)), theirs, ours->n > 0 ?
	    "and the kernel can" : "but the kernel cannot", mine);
	/* where one carries traffic, that one gets no successor */
	if (child_of_tunnel(w, tunnel) != NULL)
		tunnel_error(w, tunnel, ours->n > 0 ? WHY_CHILD_PROPOSAL : WHY_KERNEL_LACKS,
		    "a new SA was refused to the peer: NO_PROPOSAL_CHOSEN: %s", diff);
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
	uint32_t tunnel = (uint32_t)(t - w->conf->tunnels);

	addr_str(&ike->c.remote.addr, a);
	if (!t->transport) {
		if (asks)
			log_event(w->log, WHY_MODE, "tunnel \"%s\", peer %s asks for "
			    "transport, and we say tunnel, which it gets and may refuse: "
			    "make them equal", t->name, a);
		return (1);
	}
	if (!asks)
		peer_refused(w, ike->c.peer, tunnel, &ike->c.remote.addr, WHY_MODE,
		    "NO_PROPOSAL_CHOSEN: it wants tunnel mode, we say transport: make "
		    "them equal");
	else if (child_natted(&ike->c))
		peer_refused(w, ike->c.peer, tunnel, &ike->c.remote.addr, WHY_MODE,
		    "NO_PROPOSAL_CHOSEN: transport, which does not work through NAT: "
		    "write tunnel on both sides");
	else
		return (1);
	return (0);
}

int
child_respond(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    struct span ni, struct span nr, struct child_sa *old, int first)
{
	UNFILLED struct proposals ours;
	struct proposal		 chosen;
	struct child_make	 a;
	UNFILLED struct tslist	 l, r;
	struct wbuf		 b;
	uint8_t			 group[2];
	uint16_t		 err;

	memset(&a, 0, sizeof(a));
	if ((err = child_take_ts(w, ike, m, old, &a.tunnel, &l, &r, &a.more)) != 0)
		return (put_error(ike, err, NULL, 0));
	if (old == NULL && !first)
		old = ike_twin_child(w, ike, a.tunnel, &l, &r);
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
	char		l[120], r[120], mine[300], extra[400] = "";
	struct rbuf	b;
	uint16_t	group;

	if (e->type == N_NO_PROPOSAL_CHOSEN)
		(void)snprintf(extra, sizeof(extra), ": \"childsa\" differs, or it says %s; we "
		    "offer %s", n->transport ? "tunnel and we transport" :
		    "transport and we tunnel", proposals_str(&n->offered, mine, sizeof(mine)));
	else if (e->type == N_INTERNAL_ADDRESS_FAILURE)
		(void)snprintf(extra, sizeof(extra), ": it has no address inside for us: all are "
		    "taken, or none was asked for");
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
	tunnel_hold(w, tunnel, e->type == N_NO_PROPOSAL_CHOSEN ? WHY_CHILD_PROPOSAL :
	    e->type == N_TS_UNACCEPTABLE ? WHY_SELECTORS : e->type ==
	    N_SINGLE_PAIR_REQUIRED ? WHY_SINGLE_PAIR : e->type == N_INVALID_KE_PAYLOAD ?
	    WHY_GROUP : e->type == N_INTERNAL_ADDRESS_FAILURE ? WHY_NO_ADDRESS :
	    WHY_PEER_ERROR, "peer says %s for the Child SA%s",
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
