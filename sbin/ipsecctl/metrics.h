/* SPDX-License-Identifier: ISC */
/* OpenMetrics 1.0 of what iked tells (`show -o metrics'), and a small server of it. */
#ifndef IPSECCTL_METRICS_H
#define IPSECCTL_METRICS_H

#include <jansson.h>

#include <stdio.h>

#include "proc/client.h"

/* Pure: arrays as iked.control(5) has them. */
void	metrics_print(FILE *, const json_t *tunnels, const json_t *sas, const json_t *stats);
/* Asks and prints.  0, or -1 with a line in err, and then nothing was printed. */
int	metrics(struct client *, FILE *, char err[CLIENT_ERRLEN]);

/*
 * Serves GET /metrics at "address:port", of a loopback address, or on a Unix socket at a
 * path, until it is killed.  The exit status; -1: wrong usage.
 */
int	exporter(const char *iked, const char *where);

#endif
