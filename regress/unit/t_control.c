/* SPDX-License-Identifier: ISC */
/* The control process's clients: who gets a place, and for how long. */
#include <sys/socket.h>
#include <sys/un.h>

#include <atf-c.h>
#include <string.h>
#include <unistd.h>

#include "proc/control.h"

static struct child ch;

static void
begin(void)
{
	size_t i;

	ct.ch = &ch;
	ATF_REQUIRE((ch.loop = ev_loop_new(0)) != NULL);
	for (i = 0; i < CLIENTS_MAX; i++)
		ct.c[i].io.fd = -1;
}

static int
take(int ro, uid_t uid)
{
	struct client *c;

	if ((c = client_place(ro, uid)) == NULL)
		return (0);
	c->io.fd = 1000;
	c->ro = ro;
	c->uid = uid;
	return (1);
}

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	int i;

	(void)tc;
	begin();
	for (i = 0; i < CLIENTS_UID; i++)
		ATF_REQUIRE(take(1, 1000));
	ATF_CHECK(!take(1, 1000));
	for (; i < CLIENTS_RO; i++)
		ATF_REQUIRE(take(1, 1001));
	ATF_CHECK(!take(1, 1001));
	ATF_CHECK(!take(1, 1002));
	ATF_CHECK(!take(1, 0));
	/* However many unprivileged ones there are, root has room. */
	for (; i < CLIENTS_MAX; i++)
		ATF_CHECK(take(0, 0));
	ATF_CHECK(!take(0, 0));
}

/* The other end of an accepted connection. */
static int
visit(int lfd, const struct sockaddr_un *sun, int ro)
{
	int fd;

	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, connect(fd, (const struct sockaddr *)sun,
	    sizeof(*sun)));
	client_accept(lfd, ro);
	return (fd);
}

static int
at_end(int fd)
{
	char b[512];

	while (recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0)
		continue;
	return (recv(fd, b, sizeof(b), MSG_DONTWAIT) == 0);
}

ATF_TC_WITHOUT_HEAD(idle);
ATF_TC_BODY(idle, tc)
{
	struct sockaddr_un sun;
	int lfd, root, idler, user, i;

	(void)tc;
	begin();
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, "s", sizeof(sun.sun_path));
	ATF_REQUIRE((lfd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, bind(lfd, (struct sockaddr *)&sun, sizeof(sun)));
	ATF_REQUIRE_EQ(0, listen(lfd, 3));
	root = visit(lfd, &sun, 0);
	idler = visit(lfd, &sun, 1);
	user = visit(lfd, &sun, 1);
	ATF_CHECK(!ev_is_active(&ct.c[0].idle));
	ATF_CHECK(ev_timer_remaining(ch.loop, &ct.c[1].idle) >
	    CLIENT_IDLE - 5.);
	/* A minute in a tenth of a second. */
	ct.c[1].idle.repeat = ct.c[2].idle.repeat = .2;
	ev_timer_again(ch.loop, &ct.c[1].idle);
	ev_timer_again(ch.loop, &ct.c[2].idle);
	for (i = 0; i < 6; i++) {
		ATF_REQUIRE_EQ(1, write(user, "x", 1));
		ev_sleep(.05);
		ev_run(ch.loop, EVRUN_NOWAIT);
	}
	ATF_CHECK(at_end(idler));
	ATF_CHECK(!at_end(user));
	ATF_CHECK(!at_end(root));
	ev_sleep(.25);
	ev_run(ch.loop, EVRUN_NOWAIT);
	ATF_CHECK(at_end(user));
	ATF_CHECK(!at_end(root));
}

/* An agent that was taken over gets new connections as often as it says that it has lost
 * one: they are not all there are. */
ATF_TC_WITHOUT_HEAD(agents);
ATF_TC_BODY(agents, tc)
{
	char line[] = "role keepalive";
	size_t i, has = 0;

	(void)tc;
	begin();
	for (i = 0; i < CLIENTS_MAX - 1; i++) {
		ATF_REQUIRE(take(0, 0));
		lineio_open(&ct.c[i].io, ch.loop, socket(AF_UNIX, SOCK_STREAM, 0), NULL);
		cmd_line(&ct.c[i], (char[]){ "role keepalive" });
		has += ct.c[i].keepalive != 0;
	}
	ATF_CHECK_EQ(CLIENTS_KEEPALIVE, has);
	/* one that has it may say so again, and one that goes makes room */
	ATF_REQUIRE(ct.c[0].keepalive);
	cmd_line(&ct.c[0], line);
	ATF_CHECK(ct.c[0].keepalive);
	client_drop(&ct.c[0]);
	ATF_CHECK_EQ(CLIENTS_KEEPALIVE - 1, report_connected());
	cmd_line(&ct.c[CLIENTS_MAX - 2], (char[]){ "role keepalive" });
	ATF_CHECK(ct.c[CLIENTS_MAX - 2].keepalive);
}

/* How a line falls into words. */
ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	char line[] = " \tup  \"a b\"c\t\"\" \"open";
	char *p = line;
	int bad = 0;

	(void)tc;
	ATF_CHECK_STREQ("up", lineio_word(&p, &bad));
	ATF_CHECK_STREQ("a b", lineio_word(&p, &bad));
	ATF_CHECK_STREQ("c", lineio_word(&p, &bad));
	ATF_CHECK_STREQ("", lineio_word(&p, &bad));
	ATF_CHECK_EQ(0, bad);
	ATF_CHECK(lineio_word(&p, &bad) == NULL);
	ATF_CHECK_EQ(1, bad);
	p = line + strlen(line);
	bad = 0;
	ATF_CHECK(lineio_word(&p, &bad) == NULL);
	ATF_CHECK_EQ(0, bad);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, agents);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
