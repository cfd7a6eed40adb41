/* SPDX-License-Identifier: ISC */
/* What diff and mirror read: files, or the standard input.  They may hold secrets. */
#ifndef IPSECCTL_SIDE_FILE_H
#define IPSECCTL_SIDE_FILE_H

#include "proc/wholefile.h"

/* As wholefile_read(), or for "-" the standard input until it ends. */
int	side_file_read(const char *path, uint8_t **data, size_t *len);

#endif
