/* SPDX-License-Identifier: ISC */
/* The reader of strongSwan's settings syntax. */

#include <stdlib.h>
#include <string.h>

#include "side_secret.h"
#include "side_swan.h"

#define VALMAX	16384
#define REFS	8		/* of a section that are looked at */

struct lex {
	const uint8_t		*p, *end;
	unsigned int		 line;
	struct swan_file	*f;
	char			 buf[VALMAX + 1];
	size_t			 len;
};

static int
fail(struct lex *l, const char *why)
{
	if (l->f->error == NULL) {
		l->f->error = why;
		l->f->errline = l->line;
	}
	return (-1);
}

static int
put(struct lex *l, uint8_t c)
{
	if (l->len == VALMAX)
		return (fail(l, "a value is too long"));
	l->buf[l->len++] = (char)c;
	l->buf[l->len] = '\0';
	return (0);
}

static int
key_add(struct lex *l, struct swan *s, const char *name, unsigned int line)
{
	struct swan_key *k;
	unsigned int i;

	for (i = 0; i < s->nkeys && strcmp(s->keys[i].name, name) != 0; )
		i++;
	if (i == s->nkeys) {
		if (i >= 1024 || ++l->f->nnodes > SWAN_NODES ||
		    (k = recallocarray(s->keys, i, i + 1, sizeof(*k))) == NULL)
			return (fail(l, "too many keys"));
		s->keys = k;
		s->nkeys++;
	}
	k = &s->keys[i];
	if (k->value != NULL)
		explicit_bzero(k->value, k->len);
	free(k->value);
	(void)strlcpy(k->name, name, sizeof(k->name));
	k->line = line;
	k->len = 0;
	if ((k->value = malloc(l->len + 1)) == NULL)
		return (fail(l, "no memory"));
	memcpy(k->value, l->buf, l->len);
	k->value[l->len] = '\0';
	k->len = l->len;
	return (0);
}

/* Behind "secret" in a comment of our own: see mirror_swanctl.c. */
static int
comment(struct lex *l, struct swan *s)
{
	const uint8_t *nl = memchr(l->p, '\n', (size_t)(l->end - l->p)), *at;

	if (nl == NULL)
		nl = l->end;
	at = memmem(l->p, (size_t)(nl - l->p), SECRET_MARK, sizeof(SECRET_MARK) - 1);
	l->len = 0;
	for (; at != NULL && at < nl && *at != '"' && *at != ' '; at++)
		if (put(l, *at) == -1)
			return (-1);
	l->p = nl;
	return (l->len > 0 ? key_add(l, s, "secret", l->line) : 0);
}

/* Over blanks, line ends and comments.  -1 on an error. */
static int
blanks(struct lex *l, struct swan *s, int lines)
{
	while (l->p < l->end) {
		if (*l->p == '#') {
			if (comment(l, s) == -1)
				return (-1);
		} else if (*l->p == '\n') {
			if (!lines)
				break;
			l->line++;
			l->p++;
		} else if (*l->p == ' ' || *l->p == '\t' || *l->p == '\r')
			l->p++;
		else
			break;
	}
	return (0);
}

static int
quoted(struct lex *l)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *at;
	uint8_t c;

	for (l->p++; l->p < l->end && *l->p != '"'; l->p++) {
		c = *l->p;
		if (c == '\\' && l->p + 1 < l->end) {
			c = *++l->p;
			if (c == '\n') {
				l->line++;
				continue;
			}
			if (c != '\0' && (at = strchr(from, c)) != NULL)
				c = (uint8_t)to[at - from];
		} else if (c == '\n')
			l->line++;
		if (put(l, c) == -1)
			return (-1);
	}
	if (l->p == l->end)
		return (fail(l, "a text in quotes does not end"));
	l->p++;
	return (0);
}

/* The value behind '=': quoted texts and words until the line ends. */
static int
value(struct lex *l)
{
	size_t keep = 0;

	l->len = 0;
	l->buf[0] = '\0';
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
	while (l->p < l->end && *l->p != '\n' && *l->p != '#' && *l->p != '}') {
		if (*l->p == '"') {
			if (quoted(l) == -1)
				return (-1);
			keep = l->len;
			continue;
		}
		if (put(l, *l->p) == -1)
			return (-1);
		if (*l->p != ' ' && *l->p != '\t' && *l->p != '\r')
			keep = l->len;
		l->p++;
	}
	l->len = keep;
	l->buf[keep] = '\0';
	return (0);
}

