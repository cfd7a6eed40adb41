/* SPDX-License-Identifier: ISC */
/*
 * Fragments (RFC 7383).  The first octet chooses the suite, and whether the receiver is
 * half-open; then come orders of 8 octets, in the words of a peer that has the keys:
 * what (see below), first type, number 2, total 2, length 2.  What is put together must be
 * what a slow and simple receiver would have put together, and the bounds must hold.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	LLVMFuzzerInitialize(int *, char ***);

enum { O_BENT = 1, O_RESPONSE = 2, O_NEXT = 4, O_LATER = 16, O_RAW = 32,
    O_SMALL = 64, O_SEND = 128 };

static const struct {
	uint16_t	encr, bits, integ;
} suites[] = {
	{ ENCR_AES_GCM_16, 256, INTEG_NONE },
	{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
	{ ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
};

/* The simple receiver: of a request and of a response. */
static struct model {
	int		on;
	uint32_t	msgid;
	uint16_t	total;
	uint8_t		first;
	uint8_t		*p[128];
	size_t		len[128];
} model[2];

static struct world	 w;
static struct conf	 conf;
static struct ike_core	 tx, rx;
static uint8_t		 msg[WIRE_MAXMSG], text[WIRE_MAXMSG], whole[WIRE_MAXMSG];

static void
must(int x)
{
	if (!x)
		abort();
}

static void
fx_random(void *arg, void *p, size_t n)
{
	(void)arg;
	memset(p, 0x5c, n);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t	i;

	(void)argc;
	(void)argv;
	w.fx.random = fx_random;
	must((w.crypto = crypto_new(NULL)) != NULL && world_init(&w) == 0);
	w.conf = &conf;
	conf.fragmentation = 1;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 167 + (i >> 8));
	return (0);
}

static void
model_free(struct model *m)
{
	int	i;

	for (i = 0; i < 128; i++)
		free(m->p[i]);
	memset(m, 0, sizeof(*m));
}

static void
begin(unsigned int which, int v6)
{
	memset(&tx, 0, sizeof(tx));
	tx.keys.encr = suites[which].encr;
	tx.keys.encr_keybits = tx.suite.encr_keybits = suites[which].bits;
	tx.keys.integ = suites[which].integ;
	tx.suite.encr = suites[which].encr;
	memset(tx.keys.ei, 0x11, KEY_MAXLEN);
	memset(tx.keys.er, 0x22, KEY_MAXLEN);
	memset(tx.keys.ai, 0x33, KEY_MAXLEN);
	memset(tx.keys.ar, 0x44, KEY_MAXLEN);
	tx.spii = 1;
	tx.spir = 2;
	tx.frag = 1;
	must(addr_parse(&tx.remote.addr, v6 ? "2001:db8::1" : "192.0.2.1") == 0);
	rx = tx;
	tx.initiator = 1;
	w.now = mono_add_ms((monotime){ 0 }, 1000000);
}

/* One datagram into rx, as the engine would. */
static enum opened
receive(const uint8_t *p, size_t n, int half, struct rx *r)
{
	memset(r, 0, sizeof(*r));
	if (n > sizeof(msg) || wire_hdr_decode(p, n, &r->hdr) == -1 ||
	    wire_decode(r->hdr.next, p + WIRE_HDRLEN, n - WIRE_HDRLEN, WIRE_HDRLEN, w.msg,
	    NULL) != WIRE_OK || (w.msg->has & (WIRE_HAS(P_SK) | WIRE_HAS(P_SKF))) == 0)
		return (OPEN_DROP);
	r->raw = p;
	r->len = n;
	r->m = w.msg;
	return (message_in(&w, &rx, half, r));
}

static size_t
seal_piece(const uint8_t *o, uint32_t msgid, size_t len)
{
	static const struct wire_hdr	none;
	struct wire_hdr			h = none;
	struct wire_enc			e;
	struct wbuf			b;
	uint8_t				iv[16] = { 0 };
	size_t				n = sk_len(&tx.keys, len);

	h.spii = tx.spii;
	h.spir = tx.spir;
	h.major = 2;
	h.exch = X_INFORMATIONAL;
	h.flags = (uint8_t)(WIRE_F_INITIATOR | (o[0] & O_RESPONSE ? WIRE_F_RESPONSE : 0));
	h.msgid = msgid;
	memcpy(iv, o, 8);
	wbuf_init(&b, msg, sizeof(msg));
	wire_begin(&e, &b, &h);
	must(wire_put_skf(&e, o[1], (uint16_t)(o[2] << 8 | o[3]),
	    (uint16_t)(o[4] << 8 | o[5]), n) != NULL);
	must(sk_seal(w.crypto, &tx.keys, 1, msg, b.len - n, (struct span){ text + msgid, len },
	    iv) == 0);
	return (b.len);
}

