/* SPDX-License-Identifier: ISC */
/* iked: options, and which process this is. */

#include <sys/types.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/checkconf.h"
#include "proc/child.h"
#include "proc/client.h"
#include "proc/parent.h"
#include "proc/pidlock.h"
#include "proc/plog.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

#define END_TRIES	150		/* tenths of a second -x waits */

static void
usage(void)
{
	(void)fprintf(stderr, "usage: iked [-dnvx] [-D name=value] [-f file] "
	    "[-l facility] [-o key=value] [-s socket]\n");
	exit(2);
}

static uint16_t
parse_port(const char *s)
{
	const char *err;
	long long n;

	n = strtonum(s, 1, 65535, &err);
	if (err != NULL)
		fatalx("port %s is %s", s, err);
	return ((uint16_t)n);
}

static void
parse_option(struct parent_opts *o, const char *arg)
{
	const char *val = strchr(arg, '=');
	size_t n;

	if (val == NULL)
		usage();
	n = (size_t)(val++ - arg);
#define KEY(k)	(n == strlen(k) && strncmp(arg, k, n) == 0)
	if (KEY("backend") && strcmp(val, "xfrm") == 0)
		o->backend = KERN_XFRM;
	else if (KEY("backend") && strcmp(val, "pfkey") == 0)
		o->backend = KERN_PFKEY;
	else if (KEY("sandbox") && strcmp(val, "off") == 0)
		o->sandbox = 0;
	else if (KEY("resolve") && strcmp(val, "now") == 0)
		o->resolve = 1;
	else if (KEY("port"))
		o->port = parse_port(val);
	else if (KEY("nattport"))
		o->natt_port = parse_port(val);
	else if (KEY("chroot") && *val == '/' &&
	    strlen(val) < sizeof(o->chroot))
		(void)strlcpy(o->chroot, val, sizeof(o->chroot));
	else
		fatalx("-o %s: know backend=xfrm|pfkey, sandbox=off, resolve=now, "
		    "port=N, nattport=N, chroot=/DIR", arg);
#undef KEY
}

/* The parent changes to /: what the user wrote stays what the user meant. */
static const char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *s;

	if (*path == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return (path);
	if (asprintf(&s, "%s/%s", cwd, path) == -1)
		fatal("%s", path);
	return (s);
}

static void
set_socket(struct parent_opts *o, const char *path)
{
	size_t n;

	path = absolute(path);
	if (strlcpy(o->socket, path, sizeof(o->socket)) >= sizeof(o->socket) ||
	    client_ropath(path, o->rosocket, sizeof(o->rosocket)) == -1)
		fatalx("%s: name too long", path);
	n = strlen(path);
	if (n > 5 && strcmp(path + n - 5, ".sock") == 0)
		n -= 5;
	(void)snprintf(o->pidfile, sizeof(o->pidfile), "%.*s.pid", (int)n,
	    path);
	(void)snprintf(o->statefile, sizeof(o->statefile), "%.*s.traps", (int)n,
	    path);
}

/* Tells the running iked to stop and take its policies away, and waits for its end. */
static void
stop_running(const struct parent_opts *o, pid_t pid)
{
	struct timespec tenth = { 0, 100000000 };
	int i;

	if (kill(pid, SIGUSR2) == -1 && errno != ESRCH)
		fatal("iked with pid %ld", (long)pid);
	for (i = 0; i < END_TRIES; i++) {
		if (pidlock_holder(o->pidfile) == 0)
			return;
		(void)nanosleep(&tenth, NULL);
	}
	fatalx("iked with pid %ld does not end", (long)pid);
}

static struct conf *
read_or_die(const struct parent_opts *o, int sweep)
{
	static struct conf_errors errs;
	struct conf *c;

	c = parent_conf_read(o, 0, &errs);
	parent_conf_complain(&errs, plog());
	if (c == NULL && sweep) {
		log_fault(plog(), WHY_FILE, "%s is not usable: what %s names is taken away",
		    o->conf, o->statefile);
		c = conf_parse("none", "", 0, NULL, 0, &errs);
	}
	if (c == NULL)
		fatalx("%s is not usable", o->conf);
	return (c);
}

int
main(int argc, char *argv[])
{
	static struct parent_opts o;
	int c, check = 0, stop = 0, secrets = 0;
	pid_t pid;

	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		child_main(argv[2]);
	privdrop_files(STDERR_FILENO + 1);
	plog_init("iked", PLOG_FRONT, 0);
	o.conf = PARENT_CONF;
	o.backend = parent_backend();
	o.sandbox = 1;
	o.port = 500;
	o.natt_port = 4500;
	(void)strlcpy(o.chroot, PRIVDROP_EMPTY, sizeof(o.chroot));
	set_socket(&o, PARENT_SOCKET);
	while ((c = getopt(argc, argv, "D:df:l:no:s:vx")) != -1)
		switch (c) {
		case 'D':
			if (o.ndef == PARENT_DEFS || strchr(optarg, '=') == NULL)
				usage();
			o.def[o.ndef++] = optarg;
			break;
		case 'd':
			o.front = 1;
			break;
		case 'f':
			o.conf = absolute(optarg);
			break;
		case 'l':
			plog_facility(optarg);
			break;
		case 'n':
			check = 1;
			break;
		case 'o':
			parse_option(&o, optarg);
			break;
		case 's':
			set_socket(&o, optarg);
			break;
		case 'v':
			secrets = o.verbose;	/* said twice */
			o.verbose = 1;
			break;
		case 'x':
			stop = 1;
			break;
		default:
			usage();
		}
	if (argc != optind || o.port == o.natt_port)
		usage();
	plog_init("iked", PLOG_FRONT, o.verbose);
	if (check)
		return (checkconf(&o, secrets));
	if (geteuid() != 0)
		fatalx("iked must be started by root");
	if (stop) {
		if ((pid = pidlock_holder(o.pidfile)) == -1)
			fatal("%s", o.pidfile);
		/* What it could not take away is left to us, and to our status. */
		if (pid != 0)
			stop_running(&o, pid);
		o.front = 1;
	}
	return (parent_run(&o, read_or_die(&o, stop), stop));
}
