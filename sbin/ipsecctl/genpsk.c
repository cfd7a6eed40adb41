/* SPDX-License-Identifier: ISC */
/*
 * A secret that nobody can guess, as a line for iked.conf.  Letters and digits only: it
 * goes unharmed through every other product's configuration, too.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "genpsk.h"

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
#define LETTERS	(sizeof(letters) - 1)
#define CHARS	43		/* of 62: 256 bits */

/* getentropy(3) is getrandom(2) where that is what there is; octets past the last whole
 * 62 are drawn again, so that all letters are alike. */
int
genpsk(void)
{
	uint8_t	 r[128];
	char	 psk[CHARS + 1];
	size_t	 n = 0, i;

	while (n < CHARS) {
		if (getentropy(r, sizeof(r)) == -1)
			err(1, "no random octets");
		for (i = 0; i < sizeof(r) && n < CHARS; i++)
			if (r[i] < 256 / LETTERS * LETTERS)
				psk[n++] = letters[r[i] % LETTERS];
	}
	psk[n] = '\0';
	(void)printf("psk \"%s\"\n", psk);
	explicit_bzero(psk, sizeof(psk));
	explicit_bzero(r, sizeof(r));
	return (0);
}
