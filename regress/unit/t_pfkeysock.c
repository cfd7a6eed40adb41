/* SPDX-License-Identifier: ISC */
/* The PF_KEY back end with a socket that the test answers. */
#include <sys/types.h>
#include <sys/socket.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/pfkey_sock.h"

static int	 kernel[2] = { -1, -1 };	/* its ends: of requests, of events */
static size_t	 nsocks;
static unsigned	 policies, ends;
static int	 error;

static void
say(int fd, uint8_t type, uint32_t seq, int whole)
{
	struct pfkey_msg m;
	uint8_t buf[1024];
	struct wbuf w;

	pfkey_req_plain(&m, type);
	m.pid = (uint32_t)getpid();
	m.seq = seq;
	wbuf_init(&w, buf, sizeof(buf));
	ATF_REQUIRE_EQ(0, pfkey_encode(pfkey_native(), &m, &w));
	if (!whole) {		/* an extension without a length */
		wbuf_zero(&w, 8);
		wbuf_patch_h16(&w, 4, (uint16_t)(w.len / 8));
	}
	ATF_REQUIRE_EQ((ssize_t)w.len, send(fd, buf, w.len, 0));
}

/* In place of a platform's. */
const struct pfkey_dialect *
pfkey_native(void)
{
	return (&pfkey_linux);
}

int
pfkey_sock_open(const char **err)
{
	int sv[2];

	(void)err;
	ATF_REQUIRE(nsocks < 2);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	ATF_REQUIRE_EQ(0, fcntl(sv[0], F_SETFL, O_NONBLOCK));
	if (nsocks == 1)
		say(sv[1], PFM_REGISTER, 1, 1);
	kernel[nsocks++] = sv[1];
	return (sv[0]);
}

static void
dumped(void *arg, int err, const struct kern_policy *p)
{
	(void)arg;
	if (p != NULL) {
		policies++;
		return;
	}
	ends++;
	error = err;
}

/* The dump is over with its last message, whatever is in it: nobody waits for more. */
ATF_TC_WITHOUT_HEAD(last);
ATF_TC_BODY(last, tc)
{
	struct kern_cb cb = { NULL, NULL };
	struct logger log;
	const char *err = NULL;
	struct kern *k;
	monotime now = { 1000000 };

	memset(&log, 0, sizeof(log));
	ATF_REQUIRE_MSG((k = kern_open(KERN_PFKEY, &cb, &log, &err)) != NULL, "%s",
	    err != NULL ? err : strerror(errno));
	ATF_REQUIRE_EQ(0, kern_policy_dump(k, now, dumped, NULL));
	say(kernel[0], PFM_SPDDUMP, 2, 0);
	say(kernel[0], PFM_DUMP, 0, 0);		/* not the one that was asked for */
	kern_input(k, now);
	ATF_CHECK_EQ(0, ends);
	say(kernel[0], PFM_SPDDUMP, 0, 0);
	kern_input(k, now);
	ATF_CHECK_EQ(1, ends);
	ATF_CHECK_EQ(0, error);
	ATF_CHECK_EQ(0, policies);
	kern_close(k);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, last);
	return (atf_no_error());
}
