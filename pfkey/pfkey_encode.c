/* SPDX-License-Identifier: ISC */
/* A typed PF_KEY message to bytes, in any dialect. */

#include "pfkey/pfkey_msg.h"

#define PF_KEY_V2	2
#define INET		2

void
pfkey_want(struct pfkey_msg *m, enum pfkey_kind kind)
{
	if (m->next == PFKEY_MAXEXT)
		return;		/* not with our requests: 12 at most */
	m->ext[m->next].kind = (uint8_t)kind;
	m->ext[m->next].type = 0;
	m->ext[m->next].raw.p = NULL;
	m->ext[m->next].raw.len = 0;
	m->next++;
	m->have |= (uint64_t)1 << kind;
}

static void
put_sockaddr(const struct pfkey_dialect *d, struct wbuf *w,
    const struct endpoint *ep)
{
	int v6 = ep->addr.fam == ADDR_V6;
	uint8_t fam = v6 ? d->inet6 : INET;

	if (addr_len(&ep->addr) == 0)
		wbuf_fail(w);
	if (d->sa_len) {
		wbuf_u8(w, v6 ? 28 : 16);
		wbuf_u8(w, fam);
	} else
		wbuf_h16(w, fam);
	wbuf_u16(w, ep->port);
	if (v6) {
		wbuf_zero(w, 4);
		wbuf_bytes(w, ep->addr.b, 16);
		wbuf_zero(w, 4);
	} else {
		wbuf_bytes(w, ep->addr.b, 4);
		wbuf_zero(w, 8);
	}
}

static void
put_sa(struct wbuf *w, const struct pfkey_msg *m)
{
	wbuf_u32(w, m->sa.spi);
	wbuf_u8(w, m->sa.replay);
	wbuf_u8(w, m->sa.state);
	wbuf_u8(w, m->sa.auth);
	wbuf_u8(w, m->sa.encr);
	wbuf_h32(w, m->sa.flags);
}

static void
put_life(struct wbuf *w, const struct pfkey_life *l)
{
	wbuf_h32(w, l->alloc);
	wbuf_h64(w, l->bytes);
	wbuf_h64(w, l->add);
	wbuf_h64(w, l->use);
}

static void
put_addr(const struct pfkey_dialect *d, struct wbuf *w, const struct pfkey_addr *a)
{
	wbuf_u8(w, a->proto);
	wbuf_u8(w, a->plen);
	wbuf_zero(w, 2);
	put_sockaddr(d, w, &a->ep);
}

static void
put_key(struct wbuf *w, const struct pfkey_key *k)
{
	if (k->key.len != ((size_t)k->bits + 7) / 8)
		wbuf_fail(w);
	wbuf_h16(w, k->bits);
	wbuf_zero(w, 2);
	wbuf_bytes(w, k->key.p, k->key.len);
}

static void
put_algs(struct wbuf *w, const struct pfkey_algs *s)
{
	size_t i;

	wbuf_zero(w, 4);
	for (i = 0; i < s->n; i++) {
		wbuf_u8(w, s->alg[i].id);
		wbuf_u8(w, s->alg[i].ivlen);
		wbuf_h16(w, s->alg[i].minbits);
		wbuf_h16(w, s->alg[i].maxbits);
		wbuf_zero(w, 2);
	}
}

static void
put_request(const struct pfkey_dialect *d, struct wbuf *w,
    const struct pfkey_request *q)
{
	size_t start = w->len;

	wbuf_h16(w, 0);
	wbuf_h16(w, q->proto);
	wbuf_u8(w, q->mode);
	wbuf_u8(w, q->level);
	if (d->reqhdr == 16) {
		wbuf_zero(w, 2);
		wbuf_h32(w, q->reqid);
		wbuf_zero(w, 4);
	} else {
		if (q->reqid > UINT16_MAX)
			wbuf_fail(w);
		wbuf_h16(w, (uint16_t)q->reqid);
	}
	if (q->has_addr) {
		put_sockaddr(d, w, &q->src);
		put_sockaddr(d, w, &q->dst);
	}
	wbuf_patch_h16(w, start, (uint16_t)(w->len - start));
}

