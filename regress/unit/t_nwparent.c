/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's parent, with a probe process that does not listen.
 *
 * ld: -Wl,--wrap=chan_new -Wl,--wrap=fexecve
 */
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/nwmsg.h"
#include "keepalive/parent.h"
#include "proc/channel.h"
#include "proc/plog.h"

#define TARGETS	500

static int	 born[2];	/* an octet for each probe process */

struct chan	*__real_chan_new(struct ev_loop *, int, size_t, const struct chan_ops *, void *);
struct chan	*__wrap_chan_new(struct ev_loop *, int, size_t, const struct chan_ops *, void *);
int		 __wrap_fexecve(int, char *const *, char *const *);

/* A queue that is full when the socket is. */
struct chan *
__wrap_chan_new(struct ev_loop *loop, int fd, size_t max, const struct chan_ops *ops,
    void *arg)
{
	return (__real_chan_new(loop, fd, max != 0, ops, arg));
}

/* In place of the probe process: it says that it is ready, and reads nothing. */
int
__wrap_fexecve(int fd, char *const *argv, char *const *envp)
{
	struct msg	 m;

	(void)fd;
	(void)argv;
	(void)envp;
	(void)alarm(120);	/* if the test ends before */
	msg_start(&m, NW_READY);
	if (chan_send(PROBE_CHANFD, &m) == -1 || write(born[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
write_conf(void)
{
	FILE	*f = fopen("iked.conf", "w");
	int	 i;

	ATF_REQUIRE(f != NULL);
	for (i = 0; i < TARGETS; i++)
		(void)fprintf(f, "watch \"target %d\" 192.0.2.%d\n", i, i % 250 + 1);
	ATF_REQUIRE_EQ(0, fclose(f));
	ATF_REQUIRE_EQ(0, chmod("iked.conf", 0600));
}

/* Another one has begun within so many ms. */
static int
is_born(int ms)
{
	struct pollfd	 p = { .fd = born[0], .events = POLLIN };
	char		 c;

	return (poll(&p, 1, ms) == 1 && read(born[0], &c, 1) == 1);
}

/* A configuration that it has not been told whole is not one it may go on without. */
ATF_TC_WITHOUT_HEAD(deaf);
ATF_TC_BODY(deaf, tc)
{
	struct nw_parent	 p = { .conf = "iked.conf", .socket = "none.sock",
	    .backup = "backup", .opts.chroot = "/" };
	struct nw_conf		*conf;
	pid_t			 pid;
	int			 i, again = 0;

	write_conf();
	ATF_REQUIRE_EQ(0, pipe2(born, O_CLOEXEC));
	ATF_REQUIRE((p.control = p.exe = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1);
	ATF_REQUIRE((conf = nwconf_load(p.conf)) != NULL);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		(void)alarm(120);
		_exit(parent_main(&p, conf));
	}
	nwconf_free(conf);
	ATF_REQUIRE(is_born(30000));
	for (i = 0; i < 100 && !again; i++) {
		ATF_REQUIRE_EQ(0, kill(pid, SIGHUP));
		again = is_born(100);
	}
	ATF_CHECK(again);
	ATF_REQUIRE_EQ(0, kill(pid, SIGTERM));
	ATF_REQUIRE_EQ(pid, waitpid(pid, &i, 0));
	ATF_CHECK(WIFEXITED(i) && WEXITSTATUS(i) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, deaf);
	return (atf_no_error());
}
