/* SPDX-License-Identifier: ISC */
/*
 * iked.conf's statements: macros, include, set, ikev2.
 *
 * Recursive descent with one token of lookahead.  A mistake inside a statement is
 * reported and reading goes on at the next option that is recognized, so that one
 * run names all of them; nothing is built from a statement with a mistake.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

struct tok *
conf_peek_raw(struct parser *p)
{
	if (!p->have) {
		do {
			conf_lex_next(&p->lx, &p->tok);
		} while (p->nlblank && p->tok.kind == T_NL);
		p->have = 1;
		/* What follows a broken string may be the rest of a secret. */
		if (p->tok.kind == T_BAD) {
			p->lx.hide = HIDE_ON;
			p->st.unknown = 1;
		}
	}
	return (&p->tok);
}

struct tok *
conf_peek(struct parser *p)
{
	while (conf_peek_raw(p)->kind == T_MACRO) {
		conf_lex_expand(&p->lx, &p->tok);
		p->have = 0;
	}
	return (&p->tok);
}

void
conf_take(struct parser *p)
{
	p->have = 0;
}

const struct conf_word *
conf_peek_word(struct parser *p, unsigned int ctx)
{
	struct tok	*t = conf_peek(p);

	return (t->kind == T_WORD ? conf_word_find(t->s, ctx) : NULL);
}

int
conf_peek_punct(struct parser *p, char c)
{
	struct tok	*t = conf_peek(p);

	return (t->kind == T_PUNCT && t->s[0] == c);
}

int
conf_peek_end(struct parser *p)
{
	struct tok	*t = conf_peek(p);

	return (t->kind == T_NL || t->kind == T_EOF ||
	    (p->blocks > 0 && t->kind == T_PUNCT && t->s[0] == '}'));
}

void
conf_skip_line(struct parser *p)
{
	while (!conf_peek_end(p))
		conf_take(p);
}

const char *
conf_show(const struct parser *p, const struct tok *t, char dst[SHOWLEN])
{
	switch (t->kind) {
	case T_EOF:
	case T_NL:
		snprintf(dst, SHOWLEN, "the end of the line");
		break;
	case T_STR:
		snprintf(dst, SHOWLEN, "a quoted string");
		break;
	case T_PUNCT:
		snprintf(dst, SHOWLEN, "\"%c\"", t->s[0]);
		break;
	default:
		if (p->lx.hide)
			snprintf(dst, SHOWLEN, "a word (not shown: it may be "
			    "part of a secret)");
		else if (t->macro != NULL)
			snprintf(dst, SHOWLEN, "the value of \"$%.32s\"",
			    t->macro->name);
		else
			snprintf(dst, SHOWLEN, "\"%.40s%s\"", t->s,
			    t->len > 40 ? "..." : "");
	}
	return (dst);
}

void
conf_stmt_error(struct parser *p, const struct pos *pos, const char *fmt, ...)
{
	char	 text[320];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->st.bad = 1;
	conf_error(p->errs, pos, "%s", text);
}

static const char *
place_of(unsigned int ctx)
{
	if (ctx & C_STMT)
		return ("at the beginning of a line");
	if (ctx & C_SET)
		return ("after set");
	if (ctx & C_OPT)
		return ("in an ikev2 statement");
	if (ctx & C_IKESA)
		return ("after ikesa");
	if (ctx & C_CHILDSA)
		return ("after childsa");
	if (ctx & C_KA)
		return ("after keepalive");
	return ("inside another option");
}

/* A word that has no meaning at its place: what was meant, and what may stand. */
void
conf_unknown(struct parser *p, const struct tok *t, unsigned int ctx,
    const char *where)
{
	const struct conf_word	*w;
	char			 show[SHOWLEN], list[224];

	p->st.bad = p->st.unknown = 1;
	if (t->kind == T_BAD)
		return;
	conf_word_list(ctx, list, sizeof(list));
	if (t->kind == T_WORD && strcmp(t->s, ";") == 0)
		conf_error(p->errs, &t->pos, "\";\" does not belong here: a "
		    "statement ends with its line; remove it");
	else if (t->kind == T_WORD && t->macro == NULL &&
	    (w = conf_word_find(t->s, ~ctx)) != NULL)
		conf_error(p->errs, &t->pos, "\"%s\" does not belong here, but "
		    "%s (%s: %s)", w->word, place_of(w->ctx), where, list);
	else if (t->kind == T_WORD && !p->lx.hide &&
	    (w = conf_word_nearest(t->s, ctx)) != NULL && t->macro == NULL)
		conf_error(p->errs, &t->pos, "%s is not a keyword; did you mean "
		    "\"%s\"? (%s: %s)", conf_show(p, t, show), w->word, where,
		    list);
	else
		conf_error(p->errs, &t->pos, "%s does not belong here (%s: %s)",
		    conf_show(p, t, show), where, list);
}

