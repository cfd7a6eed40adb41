/* SPDX-License-Identifier: ISC */
/*
 * Out of an engine.  A request in flight goes along and is sent again as it is, octet
 * by octet; a request of the peer that waits for the kernel does not: the peer sends
 * it again.  The counter of IVs goes ahead, further than the old engine can have come
 * by the time the record was made: no nonce is used twice (RFC 5282 3.1).
 */

#include <string.h>

#include "engine/transfer.h"

#define IV_SKIP	(1ULL << 20)

static uint32_t
spi_of(const struct world *w, said id)
{
	const struct child_sa	*c = child_get(w, id);

	return (c != NULL ? c->spi_in : 0);
}

static uint64_t
our_spi(const struct ike_sa *ike)
{
	return (ike == NULL ? 0 : ike->c.initiator ? ike->c.spii : ike->c.spir);
}

static const char *
unfit(const struct world *w, const struct ike_sa *ike)
{
	if (ike->state < IKE_UP || ike->state > IKE_DELETING || ike->fatal)
		return ("it is not up");
	if (ike->c.peer == NO_INDEX || w->conf == NULL)
		return ("its peer is no longer configured");
	if (ike->nchildren > TRANSFER_CHILDREN)
		return ("it has too many Child SAs");
	if (ike->c.iv > UINT64_MAX - 4 * IV_SKIP)
		return ("its nonces are used up");
	return (NULL);
}

static void
out_head(const struct world *w, struct codec *k, const struct ike_sa *ike,
    struct moved *m)
{
	const struct child_sa	*c;
	said			 id;
	uint32_t		 t = w->peers[ike->c.peer].tunnels - 1;

	memset(m, 0, sizeof(*m));
	m->i = *ike;
	m->i.c.iv += IV_SKIP;
	(void)strlcpy(m->anchor, tunnel_conf(w, t)->name, sizeof(m->anchor));
	if ((m->has_rid = ike->rid != NULL) != 0)
		m->rid = *ike->rid;
	if ((m->has_req = ike->req.msg != NULL) != 0)
		m->req = (struct span){ ike->req.msg, ike->req.len };
	else
		m->i.task = TASK_NONE;
	if ((m->has_resp = ike->resp.msg != NULL) != 0)
		m->resp = (struct span){ ike->resp.msg, ike->resp.len };
	if ((m->has_nego = ike->nego != NULL) != 0)
		m->nego = *ike->nego;
	if (ike->leased != 0)
		(void)strlcpy(m->lease_tunnel, tunnel_conf(w, ike->leased - 1)->name,
		    sizeof(m->lease_tunnel));
	m->heir = our_spi(ike_get(w, ike->theirs));
	m->ancestor = our_spi(ike_get(w, ike->replaces));
	m->task_spi = spi_of(w, ike->task_child);
	if (ike->task_tunnel != NO_INDEX)
		(void)strlcpy(m->task_tunnel, tunnel_conf(w, ike->task_tunnel)->name,
		    sizeof(m->task_tunnel));
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE]) {
		if (c->tunnel != NO_INDEX)
			m->nchildren++;
		else if (c->want_delete && m->i.orphan_spi == 0)
			m->i.orphan_spi = c->spi_in;
	}
	transfer_head(k, m);
	crypto_wipe(m, sizeof(*m));
}

static void
out_sa(struct moved_child *m, int i, const struct kern_sa *sa)
{
	if ((m->has[i] = sa != NULL) != 0)
		m->sa[i] = *sa;
}

static void
out_child(const struct world *w, struct codec *k, const struct ike_sa *ike,
    const struct child_sa *c)
{
	const struct tunnel	*t = &w->tunnels[c->tunnel];
	struct moved_child	 m;

	memset(&m, 0, sizeof(m));
	m.c = *c;
	(void)strlcpy(m.tunnel, tunnel_conf(w, c->tunnel)->name, sizeof(m.tunnel));
	child_get_ts(c, &m.l, &m.r);
	out_sa(&m, 0, c->out_later);
	out_sa(&m, 1, c->keep[0]);
	out_sa(&m, 2, c->keep[1]);
	m.replaces = spi_of(w, c->replaces);
	m.gone = c->replaces;
	m.mine = spi_of(w, c->mine);
	m.theirs = spi_of(w, c->theirs);
	m.drop = ike->pend != NULL && ike->pend->child == c->id;
	m.wake = t->wake;
	m.single = t->single;
	m.up = t->up;
	m.wanted_until = t->wanted_until;
	transfer_child(k, &m);
	crypto_wipe(&m, sizeof(m));
}

/* 0, or why not. */
static const char *
out(const struct world *w, const struct ike_sa *ike, struct wbuf *b)
{
	struct codec		 k = { NULL, b, w->now };
	struct moved		 m;
	const struct child_sa	*c;
	const char		*why;
	said			 id;

	if ((why = unfit(w, ike)) != NULL)
		return (why);
	out_head(w, &k, ike, &m);
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->tunnel != NO_INDEX)
			out_child(w, &k, ike, c);
	return (wbuf_ok(b) ? NULL : "its record would be too long");
}

int
engine_export(struct engine *e, monotime now, uint64_t *cursor, uint8_t *buf,
    size_t cap, size_t *len)
{
	struct world		*w = &e->w;
	const struct ike_sa	*ike;
	const char		*why;
	struct wbuf		 b;
	uint32_t		 at = (uint32_t)*cursor;

	w->now = now;
	while ((ike = slab_walk(&w->ikes, &at, NULL)) != NULL) {
		*cursor = at;
		wbuf_init(&b, buf, cap < ENGINE_RECORD_MAX ? cap : ENGINE_RECORD_MAX);
		if ((why = out(w, ike, &b)) == NULL) {
			*len = b.len;
			return (1);
		}
		crypto_wipe(buf, b.len);
		log_event(w->log, WHY_SURPLUS, "an IKE SA is left behind: %s", why);
	}
	*cursor = at;
	return (0);
}

void
engine_hold(struct engine *e, monotime now, int on)
{
	e->w.now = now;
	e->w.held = on != 0;
	engine_settle(e);
}
