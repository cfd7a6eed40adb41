/* SPDX-License-Identifier: ISC */
/*
 * NETLINK_XFRM answers and events to our structures.  Fixed parts are copied out
 * before they are read; attributes shorter than their type are refused.
 */

#include <linux/xfrm.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "pfkey/xfrm_msg_linux.h"

int
xfrm_msg_ok(const struct nlmsghdr *nlh, int left)
{
	return (mnl_nlmsg_ok(nlh, left) &&
	    nlh->nlmsg_len <= (unsigned int)left);
}

/* The attributes we read, by number; the first of each counts. */
struct attrs {
	struct span	a[XFRMA_MAX + 1];
};

static const struct nlattr *
next_attr(const struct nlattr *a, int *left)
{
	*left -= (int)MNL_ALIGN(a->nla_len);
	return (mnl_attr_next(a));
}

/* Copies the fixed part out and finds the attributes behind it. */
static int
take(const struct nlmsghdr *nlh, void *body, size_t len, struct attrs *at)
{
	const struct nlattr *a;
	const uint8_t *p;
	size_t have, off = MNL_ALIGN(len);
	unsigned int type;
	int left;

	memset(at, 0, sizeof(*at));
	have = mnl_nlmsg_get_payload_len(nlh);
	p = mnl_nlmsg_get_payload(nlh);
	if (have < len)
		return (-1);
	memcpy(body, p, len);
	if (have <= off)
		return (0);
	a = (const void *)(p + off);
	left = (int)(have - off);
	for (; mnl_attr_ok(a, left); a = next_attr(a, &left)) {
		type = mnl_attr_get_type(a);
		if (type <= XFRMA_MAX && at->a[type].p == NULL) {
			at->a[type].p = mnl_attr_get_payload(a);
			at->a[type].len = mnl_attr_get_payload_len(a);
		}
	}
	return (0);
}

/* A fixed-size attribute: 1 there, 0 absent, -1 too short. */
static int
attr_get(const struct attrs *at, unsigned int type, void *dst, size_t len)
{
	memset(dst, 0, len);
	if (at->a[type].p == NULL)
		return (0);
	if (at->a[type].len < len)
		return (-1);
	memcpy(dst, at->a[type].p, len);
	return (1);
}

static int
get_addr(struct addr *a, const xfrm_address_t *x, unsigned int family)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET)
		return (addr_from_bytes(a, (const uint8_t *)x, 4));
	if (family == AF_INET6)
		return (addr_from_bytes(a, (const uint8_t *)x, 16));
	return (-1);
}

/* An algorithm with its name and key; the key itself stays where it is. */
static int
get_alg(const struct span *s, size_t fixed, char name[65], unsigned int *keybits)
{
	struct xfrm_algo al;

	if (s->len < fixed)
		return (-1);
	memcpy(&al, s->p, sizeof(al));
	if (memchr(al.alg_name, '\0', sizeof(al.alg_name)) == NULL ||
	    al.alg_key_len > (s->len - fixed) * 8)
		return (-1);
	strlcpy(name, al.alg_name, 65);
	*keybits = al.alg_key_len;
	return (0);
}

/* What we have no id for keeps the kernel's name; it is somebody else's.  Of a HMAC it
 * may be the truncation that we do not know: "hmac(sha256)-96". */
static void
name_alg(char dst[KERN_ALGNAME], const char *name, unsigned int bits)
{
	char full[KERN_ALGNAME + 16];
	size_t i;

	if (bits != 0) {
		(void)snprintf(full, sizeof(full), "%.*s-%u", KERN_ALGNAME, name, bits);
		name = full;
	}
	for (i = 0; i < KERN_ALGNAME - 1 && name[i] != '\0'; i++)
		dst[i] = name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?';
	dst[i] = '\0';
}

static int
get_encr(const struct span *s, size_t fixed, unsigned int icvbits, struct kern_sa *sa)
{
	unsigned int bits;
	char name[65];

	if (get_alg(s, fixed, name, &bits) == -1)
		return (-1);
	if (xfrm_alg_encr(name, bits, icvbits, &sa->encr, &sa->encr_keybits) == -1)
		name_alg(sa->encr_name, name, 0);
	sa->encr_keylen = (uint16_t)((bits + 7) / 8);
	return (0);
}

