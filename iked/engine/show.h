/*
 * What the engine tells of itself: typed records, a slice at a time.  Text is made
 * by ipsecctl, JSON by control.  Never a key, never a pointer.
 */
#ifndef ENGINE_SHOW_H
#define ENGINE_SHOW_H

#include "base/addr.h"
#include "base/id.h"
#include "base/reason.h"
#include "base/ts.h"
#include "base/xform.h"
#include "conf/conf.h"

enum show_state {
	SHOW_UP = 1,		/* a Child SA carries the selectors */
	SHOW_ONDEMAND,		/* "on demand, waiting for traffic" */
	SHOW_PASSIVE,		/* "passive, waiting for the peer" */
	SHOW_CONNECTING,	/* wait_for says what for, since, tries */
	SHOW_BACKOFF,		/* "down: <error>; next try in ..." */
	SHOW_DOWN		/* by command; or not startable: error says why */
};
enum show_wake { WAKE_NONE, WAKE_ACQUIRE, WAKE_KEEPALIVE, WAKE_COMMAND, WAKE_ACTIVE,
    WAKE_PEER };
const char *show_state_name(enum show_state);	/* "up", "ondemand", ... stable JSON words */
const char *show_wake_name(enum show_wake);	/* "acquire", "keepalive", "command", "start", "peer" */

struct show_tunnel {
	char		name[CONF_NAMELEN];
	enum conf_mode	mode;
	enum show_state	state;
	enum show_wake	wake;		/* what woke it last */
	uint64_t	since_ms;	/* how long in this state */
	char		wait_for[64];	/* "IKE_SA_INIT reply", "AUTH from keys", "kernel" */
	uint32_t	tries;
	uint64_t	next_ms;	/* BACKOFF: until the next try */
	uint8_t		reason;		/* enum reason of error */
	char		error[200];	/* last reason, "" if none: "peer says AUTHENTICATION_FAILED: ..." */
	struct endpoint	local, remote;
	struct tslist	from, to;	/* as configured */
	uint32_t	spi_in, spi_out;	/* UP */
	uint64_t	ike_spii;	/* of the IKE SA, 0 none */
	uint64_t	bytes_in, bytes_out, packets_in, packets_out;	/* last known */
	uint8_t		keepalive;
};
struct show_peer {			/* one IKE SA, or a configured peer without one */
	struct endpoint	local, remote;
	struct ident	srcid, dstid;
	uint64_t	spii, spir;	/* 0: no IKE SA */
	uint8_t		initiator;
	uint8_t		established;
	char		state[64];	/* "established", "waiting for IKE_AUTH reply" */
	uint64_t	since_ms;
	struct suite	suite;
	uint8_t		natt_local, natt_remote;	/* who is behind a NAT */
	uint32_t	nchildren;
	uint64_t	rekey_in_ms;	/* 0: not by us */
	uint64_t	last_seen_ms;	/* since the last authenticated message */
};
struct show_sa {			/* a Child SA: both directions on one record */
	char		tunnel[CONF_NAMELEN];
	uint64_t	ike_spii;
	uint32_t	spi_in, spi_out;
	struct endpoint	local, remote;	/* ports when UDP-encapsulated, else 0 */
	struct suite	suite;
	struct tslist	tsl, tsr;	/* negotiated */
	char		state[32];	/* "installed", "rekeying", "rekeyed", "deleting" */
	uint64_t	age_ms, rekey_in_ms, expires_in_ms;
	uint64_t	bytes_in, bytes_out, packets_in, packets_out;
	uint64_t	in_idle_ms, out_idle_ms;	/* since the counter last moved */
};
struct show_stats {
	uint64_t	rx, tx, rx_bad, rx_dropped, retransmits, auth_failed, ike_up,
			ike_down, child_up, child_down, rekeys, half_open, ikev1;
	uint64_t	nike, nchild;
	/* by kind of exchange: IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL */
	uint64_t	sent[4], answered[4], unanswered[4], received[4];
	uint64_t	undecrypted, cookies_asked, cookies_sent, frags_in, frags_out;
	/* of the process around the engine */
	uint64_t	kernel_requests, kernel_refused, acquires, expires;
	uint64_t	why[WHY_MAX];	/* lines of the log by reason */
};
struct show_plan {			/* what a reload would do with one tunnel */
	char		name[CONF_NAMELEN];
	enum conf_change change;
	uint32_t	fields;		/* 1 << enum conf_field: what differs */
	uint8_t		up;		/* it carries traffic now */
};
/* What happened to a tunnel, when it did. */
enum show_event_type { EVENT_UP = 1, EVENT_DOWN, EVENT_REKEY, EVENT_FAILURE };
const char *show_event_name(enum show_event_type);	/* "up", "down", "rekey", "failure" */
struct show_event {
	enum show_event_type type;
	char		tunnel[CONF_NAMELEN];
	struct endpoint	local, remote;
	uint32_t	spi_in, spi_out;	/* UP, REKEY */
	uint8_t		reason;			/* DOWN, FAILURE: enum reason */
	char		text[200];		/* the same, for a person */
};
enum show_kind { SHOWK_TUNNEL = 1, SHOWK_PEER, SHOWK_SA, SHOWK_STATS, SHOWK_PLAN };
struct show_rec {
	enum show_kind	kind;
	union {
		struct show_tunnel	tunnel;
		struct show_peer	peer;
		struct show_sa		sa;
		struct show_stats	stats;
		struct show_plan	plan;
	} u;
};

#endif
