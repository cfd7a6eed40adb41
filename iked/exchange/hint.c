/* SPDX-License-Identifier: ISC */
/*
 * Who has started, and has no SA with a peer, says so, once and unprotected: N(INVALID_SPI)
 * outside of any IKE SA (RFC 7296 1.5).  It leaves nothing behind at the peer, whoever made
 * that one.  What comes in so anybody may have sent: it brings questions forward, seldom,
 * and changes no SA (2.21.4).
 */

#include <string.h>

#include "exchange/exchange.h"

#define CALL_MS		200
#define SAS_MAX		8	/* of a peer's, the newest ones */

int
hint_send(struct world *w, uint32_t peer)
{
	/* which SPI it was nobody knows any more; 0 is never one (RFC 4303 2.1) */
	static const uint8_t	 spi[4];
	const struct conf_peer	*p = peer_conf(w, peer);
	struct endpoint		 local, remote;
	struct wire_hdr		 h;
	struct wire_enc		 e;
	struct wbuf		 b;
	uint8_t			 buf[64];

	if (addr_is_any(&p->remote) || ike_get(w, w->peers[peer].ikes) != NULL ||
	    half_get(w, w->peers[peer].half) != NULL)
		return (0);
	memset(&local, 0, sizeof(local));
	memset(&remote, 0, sizeof(remote));
	local.addr = p->local;
	local.port = w->port;
	remote.addr = p->remote;
	remote.port = 500;
	/* SPIs of zero mean nothing to anybody, and are allowed here alone */
	memset(&h, 0, sizeof(h));
	h.major = 2;
	h.exch = X_INFORMATIONAL;
	h.flags = WIRE_F_INITIATOR;
	wbuf_init(&b, buf, sizeof(buf));
	wire_begin(&e, &b, &h);
	wire_put_notify(&e, PROTO_NONE, 0, 0, N_INVALID_SPI, spi, sizeof(spi));
	if (wire_end(&e) == 0)
		message_send_to(w, &local, &remote, buf, b.len);
	return (1);
}

/* It may have started anew and know nothing of the SAs we have. */
void
hint_doubt(struct world *w, uint32_t peer, const struct rx *rx, const char *what)
{
	struct ike_sa	*ike;
	said		 id;
	int		 n = 0;

	for (id = w->peers[peer].ikes; (ike = ike_get(w, id)) != NULL && n++ < SAS_MAX;
	    id = ike->next) {
		if (ike->state != IKE_UP ||
		    addr_cmp(&ike->c.remote.addr, &rx->remote.addr) != 0 ||
		    mono_before(w->now, mono_add_ms(ike->established, NEW_MS)))
			continue;
		ike->hinted = what;
		touch_ike(w, ike);
	}
}

/* If it does not go on with what it has begun, it hears us soon, and not only when the
 * pause is over. */
void
hint_call(struct world *w, uint32_t peer)
{
	struct peer	*p = &w->peers[peer];
	struct ike_half	*h = half_get(w, p->half);
	monotime	 soon = mono_add_ms(w->now, CALL_MS);

	if (h != NULL) {
		if (h->state == HALF_INIT_SENT && h->hint == 0 && h->req.msg != NULL &&
		    mono_before(soon, h->req.timer.when))
			timer_set(&w->timers, &h->req.timer, soon);
	} else if (p->silent && mono_before(soon, p->next_try)) {
		p->next_try = soon;
		touch_peer(w, peer);
	}
}

void
hint_received(struct world *w, const struct rx *rx)
{
	uint32_t	i = peer_first_addr(w, &rx->local.addr, &rx->remote.addr), n = 0;
	struct peer	*p;

	if (w->stopping)
		return;
	for (; i != NO_INDEX && n++ < KINDS_MAX;
	    i = peer_next_addr(w, i, &rx->local.addr, &rx->remote.addr)) {
		p = &w->peers[i];
		hint_doubt(w, i, rx, "INVALID_SPI");
		/* no cookie has shown that it is there: it could make us call for ever */
		if (!mono_before(w->now, p->call_at)) {
			p->call_at = mono_add_ms(w->now, CALL_PAUSE_MS);
			hint_call(w, i);
		}
	}
}
