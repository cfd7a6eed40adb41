/* SPDX-License-Identifier: ISC */
/*
 * What the processes say to each other: one function writes a message, one reads
 * it, and every field is checked on receipt, because the sender may have been taken
 * over.  get functions: 0; -1: malformed (fatal to the sender).
 */
#ifndef PROC_MSG_H
#define PROC_MSG_H

#include <sys/types.h>

#include "base/field.h"
#include "base/ts.h"
#include "conf/conf.h"
#include "engine/engine.h"
#include "proc/channel.h"
#include "proc/icmp.h"
#include "proc/role.h"

#define MSG_VERSION	1	/* of this very protocol, in M_SETUP */

enum msg_type {
	/* parent -> child */
	M_SETUP = 1,
	M_FD,			/* one descriptor: enum fd_kind */
	M_GO,			/* start-up descriptors complete */
	M_CONF_BEGIN, M_CONF_PEER, M_CONF_TUNNEL, M_CONF_END,
	M_SHUTDOWN,
	M_VERBOSE,		/* enum log_level */
	/* child -> parent */
	M_READY = 20,		/* the sandbox is closed */
	M_CONF_DONE,
	M_LOG,
	/* control -> ike -> parent, and back */
	M_RELOAD = 30,
	M_RELOAD_ERROR,
	M_RELOAD_DONE,
	M_SETVERBOSE,		/* enum log_level */
	M_PLAN,			/* as M_RELOAD; and from parent: the next one is not used */
	/* ike <-> keys */
	M_KEYS_REQ = 40, M_KEYS_ANS,
	/* ike <-> kernel */
	M_KERNEL_REQ = 50, M_KERNEL_ANS,
	M_CAPS, M_ACQUIRE, M_EXPIRE, M_MAPPING, M_LOST, M_ADDRS,
	M_KERNEL_COUNT, M_KERNEL_COUNTED,
	/* control <-> ike */
	M_SHOW = 60, M_SHOW_RECS,
	M_COMMAND, M_COMMAND_ANS,
	M_COUNTERS, M_COUNTERS_ANS,
	M_MONITOR,		/* 1: somebody wants to hear M_EVENT, 0: nobody */
	M_EVENT,
	/* control <-> kernel */
	M_POLICIES = 70, M_POLICY_RECS,
	M_FLUSH, M_FLUSH_ANS,
	M_SYSTEM, M_SYSTEM_RECS, M_SYSTEM_ANS,	/* the last one when it is refused */
	/* parent -> keys, kernel, ike: the same once more, with peers at other places */
	M_CONF_AGAIN = 80, M_CONF_PLACE,
	/* ike -> parent: a peer that has a name does not answer */
	M_NO_ANSWER,
	/* parent <-> names */
	M_NAMES, M_NAME, M_NAMES_END, M_NAME_NOW, M_NAME_ANS
};

/* Start (msg_setup.c). */
struct setup {
	enum role	role;
	uint8_t		level;		/* enum log_level */
	uint8_t		sandbox;	/* 0: a sanitizer build's test */
	uint32_t	uid, gid;
	uint8_t		backend;	/* enum kern_backend */
	uint8_t		sweep;		/* kernel: take the policies away, then end */
	uint16_t	port, natt_port;
	char		chroot[256];
};
void	msg_put_setup(struct msg *, const struct setup *);
int	msg_get_setup(struct rbuf *, struct setup *);

enum fd_kind { FD_LINK = 1, FD_UDP, FD_LISTEN, FD_STATE };
struct fdinfo {
	enum fd_kind	kind;
	uint8_t		which;	/* LINK: enum role; UDP: 4 or 6; LISTEN: 1 read-only */
	uint8_t		natt;	/* UDP: the socket of the NAT-T port */
};
void	msg_put_fd(struct msg *, const struct fdinfo *, int fd);
int	msg_get_fd(struct rbuf *, struct fdinfo *);

void	msg_put_u8(struct msg *, uint16_t type, uint8_t);
int	msg_get_u8(struct rbuf *, uint8_t *, uint8_t max);
void	msg_put_token(struct msg *, uint16_t type, uint64_t);
int	msg_get_token(struct rbuf *, uint64_t *);
void	msg_put_log(struct msg *, enum log_level, const char *);
int	msg_get_log(struct rbuf *, enum log_level *, char *line, size_t cap);

struct reload_error {
	uint64_t	token;		/* 0: for all, the file does not load */
	uint8_t		warn;
	uint32_t	line, col;
	char		file[128];
	char		text[320];
};
void	msg_put_reload_error(struct msg *, const struct reload_error *);
int	msg_get_reload_error(struct rbuf *, struct reload_error *);

