/* SPDX-License-Identifier: ISC */
/*
 * What netwatchd knows and decides.  Pure: it reads no clock and opens no socket.  The
 * time, replies, this machine's addresses and iked's answers come in as calls; probes
 * and log lines go out through struct watch_io; commands for iked are
 * fetched one by one, so that a slow iked is never flooded.
 *
 * A target is one tunnel with `keepalive`: an address in its `to` nets to which echo
 * requests go, with a source in its `from` nets.  A source outside would miss the
 * tunnel's policy and show the packet to the Internet (and prove nothing), so
 * without such an address nothing is sent at all.
 */
#ifndef KEEPALIVE_WATCH_H
#define KEEPALIVE_WATCH_H

#include "base/addr.h"
#include "base/log.h"
#include "base/mono.h"
#include "conf/conf.h"
#include "keepalive/hook_event.h"
#include "keepalive/icmp.h"
#include "keepalive/icmp_error.h"
#include "keepalive/stats.h"

#include <stddef.h>
#include <stdint.h>

#define WATCH_CMDLEN	1024
#define WATCH_TIMEOUT_MS	2000	/* a reply later than that counts as lost at first */
#define WATCH_FALL		4	/* so many in a row lost: down */
#define WATCH_FAST_MS		100	/* between probes while a tunnel comes up */
#define WATCH_FAST_FOR_MS	3000	/* after asking for it */
#define WATCH_SLOW_MS		1000	/* and then; also the fast re-probes' distance */
#define WATCH_REPROBE_MS	250	/* between probes after the first miss */
#define WATCH_TIMEOUT_MIN_MS	1000	/* it adapts to four round trips, within both */
#define WATCH_ASK_MIN_MS	1000	/* back-off of asking iked for the tunnel */
#define WATCH_ASK_MAX_MS	30000
#define WATCH_GRACE_MS		30000	/* acquiring longer than that is called down */
#define WATCH_WINDOW_MS		2000	/* least time between two looks at counters */
#define WATCH_QUICK_MS	500	/* the same, of a target that has just fallen */
#define WATCH_WINDOW_PROBES	4	/* and least number of probes */

enum watch_state {
	WATCH_ACQUIRING = 1,	/* asked for, no reply yet */
	WATCH_UP,
	WATCH_DOWN,
	WATCH_NOSOURCE,		/* no local address inside the selector */
	WATCH_LOCALMISS,	/* probes leave us but never reach IPsec */
	WATCH_BACKUP		/* told only: another node is the master */
};
const char *watch_state_name(enum watch_state);	/* "acquiring", "no-source", ... */

/* What happened to a target, as it happens. */
enum watch_event_kind {
	WATCH_EV_UP = 1,
	WATCH_EV_DOWN,
	WATCH_EV_VERDICT,	/* what is wrong is known now, or no longer wrong */
	WATCH_EV_ACTION,	/* something is done about it */
	WATCH_EV_SOURCE		/* the source changed, or there is none */
};
const char *watch_event_name(enum watch_event_kind);	/* "up", ... */
struct watch_event {
	enum watch_event_kind	kind;
	const char		*name;		/* the target's */
	enum watch_state	state;		/* after it */
	struct addr		source, target;
	const char		*reason;	/* a line: what happened, or is done, and why */
	const char		*evidence;	/* what says so; "": the reason is all */
	const char		*verdict;	/* as in watch_status */
	/* WATCH_EV_ACTION: up, rekey, recreate, reset or alarm, with which the reason begins;
	 * else "" */
	const char		*action;
};

/* In the slot of probes that look for the PMTU: always ICMP. */
#define WATCH_PMTU_SLOT	0x80000000U
/* The same of those that ask the peer's gateway. */
#define WATCH_GATE_SLOT	0x40000000U

