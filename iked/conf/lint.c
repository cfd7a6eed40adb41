/* SPDX-License-Identifier: ISC */
/*
 * The checks: a table, one function each, which writes what is to be changed or nothing.
 * What the parser itself warns of (short secrets, weak transforms by name) is not said
 * again.
 */
#include <string.h>

#include "conf/lint.h"

#define SHORT_LIFE	300	/* s: jitter is a part of it, and that part too small */
#define PAIRS		8	/* networks of each side that NAT is asked of */
#define FEW_OCTETS	8	/* different ones in a secret */
/* Intervals are up to a quarter shorter at random; Linux answers a host once a second with an
 * error (net.ipv4.icmp_ratelimit). */
#define GATEWAY_MS	1334

struct look {
	const struct conf	*c;
	const struct conf_tunnel *t;
	const struct conf_peer	*p;
	const struct lint_env	*env;
	char			*text;	/* LINT_TEXTLEN, "" before */
};

#define TELL(l, ...)	((void)snprintf((l)->text, LINT_TEXTLEN, __VA_ARGS__))

/* One octet repeated is as long as one wishes, and no secret (RFC 7296 2.15). */
static void
look_few(struct look *l)
{
	uint8_t		 seen[256] = { 0 };
	unsigned int	 i, n = 0;

	for (i = 0; i < l->p->psklen; i++)
		if (!seen[l->p->psk[i]]++)
			n++;
	if (l->p->psklen != 0 && n < FEW_OCTETS)
		TELL(l, "the secret has only %u different characters: use one of "
		    "\"ipsecctl genpsk\"", n);
	explicit_bzero(seen, sizeof(seen));
}

static int
holds(const struct conf_peer *p, const char *word)
{
	size_t		 i, k, n = strlen(word);
	uint8_t		 c;

	for (i = 0; i + n <= p->psklen; i++) {
		for (k = 0; k < n; k++) {
			c = p->psk[i + k];
			if (c >= 'A' && c <= 'Z')
				c = (uint8_t)(c - 'A' + 'a');
			if (c != (uint8_t)word[k])
				break;
		}
		if (k == n)
			return (1);
	}
	return (0);
}

/* Words of examples, and what is tried first. */
static void
look_known(struct look *l)
{
	static const char *const words[] = { "change me", "changeme", "password",
	    "secret", "example", "123456", "qwerty", "openssl rand" };
	size_t		 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (holds(l->p, words[i])) {
			TELL(l, "the secret has a word in it that everybody tries: use "
			    "one of \"ipsecctl genpsk\"");
			return;
		}
}

static unsigned int
without_ke(const struct proposals *ps)
{
	unsigned int	 i, k, n = 0, ke;

	for (i = 0; i < ps->n; i++) {
		for (ke = 0, k = 0; k < ps->p[i].nxforms; k++)
			if (ps->p[i].xf[k].type == XF_KE && ps->p[i].xf[k].id != KE_NONE)
				ke = 1;
		n += !ke;
	}
	return (n);
}

/* RFC 7296 1.3.1: without a KE payload the new keys come out of the old ones'. */
static void
look_pfs(struct look *l)
{
	unsigned int	 n = without_ke(l->t->esp);

	if (n == l->t->esp->n)
		TELL(l, "childsa has no group: who learns one key learns those that "
		    "follow (no PFS); add a group here and on the other side");
	else if (n != 0)
		TELL(l, "childsa has a group in some proposals and none in others: the "
		    "peer decides whether there is PFS; give each one, on both sides");
}

/* DISA STIG V-3008: between gateways, tunnel mode. */
static void
look_transport(struct look *l)
{
	if (l->t->transport)
		TELL(l, "transport shows who talks to whom, and carries these two hosts "
		    "alone: between gateways write tunnel (STIG V-3008)");
}

static int
any_holds(const struct prefix *nets, unsigned int n, const struct addr *a)
{
	unsigned int	 i;

	for (i = 0; i < n; i++)
		if (nets[i].addr.fam == a->fam && nets[i].len < 8 * addr_len(a) &&
		    prefix_contains(&nets[i], a))
			return (1);
	return (0);
}

/* IKE's own sockets are exempt; the peer's ping, ssh and path MTU messages are not. */
static void
look_swallow(struct look *l)
{
	char		 a[ADDR_STRLEN];

	if (l->p->remote.fam == ADDR_NONE || l->p->local.fam == ADDR_NONE ||
	    !any_holds(l->t->tonet, l->t->to.n, &l->p->remote) ||
	    !any_holds(l->t->fromnet, l->t->from.n, &l->p->local))
		return;
	TELL(l, "the networks hold the endpoints: all traffic with the peer %s itself "
	    "goes into its own tunnel, only IKE does not; name networks without it",
	    addr_str(&l->p->remote, a));
}

