/* SPDX-License-Identifier: ISC */
/*
 * Every message between the processes: what is written is read back, and a message
 * that is cut, prolonged or out of range is refused.
 */
#include <atf-c.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/msg.h"

static struct addr
addr_of(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, s));
	return (a);
}

static void
ts_of(struct ts *t, const char *s)
{
	struct prefix p;

	ATF_REQUIRE_EQ(0, prefix_parse(&p, s));
	ts_from_prefix(t, &p, 0, 0);
}

static void
open_msg(const struct msg *m, struct rbuf *r, size_t len)
{
	rbuf_init(r, m->b, len);
	(void)rbuf_u16(r);
}

/*
 * Any message that is shorter by one or more octets, or longer by one, is refused.
 * Only exact ones are taken.
 */
#define EXACT(m, get) do {						\
	struct rbuf r_;							\
	size_t n_;							\
									\
	ATF_REQUIRE(wbuf_ok(&(m).w));					\
	for (n_ = 2; n_ < (m).w.len; n_++) {				\
		open_msg(&(m), &r_, n_);				\
		ATF_REQUIRE_EQ_MSG(-1, get, "cut at %zu", n_);		\
	}								\
	(m).b[(m).w.len] = 0;						\
	open_msg(&(m), &r_, (m).w.len + 1);				\
	ATF_REQUIRE_EQ(-1, get);					\
	open_msg(&(m), &r_, (m).w.len);					\
	ATF_REQUIRE_EQ(0, get);						\
} while (0)

/* One octet changed to v is refused. */
#define REFUSED(m, off, v, get) do {					\
	struct rbuf r_;							\
	uint8_t old_ = (m).b[off];					\
									\
	(m).b[off] = (v);						\
	open_msg(&(m), &r_, (m).w.len);					\
	ATF_REQUIRE_EQ_MSG(-1, get, "octet %d = %d", (int)(off), (int)(v)); \
	(m).b[off] = old_;						\
} while (0)

ATF_TC_WITHOUT_HEAD(setup);
ATF_TC_BODY(setup, tc)
{
	struct setup s, t;
	struct msg m;

	(void)tc;
	memset(&s, 0, sizeof(s));
	s.role = ROLE_KERNEL;
	s.level = LOGGER_DEBUG;
	s.sandbox = 1;
	s.uid = 901;
	s.gid = 902;
	s.backend = KERN_PFKEY;
	s.port = 500;
	s.natt_port = 4500;
	(void)strlcpy(s.chroot, "/var/empty", sizeof(s.chroot));
	msg_put_setup(&m, &s);
	EXACT(m, msg_get_setup(&r_, &t));
	ATF_REQUIRE_EQ(0, memcmp(&s, &t, sizeof(s)));
	REFUSED(m, 3, MSG_VERSION + 1, msg_get_setup(&r_, &t));
	REFUSED(m, 4, ROLE_PARENT, msg_get_setup(&r_, &t));
	REFUSED(m, 4, ROLE_MAX, msg_get_setup(&r_, &t));
	REFUSED(m, 5, LOGGER_DEBUG + 1, msg_get_setup(&r_, &t));
	s.uid = 0;			/* nobody runs as root */
	msg_put_setup(&m, &s);
	REFUSED(m, 0, 0, msg_get_setup(&r_, &t));
	s.uid = 901;
	s.chroot[0] = 'v';
	msg_put_setup(&m, &s);
	REFUSED(m, 0, 0, msg_get_setup(&r_, &t));
}

