/* SPDX-License-Identifier: ISC */
/* What of a hook is checked before it is run, and how it is run. */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/hook.h"
#include "proc/privdrop.h"

#define NENV		11
#define ENVLEN		320	/* the longest: IKEEP_REASON */

const char *
hook_kind_name(unsigned int kind)
{
	static const char *const names[HOOK_KINDS] = { "up", "down", "test" };

	return (kind < HOOK_KINDS ? names[kind] : NULL);
}

static int	refuse(char why[HOOK_WHY], const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static int
refuse(char why[HOOK_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, HOOK_WHY, fmt, ap);
	va_end(ap);
	return (-1);
}

static int
check_one(const char *path, int last, char why[HOOK_WHY])
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return (refuse(why, "%s: %s", path, strerror(errno)));
	if (last ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
		return (refuse(why, "%s is no %s", path, last ?
		    "regular file" : "directory"));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return (refuse(why, "%s does not belong to root (chown root "
		    "it): its owner could have anything run", path));
	/* In a sticky directory only the owner can replace it. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) &&
	    (last || !(st.st_mode & S_ISVTX)))
		return (refuse(why, "others than root can write to %s "
		    "(chmod go-w it)", path));
	if (last && !(st.st_mode & S_IXUSR))
		return (refuse(why, "%s is not executable (chmod +x it)", path));
	return (0);
}

char *
hook_check(const char *path, char why[HOOK_WHY])
{
	char *real, *p;

	if (path[0] != '/') {
		(void)refuse(why, "%s: not an absolute path", path);
		return (NULL);
	}
	if ((real = realpath(path, NULL)) == NULL) {
		(void)refuse(why, "%s: %s", path, strerror(errno));
		return (NULL);
	}
	if (check_one("/", 0, why) == -1)
		goto bad;
	for (p = strchr(real + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (check_one(real, 0, why) == -1)
			goto bad;
		*p = '/';
	}
	if (check_one(real, 1, why) == 0)
		return (real);
bad:
	free(real);
	return (NULL);
}

struct env {
	char	 text[NENV][ENVLEN];
	char	*p[NENV + 1];
	size_t	 n;
};

static void	set(struct env *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static void
set(struct env *e, const char *fmt, ...)
{
	va_list ap;

	if (e->n == NENV)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->text[e->n], ENVLEN, fmt, ap);
	va_end(ap);
	e->p[e->n] = e->text[e->n];
	e->n++;
}

static void
environment(struct env *e, const struct hook_event *ev)
{
	char a[ADDR_STRLEN];

	memset(e, 0, sizeof(*e));
	set(e, "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin");
	set(e, "IKEEP_NAME=%s", ev->name);
	set(e, "IKEEP_EVENT=%s", hook_kind_name(ev->kind));
	set(e, "IKEEP_STATE=%s", ev->state);
	set(e, "IKEEP_VERDICT=%s", ev->verdict);
	set(e, "IKEEP_SOURCE=%s", ev->source.fam == ADDR_NONE ? "" :
	    addr_str(&ev->source, a));
	set(e, "IKEEP_TARGET=%s", ev->target.fam == ADDR_NONE ? "" :
	    addr_str(&ev->target, a));
	set(e, "IKEEP_RTT_US=%u", ev->rtt_us);
	set(e, "IKEEP_LOSS=%u.%u", ev->loss / 10U, ev->loss % 10U);
	set(e, "IKEEP_REASON=%s", ev->reason);
}

void
hook_exec(const char *real, const char *path, const struct hook_event *ev)
{
	struct env e;
	char name[CONF_NAMELEN], kind[8], argv0[CONF_KASTRLEN];
	char *argv[] = { argv0, kind, name, NULL };
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	(void)umask(022);
	/* All descriptors are closed, and 0, 1 and 2 are /dev/null. */
	privdrop_files(0);
	if (chdir("/") == -1)
		_exit(126);
	(void)snprintf(argv0, sizeof(argv0), "%s", path);
	(void)snprintf(kind, sizeof(kind), "%s", hook_kind_name(ev->kind));
	(void)snprintf(name, sizeof(name), "%s", ev->name);
	environment(&e, ev);
	(void)execve(real, argv, e.p);
	_exit(errno == ENOENT ? 127 : 126);
}
