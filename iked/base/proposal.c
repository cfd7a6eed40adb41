/* SPDX-License-Identifier: ISC */
/*
 * Negotiation of proposals (RFC 7296 2.7, 3.3.6): the responder's choice, the
 * initiator's check of the answer, and how both are told to a person.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/xform.h"

#define ESP_SPI_MIN	256	/* 0..255 are reserved (RFC 4303 2.1) */

static int
is_aead(uint16_t id)
{
	const struct xform_info *xi;
	size_t i;

	for (i = 0; (xi = xform_row(i)) != NULL; i++)
		if (xi->type == XF_ENCR && xi->id == id)
			return (xi->aead);
	return (0);
}

static int
type_fits(uint8_t proto, uint8_t type)
{
	switch (type) {
	case XF_ENCR:
	case XF_INTEG:
	case XF_KE:
		return (1);
	case XF_PRF:
		return (proto == PROTO_IKE);
	case XF_SN:
		return (proto == PROTO_ESP);
	default:
		return (0);
	}
}

static int
has_type(const struct proposal *p, uint8_t type)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type)
			return (1);
	return (0);
}

static int
has(const struct proposal *p, uint8_t type, uint16_t id, uint16_t keybits)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type && p->xf[i].id == id &&
		    p->xf[i].keybits == keybits && !p->xf[i].bad)
			return (1);
	return (0);
}

static int
spi_valid(const struct proposal *p)
{
	if (p->proto == PROTO_ESP)
		return (p->spilen == 4 && p->spi >= ESP_SPI_MIN);
	/* None in IKE_SA_INIT, the new SPI in a rekey (3.3.1). */
	return (p->spilen == 0 || (p->spilen == 8 && p->spi != 0));
}

/* What makes a whole proposal unacceptable, whatever we would choose of it. */
static int
offer_valid(const struct proposal *p)
{
	unsigned int i;
	int aead = 0, integ = 0;

	if ((p->proto != PROTO_IKE && p->proto != PROTO_ESP) ||
	    p->nxforms > PROP_MAXXFORMS || !spi_valid(p))
		return (0);
	for (i = 0; i < p->nxforms; i++) {
		if (!type_fits(p->proto, p->xf[i].type))
			return (0);
		if (p->xf[i].type == XF_ENCR && is_aead(p->xf[i].id))
			aead = 1;
		if (p->xf[i].type == XF_INTEG && p->xf[i].id != INTEG_NONE)
			integ = 1;
	}
	/* "two proposals are needed" for both kinds of cipher (3.3) */
	return (!(aead && integ));
}

/*
 * The first of our transforms of this type that the offer has too and that
 * the protocol can use.  0 and *out, or -1.
 */
static int
pick(const struct proposal *o, const struct proposal *ours, uint8_t type,
    struct xform *out)
{
	const struct xform *x;
	unsigned int i;

	for (i = 0; i < ours->nxforms && i < PROP_MAXXFORMS; i++) {
		x = &ours->xf[i];
		if (x->type != type || x->bad ||
		    xform_info(x->type, x->id, x->keybits) == NULL ||
		    !has(o, type, x->id, x->keybits))
			continue;
		if (type == XF_INTEG && x->id == INTEG_NONE)
			continue;
		*out = *x;
		return (0);
	}
	return (-1);
}

static void
add(struct proposal *p, uint8_t type, uint16_t id, uint16_t keybits)
{
	struct xform *x;

	if (p->nxforms == PROP_MAXXFORMS)
		return;
	x = &p->xf[p->nxforms++];
	memset(x, 0, sizeof(*x));
	x->type = type;
	x->id = id;
	x->keybits = keybits;
}

/*
 * Cipher and integrity go together: with an AEAD the offer may say NONE,
 * which the answer then repeats; any other cipher needs an INTEG.
 */
static int
choose_cipher(const struct proposal *o, const struct proposal *ours,
    struct proposal *c, struct suite *s)
{
	const struct xform *x;
	struct xform integ;
	unsigned int i;

