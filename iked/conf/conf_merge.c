/* SPDX-License-Identifier: ISC */
/*
 * A finished ikev2 statement becomes a tunnel, its endpoint a peer.
 *
 * A peer is known by (local, remote, srcid, dstid), which is all that a
 * responder sees before it must choose.  Two statements of one such key that
 * want different secrets or transforms could not both be served, so they are an
 * error here rather than a surprise later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

#define NO_PSK	"%s has no secret: add psk \"...\", the same on both sides"
#define NO_NETS	"%s has no networks: add from LOCAL-NET to REMOTE-NET"

struct key {
	struct parser		*p;
	const char		*name;
	const struct conf_peer	*peer;
	const struct ts		*from, *to;
};

static int
same_name(void *arg, uint32_t i)
{
	struct key	*k = arg;

	return (strcmp(k->p->seen[i].name, k->name) == 0);
}

static int
same_host(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcasecmp(a, b) == 0);
}

int
conf_peer_same(const struct conf_peer *a, const struct conf_peer *b)
{
	return (addr_cmp(&a->local, &b->local) == 0 && a->fam == b->fam &&
	    same_host(a->localname, b->localname) &&
	    same_host(a->remotename, b->remotename) &&
	    addr_cmp(&a->remote, &b->remote) == 0 &&
	    ident_equal(&a->srcid, &b->srcid) && ident_equal(&a->dstid, &b->dstid));
}

static int
same_peer(void *arg, uint32_t i)
{
	struct key	*k = arg;

	return (conf_peer_same(&k->p->conf->peers[i], k->peer));
}

static int
same_pair(void *arg, uint32_t i)
{
	struct key	*k = arg;

	return (ts_equal(&k->p->pair[i].from, k->from) &&
	    ts_equal(&k->p->pair[i].to, k->to));
}

static uint32_t
hash_addr(const struct addr *a, uint32_t h)
{
	return (conf_table_hash(a->b, addr_len(a), h * 31 + a->fam));
}

static uint32_t
hash_host(const char *s, uint32_t h)
{
	for (; s != NULL && *s != '\0'; s++)
		h = h * 31 + (*s >= 'A' && *s <= 'Z' ? (uint32_t)*s | 0x20 : (uint32_t)*s);
	return (h);
}

static uint32_t
hash_ts(const struct ts *t, uint32_t h)
{
	h = h * 131 + t->proto + ((uint32_t)t->sport << 16 | t->eport);
	return (hash_addr(&t->end, hash_addr(&t->start, h)));
}

static uint32_t
hash_ident(const struct ident *id, uint32_t h)
{
	return (conf_table_hash(id->data, id->len, h * 31 + id->type));
}

uint32_t
conf_peer_hash(const struct conf_peer *p)
{
	return (hash_ident(&p->dstid, hash_ident(&p->srcid,
	    hash_addr(&p->remote, hash_addr(&p->local, hash_host(p->remotename,
	    hash_host(p->localname, p->fam)))))));
}

/* Remembers the name; the second of its kind is an error. */
void
conf_name_seen(struct parser *p)
{
	struct stmt	*st = &p->st;
	struct key	 k = { p, st->name, NULL, NULL, NULL };
	uint32_t	 h;
	int64_t		 i;
	void		*v = p->seen;

	if (st->name[0] == '\0')
		return;
	h = conf_table_hash(st->name, strlen(st->name), 0);
	if ((i = conf_table_find(&p->names, h, same_name, &k)) != -1) {
		conf_stmt_error(p, &st->pos, "the name \"%s\" is already that of "
		    "the statement at %.100s:%u: choose another", st->name,
		    p->seen[i].pos.file, p->seen[i].pos.line);
		return;
	}
	if (conf_grow(&v, &p->seencap, p->nseen, sizeof(*p->seen)) == -1 ||
	    (p->seen = v, conf_table_add(&p->names, h, p->nseen)) == -1) {
		p->lx.nomem = 1;
		return;
	}
	strlcpy(p->seen[p->nseen].name, st->name, CONF_NAMELEN);
	p->seen[p->nseen++].pos = st->pos;
}

