/* SPDX-License-Identifier: ISC */
/*
 * What routers say of our probes.  With `target gateway' a probe has the TTL 1, and that it was
 * exceeded is the peer's gateway's answer, if it came by the tunnel: from an address inside of
 * the `to' nets.  From another address it says only that the way there works; and even that not
 * by itself, for a router on this side of the tunnel says the same of a probe that NAT has taken
 * past it.  So such answers count when the counters say that the probes enter the tunnel.  They
 * prove nothing of the way back: nothing is done to a tunnel (`ever' is not set), and when
 * hosts' packets leave and none comes, that is said.
 *
 * Believed is who quotes the probe with its cookie (icmp_error.h): nobody else has seen it.
 */

#include <stdio.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define UNANSWERED	8	/* hosts' packets in a window without one that comes */

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

/* After each window with probes. */
void
outward_judge(struct target *t, const struct evidence *e, enum verdict *v)
{
	/* answers to the peer's own probes leave, too: as many as come */
	int enter = e->out * 4 >= e->probes * 3 + e->in * 4;

	t->outward = (t->outward || (t->around > 0 && enter)) && !verdict_still(e);
	t->around = 0;
	/* what comes back are hosts' packets: more than the gateway can say */
	if (t->outward && *v == VERDICT_SILENT)
		*v = VERDICT_NONE;
}

/* Of one that is up: hosts have sent enough for somebody to answer. */
int
outward_worth(const struct target *t, const struct evidence *e)
{
	return (t->outward && e->out >= e->probes + UNANSWERED);
}

static void
outward(struct watch *w, struct target *t, int who, const struct probe *p, const char *text,
    monotime now)
{
	monotime soon = mono_add_ms(now, WATCH_WINDOW_MS);

	if (!t->outward) {
		if (t->around < UINT8_MAX)
			t->around++;
		if (t->state != WATCH_UP && w->linked && mono_before(soon, t->next_look))
			t->next_look = soon;
		target_failed(w, t, p, text, now);
		return;
	}
	target_reply(w, t, (unsigned int)who, p, now);
	if (t->evidence == NULL)
		t->evidence = strdup(text);
}

static void
inward(struct watch *w, struct target *t, int who, const struct probe *p, monotime now)
{
	if (t->outward && t->state == WATCH_UP)
		t->ever = 1;
	t->outward = t->around = 0;
	target_reply(w, t, (unsigned int)who, p, now);
}

static void
say(const struct icmp_error *e, const struct addr *from, int gateway, char *dst, size_t cap)
{
	char a[ADDR_STRLEN];

	(void)addr_str(from, a);
	if (e->kind == ICMP_EXPIRED && gateway)
		(void)snprintf(dst, cap, "the gateway answers from %s, which is outside of "
		    "the tunnel's nets: only the way there is known to work; name an "
		    "address after target", a);
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
	if (e->p.slot & WATCH_GATE_SLOT) {
		watch_gate_heard(w, from, &e->p, 0, now);
		return;
	}
	if (e->p.slot >= w->nslots || (t = w->slots[e->p.slot]) == NULL ||
	    t->id != e->p.id || t->state == 0 || (who = target_index(t, &e->dst)) == -1)
		return;
	gateway = t->conf->ka != NULL && t->conf->ka->gateway;
	if (gateway && e->kind == ICMP_EXPIRED && by_tunnel(t->conf, from)) {
		inward(w, t, who, &e->p, now);
		return;
	}
	say(e, from, gateway, text, sizeof(text));
	if (gateway && e->kind == ICMP_EXPIRED)
		outward(w, t, who, &e->p, text, now);
	else
		target_failed(w, t, &e->p, text, now);
}
