/* SPDX-License-Identifier: ISC */
/* Traffic selectors as plain values (RFC 7296 3.13). */

#include <stdio.h>
#include <string.h>

#include "base/ts.h"

#define PORT_MAX	65535

static int
ports_any(const struct ts *t)
{
	return (t->sport == 0 && t->eport == PORT_MAX);
}

/* OPAQUE: the ports cannot be seen, as in fragments (RFC 7296 3.13.1). */
static int
ports_opaque(const struct ts *t)
{
	return (t->sport == PORT_MAX && t->eport == 0);
}

void
ts_from_prefix(struct ts *t, const struct prefix *p, uint8_t proto,
    uint16_t port)
{
	size_t i, n = addr_len(&p->addr);
	unsigned int len = p->len;

	memset(t, 0, sizeof(*t));
	t->proto = proto;
	t->sport = port;
	t->eport = port == 0 ? PORT_MAX : port;
	t->start = t->end = p->addr;
	for (i = 0; i < n; i++) {
		if (len >= 8)
			len -= 8;
		else {
			t->start.b[i] &= (uint8_t)(0xff00U >> len);
			t->end.b[i] |= (uint8_t)(0xffU >> len);
			len = 0;
		}
	}
}

int
ts_to_prefix(const struct ts *t, struct prefix *p)
{
	struct ts whole;
	unsigned int bit, bits;

	memset(p, 0, sizeof(*p));
	bits = (unsigned int)addr_len(&t->start) * 8;
	for (bit = 0; bit < bits; bit++)
		if ((t->start.b[bit / 8] ^ t->end.b[bit / 8]) &
		    (0x80U >> (bit % 8)))
			break;
	p->addr = t->start;
	p->len = (uint8_t)bit;
	ts_from_prefix(&whole, p, 0, 0);
	p->addr = whole.start;
	return (addr_cmp(&whole.start, &t->start) == 0 &&
	    addr_cmp(&whole.end, &t->end) == 0);
}

int
ts_valid(const struct ts *t)
{
	if (addr_len(&t->start) == 0 || t->start.fam != t->end.fam ||
	    addr_cmp(&t->start, &t->end) > 0)
		return (0);
	if (ports_any(t) || ports_opaque(t))
		return (1);
	/* "including protocol 0 ... this field MUST be zero" (3.13.1) */
	return (t->proto != 0 && t->sport <= t->eport);
}

int
ts_equal(const struct ts *a, const struct ts *b)
{
	return (a->proto == b->proto && a->sport == b->sport &&
	    a->eport == b->eport && addr_cmp(&a->start, &b->start) == 0 &&
	    addr_cmp(&a->end, &b->end) == 0);
}

/* ANY holds OPAQUE (RFC 4301 4.4.1.1), a range of ports does not. */
static int
ports_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	if (ports_opaque(a) || ports_opaque(b)) {
		out->sport = PORT_MAX;
		out->eport = 0;
		return ((ports_opaque(a) || ports_any(a)) &&
		    (ports_opaque(b) || ports_any(b)));
	}
	out->sport = a->sport > b->sport ? a->sport : b->sport;
	out->eport = a->eport < b->eport ? a->eport : b->eport;
	return (out->sport <= out->eport);
}

int
ts_intersect(const struct ts *a, const struct ts *b, struct ts *out)
{
	struct ts t;

	if (!ts_valid(a) || !ts_valid(b) || a->start.fam != b->start.fam)
		return (0);
	if (a->proto != 0 && b->proto != 0 && a->proto != b->proto)
		return (0);
	memset(&t, 0, sizeof(t));
	t.proto = a->proto != 0 ? a->proto : b->proto;
	if (!ports_intersect(a, b, &t))
		return (0);
	t.start = addr_cmp(&a->start, &b->start) > 0 ? a->start : b->start;
	t.end = addr_cmp(&a->end, &b->end) < 0 ? a->end : b->end;
	if (addr_cmp(&t.start, &t.end) > 0)
		return (0);
	*out = t;
	return (1);
}

int
ts_within(const struct ts *inner, const struct ts *outer)
{
	struct ts t;

	return (ts_intersect(inner, outer, &t) && ts_equal(&t, inner));
}

static int
tslist_has(const struct tslist *l, const struct ts *t)
{
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (ts_equal(&l->t[i], t))
			return (1);
	return (0);
}

int
tslist_equal(const struct tslist *a, const struct tslist *b)
{
	unsigned int i;

	for (i = 0; i < a->n; i++)
		if (!tslist_has(b, &a->t[i]))
			return (0);
	for (i = 0; i < b->n; i++)
		if (!tslist_has(a, &b->t[i]))
			return (0);
	return (1);
}

/* The address after a, 0 at the end of the family's space. */
static int
addr_next(struct addr *a)
{
	size_t i;

	for (i = addr_len(a); i > 0; i--)
		if (++a->b[i - 1] != 0)
			return (1);
	return (0);
}