/* How messages call the statement. */
static const char *
callit(const struct parser *p, char dst[CONF_NAMELEN + 16])
{
	if (p->st.name[0] != '\0')
		snprintf(dst, CONF_NAMELEN + 16, "tunnel \"%s\"", p->st.name);
	else
		snprintf(dst, CONF_NAMELEN + 16, "this unnamed tunnel");
	return (dst);
}

/* `to` a single host and no peer: that host is the peer (as in OpenIKED). */
static void
default_peer(struct parser *p)
{
	struct stmt	*st = &p->st;
	const struct prefix *net = &st->to.e[0].net;

	if ((st->seen & 1ULL << K_PEER) != 0 || st->to.n != 1 ||
	    st->to.e[0].any || net->len != 8 * addr_len(&net->addr) ||
	    !conf_addr_ok(&net->addr))
		return;
	st->remote = net->addr;
	st->remotepos = st->pos;
}

static int
has_peer(const struct stmt *st)
{
	return (st->remote.fam != ADDR_NONE || st->remotename[0] != '\0');
}

static void
check_endpoints(struct parser *p)
{
	struct stmt	*st = &p->st;
	char		 who[CONF_NAMELEN + 16];

	if (st->local.fam != ADDR_NONE && st->remote.fam != ADDR_NONE) {
		if (st->local.fam != st->remote.fam)
			conf_stmt_error(p, &st->localpos, "local and peer must "
			    "both be IPv4 or both be IPv6");
		else if (addr_cmp(&st->local, &st->remote) == 0)
			conf_stmt_error(p, &st->localpos, "local and peer are "
			    "the same address");
	}
	if (st->fam != ADDR_NONE &&
	    ((st->local.fam != ADDR_NONE && st->local.fam != st->fam) ||
	    (st->remote.fam != ADDR_NONE && st->remote.fam != st->fam)))
		conf_stmt_error(p, &st->pos, "%s says %s, but its local or peer "
		    "is of the other family", callit(p, who),
		    st->fam == ADDR_V4 ? "inet" : "inet6");
	if (st->localname[0] != '\0' && strcasecmp(st->localname, st->remotename) == 0)
		conf_stmt_error(p, &st->localpos, "local and peer are the same name");
	if ((st->seen & 1ULL << K_DEFAULT) != 0 && has_peer(st))
		conf_stmt_error(p, &st->pos, "%s is the default, which is for peers "
		    "that no other fits: write peer any, or remove default",
		    callit(p, who));
	if (!has_peer(st) && st->mode != MODE_PASSIVE)
		conf_stmt_error(p, &st->pos, "%s is %s but has no peer to call: "
		    "write peer and its address, or passive", callit(p, who),
		    conf_mode_name(st->mode));
	else if (!has_peer(st) && st->keepalive != NULL)
		conf_warning(p->errs, &st->pos, "%s has keepalive but no peer "
		    "address: it is watched, not brought up", callit(p, who));
	if (!st->has_psk)
		conf_stmt_error(p, &st->pos, NO_PSK, callit(p, who));
}

/* One more network of a side, unless it is there. */
static void
side_add(const struct stmt *st, struct tslist *ts, struct prefix *nets,
    const struct prefix *net, uint16_t port)
{
	struct ts	 t;
	unsigned int	 i, n = st->nprotos > 0 ? st->nprotos : 1;

	ts_from_prefix(&t, net, st->proto[0], port);
	for (i = 0; i < ts->n; i++)
		if (ts_equal(&ts->t[i], &t))
			return;
	for (i = 0; i < n && ts->n < TS_MAX; i++) {
		nets[ts->n] = *net;
		ts_from_prefix(&ts->t[ts->n++], net, st->proto[i], port);
	}
}

static unsigned int
side_families(const struct side *s)
{
	unsigned int	 i, f = 0;

	for (i = 0; i < s->n; i++)
		if (!s->e[i].any)
			f |= s->e[i].net.addr.fam == ADDR_V4 ? 1 : 2;
	return (f);
}

