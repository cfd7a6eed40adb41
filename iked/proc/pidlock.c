/* SPDX-License-Identifier: ISC */
/* The pidfile: its lock says that a daemon runs. */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/pidlock.h"

#define TRIES	10

/* Is it still the file of that name?  Its last owner unlinks it before it lets go. */
static int
is_named(int fd, const char *path)
{
	struct stat a, b;

	return (fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* Nobody else may open it: a shared lock needs no more than that. */
static int
lock_one(const char *path)
{
	int fd, saved;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return (-1);
	if (fchmod(fd, 0600) == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

int
pidlock_take(const char *path)
{
	int fd, i;

	for (i = 0; i < TRIES; i++) {
		if ((fd = lock_one(path)) == -1)
			return (-1);
		if (is_named(fd, path))
			return (fd);
		close(fd);
	}
	errno = EWOULDBLOCK;
	return (-1);
}

int
pidlock_write(int fd)
{
	char pid[32];
	int n;

	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	return (ftruncate(fd, 0) == -1 ||
	    pwrite(fd, pid, (size_t)n, 0) != n ? -1 : 0);
}

pid_t
pidlock_holder(const char *path)
{
	char text[32] = "";
	ssize_t n;
	long pid = 0;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK &&
	    (n = read(fd, text, sizeof(text) - 1)) > 0)
		pid = strtol(text, NULL, 10);
	close(fd);
	return (pid > 1 ? (pid_t)pid : 0);
}
