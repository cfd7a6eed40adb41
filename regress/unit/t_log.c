/* SPDX-License-Identifier: ISC */
/* Log lines: one line an event, whatever the network put into it. */

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct seen {
	int		n;
	enum log_level	level;
	char		line[2048];
};

static void
note(void *arg, enum log_level level, const char *line)
{
	struct seen *s = arg;

	s->n++;
	s->level = level;
	(void)snprintf(s->line, sizeof(s->line), "%s", line);
}

ATF_TC_WITHOUT_HEAD(levels);
ATF_TC_BODY(levels, tc)
{
	struct seen s = { 0 };
	struct logger lg = { note, &s, 0 };

	log_info(&lg, "up %d", 1);
	ATF_CHECK_EQ(s.level, LOGGER_INFO);
	ATF_CHECK_STREQ("up 1", s.line);
	log_warnx(&lg, "down");
	ATF_CHECK_EQ(s.level, LOGGER_WARN);
	ATF_CHECK_STREQ("down", s.line);
	errno = ENOENT;
	log_warn(&lg, "%s", "/nowhere");
	ATF_CHECK_STREQ("/nowhere: No such file or directory", s.line);
	ATF_CHECK_EQ(errno, ENOENT);
	ATF_CHECK_EQ(s.n, 3);
	log_debug(&lg, "quiet");
	ATF_CHECK_EQ(s.n, 3);
	lg.verbose = 1;
	log_debug(&lg, "loud");
	ATF_CHECK_EQ(s.level, LOGGER_DEBUG);
	ATF_CHECK_EQ(s.n, 4);
	log_info(NULL, "nobody");
	log_debug(NULL, "nobody");
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	char big[5000];
	struct seen s = { 0 };
	struct logger lg = { note, &s, 0 };

	log_info(&lg, "id %s", "x\nroot: forged\r\033[2J\177");
	ATF_CHECK_STREQ("id x?root: forged??[2J?", s.line);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	errno = EPERM;
	log_warn(&lg, "%s", big);
	ATF_CHECK_EQ(strlen(s.line), 1023);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, levels);
	ATF_TP_ADD_TC(tp, hostile);
	return (atf_no_error());
}
