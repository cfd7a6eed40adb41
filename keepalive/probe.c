/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's probe process: binds the pure core (watch.h) to the raw sockets, the
 * connection to iked and the clock.  It runs without any privilege, in an empty root,
 * and is sandboxed before it has seen a single packet.
 */

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/ctl.h"
#include "keepalive/conn.h"
#include "keepalive/icmp_io.h"
#include "keepalive/nwmsg.h"
#include "keepalive/probe.h"
#include "proc/client.h"
#include "proc/msg.h"
#include "proc/plog.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

#define MAXQUEUE	(256 * 1024)	/* log lines waiting for the parent */
#define OUTSTANDING	32		/* commands iked has not answered yet */
#define ANSWER_US	(15 * 1000000LL)	/* then it is given up */
/* Many targets: those due within so long go out together, in one call. */
#define TOGETHER_MS	5
#define STALL_MS	100
#define ROUNDS		20		/* of WATCH_BATCH, before iked gets its turn */
#define RANDOMS		64		/* taken at once: a system call is in each taking */

struct pstate {
	struct ev_loop		*loop;
	struct chan		*chan;
	struct logger		 log;
	struct watch		*watch;
	struct watch_io		 io;
	struct ctl		*ctl;
	struct ctl_io		 ctlio;
	int			 controlled;	/* ctl has its socket */
	struct icmp_io		*icmp;
	struct conn_table	*conn;
	ev_io			 evrd, evwr;
	ev_timer		 timer;
	unsigned int		 nsent;		/* probes since the last settle */
	monotime		 settled;	/* when the last probes went out */
	monotime		 ran;		/* settle, the last time */
	uint32_t		 random[RANDOMS];
	unsigned int		 nrandom;	/* of them not used yet */
	int			 conf_open;
	struct conf_kashare	 kas;
	struct addr		*addrs;
	size_t			 naddrs;

	struct client		*client;
	struct watch_cmd	 cmds[OUTSTANDING];	/* a ring */
	unsigned int		 cmd_first, cmd_n;
	monotime		 cmd_since;	/* waiting for iked since */
	struct watch_counters	 counters;
};

static monotime
clock_now(void)
{
	struct timespec ts;
	monotime t;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	t.us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	return (t);
}

static void
to_parent(void *arg, enum log_level level, const char *line)
{
	struct pstate *p = arg;
	struct msg m;

	msg_start(&m, NW_LOG);
	wbuf_u8(&m.w, (uint8_t)level);
	wbuf_str(&m.w, line);
	(void)chan_put(p->chan, &m);	/* a full queue: the line is lost */
}

static int
send_probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *pr)
{
	struct pstate *p = arg;

	if (ka->kind != KA_ICMP && !(pr->slot & (WATCH_PMTU_SLOT | WATCH_GATE_SLOT)))
		return (conn_probe(p->conn, ka, src, dst, pr));
	p->nsent++;
	return (icmp_io_probe(p->icmp, src, dst, pr));
}

static void
probe_sent(void *arg, const struct probe *pr, int error)
{
	struct pstate *p = arg;

	if (ctl_owns(pr))
		ctl_sent(p->ctl, pr, error);
	else
		watch_sent(p->watch, pr, error, clock_now());
}

static void
probe_reply(void *arg, const struct addr *from, const struct probe *pr,
    monotime at)
{
	struct pstate *p = arg;

	if (ctl_owns(pr))
		ctl_reply(p->ctl, from, pr, at);
	else
		watch_reply(p->watch, from, pr, at);
}

static void
probe_error(void *arg, const struct addr *from, const struct icmp_error *e,
    monotime at)
{
	struct pstate *p = arg;

	if (!ctl_error(p->ctl, from, e, at))
		watch_error(p->watch, from, e, at);
}

static void
probe_failed(void *arg, const struct probe *pr, const char *text, monotime at)
{
	struct pstate *p = arg;

	watch_failed(p->watch, pr, text, at);
}

static uint32_t
random32(void *arg)
{
	struct pstate *p = arg;

	if (p->nrandom == 0) {
		arc4random_buf(p->random, sizeof(p->random));
		p->nrandom = RANDOMS;
	}
	return (p->random[--p->nrandom]);
}

static void
drop_link(struct pstate *p, const char *why)
{
	struct msg m;

	if (p->client == NULL)
		return;
	log_info(&p->log, "lost iked: %s", why);
	ev_io_stop(p->loop, &p->evrd);
	ev_io_stop(p->loop, &p->evwr);
	client_close(p->client);
	p->client = NULL;
	p->cmd_n = 0;
	watch_link(p->watch, 0, clock_now());
	msg_start(&m, NW_LOST);
	(void)chan_put(p->chan, &m);
}

