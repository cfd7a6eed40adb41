/* SPDX-License-Identifier: ISC */
/*
 * All that an engine knows: configuration, tables, what has to be looked
 * at before the event ends.  Exchanges change it, the engine drives it.
 */
#ifndef SA_WORLD_H
#define SA_WORLD_H

#include "base/reason.h"
#include "conf/conf.h"
#include "sa/sa.h"

struct show_event;

/* The way out (engine/engine.h says what each does). */
struct effects {
	void	 *arg;
	void	(*random)(void *arg, void *, size_t);
	void	(*send)(void *arg, const struct endpoint *local, const struct endpoint *remote,
		    int marker, const uint8_t *p, size_t len);
	void	(*keys)(void *arg, const struct keys_req *);
	void	(*kernel)(void *arg, const struct kernel_req *);
	void	(*count)(void *arg, const struct kernel_count *);
	void	(*event)(void *arg, const struct show_event *);	/* may be NULL */
};

/* Whose answer is awaited. */
enum job_kind {
	J_SIGN = 1, J_VERIFY,		/* owner: a half, or an IKE SA (R's sign) */
	J_ADD_IN, J_ADD_OUT,		/* owner: a Child */
	J_QUERY_IN, J_QUERY_OUT,
	J_COUNT,			/* owner: index of w->polls, + 1 */
	J_SOURCE,			/* owner: an IKE SA */
	J_FORGET			/* nobody's: the answer is only counted */
};
struct job {
	uint64_t	token;		/* its own id */
	uint8_t		kind;
	uint8_t		half;		/* owner is a half */
	said		owner;
	uint64_t	user;		/* QUERY: fx.counters token, 0 none */
	monotime	by;		/* the answer is late then */
	said		older, newer;
};

/* Children whose counters are asked together (engine/poll.c). */
#define POLLS		16
struct poll {
	uint64_t	token;		/* 0: not asked yet */
	uint8_t		n;		/* 0: free */
	uint64_t	both;		/* bits: outbound is asked as well */
	said		child[COUNT_MAX];
};

#define EXCHANGES	4
struct tally {
	uint64_t	rx, tx, rx_bad, rx_dropped, retransmits, auth_failed, ike_up,
			ike_down, child_up, child_down, rekeys, ikev1;
	/* by kind of exchange, from IKE_SA_INIT on: requests of ours, their answers, those
	 * that were given up; requests of peers */
	uint64_t	sent[EXCHANGES], answered[EXCHANGES], unanswered[EXCHANGES],
			received[EXCHANGES];
	uint64_t	undecrypted, cookies_asked, cookies_sent, frags_in, frags_out;
};

/* The place of a kind of exchange in these. */
static inline unsigned int
exchange_kind(uint8_t exch)
{
	return ((exch - (unsigned int)X_IKE_SA_INIT) % EXCHANGES);
}

/* The token of a request whose answer nobody waits for and no job stands for. */
#define TOKEN_NOBODY	UINT64_MAX

/* A name an inbound SPI leads to. */
struct slot {
	uint64_t	spi;		/* ours; 0: free */
	said		owner;
	uint8_t		half;
	uint8_t		listed;		/* in the free list; taken by name it stays there */
	uint32_t	next;		/* free list, index + 1 */
};

#define ADDRS_MAX	64		/* addresses of this machine that are looked at */

#define HASH_INIT	4096		/* half-open responders by SPIi and address */
#define HALF_ANY	2048		/* half-open responders of addresses not configured */
#define HALF_PER_PEER	64		/* and of one configured address */

/* Secrets of COOKIEs (exchange/cookie.c). */
struct cookie_state {
	uint8_t		secret[2][32];	/* by the lowest bit of the version */
	uint8_t		version;	/* of the newer one */
	monotime	until;
};

struct world {
	struct effects	 fx;
	struct crypto	*crypto;
	const struct logger *log;
	monotime	 now;
	uint16_t	 port, natt_port;
	uint8_t		 has_caps, stopping;
	uint8_t		 flushed;	/* nothing is wanted until the next configuration */
	uint8_t		 held;		/* SAs are coming in: nothing is started yet */
	struct kern_caps caps;