static int
get_integ(const struct span *s, size_t fixed, unsigned int truncbits,
    struct kern_sa *sa)
{
	unsigned int bits;
	char name[65];

	if (get_alg(s, fixed, name, &bits) == -1)
		return (-1);
	sa->integ = xfrm_alg_integ(name, truncbits);
	if (sa->integ == INTEG_NONE)
		name_alg(sa->integ_name, name, truncbits);
	sa->integ_keylen = (uint16_t)((bits + 7) / 8);
	return (0);
}

/* Unknown algorithms give transform 0: the SA is somebody else's. */
static int
get_algs(const struct attrs *at, struct kern_sa *sa)
{
	const struct span *s;
	struct xfrm_algo_aead aead;
	struct xfrm_algo_auth auth;

	if ((s = &at->a[XFRMA_ALG_AEAD])->p != NULL) {
		if (s->len < sizeof(aead))
			return (-1);
		memcpy(&aead, s->p, sizeof(aead));
		if (get_encr(s, sizeof(aead), aead.alg_icv_len, sa) == -1)
			return (-1);
	}
	if ((s = &at->a[XFRMA_ALG_CRYPT])->p != NULL &&
	    get_encr(s, sizeof(struct xfrm_algo), 0, sa) == -1)
		return (-1);
	if ((s = &at->a[XFRMA_ALG_AUTH_TRUNC])->p != NULL) {
		if (s->len < sizeof(auth))
			return (-1);
		memcpy(&auth, s->p, sizeof(auth));
		return (get_integ(s, sizeof(auth), auth.alg_trunc_len, sa));
	}
	if ((s = &at->a[XFRMA_ALG_AUTH])->p != NULL &&
	    get_integ(s, sizeof(struct xfrm_algo), 0, sa) == -1)
		return (-1);
	if ((s = &at->a[XFRMA_ALG_COMP])->p != NULL)
		return (get_encr(s, sizeof(struct xfrm_algo), 0, sa));
	return (0);
}

static int
get_marks(const struct attrs *at, uint32_t *mark, uint32_t *if_id)
{
	struct xfrm_mark m;

	if (attr_get(at, XFRMA_MARK, &m, sizeof(m)) == -1 ||
	    attr_get(at, XFRMA_IF_ID, if_id, sizeof(*if_id)) == -1)
		return (-1);
	*mark = m.v & m.m;
	return (0);
}

static int
get_replay(const struct attrs *at, struct kern_sa *sa)
{
	struct xfrm_replay_state_esn esn;

	switch (attr_get(at, XFRMA_REPLAY_ESN_VAL, &esn, sizeof(esn))) {
	case -1:
		return (-1);
	case 1:
		if (esn.bmp_len > 4096 / 32 || at->a[XFRMA_REPLAY_ESN_VAL].len <
		    sizeof(esn) + esn.bmp_len * sizeof(uint32_t))
			return (-1);
		sa->replay = esn.replay_window;
	}
	return (0);
}

static uint64_t
limit(uint64_t v)
{
	return (v == XFRM_INF ? 0 : v);
}

static void
get_life(struct kern_life *l, const struct xfrm_lifetime_cfg *c)
{
	l->soft_bytes = limit(c->soft_byte_limit);
	l->hard_bytes = limit(c->hard_byte_limit);
	l->soft_packets = limit(c->soft_packet_limit);
	l->hard_packets = limit(c->hard_packet_limit);
	l->soft_secs = c->soft_add_expires_seconds;
	l->hard_secs = c->hard_add_expires_seconds;
}

/* One end of a selector.  mask 0: any port; ICMP has type and code there. */
static int
get_ts(struct ts *ts, const xfrm_address_t *x, unsigned int family, uint8_t plen,
    uint8_t proto, uint16_t port, uint16_t mask)
{
	struct addr a;

	if (get_addr(&a, x, family) == -1 || plen > addr_len(&a) * 8)
		return (-1);
	kern_ts_host(ts, &a, plen, proto, ntohs(port),
	    mask == 0xffff && proto != 0);
	return (0);
}

