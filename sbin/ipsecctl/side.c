/* SPDX-License-Identifier: ISC */
/* One side of tunnels: made, filled and freed. */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "print.h"
#include "side.h"
#include "side_file.h"
#include "side_secret.h"

/* Room for one more than n; the new part is zero.  Old copies are wiped.  0 or -1. */
static int
grow(struct side *s, void *pp, uint32_t *cap, uint32_t n, size_t size)
{
	void *p;
	uint32_t ncap;

	if (n < *cap)
		return (0);
	memcpy(&p, pp, sizeof(p));
	ncap = *cap < 8 ? 8 : 2 * *cap;
	if ((p = recallocarray(p, *cap, ncap, size)) == NULL) {
		s->nomem = 1;
		return (-1);
	}
	memcpy(pp, &p, sizeof(p));
	*cap = ncap;
	return (0);
}

struct side_peer *
side_peer_new(struct side *s)
{
	if (s->npeers >= SIDE_MAXPEERS || grow(s, &s->peers, &s->cappeers, s->npeers,
	    sizeof(*s->peers)) == -1)
		return (NULL);
	return (&s->peers[s->npeers++]);
}

struct side_child *
side_child_new(struct side *s, uint32_t peer)
{
	struct side_child *c;

	if (s->nchildren >= SIDE_MAXCHILDREN || grow(s, &s->children, &s->capchildren,
	    s->nchildren, sizeof(*s->children)) == -1)
		return (NULL);
	c = &s->children[s->nchildren++];
	c->peer = peer;
	return (c);
}

int
side_sel_add(struct side *s, struct side_sel **list, unsigned int *n,
    const struct side_sel *sel)
{
	struct side_sel *p;
	unsigned int i;

	for (i = 0; i < *n; i++)
		if (memcmp(&(*list)[i], sel, sizeof(*sel)) == 0)
			return (0);
	if (*n >= SIDE_MAXSELS)
		return (-1);
	if ((p = reallocarray(*list, *n + 1, sizeof(*p))) == NULL) {
		s->nomem = 1;
		return (-1);
	}
	*list = p;
	p[(*n)++] = *sel;
	return (0);
}

/* Most tunnels of a file have the same few. */
const struct proposals *
side_props(struct side *s, const struct proposals *ps)
{
	uint32_t i;
	struct proposals *copy;

	for (i = s->nprops; i > 0 && i + 8 > s->nprops; i--)
		if (memcmp(s->props[i - 1], ps, sizeof(*ps)) == 0)
			return (s->props[i - 1]);
	if (grow(s, &s->props, &s->capprops, s->nprops, sizeof(*s->props)) == -1)
		return (NULL);
	if ((copy = malloc(sizeof(*copy))) == NULL) {
		s->nomem = 1;
		return (NULL);
	}
	memcpy(copy, ps, sizeof(*copy));
	s->props[s->nprops++] = copy;
	return (copy);
}

void
side_note(struct side *s, struct place at, const char *fmt, ...)
{
	char text[SIDE_TEXTLEN];
	va_list ap;

	if (s->nnotes == SIDE_NOTES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->note[s->nnotes].at = at;
	(void)print_clean(s->note[s->nnotes++].text, SIDE_TEXTLEN, text);
}

void
side_secret(struct side *s, struct side_peer *p, const uint8_t *octets, size_t len,
    struct place at)
{
	uint8_t *copy;

	if (p->secret != NULL || (copy = malloc(len + 1)) == NULL) {
		s->nomem |= p->secret == NULL;
		return;
	}
	memcpy(copy, octets, len);
	copy[len] = '\0';
	p->secret = copy;
	p->secretlen = len;
	p->at_secret = at;
	p->secret_state = secret_is_placeholder((const char *)copy, len) ?
	    SECRET_PLACE : SECRET_KNOWN;
}

const char *
side_filename(struct side *s, const char *name)
{
	char *copy;
	size_t cap = strlen(name) + 1;
	uint32_t i;

	for (i = s->nfiles; i > 0 && i + 8 > s->nfiles; i--)
		if (strcmp(s->files[i - 1], name) == 0)
			return (s->files[i - 1]);
	if (grow(s, &s->files, &s->capfiles, s->nfiles, sizeof(*s->files)) == -1 ||
	    (copy = malloc(cap)) == NULL) {
		s->nomem = 1;
		return ("");
	}
	(void)print_clean(copy, cap, name);
	s->files[s->nfiles++] = copy;
	return (copy);
}

void
side_name(char dst[SIDE_NAMELEN], const char *name)
{
	(void)print_clean(dst, SIDE_NAMELEN, name);
}

void
side_xform(struct proposal *p, uint8_t type, uint16_t id, uint16_t keybits)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type && p->xf[i].id == id &&
		    p->xf[i].keybits == keybits)
			return;
	if (p->nxforms == PROP_MAXXFORMS)
		return;
	p->xf[i].type = type;
	p->xf[i].id = id;
	p->xf[i].keybits = keybits;
	p->nxforms++;
}

int
side_has(const struct proposal *p, uint8_t type)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type)
			return (1);
	return (0);
}

