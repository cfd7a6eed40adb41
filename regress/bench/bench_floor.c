/* SPDX-License-Identifier: ISC */
/* Prints the floor in microseconds, for a script that measures something else. */

#include <err.h>
#include <stdio.h>

#include "bench/floor.h"

int
main(void)
{
	struct crypto *c;

	if ((c = crypto_new(NULL)) == NULL)
		errx(1, "no crypto");
	printf("%.1f\n", floor_us(c, 5000));
	crypto_free(c);
	return (0);
}
