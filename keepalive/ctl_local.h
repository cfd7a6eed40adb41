/* SPDX-License-Identifier: ISC */
/*
 * Private to the control socket: ctl.c (clients), ctl_cmd.c (lines into commands),
 * ctl_show.c (answers a slice at a time), ctl_ping.c (ping and trace), ctl_json.c (JSON
 * lines), metrics.c (OpenMetrics).
 */
#ifndef KEEPALIVE_CTL_LOCAL_H
#define KEEPALIVE_CTL_LOCAL_H

#include <time.h>

#include "keepalive/ctl.h"
#include "proc/lineio.h"

enum ctl_verb {
	CTL_SHOW = 1, CTL_EVENTS, CTL_METRICS, CTL_PROBE,
	CTL_PING, CTL_TRACE, CTL_VERSION, CTL_HISTORY, CTL_BACKUP_SET, CTL_LOG
};

/* A command, checked. */
struct ctl_cmd {
	enum ctl_verb	verb;
	char		name[CONF_NAMELEN];	/* "": all */
	uint8_t		on;			/* of backup */
	uint8_t		level;			/* of log: enum log_level */
	uint32_t	count, wait_ms, size;	/* of ping; size 0: the target's */
};
/* ctl_cmd.c; pure.  NULL and *cmd, or what to answer.  The line is written into. */
const char	*ctl_parse(char *line, struct ctl_cmd *cmd);

struct ctl_client {
	struct lineio	 io;		/* fd -1: free */
	struct ctl	*ctl;
	uid_t		 uid;
	struct ctl_cmd	 cmd;		/* being answered while io.busy */
	uint32_t	 slot;		/* where the next slice begins */
	unsigned int	 family;	/* of metrics */
	struct ctl_ping	*ping;		/* or trace; NULL: none */
};

struct ctl {
	struct ev_loop		*loop;
	struct watch		*watch;
	const struct ctl_io	*io;
	const struct logger	*log;
	ev_io			 accept;
	struct ctl_client	 c[CTL_CLIENTS];
	uint32_t		 pings;		/* so far: each has its number */
};

#define CTL_UNKNOWN	"netwatchd watches no tunnel of that name; give it the word " \
			"keepalive in iked.conf"
#define CTL_BACKUP	"this node is the backup: it sends nothing (netwatchd(8))"
#define CTL_NOSOURCE	"no address of this machine is inside the tunnel's nets: " \
			"nothing can be sent"

/* ctl.c */
void	ctl_line(struct ctl_client *, struct json *);

/* ctl_show.c */
void	ctl_run(struct ctl_client *);		/* begins the answer to cmd */
void	ctl_more(struct ctl_client *);		/* its next slice */

/* ctl_ping.c */
void	ctl_ping_start(struct ctl_client *);
void	ctl_ping_end(struct ctl_client *);	/* the client has gone */

/* ctl_json.c; pure */
void	ctl_json_status(struct json *, const struct watch_status *, monotime now);
/* m: STATS_MINUTES of them, the current one first; NULL: it never answered. */
void	ctl_json_history(struct json *, const char *name, const struct stats_minute *m);
void	ctl_json_event(struct json *, const struct watch_event *,
	    const struct timespec *wall);

/* metrics.c; pure.  What they write ends with LF; octets, 0 when it does not fit. */
#define METRICS_FAMILIES	18
#define METRICS_MAX		2048	/* octets of a family's head, or of a target in it */
size_t	metrics_head(unsigned int family, char *dst, size_t cap);
size_t	metrics_sample(unsigned int family, const struct watch_status *, monotime now,
	    char *dst, size_t cap);

#endif
