/* SPDX-License-Identifier: ISC */
/* Who gets a place at the control sockets, and how a line falls into words. */
#include <atf-c.h>
#include <string.h>

#include "proc/control.h"

static void
empty(void)
{
	size_t i;

	memset(&ct, 0, sizeof(ct));
	for (i = 0; i < CLIENTS_MAX; i++)
		ct.c[i].fd = -1;
}

/* Takes places until there are none, at most max; how many. */
static unsigned
take(int ro, uid_t uid, unsigned max)
{
	struct client *c;
	unsigned n;

	for (n = 0; n < max && (c = client_place(ro, uid)) != NULL; n++) {
		ATF_REQUIRE(c >= ct.c && c < ct.c + CLIENTS_MAX);
		ATF_REQUIRE_EQ(-1, c->fd);
		c->fd = 3;
		c->ro = ro;
		c->uid = uid;
	}
	return (n);
}

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	unsigned n, i;

	(void)tc;
	/* One uid never takes all of the read-only places. */
	empty();
	n = take(1, 1000, CLIENTS_MAX);
	ATF_CHECK(n > 0 && n <= CLIENTS_UID);
	ATF_CHECK(client_place(1, 1000) == NULL);
	ATF_CHECK_EQ(1, take(1, 1001, 1));
	/* The other socket is for few and does not count by uid. */
	ATF_CHECK_EQ(CLIENTS_MAX - n - 1, take(0, 1000, CLIENTS_MAX));
	ATF_CHECK(client_place(0, 0) == NULL && client_place(1, 0) == NULL);
	/* Who goes makes room, for one. */
	for (i = 0; i < CLIENTS_MAX && (!ct.c[i].ro || ct.c[i].uid != 1000); i++)
		;
	ATF_REQUIRE(i < CLIENTS_MAX);
	ct.c[i].fd = -1;
	ATF_CHECK(client_place(1, 1000) == &ct.c[i]);
	ATF_CHECK_EQ(1, take(0, 0, CLIENTS_MAX));
}

ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	char line[] = " \tup  \"a b\"c\t\"\" \"open";
	char *p = line;
	int bad = 0;

	(void)tc;
	ATF_CHECK_STREQ("up", cmd_word(&p, &bad));
	ATF_CHECK_STREQ("a b", cmd_word(&p, &bad));
	ATF_CHECK_STREQ("c", cmd_word(&p, &bad));
	ATF_CHECK_STREQ("", cmd_word(&p, &bad));
	ATF_CHECK_EQ(0, bad);
	ATF_CHECK(cmd_word(&p, &bad) == NULL);
	ATF_CHECK_EQ(1, bad);
	p = line + strlen(line);
	bad = 0;
	ATF_CHECK(cmd_word(&p, &bad) == NULL);
	ATF_CHECK_EQ(0, bad);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