/* What stands for `to dynamic' is of the families of the pools. */
static unsigned int
pool_families(const struct cp_list *pool)
{
	unsigned int	 i, f = 0;

	for (i = 0; i < pool->n; i++)
		f |= pool->a[i].type == CP_IP4_ADDRESS ? 1U :
		    pool->a[i].type == CP_IP6_ADDRESS ? 2U : 0;
	return (f);
}

/* How many networks they may be: `any` is two at most. */
static unsigned int
side_count(const struct side *s)
{
	unsigned int	 i, n = s->n;

	for (i = 0; i < s->n; i++)
		n += s->e[i].any;
	return (n);
}

/* `any` is 0.0.0.0/0, ::/0 or both: what the other side can use.  pool: dynamic is this
 * one; NULL: it may be anything. */
static void
expand(const struct stmt *st, const struct side *s, const struct side *other,
    const struct cp_list *pool, struct tslist *ts, struct prefix *nets)
{
	struct prefix	 any;
	const struct cp_item *a;
	unsigned int	 i, k, f;

	f = side_families(other);
	if (other == &st->to && st->dyn == DYN_TO)
		f |= pool_families(&st->give);
	if (f == 0)
		f = side_families(s);
	if (f == 0)
		f = 3;
	for (i = 0; i < s->n; i++) {
		if (!s->e[i].any) {
			side_add(st, ts, nets, &s->e[i].net, s->e[i].port);
			continue;
		}
		for (k = 0; pool != NULL && s->e[i].any == 2 && k < pool->n; k++) {
			a = &pool->a[k];
			if (a->type == CP_IP4_ADDRESS || a->type == CP_IP6_ADDRESS)
				side_add(st, ts, nets, &a->v, 0);
		}
		if (pool != NULL && s->e[i].any == 2)
			continue;
		memset(&any, 0, sizeof(any));
		if (f & 1) {
			any.addr.fam = ADDR_V4;
			side_add(st, ts, nets, &any, s->e[i].port);
		}
		if (f & 2) {
			any.addr.fam = ADDR_V6;
			side_add(st, ts, nets, &any, s->e[i].port);
		}
	}
}

/*
 * All networks of a statement are one Child SA, and a Child SA carries every
 * from with every to.  Who wrote pairs is told.
 */
static void
check_pairs(struct parser *p)
{
	struct stmt	*st = &p->st;
	struct prefix	*f, *t;
	char		 fs[PREFIX_STRLEN], ts[PREFIX_STRLEN];
	unsigned int	 i, k;

	for (i = 0; i < st->from.n; i++)
		for (k = 0; k < st->to.n; k++) {
			f = &st->from.e[i].net;
			t = &st->to.e[k].net;
			if ((st->pair[i] & 1U << k) != 0 || (f->addr.fam !=
			    t->addr.fam && !st->from.e[i].any &&
			    !st->to.e[k].any))
				continue;
			conf_warning(p->errs, &st->pos, "all networks of a "
			    "statement share one tunnel: it also carries %s to "
			    "%s; write one ikev2 statement a pair to keep them "
			    "apart",
			    st->from.e[i].any ? "any" : prefix_str(f, fs),
			    st->to.e[k].any ? "any" : prefix_str(t, ts));
			return;
		}
}

/*
 * A policy knows nothing of links: who sends its own network, or everything, into a
 * tunnel may lock himself out.  Some want just that (all traffic by way of the main
 * office), so it is a warning.
 */
