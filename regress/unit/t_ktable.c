/* SPDX-License-Identifier: ISC */
/* The kernel process's table: request ids, policies, who an ACQUIRE is for. */
#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pfkey/kern_local.h"
#include "proc/kernel.h"

static const char text[] =
    "ikev2 \"one\" from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 "
    "peer 198.51.100.1 psk \"twenty characters at least\"\n"
    "ikev2 \"two\" from { 10.1.0.0/24, 10.9.0.0/24 } to { 10.3.0.0/24, 10.4.0.0/24 } "
    "local 192.0.2.1 peer 203.0.113.1 psk \"twenty characters too yes\"\n"
    "ikev2 \"road\" from 10.1.0.0/24 to 10.5.0.0/16 peer any "
    "psk \"twenty characters at least\"\n";

static struct conf *
conf_of(const char *t)
{
	static struct conf_errors errs;
	struct conf *c;

	c = conf_parse("t", t, strlen(t), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s", errs.e[0].text);
	return (c);
}

static struct kern_caps caps;

static struct ktable *
table(const char *t, const struct kseen *seen)
{
	struct kseen none;
	struct ktable *kt;
	const char *why;

	memset(&none, 0, sizeof(none));
	if (caps.reqid_max == 0) {
		caps.reqid_max = 16383;
		caps.has_fwd = 1;
	}
	kt = ktable_new(conf_of(t), &caps, seen != NULL ? seen : &none, &why);
	ATF_REQUIRE_MSG(kt != NULL, "%s", why);
	return (kt);
}

static struct addr
addr_of(const char *s)
{
	struct addr a;

	ATF_REQUIRE_EQ(0, addr_parse(&a, s));
	return (a);
}

ATF_TC_WITHOUT_HEAD(policies);
ATF_TC_BODY(policies, tc)
{
	struct kern_policy want;
	struct ktable *kt;
	struct kpol *k;
	size_t i;

	(void)tc;
	kt = table(text, NULL);
	ATF_REQUIRE_EQ((1 + 4 + 1) * 3, kt->npol);
	for (i = 1; i < kt->npol; i++)
		ATF_REQUIRE(kpol_cmp(&kt->pol[i - 1].p, &kt->pol[i].p) < 0);
	memset(&want, 0, sizeof(want));
	want.dir = KERN_FWD;
	ATF_REQUIRE_EQ(0, prefix_parse(&want.src, "10.2.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&want.dst, "10.1.0.0/24"));
	ATF_REQUIRE((k = ktable_find(kt, &want)) != NULL);
	ATF_REQUIRE_EQ(0, k->tunnel);
	ATF_REQUIRE_EQ(KERN_IPSEC, k->p.action);
	ATF_REQUIRE_EQ(kt->reqid[0], k->p.reqid);
	ATF_REQUIRE_EQ(kern_priority(&want.src, &want.dst, 0, 0), k->p.prio);
	{
		struct addr a = addr_of("198.51.100.1"), b = addr_of("192.0.2.1");

		ATF_REQUIRE_EQ(0, addr_cmp(&a, &k->p.tsrc));
		ATF_REQUIRE_EQ(0, addr_cmp(&b, &k->p.tdst));
	}
	/* A peer that may be anybody: nothing leaves in clear before it comes. */
	want.dir = KERN_OUT;
	ATF_REQUIRE_EQ(0, prefix_parse(&want.src, "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&want.dst, "10.5.0.0/16"));
	ATF_REQUIRE((k = ktable_find(kt, &want)) != NULL);
	ATF_REQUIRE_EQ(KERN_DISCARD, k->p.action);
	{
		struct addr l = addr_of("192.0.2.1"), r = addr_of("192.0.2.99");

		ATF_REQUIRE_EQ(1, ktable_bind(kt, k->tunnel, &l, &r));
		ATF_REQUIRE_EQ(KERN_IPSEC, k->p.action);
		ATF_REQUIRE_EQ(0, addr_cmp(&r, &k->p.tdst));
		ATF_REQUIRE_EQ(0, ktable_bind(kt, k->tunnel, &l, &r));
	}
	ktable_free(kt);
}

static void
remote_is(struct ktable *kt, const struct addr *local, const struct addr *remote)
{
	struct kern_policy *p;
	struct kpol *k;
	size_t i = 0, n = 0;

	while ((k = ktable_next(kt, 0, &i)) != NULL) {
		p = &k->p;
		n++;
		ATF_CHECK_EQ(0, addr_cmp(p->dir == KERN_OUT ? &p->tdst : &p->tsrc,
		    remote));
		ATF_CHECK_EQ(0, addr_cmp(p->dir == KERN_OUT ? &p->tsrc : &p->tdst,
		    local));
	}
	ATF_CHECK_EQ(3, n);
}

/* MOBIKE: policies follow the peer, through a reload too, and come back with it. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	struct addr l = addr_of("192.0.2.1"), r = addr_of("198.51.100.1");
	struct addr x = addr_of("203.0.113.9"), zero = addr_of("0.0.0.0");
	struct ktable *kt, *kt2;
	struct kseen seen;
	size_t i;

	(void)tc;
	kt = table(text, NULL);
	ATF_REQUIRE_EQ(0, ktable_bind(kt, 0, &l, &r));
	ATF_CHECK(ktable_moved(kt, 0, &l, &x));
	ATF_CHECK(!ktable_moved(kt, 0, &x, &r));
	ATF_CHECK(!ktable_moved(kt, 0, &l, &l));
	ATF_REQUIRE_EQ(1, ktable_bind(kt, 0, &l, &x));
	remote_is(kt, &l, &x);
	for (i = 0; i < kt->npol; i++)
		kt->pol[i].installed = 1;
	ATF_REQUIRE_EQ(0, ktable_seen(kt, &seen));
	kt2 = table(text, &seen);
	ktable_inherit(kt2, kt);
	remote_is(kt2, &l, &x);
	for (i = 0; i < kt2->npol; i++)
		ATF_CHECK_EQ(1, kt2->pol[i].installed);
	ATF_CHECK_EQ(1, ktable_bind(kt2, 0, &l, &r));
	remote_is(kt2, &l, &r);
	ktable_free(kt2);
	kseen_free(&seen);
	ktable_free(kt);
	/* without `local' the routes choose ours */
	kt = table("ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 peer 198.51.100.1 "
	    "psk \"twenty characters at least\"\n", NULL);
	remote_is(kt, &zero, &r);
	ATF_CHECK_EQ(0, ktable_bind(kt, 0, &l, &r));
	ATF_CHECK_EQ(1, ktable_bind(kt, 0, &x, &l));
	remote_is(kt, &zero, &l);
	ktable_free(kt);
}

static size_t
bound_count(const struct ktable *kt)
{
	size_t i, n = 0;

	for (i = 0; i < kt->npol; i++)
		n += kt->pol[i].tunnel == 2 && kt->pol[i].p.action == KERN_IPSEC;
	return (n);
}

/* A reload: who has come as "any" stays, and only what stands is not placed again. */
ATF_TC_WITHOUT_HEAD(inherit);
ATF_TC_BODY(inherit, tc)
{
	struct addr l = addr_of("192.0.2.1"), r = addr_of("192.0.2.99");
	struct ktable *kt, *kt2;
	struct kseen seen;
	size_t i;

	(void)tc;
	kt = table(text, NULL);
	ATF_REQUIRE_EQ(0, bound_count(kt));
	ATF_REQUIRE_EQ(1, ktable_bind(kt, 2, &l, &r));
	ATF_REQUIRE_EQ(3, bound_count(kt));
	for (i = 0; i < kt->npol; i++)
		kt->pol[i].installed = i != 4;
	ATF_REQUIRE_EQ(0, ktable_seen(kt, &seen));
	kt2 = table(text, &seen);
	ktable_inherit(kt2, kt);
	ATF_REQUIRE_EQ(kt->npol, kt2->npol);
	for (i = 0; i < kt->npol; i++) {
		ATF_REQUIRE(kpol_same(&kt->pol[i].p, &kt2->pol[i].p));
		ATF_REQUIRE_EQ(i != 4, kt2->pol[i].installed);
	}
	ktable_free(kt2);
	/* Another tunnel of those networks, or one that has an address now, does not. */
	kt2 = table("ikev2 \"a\" from 10.7.0.0/24 to 10.8.0.0/16 peer any "
	    "psk \"twenty characters at least\"\n"
	    "ikev2 \"b\" from 10.7.0.0/24 to 10.9.0.0/16 peer any "
	    "psk \"twenty characters at least\"\n"
	    "ikev2 \"wood\" from 10.1.0.0/24 to 10.5.0.0/16 peer any "
	    "psk \"twenty characters at least\"\n", &seen);
	ktable_inherit(kt2, kt);
	ATF_REQUIRE_EQ(0, bound_count(kt2));
	for (i = 0; i < kt2->npol; i++)
		ATF_REQUIRE_EQ(0, kt2->pol[i].installed);
	ktable_free(kt2);
	kt2 = table("ikev2 \"road\" from 10.1.0.0/24 to 10.5.0.0/16 "
	    "peer 203.0.113.50 psk \"twenty characters at least\"\n", &seen);
	ktable_inherit(kt2, kt);
	for (i = 0; i < kt2->npol; i++)
		ATF_REQUIRE(kt2->pol[i].p.action == KERN_IPSEC &&
		    !kt2->pol[i].installed);
	r = addr_of("203.0.113.50");
	ATF_REQUIRE_EQ(0, addr_cmp(&r, &ktable_next(kt2, 0,
	    &(size_t){ 1 })->p.tdst));
	ktable_free(kt2);
	kseen_free(&seen);
	ktable_free(kt);
}

/* What belongs to a tunnel or to an address, without looking at all of them. */
ATF_TC_WITHOUT_HEAD(indices);
ATF_TC_BODY(indices, tc)
{
	struct addr r = addr_of("203.0.113.1"), none = addr_of("203.0.113.2");
	struct ktable *kt;
	struct kpol *k;
	size_t i = 0, n = 0;

	(void)tc;
	kt = table(text, NULL);
	for (; (k = ktable_next(kt, 1, &i)) != NULL; n++)
		ATF_REQUIRE_EQ(1, k->tunnel);
	ATF_REQUIRE_EQ(4 * 3, n);
	i = 0;
	ATF_REQUIRE_EQ(1, ktable_byremote(kt, &r, &i));
	ATF_REQUIRE_EQ(-1, ktable_byremote(kt, &r, &i));
	i = 0;
	ATF_REQUIRE_EQ(-1, ktable_byremote(kt, &none, &i));
	ktable_free(kt);
}

/*
 * What an earlier life placed is ours to remove: the same selectors, reqid and
 * endpoints.  Anything else with those selectors is somebody else's by now.
 */
ATF_TC_WITHOUT_HEAD(left);
ATF_TC_BODY(left, tc)
{
	struct kern_policy p;
	struct kleft kl, none;
	struct ktable *kt;
	struct kern_sa sa;
	char buf[4096];
	size_t i, n = 0;

	(void)tc;
	memset(&kl, 0, sizeof(kl));
	memset(&none, 0, sizeof(none));
	kt = table(text, NULL);
	for (i = 0; i < kt->npol; i++)
		n += kleft_line(kt, &kt->pol[i], buf + n, sizeof(buf) - n);
	ATF_REQUIRE(strncmp(buf, "10.1.0.0/24 10.2.0.0/24 0 0 0 1067 1 tunnel "
	    "192.0.2.1 198.51.100.1\n", 67) == 0);
	n += (size_t)snprintf(buf + n, sizeof(buf) - n, "10.1.0.0/24 10.2.0.0/24\n"
	    "a b c d e f g h i j\n10.1.0.0/24 10.66.0.0/24 0 0 0 1067 9 tunnel "
	    "192.0.2.1 198.51.100.1");		/* torn */
	ATF_REQUIRE_EQ(0, kleft_parse(&kl, buf, n));
	ATF_REQUIRE_EQ(6, kl.was.n);
	for (i = 0; i < kt->npol; i++) {
		p = kt->pol[i].p;
		ATF_CHECK(kleft_policy(&kl, &p));
		ATF_CHECK(!kleft_policy(&none, &p));
		p.prio++;
		ATF_CHECK(!kleft_policy(&kl, &p));
		p = kt->pol[i].p;
		p.proto = 6;
		ATF_CHECK(!kleft_policy(&kl, &p));
		p = kt->pol[i].p;
		p.action = KERN_BYPASS;
		ATF_CHECK(!kleft_policy(&kl, &p));
		p = kt->pol[i].p;
		p.action = KERN_IPSEC;
		p.reqid = 99;
		ATF_CHECK(!kleft_policy(&kl, &p));
		p = kt->pol[i].p;
		p.action = KERN_IPSEC;
		p.tsrc = p.tdst = addr_of("203.0.113.99");
		/* Who "any" was is not written down. */
		ATF_CHECK_EQ(kt->pol[i].tunnel == 2, kleft_policy(&kl, &p));
	}
	memset(&sa, 0, sizeof(sa));
	sa.proto = PROTO_ESP;
	sa.reqid = 1;
	sa.src = addr_of("198.51.100.1");
	sa.dst = addr_of("192.0.2.1");
	ATF_CHECK(kleft_sa(&kl, &sa));
	ATF_CHECK(!kleft_sa(&none, &sa));
	sa.reqid = 2;
	ATF_CHECK(!kleft_sa(&kl, &sa));
	kleft_free(&kl);
	ktable_free(kt);
}

ATF_TC_WITHOUT_HEAD(leftfile);
ATF_TC_BODY(leftfile, tc)
{
	struct kleft kl, kl2;
	struct ktable *kt;
	int fd;

	(void)tc;
	memset(&kl, 0, sizeof(kl));
	memset(&kl2, 0, sizeof(kl2));
	kt = table(text, NULL);
	ATF_REQUIRE((fd = open("traps", O_RDWR | O_CREAT, 0600)) != -1);
	ATF_REQUIRE_EQ(0, kleft_read(&kl, fd));
	ATF_REQUIRE_EQ(0, kl.was.n);
	ATF_REQUIRE_EQ(0, kleft_write(&kl, fd, kt, 1));
	ATF_REQUIRE_EQ(0, kleft_write(&kl, fd, kt, 1));
	ATF_REQUIRE_EQ(0, kleft_read(&kl2, fd));
	ATF_CHECK_EQ(12, kl2.was.n);
	kleft_free(&kl2);
	ATF_REQUIRE_EQ(0, kleft_write(&kl, fd, kt, 0));
	ATF_REQUIRE_EQ(0, kleft_read(&kl2, fd));
	ATF_CHECK_EQ(6, kl2.was.n);
	kleft_free(&kl2);
	ATF_REQUIRE_EQ(0, kleft_write(&kl, fd, NULL, 0));
	ATF_REQUIRE_EQ(0, kleft_read(&kl2, fd));
	ATF_CHECK_EQ(0, kl2.was.n);
	kleft_free(&kl2);
	ktable_free(kt);
}

ATF_TC_WITHOUT_HEAD(reqids);
ATF_TC_BODY(reqids, tc)
{
	struct ktable *kt, *kt2;
	struct kern_policy p;
	struct kseen seen;
	size_t i;

	(void)tc;
	/* What the kernel holds of an earlier life, and one of somebody else. */
	memset(&seen, 0, sizeof(seen));
	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	p.reqid = 77;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, "10.2.0.0/24"));
	kseen_add(&seen, &p);
	p.reqid = 1;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, "172.16.0.0/24"));
	kseen_add(&seen, &p);
	p.reqid = 20000;		/* out of this kernel's range */
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, "10.1.0.0/24"));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, "10.3.0.0/24"));
	kseen_add(&seen, &p);
	kseen_sort(&seen);
	kt = table(text, &seen);
	ATF_REQUIRE_EQ(77, kt->reqid[0]);
	ATF_REQUIRE_EQ(2, kt->reqid[1]);
	ATF_REQUIRE_EQ(3, kt->reqid[2]);
	ATF_REQUIRE_EQ(0, ktable_byreqid(kt, 77));
	ATF_REQUIRE_EQ(1, ktable_byreqid(kt, 2));
	ATF_REQUIRE_EQ(-1, ktable_byreqid(kt, 1));
	ATF_REQUIRE_EQ(-1, ktable_byreqid(kt, 0));
	kseen_free(&seen);
	/* The next generation keeps them, in whatever order it stands. */
	ATF_REQUIRE_EQ(0, ktable_seen(kt, &seen));
	kt2 = table("ikev2 \"new\" from 10.1.0.0/24 to 10.8.0.0/24 "
	    "local 192.0.2.1 peer 203.0.113.1 psk \"twenty characters too yes\"\n"
	    "ikev2 \"one\" from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.7 "
	    "peer 198.51.100.1 psk \"twenty characters at least\"\n", &seen);
	ATF_REQUIRE_EQ(1, kt2->reqid[0]);
	ATF_REQUIRE_EQ(77, kt2->reqid[1]);
	kseen_free(&seen);
	/* Same selectors, other endpoints: that is a change. */
	for (i = 0; i < kt2->npol; i++)
		if (kt2->pol[i].tunnel == 1)
			ATF_REQUIRE(!kpol_same(&kt2->pol[i].p,
			    &ktable_find(kt, &kt2->pol[i].p)->p));
	ktable_free(kt);
	ktable_free(kt2);
}

