/* SPDX-License-Identifier: ISC */
/*
 * The record of a moved IKE SA, version 1: the SA, then its Children.  Lengths of keys
 * follow from the suite.  Nothing here knows a configuration or a table.
 */

#include <string.h>

#include "base/field.h"
#include "engine/transfer.h"

#define TIME_MAX_US	(10LL * 366 * 86400 * 1000000)	/* from now, either way */

enum { TIME_NONE, TIME_NEVER, TIME_AT };

static void
f_u8(struct codec *k, uint8_t *v, uint8_t min, uint8_t max)
{
	if (k->w != NULL) {
		wbuf_u8(k->w, *v);
		return;
	}
	*v = rbuf_u8(k->r);
	if (*v < min || *v > max)
		rbuf_fail(k->r);
}

static void
f_flag(struct codec *k, uint8_t *v)
{
	f_u8(k, v, 0, 1);
}

static void
f_u16(struct codec *k, uint16_t *v)
{
	if (k->w != NULL)
		wbuf_u16(k->w, *v);
	else
		*v = rbuf_u16(k->r);
}

static void
f_u32(struct codec *k, uint32_t *v)
{
	if (k->w != NULL)
		wbuf_u32(k->w, *v);
	else
		*v = rbuf_u32(k->r);
}

static void
f_u64(struct codec *k, uint64_t *v)
{
	if (k->w != NULL)
		wbuf_u64(k->w, *v);
	else
		*v = rbuf_u64(k->r);
}

/* What lies before the other engine's clock began is its beginning. */
static monotime
get_time(struct codec *k)
{
	uint8_t		kind = rbuf_u8(k->r);
	int64_t		d;
	monotime	t;

	if (kind == TIME_NONE)
		return (MONO_NONE);
	if (kind == TIME_NEVER)
		return (MONO_NEVER);
	d = (int64_t)rbuf_u64(k->r);
	if (kind != TIME_AT || d > TIME_MAX_US || d < -TIME_MAX_US) {
		rbuf_fail(k->r);
		return (MONO_NONE);
	}
	t = mono_add_us(k->now, d);
	return (t.us > 0 ? t : (monotime){ 1 });
}

static void
f_time(struct codec *k, monotime *t)
{
	if (k->w == NULL) {
		*t = get_time(k);
		return;
	}
	if (t->us == 0)
		wbuf_u8(k->w, TIME_NONE);
	else if (t->us == INT64_MAX)
		wbuf_u8(k->w, TIME_NEVER);
	else {
		wbuf_u8(k->w, TIME_AT);
		wbuf_u64(k->w, (uint64_t)mono_diff_us(*t, k->now));
	}
}

static void
f_octets(struct codec *k, uint8_t *p, size_t n)
{
	if (k->w != NULL)
		wbuf_bytes(k->w, p, n);
	else
		rbuf_copy(k->r, p, n);
}

static void
f_span(struct codec *k, struct span *s)
{
	if (k->w != NULL)
		put_bytes(k->w, *s);
	else
		*s = get_bytes(k->r, UINT16_MAX);
}

static void
f_name(struct codec *k, char name[CONF_NAMELEN])
{
	if (k->w != NULL)
		wbuf_str(k->w, name);
	else
		rbuf_str(k->r, name, CONF_NAMELEN);
}

/* Of the wire: both parts are there. */
static void
f_endpoint(struct codec *k, struct endpoint *e)
{
	if (k->w != NULL) {
		put_endpoint(k->w, e);
		return;
	}
	get_endpoint(k->r, e);
	if (e->addr.fam == ADDR_NONE || e->port == 0)
		rbuf_fail(k->r);
}

static void
f_tslist(struct codec *k, struct tslist *l)
{
	if (k->w != NULL) {
		put_tslist(k->w, l);
		return;
	}
	get_tslist(k->r, l);
	if (l->n == 0)
		rbuf_fail(k->r);
}

static void
f_suite(struct codec *k, struct suite *s)
{
	if (k->w != NULL)
		put_suite(k->w, s);
	else
		get_suite(k->r, s);
}

