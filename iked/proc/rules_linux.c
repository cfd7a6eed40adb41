/* SPDX-License-Identifier: ISC */
/* nf_tables are dumped through netlink; iptables of before them is xt_linux.c's. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <net/if.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/netif_linux.h"
#include "proc/nft.h"
#include "proc/rules.h"
#include "proc/xt.h"

#define ANSWER_S	2	/* of the kernel; it answers at once */
#define STATE_BEGUN	NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define STATE_NEW	NF_CT_STATE_BIT(IP_CT_NEW)

struct rules {
	struct nft	*nft;		/* what was read, as far as it was */
	struct xt_rules	*nat, *filter;	/* tables of iptables, or NULL */
	char		 unseen[RULES_TEXT];
};

struct ask {
	int		 fd;
	uint32_t	 seq;
	_Alignas(8) uint8_t buf[65536];
};

/* One datagram of a dump. 1: it was the last; -1 and errno. */
static int
take(struct ask *k, struct nft *t, size_t len)
{
	const struct nlmsghdr *h = (const void *)k->buf;
	const struct nlmsgerr *e;
	int		 left = (int)len;

	for (; rtnl_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != k->seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return (1);
		if (h->nlmsg_type == NLMSG_ERROR) {
			e = mnl_nlmsg_get_payload(h);
			errno = mnl_nlmsg_get_payload_len(h) >= sizeof(e->error) &&
			    e->error < 0 ? -e->error : EIO;
			return (-1);
		}
		if (h->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES &&
		    nft_add(t, h->nlmsg_type & 0xff, mnl_nlmsg_get_payload(h),
		    mnl_nlmsg_get_payload_len(h)) == -1) {
			errno = ENOBUFS;
			return (-1);
		}
	}
	return (0);
}

static int
answers(struct ask *k, struct nft *t)
{
	ssize_t		 len;
	int		 r = 0;

	while (r == 0) {
		len = recv(k->fd, k->buf, sizeof(k->buf), 0);
		if (len == -1 && errno == EINTR)
			continue;
		if (len <= 0)
			return (-1);
		r = take(k, t, (size_t)len);
	}
	return (r == 1 ? 0 : -1);
}

/* A dump of all of a kind; of sets' elements: those of one. */
static int
dump(struct ask *k, struct nft *t, unsigned int type, const struct nft_set *of)
{
	_Alignas(8) uint8_t q[1024] = { 0 };
	struct nlmsghdr	*h = mnl_nlmsg_put_header(q);
	struct nfgenmsg	*g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++k->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = of != NULL ? of->family : AF_UNSPEC;
	g->version = NFNETLINK_V0;
	if (of != NULL && (of->table.len >= NFT_NAME_MAXLEN || of->name.len >= NFT_NAME_MAXLEN))
		return (0);
	if (of != NULL) {	/* with the NUL that q has behind them */
		mnl_attr_put(h, NFTA_SET_ELEM_LIST_TABLE, of->table.len + 1, of->table.p);
		mnl_attr_put(h, NFTA_SET_ELEM_LIST_SET, of->name.len + 1, of->name.p);
	}
	if (send(k->fd, q, h->nlmsg_len, 0) != (ssize_t)h->nlmsg_len)
		return (-1);
	return (answers(k, t));
}

static int
read_all(struct ask *k, struct nft *t)
{
	static const unsigned int kinds[] = { NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN,
	    NFT_MSG_GETRULE, NFT_MSG_GETSET };
	size_t		 i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (dump(k, t, kinds[i], NULL) == -1)
			return (-1);
	/* one that has gone meanwhile is none */
	for (i = 0; i < t->nsets; i++)
		if (dump(k, t, NFT_MSG_GETSETELEM, &t->sets[i]) == -1 && errno != ENOENT)
			return (-1);
	return (0);
}