struct tok *
conf_value(struct parser *p, const char *after)
{
	struct tok	*t = conf_peek(p);
	char		 show[SHOWLEN];

	/* A keyword is no value: the value was forgotten. */
	if (t->kind == T_STR || (t->kind == T_WORD &&
	    (p->lx.hide || conf_word_find(t->s, C_OPT) == NULL))) {
		conf_take(p);
		return (t);
	}
	if (t->kind != T_BAD)
		conf_error(p->errs, &t->pos, "a value is missing after \"%s\": "
		    "found %s", after, conf_show(p, t, show));
	p->st.bad = 1;
	return (NULL);
}

struct tok *
conf_text(struct parser *p, const char *after)
{
	struct tok	*t = conf_peek_raw(p);
	const char	*v;

	if (t->kind == T_MACRO) {
		v = t->macro->value;
		/* The whole value, blanks and all, unless it has own quotes. */
		if (v[0] != '"' && v[0] != '\'') {
			t->kind = T_STR;
			t->len = strlcpy(t->s, v, sizeof(t->s));
			conf_take(p);
			return (t);
		}
	}
	return (conf_value(p, after));
}

/* The next one of a list is a value? Otherwise it is reported. */
static int
list_value(struct parser *p, const char *after)
{
	struct tok	*t = conf_peek(p);
	char		 show[SHOWLEN];

	if (t->kind == T_STR ||
	    (t->kind == T_WORD && conf_word_find(t->s, C_OPT) == NULL))
		return (1);
	if (t->kind != T_BAD)
		conf_error(p->errs, &t->pos, "the list after \"%s\" is not closed: "
		    "found %s instead of \"}\"", after, conf_show(p, t, show));
	p->st.bad = 1;
	return (0);
}

int
conf_list(struct parser *p, const char *after,
    void (*each)(struct parser *, struct tok *, void *), void *arg)
{
	struct tok	*t;
	unsigned int	 n = 0;
	int		 was = p->nlblank, rc = -1;

	if (!conf_peek_punct(p, '{')) {
		if ((t = conf_value(p, after)) == NULL)
			return (-1);
		each(p, t, arg);
		return (0);
	}
	p->nlblank |= p->blocks > 0;
	conf_take(p);
	for (;; n++) {
		while (conf_peek_punct(p, ','))
			conf_take(p);
		if (conf_peek_punct(p, '}'))
			break;
		if (!list_value(p, after))
			goto out;
		t = &p->tok;
		conf_take(p);
		each(p, t, arg);
	}
	if (n == 0) {
		conf_error(p->errs, &p->tok.pos, "the list after \"%s\" is "
		    "empty", after);
		p->st.bad = 1;
	}
	conf_take(p);
	rc = 0;
out:
	p->nlblank = was;
	return (rc);
}

/* Decimal digits; the unit is left in *unit. 0 or -1 (none, too large). */
static int
number(const char *s, uint64_t *v, const char **unit)
{
	uint64_t	 n = 0;

	if (*s < '0' || *s > '9')
		return (-1);
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n > 100000000000000ULL)
			return (-1);
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*v = n;
	*unit = s;
	return (0);
}

int
conf_time_ms(const char *s, uint64_t *ms)
{
	static const struct { const char *u; uint64_t f; } units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 },
	};
	const char	*unit;
	uint64_t	 v;
	size_t		 i;

	if (number(s, &v, &unit) == -1)
		return (-1);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(unit, units[i].u) == 0) {
			if (v > UINT64_MAX / 2 / units[i].f)
				return (-1);
			*ms = v * units[i].f;
			return (0);
		}
	return (-1);
}

int
conf_bytes(const char *s, uint64_t *bytes)
{
	static const struct { const char *u; unsigned int shift; } units[] = {
		{ "", 0 }, { "k", 10 }, { "m", 20 }, { "g", 30 }, { "t", 40 },
	};
	const char	*unit;
	uint64_t	 v;
	size_t		 i;

	if (number(s, &v, &unit) == -1)
		return (-1);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(unit, units[i].u) == 0) {
			if (v > (UINT64_MAX >> 1) >> units[i].shift)
				return (-1);
			*bytes = v << units[i].shift;
			return (0);
		}
	return (-1);
}

/* The statement's first line is done; whatever is left is too much. */
static void
expect_end(struct parser *p, const char *after)
{
	struct tok	*t = conf_peek(p);
	char		 show[SHOWLEN];

	if (!conf_peek_end(p) && t->kind != T_BAD)
		conf_error(p->errs, &t->pos, "%s after \"%s\": the line should "
		    "end here", conf_show(p, t, show), after);
	conf_skip_line(p);
}

