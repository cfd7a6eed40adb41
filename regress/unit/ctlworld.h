/* SPDX-License-Identifier: ISC */
/* netwatchd's control socket before the real core, with targets that nobody answers for. */
#ifndef CTLWORLD_H
#define CTLWORLD_H

#include <sys/socket.h>
#include <sys/un.h>

#include <atf-c.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/ctl_local.h"
#include "keepalive/ctl_ping.h"
#include "proc/client.h"

#define SOCK	"ctl.sock"

static struct world {
	monotime		 now;
	struct ev_loop		*loop;
	struct logger		 log;
	char			 lines[4096];
	struct watch_io		 io;
	struct watch		*watch;
	struct ctl_io		 ctlio;
	struct ctl		*ctl;
	unsigned int		 wakes;
	int			 real;		/* the clock on the wall */
	/* what ping has sent, and not yet been told of */
	struct probe		 sent[64];
	struct addr		 sent_to;
	unsigned int		 nsent;
	int			 senderr;
	struct addr		 mine;
	int			 backup;	/* the parent was told so; -1: it was not */
	int			 deaf;
	int			 level;		/* and of that; -1 */
} W;

static inline void
emit(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(W.lines);

	(void)arg;
	(void)level;
	(void)snprintf(W.lines + n, sizeof(W.lines) - n, "%s\n", line);
}

static inline uint32_t
random32(void *arg)
{
	(void)arg;
	return (7);
}

static inline int
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	(void)src;
	(void)dst;
	(void)p;
	return (0);
}

static inline monotime
now(void *arg)
{
	struct timespec ts;

	(void)arg;
	if (!W.real)
		return (W.now);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((monotime){ (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

static const uint8_t key[ICMP_KEYLEN] = { 1, 2, 3 };
#define IDENT	0x1234

static inline int
ping_send(void *arg, const struct addr *src, const struct addr *dst,
    const struct probe *p)
{
	(void)arg;
	ATF_REQUIRE_EQ(0, addr_cmp(src, &W.mine));
	ATF_REQUIRE(W.nsent < 64);
	if (W.senderr != 0)
		return (W.senderr);
	W.sent_to = *dst;
	W.sent[W.nsent++] = *p;
	return (EINPROGRESS);
}

static inline int
ping_quotes(void *arg, const struct icmp_error *e, const struct addr *dst,
    const struct probe *p)
{
	(void)arg;
	return (icmp_quotes(e, key, IDENT, dst, p));
}

static inline void
wake(void *arg)
{
	(void)arg;
	W.wakes++;
}

static inline int
to_parent(void *arg, int on)
{
	(void)arg;
	W.backup = on;
	return (W.deaf ? -1 : 0);
}

static inline int
level_to_parent(void *arg, enum log_level level)
{
	(void)arg;
	W.level = (int)level;
	return (W.deaf ? -1 : 0);
}

static inline void
event(void *arg, const struct watch_event *ev)
{
	(void)arg;
	ctl_event(W.ctl, ev);
}

static inline void
world(void)
{
	memset(&W, 0, sizeof(W));
	W.now.us = 5000000;
	W.log = (struct logger){ emit, NULL, 1, NULL };
	W.io = (struct watch_io){ NULL, probe, random32, &W.log, event, NULL };
	W.ctlio = (struct ctl_io){ NULL, now, wake, ping_send, ping_quotes,
	    to_parent, level_to_parent };
	W.backup = W.level = -1;
	ATF_REQUIRE_EQ(0, addr_parse(&W.mine, "10.1.0.1"));
	ATF_REQUIRE((W.loop = ev_loop_new(0)) != NULL);
	ATF_REQUIRE((W.watch = watch_new(&W.io)) != NULL);
	ATF_REQUIRE((W.ctl = ctl_new(W.loop, W.watch, &W.ctlio, &W.log)) !=
	    NULL);
	(void)unlink(SOCK);
	ctl_listen(W.ctl, lineio_listen(SOCK, 0600, getgid()));
	ATF_REQUIRE(W.ctl->accept.fd != -1);
}

static inline void
targets(unsigned int n)
{
	struct watch_conf wc;
	unsigned int i;

	watch_conf_begin(W.watch);
	for (i = 0; i < n; i++) {
		memset(&wc, 0, sizeof(wc));
		(void)snprintf(wc.name, sizeof(wc.name), i == 0 ? "boise" :
		    "a \\ tunnel \xc3\xa9 %u", i);
		ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[0], "10.1.0.0/24"));
		ATF_REQUIRE_EQ(0, prefix_parse(&wc.net[1], "10.2.0.0/24"));
		ATF_REQUIRE_EQ(0, addr_parse(&wc.target, "10.2.0.1"));
		wc.nfrom = wc.nto = 1;
		wc.interval_ms = 10000;
		ATF_REQUIRE_EQ(0, watch_conf_add(W.watch, &wc));
	}
	watch_conf_commit(W.watch, W.now);
	ATF_REQUIRE_EQ(0, watch_addrs(W.watch, &W.mine, 1, W.now));
}

static inline int
visit(void)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, SOCK, sizeof(sun.sun_path));
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, connect(fd, (struct sockaddr *)&sun, sizeof(sun)));
	ev_run(W.loop, EVRUN_NOWAIT);
	return (fd);
}

static inline void
say(int fd, const char *s)
{
	ATF_REQUIRE_EQ((ssize_t)strlen(s), send(fd, s, strlen(s),
	    MSG_NOSIGNAL));
}

/* All that comes until nothing does. */
static inline char *
hear(int fd)
{
	static char buf[32 * 1024 * 1024];
	size_t n = 0;
	int quiet = 0;
	ssize_t r;

	while (quiet < 3) {
		ev_run(W.loop, EVRUN_NOWAIT);
		r = recv(fd, buf + n, sizeof(buf) - 1 - n, MSG_DONTWAIT);
		quiet = r > 0 ? 0 : quiet + 1;
		n += r > 0 ? (size_t)r : 0;
	}
	buf[n] = '\0';
	return (buf);
}

/* It is only JSON lines; how many of that kind.  *error: of the last end. */
static inline unsigned int
count(char *text, const char *kind, char error[200])
{
	unsigned int n = 0;
	const char *s;
	char *line;
	json_t *o;

	error[0] = '\0';
	while ((line = strsep(&text, "\n")) != NULL && *line != '\0') {
		ATF_REQUIRE_MSG((o = json_loads(line, JSON_REJECT_DUPLICATES,
		    NULL)) != NULL, "%s", line);
		if ((s = json_string_value(json_object_get(o, "kind"))) != NULL)
			n += strcmp(s, kind) == 0;
		if ((s = json_string_value(json_object_get(o, "error"))) !=
		    NULL)
			(void)strlcpy(error, s, 200);
		json_decref(o);
	}
	return (n);
}

static inline void
happen(const char *reason)
{
	struct watch_event ev = { .kind = WATCH_EV_DOWN, .name = "boise",
	    .state = WATCH_DOWN, .source = W.mine, .target = W.mine,
	    .reason = reason, .evidence = "none",
	    .verdict = "ONE_WAY" };

	ctl_event(W.ctl, &ev);
}

#endif
