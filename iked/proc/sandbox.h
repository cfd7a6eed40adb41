/* SPDX-License-Identifier: ISC */
/*
 * The sandbox of each process: one file an operating system behind this header.
 * Everything a process needs must be open, loaded and fetched before.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include "base/log.h"
#include "proc/role.h"

/*
 * Closes for good.  A call that the role has no need of ends the process.
 * maxfiles: no descriptor at or above it can be made any more (RLIMIT_NOFILE).
 * 0, or -1 and a line: then exit.
 */
int	sandbox_enter(enum role, unsigned maxfiles, const struct logger *);

/* For privdrop(): before and after the uid changes. 0 or -1 with errno. */
int	sandbox_nodump(void);
int	sandbox_keepcaps(enum role);
int	sandbox_setcaps(enum role);

/* A descriptor on the program that runs, so that children are always of the very same
 * build (fexecve); -1 and errno. */
int	sandbox_self(void);
/* What tools such as ps show of this process. */
void	sandbox_title(const char *);

#endif
