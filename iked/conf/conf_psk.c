/* SPDX-License-Identifier: ISC */
/*
 * psk "text" | psk 0xHEX | psk file "path", and once more with "until DAY": the secret of
 * before, while both sides get the new one.
 *
 * From the keyword on until the next option is recognized no word is shown in
 * a message (lexer.hide): half a secret in a log is a secret lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

#define PSK_SHORT	20	/* octets; NIST SP 800-63B and RFC 7296 5: guessing
				   is off line once the peer is impersonated */

static int
hexval(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* A text that begins with 0x is hexadecimal, quoted or not (as in OpenIKED). */
static void
psk_set(struct parser *p, const struct pos *pos, const uint8_t *s, size_t len)
{
	struct stmt	*st = &p->st;
	uint8_t		*dst;
	size_t		 i;
	int		 hex, hi, lo;

	hex = len >= 2 && s[0] == '0' && s[1] == 'x';
	if (hex) {
		s += 2;
		len -= 2;
		for (i = 0; i < len; i++)
			if (hexval(s[i]) == -1) {
				conf_stmt_error(p, pos, "the secret begins with "
				    "0x, so it must be pairs of hexadecimal "
				    "digits: another character stands in it");
				return;
			}
		if (len % 2 != 0) {
			conf_stmt_error(p, pos, "the secret begins with 0x, so "
			    "it must be pairs of hexadecimal digits: one digit "
			    "is missing");
			return;
		}
	}
	if (len == 0 || (hex ? len / 2 : len) > CONF_PSKMAX) {
		conf_stmt_error(p, pos, len == 0 ? "the secret is empty" :
		    "the secret is longer than %u octets", CONF_PSKMAX);
		return;
	}
	dst = st->has_psk ? st->old : st->psk;
	*(st->has_psk ? &st->oldlen : &st->psklen) = (uint16_t)(hex ? len / 2 : len);
	if (!hex)
		memcpy(dst, s, len);
	for (i = 0; hex && i < len; i += 2) {
		hi = hexval(s[i]);
		lo = hexval(s[i + 1]);
		dst[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	if ((p->flags & CONF_NOSECRETS) == 0 &&
	    (hex ? len / 2 : len) < (size_t)(hex ? PSK_SHORT - 4 : PSK_SHORT))
		conf_warning(p->errs, pos, "this secret can be guessed: use at "
		    "least 20 random characters (ipsecctl genpsk prints some)");
}

static void
psk_file(struct parser *p)
{
	struct tok	*t;
	struct pos	 pos;
	uint8_t		*data = NULL;
	size_t		 size = 0, len;
	char		*path;

	if ((t = conf_text(p, "file")) == NULL)
		return;
	pos = t->pos;
	if ((p->flags & CONF_NOSECRETS) != 0)
		return;
	if ((path = conf_lex_path(&p->lx, t->s)) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	if (p->io == NULL || p->io->read == NULL)
		conf_stmt_error(p, &pos, "files cannot be read here");
	else if (p->io->read(p->io->arg, path, &data, &size) == -1)
		conf_stmt_error(p, &pos, "cannot read \"%.100s\": %s",
		    path, conf_io_error(errno));
	else {
		/* Editors end files with a newline that nobody sees. */
		len = size;
		if (len > 0 && data[len - 1] == '\n')
			len--;
		if (len > 0 && data[len - 1] == '\r')
			len--;
		psk_set(p, &pos, data, len);
		explicit_bzero(data, size);
	}
	free(data);
	free(path);
}

static void
secret(struct parser *p)
{
	struct tok	*t;

	p->lx.hide = HIDE_LINE;
	t = conf_peek_raw(p);
	if (t->kind == T_WORD && strcmp(t->s, "file") == 0) {
		conf_take(p);
		psk_file(p);
		return;
	}
	if ((t = conf_text(p, "psk")) == NULL) {
		/* It may stand in the next line. */
		p->lx.hide = HIDE_ON;
		return;
	}
	/* Unquoted, only the form that cannot be mistaken. */
	if (t->kind == T_WORD && strncmp(t->s, "0x", 2) != 0) {
		conf_stmt_error(p, &t->pos, "write the secret in quotes: "
		    "psk \"...\"; or psk 0x... or psk file \"...\"");
		/* The rest may be its other words. */
		conf_skip_line(p);
		return;
	}
	psk_set(p, &t->pos, (const uint8_t *)t->s, t->len);
	if ((p->flags & CONF_NOSECRETS) != 0) {
		explicit_bzero(p->st.psk, sizeof(p->st.psk));
		explicit_bzero(p->st.old, sizeof(p->st.old));
		p->st.psklen = p->st.oldlen = 0;
	}
}

/* The word "until" and its day.  0, or -1: it is not there, or reported. */
static int
until(struct parser *p, int64_t *when)
{
	struct tok	*t = conf_peek_raw(p);

	if (t->kind != T_WORD || strcmp(t->s, "until") != 0)
		return (-1);
	conf_take(p);
	if ((t = conf_text(p, "until")) == NULL)
		return (-1);
	if (conf_day_parse(t->s, when) == -1) {
		conf_stmt_error(p, &t->pos, "\"until\" wants the last day of the old "
		    "secret: until 2026-12-31");
		return (-1);
	}
	return (0);
}

void
conf_psk(struct parser *p, const struct pos *pos)
{
	struct stmt	*st = &p->st;
	int64_t		 when = 0;
	int		 second = st->has_psk;

	secret(p);
	if (second && !st->bad)
		st->has_old = 1;
	if (!st->bad)
		st->has_psk = 1;
	if (until(p, &when) == 0 && !second)
		conf_stmt_error(p, pos, "\"until\" belongs to the old secret, which is "
		    "the second one: psk \"NEW\" psk \"OLD\" until DAY");
	else if (second && when == 0 && !st->bad)
		conf_stmt_error(p, pos, "the second psk is the old one: say how long it is "
		    "good: psk \"NEW\" psk \"OLD\" until 2026-12-31");
	st->old_until = second ? when : 0;
}
