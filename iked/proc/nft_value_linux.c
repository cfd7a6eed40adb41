/* SPDX-License-Identifier: ISC */
/*
 * Expressions that load and compare.  Of a packet some bits are known and some are not:
 * the first 24 of an address in 10.1.0.0/24, none of a mark.  A comparison is sure of its
 * answer where the known bits decide, and else says MAYBE.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/rtnetlink.h>

#include <net/if.h>

#include <string.h>

#include "proc/nft_local.h"

#define HEADER	40	/* of IPv6; more of a packet is not known */

int
nft_reg(uint32_t number, size_t n)
{
	size_t		 at;

	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		at = (number - NFT_REG_1) * NFT_REG_SIZE;
	else if (number >= NFT_REG32_00 && number <= NFT_REG32_15)
		at = (number - NFT_REG32_00) * NFT_REG32_SIZE;
	else
		return (-1);
	return (n <= NFT_ROOM - at ? (int)at : -1);
}

/* Unknown, whatever it was; one value never has more octets than 16. */
static void
forget(struct nft_regs *r, uint32_t number)
{
	int		 at = nft_reg(number, 0);
	size_t		 n;

	if (at == -1)
		return;
	n = NFT_ROOM - (size_t)at < NFT_REG_SIZE ? NFT_ROOM - (size_t)at : NFT_REG_SIZE;
	memset(r->known + at, 0, n);
}

/* The kernel fills up the last four octets with 0. */
static void
load(struct nft_regs *r, uint32_t number, const void *v, const void *known, size_t n)
{
	size_t		 whole = (n + 3) & ~(size_t)3;
	int		 at = nft_reg(number, whole);

	if (at == -1)
		return;
	memset(r->v + at, 0, whole);
	memset(r->known + at, 0xff, whole);
	memcpy(r->v + at, v, n);
	if (known != NULL)
		memcpy(r->known + at, known, n);
}

enum tri
nft_equal(const struct nft_regs *r, int at, struct span key)
{
	enum tri	 t = YES;
	size_t		 i;

	for (i = 0; i < key.len; i++) {
		if ((r->v[(size_t)at + i] ^ key.p[i]) & r->known[(size_t)at + i])
			return (NO);
		if (r->known[(size_t)at + i] != 0xff)
			t = MAYBE;
	}
	return (t);
}

void
nft_bounds(const struct nft_regs *r, int at, size_t n, uint8_t *min, uint8_t *max)
{
	size_t		 i;

	for (i = 0; i < n; i++) {
		min[i] = r->v[(size_t)at + i] & r->known[(size_t)at + i];
		max[i] = (uint8_t)(r->v[(size_t)at + i] | ~r->known[(size_t)at + i]);
	}
}

static enum tri
not(enum tri t)
{
	return (t == MAYBE ? MAYBE : t == YES ? NO : YES);
}

/* The value of one attribute of data. */
static struct span
value_of(struct span s)
{
	struct span	 d[NFTA_DATA_VALUE + 1];

	nft_attrs(s, d, sizeof(d) / sizeof(d[0]));
	return (d[NFTA_DATA_VALUE]);
}

/* Below, in or above what lies between from and to. */
static enum tri
between(const struct nft_regs *r, int at, struct span from, struct span to)
{
	uint8_t		 min[NFT_ROOM], max[NFT_ROOM];

	nft_bounds(r, at, from.len, min, max);
	if (memcmp(min, from.p, from.len) >= 0 && memcmp(max, to.p, from.len) <= 0)
		return (YES);
	if (memcmp(max, from.p, from.len) < 0 || memcmp(min, to.p, from.len) > 0)
		return (NO);
	return (MAYBE);
}

static int
do_cmp(struct nft_regs *r, struct span data)
{
	struct span	 a[NFTA_CMP_DATA + 1], v, all;
	uint8_t		 low[NFT_ROOM] = { 0 }, high[NFT_ROOM];
	int		 at;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	v = value_of(a[NFTA_CMP_DATA]);
	if (v.len == 0 || (at = nft_reg(nft_u32(a[NFTA_CMP_SREG]), v.len)) == -1)
		return (MAYBE);
	memset(high, 0xff, sizeof(high));
	all.len = v.len;
	switch (nft_u32(a[NFTA_CMP_OP])) {
	case NFT_CMP_EQ:
		return (nft_equal(r, at, v));
	case NFT_CMP_NEQ:
		return (not(nft_equal(r, at, v)));
	case NFT_CMP_LTE:
		all.p = low;
		return (between(r, at, all, v));
	case NFT_CMP_GT:
		all.p = low;
		return (not(between(r, at, all, v)));
	case NFT_CMP_GTE:
		all.p = high;
		return (between(r, at, v, all));
	case NFT_CMP_LT:
		all.p = high;
		return (not(between(r, at, v, all)));
	default:
		return (MAYBE);
	}
}

