/* SPDX-License-Identifier: ISC */
/* PF_KEY bytes to a typed message: strict, bounded, in any dialect. */

#include <string.h>

#include "pfkey/pfkey_msg.h"

#define PF_KEY_V2	2
#define MSGHDR		16
#define INET		2

typedef int decode_ext(const struct pfkey_dialect *, struct rbuf *,
    struct pfkey_msg *);

/*
 * struct sockaddr_in (16 octets) or sockaddr_in6 (28) of the dialect.  The length
 * octet, where there is one, must be exact: FreeBSD copies that many.
 */
static int
get_sockaddr(const struct pfkey_dialect *d, struct rbuf *r, struct endpoint *ep)
{
	uint16_t fam;
	size_t want;
	uint8_t len = 0;

	memset(ep, 0, sizeof(*ep));
	if (d->sa_len) {
		len = rbuf_u8(r);
		fam = rbuf_u8(r);
	} else
		fam = rbuf_h16(r);
	want = fam == INET ? 16 : fam == d->inet6 ? 28 : 0;
	if (want == 0 || (d->sa_len && len != want))
		return (-1);
	ep->port = rbuf_u16(r);
	if (fam == INET) {
		ep->addr.fam = ADDR_V4;
		rbuf_copy(r, ep->addr.b, 4);
		rbuf_skip(r, 8);
	} else {
		rbuf_skip(r, 4);	/* flow */
		ep->addr.fam = ADDR_V6;
		rbuf_copy(r, ep->addr.b, 16);
		rbuf_skip(r, 4);	/* scope */
	}
	return (rbuf_ok(r) ? 0 : -1);
}

static int
get_sa(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->sa.spi = rbuf_u32(r);
	m->sa.replay = rbuf_u8(r);
	m->sa.state = rbuf_u8(r);
	m->sa.auth = rbuf_u8(r);
	m->sa.encr = rbuf_u8(r);
	m->sa.flags = rbuf_h32(r);
	return (0);
}

static int
get_life(struct rbuf *r, struct pfkey_life *l)
{
	l->alloc = rbuf_h32(r);
	l->bytes = rbuf_h64(r);
	l->add = rbuf_h64(r);
	l->use = rbuf_h64(r);
	return (0);
}

static int
get_ltc(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_life(r, &m->ltc));
}

static int
get_lth(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_life(r, &m->lth));
}

static int
get_lts(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_life(r, &m->lts));
}

/* Exactly the sockaddr, padded to eight octets. */
static int
get_addr(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_addr *a)
{
	a->proto = rbuf_u8(r);
	a->plen = rbuf_u8(r);
	rbuf_skip(r, 2);
	if (get_sockaddr(d, r, &a->ep) == -1)
		return (-1);
	if (a->plen > addr_len(&a->ep.addr) * 8)
		return (-1);
	rbuf_skip(r, a->ep.addr.fam == ADDR_V6 ? 4 : 0);
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}

static int
get_src(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	return (get_addr(d, r, &m->src));
}

static int
get_dst(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	return (get_addr(d, r, &m->dst));
}

static int
get_proxy(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	return (get_addr(d, r, &m->proxy));
}

/* Addresses we check but have no use for: NAT-OA, NEW_ADDRESS. */
static int
get_otheraddr(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	struct pfkey_addr a;

	(void)m;
	return (get_addr(d, r, &a));
}

static int
get_key(struct rbuf *r, struct pfkey_key *k)
{
	size_t octets;

	k->bits = rbuf_h16(r);
	rbuf_skip(r, 2);
	octets = ((size_t)k->bits + 7) / 8;
	k->key = rbuf_span(r, octets);
	rbuf_skip(r, (8 - octets % 8) % 8);
	return (rbuf_ok(r) && rbuf_left(r) == 0 ? 0 : -1);
}

static int
get_kauth(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_key(r, &m->kauth));
}

static int
get_kenc(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_key(r, &m->kenc));
}

static int
get_algs(struct rbuf *r, struct pfkey_algs *s)
{
	struct pfkey_alg a;

	rbuf_skip(r, 4);
	s->n = 0;
	while (rbuf_ok(r) && rbuf_left(r) > 0) {
		a.id = rbuf_u8(r);
		a.ivlen = rbuf_u8(r);
		a.minbits = rbuf_h16(r);
		a.maxbits = rbuf_h16(r);
		rbuf_skip(r, 2);
		if (rbuf_ok(r) && s->n < PFKEY_MAXALG)
			s->alg[s->n++] = a;
	}
	return (rbuf_ok(r) ? 0 : -1);
}

