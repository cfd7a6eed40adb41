/* SPDX-License-Identifier: ISC */
/*
 * Encrypted payloads with keys that are known.  The first octet chooses the
 * suite and what the others are:
 * - a datagram, of which whatever follows its SK header is opened;
 * - the inner chain (its first type, then its octets), which is sealed, must open to
 *   itself, is decoded, and with any one octet changed must not open.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "wire/wire.h"

#define NSUITES		4
#define MAXPLAIN	8192

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	LLVMFuzzerInitialize(int *, char ***);

static const struct {
	uint16_t	encr, bits, integ;
} suites[NSUITES] = {
	{ ENCR_AES_GCM_16, 256, INTEG_NONE },
	{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
	{ ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
};

static struct crypto	*c;
static struct wire_msg	 m;
static uint8_t		 msg[MAXPLAIN + 256], plain[WIRE_MAXMSG];

static void
must(int x)
{
	if (!x)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must((c = crypto_new(NULL)) != NULL);
	return (0);
}

static void
keys(unsigned which, struct ike_keys *k)
{
	memset(k, 0, sizeof(*k));
	k->encr = suites[which].encr;
	k->encr_keybits = suites[which].bits;
	k->integ = suites[which].integ;
	memset(k->ei, 0x11, KEY_MAXLEN);
	memset(k->er, 0x22, KEY_MAXLEN);
	memset(k->ai, 0x33, KEY_MAXLEN);
	memset(k->ar, 0x44, KEY_MAXLEN);
}

/* Octets of which nothing is known. */
static void
hostile(const struct ike_keys *k, const uint8_t *p, size_t len)
{
	size_t	n;

	if (len < WIRE_HDRLEN || len > sizeof(plain) ||
	    wire_decode(p[16], p + WIRE_HDRLEN, len - WIRE_HDRLEN, WIRE_HDRLEN, &m,
	    NULL) != WIRE_OK || !(m.has & WIRE_HAS(P_SK)))
		return;
	must(sk_open(c, k, 1, p, m.sk_off + 4, m.sk, plain, &n) == -1 || n > 0);
	must(sk_open(c, k, 0, p, m.sk_off + 4, m.sk, plain, &n) == -1 || n > 0);
}

static void
sealed(const struct ike_keys *k, uint8_t first, const uint8_t *p, size_t len)
{
	static const struct wire_hdr h = {
		.spii = 1, .spir = 2, .major = 2, .exch = X_INFORMATIONAL
	};
	struct wire_enc	 e;
	struct wbuf	 w;
	uint8_t		*room, *inner, iv[16];
	struct span	 content;
	size_t		 n, aad, at;

	memset(iv, 0x5c, sizeof(iv));
	wbuf_init(&w, msg, sizeof(msg));
	wire_begin(&e, &w, &h);
	content.len = sk_len(k, len);
	must((room = wire_put_sk(&e, first, content.len)) != NULL);
	content.p = room;
	aad = (size_t)(room - msg);
	must(sk_seal(c, k, 0, msg, aad, (struct span){ p, len }, iv) == 0);
	must(sk_open(c, k, 0, msg, aad, content, plain, &n) == 0);
	must(n == len && (len == 0 || memcmp(plain, p, n) == 0));
	/* exactly as long, for the address sanitizer */
	must((inner = malloc(n > 0 ? n : 1)) != NULL);
	memcpy(inner, plain, n);
	(void)wire_decode(first, inner, n, 0, &m, NULL);
	free(inner);
	at = (len * 7 + first) % w.len;
	msg[at] ^= 0x10;
	must(sk_open(c, k, 0, msg, aad, content, plain, &n) == -1 && n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ike_keys	k;

	if (len < 2)
		return (0);
	keys(p[0] % NSUITES, &k);
	if (p[0] & 0x80)
		hostile(&k, p + 1, len - 1);
	else if (len - 2 <= MAXPLAIN)
		sealed(&k, p[1], p + 2, len - 2);
	return (0);
}
