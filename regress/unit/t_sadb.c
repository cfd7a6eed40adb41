/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl -s and -m: what captured messages of kernels become, in the form of OpenBSD's
 * ipsecctl(8).  Keys only where they are asked for.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../sbin/ipsecctl/sadb.h"
#include "pfkey/pfkey_msg.h"

#ifdef __linux__
#include <linux/xfrm.h>

#include "pfkey/xfrm_msg_linux.h"
#endif

#define DIR	REGRESS_DATA "/pfkey/"

struct bytes {
	_Alignas(8) uint8_t	 b[4096];
	size_t			 len;
};

static void
load(struct bytes *m, const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), DIR "%s.bin", name);
	ATF_REQUIRE_MSG((f = fopen(path, "rb")) != NULL, "%s", path);
	m->len = fread(m->b, 1, sizeof(m->b), f);
	(void)fclose(f);
}

/* What one of the printers says. */
static char said[4096];

static FILE *
listen_to(void)
{
	FILE *f;

	memset(said, 0, sizeof(said));
	ATF_REQUIRE((f = fmemopen(said, sizeof(said), "w")) != NULL);
	return (f);
}

static void
note(const struct kern_note *n, int keys, const char *want)
{
	FILE *f = listen_to();

	sadb_note(f, n, keys);
	(void)fclose(f);
	ATF_CHECK_STREQ(want, said);
}

static void
pf(const char *name, struct pfkey_msg *m)
{
	static struct bytes b;
	const char *why;

	load(&b, name);
	ATF_REQUIRE_MSG(pfkey_decode(&pfkey_linux, b.b, b.len, m, &why) == 0, "%s: %s",
	    name, why);
}

static void
pf_sa(const char *name, int verbose, int keys, const char *want)
{
	struct pfkey_msg m;
	struct kern_sa sa;
	FILE *f = listen_to();

	pf(name, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_sa(&pfkey_linux, &m, &sa));
	if (keys)
		pfkey_get_keys(&m, &sa);
	sadb_sa(f, &sa, verbose, keys);
	(void)fclose(f);
	ATF_CHECK_STREQ(want, said);
}

static void
pf_flow(const char *name, int verbose, const char *want)
{
	struct pfkey_msg m;
	struct kern_policy p;
	FILE *f = listen_to();

	pf(name, &m);
	ATF_REQUIRE_EQ(0, pfkey_get_policy(&pfkey_linux, &m, &p));
	sadb_flow(f, &p, verbose);
	(void)fclose(f);
	ATF_CHECK_STREQ(want, said);
}

static void
pf_note(const char *name, int keys, const char *want)
{
	struct pfkey_msg m;
	struct kern_note n;

	pf(name, &m);
	pfkey_get_note(&pfkey_linux, &m, keys, &n);
	note(&n, keys, want);
}

ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	ATF_CHECK_EQ(SADB_FLOWS | SADB_SAS, sadb_word("all"));
	ATF_CHECK_EQ(SADB_FLOWS | SADB_SAS, sadb_word("a"));
	ATF_CHECK_EQ(SADB_FLOWS, sadb_word("flow"));
	ATF_CHECK_EQ(SADB_FLOWS, sadb_word("f"));
	ATF_CHECK_EQ(SADB_SAS, sadb_word("sa"));
	ATF_CHECK_EQ(SADB_SAS, sadb_word("s"));
	ATF_CHECK_EQ(0, sadb_word(""));
	ATF_CHECK_EQ(0, sadb_word("flows"));
	ATF_CHECK_EQ(0, sadb_word("./sa"));
	ATF_CHECK_EQ(0, sadb_word("/var/run/iked.sock"));
}

