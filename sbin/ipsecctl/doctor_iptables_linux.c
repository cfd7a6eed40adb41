/* SPDX-License-Identifier: ISC */
/*
 * What the rules of iptables as it was before nf_tables do to a packet: a table is read as
 * iptables-save reads it, and walked.  Headers are compared exactly; a rule that asks for
 * more (a match extension) may match or not.  Nothing is changed, and a table that is not
 * there is not asked for, which would make it.
 */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define BLOB_MAX	(16U << 20)
#define STEPS_MAX	65536	/* rules looked at for one packet */
#define DEEP_MAX	64	/* chains in chains */

struct rules {
	uint8_t		*blob;
	unsigned int	 len, hook[NF_INET_NUMHOOKS], policy[NF_INET_NUMHOOKS], valid;
};

struct rule {
	unsigned int	 at;
	char		 target[XT_EXTENSION_MAXNAMELEN + 1];
	int		 verdict;	/* of target "" */
	struct ipt_entry e;		/* the last: its end is open */
};

static int
has_table(const char *table)
{
	char line[64];
	FILE *f = fopen("/proc/net/ip_tables_names", "r");
	int has = 0;

	if (f == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, table) == 0)
			has = 1;
	}
	(void)fclose(f);
	return (has);
}

/* 0; -1: not allowed to. */
static int
rules_get(struct rules *rs, const char *table)
{
	struct ipt_getinfo info;
	struct ipt_get_entries *g;
	socklen_t len = sizeof(info);
	size_t size;
	int fd, r = -1;

	memset(&info, 0, sizeof(info));
	(void)snprintf(info.name, sizeof(info.name), "%s", table);
	if ((fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)) == -1)
		return (-1);
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) == -1 ||
	    info.size > BLOB_MAX) {
		(void)close(fd);
		return (-1);
	}
	size = sizeof(*g) + info.size;
	if ((g = calloc(1, size)) != NULL && (rs->blob = malloc(info.size + 1)) != NULL) {
		(void)snprintf(g->name, sizeof(g->name), "%s", table);
		g->size = info.size;
		len = (socklen_t)size;
		r = getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, g, &len);
		if (r == 0)
			memcpy(rs->blob, g->entrytable, info.size);
		else
			free(rs->blob);
	}
	free(g);
	(void)close(fd);
	if (r == -1)
		return (-1);
	rs->len = info.size;
	rs->valid = info.valid_hooks;
	memcpy(rs->hook, info.hook_entry, sizeof(rs->hook));
	memcpy(rs->policy, info.underflow, sizeof(rs->policy));
	return (0);
}

/* 0; -1: no rule stands there. */
static int
rule_at(const struct rules *rs, unsigned int at, struct rule *r)
{
	struct xt_standard_target t;
	struct xt_entry_target h;

	if (at > rs->len || rs->len - at < sizeof(r->e))
		return (-1);
	memcpy(&r->e, rs->blob + at, sizeof(r->e));
	if (r->e.target_offset < sizeof(r->e) || r->e.next_offset > rs->len - at ||
	    r->e.next_offset < r->e.target_offset + sizeof(h))
		return (-1);
	r->at = at;
	memcpy(&h, rs->blob + at + r->e.target_offset, sizeof(h));
	memcpy(r->target, h.u.user.name, sizeof(h.u.user.name));
	r->target[sizeof(h.u.user.name)] = '\0';
	r->verdict = 0;
	if (r->target[0] == '\0') {
		if (r->e.next_offset < r->e.target_offset + sizeof(t))
			return (-1);
		memcpy(&t, rs->blob + at + r->e.target_offset, sizeof(t));
		r->verdict = t.verdict;
	}
	return (0);
}

static int
dev_fits(const char *want, const unsigned char *mask, const char *dev)
{
	size_t i;
	int end = 0;

	for (i = 0; i < IFNAMSIZ; i++) {
		char c = end ? '\0' : dev[i];

		if (c == '\0')
			end = 1;
		if (mask[i] != 0 && c != want[i])
			return (0);
	}
	return (1);
}

