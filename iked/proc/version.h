/* SPDX-License-Identifier: ISC */
#ifndef PROC_VERSION_H
#define PROC_VERSION_H

/* The build says; by hand these do. */
#ifdef IKED_VERSION
#define IKEEP_VERSION	IKED_VERSION
#else
#define IKEEP_VERSION	"0"
#endif
#ifndef IKED_CONF
#define IKED_CONF	"/etc/iked.conf"
#endif
#ifndef IKED_RUNDIR
#define IKED_RUNDIR	"/var/run"
#endif
#ifndef IKED_EMPTYDIR
#define IKED_EMPTYDIR	"/var/empty"
#endif

#endif
