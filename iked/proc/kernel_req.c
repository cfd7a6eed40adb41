/* SPDX-License-Identifier: ISC */
/*
 * What ike and control ask of the kernel process, and what the kernel tells them.
 * ike may have been taken over: it can only make and delete SAs that fit a tunnel of
 * the parent's table.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define INFLIGHT_MAX	1024	/* then ike waits: libpfkey's table has an end */

struct inflight {
	uint64_t	token;
	int		caller;		/* an outbound SA with policies of its own */
	uint32_t	spi;
	struct addr	dst;
};

static void
answer(uint64_t token, int err, const char *what, const struct kern_sa *sa)
{
	struct kernel_ans a;
	UNFILLED struct msg m;

	if (token == 0)			/* nobody waits */
		return;
	memset(&a, 0, sizeof(a));
	a.token = token;
	a.err = err;
	if (what != NULL)
		(void)strlcpy(a.what, what, sizeof(a.what));
	if (sa != NULL) {
		a.bytes = sa->bytes;
		a.packets = sa->packets;
		a.usetime = sa->usetime;
	}
	msg_put_kernel_ans(&m, &a);
	if (chan_put(kn.ike, &m) == -1 && !kn.ike_gone && chan_isopen(kn.ike))
		log_error(&kn.ch->log, WHY_PROCESS, "answer to ike lost");
}

void
kernel_begun(void)
{
	if (++kn.inflight == INFLIGHT_MAX)
		chan_pause(kn.ike, 1);
}

void
kernel_ended(void)
{
	if (kn.inflight-- == INFLIGHT_MAX)
		chan_pause(kn.ike, 0);
}

static void
op_done(void *arg, int err, const char *what)
{
	struct inflight *f = arg;

	/* what may be there ike deletes, and they go with it */
	if (f->caller && err != 0 && err != ETIMEDOUT)
		khost_delete(f->spi, &f->dst);
	answer(f->token, err, what, NULL);
	free(f);
	kernel_ended();
}

static void
query_done(void *arg, int err, const struct kern_sa *sa)
{
	struct inflight *f = arg;

	answer(f->token, sa == NULL && err == 0 ? ESRCH : err, NULL, sa);
	free(f);
	kernel_ended();
}

struct ktable *
kernel_generation(uint32_t gen)
{
	if (kn.now != NULL && kn.now->conf->gen == gen)
		return (kn.now);
	if (kn.before != NULL && kn.before->conf->gen == gen)
		return (kn.before);
	if (kn.next != NULL && kn.next->conf->gen == gen)
		return (kn.next);
	return (NULL);
}

/* Which of the two addresses is ours; -1: the pair does not fit the tunnel. */
static int
check_endpoints(const struct ktable *kt, const struct kernel_req *q)
{
	int (*fit)(const struct ktable *, uint32_t, const struct addr *,
	    const struct addr *) = q->moved ? ktable_moved : ktable_endpoints;
	const struct kern_sa *sa = &q->sa;
	int out, in;

	/* a name without an address is not any address */
	if (sa->src.fam == ADDR_NONE || sa->dst.fam != sa->src.fam ||
	    kt->conf->peers[kt->conf->tunnels[q->tunnel].peer].absent != NULL)
		return (-1);
	out = fit(kt, q->tunnel, &sa->src, &sa->dst);
	in = fit(kt, q->tunnel, &sa->dst, &sa->src);
	switch (sa->dir) {
	case KERN_OUT:
		return (out ? 0 : -1);
	case KERN_IN:
		return (in ? 0 : -1);
	default:
		return (out || in ? 0 : -1);
	}
}

static int
check_algorithms(const struct kern_sa *sa)
{
	const struct xform_info *e, *g;

	if (!kern_can(&kn.caps, sa->encr, sa->encr_keybits, sa->integ) ||
	    (e = xform_info(XF_ENCR, sa->encr, sa->encr_keybits)) == NULL ||
	    sa->encr_keylen != e->keylen)
		return (-1);
	if (e->aead || sa->integ == INTEG_NONE)
		return (sa->integ_keylen == 0 && e->aead ? 0 : -1);
	return ((g = xform_info(XF_INTEG, sa->integ, 0)) != NULL &&
	    sa->integ_keylen == g->keylen ? 0 : -1);
}

