/* SPDX-License-Identifier: ISC */
/*
 * Private to the parent's parts: parent.c (the configuration's way to the children,
 * what they say, the end), parent_reload.c (the next one), parent_kids.c (their lives) and
 * parent_names.c (peers that have names).
 */
#ifndef PROC_PARENT_KIDS_H
#define PROC_PARENT_KIDS_H

#include <ev.h>

#include "proc/channel.h"
#include "proc/parent.h"
#include "proc/privdrop.h"

#define STABLE		60.		/* seconds that forget the back-off */

enum phase { PH_CHILDREN, PH_KEYS, PH_KERNEL, PH_IKE, PH_PLAN, PH_IDLE };

struct kid {
	enum role	 role;
	pid_t		 pid;		/* 0: none */
	struct chan	*chan;
	int		 ready;
	struct confout	 out;
	struct privuser	 user;
};

struct parent {
	const struct parent_opts *o;
	struct ev_loop		*loop;
	struct parent_socks	 sock;
	struct kid		 kid[ROLE_MAX];
	int			 self;		/* this program */
	struct conf		*conf;		/* while it is handed out; last itself where
						   peers change places */
	struct conf		*last;		/* peers in use, secrets only as marks: the
						   next is compared with them */
	uint8_t			 mark[CONF_MARKLEN];	/* the key of these marks */
	uint32_t		 gen;		/* last one given out */
	uint32_t		 live;		/* the one that ike works with */
	enum phase		 phase;
	uint64_t		 token;		/* of the client that asked to reload */
	int			 again;		/* SIGHUP while busy */
	uint64_t		 again_token;	/* a client while places changed, or 0 */
	int			 again_plan;
	int			 was_up;	/* once, since the start */
	int			 stopping, remove, sweep, status;
	int			 notify;	/* the waiting foreground process */
	double			 backoff;
	ev_timer		 restart, stable, deadline, daily;
};
extern struct parent pa;

#define NROLES	4
extern const enum role roles[NROLES];	/* in the order of their start */

/* parent_kids.c */
void	kids_init(void);
void	kids_start(void);		/* all, or later */
void	kids_kill(void);
int	kids_left(void);
/* Starts one: its channel, and what it is.  0 or -1. */
int	kid_start(struct kid *, const char *chroot, const struct chan_ops *, size_t queue);
/* It is dead: what is still in its channel is read, and no more than can be. */
void	kid_listen(const struct kid *);
int	kid_go(struct kid *);		/* it has all its descriptors. 0 or -1 */
void	kid_kill(const struct kid *);
void	kid_end(enum role);		/* tells it to */

/* parent.c */
extern const struct chan_ops parent_kid_ops;
void		 parent_conf_drop(void);
void		 parent_give_conf(enum role);
void		 parent_phase_next(void);

/* parent_names.c */
void	 parent_names_init(void);
int	 parent_names_apply(struct conf *);	/* 0 or -1 */
void	 parent_names_list(void);		/* those of pa.last */
void	 parent_names_idle(void);		/* a change is over: is there another? */
int	 parent_names_mute(struct rbuf *);	/* 0; -1: malformed */
int	 parent_names_gone(pid_t, int status);	/* 1: it was that process */
void	 parent_names_stop(void);

/* parent_reload.c */
struct conf	*parent_conf_next(void);	/* a generation of its own; NULL: told */
void		 parent_reload(uint64_t token, int plan);	/* token 0: nobody waits */
void		 parent_reload_again(void);	/* a SIGHUP came meanwhile? */
void		 parent_reload_answer(int ok, const char *);
void		 parent_planned(int ok);
void		 parent_daily(void);		/* from now on: old secrets are looked at */
void		 parent_refused(struct kid *);

#endif
