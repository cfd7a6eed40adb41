/* SPDX-License-Identifier: ISC */
/*
 * The Configuration payload (RFC 7296 3.15): bytes <-> attributes.  Those that carry an
 * address, a mask or a network are kept; any other is read over, as 3.15 wants.
 */

#include <string.h>

#include "wire/wire_local.h"

#define RESERVED_BIT	0x8000

enum form { F_ADDR4 = 1, F_MASK4, F_NET4, F_ADDR6, F_PREFIX6 };

static const struct {
	uint16_t	type;
	enum form	form;
} forms[] = {
	{ CP_IP4_ADDRESS,	F_ADDR4 },
	{ CP_IP4_NETMASK,	F_MASK4 },
	{ CP_IP4_DNS,		F_ADDR4 },
	{ CP_IP4_NBNS,		F_ADDR4 },
	{ CP_IP4_DHCP,		F_ADDR4 },
	{ CP_IP4_SUBNET,	F_NET4 },
	{ CP_IP6_ADDRESS,	F_PREFIX6 },
	{ CP_IP6_DNS,		F_ADDR6 },
	{ CP_IP6_DHCP,		F_ADDR6 },
	{ CP_IP6_SUBNET,	F_PREFIX6 },
};

static int
form_of(uint16_t type)
{
	size_t	i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].type == type)
			return ((int)forms[i].form);
	return (0);
}

/* A mask of leading ones: its length, or -1. */
static int
mask_len(uint32_t mask)
{
	int	n = 0;

	while (n < 32 && (mask & 0x80000000U) != 0) {
		mask <<= 1;
		n++;
	}
	return (mask == 0 ? n : -1);
}

/* The value of one attribute, all of r.  0 or -1. */
static int
decode_value(struct rbuf *r, enum form f, struct prefix *v)
{
	size_t	len = f == F_ADDR6 || f == F_PREFIX6 ? 16 : 4;
	int	n = (int)len * 8;

	v->addr.fam = len == 4 ? ADDR_V4 : ADDR_V6;
	if (f != F_MASK4)
		rbuf_copy(r, v->addr.b, len);
	if (f == F_MASK4 || f == F_NET4)
		n = mask_len(rbuf_u32(r));
	else if (f == F_PREFIX6)
		n = rbuf_u8(r);
	v->len = (uint8_t)n;
	return (rbuf_ok(r) && rbuf_left(r) == 0 && n >= 0 && n <= (int)len * 8 ?
	    0 : -1);
}

const char *
wire_decode_cp(struct rbuf *r, uint8_t *type, struct cp_list *l)
{
	struct cp_item	*a;
	struct rbuf	 v;
	uint16_t	 t;
	int		 f;

	l->n = 0;
	*type = rbuf_u8(r);
	rbuf_skip(r, 3);
	if (!rbuf_ok(r))
		return ("CP: cut short");
	while (rbuf_left(r) > 0) {
		t = rbuf_u16(r) & (uint16_t)~RESERVED_BIT;
		v = rbuf_sub(r, rbuf_u16(r));
		if (!rbuf_ok(r))
			return ("CP: attribute longer than the payload");
		if ((f = form_of(t)) == 0 || l->n == CP_MAX)
			continue;
		a = &l->a[l->n];
		memset(a, 0, sizeof(*a));
		a->type = t;
		a->empty = rbuf_left(&v) == 0;
		if (a->empty || decode_value(&v, (enum form)f, &a->v) == 0)
			l->n++;
	}
	return (NULL);
}

static void
encode_value(struct wbuf *w, enum form f, const struct prefix *v)
{
	uint32_t	mask = v->len == 0 || v->len > 32 ? 0 : 0xffffffffU << (32 - v->len);
	size_t		len = addr_len(&v->addr);

	wbuf_u16(w, (uint16_t)((f == F_MASK4 ? 0 : len) +
	    (f == F_MASK4 || f == F_NET4 ? 4 : f == F_PREFIX6 ? 1 : 0)));
	if (f != F_MASK4)
		wbuf_bytes(w, v->addr.b, len);
	if (f == F_MASK4 || f == F_NET4)
		wbuf_u32(w, mask);
	else if (f == F_PREFIX6)
		wbuf_u8(w, v->len);
}

/* A value has the family of its attribute. */
static int
fits(enum form f, const struct prefix *v)
{
	return (f == F_ADDR6 || f == F_PREFIX6 ? v->addr.fam == ADDR_V6 &&
	    v->len <= 128 : v->addr.fam == ADDR_V4 && v->len <= 32);
}

void
wire_encode_cp(struct wbuf *w, uint8_t type, const struct cp_list *l)
{
	const struct cp_item	*a;
	uint8_t			 i;
	int			 f;

	wbuf_u8(w, type);
	wbuf_zero(w, 3);
	for (i = 0; i < l->n && i < CP_MAX; i++) {
		a = &l->a[i];
		if ((f = form_of(a->type)) == 0 ||
		    (!a->empty && !fits((enum form)f, &a->v))) {
			wbuf_fail(w);
			return;
		}
		wbuf_u16(w, a->type);
		if (a->empty)
			wbuf_u16(w, 0);
		else
			encode_value(w, (enum form)f, &a->v);
	}
}
