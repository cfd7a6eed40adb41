/* SPDX-License-Identifier: ISC */
/* What DNS and HTTP servers may answer: taken when it is an answer, and nothing else. */

#include <atf-c.h>

#include <stdio.h>
#include <string.h>

#include "conf/conf_keepalive.h"
#include "keepalive/dns.h"
#include "keepalive/http.h"

/* www.example.net A, id 0x1234, with an answer by pointer and an OPT record */
static const uint8_t answer[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\1"
    "\3WWW\7example\3net\0\0\1\0\1"
    "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"
    "\0\0\x29\4\xd0\0\0\0\0\0\0";
#define ALEN	(sizeof(answer) - 1)

static int
is_answer(const uint8_t *p, size_t len)
{
	return (dns_answers(p, len, 0x1234, "www.example.net", KA_DNS_A));
}

ATF_TC_WITHOUT_HEAD(dns_query);
ATF_TC_BODY(dns_query, tc)
{
	static const uint8_t want[] = "\xbe\xef\1\0\0\1\0\0\0\0\0\0"
	    "\3www\7example\3net\0\0\x1c\0\1";
	char name[256];
	uint8_t buf[DNS_QUERYMAX];
	struct wbuf w;
	int i;

	wbuf_init(&w, buf, sizeof(buf));
	dns_build(&w, 0xbeef, "www.example.net.", KA_DNS_AAAA);
	ATF_REQUIRE(wbuf_ok(&w));
	ATF_REQUIRE_EQ(sizeof(want) - 1, w.len);
	ATF_CHECK_EQ(0, memcmp(buf, want, w.len));
	wbuf_init(&w, buf, sizeof(buf));
	dns_build(&w, 1, ".", KA_DNS_NS);
	ATF_REQUIRE(wbuf_ok(&w));
	ATF_CHECK_EQ(12 + 1 + 4, w.len);
	/* the longest name that the configuration takes */
	for (i = 0; i < 253; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[253] = '\0';
	ATF_REQUIRE(conf_dnsname_ok(name));
	wbuf_init(&w, buf, sizeof(buf));
	dns_build(&w, 1, name, KA_DNS_NS);
	ATF_CHECK(wbuf_ok(&w));
	/* and none that it does not */
	name[63] = 'a';
	ATF_CHECK(!conf_dnsname_ok(name));
	wbuf_init(&w, buf, sizeof(buf));
	dns_build(&w, 1, name, KA_DNS_NS);
	ATF_CHECK(!wbuf_ok(&w));
}

ATF_TC_WITHOUT_HEAD(dns_answer);
ATF_TC_BODY(dns_answer, tc)
{
	static const struct { size_t off; uint8_t v; const char *what; } bad[] = {
		{ 0, 0x13, "id" }, { 2, 0x01, "a question" }, { 2, 0x89, "opcode" },
		{ 5, 2, "two questions" }, { 5, 0, "no question" },
		{ 7, 2, "a record more" }, { 7, 0, "a record less" },
		{ 13, 'X', "another name" }, { 12, 4, "other labels" },
		{ 30, 28, "another type" }, { 32, 3, "another class" },
		{ 34, 0x21, "a pointer forwards" }, { 34, 0, "into the header" },
		{ 44, 5, "too much data" }, { 49, 7, "not the root" },
	};
	uint8_t buf[ALEN + 1];
	size_t i;

	ATF_CHECK(is_answer(answer, ALEN));
	for (i = 0; i < ALEN; i++)
		ATF_CHECK_EQ_MSG(0, is_answer(answer, i), "%zu octets", i);
	memcpy(buf, answer, ALEN);
	buf[ALEN] = 0;
	ATF_CHECK_EQ_MSG(0, is_answer(buf, ALEN + 1), "an octet more");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(buf, answer, ALEN);
		ATF_REQUIRE(buf[bad[i].off] != bad[i].v);
		buf[bad[i].off] = bad[i].v;
		ATF_CHECK_EQ_MSG(0, is_answer(buf, ALEN), "%s", bad[i].what);
	}
	/* no such name, and refused: answers they are */
	memcpy(buf, answer, ALEN);
	buf[3] = 0x83;
	ATF_CHECK(is_answer(buf, ALEN));
	/* truncated: the question is enough, but it has to be there */
	buf[2] |= 2;
	ATF_CHECK(is_answer(buf, 33));
	ATF_CHECK(!is_answer(buf, 32));
}

/* In pieces of n octets: what http_feed says, and how many octets it took. */
static int
feed(const char *s, size_t len, size_t n, unsigned int *status)
{
	struct http_reader h;
	const char *why = "nothing";
	size_t k;
	int rv = 0;

	memset(&h, 0, sizeof(h));
	for (; rv == 0 && len > 0; s += k, len -= k) {
		k = n < len ? n : len;
		rv = http_feed(&h, s, k, &why);
	}
	*status = h.status;
	return (rv);
}

ATF_TC_WITHOUT_HEAD(http_answer);
ATF_TC_BODY(http_answer, tc)
{
	static const struct { const char *s; int rv; unsigned int status; } rows[] = {
		{ "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 1, 200 },
		{ "HTTP/1.0 404\r\n\r\n", 1, 404 },
		{ "HTTP/1.1 204 \r\n\r\n", 1, 204 },
		{ "HTTP/1.1 503 Busy\nServer: x\n\n", 1, 503 },
		{ "HTTP/1.1 200 OK\r\nA: b\r\n more\r\n\r\n", 1, 200 },
		{ "HTTP/1.1 200 OK\r\nA: \x80\xff\r\n\r\n", 1, 200 },
		{ "HTTP/1.1 200 OK\r\nA: b\r\n", 0, 200 },
		{ "HTTP/1.1 2", 0, 2 },
		{ "", 0, 0 },
		{ "HTTP/1.1 2000 OK\r\n\r\n", -1, 200 },
		{ "HTTP/1.1 099 OK\r\n\r\n", -1, 99 },
		{ "HTTP/1.1 600 OK\r\n\r\n", -1, 600 },
		{ "HTTP/2 200\r\n\r\n", -1, 0 },
		{ "http/1.1 200 OK\r\n\r\n", -1, 0 },
		{ "SSH-2.0-OpenSSH\r\n", -1, 0 },
		{ "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", -1, 200 },
		{ "HTTP/1.1 200 OK\r\n: c\r\n\r\n", -1, 200 },
		{ "HTTP/1.1 200 OK\r\nA: \1\r\n\r\n", -1, 200 },
		{ "HTTP/1.1 200 O\x7fK\r\n\r\n", -1, 200 },
		{ "HTTP/1.1 200 OK\r\n\rX", -1, 200 },
	};
	unsigned int status;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (n = 1; n < 40; n++) {
			ATF_CHECK_EQ_MSG(rows[i].rv, feed(rows[i].s,
			    strlen(rows[i].s), n, &status), "%s", rows[i].s);
			ATF_CHECK_EQ_MSG(rows[i].status, status, "%s", rows[i].s);
		}
}

/* A head without an end is given up. */
ATF_TC_WITHOUT_HEAD(http_long);
ATF_TC_BODY(http_long, tc)
{
	static const char begin[] = "HTTP/1.1 200 OK\r\nA: ";
	static char s[HTTP_HEADMAX + 2];
	unsigned int status;

	memset(s, 'x', sizeof(s));
	memcpy(s, begin, sizeof(begin) - 1);
	ATF_CHECK_EQ(0, feed(s, HTTP_HEADMAX, 1000, &status));
	ATF_CHECK_EQ(-1, feed(s, HTTP_HEADMAX + 1, 1000, &status));
	memcpy(s + HTTP_HEADMAX - 4, "\r\n\r\n", 4);
	ATF_CHECK_EQ(1, feed(s, HTTP_HEADMAX, 1000, &status));
}

ATF_TC_WITHOUT_HEAD(http_request);
ATF_TC_BODY(http_request, tc)
{
	char path[CONF_KASTRLEN];
	uint8_t buf[HTTP_REQUESTMAX];
	struct addr a;
	struct wbuf w;

	ATF_REQUIRE_EQ(0, addr_parse(&a, "2001:db8::7"));
	wbuf_init(&w, buf, sizeof(buf) - 1);
	http_build(&w, &a, 8080, "/health?x=1");
	ATF_REQUIRE(wbuf_ok(&w));
	buf[w.len] = '\0';
	ATF_CHECK_STREQ("GET /health?x=1 HTTP/1.1\r\nHost: [2001:db8::7]:8080\r\n"
	    "User-Agent: netwatchd\r\nConnection: close\r\n\r\n", (char *)buf);
	ATF_REQUIRE_EQ(0, addr_parse(&a, "192.0.2.7"));
	wbuf_init(&w, buf, sizeof(buf) - 1);
	http_build(&w, &a, 80, "/");
	ATF_REQUIRE(wbuf_ok(&w));
	buf[w.len] = '\0';
	ATF_CHECK(strstr((char *)buf, "\r\nHost: 192.0.2.7\r\n") != NULL);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ATF_REQUIRE(conf_path_ok(path));
	ATF_REQUIRE_EQ(0, addr_parse(&a, "2001:db8:1111:2222:3333:4444:5555:6666"));
	wbuf_init(&w, buf, sizeof(buf));
	http_build(&w, &a, 65535, path);
	ATF_CHECK(wbuf_ok(&w));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, dns_query);
	ATF_TP_ADD_TC(tp, dns_answer);
	ATF_TP_ADD_TC(tp, http_answer);
	ATF_TP_ADD_TC(tp, http_long);
	ATF_TP_ADD_TC(tp, http_request);
	return (atf_no_error());
}
