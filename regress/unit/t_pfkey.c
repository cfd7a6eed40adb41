/* SPDX-License-Identifier: ISC */
/*
 * PF_KEY's bytes: every captured message decodes to what its INDEX says, encodes
 * to itself again, and what we would send for the same request is the same but
 * for the checked-in differences.
 */

#include <atf-c.h>
#include <errno.h>
#include <string.h>

#include "pfgolden.h"

#define DIR		REGRESS_DATA "/pfkey"
#define TEXT		16384

/* The deliberately wrong ones, and why they are refused. */
static const struct {
	const char	*file, *why;
} refused[] = {
	{ "110-u2k-bad-version.bin", "not version 2" },
	{ "111-u2k-bad-len.bin", "length is not the datagram's" },
	{ "113-u2k-bad-type.bin", "unknown message type" },
	{ "114-u2k-dup-extension.bin", "extension twice" },
};

static const char *
refusal(const char *file)
{
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(refused[i].file, file) == 0)
			return (refused[i].why);
	return (NULL);
}

static FILE *
open_index(const char *dir)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/INDEX.txt", dir);
	ATF_REQUIRE_MSG((f = fopen(path, "r")) != NULL, "%s", path);
	return (f);
}

static void
check_again(const struct pfkey_dialect *d, const struct golden *g,
    const struct pfkey_msg *m)
{
	uint8_t out[4096];
	struct wbuf w;

	wbuf_init(&w, out, sizeof(out));
	ATF_CHECK_MSG(pfkey_encode(d, m, &w) == 0, "%s: not encoded", g->file);
	/* The kernel left an octet of its memory in the padding of DST here. */
	if (strcmp(g->file, "234-k2u-acquire-esp6.bin") == 0)
		out[0x5c] = 7;
	ATF_CHECK_MSG(w.len == g->len && memcmp(out, g->buf, g->len) == 0,
	    "%s: encoded again it is something else", g->file);
}

/* Decode, compare with the INDEX, encode again. */
static void
check_dir(const struct pfkey_dialect *d, const char *dir, int want, int wantbad)
{
	static struct golden g;
	char text[TEXT];
	struct pfkey_msg m;
	const char *why, *bad;
	FILE *f = open_index(dir);
	int n = 0, nbad = 0;

	while (golden_next(f, dir, &g)) {
		n++;
		bad = refusal(g.file);
		if (pfkey_decode(d, g.buf, g.len, &m, &why) == -1) {
			nbad++;
			ATF_CHECK_MSG(bad != NULL && strcmp(bad, why) == 0,
			    "%s: refused: %s", g.file, why);
			continue;
		}
		ATF_CHECK_MSG(bad == NULL, "%s: not refused", g.file);
		golden_render(&m, g.len, text, sizeof(text));
		ATF_CHECK_MSG(strcmp(text, g.text) == 0,
		    "%s: INDEX says\n%sdecoded\n%s", g.file, g.text, text);
		check_again(d, &g, &m);
	}
	fclose(f);
	ATF_CHECK_EQ(want, n);
	ATF_CHECK_EQ(wantbad, nbad);
}

ATF_TC_WITHOUT_HEAD(decode_linux);
ATF_TC_BODY(decode_linux, tc)
{
	check_dir(&pfkey_linux, DIR, 267, 4);
}

ATF_TC_WITHOUT_HEAD(decode_freebsd);
ATF_TC_BODY(decode_freebsd, tc)
{
	check_dir(&pfkey_freebsd, DIR "/freebsd", 13, 0);
}

/* --- the same requests, made by us --- */

static void
take_key(uint8_t *dst, const struct pfkey_key *k)
{
	if (k->key.len > 0 && k->key.len <= KERN_KEYMAX)
		memcpy(dst, k->key.p, k->key.len);
}

/* The API's call for a captured request, as a message of ours.  0, or -1 when the
 * API has no such call. */
static int
ours(const struct pfkey_dialect *d, const struct pfkey_msg *m,
    struct pfkey_msg *out, struct kern_sa *sa)
{
	struct pfkey_dialect with_errno = *d;
	struct kern_policy p;
	struct kern_event ev;
	uint32_t spi;

