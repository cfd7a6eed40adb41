/* SPDX-License-Identifier: ISC */
/*
 * Negative test 55, within the library that does the arithmetic: its allocations fail, one
 * by one.  A key pair, a secret, a MAC or a seal that cannot be had fails that exchange.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/engine_local.h"
#include "sim.h"

#define PFS	"ikesa enc aes-256 auth hmac-sha2-256 group ecp256 childsa enc aes-128-gcm " \
	"group curve25519"
#define LIVES	1000

static long	count, fail_at, fail_n;

static int
fails(void)
{
	count++;
	return (count >= fail_at && count < fail_at + fail_n);
}

static void *
fail_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return (fails() ? NULL : malloc(n));
}

static void *
fail_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return (fails() ? NULL : realloc(p, n));
}

static void
plain_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static void
want_ike_rekey(struct node *n)
{
	struct ike_sa	*ike;
	uint32_t	 at = 0;

	while ((ike = slab_walk(&n->e->w.ikes, &at, NULL)) != NULL) {
		ike->want_rekey = 1;
		touch_ike(&n->e->w, ike);
	}
}

/* Up, the Child rekeyed by either side, the IKE SA by either side, down. */
static void
life(struct sim *s)
{
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 3000);
	sim_cmd(s->n[0], CMD_REKEY, "b");
	sim_run(s, 2000);
	sim_cmd(s->n[1], CMD_REKEY, "a");
	sim_run(s, 2000);
	want_ike_rekey(s->n[0]);
	sim_run(s, 2000);
	want_ike_rekey(s->n[1]);
	sim_run(s, 2000);
}

static int
ends_well(struct sim *s)
{
	sim_run(s, 70000);
	if (!sim_is_up(s->n[0], "b"))
		(void)sim_up(s->n[0], "b");
	sim_run(s, 20000);
	return (sim_is_up(s->n[0], "b") && sim_is_up(s->n[1], "a") &&
	    sim_agree(s->n[0]) && sim_agree(s->n[1]) &&
	    sim_mirror(s->n[0], s->n[1], "b", "a") &&
	    sim_established(s->n[0]) == 1 && sim_established(s->n[1]) == 1 &&
	    sim_kernel_count(s->n[0]) == 2 && sim_kernel_count(s->n[1]) == 2);
}

static void
each(long in_a_row)
{
	struct sim	*s;
	long		 at, total, step;

	s = sim_pair(1, "ondemand", "ondemand", PFS);
	fail_n = 0;
	count = 0;
	life(s);
	total = count;
	sim_free(s);
	ATF_REQUIRE_MSG(total > 500, "%ld allocations", total);
	step = total / LIVES + 1;
	for (at = 1; at <= total; at += step) {
		s = sim_pair(1, "ondemand", "ondemand", PFS);
		count = 0;
		fail_at = at;
		fail_n = in_a_row;
		life(s);
		fail_n = 0;
		ATF_CHECK_MSG(ends_well(s), "allocation %ld of %ld, %ld in a row", at, total,
		    in_a_row);
		sim_free(s);
	}
	printf("%ld allocations, one of %ld, %ld in a row\n", total, step, in_a_row);
}

/* Negative test 55. */
ATF_TC_WITHOUT_HEAD(n55_crypto);
ATF_TC_BODY(n55_crypto, tc)
{
	ATF_REQUIRE_EQ(CRYPTO_set_mem_functions(fail_malloc, fail_realloc, plain_free), 1);
	each(1);
	each(20);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, n55_crypto);
	return (atf_no_error());
}
