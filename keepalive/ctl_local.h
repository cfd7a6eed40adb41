/* SPDX-License-Identifier: ISC */
/*
 * Private to the control socket: ctl.c (clients), ctl_cmd.c (lines into commands),
 * ctl_show.c (answers a slice at a time), ctl_json.c (JSON lines), metrics.c (OpenMetrics).
 */
#ifndef KEEPALIVE_CTL_LOCAL_H
#define KEEPALIVE_CTL_LOCAL_H

#include <time.h>

#include "keepalive/ctl.h"
#include "proc/lineio.h"

enum ctl_verb {
	CTL_SHOW = 1, CTL_EVENTS, CTL_METRICS, CTL_PROBE, CTL_VERSION
};

/* A command, checked. */
struct ctl_cmd {
	enum ctl_verb	verb;
	char		name[CONF_NAMELEN];	/* "": all */
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
};

struct ctl {
	struct ev_loop		*loop;
	struct watch		*watch;
	const struct ctl_io	*io;
	const struct logger	*log;
	ev_io			 accept;
	struct ctl_client	 c[CTL_CLIENTS];
};

/* ctl.c */
void	ctl_line(struct ctl_client *, struct json *);

/* ctl_show.c */
void	ctl_run(struct ctl_client *);		/* begins the answer to cmd */
void	ctl_more(struct ctl_client *);		/* its next slice */

/* ctl_json.c; pure */
void	ctl_json_status(struct json *, const struct watch_status *, monotime now);
void	ctl_json_event(struct json *, const struct watch_event *,
	    const struct timespec *wall);

/* metrics.c; pure.  What they write ends with LF; octets, 0 when it does not fit. */
#define METRICS_FAMILIES	12
#define METRICS_MAX		2048	/* octets of a family's head, or of a target in it */
size_t	metrics_head(unsigned int family, char *dst, size_t cap);
size_t	metrics_sample(unsigned int family, const struct watch_status *, monotime now,
	    char *dst, size_t cap);

#endif
