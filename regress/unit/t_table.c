/* SPDX-License-Identifier: ISC */
/* ipsecctl's tables: whole, and on a terminal that has not the room. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "../../sbin/ipsecctl/print.h"

static const char *const head[] = { "TUNNEL", "SPI", "NET", "STATE" };
static const char *const spare[] = { "SPI", "NET", NULL };

static const char *
printed(unsigned cols, const char *const *sp)
{
	static char out[4096];
	struct table *t = table_new(head, 4);
	FILE *f;

	memset(out, 0, sizeof(out));
	ATF_REQUIRE((f = fmemopen(out, sizeof(out), "w")) != NULL);
	table_cell(t, "boise");
	table_cell(t, "0x00010001");
	table_cell(t, "10.1.0.0/24");
	table_cell(t, "up, and everything that is said of it here is long");
	table_note(t, "a note");
	table_cell(t, "");
	table_num(t, 7);
	table_cell(t, "any");
	table_cell(t, "down");
	if (sp != NULL)
		table_spare(t, sp);
	table_fit(cols);
	table_print(t, f);
	ATF_REQUIRE(fclose(f) == 0);
	return (out);
}

#define WHOLE								\
	"TUNNEL  SPI         NET          STATE\n"			\
	"boise   0x00010001  10.1.0.0/24  up, and everything that is said of it here is long\n" \
	"    a note\n"							\
	"-       7           any          down\n"

ATF_TC_WITHOUT_HEAD(fit);
ATF_TC_BODY(fit, tc)
{
	ATF_CHECK_STREQ(WHOLE, printed(0, spare));
	ATF_CHECK_STREQ(WHOLE, printed(57, spare));
	ATF_CHECK_STREQ("TUNNEL  NET          STATE\n"
	    "boise   10.1.0.0/24  up, and everything that is said of it here is long\n"
	    "    a note\n"
	    "-       any          down\n"
	    "(56 columns have no room for SPI)\n", printed(56, spare));
	ATF_CHECK_STREQ("TUNNEL  STATE\n"
	    "boise   up, and everything that is said of it here is long\n"
	    "    a note\n"
	    "-       down\n"
	    "(44 columns have no room for SPI, NET)\n", printed(44, spare));
	/* what is left stays, whatever the width */
	ATF_CHECK(strstr(printed(1, spare), "boise   up") != NULL);
	ATF_CHECK_STREQ(WHOLE, printed(1, NULL));
}

/* Characters are counted, not octets. */
ATF_TC_WITHOUT_HEAD(characters);
ATF_TC_BODY(characters, tc)
{
	char out[256] = "";
	struct table *t = table_new(head, 4);
	FILE *f;

	(void)tc;
	ATF_REQUIRE((f = fmemopen(out, sizeof(out), "w")) != NULL);
	table_cell(t, "Z\u00fcrich");
	table_num(t, 1);
	table_cell(t, "any");
	table_cell(t, "up");
	table_fit(0);
	table_print(t, f);
	ATF_REQUIRE(fclose(f) == 0);
	ATF_CHECK_STREQ("TUNNEL  SPI  NET  STATE\nZ\u00fcrich  1    any  up\n", out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, characters);
	ATF_TP_ADD_TC(tp, fit);
	return (atf_no_error());
}
