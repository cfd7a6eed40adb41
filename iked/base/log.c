/* SPDX-License-Identifier: ISC */
/* Formatting of log lines; where they go is the logger's business. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define LOG_LINEMAX	1024	/* longer lines are cut */

/*
 * What the network said may end up in a line: a line feed or an escape
 * sequence in it must not forge lines of its own nor play with a terminal.
 */
static void
clean(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static void
vlog(const struct logger *lg, enum log_level level, int with_errno,
    const char *fmt, va_list ap)
    __attribute__((__format__(printf, 4, 0)));

static void
vlog(const struct logger *lg, enum log_level level, int with_errno,
    const char *fmt, va_list ap)
{
	char line[LOG_LINEMAX];
	size_t n;
	int saved = errno;

	if (lg == NULL || lg->emit == NULL)
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	n = strlen(line);
	if (with_errno)
		(void)snprintf(line + n, sizeof(line) - n, ": %s",
		    strerror(saved));
	clean(line);
	lg->emit(lg->arg, level, line);
	errno = saved;
}

void
log_warn(const struct logger *lg, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(lg, LOGGER_WARN, 1, fmt, ap);
	va_end(ap);
}

void
log_warnx(const struct logger *lg, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(lg, LOGGER_WARN, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const struct logger *lg, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(lg, LOGGER_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const struct logger *lg, const char *fmt, ...)
{
	va_list ap;

	if (lg == NULL || !lg->verbose)
		return;
	va_start(ap, fmt);
	vlog(lg, LOGGER_DEBUG, 0, fmt, ap);
	va_end(ap);
}

int
log_level_parse(const char *word, enum log_level *level)
{
	static const struct {
		const char	*word;
		enum log_level	 level;
	} levels[] = {
		{ "verbose", LOGGER_DEBUG }, { "info", LOGGER_INFO },
		{ "brief", LOGGER_INFO }, { "warning", LOGGER_WARN }
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(word, levels[i].word) == 0) {
			*level = levels[i].level;
			return (0);
		}
	return (-1);
}
