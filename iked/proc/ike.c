/* SPDX-License-Identifier: ISC */
/*
 * The ike process: binds the engine to libev, the sockets and the other processes.  It
 * decides nothing: inputs become calls, effects become messages and datagrams.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/ike.h"

#define SETTLE_MAX	256	/* refusals delivered before the loop turns */
#define RANDOM		1024	/* octets had of the system at a time */
#define EARLY_MAX	64	/* ACQUIREs of a generation that is still to come */

/*
 * An answer that this process must give itself, because the channel is full.  The
 * engine must not be called back from within an effect: it waits here.
 */
struct refusal {
	STAILQ_ENTRY(refusal)	entry;
	int			keys;		/* else kernel */
	uint64_t		token;
};

static struct {
	struct child		*ch;
	struct engine		*engine;
	struct crypto		*crypto;
	struct ikenet		*net;
	struct chan		*keys, *kernel, *control;
	struct confin		 in;
	struct conf		*waiting;	/* complete, but no caps yet */
	int			 have_caps, started;
	int			 plan;		/* the next one is only looked at */
	int			 monitored;	/* somebody listens to events */
	uint32_t		 events_lost;
	uint32_t		 gen;
	struct acquire		 early[EARLY_MAX];
	size_t			 nearly;
	char			 backend[64];
	ev_timer		 deadline;
	monotime		 due;		/* what it is set for */
	uint8_t			 random[RANDOM];
	size_t			 nrandom;	/* octets of it that are left */
	STAILQ_HEAD(, refusal)	 refused;
	uint64_t		 kernel_requests, kernel_refused, acquires, expires;
	uint64_t		 reasons[WHY_MAX];	/* lines of the log by reason */
} s;

static void	ike_settle(void);

/* Effects. */

/* A dozen times a handshake a few octets, and each time a system call where libbsd looks for
 * a fork: this process has none.  What is given out is wiped here. */
static void
fx_random(void *arg, void *p, size_t n)
{
	(void)arg;
	if (n > sizeof(s.random)) {
		arc4random_buf(p, n);
		return;
	}
	if (n > s.nrandom) {
		arc4random_buf(s.random, sizeof(s.random));
		s.nrandom = sizeof(s.random);
	}
	s.nrandom -= n;
	memcpy(p, s.random + s.nrandom, n);
	explicit_bzero(s.random + s.nrandom, n);
}

static void
fx_send(void *arg, const struct endpoint *local, const struct endpoint *remote,
    int marker, const uint8_t *p, size_t len)
{
	int e = ikenet_send(s.net, local, remote, marker, p, len);

	(void)arg;
	/* what is lost for want of room says nothing about the way */
	if (e == 0 || (e != EAGAIN && e != ENOBUFS && e != ENOMEM && e != EMSGSIZE))
		engine_unsent(s.engine, &remote->addr, e == 0 ? NULL : e == EPERM ?
		    "rules of this machine drop it" : strerror(e));
}

void
ike_icmp(const struct addr *remote, struct icmp_heard *h)
{
	ikenet_icmp(s.net, remote, h);
}

static void
refuse(int keys, uint64_t token)
{
	struct refusal *f;

	/* Without memory even for this the engine's own deadline ends the wait. */
	if ((f = malloc(sizeof(*f))) == NULL)
		return;
	f->keys = keys;
	f->token = token;
	STAILQ_INSERT_TAIL(&s.refused, f, entry);
}

static void
fx_keys(void *arg, const struct keys_req *q)
{
	UNFILLED struct msg m;

	(void)arg;
	msg_put_keys_req(&m, q);
	if (chan_put(s.keys, &m) == -1)
		refuse(1, q->token);
}

static void
fx_kernel(void *arg, const struct kernel_req *q)
{
	UNFILLED struct msg m;

	(void)arg;
	s.kernel_requests++;
	msg_put_kernel_req(&m, q);
	if (chan_put(s.kernel, &m) == -1)
		refuse(0, q->token);
}

static void
fx_count(void *arg, const struct kernel_count *q)
{
	UNFILLED struct msg m;

	(void)arg;
	msg_put_kernel_count(&m, q);
	if (chan_put(s.kernel, &m) == -1)
		refuse(0, q->token);
}

static void
fx_counters(void *arg, uint64_t token, const struct engine_counters *c)
{
	struct counters_ans a;
	struct msg m;

	(void)arg;
	a.token = token;
	a.c = *c;
	msg_put_counters_ans(&m, &a);
	(void)chan_put(s.control, &m);
}

