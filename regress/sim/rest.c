/* SPDX-License-Identifier: ISC */
/*
 * One Child for a tunnel, the same at either end and alone in either kernel; one IKE SA for
 * a peer; nothing that belongs to no tunnel.  Each of these has its own moments: where some
 * tunnels with lifetimes of 25 s go over half a second, a Child is half of its time being
 * replaced, and a moment when no one is may not come in an hour.  What stays double has
 * no moment, however often one looks.
 */

#include <stdio.h>
#include <string.h>

#include "engine/engine_local.h"
#include "rest.h"

/* A moment counts for so long: a rekey of the slowest link with all that follows, and the
 * most frequent of them leave one in that time. */
#define LATELY_MS	30000

static const struct peer *
peer_of(const struct life *l, const struct pair *p, int side)
{
	const struct world	*w = &l->s->n[l->link[p->link].node[side]]->e->w;
	int32_t			 t = tunnel_byname(w, p->name);

	return (t == -1 ? NULL : &w->peers[w->tunnels[t].peer]);
}

static int
kernel_sas(const struct node *n, const char *tunnel)
{
	int	i, k = 0;

	for (i = 0; i < n->nsa; i++)
		k += n->sa[i].used && strcmp(n->sa[i].name, tunnel) == 0;
	return (k);
}

/* The one Child of that tunnel, or NULL: there are others or none. */
static const struct child_sa *
only_child(const struct node *n, const char *tunnel)
{
	const struct world	*w = &n->e->w;
	const struct child_sa	*c;
	int32_t			 t = tunnel_byname(w, tunnel);

	if (t == -1 || (c = child_get(w, w->tunnels[t].children)) == NULL ||
	    c->next[L_TUNNEL] != 0 || c->state != CHILD_UP || c->want_delete ||
	    !c->in_there || !c->out_there || kernel_sas(n, tunnel) != 2)
		return (NULL);
	return (c);
}

static int
pair_rests(struct life *l, const struct pair *p, int calm)
{
	const struct child_sa	*a, *b;

	a = only_child(life_node(l, p, 0), p->name);
	b = only_child(life_node(l, p, 1), p->name);
	return (a != NULL && b != NULL && a->spi_in == b->spi_out &&
	    a->spi_out == b->spi_in && (!calm || (a->nwait == 0 && b->nwait == 0)));
}

static int
side_rests(struct life *l, int link, int side, int calm)
{
	const struct node	*n = l->s->n[l->link[link].node[side]];
	const struct peer	*peer = NULL;
	const struct ike_sa	*ike;
	said			 id;
	int			 i, k = 0;

	for (i = 0; i < l->npairs; i++)
		if (l->pair[i].link == link)
			peer = peer_of(l, &l->pair[i], side);
	if (peer == NULL)
		return (0);
	for (id = peer->ikes; (ike = ike_get(&n->e->w, id)) != NULL; id = ike->next, k++)
		if (ike->state != IKE_UP || (calm && (ike->req.msg != NULL ||
		    ike->check_by.us != 0 || ike->want_check || ike->want_delete)))
			return (0);
	return (k == 1);
}

/* Nothing is there that no tunnel and no peer of the file has.  What is half-open at a
 * responder may yet become an IKE SA that the peer, killed meanwhile, knows nothing of. */
static int
node_rests(const struct node *n, int calm)
{
	const struct ike_sa	*ike;
	const struct child_sa	*c;
	uint32_t		 at;

	if (calm && n->e->w.halves.used > 0)
		return (0);
	for (at = 0; (ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL;)
		if (ike->c.peer == NO_INDEX)
			return (0);
	for (at = 0; (c = slab_walk(&n->e->w.childs, &at, NULL)) != NULL;)
		if (c->tunnel == NO_INDEX)
			return (0);
	return (1);
}

void
rest_begin(struct rest *r)
{
	memset(r, 0, sizeof(*r));
}

static int
lately(const struct life *l, monotime t)
{
	return (t.us != 0 && mono_before(l->s->now, mono_add_ms(t, LATELY_MS)));
}

int
rest_look(struct rest *r, struct life *l, int calm)
{
	int	i, side, ok = 1;

	for (i = 0; i < l->npairs; i++) {
		if (pair_rests(l, &l->pair[i], calm))
			r->pair[i] = l->s->now;
		ok &= lately(l, r->pair[i]);
	}
	for (i = 0; i < l->nlinks; i++)
		for (side = 0; side < 2; side++) {
			if (side_rests(l, i, side, calm))
				r->side[i][side] = l->s->now;
			ok &= lately(l, r->side[i][side]);
		}
	for (i = 0; i < l->nnodes; i++) {
		if (node_rests(l->s->n[i], calm))
			r->node[i] = l->s->now;
		ok &= lately(l, r->node[i]);
	}
	return (ok);
}

void
rest_tell(const struct rest *r, struct life *l)
{
	const struct node	*n;
	int			 i, side;

	for (i = 0; i < l->npairs; i++)
		if (!lately(l, r->pair[i]))
			sim_wrong(l->s, "tunnel %s has found no rest", l->pair[i].name);
	for (i = 0; i < l->nlinks; i++)
		for (side = 0; side < 2; side++)
			if (!lately(l, r->side[i][side]))
				sim_wrong(l->s, "%s has had no rest with %s",
				    l->s->n[l->link[i].node[side]]->name,
				    l->s->n[l->link[i].node[!side]]->name);
	for (i = 0; i < l->nnodes; i++) {
		n = l->s->n[i];
		if (!lately(l, r->node[i]))
			sim_wrong(l->s, "%s keeps what nobody has", n->name);
	}
}