	if (m->satype != PFS_ESP && m->type != PFM_SPDADD &&
	    m->type != PFM_SPDUPDATE && m->type != PFM_SPDDELETE &&
	    m->type != PFM_SPDDUMP && m->type != PFM_DUMP)
		return (-1);
	switch (m->type) {
	case PFM_REGISTER:
	case PFM_DUMP:
	case PFM_SPDDUMP:
		pfkey_req_plain(out, m->type);
		return (0);
	case PFM_ADD:
	case PFM_UPDATE:
		if (pfkey_get_sa(d, m, sa) == -1)
			return (-1);
		take_key(sa->encr_key, &m->kenc);
		take_key(sa->integ_key, &m->kauth);
		/* Some captured SPIs are below 256, which sa_check refuses. */
		spi = sa->spi;
		sa->spi |= 0x10000;
		if (kern_sa_check(sa) == -1)
			return (-1);
		sa->spi = spi;
		return (pfkey_req_sa(d, out, sa, m->type == PFM_UPDATE));
	case PFM_DELETE:
	case PFM_GET:
		if (pfkey_get_sa(d, m, sa) == -1)
			return (-1);
		return (pfkey_req_said(d, out, m->type, sa->spi, &sa->src,
		    &sa->dst));
	case PFM_SPDADD:
	case PFM_SPDUPDATE:
	case PFM_SPDDELETE:
		if (pfkey_get_policy(d, m, &p) != 0 || kern_policy_check(&p) == -1)
			return (-1);
		return (pfkey_req_policy(d, out, m->type == PFM_SPDDELETE ?
		    PFM_SPDDELETE : PFM_SPDUPDATE, &p));
	case PFM_ACQUIRE:
		/* Not Linux's way of ours, but its bytes are these. */
		with_errno.acquire_spi = 0;
		memset(&ev, 0, sizeof(ev));
		return (pfkey_req_acquire(&with_errno, out, &ev, 0, 0, 0));
	case PFM_GETSPI:
		memset(&ev, 0, sizeof(ev));
		ev.src = m->src.ep.addr;
		ev.dst = m->dst.ep.addr;
		ev.seq = m->seq;
		ev.reqid = m->sa2.reqid;
		return (pfkey_req_acquire(d, out, &ev,
		    m->sa2.mode == PF_MODE_TRANSPORT, m->spirange.min,
		    m->spirange.max));
	}
	return (-1);
}

struct tally {
	int	requests, same, differ, none;
};

static void
check_request(const struct pfkey_dialect *d, const struct golden *g,
    struct diffs *diffs, struct tally *t)
{
	static char theirs[TEXT], text[TEXT];
	char fields[4096];
	struct pfkey_msg m, o, back;
	struct kern_sa sa;
	struct wbuf w;
	const char *why;
	uint8_t out[4096];

	t->requests++;
	text[0] = '\0';
	ATF_REQUIRE_EQ(0, pfkey_decode(d, g->buf, g->len, &m, &why));
	golden_render(&m, g->len, theirs, sizeof(theirs));
	if (ours(d, &m, &o, &sa) == -1) {
		t->none++;
		strlcpy(fields, "whole", sizeof(fields));
	} else {
		o.seq = m.seq;
		o.pid = m.pid;
		wbuf_init(&w, out, sizeof(out));
		ATF_REQUIRE_MSG(pfkey_encode(d, &o, &w) == 0, "%s", g->file);
		if (w.len == g->len && memcmp(out, g->buf, g->len) == 0) {
			t->same++;
			return;
		}
		t->differ++;
		ATF_REQUIRE_MSG(pfkey_decode(d, out, w.len, &back, &why) == 0,
		    "%s: we cannot read our own: %s", g->file, why);
		golden_render(&back, w.len, text, sizeof(text));
		golden_diff(theirs, text, fields, sizeof(fields));
		ATF_CHECK_MSG(fields[0] != '\0',
		    "%s: other octets, but no field differs", g->file);
	}
	diffs_apply(diffs, g->file, fields, sizeof(fields));
	ATF_CHECK_MSG(fields[0] == '\0', "%s: not in differences.txt:\n%s"
	    "captured:\n%s ours:\n%s", g->file, fields, theirs, text);
}

static void
check_unused(const struct diffs *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		ATF_CHECK_MSG(d->row[i].used, "nobody needs the row %s %s",
		    d->row[i].pattern, d->row[i].field);
}

