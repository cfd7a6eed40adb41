/* SPDX-License-Identifier: ISC */
/*
 * ping and trace for a client of the control socket: echo requests with the source and to
 * the target of a watched tunnel, so that they go where its probes go.  What is sent is
 * the client's alone; no figure of the target changes.  How it is sent (routing, size, DSCP,
 * fragments) is how the target's probes are.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/ctl_local.h"
#include "keepalive/ctl_ping.h"

/* A probe under way. */
struct out {
	uint32_t	seq;
	int64_t		sent_us;	/* 0: it is not out yet */
	monotime	deadline;
	uint8_t		open;
};

struct ctl_ping {
	struct ctl_client	*c;
	uint32_t		 id, target;	/* whose slot */
	struct addr		 src, dst;
	struct probe		 how;		/* what all have in common */
	struct icmp_route	 route;
	int			 gateway;	/* exceeding the TTL is an answer */
	uint32_t		 seq, tail;	/* next; oldest that may be open */
	struct out		 out[PING_OUT];
	monotime		 next;		/* probe */
	ev_timer		 timer;
	uint64_t		 sent, received, rtt_sum;
	uint64_t		 beside;	/* the gateway's answers around the tunnel */
	uint32_t		 rtt_min, rtt_max;
	uint8_t			 hop, try, silent;	/* of a trace */
};

static uint32_t
my_slot(const struct ctl_client *c)
{
	return (UINT32_MAX - (uint32_t)(c - c->ctl->c));
}

static struct ctl_ping *
find(struct ctl *ct, const struct probe *p)
{
	uint32_t place = UINT32_MAX - p->slot;
	struct ctl_ping *pg;

	if (place >= CTL_CLIENTS || (pg = ct->c[place].ping) == NULL ||
	    pg->id != p->id)
		return (NULL);
	return (pg);
}

int
ctl_owns(const struct probe *p)
{
	return (UINT32_MAX - p->slot < CTL_CLIENTS);
}

static struct out *
find_out(struct ctl_ping *pg, uint32_t seq)
{
	struct out *o = &pg->out[seq % PING_OUT];

	return (o->open && o->seq == seq ? o : NULL);
}

void
ctl_ping_end(struct ctl_client *c)
{
	if (c->ping == NULL)
		return;
	ev_timer_stop(c->ctl->loop, &c->ping->timer);
	free(c->ping);
	c->ping = NULL;
}

static void
finish(struct ctl_ping *pg)
{
	struct ctl_client *c = pg->c;
	struct json j;

	if (c->cmd.verb == CTL_PING) {
		json_begin(&j);
		json_str(&j, "kind", "ping");
		json_str(&j, "tunnel", c->cmd.name);
		json_addr(&j, "source", &pg->src);
		json_addr(&j, "target", &pg->dst);
		json_u64(&j, "sent", pg->sent);
		json_u64(&j, "received", pg->received);
		json_u64(&j, "lost", pg->sent - pg->received);
		if (pg->gateway)
			json_u64(&j, "beside", pg->beside);
		json_u64(&j, "rtt_min_us", pg->rtt_min);
		json_u64(&j, "rtt_avg_us", pg->received == 0 ? 0 :
		    pg->rtt_sum / pg->received);
		json_u64(&j, "rtt_max_us", pg->rtt_max);
		ctl_line(c, &j);
	}
	ctl_ping_end(c);
	lineio_end(&c->io, NULL);
	lineio_resume(&c->io);
}

static void
say_reply(struct ctl_client *c, const struct addr *from, uint32_t seq,
    unsigned int octets, uint32_t rtt)
{
	struct json j;

	json_begin(&j);
	json_str(&j, "kind", "reply");
	json_u64(&j, "seq", seq);
	json_addr(&j, "from", from);
	json_u64(&j, "octets", octets);
	json_u64(&j, "rtt_us", rtt);
	ctl_line(c, &j);
}

static void
say_loss(struct ctl_client *c, uint32_t seq, const struct addr *from,
    const char *reason)
{
	struct json j;

	json_begin(&j);
	json_str(&j, "kind", "loss");
	json_u64(&j, "seq", seq);
	if (from != NULL)
		json_addr(&j, "from", from);
	json_str(&j, "reason", reason);
	ctl_line(c, &j);
}

