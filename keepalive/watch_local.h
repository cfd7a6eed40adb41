/* SPDX-License-Identifier: ISC */
/* Shared by the files of watch only. */
#ifndef KEEPALIVE_WATCH_LOCAL_H
#define KEEPALIVE_WATCH_LOCAL_H

#include <sys/queue.h>

#include "keepalive/pmtu.h"
#include "keepalive/stats.h"
#include "keepalive/ladder.h"
#include "keepalive/verdict.h"
#include "keepalive/watch.h"
#include "keepalive/wheel.h"

#define ERRTEXT		160
#define EVENT_TEXT	256

enum slot_state { SLOT_EMPTY, SLOT_FREE, SLOT_COUNTED, SLOT_LOST, SLOT_DONE };
/* FREE: sent while not up; nobody counts it unless it is answered */

/* The last probes are remembered, each at its number modulo the ring's length.  The time is
 * for the timeout, not for the round trip: in hundredths of a second, modulo 81 seconds. */
struct slot {
	uint16_t	cs : 13, state : 3;
};
#define SLOT_CS(t)	((uint32_t)(((t).us + 9999) / 10000))
#define SLOT_AGE_MS(s, now) \
    ((int64_t)((SLOT_CS(now) - (s)->cs) & 0x1fff) * 10)
#define RING_MIN	8	/* powers of two */
#define RING_MAX	32
/* The shortest interval, each a quarter early: a probe is remembered until it is lost. */
_Static_assert(RING_MAX * (CONF_INTERVALMIN - CONF_INTERVALMIN / 4) > WATCH_TIMEOUT_MS,
    "RING_MAX is too short for CONF_INTERVALMIN");

#define TODO_UP		1
#define TODO_COUNTERS	2
#define TODO_REPORT	4
#define TODO_ASKED	8	/* COUNTERS is on its way to iked */
#define TODO_NUMBERS	16	/* a report that is in no hurry */
#define TODO_RECOVER	32	/* rec->want; waits among the UPs */
#define TODO_CHECK	64	/* iked is to ask the peer */
#define TODO_RESERVE	128	/* its backup: up or down; waits among the UPs */
#define QUEUE_UP	1
#define QUEUE_OTHER	2
#define QUEUE_SLOW	4	/* on `otherent', as QUEUE_OTHER */
#define QUEUE_LOOK	8	/* its COUNTERS have been granted among the OTHERs */

/*
 * From the first miss on evidence is gathered, so that there is a verdict with the fall: the
 * counters of then are where the window begins.
 */
enum suspicion { SUSPECT_NONE, SUSPECT_ASKED, SUSPECT_SEEN };

/* Of a target that has fallen, or is about to. */
struct recover {
	struct ladder	l;
	struct evidence	e;		/* of the last window */
	uint8_t		want;		/* enum rung: iked is to be told */
	uint32_t	missed;		/* probes since the last rung */
	monotime	fell, asked, seen;	/* seen: the peer was alive */
};

/* Of a target that is several addresses. */
struct members {
	uint8_t		n, quorum;
	struct {
		uint32_t	last;	/* the last round answered, and 1; 0: none */
		uint32_t	solo;	/* when (s) it was silent and others were not; 0: never */
		uint8_t		row;	/* rounds answered in a row */
	}		m[CONF_TARGETS];
	struct round {
		uint8_t		heard;	/* a bit each */
		uint8_t		failed;	/* how many */
	}		round[];	/* as target.ring */
};

/* Of one that is not probed while traffic passes. */
struct pace {
	uint64_t	out, in;	/* at the last look */
	uint32_t	spi, sent, replies;	/* since */
	uint32_t	left;		/* target.left then */
	monotime	busy_until;
	monotime	brisk;		/* they talk since then; else MONO_NONE */
	uint8_t		unheard;	/* packets left since the last one came; a few */
	uint8_t		eaten;		/* probes that did not leave, less looks without */
};

