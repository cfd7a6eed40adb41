/* SPDX-License-Identifier: ISC */
/*
 * Addresses inside the tunnel (RFC 7296 2.19, 3.15): the initiator asks for one in
 * IKE_AUTH, the responder gives one of the tunnel's pool, and the selectors of that side
 * are this address alone, on both sides.
 */

#include <string.h>

#include "exchange/exchange.h"

void
address_ask(struct world *w, uint32_t tunnel, struct wire_enc *e)
{
	const struct tunnel	*t = &w->tunnels[tunnel];
	struct cp_list		 l = tunnel_conf(w, tunnel)->ask;
	const struct addr	*a;
	uint8_t			 i;

	/* the one we had, as a wish */
	for (i = 0; i < l.n; i++) {
		a = &t->wish[l.a[i].type == CP_IP6_ADDRESS];
		if ((l.a[i].type != CP_IP4_ADDRESS && l.a[i].type != CP_IP6_ADDRESS) ||
		    !l.a[i].empty || a->fam == ADDR_NONE)
			continue;
		l.a[i].empty = 0;
		l.a[i].v.addr = *a;
		l.a[i].v.len = (uint8_t)(8 * addr_len(a));
	}
	wire_put_cp(e, CP_REQUEST, &l);
}

int
address_got(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, const char **why)
{
	const struct cp_item	*a;
	struct tslist		 mine;
	uint8_t			 i, f;
	char			 s[ADDR_STRLEN];

	*why = "it gives us no address: its side needs a pool of addresses, or \"from\" "
	    "a network here";
	if ((m->has & WIRE_HAS(P_CP)) == 0 || m->cp_type != CP_REPLY)
		return (-1);
	memset(ike->lease, 0, sizeof(ike->lease));
	for (i = 0; i < m->cp.n; i++) {
		a = &m->cp.a[i];
		f = a->type == CP_IP6_ADDRESS;
		if ((a->type != CP_IP4_ADDRESS && !f) || a->empty ||
		    addr_is_any(&a->v.addr) || ike->lease[f].fam != ADDR_NONE)
			continue;
		ike->lease[f] = w->tunnels[tunnel].wish[f] = a->v.addr;
		ike->leased = tunnel + 1;
		log_event(w->log, WHY_INSIDE, "tunnel \"%s\": our address inside is %s",
		    tunnel_conf(w, tunnel)->name, addr_str(&a->v.addr, s));
	}
	lease_ts(ike, &mine);
	if (mine.n == 0)
		return (-1);
	if (tslist_within(&m->tsi, &mine))
		return (0);
	/* nor is it asked for again */
	*why = "its selectors are not the address that it gives us";
	memset(ike->lease, 0, sizeof(ike->lease));
	memset(w->tunnels[tunnel].wish, 0, sizeof(w->tunnels[tunnel].wish));
	ike->leased = 0;
	return (-1);
}

/* What the peer asks of that family; NULL: nothing. */
static const struct cp_item *
asked(const struct wire_msg *m, uint16_t type)
{
	uint8_t	i;

	for (i = 0; (m->has & WIRE_HAS(P_CP)) != 0 && m->cp_type == CP_REQUEST &&
	    i < m->cp.n; i++)
		if (m->cp.a[i].type == type)
			return (&m->cp.a[i]);
	return (NULL);
}

uint16_t
address_give(struct world *w, struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel)
{
	static const uint16_t	 types[2] = { CP_IP4_ADDRESS, CP_IP6_ADDRESS };
	static const uint8_t	 fams[2] = { ADDR_V4, ADDR_V6 };
	const struct cp_item	*a;
	struct addr		 none;
	char			 s[ADDR_STRLEN];
	int			 f, n = 0;

	if (ike->leased == tunnel + 1)
		return (0);
	memset(&none, 0, sizeof(none));
	for (f = 0; f < 2; f++) {
		if ((a = asked(m, types[f])) == NULL ||
		    conf_pool(tunnel_conf(w, tunnel), fams[f]) == NULL)
			continue;
		if (lease_take(w, ike, tunnel, fams[f], a->empty ? &none :
		    &a->v.addr) == -1) {
			addr_str(&ike->c.remote.addr, s);
			log_event(w->log, WHY_NO_ADDRESS,
			    "tunnel \"%s\": no address is free for peer %s: "
			    "give \"config address\" a larger network",
			    tunnel_conf(w, tunnel)->name, s);
			tunnel_error(w, tunnel, WHY_NO_ADDRESS, "no address is free for peer "
			    "%s: give \"config address\" a larger network", s);
			lease_end(w, ike);
			return (N_INTERNAL_ADDRESS_FAILURE);
		}
		n++;
	}
	if (n > 0)
		return (0);
	log_event(w->log, WHY_NO_ADDRESS,
	    "tunnel \"%s\": peer %s asks for no address, and is \"to "
	    "dynamic\": have it ask for one (\"request address any\")",
	    tunnel_conf(w, tunnel)->name, addr_str(&ike->c.remote.addr, s));
	return (N_FAILED_CP_REQUIRED);
}

void
address_reply(struct world *w, const struct ike_sa *ike, const struct wire_msg *m,
    uint32_t tunnel, struct wire_enc *e)
{
	const struct cp_list	*give = &tunnel_conf(w, tunnel)->give;
	struct cp_list		 l;
	uint8_t			 i, f;

	if ((m->has & WIRE_HAS(P_CP)) == 0 || m->cp_type != CP_REQUEST || give->n == 0)
		return;
	memset(&l, 0, sizeof(l));
	for (i = 0; i < give->n; i++) {
		l.a[l.n] = give->a[i];
		f = give->a[i].type == CP_IP6_ADDRESS;
		if (give->a[i].type == CP_IP4_ADDRESS || f) {
			if (ike->leased != tunnel + 1 || ike->lease[f].fam == ADDR_NONE)
				continue;
			l.a[l.n].v.addr = ike->lease[f];
			l.a[l.n].v.len = (uint8_t)(8 * addr_len(&ike->lease[f]));
		}
		l.n++;
	}
	wire_put_cp(e, CP_REPLY, &l);
}
