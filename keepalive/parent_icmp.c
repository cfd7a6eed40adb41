/* SPDX-License-Identifier: ISC */
/* The raw sockets that netwatchd's parent opens for the probe process. */

#include <errno.h>
#include <string.h>

#include "keepalive/how.h"
#include "keepalive/nwmsg.h"
#include "keepalive/parent_icmp.h"
#include "proc/plog.h"

static void
say_why(const struct icmp_sockkey *k)
{
	char how[32];

	if (errno == EOPNOTSUPP)
		log_warnx(plog(), "probes by %s are not sent: this system has "
		    "none (fib is FreeBSD's, mark and vrf are Linux's)",
		    icmp_route_str(&k->route, how));
	else if (k->route.kind != ICMP_NOROUTE)
		log_warn(plog(), "probes by %s are not sent: no raw ICMP socket",
		    icmp_route_str(&k->route, how));
	else if (k->fam == ADDR_V4)	/* a machine without IPv6 is no news */
		log_warn(plog(), "cannot open a raw ICMP socket");
}

static void
need(struct parent_icmp *pi, const struct icmp_sockkey *k, struct chan *c)
{
	struct msg m;
	unsigned int i;
	int fd;

	for (i = 0; i < pi->n; i++)
		if (icmp_sockkey_equal(&pi->have[i], k))
			return;
	if (pi->n == ICMP_SOCKS) {
		if (!pi->said_full)
			log_warnx(plog(), "more than %d sockets for different "
			    "fib, mark, vrf and nodf are needed; the probes of "
			    "some are not sent", ICMP_SOCKS);
		pi->said_full = 1;
		return;
	}
	pi->failed[pi->n] = 0;
	pi->have[pi->n++] = *k;		/* even if it fails: it would for all others */
	if ((fd = icmp_sock_open(k)) == -1) {
		pi->failed[pi->n - 1] = 1;
		say_why(k);
		return;
	}
	msg_start(&m, NW_ICMP);
	nwmsg_put_sockkey(&m.w, k);
	m.fd = fd;
	if (chan_put(c, &m) == -1)
		log_warn(plog(), "the probe process does not listen");
}

/* A VRF may have been made meanwhile. */
static void
forget_failed(struct parent_icmp *pi)
{
	unsigned int i, n = 0;

	for (i = 0; i < pi->n; i++)
		if (!pi->failed[i]) {
			pi->failed[n] = 0;
			pi->have[n++] = pi->have[i];
		}
	pi->n = n;
}

void
parent_icmp(struct parent_icmp *pi, const struct nw_conf *conf, struct chan *c)
{
	struct icmp_sockkey k;
	size_t i;

	forget_failed(pi);
	memset(&k, 0, sizeof(k));
	k.fam = ADDR_V4;
	need(pi, &k, c);
	k.fam = ADDR_V6;
	need(pi, &k, c);
	for (i = 0; i < conf->n; i++)
		if (how_sockkey(conf->targets[i].ka,
		    (enum addr_family)conf->targets[i].target.fam, &k))
			need(pi, &k, c);
}
