/* SPDX-License-Identifier: ISC */
/*
 * All raw sockets of the probe process: probes wait here until a batch of them goes out
 * in one call, and replies are taken in batches.
 */
#ifndef KEEPALIVE_ICMP_IO_H
#define KEEPALIVE_ICMP_IO_H

#include <ev.h>

#include "keepalive/icmp_error.h"
#include "keepalive/icmp_sock.h"

#define ICMP_SOCKS	32	/* families times routings */

struct icmp_io_ops {
	/* What became of a probe: 0, or an errno.  Called by icmp_io_flush, or later. */
	void	(*sent)(void *arg, const struct probe *, int error);
	void	(*reply)(void *arg, const struct addr *from,
		    const struct probe *, monotime at);
	/* Somebody on the way says what became of it; mostly of one of ours. */
	void	(*error)(void *arg, const struct addr *from,
		    const struct icmp_error *, monotime at);
	void	(*settle)(void *arg);	/* after some of these */
};

struct icmp_io;
struct icmp_io	*icmp_io_new(struct ev_loop *, const struct icmp_io_ops *, void *arg);
void		 icmp_io_free(struct icmp_io *);
/* A socket that icmp_sock_open made with this key.  0 and it is ours, or -1. */
int		 icmp_io_add(struct icmp_io *, const struct icmp_sockkey *, int fd);
/* EINPROGRESS: it goes out with the next flush.  EAGAIN: too many wait already.
 * EAFNOSUPPORT: there is no socket for it. */
int		 icmp_io_probe(struct icmp_io *, const struct addr *src,
		    const struct addr *dst, const struct probe *);
/* icmp_quotes, with the key and the identifier of what is sent here. */
int		 icmp_io_quotes(const struct icmp_io *, const struct icmp_error *,
		    const struct addr *dst, const struct probe *);
void		 icmp_io_flush(struct icmp_io *);
/* Takes what has come, whether the loop has seen it or not. */
void		 icmp_io_drain(struct icmp_io *);

#endif
