/* SPDX-License-Identifier: ISC */
/* The peer that has the keys and says what it likes. */

#include <string.h>

#include "peer.h"

size_t
peer_create_child(uint8_t *buf, size_t cap, uint32_t spi, const char *from,
    const char *to, uint8_t *first)
{
	struct proposal	 p;
	struct tslist	 l, r;
	struct prefix	 pf;
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		 nonce[32];

	memset(&p, 0, sizeof(p));
	memset(&l, 0, sizeof(l));
	memset(&r, 0, sizeof(r));
	memset(nonce, 0x5a, sizeof(nonce));
	p.num = 1;
	p.proto = PROTO_ESP;
	p.spilen = 4;
	p.spi = spi;
	p.nxforms = 2;
	p.xf[0] = (struct xform){ XF_ENCR, ENCR_AES_GCM_16, 256, 0 };
	p.xf[1] = (struct xform){ XF_SN, SN_32, 0, 0 };
	if (prefix_parse(&pf, from) == -1)
		return (0);
	l.n = 1;
	ts_from_prefix(&l.t[0], &pf, 0, 0);
	if (prefix_parse(&pf, to) == -1)
		return (0);
	r.n = 1;
	ts_from_prefix(&r.t[0], &pf, 0, 0);
	wbuf_init(&w, buf, cap);
	wire_inner_begin(&e, &w);
	wire_put_sa1(&e, &p);
	wire_put_nonce(&e, nonce, sizeof(nonce));
	wire_put_ts(&e, P_TSI, &l);
	wire_put_ts(&e, P_TSR, &r);
	if (wire_end(&e) == -1)
		return (0);
	*first = e.first;
	return (w.len);
}

struct ike_core *
peer_core(struct node *n, uint64_t spii, uint64_t spir)
{
	struct ike_half	*h;
	struct ike_sa	*ike;
	uint32_t	 at;

	if (n->e == NULL)
		return (NULL);
	for (at = 0; (ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL;)
		if (ike->c.spii == spii && ike->c.spir == spir)
			return (&ike->c);
	for (at = 0; (h = slab_walk(&n->e->w.halves, &at, NULL)) != NULL;)
		if (h->c.spii == spii && h->c.spir == spir)
			return (&h->c);
	return (NULL);
}

size_t
peer_seal(struct world *w, struct ike_core *c, uint8_t exch, int response, uint32_t msgid,
    uint8_t first, const uint8_t *inner, size_t len, uint8_t out[MSG_MAX])
{
	uint8_t	frag = c->frag;
	size_t	n;

	c->frag = 0;
	n = message_seal(w, c, exch, response, msgid, first, inner, len, out);
	c->frag = frag;
	return (n);
}

size_t
peer_alter(struct node *from, const struct packet *p,
    int (*change)(void *, uint8_t *, size_t *, uint8_t *), void *arg,
    uint8_t out[MSG_MAX])
{
	struct wire_hdr		 h;
	struct wire_msg		 m;
	struct ike_core		*c;
	uint8_t			 plain[MSG_MAX];
	uint8_t			 first;
	size_t			 n;

	if (wire_hdr_decode(p->p, p->len, &h) == -1 || p->len > MSG_MAX / 2 ||
	    wire_decode(h.next, p->p + WIRE_HDRLEN, p->len - WIRE_HDRLEN, WIRE_HDRLEN, &m,
	    NULL) != WIRE_OK || (m.has & WIRE_HAS(P_SK)) == 0 ||
	    (c = peer_core(from, h.spii, h.spir)) == NULL ||
	    sk_open(from->sim->crypto, &c->keys, c->initiator, p->p, m.sk_off + 4, m.sk,
	    plain, &n) == -1)
		return (0);
	first = m.sk_first;
	if (change(arg, plain, &n, &first) == -1)
		return (0);
	return (peer_seal(&from->e->w, c, h.exch, (h.flags & WIRE_F_RESPONSE) != 0,
	    h.msgid, first, plain, n, out));
}

size_t
peer_fragment(struct node *from, struct ike_core *c, const struct wire_hdr *as,
    uint8_t first, uint16_t num, uint16_t total, const void *plain, size_t len,
    uint8_t *out, size_t cap)
{
	struct wire_hdr	h = *as;
	struct wire_enc	e;
	struct wbuf	b;
	struct span	s = { plain, len };
	size_t		n = sk_len(&c->keys, len);
	uint8_t		iv[16] = { 0 };

	h.spii = c->spii;
	h.spir = c->spir;
	h.major = 2;
	h.flags = (uint8_t)((h.flags & WIRE_F_RESPONSE) |
	    (c->initiator ? WIRE_F_INITIATOR : 0));
	wbuf_init(&b, out, cap);
	wire_begin(&e, &b, &h);
	if (wire_put_skf(&e, first, num, total, n) == NULL)
		return (0);
	wbuf_init(&b, iv, sizeof(iv));
	wbuf_u64(&b, c->iv++);
	if (sk_seal(from->sim->crypto, &c->keys, c->initiator, out, WIRE_HDRLEN +
	    WIRE_SKFLEN, s, iv) == -1)
		return (0);
	return (WIRE_HDRLEN + WIRE_SKFLEN + n);
}
