/*
 * libpfkey: one asynchronous C API on the kernel's SAs and policies, with PF_KEY
 * (RFC 2367 and the KAME policy extensions) or Linux XFRM netlink below.
 *
 * No globals: everything hangs off a struct kern.  Requests are sent at once and
 * answered by a callback from kern_input() (called when kern_fd() is readable); no
 * call blocks.  Answers that do not come within 5 s are given as ETIMEDOUT by
 * kern_timeout().  Only the opening of sockets belongs to a platform.
 */
#ifndef PFKEY_PFKEY_H
#define PFKEY_PFKEY_H

#include "base/addr.h"
#include "base/log.h"
#include "base/mono.h"
#include "base/ts.h"
#include "base/xform.h"

enum kern_dir { KERN_IN = 1, KERN_OUT = 2, KERN_FWD = 3 };
enum kern_backend { KERN_XFRM = 1, KERN_PFKEY = 2 };

#define KERN_KEYMAX	68
#define KERN_ALGNAME	64

/* Times in seconds, relative; 0 = none. */
struct kern_life {
	uint64_t	soft_secs, hard_secs;
	uint64_t	soft_bytes, hard_bytes;
	uint64_t	soft_packets, hard_packets;
};

struct kern_sa {
	uint32_t	spi;		/* host order */
	uint8_t		proto;		/* PROTO_ESP */
	enum kern_dir	dir;		/* as known to the caller; not stored by PF_KEY */
	struct addr	src, dst;	/* tunnel endpoints */
	uint32_t	reqid;
	uint8_t		transport;	/* 0 tunnel mode */
	uint16_t	encr, encr_keybits, integ;	/* IKE transform ids */
	uint16_t	encr_keylen, integ_keylen;	/* octets; salt last */
	uint8_t		encr_key[KERN_KEYMAX], integ_key[KERN_KEYMAX];
	uint8_t		esn;
	uint32_t	replay;		/* window in packets */
	uint16_t	encap_sport, encap_dport;	/* UDP encapsulation; 0: none */
	struct ts	sel_src, sel_dst;	/* XFRM: selector when has_sel */
	uint8_t		has_sel;
	struct kern_life life;
	/* given by query and dump */
	uint64_t	bytes, packets;
	uint64_t	addtime, usetime;	/* epoch seconds; usetime 0: never used */
	uint8_t		state;		/* KERN_SA_* */
	uint8_t		ipproto;	/* as an IP protocol: also what IKE has no number for */
	uint8_t		othermode;	/* neither tunnel nor transport */
	uint32_t	mark, if_id;	/* XFRM: packets without are not its */
	/* the kernel's own names where we have no id for the transform, else "" */
	char		encr_name[KERN_ALGNAME], integ_name[KERN_ALGNAME];
};
enum { KERN_SA_LARVAL, KERN_SA_MATURE, KERN_SA_DYING, KERN_SA_DEAD };

enum kern_action { KERN_IPSEC = 0, KERN_BYPASS = 1, KERN_DISCARD = 2 };
struct kern_policy {
	enum kern_dir	dir;
	enum kern_action action;
	struct prefix	src, dst;
	uint8_t		proto;		/* 0 any */
	/* 0 any; of ICMP and ICMPv6 the type and the code, in either direction */
	uint16_t	sport, dport;
	uint32_t	prio;		/* lower wins: kern_priority() */
	uint32_t	reqid;
	struct addr	tsrc, tdst;	/* tunnel endpoints */
	uint8_t		transport;
	uint32_t	id;		/* the kernel's, from dump */
	uint64_t	bytes, packets, usetime;	/* 0 where the kernel does not count */
	/* given by dump */
	uint32_t	mark, if_id;	/* XFRM: packets without are not its */
	uint8_t		ipproto;	/* of the template: 50 ESP, 51 AH, ... */
	uint8_t		othermode;	/* neither tunnel nor transport */
	uint8_t		use;		/* IPSEC: packets pass in clear where there is no SA */
};

struct kern_caps {
	enum kern_backend backend;
	const char	*name;		/* "XFRM", "PF_KEY (Linux)" */
	uint32_t	 reqid_max;
	uint8_t		 esn, has_fwd, acquire_has_selector;
	uint32_t	 replay_max;
	size_t		 nalgs;		/* what can really be installed for ESP */
	struct xform	 algs[64];	/* XF_ENCR with keybits, XF_INTEG */
};
int	kern_can(const struct kern_caps *, uint16_t encr, uint16_t keybits, uint16_t integ);

enum kern_event_type { KERN_EV_ACQUIRE, KERN_EV_EXPIRE, KERN_EV_MAPPING, KERN_EV_LOST };
struct kern_event {
	enum kern_event_type type;
	uint32_t	spi;		/* EXPIRE, MAPPING */
	struct addr	src, dst;	/* endpoints */
	uint32_t	reqid;		/* ACQUIRE; 0 when the kernel does not say */
	uint32_t	policy;		/* ACQUIRE: policy id, 0 when not said */
	uint32_t	seq;		/* ACQUIRE, to be put in kern_acquire_failed */
	uint8_t		hard;		/* EXPIRE */
	uint8_t		has_sel;	/* ACQUIRE: packet's selector follows */
	struct ts	sel_src, sel_dst;
	struct endpoint	newsrc;		/* MAPPING */
};

