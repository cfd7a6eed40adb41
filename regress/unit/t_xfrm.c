/* SPDX-License-Identifier: ISC */
/*
 * XFRM's bytes: the captured netlink messages decode to what was asked, and what
 * we send for the same request is the same octets but for what is listed here.
 */

#include <atf-c.h>

#ifdef __linux__

#include <linux/xfrm.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pfkey/xfrm_msg_linux.h"

#define DIR	REGRESS_DATA "/pfkey/xfrm"

/* Aligned as a socket's buffer is. */
struct msg {
	_Alignas(8) uint8_t	 b[4096];
	size_t			 len;
	const struct nlmsghdr	*h;
};

static void
load(struct msg *m, const char *name)
{
	char path[512];
	FILE *f;

	memset(m->b, 0, sizeof(m->b));
	snprintf(path, sizeof(path), "%s/%s.bin", DIR, name);
	ATF_REQUIRE_MSG((f = fopen(path, "rb")) != NULL, "%s", path);
	m->len = fread(m->b, 1, sizeof(m->b), f);
	fclose(f);
	m->h = (const void *)m->b;
	ATF_REQUIRE_MSG(xfrm_msg_ok(m->h, (int)m->len), "%s", name);
}

static void
check_addr(const struct addr *a, const char *want)
{
	char s[ADDR_STRLEN];

	ATF_CHECK_STREQ(want, addr_str(a, s));
}

/* --- what INDEX.txt says: type, length, flags, sequence, attributes --- */

static const struct {
	uint16_t	 type;
	const char	*name;
	uint16_t	 fixed;		/* octets before the attributes */
} types[] = {
	{ NLMSG_ERROR, "ERROR", 0 }, { NLMSG_DONE, "DONE", 0 },
	{ XFRM_MSG_NEWSA, "NEWSA", sizeof(struct xfrm_usersa_info) },
	{ XFRM_MSG_DELSA, "DELSA", sizeof(struct xfrm_usersa_id) },
	{ XFRM_MSG_GETSA, "GETSA", sizeof(struct xfrm_usersa_id) },
	{ XFRM_MSG_NEWPOLICY, "NEWPOLICY", sizeof(struct xfrm_userpolicy_info) },
	{ XFRM_MSG_GETPOLICY, "GETPOLICY", sizeof(struct xfrm_userpolicy_id) },
	{ XFRM_MSG_ALLOCSPI, "ALLOCSPI", sizeof(struct xfrm_userspi_info) },
	{ XFRM_MSG_ACQUIRE, "ACQUIRE", sizeof(struct xfrm_user_acquire) },
	{ XFRM_MSG_EXPIRE, "EXPIRE", sizeof(struct xfrm_user_expire) },
	{ XFRM_MSG_UPDSA, "UPDSA", sizeof(struct xfrm_usersa_info) },
	{ XFRM_MSG_FLUSHSA, "FLUSHSA", sizeof(struct xfrm_usersa_flush) },
	{ XFRM_MSG_FLUSHPOLICY, "FLUSHPOLICY", 0 },
	{ XFRM_MSG_NEWAE, "NEWAE", 0 }, { XFRM_MSG_GETSADINFO, "GETSADINFO", 0 },
	{ XFRM_MSG_NEWSADINFO, "NEWSADINFO", 0 },
	{ XFRM_MSG_GETSPDINFO, "GETSPDINFO", 0 },
	{ XFRM_MSG_NEWSPDINFO, "NEWSPDINFO", 0 },
};

/* Whatever our decoder makes of it: the line INDEX.txt would have, as far as our
 * own structures hold it. */
static int
decode_any(const struct nlmsghdr *h, int *err)
{
	struct kern_policy p;
	struct kern_event ev;
	struct kern_sa sa;
	char what[KERN_WHATLEN];
	int transport;

	*err = 0;
	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return (xfrm_get_error(h, err, what));
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return (xfrm_get_sa(h, &sa));
	case XFRM_MSG_NEWPOLICY:
		return (xfrm_get_policy(h, &p));
	default:
		return (xfrm_get_event(h, &ev, &transport));
	}
}

