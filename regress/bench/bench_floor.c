/* SPDX-License-Identifier: ISC */
/*
 * What a handshake cannot cost less than: one X25519 key pair made and one secret
 * derived, by the same library calls.  CPU time of this process, in microseconds.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3);
}

int
main(void)
{
	uint8_t rnd[64], secret[KE_MAXSECRET];
	struct crypto *c;
	struct ke *peer, *k;
	double t0;
	size_t len;
	int i, n = 5000;

	if ((c = crypto_new(NULL)) == NULL)
		errx(1, "no crypto");
	arc4random_buf(rnd, sizeof(rnd));
	if ((peer = ke_new(c, KE_X25519, rnd, 32)) == NULL)
		errx(1, "no X25519");
	t0 = cpu_us();
	for (i = 0; i < n; i++) {
		arc4random_buf(rnd, 32);
		if ((k = ke_new(c, KE_X25519, rnd, 32)) == NULL ||
		    ke_derive(c, k, ke_public(peer), secret, &len) != 0)
			errx(1, "X25519 fails");
		ke_free(k);
	}
	printf("%.1f\n", (cpu_us() - t0) / n);
	ke_free(peer);
	crypto_free(c);
	return (0);
}
