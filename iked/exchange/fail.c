/* SPDX-License-Identifier: ISC */
/*
 * How things end: connection attempts, Children, IKE SAs.  Whatever ends,
 * the tunnels it served are touched, and the engine looks whether they are still
 * wanted.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exchange/exchange.h"

const char *
peer_name(const struct world *w, uint32_t peer)
{
	uint32_t	t;

	if (peer == NO_INDEX || (t = w->peers[peer].tunnels) == 0)
		return ("?");
	return (tunnel_conf(w, t - 1)->name);
}

/* 1 s, 2 s, 4 s ... 30 s, less up to a quarter at random. */
int64_t
backoff_ms(struct world *w, uint32_t tries)
{
	int64_t	ms = BACKOFF_FIRST;

	while (tries-- > 1 && ms < BACKOFF_CAP)
		ms *= 2;
	if (ms > BACKOFF_CAP)
		ms = BACKOFF_CAP;
	return (world_jitter(w, ms, 25));
}

int64_t
backoff_silent_ms(struct world *w, uint32_t tries)
{
	int64_t	ms = backoff_ms(w, tries), cap = (int64_t)w->conf->npeers * 20;

	/* it may be back at any time; but a thousand dead ones are not knocked at in vain */
	cap = cap < SILENT_CAP ? SILENT_CAP : cap;
	return (ms < cap ? ms : world_jitter(w, cap, 25));
}

void
half_fail(struct world *w, struct ike_half *h, enum reason code, const char *fmt, ...)
{
	struct peer	*p;
	va_list		 ap;
	char		 why[560];
	uint32_t	 t;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	p = &w->peers[h->c.peer];
	p->tries++;
	p->silent = 0;
	p->next_try = mono_add_ms(w->now, backoff_ms(w, p->tries));
	log_event(w->log, code, "tunnel \"%s\": %s", h->tunnel != NO_INDEX ?
	    tunnel_conf(w, h->tunnel)->name : peer_name(w, h->c.peer), why);
	for (t = p->tunnels; t != 0; t = w->tunnels[t - 1].next_of_peer) {
		if (tunnel_wanted(w, t - 1)) {
			w->tunnels[t - 1].tries = p->tries;
			tunnel_error(w, t - 1, code, "%s", why);
		}
		touch_tunnel(w, t - 1);
	}
	half_free(w, h);
}

/* How many tunnels of a peer are told that it was refused: anybody can have that. */
#define TOLD_MAX	16

void
peer_refused(struct world *w, uint32_t peer, uint32_t tunnel, const struct addr *who,
    enum reason code, const char *fmt, ...)
{
	va_list		 ap;
	char		 why[860], a[ADDR_STRLEN];
	uint32_t	 t, n = 0;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	t = tunnel != NO_INDEX ? tunnel + 1 : w->peers[peer].tunnels;
	log_event(w->log, code, "tunnel \"%s\", peer %s: %s", t != 0 ?
	    tunnel_conf(w, t - 1)->name : "?", addr_str(who, a), why);
	/* what carries traffic has no fault that a stranger could name */
	for (; t != 0 && n++ < TOLD_MAX; t = w->tunnels[t - 1].next_of_peer) {
		if (child_of_tunnel(w, t - 1) == NULL && !w->tunnels[t - 1].down)
			tunnel_error(w, t - 1, code, "refused to peer %s: %s", a, why);
		if (tunnel != NO_INDEX)
			break;
	}
}

void
tunnel_hold(struct world *w, uint32_t i, enum reason code, const char *fmt, ...)
{
	struct tunnel	*t = &w->tunnels[i];
	va_list		 ap;
	char		 why[560];

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	t->tries++;
	t->hold_until = mono_add_ms(w->now, backoff_ms(w, t->tries));
	tunnel_error(w, i, code, "%s", why);
	log_event(w->log, code, "tunnel \"%s\": %s", tunnel_conf(w, i)->name, why);
	touch_tunnel(w, i);
}

int
tunnel_single(struct world *w, uint32_t i)
{
	struct tunnel	*t = &w->tunnels[i];

	if (t->single || tunnel_conf(w, i)->single ||
	    tunnel_conf(w, i)->from.n + tunnel_conf(w, i)->to.n == 2) {
		/* of a pair it has several: the packet says which */
		if (t->specific || !t->has_acq || t->acq_src.start.fam == ADDR_NONE)
			return (0);
		t->specific = 1;
		touch_tunnel(w, i);
		return (1);
	}
	t->single = 1;
	log_event(w->log, WHY_SINGLE_PAIR,
	    "tunnel \"%s\": the peer wants a Child SA for each pair of "
	    "networks", tunnel_conf(w, i)->name);
	touch_tunnel(w, i);
	return (1);
}

void
child_remove(struct world *w, struct child_sa *c, enum reason code, const char *why)
{
	struct ike_sa	*ike = ike_get(w, c->ike);
	uint32_t	 t = c->tunnel;
	said		 id = c->id;

	child_kernel_delete(w, c, KERN_OUT);
	child_kernel_delete(w, c, KERN_IN);
	if (c->announced)
		w->tally.child_down++;
	child_free(w, c);
	/* where another Child carries the tunnel, nothing is wrong with it */
	if (why != NULL && t != NO_INDEX && child_of_tunnel(w, t) == NULL)
		tunnel_error(w, t, code, "%s", why);
	if (t != NO_INDEX)
		touch_tunnel(w, t);
	if (ike == NULL)
		return;
	/* the peer that asked for it has to hear that nothing comes of it */
	if (ike->pend != NULL && ike->pend->child == id && ike->state != IKE_DEAD)
		reply_without_child(w, ike);
	touch_ike(w, ike);
}

void
ike_remove(struct world *w, struct ike_sa *ike, enum reason code, const char *why)
{
	struct ike_sa	*heir = ike_get(w, ike->theirs);
	struct child_sa	*c;

	/* what the peer may have moved to another IKE SA does not end with this one */
	rekey_ike_yield(w, ike);
	ike_state(w, ike, IKE_DEAD);
	if (heir != NULL) {
		heir->unproven = 0;
		touch_ike(w, heir);
	}
	while ((c = child_get(w, ike->children)) != NULL)
		child_remove(w, c, code, why);
	ike_free(w, ike);
}
