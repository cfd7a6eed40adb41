/* SPDX-License-Identifier: ISC */
/* Giving up root for good. */
#ifndef PROC_PRIVDROP_H
#define PROC_PRIVDROP_H

#include <sys/types.h>

#include "base/log.h"
#include "proc/role.h"
#include "proc/version.h"

struct privuser {
	uid_t	uid;
	gid_t	gid;
};

#define PRIVDROP_EMPTY	IKED_EMPTYDIR	/* the chroot, unless a test says otherwise */

/*
 * What the caller left open, from that descriptor on, is closed: it is none of our
 * processes' business.  0, 1 and 2, if closed, become /dev/null: else they would be the
 * pidfile's or a socket's, and a line meant for a person would go there.
 */
void	privdrop_files(int from);
/* The system's user of that role.  0, or -1 and a line that says what to do. */
int	privdrop_user(enum role, struct privuser *, const struct logger *);
/* Makes dir (root, 0755) when it is not there; refuses one that is not a
 * directory of root's that only root writes to.  0, or -1 and a line. */
int	privdrop_emptydir(const char *dir, const struct logger *);
/*
 * No core, no ptrace, chroot to dir, groups, gid, uid; then proves that none of it
 * comes back.  The kernel role keeps the right to change SAs (Linux: CAP_NET_ADMIN),
 * every other capability goes.  0, or -1 and a line: then exit.
 */
int	privdrop(enum role, const struct privuser *, const char *dir,
	    const struct logger *);

#endif
