/* SPDX-License-Identifier: ISC */
/*
 * Values -> IKE messages.  Each payload is opened (which writes its type
 * where the one before it, or the header, announces its successor) and closed (which
 * fills in its length).  Errors stick to the writer and show in wire_end().
 */

#include "wire/wire_local.h"

#define HDR_NEXT	16	/* offsets in the header, RFC 7296 3.1 */
#define HDR_LEN		24

void
wire_begin(struct wire_enc *e, struct wbuf *w, const struct wire_hdr *h)
{
	e->w = w;
	e->inner = 0;
	e->first = P_NONE;
	e->start = w->len;
	e->next_off = e->start + HDR_NEXT;
	wbuf_u64(w, h->spii);
	wbuf_u64(w, h->spir);
	wbuf_u8(w, P_NONE);
	wbuf_u8(w, (uint8_t)(h->major << 4 | (h->minor & 0x0f)));
	wbuf_u8(w, h->exch);
	wbuf_u8(w, h->flags);
	wbuf_u32(w, h->msgid);
	wbuf_u32(w, 0);
}

void
wire_inner_begin(struct wire_enc *e, struct wbuf *w)
{
	e->w = w;
	e->inner = 1;
	e->first = P_NONE;
	e->start = w->len;
	e->next_off = 0;
}

int
wire_end(struct wire_enc *e)
{
	size_t	n;

	if (!wbuf_ok(e->w))
		return (-1);
	n = e->w->len - e->start;
	if (n > WIRE_MAXMSG) {
		wbuf_fail(e->w);
		return (-1);
	}
	if (!e->inner)
		wbuf_patch_u32(e->w, e->start + HDR_LEN, (uint32_t)n);
	return (wbuf_ok(e->w) ? 0 : -1);
}

/* Gives the offset of the payload's generic header, for payload_close(). */
static size_t
payload_open(struct wire_enc *e, uint8_t type)
{
	size_t	off = e->w->len;

	if (e->first == P_NONE)
		e->first = type;
	if (!e->inner || off != e->start)
		wbuf_patch_u8(e->w, e->next_off, type);
	e->next_off = off;
	wbuf_u8(e->w, P_NONE);
	wbuf_u8(e->w, 0);
	wbuf_u16(e->w, 0);
	return (off);
}

static void
patch_len(struct wbuf *w, size_t off, size_t len_off)
{
	size_t	n;

	if (!wbuf_ok(w))
		return;
	n = w->len - off;
	if (n > UINT16_MAX)
		wbuf_fail(w);
	else
		wbuf_patch_u16(w, off + len_off, (uint16_t)n);
}

static void
payload_close(struct wire_enc *e, size_t off)
{
	patch_len(e->w, off, 2);
}

static void
put_spi(struct wbuf *w, uint8_t spilen, uint64_t spi)
{
	switch (spilen) {
	case 0:
		break;
	case 4:
		if (spi > UINT32_MAX)
			wbuf_fail(w);
		wbuf_u32(w, (uint32_t)spi);
		break;
	case 8:
		wbuf_u64(w, spi);
		break;
	default:
		wbuf_fail(w);
		break;
	}
}

static void
put_xform(struct wbuf *w, const struct xform *x, int last)
{
	wbuf_u8(w, last ? 0 : 3);
	wbuf_u8(w, 0);
	wbuf_u16(w, x->keybits != 0 ? 12 : 8);
	wbuf_u8(w, x->type);
	wbuf_u8(w, 0);
	wbuf_u16(w, x->id);
	if (x->keybits != 0) {
		wbuf_u16(w, WIRE_ATTR_TV | WIRE_ATTR_KEYLEN);
		wbuf_u16(w, x->keybits);
	}
}

static void
put_proposal(struct wbuf *w, const struct proposal *p, int last)
{
	size_t	off = w->len;
	uint8_t	i;

	/* what the decoder would refuse is not sent either */
	if (p->nxforms == 0 || p->nxforms > PROP_MAXXFORMS) {
		wbuf_fail(w);
		return;
	}
	wbuf_u8(w, last ? 0 : 2);
	wbuf_u8(w, 0);
	wbuf_u16(w, 0);
	wbuf_u8(w, p->num);
	wbuf_u8(w, p->proto);
	wbuf_u8(w, p->spilen);
	wbuf_u8(w, p->nxforms);
	put_spi(w, p->spilen, p->spi);
	for (i = 0; i < p->nxforms; i++)
		put_xform(w, &p->xf[i], i + 1 == p->nxforms);
	patch_len(w, off, 2);
}

void
wire_put_sa(struct wire_enc *e, const struct proposals *ps)
{
	size_t	off = payload_open(e, P_SA);
	uint8_t	i;

	if (ps->n == 0 || ps->n > PROPS_MAX) {
		wbuf_fail(e->w);
		return;
	}
	for (i = 0; i < ps->n; i++)
		put_proposal(e->w, &ps->p[i], i + 1 == ps->n);
	payload_close(e, off);
}

void
wire_put_sa1(struct wire_enc *e, const struct proposal *p)
{
	size_t	off = payload_open(e, P_SA);

	put_proposal(e->w, p, 1);
	payload_close(e, off);
}

