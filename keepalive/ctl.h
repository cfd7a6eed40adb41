/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's control socket (netwatchd.control(5)), in the probe process.  The
 * parent makes the socket and hands it over listening.
 */
#ifndef KEEPALIVE_CTL_H
#define KEEPALIVE_CTL_H

#include <ev.h>

#include "keepalive/watch.h"

#define CTL_CLIENTS	16	/* at a time; each needs a descriptor */

struct ctl_io {
	void		*arg;
	monotime	(*now)(void *arg);
	/* Something was changed in the watch: look at its deadline again. */
	void		(*wake)(void *arg);
};

struct ctl;
/* All of these stay the caller's.  NULL: no memory. */
struct ctl	*ctl_new(struct ev_loop *, struct watch *, const struct ctl_io *,
		    const struct logger *);
/* Takes fd over; once. */
void		 ctl_listen(struct ctl *, int fd);
void		 ctl_event(struct ctl *, const struct watch_event *);
void		 ctl_free(struct ctl *);	/* and every client's connection */

#endif
