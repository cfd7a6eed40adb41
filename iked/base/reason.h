/* SPDX-License-Identifier: ISC */
/*
 * Why something happened to a tunnel or a peer: one word that stays the same
 * when the text of the line is made better.  It ends the log line, in brackets, and is
 * "reason" of a tunnel on the control socket.  iked.reasons(7) says of each what it means
 * and what to do; regress/house/reasons.sh compares that page with this table.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/log.h"

#define REASONS(X)				\
	/* what goes well */			\
	X(UP, "up")				\
	X(CHILDLESS, "ike-up")			\
	X(ANEW, "made-anew")			\
	X(MOVED, "moved")			\
	X(RESOLVED, "resolved")			\
	X(NAT_MOVED, "nat-moved")		\
	X(INSIDE, "inside-address")		\
	X(DOUBT, "doubt")			\
	/* ends */				\
	X(COMMAND, "command")			\
	X(IDLE, "idle")				\
	X(LIFETIME, "lifetime")			\
	X(CONFIG, "config-changed")		\
	X(PEER_DELETED, "peer-deleted")		\
	X(PEER_SILENT, "peer-silent")		\
	X(PEER_LOST, "peer-lost-sa")		\
	X(PEER_LIMIT, "peer-limit")		\
	X(KERNEL_LOST, "kernel-lost-sa")	\
	X(SURPLUS, "surplus")			\
	X(GONE, "gone")				\
	/* no way to the peer */		\
	X(NO_ANSWER, "no-answer")		\
	X(NO_ANSWER_AUTH, "no-answer-auth")	\
	X(NO_WAY, "no-way")			\
	X(ICMP, "icmp")				\
	X(NO_PEER_ADDR, "no-peer-address")	\
	X(UNRESOLVED, "unresolved")		\
	X(UNKNOWN_PEER, "unknown-peer")		\
	X(IKEV1, "ikev1")			\
	X(COOKIE, "cookie")			\
	X(HALF_OPEN, "half-open")		\
	/* no agreement */			\
	X(IKE_PROPOSAL, "ike-proposal")		\
	X(CHILD_PROPOSAL, "child-proposal")	\
	X(GROUP, "group")			\
	X(IDENTITY, "identity")			\
	X(SECRET, "secret")			\
	X(AUTH_REFUSED, "auth-refused")		\
	X(AUTH_METHOD, "auth-method")		\
	X(TRANSCRIPT, "transcript")		\
	X(SELECTORS, "selectors")		\
	X(SINGLE_PAIR, "single-pair")		\
	X(MODE, "mode")				\
	X(NAT, "nat")				\
	X(NO_ADDRESS, "no-address")		\
	X(MOVE_REFUSED, "move-refused")		\
	X(MOVE_UNPROVEN, "move-unproven")	\
	X(PEER_ERROR, "peer-error")		\
	X(PEER_ANSWER, "peer-answer")		\
	X(REKEY, "rekey-failed")		\
	/* this machine */			\
	X(KERNEL_LACKS, "kernel-lacks")		\
	X(KERNEL_REFUSES, "kernel-refuses")	\
	X(KERNEL_SLOW, "kernel-slow")		\
	X(KEYS, "keys")				\
	X(MEMORY, "memory")			\
	X(OFFER, "offer")			\
	/* this daemon */			\
	X(START, "start")			\
	X(PORT, "port")				\
	X(FILE, "config-file")			\
	X(OLD_SECRET, "old-secret")		\
	X(SANDBOX, "sandbox")			\
	X(PROCESS, "process")			\
	X(DISTRUST, "refused-request")		\
	X(POLICY, "policy")			\
	X(TAKEN, "policy-taken")		\
	X(FLUSHED, "flushed")			\
	X(INTERFACE, "interface")		\
	X(UNHEARD, "unheard")

enum reason {
	WHY_NONE,
#define REASON_ENUM(id, name) WHY_##id,
	REASONS(REASON_ENUM)
#undef REASON_ENUM
	WHY_MAX
};

/* Its word; "" for WHY_NONE and what is none. */
const char	*reason_name(enum reason);

/* A line with its reason behind it, however long the line is. */
void		 log_event(const struct logger *, enum reason, const char *, ...)
		     __attribute__((__format__(printf, 3, 4)));
/* The same for what is this machine's fault; log_error() with what errno says. */
void		 log_fault(const struct logger *, enum reason, const char *, ...)
		     __attribute__((__format__(printf, 3, 4)));
void		 log_error(const struct logger *, enum reason, const char *, ...)
		     __attribute__((__format__(printf, 3, 4)));

#endif