static int
get_supa(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_algs(r, &m->supa));
}

static int
get_supe(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	return (get_algs(r, &m->supe));
}

/* sadb_prop and its sadb_combs of 72 octets, which we do not read: every system
 * filters or empties them (use your own policy). */
static int
get_prop(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->prop.replay = rbuf_u8(r);
	rbuf_skip(r, 3);
	if (rbuf_left(r) % 72 != 0)
		return (-1);
	m->prop.ncombs = rbuf_left(r) / 72;
	return (0);
}

static int
get_spirange(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->spirange.min = rbuf_h32(r);
	m->spirange.max = rbuf_h32(r);
	return (0);
}

/* One ipsecrequest; its length is in octets in every dialect. */
static int
get_request(const struct pfkey_dialect *d, struct rbuf *r,
    struct pfkey_request *q)
{
	struct rbuf in;

	memset(q, 0, sizeof(*q));
	q->len = rbuf_h16(r);
	if (q->len < d->reqhdr || q->len % 8 != 0)
		return (-1);
	in = rbuf_sub(r, q->len - 2U);
	q->proto = rbuf_h16(&in);
	q->mode = rbuf_u8(&in);
	q->level = rbuf_u8(&in);
	if (d->reqhdr == 16) {
		rbuf_skip(&in, 2);
		q->reqid = rbuf_h32(&in);
		rbuf_skip(&in, 4);
	} else
		q->reqid = rbuf_h16(&in);
	if (rbuf_ok(&in) && rbuf_left(&in) == 0)
		return (0);
	q->has_addr = 1;
	if (get_sockaddr(d, &in, &q->src) == -1 ||
	    get_sockaddr(d, &in, &q->dst) == -1 || rbuf_left(&in) != 0 ||
	    q->src.addr.fam != q->dst.addr.fam)
		return (-1);
	return (0);
}

static int
get_policy(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	m->policy.type = rbuf_h16(r);
	m->policy.dir = rbuf_u8(r);
	m->policy.scope = rbuf_u8(r);
	m->policy.id = rbuf_h32(r);
	m->policy.prio = rbuf_h32(r);
	m->policy.nreq = 0;
	if (!d->scope)
		m->policy.scope = 0;
	while (rbuf_ok(r) && rbuf_left(r) > 0) {
		if (m->policy.nreq == PFKEY_MAXREQ ||
		    get_request(d, r, &m->policy.req[m->policy.nreq]) == -1)
			return (-1);
		m->policy.nreq++;
	}
	return (rbuf_ok(r) ? 0 : -1);
}

static int
get_sa2(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->sa2.mode = rbuf_u8(r);
	rbuf_skip(r, 3);
	m->sa2.seq = rbuf_h32(r);
	m->sa2.reqid = rbuf_h32(r);
	return (0);
}

static int
get_natt_type(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->natt_type = rbuf_u8(r);
	return (0);
}

static int
get_sport(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->sport = rbuf_u16(r);
	return (0);
}

static int
get_dport(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->dport = rbuf_u16(r);
	return (0);
}

static int
get_replay(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	(void)d;
	m->replay_window = rbuf_h32(r);
	return (0);
}

/*
 * Octets of each extension, its header of four included: exactly size, or at
 * least size where more may follow.  NULL: nothing to read inside.
 */