ATF_TC_WITHOUT_HEAD(pfkey_sas);
ATF_TC_BODY(pfkey_sas, tc)
{
	pf_sa("067-k2u-dump-esp-reply1", 1, 0,
	    "esp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\tsa: spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\t\tstate mature replay 32 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 3 bytes 252 add 1795436738 first 1795436739\n"
	    "\tlifetime_hard: alloc 0 bytes 100000 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 80000 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 1\n");
	pf_sa("067-k2u-dump-esp-reply1", 0, 1,
	    "esp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\tkey_auth: bits 256: 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
	    "\tkey_enc: bits 256: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	pf_sa("426-k2u-dump-mixed-satypes-reply5", 0, 0,
	    "esp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x00003000 auth hmac-sha2-512 enc aes-256\n");
	pf_sa("427-k2u-dump-mixed-satypes-reply6", 0, 0,
	    "esp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x00003000 auth hmac-sha2-512 enc aes-256\n");
	pf_sa("424-k2u-dump-mixed-satypes-reply3", 0, 0,
	    "esp transport from 192.0.2.1 to 192.0.2.2 spi 0x00004002 auth hmac-sha2-512 enc null\n");
	pf_sa("425-k2u-dump-mixed-satypes-reply4", 1, 0,
	    "ah transport from 192.0.2.1 to 192.0.2.2 spi 0x00004000 auth hmac-sha2-512\n"
	    "\tsa: spi 0x00004000 auth hmac-sha2-512 enc none\n"
	    "\t\tstate mature replay 32 flags <transport>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437950 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 2\n");
	pf_sa("254-k2u-get-natt-in-reply", 1, 0,
	    "esp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x00000072 auth hmac-sha2-384 enc aes-256\n"
	    "\tsa: spi 0x00000072 auth hmac-sha2-384 enc aes-256\n"
	    "\t\tstate mature replay 32 flags <tunnel,udpencap>\n"
	    "\tlifetime_cur: alloc 5 bytes 420 add 1795437178 first 1795437180\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\tudpencap: sport 4500 dport 4500\n"
	    "\treqid: 8\n");
}

ATF_TC_WITHOUT_HEAD(pfkey_flows);
ATF_TC_BODY(pfkey_flows, tc)
{
	pf_flow("075-k2u-spddump-reply1", 1,
	    "flow esp out proto 1 from 192.0.2.1/32 to 192.0.2.2/32 type require\n"
	    "\trequest: esp mode transport reqid 7\n"
	    "\tpolicy: id 49 priority 9\n");
	pf_flow("031-u2k-spdadd-use-tunnel-out", 0,
	    "flow esp out from 10.1.0.0/24 to 10.77.0.0/24 local 192.0.2.1 peer 192.0.2.2 type use\n");
	pf_flow("033-u2k-spdadd-transport-icmp", 0,
	    "flow esp out proto 1 from 192.0.2.1/32 to 192.0.2.2/32 type require\n");
	pf_flow("025-u2k-spdadd-discard", 1,
	    "flow out from 10.1.0.0/24 to 10.66.0.0/24 type deny\n"
	    "\tpolicy: id 0 priority 5000\n");
	pf_flow("023-u2k-spdadd-none-ike-bypass", 0,
	    "flow out proto 17 from 0.0.0.0/0 port 500 to 0.0.0.0/0 port 500 type bypass\n");
	pf_flow("217-u2k-spdadd-beet", 1,
	    "flow esp out from 10.1.3.0/24 to 10.2.3.0/24 local 192.0.2.1 peer 192.0.2.2 type require\n"
	    "\trequest: esp mode tunnel reqid 9\n"
	    "\tpolicy: id 0 priority 0\n");
}