	struct conf	*conf;		/* NULL before the first */
	struct peer	*peers;
	struct tunnel	*tunnels;
	uint32_t	*byname;	/* tunnel indices sorted by name */
	uint32_t	*byaddr;	/* peers by remote address; index + 1 */
	uint32_t	*byid;		/* peers by remote address and identity */
	uint32_t	 nbyaddr;	/* of both; power of two; 0: there is no index */
	uint32_t	 anypeers;	/* peers with remote any; index + 1 */
	uint32_t	 anyids;	/* of these, those that take any identity */

	struct slab	 halves, ikes, childs, jobs;
	struct likes	 names, selectors;	/* of ikes, of childs (sa/alike.c) */
	struct timers	 timers;
	struct poll	 polls[POLLS];
	struct poll	*poll;		/* being filled, or NULL */
	said		 oldest_job, newest_job;
	struct timer	 late;		/* for the oldest, or for one that was */
	struct timer	 knock;		/* at peers, one after the other, after the start */
	uint32_t	 knock_peer;	/* the next */
	uint8_t		 knock_round;
	struct slot	*slots;
	uint32_t	 nslots, freeslot;
	said		*childhash;	/* by spi_in, chained through hash_next */
	said		*outhash;	/* by spi_out, chained through out_next; as long */
	said		*childnext;	/* by slab index */
	uint32_t	 nchildhash, nchildnext;
	said		 inithash[HASH_INIT];
	size_t		 halffrags;	/* octets of fragments before AUTH */
	uint32_t	 nhalfresp, nhalfany;	/* all; those counted for peers at any */
	struct cookie_state cookie;
	uint64_t	 hashkey;
	said		 dirty_ikes;
	uint32_t	 dirty_tunnels;	/* index + 1 */
	struct bucket	 b_ikev1, b_version, b_spi, b_bad, b_cookie, b_late;
	struct tally	 tally;
	struct addr	 addrs[ADDRS_MAX];	/* this machine's */
	uint32_t	 naddrs;	/* 0: not known */
	struct {
		struct addr	 to;
		monotime	 at;
		char		 why[64];	/* "" none */
	} unsent;		/* the last datagram that could not be sent */
	uint32_t	 sweep_at;	/* IKE SAs up to there have been looked at */
	uint8_t		 sweep_again;
	struct timer	 sweep;		/* the rest */
	struct wire_msg	*msg;		/* scratch of the one message in work */
	uint8_t		*plain;		/* scratch: WIRE_MAXMSG octets */
};

/* ---- world.c */
int	 world_init(struct world *);	/* fx, crypto, log are set before. 0 or -1 */
void	 world_destroy(struct world *);
void	 world_flush(struct world *);	/* end of the event: deferred freeing */
void	 world_random(struct world *, void *, size_t);
uint32_t world_uniform(struct world *, uint32_t n);	/* 0..n-1; n > 0 */
/* ms less up to percent of it at random. */
int64_t	 world_jitter(struct world *, int64_t ms, uint32_t percent);
/* At most n in each period: 1 go ahead, 0 not now. */
int	 world_allow(struct world *, struct bucket *, uint32_t n, int64_t period_ms);
void	 touch_ike(struct world *, struct ike_sa *);
void	 untouch_ike(struct world *, struct ike_sa *);
void	 touch_tunnel(struct world *, uint32_t tunnel);
void	 touch_peer(struct world *, uint32_t peer);	/* all its tunnels */

/* ---- pool.c: addresses given to peers */
/* One of the tunnel's pool for the peer of this IKE SA, the wish where that is
 * possible.  0, or -1: none is free. */
int	 lease_take(struct world *, struct ike_sa *, uint32_t tunnel, uint8_t fam,
	    const struct addr *wish);
void	 lease_end(struct world *, struct ike_sa *);
void	 lease_move(struct ike_sa *from, struct ike_sa *to);	/* rekeyed */
void	 lease_ts(const struct ike_sa *, struct tslist *);	/* these hosts */
void	 pools_free(struct tunnel *);

