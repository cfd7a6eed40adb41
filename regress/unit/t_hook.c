/* SPDX-License-Identifier: ISC */
/* Real programs, run as netwatchd's parent runs hooks. */

#include <sys/types.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keepalive/hook.h"

#define TERM_S	1.0

static struct ev_loop	*loop;
static struct hooks	*hooks;
static char		 lines[65536];
static char		 dir[1024];

static void
emit(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(lines);

	(void)arg;
	(void)level;
	(void)snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static const struct logger lg = { emit, NULL, 1, NULL };

static int
logged(const char *text)
{
	return (strstr(lines, text) != NULL);
}

static char *
slurp(const char *name)
{
	static char buf[65536];
	size_t n = 0;
	FILE *f;

	if ((f = fopen(name, "r")) != NULL) {
		n = fread(buf, 1, sizeof(buf) - 1, f);
		(void)fclose(f);
	}
	buf[n] = '\0';
	return (buf);
}

static void
script(const char *name, mode_t mode, const char *body)
{
	FILE *f;

	ATF_REQUIRE((f = fopen(name, "w")) != NULL);
	(void)fprintf(f, "#!/bin/sh\nD='%s'\n%s\n", dir, body);
	(void)fclose(f);
	ATF_REQUIRE_EQ(0, chmod(name, mode));
}

static const char *
in_dir(const char *name)
{
	static char path[8][1200];
	static int i;

	i = (i + 1) % 8;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return (path[i]);
}

static void
begin_s(double term_s)
{
	char *real;

	ATF_REQUIRE((real = realpath(".", NULL)) != NULL);
	(void)snprintf(dir, sizeof(dir), "%s", real);
	free(real);
	ATF_REQUIRE_EQ(0, chmod(dir, 0755));
	loop = ev_default_loop(0);
	ATF_REQUIRE(loop != NULL);
	ATF_REQUIRE((hooks = hooks_new(loop, &lg, term_s)) != NULL);
}

/* No program is ended for being slow, on a slow machine. */
static void
begin(void)
{
	begin_s(600);
}

/* One tunnel, one program for all events. */
static void
configure(const char *name, const char *path)
{
	struct hook_conf c = { name, { path, path, path } };

	ATF_REQUIRE_EQ(0, hooks_configure(hooks, &c, 1));
}

static struct hook_event
event(const char *name, enum hook_kind kind, const char *reason)
{
	struct hook_event ev;

	memset(&ev, 0, sizeof(ev));
	(void)snprintf(ev.name, sizeof(ev.name), "%s", name);
	(void)snprintf(ev.reason, sizeof(ev.reason), "%s", reason);
	(void)snprintf(ev.state, sizeof(ev.state), "%s", "up");
	ev.kind = (uint8_t)kind;
	return (ev);
}

static void
fire(const char *name, enum hook_kind kind, const char *reason)
{
	struct hook_event ev = event(name, kind, reason);

	ATF_REQUIRE_EQ(0, hooks_event(hooks, &ev));
}

static void
stop_cb(struct ev_loop *l, ev_timer *t, int revents)
{
	(void)t;
	(void)revents;
	ev_break(l, EVBREAK_ALL);
}

static void
run_s(double s)
{
	ev_timer t;

	ev_now_update(loop);
	ev_timer_init(&t, stop_cb, s, 0);
	ev_timer_start(loop, &t);
	(void)ev_run(loop, 0);
	ev_timer_stop(loop, &t);
}

static double
ms_now(void)
{
	struct timespec ts;

	ATF_REQUIRE_EQ(0, clock_gettime(CLOCK_MONOTONIC, &ts));
	return ((double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6);
}

/* Until the log has it, at most so long. */
static void
await(const char *text)
{
	int i;

	for (i = 0; i < 400 && !logged(text); i++)
		run_s(0.05);
	ATF_REQUIRE_MSG(logged(text), "no \"%s\" in:\n%s", text, lines);
}

/* Until that is what a program has written. */
static void
await_out(const char *text)
{
	int i;

	for (i = 0; i < 2000 && strcmp(slurp("out"), text) != 0; i++)
		run_s(0.02);
	ATF_REQUIRE_STREQ(text, slurp("out"));
}

/* Arguments, environment, descriptors, directory, process group. */
ATF_TC_WITHOUT_HEAD(how);
ATF_TC_BODY(how, tc)
{
	struct hook_event ev;
	char want[2048], *out;

	begin();
	script("h", 0755, "{ echo \"arg $0 $# $1 $2\"; env; "
	    "echo pwd `pwd`; umask; "
	    "cat; echo stdin is empty; "
	    "for f in /proc/self/fd/* /dev/fd/*; do "
	    "  case $f in *[!0-9]) ;; *) echo fd ${f##*/}; esac; done; "
	    "echo group $(ps -o pgid= -p $$ 2>/dev/null || echo $$) is $$; "
	    "} >$D/out; echo lost; echo lost >&2");
	ATF_REQUIRE(setenv("SECRET", "of the daemon", 1) == 0);
	/* Descriptors of ours that must not be its own, however high. */
	ATF_REQUIRE(open("/dev/null", O_RDONLY) > 2);
	ATF_REQUIRE(dup2(1, 200) == 200);
	configure("boise", in_dir("h"));
	ev = event("boise", HOOK_DOWN, "4 probes \"unanswered\"; $(rm -rf /)\n\x1b[2J\xff");
	ATF_REQUIRE_EQ(0, addr_parse(&ev.source, "10.1.0.1"));
	ATF_REQUIRE_EQ(0, addr_parse(&ev.target, "2001:db8::1"));
	(void)strcpy(ev.state, "local-miss");
	(void)strcpy(ev.verdict, "data_dead");
	ev.rtt_us = 34120;
	ev.loss = 125;
	ATF_REQUIRE_EQ(0, hooks_event(hooks, &ev));
	await("ended well");
	ATF_CHECK(logged("keepalive \"boise\": "));
	out = slurp("out");
	(void)snprintf(want, sizeof(want), "arg %s 2 down boise\n", in_dir("h"));
	ATF_CHECK_MSG(strstr(out, want) != NULL, "%s", out);
	ATF_CHECK(strstr(out, "\nIKEEP_NAME=boise\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_EVENT=down\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_STATE=local-miss\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_VERDICT=data_dead\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_SOURCE=10.1.0.1\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_TARGET=2001:db8::1\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_RTT_US=34120\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_LOSS=12.5\n") != NULL);
	ATF_CHECK(strstr(out, "\nIKEEP_REASON=4 probes \"unanswered\"; "
	    "$(rm -rf /)??[2J?\n") != NULL);
	ATF_CHECK(strstr(out, "\nPATH=/usr/sbin:") != NULL);
	ATF_CHECK(strstr(out, "SECRET") == NULL);
	ATF_CHECK(strstr(out, "\npwd /\n") != NULL);
	ATF_CHECK(strstr(out, "\n0022\n") != NULL);
	ATF_CHECK(strstr(out, "\nstdin is empty\n") != NULL);
	ATF_CHECK(strstr(out, "\nfd 200\n") == NULL);
	ATF_CHECK(strstr(out, "lost") == NULL);
	hooks_free(hooks);
}

static void
bad(const char *path, const char *text)
{
	char why[HOOK_WHY] = "", *real;

	real = hook_check(path, why);
	ATF_CHECK_MSG(real == NULL, "%s would be run", path);
	ATF_CHECK_MSG(strstr(why, text) != NULL, "%s: %s", path, why);
	free(real);
}

ATF_TC_WITHOUT_HEAD(may_it_run);
ATF_TC_BODY(may_it_run, tc)
{
	char why[HOOK_WHY], *real;

	begin();
	script("good", 0700, "exit 0");
	ATF_REQUIRE((real = hook_check(in_dir("good"), why)) != NULL);
	ATF_CHECK_STREQ(in_dir("good"), real);
	free(real);
	bad("good", "not an absolute path");
	bad("", "not an absolute path");
	bad(in_dir("absent"), "No such file");
	bad(dir, "is no regular file");
	script("group", 0775, "exit 0");
	bad(in_dir("group"), "chmod go-w");
	script("other", 0757, "exit 0");
	bad(in_dir("other"), "chmod go-w");
	script("plain", 0644, "exit 0");
	bad(in_dir("plain"), "chmod +x");
	ATF_REQUIRE_EQ(0, symlink("group", "link"));
	bad(in_dir("link"), "chmod go-w");
	ATF_REQUIRE_EQ(0, symlink("good", "fine"));
	real = hook_check(in_dir("fine"), why);
	ATF_REQUIRE(real != NULL);
	ATF_CHECK_STREQ(in_dir("good"), real);
	free(real);
	/* What is above counts as much. */
	ATF_REQUIRE_EQ(0, mkdir("d", 0755));
	script("d/h", 0755, "exit 0");
	real = hook_check(in_dir("d/h"), why);
	ATF_CHECK(real != NULL);
	free(real);
	ATF_REQUIRE_EQ(0, chmod("d", 0775));
	bad(in_dir("d/h"), "chmod go-w");
	ATF_REQUIRE_EQ(0, chmod("d", 01777));
	real = hook_check(in_dir("d/h"), why);
	ATF_CHECK(real != NULL);
	free(real);
	/* Another's; only root can make one. */
	if (geteuid() == 0) {
		ATF_REQUIRE_EQ(0, chown("d/h", 1, 1));
		bad(in_dir("d/h"), "does not belong to root");
		ATF_REQUIRE_EQ(0, chown("d/h", 0, 0));
		ATF_REQUIRE_EQ(0, chown("d", 1, 1));
		bad(in_dir("d/h"), "does not belong to root");
	}
	hooks_free(hooks);
}

/* The check is made when it is configured and again before each run. */
ATF_TC_WITHOUT_HEAD(checked_again);
ATF_TC_BODY(checked_again, tc)
{
	begin();
	script("h", 0775, "echo ran >>$D/out");
	configure("boise", in_dir("h"));
	ATF_CHECK(logged("up will not be run: "));
	fire("boise", HOOK_UP, "");
	ATF_CHECK(logged("up is not run: "));
	ATF_REQUIRE_EQ(0, chmod("h", 0755));
	fire("boise", HOOK_UP, "");
	await("ended well");
	ATF_CHECK_STREQ("ran\n", slurp("out"));
	ATF_REQUIRE_EQ(0, unlink("h"));
	run_s(0.4);
	fire("boise", HOOK_UP, "");
	ATF_CHECK(logged("No such file"));
	hooks_free(hooks);
}

/* The probe process can name what is configured, and nothing else. */
ATF_TC_WITHOUT_HEAD(not_trusted);
ATF_TC_BODY(not_trusted, tc)
{
	struct hook_event ev;

	begin();
	script("h", 0755, "echo ran >>$D/out");
	struct hook_conf c = { "boise", { in_dir("h"), NULL, NULL } };
	ATF_REQUIRE_EQ(0, hooks_configure(hooks, &c, 1));
	fire("tacoma", HOOK_UP, "");
	fire("", HOOK_UP, "");
	fire("boise", HOOK_DOWN, "");
	fire("boise", HOOK_TEST, "");
	ev = event("boise", HOOK_UP, "");
	ev.kind = HOOK_KINDS;
	ATF_CHECK_EQ(-1, hooks_event(hooks, &ev));
	ev = event("boise", HOOK_UP, "");
	(void)strcpy(ev.state, "up\nX=1");
	ATF_CHECK_EQ(-1, hooks_event(hooks, &ev));
	ev = event("boise", HOOK_UP, "");
	(void)strcpy(ev.verdict, "a b");
	ATF_CHECK_EQ(-1, hooks_event(hooks, &ev));
	ev = event("boise", HOOK_UP, "");
	ev.loss = 1001;
	ATF_CHECK_EQ(-1, hooks_event(hooks, &ev));
	run_s(0.5);
	ATF_CHECK_STREQ("", slurp("out"));
	hooks_free(hooks);
}

ATF_TC_WITHOUT_HEAD(statuses);
ATF_TC_BODY(statuses, tc)
{
	begin();
	script("h", 0755, "case $1 in up) exit 3;; down) kill -9 $$;; esac");
	configure("boise", in_dir("h"));
	fire("boise", HOOK_UP, "");
	await("up ended with status 3 after");
	fire("boise", HOOK_DOWN, "");
	await("down died of signal 9 after");
	fire("boise", HOOK_TEST, "");
	await("test ended well after");
	/* No interpreter: the kernel's refusal is a status as well. */
	FILE *f = fopen("h", "w");
	ATF_REQUIRE(f != NULL);
	(void)fputs("#!/no/such/interpreter\n", f);
	(void)fclose(f);
	fire("boise", HOOK_UP, "");
	await("up ended with status 127 after");
	hooks_free(hooks);
}

/* TERM, and KILL for who does not listen, to the whole group. */
ATF_TC_WITHOUT_HEAD(too_long);
ATF_TC_BODY(too_long, tc)
{
	char *out;

	begin_s(TERM_S);
	script("h", 0755, "if [ $1 = down ]; then trap '' TERM; fi\n"
	    "(sleep 20; echo survived >>$D/out) &\n"
	    "echo began $1 >>$D/out; sleep 20; sleep 20; echo survived >>$D/out");
	configure("boise", in_dir("h"));
	fire("boise", HOOK_UP, "");
	await("up takes more than 1 seconds and is ended");
	await("up died of signal 15 after");
	fire("boise", HOOK_DOWN, "");
	await("down died of signal 9 after");
	out = slurp("out");
	ATF_CHECK_STREQ("began up\nbegan down\n", out);
	hooks_free(hooks);
}

/* One at a time of each tunnel; what comes meanwhile is replaced by what is newer. */
ATF_TC_WITHOUT_HEAD(newest);
ATF_TC_BODY(newest, tc)
{
	begin();
	/* each ends when it may */
	script("h", 0755, "echo $IKEEP_REASON $1 >>$D/out; "
	    "until [ -e $D/go ]; do sleep 0.05; done; echo end >>$D/out");
	configure("boise", in_dir("h"));
	fire("boise", HOOK_UP, "a");
	await_out("a up\n");
	fire("boise", HOOK_DOWN, "b");
	fire("boise", HOOK_UP, "c");
	fire("boise", HOOK_DOWN, "d");
	fire("boise", HOOK_TEST, "e");	/* no test takes a state's place */
	run_s(0.5);
	ATF_CHECK_STREQ("a up\n", slurp("out"));
	ATF_REQUIRE_EQ(0, mkdir("go", 0755));
	await("down ended well");
	run_s(0.5);
	ATF_CHECK_STREQ("a up\nend\nd down\nend\n", slurp("out"));
	/* but a state takes a test's */
	ATF_REQUIRE_EQ(0, rmdir("go"));
	fire("boise", HOOK_UP, "f");
	await_out("a up\nend\nd down\nend\nf up\n");
	fire("boise", HOOK_TEST, "g");
	fire("boise", HOOK_DOWN, "h");
	ATF_REQUIRE_EQ(0, mkdir("go", 0755));
	await_out("a up\nend\nd down\nend\nf up\nend\nh down\nend\n");
	run_s(0.5);
	ATF_CHECK_STREQ("a up\nend\nd down\nend\nf up\nend\nh down\nend\n",
	    slurp("out"));
	hooks_free(hooks);
}

/* A thousand tunnels at once: eight programs. */
ATF_TC_WITHOUT_HEAD(eight);
ATF_TC_BODY(eight, tc)
{
	struct hook_conf c[30];
	char names[30][16], *p;
	int i, now = 0, most = 0, began = 0;

	begin();
	script("h", 0755, "echo + >>$D/out; sleep 0.4; echo - >>$D/out");
	for (i = 0; i < 30; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "t%d", (i * 7) % 30);
		c[i] = (struct hook_conf){ names[i], { in_dir("h"), NULL, NULL } };
		c[i].path[0] = strdup(c[i].path[0]);
	}
	ATF_REQUIRE_EQ(0, hooks_configure(hooks, c, 30));
	for (i = 0; i < 30; i++)
		fire(names[i], HOOK_UP, "");
	for (i = 0; i < 200 && began < 30; i++) {
		run_s(0.1);
		for (began = 0, p = slurp("out"); *p != '\0'; p++)
			began += *p == '-';
	}
	ATF_CHECK_EQ(30, began);
	for (p = slurp("out"); *p != '\0'; p++) {
		now += *p == '+' ? 1 : *p == '-' ? -1 : 0;
		most = now > most ? now : most;
	}
	ATF_CHECK_MSG(most <= HOOK_RUNS && most > 4, "%d at once", most);
	for (i = 0; i < 30; i++)
		free((void *)(uintptr_t)c[i].path[0]);
	hooks_free(hooks);
}

/* However fast they end and are wanted again. */
ATF_TC_WITHOUT_HEAD(not_too_often);
ATF_TC_BODY(not_too_often, tc)
{
	double ms, t0;
	int i, n = 0;
	char *p;

	begin();
	script("h", 0755, "echo x >>$D/out");
	configure("boise", in_dir("h"));
	t0 = ms_now();
	/* two seconds or more, until there are some */
	for (i = 0; i < 2000 && (i < 100 || n < 3); i++) {
		fire("boise", i % 2 ? HOOK_UP : HOOK_DOWN, "");
		run_s(0.02);
		for (n = 0, p = slurp("out"); *p != '\0'; p++)
			n += *p == 'x';
	}
	/* by the time that it did take: the first one at once */
	ms = ms_now() - t0;
	ATF_CHECK_MSG(n >= 3 && n <= ms / HOOK_LEAST_MS + 2, "%d runs in %.0f ms", n, ms);
	hooks_free(hooks);
}

/* What waits when the configuration is read again goes on, unless its tunnel is gone. */
ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct hook_conf c[2];

	begin();
	script("h", 0755, "echo $2 $IKEEP_REASON >>$D/out; sleep 0.3");
	c[0] = (struct hook_conf){ "tacoma", { in_dir("h"), in_dir("h"), NULL } };
	c[1] = (struct hook_conf){ "boise", { in_dir("h"), in_dir("h"), NULL } };
	ATF_REQUIRE_EQ(0, hooks_configure(hooks, c, 2));
	fire("boise", HOOK_UP, "a");
	fire("tacoma", HOOK_UP, "b");
	fire("boise", HOOK_DOWN, "c");
	fire("tacoma", HOOK_DOWN, "d");
	ATF_REQUIRE_EQ(0, hooks_configure(hooks, &c[1], 1));
	/* still one at a time */
	fire("boise", HOOK_DOWN, "e");
	await("\"boise\": ");
	await("\"tacoma\": ");
	run_s(1.0);
	ATF_CHECK(strstr(slurp("out"), "boise e\n") != NULL);
	ATF_CHECK(strstr(slurp("out"), "boise c\n") == NULL);
	ATF_CHECK(strstr(slurp("out"), "tacoma b\n") != NULL);
	ATF_CHECK(strstr(slurp("out"), "tacoma d\n") == NULL);
	/* The end of all takes what runs with it. */
	script("h", 0755, "sleep 3; echo survived >>$D/out");
	fire("boise", HOOK_UP, "");
	run_s(0.2);
	hooks_free(hooks);
	(void)sleep(1);
	ATF_CHECK(strstr(slurp("out"), "survived") == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, how);
	ATF_TP_ADD_TC(tp, may_it_run);
	ATF_TP_ADD_TC(tp, checked_again);
	ATF_TP_ADD_TC(tp, not_trusted);
	ATF_TP_ADD_TC(tp, statuses);
	ATF_TP_ADD_TC(tp, too_long);
	ATF_TP_ADD_TC(tp, newest);
	ATF_TP_ADD_TC(tp, eight);
	ATF_TP_ADD_TC(tp, not_too_often);
	ATF_TP_ADD_TC(tp, reload);
	return (atf_no_error());
}
