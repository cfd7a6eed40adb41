/* SPDX-License-Identifier: ISC */
/*
 * The exchanges of IKEv2, one file each, both roles side by side.
 *
 * A function here is given a message that the engine has found, opened and let
 * through its allow-list; it changes the SA and ends in a reply, in a job that
 * waits, or in nothing.  It never calls up: what has to follow (a new
 * request, a look at a tunnel) is left as a wish in the SA, and the SA or tunnel
 * is touched so that the engine looks at it before the event ends.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "sa/world.h"

/* A message as it came. */
struct rx {
	struct endpoint		 local, remote;
	uint8_t			 natt;
	const uint8_t		*raw;		/* without marker */
	size_t			 len;
	struct wire_hdr		 hdr;
	const struct wire_msg	*m;		/* outer payloads, or inner ones once opened */
	const uint8_t		*plain;		/* opened: the inner chain */
	size_t			 plainlen;
	uint8_t			 plainfirst;
};

/* ---- message.c: sealing, opening, sending */
#define MSG_MAX		8192	/* the longest we build */
/* The inner chain becomes a whole message in dst: its length, or 0.  Where it has to be
 * fragmented these are several datagrams, one behind the other. */
size_t	message_seal(struct world *, struct ike_core *, uint8_t exch, int response,
	    uint32_t msgid, uint8_t first, const uint8_t *inner, size_t len,
	    uint8_t dst[MSG_MAX]);
/* Opens m->sk, of SK or SKF, into w->plain.  0 or -1 (not ours, or altered). */
int	message_open(struct world *, struct ike_core *, const uint8_t *raw,
	    const struct wire_msg *m, size_t *plainlen);
/* A request of that time has been answered now.  It rises at once and sinks slowly:
 * retransmissions count as a long way. */
void	message_rtt(const struct world *, struct ike_core *, monotime sent);
void	message_send(struct world *, const struct ike_core *, const uint8_t *, size_t);
/* A reply goes from where its request came to, to where that came from (2.11). */
void	message_send_to(struct world *, const struct endpoint *local,
	    const struct endpoint *remote, const uint8_t *, size_t);
/* Copies, sends and arms the retransmission: 0 or -1. */
int	request_launch(struct world *, struct ike_core *, struct outreq *, uint32_t msgid,
	    const uint8_t *, size_t, int64_t giveup_ms);
/* Sends it once more; the interval to the next time grows up to cap. */
void	request_again(struct world *, const struct ike_core *, struct outreq *, uint32_t cap);
/* Seals and launches our request on an established SA. */
int	ike_request(struct world *, struct ike_sa *, uint8_t exch, enum task,
	    uint8_t first, const uint8_t *inner, size_t len);
/* Starts the peer's request: ike->pend with an empty inner chain. 0 or -1 */
int	reply_begin(struct world *, struct ike_sa *, uint8_t exch, uint32_t msgid);
/* Remembers where a Child's payloads begin, to be able to take them back. */
void	reply_mark(struct pend *);
void	reply_rewind(struct pend *);
/* Seals, keeps and sends the reply that is ready; the pend is gone after. */
void	reply_finish(struct world *, struct ike_sa *);
/* A reply without SA: header and one notify (2.21, 1.5). */
void	notify_plain(struct world *, const struct rx *, uint16_t type, const void *, size_t);
/* Below half the PRF's preferred key (2.10). */
int	nonce_short(struct span nonce, uint16_t prf);

/* ---- natd.c: NAT detection */
int	natd_fill(struct world *, const struct ike_core *, const struct endpoint *,
	    uint8_t dst[20]);
/* force: the peer is to see a NAT. */
void	natd_put(struct world *, struct wire_enc *, const struct ike_core *,
	    const struct endpoint *local, const struct endpoint *remote, int force);
/*
 * Who is behind a NAT: hashes that do not fit.  force: ours has not fitted, so that the
 * peer encapsulates; then we do, too.  1; 0: the peer has no NAT traversal, and nothing is
 * changed.
 */
int	natd_read(struct world *, struct ike_core *, const struct rx *, int force);
/* Where the peer sees us, as a hash of 20 octets; or NULL. */
const uint8_t *natd_dest(const struct wire_msg *);

/* ---- mobike.c: the addresses of an IKE SA change (RFC 4555) */
/* MOBIKE_SUPPORTED and our other addresses, in IKE_AUTH. */
void	mobike_offer(struct world *, const struct ike_core *, struct wire_enc *);
/* What the peer said there. */
void	mobike_agree(struct world *, struct ike_sa *, const struct wire_msg *);
/* NO_NATS_ALLOWED, if there, is about these addresses. */
int	mobike_no_nat(const struct rx *);
/* We go to other addresses, and the peer is told (I). */
void	mobike_move(struct world *, struct ike_sa *, const struct endpoint *local,
	    const struct endpoint *remote);
