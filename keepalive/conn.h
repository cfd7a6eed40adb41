/* SPDX-License-Identifier: ISC */
/*
 * Probes that are sockets: TCP, UDP, DNS and HTTP, each bound to its source.  A fixed
 * table of them; who comes when it is full comes again later.
 */
#ifndef KEEPALIVE_CONN_H
#define KEEPALIVE_CONN_H

#include <ev.h>

#include "base/mono.h"
#include "conf/conf_keepalive.h"
#include "keepalive/icmp.h"

#define CONN_MAX	256	/* at once */

struct conn_ops {
	void	(*reply)(void *arg, const struct addr *from, const struct probe *,
		    monotime at);
	/* It will not be answered any more; text says what came instead, NULL: nothing. */
	void	(*failed)(void *arg, const struct probe *, const char *text,
		    monotime at);
	void	(*settle)(void *arg);	/* after one of these */
};

struct conn_table;
struct conn_table *conn_new(struct ev_loop *, const struct conn_ops *, void *arg);
void	conn_free(struct conn_table *);
/*
 * Sends a probe of ka's kind from src (ADDR_NONE: by route) to dst; one of ops follows,
 * never before this has returned.  0; EAGAIN: the table is full; another errno: nothing has
 * been sent.
 */
int	conn_probe(struct conn_table *, struct conf_keepalive *ka,
	    const struct addr *src, const struct addr *dst, const struct probe *);
unsigned int conn_count(const struct conn_table *);	/* in use */

#endif
