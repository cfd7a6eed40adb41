/* SPDX-License-Identifier: ISC */
/* Our SAs and policies as PF_KEY requests of the KAME family (Linux, FreeBSD). */

#include <netinet/in.h>

#include <errno.h>
#include <string.h>

#include "pfkey/pfkey_msg.h"

#define UDP_ESPINUDP	2	/* sadb_x_nat_t_type_type */

void
pfkey_req_plain(struct pfkey_msg *m, uint8_t type)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->satype = type == PFM_SPDDUMP ? PFS_UNSPEC : PFS_ESP;
}

/* An SA's endpoints: whole addresses, no port. */
static void
set_ends(const struct pfkey_dialect *d, struct pfkey_msg *m,
    const struct addr *src, const struct addr *dst)
{
	m->src.ep.addr = *src;
	m->dst.ep.addr = *dst;
	m->src.plen = (uint8_t)(addr_len(src) * 8);
	m->dst.plen = (uint8_t)(addr_len(dst) * 8);
	m->src.proto = m->dst.proto = d->sa_proto;
	pfkey_want(m, PX_SRC);
	pfkey_want(m, PX_DST);
}

int
pfkey_req_said(const struct pfkey_dialect *d, struct pfkey_msg *m, uint8_t type,
    uint32_t spi, const struct addr *src, const struct addr *dst)
{
	pfkey_req_plain(m, type);
	if (addr_len(src) == 0 || src->fam != dst->fam)
		return (-1);
	m->sa.spi = spi;
	m->sa.state = PF_SA_MATURE;
	pfkey_want(m, PX_SA);
	set_ends(d, m, src, dst);
	return (0);
}

/* Hard and soft come together or not at all. */
static void
set_life(struct pfkey_msg *m, const struct kern_life *l)
{
	if ((l->soft_secs | l->hard_secs | l->soft_bytes | l->hard_bytes |
	    l->soft_packets | l->hard_packets) == 0)
		return;
	m->lth.add = l->hard_secs;
	m->lth.bytes = l->hard_bytes;
	m->lth.alloc = l->hard_packets > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)l->hard_packets;
	m->lts.add = l->soft_secs;
	m->lts.bytes = l->soft_bytes;
	m->lts.alloc = l->soft_packets > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)l->soft_packets;
	pfkey_want(m, PX_LTH);
	pfkey_want(m, PX_LTS);
}

/* RFC 4106, 7634, 3686: salt behind the key, counted in its bits. */
static void
set_keys(struct pfkey_msg *m, const struct kern_sa *sa)
{
	if (sa->integ_keylen > 0) {
		m->kauth.bits = (uint16_t)(sa->integ_keylen * 8);
		m->kauth.key.p = sa->integ_key;
		m->kauth.key.len = sa->integ_keylen;
		pfkey_want(m, PX_KAUTH);
	}
	/* Also for the null cipher, with no bits: ESP wants the extension. */
	m->kenc.bits = (uint16_t)(sa->encr_keylen * 8);
	m->kenc.key.p = sa->encr_key;
	m->kenc.key.len = sa->encr_keylen;
	pfkey_want(m, PX_KENC);
}

/* 1: the window needs its own extension. */
static int
set_replay(const struct pfkey_dialect *d, struct pfkey_msg *m, uint32_t window)
{
	uint32_t unit;

	if (window > d->replay_max)
		window = d->replay_max;
	unit = (window + d->replay_unit - 1) / d->replay_unit;
	m->sa.replay = unit > 255 ? 255 : (uint8_t)unit;
	m->replay_window = window;
	return (unit > 255);
}

