/* SPDX-License-Identifier: ISC */
/* Log lines: one line an event, whatever the network put into it. */

#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proc/plog.h"

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
	struct logger lg = { note, &s, 0, NULL };

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
	struct logger lg = { note, &s, 0, NULL };

	log_info(&lg, "id %s", "x\nroot: forged\r\033[2J\177");
	ATF_CHECK_STREQ("id x?root: forged??[2J?", s.line);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	errno = EPERM;
	log_warn(&lg, "%s", big);
	ATF_CHECK_EQ(strlen(s.line), 1023);
}

/* $JOURNAL_STREAM names the file that is written to, or another one. */
ATF_TC_WITHOUT_HEAD(journal);
ATF_TC_BODY(journal, tc)
{
	struct stat st;
	char is[64], other[64], more[80];
	FILE *f = tmpfile();

	ATF_REQUIRE(f != NULL && fstat(fileno(f), &st) == 0);
	(void)snprintf(is, sizeof(is), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	(void)snprintf(other, sizeof(other), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino + 1);
	(void)snprintf(more, sizeof(more), "%s0x", is);
	ATF_CHECK_EQ(1, plog_is_journal(fileno(f), is));
	ATF_CHECK_EQ(0, plog_is_journal(fileno(f), other));
	ATF_CHECK_EQ(0, plog_is_journal(fileno(f), more));
	ATF_CHECK_EQ(0, plog_is_journal(fileno(f), ""));
	ATF_CHECK_EQ(0, plog_is_journal(fileno(f), NULL));
	ATF_CHECK_EQ(0, plog_is_journal(-1, is));
	(void)fclose(f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, levels);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, journal);
	return (atf_no_error());
}