ATF_TC_WITHOUT_HEAD(exhausted);
ATF_TC_BODY(exhausted, tc)
{
	struct kern_caps few;
	struct kseen none;
	const char *why;

	(void)tc;
	memset(&none, 0, sizeof(none));
	memset(&few, 0, sizeof(few));
	few.reqid_max = 2;
	ATF_REQUIRE(ktable_new(conf_of(text), &few, &none, &why) == NULL);
	ATF_REQUIRE_STREQ("more tunnels than this kernel has request ids", why);
	few.reqid_max = 3;
	ATF_REQUIRE((ktable_free(ktable_new(conf_of(text), &few, &none, &why)),
	    1));
}

/* Negative test 53. */
ATF_TC_WITHOUT_HEAD(endpoints);
ATF_TC_BODY(endpoints, tc)
{
	struct addr l, r, x;
	struct ktable *kt;

	(void)tc;
	l = addr_of("192.0.2.1");
	r = addr_of("198.51.100.1");
	x = addr_of("203.0.113.77");
	kt = table(text, NULL);
	ATF_REQUIRE(ktable_endpoints(kt, 0, &l, &r));
	ATF_REQUIRE(!ktable_endpoints(kt, 0, &r, &l));
	ATF_REQUIRE(!ktable_endpoints(kt, 0, &l, &x));
	ATF_REQUIRE(!ktable_endpoints(kt, 0, &x, &r));
	ATF_REQUIRE(ktable_endpoints(kt, 2, &l, &x));
	ktable_free(kt);
}

