/* SPDX-License-Identifier: ISC */
/* Names of hosts and what they resolve to. */

#include <string.h>

#include "proc/msg.h"

void
msg_put_names(struct msg *m, uint16_t type, uint32_t serial, uint32_t n)
{
	msg_start(m, type);
	wbuf_u32(&m->w, serial);
	wbuf_u32(&m->w, n);
}

/* Each peer has two at most. */
int
msg_get_names(struct rbuf *r, uint32_t *serial, uint32_t *n)
{
	*serial = rbuf_u32(r);
	*n = rbuf_u32(r);
	return (*n > 2 * CONF_MAXTUNNELS ? -1 : get_end(r));
}

void
msg_put_name(struct msg *m, const struct name_item *i)
{
	msg_start(m, M_NAME);
	wbuf_u32(&m->w, i->index);
	wbuf_str(&m->w, i->name);
}

int
msg_get_name(struct rbuf *r, struct name_item *i)
{
	memset(i, 0, sizeof(*i));
	i->index = rbuf_u32(r);
	rbuf_str(r, i->name, sizeof(i->name));
	return (rbuf_ok(r) && conf_host_ok(i->name) ? get_end(r) : -1);
}

void
msg_put_name_ans(struct msg *m, const struct name_ans *a)
{
	uint8_t i;

	msg_start(m, M_NAME_ANS);
	wbuf_u32(&m->w, a->serial);
	wbuf_u32(&m->w, a->index);
	wbuf_u8(&m->w, a->n);
	for (i = 0; i < a->n; i++)
		put_addr(&m->w, &a->a[i]);
	wbuf_str(&m->w, a->why);
}

/* The resolver reads what the net says: it is believed nothing but addresses of hosts. */
int
msg_get_name_ans(struct rbuf *r, struct name_ans *a)
{
	uint8_t i;

	memset(a, 0, sizeof(*a));
	a->serial = rbuf_u32(r);
	a->index = rbuf_u32(r);
	a->n = rbuf_u8(r);
	if (a->n > NAME_ADDRS)
		return (-1);
	for (i = 0; i < a->n; i++) {
		get_addr(r, &a->a[i]);
		if (!rbuf_ok(r) || !conf_host_addr(&a->a[i]))
			return (-1);
	}
	rbuf_str(r, a->why, sizeof(a->why));
	if (!rbuf_ok(r) || (a->n == 0) != conf_absent_ok(a->why))
		return (-1);
	return (get_end(r));
}

void
msg_put_no_answer(struct msg *m, const struct no_answer *n)
{
	msg_start(m, M_NO_ANSWER);
	wbuf_u32(&m->w, n->gen);
	wbuf_u32(&m->w, n->peer);
}

int
msg_get_no_answer(struct rbuf *r, struct no_answer *n)
{
	n->gen = rbuf_u32(r);
	n->peer = rbuf_u32(r);
	return (get_end(r));
}
