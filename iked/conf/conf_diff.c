/* SPDX-License-Identifier: ISC */
/*
 * What differs between two generations of a tunnel, and what that costs.
 *
 * Who may talk, with which secret and for which networks, is what an SA was agreed for:
 * with another answer it goes.  How long it lives and which transforms it has can be
 * agreed anew while it carries on (RFC 7296 2.8), and who begins is no part of an SA.
 */
#include <string.h>

#include "conf/conf.h"

static const char *const names[CF_FIELDS] = {
	[CF_MODE] = "mode", [CF_LIFETIME] = "lifetime", [CF_LIFEBYTES] = "bytes",
	[CF_CHILDSA] = "childsa", [CF_IKELIFETIME] = "ikelifetime",
	[CF_IKESA] = "ikesa", [CF_TRANSPORT] = "transport", [CF_SINGLE] = "single",
	[CF_FROM] = "from", [CF_TO] = "to", [CF_CONFIG] = "config",
	[CF_REQUEST] = "request", [CF_IFACE] = "iface", [CF_LOCAL] = "local",
	[CF_PEER] = "peer", [CF_SRCID] = "srcid", [CF_DSTID] = "dstid",
	[CF_PSK] = "psk", [CF_NATT] = "natt", [CF_FULL] = "fulltranscript"
};

const char *
conf_field_name(unsigned int i)
{
	return (i < CF_FIELDS ? names[i] : NULL);
}

uint32_t
conf_peer_diff(const struct conf_peer *a, const struct conf_peer *b)
{
	uint32_t	 d = 0;

	if (addr_cmp(&a->local, &b->local) != 0)
		d |= 1U << CF_LOCAL;
	if (addr_cmp(&a->remote, &b->remote) != 0)
		d |= 1U << CF_PEER;
	if (!ident_equal(&a->srcid, &b->srcid))
		d |= 1U << CF_SRCID;
	if (!ident_equal(&a->dstid, &b->dstid))
		d |= 1U << CF_DSTID;
	if (!conf_proposals_equal(a->ike, b->ike))
		d |= 1U << CF_IKESA;
	if (a->ikelifetime != b->ikelifetime)
		d |= 1U << CF_IKELIFETIME;
	if (a->natt != b->natt)
		d |= 1U << CF_NATT;
	if (a->full != b->full)
		d |= 1U << CF_FULL;
	/* of another peer there is no secret to compare with */
	if (d & (1U << CF_LOCAL | 1U << CF_PEER | 1U << CF_SRCID | 1U << CF_DSTID))
		return (d);
	if (a->has_psk != b->has_psk || a->psk_serial != b->psk_serial ||
	    a->psklen != b->psklen ||
	    (a->psklen != 0 && memcmp(a->psk, b->psk, a->psklen) != 0))
		d |= 1U << CF_PSK;
	return (d);
}

uint32_t
conf_tunnel_diff(const struct conf *ca, const struct conf_tunnel *a,
    const struct conf *cb, const struct conf_tunnel *b)
{
	uint32_t	 d = conf_peer_diff(&ca->peers[a->peer], &cb->peers[b->peer]);

	if (a->mode != b->mode)
		d |= 1U << CF_MODE;
	if (a->transport != b->transport)
		d |= 1U << CF_TRANSPORT;
	if (a->single != b->single)
		d |= 1U << CF_SINGLE;
	if (!tslist_equal(&a->from, &b->from) || (a->dyn == DYN_FROM) != (b->dyn == DYN_FROM))
		d |= 1U << CF_FROM;
	if (!tslist_equal(&a->to, &b->to) || (a->dyn == DYN_TO) != (b->dyn == DYN_TO))
		d |= 1U << CF_TO;
	if (!conf_proposals_equal(a->esp, b->esp))
		d |= 1U << CF_CHILDSA;
	if (a->lifetime != b->lifetime)
		d |= 1U << CF_LIFETIME;
	if (a->lifebytes != b->lifebytes)
		d |= 1U << CF_LIFEBYTES;
	if (!conf_cp_equal(&a->give, &b->give))
		d |= 1U << CF_CONFIG;
	if (!conf_cp_equal(&a->ask, &b->ask))
		d |= 1U << CF_REQUEST;
	if (strcmp(a->iface, b->iface) != 0)
		d |= 1U << CF_IFACE;
	return (d);
}

enum conf_change
conf_change(uint32_t d)
{
	if ((d & ~(CF_KEEP | CF_REKEY_CHILD | CF_REKEY_IKE)) != 0)
		return (CHANGE_REPLACED);
	return ((d & ~CF_KEEP) != 0 ? CHANGE_RENEGOTIATED : CHANGE_KEPT);
}

const char *
conf_change_name(enum conf_change c)
{
	switch (c) {
	case CHANGE_KEPT:
		return ("kept");
	case CHANGE_RENEGOTIATED:
		return ("renegotiated");
	case CHANGE_REPLACED:
		return ("replaced");
	case CHANGE_ADDED:
		return ("added");
	case CHANGE_REMOVED:
		break;
	}
	return ("removed");
}
