/* SPDX-License-Identifier: ISC */
/* Identities: parsing, validity, and the way back to the same text. */

#include <atf-c.h>
#include <string.h>

#include "base/id.h"

ATF_TC_WITHOUT_HEAD(parse);
ATF_TC_BODY(parse, tc)
{
	static const struct { const char *in; uint8_t type; const char *str, *conf; }
	    good[] = {
		{ "192.0.2.1", ID_IPV4_ADDR, "IPV4/192.0.2.1", "192.0.2.1" },
		{ "ipv4:192.0.2.1", ID_IPV4_ADDR, "IPV4/192.0.2.1", "192.0.2.1" },
		{ "2001:DB8::1", ID_IPV6_ADDR, "IPV6/2001:db8::1", "2001:db8::1" },
		{ "ipv6:::1", ID_IPV6_ADDR, "IPV6/::1", "::1" },
		{ "boise.example", ID_FQDN, "FQDN/boise.example", "boise.example" },
		{ "fqdn:boise.example", ID_FQDN, "FQDN/boise.example", "boise.example" },
		{ "fqdn:10.0.0.1", ID_FQDN, "FQDN/10.0.0.1", "fqdn:10.0.0.1" },
		{ "fqdn:a@b", ID_FQDN, "FQDN/a@b", "fqdn:a@b" },
		{ "fqdn:a:b", ID_FQDN, "FQDN/a:b", "fqdn:a:b" },
		{ "fqdn:fqdn:a", ID_FQDN, "FQDN/fqdn:a", "fqdn:fqdn:a" },
		{ "fqdn:a\\b", ID_FQDN, "FQDN/a\\x5cb", "a\\b" },
		{ "joe@boise.example", ID_RFC822_ADDR, "UFQDN/joe@boise.example", "joe@boise.example" },
		{ "ufqdn:joe@x", ID_RFC822_ADDR, "UFQDN/joe@x", "joe@x" },
		{ "ufqdn:a:b@x", ID_RFC822_ADDR, "UFQDN/a:b@x", "ufqdn:a:b@x" },
		{ "keyid:secret-box", ID_KEY_ID, "KEY_ID/secret-box", "keyid:secret-box" },
		{ "keyid:0x00ff", ID_KEY_ID, "KEY_ID/0x00ff", "keyid:0x00ff" },
		{ "keyid:0x3078", ID_KEY_ID, "KEY_ID/0x", "keyid:0x3078" },
		{ "keyid:a b", ID_KEY_ID, "KEY_ID/0x612062", "keyid:0x612062" },
		{ "dn:0x3000", ID_DER_ASN1_DN, "ASN1_DN/0x3000", "dn:0x3000" },
	};
	char s[ID_STRLEN];
	struct ident id, back;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_CHECK_MSG(ident_parse(&id, good[i].in) == 0, "%s", good[i].in);
		ATF_CHECK_EQ(id.type, good[i].type);
		ATF_CHECK(ident_valid(&id));
		ATF_CHECK_STREQ(good[i].str, ident_str(&id, s));
		ATF_CHECK_STREQ(good[i].conf, ident_conf(&id, s));
		ATF_CHECK_MSG(ident_parse(&back, s) == 0, "%s", s);
		ATF_CHECK(ident_equal(&id, &back));
	}
}

ATF_TC_WITHOUT_HEAD(parse_refused);
ATF_TC_BODY(parse_refused, tc)
{
	static const char *const bad[] = { "", "a b", "fqnd:boise", "/C=DE/CN=x",
	    "@boise", "joe@", "ipv4:::1", "ipv4:1.2.3", "ipv6:1.2.3.4", "fqdn:",
	    "ufqdn:boise", "keyid:", "keyid:0x", "keyid:0x1", "keyid:0xzz",
	    "dn:CN=x", "dn:0x3080", "dn:0x300100ff", "b\303\266rse" };
	char longname[ID_MAXLEN + 2];
	struct ident id;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_CHECK_MSG(ident_parse(&id, bad[i]) == -1, "%s", bad[i]);
		ATF_CHECK_EQ(id.type, ID_NONE);
	}
	memset(longname, 'a', sizeof(longname));
	longname[ID_MAXLEN] = '\0';
	ATF_CHECK_EQ(ident_parse(&id, longname), 0);
	ATF_CHECK_EQ(id.len, ID_MAXLEN);
	longname[ID_MAXLEN] = 'a';
	longname[ID_MAXLEN + 1] = '\0';
	ATF_CHECK_EQ(ident_parse(&id, longname), -1);
}

static struct ident
I(uint8_t type, const void *p, size_t n)
{
	struct ident id;

	memset(&id, 0, sizeof(id));
	id.type = type;
	id.len = (uint8_t)n;
	memcpy(id.data, p, n);
	return (id);
}