	for (i = 0; i < ours->nxforms && i < PROP_MAXXFORMS; i++) {
		x = &ours->xf[i];
		if (x->type != XF_ENCR || x->bad ||
		    xform_info(XF_ENCR, x->id, x->keybits) == NULL ||
		    !has(o, XF_ENCR, x->id, x->keybits))
			continue;
		if (x->id == ENCR_NULL && o->proto == PROTO_IKE)
			continue;
		memset(&integ, 0, sizeof(integ));
		if (!is_aead(x->id) && pick(o, ours, XF_INTEG, &integ) == -1)
			continue;
		add(c, XF_ENCR, x->id, x->keybits);
		if (!is_aead(x->id) || has(o, XF_INTEG, INTEG_NONE, 0))
			add(c, XF_INTEG, integ.id, 0);
		s->encr = x->id;
		s->encr_keybits = x->keybits;
		s->integ = integ.id;
		return (0);
	}
	return (-1);
}

/* An IKE SA always has a key exchange (RFC 7296 3.3.3; 2.18 for a rekey). */
static int
choose_ke(const struct proposal *o, const struct proposal *ours,
    uint16_t hint, int flags, struct proposal *c, struct suite *s)
{
	struct xform x;
	int ike = o->proto == PROTO_IKE;
	int none_offered = has(o, XF_KE, KE_NONE, 0);

	if (!ike && (flags & PROP_IGNORE_KE)) {
		if (none_offered)
			add(c, XF_KE, KE_NONE, 0);
		return (0);
	}
	if (hint != KE_NONE && has(o, XF_KE, hint, 0) &&
	    has(ours, XF_KE, hint, 0) && xform_info(XF_KE, hint, 0) != NULL) {
		add(c, XF_KE, hint, 0);
		s->ke = hint;
		return (0);
	}
	if (!ike && !has_type(o, XF_KE))	/* the same as offering NONE */
		return (!has_type(ours, XF_KE) || has(ours, XF_KE, KE_NONE, 0)
		    ? 0 : -1);
	if (!ike && !has_type(ours, XF_KE)) {	/* we are content with NONE */
		if (!none_offered)
			return (-1);
		add(c, XF_KE, KE_NONE, 0);
		return (0);
	}
	if (pick(o, ours, XF_KE, &x) == -1 || (ike && x.id == KE_NONE))
		return (-1);
	add(c, XF_KE, x.id, 0);
	s->ke = x.id;
	return (0);
}

static int
choose_one(const struct proposal *o, const struct proposal *ours,
    uint16_t hint, int flags, struct proposal *c, struct suite *s)
{
	struct xform x;

	memset(c, 0, sizeof(*c));
	memset(s, 0, sizeof(*s));
	c->num = o->num;
	c->proto = o->proto;
	c->spilen = o->spilen;
	c->spi = o->spi;
	if (o->proto != ours->proto || choose_cipher(o, ours, c, s) == -1)
		return (-1);
	if (o->proto == PROTO_IKE) {
		if (pick(o, ours, XF_PRF, &x) == -1)
			return (-1);
		add(c, XF_PRF, x.id, 0);
		s->prf = x.id;
	}
	if (choose_ke(o, ours, hint, flags, c, s) == -1)
		return (-1);
	if (o->proto == PROTO_ESP) {
		memset(&x, 0, sizeof(x));
		if (has_type(ours, XF_SN) ? pick(o, ours, XF_SN, &x) == -1 :
		    !has(o, XF_SN, SN_32, 0))
			return (-1);
		add(c, XF_SN, x.id, 0);
		s->sn = x.id;
	}
	return (0);
}

int
proposal_choose(const struct proposals *offered, const struct proposals *ours,
    uint16_t ke_hint, int flags, struct proposal *chosen, struct suite *suite)
{
	struct proposal c;
	struct suite s;
	unsigned int i, j;

	for (i = 0; i < offered->n && i < PROPS_MAX; i++) {
		if (!offer_valid(&offered->p[i]))
			continue;
		for (j = 0; j < ours->n && j < PROPS_MAX; j++) {
			if (choose_one(&offered->p[i], &ours->p[j], ke_hint,
			    flags, &c, &s) == -1)
				continue;
			*chosen = c;
			*suite = s;
			return (0);
		}
	}
	return (-1);
}

/* The answer's transform of this type: 1 and *out, 0 none, -1 several. */
static int
single(const struct proposal *a, uint8_t type, struct xform *out)
{
	unsigned int i;
	int n = 0;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < a->nxforms; i++)
		if (a->xf[i].type == type) {
			*out = a->xf[i];
			n++;
		}
	return (n > 1 ? -1 : n);
}