/* An answer that only says whether, and why not. */
enum refused { REFUSED, REFUSED_UNKNOWN, REFUSED_DOWN };
struct outcome {
	uint64_t	token;
	uint8_t		ok;
	uint8_t		code;		/* enum refused, when not ok */
	char		text[320];
};
void	msg_put_outcome(struct msg *, uint16_t type, const struct outcome *);
int	msg_get_outcome(struct rbuf *, struct outcome *);

/* Configuration (msg_conf.c). */
struct confdone {
	uint32_t	gen;
	uint8_t		ok;
	uint32_t	failed;		/* kernel: traps that could not be placed */
};
void	msg_put_confdone(struct msg *, const struct confdone *);
int	msg_get_confdone(struct rbuf *, struct confdone *);

/* The sender's place in a configuration; see confout_next(). */
struct confout {
	const struct conf	*conf;		/* NULL: nothing to send */
	int			 flags;		/* CONF_WITH_SECRETS */
	uint32_t		 keep;		/* the generation in use; 0 none */
	uint32_t		 again;		/* it is that one but for its peers' places; or 0 */
	int			 begun;
	uint32_t		 peer, tunnel;
};
/* Writes the next message of the series; 1, or 0 when all is written. */
int	confout_next(struct confout *, struct msg *);

struct confin {
	struct conf	*conf;		/* being filled */
	uint32_t	 keep;		/* the generation to keep beside it */
	int		 again;		/* peers are put in other places, nothing else */
	const struct conf *base[2];	/* generations that may come again; or NULL */
};
/*
 * Takes one message of the series.  1: complete, *out is the receiver's; 0: more to
 * come; -1: malformed.  confin_reset() drops what is half there.
 */
int	confin_message(struct confin *, uint16_t type, struct rbuf *, struct conf **out);
void	confin_reset(struct confin *);

/* Names (msg_names.c).  A list has a serial; of it each name is known by its place. */
#define NAME_ADDRS	8
#define NAME_WHYLEN	100
struct name_item {
	uint32_t	index;
	char		name[CONF_HOSTLEN];
};
struct name_ans {
	uint32_t	serial, index;
	uint8_t		n;			/* 0: why */
	struct addr	a[NAME_ADDRS];		/* the resolver's order */
	char		why[NAME_WHYLEN];	/* printable; "" where n is not 0 */
};
struct no_answer {
	uint32_t	gen, peer;
};
void	msg_put_names(struct msg *, uint16_t type, uint32_t serial, uint32_t n);
int	msg_get_names(struct rbuf *, uint32_t *serial, uint32_t *n);
void	msg_put_name(struct msg *, const struct name_item *);
int	msg_get_name(struct rbuf *, struct name_item *);
void	msg_put_name_ans(struct msg *, const struct name_ans *);
int	msg_get_name_ans(struct rbuf *, struct name_ans *);
void	msg_put_no_answer(struct msg *, const struct no_answer *);
int	msg_get_no_answer(struct rbuf *, struct no_answer *);

/* keys (msg_keys.c).  Spans refer to the message's octets. */
void	msg_put_keys_req(struct msg *, const struct keys_req *);
int	msg_get_keys_req(struct rbuf *, struct keys_req *);
void	msg_put_keys_ans(struct msg *, const struct keys_ans *);
int	msg_get_keys_ans(struct rbuf *, struct keys_ans *);

/* kernel (msg_kernel.c) */
struct acquire {
	uint32_t	gen, tunnel, seq;
	uint8_t		has_sel;
	struct ts	src, dst;
};
struct expire {
	uint32_t	spi;
	struct addr	dst;
	uint8_t		hard;
};
struct mapping {
	uint32_t	spi;
	struct endpoint	newsrc;
};
#define MSG_ADDRS	64	/* addresses of this machine */
struct addrs {
	uint8_t		n;
	struct addr	a[MSG_ADDRS];
};
void	msg_put_kernel_req(struct msg *, const struct kernel_req *);
int	msg_get_kernel_req(struct rbuf *, struct kernel_req *);
void	msg_put_kernel_ans(struct msg *, const struct kernel_ans *);
int	msg_get_kernel_ans(struct rbuf *, struct kernel_ans *);
void	msg_put_kernel_count(struct msg *, const struct kernel_count *);
int	msg_get_kernel_count(struct rbuf *, struct kernel_count *);
void	msg_put_kernel_counted(struct msg *, const struct kernel_counted *);
int	msg_get_kernel_counted(struct rbuf *, struct kernel_counted *);
/* name: where the receiver keeps the back end's name. */
void	msg_put_caps(struct msg *, const struct kern_caps *);
int	msg_get_caps(struct rbuf *, struct kern_caps *, char *name, size_t cap);
void	msg_put_acquire(struct msg *, const struct acquire *);
int	msg_get_acquire(struct rbuf *, struct acquire *);
void	msg_put_expire(struct msg *, const struct expire *);
int	msg_get_expire(struct rbuf *, struct expire *);
void	msg_put_mapping(struct msg *, const struct mapping *);
int	msg_get_mapping(struct rbuf *, struct mapping *);
void	msg_put_addrs(struct msg *, const struct addrs *);
int	msg_get_addrs(struct rbuf *, struct addrs *);

