/* SPDX-License-Identifier: ISC */
/*
 * Probes by TCP, UDP, DNS and HTTP over this machine's loopback, to small servers in
 * this very process: where they come from, and what is made of what they get.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keepalive/conn.h"

static struct ev_loop	*loop;
static struct conn_table *table;
static struct conf_keepalive *ka;
static struct addr	 here, src;
static unsigned int	 nreplies, nfailed;
static uint32_t		 last_seq;
static char		 text[128];
static int		 server = -1;

static void
reply(void *arg, const struct addr *from, const struct probe *p, monotime at)
{
	(void)arg;
	(void)at;
	ATF_CHECK_EQ(0, addr_cmp(from, &here));
	nreplies++;
	last_seq = p->seq;
}

static void
failed(void *arg, const struct probe *p, const char *s, monotime at)
{
	(void)arg;
	(void)at;
	nfailed++;
	last_seq = p->seq;
	(void)snprintf(text, sizeof(text), "%s", s != NULL ? s : "nothing");
}

static void
settle(void *arg)
{
	(void)arg;
}

static const struct conn_ops ops = { reply, failed, settle };

static void
begin(uint8_t kind)
{
	ATF_REQUIRE_EQ(0, addr_parse(&here, "127.0.0.1"));
	ATF_REQUIRE_EQ(0, addr_parse(&src, "127.0.0.2"));
	ATF_REQUIRE((loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)) != NULL);
	ATF_REQUIRE((table = conn_new(loop, &ops, NULL)) != NULL);
	ATF_REQUIRE((ka = conf_keepalive_new()) != NULL);
	ka->kind = kind;
	ka->timeout_ms = 5000;
	if (kind == KA_DNS)
		ka->qtype = KA_DNS_A;
	if (kind == KA_HTTP) {
		ka->statuslo = CONF_STATUSLO;
		ka->statushi = CONF_STATUSHI;
	}
	if (kind >= KA_DNS)
		ATF_REQUIRE_EQ(0, conf_keepalive_str(ka, KA_ARG,
		    kind == KA_DNS ? "example.net" : "/health"));
}

static void
end(void)
{
	ATF_CHECK_EQ(0, conn_count(table));
	conn_free(table);
	ATF_CHECK_EQ(1, ka->refs);
	conf_keepalive_unref(ka);
	ev_loop_destroy(loop);
	if (server != -1)
		(void)close(server);
}

/* A server on a port of its own; without one that port is closed. */
static void
serve(int stays)
{
	struct endpoint e = { .addr = here };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&e, &ss);
	int stream = ka->kind == KA_TCP || ka->kind == KA_HTTP;

	server = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) |
	    SOCK_CLOEXEC, 0);
	ATF_REQUIRE(server != -1);
	ATF_REQUIRE_EQ(0, bind(server, (struct sockaddr *)&ss, len));
	len = sizeof(ss);
	ATF_REQUIRE_EQ(0, getsockname(server, (struct sockaddr *)&ss, &len));
	ATF_REQUIRE_EQ(0, addr_from_sockaddr(&e, (struct sockaddr *)&ss, len));
	ka->port = e.port;
	if (stream)
		ATF_REQUIRE_EQ(0, listen(server, 300));
	if (!stays) {
		(void)close(server);
		server = -1;
	}
}

static void
go(uint32_t seq)
{
	struct probe p = { .slot = 1, .id = 2, .seq = seq };

	ATF_REQUIRE_EQ(0, conn_probe(table, ka, &src, &here, &p));
	ATF_CHECK_EQ(0, nreplies + nfailed);	/* never at once */
}

/* Until it has ended. */
static void
finish(uint32_t seq)
{
	while (conn_count(table) > 0)
		(void)ev_run(loop, EVRUN_ONCE);
	ATF_CHECK_EQ(1, nreplies + nfailed);
	ATF_CHECK_EQ(seq, last_seq);
}

/* The source of who is there. */
static void
from_src(const struct sockaddr_storage *ss, socklen_t len)
{
	struct endpoint e;

	ATF_REQUIRE_EQ(0, addr_from_sockaddr(&e, (const struct sockaddr *)ss, len));
	ATF_CHECK_EQ(0, addr_cmp(&e.addr, &src));
}

/* One datagram is taken, and each of answers sent back; first 2 octets: its own. */
static void
answer_datagram(const char *const *answers, const size_t *lens, int keep_id)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[512], out[512];
	size_t i;

	ATF_REQUIRE(recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&ss,
	    &len) >= 0);
	from_src(&ss, len);
	for (i = 0; answers[i] != NULL; i++) {
		memcpy(out, answers[i], lens[i]);
		if (keep_id)
			memcpy(out, buf, 2);
		ATF_REQUIRE(sendto(server, out, lens[i], 0, (struct sockaddr *)&ss,
		    len) == (ssize_t)lens[i]);
	}
}

static void
expect(int good, const char *why)
{
	ATF_CHECK_EQ_MSG(good, nreplies == 1, "%s", text);
	if (!good)
		ATF_CHECK_STREQ(why, text);
	nreplies = nfailed = 0;
	text[0] = '\0';
	if (server != -1)
		(void)close(server);
	server = -1;
}

ATF_TC_WITHOUT_HEAD(tcp);
ATF_TC_BODY(tcp, tc)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	begin(KA_TCP);
	serve(1);
	go(7);
	finish(7);
	ATF_REQUIRE((fd = accept(server, (struct sockaddr *)&ss, &len)) != -1);
	from_src(&ss, len);
	/* nothing was said, and it is over */
	ATF_CHECK_EQ(0, read(fd, &ss, sizeof(ss)));
	(void)close(fd);
	expect(1, NULL);
	serve(0);
	go(8);
	finish(8);
	expect(0, "connection refused");
	end();
}

