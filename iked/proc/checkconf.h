/* SPDX-License-Identifier: ISC */
#ifndef PROC_CHECKCONF_H
#define PROC_CHECKCONF_H

#include "proc/parent.h"

/* `iked -n': errors, warnings and what is hardly meant; the exit status.  With -v, what
 * was understood; secrets: those, too. */
int	checkconf(const struct parent_opts *, int secrets);

#endif