/* What is known of the peer's gateway, watch_gate.c.  Seconds: 0, never. */
struct gate {
	monotime	next;		/* not before that */
	monotime	enough;		/* asked so often that its silence says something */
	uint32_t	heard, doubt;
	uint32_t	seq;
	uint8_t		unheard;	/* in a row, while all was well */
	uint8_t		asked;		/* since the first miss, and since it answered */
	uint8_t		after;		/* it answered after the first miss */
	uint8_t		beside;		/* the target is its own address */
};

/* Of one that has a backup. */
struct reserve {
	uint8_t		on;		/* it was brought up for this one */
	monotime	at;		/* then it is brought up or taken down */
};

/* There may be 100,000 of them: what is small is said small. */
struct target {
	struct wheel_node	 timer;		/* first: it is the target's address */
	struct watch_conf	*conf;
	uint32_t		 slot, id;
	uint32_t		 pos;		/* in watch.all */
	uint8_t			 state;		/* enum watch_state; 0: not started */
	uint8_t			 marked;	/* still in the new configuration */
	uint8_t			 ring_mask;
	struct addr		 src;		/* ADDR_NONE: none */
	struct addr		*given;		/* conf->dynamic: two; NULL: not known */
	monotime		 since;		/* in its state */
	monotime		 began;		/* when it stopped being up */
	monotime		 last_reply;
	monotime		 next_probe, next_ask, next_look;
	monotime		 fast_until;
	uint32_t		 ask_ms;
	uint32_t		 look_ms;
	uint32_t		 misses;
	uint8_t			 fast_left;
	uint8_t			 todo;		/* TODO_* */
	uint8_t			 queued;	/* QUEUE_* */
	uint8_t			 verdict, said;	/* enum verdict; said: already logged */
	uint8_t			 win;		/* a first look was taken */
	uint8_t			 suspect;	/* enum suspicion: before its fall */
	uint8_t			 still;		/* windows in a row without motion */
	uint8_t			 nsenderr;
	uint8_t			 hooked;	/* the last hook: enum hook_kind + 1 */
	uint8_t			 ever;		/* it has answered through this tunnel */
	uint8_t			 people;	/* hosts' packets have been answered, too */
	uint8_t			 rises;		/* replies in a row, while down */
	uint8_t			 grace;		/* probes around a rekey, lost or not */
	uint8_t			 around;	/* a gateway's answers beside the tunnel, in this
						 * window; a few */
	uint8_t			 outward;	/* they count: probes do enter the tunnel */
	int			 senderr;
	uint32_t		 monologue;	/* when (s) theirs were seen not to be; 0: never */

	uint32_t		 seq, tail;	/* next; oldest that may be waiting */

	uint32_t		 sent, received, lost, late;
	uint32_t		 rtt_us, rtt_min_us, rtt_max_us;
	uint64_t		 rtt_sum_us;
	struct stats		*stats;		/* from the first reply on */
	struct pmtu		*pmtu;		/* wanted, and it was up */

	char			*error;		/* iked's, to the last `up` */
	char			*evidence;	/* what came instead of an answer, or NULL */

	struct gate		 gate;
	struct recover		*rec;		/* or NULL */
	struct members		*mem;		/* or NULL: one address */
	struct pace		*pace;		/* or NULL */
	struct reserve		*reserve;	/* or NULL */
	TAILQ_ENTRY(target)	 resent;	/* while reserve->on */

	uint32_t		 left, left_asked;	/* probes but large ones; those before the
							 * counters were asked for */
	uint32_t		 win_spi, win_sent, win_replies, win_left;
	uint64_t		 win_out, win_in;
	monotime		 win_since;
	TAILQ_ENTRY(target)	 upent, otherent;

	struct slot		 ring[];	/* ring_mask + 1 */
};
TAILQ_HEAD(targetq, target);

