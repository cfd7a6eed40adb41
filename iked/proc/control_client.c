/* SPDX-License-Identifier: ISC */
/*
 * Clients of the control sockets.  None of them can hold anything up: input is a line
 * at a time, output is bounded, and who does not read is left behind.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/control.h"
#include "proc/version.h"

static void	client_lines(struct client *);

size_t
client_unread(const struct client *c)
{
	return (c->outlen - c->outoff);
}

void
client_drop(struct client *c)
{
	if (c->fd == -1)
		return;
	ev_io_stop(ct.ch->loop, &c->rd);
	ev_io_stop(ct.ch->loop, &c->wr);
	close(c->fd);
	report_forget(c);
	free(c->out);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* Writes what the socket takes.  -1: the client is gone. */
static int
client_write(struct client *c)
{
	ssize_t n;

	while (client_unread(c) > 0) {
		n = send(c->fd, c->out + c->outoff, client_unread(c),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1) {
			if (errno == EAGAIN || errno == EINTR) {
				ev_io_start(ct.ch->loop, &c->wr);
				return (0);
			}
			client_drop(c);
			return (-1);
		}
		c->outoff += (size_t)n;
	}
	c->outlen = c->outoff = 0;
	ev_io_stop(ct.ch->loop, &c->wr);
	if (c->closing || (c->eof && !c->busy && c->inlen == 0)) {
		client_drop(c);
		return (-1);
	}
	return (0);
}

static int
client_append(struct client *c, const char *p, size_t n)
{
	if (c->out == NULL && (c->out = malloc(OUT_MAX)) == NULL)
		return (-1);
	if (c->outoff > 0 && n > OUT_MAX - c->outlen) {
		memmove(c->out, c->out + c->outoff, client_unread(c));
		c->outlen -= c->outoff;
		c->outoff = 0;
	}
	if (n > OUT_MAX - c->outlen)
		return (-1);
	memcpy(c->out + c->outlen, p, n);
	c->outlen += n;
	return (0);
}

/* Writing waits for the loop: many lines leave in one system call. */
void
client_line(struct client *c, struct json *j)
{
	size_t n;

	if (c->fd == -1 || c->closing)
		return;
	if ((n = json_end(j)) == 0) {
		log_warnx(&ct.ch->log, "a record did not fit into a line and was "
		    "left out");
		return;
	}
	if (client_append(c, j->b, n) == -1) {
		log_info(&ct.ch->log, "control client of uid %u reads too slowly: "
		    "disconnected", (unsigned)c->uid);
		client_drop(c);
		return;
	}
	ev_io_start(ct.ch->loop, &c->wr);
}

void
client_end(struct client *c, const char *error)
{
	struct json j;

	if (c->fd == -1)
		return;
	json_begin(&j);
	json_bool(&j, "end", 1);
	if (error != NULL)
		json_str(&j, "error", error);
	c->busy = 0;
	c->token = 0;
	client_line(c, &j);
}

static void
client_writable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct client *c = io->data;

	(void)loop;
	(void)revents;
	if (client_write(c) == 0)
		client_resume(c);
}

void
client_resume(struct client *c)
{
	if (c->fd == -1)
		return;
	if (c->busy)
		cmd_continue(c);
	else
		client_lines(c);
}

/* Takes lines off the buffer, as long as no answer is under way. */
static void
client_lines(struct client *c)
{
	char line[LINE_MAX_IN], *lf;
	size_t n;

	while (c->fd != -1 && !c->busy && !c->closing &&
	    client_unread(c) < OUT_HIGH &&
	    (lf = memchr(c->in, '\n', c->inlen)) != NULL) {
		n = (size_t)(lf - c->in);
		memcpy(line, c->in, n);
		line[n] = '\0';
		c->inlen -= n + 1;
		memmove(c->in, lf + 1, c->inlen);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (memchr(line, '\0', n) != NULL && strlen(line) + 1 < n) {
			client_end(c, "a command is text");
			c->closing = 1;
			return;
		}
		cmd_line(c, line);
	}
	if (c->fd == -1 || c->closing)
		return;
	if (c->inlen == sizeof(c->in) && memchr(c->in, '\n', c->inlen) ==
	    NULL) {
		client_end(c, "a command has at most 1024 octets");
		c->closing = 1;
		ev_io_stop(ct.ch->loop, &c->rd);
	} else if (c->eof) {
		if (!c->busy && client_unread(c) < OUT_HIGH)
			c->inlen = 0;		/* half a line: never whole */
		ev_io_start(ct.ch->loop, &c->wr);	/* write, then go */
	}
	if (!c->eof && c->inlen < sizeof(c->in))
		ev_io_start(ct.ch->loop, &c->rd);
}

static void
client_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct client *c = io->data;
	ssize_t n;

	(void)revents;
	n = recv(c->fd, c->in + c->inlen, sizeof(c->in) - c->inlen,
	    MSG_DONTWAIT);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			client_drop(c);
		return;
	}
	if (n == 0) {
		/* A half-closed client (nc -N) still wants its answer. */
		c->eof = 1;
		ev_io_stop(loop, &c->rd);
		client_lines(c);
		if (c->fd != -1 && !c->busy)
			(void)client_write(c);
		return;
	}
	c->inlen += (size_t)n;
	client_lines(c);
	if (c->fd != -1 && c->inlen == sizeof(c->in))
		ev_io_stop(loop, &c->rd);	/* until there is room */
}

struct client *
client_bytoken(uint64_t token)
{
	struct client *c;

	if ((token & 0xff) >= CLIENTS_MAX)
		return (NULL);
	c = &ct.c[token & 0xff];
	return (c->fd != -1 && c->busy && c->token == token ? c : NULL);
}

struct client *
client_place(int ro, uid_t uid)
{
	struct client *freeone = NULL;
	unsigned same = 0;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		if (ct.c[i].fd == -1)
			freeone = freeone == NULL ? &ct.c[i] : freeone;
		else if (ct.c[i].ro && ct.c[i].uid == uid)
			same++;
	}
	return (ro && same >= CLIENTS_UID ? NULL : freeone);
}

/* There is no place for it: one line, without ceremony. */
static void
client_refuse(int fd)
{
	static const char no[] = "{\"end\":true,\"error\":\"iked serves as many "
	    "clients as it can; try again\"}\n";

	(void)send(fd, no, sizeof(no) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

void
client_accept(int lfd, int ro)
{
	struct client *c;
	struct json j;
	uid_t uid;
	gid_t gid;
	int fd;

	if ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) == -1)
		return;
	if (getpeereid(fd, &uid, &gid) == -1) {
		close(fd);
		return;
	}
	if ((c = client_place(ro, uid)) == NULL) {
		client_refuse(fd);
		return;
	}
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->ro = ro;
	c->uid = uid;
	c->serial = ++ct.serial;
	ev_io_init(&c->rd, client_readable, fd, EV_READ);
	ev_io_init(&c->wr, client_writable, fd, EV_WRITE);
	c->rd.data = c->wr.data = c;
	ev_io_start(ct.ch->loop, &c->rd);
	json_begin(&j);
	json_u64(&j, "ikeep", 1);
	json_str(&j, "version", IKEEP_VERSION);
	client_line(c, &j);
}
