/* SPDX-License-Identifier: ISC */
/*
 * Several targets of one tunnel: each probe is a round to all of them, with one number, and
 * is answered when `quorum' of them have answered it.
 *
 * They are witnesses, too.  Who is silent while another one answers round after round has been
 * found to be silent by itself, and is not believed for a day; several others that fall
 * silent with the very same round speak against the tunnel.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

#define SOLO		4	/* rounds of another's in a row without this one */
#define DOUBT_S		86400

int
members_new(struct target *t)
{
	const struct watch_conf *wc = t->conf;

	if (wc->nmore == 0)
		return (0);
	t->mem = calloc(1, sizeof(*t->mem) + (t->ring_mask + 1U) * sizeof(t->mem->round[0]));
	if (t->mem == NULL)
		return (-1);
	t->mem->n = (uint8_t)(wc->nmore + 1);
	t->mem->quorum = wc->ka != NULL && wc->ka->quorum > 0 ? wc->ka->quorum : 1;
	return (0);
}

unsigned int
target_count(const struct target *t)
{
	return (t->conf->nmore + 1U);
}

const struct addr *
target_addr(const struct target *t, unsigned int i)
{
	return (i == 0 ? &t->conf->target : &t->conf->more[i - 1]);
}

/* -1: none of its. */
int
target_index(const struct target *t, const struct addr *a)
{
	unsigned int i;

	for (i = 0; i < target_count(t); i++)
		if (addr_cmp(a, target_addr(t, i)) == 0)
			return ((int)i);
	return (-1);
}

static struct round *
round_of(struct target *t, uint32_t seq)
{
	return (&t->mem->round[seq & t->ring_mask]);
}

void
members_sent(struct target *t, uint32_t seq)
{
	if (t->mem != NULL)
		memset(round_of(t, seq), 0, sizeof(struct round));
}

static void
note_solo(struct members *m, unsigned int who, monotime now)
{
	unsigned int i;

	if (m->m[who].row <= SOLO)
		return;
	for (i = 0; i < m->n; i++)
		if (i != who && m->m[i].last + SOLO < m->m[who].last)
			m->m[i].solo = (uint32_t)(now.us / 1000000) | 1;
}

static unsigned int
ones(uint8_t bits)
{
	unsigned int n;

	for (n = 0; bits != 0; bits &= (uint8_t)(bits - 1))
		n++;
	return (n);
}

int
members_reply(struct target *t, unsigned int who, uint32_t seq, monotime now)
{
	struct members *m = t->mem;
	struct round *r;

	if (m == NULL)
		return (1);
	r = round_of(t, seq);
	if (r->heard & 1U << who)
		return (-1);
	r->heard |= (uint8_t)(1U << who);
	if (seq + 1 > m->m[who].last) {
		m->m[who].row = (uint8_t)(seq != m->m[who].last ? 1 :
		    m->m[who].row < UINT8_MAX ? m->m[who].row + 1 : UINT8_MAX);
		m->m[who].last = seq + 1;
		note_solo(m, who, now);
	}
	return (ones(r->heard) == m->quorum);
}

int
members_failed(struct target *t, uint32_t seq)
{
	struct round *r;

	if (t->mem == NULL)
		return (1);
	r = round_of(t, seq);
	r->failed++;
	return (r->failed + t->mem->quorum > t->mem->n);
}

int
members_witness(const struct target *t, monotime now)
{
	const struct members *m = t->mem;
	uint32_t last = 0;
	unsigned int i, n = 0;

	if (m == NULL)
		return (0);
	for (i = 0; i < m->n; i++)
		last = m->m[i].last > last ? m->m[i].last : last;
	for (i = 0; i < m->n && last != 0; i++)
		n += m->m[i].last == last && (m->m[i].solo == 0 ||
		    now.us / 1000000 - m->m[i].solo > DOUBT_S);
	return (n >= 2);
}

void
members_text(const struct target *t, char *dst, size_t cap)
{
	unsigned int i, n = 0;
	uint32_t seq;

	dst[0] = '\0';
	if (t->mem == NULL || t->seq < 2)
		return;
	/* the last but one: that is not on its way */
	seq = t->seq - 2;
	for (i = 0; i < t->mem->n; i++)
		n += t->mem->m[i].last > seq;
	(void)snprintf(dst, cap, "%u of its %u targets answer, %u are wanted", n, t->mem->n,
	    t->mem->quorum);
}
