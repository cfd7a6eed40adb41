/* SPDX-License-Identifier: ISC */
/* The same algorithms and protocols in the words of several programs. */
#ifndef IPSECCTL_SIDE_WORDS_H
#define IPSECCTL_SIDE_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum form { FORM_IKED, FORM_OPENBSD, FORM_ROUTEROS, FORM_SWANCTL };

/* "iked", "openbsd", "routeros", "swanctl"; 0 or -1. */
int		 form_byname(const char *, enum form *);
const char	*form_name(enum form);

/*
 * How a program writes a transform, for the IKE SA (esp 0) or for ESP (1); NULL: it
 * cannot do it, or not in all releases that people run.
 */
const char	*word_of(enum form, int esp, uint8_t type, uint16_t id, uint16_t keybits);
/* What a person calls it, never NULL. */
const char	*word_name(uint8_t type, uint16_t id, uint16_t keybits);

struct word_xform {
	uint8_t		type, aead;
	uint16_t	id, keybits;
};
/* Its word read back; RouterOS's words are known by the property they stand in (type).
 * swanctl's are not: type 0.  0 or -1. */
int	word_parse(enum form, int esp, uint8_t type, const char *, struct word_xform *);
int	word_is_aead(uint16_t id);

/* IP protocols: RouterOS's word, NULL where it is a number; and any word read. */
const char	*word_proto(uint8_t);
int		 word_proto_parse(const char *);	/* -1: none */

#endif