/* Each event is a message: only while somebody listens.  What has no room is counted. */
void
ike_monitor(int on)
{
	s.monitored = on;
	s.events_lost = 0;
}

/* The name of a peer that does not answer may lead elsewhere by now. */
static void
not_there(const struct show_event *ev)
{
	const struct conf *c = engine_conf_used(s.engine);
	struct no_answer n;
	struct msg m;
	int32_t t;

	if (c == NULL || ev->reason == WHY_COMMAND || ev->reason == WHY_CONFIG ||
	    ev->reason == WHY_UNRESOLVED ||
	    (t = conf_tunnel_byname(c, ev->tunnel)) == -1)
		return;
	n.gen = c->gen;
	n.peer = c->tunnels[t].peer;
	if (!conf_peer_named(&c->peers[n.peer]))
		return;
	msg_put_no_answer(&m, &n);
	(void)chan_put(s.ch->parent, &m);
}

static void
fx_event(void *arg, const struct show_event *ev)
{
	struct msg m;

	(void)arg;
	if (ev->type == EVENT_FAILURE || ev->type == EVENT_DOWN)
		not_there(ev);
	if (!s.monitored)
		return;
	msg_put_event(&m, ev, s.events_lost);
	if (chan_put(s.control, &m) == -1)
		s.events_lost++;
	else
		s.events_lost = 0;
}

void
ike_counts(struct show_stats *r)
{
	r->kernel_requests = s.kernel_requests;
	r->kernel_refused = s.kernel_refused;
	r->acquires = s.acquires;
	r->expires = s.expires;
	memcpy(r->why, s.reasons, sizeof(r->why));
}

static void
deliver_refusals(void)
{
	struct keys_ans ka;
	struct kernel_ans na;
	struct refusal *f;
	int i;

	for (i = 0; i < SETTLE_MAX &&
	    (f = STAILQ_FIRST(&s.refused)) != NULL; i++) {
		STAILQ_REMOVE_HEAD(&s.refused, entry);
		if (f->keys) {
			memset(&ka, 0, sizeof(ka));
			ka.token = f->token;
			engine_keys(s.engine, mono_now(), &ka);
		} else {
			memset(&na, 0, sizeof(na));
			na.token = f->token;
			na.err = ENOBUFS;
			s.kernel_refused++;
			(void)strlcpy(na.what, "too many requests wait",
			    sizeof(na.what));
			engine_kernel(s.engine, mono_now(), &na);
		}
		free(f);
	}
}

/* After every input: what the engine waits for next.  A timer that is too early by now
 * fires once for nothing, which costs less than to set it anew every time. */
static void
ike_settle(void)
{
	monotime d, now;
	double wait;

	deliver_refusals();
	d = STAILQ_EMPTY(&s.refused) ? engine_deadline(s.engine) : MONO_NONE;
	if (d.us == MONO_NEVER.us ||
	    (ev_is_active(&s.deadline) && !mono_before(d, s.due)))
		return;
	ev_timer_stop(s.ch->loop, &s.deadline);
	s.due = d;
	now = mono_now();
	wait = mono_reached(d, now) ? 0. : (double)mono_diff_us(d, now) / 1e6;
	if (wait > 86400.)
		wait = 86400.;
	ev_now_update(s.ch->loop);
	ev_timer_set(&s.deadline, wait, 0.);
	ev_timer_start(s.ch->loop, &s.deadline);
}

static void
ike_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	engine_tick(s.engine, mono_now());
	ike_settle();
}

static void
ike_datagram(const struct endpoint *local, const struct endpoint *remote,
    int natt, const uint8_t *p, size_t len)
{
	engine_datagram(s.engine, mono_now(), local, remote, natt, p, len);
	ike_settle();
}

/* The siblings. */

static int
keys_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct keys_ans a;

	(void)arg;
	(void)c;
	if (fd != -1 || type != M_KEYS_ANS || msg_get_keys_ans(r, &a) == -1)
		return (-1);
	engine_keys(s.engine, mono_now(), &a);
	ike_settle();
	return (0);
}

static void
keys_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	child_link_lost(s.ch, ROLE_KEYS, why);
}

static void
ike_acquire(const struct acquire *a)
{
	engine_acquire(s.engine, mono_now(), a->gen, a->tunnel,
	    a->has_sel ? &a->src : NULL, a->has_sel ? &a->dst : NULL, a->seq);
}