/* R: our address is another one; the peer is asked to come there. */
void	mobike_moved_us(struct world *, struct ike_sa *, const struct addr *);
/* An answer came on another way than that in use: that way works (3.10). */
void	mobike_path(struct world *, struct ike_sa *, const struct rx *);
/* Our addresses that the peer does not know of. */
void	mobike_tell(struct world *, struct ike_sa *);
/* What is out is sent again soon: the way is another one. */
void	mobike_nudge(struct world *, struct ike_sa *);
/* What was just sent again goes on every other way there is, too, after some tries. */
void	mobike_widen(struct world *, struct ike_sa *);
int	mobike_update_start(struct world *, struct ike_sa *);
int	mobike_verify_start(struct world *, struct ike_sa *);
int	mobike_tell_start(struct world *, struct ike_sa *);
/* Acts on an INFORMATIONAL request, and adds to its reply. */
void	mobike_request(struct world *, struct ike_sa *, const struct rx *);
void	mobike_response(struct world *, struct ike_sa *, const struct rx *, enum task);

/* ---- fragment.c: RFC 7383 */
#define FRAG_TRIES	6	/* sent so often in vain: smaller pieces */
enum opened { OPEN_BAD = -1, OPEN_DROP, OPEN_WAIT, OPEN_DONE };
/* How much of an inner chain of len octets goes into one datagram: len, all; 0, none. */
size_t	fragment_chunk(const struct world *, const struct ike_core *, size_t len);
/* The first of the datagrams that stand one behind the other. */
size_t	datagram_len(const uint8_t *, size_t len);
/* A message of ours, kept to be sent again, is cut anew where that may help. */
void	fragment_smaller(struct world *, struct ike_core *, uint8_t **msg, uint32_t *len);
/* A protected message, whole or the piece that was missing: OPEN_DONE, and rx->plain is
 * set.  OPEN_WAIT: a piece was kept.  OPEN_DROP: of no use.  OPEN_BAD: not authentic. */
enum opened message_in(struct world *, struct ike_core *, int half, struct rx *);
enum opened fragment_in(struct world *, struct ike_core *, int half, struct rx *);
void	fragment_expire(struct world *, struct ike_core *);

/* ---- fail.c: how things end */
/* It is an address of this machine, or any, as far as ours are known. */
int	own_address(const struct world *, const struct addr *);
/* I: the connection attempt came to nothing: every tunnel that waits for it learns why,
 * the peer backs off, the half is freed. */
void	half_fail(struct world *, struct ike_half *, enum reason, const char *, ...)
	    __attribute__((__format__(printf, 4, 5)));
/* Removes a Child from kernel and tables; its tunnel is looked at again. */
void	child_remove(struct world *, struct child_sa *, enum reason, const char *why);
/* Removes an IKE SA and its Children at once, without a word to the peer. */
void	ike_remove(struct world *, struct ike_sa *, enum reason, const char *why);
/* R: the peer gets an error, and the reason stands in the log and with the tunnel; with
 * all of the peer's where tunnel is NO_INDEX. */
void	peer_refused(struct world *, uint32_t peer, uint32_t tunnel, const struct addr *who,
	    enum reason, const char *, ...) __attribute__((__format__(printf, 6, 7)));
/* The tunnel's Child could not be made: back-off of this tunnel alone. */
void	tunnel_hold(struct world *, uint32_t, enum reason, const char *, ...)
	    __attribute__((__format__(printf, 4, 5)));
/* SINGLE_PAIR_REQUIRED: from now on one pair of networks a Child. 1, or 0 when
 * that is no news and the error has to be told. */
int	tunnel_single(struct world *, uint32_t);
int64_t	backoff_ms(struct world *, uint32_t tries);
/* The same towards a peer that says nothing: two seconds at most where that is cheap. */
int64_t	backoff_silent_ms(struct world *, uint32_t tries);
const char *peer_name(const struct world *, uint32_t peer);	/* of its first tunnel */

/* ---- sa_init.c */
/* Starts a connection for the tunnel: 0 or -1 (the tunnel's error says why). */
int	sa_init_start(struct world *, uint32_t tunnel);
void	sa_init_request(struct world *, const struct rx *);
void	sa_init_response(struct world *, struct ike_half *, const struct rx *);

