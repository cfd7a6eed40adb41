/* SPDX-License-Identifier: ISC */
/*
 * IP protocols and their ports in selectors.  The words are those of protocols(5) that
 * people write; a parser that reads no file cannot look up the others, which are
 * written as numbers.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_parse.h"

static const struct {
	uint8_t		 proto;
	uint8_t		 ports;		/* or what stands for them (RFC 7296 3.13.1) */
	const char	*name;
} protos[] = {
	{ 1, 1, "icmp" }, { 2, 0, "igmp" }, { 4, 0, "ipencap" }, { 6, 1, "tcp" },
	{ 17, 1, "udp" }, { 33, 1, "dccp" }, { 41, 0, "ipv6" }, { 47, 0, "gre" },
	{ 58, 1, "ipv6-icmp" }, { 89, 0, "ospf" }, { 97, 0, "etherip" },
	{ 103, 0, "pim" }, { 112, 0, "carp" }, { 115, 0, "l2tp" }, { 132, 1, "sctp" },
	{ 136, 1, "udplite" }, { 137, 0, "mpls-in-ip" },
	/* other words for the same */
	{ 58, 1, "icmp6" }, { 4, 0, "ipip" }, { 89, 0, "ospfigp" },
	{ 112, 0, "vrrp" },
};
#define NPROTOS	(sizeof(protos) / sizeof(protos[0]))

int
conf_proto_byname(const char *s)
{
	unsigned int	n = 0;
	size_t		i;

	for (i = 0; i < NPROTOS; i++)
		if (strcmp(protos[i].name, s) == 0)
			return (protos[i].proto);
	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 4; i++)
		n = n * 10 + (unsigned int)(s[i] - '0');
	return (i == 0 || s[i] != '\0' || n == 0 || n >= 255 ? -1 : (int)n);
}

const char *
conf_proto_name(uint8_t proto, char dst[CONF_PROTOLEN])
{
	size_t	i;

	for (i = 0; i < NPROTOS; i++)
		if (protos[i].proto == proto)
			return (protos[i].name);
	snprintf(dst, CONF_PROTOLEN, "%u", proto);
	return (dst);
}

int
conf_proto_ports(uint8_t proto)
{
	size_t	i;

	for (i = 0; i < NPROTOS; i++)
		if (protos[i].proto == proto)
			return (protos[i].ports);
	return (0);
}

unsigned int
conf_protos(const struct prefix *nets, const struct tslist *ts)
{
	unsigned int	k = 1;

	while (k < ts->n && prefix_cmp(&nets[k], &nets[0]) == 0 &&
	    ts->t[k].sport == ts->t[0].sport && ts->t[k].eport == ts->t[0].eport)
		k++;
	return (k);
}

/* One side: its networks, each with the k protocols of p. */
static int
side_ok(const struct prefix *nets, const struct tslist *ts, const struct ts *p,
    unsigned int k)
{
	struct ts	 want;
	unsigned int	 i, j, first;

	if (ts->n == 0 || ts->n > TS_MAX || ts->n % k != 0)
		return (0);
	for (i = 0; i < ts->n; i++) {
		first = i - i % k;
		ts_from_prefix(&want, &nets[i], p[i % k].proto,
		    ts->t[i].sport == ts->t[i].eport ? ts->t[i].sport : 0);
		if (!ts_equal(&want, &ts->t[i]) || !ts_valid(&want) ||
		    prefix_cmp(&nets[i], &nets[first]) != 0 ||
		    ts->t[i].sport != ts->t[first].sport ||
		    (want.sport == want.eport && !conf_proto_ports(want.proto)))
			return (0);
		for (j = 0; j < i; j++)
			if (ts_equal(&ts->t[j], &want))
				return (0);
	}
	return (1);
}

int
conf_selectors_ok(const struct conf_tunnel *t)
{
	unsigned int	i, j, k;

	if (t->from.n == 0 || t->to.n == 0)
		return (0);
	k = conf_protos(t->fromnet, &t->from);
	for (i = 0; i < k; i++)
		for (j = 0; j < i; j++)
			if (t->from.t[i].proto == t->from.t[j].proto)
				return (0);
	/* every protocol is none beside others */
	for (i = 0; k > 1 && i < k; i++)
		if (t->from.t[i].proto == 0)
			return (0);
	return (side_ok(t->fromnet, &t->from, t->from.t, k) &&
	    side_ok(t->tonet, &t->to, t->from.t, k));
}
