/* SPDX-License-Identifier: ISC */
/* ICMP errors by remote address: of a bounded number, for a minute. */

#include <string.h>

#include "proc/icmp.h"

#define KEPT_US		(60 * 1000000LL)
#define LINES		10	/* of the log, a minute */

/* RFC 792, RFC 1812 5.2.7.1, RFC 4443. */
static const struct {
	uint8_t		 fam, type, code;
	const char	*words;
} meanings[] = {
	{ ADDR_V4, 3, 0, "network unreachable" },
	{ ADDR_V4, 3, 1, "host unreachable" },
	{ ADDR_V4, 3, 2, "protocol unreachable" },
	{ ADDR_V4, 3, 3, "port unreachable" },
	{ ADDR_V4, 3, 5, "source route failed" },
	{ ADDR_V4, 3, 6, "network unknown" },
	{ ADDR_V4, 3, 7, "host unknown" },
	{ ADDR_V4, 3, 9, "administratively prohibited (a firewall)" },
	{ ADDR_V4, 3, 10, "administratively prohibited (a firewall)" },
	{ ADDR_V4, 3, 13, "administratively prohibited (a firewall)" },
	{ ADDR_V4, 11, 0, "time to live exceeded (routes in a circle)" },
	{ ADDR_V6, 1, 0, "no route" },
	{ ADDR_V6, 1, 1, "administratively prohibited (a firewall)" },
	{ ADDR_V6, 1, 3, "address unreachable" },
	{ ADDR_V6, 1, 4, "port unreachable" },
	{ ADDR_V6, 1, 5, "source address refused (a firewall)" },
	{ ADDR_V6, 1, 6, "route refused" },
	{ ADDR_V6, 3, 0, "hop limit exceeded (routes in a circle)" },
};

const char *
icmp_words(const struct icmp_said *s)
{
	size_t		 i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].fam == s->by.fam && meanings[i].type == s->type &&
		    meanings[i].code == s->code)
			return (meanings[i].words);
	return (NULL);
}

/* Two addresses that meet here only take each other's evidence away. */
static size_t
slot_of(const struct addr *a)
{
	uint32_t	 h = a->fam;
	size_t		 i;

	for (i = 0; i < sizeof(a->b); i++)
		h = (h ^ a->b[i]) * 16777619U;
	return ((h ^ h >> 16) % ICMP_SLOTS);
}

static int
same(const struct icmp_said *a, const struct icmp_said *b)
{
	return (addr_cmp(&a->to, &b->to) == 0 && addr_cmp(&a->by, &b->by) == 0 &&
	    a->type == b->type && a->code == b->code);
}

int
icmp_note(struct icmp_seen *t, monotime now, const struct icmp_said *s)
{
	struct icmp_slot *k = &t->slot[slot_of(&s->to)];
	int		 again;

	if (icmp_words(s) == NULL || s->to.fam == ADDR_NONE)
		return (0);
	again = same(&k->s, s) && mono_diff_us(now, k->told) < KEPT_US;
	k->s = *s;
	k->at = now;
	if (again)
		return (0);
	if (t->told == 0 || mono_diff_us(now, t->since) >= KEPT_US) {
		t->since = now;
		t->told = 0;
	}
	if (t->told >= LINES)
		return (0);
	t->told++;
	k->told = now;
	return (1);
}

void
icmp_forget(struct icmp_seen *t, const struct addr *from)
{
	struct icmp_slot *k = &t->slot[slot_of(from)];

	if (addr_cmp(&k->s.to, from) == 0)
		k->at.us = INT64_MIN / 2;	/* not what was told: not again so soon */
}

void
icmp_heard(const struct icmp_seen *t, monotime now, const struct addr *to,
    struct icmp_heard *h)
{
	const struct icmp_slot *k = &t->slot[slot_of(to)];

	memset(h, 0, sizeof(*h));
	if (to->fam == ADDR_NONE || k->s.to.fam == ADDR_NONE || addr_cmp(&k->s.to, to) != 0 ||
	    mono_diff_us(now, k->at) >= KEPT_US)
		return;
	h->by = k->s.by;
	h->type = k->s.type;
	h->code = k->s.code;
	h->ago_ms = (uint64_t)mono_diff_us(now, k->at) / 1000;
}
