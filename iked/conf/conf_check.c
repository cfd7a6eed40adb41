/* SPDX-License-Identifier: ISC */
/* What holds in every configuration: the parser and the codec both ask here. */
#include <string.h>

#include "conf/conf_parse.h"

/* The octets of the UTF-8 sequence at s, 0 when it is none (RFC 3629). */
static size_t
utf8(const unsigned char *s)
{
	unsigned int	 cp, min;
	size_t		 n, i;

	if (s[0] < 0x80)
		return (1);
	if ((s[0] & 0xe0) == 0xc0)
		n = 2, cp = s[0] & 0x1f, min = 0x80;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3, cp = s[0] & 0x0f, min = 0x800;
	else if ((s[0] & 0xf8) == 0xf0)
		n = 4, cp = s[0] & 0x07, min = 0x10000;
	else
		return (0);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return (0);
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) ||
	    cp < 0xa0)
		return (0);
	return (n);
}

/* Names go into commands, logs and JSON: no quote, backslash or control. */
int
conf_name_ok(const char *s)
{
	const unsigned char	*p = (const unsigned char *)s;
	size_t			 len = strlen(s), n;

	if (len == 0 || len >= CONF_NAMELEN || s[0] == ' ' ||
	    s[len - 1] == ' ')
		return (0);
	for (; *p != '\0'; p += n) {
		if (*p < ' ' || *p == '"' || *p == '\'' || *p == '\\' ||
		    *p == 0x7f)
			return (0);
		if ((n = utf8(p)) == 0)
			return (0);
	}
	return (1);
}

/* Not set, or of a type that PSK peers use and that can be written down. */
int
conf_ident_ok(const struct ident *id)
{
	if (id->type == ID_NONE)
		return (id->len == 0);
	if (id->type != ID_IPV4_ADDR && id->type != ID_IPV6_ADDR &&
	    id->type != ID_FQDN && id->type != ID_RFC822_ADDR &&
	    id->type != ID_KEY_ID)
		return (0);
	if (!ident_valid(id))
		return (0);
	if (id->type == ID_FQDN || id->type == ID_RFC822_ADDR)
		return (memchr(id->data, '"', id->len) == NULL &&
		    memchr(id->data, '\\', id->len) == NULL);
	return (1);
}

int
conf_addr_ok(const struct addr *a)
{
	if (addr_is_any(a))
		return (0);
	/* Multicast and what is above it: no host has it (RFC 5771, 4291). */
	return (a->fam == ADDR_V4 ? a->b[0] < 224 && a->b[0] != 0 :
	    a->b[0] != 0xff);
}

/*
 * IKE needs the cipher in our own crypto; the ciphers of ESP are the kernel's,
 * which is asked at start what it can.
 */
int
conf_xform_built(uint8_t proto, const struct xform_info *xi)
{
	switch (xi->type) {
	case XF_ENCR:
		if (proto == PROTO_IKE)
			return (xi->id == ENCR_AES_CBC || xi->id == ENCR_AES_CTR ||
			    xi->aead);
		return (xi->id != ENCR_NULL);
	case XF_KE:
		return (proto == PROTO_ESP || xi->id != KE_NONE);
	case XF_PRF:
		return (proto == PROTO_IKE);
	case XF_INTEG:
		return (xi->id != INTEG_NONE);
	case XF_SN:
		return (proto == PROTO_ESP);
	default:
		return (0);
	}
}

static int
proposal_ok(const struct proposal *p, uint8_t proto)
{
	const struct xform_info	*xi;
	unsigned int		 have = 0, i, k, naead = 0, nenc = 0;

	for (i = 0; i < p->nxforms; i++) {
		if (p->xf[i].bad || p->xf[i].type > XF_SN ||
		    (xi = xform_info(p->xf[i].type, p->xf[i].id,
		    p->xf[i].keybits)) == NULL || !conf_xform_built(proto, xi))
			return (0);
		for (k = 0; k < i; k++)
			if (p->xf[k].type == p->xf[i].type &&
			    p->xf[k].id == p->xf[i].id &&
			    p->xf[k].keybits == p->xf[i].keybits)
				return (0);
		have |= 1U << xi->type;
		nenc += xi->type == XF_ENCR;
		naead += xi->type == XF_ENCR && xi->aead;
	}
	/* AEAD and the others never in one proposal (RFC 7296 3.3). */
	if (nenc == 0 || (naead != 0 && naead != nenc) ||
	    (naead == 0) != ((have & 1U << XF_INTEG) != 0))
		return (0);
	if (proto == PROTO_IKE)
		return ((have & 1U << XF_PRF) != 0 && (have & 1U << XF_KE) != 0);
	return ((have & 1U << XF_SN) != 0);
}

int
conf_proposals_ok(const struct proposals *ps, uint8_t proto)
{
	unsigned int	 i;

	if (ps->n == 0 || ps->n > PROPS_MAX)
		return (0);
	for (i = 0; i < ps->n; i++)
		if (ps->p[i].proto != proto || ps->p[i].num != i + 1 ||
		    ps->p[i].nxforms > PROP_MAXXFORMS ||
		    !proposal_ok(&ps->p[i], proto))
			return (0);
	return (1);
}

static unsigned int
families(const struct prefix *p, unsigned int n)
{
	unsigned int	 i, f = 0;

	for (i = 0; i < n; i++)
		f |= p[i].addr.fam == ADDR_V4 ? 1 : 2;
	return (f);
}

int
conf_families_ok(const struct conf_tunnel *t)
{
	return (t->from.n > 0 && t->to.n > 0 &&
	    families(t->fromnet, t->from.n) == families(t->tonet, t->to.n));
}

int
conf_transport_ok(const struct conf_tunnel *t, const struct conf_peer *pe)
{
	unsigned int	 i;

	if (pe->natt || pe->local.fam == ADDR_NONE || pe->remote.fam == ADDR_NONE)
		return (0);
	for (i = 0; i < t->from.n; i++)
		if (t->fromnet[i].len != 8 * addr_len(&pe->local) ||
		    addr_cmp(&t->fromnet[i].addr, &pe->local) != 0)
			return (0);
	for (i = 0; i < t->to.n; i++)
		if (t->tonet[i].len != 8 * addr_len(&pe->remote) ||
		    addr_cmp(&t->tonet[i].addr, &pe->remote) != 0)
			return (0);
	return (1);
}

int
conf_target_inside(const struct conf_tunnel *t, const struct addr *a)
{
	unsigned int	 i;

	for (i = 0; i < t->to.n; i++)
		if (prefix_contains(&t->tonet[i], a))
			return (1);
	return (0);
}

int
conf_target_carried(const struct conf_tunnel *t, const struct addr *a)
{
	unsigned int	 i;

	for (i = 0; i < t->to.n; i++)
		if (prefix_contains(&t->tonet[i], a) && conf_probe_to(t, i))
			return (1);
	return (0);
}

/* The probe's targets are inside the remote nets, or the probe leaves in clear. */
int
conf_target_ok(const struct conf_tunnel *t)
{
	struct addr	 a[CONF_TARGETS];
	unsigned int	 i, n;

	if (t->keepalive == NULL)
		return (1);
	n = conf_tunnel_targets(t, a);
	for (i = 0; i < n; i++)
		if (!conf_addr_ok(&a[i]) || !conf_target_carried(t, &a[i]))
			return (0);
	return (n > 0);
}
