/* SPDX-License-Identifier: ISC */
/*
 * The real ipsecctl against recorded answers: what it prints, where, and its exit
 * status.  A small server plays the answers of regress/data/ipsecctl; that
 * iked gives such answers is the business of the tests with a real iked.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCK	"iked.sock"
#define ROSOCK	"iked.ro.sock"
#define DATA	REGRESS_DATA "/ipsecctl/"

static pid_t server = -1;

static int
listen_on(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&sun, sizeof(sun)));
	ATF_REQUIRE_EQ(0, listen(fd, 5));
	return (fd);
}

static void
say(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) == -1)
		_exit(0);
}

/* The records of the tunnel whose name, and a quote, is there. */
static void
one_tunnel(int fd, const char *name)
{
	char line[16384], want[256];
	int found = 0;
	FILE *f;

	(void)snprintf(want, sizeof(want), "\"tunnel\":\"%s,", name);
	if ((f = fopen(DATA "show_tunnels.json", "r")) == NULL)
		_exit(1);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, want) != NULL) {
			say(fd, line);
			found = 1;
		}
	(void)fclose(f);
	say(fd, found ? "{\"end\":true}\n" : "{\"end\":true,\"error\":\"there is no "
	    "tunnel of this name\",\"code\":\"unknown\"}\n");
}

/* One command: "show sa" plays show_sa.json in two pieces a line. */
static void
answer(int fd, char *cmd)
{
	char path[4096], line[16384];
	FILE *f;
	char *p;

	if (strcmp(cmd, "show keepalive") == 0 && getenv("NOKEEPALIVE")) {
		say(fd, "{\"end\":true,\"error\":\"netwatchd is not "
		    "connected\"}\n");
		return;
	}
	if (strncmp(cmd, "up ", 3) == 0 && strcmp(cmd, "up \"boise\"") != 0) {
		say(fd, "{\"end\":true,\"error\":\"there is no tunnel \\\"\\u001b"
		    "[2Jx\\\"\"}\n");
		return;
	}
	if (strcmp(cmd, "reload") == 0) {
		say(fd, "{\"kind\":\"error\",\"file\":\"/etc/iked.conf\","
		    "\"line\":3,\"col\":9,"
		    "\"text\":\"unknown word \\\"tunel\\\"\"}\n"
		    "{\"kind\":\"warning\",\"file\":\"/etc/iked.conf\","
		    "\"line\":4,\"col\":1,\"text\":\"weak\"}\n"
		    "{\"kind\":\"error\",\"file\":\"/etc/more.conf\","
		    "\"line\":0,\"col\":0,"
		    "\"text\":\"No such file or directory\"}\n{\"end\":true,"
		    "\"error\":\"the configuration is refused\"}\n");
		return;
	}
	if (strncmp(cmd, "show tunnels \"", 14) == 0) {
		one_tunnel(fd, cmd + 14);
		return;
	}
	if (strncmp(cmd, "rekey \"reno\"", 12) == 0) {
		say(fd, "{\"end\":true,\"error\":\"the tunnel is not up\","
		    "\"code\":\"down\"}\n");
		return;
	}
	for (p = cmd; *p != '\0'; p++)
		if (*p == ' ')
			*p = '_';
	(void)snprintf(path, sizeof(path), "%s%s.json", DATA, cmd);
	if ((f = fopen(path, "r")) != NULL) {
		while (fgets(line, sizeof(line), f) != NULL) {
			if (send(fd, line, 10, MSG_NOSIGNAL) == -1)
				_exit(0);
			(void)usleep(500);
			say(fd, line + 10);
		}
		(void)fclose(f);
	} else if (strncmp(cmd, "show", 4) == 0) {
		say(fd, "{\"end\":true,\"error\":\"no such thing\"}\n");
		return;
	}
	say(fd, "{\"end\":true}\n");
}

