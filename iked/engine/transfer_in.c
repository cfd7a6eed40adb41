/* SPDX-License-Identifier: ISC */
/*
 * Into an engine.  A record is read whole, then checked against the configuration and
 * the tables, then applied; until all of it stands, nothing is told to the kernel or the
 * peer, and what fails before is undone.
 */

#include <stdlib.h>
#include <string.h>

#include "engine/transfer.h"

#define SPREAD_MS	2000	/* questions to the kernel, and requests sent again */
#define RESEND_MS	100

/* ---- reading */

static void
moved_free(struct moved *m)
{
	if (m == NULL)
		return;
	if (m->child != NULL)
		crypto_wipe(m->child, m->nchildren * sizeof(*m->child));
	free(m->child);
	crypto_wipe(m, sizeof(*m));
	free(m);
}

static struct moved *
moved_read(monotime now, const uint8_t *p, size_t len, const char **why)
{
	struct rbuf	 r;
	struct codec	 k = { &r, NULL, now };
	struct moved	*m;
	uint16_t	 i;

	*why = "out of memory";
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	rbuf_init(&r, p, len);
	transfer_head(&k, m);
	*why = "the record is damaged, or of another version";
	if (len > ENGINE_RECORD_MAX || !rbuf_ok(&r) || m->nchildren > TRANSFER_CHILDREN) {
		m->nchildren = 0;
		moved_free(m);
		return (NULL);
	}
	if (m->nchildren > 0 &&
	    (m->child = calloc(m->nchildren, sizeof(*m->child))) == NULL) {
		*why = "out of memory";
		moved_free(m);
		return (NULL);
	}
	for (i = 0; i < m->nchildren && rbuf_ok(&r); i++)
		transfer_child(&k, &m->child[i]);
	if (!rbuf_ok(&r) || rbuf_left(&r) > 0) {
		moved_free(m);
		return (NULL);
	}
	return (m);
}

/* ---- checking */

static int
fits(const struct addr *want, const struct addr *is)
{
	return (addr_is_any(want) || addr_cmp(want, is) == 0);
}

static int
is_peer(const struct world *w, uint32_t p, const struct moved *m)
{
	const struct conf_peer	*cp = peer_conf(w, p);
	struct ident		 id;

	if (!fits(&cp->local, &m->i.c.local.addr) || !fits(&cp->remote, &m->i.c.remote.addr) ||
	    !offer_allows(cp->ike, &m->i.c.suite))
		return (0);
	peer_remote_id(w, p, &m->i.c.remote.addr, &id);
	return (!m->has_rid || cp->dstid.type == ID_NONE || ident_equal(&id, &m->rid));
}

/* By the name of one of its tunnels, else by who it was proved to be. */
static uint32_t
find_peer(const struct world *w, const struct moved *m)
{
	int32_t		t = tunnel_byname(w, m->anchor);
	uint32_t	p;

	if (t != -1 && is_peer(w, w->tunnels[t].peer, m))
		return (w->tunnels[t].peer);
	if (!m->has_rid)
		return (NO_INDEX);
	p = peer_byid(w, &m->i.c.local.addr, &m->i.c.remote.addr, &m->rid);
	return (p != NO_INDEX && is_peer(w, p, m) ? p : NO_INDEX);
}

/* What we would send is this SA's, and of that number. */
static int
is_message(const struct moved *m, const struct span *s, uint32_t msgid, int response)
{
	struct wire_hdr	h;

	return (wire_hdr_decode(s->p, s->len, &h) == 0 && h.major == 2 &&
	    h.spii == m->i.c.spii && h.spir == m->i.c.spir && h.msgid == msgid &&
	    ((h.flags & WIRE_F_RESPONSE) != 0) == response &&
	    ((h.flags & WIRE_F_INITIATOR) != 0) == m->i.c.initiator);
}

static int
has_exchange(const struct moved *m)
{
	switch (m->i.task) {
	case TASK_NONE:
		return (!m->has_req);
	case TASK_REKEY_IKE:
		return (m->has_req && m->has_nego && m->nego.spi != 0 &&
		    m->nego.group != KE_NONE);
	case TASK_REKEY_CHILD:
	case TASK_MOVE_CHILD:
	case TASK_CREATE:
		return (m->has_req && m->has_nego && m->nego.spi == 0);
	default:
		return (m->has_req);
	}
}

