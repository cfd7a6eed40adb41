/* SPDX-License-Identifier: ISC */
/* What belongs to a platform in PF_KEY: its dialect and opening the socket. */
#ifndef PFKEY_PFKEY_SOCK_H
#define PFKEY_PFKEY_SOCK_H

#include "pfkey/pfkey_msg.h"

const struct pfkey_dialect	*pfkey_native(void);
/* Nonblocking, close-on-exec, with a large receive buffer.  -1, errno and *err. */
int	pfkey_sock_open(const char **err);

#endif