/* from NULL: silence. */
static void
say_hop(struct ctl_client *c, unsigned int hop, const struct addr *from,
    uint32_t rtt, const char *answer)
{
	struct json j;

	json_begin(&j);
	json_str(&j, "kind", "hop");
	json_u64(&j, "hop", hop);
	if (from != NULL) {
		json_addr(&j, "from", from);
		json_u64(&j, "rtt_us", rtt);
	}
	json_str(&j, "answer", answer);
	ctl_line(c, &j);
}

static const char *
error_text(int error)
{
	switch (error) {
	case EMSGSIZE:
		return ("larger than what passes here in one piece");
	case ENETUNREACH:
	case EHOSTUNREACH:
		return ("this machine has no route to the target");
	case EPERM:
	case EACCES:
		return ("a firewall rule of this machine forbids it");
	case EAFNOSUPPORT:
		return ("this machine has no socket of that family");
	case EAGAIN:
		return ("too many probes wait already");
	default:
		return ("the kernel refuses to send it");
	}
}

static const char *
kind_text(const struct icmp_error *e)
{
	switch (e->kind) {
	case ICMP_EXPIRED:
		return ("time to live exceeded");
	case ICMP_TOOBIG:
		return ("larger than what passes there in one piece");
	case ICMP_UNREACHABLE:
		break;
	}
	return ("unreachable");
}

/* What is known of probe seq: it counts no longer as under way. */
static void
settle_out(struct ctl_ping *pg, struct out *o)
{
	o->open = 0;
	while (pg->tail != pg->seq && !pg->out[pg->tail % PING_OUT].open)
		pg->tail++;
}

static void	arm(struct ctl_ping *, monotime now);

/* A trace goes on with the next distance, or ends. */
static void
next_hop(struct ctl_ping *pg, int end, monotime now)
{
	pg->try = 0;
	if (end || pg->hop == TRACE_HOPS || pg->silent == TRACE_SILENT) {
		finish(pg);
		return;
	}
	pg->hop++;
	pg->next = now;
	arm(pg, now);
}

static void
silence(struct ctl_ping *pg, const char *reason, monotime now)
{
	struct ctl_client *c = pg->c;

	if (++pg->try < TRACE_TRIES) {
		pg->next = now;
		arm(pg, now);
		return;
	}
	pg->silent++;
	say_hop(c, pg->hop, NULL, 0, reason);
	if (c->ping == pg)		/* it may have been one line too many */
		next_hop(pg, 0, now);
}

/* A probe that is not answered, for a reason. */
static void
lost(struct ctl_ping *pg, struct out *o, const struct addr *from,
    const char *reason, monotime now)
{
	struct ctl_client *c = pg->c;
	uint32_t seq = o->seq;

	settle_out(pg, o);
	if (c->cmd.verb == CTL_TRACE)
		silence(pg, reason, now);
	else {
		say_loss(c, seq, from, reason);
		if (c->ping == pg)
			arm(pg, now);
	}
}

static void
send_one(struct ctl_ping *pg, monotime now)
{
	struct ctl_client *c = pg->c;
	struct ctl *ct = c->ctl;
	struct out *o = &pg->out[pg->seq % PING_OUT];
	struct watch_status st;
	struct probe p;
	int error;

	p = pg->how;
	p.seq = pg->seq;
	if (c->cmd.verb == CTL_TRACE)
		p.ttl = pg->hop;
	*o = (struct out){ pg->seq++, 0, mono_add_ms(now,
	    c->cmd.verb == CTL_TRACE ? TRACE_WAIT_MS : PING_TIMEOUT_MS), 1 };
	pg->sent++;
	pg->next = c->cmd.verb == CTL_TRACE || pg->sent == c->cmd.count ?
	    MONO_NEVER : mono_add_ms(now, c->cmd.wait_ms);
	/* It may have become the backup, which sends nothing for anybody. */
	if (watch_status_at(ct->watch, pg->target, &st) == 0 &&
	    st.state == WATCH_BACKUP) {
		lost(pg, o, NULL, CTL_BACKUP, now);
		return;
	}
	error = ct->io->send(ct->io->arg, &pg->src, &pg->dst, &p);
	if (error != EINPROGRESS && error != 0)
		lost(pg, o, NULL, error_text(error), now);
}

