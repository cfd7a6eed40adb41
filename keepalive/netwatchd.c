/* SPDX-License-Identifier: ISC */
/* netwatchd: sees to it that traffic really passes. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/parent.h"
#include "proc/client.h"
#include "proc/lineio.h"
#include "proc/pidlock.h"
#include "proc/plog.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

#ifndef IKED_CONF
#define IKED_CONF	"/etc/iked.conf"
#endif

static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: netwatchd [-dnv] [-f file] [-l facility] [-o option] "
	    "[-s socket]\n");
	exit(2);
}

static void
set_option(struct nw_parent *p, char *arg)
{
	if (strcmp(arg, "sandbox=off") == 0)
		p->opts.sandbox = 0;
	else if (strncmp(arg, "chroot=/", 8) == 0)
		p->opts.chroot = arg + 7;
	else
		usage();
}

/* Our own files are beside iked's socket. */
static char *
beside(const char *sock, const char *name)
{
	const char *slash = strrchr(sock, '/');
	char *path;

	if (asprintf(&path, "%.*s%s", slash == NULL ? 0 :
	    (int)(slash - sock + 1), sock, name) == -1)
		fatal("%s", name);
	return (path);
}

/* Locked for as long as we live. */
static int
lock_pidfile(const char *path)
{
	int fd;

	if ((fd = pidlock_take(path)) == -1) {
		if (errno == EWOULDBLOCK)
			fatalx("netwatchd already runs: %s is locked", path);
		fatal("%s", path);
	}
	return (fd);
}

/* The same people as iked's. */
static int
open_control(const char *path)
{
	struct privuser u;
	int fd;

	if (privdrop_user(ROLE_CONTROL, &u, plog()) == -1)
		exit(1);
	if ((fd = lineio_listen(path, 0660, u.gid)) == -1)
		fatal("control socket %s", path);
	return (fd);
}

static void
check_hooks(const struct nw_conf *conf)
{
	char why[HOOK_WHY], *real;
	struct hook_conf *list;
	ssize_t i, n = nwconf_hooks(conf, &list);
	unsigned int k;

	for (i = 0; i < n; i++)
		for (k = 0; k < HOOK_KINDS; k++) {
			if (list[i].path[k] == NULL)
				continue;
			if ((real = hook_check(list[i].path[k], why)) == NULL)
				log_warnx(plog(), "keepalive \"%s\": %s will "
				    "not be run: %s", list[i].name,
				    hook_kind_name(k), why);
			free(real);
		}
	if (n >= 0)
		free(list);
}

static int
check_only(const struct nw_parent *p, int verbose)
{
	struct nw_conf *conf;
	char a[ADDR_STRLEN];
	size_t i;

	if ((conf = nwconf_load(p->conf)) == NULL)
		return (1);
	for (i = 0; verbose && i < conf->n; i++)
		(void)printf("%s: %s every %u ms by %s\n", conf->targets[i].name,
		    addr_str(&conf->targets[i].target, a),
		    conf->targets[i].interval_ms,
		    ka_kind_name(conf->targets[i].ka->kind));
	check_hooks(conf);
	(void)printf("configuration OK%s\n",
	    conf->idle ? ", without a tunnel" : "");
	nwconf_free(conf);
	return (0);
}

/* On in a child; who started us waits until the descriptor given back is written to, or
 * closed, which is a failure: "started" means that the pid file is true. */
static int
background(void)
{
	int fds[2];
	char c;

	if (pipe2(fds, O_CLOEXEC) == -1)
		fatal("pipe");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		(void)close(fds[0]);
		if (setsid() == -1)
			fatal("setsid");
		return (fds[1]);
	default:
		(void)close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? 0 : 1);
	}
}

static void
started(int notify)
{
	int fd;

	if ((fd = open("/dev/null", O_RDWR)) == -1 || dup2(fd, 0) == -1 ||
	    dup2(fd, 1) == -1 || dup2(fd, 2) == -1)
		fatal("/dev/null");
	if (fd > 2)
		(void)close(fd);
	(void)!write(notify, "", 1);
	(void)close(notify);
}

static int
run(struct nw_parent *p, int front)
{
	struct privuser u;
	struct nw_conf *conf;
	char *pid, *control, *backup;
	int fd, rv, notify = -1;

	if (geteuid() != 0)
		fatalx("must be started by root: it opens raw sockets and "
		    "then gives root up");
	if ((conf = nwconf_load(p->conf)) == NULL)
		fatalx("%s is refused", p->conf);
	if (privdrop_user(ROLE_PROBE, &u, plog()) == -1 ||
	    privdrop_emptydir(p->opts.chroot, plog()) == -1)
		exit(1);
	/* Out of the way of the child's channel. */
	if ((fd = sandbox_self()) == -1 || (p->exe = fcntl(fd,
	    F_DUPFD_CLOEXEC, PROBE_CHANFD + 1)) == -1)
		fatal("cannot open this program itself");
	(void)close(fd);
	pid = beside(p->socket, "netwatchd.pid");
	control = beside(p->socket, "netwatchd.sock");
	p->backup = backup = beside(p->socket, "netwatchd.backup");
	fd = lock_pidfile(pid);
	p->control = open_control(control);
	if (!front)
		notify = background();
	if (pidlock_write(fd) == -1)
		fatal("%s", pid);
	if (notify != -1) {
		plog_init("netwatchd", PLOG_SYSLOG, p->opts.verbose);
		started(notify);
	}
	rv = parent_main(p, conf);
	(void)unlink(control);
	(void)unlink(pid);
	free(backup);
	free(control);
	free(pid);
	return (rv);
}

int
main(int argc, char *argv[])
{
	struct nw_parent p = {
		.opts = { .chroot = PRIVDROP_EMPTY, .sandbox = 1 },
		.conf = IKED_CONF, .socket = CLIENT_SOCKET };
	int ch, check = 0, front = 0, probe = 0;

	plog_init("netwatchd", PLOG_FRONT, 0);
	while ((ch = getopt(argc, argv, "df:l:no:P:s:v")) != -1) {
		switch (ch) {
		case 'd':
			front = 1;
			break;
		case 'f':
			p.conf = optarg;
			break;
		case 'l':
			plog_facility(optarg);
			break;
		case 'n':
			check = 1;
			break;
		case 'o':
			set_option(&p, optarg);
			break;
		case 'P':	/* not for people */
			if (strcmp(optarg, "probe") != 0)
				usage();
			probe = 1;
			break;
		case 's':
			p.socket = optarg;
			break;
		case 'v':
			p.opts.verbose++;
			break;
		default:
			usage();
		}
	}
	if (argc != optind)
		usage();
	privdrop_files(probe ? PROBE_CHANFD + 1 : STDERR_FILENO + 1);
	if (probe)
		probe_main(&p.opts);
	plog_init("netwatchd", check ? PLOG_PLAIN : PLOG_FRONT, p.opts.verbose);
	if (check)
		return (check_only(&p, p.opts.verbose));
	return (run(&p, front));
}
