/* SPDX-License-Identifier: ISC */
/* Fields of netwatchd's messages. */

#include <string.h>

#include "keepalive/nwmsg.h"
#include "proc/msg.h"

void
nwmsg_put_target(struct wbuf *w, const struct watch_conf *wc)
{
	uint8_t i;

	wbuf_str(w, wc->name);
	put_addr(w, &wc->target);
	wbuf_u32(w, wc->interval_ms);
	wbuf_u8(w, wc->nfrom);
	for (i = 0; i < wc->nfrom; i++)
		put_prefix(w, &watch_from(wc)[i]);
	wbuf_u8(w, wc->nto);
	for (i = 0; i < wc->nto; i++)
		put_prefix(w, &watch_to(wc)[i]);
}

static uint8_t
get_prefixes(struct rbuf *r, struct prefix *p)
{
	uint8_t i, n = rbuf_u8(r);

	if (n > TS_MAX) {
		rbuf_fail(r);
		return (0);
	}
	for (i = 0; i < n; i++)
		get_prefix(r, &p[i]);
	return (n);
}

int
nwmsg_get_target(struct rbuf *r, struct watch_conf *wc)
{
	memset(wc, 0, sizeof(*wc));
	rbuf_str(r, wc->name, sizeof(wc->name));
	get_addr(r, &wc->target);
	wc->interval_ms = rbuf_u32(r);
	wc->nfrom = get_prefixes(r, watch_from(wc));
	wc->nto = get_prefixes(r, watch_to(wc));
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}
