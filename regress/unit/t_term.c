/* SPDX-License-Identifier: ISC */
/* What of a picture is seen in a window. */

#include <atf-c.h>
#include <string.h>

#include "sbin/ipsecctl/term.h"

static const char *
cut(const char *text, unsigned rows, unsigned cols)
{
	static char buf[256];
	size_t n = term_cut(text, strlen(text), rows, cols, "$", buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return (buf);
}

ATF_TC_WITHOUT_HEAD(cut);
ATF_TC_BODY(cut, tc)
{
	char small[4];

	(void)tc;
	ATF_CHECK_STREQ("one$two$", cut("one\ntwo\n", 0, 0));
	ATF_CHECK_STREQ("one$two$", cut("one\ntwo", 5, 80));
	ATF_CHECK_STREQ("one$two$", cut("one\ntwo\n", 2, 80));
	/* what has no room is counted, in the place of the last line that has */
	ATF_CHECK_STREQ("... and 2 more lines$", cut("one\ntwo\n", 1, 80));
	ATF_CHECK_STREQ("1$... and 3 more lines$", cut("1\n2\n3\n4", 2, 80));
	ATF_CHECK_STREQ("1$... $", cut("1\n2\n3\n4\n", 2, 4));
	ATF_CHECK_STREQ("on$tw$", cut("one\ntwo\n", 9, 2));
	ATF_CHECK_STREQ("$$x$", cut("\n\nx\n", 9, 2));
	ATF_CHECK_STREQ("", cut("", 9, 9));
	/* characters, not octets */
	ATF_CHECK_STREQ("\u2550\u2550$", cut("\u2550\u2550\u2550\n", 9, 2));
	/* no line is written that has no room */
	ATF_CHECK_EQ(4, term_cut("abc\ndef\n", 8, 0, 0, "$", small, sizeof(small)));
	ATF_CHECK_EQ(0, memcmp(small, "abc$", 4));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, cut);
	return (atf_no_error());
}