/* A name or what stands behind its colon. */
static int
until(struct lex *l, const char *stop, char *dst, size_t cap)
{
	size_t n = 0;

	while (l->p < l->end && *l->p != '\0' && strchr(stop, *l->p) == NULL) {
		if (n + 1 == cap)
			return (fail(l, "a name is too long"));
		dst[n++] = (char)*l->p++;
	}
	while (n > 0 && (dst[n - 1] == ' ' || dst[n - 1] == '\t' || dst[n - 1] == '\r'))
		n--;
	dst[n] = '\0';
	return (0);
}

static struct swan *
sub_new(struct lex *l, struct swan *s, const char *name)
{
	struct swan **subs, *n;
	unsigned int i;

	/* sections of the same name are one */
	for (i = 0; i < s->nsubs; i++)
		if (strcmp(s->subs[i]->name, name) == 0)
			return (s->subs[i]);
	if (++l->f->nnodes > SWAN_NODES || s->nsubs >= 65536 ||
	    (subs = reallocarray(s->subs, s->nsubs + 1, sizeof(*subs))) == NULL) {
		(void)fail(l, "too many sections");
		return (NULL);
	}
	s->subs = subs;
	if ((n = calloc(1, sizeof(*n))) == NULL) {
		(void)fail(l, "no memory");
		return (NULL);
	}
	(void)strlcpy(n->name, name, sizeof(n->name));
	n->line = l->line;
	s->subs[s->nsubs++] = n;
	return (n);
}

static int	section(struct lex *, struct swan *, unsigned int);

/* name { ... }, name : refs { ... }, name = value, include file */
static int
item(struct lex *l, struct swan *s, unsigned int depth)
{
	char name[SWAN_NAMELEN], refs[512] = "";
	struct swan *n;
	unsigned int line = l->line;

	if (until(l, "{}=:#\n \t", name, sizeof(name)) == -1)
		return (-1);
	if (name[0] == '\0')
		return (fail(l, "a name is wanted"));
	if (strcmp(name, "include") == 0) {
		if (l->f->include == 0)
			l->f->include = line;
		return (value(l));
	}
	if (blanks(l, s, 1) == -1)
		return (-1);
	if (l->p < l->end && *l->p == '=') {
		l->p++;
		return (value(l) == -1 ? -1 : key_add(l, s, name, line));
	}
	if (l->p < l->end && *l->p == ':') {
		l->p++;
		if (until(l, "{}#", refs, sizeof(refs)) == -1 ||
		    blanks(l, s, 1) == -1)
			return (-1);
	}
	if (l->p == l->end || *l->p != '{')
		return (fail(l, "behind a name stands = or {"));
	l->p++;
	if (depth == SWAN_DEPTH)
		return (fail(l, "sections in sections in sections"));
	if ((n = sub_new(l, s, name)) == NULL)
		return (-1);
	if (refs[0] != '\0') {
		free(n->refs);
		if ((n->refs = strdup(refs)) == NULL)
			return (fail(l, "no memory"));
	}
	return (section(l, n, depth + 1));
}

/* Until the brace that closes it, or the end of the file for the root. */
static int
section(struct lex *l, struct swan *s, unsigned int depth)
{
	for (;;) {
		if (blanks(l, s, 1) == -1)
			return (-1);
		if (l->p == l->end)
			return (depth == 0 ? 0 : fail(l, "a } is missing"));
		if (*l->p == '}') {
			l->p++;
			return (depth > 0 ? 0 : fail(l, "a } too many"));
		}
		if (item(l, s, depth) == -1)
			return (-1);
	}
}

int
swan_parse(struct swan_file *f, const uint8_t *text, size_t len)
{
	struct lex *l;
	int rv;

	memset(f, 0, sizeof(*f));
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		f->error = "no memory";
		return (-1);
	}
	l->p = text;
	l->end = text + len;
	l->line = 1;
	l->f = f;
	rv = section(l, &f->root, 0);
	explicit_bzero(l, sizeof(*l));
	free(l);
	return (rv);
}

