/* SPDX-License-Identifier: ISC */
/*
 * The traffic selector payloads (RFC 7296 3.13).  A broken length or count
 * is malformed; a selector that is merely of an unknown type or empty (start
 * after end) is skipped and counted, so that the others can still be
 * narrowed and an initiator can tell that the answer held more than it sees.
 */

#include "wire/wire_local.h"

#define WHY(i, s)	((i) ? "TSi: " s : "TSr: " s)

static void
read_range(struct rbuf *r, size_t alen, struct ts *t)
{
	t->sport = rbuf_u16(r);
	t->eport = rbuf_u16(r);
	if (addr_from_bytes(&t->start, rbuf_bytes(r, alen), alen) == -1 ||
	    addr_from_bytes(&t->end, rbuf_bytes(r, alen), alen) == -1)
		rbuf_fail(r);
}

static void
keep(struct tslist *l, const struct ts *t, uint8_t *skipped)
{
	if (ts_valid(t) && l->n < TS_MAX)
		l->t[l->n++] = *t;
	else if (*skipped < UINT8_MAX)
		(*skipped)++;
}

const char *
wire_decode_ts(struct rbuf *r, struct tslist *l, uint8_t *skipped, int initiator)
{
	struct rbuf	b;
	struct ts	t;
	uint16_t	len;
	uint8_t		n, type;

	l->n = 0;
	*skipped = 0;
	n = rbuf_u8(r);
	rbuf_skip(r, 3);
	for (; n > 0; n--) {
		type = rbuf_u8(r);
		t.proto = rbuf_u8(r);
		len = rbuf_u16(r);
		if (!rbuf_ok(r))
			return (WHY(initiator, "fewer selectors than counted"));
		if (len < 4)
			return (WHY(initiator, "selector length below 4"));
		b = rbuf_sub(r, len - 4);
		if (!rbuf_ok(r))
			return (WHY(initiator, "selector longer than its payload"));
		switch (type) {
		case WIRE_TS_V4:
			if (len != WIRE_TS_V4LEN)
				return (WHY(initiator, "IPv4 selector is not 16 octets"));
			read_range(&b, 4, &t);
			keep(l, &t, skipped);
			break;
		case WIRE_TS_V6:
			if (len != WIRE_TS_V6LEN)
				return (WHY(initiator, "IPv6 selector is not 40 octets"));
			read_range(&b, 16, &t);
			keep(l, &t, skipped);
			break;
		default:
			if (*skipped < UINT8_MAX)
				(*skipped)++;
			break;
		}
	}
	if (!rbuf_ok(r))
		return (WHY(initiator, "cut short"));
	if (rbuf_left(r) != 0)
		return (WHY(initiator, "octets after the last selector"));
	return (NULL);
}