static int
do_range(struct nft_regs *r, struct span data)
{
	struct span	 a[NFTA_RANGE_TO_DATA + 1], from, to;
	enum tri	 t;
	int		 at;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	from = value_of(a[NFTA_RANGE_FROM_DATA]);
	to = value_of(a[NFTA_RANGE_TO_DATA]);
	at = nft_reg(nft_u32(a[NFTA_RANGE_SREG]), from.len);
	if (at == -1 || from.len != to.len || from.len == 0)
		return (MAYBE);
	t = between(r, at, from, to);
	return (nft_u32(a[NFTA_RANGE_OP]) == NFT_RANGE_NEQ ? not(t) : t);
}

static int
do_bitwise(struct nft_regs *r, struct span data)
{
	struct span	 a[NFTA_BITWISE_OP + 1], mask, flip;
	uint8_t		 v[NFT_ROOM], known[NFT_ROOM];
	uint32_t	 to;
	size_t		 i, n;
	int		 from;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	mask = value_of(a[NFTA_BITWISE_MASK]);
	flip = value_of(a[NFTA_BITWISE_XOR]);
	n = nft_u32(a[NFTA_BITWISE_LEN]);
	to = nft_u32(a[NFTA_BITWISE_DREG]);
	from = nft_reg(nft_u32(a[NFTA_BITWISE_SREG]), n);
	forget(r, to);
	if (from == -1 || nft_u32(a[NFTA_BITWISE_OP]) != NFT_BITWISE_BOOL || mask.len != n ||
	    flip.len != n)
		return (YES);
	for (i = 0; i < n; i++) {
		v[i] = (r->v[(size_t)from + i] & mask.p[i]) ^ flip.p[i];
		known[i] = (uint8_t)(r->known[(size_t)from + i] | ~mask.p[i]);
	}
	load(r, to, v, known, n);
	return (YES);
}

/* Octets of a header of which some are known. */
static void
put(uint8_t *v, uint8_t *known, size_t at, const void *p, size_t n)
{
	memcpy(v + at, p, n);
	memset(known + at, 0xff, n);
}

static void
put_net(uint8_t *v, uint8_t *known, size_t at, const struct prefix *p)
{
	size_t		 i, n = addr_len(&p->addr);

	for (i = 0; i < n; i++) {
		known[at + i] = i * 8 + 8 <= p->len ? 0xff : i * 8 >= p->len ? 0 :
		    (uint8_t)(0xff << (8 - p->len % 8));
		v[at + i] = p->addr.b[i] & known[at + i];
	}
}

static void
put_port(uint8_t *v, uint8_t *known, size_t at, uint16_t port)
{
	uint16_t	 be = htons(port);

	if (port != 0)
		put(v, known, at, &be, sizeof(be));
}

static int
do_payload(struct nft_regs *r, const struct nft_packet *k, struct span data)
{
	struct span	 a[NFTA_PAYLOAD_SREG + 1];
	uint8_t		 v[HEADER] = { 0 }, known[HEADER] = { 0 };
	int		 v4 = k->src.addr.fam == ADDR_V4;
	uint32_t	 base, off, n;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	if (a[NFTA_PAYLOAD_SREG].p != NULL)
		return (YES);	/* it writes into the packet */
	base = nft_u32(a[NFTA_PAYLOAD_BASE]);
	off = nft_u32(a[NFTA_PAYLOAD_OFFSET]);
	n = nft_u32(a[NFTA_PAYLOAD_LEN]);
	forget(r, nft_u32(a[NFTA_PAYLOAD_DREG]));
	if (off > HEADER || n > HEADER - off)
		return (MAYBE);	/* perhaps the packet is shorter */
	if (base == NFT_PAYLOAD_NETWORK_HEADER) {
		if (k->proto != 0)
			put(v, known, v4 ? 9 : 6, &k->proto, 1);
		put_net(v, known, v4 ? 12 : 8, &k->src);
		put_net(v, known, v4 ? 16 : 24, &k->dst);
	} else if (base == NFT_PAYLOAD_TRANSPORT_HEADER) {
		put_port(v, known, 0, k->sport);
		put_port(v, known, 2, k->dport);
	}
	load(r, nft_u32(a[NFTA_PAYLOAD_DREG]), v + off, known + off, n);
	return (YES);
}