ATF_TC_WITHOUT_HEAD(small);
ATF_TC_BODY(small, tc)
{
	struct reload_error e, e2;
	struct fdinfo f, f2;
	struct outcome o, o2;
	enum log_level level;
	struct msg m;
	uint64_t token;
	uint8_t v;
	char line[100];

	(void)tc;
	f.kind = FD_UDP;
	f.which = ADDR_V6;
	f.natt = 1;
	msg_put_fd(&m, &f, -1);
	EXACT(m, msg_get_fd(&r_, &f2));
	ATF_REQUIRE(f2.kind == FD_UDP && f2.which == ADDR_V6 && f2.natt == 1);
	REFUSED(m, 2, 0, msg_get_fd(&r_, &f2));
	REFUSED(m, 2, 9, msg_get_fd(&r_, &f2));
	REFUSED(m, 3, 5, msg_get_fd(&r_, &f2));
	REFUSED(m, 2, FD_LISTEN, msg_get_fd(&r_, &f2));
	REFUSED(m, 4, 7, msg_get_fd(&r_, &f2));

	msg_put_u8(&m, M_SHUTDOWN, 1);
	EXACT(m, msg_get_u8(&r_, &v, 1));
	REFUSED(m, 2, 2, msg_get_u8(&r_, &v, 1));
	msg_put_token(&m, M_RELOAD, 0x1122334455667788ULL);
	EXACT(m, msg_get_token(&r_, &token));
	ATF_REQUIRE(token == 0x1122334455667788ULL);

	msg_put_log(&m, LOGGER_INFO, "a line");
	EXACT(m, msg_get_log(&r_, &level, line, sizeof(line)));
	ATF_REQUIRE_STREQ("a line", line);
	REFUSED(m, 2, LOGGER_DEBUG + 1,
	    msg_get_log(&r_, &level, line, sizeof(line)));
	REFUSED(m, 0, 0, msg_get_log(&r_, &level, line, 6));

	memset(&e, 0, sizeof(e));
	e.token = 5;
	e.warn = 1;
	e.line = 77;
	e.col = 3;
	(void)strlcpy(e.file, "/etc/iked.conf", sizeof(e.file));
	(void)strlcpy(e.text, "what", sizeof(e.text));
	msg_put_reload_error(&m, &e);
	EXACT(m, msg_get_reload_error(&r_, &e2));
	ATF_REQUIRE_EQ(0, memcmp(&e, &e2, sizeof(e)));

	memset(&o, 0, sizeof(o));
	o.token = 9;
	o.ok = 1;
	o.code = REFUSED_DOWN;
	(void)strlcpy(o.text, "why", sizeof(o.text));
	msg_put_outcome(&m, M_COMMAND_ANS, &o);
	EXACT(m, msg_get_outcome(&r_, &o2));
	ATF_REQUIRE_EQ(0, memcmp(&o, &o2, sizeof(o)));
}

ATF_TC_WITHOUT_HEAD(keys);
ATF_TC_BODY(keys, tc)
{
	static const uint8_t octets[1000];
	struct keys_req q, q2;
	struct keys_ans a, a2;
	struct msg m;

	(void)tc;
	memset(&q, 0, sizeof(q));
	q.token = 3;
	q.gen = 4;
	q.peer = 5;
	q.op = KEYS_VERIFY;
	q.initiator = 1;
	q.prf = PRF_HMAC_SHA2_256;
	q.method = 2;
	q.msg = (struct span){ octets, 1000 };
	q.other = (struct span){ octets, 900 };
	q.nonce = (struct span){ octets, 32 };
	q.macid = (struct span){ octets, 32 };
	q.auth = (struct span){ octets, 32 };
	msg_put_keys_req(&m, &q);
	EXACT(m, msg_get_keys_req(&r_, &q2));
	ATF_REQUIRE(q2.token == 3 && q2.gen == 4 && q2.peer == 5 &&
	    q2.op == KEYS_VERIFY && q2.initiator == 1 && q2.msg.len == 1000 && q2.other.len == 900 &&
	    q2.nonce.len == 32 && q2.macid.len == 32 && q2.auth.len == 32);
	REFUSED(m, 18, 0, msg_get_keys_req(&r_, &q2));
	REFUSED(m, 18, 3, msg_get_keys_req(&r_, &q2));
	REFUSED(m, 19, 2, msg_get_keys_req(&r_, &q2));
	q.nonce.len = 257;
	msg_put_keys_req(&m, &q);
	REFUSED(m, 0, 0, msg_get_keys_req(&r_, &q2));

	memset(&a, 0, sizeof(a));
	a.token = 3;
	a.ok = 1;
	a.method = 2;
	a.len = 64;
	memset(a.auth, 7, 64);
	msg_put_keys_ans(&m, &a);
	EXACT(m, msg_get_keys_ans(&r_, &a2));
	ATF_REQUIRE_EQ(0, memcmp(&a, &a2, sizeof(a)));
	REFUSED(m, 10, 2, msg_get_keys_ans(&r_, &a2));
	REFUSED(m, 12, 2, msg_get_keys_ans(&r_, &a2));
	/* Only exactly 1 is a success, on the sender's side too. */
	a.ok = -1;
	msg_put_keys_ans(&m, &a);
	EXACT(m, msg_get_keys_ans(&r_, &a2));
	ATF_REQUIRE_EQ(0, a2.ok);
}

