/* SPDX-License-Identifier: ISC */
/* The words of the reasons, and log lines that carry them. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"

#define EVENT_MAX	900	/* of the text: the reason fits behind it in any line */

static const char *const names[WHY_MAX] = {
	"",
#define REASON_NAME(id, name) name,
	REASONS(REASON_NAME)
#undef REASON_NAME
};

const char *
reason_name(enum reason why)
{
	return ((unsigned int)why < WHY_MAX ? names[why] : "");
}

static void
count(const struct logger *lg, enum reason why)
{
	if (lg != NULL && lg->reasons != NULL && (unsigned int)why < WHY_MAX)
		lg->reasons[why]++;
}

void
log_event(const struct logger *lg, enum reason why, const char *fmt, ...)
{
	va_list	ap;
	char	text[EVENT_MAX];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	count(lg, why);
	log_info(lg, "%s [%s]", text, reason_name(why));
}

void
log_fault(const struct logger *lg, enum reason why, const char *fmt, ...)
{
	va_list	ap;
	char	text[EVENT_MAX];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	count(lg, why);
	log_warnx(lg, "%s [%s]", text, reason_name(why));
}

void
log_error(const struct logger *lg, enum reason why, const char *fmt, ...)
{
	va_list	ap;
	char	text[EVENT_MAX];
	int	saved = errno;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	count(lg, why);
	log_warnx(lg, "%s: %s [%s]", text, strerror(saved), reason_name(why));
	errno = saved;
}