int
pfkey_req_sa(const struct pfkey_dialect *d, struct pfkey_msg *m,
    const struct kern_sa *sa, int update)
{
	int bigreplay;

	pfkey_req_plain(m, update ? PFM_UPDATE : PFM_ADD);
	if ((m->sa.encr = pfkey_ealg(d, sa->encr)) == 0)
		return (-1);
	if (sa->integ != INTEG_NONE &&
	    (m->sa.auth = pfkey_aalg(d, sa->integ)) == 0)
		return (-1);
	m->sa.spi = sa->spi;
	m->sa.state = PF_SA_MATURE;
	bigreplay = set_replay(d, m, sa->replay);
	if (sa->esn && d->esn_flag == 0)
		return (-1);
	if (sa->esn)
		m->sa.flags |= d->esn_flag;
	pfkey_want(m, PX_SA);
	set_life(m, &sa->life);
	set_ends(d, m, &sa->src, &sa->dst);
	if (!update || d->update_keys)
		set_keys(m, sa);
	m->sa2.mode = sa->transport ? PF_MODE_TRANSPORT : PF_MODE_TUNNEL;
	m->sa2.reqid = sa->reqid;
	pfkey_want(m, PX_SA2);
	if (sa->encap_sport != 0) {
		m->natt_type = UDP_ESPINUDP;
		m->sport = sa->encap_sport;
		m->dport = sa->encap_dport;
		pfkey_want(m, PX_NATT_TYPE);
		pfkey_want(m, PX_SPORT);
		pfkey_want(m, PX_DPORT);
	}
	if (bigreplay)
		pfkey_want(m, PX_REPLAY);
	return (0);
}

static void
set_selector(struct pfkey_addr *a, const struct prefix *p, uint8_t proto,
    uint16_t port)
{
	a->ep.addr = p->addr;
	a->ep.port = port;
	a->plen = p->len;
	a->proto = proto == 0 ? PF_PROTO_ANY : proto;
}

int
pfkey_req_policy(const struct pfkey_dialect *d, struct pfkey_msg *m, uint8_t type,
    const struct kern_policy *p)
{
	struct pfkey_request *q = &m->policy.req[0];

	pfkey_req_plain(m, type);
	m->satype = PFS_UNSPEC;
	if (p->dir == KERN_FWD && !d->has_fwd)
		return (-1);
	/* a policy that no packet ever meets is worse than none */
	if (p->proto == IPPROTO_ICMP && (p->sport | p->dport) != 0 && !d->icmp4_type)
		return (-1);
	set_selector(&m->src, &p->src, p->proto, p->sport);
	set_selector(&m->dst, &p->dst, p->proto, p->dport);
	pfkey_want(m, PX_SRC);
	pfkey_want(m, PX_DST);
	m->policy.dir = (uint8_t)p->dir;
	m->policy.prio = p->prio;
	m->policy.type = p->action == KERN_IPSEC ? PF_POL_IPSEC :
	    p->action == KERN_BYPASS ? PF_POL_NONE : PF_POL_DISCARD;
	pfkey_want(m, PX_POLICY);
	if (p->action != KERN_IPSEC)
		return (0);
	/* A larger reqid is silently replaced by the kernel. */
	if (p->reqid > 16383)
		return (-1);
	q->proto = IPPROTO_ESP;
	q->level = PF_LEVEL_UNIQUE;
	q->reqid = p->reqid;
	q->mode = p->transport ? PF_MODE_TRANSPORT : PF_MODE_TUNNEL;
	if (!p->transport) {
		q->has_addr = 1;
		q->src.addr = p->tsrc;
		q->dst.addr = p->tdst;
	}
	m->policy.nreq = 1;
	return (0);
}

int
pfkey_req_acquire(const struct pfkey_dialect *d, struct pfkey_msg *m,
    const struct kern_event *acq, int transport, uint32_t lo, uint32_t hi)
{
	if (!d->acquire_spi) {
		pfkey_req_plain(m, PFM_ACQUIRE);
		m->err = ECONNREFUSED;
		m->seq = acq->seq;
		return (0);
	}
	pfkey_req_plain(m, PFM_GETSPI);
	if (addr_len(&acq->src) == 0 || acq->src.fam != acq->dst.fam)
		return (-1);
	m->seq = acq->seq;
	set_ends(d, m, &acq->src, &acq->dst);
	m->sa2.mode = transport ? PF_MODE_TRANSPORT : PF_MODE_TUNNEL;
	m->sa2.reqid = acq->reqid;
	pfkey_want(m, PX_SA2);
	m->spirange.min = lo;
	m->spirange.max = hi;
	pfkey_want(m, PX_SPIRANGE);
	return (0);
}
