/* SPDX-License-Identifier: ISC */
/* PF_KEY messages of the kernel as our SAs, policies, events and capabilities. */

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include "pfkey/pfkey_msg.h"

/* The IKE key length behind a cipher's key, from its bits with the salt. */
static uint16_t
ike_keybits(uint16_t encr, unsigned int bits)
{
	const struct xform_info *xi;
	unsigned int b;

	for (b = 128; b <= 256; b += 64) {
		xi = xform_info(XF_ENCR, encr, (uint16_t)b);
		if (xi != NULL && xi->keylen * 8U == bits)
			return ((uint16_t)b);
	}
	return (0);
}

static void
get_life(const struct pfkey_msg *m, struct kern_life *l)
{
	l->soft_secs = m->lts.add;
	l->soft_bytes = m->lts.bytes;
	l->soft_packets = m->lts.alloc;
	l->hard_secs = m->lth.add;
	l->hard_bytes = m->lth.bytes;
	l->hard_packets = m->lth.alloc;
}

uint8_t
pfkey_ipproto(uint8_t satype)
{
	return (satype == PFS_ESP ? IPPROTO_ESP : satype == PFS_AH ? IPPROTO_AH :
	    satype == PFS_IPCOMP ? IPPROTO_COMP : 0);
}

/* What we have no id for is at least counted: SADB_AALG_* and SADB_EALG_* by number. */
static void
name_algs(const struct pfkey_msg *m, struct kern_sa *sa)
{
	if (sa->encr == 0 && m->sa.encr != 0)
		(void)snprintf(sa->encr_name, sizeof(sa->encr_name), "%s%u",
		    m->satype == PFS_IPCOMP ? "calg" : "ealg", m->sa.encr);
	if (sa->integ == INTEG_NONE && m->sa.auth != 0)
		(void)snprintf(sa->integ_name, sizeof(sa->integ_name), "aalg%u",
		    m->sa.auth);
}

static void
copy_key(uint8_t *key, size_t keylen, const struct span *s)
{
	if (s->p != NULL && keylen <= KERN_KEYMAX && keylen <= s->len)
		memcpy(key, s->p, keylen);
}

void
pfkey_get_keys(const struct pfkey_msg *m, struct kern_sa *sa)
{
	copy_key(sa->encr_key, sa->encr_keylen, &m->kenc.key);
	copy_key(sa->integ_key, sa->integ_keylen, &m->kauth.key);
}

int
pfkey_get_sa(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_sa *sa)
{
	memset(sa, 0, sizeof(*sa));
	if (!pfkey_has(m, PX_SA) || !pfkey_has(m, PX_SRC) ||
	    !pfkey_has(m, PX_DST) || m->src.ep.addr.fam != m->dst.ep.addr.fam)
		return (-1);
	sa->spi = m->sa.spi;
	sa->proto = m->satype == PFS_ESP ? PROTO_ESP :
	    m->satype == PFS_AH ? PROTO_AH : PROTO_NONE;
	sa->ipproto = pfkey_ipproto(m->satype);
	sa->src = m->src.ep.addr;
	sa->dst = m->dst.ep.addr;
	sa->reqid = m->sa2.reqid;
	sa->othermode = m->sa2.mode > PF_MODE_TUNNEL;
	sa->transport = m->sa2.mode == PF_MODE_TRANSPORT;
	sa->encr = pfkey_encr(d, m->sa.encr);
	sa->integ = pfkey_integ(d, m->sa.auth);
	sa->encr_keylen = (uint16_t)((m->kenc.bits + 7) / 8);
	sa->integ_keylen = (uint16_t)((m->kauth.bits + 7) / 8);
	sa->encr_keybits = ike_keybits(sa->encr, m->kenc.bits);
	sa->esn = d->esn_flag != 0 && (m->sa.flags & d->esn_flag) != 0;
	sa->replay = pfkey_has(m, PX_REPLAY) ? m->replay_window :
	    (uint32_t)m->sa.replay * d->replay_unit;
	if (pfkey_has(m, PX_NATT_TYPE)) {
		sa->encap_sport = m->sport;
		sa->encap_dport = m->dport;
	}
	name_algs(m, sa);
	get_life(m, &sa->life);
	sa->bytes = m->ltc.bytes;
	sa->packets = m->ltc.alloc;
	sa->addtime = m->ltc.add;
	sa->usetime = m->ltc.use;
	sa->state = m->sa.state == PF_SA_LARVAL ? KERN_SA_LARVAL :
	    m->sa.state == PF_SA_MATURE ? KERN_SA_MATURE :
	    m->sa.state == PF_SA_DYING ? KERN_SA_DYING : KERN_SA_DEAD;
	return (0);
}

