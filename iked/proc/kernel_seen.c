/* SPDX-License-Identifier: ISC */
/* Policies as values: how they compare, and what a dump showed. */

#include <stdlib.h>
#include <string.h>

#include "proc/kernel.h"

static int
cmp_u32(uint32_t a, uint32_t b)
{
	return (a < b ? -1 : a > b);
}

int
kpol_cmp(const struct kern_policy *a, const struct kern_policy *b)
{
	int c;

	if ((c = cmp_u32((uint32_t)a->dir, (uint32_t)b->dir)) != 0 ||
	    (c = prefix_cmp(&a->src, &b->src)) != 0 ||
	    (c = prefix_cmp(&a->dst, &b->dst)) != 0 ||
	    (c = cmp_u32(a->proto, b->proto)) != 0 ||
	    (c = cmp_u32(a->sport, b->sport)) != 0)
		return (c);
	return (cmp_u32(a->dport, b->dport));
}

int
kpol_same(const struct kern_policy *a, const struct kern_policy *b)
{
	return (kpol_cmp(a, b) == 0 && a->action == b->action &&
	    a->prio == b->prio && a->reqid == b->reqid &&
	    a->transport == b->transport && addr_cmp(&a->tsrc, &b->tsrc) == 0 &&
	    addr_cmp(&a->tdst, &b->tdst) == 0);
}

int
kpol_as(const struct kern_policy *is, const struct kern_policy *want)
{
	struct kern_policy p = *is;

	if (p.prio == 0)
		p.prio = want->prio;
	if (p.action != KERN_IPSEC && want->action == p.action) {
		p.reqid = want->reqid;
		p.transport = want->transport;
	}
	if (p.transport || p.action != KERN_IPSEC) {
		p.tsrc = want->tsrc;
		p.tdst = want->tdst;
	}
	return (!p.use && kpol_same(&p, want));
}

static int
qcmp_policy(const void *a, const void *b)
{
	return (kpol_cmp(a, b));
}

void
kseen_add(struct kseen *s, const struct kern_policy *p)
{
	struct kern_policy *q;
	size_t cap;

	if (s->n == s->cap) {
		cap = s->cap == 0 ? 64 : s->cap * 2;
		if ((q = reallocarray(s->p, cap, sizeof(*q))) == NULL) {
			s->err = 1;
			return;
		}
		s->p = q;
		s->cap = cap;
	}
	s->p[s->n++] = *p;
}

void
kseen_sort(struct kseen *s)
{
	if (s->n > 0)
		qsort(s->p, s->n, sizeof(*s->p), qcmp_policy);
}

void
kseen_free(struct kseen *s)
{
	free(s->p);
	memset(s, 0, sizeof(*s));
}

const struct kern_policy *
kseen_find(const struct kseen *s, const struct kern_policy *p)
{
	if (s->n == 0)
		return (NULL);
	return (bsearch(p, s->p, s->n, sizeof(*s->p), qcmp_policy));
}

int
kseen_has(const struct kseen *s, const struct kern_policy *want)
{
	const struct kern_policy *p = kseen_find(s, want);

	while (p != NULL && p > s->p && kpol_cmp(p - 1, want) == 0)
		p--;
	for (; p != NULL && p < s->p + s->n && kpol_cmp(p, want) == 0; p++)
		if ((p->mark | p->if_id) == 0 && kpol_as(p, want))
			return (1);
	return (0);
}