ATF_TC_WITHOUT_HEAD(ids);
ATF_TC_BODY(ids, tc)
{
	struct kseen seen;
	struct ktable *kt;
	size_t i;

	(void)tc;
	kt = table(text, NULL);
	ATF_REQUIRE_EQ(0, ktable_seen(kt, &seen));
	for (i = 0; i < seen.n; i++)
		seen.p[i].id = (uint32_t)(8 * i + 1);
	ktable_setids(kt, &seen);
	for (i = 0; i < seen.n; i++)
		ATF_REQUIRE_EQ((int64_t)kt->pol[i].tunnel,
		    ktable_byid(kt, seen.p[i].id));
	ATF_REQUIRE_EQ(-1, ktable_byid(kt, 2));
	kseen_free(&seen);
	ktable_free(kt);
}

/* ---- Children of fewer selectors */

static const char pairs[] =
    "ikev2 \"one\" from { 10.1.0.0/24, 10.1.1.0/24 } to { 10.2.0.0/24, 10.2.1.0/24 } "
    "local 192.0.2.1 peer 198.51.100.1 psk \"twenty characters at least\"\n"
    "ikev2 \"two\" from 10.1.0.0/24 to 10.3.0.0/24 "
    "local 192.0.2.1 peer 198.51.100.1 psk \"twenty characters at least\"\n";

