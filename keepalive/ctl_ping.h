/* SPDX-License-Identifier: ISC */
/*
 * ping and trace of the control socket.  Probes of a client have a slot at the upper end,
 * where no target's is, so that their replies are never taken for a target's.
 */
#ifndef KEEPALIVE_CTL_PING_H
#define KEEPALIVE_CTL_PING_H

#include <ev.h>

#include "keepalive/ctl.h"
#include "keepalive/icmp_error.h"

#define PING_COUNT	5	/* what is not said */
#define PING_COUNTMAX	100000
#define PING_WAIT_MS	1000
#define PING_WAITMIN	10
#define PING_WAITMAX	60000
#define PING_TIMEOUT_MS	2000
#define PING_OUT	256	/* probes under way: PING_TIMEOUT_MS / PING_WAITMIN, and more */
#define TRACE_HOPS	30
#define TRACE_TRIES	2	/* at each distance */
#define TRACE_WAIT_MS	1000
#define TRACE_SILENT	4	/* so many hops without a word: no use in going on */

_Static_assert(PING_OUT > PING_TIMEOUT_MS / PING_WAITMIN + 1,
    "PING_OUT is too small");

#endif
