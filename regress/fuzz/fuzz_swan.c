/* SPDX-License-Identifier: ISC */
/* strongSwan's settings: any text, as sections and as a side; see side.h. */

#include <stdlib.h>
#include <string.h>

#include "sbin/ipsecctl/diff.h"
#include "sbin/ipsecctl/side_swan.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
look(void *arg, const struct swan *s)
{
	struct swan_file *f = arg;
	unsigned int i;

	for (i = 0; i < s->nkeys; i++)
		if (strlen(s->keys[i].value) > s->keys[i].len)
			abort();
	(void)swan_key(f, s, "id");
	(void)swan_sub(f, s, "children");
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum form form = FORM_SWANCTL;
	FILE *null = fopen("/dev/null", "w");
	struct swan_file f;
	struct side s;

	if (null == NULL)
		abort();
	if ((swan_parse(&f, data, len) == 0) != (f.error == NULL))
		abort();
	(void)swan_each(&f, &f.root, "", look, &f);
	swan_free(&f);
	if (side_parse(&s, "fuzz", &form, data, len, null) == 0) {
		(void)diff_sides(&s, &s, null);
		side_free(&s);
	}
	(void)fclose(null);
	return (0);
}
