/* SPDX-License-Identifier: ISC */
/* A text of the project, whole.  That it cannot be read fails the test. */
#ifndef UNIT_SLURP_H
#define UNIT_SLURP_H

#include <atf-c.h>

#include "proc/wholefile.h"

/* The caller frees it. */
static char * __attribute__((__noinline__))
slurp(const char *path)
{
	uint8_t	*text;
	size_t	 len;

	ATF_REQUIRE_MSG(wholefile_read(path, NULL, &text, &len) == 0, "%s", path);
	ATF_REQUIRE_MSG(len > 0, "%s", path);
	return ((char *)text);
}

#endif
