/* SPDX-License-Identifier: ISC */
/*
 * What rules of this machine do to the packets of a tunnel: IKE and ESP with the peer, and
 * what goes between the nets.
 */

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include "doctor.h"

int
doctor_first_host(const json_t *nets, struct addr *a)
{
	const char *text = json_string_value(json_array_get(nets, 0));
	struct prefix net;

	if (text == NULL || prefix_parse(&net, text) == -1)
		return (-1);
	if (prefix_host(&net, 1, a) == 0)
		return (0);
	return (prefix_host(&net, 0, a));
}

/* The packets that are asked for. */
static const struct {
	const char	*words;
	enum host_hook	 hook;
	uint8_t		 proto;
	uint16_t	 port;
	int		 nets, in;	/* between the nets; comes to us */
} kinds[] = {
	{ "UDP 500 to the peer", HOOK_OUTPUT, IPPROTO_UDP, 500, 0, 0 },
	{ "UDP 500 of the peer", HOOK_INPUT, IPPROTO_UDP, 500, 0, 1 },
	{ "UDP 4500 to the peer", HOOK_OUTPUT, IPPROTO_UDP, 4500, 0, 0 },
	{ "UDP 4500 of the peer", HOOK_INPUT, IPPROTO_UDP, 4500, 0, 1 },
	{ "ESP to the peer", HOOK_OUTPUT, IPPROTO_ESP, 0, 0, 0 },
	{ "ESP of the peer", HOOK_INPUT, IPPROTO_ESP, 0, 0, 1 },
	{ "pings from the from net to the to net", HOOK_FORWARD, IPPROTO_ICMP, 0, 1, 0 },
	{ "pings from the to net to the from net", HOOK_FORWARD, IPPROTO_ICMP, 0, 1, 1 },
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The ends of both kinds, and the interfaces they are on. */
struct ends {
	struct addr	us, peer, inside, beyond;
	char		wan[64], lan[64];
	int		nets;
};

static int
ends_of(const struct patient *p, struct ends *e)
{
	struct addr own;

	memset(e, 0, sizeof(*e));
	e->us = p->local;
	e->peer = p->remote;
	if (addr_is_any(&e->peer) || (addr_is_any(&e->us) &&
	    host_source(&e->peer, &e->us) != 0))
		return (-1);
	(void)host_has(&e->us, e->wan);
	e->nets = doctor_first_host(json_object_get(p->tunnel, "from"), &e->inside) == 0 &&
	    doctor_first_host(json_object_get(p->tunnel, "to"), &e->beyond) == 0;
	(void)host_inside(json_object_get(p->tunnel, "from"), &own, e->lan);
	return (0);
}

static void
packet(const struct ends *e, size_t i, struct host_packet *p)
{
	const struct addr *out = kinds[i].nets ? &e->inside : &e->us;
	const struct addr *far = kinds[i].nets ? &e->beyond : &e->peer;

	memset(p, 0, sizeof(*p));
	p->src = kinds[i].in ? *far : *out;
	p->dst = kinds[i].in ? *out : *far;
	p->proto = kinds[i].proto;
	p->port = kinds[i].port;
	if (kinds[i].in || kinds[i].nets)
		(void)snprintf(p->in, sizeof(p->in), "%.15s", kinds[i].in ? e->wan : e->lan);
	if (!kinds[i].in || kinds[i].nets)
		(void)snprintf(p->out, sizeof(p->out), "%.15s", kinds[i].in ? e->lan : e->wan);
}

/* sure: 1 those that surely end there, 2 those that may. */
static void
filter(const struct patient *p, const struct ends *e, int sure, struct findings *fs)
{
	struct host_packet hp;
	struct finding *f;
	char list[300], rule[160], one[160];
	size_t i, at = 0;

	list[0] = '\0';
	for (i = 0; i < NKINDS; i++) {
		if (kinds[i].nets ? !e->nets : p->passing)
			continue;
		packet(e, i, &hp);
		if (host_iptables("filter", kinds[i].hook, &hp, one, sizeof(one)) != sure)
			continue;
		if (at == 0)
			(void)snprintf(rule, sizeof(rule), "%s", one);
		if (at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s",
			    at > 0 ? ", " : "", kinds[i].words);
	}
	if (at == 0)
		return;
	f = finding_new(fs, sure == 1 ? 97 : 46);
	finding_set(f->cause, "this machine's own firewall %s %s", sure == 1 ? "drops" :
	    "may drop", list);
	finding_set(f->evidence, "%s%s", rule, sure == 1 ? "" : " (the rule asks for more than "
	    "addresses and ports, which is not known here)");
	finding_set(f->advice, "let UDP 500, UDP 4500 and ESP pass in both directions, and the "
	    "nets of the tunnel; README shows how");
}

static void
nat(const struct ends *e, struct findings *fs)
{
	struct host_packet hp;
	struct finding *f;
	char rule[160];
	int r, by = 0;

	memset(&hp, 0, sizeof(hp));
	hp.src = e->inside;
	hp.dst = e->beyond;
	hp.proto = IPPROTO_ICMP;
	(void)snprintf(hp.out, sizeof(hp.out), "%.15s", e->wan);
	r = e->nets ? host_iptables("nat", HOOK_POSTROUTING, &hp, rule, sizeof(rule)) : 0;
	if (r <= 0 && (by = host_nat()) == 1) {
		(void)snprintf(rule, sizeof(rule), "nf_tables has such rules; which packets they "
		    "match was not read");
		r = 2;
	}
	if (r > 0) {
		f = finding_new(fs, r == 1 ? 96 : 45);
		finding_set(f->cause, "NAT rules (masquerade, snat) of this machine %s packets "
		    "from net to net: %s miss the tunnel, and leave in clear", r == 1 ?
		    "rewrite" : "may rewrite", r == 1 ? "they" : "those would");
		finding_set(f->evidence, "%s", rule);
		finding_set(f->advice, "exempt what goes from the from net to the to net, before "
		    "the masquerade rule; README shows how");
	} else if (by == -1) {
		f = finding_new(fs, 2);
		finding_set(f->cause, "it cannot be known here whether NAT rules of nf_tables "
		    "rewrite packets before the policy");
	}
}

void
doctor_rules(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	struct ends e;
	char text[300];

	if (ends_of(p, &e) == -1)
		return;
	filter(p, &e, 1, fs);
	filter(p, &e, 2, fs);
	if (p->passing)
		return;
	nat(&e, fs);
	if (host_filter(text, sizeof(text)) == 1) {
		f = finding_new(fs, 44);
		finding_set(f->cause, "this machine has firewall rules that drop or reject; whether "
		    "packets of this tunnel was not read");
		finding_set(f->evidence, "%s", text);
		finding_set(f->advice, "let UDP 500, UDP 4500 and ESP pass in both directions, and "
		    "the nets of the tunnel");
	}
}