/* ---- spi.c: names of SAs */
/* A fresh random SPI leading to owner: 0 or -1. */
int	 slot_new(struct world *, uint64_t *spi, uint32_t *slot);
/* That very SPI, of an SA that comes from another engine: 0, or -1: not to be had. */
int	 slot_take(struct world *, uint64_t spi, uint32_t *slot);
void	 slot_bind(struct world *, uint32_t slot, said owner, int half);
void	 slot_free(struct world *, uint32_t slot);
const struct slot *slot_find(const struct world *, uint64_t spi);
/* 1: of an IKE SA that the peer may have, while its answer is on its way to us. */
int	 slot_reserved(const struct world *, uint64_t spi);
uint32_t child_spi_new(struct world *);	/* random, >= 0x10000, unused */
int	 child_hash_add(struct world *, struct child_sa *);
void	 child_hash_del(struct world *, struct child_sa *);
struct child_sa *child_byspi(const struct world *, uint32_t spi_in);
/* The peer's SPI, once, before the Child is looked for by it. */
void	 child_set_out(struct world *, struct child_sa *, uint32_t spi_out);
/* Next Child of that outbound SPI after c (NULL: the first): peers choose them, so
 * there may be several. */
struct child_sa *child_byout_next(const struct world *, const struct child_sa *c,
	    uint32_t spi_out);
void	 init_hash_add(struct world *, struct ike_half *);
void	 init_hash_del(struct world *, struct ike_half *);
/* The half that a copy of this very IKE_SA_INIT request made, or NULL. */
struct ike_half *init_hash_find(const struct world *, const struct endpoint *remote,
	    uint64_t spii, const uint8_t *msg, size_t len);

/* ---- ike.c */
struct ike_half	*half_new(struct world *, int initiator);
void		 half_free(struct world *, struct ike_half *);
struct ike_half	*half_get(const struct world *, said);
/* R: counts it as half-open for this peer, the first one of its address. */
void		 half_count(struct world *, struct ike_half *, uint32_t first);
void		 half_recount(struct world *);	/* after peers got other indices */
void		 half_state(struct world *, struct ike_half *, enum half_state);
/* The one door: verdict is the answer of keys to the J_VERIFY job of this half.  The
 * half is released, its slot, keys, init data and held message go to the SA. */
struct ike_sa	*ike_promote(struct world *, struct ike_half *, const struct job *,
		    const struct keys_ans *verdict);
/* A rekey: made inside an authenticated SA. Peer, endpoints, identity are inherited; it
 * is IKE_HEIR until it gets the Children. */
struct ike_sa	*ike_successor(struct world *, const struct ike_sa *old);
/* An SA that another engine has authenticated: its core, with the slot taken. */
struct ike_sa	*ike_adopt(struct world *, const struct ike_core *);
struct ike_sa	*ike_get(const struct world *, said);
void		 ike_state(struct world *, struct ike_sa *, enum ike_state);
void		 ike_free(struct world *, struct ike_sa *);	/* children first */
/* The best SA of a peer for new work, or NULL. */
/* Of one configured peer there may be many, where that may be anybody: the same one? */
int		 ike_same_peer(const struct ike_sa *, const struct ike_sa *);
struct ike_sa	*ike_of_peer(const struct world *, uint32_t peer);
/* ---- twin.c: two IKE SAs with one peer */
/* Our identity and the peer's: <0 ours is lower, 0, >0. */
int		 ike_order(const struct world *, const struct ike_sa *);
/* There may be another one: looked at soon. */
void		 ike_twins(struct world *, struct ike_sa *);
void		 ike_twins_find(struct world *, struct ike_sa *);	/* one that came over */
/* Which of the two goes, by a rule that both sides know; NULL: neither, or not yet. */
struct ike_sa	*ike_redundant(const struct world *, struct ike_sa *, struct ike_sa *);
/* Of all with that peer the one that stays.  *alone: there is no other. */
struct ike_sa	*ike_survivor(const struct world *, struct ike_sa *, int *alone);
/* A Child for the same selectors on the one that goes, which a new one on ike succeeds. */
struct child_sa	*ike_twin_child(const struct world *, struct ike_sa *, uint32_t tunnel,
		    const struct tslist *l, const struct tslist *r);
void		 init_data_free(struct init_data *);
void		 held_clear(struct held *);
int		 held_set(struct held *, const uint8_t *, size_t, uint8_t first, uint32_t msgid);
void		 frags_free(struct world *, struct frags **);	/* wipes; NULL after */
void		 nego_free(struct world *, struct nego *);
void		 pend_free(struct pend *);
void		 outreq_clear(struct world *, struct outreq *);
void		 reply_clear(struct reply *);
int		 reply_set(struct reply *, const uint8_t *, size_t, uint32_t msgid);
/* The same of malloc'd octets, which become the reply's; cannot fail. */
void		 reply_take(struct reply *, uint8_t *, size_t, uint32_t msgid);