static const char *
check_ike(const struct world *w, const struct moved *m)
{
	const struct ike_core	*c = &m->i.c;

	if (c->spii == 0 || c->spir == 0 || c->local.addr.fam != c->remote.addr.fam ||
	    sk_len(&c->keys, 16) == 0)
		return ("the IKE SA's values do not fit each other");
	if (m->has_req && (!is_message(m, &m->req, m->i.req.msgid, 0) ||
	    m->i.req.msgid + 1 != m->i.msgid_out))
		return ("its request is not its own");
	if (m->has_resp && (!is_message(m, &m->resp, m->i.resp.msgid, 1) ||
	    m->i.resp.msgid + 1 != m->i.msgid_in))
		return ("its reply is not its own");
	if (!has_exchange(m))
		return ("its exchange is not whole");
	if (m->lease_tunnel[0] != '\0' && (!m->has_rid ||
	    tunnel_byname(w, m->lease_tunnel) == -1))
		return ("the tunnel of its address is not configured");
	if (m->has_req && m->task_tunnel[0] != '\0' &&
	    tunnel_byname(w, m->task_tunnel) == -1)
		return ("the tunnel it is about to make is not configured");
	return (NULL);
}

static const char *
check_child(const struct world *w, const struct moved *m, const struct moved_child *x,
    uint32_t peer)
{
	const struct child_sa		*c = &x->c;
	const struct xform_info		*e, *i;
	const struct conf_tunnel	*t;
	int32_t				 n = tunnel_byname(w, x->tunnel);

	if (n == -1 || w->tunnels[n].peer != peer)
		return ("a Child SA's tunnel is not configured for this peer");
	t = tunnel_conf(w, (uint32_t)n);
	if (!tslist_within(&x->l, &t->from) || !tslist_within(&x->r, &t->to))
		return ("a Child SA's selectors are not within its tunnel's");
	e = xform_info(XF_ENCR, c->suite.encr, c->suite.encr_keybits);
	i = xform_info(XF_INTEG, c->suite.integ, 0);
	if (e == NULL || i == NULL || (e->aead && c->suite.integ != INTEG_NONE) ||
	    !kern_can(&w->caps, c->suite.encr, c->suite.encr_keybits, c->suite.integ))
		return ("this kernel does not have a Child SA's algorithms");
	if (c->spi_in < 256 || c->spi_out < 256 || child_byspi(w, c->spi_in) != NULL ||
	    c->local.addr.fam != c->remote.addr.fam ||
	    (m->i.state == IKE_UP && c->in_there == 0 && c->out_there != 0))
		return ("a Child SA is there already, or its values do not fit each other");
	return (NULL);
}

/* Sorted would be faster; a record has a few. */
static int
spis_differ(const struct moved *m)
{
	uint16_t	i, k;

	for (i = 0; i < m->nchildren; i++)
		for (k = 0; k < i; k++)
			if (m->child[i].c.spi_in == m->child[k].c.spi_in)
				return (0);
	return (1);
}

static const char *
check(const struct world *w, const struct moved *m, uint32_t *peer)
{
	const char	*why;
	uint16_t	 i;

	if (w->conf == NULL || !w->has_caps || w->stopping)
		return ("this engine is not ready");
	if ((why = check_ike(w, m)) != NULL)
		return (why);
	if ((*peer = find_peer(w, m)) == NO_INDEX)
		return ("its peer is not in the configuration, or has changed");
	for (i = 0; i < m->nchildren; i++)
		if ((why = check_child(w, m, &m->child[i], *peer)) != NULL)
			return (why);
	return (spis_differ(m) ? NULL : "two Child SAs have one SPI");
}

/* ---- applying */

static int
copy(struct span s, uint8_t **p, uint32_t *len)
{
	if ((*p = malloc(s.len)) == NULL)
		return (-1);
	memcpy(*p, s.p, s.len);
	*len = (uint32_t)s.len;
	return (0);
}

