/* SPDX-License-Identifier: ISC */
/* RouterOS commands: any text, as items with properties and as a side; see side.h. */

#include <stdlib.h>
#include <string.h>

#include "sbin/ipsecctl/diff.h"
#include "sbin/ipsecctl/side_ros.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
items(const uint8_t *data, size_t len)
{
	struct ros r;
	unsigned int k;
	uint32_t i;

	if (ros_parse(&r, data, len) == 0)
		for (i = 0; i < r.n; i++)
			for (k = 0; k < r.items[i].nprops; k++) {
				if (strlen(r.items[i].props[k].value) >
				    r.items[i].props[k].len)
					abort();
				(void)ros_time(r.items[i].props[k].value);
			}
	ros_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum form form = FORM_ROUTEROS;
	FILE *null = fopen("/dev/null", "w");
	struct side s;

	if (null == NULL)
		abort();
	items(data, len);
	if (side_parse(&s, "fuzz", &form, data, len, null) == 0) {
		(void)diff_sides(&s, &s, null);
		side_free(&s);
	}
	(void)fclose(null);
	return (0);
}