ATF_TC_WITHOUT_HEAD(index);
ATF_TC_BODY(index, tc)
{
	static struct msg m;
	char file[128], line[512], want[200], *p;
	FILE *f;
	size_t i;
	int n = 0, err, rc, werr;

	ATF_REQUIRE((f = fopen(DIR "/INDEX.txt", "r")) != NULL);
	while (fgets(file, sizeof(file), f) != NULL &&
	    fgets(line, sizeof(line), f) != NULL) {
		n++;
		file[strcspn(file, "\n") - 4] = '\0';	/* .bin */
		load(&m, file);
		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			if (types[i].type == m.h->nlmsg_type)
				break;
		ATF_REQUIRE_MSG(i < sizeof(types) / sizeof(types[0]), "%s", file);
		snprintf(want, sizeof(want), "   %s len=%u flags=%x seq=%u "
		    "portid=%u", types[i].name, m.h->nlmsg_len,
		    m.h->nlmsg_flags, m.h->nlmsg_seq, m.h->nlmsg_pid);
		ATF_CHECK_MSG(strncmp(line, want, strlen(want)) == 0,
		    "%s: %s, not %s", file, want, line);
		rc = decode_any(m.h, &err);
		ATF_CHECK_MSG(rc >= 0, "%s: not decoded", file);
		werr = (p = strstr(line, "errno=")) != NULL ? atoi(p + 6) : 0;
		ATF_CHECK_MSG(err == -werr, "%s: errno %d, not %d", file, err,
		    -werr);
		/* Cut inside its fixed part it is refused. */
		if (types[i].fixed > 0 && rc == 0 &&
		    m.h->nlmsg_len > MNL_NLMSG_HDRLEN + types[i].fixed - 1) {
			((struct nlmsghdr *)(void *)m.b)->nlmsg_len =
			    MNL_NLMSG_HDRLEN + types[i].fixed - 1U;
			ATF_CHECK_MSG(decode_any(m.h, &err) == -1, "%s", file);
		}
	}
	fclose(f);
	ATF_CHECK_EQ(44, n);
}

ATF_TC_WITHOUT_HEAD(acquire);
ATF_TC_BODY(acquire, tc)
{
	static struct msg m;
	struct kern_event ev;
	int transport;

	load(&m, "307-k2u-xfrm-notify-acquire");
	ATF_REQUIRE_EQ(0, xfrm_get_event(m.h, &ev, &transport));
	ATF_CHECK_EQ(KERN_EV_ACQUIRE, ev.type);
	ATF_CHECK_EQ(1, ev.reqid);
	ATF_CHECK_EQ(1, ev.policy);
	ATF_CHECK_EQ(1, ev.seq);
	ATF_CHECK_EQ(0, transport);
	check_addr(&ev.src, "192.0.2.1");
	check_addr(&ev.dst, "192.0.2.2");
	/* ICMP echo request: type 8, code 0 (RFC 7296 3.13.1) */
	ATF_CHECK_EQ(1, ev.has_sel);
	ATF_CHECK_EQ(1, ev.sel_src.proto);
	ATF_CHECK_EQ(0x0800, ev.sel_src.sport);
	ATF_CHECK_EQ(0x0800, ev.sel_src.eport);
	check_addr(&ev.sel_src.start, "10.1.0.1");
	check_addr(&ev.sel_src.end, "10.1.0.1");
	check_addr(&ev.sel_dst.start, "10.2.0.1");
	ATF_CHECK(ts_valid(&ev.sel_src) && ts_valid(&ev.sel_dst));
}