static void
f_proposal(struct codec *k, struct proposal *p)
{
	uint8_t	i;

	f_u8(k, &p->num, 1, PROPS_MAX);
	f_u8(k, &p->proto, PROTO_IKE, PROTO_ESP);
	f_u8(k, &p->spilen, 0, 8);
	f_u8(k, &p->nxforms, 1, PROP_MAXXFORMS);
	f_u64(k, &p->spi);
	for (i = 0; i < p->nxforms && i < PROP_MAXXFORMS; i++) {
		f_u8(k, &p->xf[i].type, XF_ENCR, XF_SN);
		f_u16(k, &p->xf[i].id);
		f_u16(k, &p->xf[i].keybits);
	}
}

/* ---- the IKE SA */

static void
f_keys(struct codec *k, const struct suite *s, struct ike_keys *y)
{
	const struct xform_info	*e = xform_info(XF_ENCR, s->encr, s->encr_keybits);
	const struct xform_info	*i = xform_info(XF_INTEG, s->integ, 0);
	size_t			 d = prf_len(s->prf);

	if (e == NULL || i == NULL || d == 0 || d > KEY_MAXLEN || e->keylen > KEY_MAXLEN ||
	    i->keylen > KEY_MAXLEN || (e->aead ? i->keylen != 0 : i->keylen == 0)) {
		if (k->w != NULL)
			wbuf_fail(k->w);
		else
			rbuf_fail(k->r);
		return;
	}
	if (k->r != NULL) {
		y->prf = s->prf;
		y->encr = s->encr;
		y->encr_keybits = s->encr_keybits;
		y->integ = s->integ;
	}
	f_octets(k, y->d, d);
	f_octets(k, y->ai, i->keylen);
	f_octets(k, y->ar, i->keylen);
	f_octets(k, y->ei, e->keylen);
	f_octets(k, y->er, e->keylen);
	f_octets(k, y->pi, d);
	f_octets(k, y->pr, d);
}

static void
f_core(struct codec *k, struct ike_core *c)
{
	f_u64(k, &c->spii);
	f_u64(k, &c->spir);
	f_flag(k, &c->initiator);
	f_flag(k, &c->natt_local);
	f_flag(k, &c->natt_remote);
	f_flag(k, &c->natt_forced);
	f_flag(k, &c->encap);
	f_flag(k, &c->childless);
	f_flag(k, &c->frag);
	f_u16(k, &c->mtu);
	f_endpoint(k, &c->local);
	f_endpoint(k, &c->remote);
	f_suite(k, &c->suite);
	f_keys(k, &c->suite, &c->keys);
	f_u64(k, &c->iv);
	f_u32(k, &c->rtt_ms);
	f_time(k, &c->begun);
}

static void
f_nego(struct codec *k, struct nego *n)
{
	uint8_t	i;

	f_u16(k, &n->group);
	f_octets(k, n->priv, sizeof(n->priv));
	f_u8(k, &n->tries, 0, UINT8_MAX);
	f_octets(k, n->ni, sizeof(n->ni));
	f_u32(k, &n->spi_in);
	f_u32(k, &n->gone);
	f_flag(k, &n->transport);
	f_u64(k, &n->spi);
	f_u8(k, &n->offered.n, 1, PROPS_MAX);
	for (i = 0; i < n->offered.n && i < PROPS_MAX; i++)
		f_proposal(k, &n->offered.p[i]);
	/* an IKE SA has none */
	if (k->w != NULL) {
		put_tslist(k->w, &n->tsl);
		put_tslist(k->w, &n->tsr);
	} else {
		get_tslist(k->r, &n->tsl);
		get_tslist(k->r, &n->tsr);
	}
}

static void
f_request(struct codec *k, struct moved *m)
{
	struct outreq	*q = &m->i.req;

	f_span(k, &m->req);
	f_u32(k, &q->msgid);
	f_u32(k, &q->interval_ms);
	f_u8(k, &q->tries, 1, UINT8_MAX);
	f_time(k, &q->first);
	f_time(k, &q->giveup);
	f_u32(k, &m->task_spi);
	f_name(k, m->task_tunnel);
}

static void
f_times(struct codec *k, struct ike_sa *i)
{
	f_time(k, &i->since);
	f_time(k, &i->established);
	f_time(k, &i->last_in);
	f_time(k, &i->last_ok);
	f_time(k, &i->last_data);
	f_time(k, &i->rekey_at);
	f_time(k, &i->expire_at);
	f_time(k, &i->quiet_until);
	f_time(k, &i->check_by);
	f_time(k, &i->drop_at);
	f_time(k, &i->twin_at);
	f_time(k, &i->alone_at);
	f_time(k, &i->temp_since);
}

