/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl watch on a terminal of its own and on a pipe, and show keepalive -v, against a
 * netwatchd that plays: each answer says one more probe sent.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ENTER	"\033[?1049h\033[?25l"
#define LEAVE	"\033[?25h\033[?1049l"
#define ROWS	8
#define COLS	60

static pid_t server;

static void
say(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) == -1)
		_exit(0);
}

static void
say_target(int fd, const char *name, const char *state, unsigned int sent)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "{\"kind\":\"keepalive\","
	    "\"tunnel\":\"%s\",\"source\":\"10.1.0.1\",\"target\":\"10.2.0.1\","
	    "\"state\":\"%s\",\"since_ms\":61000,\"interval_ms\":10000,"
	    "\"rtt_us\":1500,\"rtt_min_us\":1000,\"rtt_avg_us\":1400,"
	    "\"rtt_max_us\":9000,\"rtt_p50_us\":1300,\"rtt_p90_us\":1600,"
	    "\"rtt_p99_us\":8000,\"jitter_us\":100,\"sent\":%u,\"received\":9,"
	    "\"lost\":1,\"late\":3,\"pmtu\":1438,\"mss\":1398,"
	    "\"loss_percent\":10.0,\"loss_1m_percent\":0.5,"
	    "\"loss_15m_percent\":1.5,\"loss_1h_percent\":2.5,"
	    "\"verdict\":\"%s\",\"note\":\"%s\"}\n", name, state, sent,
	    strcmp(state, "up") == 0 ? "UP" : "DATA_DEAD",
	    strcmp(state, "up") == 0 ? "" : "the tunnel carries nothing");
	say(fd, line);
}

/* The latest minute, then one each of 10 lost so many, then silence. */
static void
say_history(int fd)
{
	char line[2048];
	size_t n;
	int i;

	n = (size_t)snprintf(line, sizeof(line), "{\"kind\":\"history\","
	    "\"tunnel\":\"boise\",\"sent\":[");
	for (i = 0; i < 60; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%d",
		    i > 0 ? "," : "", i < 12 ? 10 : i == 12 ? 100 : 0);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "],\"lost\":[");
	for (i = 0; i < 60; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%d",
		    i > 0 ? "," : "", i >= 1 && i < 12 ? i - 1 : i == 12);
	(void)snprintf(line + n, sizeof(line) - n, "]}\n");
	say(fd, line);
}

static void
answer(int fd, const char *cmd, unsigned int sent)
{
	if (strncmp(cmd, "show history", 12) == 0)
		say_history(fd);
	else {
		say_target(fd, "boise", "up", sent);
		if (strcmp(cmd, "show keepalive") == 0) {
			say_target(fd, "a site with a name longer than others",
			    "up", 1);
			say_target(fd, "tacoma", "down", 1);
			say_target(fd, "yakima", "up", 1);
			say_target(fd, "fresno", "up", 1);
			say_target(fd, "modesto", "up", 1);
		}
	}
	say(fd, "{\"end\":true}\n");
}

/* each: so many answers a connection. */
static void
serve(int lfd, unsigned int each)
{
	unsigned int sent = 0, n;
	char buf[2048];
	FILE *f;
	int fd;

	for (;;) {
		if ((fd = accept(lfd, NULL, NULL)) == -1 ||
		    (f = fdopen(fd, "r")) == NULL)
			_exit(1);
		say(fd, "{\"ikeep\":1,\"version\":\"0.1\"}\n");
		for (n = 0; n < each && fgets(buf, sizeof(buf), f) != NULL; n++) {
			buf[strcspn(buf, "\n")] = '\0';
			answer(fd, buf, ++sent);
		}
		(void)fclose(f);
	}
}

static void
start(unsigned int each)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, "netwatchd.sock", sizeof(sun.sun_path));
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&sun, sizeof(sun)));
	ATF_REQUIRE_EQ(0, listen(fd, 5));
	ATF_REQUIRE((server = fork()) != -1);
	if (server == 0)
		serve(fd, each);
	(void)close(fd);
}

static void
stop(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
}

static int
run(const char *args)
{
	char cmd[512];
	int st;

	(void)snprintf(cmd, sizeof(cmd), "%s/ipsecctl -s iked.sock %s >out 2>err "
	    "</dev/null", REGRESS_OBJDIR, args);
	st = system(cmd);
	ATF_REQUIRE_MSG(WIFEXITED(st), "ipsecctl died: %d", st);
	return (WEXITSTATUS(st));
}

