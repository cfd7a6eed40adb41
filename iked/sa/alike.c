/* SPDX-License-Identifier: ISC */
/* IKE SAs of one identity, Children of the same selectors: without a look at all others. */

#include <string.h>

#include "base/siphash.h"
#include "sa/world.h"

/* Peers choose what goes in. */
static uint32_t
hash(const struct world *w, const void *p, size_t len)
{
	uint8_t	key[SIPHASH_KEYLEN] = { 0 };

	memcpy(key, &w->hashkey, sizeof(w->hashkey));
	return ((uint32_t)siphash24(key, p, len));
}

/* Of all that ike_same_peer() compares. */
static uint32_t
name_hash(const struct world *w, const struct ike_sa *ike)
{
	return (hash(w, ike->rid->data, ike->rid->len) + ike->c.peer * 0x9e3779b1U);
}

void
ike_named(struct world *w, struct ike_sa *ike)
{
	if (ike->rid != NULL)
		likes_add(&w->names, ike->id, name_hash(w, ike));
}

static uint32_t
name_again(const void *arg, said id)
{
	const struct world	*w = arg;

	return (name_hash(w, ike_get(w, id)));
}

void
ikes_named_again(struct world *w)
{
	likes_again(&w->names, name_again, w);
}

struct ike_sa *
ike_alike(const struct world *w, const struct ike_sa *ike, const struct ike_sa *o)
{
	said	id;

	if (!ike->like.in)		/* it has no name: it may be anybody's */
		id = o != NULL ? o->next : w->peers[ike->c.peer].ikes;
	else
		id = o != NULL ? likes_next(&w->names, o->id) :
		    likes_first(&w->names, ike->like.hash);
	for (; (o = ike_get(w, id)) != NULL;
	    id = ike->like.in ? likes_next(&w->names, id) : o->next)
		if (o != ike && ike_same_peer(o, ike))
			break;
	return (ike_get(w, id));
}

/* The greatest, so that order and repetition do not count. */
static uint32_t
list_hash(const struct world *w, const struct tslist *l)
{
	uint8_t		b[5 + 2 * sizeof(struct addr)];
	struct wbuf	o;
	uint32_t	h, max = 0;
	uint8_t		i;

	for (i = 0; i < l->n; i++) {
		wbuf_init(&o, b, sizeof(b));
		wbuf_u8(&o, l->t[i].proto);
		wbuf_u16(&o, l->t[i].sport);
		wbuf_u16(&o, l->t[i].eport);
		wbuf_bytes(&o, l->t[i].start.b, addr_len(&l->t[i].start));
		wbuf_bytes(&o, l->t[i].end.b, addr_len(&l->t[i].end));
		if ((h = hash(w, b, o.len)) > max)
			max = h;
	}
	return (max);
}

uint32_t
child_hash_ts(const struct world *w, const struct tslist *l, const struct tslist *r)
{
	return (list_hash(w, l) * 31 + list_hash(w, r));
}

struct child_sa *
child_alike(const struct world *w, uint32_t tunnel, uint32_t h, const struct child_sa *c)
{
	said	id = c != NULL ? likes_next(&w->selectors, c->id) :
		    likes_first(&w->selectors, h);

	while ((c = child_get(w, id)) != NULL && c->tunnel != tunnel)
		id = likes_next(&w->selectors, id);
	return (child_get(w, id));
}