/* control (msg_show.c) */
struct show_ask {
	uint64_t	token, cursor;
	enum show_kind	kind;
	char		name[CONF_NAMELEN];	/* TUNNEL: that one alone; "" all */
};
void	msg_put_show(struct msg *, const struct show_ask *);
int	msg_get_show(struct rbuf *, struct show_ask *);
/* A slice: head, then n records.  more: ask again with cursor. */
struct slice {
	uint64_t	token, cursor;
	uint8_t		more;
	uint16_t	n;
};
void	msg_put_slice(struct msg *, uint16_t type, const struct slice *);
void	msg_patch_slice(struct msg *, const struct slice *);
int	msg_get_slice(struct rbuf *, struct slice *);
#define SHOW_RECMAX	6144	/* octets of a record at most */
/* A record of the engine's, and what the process around it knows besides. */
struct told_rec {
	struct show_rec	  rec;
	struct icmp_heard icmp;		/* TUNNEL */
};
void	put_show_rec(struct wbuf *, const struct told_rec *);
int	get_show_rec(struct rbuf *, struct told_rec *);

void	msg_put_event(struct msg *, const struct show_event *, uint32_t lost);
int	msg_get_event(struct rbuf *, struct show_event *, uint32_t *lost);

struct policy_ask {			/* M_POLICIES, M_SYSTEM */
	uint64_t	token, cursor;
};
void	msg_put_policies(struct msg *, uint16_t type, const struct policy_ask *);
int	msg_get_policies(struct rbuf *, struct policy_ask *);
struct policy_rec {
	char		tunnel[CONF_NAMELEN];
	enum kern_dir	dir;
	uint8_t		action;		/* enum kern_action */
	struct prefix	src, dst;
	uint8_t		proto;
	uint16_t	sport, dport;
	uint32_t	reqid, prio;
	struct addr	local, remote;
	uint8_t		installed;
	char		backend[32];
};
#define POLICY_RECMAX	256
void	put_policy_rec(struct wbuf *, const struct policy_rec *);
int	get_policy_rec(struct rbuf *, struct policy_rec *);

/* What the system has, or should have: an SA or a policy. */
enum system_what { SYSTEM_SA = 1, SYSTEM_POLICY };
enum system_whose {
	SYSTEM_OURS = 1,
	SYSTEM_FOREIGN,		/* of no tunnel */
	SYSTEM_DIFFERS,		/* a policy in the place of ours, but not as we want it */
	SYSTEM_MISSING		/* a policy of ours that is not there */
};
struct system_rec {
	enum system_what what;
	enum system_whose whose;
	char		tunnel[CONF_NAMELEN];	/* "": of none */
	uint8_t		ipproto;		/* 50, 51, 108; 0: a policy without SAs */
	uint8_t		transport, othermode;
	uint8_t		dir;			/* enum kern_dir; 0: an SA of nobody's */
	uint8_t		action;			/* policy: enum kern_action */
	uint8_t		encap;			/* SA */
	struct prefix	src, dst;		/* of an SA hosts */
	struct addr	local, remote;		/* policy: endpoints */
	uint32_t	spi, reqid, prio, mark, if_id;
	uint8_t		proto;			/* policy: selector */
	uint16_t	sport, dport;
	uint64_t	bytes, packets;
	uint64_t	age_ms, expires_in_ms;	/* SA; 0: not known, never */
	char		suite[132];		/* SA */
};
#define SYSTEM_RECMAX	512
void	put_system_rec(struct wbuf *, const struct system_rec *);
int	get_system_rec(struct rbuf *, struct system_rec *);

struct command {
	uint64_t	token;
	enum engine_cmd	cmd;
	enum show_wake	who;		/* WAKE_COMMAND or WAKE_KEEPALIVE */
	char		name[CONF_NAMELEN];
};
void	msg_put_command(struct msg *, const struct command *);
int	msg_get_command(struct rbuf *, struct command *);
struct counters_ask {
	uint64_t	token;
	char		name[CONF_NAMELEN];
};
void	msg_put_counters(struct msg *, const struct counters_ask *);
int	msg_get_counters(struct rbuf *, struct counters_ask *);
struct counters_ans {
	uint64_t		token;
	struct engine_counters	c;
};
void	msg_put_counters_ans(struct msg *, const struct counters_ans *);
int	msg_get_counters_ans(struct rbuf *, struct counters_ans *);

#endif
