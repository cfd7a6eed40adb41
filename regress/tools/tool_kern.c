/* SPDX-License-Identifier: ISC */
/*
 * Drives libpfkey against the kernel it runs on: "tool_kern xfrm|pfkey STEP".
 * Wants root and the network namespaces a and b that regress/kernel/kern_run.sh
 * makes: 192.0.2.1 and 192.0.2.2 on a veth, 10.1.0.1/24 and 10.2.0.1/24 on
 * lo.  Says what it saw, exits 0 when the step went as it must, 1 with one line
 * when not.  Nothing here waits for a time: only for events, at most 20 s.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pfkey/pfkey.h"

#define WAIT_MS	20000

static enum kern_backend backend;

/* What one side has seen. */
struct side {
	const char		*name;
	struct kern		*k;
	struct kern_caps	 caps;
	int			 done, err;	/* of the last request */
	char			 what[200];
	struct kern_sa		 sa;		/* last query or matching dump */
	int			 nsa, npol;
	struct kern_policy	 pol[16];
	struct kern_event	 ev[64];
	int			 nev;
};

static void
fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("FAIL: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	exit(1);
}

#define CHECK(x) do {							\
	if (!(x))							\
		fail("%s:%d: %s", __func__, __LINE__, #x);		\
} while (0)

static void
emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	printf("  log: %s\n", line);
}

static const struct logger logger = { emit, NULL, 1, NULL };