/* ---- hint.c: who has started says so, and nobody vouches for it */
#define KINDS_MAX	32	/* peers of one address that are looked at */
/* Tells the peer that we have started: it may check the SAs it still has with us. 1: told,
 * 0: there is no need to, or its address is not known. */
int	hint_send(struct world *, uint32_t peer);
/* Such a message has come in: of the peers at that address. */
void	hint_received(struct world *, const struct rx *);
/* The peer's older SAs are to be checked; what: what came, a static string. */
void	hint_doubt(struct world *, uint32_t peer, const struct rx *, const char *what);
/* It is there: if we are calling it in vain, it is called again soon. */
void	hint_call(struct world *, uint32_t peer);

/* ---- cookie.c: IKE_SA_INIT under a flood */
#define COOKIE_LEN	17
/* first: the first peer of the sender's address.  Too much is half-open for it to get
 * state or a key exchange without showing that it receives what we send. */
int	cookie_wanted(const struct world *, uint32_t first);
int	cookie_good(struct world *, const struct rx *);
void	cookie_ask(struct world *, const struct rx *);
int	half_room(const struct world *, uint32_t first);	/* for one more, cookie or not */

/* ---- auth.c */
int	auth_sign(struct world *, struct ike_half *);	/* I: after IKE_SA_INIT */
void	auth_request(struct world *, struct ike_half *, const struct rx *);
void	auth_response(struct world *, struct ike_half *, const struct rx *);
/* R: a protected refusal; the half stays a while to say it again. */
void	auth_refuse(struct world *, struct ike_half *, uint16_t type, const void *, size_t);
/* keys answered one of the jobs of J_SIGN, J_VERIFY. */
void	auth_answer(struct world *, const struct job *, const struct keys_ans *);
void	auth_kernel_ready(struct world *, struct ike_sa *);	/* R: the reply can go */

/* ---- offer.c: what we offer and accept */
int	offer_ike(struct world *, uint32_t peer, uint64_t spi, struct proposals *);
/* Only what this kernel can install.  -1: nothing is left. */
int	offer_esp(struct world *, uint32_t tunnel, uint32_t spi, int with_ke, struct proposals *);
/* Says so, for the tunnel and in the log. */
void	offer_none(struct world *, uint32_t tunnel);
uint16_t offer_group(const struct proposals *);		/* first group to try; KE_NONE */
int	offer_has_group(const struct proposals *, uint16_t);
int	offer_allows(const struct proposals *, const struct suite *);
struct ke *offer_ke(struct world *, uint16_t group);	/* a fresh key pair */
/* The same for a negotiation: n->group, n->ke and the octets it is made of.  0 or -1. */
int	offer_nego_ke(struct world *, struct nego *, uint16_t group);

/* ---- child.c: a Child's making, whatever the exchange */
struct child_make {
	uint32_t	 tunnel, spi_in, spi_out;
	uint8_t		 initiated;	/* our exchange */
	uint8_t		 later;		/* rekey, R: outbound only when told to */
	uint8_t		 transport;
	int		 more;		/* R: ADDITIONAL_TS_POSSIBLE */
	struct suite	 suite;
	struct span	 secret, ni, nr;
	const struct tslist *l, *r;
	said		 replaces;
};
/* Derives keys, makes the Child, asks the kernel.  NULL on failure. */
struct child_sa *child_make(struct world *, struct ike_sa *, const struct child_make *);
/* Responder: SA, TSi, TSr (and KE) of a request; appends the answer to the pend's chain
 * and asks the kernel, or appends the error notify. 1: the kernel was asked; 0: reply now. */
int	child_respond(struct world *, struct ike_sa *, const struct wire_msg *, struct span ni,
	    struct span nr, struct child_sa *old, int first);
/* Initiator: checks SA, TSi, TSr of an answer against what was offered and makes
 * the Child.  NULL: refused; *why says it. */
struct child_sa *child_accept(struct world *, struct ike_sa *, const struct wire_msg *,
	    struct nego *, uint32_t tunnel, struct span ni, struct span nr,
	    struct child_sa *old, int first, const char **why);
/* Notifies that go before a Child's SA payload, in either direction (1.3.1). */
void	child_put_notifies(struct wire_enc *, int transport);
/* The tunnel waits, and a line says what the peer said and what we had offered. */
void	child_refused(struct world *, uint32_t tunnel, const struct nego *,
	    const struct wire_notify *);
/* A NAT is on the way: transport mode would need RFC 7296 2.23.1, which is not done. */
int	child_natted(const struct ike_core *);

