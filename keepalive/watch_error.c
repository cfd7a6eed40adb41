/* SPDX-License-Identifier: ISC */
/*
 * What routers say of our probes.  With `target gateway' a probe has the TTL 1, and that it was
 * exceeded is the peer's gateway's answer, if it came by the tunnel: from an address inside of
 * the `to' nets.  From another address it says only that the way there works.
 *
 * Believed is who quotes the probe with its cookie (icmp_error.h): nobody else has seen it.
 */

#include <stdio.h>

#include "keepalive/watch_local.h"

static int
by_tunnel(const struct watch_conf *wc, const struct addr *from)
{
	uint8_t i;

	for (i = 0; i < wc->nto; i++)
		if (prefix_contains(&watch_to(wc)[i], from))
			return (1);
	return (0);
}

int
watch_by_tunnel(const struct watch *w, uint32_t slot, const struct addr *from)
{
	return (slot < w->nslots && w->slots[slot] != NULL &&
	    by_tunnel(w->slots[slot]->conf, from));
}

static void
say(const struct icmp_error *e, const struct addr *from, int gateway, char *dst, size_t cap)
{
	char a[ADDR_STRLEN];

	(void)addr_str(from, a);
	if (e->kind == ICMP_EXPIRED && gateway)
		(void)snprintf(dst, cap, "the gateway answers from %s, which is outside of "
		    "the tunnel's nets: its way back is not known to work; name an address "
		    "after target", a);
	else if (e->kind == ICMP_EXPIRED)
		(void)snprintf(dst, cap, "%s says that the time to live was exceeded", a);
	else if (e->kind == ICMP_TOOBIG && e->mtu != 0)
		(void)snprintf(dst, cap, "%s lets no packet above %u octets pass", a, e->mtu);
	else if (e->kind == ICMP_TOOBIG)
		(void)snprintf(dst, cap, "%s lets no packet of that size pass", a);
	else
		(void)snprintf(dst, cap, "%s says that the target cannot be reached", a);
}

void
watch_error(struct watch *w, const struct addr *from, const struct icmp_error *e,
    monotime now)
{
	struct target *t;
	char text[ERRTEXT + ADDR_STRLEN];
	int who, gateway;

	if (!e->whole)
		return;
	if (e->p.slot & WATCH_PMTU_SLOT) {
		watch_pmtu_error(w, e, now);
		return;
	}
	if (e->p.slot >= w->nslots || (t = w->slots[e->p.slot]) == NULL ||
	    t->id != e->p.id || t->state == 0 || (who = target_index(t, &e->dst)) == -1)
		return;
	gateway = t->conf->ka != NULL && t->conf->ka->gateway;
	if (gateway && e->kind == ICMP_EXPIRED && by_tunnel(t->conf, from)) {
		target_reply(w, t, (unsigned int)who, &e->p, now);
		return;
	}
	say(e, from, gateway, text, sizeof(text));
	target_failed(w, t, &e->p, text, now);
}