static void
list_of(struct tslist *l, const char *a, const char *b)
{
	struct prefix p;

	memset(l, 0, sizeof(*l));
	ATF_REQUIRE_EQ(0, prefix_parse(&p, a));
	ts_from_prefix(&l->t[l->n++], &p, 0, 0);
	if (b == NULL)
		return;
	ATF_REQUIRE_EQ(0, prefix_parse(&p, b));
	ts_from_prefix(&l->t[l->n++], &p, 0, 0);
}

static uint32_t
child(struct ktable *kt, const char *l1, const char *l2, const char *r1, const char *r2,
    int narrower)
{
	struct tslist l, r;
	uint32_t reqid;
	int n;

	list_of(&l, l1, l2);
	list_of(&r, r1, r2);
	ATF_REQUIRE_EQ(0, ktable_child(kt, 0, &l, &r, &reqid, &n));
	ATF_CHECK_EQ(narrower, n);
	return (reqid);
}

/* The reqid of a pair's policies, the same in each direction. */
static uint32_t
reqid_of(struct ktable *kt, const char *f, const char *t)
{
	struct kern_policy p;
	struct kpol *k;
	uint32_t r;

	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, f));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, t));
	ATF_REQUIRE((k = ktable_find(kt, &p)) != NULL);
	r = k->p.reqid;
	p.dir = KERN_IN;
	ATF_REQUIRE_EQ(0, prefix_parse(&p.src, t));
	ATF_REQUIRE_EQ(0, prefix_parse(&p.dst, f));
	ATF_REQUIRE((k = ktable_find(kt, &p)) != NULL);
	ATF_CHECK_EQ(r, k->p.reqid);
	p.dir = KERN_FWD;
	ATF_REQUIRE((k = ktable_find(kt, &p)) != NULL);
	ATF_CHECK_EQ(r, k->p.reqid);
	return (r);
}

