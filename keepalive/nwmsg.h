/* SPDX-License-Identifier: ISC */
/* What netwatchd's two processes say to each other. */
#ifndef KEEPALIVE_NWMSG_H
#define KEEPALIVE_NWMSG_H

#include "keepalive/hook_event.h"
#include "keepalive/icmp_sock.h"
#include "keepalive/watch.h"
#include "proc/channel.h"

enum nwmsg {
	/* parent to probe */
	NW_ICMP = 1,	/* an icmp_sockkey; with that socket */
	NW_LINK,	/* with a connection to iked that has said `role keepalive' */
	NW_CONTROL,	/* with the listening control socket */
	NW_VERBOSE,	/* u8: it is to say all */
	NW_BACKUP,	/* u8: another node is the master */
	NW_CONF_BEGIN,	/* long things: begin, items, end */
	NW_CONF_TARGET,	/* a watch_conf */
	NW_CONF_END,
	NW_ADDRS_BEGIN,
	NW_ADDRS,	/* u16 n, n addresses */
	NW_ADDRS_END,
	NW_TOTALS,	/* asks for them, and is the answer: a watch_totals */
	/* probe to parent */
	NW_READY,	/* sandboxed and waiting for the above */
	NW_LOG,		/* u8 level, string */
	NW_HOOK,	/* a hook_event */
	NW_LEVEL,	/* u8: a client's enum log_level, which NW_VERBOSE answers */
	NW_LOST,	/* the connection to iked is gone */
	NW_BACKUP_SET,	/* u8: a client says whether another node is the master */
	/* parent to probe, when it is done; behind NW_BACKUP, if that changed */
	NW_BACKUP_DONE	/* u8 of the former, string: what went wrong; "" */
};

#define NWMSG_ADDRS	500	/* in one message */

void	nwmsg_put_target(struct wbuf *, const struct watch_conf *);
/* *wc holds a reference afterwards; options that are equal to one of s are shared with it.
 * 0, or -1: malformed, or options that no statement can have. */
int	nwmsg_get_target(struct rbuf *, struct watch_conf *, struct conf_kashare *s);
void	nwmsg_put_sockkey(struct wbuf *, const struct icmp_sockkey *);
int	nwmsg_get_sockkey(struct rbuf *, struct icmp_sockkey *);
void	nwmsg_put_totals(struct wbuf *, const struct watch_totals *);
int	nwmsg_get_totals(struct rbuf *, struct watch_totals *);
void	nwmsg_put_hook(struct wbuf *, const struct hook_event *);
/* For form only: what it may say is hooks_event's to judge. */
int	nwmsg_get_hook(struct rbuf *, struct hook_event *);

#endif
