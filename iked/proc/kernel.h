/* SPDX-License-Identifier: ISC */
/*
 * Private to the kernel process: kernel.c (its life), kernel_seen.c (policies as values),
 * kernel_table.c (tunnels, reqids, what is wanted), kernel_left.c (what an earlier life
 * placed), kernel_job.c (many operations on the system), kernel_place.c (a generation
 * comes, all goes), kernel_guard.c (what others take is put back), kernel_host.c (policies
 * of single callers), kernel_req.c (what ike and control ask), kernel_count.c (counters of
 * many Children) and kernel_show.c (what is really there).
 */
#ifndef PROC_KERNEL_H
#define PROC_KERNEL_H

#include "pfkey/pfkey.h"
#include "proc/child.h"

/* A policy of ours. */
struct kpol {
	struct kern_policy	p;
	uint32_t		tunnel;
	uint32_t		place;		/* which of the tunnel's */
	uint8_t			installed;
};
struct kidx {
	uint32_t	key, tunnel;
};

struct kremote {
	struct addr	remote;
	uint32_t	tunnel;
};

/* A generation: what it wants of the kernel.  Policies are sorted by kpol_cmp(). */
struct ktable {
	struct conf	*conf;		/* owned */
	uint32_t	*reqid;		/* one a tunnel */
	struct kpol	*pol;
	size_t		 npol;
	/* index + 1 in pol of each pair's three of each tunnel; from[] is where those of a
	 * tunnel begin, and one more is their number */
	uint32_t	*from, *at;
	struct kidx	*byreqid;	/* sorted, one a tunnel */
	/* Children of fewer selectors have reqids of their own: sorted */
	struct kidx	*more;
	size_t		 nmore, capmore;
	uint8_t		*used;		/* bits: reqids that are or were given out */
	uint32_t	 lastreqid, maxreqid;
	struct kremote	*byremote;	/* sorted, one a tunnel */
	struct kidx	*byid;		/* sorted by the kernel's policy id */
	size_t		 nbyid;
};

/* By selector and direction only. */
int		 kpol_cmp(const struct kern_policy *, const struct kern_policy *);
/* Nothing has to change. */
int		 kpol_same(const struct kern_policy *, const struct kern_policy *);
/* The ports of selectors as those of an outbound policy, and for the other way. */
void		 kpol_ports(struct kern_policy *, const struct ts *from, const struct ts *to);
void		 kpol_turn(struct kern_policy *);
/* A growing array of what a dump showed. */
struct kseen {
	struct kern_policy	*p;
	size_t			 n, cap;
	int			 err;
};
void		 kseen_add(struct kseen *, const struct kern_policy *);
void		 kseen_sort(struct kseen *);
void		 kseen_free(struct kseen *);
const struct kern_policy *kseen_find(const struct kseen *, const struct kern_policy *);
/* Does the system have it as we want it?  What it does not say cannot differ. */
int		 kpol_as(const struct kern_policy *is, const struct kern_policy *want);
/* Is one of them so?  With a mark it stands beside ours, not in its place. */
int		 kseen_has(const struct kseen *, const struct kern_policy *want);

/*
 * Takes conf over (also on failure).  reqids come from `seen' where a policy has
 * the selectors of ours, and never collide with another one of it.  NULL and *why.
 */
struct ktable	*ktable_new(struct conf *, const struct kern_caps *,
		    const struct kseen *, const char **why);
void		 ktable_free(struct ktable *);
/* As a kseen, for the next generation to learn from.  0 or -1: no memory. */
int		 ktable_seen(const struct ktable *, struct kseen *);
struct kpol	*ktable_find(struct ktable *, const struct kern_policy *);
/* -1: not ours. */
int64_t		 ktable_byreqid(const struct ktable *, uint32_t reqid);
int64_t		 ktable_byid(const struct ktable *, uint32_t id);
void		 ktable_setids(struct ktable *, const struct kseen *);
/* Do these endpoints, in either direction, belong to that tunnel? */
int		 ktable_endpoints(const struct ktable *, uint32_t tunnel,
		    const struct addr *local, const struct addr *remote);
