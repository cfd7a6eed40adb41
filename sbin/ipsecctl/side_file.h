/* SPDX-License-Identifier: ISC */
/* Configuration files, which may hold secrets: read whole, wiped afterwards. */
#ifndef IPSECCTL_SIDE_FILE_H
#define IPSECCTL_SIDE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A regular file, or for "-" the standard input; NUL behind its octets.  0, or -1 and errno as struct conf_io has it. */
int	side_file_read(const char *path, uint8_t **data, size_t *len);
void	side_file_free(uint8_t *data, size_t len);	/* wipes */

#endif
