/* SPDX-License-Identifier: ISC */
/* `ipsecctl show': one query, several printers. */
#ifndef IPSECCTL_SHOW_H
#define IPSECCTL_SHOW_H

#include <jansson.h>

#include <stdio.h>

#include "proc/client.h"

#define ANSWER_MS	10000	/* iked may take so long for one line */

/* What can be asked for. */
struct show_what {
	const char	*word;		/* also the JSON key and the command's word */
	const char	*alias;		/* "peer" */
	void		(*table)(FILE *, const json_t *array);
};
extern const struct show_what show_whats[];
#define SHOW_NALL	7	/* the first ones: `show all' */
#define SHOW_NWHATS	8

void	show_tunnels(FILE *, const json_t *);
void	show_peers(FILE *, const json_t *);
void	show_sa(FILE *, const json_t *);
void	show_policies(FILE *, const json_t *);
void	show_keepalive(FILE *, const json_t *);
void	show_stats(FILE *, const json_t *);
void	show_conf(FILE *, const json_t *);
void	show_kernel(FILE *, const json_t *);
/* `show kernel': what the kernel has against what iked believes; as query(). */
json_t	*kernel_query(struct client *, int *refused, char err[CLIENT_ERRLEN]);
/* The table of `reload -n'. */
void	show_plan(FILE *, const json_t *);
/* The tunnel's state in words. */
void	show_tunnel_words(const json_t *tunnel, char *dst, size_t cap);
/* "ICMP port unreachable, says 192.0.2.1 3s ago", "" nothing was said; gives dst. */
#define ICMP_WORDS	160
char	*show_icmp_words(const json_t *tunnel, char dst[ICMP_WORDS]);

/*
 * Runs a command.  Gives the array of its objects (a new reference), or NULL with a
 * line in err.  *refused: iked answered, with an error; the connection is fine.  With a
 * non-NULL objs the objects come even when it was refused.
 */
json_t	*query(struct client *, const char *command, int *refused,
	    char err[CLIENT_ERRLEN], json_t **objs);

struct show_opts {
	const char	*what;		/* NULL: the short overview; "all" */
	const char	*name;		/* of one tunnel; NULL: of all */
	int		 json, metrics, graph, svg;
};
/* `show'.  Gives the exit status. */
int	show(struct client *, const struct show_opts *, FILE *);
/* Again and again in the same place, every so many seconds, until it is ended.  On a
 * terminal it outlives iked: *c is another then, of the socket at path, or NULL. */
int	show_watch(struct client **c, const char *path, const struct show_opts *,
	    int secs);
int	show_known(const char *what);
int	show_takes_name(const char *what);	/* a tunnel's name may follow */
int	show_is_keepalive(const char *what);

#endif