static void
expire(struct ctl_ping *pg, monotime now)
{
	struct ctl_client *c = pg->c;
	struct out *o;

	if (mono_reached(pg->next, now) && pg->seq - pg->tail < PING_OUT)
		send_one(pg, now);
	while (c->ping == pg && pg->tail != pg->seq) {
		o = &pg->out[pg->tail % PING_OUT];
		if (o->open && !mono_reached(o->deadline, now))
			break;
		if (o->open)
			lost(pg, o, NULL, "no reply", now);
		else
			pg->tail++;
	}
	if (c->ping == pg)
		arm(pg, now);
}

static void
timer_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct ctl_ping *pg = t->data;
	struct ctl *ct = pg->c->ctl;

	(void)loop;
	(void)revents;
	expire(pg, ct->io->now(ct->io->arg));
	ct->io->wake(ct->io->arg);	/* what was queued goes out */
}

/* When to look again; the end, when there is nothing left to wait for. */
static void
arm(struct ctl_ping *pg, monotime now)
{
	struct ctl *ct = pg->c->ctl;
	monotime d = pg->next;
	double wait;

	if (pg->tail != pg->seq &&
	    mono_before(pg->out[pg->tail % PING_OUT].deadline, d))
		d = pg->out[pg->tail % PING_OUT].deadline;
	ev_timer_stop(ct->loop, &pg->timer);
	if (d.us == MONO_NEVER.us) {
		finish(pg);
		return;
	}
	wait = (double)mono_diff_us(d, now) / 1e6;
	ev_now_update(ct->loop);
	ev_timer_set(&pg->timer, wait > 0 ? wait : 0, 0);
	ev_timer_start(ct->loop, &pg->timer);
}

void
ctl_sent(struct ctl *ct, const struct probe *p, int error)
{
	struct ctl_ping *pg = find(ct, p);
	struct out *o;

	if (pg == NULL || (o = find_out(pg, p->seq)) == NULL)
		return;
	o->sent_us = p->sent_us;
	if (error != 0)
		lost(pg, o, NULL, error_text(error), ct->io->now(ct->io->arg));
}

static void
note_rtt(struct ctl_ping *pg, uint32_t rtt)
{
	pg->rtt_sum += rtt;
	if (pg->received++ == 0 || rtt < pg->rtt_min)
		pg->rtt_min = rtt;
	if (rtt > pg->rtt_max)
		pg->rtt_max = rtt;
}

