/* SPDX-License-Identifier: ISC */
/* Configuration files, which may hold secrets: read whole, and without stdio, whose buffers would keep them. */
#ifndef PROC_WHOLEFILE_H
#define PROC_WHOLEFILE_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

#define WHOLEFILE_MAX	(64U << 20)

/*
 * A regular file of at most WHOLEFILE_MAX octets, with a NUL behind them; what it is in
 * *st, unless that is NULL.  0, or -1 and errno: EFBIG, EINVAL (no regular file), EIO (it
 * shrank), or what the system says.  *data is the caller's, for wholefile_free().
 */
int	wholefile_read(const char *path, struct stat *st, uint8_t **data, size_t *len);
void	wholefile_free(uint8_t *data, size_t len);	/* wipes; keeps errno */

#endif
