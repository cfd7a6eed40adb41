/* SPDX-License-Identifier: ISC */
/* The clients of netwatchd's control socket. */

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/ctl_local.h"
#include "proc/version.h"

static struct ctl_client *
client_of(struct lineio *l)
{
	return ((struct ctl_client *)((char *)l -
	    offsetof(struct ctl_client, io)));
}

void
ctl_line(struct ctl_client *c, struct json *j)
{
	if (lineio_json(&c->io, j) == 1)
		log_warnx(c->ctl->log, "a record did not fit into a line and "
		    "was left out");
}

static void
drop(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;

	ctl_ping_end(c);
	lineio_close(&c->io);
	memset(c, 0, sizeof(*c));
	c->io.fd = -1;
	c->ctl = ct;
}

static void
said(struct lineio *l, char *line)
{
	struct ctl_client *c = client_of(l);
	const char *error;

	if ((error = ctl_parse(line, &c->cmd)) != NULL)
		lineio_end(l, error);
	else
		ctl_run(c);
}

static void
more(struct lineio *l)
{
	ctl_more(client_of(l));
}

static void
alive(struct lineio *l)
{
	(void)l;
}

/* Events have no end of their own: who has shut its half has had enough. */
static void
eof(struct lineio *l)
{
	if (client_of(l)->cmd.verb == CTL_EVENTS)
		lineio_end(l, NULL);
}

static void
gone(struct lineio *l, const char *reason)
{
	struct ctl_client *c = client_of(l);

	if (reason != NULL)
		log_info(c->ctl->log, "control client of uid %u %s: "
		    "disconnected", (unsigned int)c->uid, reason);
	drop(c);
}

static const struct lineio_ops ops = { said, lineio_end, more, alive, eof, gone };

/* There is no place for it: one line, without ceremony. */
static void
refuse(int fd)
{
	static const char no[] = "{\"end\":true,\"error\":\"netwatchd serves as "
	    "many clients as it can; try again\"}\n";

	(void)send(fd, no, sizeof(no) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void
acceptable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct ctl *ct = io->data;
	struct ctl_client *c;
	struct json j;
	uid_t uid;
	gid_t gid;
	size_t i;
	int fd;

	(void)loop;
	(void)revents;
	if ((fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK |
	    SOCK_CLOEXEC)) == -1)
		return;
	for (i = 0; i < CTL_CLIENTS && ct->c[i].io.fd != -1; i++)
		continue;
	if (i == CTL_CLIENTS || getpeereid(fd, &uid, &gid) == -1) {
		refuse(fd);
		return;
	}
	c = &ct->c[i];
	c->uid = uid;
	lineio_open(&c->io, ct->loop, fd, &ops);
	json_begin(&j);
	json_u64(&j, "ikeep", 1);
	json_str(&j, "version", IKEEP_VERSION);
	ctl_line(c, &j);
}

struct ctl *
ctl_new(struct ev_loop *loop, struct watch *w, const struct ctl_io *io,
    const struct logger *log)
{
	struct ctl *ct;
	size_t i;

	if ((ct = calloc(1, sizeof(*ct))) == NULL)
		return (NULL);
	ct->loop = loop;
	ct->watch = w;
	ct->io = io;
	ct->log = log;
	for (i = 0; i < CTL_CLIENTS; i++) {
		ct->c[i].io.fd = -1;
		ct->c[i].ctl = ct;
	}
	return (ct);
}

void
ctl_listen(struct ctl *ct, int fd)
{
	ev_io_init(&ct->accept, acceptable, fd, EV_READ);
	ct->accept.data = ct;
	ev_io_start(ct->loop, &ct->accept);
}

void
ctl_free(struct ctl *ct)
{
	size_t i;

	if (ct == NULL)
		return;
	for (i = 0; i < CTL_CLIENTS; i++)
		drop(&ct->c[i]);
	if (ev_is_active(&ct->accept)) {
		ev_io_stop(ct->loop, &ct->accept);
		(void)close(ct->accept.fd);
	}
	free(ct);
}

void
ctl_event(struct ctl *ct, const struct watch_event *ev)
{
	struct timespec wall;
	struct json j, copy;
	int made = 0;
	size_t i;

	for (i = 0; i < CTL_CLIENTS; i++) {
		if (ct->c[i].io.fd == -1 || !ct->c[i].io.busy ||
		    ct->c[i].cmd.verb != CTL_EVENTS)
			continue;
		if (!made) {
			(void)clock_gettime(CLOCK_REALTIME, &wall);
			ctl_json_event(&j, ev, &wall);
			made = 1;
		}
		copy = j;
		ctl_line(&ct->c[i], &copy);
	}
}

void
ctl_backup(struct ctl *ct, int on, const char *error)
{
	struct ctl_client *c;
	size_t i;

	for (i = 0; i < CTL_CLIENTS; i++) {
		c = &ct->c[i];
		if (c->io.fd == -1 || !c->io.busy ||
		    c->cmd.verb != CTL_BACKUP_SET || c->cmd.on != (on != 0))
			continue;
		lineio_end(&c->io, error);
		lineio_resume(&c->io);
	}
}
