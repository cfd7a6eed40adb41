/* SPDX-License-Identifier: ISC */
/*
 * What we offer and accept: the configured proposals, of which the kernel has
 * its say for ESP: nothing it cannot install is ever offered or chosen.
 */

#include <string.h>

#include "exchange/exchange.h"

int
offer_ike(struct world *w, uint32_t peer, uint64_t spi, struct proposals *out)
{
	uint8_t	i;

	*out = *peer_conf(w, peer)->ike;
	for (i = 0; i < out->n; i++) {
		out->p[i].num = (uint8_t)(i + 1);
		out->p[i].proto = PROTO_IKE;
		out->p[i].spilen = spi != 0 ? 8 : 0;
		out->p[i].spi = spi;
	}
	return (out->n > 0 ? 0 : -1);
}

static int
is_aead(const struct xform *x)
{
	const struct xform_info	*xi = xform_info(XF_ENCR, x->id, x->keybits);

	return (xi != NULL && xi->aead);
}

/* Can this cipher be installed with one of the proposal's INTEGs, or needs none? */
static int
encr_can(const struct world *w, const struct proposal *p, const struct xform *x)
{
	uint8_t	i;

	if (is_aead(x))
		return (kern_can(&w->caps, x->id, x->keybits, INTEG_NONE));
	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == XF_INTEG &&
		    kern_can(&w->caps, x->id, x->keybits, p->xf[i].id))
			return (1);
	return (0);
}

static int
integ_can(const struct world *w, const struct proposal *p, const struct xform *x)
{
	uint8_t	i;

	if (x->id == INTEG_NONE)
		return (1);
	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == XF_ENCR && !is_aead(&p->xf[i]) &&
		    kern_can(&w->caps, p->xf[i].id, p->xf[i].keybits, x->id))
			return (1);
	return (0);
}

static int
keep_xform(const struct world *w, const struct proposal *p, const struct xform *x,
    int with_ke)
{
	switch (x->type) {
	case XF_ENCR:
		return (encr_can(w, p, x));
	case XF_INTEG:
		return (integ_can(w, p, x));
	case XF_KE:
		return (with_ke);
	case XF_SN:
		return (x->id == SN_32 || w->caps.esn);
	default:
		return (0);
	}
}

/* 1: the result still has a cipher, and SN, which an ESP proposal must have (3.3.3).  Who
 * wants ESN only does not get less where the kernel cannot. */
static int
filter(const struct world *w, const struct proposal *in, int with_ke,
    struct proposal *out)
{
	uint8_t	i;
	int	encr = 0, sn = 0;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < in->nxforms; i++) {
		if (!keep_xform(w, in, &in->xf[i], with_ke))
			continue;
		encr |= in->xf[i].type == XF_ENCR;
		sn |= in->xf[i].type == XF_SN;
		out->xf[out->nxforms++] = in->xf[i];
	}
	return (encr && sn);
}

int
offer_esp(struct world *w, uint32_t tunnel, uint32_t spi, int with_ke,
    struct proposals *out)
{
	const struct proposals	*in = tunnel_conf(w, tunnel)->esp;
	struct proposal		*p;
	uint8_t			 i;

	memset(out, 0, sizeof(*out));
	if (!w->has_caps)
		return (-1);
	for (i = 0; i < in->n; i++) {
		p = &out->p[out->n];
		if (!filter(w, &in->p[i], with_ke, p))
			continue;
		out->n++;
		p->num = out->n;
		p->proto = PROTO_ESP;
		p->spilen = 4;
		p->spi = spi;
	}
	return (out->n > 0 ? 0 : -1);
}

void
offer_none(struct world *w, uint32_t tunnel)
{
	const struct conf_tunnel	*t = tunnel_conf(w, tunnel);
	char				 ours[150];

	(void)proposals_str(t->esp, ours, sizeof(ours));
	log_event(w->log, WHY_KERNEL_LACKS,
	    "tunnel \"%s\": this kernel can install nothing of its "
	    "\"childsa\", %s: change it; iked said at its start what the kernel lacks",
	    t->name, ours);
	tunnel_error(w, tunnel, WHY_KERNEL_LACKS,
	    "this kernel can install nothing of its \"childsa\", %s",
	    ours);
}

uint16_t
offer_group(const struct proposals *ps)
{
	uint8_t	i, j;

	for (i = 0; i < ps->n; i++)
		for (j = 0; j < ps->p[i].nxforms; j++)
			if (ps->p[i].xf[j].type == XF_KE &&
			    ps->p[i].xf[j].id != KE_NONE &&
			    xform_info(XF_KE, ps->p[i].xf[j].id, 0) != NULL)
				return (ps->p[i].xf[j].id);
	return (KE_NONE);
}

static int
has_xform(const struct proposal *p, uint8_t type, uint16_t id, uint16_t keybits)
{
	uint8_t	i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type && p->xf[i].id == id &&
		    p->xf[i].keybits == keybits)
			return (1);
	return (0);
}

int
offer_has_group(const struct proposals *ps, uint16_t group)
{
	uint8_t	i;

	for (i = 0; i < ps->n; i++)
		if (has_xform(&ps->p[i], XF_KE, group, 0))
			return (1);
	return (0);
}

/* The identity may lead to another peer than the address did: is what was
 * agreed with the one also allowed by the other? */
int
offer_allows(const struct proposals *ps, const struct suite *s)
{
	const struct proposal	*p;
	uint8_t			 i;

	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		if (has_xform(p, XF_ENCR, s->encr, s->encr_keybits) &&
		    has_xform(p, XF_PRF, s->prf, 0) &&
		    (s->integ == INTEG_NONE || has_xform(p, XF_INTEG, s->integ, 0)) &&
		    has_xform(p, XF_KE, s->ke, 0))
			return (1);
	}
	return (0);
}

static struct ke *
fresh(struct world *w, uint16_t group, uint8_t rnd[KE_MAXPRIV])
{
	const struct xform_info	*xi = xform_info(XF_KE, group, 0);
	struct ke		*ke = NULL;
	int			 i;

	if (xi == NULL || xi->privlen == 0 || xi->privlen > KE_MAXPRIV)
		return (NULL);
	/* random octets that make no private key are rare, twice in a row never */
	for (i = 0; i < 4 && ke == NULL; i++) {
		world_random(w, rnd, xi->privlen);
		ke = ke_new(w->crypto, group, rnd, xi->privlen);
	}
	return (ke);
}

struct ke *
offer_ke(struct world *w, uint16_t group)
{
	uint8_t		 rnd[KE_MAXPRIV];
	struct ke	*ke;

	ke = fresh(w, group, rnd);
	crypto_wipe(rnd, sizeof(rnd));
	return (ke);
}

int
offer_nego_ke(struct world *w, struct nego *n, uint16_t group)
{
	uint8_t		 rnd[KE_MAXPRIV];
	struct ke	*ke;

	if ((ke = fresh(w, group, rnd)) != NULL) {
		ke_free(n->ke);
		n->ke = ke;
		n->group = group;
		memcpy(n->priv, rnd, sizeof(n->priv));
	}
	crypto_wipe(rnd, sizeof(rnd));
	return (ke != NULL ? 0 : -1);
}
