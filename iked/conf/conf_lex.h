/* SPDX-License-Identifier: ISC */
/* iked.conf's words: files and includes, macros, quotes, comments. */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include "conf/conf.h"

#define LEX_DEPTH	8		/* include files open at once */
#define LEX_TOKMAX	4096		/* octets of a word or string */
#define LEX_LINEMAX	65536
#define LEX_TEXTMAX	(64u << 20)	/* octets of all files together */
#define LEX_FILESMAX	4096
#define LEX_MACROSMAX	4096

struct pos {
	const char	*file;		/* lives as long as the lexer */
	uint32_t	 line, col;	/* from 1; columns count octets */
};

struct macro {
	char		*name, *value;
};

enum tok_kind {
	T_EOF, T_NL, T_WORD, T_STR,
	T_PUNCT,	/* one of { } ( ) , = in s[0] */
	T_MACRO,	/* $name: s is the name, macro its value */
	T_BAD		/* already reported */
};

struct tok {
	enum tok_kind		 kind;
	struct pos		 pos;
	const struct macro	*macro;	/* T_MACRO, or the one this came out of */
	size_t			 len;
	char			 s[LEX_TOKMAX + 1];
};

/* Until the next option is recognized, there or in a later line. */
enum { HIDE_NO, HIDE_LINE, HIDE_ON };

struct frame {
	const uint8_t		*p;
	size_t			 len, off, bol;
	uint32_t		 line;
	const char		*file;
	uint8_t			*own;	/* to be wiped and freed */
	const struct macro	*macro;	/* NULL: a file */
	struct pos		 use;	/* of the macro */
	int			 ended;	/* the end of its last line was given */
};

struct lexer {
	struct conf_errors	*errs;
	struct frame		 fr[LEX_DEPTH + 2];
	unsigned int		 nfr;
	struct macro		**macros;
	size_t			 nmacros;
	char			**files;
	size_t			 nfiles;
	size_t			 total;
	int			 nomem;
	int			 hide;	/* HIDE_*: words may be parts of a secret
					   and are not shown in messages */
};

/* Adds an error, or a warning, at a place; pos NULL: the file as a whole. */
void	conf_error(struct conf_errors *, const struct pos *, const char *, ...)
	    __attribute__((__format__(printf, 3, 4)));
void	conf_warning(struct conf_errors *, const struct pos *, const char *, ...)
	    __attribute__((__format__(printf, 3, 4)));

void	conf_lex_init(struct lexer *, struct conf_errors *);
/* Everything read is wiped. */
void	conf_lex_free(struct lexer *);
/* Reads on in this text; own (may be NULL) is freed with the frame.  from is the
 * place of the include, NULL for the main text.  0, or -1 when reported. */
int	conf_lex_push(struct lexer *, const char *file, const uint8_t *, size_t,
	    uint8_t *own, const struct pos *from);
void	conf_lex_next(struct lexer *, struct tok *);
/* The words of a T_MACRO token come next. */
void	conf_lex_expand(struct lexer *, const struct tok *);
/*
 * When the end of a line was given: the first word of the next line that says
 * something, looked at but not taken.  0, or -1: there is none, it is longer, or the
 * name of a macro.
 */
int	conf_lex_ahead(const struct lexer *, struct pos *, char *dst, size_t cap);
/* 0, or -1 when reported. */
int	conf_lex_define(struct lexer *, const struct pos *, const char *name,
	    const char *value);
/* path as seen from the file that is being read (malloc'd; NULL: no memory). */
char	*conf_lex_path(const struct lexer *, const char *path);
int	conf_lex_reading(const struct lexer *, const char *path);	/* 1/0 */

#endif