static void
check_lockout(struct parser *p, const struct conf_tunnel *t)
{
	char		 fs[PREFIX_STRLEN], ts[PREFIX_STRLEN];
	const struct prefix *f = NULL, *to = NULL;
	unsigned int	 i, k;

	/* of one protocol, it is meant */
	for (i = 0; i < t->from.n && t->from.t[0].proto == 0; i++) /* the widest is told */
		for (k = 0; k < t->to.n; k++)
			if (t->tonet[k].len <= t->fromnet[i].len &&
			    prefix_contains(&t->tonet[k], &t->fromnet[i].addr) &&
			    (f == NULL || t->fromnet[i].len < f->len)) {
				f = &t->fromnet[i];
				to = &t->tonet[k];
			}
	if (f == NULL)
		return;
	if (f->len == 0)
		conf_warning(p->errs, &p->st.pos, "from any to any takes all "
		    "traffic of this host, ssh included: nothing passes without "
		    "the tunnel; name the networks");
	else
		conf_warning(p->errs, &p->st.pos, "to %s holds from %s, too: what "
		    "this host sends from there to its own network goes into the "
		    "tunnel; name the remote networks only, if that is not wanted",
		    prefix_str(to, ts), prefix_str(f, fs));
}

/* Ports are of protocols that have some, and all of it has to fit. 1 or 0, reported. */
static int
check_ports(struct parser *p)
{
	struct stmt	*st = &p->st;
	char		 s[CONF_PROTOLEN];
	unsigned int	 i, n = st->nprotos > 0 ? st->nprotos : 1;

	for (i = 0; st->portpos.line != 0 && i < n; i++)
		if (st->nprotos == 0 || !conf_proto_ports(st->proto[i])) {
			conf_stmt_error(p, &st->portpos, "\"port\" wants protocols "
			    "that have ports: %s", st->nprotos == 0 ? "write proto tcp, "
			    "udp or another" : conf_proto_name(st->proto[i], s));
			return (0);
		}
	/* `any' may be two networks */
	if (2 * st->from.n * n > TS_MAX || 2 * st->to.n * n > TS_MAX)
		for (i = 0; i < 2; i++)
			if (side_count(i == 0 ? &st->from : &st->to) * n > TS_MAX) {
				conf_stmt_error(p, &st->pos, "networks times protocols "
				    "are more than %u a side: write several statements",
				    TS_MAX);
				return (0);
			}
	return (1);
}

/* Two hosts, and nothing in between that changes addresses. */
static void
check_transport(struct parser *p, const struct conf_tunnel *t)
{
	struct stmt		*st = &p->st;
	struct conf_peer	 pe;
	char			 who[CONF_NAMELEN + 16];

	if (st->natt) {
		conf_stmt_error(p, &st->pos, "%s: transport does not work through NAT: "
		    "remove natt, or write tunnel", callit(p, who));
		return;
	}
	if (st->localname[0] != '\0' || st->remotename[0] != '\0') {
		conf_stmt_error(p, &st->pos, "%s: transport is between the hosts of from "
		    "and to, which are addresses: write local and peer as addresses, too",
		    callit(p, who));
		return;
	}
	if (st->local.fam == ADDR_NONE &&
	    t->fromnet[0].len == 8 * addr_len(&t->fromnet[0].addr))
		st->local = t->fromnet[0].addr;
	memset(&pe, 0, sizeof(pe));
	pe.local = st->local;
	pe.remote = st->remote;
	if (!conf_transport_ok(t, &pe))
		conf_stmt_error(p, &st->pos, "%s: transport is between two hosts: from "
		    "is our address (local), to the peer's; for networks write tunnel",
		    callit(p, who));
}

/* A probe that does not fit into the tunnel would leave in clear. */
static void
check_targets(struct parser *p, struct conf_tunnel *t)
{
	struct stmt	*st = &p->st;
	struct addr	 a[CONF_TARGETS];
	const char	*kind = ka_kind_name(st->keepalive->kind);
	unsigned int	 i, n;

	t->keepalive = st->keepalive;
	n = conf_tunnel_targets(t, a);
	if (n == 0) {
		for (i = 0; i < t->to.n && !conf_probe_to(t, i); i++)
			continue;
		if (i == t->to.n)
			conf_stmt_error(p, &st->pos, "keepalive: proto and port of this "
			    "statement let no %s probe through: choose another probe, "
			    "or a statement that carries it", kind);
		else
			conf_stmt_error(p, &st->pos, "keepalive finds no target in what "
			    "stands after \"to\": write keepalive target and an "
			    "address that answers");
	}
	for (i = 0; i < n && st->keepalive->ntargets > 0; i++)
		if (!conf_target_inside(t, &a[i]))
			conf_stmt_error(p, &st->targetpos[i], "the target of keepalive "
			    "is in none of the networks after \"to\": its probes "
			    "would not go through the tunnel");
		else if (!conf_target_carried(t, &a[i]))
			conf_stmt_error(p, &st->targetpos[i], "proto and port of this "
			    "statement let no %s probe to this target through", kind);
}