static void
issue_commands(struct pstate *p, monotime now)
{
	struct watch_cmd *cmd;

	while (p->client != NULL && p->cmd_n < OUTSTANDING) {
		cmd = &p->cmds[(p->cmd_first + p->cmd_n) % OUTSTANDING];
		if (!watch_command(p->watch, cmd, now))
			break;
		if (client_queue(p->client, cmd->line) == -1) {
			drop_link(p, client_error(p->client));
			return;
		}
		if (p->cmd_n++ == 0)
			p->cmd_since = now;
	}
	if (p->client == NULL)
		return;
	if (client_flush(p->client) == -1) {
		drop_link(p, client_error(p->client));
		return;
	}
	if (client_pending(p->client) > 0)
		ev_io_start(p->loop, &p->evwr);
	else
		ev_io_stop(p->loop, &p->evwr);
}

/* After every event: what is due, what iked should hear, when to wake. */
static void
settle(struct pstate *p)
{
	monotime now = clock_now(), d, giveup;
	unsigned int rounds = 0;
	int more;
	double wait;

	p->nsent = 0;
	/* We have been kept from running: what was answered meanwhile is not lost. */
	if (mono_diff_us(now, p->ran) > STALL_MS * 1000)
		icmp_io_drain(p->icmp);
	/* Where there are many a moment's wait gathers some, and saves a call for each. */
	do {
		more = mono_before(now, mono_add_ms(p->settled, TOGETHER_MS)) ? 0 :
		    watch_expire(p->watch, now);
		icmp_io_flush(p->icmp);
	} while (more && ++rounds < ROUNDS);
	p->ran = now;
	if (p->nsent > 1)
		p->settled = now;
	if (p->client != NULL && p->cmd_n > 0 &&
	    mono_diff_us(now, p->cmd_since) > ANSWER_US)
		drop_link(p, "it does not answer");
	issue_commands(p, now);
	d = watch_deadline(p->watch);
	if (p->client != NULL && p->cmd_n > 0) {
		giveup = mono_add_us(p->cmd_since, ANSWER_US + 1);
		if (mono_before(giveup, d))
			d = giveup;
		/* A token may be due while the ring is full: no busy loop. */
		if (p->cmd_n == OUTSTANDING && mono_before(d, now))
			d = mono_add_ms(now, 10);
	}
	if (mono_before(d, mono_add_ms(p->settled, TOGETHER_MS)))
		d = mono_add_ms(p->settled, TOGETHER_MS);
	ev_timer_stop(p->loop, &p->timer);
	if (d.us == MONO_NEVER.us)
		return;
	wait = (double)mono_diff_us(d, now) / 1e6;
	ev_now_update(p->loop);
	ev_timer_set(&p->timer, wait > 0 ? wait : 0, 0);
	ev_timer_start(p->loop, &p->timer);
}

static void
timer_cb(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	settle(t->data);
}

static void
settle_cb(void *arg)
{
	settle(arg);
}

static const struct icmp_io_ops icmp_ops = {
	probe_sent, probe_reply, probe_error, settle_cb
};
static const struct conn_ops conn_ops = { probe_reply, probe_failed, settle_cb };

static void
take_given(struct addr *a, const json_t *o, const char *key, enum addr_family fam)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (s == NULL || addr_parse(a, s) == -1 || a->fam != fam)
		memset(a, 0, sizeof(*a));
}

static void
take_counters(struct pstate *p, const json_t *o)
{
	const char *spi = json_string_value(json_object_get(o, "spi_out"));
	json_int_t in = json_integer_value(json_object_get(o, "packets_in"));
	json_int_t out = json_integer_value(json_object_get(o, "packets_out"));

	memset(&p->counters, 0, sizeof(p->counters));
	if (spi == NULL || in < 0 || out < 0)
		return;
	p->counters.spi_out = (uint32_t)strtoul(spi, NULL, 0);
	p->counters.has_sa = p->counters.spi_out != 0;
	p->counters.packets_in = (uint64_t)in;
	p->counters.packets_out = (uint64_t)out;
	p->counters.ike_up = json_is_true(json_object_get(o, "ike_up"));
	p->counters.rekeying = json_is_true(json_object_get(o, "rekeying"));
	take_given(&p->counters.given[0], o, "address4", ADDR_V4);
	take_given(&p->counters.given[1], o, "address6", ADDR_V6);
	in = json_integer_value(json_object_get(o, "last_in_ms"));
	p->counters.last_in_ms = in < 0 || in > UINT32_MAX ? UINT32_MAX : (uint32_t)in;
}

static void
answer_ended(struct pstate *p, const char *error)
{
	struct watch_cmd *cmd = &p->cmds[p->cmd_first];
	monotime now = clock_now();

	watch_answer(p->watch, cmd, error, &p->counters, now);
	memset(&p->counters, 0, sizeof(p->counters));
	p->cmd_first = (p->cmd_first + 1) % OUTSTANDING;
	p->cmd_n--;
	p->cmd_since = now;
}

