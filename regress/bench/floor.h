/* SPDX-License-Identifier: ISC */
/* CPU time, and what a handshake cannot cost less than. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "crypto/crypto.h"

/* CPU time of this process so far, user and system, in microseconds. */
double	cpu_us(void);
/* Of one X25519 key pair made and one secret derived, by the library calls that the
 * engine makes; the mean of n.  Ends the program when X25519 fails. */
double	floor_us(struct crypto *, int n);

#endif
