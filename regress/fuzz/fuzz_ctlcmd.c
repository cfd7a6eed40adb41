/* SPDX-License-Identifier: ISC */
/* Lines for netwatchd's control socket: every one is a command within its bounds, or refused
 * with a reason. */

#include <stdlib.h>
#include <string.h>

#include "keepalive/ctl_local.h"
#include "keepalive/ctl_ping.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char line[LINE_MAX_IN];
	const char *error;
	struct ctl_cmd c;

	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	memcpy(line, data, len);
	line[len] = '\0';
	error = ctl_parse(line, &c);
	if (error != NULL) {
		if (error[0] == '\0')
			abort();
		return (0);
	}
	if (memchr(c.name, '\0', sizeof(c.name)) == NULL ||
	    strchr(c.name, '"') == c.name)
		abort();
	if (c.verb == CTL_PING && (c.count < 1 || c.count > PING_COUNTMAX ||
	    c.wait_ms < PING_WAITMIN || c.wait_ms > PING_WAITMAX ||
	    (c.size != 0 && c.size < ICMP_PROBELEN) || c.size > ICMP_PROBEMAX))
		abort();
	if (c.verb == CTL_LOG && c.level > LOGGER_DEBUG)
		abort();
	if ((c.verb == CTL_PING || c.verb == CTL_TRACE ||
	    c.verb == CTL_PROBE) && c.name[0] == '\0')
		abort();
	return (0);
}