/* Larval SAs have a selector without its family: it is the SA's. */
static int
get_sel(const struct xfrm_selector *sel, unsigned int family, struct ts *src,
    struct ts *dst)
{
	uint16_t sport = sel->sport, dport = sel->dport;

	/* RFC 7296 3.13.1: type in the upper octet, code in the lower one, the
	 * same at both ends; XFRM has the type as sport and the code as dport. */
	if (sel->proto == IPPROTO_ICMP || sel->proto == IPPROTO_ICMPV6) {
		sport = htons((uint16_t)((ntohs(sport) & 0xff) << 8 |
		    (ntohs(dport) & 0xff)));
		dport = sport;
	}
	if (sel->family != AF_UNSPEC)
		family = sel->family;
	if (get_ts(src, &sel->saddr, family, sel->prefixlen_s, sel->proto,
	    sport, sel->sport_mask) == -1)
		return (-1);
	return (get_ts(dst, &sel->daddr, family, sel->prefixlen_d, sel->proto,
	    dport, sel->dport_mask));
}

static int
get_usersa(const struct xfrm_usersa_info *u, struct kern_sa *sa)
{
	memset(sa, 0, sizeof(*sa));
	if (get_addr(&sa->src, &u->saddr, u->family) == -1 ||
	    get_addr(&sa->dst, &u->id.daddr, u->family) == -1)
		return (-1);
	sa->spi = ntohl(u->id.spi);
	sa->proto = u->id.proto == IPPROTO_ESP ? PROTO_ESP :
	    u->id.proto == IPPROTO_AH ? PROTO_AH : PROTO_NONE;
	sa->reqid = u->reqid;
	sa->ipproto = u->id.proto;
	sa->transport = u->mode == XFRM_MODE_TRANSPORT;
	sa->othermode = u->mode > XFRM_MODE_TUNNEL;
	sa->esn = (u->flags & XFRM_STATE_ESN) != 0;
	sa->replay = u->replay_window;
	get_life(&sa->life, &u->lft);
	sa->bytes = u->curlft.bytes;
	sa->packets = u->curlft.packets;
	sa->addtime = u->curlft.add_time;
	sa->usetime = u->curlft.use_time;
	sa->state = sa->spi == 0 ? KERN_SA_LARVAL : KERN_SA_MATURE;
	if ((u->sel.prefixlen_s | u->sel.prefixlen_d | u->sel.proto) != 0) {
		if (get_sel(&u->sel, u->family, &sa->sel_src, &sa->sel_dst) == -1)
			return (-1);
		sa->has_sel = 1;
	}
	return (0);
}

/* What stands in attributes. */
static int
get_saattrs(const struct attrs *at, struct kern_sa *sa)
{
	struct xfrm_encap_tmpl encap;

	if (get_algs(at, sa) == -1 || get_replay(at, sa) == -1 ||
	    get_marks(at, &sa->mark, &sa->if_id) == -1)
		return (-1);
	switch (attr_get(at, XFRMA_ENCAP, &encap, sizeof(encap))) {
	case -1:
		return (-1);
	case 1:
		sa->encap_sport = ntohs(encap.encap_sport);
		sa->encap_dport = ntohs(encap.encap_dport);
	}
	return (0);
}

int
xfrm_get_sa(const struct nlmsghdr *nlh, struct kern_sa *sa)
{
	struct xfrm_usersa_info u;
	struct attrs at;

	if (nlh->nlmsg_type != XFRM_MSG_NEWSA &&
	    nlh->nlmsg_type != XFRM_MSG_UPDSA)
		return (-1);
	if (take(nlh, &u, sizeof(u), &at) == -1 || get_usersa(&u, sa) == -1 ||
	    get_saattrs(&at, sa) == -1)
		return (-1);
	/* only ALLOCSPI makes one without any transform */
	if (at.a[XFRMA_ALG_AEAD].p == NULL && at.a[XFRMA_ALG_CRYPT].p == NULL &&
	    at.a[XFRMA_ALG_AUTH].p == NULL && at.a[XFRMA_ALG_AUTH_TRUNC].p == NULL &&
	    at.a[XFRMA_ALG_COMP].p == NULL)
		sa->state = KERN_SA_LARVAL;
	return (0);
}

