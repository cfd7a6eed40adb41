/* SPDX-License-Identifier: ISC */
/*
 * Small servers for probes, until it is killed:
 *
 *	tool_serve ADDRESS
 *
 * TCP 7001 closes what connects, UDP 7002 sends an octet back, UDP 53 answers every
 * question with "no such name", TCP 8080 says 200 to /up and 503 to everything else.  Of
 * each a line says from where: `http 10.1.0.1'.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"

static const struct {
	const char	*name;
	int		 type;
	uint16_t	 port;
} services[] = {
	{ "tcp", SOCK_STREAM, 7001 },
	{ "udp", SOCK_DGRAM, 7002 },
	{ "dns", SOCK_DGRAM, 53 },
	{ "http", SOCK_STREAM, 8080 },
};
#define N	(sizeof(services) / sizeof(services[0]))

static void
say(const char *name, const struct sockaddr_storage *ss, socklen_t len)
{
	struct endpoint e;
	char s[ADDR_STRLEN];

	if (addr_from_sockaddr(&e, (const struct sockaddr *)ss, len) == -1)
		errx(1, "a strange address");
	printf("%s %s\n", name, addr_str(&e.addr, s));
	fflush(stdout);
}

static void
serve_stream(size_t i, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *answer = "HTTP/1.1 503 Down\r\n\r\n";
	struct timeval second = { .tv_sec = 1 };
	char buf[1024];
	ssize_t n;
	int c;

	if ((c = accept(fd, (struct sockaddr *)&ss, &len)) == -1)
		return;
	say(services[i].name, &ss, len);
	(void)setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (services[i].port == 8080 && (n = read(c, buf, sizeof(buf))) > 0) {
		if (n > 8 && strncmp(buf, "GET /up ", 8) == 0)
			answer = "HTTP/1.1 200 OK\r\nServer: small\r\n\r\nup\n";
		if (write(c, answer, strlen(answer)) == -1)
			warn("http");
	}
	(void)close(c);
}

static void
serve_datagram(size_t i, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[1024] = "";
	ssize_t n;

	n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
	if (n == -1)
		return;
	say(services[i].name, &ss, len);
	if (services[i].port != 53)
		n = 1;
	else {
		buf[2] = (char)0x81;
		buf[3] = (char)0x83;
	}
	(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&ss, len);
}

int
main(int argc, char *argv[])
{
	struct pollfd fds[N];
	struct endpoint e;
	struct sockaddr_storage ss;
	socklen_t len;
	size_t i;
	int on = 1;

	if (argc != 2 || addr_parse(&e.addr, argv[1]) == -1)
		errx(2, "usage: tool_serve ADDRESS");
	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < N; i++) {
		e.port = services[i].port;
		len = addr_to_sockaddr(&e, &ss);
		fds[i].fd = socket(e.addr.fam == ADDR_V6 ? AF_INET6 : AF_INET,
		    services[i].type, 0);
		fds[i].events = POLLIN;
		if (fds[i].fd == -1 || setsockopt(fds[i].fd, SOL_SOCKET,
		    SO_REUSEADDR, &on, sizeof(on)) == -1 ||
		    bind(fds[i].fd, (struct sockaddr *)&ss, len) == -1 ||
		    (services[i].type == SOCK_STREAM && listen(fds[i].fd, 16) == -1))
			err(1, "%s", services[i].name);
	}
	for (;;) {
		if (poll(fds, N, -1) == -1)
			err(1, "poll");
		for (i = 0; i < N; i++)
			if (fds[i].revents != 0 && services[i].type == SOCK_STREAM)
				serve_stream(i, fds[i].fd);
			else if (fds[i].revents != 0)
				serve_datagram(i, fds[i].fd);
	}
}
