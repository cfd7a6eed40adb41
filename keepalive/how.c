/* SPDX-License-Identifier: ISC */
/* From the options of a keepalive to how its ICMP probes are sent. */

#include <stdio.h>
#include <string.h>

#include "keepalive/how.h"

_Static_assert((int)KA_FIB == (int)ICMP_FIB && (int)KA_MARK == (int)ICMP_MARK &&
    (int)KA_VRF == (int)ICMP_VRF, "the same in conf and here");

static void
route_of(const struct conf_keepalive *ka, struct icmp_route *r)
{
	memset(r, 0, sizeof(*r));
	r->kind = ka->route;
	if (ka->route == KA_VRF && ka->str[KA_VRFNAME] != NULL)
		(void)snprintf(r->vrf, sizeof(r->vrf), "%s",
		    ka->str[KA_VRFNAME]);
	else
		r->number = ka->number;
}

void
how_probe(const struct conf_keepalive *ka, struct probe *p,
    struct icmp_route *room)
{
	if (ka == NULL)
		return;
	p->size = ka->size;
	/* The peer's gateway is the first hop behind the tunnel. */
	p->ttl = ka->gateway ? 1 : ka->ttl;
	p->dscp = ka->dscp;
	p->nodf = ka->nodf;
	if (ka->route == KA_NOROUTE)
		return;
	route_of(ka, room);
	p->route = room;
}

int
how_sockkey(const struct conf_keepalive *ka, enum addr_family fam,
    struct icmp_sockkey *k)
{
	if (ka == NULL || (ka->route == KA_NOROUTE && !ka->nodf))
		return (0);
	memset(k, 0, sizeof(*k));
	k->fam = (uint8_t)fam;
	k->nodf = ka->nodf;
	route_of(ka, &k->route);
	return (1);
}

int
icmp_sockkey_equal(const struct icmp_sockkey *a, const struct icmp_sockkey *b)
{
	return (a->fam == b->fam && a->nodf == b->nodf &&
	    a->route.kind == b->route.kind &&
	    a->route.number == b->route.number &&
	    strncmp(a->route.vrf, b->route.vrf, sizeof(a->route.vrf)) == 0);
}

const char *
icmp_route_str(const struct icmp_route *r, char dst[32])
{
	switch (r->kind) {
	case ICMP_FIB:
		(void)snprintf(dst, 32, "fib %u", r->number);
		break;
	case ICMP_MARK:
		(void)snprintf(dst, 32, "mark %u", r->number);
		break;
	case ICMP_VRF:
		(void)snprintf(dst, 32, "vrf %.15s", r->vrf);
		break;
	default:
		(void)snprintf(dst, 32, "the usual routing");
	}
	return (dst);
}
