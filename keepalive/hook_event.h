/* SPDX-License-Identifier: ISC */
/* What a hook is told: from the core of the probe process to the program in the end. */
#ifndef KEEPALIVE_HOOK_EVENT_H
#define KEEPALIVE_HOOK_EVENT_H

#include "base/addr.h"
#include "conf/conf.h"

#include <stdint.h>

enum hook_kind { HOOK_UP, HOOK_DOWN, HOOK_TEST };
#define HOOK_KINDS	3

struct hook_event {
	char		name[CONF_NAMELEN];	/* of the tunnel */
	uint8_t		kind;
	char		state[16], verdict[32];	/* words */
	struct addr	source, target;
	uint32_t	rtt_us;		/* of the last reply */
	uint16_t	loss;		/* thousandths of the last minute or two */
	char		reason[256];
};

#endif