static void
fill_req(struct kernel_req *q)
{
	memset(q, 0, sizeof(*q));
	q->token = 11;
	q->gen = 12;
	q->tunnel = 13;
	q->op = KREQ_SA_ADD;
	q->sa.spi = 0x12345678;
	q->sa.proto = PROTO_ESP;
	q->sa.dir = KERN_OUT;
	q->sa.src = addr_of("192.0.2.1");
	q->sa.dst = addr_of("2001:db8::1");
	q->sa.encr = ENCR_AES_CBC;
	q->sa.encr_keybits = 256;
	q->sa.integ = INTEG_HMAC_SHA2_256_128;
	q->sa.encr_keylen = 32;
	q->sa.integ_keylen = 32;
	memset(q->sa.encr_key, 0xaa, 32);
	memset(q->sa.integ_key, 0xbb, 32);
	q->sa.replay = 64;
	q->sa.encap_sport = 4500;
	q->sa.encap_dport = 4501;
	q->sa.has_sel = 1;
	ts_of(&q->sa.sel_src, "10.1.0.0/24");
	ts_of(&q->sa.sel_dst, "10.2.0.0/24");
	q->sa.life.hard_secs = 3600;
	q->sa.life.soft_bytes = 1ULL << 40;
	q->moved = 1;
	q->tsl.n = q->tsr.n = 2;
	ts_of(&q->tsl.t[0], "10.1.0.0/24");
	ts_of(&q->tsl.t[1], "2001:db8:1::/64");
	ts_of(&q->tsr.t[0], "10.2.0.0/24");
	ts_of(&q->tsr.t[1], "2001:db8:2::/64");
}

ATF_TC_WITHOUT_HEAD(counters_of_many);
ATF_TC_BODY(counters_of_many, tc)
{
	static struct kernel_count q, q2;
	static struct kernel_counted a, a2;
	struct msg m;
	int i;

	(void)tc;
	memset(&q, 0, sizeof(q));
	memset(&q2, 0, sizeof(q2));
	memset(&a, 0, sizeof(a));
	memset(&a2, 0, sizeof(a2));
	q.token = a.token = 9;
	q.gen = 3;
	q.n = a.n = COUNT_MAX;
	for (i = 0; i < COUNT_MAX; i++) {
		q.a[i].tunnel = (uint32_t)i;
		q.a[i].spi_in = 0x10000 + (uint32_t)i;
		q.a[i].spi_out = i % 3 ? 0x20000 : 0;
		q.a[i].local = addr_of(i % 2 ? "192.0.2.1" : "2001:db8::1");
		q.a[i].remote = addr_of(i % 2 ? "192.0.2.9" : "2001:db8::9");
		q.a[i].moved = i % 5 == 0;
		a.in[i].err = i % 7 ? 0 : ESRCH;
		a.in[i].bytes = 1ULL << i;
		a.out[i].packets = (uint64_t)i << 40;
	}
	msg_put_kernel_count(&m, &q);
	EXACT(m, msg_get_kernel_count(&r_, &q2));
	ATF_REQUIRE_EQ(0, memcmp(&q, &q2, sizeof(q)));
	REFUSED(m, 14, 0, msg_get_kernel_count(&r_, &q2));	/* none */
	REFUSED(m, 14, COUNT_MAX + 1, msg_get_kernel_count(&r_, &q2));
	REFUSED(m, 14, COUNT_MAX - 1, msg_get_kernel_count(&r_, &q2));
	REFUSED(m, 27, 5, msg_get_kernel_count(&r_, &q2));	/* family */
	msg_put_kernel_counted(&m, &a);
	EXACT(m, msg_get_kernel_counted(&r_, &a2));
	ATF_REQUIRE_EQ(0, memcmp(&a, &a2, sizeof(a)));
	REFUSED(m, 10, 0, msg_get_kernel_counted(&r_, &a2));
	REFUSED(m, 10, COUNT_MAX + 1, msg_get_kernel_counted(&r_, &a2));
	REFUSED(m, 10, COUNT_MAX - 1, msg_get_kernel_counted(&r_, &a2));
	REFUSED(m, 11, 0x80, msg_get_kernel_counted(&r_, &a2));	/* errno */
}

