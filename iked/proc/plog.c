/* SPDX-License-Identifier: ISC */
/* Syslog or standard error for a parent and its children. */

#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/plog.h"

#define PLOG_LINEMAX	1024

static void	plog_emit(void *, enum log_level, const char *);

static struct {
	const char	*ident;
	int		 front;
	int		 facility;
	enum log_level	 level;
	struct logger	 log;
} pl = { "iked", 1, LOG_DAEMON, LOGGER_INFO, { plog_emit, NULL, 0, NULL } };

/* Those a daemon's lines may be filed under; not the kernel's, cron's or mail's. */
static const struct {
	const char	*name;
	int		 facility;
} facilities[] = {
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "daemon", LOG_DAEMON }, { "user", LOG_USER },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

void
plog_facility(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++)
		if (strcmp(name, facilities[i].name) == 0) {
			pl.facility = facilities[i].facility;
			return;
		}
	fatalx("-l %s: know auth, authpriv, daemon, user, local0 to local7",
	    name);
}

int
plog_is_journal(int fd, const char *stream)
{
	struct stat st;
	unsigned long long dev, ino;
	char rest;

	return (stream != NULL && sscanf(stream, "%llu:%llu%c", &dev, &ino, &rest) == 2 &&
	    fstat(fd, &st) == 0 && (unsigned long long)st.st_dev == dev &&
	    (unsigned long long)st.st_ino == ino);
}

static int
to_syslog(void)
{
	return (pl.front == PLOG_SYSLOG || pl.front == PLOG_BOTH);
}

void
plog_init(const char *ident, int front, int verbose)
{
	/* syslog ends there as well, and each line would stand there twice */
	if (front == PLOG_BOTH && plog_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM")))
		front = PLOG_SYSLOG;
	pl.ident = ident;
	pl.front = front;
	pl.log.verbose = verbose;
	pl.level = verbose ? LOGGER_DEBUG : LOGGER_INFO;
	if (to_syslog())
		openlog(ident, LOG_PID | LOG_NDELAY, pl.facility);
	tzset();
}

void
plog_setlevel(enum log_level level)
{
	pl.level = level;
	pl.log.verbose = level == LOGGER_DEBUG;
}

enum log_level
plog_level(void)
{
	return (pl.level);
}

const struct logger *
plog(void)
{
	return (&pl.log);
}

static void
to_stderr(const char *who, const char *line)
{
	struct timeval tv;
	struct tm tm;
	char hms[16] = "";
	time_t t;

	if (pl.front == PLOG_PLAIN) {
		(void)fprintf(stderr, "%s\n", line);
		return;
	}
	if (gettimeofday(&tv, NULL) == 0) {
		t = tv.tv_sec;
		if (localtime_r(&t, &tm) != NULL)
			(void)strftime(hms, sizeof(hms), "%H:%M:%S", &tm);
	}
	(void)fprintf(stderr, "%s.%03d %s %s: %s\n", hms,
	    (int)(tv.tv_usec / 1000), pl.ident, who, line);
}

static int
priority(enum log_level level)
{
	switch (level) {
	case LOGGER_WARN:
		return (LOG_WARNING);
	case LOGGER_INFO:
		return (LOG_INFO);
	default:
		return (LOG_DEBUG);
	}
}

/*
 * The text may come from a child that the network has taken over: what
 * could forge lines of its own is replaced here once more.
 */
void
plog_line(enum role role, enum log_level level, const char *text)
{
	char line[PLOG_LINEMAX];
	size_t i;

	if (level > pl.level)
		return;
	for (i = 0; text[i] != '\0' && i < sizeof(line) - 1; i++)
		line[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ?
		    '?' : text[i];
	line[i] = '\0';
	if (pl.front != PLOG_SYSLOG)
		to_stderr(role_name(role), line);
	if (to_syslog())
		syslog(priority(level), "%s: %s", role_name(role), line);
}

static void
plog_emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	plog_line(ROLE_PARENT, level, line);
}

void
fatal(const char *fmt, ...)
{
	char text[PLOG_LINEMAX];
	va_list ap;
	int saved = errno;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_fault(&pl.log, WHY_START, "%s: %s", text, strerror(saved));
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	char text[PLOG_LINEMAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_fault(&pl.log, WHY_START, "%s", text);
	exit(1);
}
