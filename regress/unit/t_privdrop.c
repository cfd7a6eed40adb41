/* SPDX-License-Identifier: ISC */
/* What a daemon does with its caller's descriptors. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <unistd.h>

#include "proc/privdrop.h"

static int
is_null(int fd)
{
	struct stat a, b;

	return (fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 &&
	    a.st_rdev == b.st_rdev && S_ISCHR(a.st_mode));
}

static void
child(void)
{
	int fd, i;

	if ((fd = open("secret", O_RDWR | O_CREAT, 0600)) == -1 ||
	    dup2(fd, 9) == -1 || dup2(fd, 3) == -1 || dup2(fd, 1) == -1)
		_exit(1);
	close(0);
	close(2);
	privdrop_files(4);
	if (!is_null(0) || is_null(1) || !is_null(2) || fcntl(3, F_GETFD) == -1)
		_exit(2);
	for (i = 4; i < 64; i++)
		if (fcntl(i, F_GETFD) != -1)
			_exit(3);
	_exit(0);
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	pid_t pid;
	int status;

	(void)tc;
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		child();
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_REQUIRE_EQ(0, status);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, files);
	return (atf_no_error());
}
