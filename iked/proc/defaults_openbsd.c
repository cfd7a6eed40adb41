/* SPDX-License-Identifier: ISC */
/* OpenBSD: PF_KEY is the only one. */

#include "proc/parent.h"

uint8_t
parent_backend(void)
{
	return (KERN_PFKEY);
}
