/* SPDX-License-Identifier: ISC */
/* Birth and death of Child SAs, and the two lists each of them is in. */

#include <stdlib.h>
#include <string.h>

#include "sa/world.h"

struct child_sa *
child_get(const struct world *w, said id)
{
	return (slab_get(&w->childs, id));
}

struct child_sa *
child_live(const struct world *w, said id)
{
	struct child_sa	*c = child_get(w, id);

	return (c != NULL && c->state != CHILD_LINGERING ? c : NULL);
}

static void
link_in(struct world *w, struct child_sa *c, int l, said *head)
{
	struct child_sa	*n;

	c->next[l] = *head;
	c->prev[l] = 0;
	if ((n = child_get(w, *head)) != NULL)
		n->prev[l] = c->id;
	*head = c->id;
}

static void
link_out(struct world *w, struct child_sa *c, int l, said *head)
{
	struct child_sa	*x;

	if ((x = child_get(w, c->next[l])) != NULL)
		x->prev[l] = c->prev[l];
	if ((x = child_get(w, c->prev[l])) != NULL)
		x->next[l] = c->next[l];
	else if (head != NULL && *head == c->id)
		*head = c->next[l];
	c->next[l] = c->prev[l] = 0;
}

struct child_sa *
child_new(struct world *w, struct ike_sa *ike, uint32_t tunnel, uint32_t spi_in)
{
	struct child_sa	*c;
	said		 id;

	if (timers_reserve(&w->timers, 1) == -1)
		return (NULL);
	if ((c = slab_alloc(&w->childs, &id)) == NULL) {
		timers_unreserve(&w->timers, 1);
		return (NULL);
	}
	c->id = id;
	c->ike = ike->id;
	c->tunnel = tunnel;
	c->spi_in = spi_in;
	if (child_hash_add(w, c) == -1) {
		timers_unreserve(&w->timers, 1);
		slab_release(&w->childs, id);
		return (NULL);
	}
	c->state = CHILD_INSTALLING;
	c->born = c->in_moved = c->out_moved = w->now;
	c->local = ike->c.local;
	c->remote = ike->c.remote;
	c->encap = ike->c.encap;
	c->timer.kind = T_CHILD;
	c->timer.owner = id;
	link_in(w, c, L_IKE, &ike->children);
	link_in(w, c, L_TUNNEL, &w->tunnels[tunnel].children);
	ike->nchildren++;
	return (c);
}

static void
wipe_sa(struct kern_sa **p)
{
	if (*p != NULL)
		explicit_bzero(*p, sizeof(**p));
	free(*p);
	*p = NULL;
}

void
child_forget_keys(struct child_sa *c)
{
	wipe_sa(&c->out_later);
	wipe_sa(&c->keep[0]);
	wipe_sa(&c->keep[1]);
}

void
child_free(struct world *w, struct child_sa *c)
{
	struct ike_sa	*ike = ike_get(w, c->ike);

	link_out(w, c, L_IKE, ike != NULL ? &ike->children : NULL);
	if (ike != NULL)
		ike->nchildren--;
	if (c->tunnel != NO_INDEX)
		link_out(w, c, L_TUNNEL, &w->tunnels[c->tunnel].children);
	child_hash_del(w, c);
	likes_del(&w->selectors, c->id);
	child_forget_keys(c);
	free(c->ts);
	c->ts = NULL;
	timer_cancel(&w->timers, &c->timer);
	timers_unreserve(&w->timers, 1);
	slab_release(&w->childs, c->id);
}

int
child_set_ts(struct world *w, struct child_sa *c, const struct tslist *l,
    const struct tslist *r)
{
	struct ts	*p;

	if ((p = calloc((size_t)l->n + r->n, sizeof(*p))) == NULL)
		return (-1);
	memcpy(p, l->t, l->n * sizeof(*p));
	memcpy(p + l->n, r->t, r->n * sizeof(*p));
	free(c->ts);
	c->ts = p;
	c->ntsl = l->n;
	c->ntsr = r->n;
	likes_del(&w->selectors, c->id);
	likes_add(&w->selectors, c->id, child_hash_ts(w, l, r));
	return (0);
}

void
child_get_ts(const struct child_sa *c, struct tslist *l, struct tslist *r)
{
	memset(l, 0, sizeof(*l));
	memset(r, 0, sizeof(*r));
	if (c->ts == NULL)
		return;
	l->n = c->ntsl;
	r->n = c->ntsr;
	memcpy(l->t, c->ts, c->ntsl * sizeof(*c->ts));
	memcpy(r->t, c->ts + c->ntsl, c->ntsr * sizeof(*c->ts));
}

void
child_move(struct world *w, struct child_sa *c, struct ike_sa *to)
{
	struct ike_sa	*ike = ike_get(w, c->ike);

	link_out(w, c, L_IKE, ike != NULL ? &ike->children : NULL);
	if (ike != NULL)
		ike->nchildren--;
	c->ike = to->id;
	link_in(w, c, L_IKE, &to->children);
	to->nchildren++;
}

struct child_sa *
child_of_tunnel(const struct world *w, uint32_t tunnel)
{
	struct child_sa	*c;
	said		 id;

	for (id = w->tunnels[tunnel].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL])
		if (c->state == CHILD_UP && !c->want_delete && !c->redundant)
			return (c);
	return (NULL);
}

int
tunnel_installing(const struct world *w, uint32_t i)
{
	const struct child_sa	*c;
	said			 id;

	for (id = w->tunnels[i].children; (c = child_get(w, id)) != NULL;
	    id = c->next[L_TUNNEL])
		if (c->state == CHILD_INSTALLING && !c->want_delete)
			return (1);
	return (0);
}

struct child_sa *
child_byout(const struct world *w, const struct ike_sa *ike, uint32_t spi_out)
{
	struct child_sa	*c = NULL;

	while ((c = child_byout_next(w, c, spi_out)) != NULL && (c->ike != ike->id ||
	    c->state == CHILD_LINGERING))
		;
	return (c);
}