/*
 * A peer may merge neighbours we listed apart, so one selector may be covered
 * by several together.  We walk from its first address: whichever of outer
 * holds the part from here on and reaches farthest takes us further.
 */
static int
ts_covered(const struct ts *inner, const struct tslist *outer)
{
	struct ts rest = *inner, cut, best;
	unsigned int i;
	int found;

	if (!ts_valid(inner))
		return (0);
	for (;;) {
		found = 0;
		for (i = 0; i < outer->n; i++) {
			if (!ts_intersect(&rest, &outer->t[i], &cut) ||
			    addr_cmp(&cut.start, &rest.start) != 0 ||
			    cut.proto != rest.proto ||
			    cut.sport != rest.sport || cut.eport != rest.eport)
				continue;
			if (!found || addr_cmp(&cut.end, &best.end) > 0)
				best = cut;
			found = 1;
		}
		if (!found)
			return (0);
		if (addr_cmp(&best.end, &rest.end) == 0)
			return (1);
		rest.start = best.end;
		if (!addr_next(&rest.start))
			return (0);
	}
}

int
tslist_within(const struct tslist *inner, const struct tslist *outer)
{
	unsigned int i;

	for (i = 0; i < inner->n; i++)
		if (!ts_covered(&inner->t[i], outer))
			return (0);
	return (1);
}

/* Adds t unless the list holds it already; drops what t makes superfluous. */
static void
tslist_add(struct tslist *l, const struct ts *t)
{
	unsigned int i, n = 0;

	for (i = 0; i < l->n; i++)
		if (ts_within(t, &l->t[i]))
			return;
	for (i = 0; i < l->n; i++)
		if (!ts_within(&l->t[i], t))
			l->t[n++] = l->t[i];
	l->n = (uint8_t)n;
	if (n < TS_MAX) {
		l->t[n] = *t;
		l->n++;
	}
}

int
tslist_narrow(const struct tslist *offered, const struct tslist *ours,
    struct tslist *out)
{
	struct tslist res;
	struct ts t;
	unsigned int i, j;

	memset(&res, 0, sizeof(res));
	for (i = 0; i < offered->n && i < TS_MAX; i++)
		for (j = 0; j < ours->n && j < TS_MAX; j++)
			if (ts_intersect(&offered->t[i], &ours->t[j], &t))
				tslist_add(&res, &t);
	*out = res;
	return (res.n);
}

/* "10.1.0.0/24", or "first-last" where no prefix fits. */
static void
range_str(const struct ts *t, char *dst, size_t cap)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN], ps[PREFIX_STRLEN];
	struct prefix p;

	if (ts_valid(t) && ts_to_prefix(t, &p))
		(void)snprintf(dst, cap, "%s", prefix_str(&p, ps));
	else
		(void)snprintf(dst, cap, "%s-%s", addr_str(&t->start, a),
		    addr_str(&t->end, b));
}

char *
ts_str(const struct ts *t, char dst[TS_STRLEN])
{
	char range[2 * ADDR_STRLEN], proto[8], ports[24];

	range_str(t, range, sizeof(range));
	if (t->proto == 0)
		(void)snprintf(proto, sizeof(proto), "any");
	else
		(void)snprintf(proto, sizeof(proto), "%u",
		    (unsigned int)t->proto);
	if (ports_any(t))
		ports[0] = '\0';
	else if (ports_opaque(t))
		(void)snprintf(ports, sizeof(ports), "/opaque");
	else if (t->sport == t->eport)
		(void)snprintf(ports, sizeof(ports), "/%u",
		    (unsigned int)t->sport);
	else
		(void)snprintf(ports, sizeof(ports), "/%u-%u",
		    (unsigned int)t->sport, (unsigned int)t->eport);
	if (t->proto == 0 && ports[0] == '\0')
		(void)snprintf(dst, TS_STRLEN, "%s", range);
	else
		(void)snprintf(dst, TS_STRLEN, "%s[%s%s]", range, proto, ports);
	return (dst);
}

char *
tslist_str(const struct tslist *l, char *dst, size_t cap)
{
	char one[TS_STRLEN];
	size_t len = 0, n;
	unsigned int i;

	if (cap > 0)
		dst[0] = '\0';
	if (l->n == 0)
		(void)snprintf(dst, cap, "nothing");
	for (i = 0; i < l->n; i++) {
		n = strlen(ts_str(&l->t[i], one));
		/* room for this one, and for saying that there are more */
		if (len + n + 8 > cap) {
			if (len + 6 < cap)
				(void)snprintf(dst + len, cap - len, ", ...");
			break;
		}
		len += (size_t)snprintf(dst + len, cap - len, "%s%s",
		    i > 0 ? ", " : "", one);
	}
	return (dst);
}
