/* SPDX-License-Identifier: ISC */
/*
 * Listening on PF_KEY: each socket is told what anybody changes; ACQUIRE, EXPIRE and
 * new mappings go to those that have registered.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/pfkey_sock.h"

static int
listen_fill(struct kern_monitor *m)
{
	ssize_t n;

	m->at = m->len = 0;
	do
		n = recv(m->fd, m->buf, sizeof(m->buf), MSG_DONTWAIT | MSG_TRUNC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == ENOBUFS ? -1 : 0);
	if ((size_t)n > sizeof(m->buf))
		return (-1);
	m->len = (size_t)n;
	return (1);
}

static int
listen_next(struct kern_monitor *m, struct kern_note *n)
{
	struct pfkey_msg *pm;
	const char *why;

	if (m->len == 0 || (pm = calloc(1, sizeof(*pm))) == NULL)
		return (0);
	/* one that cannot be read is told of by its type */
	if (pfkey_decode(pfkey_native(), m->buf, m->len, pm, &why) == -1)
		pm->have = 0;
	pfkey_get_note(pfkey_native(), pm, m->how & KERN_HEAR_KEYS, n);
	m->len = 0;
	free(pm);
	return (1);
}

static int
enlist(int fd, uint8_t satype)
{
	uint8_t buf[64];
	struct pfkey_msg m;
	struct wbuf w;

	pfkey_req_plain(&m, PFM_REGISTER);
	m.satype = satype;
	m.seq = 1;
	m.pid = (uint32_t)getpid();
	wbuf_init(&w, buf, sizeof(buf));
	if (pfkey_encode(pfkey_native(), &m, &w) == -1) {
		errno = EINVAL;
		return (-1);
	}
	return (send(fd, buf, w.len, 0) == -1 ? -1 : 0);
}

int
kern_pfkey_listen(struct kern_monitor *m, const char **err)
{
	int save;

	if ((m->fd = pfkey_sock_open(err)) == -1)
		return (-1);
	m->fill = listen_fill;
	m->next = listen_next;
	if (m->how & KERN_HEAR_POLICIES)
		return (0);
	*err = "PF_KEY is there, but ESP cannot be registered";
	if (enlist(m->fd, PFS_ESP) == -1) {
		save = errno;
		close(m->fd);
		errno = save;
		return (-1);
	}
	(void)enlist(m->fd, PFS_AH);
	return (0);
}
