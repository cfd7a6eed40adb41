/* SPDX-License-Identifier: ISC */
/* Configuration files, which may hold secrets: read whole, wiped afterwards. */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side_file.h"

#define FILE_MAX	(64U << 20)

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
read_fd(int fd, uint8_t **data, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return (-1);
	}
	*len = (size_t)st.st_size;
	if ((*data = calloc(1, *len + 1)) == NULL)
		return (-1);
	if (read_all(fd, *data, *len) == 0)
		return (0);
	side_file_free(*data, *len);
	*data = NULL;
	return (-1);
}

/* No stdio: its buffers would keep secrets.  O_NONBLOCK: a fifo must not hang us. */
int
side_file_read(const char *path, uint8_t **data, size_t *len)
{
	int fd, rv, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (-1);
	rv = read_fd(fd, data, len);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return (rv);
}

void
side_file_free(uint8_t *data, size_t len)
{
	int saved = errno;

	if (data != NULL)
		explicit_bzero(data, len);
	free(data);
	errno = saved;
}