/*
 * A change reaches kernel before it reaches us, and so may a packet.  An ACQUIRE of the
 * coming generation waits for it: the kernel would not ask again for half a minute.
 */
static void
take_acquire(const struct acquire *a)
{
	if (s.started && (int32_t)(a->gen - s.gen) <= 0)
		ike_acquire(a);
	else if (s.nearly < EARLY_MAX)
		s.early[s.nearly++] = *a;
}

static void
early_acquires(void)
{
	size_t i, n = s.nearly;

	s.nearly = 0;
	for (i = 0; i < n; i++)
		take_acquire(&s.early[i]);
}

/* Capabilities come once, from kernel; the configuration may have come before. */
static void
ike_conf(struct conf *c)
{
	struct confdone d;
	struct msg m;

	if (!s.have_caps) {
		conf_free(s.waiting);
		s.waiting = c;
		return;
	}
	d.gen = c->gen;
	d.failed = 0;
	if ((d.ok = engine_conf(s.engine, mono_now(), c) == 0) != 0) {
		s.gen = d.gen;
		if (!s.started) {
			ikenet_start(s.net);
			s.started = 1;
		}
		early_acquires();
	}
	msg_put_confdone(&m, &d);
	(void)chan_put(s.ch->parent, &m);
	ike_settle();
}

/* It is looked at and forgotten; control asks for what was seen. */
static void
ike_plan(struct conf *c)
{
	struct confdone d;
	struct msg m;

	s.plan = 0;
	d.gen = c->gen;
	d.failed = 0;
	d.ok = engine_plan(s.engine, c) == 0;
	conf_free(c);
	msg_put_confdone(&m, &d);
	(void)chan_put(s.ch->parent, &m);
}

static int
kernel_caps(struct rbuf *r)
{
	struct kern_caps caps;
	struct conf *c;

	if (s.have_caps || msg_get_caps(r, &caps, s.backend,
	    sizeof(s.backend)) == -1)
		return (-1);
	engine_caps(s.engine, &caps);
	s.have_caps = 1;
	if ((c = s.waiting) != NULL) {
		s.waiting = NULL;
		ike_conf(c);
	}
	return (0);
}

static int
kernel_event(uint16_t type, struct rbuf *r)
{
	struct acquire a;
	struct expire e;
	struct mapping p;
	struct addrs l;

	switch (type) {
	case M_ACQUIRE:
		if (msg_get_acquire(r, &a) == -1)
			return (-1);
		s.acquires++;
		take_acquire(&a);
		return (0);
	case M_EXPIRE:
		if (msg_get_expire(r, &e) == -1)
			return (-1);
		s.expires++;
		engine_expire(s.engine, mono_now(), e.spi, &e.dst, e.hard);
		return (0);
	case M_MAPPING:
		if (msg_get_mapping(r, &p) == -1)
			return (-1);
		engine_mapping(s.engine, mono_now(), p.spi, &p.newsrc);
		return (0);
	case M_ADDRS:
		if (msg_get_addrs(r, &l) == -1)
			return (-1);
		engine_addresses(s.engine, mono_now(), l.a, l.n);
		return (0);
	case M_LOST:
		if (get_end(r) == -1)
			return (-1);
		engine_lost(s.engine, mono_now());
		return (0);
	default:
		return (-1);
	}
}

static int
kernel_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r,
    int fd)
{
	UNFILLED struct kernel_counted n;
	struct kernel_ans a;
	int rv;

	(void)arg;
	(void)c;
	if (fd != -1)
		return (-1);
	if (type == M_CAPS)
		rv = kernel_caps(r);
	else if (type == M_KERNEL_ANS) {
		if ((rv = msg_get_kernel_ans(r, &a)) == 0) {
			s.kernel_refused += a.err != 0;
			engine_kernel(s.engine, mono_now(), &a);
		}
	} else if (type == M_KERNEL_COUNTED) {
		if ((rv = msg_get_kernel_counted(r, &n)) == 0)
			engine_counted(s.engine, mono_now(), &n);
	} else
		rv = kernel_event(type, r);
	ike_settle();
	return (rv);
}

static void
kernel_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	child_link_lost(s.ch, ROLE_KERNEL, why);
}

static int
control_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r,
    int fd)
{
	int rv;

	(void)arg;
	if (fd != -1)
		return (-1);
	rv = ike_control_message(s.engine, c, s.ch->parent, s.kernel, type, r);
	ike_settle();
	return (rv);
}

