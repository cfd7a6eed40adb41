/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "keepalive/backup.h"

int
backup_get(const char *path)
{
	return (access(path, F_OK) == 0);
}

int
backup_set(const char *path, int on)
{
	int fd;

	if (!on)
		return (unlink(path) == -1 && errno != ENOENT ? -1 : 0);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0644);
	if (fd == -1)
		return (-1);
	(void)close(fd);
	return (0);
}
