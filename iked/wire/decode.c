/* SPDX-License-Identifier: ISC */
/*
 * The payload chain (RFC 7296 3.2) and all payloads but SA and TS.  Order is
 * free (2.5), except that SK and SKF end the chain.  Every payload is read
 * through a reader over its own octets only.
 */

#include <string.h>

#include "wire/wire_local.h"

#define KNOWN(t)	(((t) >= P_SA && (t) <= P_EAP) || (t) == P_SKF)
/* Those of which one message may hold several. */
#define PLURAL		(WIRE_HAS(P_CERT) | WIRE_HAS(P_CERTREQ) | WIRE_HAS(P_N) | \
			    WIRE_HAS(P_D) | WIRE_HAS(P_V))

static struct span
rest(struct rbuf *r)
{
	return (rbuf_span(r, rbuf_left(r)));
}

static const char *
decode_ke(struct rbuf *r, struct wire_msg *m)
{
	const struct xform_info	*xi;

	m->ke_group = rbuf_u16(r);
	rbuf_skip(r, 2);
	m->ke = rest(r);
	if (!rbuf_ok(r) || m->ke.len == 0)
		return ("KE: cut short");
	/* RFC 7296 3.4, RFC 5903, RFC 8031: each group has its one length */
	xi = xform_info(XF_KE, m->ke_group, 0);
	if (xi != NULL && xi->publen != 0 && xi->publen != m->ke.len)
		return ("KE: value has not the length of its group");
	return (NULL);
}

static const char *
decode_nonce(struct rbuf *r, struct wire_msg *m)
{
	m->nonce = rest(r);
	/* RFC 7296 3.9 */
	if (m->nonce.len < 16 || m->nonce.len > 256)
		return ("Nonce: not 16 to 256 octets");
	return (NULL);
}

/* Sizes and characters; a type we do not know is for the one who compares. */
static const char *
check_id(const struct ident *id, int initiator)
{
	switch (id->type) {
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
	case ID_FQDN:
	case ID_RFC822_ADDR:
	case ID_DER_ASN1_DN:
	case ID_KEY_ID:
		if (ident_valid(id))
			return (NULL);
		return (initiator ? "IDi: data does not fit its type" :
		    "IDr: data does not fit its type");
	case ID_NONE:
		return (initiator ? "IDi: type 0" : "IDr: type 0");
	default:
		return (NULL);
	}
}

static const char *
decode_id(struct rbuf *r, struct wire_msg *m, int initiator)
{
	struct ident	*id = initiator ? &m->idi : &m->idr;
	struct rbuf	 body = *r;

	if (initiator)
		m->idi_body = rest(&body);
	else
		m->idr_body = rest(&body);
	id->type = rbuf_u8(r);
	rbuf_skip(r, 3);
	if (!rbuf_ok(r))
		return (initiator ? "IDi: cut short" : "IDr: cut short");
	if (rbuf_left(r) > ID_MAXLEN)
		return (initiator ? "IDi: longer than 255 octets" :
		    "IDr: longer than 255 octets");
	id->len = (uint8_t)rbuf_left(r);
	rbuf_copy(r, id->data, id->len);
	return (check_id(id, initiator));
}

static const char *
decode_auth(struct rbuf *r, struct wire_msg *m)
{
	m->auth_method = rbuf_u8(r);
	rbuf_skip(r, 3);
	m->auth = rest(r);
	if (!rbuf_ok(r))
		return ("AUTH: cut short");
	return (NULL);
}

static const char *
decode_notify(struct rbuf *r, struct wire_msg *m)
{
	struct wire_notify	*n;

	if (m->nnotify == WIRE_MAXNOTIFIES)
		return ("Notify: too many of them");
	n = &m->notify[m->nnotify];
	n->proto = rbuf_u8(r);
	n->spilen = rbuf_u8(r);
	n->type = rbuf_u16(r);
	n->spi = 0;
	switch (n->spilen) {
	case 0:
		break;
	case 4:
		n->spi = rbuf_u32(r);
		break;
	case 8:
		n->spi = rbuf_u64(r);
		break;
	default:
		return ("Notify: SPI size is not 0, 4 or 8");
	}
	n->data = rest(r);
	if (!rbuf_ok(r))
		return ("Notify: cut short");
	m->nnotify++;
	return (NULL);
}

/* RFC 7296 3.11: an IKE SA deletes itself without naming SPIs. */
static const char *
decode_delete(struct rbuf *r, struct wire_msg *m)
{
	struct wire_delete	*d;
	uint16_t		 i;

	if (m->ndelete == WIRE_MAXDELETES)
		return ("Delete: too many of them");
	d = &m->del[m->ndelete];
	d->proto = rbuf_u8(r);
	d->spilen = rbuf_u8(r);
	d->nspis = rbuf_u16(r);
	if (!rbuf_ok(r))
		return ("Delete: cut short");
	switch (d->proto) {
	case PROTO_IKE:
		if (d->spilen != 0 || d->nspis != 0)
			return ("Delete: SPIs for an IKE SA");
		break;
	case PROTO_AH:
	case PROTO_ESP:
		if (d->spilen != 4)
			return ("Delete: SPI size is not 4");
		break;
	default:
		return ("Delete: unknown protocol");
	}
	if (d->nspis > WIRE_MAXDELSPIS)
		return ("Delete: too many SPIs");
	for (i = 0; i < d->nspis; i++)
		d->spi[i] = rbuf_u32(r);
	if (!rbuf_ok(r) || rbuf_left(r) != 0)
		return ("Delete: SPIs do not agree with their count");
	m->ndelete++;
	return (NULL);
}

