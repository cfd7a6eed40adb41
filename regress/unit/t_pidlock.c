/* SPDX-License-Identifier: ISC */
/* The pidfile's lock: one daemon, and nobody else's business. */
#include <sys/file.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "proc/pidlock.h"

ATF_TC_WITHOUT_HEAD(lock);
ATF_TC_BODY(lock, tc)
{
	struct stat st;
	int fd;

	(void)tc;
	ATF_REQUIRE_EQ(0, pidlock_holder("x.pid"));
	/* One that an earlier version left for all to open. */
	ATF_REQUIRE((fd = open("x.pid", O_RDWR | O_CREAT, 0644)) != -1);
	ATF_REQUIRE_EQ(0, fchmod(fd, 0644));
	ATF_REQUIRE_EQ(0, close(fd));
	ATF_REQUIRE((fd = pidlock_take("x.pid")) != -1);
	ATF_REQUIRE_EQ(0, stat("x.pid", &st));
	ATF_CHECK_EQ(0600, st.st_mode & 07777);
	ATF_REQUIRE_EQ(0, pidlock_write(fd));
	ATF_CHECK_EQ(getpid(), pidlock_holder("x.pid"));
	ATF_CHECK_EQ(-1, pidlock_take("x.pid"));
	ATF_CHECK_EQ(EWOULDBLOCK, errno);
	/* Unlinked by an owner that still holds it: the name is free again. */
	ATF_REQUIRE_EQ(0, unlink("x.pid"));
	ATF_CHECK(pidlock_take("x.pid") != -1);
	/* A link is not followed. */
	ATF_REQUIRE_EQ(0, symlink("elsewhere", "y.pid"));
	ATF_CHECK_EQ(-1, pidlock_take("y.pid"));
	ATF_CHECK_EQ(-1, access("elsewhere", F_OK));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lock);
	return (atf_no_error());
}