static size_t
not_installed(const struct ktable *kt)
{
	size_t i, n = 0;

	for (i = 0; i < kt->npol; i++)
		n += !kt->pol[i].installed;
	return (n);
}

ATF_TC_WITHOUT_HEAD(children);
ATF_TC_BODY(children, tc)
{
	struct ktable *kt, *kt2;
	struct kseen seen;
	uint32_t r1, r2;
	size_t i;

	(void)tc;
	kt = table(pairs, NULL);
	for (i = 0; i < kt->npol; i++)
		kt->pol[i].installed = 1;
	ATF_CHECK_EQ(1, kt->reqid[0]);
	ATF_CHECK_EQ(2, kt->reqid[1]);
	/* all of it is the tunnel's own, and nothing changes */
	ATF_CHECK_EQ(1, child(kt, "10.1.0.0/24", "10.1.1.0/24", "10.2.0.0/24",
	    "10.2.1.0/24", 0));
	ATF_CHECK_EQ(0, not_installed(kt));
	/* one pair: a reqid, for its three policies; again, at the rekey: the same */
	r1 = child(kt, "10.1.0.0/24", NULL, "10.2.1.0/24", NULL, 0);
	ATF_CHECK_EQ(3, r1);
	ATF_CHECK_EQ(3, not_installed(kt));
	ATF_CHECK_EQ(r1, reqid_of(kt, "10.1.0.0/24", "10.2.1.0/24"));
	ATF_CHECK_EQ(1, reqid_of(kt, "10.1.0.0/24", "10.2.0.0/24"));
	ATF_CHECK_EQ(2, reqid_of(kt, "10.1.0.0/24", "10.3.0.0/24"));
	ATF_CHECK_EQ(r1, child(kt, "10.1.0.0/24", NULL, "10.2.1.0/24", NULL, 0));
	ATF_CHECK_EQ(3, not_installed(kt));
	ATF_CHECK_EQ(0, ktable_byreqid(kt, r1));
	/* a row of two, of which one is narrower than its pair */
	r2 = child(kt, "10.1.1.0/25", NULL, "10.2.0.0/24", "10.2.1.0/24", 1);
	ATF_CHECK_EQ(4, r2);
	ATF_CHECK_EQ(r2, reqid_of(kt, "10.1.1.0/24", "10.2.0.0/24"));
	ATF_CHECK_EQ(r2, reqid_of(kt, "10.1.1.0/24", "10.2.1.0/24"));
	/* what is left has the tunnel's for itself by now */
	ATF_CHECK_EQ(1, child(kt, "10.1.0.0/24", NULL, "10.2.0.0/24", NULL, 0));
	/* the next generation of the same keeps all that, and places nothing again */
	for (i = 0; i < kt->npol; i++)
		kt->pol[i].installed = 1;
	ATF_REQUIRE_EQ(0, ktable_seen(kt, &seen));
	kseen_sort(&seen);
	kt2 = table(pairs, &seen);
	ktable_inherit(kt2, kt);
	ATF_CHECK_EQ(0, not_installed(kt2));
	ATF_CHECK_EQ(r2, reqid_of(kt2, "10.1.1.0/24", "10.2.1.0/24"));
	ATF_CHECK_EQ(0, ktable_byreqid(kt2, r1));
	ATF_CHECK_EQ(0, ktable_byreqid(kt2, r2));
	/* nor is any given to somebody else */
	ATF_CHECK_EQ(5, child(kt2, "10.1.1.0/24", NULL, "10.2.0.0/24", NULL, 0));
	ktable_free(kt2);
	/* another life learns them from the kernel: the SAs are found and deleted */
	kt2 = table(pairs, &seen);
	ATF_CHECK_EQ(1, kt2->reqid[0]);
	ATF_CHECK_EQ(0, ktable_byreqid(kt2, r1));
	ATF_CHECK_EQ(0, ktable_byreqid(kt2, r2));
	ATF_CHECK_EQ(1, reqid_of(kt2, "10.1.1.0/24", "10.2.1.0/24"));
	ktable_free(kt2);
	/* the whole again: one reqid for all */
	ATF_CHECK_EQ(1, child(kt, "10.1.0.0/24", "10.1.1.0/24", "10.2.0.0/24",
	    "10.2.1.0/24", 0));
	ATF_CHECK_EQ(1, reqid_of(kt, "10.1.1.0/24", "10.2.1.0/24"));
	kseen_free(&seen);
	ktable_free(kt);
}

