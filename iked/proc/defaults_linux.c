/* SPDX-License-Identifier: ISC */
/* Linux: XFRM netlink: it has AEAD, and whole ACQUIREs. */

#include "proc/parent.h"

uint8_t
parent_backend(void)
{
	return (KERN_XFRM);
}
