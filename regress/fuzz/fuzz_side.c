/* SPDX-License-Identifier: ISC */
/*
 * Two texts of whatever form they seem to have, with an octet 0xff between them: as
 * sides, and compared.  The same comparison the other way round finds as much.
 */

#include <stdlib.h>
#include <string.h>

#include "sbin/ipsecctl/diff.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Placeholders cost scrypt: those are for the unit tests. */
static void
compare(const struct side *a, const struct side *b, FILE *null)
{
	uint32_t i;

	for (i = 0; i < a->npeers; i++)
		if (a->peers[i].secret_state == SECRET_PLACE)
			return;
	for (i = 0; i < b->npeers; i++)
		if (b->peers[i].secret_state == SECRET_PLACE)
			return;
	if (diff_sides(a, b, null) != diff_sides(b, a, null))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *cut = len > 0 ? memchr(data, 0xff, len) : NULL;
	FILE *null = fopen("/dev/null", "w");
	struct side a, b;
	size_t n = cut != NULL ? (size_t)(cut - data) : len;

	if (null == NULL)
		abort();
	if (side_parse(&a, "a", NULL, data, n, null) == 0) {
		if (cut == NULL)
			compare(&a, &a, null);
		else if (side_parse(&b, "b", NULL, cut + 1, len - n - 1, null) == 0) {
			compare(&a, &b, null);
			side_free(&b);
		}
		side_free(&a);
	}
	(void)fclose(null);
	return (0);
}