static void
put_policy(const struct pfkey_dialect *d, struct wbuf *w,
    const struct pfkey_msg *m)
{
	size_t i;

	wbuf_h16(w, m->policy.type);
	wbuf_u8(w, m->policy.dir);
	wbuf_u8(w, m->policy.scope);
	wbuf_h32(w, m->policy.id);
	wbuf_h32(w, m->policy.prio);
	for (i = 0; i < m->policy.nreq && i < PFKEY_MAXREQ; i++)
		put_request(d, w, &m->policy.req[i]);
}

static void
put_sa2(struct wbuf *w, const struct pfkey_msg *m)
{
	wbuf_u8(w, m->sa2.mode);
	wbuf_zero(w, 3);
	wbuf_h32(w, m->sa2.seq);
	wbuf_h32(w, m->sa2.reqid);
}

/* The body behind the four octets of an extension's header. */
static void
put_body(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    const struct pfkey_ext *x, struct wbuf *w)
{
	switch (x->kind) {
	case PX_SA:
		put_sa(w, m);
		break;
	case PX_LTC:
		put_life(w, &m->ltc);
		break;
	case PX_LTH:
		put_life(w, &m->lth);
		break;
	case PX_LTS:
		put_life(w, &m->lts);
		break;
	case PX_SRC:
		put_addr(d, w, &m->src);
		break;
	case PX_DST:
		put_addr(d, w, &m->dst);
		break;
	case PX_PROXY:
		put_addr(d, w, &m->proxy);
		break;
	case PX_KAUTH:
		put_key(w, &m->kauth);
		break;
	case PX_KENC:
		put_key(w, &m->kenc);
		break;
	case PX_SUPA:
		put_algs(w, &m->supa);
		break;
	case PX_SUPE:
		put_algs(w, &m->supe);
		break;
	case PX_SPIRANGE:
		wbuf_h32(w, m->spirange.min);
		wbuf_h32(w, m->spirange.max);
		wbuf_zero(w, 4);
		break;
	case PX_POLICY:
		put_policy(d, w, m);
		break;
	case PX_SA2:
		put_sa2(w, m);
		break;
	case PX_NATT_TYPE:
		wbuf_u8(w, m->natt_type);
		wbuf_zero(w, 3);
		break;
	case PX_SPORT:
		wbuf_u16(w, m->sport);
		wbuf_zero(w, 2);
		break;
	case PX_DPORT:
		wbuf_u16(w, m->dport);
		wbuf_zero(w, 2);
		break;
	case PX_REPLAY:
		wbuf_h32(w, m->replay_window);
		break;
	default:
		/* Read but not understood further: as it came. */
		if (x->raw.len < 4)
			wbuf_fail(w);
		else
			wbuf_bytes(w, x->raw.p + 4, x->raw.len - 4);
		break;
	}
}

int
pfkey_encode(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct wbuf *w)
{
	size_t i, start, base = w->len;
	uint16_t type;

	wbuf_u8(w, PF_KEY_V2);
	wbuf_u8(w, m->type);
	wbuf_u8(w, m->err);
	wbuf_u8(w, m->satype);
	wbuf_h16(w, 0);
	wbuf_h16(w, m->reserved);
	wbuf_h32(w, m->seq);
	wbuf_h32(w, m->pid);
	for (i = 0; i < m->next; i++) {
		type = m->ext[i].type;
		if (type == 0)
			type = pfkey_exttype(d, (enum pfkey_kind)m->ext[i].kind);
		if (type == 0)
			wbuf_fail(w);
		start = w->len;
		wbuf_h16(w, 0);
		wbuf_h16(w, type);
		put_body(d, m, &m->ext[i], w);
		wbuf_zero(w, (8 - (w->len - start) % 8) % 8);
		wbuf_patch_h16(w, start, (uint16_t)((w->len - start) / 8));
	}
	if (w->len - base > UINT16_MAX)
		wbuf_fail(w);
	wbuf_patch_h16(w, base + 4, (uint16_t)((w->len - base) / 8));
	return (wbuf_ok(w) ? 0 : -1);
}