/* Where the address is given, nobody gets a network. */
static int
hosts_only(const struct tslist *l)
{
	uint8_t i;

	for (i = 0; l != NULL && i < l->n; i++)
		if (addr_cmp(&l->t[i].start, &l->t[i].end) != 0)
			return (0);
	return (1);
}

/* 0, or an errno with *why. */
static int
check_request(const struct ktable *kt, const struct kernel_req *q,
    const char **why)
{
	const struct conf_tunnel *t = &kt->conf->tunnels[q->tunnel];

	*why = "not an ESP SA of the tunnel's mode";
	if (q->sa.proto != PROTO_ESP || q->sa.transport != t->transport ||
	    q->sa.spi < 256)
		return (EINVAL);
	*why = "endpoints are not the tunnel's";
	if (check_endpoints(kt, q) == -1)
		return (EPERM);
	*why = "the peer has moved, and \"set nomobike\" does not let it";
	if (q->moved && !kt->conf->mobike &&
	    (q->op == KREQ_SA_ADD || q->op == KREQ_SA_UPDATE))
		return (EPERM);
	if (q->op != KREQ_SA_ADD && q->op != KREQ_SA_UPDATE)
		return (0);
	*why = "direction is not said";
	if (q->sa.dir != KERN_IN && q->sa.dir != KERN_OUT)
		return (EINVAL);
	*why = "selectors are not within the tunnel's";
	if (q->tsl.n == 0 || q->tsr.n == 0 ||
	    !tslist_within(&q->tsl, &t->from) ||
	    !tslist_within(&q->tsr, &t->to))
		return (EPERM);
	*why = "an address was to be given, and this is more than one";
	if (!hosts_only(t->dyn == DYN_FROM ? &q->tsl : t->dyn == DYN_TO ? &q->tsr : NULL))
		return (EPERM);
	if (q->op == KREQ_SA_UPDATE)
		return (0);
	*why = "the policies were flushed; \"ipsecctl reload\" places them again";
	if (kn.flushed)
		return (EPERM);
	*why = "algorithm or key length this kernel was not found to have";
	return (check_algorithms(&q->sa) == -1 ? EINVAL : 0);
}

static void
bound(void *arg, int err, const char *what)
{
	(void)arg;
	if (err == 0)
		return;
	errno = err;
	log_error(&kn.ch->log, WHY_POLICY, "the kernel does not let a policy follow its SA%s%s",
	    what != NULL ? ": " : "", what != NULL ? what : "");
	kguard_look();
}

/* An "any" peer has come: its traps ask for its SA instead of discarding.  Or a peer has
 * moved: that of its address is said here too, where ike alone has no say. */
static void
bind_traps(struct ktable *kt, const struct kernel_req *q)
{
	const struct kern_sa *sa = &q->sa;
	const struct addr *remote = sa->dir == KERN_OUT ? &sa->dst : &sa->src;
	char a[ADDR_STRLEN];
	struct kpol *k;
	size_t i = 0;

	if ((kt != kn.now && kt != kn.next) || !ktable_bind(kt, q->tunnel,
	    sa->dir == KERN_OUT ? &sa->src : &sa->dst,
	    remote))
		return;
	if (q->moved)
		log_info(&kn.ch->log, "tunnel \"%s\": its policies follow the peer "
		    "to %s", kt->conf->tunnels[q->tunnel].name, addr_str(remote, a));
	while ((k = ktable_next(kt, q->tunnel, &i)) != NULL)
		if (kern_policy_replace(kn.kern, mono_now(), &k->p, bound,
		    NULL) == -1)
			bound(NULL, errno, NULL);
}

/*
 * The Child's reqid is the tunnel's, or its own when it has fewer selectors; the policies
 * follow before the SA is there.  What of a pair it does not carry, its selector keeps
 * out, where the kernel has one for SAs (XFRM).
 */
