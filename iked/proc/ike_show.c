/* SPDX-License-Identifier: ISC */
/* What control asks of ike: records by the slice, commands, reload. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/ike.h"

/* Of one that is not up: what ICMP says, which may be why, and which anybody can say. */
static void
evidence(struct told_rec *t)
{
	memset(&t->icmp, 0, sizeof(t->icmp));
	if (t->rec.kind == SHOWK_TUNNEL && t->rec.u.tunnel.state != SHOW_UP)
		ike_icmp(&t->rec.u.tunnel.remote.addr, &t->icmp);
}

/*
 * As many records as surely fit into one message: control asks for the next slice
 * when it has room, so that a hundred thousand tunnels never wait in a queue.
 */
static int
show_slice(struct engine *e, struct chan *control, struct rbuf *r)
{
	struct show_ask ask;
	struct told_rec t;
	struct slice s;
	struct msg m;

	if (msg_get_show(r, &ask) == -1)
		return (-1);
	memset(&s, 0, sizeof(s));
	s.token = ask.token;
	s.cursor = ask.cursor;
	msg_put_slice(&m, M_SHOW_RECS, &s);
	s.more = ask.name[0] == '\0';
	if (!s.more && engine_show_tunnel(e, mono_now(), ask.name, &t.rec) == 0) {
		evidence(&t);
		put_show_rec(&m.w, &t);
		s.n = 1;
	}
	while (s.more && m.w.cap - m.w.len >= SHOW_RECMAX) {
		if (!engine_show(e, mono_now(), ask.kind, &s.cursor, &t.rec)) {
			s.more = 0;
			break;
		}
		if (t.rec.kind == SHOWK_STATS)
			ike_counts(&t.rec.u.stats);
		evidence(&t);
		put_show_rec(&m.w, &t);
		s.n++;
	}
	msg_patch_slice(&m, &s);
	(void)chan_put(control, &m);
	return (0);
}

static int
command(struct engine *e, struct chan *control, struct rbuf *r)
{
	const char *why = NULL;
	struct command c;
	struct outcome o;
	struct msg m;

	if (msg_get_command(r, &c) == -1)
		return (-1);
	memset(&o, 0, sizeof(o));
	o.token = c.token;
	o.ok = engine_command(e, mono_now(), c.cmd, c.name, c.who, &why) == 0;
	if (!o.ok) {
		o.code = why == engine_unknown ? REFUSED_UNKNOWN :
		    why == engine_notup ? REFUSED_DOWN : REFUSED;
		(void)strlcpy(o.text, why != NULL ? why : "refused",
		    sizeof(o.text));
	}
	msg_put_outcome(&m, M_COMMAND_ANS, &o);
	(void)chan_put(control, &m);
	return (0);
}

static int
counters(struct engine *e, struct rbuf *r)
{
	struct counters_ask a;

	if (msg_get_counters(r, &a) == -1)
		return (-1);
	engine_counters(e, mono_now(), a.token, a.name);
	return (0);
}

int
ike_control_message(struct engine *e, struct chan *control,
    struct chan *parent, struct chan *kernel, uint16_t type, struct rbuf *r)
{
	uint64_t token;
	struct msg m;
	uint8_t v;

	switch (type) {
	case M_SHOW:
		return (show_slice(e, control, r));
	case M_COMMAND:
		return (command(e, control, r));
	case M_COUNTERS:
		return (counters(e, r));
	case M_RELOAD:
	case M_PLAN:
		if (msg_get_token(r, &token) == -1)
			return (-1);
		msg_put_token(&m, type, token);
		(void)chan_put(parent, &m);
		return (0);
	case M_FLUSH:
		if (msg_get_token(r, &token) == -1)
			return (-1);
		engine_flush(e, mono_now());
		msg_put_token(&m, M_FLUSH, token);
		(void)chan_put(kernel, &m);	/* behind the SAs' deletes */
		return (0);
	case M_MONITOR:
		if (msg_get_u8(r, &v, 1) == -1)
			return (-1);
		ike_monitor(v);
		return (0);
	case M_SETVERBOSE:
		if (msg_get_u8(r, &v, LOGGER_DEBUG) == -1)
			return (-1);
		msg_put_u8(&m, M_SETVERBOSE, v);
		(void)chan_put(parent, &m);
		return (0);
	default:
		return (-1);
	}
}
