/* SPDX-License-Identifier: ISC */
/* Listening to what happens in the kernel's databases, whoever did it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/kern_local.h"

struct kern_monitor *
kern_monitor_open(enum kern_backend which, int how, const char **err)
{
	struct kern_monitor *m;
	int save;

	*err = "no memory";
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->fd = -1;
	m->how = how;
	if (kern_backend_listen(m, which, err) == -1) {
		save = errno;
		free(m);
		errno = save;
		return (NULL);
	}
	return (m);
}

void
kern_monitor_close(struct kern_monitor *m)
{
	if (m == NULL)
		return;
	close(m->fd);
	explicit_bzero(m, sizeof(*m));	/* keys */
	free(m);
}

int
kern_monitor_fd(const struct kern_monitor *m)
{
	return (m->fd);
}

int
kern_monitor_next(struct kern_monitor *m, struct kern_note *n)
{
	int rv;

	for (;;) {
		memset(n, 0, sizeof(*n));
		if (m->next(m, n))
			return (1);
		if ((rv = m->fill(m)) != 1)
			return (rv);
	}
}
