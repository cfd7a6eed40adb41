/* SPDX-License-Identifier: ISC */
/* What netwatchd is asked and told, through its own socket (netwatchd.control(5)). */
#ifndef IPSECCTL_KEEPALIVE_H
#define IPSECCTL_KEEPALIVE_H

#include <jansson.h>

#include <stdio.h>

#include "proc/client.h"

/* Exit statuses, besides 0 and 1 */
#define EXIT_USAGE	2
#define EXIT_ABSENT	3	/* the daemon is not running */
#define EXIT_SILENT	4	/* ping, trace: the target did not answer */
#define CONNECT_MS	3000

struct ka_opts {
	const char	*sock;	/* iked's; netwatchd's is beside it */
	int		 json;
	const char	*form;	/* -o; NULL: none */
	int		 verbose;
	/* of ping; wait of watch, too; NULL: not said */
	const char	*count, *wait, *size;
	const char	*frames;	/* of watch; NULL: no end */
};

/*
 * `show keepalive' is answered by netwatchd, with all it knows; where it cannot be asked,
 * by iked, with what netwatchd last reported to it.  The exit status; -1: wrong usage.
 */
int	keepalive_show(const struct ka_opts *, const char *name);
/* events, probe, ping, trace, watch, keepalive backup.  The exit status; -1: wrong usage. */
int	keepalive_main(const struct ka_opts *, int n, char *const *args);
/* The level of netwatchd's log, as iked's: `log LEVEL'.  If it runs; 0, or 1 and it is said. */
int	keepalive_log(const struct ka_opts *, const char *line);
/* That word begins such a command. */
int	keepalive_word(const char *);

/* keepalive_ping.c; the same */
int	keepalive_ping(const struct ka_opts *, const char *name);
int	keepalive_trace(const struct ka_opts *, const char *name);
/* "0.2" seconds as milliseconds; -1: no such time. */
long	keepalive_ms(const char *);

/* keepalive_watch.c; name NULL: all.  The exit status. */
int	keepalive_watch(const struct ka_opts *, const char *name);

/* keepalive_history.c: each object of the array gets its minutes, history_sent and
 * history_lost.  0, or -1 and a line in err. */
int	keepalive_history(struct client *, json_t *array, const char *name,
	    char err[CLIENT_ERRLEN]);
void	keepalive_print(FILE *, const json_t *array);	/* all of it */

/* For the files of this program that talk to netwatchd. */
struct client	*keepalive_open(const struct ka_opts *, enum client_why *,
		    char err[CLIENT_ERRLEN]);
/* The same; says why not, and exits. */
struct client	*keepalive_need(const struct ka_opts *);

#endif