static void
control_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	child_link_lost(s.ch, ROLE_CONTROL, why);
}

static const struct chan_ops keys_ops = { keys_message, keys_closed, NULL };
static const struct chan_ops kernel_ops = {
	kernel_message, kernel_closed, NULL
};
static const struct chan_ops control_ops = {
	control_message, control_closed, NULL
};

/* The parent. */

static int
ike_prepare(struct child *ch)
{
	struct engine_opts opts;
	struct engine_fx fx;
	uint8_t warm[16];

	s.ch = ch;
	ch->log.reasons = s.reasons;
	STAILQ_INIT(&s.refused);
	ev_init(&s.deadline, ike_tick);
	arc4random_buf(warm, sizeof(warm));
	if ((s.crypto = crypto_new(&ch->log)) == NULL)
		return (-1);
	memset(&fx, 0, sizeof(fx));
	fx.random = fx_random;
	fx.send = fx_send;
	fx.keys = fx_keys;
	fx.kernel = fx_kernel;
	fx.count = fx_count;
	fx.counters = fx_counters;
	fx.event = fx_event;
	fx.log = &ch->log;
	memset(&opts, 0, sizeof(opts));
	opts.port = ch->setup.port;
	opts.natt_port = ch->setup.natt_port;
	s.net = ikenet_new(ch->loop, &ch->log, opts.port, opts.natt_port,
	    ike_datagram);
	s.engine = engine_new(&fx, s.crypto, &opts);
	if (s.net == NULL || s.engine == NULL) {
		log_fault(&ch->log, WHY_MEMORY, "out of memory at start");
		return (-1);
	}
	return (0);
}

static int
ike_start(struct child *ch)
{
	s.keys = chan_new(ch->loop, ch->link[ROLE_KEYS], CHILD_QUEUE,
	    &keys_ops, NULL);
	s.kernel = chan_new(ch->loop, ch->link[ROLE_KERNEL], CHILD_QUEUE,
	    &kernel_ops, NULL);
	s.control = chan_new(ch->loop, ch->link[ROLE_CONTROL], CHILD_QUEUE,
	    &control_ops, NULL);
	return (s.keys == NULL || s.kernel == NULL || s.control == NULL ?
	    -1 : 0);
}

/* What the parent says about a reload is for the client that asked. */
static int
relay_reload(uint16_t type, struct rbuf *r)
{
	struct reload_error e;
	struct outcome o;
	struct msg m;

	if (type == M_RELOAD_ERROR) {
		if (msg_get_reload_error(r, &e) == -1)
			return (-1);
		msg_put_reload_error(&m, &e);
	} else {
		if (msg_get_outcome(r, &o) == -1)
			return (-1);
		msg_put_outcome(&m, M_RELOAD_DONE, &o);
	}
	(void)chan_put(s.control, &m);
	return (0);
}

static int
ike_message(struct child *ch, uint16_t type, struct rbuf *r, int fd)
{
	struct fdinfo f;
	struct conf *c;
	uint64_t token;
	int rv;

	(void)ch;
	if (type == M_FD) {
		if (fd == -1)
			return (-1);
		if (msg_get_fd(r, &f) == -1 || f.kind != FD_UDP) {
			close(fd);
			return (-1);
		}
		return (ikenet_add(s.net, (enum addr_family)f.which, f.natt,
		    fd));
	}
	if (fd != -1) {
		close(fd);
		return (-1);
	}
	if (type == M_RELOAD_ERROR || type == M_RELOAD_DONE)
		return (relay_reload(type, r));
	if (type == M_PLAN) {
		if (s.plan || msg_get_token(r, &token) == -1)
			return (-1);
		s.plan = 1;
		return (0);
	}
	s.in.base[0] = engine_conf_used(s.engine);
	if ((rv = confin_message(&s.in, type, r, &c)) != 1)
		return (rv);
	if (s.plan)
		ike_plan(c);
	else
		ike_conf(c);
	return (0);
}

/* The engine says goodbye to the peers and has its SAs deleted; that goes out now. */
static void
ike_shutdown(struct child *ch, int remove)
{
	(void)remove;
	engine_shutdown(s.engine, mono_now());
	chan_flush(s.kernel, 500);
	engine_free(s.engine);
	child_exit(ch, 0);
}

const struct role_ops ike_role = {
	24, ike_prepare, ike_start, ike_message, ike_shutdown,
	NULL
};