static int
own_reqid(struct ktable *kt, struct kernel_req *q)
{
	struct kern_sa *sa = &q->sa;
	struct kpol *k;
	size_t i = 0;
	int narrower;

	if (ktable_child(kt, q->tunnel, &q->tsl, &q->tsr, &sa->reqid,
	    &narrower) == -1)
		return (-1);
	if (narrower && q->tsl.n == 1 && q->tsr.n == 1 &&
	    q->tsl.t[0].start.fam == q->tsr.t[0].start.fam) {
		sa->sel_src = sa->dir == KERN_OUT ? q->tsl.t[0] : q->tsr.t[0];
		sa->sel_dst = sa->dir == KERN_OUT ? q->tsr.t[0] : q->tsl.t[0];
		sa->has_sel = 1;
	}
	while ((kt == kn.now || kt == kn.next) && (k = ktable_next(kt, q->tunnel, &i)) != NULL) {
		if (k->installed)
			continue;
		k->installed = 1;
		if (kern_policy_replace(kn.kern, mono_now(), &k->p, bound,
		    NULL) == -1)
			bound(NULL, errno, NULL);
	}
	return (0);
}

static int
send_request(const struct kernel_req *q, struct inflight *f)
{
	monotime now = mono_now();
	const struct kern_sa *sa = &q->sa;

	switch (q->op) {
	case KREQ_SA_ADD:
		return (kern_sa_add(kn.kern, now, sa, op_done, f));
	case KREQ_SA_UPDATE:
		return (kern_sa_update(kn.kern, now, sa, op_done, f));
	case KREQ_SA_DELETE:
		/* the trap takes over, and discards */
		if (sa->dir == KERN_OUT)
			khost_delete(sa->spi, &sa->dst);
		return (kern_sa_delete(kn.kern, now, sa->spi, sa->proto,
		    &sa->src, &sa->dst, op_done, f));
	default:
		return (kern_sa_query(kn.kern, now, sa->spi, sa->proto,
		    &sa->src, &sa->dst, query_done, f));
	}
}

/*
 * A change is under way, or ike has not heard of it yet: policies follow the Child in the
 * newest table, where its tunnel is still the same.
 */
static struct ktable *
newest(struct ktable *kt, uint32_t *tunnel)
{
	struct ktable *top = kn.next != NULL ? kn.next : kn.now;
	int64_t t;

	if (kt == top || (t = ktable_twin(top, kt, *tunnel)) == -1)
		return (kt);
	*tunnel = (uint32_t)t;
	return (top);
}

static void
run_request(struct ktable *kt, struct kernel_req *q)
{
	struct inflight *f;
	const char *why;
	int err;

	kt = newest(kt, &q->tunnel);
	if ((err = check_request(kt, q, &why)) != 0) {
		log_fault(&kn.ch->log, WHY_DISTRUST, "tunnel \"%s\": refused a request of ike: %s",
		    kt->conf->tunnels[q->tunnel].name, why);
		answer(q->token, err, why, NULL);
		return;
	}
	if ((f = calloc(1, sizeof(*f))) == NULL) {
		answer(q->token, ENOMEM, NULL, NULL);
		return;
	}
	f->token = q->token;
	f->spi = q->sa.spi;
	f->dst = q->sa.dst;
	q->sa.reqid = kt->reqid[q->tunnel];
	if (q->op == KREQ_SA_ADD && q->sa.dir == KERN_IN)
		kiface_follow(kt, q);
	if (q->op == KREQ_SA_ADD && !khost_wanted(kt, q))
		bind_traps(kt, q);
	else if (q->op == KREQ_SA_ADD && q->sa.dir == KERN_OUT) {
		err = khost_add(kt, q);
		f->caller = err == 0;
		if (err == -1)
			log_fault(&kn.ch->log, WHY_MEMORY, "tunnel \"%s\": out of memory: one "
			    "caller's packets are discarded", kt->conf->tunnels[q->tunnel].name);
	}
	if ((q->op == KREQ_SA_ADD || q->op == KREQ_SA_UPDATE) &&
	    !khost_wanted(kt, q) && own_reqid(kt, q) == -1) {
		free(f);
		answer(q->token, ENOBUFS, "no request id is left", NULL);
		return;
	}
	kernel_begun();
	if (send_request(q, f) == -1)
		op_done(f, errno, NULL);
}

