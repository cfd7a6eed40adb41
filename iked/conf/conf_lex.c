/* SPDX-License-Identifier: ISC */
/*
 * iked.conf's words.
 *
 * The rules are pf.conf's: a backslash before the end of a line joins it with
 * the next (in a comment, too, which surprises: that is warned about); macros
 * are replaced outside quotes only, and their values are not searched for
 * macros again, so that there is no recursion to bound.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_lex.h"

static void
add_error(struct conf_errors *es, const struct pos *pos, int warn,
    const char *fmt, va_list ap)
{
	struct conf_error	*e;
	size_t			 i, max = sizeof(es->e) / sizeof(es->e[0]);

	es->n++;
	if (warn)
		es->nwarn++;
	i = es->n - 1;
	if (i >= max) {
		/* An error is worth more than a warning: it takes its place. */
		if (warn)
			return;
		for (i = max; i > 0 && !es->warn[i - 1]; i--)
			;
		if (i == 0)
			return;
		i--;
		memmove(&es->e[i], &es->e[i + 1],
		    (max - i - 1) * sizeof(es->e[0]));
		memmove(&es->warn[i], &es->warn[i + 1], max - i - 1);
		i = max - 1;
	}
	e = &es->e[i];
	es->warn[i] = (uint8_t)warn;
	memset(e, 0, sizeof(*e));
	if (pos != NULL) {
		snprintf(e->file, sizeof(e->file), "%s", pos->file);
		e->line = pos->line;
		e->col = pos->col;
	}
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

void
conf_error(struct conf_errors *es, const struct pos *pos, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	add_error(es, pos, 0, fmt, ap);
	va_end(ap);
}

void
conf_warning(struct conf_errors *es, const struct pos *pos, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	add_error(es, pos, 1, fmt, ap);
	va_end(ap);
}

void
conf_lex_init(struct lexer *lx, struct conf_errors *es)
{
	memset(lx, 0, sizeof(*lx));
	lx->errs = es;
}

static void
wipe_free(void *p, size_t len)
{
	if (p != NULL) {
		explicit_bzero(p, len);
		free(p);
	}
}

static void
frame_pop(struct lexer *lx)
{
	struct frame	*f = &lx->fr[--lx->nfr];

	wipe_free(f->own, f->len);
	memset(f, 0, sizeof(*f));
}

void
conf_lex_free(struct lexer *lx)
{
	size_t	 i;

	while (lx->nfr > 0)
		frame_pop(lx);
	for (i = 0; i < lx->nmacros; i++) {
		free(lx->macros[i]->name);
		wipe_free(lx->macros[i]->value, strlen(lx->macros[i]->value));
		free(lx->macros[i]);
	}
	free(lx->macros);
	for (i = 0; i < lx->nfiles; i++)
		free(lx->files[i]);
	free(lx->files);
	memset(lx, 0, sizeof(*lx));
}

static const struct frame *
file_frame(const struct lexer *lx)
{
	unsigned int	 i;

	for (i = lx->nfr; i > 0; i--)
		if (lx->fr[i - 1].macro == NULL)
			return (&lx->fr[i - 1]);
	return (NULL);
}

char *
conf_lex_path(const struct lexer *lx, const char *path)
{
	const struct frame	*f = file_frame(lx);
	const char		*slash;
	char			*s = NULL;

	if (path[0] != '/' && f != NULL &&
	    (slash = strrchr(f->file, '/')) != NULL) {
		if (asprintf(&s, "%.*s/%s", (int)(slash - f->file), f->file,
		    path) == -1)
			return (NULL);
		return (s);
	}
	return (strdup(path));
}

int
conf_lex_reading(const struct lexer *lx, const char *path)
{
	unsigned int	 i;

	for (i = 0; i < lx->nfr; i++)
		if (lx->fr[i].macro == NULL &&
		    strcmp(lx->fr[i].file, path) == 0)
			return (1);
	return (0);
}

