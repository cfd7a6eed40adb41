/* SPDX-License-Identifier: ISC */
/* Between the files of the simulation only. */
#ifndef SIM_LOCAL_H
#define SIM_LOCAL_H

#include "sim.h"

enum ev_kind {
	EV_PACKET = 1, EV_KEYS, EV_KERNEL, EV_COUNTED, EV_ACQUIRE, EV_EXPIRE, EV_LIFETIME, EV_MAPPING,
	EV_LOST
};

struct ev {
	monotime		when;
	uint64_t		seq;
	enum ev_kind		kind;
	int			node;
	uint64_t		life;	/* of the node; a restarted one has another, and
					 * an address in memory would come again */
	union {
		struct packet		*pkt;
		struct keys_ans		*keys;
		struct kernel_ans	*kern;
		struct kernel_counted	*counted;
		struct ev_acquire	*acq;
		struct ev_sa		*sa;
	} u;
};
struct ev_acquire {
	uint32_t	gen, tunnel, seq;
	struct ts	src, dst;
};
struct ev_sa {			/* EXPIRE, MAPPING */
	uint32_t	spi;
	int		hard;
	enum kern_dir	dir;
	struct addr	dst;
	struct endpoint	src;
};

/* ---- sim.c */
void	 sim_die(const char *what) __attribute__((__noreturn__));
void	*sim_alloc(size_t);
void	*sim_grow(void *, size_t n, size_t size);
void	 sim_mix(struct sim *, const void *, size_t);	/* into the trace's hash */
void	 sim_fault(struct sim *, enum fault);
/* An event for the node's engine, us from now. */
void	 ev_init(struct ev *, struct node *, enum ev_kind, int64_t us);
/* What is told with SIM_VERBOSE. */
void	 sim_say(const struct node *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

/* ---- net.c */
void	 ev_put(struct sim *, struct ev *);
void	 ev_take(struct sim *, struct ev *out);
void	 ev_free(struct ev *);
void	 net_send(struct sim *, struct node *from, struct packet *);
/* from: index of the sender, or -1 */
void	 packet_in(struct sim *, int from, struct packet *);

/* ---- sim_addr.c */
int	 sim_owns(const struct node *, const struct addr *);
/* Which address its routes choose to there; NULL: none. */
const struct addr *sim_source(const struct node *, const struct addr *dst);
int	 sim_no_way(struct sim *, const struct node *from, const struct packet *);

/* ---- kern.c */
void	 kern_request(void *arg, const struct kernel_req *);	/* an effect */
void	 kern_count(void *arg, const struct kernel_count *);
void	 kern_lifetime(struct node *, const struct ev_sa *);
struct sim_sa *kern_find(struct node *, uint32_t spi, enum kern_dir);
void	 kern_wipe(struct node *);
int	 esp_send(struct node *, const struct addr *src, const struct addr *dst, int reply);
void	 esp_in(struct node *, const struct packet *);

#endif
