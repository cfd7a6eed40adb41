/* SPDX-License-Identifier: ISC */
/* Private to the ike process: ike.c (the engine's binding), ike_net.c, ike_show.c. */
#ifndef PROC_IKE_H
#define PROC_IKE_H

#include "engine/engine.h"
#include "proc/child.h"
#include "proc/icmp.h"

/* Sockets (ike_net.c). */
struct ikenet;
/* One datagram: natt says that it came behind a non-ESP marker. */
typedef void ikenet_rx(const struct endpoint *local, const struct endpoint *remote,
	    int natt, const uint8_t *, size_t);
struct ikenet	*ikenet_new(struct ev_loop *, const struct logger *,
		    uint16_t port, uint16_t natt_port, ikenet_rx *);
/* Takes fd over; not read before ikenet_start(). 0 or -1 */
int		 ikenet_add(struct ikenet *, enum addr_family, int natt, int fd);
void		 ikenet_start(struct ikenet *);
/* 0, or the errno it cannot be sent for; most of that passes. */
int		 ikenet_send(struct ikenet *, const struct endpoint *local,
		    const struct endpoint *remote, int marker, const uint8_t *,
		    size_t);

/* What ICMP has said of what was sent to that address. */
void		 ikenet_icmp(const struct ikenet *, const struct addr *remote,
		    struct icmp_heard *);
void		 ike_icmp(const struct addr *remote, struct icmp_heard *);

/* Control's questions (ike_show.c), with the ways on.  0; -1 malformed. */
int	ike_control_message(struct engine *, struct chan *, struct chan *parent,
	    struct chan *kernel, uint16_t type, struct rbuf *);

/* Events are wanted, or not (ike.c). */
void	ike_monitor(int on);
/* What this process has counted besides the engine. */
void	ike_counts(struct show_stats *);

#endif