/* Few ids: none is left for one more Child, and that is an error, not a collision. */
ATF_TC_WITHOUT_HEAD(children_exhausted);
ATF_TC_BODY(children_exhausted, tc)
{
	struct kern_caps few;
	struct kseen none;
	struct ktable *kt;
	struct tslist l, r;
	const char *why;
	uint32_t reqid;
	int n;

	(void)tc;
	memset(&none, 0, sizeof(none));
	memset(&few, 0, sizeof(few));
	few.reqid_max = 3;
	ATF_REQUIRE((kt = ktable_new(conf_of(pairs), &few, &none, &why)) != NULL);
	ATF_CHECK_EQ(3, child(kt, "10.1.0.0/24", NULL, "10.2.1.0/24", NULL, 0));
	list_of(&l, "10.1.1.0/24", NULL);
	list_of(&r, "10.2.1.0/24", NULL);
	ATF_CHECK_EQ(-1, ktable_child(kt, 0, &l, &r, &reqid, &n));
	ktable_free(kt);
}

/* Protocols, ports, ICMP's type, both families, two hosts. */
ATF_TC_WITHOUT_HEAD(selectors);
ATF_TC_BODY(selectors, tc)
{
	struct kern_policy *p;
	struct ktable *kt;
	size_t i, v6 = 0;

	(void)tc;
	kt = table("ikev2 \"web\" proto { tcp, udp } from { 10.1.0.0/24, 2001:db8:1::/64 } "
	    "to { 10.2.0.0/24 port 443, 2001:db8:2::/64 } local 192.0.2.1 peer "
	    "198.51.100.1 psk \"twenty characters at least\"\n", NULL);
	/* two protocols, two families, three directions; no pair is mixed */
	ATF_CHECK_EQ(2 * 2 * 3, kt->npol);
	for (i = 0; i < kt->npol; i++) {
		p = &kt->pol[i].p;
		ATF_CHECK_EQ(0, kern_policy_check(p));
		ATF_CHECK(p->proto == 6 || p->proto == 17);
		v6 += p->src.addr.fam == ADDR_V6;
		if (p->src.addr.fam == ADDR_V6)
			ATF_CHECK(p->sport == 0 && p->dport == 0);
		else {
			ATF_CHECK_EQ(p->dir == KERN_OUT ? p->dport : p->sport, 443);
			ATF_CHECK_EQ(p->dir == KERN_OUT ? p->sport : p->dport, 0);
			ATF_CHECK_EQ(p->prio, 1065);
		}
	}
	ATF_CHECK_EQ(6, v6);
	ktable_free(kt);
	kt = table("ikev2 \"ping\" proto icmp from 10.1.0.0/24 to 10.2.0.0/24 port 2051 "
	    "local 192.0.2.1 peer 198.51.100.1 psk \"twenty characters at least\"\n", NULL);
	ATF_CHECK_EQ(3, kt->npol);
	for (i = 0; i < kt->npol; i++)		/* type 8, code 3, wherever it goes */
		ATF_CHECK(kt->pol[i].p.sport == 8 && kt->pol[i].p.dport == 3);
	ktable_free(kt);
	kt = table("ikev2 \"gre\" transport proto gre from 192.0.2.1 to 198.51.100.1 "
	    "psk \"twenty characters at least\"\n", NULL);
	ATF_CHECK_EQ(2, kt->npol);		/* the host itself forwards none of it */
	for (i = 0; i < kt->npol; i++)
		ATF_CHECK(kt->pol[i].p.transport && kt->pol[i].p.proto == 47 &&
		    kt->pol[i].p.dir != KERN_FWD && kt->pol[i].p.prio == 1002);
	ktable_free(kt);
}

