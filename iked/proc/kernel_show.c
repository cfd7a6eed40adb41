/* SPDX-License-Identifier: ISC */
/*
 * What the system really has: its SAs and policies, ours and others', and which of our
 * policies it lacks.
 *
 * They are read into a snapshot, and control takes slices of it at its own pace.  Who comes
 * while one is being read, or shortly after, shares it; there is one at a time, and it
 * does not outlive its readers for long.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define WAITING		32	/* questions; control has no more clients */
#define FRESH_MS	1000	/* so old a snapshot is shared */
#define FORGET_SECS	20.	/* after the last slice */

static struct {
	struct system_rec	*sa;
	size_t			 nsa, cap;
	struct kseen		 seen;		/* policies, sorted */
	uint32_t		 serial;	/* 0: none yet */
	uint32_t		 gen;		/* of the table it is compared with */
	int			 whole, reading, nomem;
	monotime		 taken;
	uint64_t		 waiting[WAITING];	/* tokens */
	size_t			 nwaiting;
	ev_timer		 forget;
} snap;

/* --- records --- */

static const char *
encr_word(const struct kern_sa *sa)
{
	return (sa->encr_name[0] != '\0' ? sa->encr_name : sa->encr == 0 ? "" :
	    xform_name(XF_ENCR, sa->encr, sa->encr_keybits));
}

static const char *
integ_word(const struct kern_sa *sa)
{
	return (sa->integ_name[0] != '\0' ? sa->integ_name :
	    sa->integ == INTEG_NONE ? "" : xform_name(XF_INTEG, sa->integ, 0));
}

static void
host(struct prefix *p, const struct addr *a)
{
	p->addr = *a;
	p->len = (uint8_t)(addr_len(a) * 8);
}

/* Whose it is, and which way it goes; the endpoints of a tunnel tell. */
static void
sa_owner(const struct ktable *kt, const struct kern_sa *sa, struct system_rec *r)
{
	int64_t t;

	r->whose = SYSTEM_FOREIGN;
	if (kt == NULL || !kernel_is_ours(kt, sa) ||
	    (t = ktable_byreqid(kt, sa->reqid)) == -1)
		return;
	r->whose = SYSTEM_OURS;
	(void)strlcpy(r->tunnel, kt->conf->tunnels[t].name, sizeof(r->tunnel));
	r->dir = ktable_endpoints(kt, (uint32_t)t, &sa->src, &sa->dst) ||
	    ktable_moved(kt, (uint32_t)t, &sa->src, &sa->dst) ? KERN_OUT : KERN_IN;
}

void
kshow_sa(const struct ktable *kt, const struct kern_sa *sa, uint64_t now,
    struct system_rec *r)
{
	const char *e = encr_word(sa), *a = integ_word(sa);
	uint64_t age = sa->addtime != 0 && now > sa->addtime ? now - sa->addtime : 0;

	memset(r, 0, sizeof(*r));
	r->what = SYSTEM_SA;
	sa_owner(kt, sa, r);
	r->ipproto = sa->ipproto;
	r->transport = sa->transport != 0;
	r->othermode = sa->othermode != 0;
	r->encap = sa->encap_sport != 0 || sa->encap_dport != 0;
	host(&r->src, &sa->src);
	host(&r->dst, &sa->dst);
	r->spi = sa->spi;
	r->reqid = sa->reqid;
	r->mark = sa->mark;
	r->if_id = sa->if_id;
	r->bytes = sa->bytes;
	r->packets = sa->packets;
	r->age_ms = age > UINT32_MAX ? 0 : age * 1000;
	if (sa->life.hard_secs != 0 && sa->life.hard_secs < UINT32_MAX)
		r->expires_in_ms = sa->life.hard_secs > age ?
		    (sa->life.hard_secs - age) * 1000 : 1;
	(void)snprintf(r->suite, sizeof(r->suite), "%s%s%s", e,
	    e[0] != '\0' && a[0] != '\0' ? " " : "", a);
}

