/* SPDX-License-Identifier: ISC */
/*
 * A configuration as a series of messages: begin (with the counts), one a peer, one
 * a tunnel, end.  The items themselves are conf's to encode and to check.
 */

#include <string.h>

#include "proc/msg.h"

void
msg_put_confdone(struct msg *m, const struct confdone *d)
{
	msg_start(m, M_CONF_DONE);
	wbuf_u32(&m->w, d->gen);
	wbuf_u8(&m->w, d->ok);
	wbuf_u32(&m->w, d->failed);
}

int
msg_get_confdone(struct rbuf *r, struct confdone *d)
{
	d->gen = rbuf_u32(r);
	d->ok = get_bool(r);
	d->failed = rbuf_u32(r);
	return (get_end(r));
}

static int
next_named(struct confout *o)
{
	while (o->peer < o->conf->npeers && !conf_peer_named(&o->conf->peers[o->peer]))
		o->peer++;
	return (o->peer < o->conf->npeers);
}

int
confout_next(struct confout *o, struct msg *m)
{
	const struct conf *c = o->conf;

	if (c == NULL)
		return (0);
	if (!o->begun) {
		o->begun = 1;
		msg_start(m, o->again != 0 ? M_CONF_AGAIN : M_CONF_BEGIN);
		wbuf_u32(&m->w, c->gen);
		wbuf_u32(&m->w, o->keep);
		if (o->again != 0)
			wbuf_u32(&m->w, o->again);
		else
			conf_put_globals(&m->w, c);
	} else if (o->again != 0 && next_named(o)) {
		msg_start(m, M_CONF_PLACE);
		conf_put_place(&m->w, c, o->peer++);
	} else if (o->again != 0) {
		msg_start(m, M_CONF_END);
		wbuf_u32(&m->w, c->gen);
		o->conf = NULL;
	} else if (o->peer < c->npeers) {
		msg_start(m, M_CONF_PEER);
		conf_put_peer(&m->w, &c->peers[o->peer++], o->flags);
	} else if (o->tunnel < c->ntunnels) {
		msg_start(m, M_CONF_TUNNEL);
		conf_put_tunnel(&m->w, &c->tunnels[o->tunnel++]);
	} else {
		msg_start(m, M_CONF_END);
		wbuf_u32(&m->w, c->gen);
		o->conf = NULL;
	}
	return (1);
}

void
confin_reset(struct confin *in)
{
	conf_free(in->conf);
	in->conf = NULL;
	in->again = 0;
}

static int
confin_begin(struct confin *in, struct rbuf *r)
{
	uint32_t gen = rbuf_u32(r);

	in->keep = rbuf_u32(r);
	in->again = 0;
	if (in->conf != NULL || gen == 0 ||
	    (in->conf = conf_get_globals(r)) == NULL)
		return (-1);
	in->conf->gen = gen;
	return (get_end(r));
}

/* A generation that is here, copied whole: the parent has kept nothing of its secrets. */
static int
confin_again(struct confin *in, struct rbuf *r)
{
	uint32_t gen = rbuf_u32(r), base;
	size_t i;

	in->keep = rbuf_u32(r);
	base = rbuf_u32(r);
	if (in->conf != NULL || gen == 0 || base == 0 || get_end(r) == -1)
		return (-1);
	for (i = 0; i < 2; i++)
		if (in->base[i] != NULL && in->base[i]->gen == base)
			break;
	if (i == 2 || (in->conf = conf_clone(in->base[i], CONF_WITH_SECRETS)) == NULL)
		return (-1);
	in->conf->gen = gen;
	in->again = 1;
	return (0);
}

int
confin_message(struct confin *in, uint16_t type, struct rbuf *r,
    struct conf **out)
{
	if (type == M_CONF_BEGIN)
		return (confin_begin(in, r));
	if (type == M_CONF_AGAIN)
		return (confin_again(in, r));
	if (in->conf == NULL)
		return (-1);
	if (in->again && type == M_CONF_PLACE)
		return (conf_get_place(r, in->conf) == -1 ? -1 : get_end(r));
	switch (type) {
	case M_CONF_PEER:
		return (conf_get_peer(r, in->conf) == -1 ? -1 : get_end(r));
	case M_CONF_TUNNEL:
		return (conf_get_tunnel(r, in->conf) == -1 ? -1 : get_end(r));
	case M_CONF_END:
		if (rbuf_u32(r) != in->conf->gen || get_end(r) == -1 ||
		    conf_complete(in->conf) != 0)
			return (-1);
		*out = in->conf;
		in->conf = NULL;
		in->again = 0;
		return (1);
	default:
		return (-1);
	}
}
