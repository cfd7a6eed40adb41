/* SPDX-License-Identifier: ISC */
/* What netwatchd is asked and told, through its own socket (netwatchd.control(5)). */
#ifndef IPSECCTL_KEEPALIVE_H
#define IPSECCTL_KEEPALIVE_H

#include <jansson.h>

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
	const char	*count, *wait, *size;	/* of ping; NULL: not said */
};

/*
 * `show keepalive' is answered by netwatchd, with all it knows; where it cannot be asked,
 * by iked, with what netwatchd last reported to it.  The exit status; -1: wrong usage.
 */
int	keepalive_show(const struct ka_opts *, const char *name);
/* events, probe, ping, trace.  The exit status; -1: wrong usage. */
int	keepalive_main(const struct ka_opts *, int n, char *const *args);
/* That word begins such a command. */
int	keepalive_word(const char *);

/* keepalive_ping.c; the same */
int	keepalive_ping(const struct ka_opts *, const char *name);
int	keepalive_trace(const struct ka_opts *, const char *name);

/* For the files of this program that talk to netwatchd. */
struct client	*keepalive_open(const struct ka_opts *, enum client_why *,
		    char err[CLIENT_ERRLEN]);
/* The same; says why not, and exits. */
struct client	*keepalive_need(const struct ka_opts *);

#endif