static void
stmt_dpd(struct parser *p)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	uint64_t	 ms;

	if ((t = conf_value(p, "dpd_check_interval")) == NULL)
		return;
	if (conf_time_ms(t->s, &ms) == -1 || ms % 1000 != 0 ||
	    ms / 1000 > CONF_DPDMAX) {
		conf_error(p->errs, &t->pos, "%s is not a time: write seconds, "
		    "or a number with s, m or h, at most 24h; 0 turns the "
		    "check off", conf_show(p, t, show));
		return;
	}
	p->conf->dpd_interval = (uint32_t)(ms / 1000);
}

/* The last one counts; who wrote two may not have meant it. */
static void
set_once(struct parser *p, const struct conf_word *w, const struct pos *pos)
{
	int	 i;

	if (w->id == K_ACTIVE || w->id == K_PASSIVE)
		i = SET_MODE;
	else if (w->id == K_DPD)
		i = SET_DPD;
	else if (w->id == K_FRAG || w->id == K_NOFRAG)
		i = SET_FRAG;
	else if (w->id == K_MOBIKE || w->id == K_NOMOBIKE)
		i = SET_MOBIKE;
	else
		return;
	if (p->set[i].line != 0)
		conf_warning(p->errs, pos, "\"set %s\" takes the place of what "
		    "%.100s:%u sets: remove one of them", w->word,
		    p->set[i].file, p->set[i].line);
	p->set[i] = *pos;
}

static void
stmt_set(struct parser *p)
{
	const struct conf_word	*w = conf_peek_word(p, C_SET);
	struct tok		*t = conf_peek(p);
	struct pos		 pos = t->pos;

	if (w == NULL) {
		conf_unknown(p, t, C_SET, "after set");
		conf_skip_line(p);
		return;
	}
	conf_take(p);
	set_once(p, w, &pos);
	switch (w->id) {
	case K_ACTIVE:
		p->conf->passive = 0;
		break;
	case K_PASSIVE:
		p->conf->passive = 1;
		break;
	case K_DPD:
		stmt_dpd(p);
		break;
	case K_FRAG:
	case K_NOFRAG:
		p->conf->fragmentation = w->id == K_FRAG;
		break;
	case K_MOBIKE:
	case K_NOMOBIKE:
		p->conf->mobike = w->id == K_MOBIKE;
		break;
	case K_SAME:
		break;
	default:
		conf_error(p->errs, &pos, "\"set %s\" is known but not built "
		    "yet: %s", w->word, w->instead);
		conf_skip_line(p);
		return;
	}
	expect_end(p, w->word);
}

const char *
conf_io_error(int error)
{
	switch (error) {
	case EINVAL:
		return ("not a regular file");
	case EFBIG:
		return ("larger than 64 MiB");
	default:
		return (strerror(error));
	}
}

