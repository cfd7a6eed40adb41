/* SPDX-License-Identifier: ISC */
/* The bounded reader and writer: values, limits, sticky errors. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

ATF_TC_WITHOUT_HEAD(read_values);
ATF_TC_BODY(read_values, tc)
{
	static const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	    14, 15, 16 };
	struct rbuf r;
	struct span s;
	uint8_t out[1];

	rbuf_init(&r, b, sizeof(b));
	ATF_CHECK_EQ(rbuf_left(&r), 16);
	ATF_CHECK_EQ(rbuf_u8(&r), 1);
	ATF_CHECK_EQ(rbuf_u16(&r), 0x0203);
	ATF_CHECK_EQ(rbuf_u32(&r), 0x04050607);
	ATF_CHECK_EQ(rbuf_u64(&r), 0x08090a0b0c0d0e0fULL);
	ATF_CHECK_EQ(rbuf_left(&r), 1);
	rbuf_copy(&r, out, 1);
	ATF_CHECK_EQ(out[0], 16);
	ATF_CHECK_EQ(rbuf_left(&r), 0);
	s = rbuf_span(&r, 0);
	ATF_CHECK(s.p != NULL);
	ATF_CHECK_EQ(s.len, 0);
	ATF_CHECK(rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(read_host_order);
ATF_TC_BODY(read_host_order, tc)
{
	uint8_t b[14];
	uint16_t a = 0x1234;
	uint32_t c = 0x56789abc;
	uint64_t d = 0xdef0123456789abcULL;
	struct rbuf r;

	memcpy(b, &a, 2);
	memcpy(b + 2, &c, 4);
	memcpy(b + 6, &d, 8);
	rbuf_init(&r, b, sizeof(b));
	ATF_CHECK_EQ(rbuf_h16(&r), a);
	ATF_CHECK_EQ(rbuf_h32(&r), c);
	ATF_CHECK_EQ(rbuf_h64(&r), d);
	ATF_CHECK(rbuf_ok(&r));
	ATF_CHECK_EQ(rbuf_h16(&r), 0);
	ATF_CHECK(!rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(read_error_sticks);
ATF_TC_BODY(read_error_sticks, tc)
{
	static const uint8_t b[4] = { 1, 2, 3, 4 };
	uint8_t out[8];
	struct rbuf r;

	rbuf_init(&r, b, sizeof(b));
	ATF_CHECK_EQ(rbuf_u64(&r), 0);
	ATF_CHECK(!rbuf_ok(&r));
	ATF_CHECK_EQ(rbuf_left(&r), 0);
	/* the octets that are there are not given out any more */
	ATF_CHECK_EQ(rbuf_u8(&r), 0);
	ATF_CHECK(rbuf_bytes(&r, 0) == NULL);
	memset(out, 0xff, sizeof(out));
	rbuf_copy(&r, out, sizeof(out));
	ATF_CHECK_EQ(out[0], 0);
	ATF_CHECK_EQ(out[7], 0);

	rbuf_init(&r, b, sizeof(b));
	rbuf_skip(&r, 5);
	ATF_CHECK(!rbuf_ok(&r));
	rbuf_init(&r, b, sizeof(b));
	rbuf_skip(&r, 4);
	ATF_CHECK(rbuf_ok(&r));
	rbuf_init(&r, b, sizeof(b));
	rbuf_fail(&r);
	ATF_CHECK(!rbuf_ok(&r));
}