int
pfkey_get_policy(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_policy *p)
{
	const struct pfkey_request *q = &m->policy.req[0];

	memset(p, 0, sizeof(*p));
	if (!pfkey_has(m, PX_POLICY) || m->policy.dir == 0 ||
	    m->policy.dir > d->dir_max)
		return (-1);
	if (m->policy.dir > (d->has_fwd ? KERN_FWD : KERN_OUT) ||
	    (d->scope && m->policy.scope > 1))
		return (1);
	/* Entrust and the like are of sockets only. */
	if (m->policy.type > PF_POL_IPSEC)
		return (1);
	if (!pfkey_has(m, PX_SRC) || !pfkey_has(m, PX_DST) ||
	    m->src.ep.addr.fam != m->dst.ep.addr.fam)
		return (-1);
	p->dir = (enum kern_dir)m->policy.dir;
	p->action = m->policy.type == PF_POL_IPSEC ? KERN_IPSEC :
	    m->policy.type == PF_POL_NONE ? KERN_BYPASS : KERN_DISCARD;
	p->src.addr = m->src.ep.addr;
	p->src.len = m->src.plen;
	p->dst.addr = m->dst.ep.addr;
	p->dst.len = m->dst.plen;
	p->proto = m->src.proto == PF_PROTO_ANY ? 0 : m->src.proto;
	p->sport = m->src.ep.port;
	p->dport = m->dst.ep.port;
	p->prio = m->policy.prio;
	p->id = m->policy.id;
	p->bytes = m->ltc.bytes;
	p->packets = m->ltc.alloc;
	p->usetime = m->ltc.use;
	if (p->action != KERN_IPSEC || m->policy.nreq == 0)
		return (0);
	p->reqid = q->reqid;
	p->ipproto = (uint8_t)q->proto;
	p->use = q->level == PF_LEVEL_USE;
	p->transport = q->mode == PF_MODE_TRANSPORT;
	p->othermode = q->mode > PF_MODE_TUNNEL;
	if (!p->transport) {
		p->tsrc = q->src.addr;
		p->tdst = q->dst.addr;
	}
	return (0);
}

static int
get_expire(const struct pfkey_msg *m, struct kern_event *ev)
{
	if (!pfkey_has(m, PX_SA) || !pfkey_has(m, PX_SRC) || !pfkey_has(m, PX_DST))
		return (-1);
	/* A larval SA's end: of an acquire (no SPI) or a GETSPI (no cipher). */
	if (m->sa.spi == 0 || m->sa.encr == 0)
		return (1);
	if (!pfkey_has(m, PX_LTH) && !pfkey_has(m, PX_LTS))
		return (-1);
	ev->type = KERN_EV_EXPIRE;
	ev->spi = m->sa.spi;
	ev->hard = pfkey_has(m, PX_LTH);
	ev->reqid = m->sa2.reqid;
	ev->src = m->src.ep.addr;
	ev->dst = m->dst.ep.addr;
	return (0);
}

/* Only the endpoints and the policy's id; FreeBSD adds the reqid. */
static int
get_acquire(const struct pfkey_msg *m, struct kern_event *ev)
{
	if (m->err != 0 || !pfkey_has(m, PX_SRC) || !pfkey_has(m, PX_DST))
		return (-1);
	ev->type = KERN_EV_ACQUIRE;
	ev->seq = m->seq;
	ev->src = m->src.ep.addr;
	ev->dst = m->dst.ep.addr;
	ev->policy = m->policy.id;
	ev->reqid = m->sa2.reqid;
	return (0);
}

/*
 * Linux: SRC and SPORT as they were, the new source in DST and DPORT.  Our own
 * address is not said.
 */
static int
get_mapping(const struct pfkey_msg *m, struct kern_event *ev)
{
	if (!pfkey_has(m, PX_SA) || !pfkey_has(m, PX_SRC) ||
	    !pfkey_has(m, PX_DST) || !pfkey_has(m, PX_DPORT))
		return (-1);
	ev->type = KERN_EV_MAPPING;
	ev->spi = m->sa.spi;
	ev->src = m->src.ep.addr;
	ev->newsrc.addr = m->dst.ep.addr;
	ev->newsrc.port = m->dport;
	return (0);
}

int
pfkey_get_event(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_event *ev)
{
	(void)d;
	memset(ev, 0, sizeof(*ev));
	if (m->satype != PFS_ESP)
		return (1);
	switch (m->type) {
	case PFM_ACQUIRE:
		return (get_acquire(m, ev));
	case PFM_EXPIRE:
		return (get_expire(m, ev));
	case PFM_NAT_T_NEW_MAPPING:
		return (get_mapping(m, ev));
	default:
		return (1);
	}
}

static int
note_event(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_note *n)
{
	return (pfkey_get_event(d, m, &n->ev) == 0 ? 0 : -1);
}

static int
note_expire(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_note *n)
{
	n->expired = pfkey_has(m, PX_LTH) ? 2 : 1;
	return (pfkey_get_sa(d, m, &n->sa));
}

