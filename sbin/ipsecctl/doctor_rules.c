/* SPDX-License-Identifier: ISC */
/*
 * What rules of this machine do to the packets of a tunnel: IKE and ESP with the peer, and
 * what goes between the nets.
 */

#include <stdio.h>
#include <string.h>

#include "doctor.h"

#define NETS_MAX	8	/* of each side */

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

/* The packets that are asked for; port 0 ESP. */
static const struct {
	const char	*words;
	uint16_t	 port;
	int		 nets, in;	/* between the nets; comes to us */
} kinds[] = {
	{ "UDP 500 to the peer", 500, 0, 0 },
	{ "UDP 500 of the peer", 500, 0, 1 },
	{ "UDP 4500 to the peer", 4500, 0, 0 },
	{ "UDP 4500 of the peer", 4500, 0, 1 },
	{ "ESP to the peer", 0, 0, 0 },
	{ "ESP of the peer", 0, 0, 1 },
	{ "pings from the from net to the to net", 0, 1, 0 },
	{ "pings from the to net to the from net", 0, 1, 1 },
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The ends of both kinds. */
struct ends {
	struct addr	us, peer;
	struct prefix	from[NETS_MAX], to[NETS_MAX];
	size_t		nfrom, nto;
};

static size_t
nets_of(const json_t *a, struct prefix nets[NETS_MAX])
{
	const char *text;
	size_t i, n = 0;

	/* ranges and ports are not looked at */
	for (i = 0; i < json_array_size(a) && n < NETS_MAX; i++) {
		text = json_string_value(json_array_get(a, i));
		if (text != NULL && prefix_parse(&nets[n], text) == 0)
			n++;
	}
	return (n);
}

static void
ends_of(const struct patient *p, struct ends *e)
{
	memset(e, 0, sizeof(*e));
	e->us = p->local;
	e->peer = p->remote;
	if (addr_is_any(&e->us) && !addr_is_any(&e->peer))
		(void)host_source(&e->peer, &e->us);
	e->nfrom = nets_of(json_object_get(p->tunnel, "from"), e->from);
	e->nto = nets_of(json_object_get(p->tunnel, "to"), e->to);
}

/* The first pair of nets that is touched says enough. */
static enum rules_fate
fate(const struct rules *r, const struct ends *e, size_t kind, char rule[RULES_TEXT])
{
	const struct prefix *from, *to;
	enum rules_fate f = RULES_PASS;
	int in = kinds[kind].in;
	size_t i;

	if (!kinds[kind].nets)
		return (rules_gateways(r, &e->us, &e->peer, kinds[kind].port, in, rule));
	for (i = 0; i < e->nfrom * e->nto && f == RULES_PASS; i++) {
		from = &e->from[i / e->nto];
		to = &e->to[i % e->nto];
		f = rules_nets(r, in ? to : from, in ? from : to, &e->peer, in, rule);
	}
	return (f);
}

static void
filter(const struct patient *p, const struct ends *e, enum rules_fate sure,
    struct findings *fs)
{
	struct finding *f;
	char list[300], rule[RULES_TEXT], one[RULES_TEXT];
	size_t i, at = 0;

	list[0] = '\0';
	for (i = 0; i < NKINDS; i++) {
		if ((!kinds[i].nets && p->passing) || fate(p->rules, e, i, one) != sure)
			continue;
		if (at == 0)
			(void)snprintf(rule, sizeof(rule), "%s", one);
		if (at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s",
			    at > 0 ? ", " : "", kinds[i].words);
	}
	if (at == 0)
		return;
	f = finding_new(fs, sure == RULES_TAKE ? 97 : 46);
	finding_set(f->cause, "this machine's own firewall %s %s", sure == RULES_TAKE ? "drops" :
	    "may drop", list);
	finding_set(f->evidence, "%s%s", rule, sure == RULES_TAKE ? "" : " (a rule asks for more "
	    "than addresses and ports, which is not known here)");
	finding_set(f->advice, "let UDP 500, UDP 4500 and ESP pass in both directions, and the "
	    "nets of the tunnel; README shows how");
}

static void
nat(const struct patient *p, const struct ends *e, struct findings *fs)
{
	const struct prefix *from = NULL, *to = NULL;
	char rule[RULES_TEXT], a[PREFIX_STRLEN], b[PREFIX_STRLEN];
	enum rules_fate r = RULES_PASS;
	struct finding *f;
	const char *ip;
	size_t i;

	for (i = 0; i < e->nfrom * e->nto && r == RULES_PASS; i++) {
		from = &e->from[i / e->nto];
		to = &e->to[i % e->nto];
		r = rules_nat(p->rules, from, to, &e->peer, rule);
	}
	if (r == RULES_PASS)
		return;
	f = finding_new(fs, r == RULES_TAKE ? 96 : 45);
	finding_set(f->cause, "NAT rules (masquerade, snat) of this machine %s packets from %s to "
	    "%s: %s miss the tunnel, and leave in clear", r == RULES_TAKE ? "rewrite" :
	    "may rewrite", prefix_str(from, a), prefix_str(to, b), r == RULES_TAKE ? "they" :
	    "those would");
	finding_set(f->evidence, "%s", rule);
	ip = from->addr.fam == ADDR_V6 ? "ip6" : "ip";
	finding_set(f->advice, "exempt them above that rule: %s saddr %s %s daddr %s accept "
	    "(iptables: -m policy --dir out --pol ipsec -j ACCEPT); README shows how", ip, a, ip,
	    b);
}

void
doctor_rules(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	struct ends e;

	if (p->rules == NULL)
		return;
	ends_of(p, &e);
	filter(p, &e, RULES_TAKE, fs);
	if (p->passing)
		return;
	filter(p, &e, RULES_MAY, fs);
	nat(p, &e, fs);
	if (rules_unseen(p->rules) != NULL) {
		f = finding_new(fs, 2);
		finding_set(f->cause, "not everything could be looked at: %s",
		    rules_unseen(p->rules));
	}
}
