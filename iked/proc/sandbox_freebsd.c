/* SPDX-License-Identifier: ISC */
/*
 * FreeBSD: Capsicum for keys, kernel and control.  ike, probe and names must send to
 * addresses, which capability mode forbids (ECAPMODE): uid, empty chroot (names reads
 * resolv.conf and hosts, and has none), no new processes and a fixed number of descriptors
 * hold them.
 */

#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/sandbox.h"

static int
limit(int what, rlim_t n)
{
	struct rlimit rl;

	rl.rlim_cur = rl.rlim_max = n;
	return (setrlimit(what, &rl));
}

int
sandbox_enter(enum role role, unsigned maxfiles, const struct logger *lg)
{
	if (limit(RLIMIT_NPROC, 0) == -1 ||
	    limit(RLIMIT_NOFILE, maxfiles) == -1) {
		log_error(lg, WHY_SANDBOX, "%s: resource limits", role_name(role));
		return (-1);
	}
	if (role == ROLE_IKE || role == ROLE_PROBE || role == ROLE_NAMES)
		return (0);
	/* ENOSYS: a kernel without capability mode; the uid still holds. */
	if (cap_enter() == -1 && errno != ENOSYS) {
		log_error(lg, WHY_SANDBOX, "%s: cap_enter", role_name(role));
		return (-1);
	}
	return (0);
}

int
sandbox_nodump(void)
{
	int no = PROC_TRACE_CTL_DISABLE;

	return (procctl(P_PID, getpid(), PROC_TRACE_CTL, &no));
}

/* The PF_KEY socket was opened as root and keeps its power. */
int
sandbox_keepcaps(enum role role)
{
	(void)role;
	return (0);
}

int
sandbox_setcaps(enum role role)
{
	(void)role;
	return (0);
}

int
sandbox_self(void)
{
	int mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
	char path[PATH_MAX];
	size_t len = sizeof(path);

	if (sysctl(mib, 4, path, &len, NULL, 0) == -1)
		return (-1);
	return (open(path, O_RDONLY | O_CLOEXEC));
}

void
sandbox_title(const char *title)
{
	setproctitle("%s", title);
}