/* An SA of the system's between two addresses, outbound of tunnel "one" unless said. */
static void
sa_of(struct kern_sa *sa, const char *src, const char *dst, uint32_t reqid)
{
	memset(sa, 0, sizeof(*sa));
	sa->spi = 0x12345678;
	sa->proto = PROTO_ESP;
	sa->ipproto = 50;
	sa->src = addr_of(src);
	sa->dst = addr_of(dst);
	sa->reqid = reqid;
	sa->encr = ENCR_AES_CBC;
	sa->encr_keybits = 128;
	(void)strlcpy(sa->integ_name, "hmac(md5)-96", sizeof(sa->integ_name));
	sa->addtime = 1000;
	sa->life.hard_secs = 600;
}

/* `show kernel': what is ours, by request id and endpoints. */
ATF_TC_WITHOUT_HEAD(whose_sa);
ATF_TC_BODY(whose_sa, tc)
{
	struct ktable *kt = table(text, NULL);
	struct system_rec r;
	struct kern_sa sa;

	sa_of(&sa, "192.0.2.1", "198.51.100.1", kt->reqid[0]);
	kshow_sa(kt, &sa, 1100, &r);
	ATF_CHECK_EQ(SYSTEM_SA, r.what);
	ATF_CHECK_EQ(SYSTEM_OURS, r.whose);
	ATF_CHECK_EQ(KERN_OUT, r.dir);
	ATF_CHECK_STREQ("one", r.tunnel);
	ATF_CHECK_STREQ("aes-128 hmac(md5)-96", r.suite);
	ATF_CHECK_EQ(100000, r.age_ms);
	ATF_CHECK_EQ(500000, r.expires_in_ms);
	/* a clock that was set back, and a time that is over */
	kshow_sa(kt, &sa, 900, &r);
	ATF_CHECK_EQ(0, r.age_ms);
	kshow_sa(kt, &sa, 2000, &r);
	ATF_CHECK_EQ(1, r.expires_in_ms);
	sa_of(&sa, "198.51.100.1", "192.0.2.1", kt->reqid[0]);
	kshow_sa(kt, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_OURS, r.whose);
	ATF_CHECK_EQ(KERN_IN, r.dir);
	/* a peer may have moved (MOBIKE), we have not */
	sa_of(&sa, "192.0.2.1", "198.51.100.9", kt->reqid[0]);
	kshow_sa(kt, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_OURS, r.whose);
	/* other endpoints, another request id, another protocol, no table */
	sa_of(&sa, "192.0.2.9", "198.51.100.1", kt->reqid[0]);
	kshow_sa(kt, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
	ATF_CHECK_EQ(0, r.dir);
	ATF_CHECK_STREQ("", r.tunnel);
	sa_of(&sa, "192.0.2.1", "198.51.100.1", 4711);
	kshow_sa(kt, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
	sa_of(&sa, "192.0.2.1", "198.51.100.1", kt->reqid[0]);
	sa.proto = PROTO_AH;
	kshow_sa(kt, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
	sa.proto = PROTO_ESP;
	kshow_sa(NULL, &sa, 1000, &r);
	ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
	ktable_free(kt);
}

ATF_TC_WITHOUT_HEAD(whose_policy);
ATF_TC_BODY(whose_policy, tc)
{
	struct ktable *kt = table(text, NULL);
	struct system_rec r;
	struct kern_policy p;
	size_t i;

	for (i = 0; i < kt->npol; i++) {
		/* as kernels say it back */
		p = kt->pol[i].p;
		p.id = 8;
		p.packets = 7;
		p.ipproto = 50;
		if (p.action != KERN_IPSEC)
			p.reqid = 0;
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ_MSG(SYSTEM_OURS, r.whose, "policy %zu", i);
		ATF_CHECK_EQ(SYSTEM_POLICY, r.what);
		ATF_CHECK_EQ(p.dir, (enum kern_dir)r.dir);
		ATF_CHECK_STREQ(kt->conf->tunnels[kt->pol[i].tunnel].name, r.tunnel);
		p.prio = 0;		/* not said */
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_OURS, r.whose);
		p.prio = 1;
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_DIFFERS, r.whose);
		p = kt->pol[i].p;
		p.action = KERN_BYPASS;
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_DIFFERS, r.whose);
		p = kt->pol[i].p;
		p.use = 1;		/* leaves in clear */
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_DIFFERS, r.whose);
		p.use = 0;
		p.mark = 1;		/* beside it */
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
		p.mark = 0;
		p.proto = 99;
		kshow_policy(kt, &p, &r);
		ATF_CHECK_EQ(SYSTEM_FOREIGN, r.whose);
		ATF_CHECK_STREQ("", r.tunnel);
	}
	ktable_free(kt);
}