ATF_TC_WITHOUT_HEAD(kernel);
ATF_TC_BODY(kernel, tc)
{
	struct kernel_req q, q2;
	struct kernel_ans a, a2;
	struct addrs al, al2;
	int i;
	struct acquire ac, ac2;
	struct expire e, e2;
	struct mapping p, p2;
	struct msg m;

	(void)tc;
	fill_req(&q);
	q.sa.reqid = 99;		/* ike has no say in it: not sent */
	msg_put_kernel_req(&m, &q);
	EXACT(m, msg_get_kernel_req(&r_, &q2));
	ATF_REQUIRE_EQ(0, q2.sa.reqid);
	q.sa.reqid = 0;
	ATF_REQUIRE_EQ(0, memcmp(&q, &q2, sizeof(q)));
	REFUSED(m, 18, 0, msg_get_kernel_req(&r_, &q2));
	REFUSED(m, 18, 7, msg_get_kernel_req(&r_, &q2));
	REFUSED(m, 24, KERN_FWD, msg_get_kernel_req(&r_, &q2));
	REFUSED(m, 25, 5, msg_get_kernel_req(&r_, &q2));	/* family */
	q.sa.encr_keylen = KERN_KEYMAX + 1;
	msg_put_kernel_req(&m, &q);
	ATF_REQUIRE(!wbuf_ok(&m.w));
	/* The longest there is fits. */
	fill_req(&q);
	while (q.tsl.n < TS_MAX) {
		q.tsl.t[q.tsl.n++] = q.tsl.t[1];
		q.tsr.t[q.tsr.n++] = q.tsr.t[1];
	}
	msg_put_kernel_req(&m, &q);
	EXACT(m, msg_get_kernel_req(&r_, &q2));

	memset(&a, 0, sizeof(a));
	a.token = 8;
	a.err = EEXIST;
	(void)strlcpy(a.what, "words", sizeof(a.what));
	a.bytes = 1ULL << 50;
	a.packets = 77;
	a.usetime = 1;
	a.src = addr_of("192.0.2.7");
	msg_put_kernel_ans(&m, &a);
	EXACT(m, msg_get_kernel_ans(&r_, &a2));
	ATF_REQUIRE_EQ(0, memcmp(&a, &a2, sizeof(a)));
	REFUSED(m, 10, 0x80, msg_get_kernel_ans(&r_, &a2));

	memset(&al, 0, sizeof(al));
	al.n = MSG_ADDRS;
	for (i = 0; i < MSG_ADDRS; i++)
		al.a[i] = addr_of(i % 2 ? "192.0.2.1" : "2001:db8::1");
	msg_put_addrs(&m, &al);
	EXACT(m, msg_get_addrs(&r_, &al2));
	ATF_REQUIRE_EQ(0, memcmp(&al, &al2, sizeof(al)));
	REFUSED(m, 2, MSG_ADDRS + 1, msg_get_addrs(&r_, &al2));
	REFUSED(m, 3, 0, msg_get_addrs(&r_, &al2));

	memset(&ac, 0, sizeof(ac));
	ac.gen = 1;
	ac.tunnel = 2;
	ac.seq = 3;
	msg_put_acquire(&m, &ac);
	EXACT(m, msg_get_acquire(&r_, &ac2));
	ac.has_sel = 1;
	ts_of(&ac.src, "10.1.0.1/32");
	ts_of(&ac.dst, "10.2.0.1/32");
	msg_put_acquire(&m, &ac);
	EXACT(m, msg_get_acquire(&r_, &ac2));
	ATF_REQUIRE_EQ(0, memcmp(&ac, &ac2, sizeof(ac)));

	memset(&e, 0, sizeof(e));
	e.spi = 0x1000;
	e.dst = addr_of("192.0.2.9");
	e.hard = 1;
	msg_put_expire(&m, &e);
	EXACT(m, msg_get_expire(&r_, &e2));
	ATF_REQUIRE(e2.spi == e.spi && e2.hard == 1 &&
	    addr_cmp(&e.dst, &e2.dst) == 0);

	memset(&p, 0, sizeof(p));
	p.spi = 0x1001;
	p.newsrc.addr = addr_of("192.0.2.9");
	p.newsrc.port = 1234;
	msg_put_mapping(&m, &p);
	EXACT(m, msg_get_mapping(&r_, &p2));
	ATF_REQUIRE_EQ(0, endpoint_cmp(&p.newsrc, &p2.newsrc));
}

