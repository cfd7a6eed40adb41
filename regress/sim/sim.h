/* SPDX-License-Identifier: ISC */
/*
 * Engines in one process, on a virtual clock, with a network that loses, delays,
 * doubles, reorders and is cut, NATs, kernels made of a table, and the real keys.  A run
 * is a function of its seed.
 */
#ifndef SIM_H
#define SIM_H

#include "base/addr.h"
#include "conf/conf.h"
#include "crypto/crypto.h"
#include "engine/engine.h"

#define SIM_NODES	6
#define SIM_ADDRS	3
#define SIM_SAS		512
#define SIM_LOG		(256 * 1024)
#define SIM_START	1000000000	/* the clock begins there, in us */
#define SIM_BACKLOG	64	/* datagrams a stopped process's socket holds */

struct sim;
struct node;
struct invariant;

/* What is done to the engines; counted as it takes effect. */
enum fault {
	F_LOST, F_DOUBLED, F_LATE, F_CUT, F_NAT_MOVED, F_KERNEL_REFUSES, F_KERNEL_LATE,
	F_KERNEL_MUTE, F_SA_LOST, F_SA_EXPIRED, F_EVENT_LOST, F_KEYS_LATE, F_KEYS_MUTE,
	F_KEYS_REFUSE, F_CRASH, F_SLEEP, F_RELOAD, F_SHUTDOWN, F_FLUSH, F_COMMAND, FAULTS
};

struct sim_sa {
	int		used;
	uint32_t	tunnel;
	char		name[CONF_NAMELEN];	/* of its tunnel */
	struct kern_sa	sa;
	struct tslist	tsl, tsr;
	uint64_t	order;
	uint64_t	seq;		/* out: last sent; in: highest seen */
	uint64_t	window;		/* in: bit i is seq - i, seen */
	int		soft;		/* its soft limit of octets was told */
};

/* What a packet on the wire is; ike: an IKE message, else ESP. */
struct packet {
	struct endpoint	src, dst;
	int		ike, marker;
	uint8_t		*p;
	size_t		 len;
	int		 to;		/* index + 1 of the node whose socket has it */
	/* ESP */
	uint32_t	 spi;
	uint64_t	 seq;
	uint8_t		 key[KERN_KEYMAX];
	struct addr	 isrc, idst;	/* inner */
	int		 reply;		/* is an answer already */
};

struct node {
	struct sim	*sim;
	int		 idx;
	char		 name[32];
	struct addr	 addr;
	struct addr	 more[SIM_ADDRS]; /* its other addresses */
	int		 nmore;
	int		 noroute;	/* to nowhere */
	struct addr	 no_way;	/* what goes there or comes from there is lost */
	struct engine	*e;		/* NULL: killed */
	uint64_t	 life;		/* counts its starts */
	struct conf	*secrets;	/* what its keys process has */
	uint32_t	 gen;
	uint64_t	 rng;
	int		 cut;		/* its cable is out */
	int		 started;	/* once at least */
	struct kern_caps caps;
	struct sim_sa	*sa;
	int		 nsa, capsa;	/* used up to; room for */
	uint64_t	 order;
	uint64_t	*keys;		/* hashes of all keys it ever had */
	size_t		 nkeys, capkeys;
	monotime	 larval;	/* an acquire is being waited for until then */
	char		*log;
	size_t		 loglen, caplog;
	struct logger	 logger;
	/* NAT: seen by others as that address; ports are made as packets leave */
	int		 nat;
	struct addr	 nat_addr;
	uint16_t	 nat_port[2];	/* 500 and 4500 outside */
	int		 nat_off;	/* for the moment there is none */
	int		 nonce0;	/* 1 + first octet of nonces; 0: by chance */
	/* faults */
	int		 kern_fail_at;	/* the n-th ADD from now fails; 0: none */
	int		 kern_mute;	/* never answers */
	int64_t		 kern_slow_us;	/* takes its time */
	uint32_t	 kern_refuse;	/* of 1000 requests */
	uint32_t	 kern_late;	/* so many are answered late, or never */
	monotime	 kern_order;	/* answers come one after the other */
	int		 deaf;		/* the kernel's events do not come through */
	int		 mapping;	/* the kernel tells when a NAT moved the peer */
	int		 keys_mute, keys_refuse;
	int64_t		 keys_slow_us;
	int		 die_in;	/* killed with the n-th datagram from now; 0: not */
	int		 doomed;
	monotime	 asleep;	/* the process is stopped until then */
	int		 machine_asleep; /* and its kernel */
	int		 backlog;	/* datagrams that wait for it to wake */
	int		 no_policy;	/* flushed: nothing is trapped */
	/* traffic */
	uint64_t	 got, got_bad;	/* packets that arrived / under no SA or key */
	uint64_t	 replayed;	/* and outside of the replay window */
	uint64_t	 sent, nosa;	/* outbound by an SA / trapped */
	uint64_t	 clear;		/* no policy was for them */
	monotime	 last_got;
	uint64_t	 acquires, kreqs, kern_lost_tunnel;
	uint64_t	 counters_token;
	struct engine_counters counters;
	struct show_event ev[64];	/* the first that were told */
	unsigned int	 nev;
};