static void
get_key(const struct attrs *at, unsigned int type, size_t fixed, uint8_t *key,
    size_t keylen)
{
	const struct span *s = &at->a[type];

	/* the length has been checked against the attribute's: get_alg() */
	if (s->p != NULL && keylen <= KERN_KEYMAX && s->len >= fixed + keylen)
		memcpy(key, s->p + fixed, keylen);
}

static void
get_keys(const struct attrs *at, struct kern_sa *sa)
{
	get_key(at, XFRMA_ALG_AEAD, sizeof(struct xfrm_algo_aead), sa->encr_key,
	    sa->encr_keylen);
	get_key(at, XFRMA_ALG_CRYPT, sizeof(struct xfrm_algo), sa->encr_key,
	    sa->encr_keylen);
	if (at->a[XFRMA_ALG_AUTH_TRUNC].p != NULL)
		get_key(at, XFRMA_ALG_AUTH_TRUNC, sizeof(struct xfrm_algo_auth),
		    sa->integ_key, sa->integ_keylen);
	else
		get_key(at, XFRMA_ALG_AUTH, sizeof(struct xfrm_algo),
		    sa->integ_key, sa->integ_keylen);
}

void
xfrm_get_keys(const struct nlmsghdr *nlh, struct kern_sa *sa)
{
	struct xfrm_usersa_info u;
	struct attrs at;

	if (take(nlh, &u, sizeof(u), &at) == 0)
		get_keys(&at, sa);
}

/* The first template; absent means none. */
static int
get_tmpl(const struct attrs *at, struct xfrm_user_tmpl *t)
{
	if (at->a[XFRMA_TMPL].len % sizeof(*t) != 0)
		return (-1);
	return (attr_get(at, XFRMA_TMPL, t, sizeof(*t)));
}

static int
get_policy_sel(const struct xfrm_selector *sel, struct kern_policy *p)
{
	if (get_addr(&p->src.addr, &sel->saddr, sel->family) == -1 ||
	    get_addr(&p->dst.addr, &sel->daddr, sel->family) == -1 ||
	    sel->prefixlen_s > addr_len(&p->src.addr) * 8 ||
	    sel->prefixlen_d > addr_len(&p->dst.addr) * 8)
		return (-1);
	p->src.len = sel->prefixlen_s;
	p->dst.len = sel->prefixlen_d;
	p->proto = sel->proto;
	p->sport = sel->sport_mask == 0xffff ? ntohs(sel->sport) : 0;
	p->dport = sel->dport_mask == 0xffff ? ntohs(sel->dport) : 0;
	return (0);
}

/* The fixed part and the template; 1: a socket's own. */
static int
get_userpolicy(const struct xfrm_userpolicy_info *u, const struct attrs *at,
    struct kern_policy *p)
{
	struct xfrm_user_tmpl t;
	int has;

	memset(p, 0, sizeof(*p));
	if (u->dir > XFRM_POLICY_FWD)
		return (1);
	if (get_policy_sel(&u->sel, p) == -1 || (has = get_tmpl(at, &t)) == -1 ||
	    get_marks(at, &p->mark, &p->if_id) == -1)
		return (-1);
	p->dir = (enum kern_dir)(u->dir + 1);
	p->action = u->action == XFRM_POLICY_BLOCK ? KERN_DISCARD :
	    has ? KERN_IPSEC : KERN_BYPASS;
	p->prio = u->priority;
	p->id = u->index;
	p->bytes = u->curlft.bytes;
	p->packets = u->curlft.packets;
	p->usetime = u->curlft.use_time;
	if (!has)
		return (0);
	p->reqid = t.reqid;
	p->ipproto = t.id.proto;
	p->use = t.optional != 0;
	p->transport = t.mode == XFRM_MODE_TRANSPORT;
	p->othermode = t.mode > XFRM_MODE_TUNNEL;
	if (!p->transport && (get_addr(&p->tsrc, &t.saddr, t.family) == -1 ||
	    get_addr(&p->tdst, &t.id.daddr, t.family) == -1))
		return (-1);
	return (0);
}

