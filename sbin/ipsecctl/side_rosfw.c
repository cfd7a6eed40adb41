/* SPDX-License-Identifier: ISC */
/*
 * RouterOS translates addresses before it looks at IPsec policies, and FastTrack goes
 * around them.  Rules count in their order; what place-before moves comes first.  A
 * matcher that is not understood makes a rule that accepts not count, and one that
 * translates, too: what is said to be wrong must be.
 */

#include <string.h>

#include "side_rosfw.h"

enum how { HOW_NO, HOW_SOME, HOW_ALL };		/* of the packets that a rule matches */

static int
disabled(const struct ros_item *it)
{
	return (ros_yes(it, "disabled"));
}

static int
holds(const struct prefix *outer, const struct prefix *inner)
{
	return (outer->addr.fam == inner->addr.fam && outer->len <= inner->len &&
	    prefix_contains(outer, &inner->addr));
}

/* src-address=10.0.0.0/8, !10.0.0.0/8, none. */
static enum how
address(const struct ros_item *it, const char *key, const struct prefix *net)
{
	const char *s = ros_get(it, key, "");
	struct prefix p;
	int not = *s == '!';

	if (*s == '\0')
		return (HOW_ALL);
	if (prefix_parse(&p, s + not) == -1)
		return (HOW_SOME);
	if (holds(&p, net))
		return (not ? HOW_NO : HOW_ALL);
	if (holds(net, &p))
		return (HOW_SOME);
	return (not ? HOW_ALL : HOW_NO);
}

/* Has the rule a matcher beside those that are named? */
static int
more(const struct ros_item *it, const char *const *known)
{
	unsigned int i, k;

	for (i = 0; i < it->nprops; i++) {
		for (k = 0; known[k] != NULL; k++)
			if (strcmp(it->props[i].key, known[k]) == 0)
				break;
		if (known[k] == NULL)
			return (1);
	}
	return (0);
}

static enum how
both(enum how a, enum how b)
{
	return (a < b ? a : b);
}

/* IPsec packets on their way out, from src to dst. */
static enum how
nat_matches(const struct ros_item *it, const struct prefix *src,
    const struct prefix *dst)
{
	static const char *const known[] = { "chain", "action", "comment", "disabled",
	    "src-address", "dst-address", "out-interface", "out-interface-list",
	    "to-addresses", "to-ports", "ipsec-policy", "log", "log-prefix", NULL };
	enum how h = both(address(it, "src-address", src), address(it, "dst-address",
	    dst));
	const char *pol = ros_get(it, "ipsec-policy", "out,ipsec");

	if (strcmp(pol, "out,ipsec") != 0)
		return (HOW_NO);
	return (more(it, known) ? both(h, HOW_SOME) : h);
}

static int
notrack(const struct ros *r, const struct prefix *src, const struct prefix *dst)
{
	const struct ros_item *it;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		it = &r->items[i];
		if (it->menu == ROS_RAW && !disabled(it) &&
		    strcmp(ros_get(it, "action", ""), "notrack") == 0 &&
		    address(it, "src-address", src) == HOW_ALL &&
		    address(it, "dst-address", dst) == HOW_ALL)
			return (1);
	}
	return (0);
}

static void
check_nat(const struct ros *r, const char *file, struct side_child *c)
{
	const struct prefix *src = &c->from[0].net, *dst = &c->to[0].net;
	const struct ros_item *it;
	const char *action;
	unsigned int pass;
	uint32_t i;

	if ((r->seen & 1U << ROS_NAT) == 0)
		return;
	c->nat = RULE_GOOD;
	if (notrack(r, src, dst))
		return;
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < r->n; i++) {
			it = &r->items[i];
			if (it->menu != ROS_NAT || it->first != (pass == 0) ||
			    disabled(it) ||
			    strcmp(ros_get(it, "chain", ""), "srcnat") != 0)
				continue;
			action = ros_get(it, "action", "accept");
			if (strcmp(action, "accept") == 0 &&
			    nat_matches(it, src, dst) == HOW_ALL)
				return;
			if ((strcmp(action, "masquerade") == 0 ||
			    strcmp(action, "src-nat") == 0 ||
			    strcmp(action, "netmap") == 0 ||
			    strcmp(action, "same") == 0) &&
			    nat_matches(it, src, dst) == HOW_ALL) {
				c->nat = RULE_BAD;
				c->at_nat.file = file;
				c->at_nat.line = it->line;
				return;
			}
		}
}

/* Does an earlier rule take the packets of one direction away from FastTrack? */
static int
saved(const struct ros *r, uint32_t upto, const struct prefix *src,
    const struct prefix *dst, const char *dir)
{
	static const char *const known[] = { "chain", "action", "comment", "disabled",
	    "src-address", "dst-address", "ipsec-policy", "log", "log-prefix",
	    "connection-state", NULL };
	const struct ros_item *it;
	const char *pol, *state;
	uint32_t i;

	if (notrack(r, src, dst))
		return (1);
	for (i = 0; i < r->n; i++) {
		it = &r->items[i];
		if (it->menu != ROS_FILTER || disabled(it) || (i >= upto &&
		    !it->first) || strcmp(ros_get(it, "chain", ""), "forward") != 0 ||
		    strcmp(ros_get(it, "action", "accept"), "accept") != 0)
			continue;
		pol = ros_get(it, "ipsec-policy", "");
		state = ros_get(it, "connection-state", "established");
		if (strstr(state, "established") != NULL && (pol[0] == '\0' ||
		    strcmp(pol, dir) == 0) && !more(it, known) &&
		    address(it, "src-address", src) == HOW_ALL &&
		    address(it, "dst-address", dst) == HOW_ALL)
			return (1);
	}
	return (0);
}

static void
check_fasttrack(const struct ros *r, const char *file, struct side_child *c)
{
	static const char *const known[] = { "chain", "action", "comment", "disabled",
	    "src-address", "dst-address", "connection-state", "hw-offload", "log",
	    "log-prefix", NULL };
	const struct prefix *src = &c->from[0].net, *dst = &c->to[0].net;
	const struct ros_item *it;
	uint32_t i;

	if ((r->seen & 1U << ROS_FILTER) == 0)
		return;
	c->fast = RULE_GOOD;
	for (i = 0; i < r->n; i++) {
		it = &r->items[i];
		if (it->menu != ROS_FILTER || disabled(it) || more(it, known) ||
		    strcmp(ros_get(it, "action", ""), "fasttrack-connection") != 0 ||
		    strcmp(ros_get(it, "chain", ""), "forward") != 0 ||
		    address(it, "src-address", src) == HOW_NO ||
		    address(it, "dst-address", dst) == HOW_NO)
			continue;
		if (saved(r, i, src, dst, "out,ipsec") &&
		    saved(r, i, dst, src, "in,ipsec"))
			continue;
		c->fast = RULE_BAD;
		c->at_fast.file = file;
		c->at_fast.line = it->line;
		return;
	}
}

void
rosfw_check(const struct ros *r, const char *file, struct side_child *c)
{
	if (c->from[0].net.addr.fam != ADDR_V4 || c->to[0].net.addr.fam != ADDR_V4 ||
	    c->from[0].any || c->to[0].any)
		return;
	check_nat(r, file, c);
	check_fasttrack(r, file, c);
}