ATF_TC_WITHOUT_HEAD(requests_linux);
ATF_TC_BODY(requests_linux, tc)
{
	static struct golden g;
	static struct diffs d;
	struct tally t = { 0, 0, 0, 0 };
	FILE *f = open_index(DIR);

	diffs_read(&d, DIR "/differences.txt");
	while (golden_next(f, DIR, &g))
		if (strstr(g.file, "-u2k-") != NULL && refusal(g.file) == NULL)
			check_request(&pfkey_linux, &g, &d, &t);
	fclose(f);
	check_unused(&d);
	printf("%d requests: %d the same octets, %d differ as listed, %d not ours\n",
	    t.requests, t.same, t.differ, t.none);
	ATF_CHECK(t.same >= 40);
}

/* There are no captured FreeBSD requests; what the kernel echoes with an error is
 * one, and a dumped SA or policy must go back in as it came. */
ATF_TC_WITHOUT_HEAD(requests_freebsd);
ATF_TC_BODY(requests_freebsd, tc)
{
	static struct golden g;
	static struct diffs d;
	struct tally t = { 0, 0, 0, 0 };
	struct pfkey_msg m;
	const char *why;
	FILE *f = open_index(DIR "/freebsd");
	uint8_t type;
	int v6;

	diffs_read(&d, DIR "/freebsd/differences.txt");
	while (golden_next(f, DIR "/freebsd", &g)) {
		ATF_REQUIRE_EQ(0, pfkey_decode(&pfkey_freebsd, g.buf, g.len, &m,
		    &why));
		type = m.type == PFM_SPDDUMP ? PFM_SPDADD :
		    m.type == PFM_DUMP && m.next > 0 ? PFM_ADD : m.type;
		if (type == PFM_REGISTER || type == PFM_GETSPI ||
		    type == PFM_EXPIRE || type == PFM_ACQUIRE ||
		    type == PFM_SPDEXPIRE)
			continue;
		g.buf[1] = type;
		/* These reqids (16389, ...) are above the 16383 we send. */
		v6 = g.buf[0x18] == 28;
		if (type == PFM_SPDADD && g.buf[v6 ? 0x67 : 0x47] == 1)
			g.buf[v6 ? 0x77 : 0x57] = 0x0f;
		check_request(&pfkey_freebsd, &g, &d, &t);
	}
	fclose(f);
	check_unused(&d);
	ATF_CHECK_EQ(7, t.requests);
}

/* FreeBSD's own ways, byte by byte. */
ATF_TC_WITHOUT_HEAD(encode_freebsd);
ATF_TC_BODY(encode_freebsd, tc)
{
	static const uint8_t add[] = {
		0x02, 0x03, 0x00, 0x03, 0x14, 0x00, 0x00, 0x00,
		0x07, 0x00, 0x00, 0x00, 0x39, 0x30, 0x00, 0x00,
		/* SA: window of 4096 packets does not fit 255 octets; ESN */
		0x02, 0x00, 0x01, 0x00, 0x00, 0x01, 0x23, 0x45,
		0xff, 0x01, 0x00, 0x14, 0x00, 0x04, 0x00, 0x00,
		/* SRC, DST: sa_len, proto any */
		0x03, 0x00, 0x05, 0x00, 0xff, 0x20, 0x00, 0x00,
		0x10, 0x02, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x01,
		0, 0, 0, 0, 0, 0, 0, 0,
		0x03, 0x00, 0x06, 0x00, 0xff, 0x20, 0x00, 0x00,
		0x10, 0x02, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x02,
		0, 0, 0, 0, 0, 0, 0, 0,
		/* KENC: 160 bits, salt last; no KAUTH */
		0x04, 0x00, 0x09, 0x00, 0xa0, 0x00, 0x00, 0x00,
		0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
		0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
		0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0,
		/* SA2: tunnel, reqid 300 */
		0x02, 0x00, 0x13, 0x00, 0x02, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x2c, 0x01, 0x00, 0x00,
		/* NAT-T: type, 4500 to 61000 */
		0x01, 0x00, 0x14, 0x00, 0x02, 0x00, 0x00, 0x00,
		0x01, 0x00, 0x15, 0x00, 0x11, 0x94, 0x00, 0x00,
		0x01, 0x00, 0x16, 0x00, 0xee, 0x48, 0x00, 0x00,
		/* SA_REPLAY: packets */
		0x01, 0x00, 0x1a, 0x00, 0x00, 0x10, 0x00, 0x00
	};
	uint8_t out[512];
	struct pfkey_msg m;
	struct kern_sa sa;
	struct wbuf w;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sa.spi = 0x12345;
	sa.proto = PROTO_ESP;
	addr_parse(&sa.src, "192.0.2.1");
	addr_parse(&sa.dst, "192.0.2.2");
	sa.reqid = 300;
	sa.encr = ENCR_AES_GCM_16;
	sa.encr_keybits = 128;
	sa.encr_keylen = 20;
	for (i = 0; i < 20; i++)
		sa.encr_key[i] = (uint8_t)(0x10 + i);
	sa.esn = 1;
	sa.replay = 4096;
	sa.encap_sport = 4500;
	sa.encap_dport = 61000;
	ATF_REQUIRE_EQ(0, kern_sa_check(&sa));
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_freebsd, &m, &sa, 0));
	m.seq = 7;
	m.pid = 12345;
	wbuf_init(&w, out, sizeof(out));
	ATF_REQUIRE_EQ(0, pfkey_encode(&pfkey_freebsd, &m, &w));
	ATF_REQUIRE_EQ(sizeof(add), w.len);
	for (i = 0; i < w.len; i++)
		ATF_CHECK_MSG(out[i] == add[i], "octet %zu: %02x, not %02x", i,
		    out[i], add[i]);

	/* UPDATE of a live SA must not have keys there; it must here. */
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_freebsd, &m, &sa, 1));
	ATF_CHECK(!pfkey_has(&m, PX_KENC) && pfkey_has(&m, PX_NATT_TYPE));
	sa.esn = 0;
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_linux, &m, &sa, 1));
	ATF_CHECK(pfkey_has(&m, PX_KENC));
	/* ChaCha20 has a number there and none here; nor is there ESN. */
	sa.encr = ENCR_CHACHA20_POLY1305;
	sa.encr_keybits = 0;
	sa.encr_keylen = 36;
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_freebsd, &m, &sa, 0));
	ATF_CHECK_EQ(15, m.sa.encr);
	ATF_CHECK_EQ(-1, pfkey_req_sa(&pfkey_linux, &m, &sa, 0));
	sa.encr = ENCR_AES_CBC;
	sa.esn = 1;
	ATF_CHECK_EQ(-1, pfkey_req_sa(&pfkey_linux, &m, &sa, 0));
}

