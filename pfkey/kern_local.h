/* SPDX-License-Identifier: ISC */
/*
 * What libpfkey's own files share: the open kernel, its table of requests that
 * wait for an answer, and the operations a back end supplies.
 */
#ifndef PFKEY_KERN_LOCAL_H
#define PFKEY_KERN_LOCAL_H

#include <sys/queue.h>

#include "pfkey/pfkey.h"

#define KERN_NREQ	4096		/* a power of two: seq & (KERN_NREQ - 1) */
#define KERN_TIMEOUT_MS	5000
#define KERN_BUFSIZE	65536		/* one datagram of a kernel */
#define KERN_BATCH	128		/* datagrams a call of kern_input() */
#define KERN_WHATLEN	160		/* the kernel's words */

enum kern_reqkind {
	REQ_FREE = 0, REQ_DONE, REQ_SA, REQ_SA_DUMP, REQ_POLICY_DUMP
};

/* One request.  Its index is in seq, so that an answer finds it at once. */
struct kern_req {
	TAILQ_ENTRY(kern_req)	 entry;	/* by deadline; free list; dump queue */
	uint32_t		 seq;
	enum kern_reqkind	 kind;
	uint8_t			 waiting;	/* dump that is not sent yet */
	uint8_t			 type;		/* the back end's */
	monotime		 deadline;
	union {
		kern_done	*done;
		kern_sa_done	*sa;
		kern_policy_done *policy;
	}			 cb;
	void			*arg;
};
TAILQ_HEAD(kern_reqs, kern_req);

/* All senders: 0, or -1 and errno. */
struct kern_ops {
	void	(*close)(struct kern *);
	int	(*fd)(const struct kern *, size_t);
	void	(*input)(struct kern *);
	int	(*probe)(struct kern *, struct kern_caps *);
	int	(*sa_put)(struct kern *, struct kern_req *,
		    const struct kern_sa *, int update);
	int	(*sa_delete)(struct kern *, struct kern_req *, uint32_t spi,
		    uint8_t proto, const struct addr *, const struct addr *);
	int	(*sa_get)(struct kern *, struct kern_req *, uint32_t spi,
		    uint8_t proto, const struct addr *, const struct addr *);
	int	(*sa_dump)(struct kern *, struct kern_req *);
	int	(*policy_put)(struct kern *, struct kern_req *,
		    const struct kern_policy *);
	int	(*policy_delete)(struct kern *, struct kern_req *,
		    const struct kern_policy *);
	int	(*policy_dump)(struct kern *, struct kern_req *);
	int	(*acquire_failed)(struct kern *, uint32_t seq);
	uint32_t (*pid)(const struct kern *);
};

struct kern {
	const struct kern_ops	*ops;
	void			*be;		/* the back end's state */
	struct kern_cb		 cb;
	const struct logger	*log;
	monotime		 now;		/* of the call we are in */
	struct kern_req		*req;		/* KERN_NREQ of them */
	struct kern_reqs	 pending;	/* sent, by deadline */
	struct kern_reqs	 dumps;		/* one dump at a time: the others */
	struct kern_reqs	 unused;
	struct kern_req		*dumping;
	int			 look, keys;	/* kern_look() */
};

/* One who only listens (monitor_sock.c). */
struct kern_monitor {
	int		 fd, how;	/* KERN_HEAR_* */
	/* one datagram; -1: some were lost, 0: nothing there, 1 */
	int		(*fill)(struct kern_monitor *);
	/* the next message of it: 1, or 0 when there is none */
	int		(*next)(struct kern_monitor *, struct kern_note *);
	size_t		 at, len;
	_Alignas(8) uint8_t buf[KERN_BUFSIZE];
};
int	kern_backend_listen(struct kern_monitor *, enum kern_backend, const char **err);

/* kern.c, for back ends */
struct kern_req	*kern_req_find(struct kern *, uint32_t seq);	/* NULL: none */
/* A dump goes on: its deadline starts again. */
void		 kern_req_touch(struct kern *, struct kern_req *);
/* Gives the end (err 0 or an errno) to the caller; the request is gone. */
void		 kern_req_end(struct kern *, struct kern_req *, int err,
		    const char *what);
/* One SA or policy.  The answer of a query ends the request. */
void		 kern_req_sa(struct kern *, struct kern_req *,
		    const struct kern_sa *);
void		 kern_req_policy(struct kern *, struct kern_req *,
		    const struct kern_policy *);
void		 kern_event(struct kern *, const struct kern_event *);
void		 kern_lost(struct kern *);

/* kern_alg.c */
/* EINVAL (-1, errno) for keys that do not fit their transforms, endpoints of two
 * families, SPIs below 256 or a protocol other than ESP. */
int	kern_sa_check(const struct kern_sa *);
int	kern_policy_check(const struct kern_policy *);
/* The selector of an ICMP packet: type and code as RFC 7296 3.13.1 puts them. */
void	kern_ts_host(struct ts *, const struct addr *, uint8_t plen, uint8_t proto,
	    uint16_t port, int exact);

/* One file an OS: which back ends there are.  -1, errno and *err one line. */
int	kern_backend_open(struct kern *, enum kern_backend, const char **err);
int	kern_pfkey_open(struct kern *, const char **err);
int	kern_pfkey_listen(struct kern_monitor *, const char **err);
#ifdef __linux__
int	kern_xfrm_open(struct kern *, const char **err);
int	kern_xfrm_listen(struct kern_monitor *, const char **err);
#endif

#endif