ATF_TC_WITHOUT_HEAD(expire);
ATF_TC_BODY(expire, tc)
{
	static struct msg m;
	struct kern_event ev;
	int transport;

	load(&m, "328-k2u-xfrm-notify-expire");
	ATF_REQUIRE_EQ(0, xfrm_get_event(m.h, &ev, &transport));
	ATF_CHECK_EQ(KERN_EV_EXPIRE, ev.type);
	ATF_CHECK_EQ(0, ev.hard);
	ATF_CHECK_EQ(0x999, ev.spi);
	check_addr(&ev.dst, "192.0.2.2");
	load(&m, "329-k2u-xfrm-notify-expire");	/* NEWAE, really */
	ATF_CHECK_EQ(1, xfrm_get_event(m.h, &ev, &transport));
	load(&m, "330-k2u-xfrm-notify-expire");
	ATF_REQUIRE_EQ(0, xfrm_get_event(m.h, &ev, &transport));
	ATF_CHECK_EQ(1, ev.hard);
	/* A larval SA's end. */
	memset(m.b + MNL_NLMSG_HDRLEN + offsetof(struct xfrm_usersa_info, id.spi),
	    0, 4);
	ATF_CHECK_EQ(1, xfrm_get_event(m.h, &ev, &transport));
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	static struct msg m;
	char what[KERN_WHATLEN];
	int err;

	load(&m, "302-k2u-xfrm-newpolicy-out-reply");
	ATF_CHECK_EQ(0, xfrm_get_error(m.h, &err, what));
	ATF_CHECK_EQ(0, err);
	load(&m, "315-k2u-xfrm-newsa-duplicate-reply");
	ATF_CHECK_EQ(0, xfrm_get_error(m.h, &err, what));
	ATF_CHECK_EQ(EEXIST, err);
	ATF_CHECK_STREQ("", what);
	/* The kernel's own words, behind the request it gives back whole. */
	load(&m, "317-k2u-xfrm-newsa-bad-alg-reply");
	ATF_CHECK_EQ(0, xfrm_get_error(m.h, &err, what));
	ATF_CHECK_EQ(ENOSYS, err);
	ATF_CHECK_STREQ("Requested AEAD algorithm not found", what);
	/* A request said to be longer than the answer. */
	m.b[MNL_NLMSG_HDRLEN + 4 + 1] = 0xff;
	ATF_CHECK_EQ(-1, xfrm_get_error(m.h, &err, what));
	load(&m, "323-k2u-xfrm-getsa-dump-reply3");
	ATF_CHECK_EQ(0, xfrm_get_error(m.h, &err, what));
	ATF_CHECK_EQ(0, err);
}

/* A length that is negative as an int is not a whole message. Negative test 52. */
ATF_TC_WITHOUT_HEAD(framing);
ATF_TC_BODY(framing, tc)
{
	static struct msg m;
	struct nlmsghdr *h = (void *)m.b;

	load(&m, "302-k2u-xfrm-newpolicy-out-reply");
	ATF_CHECK_EQ(0, xfrm_msg_ok(m.h, (int)m.len - 1));
	h->nlmsg_len = 0x80000010U;
	ATF_CHECK_EQ(0, xfrm_msg_ok(m.h, (int)m.len));
	h->nlmsg_len = 15;
	ATF_CHECK_EQ(0, xfrm_msg_ok(m.h, (int)m.len));
}

/* --- requests --- */

/* The captured octets, but for some 32-bit words, at these offsets. */
struct but {
	size_t		off;
	uint32_t	ours;
	const char	*why;
};

static void
check_same(const char *name, const uint8_t *ours, size_t len,
    const struct but *but, size_t nbut)
{
	static struct msg m;
	size_t i, j;
	uint32_t a, b;

	load(&m, name);
	ATF_CHECK_MSG(len == m.len, "%s: %zu octets, not %zu", name, len, m.len);
	if (len != m.len)
		return;
	for (i = 0; i + 4 <= len; i += 4) {
		memcpy(&a, m.b + i, 4);
		memcpy(&b, ours + i, 4);
		for (j = 0; j < nbut; j++)
			if (but[j].off == i) {
				ATF_CHECK_MSG(a != b, "%s: no difference at %zu",
				    name, i);
				ATF_CHECK_MSG(b == but[j].ours, "%s: %08x at %zu "
				    "(%s)", name, b, i, but[j].why);
				break;
			}
		if (j == nbut)
			ATF_CHECK_MSG(a == b, "%s: %08x at %zu, not %08x", name, b,
			    i, a);
	}
}

static void
captured_sa(struct kern_sa *sa, uint32_t spi, const char *src, const char *dst)
{
	size_t i;

	memset(sa, 0, sizeof(*sa));
	sa->spi = spi;
	sa->proto = PROTO_ESP;
	addr_parse(&sa->src, src);
	addr_parse(&sa->dst, dst);
	sa->reqid = 1;
	sa->encr = ENCR_AES_GCM_16;
	sa->encr_keybits = 128;
	sa->encr_keylen = 20;
	for (i = 0; i < 20; i++)
		sa->encr_key[i] = (uint8_t)i;
}