/* --- what the kernel says, as our events and capabilities --- */

static void
load(const struct pfkey_dialect *d, const char *name, struct golden *g,
    struct pfkey_msg *m)
{
	char path[512];
	const char *why;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.bin", DIR, name);
	ATF_REQUIRE_MSG((f = fopen(path, "rb")) != NULL, "%s", path);
	g->len = fread(g->buf, 1, sizeof(g->buf), f);
	fclose(f);
	ATF_REQUIRE_EQ(0, pfkey_decode(d, g->buf, g->len, m, &why));
}

static void
check_addr(const struct addr *a, const char *want)
{
	char s[ADDR_STRLEN];

	ATF_CHECK_STREQ(want, addr_str(a, s));
}

ATF_TC_WITHOUT_HEAD(events);
ATF_TC_BODY(events, tc)
{
	static struct golden g;
	struct kern_event ev;
	struct pfkey_msg m;

	load(&pfkey_linux, "035-k2u-acquire-esp4", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_linux, &m, &ev));
	ATF_CHECK_EQ(KERN_EV_ACQUIRE, ev.type);
	ATF_CHECK_EQ(1, ev.seq);
	ATF_CHECK_EQ(1, ev.policy);
	ATF_CHECK_EQ(0, ev.reqid);
	ATF_CHECK(!ev.has_sel);
	check_addr(&ev.src, "192.0.2.1");
	check_addr(&ev.dst, "192.0.2.2");
	load(&pfkey_linux, "234-k2u-acquire-esp6", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_linux, &m, &ev));
	check_addr(&ev.dst, "2001:db8::2");
	load(&pfkey_freebsd, "freebsd/f03-acquire", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_freebsd, &m, &ev));
	ATF_CHECK_EQ(16389, ev.reqid);
	ATF_CHECK_EQ(3, ev.policy);
	ATF_CHECK_EQ(12, ev.seq);

	load(&pfkey_linux, "120-k2u-expire-soft-time", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_linux, &m, &ev));
	ATF_CHECK_EQ(KERN_EV_EXPIRE, ev.type);
	ATF_CHECK_EQ(0, ev.hard);
	ATF_CHECK_EQ(0xabc1, ev.spi);
	load(&pfkey_linux, "123-k2u-expire-hard-time", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_linux, &m, &ev));
	ATF_CHECK_EQ(1, ev.hard);
	load(&pfkey_freebsd, "freebsd/f04-expire-soft", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_freebsd, &m, &ev));
	ATF_CHECK_EQ(0, ev.hard);
	ATF_CHECK_EQ(16389, ev.reqid);
	/* Larval SAs' ends are nobody's business. */
	load(&pfkey_linux, "431-k2u-expire-larval", &g, &m);
	ATF_CHECK_EQ(1, pfkey_get_event(&pfkey_linux, &m, &ev));
	load(&pfkey_linux, "432-k2u-expire-larval", &g, &m);
	ATF_CHECK_EQ(1, pfkey_get_event(&pfkey_linux, &m, &ev));

	load(&pfkey_linux, "250-k2u-nat-t-new-mapping", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_event(&pfkey_linux, &m, &ev));
	ATF_CHECK_EQ(KERN_EV_MAPPING, ev.type);
	ATF_CHECK_EQ(0x71, ev.spi);
	ATF_CHECK_EQ(5555, ev.newsrc.port);
	check_addr(&ev.newsrc.addr, "192.0.2.1");
}