void
side_free(struct side *s)
{
	uint32_t i;

	for (i = 0; i < s->npeers; i++)
		if (s->peers[i].secret != NULL) {
			explicit_bzero(s->peers[i].secret, s->peers[i].secretlen);
			free(s->peers[i].secret);
		}
	for (i = 0; i < s->nchildren; i++) {
		free(s->children[i].from);
		free(s->children[i].to);
	}
	for (i = 0; i < s->nprops; i++)
		free(s->props[i]);
	for (i = 0; i < s->nfiles; i++)
		free(s->files[i]);
	free(s->peers);
	free(s->children);
	free(s->props);
	free(s->files);
	free(s->file);
	memset(s, 0, sizeof(*s));
}

/* The first word of the line at p, and whether a brace comes next. */
static size_t
first_word(const uint8_t *p, const uint8_t *end, char dst[32], int *brace)
{
	size_t n = 0;

	while (p < end && strchr(" \t\n{}=:;#", *p) == NULL && *p != '\0' && n < 31)
		dst[n++] = (char)*p++;
	dst[n] = '\0';
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	*brace = p < end && *p == '{';
	return (n);
}

/* 1, 0: not this line, -1: none of ours. */
static int
guess_line(const char *w, int brace, enum form *f)
{
	if (w[0] == '/') {
		*f = FORM_ROUTEROS;
		return (1);
	}
	if (brace && (strcmp(w, "connections") == 0 || strcmp(w, "secrets") == 0 ||
	    strcmp(w, "pools") == 0 || strcmp(w, "authorities") == 0)) {
		*f = FORM_SWANCTL;
		return (1);
	}
	if (strcmp(w, "ikev2") == 0 || strcmp(w, "set") == 0) {
		*f = FORM_IKED;
		return (1);
	}
	return (strcmp(w, "conn") == 0 && !brace ? -1 : 0);
}

int
side_guess(const uint8_t *text, size_t len, enum form *f)
{
	const uint8_t *p = text, *end = text + len;
	char w[32];
	int brace, r, bsd = 0;

	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
			p++;
		if (p < end && *p == '#') {
			const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
			size_t n = (size_t)((nl != NULL ? nl : end) - p);

			if (memmem(p, n, "by RouterOS", 11) != NULL) {
				*f = FORM_ROUTEROS;
				return (0);
			}
			bsd |= memmem(p, n, "OpenBSD", 7) != NULL;
		} else if (first_word(p, end, w, &brace) > 0 &&
		    (r = guess_line(w, brace, f)) != 0) {
			if (r == 1 && *f == FORM_IKED && bsd)
				*f = FORM_OPENBSD;
			return (r == 1 ? 0 : -1);
		}
		if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		p++;
	}
	return (-1);
}

int
side_parse(struct side *s, const char *name, const enum form *form, const uint8_t *text,
    size_t len, FILE *err)
{
	static int (*const parsers[])(struct side *, uint8_t *, size_t, FILE *) = {
		side_iked, side_iked, side_routeros, side_swanctl };
	uint8_t *copy;
	int rv;

	memset(s, 0, sizeof(*s));
	if ((s->file = strdup(name)) == NULL || (copy = malloc(len + 1)) == NULL) {
		(void)fprintf(err, "%s\n", strerror(ENOMEM));
		free(s->file);
		s->file = NULL;
		return (-1);
	}
	(void)print_clean(s->file, strlen(name) + 1, name);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (form != NULL)
		s->form = *form;
	else if (side_guess(text, len, &s->form) == -1) {
		(void)fprintf(err, "%s: neither iked.conf nor swanctl.conf nor RouterOS "
		    "commands; say what it is: routeros:%s\n", s->file, s->file);
		wholefile_free(copy, len);
		side_free(s);
		return (-1);
	}
	rv = parsers[s->form](s, copy, len, err);
	wholefile_free(copy, len);
	if (rv == 0 && s->nomem) {
		(void)fprintf(err, "%s: %s\n", s->file, strerror(ENOMEM));
		rv = -1;
	}
	if (rv == 0 && s->npeers == 0) {
		(void)fprintf(err, "%s: there is no tunnel in it\n", s->file);
		rv = -1;
	}
	if (rv == -1)
		side_free(s);
	return (rv);
}

int
side_load(struct side *s, const char *path, FILE *err)
{
	enum form form, *given = NULL;
	const char *colon = strchr(path, ':');
	char word[16];
	uint8_t *text;
	size_t len;
	int rv;

	memset(s, 0, sizeof(*s));
	if (colon != NULL && (size_t)(colon - path) < sizeof(word)) {
		(void)snprintf(word, sizeof(word), "%.*s", (int)(colon - path), path);
		if (form_byname(word, &form) == 0) {
			given = &form;
			path = colon + 1;
		}
	}
	if (side_file_read(path, &text, &len) == -1) {
		(void)fprintf(err, "%s: %s\n", path, conf_io_error(errno));
		return (-1);
	}
	rv = side_parse(s, path, given, text, len, err);
	wholefile_free(text, len);
	return (rv);
}
