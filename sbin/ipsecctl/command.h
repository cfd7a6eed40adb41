/* SPDX-License-Identifier: ISC */
/* Commands that change something, and how they end. */
#ifndef IPSECCTL_COMMAND_H
#define IPSECCTL_COMMAND_H

#include "proc/client.h"

/* Exit statuses, besides those of keepalive.h */
#define EXIT_UNKNOWN	5	/* there is no such tunnel */
#define EXIT_DOWN	6	/* it is not up */
#define EXIT_DENIED	7	/* this user may not */

/* Of what client_open said. */
int	exit_open(enum client_why);
/* Of the last refusal. */
int	exit_refused(const struct client *);

/* The command's line, of the caller; NULL: it is none of ours.  dry: of `reload -n'. */
char	*command_line(int n, char *const *args, int dry);
/* Sends it and prints what is wrong with a configuration, or, in a table or as JSON, what
 * a reload would do.  The exit status. */
int	command_run(struct client *, const char *line, int json);
/* `up' or `down': until that is so, at most secs.  The exit status. */
int	command_wait(struct client *, const char *tunnel, int up, int secs);
/* `reset' of all peers. */
int	command_reset_all(struct client *);

#endif
