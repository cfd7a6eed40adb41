/* SPDX-License-Identifier: ISC */
/* An IKE SA with its Children on the way from one engine to another. */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "engine/engine_local.h"

#define TRANSFER_VERSION	1
#define TRANSFER_CHILDREN	256	/* of one IKE SA */

/* Of the Child only what a record holds; sa: outbound later, kept in, kept out. */
struct moved_child {
	struct child_sa	 c;
	char		 tunnel[CONF_NAMELEN];
	struct tslist	 l, r;
	uint8_t		 has[3];
	struct kern_sa	 sa[3];
	uint32_t	 replaces, mine, theirs;	/* SPIs of ours; 0: none, or gone */
	uint64_t	 gone;		/* of replaces: the same number for siblings */
	uint8_t		 drop;		/* half made: the peer will ask for it again */
	uint8_t		 wake, single, up;		/* of the tunnel */
	monotime	 wanted_until;
};

/* Of the IKE SA only what a record holds; spans lead into the record or the SA. */
struct moved {
	struct ike_sa	 i;
	char		 anchor[CONF_NAMELEN];	/* a tunnel of the peer */
	char		 task_tunnel[CONF_NAMELEN];
	char		 lease_tunnel[CONF_NAMELEN];	/* whose pool the addresses are of */
	uint64_t	 heir, ancestor;	/* our SPIs of other IKE SAs; 0: none */
	uint32_t	 task_spi;
	uint8_t		 has_rid, has_req, has_resp, has_nego;
	struct ident	 rid;
	struct span	 req, resp;
	struct nego	 nego;
	uint16_t	 nchildren;
	struct moved_child *child;
};

/* One description of the fields for both ways: with w they are written, with r read
 * and checked for their form.  Times are relative in a record. */
struct codec {
	struct rbuf	*r;
	struct wbuf	*w;
	monotime	 now;
};
void	transfer_head(struct codec *, struct moved *);
void	transfer_child(struct codec *, struct moved_child *);

#endif
