/* SPDX-License-Identifier: ISC */
/* The back ends Linux has. */

#include <errno.h>

#include "pfkey/kern_local.h"

int
kern_backend_open(struct kern *k, enum kern_backend which, const char **err)
{
	switch (which) {
	case KERN_XFRM:
		return (kern_xfrm_open(k, err));
	case KERN_PFKEY:
		return (kern_pfkey_open(k, err));
	}
	*err = "no such kernel interface";
	errno = EINVAL;
	return (-1);
}

int
kern_backend_listen(struct kern_monitor *m, enum kern_backend which, const char **err)
{
	return (which == KERN_XFRM ? kern_xfrm_listen(m, err) :
	    kern_pfkey_listen(m, err));
}