static monotime
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((monotime){ ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

static void
enter(const char *ns)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	if ((fd = open(path, O_RDONLY)) == -1 || setns(fd, CLONE_NEWNET) == -1)
		fail("namespace %s: %s", ns, strerror(errno));
	close(fd);
}

static void
on_event(void *arg, const struct kern_event *ev)
{
	static const char *const names[] = { "acquire", "expire", "mapping", "lost" };
	struct side *s = arg;

	printf("  %s: %s spi %08x reqid %u policy %u seq %u hard %d\n", s->name,
	    names[ev->type], ev->spi, ev->reqid, ev->policy, ev->seq, ev->hard);
	if (s->nev < 64)
		s->ev[s->nev++] = *ev;
}

static void
on_done(void *arg, int err, const char *what)
{
	struct side *s = arg;

	s->done = 1;
	s->err = err;
	snprintf(s->what, sizeof(s->what), "%s", what ? what : "");
	if (err)
		printf("  %s: %s%s%s\n", s->name, strerror(err), what ? ": " : "",
		    s->what);
}

static void
on_query(void *arg, int err, const struct kern_sa *sa)
{
	struct side *s = arg;

	s->done = 1;
	s->err = err;
	if (sa != NULL)
		s->sa = *sa;
	else if (err == 0)
		fail("query: neither SA nor error");
}

static void
on_sa(void *arg, int err, const struct kern_sa *sa)
{
	struct side *s = arg;

	if (sa != NULL) {
		s->nsa++;
		s->sa = *sa;
		return;
	}
	s->done = 1;
	s->err = err;
}

static void
on_policy(void *arg, int err, const struct kern_policy *p)
{
	struct side *s = arg;

	if (p != NULL) {
		if (s->npol < 16)
			s->pol[s->npol] = *p;
		s->npol++;
		return;
	}
	s->done = 1;
	s->err = err;
}

static void
pump(struct side *s, int ms)
{
	struct pollfd pfd[4];
	nfds_t n = 0;
	int fd;

	while (n < 4 && (fd = kern_fd(s->k, n)) != -1) {
		pfd[n].fd = fd;
		pfd[n++].events = POLLIN;
	}
	if (poll(pfd, n, ms) > 0)
		kern_input(s->k, now());
	kern_timeout(s->k, now());
}

/* The answer of the request just made. */
static int
answer(struct side *s, int rc)
{
	monotime end = mono_add_ms(now(), WAIT_MS);

	if (rc == -1) {
		printf("  %s: not sent: %s\n", s->name, strerror(errno));
		return (errno);
	}
	CHECK(!mono_before(now(), MONO_NONE));
	while (!s->done) {
		if (mono_reached(end, now()))
			fail("%s: no answer, not even a timeout", s->name);
		pump(s, 100);
	}
	s->done = 0;
	return (s->err);
}

static int
wait_event(struct side *s, enum kern_event_type type, struct kern_event *out)
{
	monotime end = mono_add_ms(now(), WAIT_MS);
	int i;

	for (;;) {
		for (i = 0; i < s->nev; i++)
			if (s->ev[i].type == type) {
				*out = s->ev[i];
				s->ev[i] = s->ev[--s->nev];
				return (1);
			}
		if (mono_reached(end, now()))
			return (0);
		pump(s, 100);
	}
}

static void
side_open(struct side *s, const char *ns)
{
	struct kern_cb cb = { on_event, s };
	const char *err;

	memset(s, 0, sizeof(*s));
	s->name = ns;
	enter(ns);
	if ((s->k = kern_open(backend, &cb, &logger, &err)) == NULL)
		fail("%s: %s (%s)", ns, err, strerror(errno));
	if (kern_probe(s->k, &s->caps) == -1)
		fail("%s: probe: %s", ns, strerror(errno));
}

/* An SA between the gateways, with what this back end can do best. */
static void
make_sa(struct kern_sa *sa, uint32_t spi, const char *src, const char *dst)
{
	const struct xform_info *xi;

	memset(sa, 0, sizeof(*sa));
	sa->spi = spi;
	sa->proto = PROTO_ESP;
	addr_parse(&sa->src, src);
	addr_parse(&sa->dst, dst);
	sa->reqid = 77;
	sa->replay = 32;
	if (backend == KERN_XFRM) {
		sa->encr = ENCR_AES_GCM_16;
		sa->encr_keybits = 256;
		sa->esn = 1;
		sa->replay = 128;
	} else {
		sa->encr = ENCR_AES_CBC;
		sa->encr_keybits = 256;
		sa->integ = INTEG_HMAC_SHA2_512_256;
		xi = xform_info(XF_INTEG, sa->integ, 0);
		sa->integ_keylen = xi->keylen;
		memset(sa->integ_key, 0x5a, sa->integ_keylen);
	}
	xi = xform_info(XF_ENCR, sa->encr, sa->encr_keybits);
	sa->encr_keylen = xi->keylen;
	memset(sa->encr_key, 0xa5, sa->encr_keylen);
}

static void
make_policy(struct kern_policy *p, enum kern_dir dir, const char *src,
    const char *dst, const char *tsrc, const char *tdst)
{
	memset(p, 0, sizeof(*p));
	p->dir = dir;
	prefix_parse(&p->src, src);
	prefix_parse(&p->dst, dst);
	addr_parse(&p->tsrc, tsrc);
	addr_parse(&p->tdst, tdst);
	p->prio = kern_priority(&p->src, &p->dst, 0, 0);
	p->reqid = 77;
}

static void
policies(struct side *s, int is_a)
{
	const char *mine = is_a ? "10.1.0.0/24" : "10.2.0.0/24";
	const char *theirs = is_a ? "10.2.0.0/24" : "10.1.0.0/24";
	const char *me = is_a ? "192.0.2.1" : "192.0.2.2";
	const char *them = is_a ? "192.0.2.2" : "192.0.2.1";
	struct kern_policy p;

	make_policy(&p, KERN_OUT, mine, theirs, me, them);
	CHECK(answer(s, kern_policy_replace(s->k, now(), &p, on_done, s)) == 0);
	make_policy(&p, KERN_IN, theirs, mine, them, me);
	CHECK(answer(s, kern_policy_replace(s->k, now(), &p, on_done, s)) == 0);
	p.dir = KERN_FWD;
	CHECK(answer(s, kern_policy_replace(s->k, now(), &p, on_done, s)) == 0);
}

static int
udp(const char *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	struct endpoint ep;
	socklen_t len;
	int fd;

	memset(&ep, 0, sizeof(ep));
	addr_parse(&ep.addr, addr);
	ep.port = port;
	len = addr_to_sockaddr(&ep, &ss);
	if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1)
		fail("%s:%u: %s", addr, port, strerror(errno));
	return (fd);
}

