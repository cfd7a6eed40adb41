/* SPDX-License-Identifier: ISC */
/* `ipsecctl diff': which tunnel of one side is which of the other, and the verdict. */

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "print.h"

#define EXIT_ERROR	2
#define UNPAIRED	UINT32_MAX
#define CANDIDATES	(1U << 20)
#define MANY		500		/* peers; selectors are not searched then */
#define LEFT_SAID	20

/* 1, or 0: the same was said already. */
static int
line(struct diff *d, const char *kind, const char *fmt, va_list ap)
{
	char text[2 * CELL_MAX], clean[2 * CELL_MAX];
	unsigned int i;
	uint64_t mark;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	mark = siphash24(d->key, text, strlen(text));
	for (i = 0; i < d->nsaid; i++)
		if (d->said[i] == mark)
			return (0);
	if (d->nsaid < DIFF_SAID)
		d->said[d->nsaid++] = mark;
	(void)fprintf(d->out, "%s%s%s%s\n", kind, d->name, d->name[0] != '\0' ? ": " :
	    "", print_clean(clean, sizeof(clean), text));
	return (1);
}

void
diff_say(struct diff *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->ndiffs += (unsigned int)line(d, "", fmt, ap);
	va_end(ap);
}

void
diff_note(struct diff *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->nnotes += (unsigned int)line(d, "note: ", fmt, ap);
	va_end(ap);
}

char *
diff_place(const struct place *p, char dst[PLACE_LEN])
{
	if (p->file == NULL)
		(void)strlcpy(dst, "?", PLACE_LEN);
	else if (p->line == 0)
		(void)strlcpy(dst, p->file, PLACE_LEN);
	else
		(void)snprintf(dst, PLACE_LEN, "%s:%u", p->file, p->line);
	return (dst);
}

char *
diff_time(uint32_t s, char dst[TIME_LEN])
{
	if (s % 86400 == 0)
		(void)snprintf(dst, TIME_LEN, "%ud", s / 86400);
	else if (s % 3600 == 0)
		(void)snprintf(dst, TIME_LEN, "%uh", s / 3600);
	else if (s % 60 == 0)
		(void)snprintf(dst, TIME_LEN, "%um", s / 60);
	else
		(void)snprintf(dst, TIME_LEN, "%us", s);
	return (dst);
}

/* Child SAs are asked for by their peer, and a parser may have mixed them. */
static int
by_peer(const struct side *s, uint32_t **order, uint32_t **first)
{
	uint32_t i, n, sum = 0;

	*order = reallocarray(NULL, s->nchildren + 1, sizeof(**order));
	*first = calloc(s->npeers + 2, sizeof(**first));
	if (*order == NULL || *first == NULL)
		return (-1);
	for (i = 0; i < s->nchildren; i++)
		(*first)[s->children[i].peer]++;
	for (i = 0; i <= s->npeers; i++) {
		n = (*first)[i];
		(*first)[i] = sum;
		sum += n;
	}
	for (i = 0; i < s->nchildren; i++)
		(*order)[(*first)[s->children[i].peer]++] = i;
	/* each now is where the next begins */
	for (i = s->npeers; i > 0; i--)
		(*first)[i] = (*first)[i - 1];
	(*first)[0] = 0;
	return (0);
}

struct candidate {
	uint32_t	a, b;
	int		score;
};

/* How much speaks for it; 0: nothing does. */
static int
score(const struct diff *d, uint32_t i, uint32_t j)
{
	const struct side_peer *a = &d->a->peers[i], *b = &d->b->peers[j];
	int l = diff_address(&a->local, b), r = diff_address(&b->local, a);
	int s = 4 * (l == 2) + 4 * (r == 2) - 3 * (l == 0) - 3 * (r == 0);

	if (l * r == 0 && d->a->npeers > MANY && d->b->npeers > MANY)
		return (0);
	s += 3 * (diff_identity(a, b) == 2) + 3 * (diff_identity(b, a) == 2);
	return (s + 8 * diff_mirrors(d, i, j));
}

static int
better(const void *x, const void *y)
{
	const struct candidate *p = x, *q = y;

	if (p->score != q->score)
		return (p->score > q->score ? -1 : 1);
	if (p->a != q->a)
		return (p->a < q->a ? -1 : 1);
	return (p->b < q->b ? -1 : p->b > q->b);
}

static struct candidate *
candidates(struct diff *d, size_t *n)
{
	struct candidate *c = NULL, *p;
	size_t cap = 0;
	uint32_t i, j;
	int s;

	*n = 0;
	for (i = 0; i < d->a->npeers; i++)
		for (j = 0; j < d->b->npeers; j++) {
			if ((s = score(d, i, j)) <= 0 || *n == CANDIDATES)
				continue;
			if (*n == cap) {
				cap = cap == 0 ? 64 : 2 * cap;
				if ((p = reallocarray(c, cap, sizeof(*c))) == NULL) {
					d->nomem = 1;
					return (c);
				}
				c = p;
			}
			c[*n].a = i;
			c[*n].b = j;
			c[(*n)++].score = s;
		}
	if (*n > 0)
		qsort(c, *n, sizeof(*c), better);
	return (c);
}

