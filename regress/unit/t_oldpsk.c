/* SPDX-License-Identifier: ISC */
/* Two secrets, one of which is the old one: how it is written, and until when it is good. */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define STMT	"ikev2 \"t\" esp from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.2 "
#define NEW	"psk \"the secret that takes its place\" "
#define OLD	"psk \"the secret that was good so far\" "

static struct conf_errors errs;

static struct conf *
parse(const char *text, int flags)
{
	return (conf_parse("t", text, strlen(text), NULL, flags, &errs));
}

ATF_TC_WITHOUT_HEAD(written);
ATF_TC_BODY(written, tc)
{
	const struct conf_peer	*p;
	struct conf		*c, *d;
	char			*s;

	ATF_REQUIRE((c = parse(STMT NEW OLD "until 2026-12-31\n", 0)) != NULL);
	p = &c->peers[0];
	ATF_CHECK(p->psklen == 31 && memcmp(p->psk, "the secret that takes its place", 31) == 0);
	ATF_CHECK(p->has_old && p->oldlen == 31 &&
	    memcmp(p->old, "the secret that was good so far", 31) == 0);
	ATF_CHECK_EQ(1798761600, p->old_until);	/* 2027-01-01 00:00 UTC */
	/* the canonical text says the same; without secrets none */
	ATF_REQUIRE((s = conf_print(c, 1)) != NULL);
	ATF_REQUIRE((d = parse(s, 0)) != NULL);
	ATF_CHECK(conf_peer_equal(p, &d->peers[0]));
	conf_free(d);
	free(s);
	ATF_REQUIRE((s = conf_print(c, 0)) != NULL);
	ATF_CHECK(strstr(s, "that was good") == NULL);
	free(s);
	conf_free(c);
	ATF_REQUIRE((c = parse(STMT "psk 0x000102030405060708090a0b0c0d0e0f psk "
	    "0x0f0e0d0c0b0a09080706050403020100 until 2027-02-28 active\n", 0)) != NULL);
	ATF_CHECK(c->peers[0].psklen == 16 && c->peers[0].oldlen == 16);
	ATF_CHECK(c->peers[0].old[0] == 15 && c->peers[0].psk[0] == 0);
	ATF_CHECK_EQ(MODE_ACTIVE, c->tunnels[0].mode);
	conf_free(c);
	ATF_REQUIRE((c = parse(STMT NEW OLD "until 2026-12-31\n", CONF_NOSECRETS)) != NULL);
	ATF_CHECK(c->peers[0].has_old && c->peers[0].oldlen == 0 && c->peers[0].old == NULL);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const struct {
		const char	*text, *want;
	} rows[] = {
		{ STMT NEW OLD "\n", "say how long it is good" },
		{ STMT NEW "until 2026-12-31\n", "belongs to the old secret" },
		{ STMT NEW OLD "until tomorrow\n", "wants the last day" },
		{ STMT NEW OLD "until 2026-02-30\n", "wants the last day" },
		{ STMT NEW OLD "until 2026-13-01\n", "wants the last day" },
		{ STMT NEW OLD "until 2026-1-1\n", "wants the last day" },
		{ STMT NEW OLD "until 1969-12-31\n", "wants the last day" },
		{ STMT NEW OLD "until 2026-12-31 " OLD "\n", "already has this option" },
		{ STMT NEW "psk \"\" until 2026-12-31\n", "the secret is empty" },
		{ STMT NEW OLD "until 2026-12-31\nikev2 \"u\" esp from 10.1.0.0/24 to 10.3.0.0/24 "
		    "peer 192.0.2.2 " NEW "\n", "another psk" }
	};
	size_t	 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ATF_CHECK_MSG(parse(rows[i].text, 0) == NULL, "%s", rows[i].text);
		ATF_CHECK_MSG(strstr(errs.e[0].text, rows[i].want) != NULL, "%s: %s",
		    rows[i].text, errs.e[0].text);
		ATF_CHECK_EQ_MSG(1, errs.n, "%s: %u", rows[i].text, errs.n);
		ATF_CHECK(strstr(errs.e[0].text, "good so far") == NULL);
	}
}

ATF_TC_WITHOUT_HEAD(days);
ATF_TC_BODY(days, tc)
{
	char	 s[CONF_DAYLEN], t[32];
	int64_t	 when, i;

	ATF_CHECK(conf_day_parse("1970-01-01", &when) == 0 && when == 86400);
	ATF_CHECK(conf_day_parse("2000-02-29", &when) == 0 && when == 951868800);
	ATF_CHECK(conf_day_parse("2100-02-29", &when) == -1);
	ATF_CHECK(conf_day_parse("9999-12-31", &when) == 0);
	/* there and back, each day of 400 years */
	for (i = 1; i <= 146097; i++) {
		(void)strlcpy(t, conf_day_str(i * 86400, s), sizeof(t));
		ATF_REQUIRE_MSG(conf_day_parse(t, &when) == 0 && when == i * 86400, "%s", t);
	}
}

/* What a reload sees: SAs stay where there is a secret in common. */
ATF_TC_WITHOUT_HEAD(serials);
ATF_TC_BODY(serials, tc)
{
	static const char	*const steps[] = { STMT OLD "\n",
	    STMT NEW OLD "until 2026-12-31\n", STMT NEW OLD "until 2027-12-31\n", STMT NEW "\n" };
	static const uint8_t	 key[CONF_MARKLEN] = { 1 };
	struct conf		*c, *last = NULL;
	size_t			 i;
	uint32_t		 serial = 0;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ATF_REQUIRE((c = parse(steps[i], 0)) != NULL);
		c->gen = (uint32_t)i + 1;
		ATF_REQUIRE_EQ(0, conf_psk_serials(c, last, key));
		if (i > 0)
			ATF_CHECK_EQ_MSG(serial, c->peers[0].psk_serial, "step %zu", i);
		serial = c->peers[0].psk_serial;
		conf_free(last);
		conf_keep_marks(c);
		ATF_CHECK(c->peers[0].old == NULL && c->peers[0].psk == NULL);
		last = c;
	}
	/* and back in one step: nothing in common */
	ATF_REQUIRE((c = parse(steps[0], 0)) != NULL);
	c->gen = 9;
	ATF_REQUIRE_EQ(0, conf_psk_serials(c, last, key));
	ATF_CHECK_EQ(9, c->peers[0].psk_serial);
	conf_free(c);
	conf_free(last);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, written);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, days);
	ATF_TP_ADD_TC(tp, serials);
	return (atf_no_error());
}
