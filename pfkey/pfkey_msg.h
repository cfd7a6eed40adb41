/* SPDX-License-Identifier: ISC */
/*
 * PF_KEY messages (RFC 2367 and KAME's policy extensions) as typed values, and
 * their bytes in each system's dialect.  Pure and built everywhere: golden bytes
 * of all dialects are tested on all systems.
 */
#ifndef PFKEY_PFKEY_MSG_H
#define PFKEY_PFKEY_MSG_H

#include "base/buf.h"
#include "pfkey/kern_local.h"

/* Message types and SA types of the KAME family (Linux, FreeBSD, NetBSD). */
enum {
	PFM_GETSPI = 1, PFM_UPDATE = 2, PFM_ADD = 3, PFM_DELETE = 4, PFM_GET = 5,
	PFM_ACQUIRE = 6, PFM_REGISTER = 7, PFM_EXPIRE = 8, PFM_FLUSH = 9,
	PFM_DUMP = 10, PFM_SPDUPDATE = 13, PFM_SPDADD = 14, PFM_SPDDELETE = 15,
	PFM_SPDGET = 16, PFM_SPDDUMP = 18, PFM_SPDFLUSH = 19, PFM_SPDEXPIRE = 21,
	PFM_SPDDELETE2 = 22, PFM_NAT_T_NEW_MAPPING = 23, PFM_MIGRATE = 24
};
enum { PFS_UNSPEC = 0, PFS_AH = 2, PFS_ESP = 3, PFS_IPCOMP = 9 };
enum { PF_SA_LARVAL = 0, PF_SA_MATURE = 1, PF_SA_DYING = 2, PF_SA_DEAD = 3 };
enum { PF_MODE_ANY = 0, PF_MODE_TRANSPORT = 1, PF_MODE_TUNNEL = 2 };
enum { PF_LEVEL_USE = 1, PF_LEVEL_UNIQUE = 3 };
enum { PF_POL_DISCARD = 0, PF_POL_NONE = 1, PF_POL_IPSEC = 2 };
#define PF_PROTO_ANY	255

/*
 * What an extension means.  Up to PX_DPORT these are also its numbers in the KAME
 * family; the numbers above differ and come from the dialect.
 */
enum pfkey_kind {
	PX_NONE = 0, PX_SA = 1, PX_LTC = 2, PX_LTH = 3, PX_LTS = 4, PX_SRC = 5,
	PX_DST = 6, PX_PROXY = 7, PX_KAUTH = 8, PX_KENC = 9, PX_IDSRC = 10,
	PX_IDDST = 11, PX_SENS = 12, PX_PROP = 13, PX_SUPA = 14, PX_SUPE = 15,
	PX_SPIRANGE = 16, PX_KMPRIV = 17, PX_POLICY = 18, PX_SA2 = 19,
	PX_NATT_TYPE = 20, PX_SPORT = 21, PX_DPORT = 22, PX_NATT_OA, PX_OAI,
	PX_OAR, PX_FRAG, PX_SECCTX, PX_KMADDRESS, PX_FILTER, PX_REPLAY,
	PX_NEWSRC, PX_NEWDST, PX_LTC_SW, PX_LTC_HW, PX_LTC_IF, PX_MAX
};

#define PFKEY_MAXEXT	40
#define PFKEY_MAXREQ	6	/* Linux takes 6 templates, FreeBSD 4 */
#define PFKEY_MAXALG	32
#define PFKEY_EXTNUM	42	/* above every dialect's last extension */

/* How one system's PF_KEY differs from the others'. */
struct pfkey_dialect {
	const char	*name;
	uint8_t		 inet6;		/* its AF_INET6; AF_INET is 2 everywhere */
	uint8_t		 sa_len;	/* sockaddrs begin with their length */
	uint8_t		 msg_max, ext_max;
	uint8_t		 kind[PFKEY_EXTNUM];	/* extension number -> meaning */
	uint8_t		 ignores_unknown;	/* extensions above ext_max */
	uint8_t		 reqhdr;	/* octets of an ipsecrequest's own part */
	uint8_t		 dir_max;	/* policies it may show: sockets' own too */
	uint8_t		 has_fwd;
	uint8_t		 scope;		/* x_policy octet 7 is a scope */
	uint8_t		 sa_proto;	/* upper protocol in an SA's addresses */
	uint8_t		 replay_unit;	/* packets one unit of sadb_sa_replay is */
	uint32_t	 replay_max;	/* packets */
	uint32_t	 esn_flag;	/* in sadb_sa_flags; 0: no ESN */
	uint8_t		 chacha;	/* ealg number; 0: none */
	uint8_t		 has_aead;	/* GCM really works */
	uint8_t		 sha256_96;	/* HMAC-SHA2-256 truncated to 96 bits */
	uint8_t		 salt_bits;	/* REGISTER counts a CTR salt in: its bits */
	uint8_t		 update_keys;	/* UPDATE of a live SA: must / must not */
	uint8_t		 acquire_spi;	/* a failed acquire: GETSPI and DELETE */
	uint8_t		 icmp4_type;	/* policies see the type of an IPv4 ICMP message */
};
extern const struct pfkey_dialect pfkey_linux, pfkey_freebsd;

struct pfkey_life {
	uint32_t	alloc;
	uint64_t	bytes, add, use;
};

struct pfkey_addr {
	uint8_t		proto, plen;
	struct endpoint	ep;
};

struct pfkey_key {
	uint16_t	bits;
	struct span	key;	/* in the message; when encoding, the caller's */
};

struct pfkey_alg {
	uint8_t		id, ivlen;
	uint16_t	minbits, maxbits;
};

