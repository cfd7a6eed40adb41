/* SPDX-License-Identifier: ISC */
/*
 * IKE SAs and Child SAs, their states, and the tunnels and peers they serve.
 *
 * An IKE SA that is not yet authenticated is a struct ike_half.  Only
 * ike_promote(), which wants the verdict of the keys process, makes a struct
 * ike_sa of it; what takes an ike_sa can therefore not be reached before.
 */
#ifndef SA_SA_H
#define SA_SA_H

#include "base/addr.h"
#include "base/id.h"
#include "base/mono.h"
#include "base/ts.h"
#include "base/xform.h"
#include "crypto/crypto.h"
#include "sa/likes.h"
#include "sa/request.h"
#include "sa/slab.h"
#include "sa/timer.h"
#include "wire/wire.h"

#define NO_INDEX	UINT32_MAX	/* no peer, no tunnel */
#define NONCE_LEN	32
#define NONCE_MAX	256

enum timer_kind {
	T_HALF = 1, T_IKE_REQ, T_IKE_LIFE, T_IKE_NATT, T_CHILD, T_LATE, T_TUNNEL, T_KNOCK,
	T_SWEEP
};

/* Pieces of a message that is not whole yet (RFC 7383), as they were inside. */
struct frag {
	uint8_t		*p;		/* NULL: has not come */
	uint16_t	 len;
};
struct frags {
	uint32_t	msgid;
	uint8_t		exch, first;
	uint8_t		half;		/* counted in halffrags */
	uint16_t	total, have;
	uint16_t	largest;	/* datagram */
	uint32_t	octets;		/* that it costs */
	monotime	until;
	struct frag	piece[];
};

/* What sealing, opening and sending need, before and after AUTH. */
struct ike_core {
	uint64_t	spii, spir;
	uint32_t	slot;		/* of our SPI (sa/spi.c) */
	uint32_t	peer;		/* index, or NO_INDEX before IDi came */
	uint8_t		initiator;	/* we are the original initiator */
	uint8_t		natt_local;	/* we are behind a NAT */
	uint8_t		natt_remote;
	uint8_t		natt_forced;	/* `natt`: we let the peer see a NAT */
	uint8_t		encap;		/* ESP goes in UDP */
	uint8_t		childless;	/* I: the peer takes an IKE_AUTH without a Child */
	uint8_t		old;		/* R: the peer's AUTH was made with the old secret */
	uint8_t		frag_said;	/* I: we have offered fragmentation */
	uint8_t		frag;		/* both sides have */
	uint16_t	mtu;		/* of fragments; 0: as usual */
	struct frags	*frags[2];	/* of a request and of a response, or NULL */
	struct endpoint	local, remote;
	struct suite	suite;
	struct ike_keys	keys;
	uint64_t	iv;		/* AEAD: counter of explicit IVs */
	uint32_t	rtt_ms;		/* a request and its answer; 0: not known */
	monotime	begun;		/* when its first message was made or came */
};

struct bucket {
	uint32_t	n;
	monotime	until;
};

/* Our request in flight. */
struct outreq {
	uint8_t		*msg;		/* NULL: none */
	uint32_t	 len;
	uint32_t	 msgid;
	uint32_t	 interval_ms;	/* to the next retransmission */
	uint8_t		 tries;
	monotime	 first, giveup;
	struct timer	 timer;
};

/* The last reply, for a request that comes again (RFC 7296 2.1). */
struct reply {
	uint8_t		*msg;
	uint32_t	 len;
	uint32_t	 msgid;
	uint8_t		 again;		/* so often it was asked for once more */
};

/* What AUTH is computed over (2.15); freed when IKE_AUTH is done. */
struct init_data {
	uint8_t		*msg1, *msg2;	/* RealMessage1 and 2 */
	uint32_t	 len1, len2;
	uint16_t	 nilen, nrlen;
	uint8_t		 full_said;	/* I: we have offered the full transcript */
	uint8_t		 full;		/* both sides have: AUTH goes over both messages */
	uint8_t		 ni[NONCE_MAX], nr[NONCE_MAX];
};

/* A decrypted message kept while a job waits; decoded again when it resumes. */
struct held {
	uint8_t		*plain;
	uint32_t	 len;
	uint32_t	 msgid;
	uint8_t		 first;
};

