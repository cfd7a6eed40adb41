/* SPDX-License-Identifier: ISC */
/*
 * RouterOS commands (a script, or what /export prints) as items with properties: those
 * of /ip ipsec and /ip firewall, in their order.  `add' makes one, `set' changes one.
 */
#ifndef IPSECCTL_SIDE_ROS_H
#define IPSECCTL_SIDE_ROS_H

#include <stddef.h>
#include <stdint.h>

enum ros_menu {
	ROS_NONE, ROS_PEER, ROS_PROFILE, ROS_IDENTITY, ROS_PROPOSAL, ROS_POLICY,
	ROS_NAT, ROS_FILTER, ROS_RAW
};

#define ROS_KEYLEN	32
#define ROS_VALMAX	4096	/* octets of a value */
#define ROS_PROPS	64	/* of an item */
#define ROS_ITEMS	262144

struct ros_prop {
	char		 key[ROS_KEYLEN];
	char		*value;		/* NUL-terminated; wiped when freed */
	size_t		 len;
	unsigned int	 line;
};

struct ros_item {
	enum ros_menu	 menu;
	unsigned int	 line;
	int		 dflt;		/* the entry that is always there */
	int		 first;		/* place-before */
	struct ros_prop	*props;
	unsigned int	 nprops;
};

struct ros {
	struct ros_item	*items;
	uint32_t	 n, cap;
	unsigned int	 seen;		/* 1 << menu: named at all */
	int		 version;	/* of the header's comment; 0: none */
	unsigned int	 badline;	/* a command that was not understood; 0: none */
	int		 nomem;
};

/* 0, or -1: no memory, or too many.  In any case ros_free(). */
int	ros_parse(struct ros *, const uint8_t *text, size_t len);
void	ros_free(struct ros *);
const struct ros_prop *ros_prop(const struct ros_item *, const char *key);
/* The value, or the other text where it is not said. */
const char *ros_get(const struct ros_item *, const char *key, const char *other);
int	ros_yes(const struct ros_item *, const char *key);	/* yes or true */
/* The item of that menu and name, NULL. */
const struct ros_item *ros_named(const struct ros *, enum ros_menu, const char *name);
/* "1d", "1h30m", "90s", "00:30:00", "1d00:00:00" in seconds; 0: none of these */
uint32_t ros_time(const char *);

#endif