/* No secret: anybody on this machine may ask the routes. */
static void
source(const struct kernel_req *q)
{
	struct kernel_ans a;
	struct msg m;

	memset(&a, 0, sizeof(a));
	a.token = q->token;
	a.err = kernel_source(&q->sa.dst, &a.src);
	msg_put_kernel_ans(&m, &a);
	(void)chan_put(kn.ike, &m);
}

int
kernel_request(struct rbuf *r)
{
	UNFILLED struct kernel_req q;
	struct ktable *kt;

	if (msg_get_kernel_req(r, &q) == -1)
		return (-1);
	if (q.op == KREQ_SOURCE)
		source(&q);
	else if (q.op == KREQ_ACQUIRE_FAILED) {
		if (kern_acquire_failed(kn.kern, q.acquire_seq) == -1)
			log_debug(&kn.ch->log, "acquire %u cannot be taken back",
			    q.acquire_seq);
		answer(q.token, 0, NULL, NULL);
	} else if ((kt = kernel_generation(q.gen)) == NULL ||
	    q.tunnel >= kt->conf->ntunnels)
		answer(q.token, ENOENT, "no such tunnel in this generation",
		    NULL);
	else
		run_request(kt, &q);
	explicit_bzero(&q, sizeof(q));
	kernel_settle();
	return (0);
}

/* Control. */

static void
policy_record(const struct ktable *kt, const struct kpol *k,
    struct policy_rec *rec)
{
	const struct kern_policy *p = &k->p;
	int out = p->dir == KERN_OUT;

	memset(rec, 0, sizeof(*rec));
	(void)strlcpy(rec->tunnel, kt->conf->tunnels[k->tunnel].name,
	    sizeof(rec->tunnel));
	rec->dir = p->dir;
	rec->action = (uint8_t)p->action;
	rec->src = p->src;
	rec->dst = p->dst;
	rec->proto = p->proto;
	rec->sport = p->sport;
	rec->dport = p->dport;
	rec->reqid = p->reqid;
	rec->prio = p->prio;
	rec->local = out ? p->tsrc : p->tdst;
	rec->remote = out ? p->tdst : p->tsrc;
	rec->installed = k->installed;
	if (kn.caps.name != NULL)
		(void)strlcpy(rec->backend, kn.caps.name,
		    sizeof(rec->backend));
}

static int
show_policies(struct rbuf *r)
{
	struct policy_ask ask;
	struct policy_rec rec;
	struct slice s;
	struct msg m;

	if (msg_get_policies(r, &ask) == -1)
		return (-1);
	memset(&s, 0, sizeof(s));
	s.token = ask.token;
	s.cursor = ask.cursor;
	msg_put_slice(&m, M_POLICY_RECS, &s);
	while (kn.now != NULL && s.cursor < kn.now->npol &&
	    m.w.cap - m.w.len >= POLICY_RECMAX) {
		policy_record(kn.now, &kn.now->pol[s.cursor++], &rec);
		put_policy_rec(&m.w, &rec);
		s.n++;
	}
	s.more = kn.now != NULL && s.cursor < kn.now->npol;
	msg_patch_slice(&m, &s);
	(void)chan_put(kn.control, &m);
	return (0);
}

static struct outcome flushing;

static void
flush_done(uint32_t failed)
{
	struct msg m;

	flushing.ok = failed == 0;
	if (failed != 0)
		(void)strlcpy(flushing.text, "the kernel refused some: the log "
		    "says which", sizeof(flushing.text));
	log_fault(&kn.ch->log, WHY_FLUSHED, "flushed SAs and policies: traffic between the nets "
	    "leaves in clear until the next reload");
	msg_put_outcome(&m, M_FLUSH_ANS, &flushing);
	(void)chan_put(kn.control, &m);
}

int
kernel_control(uint16_t type, struct rbuf *r)
{
	return (type == M_POLICIES ? show_policies(r) :
	    type == M_SYSTEM ? kernel_show(r) : -1);
}

