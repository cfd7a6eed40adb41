/* SPDX-License-Identifier: ISC */
/* iked.conf as netwatchd reads it: what the parser takes can be watched. */

#include <sys/stat.h>

#include <atf-c.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "keepalive/parent.h"
#include "keepalive/nwmsg.h"
#include "keepalive/watch_local.h"

#define TEXT	"ikev2 \"boise\" from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 " \
		"psk \"twenty characters at least\" keepalive interval "

static void	emit(void *, enum log_level, const char *);

static const struct logger quiet = { emit, NULL, 1, NULL };

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
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	(void)src;
	(void)dst;
	(void)p;
	return (0);
}

/* The shortest interval of iked.conf is one that netwatchd takes. */
ATF_TC_WITHOUT_HEAD(shortest_interval);
ATF_TC_BODY(shortest_interval, tc)
{
	static const struct watch_io io = { NULL, probe, random32, &quiet, NULL, NULL };
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
	watch_conf_clear(&wc);
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

/* Tunnels and `watch' entries as they go to the probe process; equal options are one. */
ATF_TC_WITHOUT_HEAD(messages);
ATF_TC_BODY(messages, tc)
{
	static uint8_t buf[16384];
	struct conf_keepalive *shared[6];
	struct conf_kashare s;
	struct watch_conf wc;
	struct nw_conf *nc;
	struct wbuf w;
	struct rbuf r;
	size_t i, len;

	write_file("conf", TEXT "5s target 10.2.0.7, 10.2.0.8 quorum 2\n"
	    "ikev2 \"two\" proto { tcp, icmp } from { 10.1.0.0/24, 10.9.0.0/24 } "
	    "to { 10.3.0.0/24, 10.5.0.3 } peer 192.0.2.2 psk \"twenty characters at "
	    "least\" keepalive\n"
	    "ikev2 \"none\" from 10.1.0.0/24 to 10.6.0.0/24 peer 192.0.2.2 psk "
	    "\"twenty characters at least\"\n"
	    "ikev2 \"three\" from 10.1.0.0/24 to 10.4.0.0/31 peer 192.0.2.2 psk "
	    "\"twenty characters at least\" keepalive\n"
	    "watch \"w\" 192.0.2.1, 192.0.2.3 source 192.0.2.2\n"
	    "watch \"dns\" 2001:db8::53 probe dns example.net\n"
	    "watch \"w2\" 192.0.2.4\n");
	ATF_REQUIRE((nc = nwconf_load("conf")) != NULL);
	ATF_REQUIRE_EQ(6, nc->n);
	ATF_CHECK_EQ(1, nc->targets[0].nmore);
	ATF_CHECK_EQ(2, nc->targets[0].ka->quorum);
	/* the single host, and each network once */
	ATF_CHECK_EQ(3, nc->targets[1].target.b[3]);
	ATF_CHECK_EQ(5, nc->targets[1].target.b[1]);
	ATF_CHECK_EQ(2, nc->targets[1].nfrom);
	ATF_CHECK_EQ(2, nc->targets[1].nto);
	ATF_CHECK_EQ(0, nc->targets[2].target.b[3]);
	ATF_CHECK_EQ(0, nc->targets[3].nfrom + nc->targets[3].nto);
	memset(&s, 0, sizeof(s));
	for (i = 0; i < nc->n; i++) {
		wbuf_init(&w, buf, sizeof(buf));
		nwmsg_put_target(&w, &nc->targets[i]);
		ATF_REQUIRE(wbuf_ok(&w));
		len = w.len;
		while (w.len-- > 0) {
			rbuf_init(&r, buf, w.len);
			ATF_CHECK_EQ(-1, nwmsg_get_target(&r, &wc, &s));
		}
		rbuf_init(&r, buf, len);
		ATF_REQUIRE_EQ(0, nwmsg_get_target(&r, &wc, &s));
		ATF_CHECK(watch_conf_valid(&wc));
		ATF_CHECK(watch_conf_equal(&wc, &nc->targets[i]));
		ATF_CHECK_STREQ(nc->targets[i].name, wc.name);
		shared[i] = wc.ka;
		watch_conf_clear(&wc);
	}
	ATF_CHECK(shared[1] == shared[2] && shared[0] != shared[1]);
	ATF_CHECK(shared[3] == shared[5] && shared[3] != shared[4]);
	conf_kashare_clear(&s);
	nwconf_free(nc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, shortest_interval);
	ATF_TP_ADD_TC(tp, no_file);
	ATF_TP_ADD_TC(tp, messages);
	return (atf_no_error());
}
