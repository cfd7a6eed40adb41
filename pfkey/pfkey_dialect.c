/* SPDX-License-Identifier: ISC */
/*
 * What differs between the systems' PF_KEY: numbers, units, layouts.  A new
 * dialect of the KAME family (NetBSD) is a new table here; OpenBSD, whose
 * extensions above 16 and policies are its own, also needs its own pfkey_req.c.
 */

#include "pfkey/pfkey_msg.h"

/* The extensions RFC 2367 and KAME number alike. */
#define KAME								\
	[1] = PX_SA, [2] = PX_LTC, [3] = PX_LTH, [4] = PX_LTS,		\
	[5] = PX_SRC, [6] = PX_DST, [7] = PX_PROXY, [8] = PX_KAUTH,	\
	[9] = PX_KENC, [10] = PX_IDSRC, [11] = PX_IDDST, [12] = PX_SENS,\
	[13] = PX_PROP, [14] = PX_SUPA, [15] = PX_SUPE,			\
	[16] = PX_SPIRANGE, [17] = PX_KMPRIV, [18] = PX_POLICY,		\
	[19] = PX_SA2, [20] = PX_NATT_TYPE, [21] = PX_SPORT,		\
	[22] = PX_DPORT

/*
 * linux/pfkeyv2.h, net/key/af_key.c.  No AEAD at all (ENOSYS), HMAC-SHA2-256 cut
 * to 96 bits (not RFC 4868's 128), replay window capped at 32 packets.
 */
const struct pfkey_dialect pfkey_linux = {
	.name = "PF_KEY (Linux)",
	.inet6 = 10,
	.msg_max = 24,
	.ext_max = 26,
	.kind = { KAME, [23] = PX_NATT_OA, [24] = PX_SECCTX,
	    [25] = PX_KMADDRESS, [26] = PX_FILTER },
	.ignores_unknown = 1,
	.reqhdr = 16,
	.dir_max = 5,
	.has_fwd = 1,
	.sa_proto = 0,
	.replay_unit = 1,
	.replay_max = 32,
	.sha256_96 = 1,
	.salt_bits = 32,
	.update_keys = 1,
	.acquire_spi = 1,
	.icmp4_type = 1
};

/*
 * net/pfkeyv2.h, sys/netipsec/key.c.  Replay windows count octets of a bitmap,
 * those above 2040 packets have their own extension (in packets).
 */
const struct pfkey_dialect pfkey_freebsd = {
	.name = "PF_KEY (FreeBSD)",
	.inet6 = 28,
	.sa_len = 1,
	.msg_max = 22,
	.ext_max = 31,
	.kind = { KAME, [23] = PX_OAI, [24] = PX_OAR, [25] = PX_FRAG,
	    [26] = PX_REPLAY, [27] = PX_NEWSRC, [28] = PX_NEWDST,
	    [29] = PX_LTC_SW, [30] = PX_LTC_HW, [31] = PX_LTC_IF },
	.reqhdr = 8,
	.dir_max = 2,
	.scope = 1,
	.sa_proto = PF_PROTO_ANY,
	.replay_unit = 8,
	.replay_max = 4096,
	.esn_flag = 0x400,
	.chacha = 15,
	.has_aead = 1
};

/* SADB_EALG_* and SADB_AALG_* of the KAME family; ChaCha20 is the dialect's. */
static const struct {
	uint8_t		pf;
	uint16_t	ike;
} ealgs[] = {
	{ 3, ENCR_3DES }, { 11, ENCR_NULL }, { 12, ENCR_AES_CBC },
	{ 13, ENCR_AES_CTR }, { 18, ENCR_AES_GCM_8 }, { 19, ENCR_AES_GCM_12 },
	{ 20, ENCR_AES_GCM_16 }
}, aalgs[] = {
	{ 3, INTEG_HMAC_SHA1_96 }, { 5, INTEG_HMAC_SHA2_256_128 },
	{ 6, INTEG_HMAC_SHA2_384_192 }, { 7, INTEG_HMAC_SHA2_512_256 }
};

#define N(a)	(sizeof(a) / sizeof((a)[0]))

uint8_t
pfkey_ealg(const struct pfkey_dialect *d, uint16_t encr)
{
	size_t i;

	if (encr == ENCR_CHACHA20_POLY1305)
		return (d->chacha);
	for (i = 0; i < N(ealgs); i++)
		if (ealgs[i].ike == encr)
			return (ealgs[i].pf);
	return (0);
}

uint16_t
pfkey_encr(const struct pfkey_dialect *d, uint8_t ealg)
{
	size_t i;

	if (ealg != 0 && ealg == d->chacha)
		return (ENCR_CHACHA20_POLY1305);
	for (i = 0; i < N(ealgs); i++)
		if (ealgs[i].pf == ealg)
			return (ealgs[i].ike);
	return (0);
}

uint8_t
pfkey_aalg(const struct pfkey_dialect *d, uint16_t integ)
{
	size_t i;

	(void)d;
	for (i = 0; i < N(aalgs); i++)
		if (aalgs[i].ike == integ)
			return (aalgs[i].pf);
	return (0);
}

uint16_t
pfkey_integ(const struct pfkey_dialect *d, uint8_t aalg)
{
	size_t i;

	(void)d;
	for (i = 0; i < N(aalgs); i++)
		if (aalgs[i].pf == aalg)
			return (aalgs[i].ike);
	return (INTEG_NONE);
}

uint16_t
pfkey_exttype(const struct pfkey_dialect *d, enum pfkey_kind kind)
{
	uint16_t i;

	for (i = 1; i < PFKEY_EXTNUM; i++)
		if (d->kind[i] == kind)
			return (i);
	return (0);
}
