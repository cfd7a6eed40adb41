/* SPDX-License-Identifier: ISC */
/* netwatchd's root parent. */
#ifndef KEEPALIVE_PARENT_H
#define KEEPALIVE_PARENT_H

#include "keepalive/hook.h"
#include "keepalive/probe.h"
#include "keepalive/watch.h"

/* What of the configuration is watched.  Immutable. */
struct nw_conf {
	struct watch_conf	*targets;
	size_t			 n;
	int			 idle;	/* no tunnel, nothing to watch */
};
/* Reads and checks iked.conf, without its secrets.  Mistakes are logged (or, while
 * front, written to standard error) as file:line:col: text.  NULL when refused. */
struct nw_conf	*nwconf_load(const char *path);
void		 nwconf_free(struct nw_conf *);
/* The hooks in it: *list, to be freed, refers to it.  Their number, or -1: no memory. */
ssize_t		 nwconf_hooks(const struct nw_conf *, struct hook_conf **list);

struct nw_parent {
	struct nw_opts	 opts;
	const char	*conf;		/* path */
	const char	*socket;	/* iked's */
	int		 control;	/* our own, listening */
	const char	*backup;	/* while this file is there, another node is the master */
	int		 exe;		/* this very program, for the child */
};
/* Runs until SIGTERM; the exit status. */
int	parent_main(const struct nw_parent *, struct nw_conf *);

#endif
