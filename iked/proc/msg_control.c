/* SPDX-License-Identifier: ISC */
/* Policies, commands and counters, as control asks for them. */

#include <string.h>

#include "proc/msg.h"

void
msg_put_policies(struct msg *m, uint16_t type, const struct policy_ask *a)
{
	msg_start(m, type);
	wbuf_u64(&m->w, a->token);
	wbuf_u64(&m->w, a->cursor);
}

int
msg_get_policies(struct rbuf *r, struct policy_ask *a)
{
	a->token = rbuf_u64(r);
	a->cursor = rbuf_u64(r);
	return (get_end(r));
}

void
put_policy_rec(struct wbuf *w, const struct policy_rec *p)
{
	wbuf_str(w, p->tunnel);
	wbuf_u8(w, (uint8_t)p->dir);
	wbuf_u8(w, p->action);
	put_prefix(w, &p->src);
	put_prefix(w, &p->dst);
	wbuf_u8(w, p->proto);
	wbuf_u16(w, p->sport);
	wbuf_u16(w, p->dport);
	wbuf_u32(w, p->reqid);
	wbuf_u32(w, p->prio);
	put_addr(w, &p->local);
	put_addr(w, &p->remote);
	wbuf_u8(w, p->installed);
	wbuf_str(w, p->backend);
}

int
get_policy_rec(struct rbuf *r, struct policy_rec *p)
{
	uint8_t dir;

	memset(p, 0, sizeof(*p));
	rbuf_str(r, p->tunnel, sizeof(p->tunnel));
	dir = rbuf_u8(r);
	p->action = rbuf_u8(r);
	get_prefix(r, &p->src);
	get_prefix(r, &p->dst);
	p->proto = rbuf_u8(r);
	p->sport = rbuf_u16(r);
	p->dport = rbuf_u16(r);
	p->reqid = rbuf_u32(r);
	p->prio = rbuf_u32(r);
	get_addr(r, &p->local);
	get_addr(r, &p->remote);
	p->installed = get_bool(r);
	rbuf_str(r, p->backend, sizeof(p->backend));
	if (dir < KERN_IN || dir > KERN_FWD || p->action > KERN_DISCARD)
		return (-1);
	p->dir = (enum kern_dir)dir;
	return (rbuf_ok(r) ? 0 : -1);
}

void
put_system_rec(struct wbuf *w, const struct system_rec *s)
{
	wbuf_u8(w, (uint8_t)s->what);
	wbuf_u8(w, (uint8_t)s->whose);
	wbuf_str(w, s->tunnel);
	wbuf_u8(w, s->ipproto);
	wbuf_u8(w, s->transport);
	wbuf_u8(w, s->othermode);
	wbuf_u8(w, s->dir);
	wbuf_u8(w, s->action);
	wbuf_u8(w, s->encap);
	put_prefix(w, &s->src);
	put_prefix(w, &s->dst);
	put_addr(w, &s->local);
	put_addr(w, &s->remote);
	wbuf_u32(w, s->spi);
	wbuf_u32(w, s->reqid);
	wbuf_u32(w, s->prio);
	wbuf_u32(w, s->mark);
	wbuf_u32(w, s->if_id);
	wbuf_u8(w, s->proto);
	wbuf_u16(w, s->sport);
	wbuf_u16(w, s->dport);
	wbuf_u64(w, s->bytes);
	wbuf_u64(w, s->packets);
	wbuf_u64(w, s->age_ms);
	wbuf_u64(w, s->expires_in_ms);
	wbuf_str(w, s->suite);
}

