/* SPDX-License-Identifier: ISC */
/* Shared by the files of watch only. */
#ifndef KEEPALIVE_WATCH_LOCAL_H
#define KEEPALIVE_WATCH_LOCAL_H

#include <sys/queue.h>

#include "keepalive/watch.h"

#define RING		32	/* probes remembered; a power of two */
#define ERRTEXT		160

/* The shortest interval, each a quarter early: a probe is remembered until it is lost. */
_Static_assert(RING * (CONF_INTERVALMIN - CONF_INTERVALMIN / 4) > WATCH_TIMEOUT_MS,
    "RING is too short for CONF_INTERVALMIN");

enum slot_state { SLOT_EMPTY, SLOT_FREE, SLOT_COUNTED, SLOT_LOST, SLOT_DONE };
/* FREE: sent while not up; nobody counts it unless it is answered */

struct slot {
	uint32_t	seq;
	uint8_t		state;
	int64_t		sent_us;
};

/* What counters and send errors say about a target that does not answer. */
enum verdict {
	VERDICT_NONE,
	VERDICT_NOTUNNEL,	/* iked has no SA for it */
	VERDICT_ONEWAY,		/* our packets go into the tunnel, nothing comes back */
	VERDICT_SILENT,		/* others' packets come back, the target's do not */
	VERDICT_EATEN,		/* probes do not reach the SA */
	VERDICT_NOSEND		/* the kernel refuses them: senderr */
};

#define TODO_UP		1
#define TODO_COUNTERS	2
#define TODO_REPORT	4
#define TODO_ASKED	8	/* COUNTERS is on its way to iked */

struct target {
	struct watch_conf	*conf;
	uint32_t		 slot, id;
	size_t			 heap;		/* place in the heap, 1 .. */
	monotime		 deadline;
	int			 marked;	/* still in the new configuration */

	enum watch_state	 state;
	struct addr		 src;		/* ADDR_NONE: none */
	monotime		 began;		/* when it stopped being up */
	monotime		 last_reply;
	monotime		 next_probe, next_ask, next_look;
	monotime		 fast_until;
	uint32_t		 ask_ms;
	uint32_t		 look_ms;
	uint32_t		 misses, fast_left;

	uint32_t		 seq, tail;	/* next; oldest that may be waiting */
	struct slot		 ring[RING];

	uint64_t		 sent, received, lost, late;
	uint32_t		 rtt_us, rtt_min_us, rtt_max_us;
	uint64_t		 rtt_sum_us;

	enum verdict		 verdict, said;	/* said: already logged */
	int			 senderr, nsenderr;
	char			*error;		/* iked's, to the last `up` */

	int			 win;		/* a first look was taken */
	uint32_t		 win_spi, win_sent;
	uint64_t		 win_out, win_in;
	monotime		 win_since;
	int			 still;		/* windows in a row without motion */

	unsigned int		 todo;
	int			 upq, otherq;	/* on which queues */
	TAILQ_ENTRY(target)	 upent, otherent;
};
TAILQ_HEAD(targetq, target);

struct watch {
	const struct watch_io	*io;
	struct target		**slots;	/* by slot; NULL: free */
	size_t			 nslots;
	uint32_t		*freeslots;
	size_t			 nfree;
	struct target		**heap;		/* 1 .. n */
	size_t			 n;
	uint32_t		 nextid;
	uint32_t		 started;	/* in this configuration, for the splay */
	struct target		**byname;	/* only between begin and commit */
	size_t			 nbyname;
	struct addr		*addrs;
	size_t			 naddrs;
	int			 have_addrs;
	int			 linked;
	struct targetq		 ups, others;
	double			 tokens;	/* for `up` */
	monotime		 tokens_at;
};

/* watch_heap.c: room for one more must exist before a push */
void	 heap_push(struct watch *, struct target *);
void	 heap_remove(struct watch *, struct target *);
void	 heap_moved(struct watch *, struct target *);	/* deadline changed */

/* watch_target.c */
void	 target_start(struct watch *, struct target *, monotime at, monotime now);
void	 target_source(struct watch *, struct target *, monotime);
void	 target_expire(struct watch *, struct target *, monotime);
void	 target_reply(struct watch *, struct target *, const struct probe *,
	    monotime);
void	 target_state(struct watch *, struct target *, enum watch_state, monotime);
void	 target_reschedule(struct watch *, struct target *);
int64_t	 watch_jitter_ms(struct watch *, uint32_t ms);

/* watch_iked.c */
void	 todo_set(struct watch *, struct target *, unsigned int);
void	 todo_clear(struct watch *, struct target *);
void	 target_verdict(struct watch *, struct target *, enum verdict, monotime);
void	 target_look(struct watch *, struct target *, monotime);
void	 target_note(const struct watch *, const struct target *, char *, size_t);
char	*target_path(const struct target *, char *, size_t);	/* "a -> b" */
monotime watch_tokens_due(const struct watch *);	/* when the next `up` may go */

#endif
