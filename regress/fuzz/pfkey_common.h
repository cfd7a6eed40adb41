/* SPDX-License-Identifier: ISC */
/* What the PF_KEY fuzz targets share. */
#ifndef FUZZ_PFKEY_COMMON_H
#define FUZZ_PFKEY_COMMON_H

#include "pfkey/pfkey_msg.h"

int	fuzz_pfkey(const struct pfkey_dialect *, const uint8_t *, size_t);

#endif
