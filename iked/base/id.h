/* Identities (RFC 7296 3.5). */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>
#include <stdint.h>

enum {
	ID_NONE = 0, ID_IPV4_ADDR = 1, ID_FQDN = 2, ID_RFC822_ADDR = 3,
	ID_IPV6_ADDR = 5, ID_DER_ASN1_DN = 9, ID_KEY_ID = 11
};
#define ID_MAXLEN	255
#define ID_STRLEN	600

struct ident {
	uint8_t	type;		/* ID_NONE: not set */
	uint8_t	len;
	uint8_t	data[ID_MAXLEN];
};

/* iked.conf's srcid/dstid: an address, user@domain, fqdn, or with an explicit
 * "fqdn:", "ufqdn:", "ipv4:", "ipv6:", "keyid:" (hex after 0x), "dn:"
 * (DER in hex after 0x).  0 or -1. */
int	ident_parse(struct ident *, const char *);
/* Type and octets, case included: as sent is as meant. 1/0 */
int	ident_equal(const struct ident *, const struct ident *);
/* Well-formed for its type (sizes exact, no NUL, printable FQDN)? 1/0 */
int	ident_valid(const struct ident *);
/* "IPV4/192.0.2.1", "FQDN/boise.example"; unprintable octets escaped. */
char	*ident_str(const struct ident *, char dst[ID_STRLEN]);
/* Without the type prefix, the form ident_parse() reads back to the same. */
char	*ident_conf(const struct ident *, char dst[ID_STRLEN]);

#endif