/* The same of a peer that MOBIKE has taken elsewhere. */
int		 ktable_moved(const struct ktable *, uint32_t tunnel,
		    const struct addr *local, const struct addr *remote);
/* The tunnels to that address, one a call; *i is 0 at first.  -1: no more. */
int64_t		 ktable_byremote(const struct ktable *, const struct addr *remote,
		    size_t *i);
/* The policies of a tunnel, one a call; *i is 0 at first.  NULL: no more. */
struct kpol	*ktable_next(struct ktable *, uint32_t tunnel, size_t *i);
/* Traps get the endpoints of the SA that comes: an `any' peer's, and one's that has moved
 * or come back. 1: changed. */
int		 ktable_bind(struct ktable *, uint32_t tunnel,
		    const struct addr *local, const struct addr *remote);
/*
 * The reqid of a Child SA with these selectors, and whether they are less than the pairs
 * they are of (then the SA needs a selector of its own, where the kernel has such).  Policies
 * that get another reqid by that are marked as not installed; ktable_next() finds them.
 * -1: there is none left.
 */
int		 ktable_child(struct ktable *, uint32_t tunnel, const struct tslist *l,
		    const struct tslist *r, uint32_t *reqid, int *narrower);
/* That tunnel of old, where it is the same in kt; -1. */
int64_t		 ktable_twin(const struct ktable *kt, const struct ktable *old,
		    uint32_t tunnel);
/*
 * What the new table takes over of the one it follows: an `any' peer that has come
 * keeps its traps as they are bound, and what is installed need not be placed again.
 */
void		 ktable_inherit(struct ktable *, struct ktable *old);

/* What an earlier life placed (kernel_left.c). */
struct kleft {
	struct kseen		 was;		/* outbound policies */
	struct kern_policy	*byreqid;	/* the same */
	off_t			 size;		/* of the file */
};
/* 0 or -1: no memory, or errno. */
int		 kleft_parse(struct kleft *, const char *text, size_t len);
int		 kleft_read(struct kleft *, int fd);
/* Adds the table's policies, or writes nothing but them; NULL: none. */
int		 kleft_write(struct kleft *, int fd, const struct ktable *, int add);
size_t		 kleft_line(const struct ktable *, const struct kpol *, char *dst,
		    size_t cap);
void		 kleft_free(struct kleft *);
/* Is that, as the system has it now, one of them? */
int		 kleft_policy(const struct kleft *, const struct kern_policy *);
int		 kleft_sa(const struct kleft *, const struct kern_sa *);

struct kernel {
	struct child	*ch;
	struct kern	*kern;
	struct kern_caps caps;
	struct ktable	*now, *before, *next;
	struct chan	*ike, *control;
	int		 caps_told, ike_gone, lost_told;
	unsigned	 inflight;		/* requests of ike being answered */
	ev_timer	 timer;
	ev_io		 io[4];
	struct confin	 in;
	struct kleft	 left;			/* of an earlier life */
	struct kseen	 seen;			/* the dump of the moment */
	struct kjob	*job;			/* NULL: idle */
	struct netif	*netif;			/* NULL: changes are not heard of */
	ev_io		 netio;
	ev_timer	 netwait;
	int		 remove;		/* shutdown: take policies away */
	int		 flushed;		/* no policies: no SAs either */
};
extern struct kernel kn;

/* Work on many objects, a few at a time (kernel_job.c). */
typedef void kjob_done(uint32_t failed);
enum kopwhat { KOP_REPLACE, KOP_DELETE, KOP_SADELETE };
struct kop {
	enum kopwhat		 what;
	struct kern_policy	 p;		/* REPLACE, DELETE */
	uint32_t		 spi;		/* SADELETE */
	struct addr		 src, dst;
};
struct kjob {
	struct kop	*op;
	size_t		 n, cap, next;
	unsigned	 inflight;
	uint32_t	 failed;
	uint32_t	 nomem;		/* operations that were never listed */
	int		 policies;	/* sweep: policies too */
	void		(*step)(void);	/* when all operations are done */
	kjob_done	*done;
};
/* kn.job, which must be NULL before.  0 or -1: no memory. */
int	kjob_new(void (*step)(void), kjob_done *);
/* One more operation, to be filled in.  NULL: no memory, which is counted. */
struct kop *kjob_add(enum kopwhat);
void	kjob_run(void);		/* do what is listed, then the step */
void	kjob_end(void);		/* kn.job is NULL, and the done function is called */
/* Learns the kernel's ids of that table's policies, where an ACQUIRE says nothing else. */
void	kjob_ids(struct ktable *, void (*then)(void));
/* What is wanted of this selector in this direction now, in *p.  0: nothing. */
int	kernel_wanted(struct kern_policy *p);