/* ---- child.c */
struct child_sa	*child_new(struct world *, struct ike_sa *, uint32_t tunnel, uint32_t spi_in);
struct child_sa	*child_get(const struct world *, said);
/* The same, unless it is deleted already and only lingers. */
struct child_sa	*child_live(const struct world *, said);
void		 child_free(struct world *, struct child_sa *);	/* table only, not kernel */
/* Wipes the keys of an outbound SA to come and those kept for a new port. */
void		 child_forget_keys(struct child_sa *);
int		 child_set_ts(struct world *, struct child_sa *, const struct tslist *l,
		    const struct tslist *r);
void		 child_get_ts(const struct child_sa *, struct tslist *l, struct tslist *r);
/* Moves it below another IKE SA (2.18). */
void		 child_move(struct world *, struct child_sa *, struct ike_sa *);
/* The newest Child of the tunnel that carries traffic, or NULL. */
struct child_sa	*child_of_tunnel(const struct world *, uint32_t tunnel);
/* 1: one of it waits for the kernel. */
int		 tunnel_installing(const struct world *, uint32_t tunnel);
struct child_sa	*child_byout(const struct world *, const struct ike_sa *, uint32_t spi_out);

/* ---- alike.c: without a look at all that a peer, or a tunnel, has */
void		 ike_named(struct world *, struct ike_sa *);	/* it has got its rid */
void		 ikes_named_again(struct world *);	/* all peers have got other indices */
/* The newest IKE SA, but this one, for which ike_same_peer() is true; then the one before
 * o.  Where o is without a rid, since memory was short, it is nobody's like. */
struct ike_sa	*ike_alike(const struct world *, const struct ike_sa *, const struct ike_sa *o);
uint32_t	 child_hash_ts(const struct world *, const struct tslist *l,
		    const struct tslist *r);
/* The newest Child of the tunnel whose selectors have that hash, and then the one before c:
 * they may be others all the same. */
struct child_sa	*child_alike(const struct world *, uint32_t tunnel, uint32_t hash,
		    const struct child_sa *c);

/* ---- job.c */
struct job	*job_new(struct world *, enum job_kind, said owner, int half);
struct job	*job_get(const struct world *, uint64_t token);
void		 job_free(struct world *, struct job *);
/* The next one whose answer is late, or NULL; w->late is set for when one may be. */
struct job	*job_late(struct world *);

/* ---- tunnel.c */
const struct conf_tunnel *tunnel_conf(const struct world *, uint32_t);
const struct conf_peer	*peer_conf(const struct world *, uint32_t);
int32_t		 tunnel_byname(const struct world *, const char *);
/* The same in a configuration whose names are sorted in byname. */
int32_t		 names_find(const struct conf *, const uint32_t *byname, const char *);
void		 tunnel_error(struct world *, uint32_t, enum reason, const char *, ...)
		    __attribute__((__format__(printf, 4, 5)));
void		 tunnel_clear_error(struct world *, uint32_t);
int		 tunnel_wanted(const struct world *, uint32_t);
/*
 * First index of peers whose remote address this is (or, after those, any); continue
 * with peer_next_addr(); NO_INDEX at the end.  Of peers that differ only in their
 * identities the first one stands for all: before IDi they cannot be told apart.
 */
uint32_t	 peer_first_addr(const struct world *, const struct addr *local,
		    const struct addr *remote);
uint32_t	 peer_next_addr(const struct world *, uint32_t, const struct addr *local,
		    const struct addr *remote);
/* The peer of that address, else of any, with that identity; else one that takes any. */
uint32_t	 peer_byid(const struct world *, const struct addr *local,
		    const struct addr *remote, const struct ident *);
/* Our and the peer's identity; the address stands in where none is configured. */
void		 peer_local_id(const struct world *, uint32_t, const struct addr *, struct ident *);
void		 peer_remote_id(const struct world *, uint32_t, const struct addr *, struct ident *);
int		 ident_order(const struct ident *, const struct ident *);	/* <0, 0, >0 */
/* Arrays beside conf; swaps nothing in on failure (-1). */
int		 runtime_new(const struct conf *, struct peer **, struct tunnel **,
		    uint32_t **byname);
int		 runtime_index(struct world *);	/* byaddr, anypeers, lists */
void		 queue_tunnel(struct world *, struct ike_sa *, uint32_t);
uint32_t	 queue_take(struct world *, struct ike_sa *);	/* NO_INDEX: empty */

#endif
