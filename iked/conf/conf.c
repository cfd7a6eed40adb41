/* SPDX-License-Identifier: ISC */
/* The configuration as a value: made, compared, searched and wiped. */
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "conf/conf_parse.h"

#define PROPS_NEAR	8	/* kept proposals that a new one may be equal to */

struct conf *
conf_new(void)
{
	struct conf	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->dpd_interval = CONF_DPD;
	c->fragmentation = 1;
	c->mobike = 1;
	return (c);
}

static void
wipe_psk(struct conf_peer *p)
{
	if (p->psk != NULL)
		explicit_bzero(p->psk, p->psklen);
	free(p->psk);
	p->psk = NULL;
	p->psklen = 0;
	if (p->old != NULL)
		explicit_bzero(p->old, p->oldlen);
	free(p->old);
	p->old = NULL;
	p->oldlen = 0;
}

static void
free_tunnels(struct conf *c)
{
	uint32_t	 i;

	for (i = 0; i < c->ntunnels; i++)
		conf_keepalive_unref(c->tunnels[i].keepalive);
	free(c->tunnels);
	free(c->byname);
	c->tunnels = NULL;
	c->byname = NULL;
	c->ntunnels = c->cap_tunnels = 0;
	for (i = 0; i < c->nwatches; i++)
		conf_keepalive_unref(c->watches[i].keepalive);
	free(c->watches);
	c->watches = NULL;
	c->nwatches = c->cap_watches = 0;
	conf_kashare_clear(&c->kas);
}

void
conf_free(struct conf *c)
{
	uint32_t	 i;

	if (c == NULL)
		return;
	for (i = 0; i < c->npeers; i++) {
		wipe_psk(&c->peers[i]);
		free(c->peers[i].localname);
		free(c->peers[i].remotename);
		free(c->peers[i].absent);
	}
	free(c->peers);
	free_tunnels(c);
	for (i = 0; i < c->nprops; i++)
		free(c->props[i]);
	free(c->props);
	free(c);
}

/* Room for one more than n; the new part is zero.  0 or -1. */
int
conf_grow(void **p, uint32_t *cap, uint32_t n, size_t size)
{
	uint32_t	 ncap;
	char		*q;

	if (n < *cap)
		return (0);
	ncap = *cap < 8 ? 8 : *cap + *cap / 2;
	if ((q = recallocarray(*p, *cap, ncap, size)) == NULL)
		return (-1);
	*p = q;
	*cap = ncap;
	return (0);
}

struct conf_peer *
conf_add_peer(struct conf *c)
{
	void	*p = c->peers;

	if (conf_grow(&p, &c->cap_peers, c->npeers, sizeof(*c->peers)) == -1)
		return (NULL);
	c->peers = p;
	return (&c->peers[c->npeers++]);
}

struct conf_tunnel *
conf_add_tunnel(struct conf *c)
{
	void	*p = c->tunnels;

	if (conf_grow(&p, &c->cap_tunnels, c->ntunnels,
	    sizeof(*c->tunnels)) == -1)
		return (NULL);
	c->tunnels = p;
	return (&c->tunnels[c->ntunnels++]);
}

void
conf_ident_addr(struct ident *id, const struct addr *a)
{
	memset(id, 0, sizeof(*id));
	id->type = a->fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
	id->len = (uint8_t)addr_len(a);
	memcpy(id->data, a->b, id->len);
}

const char *
conf_mode_name(enum conf_mode mode)
{
	switch (mode) {
	case MODE_PASSIVE:
		return ("passive");
	case MODE_ACTIVE:
		return ("active");
	case MODE_ONDEMAND:
		return ("ondemand");
	}
	return ("unknown");
}

int
conf_proposals_equal(const struct proposals *a, const struct proposals *b)
{
	const struct proposal	*p, *q;
	unsigned int		 i, k;

	if (a->n != b->n)
		return (0);
	for (i = 0; i < a->n; i++) {
		p = &a->p[i];
		q = &b->p[i];
		if (p->proto != q->proto || p->nxforms != q->nxforms)
			return (0);
		for (k = 0; k < p->nxforms; k++)
			if (p->xf[k].type != q->xf[k].type ||
			    p->xf[k].id != q->xf[k].id ||
			    p->xf[k].keybits != q->xf[k].keybits)
				return (0);
	}
	return (1);
}

/*
 * Proposals are 8 kB, and thousands of statements have the same few: they share them.
 * Only the latest ones are compared, so that no file makes this take long.
 */
const struct proposals *
conf_proposals_share(struct conf *c, const struct proposals *ps)
{
	void		*v = c->props;
	struct proposals *copy;
	uint32_t	 i, n = c->nprops;

	for (i = n; i > 0 && i + PROPS_NEAR > n; i--)
		if (memcmp(c->props[i - 1], ps, sizeof(*ps)) == 0)
			return (c->props[i - 1]);
	if (conf_grow(&v, &c->cap_props, n, sizeof(*c->props)) == -1)
		return (NULL);
	c->props = v;
	if ((copy = malloc(sizeof(*copy))) == NULL)
		return (NULL);
	memcpy(copy, ps, sizeof(*copy));
	c->props[c->nprops++] = copy;
	return (copy);
}

