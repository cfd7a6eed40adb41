/* SPDX-License-Identifier: ISC */
/*
 * `ipsecctl exporter': GET /metrics, for what collects them.  One client at a time, each
 * with little time; iked is asked anew for each.  It shows what the read-only socket
 * shows, and listens where only this machine can ask.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "keepalive.h"
#include "metrics.h"
#include "print.h"

#define REQUEST_MAX	4096
#define REQUEST_MS	5000	/* all of it, however it comes */
#define REPLY_MS	30000
#define CONTENT		"application/openmetrics-text; version=1.0.0; charset=utf-8"

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun;
	struct stat st;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(EXIT_USAGE, "%s: too long for a socket's name", path);
	/* what a killed one left behind; anything else is not ours */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(path, 0666) == -1 || listen(fd, 16) == -1)
		err(1, "%s", path);
	return (fd);
}

static int
is_loopback(const struct addr *a)
{
	static const uint8_t six[16] = { [15] = 1 };

	return (a->fam == ADDR_V4 ? a->b[0] == 127 : memcmp(a->b, six, 16) == 0);
}

/* -1: not an address and a port. */
static int
listen_inet(const char *where)
{
	char host[64];
	const char *colon = strrchr(where, ':'), *e;
	struct endpoint ep;
	struct sockaddr_storage ss;
	socklen_t len;
	size_t n;
	int fd, on = 1;

	memset(&ep, 0, sizeof(ep));
	if (colon == NULL || (n = (size_t)(colon - where)) >= sizeof(host))
		return (-1);
	memcpy(host, where, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	ep.port = (uint16_t)strtonum(colon + 1, 1, 65535, &e);
	if (e != NULL || addr_parse(&ep.addr, host) == -1)
		return (-1);
	if (!is_loopback(&ep.addr))
		errx(EXIT_USAGE, "%s: metrics are served on a loopback address only; "
		    "let a web server with TLS and a password stand before it", host);
	len = addr_to_sockaddr(&ep, &ss);
	if ((fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 || listen(fd, 16) == -1)
		err(1, "%s", where);
	return (fd);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* The next call waits for what is left of the time; 0: nothing is.  A time for each call
 * would be as many as there are octets. */
static int
in_time(int fd, int option, int64_t end)
{
	int64_t ms = end - now_ms();
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	return (ms > 0 && setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)) == 0);
}

/* The request's first line into buf; 0, or -1: none came. */
static int
request(int fd, char buf[REQUEST_MAX])
{
	int64_t end = now_ms() + REQUEST_MS;
	size_t n = 0;
	ssize_t got;

	while (n < REQUEST_MAX - 1 && in_time(fd, SO_RCVTIMEO, end)) {
		if ((got = recv(fd, buf + n, REQUEST_MAX - 1 - n, 0)) <= 0)
			return (-1);
		n += (size_t)got;
		buf[n] = '\0';
		if (strstr(buf, "\r\n\r\n") != NULL || strstr(buf, "\n\n") != NULL) {
			buf[strcspn(buf, "\r\n")] = '\0';
			return (0);
		}
	}
	return (-1);
}

static void
reply(int fd, const char *status, const char *type, const char *body, size_t len)
{
	int64_t end = now_ms() + REPLY_MS;
	char head[256];
	ssize_t n;
	int hlen;

	hlen = snprintf(head, sizeof(head), "HTTP/1.0 %s\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n", status, type, len);
	if (!in_time(fd, SO_SNDTIMEO, end) ||
	    send(fd, head, (size_t)hlen, MSG_NOSIGNAL) != hlen)
		return;
	for (; len > 0 && in_time(fd, SO_SNDTIMEO, end); body += n, len -= (size_t)n)
		if ((n = send(fd, body, len, MSG_NOSIGNAL)) <= 0)
			return;
}

static void
reply_metrics(int fd, const char *iked)
{
	char errtext[CLIENT_ERRLEN], *body = NULL;
	enum client_why why;
	struct client *c;
	size_t len = 0;
	FILE *f;
	int rv = -1;

	if ((f = open_memstream(&body, &len)) == NULL)
		err(1, NULL);
	if ((c = client_open(iked, CLIENT_ROFALLBACK, CONNECT_MS, &why,
	    errtext)) != NULL)
		rv = metrics(c, f, errtext);
	client_close(c);
	if (fclose(f) == EOF)
		err(1, NULL);
	if (rv == 0)
		reply(fd, "200 OK", CONTENT, body, len);
	else
		reply(fd, "503 Service Unavailable", "text/plain", errtext,
		    strlen(errtext));
	free(body);
}

static void
serve(int fd, const char *iked)
{
	char buf[REQUEST_MAX];

	if (request(fd, buf) == -1)
		return;
	if (strncmp(buf, "GET /metrics ", 13) == 0 || strcmp(buf, "GET /metrics") == 0)
		reply_metrics(fd, iked);
	else if (strncmp(buf, "GET ", 4) == 0)
		reply(fd, "404 Not Found", "text/plain", "GET /metrics\n", 13);
	else
		reply(fd, "405 Method Not Allowed", "text/plain", "GET /metrics\n",
		    13);
}

int
exporter(const char *iked, const char *where)
{
	int lfd, fd;

	if (strchr(where, '/') != NULL)
		lfd = listen_unix(where);
	else if ((lfd = listen_inet(where)) == -1)
		return (-1);
	for (;;) {
		if ((fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC)) == -1) {
			if (errno != EINTR && errno != ECONNABORTED)
				err(1, "accept");
			continue;
		}
		serve(fd, iked);
		(void)close(fd);
	}
}