struct watch_io {
	void		*arg;
	/* Sends one probe; 0, or an errno.  Must not use another source; a src of
	 * ADDR_NONE is by route, of a `watch' entry only.  EINPROGRESS: it is taken,
	 * watch_sent follows.  EAGAIN: it is not, for the moment. */
	int		(*probe)(void *arg, struct conf_keepalive *ka,
			    const struct addr *src, const struct addr *dst,
			    const struct probe *);
	uint32_t	(*random)(void *arg);
	const struct logger *log;
	/* NULL: nobody listens.  The event lives for the call only. */
	void		(*event)(void *arg, const struct watch_event *);
	/* A target with such a hook; NULL: nobody runs them. */
	void		(*hook)(void *arg, const struct hook_event *);
};

/*
 * One tunnel to watch, as the configuration has it: `from' and `to' are the networks
 * whose selectors carry its probes.  A `watch' entry belongs to no tunnel and has none of
 * both.
 */
struct watch_conf {
	uint32_t	interval_ms;
	struct addr	target;		/* the first */
	struct addr	source;		/* of a `watch' entry; ADDR_NONE: by route */
	uint8_t		nfrom, nto;	/* each at least 1; both 0: a `watch' entry */
	uint8_t		nmore;
	uint8_t		netoff;		/* 0: the nets are in net */
	uint8_t		dynamic;	/* the source is what the peer has given us */
	struct addr	*more;		/* the other targets; NULL: none */
	struct conf_keepalive *ka;	/* a reference, without targets of its own; NULL:
					   all defaults (tests) */
	/* Last, so that a copy (watch_conf_copy) is no longer than its name and nets: there
	 * may be 100,000.  In one the nets follow the name's end, at netoff. */
	char		name[CONF_NAMELEN];
	struct prefix	net[2 * TS_MAX];	/* the `from' nets, then the `to' nets */
};
#define watch_from(wc)	((struct prefix *)(uintptr_t)((const uint8_t *)(wc) + \
    ((wc)->netoff != 0 ? (wc)->netoff : offsetof(struct watch_conf, net))))
#define watch_to(wc)	(watch_from(wc) + (wc)->nfrom)
/* From a parsed statement; to be cleared.  0; -1: no keepalive, no memory, or it cannot
 * have one, then *why says so (NULL otherwise). */
int	watch_conf_from(const struct conf_tunnel *, struct watch_conf *,
	    const char **why);
int	watch_conf_from_watch(const struct conf_watch *, struct watch_conf *);
/* One more target.  0 or -1: too many, no memory. */
int	watch_conf_target(struct watch_conf *, const struct addr *);
/* What it owns and refers to. */
void	watch_conf_clear(struct watch_conf *);

struct watch;
struct watch	*watch_new(const struct watch_io *);	/* io stays the caller's */
void		 watch_free(struct watch *);

/* A new configuration: begin, every target, commit.  Targets that are equal
 * keep their state and their numbers.  watch_conf_add: 0; -1 no memory or not valid. */
void		 watch_conf_begin(struct watch *);
int		 watch_conf_add(struct watch *, const struct watch_conf *);
void		 watch_conf_commit(struct watch *, monotime);
size_t		 watch_count(const struct watch *);

/* All local addresses, whenever they may have changed.  Copied. */
int		 watch_addrs(struct watch *, const struct addr *, size_t, monotime);
/* The connection to iked came (1) or went (0). */
void		 watch_link(struct watch *, int, monotime);
/* Another node is the master (1): nothing is sent or asked for, what is known stays.  0: no
 * longer, which is a start. */
void		 watch_backup(struct watch *, int, monotime);
/* What became of a probe that was in progress: 0, or an errno. */
void		 watch_sent(struct watch *, const struct probe *, int error,
		    monotime);
void		 watch_reply(struct watch *, const struct addr *from,
		    const struct probe *, monotime);
/* Somebody on the way says what became of a packet, mostly of a probe. */
void		 watch_error(struct watch *, const struct addr *from,
		    const struct icmp_error *, monotime);
/* A probe was refused, or is answered no more: it is lost now.  text says what came
 * instead of an answer; NULL: nothing did. */
void		 watch_failed(struct watch *, const struct probe *, const char *text,
		    monotime);
monotime	 watch_deadline(const struct watch *);
/* At the deadline.  At most so many targets, so that their probes can go out; 1: there may
 * be more. */
#define WATCH_BATCH	512
int		 watch_expire(struct watch *, monotime);

