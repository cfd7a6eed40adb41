/* SPDX-License-Identifier: ISC */
/*
 * Networks within networks.  The kernel gives a packet to the narrowest policy, which is
 * often meant and sometimes a typing error; what nobody means is that two tunnels share
 * a part of their traffic with neither the narrower one on both sides.
 *
 * All remote networks are sorted so that one comes behind those that hold it: a stack of
 * these is all that has to be compared, not each with each.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/lint.h"

#define DEEP	64	/* networks around one that are looked at */

struct net {
	const struct prefix	*p;
	const struct conf_tunnel *t;
};

static int
net_cmp(const void *a, const void *b)
{
	const struct net	*x = a, *y = b;
	int			 r;

	if ((r = addr_cmp(&x->p->addr, &y->p->addr)) != 0)
		return (r);
	if (x->p->len != y->p->len)
		return (x->p->len < y->p->len ? -1 : 1);
	/* the same on each run */
	return (x->t < y->t ? -1 : x->t > y->t);
}

static int
around(const struct prefix *out, const struct prefix *in)
{
	return (out->addr.fam == in->addr.fam && out->len <= in->len &&
	    prefix_contains(out, &in->addr));
}

/* The source networks of the inner one (a) beside those of the outer: -1 apart, 1 some of
 * a is wider than what is there around it, 0 within. */
static int
compare_from(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	unsigned int	 i, k;
	int		 meets = 0;

	for (i = 0; i < a->from.n; i++)
		for (k = 0; k < b->from.n; k++) {
			if (around(&b->fromnet[k], &a->fromnet[i]))
				meets = 1;
			else if (around(&a->fromnet[i], &b->fromnet[k]))
				return (1);
		}
	return (meets ? 0 : -1);
}

static void
tell(const struct net *in, const struct net *out, lint_say *say, void *arg)
{
	char	 text[LINT_TEXTLEN], is[PREFIX_STRLEN], os[PREFIX_STRLEN];
	int	 how;

	/* of one protocol each, or given out: they are meant */
	if (in->t == out->t || in->t->from.t[0].proto != 0 || in->t->dyn != DYN_NO ||
	    (how = compare_from(in->t, out->t)) == -1)
		return;
	if (how == 1)
		(void)snprintf(text, sizeof(text), "to %s lies in %s of \"%s\" (%.100s:%u), whose "
		    "from is the narrower one: which of both gets a packet is decided by "
		    "the kernel; make one narrower on both sides", prefix_str(in->p, is),
		    prefix_str(out->p, os), out->t->name, out->t->file, out->t->line);
	else
		(void)snprintf(text, sizeof(text), "to %s lies in %s of \"%s\" (%.100s:%u): its "
		    "packets go here while this policy stands, never there, also when this "
		    "tunnel is down; correct it, if that is not meant", prefix_str(in->p, is),
		    prefix_str(out->p, os), out->t->name, out->t->file, out->t->line);
	say(arg, in->t, text);
}

int
lint_overlap(const struct conf *c, lint_say *say, void *arg)
{
	const struct net	*stack[DEEP];
	struct net		*v;
	size_t			 n = 0, i, k, depth = 0;
	uint32_t		 t;

	for (t = 0; t < c->ntunnels; t++)
		n += c->tunnels[t].to.n;
	if ((v = reallocarray(NULL, n + 1, sizeof(*v))) == NULL)
		return (-1);
	for (n = 0, t = 0; t < c->ntunnels; t++)
		for (i = 0; i < c->tunnels[t].to.n; i++, n++) {
			v[n].p = &c->tunnels[t].tonet[i];
			v[n].t = &c->tunnels[t];
		}
	qsort(v, n, sizeof(*v), net_cmp);
	for (i = 0; i < n; i++) {
		while (depth > 0 && !around(stack[depth - 1]->p, v[i].p))
			depth--;
		for (k = depth; k > 0; k--)
			if (stack[k - 1]->t != v[i].t &&
			    compare_from(v[i].t, stack[k - 1]->t) != -1) {
				tell(&v[i], stack[k - 1], say, arg);	/* the next one around */
				break;
			}
		if (depth < DEEP)
			stack[depth++] = &v[i];
	}
	free(v);
	return (0);
}