ATF_TC_WITHOUT_HEAD(udp);
ATF_TC_BODY(udp, tc)
{
	static const char *const one[] = { "x", NULL };
	static const size_t lens[] = { 1 };

	begin(KA_UDP);
	serve(1);
	go(1);
	answer_datagram(one, lens, 0);
	finish(1);
	expect(1, NULL);
	/* a host that refuses it lives */
	serve(0);
	go(2);
	finish(2);
	expect(1, NULL);
	serve(1);
	ka->timeout_ms = 50;
	go(3);
	finish(3);
	expect(0, "nothing");
	end();
}

#define QUESTION	"\0\1\0\0\0\0\0\0\7example\3net\0\0\1\0\1"

ATF_TC_WITHOUT_HEAD(dns);
ATF_TC_BODY(dns, tc)
{
	static const char *const good[] = { "..\x81\x83" QUESTION, NULL };
	static const char *const both[] = { "..\x01\x00" QUESTION,
	    "..\x81\x80" QUESTION, NULL };
	static const char *const bad[] = { "..\x81\x80" QUESTION "x", NULL };
	static const size_t n = 4 + sizeof(QUESTION) - 1;
	const size_t lens[] = { n, n }, longer[] = { n + 1 };

	begin(KA_DNS);
	serve(1);
	go(1);
	answer_datagram(good, lens, 1);
	finish(1);
	expect(1, NULL);
	/* what is no answer does no harm */
	serve(1);
	go(2);
	answer_datagram(both, lens, 1);
	finish(2);
	expect(1, NULL);
	serve(0);
	go(3);
	finish(3);
	expect(0, "nobody serves its port");
	ka->timeout_ms = 50;
	serve(1);
	go(4);
	answer_datagram(bad, longer, 1);
	finish(4);
	expect(0, "what it answers is not DNS, or to another question");
	/* the id of another question: the chance of ".." is 1 in 65536 */
	serve(1);
	go(5);
	answer_datagram(good, lens, 0);
	finish(5);
	expect(0, "what it answers is not DNS, or to another question");
	serve(1);
	go(6);
	finish(6);
	expect(0, "nothing");
	end();
}

static void
http_case(const char *answer, int good, const char *why)
{
	static uint32_t seq;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[1024];
	ssize_t n;
	int fd;

	serve(1);
	go(++seq);
	ATF_REQUIRE((fd = accept(server, (struct sockaddr *)&ss, &len)) != -1);
	from_src(&ss, len);
	/* the request goes out when the loop sees that the connection stands */
	(void)ev_run(loop, EVRUN_ONCE);
	ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) > 0);
	buf[n] = '\0';
	ATF_CHECK(strncmp(buf, "GET /health HTTP/1.1\r\nHost: 127.0.0.1", 37) == 0);
	ATF_REQUIRE(write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer));
	(void)close(fd);
	finish(seq);
	expect(good, why);
}

ATF_TC_WITHOUT_HEAD(http);
ATF_TC_BODY(http, tc)
{
	begin(KA_HTTP);
	http_case("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello", 1, NULL);
	http_case("HTTP/1.1 503 Busy\r\n\r\n", 0, "the status of its answer is 503");
	http_case("HTTP/1.1 302 Moved\r\n\r\n", 0, "the status of its answer is 302");
	ka->statushi = 399;
	http_case("HTTP/1.1 302 Moved\r\n\r\n", 1, NULL);
	http_case("SSH-2.0-x\r\n", 0, "its answer is not HTTP");
	http_case("HTTP/1.1 200 OK\r\nServer: x\r\n", 0,
	    "it closed before its answer was whole");
	serve(0);
	go(99);
	finish(99);
	expect(0, "connection refused");
	end();
}

/* The table is full: later; and nothing leaves with another source. */
ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	struct probe p = { .slot = 1 };
	struct addr six;
	unsigned int i;

	begin(KA_UDP);
	serve(1);
	ATF_REQUIRE_EQ(0, addr_parse(&six, "::1"));
	ATF_CHECK_EQ(EINVAL, conn_probe(table, ka, &six, &here, &p));
	src.b[0] = 192;
	ATF_CHECK_EQ(EADDRNOTAVAIL, conn_probe(table, ka, &src, &here, &p));
	src.b[0] = 127;
	ATF_CHECK_EQ(0, conn_count(table));
	for (i = 0; i < CONN_MAX; i++)
		ATF_REQUIRE_EQ(0, conn_probe(table, ka, &src, &here, &p));
	ATF_CHECK_EQ(CONN_MAX, conn_count(table));
	ATF_CHECK_EQ(EAGAIN, conn_probe(table, ka, &src, &here, &p));
	ATF_CHECK_EQ(CONN_MAX + 1, ka->refs);
	/* and by route */
	src.fam = ADDR_NONE;
	ATF_CHECK_EQ(EAGAIN, conn_probe(table, ka, &src, &here, &p));
	conn_free(table);
	ATF_REQUIRE((table = conn_new(loop, &ops, NULL)) != NULL);
	ATF_CHECK_EQ(0, conn_probe(table, ka, &src, &here, &p));
	conn_free(table);
	ATF_CHECK_EQ(1, ka->refs);
	conf_keepalive_unref(ka);
	ev_loop_destroy(loop);
	(void)close(server);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tcp);
	ATF_TP_ADD_TC(tp, udp);
	ATF_TP_ADD_TC(tp, dns);
	ATF_TP_ADD_TC(tp, http);
	ATF_TP_ADD_TC(tp, bounds);
	return (atf_no_error());
}
