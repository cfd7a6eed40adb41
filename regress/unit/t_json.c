/* SPDX-License-Identifier: ISC */
/* What control prints is JSON, whatever was in the strings; and its words. */
#include <atf-c.h>
#include <jansson.h>
#include <string.h>

#include "proc/control.h"

static json_t *
parse(struct json *j)
{
	json_error_t e;
	json_t *o;
	size_t n;

	n = json_end(j);
	ATF_REQUIRE(n > 1 && j->b[n - 1] == '\n');
	o = json_loadb(j->b, n - 1, 0, &e);
	ATF_REQUIRE_MSG(o != NULL, "%s: %.*s", e.text, (int)n, j->b);
	return (o);
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	static const char *const s[] = { "", "plain", "q\"u\\o", "\n\t\001\177",
	    "\xc3\xa4\xe2\x82\xac", "\xff\xfe", "\xc3", "\xe2\x82",
	    "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xf0\x9f\x98\x80",
	    "</script>" };
	struct json j;
	json_t *o;
	char bytes[3];
	size_t i;
	int b;

	(void)tc;
	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		json_begin(&j);
		json_str(&j, "s", s[i]);
		o = parse(&j);
		if (i < 5)
			ATF_REQUIRE_STREQ(s[i],
			    json_string_value(json_object_get(o, "s")));
		json_decref(o);
	}
	bytes[2] = '\0';
	for (b = 1; b < 65536; b += 7) {
		bytes[0] = (char)(b >> 8);
		bytes[1] = (char)b;
		json_begin(&j);
		json_str(&j, "s", bytes);
		json_decref(parse(&j));
	}
}

ATF_TC_WITHOUT_HEAD(values);
ATF_TC_BODY(values, tc)
{
	struct json j;
	json_t *o;

	(void)tc;
	json_begin(&j);
	json_u64(&j, "u", 1ULL << 40);
	json_u64(&j, "max", UINT64_MAX);
	json_bool(&j, "t", 1);
	json_bool(&j, "f", 0);
	json_hex(&j, "h", 0x1234567, 8);
	json_tenth(&j, "d", 333);
	o = parse(&j);
	ATF_REQUIRE_EQ(1LL << 40, json_integer_value(json_object_get(o, "u")));
	ATF_REQUIRE_EQ(INT64_MAX,
	    json_integer_value(json_object_get(o, "max")));
	ATF_REQUIRE(json_is_true(json_object_get(o, "t")));
	ATF_REQUIRE(json_is_false(json_object_get(o, "f")));
	ATF_REQUIRE_STREQ("0x01234567",
	    json_string_value(json_object_get(o, "h")));
	ATF_REQUIRE(json_real_value(json_object_get(o, "d")) == 33.3);
	json_decref(o);
	json_begin(&j);
	o = parse(&j);
	ATF_REQUIRE_EQ(0, json_object_size(o));
	json_decref(o);
}

/* A record at its longest fits; what does not fit is no line at all. */
ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	static char big[JSON_LINEMAX];
	struct told_rec rec;
	struct prefix p;
	struct json j;
	size_t i;

	(void)tc;
	memset(&rec, 0, sizeof(rec));
	rec.rec.kind = SHOWK_TUNNEL;
	memset(rec.rec.u.tunnel.name, '\001', sizeof(rec.rec.u.tunnel.name) - 1);
	memset(rec.rec.u.tunnel.error, '"', sizeof(rec.rec.u.tunnel.error) - 1);
	rec.rec.u.tunnel.state = SHOW_UP;
	ATF_REQUIRE_EQ(0, prefix_parse(&p,
	    "2001:db8:1111:2222:3333:4444:5555:6666/128"));
	for (i = 0; i < TS_MAX; i++) {
		ts_from_prefix(&rec.rec.u.tunnel.from.t[i], &p, 17, 65535);
		ts_from_prefix(&rec.rec.u.tunnel.to.t[i], &p, 17, 65535);
	}
	rec.rec.u.tunnel.from.n = rec.rec.u.tunnel.to.n = TS_MAX;
	json_show(&j, &rec);
	json_decref(parse(&j));
	memset(big, 'a', sizeof(big) - 1);
	json_begin(&j);
	json_str(&j, "s", big);
	ATF_REQUIRE_EQ(0, json_end(&j));
}

ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	char a[] = "  up \"my tunnel\"  x", b[] = "up \"open", c[] = " \t", *p;
	int bad = 0;

	(void)tc;
	p = a;
	ATF_REQUIRE_STREQ("up", lineio_word(&p, &bad));
	ATF_REQUIRE_STREQ("my tunnel", lineio_word(&p, &bad));
	ATF_REQUIRE_STREQ("x", lineio_word(&p, &bad));
	ATF_REQUIRE(lineio_word(&p, &bad) == NULL && !bad);
	ATF_REQUIRE(lineio_word(&p, &bad) == NULL && !bad);
	p = b;
	ATF_REQUIRE_STREQ("up", lineio_word(&p, &bad));
	ATF_REQUIRE(lineio_word(&p, &bad) == NULL && bad);
	bad = 0;
	p = c;
	ATF_REQUIRE(lineio_word(&p, &bad) == NULL && !bad);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, values);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, words);
	return (atf_no_error());
}