/* What we offered, until the answer is checked against it. */
struct nego {
	struct ke		*ke;
	uint8_t			 priv[KE_MAXPRIV]; /* what it was made of */
	uint16_t		 group;
	uint8_t			 tries;		/* INVALID_KE_PAYLOAD answers */
	uint8_t			 transport;	/* asked for */
	uint8_t			 ni[NONCE_LEN];
	uint32_t		 spi_in;	/* Child */
	uint32_t		 gone;		/* Child: the peer's SPI, deleted before its
						   reply came */
	uint32_t		 slot;		/* IKE rekey */
	uint64_t		 spi;		/* IKE rekey */
	struct proposals	 offered;
	struct tslist		 tsl, tsr;	/* local and remote, as offered */
};

enum half_state {
	HALF_INIT_SENT = 1,	/* I: waits for the IKE_SA_INIT reply */
	HALF_SIGNING,		/* I: keys compute our AUTH */
	HALF_AUTH_SENT,		/* I: waits for the IKE_AUTH reply */
	HALF_CHECKING,		/* I: keys check the peer's AUTH */
	HALF_INIT_DONE,		/* R: waits for the IKE_AUTH request */
	HALF_VERIFYING,		/* R: keys check the peer's AUTH */
	HALF_REFUSED		/* R: answered; kept for retransmissions */
};

struct ike_half {
	struct ike_core		 c;
	said			 id;
	enum half_state		 state;
	monotime		 since;		/* of this state */
	struct timer		 timer;		/* retransmit or lifetime */
	struct outreq		 req;
	struct reply		 resp;
	struct init_data	*init;
	struct ke		*ke;
	struct nego		*nego;		/* I: the first Child */
	struct held		 held;
	uint8_t			*cookie;
	uint8_t			 cookielen;
	uint8_t			 nretry;	/* COOKIE, INVALID_KE_PAYLOAD */
	uint8_t			 regrouped;	/* I: the one INVALID_KE_PAYLOAD was taken */
	uint8_t			 nbad;		/* R: broken IKE_AUTHs so far */
	uint16_t		 group;		/* I: of the KE payload to send */
	uint16_t		 hint;		/* I: an unprotected error came */
	uint8_t			 ic;		/* I: INITIAL_CONTACT was sent */
	uint32_t		 tunnel;	/* I: of the first Child */
	uint32_t		 counted;	/* R: in nhalf of this peer, or NO_INDEX */
	uint64_t		 job;
	said			 hash_next;	/* R: same hash of SPIi, address */
};

#define MOBIKE_ADDRS	4	/* of the peer, besides the one in use */
#define COOKIE2_LEN	16

/* RFC 4555: the addresses of the SA change. */
struct mobike {
	uint8_t		 on;		/* both sides can */
	uint8_t		 leads;		/* we began the first of these IKE SAs: the "initiator"
					   here, whoever rekeys it later (1.3) */
	uint8_t		 naddrs;	/* the peer's other addresses */
	uint8_t		 want_update;	/* I: UPDATE_SA_ADDRESSES is to be sent */
	uint8_t		 want_tell;	/* our other addresses are to be told */
	uint8_t		 want_verify;	/* R: can the peer be reached where it says it is? */
	uint8_t		 unverified;	/* R: not known yet: no ESP of ours goes there */
	uint8_t		 again;		/* moved once more while that request was out */
	uint8_t		 asked;		/* source of the way to the peer; 2: ask again */
	uint8_t		 astray;	/* we have no address or no way to the peer */
	uint8_t		 ntries;	/* UPDATE_SA_ADDRESSES refused in a row */
	uint8_t		 has_seen;
	uint8_t		 seen[20];	/* I: where the peer sees us, its hash */
	uint8_t		 cookie[COOKIE2_LEN];	/* of the request that is out */
	uint32_t	 told;		/* digest of our addresses as told */
	monotime	 astray_at;
	monotime	 seen_at;	/* I: when that was found to be so */
	struct endpoint	 was_local, was_remote;	/* I: before the update */
	struct endpoint	 also;		/* R: ESP came from there: checks go there, too */
	struct addr	 refused;	/* I: of ours, which the peer does not want */
	struct addr	 addr[MOBIKE_ADDRS];
};

enum ike_state {
	IKE_FINISHING = 1,	/* R: verified, our IKE_AUTH reply not out yet */
	IKE_UP,
	IKE_HEIR,		/* of a rekey by both: it may stay, or is the one too many */
	IKE_REPLACED,		/* rekeyed; its DELETE is to come */
	IKE_DELETING,		/* our DELETE is out */
	IKE_DEAD
};