/* ---- install.c: a Child in the kernel */
/* Keeps what it needs of the keys.  later: the outbound SA waits for child_out_now().  0, or
 * -1: out of memory, and the Child is to be removed. */
int	child_install(struct world *, struct child_sa *, const struct child_keys *, int later);
/* The kernel answered J_ADD_IN or J_ADD_OUT. */
void	child_added(struct world *, struct child_sa *, enum job_kind, int err, const char *what);
/* Instead of the Child that the peer waits for: an error it may try again after. */
void	reply_without_child(struct world *, struct ike_sa *);
/* Its tunnel goes with the configuration: out of the kernel now, and the peer is told. */
void	child_abandon(struct world *, struct child_sa *);
/* Adds the outbound SA that waited for the peer. */
void	child_out_now(struct world *, struct child_sa *);
void	child_kernel_delete(struct world *, struct child_sa *, enum kern_dir);
/* Instead of the answers to J_ADD_IN and J_ADD_OUT, which another engine has got. */
void	child_ask_again(struct world *, struct child_sa *);
/* Direction, SPI, endpoints and ports of its kernel SA. */
void	child_fill_sa(const struct child_sa *, enum kern_dir, struct kern_sa *);
/* 1: the peer is not where its tunnel has it: it has moved from there (RFC 4555). */
uint8_t	child_away(const struct world *, const struct child_sa *);
void	child_query(struct world *, struct child_sa *, uint64_t user);
/* The peer came from elsewhere: encapsulated SAs follow, or are replaced. */
void	child_follow(struct world *, struct child_sa *, const struct endpoint *remote);

/* ---- handover.c: from one Child to the next */
void	child_out_due(struct world *, struct child_sa *);	/* now, or waits on */
/* To a successor: that one, when its outbound SA is being added now, or 0. */
said	child_hand_over(struct world *, const struct child_sa *old);
void	child_relieve(struct world *, const struct child_sa *);	/* by any other one */
/* Deleted on both sides: removed, or kept a moment for what was overtaken. */
void	child_gone(struct world *, struct child_sa *, enum reason, const char *why);
/* 1: its SAs have other addresses, or another encapsulation, than the IKE SA now. */
int	child_elsewhere(const struct child_sa *, const struct ike_core *);
/* The IKE SA has moved (RFC 4555): a successor there, in so many ms. */
void	child_moved(struct world *, struct child_sa *, struct ike_sa *, int64_t ms);

/* ---- selectors.c */
int	child_covers(const struct child_sa *, const struct ts *src, const struct ts *dst);
/* The number (from * to.n + to) of the first pair from `at' on that no Child of the
 * tunnel carries any part of, going round; -1: none. */
int	child_missing(const struct world *, uint32_t tunnel, unsigned int at);
/* The number of the pair that a packet is of; of the first where it is of none. */
unsigned int child_pair_of(const struct world *, uint32_t tunnel, const struct ts *src,
	    const struct ts *dst);
/* ike: NULL before there is one. */
void	child_offer_ts(struct world *, const struct ike_sa *, uint32_t tunnel, struct tslist *l,
	    struct tslist *r);
/* Responder: the tunnel that the request is for, and what of its selectors is taken.  0,
 * or the error to answer, which has been said. */
uint16_t child_take_ts(struct world *, const struct ike_sa *, const struct wire_msg *,
	    const struct child_sa *old, uint32_t *tunnel, struct tslist *l,
	    struct tslist *r, int *more);
/* Says it; gives the type. */
uint16_t child_refuse_ts(struct world *, const struct ike_sa *, const struct wire_msg *,
	    uint32_t tunnel, uint16_t type);

/* ---- address.c: CP payloads */
void	address_ask(struct world *, uint32_t tunnel, struct wire_enc *);
/* I: the answer gives one, and selectors that are it.  0, or -1 and *why. */
int	address_got(struct world *, struct ike_sa *, const struct wire_msg *, uint32_t tunnel,
	    const char **why);
/* R: 0, or the error notify that says why there is none. */
uint16_t address_give(struct world *, struct ike_sa *, const struct wire_msg *,
	    uint32_t tunnel);
void	address_reply(struct world *, const struct ike_sa *, const struct wire_msg *,
	    uint32_t tunnel, struct wire_enc *);

