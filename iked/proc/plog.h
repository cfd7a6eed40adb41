/* SPDX-License-Identifier: ISC */
/*
 * Where a privileged parent (iked's, netwatchd's) puts log lines: syslog, or
 * standard error when it stays in front.  Children have no syslog: their lines come
 * to the parent as messages and go out through plog_line().
 */
#ifndef PROC_PLOG_H
#define PROC_PLOG_H

#include "base/log.h"
#include "proc/role.h"

#define PLOG_SYSLOG	0
#define PLOG_FRONT	1	/* standard error, with the time of day */
#define PLOG_BOTH	2	/* a daemon that is starting; where standard error is the
				   journal of systemd: syslog alone, which is the same */
#define PLOG_PLAIN	3	/* standard error, the text alone: -n */
/* ident must stay valid.  May be called again. */
void	plog_init(const char *ident, int front, int verbose);
/* From now on this level and what is worse. */
void	plog_setlevel(enum log_level);
enum log_level	plog_level(void);
/* The facility of syslog, by name, for the next plog_init(); else daemon.  Exits when
 * there is none of this name. */
void	plog_facility(const char *);
/* 1: fd is the journal that $JOURNAL_STREAM (systemd.exec(5)) speaks of; NULL: none. */
int	plog_is_journal(int fd, const char *stream);
/* The logger of this very process. */
const struct logger *plog(void);
/* A line of another process.  Control characters are replaced, long lines cut. */
void	plog_line(enum role, enum log_level, const char *line);

/* Only while starting: a line with (fatal) or without (fatalx) strerror, exit 1. */
void	fatal(const char *, ...)
	    __attribute__((__noreturn__, __format__(printf, 1, 2)));
void	fatalx(const char *, ...)
	    __attribute__((__noreturn__, __format__(printf, 1, 2)));

#endif
