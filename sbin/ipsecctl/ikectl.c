/* SPDX-License-Identifier: ISC */
/*
 * The words of OpenIKED's ikectl(8), when we are called by that name: those that mean
 * something here become ours, the others are refused with what to do instead.
 */

#include <err.h>
#include <string.h>

#include "ikectl.h"
#include "keepalive.h"

static const struct {
	const char	*theirs[3];	/* up to two words */
	const char	*ours[3];	/* none: why tells */
	const char	*why;
} verbs[] = {
	{ { "show", "sa" }, { "show", "sa" }, NULL },
	{ { "show", "certstore" }, { NULL }, "iked.conf names the certificates; see "
	    "\"iked -nv\"" },
	{ { "show", "certinfo" }, { NULL }, "iked.conf names the certificates; see "
	    "\"iked -nv\"" },
	{ { "show", "stats" }, { "show", "stats" }, NULL },
	{ { "reload" }, { "reload" }, NULL },
	{ { "monitor" }, { "monitor" }, NULL },
	{ { "log", "verbose" }, { "log", "verbose" }, NULL },
	{ { "log", "brief" }, { "log", "brief" }, NULL },
	{ { "reset", "sa" }, { "reset", "*" }, NULL },
	{ { "reset", "all" }, { "reset", "*" }, NULL },
	{ { "reset", "id" }, { NULL }, "name the tunnel: ipsecctl reset TUNNEL" },
	{ { "reset", "policy" }, { NULL }, "policies are what iked.conf says: change it "
	    "and say \"ipsecctl reload\"" },
	{ { "reset", "ca" }, { NULL }, "\"ipsecctl reload\" reads certificates anew" },
	{ { "reset", "user" }, { NULL }, "iked.conf(5) has no users" },
	{ { "couple" }, { NULL }, "SAs are always loaded into the kernel" },
	{ { "decouple" }, { NULL }, "SAs are always loaded into the kernel; \"ipsecctl "
	    "down TUNNEL\" takes one tunnel's away, \"ipsecctl flush\" all" },
	{ { "active" }, { NULL }, "each tunnel of iked.conf says active, ondemand or "
	    "passive; \"ipsecctl up TUNNEL\" starts one" },
	{ { "passive" }, { NULL }, "each tunnel of iked.conf says active, ondemand or "
	    "passive; \"ipsecctl down TUNNEL\" stops one" },
	{ { "load" }, { NULL }, "iked reads the file that it was started with (iked -f); "
	    "change it and say \"ipsecctl reload\"" },
	{ { "ca" }, { NULL }, "keys and certificates are made with openssl(1)" },
};

const char *const *
ikectl_words(int n, char *const *args, const char **why)
{
	size_t i;

	*why = NULL;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (n < 1 || strcmp(args[0], verbs[i].theirs[0]) != 0)
			continue;
		if (verbs[i].theirs[1] != NULL && (n < 2 ||
		    strcmp(args[1], verbs[i].theirs[1]) != 0))
			continue;
		if ((*why = verbs[i].why) != NULL)
			return (NULL);
		if (n == (verbs[i].theirs[1] != NULL ? 2 : 1))
			return (verbs[i].ours);
	}
	return (NULL);
}