static void
policy_fields(const struct kern_policy *p, struct system_rec *r)
{
	int out = p->dir == KERN_OUT;

	r->what = SYSTEM_POLICY;
	r->ipproto = p->ipproto;
	r->transport = p->transport != 0;
	r->othermode = p->othermode != 0;
	r->dir = (uint8_t)p->dir;
	r->action = (uint8_t)p->action;
	r->src = p->src;
	r->dst = p->dst;
	r->local = out ? p->tsrc : p->tdst;
	r->remote = out ? p->tdst : p->tsrc;
	r->reqid = p->reqid;
	r->prio = p->prio;
	r->mark = p->mark;
	r->if_id = p->if_id;
	r->proto = p->proto;
	r->sport = p->sport;
	r->dport = p->dport;
	r->bytes = p->bytes;
	r->packets = p->packets;
}

void
kshow_policy(const struct ktable *kt, const struct kern_policy *p, struct system_rec *r)
{
	struct kern_policy caller = *p;
	const struct kpol *k = NULL;
	int64_t t = -1;

	memset(r, 0, sizeof(*r));
	policy_fields(p, r);
	r->whose = SYSTEM_FOREIGN;
	/* with a mark it stands beside ours, not in its place */
	if (kt == NULL || (p->mark | p->if_id) != 0)
		return;
	if ((k = ktable_find((struct ktable *)(uintptr_t)kt, p)) != NULL) {
		t = k->tunnel;
		r->whose = kpol_as(p, &k->p) ? SYSTEM_OURS : SYSTEM_DIFFERS;
	} else if (khost_now(&caller)) {
		t = ktable_byreqid(kt, caller.reqid);
		r->whose = p->reqid == caller.reqid ? SYSTEM_OURS : SYSTEM_DIFFERS;
	}
	if (t != -1)
		(void)strlcpy(r->tunnel, kt->conf->tunnels[t].name,
		    sizeof(r->tunnel));
}

/* One of ours that the dump had not. */
static void
missing(const struct ktable *kt, const struct kpol *k, struct system_rec *r)
{
	memset(r, 0, sizeof(*r));
	policy_fields(&k->p, r);
	r->ipproto = k->p.action == KERN_IPSEC ? 50 : 0;
	r->whose = SYSTEM_MISSING;
	(void)strlcpy(r->tunnel, kt->conf->tunnels[k->tunnel].name, sizeof(r->tunnel));
}

/* --- slices --- */

static void
refuse(uint64_t token, const char *why)
{
	struct outcome o;
	struct msg m;

	memset(&o, 0, sizeof(o));
	o.token = token;
	(void)strlcpy(o.text, why, sizeof(o.text));
	msg_put_outcome(&m, M_SYSTEM_ANS, &o);
	(void)chan_put(kn.control, &m);
}

/* The record at a place: SAs, policies, missing ones.  1; 0: nothing is there, go on; -1:
 * the end. */
static int
record(size_t at, struct system_rec *r)
{
	const struct kpol *k;

	if (at < snap.nsa) {
		*r = snap.sa[at];
		return (1);
	}
	if ((at -= snap.nsa) < snap.seen.n) {
		kshow_policy(kn.now, &snap.seen.p[at], r);
		return (1);
	}
	at -= snap.seen.n;
	if (kn.now == NULL || kn.flushed || at >= kn.now->npol)
		return (-1);
	k = &kn.now->pol[at];
	if (kseen_find(&snap.seen, &k->p) != NULL)
		return (0);
	missing(kn.now, k, r);
	return (1);
}

static uint32_t
generation(void)
{
	return (kn.now != NULL ? kn.now->conf->gen : 0);
}

static void
slice(uint64_t token, uint32_t at)
{
	struct system_rec rec;
	struct slice s;
	struct msg m;
	int rv = 0;

	memset(&s, 0, sizeof(s));
	s.token = token;
	msg_put_slice(&m, M_SYSTEM_RECS, &s);
	while (m.w.cap - m.w.len >= SYSTEM_RECMAX && (rv = record(at, &rec)) != -1) {
		at++;
		if (rv == 1) {
			put_system_rec(&m.w, &rec);
			s.n++;
		}
	}
	s.more = rv != -1;
	s.cursor = (uint64_t)snap.serial << 32 | at;
	msg_patch_slice(&m, &s);
	(void)chan_put(kn.control, &m);
	ev_timer_stop(kn.ch->loop, &snap.forget);
	ev_timer_set(&snap.forget, FORGET_SECS, 0.);
	ev_timer_start(kn.ch->loop, &snap.forget);
}