int
get_system_rec(struct rbuf *r, struct system_rec *s)
{
	uint8_t what, whose;

	memset(s, 0, sizeof(*s));
	what = rbuf_u8(r);
	whose = rbuf_u8(r);
	rbuf_str(r, s->tunnel, sizeof(s->tunnel));
	s->ipproto = rbuf_u8(r);
	s->transport = get_bool(r);
	s->othermode = get_bool(r);
	s->dir = rbuf_u8(r);
	s->action = rbuf_u8(r);
	s->encap = get_bool(r);
	get_prefix(r, &s->src);
	get_prefix(r, &s->dst);
	get_addr(r, &s->local);
	get_addr(r, &s->remote);
	s->spi = rbuf_u32(r);
	s->reqid = rbuf_u32(r);
	s->prio = rbuf_u32(r);
	s->mark = rbuf_u32(r);
	s->if_id = rbuf_u32(r);
	s->proto = rbuf_u8(r);
	s->sport = rbuf_u16(r);
	s->dport = rbuf_u16(r);
	s->bytes = rbuf_u64(r);
	s->packets = rbuf_u64(r);
	s->age_ms = rbuf_u64(r);
	s->expires_in_ms = rbuf_u64(r);
	rbuf_str(r, s->suite, sizeof(s->suite));
	if (what < SYSTEM_SA || what > SYSTEM_POLICY || whose < SYSTEM_OURS ||
	    whose > SYSTEM_MISSING || s->dir > KERN_FWD || s->action > KERN_DISCARD)
		return (-1);
	s->what = (enum system_what)what;
	s->whose = (enum system_whose)whose;
	return (rbuf_ok(r) ? 0 : -1);
}

void
msg_put_command(struct msg *m, const struct command *c)
{
	msg_start(m, M_COMMAND);
	wbuf_u64(&m->w, c->token);
	wbuf_u8(&m->w, (uint8_t)c->cmd);
	wbuf_u8(&m->w, (uint8_t)c->who);
	wbuf_str(&m->w, c->name);
}

int
msg_get_command(struct rbuf *r, struct command *c)
{
	uint8_t cmd, who;

	memset(c, 0, sizeof(*c));
	c->token = rbuf_u64(r);
	cmd = rbuf_u8(r);
	who = rbuf_u8(r);
	rbuf_str(r, c->name, sizeof(c->name));
	if (cmd < CMD_UP || cmd > CMD_LAST ||
	    (who != WAKE_COMMAND && who != WAKE_KEEPALIVE))
		return (-1);
	c->cmd = (enum engine_cmd)cmd;
	c->who = (enum show_wake)who;
	return (get_end(r));
}

void
msg_put_counters(struct msg *m, const struct counters_ask *a)
{
	msg_start(m, M_COUNTERS);
	wbuf_u64(&m->w, a->token);
	wbuf_str(&m->w, a->name);
}

int
msg_get_counters(struct rbuf *r, struct counters_ask *a)
{
	memset(a, 0, sizeof(*a));
	a->token = rbuf_u64(r);
	rbuf_str(r, a->name, sizeof(a->name));
	return (get_end(r));
}

void
msg_put_counters_ans(struct msg *m, const struct counters_ans *a)
{
	msg_start(m, M_COUNTERS_ANS);
	wbuf_u64(&m->w, a->token);
	wbuf_u32(&m->w, (uint32_t)a->c.err);
	wbuf_u32(&m->w, a->c.spi_in);
	wbuf_u32(&m->w, a->c.spi_out);
	wbuf_u64(&m->w, a->c.bytes_in);
	wbuf_u64(&m->w, a->c.bytes_out);
	wbuf_u64(&m->w, a->c.packets_in);
	wbuf_u64(&m->w, a->c.packets_out);
	wbuf_u8(&m->w, a->c.ike_up);
	wbuf_u8(&m->w, a->c.rekeying);
	wbuf_u32(&m->w, a->c.last_in_ms);
	put_addr(&m->w, &a->c.given[0]);
	put_addr(&m->w, &a->c.given[1]);
}

int
msg_get_counters_ans(struct rbuf *r, struct counters_ans *a)
{
	uint32_t err;

	memset(a, 0, sizeof(*a));
	a->token = rbuf_u64(r);
	err = rbuf_u32(r);
	a->c.spi_in = rbuf_u32(r);
	a->c.spi_out = rbuf_u32(r);
	a->c.bytes_in = rbuf_u64(r);
	a->c.bytes_out = rbuf_u64(r);
	a->c.packets_in = rbuf_u64(r);
	a->c.packets_out = rbuf_u64(r);
	a->c.ike_up = get_bool(r);
	a->c.rekeying = get_bool(r);
	a->c.last_in_ms = rbuf_u32(r);
	get_addr(r, &a->c.given[0]);
	get_addr(r, &a->c.given[1]);
	if (err > 4095)
		return (-1);
	a->c.err = (int)err;
	return (get_end(r));
}