/* With a mark, of another action or elsewhere, it is not what is wanted. */
ATF_TC_WITHOUT_HEAD(seen_has);
ATF_TC_BODY(seen_has, tc)
{
	struct ktable *kt = table(text, NULL);
	struct kern_policy p = kt->pol[0].p;
	struct kseen seen = { 0 };
	int i;

	ATF_CHECK(!kseen_has(&seen, &p));
	for (i = 1; i < 4; i++) {
		p.mark = (uint32_t)i;
		kseen_add(&seen, &p);
	}
	p.mark = 0;
	p.use = 1;
	kseen_add(&seen, &p);
	kseen_add(&seen, &kt->pol[1].p);
	kseen_sort(&seen);
	ATF_CHECK(!kseen_has(&seen, &kt->pol[0].p));
	ATF_CHECK(kseen_has(&seen, &kt->pol[1].p));
	ATF_CHECK(!kseen_has(&seen, &kt->pol[2].p));
	kseen_add(&seen, &kt->pol[0].p);
	kseen_sort(&seen);
	ATF_CHECK(kseen_has(&seen, &kt->pol[0].p));
	kseen_free(&seen);
	ktable_free(kt);
}

/* Which tunnel of the table before is which. */
ATF_TC_WITHOUT_HEAD(twin);
ATF_TC_BODY(twin, tc)
{
	struct ktable *old = table(text, NULL), *kt;

	kt = table("ikev2 \"new\" from 10.20.0.0/24 to 10.21.0.0/24 peer 198.51.100.8 "
	    "psk \"twenty characters at least\"\n"
	    "ikev2 \"road\" from 10.1.0.0/24 to 10.5.0.0/16 peer any "
	    "psk \"twenty characters, others\"\n"
	    "ikev2 \"one\" from 10.1.0.0/24 to 10.2.0.0/25 local 192.0.2.1 "
	    "peer 198.51.100.1 psk \"twenty characters at least\"\n"
	    "ikev2 \"two\" from { 10.9.0.0/24, 10.1.0.0/24 } to { 10.3.0.0/24, 10.4.0.0/24 } "
	    "local 192.0.2.1 peer 203.0.113.2 psk \"twenty characters too yes\"\n", NULL);
	ATF_CHECK_EQ(1, ktable_twin(kt, old, 2));	/* road */
	ATF_CHECK_EQ(-1, ktable_twin(kt, old, 0));	/* other networks */
	ATF_CHECK_EQ(-1, ktable_twin(kt, old, 1));	/* another peer */
	ATF_CHECK_EQ(-1, ktable_twin(old, kt, 0));	/* was not there */
	ATF_CHECK_EQ(1, ktable_twin(old, old, 1));
	ktable_free(kt);
	ktable_free(old);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, seen_has);
	ATF_TP_ADD_TC(tp, twin);
	ATF_TP_ADD_TC(tp, policies);
	ATF_TP_ADD_TC(tp, whose_sa);
	ATF_TP_ADD_TC(tp, whose_policy);
	ATF_TP_ADD_TC(tp, inherit);
	ATF_TP_ADD_TC(tp, moved);
	ATF_TP_ADD_TC(tp, indices);
	ATF_TP_ADD_TC(tp, left);
	ATF_TP_ADD_TC(tp, leftfile);
	ATF_TP_ADD_TC(tp, reqids);
	ATF_TP_ADD_TC(tp, exhausted);
	ATF_TP_ADD_TC(tp, endpoints);
	ATF_TP_ADD_TC(tp, ids);
	ATF_TP_ADD_TC(tp, children);
	ATF_TP_ADD_TC(tp, children_exhausted);
	ATF_TP_ADD_TC(tp, selectors);
	return (atf_no_error());
}