/* Every transform of the answer was offered just so, and is known to us. */
static int
answer_subset(const struct proposal *o, const struct proposal *a)
{
	const struct xform *x;
	unsigned int i;

	for (i = 0; i < a->nxforms; i++) {
		x = &a->xf[i];
		if (x->bad || !type_fits(a->proto, x->type) ||
		    !has(o, x->type, x->id, x->keybits) ||
		    xform_info(x->type, x->id, x->keybits) == NULL)
			return (0);
	}
	return (1);
}

static int
verify_types(const struct proposal *o, const struct proposal *a,
    struct suite *s)
{
	struct xform encr, prf, integ, ke, sn;
	int nprf, ninteg, nke, nsn;

	if (single(a, XF_ENCR, &encr) != 1 ||
	    (nprf = single(a, XF_PRF, &prf)) == -1 ||
	    (ninteg = single(a, XF_INTEG, &integ)) == -1 ||
	    (nke = single(a, XF_KE, &ke)) == -1 ||
	    (nsn = single(a, XF_SN, &sn)) == -1)
		return (-1);
	/* An absent INTEG is NONE: fine with an AEAD, fatal without. */
	if (is_aead(encr.id) != (ninteg == 0 || integ.id == INTEG_NONE))
		return (-1);
	if (a->proto == PROTO_IKE) {
		if (nprf != 1 || ke.id == KE_NONE || encr.id == ENCR_NULL)
			return (-1);
	} else {
		/* Leaving KE out means NONE, which we must have offered. */
		if (nsn != 1 || (nke == 0 && has_type(o, XF_KE) &&
		    !has(o, XF_KE, KE_NONE, 0)))
			return (-1);
	}
	s->encr = encr.id;
	s->encr_keybits = encr.keybits;
	s->prf = prf.id;
	s->integ = integ.id;
	s->ke = ke.id;
	s->sn = sn.id;
	return (0);
}

int
proposal_verify(const struct proposals *offered,
    const struct proposals *answer, struct suite *suite)
{
	const struct proposal *o, *a = &answer->p[0];
	struct suite s;
	unsigned int i;

	memset(&s, 0, sizeof(s));
	if (answer->n != 1 || a->nxforms > PROP_MAXXFORMS)
		return (-1);
	for (i = 0; i < offered->n && i < PROPS_MAX; i++)
		if (offered->p[i].num == a->num)
			break;
	if (i == offered->n || i == PROPS_MAX)
		return (-1);
	o = &offered->p[i];
	if (o->proto != a->proto || o->spilen != a->spilen || !spi_valid(a) ||
	    !answer_subset(o, a) || verify_types(o, a, &s) == -1)
		return (-1);
	*suite = s;
	return (0);
}

/* Text that never grows past cap; what does not fit is cut. */
struct text {
	char	*dst;
	size_t	 cap, len;
};

static void
text_put(struct text *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));

static void
text_put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->len + 1 >= t->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->dst + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	t->len += (size_t)n;
	if (t->len >= t->cap)
		t->len = t->cap - 1;
}

/* A transform we have no word for is told by its number. */
static void
text_xform(struct text *t, uint8_t type, uint16_t id, uint16_t keybits)
{
	const struct xform_info *xi;

	if ((xi = xform_info(type, id, keybits)) != NULL)
		text_put(t, "%s", xi->name);
	else if (keybits != 0)
		text_put(t, "#%u-%u", (unsigned int)id, (unsigned int)keybits);
	else
		text_put(t, "#%u", (unsigned int)id);
}

static void
text_type(struct text *t, const struct proposal *p, uint8_t type,
    const char *word)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->nxforms && i < PROP_MAXXFORMS; i++) {
		if (p->xf[i].type != type)
			continue;
		text_put(t, "%s", n++ == 0 ? word : ",");
		text_xform(t, type, p->xf[i].id, p->xf[i].keybits);
	}
}