/* ---- create_child.c */
/* The lower of both nonces, cut or filled up to NONCE_LEN (2.8.1). */
void	nonce_lower(struct span, struct span, uint8_t out[NONCE_LEN]);
int	create_child_start(struct world *, struct ike_sa *, uint32_t tunnel);
int	rekey_child_start(struct world *, struct ike_sa *, struct child_sa *);
/* Its successor on this IKE SA, for the one that goes. */
int	move_child_start(struct world *, struct ike_sa *, struct child_sa *);
void	create_child_request(struct world *, struct ike_sa *, const struct rx *);
void	create_child_response(struct world *, struct ike_sa *, const struct rx *);
/* The kernel has the new Child of a rekey of ours: the old one may go. */
void	rekey_child_done(struct world *, struct child_sa *);

/* ---- rekey_ike.c */
int	rekey_ike_start(struct world *, struct ike_sa *);
void	rekey_ike_request(struct world *, struct ike_sa *, const struct rx *);
void	rekey_ike_response(struct world *, struct ike_sa *, const struct rx *);
/* Both have asked, and ours comes to nothing: the peer's new IKE SA inherits. */
void	rekey_ike_yield(struct world *, struct ike_sa *old);
/* The peer works on its new IKE SA: so for the peer it is the one that stays. */
void	rekey_ike_used(struct world *, struct ike_sa *heir);
/* The peer has deleted an heir: the one too many, by the nonces. */
void	rekey_ike_settled(struct world *, const struct ike_sa *heir);

/* ---- informational.c */
int	delete_ike_start(struct world *, struct ike_sa *);
int	delete_child_start(struct world *, struct ike_sa *, struct child_sa *);
/* A Child that only the peer has: ike->orphan_spi. */
int	delete_orphan_start(struct world *, struct ike_sa *);
int	check_start(struct world *, struct ike_sa *);
void	informational_request(struct world *, struct ike_sa *, const struct rx *);
void	informational_response(struct world *, struct ike_sa *, const struct rx *);

#define NO_TRANSPORT "transport does not work through NAT: write tunnel on both sides"

/* ---- times, in ms */
/*
 * The intervals between retransmissions grow by an eighth each, from RETRY_FIRST: 19 in
 * the first ten seconds.  Where 40 % of the packets are lost either way, 64 % of the
 * round trips are, and yet both exchanges of a connection come through within ten seconds
 * in 999 of 1,000 cases (doubling from 600 ms, in 890).  Towards a dead peer they reach
 * the cap, and the pauses between attempts are longer.
 */
#define RETRY_FIRST	200	/* the first retransmission, less jitter */
#define RETRY_CHECK	100	/* the same of a liveness check */
#define RETRY_CAP_CHECK	200	/* 18 in its three seconds: all lost once in 3,000 times */
#define RETRY_CAP_INIT	2000	/* IKE_SA_INIT: a peer that comes back is seen soon */
#define RETRY_CAP	8000
#define RETRY_CAP_MOVE	1000	/* addresses have changed */
#define GIVEUP_INIT	20000
#define GIVEUP_AUTH	15000
#define GIVEUP_REQ	30000
#define GIVEUP_DELETE	4000
#define HALFOPEN_MS	30000
#define FRAG_MS		30000	/* for the rest of a message (7383 2.6) */
#define BACKOFF_FIRST	1000
#define BACKOFF_CAP	30000
#define SILENT_CAP	2000	/* of peers that say nothing, when there are few of them */
#define REST_FIRST	5000LL	/* a pair that the peer refuses: twice, ... 64 times this */
#define PEND_MS		15000	/* a reply waits for the kernel at most */
#define OUT_LATER_MS	3000	/* rekey, R: outbound, when the old SA is gone */
#define OUT_LATEST_MS	30000	/* and when it is not: the peer has given up by then */
#define LINGER_MS	1000	/* inbound after its DELETE, and two round trips more */
#define LATE_S		10	/* inbound after its lifetime: the DELETE is answered by then */
#define REDUNDANT_MS	20000	/* both rekeyed: the peer deletes its own by then */
#define LAST_MS		5000	/* the old IKE SA waits that long for that */
#define POLL_GROUP_MS	50	/* idle Children: their counters are read in groups */
#define MOVED_MS	10000	/* the peer's address changed: a successor by then */
#define WANTED_MS	60000
#define CHECK_MS	3000	/* a liveness check unanswered: dead */
#define CHECK_HINT_MS	500	/* the same when more speaks for it; or 3 round trips */
#define CALL_PAUSE_MS	10000	/* a hint that anybody can send makes us call once in */
#define NEW_MS		10000	/* both start: an SA so new needs no question */
#define IKE_LIFETIME	28800	/* s, when the configuration says 0 */
#define CHILD_LIFETIME	10800

#endif
