/* SPDX-License-Identifier: ISC */
/*
 * Counters are read for many Children at a time.  Those whose time has come in one tick
 * are gathered, and go out as one question when it is full or the tick is over.  There are
 * only so many questions: when none is free, the kernel is behind and gets no more of them.
 */

#include <errno.h>
#include <string.h>

#include "engine/engine_local.h"

static struct poll *
open_poll(struct world *w)
{
	int	i;

	for (i = 0; w->poll == NULL && i < POLLS; i++)
		if (w->polls[i].n == 0)
			w->poll = &w->polls[i];
	return (w->poll);
}

static void
fill(const struct world *w, const struct child_sa *c, struct count_ask *a)
{
	a->tunnel = c->tunnel;
	a->spi_in = c->spi_in;
	a->spi_out = c->out_there ? c->spi_out : 0;
	a->local = c->local.addr;
	a->remote = c->remote.addr;
	a->moved = child_away(w, c);
}

int
poll_add(struct world *w, struct child_sa *c)
{
	struct poll	*p;

	if ((p = open_poll(w)) == NULL)
		return (-1);
	p->child[p->n++] = c->id;
	c->polling = 1;
	if (p->n == COUNT_MAX)
		poll_send(w);
	return (0);
}

/* All that are in it may be asked again. */
static void
forget(struct world *w, struct poll *p)
{
	struct child_sa	*c;
	uint8_t		 i;

	for (i = 0; i < p->n; i++)
		if ((c = child_get(w, p->child[i])) != NULL)
			c->polling = 0;
	p->n = 0;
	p->token = 0;
}

void
poll_send(struct world *w)
{
	struct poll		*p = w->poll;
	UNFILLED struct kernel_count q;
	struct child_sa		*c;
	struct job		*j;
	uint8_t			 i, n = 0;

	w->poll = NULL;
	if (p == NULL)
		return;
	p->both = 0;
	q.gen = w->conf != NULL ? w->conf->gen : 0;
	for (i = 0; i < p->n; i++)
		if ((c = child_get(w, p->child[i])) != NULL && c->tunnel != NO_INDEX) {
			memset(&q.a[n], 0, sizeof(q.a[n]));
			fill(w, c, &q.a[n]);
			p->both |= (uint64_t)(q.a[n].spi_out != 0) << n;
			p->child[n++] = c->id;
		}
	p->n = n;
	if (n == 0 || (j = job_new(w, J_COUNT, (said)(p - w->polls) + 1, 0)) == NULL) {
		forget(w, p);
		return;
	}
	q.n = n;
	q.token = p->token = j->token;
	w->fx.count(w->fx.arg, &q);
}

void
poll_answer(struct world *w, const struct job *j, const struct kernel_counted *a)
{
	struct poll	*p = &w->polls[j->owner - 1];
	struct child_sa	*c;
	uint8_t		 i, n = p->n;

	if (p->token != j->token)
		return;
	if (a == NULL || a->n != n) {
		forget(w, p);
		return;
	}
	p->n = 0;
	p->token = 0;
	for (i = 0; i < n; i++) {
		if ((c = child_get(w, p->child[i])) == NULL)
			continue;
		c->polling = 0;
		liveness_counted(w, c, KERN_IN, &a->in[i]);
		if (p->both >> i & 1)
			liveness_counted(w, c, KERN_OUT, &a->out[i]);
	}
}