static void
serve(int lfd, const char *greeting, const char *rude)
{
	char buf[2048], *lf;
	size_t n = 0;
	ssize_t r;
	int fd;

	for (;;) {
		if ((fd = accept(lfd, NULL, NULL)) == -1)
			_exit(1);
		say(fd, greeting);
		n = 0;
		while ((r = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
			n += (size_t)r;
			buf[n] = '\0';
			while ((lf = strchr(buf, '\n')) != NULL) {
				*lf = '\0';
				if (rude != NULL) {
					say(fd, rude);
					(void)shutdown(fd, SHUT_RDWR);
				} else
					answer(fd, buf);
				n -= (size_t)(lf + 1 - buf);
				memmove(buf, lf + 1, n + 1);
			}
		}
		(void)close(fd);
	}
}

static void
start(const char *path, const char *greeting, const char *rude)
{
	int lfd = listen_on(path);

	server = fork();
	ATF_REQUIRE(server != -1);
	if (server == 0)
		serve(lfd, greeting, rude);
	(void)close(lfd);
}

static void
stop(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
}

#define HELLO	"{\"ikeep\":1,\"version\":\"0.1\"}\n"

static int
run(const char *args)
{
	char cmd[512];
	int st;

	(void)snprintf(cmd, sizeof(cmd), "%s/ipsecctl -s " SOCK " %s >out 2>err",
	    REGRESS_OBJDIR, args);
	st = system(cmd);
	ATF_REQUIRE_MSG(WIFEXITED(st), "ipsecctl died: %d", st);
	return (WEXITSTATUS(st));
}

static char *
slurp(const char *path)
{
	static char buf[4][65536];
	static int i;
	char *b = buf[i++ % 4];
	size_t n;
	FILE *f = fopen(path, "r");

	ATF_REQUIRE_MSG(f != NULL, "%s", path);
	n = fread(b, 1, 65535, f);
	b[n] = '\0';
	(void)fclose(f);
	return (b);
}

static void
golden(const char *args, const char *file)
{
	char path[512];

	ATF_CHECK_EQ(0, run(args));
	(void)snprintf(path, sizeof(path), "%s%s", DATA, file);
	/* For a person who has changed a table and looked at it. */
	if (getenv("REGOLD") != NULL) {
		FILE *f = fopen(path, "w");

		ATF_REQUIRE(f != NULL);
		(void)fputs(slurp("out"), f);
		(void)fclose(f);
	}
	ATF_CHECK_STREQ(slurp(path), slurp("out"));
	ATF_CHECK_STREQ("", slurp("err"));
}

ATF_TC_WITHOUT_HEAD(tables);
ATF_TC_BODY(tables, tc)
{
	start(SOCK, HELLO, NULL);
	golden("show tunnels", "show_tunnels.txt");
	golden("show peers", "show_peers.txt");
	golden("show sa", "show_sa.txt");
	golden("show policies", "show_policies.txt");
	golden("show kernel", "show_kernel.txt");
	golden("show kernel boise", "show_kernel_boise.txt");
	golden("show keepalive", "show_keepalive.txt");
	golden("show stats", "show_stats.txt");
	golden("show configuration", "show_configuration.txt");
	golden("show", "show.txt");
	golden("show all", "show_all.txt");
	golden("show -o metrics", "metrics.txt");
	ATF_REQUIRE_EQ(0, setenv("LC_ALL", "C", 1));
	golden("show -g", "graph.txt");
	ATF_REQUIRE_EQ(0, setenv("LC_ALL", "C.UTF-8", 1));
	golden("show -g", "graph_utf8.txt");
	golden("show -g svg", "graph.svg");
	stop();
}

ATF_TC_WITHOUT_HEAD(json);
ATF_TC_BODY(json, tc)
{
	start(SOCK, HELLO, NULL);
	golden("show all -j", "show_all_j.txt");
	golden("-j show", "show_all_j.txt");
	golden("show sa -j", "show_sa_j.txt");
	golden("show kernel -j", "show_kernel_j.txt");
	stop();
}

/* What a reload would do; the warnings of the file on standard error. */
ATF_TC_WITHOUT_HEAD(plan);
ATF_TC_BODY(plan, tc)
{
	char path[512];

	start(SOCK, HELLO, NULL);
	(void)snprintf(path, sizeof(path), "%sreload_plan.txt", DATA);
	ATF_CHECK_EQ(0, run("reload -n"));
	ATF_CHECK_STREQ(slurp(path), slurp("out"));
	ATF_CHECK_STREQ("/etc/iked.conf:4:1: warning: weak\n", slurp("err"));
	ATF_CHECK_EQ(0, run("-n reload -j"));
	ATF_CHECK(strstr(slurp("out"), "\"fields\": \"lifetime,childsa\"") != NULL);
	ATF_CHECK_EQ(2, run("show -n"));
	/* who takes a tunnel for a table is told, and not by all usages */
	ATF_CHECK_EQ(2, run("show boise"));
	ATF_CHECK_STREQ("ipsecctl: show has no table \"boise\"; of one tunnel: ipsecctl show "
	    "tunnels NAME\n", slurp("err"));
	ATF_CHECK_EQ(2, run("flush -n"));
	ATF_CHECK_EQ(2, run("up -n boise"));
	ATF_CHECK_EQ(2, run("reload -j"));
	stop();
}

/* Nobody has to run; no two are equal. */
ATF_TC_WITHOUT_HEAD(genpsk);
ATF_TC_BODY(genpsk, tc)
{
	char first[64];
	const char *s;
	size_t i;

	ATF_CHECK_EQ(0, run("genpsk"));
	s = slurp("out");
	ATF_REQUIRE_EQ(strlen("psk \"\"\n") + 43, strlen(s));
	ATF_CHECK(strncmp(s, "psk \"", 5) == 0 && strcmp(s + 48, "\"\n") == 0);
	for (i = 5; i < 48; i++)
		ATF_CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789", s[i]) != NULL);
	(void)strlcpy(first, s, sizeof(first));
	ATF_CHECK_EQ(0, run("genpsk"));
	ATF_CHECK(strcmp(first, slurp("out")) != 0);
	ATF_CHECK_EQ(2, run("genpsk 10"));
}

ATF_TC_WITHOUT_HEAD(no_netwatchd);
ATF_TC_BODY(no_netwatchd, tc)
{
	ATF_REQUIRE_EQ(0, setenv("NOKEEPALIVE", "1", 1));
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(1, run("show keepalive"));
	ATF_CHECK_STREQ("ipsecctl: netwatchd is not connected\n",
	    slurp("err"));
	ATF_CHECK_EQ(0, run("show"));
	ATF_CHECK(strstr(slurp("out"), "keepalive: netwatchd is not "
	    "connected\n") != NULL);
	ATF_CHECK_EQ(0, run("show all"));
	ATF_CHECK(strstr(slurp("out"), "keepalive:\nnetwatchd is not "
	    "connected\n") != NULL);
	ATF_CHECK_EQ(0, run("show all -j"));
	ATF_CHECK(strstr(slurp("out"), "\"keepalive\": \"netwatchd is not "
	    "connected\"") != NULL);
	stop();
}

ATF_TC_WITHOUT_HEAD(not_running);
ATF_TC_BODY(not_running, tc)
{
	int fd;

	ATF_CHECK_EQ(3, run("show"));
	ATF_CHECK_STREQ("ipsecctl: iked is not running: no socket " SOCK "; "
	    "start it with \"service iked start\", or name its socket with "
	    "-s\n", slurp("err"));
	/* A socket that a crash left behind. */
	fd = listen_on(SOCK);
	(void)close(fd);
	ATF_CHECK_EQ(3, run("up boise"));
	ATF_CHECK(strstr(slurp("err"), "nobody listens") != NULL);
}

ATF_TC_WITHOUT_HEAD(usage);
ATF_TC_BODY(usage, tc)
{
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(2, run(""));
	ATF_CHECK_EQ(2, run("sho"));
	ATF_CHECK_EQ(2, run("show nonsense"));
	ATF_CHECK_EQ(2, run("show peers sa"));
	ATF_CHECK_EQ(2, run("up"));
	ATF_CHECK_EQ(2, run("up a b"));
	ATF_CHECK_EQ(2, run("-j flush"));
	ATF_CHECK_EQ(2, run("flush now"));
	ATF_CHECK_EQ(2, run("-x show"));
	ATF_CHECK_EQ(2, run("show peers boise"));
	ATF_CHECK_EQ(2, run("show -j -w"));
	ATF_CHECK_EQ(2, run("show -o html"));
	ATF_CHECK_EQ(2, run("show sa -g"));
	ATF_CHECK_EQ(2, run("show -i 3"));
	ATF_CHECK_EQ(2, run("rekey boise -w"));
	ATF_CHECK_EQ(2, run("up boise -w -i 0"));
	ATF_CHECK_EQ(2, run("exporter nowhere"));
	ATF_CHECK_EQ(2, run("exporter 192.0.2.1:80"));
	ATF_CHECK(strstr(slurp("err"), "loopback") != NULL);
	ATF_CHECK(strncmp(slurp("err"), "ipsecctl: ", 10) == 0 ||
	    strstr(slurp("err"), "usage: ipsecctl") != NULL);
	ATF_CHECK_EQ(0, run("log verbose"));
	ATF_CHECK_EQ(0, run("log info"));
	ATF_CHECK_EQ(0, run("log brief"));
	ATF_CHECK_EQ(0, run("log warning"));
	ATF_CHECK_EQ(2, run("log debug"));
	ATF_CHECK_EQ(2, run("log loud"));
	ATF_CHECK_EQ(2, run("keepalive"));
	ATF_CHECK_EQ(2, run("keepalive backup"));
	ATF_CHECK_EQ(2, run("keepalive backup maybe"));
	ATF_CHECK_EQ(2, run("keepalive standby on"));
	ATF_CHECK_EQ(2, run("keepalive backup on -j"));
	ATF_CHECK_EQ(3, run("keepalive backup on"));
	ATF_CHECK_EQ(2, run("up 'a\" b'"));
	stop();
}

ATF_TC_WITHOUT_HEAD(commands);
ATF_TC_BODY(commands, tc)
{
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(0, run("up boise"));
	ATF_CHECK_STREQ("", slurp("out"));
	ATF_CHECK_EQ(0, run("down boise"));
	ATF_CHECK_EQ(0, run("rekey boise"));
	ATF_CHECK_EQ(0, run("rekey ike boise"));
	ATF_CHECK_EQ(0, run("recreate boise"));
	ATF_CHECK_EQ(0, run("reset boise"));
	ATF_CHECK_EQ(0, run("check boise"));
	ATF_CHECK_EQ(2, run("rekey esp boise"));
	ATF_CHECK_EQ(0, run("flush"));
	ATF_CHECK_EQ(1, run("up x"));
	/* What a daemon says never plays with the terminal. */
	ATF_CHECK_STREQ("ipsecctl: there is no tunnel \"?[2Jx\"\n",
	    slurp("err"));
	ATF_CHECK_EQ(1, run("reload"));
	ATF_CHECK_STREQ("/etc/iked.conf:3:9: unknown word \"tunel\"\n"
	    "/etc/iked.conf:4:1: warning: weak\n"
	    "/etc/more.conf: No such file or directory\n"
	    "ipsecctl: the configuration is refused\n", slurp("err"));
	/* A line feed would be a second command. */
	ATF_CHECK_EQ(1, run("up \"$(printf 'a\\nflush')\""));
	stop();
}

/* What a script asks, and what it gets. */
ATF_TC_WITHOUT_HEAD(statuses);
ATF_TC_BODY(statuses, tc)
{
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(0, run("show tunnels boise"));
	ATF_CHECK(strstr(slurp("out"), "boise") != NULL);
	ATF_CHECK(strstr(slurp("out"), "salem") == NULL);
	ATF_CHECK_EQ(6, run("show tunnels tacoma"));
	ATF_CHECK_EQ(6, run("show tunnels tacoma -j"));
	ATF_CHECK_EQ(5, run("show tunnels nowhere"));
	ATF_CHECK_EQ(5, run("show tunnels nowhere -j"));
	ATF_CHECK_EQ(0, run("show sa tacoma"));
	ATF_CHECK_EQ(5, run("show sa nowhere"));
	ATF_CHECK_EQ(0, run("show sa salem"));
	ATF_CHECK(strstr(slurp("out"), "boise") == NULL);
	ATF_CHECK_EQ(6, run("rekey reno"));
	ATF_CHECK_STREQ("ipsecctl: the tunnel is not up\n", slurp("err"));
	ATF_CHECK_EQ(0, run("up boise -w"));
	ATF_CHECK_EQ(0, run("down reno -w -i 1"));
	ATF_CHECK_EQ(6, run("down boise -w -i 1"));
	ATF_CHECK_STREQ("ipsecctl: tunnel \"boise\": up 3m12s\n", slurp("err"));
	stop();
}

ATF_TC_WITHOUT_HEAD(monitor);
ATF_TC_BODY(monitor, tc)
{
	ATF_REQUIRE_EQ(0, setenv("TZ", "UTC", 1));
	start(SOCK, HELLO, NULL);
	golden("monitor", "monitor.txt");
	golden("monitor tacoma -j", "monitor_j.txt");
	ATF_CHECK_EQ(2, run("monitor -w"));
	ATF_CHECK_EQ(2, run("monitor a b"));
	stop();
}

/* OpenIKED's words. */
ATF_TC_WITHOUT_HEAD(ikectl);
ATF_TC_BODY(ikectl, tc)
{
	ATF_REQUIRE_EQ(0, symlink(REGRESS_OBJDIR "/ipsecctl", "ikectl"));
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(0, run("show sa"));
	ATF_CHECK_EQ(0, system("./ikectl -s " SOCK " show sa >theirs 2>err"));
	ATF_CHECK_STREQ(slurp("out"), slurp("theirs"));
	ATF_CHECK_EQ(0, system("./ikectl -s " SOCK " log brief 2>err"));
	ATF_CHECK_EQ(0, system("./ikectl -s " SOCK " reset all 2>err"));
	ATF_CHECK(system("./ikectl -s " SOCK " reload 2>err") != 0);
	ATF_CHECK(strstr(slurp("err"), "unknown word") != NULL);
	ATF_CHECK(system("./ikectl -s " SOCK " decouple 2>err") != 0);
	ATF_CHECK(strstr(slurp("err"), "decouple: SAs are always loaded") != NULL);
	ATF_CHECK(system("./ikectl -s " SOCK " load x 2>err") != 0);
	ATF_CHECK(strstr(slurp("err"), "load x: iked reads the file") != NULL);
	ATF_CHECK(system("./ikectl -s " SOCK " up boise 2>err") != 0);
	ATF_CHECK(strstr(slurp("err"), "usage: ikectl") != NULL);
	stop();
}

/* Pictures follow each other where there is no terminal. */
ATF_TC_WITHOUT_HEAD(watch);
ATF_TC_BODY(watch, tc)
{
	start(SOCK, HELLO, NULL);
	ATF_CHECK_EQ(0, run("show sa"));
	ATF_REQUIRE_EQ(0, rename("out", "once"));
	ATF_CHECK_EQ(0, system(REGRESS_OBJDIR "/ipsecctl -s " SOCK
	    " show sa -w -i 1 >out 2>err & p=$!; (cat once; echo; cat once) >twice;"
	    " until [ $(wc -l <out) -ge $(wc -l <twice) ]; do sleep .1; done;"
	    " kill $p; wait $p;"
	    /* a slow machine may see a third one begin */
	    " head -n $(wc -l <twice) out >two"));
	ATF_CHECK_STREQ(slurp("twice"), slurp("two"));
	stop();
}

static int
dial(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		(void)usleep(20000);
	return (fd);
}

/* Everything that comes for a request. */
static const char *
ask(const char *path, const char *request)
{
	static char buf[65536];
	size_t n = 0;
	ssize_t r;
	int fd = dial(path);

	say(fd, request);
	while ((r = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)r;
	buf[n] = '\0';
	(void)close(fd);
	return (buf);
}

ATF_TC_WITHOUT_HEAD(exporter);
ATF_TC_BODY(exporter, tc)
{
	const char *got;
	pid_t pid;

	start(SOCK, HELLO, NULL);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)execl(REGRESS_OBJDIR "/ipsecctl", "ipsecctl", "-s", SOCK,
		    "exporter", "./metrics.sock", (char *)NULL);
		_exit(100);
	}
	got = ask("metrics.sock", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	ATF_CHECK(strncmp(got, "HTTP/1.0 200 OK\r\n"
	    "Content-Type: application/openmetrics-text; ", 61) == 0);
	ATF_REQUIRE(strstr(got, "\r\n\r\n") != NULL);
	ATF_CHECK_STREQ(slurp(DATA "metrics.txt"), strstr(got, "\r\n\r\n") + 4);
	ATF_CHECK(strstr(ask("metrics.sock", "GET / HTTP/1.0\r\n\r\n"),
	    "404 Not Found") != NULL);
	ATF_CHECK(strstr(ask("metrics.sock", "POST /metrics HTTP/1.0\r\n\r\n"),
	    "405 Method") != NULL);
	/* who says nothing is forgotten, who says too much gets no answer */
	(void)close(dial("metrics.sock"));
	stop();
	ATF_CHECK(strstr(ask("metrics.sock", "GET /metrics\r\n\r\n"),
	    "503 Service") != NULL);
	ATF_CHECK_EQ(0, kill(pid, SIGTERM));
	ATF_CHECK_EQ(pid, waitpid(pid, NULL, 0));
}

/* As somebody without rights; the program may lie where he may not look. */
static int
run_as_nobody(const char *word, const char *arg)
{
	char name[] = "ipsecctl", s[] = "-s", sock[] = SOCK;
	char w[32], a[32], *argv[] = { name, s, sock, w, a, NULL };
	/* where nobody can write the counts of a coverage build */
	char gcov[] = "GCOV_PREFIX=counts", *envp[] = { gcov, NULL };
	int exe, out, errfd, st;
	pid_t pid;

	(void)snprintf(w, sizeof(w), "%s", word);
	(void)snprintf(a, sizeof(a), "%s", arg);
	exe = open(REGRESS_OBJDIR "/ipsecctl", O_RDONLY);
	out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	errfd = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	ATF_REQUIRE(exe != -1 && out != -1 && errfd != -1);
	if ((pid = fork()) == 0) {
		if (dup2(out, 1) == -1 || dup2(errfd, 2) == -1 ||
		    setgid(65534) == -1 || setuid(65534) == -1)
			_exit(100);
		(void)fexecve(exe, argv, envp);
		_exit(101);
	}
	ATF_REQUIRE(pid != -1);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &st, 0));
	(void)close(exe);
	(void)close(out);
	(void)close(errfd);
	ATF_REQUIRE(WIFEXITED(st));
	return (WEXITSTATUS(st));
}