enum task {
	TASK_NONE = 0, TASK_DELETE_IKE, TASK_DELETE_CHILD, TASK_CHECK,
	TASK_REKEY_IKE, TASK_REKEY_CHILD, TASK_CREATE,
	TASK_UPDATE, TASK_VERIFY, TASK_TELL, TASK_MOVE_CHILD
};

#define MERGE_MS	2000	/* two IKE SAs: who began the one that goes moves its Children */
#define MERGE_OTHER_MS	10000	/* or the other side does; and after what did not succeed */

enum hint { HINT_INIT = 1, HINT_NOTIFY = 2 };

enum fatal { FATAL_SYNTAX = 1, FATAL_NOREPLY = 2 };

/* The peer's request in work: its reply waits for keys or kernel. */
struct pend {
	uint32_t	msgid;
	uint8_t		exch;
	uint8_t		fatal;		/* the SA ends with this reply */
	struct endpoint	local, remote;	/* where the request came to and from */
	said		child;		/* the new one */
	said		outfor;		/* its outbound SA is on the way: a DELETE's reply waits */
	monotime	since;
	struct wbuf	w;		/* the inner chain, owned */
	struct wire_enc	enc;
	size_t		keep, keep_next; /* chain before the Child's payloads */
	uint8_t		*out;		/* room for the whole reply */
};

struct ike_sa {
	struct ike_core	 c;
	said		 id;
	said		 next, prev;	/* of the same peer */
	struct like	 like;		/* of the same identity */
	enum ike_state	 state;
	monotime	 since, established;
	monotime	 last_in;	/* authenticated message */
	monotime	 last_ok;	/* a check was answered */
	monotime	 last_data;	/* inbound ESP on one of its Children */
	uint32_t	 msgid_out, msgid_in;
	struct outreq	 req;
	enum task	 task;		/* what req is about */
	said		 task_child;
	uint32_t	 task_tunnel;
	struct nego	*nego;
	struct reply	 resp;
	struct pend	*pend;
	struct init_data *init;		/* R: until the IKE_AUTH reply */
	struct held	 held;		/* R: the IKE_AUTH request */
	uint64_t	 job;
	said		 children;
	uint32_t	 nchildren;
	uint32_t	 q_first, q_last; /* tunnels waiting to be created; index + 1 */
	struct timer	 life, natt;
	monotime	 rekey_at, expire_at;
	monotime	 quiet_until;	/* after TEMPORARY_FAILURE */
	monotime	 check_by;	/* liveness: dead when not heard by then */
	monotime	 drop_at;	/* duplicates and REPLACED: our DELETE then */
	monotime	 twin_at;	/* childless beside one with Children: the same */
	monotime	 alone_at;	/* childless, and nobody wants one: the same */
	monotime	 merge_at;	/* twin: a look at both then */
	said		 merge;		/* its Children come here, one by one */
	uint32_t	 orphan_spi;	/* made for a tunnel that is gone: to be deleted */
	uint32_t	 leased;	/* index + 1 of the tunnel whose address is given */
	struct addr	 lease[2];	/* in it: IPv4, IPv6 */
	struct mobike	 mob;
	said		 replaces;	/* rekey: the old one */
	said		 mine, theirs;	/* old: its heirs by our and their rekey */
	uint8_t		 low_theirs[NONCE_LEN];	/* 2.8.2 */
	monotime	 temp_since;	/* the first of ntemp */
	struct ident	*rid;		/* the peer's, as verified */
	uint16_t	 idle_cut;	/* per mille off the idle interval: jitter */
	uint8_t		 ntemp;		/* TEMPORARY_FAILUREs in a row */
	struct bucket	 rekeys;	/* by the peer: its own and those before it */
	const char	*hinted;	/* what came unprotected: a check is wished for */
	uint8_t		 hint;		/* unprotected ones since last_in: enum hint */
	uint8_t		 want_check, want_delete, want_rekey;
	uint8_t		 twin;		/* there may be another one with that peer */
	uint8_t		 unproven;	/* R of a rekey: the peer may not have it yet */
	uint8_t		 doubtful;	/* the peer said INITIAL_CONTACT elsewhere */
	uint8_t		 worn;		/* no successor of a Child to be had: one was begun anew */
	uint8_t		 fatal;		/* enum fatal: to be removed before the event ends */
	uint8_t		 dirty;
	said		 dirty_next, dirty_prev;
};

enum child_state {
	CHILD_INSTALLING = 1, CHILD_UP, CHILD_REKEYED, CHILD_DELETING,
	CHILD_LINGERING		/* deleted; inbound stays for what was overtaken */
};
enum { L_IKE, L_TUNNEL };	/* the two lists a Child is in */