static void
f_wishes(struct codec *k, struct ike_sa *i)
{
	f_u32(k, &i->orphan_spi);
	f_u16(k, &i->idle_cut);
	f_u8(k, &i->ntemp, 0, UINT8_MAX);
	f_flag(k, &i->want_check);
	f_flag(k, &i->want_delete);
	f_flag(k, &i->want_rekey);
	f_flag(k, &i->doubtful);
	f_flag(k, &i->unproven);
}

/* Addresses given in IKE_AUTH (2.19), to or by the peer. */
static void
f_leases(struct codec *k, struct moved *m)
{
	int	f;

	f_name(k, m->lease_tunnel);
	for (f = 0; f < 2; f++) {
		if (k->w != NULL) {
			put_addr(k->w, &m->i.lease[f]);
			continue;
		}
		get_addr(k->r, &m->i.lease[f]);
		if (m->i.lease[f].fam != ADDR_NONE &&
		    m->i.lease[f].fam != (f == 0 ? ADDR_V4 : ADDR_V6))
			rbuf_fail(k->r);
	}
}

static void
f_addr(struct codec *k, struct addr *a)
{
	if (k->w != NULL)
		put_addr(k->w, a);
	else
		get_addr(k->r, a);
}

/* Or none at all. */
static void
f_any_endpoint(struct codec *k, struct endpoint *e)
{
	if (k->w != NULL)
		put_endpoint(k->w, e);
	else
		get_endpoint(k->r, e);
}

/* RFC 4555.  Where we are, the new engine asks its kernel itself. */
static void
f_mobike(struct codec *k, struct mobike *b)
{
	int	i;

	f_flag(k, &b->on);
	if (!b->on)
		return;
	f_flag(k, &b->leads);
	f_u8(k, &b->naddrs, 0, MOBIKE_ADDRS);
	f_flag(k, &b->want_update);
	f_flag(k, &b->want_tell);
	f_flag(k, &b->want_verify);
	f_flag(k, &b->unverified);
	f_flag(k, &b->again);
	f_flag(k, &b->astray);
	f_u8(k, &b->ntries, 0, UINT8_MAX);
	f_flag(k, &b->has_seen);
	f_octets(k, b->seen, sizeof(b->seen));
	f_octets(k, b->cookie, sizeof(b->cookie));
	f_u32(k, &b->told);
	f_time(k, &b->astray_at);
	f_time(k, &b->seen_at);
	f_any_endpoint(k, &b->was_local);
	f_any_endpoint(k, &b->was_remote);
	f_any_endpoint(k, &b->also);
	f_addr(k, &b->refused);
	for (i = 0; i < b->naddrs && i < MOBIKE_ADDRS; i++)
		f_addr(k, &b->addr[i]);
}

void
transfer_head(struct codec *k, struct moved *m)
{
	uint8_t	version = TRANSFER_VERSION, state = (uint8_t)m->i.state;
	uint8_t	task = (uint8_t)m->i.task;

	f_u8(k, &version, TRANSFER_VERSION, TRANSFER_VERSION);
	f_name(k, m->anchor);
	f_u8(k, &state, IKE_UP, IKE_DELETING);
	m->i.state = (enum ike_state)state;
	f_core(k, &m->i.c);
	f_flag(k, &m->has_rid);
	if (m->has_rid) {
		if (k->w != NULL)
			put_ident(k->w, &m->rid);
		else
			get_ident(k->r, &m->rid);
	}
	f_times(k, &m->i);
	f_wishes(k, &m->i);
	f_u64(k, &m->heir);
	f_u64(k, &m->ancestor);
	f_octets(k, m->i.low_theirs, NONCE_LEN);
	f_leases(k, m);
	f_mobike(k, &m->i.mob);
	f_u32(k, &m->i.msgid_out);
	f_u32(k, &m->i.msgid_in);
	f_u8(k, &task, TASK_NONE, TASK_MOVE_CHILD);
	m->i.task = (enum task)task;
	f_flag(k, &m->has_req);
	if (m->has_req)
		f_request(k, m);
	f_flag(k, &m->has_resp);
	if (m->has_resp) {
		f_span(k, &m->resp);
		f_u32(k, &m->i.resp.msgid);
		f_u8(k, &m->i.resp.again, 0, UINT8_MAX);
	}
	f_flag(k, &m->has_nego);
	if (m->has_nego)
		f_nego(k, &m->nego);
	f_u16(k, &m->nchildren);
}