ATF_TC(readonly);
ATF_TC_HEAD(readonly, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(readonly, tc)
{
	int fd;

	ATF_REQUIRE_EQ(0, chmod(".", 0755));
	ATF_REQUIRE_EQ(0, mkdir("counts", 0755));
	ATF_REQUIRE_EQ(0, chmod("counts", 01777));
	fd = listen_on(SOCK);
	ATF_REQUIRE_EQ(0, chmod(SOCK, 0600));
	start(ROSOCK, HELLO, NULL);
	ATF_REQUIRE_EQ(0, chmod(ROSOCK, 0666));
	ATF_CHECK_EQ(0, run_as_nobody("show", "tunnels"));
	ATF_CHECK_STREQ(slurp(DATA "show_tunnels.txt"), slurp("out"));
	ATF_CHECK_EQ(7, run_as_nobody("up", "boise"));
	ATF_CHECK_STREQ("ipsecctl: no permission for " SOCK "; become root or "
	    "a member of group _iked\n", slurp("err"));
	stop();
	(void)close(fd);
}

static void
rude(const char *greeting, const char *reply, const char *want)
{
	start(SOCK, greeting, reply);
	ATF_CHECK_EQ(1, run("show tunnels"));
	ATF_CHECK_MSG(strstr(slurp("err"), want) != NULL, "%s", slurp("err"));
	ATF_CHECK_STREQ("", slurp("out"));
	stop();
}

ATF_TC_WITHOUT_HEAD(rude_daemon);
ATF_TC_BODY(rude_daemon, tc)
{
	static char big[9000];

	memset(big, 'x', sizeof(big) - 2);
	big[sizeof(big) - 2] = '\n';
	rude(HELLO, "this is no JSON\n", "is not a JSON line");
	rude(HELLO, "[1]\n", "is not a JSON line");
	rude(HELLO, big, "is not a JSON line");
	rude(HELLO, "{\"kind\":\"tunnel\"}\n", "closed the connection");
	rude("{\"ikeep\":2,\"version\":\"9\"}\n", "", "does not speak version 1");
	rude("SSH-2.0-x\n", "", "is not a JSON line");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tables);
	ATF_TP_ADD_TC(tp, json);
	ATF_TP_ADD_TC(tp, plan);
	ATF_TP_ADD_TC(tp, genpsk);
	ATF_TP_ADD_TC(tp, no_netwatchd);
	ATF_TP_ADD_TC(tp, not_running);
	ATF_TP_ADD_TC(tp, usage);
	ATF_TP_ADD_TC(tp, commands);
	ATF_TP_ADD_TC(tp, statuses);
	ATF_TP_ADD_TC(tp, monitor);
	ATF_TP_ADD_TC(tp, ikectl);
	ATF_TP_ADD_TC(tp, watch);
	ATF_TP_ADD_TC(tp, exporter);
	ATF_TP_ADD_TC(tp, readonly);
	ATF_TP_ADD_TC(tp, rude_daemon);
	return (atf_no_error());
}