static int
apply_nego(struct world *w, struct ike_sa *ike, const struct moved *m)
{
	const struct xform_info	*xi;
	struct nego		*n;

	if (!m->has_nego)
		return (0);
	if ((n = malloc(sizeof(*n))) == NULL)
		return (-1);
	*n = m->nego;
	n->ke = NULL;
	n->spi = 0;
	ike->nego = n;
	if (m->nego.spi != 0) {
		if (slot_take(w, m->nego.spi, &n->slot) == -1)
			return (-1);
		n->spi = m->nego.spi;
	}
	if (n->group == KE_NONE)
		return (0);
	xi = xform_info(XF_KE, n->group, 0);
	if (xi == NULL || xi->privlen > sizeof(n->priv))
		return (-1);
	n->ke = ke_new(w->crypto, n->group, n->priv, xi->privlen);
	return (n->ke != NULL ? 0 : -1);
}

static void
apply_scalars(struct ike_sa *ike, const struct ike_sa *i)
{
	ike->state = i->state;
	ike->since = i->since;
	ike->established = i->established;
	ike->last_in = i->last_in;
	ike->last_ok = i->last_ok;
	ike->last_data = i->last_data;
	ike->rekey_at = i->rekey_at;
	ike->expire_at = i->expire_at;
	ike->quiet_until = i->quiet_until;
	ike->check_by = i->check_by;
	ike->drop_at = i->drop_at;
	ike->twin_at = i->twin_at;
	ike->orphan_spi = i->orphan_spi;
	ike->idle_cut = i->idle_cut % 1000;
	ike->ntemp = i->ntemp;
	ike->want_check = i->want_check;
	ike->want_delete = i->want_delete;
	ike->want_rekey = i->want_rekey;
	ike->doubtful = i->doubtful;
	ike->unproven = i->unproven;
	ike->alone_at = i->alone_at;
	ike->temp_since = i->temp_since;
	memcpy(ike->low_theirs, i->low_theirs, sizeof(ike->low_theirs));
	ike->mob = i->mob;
	ike->mob.asked = 0;
	ike->msgid_out = i->msgid_out;
	ike->msgid_in = i->msgid_in;
	ike->task = i->task;
}

/* The same octets once more: the peer answers them with what it has answered before. */
static int
apply_messages(struct world *w, struct ike_sa *ike, const struct moved *m)
{
	struct outreq	*q = &ike->req;

	if (m->has_resp) {
		if (copy(m->resp, &ike->resp.msg, &ike->resp.len) == -1)
			return (-1);
		ike->resp.msgid = m->i.resp.msgid;
		ike->resp.again = m->i.resp.again;
	}
	if (!m->has_req)
		return (0);
	if (copy(m->req, &q->msg, &q->len) == -1)
		return (-1);
	q->msgid = m->i.req.msgid;
	q->interval_ms = m->i.req.interval_ms < RETRY_FIRST ||
	    m->i.req.interval_ms > RETRY_CAP ? RETRY_FIRST : m->i.req.interval_ms;
	q->tries = m->i.req.tries;
	q->first = m->i.req.first;
	q->giveup = m->i.req.giveup;
	timer_set(&w->timers, &q->timer, mono_add_ms(w->now,
	    world_uniform(w, RESEND_MS)));
	return (0);
}

/* Of a pool it has to be that very address; one that the peer has given is asked for again
 * with the next IKE SA. */
static int
apply_leases(struct world *w, struct ike_sa *ike, const struct moved *m)
{
	const struct addr	*a = m->i.lease;
	uint32_t		 t;
	int			 f;

	if (m->lease_tunnel[0] == '\0')
		return (0);
	t = (uint32_t)tunnel_byname(w, m->lease_tunnel);
	if (w->tunnels[t].peer != ike->c.peer)
		return (-1);
	if (tunnel_conf(w, t)->dyn == DYN_FROM) {
		ike->leased = t + 1;
		memcpy(ike->lease, a, sizeof(ike->lease));
		memcpy(w->tunnels[t].wish, a, sizeof(ike->lease));
		return (0);
	}
	for (f = 0; f < 2; f++)
		if (a[f].fam != ADDR_NONE && (lease_take(w, ike, t, a[f].fam, &a[f]) == -1 ||
		    addr_cmp(&ike->lease[f], &a[f]) != 0))
			return (-1);
	return (0);
}

