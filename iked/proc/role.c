/* SPDX-License-Identifier: ISC */
/* The table of roles. */

#include <stddef.h>
#include <string.h>

#include "proc/role.h"

static const struct {
	const char	*name, *user;
} roles[ROLE_MAX] = {
	[ROLE_PARENT] = { "parent", "root" },
	[ROLE_IKE] = { "ike", "_ikenet" },
	[ROLE_KEYS] = { "keys", "_ikekeys" },
	[ROLE_KERNEL] = { "kernel", "_ikekern" },
	[ROLE_CONTROL] = { "control", "_iked" },
	[ROLE_PROBE] = { "probe", "_netwatch" },
	[ROLE_NAMES] = { "names", "_ikedns" },
};

const char *
role_name(enum role r)
{
	return ((unsigned)r < ROLE_MAX ? roles[r].name : "?");
}

const char *
role_user(enum role r)
{
	return ((unsigned)r < ROLE_MAX ? roles[r].user : "?");
}

enum role
role_byname(const char *name)
{
	size_t i;

	for (i = 0; i < ROLE_MAX; i++)
		if (strcmp(name, roles[i].name) == 0)
			return ((enum role)i);
	return (ROLE_MAX);
}