static int
read_nft(struct nft *t)
{
	struct timeval	 tv = { .tv_sec = ANSWER_S };
	struct ask	*k;
	int		 err = 0;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (ENOMEM);
	k->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (k->fd == -1) {
		err = errno;
	} else {
		(void)setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		if (read_all(k, t) == -1)
			err = errno;
		(void)close(k->fd);
	}
	free(k);
	/* a kernel without it has no rules of it */
	return (err == EPROTONOSUPPORT || err == EOPNOTSUPP || err == EINVAL ? 0 : err);
}

/* Those of IPv6 are in a form of their own, which is not read. */
static int
has_iptables6(void)
{
	char		 line[64];
	FILE		*f = fopen("/proc/net/ip6_tables_names", "r");
	int		 has;

	if (f == NULL)
		return (0);
	has = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	return (has);
}

static void
note_unseen(struct rules *r, int nft, int xt)
{
	char		*s = r->unseen;

	if (nft == EPERM || nft == EACCES || xt == EPERM || xt == EACCES)
		(void)snprintf(s, RULES_TEXT, "rules of nftables and iptables were not looked "
		    "at: only root may read them");
	else if (nft == ENOBUFS)
		(void)snprintf(s, RULES_TEXT, "there are more rules of nftables than are looked "
		    "at");
	else if (nft != 0)
		(void)snprintf(s, RULES_TEXT, "rules of nftables could not be read: %s",
		    strerror(nft));
	else if (xt != 0)
		(void)snprintf(s, RULES_TEXT, "rules of iptables could not be read: %s",
		    strerror(xt));
	else if (has_iptables6())
		(void)snprintf(s, RULES_TEXT, "ip6tables-legacy has tables, whose rules are not "
		    "read");
}

struct rules *
rules_read(void)
{
	struct rules	*r;
	int		 nft, xt, err;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	if ((r->nft = nft_new()) == NULL) {
		free(r);
		return (NULL);
	}
	nft = read_nft(r->nft);
	xt = xt_read("nat", &r->nat);
	if ((err = xt_read("filter", &r->filter)) != 0)
		xt = err;
	note_unseen(r, nft, xt);
	return (r);
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	nft_free(r->nft);
	xt_free(r->nat);
	xt_free(r->filter);
	free(r);
}

const char *
rules_unseen(const struct rules *r)
{
	return (r->unseen[0] != '\0' ? r->unseen : NULL);
}

/* ---- questions */

/* An interface. "": its name is not known. */
struct way {
	char		 name[IFNAMSIZ];
	uint32_t	 index;
};

/* By which packets to that address leave. */
static void
way_to(const struct rules *r, const struct addr *a, struct way *w)
{
	_Alignas(8) uint8_t q[256] = { 0 };
	struct nlmsghdr	*h = mnl_nlmsg_put_header(q);
	struct timeval	 tv = { .tv_sec = ANSWER_S };
	struct rtmsg	*m;
	ssize_t		 len;
	int		 fd;

	memset(w, 0, sizeof(*w));
	if (addr_is_any(a) || (r->nft->nchains == 0 && r->nat == NULL && r->filter == NULL) ||
	    (fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) == -1)
		return;
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = a->fam == ADDR_V4 ? AF_INET : AF_INET6;
	m->rtm_dst_len = (uint8_t)(addr_len(a) * 8);
	mnl_attr_put(h, RTA_DST, addr_len(a), a->b);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (send(fd, q, h->nlmsg_len, 0) == (ssize_t)h->nlmsg_len &&
	    (len = recv(fd, q, sizeof(q), 0)) > 0 && rtnl_ok(h, (int)len))
		w->index = rtnl_oif(h);
	(void)close(fd);
	if (w->index != 0)
		(void)if_indextoname(w->index, w->name);
}

static void
by_way(struct nft_packet *k, const struct way *w, int incoming)
{
	if (w->name[0] == '\0')
		return;
	*(incoming ? &k->iif : &k->oif) = w->name;
	*(incoming ? &k->iifindex : &k->oifindex) = w->index;
}