void
wire_put_ke(struct wire_enc *e, uint16_t group, const void *p, size_t n)
{
	size_t	off = payload_open(e, P_KE);

	wbuf_u16(e->w, group);
	wbuf_zero(e->w, 2);
	wbuf_bytes(e->w, p, n);
	payload_close(e, off);
}

void
wire_put_nonce(struct wire_enc *e, const void *p, size_t n)
{
	size_t	off = payload_open(e, P_NONCE);

	wbuf_bytes(e->w, p, n);
	payload_close(e, off);
}

void
wire_put_id(struct wire_enc *e, enum wire_payload which, const struct ident *id)
{
	size_t	off = payload_open(e, (uint8_t)which);

	wbuf_u8(e->w, id->type);
	wbuf_zero(e->w, 3);
	wbuf_bytes(e->w, id->data, id->len);
	payload_close(e, off);
}

size_t
wire_id_body(const struct ident *id, uint8_t dst[4 + ID_MAXLEN])
{
	struct wbuf	w;

	wbuf_init(&w, dst, 4 + ID_MAXLEN);
	wbuf_u8(&w, id->type);
	wbuf_zero(&w, 3);
	wbuf_bytes(&w, id->data, id->len);
	return (w.len);
}

void
wire_put_auth(struct wire_enc *e, uint8_t method, const void *p, size_t n)
{
	size_t	off = payload_open(e, P_AUTH);

	wbuf_u8(e->w, method);
	wbuf_zero(e->w, 3);
	wbuf_bytes(e->w, p, n);
	payload_close(e, off);
}

static void
put_selector(struct wbuf *w, const struct ts *t)
{
	size_t	alen = addr_len(&t->start);

	if (alen == 0 || addr_len(&t->end) != alen) {
		wbuf_fail(w);
		return;
	}
	wbuf_u8(w, alen == 4 ? WIRE_TS_V4 : WIRE_TS_V6);
	wbuf_u8(w, t->proto);
	wbuf_u16(w, alen == 4 ? WIRE_TS_V4LEN : WIRE_TS_V6LEN);
	wbuf_u16(w, t->sport);
	wbuf_u16(w, t->eport);
	wbuf_bytes(w, t->start.b, alen);
	wbuf_bytes(w, t->end.b, alen);
}

void
wire_put_ts(struct wire_enc *e, enum wire_payload which, const struct tslist *l)
{
	size_t	off = payload_open(e, (uint8_t)which);
	uint8_t	i;

	if (l->n > TS_MAX) {
		wbuf_fail(e->w);
		return;
	}
	wbuf_u8(e->w, l->n);
	wbuf_zero(e->w, 3);
	for (i = 0; i < l->n; i++)
		put_selector(e->w, &l->t[i]);
	payload_close(e, off);
}

void
wire_put_notify(struct wire_enc *e, uint8_t proto, uint8_t spilen, uint64_t spi,
    uint16_t type, const void *p, size_t n)
{
	size_t	off = payload_open(e, P_N);

	wbuf_u8(e->w, proto);
	wbuf_u8(e->w, spilen);
	wbuf_u16(e->w, type);
	put_spi(e->w, spilen, spi);
	wbuf_bytes(e->w, p, n);
	payload_close(e, off);
}

void
wire_put_delete(struct wire_enc *e, uint8_t proto, uint8_t spilen,
    const uint64_t *spis, uint16_t n)
{
	size_t		off = payload_open(e, P_D);
	uint16_t	i;

	wbuf_u8(e->w, proto);
	wbuf_u8(e->w, spilen);
	wbuf_u16(e->w, n);
	if (spilen == 0 && n != 0)
		wbuf_fail(e->w);
	for (i = 0; i < n; i++)
		put_spi(e->w, spilen, spis[i]);
	payload_close(e, off);
}

void
wire_put_cp(struct wire_enc *e, enum wire_cp_type type, const struct cp_list *l)
{
	size_t	off = payload_open(e, P_CP);

	wire_encode_cp(e->w, (uint8_t)type, l);
	payload_close(e, off);
}

void
wire_put_vendor(struct wire_enc *e, const void *p, size_t n)
{
	size_t	off = payload_open(e, P_V);

	wbuf_bytes(e->w, p, n);
	payload_close(e, off);
}

static uint8_t *
put_sealed(struct wire_enc *e, size_t off, uint8_t first_inner, size_t n)
{
	uint8_t	*room;

	/* not a next payload but the first of the content, 3.14 */
	wbuf_patch_u8(e->w, off, first_inner);
	room = wbuf_room(e->w, n);
	payload_close(e, off);
	if (wire_end(e) == -1)
		return (NULL);
	return (room);
}

uint8_t *
wire_put_sk(struct wire_enc *e, uint8_t first_inner, size_t n)
{
	return (put_sealed(e, payload_open(e, P_SK), first_inner, n));
}

uint8_t *
wire_put_skf(struct wire_enc *e, uint8_t first_inner, uint16_t num, uint16_t total,
    size_t n)
{
	size_t	off = payload_open(e, P_SKF);

	wbuf_u16(e->w, num);
	wbuf_u16(e->w, total);
	return (put_sealed(e, off, first_inner, n));
}
