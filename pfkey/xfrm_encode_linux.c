/* SPDX-License-Identifier: ISC */
/* Our structures to NETLINK_XFRM requests. */

#include <linux/xfrm.h>
#include <netinet/in.h>

#include <string.h>

#include "pfkey/xfrm_msg_linux.h"

#ifndef UDP_ENCAP_ESPINUDP
#define UDP_ENCAP_ESPINUDP	2
#endif

static uint16_t
family(const struct addr *a)
{
	return (a->fam == ADDR_V6 ? AF_INET6 : AF_INET);
}

static void
put_addr(xfrm_address_t *x, const struct addr *a)
{
	memset(x, 0, sizeof(*x));
	memcpy(x, a->b, addr_len(a));
}

/* A message with its fixed part, len octets at body; NULL: no room. */
static struct nlmsghdr *
start(void *buf, size_t cap, uint32_t seq, uint16_t type, uint16_t flags,
    const void *body, size_t len)
{
	struct nlmsghdr *nlh;

	if (cap < MNL_NLMSG_HDRLEN + MNL_ALIGN(len))
		return (NULL);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	if (len > 0)
		memcpy(mnl_nlmsg_put_extra_header(nlh, len), body, len);
	return (nlh);
}

static void
put_limits(struct xfrm_lifetime_cfg *c, const struct kern_life *l)
{
	c->soft_byte_limit = l->soft_bytes ? l->soft_bytes : XFRM_INF;
	c->hard_byte_limit = l->hard_bytes ? l->hard_bytes : XFRM_INF;
	c->soft_packet_limit = l->soft_packets ? l->soft_packets : XFRM_INF;
	c->hard_packet_limit = l->hard_packets ? l->hard_packets : XFRM_INF;
	c->soft_add_expires_seconds = l->soft_secs;
	c->hard_add_expires_seconds = l->hard_secs;
}

/* One port of a traffic selector: all, one, or (no ranges here) all again. */
static void
put_port(const struct ts *ts, uint16_t *port, uint16_t *mask)
{
	if (ts->sport == ts->eport) {
		*port = htons(ts->sport);
		*mask = 0xffff;
	}
}

static void
put_ts(struct xfrm_selector *sel, const struct ts *src, const struct ts *dst)
{
	struct prefix p;

	sel->family = family(&src->start);
	ts_to_prefix(src, &p);
	put_addr(&sel->saddr, &p.addr);
	sel->prefixlen_s = p.len;
	ts_to_prefix(dst, &p);
	put_addr(&sel->daddr, &p.addr);
	sel->prefixlen_d = p.len;
	sel->proto = src->proto ? src->proto : dst->proto;
	put_port(src, &sel->sport, &sel->sport_mask);
	put_port(dst, &sel->dport, &sel->dport_mask);
}

static int
put_alg(struct nlmsghdr *nlh, size_t cap, const struct xfrm_alg *alg,
    const uint8_t *key, size_t keylen)
{
	union {
		struct xfrm_algo	 crypt;
		struct xfrm_algo_auth	 auth;
		struct xfrm_algo_aead	 aead;
		uint8_t			 room[sizeof(struct xfrm_algo_aead) +
					    KERN_KEYMAX];
	} u;
	size_t off;
	int ok;

	memset(&u, 0, sizeof(u));
	strlcpy(u.crypt.alg_name, alg->name, sizeof(u.crypt.alg_name));
	u.crypt.alg_key_len = (unsigned int)keylen * 8;
	off = sizeof(u.crypt);
	if (alg->attr == XFRMA_ALG_AEAD) {
		u.aead.alg_icv_len = alg->icvbits;
		off = sizeof(u.aead);
	} else if (alg->attr == XFRMA_ALG_AUTH_TRUNC) {
		u.auth.alg_trunc_len = alg->icvbits;
		off = sizeof(u.auth);
	}
	memcpy(u.room + off, key, keylen);
	ok = mnl_attr_put_check(nlh, cap, alg->attr, off + keylen, &u);
	explicit_bzero(&u, sizeof(u));
	return (ok ? 0 : -1);
}

static int
put_replay(struct nlmsghdr *nlh, size_t cap, const struct kern_sa *sa)
{
	union {
		struct xfrm_replay_state_esn	esn;
		uint8_t				room[sizeof(struct
		    xfrm_replay_state_esn) + 4096 / 8];
	} r;
	uint32_t window = sa->replay;

	/* An ESN SA needs a window in either direction. */
	if (window == 0)
		window = 32;
	if (window > 4096)
		window = 4096;
	memset(&r, 0, sizeof(r));
	r.esn.bmp_len = (window + 31) / 32;
	r.esn.replay_window = window;
	return (mnl_attr_put_check(nlh, cap, XFRMA_REPLAY_ESN_VAL,
	    sizeof(r.esn) + r.esn.bmp_len * sizeof(uint32_t), &r) ? 0 : -1);
}

