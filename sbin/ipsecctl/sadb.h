/* SPDX-License-Identifier: ISC */
/*
 * The kernel's own databases, as OpenBSD's ipsecctl(8) shows them: no iked is asked, and
 * none has to run.  For root.
 */
#ifndef IPSECCTL_SADB_H
#define IPSECCTL_SADB_H

#include <stdio.h>

#include "pfkey/pfkey.h"

#define SADB_FLOWS	1
#define SADB_SAS	2

struct sadb_opts {
	int	what;		/* SADB_* */
	int	keys;		/* -k */
	int	verbose;	/* -v: 1; twice: 2 */
};
/* What `-s word' names, in short, too: "all", "a"; 0: nothing, it is a socket's path. */
int	sadb_word(const char *);
/* `-s', and `-m' when what is 0.  The exit status. */
int	sadb_main(const struct sadb_opts *);

/* sadb_text.c */
void	sadb_flow(FILE *, const struct kern_policy *, int verbose);
void	sadb_sa(FILE *, const struct kern_sa *, int verbose, int keys);
void	sadb_note(FILE *, const struct kern_note *, int keys);

#endif
