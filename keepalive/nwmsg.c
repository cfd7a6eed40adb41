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
	put_addr(w, &wc->source);
	wbuf_u8(w, (uint8_t)(wc->nmore + 1));
	put_addr(w, &wc->target);
	for (i = 0; i < wc->nmore; i++)
		put_addr(w, &wc->more[i]);
	conf_keepalive_put(w, wc->ka);
	wbuf_u8(w, wc->dynamic);
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

static int
get_targets(struct rbuf *r, struct watch_conf *wc)
{
	struct addr a;
	unsigned int i, n = rbuf_u8(r);

	if (n == 0 || n > CONF_TARGETS)
		return (-1);
	for (i = 0; i < n; i++) {
		get_addr(r, &a);
		if (watch_conf_target(wc, &a) == -1)
			return (-1);
	}
	return (rbuf_ok(r) ? 0 : -1);
}

int
nwmsg_get_target(struct rbuf *r, struct watch_conf *wc, struct conf_kashare *s)
{
	struct conf_keepalive *ka;

	memset(wc, 0, sizeof(*wc));
	rbuf_str(r, wc->name, sizeof(wc->name));
	get_addr(r, &wc->source);
	if (get_targets(r, wc) == -1 || (ka = conf_keepalive_get(r,
	    KA_APART)) == NULL)
		goto fail;
	wc->interval_ms = ka->interval_ms;
	wc->ka = ka;
	wc->dynamic = rbuf_u8(r);
	wc->nfrom = get_prefixes(r, watch_from(wc));
	wc->nto = get_prefixes(r, watch_to(wc));
	if (!rbuf_ok(r) || rbuf_left(r) != 0 || ka->quorum > wc->nmore + 1 ||
	    wc->dynamic > 1)
		goto fail;
	wc->ka = conf_keepalive_share(s, ka);
	return (0);
fail:
	watch_conf_clear(wc);
	return (-1);
}

void
nwmsg_put_sockkey(struct wbuf *w, const struct icmp_sockkey *k)
{
	wbuf_u8(w, k->fam);
	wbuf_u8(w, k->nodf);
	wbuf_u8(w, k->route.kind);
	wbuf_u32(w, k->route.number);
	wbuf_str(w, k->route.vrf);
}

int
nwmsg_get_sockkey(struct rbuf *r, struct icmp_sockkey *k)
{
	memset(k, 0, sizeof(*k));
	k->fam = rbuf_u8(r);
	k->nodf = rbuf_u8(r);
	k->route.kind = rbuf_u8(r);
	k->route.number = rbuf_u32(r);
	rbuf_str(r, k->route.vrf, sizeof(k->route.vrf));
	return (rbuf_ok(r) && rbuf_left(r) == 0 && (k->fam == ADDR_V4 ||
	    k->fam == ADDR_V6) && k->nodf <= 1 && k->route.kind <= ICMP_VRF ?
	    0 : -1);
}

void
nwmsg_put_totals(struct wbuf *w, const struct watch_totals *tot)
{
	const uint64_t head[] = { tot->targets, tot->up, tot->sent,
	    tot->received, tot->lost, tot->late, tot->probes, tot->refused,
	    tot->delayed, tot->octets };
	size_t i;

	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		wbuf_u64(w, head[i]);
	for (i = 0; i < WATCH_LATE_MS; i++)
		wbuf_u64(w, tot->lateness[i]);
}

int
nwmsg_get_totals(struct rbuf *r, struct watch_totals *tot)
{
	uint64_t *const head[] = { &tot->targets, &tot->up, &tot->sent,
	    &tot->received, &tot->lost, &tot->late, &tot->probes, &tot->refused,
	    &tot->delayed, &tot->octets };
	size_t i;

	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		*head[i] = rbuf_u64(r);
	for (i = 0; i < WATCH_LATE_MS; i++)
		tot->lateness[i] = rbuf_u64(r);
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}

void
nwmsg_put_hook(struct wbuf *w, const struct hook_event *ev)
{
	wbuf_str(w, ev->name);
	wbuf_u8(w, ev->kind);
	wbuf_str(w, ev->state);
	wbuf_str(w, ev->verdict);
	put_addr(w, &ev->source);
	put_addr(w, &ev->target);
	wbuf_u32(w, ev->rtt_us);
	wbuf_u16(w, ev->loss);
	wbuf_str(w, ev->reason);
}

int
nwmsg_get_hook(struct rbuf *r, struct hook_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	rbuf_str(r, ev->name, sizeof(ev->name));
	ev->kind = rbuf_u8(r);
	rbuf_str(r, ev->state, sizeof(ev->state));
	rbuf_str(r, ev->verdict, sizeof(ev->verdict));
	get_addr(r, &ev->source);
	get_addr(r, &ev->target);
	ev->rtt_us = rbuf_u32(r);
	ev->loss = rbuf_u16(r);
	rbuf_str(r, ev->reason, sizeof(ev->reason));
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}
