/* SPDX-License-Identifier: ISC */
/* The parent reads the configuration: it alone opens files. */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/parent.h"
#include "proc/plog.h"
#include "proc/wholefile.h"

/* One that is about a file as a whole, beside those of the parser. */
static void __attribute__((__format__(printf, 3, 4)))
complain(struct conf_errors *errs, const char *file, const char *fmt, ...)
{
	struct conf_error *e;
	va_list ap;

	if (errs->n < sizeof(errs->e) / sizeof(errs->e[0])) {
		e = &errs->e[errs->n];
		memset(e, 0, sizeof(*e));
		(void)strlcpy(e->file, file, sizeof(e->file));
		va_start(ap, fmt);
		(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
		errs->warn[errs->n] = 0;
	}
	errs->n++;
}

/*
 * Who can write such a file commands the tunnels, and who can read a secret can be
 * either side of them.
 */
static void
check_file(struct conf_errors *errs, const char *path, const struct stat *st,
    int secret)
{
	mode_t others = secret ? S_IRWXO : S_IWOTH;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		complain(errs, path, "belongs to uid %u, who could change it: "
		    "chown root %.100s", (unsigned)st->st_uid, path);
	if (st->st_gid != 0)
		others |= secret ? S_IRWXG : S_IWGRP;
	else
		others |= S_IWGRP;
	if ((st->st_mode & others) != 0)
		complain(errs, path, "has mode %04o: others may %s it: "
		    "chmod %s %.100s", (unsigned)(st->st_mode & 07777),
		    (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "write" : "read",
		    secret ? "600" : "644", path);
}

/*
 * Tunnels and no "psk": nothing secret.  What has no tunnels may be the secret of a
 * "psk file", or a macro that holds one.
 */
static int
holds_secret(const uint8_t *text, size_t len)
{
	return (memmem(text, len, "psk", 3) != NULL ||
	    memmem(text, len, "ikev2", 5) == NULL);
}

/* struct conf_io's reader. */
static int
conf_read(void *arg, const char *path, uint8_t **data, size_t *len)
{
	struct conf_errors *errs = arg;
	struct stat st;

	if (wholefile_read(path, &st, data, len) == -1)
		return (-1);
	check_file(errs, path, &st, holds_secret(*data, *len));
	return (0);
}

/*
 * -D: a text of our own that defines the macros and includes the file, whose lines
 * keep their numbers that way.
 */
static struct conf *
parse_with_defs(const struct parent_opts *o, const struct conf_io *io, int flags,
    struct conf_errors *errs)
{
	struct conf *c;
	const char *eq;
	char *text;
	size_t cap = strlen(o->conf) + 32, n = 0;
	int i;

	for (i = 0; i < o->ndef; i++)
		cap += strlen(o->def[i]) + 8;
	if ((text = malloc(cap)) == NULL) {
		complain(errs, o->conf, "%s", strerror(errno));
		return (NULL);
	}
	for (i = 0; i < o->ndef; i++) {
		eq = strchr(o->def[i], '=');	/* main() has checked */
		n += (size_t)snprintf(text + n, cap - n, "%.*s = \"%s\"\n",
		    (int)(eq - o->def[i]), o->def[i], eq + 1);
	}
	n += (size_t)snprintf(text + n, cap - n, "include \"%s\"\n", o->conf);
	c = conf_parse("command line", text, n, io, flags, errs);
	explicit_bzero(text, cap);
	free(text);
	return (c);
}

struct conf *
parent_conf_read(const struct parent_opts *o, int flags,
    struct conf_errors *errs)
{
	static struct conf_errors own;	/* the parser begins with none */
	struct conf_io io = { conf_read, errs };
	struct conf *c;
	uint8_t *data;
	size_t len;

	memset(errs, 0, sizeof(*errs));
	memset(&own, 0, sizeof(own));
	if (o->ndef > 0)
		return (parse_with_defs(o, &io, flags, errs));
	if (conf_read(&own, o->conf, &data, &len) == -1) {
		complain(errs, o->conf, "%s", conf_io_error(errno));
		return (NULL);
	}
	c = conf_parse(o->conf, (const char *)data, len, &io, flags, errs);
	wholefile_free(data, len);
	if (own.n == 0)
		return (c);
	complain(errs, o->conf, "%s", own.e[0].text);
	conf_free(c);
	return (NULL);
}

void
parent_conf_complain(const struct conf_errors *errs, const struct logger *lg)
{
	const struct conf_error *e;
	size_t i, n;

	n = sizeof(errs->e) / sizeof(errs->e[0]);
	for (i = 0; i < errs->n && i < n; i++) {
		e = &errs->e[i];
		if (e->line == 0)
			log_fault(lg, WHY_FILE, "%s: %s", e->file, e->text);
		else
			log_fault(lg, WHY_FILE, "%s:%u:%u: %s%s", e->file, e->line, e->col,
			    errs->warn[i] ? "warning: " : "", e->text);
	}
	if (errs->n > n)
		log_fault(lg, WHY_FILE, "and %u more", errs->n - (unsigned)n);
}

void
parent_conf_old(const struct conf *c, const struct logger *lg)
{
	const struct conf_peer *p;
	char day[CONF_DAYLEN], a[ADDR_STRLEN];
	int64_t now = (int64_t)time(NULL);
	uint32_t i;

	for (i = 0; i < c->npeers; i++) {
		p = &c->peers[i];
		if (!p->has_old || p->old_until > now + CONF_OLDSOON)
			continue;
		(void)conf_day_str(p->old_until, day);
		addr_str(&p->remote, a);
		if (p->old_until <= now)
			log_fault(lg, WHY_OLD_SECRET, "the old secret of peer %s ended with "
			    "%s: remove it", a, day);
		else
			log_fault(lg, WHY_OLD_SECRET, "the old secret of peer %s ends with "
			    "%s: the peer needs the new one by then", a, day);
	}
}
