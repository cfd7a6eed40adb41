/* SPDX-License-Identifier: ISC */
/* The client side of iked's control socket: connection and queue. */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proc/client.h"

#define DAEMON		"iked"		/* whose socket it is, unless it is said */
#define QUEUEMAX	(64 * CLIENT_CMDMAX)	/* octets waiting to be written */

struct client {
	int			fd;
	int			readonly;
	const char		*who;	/* the daemon's name */
	struct client_reader	in;
	char			out[QUEUEMAX];
	size_t			outlen;
	char			err[CLIENT_ERRLEN];
	char			code[16];
	char			version[64];
};

void
client_prepare(void)
{
	/* jansson seeds its hash from /dev/urandom at first use. */
	json_object_seed(0);
	json_decref(json_object());
}

int
client_ropath(const char *path, char *dst, size_t cap)
{
	size_t n = strlen(path);
	int r;

	if (n >= 5 && strcmp(path + n - 5, ".sock") == 0)
		n -= 5;
	r = snprintf(dst, cap, "%.*s.ro.sock", (int)n, path);
	return (r < 0 || (size_t)r >= cap ? -1 : 0);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* 1 ready, 0 not within the time, -1 error */
static int
wait_fd(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int r;

	do {
		left = deadline - now_ms();
		r = poll(&pfd, 1, deadline == INT64_MAX ? -1 :
		    left > 0 ? (int)left : 0);
	} while (r == -1 && errno == EINTR);
	return (r);
}

/*
 * A non-blocking connect on a local socket gives EAGAIN, not EINPROGRESS, while the
 * listener's queue is full, and cannot be waited for with poll.
 */
static int
connect_path(const char *path, int64_t deadline)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	struct sockaddr_un sun;
	int fd, saved;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if ((errno == EAGAIN || errno == EINTR) && now_ms() < deadline) {
			(void)nanosleep(&pause, NULL);
			continue;
		}
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

static enum client_why
explain(const char *who, const char *path, int error, char err[CLIENT_ERRLEN])
{
	switch (error) {
	case ENOENT:
		(void)snprintf(err, CLIENT_ERRLEN, "%s is not running: no "
		    "socket %s; start it with \"service %s start\", or name "
		    "its socket with -s", who, path, who);
		return (CLIENT_WHY_ABSENT);
	case ECONNREFUSED:
		(void)snprintf(err, CLIENT_ERRLEN, "%s is not running: "
		    "nobody listens on %s; start it with \"service %s "
		    "start\"", who, path, who);
		return (CLIENT_WHY_ABSENT);
	case EACCES:
	case EPERM:
		(void)snprintf(err, CLIENT_ERRLEN, "no permission for %s; "
		    "become root or a member of group _iked", path);
		return (CLIENT_WHY_DENIED);
	default:
		(void)snprintf(err, CLIENT_ERRLEN, "%s: %s", path,
		    strerror(error));
		return (CLIENT_WHY_OTHER);
	}
}

struct client *
client_attach(int fd)
{
	struct client *c;
	int fl;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->fd = fd;
	c->who = DAEMON;
	client_reader_init(&c->in);
	if ((fl = fcntl(fd, F_GETFL)) != -1)
		(void)fcntl(fd, F_SETFL, fl | O_NONBLOCK);
	return (c);
}

/* The greeting is an object like any other, but no answer. */
static int
greeting(struct client *c, int64_t deadline)
{
	json_t *obj = NULL;
	const char *version;
	int64_t left = deadline - now_ms();
	int ok;

	if (client_next(c, left > 0 ? (int)left : 0, &obj) != CLIENT_OBJECT) {
		if (c->err[0] == '\0')
			(void)snprintf(c->err, sizeof(c->err),
			    "no greeting from %s", c->who);
		return (-1);
	}
	ok = json_integer_value(json_object_get(obj, "ikeep")) ==
	    CLIENT_PROTOCOL;
	if ((version = json_string_value(json_object_get(obj, "version"))) !=
	    NULL)
		(void)snprintf(c->version, sizeof(c->version), "%s", version);
	json_decref(obj);
	if (!ok) {
		(void)snprintf(c->err, sizeof(c->err), "what answers here "
		    "does not speak version %d of %s.control(5)",
		    CLIENT_PROTOCOL, c->who);
		return (-1);
	}
	return (0);
}

struct client *
client_open(const char *path, int flags, int timeout_ms,
    enum client_why *why, char err[CLIENT_ERRLEN])
{
	int64_t deadline = now_ms() + timeout_ms;
	char ro[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *who = flags & CLIENT_NETWATCHD ? "netwatchd" : DAEMON;
	struct client *c;
	int fd, saved, readonly = 0;

	*why = CLIENT_WHY_NONE;
	fd = connect_path(path, deadline);
	saved = errno;
	if (fd == -1 && (flags & CLIENT_ROFALLBACK) &&
	    (saved == EACCES || saved == EPERM) &&
	    client_ropath(path, ro, sizeof(ro)) == 0) {
		fd = connect_path(ro, deadline);
		saved = errno;
		readonly = 1;
		path = ro;
	}
	if (fd == -1) {
		*why = explain(who, path, saved, err);
		return (NULL);
	}
	if ((c = client_attach(fd)) == NULL) {
		(void)close(fd);
		*why = explain(who, path, ENOMEM, err);
		return (NULL);
	}
	c->readonly = readonly;
	c->who = who;
	if (greeting(c, deadline) == -1) {
		(void)snprintf(err, CLIENT_ERRLEN, "%s: %.200s", path, c->err);
		*why = CLIENT_WHY_OTHER;
		client_close(c);
		return (NULL);
	}
	return (c);
}

int
client_release(struct client *c)
{
	int fd = c->fd;

	if (c->in.len != c->in.off || c->outlen != 0) {
		(void)close(fd);
		fd = -1;
	}
	free(c);
	return (fd);
}

void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	(void)close(c->fd);
	free(c);
}

int
client_fd(const struct client *c)
{
	return (c->fd);
}

int
client_readonly(const struct client *c)
{
	return (c->readonly);
}

const char *
client_code(const struct client *c)
{
	return (c->code);
}

const char *
client_error(const struct client *c)
{
	return (c->err);
}

const char *
client_version(const struct client *c)
{
	return (c->version);
}

int
client_queue(struct client *c, const char *line)
{
	size_t n = strlen(line);

	/* A line feed inside would be a second command. */
	if (n + 1 > CLIENT_CMDMAX || strchr(line, '\n') != NULL) {
		(void)snprintf(c->err, sizeof(c->err),
		    "the command is too long or has a line feed in it");
		return (-1);
	}
	if (n + 1 > sizeof(c->out) - c->outlen) {
		(void)snprintf(c->err, sizeof(c->err),
		    "%s does not read its commands", c->who);
		return (-1);
	}
	memcpy(c->out + c->outlen, line, n);
	c->out[c->outlen + n] = '\n';
	c->outlen += n + 1;
	return (0);
}

int
client_pending(const struct client *c)
{
	return ((int)c->outlen);
}

static int
lost(struct client *c, const char *what, int error)
{
	if (error == 0)
		(void)snprintf(c->err, sizeof(c->err),
		    "%s closed the connection", c->who);
	else
		(void)snprintf(c->err, sizeof(c->err), "cannot %s %s: %s", what,
		    c->who, strerror(error));
	return (-1);
}

int
client_flush(struct client *c)
{
	ssize_t n;

	while (c->outlen > 0) {
		n = send(c->fd, c->out, c->outlen, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return (0);
		if (n == -1)
			return (lost(c, "write to",
			    errno == EPIPE ? 0 : errno));
		c->outlen -= (size_t)n;
		memmove(c->out, c->out + n, c->outlen);
	}
	return (0);
}

int
client_input(struct client *c)
{
	char tmp[CLIENT_LINEMAX];
	size_t room;
	ssize_t n;

	/* Never take from the socket what the reader cannot hold. */
	room = sizeof(c->in.buf) - (c->in.len - c->in.off);
	if (room == 0)
		return (0);	/* client_poll has work, or finds it broken */
	do
		n = recv(c->fd, tmp, room, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return (0);
	if (n == -1)
		return (lost(c, "read from", errno));
	if (n == 0)
		return (lost(c, NULL, 0));
	(void)client_reader_feed(&c->in, tmp, (size_t)n);
	return (0);
}

enum client_result
client_poll(struct client *c, json_t **obj)
{
	const char *error, *code;
	json_t *o;

	*obj = NULL;
	switch (client_reader_next(&c->in, &o)) {
	case 0:
		return (CLIENT_WAIT);
	case 1:
		break;
	default:
		(void)snprintf(c->err, sizeof(c->err),
		    "%s's answer is not a JSON line of %d octets at most",
		    c->who, CLIENT_LINEMAX);
		return (CLIENT_BROKEN);
	}
	if (!json_is_true(json_object_get(o, "end"))) {
		*obj = o;
		return (CLIENT_OBJECT);
	}
	error = json_string_value(json_object_get(o, "error"));
	code = json_string_value(json_object_get(o, "code"));
	(void)snprintf(c->code, sizeof(c->code), "%s", code ? code : "");
	(void)snprintf(c->err, sizeof(c->err), "%s", error ? error : "");
	json_decref(o);
	return (error != NULL ? CLIENT_REFUSED : CLIENT_END);
}

int
client_send(struct client *c, const char *line, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;

	c->err[0] = '\0';
	if (client_queue(c, line) == -1)
		return (-1);
	for (;;) {
		if (client_flush(c) == -1)
			return (-1);
		if (c->outlen == 0)
			return (0);
		if (wait_fd(c->fd, POLLOUT, deadline) != 1) {
			(void)snprintf(c->err, sizeof(c->err),
			    "%s does not read its commands", c->who);
			return (-1);
		}
	}
}

enum client_result
client_next(struct client *c, int timeout_ms, json_t **obj)
{
	int64_t deadline = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	enum client_result r;

	for (;;) {
		if ((r = client_poll(c, obj)) != CLIENT_WAIT)
			return (r);
		if (wait_fd(c->fd, POLLIN, deadline) != 1) {
			(void)snprintf(c->err, sizeof(c->err),
			    "no answer from %s within %d ms", c->who, timeout_ms);
			return (CLIENT_BROKEN);
		}
		if (client_input(c) == -1)
			return (CLIENT_BROKEN);
	}
}