/* What no line of the grammar can repair is refused before the first word. */
static int
check_text(struct lexer *lx, const char *file, const uint8_t *p, size_t len,
    const struct pos *from)
{
	struct pos	 pos = { file, 1, 1 };
	size_t		 i, bol = 0;

	lx->total += len;
	if (len > LEX_TEXTMAX || lx->total > LEX_TEXTMAX) {
		conf_error(lx->errs, from != NULL ? from : &pos,
		    "configuration is larger than %u MiB", LEX_TEXTMAX >> 20);
		return (-1);
	}
	for (i = 0; i < len; i++) {
		if (p[i] == '\n') {
			bol = i + 1;
			pos.line++;
		} else if (p[i] == '\0' || i - bol >= LEX_LINEMAX) {
			pos.col = (uint32_t)(i - bol + 1);
			conf_error(lx->errs, &pos, "%s", p[i] == '\0' ?
			    "NUL octet: this is not a text file" :
			    "line is longer than 65536 octets");
			return (-1);
		}
	}
	return (0);
}

int
conf_lex_push(struct lexer *lx, const char *file, const uint8_t *p, size_t len,
    uint8_t *own, const struct pos *from)
{
	struct frame	*f;
	char		*name = NULL, **files = NULL;

	if (lx->nfr >= LEX_DEPTH || lx->nfiles >= LEX_FILESMAX) {
		conf_error(lx->errs, from, lx->nfr >= LEX_DEPTH ?
		    "include files are nested deeper than %u" :
		    "more than %u include files",
		    lx->nfr >= LEX_DEPTH ? LEX_DEPTH : LEX_FILESMAX);
		goto fail;
	}
	if ((name = strdup(file)) == NULL || (files = reallocarray(lx->files,
	    lx->nfiles + 1, sizeof(*files))) == NULL) {
		free(name);
		lx->nomem = 1;
		goto fail;
	}
	lx->files = files;
	lx->files[lx->nfiles++] = name;
	if (check_text(lx, name, p, len, from) == -1)
		goto fail;
	f = &lx->fr[lx->nfr++];
	memset(f, 0, sizeof(*f));
	f->p = p;
	f->len = len;
	f->own = own;
	f->line = 1;
	f->file = name;
	return (0);
fail:
	wipe_free(own, len);
	return (-1);
}

static const struct macro *
macro_find(const struct lexer *lx, const char *name)
{
	size_t	 i;

	for (i = 0; i < lx->nmacros; i++)
		if (strcmp(lx->macros[i]->name, name) == 0)
			return (lx->macros[i]);
	return (NULL);
}

int
conf_lex_define(struct lexer *lx, const struct pos *pos, const char *name,
    const char *value)
{
	struct macro	**ms, *m;

	if (macro_find(lx, name) != NULL) {
		conf_error(lx->errs, pos, "macro \"%.40s\" is defined twice: "
		    "give one of them another name", name);
		return (-1);
	}
	if (lx->nmacros >= LEX_MACROSMAX) {
		conf_error(lx->errs, pos, "more than %u macros",
		    LEX_MACROSMAX);
		return (-1);
	}
	ms = reallocarray(lx->macros, lx->nmacros + 1, sizeof(*ms));
	if (ms == NULL)
		goto nomem;
	lx->macros = ms;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		goto nomem;
	m->name = strdup(name);
	m->value = strdup(value);
	if (m->name == NULL || m->value == NULL) {
		free(m->name);
		free(m->value);
		free(m);
		goto nomem;
	}
	lx->macros[lx->nmacros++] = m;
	return (0);
nomem:
	lx->nomem = 1;
	return (-1);
}

void
conf_lex_expand(struct lexer *lx, const struct tok *t)
{
	struct frame	*f = &lx->fr[lx->nfr++];

	memset(f, 0, sizeof(*f));
	f->p = (const uint8_t *)t->macro->value;
	f->len = strlen(t->macro->value);
	f->line = t->pos.line;
	f->file = t->pos.file;
	f->macro = t->macro;
	f->use = t->pos;
}

/* The next octet but k without taking it; -1 at the end of the frame. */
static int
look(const struct frame *f, size_t k)
{
	return (f->len - f->off > k ? f->p[f->off + k] : -1);
}

static int
take(struct frame *f)
{
	int	 c = look(f, 0);

	if (c == -1)
		return (-1);
	f->off++;
	if (c == '\n') {
		f->line++;
		f->bol = f->off;
	}
	return (c);
}

/* 2 or 3 octets when a backslash joins this line with the next, else 0. */
static size_t
joined(const struct frame *f)
{
	if (look(f, 0) != '\\')
		return (0);
	if (look(f, 1) == '\n')
		return (2);
	return (look(f, 1) == '\r' && look(f, 2) == '\n' ? 3 : 0);
}