static void
node_free(struct swan *s)
{
	unsigned int i;

	for (i = 0; i < s->nkeys; i++) {
		if (s->keys[i].value != NULL)
			explicit_bzero(s->keys[i].value, s->keys[i].len);
		free(s->keys[i].value);
	}
	for (i = 0; i < s->nsubs; i++) {
		node_free(s->subs[i]);
		free(s->subs[i]);
	}
	free(s->keys);
	free(s->subs);
	free(s->refs);
}

void
swan_free(struct swan_file *f)
{
	node_free(&f->root);
	memset(f, 0, sizeof(*f));
}

/* The section of an absolute name, "connections.a". */
static const struct swan *
absolute(const struct swan_file *f, const char *name, size_t len)
{
	const struct swan *s = &f->root;
	size_t n;
	unsigned int i;

	while (len > 0) {
		for (n = 0; n < len && name[n] != '.'; )
			n++;
		for (i = 0; i < s->nsubs; i++)
			if (strlen(s->subs[i]->name) == n &&
			    strncmp(s->subs[i]->name, name, n) == 0)
				break;
		if (i == s->nsubs)
			return (NULL);
		s = s->subs[i];
		name += n;
		len -= n;
		if (len > 0) {
			name++;
			len--;
		}
	}
	return (s);
}

/* The next name of a list of references; its length, 0 at the end. */
static size_t
next_ref(const char **at)
{
	size_t n;

	*at += strspn(*at, ", \t\r\n");
	n = strcspn(*at, ", \t\r\n");
	return (n);
}

static const struct swan_key *
find_key(const struct swan_file *f, const struct swan *s, const char *name,
    unsigned int depth)
{
	const struct swan *r;
	const struct swan_key *k;
	const char *at;
	unsigned int i;
	size_t n;

	for (i = 0; i < s->nkeys; i++)
		if (strcmp(s->keys[i].name, name) == 0)
			return (&s->keys[i]);
	at = s->refs;
	for (i = 0; at != NULL && depth < 4 && i < REFS && (n = next_ref(&at)) > 0;
	    i++) {
		r = absolute(f, at, n);
		at += n;
		if (r != NULL && r != s &&
		    (k = find_key(f, r, name, depth + 1)) != NULL)
			return (k);
	}
	return (NULL);
}

const struct swan_key *
swan_key(const struct swan_file *f, const struct swan *s, const char *name)
{
	const struct swan_key *k = find_key(f, s, name, 0);

	/* an empty assignment clears it */
	return (k != NULL && k->len > 0 ? k : NULL);
}

static int
each_depth(const struct swan_file *f, const struct swan *s, const char *prefix,
    int (*each)(void *, const struct swan *), void *arg, unsigned int depth)
{
	const struct swan *r;
	const char *at;
	unsigned int i;
	size_t n;
	int rv;

	for (i = 0; i < s->nsubs; i++)
		if (strncmp(s->subs[i]->name, prefix, strlen(prefix)) == 0 &&
		    (rv = each(arg, s->subs[i])) != 0)
			return (rv);
	at = s->refs;
	for (i = 0; at != NULL && depth < 4 && i < REFS && (n = next_ref(&at)) > 0;
	    i++) {
		r = absolute(f, at, n);
		at += n;
		if (r != NULL && r != s &&
		    (rv = each_depth(f, r, prefix, each, arg, depth + 1)) != 0)
			return (rv);
	}
	return (0);
}

int
swan_each(const struct swan_file *f, const struct swan *s, const char *prefix,
    int (*each)(void *, const struct swan *), void *arg)
{
	return (each_depth(f, s, prefix, each, arg, 0));
}

struct wanted {
	const char		*name;
	const struct swan	*found;
};

static int
is_wanted(void *arg, const struct swan *s)
{
	struct wanted *w = arg;

	if (strcmp(s->name, w->name) != 0)
		return (0);
	w->found = s;
	return (1);
}

const struct swan *
swan_sub(const struct swan_file *f, const struct swan *s, const char *name)
{
	struct wanted w = { name, NULL };

	(void)swan_each(f, s, name, is_wanted, &w);
	return (w.found);
}
