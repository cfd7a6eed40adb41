/* SPDX-License-Identifier: ISC */
/* What control asks of ike and kernel, and the records it gets. */

#include <string.h>

#include "proc/msg.h"

void
msg_put_show(struct msg *m, const struct show_ask *a)
{
	msg_start(m, M_SHOW);
	wbuf_u64(&m->w, a->token);
	wbuf_u64(&m->w, a->cursor);
	wbuf_u8(&m->w, (uint8_t)a->kind);
	wbuf_str(&m->w, a->name);
}

int
msg_get_show(struct rbuf *r, struct show_ask *a)
{
	uint8_t kind;

	a->token = rbuf_u64(r);
	a->cursor = rbuf_u64(r);
	kind = rbuf_u8(r);
	if (kind < SHOWK_TUNNEL || kind > SHOWK_PLAN)
		return (-1);
	a->kind = (enum show_kind)kind;
	memset(a->name, 0, sizeof(a->name));
	rbuf_str(r, a->name, sizeof(a->name));
	return (get_end(r));
}

static void
put_slice(struct wbuf *w, const struct slice *s)
{
	wbuf_u64(w, s->token);
	wbuf_u64(w, s->cursor);
	wbuf_u8(w, s->more);
	wbuf_u16(w, s->n);
}

void
msg_put_slice(struct msg *m, uint16_t type, const struct slice *s)
{
	msg_start(m, type);
	put_slice(&m->w, s);
}

/* How many records there are is known only when they are written. */
void
msg_patch_slice(struct msg *m, const struct slice *s)
{
	struct wbuf head;

	wbuf_init(&head, m->b + 2, 8 + 8 + 1 + 2);
	put_slice(&head, s);
}

int
msg_get_slice(struct rbuf *r, struct slice *s)
{
	s->token = rbuf_u64(r);
	s->cursor = rbuf_u64(r);
	s->more = get_bool(r);
	s->n = rbuf_u16(r);
	return (rbuf_ok(r) ? 0 : -1);
}

static void
put_show_tunnel(struct wbuf *w, const struct show_tunnel *t)
{
	wbuf_str(w, t->name);
	wbuf_u8(w, (uint8_t)t->mode);
	wbuf_u8(w, (uint8_t)t->state);
	wbuf_u8(w, (uint8_t)t->wake);
	wbuf_u64(w, t->since_ms);
	wbuf_str(w, t->wait_for);
	wbuf_u32(w, t->tries);
	wbuf_u64(w, t->next_ms);
	wbuf_str(w, t->error);
	wbuf_u8(w, t->reason);
	put_endpoint(w, &t->local);
	put_endpoint(w, &t->remote);
	put_tslist(w, &t->from);
	put_tslist(w, &t->to);
	wbuf_u32(w, t->spi_in);
	wbuf_u32(w, t->spi_out);
	wbuf_u64(w, t->ike_spii);
	wbuf_u64(w, t->bytes_in);
	wbuf_u64(w, t->bytes_out);
	wbuf_u64(w, t->packets_in);
	wbuf_u64(w, t->packets_out);
	wbuf_u8(w, t->keepalive != 0);
}

static void
get_show_tunnel(struct rbuf *r, struct show_tunnel *t)
{
	uint8_t mode, state, wake;

	rbuf_str(r, t->name, sizeof(t->name));
	mode = rbuf_u8(r);
	state = rbuf_u8(r);
	wake = rbuf_u8(r);
	t->since_ms = rbuf_u64(r);
	rbuf_str(r, t->wait_for, sizeof(t->wait_for));
	t->tries = rbuf_u32(r);
	t->next_ms = rbuf_u64(r);
	rbuf_str(r, t->error, sizeof(t->error));
	t->reason = rbuf_u8(r);
	get_endpoint(r, &t->local);
	get_endpoint(r, &t->remote);
	get_tslist(r, &t->from);
	get_tslist(r, &t->to);
	t->spi_in = rbuf_u32(r);
	t->spi_out = rbuf_u32(r);
	t->ike_spii = rbuf_u64(r);
	t->bytes_in = rbuf_u64(r);
	t->bytes_out = rbuf_u64(r);
	t->packets_in = rbuf_u64(r);
	t->packets_out = rbuf_u64(r);
	t->keepalive = get_bool(r);
	if (mode > MODE_ONDEMAND || state < SHOW_UP || state > SHOW_DOWN ||
	    wake > WAKE_PEER) {
		rbuf_fail(r);
		return;
	}
	t->mode = (enum conf_mode)mode;
	t->state = (enum show_state)state;
	t->wake = (enum show_wake)wake;
}