static void
check_nets(struct parser *p, struct conf_tunnel *t)
{
	struct stmt	*st = &p->st;
	char		 who[CONF_NAMELEN + 16];

	if (st->from.n == 0 || st->to.n == 0 || st->from.pend != 0 ||
	    st->to.pend != 0) {
		if (st->from.pend != 0 || st->to.pend != 0)
			conf_stmt_error(p, &st->pos, "%s: \"%s\" without "
			    "\"%s\"", callit(p, who),
			    st->from.pend != 0 ? "from" : "to",
			    st->from.pend != 0 ? "to" : "from");
		else
			conf_stmt_error(p, &st->pos, NO_NETS, callit(p, who));
		return;
	}
	if (st->dyn == DYN_TO && !conf_cp_asks(&st->give)) {
		conf_stmt_error(p, &st->pos, "\"to dynamic\" wants addresses to give: "
		    "add config address NETWORK");
		return;
	}
	if (st->dyn != DYN_NO && (st->nprotos > 0 || st->single || st->transport)) {
		conf_stmt_error(p, &st->pos, "%s: proto, single and transport do not go "
		    "with dynamic", callit(p, who));
		return;
	}
	if (!check_ports(p))
		return;
	expand(st, &st->to, &st->from, st->dyn == DYN_TO ? &st->give : NULL, &t->to,
	    t->tonet);
	expand(st, &st->from, &st->to, NULL, &t->from, t->fromnet);
	if (!conf_families_ok(t)) {
		conf_stmt_error(p, &st->pos, "%s: from and to must be of the "
		    "same families, IPv4 or IPv6", callit(p, who));
		return;
	}
	check_pairs(p);
	if (st->transport)
		check_transport(p, t);
	else if (st->dyn != DYN_FROM)	/* what is given is no network of this host */
		check_lockout(p, t);
	conf_cp_merge(p, t);
	if (st->keepalive != NULL)
		check_targets(p, t);
}

/*
 * A kernel holds one policy for a pair of networks, and it is one tunnel's: with two,
 * one would be up and carry nothing.  Peers that may be anybody are no exception.
 */
static void
claim_pairs(struct parser *p, const struct conf_tunnel *t, uint32_t index)
{
	struct key	 k = { p, NULL, NULL, NULL, NULL };
	char		 fs[TS_STRLEN], ts[TS_STRLEN];
	const struct conf_tunnel *other;
	unsigned int	 i, j;
	uint32_t	 h;
	int64_t		 old;
	void		*v;

	for (i = 0; i < t->from.n; i++)
		for (j = 0; j < t->to.n; j++) {
			k.from = &t->from.t[i];
			k.to = &t->to.t[j];
			if (!conf_is_pair(t, i, j))
				continue;
			h = hash_ts(k.to, hash_ts(k.from, 0));
			old = conf_table_find(&p->pairs, h, same_pair, &k);
			if (old != -1) {
				other = &p->conf->tunnels[p->pair[old].tunnel];
				conf_stmt_error(p, &p->st.pos, "%s to %s is "
				    "already carried by the tunnel at "
				    "%.100s:%u: one pair of networks, one tunnel",
				    ts_str(k.from, fs), ts_str(k.to, ts), other->file,
				    other->line);
				return;
			}
			v = p->pair;
			if (conf_grow(&v, &p->paircap, p->npair,
			    sizeof(*p->pair)) == -1 || (p->pair = v,
			    conf_table_add(&p->pairs, h, p->npair)) == -1) {
				p->lx.nomem = 1;
				return;
			}
			p->pair[p->npair].tunnel = index;
			p->pair[p->npair].from = *k.from;
			p->pair[p->npair++].to = *k.to;
		}
}