int
conf_peer_equal(const struct conf_peer *a, const struct conf_peer *b)
{
	return (conf_peer_diff(a, b) == 0 &&
	    a->has_old == b->has_old && a->old_until == b->old_until &&
	    a->oldlen == b->oldlen &&
	    (a->oldlen == 0 || memcmp(a->old, b->old, a->oldlen) == 0));
}

struct same {
	const struct conf	*old;
	const struct conf_peer	*peer;
};

static int
same_peer(void *arg, uint32_t i)
{
	struct same	*s = arg;

	return (conf_peer_same(&s->old->peers[i], s->peer));
}

/* What was agreed under one of them was agreed under a secret that is good, or was it
 * before: SAs outlive their secret's change, where both had a time together. */
static int
in_common(const struct conf_peer *a, const struct conf_peer *b)
{
	return (a->psk_mark == b->psk_mark ||
	    (a->has_old && a->old_mark == b->psk_mark) ||
	    (b->has_old && b->old_mark == a->psk_mark));
}

int
conf_psk_serials(struct conf *c, const struct conf *old, const uint8_t *key)
{
	struct table	 t;
	struct same	 k = { old, NULL };
	struct conf_peer *p;
	uint32_t	 i;
	int64_t		 o;

	memset(&t, 0, sizeof(t));
	for (i = 0; old != NULL && i < old->npeers; i++)
		if (conf_table_add(&t, conf_peer_hash(&old->peers[i]), i) == -1) {
			conf_table_free(&t);
			return (-1);
		}
	for (i = 0; i < c->npeers; i++) {
		k.peer = p = &c->peers[i];
		p->psk_mark = siphash24(key, p->psk, p->psklen);
		p->old_mark = siphash24(key, p->old, p->oldlen);
		o = old == NULL ? -1 : conf_table_find(&t, conf_peer_hash(p), same_peer,
		    &k);
		p->psk_serial = o != -1 && in_common(p, &old->peers[o]) ?
		    old->peers[o].psk_serial : c->gen;
	}
	conf_table_free(&t);
	return (0);
}

void
conf_keep_marks(struct conf *c)
{
	uint32_t	 i;

	for (i = 0; i < c->npeers; i++)
		wipe_psk(&c->peers[i]);
	free_tunnels(c);
}

int
conf_watch_equal(const struct conf_watch *a, const struct conf_watch *b)
{
	return (strcmp(a->name, b->name) == 0 &&
	    addr_cmp(&a->source, &b->source) == 0 &&
	    conf_keepalive_equal(a->keepalive, b->keepalive));
}

int
conf_cp_equal(const struct cp_list *a, const struct cp_list *b)
{
	uint8_t	 i;

	for (i = 0; a->n == b->n && i < a->n; i++)
		if (a->a[i].type != b->a[i].type || a->a[i].empty != b->a[i].empty ||
		    (!a->a[i].empty && prefix_cmp(&a->a[i].v, &b->a[i].v) != 0))
			return (0);
	return (a->n == b->n);
}

int
conf_tunnel_equal(const struct conf *ca, const struct conf_tunnel *a,
    const struct conf *cb, const struct conf_tunnel *b)
{
	if (a->peer >= ca->npeers || b->peer >= cb->npeers)
		return (0);
	return (strcmp(a->name, b->name) == 0 && conf_tunnel_diff(ca, a, cb, b) == 0 &&
	    conf_peer_equal(&ca->peers[a->peer], &cb->peers[b->peer]));
}

int
conf_is_pair(const struct conf_tunnel *t, unsigned int i, unsigned int j)
{
	return (t->fromnet[i].addr.fam == t->tonet[j].addr.fam &&
	    t->from.t[i].proto == t->to.t[j].proto);
}

struct named {
	const char	*name;
	uint32_t	 i;
};

static int
named_cmp(const void *a, const void *b)
{
	return (strcmp(((const struct named *)a)->name,
	    ((const struct named *)b)->name));
}

int
conf_index(struct conf *c)
{
	struct named	*v;
	uint32_t	 i;
	int		 dup = 0;

	free(c->byname);
	c->byname = NULL;
	v = reallocarray(NULL, (size_t)c->ntunnels + 1, sizeof(*v));
	c->byname = reallocarray(NULL, (size_t)c->ntunnels + 1,
	    sizeof(*c->byname));
	if (v == NULL || c->byname == NULL) {
		free(v);
		free(c->byname);
		c->byname = NULL;
		return (-1);
	}
	for (i = 0; i < c->ntunnels; i++) {
		v[i].name = c->tunnels[i].name;
		v[i].i = i;
	}
	qsort(v, c->ntunnels, sizeof(*v), named_cmp);
	for (i = 0; i < c->ntunnels; i++) {
		c->byname[i] = v[i].i;
		if (i > 0 && strcmp(v[i].name, v[i - 1].name) == 0)
			dup = 1;
	}
	free(v);
	return (dup);
}

int32_t
conf_tunnel_byname(const struct conf *c, const char *name)
{
	uint32_t	 lo = 0, hi = c->ntunnels, mid;
	int		 r;

	if (c->byname == NULL) {
		for (lo = 0; lo < c->ntunnels; lo++)
			if (strcmp(c->tunnels[lo].name, name) == 0)
				return ((int32_t)lo);
		return (-1);
	}
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		r = strcmp(name, c->tunnels[c->byname[mid]].name);
		if (r == 0)
			return ((int32_t)c->byname[mid]);
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (-1);
}
