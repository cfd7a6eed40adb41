/* SPDX-License-Identifier: ISC */
/*
 * What is the same for every kernel: which SAs make sense, policy priorities,
 * a packet's selector.
 */

#include <errno.h>
#include <string.h>

#include "pfkey/kern_local.h"

int
kern_can(const struct kern_caps *caps, uint16_t encr, uint16_t keybits,
    uint16_t integ)
{
	const struct xform_info *xi;
	int e = 0, a = 0;
	size_t i;

	if ((xi = xform_info(XF_ENCR, encr, keybits)) == NULL)
		return (0);
	if (xi->aead)
		a = (integ == INTEG_NONE);
	for (i = 0; i < caps->nalgs; i++) {
		if (caps->algs[i].type == XF_ENCR && caps->algs[i].id == encr &&
		    caps->algs[i].keybits == keybits)
			e = 1;
		if (!xi->aead && caps->algs[i].type == XF_INTEG &&
		    caps->algs[i].id == integ)
			a = 1;
	}
	return (e && a);
}

/*
 * The priority of a policy, lower wins: longer prefixes first, then those that
 * name both ports, one, a protocol, nothing.  1000 + 4 * (free bits of both nets) + 0
 * to 3, that is 1000 (host to host, both ports) to 2027 (::/0 to ::/0).  Both families
 * are counted by their free bits, so 10.1.0.0/24 to 10.2.0.0/24 is 1067.
 */
uint32_t
kern_priority(const struct prefix *src, const struct prefix *dst, uint8_t proto,
    unsigned int ports)
{
	uint32_t bits = 0;

	if (src->len <= addr_len(&src->addr) * 8)
		bits += (uint32_t)(addr_len(&src->addr) * 8 - src->len);
	if (dst->len <= addr_len(&dst->addr) * 8)
		bits += (uint32_t)(addr_len(&dst->addr) * 8 - dst->len);
	return (1000 + 4 * bits + (proto == 0 ? 3 : 2 - (ports > 2 ? 2 : ports)));
}

int
kern_sa_check(const struct kern_sa *sa)
{
	const struct xform_info *e, *a;

	errno = EINVAL;
	if (sa->proto != PROTO_ESP || sa->spi < 256)	/* RFC 4303 2.1 */
		return (-1);
	if (sa->src.fam != sa->dst.fam || addr_len(&sa->src) == 0)
		return (-1);
	e = xform_info(XF_ENCR, sa->encr, sa->encr_keybits);
	if (e == NULL || sa->encr_keylen != e->keylen ||
	    sa->encr_keylen > KERN_KEYMAX)
		return (-1);
	if (e->aead) {
		if (sa->integ != INTEG_NONE || sa->integ_keylen != 0)
			return (-1);
	} else {
		a = xform_info(XF_INTEG, sa->integ, 0);
		if (a == NULL || sa->integ == INTEG_NONE ||
		    sa->integ_keylen != a->keylen ||
		    sa->integ_keylen > KERN_KEYMAX)
			return (-1);
	}
	if (sa->has_sel && (!ts_valid(&sa->sel_src) || !ts_valid(&sa->sel_dst) ||
	    sa->sel_src.start.fam != sa->sel_dst.start.fam))
		return (-1);
	if ((sa->encap_sport == 0) != (sa->encap_dport == 0))
		return (-1);
	errno = 0;
	return (0);
}

int
kern_policy_check(const struct kern_policy *p)
{
	size_t n = addr_len(&p->src.addr);

	errno = EINVAL;
	if (p->dir < KERN_IN || p->dir > KERN_FWD)
		return (-1);
	if (n == 0 || p->dst.addr.fam != p->src.addr.fam ||
	    p->src.len > n * 8 || p->dst.len > n * 8)
		return (-1);
	if (p->action == KERN_IPSEC && !p->transport &&
	    (addr_len(&p->tsrc) == 0 || p->tsrc.fam != p->tdst.fam))
		return (-1);
	errno = 0;
	return (0);
}

void
kern_ts_host(struct ts *ts, const struct addr *a, uint8_t plen, uint8_t proto,
    uint16_t port, int exact)
{
	struct prefix p;

	memset(&p, 0, sizeof(p));
	p.addr = *a;
	p.len = plen;
	ts_from_prefix(ts, &p, proto, 0);
	if (exact) {
		ts->sport = port;
		ts->eport = port;
	}
}
