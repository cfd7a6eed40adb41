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

int
host_nat(void)
{
	return (-1);
}

int
host_filter(char *what, size_t cap)
{
	(void)what;
	(void)cap;
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
