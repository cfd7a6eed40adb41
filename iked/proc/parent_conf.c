/* SPDX-License-Identifier: ISC */
/* The parent reads the configuration: it alone opens files. */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/parent.h"
#include "proc/plog.h"

#define FILE_MAX	(64U << 20)

static int
read_all(int fd, uint8_t *p, size_t len)
{
	size_t off = 0;
	ssize_t n;

	while (off < len) {
		if ((n = read(fd, p + off, len - off)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (n == 0) {
			errno = EIO;	/* it shrank */
			return (-1);
		}
		off += (size_t)n;
	}
	return (0);
}

static int
read_fd(int fd, uint8_t **data, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return (-1);
	}
	*len = (size_t)st.st_size;
	if ((*data = calloc(1, *len + 1)) == NULL)
		return (-1);
	if (read_all(fd, *data, *len) == -1) {
		explicit_bzero(*data, *len);
		free(*data);
		*data = NULL;
		return (-1);
	}
	return (0);
}

/* struct conf_io's reader.  No stdio: its buffers would keep secrets. */
static int
conf_read(void *arg, const char *path, uint8_t **data, size_t *len)
{
	int fd, rv, saved;

	(void)arg;
	/* O_NONBLOCK: a fifo by that name must not hang us. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (-1);
	rv = read_fd(fd, data, len);
	saved = errno;
	close(fd);
	errno = saved;
	return (rv);
}

static void
fail(struct conf_errors *errs, const char *file, const char *text)
{
	memset(errs, 0, sizeof(*errs));
	errs->n = 1;
	(void)strlcpy(errs->e[0].file, file, sizeof(errs->e[0].file));
	(void)snprintf(errs->e[0].text, sizeof(errs->e[0].text), "%s", text);
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
		fail(errs, o->conf, strerror(errno));
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
	struct conf_io io = { conf_read, NULL };
	struct conf *c;
	uint8_t *data;
	size_t len;

	memset(errs, 0, sizeof(*errs));
	if (o->ndef > 0)
		return (parse_with_defs(o, &io, flags, errs));
	if (conf_read(NULL, o->conf, &data, &len) == -1) {
		fail(errs, o->conf, conf_io_error(errno));
		return (NULL);
	}
	c = conf_parse(o->conf, (const char *)data, len, &io, flags, errs);
	explicit_bzero(data, len);
	free(data);
	return (c);
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
			log_warnx(lg, "%s: %s", e->file, e->text);
		else
			log_warnx(lg, "%s:%u:%u: %s%s", e->file, e->line, e->col,
			    errs->warn[i] ? "warning: " : "", e->text);
	}
	if (errs->n > n)
		log_warnx(lg, "and %u more", errs->n - (unsigned)n);
}
