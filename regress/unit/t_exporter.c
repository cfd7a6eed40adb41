/* SPDX-License-Identifier: ISC */
/* `ipsecctl exporter' and a client without manners. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sbin/ipsecctl/metrics.h"

static int
dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "./e.sock" };
	int fd, i;

	for (i = 0; i < 500; i++) {
		ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		close(fd);
		(void)usleep(20000);
	}
	atf_tc_fail("nobody listens");
}

/* Who says a letter now and then keeps the others out for a moment, not for hours. */
ATF_TC_WITHOUT_HEAD(drip);
ATF_TC_BODY(drip, tc)
{
	char b[64];
	pid_t pid;
	int slow, next, i;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)alarm(200);
		_exit(exporter("none.sock", "./e.sock"));
	}
	slow = dial();
	for (i = 0; i < 400 && send(slow, "x", 1, MSG_NOSIGNAL) == 1; i++)
		(void)usleep(250000);
	ATF_CHECK_MSG(i < 400, "it is still listened to");
	if (i < 400) {
		next = dial();
		ATF_REQUIRE_EQ(18, send(next, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL));
		ATF_REQUIRE_EQ(12, recv(next, b, 12, MSG_WAITALL));
		ATF_CHECK_EQ(0, memcmp(b, "HTTP/1.0 404", 12));
	}
	ATF_REQUIRE_EQ(0, kill(pid, SIGKILL));
	ATF_REQUIRE_EQ(pid, waitpid(pid, NULL, 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, drip);
	return (atf_no_error());
}
