/* SPDX-License-Identifier: ISC */
/* What is known of the names of a configuration. */

#include <stdlib.h>
#include <string.h>

#include "proc/known.h"

static int
by_name(const void *a, const void *b)
{
	return (strcasecmp(((const struct known_name *)a)->name,
	    ((const struct known_name *)b)->name));
}

static struct known_name *
find(const struct known *k, const char *name)
{
	struct known_name key;

	if (k->n == 0)
		return (NULL);
	key.name = (char *)(uintptr_t)name;	/* only read */
	return (bsearch(&key, k->v, k->n, sizeof(*k->v), by_name));
}

void
known_free(struct known *k)
{
	uint32_t i;

	for (i = 0; i < k->n; i++)
		free(k->v[i].name);
	free(k->v);
	k->v = NULL;
	k->n = 0;
}

/* The configuration's own texts, sorted, each once. */
static uint32_t
collect(const struct conf *c, struct known_name *v)
{
	const struct conf_peer *p;
	uint32_t i, n = 0, m = 0;

	for (i = 0; i < c->npeers; i++) {
		p = &c->peers[i];
		if (p->localname != NULL)
			v[n++].name = p->localname;
		if (p->remotename != NULL)
			v[n++].name = p->remotename;
	}
	qsort(v, n, sizeof(*v), by_name);
	for (i = 0; i < n; i++)
		if (m == 0 || by_name(&v[m - 1], &v[i]) != 0)
			v[m++].name = v[i].name;
	return (m);
}

static int
is_same(const struct known *k, const struct known_name *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; k->n == n && i < n; i++)
		if (by_name(&k->v[i], &v[i]) != 0)
			return (0);
	return (k->n == n);
}

int
known_list(struct known *k, const struct conf *c)
{
	struct known_name *v, *o;
	struct known next;
	uint32_t i;

	if ((v = calloc((size_t)c->npeers * 2 + 1, sizeof(*v))) == NULL)
		return (-1);
	next.v = v;
	next.n = collect(c, v);
	next.serial = k->serial + 1;
	if (is_same(k, v, next.n)) {
		free(v);
		return (0);
	}
	for (i = 0; i < next.n; i++) {
		o = find(k, v[i].name);
		if ((v[i].name = strdup(v[i].name)) == NULL) {
			next.n = i;
			known_free(&next);
			return (-1);
		}
		if (o == NULL)
			continue;
		v[i].n = o->n;
		v[i].mute = o->mute;
		memcpy(v[i].a, o->a, sizeof(v[i].a));
		memcpy(v[i].why, o->why, sizeof(v[i].why));
	}
	known_free(k);
	*k = next;
	return (1);
}

void
known_lookup(void *arg, const char *name, struct conf_found *f)
{
	const struct known_name *k = find(arg, name);

	f->n = k != NULL ? k->n : 0;
	f->a = k != NULL ? k->a : NULL;
	f->why = k != NULL && k->why[0] != '\0' ? k->why : NULL;
}

static int
has(const struct addr *a, uint8_t n, const struct addr *x)
{
	uint8_t i;

	for (i = 0; i < n; i++)
		if (addr_cmp(&a[i], x) == 0)
			return (1);
	return (0);
}

/* What stays, what is new, and what did not answer. */
static uint8_t
merge(const struct known_name *k, const struct name_ans *a, struct addr *v)
{
	uint8_t i, n = 0;

	for (i = 0; i < k->n; i++)
		if (has(a->a, a->n, &k->a[i]) && addr_cmp(&k->a[i], &k->mute) != 0)
			v[n++] = k->a[i];
	for (i = 0; i < a->n; i++)
		if (!has(v, n, &a->a[i]) && addr_cmp(&a->a[i], &k->mute) != 0)
			v[n++] = a->a[i];
	if (has(a->a, a->n, &k->mute))
		v[n++] = k->mute;
	return (n);
}

int
known_answer(struct known *kn, const struct name_ans *a)
{
	struct known_name *k;
	struct addr v[NAME_ADDRS];
	uint8_t i, n;
	int was_silent, differs;

	if (a->serial != kn->serial)
		return (KNOWN_SAME);	/* asked for the list before */
	if (a->index >= kn->n)
		return (-1);
	k = &kn->v[a->index];
	if (a->n == 0) {
		differs = strcmp(k->why, a->why) != 0;
		was_silent = k->why[0] != '\0';
		(void)strlcpy(k->why, a->why, sizeof(k->why));
		if (k->n > 0)
			return (was_silent ? KNOWN_SAME : KNOWN_STILL);
		return (differs ? KNOWN_FAILS : KNOWN_SAME);
	}
	k->why[0] = '\0';
	memset(v, 0, sizeof(v));
	n = merge(k, a, v);
	memset(&k->mute, 0, sizeof(k->mute));
	for (differs = n != k->n, i = 0; !differs && i < n; i++)
		differs = addr_cmp(&v[i], &k->a[i]) != 0;
	memcpy(k->a, v, sizeof(k->a));
	k->n = n;
	return (differs ? KNOWN_ADDRS : KNOWN_SAME);
}

int
known_mute(struct known *kn, const struct conf_peer *p, uint32_t index[2])
{
	struct known_name *k;
	int n = 0;

	if (p->remotename != NULL && (k = find(kn, p->remotename)) != NULL) {
		k->mute = p->remote;
		index[n++] = (uint32_t)(k - kn->v);
	}
	if (p->localname != NULL && (k = find(kn, p->localname)) != NULL)
		index[n++] = (uint32_t)(k - kn->v);
	return (n);
}
