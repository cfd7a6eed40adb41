/* SPDX-License-Identifier: ISC */
/* The words of ikectl(8). */
#ifndef IPSECCTL_IKECTL_H
#define IPSECCTL_IKECTL_H

/* Our words for theirs, ended by NULL.  NULL: there are none; *why tells a person what to
 * do instead, or is NULL: ikectl(8) has no such words either.  Pure. */
const char *const *ikectl_words(int n, char *const *args, const char **why);

#endif