static int
put_sa_attrs(struct nlmsghdr *nlh, size_t cap, const struct kern_sa *sa)
{
	const struct xfrm_alg *encr, *integ;
	struct xfrm_encap_tmpl encap;

	if ((encr = xfrm_alg(XF_ENCR, sa->encr)) == NULL ||
	    put_alg(nlh, cap, encr, sa->encr_key, sa->encr_keylen) == -1)
		return (-1);
	if (encr->attr != XFRMA_ALG_AEAD) {
		if ((integ = xfrm_alg(XF_INTEG, sa->integ)) == NULL ||
		    put_alg(nlh, cap, integ, sa->integ_key,
		    sa->integ_keylen) == -1)
			return (-1);
	}
	if ((sa->esn || sa->replay > 32) && put_replay(nlh, cap, sa) == -1)
		return (-1);
	if (sa->encap_sport != 0) {
		memset(&encap, 0, sizeof(encap));
		encap.encap_type = UDP_ENCAP_ESPINUDP;
		encap.encap_sport = htons(sa->encap_sport);
		encap.encap_dport = htons(sa->encap_dport);
		if (!mnl_attr_put_check(nlh, cap, XFRMA_ENCAP, sizeof(encap),
		    &encap))
			return (-1);
	}
	return (0);
}

size_t
xfrm_put_sa(void *buf, size_t cap, uint32_t seq, const struct kern_sa *sa,
    int update)
{
	struct xfrm_usersa_info u;
	struct nlmsghdr *nlh;

	memset(&u, 0, sizeof(u));
	put_addr(&u.saddr, &sa->src);
	put_addr(&u.id.daddr, &sa->dst);
	u.id.spi = htonl(sa->spi);
	u.id.proto = IPPROTO_ESP;
	u.family = family(&sa->src);
	u.reqid = sa->reqid;
	u.mode = sa->transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
	put_limits(&u.lft, &sa->life);
	if (sa->has_sel)
		put_ts(&u.sel, &sa->sel_src, &sa->sel_dst);
	else if (!sa->transport)
		u.flags |= XFRM_STATE_AF_UNSPEC;  /* either family inside */
	if (sa->esn)
		u.flags |= XFRM_STATE_ESN;
	else if (sa->replay <= 32)
		u.replay_window = (uint8_t)sa->replay;
	nlh = start(buf, cap, seq, update ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA,
	    update ? NLM_F_ACK : NLM_F_ACK | NLM_F_CREATE, &u, sizeof(u));
	if (nlh == NULL || put_sa_attrs(nlh, cap, sa) == -1)
		return (0);
	return (nlh->nlmsg_len);
}

/* DELSA and GETSA. */
static size_t
put_said(void *buf, size_t cap, uint32_t seq, uint16_t type, uint16_t flags,
    uint32_t spi, const struct addr *src, const struct addr *dst)
{
	struct xfrm_usersa_id id;
	struct nlmsghdr *nlh;
	xfrm_address_t xa;

	memset(&id, 0, sizeof(id));
	put_addr(&id.daddr, dst);
	id.spi = htonl(spi);
	id.family = family(dst);
	id.proto = IPPROTO_ESP;
	if ((nlh = start(buf, cap, seq, type, flags, &id, sizeof(id))) == NULL)
		return (0);
	if (src != NULL && addr_len(src) != 0) {
		put_addr(&xa, src);
		if (!mnl_attr_put_check(nlh, cap, XFRMA_SRCADDR, sizeof(xa), &xa))
			return (0);
	}
	return (nlh->nlmsg_len);
}

size_t
xfrm_put_delsa(void *buf, size_t cap, uint32_t seq, uint32_t spi,
    const struct addr *src, const struct addr *dst)
{
	return (put_said(buf, cap, seq, XFRM_MSG_DELSA, NLM_F_ACK, spi, src, dst));
}

size_t
xfrm_put_getsa(void *buf, size_t cap, uint32_t seq, uint32_t spi,
    const struct addr *src, const struct addr *dst)
{
	return (put_said(buf, cap, seq, XFRM_MSG_GETSA, 0, spi, src, dst));
}