ATF_TC_WITHOUT_HEAD(caps);
ATF_TC_BODY(caps, tc)
{
	struct kern_caps c, c2;
	struct msg m;
	char name[64];
	size_t i;

	(void)tc;
	memset(&c, 0, sizeof(c));
	c.backend = KERN_XFRM;
	c.name = "XFRM";
	c.reqid_max = UINT32_MAX;
	c.esn = c.has_fwd = 1;
	c.replay_max = 4096;
	c.nalgs = 64;
	for (i = 0; i < c.nalgs; i++) {
		c.algs[i].type = i % 2 ? XF_ENCR : XF_INTEG;
		c.algs[i].id = (uint16_t)i;
		c.algs[i].keybits = (uint16_t)(i * 8);
	}
	msg_put_caps(&m, &c);
	EXACT(m, msg_get_caps(&r_, &c2, name, sizeof(name)));
	ATF_REQUIRE_STREQ("XFRM", c2.name);
	ATF_REQUIRE_EQ(64, c2.nalgs);
	ATF_REQUIRE(c2.algs[63].id == 63 && c2.algs[63].keybits == 504);
	REFUSED(m, 2, 3, msg_get_caps(&r_, &c2, name, sizeof(name)));
	REFUSED(m, 20, 65, msg_get_caps(&r_, &c2, name, sizeof(name)));
}

static void
fill_show(struct show_rec *rec, enum show_kind kind)
{
	size_t i;

	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;
	switch (kind) {
	case SHOWK_TUNNEL:
		(void)strlcpy(rec->u.tunnel.name, "boise",
		    sizeof(rec->u.tunnel.name));
		rec->u.tunnel.mode = MODE_ONDEMAND;
		rec->u.tunnel.state = SHOW_BACKOFF;
		rec->u.tunnel.wake = WAKE_ACQUIRE;
		rec->u.tunnel.since_ms = 4711;
		memset(rec->u.tunnel.wait_for, 'w',
		    sizeof(rec->u.tunnel.wait_for) - 1);
		memset(rec->u.tunnel.error, 'e',
		    sizeof(rec->u.tunnel.error) - 1);
		rec->u.tunnel.local.addr = addr_of("192.0.2.1");
		rec->u.tunnel.remote.addr = addr_of("198.51.100.1");
		for (i = 0; i < TS_MAX; i++) {
			ts_of(&rec->u.tunnel.from.t[i], "2001:db8:1::/64");
			ts_of(&rec->u.tunnel.to.t[i], "2001:db8:2::/64");
		}
		rec->u.tunnel.from.n = rec->u.tunnel.to.n = TS_MAX;
		rec->u.tunnel.ike_spii = UINT64_MAX;
		rec->u.tunnel.packets_out = 5;
		rec->u.tunnel.keepalive = 1;
		break;
	case SHOWK_PEER:
		rec->u.peer.local.addr = addr_of("192.0.2.1");
		rec->u.peer.remote.port = 4500;
		ATF_REQUIRE_EQ(0, ident_parse(&rec->u.peer.srcid,
		    "boise.example.com"));
		rec->u.peer.spii = 1;
		rec->u.peer.initiator = 1;
		(void)strlcpy(rec->u.peer.state, "established",
		    sizeof(rec->u.peer.state));
		rec->u.peer.suite.encr = ENCR_AES_GCM_16;
		rec->u.peer.natt_remote = 1;
		rec->u.peer.last_seen_ms = 9;
		break;
	case SHOWK_SA:
		(void)strlcpy(rec->u.sa.tunnel, "boise",
		    sizeof(rec->u.sa.tunnel));
		rec->u.sa.spi_in = 0x10001;
		rec->u.sa.tsl.n = 1;
		ts_of(&rec->u.sa.tsl.t[0], "10.1.0.0/24");
		(void)strlcpy(rec->u.sa.state, "installed",
		    sizeof(rec->u.sa.state));
		rec->u.sa.out_idle_ms = 12;
		break;
	case SHOWK_STATS:
		rec->u.stats.rx = 1;
		rec->u.stats.nchild = 1ULL << 40;
		break;
	case SHOWK_PLAN:
		(void)strlcpy(rec->u.plan.name, "t", sizeof(rec->u.plan.name));
		rec->u.plan.change = CHANGE_REPLACED;
		rec->u.plan.fields = 1U << CF_FULL | 1U << CF_MODE;
		rec->u.plan.up = 1;
		break;
	}
}