void
pfkey_get_note(const struct pfkey_dialect *d, const struct pfkey_msg *m, int keys,
    struct kern_note *n)
{
	static const struct {
		const char		*word;
		enum kern_note_type	 type;
	} words[] = {
		[PFM_GETSPI] = { "sadb_getspi", KERN_NOTE_OTHER },
		[PFM_UPDATE] = { "sadb_update", KERN_NOTE_SA },
		[PFM_ADD] = { "sadb_add", KERN_NOTE_SA },
		[PFM_DELETE] = { "sadb_delete", KERN_NOTE_SA_GONE },
		[PFM_GET] = { "sadb_get", KERN_NOTE_SA },
		[PFM_ACQUIRE] = { "sadb_acquire", KERN_NOTE_EVENT },
		[PFM_REGISTER] = { "sadb_register", KERN_NOTE_OTHER },
		[PFM_EXPIRE] = { "sadb_expire", KERN_NOTE_SA_GONE },
		[PFM_FLUSH] = { "sadb_flush", KERN_NOTE_FLUSH },
		[PFM_DUMP] = { "sadb_dump", KERN_NOTE_OTHER },
		[PFM_SPDUPDATE] = { "sadb_x_spdupdate", KERN_NOTE_POLICY },
		[PFM_SPDADD] = { "sadb_x_spdadd", KERN_NOTE_POLICY },
		[PFM_SPDDELETE] = { "sadb_x_spddelete", KERN_NOTE_POLICY_GONE },
		[PFM_SPDGET] = { "sadb_x_spdget", KERN_NOTE_OTHER },
		[PFM_SPDDUMP] = { "sadb_x_spddump", KERN_NOTE_OTHER },
		[PFM_SPDFLUSH] = { "sadb_x_spdflush", KERN_NOTE_FLUSH },
		[PFM_SPDEXPIRE] = { "sadb_x_spdexpire", KERN_NOTE_POLICY_GONE },
		[PFM_SPDDELETE2] = { "sadb_x_spddelete2", KERN_NOTE_POLICY_GONE },
		[PFM_NAT_T_NEW_MAPPING] = { "sadb_x_nat_t_new_mapping",
		    KERN_NOTE_EVENT },
		[PFM_MIGRATE] = { "sadb_x_migrate", KERN_NOTE_OTHER }
	};
	int rv = 0;

	memset(n, 0, sizeof(*n));
	n->ipproto = pfkey_ipproto(m->satype);
	n->err = m->err;
	n->len = m->words;
	n->seq = m->seq;
	n->pid = m->pid;
	(void)strlcpy(n->word, "sadb_other", sizeof(n->word));
	if (m->type < sizeof(words) / sizeof(words[0]) &&
	    words[m->type].word != NULL) {
		n->type = words[m->type].type;
		(void)strlcpy(n->word, words[m->type].word, sizeof(n->word));
	}
	if (m->type == PFM_EXPIRE)
		rv = note_expire(d, m, n);
	else if (n->type == KERN_NOTE_SA || n->type == KERN_NOTE_SA_GONE)
		rv = pfkey_get_sa(d, m, &n->sa);
	else if (n->type == KERN_NOTE_POLICY || n->type == KERN_NOTE_POLICY_GONE)
		rv = pfkey_get_policy(d, m, &n->policy);
	else if (n->type == KERN_NOTE_EVENT)
		rv = note_event(d, m, n);
	if (rv != 0)
		n->type = KERN_NOTE_OTHER;
	if (rv == 0 && keys && n->type == KERN_NOTE_SA)
		pfkey_get_keys(m, &n->sa);
}

static void
found(struct kern_caps *c, uint8_t type, uint16_t id, uint16_t bits)
{
	if (c->nalgs == sizeof(c->algs) / sizeof(c->algs[0]))
		return;
	c->algs[c->nalgs].type = type;
	c->algs[c->nalgs].id = id;
	c->algs[c->nalgs].keybits = bits;
	c->nalgs++;
}

/* Is this transform within what the kernel lists? */
static int
listed(const struct pfkey_algs *s, uint8_t pf, unsigned int bits)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->alg[i].id == pf && bits >= s->alg[i].minbits &&
		    bits <= s->alg[i].maxbits)
			return (1);
	return (0);
}

static int
usable(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    const struct xform_info *xi)
{
	unsigned int bits;
	uint8_t pf;

	if (xi->type == XF_INTEG) {
		if (xi->id == INTEG_HMAC_SHA2_256_128 && d->sha256_96)
			return (0);
		pf = pfkey_aalg(d, xi->id);
		return (pf != 0 && listed(&m->supa, pf, xi->keylen * 8U));
	}
	if (xi->type != XF_ENCR || (xi->aead && !d->has_aead))
		return (0);
	pf = pfkey_ealg(d, xi->id);
	/* Systems disagree on whether the salt is part of the listed sizes. */
	bits = (xi->keylen - xi->saltlen) * 8U;
	if (xi->saltlen > 0)
		bits += d->salt_bits;
	return (pf != 0 && listed(&m->supe, pf, bits));
}

void
pfkey_get_caps(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct kern_caps *c)
{
	const struct xform_info *xi;
	size_t i;

	memset(c, 0, sizeof(*c));
	c->backend = KERN_PFKEY;
	c->name = d->name;
	c->reqid_max = 16383;
	c->esn = d->esn_flag != 0;
	c->has_fwd = d->has_fwd;
	c->replay_max = d->replay_max;
	for (i = 0; (xi = xform_row(i)) != NULL; i++)
		if (usable(d, m, xi))
			found(c, xi->type, xi->id, xi->keybits);
}
