/* SPDX-License-Identifier: ISC */
/* The largest packet that passes a tunnel. */

#include <errno.h>
#include <string.h>

#include "keepalive/icmp.h"
#include "keepalive/pmtu.h"

#define NEED		3	/* misses that make a size too big */
#define NEED_LOSSY	8	/* when probes of other sizes are lost, too */
#define SMALLS		10	/* small ones in a row without reply: give up */
#define PAUSE_MS	200
#define RETRY_S		60	/* after giving up; doubled each time */
#define FLOOR4		576	/* RFC 791: every host takes that */
#define FLOOR6		1280	/* RFC 8200 5 */
#define HEADER4		20
#define HEADER6		40
#define TCPHEADER	20

enum { W_NONE, W_BIG, W_SMALL };

void
pmtu_init(struct pmtu *p, enum addr_family fam, monotime now)
{
	memset(p, 0, sizeof(*p));
	p->base = ICMP_PROBELEN + (fam == ADDR_V4 ? HEADER4 : HEADER6);
	p->floor = fam == ADDR_V4 ? FLOOR4 : FLOOR6;
	p->limit = PMTU_LIMIT;
	p->at = mono_add_ms(now, PMTU_SOON_S * 1000);
}

uint16_t
pmtu_mss(uint16_t mtu, enum addr_family fam)
{
	uint16_t headers = TCPHEADER + (fam == ADDR_V4 ? HEADER4 : HEADER6);

	return (mtu > headers ? mtu - headers : 0);
}

/* So many seconds, up to a quarter less. */
static void
wait_s(struct pmtu *p, int64_t s, monotime now, uint32_t rnd)
{
	p->waiting = W_NONE;
	p->at = mono_add_ms(now, s * 1000 - (int64_t)(rnd % 1000) * s / 4);
}

static enum pmtu_news
done(struct pmtu *p, monotime now, uint32_t rnd)
{
	uint16_t was = p->result;

	p->searching = p->failed = 0;
	p->result = p->low;
	wait_s(p, PMTU_AGAIN_S, now, rnd);
	return (p->result == was ? PMTU_SAME : PMTU_FOUND);
}

static enum pmtu_news
give_up(struct pmtu *p, monotime now, uint32_t rnd)
{
	int64_t s = (int64_t)RETRY_S << p->failed;

	p->searching = 0;
	if (s >= PMTU_AGAIN_S)
		s = PMTU_AGAIN_S;
	else
		p->failed++;
	wait_s(p, s, now, rnd);
	return (PMTU_GAVEUP);
}

static int
open_size(const struct pmtu *p, uint16_t size)
{
	return (size > p->low && size < p->high);
}

/* What would tell most: what was right before, the ends, the middle. */
static uint16_t
choose(const struct pmtu *p)
{
	if (open_size(p, p->hint))
		return (p->hint);
	if (p->low == p->hint && open_size(p, p->hint + 1))
		return (p->hint + 1);
	if (open_size(p, p->floor))
		return (p->floor);
	if (open_size(p, p->limit))
		return (p->limit);
	return ((uint16_t)((p->low + p->high) / 2));
}

static enum pmtu_news
next(struct pmtu *p, monotime now, uint32_t rnd)
{
	p->tries = p->smalls = 0;
	p->waiting = W_NONE;
	p->at = mono_add_ms(now, PAUSE_MS);
	if (p->high - p->low > 1) {
		p->checking = 0;
		p->size = choose(p);
	} else if (p->lossy && !p->checking && p->high <= p->limit) {
		p->checking = 1;
		p->size = p->high;
	} else
		return (done(p, now, rnd));
	return (PMTU_NONE);
}

static void
begin(struct pmtu *p)
{
	p->searching = 1;
	p->lossy = p->checking = p->tries = p->smalls = 0;
	p->low = p->base;
	p->high = p->limit + 1;
	p->hint = p->result;
	p->first = p->seq + 1;
	p->size = choose(p);
	p->waiting = W_NONE;
}

uint16_t
pmtu_step(struct pmtu *p, monotime now, uint32_t rnd, enum pmtu_news *news)
{
	*news = PMTU_NONE;
	if (!mono_reached(p->at, now))
		return (0);
	if (!p->searching)
		begin(p);
	if (p->waiting == W_SMALL) {
		p->lossy = 1;
		if (++p->smalls >= SMALLS) {
			*news = give_up(p, now, rnd);
			return (0);
		}
	} else
		p->waiting = p->waiting == W_BIG ? W_SMALL : W_BIG;
	p->at = mono_add_ms(now, PMTU_TIMEOUT_MS);
	p->seq++;
	return (p->waiting == W_BIG ? p->size : p->base);
}

enum pmtu_news
pmtu_failed(struct pmtu *p, uint32_t seq, int error, monotime now, uint32_t rnd)
{
	if (!p->searching || seq != p->seq)
		return (PMTU_NONE);
	if (error != EMSGSIZE || p->waiting != W_BIG)
		return (give_up(p, now, rnd));
	if (p->checking)
		return (done(p, now, rnd));
	p->high = p->size;
	return (next(p, now, rnd));
}

/* A small one is answered: so it was not loss, unless by chance. */
static enum pmtu_news
missed(struct pmtu *p, monotime now, uint32_t rnd)
{
	p->waiting = W_NONE;
	p->smalls = 0;
	p->at = mono_add_ms(now, PAUSE_MS);
	if (++p->tries < (p->lossy ? NEED_LOSSY : NEED))
		return (PMTU_NONE);
	if (p->checking)
		return (done(p, now, rnd));
	p->high = p->size;
	return (next(p, now, rnd));
}

enum pmtu_news
pmtu_reply(struct pmtu *p, uint32_t seq, uint16_t size, monotime now,
    uint32_t rnd)
{
	/* Of this search only, but it may be late. */
	if (!p->searching || seq - p->first > p->seq - p->first)
		return (PMTU_NONE);
	if (size == p->base)
		return (p->waiting == W_SMALL ? missed(p, now, rnd) :
		    PMTU_NONE);
	if (size <= p->low || size > p->limit)
		return (PMTU_NONE);
	if (p->tries > 0 || seq != p->seq)
		p->lossy = 1;
	p->low = size;
	/* It was thought too big: nothing above is certain, either. */
	if (size >= p->high)
		p->high = p->limit + 1;
	return (open_size(p, p->size) && p->waiting != W_NONE ? PMTU_NONE :
	    next(p, now, rnd));
}

void
pmtu_hint(struct pmtu *p, uint16_t mtu)
{
	if (mtu > p->base && mtu <= p->limit)
		p->hint = mtu;
}

void
pmtu_again(struct pmtu *p, monotime now, uint32_t rnd)
{
	p->searching = p->failed = 0;
	wait_s(p, PMTU_SOON_S, now, rnd);
}

void
pmtu_pause(struct pmtu *p)
{
	p->searching = 0;
	p->waiting = W_NONE;
	p->at = MONO_NEVER;
}
