/* SPDX-License-Identifier: ISC */
/*
 * INFORMATIONAL (RFC 7296 1.4, 2.4): deletes, liveness, errors told.  What it says of
 * addresses is in mobike.c.
 */

#include <string.h>

#include "exchange/exchange.h"

/* ---- our requests */

int
delete_ike_start(struct world *w, struct ike_sa *ike)
{
	uint8_t		 inner[16];
	struct wire_enc	 e;
	struct wbuf	 b;
	struct child_sa	*c;
	said		 id;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_delete(&e, PROTO_IKE, 0, NULL, 0);
	if (wire_end(&e) == -1 || ike_request(w, ike, X_INFORMATIONAL, TASK_DELETE_IKE,
	    e.first, inner, b.len) == -1)
		return (-1);
	ike->want_delete = 0;
	ike_state(w, ike, IKE_DELETING);
	/* nothing is sent through its Children any more; what still comes is taken */
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE]) {
		if (c->state != CHILD_LINGERING)
			c->state = CHILD_DELETING;
		child_kernel_delete(w, c, KERN_OUT);
		touch_tunnel(w, c->tunnel);
	}
	return (0);
}

static int
send_delete(struct world *w, struct ike_sa *ike, uint64_t spi)
{
	uint8_t		 inner[16];
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_delete(&e, PROTO_ESP, 4, &spi, 1);
	if (wire_end(&e) == -1)
		return (-1);
	return (ike_request(w, ike, X_INFORMATIONAL, TASK_DELETE_CHILD, e.first, inner,
	    b.len));
}

int
delete_orphan_start(struct world *w, struct ike_sa *ike)
{
	if (send_delete(w, ike, ike->orphan_spi) == -1)
		return (-1);
	ike->orphan_spi = 0;
	ike->task_child = 0;
	return (0);
}

/* Our inbound SPI; outbound stops at once, inbound with the answer (1.4.1). */
int
delete_child_start(struct world *w, struct ike_sa *ike, struct child_sa *c)
{
	if (send_delete(w, ike, c->spi_in) == -1)
		return (-1);
	ike->task_child = c->id;
	c->want_delete = 0;
	c->state = CHILD_DELETING;
	child_relieve(w, c);
	child_kernel_delete(w, c, KERN_OUT);
	touch_tunnel(w, c->tunnel);
	return (0);
}

int
check_start(struct world *w, struct ike_sa *ike)
{
	const struct mobike	*mob = &ike->mob;
	uint8_t			 inner[128];
	struct wire_enc		 e;
	struct wbuf		 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	/* has a NAT changed its mind? (RFC 4555 3.8) */
	if (mob->on && (ike->c.natt_local || ike->c.natt_remote))
		natd_put(w, &e, &ike->c, &ike->c.local, !mob->leads &&
		    mob->also.port != 0 ? &mob->also : &ike->c.remote,
		    ike->c.natt_forced);
	if (wire_end(&e) == -1 || ike_request(w, ike, X_INFORMATIONAL, TASK_CHECK,
	    e.first, inner, b.len) == -1)
		return (-1);
	if (mob->on && mob->also.port != 0)
		message_send_to(w, &ike->c.local, &mob->also, ike->req.msg, ike->req.len);
	ike->want_check = 0;
	return (0);
}

void
informational_response(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct child_sa	*c;
	enum task	 task = ike->task;

	ike->task = TASK_NONE;
	if (task == TASK_DELETE_IKE) {
		ike_remove(w, ike, WHY_NONE, NULL);
		return;
	}
	if (task == TASK_DELETE_CHILD && (c = child_get(w, ike->task_child)) != NULL)
		child_gone(w, c, WHY_NONE, NULL);
	mobike_response(w, ike, rx, task);
	touch_ike(w, ike);
}

/* ---- the peer's */

/* Deletes of Children; collects the SPIs of our side for the answer. */
static uint16_t
delete_children(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    uint64_t spis[WIRE_MAXDELSPIS])
{
	const struct wire_delete	*d;
	struct child_sa			*c;
	uint16_t			 n = 0, j;
	said				 next;
	uint8_t				 i;

	for (i = 0; i < m->ndelete; i++) {
		d = &m->del[i];
		for (j = 0; d->proto == PROTO_ESP && j < d->nspis; j++) {
			c = child_byout(w, ike, (uint32_t)d->spi[j]);
			if (c == NULL) {
				/* the reply that makes it is still to come */
				if (ike->nego != NULL)
					ike->nego->gone = (uint32_t)d->spi[j];
				continue;
			}
			/* both deletes crossed: outbound is gone already, inbound
			 * goes with the answer to ours (1.4.1) */
			if (c->state == CHILD_DELETING)
				continue;
			if (n < WIRE_MAXDELSPIS)
				spis[n++] = c->spi_in;
			/* with the reply the peer takes its inbound away, and the
			 * kernel may still be sending on the old one: it waits */
			if ((next = child_hand_over(w, c)) != 0)
				ike->pend->outfor = next;
			child_gone(w, c, WHY_PEER_DELETED, c->state == CHILD_UP && c->mine == 0 &&
			    c->theirs == 0 ? "the peer deleted the Child SA" : NULL);
		}
	}
	return (n);
}

