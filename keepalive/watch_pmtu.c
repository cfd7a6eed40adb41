/* SPDX-License-Identifier: ISC */
/*
 * The search for the largest packet that passes (pmtu.h), for targets that want it and
 * are up.  Its probes are in no count and no history; slots of theirs have a bit that no
 * target's slot has.
 */

#include <errno.h>
#include <stdlib.h>

#include "keepalive/how.h"
#include "keepalive/watch_local.h"

static uint16_t
headers(const struct target *t)
{
	return (t->conf->target.fam == ADDR_V4 ? 20 : 40);
}

static void
say_found(struct watch *w, const struct target *t)
{
	uint16_t size = t->pmtu->result, mss = pmtu_mss(size,
	    t->conf->target.fam);

	if (size >= PMTU_LIMIT)
		log_info(w->io->log, "keepalive \"%s\": packets of %u octets "
		    "pass: no TCP needs a smaller segment", t->conf->name, size);
	else if (size < t->pmtu->floor)
		log_warnx(w->io->log, "keepalive \"%s\": no packet above %u "
		    "octets passes, and each host may send %u: somewhere on the "
		    "way large packets are eaten; until then let TCP use "
		    "segments of %u (nftables: tcp option maxseg size set %u; "
		    "pf: scrub max-mss %u)", t->conf->name, size,
		    t->pmtu->floor, mss, mss, mss);
	else
		log_info(w->io->log, "keepalive \"%s\": packets up to %u octets "
		    "pass; where larger ones get stuck let TCP use segments of "
		    "%u (nftables: tcp option maxseg size set %u; pf: scrub "
		    "max-mss %u)", t->conf->name, size, mss, mss, mss);
}

static void
take_news(struct watch *w, struct target *t, enum pmtu_news news)
{
	switch (news) {
	case PMTU_FOUND:
		say_found(w, t);
		todo_set(w, t, TODO_REPORT);
		break;
	case PMTU_GAVEUP:
		log_debug(w->io->log, "keepalive \"%s\": too much is lost to "
		    "tell how large packets may be", t->conf->name);
		break;
	case PMTU_NONE:
	case PMTU_SAME:
		break;
	}
}

void
target_pmtu_state(struct watch *w, struct target *t, monotime now)
{
	if (t->state != WATCH_UP) {
		if (t->pmtu != NULL)
			pmtu_pause(t->pmtu);
		return;
	}
	if (t->conf->ka == NULL || !t->conf->ka->pmtu)
		return;
	if (t->pmtu != NULL)
		pmtu_again(t->pmtu, now, w->io->random(w->io->arg));
	else if ((t->pmtu = malloc(sizeof(*t->pmtu))) != NULL)
		pmtu_init(t->pmtu, t->conf->target.fam, now);
}

void
target_pmtu_rekeyed(struct watch *w, struct target *t, monotime now)
{
	if (t->pmtu == NULL || t->state != WATCH_UP)
		return;
	pmtu_again(t->pmtu, now, w->io->random(w->io->arg));
	target_reschedule(w, t, now);
}

/* It goes into the tunnel, and is no host's. */
static void
note_sent(struct target *t)
{
	t->win_sent++;
	if (t->pace != NULL)
		t->pace->sent++;
}

/* t->src has been checked when the target came up, and what changes it ends that. */
void
target_pmtu_expire(struct watch *w, struct target *t, monotime now)
{
	struct pmtu *pm = t->pmtu;
	enum pmtu_news news;
	struct icmp_route room;
	struct probe p = { .slot = t->slot | WATCH_PMTU_SLOT, .id = t->id,
	    .sent_us = now.us, .due_us = now.us };
	uint16_t size;
	int error;

	if (pm == NULL || t->state != WATCH_UP || !mono_reached(pm->at, now) ||
	    !target_may_send(t))
		return;
	size = pmtu_step(pm, now, w->io->random(w->io->arg), &news);
	take_news(w, t, news);
	if (size == 0)
		return;
	how_probe(t->conf->ka, &p, &room);
	p.seq = pm->seq;
	p.size = size - headers(t);
	p.nodf = 0;
	error = w->io->probe(w->io->arg, t->conf->ka, &t->src,
	    &t->conf->target, &p);
	if (error == 0)
		note_sent(t);
	/* Without room in the kernel it is as good as lost, and tried again. */
	if (error != 0 && error != EINPROGRESS && error != EAGAIN &&
	    error != ENOBUFS)
		take_news(w, t, pmtu_failed(pm, p.seq, error, now,
		    w->io->random(w->io->arg)));
}

static struct target *
find(const struct watch *w, const struct probe *p)
{
	uint32_t slot = p->slot & ~WATCH_PMTU_SLOT;
	struct target *t;

	if (slot >= w->nslots || (t = w->slots[slot]) == NULL ||
	    t->id != p->id || t->pmtu == NULL || t->state != WATCH_UP)
		return (NULL);
	return (t);
}

void
watch_pmtu_sent(struct watch *w, const struct probe *p, int error, monotime now)
{
	struct target *t = find(w, p);

	if (t == NULL || error == EAGAIN || error == ENOBUFS)
		return;
	if (error == 0) {
		note_sent(t);
		return;
	}
	take_news(w, t, pmtu_failed(t->pmtu, p->seq, error, now,
	    w->io->random(w->io->arg)));
	target_reschedule(w, t, now);
}

/* Too big for somebody on the way: that size is out, and what passes there is tried next. */
void
watch_pmtu_error(struct watch *w, const struct icmp_error *e, monotime now)
{
	struct target *t = find(w, &e->p);

	if (t == NULL || e->kind != ICMP_TOOBIG || addr_cmp(&e->dst, &t->conf->target) != 0 ||
	    e->mtu >= (uint32_t)e->p.size + headers(t))
		return;
	if (e->mtu != 0)
		pmtu_hint(t->pmtu, (uint16_t)e->mtu);
	take_news(w, t, pmtu_failed(t->pmtu, e->p.seq, EMSGSIZE, now,
	    w->io->random(w->io->arg)));
	target_reschedule(w, t, now);
}

void
watch_pmtu_reply(struct watch *w, const struct addr *from,
    const struct probe *p, monotime now)
{
	struct target *t = find(w, p);

	if (t == NULL || addr_cmp(from, &t->conf->target) != 0 ||
	    p->size > UINT16_MAX - headers(t))
		return;
	t->win_replies++;
	if (t->pace != NULL)
		t->pace->replies++;
	take_news(w, t, pmtu_reply(t->pmtu, p->seq, p->size + headers(t), now,
	    w->io->random(w->io->arg)));
	target_reschedule(w, t, now);
}