ATF_TC_WITHOUT_HEAD(requests);
ATF_TC_BODY(requests, tc)
{
	static const struct but flags[] = {
		{ 4, XFRM_MSG_UPDPOLICY | (NLM_F_REQUEST | NLM_F_ACK |
		    NLM_F_CREATE) << 16, "UPDPOLICY adds or replaces" }
	}, out[] = {
		{ 4, XFRM_MSG_UPDPOLICY | (NLM_F_REQUEST | NLM_F_ACK |
		    NLM_F_CREATE) << 16, "UPDPOLICY adds or replaces" },
		{ 176, XFRM_POLICY_OUT | XFRM_POLICY_ICMP << 16,
		    "ICMP errors go back by the tunnel" }
	}, fam[] = {
		{ 56, 0, "no family in the selector: either family inside" },
		{ 232, 0, "a larval SA needs no flags" },
	};
	_Alignas(8) uint8_t b[XFRM_REQMAX];
	struct kern_policy p;
	struct kern_event ev;
	struct kern_sa sa;
	size_t n;

	captured_sa(&sa, 0x544c7d23, "192.0.2.2", "192.0.2.1");
	sa.esn = 1;
	sa.replay = 128;
	sa.life.soft_secs = 3000;
	sa.life.hard_secs = 3600;
	n = xfrm_put_sa(b, sizeof(b), 5, &sa, 1);
	check_same("310-u2k-xfrm-updsa-in-gcm-esn", b, n, fam, 1);
	captured_sa(&sa, 0x999, "192.0.2.1", "192.0.2.2");
	sa.life.soft_secs = 1;
	sa.life.hard_secs = 3;
	n = xfrm_put_sa(b, sizeof(b), 6, &sa, 0);
	check_same("312-u2k-xfrm-newsa-out-gcm", b, n, fam, 1);
	memset(&sa.life, 0, sizeof(sa.life));
	n = xfrm_put_sa(b, sizeof(b), 7, &sa, 0);
	check_same("314-u2k-xfrm-newsa-duplicate", b, n, fam, 1);

	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	prefix_parse(&p.src, "10.1.0.0/24");
	prefix_parse(&p.dst, "10.2.0.0/24");
	addr_parse(&p.tsrc, "192.0.2.1");
	addr_parse(&p.tdst, "192.0.2.2");
	p.reqid = 1;
	p.prio = 2080;
	n = xfrm_put_policy(b, sizeof(b), 2, &p);
	check_same("301-u2k-xfrm-newpolicy-out", b, n, out, 2);
	p.dir = KERN_IN;
	prefix_parse(&p.dst, "10.1.0.0/24");
	prefix_parse(&p.src, "10.2.0.0/24");
	addr_parse(&p.tdst, "192.0.2.1");
	addr_parse(&p.tsrc, "192.0.2.2");
	n = xfrm_put_policy(b, sizeof(b), 3, &p);
	check_same("303-u2k-xfrm-newpolicy-in", b, n, flags, 1);

	n = xfrm_put_dump(b, sizeof(b), 9, XFRM_MSG_GETSA);
	check_same("320-u2k-xfrm-getsa-dump", b, n, NULL, 0);
	n = xfrm_put_dump(b, sizeof(b), 10, XFRM_MSG_GETPOLICY);
	check_same("324-u2k-xfrm-getpolicy-dump", b, n, NULL, 0);
	addr_parse(&sa.src, "192.0.2.2");
	addr_parse(&sa.dst, "192.0.2.1");
	n = xfrm_put_delsa(b, sizeof(b), 11, 0x544c7d23, &sa.src, &sa.dst);
	check_same("331-u2k-xfrm-delsa", b, n, NULL, 0);
	n = xfrm_put_delsa(b, sizeof(b), 12, 0x544c7d23, NULL, &sa.dst);
	check_same("333-u2k-xfrm-delsa-again", b, n, NULL, 0);
	memset(&ev, 0, sizeof(ev));
	ev.src = sa.src;
	ev.dst = sa.dst;
	ev.reqid = 1;
	n = xfrm_put_allocspi(b, sizeof(b), 4, &ev, 0, 0x1000, 0xffffffff);
	check_same("308-u2k-xfrm-allocspi", b, n, fam, 2);
}