static int
deletes_ike(const struct wire_msg *m)
{
	uint8_t	i;

	for (i = 0; i < m->ndelete; i++)
		if (m->del[i].proto == PROTO_IKE)
			return (1);
	return (0);
}

/*
 * INVALID_SPI (1.5): the peer gets ESP under an SPI it does not know.  Said inside the IKE
 * SA it is the peer's word, and if that is one of our Children it is lost there: a rekey
 * makes it anew, and a peer that says CHILD_SA_NOT_FOUND to it gets a new one.  Packets
 * on their way while SAs come and go cause it, too, so that a young Child and one with a
 * successor are left alone.  (We cannot say it: no kernel tells us of such packets.)
 */
static void
invalid_spi(struct world *w, struct ike_sa *ike, struct span data)
{
	struct child_sa	*c;
	struct rbuf	 r;
	uint32_t	 spi;

	rbuf_init(&r, data.p, data.len);
	spi = rbuf_u32(&r);
	if (!rbuf_ok(&r) || rbuf_left(&r) != 0 ||
	    (c = child_byout(w, ike, spi)) == NULL)
		return;
	if (c->state != CHILD_UP || c->want_delete || c->want_rekey ||
	    child_get(w, c->mine) != NULL || child_get(w, c->theirs) != NULL ||
	    mono_before(w->now, mono_add_ms(c->born, NEW_MS)))
		return;
	log_event(w->log, WHY_PEER_LOST,
	    "tunnel \"%s\": the peer says INVALID_SPI for 0x%08x: it has lost "
	    "the Child SA, which is renewed", c->tunnel != NO_INDEX ?
	    tunnel_conf(w, c->tunnel)->name : peer_name(w, ike->c.peer), spi);
	c->want_rekey = 1;
	touch_ike(w, ike);
}

/* What the peer complains of and the SA survives. */
static void
complaints(struct world *w, struct ike_sa *ike, const struct wire_msg *m)
{
	uint8_t	i;

	for (i = 0; i < m->nnotify; i++) {
		if (m->notify[i].type == N_INVALID_SPI)
			invalid_spi(w, ike, m->notify[i].data);
		/* about a request of ours (2.3): one at a time cannot be outside of its
		 * window, unless it has forgotten some; then it does not answer either */
		else if (m->notify[i].type == N_INVALID_MESSAGE_ID &&
		    world_allow(w, &w->b_bad, 10, 1000))
			log_event(w->log, WHY_PEER_ERROR,
			    "tunnel \"%s\": the peer says INVALID_MESSAGE_ID: "
			    "it has lost count of our requests",
			    peer_name(w, ike->c.peer));
	}
}

/* Errors that end the SA by themselves (2.21.2, 2.21.3). */
static int
is_fatal(uint16_t type)
{
	return (type == N_AUTHENTICATION_FAILED || type == N_INVALID_SYNTAX ||
	    type == N_UNSUPPORTED_CRITICAL_PAYLOAD);
}

void
informational_request(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_msg		*m = rx->m;
	const struct wire_notify	*e = wire_error(m);
	uint64_t			 spis[WIRE_MAXDELSPIS];
	struct peer			*p;
	char				 why[96];
	uint16_t			 n;

	if (deletes_ike(m)) {
		reply_finish(w, ike);
		rekey_ike_settled(w, ike);
		rekey_ike_yield(w, ike);
		if (ike->state == IKE_UP || ike->state == IKE_DELETING)
			log_event(w->log, WHY_PEER_DELETED,
			    "tunnel \"%s\": the peer deleted the IKE SA",
			    peer_name(w, ike->c.peer));
		ike_remove(w, ike, WHY_PEER_DELETED, "the peer deleted the IKE SA");
		return;
	}
	if (e != NULL && is_fatal(e->type)) {
		reply_finish(w, ike);
		(void)strlcpy(why, "peer says ", sizeof(why));
		(void)strlcat(why, wire_notify_name(e->type), sizeof(why));
		log_event(w->log, WHY_PEER_ERROR, "tunnel \"%s\": %s: the IKE SA is gone",
		    peer_name(w, ike->c.peer), why);
		if (ike->c.peer != NO_INDEX) {
			p = &w->peers[ike->c.peer];
			p->next_try = mono_add_ms(w->now, backoff_ms(w, ++p->tries));
		}
		ike_remove(w, ike, WHY_PEER_ERROR, why);
		return;
	}
	if (m->ndelete > 0 || m->nnotify > 0)
		rekey_ike_used(w, ike);
	n = delete_children(w, ike, m, spis);
	complaints(w, ike, m);
	if (n > 0)
		wire_put_delete(&ike->pend->enc, PROTO_ESP, 4, spis, n);
	mobike_request(w, ike, rx);
	if (ike->pend->outfor == 0)
		reply_finish(w, ike);
}