ATF_TC_WITHOUT_HEAD(pfkey_notes);
ATF_TC_BODY(pfkey_notes, tc)
{
	pf_note("053-k2u-sa4-a-add-out-reply", 0,
	    "sadb_add: satype esp vers 2 len 37 seq 1 pid 785\n"
	    "\tesp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\tsa: spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\t\tstate mature replay 32 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795436738 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 100000 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 80000 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 1\n");
	pf_note("053-k2u-sa4-a-add-out-reply", 1,
	    "sadb_add: satype esp vers 2 len 37 seq 1 pid 785\n"
	    "\tesp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\tsa: spi 0x0f1af777 auth hmac-sha2-256 enc aes-256\n"
	    "\t\tstate mature replay 32 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795436738 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 100000 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 80000 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 1\n"
	    "\tkey_auth: bits 256: 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
	    "\tkey_enc: bits 256: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	pf_note("139-k2u-delete-in-reply", 0,
	    "sadb_delete: satype esp vers 2 len 37 seq 1057 pid 785\n"
	    "\tesp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x02cc2010 auth hmac-sha2-256 enc aes-256\n"
	    "\tsa: spi 0x02cc2010 auth hmac-sha2-256 enc aes-256\n"
	    "\t\tstate dead replay 32 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 9 bytes 2220 add 1795436738 first 1795436739\n"
	    "\tlifetime_hard: alloc 0 bytes 100000 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 80000 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\treqid: 1\n");
	pf_note("123-k2u-expire-hard-time", 0,
	    "sadb_expire: satype esp vers 2 len 23 seq 0 pid 0\n"
	    "\texpired: hard lifetime\n"
	    "\tesp tunnel from 192.0.2.1 to 192.0.2.9 spi 0x0000abc1 auth hmac-sha2-256 enc aes\n"
	    "\tsa: spi 0x0000abc1 auth hmac-sha2-256 enc aes\n"
	    "\t\tstate dead replay 32 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795436744 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 4 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.9\n"
	    "\treqid: 5\n");
	pf_note("035-k2u-acquire-esp4", 0,
	    "sadb_acquire: satype esp vers 2 len 11 seq 1 pid 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\tpolicy: id 1\n");
	pf_note("250-k2u-nat-t-new-mapping", 0,
	    "sadb_x_nat_t_new_mapping: satype esp vers 2 len 12 seq 1071 pid 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\tsa: spi 0x00000071\n"
	    "\tnew_src: 192.0.2.1:5555\n");
	pf_note("156-k2u-flush-esp-reply1", 0,
	    "sadb_flush: satype esp vers 2 len 2 seq 1065 pid 785\n");
	pf_note("145-k2u-spddelete-in-reply", 0,
	    "sadb_x_spddelete: satype unspec vers 2 len 28 seq 1060 pid 785\n"
	    "\tflow esp in from 10.2.0.0/24 to 10.1.0.0/24 local 192.0.2.1 peer 192.0.2.2 type require\n"
	    "\trequest: esp mode tunnel reqid 1\n"
	    "\tpolicy: id 8 priority 2080\n"
	    "\tlifetime_cur: alloc 0 bytes 0 first 1795436751\n");
	pf_note("002-k2u-register-esp-reply", 0,
	    "sadb_register: satype esp vers 2 len 16 seq 1001 pid 785\n");
	pf_note("141-k2u-delete-again-reply", 0,
	    "sadb_delete: satype esp vers 2 len 2 seq 1058 pid 785\n"
	    "\terrno 3: No such process\n");
}

#ifdef __linux__
static const struct nlmsghdr *
nl(const char *name)
{
	static struct bytes b;
	char path[128];

	(void)snprintf(path, sizeof(path), "xfrm/%s", name);
	load(&b, path);
	ATF_REQUIRE(xfrm_msg_ok((const void *)b.b, (int)b.len));
	return ((const void *)b.b);
}

static void
x_sa(const char *name, int verbose, int keys, const char *want)
{
	const struct nlmsghdr *h = nl(name);
	struct kern_sa sa;
	FILE *f = listen_to();

	ATF_REQUIRE_EQ(0, xfrm_get_sa(h, &sa));
	if (keys)
		xfrm_get_keys(h, &sa);
	sadb_sa(f, &sa, verbose, keys);
	(void)fclose(f);
	ATF_CHECK_STREQ(want, said);
}

static void
x_flow(const char *name, int verbose, const char *want)
{
	struct kern_policy p;
	FILE *f = listen_to();

	ATF_REQUIRE_EQ(0, xfrm_get_policy(nl(name), &p));
	sadb_flow(f, &p, verbose);
	(void)fclose(f);
	ATF_CHECK_STREQ(want, said);
}

static void
x_note(const char *name, int keys, const char *want)
{
	struct kern_note n;

	ATF_CHECK_EQ(0, xfrm_get_note(nl(name), keys, &n));
	note(&n, keys, want);
}