static struct kern_sa *
sa_of(const struct child_sa *c, const struct moved_child *x, int i)
{
	struct kern_sa	*sa;

	if ((sa = malloc(sizeof(*sa))) == NULL)
		return (NULL);
	*sa = x->sa[i];
	child_fill_sa(c, i == 1 ? KERN_IN : KERN_OUT, sa);
	return (sa);
}

static void
child_scalars(struct child_sa *c, const struct child_sa *x)
{
	c->state = x->state;
	c->suite = x->suite;
	c->initiated = x->initiated;
	c->encap = x->encap;
	c->transport = x->transport;
	c->in_there = x->in_there;
	c->out_there = x->out_there;
	c->want_delete = x->want_delete;
	c->want_rekey = x->want_rekey;
	c->carried = x->carried;
	c->announced = x->announced;
	c->redundant = x->redundant;
	c->nfail = x->nfail;
	c->local = x->local;
	c->remote = x->remote;
	memcpy(c->low_mine, x->low_mine, sizeof(c->low_mine));
	memcpy(c->low_theirs, x->low_theirs, sizeof(c->low_theirs));
	c->born = x->born;
	c->rekey_at = x->rekey_at;
	c->expire_at = x->expire_at;
	c->out_at = x->out_at;
	c->drop_at = x->drop_at;
	c->in_moved = x->in_moved;
	c->out_moved = x->out_moved;
	c->silent_since = x->silent_since;
	c->quiet_until = x->quiet_until;
	c->bytes_in = x->bytes_in;
	c->bytes_out = x->bytes_out;
	c->packets_in = x->packets_in;
	c->packets_out = x->packets_out;
}

static int
apply_child(struct world *w, struct ike_sa *ike, const struct moved_child *x)
{
	struct child_sa	*c;

	c = child_new(w, ike, (uint32_t)tunnel_byname(w, x->tunnel), x->c.spi_in);
	if (c == NULL)
		return (-1);
	child_scalars(c, &x->c);
	child_set_out(w, c, x->c.spi_out);
	if (child_set_ts(w, c, &x->l, &x->r) == -1 ||
	    (x->has[0] && (c->out_later = sa_of(c, x, 0)) == NULL) ||
	    (x->has[1] && (c->keep[0] = sa_of(c, x, 1)) == NULL) ||
	    (x->has[2] && (c->keep[1] = sa_of(c, x, 2)) == NULL))
		return (-1);
	return (0);
}

/* Nothing has been said to anybody: it was never there. */
static void
undo(struct world *w, struct ike_sa *ike)
{
	struct child_sa	*c;

	while ((c = child_get(w, ike->children)) != NULL)
		child_free(w, c);
	ike_free(w, ike);
	w->tally.ike_down--;
}

static said
by_spi(const struct world *w, uint32_t spi)
{
	const struct child_sa	*c = spi != 0 ? child_byspi(w, spi) : NULL;

	return (c != NULL ? c->id : 0);
}

/* An id of an even generation leads to nothing, and yet siblings have the same. */
static said
dead_id(uint64_t old)
{
	return (old & ~(1ULL << 32));
}

/* From here on nothing fails. */
static void
begin_child(struct world *w, const struct moved_child *x)
{
	struct child_sa	*c = child_byspi(w, x->c.spi_in);
	struct tunnel	*t = &w->tunnels[c->tunnel];

	if ((c->replaces = by_spi(w, x->replaces)) == 0)
		c->replaces = dead_id(x->gone);
	c->mine = by_spi(w, x->mine);
	c->theirs = by_spi(w, x->theirs);
	t->up |= x->up;
	t->single |= x->single;
	if (t->wake == WAKE_NONE)
		t->wake = x->wake;
	if (mono_before(t->wanted_until, x->wanted_until))
		t->wanted_until = x->wanted_until;
	c->next_poll = mono_add_ms(w->now, 1 + world_uniform(w, SPREAD_MS));
	timer_set(&w->timers, &c->timer, c->next_poll);
	touch_tunnel(w, c->tunnel);
	if (x->drop)
		child_remove(w, c, WHY_NONE, NULL);
	else if (c->state == CHILD_INSTALLING)
		child_ask_again(w, c);
}