static int
send_to(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	struct endpoint ep;
	socklen_t len;

	memset(&ep, 0, sizeof(ep));
	addr_parse(&ep.addr, addr);
	ep.port = port;
	len = addr_to_sockaddr(&ep, &ss);
	if (sendto(fd, "hello", 5, 0, (struct sockaddr *)&ss, len) == -1)
		return (errno);
	return (0);
}

static int
arrives(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char b[64];

	return (poll(&pfd, 1, ms) == 1 && recv(fd, b, sizeof(b), 0) == 5);
}

static int
query(struct side *s, const struct kern_sa *sa)
{
	return (answer(s, kern_sa_query(s->k, now(), sa->spi, sa->proto, &sa->src,
	    &sa->dst, on_query, s)));
}

static int
delete(struct side *s, const struct kern_sa *sa)
{
	return (answer(s, kern_sa_delete(s->k, now(), sa->spi, sa->proto, &sa->src,
	    &sa->dst, on_done, s)));
}

/* --- the steps --- */

static void
step_caps(void)
{
	struct side a;
	size_t i;

	side_open(&a, "a");
	printf("%s: reqid to %u, esn %d, replay to %u, fwd %d\n", a.caps.name,
	    a.caps.reqid_max, a.caps.esn, a.caps.replay_max, a.caps.has_fwd);
	for (i = 0; i < a.caps.nalgs; i++)
		printf("  %s\n", xform_name(a.caps.algs[i].type,
		    a.caps.algs[i].id, a.caps.algs[i].keybits));
	CHECK(a.caps.has_fwd && a.caps.backend == backend);
	CHECK(kern_can(&a.caps, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256));
	CHECK(kern_can(&a.caps, ENCR_AES_CBC, 128, INTEG_HMAC_SHA1_96));
	CHECK(!kern_can(&a.caps, ENCR_AES_CBC, 100, INTEG_HMAC_SHA1_96));
	if (backend == KERN_XFRM) {
		CHECK(kern_can(&a.caps, ENCR_AES_GCM_16, 128, INTEG_NONE));
		CHECK(kern_can(&a.caps, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE));
		CHECK(kern_can(&a.caps, ENCR_AES_CBC, 128,
		    INTEG_HMAC_SHA2_256_128));
		CHECK(a.caps.esn);
	} else {
		CHECK(!kern_can(&a.caps, ENCR_AES_GCM_16, 128, INTEG_NONE));
		CHECK(!kern_can(&a.caps, ENCR_AES_CBC, 128,
		    INTEG_HMAC_SHA2_256_128));
		CHECK(!a.caps.esn && a.caps.reqid_max == 16383);
	}
	/* No probe SA is left behind. */
	CHECK(answer(&a, kern_sa_dump(a.k, now(), on_sa, &a)) == 0);
	CHECK(a.nsa == 0);
	kern_close(a.k);
}

