/* SPDX-License-Identifier: ISC */
/*
 * { }: the options of a statement in lines of their own, and the values of one.
 *
 * In the block of an ikev2 statement the end of a line ends an option.  Inside the
 * braces of an option (keepalive, ikesa, a list) it is a blank.  A brace that is
 * missing must not cost the rest of the file: the next statement, or the end of the file
 * that the block began in, ends it, too.
 */
#include <string.h>

#include "conf/conf_parse.h"

/* What can only be the next statement, or the end of the file. */
static int
beyond(struct parser *p, const struct pos *open)
{
	struct tok	*t = conf_peek(p);

	return (t->kind == T_EOF || t->pos.file != open->file ||
	    (t->kind == T_WORD && t->macro == NULL &&
	    conf_word_find(t->s, C_STMT) != NULL));
}

static void
not_closed(struct parser *p, const struct pos *open, const char *what)
{
	if (!p->beyond)
		conf_stmt_error(p, open, "the { of this %s is not closed: a } is "
		    "missing before %.100s:%u", what, p->tok.pos.file,
		    p->tok.pos.line);
	p->beyond = p->st.unknown = 1;
}

void
conf_block(struct parser *p, const char *what, void (*one)(struct parser *))
{
	struct pos	 open = conf_peek(p)->pos;

	conf_take(p);
	p->blocks++;
	for (;;) {
		while (conf_peek(p)->kind == T_NL)
			conf_take(p);
		if (beyond(p, &open)) {
			not_closed(p, &open, what);
			break;
		}
		if (conf_peek_punct(p, '}')) {
			conf_take(p);
			break;
		}
		one(p);
	}
	p->blocks--;
}

/* On to a word of these places, or to what ends the option; never past a }. */
static void
skip_to_word(struct parser *p, unsigned int ctx, const struct pos *open)
{
	do {
		if (conf_peek_punct(p, '{'))
			conf_skip_braces(p);
		else
			conf_take(p);
	} while (!conf_peek_end(p) && conf_peek_word(p, ctx | C_OPT) == NULL &&
	    !beyond(p, open));
}

/* 1: `}', or what can only stand behind it. */
static int
value_ends(struct parser *p, const struct pos *open, const char *what,
    unsigned int ctx, const char *where)
{
	struct tok	*t;

	if (conf_peek_punct(p, '}')) {
		conf_take(p);
		return (1);
	}
	if (beyond(p, open) || conf_peek_word(p, C_OPT) != NULL) {
		/* the next option is no end of the file: said here, not there */
		if (!beyond(p, open)) {
			t = conf_peek(p);
			conf_stmt_error(p, &t->pos, "\"%s\" is no option of %s: the } "
			    "is missing before it", t->s, what);
		} else
			not_closed(p, open, what);
		return (1);
	}
	conf_unknown(p, conf_peek(p), ctx, where);
	skip_to_word(p, ctx, open);
	return (0);
}

void
conf_braces(struct parser *p, const char *what, unsigned int ctx, const char *where,
    void (*parse)(struct parser *, void *), void *arg)
{
	struct pos	 open = conf_peek(p)->pos;
	int		 was = p->nlblank;

	if (!conf_peek_punct(p, '{')) {
		parse(p, arg);
		return;
	}
	p->nlblank = 1;
	conf_take(p);
	p->blocks++;
	/* A second time only after a mistake: what it makes is not used. */
	do {
		parse(p, arg);
	} while (!value_ends(p, &open, what, ctx, where));
	p->blocks--;
	p->nlblank = was;
}

void
conf_skip_braces(struct parser *p)
{
	struct pos	 open = conf_peek(p)->pos;
	unsigned int	 n = 0;
	int		 was = p->nlblank;

	p->nlblank |= p->blocks > 0;
	do {
		if (conf_peek_punct(p, '{'))
			n++;
		else if (conf_peek_punct(p, '}') && --n == 0)
			p->nlblank = was;
		conf_take(p);
	} while (n > 0 && conf_peek(p)->kind != T_NL && !beyond(p, &open));
	p->nlblank = was;
}

void
conf_skip_unknown(struct parser *p)
{
	struct pos	 open = p->tok.pos;

	p->blocks++;
	while (!p->beyond && conf_peek(p)->kind != T_NL && p->tok.kind != T_EOF)
		if (conf_peek_punct(p, '{')) {
			conf_skip_braces(p);
			p->beyond = conf_peek(p)->kind != T_NL && beyond(p, &open) &&
			    p->tok.pos.line != open.line;
		} else
			conf_take(p);
	p->blocks--;
}