static struct ike_sa *
relative(struct world *w, const struct ike_sa *ike, uint64_t spi)
{
	const struct slot	*s = slot_find(w, spi);
	struct ike_sa		*x;

	if (s == NULL || s->half || (x = ike_get(w, s->owner)) == NULL || x == ike ||
	    x->c.peer != ike->c.peer)
		return (NULL);
	return (x);
}

/* Whichever of the two comes last.  Who asked for a rekey is the new one's initiator. */
static void
begin_heir(struct world *w, struct ike_sa *ike, const struct moved *m)
{
	struct ike_sa	*x;

	if ((x = relative(w, ike, m->heir)) != NULL) {
		ike->theirs = x->id;
		x->replaces = ike->id;
	}
	if ((x = relative(w, ike, m->ancestor)) == NULL)
		return;
	ike->replaces = x->id;
	if (ike->c.initiator)
		x->mine = ike->id;
	else
		x->theirs = ike->id;
}

static void
begin(struct world *w, struct ike_sa *ike, const struct moved *m)
{
	uint16_t	i;
	int32_t		t;

	begin_heir(w, ike, m);
	ike_twins_find(w, ike);
	for (i = 0; i < m->nchildren; i++)
		begin_child(w, &m->child[i]);
	ike->task_child = by_spi(w, m->task_spi);
	if (m->has_req && m->task_tunnel[0] != '\0') {
		t = tunnel_byname(w, m->task_tunnel);
		ike->task_tunnel = (uint32_t)t;
		/* as create_child_start() leaves it, and not the others */
		if (ike->task == TASK_CREATE)
			w->tunnels[t].queued = ike->id;
		touch_tunnel(w, (uint32_t)t);
	}
	/* it would take all that has come over for the past of a dead engine */
	w->peers[ike->c.peer].sent_ic = 1;
	if (ike->c.natt_local)
		timer_set(&w->timers, &ike->natt, mono_add_ms(w->now, 1));
	touch_ike(w, ike);
}

static const char *
apply(struct world *w, struct moved *m, uint32_t peer)
{
	struct ike_core	*c = &m->i.c;
	struct ike_sa	*ike;
	uint16_t	 i;

	c->peer = peer;
	memset(c->frags, 0, sizeof(c->frags));
	if (slot_take(w, c->initiator ? c->spii : c->spir, &c->slot) == -1)
		return ("its SPI is taken, or no engine's of this size");
	if ((ike = ike_adopt(w, c)) == NULL) {
		slot_free(w, c->slot);
		return ("out of memory");
	}
	apply_scalars(ike, &m->i);
	if (m->has_rid) {
		if ((ike->rid = malloc(sizeof(*ike->rid))) == NULL)
			goto fail;
		*ike->rid = m->rid;
		ike_named(w, ike);
	}
	if (apply_nego(w, ike, m) == -1 || apply_messages(w, ike, m) == -1 ||
	    apply_leases(w, ike, m) == -1)
		goto fail;
	/* the newest stands first in the record, and is put first into its lists */
	for (i = m->nchildren; i-- > 0;)
		if (apply_child(w, ike, &m->child[i]) == -1)
			goto fail;
	begin(w, ike, m);
	return (NULL);
fail:
	undo(w, ike);
	return ("its negotiation is not good, its address is not free, or there is no "
	    "memory");
}

int
engine_import(struct engine *e, monotime now, const uint8_t *p, size_t len,
    const char **why)
{
	struct world	*w = &e->w;
	struct moved	*m;
	uint32_t	 peer = NO_INDEX;

	w->now = now;
	if ((m = moved_read(now, p, len, why)) == NULL)
		return (-1);
	if ((*why = check(w, m, &peer)) == NULL)
		*why = apply(w, m, peer);
	moved_free(m);
	engine_settle(e);
	return (*why == NULL ? 0 : -1);
}
