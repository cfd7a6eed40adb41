/* SPDX-License-Identifier: ISC */
/*
 * The SA payload (RFC 7296 3.3): proposals, their transforms, the
 * attributes of those.  Four lengths and two counts nest here and each may lie,
 * so every level is read through a reader over exactly the octets its
 * parent grants it and must leave none of them.
 *
 * What is broken makes the payload malformed; what is only unknown (a
 * transform type, an id, an attribute) is kept and marked, because 3.3.6
 * wants the other transforms and proposals to be considered still.
 */

#include <string.h>

#include "wire/wire_local.h"

/*
 * Only Key Length (14) in its short form means something to us.  Anything else
 * and a second or zero key length make the transform one that
 * nobody may choose, but the payload stays readable.
 */
static const char *
decode_attrs(struct rbuf *r, struct xform *x)
{
	uint16_t	type, value;
	int		seen = 0;

	while (rbuf_left(r) > 0) {
		type = rbuf_u16(r);
		value = rbuf_u16(r);
		if (!rbuf_ok(r))
			return ("SA: attribute cut short");
		if (!(type & WIRE_ATTR_TV)) {
			rbuf_skip(r, value);
			if (!rbuf_ok(r))
				return ("SA: attribute longer than its transform");
			x->bad = 1;
			continue;
		}
		if ((type & ~WIRE_ATTR_TV) != WIRE_ATTR_KEYLEN || seen ||
		    value == 0) {
			x->bad = 1;
			continue;
		}
		seen = 1;
		x->keybits = value;
	}
	return (NULL);
}

/* One transform; last says what the Last octet has to be. */
static const char *
decode_xform(struct rbuf *r, int last, struct xform *x)
{
	struct rbuf	b;
	uint8_t		more;
	uint16_t	len;

	memset(x, 0, sizeof(*x));
	more = rbuf_u8(r);
	rbuf_skip(r, 1);
	len = rbuf_u16(r);
	if (!rbuf_ok(r))
		return ("SA: fewer transforms than the proposal counts");
	if (len < 8)
		return ("SA: transform length below 8");
	b = rbuf_sub(r, len - 4);
	if (!rbuf_ok(r))
		return ("SA: transform longer than its proposal");
	if (more != (last ? 0 : 3))
		return ("SA: transform's Last octet contradicts the count");
	x->type = rbuf_u8(&b);
	rbuf_skip(&b, 1);
	x->id = rbuf_u16(&b);
	return (decode_attrs(&b, x));
}

/*
 * The SPI of a proposal: 4 octets for AH and ESP, none or 8 for IKE (3.3.1).  Of a
 * protocol we do not know the SPI is skipped: nobody will choose it.
 */
static const char *
decode_spi(struct rbuf *r, uint8_t spilen, struct proposal *p)
{
	switch (p->proto) {
	case PROTO_IKE:
		if (spilen != 0 && spilen != 8)
			return ("SA: SPI size of an IKE proposal is not 0 or 8");
		break;
	case PROTO_AH:
	case PROTO_ESP:
		if (spilen != 4)
			return ("SA: SPI size of an ESP or AH proposal is not 4");
		break;
	default:
		rbuf_skip(r, spilen);
		spilen = 0;
		break;
	}
	p->spilen = spilen;
	if (spilen == 4)
		p->spi = rbuf_u32(r);
	else if (spilen == 8)
		p->spi = rbuf_u64(r);
	if (!rbuf_ok(r))
		return ("SA: SPI longer than its proposal");
	return (NULL);
}

static const char *
decode_proposal(struct rbuf *r, struct proposal *p, uint8_t *more)
{
	struct rbuf	 b;
	const char	*why;
	uint16_t	 len;
	uint8_t		 spilen, i;

	memset(p, 0, offsetof(struct proposal, xf));
	*more = rbuf_u8(r);
	rbuf_skip(r, 1);
	len = rbuf_u16(r);
	if (!rbuf_ok(r))
		return ("SA: proposal cut short");
	if (len < 8)
		return ("SA: proposal length below 8");
	b = rbuf_sub(r, len - 4);
	if (!rbuf_ok(r))
		return ("SA: proposal longer than its payload");
	p->num = rbuf_u8(&b);
	p->proto = rbuf_u8(&b);
	spilen = rbuf_u8(&b);
	p->nxforms = rbuf_u8(&b);
	if ((why = decode_spi(&b, spilen, p)) != NULL)
		return (why);
	if (p->nxforms == 0)
		return ("SA: proposal without transforms");
	if (p->nxforms > PROP_MAXXFORMS)
		return ("SA: too many transforms");
	for (i = 0; i < p->nxforms; i++) {
		why = decode_xform(&b, i + 1 == p->nxforms, &p->xf[i]);
		if (why != NULL)
			return (why);
	}
	if (rbuf_left(&b) != 0)
		return ("SA: octets after the last transform");
	return (NULL);
}

/*
 * Proposals past PROPS_MAX are checked like the others but not kept: the
 * offer only looks shorter, and its order of preference stays.
 */
const char *
wire_decode_sa(struct rbuf *r, struct proposals *ps)
{
	struct proposal	 spare, *p;
	const char	*why;
	uint8_t		 more;
	int		 num = 0;

	ps->n = 0;
	do {
		p = ps->n < PROPS_MAX ? &ps->p[ps->n] : &spare;
		if ((why = decode_proposal(r, p, &more)) != NULL)
			return (why);
		if (more != 0 && more != 2)
			return ("SA: proposal's Last octet is neither 0 nor 2");
		/* 3.3.1 counts from 1; an answer has one, of any number */
		if (p->num <= num)
			return ("SA: proposal numbers do not ascend");
		num = p->num;
		if (p != &spare)
			ps->n++;
		if (more == 0 && rbuf_left(r) != 0)
			return ("SA: octets after the last proposal");
	} while (more != 0);
	return (NULL);
}
