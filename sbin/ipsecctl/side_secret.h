/* SPDX-License-Identifier: ISC */
/*
 * What stands in the place of a secret in a text that `mirror' prints, and how
 * `diff' recognises it.  It begins with 0x and is no hexadecimal number, so that no
 * iked takes it for a secret that somebody chose.
 */
#ifndef IPSECCTL_SIDE_SECRET_H
#define IPSECCTL_SIDE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define SECRET_MARK	"0x-put-the-secret-here-"
#define SECRET_SALT	8
#define SECRET_LEN	64	/* of the text, NUL included */

/*
 * The placeholder of a secret.  Its fingerprint is made with scrypt (RFC 7914) and cut
 * to 24 bits: enough to see that another secret was typed in, and no quick way
 * to find out what it is.  0, or -1: no memory.
 */
int	secret_placeholder(const uint8_t *secret, size_t len,
	    const uint8_t salt[SECRET_SALT], char dst[SECRET_LEN]);
/* Does text (with 0x or 0X) begin as one? */
int	secret_is_placeholder(const char *text, size_t len);
/* 1: it is this secret's, 0: another's, -1: malformed, or no memory. */
int	secret_matches(const char *text, size_t len, const uint8_t *secret, size_t slen);
/* Makes "0x-..." "0X-..." throughout, which conf_parse() takes for a text. */
void	secret_admit(uint8_t *text, size_t len);

#endif
