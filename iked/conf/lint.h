/* SPDX-License-Identifier: ISC */
/*
 * What a configuration may well be, and hardly anybody wants: told by `iked -n`, and never
 * a reason to refuse the file.
 */
#ifndef CONF_LINT_H
#define CONF_LINT_H

#include <stdio.h>

#include "conf/conf.h"

#define LINT_TEXTLEN	640
#define LINT_RULE	256

/* What only a process can know. */
struct lint_env {
	const struct addr	*addrs;		/* this machine's; NULL: not known */
	size_t			 naddrs;
	/* What its packet filter does, NULL: not known.  1: takes, 2: may take; text[LINT_RULE]
	 * names the rule. */
	int	(*nat)(void *arg, const struct prefix *from, const struct prefix *to,
		    const struct addr *peer, char *text);
	int	(*drops)(void *arg, const struct addr *local, const struct addr *peer,
		    char *text);
	void	*arg;
};

/* A finding: of which tunnel, and what to change, in one line. */
typedef void lint_say(void *arg, const struct conf_tunnel *, const char *text);

/* Secrets are looked at where the configuration has them, and never shown.  0, or -1: no
 * memory, and some checks are left out. */
int	conf_lint(const struct conf *, const struct lint_env *, lint_say *, void *arg);

/* lint_overlap.c: networks that lie in those of another tunnel. */
int	lint_overlap(const struct conf *, lint_say *, void *arg);

#endif