static void
put_show_peer(struct wbuf *w, const struct show_peer *p)
{
	put_endpoint(w, &p->local);
	put_endpoint(w, &p->remote);
	put_ident(w, &p->srcid);
	put_ident(w, &p->dstid);
	wbuf_u64(w, p->spii);
	wbuf_u64(w, p->spir);
	wbuf_u8(w, p->initiator != 0);
	wbuf_u8(w, p->established != 0);
	wbuf_str(w, p->state);
	wbuf_u64(w, p->since_ms);
	put_suite(w, &p->suite);
	wbuf_u8(w, p->natt_local != 0);
	wbuf_u8(w, p->natt_remote != 0);
	wbuf_u32(w, p->nchildren);
	wbuf_u64(w, p->rekey_in_ms);
	wbuf_u64(w, p->last_seen_ms);
}

static void
get_show_peer(struct rbuf *r, struct show_peer *p)
{
	get_endpoint(r, &p->local);
	get_endpoint(r, &p->remote);
	get_ident(r, &p->srcid);
	get_ident(r, &p->dstid);
	p->spii = rbuf_u64(r);
	p->spir = rbuf_u64(r);
	p->initiator = get_bool(r);
	p->established = get_bool(r);
	rbuf_str(r, p->state, sizeof(p->state));
	p->since_ms = rbuf_u64(r);
	get_suite(r, &p->suite);
	p->natt_local = get_bool(r);
	p->natt_remote = get_bool(r);
	p->nchildren = rbuf_u32(r);
	p->rekey_in_ms = rbuf_u64(r);
	p->last_seen_ms = rbuf_u64(r);
}

static void
put_show_sa(struct wbuf *w, const struct show_sa *s)
{
	wbuf_str(w, s->tunnel);
	wbuf_u64(w, s->ike_spii);
	wbuf_u32(w, s->spi_in);
	wbuf_u32(w, s->spi_out);
	put_endpoint(w, &s->local);
	put_endpoint(w, &s->remote);
	put_suite(w, &s->suite);
	put_tslist(w, &s->tsl);
	put_tslist(w, &s->tsr);
	wbuf_str(w, s->state);
	wbuf_u64(w, s->age_ms);
	wbuf_u64(w, s->rekey_in_ms);
	wbuf_u64(w, s->expires_in_ms);
	wbuf_u64(w, s->bytes_in);
	wbuf_u64(w, s->bytes_out);
	wbuf_u64(w, s->packets_in);
	wbuf_u64(w, s->packets_out);
	wbuf_u64(w, s->in_idle_ms);
	wbuf_u64(w, s->out_idle_ms);
}

static void
get_show_sa(struct rbuf *r, struct show_sa *s)
{
	rbuf_str(r, s->tunnel, sizeof(s->tunnel));
	s->ike_spii = rbuf_u64(r);
	s->spi_in = rbuf_u32(r);
	s->spi_out = rbuf_u32(r);
	get_endpoint(r, &s->local);
	get_endpoint(r, &s->remote);
	get_suite(r, &s->suite);
	get_tslist(r, &s->tsl);
	get_tslist(r, &s->tsr);
	rbuf_str(r, s->state, sizeof(s->state));
	s->age_ms = rbuf_u64(r);
	s->rekey_in_ms = rbuf_u64(r);
	s->expires_in_ms = rbuf_u64(r);
	s->bytes_in = rbuf_u64(r);
	s->bytes_out = rbuf_u64(r);
	s->packets_in = rbuf_u64(r);
	s->packets_out = rbuf_u64(r);
	s->in_idle_ms = rbuf_u64(r);
	s->out_idle_ms = rbuf_u64(r);
}

/* All of struct show_stats are counters: they are sent as they stand. */
#define NSTATS	(sizeof(struct show_stats) / sizeof(uint64_t))

static void
put_show_stats(struct wbuf *w, const struct show_stats *s)
{
	uint64_t v[NSTATS];
	size_t i;

	memcpy(v, s, sizeof(v));
	for (i = 0; i < NSTATS; i++)
		wbuf_u64(w, v[i]);
}

static void
get_show_stats(struct rbuf *r, struct show_stats *s)
{
	uint64_t v[NSTATS];
	size_t i;

	for (i = 0; i < NSTATS; i++)
		v[i] = rbuf_u64(r);
	memcpy(s, v, sizeof(v));
}