static void
client_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct pstate *p = io->data;
	enum client_result r;
	json_t *o;

	(void)loop;
	if ((revents & EV_READ) && client_input(p->client) == -1)
		drop_link(p, client_error(p->client));
	while (p->client != NULL) {
		if ((r = client_poll(p->client, &o)) == CLIENT_WAIT)
			break;
		if (r == CLIENT_BROKEN || p->cmd_n == 0) {
			json_decref(o);
			drop_link(p, r == CLIENT_BROKEN ?
			    client_error(p->client) : "it speaks unasked");
		} else if (r == CLIENT_OBJECT) {
			if (p->cmds[p->cmd_first].kind == WATCH_CMD_COUNTERS)
				take_counters(p, o);
			json_decref(o);
		} else
			answer_ended(p, r == CLIENT_END ? NULL :
			    client_error(p->client));
	}
	settle(p);
}

static int
take_icmp(struct pstate *p, struct rbuf *r, int fd)
{
	struct icmp_sockkey key;

	if (fd == -1 || nwmsg_get_sockkey(r, &key) == -1)
		return (-1);
	return (icmp_io_add(p->icmp, &key, fd));
}

static monotime
ctl_now(void *arg)
{
	(void)arg;
	return (clock_now());
}

static void
ctl_wake(void *arg)
{
	settle(arg);
}

static int
ctl_send(void *arg, const struct addr *src, const struct addr *dst,
    const struct probe *pr)
{
	struct pstate *p = arg;

	p->nsent++;
	return (icmp_io_probe(p->icmp, src, dst, pr));
}

static int
ctl_quotes(void *arg, const struct icmp_error *e, const struct addr *dst,
    const struct probe *pr)
{
	struct pstate *p = arg;

	return (icmp_io_quotes(p->icmp, e, dst, pr));
}

static void
event(void *arg, const struct watch_event *ev)
{
	struct pstate *p = arg;

	ctl_event(p->ctl, ev);
}

static void
hook(void *arg, const struct hook_event *ev)
{
	struct pstate *p = arg;
	struct msg m;

	msg_start(&m, NW_HOOK);
	nwmsg_put_hook(&m.w, ev);
	(void)chan_put(p->chan, &m);	/* a full queue: it is not run */
}

static int
ctl_to_parent(void *arg, int on)
{
	struct pstate *p = arg;
	struct msg m;

	msg_start(&m, NW_BACKUP_SET);
	wbuf_u8(&m.w, (uint8_t)on);
	return (chan_put(p->chan, &m));
}

/* Both processes' level: the parent writes what is logged. */
static int
level_to_parent(void *arg, enum log_level level)
{
	struct pstate *p = arg;
	struct msg m;

	msg_start(&m, NW_LEVEL);
	wbuf_u8(&m.w, (uint8_t)level);
	return (chan_put(p->chan, &m));
}

static int
take_done(struct pstate *p, struct rbuf *r)
{
	uint8_t on = rbuf_u8(r);
	char error[256];

	rbuf_str(r, error, sizeof(error));
	if (!rbuf_ok(r))
		return (-1);
	ctl_backup(p->ctl, on, error[0] != '\0' ? error : NULL);
	return (0);
}

static int
take_control(struct pstate *p, int fd)
{
	if (fd == -1 || p->controlled)
		return (-1);
	ctl_listen(p->ctl, fd);
	p->controlled = 1;
	return (0);
}

static int
take_link(struct pstate *p, int fd)
{
	if (fd == -1 || p->client != NULL)
		return (-1);
	if ((p->client = client_attach(fd)) == NULL)
		return (-1);
	p->cmd_first = p->cmd_n = 0;
	memset(&p->counters, 0, sizeof(p->counters));
	ev_io_init(&p->evrd, client_cb, fd, EV_READ);
	ev_io_init(&p->evwr, client_cb, fd, EV_WRITE);
	p->evrd.data = p->evwr.data = p;
	ev_io_start(p->loop, &p->evrd);
	watch_link(p->watch, 1, clock_now());
	return (0);
}

static int
take_target(struct pstate *p, struct rbuf *r)
{
	struct watch_conf wc;

	if (!p->conf_open || nwmsg_get_target(r, &wc, &p->kas) == -1)
		return (-1);
	if (watch_conf_add(p->watch, &wc) == -1)
		log_warnx(&p->log, "keepalive \"%s\": cannot be watched",
		    wc.name);
	watch_conf_clear(&wc);
	return (0);
}

