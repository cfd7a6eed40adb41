/* SPDX-License-Identifier: ISC */
/*
 * IKE fragmentation (RFC 7383): messages that IP would have to cut are cut here,
 * each piece sealed by itself, since what is cut by IP is what firewalls and NATs lose.
 *
 * What is kept to be sent again is a row of datagrams, one behind the other; each
 * says in its header how long it is.  A message that fits into one is a row of one.
 *
 * Sizes.  2.5.1 recommends datagrams of 1280 octets on IPv6 and of 576 on IPv4, and
 * allows others.  Both begin with 1280 here: paths of IPv4 that carry less are rare, and an
 * IKE_SA_INIT, which cannot be cut, may be as long.  On IPv4 what is sent in vain for
 * FRAG_TRIES times is cut anew for 576 (2.5.2 in two steps), and so is what follows.
 *
 * Reassembly.  One request and one response of an SA at a time: with a window of one
 * there is never more to wait for, and the two do not push each other out.  Nothing is
 * stored before its ICV is right.  Memory has an end for each message, and a nearer
 * one, one by one and together, before AUTH: there anybody may have the keys.
 */

#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

#define FRAG_MTU	1280
#define FRAG_MTU4	576	/* RFC 791 3.1: every host takes that */
#define FRAG_MAX	128	/* pieces of one message */
#define FRAG_HALF	32768	/* octets, before AUTH: room for a chain of certificates */
#define FRAG_HALVES	(8 << 20)	/* and of all those together */

static int
is_v4(const struct ike_core *c)
{
	return (addr_len(&c->remote.addr) == 4);
}

/* The longest IKE message for datagrams of mtu octets.  The marker counts whether it is
 * there or not: a reply may have to leave from the other port (2.11). */
static size_t
longest(const struct ike_core *c, uint16_t mtu)
{
	/* there are but these two, whatever a moved SA says */
	if (mtu != FRAG_MTU4)
		mtu = FRAG_MTU;
	return ((size_t)mtu - (is_v4(c) ? 20 : 40) - 8 - 4);
}

size_t
fragment_chunk(const struct world *w, const struct ike_core *c, size_t len)
{
	size_t	room = longest(c, c->mtu);

	if (!c->frag || (w->conf != NULL && !w->conf->fragmentation) ||
	    WIRE_HDRLEN + WIRE_SKLEN + sk_len(&c->keys, len) <= room)
		return (len);
	return (sk_fit(&c->keys, room - WIRE_HDRLEN - WIRE_SKFLEN));
}

size_t
datagram_len(const uint8_t *p, size_t len)
{
	struct rbuf	r;
	uint32_t	n;

	rbuf_init(&r, p, len);
	rbuf_skip(&r, WIRE_HDRLEN - 4);
	n = rbuf_u32(&r);
	return (!rbuf_ok(&r) || n < WIRE_HDRLEN || n > len ? len : n);
}

/* Our own row of datagrams, opened into w->plain: its length, or -1.  The first one's
 * header and first inner type go to *h and *first. */
static ssize_t
reopen(struct world *w, struct ike_core *c, const uint8_t *p, size_t len,
    struct wire_hdr *h, uint8_t *first)
{
	struct wire_hdr	 one;
	struct wire_msg	*m = w->msg;
	size_t		 n, k, at = 0;

	memset(h, 0, sizeof(*h));
	for (*first = P_NONE; len > 0; p += n, len -= n) {
		n = datagram_len(p, len);
		if (wire_hdr_decode(p, n, &one) == -1 || wire_decode(one.next,
		    p + WIRE_HDRLEN, n - WIRE_HDRLEN, WIRE_HDRLEN, m, NULL) != WIRE_OK ||
		    (m->has & (WIRE_HAS(P_SK) | WIRE_HAS(P_SKF))) == 0 ||
		    at + m->sk.len > WIRE_MAXMSG ||
		    sk_open(w->crypto, &c->keys, c->initiator, p,
		    (size_t)(m->sk.p - p), m->sk, w->plain + at, &k) == -1)
			return (-1);
		if (at == 0) {
			*h = one;
			*first = m->sk_first;
		}
		at += k;
	}
	return ((ssize_t)at);
}

void
fragment_smaller(struct world *w, struct ike_core *c, uint8_t **msg, uint32_t *len)
{
	struct wire_hdr	 h;
	uint8_t		 buf[MSG_MAX], first, *copy;
	uint16_t	 mtu = c->mtu;
	size_t		 n;
	ssize_t		 k;

	if (!c->frag || !is_v4(c) || mtu == FRAG_MTU4 || w->conf == NULL ||
	    !w->conf->fragmentation ||
	    datagram_len(*msg, *len) <= longest(c, FRAG_MTU4))
		return;
	if ((k = reopen(w, c, *msg, *len, &h, &first)) == -1)
		return;
	/* twice as many pieces and more: Total tells them from the others (2.5.2) */
	c->mtu = FRAG_MTU4;
	n = message_seal(w, c, h.exch, (h.flags & WIRE_F_RESPONSE) != 0, h.msgid, first,
	    w->plain, (size_t)k, buf);
	crypto_wipe(w->plain, (size_t)k);
	if (n == 0 || (copy = malloc(n)) == NULL) {
		c->mtu = mtu;
		return;
	}
	memcpy(copy, buf, n);
	free(*msg);
	*msg = copy;
	*len = (uint32_t)n;
}

