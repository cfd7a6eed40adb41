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

/* Until it ends.  Grows by hand: realloc would leave copies of secrets behind. */
static int
read_input(uint8_t **data, size_t *len)
{
	uint8_t *p = NULL, *q;
	size_t cap = 0, n = 0;
	ssize_t r;

	do {
		if (n + 1 >= cap) {
			if (cap > FILE_MAX ||
			    (q = recallocarray(p, cap, 2 * cap + 65536, 1)) == NULL) {
				side_file_free(p, n);
				errno = cap > FILE_MAX ? EFBIG : ENOMEM;
				return (-1);
			}
			p = q;
			cap = 2 * cap + 65536;
		}
		if ((r = read(STDIN_FILENO, p + n, cap - n - 1)) > 0)
			n += (size_t)r;
	} while (r > 0 || (r == -1 && errno == EINTR));
	if (r == -1) {
		side_file_free(p, n);
		return (-1);
	}
	*data = p;
	*len = n;
	return (0);
}

/* No stdio: its buffers would keep secrets.  O_NONBLOCK: a fifo must not hang us. */
int
side_file_read(const char *path, uint8_t **data, size_t *len)
{
	int fd, rv, saved;

	if (strcmp(path, "-") == 0)
		return (read_input(data, len));
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
