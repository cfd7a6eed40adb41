/* SPDX-License-Identifier: ISC */
/*
 * Children are made by fork and exec of the very same program: each has its own address
 * space layout, and nothing of the parent's memory, where secrets may have been.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc/child.h"
#include "proc/parent.h"
#include "proc/plog.h"

static char *const empty_env[] = { NULL };

static void
child_stdio(int front)
{
	int fd;

	if ((fd = open("/dev/null", O_RDWR)) == -1)
		_exit(1);
	(void)dup2(fd, 0);
	(void)dup2(fd, 1);
	if (!front)
		(void)dup2(fd, 2);	/* else: a sanitizer's last words */
	if (fd > 2)
		close(fd);
}

static void
child_exec(enum role role, int self, int front, int fd)
{
	char program[] = "iked", opt[] = "-P", name[16];
	char *argv[] = { program, opt, name, NULL };
	sigset_t none;

	(void)snprintf(name, sizeof(name), "%s", role_name(role));
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	child_stdio(front);
	/* self must not be in the way of CHILD_FD: it is closed on exec anyway. */
	if (self == CHILD_FD && (self = fcntl(self, F_DUPFD_CLOEXEC, 10)) == -1)
		_exit(1);
	if (fd == CHILD_FD) {
		if (fcntl(fd, F_SETFD, 0) == -1)
			_exit(1);
	} else if (dup2(fd, CHILD_FD) == -1)
		_exit(1);
	fexecve(self, argv, empty_env);
	_exit(127);
}

pid_t
parent_spawn(enum role role, int self, int front, int *fd)
{
	int sv[2];
	pid_t pid;

	if (chan_pair(sv) == -1)
		return (-1);
	switch (pid = fork()) {
	case -1:
		close(sv[0]);
		close(sv[1]);
		return (-1);
	case 0:
		child_exec(role, self, front, sv[1]);
		_exit(127);
	default:
		close(sv[1]);
		*fd = sv[0];
		return (pid);
	}
}
