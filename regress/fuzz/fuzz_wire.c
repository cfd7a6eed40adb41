/* SPDX-License-Identifier: ISC */
/*
 * Any octets as a datagram: header, then the chain in the clear.  What decodes
 * is encoded from the decoded values; that must decode again and encode to
 * the same octets.  A wrong length in the header is only noted, or hardly a
 * mutant would come past it.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint8_t	buf1[WIRE_MAXMSG], buf2[WIRE_MAXMSG];

static void
must(int x)
{
	if (!x)
		abort();
}

static void
put_known(struct wire_enc *e, const struct wire_msg *m)
{
	if (m->has & WIRE_HAS(P_SA))
		wire_put_sa(e, &m->sa);
	if (m->has & WIRE_HAS(P_KE))
		wire_put_ke(e, m->ke_group, m->ke.p, m->ke.len);
	if (m->has & WIRE_HAS(P_NONCE))
		wire_put_nonce(e, m->nonce.p, m->nonce.len);
	if (m->has & WIRE_HAS(P_IDI))
		wire_put_id(e, P_IDI, &m->idi);
	if (m->has & WIRE_HAS(P_IDR))
		wire_put_id(e, P_IDR, &m->idr);
	if (m->has & WIRE_HAS(P_AUTH))
		wire_put_auth(e, m->auth_method, m->auth.p, m->auth.len);
	if (m->has & WIRE_HAS(P_TSI))
		wire_put_ts(e, P_TSI, &m->tsi);
	if (m->has & WIRE_HAS(P_TSR))
		wire_put_ts(e, P_TSR, &m->tsr);
}

/* All that the encoder knows, in one order; gives the length and first type. */
static size_t
encode(const struct wire_msg *m, uint8_t *buf, size_t cap, uint8_t *first)
{
	const struct wire_notify	*n;
	const struct wire_delete	*d;
	struct wire_enc			 e;
	struct wbuf			 w;
	uint8_t				 i;

	wbuf_init(&w, buf, cap);
	wire_inner_begin(&e, &w);
	put_known(&e, m);
	for (i = 0; i < m->nnotify; i++) {
		n = &m->notify[i];
		wire_put_notify(&e, n->proto, n->spilen, n->spi, n->type,
		    n->data.p, n->data.len);
	}
	for (i = 0; i < m->ndelete; i++) {
		d = &m->del[i];
		wire_put_delete(&e, d->proto, d->spilen, d->spi, d->nspis);
	}
	must(wire_end(&e) == 0);
	*first = e.first;
	return (w.len);
}

static void
stable(const struct wire_msg *m)
{
	static struct wire_msg	again;
	const char		*why;
	uint8_t			 first, first2;
	size_t			 n, n2;

	n = encode(m, buf1, sizeof(buf1), &first);
	must(wire_decode(first, buf1, n, 0, &again, &why) == WIRE_OK);
	must(again.nnotify == m->nnotify && again.ndelete == m->ndelete &&
	    again.sa.n == m->sa.n && again.tsi.n == m->tsi.n &&
	    again.tsr.n == m->tsr.n && again.tsi_skipped == 0 &&
	    again.tsr_skipped == 0 && ident_equal(&again.idi, &m->idi) &&
	    ident_equal(&again.idr, &m->idr));
	n2 = encode(&again, buf2, sizeof(buf2), &first2);
	must(first == first2 && n == n2 && memcmp(buf1, buf2, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct wire_msg	m;
	struct wire_hdr		h;
	const char		*why = NULL;
	enum wire_err		rv;

	if (wire_hdr_decode(p, len, &h) == 0)
		must(h.len == len && len >= WIRE_HDRLEN);
	if (len < WIRE_HDRLEN || len > WIRE_MAXMSG)
		return (0);
	rv = wire_decode(p[16], p + WIRE_HDRLEN, len - WIRE_HDRLEN, WIRE_HDRLEN,
	    &m, &why);
	must((rv == WIRE_MALFORMED) == (why != NULL));
	if (rv == WIRE_MALFORMED)
		return (0);
	must((rv == WIRE_CRITICAL) == (m.critical != 0));
	if (m.has & WIRE_HAS(P_SK))
		must(m.sk_off >= WIRE_HDRLEN && m.sk.p == p + m.sk_off + 4 &&
		    m.sk.p + m.sk.len == p + len);
	stable(&m);
	return (0);
}