/* The statement's peer, with identities that only repeat the address left out. */
static void
make_peer(struct stmt *st, struct conf_peer *pe)
{
	struct ident	 id;

	memset(pe, 0, sizeof(*pe));
	pe->local = st->local;
	pe->remote = st->remote;
	pe->srcid = st->srcid;
	pe->dstid = st->dstid;
	if (pe->local.fam != ADDR_NONE) {
		conf_ident_addr(&id, &pe->local);
		if (ident_equal(&id, &pe->srcid))
			memset(&pe->srcid, 0, sizeof(pe->srcid));
	}
	if (pe->remote.fam != ADDR_NONE) {
		conf_ident_addr(&id, &pe->remote);
		if (ident_equal(&id, &pe->dstid))
			memset(&pe->dstid, 0, sizeof(pe->dstid));
	}
	if (st->localname[0] != '\0')
		pe->localname = st->localname;
	if (st->remotename[0] != '\0')
		pe->remotename = st->remotename;
	if (conf_peer_named(pe))
		pe->fam = st->fam;
	pe->ike = &st->ike;
	pe->ikelifetime = st->ikelifetime;
	pe->natt = st->natt;
	pe->full = st->full;
	pe->has_psk = 1;
	pe->psklen = st->psklen;
	pe->has_old = st->has_old;
	pe->oldlen = st->oldlen;
	pe->old_until = st->old_until;
}

/* Which option of two statements with one peer differs; NULL: none. */
static const char *
differs(const struct conf_peer *a, const struct conf_peer *b)
{
	struct conf_peer	 x = *a, y = *b;

	if (a->psklen != b->psklen || (a->psklen != 0 &&
	    memcmp(a->psk, b->psk, a->psklen) != 0) || a->has_old != b->has_old ||
	    a->oldlen != b->oldlen || a->old_until != b->old_until ||
	    (a->oldlen != 0 && memcmp(a->old, b->old, a->oldlen) != 0))
		return ("psk");
	if (a->ikelifetime != b->ikelifetime)
		return ("ikelifetime");
	if (a->natt != b->natt)
		return ("natt");
	if (a->full != b->full)
		return ("fulltranscript");
	x.psklen = y.psklen = x.oldlen = y.oldlen = 0;
	return (conf_peer_equal(&x, &y) ? NULL : "ikesa");
}

