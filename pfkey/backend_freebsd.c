/* SPDX-License-Identifier: ISC */
/* The back ends FreeBSD has. */

#include <errno.h>

#include "pfkey/kern_local.h"

int
kern_backend_open(struct kern *k, enum kern_backend which, const char **err)
{
	if (which == KERN_PFKEY)
		return (kern_pfkey_open(k, err));
	*err = "XFRM is Linux's; here it is PF_KEY";
	errno = EPFNOSUPPORT;
	return (-1);
}

int
kern_backend_listen(struct kern_monitor *m, enum kern_backend which, const char **err)
{
	if (which == KERN_PFKEY)
		return (kern_pfkey_listen(m, err));
	*err = "XFRM is Linux's; here it is PF_KEY";
	errno = EPFNOSUPPORT;
	return (-1);
}
