/* SPDX-License-Identifier: ISC */
/* Giving up root for good. */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"

void
privdrop_files(int from)
{
	int fd;

	closefrom(from);
	do
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			_exit(1);
	while (fd <= STDERR_FILENO);
	close(fd);
}

int
privdrop_user(enum role role, struct privuser *u, const struct logger *lg)
{
	const char *name = role_user(role);
	struct passwd *pw;

	if ((pw = getpwnam(name)) == NULL) {
		log_fault(lg, WHY_START, "there is no user %s for the %s process; make it with "
		    "`make install', or `useradd -r -U -M -d %s -s /usr/sbin/nologin %s'",
		    name, role_name(role), PRIVDROP_EMPTY, name);
		return (-1);
	}
	if (pw->pw_uid == 0 || pw->pw_gid == 0) {
		log_fault(lg, WHY_START, "user %s has uid or gid 0: the %s process would keep "
		    "root's rights; give it ones of its own", name,
		    role_name(role));
		return (-1);
	}
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	return (0);
}

int
privdrop_emptydir(const char *dir, const struct logger *lg)
{
	struct stat st;

	if (mkdir(dir, 0755) == 0)
		log_info(lg, "made %s for the children's root", dir);
	else if (errno != EEXIST) {
		log_error(lg, WHY_START, "cannot make %s, the children's root directory", dir);
		return (-1);
	}
	if (lstat(dir, &st) == -1) {
		log_error(lg, WHY_START, "%s", dir);
		return (-1);
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		log_fault(lg, WHY_START, "%s must be a directory of root's that nobody else may "
		    "write to: the children live in it", dir);
		return (-1);
	}
	return (0);
}

static int
drop_root(enum role role, const struct privuser *u, const char *dir,
    const char **what)
{
	struct rlimit none = { 0, 0 };

	*what = "core limit";
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return (-1);
	*what = dir;
	if (chroot(dir) == -1 || chdir("/") == -1)
		return (-1);
	*what = "capabilities";
	if (sandbox_keepcaps(role) == -1)
		return (-1);
	*what = "groups";
	if (setgroups(1, &u->gid) == -1 ||
	    setresgid(u->gid, u->gid, u->gid) == -1)
		return (-1);
	*what = "uid";
	if (setresuid(u->uid, u->uid, u->uid) == -1)
		return (-1);
	*what = "capabilities";
	if (sandbox_setcaps(role) == -1)
		return (-1);
	/* A change of uid makes a process dumpable or not anew: last. */
	*what = "ptrace";
	return (sandbox_nodump());
}

int
privdrop(enum role role, const struct privuser *u, const char *dir,
    const struct logger *lg)
{
	const char *what;

	if (u->uid == 0 || u->gid == 0) {
		log_fault(lg, WHY_SANDBOX, "%s: will not run as root", role_name(role));
		return (-1);
	}
	if (drop_root(role, u, dir, &what) == -1) {
		log_error(lg, WHY_SANDBOX, "%s: cannot give up root: %s", role_name(role),
		    what);
		return (-1);
	}
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 ||
	    getuid() != u->uid || geteuid() != u->uid ||
	    getgid() != u->gid || getegid() != u->gid) {
		log_fault(lg, WHY_SANDBOX, "%s: root came back after it was given up",
		    role_name(role));
		return (-1);
	}
	return (0);
}