static const struct {
	uint16_t	 size;
	uint8_t		 more;
	decode_ext	*get;
} exts[PX_MAX] = {
	[PX_SA] = { 16, 0, get_sa },
	[PX_LTC] = { 32, 0, get_ltc },
	[PX_LTH] = { 32, 0, get_lth },
	[PX_LTS] = { 32, 0, get_lts },
	[PX_SRC] = { 24, 1, get_src },
	[PX_DST] = { 24, 1, get_dst },
	[PX_PROXY] = { 24, 1, get_proxy },
	[PX_KAUTH] = { 8, 1, get_kauth },
	[PX_KENC] = { 8, 1, get_kenc },
	[PX_IDSRC] = { 16, 1, NULL },
	[PX_IDDST] = { 16, 1, NULL },
	[PX_SENS] = { 16, 1, NULL },
	[PX_PROP] = { 8, 1, get_prop },
	[PX_SUPA] = { 8, 1, get_supa },
	[PX_SUPE] = { 8, 1, get_supe },
	[PX_SPIRANGE] = { 16, 0, get_spirange },
	[PX_KMPRIV] = { 8, 1, NULL },
	[PX_POLICY] = { 16, 1, get_policy },
	[PX_SA2] = { 16, 0, get_sa2 },
	[PX_NATT_TYPE] = { 8, 0, get_natt_type },
	[PX_SPORT] = { 8, 0, get_sport },
	[PX_DPORT] = { 8, 0, get_dport },
	[PX_NATT_OA] = { 24, 1, get_otheraddr },
	[PX_OAI] = { 24, 1, get_otheraddr },
	[PX_OAR] = { 24, 1, get_otheraddr },
	[PX_FRAG] = { 8, 0, NULL },
	[PX_SECCTX] = { 8, 1, NULL },
	[PX_KMADDRESS] = { 8, 1, NULL },
	[PX_FILTER] = { 8, 1, NULL },
	[PX_REPLAY] = { 8, 0, get_replay },
	[PX_NEWSRC] = { 24, 1, get_otheraddr },
	[PX_NEWDST] = { 24, 1, get_otheraddr },
	[PX_LTC_SW] = { 32, 0, NULL },
	[PX_LTC_HW] = { 32, 0, NULL },
	[PX_LTC_IF] = { 8, 1, NULL }
};

/* One extension: header, then its body through the table. */
static const char *
get_ext(const struct pfkey_dialect *d, struct rbuf *r, struct pfkey_msg *m)
{
	struct pfkey_ext *x;
	struct rbuf in;
	size_t octets;
	uint8_t kind;

	if (m->next == PFKEY_MAXEXT)
		return ("too many extensions");
	x = &m->ext[m->next];
	in = *r;
	octets = (size_t)rbuf_h16(&in) * 8;
	x->type = rbuf_h16(&in);
	if (!rbuf_ok(&in) || octets < 8)
		return ("extension length zero or no room");
	x->raw = rbuf_span(r, octets);
	if (!rbuf_ok(r))
		return ("extension longer than the message");
	kind = x->type < PFKEY_EXTNUM ? d->kind[x->type] : PX_NONE;
	x->kind = kind;
	m->next++;
	if (kind == PX_NONE)
		return (d->ignores_unknown && x->type > d->ext_max ? NULL :
		    "unknown extension");
	if (pfkey_has(m, kind))
		return ("extension twice");
	m->have |= (uint64_t)1 << kind;
	if (octets < exts[kind].size ||
	    (!exts[kind].more && octets != exts[kind].size))
		return ("extension of a wrong size");
	if (exts[kind].get == NULL)
		return (NULL);
	rbuf_init(&in, x->raw.p, x->raw.len);
	rbuf_skip(&in, 4);
	if (exts[kind].get(d, &in, m) == -1 || !rbuf_ok(&in))
		return ("malformed extension");
	return (NULL);
}

int
pfkey_decode(const struct pfkey_dialect *d, const void *p, size_t len,
    struct pfkey_msg *m, const char **why)
{
	struct rbuf r;
	uint8_t version;

	memset(m, 0, sizeof(*m));
	rbuf_init(&r, p, len);
	version = rbuf_u8(&r);
	m->type = rbuf_u8(&r);
	m->err = rbuf_u8(&r);
	m->satype = rbuf_u8(&r);
	m->words = rbuf_h16(&r);
	m->reserved = rbuf_h16(&r);	/* a reference count in policy dumps */
	m->seq = rbuf_h32(&r);
	m->pid = rbuf_h32(&r);
	*why = NULL;
	if (!rbuf_ok(&r))
		*why = "shorter than a header";
	else if (version != PF_KEY_V2)
		*why = "not version 2";
	else if ((size_t)m->words * 8 != len)
		*why = "length is not the datagram's";
	else if (m->type == 0 || m->type > d->msg_max)
		*why = "unknown message type";
	while (*why == NULL && rbuf_left(&r) > 0)
		*why = get_ext(d, &r, m);
	return (*why == NULL ? 0 : -1);
}