static void
step_sa(void)
{
	struct side a;
	struct kern_sa sa, sb;
	int rc;

	side_open(&a, "a");
	make_sa(&sa, 0x00c0ffee, "192.0.2.1", "192.0.2.2");
	sa.life.soft_secs = 3000;
	sa.life.hard_secs = 3600;
	sa.life.soft_bytes = 1000000;
	sa.life.hard_bytes = 2000000;
	CHECK(answer(&a, kern_sa_add(a.k, now(), &sa, on_done, &a)) == 0);
	CHECK(answer(&a, kern_sa_add(a.k, now(), &sa, on_done, &a)) == EEXIST);
	CHECK(query(&a, &sa) == 0);
	CHECK(a.sa.spi == sa.spi && a.sa.reqid == 77 && !a.sa.transport);
	CHECK(a.sa.encr == sa.encr && a.sa.encr_keybits == sa.encr_keybits);
	CHECK(a.sa.integ == sa.integ && a.sa.esn == sa.esn);
	CHECK(a.sa.replay == sa.replay && a.sa.state == KERN_SA_MATURE);
	CHECK(addr_cmp(&a.sa.src, &sa.src) == 0);
	CHECK(addr_cmp(&a.sa.dst, &sa.dst) == 0);
	CHECK(memcmp(&a.sa.life, &sa.life, sizeof(sa.life)) == 0);
	CHECK(a.sa.bytes == 0 && a.sa.addtime != 0 && a.sa.usetime == 0);

	/* Other lifetimes for the living SA. */
	sa.life.soft_secs = 100;
	sa.life.hard_secs = 200;
	CHECK(answer(&a, kern_sa_update(a.k, now(), &sa, on_done, &a)) == 0);
	CHECK(query(&a, &sa) == 0);
	CHECK(a.sa.life.hard_secs == 200 && a.sa.life.soft_secs == 100);

	make_sa(&sb, 0x00c0ffef, "192.0.2.2", "192.0.2.1");
	sb.encap_sport = 4500;
	sb.encap_dport = 4500;
	CHECK(answer(&a, kern_sa_add(a.k, now(), &sb, on_done, &a)) == 0);
	CHECK(query(&a, &sb) == 0);
	CHECK(a.sa.encap_sport == 4500 && a.sa.encap_dport == 4500);

	/* Two dumps at once: one after the other, both whole. */
	CHECK(kern_sa_dump(a.k, now(), on_sa, &a) == 0);
	CHECK(answer(&a, kern_policy_dump(a.k, now(), on_policy, &a)) == 0);
	CHECK(answer(&a, kern_sa_dump(a.k, now(), on_sa, &a)) == 0);
	CHECK(a.nsa >= 2);

	CHECK(delete(&a, &sa) == 0);
	CHECK(delete(&a, &sa) == ESRCH);
	CHECK(query(&a, &sa) == ESRCH);
	CHECK(delete(&a, &sb) == 0);

	/* What cannot be right is not even sent. */
	make_sa(&sa, 0x00c0ffee, "192.0.2.1", "192.0.2.2");
	sa.encr_keylen--;
	rc = kern_sa_add(a.k, now(), &sa, on_done, &a);
	CHECK(rc == -1 && errno == EINVAL);
	kern_close(a.k);
}

static void
step_policy(void)
{
	struct side a;
	struct kern_policy p;
	int i, seen = 0;

	side_open(&a, "a");
	policies(&a, 1);
	policies(&a, 1);	/* again: replaced, not refused */
	make_policy(&p, KERN_OUT, "0.0.0.0/0", "203.0.113.0/24", "", "");
	p.action = KERN_BYPASS;
	p.proto = 17;
	p.dport = 500;
	CHECK(answer(&a, kern_policy_replace(a.k, now(), &p, on_done, &a)) == 0);
	p.action = KERN_DISCARD;
	p.dport = 501;
	CHECK(answer(&a, kern_policy_replace(a.k, now(), &p, on_done, &a)) == 0);
	CHECK(answer(&a, kern_policy_dump(a.k, now(), on_policy, &a)) == 0);
	CHECK(a.npol == 5);
	for (i = 0; i < a.npol; i++) {
		CHECK(a.pol[i].id != 0);
		if (a.pol[i].action == KERN_BYPASS) {
			seen |= 1;
			CHECK(a.pol[i].dport == 500 && a.pol[i].proto == 17);
		} else if (a.pol[i].action == KERN_DISCARD) {
			seen |= 2;
			CHECK(a.pol[i].dport == 501);
		} else {
			seen |= 4 << a.pol[i].dir;
			CHECK(a.pol[i].reqid == 77 && a.pol[i].prio == 1067);
			CHECK(addr_len(&a.pol[i].tsrc) == 4);
			CHECK(!a.pol[i].transport);
		}
	}
	CHECK(seen == (1 | 2 | 8 | 16 | 32));
	for (i = 0; i < a.npol; i++)
		CHECK(answer(&a, kern_policy_delete(a.k, now(), &a.pol[i], on_done,
		    &a)) == 0);
	CHECK(answer(&a, kern_policy_delete(a.k, now(), &p, on_done, &a)) ==
	    ENOENT);
	a.npol = 0;
	CHECK(answer(&a, kern_policy_dump(a.k, now(), on_policy, &a)) == 0);
	CHECK(a.npol == 0);
	kern_close(a.k);
}

