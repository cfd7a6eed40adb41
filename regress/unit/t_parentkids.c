/* SPDX-License-Identifier: ISC */
/* The parent's children as they may be: what they leave behind, and when they end. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/parent_kids.h"
#include "proc/plog.h"

#define CONF	"iked.conf"

static struct conf_errors	 errs;
static struct parent_opts	 opts = { .conf = CONF, .front = 1 };
static int			 theirs[ROLE_MAX];	/* a child's end */
static unsigned int		 spawned;

/* In place of parent_spawn.c's: a process that does nothing, and the test speaks for it. */
pid_t
parent_spawn(enum role role, int self, int front, int *fd)
{
	int	 sv[2];
	pid_t	 pid;

	(void)self;
	(void)front;
	spawned++;
	ATF_REQUIRE_EQ(0, chan_pair(sv));
	if ((pid = fork()) == 0) {
		(void)alarm(120);	/* if the test ends before */
		for (;;)
			pause();
	}
	ATF_REQUIRE(pid != -1);
	if (theirs[role] > 0)
		close(theirs[role]);
	theirs[role] = sv[1];
	*fd = sv[0];
	return (pid);
}

static struct conf *
parse(const char *text)
{
	FILE		*f;
	struct conf	*c;

	ATF_REQUIRE((f = fopen(CONF, "w")) != NULL);
	(void)fputs(text, f);
	(void)fclose(f);
	ATF_REQUIRE_EQ(0, chmod(CONF, 0600));
	c = parent_conf_read(&opts, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s", errs.e[0].text);
	return (c);
}

static void
begin(void)
{
	size_t	 i;

	memset(&pa, 0, sizeof(pa));
	pa.o = &opts;
	pa.notify = -1;
	pa.was_up = 1;
	ATF_REQUIRE((pa.loop = ev_loop_new(0)) != NULL);
	ATF_REQUIRE((pa.sock.state = open("state", O_RDWR | O_CREAT, 0600)) != -1);
	pa.sock.listen[0] = pa.sock.listen[1] = -1;
	for (i = 0; i < ROLE_MAX; i++) {
		pa.kid[i].role = (enum role)i;
		pa.kid[i].user.uid = pa.kid[i].user.gid = 77;
	}
	kids_init();
	parent_names_init();
}

static void
say(enum role r, uint16_t type, int fd)
{
	struct msg	 m;

	msg_start(&m, type);
	m.fd = fd;
	ATF_REQUIRE_EQ(0, chan_send(theirs[r], &m));
}

static void
turn(void)
{
	ev_run(pa.loop, EVRUN_NOWAIT);
}

/* It is dead, and nobody knows yet.  It has read what it was told before. */
static void
murder(enum role r)
{
	siginfo_t	 si;
	char		 c;

	while (recv(theirs[r], &c, 1, MSG_DONTWAIT) > 0)
		;

	if (pa.kid[r].pid <= 0)
		return;		/* buried already */
	ATF_REQUIRE_EQ(0, kill(pa.kid[r].pid, SIGKILL));
	ATF_REQUIRE_EQ(0, waitid(P_PID, (id_t)pa.kid[r].pid, &si, WEXITED | WNOWAIT));
	close(theirs[r]);
	theirs[r] = -1;
}

static void
end(void)
{
	size_t	 i;

	for (i = 0; i < ROLE_MAX; i++)
		if (pa.kid[i].pid > 0)
			(void)kill(pa.kid[i].pid, SIGKILL);
}

/* One that dies right behind its first word is not ready in its next life, which would
 * make that one's first word nonsense. */
ATF_TC_WITHOUT_HEAD(last_word);
ATF_TC_BODY(last_word, tc)
{
	size_t	 i;
	int	 n;

	begin();
	pa.conf = parse("ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 "
	    "psk \"twenty characters at least\"\n");
	kids_start();
	ATF_REQUIRE_EQ(NROLES, spawned);
	for (i = 0; i < NROLES; i++)
		say(roles[i], M_READY, -1);
	for (i = 0; i < NROLES; i++)
		murder(roles[i]);
	for (n = 0; n < 100 && kids_left() > 0; n++)
		turn();
	ATF_REQUIRE_EQ(0, kids_left());
	for (n = 0; n < 500 && spawned < 2 * NROLES; n++) {
		(void)usleep(10000);
		turn();
	}
	ATF_REQUIRE_EQ(2 * NROLES, spawned);
	for (i = 0; i < NROLES; i++)
		say(roles[i], M_READY, -1);
	for (n = 0; n < 20; n++)
		turn();
	for (i = 0; i < NROLES; i++)
		ATF_CHECK(pa.kid[roles[i]].ready && chan_isopen(pa.kid[roles[i]].chan));
	ATF_CHECK_EQ(PH_KEYS, pa.phase);
	end();
}

/* A names process, of a list of its own. */
static void
names_live(unsigned int i)
{
	char	 text[160];

	(void)snprintf(text, sizeof(text), "ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 "
	    "peer gw%u.example psk \"twenty characters at least\"\n", i);
	conf_free(pa.last);
	pa.last = parse(text);
	spawned = 0;
	parent_names_list();
	ATF_REQUIRE_EQ(1, spawned);
	turn();
}

static void
names_die(void)
{
	int	 n;

	murder(ROLE_NAMES);
	for (n = 0; n < 500 && pa.kid[ROLE_NAMES].pid != 0; n++) {
		(void)usleep(1000);
		turn();
	}
	ATF_REQUIRE_EQ(0, pa.kid[ROLE_NAMES].pid);
}

/* The parent keeps no descriptor that the names process gives it: in the end there would
 * be no room for a child's. */
ATF_TC_WITHOUT_HEAD(gift);
ATF_TC_BODY(gift, tc)
{
	static const uint16_t types[] = { M_READY, M_NAME_ANS, M_LOG, M_RELOAD };
	char	 c;
	size_t	 i;
	int	 p[2], n;

	begin();
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		names_live((unsigned int)i);
		ATF_REQUIRE_EQ(0, pipe2(p, O_NONBLOCK));
		say(ROLE_NAMES, types[i], p[1]);
		for (n = 0; n < 20; n++)
			turn();
		ATF_CHECK(!chan_isopen(pa.kid[ROLE_NAMES].chan));
		ATF_CHECK_EQ_MSG(0, read(p[0], &c, 1), "type %u: it is still open", types[i]);
		close(p[0]);
		names_die();
	}
}

