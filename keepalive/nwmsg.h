/* SPDX-License-Identifier: ISC */
/* What netwatchd's two processes say to each other. */
#ifndef KEEPALIVE_NWMSG_H
#define KEEPALIVE_NWMSG_H

#include "keepalive/watch.h"
#include "proc/channel.h"

enum nwmsg {
	/* parent to probe */
	NW_ICMP = 1,	/* u8 family; with the raw socket */
	NW_LINK,	/* with a connection to iked that has said `role keepalive' */
	NW_VERBOSE,	/* u8 */
	NW_CONF_BEGIN,	/* long things: begin, items, end */
	NW_CONF_TARGET,	/* a watch_conf */
	NW_CONF_END,
	NW_ADDRS_BEGIN,
	NW_ADDRS,	/* u16 n, n addresses */
	NW_ADDRS_END,
	/* probe to parent */
	NW_READY,	/* sandboxed and waiting for the above */
	NW_LOG,		/* u8 level, string */
	NW_LOST		/* the connection to iked is gone */
};

#define NWMSG_ADDRS	500	/* in one message */

void	nwmsg_put_target(struct wbuf *, const struct watch_conf *);
/* 0, or -1: malformed.  Checked for form only. */
int	nwmsg_get_target(struct rbuf *, struct watch_conf *);

#endif