static void
load_name(struct nft_regs *r, uint32_t to, const char *ifname)
{
	char		 b[IFNAMSIZ] = { 0 };

	if (ifname != NULL) {
		(void)strlcpy(b, ifname, sizeof(b));
		load(r, to, b, NULL, sizeof(b));
	}
}

static void
load_index(struct nft_regs *r, uint32_t to, uint32_t n)
{
	if (n != 0)
		load(r, to, &n, NULL, sizeof(n));
}

static void
load_flag(struct nft_regs *r, uint32_t to, int flag)
{
	uint8_t		 b = flag == 1;

	if (flag != -1)
		load(r, to, &b, NULL, 1);
}

static int
do_meta(struct nft_regs *r, const struct nft_packet *k, struct span data)
{
	struct span	 a[NFTA_META_SREG + 1];
	int		 v4 = k->src.addr.fam == ADDR_V4;
	uint16_t	 type = htons(v4 ? ETH_P_IP : ETH_P_IPV6);
	uint8_t		 family = v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint32_t	 to;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	if (a[NFTA_META_SREG].p != NULL)
		return (YES);
	to = nft_u32(a[NFTA_META_DREG]);
	forget(r, to);
	switch (nft_u32(a[NFTA_META_KEY])) {
	case NFT_META_NFPROTO:
		load(r, to, &family, NULL, 1);
		break;
	case NFT_META_PROTOCOL:
		load(r, to, &type, NULL, 2);
		break;
	case NFT_META_L4PROTO:
		if (k->proto != 0)
			load(r, to, &k->proto, NULL, 1);
		break;
	case NFT_META_IIFNAME:
		load_name(r, to, k->iif);
		break;
	case NFT_META_OIFNAME:
		load_name(r, to, k->oif);
		break;
	case NFT_META_IIF:
		load_index(r, to, k->iifindex);
		break;
	case NFT_META_OIF:
		load_index(r, to, k->oifindex);
		break;
	case NFT_META_SECPATH:
		load_flag(r, to, k->secpath);
		break;
	default:
		break;
	}
	return (YES);
}

static int
do_ct(struct nft_regs *r, const struct nft_packet *k, struct span data)
{
	struct span	 a[NFTA_CT_SREG + 1];
	uint32_t	 to;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	if (a[NFTA_CT_SREG].p != NULL)
		return (YES);
	to = nft_u32(a[NFTA_CT_DREG]);
	forget(r, to);
	if (nft_u32(a[NFTA_CT_KEY]) == NFT_CT_STATE && k->state != 0)
		load(r, to, &k->state, NULL, sizeof(k->state));
	return (YES);
}

static int
do_rt(struct nft_regs *r, const struct nft_packet *k, struct span data)
{
	struct span	 a[NFTA_RT_KEY + 1];
	uint32_t	 to;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	to = nft_u32(a[NFTA_RT_DREG]);
	forget(r, to);
	if (nft_u32(a[NFTA_RT_KEY]) == NFT_RT_XFRM)
		load_flag(r, to, k->ipsec);
	return (YES);
}

/* What comes in for us has an address of this machine. */
static int
do_fib(struct nft_regs *r, uint32_t hook, struct span data)
{
	struct span	 a[NFTA_FIB_FLAGS + 1];
	uint32_t	 to, flags, local = RTN_LOCAL;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	to = nft_u32(a[NFTA_FIB_DREG]);
	flags = nft_u32(a[NFTA_FIB_FLAGS]);
	forget(r, to);
	if (hook == NF_INET_LOCAL_IN && flags == NFTA_FIB_F_DADDR &&
	    nft_u32(a[NFTA_FIB_RESULT]) == NFT_FIB_RESULT_ADDRTYPE)
		load(r, to, &local, NULL, sizeof(local));
	return (YES);
}