/* A new list while the last words of one are read: no other may begin meanwhile, whose
 * words would never end. */
static int	 heard;

static void
on_word(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	if (pa.kid[ROLE_NAMES].pid != 0)
		return;
	heard++;
	ev_prepare_stop(pa.loop, w);
	conf_free(pa.last);
	pa.last = parse("ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 peer other.example "
	    "psk \"twenty characters at least\"\n");
	parent_names_list();
}

ATF_TC_WITHOUT_HEAD(one_at_a_time);
ATF_TC_BODY(one_at_a_time, tc)
{
	ev_prepare	 w;
	int		 n;

	begin();
	names_live(0);
	ev_prepare_init(&w, on_word);
	ev_prepare_start(pa.loop, &w);
	say(ROLE_NAMES, M_READY, -1);
	murder(ROLE_NAMES);
	(void)alarm(10);
	for (n = 0; n < 500 && spawned < 2; n++) {
		(void)usleep(10000);
		turn();
	}
	(void)alarm(0);
	ATF_CHECK_EQ(1, heard);
	ATF_CHECK_EQ(2, spawned);
	ATF_CHECK(chan_isopen(pa.kid[ROLE_NAMES].chan));
	end();
}

/* One that was taken over gives its side of the channel to somebody who lives on: the
 * parent does not wait for him. */
ATF_TC_WITHOUT_HEAD(heir);
ATF_TC_BODY(heir, tc)
{
	size_t	 i;
	int	 n, heir;

	begin();
	(void)alarm(30);
	names_live(0);
	ATF_REQUIRE((heir = dup(theirs[ROLE_NAMES])) != -1);
	names_die();
	ATF_CHECK(pa.kid[ROLE_NAMES].chan == NULL);
	close(heir);
	parent_names_stop();
	spawned = 0;
	pa.conf = parse("ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 "
	    "psk \"twenty characters at least\"\n");
	kids_start();
	ATF_REQUIRE((heir = dup(theirs[ROLE_CONTROL])) != -1);
	for (i = 0; i < NROLES; i++)
		murder(roles[i]);
	for (n = 0; n < 500 && spawned < 2 * NROLES; n++) {
		(void)usleep(10000);
		turn();
	}
	(void)alarm(0);
	ATF_CHECK_EQ(2 * NROLES, spawned);
	close(heir);
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, heir);
	ATF_TP_ADD_TC(tp, last_word);
	ATF_TP_ADD_TC(tp, gift);
	ATF_TP_ADD_TC(tp, one_at_a_time);
	return (atf_no_error());
}