ATF_TC_WITHOUT_HEAD(policies);
ATF_TC_BODY(policies, tc)
{
	static struct golden g;
	struct kern_policy p;
	struct pfkey_msg m;
	int i, skipped = 0;
	char name[80];

	/* Sockets' own policies (directions 4 and 5) are passed over. */
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d-k2u-spddump-with-socket-policies"
		    "-reply%d", 260 + i, 1 + i);
		load(&pfkey_linux, name, &g, &m);
		skipped += pfkey_get_policy(&pfkey_linux, &m, &p) == 1;
	}
	ATF_CHECK_EQ(2, skipped);
	/* So are the interfaces' own on FreeBSD. */
	load(&pfkey_freebsd, "freebsd/f10-spddump-ifnet-last", &g, &m);
	ATF_CHECK_EQ(1, pfkey_get_policy(&pfkey_freebsd, &m, &p));
	load(&pfkey_freebsd, "freebsd/f13-spddump-tunnel6", &g, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_policy(&pfkey_freebsd, &m, &p));
	ATF_CHECK_EQ(KERN_OUT, p.dir);
	ATF_CHECK_EQ(9, p.id);
	ATF_CHECK_EQ(100, p.prio);
	ATF_CHECK_EQ(48, p.src.len);
	check_addr(&p.tdst, "2001:db8::2");
	/* A reqid the kernel would replace is refused. */
	p.reqid = 16384;
	ATF_CHECK_EQ(-1, pfkey_req_policy(&pfkey_freebsd, &m, PFM_SPDUPDATE, &p));
	p.reqid = 16383;
	ATF_CHECK_EQ(0, pfkey_req_policy(&pfkey_freebsd, &m, PFM_SPDUPDATE, &p));
	/* Nobody but Linux has forward policies. */
	p.dir = KERN_FWD;
	ATF_CHECK_EQ(-1, pfkey_req_policy(&pfkey_freebsd, &m, PFM_SPDUPDATE, &p));
	ATF_CHECK_EQ(0, pfkey_req_policy(&pfkey_linux, &m, PFM_SPDUPDATE, &p));
}

/* A policy's request as hexadecimal digits. */
static const char *
request_hex(const struct pfkey_dialect *d, const struct kern_policy *p)
{
	static char text[1024];
	uint8_t b[512];
	struct pfkey_msg m;
	struct kern_policy back;
	const char *why;
	struct wbuf w;
	size_t i;

	wbuf_init(&w, b, sizeof(b));
	if (pfkey_req_policy(d, &m, PFM_SPDUPDATE, p) == -1)
		return ("refused");
	ATF_REQUIRE_EQ(0, pfkey_encode(d, &m, &w));
	for (i = 0; i < w.len; i++)
		snprintf(text + 2 * i, 3, "%02x", b[i]);
	/* and what comes back of it is the same policy */
	ATF_REQUIRE_EQ(0, pfkey_decode(d, b, w.len, &m, &why));
	ATF_REQUIRE_EQ(0, pfkey_get_policy(d, &m, &back));
	ATF_CHECK(back.proto == p->proto && back.sport == p->sport &&
	    back.dport == p->dport && back.transport == p->transport &&
	    back.reqid == p->reqid && prefix_cmp(&back.src, &p->src) == 0 &&
	    prefix_cmp(&back.dst, &p->dst) == 0);
	return (text);
}