static void
skip(struct frame *f, size_t n)
{
	while (n-- > 0)
		take(f);
}

static void
here(const struct frame *f, struct pos *pos)
{
	if (f->macro != NULL) {
		*pos = f->use;
		return;
	}
	pos->file = f->file;
	pos->line = f->line;
	pos->col = (uint32_t)(f->off - f->bol + 1);
}

/* Does this line say something, other than as a comment of its own? */
static int
says(const struct frame *f)
{
	size_t	 k;

	for (k = 0; look(f, k) == ' ' || look(f, k) == '\t' ||
	    look(f, k) == '\r'; k++)
		;
	return (look(f, k) != '#' && look(f, k) != '\n' && look(f, k) != -1);
}

static void
comment(struct lexer *lx, struct frame *f)
{
	struct pos	 pos;
	size_t		 n;
	int		 warned = 0, c;

	for (;;) {
		if ((n = joined(f)) != 0) {
			here(f, &pos);
			skip(f, n);
			if (!warned && says(f)) {
				warned = 1;
				conf_warning(lx->errs, &pos, "this comment "
				    "ends with a backslash and so swallows "
				    "the next line, too");
			}
			continue;
		}
		c = look(f, 0);
		if (c == -1 || c == '\n')
			return;
		take(f);
	}
}

/* Blanks, joined lines and comments; what is left begins a word. */
static void
blanks(struct lexer *lx, struct frame *f)
{
	struct pos	 pos;
	size_t		 n, k;
	int		 c;

	for (;;) {
		c = look(f, 0);
		if (c == ' ' || c == '\t' ||
		    (c == '\r' && (look(f, 1) == '\n' || look(f, 1) == -1)))
			take(f);
		else if ((n = joined(f)) != 0)
			skip(f, n);
		else if (c == '#' && f->macro == NULL)
			comment(lx, f);
		else if (c == '\\') {
			/* Blanks after it: the classic invisible mistake. */
			for (k = 1; look(f, k) == ' ' || look(f, k) == '\t' ||
			    look(f, k) == '\r'; k++)
				;
			if (k == 1 || look(f, k) != '\n')
				return;
			here(f, &pos);
			conf_error(lx->errs, &pos, "blanks after the "
			    "backslash: it must be the last of its line");
			skip(f, k + 1);
		} else
			return;
	}
}

static int
word_octet(int c)
{
	return (c > ' ' && c < 0x7f && strchr("\"'{}(),=#\\", c) == NULL);
}

static int
add(struct tok *t, int c)
{
	if (t->len >= LEX_TOKMAX)
		return (-1);
	t->s[t->len++] = (char)c;
	t->s[t->len] = '\0';
	return (0);
}

/* Reads over what is left of a line after an error in it. */
static void
rest_of_line(struct frame *f)
{
	size_t	 n;

	while (look(f, 0) != -1 && look(f, 0) != '\n')
		skip(f, (n = joined(f)) != 0 ? n : 1);
}

static void
bad(struct lexer *lx, struct frame *f, struct tok *t, const char *why)
{
	conf_error(lx->errs, &t->pos, "%s", why);
	rest_of_line(f);
	t->kind = T_BAD;
}

/* Which it is: the worst of them cannot be seen. */
static void
unexpected(struct lexer *lx, struct frame *f, struct tok *t)
{
	char	 why[128];
	int	 c = look(f, 0);

	if (c == 0xef && look(f, 1) == 0xbb && look(f, 2) == 0xbf)
		snprintf(why, sizeof(why), "byte order mark: save the file "
		    "without it");
	else if (c == 0xc2 && look(f, 1) == 0xa0)
		snprintf(why, sizeof(why), "no-break space: write a plain "
		    "blank");
	else if (lx->hide)
		snprintf(why, sizeof(why), "unexpected character: outside of "
		    "quotes only printable ASCII is allowed");
	else
		snprintf(why, sizeof(why), "unexpected character (octet 0x%02x): "
		    "outside of quotes only printable ASCII is allowed", c);
	bad(lx, f, t, why);
}