struct child_sa {
	said		 id, ike;
	said		 next[2], prev[2];
	uint32_t	 tunnel;
	enum child_state state;
	uint32_t	 spi_in, spi_out;
	said		 out_next;	/* same hash of spi_out */
	struct like	 like;		/* of the same selectors */
	struct suite	 suite;
	struct ts	*ts;		/* ntsl local, then ntsr remote ones */
	uint8_t		 ntsl, ntsr;
	uint8_t		 initiated;	/* the exchange was ours */
	uint8_t		 encap;
	uint8_t		 transport;
	uint8_t		 in_there, out_there;	/* in the kernel */
	uint8_t		 nwait;		/* kernel answers to come */
	uint8_t		 want_delete, want_rekey;
	uint8_t		 polling;	/* counters asked */
	uint8_t		 carried;	/* inbound packets seen */
	uint8_t		 fresh;		/* some since the last look at outbound */
	uint8_t		 announced;
	uint8_t		 nfail;		/* rekeys that failed in a row */
	uint8_t		 redundant;	/* both rekeyed: the peer will delete this one */
	struct endpoint	 local, remote;	/* endpoints in the kernel */
	struct kern_sa	*out_later;	/* R, rekey: the outbound SA not yet added */
	struct kern_sa	*keep[2];	/* encap: in and out, for a new port */
	said		 replaces;	/* rekey: the old one */
	said		 mine, theirs;	/* old: its successors by our and their rekey */
	uint8_t		 low_mine[NONCE_LEN], low_theirs[NONCE_LEN]; /* 2.8.1 */
	monotime	 born, rekey_at, expire_at, out_at, drop_at;
	monotime	 next_poll;
	uint16_t	 poll_ms;
	monotime	 in_moved, out_moved;	/* when the counters last moved */
	monotime	 silent_since;	/* out moves, in does not */
	monotime	 polled;	/* when the counters were last read */
	monotime	 quiet_until;
	uint64_t	 bytes_in, bytes_out, packets_in, packets_out;
	struct timer	 timer;
};

/* How a tunnel does; conf->tunnels[] has the same index. */
struct tunnel {
	uint32_t	 peer;
	uint32_t	 next_of_peer;	/* index + 1 */
	uint32_t	 q_next;	/* index + 1: queue of an IKE SA */
	said		 queued;	/* in the queue of, or being created by */
	said		 children;
	uint8_t		 state;		/* enum show_state, as last told */
	uint8_t		 wake;		/* enum show_wake */
	uint8_t		 down;		/* by command */
	uint8_t		 up;		/* announced */
	uint8_t		 dirty;
	uint8_t		 has_acq;
	uint8_t		 specific;	/* offer the acquire's packet first */
	uint8_t		 single;	/* the peer takes one pair a Child */
	uint16_t	 rest;		/* a pair is being asked for alone: number + 1 */
	uint16_t	 rest_at;	/* which is asked for next */
	uint16_t	 rest_tries;
	monotime	 rest_until;	/* not before */
	uint32_t	 dirty_next;	/* index + 1 */
	uint32_t	 tries;
	uint32_t	 acq_seq;
	struct ts	 acq_src, acq_dst;
	monotime	 since;
	monotime	 wanted_until;	/* MONO_NEVER: for good */
	monotime	 hold_until;	/* back-off of the Child alone */
	struct pool	*pool[2];	/* sa/pool.c; NULL until wanted */
	struct addr	 wish[2];	/* the address we had */
	char		*error;		/* or NULL */
	uint8_t		 why;		/* enum reason of it */
	struct timer	 timer;
};

/* How a peer does; conf->peers[] has the same index. */
struct peer {
	said		 ikes;		/* newest first */
	said		 half;		/* the one we initiate */
	uint32_t	 tunnels;	/* index + 1 of the first */
	uint32_t	 addr_next;	/* index + 1: same hash of the address */
	uint32_t	 id_next;	/* index + 1: same hash of address and identity */
	uint32_t	 kind_next;	/* index + 1: while the index is made */
	uint32_t	 tries;
	uint32_t	 nhalf;		/* half-open ones the peer's address has */
	monotime	 next_try;
	monotime	 call_at;	/* a hint makes us call again not before */
	uint8_t		 sent_ic;
	uint8_t		 old;		/* call it with the secret of before: it may have no other */
	uint8_t		 silent;	/* it has not answered; next_try is for that */
	uint8_t		 v1;		/* somebody at its address speaks IKEv1 */
};

#endif