static void
step_acquire(void)
{
	struct side a;
	struct kern_event ev, ev2;
	struct prefix net;
	int fd;

	side_open(&a, "a");
	policies(&a, 1);
	fd = udp("10.1.0.1", 5555);
	send_to(fd, "10.2.0.1", 6666);
	CHECK(wait_event(&a, KERN_EV_ACQUIRE, &ev));
	CHECK(ev.reqid == 77 && ev.policy != 0 && ev.seq != 0);
	prefix_parse(&net, "192.0.2.1");
	CHECK(addr_cmp(&ev.src, &net.addr) == 0);
	prefix_parse(&net, "192.0.2.2");
	CHECK(addr_cmp(&ev.dst, &net.addr) == 0);
	if (a.caps.acquire_has_selector) {
		CHECK(ev.has_sel && ev.sel_src.proto == 17);
		CHECK(ev.sel_src.sport == 5555 && ev.sel_src.eport == 5555);
		CHECK(ev.sel_dst.sport == 6666);
		prefix_parse(&net, "10.2.0.1");
		CHECK(addr_cmp(&ev.sel_dst.start, &net.addr) == 0);
		CHECK(addr_cmp(&ev.sel_dst.end, &net.addr) == 0);
	}
	/* The kernel asks no more until it is told that nothing came of it. */
	CHECK(kern_acquire_failed(a.k, ev.seq) == 0);
	pump(&a, 1000);		/* its answer */
	pump(&a, 0);
	send_to(fd, "10.2.0.1", 6666);
	CHECK(wait_event(&a, KERN_EV_ACQUIRE, &ev2));
	CHECK(ev2.seq != ev.seq && ev2.reqid == 77);
	CHECK(kern_acquire_failed(a.k, ev2.seq) == 0);
	errno = 0;
	CHECK(kern_acquire_failed(a.k, 0x7fffffff) == -1 && errno == ESRCH);
	close(fd);
	kern_close(a.k);
}

static void
both_sas(struct side *a, struct side *b, struct kern_sa *ab, struct kern_sa *ba)
{
	make_sa(ab, 0x11110001, "192.0.2.1", "192.0.2.2");
	make_sa(ba, 0x22220001, "192.0.2.2", "192.0.2.1");
	CHECK(answer(b, kern_sa_add(b->k, now(), ab, on_done, b)) == 0);
	CHECK(answer(b, kern_sa_add(b->k, now(), ba, on_done, b)) == 0);
	CHECK(answer(a, kern_sa_add(a->k, now(), ba, on_done, a)) == 0);
	CHECK(answer(a, kern_sa_add(a->k, now(), ab, on_done, a)) == 0);
}

static void
step_esp(void)
{
	struct side a, b;
	struct kern_sa ab, ba;
	int fa, fb, i;

	side_open(&a, "a");
	policies(&a, 1);
	fa = udp("10.1.0.1", 5555);
	side_open(&b, "b");
	policies(&b, 0);
	fb = udp("10.2.0.1", 6666);

	/* Without SAs nothing passes; with them everything. */
	send_to(fa, "10.2.0.1", 6666);
	CHECK(!arrives(fb, 300));
	both_sas(&a, &b, &ab, &ba);
	for (i = 0; i < 3; i++) {
		CHECK(send_to(fa, "10.2.0.1", 6666) == 0);
		CHECK(arrives(fb, 5000));
		CHECK(send_to(fb, "10.1.0.1", 5555) == 0);
		CHECK(arrives(fa, 5000));
	}
	CHECK(query(&a, &ab) == 0);
	CHECK(a.sa.packets == 3 && a.sa.bytes > 0 && a.sa.usetime != 0);
	CHECK(query(&b, &ab) == 0);
	CHECK(b.sa.packets == 3);
	CHECK(delete(&b, &ab) == 0);
	CHECK(send_to(fa, "10.2.0.1", 6666) == 0);
	CHECK(!arrives(fb, 300));
	close(fa);
	close(fb);
	kern_close(a.k);
	kern_close(b.k);
}