/* What we encode, the decoder gives back. */
ATF_TC_WITHOUT_HEAD(round);
ATF_TC_BODY(round, tc)
{
	static const struct {
		uint16_t encr, bits, integ;
	} suites[] = {
		{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
		{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
		{ ENCR_AES_CBC, 192, INTEG_HMAC_SHA1_96 },
		{ ENCR_AES_CTR, 256, INTEG_HMAC_SHA2_384_192 },
		{ ENCR_AES_GCM_16, 256, INTEG_NONE },
		{ ENCR_AES_GCM_12, 128, INTEG_NONE },
		{ ENCR_AES_GCM_8, 192, INTEG_NONE },
		{ ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
		{ ENCR_NULL, 0, INTEG_HMAC_SHA2_256_128 },
	};
	_Alignas(8) uint8_t b[XFRM_REQMAX], c[XFRM_REQMAX];
	struct kern_sa sa, back;
	struct kern_policy p, pback;
	struct prefix net;
	size_t i, n, cut;

	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		captured_sa(&sa, 0x10000 + (uint32_t)i, "2001:db8::1",
		    "2001:db8::2");
		sa.encr = suites[i].encr;
		sa.encr_keybits = suites[i].bits;
		sa.integ = suites[i].integ;
		sa.encr_keylen = xform_info(XF_ENCR, sa.encr,
		    sa.encr_keybits)->keylen;
		if (sa.integ != INTEG_NONE)
			sa.integ_keylen = xform_info(XF_INTEG, sa.integ,
			    0)->keylen;
		memset(sa.encr_key, 0, sizeof(sa.encr_key));
		sa.replay = (uint32_t)(i * 64);
		sa.esn = i > 0 && i % 2;
		sa.encap_sport = i % 3 ? 4500 : 0;
		sa.encap_dport = i % 3 ? 1024 : 0;
		sa.life.hard_bytes = i * 1000;
		sa.life.soft_packets = i;
		prefix_parse(&net, "10.0.0.0/8");
		ts_from_prefix(&sa.sel_src, &net, 6, 80);
		ts_from_prefix(&sa.sel_dst, &net, 6, 0);
		sa.has_sel = i % 2 == 0;
		if (!sa.has_sel) {
			memset(&sa.sel_src, 0, sizeof(sa.sel_src));
			memset(&sa.sel_dst, 0, sizeof(sa.sel_dst));
		}
		ATF_REQUIRE_EQ(0, kern_sa_check(&sa));
		n = xfrm_put_sa(b, sizeof(b), 1, &sa, 0);
		ATF_REQUIRE(n > 0);
		ATF_REQUIRE_EQ(0, xfrm_get_sa((const void *)b, &back));
		sa.state = KERN_SA_MATURE;
		sa.ipproto = IPPROTO_ESP;
		/* no decoder gives keys away */
		memset(sa.encr_key, 0, sizeof(sa.encr_key));
		ATF_CHECK_MSG(memcmp(&sa, &back, sizeof(sa)) == 0, "suite %zu", i);
		for (cut = 0; cut < n; cut++)
			ATF_CHECK_EQ(0, xfrm_put_sa(c, cut, 1, &sa, 0));
	}
	memset(&p, 0, sizeof(p));
	p.dir = KERN_FWD;
	prefix_parse(&p.src, "10.1.0.0/24");
	prefix_parse(&p.dst, "10.2.0.0/16");
	addr_parse(&p.tsrc, "2001:db8::1");
	addr_parse(&p.tdst, "2001:db8::2");
	p.proto = 17;
	p.sport = 53;
	p.prio = 7;
	p.reqid = 0x12345678;
	n = xfrm_put_policy(b, sizeof(b), 1, &p);
	ATF_REQUIRE(n > 0);
	ATF_REQUIRE_EQ(0, xfrm_get_policy((const void *)b, &pback));
	p.ipproto = IPPROTO_ESP;
	ATF_CHECK(memcmp(&p, &pback, sizeof(p)) == 0);
}

/* Protocol and ports in a policy's selector, and two hosts: no addresses in the template. */
ATF_TC_WITHOUT_HEAD(selectors);
ATF_TC_BODY(selectors, tc)
{
	struct xfrm_userpolicy_info u;
	struct xfrm_usersa_info v;
	struct xfrm_user_tmpl t;
	struct kern_policy p, back;
	struct kern_sa sa, sback;
	struct prefix net;
	struct msg m;

	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	p.proto = 6;
	p.dport = 443;
	p.transport = 1;
	p.reqid = 70000;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, "192.0.2.1"));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, "198.51.100.1"));
	m.len = xfrm_put_policy(m.b, sizeof(m.b), 1, &p);
	m.h = (const void *)m.b;
	memcpy(&u, mnl_nlmsg_get_payload(m.h), sizeof(u));
	ATF_CHECK(u.sel.proto == 6 && u.sel.sport == 0 && u.sel.sport_mask == 0);
	ATF_CHECK(u.sel.dport == htons(443) && u.sel.dport_mask == 0xffff);
	ATF_CHECK(u.sel.prefixlen_s == 32 && u.sel.prefixlen_d == 32);
	memcpy(&t, m.b + m.len - sizeof(t), sizeof(t));
	ATF_CHECK(t.mode == XFRM_MODE_TRANSPORT && t.reqid == 70000 &&
	    t.family == AF_INET && t.saddr.a4 == 0 && t.id.daddr.a4 == 0);
	ATF_REQUIRE_EQ(0, xfrm_get_policy(m.h, &back));
	ATF_CHECK(back.transport && back.proto == 6 && back.sport == 0 &&
	    back.dport == 443);
	/* an SA for part of a pair: its selector keeps the rest out */
	memset(&sa, 0, sizeof(sa));
	sa.spi = 0x10000;
	sa.proto = PROTO_ESP;
	sa.dir = KERN_OUT;
	ATF_REQUIRE_EQ(0, addr_parse(&sa.src, "192.0.2.1"));
	ATF_REQUIRE_EQ(0, addr_parse(&sa.dst, "198.51.100.1"));
	sa.encr = ENCR_AES_GCM_16;
	sa.encr_keybits = 128;
	sa.encr_keylen = 20;
	sa.has_sel = 1;
	ATF_REQUIRE_EQ(0, prefix_parse(&net, "10.1.0.0/25"));
	ts_from_prefix(&sa.sel_src, &net, 17, 0);
	ATF_REQUIRE_EQ(0, prefix_parse(&net, "10.2.0.0/24"));
	ts_from_prefix(&sa.sel_dst, &net, 17, 53);
	m.len = xfrm_put_sa(m.b, sizeof(m.b), 1, &sa, 0);
	memcpy(&v, mnl_nlmsg_get_payload(m.h), sizeof(v));
	ATF_CHECK(v.sel.proto == 17 && v.sel.prefixlen_s == 25 &&
	    v.sel.prefixlen_d == 24 && v.sel.sport_mask == 0 &&
	    v.sel.dport == htons(53) && v.sel.dport_mask == 0xffff);
	ATF_CHECK((v.flags & XFRM_STATE_AF_UNSPEC) == 0);
	ATF_REQUIRE_EQ(0, xfrm_get_sa(m.h, &sback));
	ATF_CHECK(sback.has_sel && ts_equal(&sback.sel_src, &sa.sel_src) &&
	    ts_equal(&sback.sel_dst, &sa.sel_dst));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, index);
	ATF_TP_ADD_TC(tp, acquire);
	ATF_TP_ADD_TC(tp, expire);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, framing);
	ATF_TP_ADD_TC(tp, requests);
	ATF_TP_ADD_TC(tp, round);
	ATF_TP_ADD_TC(tp, selectors);
	return (atf_no_error());
}

#else

ATF_TC_WITHOUT_HEAD(elsewhere);
ATF_TC_BODY(elsewhere, tc)
{
	atf_tc_skip("XFRM is Linux's");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, elsewhere);
	return (atf_no_error());
}

#endif
