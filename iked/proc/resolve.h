/* SPDX-License-Identifier: ISC */
/*
 * Lookups by threads: getaddrinfo(3) is the one thing that knows all that a machine does
 * for a name (hosts, DNS, mDNS, a cache), and it blocks for as long as it likes.
 */
#ifndef PROC_RESOLVE_H
#define PROC_RESOLVE_H

#include <sys/queue.h>

#include "proc/msg.h"

#define RESOLVE_THREADS	64	/* so many dead name servers at a time */

struct lookup {
	STAILQ_ENTRY(lookup)	entry;
	char			name[CONF_HOSTLEN];
	struct name_ans		ans;		/* serial and index are the caller's */
};

/* done: called by a thread when resolve_take() has one.  0 or -1: no thread at all. */
int		 resolve_start(void (*done)(void *), void *arg);
void		 resolve_put(struct lookup *);	/* it comes back by resolve_take() */
struct lookup	*resolve_take(void);		/* NULL: none is done */
/* Here and now. */
void		 resolve_now(const char *name, struct name_ans *);

#endif