/* A length that would wrap the offset must not get past the check. */
ATF_TC_WITHOUT_HEAD(read_huge);
ATF_TC_BODY(read_huge, tc)
{
	static const uint8_t b[4] = { 1, 2, 3, 4 };
	struct rbuf r;

	rbuf_init(&r, b, sizeof(b));
	rbuf_skip(&r, 3);
	ATF_CHECK(rbuf_bytes(&r, SIZE_MAX) == NULL);
	rbuf_init(&r, b, sizeof(b));
	rbuf_skip(&r, 3);
	ATF_CHECK(rbuf_bytes(&r, SIZE_MAX - 2) == NULL);
	ATF_CHECK(!rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(read_nothing);
ATF_TC_BODY(read_nothing, tc)
{
	struct rbuf r;

	rbuf_init(&r, NULL, 0);
	ATF_CHECK(rbuf_bytes(&r, 0) != NULL);
	ATF_CHECK(rbuf_ok(&r));
	rbuf_init(&r, NULL, 12);
	ATF_CHECK_EQ(rbuf_left(&r), 0);
	ATF_CHECK_EQ(rbuf_u8(&r), 0);
	ATF_CHECK(!rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(read_sub);
ATF_TC_BODY(read_sub, tc)
{
	static const uint8_t b[4] = { 1, 2, 3, 4 };
	struct rbuf r, s;

	rbuf_init(&r, b, sizeof(b));
	s = rbuf_sub(&r, 2);
	ATF_CHECK_EQ(rbuf_u8(&r), 3);
	ATF_CHECK_EQ(rbuf_u16(&s), 0x0102);
	ATF_CHECK_EQ(rbuf_u8(&s), 0);
	ATF_CHECK(!rbuf_ok(&s));
	ATF_CHECK(rbuf_ok(&r));		/* the inner error stays inside */
	s = rbuf_sub(&r, 2);
	ATF_CHECK(!rbuf_ok(&s));
	ATF_CHECK(!rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(read_str);
ATF_TC_BODY(read_str, tc)
{
	static const uint8_t good[] = { 0, 3, 'a', 'b', 'c', 0, 0 };
	static const uint8_t nul[] = { 0, 3, 'a', 0, 'c' };
	static const uint8_t shorter[] = { 0, 4, 'a', 'b', 'c' };
	struct rbuf r;
	char s[4];

	rbuf_init(&r, good, sizeof(good));
	rbuf_str(&r, s, sizeof(s));
	ATF_CHECK(rbuf_ok(&r));
	ATF_CHECK_STREQ("abc", s);
	rbuf_str(&r, s, sizeof(s));
	ATF_CHECK_STREQ("", s);
	ATF_CHECK(rbuf_ok(&r));

	rbuf_init(&r, good, sizeof(good));
	rbuf_str(&r, s, 3);		/* no room for the NUL */
	ATF_CHECK(!rbuf_ok(&r));
	ATF_CHECK_STREQ("", s);
	rbuf_init(&r, nul, sizeof(nul));
	rbuf_str(&r, s, sizeof(s));
	ATF_CHECK(!rbuf_ok(&r));
	ATF_CHECK_STREQ("", s);
	rbuf_init(&r, shorter, sizeof(shorter));
	rbuf_str(&r, s, sizeof(s));
	ATF_CHECK(!rbuf_ok(&r));
	rbuf_init(&r, good, sizeof(good));
	rbuf_str(&r, s, 0);
	ATF_CHECK(!rbuf_ok(&r));
}

ATF_TC_WITHOUT_HEAD(write_values);
ATF_TC_BODY(write_values, tc)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	    13, 14, 15, 'x', 'y', 0, 0, 0, 2, 'h', 'i' };
	uint8_t b[sizeof(want)];
	struct wbuf w;

	wbuf_init(&w, b, sizeof(b));
	wbuf_u8(&w, 1);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_u64(&w, 0x08090a0b0c0d0e0fULL);
	wbuf_bytes(&w, "xy", 2);
	wbuf_zero(&w, 2);
	wbuf_str(&w, "hi");
	ATF_CHECK(wbuf_ok(&w));
	ATF_CHECK_EQ(w.len, sizeof(want));
	ATF_CHECK(memcmp(b, want, sizeof(want)) == 0);
	/* full: nothing more goes in, and nothing behind it is touched */
	wbuf_u8(&w, 0xff);
	ATF_CHECK(!wbuf_ok(&w));
	ATF_CHECK_EQ(w.len, sizeof(want));
}

ATF_TC_WITHOUT_HEAD(write_error_sticks);
ATF_TC_BODY(write_error_sticks, tc)
{
	uint8_t b[4] = { 9, 9, 9, 9 };
	struct wbuf w;

	wbuf_init(&w, b, 3);
	wbuf_u32(&w, 0);
	ATF_CHECK(!wbuf_ok(&w));
	wbuf_u8(&w, 1);			/* would fit, but the error stays */
	ATF_CHECK_EQ(w.len, 0);
	ATF_CHECK_EQ(b[0], 9);
	ATF_CHECK(wbuf_room(&w, 0) == NULL);

	wbuf_init(&w, b, sizeof(b));
	ATF_CHECK(wbuf_room(&w, SIZE_MAX) == NULL);
	ATF_CHECK(!wbuf_ok(&w));
	wbuf_init(&w, b, sizeof(b));
	wbuf_fail(&w);
	ATF_CHECK(!wbuf_ok(&w));
	wbuf_init(&w, NULL, 4);
	wbuf_u8(&w, 1);
	ATF_CHECK(!wbuf_ok(&w));
}

ATF_TC_WITHOUT_HEAD(write_host_order);
ATF_TC_BODY(write_host_order, tc)
{
	uint8_t b[14];
	struct wbuf w;
	struct rbuf r;

	wbuf_init(&w, b, sizeof(b));
	wbuf_h16(&w, 0x1234);
	wbuf_h32(&w, 0x56789abc);
	wbuf_h64(&w, 0xdef0123456789abcULL);
	ATF_CHECK(wbuf_ok(&w));
	wbuf_patch_h16(&w, 0, 0x4321);
	rbuf_init(&r, b, sizeof(b));
	ATF_CHECK_EQ(rbuf_h16(&r), 0x4321);
	ATF_CHECK_EQ(rbuf_h32(&r), 0x56789abc);
	ATF_CHECK_EQ(rbuf_h64(&r), 0xdef0123456789abcULL);
}

ATF_TC_WITHOUT_HEAD(patch);
ATF_TC_BODY(patch, tc)
{
	uint8_t b[8];
	struct wbuf w;

	wbuf_init(&w, b, sizeof(b));
	wbuf_zero(&w, 7);
	wbuf_patch_u8(&w, 0, 1);
	wbuf_patch_u16(&w, 1, 0x0203);
	wbuf_patch_u32(&w, 3, 0x04050607);
	ATF_CHECK(wbuf_ok(&w));
	ATF_CHECK(memcmp(b, "\1\2\3\4\5\6\7", 7) == 0);
	/* what has not been written cannot be overwritten */
	wbuf_patch_u8(&w, 7, 1);
	ATF_CHECK(!wbuf_ok(&w));
	wbuf_init(&w, b, sizeof(b));
	wbuf_zero(&w, 4);
	wbuf_patch_u32(&w, 1, 1);
	ATF_CHECK(!wbuf_ok(&w));
	wbuf_init(&w, b, sizeof(b));
	wbuf_zero(&w, 4);
	wbuf_patch_u16(&w, SIZE_MAX, 1);
	ATF_CHECK(!wbuf_ok(&w));
}

ATF_TC_WITHOUT_HEAD(write_long_str);
ATF_TC_BODY(write_long_str, tc)
{
	static char s[65537];
	static uint8_t b[70000];
	struct wbuf w;

	memset(s, 'a', sizeof(s) - 1);
	wbuf_init(&w, b, sizeof(b));
	wbuf_str(&w, s + 1);		/* 65535 */
	ATF_CHECK(wbuf_ok(&w));
	ATF_CHECK_EQ(w.len, 65537);
	wbuf_init(&w, b, sizeof(b));
	wbuf_str(&w, s);		/* 65536 */
	ATF_CHECK(!wbuf_ok(&w));
	ATF_CHECK_EQ(w.len, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, read_values);
	ATF_TP_ADD_TC(tp, read_host_order);
	ATF_TP_ADD_TC(tp, read_error_sticks);
	ATF_TP_ADD_TC(tp, read_huge);
	ATF_TP_ADD_TC(tp, read_nothing);
	ATF_TP_ADD_TC(tp, read_sub);
	ATF_TP_ADD_TC(tp, read_str);
	ATF_TP_ADD_TC(tp, write_values);
	ATF_TP_ADD_TC(tp, write_error_sticks);
	ATF_TP_ADD_TC(tp, write_host_order);
	ATF_TP_ADD_TC(tp, patch);
	ATF_TP_ADD_TC(tp, write_long_str);
	return (atf_no_error());
}
