/* SPDX-License-Identifier: ISC */
/* What diff and mirror read: files, or the standard input. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side_file.h"

/* Until it ends.  Grows by hand: realloc would leave copies of secrets behind. */
static int
read_input(uint8_t **data, size_t *len)
{
	uint8_t *p = NULL, *q;
	size_t cap = 0, n = 0;
	ssize_t r;

	do {
		if (n + 1 >= cap) {
			if (cap > WHOLEFILE_MAX ||
			    (q = recallocarray(p, cap, 2 * cap + 65536, 1)) == NULL) {
				wholefile_free(p, n);
				errno = cap > WHOLEFILE_MAX ? EFBIG : ENOMEM;
				return (-1);
			}
			p = q;
			cap = 2 * cap + 65536;
		}
		if ((r = read(STDIN_FILENO, p + n, cap - n - 1)) > 0)
			n += (size_t)r;
	} while (r > 0 || (r == -1 && errno == EINTR));
	if (r == -1) {
		wholefile_free(p, n);
		return (-1);
	}
	*data = p;
	*len = n;
	return (0);
}

int
side_file_read(const char *path, uint8_t **data, size_t *len)
{
	if (strcmp(path, "-") == 0)
		return (read_input(data, len));
	return (wholefile_read(path, NULL, data, len));
}