/* Written down from net/pfkeyv2.h and netipsec/ipsec.h of each, octet by octet. */
ATF_TC_WITHOUT_HEAD(selectors);
ATF_TC_BODY(selectors, tc)
{
	struct kern_policy p;

	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	p.reqid = 7;
	p.prio = 1000;
	p.proto = 6;
	p.sport = 80;
	p.dport = 443;
	p.transport = 1;
	prefix_parse(&p.src, "10.1.0.1");
	prefix_parse(&p.dst, "10.2.0.1");
	ATF_CHECK_STREQ(request_hex(&pfkey_linux, &p),
	    "020d00000c0000000000000000000000"
	    "0300050006200000020000500a0100010000000000000000"
	    "0300060006200000020001bb0a0200010000000000000000"
	    "040012000200020000000000e8030000"
	    "10003200010300000700000000000000");
	/* FreeBSD's sockaddrs have their length; a request's reqid has two octets */
	ATF_CHECK_STREQ(request_hex(&pfkey_freebsd, &p),
	    "020d00000b0000000000000000000000"
	    "0300050006200000100200500a0100010000000000000000"
	    "0300060006200000100201bb0a0200010000000000000000"
	    "030012000200020000000000e8030000"
	    "0800320001030700");
	/* a tunnel for one port; ports of IPv6 stand where IPv4's do */
	p.transport = 0;
	p.sport = 0;
	prefix_parse(&p.src, "2001:db8:1::/64");
	prefix_parse(&p.dst, "2001:db8:2::/64");
	addr_parse(&p.tsrc, "192.0.2.1");
	addr_parse(&p.tdst, "198.51.100.1");
	ATF_CHECK_STREQ(request_hex(&pfkey_linux, &p),
	    "020d0000140000000000000000000000"
	    "05000500064000000a0000000000000020010db8000100000000000000000000"
	    "0000000000000000"
	    "05000600064000000a0001bb0000000020010db8000200000000000000000000"
	    "0000000000000000"
	    "080012000200020000000000e8030000"
	    "30003200020300000700000000000000"
	    "02000000c00002010000000000000000"
	    "02000000c63364010000000000000000");
	/* ICMP: the type in the source's port, the code in the destination's; a kernel
	 * that does not look at them is not told */
	prefix_parse(&p.src, "10.1.0.0/24");
	prefix_parse(&p.dst, "10.2.0.0/24");
	p.proto = 1;
	p.sport = 8;
	p.dport = 0;
	ATF_CHECK(strcmp(request_hex(&pfkey_linux, &p), "refused") != 0);
	ATF_CHECK_STREQ(request_hex(&pfkey_freebsd, &p), "refused");
	p.sport = 0;
	ATF_CHECK(strcmp(request_hex(&pfkey_freebsd, &p), "refused") != 0);
}

/* An SA in transport mode, and ESN, which Linux's PF_KEY cannot say. */
ATF_TC_WITHOUT_HEAD(modes);
ATF_TC_BODY(modes, tc)
{
	struct pfkey_msg m;
	struct kern_sa sa;

	memset(&sa, 0, sizeof(sa));
	sa.spi = 0x10000;
	sa.proto = PROTO_ESP;
	addr_parse(&sa.src, "192.0.2.1");
	addr_parse(&sa.dst, "198.51.100.1");
	sa.encr = ENCR_AES_CBC;
	sa.encr_keybits = 128;
	sa.encr_keylen = 16;
	sa.integ = INTEG_HMAC_SHA2_512_256;
	sa.integ_keylen = 64;
	sa.transport = 1;
	sa.reqid = 9;
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_linux, &m, &sa, 0));
	ATF_CHECK_EQ(PF_MODE_TRANSPORT, m.sa2.mode);
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_freebsd, &m, &sa, 0));
	ATF_CHECK_EQ(PF_MODE_TRANSPORT, m.sa2.mode);
	ATF_CHECK_EQ(0, m.sa.flags);
	sa.esn = 1;
	ATF_CHECK_EQ(-1, pfkey_req_sa(&pfkey_linux, &m, &sa, 0));
	ATF_REQUIRE_EQ(0, pfkey_req_sa(&pfkey_freebsd, &m, &sa, 0));
	ATF_CHECK_EQ(0x400, m.sa.flags);
}