/* ---- what comes in */

/* 2.6; a number of pieces that no sane message has would be nothing but memory. */
static int
plausible(const struct wire_msg *m)
{
	return (m->frag_num != 0 && m->frag_num <= m->frag_total &&
	    m->frag_total <= FRAG_MAX);
}

/* Room for n more octets of this message? */
static int
has_room(const struct world *w, int half, size_t has, size_t n)
{
	if (half && (has + n > FRAG_HALF || w->halffrags + n > FRAG_HALVES))
		return (0);
	return (has + n <= WIRE_MAXMSG);
}

static void
take_room(struct world *w, struct frags *f, size_t n)
{
	f->octets += (uint32_t)n;
	if (f->half)
		w->halffrags += n;
}

static struct frags *
frags_new(struct world *w, const struct rx *rx, int half)
{
	struct frags	*f;
	uint16_t	 n = rx->m->frag_total;
	size_t		 size = sizeof(*f) + n * sizeof(f->piece[0]);

	if (!has_room(w, half, 0, size) || (f = calloc(1, size)) == NULL)
		return (NULL);
	f->msgid = rx->hdr.msgid;
	f->exch = rx->hdr.exch;
	f->total = n;
	f->half = (uint8_t)half;
	f->until = mono_add_ms(w->now, FRAG_MS);
	take_room(w, f, size);
	return (f);
}

static int
store(struct world *w, struct frags *f, const struct rx *rx, size_t n)
{
	struct frag	*p = &f->piece[rx->m->frag_num - 1];

	if (!has_room(w, f->half, f->octets, n) ||
	    (p->p = malloc(n > 0 ? n : 1)) == NULL)
		return (-1);
	memcpy(p->p, w->plain, n);
	p->len = (uint16_t)n;
	/* the type stands in the first one only (2.5) */
	if (rx->m->frag_num == 1)
		f->first = rx->m->sk_first;
	if (rx->len > f->largest)
		f->largest = (uint16_t)rx->len;
	take_room(w, f, n);
	f->have++;
	return (0);
}

/* The pieces in their order, into w->plain. */
static size_t
join(struct world *w, const struct frags *f)
{
	struct wbuf	b;
	uint16_t	i;

	wbuf_init(&b, w->plain, WIRE_MAXMSG);
	for (i = 0; i < f->total; i++)
		wbuf_bytes(&b, f->piece[i].p, f->piece[i].len);
	return (b.len);
}

enum opened
fragment_in(struct world *w, struct ike_core *c, int half, struct rx *rx)
{
	const struct wire_msg	*m = rx->m;
	struct frags		**at = &c->frags[(rx->hdr.flags & WIRE_F_RESPONSE) != 0];
	struct frags		*f = *at, *fresh = NULL;
	size_t			 n;

	w->tally.frags_in++;
	if (!c->frag || !plausible(m))
		return (OPEN_DROP);
	if (f != NULL && (f->msgid != rx->hdr.msgid || f->exch != rx->hdr.exch ||
	    mono_reached(f->until, w->now)))
		f = NULL;		/* not what is waited for now */
	if (f != NULL && (m->frag_total < f->total ||
	    (m->frag_total == f->total && f->piece[m->frag_num - 1].p != NULL)))
		return (OPEN_DROP);
	if (message_open(w, c, rx->raw, m, &n) == -1)
		return (OPEN_BAD);
	if (f == NULL || m->frag_total > f->total) {
		if ((fresh = frags_new(w, rx, half)) == NULL)
			return (OPEN_DROP);
		frags_free(w, at);
		*at = f = fresh;
	}
	if (store(w, f, rx, n) == -1)
		return (OPEN_DROP);
	if (f->have < f->total)
		return (OPEN_WAIT);
	rx->plainlen = join(w, f);
	rx->plainfirst = f->first;
	rx->plain = w->plain;
	/* its path may take no more, and then ours may not either (2.5.1) */
	if (is_v4(c) && f->largest <= longest(c, FRAG_MTU4))
		c->mtu = FRAG_MTU4;
	frags_free(w, at);
	return (OPEN_DONE);
}

void
fragment_expire(struct world *w, struct ike_core *c)
{
	int	i;

	for (i = 0; i < 2; i++)
		if (c->frags[i] != NULL && mono_reached(c->frags[i]->until, w->now))
			frags_free(w, &c->frags[i]);
}

enum opened
message_in(struct world *w, struct ike_core *c, int half, struct rx *rx)
{
	size_t	n;

	if (rx->m->has & WIRE_HAS(P_SKF))
		return (fragment_in(w, c, half, rx));
	if (message_open(w, c, rx->raw, rx->m, &n) == -1)
		return (OPEN_BAD);
	rx->plain = w->plain;
	rx->plainlen = n;
	rx->plainfirst = rx->m->sk_first;
	/* whole: pieces of it are of no use, and never mixed with it */
	frags_free(w, &c->frags[(rx->hdr.flags & WIRE_F_RESPONSE) != 0]);
	return (OPEN_DONE);
}