ATF_TC_WITHOUT_HEAD(valid);
ATF_TC_BODY(valid, tc)
{
	static const struct { uint8_t type; const char *p; size_t n; int ok; }
	    t[] = {
		{ ID_IPV4_ADDR, "\1\2\3\4", 4, 1 },
		{ ID_IPV4_ADDR, "\1\2\3", 3, 0 },
		{ ID_IPV4_ADDR, "\1\2\3\4\5", 5, 0 },
		{ ID_IPV6_ADDR, "0123456789abcdef", 16, 1 },
		{ ID_IPV6_ADDR, "0123", 4, 0 },
		{ ID_FQDN, "boise", 5, 1 },
		{ ID_FQDN, "", 0, 0 },
		{ ID_FQDN, "boi\0se", 6, 0 },
		{ ID_FQDN, "boise\n", 6, 0 },
		{ ID_FQDN, "a b", 3, 0 },
		{ ID_RFC822_ADDR, "a@b", 3, 1 },
		{ ID_RFC822_ADDR, "ab", 2, 0 },
		{ ID_RFC822_ADDR, "@ab", 3, 0 },
		{ ID_RFC822_ADDR, "ab@", 3, 0 },
		{ ID_RFC822_ADDR, "", 0, 0 },
		{ ID_KEY_ID, "\0\1", 2, 1 },
		{ ID_KEY_ID, "", 0, 0 },
		{ ID_DER_ASN1_DN, "\x30\x00", 2, 1 },
		{ ID_DER_ASN1_DN, "\x30\x02\x31\x00", 4, 1 },
		{ ID_DER_ASN1_DN, "\x30\x03\x31\x00", 4, 0 },
		{ ID_DER_ASN1_DN, "\x31\x02\x31\x00", 4, 0 },
		{ ID_DER_ASN1_DN, "\x30\x80\x00\x00", 4, 0 },	/* indefinite */
		{ ID_DER_ASN1_DN, "\x30\x81\x02\x31\x00", 5, 0 },	/* not minimal */
		{ ID_DER_ASN1_DN, "\x30", 1, 0 },
		{ ID_NONE, "", 0, 0 },
		{ 4, "abcd", 4, 0 },
		{ 200, "abcd", 4, 0 },
	};
	struct ident id;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		id = I(t[i].type, t[i].p, t[i].n);
		ATF_CHECK_MSG(ident_valid(&id) == t[i].ok, "row %zu", i);
	}
	memset(&id, 0x41, sizeof(id));
	id.type = ID_DER_ASN1_DN;
	id.len = 3 + 0x90;
	memcpy(id.data, "\x30\x81\x90", 3);
	ATF_CHECK(ident_valid(&id));
}

ATF_TC_WITHOUT_HEAD(equal);
ATF_TC_BODY(equal, tc)
{
	struct ident a = I(ID_FQDN, "boise", 5), b = I(ID_FQDN, "boise", 5);

	b.data[200] = 1;		/* beyond the length: not looked at */
	ATF_CHECK(ident_equal(&a, &b));
	b = I(ID_KEY_ID, "boise", 5);
	ATF_CHECK(!ident_equal(&a, &b));
	b = I(ID_FQDN, "boise.", 6);
	ATF_CHECK(!ident_equal(&a, &b));
	b = I(ID_FQDN, "Boise", 5);
	ATF_CHECK(!ident_equal(&a, &b));
}

/* A peer may send anything: what is printed is printable and ends in time. */
ATF_TC_WITHOUT_HEAD(hostile_text);
ATF_TC_BODY(hostile_text, tc)
{
	struct ident id;
	char s[ID_STRLEN];
	unsigned int type, fill;
	size_t i;

	for (type = 0; type < 256; type++)
		for (fill = 0; fill < 256; fill += 15) {
			memset(&id, (int)fill, sizeof(id));
			id.type = (uint8_t)type;
			id.len = ID_MAXLEN;
			memset(s, 0x7f, sizeof(s));
			ident_str(&id, s);
			ATF_REQUIRE(memchr(s, '\0', sizeof(s)) != NULL);
			for (i = 0; s[i] != '\0'; i++)
				ATF_REQUIRE(s[i] > 0x20 && s[i] < 0x7f);
			ident_conf(&id, s);
		}
	id = I(ID_FQDN, "a\n\033[2J", 6);
	ATF_CHECK_STREQ("FQDN/a\\x0a\\x1b[2J", ident_str(&id, s));
	id = I(ID_IPV4_ADDR, "\1\2\3", 3);
	ATF_CHECK_STREQ("IPV4/0x010203", ident_str(&id, s));
	id = I(77, "\1", 1);
	ATF_CHECK_STREQ("TYPE77/0x01", ident_str(&id, s));
	id.type = ID_NONE;
	ATF_CHECK_STREQ("none", ident_str(&id, s));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, parse);
	ATF_TP_ADD_TC(tp, parse_refused);
	ATF_TP_ADD_TC(tp, valid);
	ATF_TP_ADD_TC(tp, equal);
	ATF_TP_ADD_TC(tp, hostile_text);
	return (atf_no_error());
}
