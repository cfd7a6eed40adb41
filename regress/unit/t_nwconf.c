/* SPDX-License-Identifier: ISC */
/* iked.conf as netwatchd reads it: what the parser takes can be watched. */

#include <sys/stat.h>

#include <atf-c.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "keepalive/parent.h"
#include "keepalive/watch.h"

#define TEXT	"ikev2 \"boise\" from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 " \
		"psk \"twenty characters at least\" keepalive interval "

static void	emit(void *, enum log_level, const char *);

static const struct logger quiet = { emit, NULL, 1 };

static void
emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	return (4);
}

static int
probe(void *arg, const struct addr *src, const struct addr *dst,
    const struct probe *p)
{
	(void)arg;
	(void)src;
	(void)dst;
	(void)p;
	return (0);
}

/* The shortest interval of iked.conf is one that netwatchd takes. */
ATF_TC_WITHOUT_HEAD(shortest_interval);
ATF_TC_BODY(shortest_interval, tc)
{
	static const struct watch_io io = { NULL, probe, random32, &quiet, NULL };
	static struct conf_errors errs;
	monotime now = { 1000000 };
	struct watch_conf wc;
	struct conf *c = NULL;
	struct watch *w;
	const char *why;
	char text[256];
	unsigned int ms;

	for (ms = 1; ms <= 1000 && c == NULL; ms++) {
		(void)snprintf(text, sizeof(text), TEXT "%ums", ms);
		c = conf_parse("t", text, strlen(text), NULL, 0, &errs);
	}
	ATF_REQUIRE(c != NULL);
	ATF_REQUIRE((w = watch_new(&io)) != NULL);
	watch_conf_begin(w);
	ATF_REQUIRE_EQ(0, watch_conf_from(&c->tunnels[0], &wc, &why));
	ATF_CHECK_EQ_MSG(0, watch_conf_add(w, &wc), "%u ms",
	    wc.interval_ms);
	watch_conf_commit(w, now);
	watch_free(w);
	conf_free(c);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ATF_REQUIRE(f != NULL && fputs(text, f) != EOF && fclose(f) == 0);
	ATF_REQUIRE_EQ(0, chmod(path, 0600));
}

/* What is no file is refused at once: nobody writes into the other end of a fifo. */
ATF_TC_WITHOUT_HEAD(no_file);
ATF_TC_BODY(no_file, tc)
{
	struct nw_conf *nc;

	ATF_REQUIRE_EQ(0, mkfifo("fifo", 0600));
	(void)alarm(10);
	ATF_CHECK(nwconf_load("fifo") == NULL);
	write_file("conf", "include \"fifo\"\n");
	ATF_CHECK(nwconf_load("conf") == NULL);
	ATF_CHECK(nwconf_load(".") == NULL);
	write_file("conf", TEXT "1s\n");
	ATF_REQUIRE((nc = nwconf_load("conf")) != NULL);
	ATF_CHECK_EQ(1, nc->n);
	nwconf_free(nc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, shortest_interval);
	ATF_TP_ADD_TC(tp, no_file);
	return (atf_no_error());
}
