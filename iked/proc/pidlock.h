/* SPDX-License-Identifier: ISC */
/* The locked pidfile of a daemon. */
#ifndef PROC_PIDLOCK_H
#define PROC_PIDLOCK_H

#include <sys/types.h>

/* Makes and locks it, for root's eyes only.  The descriptor; -1: EWOULDBLOCK when a
 * daemon has it, or another errno. */
int	pidlock_take(const char *path);
/* Our pid into it.  0 or -1 and errno. */
int	pidlock_write(int fd);
/* Who has it locked; 0 nobody, -1 and errno. */
pid_t	pidlock_holder(const char *path);

#endif