/* 1 it matches, 0 it does not, 2 it may. */
static int
matches(const struct rules *rs, const struct rule *r, const struct host_packet *p)
{
	const struct ipt_ip *ip = &r->e.ip;
	struct xt_entry_match m;
	struct xt_udp u;
	unsigned int at = sizeof(r->e);
	uint32_t src, dst;
	int fits = 1, ok;

	memcpy(&src, p->src.b, 4);
	memcpy(&dst, p->dst.b, 4);
	if (((src & ip->smsk.s_addr) == ip->src.s_addr) == !!(ip->invflags & IPT_INV_SRCIP) ||
	    ((dst & ip->dmsk.s_addr) == ip->dst.s_addr) == !!(ip->invflags & IPT_INV_DSTIP))
		return (0);
	if (dev_fits(ip->iniface, ip->iniface_mask, p->in) == !!(ip->invflags &
	    IPT_INV_VIA_IN) || dev_fits(ip->outiface, ip->outiface_mask, p->out) ==
	    !!(ip->invflags & IPT_INV_VIA_OUT))
		return (0);
	if (ip->proto != 0 && (ip->proto == p->proto) == !!(ip->invflags & XT_INV_PROTO))
		return (0);
	if (ip->flags & IPT_F_FRAG)
		return (0);
	for (; at + sizeof(m) <= r->e.target_offset; at += m.u.match_size) {
		memcpy(&m, rs->blob + r->at + at, sizeof(m));
		if (m.u.match_size < sizeof(m) || m.u.match_size > r->e.target_offset - at)
			return (2);
		if (strncmp(m.u.user.name, "udp", sizeof(m.u.user.name)) != 0 ||
		    p->proto != IPPROTO_UDP || m.u.match_size < sizeof(m) + sizeof(u)) {
			fits = 2;
			continue;
		}
		memcpy(&u, rs->blob + r->at + at + sizeof(m), sizeof(u));
		ok = (p->port >= u.spts[0] && p->port <= u.spts[1]) !=
		    !!(u.invflags & XT_UDP_INV_SRCPT) &&
		    (p->port >= u.dpts[0] && p->port <= u.dpts[1]) !=
		    !!(u.invflags & XT_UDP_INV_DSTPT);
		if (!ok)
			return (0);
	}
	return (fits);
}

/* What ends the way of a packet that is to pass, and what rewrites it. */
static int
is_end(const struct rule *r)
{
	return (strcmp(r->target, "REJECT") == 0 || strcmp(r->target, "MASQUERADE") == 0 ||
	    strcmp(r->target, "SNAT") == 0 || strcmp(r->target, "NETMAP") == 0);
}

/* Walks from a hook's first rule.  1: that rule ends it, or changes it; 2: it may; 0. */
static int
walk(const struct rules *rs, unsigned int hook, const struct host_packet *p,
    char name[XT_EXTENSION_MAXNAMELEN + 1])
{
	unsigned int back[DEEP_MAX], n = 0, steps = 0, at = rs->hook[hook];
	struct rule r;
	int unsure = 0, m;

	while (steps++ < STEPS_MAX && rule_at(rs, at, &r) == 0) {
		at += r.e.next_offset;
		if ((m = matches(rs, &r, p)) == 0)
			continue;
		if (is_end(&r) || (r.target[0] == '\0' && r.verdict == -NF_DROP - 1)) {
			(void)snprintf(name, XT_EXTENSION_MAXNAMELEN + 1, "%s",
			    r.target[0] != '\0' ? r.target : "DROP");
			return (m == 1 && !unsure ? 1 : 2);
		}
		if (r.target[0] != '\0')
			continue;		/* it is logged, marked, counted */
		if (m == 2)
			unsure = 1;
		else if (r.verdict >= 0 && (unsigned int)r.verdict == at)
			continue;		/* a rule without target */
		else if (r.verdict >= 0 && n < DEEP_MAX) {
			back[n++] = at;
			at = (unsigned int)r.verdict;
		} else if (r.verdict == XT_RETURN && n > 0)
			at = back[--n];
		else if (r.verdict == XT_RETURN)
			at = rs->policy[hook];
		else
			return (0);
	}
	return (0);
}

int
host_iptables(const char *table, enum host_hook hook, const struct host_packet *p,
    char *rule, size_t cap)
{
	static const struct { const char *name; unsigned int n; } hooks[] = {
		[HOOK_INPUT] = { "INPUT", NF_INET_LOCAL_IN },
		[HOOK_FORWARD] = { "FORWARD", NF_INET_FORWARD },
		[HOOK_OUTPUT] = { "OUTPUT", NF_INET_LOCAL_OUT },
		[HOOK_POSTROUTING] = { "POSTROUTING", NF_INET_POST_ROUTING },
	};
	char name[XT_EXTENSION_MAXNAMELEN + 1];
	struct rules rs;
	int r = 0;

	if (p->src.fam != ADDR_V4 || p->dst.fam != ADDR_V4 || !has_table(table))
		return (0);
	if (rules_get(&rs, table) == -1)
		return (-1);
	if (rs.valid & (1U << hooks[hook].n))
		r = walk(&rs, hooks[hook].n, p, name);
	free(rs.blob);
	if (r > 0)
		(void)snprintf(rule, cap, "iptables, table %s, chain %s: %s", table,
		    hooks[hook].name, name);
	return (r);
}