struct kern;
struct kern_cb {
	void	(*event)(void *arg, const struct kern_event *);
	void	*arg;
};
/* err: 0 or an errno; what: NULL or the kernel's own words (ext_ack). */
typedef void kern_done(void *arg, int err, const char *what);
/* sa / policy NULL: end of the dump (err says whether it is whole). */
typedef void kern_sa_done(void *arg, int err, const struct kern_sa *);
typedef void kern_policy_done(void *arg, int err, const struct kern_policy *);

/* Opens the back end; needs root (PF_KEY) or CAP_NET_ADMIN (XFRM, at every send).
 * NULL and *err one clear line ("this kernel has no AF_KEY: ...") */
struct kern	*kern_open(enum kern_backend, const struct kern_cb *,
		    const struct logger *, const char **err);
void		 kern_close(struct kern *);
int		 kern_fd(const struct kern *, size_t i);	/* -1 past the last one */
uint32_t	 kern_pid(const struct kern *);	/* of a kern_note of our own requests */
/* Reads what is there, calls back.  Never blocks. */
void		 kern_input(struct kern *, monotime now);
monotime	 kern_deadline(const struct kern *);
void		 kern_timeout(struct kern *, monotime now);
/* Tries what this kernel can install (XFRM: add and delete a probe SA per algorithm;
 * PF_KEY: REGISTER less what is known to be wrong: Linux HMAC-SHA2-256 is 96 bits).
 * Synchronous: at start, before the event loop. 0 or -1. */
int		 kern_probe(struct kern *, struct kern_caps *);

/* All requests: 0 and *done is called once later, or -1 (errno) and it never is. */
int	kern_sa_add(struct kern *, monotime now, const struct kern_sa *, kern_done *, void *);
/* Lifetimes, ports or keys of an existing SA. */
int	kern_sa_update(struct kern *, monotime now, const struct kern_sa *, kern_done *, void *);
int	kern_sa_delete(struct kern *, monotime now, uint32_t spi, uint8_t proto,
	    const struct addr *src, const struct addr *dst, kern_done *, void *);
int	kern_sa_query(struct kern *, monotime now, uint32_t spi, uint8_t proto,
	    const struct addr *src, const struct addr *dst, kern_sa_done *, void *);
int	kern_sa_dump(struct kern *, monotime now, kern_sa_done *, void *);
/* From now on a dump has the SAs of every protocol, and with keys their keys: for who
 * looks at the kernel.  Without it a dump has ESP's, and never a key. */
void	kern_look(struct kern *, int keys);
/* Adds or replaces by (selector, dir). */
int	kern_policy_replace(struct kern *, monotime now, const struct kern_policy *,
	    kern_done *, void *);
int	kern_policy_delete(struct kern *, monotime now, const struct kern_policy *,
	    kern_done *, void *);
int	kern_policy_dump(struct kern *, monotime now, kern_policy_done *, void *);
/* The acquire came to nothing: let the kernel forget its larval SA. */
int	kern_acquire_failed(struct kern *, uint32_t seq);

/* What is told to everybody who listens: changes of SAs and policies by anybody. */
enum kern_note_type {
	KERN_NOTE_OTHER, KERN_NOTE_SA, KERN_NOTE_SA_GONE, KERN_NOTE_POLICY,
	KERN_NOTE_POLICY_GONE, KERN_NOTE_FLUSH, KERN_NOTE_EVENT
};
struct kern_note {
	enum kern_note_type type;
	char		word[32];	/* "sadb_add", "xfrm_newsa" */
	uint8_t		ipproto;	/* 0: not said */
	uint8_t		err;		/* an errno */
	uint32_t	len, seq, pid;	/* of the message; who asked for it */
	uint8_t		expired;	/* *_GONE: 1 its soft lifetime is over, 2 its hard one */
	struct kern_sa	sa;		/* SA, SA_GONE */
	struct kern_policy policy;	/* POLICY, POLICY_GONE */
	struct kern_event ev;		/* EVENT: ACQUIRE, MAPPING */
};
struct kern_monitor;
/* SAs come with their keys; only what is done to policies (PF_KEY tells of the rest, too). */
#define KERN_HEAR_KEYS		1
#define KERN_HEAR_POLICIES	2
/* As kern_open().  Only reads.  how: KERN_HEAR_*. */
struct kern_monitor *kern_monitor_open(enum kern_backend, int how, const char **err);
void	 kern_monitor_close(struct kern_monitor *);
int	 kern_monitor_fd(const struct kern_monitor *);
/* The next one: 1, 0 there is none now, -1 some were lost. */
int	 kern_monitor_next(struct kern_monitor *, struct kern_note *);

/* Exempts an IKE socket from policies, both directions; UDP_ENCAP on a 4500 socket.
 * 0 or -1 with errno.  Need privilege. */
int	kern_socket_bypass(int fd, int family);
int	kern_socket_encap(int fd, int family);
/* The priority of a policy: a function of its selector only (ports: how many of both
 * are given). */
uint32_t kern_priority(const struct prefix *src, const struct prefix *dst, uint8_t proto,
	    unsigned int ports);

#endif
