/* SPDX-License-Identifier: ISC */
/*
 * Addresses and routes of this machine change, and ike is told: not of each change, of
 * which there can be many thousands, but of how things are a moment after the first.
 */

#include <sys/types.h>

#include <errno.h>
#include <string.h>

#include "proc/kernel.h"
#include "proc/netif.h"

#define GATHER	0.1		/* s */

_Static_assert(NETIF_MAX == MSG_ADDRS, "a list is a message");

static void
tell(void)
{
	struct addrs l;
	struct msg m;
	int n;

	memset(&l, 0, sizeof(l));
	if ((n = netif_addrs(kn.netif, l.a)) <= 0)
		return;
	l.n = (uint8_t)n;
	msg_put_addrs(&m, &l);
	/* the channel is full: later, and then it is the newest */
	if (chan_put(kn.ike, &m) == -1 && chan_isopen(kn.ike) && !kn.ike_gone) {
		ev_io_stop(kn.ch->loop, &kn.netio);
		ev_timer_set(&kn.netwait, 1., 0.);
		ev_timer_start(kn.ch->loop, &kn.netwait);
	}
}

static void
gathered(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_io_start(loop, &kn.netio);
	/* first what has been said, then how it is: what comes between is said again */
	(void)netif_input(kn.netif);
	tell();
}

static void
readable(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)revents;
	ev_io_stop(loop, io);
	ev_timer_set(&kn.netwait, GATHER, 0.);
	ev_timer_start(loop, &kn.netwait);
}

int
kernel_net_open(void)
{
	ev_init(&kn.netwait, gathered);
	kn.netif = netif_open();
	return (kn.netif == NULL ? -1 : 0);
}

void
kernel_net_start(void)
{
	if (kn.netif == NULL)
		return;
	ev_io_init(&kn.netio, readable, netif_fd(kn.netif), EV_READ);
	ev_io_start(kn.ch->loop, &kn.netio);
	tell();
}

int
kernel_source(const struct addr *dst, struct addr *src)
{
	memset(src, 0, sizeof(*src));
	if (kn.netif == NULL || addr_is_any(dst))
		return (EOPNOTSUPP);
	return (netif_source(kn.netif, dst, src));
}
