/* SPDX-License-Identifier: ISC */
/* The processes of the house, and who they are to the system. */
#ifndef PROC_ROLE_H
#define PROC_ROLE_H

enum role {
	ROLE_PARENT = 0, ROLE_IKE, ROLE_KEYS, ROLE_KERNEL, ROLE_CONTROL,
	ROLE_PROBE,		/* netwatchd's */
	ROLE_NAMES,		/* iked's again, while the configuration has names */
	ROLE_MAX
};

const char	*role_name(enum role);	/* "parent", "ike", ...; never NULL */
const char	*role_user(enum role);	/* "_ikenet", ...; "root" for the parent */
/* The role of that name, or ROLE_MAX. */
enum role	 role_byname(const char *);

#endif