static void
whole(struct prefix *p, const struct addr *a, uint8_t fam)
{
	memset(p, 0, sizeof(*p));
	p->addr.fam = fam;
	if (a->fam != fam)
		return;		/* any: nothing is known */
	p->addr = *a;
	p->len = (uint8_t)(8 * addr_len(a));
}

/* The worse of two, and its text. */
static enum rules_fate
worse(enum rules_fate a, enum rules_fate b, const char *other, char text[RULES_TEXT])
{
	if (b <= a)
		return (a);
	(void)strlcpy(text, other, RULES_TEXT);
	return (b);
}

enum rules_fate
rules_nat(const struct rules *r, const struct prefix *from, const struct prefix *to,
    const struct addr *peer, char text[RULES_TEXT])
{
	struct way	 way;
	struct nft_packet k = { .src = *from, .dst = *to, .state = STATE_NEW, .ipsec = 1 };
	char		 other[RULES_TEXT];
	enum rules_fate	 f;

	text[0] = '\0';
	if (from->addr.fam != to->addr.fam)
		return (RULES_PASS);
	way_to(r, peer, &way);
	by_way(&k, &way, 0);
	f = nft_nat(r->nft, &k, text);
	return (worse(f, xt_fate(r->nat, NF_INET_POST_ROUTING, &k, other), other, text));
}

static enum rules_fate
dropped(const struct rules *r, uint32_t hook, const struct nft_packet *k,
    enum rules_fate before, char text[RULES_TEXT])
{
	char		 other[RULES_TEXT];

	before = worse(before, nft_drop(r->nft, hook, k, other), other, text);
	return (worse(before, xt_fate(r->filter, hook, k, other), other, text));
}

/* What begins a conversation may be dropped while answers pass: then it is told so. */
static enum rules_fate
both(const struct rules *r, const uint32_t hooks[2], struct nft_packet *k,
    char text[RULES_TEXT])
{
	char		 begun[RULES_TEXT];
	enum rules_fate	 f = RULES_PASS, g = RULES_PASS;
	size_t		 i;

	text[0] = begun[0] = '\0';
	for (i = 0; i < 2; i++) {
		k->state = STATE_NEW;
		f = dropped(r, hooks[i], k, f, text);
		k->state = STATE_BEGUN;
		g = dropped(r, hooks[i], k, g, begun);
	}
	if (f == RULES_TAKE && g == RULES_PASS)
		(void)strlcat(text, ", unless this side has begun", RULES_TEXT);
	return (f);
}

enum rules_fate
rules_gateways(const struct rules *r, const struct addr *local, const struct addr *peer,
    uint16_t port, int incoming, char text[RULES_TEXT])
{
	static const uint32_t in[2] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN };
	static const uint32_t out[2] = { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING };
	uint8_t		 fam = peer->fam != ADDR_NONE ? peer->fam :
	    local->fam != ADDR_NONE ? local->fam : ADDR_V4;
	struct nft_packet k = { .proto = port != 0 ? IPPROTO_UDP : IPPROTO_ESP,
	    .dport = port };
	struct way	 way;

	way_to(r, peer, &way);
	whole(&k.src, incoming ? peer : local, fam);
	whole(&k.dst, incoming ? local : peer, fam);
	by_way(&k, &way, incoming);
	*(incoming ? &k.oif : &k.iif) = "";	/* there is none */
	return (both(r, incoming ? in : out, &k, text));
}

enum rules_fate
rules_nets(const struct rules *r, const struct prefix *src, const struct prefix *dst,
    const struct addr *peer, int incoming, char text[RULES_TEXT])
{
	static const uint32_t on[2] = { NF_INET_FORWARD, NF_INET_PRE_ROUTING };
	struct nft_packet k = { .src = *src, .dst = *dst, .secpath = incoming,
	    .ipsec = !incoming, .proto = src->addr.fam == ADDR_V4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6 };
	struct way	 way;

	text[0] = '\0';
	if (src->addr.fam != dst->addr.fam)
		return (RULES_PASS);
	way_to(r, peer, &way);
	by_way(&k, &way, incoming);
	return (both(r, on, &k, text));
}
