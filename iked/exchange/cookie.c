/* SPDX-License-Identifier: ISC */
/*
 * IKE_SA_INIT under a flood (RFC 7296 2.6).
 *
 * Anybody can write any source address, and each IKE_SA_INIT request asks for a key
 * exchange and half an IKE SA.  So a few half-open SAs of one address are for free, as
 * are a few more in all; from then on we keep and compute nothing before the
 * initiator has shown, by sending a cookie back, that it receives at the
 * address it writes.  The cookie is an HMAC over what it came with, under a secret that
 * changes; nothing is kept for it.
 *
 * The limits count by the configured address, and those for `peer any` apart.  Made-up
 * packets with a peer's address never get beyond the cookie, and so the peer itself,
 * which does, always finds room.
 */

#include <string.h>

#include "exchange/exchange.h"

#define COOKIE_SECRET_MS 60000	/* a secret is used that long, and once more as the old one */
#define COOKIE_MAC	16

#define FREE_PEER	4	/* half-open without a cookie: one configured address */
#define FREE_ANY	64	/* ... any other address, together */
#define FREE_ALL	256	/* ... all */

static void
rotate(struct world *w)
{
	struct cookie_state	*c = &w->cookie;
	int			 n = 1;

	if (c->until.us != 0 && mono_before(w->now, c->until))
		return;
	/* after a long rest the secret before is too old, too */
	if (c->until.us == 0 || mono_reached(mono_add_ms(c->until, COOKIE_SECRET_MS),
	    w->now))
		n = 2;
	while (n-- > 0) {
		c->version++;
		world_random(w, c->secret[c->version & 1], sizeof(c->secret[0]));
	}
	c->until = mono_add_ms(w->now, COOKIE_SECRET_MS);
}

/* version | HMAC(secret, Ni | IPi | port, SPIi): 0 or -1. */
static int
make(struct world *w, const struct rx *rx, uint8_t version, uint8_t out[COOKIE_LEN])
{
	struct span	key = { w->cookie.secret[version & 1], sizeof(w->cookie.secret[0]) };
	struct span	data[3];
	uint8_t		num[10], mac[PRF_MAXLEN];
	struct wbuf	b;

	wbuf_init(&b, num, sizeof(num));
	wbuf_u16(&b, rx->remote.port);
	wbuf_u64(&b, rx->hdr.spii);
	data[0] = rx->m->nonce;
	data[1].p = rx->remote.addr.b;
	data[1].len = addr_len(&rx->remote.addr);
	data[2].p = num;
	data[2].len = sizeof(num);
	if (prf(w->crypto, PRF_HMAC_SHA2_256, key, data, 3, mac) == -1)
		return (-1);
	out[0] = version;
	memcpy(out + 1, mac, COOKIE_MAC);
	return (0);
}

static int
is_any(const struct world *w, uint32_t first)
{
	return (addr_is_any(&peer_conf(w, first)->remote));
}

int
cookie_wanted(const struct world *w, uint32_t first)
{
	return (w->nhalfresp >= FREE_ALL ||
	    w->peers[first].nhalf >= (is_any(w, first) ? FREE_ANY : FREE_PEER));
}

int
cookie_good(struct world *w, const struct rx *rx)
{
	struct span	c = rx->m->notify[0].data;
	uint8_t		want[COOKIE_LEN];

	rotate(w);
	if (!rx->m->cookie_first || c.len != COOKIE_LEN ||
	    (c.p[0] != w->cookie.version &&
	    c.p[0] != (uint8_t)(w->cookie.version - 1)) ||
	    make(w, rx, c.p[0], want) == -1)
		return (0);
	return (crypto_equal(c.p, want, sizeof(want)));
}

void
cookie_ask(struct world *w, const struct rx *rx)
{
	uint8_t	c[COOKIE_LEN];
	char	a[ADDR_STRLEN];

	rotate(w);
	if (make(w, rx, w->cookie.version, c) == -1)
		return;
	if (world_allow(w, &w->b_cookie, 1, 60000))
		log_event(w->log, WHY_COOKIE,
		    "peer %s: many half-open IKE SAs: IKE_SA_INIT wants a "
		    "cookie first", addr_str(&rx->remote.addr, a));
	notify_plain(w, rx, N_COOKIE, c, sizeof(c));
}

int
half_room(const struct world *w, uint32_t first)
{
	if (is_any(w, first))
		return (w->nhalfany < HALF_ANY);
	return (w->peers[first].nhalf < HALF_PER_PEER);
}
