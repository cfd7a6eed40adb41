/* SPDX-License-Identifier: ISC */
/* OpenBSD: pledge(2). */

#include <sys/types.h>
#include <sys/resource.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/sandbox.h"

static const char *
promises(enum role role)
{
	switch (role) {
	case ROLE_IKE:
		return ("stdio inet recvfd");
	case ROLE_PROBE:	/* unix: it accepts clients of its control socket */
		return ("stdio inet unix recvfd");
	case ROLE_KERNEL:	/* the PF_KEY socket is open: stdio writes to it */
		return ("stdio route recvfd");
	case ROLE_CONTROL:
		return ("stdio unix recvfd");
	case ROLE_NAMES:
		return ("stdio dns recvfd");
	default:
		return ("stdio recvfd");
	}
}

int
sandbox_enter(enum role role, unsigned maxfiles, const struct logger *lg)
{
	struct rlimit rl;

	rl.rlim_cur = rl.rlim_max = maxfiles;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    pledge(promises(role), NULL) == -1) {
		log_error(lg, WHY_SANDBOX, "%s: pledge", role_name(role));
		return (-1);
	}
	return (0);
}

/* A process that changed its uid can neither be traced nor leave a core. */
int
sandbox_nodump(void)
{
	return (0);
}

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

/* There is no descriptor to be had of the running program. */
int
sandbox_self(void)
{
	errno = EOPNOTSUPP;
	return (-1);
}

void
sandbox_title(const char *title)
{
	setproctitle("%s", title);
}