/* --- the snapshot --- */

static void
drop(void)
{
	free(snap.sa);
	snap.sa = NULL;
	snap.nsa = snap.cap = 0;
	kseen_free(&snap.seen);
	snap.whole = 0;
}

static void
forget(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	if (!snap.reading)
		drop();
}

/* What was taken away is told of by the kernel, as a rule; here it is seen. */
static void
compare(void)
{
	size_t i;

	for (i = 0; kn.now != NULL && i < kn.now->npol; i++)
		if (!kseen_has(&snap.seen, &kn.now->pol[i].p)) {
			kguard_look();
			return;
		}
}

static void
taken(const char *why)
{
	size_t i;

	snap.reading = 0;
	snap.taken = mono_now();
	snap.gen = generation();
	if (++snap.serial == 0)
		snap.serial = 1;
	kseen_sort(&snap.seen);
	if ((snap.whole = why == NULL))
		compare();
	for (i = 0; i < snap.nwaiting; i++)
		if (why != NULL)
			refuse(snap.waiting[i], why);
		else
			slice(snap.waiting[i], 0);
	snap.nwaiting = 0;
	if (why != NULL)
		drop();
}

static const char *
cannot(int err)
{
	return (err != 0 ? "the kernel's databases cannot be listed; try again" :
	    snap.nomem || snap.seen.err ? "out of memory" :
	    kn.job != NULL ? "a change is under way; try again" : NULL);
}

static void
add_sa(const struct kern_sa *sa)
{
	struct system_rec *p;
	size_t cap;

	if (snap.nsa == snap.cap) {
		cap = snap.cap == 0 ? 64 : snap.cap * 2;
		if ((p = reallocarray(snap.sa, cap, sizeof(*p))) == NULL) {
			snap.nomem = 1;
			return;
		}
		snap.sa = p;
		snap.cap = cap;
	}
	kshow_sa(kn.now, sa, (uint64_t)time(NULL), &snap.sa[snap.nsa++]);
}

static void
sa_came(void *arg, int err, const struct kern_sa *sa)
{
	(void)arg;
	if (sa != NULL)
		add_sa(sa);
	else
		taken(cannot(err));
}

static void
policy_came(void *arg, int err, const struct kern_policy *p)
{
	(void)arg;
	if (p != NULL) {
		kseen_add(&snap.seen, p);
		return;
	}
	if (err != 0 || snap.seen.err)
		taken(cannot(err));
	else if (kern_sa_dump(kn.kern, mono_now(), sa_came, NULL) == -1)
		taken(cannot(errno));
}

static void
take(void)
{
	drop();
	snap.nomem = 0;
	snap.reading = 1;
	if (kern_policy_dump(kn.kern, mono_now(), policy_came, NULL) == -1)
		taken(cannot(errno));
	kernel_settle();
}

static int
is_fresh(void)
{
	return (snap.whole && snap.gen == generation() &&
	    mono_diff_us(mono_now(), snap.taken) < FRESH_MS * 1000);
}

int
kernel_show(struct rbuf *r)
{
	struct policy_ask ask;

	if (msg_get_policies(r, &ask) == -1)
		return (-1);
	if (ask.cursor != 0) {
		if (snap.whole && ask.cursor >> 32 == snap.serial &&
		    snap.gen == generation())
			slice(ask.token, (uint32_t)ask.cursor);
		else
			refuse(ask.token, "the kernel's databases were read anew "
			    "meanwhile; try again");
		return (0);
	}
	if (!snap.reading && is_fresh()) {
		slice(ask.token, 0);
		return (0);
	}
	if (kn.job != NULL || snap.nwaiting == WAITING) {
		refuse(ask.token, "a change is under way; try again");
		return (0);
	}
	if (!ev_is_active(&snap.forget))
		ev_init(&snap.forget, forget);
	snap.waiting[snap.nwaiting++] = ask.token;
	if (!snap.reading)
		take();
	return (0);
}
