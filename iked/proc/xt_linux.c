/* SPDX-License-Identifier: ISC */
/*
 * What the rules of iptables as it was before nf_tables do to a packet: a table is read as
 * iptables-save reads it, and walked.  A rule that asks for what is not known of the packet
 * (an extension, the rest of an address) may match or not.  Nothing is changed, and a table
 * that is not there is not asked for, which would make it.
 */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/nft_local.h"
#include "proc/xt.h"

#define BLOB_MAX	(16U << 20)
#define STEPS_MAX	65536	/* rules looked at for one packet */
#define DEEP_MAX	64	/* chains in chains */

struct xt_rules {
	const char	*table;
	uint8_t		*blob;
	unsigned int	 len, hook[NF_INET_NUMHOOKS], policy[NF_INET_NUMHOOKS], valid;
};

struct rule {
	unsigned int	 at;
	char		 target[XT_EXTENSION_MAXNAMELEN + 1];
	int		 verdict;	/* of target "" */
	struct ipt_entry e;		/* the last: its end is open */
};

/* 1: it is there; 0; -1 and errno: the list may not be read. */
static int
has_table(const char *table)
{
	char		 line[64];
	FILE		*f = fopen("/proc/net/ip_tables_names", "r");
	int		 has = 0;

	if (f == NULL)
		return (errno == ENOENT ? 0 : -1);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, table) == 0)
			has = 1;
	}
	(void)fclose(f);
	return (has);
}

static int
entries(int fd, struct xt_rules *rs, const struct ipt_getinfo *info)
{
	struct ipt_get_entries *g;
	socklen_t	 len = (socklen_t)(sizeof(*g) + info->size);
	int		 r = -1;

	if (info->size > BLOB_MAX) {
		errno = ENOBUFS;
		return (-1);
	}
	if ((g = calloc(1, sizeof(*g) + info->size)) == NULL)
		return (-1);
	(void)snprintf(g->name, sizeof(g->name), "%s", rs->table);
	g->size = info->size;
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, g, &len) == 0 &&
	    (rs->blob = malloc(info->size + 1)) != NULL) {
		memcpy(rs->blob, g->entrytable, info->size);
		r = 0;
	}
	free(g);
	rs->len = info->size;
	rs->valid = info->valid_hooks;
	memcpy(rs->hook, info->hook_entry, sizeof(rs->hook));
	memcpy(rs->policy, info->underflow, sizeof(rs->policy));
	return (r);
}

int
xt_read(const char *table, struct xt_rules **rsp)
{
	struct ipt_getinfo info;
	struct xt_rules	*rs;
	socklen_t	 len = sizeof(info);
	int		 fd, err = 0, has = has_table(table);

	*rsp = NULL;
	if (has <= 0)
		return (has == 0 ? 0 : errno);
	if ((rs = calloc(1, sizeof(*rs))) == NULL)
		return (ENOMEM);
	rs->table = table;
	memset(&info, 0, sizeof(info));
	(void)snprintf(info.name, sizeof(info.name), "%s", table);
	if ((fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) == -1 ||
	    getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) == -1 ||
	    entries(fd, rs, &info) == -1)
		err = errno;
	if (fd != -1)
		(void)close(fd);
	if (err != 0)
		xt_free(rs);
	else
		*rsp = rs;
	return (err);
}

void
xt_free(struct xt_rules *rs)
{
	if (rs == NULL)
		return;
	free(rs->blob);
	free(rs);
}

/* 0; -1: no rule stands there. */
static int
rule_at(const struct xt_rules *rs, unsigned int at, struct rule *r)
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

/* Its sign turned round where the rule says so. */
static enum tri
turned(enum tri t, int invert)
{
	return (invert ? (enum tri)(YES - t) : t);
}

static enum tri
net_fits(struct in_addr want, struct in_addr mask, const struct prefix *p)
{
	uint32_t	 known, a;

	memcpy(&a, p->addr.b, sizeof(a));
	known = p->len == 0 ? 0 : htonl(0xffffffffU << (32 - p->len));
	if ((a ^ want.s_addr) & mask.s_addr & known)
		return (NO);
	return ((mask.s_addr & ~known) != 0 ? MAYBE : YES);
}