size_t
xfrm_put_dump(void *buf, size_t cap, uint32_t seq, uint16_t type)
{
	struct nlmsghdr *nlh = start(buf, cap, seq, type, NLM_F_DUMP, NULL, 0);

	return (nlh == NULL ? 0 : nlh->nlmsg_len);
}

static void
put_selector(struct xfrm_selector *sel, const struct kern_policy *p)
{
	memset(sel, 0, sizeof(*sel));
	sel->family = family(&p->src.addr);
	put_addr(&sel->saddr, &p->src.addr);
	put_addr(&sel->daddr, &p->dst.addr);
	sel->prefixlen_s = p->src.len;
	sel->prefixlen_d = p->dst.len;
	sel->proto = p->proto;
	if (p->sport != 0) {
		sel->sport = htons(p->sport);
		sel->sport_mask = 0xffff;
	}
	if (p->dport != 0) {
		sel->dport = htons(p->dport);
		sel->dport_mask = 0xffff;
	}
}

static void
put_tmpl(struct xfrm_user_tmpl *t, const struct kern_policy *p)
{
	const struct addr *outer = p->transport ? &p->src.addr : &p->tsrc;

	memset(t, 0, sizeof(*t));
	if (!p->transport) {
		put_addr(&t->saddr, &p->tsrc);
		put_addr(&t->id.daddr, &p->tdst);
	}
	t->id.proto = IPPROTO_ESP;
	t->family = family(outer);
	t->reqid = p->reqid;
	t->mode = p->transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
	t->aalgos = t->ealgos = t->calgos = ~0U;
}

size_t
xfrm_put_policy(void *buf, size_t cap, uint32_t seq, const struct kern_policy *p)
{
	static const struct kern_life forever;
	struct xfrm_userpolicy_info u;
	struct xfrm_user_tmpl t;
	struct nlmsghdr *nlh;

	memset(&u, 0, sizeof(u));
	put_selector(&u.sel, p);
	put_limits(&u.lft, &forever);
	u.priority = p->prio;
	u.dir = (uint8_t)(p->dir - 1);	/* XFRM_POLICY_IN, _OUT, _FWD */
	u.action = p->action == KERN_DISCARD ? XFRM_POLICY_BLOCK :
	    XFRM_POLICY_ALLOW;
	/*
	 * What this machine itself says of a packet that came by the tunnel (no way to it, too
	 * big, time exceeded) goes back by the tunnel (RFC 4301 6), as from where the packet
	 * was going.  Else it leaves in clear from the outer address, and quotes the packet.
	 */
	if (p->dir == KERN_OUT && p->action == KERN_IPSEC && !p->transport)
		u.flags = XFRM_POLICY_ICMP;
	nlh = start(buf, cap, seq, XFRM_MSG_UPDPOLICY, NLM_F_ACK | NLM_F_CREATE,
	    &u, sizeof(u));
	if (nlh == NULL)
		return (0);
	if (p->action == KERN_IPSEC) {
		put_tmpl(&t, p);
		if (!mnl_attr_put_check(nlh, cap, XFRMA_TMPL, sizeof(t), &t))
			return (0);
	}
	return (nlh->nlmsg_len);
}

size_t
xfrm_put_delpolicy(void *buf, size_t cap, uint32_t seq,
    const struct kern_policy *p)
{
	struct xfrm_userpolicy_id id;
	struct nlmsghdr *nlh;

	memset(&id, 0, sizeof(id));
	put_selector(&id.sel, p);
	id.dir = (uint8_t)(p->dir - 1);
	nlh = start(buf, cap, seq, XFRM_MSG_DELPOLICY, NLM_F_ACK, &id, sizeof(id));
	return (nlh == NULL ? 0 : nlh->nlmsg_len);
}

size_t
xfrm_put_allocspi(void *buf, size_t cap, uint32_t seq,
    const struct kern_event *acq, int transport, uint32_t lo, uint32_t hi)
{
	static const struct kern_life forever;
	struct xfrm_userspi_info u;
	struct nlmsghdr *nlh;

	memset(&u, 0, sizeof(u));
	put_addr(&u.info.saddr, &acq->src);
	put_addr(&u.info.id.daddr, &acq->dst);
	u.info.id.proto = IPPROTO_ESP;
	u.info.family = family(&acq->src);
	u.info.reqid = acq->reqid;
	u.info.seq = acq->seq;
	u.info.mode = transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
	put_limits(&u.info.lft, &forever);
	u.min = lo;
	u.max = hi;
	nlh = start(buf, cap, seq, XFRM_MSG_ALLOCSPI, 0, &u, sizeof(u));
	return (nlh == NULL ? 0 : nlh->nlmsg_len);
}
