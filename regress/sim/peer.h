/* SPDX-License-Identifier: ISC */
/* A peer gone bad: it has the keys, and says what it likes. */
#ifndef PEER_H
#define PEER_H

#include "engine/engine_local.h"
#include "sim.h"

/* The inner chain of a CREATE_CHILD_SA request (no KE): length, or 0. */
size_t	peer_create_child(uint8_t *, size_t cap, uint32_t spi, const char *from,
	    const char *to, uint8_t *first);
/* The SA of a node that sends with this SPI pair, half or whole; NULL: none. */
struct ike_core *peer_core(struct node *, uint64_t spii, uint64_t spir);
/* message_seal() into one datagram, however long. */
size_t	peer_seal(struct world *, struct ike_core *, uint8_t exch, int response,
	    uint32_t msgid, uint8_t first, const uint8_t *inner, size_t len,
	    uint8_t out[MSG_MAX]);
/* Opens what `from` has sealed, hands the chain to change(), and seals it again.
 * The new length, or 0: not an SK message, or the change gave -1. */
size_t	peer_alter(struct node *from, const struct packet *,
	    int (*change)(void *, uint8_t *plain, size_t *len, uint8_t *first), void *,
	    uint8_t out[MSG_MAX]);
/* One fragment of the peer's choice: exchange, direction and message id as in `as'. */
size_t	peer_fragment(struct node *from, struct ike_core *, const struct wire_hdr *as,
	    uint8_t first, uint16_t num, uint16_t total, const void *plain, size_t len,
	    uint8_t *out, size_t cap);

#endif