static int
do_byteorder(struct nft_regs *r, struct span data)
{
	struct span	 a[NFTA_BYTEORDER_SIZE + 1];
	uint8_t		 v[NFT_ROOM], known[NFT_ROOM];
	uint32_t	 to, n, size, i, j;
	int		 from;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	to = nft_u32(a[NFTA_BYTEORDER_DREG]);
	n = nft_u32(a[NFTA_BYTEORDER_LEN]);
	size = nft_u32(a[NFTA_BYTEORDER_SIZE]);
	from = nft_reg(nft_u32(a[NFTA_BYTEORDER_SREG]), n);
	forget(r, to);
	if (from == -1 || size == 0 || n % size != 0)
		return (YES);
	for (i = 0; i < n; i++) {
		j = (uint32_t)from + (htons(1) == 1 ? i : i / size * size + size - 1 - i % size);
		v[i] = r->v[j];
		known[i] = r->known[j];
	}
	load(r, to, v, known, n);
	return (YES);
}

static int
do_immediate(struct nft_regs *r, struct span data)
{
	struct span	 a[NFTA_IMMEDIATE_DATA + 1], v;
	uint32_t	 to;

	nft_attrs(data, a, sizeof(a) / sizeof(a[0]));
	v = value_of(a[NFTA_IMMEDIATE_DATA]);
	to = nft_u32(a[NFTA_IMMEDIATE_DREG]);
	forget(r, to);
	if (v.len != 0 && v.len <= NFT_ROOM)
		load(r, to, v.p, NULL, v.len);
	return (YES);
}

/* ---- iptables */

/* "-m policy --dir out --pol ipsec", and its like. */
static enum tri
xt_policy(const struct nft_packet *k, struct span info)
{
	static const struct xt_policy_spec none;
	struct xt_policy_info i;
	int		 is;

	if (info.len < sizeof(i))
		return (MAYBE);
	memcpy(&i, info.p, sizeof(i));
	is = i.flags & XT_POLICY_MATCH_OUT ? k->ipsec : k->secpath;
	if (is == -1)
		return (MAYBE);
	if (i.flags & XT_POLICY_MATCH_NONE)
		return (is ? NO : YES);
	if (!is)
		return (NO);
	/* without --strict, --reqid and so on there is one element that asks for nothing */
	return (i.len <= 1 && !(i.flags & XT_POLICY_MATCH_STRICT) &&
	    memcmp(&i.pol[0].match, &none, sizeof(none)) == 0 ? YES : MAYBE);
}

static enum tri
xt_conntrack(const struct nft_packet *k, struct span info)
{
	struct xt_conntrack_mtinfo3 i;
	int		 is;

	if (info.len < sizeof(i) || k->state == 0)
		return (MAYBE);
	memcpy(&i, info.p, sizeof(i));
	if (i.match_flags != XT_CONNTRACK_STATE)
		return (MAYBE);
	is = (i.state_mask & k->state) != 0;
	return (is != ((i.invert_flags & XT_CONNTRACK_STATE) != 0) ? YES : NO);
}

enum tri
nft_xt_match(const struct nft_packet *k, struct span name, struct span info)
{
	if (nft_same(name, "comment"))
		return (YES);
	if (nft_same(name, "policy"))
		return (xt_policy(k, info));
	if (nft_same(name, "conntrack"))
		return (xt_conntrack(k, info));
	return (MAYBE);
}

int
nft_value(struct nft_regs *r, const struct nft_packet *k, uint32_t hook, struct span name,
    struct span data)
{
	if (nft_same(name, "cmp"))
		return (do_cmp(r, data));
	if (nft_same(name, "payload"))
		return (do_payload(r, k, data));
	if (nft_same(name, "meta"))
		return (do_meta(r, k, data));
	if (nft_same(name, "bitwise"))
		return (do_bitwise(r, data));
	if (nft_same(name, "range"))
		return (do_range(r, data));
	if (nft_same(name, "ct"))
		return (do_ct(r, k, data));
	if (nft_same(name, "rt"))
		return (do_rt(r, k, data));
	if (nft_same(name, "fib"))
		return (do_fib(r, hook, data));
	if (nft_same(name, "immediate"))
		return (do_immediate(r, data));
	if (nft_same(name, "byteorder"))
		return (do_byteorder(r, data));
	return (-1);
}