/* dev NULL: which it is is not known. */
static enum tri
dev_fits(const char *want, const unsigned char *mask, const char *dev)
{
	char		 b[IFNAMSIZ] = { 0 };
	size_t		 i;

	if (dev == NULL)
		return (mask[0] == 0 ? YES : MAYBE);
	(void)strlcpy(b, dev, sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		if ((want[i] ^ b[i]) & mask[i])
			return (NO);
	return (YES);
}

static enum tri
less(enum tri a, enum tri b)
{
	return (a < b ? a : b);
}

static enum tri
port_fits(const uint16_t range[2], uint16_t port, int invert)
{
	if (range[0] == 0 && range[1] == 0xffff)
		return (turned(YES, invert));
	if (port == 0)
		return (MAYBE);
	return (turned(port >= range[0] && port <= range[1] ? YES : NO, invert));
}

/* One extension; no more than info of it is there. */
static enum tri
extension(const char *name, struct span info, const struct nft_packet *k)
{
	struct span	 n = { (const uint8_t *)name, strlen(name) };
	struct xt_udp	 u;

	if (strcmp(name, "udp") != 0)
		return (nft_xt_match(k, n, info));
	if (k->proto == 0 || info.len < sizeof(u))
		return (MAYBE);
	if (k->proto != IPPROTO_UDP)
		return (NO);
	memcpy(&u, info.p, sizeof(u));
	return (less(port_fits(u.spts, k->sport, (u.invflags & XT_UDP_INV_SRCPT) != 0),
	    port_fits(u.dpts, k->dport, (u.invflags & XT_UDP_INV_DSTPT) != 0)));
}

static enum tri
extensions(const struct xt_rules *rs, const struct rule *r, const struct nft_packet *k)
{
	struct xt_entry_match m;
	struct span	 info;
	char		 name[XT_EXTENSION_MAXNAMELEN + 1];
	unsigned int	 at;
	enum tri	 t = YES;

	for (at = sizeof(r->e); at + sizeof(m) <= r->e.target_offset && t != NO;
	    at += m.u.match_size) {
		memcpy(&m, rs->blob + r->at + at, sizeof(m));
		if (m.u.match_size < sizeof(m) || m.u.match_size > r->e.target_offset - at)
			return (MAYBE);
		memcpy(name, m.u.user.name, sizeof(m.u.user.name));
		name[sizeof(m.u.user.name)] = '\0';
		info.p = rs->blob + r->at + at + sizeof(m);
		info.len = m.u.match_size - sizeof(m);
		t = less(t, extension(name, info, k));
	}
	return (t);
}

static enum tri
matches(const struct xt_rules *rs, const struct rule *r, const struct nft_packet *k)
{
	const struct ipt_ip *ip = &r->e.ip;
	enum tri	 t;

	if (ip->flags & IPT_F_FRAG)
		return (NO);
	t = less(turned(net_fits(ip->src, ip->smsk, &k->src), (ip->invflags &
	    IPT_INV_SRCIP) != 0), turned(net_fits(ip->dst, ip->dmsk, &k->dst),
	    (ip->invflags & IPT_INV_DSTIP) != 0));
	t = less(t, turned(dev_fits(ip->iniface, ip->iniface_mask, k->iif), (ip->invflags &
	    IPT_INV_VIA_IN) != 0));
	t = less(t, turned(dev_fits(ip->outiface, ip->outiface_mask, k->oif), (ip->invflags &
	    IPT_INV_VIA_OUT) != 0));
	if (ip->proto != 0)
		t = less(t, k->proto == 0 ? MAYBE : turned(ip->proto == k->proto ? YES : NO,
		    (ip->invflags & XT_INV_PROTO) != 0));
	return (t == NO ? NO : less(t, extensions(rs, r, k)));
}

/* What ends the way of a packet that is to pass, and what rewrites it. */
static int
is_end(const struct rule *r)
{
	return (strcmp(r->target, "REJECT") == 0 || strcmp(r->target, "MASQUERADE") == 0 ||
	    strcmp(r->target, "SNAT") == 0 || strcmp(r->target, "NETMAP") == 0 ||
	    (r->target[0] == '\0' && r->verdict == -NF_DROP - 1));
}

/*
 * From a hook's first rule on.  A chain that only may be called is gone through, and what
 * it accepts goes on behind the call: from there on nothing is sure.
 */
static enum rules_fate
walk(const struct xt_rules *rs, unsigned int hook, const struct nft_packet *k,
    char name[XT_EXTENSION_MAXNAMELEN + 1])
{
	unsigned int	 back[DEEP_MAX], n = 0, steps = 0, at = rs->hook[hook], perhaps = 0;
	struct rule	 r;
	enum tri	 t;
	int		 unsure = 0;

	while (steps++ < STEPS_MAX && rule_at(rs, at, &r) == 0) {
		at += r.e.next_offset;
		if ((t = matches(rs, &r, k)) == NO)
			continue;
		if (is_end(&r)) {
			(void)snprintf(name, XT_EXTENSION_MAXNAMELEN + 1, "%s",
			    r.target[0] != '\0' ? r.target : "DROP");
			return (t == YES && !unsure ? RULES_TAKE : RULES_MAY);
		}
		if (r.target[0] != '\0' || (r.verdict >= 0 && (unsigned int)r.verdict == at))
			continue;	/* it is logged, marked, counted */
		if (t == MAYBE)
			unsure = 1;
		if (r.verdict >= 0 && n < DEEP_MAX) {
			back[n++] = at;
			if (t == MAYBE && perhaps == 0)
				perhaps = n;
			at = (unsigned int)r.verdict;
		} else if (t == MAYBE)
			continue;	/* it may end here, or go on */
		else if (r.verdict == XT_RETURN && n > 0)
			at = back[--n];
		else if (r.verdict == XT_RETURN)
			at = rs->policy[hook];
		else if (perhaps != 0) {
			n = perhaps - 1;
			at = back[n];
		} else
			return (RULES_PASS);
		if (n < perhaps)
			perhaps = 0;
	}
	return (RULES_PASS);
}

enum rules_fate
xt_fate(const struct xt_rules *rs, uint32_t hook, const struct nft_packet *k,
    char text[RULES_TEXT])
{
	static const char *const names[NF_INET_NUMHOOKS] = { "PREROUTING", "INPUT", "FORWARD",
	    "OUTPUT", "POSTROUTING" };
	char		 name[XT_EXTENSION_MAXNAMELEN + 1];
	enum rules_fate	 f;

	text[0] = '\0';
	if (rs == NULL || k->src.addr.fam != ADDR_V4 || hook >= NF_INET_NUMHOOKS ||
	    (rs->valid & (1U << hook)) == 0)
		return (RULES_PASS);
	if ((f = walk(rs, hook, k, name)) != RULES_PASS)
		(void)snprintf(text, RULES_TEXT, "iptables, table %s, chain %s: %s", rs->table,
		    names[hook], name);
	return (f);
}