static void
step_expire(void)
{
	struct side a;
	struct kern_sa sa;
	struct kern_event ev;

	side_open(&a, "a");
	make_sa(&sa, 0x33330001, "192.0.2.1", "192.0.2.2");
	sa.life.soft_secs = 1;
	sa.life.hard_secs = 3;
	CHECK(answer(&a, kern_sa_add(a.k, now(), &sa, on_done, &a)) == 0);
	CHECK(wait_event(&a, KERN_EV_EXPIRE, &ev));
	CHECK(ev.spi == sa.spi && !ev.hard && ev.reqid == 77);
	CHECK(addr_cmp(&ev.dst, &sa.dst) == 0 && addr_cmp(&ev.src, &sa.src) == 0);
	CHECK(query(&a, &sa) == 0);
	CHECK(wait_event(&a, KERN_EV_EXPIRE, &ev));
	CHECK(ev.spi == sa.spi && ev.hard);
	CHECK(query(&a, &sa) == ESRCH);
	kern_close(a.k);
}

/* A peer behind a NAT that gives it another port. */
static void
step_mapping(void)
{
	struct side a, b;
	struct kern_sa ab, ba;
	struct kern_event ev;
	int fa, fb, ea, eb;

	side_open(&a, "a");
	policies(&a, 1);
	fa = udp("10.1.0.1", 5555);
	ea = udp("192.0.2.1", 4500);
	side_open(&b, "b");
	policies(&b, 0);
	fb = udp("10.2.0.1", 6666);
	eb = udp("192.0.2.2", 4500);
	CHECK(kern_socket_encap(ea, AF_INET) == 0);
	CHECK(kern_socket_encap(eb, AF_INET) == 0);
	make_sa(&ab, 0x44440001, "192.0.2.1", "192.0.2.2");
	ab.encap_sport = ab.encap_dport = 4500;
	make_sa(&ba, 0x55550001, "192.0.2.2", "192.0.2.1");
	ba.encap_sport = ba.encap_dport = 4500;
	CHECK(answer(&b, kern_sa_add(b.k, now(), &ab, on_done, &b)) == 0);
	CHECK(answer(&b, kern_sa_add(b.k, now(), &ba, on_done, &b)) == 0);
	CHECK(answer(&a, kern_sa_add(a.k, now(), &ba, on_done, &a)) == 0);
	ab.encap_sport = 4600;
	CHECK(answer(&a, kern_sa_add(a.k, now(), &ab, on_done, &a)) == 0);
	CHECK(send_to(fa, "10.2.0.1", 6666) == 0);
	CHECK(arrives(fb, 5000));
	CHECK(wait_event(&b, KERN_EV_MAPPING, &ev));
	CHECK(ev.spi == ab.spi && ev.newsrc.port == 4600);
	CHECK(addr_cmp(&ev.newsrc.addr, &ab.src) == 0);
	CHECK(addr_cmp(&ev.src, &ab.src) == 0);
	/* Linux' PF_KEY has no room for our own address. */
	CHECK(addr_len(&ev.dst) == 0 || addr_cmp(&ev.dst, &ab.dst) == 0);
	CHECK(addr_len(&ev.dst) != 0 || backend == KERN_PFKEY);
	/* The SA follows. */
	CHECK(answer(&b, kern_sa_update(b.k, now(), &ab, on_done, &b)) == 0);
	CHECK(query(&b, &ab) == 0);
	CHECK(b.sa.encap_sport == 4600);
	close(fa);
	close(fb);
	close(ea);
	close(eb);
	kern_close(a.k);
	kern_close(b.k);
}