static char *
slurp(const char *path)
{
	static char b[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	ATF_REQUIRE_MSG(f != NULL, "%s", path);
	n = fread(b, 1, sizeof(b) - 1, f);
	b[n] = '\0';
	(void)fclose(f);
	return (b);
}

static unsigned int
count(const char *s, const char *what)
{
	unsigned int n = 0;

	for (; (s = strstr(s, what)) != NULL; s += strlen(what))
		n++;
	return (n);
}

ATF_TC_WITHOUT_HEAD(frames);
ATF_TC_BODY(frames, tc)
{
	char *out, *first, *tacoma, *boise;

	(void)tc;
	start(1000);
	ATF_CHECK_EQ(0, run("watch -c 3 -i 0.01"));
	out = slurp("out");
	ATF_CHECK_EQ(3, count(out, ", every 0.0 s: 6 watched, 5 up, 1 not up\n"));
	ATF_CHECK_EQ(3, count(out, "\nTUNNEL "));
	ATF_CHECK_EQ(3, count(out, "\n    the tunnel carries nothing\n"));
	ATF_CHECK_EQ(0, count(out, "\033"));
	/* What is not up is above, and all else in its order. */
	ATF_REQUIRE((first = strstr(out, "TUNNEL")) != NULL);
	ATF_REQUIRE((tacoma = strstr(first, "\ntacoma ")) != NULL);
	ATF_REQUIRE((boise = strstr(first, "\nboise ")) != NULL);
	ATF_CHECK(tacoma < boise);
	ATF_CHECK(strstr(boise, "10.0%  1\n") != NULL);
	ATF_REQUIRE((boise = strstr(boise + 1, "\nboise ")) != NULL);
	ATF_REQUIRE((boise = strstr(boise + 1, "\nboise ")) != NULL);
	ATF_CHECK(strstr(boise, "10.0%  3\n") != NULL);
	ATF_CHECK_EQ(0, run("watch boise -c 1"));
	ATF_CHECK(strstr(slurp("out"), ": 1 watched, 1 up, 0 not up\n") != NULL);
	ATF_CHECK_EQ(0, run("watch -c 2 -i 0.01 -j"));
	out = slurp("out");
	ATF_CHECK_EQ(2, count(out, "\n"));
	ATF_CHECK_EQ(2, count(out, "[{\"kind\":\"keepalive\",\"tunnel\":\"boise\""));
	/* Wrong usage. */
	ATF_CHECK_EQ(2, run("watch -c 0"));
	ATF_CHECK_EQ(2, run("watch -i 0"));
	ATF_CHECK_EQ(2, run("watch -n 1"));
	ATF_CHECK_EQ(2, run("watch a b"));
	ATF_CHECK_EQ(2, run("watch -v"));
	ATF_CHECK_EQ(2, run("ping boise -n 1"));
	ATF_CHECK_EQ(2, run("show keepalive -n 1"));
	ATF_CHECK_EQ(2, run("show sa -v"));
	stop();
	ATF_REQUIRE_EQ(0, unlink("netwatchd.sock"));
	ATF_CHECK_EQ(3, run("watch -c 1"));
}

/* It goes and comes back: the view stays. */
ATF_TC_WITHOUT_HEAD(comes_back);
ATF_TC_BODY(comes_back, tc)
{
	char *out;

	(void)tc;
	start(1);
	ATF_CHECK_EQ(0, run("watch -c 3 -i 0.01"));
	out = slurp("out");
	ATF_CHECK_EQ(2, count(out, "\nTUNNEL "));
	ATF_CHECK(count(out, "connection") == 1);
	/* The status is that of the last frame. */
	ATF_CHECK_EQ(1, run("watch -c 2 -i 0.01"));
	stop();
}

/* What the other end of a terminal has seen so far. */
struct screen {
	int	 master;
	pid_t	 pid;
	char	 seen[65536];
	size_t	 n;
};

static void
open_screen(struct screen *s, struct termios *was)
{
	struct winsize ws = { .ws_row = ROWS, .ws_col = COLS };
	char name[] = "ipsecctl", dash[] = "-s", sock[] = "iked.sock",
	    watch[] = "watch", i[] = "-i", fast[] = "0.02";
	char *argv[] = { name, dash, sock, watch, i, fast, NULL };
	int slave;

	memset(s, 0, sizeof(*s));
	ATF_REQUIRE((s->master = posix_openpt(O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE_EQ(0, grantpt(s->master));
	ATF_REQUIRE_EQ(0, unlockpt(s->master));
	ATF_REQUIRE((slave = open(ptsname(s->master), O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE_EQ(0, ioctl(slave, TIOCSWINSZ, &ws));
	ATF_REQUIRE_EQ(0, tcgetattr(slave, was));
	ATF_REQUIRE((s->pid = fork()) != -1);
	if (s->pid == 0) {
		if (setsid() == -1 || ioctl(slave, TIOCSCTTY, 0) == -1 ||
		    dup2(slave, 0) == -1 || dup2(slave, 1) == -1 ||
		    dup2(slave, 2) == -1)
			_exit(100);
		(void)execv(REGRESS_OBJDIR "/ipsecctl", argv);
		_exit(101);
	}
	(void)close(slave);
}

/* Until it is seen for the n-th time. */
static void
see(struct screen *s, const char *what, unsigned int n)
{
	ssize_t r;

	while (count(s->seen, what) < n) {
		ATF_REQUIRE(s->n < sizeof(s->seen) - 1);
		r = read(s->master, s->seen + s->n, sizeof(s->seen) - 1 - s->n);
		ATF_REQUIRE_MSG(r > 0, "only: %s", s->seen);
		s->n += (size_t)r;
		s->seen[s->n] = '\0';
	}
}

static int
close_screen(struct screen *s, struct termios *now)
{
	int st, slave;

	ATF_REQUIRE_EQ(s->pid, waitpid(s->pid, &st, 0));
	ATF_REQUIRE((slave = open(ptsname(s->master), O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE_EQ(0, tcgetattr(slave, now));
	(void)close(slave);
	(void)close(s->master);
	ATF_REQUIRE(WIFEXITED(st));
	return (WEXITSTATUS(st));
}

/* One frame: no more lines than there are, and none too long. */
static void
check_frame(const char *f, const char *end)
{
	unsigned int rows = 1, col = 0;

	for (; f < end; f++) {
		if (*f == '\r')
			col = 0;
		else if (*f == '\n')
			rows++;
		else if (*f == '\033')
			f += strcspn(f, "KJH");
		else
			ATF_CHECK_MSG(++col <= COLS, "%u columns", col);
	}
	ATF_CHECK_EQ(ROWS, rows);
}

ATF_TC_WITHOUT_HEAD(terminal);
ATF_TC_BODY(terminal, tc)
{
	struct termios was, now;
	struct screen s;
	struct winsize ws = { .ws_row = 40, .ws_col = 200 };
	char *one, *two;

	(void)tc;
	start(100000);
	open_screen(&s, &was);
	see(&s, "... and 3 more lines", 2);
	/* the columns that have no room are not there, either */
	ATF_CHECK_EQ(0, count(s.seen, "P50"));
	see(&s, "\033[H", 3);
	ATF_REQUIRE_EQ(0, strncmp(s.seen, ENTER, strlen(ENTER)));
	ATF_REQUIRE((one = strstr(s.seen, "\033[H")) != NULL);
	ATF_REQUIRE((two = strstr(one + 1, "\033[H")) != NULL);
	check_frame(one, two);
	ATF_REQUIRE((one = strstr(two + 1, "\033[H")) != NULL);
	check_frame(two, one);
	ATF_CHECK_EQ(0, count(s.seen, "modesto"));
	/* A larger window has room for all: lines, and columns. */
	ATF_REQUIRE_EQ(0, ioctl(s.master, TIOCSWINSZ, &ws));
	see(&s, "modesto", 1);
	ATF_CHECK(count(s.seen, "P50") > 0);
	ATF_REQUIRE_EQ(1, write(s.master, "\003", 1));
	see(&s, LEAVE, 1);
	ATF_CHECK_EQ(0, close_screen(&s, &now));
	ATF_CHECK_EQ(was.c_lflag, now.c_lflag);
	ATF_CHECK_EQ(was.c_iflag, now.c_iflag);
	ATF_CHECK_EQ(0, memcmp(was.c_cc, now.c_cc, sizeof(was.c_cc)));
	/* q does it, too, and another key does not. */
	open_screen(&s, &was);
	see(&s, "\033[H", 1);
	ATF_REQUIRE_EQ(1, write(s.master, "x", 1));
	see(&s, "\033[H", 4);
	ATF_REQUIRE_EQ(1, write(s.master, "q", 1));
	see(&s, LEAVE, 1);
	ATF_CHECK_EQ(0, close_screen(&s, &now));
	ATF_CHECK_EQ(was.c_lflag, now.c_lflag);
	stop();
}

ATF_TC_WITHOUT_HEAD(verbose);
ATF_TC_BODY(verbose, tc)
{
	char *out;

	(void)tc;
	start(1000);
	ATF_CHECK_EQ(0, run("show keepalive boise -v"));
	out = slurp("out");
	ATF_REQUIRE((out = strstr(out, "\nboise:\n")) != NULL);
	ATF_CHECK_STREQ("\nboise:\n"
	    "    verdict UP, a probe every 10s\n"
	    "    round trip: last 1.5ms, least 1.0ms, mean 1.4ms, p50 1.3ms, "
	    "p90 1.6ms, p99 8.0ms, longest 9.0ms, jitter 0.1ms\n"
	    "    1 sent, 9 answered, 1 lost, 3 late (lost at first, and answered "
	    "after all)\n"
	    "    loss: 0.5% in a minute, 1.5% in 15, 2.5% in an hour\n"
	    "    packets up to 1438 octets pass, TCP segments up to 1398\n"
	    "    lost in the last hour, by minute: "
	    "|                                               "
	    "1#987654321..| now\n", out);
	ATF_CHECK_EQ(0, run("show keepalive -v"));
	ATF_CHECK(strstr(slurp("out"), "\ntacoma:\n    verdict DATA_DEAD, ") != NULL);
	ATF_CHECK_EQ(0, run("show keepalive boise -v -j"));
	ATF_CHECK(strstr(slurp("out"), "\"history_lost\": [") != NULL);
	ATF_CHECK_EQ(2, run("show keepalive -v -o metrics"));
	stop();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, frames);
	ATF_TP_ADD_TC(tp, comes_back);
	ATF_TP_ADD_TC(tp, terminal);
	ATF_TP_ADD_TC(tp, verbose);
	return (atf_no_error());
}