struct watch {
	const struct watch_io	*io;
	struct target		**slots;	/* by slot; NULL: free */
	size_t			 nslots;
	uint32_t		*freeslots;
	size_t			 nfree;
	struct target		**all;		/* n of them, in no order */
	size_t			 n;
	struct wheel		 wheel;
	uint32_t		 nextid;
	struct target		**byname;	/* only between begin and commit */
	size_t			 nbyname;
	struct addr		*addrs;
	size_t			 naddrs;
	int			 have_addrs;
	int			 linked;
	int			 backup;
	struct targetq		 ups, others, slow, reserves;
	double			 tokens;	/* for `up` */
	monotime		 tokens_at;
	double			 spare;		/* probes of targets not up */
	monotime		 spare_at;
	double			 looks;		/* at counters of targets not up */
	monotime		 looks_at;
	monotime		 now;		/* of the last watch_expire */
	monotime		 slow_at;	/* the next report without hurry */
	monotime		 gate_at;	/* the next gateway asked without need */
	uint64_t		 probes, refused, delayed,
				 lateness[WATCH_LATE_MS];
};

/* watch_conf.c */
/* Octets of a copy. */
#define CONF_LEN(wc)	(offsetof(struct watch_conf, name) + \
    strlen((wc)->name) + 1 + ((size_t)(wc)->nfrom + (wc)->nto) * \
    sizeof((wc)->net[0]))
int	 watch_conf_valid(const struct watch_conf *);
int	 watch_conf_equal(const struct watch_conf *, const struct watch_conf *);
int	 watch_conf_alone(const struct watch_conf *);	/* a `watch' entry */
/* A copy that ends with its last net; NULL: no memory. */
struct watch_conf *watch_conf_copy(const struct watch_conf *);
void	 watch_conf_free(struct watch_conf *);

/* watch_target.c */
void	 target_start(struct watch *, struct target *, monotime at, monotime now);
void	 target_source(struct watch *, struct target *, monotime);
void	 target_given(struct watch *, struct target *, const struct addr given[2], monotime);
void	 target_expire(struct watch *, struct target *, monotime);
void	 target_sent(struct watch *, struct target *, const struct probe *,
	    int error, monotime);
/* who: of its addresses */
void	 target_reply(struct watch *, struct target *, unsigned int who,
	    const struct probe *, monotime);
void	 target_failed(struct watch *, struct target *, const struct probe *,
	    const char *text, monotime);
void	 target_state(struct watch *, struct target *, enum watch_state, monotime);
void	 target_reschedule(struct watch *, struct target *, monotime);
int	 target_may_send(const struct target *);
/* watch_error.c: what the counters say of the gateway's answers beside the tunnel. */
void	 outward_judge(struct target *, const struct evidence *, enum verdict *);
int	 outward_worth(const struct target *, const struct evidence *);
/* Probes one after the other, as if one had been missed already. */
void	 target_hurry(struct target *, monotime);
int64_t	 watch_jitter_ms(struct watch *, uint32_t ms);
/* What comes later than that after the answers of others mostly does not come any more. */
int64_t	 target_ripe_ms(const struct target *);
/* One that was sent after the peer was heard, so long ago, is ripe and not answered. */
int	 target_outlasts(struct target *, uint32_t heard_ms, monotime);

/* watch_quorum.c */
int	 members_new(struct target *);	/* 0, -1: no memory */
unsigned int target_count(const struct target *);
const struct addr *target_addr(const struct target *, unsigned int);
int	 target_index(const struct target *, const struct addr *);
void	 members_sent(struct target *, uint32_t seq);
/* 1: this reply makes the round an answered one; 0: not yet, or long since; -1: it was there. */
int	 members_reply(struct target *, unsigned int who, uint32_t seq, monotime);
int	 members_failed(struct target *, uint32_t seq);	/* 1: the round is lost */
/* Several that were believable have fallen silent at the same time. */
int	 members_witness(const struct target *, monotime);
void	 members_text(const struct target *, char *, size_t);