struct sim {
	uint64_t	 rng;
	monotime	 now;
	struct crypto	*crypto;
	struct node	*n[SIM_NODES];
	int		 nnodes;
	/* network */
	int64_t		 delay_us, jitter_us;
	uint32_t	 loss, dup;	/* per mille */
	uint8_t		 blocked[SIM_NODES][SIM_NODES];	/* [from][to], one way */
	int		 acquire_no_ts;
	/* Sees every datagram before the network does: 0 lets it go, 1 swallows. */
	int		(*filter)(struct sim *, struct node *from, struct packet *);
	void		*filter_arg;
	uint64_t	 datagrams, events;
	uint64_t	 faults[FAULTS];
	struct ev	*heap;
	size_t		 nheap, capheap;
	uint64_t	 seq;
	int		 flying;	/* IKE datagrams on their way */
	int		 asked;		/* answers of keys and kernels on theirs */
	int		 verbose;
	uint64_t	 trace;		/* hash of every effect and its time */
	struct invariant *inv;		/* NULL: they are not looked at */
	int		 wrong;		/* violations */
};

extern volatile int sim_own;	/* not 0: memory is wanted for the simulation itself */

struct sim	*sim_new(uint64_t seed);
void		 sim_free(struct sim *);
uint64_t	 sim_rand(uint64_t *);
const char	*sim_fault_name(enum fault);
/* Something is not as it must be: said, with the time, and counted in s->wrong. */
void		 sim_wrong(struct sim *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
/* conf: the text of its file. The node is started. */
struct node	*sim_node(struct sim *, const char *name, const char *addr, const char *conf);
void		 sim_nat(struct node *, const char *outside);
void		 sim_start(struct node *, const char *conf);	/* after sim_kill() */
void		 sim_kill(struct node *);			/* SIGKILL; SAs are gone */
/* Sleeps no longer, and has what waited for its end before it at once. */
void		 sim_wake(struct node *);
void		 sim_reload(struct node *, const char *conf);
void		 sim_plan(struct node *, const char *conf);	/* records SHOWK_PLAN */
/* Its live SAs go to a new engine; the old one is freed without a word, the kernel stays.
 * The number of IKE SAs that went along. */
int		 sim_transfer(struct node *, const char *conf);
void		 sim_run(struct sim *, int64_t ms);
/* Until cond(arg) or ms have passed: 1 it came true. */
int		 sim_until(struct sim *, int64_t ms, int (*cond)(void *), void *arg);
/* One packet of a host behind the node: by an SA, or an acquire. 1: it left. */
int		 sim_ping(struct node *, const char *src, const char *dst);
/* A ping each `every` ms for `ms`; replies included. */
void		 sim_traffic(struct node *, const char *src, const char *dst, int64_t ms,
		    int64_t every);
/* The kernel loses an SA by itself: of a random one, without a word, or with the event
 * of a hard or soft limit. */
enum sim_loss { LOSE_SILENT, LOSE_HARD, LOSE_SOFT };
void		 sim_lose_sa(struct node *, uint64_t random, enum sim_loss);
void		 sim_lost_events(struct node *);	/* the engine is told so */
/* ---- sim_addr.c */
/* Its address is another one from now on, and it is told; keep: the old one stays. */
void		 sim_move(struct node *, const char *addr, int keep);
void		 sim_addr_add(struct node *, const char *addr);
/* Addresses or routes have changed. */
void		 sim_tell_addrs(struct node *);
int		 sim_up(struct node *, const char *tunnel);
void		 sim_cmd(struct node *, enum engine_cmd, const char *tunnel);
int		 sim_tunnel(struct node *, const char *name, struct show_tunnel *);
int		 sim_is_up(struct node *, const char *name);
int		 sim_count(struct node *, enum show_kind);
int		 sim_natt(struct node *);	/* 1 we, 2 the peer is behind a NAT, of the first IKE SA */
int		 sim_established(struct node *);	/* IKE SAs in that state */
void		 sim_stats(struct node *, struct show_stats *);
int		 sim_kernel_count(struct node *);	/* SAs in the kernel */
int		 sim_logged(struct node *, const char *text);
int		 sim_log_count(struct node *, const char *text);
/* Engine and kernel agree: every installed SA is known and the other way round.
 * Prints and gives 0 when not. */
int		 sim_agree(struct node *);
/* Both ends of the one Child of that tunnel mirror each other. */
int		 sim_mirror(struct node *, struct node *, const char *ta, const char *tb);
/* Hands a datagram to a node, from that source, as the network would. */
void		 sim_inject(struct sim *, const struct endpoint *src,
		    const struct endpoint *dst, int marker, const uint8_t *, size_t);
struct endpoint	 sim_ep(const char *addr, uint16_t port);
/* A pair of nodes with one tunnel "b" at a and "a" at b, and these words added. */
struct sim	*sim_pair(uint64_t seed, const char *amode, const char *bmode,
		    const char *extra);

#endif
