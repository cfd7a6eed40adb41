/*
 * Logging without a hidden global: whoever speaks holds a struct logger.
 * The processes bind it to their channel to the parent (which alone writes
 * syslog), tests to a buffer.  One line an event, no newline at the end.
 * Secrets and pointers are never printed.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdint.h>

enum log_level { LOGGER_WARN, LOGGER_INFO, LOGGER_DEBUG };

struct logger {
	void	(*emit)(void *arg, enum log_level, const char *line);
	void	*arg;
	int	 verbose;	/* 0: debug lines are not even formatted */
	uint64_t *reasons;	/* log_event() and its kin count in it, WHY_MAX long; or NULL */
};

/* log_warn appends ": strerror(errno)".  A NULL logger is silent. */
void	log_warn(const struct logger *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	log_warnx(const struct logger *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	log_info(const struct logger *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	log_debug(const struct logger *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

/* verbose, info (ikectl: brief) or warning.  0 or -1: none of them. */
int	log_level_parse(const char *word, enum log_level *);

#endif