int
xfrm_get_policy(const struct nlmsghdr *nlh, struct kern_policy *p)
{
	struct xfrm_userpolicy_info u;
	struct attrs at;

	memset(p, 0, sizeof(*p));
	if ((nlh->nlmsg_type != XFRM_MSG_NEWPOLICY &&
	    nlh->nlmsg_type != XFRM_MSG_UPDPOLICY) ||
	    take(nlh, &u, sizeof(u), &at) == -1)
		return (-1);
	return (get_userpolicy(&u, &at, p));
}

static int
get_acquire(const struct nlmsghdr *nlh, struct kern_event *ev, int *transport)
{
	struct xfrm_user_acquire u;
	struct xfrm_user_tmpl t;
	struct attrs at;
	unsigned int outer;
	int has;

	if (take(nlh, &u, sizeof(u), &at) == -1 || (has = get_tmpl(&at, &t)) == -1)
		return (-1);
	if (u.id.proto != IPPROTO_ESP)
		return (1);
	outer = has ? t.family : u.sel.family;
	if (get_addr(&ev->src, &u.saddr, outer) == -1 ||
	    get_addr(&ev->dst, &u.id.daddr, outer) == -1 ||
	    get_sel(&u.sel, outer, &ev->sel_src, &ev->sel_dst) == -1)
		return (-1);
	ev->type = KERN_EV_ACQUIRE;
	ev->reqid = has ? t.reqid : 0;
	ev->policy = u.policy.index;
	ev->seq = u.seq;
	ev->has_sel = 1;
	*transport = has && t.mode == XFRM_MODE_TRANSPORT;
	return (0);
}

static int
get_expire(const struct nlmsghdr *nlh, struct kern_event *ev)
{
	struct xfrm_user_expire u;
	struct kern_sa sa;
	struct attrs at;

	if (take(nlh, &u, sizeof(u), &at) == -1)
		return (-1);
	if (u.state.id.spi == 0 || u.state.id.proto != IPPROTO_ESP)
		return (1);
	if (get_usersa(&u.state, &sa) == -1)
		return (-1);
	ev->type = KERN_EV_EXPIRE;
	ev->spi = sa.spi;
	ev->src = sa.src;
	ev->dst = sa.dst;
	ev->reqid = sa.reqid;
	ev->hard = u.hard != 0;
	return (0);
}

static int
get_mapping(const struct nlmsghdr *nlh, struct kern_event *ev)
{
	struct xfrm_user_mapping u;
	struct attrs at;

	if (take(nlh, &u, sizeof(u), &at) == -1)
		return (-1);
	if (get_addr(&ev->src, &u.old_saddr, u.id.family) == -1 ||
	    get_addr(&ev->dst, &u.id.daddr, u.id.family) == -1 ||
	    get_addr(&ev->newsrc.addr, &u.new_saddr, u.id.family) == -1)
		return (-1);
	ev->type = KERN_EV_MAPPING;
	ev->spi = ntohl(u.id.spi);
	ev->reqid = u.reqid;
	ev->newsrc.port = ntohs(u.new_sport);
	return (0);
}

int
xfrm_get_event(const struct nlmsghdr *nlh, struct kern_event *ev, int *transport)
{
	memset(ev, 0, sizeof(*ev));
	*transport = 0;
	switch (nlh->nlmsg_type) {
	case XFRM_MSG_ACQUIRE:
		return (get_acquire(nlh, ev, transport));
	case XFRM_MSG_EXPIRE:
		return (get_expire(nlh, ev));
	case XFRM_MSG_MAPPING:
		return (get_mapping(nlh, ev));
	default:
		return (1);
	}
}