int
kernel_flush(struct rbuf *r)
{
	struct outcome busy;
	struct msg m;

	memset(&busy, 0, sizeof(busy));
	if (msg_get_token(r, &busy.token) == -1)
		return (-1);
	if (kn.job == NULL) {
		memset(&flushing, 0, sizeof(flushing));
		flushing.token = busy.token;
		if (kernel_sweep(1, flush_done) == 0)
			return (0);
	}
	(void)strlcpy(busy.text, "a change is under way; try again",
	    sizeof(busy.text));
	msg_put_outcome(&m, M_FLUSH_ANS, &busy);
	(void)chan_put(kn.control, &m);
	return (0);
}

/* The kernel speaks. */

/* Neither reqid nor policy said: the endpoints must do, then the selector. */
static int64_t
tunnel_by_endpoints(const struct ktable *kt, const struct kern_event *e)
{
	const struct conf_tunnel *ct;
	size_t i = 0;
	int64_t t;

	if (e->dst.fam == ADDR_NONE)
		return (-1);
	while ((t = ktable_byremote(kt, &e->dst, &i)) != -1) {
		ct = &kt->conf->tunnels[t];
		if (!ktable_endpoints(kt, (uint32_t)t, &e->src, &e->dst))
			continue;
		if (!e->has_sel || tslist_within(&(struct tslist){ .n = 1,
		    .t = { e->sel_src } }, &ct->from))
			break;
	}
	return (t);
}

static int64_t
tunnel_of_acquire(const struct ktable *kt, const struct kern_event *e)
{
	int64_t t;

	if ((t = ktable_byreqid(kt, e->reqid)) != -1 ||
	    (t = ktable_byid(kt, e->policy)) != -1)
		return (t);
	if (e->reqid != 0)
		return (-1);		/* somebody else's */
	return (tunnel_by_endpoints(kt, e));
}

static void
tell_ike(struct msg *m)
{
	struct msg lost;

	if (kn.lost_told && chan_waiting(kn.ike) < CHAN_LOW) {
		kn.lost_told = 0;
		msg_start(&lost, M_LOST);
		(void)chan_put(kn.ike, &lost);
	}
	if (chan_put(kn.ike, m) == -1)
		kn.lost_told = 1;	/* told when there is room */
}

/*
 * Before the first configuration stands nobody knows whose an ACQUIRE is, and after an
 * unanswered one the kernel asks no more for half a minute: it is kept until then.
 */
static struct kern_event early[KERNEL_EARLY];
static size_t nearly;

static void
acquire(const struct kern_event *e)
{
	struct acquire a;
	struct msg m;
	int64_t t = -1;

	if (kn.now == NULL) {
		if (nearly < KERNEL_EARLY)
			early[nearly++] = *e;
		return;
	}
	memset(&a, 0, sizeof(a));
	if ((t = tunnel_of_acquire(kn.now, e)) != -1)
		a.gen = kn.now->conf->gen;
	else if (kn.next != NULL && (t = tunnel_of_acquire(kn.next, e)) != -1)
		a.gen = kn.next->conf->gen;
	if (t == -1) {
		log_debug(&kn.ch->log, "ACQUIRE for no tunnel of ours "
		    "(reqid %u, policy %u)", e->reqid, e->policy);
		return;
	}
	a.tunnel = (uint32_t)t;
	a.seq = e->seq;
	if ((a.has_sel = e->has_sel) != 0) {
		a.src = e->sel_src;
		a.dst = e->sel_dst;
	}
	msg_put_acquire(&m, &a);
	tell_ike(&m);
}

void
kernel_early(void)
{
	size_t i;

	for (i = 0; i < nearly; i++)
		acquire(&early[i]);
	nearly = 0;
}

void
kernel_event(void *arg, const struct kern_event *e)
{
	struct expire x;
	struct mapping p;
	struct msg m;

	(void)arg;
	if (e->type == KERN_EV_ACQUIRE) {
		acquire(e);
		return;
	}
	if (!chan_isopen(kn.ike))
		return;
	switch (e->type) {
	case KERN_EV_EXPIRE:
		x.spi = e->spi;
		x.dst = e->dst;
		x.hard = e->hard != 0;
		msg_put_expire(&m, &x);
		break;
	case KERN_EV_MAPPING:
		p.spi = e->spi;
		p.newsrc = e->newsrc;
		msg_put_mapping(&m, &p);
		break;
	default:
		msg_start(&m, M_LOST);
	}
	tell_ike(&m);
}