struct pfkey_algs {
	size_t		 n;
	struct pfkey_alg alg[PFKEY_MAXALG];
};

struct pfkey_request {		/* sadb_x_ipsecrequest */
	uint16_t	len;	/* octets, as found */
	uint16_t	proto;	/* IPPROTO_ESP, ... */
	uint8_t		mode, level;
	uint32_t	reqid;
	uint8_t		has_addr;
	struct endpoint	src, dst;
};

struct pfkey_ext {
	uint8_t		kind;	/* PX_NONE: ignored, unknown */
	uint16_t	type;
	struct span	raw;	/* the whole extension, in the message */
};

struct pfkey_msg {
	uint8_t		type, err, satype;
	uint16_t	words;		/* sadb_msg_len */
	uint16_t	reserved;
	uint32_t	seq, pid;

	size_t		next;		/* extensions, in order */
	struct pfkey_ext ext[PFKEY_MAXEXT];
	uint64_t	have;		/* 1 << enum pfkey_kind */

	struct {
		uint32_t	spi;	/* host order */
		uint8_t		replay, state, auth, encr;
		uint32_t	flags;
	}		sa;
	struct pfkey_life ltc, lth, lts;
	struct pfkey_addr src, dst, proxy;
	struct pfkey_key kauth, kenc;
	struct pfkey_algs supa, supe;
	struct {
		uint32_t	min, max;
	}		spirange;
	struct {
		uint8_t		replay;
		size_t		ncombs;
	}		prop;
	struct {
		uint16_t	type;
		uint8_t		dir, scope;
		uint32_t	id, prio;
		size_t		nreq;
		struct pfkey_request req[PFKEY_MAXREQ];
	}		policy;
	struct {
		uint8_t		mode;
		uint32_t	seq, reqid;
	}		sa2;
	uint8_t		natt_type;
	uint16_t	sport, dport;	/* host order */
	uint32_t	replay_window;	/* PX_REPLAY: packets */
};

static inline int
pfkey_has(const struct pfkey_msg *m, enum pfkey_kind k)
{
	return ((m->have >> k & 1) != 0);
}

/*
 * Exactly one message of len octets, checked through: lengths in words, no zero
 * length, no extension twice, the size of each type, families and lengths of
 * sockaddrs, key bits against key octets, the chain of ipsecrequests.
 * 0, or -1 and *why (a static string).  Spans point into p.
 */
int	pfkey_decode(const struct pfkey_dialect *, const void *p, size_t len,
	    struct pfkey_msg *, const char **why);
/* Appends an extension to be encoded (its value is set by the caller). */
void	pfkey_want(struct pfkey_msg *, enum pfkey_kind);
/* The message's bytes, extensions in the order wanted (or decoded); 0 or -1. */
int	pfkey_encode(const struct pfkey_dialect *, const struct pfkey_msg *,
	    struct wbuf *);

/* --- our structures to messages (pfkey_req.c); seq and pid set by the caller --- */
/* Spans of keys point into *sa.  -1: not expressible in this dialect. */
int	pfkey_req_sa(const struct pfkey_dialect *, struct pfkey_msg *,
	    const struct kern_sa *, int update);
/* PFM_DELETE or PFM_GET */
int	pfkey_req_said(const struct pfkey_dialect *, struct pfkey_msg *, uint8_t type,
	    uint32_t spi, const struct addr *src, const struct addr *dst);
/* PFM_SPDUPDATE or PFM_SPDDELETE */
int	pfkey_req_policy(const struct pfkey_dialect *, struct pfkey_msg *,
	    uint8_t type, const struct kern_policy *);
/* PFM_REGISTER, PFM_DUMP, PFM_SPDDUMP: a header */
void	pfkey_req_plain(struct pfkey_msg *, uint8_t type);
/* The acquire's end: GETSPI of its larval SA, or ACQUIRE with an errno. */
int	pfkey_req_acquire(const struct pfkey_dialect *, struct pfkey_msg *,
	    const struct kern_event *, int transport, uint32_t lo, uint32_t hi);

/* --- and back (pfkey_get.c); keys are never copied --- */
int	pfkey_get_sa(const struct pfkey_dialect *, const struct pfkey_msg *,
	    struct kern_sa *);
uint8_t	pfkey_ipproto(uint8_t satype);
/* Of the same message, for who may see them: keys of up to KERN_KEYMAX octets. */
void	pfkey_get_keys(const struct pfkey_msg *, struct kern_sa *);
/* Any message; one whose content cannot be used is KERN_NOTE_OTHER. */
void	pfkey_get_note(const struct pfkey_dialect *, const struct pfkey_msg *, int keys,
	    struct kern_note *);
/* 1: a socket's own or an interface's, to be skipped */
int	pfkey_get_policy(const struct pfkey_dialect *, const struct pfkey_msg *,
	    struct kern_policy *);
/* 1: nothing to report */
int	pfkey_get_event(const struct pfkey_dialect *, const struct pfkey_msg *,
	    struct kern_event *);
/* What a REGISTER answer really means for ESP. */
void	pfkey_get_caps(const struct pfkey_dialect *, const struct pfkey_msg *,
	    struct kern_caps *);

/* --- numbers of algorithms (pfkey_dialect.c); 0 / -1: none --- */
uint8_t	pfkey_ealg(const struct pfkey_dialect *, uint16_t encr);
uint8_t	pfkey_aalg(const struct pfkey_dialect *, uint16_t integ);
uint16_t pfkey_encr(const struct pfkey_dialect *, uint8_t ealg);
uint16_t pfkey_integ(const struct pfkey_dialect *, uint8_t aalg);
uint16_t pfkey_exttype(const struct pfkey_dialect *, enum pfkey_kind);

#endif