enum watch_cmd_kind { WATCH_CMD_UP = 1, WATCH_CMD_COUNTERS, WATCH_CMD_REPORT,
    WATCH_CMD_CHECK, WATCH_CMD_RECOVER, WATCH_CMD_RESERVE };
struct watch_cmd {
	enum watch_cmd_kind	kind;
	uint32_t		slot, id;	/* whose; hand back with the answer */
	char			line[WATCH_CMDLEN];
};
/* 1 and the next command for iked; 0: none now. */
int		 watch_command(struct watch *, struct watch_cmd *, monotime);

struct watch_counters {
	int		has_sa;
	uint32_t	spi_out;
	uint64_t	packets_in, packets_out;
	int		ike_up, rekeying;
	uint32_t	last_in_ms;	/* since the peer's last IKE message */
	struct addr	given[2];	/* by the peer: IPv4, IPv6, or ADDR_NONE */
};
/* iked's answer to a command.  error is NULL when it ended well; counters only for
 * WATCH_CMD_COUNTERS. */
void		 watch_answer(struct watch *, const struct watch_cmd *,
		    const char *error, const struct watch_counters *, monotime);

/* All targets together. */
#define WATCH_LATE_MS	64
struct watch_totals {
	uint64_t	targets, up, sent, received, lost, late;
	uint64_t	probes;		/* those that count for nothing are in it */
	uint64_t	refused;	/* by the kernel */
	uint64_t	delayed;	/* the kernel had no room */
	/* how many probes went out so many ms after they were due; last: or more */
	uint64_t	lateness[WATCH_LATE_MS];
	uint64_t	octets;		/* of memory, a target's struct and its ring */
};
void		 watch_totals(const struct watch *, struct watch_totals *);

/* See stats.h; losses in thousandths of what was sent. */
struct watch_figures {
	uint32_t		p50_us, p90_us, p99_us, jitter_us;
	uint16_t		loss_1m, loss_15m, loss_1h;
};

/* What is known of one target. */
struct watch_status {
	char			name[CONF_NAMELEN];
	enum watch_state	state;
	monotime		since;		/* in that state */
	monotime		last_reply;	/* MONO_NONE: there was none */
	struct addr		source, target;
	uint32_t		interval_ms;
	uint64_t		sent, received, lost, late;
	uint32_t		rtt_us, rtt_min_us, rtt_avg_us, rtt_max_us;
	uint64_t		rtt_sum_us;	/* of all replies */
	struct watch_figures	fig;
	uint16_t		pmtu, mss;	/* what passes; 0: not known */
	const char		*verdict;	/* "UP", "DATA_DEAD", ... */
	char			note[200];	/* why it is not up; "" */
};
/* i: 0 .. watch_count - 1, in no order.  0 or -1. */
int		 watch_status(const struct watch *, size_t i, struct watch_status *);
/*
 * By slot: a target keeps its own, so that a walk may stop and go on later.  watch_next
 * moves on to the first target that has been started at *slot or behind it, watch_find
 * to the one of that name (O(n)); 0, or -1: none.  watch_status_at: 0, or -1: no target
 * there.
 */
int		 watch_next(const struct watch *, uint32_t *slot);
int		 watch_find(const struct watch *, const char *name, uint32_t *slot);
int		 watch_status_at(const struct watch *, uint32_t slot,
		    struct watch_status *);
/* How an ICMP probe of that target is sent; room is for its routing.  1: its answer may be
 * that the TTL was exceeded, if watch_by_tunnel says so of who says it; else 0.  -1: no
 * such target. */
int		 watch_how(const struct watch *, uint32_t slot, struct probe *,
		    struct icmp_route *room);
int		 watch_by_tunnel(const struct watch *, uint32_t slot,
		    const struct addr *from);
/* A probe goes out at the next watch_expire.  0; -1: no such target, or no source. */
int		 watch_probe_now(struct watch *, uint32_t slot, monotime);
/* STATS_MINUTES of them, the current minute first.  0; -1: it never answered. */
int		 watch_history(const struct watch *, uint32_t slot,
		    struct stats_minute *);

#endif
