/* SPDX-License-Identifier: ISC */
/* pf's rules are seen by root through /dev/pf, in a form each system changes: not read. */

#include <stdlib.h>

#include "proc/rules.h"

struct rules {
	int	none;
};

struct rules *
rules_read(void)
{
	return (calloc(1, sizeof(struct rules)));
}

void
rules_free(struct rules *r)
{
	free(r);
}

const char *
rules_unseen(const struct rules *r)
{
	(void)r;
	return ("rules of pf are not looked at: see \"pfctl -s nat\" and \"pfctl -s rules\", as "
	    "root");
}

enum rules_fate
rules_nat(const struct rules *r, const struct prefix *from, const struct prefix *to,
    const struct addr *peer, char text[RULES_TEXT])
{
	(void)r;
	(void)from;
	(void)to;
	(void)peer;
	text[0] = '\0';
	return (RULES_PASS);
}

enum rules_fate
rules_gateways(const struct rules *r, const struct addr *local, const struct addr *peer,
    uint16_t port, int incoming, char text[RULES_TEXT])
{
	(void)r;
	(void)local;
	(void)peer;
	(void)port;
	(void)incoming;
	text[0] = '\0';
	return (RULES_PASS);
}

enum rules_fate
rules_nets(const struct rules *r, const struct prefix *src, const struct prefix *dst,
    const struct addr *peer, int incoming, char text[RULES_TEXT])
{
	(void)r;
	(void)src;
	(void)dst;
	(void)peer;
	(void)incoming;
	text[0] = '\0';
	return (RULES_PASS);
}