/* The best first; a single one on each side is meant for the other. */
static void
pair_up(struct diff *d, uint32_t *ab, uint32_t *ba)
{
	struct candidate *c;
	size_t n, i;

	c = candidates(d, &n);
	for (i = 0; i < n; i++)
		if (ab[c[i].a] == UNPAIRED && ba[c[i].b] == UNPAIRED) {
			ab[c[i].a] = c[i].b;
			ba[c[i].b] = c[i].a;
		}
	free(c);
	if (d->a->npeers == 1 && d->b->npeers == 1) {
		ab[0] = 0;
		ba[0] = 0;
	}
}

static void
pair_name(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	d->nsaid = 0;
	if (strcmp(a->name, b->name) == 0)
		(void)strlcpy(d->name, a->name, sizeof(d->name));
	else
		(void)snprintf(d->name, sizeof(d->name), "%s/%s", a->name, b->name);
}

/* Those of one side without the other: fine when it is a hub with other peers. */
static void
leftovers(struct diff *d, const struct side *s, const uint32_t *map,
    const struct side *other, const uint32_t *othermap)
{
	char at[PLACE_LEN];
	uint32_t i, left = 0, otherleft = 0, said = 0;

	for (i = 0; i < s->npeers; i++)
		left += map[i] == UNPAIRED;
	for (i = 0; i < other->npeers; i++)
		otherleft += othermap[i] == UNPAIRED;
	d->name[0] = '\0';
	if (left > 0 && otherleft == 0) {
		diff_note(d, "%s: %u other peer%s not for %s: not compared", s->file,
		    left, left == 1 ? " is" : "s are", other->file);
		return;
	}
	for (i = 0; i < s->npeers && said < LEFT_SAID; i++)
		if (map[i] == UNPAIRED) {
			said++;
			(void)strlcpy(d->name, s->peers[i].name, sizeof(d->name));
			diff_say(d, "%s: %s has no peer for it: neither endpoints nor "
			    "networks fit", diff_place(&s->peers[i].at, at),
			    other->file);
		}
	d->name[0] = '\0';
}

static void
notes(struct diff *d, const struct side *s)
{
	unsigned int i;
	char at[PLACE_LEN];

	d->name[0] = '\0';
	for (i = 0; i < s->nnotes; i++)
		diff_note(d, "%s: %s", diff_place(&s->note[i].at, at), s->note[i].text);
}

static void
compare(struct diff *d, uint32_t *ab, uint32_t *ba)
{
	uint32_t i;

	pair_up(d, ab, ba);
	for (i = 0; i < d->a->npeers && !d->nomem; i++) {
		if (ab[i] == UNPAIRED)
			continue;
		d->npairs++;
		pair_name(d, &d->a->peers[i], &d->b->peers[ab[i]]);
		diff_peers(d, &d->a->peers[i], &d->b->peers[ab[i]]);
		diff_children(d, i, ab[i]);
	}
	leftovers(d, d->a, ab, d->b, ba);
	leftovers(d, d->b, ba, d->a, ab);
	if (d->npairs == 0)
		diff_say(d, "%s and %s have no tunnel in common", d->a->file,
		    d->b->file);
}

int
diff_sides(const struct side *a, const struct side *b, FILE *out)
{
	struct diff d;
	uint32_t *ab, *ba;

	memset(&d, 0, sizeof(d));
	d.a = a;
	d.b = b;
	d.out = out;
	arc4random_buf(d.key, sizeof(d.key));
	ab = reallocarray(NULL, a->npeers + 1, sizeof(*ab));
	ba = reallocarray(NULL, b->npeers + 1, sizeof(*ba));
	if (ab == NULL || ba == NULL ||
	    by_peer(a, &d.order[0], &d.first[0]) == -1 ||
	    by_peer(b, &d.order[1], &d.first[1]) == -1)
		d.nomem = 1;
	else {
		memset(ab, 0xff, (a->npeers + 1) * sizeof(*ab));
		memset(ba, 0xff, (b->npeers + 1) * sizeof(*ba));
		notes(&d, a);
		notes(&d, b);
		compare(&d, ab, ba);
		d.name[0] = '\0';
		if (d.ndiffs == 0 && !d.nomem)
			(void)fprintf(out, "%s and %s mirror each other: %u peer%s\n",
			    a->file, b->file, d.npairs, d.npairs == 1 ? "" : "s");
	}
	free(ab);
	free(ba);
	free(d.order[0]);
	free(d.order[1]);
	free(d.first[0]);
	free(d.first[1]);
	return (d.nomem ? EXIT_ERROR : d.ndiffs > 0);
}

int
diff_main(int n, char *const *args)
{
	struct side a, b;
	int rv = EXIT_ERROR;

	if (n != 2)
		return (-1);
	if (side_load(&a, args[0], stderr) == -1)
		return (EXIT_ERROR);
	if (side_load(&b, args[1], stderr) == 0) {
		rv = diff_sides(&a, &b, stdout);
		side_free(&b);
	}
	side_free(&a);
	if (fflush(stdout) == EOF) {
		warn("standard output");
		rv = EXIT_ERROR;
	}
	return (rv);
}