/* ---- a Child */

static void
f_sa(struct codec *k, const struct suite *s, struct kern_sa *sa)
{
	const struct xform_info	*e = xform_info(XF_ENCR, s->encr, s->encr_keybits);
	const struct xform_info	*i = xform_info(XF_INTEG, s->integ, 0);

	if (e == NULL || i == NULL || e->keylen > KERN_KEYMAX || i->keylen > KERN_KEYMAX) {
		if (k->w != NULL)
			wbuf_fail(k->w);
		else
			rbuf_fail(k->r);
		return;
	}
	sa->encr = s->encr;
	sa->encr_keybits = s->encr_keybits;
	sa->integ = s->integ;
	sa->encr_keylen = e->keylen;
	sa->integ_keylen = e->aead ? 0 : i->keylen;
	f_octets(k, sa->encr_key, sa->encr_keylen);
	f_octets(k, sa->integ_key, sa->integ_keylen);
	f_flag(k, &sa->transport);
	f_flag(k, &sa->esn);
	f_u32(k, &sa->replay);
	f_u64(k, &sa->life.soft_secs);
	f_u64(k, &sa->life.hard_secs);
	f_u64(k, &sa->life.soft_bytes);
	f_u64(k, &sa->life.hard_bytes);
	f_u64(k, &sa->life.soft_packets);
	f_u64(k, &sa->life.hard_packets);
}

static void
f_child_times(struct codec *k, struct child_sa *c)
{
	f_time(k, &c->born);
	f_time(k, &c->rekey_at);
	f_time(k, &c->expire_at);
	f_time(k, &c->out_at);
	f_time(k, &c->drop_at);
	f_time(k, &c->in_moved);
	f_time(k, &c->out_moved);
	f_time(k, &c->silent_since);
	f_time(k, &c->quiet_until);
	f_u64(k, &c->bytes_in);
	f_u64(k, &c->bytes_out);
	f_u64(k, &c->packets_in);
	f_u64(k, &c->packets_out);
}

static void
f_child_flags(struct codec *k, struct child_sa *c)
{
	uint8_t	state = (uint8_t)c->state;

	f_u8(k, &state, CHILD_INSTALLING, CHILD_LINGERING);
	c->state = (enum child_state)state;
	f_flag(k, &c->initiated);
	f_flag(k, &c->encap);
	f_flag(k, &c->transport);
	f_flag(k, &c->in_there);
	f_flag(k, &c->out_there);
	f_flag(k, &c->want_delete);
	f_flag(k, &c->want_rekey);
	f_flag(k, &c->carried);
	f_flag(k, &c->announced);
	f_flag(k, &c->redundant);
	f_u8(k, &c->nfail, 0, UINT8_MAX);
}

void
transfer_child(struct codec *k, struct moved_child *m)
{
	struct child_sa	*c = &m->c;
	int		 i;

	f_name(k, m->tunnel);
	f_flag(k, &m->drop);
	f_u8(k, &m->wake, WAKE_NONE, WAKE_PEER);
	f_flag(k, &m->single);
	f_flag(k, &m->up);
	f_time(k, &m->wanted_until);
	f_u32(k, &c->spi_in);
	f_u32(k, &c->spi_out);
	f_child_flags(k, c);
	f_suite(k, &c->suite);
	f_tslist(k, &m->l);
	f_tslist(k, &m->r);
	f_endpoint(k, &c->local);
	f_endpoint(k, &c->remote);
	f_u32(k, &m->replaces);
	f_u64(k, &m->gone);
	f_u32(k, &m->mine);
	f_u32(k, &m->theirs);
	f_octets(k, c->low_mine, NONCE_LEN);
	f_octets(k, c->low_theirs, NONCE_LEN);
	f_child_times(k, c);
	for (i = 0; i < 3; i++) {
		f_flag(k, &m->has[i]);
		if (m->has[i])
			f_sa(k, &c->suite, &m->sa[i]);
	}
}
