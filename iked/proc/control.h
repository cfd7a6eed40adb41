/* SPDX-License-Identifier: ISC */
/*
 * Private to the control process: control.c (its life and its siblings), control_cmd.c
 * (lines into actions), control_json.c (records into lines), control_client.c (rude
 * and slow clients), control_report.c (what netwatchd said).
 */
#ifndef PROC_CONTROL_H
#define PROC_CONTROL_H

#include <sys/types.h>

#include "proc/child.h"
#include "proc/lineio.h"

#define CLIENTS_MAX	32
#define CLIENTS_RO	(CLIENTS_MAX - 8)	/* on the read-only socket: root gets in */
#define CLIENTS_UID	16		/* of one uid there */
#define CLIENTS_KEEPALIVE	4	/* with that role: an agent gone mad leaves room */
#define CLIENT_IDLE	60.		/* seconds there without a word or an answer read */

#define COUNTERS_NAMES	16		/* of one line */
#define TOKEN_INDEX	36		/* in a token, four bits: which of them */

enum stage { ST_TUNNEL, ST_PEER, ST_SA, ST_POLICY, ST_KEEPALIVE, ST_STATS, ST_CONF,
    ST_PLAN, ST_SYSTEM, ST_END };
/* a plan is only there for who asked for it, and the system is read for who wants it */
#define ST_ALL	((1U << ST_PLAN) - 1)

struct client {
	struct lineio	 io;		/* fd -1: free */
	uint32_t	 serial;	/* of this use of the place */
	uid_t		 uid;
	int		 ro;
	int		 keepalive;	/* said `role keepalive' */
	int		 monitor;	/* said `monitor': its answer has no end */
	ev_timer	 idle;		/* of a read-only one */
	int		 showing;	/* it is a show */
	int		 asked;		/* a slice is under way */
	int		 plan;		/* waits for one to be made */
	unsigned	 stages;	/* bits of the stages still to show */
	enum stage	 stage;
	uint64_t	 cursor;
	uint64_t	 token;
	char		 only[CONF_NAMELEN];	/* `show tunnels NAME' */
	int		 found;
	char		 name[COUNTERS_NAMES][CONF_NAMELEN];	/* of `counters' */
	uint8_t		 nnames, nanswers;
};

struct control {
	struct child	*ch;
	struct chan	*ike, *kernel;
	struct client	 c[CLIENTS_MAX];
	ev_io		 accept[2];
	uint32_t	 serial;
	struct reload_error bad;	/* why the file does not load; "" as its file: it does */
	monotime	 read;		/* when that was found out */
};
extern struct control ct;

/* control_client.c */
struct client *client_place(int ro, uid_t);	/* a free one; NULL: no room */
void	client_accept(int fd, int ro);
void	client_drop(struct client *);
void	client_line(struct client *, struct json *);	/* appends, drops when full */
void	client_end(struct client *, const char *error);	/* NULL: all well */
void	client_end_code(struct client *, const char *error, enum refused);
/* The client that waits for that answer; NULL when it has gone. */
struct client *client_bytoken(uint64_t token);
void	client_resume(struct client *);	/* room again, or the answer complete */
size_t	client_unread(const struct client *);

/* control_cmd.c */
void	cmd_line(struct client *, char *line);
void	cmd_continue(struct client *);	/* the next slice of a show */
void	cmd_planned(struct client *);	/* the plan can be read */

/* control_json.c */
void	json_show(struct json *, const struct told_rec *);
void	json_policy(struct json *, const struct policy_rec *);
void	json_system(struct json *, const struct system_rec *);
/* since: when it was read; e: the first mistake, its file "" where there is none. */
void	json_conf(struct json *, const struct reload_error *e, monotime since);
void	json_counters(struct json *, const char *tunnel, const struct engine_counters *);

/* control_monitor.c */
#define MONITORS_RO	8	/* on the read-only socket: they never idle out */
void	cmd_monitor(struct client *, char *);
void	json_event(struct json *, const struct show_event *, uint32_t lost);
int	monitor_event(struct rbuf *);	/* from ike; -1: malformed */
void	monitor_left(void);		/* a client that listened has gone */

/* control_report.c */
int	report_take(struct client *, char *line, const char **why);
void	report_forget(const struct client *);
void	report_show(struct client *);
unsigned report_connected(void);	/* how many have the role */

#endif