/* Ends carry what ended in an attribute; built of a captured one. */
static void
x_gone(void)
{
	_Alignas(8) uint8_t b[1024] = { 0 };
	const struct nlmsghdr *was = nl("318-k2u-xfrm-notify-newsa");
	struct nlmsghdr *h = mnl_nlmsg_put_header(b);
	struct kern_note n;

	h->nlmsg_type = XFRM_MSG_DELSA;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct xfrm_usersa_id));
	mnl_attr_put(h, XFRMA_SA, sizeof(struct xfrm_usersa_info),
	    mnl_nlmsg_get_payload(was));
	ATF_CHECK_EQ(0, xfrm_get_note(h, 1, &n));
	ATF_CHECK_EQ(KERN_NOTE_SA_GONE, n.type);
	ATF_CHECK_STREQ("xfrm_delsa", n.word);
	ATF_CHECK_EQ(0x544c7d23, n.sa.spi);
	ATF_CHECK_EQ(0, n.expired);
	/* one whose attribute is cut short is told of, no more */
	((struct nlattr *)(void *)(b + NLMSG_HDRLEN +
	    MNL_ALIGN(sizeof(struct xfrm_usersa_id))))->nla_len = 40;
	ATF_CHECK_EQ(-1, xfrm_get_note(h, 1, &n));
	note(&n, 1, "xfrm_delsa: satype unspec len 268 seq 0 pid 0\n");

	was = nl("305-k2u-xfrm-notify-newpolicy");
	memset(b, 0, sizeof(b));
	h = mnl_nlmsg_put_header(b);
	h->nlmsg_type = XFRM_MSG_DELPOLICY;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct xfrm_userpolicy_id));
	mnl_attr_put(h, XFRMA_POLICY, sizeof(struct xfrm_userpolicy_info),
	    mnl_nlmsg_get_payload(was));
	ATF_CHECK_EQ(0, xfrm_get_note(h, 0, &n));
	ATF_CHECK_EQ(KERN_NOTE_POLICY_GONE, n.type);
	ATF_CHECK_EQ(KERN_OUT, n.policy.dir);

	memset(b, 0, sizeof(b));
	h = mnl_nlmsg_put_header(b);
	h->nlmsg_type = XFRM_MSG_FLUSHSA;
	((struct xfrm_usersa_flush *)mnl_nlmsg_put_extra_header(h,
	    sizeof(struct xfrm_usersa_flush)))->proto = 50;
	ATF_CHECK_EQ(0, xfrm_get_note(h, 0, &n));
	note(&n, 0, "xfrm_flushsa: satype esp len 20 seq 0 pid 0\n");
}

ATF_TC_WITHOUT_HEAD(xfrm);
ATF_TC_BODY(xfrm, tc)
{
	x_sa("322-k2u-xfrm-getsa-dump-reply2", 1, 0,
	    "esp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x544c7d23 enc aes-128-gcm\n"
	    "\tsa: spi 0x544c7d23 auth none enc aes-128-gcm\n"
	    "\t\tstate mature replay 128 flags <tunnel,esn>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437574 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 0 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\treqid: 1\n");
	x_sa("321-k2u-xfrm-getsa-dump-reply1", 0, 1,
	    "esp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x00000999 enc aes-128-gcm\n"
	    "\tkey_enc: bits 160: 000102030405060708090a0b0c0d0e0f10111213\n");
	x_sa("309-k2u-xfrm-allocspi-reply", 1, 0,
	    "esp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x544c7d23\n"
	    "\tsa: spi 0x544c7d23 auth none enc none\n"
	    "\t\tstate larval replay 0 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437574 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 30 first 0\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\treqid: 1\n"
	    "\tselector: from 192.0.2.2/32 to 192.0.2.1/32\n");
	x_sa("316-u2k-xfrm-newsa-bad-alg", 0, 0,
	    "esp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x00000998 enc nosuch(aead)\n");
	x_flow("325-k2u-xfrm-getpolicy-dump-reply1", 1,
	    "flow esp in from 10.2.0.0/24 to 10.1.0.0/24 local 192.0.2.1 peer 192.0.2.2 type require\n"
	    "\trequest: esp mode tunnel reqid 1\n"
	    "\tpolicy: id 8 priority 2080\n");
}

