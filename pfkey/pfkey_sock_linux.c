/* SPDX-License-Identifier: ISC */
/* Opening PF_KEY on Linux, where it is deprecated (6.19) and often absent. */

#include <sys/socket.h>

#include <linux/pfkeyv2.h>

#include <errno.h>
#include <unistd.h>

#include "pfkey/pfkey_sock.h"

#define RCVBUF	(2 * 1024 * 1024)

const struct pfkey_dialect *
pfkey_native(void)
{
	return (&pfkey_linux);
}

int
pfkey_sock_open(const char **err)
{
	int fd, size = RCVBUF;

	fd = socket(PF_KEY, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PF_KEY_V2);
	if (fd == -1) {
		*err = errno == EPERM || errno == EACCES ?
		    "PF_KEY needs root (CAP_NET_ADMIN)" :
		    "this kernel has no AF_KEY: use XFRM, or modprobe af_key";
		return (-1);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return (fd);
}