static int
take_addrs(struct pstate *p, struct rbuf *r)
{
	uint16_t i, n = rbuf_u16(r);
	struct addr *a;

	if (!rbuf_ok(r) || n > NWMSG_ADDRS)
		return (-1);
	a = reallocarray(p->addrs, p->naddrs + n + 1, sizeof(*a));
	if (a == NULL)
		return (0);	/* fewer addresses: fewer sources, no harm */
	p->addrs = a;
	for (i = 0; i < n; i++)
		get_addr(r, &p->addrs[p->naddrs + i]);
	if (!rbuf_ok(r))
		return (-1);
	p->naddrs += n;
	return (0);
}

static void
put_totals(struct pstate *p)
{
	struct watch_totals tot;
	struct msg m;

	watch_totals(p->watch, &tot);
	msg_start(&m, NW_TOTALS);
	nwmsg_put_totals(&m.w, &tot);
	(void)chan_put(p->chan, &m);
}

static int
message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct pstate *p = arg;
	int rv = 0;

	(void)c;
	if (fd != -1 && type != NW_ICMP && type != NW_LINK &&
	    type != NW_CONTROL) {
		(void)close(fd);
		return (-1);
	}
	switch (type) {
	case NW_ICMP:
		rv = take_icmp(p, r, fd);
		break;
	case NW_LINK:
		rv = take_link(p, fd);
		break;
	case NW_CONTROL:
		rv = take_control(p, fd);
		break;
	case NW_VERBOSE:
		p->log.verbose = rbuf_u8(r);
		break;
	case NW_BACKUP:
		watch_backup(p->watch, rbuf_u8(r), clock_now());
		break;
	case NW_BACKUP_DONE:
		rv = take_done(p, r);
		break;
	case NW_CONF_BEGIN:
		watch_conf_begin(p->watch);
		p->conf_open = 1;
		break;
	case NW_CONF_TARGET:
		rv = take_target(p, r);
		break;
	case NW_CONF_END:
		if (!p->conf_open)
			return (-1);
		p->conf_open = 0;
		watch_conf_commit(p->watch, clock_now());
		break;
	case NW_TOTALS:
		put_totals(p);
		break;
	case NW_ADDRS_BEGIN:
		p->naddrs = 0;
		break;
	case NW_ADDRS:
		rv = take_addrs(p, r);
		break;
	case NW_ADDRS_END:
		(void)watch_addrs(p->watch, p->addrs, p->naddrs, clock_now());
		break;
	default:
		return (-1);
	}
	if (rv == -1 && fd != -1)
		(void)close(fd);
	/* Half a configuration is no reason to act. */
	if (rv == 0 && !p->conf_open)
		settle(p);
	return (rv);
}

static void
closed(void *arg, struct chan *c, const char *why)
{
	struct pstate *p = arg;

	(void)c;
	(void)why;
	ev_break(p->loop, EVBREAK_ALL);
}

static const struct chan_ops ops = { message, closed, NULL };

static void
lock_up(struct pstate *p, const struct nw_opts *opts)
{
	struct privuser u;

	if (privdrop_user(ROLE_PROBE, &u, &p->log) == -1 ||
	    privdrop(ROLE_PROBE, &u, opts->chroot, &p->log) == -1 ||
	    (opts->sandbox && sandbox_enter(ROLE_PROBE, PROBE_MAXFILES,
	    &p->log) == -1)) {
		chan_flush(p->chan, 1000);
		_exit(1);
	}
}

void
probe_main(const struct nw_opts *opts)
{
	static struct pstate state;
	struct pstate *p = &state;
	struct msg m;

	p->log = (struct logger){ to_parent, p, opts->verbose, NULL };
	p->io = (struct watch_io){ p, send_probe, random32, &p->log, event,
	    hook };
	p->ctlio = (struct ctl_io){ p, ctl_now, ctl_wake, ctl_send, ctl_quotes,
	    ctl_to_parent, level_to_parent };
	client_prepare();
	p->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (p->loop == NULL || (p->chan = chan_new(p->loop, PROBE_CHANFD,
	    MAXQUEUE, &ops, p)) == NULL ||
	    (p->icmp = icmp_io_new(p->loop, &icmp_ops, p)) == NULL ||
	    (p->conn = conn_new(p->loop, &conn_ops, p)) == NULL ||
	    (p->watch = watch_new(&p->io)) == NULL || (p->ctl = ctl_new(
	    p->loop, p->watch, &p->ctlio, &p->log)) == NULL)
		_exit(1);
	tzset();	/* the only way to read it is before the sandbox */
	ev_timer_init(&p->timer, timer_cb, 0, 0);
	p->timer.data = p;
	lock_up(p, opts);
	msg_start(&m, NW_READY);
	(void)chan_put(p->chan, &m);
	(void)ev_run(p->loop, 0);
	/* No free: the sandbox and the exit are one. */
	_exit(0);
}
