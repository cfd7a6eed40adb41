/* SPDX-License-Identifier: ISC */
/*
 * What all children of iked share: the start (descriptors, then root given up, then
 * the sandbox closed, then ready), the log, and obedience to the parent's channel.
 */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include <ev.h>

#include "base/mono.h"
#include "proc/msg.h"

#define CHILD_FD	3		/* the channel to the parent, after exec */
#define CHILD_QUEUE	(8U << 20)	/* octets that may wait on a channel */

struct child {
	const struct role_ops	*ops;
	struct setup		 setup;
	struct ev_loop		*loop;
	struct chan		*parent;
	struct logger		 log;
	enum log_level		 level;		/* what the parent lets through */
	int			 link[ROLE_MAX];	/* -1, or a sibling's channel */
	int			 listenfd[2];		/* control: all, read-only */
	int			 statefd;		/* kernel: what is placed; -1 */
	ev_timer		 orphan;
	int			 parentfd;		/* until there is a chan */
	int			 stopping;
};

struct role_ops {
	unsigned	maxfiles;
	/* As root, before the sandbox: everything that opens, loads or probes. */
	int	(*prepare)(struct child *);
	/* In the sandbox: channels to the siblings. */
	int	(*start)(struct child *);
	/* Messages of the parent that are not common to all.  0; -1 malformed. */
	int	(*message)(struct child *, uint16_t type, struct rbuf *, int fd);
	/* The parent orders the end; the role exits with child_exit() when done. */
	void	(*shutdown)(struct child *, int remove);
	/* As its user, before the sandbox; may be NULL. */
	int	(*last)(struct child *);
};

extern const struct role_ops ike_role, keys_role, kernel_role, control_role,
    names_role;

/* Never returns. */
void	child_main(const char *role) __attribute__((__noreturn__));
void	child_exit(struct child *, int status) __attribute__((__noreturn__));
/* The clock of every process. */
monotime mono_now(void);
/*
 * A sibling's channel has closed: it died, and the parent is about to restart us all,
 * or it closed because of what we wrote, and then our end is ours to make: if the
 * parent does not act within a second, we exit.
 */
void	child_link_lost(struct child *, enum role, const char *why);

#endif