static void
text_proposal(struct text *t, const struct proposal *p)
{
	unsigned int i;

	if (p->proto == PROTO_AH)
		text_put(t, "ah ");
	text_type(t, p, XF_ENCR, "");
	text_type(t, p, XF_INTEG, " auth ");
	text_type(t, p, XF_PRF, " prf ");
	text_type(t, p, XF_KE, " group ");
	if (has(p, XF_SN, SN_ESN, 0))
		text_type(t, p, XF_SN, " ");
	for (i = 0; i < p->nxforms && i < PROP_MAXXFORMS; i++)
		if (p->xf[i].type < XF_ENCR || p->xf[i].type > XF_SN)
			text_put(t, " type%u #%u", (unsigned int)p->xf[i].type,
			    (unsigned int)p->xf[i].id);
}

char *
proposals_str(const struct proposals *ps, char *dst, size_t cap)
{
	struct text t = { dst, cap, 0 };
	unsigned int i;

	if (cap > 0)
		dst[0] = '\0';
	if (ps->n == 0)
		text_put(&t, "nothing");
	for (i = 0; i < ps->n && i < PROPS_MAX; i++) {
		if (i > 0)
			text_put(&t, "; ");
		text_proposal(&t, &ps->p[i]);
	}
	return (dst);
}

char *
suite_str(const struct suite *s, char *dst, size_t cap)
{
	struct text t = { dst, cap, 0 };

	if (cap > 0)
		dst[0] = '\0';
	text_xform(&t, XF_ENCR, s->encr, s->encr_keybits);
	if (s->integ != INTEG_NONE) {
		text_put(&t, " auth ");
		text_xform(&t, XF_INTEG, s->integ, 0);
	}
	if (s->prf != 0) {
		text_put(&t, " prf ");
		text_xform(&t, XF_PRF, s->prf, 0);
	}
	if (s->ke != KE_NONE) {
		text_put(&t, " group ");
		text_xform(&t, XF_KE, s->ke, 0);
	}
	if (s->sn == SN_ESN)
		text_put(&t, " esn");
	return (dst);
}

/* What of a type a proposal has; nothing at all is "none". */
static void
text_has(struct text *t, const struct proposal *p, uint8_t type)
{
	unsigned int i, n = 0;

	for (i = 0; i < p->nxforms && i < PROP_MAXXFORMS; i++) {
		if (p->xf[i].type != type)
			continue;
		if (n++ > 0)
			text_put(t, ", ");
		text_xform(t, type, p->xf[i].id, p->xf[i].keybits);
	}
	if (n == 0)
		text_put(t, "none");
}

static int
in_common(const struct proposal *a, const struct proposal *b, uint8_t type)
{
	unsigned int i;

	if (!has_type(a, type) || !has_type(b, type))
		return (has_type(a, type) == has_type(b, type));
	for (i = 0; i < a->nxforms && i < PROP_MAXXFORMS; i++)
		if (a->xf[i].type == type && has(b, type, a->xf[i].id, a->xf[i].keybits))
			return (1);
	return (0);
}

char *
proposals_differ(const struct proposals *theirs, const struct proposals *ours,
    char *dst, size_t cap)
{
	static const struct {
		uint8_t		 type;
		const char	*word;
	} order[] = { { XF_ENCR, "enc" }, { XF_INTEG, "auth" }, { XF_PRF, "prf" },
	    { XF_KE, "group" }, { XF_SN, "sequence numbers" } };
	const size_t n = sizeof(order) / sizeof(order[0]);
	const struct proposal *a = NULL, *b = NULL;
	struct text t = { dst, cap, 0 };
	unsigned int i, j;
	size_t k, best = 0;

	for (i = 0; i < theirs->n && i < PROPS_MAX; i++)
		for (j = 0; j < ours->n && j < PROPS_MAX; j++) {
			for (k = 0; k < n && in_common(&theirs->p[i], &ours->p[j],
			    order[k].type); k++)
				;
			if (a == NULL || k > best) {
				best = k;
				a = &theirs->p[i];
				b = &ours->p[j];
			}
		}
	if (cap > 0)
		dst[0] = '\0';
	if (a == NULL || best == n) {
		text_put(&t, "no proposal in common");
		return (dst);
	}
	text_put(&t, "no ");
	text_put(&t, "%s", order[best].word);
	text_put(&t, " in common (it has ");
	text_has(&t, a, order[best].type);
	text_put(&t, ", we have ");
	text_has(&t, b, order[best].type);
	text_put(&t, ")");
	return (dst);
}