static void
stmt_include(struct parser *p)
{
	struct tok	*t;
	struct pos	 pos;
	uint8_t		*data = NULL;
	size_t		 len = 0;
	char		*path;

	if ((t = conf_text(p, "include")) == NULL) {
		conf_skip_line(p);
		return;
	}
	pos = t->pos;
	if ((path = conf_lex_path(&p->lx, t->s)) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	/* The rest of this line comes before the file's first. */
	expect_end(p, "include");
	conf_take(p);
	if (conf_lex_reading(&p->lx, path))
		conf_error(p->errs, &pos, "\"%.100s\" includes itself", path);
	else if (p->io == NULL || p->io->read == NULL)
		conf_error(p->errs, &pos, "files cannot be included here");
	else if (p->io->read(p->io->arg, path, &data, &len) == -1)
		conf_error(p->errs, &pos, "cannot read \"%.100s\": %s", path,
		    conf_io_error(errno));
	else
		conf_lex_push(&p->lx, path, data, len, data, &pos);
	free(path);
}

static void
stmt_macro(struct parser *p, const char *name, const struct pos *pos)
{
	char		 value[LEX_TOKMAX + 1];
	const char	*s;
	size_t		 len = 0;
	unsigned int	 n = 0;
	struct tok	*t;

	conf_take(p);	/* = */
	value[0] = '\0';
	for (; !conf_peek_end(p); conf_take(p)) {
		t = conf_peek(p);
		if (t->kind == T_BAD) {
			conf_skip_line(p);
			goto out;
		}
		len = strlcat(value, n++ > 0 ? " " : "", sizeof(value));
		len = strlcat(value, t->s, sizeof(value));
		if (len >= sizeof(value)) {
			conf_error(p->errs, pos, "the value of this macro is "
			    "longer than %u octets", LEX_TOKMAX);
			conf_skip_line(p);
			goto out;
		}
	}
	if (n == 0) {
		conf_error(p->errs, pos, "this macro has no value");
		goto out;
	}
	for (s = name; *s != '\0'; s++)
		if (*s != '_' && !(*s >= '0' && *s <= '9') &&
		    !(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z'))
			break;
	if (*s != '\0' || strlen(name) > 63)
		conf_error(p->errs, pos, "the name of a macro is at most 63 "
		    "letters, digits and underscores");
	else if (conf_word_find(name, ~(unsigned int)C_KA) != NULL)
		conf_error(p->errs, pos, "\"%s\" is a keyword and cannot name a "
		    "macro", name);
	else
		conf_lex_define(&p->lx, pos, name, value);
out:
	explicit_bzero(value, sizeof(value));
}

/* A line whose first word is no statement. */
static void
stmt_other(struct parser *p, const struct tok *t)
{
	if (t->kind == T_WORD && conf_word_find(t->s, C_OPT | C_KA) != NULL) {
		/* One forgotten backslash, one message. */
		if (!p->orphan)
			conf_error(p->errs, &t->pos, CONF_ORPHAN, t->s);
		p->orphan = 1;
	} else
		conf_unknown(p, t, C_STMT, "a line begins with");
	conf_skip_unknown(p);
}

static void
statement(struct parser *p)
{
	const struct conf_word	*w;
	struct tok		*t = conf_peek(p), first;
	struct pos		 pos = t->pos;
	char			 name[LEX_TOKMAX + 1];

	if (t->kind == T_NL) {
		conf_take(p);
		return;
	}
	if (t->kind == T_WORD) {
		first.kind = t->kind;
		first.macro = t->macro;
		first.pos = pos;
		first.len = t->len;
		strlcpy(name, t->s, sizeof(name));
		conf_take(p);
		/* Raw: what follows `ikev2` may be a name out of a macro. */
		t = conf_peek_raw(p);
		if (t->kind == T_PUNCT && t->s[0] == '=') {
			stmt_macro(p, name, &pos);
			p->orphan = 0;
			return;
		}
		w = conf_word_find(name, C_STMT);
		if (w != NULL) {
			p->orphan = 0;
			p->lx.hide = HIDE_NO;
		}
		switch (w != NULL ? w->id : K_NONE) {
		case K_IKEV2:
			memset(&p->st, 0, sizeof(p->st));
			p->st.pos = pos;
			conf_policy(p);
			break;
		case K_WATCH:
			memset(&p->st, 0, sizeof(p->st));
			p->st.pos = pos;
			conf_watch(p, &pos);
			break;
		case K_SET:
			stmt_set(p);
			break;
		case K_INCLUDE:
			stmt_include(p);
			return;
		case K_LATER_STMT:
			conf_error(p->errs, &pos, "\"%s\" is known but not "
			    "built yet: %s", w->word, w->instead);
			break;
		case K_IPSECCONF:
			conf_error(p->errs, &pos, "\"%s\" belongs to "
			    "ipsec.conf; here only ikev2 statements are read: "
			    "remove the line", w->word);
			break;
		default:
			memcpy(first.s, name, strlen(name) + 1);
			stmt_other(p, &first);
		}
	} else {
		first = *t;
		stmt_other(p, &first);
		explicit_bzero(&first, sizeof(first));
	}
	if (!p->beyond)
		conf_skip_line(p);
	p->beyond = 0;
	explicit_bzero(name, sizeof(name));
}

static void
parser_free(struct parser *p)
{
	conf_lex_free(&p->lx);
	conf_table_free(&p->names);
	conf_table_free(&p->peers);
	conf_table_free(&p->pairs);
	free(p->first);
	free(p->seen);
	free(p->pair);
	free(p->backup);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

struct conf *
conf_parse(const char *file, const char *text, size_t len,
    const struct conf_io *io, int flags, struct conf_errors *errs)
{
	struct parser	*p;
	struct conf	*c;

	memset(errs, 0, sizeof(*errs));
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->conf = conf_new()) == NULL) {
		free(p);
		conf_error(errs, NULL, "out of memory");
		return (NULL);
	}
	conf_lex_init(&p->lx, errs);
	p->errs = errs;
	p->io = io;
	p->flags = flags;
	if (conf_lex_push(&p->lx, file, (const uint8_t *)text, len, NULL,
	    NULL) == 0) {
		while (conf_peek(p)->kind != T_EOF && !p->lx.nomem)
			statement(p);
		if (!p->lx.nomem && conf_merge_end(p) == -1)
			p->lx.nomem = 1;
	}
	if (p->lx.nomem)
		conf_error(errs, NULL, "out of memory");
	c = p->conf;
	if (errs->n > errs->nwarn) {
		conf_free(c);
		c = NULL;
	}
	parser_free(p);
	return (c);
}