/* The text of a string is never shown: it may be a secret. */
static void
string(struct lexer *lx, struct frame *f, struct tok *t)
{
	int	 quote = take(f), c;
	size_t	 n;

	t->kind = T_STR;
	for (;;) {
		if ((n = joined(f)) != 0) {
			skip(f, n);
			continue;
		}
		c = look(f, 0);
		if (c == -1 || c == '\n' || c == '\r') {
			bad(lx, f, t, "string is not closed on its line: a "
			    "quote is missing");
			return;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			bad(lx, f, t, "control character in a string");
			return;
		}
		take(f);
		if (c == quote) {
			c = look(f, 0);
			if (c == ';')
				bad(lx, f, t, "\";\" does not belong here: a "
				    "statement ends with its line; remove it");
			else if (word_octet(c) || c == '"' || c == '\'')
				bad(lx, f, t, "something sticks to the end of a "
				    "string: a quote inside one needs a "
				    "backslash, or the other kind of quotes "
				    "around it");
			return;
		}
		if (c == '\\' && (look(f, 0) == quote || look(f, 0) == ' ' ||
		    look(f, 0) == '\t'))
			c = take(f);
		if (add(t, c) == -1) {
			bad(lx, f, t, "string is longer than 4096 octets");
			return;
		}
	}
}

static void
macro_use(struct lexer *lx, struct frame *f, struct tok *t)
{
	int	 c;

	take(f);
	while ((c = look(f, 0)) == '_' || (c >= '0' && c <= '9') ||
	    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		take(f);
		if (t->len < 64)
			add(t, c);
	}
	t->kind = T_MACRO;
	if (t->len == 0)
		bad(lx, f, t, "$ without the name of a macro");
	else if ((t->macro = macro_find(lx, t->s)) == NULL) {
		if (lx->hide)
			conf_error(lx->errs, &t->pos, "a macro that is not "
			    "defined; a text that begins with $ must be "
			    "in quotes");
		else
			conf_error(lx->errs, &t->pos, "macro \"$%.40s\" is not "
			    "defined: write %.40s = \"value\" above", t->s,
			    t->s);
		rest_of_line(f);
		t->kind = T_BAD;
	}
}

int
conf_lex_ahead(const struct lexer *lx, struct pos *pos, char *dst, size_t cap)
{
	struct frame	 f;
	size_t		 n = 0;
	int		 c;

	if (lx->nfr == 0 || lx->fr[lx->nfr - 1].macro != NULL)
		return (-1);
	f = lx->fr[lx->nfr - 1];	/* a copy: nothing is taken */
	while ((c = look(&f, 0)) == ' ' || c == '\t' || c == '\r' ||
	    c == '\n' || c == '#') {
		if (c == '#')
			rest_of_line(&f);
		else
			take(&f);
	}
	here(&f, pos);
	while (word_octet(c = look(&f, 0))) {
		if (n + 1 >= cap)
			return (-1);
		dst[n++] = (char)take(&f);
	}
	dst[n] = '\0';
	while (look(&f, 0) == ' ' || look(&f, 0) == '\t')
		take(&f);
	return (n > 0 && look(&f, 0) != '=' ? 0 : -1);	/* =: a macro */
}

void
conf_lex_next(struct lexer *lx, struct tok *t)
{
	struct frame	*f;
	int		 c;

	t->macro = NULL;
	t->len = 0;
	t->s[0] = '\0';
again:
	if (lx->nfr == 0) {
		t->kind = T_EOF;
		return;
	}
	f = &lx->fr[lx->nfr - 1];
	blanks(lx, f);
	here(f, &t->pos);
	t->macro = f->macro;
	c = look(f, 0);
	if (c == -1) {
		/* The end of a file ends its last line, too.  The frame stays
		 * until the next word, so that an include there still
		 * sees which files are open. */
		if (f->macro == NULL && !f->ended) {
			f->ended = 1;
			t->kind = T_NL;
			return;
		}
		frame_pop(lx);
		goto again;
	}
	if (c == '\n') {
		take(f);
		t->kind = T_NL;
	} else if (c == '"' || c == '\'')
		string(lx, f, t);
	else if (strchr("{}(),=", c) != NULL) {
		take(f);
		add(t, c);
		t->kind = T_PUNCT;
	} else if (c == '$' && f->macro == NULL)
		macro_use(lx, f, t);
	else if (word_octet(c)) {
		t->kind = T_WORD;
		while (word_octet(look(f, 0)))
			if (add(t, take(f)) == -1) {
				bad(lx, f, t, "word is longer than 4096 octets");
				return;
			}
	} else if (c == '\\')
		bad(lx, f, t, "backslash in the middle of a line");
	else
		unexpected(lx, f, t);
}