ATF_TC_WITHOUT_HEAD(caps);
ATF_TC_BODY(caps, tc)
{
	static struct golden g;
	struct kern_caps c;
	struct pfkey_msg m;

	load(&pfkey_linux, "002-k2u-register-esp-reply", &g, &m);
	pfkey_get_caps(&pfkey_linux, &m, &c);
	ATF_CHECK(kern_can(&c, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256));
	ATF_CHECK(kern_can(&c, ENCR_AES_CTR, 128, INTEG_HMAC_SHA1_96));
	ATF_CHECK(!kern_can(&c, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128));
	ATF_CHECK(!kern_can(&c, ENCR_AES_GCM_16, 256, INTEG_NONE));
	ATF_CHECK(!kern_can(&c, ENCR_AES_CBC, 256, INTEG_NONE));
	ATF_CHECK_EQ(0, c.esn);
	ATF_CHECK_EQ(32, c.replay_max);
	load(&pfkey_freebsd, "freebsd/f01-register-reply", &g, &m);
	pfkey_get_caps(&pfkey_freebsd, &m, &c);
	ATF_CHECK(kern_can(&c, ENCR_AES_GCM_16, 256, INTEG_NONE));
	ATF_CHECK(kern_can(&c, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE));
	ATF_CHECK(kern_can(&c, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128));
	ATF_CHECK(!kern_can(&c, ENCR_AES_GCM_8, 256, INTEG_NONE));
	ATF_CHECK(!kern_can(&c, ENCR_3DES, 0, INTEG_HMAC_SHA1_96));
	ATF_CHECK_EQ(1, c.esn);
	ATF_CHECK_EQ(16383, c.reqid_max);
}

ATF_TC_WITHOUT_HEAD(priority);
ATF_TC_BODY(priority, tc)
{
	struct prefix a, b, host;

	prefix_parse(&a, "10.1.0.0/24");
	prefix_parse(&b, "10.2.0.0/24");
	prefix_parse(&host, "10.1.0.1");
	ATF_CHECK_EQ(1067, kern_priority(&a, &b, 0, 0));
	ATF_CHECK_EQ(1066, kern_priority(&a, &b, 17, 0));
	ATF_CHECK_EQ(1065, kern_priority(&a, &b, 17, 1));
	ATF_CHECK_EQ(1064, kern_priority(&a, &b, 17, 2));
	/* a longer prefix comes before whatever else is named */
	ATF_CHECK_EQ(1035, kern_priority(&host, &b, 0, 0));
	ATF_CHECK_EQ(1002, kern_priority(&host, &host, 1, 0));
	ATF_CHECK_EQ(1000, kern_priority(&host, &host, 6, 2));
	prefix_parse(&a, "::/0");
	ATF_CHECK_EQ(2027, kern_priority(&a, &a, 0, 0));
}

/* --- strictness --- */

/* A captured message with octets changed: offset, value, ... */
static void
spoiled(const struct pfkey_dialect *d, const char *name, const char *want,
    size_t at, uint8_t v)
{
	static struct golden g;
	struct pfkey_msg m;
	const char *why;

	load(d, name, &g, &m);
	ATF_REQUIRE(at < g.len && g.buf[at] != v);
	g.buf[at] = v;
	ATF_CHECK_MSG(pfkey_decode(d, g.buf, g.len, &m, &why) == -1,
	    "%s[%zu] = %u: taken", name, at, v);
	ATF_CHECK_STREQ(want, why == NULL ? "" : why);
}

