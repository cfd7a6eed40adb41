/* SPDX-License-Identifier: ISC */
/*
 * The control process: lines of text in, JSON lines out.  It holds no state of its own
 * but what netwatchd reports; everything else is asked of ike and kernel.
 */

#include <sys/types.h>

#include <errno.h>
#include <string.h>

#include "proc/control.h"

struct control ct;

/* Answers. */

/* Reads the next record as a line; -1: malformed. */
static int
record(struct rbuf *r, uint16_t type, struct json *j)
{
	struct policy_rec pr;
	struct system_rec sr;
	struct told_rec rec;

	switch (type) {
	case M_POLICY_RECS:
		if (get_policy_rec(r, &pr) == -1)
			return (-1);
		json_policy(j, &pr);
		return (0);
	case M_SYSTEM_RECS:
		if (get_system_rec(r, &sr) == -1)
			return (-1);
		json_system(j, &sr);
		return (0);
	default:
		if (get_show_rec(r, &rec) == -1)
			return (-1);
		json_show(j, &rec);
		return (0);
	}
}

static int
show_records(struct rbuf *r, uint16_t type)
{
	struct client *c;
	struct slice s;
	struct json j;
	uint16_t i;

	if (msg_get_slice(r, &s) == -1)
		return (-1);
	c = client_bytoken(s.token);
	for (i = 0; i < s.n; i++) {
		if (record(r, type, &j) == -1)
			return (-1);
		if (c != NULL && c->io.fd != -1)
			client_line(c, &j);
	}
	if (get_end(r) == -1)
		return (-1);
	if (c == NULL || c->io.fd == -1)
		return (0);
	c->asked = 0;
	c->found |= s.n > 0;
	c->cursor = s.cursor;
	if (!s.more)
		c->stages &= ~(1U << c->stage);
	client_resume(c);
	return (0);
}

static int
outcome(struct rbuf *r)
{
	struct client *c;
	struct outcome o;

	if (msg_get_outcome(r, &o) == -1)
		return (-1);
	if (o.token == 0) {		/* the file loads */
		memset(&ct.bad, 0, sizeof(ct.bad));
		ct.read = mono_now();
		return (0);
	}
	if ((c = client_bytoken(o.token)) == NULL)
		return (0);
	c->showing = 0;
	if (o.ok && c->plan)
		cmd_planned(c);
	else
		client_end_code(c, o.ok ? NULL : o.text, o.ok ? REFUSED : o.code);
	client_resume(c);
	return (0);
}

static int
reload_error(struct rbuf *r)
{
	struct reload_error e;
	struct client *c;
	struct json j;

	if (msg_get_reload_error(r, &e) == -1)
		return (-1);
	if (e.token == 0) {
		ct.bad = e;
		ct.read = mono_now();
		return (0);
	}
	if ((c = client_bytoken(e.token)) == NULL)
		return (0);
	json_begin(&j);
	json_str(&j, "kind", e.warn ? "warning" : "error");
	json_str(&j, "file", e.file);
	json_u64(&j, "line", e.line);
	json_u64(&j, "col", e.col);
	json_str(&j, "text", e.text);
	client_line(c, &j);
	return (0);
}

static int
counters(struct rbuf *r)
{
	struct counters_ans a;
	struct client *c;
	struct json j;
	unsigned int i;

	if (msg_get_counters_ans(r, &a) == -1)
		return (-1);
	if ((c = client_bytoken(a.token)) == NULL)
		return (0);
	if ((i = (unsigned int)(a.token >> TOKEN_INDEX & 15)) >= c->nnames)
		return (0);
	/* Among several one without SA is no error: its SPIs are 0. */
	if (a.c.err == 0 || c->nnames > 1) {
		json_counters(&j, c->name[i], &a.c);
		client_line(c, &j);
	}
	if (++c->nanswers < c->nnames)
		return (0);
	if (a.c.err == 0 || c->nnames > 1)
		client_end(c, NULL);
	else
		client_end(c, a.c.err == ENOENT ? "this tunnel has no Child SA" :
		    strerror(a.c.err));
	client_resume(c);
	return (0);
}

/* The siblings. */

static int
ike_message(void *arg, struct chan *ch, uint16_t type, struct rbuf *r, int fd)
{
	(void)arg;
	(void)ch;
	if (fd != -1)
		return (-1);
	switch (type) {
	case M_SHOW_RECS:
		return (show_records(r, type));
	case M_COMMAND_ANS:
	case M_RELOAD_DONE:
		return (outcome(r));
	case M_RELOAD_ERROR:
		return (reload_error(r));
	case M_COUNTERS_ANS:
		return (counters(r));
	case M_EVENT:
		return (monitor_event(r));
	default:
		return (-1);
	}
}

static int
kernel_message(void *arg, struct chan *ch, uint16_t type, struct rbuf *r,
    int fd)
{
	(void)arg;
	(void)ch;
	if (fd != -1)
		return (-1);
	if (type == M_POLICY_RECS || type == M_SYSTEM_RECS)
		return (show_records(r, type));
	return (type == M_FLUSH_ANS || type == M_SYSTEM_ANS ? outcome(r) : -1);
}

static void
ike_closed(void *arg, struct chan *ch, const char *why)
{
	(void)arg;
	(void)ch;
	child_link_lost(ct.ch, ROLE_IKE, why);
}

static void
kernel_closed(void *arg, struct chan *ch, const char *why)
{
	(void)arg;
	(void)ch;
	child_link_lost(ct.ch, ROLE_KERNEL, why);
}

static const struct chan_ops ike_ops = { ike_message, ike_closed, NULL };
static const struct chan_ops kernel_ops = {
	kernel_message, kernel_closed, NULL
};

/* The parent. */

static void
acceptable(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	client_accept(io->fd, io == &ct.accept[1]);
}

static int
control_prepare(struct child *ch)
{
	size_t i;

	ct.ch = ch;
	ct.read = mono_now();
	for (i = 0; i < CLIENTS_MAX; i++)
		ct.c[i].io.fd = -1;
	return (0);
}

static int
control_start(struct child *ch)
{
	size_t i;

	ct.ike = chan_new(ch->loop, ch->link[ROLE_IKE], CHILD_QUEUE, &ike_ops,
	    NULL);
	ct.kernel = chan_new(ch->loop, ch->link[ROLE_KERNEL], CHILD_QUEUE,
	    &kernel_ops, NULL);
	if (ct.ike == NULL || ct.kernel == NULL)
		return (-1);
	for (i = 0; i < 2; i++) {
		if (ch->listenfd[i] == -1)
			continue;
		ev_io_init(&ct.accept[i], acceptable, ch->listenfd[i],
		    EV_READ);
		ev_io_start(ch->loop, &ct.accept[i]);
	}
	return (0);
}

static int
control_message(struct child *ch, uint16_t type, struct rbuf *r, int fd)
{
	(void)ch;
	(void)type;
	(void)r;
	(void)fd;
	return (-1);
}

static void
control_shutdown(struct child *ch, int remove)
{
	(void)remove;
	child_exit(ch, 0);
}

const struct role_ops control_role = {
	CLIENTS_MAX + 16, control_prepare, control_start, control_message,
	control_shutdown,
	NULL
};