ATF_TC_WITHOUT_HEAD(xfrm_notes);
ATF_TC_BODY(xfrm_notes, tc)
{
	x_note("318-k2u-xfrm-notify-newsa", 0,
	    "xfrm_updsa: satype esp len 380 seq 5 pid 0\n"
	    "\tesp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x544c7d23 enc aes-128-gcm\n"
	    "\tsa: spi 0x544c7d23 auth none enc aes-128-gcm\n"
	    "\t\tstate mature replay 128 flags <tunnel,esn>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437574 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 0 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\treqid: 1\n");
	x_note("319-k2u-xfrm-notify-newsa", 1,
	    "xfrm_newsa: satype esp len 352 seq 6 pid 0\n"
	    "\tesp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x00000999 enc aes-128-gcm\n"
	    "\tsa: spi 0x00000999 auth none enc aes-128-gcm\n"
	    "\t\tstate mature replay 0 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437575 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 3 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 0 add 1 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 1\n"
	    "\tkey_enc: bits 160: 000102030405060708090a0b0c0d0e0f10111213\n");
	x_note("305-k2u-xfrm-notify-newpolicy", 0,
	    "xfrm_newpolicy: satype esp len 264 seq 2 pid 0\n"
	    "\tflow esp out from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer 192.0.2.2 type require\n"
	    "\trequest: esp mode tunnel reqid 1\n"
	    "\tpolicy: id 1 priority 2080\n");
	x_note("307-k2u-xfrm-notify-acquire", 0,
	    "xfrm_acquire: satype esp len 376 seq 0 pid 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\tselector: from 10.1.0.1/32[1/2048] to 10.2.0.1/32[1/2048]\n"
	    "\tpolicy: id 1\n"
	    "\treqid: 1\n");
	x_note("328-k2u-xfrm-notify-expire", 0,
	    "xfrm_expire: satype esp len 248 seq 0 pid 0\n"
	    "\texpired: soft lifetime\n"
	    "\tesp tunnel from 192.0.2.1 to 192.0.2.2 spi 0x00000999\n"
	    "\tsa: spi 0x00000999 auth none enc none\n"
	    "\t\tstate mature replay 0 flags <tunnel>\n"
	    "\tlifetime_cur: alloc 1 bytes 84 add 1795437575 first 1795437576\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 3 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 0 add 1 first 0\n"
	    "\taddress_src: 192.0.2.1\n"
	    "\taddress_dst: 192.0.2.2\n"
	    "\treqid: 1\n");
	x_note("329-k2u-xfrm-notify-expire", 0,
	    "xfrm_other: satype unspec len 120 seq 0 pid 1611232818\n");
	x_note("343-k2u-xfrm-notify-del", 0,
	    "xfrm_delsa: satype esp len 408 seq 11 pid 0\n"
	    "\tesp tunnel from 192.0.2.2 to 192.0.2.1 spi 0x544c7d23 enc aes-128-gcm\n"
	    "\tsa: spi 0x544c7d23 auth none enc aes-128-gcm\n"
	    "\t\tstate mature replay 128 flags <tunnel,esn>\n"
	    "\tlifetime_cur: alloc 0 bytes 0 add 1795437574 first 0\n"
	    "\tlifetime_hard: alloc 0 bytes 0 add 3600 first 0\n"
	    "\tlifetime_soft: alloc 0 bytes 0 add 3000 first 0\n"
	    "\taddress_src: 192.0.2.2\n"
	    "\taddress_dst: 192.0.2.1\n"
	    "\treqid: 1\n");
	x_note("344-k2u-xfrm-notify-del", 0,
	    "xfrm_flushpolicy: satype unspec len 28 seq 14 pid 0\n");
	x_gone();
}
#endif

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, words);
	ATF_TP_ADD_TC(tp, pfkey_sas);
	ATF_TP_ADD_TC(tp, pfkey_flows);
	ATF_TP_ADD_TC(tp, pfkey_notes);
#ifdef __linux__
	ATF_TP_ADD_TC(tp, xfrm);
	ATF_TP_ADD_TC(tp, xfrm_notes);
#endif
	return (atf_no_error());
}