static int
one_rec(struct rbuf *r, struct told_rec *rec)
{
	return (get_show_rec(r, rec) == -1 ? -1 : get_end(r));
}

ATF_TC_WITHOUT_HEAD(show);
ATF_TC_BODY(show, tc)
{
	struct told_rec a, b;
	struct show_event e, e2;
	struct show_ask s, s2;
	uint32_t lost;
	struct slice sl, sl2;
	struct rbuf r;
	struct msg m;
	int k;

	(void)tc;
	for (k = SHOWK_TUNNEL; k <= SHOWK_PLAN; k++) {
		memset(&a, 0, sizeof(a));
		fill_show(&a.rec, (enum show_kind)k);
		if (k == SHOWK_TUNNEL) {
			a.icmp.by = addr_of("192.0.2.9");
			a.icmp.type = 3;
			a.icmp.code = 13;
			a.icmp.ago_ms = 1ULL << 33;
		}
		msg_start(&m, M_SHOW_RECS);
		put_show_rec(&m.w, &a);
		ATF_REQUIRE(m.w.len < SHOW_RECMAX);
		EXACT(m, one_rec(&r_, &b));
		ATF_REQUIRE_EQ(0, memcmp(&a, &b, sizeof(a)));
		REFUSED(m, 2, 0, one_rec(&r_, &b));
		REFUSED(m, 2, 6, one_rec(&r_, &b));
	}
	memset(&e, 0, sizeof(e));
	e.type = EVENT_FAILURE;
	(void)strlcpy(e.tunnel, "t", sizeof(e.tunnel));
	(void)strlcpy(e.text, "why", sizeof(e.text));
	e.spi_in = 7;
	msg_put_event(&m, &e, 9);
	EXACT(m, msg_get_event(&r_, &e2, &lost));
	ATF_REQUIRE(memcmp(&e, &e2, sizeof(e)) == 0 && lost == 9);
	REFUSED(m, 2, 0, msg_get_event(&r_, &e2, &lost));
	REFUSED(m, 2, 5, msg_get_event(&r_, &e2, &lost));
	s.token = 1;
	s.cursor = 2;
	s.kind = SHOWK_TUNNEL;
	memset(s.name, 0, sizeof(s.name));
	(void)strlcpy(s.name, "b", sizeof(s.name));
	msg_put_show(&m, &s);
	EXACT(m, msg_get_show(&r_, &s2));
	ATF_REQUIRE_STREQ("b", s2.name);
	REFUSED(m, 18, 0, msg_get_show(&r_, &s2));
	REFUSED(m, 18, 6, msg_get_show(&r_, &s2));
	/* The head of a slice is written last. */
	memset(&sl, 0, sizeof(sl));
	msg_put_slice(&m, M_SHOW_RECS, &sl);
	put_show_rec(&m.w, &a);
	sl.token = 6;
	sl.cursor = 7;
	sl.more = 1;
	sl.n = 1;
	msg_patch_slice(&m, &sl);
	open_msg(&m, &r, m.w.len);
	ATF_REQUIRE_EQ(0, msg_get_slice(&r, &sl2));
	ATF_REQUIRE(sl2.token == 6 && sl2.cursor == 7 && sl2.more == 1 &&
	    sl2.n == 1);
	ATF_REQUIRE_EQ(0, one_rec(&r, &b));
}

static int
one_policy(struct rbuf *r, struct policy_rec *p)
{
	return (get_policy_rec(r, p) == -1 ? -1 : get_end(r));
}

