/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's control socket (netwatchd.control(5)), in the probe process.  The
 * parent makes the socket and hands it over listening.
 */
#ifndef KEEPALIVE_CTL_H
#define KEEPALIVE_CTL_H

#include <ev.h>

#include "keepalive/icmp_error.h"
#include "keepalive/watch.h"

#define CTL_CLIENTS	16	/* at a time; each needs a descriptor */

struct ctl_io {
	void		*arg;
	monotime	(*now)(void *arg);
	/* Something was changed in the watch: look at its deadline again. */
	void		(*wake)(void *arg);
	/* As icmp_io_probe: what becomes of it is told by ctl_sent. */
	int		(*send)(void *arg, const struct addr *src,
			    const struct addr *dst, const struct probe *);
	int		(*quotes)(void *arg, const struct icmp_error *,
			    const struct addr *dst, const struct probe *);
	/* Another node is the master (1), or this one is: whoever keeps that is told, and
	 * answers by ctl_backup.  0, or -1: it could not be told. */
	int		(*backup)(void *arg, int);
	/* How much is logged from now on.  0, or -1. */
	int		(*level)(void *arg, enum log_level);
};

struct ctl;
/* All of these stay the caller's.  NULL: no memory. */
struct ctl	*ctl_new(struct ev_loop *, struct watch *, const struct ctl_io *,
		    const struct logger *);
/* Takes fd over; once. */
void		 ctl_listen(struct ctl *, int fd);
void		 ctl_event(struct ctl *, const struct watch_event *);
/* That was noted, or what went wrong. */
void		 ctl_backup(struct ctl *, int on, const char *error);
/* Probes of clients have slots that no target has: 1 for such a one. */
int		 ctl_owns(const struct probe *);
void		 ctl_sent(struct ctl *, const struct probe *, int error);
void		 ctl_reply(struct ctl *, const struct addr *from,
		    const struct probe *, monotime at);
/* 1: it was about one of theirs. */
int		 ctl_error(struct ctl *, const struct addr *from,
		    const struct icmp_error *, monotime at);
void		 ctl_free(struct ctl *);	/* and every client's connection */

#endif
