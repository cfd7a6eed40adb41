/* SPDX-License-Identifier: ISC */
/* The fixed IKE header (RFC 7296 3.1). */

#include "wire/wire.h"

int
wire_hdr_decode(const void *p, size_t len, struct wire_hdr *h)
{
	struct rbuf	 r;
	uint8_t		 v;

	rbuf_init(&r, p, len);
	h->spii = rbuf_u64(&r);
	h->spir = rbuf_u64(&r);
	h->next = rbuf_u8(&r);
	v = rbuf_u8(&r);
	h->major = v >> 4;
	h->minor = v & 0x0f;
	h->exch = rbuf_u8(&r);
	h->flags = rbuf_u8(&r);
	h->msgid = rbuf_u32(&r);
	h->len = rbuf_u32(&r);
	if (!rbuf_ok(&r) || h->len != len)
		return (-1);
	return (0);
}