/* watch_pace.c */
enum ka_pace target_pace(const struct target *);
int	 pace_skips(const struct target *, monotime);	/* a probe is left out */
int	 pace_hurries(const struct target *);
uint32_t pace_look_ms(const struct watch *, const struct target *);
int	 pace_counters(struct watch *, struct target *, const struct watch_counters *,
	    monotime);		/* 1: that is all */

/* watch_gate.c; probes whose slot has WATCH_GATE_SLOT */
void	 gate_step(struct watch *, struct target *, monotime);
int	 gate_witness(const struct target *, monotime);
int	 gate_waits(const struct target *, monotime);
void	 watch_gate_sent(struct watch *, const struct probe *, int error);
/* reply: an echo reply, and no error */
void	 watch_gate_heard(struct watch *, const struct addr *from, const struct probe *,
	    int reply, monotime);

/* watch_reserve.c */
void	 reserve_state(struct target *, monotime);
void	 reserve_linked(struct target *, monotime);
void	 reserve_expire(struct watch *, struct target *, monotime);
int	 reserve_command(const struct watch *, const struct target *, char *, size_t);
void	 reserve_free(struct watch *, struct target *);

/* watch_status.c */
void	 target_status(const struct watch *, const struct target *,
	    struct watch_status *);
/* Tells who listens; the text is the reason, and target_note the evidence. */
void	 target_event(struct watch *, const struct target *,
	    enum watch_event_kind, const char *, ...)
	    __attribute__((__format__(printf, 4, 5)));

/* watch_stats.c: a probe that counts was sent, is lost, is answered (was: until then) */
void	 target_note_sent(struct target *, int64_t sent_us);
void	 target_note_lost(struct target *, const struct slot *, monotime);
void	 target_note_reply(struct target *, const struct probe *,
	    enum slot_state was, monotime);
void	 target_figures(const struct watch *, const struct target *,
	    struct watch_figures *);
void	 target_report(const struct watch *, const struct target *, char *, size_t);

/* watch.c: those that have not been started, one after the other */
void	 watch_start_all(struct watch *, monotime);

/* watch_hook.c */
void	 target_hook_state(struct watch *, struct target *);
void	 target_hook_test(struct watch *, const struct target *);

/* watch_pmtu.c; probes whose slot has WATCH_PMTU_SLOT */
void	 target_pmtu_state(struct watch *, struct target *, monotime);
void	 target_pmtu_rekeyed(struct watch *, struct target *, monotime);
void	 target_pmtu_expire(struct watch *, struct target *, monotime);
void	 watch_pmtu_sent(struct watch *, const struct probe *, int error, monotime);
void	 watch_pmtu_error(struct watch *, const struct icmp_error *, monotime);
void	 watch_pmtu_reply(struct watch *, const struct addr *from,
	    const struct probe *, monotime);

/* watch_recover.c */
/* misses: in a row, of which it has fallen; fewer, and the peer is asked already */
void	 recover_begin(struct watch *, struct target *, uint32_t misses, monotime);
void	 recover_suspect(struct watch *, struct target *, monotime);
void	 recover_evidence(struct watch *, struct target *,
	    const struct watch_counters *, struct evidence *, monotime);
void	 people_note(struct target *, const struct evidence *, monotime);
void	 recover_step(struct watch *, struct target *, monotime);
int	 recover_command(struct watch *, struct target *, char *, size_t);
int	 recover_waits(struct target *, const struct evidence *, monotime);
void	 recover_answer(struct watch *, struct target *, const char *error);
void	 recover_passed(struct watch *, struct target *, monotime);

/* watch_iked.c */
void	 todo_set(struct watch *, struct target *, uint8_t);
void	 todo_clear(struct watch *, struct target *);
void	 target_verdict(struct watch *, struct target *, enum verdict, monotime);
void	 target_look(struct watch *, struct target *, monotime);
void	 target_note(const struct watch *, const struct target *, char *, size_t);
char	*target_path(const struct target *, char *, size_t);	/* "a -> b" */
monotime watch_queues_due(const struct watch *);	/* when a waiting command may go */

#endif
