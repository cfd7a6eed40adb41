/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/wholefile.h"

static int
read_all(int fd, uint8_t *p, size_t len)
{
	size_t off = 0;
	ssize_t n;

	while (off < len) {
		if ((n = read(fd, p + off, len - off)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		if (n == 0) {
			errno = EIO;	/* it shrank */
			return (-1);
		}
		off += (size_t)n;
	}
	return (0);
}

static int
read_fd(int fd, struct stat *st, uint8_t **data, size_t *len)
{
	if (fstat(fd, st) == -1)
		return (-1);
	if (!S_ISREG(st->st_mode) || st->st_size > WHOLEFILE_MAX) {
		errno = S_ISREG(st->st_mode) ? EFBIG : EINVAL;
		return (-1);
	}
	*len = (size_t)st->st_size;
	if ((*data = calloc(1, *len + 1)) == NULL)
		return (-1);
	if (read_all(fd, *data, *len) == 0)
		return (0);
	wholefile_free(*data, *len);
	*data = NULL;
	return (-1);
}

int
wholefile_read(const char *path, struct stat *st, uint8_t **data, size_t *len)
{
	struct stat own;
	int fd, rv, saved;

	*data = NULL;
	*len = 0;
	/* O_NONBLOCK: a fifo by that name must not hang us. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (-1);
	rv = read_fd(fd, st != NULL ? st : &own, data, len);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (rv);
}

void
wholefile_free(uint8_t *data, size_t len)
{
	int saved = errno;

	if (data != NULL)
		explicit_bzero(data, len);
	free(data);
	errno = saved;
}