/* The index of the peer, a new one where needed; -1 when reported. */
static int64_t
find_peer(struct parser *p)
{
	struct stmt		*st = &p->st;
	struct conf_peer	 pe, own, *np;
	const struct proposals	*ike;
	struct key		 k = { p, NULL, &pe, NULL, NULL };
	const struct conf_tunnel *t;
	const char		*what;
	uint32_t		 h;
	int64_t			 i;
	void			*v = p->first;

	if (st->ike.n == 0)
		conf_default(&st->ike, PROTO_IKE, st->preset);
	make_peer(st, &pe);
	pe.psk = st->psk;
	pe.old = st->old;
	h = conf_peer_hash(&pe);
	i = conf_table_find(&p->peers, h, same_peer, &k);
	if (i != -1) {
		what = differs(&p->conf->peers[i], &pe);
		t = &p->conf->tunnels[p->first[i]];
		if (what != NULL)
			conf_stmt_error(p, &st->pos, "same local, peer and "
			    "identities as the tunnel at %.100s:%u, but another "
			    "%s: make them equal, or tell the peers apart by "
			    "dstid", t->file, t->line, what);
		return (what != NULL ? -1 : i);
	}
	i = p->conf->npeers;
	own = pe;
	own.psk = own.old = NULL;
	own.localname = own.remotename = own.absent = NULL;
	if (conf_grow(&v, &p->firstcap, (uint32_t)i, sizeof(*p->first)) == -1 ||
	    (p->first = v, conf_table_add(&p->peers, h, (uint32_t)i)) == -1 ||
	    (ike = conf_proposals_share(p->conf, &st->ike)) == NULL ||
	    (st->psklen > 0 && (own.psk = malloc(st->psklen)) == NULL) ||
	    (st->oldlen > 0 && (own.old = malloc(st->oldlen)) == NULL) ||
	    (pe.localname != NULL && (own.localname = strdup(pe.localname)) == NULL) ||
	    (pe.remotename != NULL && (own.remotename = strdup(pe.remotename)) == NULL) ||
	    (conf_peer_named(&pe) && conf_peer_place(&own, NULL, NULL,
	    "its name is not looked up yet") == -1) ||
	    (np = conf_add_peer(p->conf)) == NULL) {
		free(own.absent);
		free(own.psk);
		free(own.old);
		free(own.localname);
		free(own.remotename);
		p->lx.nomem = 1;
		return (-1);
	}
	if (st->psklen > 0)
		memcpy(own.psk, st->psk, st->psklen);
	if (st->oldlen > 0)
		memcpy(own.old, st->old, st->oldlen);
	*np = own;
	np->ike = ike;
	p->first[i] = p->conf->ntunnels;
	return (i);
}

/* A preset is the file's word for transforms that nobody would write down one by one. */
static void
check_preset(struct parser *p)
{
	const struct stmt	*st = &p->st;

	if (st->ike.n > 0 && st->esp.n > 0)
		conf_warning(p->errs, &st->presetpos, "\"preset\" beside ikesa and "
		    "childsa has no effect: remove it, or them");
	else if (strcmp(st->preset, "openiked") != 0)
		conf_warning(p->errs, &st->presetpos, "\"preset %s\" is weak: it "
		    "is for a peer as it comes; better set SHA-256 and modp2048 there, and "
		    "write them here", st->preset);
}

void
conf_file_name(char dst[128], const char *file)
{
	size_t	 i;

	strlcpy(dst, file, 128);
	for (i = 0; dst[i] != '\0'; i++)
		if ((unsigned char)dst[i] < ' ' || dst[i] == 0x7f)
			dst[i] = '?';
}

/* The tunnel takes the statement's keepalive, or an equal one that another has. */
static void
take_keepalive(struct parser *p, struct conf_tunnel *t, uint32_t index)
{
	struct stmt	*st = &p->st;
	void		*v = p->backup;

	t->keepalive = NULL;
	if (st->keepalive == NULL)
		return;
	t->keepalive = conf_keepalive_share(&p->conf->kas,
	    conf_keepalive_ref(st->keepalive));
	if (t->keepalive->str[KA_BACKUP] == NULL)
		return;
	if (conf_grow(&v, &p->backupcap, p->nbackup, sizeof(*p->backup)) == -1) {
		p->lx.nomem = 1;
		return;
	}
	p->backup = v;
	p->backup[p->nbackup].tunnel = index;
	p->backup[p->nbackup++].pos = st->backuppos;
}

/* A mistake somewhere, but every option was known: what is missing is missing. */
static void
check_lacking(struct parser *p)
{
	struct stmt	*st = &p->st;
	char		 who[CONF_NAMELEN + 16];

	if (st->unknown)
		return;
	if ((st->seen & 1ULL << K_PSK) == 0)
		conf_stmt_error(p, &st->pos, NO_PSK, callit(p, who));
	if ((st->seen & (1ULL << K_FROM | 1ULL << K_TO)) == 0)
		conf_stmt_error(p, &st->pos, NO_NETS, callit(p, who));
}