ATF_TC_WITHOUT_HEAD(control);
ATF_TC_BODY(control, tc)
{
	struct counters_ask ca, ca2;
	struct counters_ans cn, cn2;
	struct policy_ask pa, pa2;
	struct policy_rec p, p2;
	struct command c, c2;
	struct msg m;

	(void)tc;
	memset(&c, 0, sizeof(c));
	c.token = 1;
	c.cmd = CMD_REKEY_IKE;
	c.who = WAKE_KEEPALIVE;
	(void)strlcpy(c.name, "boise", sizeof(c.name));
	msg_put_command(&m, &c);
	EXACT(m, msg_get_command(&r_, &c2));
	ATF_REQUIRE_EQ(0, memcmp(&c, &c2, sizeof(c)));
	REFUSED(m, 10, 0, msg_get_command(&r_, &c2));
	REFUSED(m, 10, CMD_LAST + 1, msg_get_command(&r_, &c2));
	REFUSED(m, 11, WAKE_PEER, msg_get_command(&r_, &c2));
	REFUSED(m, 15, 0, msg_get_command(&r_, &c2));	/* NUL in a name */

	memset(&ca, 0, sizeof(ca));
	ca.token = 4;
	memset(ca.name, 'n', sizeof(ca.name) - 1);
	msg_put_counters(&m, &ca);
	EXACT(m, msg_get_counters(&r_, &ca2));
	ATF_REQUIRE_EQ(0, memcmp(&ca, &ca2, sizeof(ca)));
	memset(&cn, 0, sizeof(cn));
	cn.token = 5;
	cn.c.err = ENOENT;
	cn.c.packets_out = 12;
	cn.c.ike_up = 1;
	cn.c.last_in_ms = 77;
	ATF_REQUIRE_EQ(0, addr_parse(&cn.c.given[0], "10.9.0.1"));
	ATF_REQUIRE_EQ(0, addr_parse(&cn.c.given[1], "2001:db8::9"));
	msg_put_counters_ans(&m, &cn);
	EXACT(m, msg_get_counters_ans(&r_, &cn2));
	ATF_REQUIRE_EQ(0, memcmp(&cn, &cn2, sizeof(cn)));

	pa.token = 1;
	pa.cursor = 1ULL << 33;
	msg_put_policies(&m, M_POLICIES, &pa);
	EXACT(m, msg_get_policies(&r_, &pa2));
	ATF_REQUIRE(pa2.cursor == pa.cursor);
	memset(&p, 0, sizeof(p));
	memset(p.tunnel, 't', sizeof(p.tunnel) - 1);
	p.dir = KERN_FWD;
	p.action = KERN_DISCARD;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, "2001:db8::/32"));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, "2001:db8:1::/48"));
	p.reqid = 5;
	p.prio = 6;
	p.local = addr_of("2001:db8::1");
	p.remote = addr_of("2001:db8::2");
	p.installed = 1;
	memset(p.backend, 'b', sizeof(p.backend) - 1);
	msg_start(&m, M_POLICY_RECS);
	put_policy_rec(&m.w, &p);
	ATF_REQUIRE(m.w.len < POLICY_RECMAX);
	EXACT(m, one_policy(&r_, &p2));
	ATF_REQUIRE_EQ(0, memcmp(&p, &p2, sizeof(p)));
	REFUSED(m, 67, 0, one_policy(&r_, &p2));
	REFUSED(m, 67, 4, one_policy(&r_, &p2));
	REFUSED(m, 68, 3, one_policy(&r_, &p2));
}

static int
one_system(struct rbuf *r, struct system_rec *s)
{
	return (get_system_rec(r, s) == -1 ? -1 : get_end(r));
}

/* What the system has. */
ATF_TC_WITHOUT_HEAD(system_rec);
ATF_TC_BODY(system_rec, tc)
{
	struct system_rec s, s2;
	struct msg m;

	(void)tc;
	memset(&s, 0, sizeof(s));
	s.what = SYSTEM_POLICY;
	s.whose = SYSTEM_MISSING;
	memset(s.tunnel, 't', sizeof(s.tunnel) - 1);
	s.ipproto = 50;
	s.transport = s.othermode = s.encap = 1;
	s.dir = KERN_FWD;
	s.action = KERN_DISCARD;
	ATF_REQUIRE_EQ(0, prefix_parse(&s.src, "2001:db8::/32"));
	ATF_REQUIRE_EQ(0, prefix_parse(&s.dst, "2001:db8:1::/48"));
	s.local = addr_of("2001:db8::1");
	s.remote = addr_of("2001:db8::2");
	s.spi = UINT32_MAX;
	s.reqid = 1;
	s.prio = 2;
	s.mark = 3;
	s.if_id = 4;
	s.proto = 5;
	s.sport = 6;
	s.dport = 7;
	s.bytes = 8;
	s.packets = 9;
	s.age_ms = 10;
	s.expires_in_ms = UINT64_MAX;
	memset(s.suite, 's', sizeof(s.suite) - 1);
	msg_start(&m, M_SYSTEM_RECS);
	put_system_rec(&m.w, &s);
	ATF_REQUIRE(m.w.len < SYSTEM_RECMAX);
	EXACT(m, one_system(&r_, &s2));
	ATF_REQUIRE_EQ(0, memcmp(&s, &s2, sizeof(s)));
	REFUSED(m, 2, 0, one_system(&r_, &s2));
	REFUSED(m, 2, 3, one_system(&r_, &s2));
	REFUSED(m, 3, 0, one_system(&r_, &s2));
	REFUSED(m, 3, 5, one_system(&r_, &s2));
	REFUSED(m, 72, 4, one_system(&r_, &s2));
	REFUSED(m, 73, 3, one_system(&r_, &s2));
}