/* More events than the socket holds: the loss is told (netlink tells us). */
static void
step_lost(void)
{
	struct side a;
	struct kern_sa sa;
	struct kern_event ev;
	int i, small = 2304;

	side_open(&a, "a");
	CHECK(setsockopt(kern_fd(a.k, 1), SOL_SOCKET, SO_RCVBUF, &small,
	    sizeof(small)) == 0);
	make_sa(&sa, 0, "192.0.2.1", "192.0.2.2");
	sa.life.hard_secs = 1;
	for (i = 0; i < 100; i++) {
		sa.spi = 0x66660000 + (uint32_t)i;
		CHECK(kern_sa_add(a.k, now(), &sa, on_done, &a) == 0);
	}
	sleep(3);	/* the kernel's timer, with nobody listening */
	CHECK(wait_event(&a, KERN_EV_LOST, &ev));
	kern_close(a.k);
}

/* IKE's own socket passes a policy that stops all others. */
static void
step_bypass(void)
{
	struct side a;
	struct kern_policy p;
	int plain, ike, fb;

	enter("b");
	fb = udp("192.0.2.2", 500);
	side_open(&a, "a");
	plain = udp("192.0.2.1", 501);
	ike = udp("192.0.2.1", 500);
	CHECK(kern_socket_bypass(ike, AF_INET) == 0);
	make_policy(&p, KERN_OUT, "0.0.0.0/0", "0.0.0.0/0", "", "");
	p.action = KERN_DISCARD;
	CHECK(answer(&a, kern_policy_replace(a.k, now(), &p, on_done, &a)) == 0);
	CHECK(send_to(plain, "192.0.2.2", 500) != 0);
	CHECK(send_to(ike, "192.0.2.2", 500) == 0);
	CHECK(arrives(fb, 5000));
	close(plain);
	close(ike);
	close(fb);
	kern_close(a.k);
}

/* No AF_KEY in the kernel is a normal condition with a clear line. */
static void
step_absent(void)
{
	const char *err = NULL;

	enter("a");
	CHECK(kern_open(backend, NULL, &logger, &err) == NULL);
	CHECK(err != NULL && strstr(err, "no AF_KEY") != NULL);
	printf("  %s\n", err);
}

/* The table of requests is bounded, and every one of them is answered. */
static int manydone;

static void
on_many(void *arg, int err, const char *what)
{
	(void)arg;
	(void)what;
	if (err == 0)
		manydone++;
}

static void
step_many(void)
{
	struct side a;
	struct kern_sa sa;
	int i, sent = 0, refused = 0;

	side_open(&a, "a");
	make_sa(&sa, 0, "192.0.2.1", "192.0.2.2");
	for (i = 0; i < 3000; i++) {
		sa.spi = 0x77770000 + (uint32_t)i;
		if (kern_sa_add(a.k, now(), &sa, on_many, NULL) == 0)
			sent++;
		else
			refused++;
		if (i % 64 == 63)
			kern_input(a.k, now());
	}
	for (i = 0; i < 200 && manydone < sent; i++)
		pump(&a, 100);
	printf("  sent %d, refused %d, done %d\n", sent, refused, manydone);
	CHECK(refused == 0 && manydone == 3000);
	CHECK(answer(&a, kern_sa_dump(a.k, now(), on_sa, &a)) == 0);
	CHECK(a.nsa == 3000);
	kern_close(a.k);
}

static const struct {
	const char	*name;
	void		(*run)(void);
} steps[] = {
	{ "caps", step_caps }, { "sa", step_sa }, { "policy", step_policy },
	{ "acquire", step_acquire }, { "esp", step_esp },
	{ "expire", step_expire }, { "mapping", step_mapping },
	{ "lost", step_lost }, { "bypass", step_bypass }, { "many", step_many },
	{ "absent", step_absent }
};

int
main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3)
		fail("usage: tool_kern xfrm|pfkey STEP");
	backend = strcmp(argv[1], "pfkey") == 0 ? KERN_PFKEY : KERN_XFRM;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(argv[2], steps[i].name) == 0) {
			steps[i].run();
			printf("ok: %s %s\n", argv[1], argv[2]);
			return (0);
		}
	fail("no step %s", argv[2]);
}
