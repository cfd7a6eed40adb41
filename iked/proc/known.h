/* SPDX-License-Identifier: ISC */
/* What is known of the names of a configuration: the parent's table, without I/O. */
#ifndef PROC_KNOWN_H
#define PROC_KNOWN_H

#include "proc/msg.h"

struct known_name {
	char		*name;
	uint8_t		 n;
	struct addr	 a[NAME_ADDRS];		/* the one to be used first */
	char		 why[NAME_WHYLEN];	/* the last lookup gave none; or "" */
	struct addr	 mute;			/* it did not answer; or ADDR_NONE */
};
struct known {
	uint32_t		 serial, n;
	struct known_name	*v;		/* by name, each once, whatever its case */
};

/*
 * The names of this configuration, with what is known of those that were there before.
 * 1: it is another list, with a serial of its own; 0; -1: no memory, and nothing changed.
 */
int	 known_list(struct known *, const struct conf *);
void	 known_free(struct known *);
conf_lookup known_lookup;		/* arg: the struct known */
/*
 * An answer.  What the name led to before stays in front of what is new, so that an order
 * that turns moves no tunnel; but what did not answer goes to the end.  Where there is no
 * answer, what was known stays.  What has changed: KNOWN_*, or -1: of no use.
 */
enum { KNOWN_SAME, KNOWN_ADDRS, KNOWN_FAILS, KNOWN_STILL };
int	 known_answer(struct known *, const struct name_ans *);
/* The peer does not answer where it is: which names are to be asked now.  How many. */
int	 known_mute(struct known *, const struct conf_peer *, uint32_t index[2]);

#endif
