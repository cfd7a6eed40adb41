/* SPDX-License-Identifier: ISC */
/* X25519, timed: what every ratio of the benchmarks refers to. */

#include <err.h>
#include <stdlib.h>
#include <time.h>

#include "bench/floor.h"

double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3);
}

double
floor_us(struct crypto *c, int n)
{
	uint8_t rnd[32], secret[KE_MAXSECRET];
	struct ke *peer, *k;
	double t0;
	size_t len;
	int i;

	arc4random_buf(rnd, sizeof(rnd));
	if ((peer = ke_new(c, KE_X25519, rnd, sizeof(rnd))) == NULL)
		errx(1, "no X25519");
	t0 = cpu_us();
	for (i = 0; i < n; i++) {
		arc4random_buf(rnd, sizeof(rnd));
		if ((k = ke_new(c, KE_X25519, rnd, sizeof(rnd))) == NULL ||
		    ke_derive(c, k, ke_public(peer), secret, &len) != 0)
			errx(1, "X25519 fails");
		ke_free(k);
	}
	t0 = cpu_us() - t0;
	ke_free(peer);
	return (t0 / n);
}
