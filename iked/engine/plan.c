/* SPDX-License-Identifier: ISC */
/* What a new generation would change, without changing it. */

#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"

void
plan_free(struct engine *e)
{
	free(e->plan);
	e->plan = NULL;
	e->nplan = 0;
}

static void
plan_set(const struct world *w, struct show_plan *p, const char *name, int32_t old)
{
	(void)strlcpy(p->name, name, sizeof(p->name));
	p->up = old != -1 && child_of_tunnel(w, (uint32_t)old) != NULL;
}

int
engine_plan(struct engine *e, const struct conf *nc)
{
	const struct world	*w = &e->w;
	const struct conf	*oc = w->conf;
	struct show_plan	*p;
	uint32_t		 i, no = oc != NULL ? oc->ntunnels : 0;
	int32_t			 o;

	plan_free(e);
	if ((p = calloc((size_t)no + nc->ntunnels + 1, sizeof(*p))) == NULL)
		return (-1);
	e->plan = p;
	for (i = 0; i < nc->ntunnels; i++, p++) {
		o = oc == NULL ? -1 : conf_tunnel_byname(oc, nc->tunnels[i].name);
		plan_set(w, p, nc->tunnels[i].name, o);
		p->change = CHANGE_ADDED;
		if (o == -1)
			continue;
		p->fields = conf_tunnel_diff(oc, &oc->tunnels[o], nc, &nc->tunnels[i]);
		p->change = conf_change(p->fields);
	}
	for (i = 0; i < no; i++) {
		if (conf_tunnel_byname(nc, oc->tunnels[i].name) != -1)
			continue;
		plan_set(w, p, oc->tunnels[i].name, (int32_t)i);
		p++->change = CHANGE_REMOVED;
	}
	e->nplan = (uint32_t)(p - e->plan);
	return (0);
}

int
plan_next(struct engine *e, uint64_t *cursor, struct show_plan *p)
{
	if (*cursor >= e->nplan) {
		plan_free(e);
		return (0);
	}
	*p = e->plan[(*cursor)++];
	return (1);
}
