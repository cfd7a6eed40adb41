/* SPDX-License-Identifier: ISC */
/* The sockets that the parent opens, keeps for life and hands to its children. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/channel.h"
#include "proc/lineio.h"
#include "proc/parent.h"
#include "proc/pidlock.h"
#include "proc/plog.h"
#include "proc/udp.h"

int
parent_pidfile(const struct parent_opts *o, struct parent_socks *s)
{
	if ((s->pid = pidlock_take(o->pidfile)) == -1 && errno == EWOULDBLOCK) {
		log_fault(plog(), WHY_START, "iked runs already (%s is locked)",
		    o->pidfile);
		return (-1);
	}
	if (s->pid == -1 || pidlock_write(s->pid) == -1) {
		log_error(plog(), WHY_START, "%s", o->pidfile);
		return (-1);
	}
	return (0);
}

/* It outlives us, as the traps do. */
int
parent_statefile(const struct parent_opts *o, struct parent_socks *s)
{
	struct stat st;

	s->state = open(o->statefile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK, 0600);
	if (s->state == -1 || fstat(s->state, &st) == -1) {
		log_error(plog(), WHY_START, "%s", o->statefile);
		return (-1);
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		log_fault(plog(), WHY_START, "%s must be a file of root's that nobody else may "
		    "write to: iked removes the policies it names", o->statefile);
		return (-1);
	}
	return (0);
}

/* 0; -1: this family is not there at all. */
static int
udp_one(int *fd, enum addr_family fam, uint16_t port, int natt)
{
	int af = fam == ADDR_V4 ? AF_INET : AF_INET6;

	if ((*fd = udp_open(fam, port)) == -1) {
		if (fam == ADDR_V6 && errno != EADDRINUSE)
			return (-1);
		log_error(plog(), WHY_PORT, "UDP port %u%s", port, errno == EADDRINUSE ?
		    " (another program has it, an IKE daemon most likely: stop that one first)" : "");
		return (-2);
	}
	if (kern_socket_bypass(*fd, af) == -1) {
		log_error(plog(), WHY_PORT, "cannot exempt UDP port %u from the policies: "
		    "this kernel has no IPsec, or we are not root", port);
		return (-2);
	}
	if (natt && kern_socket_encap(*fd, af) == -1)
		log_error(plog(), WHY_PORT, "no ESP in UDP for IPv%d on this kernel",
		    (int)fam);
	return (0);
}

int
parent_udp(const struct parent_opts *o, struct parent_socks *s)
{
	static const enum addr_family fams[2] = { ADDR_V4, ADDR_V6 };
	int i, natt, rv;

	for (i = 0; i < 2; i++)
		for (natt = 0; natt < 2; natt++) {
			rv = udp_one(&s->udp[i * 2 + natt], fams[i],
			    natt ? o->natt_port : o->port, natt);
			if (rv == -2)
				return (-1);
			if (rv == -1)
				log_debug(plog(), "no IPv6 on this system");
		}
	return (0);
}

int
parent_listen(const struct parent_opts *o, struct parent_socks *s, gid_t gid)
{
	if ((s->listen[0] = lineio_listen(o->socket, 0660, gid)) == -1) {
		log_error(plog(), WHY_START, "control socket %s", o->socket);
		return (-1);
	}
	if ((s->listen[1] = lineio_listen(o->rosocket, 0666, gid)) == -1) {
		log_error(plog(), WHY_START, "control socket %s", o->rosocket);
		return (-1);
	}
	return (0);
}

void
parent_unlink(const struct parent_opts *o)
{
	(void)unlink(o->socket);
	(void)unlink(o->rosocket);
	(void)unlink(o->pidfile);
}
