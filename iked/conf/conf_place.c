/* SPDX-License-Identifier: ISC */
/*
 * Peers that have names get addresses: of those that are known for a name the first one that
 * fits.  Two peers at one place could not be told apart by whoever they call, so that the
 * later one has none until that changes: a name server's mistake stops one tunnel, not the
 * file.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_parse.h"

#define SHOWN	60		/* octets of a name in a reason */

/* What a peer is known by once it has its addresses. */
struct where {
	const struct conf	*c;
	const struct conf_peer	*p;
};

static void
identities(const struct conf_peer *p, struct ident *src, struct ident *dst)
{
	*src = p->srcid;
	*dst = p->dstid;
	if (src->type == ID_NONE && p->local.fam != ADDR_NONE)
		conf_ident_addr(src, &p->local);
	if (dst->type == ID_NONE && p->remote.fam != ADDR_NONE)
		conf_ident_addr(dst, &p->remote);
}

static int
same_place(void *arg, uint32_t i)
{
	const struct where	*w = arg;
	const struct conf_peer	*o = &w->c->peers[i];
	struct ident		 s1, d1, s2, d2;

	identities(w->p, &s1, &d1);
	identities(o, &s2, &d2);
	return (addr_cmp(&o->local, &w->p->local) == 0 &&
	    addr_cmp(&o->remote, &w->p->remote) == 0 &&
	    ident_equal(&s1, &s2) && ident_equal(&d1, &d2));
}

static uint32_t
place_hash(const struct conf_peer *p)
{
	uint32_t	 h = conf_table_hash(p->remote.b, addr_len(&p->remote), p->remote.fam);

	return (conf_table_hash(p->local.b, addr_len(&p->local), h));
}

/* An address of the list that goes with other, which may be any. */
static const struct addr *
fitting(const struct conf_found *f, const struct addr *other, uint8_t fam)
{
	uint8_t	 i;

	for (i = 0; i < f->n; i++)
		if ((fam == ADDR_NONE || f->a[i].fam == fam) &&
		    (other->fam == ADDR_NONE || (f->a[i].fam == other->fam &&
		    addr_cmp(&f->a[i], other) != 0)))
			return (&f->a[i]);
	return (NULL);
}

static const char *
no_address(char *why, const char *name, const struct conf_found *f, uint8_t fam)
{
	if (f->n == 0)
		(void)snprintf(why, CONF_ABSENTLEN, "%.*s does not resolve: %.100s", SHOWN,
		    name, f->why != NULL ? f->why : "not asked yet");
	else
		(void)snprintf(why, CONF_ABSENTLEN, "%.*s has no %s address: change inet, "
		    "inet6 or the other end's address, or the name's entry", SHOWN, name,
		    fam == ADDR_V4 ? "IPv4" : fam == ADDR_V6 ? "IPv6" : "usable");
	return (why);
}

/* NULL, with both ends in place, or why not. */
static const char *
choose(const struct conf_peer *p, conf_lookup *lookup, void *arg, struct addr *local,
    struct addr *remote, char *why)
{
	static const struct addr any;
	struct conf_found	 l, r;
	const struct addr	*a;
	uint8_t			 i, fam = p->fam;

	*local = p->localname != NULL ? any : p->local;
	*remote = p->remotename != NULL ? any : p->remote;
	if (fam == ADDR_NONE)
		fam = p->localname == NULL ? local->fam : remote->fam;
	memset(&l, 0, sizeof(l));
	if (p->localname != NULL) {
		lookup(arg, p->localname, &l);
		if ((a = fitting(&l, remote, fam)) == NULL)
			return (no_address(why, p->localname, &l, fam));
		*local = *a;
	}
	if (p->remotename == NULL)
		return (NULL);
	lookup(arg, p->remotename, &r);
	for (i = 0; i < r.n; i++) {
		if (fam != ADDR_NONE && r.a[i].fam != fam)
			continue;
		if (p->localname != NULL) {
			if ((a = fitting(&l, &r.a[i], fam)) == NULL)
				continue;
			*local = *a;
		} else if (addr_cmp(&r.a[i], local) == 0)
			continue;
		*remote = r.a[i];
		return (NULL);
	}
	return (no_address(why, p->remotename, &r, fam));
}

/* 1: it is somewhere else now; 0; -1. */
static int
place_one(struct conf *c, uint32_t i, conf_lookup *lookup, void *arg, struct table *t)
{
	struct conf_peer	*p = &c->peers[i], was = *p;
	struct where		 k = { c, p };
	struct addr		 local, remote;
	const char		*why;
	char			 text[CONF_ABSENTLEN], a[ADDR_STRLEN];
	int			 moved;

	why = choose(p, lookup, arg, &local, &remote, text);
	if (why == NULL) {
		p->local = local;
		p->remote = remote;
		if (conf_table_find(t, place_hash(p), same_place, &k) != -1) {
			(void)snprintf(text, sizeof(text), "%.*s is at %s, and so is the peer of "
			    "another tunnel with the same identities: tell them apart by dstid",
			    SHOWN, p->remotename != NULL ? p->remotename : p->localname,
			    addr_str(p->remotename != NULL ? &remote : &local, a));
			why = text;
		}
	}
	moved = (why == NULL) != (was.absent == NULL) ||
	    (why != NULL && strcmp(why, was.absent) != 0) ||
	    (why == NULL && (addr_cmp(&was.local, &local) != 0 ||
	    addr_cmp(&was.remote, &remote) != 0));
	if (moved && conf_peer_place(p, &local, &remote, why) == -1) {
		*p = was;
		return (-1);
	}
	if (!moved)
		*p = was;
	if (why == NULL && conf_table_add(t, place_hash(p), i) == -1)
		return (-1);
	return (moved);
}

int
conf_places(struct conf *c, conf_lookup *lookup, void *arg)
{
	struct table	 t;
	uint32_t	 i;
	int		 n = 0, r = 0;

	memset(&t, 0, sizeof(t));
	for (i = 0; r == 0 && i < c->npeers; i++)
		if (!conf_peer_named(&c->peers[i]))
			r = conf_table_add(&t, place_hash(&c->peers[i]), i);
	for (i = 0; r != -1 && i < c->npeers; i++)
		if (conf_peer_named(&c->peers[i]) &&
		    (r = place_one(c, i, lookup, arg, &t)) == 1)
			n++;
	conf_table_free(&t);
	return (r == -1 ? -1 : n);
}