static void
put_show_plan(struct wbuf *w, const struct show_plan *p)
{
	wbuf_str(w, p->name);
	wbuf_u8(w, (uint8_t)p->change);
	wbuf_u32(w, p->fields);
	wbuf_u8(w, p->up);
}

static void
get_show_plan(struct rbuf *r, struct show_plan *p)
{
	uint8_t change;

	rbuf_str(r, p->name, sizeof(p->name));
	change = rbuf_u8(r);
	p->fields = rbuf_u32(r);
	p->up = get_bool(r);
	if (change < CHANGE_KEPT || change > CHANGE_REMOVED ||
	    p->fields >= 1U << CF_FIELDS)
		rbuf_fail(r);
	else
		p->change = (enum conf_change)change;
}

static void
put_heard(struct wbuf *w, const struct icmp_heard *h)
{
	put_addr(w, &h->by);
	wbuf_u8(w, h->type);
	wbuf_u8(w, h->code);
	wbuf_u64(w, h->ago_ms);
}

static void
get_heard(struct rbuf *r, struct icmp_heard *h)
{
	get_addr(r, &h->by);
	h->type = rbuf_u8(r);
	h->code = rbuf_u8(r);
	h->ago_ms = rbuf_u64(r);
}

void
put_show_rec(struct wbuf *w, const struct told_rec *t)
{
	const struct show_rec *rec = &t->rec;

	wbuf_u8(w, (uint8_t)rec->kind);
	switch (rec->kind) {
	case SHOWK_TUNNEL:
		put_show_tunnel(w, &rec->u.tunnel);
		put_heard(w, &t->icmp);
		break;
	case SHOWK_PEER:
		put_show_peer(w, &rec->u.peer);
		break;
	case SHOWK_SA:
		put_show_sa(w, &rec->u.sa);
		break;
	case SHOWK_STATS:
		put_show_stats(w, &rec->u.stats);
		break;
	case SHOWK_PLAN:
		put_show_plan(w, &rec->u.plan);
		break;
	default:
		wbuf_fail(w);
	}
}

int
get_show_rec(struct rbuf *r, struct told_rec *t)
{
	struct show_rec *rec = &t->rec;

	memset(t, 0, sizeof(*t));
	switch (rbuf_u8(r)) {
	case SHOWK_TUNNEL:
		rec->kind = SHOWK_TUNNEL;
		get_show_tunnel(r, &rec->u.tunnel);
		get_heard(r, &t->icmp);
		break;
	case SHOWK_PEER:
		rec->kind = SHOWK_PEER;
		get_show_peer(r, &rec->u.peer);
		break;
	case SHOWK_SA:
		rec->kind = SHOWK_SA;
		get_show_sa(r, &rec->u.sa);
		break;
	case SHOWK_STATS:
		rec->kind = SHOWK_STATS;
		get_show_stats(r, &rec->u.stats);
		break;
	case SHOWK_PLAN:
		rec->kind = SHOWK_PLAN;
		get_show_plan(r, &rec->u.plan);
		break;
	default:
		return (-1);
	}
	return (rbuf_ok(r) ? 0 : -1);
}

void
msg_put_event(struct msg *m, const struct show_event *ev, uint32_t lost)
{
	msg_start(m, M_EVENT);
	wbuf_u8(&m->w, (uint8_t)ev->type);
	wbuf_str(&m->w, ev->tunnel);
	put_endpoint(&m->w, &ev->local);
	put_endpoint(&m->w, &ev->remote);
	wbuf_u32(&m->w, ev->spi_in);
	wbuf_u32(&m->w, ev->spi_out);
	wbuf_u8(&m->w, ev->reason);
	wbuf_str(&m->w, ev->text);
	wbuf_u32(&m->w, lost);
}

int
msg_get_event(struct rbuf *r, struct show_event *ev, uint32_t *lost)
{
	uint8_t type;

	memset(ev, 0, sizeof(*ev));
	if ((type = rbuf_u8(r)) < EVENT_UP || type > EVENT_FAILURE)
		return (-1);
	ev->type = (enum show_event_type)type;
	rbuf_str(r, ev->tunnel, sizeof(ev->tunnel));
	get_endpoint(r, &ev->local);
	get_endpoint(r, &ev->remote);
	ev->spi_in = rbuf_u32(r);
	ev->spi_out = rbuf_u32(r);
	ev->reason = rbuf_u8(r);
	rbuf_str(r, ev->text, sizeof(ev->text));
	*lost = rbuf_u32(r);
	return (get_end(r));
}