/* Our policies stand, whoever takes them away (kernel_guard.c). */
void	kguard_open(void);	/* before the sandbox */
void	kguard_start(void);	/* the first generation stands */
void	kguard_look(void);	/* some of ours may be missing */
void	kguard_idle(void);	/* a job has ended */
/* It is at work: that generation is placed when it is done.  Takes conf over.  0, or -1: it
 * is not, or another one waits already. */
int	kguard_first(struct conf *, kjob_done *);

/* kernel_place.c */
/* A new generation: learn, clean, place; *done when it stands.  Takes conf over. -1: could
 * not begin (logged). */
int	kernel_place(struct conf *, kjob_done *);
/* Deletes our SAs, and our policies when asked. */
int	kernel_sweep(int policies, kjob_done *);

/* Policies of a caller's own (kernel_host.c). */
int	khost_wanted(const struct ktable *, const struct kernel_req *);
/* An outbound SA comes.  0; 1: it has its policies already; -1: no memory. */
int	khost_add(const struct ktable *, const struct kernel_req *);
void	khost_delete(uint32_t spi, const struct addr *dst);
void	khost_clear(void);
/* The one with that selector in that direction, in *p.  0: none. */
int	khost_now(struct kern_policy *p);
/* Each of them in each direction. */
void	khost_each(void (*)(const struct kern_policy *));
/* Addresses that we are given (kernel_iface.c). */
void	kiface_open(void);		/* before the sandbox */
void	kiface_follow(const struct ktable *, const struct kernel_req *);
void	kiface_clear(const struct ktable *);	/* NULL: all */
/* Was it one, in an earlier life? (kernel_left.c) */
int	kleft_host(const struct kleft *, const struct kern_policy *);

/* Is that SA of a tunnel's, by request id and endpoints? (kernel_place.c) */
int	kernel_is_ours(const struct ktable *, const struct kern_sa *);

/* kernel_show.c: the system's own databases.  0; -1: malformed. */
int	kernel_show(struct rbuf *);
/* The record of an SA or a policy of the system's; kt NULL: all is foreign.  now: seconds
 * since the epoch. */
void	kshow_sa(const struct ktable *, const struct kern_sa *, uint64_t now,
	    struct system_rec *);
void	kshow_policy(const struct ktable *, const struct kern_policy *,
	    struct system_rec *);

/* kernel_req.c.  0; -1: malformed. */
int	kernel_request(struct rbuf *);
int	kernel_flush(struct rbuf *);	/* from ike, answered to control */
int	kernel_control(uint16_t type, struct rbuf *);
void	kernel_event(void *arg, const struct kern_event *);
#define KERNEL_EARLY	64	/* ACQUIREs kept until a configuration stands */
void	kernel_early(void);	/* it does: they go to ike */

/* The table of that generation, or NULL. */
struct ktable *kernel_generation(uint32_t gen);
/* Requests of ike are begun and end: when there are many, it waits. */
void	kernel_begun(void);
void	kernel_ended(void);

/* kernel_count.c: counters of many Children.  0; -1: malformed. */
int	kernel_count(struct rbuf *);

/* kernel_net.c: addresses and routes. */
int	kernel_net_open(void);		/* before the sandbox closes; 0 or -1 */
void	kernel_net_start(void);
/* What ike asks of the routes: 0 or an errno. */
int	kernel_source(const struct addr *dst, struct addr *src);

void	kernel_settle(void);	/* after every use of kern: its next deadline */

#endif
