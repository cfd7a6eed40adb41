/* SPDX-License-Identifier: ISC */
/*
 * Channels between processes: SOCK_SEQPACKET pairs, typed messages, as many a packet as
 * one turn of the loop makes and as fit (a descriptor travels with a message that is
 * alone), written and read with base/buf.h only.  Never a raw struct, never a pointer.
 *
 * No send blocks: what the socket does not take now waits in a bounded queue.
 * A message that is truncated, or that its receiver calls malformed, closes the
 * channel: that is fatal to its sender.
 */
#ifndef PROC_CHANNEL_H
#define PROC_CHANNEL_H

#include <ev.h>

#include "base/buf.h"
#include "base/log.h"

#define CHAN_MSGMAX	16384		/* octets of a message, type included */

/* A message being written: u16 type, then the fields. Wiped by chan_put(). */
struct msg {
	struct wbuf	w;
	int		fd;		/* passed along, closed when sent; -1 none */
	uint8_t		b[CHAN_MSGMAX];
};
void	msg_start(struct msg *, uint16_t type);

struct chan;
struct chan_ops {
	/* fd: -1, or a descriptor that came along and is now the receiver's.  The
	 * octets are wiped afterwards.  0; -1: malformed, the channel closes.
	 * The handler must not free the channel. */
	int	(*message)(void *arg, struct chan *, uint16_t type, struct rbuf *,
		    int fd);
	/* End of file (why NULL), or why it was closed.  Already closed; the
	 * receiver may free it. */
	void	(*closed)(void *arg, struct chan *, const char *why);
	/* The queue has fallen below CHAN_LOW messages again; may be NULL. */
	void	(*drained)(void *arg, struct chan *);
};
#define CHAN_LOW	32

/* Takes fd over (made nonblocking, close on exec).  maxqueue: octets that may wait, and
 * one packet more. NULL and errno (fd is then closed). */
struct chan	*chan_new(struct ev_loop *, int fd, size_t maxqueue,
		    const struct chan_ops *, void *arg);
void		 chan_free(struct chan *);	/* wipes what waits; NULL is fine */
void		 chan_pause(struct chan *, int paused);	/* stop and resume reading */
/* Takes the message: it leaves when the loop is about to wait, or before.  0; -1 with
 * errno: EMSGSIZE (did not fit), ENOBUFS (queue full), EPIPE (closed).  The message
 * and its descriptor are gone in any case. */
int		 chan_put(struct chan *, struct msg *);
size_t		 chan_waiting(const struct chan *);	/* messages the socket did not take */
int		 chan_isopen(const struct chan *);
/* Writes all out, waiting at most ms; for a process that is about to exit, and before
 * what the other side reads with chan_recv() ends. */
void		 chan_flush(struct chan *, int ms);

/* A pair with close-on-exec and buffers set; 0 or -1. */
int	chan_pair(int sv[2]);
/* Waits for one message on a blocking descriptor, before there is a loop.
 * Octets in buf (CHAN_MSGMAX).  0, or -1 with errno: EPROTO (truncated), EPIPE (end). */
int	chan_recv(int fd, uint8_t *buf, uint16_t *type, struct rbuf *, int *passed);
/* The counterpart, for tests and for the start. */
int	chan_send(int fd, struct msg *);

#endif