static void
look_source(struct look *l)
{
	char		 s[PREFIX_STRLEN];
	size_t		 i;
	unsigned int	 k;

	if (l->env->addrs == NULL || l->t->dyn == DYN_FROM)
		return;
	for (i = 0; i < l->env->naddrs; i++)
		for (k = 0; k < l->t->from.n; k++)
			if (l->t->fromnet[k].addr.fam == l->env->addrs[i].fam &&
			    prefix_contains(&l->t->fromnet[k], &l->env->addrs[i]))
				return;
	TELL(l, "no address of this machine is in from %s: nothing that it sends itself goes "
	    "through, ping and keepalive neither; fine for hosts behind it, else add one",
	    prefix_str(&l->t->fromnet[0], s));
}

static void
look_local(struct look *l)
{
	char		 s[ADDR_STRLEN];
	size_t		 i;

	if (l->env->addrs == NULL || l->p->local.fam == ADDR_NONE)
		return;
	for (i = 0; i < l->env->naddrs; i++)
		if (addr_cmp(&l->env->addrs[i], &l->p->local) == 0)
			return;
	TELL(l, "local %s is no address of this machine: the tunnel cannot come up before it "
	    "is; correct it, or leave local out", addr_str(&l->p->local, s));
}

/* Rekeys are spread over a part of the lifetime, which has to be some time. */
static void
look_life(struct look *l)
{
	if (l->t->lifetime < SHORT_LIFE || l->p->ikelifetime < SHORT_LIFE)
		TELL(l, "a lifetime below %u s leaves no room for jitter: both sides rekey at "
		    "once, and all tunnels together; make it longer", SHORT_LIFE);
	else if (l->p->ikelifetime < l->t->lifetime)
		TELL(l, "the IKE SA lives shorter (%u s) than what it has made (%u s): make "
		    "ikelifetime the longer one", l->p->ikelifetime, l->t->lifetime);
}

/* Before a policy sees a packet, NAT has given it another source. */
static int
nat_of(struct look *l, unsigned int i, unsigned int k)
{
	char		 rule[LINT_RULE], from[PREFIX_STRLEN], to[PREFIX_STRLEN];
	const struct prefix *f = &l->t->fromnet[i], *t = &l->t->tonet[k];
	const char	*ip = f->addr.fam == ADDR_V6 ? "ip6" : "ip";
	int		 r;

	/* our own address, that NAT would give as well */
	if (f->len == 8 * addr_len(&f->addr) && addr_cmp(&f->addr, &l->p->local) == 0)
		return (0);
	if ((r = l->env->nat(l->env->arg, f, t, &l->p->remote, rule)) == 0)
		return (0);
	TELL(l, "NAT %s packets to %s another source before the policy sees them, and they "
	    "leave in clear (%s): above it in that chain \"%s saddr %s %s daddr %s accept\", "
	    "with iptables \"-m policy --dir out --pol ipsec -j ACCEPT\"", r == 1 ? "gives" :
	    "may give", prefix_str(t, to), rule, ip, prefix_str(f, from), ip, to);
	return (1);
}

static void
look_nat(struct look *l)
{
	unsigned int	 i, k;

	if (l->env->nat == NULL || l->t->dyn != DYN_NO)
		return;
	for (i = 0; i < l->t->from.n && i < PAIRS; i++)
		for (k = 0; k < l->t->to.n && k < PAIRS; k++)
			if (nat_of(l, i, k))
				return;
}

static void
look_drops(struct look *l)
{
	char		 rule[LINT_RULE];

	if (l->env->drops != NULL &&
	    l->env->drops(l->env->arg, &l->p->local, &l->p->remote, rule) == 1)
		TELL(l, "this machine's own packet filter drops %s: let UDP 500, UDP 4500 and "
		    "ESP pass, from and to the peer", rule);
}

/* Who may not pass a packet on says so in an ICMP error, of which routers send few. */
static void
look_gateway(struct look *l)
{
	const struct conf_keepalive *ka = l->t->keepalive;

	if (ka != NULL && ka->gateway && ka->pace != KA_OFF && ka->interval_ms < GATEWAY_MS)
		TELL(l, "target gateway is answered with ICMP errors, which routers limit "
		    "(Linux: one a second), and more are asked for: some will be missed; write "
		    "\"interval 2s\" or longer, or an address after target");
}

static void (*const looks[])(struct look *) = {
	look_few, look_known, look_pfs, look_transport, look_swallow, look_source,
	look_local, look_life, look_nat, look_drops, look_gateway
};

int
conf_lint(const struct conf *c, const struct lint_env *env, lint_say *say, void *arg)
{
	char		 text[LINT_TEXTLEN];
	struct look	 l = { .c = c, .env = env, .text = text };
	uint32_t	 i;
	size_t		 k;

	for (i = 0; i < c->ntunnels; i++) {
		l.t = &c->tunnels[i];
		l.p = &c->peers[l.t->peer];
		for (k = 0; k < sizeof(looks) / sizeof(looks[0]); k++) {
			text[0] = '\0';
			looks[k](&l);
			if (text[0] != '\0')
				say(arg, l.t, text);
		}
	}
	return (lint_overlap(c, say, arg));
}
