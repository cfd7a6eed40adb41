/* SPDX-License-Identifier: ISC */
/*
 * iked as it is, every process and every sandbox, but linked with backend_null.c, which
 * accepts all SAs and policies and carries no packet.  Never to be installed.
 */

#include "proc/iked.c"