static const char text[] =
    "ikev2 \"one\" from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 "
    "peer 198.51.100.1 psk \"twenty characters at least\"\n"
    "ikev2 \"two\" from 10.1.0.0/24 to 10.3.0.0/24 local 192.0.2.1 "
    "peer 203.0.113.1 psk \"twenty characters too yes\"\n";

/* Secrets go to whom they are meant for, and to nobody else. */
ATF_TC_WITHOUT_HEAD(conf);
ATF_TC_BODY(conf, tc)
{
	static struct conf_errors errs;
	struct confout out;
	struct confin in;
	struct conf *c, *got;
	struct rbuf r;
	struct msg m;
	int secrets, rv, n, found;

	(void)tc;
	c = conf_parse("t", text, strlen(text), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s", errs.e[0].text);
	c->gen = 17;
	for (secrets = 0; secrets < 2; secrets++) {
		memset(&out, 0, sizeof(out));
		memset(&in, 0, sizeof(in));
		out.conf = c;
		out.flags = secrets ? CONF_WITH_SECRETS : 0;
		out.keep = 16;
		n = found = rv = 0;
		got = NULL;
		while (confout_next(&out, &m)) {
			ATF_REQUIRE(wbuf_ok(&m.w));
			if (memmem(m.b, m.w.len, "twenty", 6) != NULL)
				found++;
			rbuf_init(&r, m.b, m.w.len);
			rv = confin_message(&in, rbuf_u16(&r), &r, &got);
			ATF_REQUIRE(rv >= 0);
			n++;
		}
		ATF_REQUIRE_EQ(6, n);
		ATF_REQUIRE_EQ(1, rv);
		ATF_REQUIRE_EQ(secrets ? 2 : 0, found);
		ATF_REQUIRE_EQ(17, got->gen);
		ATF_REQUIRE_EQ(16, in.keep);
		ATF_REQUIRE_EQ(2, got->npeers);
		ATF_REQUIRE_EQ(2, got->ntunnels);
		ATF_REQUIRE_EQ(secrets ? c->peers[0].psklen : 0,
		    got->peers[0].psklen);
		ATF_REQUIRE_STREQ("two", got->tunnels[1].name);
		conf_free(got);
	}
	/* Out of order, twice, or cut short. */
	memset(&out, 0, sizeof(out));
	memset(&in, 0, sizeof(in));
	out.conf = c;
	ATF_REQUIRE_EQ(1, confout_next(&out, &m));
	rbuf_init(&r, m.b, m.w.len);
	ATF_REQUIRE_EQ(0, confin_message(&in, rbuf_u16(&r), &r, &got));
	rbuf_init(&r, m.b, m.w.len);
	ATF_REQUIRE_EQ(-1, confin_message(&in, rbuf_u16(&r), &r, &got));
	out.peer = c->npeers;
	out.tunnel = c->ntunnels;
	ATF_REQUIRE_EQ(1, confout_next(&out, &m));
	rbuf_init(&r, m.b, m.w.len);
	ATF_REQUIRE_EQ(-1, confin_message(&in, rbuf_u16(&r), &r, &got));
	confin_reset(&in);
	memset(&out, 0, sizeof(out));
	out.conf = c;
	out.begun = 1;
	ATF_REQUIRE_EQ(1, confout_next(&out, &m));
	rbuf_init(&r, m.b, m.w.len);
	ATF_REQUIRE_EQ(-1, confin_message(&in, rbuf_u16(&r), &r, &got));
	conf_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, setup);
	ATF_TP_ADD_TC(tp, small);
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, counters_of_many);
	ATF_TP_ADD_TC(tp, kernel);
	ATF_TP_ADD_TC(tp, caps);
	ATF_TP_ADD_TC(tp, show);
	ATF_TP_ADD_TC(tp, control);
	ATF_TP_ADD_TC(tp, system_rec);
	ATF_TP_ADD_TC(tp, conf);
	return (atf_no_error());
}
