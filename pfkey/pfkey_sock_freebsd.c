/* SPDX-License-Identifier: ISC */
/* Opening PF_KEY on FreeBSD. */

#include <sys/types.h>
#include <sys/socket.h>

#include <net/pfkeyv2.h>

#include <errno.h>
#include <unistd.h>

#include "pfkey/pfkey_sock.h"

const struct pfkey_dialect *
pfkey_native(void)
{
	return (&pfkey_freebsd);
}

/* kern.ipc.maxsockbuf may be less: the largest of these that is granted. */
static void
enlarge(int fd)
{
	static const int sizes[] = { 2097152, 1048576, 524288, 262144 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[i],
		    sizeof(sizes[i])) == 0)
			break;
}

int
pfkey_sock_open(const char **err)
{
	int fd, on = 1;

	fd = socket(PF_KEY, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PF_KEY_V2);
	if (fd == -1) {
		*err = errno == EPERM || errno == EACCES ?
		    "PF_KEY needs root" :
		    "this kernel has no IPsec: kldload ipsec";
		return (-1);
	}
	enlarge(fd);
#ifdef SO_RERROR
	/* Tell us when messages did not fit (14.0). */
	(void)setsockopt(fd, SOL_SOCKET, SO_RERROR, &on, sizeof(on));
#else
	(void)on;
#endif
	return (fd);
}
