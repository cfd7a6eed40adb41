/* SPDX-License-Identifier: ISC */
/* Messages of start, log, reload and other small matters. */

#include <string.h>

#include "proc/msg.h"

void
msg_put_setup(struct msg *m, const struct setup *s)
{
	msg_start(m, M_SETUP);
	wbuf_u16(&m->w, MSG_VERSION);
	wbuf_u8(&m->w, (uint8_t)s->role);
	wbuf_u8(&m->w, s->level);
	wbuf_u8(&m->w, s->sandbox);
	wbuf_u32(&m->w, s->uid);
	wbuf_u32(&m->w, s->gid);
	wbuf_u8(&m->w, s->backend);
	wbuf_u8(&m->w, s->sweep);
	wbuf_u16(&m->w, s->port);
	wbuf_u16(&m->w, s->natt_port);
	wbuf_str(&m->w, s->chroot);
}

int
msg_get_setup(struct rbuf *r, struct setup *s)
{
	uint8_t role;

	memset(s, 0, sizeof(*s));
	if (rbuf_u16(r) != MSG_VERSION)
		return (-1);
	role = rbuf_u8(r);
	s->level = rbuf_u8(r);
	s->sandbox = get_bool(r);
	s->uid = rbuf_u32(r);
	s->gid = rbuf_u32(r);
	s->backend = rbuf_u8(r);
	s->sweep = get_bool(r);
	s->port = rbuf_u16(r);
	s->natt_port = rbuf_u16(r);
	rbuf_str(r, s->chroot, sizeof(s->chroot));
	if (role == ROLE_PARENT || s->level > LOGGER_DEBUG || role >= ROLE_MAX || s->uid == 0 ||
	    s->gid == 0 || s->chroot[0] != '/' || s->port == 0 ||
	    s->natt_port == 0 || s->port == s->natt_port ||
	    (s->backend != KERN_XFRM && s->backend != KERN_PFKEY))
		return (-1);
	s->role = (enum role)role;
	return (get_end(r));
}

void
msg_put_fd(struct msg *m, const struct fdinfo *f, int fd)
{
	msg_start(m, M_FD);
	wbuf_u8(&m->w, (uint8_t)f->kind);
	wbuf_u8(&m->w, f->which);
	wbuf_u8(&m->w, f->natt);
	m->fd = fd;
}

int
msg_get_fd(struct rbuf *r, struct fdinfo *f)
{
	uint8_t kind = rbuf_u8(r);

	f->which = rbuf_u8(r);
	f->natt = get_bool(r);
	switch (kind) {
	case FD_LINK:
		if (f->which == ROLE_PARENT || f->which >= ROLE_MAX)
			return (-1);
		break;
	case FD_UDP:
		if (f->which != ADDR_V4 && f->which != ADDR_V6)
			return (-1);
		break;
	case FD_LISTEN:
		if (f->which > 1)
			return (-1);
		break;
	case FD_STATE:
		if (f->which != 0)
			return (-1);
		break;
	default:
		return (-1);
	}
	f->kind = (enum fd_kind)kind;
	return (get_end(r));
}

void
msg_put_u8(struct msg *m, uint16_t type, uint8_t v)
{
	msg_start(m, type);
	wbuf_u8(&m->w, v);
}

int
msg_get_u8(struct rbuf *r, uint8_t *v, uint8_t max)
{
	*v = rbuf_u8(r);
	return (*v > max ? -1 : get_end(r));
}

void
msg_put_token(struct msg *m, uint16_t type, uint64_t token)
{
	msg_start(m, type);
	wbuf_u64(&m->w, token);
}

int
msg_get_token(struct rbuf *r, uint64_t *token)
{
	*token = rbuf_u64(r);
	return (get_end(r));
}

void
msg_put_log(struct msg *m, enum log_level level, const char *line)
{
	msg_start(m, M_LOG);
	wbuf_u8(&m->w, (uint8_t)level);
	wbuf_str(&m->w, line);
}

int
msg_get_log(struct rbuf *r, enum log_level *level, char *line, size_t cap)
{
	uint8_t v = rbuf_u8(r);

	rbuf_str(r, line, cap);
	if (v > LOGGER_DEBUG)
		return (-1);
	*level = (enum log_level)v;
	return (get_end(r));
}

void
msg_put_reload_error(struct msg *m, const struct reload_error *e)
{
	msg_start(m, M_RELOAD_ERROR);
	wbuf_u64(&m->w, e->token);
	wbuf_u8(&m->w, e->warn);
	wbuf_u32(&m->w, e->line);
	wbuf_u32(&m->w, e->col);
	wbuf_str(&m->w, e->file);
	wbuf_str(&m->w, e->text);
}

int
msg_get_reload_error(struct rbuf *r, struct reload_error *e)
{
	memset(e, 0, sizeof(*e));
	e->token = rbuf_u64(r);
	e->warn = get_bool(r);
	e->line = rbuf_u32(r);
	e->col = rbuf_u32(r);
	rbuf_str(r, e->file, sizeof(e->file));
	rbuf_str(r, e->text, sizeof(e->text));
	return (get_end(r));
}

void
msg_put_outcome(struct msg *m, uint16_t type, const struct outcome *o)
{
	msg_start(m, type);
	wbuf_u64(&m->w, o->token);
	wbuf_u8(&m->w, o->ok);
	wbuf_u8(&m->w, o->code);
	wbuf_str(&m->w, o->text);
}

int
msg_get_outcome(struct rbuf *r, struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->token = rbuf_u64(r);
	o->ok = get_bool(r);
	if ((o->code = rbuf_u8(r)) > REFUSED_DOWN)
		return (-1);
	rbuf_str(r, o->text, sizeof(o->text));
	return (get_end(r));
}
