/* SPDX-License-Identifier: ISC */
/*
 * NAT detection (RFC 7296 2.23): hashes of the addresses that each side believes a
 * message goes from and to.  With MOBIKE they come again in later messages (RFC 4555 3.5,
 * 3.8).
 */

#include <string.h>

#include "exchange/exchange.h"

#define SOURCES_MAX	8	/* where the source is not known yet: any of so many */

int
natd_fill(struct world *w, const struct ike_core *c, const struct endpoint *ep,
    uint8_t dst[20])
{
	return (natd_hash(w->crypto, c->spii, c->spir, ep->addr.b,
	    addr_len(&ep->addr), ep->port, dst));
}

static void
put_source(struct world *w, struct wire_enc *e, const struct ike_core *c,
    const struct endpoint *from)
{
	uint8_t	h[20];

	if (natd_fill(w, c, from, h) == 0)
		wire_put_notify(e, PROTO_NONE, 0, 0, N_NAT_DETECTION_SOURCE_IP, h,
		    sizeof(h));
}

/* `local any': the routes choose one of our addresses, and the peer finds it among
 * these. */
static void
put_sources(struct world *w, struct wire_enc *e, const struct ike_core *c,
    const struct endpoint *local, const struct endpoint *remote)
{
	struct endpoint	from = *local;
	uint32_t	i, n = 0;

	for (i = 0; i < w->naddrs && n < SOURCES_MAX; i++)
		if (w->addrs[i].fam == remote->addr.fam) {
			from.addr = w->addrs[i];
			put_source(w, e, c, &from);
			n++;
		}
	if (n == 0)
		put_source(w, e, c, local);
}

void
natd_put(struct world *w, struct wire_enc *e, const struct ike_core *c,
    const struct endpoint *local, const struct endpoint *remote, int force)
{
	uint8_t	h[20];

	/* `natt`: a hash of nothing makes both sides see a NAT (2.23) */
	if (force) {
		world_random(w, h, sizeof(h));
		wire_put_notify(e, PROTO_NONE, 0, 0, N_NAT_DETECTION_SOURCE_IP, h,
		    sizeof(h));
	} else if (addr_is_any(&local->addr))
		put_sources(w, e, c, local, remote);
	else
		put_source(w, e, c, local);
	if (natd_fill(w, c, remote, h) == 0)
		wire_put_notify(e, PROTO_NONE, 0, 0, N_NAT_DETECTION_DESTINATION_IP, h,
		    sizeof(h));
}

int
natd_read(struct world *w, struct ike_core *c, const struct rx *rx, int force)
{
	const struct wire_notify	*n;
	struct ike_core			 as_sent;
	uint8_t				 src[20], dst[20], i;
	int				 nsrc = 0, ndst = 0, src_ok = 0, dst_ok = 0;

	memset(&as_sent, 0, sizeof(as_sent));
	/* over the SPIs of that message: a first request has no SPIr yet */
	as_sent.spii = rx->hdr.spii;
	as_sent.spir = rx->hdr.spir;
	if (natd_fill(w, &as_sent, &rx->remote, src) == -1 ||
	    natd_fill(w, &as_sent, &rx->local, dst) == -1)
		return (0);
	for (i = 0; i < rx->m->nnotify; i++) {
		n = &rx->m->notify[i];
		if (n->data.len != 20)
			continue;
		if (n->type == N_NAT_DETECTION_SOURCE_IP) {
			nsrc++;
			src_ok |= memcmp(n->data.p, src, 20) == 0;
		} else if (n->type == N_NAT_DETECTION_DESTINATION_IP) {
			ndst++;
			dst_ok |= memcmp(n->data.p, dst, 20) == 0;
		}
	}
	if (nsrc == 0 || ndst == 0)
		return (0);
	c->natt_remote = !src_ok;
	c->natt_local = !dst_ok;
	c->natt_forced = (uint8_t)force;
	return (1);
}

const uint8_t *
natd_dest(const struct wire_msg *m)
{
	const struct wire_notify	*n;

	n = wire_notify(m, N_NAT_DETECTION_DESTINATION_IP);
	return (n != NULL && n->data.len == 20 ? n->data.p : NULL);
}
