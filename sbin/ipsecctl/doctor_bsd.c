/* SPDX-License-Identifier: ISC */
/* What the BSDs show to a program like this one only by running others: not known. */

#include <stddef.h>

#include "doctor.h"

int
host_strict(const char *dev)
{
	(void)dev;
	return (-1);
}

int
host_unreached(const struct addr *remote, struct addr *neighbour)
{
	(void)remote;
	(void)neighbour;
	return (-1);
}

void
host_poke_whole(int fd, int v6)
{
	(void)fd;
	(void)v6;
}

unsigned int
host_path_mtu(int fd, int v6)
{
	(void)fd;
	(void)v6;
	return (0);
}

int
host_policy(const struct prefix *from, const struct prefix *to)
{
	(void)from;
	(void)to;
	return (-1);
}

uint64_t
host_in_clear(void)
{
	return (0);
}

int
host_silent(const json_t *nets, struct addr *which)
{
	(void)nets;
	(void)which;
	return (-1);
}

int
host_holder(uint16_t port, char *who, size_t cap)
{
	(void)port;
	(void)who;
	(void)cap;
	return (-1);
}

int
host_errors(char *dst, size_t cap)
{
	(void)dst;
	(void)cap;
	return (-1);
}