/* Negative test 52. */
ATF_TC_WITHOUT_HEAD(strict);
ATF_TC_BODY(strict, tc)
{
	static const char sa[] = "053-k2u-sa4-a-add-out-reply";
	static const char pol[] = "007-u2k-spdadd-out-tun4";
	static const char fb[] = "freebsd/f09-spddump-tunnel";
	static struct golden g;
	struct pfkey_msg m;
	const char *why;
	size_t n;

	/* SA extension at 16: length 2 words, type 1 */
	spoiled(&pfkey_linux, sa, "extension length zero or no room", 16, 0);
	spoiled(&pfkey_linux, sa, "extension longer than the message", 17, 1);
	spoiled(&pfkey_linux, sa, "extension of a wrong size", 16, 1);
	spoiled(&pfkey_linux, sa, "extension of a wrong size", 16, 6);
	spoiled(&pfkey_linux, sa, "unknown extension", 18, 0);
	/* LTH at 32 made a second SA */
	spoiled(&pfkey_linux, sa, "extension twice", 34, 1);
	/* SRC at 128: family, prefix length */
	spoiled(&pfkey_linux, sa, "malformed extension", 136, 10);
	spoiled(&pfkey_linux, sa, "malformed extension", 136, 7);
	spoiled(&pfkey_linux, sa, "malformed extension", 133, 33);
	/* KAUTH at 200: bits against octets, both ways */
	spoiled(&pfkey_linux, sa, "malformed extension", 205, 2);
	spoiled(&pfkey_linux, sa, "malformed extension", 205, 0);
	/* ipsecrequest at 80: its length, and beyond the policy's */
	spoiled(&pfkey_linux, pol, "malformed extension", 80, 0);
	spoiled(&pfkey_linux, pol, "malformed extension", 80, 8);
	spoiled(&pfkey_linux, pol, "malformed extension", 80, 44);
	spoiled(&pfkey_linux, pol, "malformed extension", 80, 56);
	/* FreeBSD: sa_len must be exact, the families its own */
	spoiled(&pfkey_freebsd, fb, "malformed extension", 24, 15);
	spoiled(&pfkey_freebsd, fb, "malformed extension", 24, 28);
	spoiled(&pfkey_freebsd, fb, "malformed extension", 25, 10);
	spoiled(&pfkey_freebsd, fb, "malformed extension", 88, 17);
	/* Nor does it ignore what it does not know. */
	spoiled(&pfkey_freebsd, fb, "unknown extension", 18, 99);
	/* Cut anywhere: never taken. */
	load(&pfkey_linux, sa, &g, &m);
	for (n = 0; n < g.len; n++)
		ATF_CHECK_EQ(-1, pfkey_decode(&pfkey_linux, g.buf, n, &m, &why));
}

/* The same bytes are another message elsewhere: dialects do not mix. */
ATF_TC_WITHOUT_HEAD(dialects);
ATF_TC_BODY(dialects, tc)
{
	static struct golden g;
	struct pfkey_msg m;
	const char *why;

	load(&pfkey_linux, "007-u2k-spdadd-out-tun4", &g, &m);
	ATF_CHECK_EQ(-1, pfkey_decode(&pfkey_freebsd, g.buf, g.len, &m, &why));
	load(&pfkey_freebsd, "freebsd/f09-spddump-tunnel", &g, &m);
	ATF_CHECK_EQ(-1, pfkey_decode(&pfkey_linux, g.buf, g.len, &m, &why));
}

ATF_TC_WITHOUT_HEAD(sa_check);
ATF_TC_BODY(sa_check, tc)
{
	struct kern_sa good, sa;

	memset(&good, 0, sizeof(good));
	good.spi = 256;
	good.proto = PROTO_ESP;
	addr_parse(&good.src, "192.0.2.1");
	addr_parse(&good.dst, "192.0.2.2");
	good.encr = ENCR_AES_CBC;
	good.encr_keybits = 128;
	good.encr_keylen = 16;
	good.integ = INTEG_HMAC_SHA2_256_128;
	good.integ_keylen = 32;
	ATF_CHECK_EQ(0, kern_sa_check(&good));
#define BAD(change) do {						\
	sa = good;							\
	sa.change;							\
	ATF_CHECK_EQ_MSG(-1, kern_sa_check(&sa), #change);		\
	ATF_CHECK_EQ(EINVAL, errno);					\
} while (0)
	BAD(spi = 255);
	BAD(proto = PROTO_AH);
	BAD(encr_keylen = 20);
	BAD(encr_keybits = 0);
	BAD(integ_keylen = 16);
	BAD(integ = INTEG_NONE);
	BAD(encr = ENCR_AES_GCM_16);
	BAD(dst.fam = ADDR_V6);
	BAD(src.fam = ADDR_NONE);
	BAD(encap_sport = 4500);
	BAD(has_sel = 1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, decode_linux);
	ATF_TP_ADD_TC(tp, decode_freebsd);
	ATF_TP_ADD_TC(tp, requests_linux);
	ATF_TP_ADD_TC(tp, requests_freebsd);
	ATF_TP_ADD_TC(tp, encode_freebsd);
	ATF_TP_ADD_TC(tp, events);
	ATF_TP_ADD_TC(tp, policies);
	ATF_TP_ADD_TC(tp, selectors);
	ATF_TP_ADD_TC(tp, modes);
	ATF_TP_ADD_TC(tp, caps);
	ATF_TP_ADD_TC(tp, priority);
	ATF_TP_ADD_TC(tp, strict);
	ATF_TP_ADD_TC(tp, dialects);
	ATF_TP_ADD_TC(tp, sa_check);
	return (atf_no_error());
}
