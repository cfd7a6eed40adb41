/* SPDX-License-Identifier: ISC */
/* netwatchd's probe process. */
#ifndef KEEPALIVE_PROBE_H
#define KEEPALIVE_PROBE_H

#define PROBE_CHANFD	3	/* the channel to the parent */
#define PROBE_MAXFILES	336	/* 16 of them clients of the control socket, and
				   CONN_MAX probes */

struct nw_opts {
	const char	*chroot;	/* the empty directory */
	int		 sandbox;	/* 0: without (sanitizer builds) */
	int		 verbose;
};

/* Never returns; ends with the parent's channel. */
void	probe_main(const struct nw_opts *) __attribute__((__noreturn__));

#endif
