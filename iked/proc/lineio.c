/* SPDX-License-Identifier: ISC */
/* The server side of a control socket: one client's lines, both ways. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/lineio.h"

static void	take_lines(struct lineio *);

size_t
lineio_unread(const struct lineio *l)
{
	return (l->outlen - l->outoff);
}

void
lineio_close(struct lineio *l)
{
	if (l->fd == -1)
		return;
	ev_io_stop(l->loop, &l->rd);
	ev_io_stop(l->loop, &l->wr);
	close(l->fd);
	free(l->out);
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

/* Writes what the socket takes.  -1: the client is gone. */
static int
flush(struct lineio *l)
{
	ssize_t n;

	while (lineio_unread(l) > 0) {
		n = send(l->fd, l->out + l->outoff, lineio_unread(l),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1) {
			if (errno == EAGAIN || errno == EINTR) {
				ev_io_start(l->loop, &l->wr);
				return (0);
			}
			l->ops->gone(l, NULL);
			return (-1);
		}
		l->outoff += (size_t)n;
		l->ops->alive(l);
	}
	l->outlen = l->outoff = 0;
	ev_io_stop(l->loop, &l->wr);
	if (l->closing || (l->eof && !l->busy && l->inlen == 0)) {
		l->ops->gone(l, NULL);
		return (-1);
	}
	return (0);
}

static int
append(struct lineio *l, const void *p, size_t n)
{
	if (l->out == NULL && (l->out = malloc(OUT_MAX)) == NULL)
		return (-1);
	if (l->outoff > 0 && n > OUT_MAX - l->outlen) {
		memmove(l->out, l->out + l->outoff, lineio_unread(l));
		l->outlen -= l->outoff;
		l->outoff = 0;
	}
	if (n > OUT_MAX - l->outlen)
		return (-1);
	memcpy(l->out + l->outlen, p, n);
	l->outlen += n;
	return (0);
}

/* Writing waits for the loop: many lines leave in one system call. */
int
lineio_put(struct lineio *l, const void *p, size_t n)
{
	if (l->fd == -1 || l->closing)
		return (0);
	if (append(l, p, n) == -1) {
		l->ops->gone(l, "reads too slowly");
		return (-1);
	}
	ev_io_start(l->loop, &l->wr);
	return (0);
}

int
lineio_json(struct lineio *l, struct json *j)
{
	size_t n;

	if (l->fd == -1 || l->closing)
		return (0);
	if ((n = json_end(j)) == 0)
		return (1);
	(void)lineio_put(l, j->b, n);
	return (0);
}

void
lineio_end(struct lineio *l, const char *error)
{
	lineio_end_code(l, error, NULL);
}

void
lineio_end_code(struct lineio *l, const char *error, const char *code)
{
	struct json j;

	if (l->fd == -1)
		return;
	json_begin(&j);
	json_bool(&j, "end", 1);
	if (error != NULL)
		json_str(&j, "error", error);
	if (code != NULL)
		json_str(&j, "code", code);
	l->busy = 0;
	(void)lineio_json(l, &j);
}

static void
writable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct lineio *l = io->data;

	(void)loop;
	(void)revents;
	if (flush(l) == 0)
		lineio_resume(l);
}

void
lineio_resume(struct lineio *l)
{
	if (l->fd == -1)
		return;
	if (l->busy)
		l->ops->more(l);
	else
		take_lines(l);
}

/* Takes lines off the buffer, as long as no answer is under way. */
static void
take_lines(struct lineio *l)
{
	char line[LINE_MAX_IN], *lf;
	size_t n;

	while (l->fd != -1 && !l->busy && !l->closing &&
	    lineio_unread(l) < OUT_HIGH &&
	    (lf = memchr(l->in, '\n', l->inlen)) != NULL) {
		n = (size_t)(lf - l->in);
		memcpy(line, l->in, n);
		line[n] = '\0';
		l->inlen -= n + 1;
		memmove(l->in, lf + 1, l->inlen);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (memchr(line, '\0', n) != NULL && strlen(line) + 1 < n) {
			l->ops->refuse(l, "a command is text");
			l->closing = 1;
			return;
		}
		l->ops->line(l, line);
	}
	if (l->fd == -1 || l->closing)
		return;
	if (l->deaf)
		l->inlen = 0;	/* a full buffer would hide that it goes */
	if (l->inlen == sizeof(l->in) && memchr(l->in, '\n', l->inlen) ==
	    NULL) {
		l->ops->refuse(l, "a command has at most 1024 octets");
		l->closing = 1;
		if (l->fd != -1)
			ev_io_stop(l->loop, &l->rd);
	} else if (l->eof) {
		if (!l->busy && lineio_unread(l) < OUT_HIGH)
			l->inlen = 0;		/* half a line: never whole */
		ev_io_start(l->loop, &l->wr);	/* write, then go */
	}
	if (!l->eof && l->inlen < sizeof(l->in))
		ev_io_start(l->loop, &l->rd);
}

static void
readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct lineio *l = io->data;
	ssize_t n;

	(void)revents;
	n = recv(l->fd, l->in + l->inlen, sizeof(l->in) - l->inlen,
	    MSG_DONTWAIT);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			l->ops->gone(l, NULL);
		return;
	}
	if (n == 0) {
		/* A half-closed client (nc -N) still wants its answer. */
		l->eof = 1;
		ev_io_stop(loop, &l->rd);
		take_lines(l);
		if (l->fd != -1 && l->busy && l->ops->eof != NULL)
			l->ops->eof(l);
		if (l->fd != -1 && !l->busy)
			(void)flush(l);
		return;
	}
	l->inlen += (size_t)n;
	l->ops->alive(l);
	take_lines(l);
	if (l->fd != -1 && l->inlen == sizeof(l->in))
		ev_io_stop(loop, &l->rd);	/* until there is room */
}

void
lineio_open(struct lineio *l, struct ev_loop *loop, int fd,
    const struct lineio_ops *ops)
{
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->ops = ops;
	l->fd = fd;
	ev_io_init(&l->rd, readable, fd, EV_READ);
	ev_io_init(&l->wr, writable, fd, EV_WRITE);
	l->rd.data = l->wr.data = l;
	ev_io_start(loop, &l->rd);
}

int
lineio_listen(const char *path, mode_t mode, gid_t gid)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd, rv;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	(void)unlink(path);	/* the pidfile is locked: it is nobody's */
	old = umask(0777);	/* closed to all until it is ready */
	rv = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	(void)umask(old);
	if (rv == -1 || chown(path, 0, gid) == -1 || chmod(path, mode) == -1 ||
	    listen(fd, 16) == -1) {
		rv = errno;
		close(fd);
		errno = rv;
		return (-1);
	}
	return (fd);
}

char *
lineio_word(char **line, int *bad)
{
	char *p = *line + strspn(*line, " \t"), *end;

	if (*p == '\0') {
		*line = p;
		return (NULL);
	}
	if (*p == '"') {
		if ((end = strchr(++p, '"')) == NULL) {
			*bad = 1;
			return (NULL);
		}
	} else
		end = p + strcspn(p, " \t");
	*line = end;
	if (*end != '\0') {
		*end = '\0';
		*line = end + 1;
	}
	return (p);
}
