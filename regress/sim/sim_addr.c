/* SPDX-License-Identifier: ISC */
/* Addresses of simulated nodes, and how they change. */

#include <string.h>

#include "sim_local.h"

int
sim_owns(const struct node *n, const struct addr *a)
{
	int	i;

	for (i = 0; i < n->nmore; i++)
		if (addr_cmp(&n->more[i], a) == 0)
			return (1);
	return (addr_cmp(&n->addr, a) == 0);
}

const struct addr *
sim_source(const struct node *n, const struct addr *dst)
{
	int	i;

	if (n->noroute)
		return (NULL);
	if (n->addr.fam == dst->fam)
		return (&n->addr);
	for (i = 0; i < n->nmore; i++)
		if (n->more[i].fam == dst->fam)
			return (&n->more[i]);
	return (NULL);
}

/* One of a node's addresses has no way. */
int
sim_no_way(struct sim *s, const struct node *from, const struct packet *p)
{
	int	i;

	for (i = 0; i < s->nnodes; i++)
		if (s->n[i]->no_way.fam != ADDR_NONE &&
		    (addr_cmp(&s->n[i]->no_way, &p->dst.addr) == 0 ||
		    (s->n[i] == from && addr_cmp(&from->no_way, &p->src.addr) == 0)))
			return (1);
	return (0);
}

void
sim_tell_addrs(struct node *n)
{
	struct addr	a[SIM_ADDRS + 1];

	if (n->e == NULL)
		return;
	a[0] = n->addr;
	memcpy(a + 1, n->more, sizeof(n->more));
	engine_addresses(n->e, n->sim->now, a, (size_t)n->nmore + 1);
}

void
sim_addr_add(struct node *n, const char *addr)
{
	if (n->nmore == SIM_ADDRS || addr_parse(&n->more[n->nmore], addr) == -1)
		sim_die("address");
	n->nmore++;
	sim_tell_addrs(n);
}

void
sim_move(struct node *n, const char *addr, int keep)
{
	struct addr	a;
	int		i;

	if (addr_parse(&a, addr) == -1 || (keep && n->nmore == SIM_ADDRS))
		sim_die("address");
	for (i = 0; i < n->nmore; i++)
		if (addr_cmp(&n->more[i], &a) == 0)
			n->more[i] = n->more[--n->nmore];
	if (keep)
		n->more[n->nmore++] = n->addr;
	n->addr = a;
	sim_tell_addrs(n);
}
