/* SPDX-License-Identifier: ISC */
/*
 * Private to the parent: parent.c (what the children say, the end), parent_reload.c,
 * parent_kids.c (their lives), parent_names.c (names of peers), parent_conf.c (files),
 * parent_sock.c (sockets and the pidfile), parent_spawn.c (fork and exec).
 */
#ifndef PROC_PARENT_H
#define PROC_PARENT_H

#include <sys/types.h>

#include "proc/msg.h"
#include "proc/version.h"

#define PARENT_CONF	IKED_CONF
#define PARENT_SOCKET	IKED_RUNDIR "/iked.sock"
#define PARENT_DEFS	32		/* -D at most */

struct parent_opts {
	const char	*conf;		/* -f */
	char		 socket[108];	/* -s */
	char		 rosocket[108];
	char		 pidfile[128];
	char		 statefile[128];	/* which traps are placed */
	const char	*def[PARENT_DEFS];	/* -D name=value */
	int		 ndef;
	int		 front;		/* -d */
	int		 verbose;	/* -v */
	int		 sandbox;	/* -o sandbox=off: 0 */
	int		 resolve;	/* -o resolve=now: -n looks names up */
	uint8_t		 backend;	/* -o backend=, enum kern_backend */
	uint16_t	 port, natt_port;
	char		 chroot[256];
};

/* parent_conf.c: errors through *errs; the configuration has secrets, unless flags
 * say CONF_NOSECRETS. */
struct conf	*parent_conf_read(const struct parent_opts *, int flags,
		    struct conf_errors *);
/* Says which old secrets end soon, or are of no use any more. */
void		 parent_conf_old(const struct conf *, const struct logger *);
void		 parent_conf_complain(const struct conf_errors *, const struct logger *);

/* parent_sock.c: 0 or -1 and a line. */
struct parent_socks {
	int	udp[4];		/* v4, v4 natt, v6, v6 natt; -1: none */
	int	listen[2];	/* all, read-only */
	int	pid;		/* the locked pidfile */
	int	state;		/* the kernel process's notes */
};
int	parent_pidfile(const struct parent_opts *, struct parent_socks *);
int	parent_statefile(const struct parent_opts *, struct parent_socks *);
int	parent_udp(const struct parent_opts *, struct parent_socks *);
int	parent_listen(const struct parent_opts *, struct parent_socks *, gid_t);
void	parent_unlink(const struct parent_opts *);

/* parent_spawn.c: the child's pid and our end of its channel in *fd; -1. */
pid_t	parent_spawn(enum role, int self, int front, int *fd);

/* defaults_OS.c: the back end of this system, an enum kern_backend. */
uint8_t		 parent_backend(void);

/* parent.c: does not return before the end.  sweep: only take policies away. */
int	parent_run(const struct parent_opts *, struct conf *, int sweep);

#endif