void
conf_merge(struct parser *p)
{
	static const struct conf_tunnel none;
	struct stmt		*st = &p->st;
	struct conf_tunnel	 t = none, *nt;
	int64_t			 peer;

	p->nstmt++;
	conf_name_seen(p);
	if (st->bad) {
		check_lacking(p);
		return;
	}
	if (p->conf->ntunnels >= CONF_MAXTUNNELS) {
		if (!p->toomany)
			conf_stmt_error(p, &st->pos, "more than %u tunnels",
			    CONF_MAXTUNNELS);
		p->toomany = 1;
		return;
	}
	strlcpy(t.name, st->name, sizeof(t.name));
	t.mode = st->mode;
	t.lifetime = st->lifetime;
	t.lifebytes = st->lifebytes;
	t.transport = st->transport;
	t.single = st->single;
	if (st->preset != NULL)
		check_preset(p);
	if (st->esp.n == 0)
		conf_default(&st->esp, PROTO_ESP, st->preset);
	if ((t.esp = conf_proposals_share(p->conf, &st->esp)) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	t.line = st->pos.line;
	conf_file_name(t.file, st->pos.file);
	default_peer(p);
	check_endpoints(p);
	check_nets(p, &t);
	if (st->bad || (peer = find_peer(p)) == -1)
		return;
	t.peer = (uint32_t)peer;
	claim_pairs(p, &t, p->conf->ntunnels);
	/* Kept even when refused: later messages name it by its line. */
	if ((nt = conf_add_tunnel(p->conf)) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	take_keepalive(p, &t, p->conf->ntunnels - 1);
	*nt = t;
	p->conf->peers[peer].ntunnels++;
}

/* "policyN" by place in the file; the next free number where that is taken. */
static int
name_unnamed(struct parser *p)
{
	struct conf_tunnel	*t;
	struct key		 k = { p, NULL, NULL, NULL, NULL };
	uint32_t		 i, n, h;

	for (i = n = 0; i < p->conf->ntunnels; i++) {
		t = &p->conf->tunnels[i];
		if (t->name[0] != '\0')
			continue;
		n = n > i ? n : i;
		do {
			snprintf(t->name, sizeof(t->name), "policy%u", ++n);
			k.name = t->name;
			h = conf_table_hash(t->name, strlen(t->name), 0);
		} while (conf_table_find(&p->names, h, same_name, &k) != -1);
	}
	return (0);
}

/* A tunnel of this name?  Of a refused file not all are there, but their names are. */
static int
backup_there(struct parser *p, const char *name, int whole)
{
	struct key	 k = { p, name, NULL, NULL, NULL };

	if (whole)
		return (conf_tunnel_byname(p->conf, name) != -1);
	return (strncmp(name, "policy", 6) == 0 || conf_table_find(&p->names,
	    conf_table_hash(name, strlen(name), 0), same_name, &k) != -1);
}

/* A backup is another tunnel of this configuration. */
static void
check_backups(struct parser *p)
{
	const struct conf_tunnel *t;
	const char	*name;
	int32_t		 n;
	uint32_t	 i;
	int		 whole = p->errs->n == p->errs->nwarn;

	for (i = 0; i < p->nbackup; i++) {
		t = &p->conf->tunnels[p->backup[i].tunnel];
		name = t->keepalive->str[KA_BACKUP];
		if (strcmp(name, t->name) == 0)
			conf_error(p->errs, &p->backup[i].pos, "\"%s\" cannot be its "
			    "own backup", name);
		else if (!backup_there(p, name, whole))
			conf_error(p->errs, &p->backup[i].pos, "there is no tunnel "
			    "\"%s\" to be the backup", name);
		else if (whole && (n = conf_tunnel_byname(p->conf, name)) != -1 &&
		    p->conf->tunnels[n].keepalive != NULL)
			conf_warning(p->errs, &p->backup[i].pos, "the backup \"%s\" has a "
			    "keepalive of its own, which always keeps it up", name);
	}
}

int
conf_merge_end(struct parser *p)
{
	name_unnamed(p);
	if (p->errs->n == p->errs->nwarn && conf_index(p->conf) == -1)
		return (-1);
	check_backups(p);
	return (0);
}