/* What the simple receiver says to the same: the length when it is whole, else -1. */
static ssize_t
model_piece(struct model *m, const uint8_t *o, uint32_t msgid, size_t len)
{
	uint16_t	num = (uint16_t)(o[2] << 8 | o[3]), i;
	uint16_t	total = (uint16_t)(o[4] << 8 | o[5]);
	size_t		at = 0;

	if (num == 0 || num > total || total > 128)
		return (-1);
	if (!m->on || m->msgid != msgid || total > m->total) {
		model_free(m);
		m->on = 1;
		m->msgid = msgid;
		m->total = total;
	}
	if (total < m->total || m->p[num - 1] != NULL)
		return (-1);
	must((m->p[num - 1] = malloc(len + 1)) != NULL);
	memcpy(m->p[num - 1], text + msgid, len);
	m->len[num - 1] = len;
	if (num == 1)
		m->first = o[1];
	for (i = 0; i < m->total; i++)
		if (m->p[i] == NULL)
			return (-1);
	for (i = 0; i < m->total; i++) {
		memcpy(whole + at, m->p[i], m->len[i]);
		at += m->len[i];
	}
	return ((ssize_t)at);
}

static void
order(const uint8_t *o, int half, uint32_t *msgid)
{
	struct model	*m = &model[(o[0] & O_RESPONSE) != 0];
	struct rx	 r;
	enum opened	 got;
	size_t		 len = (size_t)((o[6] << 8 | o[7]) % 2000), n;
	ssize_t		 want;
	uint8_t		 first;

	if (o[0] & O_NEXT)
		++*msgid;
	if (o[0] & O_LATER) {
		w.now = mono_add_ms(w.now, FRAG_MS);
		fragment_expire(&w, &rx);
		must(rx.frags[0] == NULL && rx.frags[1] == NULL);
		model_free(&model[0]);
		model_free(&model[1]);
	}
	n = seal_piece(o, *msgid, len);
	if (o[0] & O_BENT) {
		msg[n - 1 - (size_t)o[1] % (n - WIRE_HDRLEN)] ^= (uint8_t)(1 | o[2]);
		got = receive(msg, n, half, &r);
		must(got == OPEN_BAD || got == OPEN_DROP);
		return;
	}
	want = model_piece(m, o, *msgid, len);
	first = m->first;
	got = receive(msg, n, half, &r);
	if (want == -1)
		must(got != OPEN_DONE && got != OPEN_BAD);
	else {
		must(got == OPEN_DONE && r.plainlen == (size_t)want &&
		    r.plainfirst == first && memcmp(r.plain, whole, r.plainlen) == 0);
		model_free(m);
	}
	/* past its bounds it keeps less than the simple one, which ends here */
	if (want == -1 && got == OPEN_DROP && m->on && rx.frags[(o[0] & O_RESPONSE) != 0] !=
	    NULL && rx.frags[(o[0] & O_RESPONSE) != 0]->octets > 20000) {
		frags_free(&w, &rx.frags[(o[0] & O_RESPONSE) != 0]);
		model_free(m);
	}
}

/* What tx makes of a message is what rx puts together, also cut anew. */
static void
send_whole(const uint8_t *o, uint32_t msgid)
{
	static uint8_t	 buf[MSG_MAX];
	struct rx	 r;
	size_t		 len = (size_t)((o[6] << 8 | o[7]) % (MSG_MAX / 2)), n, at, k;
	uint8_t		*p;
	uint32_t	 plen;
	enum opened	 got = OPEN_DROP;

	n = message_seal(&w, &tx, X_INFORMATIONAL, (o[0] & O_RESPONSE) != 0, msgid, o[1],
	    text, len, buf);
	must(n > 0);
	must((p = malloc(n)) != NULL);
	memcpy(p, buf, n);
	plen = (uint32_t)n;
	if (o[0] & O_SMALL)
		fragment_smaller(&w, &tx, &p, &plen);
	for (at = 0; at < plen; at += k) {
		k = datagram_len(p + at, plen - at);
		must(k <= 1280 - 28);
		got = receive(p + at, k, 0, &r);
		must(at + k == plen ? got == OPEN_DONE : got == OPEN_WAIT);
	}
	must(got == OPEN_DONE && r.plainlen == len && r.plainfirst == o[1] &&
	    (len == 0 || memcmp(r.plain, text, len) == 0));
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct rx	r;
	uint32_t	msgid = 1;
	int		half, i;

	if (len < 1)
		return (0);
	begin(p[0] & 3, (p[0] & 8) != 0);
	half = (p[0] & 4) != 0;
	for (p++, len--; len >= 8; p += 8, len -= 8) {
		if (p[0] & O_RAW)
			must(receive(p, len, half, &r) != OPEN_DONE);
		else if (p[0] & O_SEND) {
			for (i = 0; i < 2; i++) {
				frags_free(&w, &rx.frags[i]);
				model_free(&model[i]);
			}
			send_whole(p, ++msgid);
			msgid++;
		} else
			order(p, half, &msgid);
		for (i = 0; i < 2; i++)
			must(rx.frags[i] == NULL ||
			    rx.frags[i]->octets <= (half ? 32768U : 65535U));
	}
	for (i = 0; i < 2; i++) {
		frags_free(&w, &rx.frags[i]);
		model_free(&model[i]);
	}
	must(w.halffrags == 0);
	return (0);
}