/* An end: whose it was stands in an attribute, the others follow it. */
static int
get_gone_sa(const struct nlmsghdr *nlh, struct kern_note *n, int keys)
{
	struct xfrm_usersa_info u;
	struct xfrm_usersa_id id;
	struct attrs at;

	if (take(nlh, &id, sizeof(id), &at) == -1 ||
	    attr_get(&at, XFRMA_SA, &u, sizeof(u)) != 1 ||
	    get_usersa(&u, &n->sa) == -1 || get_saattrs(&at, &n->sa) == -1)
		return (-1);
	if (keys)
		get_keys(&at, &n->sa);
	return (0);
}

static int
get_gone_policy(const struct nlmsghdr *nlh, struct kern_note *n)
{
	struct xfrm_userpolicy_info u;
	struct xfrm_userpolicy_id id;
	struct attrs at;

	if (take(nlh, &id, sizeof(id), &at) == -1 ||
	    attr_get(&at, XFRMA_POLICY, &u, sizeof(u)) != 1)
		return (-1);
	return (get_userpolicy(&u, &at, &n->policy));
}

static int
get_expired_sa(const struct nlmsghdr *nlh, struct kern_note *n)
{
	struct xfrm_user_expire u;
	struct attrs at;

	if (take(nlh, &u, sizeof(u), &at) == -1 ||
	    get_usersa(&u.state, &n->sa) == -1)
		return (-1);
	n->expired = u.hard != 0 ? 2 : 1;
	return (0);
}

static int
get_expired_policy(const struct nlmsghdr *nlh, struct kern_note *n)
{
	struct xfrm_user_polexpire u;
	struct attrs at;

	if (take(nlh, &u, sizeof(u), &at) == -1)
		return (-1);
	n->expired = u.hard != 0 ? 2 : 1;
	return (get_userpolicy(&u.pol, &at, &n->policy));
}

static int
get_note_event(const struct nlmsghdr *nlh, struct kern_note *n)
{
	int transport;

	n->ipproto = IPPROTO_ESP;
	return (xfrm_get_event(nlh, &n->ev, &transport));
}

/* The protocol of a flush; of policies' there is none. */
static int
get_flush(const struct nlmsghdr *nlh, struct kern_note *n)
{
	struct xfrm_usersa_flush f;
	struct attrs at;

	if (nlh->nlmsg_type == XFRM_MSG_FLUSHSA) {
		if (take(nlh, &f, sizeof(f), &at) == -1)
			return (-1);
		n->ipproto = f.proto;
	}
	return (0);
}

static int
get_note_sa(const struct nlmsghdr *nlh, struct kern_note *n, int keys)
{
	if (xfrm_get_sa(nlh, &n->sa) == -1)
		return (-1);
	if (keys)
		xfrm_get_keys(nlh, &n->sa);
	return (0);
}

