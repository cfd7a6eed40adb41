/* SPDX-License-Identifier: ISC */
/* Between the files of this room only. */
#ifndef WIRE_LOCAL_H
#define WIRE_LOCAL_H

#include "wire/wire.h"

#define WIRE_GENLEN	4	/* generic payload header, RFC 7296 3.2 */
#define WIRE_CRITBIT	0x80
#define WIRE_TS_V4	7	/* RFC 7296 3.13.1 */
#define WIRE_TS_V6	8
#define WIRE_TS_V4LEN	16
#define WIRE_TS_V6LEN	40
#define WIRE_ATTR_TV	0x8000	/* attribute format bit, RFC 7296 3.3.5 */
#define WIRE_ATTR_KEYLEN	14

/* Body of an SA payload.  NULL, or what is wrong with it. */
const char	*wire_decode_sa(struct rbuf *, struct proposals *);
/* Body of a TS payload; initiator: which of the two, for the words.  */
const char	*wire_decode_ts(struct rbuf *, struct tslist *, uint8_t *skipped,
		    int initiator);
/* Body of a CP payload. */
const char	*wire_decode_cp(struct rbuf *, uint8_t *type, struct cp_list *);
void		 wire_encode_cp(struct wbuf *, uint8_t type, const struct cp_list *);

#endif