static uint32_t
rtt_of(const struct out *o, monotime at)
{
	int64_t us = at.us - o->sent_us;

	return (us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

/* One of ping. */
static void
answered(struct ctl_ping *pg, struct out *o, const struct addr *from, monotime at,
    monotime now)
{
	struct ctl_client *c = pg->c;
	uint32_t seq = o->seq, rtt = rtt_of(o, at);

	settle_out(pg, o);
	note_rtt(pg, rtt);
	say_reply(c, from, seq, pg->how.size, rtt);
	if (c->ping == pg)
		arm(pg, now);
}

void
ctl_reply(struct ctl *ct, const struct addr *from, const struct probe *p,
    monotime at)
{
	monotime now = ct->io->now(ct->io->arg);
	struct ctl_ping *pg = find(ct, p);
	struct ctl_client *c;
	struct out *o;
	uint32_t rtt;

	if (pg == NULL || (o = find_out(pg, p->seq)) == NULL ||
	    o->sent_us != p->sent_us || addr_cmp(from, &pg->dst) != 0)
		return;		/* late, or another one's */
	c = pg->c;
	if (c->cmd.verb == CTL_PING) {
		answered(pg, o, from, at, now);
		return;
	}
	rtt = rtt_of(o, at);
	settle_out(pg, o);
	say_hop(c, pg->hop, from, rtt, "reply");
	if (c->ping == pg)
		next_hop(pg, 1, now);
}

/* Its gateway, or a router on this side, if NAT has taken the ping past the tunnel. */
static const char *
beside_text(struct ctl_ping *pg)
{
	pg->beside++;
	return ("answered beside the tunnel, from outside of its nets: at most the way there "
	    "works");
}

static void
one_error(struct ctl_ping *pg, struct out *o, const struct addr *from,
    const struct icmp_error *e, monotime at, monotime now)
{
	struct ctl_client *c = pg->c;

	if (c->cmd.verb == CTL_PING && pg->gateway && e->kind == ICMP_EXPIRED) {
		if (watch_by_tunnel(c->ctl->watch, pg->target, from))
			answered(pg, o, from, at, now);
		else
			lost(pg, o, from, beside_text(pg), now);
		return;
	}
	if (c->cmd.verb == CTL_PING) {
		lost(pg, o, from, kind_text(e), now);
		return;
	}
	settle_out(pg, o);
	pg->silent = 0;
	say_hop(c, pg->hop, from, rtt_of(o, at), e->kind == ICMP_EXPIRED ?
	    "expired" : kind_text(e));
	if (c->ping == pg)
		next_hop(pg, e->kind != ICMP_EXPIRED, now);
}

int
ctl_error(struct ctl *ct, const struct addr *from, const struct icmp_error *e,
    monotime at)
{
	monotime now = ct->io->now(ct->io->arg);
	struct ctl_ping *pg;
	struct probe p;
	struct out *o;
	uint32_t seq;
	size_t i;

	for (i = 0; i < CTL_CLIENTS; i++) {
		if ((pg = ct->c[i].ping) == NULL ||
		    (pg->src.fam != ADDR_NONE &&	/* by route */
		    addr_cmp(&e->src, &pg->src) != 0))
			continue;
		for (seq = pg->tail; seq != pg->seq; seq++) {
			if ((o = find_out(pg, seq)) == NULL || o->sent_us == 0)
				continue;
			p = pg->how;
			p.seq = seq;
			p.sent_us = o->sent_us;
			if (!ct->io->quotes(ct->io->arg, e, &pg->dst, &p))
				continue;
			one_error(pg, o, from, e, at, now);
			return (1);
		}
	}
	return (0);
}

/* A reload, which may change the target, does not change what has begun. */
static void
prepare(struct ctl_ping *pg)
{
	struct ctl_client *c = pg->c;

	pg->gateway = watch_how(c->ctl->watch, pg->target, &pg->how,
	    &pg->route) == 1;
	pg->how.slot = my_slot(c);
	pg->how.id = pg->id;
	if (c->cmd.size != 0)
		pg->how.size = (uint16_t)c->cmd.size;
	if (pg->how.size < ICMP_PROBELEN)
		pg->how.size = ICMP_PROBELEN;
}

void
ctl_ping_start(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;
	monotime now = ct->io->now(ct->io->arg);
	struct watch_status st;
	struct ctl_ping *pg;
	uint32_t slot;

	if (watch_find(ct->watch, c->cmd.name, &slot) == -1 ||
	    watch_status_at(ct->watch, slot, &st) == -1) {
		lineio_end(&c->io, CTL_UNKNOWN);
		return;
	}
	if (st.state == WATCH_BACKUP) {
		lineio_end(&c->io, CTL_BACKUP);
		return;
	}
	if (st.state == WATCH_NOSOURCE) {
		lineio_end(&c->io, CTL_NOSOURCE);
		return;
	}
	if ((pg = calloc(1, sizeof(*pg))) == NULL) {
		lineio_end(&c->io, "out of memory");
		return;
	}
	pg->c = c;
	pg->id = ++ct->pings;
	pg->target = slot;
	pg->src = st.source;
	pg->dst = st.target;
	prepare(pg);
	pg->hop = c->cmd.verb == CTL_TRACE ? 1 : 0;
	pg->next = now;
	ev_timer_init(&pg->timer, timer_cb, 0, 0);
	pg->timer.data = pg;
	c->ping = pg;
	c->io.busy = 1;
	arm(pg, now);
}