int
xfrm_get_note(const struct nlmsghdr *nlh, int keys, struct kern_note *n)
{
	static const struct {
		uint16_t		 type;
		enum kern_note_type	 note;
		const char		*word;
	} words[] = {
		{ XFRM_MSG_NEWSA, KERN_NOTE_SA, "xfrm_newsa" },
		{ XFRM_MSG_UPDSA, KERN_NOTE_SA, "xfrm_updsa" },
		{ XFRM_MSG_DELSA, KERN_NOTE_SA_GONE, "xfrm_delsa" },
		{ XFRM_MSG_EXPIRE, KERN_NOTE_SA_GONE, "xfrm_expire" },
		{ XFRM_MSG_FLUSHSA, KERN_NOTE_FLUSH, "xfrm_flushsa" },
		{ XFRM_MSG_NEWPOLICY, KERN_NOTE_POLICY, "xfrm_newpolicy" },
		{ XFRM_MSG_UPDPOLICY, KERN_NOTE_POLICY, "xfrm_updpolicy" },
		{ XFRM_MSG_DELPOLICY, KERN_NOTE_POLICY_GONE, "xfrm_delpolicy" },
		{ XFRM_MSG_POLEXPIRE, KERN_NOTE_POLICY_GONE, "xfrm_polexpire" },
		{ XFRM_MSG_FLUSHPOLICY, KERN_NOTE_FLUSH, "xfrm_flushpolicy" },
		{ XFRM_MSG_ACQUIRE, KERN_NOTE_EVENT, "xfrm_acquire" },
		{ XFRM_MSG_MAPPING, KERN_NOTE_EVENT, "xfrm_mapping" },
	};
	size_t i;
	int rv = 0;

	memset(n, 0, sizeof(*n));
	n->len = nlh->nlmsg_len;
	n->seq = nlh->nlmsg_seq;
	n->pid = nlh->nlmsg_pid;
	(void)strlcpy(n->word, "xfrm_other", sizeof(n->word));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].type == nlh->nlmsg_type) {
			n->type = words[i].note;
			(void)strlcpy(n->word, words[i].word, sizeof(n->word));
		}
	switch (n->type) {
	case KERN_NOTE_SA:
		rv = get_note_sa(nlh, n, keys);
		break;
	case KERN_NOTE_SA_GONE:
		rv = nlh->nlmsg_type == XFRM_MSG_DELSA ?
		    get_gone_sa(nlh, n, keys) : get_expired_sa(nlh, n);
		break;
	case KERN_NOTE_POLICY:
		rv = xfrm_get_policy(nlh, &n->policy);
		break;
	case KERN_NOTE_POLICY_GONE:
		rv = nlh->nlmsg_type == XFRM_MSG_DELPOLICY ?
		    get_gone_policy(nlh, n) : get_expired_policy(nlh, n);
		break;
	case KERN_NOTE_FLUSH:
		rv = get_flush(nlh, n);
		break;
	case KERN_NOTE_EVENT:
		rv = get_note_event(nlh, n);
		break;
	case KERN_NOTE_OTHER:
		break;
	}
	/* a message that we cannot read is told of all the same */
	if (rv != 0)
		n->type = KERN_NOTE_OTHER;
	if (n->type == KERN_NOTE_SA || n->type == KERN_NOTE_SA_GONE)
		n->ipproto = n->sa.ipproto;
	if (n->type == KERN_NOTE_POLICY || n->type == KERN_NOTE_POLICY_GONE)
		n->ipproto = n->policy.ipproto;
	return (rv == -1 ? -1 : 0);
}

static void
get_words(const struct nlattr *a, size_t len, char what[KERN_WHATLEN])
{
	const char *s;
	size_t i, n;
	int left = (int)len;

	for (; mnl_attr_ok(a, left); a = next_attr(a, &left)) {
		if (mnl_attr_get_type(a) != NLMSGERR_ATTR_MSG)
			continue;
		s = mnl_attr_get_payload(a);
		n = mnl_attr_get_payload_len(a);
		for (i = 0; i < n && i < KERN_WHATLEN - 1 && s[i] != '\0'; i++)
			what[i] = s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?';
		what[i] = '\0';
		return;
	}
}

int
xfrm_get_error(const struct nlmsghdr *nlh, int *err, char what[KERN_WHATLEN])
{
	const uint8_t *p = mnl_nlmsg_get_payload(nlh);
	size_t have = mnl_nlmsg_get_payload_len(nlh), skip;
	struct nlmsgerr e;
	int32_t code;

	what[0] = '\0';
	*err = 0;
	if (nlh->nlmsg_type == NLMSG_DONE && have == 0)
		return (0);
	if (have < sizeof(code))
		return (-1);
	memcpy(&code, p, sizeof(code));
	if (code > 0 || code < -4095)
		return (-1);
	*err = -code;
	skip = MNL_ALIGN(sizeof(code));
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (have < sizeof(e))
			return (-1);
		memcpy(&e, p, sizeof(e));
		skip = sizeof(e);
		/* The request comes back whole unless capped. */
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && code != 0) {
			if (e.msg.nlmsg_len < sizeof(e.msg) ||
			    e.msg.nlmsg_len > have)
				return (-1);
			skip += MNL_ALIGN(e.msg.nlmsg_len - sizeof(e.msg));
		}
	}
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && have > skip)
		get_words((const void *)(p + skip), have - skip, what);
	return (0);
}
