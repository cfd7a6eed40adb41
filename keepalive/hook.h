/* SPDX-License-Identifier: ISC */
/*
 * Programs that are run when a tunnel comes up, goes down or was tested: netwatchd(8),
 * HOOKS.  In the root parent, on the default event loop, and without a shell.
 *
 * Who says that something has happened is the probe process, which a packet may have taken
 * over.  So it can do no more than name a watched tunnel and one of three events: the path
 * is the configuration's, the values are of bounded length and printable, and what is
 * run is bounded: one program a tunnel, HOOK_RUNS in all, each for HOOK_TERM_S seconds,
 * and no two of one place within HOOK_LEAST_MS.
 */
#ifndef KEEPALIVE_HOOK_H
#define KEEPALIVE_HOOK_H

#include "base/log.h"
#include "keepalive/hook_event.h"

#include <ev.h>
#include <stddef.h>

#define HOOK_RUNS	8
#define HOOK_TERM_S	10.0	/* then TERM */
#define HOOK_KILL_S	2.0	/* and then KILL */
#define HOOK_LEAST_MS	250

const char *hook_kind_name(unsigned int kind);	/* "up", "down", "test"; NULL */

/* What one tunnel has; NULL: none. */
struct hook_conf {
	const char	*name;
	const char	*path[HOOK_KINDS];
};

struct hooks;
/* term_s: HOOK_TERM_S, but for tests. */
struct hooks	*hooks_new(struct ev_loop *, const struct logger *, double term_s);
/* Ends what runs. */
void		 hooks_free(struct hooks *);
/* Another configuration, copied.  What runs goes on; a warning for each path that cannot be
 * run now.  0, or -1: no memory, then the old one stays. */
int		 hooks_configure(struct hooks *, const struct hook_conf *, size_t);
/* 0; -1: not a thing that can have happened, whoever says so is not to be trusted.  An event
 * for which there is no program is none. */
int		 hooks_event(struct hooks *, const struct hook_event *);

/* hook_exec.c */
#define HOOK_WHY	256
/*
 * May root run this?  Itself and everything above it must be root's (or ours) and for nobody
 * else to write, but for sticky directories; symbolic links are followed.
 * real: where it is, to be freed; NULL and why: it may not.
 */
char		*hook_check(const char *path, char why[HOOK_WHY]);
/* After fork: never returns. */
void		 hook_exec(const char *real, const char *path,
		    const struct hook_event *) __attribute__((__noreturn__));

#endif