/* One payload of a type we know, r being its body. */
static const char *
decode_payload(uint8_t type, struct rbuf *r, struct wire_msg *m)
{
	switch (type) {
	case P_SA:
		return (wire_decode_sa(r, &m->sa));
	case P_KE:
		return (decode_ke(r, m));
	case P_IDI:
	case P_IDR:
		return (decode_id(r, m, type == P_IDI));
	case P_AUTH:
		return (decode_auth(r, m));
	case P_NONCE:
		return (decode_nonce(r, m));
	case P_N:
		return (decode_notify(r, m));
	case P_D:
		return (decode_delete(r, m));
	case P_V:
		if (m->nvendor < UINT8_MAX)
			m->nvendor++;
		return (NULL);
	case P_TSI:
		return (wire_decode_ts(r, &m->tsi, &m->tsi_skipped, 1));
	case P_TSR:
		return (wire_decode_ts(r, &m->tsr, &m->tsr_skipped, 0));
	case P_CP:
		return (wire_decode_cp(r, &m->cp_type, &m->cp));
	default:	/* CERT, CERTREQ, SK, EAP, SKF */
		return (NULL);
	}
}

/*
 * The generic header of one payload and the payload.  *type goes in
 * as this payload's and comes out as the next one's.
 */
static const char *
decode_next(struct rbuf *r, size_t base_off, uint8_t *type, struct wire_msg *m)
{
	struct rbuf	 b;
	const char	*why;
	size_t		 off = r->off;
	uint8_t		 next, flags;
	uint16_t	 len;

	next = rbuf_u8(r);
	flags = rbuf_u8(r);
	len = rbuf_u16(r);
	if (!rbuf_ok(r))
		return ("chain: payload header cut short");
	if (len < WIRE_GENLEN)
		return ("chain: payload length below 4");
	b = rbuf_sub(r, len - WIRE_GENLEN);
	if (!rbuf_ok(r))
		return ("chain: payload longer than the message");
	if (!KNOWN(*type)) {
		if ((flags & WIRE_CRITBIT) && m->critical == 0)
			m->critical = *type;
		*type = next;
		return (NULL);
	}
	if ((m->has & WIRE_HAS(*type) & ~PLURAL) != 0)
		return ("chain: a payload twice that may be there once");
	m->has |= WIRE_HAS(*type);
	if (*type == P_SK || *type == P_SKF) {
		/* 3.14: the last one; its next field names its own content */
		if (rbuf_left(r) != 0)
			return ("chain: octets after the encrypted payload");
		if (*type == P_SKF) {
			m->frag_num = rbuf_u16(&b);
			m->frag_total = rbuf_u16(&b);
		}
		m->sk_first = next;
		m->sk = rest(&b);
		m->sk_off = base_off + off;
		*type = P_NONE;
		return (rbuf_ok(&b) ? NULL : "SKF: cut short");
	}
	why = decode_payload(*type, &b, m);
	*type = next;
	return (why);
}

static enum wire_err
malformed(const char **why, const char *s)
{
	if (why != NULL)
		*why = s;
	return (WIRE_MALFORMED);
}

enum wire_err
wire_decode(uint8_t first, const void *body, size_t len, size_t base_off,
    struct wire_msg *m, const char **why)
{
	struct rbuf	 r;
	const char	*s;
	uint8_t		 type = first;
	int		 n;

	memset(m, 0, offsetof(struct wire_msg, sa));
	m->sa.n = m->tsi.n = m->tsr.n = m->cp.n = 0;
	if (why != NULL)
		*why = NULL;
	rbuf_init(&r, body, len);
	for (n = 0; type != P_NONE; n++) {
		if (n == WIRE_MAXPAYLOADS)
			return (malformed(why, "chain: too many payloads"));
		if ((s = decode_next(&r, base_off, &type, m)) != NULL)
			return (malformed(why, s));
		if (n == 0 && m->nnotify == 1 && m->notify[0].type == N_COOKIE)
			m->cookie_first = 1;
	}
	if (rbuf_left(&r) != 0)
		return (malformed(why, "chain: octets after the last payload"));
	return (m->critical != 0 ? WIRE_CRITICAL : WIRE_OK);
}

const struct wire_notify *
wire_notify(const struct wire_msg *m, uint16_t type)
{
	uint8_t	i;

	for (i = 0; i < m->nnotify; i++)
		if (m->notify[i].type == type)
			return (&m->notify[i]);
	return (NULL);
}

const struct wire_notify *
wire_error(const struct wire_msg *m)
{
	uint8_t	i;

	for (i = 0; i < m->nnotify; i++)
		if (m->notify[i].type <= N_ERROR_MAX)
			return (&m->notify[i]);
	return (NULL);
}
